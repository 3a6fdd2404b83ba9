"""The photo without the person: what an edit uncovers behind them.

Pieces of the background around continue it (:mod:`pise_core.inpainting.patch_fill`). Which ones is found once, at a
cost that doesn't depend on the photo's size; they are shown where they are asked for.
"""

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace

import cv2
import numpy as np

from pise_core.framing import Framing
from pise_core.guided_filter import sampled
from pise_core.inpainting.inpainted import Inpaint, Inpainted
from pise_core.inpainting.patch_fill import Pieces, grid_of
from pise_core.inpainting.patch_search import Grid
from pise_core.inpainting.place import Place
from pise_core.inpainting.shift_map import find_shifts
from pise_core.label_warps import warp_labels
from pise_core.masks import grow, window_of

#: Long side of the grid that pieces are found on.
_SIDE = 192
#: In frame pixels: how far the person's rim reaches, how far around pieces are looked for, and how wide the gaps of the
#: silhouette are that nothing is taken from: often these are bags, straps or hair that the map doesn't know.
_RIM, _REACH, _GAP = 3.5, 60, 8
#: How firmly colours of pieces stay, and by how many levels they change at most where pieces meet.
_STAY, _MOST = 0.005, 45.0
#: In cells: how far what is expected is changed where it meets what is seen, and how far the rim of passers-by reaches.
_MEET, _OTHERS = 2.0, 1.5
#: Side of the squares that are filled at a time; a multiple of 8.
_TILE = 32
#: So many of them are filled together: few enough for a processor's cache, and enough to be worth a call.
_TOGETHER = 12

Window = tuple[slice, slice]
Expect = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Background:
    """The photo without the person, filled where it is asked for, and kept there.

    It equals the photo wherever no person is, nor a rim about them. The same input gives the same bytes, in whatever
    order it is asked for.

    Args:
        photo: (H, W, 3) uint8.
        parsing: (H, W) uint8, 0 for background.
        framing: of the person in the photo.
        larger: the background of the same photo with more pixels, whose pieces are shown again.
        expect: says what a picture (h, w, 3) uint8 looks like in the large, (h, w, 3) uint8, where it is known (h, w)
            bool and where it is not; without it, pieces alone continue the background.
        inpaint: a large network that continues it, asked once, instead (:mod:`pise_core.inpainting.inpainted`).
        passers_by: says where other people are, (h, w) bool, in a picture as ``expect`` takes it: nothing is taken from
            them, nor are they continued.
    """

    def __init__(
        self,
        photo: np.ndarray,
        parsing: np.ndarray,
        framing: Framing,
        larger: "Background | None" = None,
        expect: Expect | None = None,
        inpaint: Inpaint | None = None,
        passers_by: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    ) -> None:
        self.photo = photo  # all of it, whatever part this is
        self._window = slice(0, photo.shape[0]), slice(0, photo.shape[1])
        self._tiles: dict[tuple[int, int], np.ndarray] = {}
        self._pieces: Pieces | np.ndarray | None = None  # an array: colours in the large; None: there is nothing
        self._answer: Inpainted | None = None  # pieces then only add what is finer
        self._others: np.ndarray | None = None  # on the grid; None where nobody looked
        self._holes, self._place = np.zeros((0, 0), np.uint8), Place(0, 0, *photo.shape[:2])
        self._top = self._left = self._width = 0  # of the holes; they are packed, eight to a byte
        window = window_of(parsing > 0, margin=round(_REACH / framing.scale))
        if window is None:
            return
        hole = grow(parsing[window] > 0, _RIM / framing.scale)
        self._holes, self._width = np.packbits(hole, axis=1), hole.shape[1]
        self._top, self._left = window[0].start, window[1].start
        if larger is not None:
            self._pieces, self._others = larger._pieces, larger._others
            by, bx = np.divide(photo.shape[:2], larger.photo.shape[:2])
            self._place = _scaled(larger._place, by, bx)
            if larger._answer is not None:
                self._answer = larger._answer.on(_scaled(larger._answer.place, by, bx))
            return
        self._place = Place(self._top, self._left, *hole.shape)
        if hole.all():  # nothing to continue from: the photo is all person
            return
        grid = grid_of(photo[window], hole, _SIDE, _GAP / framing.scale)
        if passers_by is not None:
            self._others = grow(passers_by(grid.image, grid.seen) & grid.seen, _OTHERS)
            grid = _without(grid, self._others)
        if inpaint is not None:
            self._answer = answer = Inpainted.asked(photo, hole, self._top, self._left, inpaint, self._others)
            if answer.finer:
                grid = replace(grid, expected=answer.expected(grid, self._place))
                offsets = find_shifts(grid)
                self._pieces = None if offsets is None else answer.pieces(grid, offsets, self._place)
            return
        if expect is not None:
            grid = replace(grid, expected=_joined(grid, expect(grid.image, grid.seen)))
        offsets = find_shifts(grid)
        # Where hardly any background is in sight, colours go on smoothly.
        self._pieces = (
            grid.continued() if offsets is None else Pieces(grid, offsets, _STAY, _MOST, beside=expect is not None)
        )

    @property
    def filled(self) -> int:
        """How many pixels were made so far."""
        return sum(len(colours) for colours in self._tiles.values())

    @property
    def vagueness(self) -> float:
        """Which share of what is filled is not pieces of the photo but a small network's expectation, in [0, 1]; 0
        where a large one was asked, or nothing is filled."""
        return self._pieces.vagueness if self._answer is None and isinstance(self._pieces, Pieces) else 0.0

    def part(self, window: Window) -> "Background":
        """Rows and columns of it, with starts and stops; what is filled in either is there in both."""
        part = copy(self)
        part._window = self._absolute(window)
        return part

    def at(self, window: Window | None = None, wanted: np.ndarray | None = None) -> np.ndarray:
        """A part of it.

        Args:
            window: rows and columns, with starts and stops; by default all.
            wanted: (h, w) bool, where in the window it is needed; elsewhere it may be the photo. By default everywhere.

        Returns:
            (h, w, 3) uint8.
        """
        rows, columns = self._window if window is None else self._absolute(window)
        out = self.photo[rows, columns].copy()
        tiles = []
        for row, column in self._tiles_in(rows, columns):
            top, left = self._top + row * _TILE, self._left + column * _TILE
            y0, y1 = max(top, rows.start), min(top + _TILE, rows.stop, self._top + len(self._holes))
            x0, x1 = max(left, columns.start), min(left + _TILE, columns.stop, self._left + self._width)
            here = slice(y0 - rows.start, y1 - rows.start), slice(x0 - columns.start, x1 - columns.start)
            if wanted is not None and not wanted[here].any():
                continue
            hole = self._hole(row, column)
            if hole is not None:
                tiles.append(((row, column), hole, here, (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))))
        self._fill([(place, hole) for place, hole, _, _ in tiles if place not in self._tiles])
        for place, hole, here, cut in tiles:
            shown, into = self._tiles[place], out[here]
            if len(shown) == hole.size:  # all of it was hidden
                into[:] = shown.reshape(*hole.shape, 3)[cut]
            elif into.shape[:2] == hole.shape:
                into[hole] = shown
            else:
                tile = np.zeros((*hole.shape, 3), np.uint8)
                tile[hole] = shown
                np.copyto(into, tile[cut], where=hole[cut][..., None])
        return out

    def passers_by(self, window: Window | None = None) -> np.ndarray:
        """(h, w) bool: where other people are, as far as anybody looked, in a part of it as :meth:`at` takes it."""
        rows, columns = self._window if window is None else self._absolute(window)
        size = columns.stop - columns.start, rows.stop - rows.start
        if self._others is None:
            return np.zeros(size[::-1], bool)
        (top, left, height, width), (h, w) = self._place, self._others.shape
        matrix = np.array([[width / w, 0, left - columns.start], [0, height / h, top - rows.start]], np.float64)
        return warp_labels(self._others, matrix, size)

    def _absolute(self, window: Window) -> Window:
        rows, columns = window
        top, left = self._window[0].start, self._window[1].start
        return slice(top + rows.start, top + rows.stop), slice(left + columns.start, left + columns.stop)

    def _tiles_in(self, rows: slice, columns: slice) -> Iterator[tuple[int, int]]:
        height, width = len(self._holes), self._width
        top, bottom = max(0, rows.start - self._top), min(height, rows.stop - self._top)
        left, right = max(0, columns.start - self._left), min(width, columns.stop - self._left)
        for row in range(top // _TILE, -(-bottom // _TILE)):
            for column in range(left // _TILE, -(-right // _TILE)):
                yield row, column

    def _hole(self, row: int, column: int) -> np.ndarray | None:
        """(h, w) bool, of a tile; None where nothing of it is hidden."""
        first, step = column * _TILE // 8, _TILE // 8
        bits = self._holes[row * _TILE : (row + 1) * _TILE, first : first + step]
        return np.unpackbits(bits, axis=1).view(bool)[:, : self._width - column * _TILE] if bits.any() else None

    def _fill(self, tiles: list[tuple[tuple[int, int], np.ndarray]]) -> None:
        """Keep what some tiles show in their holes, (N, 3) uint8 each."""
        for start in range(0, len(tiles), _TOGETHER):
            several = tiles[start : start + _TOGETHER]
            found = [np.nonzero(hole) for _, hole in several]
            ys = [y + self._top + row * _TILE for ((row, _), _), (y, _) in zip(several, found, strict=True)]
            xs = [x + self._left + column * _TILE for ((_, column), _), (_, x) in zip(several, found, strict=True)]
            shown = self._shown(np.concatenate(ys), np.concatenate(xs))
            ends = np.cumsum([len(y) for y in ys])
            for (place, _), colours in zip(several, np.split(shown, ends[:-1]), strict=True):
                self._tiles[place] = colours.copy()

    def _shown(self, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
        if self._answer is not None:
            pieces = self._pieces if isinstance(self._pieces, Pieces) else None
            return self._answer.shown(self.photo, ys, xs, pieces, self._place)
        if self._pieces is None:
            return np.full((len(ys), 3), 127, np.uint8)
        if isinstance(self._pieces, Pieces):
            return self._pieces.at(self.photo, ys, xs, self._place)
        top, left, height, width = self._place
        found = sampled(self._pieces.astype(np.float32), ys - top, xs - left, (height, width))
        return np.rint(found).astype(np.uint8)


def _without(grid: Grid, others: np.ndarray) -> Grid:
    """A grid of which ``others`` (h, w) bool are not known, and are not filled either."""
    seen, known, source = (mask & ~others for mask in (grid.seen, grid.known, grid.source))
    return replace(grid, seen=seen, known=known, source=source)


def _scaled(place: Place, by: float, bx: float) -> Place:
    return Place(place.top * by, place.left * bx, place.height * by, place.width * bx)


def _joined(grid: Grid, expected: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32: what is expected (h, w, 3), made to meet what is seen about the hole."""
    seen = grid.seen.astype(np.float32)
    apart = (grid.image.astype(np.float32) - expected) * seen[..., None]
    near = cv2.GaussianBlur(seen, (0, 0), _MEET)
    change = cv2.GaussianBlur(apart, (0, 0), _MEET) / np.maximum(near, 0.05)[..., None]
    joined = np.clip(expected + change * np.minimum(1, 2 * near)[..., None], 0, 255)
    return np.where(grid.seen[..., None], grid.image, joined).astype(np.float32)


def fill_background(photo: np.ndarray, parsing: np.ndarray, framing: Framing) -> np.ndarray:
    """The whole :class:`Background`, (H, W, 3) uint8; arguments as there."""
    return Background(photo, parsing, framing).at()
