"""A picture continued into a hole by pieces of itself, shown at its own resolution.

Which piece is shown where is found on a coarse grid (:mod:`pise_core.inpainting.patch_search`), so that the cost
doesn't depend on the picture's size, and grain and sharpness are the picture's. Where pieces meet each other and what
is known, their colours are made to agree (after Pérez et al. 2003).
"""

import math
from collections.abc import Callable

import cv2
import numpy as np

from pise_core.inpainting.beside import Beside
from pise_core.inpainting.patch_search import Grid
from pise_core.inpainting.piece_colours import changes
from pise_core.inpainting.place import Place
from pise_core.masks import grow, window_of

#: Rows that are worked on together: the places of all pixels of a large picture at once would take gigabytes.
STRIP = 32


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
    image = cv2.resize(cv2.copyTo(picture, (~hole).view(np.uint8)), size, interpolation=cv2.INTER_AREA)
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


class Pieces:
    """Which pieces of a picture are shown where, at any resolution.

    Args:
        grid: of :func:`grid_of`.
        offsets: of :func:`pise_core.inpainting.patch_search.find_offsets`, or of
            :func:`pise_core.inpainting.shift_map.find_shifts`.
        stay: how firmly colours stay what the pieces have; the greater, the sooner a difference at a seam fades out.
        most: by how many levels colours change at most; what differs by more where pieces meet is another thing, and
            would only be veiled.
        shares: (h, w) float32, how much of its piece a cell shows, for pieces that show no colours of their own
            (:meth:`blended`); by default it is found, and colours with it.
        beside: whether what lies beside the hole is mirrored into it where pieces do not meet
            (:mod:`pise_core.inpainting.beside`); the grid must tell what is expected.

    Where the grid tells what is expected, pieces add their fine texture to that, and nothing where they would show
    something else.
    """

    def __init__(
        self,
        grid: Grid,
        offsets: np.ndarray,
        stay: float = 0.01,
        most: float = 255.0,
        shares: np.ndarray | None = None,
        beside: bool = False,
    ) -> None:
        self._shape = grid.wanted.shape
        # A cell more: what lies about the hole has no pieces, and grids have at most a few hundred cells a side.
        rows, columns = window_of(grid.wanted, margin=1) or (slice(0, 1), slice(0, 1))
        self._first = rows.start, columns.start
        self._cells = grid.wanted[rows, columns].copy()
        self._offsets = offsets[rows, columns].astype(np.int16)
        self._beside = None
        if shares is not None:
            share, change = shares, np.zeros((*shares.shape, 3), np.float32)
        else:
            share, change, whole = changes(grid, offsets, stay, most)
            if beside:
                self._beside = Beside(grid, 1 - whole)
        self._share, self._change = share[rows, columns].copy(), change[rows, columns].copy()

    @property
    def vagueness(self) -> float:
        """Which share of what is shown is not the pieces', in [0, 1]."""
        return float(1 - self._share[self._cells].mean()) if self._cells.any() else 0.0

    def at(self, picture: np.ndarray, ys: np.ndarray, xs: np.ndarray, place: Place) -> np.ndarray:
        """What is shown at some pixels of the hole or at its rim; over the width of a cell pieces are blended.

        Args:
            picture: (H, W, 3) uint8, the one that the pieces were found in, or a smaller copy.
            ys, xs: (N,) rows and columns.
            place: of the grid on the picture; pieces are taken from there.

        Returns:
            (N, 3) uint8; the picture's own colours where no piece is known.
        """
        total, weights = self.blended(ys, xs, place, picture.shape[:2], lambda y, x: picture[y, x])
        found = np.divide(total, weights, out=picture[ys, xs].astype(np.float32), where=weights > 0)
        if self._beside is not None:
            found = self._beside.over(found, picture, ys, xs, place)
        return np.clip(np.rint(found), 0, 255).astype(np.uint8)

    def blended(
        self,
        ys: np.ndarray,
        xs: np.ndarray,
        place: Place,
        size: tuple[int, int],
        shown: Callable[[np.ndarray, np.ndarray], np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """What the cells about some pixels show, blended.

        Args:
            ys, xs: (N,) rows and columns.
            place: of the grid on the picture.
            size: (H, W) of the picture.
            shown: tells what is shown, (N, 3), where the pieces of these pixels come from, rows and columns (N,).

        Returns:
            (N, 3) float32, the weighted sum, and (N, 1), of the weights: 1, or 0 where no piece is known.
        """
        (h, w), (height, width) = self._shape, self._cells.shape
        cells, change, share = self._cells.ravel(), self._change.reshape(-1, 3), self._share.ravel()
        steps = [
            np.rint(self._offsets[..., axis] * (pixels / many)).astype(np.int32).ravel()
            for axis, pixels, many in ((0, place.height, h), (1, place.width, w))
        ]
        first = math.ceil(place.top), math.ceil(place.left)
        last = (
            min(size[0], math.floor(place.top + place.height)) - 1,
            min(size[1], math.floor(place.left + place.width)) - 1,
        )
        y, x = (
            (at - start + 0.5) * few / many - 0.5
            for at, start, few, many in ((ys, place.top, h, place.height), (xs, place.left, w, place.width))
        )
        top, left = np.floor(y).astype(np.int32), np.floor(x).astype(np.int32)
        down, right = (y - top).astype(np.float32), (x - left).astype(np.float32)
        rows, columns = (
            [np.clip(start + step - first, 0, many - 1) for step in (0, 1)]
            for start, first, many in ((top, self._first[0], height), (left, self._first[1], width))
        )
        total, weights = np.zeros((len(ys), 3), np.float32), np.zeros((len(ys), 1), np.float32)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            cell = rows[dy] * width + columns[dx]
            weight = (down if dy else 1 - down) * (right if dx else 1 - right) * cells[cell]
            from_y = np.clip(ys + steps[0][cell], first[0], last[0])
            from_x = np.clip(xs + steps[1][cell], first[1], last[1])
            piece = change.take(cell, axis=0)
            piece += share[cell][:, None] * shown(from_y, from_x)
            total += weight[:, None] * piece
            weights += weight[:, None]
        return total, weights


def show(out: np.ndarray, picture: np.ndarray, wanted: np.ndarray, grid: Grid, offsets: np.ndarray) -> None:
    """Put pieces of ``picture`` (H, W, 3) into ``out`` where they are ``wanted`` (H, W) bool, in the hole or at its
    rim; arguments as of :class:`Pieces`."""
    pieces, place = Pieces(grid, offsets), Place(0, 0, *wanted.shape)
    for start in range(0, len(wanted), STRIP):
        ys, xs = np.nonzero(wanted[start : start + STRIP])
        ys += start
        out[ys, xs] = pieces.at(picture, ys, xs, place)
