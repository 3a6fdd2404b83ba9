"""A photo continued beyond its edges, by pieces of its own background."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from pise_core.inpainting.inpainted import Inpaint, Inpainted
from pise_core.inpainting.patch_fill import STRIP, grid_of, show
from pise_core.inpainting.patch_search import find_offsets
from pise_core.inpainting.place import Place
from pise_core.masks import grow

#: Long side of the grid that pieces are found on.
_SIDE = 192
#: In frame pixels: how far the rim of somebody reaches, and how wide the gaps of the silhouette are that nothing is
#: taken from.
_RIM, _GAP = 3.5, 8
#: The colour where there is no background to go on.
_GREY = 127


class Margins(NamedTuple):
    """What is added to a photo at each side, in its pixels."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def padding(self, channels: int = 0) -> tuple[tuple[int, int], ...]:
        """As numpy pads an array (H, W) or, with ``channels`` 1, (H, W, C)."""
        return ((self.top, self.bottom), (self.left, self.right), *(((0, 0),) * channels))

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """The photo of that size in what it has grown to: rows and columns."""
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def continue_beyond(
    photo: np.ndarray, margins: Margins, people: np.ndarray, scale: float, inpaint: Inpaint | None = None
) -> np.ndarray:
    """The photo with margins that go on as its background does; its own pixels keep their bits, and nothing of people
    is shown again.

    Args:
        photo: (H, W, 3) uint8.
        margins: what is added.
        people: (H, W) bool, where somebody is, or what they hold.
        scale: frame pixels per pixel of the photo.
        inpaint: a large network that continues it, asked once; without it, pieces do.

    Returns:
        (top + H + bottom, left + W + right, 3) uint8.
    """
    height, width = people.shape
    inside = margins.window(height, width)
    grown = np.pad(photo, margins.padding(1))
    beyond = np.ones(grown.shape[:2], bool)
    beyond[inside] = False
    hole = beyond.copy()
    hole[inside] = grow(people, _RIM / scale)
    picture = grown.copy()
    grown[beyond] = _GREY
    if inpaint is not None:
        _answered(grown, picture, beyond, hole, _GAP / scale, inpaint)
    elif not hole.all():
        grid = grid_of(picture, hole, _SIDE, _GAP / scale, beyond)
        offsets = find_offsets(grid)
        if offsets is None:  # hardly any background is in sight: the photo's edge goes on
            edge = np.pad(photo, margins.padding(1), mode="edge")
            grown[beyond] = edge[beyond]
        else:
            show(grown, picture, beyond, grid, offsets)
    return grown


def _answered(
    out: np.ndarray, picture: np.ndarray, beyond: np.ndarray, hole: np.ndarray, gap: float, inpaint: Inpaint
) -> None:
    """Put into ``out`` (H, W, 3) what a network sees ``beyond`` (H, W) bool a picture, which is not shown the ``hole``
    (H, W) bool about it and where people are; with finer texture of the picture's own."""
    answer, place = Inpainted.asked(picture, beyond, 0, 0, inpaint, hole), Place(0, 0, *hole.shape)
    pieces = None
    if answer.finer and not hole.all():
        grid = grid_of(picture, hole, _SIDE, gap, beyond)
        grid = replace(grid, expected=answer.expected(grid, place))
        offsets = find_offsets(grid)
        pieces = None if offsets is None else answer.pieces(grid, offsets, place)
    for start in range(0, len(beyond), STRIP):
        ys, xs = np.nonzero(beyond[start : start + STRIP])
        out[ys + start, xs] = answer.shown(picture, ys + start, xs, pieces, place)
