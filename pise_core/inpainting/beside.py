"""What lies beside a hole, mirrored into it along its rows: a street that goes on as sharp as it is.

Where pieces do not meet, and nobody knows what is there, this gives an edit away less than a street out of focus, as
far as it agrees in the large with what is expected, and near the hole's border, where moved arms uncover it.
"""

import cv2
import numpy as np

from pise_core.guided_filter import sampled
from pise_core.inpainting.patch_search import Grid
from pise_core.inpainting.place import Place
from pise_core.masks import grow, mean_about, window_of

#: In cells: over so many rows on both sides the line at which they are mirrored is upright; what is larger than this
#: looks as expected; and from what depth on less and less is shown, down to nothing at twice that.
_LINE, _LARGE, _DEEP = 20, 6.0, 22.0
#: In levels: what differs so much from what is expected, over so many cells, is half believed.
_FAR, _ABOUT = 40.0, 2.0
#: In cells: narrower strips of a row are no side to mirror at; and how far from where both sides meet less and less is
#: shown, down to nothing there.
_NARROW, _MEET = 9, 10.0
#: In cells: how far sources of pieces end before the hole, and nothing is taken from so near a gap of the silhouette.
_OVERLAP = 2
#: In cells: where lines of two rows are no farther apart than this, they are one.
_ONE = 2.0


class Beside:
    """A grid's hole as the mirror image of what lies beside it in the same row, on the nearer side.

    Args:
        grid: about the hole, with what is expected in it.
        share: (h, w) float32 in [0, 1], how much of each cell may be shown so.

    Attributes:
        weight: (h, w) float32 in [0, 1], how much is.
    """

    def __init__(self, grid: Grid, share: np.ndarray) -> None:
        assert grid.expected is not None
        self._shape = h, w = grid.known.shape
        line, depth, apart = _lines(grid.known)
        there = depth < 2 * _DEEP
        column = np.where(there, np.rint(2 * line - np.arange(w)), -1).astype(np.intp)
        there &= (column >= 0) & (column < w)
        column = np.where(there, column, 0)
        there &= np.take_along_axis(_to_show(grid), column, 1)
        mirrored = np.take_along_axis(grid.image, column[..., None], 1).astype(np.float32)
        other = np.where(there[..., None], grid.expected - mirrored, 0).astype(np.float32)
        counts = (there | grid.known).astype(np.float32)
        change = mean_about(other, counts, _LARGE)
        far = np.abs(mean_about(other, counts, _ABOUT)).mean(2)
        agrees = 1 / (1 + (mean_about(far, there.astype(np.float32), _ABOUT) / _FAR) ** 4)
        near = np.clip(2 - depth / _DEEP, 0, 1) * np.clip(apart / _MEET, 0, 1)
        self.weight = np.where(there, share * agrees * near, 0).astype(np.float32)
        rows, columns = window_of(self.weight > 0, margin=1) or (slice(0, 2), slice(0, 2))
        self._first = rows.start, columns.start
        self._twice = 2 * line[rows, columns]
        self._shown = np.dstack([self.weight[..., None], change])[rows, columns]
        self._any = grow(self._shown[..., 0] > 0, 1.5)  # the cells whose pixels show any of it

    def over(self, found: np.ndarray, picture: np.ndarray, ys: np.ndarray, xs: np.ndarray, place: Place) -> np.ndarray:
        """Put it over what else is shown at some pixels.

        Args:
            found: (N, 3) float32 in [0, 255].
            picture: (H, W, 3) uint8, the one that the grid was made of, or a smaller copy.
            ys, xs: (N,) rows and columns.
            place: of the grid on the picture.

        Returns:
            (N, 3) float32; ``found`` itself, changed.
        """
        (h, w), (rows, columns), (first, start) = self._shape, self._twice.shape, self._first
        y = (ys - place.top + 0.5) * (h / place.height) - 0.5 - first
        x = (xs - place.left + 0.5) * (w / place.width) - 0.5 - start
        cell = np.rint(y).astype(np.intp), np.rint(x).astype(np.intp)
        inside = (cell[0] >= 0) & (cell[0] < rows) & (cell[1] >= 0) & (cell[1] < columns)
        here = np.flatnonzero(inside)
        here = here[self._any[cell[0][here], cell[1][here]]]
        if not len(here):
            return found
        y, x, column = y[here], x[here], cell[1][here]
        shown = sampled(self._shown, y, x, (rows, columns))
        upper = np.clip(np.floor(y).astype(np.intp), 0, rows - 2)
        down = np.clip(y - upper, 0, 1)
        twice = self._twice[upper, column], self._twice[upper + 1, column]
        same = np.abs(twice[1] - twice[0]) <= 2 * _ONE
        line = np.where(same, twice[0] + down * (twice[1] - twice[0]), np.where(down < 0.5, *twice))
        across = (line - (x + start) + 0.5) * (place.width / w) - 0.5 + place.left
        across = np.clip(np.rint(across).astype(np.intp), 0, picture.shape[1] - 1)
        found[here] += shown[:, :1] * (picture[ys[here], across] + shown[:, 1:] - found[here])
        return found


def _to_show(grid: Grid) -> np.ndarray:
    """(h, w) bool: what is seen and may be shown again. Other than a piece, a mirror image begins right at the hole."""
    seen = ~grow(~grid.known, 1)
    gaps = seen & ~grid.source & ~grow(~grid.known, _OVERLAP)
    gaps[[0, -1], 1:-1] = False  # pieces end there, but rows do not
    return seen & ~grow(gaps, _OVERLAP)


def _lines(known: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(h, w) float32 each: the column at which each cell that is not known is mirrored, at the nearer end of its run of
    a row; how far away that is, infinity for all others; and how much farther the other end is."""
    h, w = known.shape
    columns = np.broadcast_to(np.arange(w, dtype=np.float32), (h, w))
    side = cv2.morphologyEx(known.astype(np.uint8), cv2.MORPH_OPEN, np.ones((1, _NARROW), np.uint8)) > 0
    ends = (
        np.maximum.accumulate(np.where(side, columns, -np.inf), axis=1),
        np.minimum.accumulate(np.where(side, columns, np.inf)[:, ::-1], axis=1)[:, ::-1],
    )
    around = np.ones((2 * _LINE + 1, 1), np.uint8)
    lines, depths = [], []
    for end, outwards in zip(ends, (-1, 1), strict=True):
        inside = ~known & np.isfinite(end)
        start = np.where(inside, outwards * end, -np.inf).astype(np.float32)
        # On the side of what is known, for what is hidden can't be shown. Where the line followed the silhouette, walls
        # and bars would lean, and edges ripple.
        most = cv2.dilate(start, around, borderType=cv2.BORDER_CONSTANT, borderValue=-np.inf)
        some = np.isfinite(most)
        sums, share = (
            cv2.blur(values.astype(np.float32), around.shape[::-1], borderType=cv2.BORDER_CONSTANT)
            for values in (np.where(some, most, 0), some)
        )
        line = np.where(inside, outwards * sums / np.maximum(share, 1e-3), 0)
        lines.append(line)
        depths.append(np.where(inside, np.abs(columns - line), np.inf))
    first = depths[0] <= depths[1]
    depth = np.minimum(*depths)
    apart = np.where(np.isfinite(depth), np.maximum(*depths) - np.where(np.isfinite(depth), depth, 0), 0)
    return np.where(first, lines[0], lines[1]), depth, apart
