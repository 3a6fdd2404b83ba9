"""What is below a top that goes: what was worn highest there goes on up to the new hem."""

import cv2
import numpy as np
import pytest

from pise_core.regions import REGION
from pise_core.rendering.wearing.laid import Laid
from pise_core.rendering.wearing.lengths import longer
from pise_core.rendering.wearing.outfit import Outfit, _is_over, _within
from pise_core.skeleton import JOINT, LEGS
from pise_core.warping.bare_body import drawn, limb
from tests.conftest import draw_person
from tests.test_wear import lender

TOP, DRESS, PANTS, LEG = (REGION[name] for name in ("upper_clothes", "dress", "pants", "leg"))
BLUE, GREY = (40, 60, 200), (90, 90, 90)


@pytest.fixture(scope="module")
def crop(editor):
    """Who lends a top that ends well above the hips."""
    made = lender("sleeveless")
    parsing, photo = made.parsing.copy(), made.photo.copy()
    neck, hip = (int(made.pose[JOINT[name], 1]) for name in ("neck", "left_hip"))
    low = (parsing == TOP) & (np.arange(len(parsing))[:, None] > neck + 0.72 * (hip - neck))
    parsing[low], photo[low] = PANTS, (150, 30, 160)
    return editor.set_person(photo, pose=made.pose, parsing=parsing)


def wearer(editor, skirt: bool):
    """In a top that falls over the hips, with a skirt over tights below it, or with trousers and a speckle of skirt."""
    made = draw_person(trousers=GREY)
    parsing, photo = made.parsing.copy(), made.photo.copy()
    hips, knees = (made.pose[[JOINT[f"{s}_{n}"] for s in ("right", "left")], :2] for n in ("hip", "knee"))
    if skirt:
        mask = np.zeros(parsing.shape, np.uint8)
        cv2.fillConvexPoly(
            mask, np.array([*hips + ((-14, 0), (14, 0)), *(knees + ((-16, 0), (16, 0)))[::-1]], np.int32), 1
        )
        photo[mask > 0], parsing[mask > 0] = BLUE, DRESS
    else:
        x, y = knees[0].astype(int)
        photo[y : y + 3, x : x + 3], parsing[y : y + 3, x : x + 3] = BLUE, DRESS
    top = np.zeros(parsing.shape, np.uint8)
    down = 0.25 * (knees - hips)
    cv2.fillConvexPoly(
        top, np.array([*hips + ((-16, -30), (16, -30)), *(hips + down + ((-18, 0), (18, 0)))[::-1]], np.int32), 1
    )
    photo[top > 0], parsing[top > 0] = (190, 60, 50), TOP
    return editor.set_person(photo, pose=made.pose, parsing=parsing), top > 0


@pytest.mark.parametrize("skirt", [True, False])
def test_what_was_worn_highest_goes_on_up(editor, crop, skirt):
    person, over = wearer(editor, skirt)
    worn = person.wear({"upper_clothes": crop})
    y = int(person.pose[JOINT["left_hip"], 1]) + 6
    x = int(person.pose[[JOINT["left_hip"], JOINT["right_hip"]], 0].mean())
    around = np.s_[y : y + 5, x - 8 : x + 9]
    assert over[around].all() and (worn.parsing[around] == (DRESS if skirt else PANTS)).all()
    colour = np.median(worn.photo[around].reshape(-1, 3), axis=0)
    assert np.abs(colour - (BLUE if skirt else GREY)).max() < 60


def test_trousers_below_an_open_coat_widen_to_where_nothing_hides_them(editor, crop):
    made = draw_person(trousers=GREY)
    parsing, photo = made.parsing.copy(), made.photo.copy()
    left, right = sorted(int(made.pose[JOINT[f"{side}_hip"], 0]) for side in ("right", "left"))
    hips, knees = (int(made.pose[JOINT[f"left_{name}"], 1]) for name in ("hip", "knee"))
    hem = hips + 2 * (knees - hips) // 5
    # Wide trousers, one block down to the knees; the fronts of a coat leave a strip of them in sight.
    trousers, coat = np.zeros(parsing.shape, bool), np.zeros(parsing.shape, bool)
    trousers[hips - 20 : knees, left - 30 : right + 31] = True
    coat[hips - 30 : hem, left - 32 : (left + right) // 2 - 3] = True
    coat[hips - 30 : hem, (left + right) // 2 + 4 : right + 33] = True
    for mask, region, colour in ((trousers, PANTS, GREY), (coat, TOP, (190, 60, 50))):
        parsing[mask], photo[mask] = region, colour
    person = editor.set_person(photo, pose=made.pose, parsing=parsing)
    worn = person.wear({"upper_clothes": crop}).parsing == PANTS
    wide = worn[hips : hem + 5].sum(axis=1)
    assert wide[-1] == right + 31 - left + 30
    assert (np.diff(wide) >= 0).all() and np.diff(wide).max() < 8  # straight sides, without a step at the coat's hem


def test_of_skirt_and_trousers_the_higher_one_is_worn_over_the_other():
    rows = np.arange(100)[:, None] + np.zeros((1, 40))
    skirt, tights = (rows > 20) & (rows < 50), rows >= 50
    assert _is_over(skirt, tights) and not _is_over(tights, skirt)
    speckle = (rows > 10) & (rows < 12)
    assert not _is_over(speckle, tights) and _is_over(tights, speckle)
    nothing = np.zeros((100, 40), bool)
    assert _is_over(skirt, nothing) and not _is_over(nothing, tights) and not _is_over(nothing, nothing)


def test_a_dress_that_is_slightly_too_short_is_longer_and_as_wide_as_above():
    parsing = np.zeros((120, 100), np.uint8)
    parsing[20:80, 30:70], parsing[80:115, 36:46], parsing[80:115, 54:64] = DRESS, LEG, LEG
    kept = parsing == LEG
    nothing = np.zeros_like(kept)
    new = Outfit(parsing, kept, parsing == DRESS, nothing, nothing, nothing)
    bare = nothing.copy()
    bare[80:86] = kept[80:86]
    made = longer(new, bare, DRESS)
    assert (made.parsing[80:86, 30:70] == DRESS).all() and (made.parsing[86:] == parsing[86:]).all()
    assert made.lost[80:86, 30:70].all() and not made.kept[80:86].any()
    assert longer(new, nothing, DRESS) is new  # nothing is bare


def test_beside_a_dress_with_sleeves_no_leg_looks_out(editor, known):
    made = lender("dress")
    photo, parsing = made.photo.copy(), made.parsing.copy()
    arms = (parsing == REGION["upper_skin"]) & (np.arange(len(parsing))[:, None] > made.pose[JOINT["neck"], 1] + 8)
    photo[arms], parsing[arms] = photo[parsing == DRESS][0], DRESS
    worn = known.wear({"dress": editor.set_person(photo, pose=made.pose, parsing=parsing)})
    hip, knee = (int(known.pose[JOINT[f"left_{name}"], 1]) for name in ("hip", "knee"))
    rows = worn.parsing[hip : (hip + knee) // 2]
    assert (rows == DRESS).any() and not (rows == LEG).any()


def test_a_leg_in_an_open_skirt_stays_whole(person):
    pose, shape = person.pose, person.parsing.shape
    outline = limb(pose, LEGS[0], None)
    assert outline is not None
    leg = drawn(outline, shape)
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    hip, knee, ankle = (pose[joint, :2] for joint in LEGS[0])
    wide = float(outline[:, 2].mean())
    skirt = (ys > hip[1]) & (ys < (knee[1] + ankle[1]) / 2) & (np.abs(xs - knee[0]) < 3 * wide)
    opening = skirt & (ys < knee[1]) & (np.abs(xs - (hip[0] + knee[0]) / 2) < 2.2 * wide)
    none = np.zeros(shape, bool)
    nothing = np.zeros(shape, np.float32)
    laid = Laid(person.photo, nothing, nothing, np.full(shape, -1, np.int8), 1.0)
    legs = [("right_leg", LEGS[0])]
    garment = skirt & ~opening
    made = np.where(leg & ~garment, np.uint8(LEG), np.uint8(0))
    arms = dict.fromkeys(("right_arm", "left_arm"))
    found = _within(made, pose, laid, garment, arms, legs, {"right_leg": leg}, {}, none, False)
    thigh = leg & ~garment & (ys > hip[1] + wide) & (ys < knee[1] - wide)
    assert thigh.any() and (found[thigh] == LEG).mean() > 0.9
