"""Sleeves beside a torso of their own cloth: as wide where they move as they are."""

import numpy as np
import pytest

from pise_core.pose import empty_pose
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.arm_edges import refine_arms
from pise_core.warping.parts import PARTS, assign_parts
from pise_core.warping.sleeves import lacking
from pise_core.warping.warp import carry
from tests.test_parts import turned

WALL, COAT, SLEEVE = (200, 210, 220), (40, 60, 90), (120, 40, 30)
UPPER, FORE = PARTS.index("right_upper_arm"), PARTS.index("right_forearm")


@pytest.fixture
def coat():
    """Photo, map and pose: a sleeve of 28 pixels in one garment with the torso that it touches. Its colour is another,
    which nothing but the picture says."""
    pose, parsing = empty_pose(), np.zeros((260, 360), np.uint8)
    for side, shoulder, hip in (("right", 200, 212), ("left", 260, 248)):
        pose[JOINT[f"{side}_shoulder"]] = shoulder, 50, 1
        pose[JOINT[f"{side}_hip"]] = hip, 190, 1
    pose[JOINT["neck"]] = 230, 40, 1
    pose[JOINT["right_elbow"]], pose[JOINT["right_wrist"]] = (196, 120, 1), (196, 190, 1)
    parsing[40:210, 210:265] = parsing[46:196, 182:210] = REGION["upper_clothes"]
    photo = np.full((260, 360, 3), WALL, np.uint8)
    photo[40:210, 210:265], photo[46:196, 182:210] = COAT, SLEEVE
    return photo, parsing, pose


def carried(coat, target, owner=None, **options):
    photo, parsing, pose = coat
    return carry(photo, parsing, assign_parts(parsing, pose) if owner is None else owner, pose, target, **options)


def test_a_thin_sleeve_is_filled_up_with_its_own_cloth(coat):
    photo, parsing, pose = coat
    owner = assign_parts(parsing, pose)
    thin = np.isin(owner[130:180], [UPPER, FORE]).sum(1)
    assert thin.max() < 22  # the nearest bone gives the torso the rest
    target = turned(pose, ["right_elbow", "right_wrist"], "right_shoulder", 80)
    moved = carried(coat, target)
    elbow, wrist = target[JOINT["right_elbow"], :2], target[JOINT["right_wrist"], :2]
    across = np.array([-(wrist - elbow)[1], (wrist - elbow)[0]]) / np.hypot(*(wrist - elbow))
    for share in (0.2, 0.5, 0.7):
        points = elbow + share * (wrist - elbow) + np.arange(-25, 26)[:, None] * across
        x, y = points.astype(int).T
        landed = np.flatnonzero(moved.parsing[y, x] > 0)
        assert 23 <= len(landed) <= 30
        assert np.abs(moved.image[y, x][landed[2:-2]].astype(int) - SLEEVE).max() <= 3


def test_a_sleeve_that_hangs_free_lacks_nothing(coat):
    _, parsing, pose = coat
    parsing[:, 208:212] = 0
    owner = assign_parts(parsing, pose)
    owner[46:120, 182:208], owner[120:196, 182:208] = UPPER, FORE
    for index in (UPPER, FORE):
        assert lacking(index, (owner == index).astype(np.uint8), owner, parsing, pose) is None


def test_a_bare_arm_lacks_nothing(coat):
    _, parsing, pose = coat
    parsing[46:196, 182:210] = REGION["upper_skin"]
    owner = assign_parts(parsing, pose)
    for index in (UPPER, FORE):
        assert lacking(index, (owner == index).astype(np.uint8), owner, parsing, pose) is None


def test_an_arm_that_moves_with_its_torso_is_as_it_was(coat):
    """The whole person shifted: nothing is filled up, every pixel comes along."""
    photo, parsing, pose = coat
    target = pose.copy()
    target[:, 0] += 20
    owner = assign_parts(parsing, pose)
    moved = carried(coat, target, owner)
    there = owner[:, :-20] >= 0
    assert (moved.image[:, 20:][there] == photo[:, :-20][there]).all()


def test_what_is_filled_up_depends_on_nothing_else(coat):
    _, parsing, pose = coat
    target = turned(pose, ["right_elbow", "right_wrist"], "right_shoulder", 80)
    first, second = carried(coat, target), carried(coat, target)
    assert first.image.tobytes() == second.image.tobytes() and first.trust.tobytes() == second.trust.tobytes()


def test_the_end_of_a_wide_sleeve_stays_with_its_arm(coat):
    """It hangs farther from the bone than sleeves are wide, and together with the coat through the arm alone."""
    photo, parsing, pose = coat
    parsing[165:185, 140:182] = REGION["upper_clothes"]
    rough = assign_parts(parsing, pose)
    assert (rough[170:180, 142:150] == PARTS.index("torso")).all()
    assert (refine_arms(rough, photo, pose, parsing)[170:180, 142:150] == FORE).all()


def test_a_piece_of_coat_between_arm_and_leg_stays_with_the_coat(coat):
    photo, parsing, pose = coat
    for side, x in (("right", 215), ("left", 245)):
        pose[JOINT[f"{side}_knee"]] = x, 240, 1
    parsing[165:185, 140:182] = REGION["upper_clothes"]
    parsing[185:240, 140:182] = REGION["leg"]
    owner = assign_parts(parsing, pose)
    owner[185:240, 140:182] = PARTS.index("right_thigh")
    assert (refine_arms(owner, photo, pose, parsing)[170:180, 142:150] == PARTS.index("torso")).all()


def test_an_arm_that_comes_out_of_the_hair_begins_at_the_shoulder(coat):
    """Long hair hides the upper third of it; lifted, it is whole, and no hair goes along."""
    photo, parsing, pose = coat
    hair, parsing[40:75, 178:225] = (20, 15, 10), REGION["hair"]
    photo[40:75, 178:225] = hair
    for joint, x in (("nose", 230), ("right_ear", 222), ("left_ear", 238)):
        pose[JOINT[joint]] = x, 20, 1
    target = turned(pose, ["right_elbow", "right_wrist"], "right_shoulder", 80)
    moved = carried(coat, target)
    shoulder, elbow = target[JOINT["right_shoulder"], :2], target[JOINT["right_elbow"], :2]
    for share in (0.1, 0.25, 0.5, 0.9):
        x, y = (shoulder + share * (elbow - shoulder)).astype(int)
        assert moved.parsing[y, x] == REGION["upper_clothes"]
        assert np.abs(moved.image[y, x].astype(int) - SLEEVE).max() <= 3
    arm = (np.indices(parsing.shape)[1] < 175) & (moved.parsing > 0)
    dark = np.abs(moved.image.astype(int) - hair).max(2) < 30  # no more than an edge of one pixel
    assert (arm & dark).sum() < 0.03 * arm.sum()
