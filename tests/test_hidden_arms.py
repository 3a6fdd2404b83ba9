"""Arms that the photo hides: the other one, mirrored, is shown where they go."""

import numpy as np
import pytest

from pise_core.pose import empty_pose
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.hidden_arms import stand_ins, without_false_sleeves
from pise_core.warping.part_transforms import part_moves
from pise_core.warping.parts import PARTS, assign_parts
from pise_core.warping.warp import carry, reach_of
from tests.test_parts import turned

WALL, DRESS, SKIN, MARK = (200, 210, 220), (40, 60, 90), (224, 180, 150), (250, 20, 20)
RIGHT, LEFT = ([PARTS.index(f"{side}_{bone}") for bone in ("upper_arm", "forearm")] for side in ("right", "left"))


@pytest.fixture
def behind_the_back():
    """Photo, map, pose and parts: a sleeveless dress, the right arm bare and with a mark at its outer side, the left
    one behind the back, so that its joints lie on the dress."""
    pose, parsing = empty_pose(), np.zeros((280, 360), np.uint8)
    for side, shoulder, hip in (("right", 150, 160), ("left", 210, 200)):
        pose[JOINT[f"{side}_shoulder"]] = shoulder, 60, 1
        pose[JOINT[f"{side}_hip"]] = hip, 200, 1
    pose[JOINT["neck"]] = 180, 50, 1
    pose[JOINT["right_elbow"]], pose[JOINT["right_wrist"]] = (140, 130, 1), (140, 195, 1)
    pose[JOINT["left_elbow"]], pose[JOINT["left_wrist"]] = (208, 130, 1), (204, 195, 1)
    parsing[55:230, 156:215] = REGION["dress"]
    parsing[58:215, 130:152] = REGION["upper_skin"]
    photo = np.full((280, 360, 3), WALL, np.uint8)
    photo[parsing == REGION["dress"]], photo[parsing == REGION["upper_skin"]] = DRESS, SKIN
    photo[150:180, 130:137] = MARK
    owner = without_false_sleeves(assign_parts(parsing, pose), photo, parsing, pose)
    return photo, parsing, pose, owner


def spread(pose: np.ndarray) -> np.ndarray:
    """The left arm stretched out to the side."""
    return turned(pose, ["left_elbow", "left_wrist"], "left_shoulder", -80)


def test_an_arm_behind_the_back_has_no_cloth(behind_the_back):
    _, parsing, pose, owner = behind_the_back
    assert np.isin(assign_parts(parsing, pose), LEFT).any()
    assert not np.isin(owner, LEFT).any()
    assert np.isin(owner, RIGHT).sum() > 0.9 * (parsing == REGION["upper_skin"]).sum()


def test_two_sleeves_stay_two_sleeves(behind_the_back):
    photo, parsing, pose, _ = behind_the_back
    parsing[parsing == REGION["upper_skin"]] = REGION["dress"]
    owner = assign_parts(parsing, pose)
    assert (without_false_sleeves(owner, photo, parsing, pose) == owner).all()


def test_a_sleeve_stays_where_the_other_arm_shows_little_but_its_hand(behind_the_back):
    photo, parsing, pose, _ = behind_the_back
    parsing[parsing == REGION["upper_skin"]] = REGION["dress"]
    parsing[150:215, 130:152] = REGION["upper_skin"]
    owner = assign_parts(parsing, pose)
    assert (without_false_sleeves(owner, photo, parsing, pose) == owner).all()


def test_an_arm_that_the_map_takes_for_cloth_stays_an_arm_where_it_looks_like_no_cloth_beside_it(behind_the_back):
    photo, parsing, pose, _ = behind_the_back
    pose[JOINT["left_elbow"]], pose[JOINT["left_wrist"]] = (228, 130, 1), (228, 195, 1)
    arm = np.s_[60:200, 217:239]
    parsing[arm], photo[arm] = REGION["dress"], (60, 120, 70)  # tattooed
    found = without_false_sleeves(assign_parts(parsing, pose), photo, parsing, pose)
    assert np.isin(found[arm], LEFT).mean() > 0.8
    photo[arm] = DRESS
    found = without_false_sleeves(assign_parts(parsing, pose), photo, parsing, pose)
    assert not np.isin(found[arm], LEFT).any()


def test_a_hand_below_a_wide_shirt_is_no_arm(behind_the_back):
    photo, parsing, pose, _ = behind_the_back
    hand = np.s_[197:232, 186:222]
    parsing[hand], photo[hand] = REGION["upper_skin"], SKIN
    owner = without_false_sleeves(assign_parts(parsing, pose), photo, parsing, pose)
    mine, other = (owner == LEFT[1]).sum(), (owner == RIGHT[1]).sum()
    assert mine > 0.4 * other  # the hand is
    target = spread(pose)
    moves = part_moves(pose, target)
    assert stand_ins(owner, pose, target, moves)[LEFT[1]][0] == RIGHT[1]


def test_a_hidden_arm_is_the_other_one_in_a_mirror(behind_the_back):
    photo, parsing, pose, owner = behind_the_back
    target = spread(pose)
    moved = carry(photo, parsing, owner, pose, target)
    elbow, wrist = target[JOINT["left_elbow"], :2], target[JOINT["left_wrist"], :2]
    x, y = (0.5 * elbow + 0.5 * wrist).astype(int)
    assert moved.parsing[y, x] == REGION["upper_skin"]
    assert np.abs(moved.image[y, x].astype(int) - SKIN).max() <= 3
    # The mark is on the outer side of the arm that hangs: above, where that is spread.
    across = np.abs(moved.image.astype(int) - MARK).max(2) < 20
    ys, _ = np.nonzero(across & (np.arange(360) > 225))
    assert len(ys) > 100 and (ys < y).mean() > 0.95
    # The other one stays as it is, and nothing of the dress goes along.
    same = np.isin(owner, RIGHT)
    assert (moved.image[same] == photo[same]).all()
    dress = (np.abs(moved.image.astype(int) - DRESS).max(2) < 20) & (moved.parsing > 0)
    assert not dress[:, 225:].any()


def test_all_that_is_drawn_lies_within_reach(behind_the_back):
    photo, parsing, pose, owner = behind_the_back
    target = spread(pose)
    moved = carry(photo, parsing, owner, pose, target)
    reach = reach_of(owner, pose, target)
    assert reach is not None
    outside = moved.landed.copy()
    outside[reach] = False
    assert moved.landed.any() and not outside.any()
    source = np.isin(owner, RIGHT)
    source[reach] = False
    assert not source.any()  # it is looked at, too


def test_a_person_moved_as_a_whole_shows_no_arm_that_was_hidden(behind_the_back):
    photo, parsing, pose, owner = behind_the_back
    target = pose.copy()
    target[:, 0] += 30
    assert not stand_ins(owner, pose, target, part_moves(pose, target))
    moved = carry(photo, parsing, owner, pose, target)
    assert (moved.image[:, 30:][owner[:, :-30] >= 0] == photo[:, :-30][owner[:, :-30] >= 0]).all()


def test_an_arm_that_points_at_the_camera_stands_in_for_none(behind_the_back):
    _, _, pose, owner = behind_the_back
    pose[JOINT["right_wrist"]] = 140, 150, 1
    target = spread(pose)
    assert LEFT[1] not in stand_ins(owner, pose, target, part_moves(pose, target))
