"""Heat maps become joints: peaks between cells, missing ones, and limbs that hang together."""

import numpy as np
import pytest

from pise_core.detection.decoding import decode_joints
from pise_core.pose import default_skeleton, empty_pose, heatmaps, visible
from pise_core.skeleton import JOINT

SIZE = (256, 176)
POSE = default_skeleton((40, 20, 140, 240))


def _maps(pose: np.ndarray) -> np.ndarray:
    return heatmaps(pose, SIZE, 6.0, stride=4)


def _at(**joints: tuple[float, float]) -> np.ndarray:
    """Maps of these joints alone."""
    pose = empty_pose()
    for name, (x, y) in joints.items():
        pose[JOINT[name]] = x, y, 1
    return _maps(pose)


def test_joints_come_back_between_cells():
    found = decode_joints(_maps(POSE), 4)
    np.testing.assert_allclose(found[:, :2], POSE[:, :2], atol=0.5)
    assert (found[:, 2] > 0.9).all()


def test_what_is_not_seen_is_missing():
    pose = POSE.copy()
    pose[[JOINT["right_wrist"], JOINT["neck"], JOINT["left_knee"]]] = np.nan, np.nan, 0
    found = decode_joints(_maps(pose), 4)
    np.testing.assert_array_equal(visible(found), visible(pose))
    assert not visible(decode_joints(_maps(pose) * 0.1, 4)).any()


def test_a_higher_peak_of_another_s_wrist_is_too_far_from_the_elbow():
    maps = np.maximum(_maps(POSE) * 0.7, _at(left_wrist=(20, 250)) * 0.75)
    found = decode_joints(maps, 4)
    np.testing.assert_allclose(found[JOINT["left_wrist"], :2], POSE[JOINT["left_wrist"], :2], atol=0.5)
    assert found[JOINT["left_wrist"], 2] == pytest.approx(0.7, abs=0.05)
    # Where there is no other, it is what was found.
    alone = _maps(POSE)
    alone[JOINT["left_wrist"]] = _at(left_wrist=(20, 250))[JOINT["left_wrist"]]
    assert decode_joints(alone, 4)[JOINT["left_wrist"], 0] == pytest.approx(20, abs=0.5)


def test_an_elbow_follows_its_wrist_where_each_has_two_peaks():
    """The raised arm is the likelier one on the whole, though its elbow is the lower peak."""
    elbow, wrist = (150.0, 40.0), (155.0, 10.0)
    hanging, raised = _maps(POSE), _at(left_elbow=elbow, left_wrist=wrist)
    maps = hanging.copy()
    maps[JOINT["left_elbow"]] = np.maximum(0.6 * hanging[JOINT["left_elbow"]], 0.55 * raised[JOINT["left_elbow"]])
    maps[JOINT["left_wrist"]] = np.maximum(0.3 * hanging[JOINT["left_wrist"]], 0.9 * raised[JOINT["left_wrist"]])
    found = decode_joints(maps, 4)
    np.testing.assert_allclose(found[JOINT["left_elbow"], :2], elbow, atol=0.5)
    np.testing.assert_allclose(found[JOINT["left_wrist"], :2], wrist, atol=0.5)
    # The other arm is as it was.
    np.testing.assert_allclose(found[JOINT["right_wrist"], :2], POSE[JOINT["right_wrist"], :2], atol=0.5)


def test_peaks_are_sought_where_they_are_asked_for():
    where = np.ones((64, 44), np.float32)
    where[:, 30:] = 0
    maps = np.maximum(_maps(POSE), _at(nose=(160, 20)))
    maps[JOINT["nose"]] *= 0.5
    maps[JOINT["nose"], 5, 40] = 0.9
    assert decode_joints(maps, 4)[JOINT["nose"], 0] > 150
    assert decode_joints(maps, 4, where=where)[JOINT["nose"], 0] == pytest.approx(POSE[0, 0], abs=1)
