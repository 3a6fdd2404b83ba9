"""A pose as other programs read it."""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pise_core.errors import InputError
from pise_core.files import write_file
from pise_core.pose import to_rows
from pise_core.pose_files.layouts import LAYOUTS
from pise_core.skeleton import JOINT

#: What can be written: ours, OpenPose's with 18 and with 25 joints, ComfyUI's list of pictures, and COCO's results.
KINDS = ("pise", "openpose", "body25", "comfyui", "coco")


def write_pose(path: str | os.PathLike[str], pose: np.ndarray, size: tuple[int, int], kind: str = "pise") -> None:
    """Write a pose as a JSON file that :func:`read_pose` and the programs named by ``kind`` read.

    Args:
        path: of the file, ``.json``.
        pose: (18, 3) x, y, score in pixels of a picture of ``size``; nan where missing.
        size: (W, H) of that picture.
        kind: one of ``KINDS``.

    Raises:
        InputError: if the suffix or the kind is another, or the file can't be written.
    """
    if Path(path).suffix.lower() != ".json":
        raise InputError(f"a pose is written as .json, not {Path(path).suffix or 'without a suffix'}")
    write_file(path, (encode_pose(pose, size, kind) + "\n").encode())


def encode_pose(pose: np.ndarray, size: tuple[int, int], kind: str = "pise") -> str:
    """The text of the file that :func:`write_pose` would write, without the end of the last line.

    Raises:
        InputError: if there is no such kind.
    """
    if kind not in KINDS:
        raise InputError(f"there is no kind of pose file called {kind!r}; there are {', '.join(KINDS)}")
    rows = to_rows(pose)
    width, height = int(size[0]), int(size[1])
    if kind == "pise":
        return json.dumps({"size": [width, height], "unit": "pixels", "keypoints": rows})
    if kind == "coco":
        flat = _flat([rows[joint] for joint in _ordered(17)])
        return json.dumps([{"image_id": 0, "category_id": 1, "keypoints": flat, "score": _mean_score(rows)}])
    if kind == "body25":
        ordered = [None if joint < 0 else rows[joint] for joint in _ordered(25)]
        hips = [rows[JOINT[name]] for name in ("right_hip", "left_hip")]
        if hips[0] is not None and hips[1] is not None:
            right, left = np.array(hips[0]), np.array(hips[1])
            middle = (right + left) / 2
            ordered[8] = [round(float(middle[0]), 2), round(float(middle[1]), 2), float(min(right[2], left[2]))]
        rows = ordered
    person: dict[str, object] = {"pose_keypoints_2d": _flat(rows)}
    for part in ("face", "hand_left", "hand_right"):
        person[f"{part}_keypoints_2d"] = []
    picture = {"version": 1.3, "people": [person], "canvas_width": width, "canvas_height": height}
    return json.dumps([picture] if kind == "comfyui" else picture)


def write_poses(path: str | os.PathLike[str], poses: Sequence[np.ndarray], size: tuple[int, int]) -> None:
    """Write the poses of a clip, one of each picture, as ComfyUI's list of pictures; raises as :func:`write_pose`."""
    if Path(path).suffix.lower() != ".json":
        raise InputError(f"poses are written as .json, not {Path(path).suffix or 'without a suffix'}")
    pictures = [json.loads(encode_pose(pose, size, "openpose")) for pose in poses]
    write_file(path, (json.dumps(pictures) + "\n").encode())


def _ordered(count: int) -> list[int]:
    """Which joint each point of a layout is, -1 where it is none of the 18."""
    points = LAYOUTS[count].points
    return [points.index(index) if index in points else -1 for index in range(count)]


def _flat(rows: list) -> list[float]:
    return [value for row in rows for value in (row or (0, 0, 0))]


def _mean_score(rows: list) -> float:
    scores = [row[2] for row in rows if row is not None]
    return round(float(np.mean(scores)), 4) if scores else 0.0
