"""A garment is a layer of its own: what is held stays with whoever holds it; maps that call a dress a top, or a coat a
dress, are read as people would."""

import cv2
import numpy as np
import pytest

from pise_core.long_tops import hangs_as_dress
from pise_core.regions import REGION
from pise_core.rendering.wearing.garment import cut
from pise_core.rendering.wearing.outline import behind
from pise_core.skeleton import JOINT
from tests.conftest import draw_person
from tests.test_wear import GREEN, lender, middle
from tests.test_worn_below import crop  # noqa: F401

TOP, DRESS, PANTS, SKIN, LEG, FACE = (
    REGION[n] for n in ("upper_clothes", "dress", "pants", "upper_skin", "leg", "face")
)
RED, WHITE, BLACK, ORANGE = (190, 60, 50), (240, 240, 235), (15, 15, 15), (230, 140, 60)


def to_thighs(made, share=0.7, colour=RED, region=TOP, wide=14, trousers=False):
    """The person with something from the hips down to a share of the thigh, over trousers or over bare legs."""
    photo, parsing, pose = made.photo.copy(), made.parsing.copy(), made.pose
    if not trousers:
        photo[parsing == PANTS], parsing[parsing == PANTS] = (224, 180, 150), LEG
    hips, knees = (pose[[JOINT[f"{s}_{n}"] for s in ("right", "left")], :2] for n in ("hip", "knee"))
    out = np.array(((-wide, 0), (wide, 0)))
    corners = np.array([*hips + out, *(hips + share * (knees - hips) + out)[::-1]], np.int32)
    mask = np.zeros(parsing.shape, np.uint8)
    cv2.fillConvexPoly(mask, corners, 1)
    photo[mask > 0], parsing[mask > 0] = colour, region
    return photo, parsing, pose


def held_at(shape, centre, half=14):
    labels = np.zeros(shape, np.uint8)
    x, y = (int(v) for v in centre)
    labels[y - half : y + half, x - half : x + half] = 1
    return labels


def test_what_the_lender_holds_before_a_garment_is_cut_out_and_the_cloth_goes_on_there(editor):
    made = draw_person(400, 600)
    x, y = made.pose[JOINT["neck"], :2] + (4, 90)
    labels = held_at(made.parsing.shape, (x, y))
    photo = made.photo.copy()
    photo[labels > 0] = BLACK
    strap = np.s_[int(y) - 60 : int(y) - 10, int(x) - 3 : int(x) + 3]  # the map takes it for the top
    photo[strap] = BLACK
    person = editor.set_person(photo, pose=made.pose, parsing=made.parsing, held=labels)
    garment = cut(person, TOP)
    share = 1 - np.prod([1 - piece for piece in garment.pieces.values()], axis=0)
    shift = made.pose[JOINT["neck"], :2] - garment.pose[JOINT["neck"], :2]
    here = slice(int(y - 60 - shift[1]), int(y + 14 - shift[1])), slice(int(x - 14 - shift[0]), int(x + 14 - shift[0]))
    assert (share[here] > 0.9).all()
    assert np.abs(garment.colours[here].astype(int) - RED).max() < 40


def test_what_the_wearer_holds_stays_before_the_new_garment(editor, known_other):
    made = draw_person(400, 600)
    labels = held_at(made.parsing.shape, made.pose[JOINT["neck"], :2] + (0, 90))
    photo = made.photo.copy()
    photo[labels > 0] = BLACK
    person = editor.set_person(photo, pose=made.pose, parsing=made.parsing, held=labels)
    worn = person.wear({"upper_clothes": known_other})
    inside = cv2.erode(labels, np.ones((7, 7), np.uint8)) > 0
    assert np.abs(worn.photo[inside].astype(int) - BLACK).max() < 12
    beside = cv2.dilate(labels, np.ones((15, 15), np.uint8)) > cv2.dilate(labels, np.ones((9, 9), np.uint8))
    assert np.abs(np.median(worn.photo[beside], axis=0) - (60, 150, 70)).max() < 40
    assert worn.held is not None and np.array_equal(worn.held.labels, labels)


def test_a_sleeve_that_ends_where_a_bag_begins_goes_on_to_where_the_other_ends(editor):
    made = lender("long")
    elbow, wrist = (made.pose[JOINT[f"left_{name}"], :2] for name in ("elbow", "wrist"))
    labels = held_at(made.parsing.shape, 0.4 * elbow + 0.6 * wrist, 26)
    hems = []
    for held in (None, labels):
        photo = made.photo.copy()
        if held is not None:
            photo[held > 0] = BLACK
        person = editor.set_person(photo, pose=made.pose, parsing=made.parsing, held=held)
        hems.append(cut(person, TOP).hems)
    assert hems[1]["left_arm"] == hems[1]["right_arm"] == hems[0]["right_arm"]


def test_a_skirt_is_as_wide_behind_a_bag_as_on_the_other_side(person):
    pose = person.pose
    hips, knee = pose[[JOINT["right_hip"], JOINT["left_hip"]], :2], pose[JOINT["left_knee"], 1]
    middle_x, top, bottom = int(hips[:, 0].mean()), int(hips[0, 1]), int(knee)
    whole = np.zeros(person.parsing.shape, bool)
    for y in range(top - 40, bottom):
        half = 14 + max(0, y - top) // 2  # it flares
        whole[y, middle_x - half : middle_x + half] = True
    bag = np.zeros_like(whole)
    bag[top + 8 :, middle_x + 12 : middle_x + 70] = True
    rows = np.arange(len(whole))[:, None]
    found, _ = behind(whole & ~bag, bag, pose, 1.0, flares=True)
    missing = whole & bag & (rows > top + 12) & (rows < bottom - 8)
    assert missing.any() and found[missing].mean() > 0.85 and (found & ~whole).sum() < 0.2 * missing.sum()


def test_a_top_that_hangs_to_the_thighs_over_bare_legs_is_a_dress(editor, known):
    photo, parsing, pose = to_thighs(draw_person(400, 500, (110, 40, 300, 460)))
    assert hangs_as_dress(parsing, pose) and not hangs_as_dress(known.parsing, known.pose)
    over = to_thighs(draw_person(), trousers=True)
    assert not hangs_as_dress(over[1], over[2])  # a long shirt
    lost = pose.copy()
    lost[JOINT["left_hip"]] = np.nan
    assert not hangs_as_dress(parsing, lost)
    person = editor.set_person(photo, pose=pose, parsing=parsing)
    assert person.lends(DRESS) and not known.lends(DRESS)
    worn = known.wear({"dress": person})
    for share in (-0.5, 0.3):
        at = middle(known.pose, "neck", "left_hip", 0.5) if share < 0 else middle(known.pose, "left_hip", "left_knee")
        assert worn.parsing[at] == DRESS and np.abs(worn.photo[at].astype(int) - RED).max() < 60


def test_trousers_take_the_place_of_a_skirt_that_the_map_calls_a_top(editor, known_other):
    photo, parsing, pose = to_thighs(draw_person(), colour=WHITE)
    wearer = editor.set_person(photo, pose=pose, parsing=parsing)
    worn = wearer.wear({"pants": known_other})
    for share in (0.25, 0.5, 0.8):
        at = middle(pose, "left_hip", "left_knee", share)
        assert worn.parsing[at] == PANTS and np.abs(worn.photo[at].astype(int) - (90, 90, 95)).max() < 60
    blouse = middle(pose, "neck", "left_hip", 0.6)
    assert worn.parsing[blouse] == TOP and np.array_equal(worn.photo[blouse], photo[blouse])
    white = (worn.photo.min(2) > 220) & (parsing == TOP)
    assert white.sum() < 0.05 * ((photo.min(2) > 220) & (parsing == TOP)).sum()


def test_a_coats_tail_stays_before_trousers(editor, known_other):
    photo, parsing, pose = to_thighs(draw_person(), region=DRESS, trousers=True)
    wearer = editor.set_person(photo, pose=pose, parsing=parsing)
    worn = wearer.wear({"pants": known_other})
    tail = cv2.erode((parsing == DRESS).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    assert tail.any() and np.array_equal(worn.parsing[tail], parsing[tail])
    assert np.array_equal(worn.photo[tail], photo[tail])
    shin = middle(pose, "left_knee", "left_ankle", 0.4)
    assert worn.parsing[shin] == PANTS and np.abs(worn.photo[shin].astype(int) - (90, 90, 95)).max() < 60


@pytest.fixture(scope="module")
def low_skirt(editor):
    """Who lends a skirt whose upper part a jacket hides."""
    photo, parsing, pose = to_thighs(draw_person(400, 500, (110, 40, 300, 460)), 1.0, ORANGE, DRESS, 22)
    hip, knee = (pose[JOINT[f"left_{n}"], 1] for n in ("hip", "knee"))
    jacket = (parsing == DRESS) & (np.arange(len(parsing))[:, None] < hip + 0.3 * (knee - hip))
    photo[jacket], parsing[jacket] = (70, 70, 200), TOP
    return editor.set_person(photo, pose=pose, parsing=parsing)


def test_a_skirt_that_a_jacket_hid_goes_up_to_the_wearers_top(known, low_skirt):
    worn = known.wear({"dress": low_skirt})
    x, y = known.pose[[JOINT["left_hip"], JOINT["right_hip"]], :2].mean(0).astype(int)
    knee = int(known.pose[JOINT["left_knee"], 1])
    column = worn.parsing[y - 6 : int(y + 0.8 * (knee - y)), x]
    below = np.flatnonzero(column == DRESS)
    assert len(below) and (column[below[0] :] == DRESS).all() and (column[: below[0]] == TOP).all()


def test_a_new_neck_has_the_colour_of_the_face_and_not_of_pale_hands(editor, lenders_sleeveless):
    made = draw_person()
    photo = made.photo.copy()
    parsing = made.parsing.copy()
    hands = np.zeros(parsing.shape, np.uint8)
    for side in ("left", "right"):
        cv2.circle(hands, tuple(int(v) for v in made.pose[JOINT[f"{side}_wrist"], :2]), 9, 1, -1)
    arms = (parsing == SKIN) & (np.arange(len(photo))[:, None] > made.pose[JOINT["neck"], 1] + 20)
    photo[arms], parsing[arms & (hands == 0)] = RED, TOP
    photo[arms & (hands > 0)] = (250, 240, 238)
    wearer = editor.set_person(photo, pose=made.pose, parsing=parsing)
    worn = wearer.wear({"upper_clothes": lenders_sleeveless})
    new = (worn.parsing == SKIN) & (made.parsing == TOP)
    ys = np.flatnonzero(new.any(axis=1))
    x, y = made.pose[JOINT["neck"], :2].astype(int)
    chest = new & (np.abs(np.arange(new.shape[1]) - x) < 12)[None] & (np.arange(len(new))[:, None] < y + 12)
    assert len(ys) and chest.sum() > 10
    tone, face = np.median(worn.photo[chest], axis=0), np.array((224, 180, 150))
    assert np.abs(tone - face).max() < np.abs(tone - (250, 240, 238)).max() and np.abs(tone - face).max() < 40


@pytest.fixture(scope="module")
def lenders_sleeveless(editor):
    made = lender("sleeveless")
    photo, parsing = made.photo.copy(), made.parsing.copy()
    x, y = made.pose[JOINT["neck"], :2].astype(int)
    low = np.zeros(parsing.shape, bool)
    low[y - 8 : y + 26, x - 24 : x + 24] = True
    low &= parsing == TOP
    photo[low], parsing[low] = GREEN, SKIN
    return editor.set_person(photo, pose=made.pose, parsing=parsing)


def test_an_arm_goes_on_to_the_hand_though_the_wrist_was_placed_too_high(editor, lenders_sleeveless):
    made = draw_person(440, 660)
    photo, parsing, pose = made.photo.copy(), made.parsing.copy(), made.pose.copy()
    elbow, wrist = (made.pose[JOINT[f"left_{name}"], :2] for name in ("elbow", "wrist"))
    hand = np.zeros(parsing.shape, np.uint8)
    cv2.circle(hand, tuple(int(v) for v in wrist), 14, 1, -1)
    sleeve = (parsing == SKIN) & (hand == 0) & (np.arange(len(photo))[:, None] > elbow[1])
    photo[sleeve], parsing[sleeve] = RED, TOP
    pose[JOINT["left_wrist"], :2] = 0.5 * elbow + 0.5 * wrist
    wearer = editor.set_person(photo, pose=pose, parsing=parsing)
    worn = wearer.wear({"upper_clothes": lenders_sleeveless})
    for share in (0.55, 0.65, 0.75):
        x, y = ((1 - share) * elbow + share * wrist).astype(int)
        assert worn.parsing[y, x] == SKIN


def test_cloth_beside_a_new_arm_has_its_own_colour(editor, crop):  # noqa: F811
    made = draw_person(440, 660, shirt=WHITE)
    photo, parsing, pose = made.photo.copy(), made.parsing.copy(), made.pose.copy()
    hip, neck = pose[JOINT["left_hip"], :2], pose[JOINT["neck"], :2]
    elbow, wrist = pose[JOINT["left_elbow"], :2], (neck[0], hip[1] - 16)
    pose[JOINT["left_wrist"], :2] = wrist
    bare = (parsing == SKIN) & (np.arange(440)[None] > neck[0] + 30)
    photo[bare], parsing[bare] = made.photo[0, 0], 0
    sleeve = np.zeros(parsing.shape, np.uint8)
    cv2.line(sleeve, tuple(int(v) for v in elbow), tuple(int(v) for v in wrist), 1, 26)
    photo[sleeve > 0], parsing[sleeve > 0] = WHITE, TOP
    wearer = editor.set_person(photo, pose=pose, parsing=parsing)
    worn = wearer.wear({"upper_clothes": crop})
    new = ((worn.parsing == SKIN) & (parsing == TOP)).astype(np.uint8)
    ring = (cv2.dilate(new, np.ones((5, 5), np.uint8)) > 0) & (worn.parsing == TOP)
    strange = np.abs(worn.photo[ring].astype(int) - (70, 70, 200)).max(1) > 60
    assert ring.sum() > 20 and strange.mean() < 0.06
