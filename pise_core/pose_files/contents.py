"""Who is in a file of poses: its JSON, or its rows of text, taken apart.

What the file holds decides, not its name. Nothing is scaled here.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pise_core.errors import InputError
from pise_core.pose_files.labelling import from_labelling
from pise_core.pose_files.layouts import Layout, joint_name, named_layout
from pise_core.pose_files.points import FARTHEST, Someone, described, is_number, read_person
from pise_core.pose_files.tables import table_of_json
from pise_core.pose_files.texts import Source, load
from pise_core.skeleton import JOINTS

#: Objects within objects, deeper than any program nests them.
_DEEPEST = 12

#: Where the points of one person, or of several, are kept; the first that is there counts.
_POINTS = (
    "pose_keypoints_2d", "pose_keypoints", "body_keypoints_2d", "keypoints", "joints", "pose_landmarks",
    "poseLandmarks", "landmarks", "landmark", "kpts", "keypoint", "xy",
)  # fmt: skip
#: Of these, the names that OpenPose gives.
_OF_OPENPOSE = ("pose_keypoints_2d", "pose_keypoints")
_SCORES = (
    "keypoint_scores", "keypoints_scores", "keypoint_score", "keypoints_score", "scores", "kpt_scores", "confidence",
)  # fmt: skip
#: Where people, or pictures with people, are kept; the first that is there counts.
_ENVELOPES = (
    "people", "annotations", "instance_info", "instances", "bodies", "poses", "frames", "predictions", "pose",
    "persons", "results", "result", "outputs", "output", "data", "openpose", "keypoints_data", "info",
)  # fmt: skip
_WIDTHS = (
    *((f"{of}_width", f"{of}_height") for of in ("canvas", "image", "img", "frame", "video", "original")),
    *((f"{of}Width", f"{of}Height") for of in ("canvas", "image", "frame", "video")),
    *(("img_w", "img_h"), ("image_w", "image_h"), ("width", "height"), ("W", "H"), ("w", "h")),
)
_SIZES = (
    *("size", "image_size", "img_size", "imageSize", "frame_size", "canvas_size", "resolution"),
    *("image", "video", "canvas", "metadata", "meta", "info"),
)
_UNITS = {
    **dict.fromkeys(("px", "pixel", "pixels"), "pixels"),
    **dict.fromkeys(("%", "pct", "percent", "percentage", "percents"), "percent"),
}
#: (H, W), as arrays have it.
_SHAPES = ("img_shape", "image_shape", "ori_shape")


@dataclass
class Contents:
    """What a file holds.

    Attributes:
        frames: the people of each picture, in the file's order; a picture may show nobody.
        layout: the name of the order of points, for messages.
        own: the "own" entry of a pose that the studio saved: whose it is.
    """

    frames: list[list[Someone]]
    layout: str
    own: Any = None


@dataclass(frozen=True)
class _Context:
    """What the objects around say of the points within."""

    size: tuple[float, float] | None = None
    unit: str | None = None  # "pixels" or "percent"
    layout: Layout | None = None
    sizes: Mapping[Any, tuple[float, float]] = field(default_factory=dict)
    others: tuple[int, ...] = ()  # categories that are no person
    from_openpose: bool = False
    depth: int = 0

    def within(self) -> "_Context":
        if self.depth >= _DEEPEST:
            raise InputError("holds objects within objects without an end, and no pose")
        return replace(self, depth=self.depth + 1)


def read_contents(source: Source) -> tuple[str, Contents]:
    """The name of the source for messages, and who is in it.

    Args:
        source: path, the file's bytes, or JSON that was parsed already.

    Raises:
        InputError: if it can't be read, is no such file, or nobody is in it; what was found is named.
    """
    name, data = load(source)
    try:
        frames = _frames(from_labelling(data) or table_of_json(data) or data, _Context())
    except InputError as error:
        raise InputError(f"{name} {error}") from None
    people = [someone for frame in frames for someone in frame]
    if not people:
        raise InputError(f"{name} shows nobody: {_nobody(data)}")
    own = data.get("own") if isinstance(data, Mapping) else None
    return name, Contents(frames, people[0].layout.name, own)


# ---- pictures and people


def _frames(node: Any, context: _Context) -> list[list[Someone]]:
    """The people of each picture that a part of a file is about."""
    if isinstance(node, np.ndarray):
        node = node.tolist()
    if isinstance(node, Mapping):
        return _frames_of_object(node, context.within())
    if not isinstance(node, list | tuple):
        raise InputError(f"holds {described(node)}, no pose")
    entries = [entry for entry in node if entry is not None]
    if not entries:
        return [[]]
    if all(isinstance(entry, Mapping) for entry in entries) and not _is_rows(entries):
        return _frames_of_list(entries, context)
    if all(isinstance(entry, list | tuple) and _are_people(entry) for entry in entries):
        return [_joined(_frames(entry, context.within())) for entry in entries]
    return _frames_of_numbers(node, None, context)


def _frames_of_object(node: Mapping[str, Any], context: _Context) -> list[list[Someone]]:
    context = _informed(node, context)
    if _is_subset(node.get("bodies")):
        return [_bodies(node["bodies"], context)]
    if _is_subset(node):
        return [_bodies(node, context)]
    named = {joint: row for name, row in node.items() if (joint := joint_name(name))}
    if len(named) >= 5:
        return [_person(list(named.values()), None, replace(context, layout=named_layout(list(named))))]
    for key in _POINTS:
        if key in node and not (key == "keypoints" and _are_names(node[key])):
            return _frames_of_points(node, key, replace(context, from_openpose=key in _OF_OPENPOSE))
    for key in _ENVELOPES:
        if isinstance(node.get(key), Mapping | list | tuple):
            value = node[key]
            if key == "people" and isinstance(value, Mapping):
                value = [value]
            if key == "instances" or (key in ("people", "bodies") and not _are_frames(value)):
                return [_joined(_frames(value, context))]
            return _frames(value, context)
    return _frames_by_name(node, context)


def _frames_of_points(node: Mapping[str, Any], key: str, context: _Context) -> list[list[Someone]]:
    value = node[key]
    if value is None or (isinstance(value, list | tuple) and not len(value)):
        return [[]]
    if isinstance(value, Mapping):
        if isinstance(value.get("x"), list) and isinstance(value.get("y"), list):  # Ultralytics
            x, y, scores = value["x"], value["y"], value.get("visible") or value.get("confidence")
            if len(x) != len(y):
                raise InputError(f"holds {len(x)} x and {len(y)} y")
            return _frames_of_numbers([list(point) for point in zip(x, y, strict=True)], scores, context)
        in_order = _by_number(value)
        return _frames(value, context) if in_order is None else _frames_of_numbers(in_order, None, context)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise InputError(f"holds text under {key!r}, no pose") from None
    scores = next((node[name] for name in _SCORES if isinstance(node.get(name), list | tuple)), None)
    labels = node.get("labels")
    if isinstance(labels, list | tuple) and labels and all(type(label) is int for label in labels):  # Transformers
        return [_person(value, scores, context, labels)]
    return _frames_of_numbers(value, scores, context)


def _frames_of_list(entries: list[Mapping[str, Any]], context: _Context) -> list[list[Someone]]:
    """A list of pictures, or of people who may be in different pictures."""
    if _are_frames(entries):
        return [_joined(_frames(entry, context.within())) for entry in entries]
    frames: dict[Any, list[Someone]] = {}
    for entry in entries:
        if entry.get("iscrowd") in (1, True) or _is_no_person(entry) or entry.get("category_id") in context.others:
            continue
        key = next((entry[name] for name in ("image_id", "frame_id", "frame") if name in entry), None)
        key = key if isinstance(key, str | int | float) else None
        inner = context.within()
        if key in context.sizes:
            inner = replace(inner, size=context.sizes[key])
        frames.setdefault(key, []).extend(_joined(_frames(entry, inner)))
    return list(frames.values()) or [[]]


def _frames_of_numbers(node: Any, scores: Any, context: _Context) -> list[list[Someone]]:
    """Points alone: one person's, several people's, or several people's in several pictures."""
    depth = _nesting(node)
    if depth <= 2:
        return [_person(node, scores, context)]
    if scores is not None and not isinstance(scores, list | tuple):
        raise InputError(f"holds {described(scores)} where several people's scores should be")
    if depth == 3:
        if scores is not None and len(scores) != len(node):
            raise InputError(f"holds the points of {len(node)} people and the scores of {len(scores)}")
        people = [
            _person(points, None if scores is None else scores[i], context)
            for i, points in enumerate(node)
            if points is not None
        ]
        return [[someone for person in people for someone in person]]
    if depth == 4:
        if scores is not None and len(scores) != len(node):
            raise InputError(f"holds {len(node)} pictures and the scores of {len(scores)}")
        return [
            _joined(_frames_of_numbers(people, None if scores is None else scores[i], context)) if people else []
            for i, people in enumerate(node)
        ]
    raise InputError("holds lists within lists, but no points")


def _person(points: Any, scores: Any, context: _Context, numbers: Any = None) -> list[Someone]:
    someone = read_person(points, scores, context.layout, context.size, numbers, context.from_openpose)
    return [] if someone is None else [replace(someone, unit=context.unit)]


def _frames_by_name(node: Mapping[str, Any], context: _Context) -> list[list[Someone]]:
    """Names of pictures or of frames, each with people."""
    if any(re.search("world|3d", str(key), re.IGNORECASE) for key in node):
        raise InputError(f"holds {described(node)}: coordinates in space, where those in the picture are wanted")
    inner = {key: value for key, value in node.items() if isinstance(value, Mapping | list | tuple)}
    meant = [value for value in node.values() if value is not None]
    if inner and len(inner) == len(meant):
        frames = []
        try:
            for value in _in_order(node):
                frames.append([] if value is None else _joined(_frames(value, context)))
            return frames
        except InputError:
            pass  # named below with what is there
    raise InputError(f"holds {described(node)}, no pose of a person that is known here")


def _in_order(node: Mapping[str, Any]) -> list[Any]:
    """The values by the numbers in their names, where these are alike but for a number: a program that sorts names
    puts the tenth picture before the second."""
    found = [re.fullmatch(r"(\D*)(\d+)(\D*)", str(key)) for key in node]
    if not all(found) or len({match.group(1, 3) for match in found if match}) > 1:
        return list(node.values())
    numbered = [(int(match.group(2)), value) for match, value in zip(found, node.values(), strict=True) if match]
    return [value for _, value in sorted(numbered, key=lambda pair: pair[0])]


def _by_number(node: Mapping[str, Any]) -> list[Any] | None:
    """The points of an object that has them under their numbers, from 0 on; None if it is no such object."""
    if len(node) < 5 or set(node) != {str(number) for number in range(len(node))}:
        return None
    return [node[str(number)] for number in range(len(node))]


def _bodies(node: Mapping[str, Any], context: _Context) -> list[Someone]:
    """``candidate`` points, and for each person in ``subset`` the numbers of theirs, as OpenPose in Python has them."""
    points, people = node["candidate"], []
    rows = [row for row in (*points, *node["subset"]) if not isinstance(row, list | tuple)]
    if rows:
        raise InputError(f"holds {described(rows[0])} where points, or the numbers of somebody's, should be")
    for row in node["subset"]:
        numbers = [int(n) if is_number(n) and 0 <= n < len(points) else -1 for n in list(row)[: len(JOINTS)]]
        if len(numbers) != len(JOINTS):
            raise InputError(f"holds people of {len(numbers)} points, not {len(JOINTS)}")
        people += _person([points[n][:2] if n >= 0 else None for n in numbers], None, context)
    return people


# ---- what things are


def _informed(node: Mapping[str, Any], context: _Context) -> _Context:
    """The context with what an object says about pictures' sizes and names of points."""
    size = _size_of(node)
    if size is not None:
        context = replace(context, size=size)
    unit = next((_UNITS.get(str(node[key]).strip().lower()) for key in ("unit", "units") if key in node), None)
    if unit is not None:
        context = replace(context, unit=unit)
    images = node.get("images")
    if isinstance(images, list):
        sizes = {
            image["id"]: found
            for image in images
            if isinstance(image, Mapping) and isinstance(image.get("id"), str | int) and (found := _size_of(image))
        }
        context = replace(context, sizes=sizes)
    categories = node.get("categories")
    if isinstance(categories, list):
        strangers = [category for category in categories if isinstance(category, Mapping) and _is_no_person(category)]
        context = replace(context, others=tuple(c["id"] for c in strangers if isinstance(c.get("id"), int)))
    names = _names_in(node)
    layout = named_layout(names) if names else None
    return replace(context, layout=layout) if layout else context


def _names_in(node: Mapping[str, Any]) -> list[Any] | None:
    """The names of points that a file lists: in COCO's categories, MMPose's meta_info, or lists of their own."""
    categories = node.get("categories")
    for category in categories if isinstance(categories, list) else []:
        if isinstance(category, Mapping) and not _is_no_person(category) and _are_names(category.get("keypoints")):
            return category["keypoints"]
    meta = node.get("meta_info")
    names = meta.get("keypoint_id2name") if isinstance(meta, Mapping) else None
    if isinstance(names, Mapping) and all(str(key).isdigit() for key in names):
        return [names[key] for key in sorted(names, key=int)]
    for key in ("keypoint_names", "keypoints_names", "joint_names", "keypoint_labels"):
        if _are_names(node.get(key)):
            return list(node[key])
    return None


def _size_of(node: Mapping[str, Any]) -> tuple[float, float] | None:
    """(W, H) of the picture that an object tells of; None where it doesn't, or says null.

    Raises:
        InputError: if it says something that is no size.
    """
    for width, height in _WIDTHS:
        sides = [node.get(width), node.get(height)]
        if any(side is None for side in sides) or (width in ("width", "w", "W") and _is_box(node)):
            continue
        if any(side != 0 for side in sides):  # 0 by 0 says nothing
            return _checked_size(sides)
    for name, swapped in (*((name, False) for name in _SIZES), *((name, True) for name in _SHAPES)):
        value = node.get(name)
        if isinstance(value, Mapping):
            if (found := _size_of(value)) is not None:
                return found
        elif name in ("image", "video", "canvas", "metadata", "meta", "info"):
            continue
        elif isinstance(value, list | tuple):
            return _checked_size(list(value)[1::-1] if swapped else list(value))
        elif value is not None and name == "size":
            raise InputError("says a size that is not [width, height]")
    return None


def _checked_size(size: list[Any]) -> tuple[float, float]:
    sides: list[Any] = [float(side) if isinstance(side, str) and side.strip().isdigit() else side for side in size]
    if len(sides) != 2 or not all(is_number(side) for side in sides) or not all(1 <= s <= FARTHEST for s in sides):
        raise InputError("says a size that is not [width, height] in pixels")
    return float(sides[0]), float(sides[1])


def _is_box(node: Mapping[str, Any]) -> bool:
    """Whether a width and a height are those of a box in the picture."""
    return any(name in node for name in ("x", "left", "x1", "xmin", "cx"))


def _is_rows(entries: Iterable[Mapping[str, Any]]) -> bool:
    """Objects that are points, not boxes or people with a place of their own."""
    return all(
        (("x" in entry and "y" in entry) or isinstance(entry.get("position"), Mapping))
        and not ("width" in entry or "w" in entry or any(key in entry for key in _POINTS))
        for entry in entries
    )


def _is_subset(node: Any) -> bool:
    return (
        isinstance(node, Mapping) and isinstance(node.get("candidate"), list) and isinstance(node.get("subset"), list)
    )


def _are_names(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(name, str) for name in value)


def _are_frames(value: Any) -> bool:
    """A list of pictures with people, not a list of people."""
    if not isinstance(value, list | tuple):
        return False
    envelopes = {"people", "instances", "bodies", "annotations", "frames", "predictions", "persons"}
    entries = [entry for entry in value if entry is not None]
    return bool(entries) and all(
        isinstance(entry, Mapping) and (envelopes & entry.keys() or _is_many(entry)) for entry in entries
    )


def _are_people(value: list[Any] | tuple[Any, ...]) -> bool:
    """A list of objects that are people, not points; of nobody, too."""
    return all(isinstance(entry, Mapping) for entry in value) and not (value and _is_rows(value))


def _is_many(entry: Mapping[str, Any]) -> bool:
    """One picture of several people, all in one list of points."""
    points = next((entry[key] for key in _POINTS if key in entry), None)
    return isinstance(points, list | tuple) and _nesting(points) == 3


def _is_no_person(entry: Mapping[str, Any]) -> bool:
    name = entry.get("category", entry.get("category_name", entry.get("name")))
    return isinstance(name, str) and name.lower() not in ("person", "people", "human", "body")


def _nesting(node: Any) -> int:
    """How many lists lie in one another down to numbers; an object with x and y counts as a list of numbers."""
    if isinstance(node, np.ndarray):
        return node.ndim
    if isinstance(node, Mapping):
        return 1
    if not isinstance(node, list | tuple):
        return 0
    return 1 + max((_nesting(entry) for entry in node[:_DEEPEST] if entry is not None), default=0)


def _joined(frames: list[list[Someone]]) -> list[Someone]:
    return [someone for frame in frames for someone in frame]


def _nobody(data: Any) -> str:
    """Why nobody is in a file that could be read."""
    if isinstance(data, Mapping):
        animals = data.get("animals")
        count = len(animals) if isinstance(animals, list) else 0
        if count:
            return (
                f"its list of people is empty, and its {'animal' if count == 1 else f'{count} animals'} can't be used"
            )
    return "no joint in it was seen"
