"""People who touch are told apart, and feet, too."""

import cv2
import numpy as np
import pytest

from pise_core.detection.decoding import decode_joints
from pise_core.detection.others import passers_by, without_others
from pise_core.pose import default_skeleton
from pise_core.regions import REGION, REGION_COUNT
from pise_core.skeleton import JOINT, JOINT_COUNT

SIZE = (256, 176)


def maps_of(*poses: np.ndarray, heights: tuple[float, ...] = (1.0, 0.9)) -> np.ndarray:
    """Heat maps (18, 64, 44) with a peak at each joint of each pose."""
    maps = np.zeros((JOINT_COUNT, 64, 44), np.float32)
    ys, xs = np.mgrid[:64, :44]
    for pose, height in zip(poses, heights, strict=False):
        for joint, (x, y, on) in enumerate(pose):
            if on > 0:
                peak = height * np.exp(-((xs + 0.5 - x / 4) ** 2 + (ys + 0.5 - y / 4) ** 2) / 4)
                maps[joint] = np.maximum(maps[joint], peak)
    return maps


def silhouettes(*poses: np.ndarray) -> np.ndarray:
    """Regions (8, 256, 176) of people in tops, each a thick skeleton."""
    person = np.zeros(SIZE, np.uint8)
    for pose in poses:
        for bone in [
            (1, 0),
            (1, 2),
            (1, 5),
            (2, 3),
            (3, 4),
            (5, 6),
            (6, 7),
            (1, 8),
            (1, 11),
            (8, 9),
            (9, 10),
            (11, 12),
            (12, 13),
        ]:
            a, b = (tuple(int(v) for v in pose[joint, :2]) for joint in bone)
            cv2.line(person, a, b, 1, 9)
    out = np.zeros((REGION_COUNT, *SIZE), np.float32)
    out[0], out[REGION["upper_clothes"]] = person == 0, person
    return out


@pytest.fixture
def two() -> tuple[np.ndarray, np.ndarray]:
    """Poses of two people, the hand of one in the other's."""
    first, second = default_skeleton((90, 20, 160, 240)), default_skeleton((15, 60, 75, 240))
    middle = (first[JOINT["right_wrist"], :2] + second[JOINT["left_wrist"], :2]) / 2
    first[JOINT["right_wrist"], :2], second[JOINT["left_wrist"], :2] = middle + (3, 0), middle - (3, 0)
    return first, second


def test_who_holds_ones_hand_is_no_piece_of_one(two):
    first, second = two
    whole, own, theirs = (silhouettes(*poses)[0] == 0 for poses in ((first, second), (first,), (second,)))
    assert cv2.connectedComponents(whole.astype(np.uint8))[0] == 2  # the background, and both in one
    found = without_others(silhouettes(first, second), maps_of(first, second), 4, first)
    assert np.allclose(found.sum(0), 1)
    mine = found.argmax(0) > 0
    assert mine[own & ~theirs].mean() > 0.97
    assert mine[theirs & ~own].mean() < 0.03


def test_it_works_from_either_side(two):
    first, second = two
    found = without_others(silhouettes(first, second), maps_of(second, first), 4, second)
    mine, theirs = found.argmax(0) > 0, silhouettes(first)[0] == 0
    assert mine[theirs].mean() < 0.05


def test_one_person_alone_stays_to_the_bit(two):
    first, second = two
    alone = silhouettes(first)
    assert without_others(alone, maps_of(first), 4, first) is alone
    # A neck that is seen beside one without a body of its own is nobody.
    ghost = np.full_like(second, np.nan)
    ghost[:, 2] = 0
    ghost[JOINT["neck"]] = *first[JOINT["right_wrist"], :2], 1
    assert without_others(alone, maps_of(first, ghost), 4, first) is alone


def test_two_ankles_in_one_foot_come_apart():
    pose = default_skeleton((50, 20, 130, 240))
    maps = maps_of(pose)
    right, left = JOINT["right_ankle"], JOINT["left_ankle"]
    maps[left] = np.maximum(0.85 * maps[left], maps[right])  # the other foot is a little surer
    found = decode_joints(maps, 4)
    assert np.abs(found[[right, left], :2] - pose[[right, left], :2]).max() < 3


def test_feet_that_stand_together_stay_together():
    pose = default_skeleton((50, 20, 130, 240))
    right, left = JOINT["right_ankle"], JOINT["left_ankle"]
    pose[left, :2] = pose[right, :2] + (2, 0)
    elsewhere = pose.copy()
    elsewhere[left, :2] += (40, 0)
    found = decode_joints(maps_of(pose, elsewhere, heights=(1.0, 0.5)), 4)
    assert np.abs(found[left, :2] - pose[left, :2]).max() < 3


def test_passers_by_are_seen_by_their_joints_and_not_by_their_colours(two):
    first, second = two
    there = passers_by(silhouettes(first, second), maps_of(first, second))
    both = silhouettes(first, second)[0] == 0
    assert there.dtype == bool and there[both].mean() > 0.75 and there[~both].mean() < 0.35
    alone = passers_by(silhouettes(first, second), maps_of(first))
    assert alone[silhouettes(first)[0] == 0].mean() > 0.6
    # A sign that looks like a body, and a wall with two knees on it, are nobody.
    assert not passers_by(silhouettes(first), np.zeros((JOINT_COUNT, 64, 44), np.float32)).any()
    knees = maps_of(first)
    knees[[joint for joint in range(JOINT_COUNT) if joint not in (JOINT["left_knee"], JOINT["right_knee"])]] = 0
    assert not passers_by(silhouettes(first), knees).any()
