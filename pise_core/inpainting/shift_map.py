"""Which pieces of a picture continue it, where pieces are large: a shift-map (Pritch, Kav-Venaki and Peleg 2009).

Few offsets are found that between them continue all of the hole's border (in place of the statistics of He and Sun
2012, which need a picture that repeats itself). Then each cell of the hole is given one of them, so that what is seen
beside the hole goes on and pieces meet where they look alike; another piece must be worth its seam. This is minimised
by belief propagation over blocks of cells, and then cell by cell (Besag 1986), at last on the fine grid.

What is compared are whole numbers that float32 holds exactly: the result doesn't depend on the number of threads.
"""

import cv2
import numpy as np

from pise_core.inpainting.patch_search import Grid, patches_at
from pise_core.masks import Nearest

#: Grids with a longer side than this are halved for the choice of offsets.
_COARSE_SIDE = 96
#: So many offsets at most continue the border, and so many more reach what these leave open inside. Each cell should
#: have the choice of so many.
_OFFSETS, _INNER, _CHOICE = 32, 12, 3
#: Cells of the border that vote for offsets lie so deep in the hole, and are at most so many.
_DEPTH, _VOTERS = 2.2, 256
#: Mean squared difference of patches beyond which an offset doesn't continue a cell at all, and what a patch of cells
#: without a picture adds.
_UNLIKE, _NOTHING = 800.0, 2000.0
#: Mean squared difference that weighs as much as a way of 1/24 of the grid's long side, down or up and sideways: what
#: lies at the same height has the same distance from the camera. Inside the hole it counts by this share.
_AWAY, _AWAY_INSIDE = np.array([60.0, 4.0], np.float32), 0.5
#: Differences of colour beyond this one count no more beside the hole: structures may end.
_FAR = 48
_NONE = np.float32(3 * _FAR**2)
#: Weight of what is seen beside the hole, against seams.
_BORDER = 8.0
#: Weight of the colours in the large, where they were spread from the border, and where a network expects them.
_TONE, _EXPECTED = 0.2, 1.0
#: Weights of colour and of its change from cell to cell, where pieces meet, and what makes a squared difference of both
#: as large as a mean squared difference of colour.
_COLOUR, _CHANGE, _UNIT = 2, 5, np.float32(1 / 24)
#: The most that a seam costs per cell on each side, and what each costs that is not seen at all: pieces stay large.
_SEAM, _PIECE = np.float32(3000), np.float32(400)
_FORBIDDEN = np.float32(1e5)
#: Seams deep in the hole, which little uncovers, cost down to this share: from a depth of this part of the grid's long
#: side on less and less.
_DEEP, _DEEP_FROM = 0.25, 1 / 20
#: Side of the blocks that belief propagation labels, its rounds, and how much each round keeps of the one before it.
_BLOCK, _ROUNDS, _DAMPING = 3, 12, np.float32(0.5)
#: An offset is moved by a cell only where it is clearly worse otherwise: grain alone must not displace a line.
_MOVED = 1.25
#: Rounds in which single cells go over to a neighbour's piece.
_MOVES = 12


def find_shifts(grid: Grid) -> np.ndarray | None:
    """Where the hole takes its picture from.

    Returns:
        (h, w, 2) int32, rows and columns from each cell of the hole to a source; 0 for all others. None where there
        is too little to show.
    """
    small = max(grid.known.shape) <= _COARSE_SIDE
    coarse = grid if small else grid.halved()
    offsets = _candidates(coarse)
    if not len(offsets):
        return None
    pieces = _Pieces(coarse, offsets)
    labels = pieces.settled(pieces.propagated())
    if not small:
        used, labels = np.unique(labels, return_inverse=True)
        ty, tx = np.nonzero(grid.wanted)
        labels = _nearest(pieces.spread(labels), ty // 2, tx // 2)
        pieces = _Pieces(grid, _refined(grid, labels, 2 * offsets[used]))
        labels = pieces.settled(labels)
    return pieces.offsets_of(labels)


def _candidates(grid: Grid) -> np.ndarray:
    """(K, 2) int: offsets of which each cell of the border likes one, and each cell of the hole may have some."""
    h, w = grid.known.shape
    sy, sx = np.nonzero(grid.source)
    depth = cv2.distanceTransform((~grid.known).astype(np.uint8), cv2.DIST_L2, 5)
    ys, xs = np.nonzero(grid.wanted & (depth <= _DEPTH))
    if not len(sy) or not len(ys):
        return np.zeros((0, 2), int)
    step = -(-len(ys) // _VOTERS)
    ys, xs = ys[::step], xs[::step]
    # Whole numbers below 2**24: float32 holds all sums of products exactly.
    weight = patches_at(grid.known, ys, xs)
    wanted = patches_at(grid.image, ys, xs) * weight[..., None]
    patches = patches_at(grid.image, sy, sx)
    cost = weight @ (patches * patches).sum(2).T
    cost -= 2 * (wanted.reshape(len(ys), -1) @ patches.reshape(len(sy), -1).T)
    cost += (wanted * wanted).sum((1, 2))[:, None]
    cost /= 3 * np.maximum(weight.sum(1, keepdims=True), 1)
    cost += _NOTHING * patches_at(~grid.source, sy, sx).mean(1)
    for away, there, count, places in ((_AWAY[0], sy, h, ys), (_AWAY[1], sx, w, xs)):
        way = np.abs(np.arange(count) - places[:, None]).astype(np.float32)
        cost += (away * 24 / max(h, w) * way)[:, there]
    voter, source = np.nonzero(cost < _UNLIKE)
    code = (sy[source] - ys[voter] + h) * (2 * w) + sx[source] - xs[voter] + w
    number = np.zeros(4 * h * w, np.intp)
    number[code] = 1
    some = np.flatnonzero(number)
    number[some] = np.arange(len(some))
    liked = np.zeros((len(some), len(ys)), np.float32)
    liked[number[code], voter] = _UNLIKE - cost[voter, source]
    chosen = some[_covering(liked, _OFFSETS)]
    offsets = [(code // (2 * w) - h, code % (2 * w) - w) for code in chosen.tolist()]
    return np.array(offsets + _reaching_inside(grid, offsets), int).reshape(-1, 2)


def _covering(worth: np.ndarray, count: int) -> list[int]:
    """Greedily so many rows of ``worth`` (N, M) that the sum of the greatest in each column is large."""
    chosen: list[int] = []
    best, gain = np.zeros(worth.shape[1], np.float32), worth.sum(1)
    while len(chosen) < min(count, len(worth)):
        # Gains only shrink: those that are still ahead after they were computed again are the greatest.
        while True:
            ahead = np.argpartition(-gain, 63)[:64] if len(gain) > 64 else np.arange(len(gain))
            gain[ahead] = np.maximum(worth[ahead] - best, 0).sum(1)
            first = int(ahead[gain[ahead].argmax()])
            if gain[first] >= gain.max():
                break
        if gain[first] <= 1:
            break
        chosen.append(first)
        np.maximum(best, worth[first], out=best)
        gain[first] = 0
    return chosen


def _reaching_inside(grid: Grid, offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """More offsets, for the cells of the hole that have too little choice among some."""
    h, w = grid.known.shape
    ty, tx = np.nonzero(grid.wanted)
    choice = np.zeros(len(ty), int)
    for dy, dx in offsets:
        choice += _sources(grid, ty + dy, tx + dx)
    more: list[tuple[int, int]] = []
    size = 2 * h, 2 * w
    tone = grid.continued().astype(np.float64).transpose(2, 0, 1) / 255
    # The sum of squared differences over all cells, at every offset at once.
    terms = [np.ones((h, w)), (tone**2).sum(0), *tone]
    there = np.fft.rfft2(np.stack(terms) * grid.source, size)
    like = _UNLIKE / (255**2 / 3)
    factors = like * there[0] - there[1], -there[0], 2 * there[2:]
    way = [np.minimum(np.arange(n), n - np.arange(n)) / max(h, w) for n in size]
    dear = 1 + 2 * way[0][:, None] + 0.2 * way[1]
    while len(more) < _INNER and (choice < _CHOICE).any():
        few = np.zeros((h, w))
        few[ty, tx] = choice < _CHOICE
        here = np.conj(np.fft.rfft2(np.stack(terms) * few, size))
        product = here[0] * factors[0] + here[1] * factors[1] + (here[2:] * factors[2]).sum(0)
        worth = np.fft.irfft2(product, size) / dear
        for dy, dx in (*offsets, *more):
            worth[dy, dx] = 0
        best = int(worth.argmax())
        dy, dx = ((best // size[1] + h) % size[0]) - h, ((best % size[1] + w) % size[1]) - w
        new = _sources(grid, ty + dy, tx + dx)
        if worth[dy, dx] < 1e-3 or not new.any():
            break
        more.append((dy, dx))
        choice += new
    return more


def _sources(grid: Grid, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """bool, of the shape of rows ``ys`` and columns ``xs``, which may lie outside: whether they may be shown."""
    h, w = grid.known.shape
    inside = (ys >= 0) & (xs >= 0) & (ys < h) & (xs < w)
    return inside & grid.source[np.clip(ys, 0, h - 1), np.clip(xs, 0, w - 1)]


def _nearest(labels: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """(N,): the label (h, w) of some cells, or of the nearest that has one; the others have -1."""
    return labels[Nearest(labels >= 0).at(ys, xs)]


def _refined(grid: Grid, labels: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(K, 2): each offset (K, 2) moved by up to a cell, so that it continues best what is seen beside the cells of its
    label (N,)."""
    h, w = grid.known.shape
    of_cell = np.full((h, w), -1)
    of_cell[grid.wanted] = labels
    beside = cv2.distanceTransform((of_cell < 0).astype(np.uint8), cv2.DIST_L2, 5) <= _DEPTH
    ys, xs = np.nonzero(beside & grid.known)
    label = _nearest(of_cell, ys, xs)
    here = grid.image[ys, xs].astype(np.int32)
    about = [(0, 0), *((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)]
    costs = np.empty((len(about), len(offsets)))
    for cost, (dy, dx) in zip(costs, about, strict=True):
        y, x = ys + offsets[label, 0] + dy, xs + offsets[label, 1] + dx
        apart = np.abs(here - grid.image[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)])
        squared = np.where(_sources(grid, y, x), (np.minimum(apart, _FAR) ** 2).sum(1), _NONE)
        cost[:] = np.bincount(label, squared, len(offsets)) * (_MOVED if dy or dx else 1)
    return offsets + np.array(about)[costs.argmin(0)]


class _Pieces:
    """A labelling of a grid's hole: each label is one of some offsets (K, 2)."""

    def __init__(self, grid: Grid, offsets: np.ndarray) -> None:
        self._grid, self._offsets = grid, offsets
        h, w = grid.known.shape
        self._ys, self._xs = np.nonzero(grid.wanted)
        cell = np.full((h + 1, w + 1), -1)
        cell[self._ys, self._xs] = np.arange(len(self._ys))
        #: (4, N): the cells to the right, left, below and above; -1 where none is.
        self._beside = np.stack([cell[self._ys + dy, self._xs + dx] for dy, dx in ((0, 1), (0, -1), (1, 0), (-1, 0))])
        depth = cv2.distanceTransform((~grid.known).astype(np.uint8), cv2.DIST_L2, 5)[self._ys, self._xs]
        self._weight = np.clip(2 - depth / (_DEEP_FROM * max(h, w)), _DEEP, 1).astype(np.float32)
        self._features = _features(grid.image)
        y, x = self._ys[:, None] + offsets[:, 0], self._xs[:, None] + offsets[:, 1]
        self._allowed = _sources(grid, y, x)
        self._shown = self._features[np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)]  # (N, K, 5)
        self._unary = self._of_border()

    def _of_border(self) -> np.ndarray:
        """(N, K) float32: how unlike what is seen about each cell is to what is seen about what it would show."""
        grid, offsets = self._grid, self._offsets
        h, w = grid.known.shape
        side = 7
        reach = int(np.abs(offsets).max())
        image = np.pad(grid.image, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
        nothing = np.pad(np.where(grid.source, np.float32(0), _NONE), reach, constant_values=_NONE)
        squared = np.minimum(np.arange(256.0) ** 2, _FAR**2).astype(np.float32)
        total, known = np.ones((1, 3), np.float32), grid.known.astype(np.float32)
        tone = np.pad(grid.continued(), ((reach, reach), (reach, reach), (0, 0)), mode="edge")
        large = tone[reach : reach + h, reach : reach + w]
        unary = np.empty((len(self._ys), len(offsets)), np.float32)
        tone_weight = _TONE if grid.expected is None else _EXPECTED
        away = np.abs(offsets) @ _AWAY * np.float32(_AWAY_INSIDE * 24 / max(h, w))
        for label, (dy, dx) in enumerate(offsets.tolist()):
            there = slice(reach + dy, reach + dy + h), slice(reach + dx, reach + dx + w)
            apart = cv2.transform(cv2.LUT(cv2.absdiff(grid.image, image[there]), squared), total)
            apart = cv2.multiply(cv2.max(apart, nothing[there]), known)
            apart = cv2.boxFilter(apart, -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
            cost = _BORDER / side**2 * apart
            cost += tone_weight * cv2.transform(cv2.LUT(cv2.absdiff(large, tone[there]), squared), total)
            unary[:, label] = cost[self._ys, self._xs] / 3 + away[label]
        return np.where(self._allowed, unary, _FORBIDDEN)

    def propagated(self) -> np.ndarray:
        """(N,): labels that are good for the whole, alike within blocks."""
        block, unary, groups = self._blocks()
        belief = unary.copy()
        shape = belief.shape[1]
        messages = [[np.zeros((len(first), shape), np.float32) for _ in range(2)] for first, _, _ in groups]
        for _ in range(_ROUNDS):
            for (first, second, cost), sent in zip(groups, messages, strict=True):
                onward = ((belief[first] - sent[1])[:, :, None] + cost).min(1)
                back = ((belief[second] - sent[0])[:, :, None] + cost).min(1)
                for receiver, message, before in ((second, onward, sent[0]), (first, back, sent[1])):
                    change = (1 - _DAMPING) * (message - message.min(1, keepdims=True) - before)
                    before += change
                    belief[receiver] += change
        return belief.argmin(1)[block]

    def _blocks(self) -> tuple[np.ndarray, np.ndarray, list[tuple[np.ndarray, np.ndarray, np.ndarray]]]:
        """Blocks of cells: of which each cell is, what each label costs each, and for those beside each other and those
        below each other first and second and (P, K, K) what their labels cost, which is symmetric."""
        _, block = np.unique(self._ys // _BLOCK * self._grid.known.shape[1] + self._xs // _BLOCK, return_inverse=True)
        count = int(block.max()) + 1
        unary = _sums(block, self._unary, count)
        power = (self._shown * self._shown).sum(2)
        apart = power[:, :, None] + power[:, None, :] - 2 * (self._shown @ self._shown.transpose(0, 2, 1))
        other = _PIECE / 2 * (1 - np.eye(len(self._offsets), dtype=np.float32))
        apart = self._weight[:, None, None] * (np.minimum(apart * _UNIT, _SEAM) + other)
        groups = []
        for beside in self._beside[[0, 2]]:
            first = np.flatnonzero(beside >= 0)
            second = beside[first]
            across = block[first] != block[second]
            first, second = first[across], second[across]
            edges, edge = np.unique(block[first] * count + block[second], return_inverse=True)
            cost = _sums(edge, apart[first] + apart[second], len(edges))
            groups.append((edges // count, edges % count, cost))
        return block, unary, groups

    def settled(self, labels: np.ndarray) -> np.ndarray:
        """(N,): labels after single cells went over to a neighbour's, as long as that is better."""
        labels = labels.copy()
        odd = (self._ys + self._xs) % 2
        for _ in range(_MOVES):
            moved = 0
            for colour in (0, 1):
                beside = np.where(self._beside >= 0, labels[self._beside], labels)
                cells = np.flatnonzero((odd == colour) & (beside != labels).any(0))
                least, best = self._cost(labels, cells, labels[cells]), labels[cells].copy()
                for theirs in beside[:, cells]:
                    cost = self._cost(labels, cells, theirs)
                    better = cost < least - 0.5
                    least[better], best[better] = cost[better], theirs[better]
                moved += int((best != labels[cells]).sum())
                labels[cells] = best
            if not moved:
                break
        # What nothing else can be shown in has what is best of what can.
        lost = np.flatnonzero(~self._allowed[np.arange(len(labels)), labels])
        labels[lost] = self._unary[lost].argmin(1)
        return labels

    def _cost(self, labels: np.ndarray, cells: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        """(M,) float32: what ``theirs`` (M,) would cost some ``cells`` (M,), while all others have ``labels``."""
        cost = self._unary[cells, theirs]
        for beside in self._beside[:, cells]:
            seam = np.flatnonzero((beside >= 0) & (labels[beside] != theirs))
            here, there, mine, other = cells[seam], beside[seam], theirs[seam], labels[beside[seam]]
            for cell in (here, there):
                apart = self._shown[cell, mine] - self._shown[cell, other]
                squared = np.minimum((apart * apart).sum(1) * _UNIT, _SEAM)
                cost[seam] += self._weight[cell] * (squared + _PIECE / 2)
        return cost

    def spread(self, labels: np.ndarray) -> np.ndarray:
        """(h, w): the labels (N,) in the grid, -1 elsewhere."""
        of_cell = np.full(self._grid.known.shape, -1)
        of_cell[self._ys, self._xs] = labels
        return of_cell

    def offsets_of(self, labels: np.ndarray) -> np.ndarray:
        """(h, w, 2) int32, as of :func:`find_shifts`."""
        found = np.zeros((*self._grid.known.shape, 2), np.int32)
        allowed = self._allowed[np.arange(len(labels)), labels]
        found[self._ys[allowed], self._xs[allowed]] = self._offsets[labels[allowed]]
        return found


def _features(image: np.ndarray) -> np.ndarray:
    """(h, w, 5) float32: the colour of each cell, and how the grey level changes to the right and down."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    right, down = np.zeros_like(grey), np.zeros_like(grey)
    right[:, :-1], down[:-1] = grey[:, 1:] - grey[:, :-1], grey[1:] - grey[:-1]
    return np.dstack([_COLOUR * image.astype(np.float32), _CHANGE * right, _CHANGE * down])


def _sums(index: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """(count, ...): the sums of the ``values`` (N, ...) of each index (N,), of which each occurs."""
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(count))
    return np.add.reduceat(values[order], starts, axis=0) if count else np.zeros((0, *values.shape[1:]), values.dtype)
