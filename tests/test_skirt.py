"""How a skirt follows two legs."""

import numpy as np
import pytest

from pise_core.pose import default_skeleton
from pise_core.skeleton import JOINT
from pise_core.warping.part_transforms import bounds, still
from pise_core.warping.skirt import SkirtMove

_LEGS = [JOINT[f"{side}_{joint}"] for side in ("right", "left") for joint in ("hip", "knee", "ankle")]


@pytest.fixture
def standing():
    return default_skeleton((60, 20, 240, 380))


@pytest.fixture
def apart(standing):
    """The feet far apart."""
    pose = standing.copy()
    for joint, shift in (("right_knee", -30), ("right_ankle", -60), ("left_knee", 30), ("left_ankle", 60)):
        pose[JOINT[joint], 0] += shift
    return pose


def test_the_same_pose_moves_nothing(standing):
    assert still(SkirtMove.between(standing, standing.copy()), (0, 0, 300, 400))


def test_what_went_there_comes_back(standing, apart):
    move = SkirtMove.between(standing, apart)
    points = np.random.default_rng(1).uniform((40, 100), (260, 420), (200, 2))
    assert np.abs(move.points(points) - points).max() > 20
    assert move.back(move.points(points)) == pytest.approx(points, abs=1e-6)


def test_images_are_taken_from_where_points_come_from(standing, apart):
    """Two images of unlike kinds, in a rectangle of several strips."""
    move = SkirtMove.between(standing, apart)
    rows, columns = np.mgrid[:430, :300].astype(np.float32) + 0.5
    moved = move.into(70, 150, (160, 270))
    ys, xs = np.mgrid[150:420, 70:230] + 0.5
    expected = move.back(np.stack([xs.ravel(), ys.ravel()], 1)).reshape(270, 160, 2)
    both = moved(np.dstack([columns, rows]))
    inside = (expected > 1).all(2) & (expected < (299, 429)).all(2)
    assert inside.mean() > 0.8
    assert both[inside] == pytest.approx(expected[inside], abs=0.05)
    labels = moved(rows.astype(np.uint16), labels=True)
    assert np.abs(labels[inside] + 0.5 - expected[inside, 1]).max() < 0.55


def test_a_hem_goes_apart_with_the_feet_and_the_waist_stays(standing, apart):
    move = SkirtMove.between(standing, apart)
    middle = standing[[JOINT["right_hip"], JOINT["left_hip"]], :2].mean(0)
    waist = middle + np.array([[-30, 0], [30, 0]])
    assert move.points(waist) == pytest.approx(waist, abs=0.01)
    ankles = standing[[JOINT["right_ankle"], JOINT["left_ankle"]], :2].astype(float)
    hem = move.points(ankles)
    assert hem[0, 0] < ankles[0, 0] - 25 and hem[1, 0] > ankles[1, 0] + 25
    assert hem[:, 1] == pytest.approx(apart[[JOINT["right_ankle"], JOINT["left_ankle"]], 1], abs=1)
    # In between it becomes wider step by step.
    levels = np.linspace(middle[1], ankles[0, 1], 20)
    sides = [np.diff(move.points(np.array([[middle[0] - 20, y], [middle[0] + 20, y]]))[:, 0])[0] for y in levels]
    assert (np.diff(sides) > -1e-6).all() and sides[-1] > 1.5 * sides[0]


def test_what_flares_goes_with_the_leg_and_no_further(standing, apart):
    move = SkirtMove.between(standing, apart)
    ankle, shift = standing[JOINT["left_ankle"], :2].astype(float), 60
    flare = ankle + np.array([[20, 0], [50, 0]])
    moved = move.points(flare)
    assert moved[:, 0] == pytest.approx(flare[:, 0] + shift, abs=6)
    assert moved[1, 0] - moved[0, 0] == pytest.approx(30, abs=0.1)


def test_the_waist_stays_with_the_torso_when_the_legs_swing_to_the_side(standing):
    target = standing.copy()
    for joint in ("right_knee", "left_knee"):
        target[JOINT[joint], 0] += 40
    for joint in ("right_ankle", "left_ankle"):
        target[JOINT[joint], 0] += 80
    move = SkirtMove.between(standing, target)
    middle = standing[[JOINT["right_hip"], JOINT["left_hip"]], :2].mean(0)
    waist = middle + np.array([[-30, 0], [30, 0]])
    assert move.points(waist) == pytest.approx(waist, abs=0.5)
    knees = standing[[JOINT["right_knee"], JOINT["left_knee"]], :2].astype(float)
    assert move.points(knees)[:, 0] == pytest.approx(knees[:, 0] + 40, abs=2)


def test_one_foot_moves_a_short_skirt_not_at_all(standing):
    target = standing.copy()
    target[JOINT["left_ankle"], :2] += (40, -10)
    move = SkirtMove.between(standing, target)
    hips, knees = standing[JOINT["left_hip"], 1], standing[JOINT["left_knee"], 1]
    assert still(move, (60, int(hips) - 10, 240, int(knees) - 2))
    assert not still(move, (60, int(hips) - 10, 240, int(knees) + 40))


def test_a_smaller_person_has_a_smaller_skirt_and_a_turned_one_no_paper_thin_one(standing):
    points = np.array([[120.0, 260.0], [180.0, 260.0]])
    small = standing.copy()
    small[:, :2] /= 2
    assert SkirtMove.between(standing, small).points(points) == pytest.approx(points / 2, abs=1e-3)
    turned = standing.copy()
    turned[_LEGS, 0] = standing[_LEGS, 0].mean()
    assert np.diff(SkirtMove.between(standing, turned).points(points)[:, 0])[0] >= 0.65 * 60 - 1e-6


@pytest.mark.parametrize("below", [0, 3, 10, 20])
def test_somebody_seated_stands_up(standing, below):
    """The knees in front of the hips in the photo: the skirt does not explode."""
    seated = standing.copy()
    for side in ("right", "left"):
        seated[JOINT[f"{side}_knee"], 1] = seated[JOINT[f"{side}_hip"], 1] + below
        seated[JOINT[f"{side}_ankle"], 1] = seated[JOINT[f"{side}_knee"], 1] + 70
    hips = seated[JOINT["right_hip"], 1]
    lap = np.array([[125.0, hips + 15], [175.0, hips + 15]])
    moved = SkirtMove.between(seated, standing).points(lap)
    assert 30 < np.diff(moved[:, 0])[0] < 90
    nudged = seated.copy()
    nudged[JOINT["left_knee"], :2] += 0.5
    assert np.abs(SkirtMove.between(nudged, standing).points(lap) - moved).max() < 5


@pytest.mark.parametrize("neck", [True, False])
def test_knees_above_the_hips_make_nothing_jump(standing, neck):
    """A knee is dragged past the hip: a little way of the knee is a little way of the skirt."""
    source = standing.copy()
    if not neck:
        source[JOINT["neck"]] = np.nan, np.nan, 0
    points = np.array([[120.0, 240.0], [180.0, 240.0], [150.0, 280.0]])
    before = None
    for up in range(60, 140, 2):
        target = source.copy()
        for side in ("right", "left"):
            target[JOINT[f"{side}_knee"], 1] -= up
        moved = SkirtMove.between(source, target).points(points)
        assert before is None or np.abs(moved - before).max() < 6
        before = moved


def test_bounds_hold_all_of_a_skirt_that_bulges_at_the_knees(standing):
    target = standing.copy()
    target[JOINT["right_knee"], 0] -= 45
    target[JOINT["left_knee"], 0] += 45
    move = SkirtMove.between(standing, target)
    box = (100, 190, 200, 345)
    ys, xs = np.mgrid[box[1] : box[3], box[0] : box[2]]
    moved = move.points(np.stack([xs.ravel(), ys.ravel()], 1) + 0.5)
    low, high = bounds(move, box)
    assert (moved > low - 1).all() and (moved < high + 1).all()


def test_knees_in_front_of_the_hips_keep_some_skirt(standing):
    """Whoever sits facing the camera."""
    target = standing.copy()
    for side in ("right", "left"):
        target[JOINT[f"{side}_knee"], :2] = target[JOINT[f"{side}_hip"], :2]
    move = SkirtMove.between(standing, target)
    points = np.array([[150.0, 240.0], [150.0, 290.0]])
    moved = move.points(points)
    assert np.isfinite(moved).all() and moved[1, 1] > moved[0, 1] + 5
    assert move.back(moved) == pytest.approx(points, abs=1e-6)
