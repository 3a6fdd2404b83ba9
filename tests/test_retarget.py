"""Fitting one person's pose to another's body."""

import numpy as np
import pytest

from pise_core.errors import InputError
from pise_core.pose import default_skeleton, empty_pose, visible
from pise_core.skeleton import JOINT, LIMBS
from pise_core.warping.retarget import retarget

PERSON = default_skeleton((100, 50, 300, 650))


def turn(pose, joints, pivot, degrees):
    """The pose with the named joints turned about a joint or a point (x, y)."""
    pivot = pose[JOINT[pivot], :2] if isinstance(pivot, str) else pivot
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = pose.copy()
    for name in joints:
        turned[JOINT[name], :2] = (pose[JOINT[name], :2] - pivot) @ matrix.T + pivot
    return turned


def lengths(pose):
    return np.array([np.linalg.norm(pose[a, :2] - pose[b, :2]) for a, b in LIMBS])


def mid_hip(pose):
    return pose[[JOINT["right_hip"], JOINT["left_hip"]], :2].mean(0)


def test_a_persons_own_pose_stays_where_it_is():
    assert np.allclose(retarget(PERSON, PERSON), PERSON, atol=1e-3)
    fitted = retarget(PERSON, PERSON * (0.4, 0.4, 1) + np.array([900, -70, 0]))
    assert fitted.dtype == np.float32 and np.allclose(fitted, PERSON, atol=1e-2)


def test_a_raised_arm_comes_over_and_nothing_else_moves():
    arm = ("right_elbow", "right_wrist")
    raised = turn(PERSON, arm, "right_shoulder", 110)
    fitted = retarget(PERSON, raised * (2.5, 2.5, 1) + np.array([30, 40, 0]))
    assert np.allclose(fitted, raised, atol=1e-2)
    others = [i for name, i in JOINT.items() if name not in arm]
    assert np.allclose(fitted[others], PERSON[others], atol=1e-2)


def test_bones_keep_the_persons_lengths_and_take_the_others_directions():
    lanky = PERSON.copy()
    for name in ("right_knee", "left_knee", "right_ankle", "left_ankle"):
        lanky[JOINT[name], 1] += 30  # longer thighs
    bent = turn(turn(lanky, ("left_knee", "left_ankle"), "left_hip", -40), ("left_ankle",), "left_knee", 60)
    fitted = retarget(PERSON, bent)
    assert np.allclose(lengths(fitted), lengths(PERSON), rtol=1e-3)
    for a, b in LIMBS:
        one, other = fitted[b, :2] - fitted[a, :2], bent[b, :2] - bent[a, :2]
        # Neck to hip is no bone of its own: it follows from the torso and the hips.
        if (a, b) not in ((1, 8), (1, 11)):
            assert np.dot(one, other) == pytest.approx(np.linalg.norm(one) * np.linalg.norm(other), rel=1e-4)
    assert np.allclose(mid_hip(fitted), mid_hip(PERSON), atol=1e-2)


def test_a_foreshortened_bone_becomes_short():
    pointing = PERSON.copy()
    shoulder, elbow = JOINT["right_shoulder"], JOINT["right_elbow"]
    shift = 0.8 * (PERSON[shoulder, :2] - PERSON[elbow, :2])  # the upper arm at a fifth of its length
    for name in ("right_elbow", "right_wrist"):
        pointing[JOINT[name], :2] += shift
    fitted = retarget(PERSON, pointing)
    ratio = np.linalg.norm(fitted[elbow, :2] - fitted[shoulder, :2]) / lengths(PERSON)[1]
    assert ratio == pytest.approx(0.25, abs=0.01)


def test_a_leaning_torso_moves_neck_and_head_along():
    upper = [name for name in JOINT if not any(part in name for part in ("hip", "knee", "ankle"))]
    leaning = turn(PERSON, upper, mid_hip(PERSON), 25)
    assert np.allclose(retarget(PERSON, leaning), leaning, atol=0.05)


def test_what_the_target_lacks_stays_with_the_person():
    half = PERSON.copy()
    for name in ("right_knee", "left_knee", "right_ankle", "left_ankle"):
        half[JOINT[name]] = np.nan, np.nan, 0
    assert np.allclose(retarget(PERSON, half), PERSON, atol=1e-2)
    busts = half.copy()
    for name in ("right_hip", "left_hip"):
        busts[JOINT[name]] = np.nan, np.nan, 0
    raised = turn(busts, ("right_elbow", "right_wrist"), "right_shoulder", 90)
    fitted = retarget(PERSON, raised)
    assert visible(fitted).all()
    expected = turn(PERSON, ("right_elbow", "right_wrist"), "right_shoulder", 90)
    assert np.allclose(fitted, expected, atol=0.05)


def test_what_the_person_lacks_comes_from_the_target():
    hidden = PERSON.copy()
    hidden[JOINT["left_wrist"]] = np.nan, np.nan, 0
    assert np.allclose(retarget(hidden, PERSON * (3, 3, 1)), PERSON, atol=1e-2)
    neither = retarget(hidden, hidden)
    assert not visible(neither)[JOINT["left_wrist"]] and neither[JOINT["left_wrist"], 2] == 0
    assert visible(neither).sum() == 17


def test_a_missing_joint_in_the_middle_of_a_limb():
    no_elbow = PERSON.copy()
    no_elbow[JOINT["right_elbow"]] = np.nan, np.nan, 0
    fitted = retarget(no_elbow, no_elbow)
    assert np.allclose(fitted, no_elbow, atol=1e-2, equal_nan=True)


def test_poses_without_a_common_root_are_refused():
    head = empty_pose()
    head[JOINT["nose"]] = 50, 50, 1
    for source, target in ((PERSON, head), (head, PERSON), (empty_pose(), empty_pose())):
        with pytest.raises(InputError, match="neck"):
            retarget(source, target)


def test_poses_collapsed_to_a_point_stay_finite():
    point = PERSON.copy()
    point[:, :2] = 7
    assert np.isfinite(retarget(PERSON, point)).all()
    assert np.isfinite(retarget(point, PERSON)).all()
