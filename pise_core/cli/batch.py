"""``python -m pise_core batch``: the same edits on many photos, here or on a Ray cluster."""

import argparse
import functools
import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from pise_core.cli.networks import add_background_argument, add_network_arguments, editor_of
from pise_core.document.batch import FAILED, REPORT, Row, edit_photo, photos_of, run_batch, summary
from pise_core.document.recipe import read_recipe
from pise_core.errors import InputError, named
from pise_core.version import __version__


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO", help="photos, or folders of photos")
    parser.add_argument(
        "--recipe", required=True, type=Path, metavar="FILE",
        help="a .pise file of the studio (its pose and what it borrows), a saved look, or JSON (docs/cli.md)",
    )  # fmt: skip
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="folder for pictures, report.csv and contact-sheet.jpg"
    )
    parser.add_argument("--format", choices=("png", "jpg", "webp"), default="png", help="of the pictures (png)")
    parser.add_argument("--zip", action="store_true", help="pack the pictures into DIR/pictures.zip, too")
    add_network_arguments(parser)
    add_background_argument(parser)
    parser.add_argument(
        "--ray", metavar="ADDRESS",
        help="edit on a Ray cluster: its address, auto, or local for one on this machine; photos, recipe and DIR must "
        "lie where every worker finds them (pip install -r requirements-cluster.txt)",
    )  # fmt: skip
    parser.add_argument("--workers", type=_positive, default=2, metavar="N", help="with --ray: workers (2)")
    parser.add_argument("--threads", type=_positive, default=1, metavar="N", help="with --ray: of each worker (1)")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status: 0 when every photo was edited, 1 when some could not be."""
    photos = photos_of(args.photos)
    try:
        args.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"can't make the folder {args.out}: {error.strerror}") from None

    editor = editor_of(args)
    recipe = read_recipe(args.recipe, editor)
    # Other weights, another version or backend may make other pictures: then nothing of an earlier run is kept.
    made_by = f"{__version__} {recipe.digest} {_weights_digest(args.weights)} {editor.backend} {editor.background_name}"
    digest = hashlib.sha256(made_by.encode()).hexdigest()
    recipe = replace(recipe, digest=digest)
    if recipe.left_out:
        print(f"{args.recipe.name}: {recipe.left_out} belongs to its own photo and is left out", file=sys.stderr)
    suffix = f".{args.format}"
    if args.ray is None:

        def edit(photos: Sequence[Path]) -> Iterator[Row]:
            return (edit_photo(editor, recipe, path, args.out, suffix) for path in photos)

    else:
        from pise_core.cli.ray_batch import edit_on_ray

        edit = functools.partial(edit_on_ray, args=args, suffix=suffix, digest=digest)

    rows = []
    with tqdm(total=len(photos), unit="photo", disable=None) as progress:
        for row in run_batch(photos, recipe, args.out, edit, suffix, args.zip):
            rows.append(row)
            progress.update()
            if row.status == FAILED:
                progress.write(named(Path(row.photo), row.message), file=sys.stderr)
    print(f"{summary(rows)}; see {args.out / REPORT}")
    return 1 if any(row.status == FAILED for row in rows) else 0


def _weights_digest(path: Path | None) -> str:
    from pise_core.model.weights import SHIPPED

    path = path or SHIPPED
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()
