"""The colours that pieces of a picture are shown in, so that they meet each other and what is known.

Where nobody says what the hole looks like in the large, seams are made to agree (after Pérez et al. 2003). Where a
network expects it, pieces that meet stay as they are. Where they do not, what is expected is shown, with as much of
their details as is usual about the hole: a street out of focus gives an edit away less than pieces of it that end in
mid-air, or a passer-by who is there twice.
"""

from typing import NamedTuple

import numpy as np

from pise_core.inpainting.patch_search import Grid
from pise_core.masks import mean_about, window_of

_ROUNDS = 60
#: Mean difference of colours (of 255) beyond which a known cell belongs to another object than the piece beside it.
_OBJECT = 35
#: In cells: what is larger than this looks as expected, what is finer is a piece's; and how far about a cell details
#: are compared with. So many times their strength a piece's may have.
_LARGE, _ABOUT, _USUAL = 2.0, 8.0, 1.2
#: In levels, over the four sides of a cell: pieces that meet so badly are half believed; a seam counts so much at most.
_MEET, _MOST = 8.0, 80
#: In levels: pieces that differ so much from what is expected in the large are half believed.
_OTHER = 30.0
#: The same for details alone: where a piece differs so much in the large, and where details meet so badly, in their
#: usual strength and, at least and at most, in levels.
_FAR, _TORN, _TORN_RANGE = 30.0, 1.5, (4.0, 20.0)


class Changes(NamedTuple):
    """What is shown in a cell.

    Attributes:
        share: (h, w) float32 in [0, 1], of its piece.
        added: (h, w, 3) float32, what is added to that.
        whole: (h, w) float32 in [0, 1], how far pieces are shown as they are, because they meet.
    """

    share: np.ndarray
    added: np.ndarray
    whole: np.ndarray


def changes(grid: Grid, offsets: np.ndarray, stay: float, most: float) -> Changes:
    """Arguments as of :class:`pise_core.inpainting.patch_fill.Pieces`."""
    agreed = np.clip(_agreeing(grid, offsets, stay, most), -most, most)
    if grid.expected is None:
        everywhere = np.ones(grid.wanted.shape, np.float32)
        return Changes(everywhere, agreed, everywhere)
    shown = _Shown(grid, offsets, grid.expected)
    whole, (share, change) = shown.whole(), shown.details()
    added = whole[..., None] * agreed + (1 - whole[..., None]) * change
    return Changes(whole + (1 - whole) * share, added, whole)


class _Shown:
    """Pieces beside what is expected (h, w, 3) float32."""

    def __init__(self, grid: Grid, offsets: np.ndarray, expected: np.ndarray) -> None:
        self._grid, self._offsets, self._expected = grid, offsets, expected
        self._image, self._weight = grid.image.astype(np.float32), grid.wanted.astype(np.float32)
        self._known = grid.known.astype(np.float32)
        self._large = mean_about(self._image, self._known, _LARGE)
        self._wanted = mean_about(expected, np.ones_like(self._known), _LARGE)
        self._ys, self._xs = np.nonzero(grid.wanted)
        self._from = self._ys + offsets[self._ys, self._xs, 0], self._xs + offsets[self._ys, self._xs, 1]
        apart = self._large[self._from] - self._wanted[self._ys, self._xs]
        self._far = self._about(np.abs(apart).mean(1))

    def whole(self) -> np.ndarray:
        """(h, w) float32 in [0, 1]: how far pieces are shown as they are, because they meet."""
        torn = self._about(self._seams(self._image, np.ones_like(self._weight)))
        return self._spread(1 / (1 + (torn / _MEET) ** 4) / (1 + (self._far / _OTHER) ** 6))

    def details(self) -> tuple[np.ndarray, np.ndarray]:
        """How far each cell otherwise shows its piece's details, (h, w) float32 in [0, 1], and what is added to that
        share of the piece, (h, w, 3) float32, so that colours in the large are those that are expected."""
        here, fine = (self._ys, self._xs), self._image - self._large
        # Details stronger than those that are seen about the hole are of something else.
        usual = mean_about((fine**2).mean(2), self._known, _ABOUT)[here]
        strength = self._about((fine[self._from] ** 2).mean(1))
        share = np.minimum(1, _USUAL * np.sqrt(usual / np.maximum(strength, 1e-3)))
        share /= 1 + (self._far / _FAR) ** 4
        # Grain never meets; it tells nothing of where the pieces are from.
        torn = self._about(self._seams(fine, self._weight))
        share /= 1 + (torn / np.clip(_TORN * np.sqrt(usual), *_TORN_RANGE)) ** 2
        share[~self._grid.known[self._from]] = 0  # a cell without a piece
        shares = self._spread(self._about(share))
        own = shares[here][:, None]
        change = np.zeros_like(self._image)
        change[here] = own * (self._wanted[here] - self._large[self._from]) + (1 - own) * self._expected[here]
        return shares, change

    def _seams(self, picture: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """(N,): by how much a picture (h, w, 3) changes where pieces end, over the four sides of the wanted cells;
        ``counts`` (h, w): how much the cell on the other side does."""
        h, w = self._weight.shape
        counts = counts * (self._grid.wanted | self._grid.known)
        total = np.zeros(len(self._ys), np.float32)
        for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            v, u = np.clip(self._ys + dy, 0, h - 1), np.clip(self._xs + dx, 0, w - 1)
            mine = np.clip(self._from[0] + dy, 0, h - 1), np.clip(self._from[1] + dx, 0, w - 1)
            theirs = v + self._offsets[v, u, 0], u + self._offsets[v, u, 1]  # a known cell shows itself
            total += np.minimum(np.abs(picture[mine] - picture[theirs]).mean(1), _MOST) * counts[v, u]
        return total

    def _spread(self, values: np.ndarray) -> np.ndarray:
        """(h, w) float32: values (N,) of the wanted cells, 0 elsewhere."""
        out = np.zeros_like(self._weight)
        out[self._ys, self._xs] = values
        return out

    def _about(self, values: np.ndarray) -> np.ndarray:
        """(N,): means of values (N,) of the wanted cells about each of them."""
        return mean_about(self._spread(values), self._weight, _LARGE)[self._ys, self._xs]


def _agreeing(grid: Grid, offsets: np.ndarray, stay: float, most: float) -> np.ndarray:
    """(h, w, 3) float32: what is added to the pieces so that colours differ across seams as they do within pieces.

    The screened Poisson equation, by conjugate gradients. What differs much from all that could be shown beside it is
    an object that ends there, and its colour must not spread.
    """
    window = window_of(grid.wanted, margin=1)
    if window is None:
        return np.zeros(grid.image.shape, np.float32)
    whole, offsets = np.zeros(grid.image.shape, np.float32), offsets[window]
    hole, there = grid.wanted[window], (grid.wanted | grid.known)[window]
    image, (top, left) = grid.image.astype(np.float32), (part.start for part in window)

    def shown(y: np.ndarray, x: np.ndarray, offset: np.ndarray) -> np.ndarray:
        return image[y + offset[:, 0] + top, x + offset[:, 1] + left]

    wanted, links = np.zeros((*hole.shape, 3), np.float32), []
    for dy, dx in ((1, 0), (0, 1)):
        first, second = (slice(-dy or None), slice(-dx or None)), (slice(dy, None), slice(dx, None))
        y, x = np.nonzero((hole[first] | hole[second]) & there[first] & there[second])
        v, u = y + dy, x + dx
        mine, theirs = offsets[y, x], offsets[v, u]
        before, after = shown(y, x, theirs) - shown(y, x, mine), shown(v, u, theirs) - shown(v, u, mine)
        # In the middle between what both pieces ask for; a known cell asks for nothing, and stays as it is.
        jump = np.where(hole[y, x, None], np.where(hole[v, u, None], (before + after) / 2, after), before)
        near = np.abs(jump).mean(1) < np.where(hole[y, x] & hole[v, u], most, min(most, _OBJECT))
        y, x, v, u, jump = y[near], x[near], v[near], u[near], jump[near]
        wanted[y, x] += jump
        wanted[v, u] -= jump
        link = np.zeros((*hole[first].shape, 1), np.float32)
        link[y, x] = 1
        links.append((first, second, link))
    wanted[~hole] = 0

    def applied(change: np.ndarray) -> np.ndarray:
        out = stay * change
        for first, second, link in links:
            step = link * (change[first] - change[second])
            out[first] += step
            out[second] -= step
        return out * hole[..., None]

    change = np.zeros_like(wanted)
    rest, way = wanted, wanted
    size = (rest * rest).sum()
    for _ in range(_ROUNDS):
        if size < 1:
            break
        against = applied(way)
        length = size / (way * against).sum()
        change, rest = change + length * way, rest - length * against
        size, before = (rest * rest).sum(), size
        way = rest + size / before * way
    whole[window] = change
    return whole
