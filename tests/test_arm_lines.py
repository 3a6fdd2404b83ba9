"""Arms and the body beside them: a smooth border, a soft edge in the arm's own colours, a shoulder without a seam."""

import numpy as np
import pytest

from pise_core.pose import empty_pose
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.arm_lines import smooth_lines
from pise_core.warping.behind import Behind
from pise_core.warping.limb_rims import rim_of_limb, veil_of
from pise_core.warping.parts import PARTS, among
from pise_core.warping.warp import Carried, carry
from tests.test_parts import turned

WALL, COAT, SLEEVE = (200, 210, 220), (40, 60, 90), (120, 40, 30)
UPPER, FORE, TORSO = (PARTS.index(part) for part in ("right_upper_arm", "right_forearm", "torso"))


@pytest.fixture
def dressed():
    """Photo, map, pose and owners: a sleeve of another colour beside a coat, both of one region, with a border full of
    teeth four pixels deep."""
    pose, parsing = empty_pose(), np.zeros((280, 420), np.uint8)
    for joint, x, y in (("shoulder", 200, 60), ("elbow", 200, 130), ("wrist", 200, 200), ("hip", 225, 200)):
        pose[JOINT[f"right_{joint}"]] = x, y, 1
    pose[JOINT["left_shoulder"]], pose[JOINT["left_hip"]] = (290, 60, 1), (275, 200, 1)
    pose[JOINT["neck"]] = 245, 45, 1
    parsing[45:220, 184:300] = REGION["upper_clothes"]
    photo = np.full((*parsing.shape, 3), WALL, np.uint8)
    photo[parsing > 0] = COAT
    photo[45:206, 184:216] = SLEEVE
    owner = np.where(parsing > 0, np.int8(TORSO), np.int8(-1))
    rows = np.arange(58, 206)
    teeth = 216 + np.where(rows // 5 % 2 == 0, 4, -4)
    for row, end in zip(rows, teeth, strict=True):
        owner[row, 184:end] = UPPER if row < 130 else FORE
    return photo, parsing, pose, owner


def _cover(moved: Carried) -> np.ndarray:
    """(H, W) float32, the moved parts' share, on the whole canvas."""
    assert moved.cover is not None
    out = np.zeros(moved.parsing.shape, np.float32)
    out[moved.about] = moved.cover
    return out


def _ends(owner: np.ndarray, rows: range) -> np.ndarray:
    """In which column the arm ends, for each row."""
    return np.array([np.flatnonzero(among(owner[row], (UPPER, FORE)))[-1] + 1 for row in rows])


def test_teeth_of_the_border_become_a_line(dressed):
    _, parsing, pose, owner = dressed
    before, after = _ends(owner, range(64, 196)), _ends(smooth_lines(owner, parsing, pose), range(64, 196))
    assert np.ptp(before) == 8 and np.abs(after - 216).max() <= 2
    assert np.abs(np.diff(after)).max() <= 1


def test_pixels_change_hands_and_none_are_lost(dressed):
    _, parsing, pose, owner = dressed
    made = smooth_lines(owner, parsing, pose)
    assert np.array_equal(made >= 0, owner >= 0)
    assert not np.array_equal(made, owner)
    assert np.array_equal(made[206:], owner[206:])


def test_at_the_background_the_outline_is_the_photos(dressed):
    _, parsing, pose, owner = dressed
    parsing[45:220, 212:300] = 0
    parsing[45:220, 230:300] = REGION["upper_clothes"]
    parsing[90:96, 206:212] = 0  # a notch
    owner = np.where(parsing > 0, owner, np.int8(-1))
    assert np.array_equal(smooth_lines(owner, parsing, pose), owner)


def test_the_hem_of_a_sleeve_stays_a_step(dressed):
    _, parsing, pose, owner = dressed
    owner[:] = np.where(parsing > 0, np.int8(TORSO), np.int8(-1))
    owner[58:100, 184:224], owner[100:130, 190:208], owner[130:206, 190:208] = UPPER, UPPER, FORE
    parsing[100:206, 190:208] = REGION["upper_skin"]
    ends = _ends(smooth_lines(owner, parsing, pose), range(64, 126))
    assert ends[:30].min() >= 222 and ends[-20:].max() <= 210


@pytest.mark.parametrize("missing", ["right_shoulder", "right_elbow", "right_wrist"])
def test_without_a_joint_nothing_is_said(dressed, missing):
    _, parsing, pose, owner = dressed
    pose[JOINT[missing]] = np.nan, np.nan, 0
    assert np.array_equal(smooth_lines(owner, parsing, pose), owner)


def test_the_edge_beside_the_body_is_soft_and_has_the_arms_colours(dressed):
    photo, parsing, pose, owner = dressed
    photo[:, 214:218] = (250, 250, 250)  # the lining shines out between both
    owner = smooth_lines(owner, parsing, pose)
    target = turned(pose, ["right_elbow", "right_wrist"], "right_shoulder", 80)
    share = (parsing > 0).astype(np.float32)
    moved = carry(photo, parsing, owner, pose, target, rim=3, share=share)
    elbow, wrist = target[JOINT["right_elbow"], :2], target[JOINT["right_wrist"], :2]
    bone = (wrist - elbow) / np.hypot(*(wrist - elbow))
    below = np.array([-bone[1], bone[0]]) * (1 if bone[0] > 0 else -1)
    middle = elbow + 0.5 * (wrist - elbow)
    points = middle + np.arange(0, 24)[:, None] * below
    x, y = points.astype(int).T
    cover, colours = _cover(moved)[y, x], moved.image[y, x].astype(int)
    assert ((cover > 0.05) & (cover < 0.95)).sum() >= 2  # no hard edge
    assert (np.abs(colours[cover > 0.3] - SLEEVE).max(1) <= 6).all()  # no lining


def test_a_rim_is_no_wider_than_is_said(dressed):
    _, parsing, pose, owner = dressed
    made = smooth_lines(owner, parsing, pose)
    mask = (made == FORE).astype(np.uint8)
    edge = rim_of_limb(FORE, mask, made, 3, pose)
    assert edge is not None and edge.share.min() >= 0 and edge.share.max() <= 1
    assert np.abs(edge.xs - 216)[edge.ys < 190].max() <= 9 and (mask[edge.from_ys, edge.from_xs] == 1).all()
    alone = np.where(among(made, (UPPER, FORE)), made, np.int8(-1))
    assert rim_of_limb(FORE, mask, alone, 3, pose) is None


def test_an_arm_fades_into_the_cloth_of_its_shoulder_and_not_into_the_air(dressed):
    photo, parsing, pose, owner = dressed
    owner = smooth_lines(owner, parsing, pose)
    target = turned(pose, ["right_elbow", "right_wrist"], "right_shoulder", 80)
    arm = among(owner, (UPPER, FORE))
    coat = np.full_like(photo, COAT), np.where(arm, parsing, np.uint8(0)), np.where(arm, np.int8(TORSO), np.int8(-1))
    whole = slice(0, len(photo)), slice(0, photo.shape[1])
    behind = Behind((UPPER, FORE), (TORSO,), whole, *coat, np.where(arm, np.uint8(242), np.uint8(0)))
    share = (parsing > 0).astype(np.float32)
    moved = carry(photo, parsing, owner, pose, target, rim=3, share=share, behind=[behind])
    shoulder, elbow = target[JOINT["right_shoulder"], :2], target[JOINT["right_elbow"], :2]
    near, far = (_cover(moved)[tuple((shoulder + t * (elbow - shoulder)).astype(int)[::-1])] for t in (0.02, 0.3))
    assert near < 0.9 and far > 0.99
    # Where no cloth lies below it is seen whole.
    bare = np.where(among(owner, (UPPER, FORE)), owner, np.int8(-1))
    alone = carry(photo, parsing, bare, pose, target, rim=3, share=(bare >= 0).astype(np.float32))
    assert _cover(alone)[tuple((shoulder + 0.02 * (elbow - shoulder)).astype(int)[::-1])] > 0.99


def test_a_forearm_fades_in_over_the_upper_arm_below_its_elbow(dressed):
    photo, parsing, pose, owner = dressed
    photo[:130, 184:216] = (20, 200, 20)
    photo[113:120, 184:216] = (220, 20, 220)  # what the forearm's round end is cut from
    owner = smooth_lines(owner, parsing, pose)
    target = turned(pose, ["right_wrist"], "right_elbow", 60)
    moved = carry(photo, parsing, owner, pose, target, rim=3, share=(parsing > 0).astype(np.float32))
    bone = (target[JOINT["right_wrist"], :2] - target[JOINT["right_elbow"], :2]) / 70
    # Beyond the end of the band where it fades nothing of it lies on the upper arm.
    x, y = (target[JOINT["right_elbow"], :2] - 13 * bone).astype(int)
    assert np.array_equal(moved.image[y, x], photo[y, x])


@pytest.mark.parametrize(("part", "region", "other", "goes_on"), [
    ("right_upper_arm", "upper_clothes", "dress", True),
    ("right_upper_arm", "upper_skin", "upper_skin", False),
    ("left_forearm", "upper_skin", "upper_skin", True),
    ("left_forearm", "upper_skin", "upper_clothes", False),
    ("left_shin", "pants", "pants", True),
])  # fmt: skip
def test_what_goes_on_into_what(dressed, part, region, other, goes_on):
    pose = np.where(np.isfinite(dressed[2]), dressed[2], np.float32(1)) + np.arange(18, dtype=np.float32)[:, None]
    veil = veil_of(PARTS.index(part), (20, 30), pose)
    assert veil is not None and veil.seen.shape == (20, 30)
    assert veil.joined[REGION[other], REGION[region]] == goes_on
    assert veil_of(TORSO, (20, 30), pose) is None


def test_a_person_who_moves_as_a_whole_keeps_closed_joints(dressed):
    photo, parsing, pose, owner = dressed
    target = pose.copy()
    target[:, 0] += 40
    moved = carry(photo, parsing, owner, pose, target, rim=3, share=(parsing > 0).astype(np.float32))
    assert (_cover(moved)[50:200, 240:330] > 0.99).all()
