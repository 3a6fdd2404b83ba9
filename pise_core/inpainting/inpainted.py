"""A hole of a photo as an inpainting network continues it, shown at any size.

The network sees a square of the photo about the hole, reduced to the size that it works at; what the photo lacks of a
square is its mirror image. So the cost does not depend on the photo's size, and neither does the memory. What is finer
than the answer comes from pieces of the photo (:mod:`pise_core.inpainting.patch_fill`), as strong as the answer's own
finest texture says.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from pise_core.guided_filter import sampled
from pise_core.inpainting.patch_fill import Pieces
from pise_core.inpainting.patch_search import Grid
from pise_core.inpainting.place import Place
from pise_core.masks import window_of

#: Side of the square that the network sees, in its pixels.
SIDE = 512
#: What is seen about the hole on every side, as a share of the hole's longer side.
_AROUND = 0.25
#: In pixels of the answer: how far its colours are changed where they meet the photo's; what counts as its finest
#: texture, and about which distance that is compared.
_MEET, _FINE, _ABOUT = 4.0, 1.0, 6.0
#: Texture is shown at most so much stronger than it is in the piece.
_STRONGER = 1.2
#: Where a piece's finest texture is off by so many times its usual strength, which is at least so many levels, half of
#: what is finer is shown.
_EDGE, _LEVEL = 1.2, 1.5
#: A photo whose pixels are hardly smaller than the answer's shows nothing that is finer.
_FINER = 1.1

#: A picture (512, 512, 3) uint8 with its hole (512, 512) bool continued: (512, 512, 3) uint8.
Inpaint = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Inpainted:
    """Made by :meth:`asked`.

    Attributes:
        image: (h, w, 3) float32 in [0, 255], the window that was asked about at the network's size: the photo, and in
            the hole what the network answered.
        place: of the window on the photo.
    """

    image: np.ndarray
    place: Place

    @classmethod
    def asked(
        cls,
        photo: np.ndarray,
        hole: np.ndarray,
        top: int,
        left: int,
        inpaint: Inpaint,
        others: np.ndarray | None = None,
    ) -> "Inpainted":
        """Ask a network, once.

        Args:
            photo: (H, W, 3) uint8.
            hole: (h, w) bool, set somewhere, at row ``top`` and column ``left`` of the photo.
            inpaint: the network.
            others: bool, of any size over the same window as the hole: what else is hidden from the network.
        """
        rows, columns = _square(hole, top, left, photo.shape[:2])
        height, width = rows.stop - rows.start, columns.stop - columns.start
        scale = min(1.0, SIDE / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        hidden = np.zeros((height, width), np.uint8)
        y0, y1 = max(top, rows.start), min(top + hole.shape[0], rows.stop)
        x0, x1 = max(left, columns.start), min(left + hole.shape[1], columns.stop)
        cut = hole[y0 - top : y1 - top, x0 - left : x1 - left]
        if others is not None:
            there = cv2.resize(others.view(np.uint8), hole.shape[::-1], interpolation=cv2.INTER_NEAREST)
            cut = cut | (there[y0 - top : y1 - top, x0 - left : x1 - left] > 0)
        hidden[y0 - rows.start : y1 - rows.start, x0 - columns.start : x1 - columns.start] = cut * np.uint8(255)
        small = cv2.resize(photo[rows, columns], size, interpolation=cv2.INTER_AREA)
        # What shares a pixel with the hole has its colours.
        unknown = cv2.resize(hidden, size, interpolation=cv2.INTER_AREA) > 0
        answer = _cut(inpaint(_padded(small), _padded(unknown)), size)
        return cls(_joined(small, unknown, answer), Place(rows.start, columns.start, height, width))

    def on(self, place: Place) -> "Inpainted":
        """The same answer on another copy of the photo, where its window lies at a place; without what is finer than
        that copy's pixels."""
        size = max(1, round(place.width)), max(1, round(place.height))
        if size[0] >= self.image.shape[1]:
            return replace(self, place=place)
        return Inpainted(cv2.resize(self.image, size, interpolation=cv2.INTER_AREA), place)

    def at(self, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
        """(N, 3) float32: its colours at rows and columns of the photo."""
        return self._sampled(self.image, ys, xs, cv2.INTER_CUBIC)

    def _sampled(
        self, values: np.ndarray, ys: np.ndarray, xs: np.ndarray, interpolation: int = cv2.INTER_LINEAR
    ) -> np.ndarray:
        """(N, C) float32 of values (h, w, C) that lie as the image does."""
        top, left, height, width = self.place
        return sampled(values, ys - top, xs - left, (height, width), interpolation)

    @cached_property
    def _fine(self) -> np.ndarray:
        """(h, w, 3) float32: the finest texture."""
        return self.image - cv2.GaussianBlur(self.image, (0, 0), _FINE)

    @cached_property
    def _strength(self) -> np.ndarray:
        """(h, w, 1) float32: how strong that is about each pixel, in levels."""
        return np.sqrt(cv2.GaussianBlur((self._fine**2).mean(2), (0, 0), _ABOUT))[..., None]

    @property
    def finer(self) -> bool:
        """Whether the photo shows what is finer than the answer."""
        return self.place.height > _FINER * self.image.shape[0]

    def expected(self, grid: Grid, place: Place) -> np.ndarray:
        """(h, w, 3) float32: the colours of a grid that lies at a place of the photo; its own where they are known."""
        h, w = grid.known.shape
        step = place.height / h
        reduced = cv2.GaussianBlur(self.image, (0, 0), max(0.3, 0.4 * step * self.image.shape[0] / self.place.height))
        ys, xs = np.mgrid[:h, :w]
        found = self._sampled(reduced, *_centres(ys.ravel(), xs.ravel(), (h, w), place)).reshape(h, w, 3)
        return np.where(grid.seen[..., None], grid.image, found).astype(np.float32)

    def pieces(self, grid: Grid, offsets: np.ndarray, place: Place) -> Pieces:
        """Pieces of the photo, of which what is finer than the answer is shown as strongly as in the answer: where that
        is smooth, nothing.

        Args:
            grid: about the hole, at a place of the photo.
            offsets: (h, w, 2), which piece is shown where.
            place: of the grid.
        """
        ys, xs = np.nonzero(grid.wanted)
        from_y, from_x = ys + offsets[ys, xs, 0], xs + offsets[ys, xs, 1]

        def strength_at(cell_ys: np.ndarray, cell_xs: np.ndarray) -> np.ndarray:
            return self._sampled(self._strength, *_centres(cell_ys, cell_xs, grid.wanted.shape, place))[:, 0]

        shares = np.zeros(grid.wanted.shape, np.float32)
        shares[ys, xs] = np.minimum(_STRONGER, strength_at(ys, xs) / np.maximum(strength_at(from_y, from_x), 0.1))
        return Pieces(grid, offsets, shares=shares)

    def shown(
        self, photo: np.ndarray, ys: np.ndarray, xs: np.ndarray, pieces: Pieces | None, place: Place
    ) -> np.ndarray:
        """(N, 3) uint8: what is shown at rows and columns of the photo, the answer with finer texture of ``pieces``,
        whose grid lies at ``place``."""
        found = self.at(ys, xs)
        if pieces is not None and self.finer:
            fine = self._sampled(self._fine, ys, xs)
            most = _EDGE * np.maximum(self._sampled(self._strength, ys, xs), _LEVEL)

            def finer(from_y: np.ndarray, from_x: np.ndarray) -> np.ndarray:
                # An edge that the answer lacks here would be left as a line.
                apart = np.abs(self._sampled(self._fine, from_y, from_x) - fine).mean(1, keepdims=True)
                alike = 1 / (1 + (apart / most) ** 4)
                return alike * np.clip(photo[from_y, from_x] - self.at(from_y, from_x), -most, most)

            found += pieces.blended(ys, xs, place, photo.shape[:2], finer)[0]
        return np.clip(np.rint(found), 0, 255).astype(np.uint8)


def _square(hole: np.ndarray, top: int, left: int, size: tuple[int, int]) -> tuple[slice, slice]:
    """Rows and columns of a photo of ``size`` (H, W): a square about a hole and its surroundings, as far as the photo
    has one."""
    window = window_of(hole, margin=0)
    assert window is not None
    starts = window[0].start + top, window[1].start + left
    lengths = [part.stop - part.start for part in window]
    side = max(SIDE, round(max(lengths) * (1 + 2 * _AROUND)))
    rows, columns = (_about(*one, side) for one in zip(starts, lengths, size, strict=True))
    return rows, columns


def _about(start: int, length: int, whole: int, side: int) -> slice:
    side = min(side, whole)
    first = min(max(0, start + length // 2 - side // 2), whole - side)
    return slice(first, first + side)


def _padded(picture: np.ndarray) -> np.ndarray:
    """A picture (h, w[, C]) as a square of :data:`SIDE`, mirrored as often as need be."""
    pads = [((SIDE - length) // 2, SIDE - length - (SIDE - length) // 2) for length in picture.shape[:2]]
    return np.pad(picture, pads + [(0, 0)] * (picture.ndim - 2), mode="symmetric")


def _cut(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """What :func:`_padded` was made of, ``size`` (w, h)."""
    left, top = ((SIDE - length) // 2 for length in size)
    return picture[top : top + size[1], left : left + size[0]]


def _joined(small: np.ndarray, unknown: np.ndarray, answer: np.ndarray) -> np.ndarray:
    """(h, w, 3) float32: a picture (h, w, 3) with an answer in what is unknown of it, made to meet it there."""
    seen = (~unknown).astype(np.float32)
    apart = (small.astype(np.float32) - answer) * seen[..., None]
    near = cv2.GaussianBlur(seen, (0, 0), _MEET)
    change = cv2.GaussianBlur(apart, (0, 0), _MEET) / np.maximum(near, 0.05)[..., None]
    joined = np.clip(answer + change * np.minimum(1, 2 * near)[..., None], 0, 255)
    return np.where(unknown[..., None], joined, small).astype(np.float32)


def _centres(ys: np.ndarray, xs: np.ndarray, shape: tuple[int, ...], place: Place) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the photo, between its pixels, at the centres of a grid's cells."""
    top, left, height, width = place
    return (ys + 0.5) * (height / shape[0]) - 0.5 + top, (xs + 0.5) * (width / shape[1]) - 0.5 + left
