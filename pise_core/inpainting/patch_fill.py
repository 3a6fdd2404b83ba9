"""A picture continued into a hole by pieces of itself, shown at its own resolution.

Which piece is shown where is found on a coarse grid (:mod:`pise_core.inpainting.patch_search`), so that the cost
doesn't depend on the picture's size, and grain and sharpness are the picture's. Where pieces meet each other and what
is known, their colours are made to agree (after Pérez et al. 2003).
"""

import cv2
import numpy as np

from pise_core.inpainting.patch_search import Grid
from pise_core.masks import grow

#: How firmly colours stay what the pieces have; the greater, the sooner a difference at a seam fades out.
_STAY, _ROUNDS = 0.01, 60
#: Mean difference of colours (of 255) beyond which a known cell belongs to another object than the piece beside it.
_OBJECT = 35
#: Rows that are worked on together: the places of all pixels of a large picture at once would take gigabytes.
_STRIP = 256


def grid_of(
    picture: np.ndarray, hole: np.ndarray, side: int, gap: float = 0.0, wanted: np.ndarray | None = None
) -> Grid:
    """A picture at low resolution.

    Args:
        picture: (H, W, 3) uint8.
        hole: (H, W) bool.
        side: of the grid, the longer one, in cells; a smaller picture keeps its size.
        gap: gaps of the hole that are up to this wide, in pixels, are known but not shown again.
        wanted: (H, W) bool, the part of the hole that is to be filled; by default all of it.
    """
    height, width = hole.shape
    scale = min(1.0, side / max(height, width))
    size = max(2, round(width * scale)), max(2, round(height * scale))
    share = cv2.resize((~hole).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    # Cells that are partly hole count their known pixels only: what lies in the hole must not bleed into the fill.
    image = cv2.resize(picture * (~hole)[..., None], size, interpolation=cv2.INTER_AREA)
    image = np.rint(image / np.maximum(share, 0.02)[..., None])
    known = share > 1 - 0.3 * size[0] * size[1] / hole.size  # less than a third of a pixel is hole: rounding
    closed = ~grow(~grow(~known, gap * scale), gap * scale) if gap else ~known
    # Pieces overlap by a cell, and reach one beyond what was compared.
    source = ~(grow(~known, 2) | closed)
    source[[0, -1]] = source[:, [0, -1]] = False
    cells = ~known
    if wanted is not None:  # a cell more: what is shown is blended over the width of one
        cells &= grow(cv2.resize(wanted.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0, 1)
    return Grid(np.clip(image, 0, 255).astype(np.uint8), share >= 0.5, known, source, cells)


def show(out: np.ndarray, picture: np.ndarray, wanted: np.ndarray, grid: Grid, offsets: np.ndarray) -> None:
    """Put pieces of ``picture`` (H, W, 3) into ``out`` where they are ``wanted`` (H, W) bool, in the hole or at its
    rim; over the width of a cell they are blended.

    ``grid`` and ``offsets``: of :func:`grid_of` and ``exemplars.find_offsets``.
    """
    height, width = wanted.shape
    cells, change = grid.wanted, _agreeing(grid, offsets)
    h, w = cells.shape
    steps = np.rint(offsets * np.array([height / h, width / w])).astype(np.int32)
    for start in range(0, height, _STRIP):
        ys, xs = np.nonzero(wanted[start : start + _STRIP])
        ys += start
        y, x = ((at + 0.5) * few / many - 0.5 for at, few, many in ((ys, h, height), (xs, w, width)))
        top, left = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
        down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
        total, weights = np.zeros((len(ys), 3), np.float32), np.zeros((len(ys), 1), np.float32)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            row, column = np.clip(top + dy, 0, h - 1), np.clip(left + dx, 0, w - 1)
            weight = np.where(dy, down, 1 - down) * np.where(dx, right, 1 - right) * cells[row, column]
            from_y, from_x = ys + steps[row, column, 0], xs + steps[row, column, 1]
            piece = picture[np.clip(from_y, 0, height - 1), np.clip(from_x, 0, width - 1)] + change[row, column]
            total += weight[:, None] * piece
            weights += weight[:, None]
        out[ys, xs] = np.clip(np.rint(total / weights), 0, 255).astype(np.uint8)


def _agreeing(grid: Grid, offsets: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32: what is added to the pieces so that colours differ across seams as they do within pieces.

    The screened Poisson equation, by conjugate gradients. What differs much from all that could be shown beside it is
    an object that ends there, and its colour must not spread.
    """
    hole, there = grid.wanted, grid.wanted | grid.known
    image = grid.image.astype(np.float32)

    def shown(y: np.ndarray, x: np.ndarray, offset: np.ndarray) -> np.ndarray:
        return image[y + offset[:, 0], x + offset[:, 1]]

    wanted, links = np.zeros_like(image), []
    for dy, dx in ((1, 0), (0, 1)):
        first, second = (slice(-dy or None), slice(-dx or None)), (slice(dy, None), slice(dx, None))
        y, x = np.nonzero((hole[first] | hole[second]) & there[first] & there[second])
        v, u = y + dy, x + dx
        mine, theirs = offsets[y, x], offsets[v, u]
        before, after = shown(y, x, theirs) - shown(y, x, mine), shown(v, u, theirs) - shown(v, u, mine)
        # In the middle between what both pieces ask for; a known cell asks for nothing, and stays as it is.
        jump = np.where(hole[y, x, None], np.where(hole[v, u, None], (before + after) / 2, after), before)
        near = (np.abs(jump).mean(1) < _OBJECT) | (hole[y, x] & hole[v, u])
        y, x, v, u, jump = y[near], x[near], v[near], u[near], jump[near]
        wanted[y, x] += jump
        wanted[v, u] -= jump
        link = np.zeros((*hole[first].shape, 1), np.float32)
        link[y, x] = 1
        links.append((first, second, link))
    wanted[~hole] = 0

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
