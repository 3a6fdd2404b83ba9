"""Whom a photo is about: the largest person who is seen clearly, not the bag that is larger still."""

import numpy as np
import pytest
import torch

from pise_core.detection import analyzer as module
from pise_core.detection.analyzer import Analyzer, Sight
from pise_core.detection.network import AnalyzerConfig, AnalyzerNetwork
from pise_core.framing import Framing
from pise_core.pose import default_skeleton
from tests.conftest import draw_person

PHOTO = np.zeros((400, 600, 3), np.uint8)
LARGE, MIDDLE, SMALL = (20.0, 50.0, 220.0, 390.0), (250.0, 100.0, 350.0, 300.0), (500.0, 200.0, 560.0, 350.0)


@pytest.fixture
def seen(monkeypatch):
    """How clearly the person in each box is seen; None for nobody. Boxes that were looked at are noted."""
    clear: dict = {}
    looked: list = []

    def body(look, framing, box, reach):
        looked.append(box)
        if clear[box] is None:
            return None
        pose = default_skeleton(box)
        pose[:, 2] = clear[box]
        return Sight(pose, np.zeros((8, 256, 176), np.float32), Framing.around(box, (600, 400)), box)

    monkeypatch.setattr(module, "_body", body)
    monkeypatch.setattr(Analyzer, "_candidates", lambda self, photo: list(clear))
    monkeypatch.setattr(Analyzer, "_look", lambda self, image, flip=False: None)
    return clear, looked


def _found() -> list:
    return list(Analyzer(AnalyzerNetwork(AnalyzerConfig((4, 4, 4, 4, 4), 4))).find_people(PHOTO))


def test_clear_people_come_largest_first_and_are_not_waited_for(seen):
    clear, looked = seen
    clear |= {LARGE: 0.8, MIDDLE: 0.7, SMALL: 0.9}
    assert _found() == [LARGE, MIDDLE, SMALL]
    looked.clear()
    assert next(iter(Analyzer(AnalyzerNetwork(AnalyzerConfig((4, 4, 4, 4, 4), 4))).find_people(PHOTO))) == LARGE
    assert looked == [LARGE]


def test_what_is_hardly_a_person_gives_way_to_one_who_is_smaller(seen):
    clear, _ = seen
    clear |= {LARGE: 0.35, MIDDLE: None, SMALL: 0.85}
    assert _found() == [SMALL, LARGE]


def test_a_large_half_body_is_before_a_small_passer_by(seen):
    """Its lower joints are beyond the photo: half of them are missing."""
    clear, _ = seen
    clear |= {LARGE: 0.6, SMALL: 0.85}
    assert _found() == [LARGE, SMALL]


def test_what_is_held_is_seen_where_the_weights_know_it():
    """In the frame, and nothing beyond the person's surroundings; older weights answer nothing."""
    torch.manual_seed(0)
    drawn = draw_person()
    for known in (False, True):
        network = AnalyzerNetwork(AnalyzerConfig((8, 8, 8, 8, 8), 8, held=known)).eval()
        seen, _ = Analyzer(network)._closely(drawn.photo, Framing.around(LARGE, (220, 330)))
        assert (seen.held is not None) == known
        if seen.held is not None:
            assert seen.held.shape == (256, 176) and 0 < seen.held.min() <= seen.held.max() < 1
            maps = np.zeros((18, 64, 44), np.float32)
            maps[:, 32, 22] = 1
            probabilities = np.zeros((8, 256, 176), np.float32)
            probabilities[0], probabilities[:, 100:150, 80:100] = 1, 0
            probabilities[3, 100:150, 80:100] = 1
            framing = Framing.around(LARGE, (600, 400))
            sight = module._body(
                module._Look(maps, probabilities, np.ones((256, 176), np.float32)), framing, LARGE, 0.1
            )
            assert sight is not None and sight.held is not None
            assert sight.held[128, 88] == 1 and sight.held[:, 0].max() < 1


def test_boxes_stay_within_the_photo(seen):
    clear, _ = seen
    clear |= {(-5.0, 10.0, 80.0, 410.0): 0.9}
    assert _found() == [(0.0, 10.0, 80.0, 400.0)]
