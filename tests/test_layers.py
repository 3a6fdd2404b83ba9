"""Hands, sleeves and soft edges: what belongs to an arm goes with it, and nothing of it stays."""

import cv2
import numpy as np
import pytest

from pise_core.detection.map_cleaning import clean_map
from pise_core.framing import Framing
from pise_core.guided_filter import guided_filter
from pise_core.masks import grow
from pise_core.matting import own_colours, soft_edges
from pise_core.pose import default_skeleton
from pise_core.regions import REGION, one_hot
from pise_core.skeleton import JOINT
from pise_core.warping.arm_edges import refine_arms
from pise_core.warping.parts import PARTS, assign_parts
from tests.conftest import draw_person
from tests.test_parts import turned

ARMS = [PARTS.index(part) for part in PARTS if "arm" in part]


def disc(size: tuple[int, int], centre: np.ndarray, radius: float) -> np.ndarray:
    mask = np.zeros(size, np.uint8)
    cv2.circle(mask, np.rint(centre).astype(int).tolist(), round(radius), 1, -1)
    return mask > 0


@pytest.fixture(scope="module")
def drawn():
    return draw_person(440, 660)


def cleaned(drawn, photo: np.ndarray, parsing: np.ndarray, perhaps_skin: float = 0.2) -> np.ndarray:
    """``perhaps_skin``: what the analyzer gives skin everywhere, beside the region of the map."""
    framing = Framing.around((88, 50, 352, 620), (440, 660))
    probabilities = (1 - perhaps_skin) * one_hot(framing.crop(parsing, labels=True))
    probabilities[REGION["upper_skin"]] += perhaps_skin
    return clean_map(photo, parsing, probabilities, framing, drawn.pose)


@pytest.mark.parametrize("taken_for", ["pants", "background", "leg", "upper_clothes"])
def test_a_hand_is_skin_whatever_the_map_took_it_for(drawn, taken_for):
    hand = disc(drawn.parsing.shape, drawn.pose[JOINT["right_wrist"], :2] + (0, 12), 11)
    photo, parsing = drawn.photo.copy(), drawn.parsing.copy()
    photo[hand] = (224, 180, 150)
    parsing[hand] = REGION[taken_for]
    found = cleaned(drawn, photo, parsing)
    assert (found[hand] == REGION["upper_skin"]).mean() > 0.9
    outside = ~grow(hand, 6)
    assert (found[outside] == parsing[outside]).mean() > 0.999


@pytest.mark.parametrize("taken_for", ["pants", "background", "upper_clothes"])
def test_what_has_the_colour_of_skin_is_no_hand_where_the_analyzer_is_sure(drawn, taken_for):
    cuff = disc(drawn.parsing.shape, drawn.pose[JOINT["right_wrist"], :2] + (0, 12), 11)
    photo, parsing = drawn.photo.copy(), drawn.parsing.copy()
    photo[cuff] = (224, 180, 150)
    parsing[cuff] = REGION[taken_for]
    assert (cleaned(drawn, photo, parsing, perhaps_skin=0.01)[cuff] == REGION[taken_for]).mean() > 0.9


def test_a_wall_of_the_colour_of_skin_is_no_hand(drawn):
    photo = drawn.photo.copy()
    photo[drawn.parsing == 0] = (224, 180, 150)
    found = cleaned(drawn, photo, drawn.parsing)
    assert ((found > 0) & (drawn.parsing == 0)).sum() < 30


def test_speckles_go_and_pieces_of_one_garment_get_one_label(drawn):
    parsing = drawn.parsing.copy()
    x, y = drawn.pose[[JOINT["neck"]], :2].astype(int)[0]
    parsing[y + 60 : y + 66, x : x + 6] = REGION["pants"]
    parsing[(drawn.parsing == REGION["upper_clothes"]) & (np.arange(660)[:, None] > y + 120)] = REGION["dress"]
    found = cleaned(drawn, drawn.photo, parsing)
    shirt = cv2.erode((drawn.parsing == REGION["upper_clothes"]).astype(np.uint8), np.ones((5, 5))) > 0
    assert (found[shirt] == REGION["upper_clothes"]).mean() > 0.98


def test_two_garments_of_different_colours_stay_two(drawn):
    assert (cleaned(drawn, drawn.photo, drawn.parsing) == drawn.parsing).mean() > 0.999


def test_a_suit_of_one_colour_has_two_pieces():
    suit = draw_person(440, 660, shirt=(40, 44, 60), trousers=(40, 44, 60))
    found = cleaned(suit, suit.photo, suit.parsing)
    for region in ("upper_clothes", "pants"):
        piece = suit.parsing == REGION[region]
        assert (found[piece] == REGION[region]).mean() > 0.98


def test_a_hand_before_the_belly_goes_with_its_arm(drawn):
    pose, parsing = drawn.pose.copy(), drawn.parsing.copy()
    middle = (pose[JOINT["right_hip"], :2] + pose[JOINT["left_hip"], :2]) / 2
    pose[JOINT["right_wrist"], :2] = middle + (-30, -20)
    hand = disc(parsing.shape, middle + (-12, -18), 12)
    parsing[hand] = REGION["upper_skin"]
    assert (assign_parts(parsing, pose)[hand] == PARTS.index("right_forearm")).mean() > 0.95


def test_a_hand_that_a_bag_cuts_off_stays_with_its_arm(drawn):
    parsing = drawn.parsing.copy()
    elbow, wrist = drawn.pose[JOINT["right_elbow"], :2], drawn.pose[JOINT["right_wrist"], :2]
    parsing[disc(parsing.shape, elbow + 0.75 * (wrist - elbow), 16)] = 0
    hand = disc(parsing.shape, wrist + (4, 14), 10)
    parsing[hand] = REGION["upper_skin"]
    parsing[disc(parsing.shape, wrist + (30, 14), 16) & ~hand] = REGION["upper_clothes"]
    photo = np.where(parsing[..., None] == REGION["upper_skin"], np.uint8(200), drawn.photo)
    owner = refine_arms(assign_parts(parsing, drawn.pose), photo, drawn.pose, parsing)
    assert (owner[hand] == PARTS.index("right_forearm")).all()


@pytest.mark.parametrize(
    ("scarf", "end", "stays"),
    [((200, 150, 30), 130, True), ((12, 13, 28), 130, False), ((200, 150, 30), 240, False)],
)
def test_a_scarf_over_a_sleeve_stays_with_the_body(scarf, end, stays):
    """Even across the bone, if it is of another hue: a darker strip may be a fold. What lies all along the bone is a
    sleeve of two colours."""
    pose = default_skeleton((60, 10, 240, 390))
    for joint, y in (("shoulder", 85), ("elbow", 160), ("wrist", 235)):
        pose[JOINT[f"right_{joint}"]] = 86, y, 1
    parsing = np.zeros((400, 300), np.uint8)
    parsing[80:240, 60:210] = REGION["upper_clothes"]
    owner = np.where(parsing > 0, np.int8(PARTS.index("torso")), np.int8(-1))
    owner[80:160, 60:100], owner[160:240, 60:100] = PARTS.index("right_upper_arm"), PARTS.index("right_forearm")
    photo = np.full((400, 300, 3), 200, np.uint8)
    photo[80:240, 60:94], photo[80:240, 94:210] = (28, 30, 62), scarf
    photo[80:end, 84:94] = scarf
    arm = np.isin(refine_arms(owner, photo, pose, parsing), ARMS)
    assert arm[100:220, 62:82].mean() > 0.95
    across = arm[100 : end - 10, 85:90].mean()
    assert across < 0.1 if stays else across > 0.9


def test_an_arm_ends_where_its_sleeve_does(drawn):
    """A white sleeve before a dark coat: the nearest bone gives the coat some of it."""
    photo, parsing = drawn.photo.copy(), drawn.parsing.copy()
    sleeve = np.zeros(parsing.shape, np.uint8)
    for side in ("right", "left"):
        ends = [
            np.rint(drawn.pose[JOINT[f"{side}_{j}"], :2]).astype(int).tolist() for j in ("shoulder", "elbow", "wrist")
        ]
        cv2.polylines(sleeve, [np.array(ends)], False, 1, 38)
    coat = (parsing == REGION["upper_clothes"]) & (sleeve == 0)
    photo[coat], photo[sleeve > 0] = (40, 42, 48), (235, 235, 230)
    parsing[sleeve > 0] = REGION["upper_clothes"]
    rough = assign_parts(parsing, drawn.pose)
    fine = refine_arms(rough, photo, drawn.pose, parsing)

    def wrong(owner: np.ndarray) -> int:
        shoulders = drawn.pose[JOINT["right_shoulder"], 1] + 30  # at the shoulder nobody knows
        below = (np.arange(660) > shoulders)[:, None] & (parsing == REGION["upper_clothes"])
        return int((below & (np.isin(owner, ARMS) != (sleeve > 0))).sum())

    assert wrong(fine) < 0.4 * wrong(rough)
    assert ((fine >= 0) == (rough >= 0)).all()


def test_a_striped_sleeve_has_no_fringes(drawn):
    """Every other stripe looks like the coat behind it: colours alone would cut a comb."""
    photo, parsing = drawn.photo.copy(), drawn.parsing.copy()
    sleeve = np.zeros(parsing.shape, np.uint8)
    for side in ("right", "left"):
        joints = [JOINT[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")]
        cv2.polylines(sleeve, [np.rint(drawn.pose[joints, :2]).astype(int)], False, 1, 38)
    stripes = (np.arange(660) // 7 % 2 == 0)[:, None] & (sleeve > 0)
    photo[(parsing == REGION["upper_clothes"]) | (sleeve > 0)] = (40, 42, 48)
    photo[stripes] = (235, 235, 230)
    parsing[sleeve > 0] = REGION["upper_clothes"]
    owner = refine_arms(assign_parts(parsing, drawn.pose), photo, drawn.pose, parsing)
    arm, torso = np.isin(owner, ARMS), owner == PARTS.index("torso")
    rows = slice(int(drawn.pose[JOINT["right_shoulder"], 1]) + 40, int(drawn.pose[JOINT["right_elbow"], 1]))
    edges = [np.flatnonzero(arm[y, 1:] != arm[y, :-1]) for y in range(rows.start, rows.stop) if torso[y].any()]
    inner = np.array([edge[np.argmin(np.abs(edge - drawn.pose[JOINT["neck"], 0]))] for edge in edges if len(edge)])
    assert len(inner) > 30 and np.abs(np.diff(inner)).max() <= 3


def test_values_follow_the_edges_of_the_picture():
    picture = np.full((80, 80, 3), 40, np.uint8)
    picture[:, 43:] = 200
    rough = np.zeros((80, 80), np.float32)
    rough[:, 40:] = 1  # three pixels beside the edge
    fine = guided_filter(picture, rough, 6, 1e-4)
    assert fine[40, 35:42].max() < 0.45 and fine[40, 44:50].min() > 0.55
    assert np.abs(guided_filter(picture, np.full((80, 80), 0.7, np.float32), 6, 1e-4) - 0.7).max() < 1e-3
    large = cv2.resize(picture, (640, 640), interpolation=cv2.INTER_NEAREST)
    wide = guided_filter(large, cv2.resize(rough, (640, 640)), 48, 1e-4)
    assert np.abs(cv2.resize(wide, (80, 80), interpolation=cv2.INTER_AREA) - fine)[:, [20, 38, 48, 60]].max() < 0.15


def test_the_soft_edge_is_where_the_photo_has_it_and_has_the_persons_colours():
    truth = np.zeros((300, 200), np.float32)
    cv2.ellipse(truth, (100, 150), (50, 110), 0, 0, 360, 1.0, -1)
    truth = cv2.GaussianBlur(truth, (0, 0), 1.5)
    red, green = np.array((200, 40, 40)), np.array((40, 160, 60))
    photo = np.rint(truth[..., None] * red + (1 - truth[..., None]) * green).astype(np.uint8)
    coarse = cv2.resize((truth > 0.5).astype(np.uint8), (50, 75), interpolation=cv2.INTER_AREA)
    parsing = cv2.resize(coarse, (200, 300), interpolation=cv2.INTER_NEAREST) * np.uint8(REGION["dress"])
    owner = np.where(parsing > 0, 5, -1).astype(np.int8)
    edges = soft_edges(photo, parsing, owner, 0.3)
    band = grow(parsing > 0, 6) & grow(parsing == 0, 6)
    assert np.abs(edges.share - truth)[band].mean() < 0.5 * np.abs((parsing > 0) - truth)[band].mean()
    seen = (edges.share > 0.3) & (edges.share < 1)
    assert np.abs(edges.colours[seen].astype(int) - red).mean() < 0.3 * np.abs(photo[seen].astype(int) - red).mean()
    assert (edges.colours[edges.share == 0] == photo[edges.share == 0]).all()
    assert (edges.owner[edges.share > 0] == 5).all()


def test_colours_of_a_whole_pixel_are_the_photos():
    photo = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    share = np.zeros((40, 40), np.float32)
    share[10:30, 10:30] = 1
    assert (own_colours(photo, share, 2.0) == photo).all()


@pytest.fixture(scope="module")
def textured():
    """A person whose sleeves and hands have nothing in common with shirt and wall, and the wall alone."""
    drawn = draw_person(440, 660)
    wall = np.full(drawn.photo.shape, (150, 165, 180), np.uint8)
    photo = np.where(drawn.parsing[..., None] > 0, drawn.photo, wall)
    owner = assign_parts(drawn.parsing, drawn.pose)
    arms = np.isin(owner, ARMS) & (drawn.parsing == REGION["upper_clothes"])
    photo[arms] = (30, 200, 60)
    return drawn._replace(photo=photo), wall, np.isin(owner, ARMS)


def test_a_lifted_arm_leaves_the_wall_behind_and_no_sleeve(editor, textured):
    drawn, wall, arms = textured
    person = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    wanted = turned(drawn.pose, ["right_elbow", "right_wrist"], "right_shoulder", -100)
    result = person.render(pose=wanted)
    moved = np.isin(person.full.owner, [PARTS.index(p) for p in ("right_upper_arm", "right_forearm")])
    rest = (drawn.parsing > 0) & ~moved
    new = grow(np.isin(assign_parts(result.parsing, wanted), ARMS), 6)
    vacated = grow(moved, 3) & ~grow(rest, 12) & ~new
    assert vacated.sum() > 300
    off = np.abs(result.photo.astype(int) - wall).mean(2)[vacated]
    assert (off > 14).mean() < 0.03
    green = (result.photo[..., 1] > 150) & (result.photo[..., 0] < 90) & (result.photo[..., 2] < 110)
    shoulder = drawn.pose[JOINT["right_shoulder"], :2]
    old = moved & ~new & ~disc(moved.shape, shoulder, 40)
    assert green[old].mean() < 0.01


def test_the_edge_of_a_moved_arm_is_the_persons_and_not_the_old_wall(editor, textured):
    """Before a wall that is dark on one side and light on the other, the old wall doesn't come along."""
    drawn, _, _ = textured
    photo = drawn.photo.copy()
    photo[drawn.parsing == 0] = (250, 250, 250)
    blurred = cv2.GaussianBlur(photo, (0, 0), 1.2)
    high = (np.arange(660) < drawn.pose[JOINT["right_shoulder"], 1] - 20)[:, None] & (drawn.parsing == 0)
    blurred[high] = (20, 20, 20)
    person = editor.set_person(blurred, pose=drawn.pose, parsing=drawn.parsing)
    wanted = turned(drawn.pose, ["right_elbow", "right_wrist"], "right_shoulder", -150)
    result = person.render(pose=wanted)
    above = high & ~grow(drawn.parsing > 0, 12)
    white = (result.photo.min(2) > 200) & above
    assert result.changed[above].any() and white.sum() < 20


@pytest.mark.parametrize("size", [0.4, 0.7])
def test_a_person_made_smaller_leaves_nothing(editor, textured, size):
    drawn, wall, _ = textured
    person = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    wanted = drawn.pose.copy()
    feet = np.array([np.nanmean(wanted[:, 0]), np.nanmax(wanted[:, 1])])
    wanted[:, :2] = (wanted[:, :2] - feet) * size + feet
    result = person.render(pose=wanted)
    new = grow(result.parsing > 0, 14)
    old = grow(drawn.parsing > 0, 10) & ~new
    assert old.sum() > 5000
    assert (np.abs(result.photo.astype(int) - wall).mean(2)[old] > 14).sum() == 0
    x0, x1 = np.nanmin(wanted[:, 0]), np.nanmax(wanted[:, 0])
    reach = 0.35 * np.ptp(drawn.pose[:, 1])
    far = np.ones(drawn.parsing.shape, bool)
    far[max(0, int(wanted[:, 1].min() - reach)) :, int(x0 - reach) : int(x1 + reach)] = False
    assert not (result.parsing[far] > 0).any()


def test_a_persons_layers_laid_over_one_another_are_the_photo(editor, textured):
    drawn, _, _ = textured
    photo = cv2.GaussianBlur(drawn.photo, (0, 0), 1.0)
    person = editor.set_person(photo, pose=drawn.pose, parsing=drawn.parsing)
    layers, alpha = person.layers, person.alpha
    assert layers[0].name == "background" and [layer.depth for layer in layers] == list(range(len(layers)))
    assert {layer.name for layer in layers[1:]} <= set(PARTS)
    laid = layers[0].image[..., :3].astype(float)
    for layer in layers[1:]:
        share = layer.image[..., 3:] / 255
        laid[layer.window] = laid[layer.window] * (1 - share) + layer.image[..., :3] * share
    assert np.abs(laid - photo).mean() < 1.5
    assert alpha.shape == drawn.parsing.shape and alpha.dtype == np.float32
    assert alpha.min() == 0 and alpha.max() == 1
    inner, outer = grow(drawn.parsing == 0, 12), grow(drawn.parsing > 0, 12)
    assert (alpha[~inner] == 1).all() and (alpha[~outer] == 0).all()
