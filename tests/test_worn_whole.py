"""A garment's closed outline: bites of bags, fringes, and sleeves as wide as they are."""

import numpy as np
import pytest

from pise_core.rendering.wearing.whole import (
    as_on_the_other_side,
    bitten,
    mirrored,
    no_wider_than_the_other,
    sleeves_whole,
    smoothed,
)
from pise_core.skeleton import JOINT
from pise_core.warping.parts import PARTS
from tests.conftest import draw_person

ARMS = [PARTS.index(f"{side}_{part}") for side in ("left", "right") for part in ("upper_arm", "forearm")]


@pytest.fixture(scope="module")
def stands():
    """Joints (18, 3) of somebody who faces the camera, arms at the sides, and a skirt-like garment (H, W bool)."""
    pose = draw_person(200, 300).pose.copy()
    middle = pose[JOINT["neck"], 0]
    for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
        right, left = JOINT[f"right_{name}"], JOINT[f"left_{name}"]
        pose[left, :2] = 2 * middle - pose[right, 0], pose[right, 1]
    garment = np.zeros((300, 200), bool)
    top, bottom = int(pose[JOINT["right_shoulder"], 1]), int(pose[JOINT["right_knee"], 1])
    wide = abs(float(pose[JOINT["right_shoulder"], 0] - middle)) + 4
    garment[top:bottom, round(middle - wide) : round(middle + wide)] = True
    return pose, garment


def test_a_mirrored_garment_of_who_faces_the_camera_is_itself(stands):
    pose, garment = stands
    other = mirrored(garment, pose)
    assert other is not None and np.count_nonzero(other ^ garment) < 0.06 * np.count_nonzero(garment)
    pose = pose.copy()
    pose[JOINT["left_hip"]] = np.nan, np.nan, 0
    assert mirrored(garment, pose) is None


def test_a_bite_on_one_side_is_put_back_and_a_waist_on_both_is_not(stands):
    pose, garment = stands
    ys, xs = np.nonzero(garment)
    left, right, level = xs.min(), xs.max(), (ys.min() + ys.max()) // 2
    bag = np.zeros_like(garment)
    bag[level - 20 : level + 20, left : left + 14] = True
    found = bitten(garment & ~bag, ~garment | bag, pose)
    assert (found & bag).sum() > 0.85 * bag.sum() and not (found & ~garment).any()
    assert not bitten(garment & ~bag, ~bag, pose).any()  # what is surely something else stays as it is
    waist = bag.copy()
    waist[level - 20 : level + 20, right - 13 : right + 1] = True
    assert not bitten(garment & ~waist, np.ones_like(garment), pose).any()


def test_somebody_from_the_side_has_no_other_half(stands):
    pose, garment = stands
    half = garment.copy()
    half[:, : int(pose[JOINT["neck"], 0])] = False
    assert not bitten(half, np.ones_like(garment), pose).any()


def test_fringes_go_and_a_smooth_outline_stays():
    mask = np.zeros((120, 120), bool)
    mask[20:100, 30:90] = True
    fringed = mask.copy()
    fringed[100:108, 34:88:6] = True
    fringed[60, 90:104] = True
    found = smoothed(fringed, 1.0)
    assert np.count_nonzero(found & ~mask) < 0.3 * np.count_nonzero(fringed & ~mask)
    assert np.count_nonzero(mask & ~found) < 0.01 * np.count_nonzero(mask)
    assert not smoothed(np.zeros_like(mask), 1.0).any()


def test_one_sleeve_is_hardly_wider_than_the_other():
    reach = {"right_arm": np.full(9, 10.0), "left_arm": np.full(9, 30.0)}
    found = no_wider_than_the_other(reach)
    assert (found["left_arm"] < 14).all() and (found["right_arm"] == 10).all()
    assert (no_wider_than_the_other({"left_arm": reach["left_arm"]})["left_arm"] == 30).all()


def test_rims_of_a_wide_sleeve_are_the_sleeves_and_not_the_trunks(stands):
    pose, garment = stands
    pose, mask, owner = pose.copy(), garment.copy(), np.full(garment.shape, -1, np.int8)
    ys, xs = np.mgrid[: mask.shape[0], : mask.shape[1]] + 0.5
    owner[garment], rims = PARTS.index("torso"), np.zeros_like(mask)
    for side, way in (("left", 1), ("right", -1)):  # raised to the sides; of each sleeve the middle is known as an arm
        a = pose[JOINT[f"{side}_shoulder"], :2] + (4 * way, -2)
        d = np.array([34.0 * way, -50.0])
        pose[JOINT[f"{side}_elbow"], :2], pose[JOINT[f"{side}_wrist"], :2] = a + d / 2, a + d
        at = np.clip(((xs - a[0]) * d[0] + (ys - a[1]) * d[1]) / (d @ d), 0, 1)
        away = np.hypot(xs - a[0] - at * d[0], ys - a[1] - at * d[1])
        sleeve = (away < 9) & ~garment
        mask |= sleeve
        owner[sleeve] = np.where(away[sleeve] < 6, PARTS.index(f"{side}_upper_arm"), PARTS.index("torso"))
        rims |= sleeve & (away >= 6) & (at > 0.3)
    made = sleeves_whole(owner, mask, np.isin(owner, ARMS), pose)
    assert rims.sum() > 200 and np.isin(made[rims], ARMS).all()
    assert (made[garment] == owner[garment]).mean() > 0.98 and (made[~mask] == owner[~mask]).all()
    assert (sleeves_whole(owner, garment, np.isin(owner, ARMS), pose) == owner).all()  # no sleeves, nothing to do
    apart = mask.copy()
    hips = int(pose[JOINT["right_hip"], 1])
    apart[hips - 4 : hips + 4] = False  # a belt: the skirt below is no sleeve, though a hand is nearer to it
    owner[hips + 4 :][owner[hips + 4 :] == PARTS.index("torso")] = PARTS.index("skirt")
    made = sleeves_whole(owner, apart, np.isin(owner, ARMS), pose)
    assert (made[hips + 4 :] == owner[hips + 4 :]).all()


def test_what_a_bag_hides_is_filled_as_on_the_other_side_in_this_sides_light(stands):
    pose, cloth = stands
    shape = cloth.shape
    middle = pose[[JOINT["right_hip"], JOINT["left_hip"]], 0].mean()
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    light = np.where(columns > middle, 1.0, 0.8)  # the sun stands on one side
    photo = np.repeat((light * np.where(rows // 6 % 2, 200, 120))[..., None], 3, axis=2).astype(np.uint8)
    y = int(pose[[JOINT["neck"], JOINT["left_hip"]], 1].mean())
    bag = cloth & (abs(rows - y) < 14) & (columns > middle + 6)
    covered = photo.copy()
    covered[bag] = (200, 30, 30)
    made, found = as_on_the_other_side(covered, cloth & ~bag, bag, pose, 1.0)
    assert found[bag].mean() > 0.6 and not (found & ~bag).any()
    assert np.median(np.abs(made[found].astype(int) - photo[found])) < 12
    assert (made[~found] == covered[~found]).all()
    covered[cloth & (abs(rows - y) < 6) & (abs(columns - 2 * middle + np.nonzero(bag)[1].mean()) < 6)] = (255, 255, 255)
    print_stays, found = as_on_the_other_side(covered, cloth & ~bag, bag, pose, 1.0)
    assert not found.any() and (print_stays == covered).all()  # letters don't come twice
    same, none = as_on_the_other_side(covered, cloth & (columns < middle), bag, pose, 1.0)
    assert not none.any() and (same == covered).all()  # from the side nothing is known of the other half
