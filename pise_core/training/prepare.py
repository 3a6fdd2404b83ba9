"""``python -m pise_core prepare``: a folder of street photos becomes small samples, ready to train on.

Written: ``images/NNNN.jpg`` (long side 416), ``parsing/NNNN.png`` (indices, where annotated) and ``samples.json``:
``{"train": {name: [18 rows]}, "test": {...}}``, joints in pixels of the small image.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from pise_core.pose import to_rows, visible
from pise_core.training.street_photos import StreetPhotos

LONG_SIDE = 416


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="folder of Clothing Co-Parsing: photos/, annotations/, *.json, *.mat")
    parser.add_argument("--out", type=Path, default=Path("prepared"), help="folder to write (default: prepared)")
    parser.add_argument("--limit", type=int, default=None, help="at most so many photos of each split")


def run(args: argparse.Namespace) -> int:
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
