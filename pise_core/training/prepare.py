"""``python -m pise_core prepare``: a folder of street photos becomes small samples, ready to train on;
``prepare deepfashion``: so does DeepFashion (see ``deepfashion``).

Written: ``images/NNNN.jpg`` (long side 416), ``parsing/NNNN.png`` (indices, where annotated) and ``samples.json``:
``{"train": {name: [18 rows]}, "test": {...}}``, joints in pixels of the small image.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.pose import to_rows, visible
from pise_core.training import deepfashion
from pise_core.training.label_tables import TABLES, load_table
from pise_core.training.street_photos import StreetPhotos

LONG_SIDE = 416


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="?", choices=("street", "deepfashion"), default="street", help="what it is")
    parser.add_argument(
        "source",
        type=Path,
        help="folder of Clothing Co-Parsing (photos/, annotations/, *.json, *.mat); DeepFashion: img, or a zip file",
    )
    parser.add_argument("--out", type=Path, default=Path("prepared"), help="folder to write (default: prepared)")
    parser.add_argument("--limit", type=int, default=None, help="at most so many street photos of each split")
    fashion = parser.add_argument_group("deepfashion")
    fashion.add_argument("--lists", type=Path, metavar="DIR", help="PATN's fashion-resize-{annotation,pairs}-*.csv")
    fashion.add_argument(
        "--maps", type=Path, metavar="DIR", help="label maps of a human parser, PNG, named as pictures"
    )
    fashion.add_argument(
        "--parse",
        action="store_true",
        help="make the maps that are missing there with the hub's parser (ATR's labels; 109 MB are fetched once)",
    )
    fashion.add_argument(
        "--table",
        default="cihp-studio",
        help=f"how its labels merge into eight regions: {', '.join(TABLES)}, or a JSON file (default: cihp-studio)",
    )
    fashion.add_argument("--split", choices=deepfashion.SPLITS, help="one split only")


def run(args: argparse.Namespace) -> int:
    if args.dataset == "deepfashion":
        return _deepfashion(args)
    photos = StreetPhotos(args.source)
    for folder in ("images", "parsing"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    samples: dict[str, dict] = {}
    for split, names in photos.split.items():
        samples[split] = {}
        for count, name in enumerate(names[: args.limit]):
            pose = photos.pose(name)
            if pose is None or visible(pose).sum() < 6:
                continue
            image = photos.photo(name)
            parsing = photos.parsing(name, pose)
            scale = LONG_SIDE / max(image.shape[:2])
            width, height = round(image.shape[1] * scale), round(image.shape[0] * scale)
            pose[:, :2] *= np.array([width / image.shape[1], height / image.shape[0]])
            small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
            quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
            cv2.imwrite(str(args.out / "images" / f"{name}.jpg"), cv2.cvtColor(small, cv2.COLOR_RGB2BGR), quality)
            if parsing is not None:
                labels = cv2.resize(parsing, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
                cv2.imwrite(str(args.out / "parsing" / f"{name}.png"), labels)
            samples[split][name] = to_rows(pose)
            if count % 200 == 0:
                print(f"{split}: {count + 1} of {len(names)}", flush=True)
    (args.out / "samples.json").write_text(json.dumps(samples))
    print({split: len(found) for split, found in samples.items()}, "->", args.out)
    return 0


def _deepfashion(args: argparse.Namespace) -> int:
    if args.lists is None or args.maps is None:
        raise InputError("prepare deepfashion needs --lists and --maps")
    splits = deepfashion.SPLITS if args.split is None else (args.split,)
    table = load_table(args.table)
    archive = deepfashion.Archive(args.source)
    found = {split: deepfashion.read_split(args.lists, split) for split in splits}
    if args.parse:
        from pise_core.detection.hub_parser import LICENCE, SegformerParser

        if not args.table.startswith("atr-") and args.table in TABLES:
            raise InputError(f"the hub's parser answers ATR's labels; --table {args.table} merges others")
        print(LICENCE)
        names = [name for split in found.values() for name in split.joints]
        made = deepfashion.make_maps(archive, names, args.maps, SegformerParser().labels)
        print(f"{made} maps made in {args.maps}")
    written = deepfashion.prepare(archive, found, args.maps, table, args.out)
    for split in splits:
        left_out = json.loads((args.out / "dataset.json").read_text())["too_few_joints"][split]
        print(f"{split}: {written[split]} pairs; {len(left_out)} pictures have too few joints to be samples")
    print(f"regions in the order {table.order!r} -> {args.out}")
    return 0
