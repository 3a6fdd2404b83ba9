"""Legs that cross are both whole once they are moved apart."""

import cv2
import numpy as np
import pytest

from pise_core.pose import default_skeleton
from pise_core.regions import REGION
from pise_core.skeleton import JOINT, LEGS
from pise_core.warping.crossed_legs import cross, shared
from pise_core.warping.parts import PARTS, assign_parts
from pise_core.warping.warp import carry

CLOTH = (40, 60, 120)


def legs(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Photo and map of two legs in trousers."""
    parsing = np.zeros((400, 300), np.uint8)
    for leg in LEGS:
        cv2.polylines(parsing, [np.rint(pose[list(leg), :2]).astype(np.int32)], False, REGION["pants"], 30)
    photo = np.full((400, 300, 3), 220, np.uint8)
    photo[parsing > 0] = CLOTH
    return photo, parsing


@pytest.fixture
def crossed() -> np.ndarray:
    """A pose whose ankles are in another order than the hips."""
    pose = default_skeleton((60, 10, 240, 390))
    right, left = (pose[leg[2], 0].copy() for leg in LEGS)
    middle = (right + left) / 2
    pose[LEGS[0][2], 0], pose[LEGS[1][2], 0] = middle + 18, middle - 18
    for leg, side in zip(LEGS, (-8, 8), strict=True):
        pose[leg[1], 0] = middle + side
    return pose


def apart(pose: np.ndarray) -> np.ndarray:
    target = pose.copy()
    middle = pose[[leg[0] for leg in LEGS], 0].mean()
    for leg, side in zip(LEGS, (-1, 1), strict=True):
        target[leg[1], 0], target[leg[2], 0] = middle + 45 * side, middle + 70 * side
    return target


def widths(parsing: np.ndarray, pose: np.ndarray, side: int) -> np.ndarray:
    """How wide trousers are beside some places of a shin, in pixels."""
    knee, ankle = pose[LEGS[side][1], :2], pose[LEGS[side][2], :2]
    bone = (ankle - knee) / np.hypot(*(ankle - knee))
    across = np.array([-bone[1], bone[0]])
    found = []
    for share in np.linspace(0.15, 0.85, 8):
        line = (knee + share * (ankle - knee))[None] + np.arange(-25, 26)[:, None] * across
        x, y = np.rint(line).astype(int).T
        found.append((parsing[y.clip(0, 399), x.clip(0, 299)] == REGION["pants"]).sum())
    return np.array(found)


def test_a_pose_crosses_where_knees_or_ankles_change_sides(crossed):
    assert cross(crossed)
    assert not cross(default_skeleton((60, 10, 240, 390)))
    crossed[JOINT["left_ankle"]] = np.nan, np.nan, 0
    assert not cross(crossed)


def test_crossed_legs_are_whole_once_apart(crossed):
    photo, parsing = legs(crossed)
    target = apart(crossed)
    moved = carry(photo, parsing, assign_parts(parsing, crossed), crossed, target)
    for side in (0, 1):
        assert widths(moved.parsing, target, side).min() > 20
    assert (moved.image[moved.parsing > 0] == CLOTH).all(1).mean() > 0.96


def test_legs_side_by_side_share_nothing():
    pose = default_skeleton((60, 10, 240, 390))
    photo, parsing = legs(pose)
    owner = assign_parts(parsing, pose)
    for index, part in enumerate(PARTS):
        assert shared((owner == index).astype(np.uint8), part, owner, pose) is None


def test_only_legs_share_and_no_more_than_their_width(crossed):
    _, parsing = legs(crossed)
    owner = assign_parts(parsing, crossed)
    index = PARTS.index("right_shin")
    found = shared((owner == index).astype(np.uint8), "right_shin", owner, crossed)
    assert found is not None and found.any()
    assert not found[owner == index].any()
    knee, ankle = crossed[LEGS[0][1], :2], crossed[LEGS[0][2], :2]
    bone = (ankle - knee) / np.hypot(*(ankle - knee))
    ys, xs = np.nonzero(found)
    away = np.abs((xs + 0.5 - knee[0]) * bone[1] - (ys + 0.5 - knee[1]) * bone[0])
    assert away.max() < 20
    assert shared((owner == index).astype(np.uint8), "torso", owner, crossed) is None
