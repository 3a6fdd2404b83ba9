"""What lies behind somebody in the large: the network, its weights, and what photos make of its answer."""

import json

import cv2
import numpy as np
import pytest
import torch

from pise_core.detection.hidden_background import (
    FILE_NAME,
    BackgroundConfig,
    BackgroundNetwork,
    HiddenBackground,
    seen,
)
from pise_core.detection.network import AnalyzerConfig, AnalyzerNetwork
from pise_core.editor import Editor
from pise_core.errors import InputError
from pise_core.framing import Framing
from pise_core.inpainting.background import Background
from pise_core.model.weights import SHIPPED, read_model, save_model, write_tensors
from tests.conftest import draw_person
from tests.test_parts import turned

SMALL = BackgroundConfig((4, 8, 8, 8, 8), 2)
FRAMING = Framing.around((60, 20, 160, 300), (220, 320))


def small() -> BackgroundNetwork:
    torch.manual_seed(0)
    return BackgroundNetwork(SMALL).eval()


def test_the_network_sees_colours_where_they_are_known():
    image = np.full((4, 6, 3), 255, np.uint8)
    known = np.ones((4, 6), bool)
    known[:, 2:4] = False
    shown = seen(image, known)
    assert shown.shape == (4, 4, 6) and shown.dtype == np.float32
    assert (shown[:3, known] == 0.5).all() and (shown[3] == known).all() and not shown[:, ~known].any()


def test_places_look_at_one_another_whatever_lies_between_them():
    network = small()
    picture = torch.zeros(1, 4, 64, 192)
    changed = picture.clone()
    changed[..., :8] = 0.5
    with torch.no_grad():
        apart = (network(changed) - network(picture)).abs()
    assert apart[..., -8:].max() > 0


@pytest.mark.parametrize("size", [(192, 128), (97, 61), (40, 200), (3, 5)])
def test_pictures_of_every_shape_are_answered_at_their_size(size):
    answer = HiddenBackground(small())(np.zeros((*size, 3), np.uint8), np.ones(size, bool))
    assert answer.shape == (*size, 3) and answer.dtype == np.uint8


def test_what_is_not_known_is_not_looked_at():
    rng = np.random.default_rng(0)
    image, known = rng.integers(0, 255, (96, 64, 3)).astype(np.uint8), np.ones((96, 64), bool)
    known[30:60, 20:40] = False
    other = image.copy()
    other[~known] = 255 - other[~known]
    network = HiddenBackground(small())
    assert (network(image, known) == network(other, known)).all()


def test_other_weights_are_refused_in_one_line(tmp_path):
    path = tmp_path / FILE_NAME
    with pytest.raises(InputError, match="missing"):
        HiddenBackground.read(path)
    save_model(path, AnalyzerNetwork(AnalyzerConfig((8, 8, 8, 8, 8), 8)))
    with pytest.raises(InputError, match="AnalyzerNetwork, not BackgroundNetwork"):
        HiddenBackground.read(path)
    for channels, heads in (
        ([4, 8], 2),
        ([4, 8, 8, 8, 0], 2),
        ("many", 2),
        ([4, 8, 8, 8, 16], 2),
        ([4, 8, 8, 8, 8], 3),
    ):
        config = {"network": "BackgroundNetwork", "config": json.dumps({"channels": channels, "heads": heads})}
        write_tensors(path, small().state_dict(), config)
        with pytest.raises(InputError, match="another make"):
            HiddenBackground.read(path)


def test_the_weights_that_ship_say_what_they_were_made_of():
    name, config, _ = read_model(SHIPPED / FILE_NAME)
    assert name == "BackgroundNetwork" and BackgroundConfig.from_dict(config) == BackgroundConfig()


def test_a_photo_is_asked_about_once_at_its_first_edit(editor):
    asked = []

    class Counting(HiddenBackground):
        def __call__(self, *given):
            asked.append(given)
            return super().__call__(*given)

    mine = Editor(editor.generator, editor.analyzer, background=Counting(small()))
    drawn = draw_person(220, 330)
    person = mine.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    assert not asked
    for angle in (60, 80):
        person.render(pose=turned(drawn.pose, ["right_elbow", "right_wrist"], "right_shoulder", angle))
    assert len(asked) == 1
    picture, known = asked[0]
    assert picture.shape[:2] == known.shape and max(known.shape) <= 192 and 0.1 < known.mean() < 1


def test_a_folder_of_weights_may_bring_its_own(tmp_path):
    save_model(tmp_path / FILE_NAME, small())
    editor = Editor.from_pretrained(tmp_path, device="cpu")
    assert editor.background is not None and editor.amodal is None


def standing(photo: np.ndarray, expect) -> np.ndarray:
    """The photo without a person who stands in the middle."""
    parsing = np.zeros(photo.shape[:2], np.uint8)
    parsing[60:300, 80:140] = 5
    return Background(photo, parsing, FRAMING, expect=expect).at()


def test_what_is_expected_is_shown_where_no_piece_looks_like_it():
    """A red wall is expected where all that can be seen is a green one: no green piece is shown."""
    photo = np.full((320, 220, 3), (20, 160, 20), np.uint8)
    photo[60:300, 80:140] = 255

    def red(picture, known):
        return np.where(known[..., None], picture, np.array([200, 20, 20], np.uint8))

    filled = standing(photo, red)
    assert np.abs(filled[150:220, 100:120].astype(int) - [200, 20, 20]).max() < 25
    untouched = np.ones(photo.shape[:2], bool)
    untouched[40:320, 60:160] = False
    assert (filled[untouched] == photo[untouched]).all()


def test_what_is_expected_meets_what_is_seen():
    """An answer that is off by 30 levels all over leaves no outline."""
    photo = np.full((320, 220, 3), 120, np.uint8)
    photo[60:300, 80:140] = 255
    filled = standing(photo, lambda picture, known: np.full_like(picture, 150)).astype(int)
    assert np.abs(np.diff(filled[180], axis=0)).max() <= 12
    assert np.abs(filled[180, 70:74] - 120).max() <= 6


def test_fine_texture_is_the_photos_own():
    rng = np.random.default_rng(1)
    grain = cv2.GaussianBlur(rng.normal(0, 24, (320, 220)).astype(np.float32), (0, 0), 0.8)
    photo = np.clip(120 + grain, 0, 255).astype(np.uint8)[..., None].repeat(3, 2)
    photo[60:300, 80:140] = 255
    filled = standing(photo, lambda picture, known: np.full_like(picture, 120)).astype(float)
    assert filled[100:280, 95:125].std() > 0.6 * filled[100:280, 5:35].std()


def test_pieces_that_meet_stay_as_they_are():
    """A wall of stripes goes on, though only its mean colour is expected."""
    rows = np.where(np.arange(320) % 12 < 4, 90, 170).astype(np.uint8)
    wall = np.ascontiguousarray(np.broadcast_to(rows[:, None, None], (320, 220, 3)))
    photo = wall.copy()
    photo[60:300, 80:140] = 255
    filled = standing(photo, lambda picture, known: np.full_like(picture, 143)).astype(int)
    inside = np.s_[90:270, 90:130]
    assert np.abs(filled[inside] - wall[inside]).mean() < 0.25 * np.abs(wall[inside] - 143.0).mean()


def test_nobody_beside_is_shown_a_second_time():
    """A dark passer-by is cut by the hole: they don't go on in it where a wall is expected."""
    rng = np.random.default_rng(2)
    photo = np.clip(150 + rng.normal(0, 3, (320, 220, 3)), 0, 255).astype(np.uint8)
    photo[120:240, 30:84] = (20, 20, 60)
    photo[60:300, 80:140] = 255
    filled = standing(photo, lambda picture, known: np.where(known[..., None], picture, np.uint8(150)))
    assert (np.abs(filled[130:230, 100:140].astype(int) - 150).max(2) > 60).mean() < 0.02


def test_previews_show_what_the_large_photo_does():
    rng = np.random.default_rng(1)
    photo = cv2.resize(rng.integers(0, 255, (20, 14, 3)).astype(np.uint8), (440, 640), interpolation=cv2.INTER_CUBIC)
    parsing = np.zeros(photo.shape[:2], np.uint8)
    parsing[120:600, 160:280] = 5
    large = Background(
        photo, parsing, Framing.around((120, 40, 320, 600), (440, 640)), expect=HiddenBackground(small())
    )
    half = cv2.resize(photo, (220, 320), interpolation=cv2.INTER_AREA)
    preview = Background(half, parsing[::2, ::2], FRAMING, larger=large).at()
    shown = cv2.resize(large.at(), (220, 320), interpolation=cv2.INTER_AREA)
    assert np.abs(preview.astype(int) - shown).mean() < 4


@pytest.mark.parametrize(
    ("size", "box"), [((40, 30), (10, 5, 20, 38)), ((700, 60), (20, 100, 40, 300)), ((9, 9), (3, 3, 6, 6))]
)
def test_photos_of_every_shape_are_filled(size, box):
    height, width = size
    photo = np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)
    parsing = np.zeros(size, np.uint8)
    x0, y0, x1, y1 = box
    parsing[y0:y1, x0:x1] = 5
    framing = Framing.around(box, (width, height))
    expect = HiddenBackground(small())
    first = Background(photo, parsing, framing, expect=expect).at()
    assert first.shape == photo.shape
    assert (Background(photo, parsing, framing, expect=expect).at() == first).all()
