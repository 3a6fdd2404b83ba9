"""Places of a picture taken away: what lies around them, or behind, goes on there.

What an edit leaves behind of an old pose (a strip of a sleeve beside the torso, the shadow of a hand, a strap that the
map doesn't know) is marked by hand. Pieces of the same region continue it (:mod:`pise_core.inpainting.patch_fill`): of
the background behind the person, or of the garment or skin that the place is a part of.
"""

from dataclasses import replace

import cv2
import numpy as np

from pise_core.inpainting.inpainted import Inpaint, Inpainted
from pise_core.inpainting.patch_fill import grid_of, show
from pise_core.inpainting.patch_search import Grid, Search, find_offsets
from pise_core.inpainting.place import Place
from pise_core.masks import feather, grow, window_of
from pise_core.rendering.compositing import composite

#: In frame pixels: how far about a place pieces are looked for; how far from other regions; and over which width the
#: new picture blends into the old one, within the place.
_AROUND, _RIM, _BLEND = 40.0, 2.0, 1.0
#: Long side of the grid that pieces are found on.
_SIDE = 128
#: What is worn, and skin, is much the same everywhere; the background is told apart by where it lies.
_ANYWHERE = Search(away=(1.0, 1.0), onward=120.0, chance=30.0)


def continued_background(
    background: np.ndarray, people: np.ndarray, marked: np.ndarray, scale: float, inpaint: Inpaint | None = None
) -> tuple[tuple[slice, slice], np.ndarray] | None:
    """The background where places of it are marked, continued from around them.

    Args:
        background: (H, W, 3) uint8, the photo without the person.
        people: (H, W) bool, where the person is in the photo, what was filled in there is not shown again elsewhere;
            and where other people are, who are not shown again either.
        marked: (H, W) bool.
        scale: frame pixels per pixel.
        inpaint: a large network that continues it, asked once; without it, pieces do.

    Returns:
        A window of rows and columns, and the picture (h, w, 3) uint8 there; None where nothing is marked.
    """
    window = window_of(marked, margin=round(_AROUND / scale))
    if window is None:
        return None
    other = grow(people[window], _RIM / scale)
    if inpaint is None:
        return window, _filled(background[window], marked[window], other, Search())
    out, hole = background[window].copy(), marked[window]
    top, left = window[0].start, window[1].start
    answer, place = Inpainted.asked(background, hole, top, left, inpaint), Place(top, left, *hole.shape)
    pieces = None
    if answer.finer and (grid := _grid(out, hole, other)).source.any():
        grid = replace(grid, expected=answer.expected(grid, place))
        offsets = find_offsets(grid)
        pieces = None if offsets is None else answer.pieces(grid, offsets, place)
    ys, xs = np.nonzero(hole)
    out[ys, xs] = answer.shown(background, ys + top, xs + left, pieces, place)
    return window, out


def retouch(
    photo: np.ndarray,
    parsing: np.ndarray,
    marks: np.ndarray,
    scale: float,
    background: tuple[tuple[slice, slice], np.ndarray] | None,
    pieces: bool = True,
) -> np.ndarray:
    """The picture with marked places taken away; all else keeps its bits.

    A place counts only where the map has the region that it is marked with: whatever moves over it later hides it.

    Args:
        photo: (H, W, 3) uint8.
        parsing: (H, W) uint8, the picture's map.
        marks: (H, W) uint8, the region of each marked place, ``regions.UNTOUCHED`` elsewhere.
        scale: frame pixels per pixel.
        background: of :func:`continued_background`, for places marked as background.
        pieces: whether to look for pieces of texture; without them, which is quicker, colours go on from the border.

    Returns:
        (H, W, 3) uint8.
    """
    out = photo
    for region in np.unique(marks[marks == parsing]).tolist():
        if region == 0 and background is None:
            continue
        place = (marks == region) & (parsing == region)
        if region == 0 and background is not None:
            window, made = background
        else:
            window = window_of(place, margin=round(_AROUND / scale))
            assert window is not None
            other = grow(parsing[window] != region, 1)
            made = _filled(photo[window], place[window], other, _ANYWHERE if pieces else None)
        weight = feather(place[window], _BLEND / scale)
        if out is photo:
            out = photo.copy()
        share = np.ones(weight.shape, np.float32)
        out[window] = composite(out[window], made, share, made, weight)
    return out


def _filled(picture: np.ndarray, marked: np.ndarray, other: np.ndarray, search: Search | None) -> np.ndarray:
    """(h, w, 3) uint8: the picture with marked places continued; pieces of what is ``other`` are not shown."""
    out = picture.copy()
    offsets = None if search is None else _pieces(picture, marked, other, search)
    if offsets is None:  # in a hurry, or too little of the same: the colours at the border go on
        hole = (marked | other).astype(np.uint8)
        if not hole.all():
            out[marked] = cv2.inpaint(picture, hole, 5, cv2.INPAINT_TELEA)[marked]
        return out
    show(out, picture, marked, *offsets)
    return out


def _pieces(
    picture: np.ndarray, marked: np.ndarray, other: np.ndarray, search: Search
) -> tuple[Grid, np.ndarray] | None:
    """Which pieces are shown where, as ``show`` takes it; None where there is too little to show."""
    grid = _grid(picture, marked, other)
    offsets = find_offsets(grid, search)
    return None if offsets is None else (grid, offsets)


def _grid(picture: np.ndarray, marked: np.ndarray, other: np.ndarray) -> Grid:
    """Of a picture whose marked places are filled with nothing of what is ``other``."""
    grid = grid_of(picture, marked, _SIDE, wanted=marked)
    cells = grid.known.shape[::-1]
    apart = cv2.resize(other.astype(np.float32), cells, interpolation=cv2.INTER_AREA) == 0
    return replace(grid, source=grid.source & apart)
