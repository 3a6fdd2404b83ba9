"""Regions agree with the photo's colours."""

import numpy as np
import pytest

from pise_core.detection.analyzer import Analyzer
from pise_core.detection.colour_votes import agree_with_colours
from pise_core.framing import Framing
from pise_core.regions import REGION, one_hot

SIZE = 256, 176
COAT, TROUSERS = REGION["upper_clothes"], REGION["pants"]


@pytest.fixture
def coat():
    """A light coat above dark trousers before a grey wall: the picture, and its true map."""
    picture, truth = np.full((*SIZE, 3), 128, np.uint8), np.zeros(SIZE, np.uint8)
    truth[60:140, 60:110], truth[140:230, 65:105] = COAT, TROUSERS
    picture[truth == COAT], picture[truth == TROUSERS] = (180, 200, 230), (60, 20, 30)
    return picture, truth


def seen(truth: np.ndarray, sure: float = 0.7) -> np.ndarray:
    """Probabilities of someone who sees the truth, and takes the coat's lower corner for trousers."""
    taken = truth.copy()
    taken[134:140, 60:68] = TROUSERS
    probabilities = sure * one_hot(taken)
    return (probabilities + (1 - probabilities.sum(0)) / len(probabilities)).astype(np.float32)


def test_a_corner_gets_the_label_of_what_has_its_colour(coat):
    picture, truth = coat
    before = seen(truth)
    after = agree_with_colours(before, picture)
    assert (before.argmax(0) != truth).sum() == 6 * 8
    wrong = after.argmax(0) != truth
    assert wrong.sum() <= 6 * 8 / 2 and not wrong[:, 68:].any()  # cells end somewhere


def test_a_corner_stays_where_colours_say_nothing(coat):
    picture, truth = coat
    picture[truth > 0] = 90
    before = seen(truth)
    after = agree_with_colours(before, picture).argmax(0)
    assert (after[:, 60:] == before.argmax(0)[:, 60:]).mean() > 0.995


def test_shares_add_up_and_the_same_input_gives_the_same_bytes(coat):
    picture, truth = coat
    before = seen(truth)
    kept = before.copy()
    after = agree_with_colours(before, picture)
    assert after.dtype == np.float32 and np.abs(after.sum(0) - 1).max() < 1e-5
    assert after.tobytes() == agree_with_colours(before, picture).tobytes()
    assert (before == kept).all()


def test_nothing_changes_far_from_anybody(coat):
    picture, truth = coat
    before = seen(truth, sure=1.0)
    after = agree_with_colours(before, picture)
    assert (after[:, :40] == before[:, :40]).all() and (after[:, :, 130:] == before[:, :, 130:]).all()
    nobody = np.zeros_like(before)
    nobody[0] = 1
    assert (agree_with_colours(nobody, picture) == nobody).all()


def test_the_analyzer_lets_colours_vote(coat, monkeypatch):
    """What a close look says is what they agreed on, about the very frame."""
    import pise_core.detection.analyzer as module

    asked = []

    def agree(probabilities: np.ndarray, image: np.ndarray) -> np.ndarray:
        asked.append(image)
        return agree_with_colours(probabilities, image)

    monkeypatch.setattr(module, "agree_with_colours", agree)
    picture, _ = coat
    framing = Framing.whole((176, 256))
    pose = np.zeros((18, 3), np.float32)
    sight = Analyzer.from_pretrained().regions(picture, framing, (60, 40, 110, 230), pose)
    assert len(asked) == 1 and (asked[0] == picture).all()
    assert np.abs(sight.probabilities.sum(0) - 1).max() < 1e-5
