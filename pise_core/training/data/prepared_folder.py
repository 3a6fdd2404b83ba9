"""A folder that ``prepare`` writes, and its samples in memory: small photos, parsing where annotated, joints.

The lists of a folder go first and come last: a folder that was left half made, or belongs to two calls, is never taken
for whole.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.files import write_file, write_json
from pise_core.parsing_files import read_parsing
from pise_core.pose import from_rows, to_rows, visible

LONG_SIDE = 416
#: One in so many annotated training photos is held back for validation.
VALIDATION_EVERY = 4

#: In the order of writing. All folders have the first to be removed, ``samples.json``; the others are DeepFashion's.
_LISTS = ("dataset.json", "pairs.json", "samples.json")


def begin(folder: Path) -> None:
    """Make the folder, and forget what an earlier call listed there."""
    for name in ("images", "parsing", "held"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in reversed(_LISTS):
        (folder / name).unlink(missing_ok=True)


def finish(folder: Path, lists: dict[str, Any]) -> None:
    """Write the lists, by file name; pictures and maps are all there."""
    for name in _LISTS:
        if name in lists:
            write_json(folder / name, lists[name])


def write_sample(
    folder: Path, name: str, photo: np.ndarray, pose: np.ndarray, **maps: np.ndarray | None
) -> list[list[float] | None]:
    """Write a photo at the size of samples, and maps beside it.

    Args:
        folder: where :func:`begin` was.
        name: of the sample.
        photo: (H, W, 3) uint8 RGB.
        pose: (18, 3) in its pixels.
        maps: ``parsing`` and ``held``, (H, W) uint8 or None.

    Returns:
        The joints' rows, in pixels of the sample: what ``samples.json`` holds.
    """
    scale = LONG_SIDE / max(photo.shape[:2])
    width, height = round(photo.shape[1] * scale), round(photo.shape[0] * scale)
    pose = pose.copy()
    pose[:, :2] *= np.array([width / photo.shape[1], height / photo.shape[0]])
    small = cv2.cvtColor(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 92])[1]
    write_file(folder / "images" / f"{name}.jpg", data.tobytes())
    for kind, labels in maps.items():
        if labels is not None:
            labels = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            write_file(folder / kind / f"{name}.png", cv2.imencode(".png", labels)[1].tobytes())
    return to_rows(pose)


def with_validation(samples: dict[str, dict[str, list]], folder: Path) -> dict[str, dict[str, list]]:
    """The same splits, and ``validation``, which is taken out of ``train``: one in so many of the annotated."""
    annotated = sorted(name for name in samples["train"] if (folder / "parsing" / f"{name}.png").exists())
    held = set(annotated[::VALIDATION_EVERY])
    parts = {kept: {n: rows for n, rows in samples["train"].items() if (n in held) != kept} for kept in (True, False)}
    return {"train": parts[True], "validation": parts[False], "test": samples["test"]}


@dataclass(frozen=True)
class Sample:
    """One photo.

    Attributes:
        name: the photo's stem.
        image: (H, W, 3) uint8 RGB.
        pose: (18, 3), in pixels of the image.
        parsing: (H, W) uint8, or None where nobody annotated it.
        held: (H, W) uint8, 1 where something is held; None where nobody knows.
        others: poses of further people who are labelled in ``parsing``, too.
    """

    name: str
    image: np.ndarray
    pose: np.ndarray
    parsing: np.ndarray | None
    held: np.ndarray | None = None
    others: tuple[np.ndarray, ...] = ()


def load_samples(folder: Path, split: str, limit: int | None = None, annotated_only: bool = False) -> list[Sample]:
    """All samples of one split of a folder that ``prepare`` wrote.

    Args:
        folder: that folder.
        split: "train", "validation" (choices are made on it; nothing is trained on it) or "test".
        limit: the first so many.
        annotated_only: leave out photos without regions.

    Raises:
        InputError: if the folder was not prepared, by another version, or a file of it is missing.
    """
    index = Path(folder) / "samples.json"
    if not index.exists():
        raise InputError(f"{index} is missing; run: python -m pise_core prepare SOURCE --out {folder}")
    samples, splits = [], json.loads(index.read_text())
    if split not in splits:
        raise InputError(f"{index} has no split {split!r}; run prepare again")
    for name, rows in splits[split].items():
        labels = Path(folder) / "parsing" / f"{name}.png"
        if annotated_only and not labels.exists():
            continue
        path = Path(folder) / "images" / f"{name}.jpg"
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise InputError(f"{path} is missing or damaged; run prepare again")
        parsing = read_parsing(labels, image.shape[1::-1]) if labels.exists() else None
        carried = Path(folder) / "held" / f"{name}.png"
        held = cv2.imread(str(carried), cv2.IMREAD_GRAYSCALE) if carried.exists() else None
        samples.append(Sample(name, cv2.cvtColor(image, cv2.COLOR_BGR2RGB), from_rows(rows), parsing, held))
        if limit and len(samples) == limit:
            break
    return samples


def person_box(sample: Sample) -> tuple[float, float, float, float]:
    """The person's box in the sample's pixels: joints, widened by what lies beyond them (hair, hands, shoes)."""
    points = sample.pose[visible(sample.pose), :2]
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    h = y1 - y0
    return x0 - 0.08 * h, y0 - 0.09 * h, x1 + 0.08 * h, y1 + 0.05 * h
