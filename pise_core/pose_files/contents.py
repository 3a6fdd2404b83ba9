"""Who is in a file of poses: its JSON, or its rows of text, taken apart.

What the file holds decides, not its name. Nothing is scaled here.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pise_core.errors import InputError
from pise_core.pose_files.layouts import Layout, joint_name, named_layout
from pise_core.pose_files.points import FARTHEST, Someone, described, is_number, read_person
from pise_core.skeleton import JOINTS

Source = str | os.PathLike[str] | bytes | Mapping[str, Any] | list[Any]

#: A file may be so large: minutes of a clip, faces and hands included.
MAX_BYTES = 50_000_000
#: Objects within objects, deeper than any program nests them.
_DEEPEST = 12

#: Where the points of one person, or of several, are kept; the first that is there counts.
_POINTS = (
    "pose_keypoints_2d", "pose_keypoints", "body_keypoints_2d", "keypoints", "joints", "pose_landmarks",
    "poseLandmarks", "landmarks", "landmark", "kpts", "keypoint",
)  # fmt: skip
_SCORES = ("keypoint_scores", "keypoints_scores", "keypoint_score", "keypoints_score", "scores", "kpt_scores")
#: Where people, or pictures with people, are kept; the first that is there counts.
_ENVELOPES = (
    "people", "annotations", "instance_info", "instances", "bodies", "poses", "frames", "predictions", "pose",
    "persons", "results", "result", "outputs", "output", "data", "openpose", "keypoints_data", "info",
)  # fmt: skip
_WIDTHS = (("canvas_width", "canvas_height"), ("width", "height"), ("image_width", "image_height"), ("W", "H"))
_SIZES = ("size", "image_size", "img_size", "imageSize", "resolution")
#: (H, W), as arrays have it.
_SHAPES = ("img_shape", "image_shape", "ori_shape")
#: The pictures of PATN's lists of DeepFashion.
_DEEPFASHION = (176, 256)


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
    layout: Layout | None = None
    sizes: Mapping[Any, tuple[float, float]] = field(default_factory=dict)
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
    name, data = _load(source)
    try:
        frames = _frames(data, _Context())
    except InputError as error:
        raise InputError(f"{name} {error}") from None
    people = [someone for frame in frames for someone in frame]
    if not people:
        raise InputError(f"{name} shows nobody: {_nobody(data)}")
    own = data.get("own") if isinstance(data, Mapping) else None
    return name, Contents(frames, people[0].layout.name, own)


def _load(source: Source) -> tuple[str, Any]:
    if isinstance(source, Mapping | list | tuple):
        return "the pose", source
    if isinstance(source, str | os.PathLike):
        name = Path(source).name or str(source)
        try:
            with open(source, "rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise InputError(f"there is no file {os.fspath(source)}") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(f"{os.fspath(source)!r} can't be read: {reason}") from None
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
        raise InputError(f"{name} is no text, and so no file of poses (JSON, or rows of DeepFashion)") from None
    rows = _deepfashion(text)
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
        raise InputError(f"{name} is not valid JSON, and holds no rows of DeepFashion either") from None


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
        return [_person([named.get(joint) for joint in JOINTS], None, context)]
    for key in _POINTS:
        if key in node and not (key == "keypoints" and _are_names(node[key])):
            return _frames_of_points(node, key, context)
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
        return _frames(value, context)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise InputError(f"holds text under {key!r}, no pose") from None
    scores = next((node[name] for name in _SCORES if isinstance(node.get(name), list | tuple)), None)
    return _frames_of_numbers(value, scores, context)


def _frames_of_list(entries: list[Mapping[str, Any]], context: _Context) -> list[list[Someone]]:
    """A list of pictures, or of people who may be in different pictures."""
    if _are_frames(entries):
        return [_joined(_frames(entry, context.within())) for entry in entries]
    frames: dict[Any, list[Someone]] = {}
    for entry in entries:
        if entry.get("iscrowd") in (1, True) or _is_no_person(entry):
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


def _person(points: Any, scores: Any, context: _Context) -> list[Someone]:
    someone = read_person(points, scores, context.layout, context.size)
    return [] if someone is None else [someone]


def _frames_by_name(node: Mapping[str, Any], context: _Context) -> list[list[Someone]]:
    """Names of pictures or of frames, each with people."""
    inner = {key: value for key, value in node.items() if isinstance(value, Mapping | list | tuple)}
    meant = [value for value in node.values() if value is not None]
    if inner and len(inner) == len(meant):
        frames = []
        try:
            for value in node.values():
                frames.append([] if value is None else _joined(_frames(value, context)))
            return frames
        except InputError:
            pass  # named below with what is there
    raise InputError(f"holds {described(node)}, no pose of a person that is known here")


def _bodies(node: Mapping[str, Any], context: _Context) -> list[Someone]:
    """``candidate`` points, and for each person in ``subset`` the numbers of theirs, as OpenPose in Python has them."""
    points, people = node["candidate"], []
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
    images = node.get("images")
    if isinstance(images, list):
        sizes = {
            image["id"]: found
            for image in images
            if isinstance(image, Mapping) and isinstance(image.get("id"), str | int) and (found := _size_of(image))
        }
        context = replace(context, sizes=sizes)
    names = _names_in(node)
    layout = named_layout(names) if names else None
    return replace(context, layout=layout) if layout else context


def _names_in(node: Mapping[str, Any]) -> list[Any] | None:
    """The names of points that a file lists: in COCO's categories, MMPose's meta_info, or lists of their own."""
    for category in node.get("categories") or []:
        if isinstance(category, Mapping) and _are_names(category.get("keypoints")):
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
        if node.get(width) is not None and node.get(height) is not None:
            return _checked_size([node[width], node[height]])
    for name, swapped in (*((name, False) for name in _SIZES), *((name, True) for name in _SHAPES)):
        value = node.get(name)
        if isinstance(value, list | tuple):
            return _checked_size(list(value)[1::-1] if swapped else list(value))
        if isinstance(value, Mapping):
            return _size_of(value)
        if value is not None and name == "size":
            raise InputError("says a size that is not [width, height]")
    return None


def _checked_size(size: list[Any]) -> tuple[float, float]:
    if len(size) != 2 or not all(is_number(side) for side in size) or not all(1 <= side <= FARTHEST for side in size):
        raise InputError("says a size that is not [width, height] in pixels")
    return float(size[0]), float(size[1])


def _is_rows(entries: Iterable[Mapping[str, Any]]) -> bool:
    """Objects that are points."""
    return all(("x" in entry and "y" in entry) or isinstance(entry.get("position"), Mapping) for entry in entries)


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
    name = entry.get("category", entry.get("category_name"))
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
