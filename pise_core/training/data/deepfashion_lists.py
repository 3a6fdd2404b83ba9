"""PATN's lists: which pictures of DeepFashion are pairs, and everybody's joints.

Joints are whole pixels of the 176 middle columns, -1 where missing. Names are spelt ``fashion`` or ``fasion``; both are
read, ``fashion`` is written.
"""

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pise_core.errors import InputError
from pise_core.skeleton import JOINT_COUNT

SPLITS = ("train", "test")
#: So many names fit into one line.
_NAMES_SHOWN = 8


class Split(NamedTuple):
    """One split of the lists; names without ``.jpg``."""

    joints: dict[str, np.ndarray]  # (18, 2) int: x, y in the 176 middle columns; -1 where missing
    pairs: list[tuple[str, str]]

    def first(self, count: int | None) -> "Split":
        """The first ``count`` pairs and the joints of their pictures; everything where it is None."""
        if count is None:
            return self
        names = dict.fromkeys(name for pair in self.pairs[:count] for name in pair)
        return Split({name: self.joints[name] for name in names}, self.pairs[:count])


def read_split(folder: Path, split: str) -> Split:
    """The annotation and the pairs of one split.

    Raises:
        InputError: if a list is missing or damaged, or a picture of a pair has no joints listed.
    """
    annotation, pairs = (_list_file(folder, kind, split) for kind in ("annotation", "pairs"))
    joints = {}
    for number, row in enumerate(_rows(annotation, ":", ("name", "keypoints_y", "keypoints_x")), 2):
        try:
            y, x = (np.array(json.loads(row[column])) for column in ("keypoints_y", "keypoints_x"))
            points = np.stack([x, y], 1)
            if points.shape != (JOINT_COUNT, 2) or points.dtype.kind != "i":
                raise ValueError
        except (ValueError, TypeError):
            raise InputError(f"{annotation.name}, line {number}: expected two lists of 18 whole numbers") from None
        joints[one_spelling(row["name"])] = points
    listed = [(one_spelling(row["from"]), one_spelling(row["to"])) for row in _rows(pairs, ",", ("from", "to"))]
    unknown = sorted({name for pair in listed for name in pair} - joints.keys())
    if unknown:
        raise InputError(f"{pairs.name} has pairs of pictures that {annotation.name} lacks: {first_few(unknown)}")
    return Split(joints, listed)


def one_spelling(name: str) -> str:
    """A flattened name without ``.jpg``, in the spelling that is written."""
    name = name.strip()
    name = name[:-4] if name.lower().endswith(".jpg") else name
    return "fashion" + name.removeprefix("fasion") if name.startswith("fasion") else name


def first_few(names: Sequence[str]) -> str:
    """Names for a message of one line."""
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _list_file(folder: Path, kind: str, split: str) -> Path:
    """``fashion-resize-pairs-test.csv``, in the spellings that are about."""
    names = [f"{word}{middle}-{kind}-{split}.csv" for word in ("fashion", "fasion") for middle in ("-resize", "")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{folder / names[0]} is missing (or {', '.join(names[1:])}); --split leaves a split out")


def _rows(path: Path, delimiter: str, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        # Spreadsheets begin a file with a byte order mark.
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=delimiter)
            if not set(columns) <= set(reader.fieldnames or ()):
                raise InputError(f"{path.name} does not begin with the line {delimiter.join(columns)}")
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name} is no list in UTF-8 ({error})") from None
    for number, row in enumerate(rows, 2):
        names = [row[column] for column in columns if not column.startswith("keypoints")]
        if not all(re.fullmatch(r"fash?ion[\w-]+\.jpg", name or "") for name in names):
            raise InputError(f"{path.name}, line {number}: expected names like fashionMENPantsid0000161101_1front.jpg")
    return rows
