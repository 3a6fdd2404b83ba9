"""Which piece of a picture continues it best: for each cell of a hole, the offset to the cell that is shown there.

Whole patches are compared, so that lines and textures go on. The hole is first filled from its border inwards on a
coarse grid, where every patch of the picture can be tried (after Criminisi et al. 2004); few offsets then explain
nearly all of it (after He and Sun 2012), and on the fine grid the best of these is chosen for each cell, neighbours
preferring the same one.

Sums run over whole numbers that float32 holds exactly: the result doesn't depend on the number of threads.
"""

from dataclasses import dataclass

import cv2
import numpy as np

#: Grids with a longer side than this are halved for the first look.
_COARSE_SIDE = 96
#: Patches reach so many cells to each side of their middle.
_RADIUS = 3
#: Cells of the coarse grid are filled in blocks of this side, in layers of this depth.
_BLOCK, _LAYER = 2, 2
#: Bits per colour and greatest weight of a cell, for which 147 products of two colours and a weight stay below 2**24.
_BITS, _SURE = 7, 7
#: How much less each cell further inside the hole is believed.
_FADE = 0.8
#: Differences of colour beyond this one count no more on the fine grid: structures may end.
_FAR = 48
#: Mean squared difference that a patch of cells without a picture is given, and what a cell without one costs more.
_NOTHING, _FORBIDDEN = 4 * _FAR**2, 1e6
#: Weight of the colours in the large, and how large that is as a share of the long side.
_TONE, _TONE_SIGMA = 1.0, 1 / 64
#: Mean squared difference by which the offset of all neighbours is preferred to one of none.
_COHERENCE = 200.0
#: How many offsets are carried from the coarse grid to the fine one, and how many remain for the second look.
_MANY, _FEW = 96, 64


@dataclass(frozen=True)
class Grid:
    """A picture with a hole.

    Attributes:
        image: (h, w, 3) uint8; what it holds where nothing is seen doesn't matter.
        seen: (h, w) bool, where the colour is known: outside the hole, and in cells that are mostly so.
        known: (h, w) bool, False in the hole and in cells that are partly hole.
        source: (h, w) bool, the known cells that may be shown again; none beside a cell of the hole or at the border.
        wanted: (h, w) bool, the cells of the hole that are to be filled. The others are left out altogether.
        expected: (h, w, 3) float32, the image where it is seen and what is expected elsewhere; None: nobody knows.
    """

    image: np.ndarray
    seen: np.ndarray
    known: np.ndarray
    source: np.ndarray
    wanted: np.ndarray
    expected: np.ndarray | None = None

    def halved(self) -> "Grid":
        """Half as many cells along each side, rounded up."""
        h, w = self.known.shape
        size, pad = ((w + 1) // 2, (h + 1) // 2), ((0, h % 2), (0, w % 2))
        masks = (self.seen, self.known, self.source, self.wanted)
        seen, known, source, wanted = (np.pad(mask, pad, mode="edge").astype(np.float32) for mask in masks)
        image = np.pad(self.image, (*pad, (0, 0)), mode="edge") * seen[..., None]
        image, share, known, source, wanted = (
            cv2.resize(values, size, interpolation=cv2.INTER_AREA) for values in (image, seen, known, source, wanted)
        )
        image = np.rint(image / np.maximum(share, 0.01)[..., None])
        known = known > 0.99
        expected = self.expected
        if expected is not None:
            expected = cv2.resize(np.pad(expected, (*pad, (0, 0)), mode="edge"), size, interpolation=cv2.INTER_AREA)
        image = np.clip(image, 0, 255).astype(np.uint8)
        return Grid(image, share >= 0.5, known, source > 0.99, (wanted > 0) & ~known, expected)

    def continued(self) -> np.ndarray:
        """(h, w, 3) uint8: the colours in the large, as they are expected, or continued smoothly into the hole."""
        if self.expected is None:
            image = cv2.inpaint(self.image, (~self.seen).astype(np.uint8), 5, cv2.INPAINT_TELEA)
        else:
            image = np.rint(self.expected).astype(np.uint8)
        return cv2.GaussianBlur(image, (0, 0), max(0.5, _TONE_SIGMA * max(self.known.shape)))


@dataclass(frozen=True)
class Search:
    """What is preferred among pieces that fit equally well.

    Attributes:
        away: mean squared difference that weighs as much as a way of 1/24 of the grid's long side, down or up and
            sideways.
        onward: mean squared difference by which the piece is preferred that goes on with the one shown beside it, once
            for each of up to eight beside it. On plain cloth, where everything fits, the border would be shown over and
            over otherwise.
        chance: as much as pieces are told apart by chance, which is the same every time.
    """

    away: tuple[float, float] = (20.0, 10.0)  # what lies at the same height has the same distance from the camera
    onward: float = 0.0
    chance: float = 0.0


def find_offsets(grid: Grid, search: Search = Search()) -> np.ndarray | None:
    """Where the hole takes its picture from.

    Returns:
        (h, w, 2) int32, rows and columns from each cell of the hole to a source; 0 for all others. None where there
        is too little to show.
    """
    if max(grid.known.shape) <= _COARSE_SIDE:
        return _from_border_inwards(grid, search)
    coarse = _from_border_inwards(grid.halved(), search)
    if coarse is None:
        return None
    h, w = grid.known.shape
    offsets = 2 * coarse.repeat(2, 0).repeat(2, 1)[:h, :w]
    return _chosen_among_frequent(grid, offsets, search)


def _from_border_inwards(grid: Grid, search: Search) -> np.ndarray | None:
    """Every patch of the picture is tried for each block of the hole, layer by layer; as :func:`find_offsets`."""
    known = grid.known
    h, w = known.shape
    # The other cells of a block are shown from beside the source that is found for its middle.
    sy, sx = np.nonzero(cv2.erode(grid.source.astype(np.uint8), np.ones((3, 3)), borderValue=0))
    if not len(sy):
        return None
    ty, tx = np.nonzero(grid.wanted)
    _, block = np.unique(ty // _BLOCK * w + tx // _BLOCK, return_inverse=True)
    size = np.bincount(block)
    y, x = (np.rint(np.bincount(block, at) / size).astype(np.intp) for at in (ty, tx))
    depth = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)[y, x]

    patches = patches_at(grid.image >> (8 - _BITS), sy, sx)
    power, patches = (patches * patches).sum(2), patches.reshape(len(sy), -1)
    tone = grid.continued().astype(np.float32)
    fixed = _TONE / 3 * (tone[sy, sx] ** 2).sum(1)
    fixed += _NOTHING * patches_at((~grid.source).astype(np.float32), sy, sx).mean(1)
    if search.chance:
        fixed += search.chance * np.random.default_rng(0).random(len(sy), np.float32)
    along = np.bincount(sy, minlength=h)
    down, right = (search.away[i] * 24 / max(h, w) for i in (0, 1))

    place = np.full((h, w), -1)
    place[sy, sx] = np.arange(len(sy))
    offsets = np.zeros((h, w, 2), np.int32)
    image, done, belief = grid.image.copy(), grid.seen.copy(), _belief(grid)
    waiting = np.ones(len(y), bool)
    limit = 0
    while waiting.any():
        limit += _LAYER
        layer = np.flatnonzero(waiting & (depth <= limit))
        waiting[layer] = False
        if not len(layer):
            continue
        weight = patches_at(belief * done, y[layer], x[layer])
        wanted = patches_at(image >> (8 - _BITS), y[layer], x[layer]) * weight[..., None]
        cost = weight @ power.T - 2 * (wanted.reshape(len(layer), -1) @ patches.T)
        cost *= 4 ** (8 - _BITS) / 3 / np.maximum(weight.sum(1, keepdims=True), 1)
        cost += fixed - (2 * _TONE / 3) * (tone[y[layer], x[layer]] @ tone[sy, sx].T)
        cost += np.repeat(np.float32(down) * np.abs(np.arange(h) - y[layer, None]), along, 1)
        cost += (np.float32(right) * np.abs(np.arange(w) - x[layer, None]))[:, sx]
        if search.onward:
            _prefer_onward(cost, search.onward, offsets, y[layer], x[layer], place)
        best = cost.argmin(1)
        found = np.zeros((len(y), 2), np.int32)
        found[layer] = np.stack([sy[best] - y[layer], sx[best] - x[layer]], 1)
        cells = np.flatnonzero(np.isin(block, layer))
        cy, cx = ty[cells], tx[cells]
        offsets[cy, cx] = found[block[cells]]
        new = ~done[cy, cx]
        cy, cx = cy[new], cx[new]
        image[cy, cx] = _shown(grid, offsets, cy, cx)
        done[cy, cx] = True
    return offsets


def _prefer_onward(cost: np.ndarray, worth: float, offsets: np.ndarray, ys, xs, place: np.ndarray) -> None:
    """Make cheaper what would be shown if a cell had the offset of a cell nearby. ``place`` (h, w): which source a
    cell is, or -1."""
    last = np.array(place.shape) - 1
    rows = np.arange(len(ys))
    for dy in (-_BLOCK, 0, _BLOCK):
        for dx in (-_BLOCK, 0, _BLOCK):
            offset = offsets[np.clip(ys + dy, 0, last[0]), np.clip(xs + dx, 0, last[1])]
            y, x = ys + offset[:, 0], xs + offset[:, 1]
            inside = (y >= 0) & (x >= 0) & (y <= last[0]) & (x <= last[1]) & offset.any(1)
            source = np.where(inside, place[np.clip(y, 0, last[0]), np.clip(x, 0, last[1])], -1)
            there = source >= 0
            cost[rows[there], source[there]] -= worth


def _chosen_among_frequent(grid: Grid, offsets: np.ndarray, search: Search) -> np.ndarray:
    """The best of the most frequent ``offsets`` (h, w, 2), moved by up to a cell, for each cell of the hole.

    All cells are compared at one offset at a time: a difference of two pictures, and means over patches.
    """
    ty, tx = np.nonzero(grid.wanted)
    frequent, count = np.unique(offsets[ty, tx], axis=0, return_counts=True)
    frequent = frequent[np.argsort(-count, kind="stable")[:_MANY]]
    about = np.stack(np.meshgrid([-1, 0, 1], [-1, 0, 1], indexing="ij"), -1).reshape(-1, 2)
    candidates = np.unique((frequent[:, None] + about).reshape(-1, 2), axis=0)

    compared = _Comparison(grid, int(np.abs(candidates).max()), search.away)
    safe, image, unseen = offsets[ty, tx], grid.image.copy(), np.nonzero(~grid.seen)
    image[unseen] = _shown(grid, offsets, *unseen)
    costs = compared.costs(image, candidates)
    used, count = np.unique(costs.argmin(0), return_counts=True)
    kept = np.sort(used[np.argsort(-count, kind="stable")[:_FEW]])
    candidates, costs = candidates[kept], costs[kept]
    costs -= _COHERENCE * compared.agreement(costs.argmin(0), len(candidates))
    best = costs.argmin(0)
    chosen = np.zeros_like(offsets)
    chosen[ty, tx] = np.where((costs.min(0) < _FORBIDDEN / 2)[:, None], candidates[best], safe)
    return chosen


class _Comparison:
    """What each cell of a grid's hole would cost at given offsets of at most ``reach`` cells."""

    def __init__(self, grid: Grid, reach: int, away: tuple[float, float]):
        h, w = grid.known.shape
        x, y, width, height = cv2.boundingRect(grid.wanted.astype(np.uint8))
        self._x, self._y = max(0, x - _RADIUS), max(0, y - _RADIUS)
        self._size = min(h, y + height + _RADIUS) - self._y, min(w, x + width + _RADIUS) - self._x
        self._reach = reach
        nothing = np.where(grid.source, 0, np.float32(_NOTHING))
        self._image = np.pad(grid.image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
        self._nothing = np.pad(nothing, reach, constant_values=_NOTHING)
        here = self._window(0, 0, 0)
        self._cells = np.flatnonzero(grid.wanted[here])
        self._weight = _belief(grid)[here]
        self._sum = self._over_patches(self._weight)
        self._squared = np.minimum(np.arange(256.0) ** 2, _FAR**2).astype(np.float32)
        self._away = np.array(away, np.float32) * 24 / max(h, w)

    def _window(self, dy: int, dx: int, border: int) -> tuple[slice, slice]:
        top, left = self._y + dy + border, self._x + dx + border
        return slice(top, top + self._size[0]), slice(left, left + self._size[1])

    def _over_patches(self, values: np.ndarray) -> np.ndarray:
        side = 2 * _RADIUS + 1
        sums = cv2.boxFilter(values, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
        return sums.ravel()[self._cells]

    def costs(self, image: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """(offsets, cells) float32, for a grid that looks like ``image`` (h, w, 3) uint8."""
        wanted, grey = image[self._window(0, 0, 0)], np.full((1, 3), 1 / 3, np.float32)
        costs = np.empty((len(offsets), len(self._cells)), np.float32)
        for cost, (dy, dx) in zip(costs, offsets.tolist(), strict=True):
            there = self._window(dy, dx, self._reach)
            squared = cv2.LUT(cv2.transform(cv2.absdiff(wanted, self._image[there]), grey), self._squared)
            nothing = self._nothing[there]
            np.divide(self._over_patches(cv2.multiply(cv2.max(squared, nothing), self._weight)), self._sum, out=cost)
            cost += np.abs((dy, dx)) @ self._away
            cost += nothing.ravel()[self._cells] * np.float32(_FORBIDDEN / _NOTHING)
        return costs

    def agreement(self, labels: np.ndarray, count: int) -> np.ndarray:
        """(count, cells) float32: the share of the cells about each one that have each label."""
        shares = np.zeros((count, len(self._cells)), np.float32)
        for label in np.unique(labels):
            mask = np.zeros(self._size, np.float32)
            mask.ravel()[self._cells[labels == label]] = 1
            shares[label] = cv2.boxFilter(mask, -1, (5, 5), normalize=False, borderType=cv2.BORDER_CONSTANT).ravel()[
                self._cells
            ]
        return shares / 25


def patches_at(values: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """(N, cells of a patch[, C]) float32 about N cells of a grid (h, w[, C])."""
    r, side = _RADIUS, np.arange(2 * _RADIUS + 1)
    padded = np.pad(values.astype(np.float32), ((r, r), (r, r)) + ((0, 0),) * (values.ndim - 2), mode="edge")
    return padded[ys[:, None] + side.repeat(len(side)), xs[:, None] + np.tile(side, len(side))]


def _belief(grid: Grid) -> np.ndarray:
    """(h, w) float32, whole numbers: the weight of each cell's colour."""
    depth = cv2.distanceTransform((~grid.seen).astype(np.uint8), cv2.DIST_L2, 5)
    return np.maximum(np.rint(_SURE * _FADE**depth), 1).astype(np.float32) * (grid.seen | grid.wanted)


def _shown(grid: Grid, offsets: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """(N, 3) uint8: what some cells show, each the mean of what it and its neighbours would take for it."""
    last = np.array(grid.known.shape) - 1
    total, weights = np.zeros((len(ys), 3), np.float32), np.zeros((len(ys), 1), np.float32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            offset = offsets[np.clip(ys + dy, 0, last[0]), np.clip(xs + dx, 0, last[1])]
            y, x = np.clip(ys + offset[:, 0], 0, last[0]), np.clip(xs + offset[:, 1], 0, last[1])
            # A cell without an offset would show itself: it isn't known.
            weight = grid.source[y, x][:, None] * np.float32(2 ** -(dy * dy + dx * dx))
            total += weight * grid.image[y, x]
            weights += weight
    return np.rint(total / np.maximum(weights, 1e-6)).astype(np.uint8)
