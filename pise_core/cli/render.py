"""``python -m pise_core render``: the picture of a saved document, or its motion."""

import argparse
from pathlib import Path

from pise_core.document.document import Document
from pise_core.document.file_reader import read
from pise_core.document.motion import motion_poses
from pise_core.errors import InputError
from pise_core.images import check_writable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("document", type=Path, metavar="FILE.pise", help="as the studio saves it")
    parser.add_argument("--out", required=True, type=Path, metavar="OUT", help=".png, .webp, .jpg, .gif or .mp4")
    parser.add_argument(
        "--weights", type=Path, metavar="PATH", help="folder of weights, such as train's, or one generator's file"
    )
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to compute")


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""
    from pise_core.editor import Editor

    # What can be wrong is looked at before the networks are loaded and pictures are rendered.
    moving = args.out.suffix.lower() in (".gif", ".mp4")
    saved = read(args.document)
    if moving:
        motion_poses(saved.history[saved.position].motion)
        if not args.out.parent.is_dir():
            raise InputError(f"there is no folder {args.out.parent} to write {args.out.name} to")
    else:
        check_writable(args.out)
    editor = Editor.from_pretrained(args.weights, device=args.device)
    document = Document.restored(saved, [person.known_to(editor) for person in saved.people])
    if moving:
        document.animate(args.out)
    else:
        document.render().save(args.out, edited=not document.edits.none)
    print(args.out)
    return 0
