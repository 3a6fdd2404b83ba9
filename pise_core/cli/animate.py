"""``python -m pise_core animate``: the person in a photo moves as somebody in a clip, or in a file of poses, does."""

import argparse
from pathlib import Path

from pise_core.cli.networks import add_background_argument, add_network_arguments, editor_of
from pise_core.document.document import Document
from pise_core.document.motion import motion_poses
from pise_core.errors import InputError
from pise_core.images import read_image
from pise_core.pose_files import MAX_BYTES, write_poses

_WRITTEN = (".gif", ".mp4", ".pise")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("photo", type=Path, metavar="PHOTO", help="JPEG, PNG or WebP")
    parser.add_argument(
        "--motion",
        required=True,
        type=Path,
        metavar="CLIP",
        help="a video of somebody (MP4, MOV, WebM, MKV, AVI, GIF), of which the first 20 seconds are taken, or a file "
        "of poses of several pictures (.json, docs/formats.md)",
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="OUT", help=".mp4 or .gif, or .pise for the studio to go on with"
    )
    parser.add_argument("--poses", type=Path, metavar="POSES.json", help="also write what was found in the video")
    parser.add_argument("--size", choices=("small", "large"), default="small", help="long side of 640 or 1280 pixels")
    add_network_arguments(parser)
    add_background_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status."""

    # What can be wrong is looked at before the networks are loaded.
    if args.out.suffix.lower() not in _WRITTEN:
        raise InputError(f"can't write a motion as {args.out.suffix!r}; use {', '.join(_WRITTEN)}")
    for path in (args.out, args.poses):
        if path is not None and not path.parent.is_dir():
            raise InputError(f"there is no folder {path.parent} to write {path.name} to")
    video = args.motion.suffix.lower() != ".json"
    if args.poses and not video:
        raise InputError("--poses writes what is found in a video; --motion is a file of poses already")
    if args.poses and args.poses.suffix.lower() != ".json":
        raise InputError(f"poses are written as .json, not {args.poses.suffix or 'without a suffix'}")
    text = None if video else _read(args.motion)
    photo = read_image(args.photo)

    editor = editor_of(args)
    document = Document.of(editor.set_person(photo), args.photo.stem)
    if text is None:
        clip = editor.clip_poses(args.motion)
        if args.poses:
            write_poses(args.poses, clip.poses, clip.size)
        document.follow(clip.poses, clip.seconds)
    else:
        document.load_motion(text)
    if args.out.suffix.lower() == ".pise":
        document.save(args.out)
    else:
        motion_poses(document.edits.motion)
        document.animate(args.out, side={"small": 640, "large": 1280}[args.size])
    print(args.out)
    return 0


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)  # what is larger is refused when it is looked at
    except OSError as error:
        raise InputError(f"can't read {path}: {error.strerror}") from None
