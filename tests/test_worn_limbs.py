"""Legs below what is worn: trousers' legs as wide as they were, tights that stay, an open coat's tail that goes, and
bags that stick out of a garment and are none of it."""

import cv2
import numpy as np
import pytest

from pise_core.regions import REGION
from pise_core.rendering.wearing.limbs import LIMBS, PLACES, tights, width_of
from pise_core.rendering.wearing.outfit import _beside_top
from pise_core.rendering.wearing.places import beside_legs, thighs
from pise_core.rendering.wearing.trousers import as_wide, legs_of
from pise_core.rendering.wearing.whole import ears
from pise_core.skeleton import JOINT, LEGS
from pise_core.view import View
from pise_core.warping.bare_body import drawn, limb, torso_length
from tests.conftest import draw_person
from tests.test_wear import lender, middle

TOP, DRESS, PANTS, LEG = (REGION[name] for name in ("upper_clothes", "dress", "pants", "leg"))


def test_a_leg_of_trousers_is_as_wide_as_it_is_seen_though_its_bone_lies_at_its_side(person):
    joints, shape = LEGS[0], person.parsing.shape
    mask = np.zeros(shape, np.uint8)
    points = person.pose[list(joints), :2].copy()
    points[:, 0] += 5  # a standing leg runs down: to the right in the picture is against the turn of its direction
    for a, b in zip(points[:-1], points[1:], strict=True):
        cv2.line(mask, tuple(int(v) for v in a), tuple(int(v) for v in b), 1, 15)
    wide = width_of(person.pose, "right_leg", mask > 0)
    assert wide[2:-1, 0] == pytest.approx(7.5, abs=1.2) and wide[2:-1, 1] == pytest.approx(-5, abs=1.2)
    # What a coat hides above is as wide as what is seen right below.
    low = np.arange(shape[0])[:, None] > person.pose[joints[1], 1]
    assert width_of(person.pose, "right_leg", (mask > 0) & low)[1, 0] == pytest.approx(7.5, abs=1.2)
    assert not width_of(person.pose, "right_leg", np.zeros(shape, bool)).any()
    made = legs_of(person.pose, shape, as_wide({"right_leg": wide, "left_leg": np.zeros_like(wide)}), PLACES, 2.0, 0.2)
    knee = int(person.pose[joints[1], 1])
    row = np.flatnonzero(made[knee + 20])
    runs = np.split(row, np.flatnonzero(np.diff(row) > 1) + 1)
    assert [len(run) for run in runs] == pytest.approx([15, 15], abs=3)  # two legs, one the other turned over


def test_of_two_legs_each_is_as_wide_as_the_wider_one_and_lies_where_it_is_seen():
    right = np.stack([np.full(9, 8.0), np.full(9, 2.0)], 1)
    left = np.stack([np.full(9, 6.0), np.full(9, -1.0)], 1)
    made = as_wide({"right_leg": right, "left_leg": left})
    assert (made["left_leg"] == np.stack([np.full(9, 8.0), np.full(9, -1.0)], 1)).all()
    assert (as_wide({"right_leg": right})["left_leg"] == right * (1, -1)).all()
    assert as_wide({"right_leg": np.zeros((9, 2))}) == {}


def test_trousers_taper_from_the_hips_without_a_step(person):
    shape, size = person.parsing.shape, torso_length(person.pose)
    hips = person.pose[[JOINT["right_hip"], JOINT["left_hip"]], :2]
    fit = np.zeros(shape, bool)
    y = int(hips[:, 1].mean() + 0.06 * size)
    fit[y : y + 2, int(hips[:, 0].min()) - 14 : int(hips[:, 0].max()) + 14] = True
    plain = thighs(person.pose, shape, size, ((6, 0), (6, 0)))
    fitted = thighs(person.pose, shape, size, ((6, 0), (6, 0)), fit)
    widths = fitted[y + 1 : y + int(0.22 * size)].sum(axis=1)
    assert (plain <= fitted).all() and widths[0] > plain[y + 1].sum() + 6
    assert (np.abs(np.diff(widths)) <= 6).all()


@pytest.mark.parametrize("skirt, pants", [("short", True), ("long", False)])
def test_leggings_instead_of_a_skirt_are_two_legs(editor, skirt, pants):
    made = draw_person(trousers=(90, 90, 90))
    photo, parsing = made.photo.copy(), made.parsing.copy()
    hips, knees, ankles = (
        made.pose[[JOINT[f"{s}_{n}"] for s in ("right", "left")], :2] for n in ("hip", "knee", "ankle")
    )
    if not pants:
        bare = parsing == PANTS
        photo[bare], parsing[bare] = (224, 180, 150), LEG
    hem = knees if skirt == "short" else ankles - (0, 12)
    outline = np.array([*(hips + ((-14, -4), (14, -4))), *(hem + ((-22, 0), (22, 0)))[::-1]], np.int32)
    mask = np.zeros(parsing.shape, np.uint8)
    cv2.fillConvexPoly(mask, outline, 1)
    photo[mask > 0], parsing[mask > 0] = (40, 160, 60), DRESS
    person = editor.set_person(photo, pose=made.pose, parsing=parsing)
    other = lender("long")
    worn = person.wear({"pants": editor.set_person(other.photo, pose=other.pose, parsing=other.parsing)})
    for share in (0.9, 1.3):
        upper, lower = ("hip", "knee") if share < 1 else ("knee", "ankle")
        a, b = (middle(made.pose, f"{s}_{upper}", f"{s}_{lower}", share % 1) for s in ("right", "left"))
        assert worn.parsing[a] == PANTS == worn.parsing[b]
        assert worn.parsing[a[0], (a[1] + b[1]) // 2] == 0
        assert not (worn.parsing[a[0]] == DRESS).any()


def in_dress_over(made, wide: int):
    """A view of somebody in a dress to above the knees, and in tights of a width in pixels, or wider trousers."""
    parsing = np.where(made.parsing == PANTS, 0, made.parsing).astype(np.uint8)
    for side in ("right", "left"):
        names = [f"{side}_{n}" for n in ("hip", "knee", "ankle")]
        for a, b in zip(names[:-1], names[1:], strict=True):
            start, end = (tuple(int(v) for v in made.pose[JOINT[n], :2]) for n in (a, b))
            leg = cv2.line(np.zeros(parsing.shape, np.uint8), start, end, 1, wide)
            parsing[(leg > 0) & np.isin(parsing, [0, PANTS])] = PANTS
    hips, knees = (made.pose[[JOINT[f"{s}_{n}"] for s in ("right", "left")], :2] for n in ("hip", "knee"))
    down = hips + 0.6 * (knees - hips)
    dress = np.zeros(parsing.shape, np.uint8)
    cv2.fillConvexPoly(
        dress, np.array([*(hips + ((-14, -60), (14, -60))), *(down + ((-16, 0), (16, 0)))[::-1]], np.int32), 1
    )
    parsing[dress > 0] = DRESS
    return View(made.photo, parsing, made.pose), dress > 0


def test_tights_are_told_from_trousers_and_stay_below_another_dress(editor):
    made = draw_person(trousers=(40, 40, 40))
    outline = limb(made.pose, LEGS[0])
    assert outline is not None
    thin = int(2 * outline[30, 2])
    view, _ = in_dress_over(made, thin)
    assert tights(view, 1.0) and not tights(in_dress_over(made, 2 * thin)[0], 1.0)
    assert not tights(View(made.photo, made.parsing, made.pose), 1.0)  # nothing hangs over them
    photo = made.photo.copy()
    photo[view.parsing == PANTS], photo[view.parsing == DRESS] = (40, 40, 40), (40, 160, 60)
    person = editor.set_person(photo, pose=made.pose, parsing=view.parsing)
    short = lender("short")
    worn = person.wear({"dress": editor.set_person(short.photo, pose=short.pose, parsing=short.parsing)})
    for share in (0.5, 0.95):  # also where the longer dress hid them
        here = middle(made.pose, "left_hip", "left_knee", share)
        assert worn.parsing[here] == PANTS and np.abs(worn.photo[here].astype(int) - 40).max() < 40


def test_a_coats_tail_beside_the_legs_is_told_from_a_skirt(person):
    shape, size, pose = person.parsing.shape, torso_length(person.pose), person.pose
    hips, knees = (pose[[JOINT[f"{s}_{n}"] for s in ("right", "left")], :2] for n in ("hip", "knee"))
    parsing = np.zeros(shape, np.uint8)
    for joints in LEGS:
        parsing[drawn(limb(pose, joints), shape)] = LEG
    hem = hips + 0.5 * (knees - hips)
    skirt, tail = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(
        skirt, np.array([*(hips + ((-16, 0), (16, 0))), *(hem + ((-20, 0), (20, 0)))[::-1]], np.int32), 1
    )
    x, low = int(knees[:, 0].min()), int(knees[:, 1].mean())
    tail[int(hips[:, 1].mean()) : low, x - 45 : x - 16] = 1
    cloth = (skirt > 0) | (tail > 0)
    worn = np.where(cloth, np.uint8(DRESS), parsing)
    assert not beside_legs(skirt > 0, np.where(skirt > 0, np.uint8(DRESS), parsing), pose, size).any()
    found = beside_legs(cloth, worn, pose, size)
    assert found[int(hem[:, 1].mean()) + 6 : low, x - 40 : x - 20].all()  # the tail
    middle_of_it = int(pose[[JOINT["right_hip"], JOINT["left_hip"]], 0].mean())
    assert not found[int(hips[:, 1].mean()) : int(hem[:, 1].mean()), middle_of_it].any()  # the skirt stays
    assert not beside_legs(np.zeros(shape, bool), parsing, pose, size).any()


def test_nothing_is_seen_beside_an_open_coat_and_between_its_fronts_it_is(person):
    shape, pose = person.parsing.shape, person.pose
    left, right = sorted(int(pose[JOINT[f"{s}_hip"], 0]) for s in ("right", "left"))
    y = int(pose[JOINT["left_hip"], 1])
    coat = np.zeros(shape, bool)
    coat[y - 40 : y + 30, left - 14 : left + 2] = coat[y - 40 : y + 30, right - 2 : right + 14] = True
    found = _beside_top(coat, np.zeros(shape, bool), pose)
    assert found[y + 10, left - 20] and found[y + 10, right + 20] and not found[y + 10, left + 6 : right - 6].any()
    assert found[y + 34, left - 24] and not found[y + 70, left - 24]  # below its hem it widens bit by bit
    assert not _beside_top(np.zeros(shape, bool), np.zeros(shape, bool), pose).any()


def test_what_sticks_out_of_a_skirt_on_one_side_is_none_of_it(person):
    pose, size = person.pose, torso_length(person.pose)
    x, y = (int(v) for v in pose[[JOINT["right_hip"], JOINT["left_hip"]], :2].mean(axis=0))
    skirt = np.zeros(person.parsing.shape, np.uint8)
    outline = np.array([(x - 24, y - 20), (x + 24, y - 20), (x + 40, y + 70), (x - 40, y + 70)], np.int32)
    cv2.fillConvexPoly(skirt, outline, 1)
    both, plain = skirt.copy(), skirt > 0
    cv2.circle(skirt, (x + 40, y + 15), 11, 1, -1)
    bag = (skirt > 0) & ~plain
    found = ears(skirt > 0, pose, size)
    assert found[bag].mean() > 0.8 and (found & plain).sum() < 0.03 * plain.sum()
    assert not ears(plain, pose, size).any()
    for side in (-1, 1):  # a ruffle
        cv2.circle(both, (x + side * 40, y + 15), 11, 1, -1)
    assert not ears(both > 0, pose, size).any()


def test_limbs_have_their_names_in_order():
    assert list(LIMBS) == ["right_arm", "right_leg", "left_arm", "left_leg"]
