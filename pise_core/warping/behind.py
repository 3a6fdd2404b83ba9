"""What lies behind parts of a person, finished, as what moves them is given it."""

from typing import NamedTuple

import numpy as np

from pise_core.masks import Window, overlap

#: x0, y0, x1, y1 in whole pixels.
Box = tuple[int, int, int, int]


class Behind(NamedTuple):
    """What lies behind some parts, finished (:mod:`pise_core.finishing`).

    Attributes:
        front: the parts that hide it, indices into ``PARTS``.
        back: the parts that it may be a piece of.
        window: rows and columns that the arrays are about.
        image: (h, w, 3) uint8, the finished layers; meaningful where ``belief`` is above 0.
        parsing: (h, w) uint8, their regions; 0 where the background is next.
        owner: (h, w) int8, which part each pixel belongs to, also a little beyond the layers' edge; -1 elsewhere.
        belief: (h, w) uint8, how far the colours are believed, of 255; also beyond the edge.
    """

    front: tuple[int, ...]
    back: tuple[int, ...]
    window: Window
    image: np.ndarray
    parsing: np.ndarray
    owner: np.ndarray
    belief: np.ndarray

    def part(self, window: Window) -> "Behind | None":
        """The same in pixels of a part of the picture; None where nothing of it lies there."""
        both = overlap(self.window, window)
        if both is None:
            return None
        there, (rows, columns) = both
        return Behind(self.front, self.back, there, *(array[rows, columns] for array in self[3:]))
