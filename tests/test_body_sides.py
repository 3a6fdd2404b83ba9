"""The outline of a body behind an arm: bulges go, what is seen and what the network knows stays."""

import numpy as np
import pytest

from pise_core.body_sides import smooth_sides
from pise_core.regions import REGION
from pise_core.warping.parts import PARTS

COAT, TORSO = REGION["upper_clothes"], PARTS.index("torso")
SIZE = 200, 160


@pytest.fixture
def behind():
    """A body from column 40 to 120, of which an arm hides the left 30 columns in rows 60 to 140."""
    known, hides = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    known[20:180, 40:120] = True
    hides[60:140, 20:70] = True
    known &= ~hides
    labels, parts = np.zeros(SIZE, np.uint8), np.full(SIZE, -1, np.int8)
    labels[60:140, 40:70], parts[60:140, 40:70] = COAT, TORSO
    return labels, parts, known, hides


def smoothed(labels, parts, known, hides, others=None):
    labels, parts = labels.copy(), parts.copy()
    smooth_sides(labels, parts, known, hides, np.zeros(SIZE, bool) if others is None else others, 1.0)
    assert ((labels > 0) == (parts >= 0)).all()
    assert not (labels[~hides] > 0).any()
    return labels, parts


def test_a_straight_side_stays(behind):
    labels, parts = smoothed(*behind)
    assert (labels == behind[0]).all() and (parts == behind[1]).all()


def test_a_bulge_goes(behind):
    labels, parts, known, hides = behind
    labels[90:115, 28:40], parts[90:115, 28:40] = COAT, TORSO
    made, _ = smoothed(labels, parts, known, hides)
    first = np.array([np.flatnonzero(row)[0] for row in made[60:140]])
    assert first.min() >= 36 and np.abs(np.diff(first)).max() <= 1


def test_a_bite_is_no_step(behind):
    labels, parts, known, hides = behind
    labels[95:105, 40:46], parts[95:105, 40:46] = 0, -1
    made, whose = smoothed(labels, parts, known, hides)
    first = np.array([np.flatnonzero(row)[0] for row in made[60:140]])
    assert first.max() <= 45 and np.abs(np.diff(first)).max() <= 1
    assert (whose[made > 0] == TORSO).all()


def test_a_waist_stays_a_waist(behind):
    """Cloth where none is shows more than a body that is narrow."""
    labels, parts, known, hides = behind
    for y in range(60, 140):
        waist = 40 + round(10 * np.sin(np.pi * (y - 60) / 80))
        labels[y, 40:waist], parts[y, 40:waist] = 0, -1
    made, _ = smoothed(labels, parts, known, hides)
    assert np.flatnonzero(made[100])[0] >= 47


def test_the_other_side_and_what_another_arm_hides_stay(behind):
    labels, parts, known, hides = behind
    known[80:120, 120:150] = True  # seen: a skirt that stands out
    others = np.zeros(SIZE, bool)
    others[60:140, 118:150] = True
    before = labels.copy()
    made, _ = smoothed(labels, parts, known, hides, others)
    assert (made == before).all()


def test_a_step_that_is_seen_is_a_hem(behind):
    """Below the arm the coat ends, and trousers that are narrower begin: the coat's side does not follow them."""
    labels, parts, known, hides = behind
    known[140:, 40:60] = False
    made, _ = smoothed(labels, parts, known, hides)
    assert (made[60:140, 41:70] == COAT).all()


def test_at_any_size_the_outline_is_alike(behind):
    labels, parts, known, hides = behind
    labels[90:115, 28:40], parts[90:115, 28:40] = COAT, TORSO
    made, _ = smoothed(labels, parts, known, hides)
    labels, parts, known, hides = (np.kron(array, np.ones((3, 3), array.dtype)) for array in behind)
    smooth_sides(labels, parts, known, hides, np.zeros(labels.shape, bool), 1 / 3)
    assert ((labels[1::3, 1::3] > 0) != (made > 0)).sum() < 0.01 * (made > 0).sum()
