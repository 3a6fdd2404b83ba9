"""``python -m pise_core synthesize people``: pairs of people who do not exist, with every truth known."""

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from pise_core.errors import InputError
from pise_core.synthesis.bodies import require_anny
from pise_core.synthesis.dataset import SHARD_PAIRS, shard_path, write_format, write_shard


def add_arguments(parser: argparse.ArgumentParser) -> None:
    kinds = parser.add_subparsers(required=True, metavar="KIND")
    people = kinds.add_parser("people", help="the same person twice: picture, joints, regions, alpha, depth, layers")
    people.add_argument("--count", type=int, required=True, metavar="N", help="people, each with two pictures")
    people.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write, or to go on with")
    people.add_argument("--seed", type=int, default=0, metavar="S", help="the same seed gives the same bytes")
    people.add_argument(
        "--size", type=picture_size, default=(256, 176), metavar="HxW", help="of the pictures (256x176)"
    )
    people.add_argument("--backgrounds", type=Path, metavar="DIR", help="photos without people, for some backgrounds")
    people.add_argument("--turned", action="store_true", help="in every pair somebody turns by more than 45 degrees")
    people.add_argument("--layers", action="store_true", help="also each layer without what covers it")
    people.add_argument("--processes", type=int, default=1, metavar="N", help="processes that render side by side")
    people.set_defaults(run=run)
    examples = kinds.add_parser("examples", help="the people that the studio offers to begin with")
    examples.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder to write person-1.png, ... into"
    )
    examples.add_argument("--only", type=int, metavar="N", help="the one of this number")
    examples.set_defaults(run=_examples)
    sheet = kinds.add_parser("sheet", help="the first pictures of rendered people in one picture")
    sheet.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder that people wrote")
    sheet.add_argument("--out", type=Path, required=True, metavar="OUT", help="picture to write: .png, .webp or .jpg")
    sheet.add_argument("--width", type=int, metavar="W", help="of the whole in pixels (default: as large as they are)")
    sheet.set_defaults(run=_sheet)


def picture_size(text: str) -> tuple[int, int]:
    """``256x176`` as (H, W), for argparse."""
    height, x, width = text.partition("x")
    if not (x and height.isdigit() and width.isdigit() and 64 <= int(height) <= 2048 and 44 <= int(width) <= 2048):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 256x176 (64x44 to 2048x2048)")
    return int(height), int(width)


def run(args: argparse.Namespace) -> int:
    if args.count < 1 or args.processes < 1 or args.seed < 0:
        raise InputError("--count and --processes must be at least 1, --seed at least 0")
    require_anny()
    if args.backgrounds is not None:
        from pise_core.synthesis.backgrounds import Photos

        Photos(args.backgrounds)  # refuses a folder without photos now, not in a process of its own
    settings = {
        "seed": args.seed,
        "backgrounds": args.backgrounds is not None,
        "turned": args.turned,
        "layers": args.layers,
    }
    write_format(args.out, args.size, settings)
    numbers = [n for n in range(-(-args.count // SHARD_PAIRS)) if not shard_path(args.out, n).exists()]
    work = partial(render_shard, args.out, args.count, args.seed, args.size, args.backgrounds, args.turned, args.layers)
    if args.processes == 1:
        for number in numbers:
            _report(work(number))
        return 0
    with ProcessPoolExecutor(args.processes, get_context("spawn")) as pool:
        for path in pool.map(work, numbers):
            _report(path)
    return 0


def _examples(args: argparse.Namespace) -> int:
    require_anny()
    from pise_core.synthesis.examples import write_examples

    for path in write_examples(args.out, args.only):
        _report(path)
    return 0


def _sheet(args: argparse.Namespace) -> int:
    from pise_core.images import check_writable, write_image
    from pise_core.synthesis.dataset import sheet

    check_writable(args.out)
    picture = sheet(args.data)
    if args.width is not None:
        import cv2

        if not 16 <= args.width <= picture.shape[1]:
            raise InputError(f"--width goes from 16 to {picture.shape[1]}, the pictures' own size")
        size = args.width, round(picture.shape[0] * args.width / picture.shape[1])
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    write_image(args.out, picture)
    _report(args.out)
    return 0


def _report(path: Path) -> None:
    print(path)
    sys.stdout.flush()


def render_shard(
    folder: Path,
    count: int,
    seed: int,
    size: tuple[int, int],
    backgrounds: Path | None,
    turned: bool,
    layers: bool,
    number: int,
) -> Path:
    """Render and write one shard: people ``number * SHARD_PAIRS`` and on, up to ``count``. Returns its folder."""
    import cv2
    import torch

    from pise_core.synthesis.backgrounds import Photos
    from pise_core.synthesis.people import make_pair

    # One thread a process: sums in another order would be other bytes, and several processes do better.
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    photos = Photos(backgrounds) if backgrounds is not None else None
    first = number * SHARD_PAIRS
    pairs = []
    for index in range(first, min(first + SHARD_PAIRS, count)):
        pairs.append(make_pair(seed, index, size, photos, turned, folder if layers else None))
    return write_shard(folder, number, pairs)
