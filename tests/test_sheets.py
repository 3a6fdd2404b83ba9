"""Sheets show maps in the colours of our regions, whatever their order, and backgrounds where these are judged."""

from dataclasses import replace

import numpy as np
import pytest

from pise_core.framing import FRAME_SIZE
from pise_core.model.config import RELEASE_CONFIG, SHIPPED_CONFIG
from pise_core.model.network import PISE
from pise_core.regions import PALETTE, REGION
from pise_core.training.data.sources import open_source
from pise_core.training.generator.sheets import pairs_sheet, sheet
from tests.training_data import write_samples

OURS = replace(SHIPPED_CONFIG, width=4, modulation=4)
HEIGHT, WIDTH = FRAME_SIZE


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples"))


def _painted_maps(data, config) -> np.ndarray:
    """The maps of four pairs on their sheet, without the columns beside the frame."""
    drawn = pairs_sheet(open_source(data, config), np.random.default_rng(0), config, count=4)
    margin = 20 if config.canvas == "square" else 0
    tiles = np.split(drawn, 16, axis=1)
    return np.stack([tile[:, margin : tile.shape[1] - margin] for tile in tiles[1::4]])


@pytest.mark.parametrize("labels", ["pgn", "spl8"])
def test_maps_of_any_order_are_painted_in_our_colours(data, labels):
    ours = _painted_maps(data, replace(OURS, detail_path=False))
    theirs = _painted_maps(data, replace(RELEASE_CONFIG, width=4, labels=labels))
    worn = (ours == PALETTE[REGION["pants"]]).all(-1) | (ours == PALETTE[REGION["leg"]]).all(-1)
    assert worn.any() and (ours[~worn] != PALETTE[0]).any()
    # The one order does not tell trousers from dresses, the other legs from arms.
    assert np.array_equal(ours[~worn], theirs[~worn])
    assert (theirs[worn] != PALETTE[0]).any(-1).all()


def test_backgrounds_are_grey_unless_they_are_judged(data):
    source = open_source(data, OURS)
    subjects = source.held_back(2)
    apart, whole = (sheet(PISE(OURS).eval(), subjects, whole=judged) for judged in (False, True))
    assert apart.shape == whole.shape == (HEIGHT, 2 * 6 * WIDTH, 3)
    target = slice(5 * WIDTH, 6 * WIDTH)
    around = (subjects[0].person[0, 0] == 0).numpy()
    assert (apart[:, target][around] == 127).all()
    assert (whole[:, target][around] != 127).any()
    assert np.array_equal(apart[:, target][~around], whole[:, target][~around])
    assert sheet(PISE(OURS).eval(), subjects[:1]).shape == (HEIGHT, 6 * WIDTH, 3)
