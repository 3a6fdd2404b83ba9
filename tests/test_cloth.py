"""Garments that go on beyond what is known of them."""

import cv2
import numpy as np
import pytest

from pise_core.document import Document
from pise_core.document.edits import Edits
from pise_core.document.renderer import Renderer
from pise_core.inpainting.garments import continue_cloth
from pise_core.inpainting.mirror import continue_regions
from pise_core.regions import REGION

_SKIRT = REGION["dress"]


def pleats(height: int, width: int) -> np.ndarray:
    """Upright folds, 12 pixels wide."""
    fold = 120 + 60 * np.sin(2 * np.pi * np.arange(width) / 12)
    picture = np.broadcast_to(fold[None, :, None], (height, width, 3))
    return (picture * [0.5, 0.9, 0.7]).astype(np.uint8)


@pytest.fixture
def longer():
    """A skirt whose upper half is known: true picture, colours, trust, the map and what was painted."""
    truth = pleats(200, 140)
    wanted = np.zeros((200, 140), np.uint8)
    wanted[20:180, 20:120] = _SKIRT
    painted = wanted > 0
    painted[:100] = False
    trust = np.where(painted, 0, wanted > 0).astype(np.float32)
    colours = np.where(trust[..., None] > 0, truth, np.uint8(0))
    return truth, colours, trust, wanted, painted


def test_folds_go_on(longer):
    truth, colours, trust, wanted, painted = longer
    made, belief = continue_cloth(colours, trust, wanted, painted, 1.0)
    assert (made[~painted] == colours[~painted]).all() and (belief[~painted] == trust[~painted]).all()
    assert (belief[painted] > 0.9).all()
    wrong = np.abs(made.astype(int) - truth).mean(2)[painted]
    assert wrong.mean() < 0.5 * np.abs(truth[painted] - truth[painted].mean(0)).mean()
    assert np.std(made[painted]) > 0.7 * np.std(truth[painted])
    assert (continue_cloth(colours, trust, wanted, painted, 1.0)[0] == made).all()


def test_folds_go_on_through_what_was_mirrored_at_the_border(longer):
    """A borrowed garment: beside what is known its mirrored picture is there already, and half believed."""
    truth, colours, trust, wanted, painted = longer
    slanted = np.broadcast_to(np.indices((200, 140)).sum(0)[..., None] % 16 < 8, truth.shape) * np.uint8(
        120
    ) + np.uint8(60)
    colours = np.where(trust[..., None] > 0, slanted, 0).astype(np.uint8)
    mirrored, believed = continue_regions(colours, trust, wanted, 10)
    made, belief = continue_cloth(mirrored, believed, wanted, painted, 1.0)
    assert (belief[painted] > 0.9).all()
    wrong = np.abs(made.astype(int) - slanted).mean(2)
    near = painted & (np.arange(200)[:, None] < 130)
    assert wrong[near].mean() < 0.35 * np.abs(slanted[near] - slanted[near].mean(0)).mean()


def test_plain_cloth_keeps_its_grain_and_shows_no_pattern(longer):
    _, _, trust, wanted, painted = longer
    cloth = np.clip(140 + np.random.default_rng(0).normal(0, 6, (200, 140, 1)), 0, 255).repeat(3, 2).astype(np.uint8)
    cloth = cv2.GaussianBlur(cloth, (0, 0), 0.7)
    made, _ = continue_cloth(np.where(trust[..., None] > 0, cloth, 0).astype(np.uint8), trust, wanted, painted, 1.0)
    inside = cv2.erode(painted.astype(np.uint8), np.ones((5, 5))) > 0
    filled = made[..., 0].astype(float)
    assert filled[inside].mean() == pytest.approx(140, abs=4)
    grain = cloth[..., 0][wanted > 0].std()
    assert 0.6 * grain < filled[inside].std() < 1.6 * grain
    # A cell that is shown over and over would make the picture like itself a few pixels on.
    part = filled[110:170, 30:110] - filled[110:170, 30:110].mean()
    for shift in range(4, 12):
        alike = [(part[:, shift:] * part[:, :-shift]).mean(), (part[shift:] * part[:-shift]).mean()]
        assert max(alike) < 0.5 * (part**2).mean()


def test_nothing_goes_on_where_hardly_anything_is_known_or_where_it_is_no_cloth(longer):
    _, colours, trust, wanted, painted = longer
    hardly = np.where(np.arange(200)[:, None] < 21, trust, 0).astype(np.float32)
    assert continue_cloth(colours, hardly, wanted, painted, 1.0)[1] is hardly
    for region in ("face", "upper_skin", "leg"):
        other = np.where(wanted > 0, REGION[region], 0).astype(np.uint8)
        made, belief = continue_cloth(colours, trust, other, painted, 1.0)
        assert made is colours and belief is trust
    made, _ = continue_cloth(colours, trust, wanted, np.zeros_like(painted), 1.0)
    assert made is colours


def test_a_garment_is_continued_from_itself_alone(longer):
    truth, colours, trust, wanted, painted = longer
    wanted[20:60, 20:120] = REGION["upper_clothes"]
    colours[20:60, 20:120] = (250, 20, 20)
    made, _ = continue_cloth(colours, trust, wanted, painted, 1.0)
    assert made[painted][:, 0].max() < 150  # nothing of the red shirt


def test_a_painted_skirt_has_texture_and_the_rest_keeps_its_bits(known):
    """In a photo: what was painted beyond the shirt is not the network's flat paint."""
    parsing = known.parsing.copy()
    ys, xs = np.nonzero(parsing == REGION["pants"])
    top = np.zeros(parsing.shape, bool)
    top[ys.min() : (ys.min() + ys.max()) // 2] = True
    parsing[top & (parsing == REGION["pants"])] = REGION["upper_clothes"]
    plain, textured = (known.render(parsing=parsing, cloth=cloth) for cloth in (False, True))
    assert not (plain.photo == textured.photo).all()
    painted = cv2.dilate((parsing != known.parsing).astype(np.uint8), np.ones((25, 25))) > 0
    assert (textured.photo[~painted] == known.photo[~painted]).all()
    assert (known.render(parsing=parsing).photo == textured.photo).all()
    # Without the detail path there is nothing to continue from.
    alone = [known.render(parsing=parsing, detail=False, cloth=cloth).photo for cloth in (False, True)]
    assert (alone[0] == alone[1]).all()


def test_a_motion_takes_the_texture_of_painted_cloth_along(known):
    document = Document.of(known)
    parsing = known.parsing.copy()
    rows = np.nonzero((parsing == REGION["pants"]).any(1))[0]
    top = np.arange(len(parsing))[:, None] < rows.mean()
    parsing[top & (parsing == REGION["pants"])] = REGION["upper_clothes"]
    document.set_regions(parsing)
    lowered = known.pose.copy()
    lowered[:, 1] += 0.01 * len(parsing)  # the whole body: its texture comes along as it is
    document.set_motion([known.pose, lowered], seconds=0.1, loop=False)
    first, last = (make().astype(int) for make in document.frames())
    worn = Renderer(known, {}).render(document.edits, preview=True, cloth=True)
    assert (first == worn.photo).all()
    shift = round(0.01 * len(parsing) * len(first) / len(parsing))
    painted = cv2.erode((worn.parsing == REGION["upper_clothes"]).astype(np.uint8), np.ones((15, 15))) > 0
    painted &= document.sized(preview=True).parsing == REGION["pants"]
    there = np.abs(last[shift:] - first[:-shift])[painted[:-shift]].mean()
    assert painted.sum() > 200 and there < 5
    plain = document.render(Edits(pose=lowered, paint=document.edits.paint), preview=True).photo.astype(int)
    assert np.abs(plain[shift:] - first[:-shift])[painted[:-shift]].mean() > 1.5 * there


def test_paint_that_the_own_pose_hides_is_not_lost_in_a_motion(editor, known):
    """Painted in another pose, on legs that are below the picture in the person's own."""
    low = known.pose.copy()
    low[:, 1] += 0.4 * len(known.photo)
    photo, parsing = (np.roll(a, round(0.4 * len(known.photo)), 0) for a in (known.photo, known.parsing))
    beyond = editor.set_person(photo, pose=low, parsing=parsing)
    document = Document.of(beyond)
    document.set_pose(known.pose)
    document.paint("upper_clothes", known.parsing == REGION["pants"])
    assert document.paint_kept(Edits(paint=document.edits.paint)) < 0.9
    assert Renderer(beyond, {}).dressed(document.edits) is None
    document.set_motion([known.pose, beyond.pose], seconds=0.1, loop=False)
    shown = document.frames()[0]()
    assert (shown == document.render(preview=True).photo).all()
