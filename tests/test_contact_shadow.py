"""The shadow beside somebody's feet goes where the feet go, and the ground below it is clean."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from pise_core.contact_shadow import shadowed
from pise_core.document import Document
from pise_core.document.export import exported
from pise_core.pose import default_skeleton
from pise_core.skeleton import JOINT
from pise_core.warping.part_transforms import shadow_move
from tests.conftest import Drawn, draw_person

ANKLES = [JOINT["right_ankle"], JOINT["left_ankle"]]
#: Frame pixels per pixel of the drawn photo.
SCALE = 0.36


def plain() -> Drawn:
    """Somebody on ground that is all of one colour."""
    drawn = draw_person(440, 660)
    photo = drawn.photo.copy()
    photo[500:][drawn.parsing[500:] == 0] = (150, 145, 140)
    return drawn._replace(photo=photo)


def beside(drawn: Drawn, colour: np.ndarray, size=(44, 15), shift=(0, 16)) -> tuple[Drawn, np.ndarray]:
    """With the ground beside the feet times a colour, and where that is."""
    mask = np.zeros(drawn.parsing.shape, np.uint8)
    for x, y in drawn.pose[ANKLES, :2]:
        cv2.ellipse(mask, (round(x + shift[0]), round(y + shift[1])), size, 0, 0, 360, 1, -1)
    there = (mask > 0) & (drawn.parsing == 0)
    photo = drawn.photo.copy()
    photo[there] = np.rint(photo[there] * colour)
    return drawn._replace(photo=photo), there


@pytest.fixture(scope="module")
def shady():
    return beside(plain(), np.array([0.55, 0.57, 0.6]))


@pytest.fixture(scope="module")
def seen(editor, shady):
    drawn, _ = shady
    return editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)


def found(drawn: Drawn) -> np.ndarray:
    where, out = shadowed(drawn.photo, drawn.parsing, drawn.pose, SCALE), np.zeros(drawn.parsing.shape, bool)
    if where is not None:
        out[where[0]] = where[1]
    return out


def test_a_shadow_that_touches_the_feet_is_found(shady):
    drawn, there = shady
    mask = found(drawn)
    assert mask[there].mean() > 0.75
    assert there[mask].mean() > 0.8
    assert not found(plain()).any()


def test_what_has_another_colour_or_lies_apart_or_goes_on_is_none():
    assert not found(beside(plain(), np.array([0.9, 0.2, 0.2]))[0]).any()
    assert not found(beside(plain(), np.array([0.5, 0.5, 0.5]), shift=(0, 50))[0]).any()
    assert not found(beside(plain(), np.array([0.5, 0.5, 0.5]), size=(260, 60))[0]).any()
    nowhere = plain()
    nowhere.pose[ANKLES] = np.nan, np.nan, 0
    assert not found(nowhere).any()


def test_it_goes_with_the_feet(seen, shady):
    drawn, there = shady
    pose = drawn.pose.copy()
    for joint, shift in zip(ANKLES, (-70, 70), strict=True):
        pose[joint, 0] += shift
    photo = seen.render(pose=pose).photo.astype(int)
    free = there & (seen.render(pose=pose).parsing == 0)
    assert np.abs(photo[free] - (150, 145, 140)).mean() < 6  # the ground that it lay on
    for joint in ANKLES:
        x, y = np.rint(pose[joint, :2]).astype(int)
        outside = -1 if joint == ANKLES[0] else 1
        beside_it = photo[y + 14 : y + 19, x + 37 * outside - 4 : x + 37 * outside + 4].mean()
        assert 0.5 < beside_it / 145 < 0.75


def test_it_stays_bit_for_bit_where_only_an_arm_moves(seen, shady):
    drawn, there = shady
    pose = drawn.pose.copy()
    pose[JOINT["right_wrist"], :2] += -60, -80
    edit = seen.render(pose=pose)
    assert edit.changed.any()
    assert (edit.photo[there] == drawn.photo[there]).all()


def test_previews_move_it_as_the_exact_picture_does(seen, shady):
    drawn, _ = shady
    pose = drawn.pose.copy()
    pose[ANKLES[0], 0] -= 60
    small = seen.scaled(330)
    half = pose * (0.5, 0.5, 1)
    exact = cv2.resize(seen.render(pose=pose).photo, (220, 330), interpolation=cv2.INTER_AREA).astype(int)
    rough = small.render(pose=half.astype(np.float32)).photo.astype(int)
    x, y = (half[ANKLES[0], :2]).astype(int)
    here = slice(y + 8, y + 14), slice(x - 12, x + 12)
    assert np.abs(exact[here] - rough[here]).mean() < 8


def test_layers_are_the_photo_with_the_shadow_a_layer_of_its_own(seen, shady):
    drawn, there = shady
    layers = seen.layers
    assert layers[0].name == "background"
    assert {layer.name for layer in layers if "shadow" in layer.name} >= {"left_shadow", "right_shadow"}
    assert all("shadow" in layer.name for layer in layers[1:3])
    assert [layer.depth for layer in layers] == list(range(len(layers)))
    out = layers[0].image[..., :3].astype(float)
    for layer in layers[1:]:
        share = layer.image[..., 3:] / 255.0
        out[layer.window] = layer.image[..., :3] * share + out[layer.window] * (1 - share)
    assert np.median(np.abs(out[there] - drawn.photo[there]).mean(1)) < 4
    assert np.median(np.abs(layers[0].image[..., :3][there].astype(int) - (150, 145, 140)).mean(1)) < 3


def test_what_reaches_farther_stays_without_a_gap(editor):
    """A shadow that goes on beyond the reach fades from what goes with the foot into what stays."""
    drawn, there = beside(plain(), np.array([0.55, 0.57, 0.6]), size=(90, 24))
    person = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    assert {shadow.side for shadow in person.shadows} == {"left", "right", "ground"}
    pose = drawn.pose.copy()
    pose[ANKLES[1], :2] += 40, 0
    edit = person.render(pose=pose)
    x, y = np.rint(drawn.pose[ANKLES[1], :2]).astype(int)
    row = edit.photo[y + 16 : y + 22, x + 4 : x + 120].mean((0, 2))
    steps = np.abs(np.diff(cv2.GaussianBlur(row[None], (0, 0), 2)[0]))
    sharp = np.abs(
        np.diff(cv2.GaussianBlur(drawn.photo[y + 16 : y + 22, x + 4 : x + 120].mean((0, 2))[None], (0, 0), 2)[0])
    )
    assert steps[70:].max() <= sharp.max() + 1  # no new edge far from where the foot is now


def test_a_lifted_foot_leaves_its_shadow_on_the_ground():
    source = default_skeleton((20, 20, 120, 320))
    target = source.copy()
    right, left = ANKLES
    target[right, :2] += -30, -80
    target[left, :2] += 10, -5
    move = shadow_move(source, target, "right")
    assert move is not None
    assert np.allclose(move.points(source[[right], :2]) - source[[right], :2], [[-30, -5]])
    target[right] = np.nan, np.nan, 0
    assert shadow_move(source, target, "right") is None


def test_it_grows_with_the_person():
    source = default_skeleton((20, 20, 120, 320))
    target = source.copy()
    target[:, :2] = 0.5 * source[:, :2] + (30, 100)
    move = shadow_move(source, target, "left")
    assert move is not None
    assert np.allclose(move.matrix, [[0.5, 0, 30], [0, 0.5, 100]], atol=1e-4)


def test_a_cut_out_leaves_the_shadow_on_the_ground(editor, shady):
    drawn, there = shady
    document = Document(editor, drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    assert document.person.shadows
    alpha = np.array(Image.open(io.BytesIO(exported(document, ".png", cut_out=True))))[..., 3]
    away = cv2.distanceTransform((drawn.parsing == 0).astype(np.uint8), cv2.DIST_L2, 5)
    assert not alpha[there & (away > 8)].any()
