"""The points of one person as files spell them: rows, flat lists, objects with x and y, scores within or beside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pise_core.errors import InputError
from pise_core.pose_files.layouts import LAYOUTS, STRANGERS, Layout, named_layout, to_joints
from pise_core.skeleton import JOINTS

#: Numbers beyond this are no coordinates, and no sides of pictures.
FARTHEST = 1e5
#: Dress Code's joints are those of its pictures at half size: 18 rows of four numbers.
_DRESS_CODE = (384, 512)


@dataclass(frozen=True)
class Someone:
    """One person of a file.

    Attributes:
        joints: (18, 3) float64 in the file's own numbers, nan where missing.
        layout: the order of points that they came in.
        size: (W, H) of the picture that the file says they are for, or None.
    """

    joints: np.ndarray
    layout: Layout
    size: tuple[float, float] | None


def read_person(
    node: Any, scores: Any, layout: Layout | None = None, size: tuple[float, float] | None = None
) -> Someone | None:
    """The person of some points; None where no point is there.

    Args:
        node: the points: rows of two numbers or more, all numbers in a flat list, or objects with x and y.
        scores: of the points, where they are kept beside them.
        layout: the order of points, where the file names them; by default their number tells.
        size: (W, H) of the picture that they are for, where the file says it.

    Raises:
        InputError: if they are no points, or of no known order; what was found is named.
    """
    if not isinstance(node, list | tuple | np.ndarray):
        raise InputError(f"holds {described(node)} where points should be")
    points, columns = _points(node)
    named = [row.get("name", row.get("part", row.get("label"))) if isinstance(row, Mapping) else None for row in node]
    layout = named_layout(named) or layout
    if layout is None or max(layout.points) >= len(points):
        layout = LAYOUTS.get(len(points))
    if layout is None:
        known = STRANGERS.get(len(points))
        counts = ", ".join(str(count) for count in LAYOUTS)
        found = f"{len(points)} points" + (f", which is {known}" if known else "")
        raise InputError(f"holds {found}; bodies of {counts} points are known")
    if scores is not None:
        scores = _flat(scores)
        if len(scores) != len(points):
            raise InputError(f"holds {len(points)} points and {len(scores)} scores")
        points[:, 2] = [_number(score, "a score") for score in scores]
        points[:, 2] = np.where(np.isfinite(points[:, 2]), points[:, 2], 0)
    elif columns == 4 and len(points) == len(JOINTS):
        size = size or _DRESS_CODE
    spelled = (np.abs(points[:, :2]).sum(1) == 0) | (points[:, :2] == -1).all(1)  # (0, 0) and (-1, -1) are nowhere
    points[spelled | ~np.isfinite(points[:, :2]).all(1)] = np.nan
    joints = to_joints(points, layout)
    there = np.isfinite(joints[:, 0])
    if not there.any():
        return None
    if np.abs(joints[there, :2]).max() > FARTHEST:
        raise InputError(f"holds a joint at {np.abs(joints[there, :2]).max():g}, which is no picture's")
    joints[there, 2] = joints[there, 2].clip(0, 1)
    return Someone(joints, layout, size)


def _points(node: Any) -> tuple[np.ndarray, int]:
    """(N, 3) float64 of x, y, score, and how many numbers each had; what is missing is nan with score 0."""
    if isinstance(node, np.ndarray):
        node = node.tolist()
    rows = list(node)
    if rows and all(row is None or is_number(row) for row in rows) and any(is_number(row) for row in rows):
        rows = _cut(rows)
    points, widths = np.full((len(rows), 3), np.nan), set()
    points[:, 2] = 0
    for index, row in enumerate(rows):
        if row is None or (isinstance(row, list | tuple) and not len(row)):
            continue
        if isinstance(row, Mapping):
            row = _row_of_object(row)
        elif not isinstance(row, list | tuple):
            raise InputError(f"holds {described(row)} where point {index} should be")
        if len(row) not in (2, 3, 4, 5):
            raise InputError(f"holds {len(row)} numbers for point {index}; x, y and a score are known")
        widths.add(len(row))
        values = [_number(value, f"point {index}") for value in row]
        points[index, :2] = values[:2]
        points[index, 2] = 1 if len(row) == 2 else values[2]
    if len(widths) > 1:
        raise InputError(f"holds points of {' and of '.join(str(w) for w in sorted(widths))} numbers")
    columns = widths.pop() if widths else 2
    if len(rows) == 33 and columns > 2:
        # MediaPipe has a depth before the score.
        points[:, 2] = [_last(row, columns) for row in rows]
    points[:, 2] = np.where(np.isfinite(points[:, 2]), points[:, 2], 0)
    return points, columns


def _row_of_object(row: Mapping[str, Any]) -> list[Any]:
    if isinstance(row.get("position"), Mapping):  # PoseNet
        row = {**row, **row["position"]}
    if "x" not in row or "y" not in row:
        raise InputError(f"holds {described(row)} where a point with x and y should be")
    score = [row[name] for name in ("visibility", "score", "confidence", "conf", "v", "c") if name in row]
    return [row["x"], row["y"], *(score[:1] or [1])]


def _last(row: Any, columns: int) -> float:
    """The score of one of MediaPipe's points as a row: x, y, z, visibility[, presence]; x, y, z alone has none."""
    if row is None:
        return 0.0
    if isinstance(row, Mapping):
        return _number(_row_of_object(row)[2], "a score")
    return 1.0 if columns == 3 else _number(row[3], "a score")


def _cut(numbers: list[Any]) -> list[list[Any]]:
    """A flat list in points: of three numbers, of two, or of four."""
    for columns in (3, 2, 4):
        count, rest = divmod(len(numbers), columns)
        if not rest and count in LAYOUTS:
            return [list(numbers[i : i + columns]) for i in range(0, len(numbers), columns)]
    raise InputError(f"holds {len(numbers)} numbers, which no known order of joints has (OpenPose has 54 or 75)")


def _flat(scores: Any) -> list[Any]:
    if not isinstance(scores, list | tuple):
        raise InputError(f"holds {described(scores)} where scores should be")
    return [score[0] if isinstance(score, list | tuple) and len(score) == 1 else score for score in scores]


def _number(value: Any, what: str) -> float:
    """A number; null and NaN are nan."""
    if value is None:
        return float("nan")
    if not is_number(value):
        raise InputError(f"holds {described(value)} as {what}, where a number should be")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")):
        raise InputError(f"holds an infinite number as {what}")
    return number


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def described(node: Any) -> str:
    """What something is, short enough for one line."""
    if isinstance(node, Mapping):
        keys = [str(key)[:24] for key in list(node)[:6]]
        return f"an object with {', '.join(keys)}{', …' if len(node) > 6 else ''}" if keys else "an empty object"
    if isinstance(node, list | tuple):
        return f"a list of {len(node)}"
    if node is None:
        return "null"
    if isinstance(node, bool):
        return "true" if node else "false"
    return "text" if isinstance(node, str) else "a number"
