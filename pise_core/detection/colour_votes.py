"""Regions that agree with the photo's colours: what is near and looks alike is one thing.

The network sees a coat's corner in few pixels, and may take it for trousers though it has the coat's colour. Each
pixel asks those near it that look like it: mean-field inference in a fully connected conditional random field
(Krahenbuhl and Koltun, Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials, NIPS 2011), whose
bilateral kernel is replaced by cells of place and colour that share their votes. Several grids of such cells, each laid
elsewhere, take the place of the Gaussian.
"""

import cv2
import numpy as np

#: Sides of a cell: frame pixels down and across; and in Lab, of 8 bits each.
_CELL = np.array([32.0, 32.0, 14.0, 8.4, 8.4], np.float32)
#: Where the grids lie, in sides of a cell: spread evenly over all five axes.
_SHIFTS = np.array(
    [[0.0, 0.0, 0.0, 0.0, 0.0], [0.38, 0.62, 0.33, 0.55, 0.71], [0.76, 0.24, 0.67, 0.1, 0.42]], np.float32
)
#: What a vote of all of a cell weighs, against the network's own logarithm; and how often all vote.
_WEIGHT, _ROUNDS = 4.0, 2
#: A cell of fewer pixels has less of a vote.
_QUORUM = 10.0
#: Who is asked: pixels that may be the person's, and those so many frame pixels about them.
_PERHAPS, _REACH = 0.02, 12
#: Nothing is less probable than this.
_LEAST = 1e-3


def agree_with_colours(probabilities: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Regions after pixels that are near and look alike have voted.

    The same input gives the same bytes. Far from anybody nothing changes.

    Args:
        probabilities: (8, H, W) float32, by region, background first.
        image: (H, W, 3) uint8 RGB, the frame that they are about.

    Returns:
        (8, H, W) float32; at each pixel they add up to 1.
    """
    asked = cv2.dilate((probabilities[0] < 1 - _PERHAPS).astype(np.uint8), np.ones((2 * _REACH + 1,) * 2, np.uint8)) > 0
    if not asked.any():
        return probabilities
    ys, xs = np.nonzero(asked)
    lab = cv2.split(cv2.cvtColor(image, cv2.COLOR_RGB2LAB))
    places = np.stack([ys, xs, *(channel[ys, xs] for channel in lab)]).astype(np.float32) / _CELL[:, None]
    grids = [_Cells(places + shift[:, None]) for shift in _SHIFTS]
    own = np.maximum(probabilities[:, ys, xs].T, _LEAST)
    shares = own / _sums(own)
    for _ in range(_ROUNDS):
        # exp(log p + votes), which can't overflow: all votes of a pixel together are at most _WEIGHT.
        votes = sum(cells.mean(shares, _WEIGHT / len(grids)) for cells in grids)
        shares = own * np.exp(votes)
        shares /= _sums(shares)
    out = probabilities.copy()
    out[:, ys, xs] = shares.T
    return out


class _Cells:
    """Pixels by the cell that they lie in; ``places``: (5, N) float32, in sides of a cell."""

    def __init__(self, places: np.ndarray) -> None:
        name = np.zeros(places.shape[1], np.int64)
        for axis in np.floor(places).astype(np.int64):
            axis -= axis.min()
            name = name * (int(axis.max()) + 1) + axis
        self._order = np.argsort(name, kind="stable")
        name = name[self._order]
        self._starts = np.flatnonzero(np.r_[True, name[1:] != name[:-1]])
        self._sizes = np.diff(np.r_[self._starts, len(name)])
        self._cell = np.empty(len(name), np.intp)
        self._cell[self._order] = np.repeat(np.arange(len(self._starts)), self._sizes)

    def mean(self, values: np.ndarray, weight: float) -> np.ndarray:
        """(N, C) float32: of each pixel's cell, times ``weight`` and less where few pixels lie in it."""
        sums = np.add.reduceat(values[self._order], self._starts, axis=0)
        sums *= (weight * np.minimum(1, self._sizes / _QUORUM) / self._sizes).astype(np.float32)[:, None]
        return sums[self._cell]


def _sums(shares: np.ndarray) -> np.ndarray:
    """(N, 1) of (N, C): column by column, which is much quicker than row by row where there are few columns."""
    total = shares[:, 0].copy()
    for column in range(1, shares.shape[1]):
        total += shares[:, column]
    return total[:, None]
