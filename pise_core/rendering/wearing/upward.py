"""Trousers and skirts that go on up to the waist, where the lender's jacket hid them.

Their folds run down from there. So what is hidden is what lies right below it, mirrored: folds go on, which pieces from
elsewhere would break off.
"""

import cv2
import numpy as np

#: In frame pixels: how far a jacket's shadow falls; over how many columns the line is levelled; and fewer rows
#: that are known are none.
_SHADE, _LEVELLED, _LEAST = 5.0, 6.0, 4.0


def mirrored_up(
    colours: np.ndarray, shown: np.ndarray, open_: np.ndarray, most: float, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """What lies above a garment in its own cloth.

    Args:
        colours: (H, W, 3) uint8.
        shown: (H, W) bool, where the garment is known.
        open_: (H, W) bool, where it is and isn't known.
        most: from how many rows below it is taken; farther up they come again, turned over.
        scale: frame pixels per pixel.

    Returns:
        (H, W, 3) uint8, ``colours`` with it, and (H, W) bool, where that is: a little below the line, too, where the
        jacket's shadow lay.
    """
    height = len(shown)
    rows = np.arange(height)[:, None]
    above = height - 1 - _next(~shown[::-1], height)[::-1]  # the last row further up where it isn't shown
    shadow = shown & (rows - above <= _SHADE / scale) & (above >= 0)
    shadow &= np.take_along_axis(open_, np.maximum(above, 0), axis=0)
    shown, open_ = shown & ~shadow, open_ | shadow
    below = _next(~open_, height)  # the first row further down where nothing is open
    found = open_ & (below < height)
    found &= np.take_along_axis(shown, np.minimum(below, height - 1), axis=0)
    if not found.any():
        return colours, found
    depth = np.minimum(_next(~shown, height) - rows, most)  # known rows from each on
    weight, wide = found.astype(np.float32), max(0.6, _LEVELLED / scale)
    sums = [_along(v, wide) for v in (weight, weight * below, weight * _at(depth, below))]
    line, known = (s / np.maximum(sums[0], 1e-3) for s in sums[1:])
    found &= known * scale >= _LEAST
    # Up and down again: a triangle wave of the distance from the line.
    away = np.mod(np.maximum(line - rows, 0), np.maximum(2 * known, 1))
    source = (line + np.minimum(away, 2 * known - away)).astype(np.float32)
    columns = np.broadcast_to(np.arange(shown.shape[1], dtype=np.float32), source.shape)
    sure = cv2.remap(shown.astype(np.float32), columns, source, cv2.INTER_LINEAR)
    found &= sure > 0.99
    made = colours.copy()
    made[found] = cv2.remap(colours, columns, source, cv2.INTER_LINEAR)[found]
    return made, found


def mirrored_down(
    colours: np.ndarray, shown: np.ndarray, open_: np.ndarray, most: float, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`mirrored_up`, for what lies below a garment: the fronts of an open jacket, and what is worn beneath it,
    each go on."""
    made, found = mirrored_up(colours[::-1], shown[::-1], open_[::-1], most, scale)
    return np.ascontiguousarray(made[::-1]), found[::-1]


def _next(stops: np.ndarray, height: int) -> np.ndarray:
    """(H, W) int: the nearest row at or below each pixel where ``stops`` (H, W bool) is set; ``height`` for none."""
    at = np.where(stops, np.arange(height)[:, None], height)
    return np.minimum.accumulate(at[::-1], axis=0)[::-1]


def _at(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    return np.take_along_axis(values, np.minimum(rows, len(values) - 1), axis=0)


def _along(values: np.ndarray, sigma: float) -> np.ndarray:
    """Low-passed along rows only."""
    values = np.ascontiguousarray(values, np.float32)
    return cv2.GaussianBlur(values, (0, 0), sigmaX=sigma, sigmaY=1e-3, borderType=cv2.BORDER_REPLICATE)
