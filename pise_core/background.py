"""The photo without the person: what an edit uncovers behind them.

Pieces of the background around continue it (:mod:`pise_core.exemplars`), found on a coarse grid and shown at the
photo's own resolution, so that grain and sharpness are the photo's. Where pieces meet each other and the background
their colours are made to agree (after Pérez et al. 2003).
"""

import cv2
import numpy as np

from pise_core.compositing import grow, window_of
from pise_core.exemplars import Grid, find_offsets
from pise_core.framing import Framing

#: Long side of the grid that pieces are found on.
_SIDE = 192
#: In frame pixels: how far the person's rim reaches, how far around pieces are looked for, and how wide the gaps of the
#: silhouette are that nothing is taken from: often these are bags, straps or hair that the map doesn't know.
_RIM, _REACH, _GAP = 3.5, 60, 8
#: How firmly colours stay what the pieces have; the greater, the sooner a difference at a seam fades out.
_STAY, _ROUNDS = 0.01, 60
#: Mean difference of colours (of 255) beyond which a known cell belongs to another object than the piece beside it.
_OBJECT = 35
#: Rows that are worked on together: the places of all pixels of a large photo at once would take gigabytes.
_STRIP = 256


def fill_background(photo: np.ndarray, parsing: np.ndarray, framing: Framing) -> np.ndarray:
    """The photo without the person: (H, W, 3) uint8, equal to the photo wherever no person (or a rim about it) is.

    The same input gives the same bytes. The cost of the search doesn't depend on the photo's size.

    Args:
        photo: (H, W, 3) uint8.
        parsing: (H, W) uint8, 0 for background.
        framing: of the person in the photo.
    """
    window = window_of(parsing > 0, margin=round(_REACH / framing.scale))
    if window is None:
        return photo
    out = photo.copy()
    part = photo[window]
    hole = grow(parsing[window] > 0, _RIM / framing.scale)
    if hole.all():  # nothing to continue from: the photo is all person
        out[window] = 127
        return out
    grid = _grid(part, hole, _GAP / framing.scale)
    offsets = find_offsets(grid)
    if offsets is None:  # hardly any background in sight
        smooth = cv2.resize(grid.continued(), hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
        out[window][hole] = smooth[hole]
    else:
        _show(out[window], part, hole, ~grid.known, offsets, _agreeing(grid, offsets))
    return out


def _grid(part: np.ndarray, hole: np.ndarray, gap: float) -> Grid:
    """The window at low resolution. ``gap``: in pixels, see ``_GAP``."""
    height, width = hole.shape
    scale = min(1.0, _SIDE / max(height, width))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    share = cv2.resize((~hole).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    # Cells that are partly hole count their visible pixels only: the person must not bleed into the fill.
    image = cv2.resize(part * (~hole)[..., None], size, interpolation=cv2.INTER_AREA)
    image = np.rint(image / np.maximum(share, 0.02)[..., None])
    known = share > 1 - 0.3 * size[0] * size[1] / hole.size  # less than a third of a pixel is hole: rounding
    closed = ~grow(~grow(~known, gap * scale), gap * scale)
    # Pieces overlap by a cell, and reach one beyond what was compared.
    source = ~(grow(~known, 2) | closed)
    source[[0, -1]] = source[:, [0, -1]] = False
    return Grid(np.clip(image, 0, 255).astype(np.uint8), share >= 0.5, known, source)


def _show(
    out: np.ndarray, part: np.ndarray, hole: np.ndarray, cells: np.ndarray, offsets: np.ndarray, change: np.ndarray
) -> None:
    """Put pieces of ``part`` (H, W, 3) into the hole (H, W bool) of ``out``; over the width of a cell they are blended.

    ``cells``, ``offsets``, ``change``: (h, w[, 2 or 3]) of the grid: its hole, where it takes its picture from, and
    what is added to it.
    """
    height, width = hole.shape
    h, w = cells.shape
    steps = np.rint(offsets * np.array([height / h, width / w])).astype(np.int32)
    for start in range(0, height, _STRIP):
        ys, xs = np.nonzero(hole[start : start + _STRIP])
        ys += start
        y, x = ((at + 0.5) * few / many - 0.5 for at, few, many in ((ys, h, height), (xs, w, width)))
        top, left = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
        down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
        total, weights = np.zeros((len(ys), 3), np.float32), np.zeros((len(ys), 1), np.float32)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            row, column = np.clip(top + dy, 0, h - 1), np.clip(left + dx, 0, w - 1)
            weight = np.where(dy, down, 1 - down) * np.where(dx, right, 1 - right) * cells[row, column]
            from_y, from_x = ys + steps[row, column, 0], xs + steps[row, column, 1]
            piece = part[np.clip(from_y, 0, height - 1), np.clip(from_x, 0, width - 1)] + change[row, column]
            total += weight[:, None] * piece
            weights += weight[:, None]
        out[ys, xs] = np.clip(np.rint(total / weights), 0, 255).astype(np.uint8)


def _agreeing(grid: Grid, offsets: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32: what is added to the pieces so that colours differ across seams as they do within pieces.

    The screened Poisson equation, by conjugate gradients. What differs much from all that could be shown beside it is
    an object that ends there, and its colour must not spread.
    """
    hole = ~grid.known
    image = grid.image.astype(np.float32)

    def shown(y: np.ndarray, x: np.ndarray, offset: np.ndarray) -> np.ndarray:
        return image[y + offset[:, 0], x + offset[:, 1]]

    wanted, links = np.zeros_like(image), []
    for dy, dx in ((1, 0), (0, 1)):
        first, second = (slice(-dy or None), slice(-dx or None)), (slice(dy, None), slice(dx, None))
        y, x = np.nonzero(hole[first] | hole[second])
        v, u = y + dy, x + dx
        mine, theirs = offsets[y, x], offsets[v, u]
        here, there = shown(y, x, theirs) - shown(y, x, mine), shown(v, u, theirs) - shown(v, u, mine)
        # In the middle between what both pieces ask for; a known cell asks for nothing, and stays as it is.
        jump = np.where(hole[y, x, None], np.where(hole[v, u, None], (here + there) / 2, there), here)
        near = (np.abs(jump).mean(1) < _OBJECT) | (hole[y, x] & hole[v, u])
        y, x, v, u, jump = y[near], x[near], v[near], u[near], jump[near]
        wanted[y, x] += jump
        wanted[v, u] -= jump
        link = np.zeros((*hole[first].shape, 1), np.float32)
        link[y, x] = 1
        links.append((first, second, link))
    wanted[grid.known] = 0

    def applied(change: np.ndarray) -> np.ndarray:
        out = _STAY * change
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
    return change
