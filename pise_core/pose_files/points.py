"""The points of one person as files spell them: rows, flat lists, objects with x and y, scores within or beside."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pise_core.errors import InputError
from pise_core.pose_files.layouts import LAYOUTS, STRANGERS, Layout, joint_name, named_layout, to_joints
from pise_core.skeleton import HIPS, JOINTS

#: Numbers beyond this are no coordinates, and no sides of pictures.
FARTHEST = 1e5
#: Dress Code's joints are those of its pictures at half size: 18 rows of four numbers.
_DRESS_CODE = (384, 512)
#: MediaPipe's coordinates of the world have the middle of the hips as their origin.
_ORIGIN = 0.01
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
#: What no score is: depths and coordinates are.
_LEAST, _MOST = -1.5, 100.0
#: What a point's name, number and score are kept under, as an object.
_NAMES = ("name", "part", "label", "joint", "keypoint", "bodypart", "class", "class_name", "type", "id")
_NUMBERS = ("id", "index", "idx", "class_id", "joint_id", "keypoint_id", "landmark_id", "point_id", "number")
_OWN_SCORES = ("visibility", "score", "confidence", "conf", "likelihood", "visible", "v", "c", "probability", "prob")


@dataclass(frozen=True)
class Someone:
    """One person of a file.

    Attributes:
        joints: (18, 3) float64 in the file's own numbers, nan where missing.
        layout: the order of points that they came in.
        size: (W, H) of the picture that the file says they are for, or None.
        unit: "pixels" or "percent", where the file says it; otherwise the numbers tell shares from pixels.
    """

    joints: np.ndarray
    layout: Layout
    size: tuple[float, float] | None
    unit: str | None = None


def read_person(
    node: Any,
    scores: Any,
    layout: Layout | None = None,
    size: tuple[float, float] | None = None,
    numbers: Any = None,
    from_openpose: bool = False,
) -> Someone | None:
    """The person of some points; None where no point is there.

    Args:
        node: the points: rows of two numbers or more, all numbers in a flat list, or objects with x and y.
        scores: of the points, where they are kept beside them.
        layout: the order of points, where the file names them; by default their number tells.
        size: (W, H) of the picture that they are for, where the file says it.
        numbers: which point of the layout each one is, where some are left out.
        from_openpose: they stand under a name that OpenPose gives them.

    Raises:
        InputError: if they are no points, or of no known order; what was found is named.
    """
    if not isinstance(node, list | tuple | np.ndarray):
        raise InputError(f"holds {described(node)} where points should be")
    if numbers is not None:
        node, scores = _numbered(node, scores, numbers)
    if node and all(isinstance(row, Mapping) for row in node):
        names, node = _named_rows(list(node))
        layout = named_layout(names) or layout
    points, columns = _points(node)
    if layout is None or max(layout.points) >= len(points):
        layout = LAYOUTS.get(len(points))
        if layout is not None and layout.own_envelope and not from_openpose:
            layout = None
    if layout is None:
        known = STRANGERS.get(len(points))
        counts = ", ".join(str(count) for count, usual in LAYOUTS.items() if not usual.own_envelope)
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
    if layout.shares and np.abs(joints[list(HIPS), :2].mean(0)).max() < _ORIGIN:
        raise InputError("holds points in metres from the middle of the hips; those of the picture are wanted")
    joints[there, 2] = joints[there, 2].clip(0, 1)
    return Someone(joints, layout, size)


def _points(node: Any) -> tuple[np.ndarray, int]:
    """(N, 3) float64 of x, y, score, and how many numbers each had; what is missing is nan with score 0."""
    if isinstance(node, np.ndarray):
        node = node.tolist()
    rows = [float("nan") if _is_nothing(row) else row for row in node]
    if rows and all(row is None or is_number(row) for row in rows) and any(is_number(row) for row in rows):
        rows = _cut(rows)
    rows = _without_numbers(rows)
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
    if len(points) and not (points[:, 2].min() >= _LEAST and points[:, 2].max() <= _MOST):
        low, high = points[:, 2].min(), points[:, 2].max()
        raise InputError(f"holds numbers from {low:g} to {high:g} behind x and y, which are no scores")
    return points, columns


def _row_of_object(row: Mapping[str, Any]) -> list[Any]:
    if isinstance(row.get("position"), Mapping):  # PoseNet
        row = {**row, **row["position"]}
    if "x" not in row or "y" not in row:
        raise InputError(f"holds {described(row)} where a point with x and y should be")
    score = [row[name] for name in _OWN_SCORES if name in row]
    return [row["x"], row["y"], float(score[0]) if score and isinstance(score[0], bool) else (score or [1])[0]]


def _named_rows(rows: list[Mapping[str, Any]]) -> tuple[list[Any], list[Mapping[str, Any]]]:
    """The names of points that are objects, and these in the order of their numbers where they have any.

    Raises:
        InputError: if they are called what no joint is called here, or numbered with some left out.
    """
    called: list[list[Any]] = [[row.get(key) for row in rows] for key in _NAMES]
    words = [names for names in called if _are_words([name for name in names if name is not None])]
    for names in words:
        if named_layout(names):
            return names, rows
    for names in called:
        joints = [joint for name in names if (joint := joint_name(name))]
        twice = next((joint for joint in joints if joints.count(joint) > 1), None)
        if twice and len(joints) > len(rows) / 2:
            raise InputError(f"names {twice} more than once: of several people each needs their own list of points")
    for key in _NUMBERS:
        numbers: list[Any] = [row.get(key) for row in rows]
        if all(isinstance(number, int) and not isinstance(number, bool) for number in numbers) and numbers:
            first = min(numbers)
            if first in (0, 1) and sorted(numbers) == list(range(first, first + len(rows))):
                return [], [row for _, row in sorted(zip(numbers, rows, strict=True), key=lambda pair: pair[0])]
            if len(set(numbers)) == len(rows) > 1:
                raise InputError(f"numbers its {len(rows)} points, and leaves some of the numbers out")
    # "point_3" and the like only count.
    strange = [name for names in words for name in names if name is not None and not re.search(r"\d", name)]
    if len(strange) > len(rows) / 2:
        raise InputError(f"calls its points {', '.join(strange[:3])}, …, which are no joints that are known here")
    return [], rows


def _are_words(names: list[Any]) -> bool:
    """Whether these are several words, each another one."""
    if len(names) < 2:
        return False
    return all(isinstance(n, str) and re.search("[a-z]{2}", n, re.I) for n in names) and len(set(names)) == len(names)


def _numbered(node: Any, scores: Any, numbers: Any) -> tuple[list[Any], list[Any] | None]:
    """The points, and their scores, in the places that their numbers say: Transformers leaves out what it is not sure
    of. 17 or 133 points, as COCO counts them."""
    if len(numbers) != len(node) or (isinstance(scores, list | tuple) and len(scores) != len(node)):
        raise InputError(f"holds {len(node)} points and {len(numbers)} numbers of theirs")
    count = 17 if max(numbers) < 17 else 133
    if max(numbers) >= count or min(numbers) < 0 or len(set(numbers)) < len(numbers):
        raise InputError(f"numbers its points from {min(numbers)} to {max(numbers)}; 17 or 133 are known")
    places: list[Any] = [None] * count
    marks: list[Any] = [0.0] * count
    for place, number in enumerate(numbers):
        places[number] = node[place]
        marks[number] = scores[place] if isinstance(scores, list | tuple) else 1.0
    return places, None if scores is None else marks


def _without_numbers(rows: list[Any]) -> list[Any]:
    """Rows that begin with their own number without it, ``[number, x, y]``."""
    if len(rows) < 5 or not all(isinstance(row, list | tuple) and len(row) in (3, 4) for row in rows):
        return rows
    first = [row[0] for row in rows]
    if first == list(range(len(rows))) or first == list(range(1, len(rows) + 1)):
        return [list(row[1:]) for row in rows]
    return rows


def _last(row: Any, columns: int) -> float:
    """The score of one of MediaPipe's points as a row: x, y, z, visibility[, presence]; x, y, z alone has none."""
    if row is None or (isinstance(row, list | tuple) and not len(row)):
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
    """A number, as text too, of pixels or percent: "200", "200px", "50%"; null and NaN are nan."""
    if value is None or _is_nothing(value):
        return float("nan")
    found = re.fullmatch(rf"\s*({_NUMBER})\s*(px|%)?\s*", value, re.I) if isinstance(value, str) else None
    if found:
        value = float(found[1]) / (100 if found[2] == "%" else 1)
    if not is_number(value):
        raise InputError(f"holds {described(value)} as {what}, where a number should be")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if number in (float("inf"), float("-inf")):
        raise InputError(f"holds an infinite number as {what}")
    return number


def _is_nothing(value: Any) -> bool:
    """Whether text says that there is no number."""
    return isinstance(value, str) and value.strip().lower() in ("", "nan", "null", "none", "n/a", "-")


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
