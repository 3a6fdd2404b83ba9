"""The command line: ``analyze`` and ``edit`` (stable), and the commands that other modules add.

Bad input ends with one line on stderr and exit status 2. What is heavy to import is imported inside the commands, so
that help and mistakes answer at once.
"""

import argparse
import importlib
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pise_core.cli.networks import add_background_argument, add_network_arguments, check_background, editor_of
from pise_core.errors import HubUnreachable, InputError, named
from pise_core.files import write_json
from pise_core.version import __version__

if TYPE_CHECKING:
    import numpy as np

    from pise_core.editor import Person

#: Commands that a module of their own adds: its ``add_arguments(parser)`` and ``run(args) -> int``.
_MODULES = {
    "batch": ("pise_core.cli.batch", "the same edits on many photos"),
    "animate": ("pise_core.cli.animate", "move the person in a photo as somebody in a clip moves"),
    "render": ("pise_core.cli.render", "render a saved .pise document: its picture, or its motion"),
    "prepare": ("pise_core.training.data.prepare", "make training samples from a folder of street photos"),
    "train": ("pise_core.training.command", "train the analyzer or the generator"),
    "evaluate": ("pise_core.evaluation.command", "measure the networks on test photos or clips"),
    "convert": (
        "pise_core.model.convert_release",
        "turn a checkpoint of the authors' release into weights of this project",
    ),
    "synthesize": ("pise_core.synthesis.command", "render people who do not exist, with every truth known"),
}


class _Parser(argparse.ArgumentParser):
    """argparse with its errors on one line, without the usage in front."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {_one_line(message)} (see: {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line. Returns the exit status; argparse leaves by SystemExit (0 after --help, 2 on a mistake)."""
    argv = list(sys.argv[1:] if argv is None else argv)
    try:
        args = _parser(argv).parse_args(argv)
        with _log_to_stderr(args.verbose):
            status = args.run(args)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # Whoever reads has seen enough ("| head"); the interpreter must not complain either when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (InputError, OSError, FloatingPointError) as error:
        print(f"error: {_one_line(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt as error:
        print(str(error) or "interrupted", file=sys.stderr)
        return 130


@contextmanager
def _log_to_stderr(verbose: bool) -> Iterator[None]:
    """What the library logs goes to stderr while a command runs: progress always, everything where ``verbose``."""
    log = logging.getLogger("pise_core")
    handler = logging.StreamHandler(sys.stderr)
    if verbose:
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
    level = log.level
    log.setLevel(logging.DEBUG if verbose else logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    # The installed command, or the module of a checkout.
    name = "pise" if Path(sys.argv[0]).stem == "pise" else "python -m pise_core"
    parser = _Parser(prog=name, description="Edit photos of people: pose, regions and clothes.")
    parser.add_argument("--version", action="version", version=f"PISE Studio {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    analyze = commands.add_parser("analyze", help="find the joints and the regions of the person in a photo")
    analyze.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="JPEG, PNG or WebP")
    analyze.add_argument(
        "--out",
        required=True,
        type=Path,
        metavar="DIR",
        help="for each photo, DIR/<stem>/ gets pose.json, parsing.png and regions.json",
    )
    _add_model_arguments(analyze)
    analyze.set_defaults(run=_analyze)

    edit = commands.add_parser("edit", help="re-pose, re-shape or re-dress the person in a photo")
    edit.add_argument("photo", type=Path, metavar="PHOTO", help="JPEG, PNG or WebP")
    pose = edit.add_mutually_exclusive_group()
    pose.add_argument(
        "--pose",
        type=Path,
        metavar="POSE.json",
        help="the wanted joints, as analyze or another program writes them (docs/formats.md); a pose of a picture of "
        "another shape is fitted to the person",
    )
    pose.add_argument("--pose-from", type=Path, metavar="PHOTO2", help="take the pose of the person in this photo")
    edit.add_argument(
        "--pose-person",
        type=int,
        metavar="N",
        help="which of several people in POSE.json, from 0; by default the largest and most complete",
    )
    edit.add_argument(
        "--pose-frame",
        type=int,
        metavar="N",
        help="which of several pictures in POSE.json, from 0; by default the first that shows somebody",
    )
    edit.add_argument(
        "--grow", action="store_true", help="add to the photo where the wanted pose leaves it, from its own background"
    )
    edit.add_argument(
        "--parsing", type=Path, metavar="MAP.png", help="the wanted regions: a map of the photo's size, or its shape"
    )
    edit.add_argument(
        "--table",
        metavar="NAME",
        help="MAP.png holds a human parser's labels, which are merged into regions: atr, lip, cihp, pascal or fashn",
    )
    edit.add_argument(
        "--style",
        action="append",
        default=[],
        type=_style,
        metavar="REGION=REFERENCE[:ALPHA]",
        help="give a region the looks it has in another photo, fully or by a share 0..1; may be repeated",
    )
    edit.add_argument(
        "--wear",
        action="append",
        default=[],
        type=_pair,
        metavar="REGION=REFERENCE",
        help="wear upper_clothes, dress or pants of somebody in another photo, cut and all; may be repeated",
    )
    edit.add_argument(
        "--recolour",
        action="append",
        default=[],
        type=_pair,
        metavar="REGION=COLOUR",
        help="give hair, upper_clothes, dress or pants another colour (#1b3a8c, navy); folds and pattern stay; may be "
        "repeated",
    )
    edit.add_argument("--no-detail", action="store_true", help="the network's own picture, without the photo's detail")
    edit.add_argument("--out", required=True, type=Path, metavar="OUT", help="picture to write: .png, .webp or .jpg")
    _add_model_arguments(edit)
    add_background_argument(edit)
    edit.set_defaults(run=_edit)

    # Only the command that is asked for is imported: some modules need torch.
    asked_for = next((word for word in argv if not word.startswith("-")), None)
    for name, (module_name, summary) in _MODULES.items():
        command = commands.add_parser(name, help=summary)
        if name == asked_for:
            module = importlib.import_module(module_name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    for command in commands.choices.values():
        command.add_argument("--verbose", action="store_true", help="say what is done, with times, on stderr")
    return parser


def _add_model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detector",
        choices=("shipped", "openpose"),
        default="shipped",
        help="who finds the joints; openpose is fetched once (209 MB) and licensed by CMU for non-commercial use only",
    )
    add_network_arguments(parser)


def _style(text: str) -> tuple[str, Path, float]:
    """``REGION=REFERENCE[:ALPHA]``; what follows the last colon is the share only if it is a number."""
    region, equals, reference = text.partition("=")
    if not (region and equals and reference):
        raise argparse.ArgumentTypeError(f"{text!r} is not REGION=REFERENCE or REGION=REFERENCE:ALPHA")
    alpha = 1.0
    path, colon, number = reference.rpartition(":")
    if colon and path:
        try:
            alpha = float(number)
            reference = path
        except ValueError:
            pass
    if not 0 <= alpha <= 1:
        raise argparse.ArgumentTypeError(f"the share in {text!r} must be a number from 0 to 1")
    return region, Path(reference), alpha


def _pair(text: str) -> tuple[str, str]:
    region, equals, value = text.partition("=")
    if not (region and equals and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a region, = and what it gets")
    return region, value


def _each_once(option: str, pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Pairs that an option was given, as a dictionary: none of them may replace another."""
    given: dict[str, str] = {}
    for region, value in pairs:
        if region in given:
            raise InputError(f"{option} {region} is given twice; give it once")
        given[region] = value
    return given


def _analyze(args: argparse.Namespace) -> int:
    from pise_core import images, regions
    from pise_core.document.batch import doubtful
    from pise_core.doubts import doubt_of_joints
    from pise_core.pose_files import write_pose

    stems: dict[str, Path] = {}
    for path in args.photos:
        twin = stems.setdefault(path.stem.casefold(), path)  # folders of some systems don't tell A from a
        if twin is path:
            continue
        if twin == path:
            raise InputError(f"{path} is given twice")
        raise InputError(f"{twin} and {path} would both be written to {args.out / path.stem}; rename one of them")
    # A single photo is refused before the networks are loaded; among many, a bad one must not cost the others.
    if len(args.photos) == 1:
        images.read_image(args.photos[0])
    _make_folder(args.out)
    detect = _Detection(args)
    failures = []
    for path in args.photos:
        try:
            photo = images.read_image(path)
            analysis = detect.editor.analyze(photo, pose=detect.pose(photo))
        except HubUnreachable:
            raise
        except InputError as error:
            failures.append(named(path, str(error)))
            continue
        folder = args.out / path.stem
        _make_folder(folder)
        write_pose(folder / "pose.json", analysis.pose, (photo.shape[1], photo.shape[0]))
        images.write_parsing(folder / "parsing.png", analysis.parsing)
        write_json(folder / "regions.json", list(regions.REGIONS))
        print(folder)
        if doubt := doubt_of_joints(analysis.pose):
            print(named(path, doubtful([doubt])), file=sys.stderr)
    if failures:
        raise InputError("; ".join(failures))
    return 0


def _edit(args: argparse.Namespace) -> int:
    import numpy as np

    from pise_core import images, regions
    from pise_core.document.batch import doubtful
    from pise_core.document.growing import grown_person, grown_photo, leaves, room_for, shifted
    from pise_core.document.references import wearable
    from pise_core.doubts import doubts_of
    from pise_core.parsing_files import read_parsing
    from pise_core.pose_files import open_pose_file
    from pise_core.rendering.recolour import checked_recolours, recolour
    from pise_core.warping.retarget import retarget

    # Everything that can be wrong is looked at before the networks are loaded.
    images.check_writable(args.out)
    check_background(args.background)
    photo = images.read_image(args.photo)
    size = photo.shape[1], photo.shape[0]
    pose_file = open_pose_file(args.pose) if args.pose else None
    if args.table and not args.parsing:
        raise InputError("--table says whose labels a map has: give --parsing, too")
    if pose_file is None and (args.pose_person, args.pose_frame) != (None, None):
        raise InputError("--pose-person and --pose-frame choose from a file of poses: give --pose, too")
    choice = {"frame": args.pose_frame, "person": args.pose_person}
    wanted_pose = pose_file.pose(size, **choice) if pose_file else None
    if args.grow and not (args.pose or args.pose_from):
        raise InputError("--grow makes room for a pose: give --pose or --pose-from, too")
    model_photo = images.read_image(args.pose_from) if args.pose_from else None
    wanted_parsing = read_parsing(args.parsing, size, args.table) if args.parsing else None
    if wanted_parsing is not None and not wanted_parsing.any():
        raise InputError(f"{args.parsing} shows nobody: every pixel of it is background")
    totals: dict[str, float] = {}
    for region, _, alpha in args.style:
        regions.region_index(region)
        totals[region] = totals.get(region, 0) + alpha
        if totals[region] > 1 + 1e-6:
            raise InputError(f"the shares given for {region} add up to {totals[region]:g}; at most 1 is possible")
    worn = {region: Path(path) for region, path in _each_once("--wear", args.wear).items()}
    for region in worn:
        if region not in regions.GARMENTS:
            raise InputError(f"--wear {region}: what can be worn is {', '.join(regions.GARMENTS)}")
    references = {path: images.read_image(path) for path in [*(path for _, path, _ in args.style), *worn.values()]}
    recolours = checked_recolours(_each_once("--recolour", args.recolour))

    if wanted_pose is None and model_photo is None and wanted_parsing is None and not (references or recolours):
        images.write_image(args.out, photo)
        print(args.out)
        return 0

    detect = _Detection(args)
    person = detect.person(args.photo, photo)
    if pose_file is not None and not pose_file.fits(size, frame=args.pose_frame, beside=person.pose):
        wanted_pose = retarget(person.pose, pose_file.pose(size, **choice, own=True))
    if model_photo is not None:
        wanted_pose = retarget(person.pose, detect.find(args.pose_from, model_photo))
    if args.grow and wanted_pose is not None and leaves(person, wanted_pose):
        margins = room_for(person, wanted_pose, person.parsing.shape)
        person = grown_person(person, margins, grown_photo([person], margins)).known_to(detect.editor)
        wanted_pose = shifted(wanted_pose, margins)
        if wanted_parsing is not None:
            wanted_parsing = np.pad(wanted_parsing, margins.padding())
    people = {path: detect.person(path, picture) for path, picture in references.items()}
    mixes: dict[str, dict[Path, float]] = {}
    for region, path, alpha in args.style:
        mixes.setdefault(region, {})[path] = mixes.get(region, {}).get(path, 0) + alpha
    # A texture needs a garment to lie on: one that there is none of is worn.
    mixes, besides = wearable(person.parsing if wanted_parsing is None else wanted_parsing, mixes)
    person = person.wear({region: people[path] for region, path in {**besides, **worn}.items()})
    styles = {region: [(people[path], alpha) for path, alpha in mix.items()] for region, mix in mixes.items()}
    edit = person.render(pose=wanted_pose, parsing=wanted_parsing, styles=styles or None, detail=not args.no_detail)
    for region in recolours:
        if not (edit.parsing == regions.REGION[region]).any():
            lacks = "wears" if region in regions.GARMENTS else "shows"
            raise InputError(f"--recolour {region}: the person in the photo {lacks} none")
    images.write_image(args.out, recolour(edit.photo, edit.parsing, recolours), edited=True)
    if wanted_pose is not None and wanted_parsing is None and (doubt := doubtful(doubts_of(person, wanted_pose))):
        print(f"{args.photo.name}: {doubt}; it may look wrong", file=sys.stderr)
    print(args.out)
    return 0


class _Detection:
    """The editor and the pose detector that the arguments ask for; messages name the photo."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._openpose = None
        if args.detector == "openpose":
            from pise_core.detection.openpose import OpenPoseDetector

            self._openpose = OpenPoseDetector(device=args.device)
        self.editor = editor_of(args)

    def pose(self, photo: "np.ndarray") -> "np.ndarray | None":
        """The pose by OpenPose, or None where the editor's own analyzer is to find it."""
        if self._openpose is None:
            return None
        poses = self._openpose.detect(photo)
        if not poses:
            from pise_core.errors import NobodyFound

            raise NobodyFound("OpenPose finds nobody in the photo")
        return poses[0]

    def person(self, path: Path, photo: "np.ndarray") -> "Person":
        try:
            return self.editor.set_person(photo, pose=self.pose(photo))
        except HubUnreachable:
            raise
        except InputError as error:
            raise InputError(named(path, str(error))) from None

    def find(self, path: Path, photo: "np.ndarray") -> "np.ndarray":
        """The pose of the person in a photo."""
        try:
            pose = self.pose(photo)
            return self.editor.analyze(photo).pose if pose is None else pose
        except HubUnreachable:
            raise
        except InputError as error:
            raise InputError(named(path, str(error))) from None


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"can't make the folder {path}: {error.strerror}") from None


def _one_line(message: str) -> str:
    return " ".join(message.split())
