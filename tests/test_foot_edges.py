"""Feet that touch come apart where the picture shows it."""

import cv2
import numpy as np
import pytest

from pise_core.pose import empty_pose
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.foot_edges import Feet
from pise_core.warping.parts import PARTS, assign_parts

RIGHT, LEFT = PARTS.index("right_shin"), PARTS.index("left_shin")


def _scene(points_to: int, apart: int = 44):
    """Photo, map, pose, parts by the nearest bone, and both feet as drawn, which point to one side; the right one, on
    the left of the picture, lies before the other one where it reaches it."""
    pose = empty_pose()
    for side, x in (("right", 130), ("left", 130 + apart)):
        for joint, y in (("hip", 40), ("knee", 120), ("ankle", 200)):
            pose[JOINT[f"{side}_{joint}"]] = x, y, 1
    photo, parsing = np.full((280, 320, 3), 205, np.uint8), np.zeros((280, 320), np.uint8)
    drawn = {}
    for side in ("left", "right"):
        x = int(pose[JOINT[f"{side}_ankle"], 0])
        foot = np.zeros(parsing.shape, np.uint8)
        cv2.line(foot, (x, 40), (x, 200), 1, 25)
        p = points_to
        shoe = [[x - p * 12, 195], [x + p * 12, 195], [x + p * 46, 232], [x + p * 46, 246], [x - p * 12, 240]]
        cv2.fillConvexPoly(foot, np.array(shoe), 1)
        drawn[side] = foot > 0
        parsing[drawn[side]] = REGION["leg"]
        photo[drawn[side]] = 90
        outline = cv2.morphologyEx(foot, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        photo[outline & drawn[side]] = 30
    drawn["left"] &= ~drawn["right"]
    return photo, parsing, pose, assign_parts(parsing, pose), drawn


def _apart(photo, parsing, pose, owner):
    return Feet(photo, parsing, pose, 1.0).separated(owner, pose)


@pytest.mark.parametrize("points_to", [1, -1])
def test_feet_that_point_the_same_way_keep_their_toes(points_to):
    photo, parsing, pose, owner, drawn = _scene(points_to)
    found = _apart(photo, parsing, pose, owner)
    below = np.arange(len(owner))[:, None] > 200
    right, left = drawn["right"] & below, drawn["left"] & below

    def wrong(parts) -> int:
        return int((parts[right] == LEFT).sum() + (parts[left] == RIGHT).sum())

    assert wrong(owner) > 350  # the nearest bone cuts through the toes
    assert wrong(found) < 0.3 * wrong(owner)
    assert ((found == owner) | np.isin(owner, (RIGHT, LEFT))).all()
    assert (found[:185] == owner[:185]).all()


def test_feet_that_do_not_touch_and_legs_that_cross_stay_as_they_are():
    photo, parsing, pose, owner, _ = _scene(1, apart=110)
    assert _apart(photo, parsing, pose, owner) is owner
    photo, parsing, pose, owner, _ = _scene(1)
    crossed = pose.copy()
    crossed[[JOINT["left_ankle"], JOINT["right_ankle"]]] = pose[[JOINT["right_ankle"], JOINT["left_ankle"]]]
    assert _apart(photo, parsing, crossed, owner) is owner
    unseen = pose.copy()
    unseen[JOINT["left_ankle"]] = np.nan, np.nan, 0
    assert _apart(photo, parsing, unseen, owner) is owner


def test_where_the_picture_shows_no_border_each_foot_keeps_most_of_it():
    photo, parsing, pose, owner, _ = _scene(1)
    found = _apart(np.full_like(photo, 60), parsing, pose, owner)
    for part in (RIGHT, LEFT):
        assert ((found == part) & (owner == part)).sum() > 0.5 * (owner == part).sum()


def test_feet_are_cut_in_the_same_place_at_every_size():
    photo, parsing, pose, owner, drawn = _scene(1)
    feet, twice = Feet(photo, parsing, pose, 1.0), pose.copy()
    twice[:, :2] *= 3
    large = cv2.resize(owner, None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)
    found, small = feet.separated(large, twice), feet.separated(owner, pose)
    assert (found[1::3, 1::3] != small).sum() < 0.01 * (drawn["left"] | drawn["right"])[200:].sum()
    part = np.s_[150:270, 100:300]
    within = pose - np.array([100, 150, 0], np.float32)
    assert (feet.separated(owner[part], within) == small[part]).all()


def test_a_photo_may_end_at_the_ankles():
    photo, parsing, pose, owner, _ = _scene(1)
    rows = np.s_[:206]
    assert _apart(photo[rows], parsing[rows], pose, owner[rows]).shape == owner[rows].shape
