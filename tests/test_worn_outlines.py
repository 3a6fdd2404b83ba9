"""A garment's outline: after the photo's colours, and continued where something lies before it."""

import cv2
import numpy as np
import pytest

from pise_core.regions import REGION
from pise_core.rendering.refine import refined
from pise_core.rendering.wearing.garment import cut
from pise_core.rendering.wearing.outline import behind, lower
from pise_core.skeleton import ARMS, JOINT
from pise_core.warping.bare_body import as_thick_as_seen, limb
from tests.conftest import draw_person

TOP, SKIN = REGION["upper_clothes"], REGION["upper_skin"]
RED, WALL = np.array((200, 40, 40), np.uint8), np.array((120, 130, 150), np.uint8)
FLESH = (224, 180, 150)


@pytest.fixture(scope="module")
def lenders_sleeves(editor):
    """Short sleeves, long ones, and long ones with a hole: half of each forearm lies behind something."""
    made = {}
    for kind in ("short", "long", "holed"):
        person = draw_person(400, 600)
        photo, parsing = person.photo.copy(), person.parsing.copy()
        for side in ("left", "right") if kind != "short" else ():
            a, b = (person.pose[JOINT[f"{side}_{name}"], :2] for name in ("elbow", "wrist"))
            mask = np.zeros(parsing.shape, np.uint8)
            ends = [tuple(int(v) for v in point) for point in (a, b)]
            cv2.line(mask, ends[0], ends[1], 1, 24)
            photo[mask > 0], parsing[mask > 0] = (190, 60, 50), TOP
            if kind == "holed":
                x, y = (0.5 * a + 0.5 * b).astype(int)
                cv2.circle(photo, (int(x), int(y)), 9, (250, 250, 250), -1)
                cv2.circle(parsing, (int(x), int(y)), 9, 0, -1)
        made[kind] = editor.set_person(photo, pose=person.pose, parsing=parsing)
    return made


def picture(truth):
    """A red garment before a wall, with a little noise."""
    photo = np.where(truth[..., None], RED, WALL).astype(np.int16)
    return (photo + np.random.default_rng(0).integers(-4, 5, photo.shape)).clip(0, 255).astype(np.uint8)


def test_a_mask_that_is_off_by_some_pixels_follows_the_colours():
    truth = np.zeros((160, 140), bool)
    truth[30:130, 40:100] = True
    truth[60:70, 100:103] = True
    wrong = np.zeros_like(truth)
    wrong[33:134, 37:97] = True
    none = np.zeros_like(truth)
    found = refined(picture(truth), wrong, 1.0, none, none, none, none)
    assert (found ^ truth).sum() < 0.25 * (wrong ^ truth).sum()


def test_colours_decide_near_a_hand_and_never_where_the_garment_surely_is_not():
    truth = np.zeros((160, 140), bool)
    truth[30:130, 40:100] = True
    photo = picture(truth)
    bag, doubted, outer = np.zeros((3, *truth.shape), bool)
    bag[70:110, 70:100] = doubted[60:120, 60:110] = outer[30:36] = True
    photo[bag] = (30, 160, 60)
    none = np.zeros_like(truth)
    found = refined(photo, truth, 1.0, doubted, outer, none, none)
    assert (found & bag).sum() < 0.1 * bag.sum()
    assert not found[30:34].any() and found[40:68, 45:95].all()


def test_too_little_of_a_garment_stays_as_the_map_has_it():
    mask = np.zeros((60, 60), bool)
    mask[20:24, 20:24] = True
    none = np.zeros_like(mask)
    assert np.array_equal(refined(picture(mask), mask, 1.0, none, none, none, none), mask)


def body():
    """A trunk 60 wide with an arm before its left edge, and whose pose."""
    person = draw_person(220, 330)
    neck, hip = person.pose[JOINT["neck"]], person.pose[JOINT["left_hip"]]
    whole = np.zeros(person.parsing.shape, bool)
    x, top, bottom = int(neck[0]), int(neck[1]), int(hip[1])
    whole[top:bottom, x - 30 : x + 31] = True
    return person.pose, whole, (x, top, bottom)


def test_a_trunk_goes_on_behind_an_arm_as_on_the_other_side_and_never_into_the_wall():
    pose, whole, (x, top, bottom) = body()
    arm = np.zeros_like(whole)
    arm[top + 20 : bottom - 6, x + 18 : x + 45] = True
    found, beyond = behind(whole & ~arm, arm, pose, 1.0)
    missing = whole & arm
    missing[: top + 40] = False
    assert (found & missing).sum() > 0.9 * missing.sum()
    assert not (found & ~grown(whole, 2)).any()
    assert not beyond[whole].any()
    slit = arm.copy()
    slit[:, x + 18 : x + 21] = False  # the wall is seen between the body and the arm
    left = whole.copy()
    left[:, x + 18 :] = False
    found, _ = behind(left, slit, pose, 1.0)
    assert not found.any()


def grown(mask, by):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * by + 1, 2 * by + 1), np.uint8)) > 0


def test_a_hem_goes_on_behind_a_hand():
    pose, whole, (x, _, bottom) = body()
    hand = np.zeros_like(whole)
    hand[bottom - 12 : bottom + 15, x - 8 : x + 9] = True
    found = lower(whole & ~hand, hand, pose)
    assert found[bottom - 12 : bottom - 1, x - 7 : x + 8].all() and not found[bottom:].any()


def test_a_garment_is_cut_without_the_hand_before_it_and_goes_on_there(editor):
    person = draw_person(400, 600)
    photo, parsing = person.photo.copy(), person.parsing.copy()
    wrist = np.array([person.pose[JOINT["left_hip"], 0] - 8, person.pose[JOINT["left_hip"], 1] - 60], int)
    pose = person.pose.copy()
    pose[JOINT["left_wrist"], :2] = wrist
    cv2.circle(photo, tuple(int(v) for v in wrist), 16, FLESH, -1)  # a hand that the map takes for the top
    known = editor.set_person(photo, pose=pose, parsing=parsing)
    garment = cut(known, TOP)
    share = 1 - np.prod([1 - piece for piece in garment.pieces.values()], axis=0)
    x, y = (garment.pose[JOINT["left_wrist"], :2]).astype(int)
    assert share[y, x] > 0.9
    assert np.abs(garment.colours[y - 8 : y + 9, x - 8 : x + 9].astype(int) - (190, 60, 50)).max() < 40


def test_an_arm_is_as_thick_as_its_bare_part(person):
    outline = limb(person.pose, ARMS[1])
    assert outline is not None
    bare = np.zeros(person.parsing.shape, np.uint8)
    ends = [tuple(int(v) for v in person.pose[j, :2]) for j in ARMS[1][1:]]
    cv2.line(bare, ends[0], ends[1], 1, max(1, round(1.6 * float(outline[36, 2]) * 0.8)))
    thinner = as_thick_as_seen(outline, bare > 0)
    assert thinner is not None and 0.65 < (thinner[5:40, 2] / outline[5:40, 2]).mean() < 0.9
    unseen = as_thick_as_seen(outline, bare > 5)
    assert unseen is outline and as_thick_as_seen(None, bare > 0) is None


def test_a_collar_that_the_map_takes_for_skin_goes_with_its_garment(editor, known_other):
    person = draw_person(400, 600, shirt=(245, 245, 240))
    photo, parsing = person.photo.copy(), person.parsing.copy()
    x, y = (int(v) for v in person.pose[JOINT["neck"], :2])
    collar = np.zeros(parsing.shape, bool)
    collar[y - 14 : y + 2, x - 22 : x + 23] = True
    collar &= ~np.isin(parsing, [REGION["face"], REGION["hair"]])
    photo[collar] = (245, 245, 240)
    parsing[collar] = SKIN
    known = editor.set_person(photo, pose=person.pose, parsing=parsing)
    worn = known.wear({"upper_clothes": known_other})
    white = (worn.photo[collar].min(1) > 225).mean()
    assert white < 0.25 < 0.9 < (photo[collar].min(1) > 225).mean()


def test_a_sleeve_ends_at_its_hem_and_goes_on_where_it_was_foreshortened(editor, known, lenders_sleeves):
    for kind, least, most in (("short", 0.7, 1.3), ("long", 1.7, 2.01)):
        garment = cut(lenders_sleeves[kind], TOP)
        assert len(garment.hems) == 2 and least < min(garment.hems.values()) <= max(garment.hems.values()) < most
    worn = known.wear({"upper_clothes": lenders_sleeves["holed"]})
    for side in ("left", "right"):
        elbow, wrist = (known.pose[JOINT[f"{side}_{name}"], :2] for name in ("elbow", "wrist"))
        x, y = (0.5 * elbow + 0.5 * wrist).astype(int)
        assert worn.parsing[y, x] == TOP and np.abs(worn.photo[y, x].astype(int) - (190, 60, 50)).max() < 60


def test_no_slit_stays_between_trouser_legs_that_touch(editor, known):
    lender = draw_person(400, 600, trousers=(150, 30, 160))
    photo, parsing = lender.photo.copy(), lender.parsing.copy()
    legs = np.array([lender.pose[JOINT[j], :2] for j in ("right_hip", "left_hip", "left_ankle", "right_ankle")], int)
    mask = np.zeros(parsing.shape, np.uint8)
    cv2.fillConvexPoly(mask, legs.astype(np.int32), 1)
    photo[mask > 0], parsing[mask > 0] = (150, 30, 160), REGION["pants"]
    worn = known.wear({"pants": editor.set_person(photo, pose=lender.pose, parsing=parsing)})
    hip, knee = (known.pose[JOINT[f"left_{name}"], 1] for name in ("hip", "knee"))
    y = int(hip + 0.25 * (knee - hip))
    x0, x1 = (int(known.pose[JOINT[f"{side}_hip"], 0]) for side in ("right", "left"))
    assert (worn.parsing[y, x0 : x1 + 1] == REGION["pants"]).all()


def test_a_bag_that_the_map_calls_a_top_stays_with_the_lender(editor):
    """It lies apart from the garment; what lies close to it, as beyond a strap, comes along."""
    person = draw_person(400, 600)
    photo, parsing = person.photo.copy(), person.parsing.copy()
    x, y = (int(v) for v in person.pose[JOINT["left_wrist"], :2])
    bag = np.s_[y + 90 : y + 116, min(x, 360) : min(x, 360) + 30]
    photo[bag], parsing[bag] = (20, 20, 20), TOP
    x, y = (int(v) for v in person.pose[JOINT["neck"], :2])
    strap = np.s_[y + 40 : y + 50, :]
    across = parsing[strap] == TOP
    photo[strap][across] = (20, 20, 20)
    parsing[strap][across] = 0
    garment = cut(editor.set_person(photo, pose=person.pose, parsing=parsing), TOP)
    share = np.max(list(garment.pieces.values()), axis=0)
    dark = (garment.colours.max(2) < 40) & (share > 0.5)
    shift = person.pose[JOINT["neck"], :2] - garment.pose[JOINT["neck"], :2]
    rows = np.flatnonzero((share > 0.5).any(1)) + shift[1]
    assert rows.max() < person.pose[JOINT["left_wrist"], 1] + 60
    assert rows.min() < y + 30 and dark.mean() < 0.1
