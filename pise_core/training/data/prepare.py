"""``python -m pise_core prepare``: a folder of street photos becomes small samples, ready to train on;
``prepare deepfashion``: so does DeepFashion (see ``prepare_deepfashion``); ``prepare photos``: so does any folder of
photos, whose joints and regions are found (see ``prepare_photos``).

Written: ``images/NNNN.jpg`` (long side 416), ``parsing/NNNN.png`` (indices) and ``held/NNNN.png`` (1: bags and what
else is carried) where annotated, and ``samples.json``:
``{"train": {name: [18 rows]}, "validation": {...}, "test": {...}}``, joints in pixels of the small image. Every fourth
annotated photo of the data set's training split, by name, is for validation: choices are made there, and the test
photos stay unseen until the end.
"""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pise_core.editor import Editor
from pise_core.errors import InputError, NobodyFound
from pise_core.pose import visible
from pise_core.training.arguments import positive
from pise_core.training.data import prepare_deepfashion, prepare_photos, prepared_folder
from pise_core.training.data.deepfashion_files import MAPS, PICTURES, Files
from pise_core.training.data.deepfashion_lists import SPLITS, first_few, read_split
from pise_core.training.data.label_tables import TABLES, load_table
from pise_core.training.data.street_photos import StreetPhotos

_log = logging.getLogger(__name__)

#: What each kind of data takes beside what all do.
_OPTIONS = {
    "street": (),
    "deepfashion": ("lists", "maps", "parse", "table", "split"),
    "photos": ("maps", "table", "joints", "detector", "weights", "split_file"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "dataset",
        nargs="?",
        choices=tuple(_OPTIONS),
        default="street",
        help="what it is: street (Clothing Co-Parsing, the default), deepfashion, or photos of your own",
    )
    parser.add_argument(
        "source",
        type=Path,
        help="clone of Clothing Co-Parsing (photos/, annotations/, label_list.mat); DeepFashion: img, or a zip file; "
        "photos: a folder of JPEG, PNG or WebP",
    )
    parser.add_argument("--out", type=Path, default=Path("prepared"), help="folder to write (default: prepared)")
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="only the first N photos, or pairs of DeepFashion, of each split"
    )
    own = parser.add_argument_group("photos")
    own.add_argument(
        "--joints",
        type=Path,
        metavar="PATH",
        help="joints by a detector of your own: a folder of NAME.json in any format that edit --pose takes, or one "
        "JSON file of name -> 18 rows [x, y, score]; default: found here",
    )
    own.add_argument(
        "--detector",
        choices=("shipped", "openpose"),
        help="who finds them here (default: shipped); openpose is fetched once (209 MB) and licensed by CMU for "
        "non-commercial use only",
    )
    own.add_argument("--weights", type=Path, metavar="DIR", help="folder with an analyzer of your own")
    own.add_argument(
        "--split-file",
        type=Path,
        metavar="FILE",
        help='{"train": [names], "test": [names]}; default: every tenth photo by name is for the test',
    )
    fashion = parser.add_argument_group("deepfashion, and maps of photos")
    fashion.add_argument("--lists", type=Path, metavar="DIR", help="PATN's fashion-resize-{annotation,pairs}-*.csv")
    fashion.add_argument(
        "--maps",
        type=Path,
        metavar="DIR",
        help="label maps of a human parser, PNG, named as pictures; of DeepFashion a zip file, too",
    )
    fashion.add_argument(
        "--parse",
        action="store_true",
        help="make the maps that are missing there with the hub's parser (ATR's labels; 109 MB are fetched once)",
    )
    fashion.add_argument(
        "--table",
        help=f"how its labels merge into eight regions: {', '.join(TABLES)}, or a JSON file (default: cihp-studio)",
    )
    fashion.add_argument("--split", choices=SPLITS, help="one split only")


def run(args: argparse.Namespace) -> int:
    others = {option for options in _OPTIONS.values() for option in options} - set(_OPTIONS[args.dataset])
    if given := sorted(f"--{name.replace('_', '-')}" for name in others if getattr(args, name)):
        raise InputError(f"prepare {args.dataset} doesn't take {', '.join(given)}; leave that out")
    if args.dataset == "deepfashion":
        return _deepfashion(args)
    if args.dataset == "photos":
        return _photos(args)
    photos = StreetPhotos(args.source)
    prepared_folder.begin(args.out)
    samples: dict[str, dict] = {}
    for split, names in photos.split.items():
        samples[split] = {}
        for count, name in enumerate(names[: args.limit]):
            pose = photos.pose(name)
            if pose is None or visible(pose).sum() < 6:
                continue
            maps = {"parsing": photos.parsing(name, pose), "held": photos.held(name)}
            samples[split][name] = prepared_folder.write_sample(args.out, name, photos.photo(name), pose, **maps)
            if count % 200 == 0:
                _log.info("%s: %d of %d", split, count + 1, len(names))
    samples = prepared_folder.with_validation(samples, args.out)
    prepared_folder.finish(args.out, {"samples.json": samples})
    print({split: len(found) for split, found in samples.items()}, "->", args.out)
    return 0


def _photos(args: argparse.Namespace) -> int:
    if args.table is not None and args.maps is None:
        raise InputError("--table says how labels merge; give the --maps that hold them, too")
    table = None if args.table is None else load_table(args.table)
    if table is not None and table.order != "studio":
        raise InputError(f"--table {args.table} merges in the order {table.order!r}; prepare photos takes our own")
    editor = Editor.from_pretrained(args.weights)
    found = prepare_photos.prepare(
        args.source,
        args.out,
        editor,
        _joints(args),
        args.maps,
        table,
        args.split_file,
        args.limit,
    )
    print({split: len(samples) for split, samples in found.splits.items()}, "->", args.out)
    for name, reason in found.left_out.items():
        print(f"  {name} left out: {reason}")
    return 0


def _joints(args: argparse.Namespace) -> Callable[[str, np.ndarray], np.ndarray | None]:
    """Who finds the joints of a photo, by its name and itself; None from there: the analyzer is to."""
    if args.joints is not None and args.detector is not None:
        raise InputError("joints are given by --joints, or found by --detector; leave one of them out")
    if args.joints is not None:
        given = prepare_photos.Joints(args.joints)
        return lambda name, photo: given.of(name, (photo.shape[1], photo.shape[0]))
    if args.detector != "openpose":
        return lambda name, photo: None
    from pise_core.detection.openpose import LICENCE, OpenPoseDetector

    _log.info(LICENCE)
    detector = OpenPoseDetector()

    def found(name: str, photo: np.ndarray) -> np.ndarray:
        people = detector.detect(photo)
        if not people:
            raise NobodyFound(f"OpenPose finds nobody in {name}")
        return people[0]

    return found


def _deepfashion(args: argparse.Namespace) -> int:
    if args.lists is None or args.maps is None:
        raise InputError("prepare deepfashion needs --lists and --maps")
    splits = SPLITS if args.split is None else (args.split,)
    table_name = args.table or "cihp-studio"
    table = load_table(table_name)
    archive = Files(args.source, PICTURES)
    found = {split: read_split(args.lists, split).first(args.limit) for split in splits}
    if args.parse:
        from pise_core.detection.segformer import LICENCE, SegformerParser

        if not table_name.startswith("atr-") and table_name in TABLES:
            raise InputError(f"the hub's parser answers ATR's labels; --table {table_name} merges others")
        _log.info(LICENCE)
        names = [name for split in found.values() for name in split.joints]
        parser = SegformerParser()
        if parser.label_set != "atr":
            raise InputError("the hub's parser answers other labels than ATR's; make the maps with another program")
        made = prepare_deepfashion.make_maps(archive, names, args.maps, parser.labels)
        print(f"{made} maps made in {args.maps}")
    written = prepare_deepfashion.prepare(archive, found, Files(args.maps, MAPS), table, args.out)
    for split in splits:
        done = written[split]
        print(f"{split}: {len(done.pairs)} pairs")
        if done.few_joints:
            print(
                f"  {len(done.few_joints)} pictures have fewer than {prepare_deepfashion.FEWEST_JOINTS} joints; "
                f"they are no samples, and in pairs nothing is carried from or to them: "
                f"{first_few(list(done.few_joints))}"
            )
        if done.left_out:
            print(
                f"  {len(done.left_out)} pairs left out, for one of the two has fewer than "
                f"{prepare_deepfashion.FEWEST_IN_PAIRS} joints (all in dataset.json): "
                f"{first_few([' to '.join(pair) for pair in done.left_out])}"
            )
    print(f"regions in the order {table.order!r} -> {args.out}")
    return 0
