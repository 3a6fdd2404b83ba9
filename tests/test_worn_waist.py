"""Where a top ends and what is worn below it begins; trousers and skirts that go on up; legs that end in shoes."""

import cv2
import numpy as np
import pytest

from pise_core.masks import grow
from pise_core.regions import REGION
from pise_core.rendering.wearing.going import in_hair, seen_through
from pise_core.rendering.wearing.names import one_piece, trousers_whole
from pise_core.rendering.wearing.outline import between
from pise_core.rendering.wearing.places import to_shoe
from pise_core.rendering.wearing.straps import strap
from pise_core.rendering.wearing.upward import mirrored_up
from pise_core.rendering.wearing.waist import parted
from pise_core.rendering.wearing.whole import even_hem
from pise_core.skeleton import JOINT, LEGS
from pise_core.view import View
from pise_core.warping.bare_body import limb, torso_length
from tests.conftest import draw_person
from tests.test_wear import lender

TOP, DRESS, PANTS, LEG = (REGION[name] for name in ("upper_clothes", "dress", "pants", "leg"))


@pytest.fixture
def drawn():
    """Who stands in a white top and blue trousers, which the map begins too low."""
    made = draw_person(trousers=(40, 60, 200))
    photo, parsing = made.photo.copy(), made.parsing.copy()
    hip = int(made.pose[[JOINT["left_hip"], JOINT["right_hip"]], 1].mean())
    size = torso_length(made.pose)
    rows = np.arange(len(parsing))[:, None]
    top = (parsing == TOP) & (rows < hip - 0.2 * size)
    xs = np.flatnonzero((parsing == TOP)[hip - round(0.25 * size)])
    block = np.zeros(parsing.shape, bool)
    block[hip - round(0.2 * size) : hip + round(0.3 * size), xs[0] : xs[-1] + 1] = True
    return made, photo, parsing, top, block


def test_a_top_ends_where_the_colours_of_the_trousers_begin(drawn):
    made, photo, parsing, top, block = drawn
    photo[block], parsing[block] = (40, 60, 200), PANTS
    right = parsing.copy()
    photo[top] = (230, 230, 225)
    parsing[block & (np.arange(len(parsing))[:, None] < np.nonzero(block)[0].mean())] = TOP
    none = np.zeros(parsing.shape, bool)
    found = parted(photo, parsing, made.pose, none, 1.0)
    wrong = np.count_nonzero(parsing != right)
    assert wrong > 100 and np.count_nonzero(found != right) < 0.15 * wrong
    photo[block] = (225, 225, 222)  # of the top's colour: nobody knows
    assert (parted(photo, parsing, made.pose, none, 1.0) == parsing).all()


def test_shoes_of_the_trousers_colour_stay_shoes():
    photo = np.full((200, 100, 3), (180, 180, 175), np.uint8)
    parsing = np.zeros((200, 100), np.uint8)
    photo[20:150, 40:60], photo[150:170, 40:60], photo[170:190, 40:60] = (30, 30, 34), (30, 30, 34), (40, 40, 46)
    parsing[20:150, 40:60], parsing[150:190, 40:60] = PANTS, LEG
    assert (trousers_whole(photo, parsing, 1.0) == parsing).all()


def test_a_coat_over_trousers_is_one_top_for_who_gets_another(editor):
    made = draw_person(trousers=(40, 60, 200))
    photo, parsing = made.photo.copy(), made.parsing.copy()
    hip, knee = (int(made.pose[JOINT[name], 1]) for name in ("left_hip", "left_knee"))
    tail = (parsing == PANTS) & (np.arange(len(parsing))[:, None] < (2 * hip + knee) // 3)
    photo[(parsing == TOP) | tail], parsing[tail] = (150, 40, 40), DRESS
    coat = editor.set_person(photo, pose=made.pose, parsing=parsing)
    assert (one_piece(coat, below="top")[tail] == TOP).all()
    top = lender("sleeveless")
    worn = coat.wear({"upper_clothes": editor.set_person(top.photo, pose=top.pose, parsing=top.parsing)})
    red = (worn.photo.astype(int)[..., 0] > worn.photo.astype(int)[..., 1:].max(2) + 70)[tail]
    assert red.mean() < 0.05


def test_what_has_a_garment_on_both_sides_lies_before_it():
    cloth = np.zeros((60, 60), bool)
    cloth[10:50, 10:50] = True
    bag = np.zeros_like(cloth)
    bag[20:55, 30:40] = True
    beside = np.zeros_like(cloth)
    beside[20:40, 50:58] = True
    cloth &= ~bag
    found = between(cloth, bag | beside)
    assert found[20:50, 30:40].all() and not found[50:].any() and not found[:, 50:].any()
    assert not (found & cloth).any() and not between(cloth, np.zeros_like(cloth)).any()


def test_folds_of_trousers_go_on_up_behind_a_jacket():
    colours = np.zeros((100, 60, 3), np.uint8)
    colours[40:, 10:50] = np.where(np.arange(40)[None, :, None] % 8 < 4, 90, 160)  # folds
    colours[40:43, 10:50] //= 3  # the jacket's shadow
    shown, open_ = np.zeros((2, 100, 60), bool)
    shown[40:, 10:50], open_[10:40, 10:50] = True, True
    made, known = mirrored_up(colours, shown, open_, 20.0, 1.0)
    inside = np.s_[12:44, 14:46]
    assert known[inside].all() and not (known & ~(shown | open_)).any()
    assert np.abs(made[inside].astype(int) - colours[60, 14:46]).max() <= 2
    assert (made[~known] == colours[~known]).all()
    same, none = mirrored_up(colours, np.zeros_like(shown), open_, 20.0, 1.0)
    assert not none.any() and (same == colours).all()


def test_skin_in_a_hole_of_trousers_goes_with_them():
    skin, cloth = np.zeros((2, 80, 40), bool)
    cloth[5:60, 10:30], skin[30:36, 18:24], skin[60:75, 10:30] = True, True, True
    cloth &= ~skin
    assert (seen_through(skin, cloth) == (skin & (np.arange(80)[:, None] < 60))).all()


def test_a_leg_reaches_the_shoe_that_is_seen_below_it(person):
    outline = limb(person.pose, LEGS[0])
    assert outline is not None
    x, y, r = outline[-1]
    shape = (int(y + 8 * r), person.parsing.shape[1])
    shoe = np.zeros(shape, bool)
    shoe[int(y + 3 * r) : int(y + 5 * r), int(x - r) : int(x + r)] = True
    found = to_shoe(outline, shoe, shape)
    assert found[int(y) : int(y + 3 * r), int(x)].all()
    assert not to_shoe(outline, np.zeros_like(shoe), shape).any()


def test_a_strap_from_a_bag_to_a_shoulder_is_none_of_the_garment(person):
    size, pose = torso_length(person.pose), person.pose
    shoulder, hip = (pose[JOINT[name], :2].astype(int) for name in ("left_shoulder", "right_hip"))
    photo = np.full((*person.parsing.shape, 3), 200, np.uint8)
    mask = np.zeros(person.parsing.shape, bool)
    mask[
        shoulder[1] - 6 : hip[1] + 6, pose[[2, 5], 0].min().astype(int) - 6 : pose[[2, 5], 0].max().astype(int) + 7
    ] = True
    photo[mask] = (230, 225, 220)
    drawn_strap = np.zeros(mask.shape, np.uint8)
    cv2.line(drawn_strap, shoulder.tolist(), hip.tolist(), 1, 3)
    held = np.zeros(mask.shape, bool)
    reach = round(0.25 * size)
    held[hip[1] - reach // 2 : hip[1] + reach, hip[0] - reach // 2 : hip[0] + reach // 2] = True
    photo[(drawn_strap > 0) | held] = (120, 70, 30)
    found = strap(photo, mask & ~held, held, pose, 1.0)
    middle = (drawn_strap > 0) & ~grow(held, 0.35 * size) & mask
    assert found[middle].mean() > 0.9
    assert np.count_nonzero(found & ~grow(drawn_strap > 0, 4)) == 0
    photo[(drawn_strap > 0) & ~held] = (230, 225, 220)
    photo[mask & (np.arange(len(mask))[:, None] < shoulder[1] + 0.3 * size)] = (120, 70, 30)  # a yoke is no strap
    assert not strap(photo, mask & ~held, held, pose, 1.0).any()
    assert not strap(photo, mask, np.zeros_like(mask), pose, 1.0).any()


def test_teeth_in_a_hem_go_and_a_step_stays():
    cloth = np.zeros((120, 140), bool)
    cloth[20:80, 10:130] = True
    right = cloth.copy()
    cloth[76:80, 40:45], cloth[80:84, 60:65] = False, True
    found = even_hem(cloth, 60.0)
    assert np.count_nonzero(found != right) < 8
    step = right.copy()
    step[80:100, 70:130] = True  # a shirt below a jacket
    assert (even_hem(step, 60.0) == step).mean() > 0.99 and even_hem(step, 60.0)[98, 90:110].all()


def test_cloth_on_a_shoulder_that_the_map_calls_hair_goes_with_its_garment(person):
    made = draw_person(shirt=(60, 170, 90))
    photo, parsing = made.photo.copy(), made.parsing.copy()
    x, y = made.pose[JOINT["left_shoulder"], :2].astype(int)
    hair = np.zeros(parsing.shape, bool)
    hair[y : y + 14, x - 22 : x - 4] = True
    neck = int(made.pose[JOINT["neck"], 1])
    head = (parsing == REGION["hair"]) & (np.arange(len(parsing))[:, None] < neck - 8)
    head[neck - 45 : neck - 25, x - 60 : x - 20] = True
    photo[head], parsing[head] = (50, 30, 20), REGION["hair"]
    gone = parsing == TOP
    gone &= ~hair
    parsing[hair] = REGION["hair"]
    found = in_hair(View(photo, parsing, made.pose), gone, 1.0)
    assert found[hair].mean() > 0.7 and not (found & ~hair).any()
    photo[hair] = (50, 30, 20)
    assert in_hair(View(photo, parsing, made.pose), gone, 1.0)[hair].mean() < 0.1
