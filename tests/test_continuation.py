"""Texture that continues into gaps of its own region."""

import numpy as np

from pise_core.inpainting.mirror import continue_regions
from pise_core.regions import REGION


def striped(region: str):
    """A region of 40x40 with vertical stripes, carried in its left half only."""
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, ::2] = 200
    trust = np.zeros((40, 40), np.float32)
    trust[:, :20] = 1
    image[:, 20:] = 77  # whatever lies where nothing was carried
    return image, trust, np.full((40, 40), REGION[region], np.uint8)


def test_a_gap_takes_the_mirrored_texture_and_belief_fades():
    image, trust, parsing = striped("upper_clothes")
    out, belief = continue_regions(image, trust, parsing, reach=8)
    assert (out[:, :20] == image[:, :20]).all()
    assert (belief[:, :20] == 1).all()
    assert (out[20, 20:26] == image[20, 18:12:-1]).all()
    row = belief[20, 20:30]
    assert (np.diff(row) <= 0).all()
    assert row[0] > 0.7
    assert row[-1] == 0


def test_nothing_crosses_into_another_region():
    image, trust, parsing = striped("pants")
    parsing[:, 20:] = REGION["leg"]
    out, belief = continue_regions(image, trust, parsing, reach=8)
    assert (out == image).all()
    assert (belief == trust).all()


def test_faces_are_not_mirrored():
    image, trust, parsing = striped("face")
    out, belief = continue_regions(image, trust, parsing, reach=8)
    assert out is image
    assert belief is trust
