"""The 18 joints: missing ones, heat maps, mirror images and JSON."""

import numpy as np
import pytest

from pise_core import pose as poses
from pise_core.errors import InputError
from pise_core.skeleton import JOINT, JOINT_COUNT, JOINTS, LIMBS, MIRROR

STANDING = poses.default_skeleton((20, 10, 120, 250))


def without(pose, *names):
    pose = pose.copy()
    for name in names:
        pose[JOINT[name]] = np.nan, np.nan, 0
    return pose


def test_the_tables_agree_with_each_other():
    assert JOINT_COUNT == 18 and len(set(JOINTS)) == 18
    assert len(LIMBS) == 17 and {joint for limb in LIMBS for joint in limb} == set(range(18))
    for joint, twin in enumerate(MIRROR):
        assert MIRROR[twin] == joint
        left, right = JOINTS[joint], JOINTS[twin]
        assert left == right or left.replace("left", "right") == right.replace("left", "right")


def test_an_empty_pose_has_no_joint_and_no_box():
    empty = poses.empty_pose()
    assert empty.shape == (18, 3) and empty.dtype == np.float32
    assert not poses.visible(empty).any() and (empty[:, 2] == 0).all()
    with pytest.raises(InputError, match="no visible joint"):
        poses.bounding_box(empty)


def test_the_box_is_that_of_the_visible_joints():
    pose = without(STANDING, "right_wrist", "left_wrist", "right_ankle")
    x0, y0, x1, y1 = poses.bounding_box(pose)
    there = pose[poses.visible(pose)]
    assert (x0, y0) == tuple(there[:, :2].min(0)) and (x1, y1) == tuple(there[:, :2].max(0))


def test_the_default_skeleton_fills_its_box_and_stands_upright():
    assert poses.visible(STANDING).all() and STANDING.dtype == np.float32
    x0, y0, x1, y1 = poses.bounding_box(STANDING)
    assert 20 <= x0 < x1 <= 120 and 10 <= y0 < y1 <= 250 and y1 - y0 > 0.8 * 240
    assert (x0 + x1) / 2 == pytest.approx(70)
    # A person who faces us has the right arm on the picture's left.
    assert STANDING[JOINT["right_wrist"], 0] < STANDING[JOINT["left_wrist"], 0]
    assert STANDING[JOINT["nose"], 1] < STANDING[JOINT["neck"], 1] < STANDING[JOINT["right_hip"], 1]


def test_mirrored_twice_is_as_before_and_missing_joints_change_sides():
    pose = without(STANDING, "left_knee")
    flipped = poses.mirror(pose, 140)
    assert np.allclose(poses.mirror(flipped, 140), pose, equal_nan=True)
    assert not poses.visible(flipped)[JOINT["right_knee"]] and poses.visible(flipped)[JOINT["left_knee"]]
    assert flipped[JOINT["right_wrist"], 0] == 140 - pose[JOINT["left_wrist"], 0]


@pytest.mark.parametrize("stride", [1, 4])
def test_a_heat_map_peaks_where_its_joint_is(stride):
    pose = without(STANDING, "left_elbow")
    maps = poses.heatmaps(pose, (256, 176), sigma=6, stride=stride)
    assert maps.shape == (18, 256 // stride, 176 // stride) and maps.dtype == np.float32
    assert np.isfinite(maps).all() and maps.min() >= 0 and maps.max() <= 1
    assert (maps[JOINT["left_elbow"]] == 0).all()
    for joint in np.flatnonzero(poses.visible(pose)):
        y, x = np.unravel_index(maps[joint].argmax(), maps.shape[1:])
        assert abs((x + 0.5) * stride - pose[joint, 0]) <= stride / 2
        assert abs((y + 0.5) * stride - pose[joint, 1]) <= stride / 2
        weights = maps[joint] / maps[joint].sum()
        centre = ((np.arange(maps.shape[2]) + 0.5) * stride * weights.sum(0)).sum()
        assert centre == pytest.approx(pose[joint, 0], abs=0.05)


def test_the_heat_map_has_the_wanted_width():
    pose = poses.empty_pose()
    pose[0] = 50.5, 40.5, 1
    assert poses.heatmaps(pose, (80, 100), sigma=6)[0, 40, 50] == 1
    assert poses.heatmaps(pose, (80, 100), sigma=6)[0, 40, 56] == pytest.approx(np.exp(-0.5))


def test_a_joint_outside_the_image_leaves_only_its_tail():
    pose = poses.empty_pose()
    pose[0] = -500, 40, 1
    assert poses.heatmaps(pose, (80, 100))[0].max() < 1e-6


def test_heat_maps_end_before_numbers_that_processors_are_slow_with():
    pose = poses.empty_pose()
    pose[0] = 3, 3, 1
    maps = poses.heatmaps(pose, (256, 176))
    assert maps[maps > 0].min() > 1e-30 and (maps[0] == 0).any()
    y, x = np.mgrid[0.5:256, 0.5:176].astype(np.float64)
    assert np.abs(maps[0] - np.exp(-((x - 3) ** 2 + (y - 3) ** 2) / 72)).max() < 1e-6
    assert not maps[1:].any()


def test_rows_may_leave_out_the_score_and_low_scores_are_missing_joints():
    rows = [[1, 2]] * 16 + [[3, 4, 0], [5, 6, -1]]
    pose = poses.from_rows(rows)
    assert (pose[:16, 2] == 1).all() and not poses.visible(pose)[16:].any()
