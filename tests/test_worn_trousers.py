"""Trousers: to the ankle though the lender's photo ends above it, up to the top though a coat hid them, and as the
wearer's own hang where both are cut alike."""

import cv2
import numpy as np
import pytest

from pise_core.masks import smooth
from pise_core.regions import REGION
from pise_core.rendering.refine import like_skin
from pise_core.rendering.wearing.limbs import PLACES
from pise_core.rendering.wearing.trousers import alike, crotch_of, same_cut, with_legs
from pise_core.rendering.wearing.whole import with_rim
from pise_core.skeleton import JOINT
from tests.conftest import draw_person
from tests.test_wear import GREEN, OWN_SKIN, lender, middle

TOP, DRESS, PANTS, SKIN, LEG = (REGION[n] for n in ("upper_clothes", "dress", "pants", "upper_skin", "leg"))


def place(known, share: float, side: str = "left"):
    """A pixel of a leg: 0 at the hip, 1 at the knee, 2 at the ankle."""
    joints = (f"{side}_hip", f"{side}_knee") if share < 1 else (f"{side}_knee", f"{side}_ankle")
    return middle(known.pose, *joints, share % 1)


def test_trousers_that_the_lenders_photo_cuts_off_go_on_to_the_ankle(editor, known):
    made = lender("long")
    end = int(made.pose[JOINT["left_knee"], 1]) + 8
    pose = made.pose.copy()
    pose[pose[:, 1] > end] = np.nan, np.nan, 0
    cut_off = editor.set_person(made.photo[:end], pose=pose, parsing=made.parsing[:end])
    worn = known.wear({"pants": cut_off})
    for share in (0.5, 1.2, 1.7):
        assert known.parsing[place(known, share)] == PANTS == worn.parsing[place(known, share)]
        assert np.abs(worn.photo[place(known, share)].astype(int) - (150, 30, 160)).max() < 40


def test_trousers_that_a_coat_hid_go_up_to_the_wearers_top(editor, known, lenders_dress):
    made = lender("long")
    parsing, photo = made.parsing.copy(), made.photo.copy()
    knee = int(made.pose[JOINT["left_knee"], 1]) - 6
    coat = (parsing == PANTS) & (np.arange(len(parsing))[:, None] < knee)
    parsing[coat], photo[coat] = TOP, (70, 70, 200)
    coated = editor.set_person(photo, pose=made.pose, parsing=parsing)
    for wearer in (known, lenders_dress):
        worn = wearer.wear({"pants": coated})
        for share in np.linspace(0.3, 1.7, 8):
            assert worn.parsing[place(wearer, share)] == PANTS


@pytest.fixture(scope="module")
def lenders_dress(editor):
    made = lender("dress")
    return editor.set_person(made.photo, pose=made.pose, parsing=made.parsing)


def test_trousers_that_are_cut_alike_hang_as_the_wearers_own(editor, known):
    made = draw_person(400, 500, (110, 40, 300, 460), trousers=(150, 30, 160))
    worn = known.wear({"pants": editor.set_person(made.photo, pose=made.pose, parsing=made.parsing)})
    before, after = known.parsing == PANTS, worn.parsing == PANTS
    assert (before & after).sum() > 0.97 * (before | after).sum()


def test_no_trousers_look_out_beside_a_top(editor, known):
    made = draw_person(400, 500, (60, 40, 350, 460), trousers=(150, 30, 160))
    worn = known.wear({"pants": editor.set_person(made.photo, pose=made.pose, parsing=made.parsing)})
    rows = slice(int(known.pose[JOINT["neck"], 1]), int(known.pose[JOINT["left_hip"], 1]) - 12)
    beside = (known.parsing == 0)[rows]
    assert beside.any() and np.array_equal(worn.photo[rows][beside], known.photo[rows][beside])


def test_what_is_cut_back_leaves_no_line_of_its_soft_edge():
    ys, xs = np.mgrid[:120, :120]
    garment = np.hypot(xs - 60, ys - 60) < 40
    share = smooth(garment.astype(np.float32), 2.0)
    taken = garment & (xs > 70)

    def left(away):  # of the part that is taken, beyond the soft border of the rest
        return (share * (1 - smooth(away.astype(np.float32), 1.0)))[:, 76:].max()

    assert left(taken) > 0.1 and left(with_rim(taken, garment & ~taken, 1.0)) < 0.06
    assert not with_rim(taken & False, garment, 1.0).any()


def test_legs_of_one_pair_are_alike():
    reach = {"left_leg": np.full(9, 10.0), "right_leg": np.full(9, 14.0)}
    hems, wide = alike({"left_leg": 1.2, "right_leg": 1.9}, reach, False)
    assert hems["left_leg"] == hems["right_leg"] == 1.9 and (wide["left_leg"] == 14).all()
    assert alike({"left_leg": 0.8}, reach, True)[0] == {"right_leg": 2.0, "left_leg": 2.0}
    assert alike({}, reach, True)[0] == {}


def test_widths_tell_whether_trousers_are_cut_alike():
    wide = np.full(9, 20.0)
    assert same_cut(wide, 2.0, (wide * 0.55, 2.0), PLACES, 0.5) == pytest.approx(1.1)
    assert same_cut(wide, 2.0, (wide, 2.0), PLACES, 0.5) is None  # twice as wide
    assert same_cut(wide, 2.0, (wide * 0.5, 0.8), PLACES, 0.5) is None  # shorts
    assert same_cut(wide, 2.0, None, PLACES, 0.5) is None


def test_legs_that_the_photo_cuts_off_hang_below_the_hips(person):
    pose = person.pose.copy()
    assert with_legs(pose) is pose or np.array_equal(with_legs(pose), pose, equal_nan=True)
    pose[[JOINT["left_knee"], JOINT["left_ankle"], JOINT["right_ankle"]]] = np.nan, np.nan, 0
    made = with_legs(pose)
    assert np.isfinite(made[:, :2]).all() == np.isfinite(person.pose[:, :2]).all()
    assert np.hypot(*(made[JOINT["left_knee"], :2] - person.pose[JOINT["left_knee"], :2])) < 40
    assert made[JOINT["left_ankle"], 1] > made[JOINT["left_knee"], 1] > made[JOINT["left_hip"], 1]
    pose[JOINT["neck"]] = np.nan, np.nan, 0
    assert np.array_equal(with_legs(pose), pose, equal_nan=True)


def test_where_the_legs_of_trousers_part(person):
    high = crotch_of(person.parsing == PANTS, person.pose)
    assert crotch_of(np.ones(person.parsing.shape, bool), person.pose) > high
    pose = person.pose.copy()
    pose[JOINT["left_knee"]] = np.nan, np.nan, 0
    assert crotch_of(person.parsing == PANTS, pose) > 0


def test_skin_in_a_garments_mask_is_told_by_its_colour():
    photo = np.zeros((120, 160, 3), np.uint8)
    photo[:, :80], photo[:, 80:] = (70, 70, 200), GREEN
    photo += np.random.default_rng(0).integers(0, 8, photo.shape, np.uint8)
    skin = np.zeros((120, 160), bool)
    skin[:, 80:] = True
    mask = np.zeros((120, 160), bool)
    mask[:, :84] = True  # four columns too many
    found = like_skin(photo, mask, skin, 0.5)
    assert found[:, 80:84].all() and not found[:, :80].any()
    photo[:] = OWN_SKIN  # a garment of the colour of skin stays whole
    assert not like_skin(photo, mask, skin, 0.5).any()
    assert not like_skin(photo, mask, np.zeros_like(skin), 0.5).any()
    island = skin.copy()
    photo[:, :80] = (70, 70, 200)
    photo[:, 80:] = GREEN
    cv2.circle(photo, (74, 60), 1, GREEN.tolist(), -1)  # a dot of the print, near skin but apart from it
    assert not like_skin(photo, mask, island, 0.5)[59:62, 73:76].any()
