"""``python -m pise_core render``: the picture of a saved document, or its motion."""

import argparse
import sys
from pathlib import Path

from pise_core.cli.networks import add_background_argument, add_network_arguments, editor_of, told_of_background
from pise_core.document.batch import doubtful
from pise_core.document.document import Document
from pise_core.document.export import check_export, export
from pise_core.document.file_reader import read
from pise_core.document.motion import motion_poses
from pise_core.errors import InputError
from pise_core.images import check_writable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("document", type=Path, metavar="FILE.pise", help="as the studio saves it")
    parser.add_argument(
        "--out", required=True, type=Path, metavar="OUT", help=".png, .webp, .jpg, .ora (layers), .gif or .mp4"
    )
    parser.add_argument("--quality", type=int, metavar="N", help="of .jpg (95) and .webp (lossless), 1 to 100")
    parser.add_argument("--cut-out", action="store_true", help="the person alone, transparent around")
    add_network_arguments(parser)
    add_background_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""

    # What can be wrong is looked at before the networks are loaded and pictures are rendered.
    moving = args.out.suffix.lower() in (".gif", ".mp4")
    saved = read(args.document)
    if moving:
        if args.quality is not None or args.cut_out:
            raise InputError("--quality and --cut-out are for pictures; a motion has neither")
        motion_poses(saved.history[saved.position].motion)
        if not args.out.parent.is_dir():
            raise InputError(f"there is no folder {args.out.parent} to write {args.out.name} to")
    else:
        check_export(args.out.suffix, args.quality, args.cut_out)
        check_writable(args.out.with_suffix(".png") if args.out.suffix.lower() == ".ora" else args.out)
    editor = editor_of(args)
    told_of_background(saved.background, args.document.name, editor.background_name)
    document = Document.restored(saved, [person.known_to(editor) for person in saved.people])
    if moving:
        document.animate(args.out)
    else:
        export(document, args.out, args.quality, args.cut_out)
        if doubt := doubtful(document.doubts()):
            print(f"{args.document.name}: {doubt}; it may look wrong", file=sys.stderr)
    print(args.out)
    return 0
