"""Where one leg ends and the other begins, and what each takes along when they move apart."""

import numpy as np
import pytest

from pise_core.pose import empty_pose
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.leg_edges import separate_legs, smooth_hem
from pise_core.warping.parts import PARTS, assign_parts, legs_cross
from pise_core.warping.warp import carry

_RIGHT, _LEFT = ([PARTS.index(f"{side}_thigh"), PARTS.index(f"{side}_shin")] for side in ("right", "left"))


def _pose(right: float, left: float) -> np.ndarray:
    """Straight legs at these columns."""
    pose = empty_pose()
    for joint, y in (("hip", 20), ("knee", 80), ("ankle", 140)):
        pose[JOINT[f"right_{joint}"]] = right, y, 1
        pose[JOINT[f"left_{joint}"]] = left, y, 1
    return pose


def _apart(pose: np.ndarray, degrees: float) -> np.ndarray:
    out = pose.copy()
    for side, sign in (("right", 1), ("left", -1)):
        root, *rest = (JOINT[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle"))
        a = np.radians(sign * degrees)
        turn = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
        out[rest, :2] = (pose[rest, :2] - pose[root, :2]) @ turn.T + pose[root, :2]
    return out


@pytest.fixture
def trousers():
    """Wide trousers, closed as far as row 70, and a gap below that is nearer to the left leg's bones."""
    pose, parsing = _pose(80, 116), np.zeros((160, 200), np.uint8)
    parsing[10:140, 62:132] = REGION["pants"]
    parsing[70:140, 106:109] = 0
    return pose, parsing


def _pieces_of_rows(mask: np.ndarray) -> np.ndarray:
    """How many runs each row of a mask has."""
    return (np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 0))), axis=1) == 1).sum(1)


def test_legs_end_at_the_gap_between_them(trousers):
    pose, parsing = trousers
    nearest = assign_parts(parsing, pose)
    assert np.isin(nearest[90:138, 100:106], _LEFT).all()  # what the nearest bone would take from the other leg
    owner = separate_legs(nearest, pose)
    assert np.isin(owner[72:138, 64:106], _RIGHT).all()
    assert np.isin(owner[72:138, 109:130], _LEFT).all()
    assert ((owner >= 0) == (parsing > 0)).all()


def test_the_border_runs_from_the_gap_to_the_middle_of_the_hips(trousers):
    pose, parsing = trousers
    owner = separate_legs(assign_parts(parsing, pose), pose)
    first = [int(np.flatnonzero(np.isin(row, _LEFT))[0]) for row in owner[45:68]]
    assert (np.diff(first) >= 0).all() and first[0] < 105 and abs(first[-1] - 107) <= 1


def test_no_strip_hangs_between_legs_that_move_apart(trousers):
    pose, parsing = trousers
    image = np.full((*parsing.shape, 3), 120, np.uint8)

    def rows(owner: np.ndarray) -> np.ndarray:
        moved = carry(image, parsing, owner, pose, _apart(pose, 14)).parsing > 0
        return _pieces_of_rows(moved[60:120])

    nearest = assign_parts(parsing, pose)
    assert (rows(nearest) > 2).sum() > 10  # two legs, and a strip
    assert (rows(separate_legs(nearest, pose)) > 2).sum() <= 1


def test_a_hole_is_no_gap(trousers):
    pose, parsing = trousers
    parsing[70:140, 106:109] = REGION["pants"]
    parsing[80:84, 106:109] = 0
    owner = assign_parts(parsing, pose)
    assert np.array_equal(separate_legs(owner, pose), owner)


@pytest.mark.parametrize("changed", ["crossed", "no knee", "seated"])
def test_other_legs_stay_as_the_nearest_bones_have_them(trousers, changed):
    pose, parsing = trousers
    if changed == "crossed":
        pose[[JOINT["left_ankle"], JOINT["right_ankle"]]] = pose[[JOINT["right_ankle"], JOINT["left_ankle"]]]
    elif changed == "no knee":
        pose[JOINT["left_knee"]] = np.nan, np.nan, 0
    else:
        pose[[JOINT["left_knee"], JOINT["right_knee"]], 1] = 19
    owner = assign_parts(parsing, pose)
    assert np.array_equal(separate_legs(owner, pose), owner)


def test_a_knee_takes_nothing_of_the_leg_beside_it_along():
    """Thin legs that stand close: the disc about a knee is wider than the leg."""
    pose, parsing = _pose(96, 108), np.zeros((160, 200), np.uint8)
    parsing[10:150, 90:114] = REGION["leg"]
    owner = assign_parts(parsing, pose)
    moved = carry(np.full((160, 200, 3), 90, np.uint8), parsing, owner, pose, _apart(pose, 25))
    widths = [(moved.parsing[y, :100] > 0).sum() for y in range(60, 92)]
    assert max(widths) - min(widths) <= 3


def test_crossed_legs_are_told_from_legs_side_by_side():
    pose = _pose(80, 116)
    assert not legs_cross(pose)
    turned = pose.copy()
    turned[:, :2] = pose[:, 1::-1]  # somebody who lies
    assert not legs_cross(turned)
    pose[JOINT["left_ankle"], 0] = 70
    assert legs_cross(pose)
    pose[JOINT["left_ankle"]] = np.nan, np.nan, 0
    assert legs_cross(pose)


@pytest.fixture
def skirt():
    """A skirt, two legs, and between these a point of the skirt that is a shadow."""
    pose, parsing = _pose(84, 112), np.zeros((160, 200), np.uint8)
    parsing[78:150, 74:96] = parsing[78:150, 100:122] = REGION["leg"]
    parsing[15:78, 60:136] = REGION["dress"]
    parsing[78:96, 96:100] = REGION["dress"]
    return pose, parsing


def test_a_point_that_hangs_between_legs_goes_with_a_leg(skirt):
    pose, parsing = skirt
    owner = assign_parts(parsing, pose)
    assert (owner[80:94, 96:100] == PARTS.index("skirt")).all()
    smooth = smooth_hem(owner, pose)
    assert np.isin(smooth[80:94, 96:100], (*_LEFT, *_RIGHT)).all()
    assert np.array_equal(smooth[:76], owner[:76]) and ((smooth >= 0) == (parsing > 0)).all()


def test_a_hem_without_legs_beside_it_stays(skirt):
    pose, parsing = skirt
    parsing[78:150] = 0
    parsing[78:96, 96:100] = REGION["dress"]
    owner = assign_parts(parsing, pose)
    assert np.array_equal(smooth_hem(owner, pose), owner)


@pytest.mark.parametrize("joined", [False, True])
def test_a_piece_of_skirt_about_an_ankle_goes_with_the_leg(skirt, joined):
    """Unless it hangs together with the skirt."""
    pose, parsing = skirt
    parsing[78:96, 96:100] = 0
    parsing[120:150, 70:90] = REGION["dress"]
    if joined:
        parsing[70:125, 62:74] = REGION["dress"]
    owner = assign_parts(parsing, pose)
    smooth = smooth_hem(owner, pose)
    low = smooth[122:148, 76:88]
    assert (low == PARTS.index("skirt")).all() if joined else np.isin(low, _RIGHT).all()
