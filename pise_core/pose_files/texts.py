"""What a file of poses is as data: JSON, a line of JSON for each picture, a table, or rows of text that some write."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pise_core.errors import InputError
from pise_core.files import read_file
from pise_core.pose_files.tables import table_of_text
from pise_core.skeleton import JOINTS

Source = str | os.PathLike[str] | bytes | Mapping[str, Any] | list[Any]

#: A file may be so large: minutes of a clip, faces and hands included.
MAX_BYTES = 50_000_000
#: Fewer lines of two or three numbers are no body.
_FEWEST_POINTS = 5
#: Numbers in a line that are a whole body: 17, 18 or 25 points of two or three.
_WHOLE_BODIES = {34, 36, 50, 51, 54, 75}
#: The pictures of PATN's lists of DeepFashion.
_DEEPFASHION = (176, 256)


def load(source: Source) -> tuple[str, Any]:
    """The name of the source for messages, and its data.

    Raises:
        InputError: if it can't be read, or is none of these.
    """
    if isinstance(source, Mapping | list | tuple):
        return "the pose", source
    if isinstance(source, str | os.PathLike):
        name, data = Path(source).name or str(source), read_file(source, MAX_BYTES)
    elif isinstance(source, bytes | bytearray | memoryview):
        name, data = "the pose", bytes(source)
    else:
        raise InputError(f"a pose is read from a path, bytes or parsed JSON, not from {type(source).__name__}")
    if len(data) > MAX_BYTES:
        raise InputError(f"{name} is larger than {MAX_BYTES / 1e6:g} MB, which no file of poses is")
    if not data.strip():
        raise InputError(f"{name} is empty")
    try:
        text = data.decode(json.detect_encoding(data))
    except ValueError:
        raise InputError(
            f"{name} is no text, and so no file of poses (JSON, a table, or rows of DeepFashion)"
        ) from None
    rows = _deepfashion(text) or _yolo(text) or table_of_text(text) or _numbers(text)
    if rows is not None:
        return name, rows
    try:
        parsed = json.loads(text)
        return name, json.loads(parsed) if isinstance(parsed, str) else parsed  # JSON in a string of JSON
    except (ValueError, RecursionError):  # ValueError also for a number of thousands of digits
        pass
    try:  # a line for each picture
        return name, [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        raise InputError(f"{name} {_found(text)}") from None


def _found(text: str) -> str:
    """What text is that holds no pose."""
    start = text.lstrip("\ufeff \t\r\n")
    if start.startswith("<"):
        return "is XML; labelling programs such as CVAT also export COCO key points as JSON, which is read"
    if start.startswith("%YAML") or re.match(r"(---|[\w-]+:\s*$)", start, re.M):
        return "is YAML; the same as JSON is read"
    return "is not valid JSON, no table with columns for joints, and no rows of DeepFashion either"


def _numbers(text: str) -> list[Any] | None:
    """Lines of numbers alone, as numpy's savetxt and spreadsheets write them: a point each, or a person each; None if
    there is anything else."""
    rows = []
    for line in text.lstrip("\ufeff").splitlines():
        words = re.split(r"[\s,;]+", line.strip(" \t\r,;"))
        if words == [""] or line.lstrip().startswith("#"):
            continue
        try:
            rows.append([float(word) for word in words])
        except ValueError:
            return None
    widths = {len(row) for row in rows}
    if len(widths) != 1 or len(rows) < _FEWEST_POINTS and widths <= {1, 2, 3, 4}:
        return None
    if widths <= {2, 3, 4}:
        return rows
    return [{"keypoints": row} for row in rows] if widths <= _WHOLE_BODIES else None


def _deepfashion(text: str) -> list[Any] | None:
    """``name: [18 y]: [18 x]``, -1 where missing, with or without the line of titles; None if it is no such file."""
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if lines and lines[0].replace(" ", "") == "name:keypoints_y:keypoints_x":
        lines = lines[1:]
    people = []
    for line in lines:
        found = re.fullmatch(r"[^\[\]{}]+:\s*(\[[^\[\]]*\])\s*:\s*(\[[^\[\]]*\])\s*", line)
        if not found:
            return None
        try:
            y, x = (json.loads(numbers) for numbers in found.groups())
        except ValueError:
            return None
        if len(x) != len(JOINTS) or len(y) != len(JOINTS):
            return None
        people.append({"keypoints": [list(point) for point in zip(x, y, strict=True)], "size": list(_DEEPFASHION)})
    return [{"people": [person]} for person in people] or None


def _yolo(text: str) -> list[Any] | None:
    """Lines of Ultralytics' text: a class, a box, 17 points of two or three numbers, perhaps the box's score and the
    number of a track, all in shares of the picture; None if it is no such file."""
    people = []
    for line in text.split("\n"):
        words = line.split()
        if not words:
            continue
        columns = {39: 2, 40: 2, 56: 3, 57: 3, 58: 3}.get(len(words))
        try:
            numbers = [float(word) for word in words]
        except ValueError:
            return None
        if columns is None or not all(-0.5 <= number <= 1.5 for number in numbers[1 : 5 + 17 * columns]):
            return None
        people.append([numbers[at : at + columns] for at in range(5, 5 + 17 * columns, columns)])
    return [{"people": [{"keypoints": points} for points in people]}] if people else None
