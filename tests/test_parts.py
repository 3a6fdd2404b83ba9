"""The part-wise carry: what stays keeps its bits, what moves lands where its joints land."""

import numpy as np
import pytest

from pise_core.pose import empty_pose
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.part_transforms import part_moves, still
from pise_core.warping.parts import PARTS, assign_parts, part_boxes, with_overlap
from pise_core.warping.warp import carry


def turned(pose: np.ndarray, joints: list[str], centre: str, degrees: float) -> np.ndarray:
    out, (c, s) = pose.copy(), (np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees)))
    middle = pose[JOINT[centre], :2]
    rows = [JOINT[j] for j in joints]
    out[rows, :2] = (pose[rows, :2] - middle) @ np.array([[c, s], [-s, c]]) + middle
    return out


@pytest.fixture(scope="module")
def lifted(person):
    """The right forearm turned up and outwards."""
    return turned(person.pose, ["right_wrist"], "right_elbow", 100)


def test_every_person_pixel_has_a_part_and_no_other_does(person):
    owner = assign_parts(person.parsing, person.pose)
    assert ((owner >= 0) == (person.parsing > 0)).all()


def test_pixels_follow_the_bone_they_lie_on(person):
    owner = assign_parts(person.parsing, person.pose)
    for part, a, b in (("right_forearm", "right_elbow", "right_wrist"), ("left_thigh", "left_hip", "left_knee")):
        x, y = (0.3 * person.pose[JOINT[a], :2] + 0.7 * person.pose[JOINT[b], :2]).astype(int)
        assert PARTS[owner[y, x]] == part


def test_the_boxes_of_all_parts_hold_their_pixels_and_no_more(person):
    owner = np.tile(assign_parts(person.parsing, person.pose), (2, 1))  # more rows than are looked at together
    boxes = part_boxes(owner)
    assert {index for index, box in enumerate(boxes) if box is not None} == set(np.unique(owner)) - {-1}
    for index, box in enumerate(boxes):
        ys, xs = np.nonzero(owner == index)
        if box is not None:
            assert box == (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1)


@pytest.fixture
def side_by_side():
    """Pose and map of two legs whose shoes stand close, the gap of two pixels between them nearer to the left leg."""
    pose, parsing = empty_pose(), np.zeros((120, 100), np.uint8)
    for joint, y in (("hip", 10), ("knee", 50), ("ankle", 90)):
        pose[JOINT[f"right_{joint}"]] = 35, y, 1
        pose[JOINT[f"left_{joint}"]] = 65, y, 1
    parsing[10:90, 28:42] = parsing[10:90, 58:72] = REGION["pants"]
    parsing[90:104, 28:56] = parsing[90:104, 58:72] = REGION["leg"]
    return pose, parsing


def test_a_shoe_that_reaches_towards_the_other_leg_stays_whole(side_by_side):
    pose, parsing = side_by_side
    owner = assign_parts(parsing, pose)
    assert (owner[90:104, 28:56] == PARTS.index("right_shin")).all()
    assert (owner[90:104, 58:72] == PARTS.index("left_shin")).all()


def test_the_lower_half_of_a_leg_behind_the_other_stays_its_own(side_by_side):
    """Crossed at the knees: the far shin hangs together with nothing but the near leg, and has a bone of its own."""
    pose, parsing = side_by_side
    pose[JOINT["left_knee"], 0] = pose[JOINT["right_knee"], 0] = 50
    pose[JOINT["left_ankle"], 0], pose[JOINT["right_ankle"], 0] = 35, 65
    parsing[:] = 0
    ys, xs = np.indices(parsing.shape)
    for ends in ((35, 50, 65), (65, 50, 35)):
        middle = np.interp(ys, (10, 50, 90), ends)
        parsing[(np.abs(xs - middle) < 6) & (ys >= 10) & (ys < 90)] = REGION["pants"]
    owner = assign_parts(parsing, pose)
    assert PARTS[owner[85, 37]] == "left_shin" and PARTS[owner[85, 63]] == "right_shin"


def test_an_unchanged_pose_changes_no_bit(person):
    owner = assign_parts(person.parsing, person.pose)
    out = carry(person.photo, person.parsing, owner, person.pose, person.pose, rim=2)
    inside = person.parsing > 0
    assert (out.image[inside] == person.photo[inside]).all()
    assert (out.parsing == person.parsing).all()
    assert not out.lifted.any()
    assert not out.landed.any()


def test_a_moved_forearm_lands_at_its_new_bone_and_leaves_the_rest_alone(person, lifted):
    owner = assign_parts(person.parsing, person.pose)
    out = carry(person.photo, person.parsing, owner, person.pose, lifted)
    x, y = (0.4 * lifted[JOINT["right_elbow"], :2] + 0.6 * lifted[JOINT["right_wrist"], :2]).astype(int)
    assert out.parsing[y, x] == REGION["upper_skin"]
    assert np.abs(out.image[y, x].astype(int) - (224, 180, 150)).max() < 12
    rest = (owner >= 0) & (owner != PARTS.index("right_forearm")) & ~out.landed & ~out.lifted
    assert (out.image[rest] == person.photo[rest]).all()
    assert (out.trust[rest] == 1).all()
    gone = out.lifted & ~out.landed
    assert gone.any()
    assert (out.trust[gone] == 0).all()


def _matrix(move):
    """What a move does, as (2, 3): found out by moving three points."""
    origin, x, y = move.points(np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]))
    return np.stack([x - origin, y - origin, origin], 1)


def test_transforms_take_joints_to_joints(person, lifted):
    for part, move in part_moves(person.pose, lifted).items():
        if part == "right_forearm":
            for joint in ("right_elbow", "right_wrist"):
                there = move.points(person.pose[[JOINT[joint]], :2])[0]
                assert there == pytest.approx(lifted[JOINT[joint], :2], abs=0.01)
        elif part == "right_held":
            # What hangs from the hand goes where the hand goes, and hangs there.
            elbow, wrist = (person.pose[JOINT[joint], :2] for joint in ("right_elbow", "right_wrist"))
            hand = wrist + 0.25 * (wrist - elbow)
            before, after = hand + [[0, 0], [0, 30]], lifted[JOINT["right_wrist"], :2]
            there = move.points(before)
            assert np.hypot(*(there[0] - after)) < 0.3 * np.hypot(*(wrist - elbow))
            assert there[1] - there[0] == pytest.approx([0, 30], abs=0.01)
        elif part != "torso":
            assert still(move, (0, 0, 220, 330))


def test_a_nose_that_wanders_does_not_tilt_the_head(person):
    """Who looks to the side moves the nose; ears and neck stay, and so does the head."""
    target = person.pose.copy()
    target[[JOINT["nose"], JOINT["right_eye"], JOINT["left_eye"]], 0] += 9
    assert _matrix(part_moves(person.pose, target)["head"]) == pytest.approx(np.eye(2, 3), abs=1e-4)
    # A head that is moved as a whole goes along, its size unchanged.
    target = person.pose.copy()
    face = [JOINT[j] for j in ("nose", "right_eye", "left_eye", "right_ear", "left_ear")]
    target[face, :2] += (6, 2)
    head = _matrix(part_moves(person.pose, target)["head"])
    ears = (person.pose[JOINT["right_ear"], :2] + person.pose[JOINT["left_ear"], :2]) / 2
    assert head @ [*ears, 1] == pytest.approx(ears + (6, 2), abs=1e-3)
    assert 0.85 <= np.hypot(*head[:, 0]) <= 1.15
    assert abs(np.linalg.det(head[:, :2]) - np.hypot(*head[:, 0]) ** 2) < 1e-6  # no shear


def test_a_torso_seen_from_the_side_keeps_a_body_s_depth(person):
    target = person.pose.copy()
    for joint in (2, 5, 8, 11):
        target[joint, 0] = person.pose[1, 0]
    width = np.linalg.svd(_matrix(part_moves(person.pose, target)["torso"])[:, :2])[1]
    assert width[1] == pytest.approx(0.65, abs=0.01)
    # One that is wanted at a third of the size gets that size.
    small = person.pose.copy()
    small[:, :2] *= 1 / 3
    assert np.linalg.svd(_matrix(part_moves(person.pose, small)["torso"])[:, :2])[1].max() < 0.5


def test_the_rim_of_a_moved_part_keeps_its_label_and_loses_its_colour(person, lifted):
    owner = assign_parts(person.parsing, person.pose)
    whole = carry(person.photo, person.parsing, owner, person.pose, lifted)
    careful = carry(person.photo, person.parsing, owner, person.pose, lifted, rim=2)
    assert (careful.parsing == whole.parsing).mean() > 0.995
    rim = (careful.trust < 0.5) & (whole.trust > 0.5) & whole.landed
    assert rim.sum() > 20
    assert (careful.parsing[rim] > 0).mean() > 0.9


def test_arms_can_lie_behind_the_body(person):
    """The forearm laid across the belly: drawn last it covers the shirt, drawn first the shirt covers it."""
    target = person.pose.copy()
    target[JOINT["right_wrist"], :2] = np.nanmean(person.pose[[2, 5, 8, 11], :2], 0)
    owner = assign_parts(person.parsing, person.pose)
    behind = sorted(range(len(PARTS)), key=lambda index: "arm" not in PARTS[index])
    args = (person.photo, person.parsing, owner, person.pose, target)
    x, y = (0.5 * target[JOINT["right_elbow"], :2] + 0.5 * target[JOINT["right_wrist"], :2]).astype(int)
    x = int(0.3 * x + 0.7 * target[JOINT["right_wrist"], 0])
    y = int(0.3 * y + 0.7 * target[JOINT["right_wrist"], 1])
    assert carry(*args).parsing[y, x] == REGION["upper_skin"]
    assert carry(*args, order=behind).parsing[y, x] == REGION["upper_clothes"]


def test_a_forearm_without_a_wrist_follows_the_upper_arm(person):
    source = person.pose.copy()
    source[JOINT["left_wrist"]] = np.nan, np.nan, 0
    target = turned(source, ["left_elbow"], "left_shoulder", -60)
    moves = part_moves(source, target)
    assert moves["left_forearm"] is moves["left_upper_arm"]
    assert not np.allclose(_matrix(moves["left_upper_arm"]), np.eye(2, 3))


def test_without_joints_nothing_is_carried(person):
    owner = assign_parts(person.parsing, empty_pose())
    out = carry(person.photo, person.parsing, owner, empty_pose(), empty_pose())
    assert (owner == -1).all()
    assert (out.trust == 0).all()


def test_another_canvas_takes_the_garment_along(person, other_person):
    """A shirt carried onto another person's pose covers their torso."""
    shirt = np.where(person.parsing == REGION["upper_clothes"], person.parsing, 0)
    owner = np.where(shirt > 0, assign_parts(person.parsing, person.pose), -1)
    size = other_person.parsing.shape
    out = carry(person.photo, shirt, owner, person.pose, other_person.pose, canvas=size)
    assert out.parsing.shape == size
    middle = np.nanmean(other_person.pose[[2, 5, 8, 11], :2], 0).astype(int)
    assert np.abs(out.image[middle[1], middle[0]].astype(int) - (190, 60, 50)).max() < 12
    covered = (out.parsing == REGION["upper_clothes"]) & (other_person.parsing == REGION["upper_clothes"])
    assert covered.sum() > 0.8 * (other_person.parsing == REGION["upper_clothes"]).sum()


def test_a_pose_far_outside_carries_nothing_in(person):
    far = person.pose.copy()
    far[:, 0] += 5000
    owner = assign_parts(person.parsing, person.pose)
    assert (carry(person.photo, person.parsing, owner, person.pose, far).trust == 0).all()


@pytest.fixture
def bare_arm():
    """Pose and map of a bare arm of 20 pixels that hangs straight beside a torso."""
    pose, parsing = empty_pose(), np.zeros((240, 160), np.uint8)
    for side, shoulder, hip in (("right", 40, 55), ("left", 110, 100)):
        pose[JOINT[f"{side}_shoulder"]] = shoulder, 30, 1
        pose[JOINT[f"{side}_hip"]] = hip, 180, 1
    pose[JOINT["neck"]] = 75, 20, 1
    pose[JOINT["right_elbow"]], pose[JOINT["right_wrist"]] = (40, 100, 1), (40, 170, 1)
    parsing[24:190, 52:112] = REGION["upper_clothes"]
    parsing[24:185, 30:50] = REGION["upper_skin"]
    return pose, parsing


def test_a_bare_arm_is_divided_at_its_elbow(bare_arm):
    pose, parsing = bare_arm
    owner = assign_parts(parsing, pose)[82:180, 32:48]
    elbow = 100 - 82
    assert (owner[: elbow - 1] == PARTS.index("right_upper_arm")).all()
    assert (owner[elbow + 1 :] == PARTS.index("right_forearm")).all()


def test_a_bare_arm_stays_whole_where_it_is_bent(bare_arm):
    pose, parsing = bare_arm
    bent = turned(pose, ["right_wrist"], "right_elbow", 100)
    out = carry(np.zeros((*parsing.shape, 3), np.uint8), parsing, assign_parts(parsing, pose), pose, bent)
    ys, xs = np.indices(parsing.shape)
    inside = np.hypot(xs + 0.5 - 40, ys + 0.5 - 100) < 9  # the round outside of the elbow
    assert (out.parsing[inside] == REGION["upper_skin"]).all()


def test_a_forearm_that_bends_takes_nothing_of_the_coat_beside_its_elbow(bare_arm):
    pose, parsing = bare_arm
    parsing[20:, 50:52] = 0  # the arm of the coat hangs free
    parsing[parsing == REGION["upper_skin"]] = REGION["upper_clothes"]
    owner, index = assign_parts(parsing, pose), PARTS.index("right_forearm")
    taken = with_overlap((owner == index).astype(np.uint8), index, "right_forearm", parsing, owner, pose) > 0
    assert (taken & (owner == PARTS.index("right_upper_arm"))).sum() > 40
    assert not taken[:, 52:].any()


def _standing() -> np.ndarray:
    pose = empty_pose()
    for joint, x, y in (("shoulder", 15, 50), ("hip", 10, 120), ("knee", 11, 180), ("ankle", 12, 240)):
        for side, sign in (("right", -1), ("left", 1)):
            pose[JOINT[f"{side}_{joint}"]] = 100 + sign * x, y, 1
    pose[JOINT["neck"]] = 100, 45, 1
    return pose


def _level(move, at) -> float:
    """By how many degrees a move turns what is level at a place."""
    dx, dy = np.subtract(*move.points(np.array([[at[0] + 1.0, at[1]], at])))
    return float(np.degrees(np.arctan2(dy, dx)))


@pytest.mark.parametrize("degrees", [-18, 7, 18, 24])
def test_a_leg_that_is_put_aside_keeps_its_sole_on_the_ground(degrees):
    pose = _standing()
    target = turned(pose, ["right_knee", "right_ankle"], "right_hip", degrees)
    moves = part_moves(pose, target)
    for part, joints in (("right_thigh", ("hip", "knee")), ("right_shin", ("knee", "ankle"))):
        ends = [JOINT[f"right_{joint}"] for joint in joints]
        assert np.allclose(moves[part].points(pose[ends, :2]), target[ends, :2], atol=1e-3)
        assert abs(_level(moves[part], pose[ends[1], :2])) < 1e-3


def test_a_leg_that_is_lifted_higher_turns_by_the_rest():
    pose = _standing()
    target = turned(pose, ["right_knee", "right_ankle"], "right_hip", 70)
    assert abs(_level(part_moves(pose, target)["right_shin"], pose[JOINT["right_ankle"], :2]) - 45) < 1.5


def test_whoever_is_turned_as_a_whole_turns_rigidly():
    pose = _standing()
    joints = [name for name, joint in JOINT.items() if np.isfinite(pose[joint, 0]) and name != "neck"]
    target = turned(pose, joints, "neck", 20)
    moves = part_moves(pose, target)
    for part in ("right_thigh", "left_shin"):
        assert abs(_level(moves[part], (100, 200)) - 20) < 1e-3


def test_a_foot_stays_where_the_torso_alone_leans():
    pose = _standing()
    target = turned(pose, ["right_shoulder", "left_shoulder", "neck"], "right_hip", 25)
    for part in ("right_shin", "left_thigh"):
        assert still(part_moves(pose, target)[part], (60, 100, 140, 260))


def test_a_shin_that_lies_has_no_foot_on_the_ground():
    pose = _standing()
    pose[JOINT["right_ankle"], :2] = pose[JOINT["right_knee"], :2] - [60, 0]
    target = turned(pose, ["right_ankle"], "right_knee", 20)
    assert abs(_level(part_moves(pose, target)["right_shin"], pose[JOINT["right_ankle"], :2]) - 20) < 1e-3
