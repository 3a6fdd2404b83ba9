"""Orders of joints that other programs use, and what each of their points is here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pise_core.skeleton import JOINT, JOINT_COUNT, JOINTS

#: Points with a lower score are missing: OpenPose leaves out what it does not find, and draws from 0.05 on.
LEAST_SCORE = 0.1
#: The same for networks that answer every point, seen or not: MMPose, DWPose and their like draw from 0.3 on.
LEAST_SCORE_OF_ALL = 0.3

_COCO_17 = (
    "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow left_wrist "
    "right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle"
)
_BODY_25 = (
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist - right_hip right_knee "
    "right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear"
)
_MEDIAPIPE = (
    "nose - left_eye - - right_eye - left_ear right_ear - - left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist - - - - - - left_hip right_hip left_knee right_knee left_ankle right_ankle"
)
_MPI_15 = (
    "- neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist right_hip right_knee "
    "right_ankle left_hip left_knee left_ankle"
)


@dataclass(frozen=True)
class Layout:
    """An order of points.

    Attributes:
        name: as its users call it.
        points: index of the point that each of the 18 joints is, -1 where the layout has none.
        least_score: points with a lower score are missing.
        shares: coordinates are shares of the picture's sides by definition; otherwise the numbers tell.
        own_envelope: others have as many points in other orders, so that only points under OpenPose's own names are it.
    """

    name: str
    points: tuple[int, ...]
    least_score: float
    shares: bool = False
    own_envelope: bool = False


def _layout(name: str, words: str, least_score: float, **more: bool) -> Layout:
    order = words.split()
    points = tuple(order.index(joint) if joint in order else -1 for joint in JOINTS)
    return Layout(name, points, least_score, **more)


#: By the number of points. Feet, faces and hands follow the body and are left alone.
LAYOUTS = {
    15: _layout("OpenPose MPI", _MPI_15, LEAST_SCORE, own_envelope=True),
    17: _layout("COCO-17", _COCO_17, LEAST_SCORE_OF_ALL),
    18: _layout("OpenPose COCO-18", " ".join(JOINTS), LEAST_SCORE),
    19: _layout("OpenPose BODY_19", _BODY_25, LEAST_SCORE, own_envelope=True),
    25: _layout("OpenPose BODY_25", _BODY_25, LEAST_SCORE),
    26: _layout("Halpe-26", f"{_COCO_17} - neck", LEAST_SCORE_OF_ALL),
    33: _layout("MediaPipe", _MEDIAPIPE, LEAST_SCORE_OF_ALL, shares=True),
    133: _layout("COCO-WholeBody", _COCO_17, LEAST_SCORE_OF_ALL),
    134: _layout("DWPose", " ".join(JOINTS), LEAST_SCORE_OF_ALL),
    136: _layout("Halpe-136", f"{_COCO_17} - neck", LEAST_SCORE_OF_ALL),
}
#: Numbers of points that people meet, and that are no body or none that is known here.
STRANGERS = {
    14: "CrowdPose or LSP",
    15: "JHMDB, PoseTrack or OpenPose's MPI",
    16: "MPII",
    19: "OCHuman, CMU Panoptic or OpenPose's BODY_19",
    21: "a hand",
    23: "a body with feet in an order that is not known here",
    68: "a face",
    70: "a face",
    468: "a face",
    478: "a face",
}


def named_layout(names: Sequence[object]) -> Layout | None:
    """The layout of points that a file names; None where hardly any of the names is a joint's."""
    order = [joint_name(name) or "-" for name in names]
    known = sum(word != "-" for word in order)
    return _layout("named points", " ".join(order), LEAST_SCORE) if known >= 5 else None


def joint_name(name: object) -> str | None:
    """One of ``JOINTS`` for what others call it: "leftShoulder", "LShoulder", "shoulder.L", "Left Shoulder"."""
    return _SPELLED.get(re.sub(r"[^a-z0-9]", "", name.lower())) if isinstance(name, str) else None


def _spellings(joint: str) -> list[str]:
    """How a joint may be called, in small letters and digits alone."""
    side, _, rest = joint.partition("_")
    return [side + rest, side[0] + rest, rest + side, rest + side[0]] if rest else [joint]


_SPELLED = {word: joint for joint in JOINTS for word in _spellings(joint)}


def to_joints(points: np.ndarray, layout: Layout) -> np.ndarray:
    """(N, 3) float64 points, nan where missing -> (18, 3) float64.

    A neck that the layout lacks is the middle of the shoulders.
    """
    joints = np.full((JOINT_COUNT, 3), np.nan)
    for joint, index in enumerate(layout.points):
        if 0 <= index < len(points) and points[index, 2] >= layout.least_score:
            joints[joint] = points[index]
    if layout.points[JOINT["neck"]] < 0:
        shoulders = joints[[JOINT["right_shoulder"], JOINT["left_shoulder"]]]
        joints[JOINT["neck"]] = *shoulders[:, :2].mean(0), shoulders[:, 2].min()
    return joints
