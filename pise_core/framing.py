"""One affine map between a photo and the network's frame, for pixels and for coordinates alike.

Coordinates are (x, y) in pixels with pixel centres at +0.5, so that resizing is a plain multiplication.
"""

import functools
import math
import operator
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from pise_core.label_warps import warp_labels

#: (H, W) of the frame that the networks work in.
FRAME_SIZE = (256, 176)
#: x0, y0, x1, y1 in pixels of a photo.
Box = tuple[float, float, float, float]

#: Cells of the frame that are looked at together when maps are enlarged.
_TILE = 8
#: Pixels of the photo that are enlarged at once: a call for each tile of a small photo takes longer than the tile.
_TOGETHER = 1 << 14


@dataclass(frozen=True)
class Framing:
    """``frame = photo * scale + (dx, dy)``; the frame may reach beyond the photo.

    Attributes:
        photo_size: (W, H) of the photo in pixels.
        scale: frame pixels per photo pixel; the same in x and y.
        dx, dy: where the photo's top left corner lies, in frame pixels.
        size: (H, W) of the frame.
    """

    photo_size: tuple[int, int]
    scale: float
    dx: float
    dy: float
    size: tuple[int, int] = FRAME_SIZE

    @classmethod
    def around(
        cls,
        box: Box,
        photo_size: tuple[int, int],
        size: tuple[int, int] = FRAME_SIZE,
        fill: float = 0.8,
    ) -> "Framing":
        """The frame in whose middle ``box`` (x0, y0, x1, y1 in photo pixels) takes ``fill`` of the height or width."""
        x0, y0, x1, y1 = box
        scale = fill * min(size[0] / max(y1 - y0, 1.0), size[1] / max(x1 - x0, 1.0))
        return cls(photo_size, scale, size[1] / 2 - scale * (x0 + x1) / 2, size[0] / 2 - scale * (y0 + y1) / 2, size)

    @classmethod
    def whole(cls, photo_size: tuple[int, int], size: tuple[int, int] = FRAME_SIZE) -> "Framing":
        """The frame that holds the whole photo, centred (letterboxed)."""
        return cls.around((0, 0, photo_size[0], photo_size[1]), photo_size, size, fill=1.0)

    def finer(self, factor: float) -> "Framing":
        """The same view of the photo in a frame of more pixels."""
        size = round(self.size[0] * factor), round(self.size[1] * factor)
        return Framing(self.photo_size, self.scale * factor, self.dx * factor, self.dy * factor, size)

    def resized(self, photo_size: tuple[int, int]) -> "Framing":
        """The same view of the same photo stored at another resolution."""
        return Framing(photo_size, self.scale * self.photo_size[1] / photo_size[1], self.dx, self.dy, self.size)

    def within(self, window: tuple[slice, slice]) -> "Framing":
        """The same frame over a part of the photo: rows and columns, both with start and stop."""
        rows, columns = window
        size = (columns.stop - columns.start, rows.stop - rows.start)
        dx, dy = self.dx + self.scale * columns.start, self.dy + self.scale * rows.start
        return Framing(size, self.scale, dx, dy, self.size)

    def to_frame(self, points: np.ndarray) -> np.ndarray:
        """Photo -> frame for the first two columns of (N, 2 or more); further columns (a score) stay as they are."""
        return self._map(points, self.scale, (self.dx, self.dy))

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """Frame -> photo; the inverse of :meth:`to_frame`."""
        return self._map(points, 1 / self.scale, (-self.dx / self.scale, -self.dy / self.scale))

    @staticmethod
    def _map(points: np.ndarray, scale: float, shift: tuple[float, float]) -> np.ndarray:
        moved = np.array(points, np.float64)
        moved[:, :2] = moved[:, :2] * scale + shift
        return moved.astype(np.asarray(points).dtype if np.asarray(points).dtype.kind == "f" else np.float64)

    def crop(self, image: np.ndarray, border: int | tuple[int, ...] = 0, labels: bool = False) -> np.ndarray:
        """The frame's view of a photo: (H, W[, C]) -> frame size. ``border`` fills what lies outside the photo.

        ``labels``: nearest neighbour, for maps of indices.
        """
        if labels:
            return warp_labels(
                image, self._affine(), (self.size[1], self.size[0]), border if isinstance(border, int) else border[0]
            )
        if self.scale >= 0.75:
            return self._warp(image, self._matrix(), self.size[::-1], border)
        # Without a low-pass a linear warp of a large photo aliases. Only what the frame sees is filtered.
        reach = int(2 / self.scale) + 2
        corners = self.to_photo(np.array([[0, 0], self.size[::-1]], np.float64))
        x0, y0 = np.clip(np.floor(corners[0]).astype(int) - reach, 0, np.array(self.photo_size) - 1)
        x1, y1 = np.clip(np.ceil(corners[1]).astype(int) + reach, (x0 + 1, y0 + 1), self.photo_size)
        image = image[y0:y1, x0:x1]
        shrink, averaged = np.ones(2), 0.0
        if self.scale < 0.25:
            # Wide Gaussians are slow: means over cells come first, the rest is done at twice the frame's resolution.
            size = np.maximum(np.rint(np.array([x1 - x0, y1 - y0]) * 2 * self.scale), 1).astype(int)
            shrink, averaged = size / [x1 - x0, y1 - y0], 1 / 12
            image = cv2.resize(image, size.tolist(), interpolation=cv2.INTER_AREA)
        sigma = np.sqrt(np.maximum((0.4 / self.scale * shrink) ** 2 - averaged, 0.01))
        image = cv2.GaussianBlur(image, (0, 0), sigma[0], sigmaY=sigma[1], borderType=cv2.BORDER_REPLICATE)
        scale, shift = self.scale / shrink, self.scale * np.array([x0, y0]) + [self.dx, self.dy]
        matrix = np.c_[np.diag(scale), shift + 0.5 * (scale - 1)]
        return self._warp(image, matrix, self.size[::-1], border)

    def paste(self, image: np.ndarray, border: int | float = 0, labels: bool = False) -> np.ndarray:
        """A frame's image or map put back at the photo's size; ``border`` fills what the frame does not cover."""
        if labels:
            matrix = np.array([[1, 0, -self.dx], [0, 1, -self.dy]], np.float64) / self.scale
            return warp_labels(image, matrix, self.photo_size, int(border), back=True)
        return self._warp(image, cv2.invertAffineTransform(self._matrix()), self.photo_size, border)

    def paste_most_probable(self, probabilities: np.ndarray, window: tuple[slice, slice] | None = None) -> np.ndarray:
        """Where which of several maps is the highest, after enlarging them to the photo's size.

        Args:
            probabilities: (N, H, W) float32 in the frame. What the frame does not cover belongs to the first map.
            window: the rows and columns that are wanted, with starts and stops; by default all.

        Returns:
            Indices of maps, uint8, of the photo's size, or of the window's: the same there.
        """
        padded = np.pad(probabilities, ((0, 0), (1, 1), (1, 1)))
        padded[0, [0, -1]] = padded[0, :, [0, -1]] = 1
        rows = list(self._tiles(self.size[0], self.dy, self.photo_size[1]))
        columns = list(self._tiles(self.size[1], self.dx, self.photo_size[0]))
        # Between cells values are means of theirs: a map that is below this everywhere about can't win.
        least = _over_tiles(np.minimum, padded.max(0, keepdims=True), rows, columns)
        may_win = _over_tiles(np.maximum, padded, rows, columns) >= least
        cells = (may_win * (1 << np.arange(len(may_win)))[:, None, None]).sum(0).tolist()
        windows = [across for _, _, across in columns]
        wanted = window or (slice(0, self.photo_size[1]), slice(0, self.photo_size[0]))
        out = np.zeros(self.photo_size[::-1], np.uint8)
        for row, (_, _, down) in enumerate(rows):
            if not _meet(down, wanted[0]):
                continue
            for across, rivals in _runs(cells[row], windows, down.stop - down.start):
                if not _meet(across, wanted[1]):
                    continue
                if len(rivals) == 1:
                    out[down, across] = rivals[0]
                    continue
                here = self.within((down, across))
                found = np.argmax([here.paste(probabilities[i], float(i == 0)) for i in rivals], 0)
                out[down, across] = np.array(rivals, np.uint8)[found]
        return out[wanted]

    def _tiles(self, cells: int, offset: float, length: int) -> Iterator[tuple[int, int, slice]]:
        """Along one axis: the first and the last of some cells of the frame, and the photo's pixels whose centres lie
        between the centres of these two. One cell beyond the frame is covered on either side."""
        for first in range(-1, cells, _TILE):
            last = min(first + _TILE, cells)
            start, stop = (
                min(max(math.ceil((cell + 0.5 - offset) / self.scale - 0.5), 0), length) for cell in (first, last)
            )
            if stop > start:
                yield first, last, slice(start, stop)

    def _affine(self) -> np.ndarray:
        return np.array([[self.scale, 0, self.dx], [0, self.scale, self.dy]], np.float64)

    def _matrix(self) -> np.ndarray:
        # OpenCV puts pixel centres at whole numbers: shift by half a pixel on both sides.
        return self._affine() + [[0, 0, 0.5 * (self.scale - 1)]]

    @staticmethod
    def _warp(image, matrix, size, border) -> np.ndarray:
        return cv2.warpAffine(
            image,
            matrix,
            size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=border if isinstance(border, tuple) else (border,) * 4,
        )


_Tiles = list[tuple[int, int, slice]]  # first and last cell, and the photo's pixels, along one axis


def _over_tiles(function: np.ufunc, padded: np.ndarray, rows: _Tiles, columns: _Tiles) -> np.ndarray:
    """What a ufunc makes of the cells of every tile: (N, H + 2, W + 2) -> (N, rows, columns)."""
    for axis, tiles in ((1, rows), (2, columns)):
        if not tiles:
            return np.empty((len(padded), len(rows), len(columns)), padded.dtype)
        ends = [end for first, last, _ in tiles for end in (first + 1, last + 2)]
        # Every second answer is of what lies between two tiles; the last one goes on to the end.
        padded = function.reduceat(padded, ends[:-1] if ends[-1] == padded.shape[axis] else ends, axis)
        padded = padded[:, ::2] if axis == 1 else padded[:, :, ::2]
    return padded


def _runs(may_win: list[int], windows: list[slice], height: int) -> Iterator[tuple[slice, list[int]]]:
    """Neighbouring tiles of a row that can be looked at together, and the maps that may win there: where one map does,
    and where several may, of which the others never win. ``may_win``: for each tile, which may, a bit for each map."""
    start = 0
    for stop in range(1, len(windows) + 1):
        if stop < len(windows):
            alone = may_win[start].bit_count() == 1
            alike = may_win[stop] == may_win[start] if alone else may_win[stop].bit_count() > 1
            if alike and (alone or (windows[stop].stop - windows[start].start) * height <= _TOGETHER):
                continue
        together = functools.reduce(operator.or_, may_win[start:stop])
        rivals = [number for number in range(together.bit_length()) if together >> number & 1]
        yield slice(windows[start].start, windows[stop - 1].stop), rivals
        start = stop


def _meet(first: slice, second: slice) -> bool:
    return first.start < second.stop and second.start < first.stop
