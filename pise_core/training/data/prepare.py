"""``python -m pise_core prepare``: a folder of street photos becomes small samples, ready to train on;
``prepare deepfashion``: so does DeepFashion (see ``deepfashion``).

Written: ``images/NNNN.jpg`` (long side 416), ``parsing/NNNN.png`` (indices) and ``held/NNNN.png`` (1: bags and what
else is carried) where annotated, and ``samples.json``:
``{"train": {name: [18 rows]}, "validation": {...}, "test": {...}}``, joints in pixels of the small image. Every fourth
annotated photo of the data set's training split, by name, is for validation: choices are made there, and the test
photos stay unseen until the end.
"""

import argparse
import logging
from pathlib import Path

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.files import write_file
from pise_core.pose import to_rows, visible
from pise_core.training.arguments import positive
from pise_core.training.data import prepare_deepfashion, prepared_folder
from pise_core.training.data.deepfashion_files import MAPS, PICTURES, Files
from pise_core.training.data.deepfashion_lists import SPLITS, first_few, read_split
from pise_core.training.data.label_tables import TABLES, load_table
from pise_core.training.data.street_photos import StreetPhotos

_log = logging.getLogger(__name__)

LONG_SIDE = 416
#: One in so many annotated training photos is held back for validation.
VALIDATION_EVERY = 4
#: What street photos have no use for.
_OF_DEEPFASHION = ("lists", "maps", "parse", "table", "split")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dataset", nargs="?", choices=("street", "deepfashion"), default="street", help="what it is")
    parser.add_argument(
        "source",
        type=Path,
        help="folder of Clothing Co-Parsing (photos/, annotations/, *.json, *.mat); DeepFashion: img, or a zip file",
    )
    parser.add_argument("--out", type=Path, default=Path("prepared"), help="folder to write (default: prepared)")
    parser.add_argument(
        "--limit", type=positive, metavar="N", help="only the first N photos, or pairs of DeepFashion, of each split"
    )
    fashion = parser.add_argument_group("deepfashion")
    fashion.add_argument("--lists", type=Path, metavar="DIR", help="PATN's fashion-resize-{annotation,pairs}-*.csv")
    fashion.add_argument(
        "--maps", type=Path, metavar="DIR", help="label maps of a human parser, PNG, named as pictures; or a zip file"
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
    if args.dataset == "deepfashion":
        return _deepfashion(args)
    given = [f"--{name}" for name in _OF_DEEPFASHION if getattr(args, name)]
    if given:
        raise InputError(f"street photos don't take {', '.join(given)}; say prepare deepfashion, or leave that out")
    photos = StreetPhotos(args.source)
    prepared_folder.begin(args.out)
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
            _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), quality)
            write_file(args.out / "images" / f"{name}.jpg", data.tobytes())
            for folder, labels in (("parsing", parsing), ("held", photos.held(name))):
                if labels is not None:
                    labels = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
                    write_file(args.out / folder / f"{name}.png", cv2.imencode(".png", labels)[1].tobytes())
            samples[split][name] = to_rows(pose)
            if count % 200 == 0:
                _log.info("%s: %d of %d", split, count + 1, len(names))
    samples = _with_validation(samples, args.out)
    prepared_folder.finish(args.out, {"samples.json": samples})
    print({split: len(found) for split, found in samples.items()}, "->", args.out)
    return 0


def _with_validation(samples: dict[str, dict], folder: Path) -> dict[str, dict]:
    """The same splits, and ``validation``, which is taken out of ``train``."""
    annotated = sorted(name for name in samples["train"] if (folder / "parsing" / f"{name}.png").exists())
    held = set(annotated[::VALIDATION_EVERY])
    parts = {kept: {n: rows for n, rows in samples["train"].items() if (n in held) != kept} for kept in (True, False)}
    return {"train": parts[True], "validation": parts[False], "test": samples["test"]}


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
