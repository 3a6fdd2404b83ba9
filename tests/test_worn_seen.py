"""Worn garments and what is seen of their wearers: sleeves of a pair, legs below coats and hems, plain cloth."""

import cv2
import numpy as np
import pytest

from pise_core.regions import REGION
from pise_core.rendering.wearing.names import with_bodice, with_sides
from pise_core.rendering.wearing.plain import calmed
from pise_core.rendering.wearing.seen_legs import continued, down_to_seen
from pise_core.rendering.wearing.sleeve_pair import shown_for_the_other
from pise_core.rendering.wearing.upward import mirrored_down
from pise_core.skeleton import ARMS, JOINT, LEGS
from pise_core.view import View
from pise_core.warping.bare_body import drawn, limb
from tests.conftest import draw_person
from tests.test_wear import lender, middle

TOP, DRESS, PANTS, SKIN, LEG = (REGION[n] for n in ("upper_clothes", "dress", "pants", "upper_skin", "leg"))
SHIRT = (70, 70, 200)
NONE_BARE = {"right_arm": 0, "left_arm": 0}


def sleeves(made):
    arms = {
        name: drawn(limb(made.pose, joints), made.parsing.shape) for name, joints in zip(NONE_BARE, ARMS, strict=True)
    }
    return {name: arm & (made.parsing == TOP) for name, arm in arms.items()}


def test_a_sleeve_of_which_little_is_seen_is_the_other_one_turned_over():
    made = lender("long")
    view, both, mask = View(made.photo, made.parsing, made.pose), sleeves(made), made.parsing == TOP
    assert shown_for_the_other(view, mask, both, NONE_BARE) is None
    y = int(made.pose[JOINT["right_elbow"], 1])
    cut = both["right_arm"] & (np.arange(len(mask))[:, None] < y)
    hidden = {**both, "right_arm": cut}
    assert shown_for_the_other(view, mask, hidden, NONE_BARE) == "right_arm"
    # Who shows their arm has one sleeve, or none.
    assert shown_for_the_other(view, mask, hidden, {"right_arm": int(cut.sum()), "left_arm": 0}) is None


def test_a_sleeve_behind_a_bag_of_another_colour_is_the_other_one():
    made = lender("long")
    both, mask, photo = sleeves(made), made.parsing == TOP, made.photo.copy()
    low = both["left_arm"] & (np.arange(len(mask))[:, None] > made.pose[JOINT["left_shoulder"], 1] + 40)
    photo[low] = (240, 220, 30)
    view = View(photo, made.parsing, made.pose)
    assert shown_for_the_other(view, mask, both, NONE_BARE) == "left_arm"


def test_both_arms_get_the_sleeve_that_is_seen(editor, known):
    made = lender("long")
    photo, parsing = made.photo.copy(), made.parsing.copy()
    y = int(made.pose[JOINT["right_elbow"], 1]) - 10
    bag = sleeves(made)["right_arm"] & (np.arange(len(parsing))[:, None] > y)
    photo[bag], parsing[bag] = (250, 250, 20), 0
    worn = known.wear({"upper_clothes": editor.set_person(photo, pose=made.pose, parsing=parsing)})
    for side in ("left", "right"):
        here = middle(known.pose, f"{side}_elbow", f"{side}_wrist", 0.4)
        assert worn.parsing[here] == TOP and np.abs(worn.photo[here].astype(int) - SHIRT).max() < 40


def coat(editor, trousers=(90, 90, 90)):
    """Somebody in a coat to below the knees over trousers."""
    made = draw_person(trousers=trousers)
    photo, parsing = made.photo.copy(), made.parsing.copy()
    hips = made.pose[[JOINT["right_hip"], JOINT["left_hip"]], :2]
    knees = made.pose[[JOINT["right_knee"], JOINT["left_knee"]], :2]
    outline = np.array([*(hips + ((-16, -20), (16, -20))), *(knees + ((-18, 8), (18, 8)))[::-1]], np.int32)
    mask = np.zeros(parsing.shape, np.uint8)
    cv2.fillConvexPoly(mask, outline, 1)
    photo[mask > 0], parsing[mask > 0] = (190, 60, 50), TOP
    return made, editor.set_person(photo, pose=made.pose, parsing=parsing), mask > 0


def test_legs_that_a_coat_hid_go_on_from_where_they_are_seen(editor):
    made, person, hidden = coat(editor)
    top = lender("sleeveless")
    worn = person.wear({"upper_clothes": editor.set_person(top.photo, pose=top.pose, parsing=top.parsing)})
    for side in ("right", "left"):
        for share in (0.3, 0.6, 0.9):
            here = middle(made.pose, f"{side}_hip", f"{side}_knee", share)
            assert hidden[here] and worn.parsing[here] == PANTS
            assert np.abs(worn.photo[here].astype(int) - 90).max() < 40
    y, x = middle(made.pose, "right_knee", "left_knee")
    assert worn.parsing[y, x] == 0  # two legs, and no skirt


@pytest.mark.parametrize("wider", [0.8, 1.3])
def test_a_leg_is_as_wide_as_it_is_seen(person, wider):
    joints = LEGS[0]
    whole = limb(person.pose, joints, None, wider)
    assert whole is not None
    low = np.arange(len(person.parsing))[:, None] > person.pose[joints[1], 1] + 10
    met = down_to_seen(person.pose, joints, drawn(whole, person.parsing.shape) & low, (1.0, 1.0))
    assert met is not None
    outline, first = met
    at = round(first * (len(outline) - 1))
    assert 0.5 < first < 0.65
    assert outline[at + 2, 2] == pytest.approx(whole[at + 2, 2], rel=0.12)
    assert down_to_seen(person.pose, joints, np.zeros(person.parsing.shape, bool), (1.0, 1.0)) is None


def test_new_skin_has_the_light_of_the_leg_below(person):
    joints = LEGS[0]
    leg = drawn(limb(person.pose, joints), person.parsing.shape)
    rows = np.arange(len(leg))[:, None]
    knee = person.pose[joints[1], 1]
    seen, new = leg & (rows > knee + 5), leg & (rows <= knee + 5) & (rows > knee - 20)
    photo = np.zeros((*leg.shape, 3), np.uint8)
    middle_x = person.pose[joints[1], 0]
    photo[:] = np.where(np.arange(leg.shape[1])[:, None] < middle_x, (230, 180, 150), (150, 100, 80))
    tones = continued(photo, person.pose, joints, seen, new)
    assert tones is not None and len(tones) == np.count_nonzero(new)
    xs = np.nonzero(new)[1]
    light, dark = tones[xs < middle_x - 3, 0], tones[xs > middle_x + 3, 0]
    assert np.median(light) > np.median(dark) + 15
    assert continued(photo, person.pose, joints, np.zeros_like(leg), new) is None


def test_a_skirt_instead_of_one_that_hid_the_feet_is_as_long(editor):
    made, short = draw_person(), lender("short")
    photo, parsing = made.photo.copy(), made.parsing.copy()
    hips = made.pose[[JOINT["right_hip"], JOINT["left_hip"]], :2]
    ankles = made.pose[[JOINT["right_ankle"], JOINT["left_ankle"]], :2]
    mask = np.zeros(parsing.shape, np.uint8)
    outline = np.array([*(hips + ((-10, 0), (10, 0))), *(ankles + ((-14, 14), (14, 14)))[::-1]], np.int32)
    cv2.fillConvexPoly(mask, outline, 1)
    gone = (mask > 0) | np.isin(parsing, [PANTS, LEG])
    photo[gone], parsing[gone] = (30, 30, 30), DRESS
    person = editor.set_person(photo, pose=made.pose, parsing=parsing)
    worn = person.wear({"dress": editor.set_person(short.photo, pose=short.pose, parsing=short.parsing)})
    assert not (worn.parsing == LEG).any()
    y, x = (int(v) for v in ankles.mean(0)[::-1])
    assert worn.parsing[y, x] == DRESS
    assert np.abs(worn.photo[y, x].astype(int) - (200, 90, 30)).max() < 60


def test_what_covers_the_trunk_is_lent_as_a_top_though_the_map_says_dress(editor):
    made = lender("dress")
    person = editor.set_person(made.photo, pose=made.pose, parsing=made.parsing)
    parsing = with_bodice(made.parsing, person)
    chest, thigh = middle(made.pose, "neck", "left_hip"), middle(made.pose, "left_hip", "left_knee", 0.6)
    assert made.parsing[chest] == DRESS and parsing[chest] == TOP and parsing[thigh] == DRESS
    plain = lender("sleeveless")
    person = editor.set_person(plain.photo, pose=plain.pose, parsing=plain.parsing)
    assert np.array_equal(with_bodice(plain.parsing, person), plain.parsing)


def test_sides_of_a_dress_that_the_map_calls_a_top_are_the_dress(editor):
    made = lender("dress")
    x = int(made.pose[JOINT["left_hip"], 0])
    parsing = np.where((made.parsing == DRESS) & (np.arange(made.parsing.shape[1]) > x - 8), TOP, made.parsing)
    person = editor.set_person(made.photo, pose=made.pose, parsing=parsing.astype(np.uint8))
    assert not (with_sides(parsing, person) == TOP).any()
    y = int(made.pose[JOINT["left_hip"], 1]) - 20
    jacket = np.where((made.parsing == TOP) & (np.arange(len(parsing))[:, None] < y), TOP, made.parsing)
    person = editor.set_person(made.photo, pose=made.pose, parsing=jacket.astype(np.uint8))
    assert np.array_equal(with_sides(jacket, person), jacket)  # it ends above the hips, and is worn over the dress


def cloth(pattern: bool):
    """Lit from the left, with grain; a part was filled with pieces that don't fit."""
    rng = np.random.default_rng(3)
    light = np.linspace(150, 90, 160)[None, :, None] + rng.normal(0, 2, (160, 160, 1))
    photo = np.repeat(light, 3, 2)
    if pattern:
        photo[:, ::8] = (220, 30, 30)
    truth = np.clip(photo, 0, 255).astype(np.uint8)
    filled = np.zeros((160, 160), bool)
    filled[60:110, 50:120] = True
    made = truth.copy()
    made[60:85, 50:120] = np.roll(truth, 55, 1)[60:85, 50:120]
    made[85:88, 50:120] = 20
    return truth, made, filled


def test_plain_cloth_goes_over_smoothly_and_prints_are_left():
    truth, made, filled = cloth(False)
    whole = np.ones(filled.shape, bool)
    calm = calmed(made, whole & ~filled, filled, 0.5)

    def error(picture):
        return np.abs(cv2.blur(picture, (7, 7))[filled].astype(int) - cv2.blur(truth, (7, 7))[filled]).mean()

    assert error(calm) < 0.25 * error(made)
    assert np.array_equal(calm[~filled], made[~filled])
    assert calm[62:84, 60:110].astype(float).std(axis=0).mean() > 0.8  # its grain stays
    _, printed, filled = cloth(True)
    assert np.array_equal(calmed(printed, whole & ~filled, filled, 0.5), printed)
    assert np.array_equal(calmed(made, np.zeros_like(filled), filled, 0.5), made)


def test_fronts_of_a_jacket_go_on_down_each_in_its_colour():
    photo = np.zeros((100, 60, 3), np.uint8)
    photo[:, :20], photo[:, 20:40], photo[:, 40:] = (20, 20, 20), (230, 120, 40), (20, 20, 20)
    rows = np.arange(100)[:, None] + np.zeros((1, 60))
    shown, open_ = rows < 60, (rows >= 60) & (rows < 80)
    made, found = mirrored_down(np.where(shown[..., None], photo, 0).astype(np.uint8), shown, open_, 30.0, 1.0)
    assert found[62:78, 3:-3].all() and not found[80:].any()
    assert np.array_equal(made[62:78, 5:15], photo[62:78, 5:15])
    assert np.array_equal(made[62:78, 25:35], photo[62:78, 25:35])
