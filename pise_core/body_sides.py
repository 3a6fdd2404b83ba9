"""The sides of a body behind an arm: smooth, and nearly straight where nothing else is seen.

A network says where the body goes on behind an arm, and draws bulges and bites there that no body has. Where the
outline is seen above and below it is continued between; a bend costs, and of what the network says that counts less
which is farther out than the line (Whittaker smoothing, reweighted).
"""

import numpy as np

from pise_core.masks import Nearest, window_of

#: Rows that are looked at, per frame pixel.
_ROWS = 1.0
#: In frame pixels: how far above and below what is hidden the seen outline counts, and a step that ends it (a hem).
_CONTEXT, _STEP = 20.0, 3.0
#: In frame pixels: shorter stretches of outline are left as they are.
_LEAST = 4
#: What bends cost, what a hidden row weighs, and at what distance from the line, in frame pixels, half as much.
_STIFF, _HIDDEN, _DOUBTED, _BITE = 3e3, 0.25, 1.5, 6.0
#: In frame pixels: so much wider than the network says may a body become.
_FILLED = 2.0
#: In frame pixels: how far around what is filled takes its labels from.
_TAKEN = 16.0
#: A seen outline that is steeper than that (columns per row) is no side: it is a shoulder.
_SHOULDER = 0.6
_ROUNDS = 5


def smooth_sides(
    labels: np.ndarray, parts: np.ndarray, known: np.ndarray, hides: np.ndarray, others: np.ndarray, scale: float
) -> None:
    """Make the outline of what was finished behind something smooth; ``labels`` and ``parts`` are changed.

    Args:
        labels: (H, W) uint8, regions that were finished; 0 elsewhere.
        parts: (H, W) int8, whose they are; -1 elsewhere.
        known: (H, W) bool, the layers in plain sight.
        hides: (H, W) bool, what hides them.
        others: (H, W) bool, what else may hide them, and whose outline says nothing.
        scale: frame pixels per pixel.
    """
    height, width = labels.shape
    step = max(1, round(1 / (_ROWS * scale)))
    rows = np.arange(step // 2, height, step)
    unit = 1 / scale  # pixels of one frame pixel
    body = known | (labels > 0)
    for right in (False, True):
        flip = slice(None, None, -1) if right else slice(None)
        ends, hidden, seen = _ends(
            body[rows, flip], known[rows, flip], hides[rows, flip], others[rows, flip], round(unit)
        )
        wanted = np.full(height, np.nan)
        for start, stop in _runs(hidden):
            if (stop - start) * step < _LEAST * unit:
                continue
            line = _line(ends, hidden, seen, start, stop, unit, step)
            inside = np.arange(max(0, rows[start] - step // 2), min(height, rows[stop - 1] + step - step // 2))
            wanted[inside] = np.interp(inside, rows[start:stop], line)
        hidden_here = (hides & ~known)[:, flip]
        _apply(labels[:, flip], parts[:, flip], body[:, flip], hidden_here, wanted, round(_TAKEN * unit))


def _ends(body, known, hides, others, rim: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row, from its left: where the body begins, nan if it doesn't or reaches the picture's edge; whether that
    is hidden; whether it is seen."""
    first = body.argmax(1)
    there = body.any(1) & (first > 0)
    row = np.arange(len(body))
    before = np.clip(first - np.arange(1, rim + 3)[:, None], 0, None)
    behind, other = hides[row, before].any(0), others[row, before].any(0)
    hidden = there & (~known[row, first] | behind)
    seen = there & known[row, first] & ~behind & ~other
    return np.where(there, first.astype(float), np.nan), hidden, seen


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _line(ends, hidden, seen, start: int, stop: int, unit: float, step: int) -> np.ndarray:
    """The smooth outline of the hidden rows from ``start`` to ``stop``."""
    low, high = start, stop
    most, jump = round(_CONTEXT * unit / step), _STEP * unit
    while low > 0 and start - low < most and seen[low - 1] and abs(ends[low - 1] - ends[low]) < jump:
        low -= 1
    while high < len(ends) and high - stop < most and seen[high] and abs(ends[high] - ends[high - 1]) < jump:
        high += 1
    if low < start and abs(ends[low] - ends[start - 1]) > _SHOULDER * step * (start - low):
        low = start
    x, count = ends[low:high], high - low
    bends = np.diff(np.eye(count), 2, axis=0) if count > 2 else np.zeros((0, count))
    # A bend costs the same whatever the photo's size.
    cost = _STIFF * bends.T @ bends
    base = np.where(seen[low:high], 1.0, _HIDDEN)
    weights, line = base, x
    for _ in range(_ROUNDS):
        line = np.linalg.solve(cost + np.diag(weights), weights * x)
        # Cloth where none is is worse than a body that is a little narrow: bulges are doubted, bites hardly.
        off = (line - x) / (unit * np.where(line > x, _DOUBTED, _BITE))
        weights = base / (1 + np.where(seen[low:high], 0, off**2))
        weights = np.where((line < x) & ~seen[low:high], 4 * weights, weights)
    # A bite is rounded, not filled.
    return np.maximum(line, x - _FILLED * unit)[start - low : stop - low]


def _apply(
    labels: np.ndarray, parts: np.ndarray, body: np.ndarray, hidden: np.ndarray, wanted: np.ndarray, around: int
) -> None:
    """Rows whose body begins at ``wanted``, nan where it stays as it is, where that is hidden; what is filled takes
    the nearest labels, from ``around`` so many pixels."""
    columns = np.arange(labels.shape[1]) + 0.5
    concerned = np.flatnonzero(np.isfinite(wanted))
    if not len(concerned):
        return
    beyond = columns < wanted[concerned, None]
    first = body[concerned].argmax(1)
    gone = beyond & (labels[concerned] > 0)
    ys, xs = np.nonzero(gone)
    labels[concerned[ys], xs], parts[concerned[ys], xs] = 0, -1
    lacking = np.zeros(labels.shape, bool)
    lacking[concerned] = ~beyond & (columns < first[:, None] + 0.5) & hidden[concerned]
    window = window_of(lacking, around)
    if window is None or not labels[window].any():
        return
    ys, xs = np.nonzero(lacking[window])
    y, x = Nearest(labels[window] > 0).at(ys, xs)
    for values in (labels[window], parts[window]):
        values[ys, xs] = values[y, x]
