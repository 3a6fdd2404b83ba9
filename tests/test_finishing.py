"""What lies behind the parts of a person is finished: cloth behind an arm, legs behind a hem, else the wall."""

import cv2
import numpy as np
import pytest

from pise_core.editor import Editor
from pise_core.finishing import FRONTS, finish_behind, fronts_of
from pise_core.framing import Framing
from pise_core.hidden_body import HiddenBody
from pise_core.masks import grow
from pise_core.pose import empty_pose
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.warping.behind import Behind
from pise_core.warping.parts import PARTS, among, assign_parts
from pise_core.warping.warp import carry
from tests.conftest import Drawn, draw_person
from tests.test_parts import turned

SKIN, SCALE = (224, 180, 150), 256 / 660
ARM = FRONTS["right_arm"].parts


def finished(name: str, editor: Editor, drawn: Drawn) -> Behind:
    """The layers behind some parts of a drawn person, as the weights that ship see it."""
    person = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    behind = person.full.behind(name, person.framing.scale)
    assert behind is not None
    return behind


def striped(drawn: Drawn) -> np.ndarray:
    """The photo with stripes on the shirt."""
    photo = drawn.photo.copy()
    stripes = (np.arange(photo.shape[0]) // 6 % 2 == 0)[:, None]
    photo[(drawn.parsing == REGION["upper_clothes"]) & stripes] = (90, 20, 160)
    return photo


@pytest.fixture(scope="module")
def crossed() -> tuple[Drawn, np.ndarray]:
    """A person with the right forearm across the belly, and where that was drawn."""
    drawn = draw_person(440, 660)
    photo, pose, parsing = striped(drawn), drawn.pose.copy(), drawn.parsing.copy()
    shoulder, hip = pose[JOINT["right_shoulder"], :2], pose[JOINT["left_hip"], :2]
    old = among(assign_parts(parsing, pose), ARM) & (parsing == REGION["upper_skin"])
    photo[old], parsing[old] = (150, 165, 180), 0
    pose[JOINT["right_elbow"], :2] = shoulder + (-4, 120)
    pose[JOINT["right_wrist"], :2] = [hip[0] - 20, shoulder[1] + 110]
    arm = np.zeros(parsing.shape, np.uint8)
    ends = [np.rint(pose[JOINT[name], :2]).astype(int).tolist() for name in ("right_elbow", "right_wrist")]
    cv2.line(arm, ends[0], ends[1], 1, 22)
    photo[arm > 0], parsing[arm > 0] = SKIN, REGION["upper_skin"]
    return Drawn(photo, pose, parsing), arm > 0


def test_behind_an_arm_before_the_belly_is_the_shirt_in_its_own_stripes(crossed, editor):
    drawn, arm = crossed
    owner = assign_parts(drawn.parsing, drawn.pose)
    behind = finished("right_arm", editor, drawn)
    belly = np.zeros(arm.shape, bool)
    shoulders = drawn.pose[[JOINT["right_shoulder"], JOINT["left_shoulder"]], 0]
    belly[:, int(shoulders.min()) + 24 : int(shoulders.max()) - 24] = True
    hidden = (arm & belly & among(owner, ARM))[behind.window]
    assert hidden.sum() > 400
    assert (behind.parsing[hidden] == REGION["upper_clothes"]).mean() > 0.98
    assert (behind.owner[hidden] == PARTS.index("torso")).mean() > 0.98
    colours = behind.image[hidden].astype(int)
    of_a_stripe = [np.abs(colours - stripe).max(1) < 40 for stripe in ((90, 20, 160), (190, 60, 50))]
    assert (of_a_stripe[0] | of_a_stripe[1]).mean() > 0.75
    assert min(of_a_stripe[0].mean(), of_a_stripe[1].mean()) > 0.2


def test_behind_an_arm_that_hangs_beside_the_torso_is_the_wall(editor):
    drawn = draw_person(440, 660)
    owner = assign_parts(drawn.parsing, drawn.pose)
    behind = finished("right_arm", editor, drawn)
    rest = (drawn.parsing > 0) & ~among(owner, FRONTS["right_arm"].hiding)
    far = ~grow(rest, 5 / SCALE)[behind.window]
    shoulder = drawn.pose[JOINT["right_shoulder"], 1]
    below = np.arange(behind.window[0].start, behind.window[0].stop) > shoulder + 60
    assert not (behind.parsing[below] > 0)[far[below]].any()


def block(said: int, width: int = 8) -> tuple[np.ndarray, np.ndarray, Behind]:
    """A block of cloth from column 60 on, a hand on its edge, and what is finished behind that where somebody says that
    the region ``said`` reaches ``width`` pixels beyond the edge; the hand, the regions found, and what is finished."""
    parsing = np.zeros((256, 176), np.uint8)
    parsing[60:220, 60:120] = REGION["dress"]
    owner = np.where(parsing > 0, PARTS.index("skirt"), -1).astype(np.int8)
    hand = np.zeros(parsing.shape, np.uint8)
    cv2.circle(hand, (60, 140), 7, 1, -1)
    parsing[hand > 0], owner[hand > 0] = REGION["upper_skin"], PARTS.index("right_forearm")
    image = np.full((*parsing.shape, 3), 90, np.uint8)
    image[hand > 0] = SKIN
    shares = np.zeros((8, 128, 88), np.float32)
    shares[REGION["dress"], 30:110, 30:60] = 1
    shares[said, :, 30 - width // 2 : 30] = 1
    shares[0] = 1 - shares[1:].sum(0)
    body = HiddenBody(shares, shares, Framing((176, 256), 1.0, 0.0, 0.0))
    behind = finish_behind("right_arm", image, parsing, owner, draw_person(176, 256).pose, 1.0, body)
    assert behind is not None
    found = np.zeros(parsing.shape, np.uint8)
    found[behind.window] = behind.parsing
    return hand > 0, found, behind


def test_a_bite_that_a_hand_takes_out_of_an_edge_is_closed():
    hand, found, behind = block(REGION["dress"], width=0)
    inside, outside = hand & (np.arange(176) >= 63), hand & (np.arange(176) < 57)
    assert (found[inside] == REGION["dress"]).mean() > 0.95
    assert (found[outside] > 0).mean() < 0.05
    shown = np.zeros((*hand.shape, 3), np.uint8)
    shown[behind.window] = behind.image
    assert np.abs(shown[inside].astype(int) - 90).max() < 12


def test_cloth_goes_as_far_as_the_edge_above_and_below_says_and_no_farther_than_it_is_hidden():
    hand, found, _ = block(REGION["dress"], width=4)
    inside = hand & (np.arange(176) >= 61)
    assert (found[inside] == REGION["dress"]).all()
    # The network says that it reaches four pixels beyond the whole edge; what is seen counts more.
    assert (found[hand & (np.arange(176) < 57)] == 0).all()
    assert (found[~grow(hand, 2)] == 0).all()


def test_what_is_nowhere_seen_is_not_made_up():
    hand, found, behind = block(REGION["pants"], width=8)
    assert set(np.unique(found)) == {0, REGION["dress"]}
    assert set(np.unique(behind.owner[behind.parsing > 0])) == {PARTS.index("skirt")}
    assert hand.any()


@pytest.mark.parametrize("wall", [0, 30])
def test_a_leg_goes_on_behind_a_bag_that_hides_its_knee_unless_it_runs_elsewhere(wall):
    """The network says background; ``wall``: so many rows of the way are seen, and nothing is there."""
    pose, parsing = empty_pose(), np.zeros((256, 176), np.uint8)
    for joint, y in (("hip", 60), ("knee", 130), ("ankle", 200)):
        pose[JOINT[f"right_{joint}"]] = 70, y, 1
    parsing[60:100, 62:79] = parsing[170:205, 62:79] = REGION["pants"]
    owner = np.where(parsing > 0, PARTS.index("right_thigh"), -1).astype(np.int8)
    owner[150:][parsing[150:] > 0] = PARTS.index("right_shin")
    bag = np.zeros(parsing.shape, bool)
    bag[100 : 170 - wall, 45:100] = True
    owner[bag] = PARTS.index("right_held")
    image = np.full((*parsing.shape, 3), 90, np.uint8)
    nothing = np.zeros((8, 128, 88), np.float32)
    nothing[0] = 1
    body = HiddenBody(nothing, nothing, Framing((176, 256), 1.0, 0.0, 0.0))
    behind = finish_behind("right_arm", image, parsing, owner, pose, 1.0, body)
    found = np.zeros(parsing.shape, np.uint8)
    if behind is not None:
        found[behind.window] = behind.parsing
    knee = np.zeros(parsing.shape, bool)
    knee[110:130, 64:77] = True
    assert (found[knee] == (0 if wall else REGION["pants"])).all()
    assert (found[:, :56] == 0).all() and (found[:, 86:] == 0).all()


def test_legs_reach_up_behind_the_hem(editor):
    drawn = draw_person(440, 660)
    owner = assign_parts(drawn.parsing, drawn.pose)
    behind = finished("trunk", editor, drawn)
    legs = [PARTS.index(part) for part in ("left_thigh", "right_thigh")]
    assert set(np.unique(behind.owner[behind.parsing > 0])) <= set(legs)
    highest = np.nonzero(among(owner, legs))[0].min()
    reached = behind.window[0].start + np.nonzero(behind.parsing > 0)[0].min()
    assert highest - 12 / SCALE < reached < highest - 3 / SCALE


def test_where_an_arm_was_the_finished_torso_shows_and_all_else_keeps_its_bits(crossed, editor):
    drawn, arm = crossed
    owner = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing).full.owner
    wanted = turned(drawn.pose, ["right_wrist"], "right_elbow", 130)
    behind = finished("right_arm", editor, drawn)
    moved = carry(drawn.photo, drawn.parsing, owner, drawn.pose, wanted, rim=3, behind=[behind])
    assert moved.staying is not None
    whole = np.zeros(arm.shape, bool)
    whole[behind.window] = behind.parsing > 0
    seen = whole & moved.lifted & ~moved.landed
    assert seen.sum() > 500
    assert (moved.parsing[seen] == REGION["upper_clothes"]).mean() > 0.95
    skin = np.abs(moved.image[seen].astype(int) - SKIN).max(1) < 12
    assert skin.mean() < 0.02 and (moved.trust[seen] > 0.5).mean() > 0.95
    rest = (owner >= 0) & ~moved.lifted & ~moved.landed
    assert (moved.image[rest] == drawn.photo[rest]).all() and (moved.trust[rest] == 1).all()
    stays = rest[moved.about]
    assert stays.any() and (moved.staying.image[stays] == drawn.photo[moved.about][stays]).all()
    below = moved.uncovered()
    assert (below.image[rest] == drawn.photo[rest]).all()


def test_an_arm_drawn_away_leaves_no_skin_on_the_shirt(editor, crossed):
    drawn, arm = crossed
    person = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    wanted = turned(drawn.pose, ["right_wrist"], "right_elbow", 130)
    result = person.render(pose=wanted).photo
    new = grow(among(assign_parts(drawn.parsing, wanted), ARM), 1)
    moved = carry(drawn.photo, drawn.parsing, person.full.owner, drawn.pose, wanted)
    old = arm & ~grow(moved.landed | new, 3) & (person.full.owner == PARTS.index("right_forearm"))
    assert old.sum() > 150
    assert (np.abs(result[old].astype(int) - SKIN).max(1) < 16).mean() < 0.02
    again = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing).render(pose=wanted).photo
    assert (again == result).all()


def test_part_of_a_view_knows_the_same_of_what_lies_behind(editor, crossed):
    drawn, _ = crossed
    person = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    whole = person.full.behind("right_arm", person.framing.scale)
    assert whole is not None and person.full.behind("right_arm", person.framing.scale) is whole
    rows, columns = whole.window
    window = slice(rows.start + 10, rows.stop + 5), slice(max(0, columns.start - 7), columns.stop - 12)
    part = person.full.part(window).behind("right_arm", person.framing.scale)
    assert part is not None
    assert (part.image == whole.image[10:, :-12]).all()
    assert part.window[0].start == 0 and part.window[1].start == columns.start - window[1].start
    assert whole.part((slice(0, 2), slice(0, 2))) is None


def test_what_is_looked_for_behind_depends_on_what_moves():
    assert fronts_of([PARTS.index("left_forearm")]) == ["left_arm"]
    assert fronts_of([PARTS.index("left_thigh")]) == ["trunk"]
    assert fronts_of([PARTS.index("skirt")]) == ["left_arm", "right_arm", "torso", "trunk"]
    assert fronts_of([]) == []


def test_a_torso_cut_out_is_whole_behind_the_arm_and_its_edge_is_soft(editor, crossed):
    """What the browser moves, and Person.layers, are finished layers."""
    drawn, arm = crossed
    person = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    layers = {layer.name: layer for layer in person.layers}
    torso = layers["torso"]
    shown = np.zeros((*arm.shape, 4), np.uint8)
    shown[torso.window] = torso.image
    moved = arm & (person.full.owner == PARTS.index("right_forearm"))
    behind = person.full.behind("right_arm", person.framing.scale)
    assert behind is not None
    hidden = np.zeros(arm.shape, bool)
    hidden[behind.window] = (behind.owner == PARTS.index("torso")) & (behind.parsing > 0)
    hidden &= moved
    assert hidden.sum() > 300 and (shown[hidden, 3] == 255).all()
    assert (np.abs(shown[hidden, :3].astype(int) - SKIN).max(1) < 16).mean() < 0.03
    assert {part.part: part.image.shape for part in person.full.cut_outs(person.framing.scale)} == {
        name: layer.image.shape for name, layer in layers.items() if name != "background"
    }
    forearm = layers["right_forearm"].image[..., 3]
    assert ((forearm > 0) & (forearm < 255)).any()
