"""Tables of joints: CSV files with a head of names, DeepLabCut's, and what pandas makes of tables in JSON.

A table is long, with a row for each joint, or wide, with columns for each joint and a row for each picture. Either
comes out as other files of poses are: pictures with people and their named points, see ``contents``.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pise_core.pose_files.layouts import joint_name

#: What columns are called, in small letters alone; "%" counts as "percent".
_X = ("x", "xpx", "pxx", "xpixel", "xpixels", "xcoord", "xcoordinate", "xposition", "xpos", "posx", "cx", "xpercent")
_Y = tuple(word.replace("x", "y", 1) if word != "pxx" else "pxy" for word in _X)
_SCORES = ("score", "confidence", "conf", "likelihood", "visibility", "visible", "probability", "prob", "c")
_PICTURES = ("frame", "frameid", "framenumber", "image", "imageid", "imagename", "filename", "file", "picture")
_PEOPLE = ("person", "personid", "individual", "individuals", "track", "trackid", "subject", "instance")
_WIDTHS = ("width", "imagewidth", "imgwidth", "framewidth")
_HEIGHTS = tuple(word.replace("width", "height") for word in _WIDTHS)
#: So many joints at least make a table one of joints.
_FEWEST = 5


def table_of_text(text: str) -> list[dict[str, Any]] | None:
    """The pictures of a table with a head, its columns parted by commas, semicolons or tabs; None if it is no table of
    joints. Where columns are not parted by commas, these may be in numbers."""
    lines = [line for line in text.lstrip("\ufeff").splitlines() if line.strip()]
    if len(lines) < 2:
        return None
    # The head tells: the numbers below may have commas in them.
    mark = max(";\t,", key=lines[0].count)
    if mark not in lines[0]:
        return None
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=mark)]
    except csv.Error:
        return None
    if mark != ",":
        rows = [[_with_point(cell) for cell in row] for row in rows]
    head, rows = _deeplabcut(rows) or (rows[0], rows[1:])
    rows = [row + [""] * (len(head) - len(row)) for row in rows]
    return _pictures(head, rows)


def table_of_json(data: Any) -> list[dict[str, Any]] | None:
    """The pictures of a table as pandas writes it: a list of rows by name, columns by name, or ``columns`` and
    ``data``; None if it is no table of joints, or a list of one person's points."""
    if isinstance(data, list) and data and all(isinstance(row, Mapping) for row in data):
        head = list(data[0])
        grouped = {*map(_plain, head)} & {*_PICTURES, *_PEOPLE}  # without these it is a list of points
        if not all(list(row) == head for row in data) or not (_is_wide(head) or grouped):
            return None
        return _pictures(head, [list(row.values()) for row in data])
    if not isinstance(data, Mapping):
        return None
    if isinstance(data.get("columns"), list) and isinstance(data.get("data"), list):
        head, rows = data["columns"], data["data"]
        index = data.get("index")
        if isinstance(index, list) and len(index) == len(rows) and all(joint_name(name) for name in index):
            head, rows = ["joint", *head], [[n, *r] for n, r in zip(index, rows, strict=True) if isinstance(r, list)]
        if all(isinstance(row, list) and len(row) == len(head) for row in rows):
            return _pictures(head, rows)
        return None
    head, columns = list(data), list(data.values())
    if not _is_wide(head) and not {*map(_plain, head)} & {*_X}:
        return None
    if all(isinstance(column, Mapping) for column in columns) and columns:
        index = list(columns[0])
        if not all(list(column) == index for column in columns):
            return None
        if sum(joint_name(name) is not None for name in index) >= _FEWEST:
            head, columns = ["joint", *head], [index, *(list(column.values()) for column in columns)]
        else:
            columns = [list(column.values()) for column in columns]
    elif all(not isinstance(column, Mapping | list) for column in columns) and _is_wide(head):
        columns = [[column] for column in columns]  # one row
    if not all(isinstance(column, list) and len(column) == len(columns[0]) for column in columns):
        return None
    return _pictures(head, [list(row) for row in zip(*columns, strict=True)])


def _pictures(head: Sequence[Any], rows: list[list[Any]]) -> list[dict[str, Any]] | None:
    if _is_wide(head):
        return _wide(head, rows)
    return _long(head, rows) if _is_long(head) else None


def _long(head: Sequence[Any], rows: list[list[Any]]) -> list[dict[str, Any]] | None:
    """A row for each joint; columns may say which picture and which person it is of."""
    plain = [_plain(word) for word in head]
    x, y = (next(i for i, word in enumerate(plain) if word in words) for words in (_X, _Y))
    score, picture, person, width, height = (
        next((i for i, word in enumerate(plain) if word in words), None)
        for words in (_SCORES, _PICTURES, _PEOPLE, _WIDTHS, _HEIGHTS)
    )
    named = [sum(joint_name(row[i]) is not None for row in rows) for i in range(len(head))]
    if max(named) < _FEWEST:
        return None
    name = named.index(max(named))
    pictures: dict[str, dict[str, Any]] = {}
    for row in rows:
        if joint_name(row[name]) is None:
            continue
        made = pictures.setdefault("" if picture is None else str(row[picture]), {"people": {}})
        if width is not None and height is not None:
            made["width"], made["height"] = row[width], row[height]
        point = {"name": row[name], "x": _in_unit(row[x], plain[x]), "y": _in_unit(row[y], plain[y])}
        if score is not None:
            point["score"] = row[score]
        made["people"].setdefault("" if person is None else str(row[person]), []).append(point)
    return [{**p, "people": [{"keypoints": points} for points in p["people"].values()]} for p in pictures.values()]


def _wide(head: Sequence[Any], rows: list[list[Any]]) -> list[dict[str, Any]]:
    """A row for each picture; of several people where the columns say so."""
    plain = [_plain(word) for word in head]
    sides = [next((i for i, word in enumerate(plain) if word in words), None) for words in (_WIDTHS, _HEIGHTS)]
    pictures = []
    for row in rows:
        people: dict[str, dict[str, dict[str, Any]]] = {}
        for word, value in zip(head, row, strict=True):
            found = _wide_column(word)
            if found is None:
                continue
            whose, joint, kind = found
            people.setdefault(whose, {}).setdefault(joint, {"name": joint})[kind] = value
        bodies = [[p for p in points.values() if "x" in p and "y" in p] for points in people.values()]
        picture: dict[str, Any] = {"people": [{"keypoints": points} for points in bodies]}
        if None not in sides:
            picture["width"], picture["height"] = (row[side] for side in sides if side is not None)
        pictures.append(picture)
    return pictures


def _deeplabcut(rows: list[list[str]]) -> tuple[list[str], list[list[str]]] | None:
    """One head of the three or four that DeepLabCut writes: scorer, (individuals,) bodyparts, coords."""
    heads = {row[0].lower(): row for row in rows[:4] if row}
    if not {"bodyparts", "coords"} <= heads.keys():
        return None
    parts, kinds = heads["bodyparts"], heads["coords"]
    whose = heads.get("individuals", [""] * len(parts))
    count = len([name for name in ("scorer", "individuals", "bodyparts", "coords") if name in heads])
    columns = zip(whose, parts, kinds, strict=False)
    return [f"{who}:{part}_{kind}" if who else f"{part}_{kind}" for who, part, kind in columns], rows[count:]


def _wide_column(word: Any) -> tuple[str, str, str] | None:
    """Whose it is, the joint, and "x", "y" or "score", of a column's name; None if it is another column."""
    if not isinstance(word, str):
        return None
    whose, _, word = word.rpartition(":")
    for first, last in ((r"(.+)", r"([a-zA-Z]+)"), (r"([a-zA-Z]+)", r"(.+)")):
        found = re.fullmatch(rf"{first}[\s_.\-/]{last}", word.strip())
        if not found:
            continue
        joint, kind = found.groups() if first == r"(.+)" else found.groups()[::-1]
        kind = _plain(kind)
        name = joint_name(joint)
        if name and (kind in ("x", "y") or kind in _SCORES):
            return whose, name, kind if kind in ("x", "y") else "score"
    return None


def _is_wide(head: Sequence[Any]) -> bool:
    return sum(found is not None and found[2] == "x" for found in map(_wide_column, head)) >= _FEWEST


def _is_long(head: Sequence[Any]) -> bool:
    plain = {_plain(word) for word in head}
    return bool(plain & {*_X}) and bool(plain & {*_Y})


def _plain(word: Any) -> str:
    return re.sub(r"[^a-z]", "", str(word).lower().replace("%", "percent").replace("pct", "percent"))


def _in_unit(value: Any, column: str) -> Any:
    return f"{value}%" if column.endswith("percent") and not str(value).endswith("%") else value


def _with_point(cell: str) -> str:
    """A number with a decimal comma with a point."""
    return cell.replace(",", ".") if re.fullmatch(r"-?\d+,\d+%?", cell) else cell
