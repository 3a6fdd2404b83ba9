"""Labels go where exact arithmetic says, whatever OpenCV does with nearest neighbours."""

from fractions import Fraction
from math import ceil, floor

import numpy as np
import pytest

from pise_core.framing import Framing
from pise_core.label_warps import labels_at, warp_labels
from pise_core.pose import default_skeleton
from pise_core.skeleton import JOINT
from pise_core.warping.part_transforms import Affine
from pise_core.warping.skirt import SkirtMove

#: (2, 3) in sixteenths; each is exact in binary, and so is its inverse's determinant.
_MOVES = {
    "half a pixel": [[16, 0, 8], [0, 16, 8]],
    "a quarter": [[16, 0, -4], [0, 16, 20]],
    "twice as large": [[32, 0, -40], [0, 32, 24]],
    "half as large": [[8, 0, 24], [0, 8, 4]],
    "mirrored": [[-16, 0, 16 * 37], [0, 16, 0]],
    "a quarter turn": [[0, -16, 16 * 30], [16, 0, 8]],
    "turned": [[12, -16, 200], [16, 12, -80]],
    "sheared": [[16, 4, -8], [0, 16, 0]],
}


def exact(labels: np.ndarray, matrix, size: tuple[int, int], border: int, back: bool) -> np.ndarray:
    """One pixel at a time, in fractions: the square of which pixel does each centre come from?"""
    (a, b, e), (c, d, f) = ([Fraction(v, 16) for v in row] for row in matrix)
    det = a * d - b * c
    out = np.full(size[::-1], border, labels.dtype)
    for row, column in np.ndindex(out.shape):
        u, v = column + Fraction(1, 2) - e, row + Fraction(1, 2) - f
        x, y = (d * u - b * v) / det, (a * v - c * u) / det
        x, y = (ceil(x) - 1, ceil(y) - 1) if back else (floor(x), floor(y))
        if 0 <= x < labels.shape[1] and 0 <= y < labels.shape[0]:
            out[row, column] = labels[y, x]
    return out


@pytest.mark.parametrize("name", _MOVES)
@pytest.mark.parametrize(("dtype", "back"), [(np.uint8, False), (np.int32, False), (np.uint8, True)])
def test_each_pixel_has_the_label_that_it_comes_from(name, dtype, back):
    labels = np.random.default_rng(7).integers(0, 8, (41, 35)).astype(dtype)
    moved = warp_labels(labels, np.array(_MOVES[name]) / 16, (43, 37), border=9, back=back)
    assert moved.dtype == dtype
    assert np.array_equal(moved, exact(labels, _MOVES[name], (43, 37), 9, back))


def test_a_map_of_odd_width_keeps_all_its_columns():
    """In the middle of a frame of even width it moves by half a pixel."""
    labels = np.tile(np.arange(175, dtype=np.uint8), (256, 1))
    framing = Framing.whole((175, 256))
    assert framing.dx == 0.5
    frame = framing.crop(labels, border=255, labels=True)
    assert set(frame[100].tolist()) - {255} == set(range(175))
    assert np.array_equal(framing.paste(frame, labels=True), labels)


def test_a_part_that_moves_by_half_a_pixel_keeps_all_its_columns():
    labels = np.tile(np.arange(1, 101, dtype=np.uint8), (300, 1))
    moved = Affine(np.array([[1, 0, 0.5], [0, 1, 0.5]])).into(10, 140, (50, 20))(labels, labels=True)
    assert len(set(moved[3].tolist())) == 50 and (np.diff(moved[3].astype(int)) == 1).all()


@pytest.mark.parametrize(
    "move", [Affine(np.array([[0.9, -0.4, 20], [0.4, 0.9, -30]])), "skirt"], ids=["affine", "skirt"]
)
def test_a_part_of_a_map_lands_where_the_whole_would(move):
    if move == "skirt":
        standing = default_skeleton((40, 20, 160, 280))
        apart = standing.copy()
        apart[[JOINT["left_knee"], JOINT["left_ankle"]], 0] += 25
        move = SkirtMove.between(standing, apart)
    labels = np.random.default_rng(2).integers(1, 8, (300, 200), dtype=np.uint8)
    piece = np.zeros_like(labels)
    piece[120:260, 30:150] = labels[120:260, 30:150]
    whole = move.into(5, 90, (160, 180))(piece, labels=True)
    part = move.into(5, 90, (160, 180), (30, 120))(np.ascontiguousarray(labels[120:260, 30:150]), labels=True)
    assert whole.any() and np.array_equal(part, whole)


@pytest.mark.parametrize("rows", [1, 127, 128, 300])
def test_strips_meet(rows):
    labels = np.arange(300, dtype=np.int32)[:, None].repeat(4, 1)
    ys, xs = np.mgrid[:rows, :4] + 0.5
    assert np.array_equal(labels_at(labels, xs, ys), labels[:rows])
    turned = warp_labels(labels[:rows], np.array([[1, 1e-9, 0], [1e-9, 1, 0]]), (4, rows))
    assert np.array_equal(turned, labels[:rows])


def test_beyond_the_map_lies_the_border():
    labels = np.ones((3, 3), np.uint8)
    far = np.array([[-0.1, 1e30, 1.5, 3.0]])
    assert labels_at(labels, far, np.full((1, 4), 1.5), border=5).tolist() == [[5, 5, 1, 5]]
    assert (warp_labels(labels, np.array([[1, 0, 50], [0, 1, 50.0]]), (4, 4), border=5) == 5).all()
    assert (warp_labels(labels, np.array([[0, 0, 1], [0, 0, 1.0]]), (4, 4), border=5) == 5).all()  # all on one spot
