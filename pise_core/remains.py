"""What was left out of a thing at its edge: pixels that look like it, unlike what lies beyond, and touch it.

Left where it is when the thing moves, it tells where that was.
"""

import cv2
import numpy as np

from pise_core.masks import smooth, window_of

#: In frame pixels: how far from the thing it is looked for; from where on and up to where its surroundings count.
_REACH, _BEYOND = 7.0, (3.5, 18.0)
#: The same: over how much colours of the surroundings and of the thing are averaged; how deep inside it is itself.
_SURROUNDINGS, _OWN, _INSIDE = 4.0, 3.0, 1.0
#: In Lab, where light counts half: so many deviations and levels a pixel differs from the surroundings at least and
#: from the thing at most; and of the former difference, how much the latter may be.
_UNLIKE, _LIKE, _CLEARLY = (2.0, 12.0), (1.5, 10.0), 0.6
_WEIGHTS = np.array([0.5, 1, 1], np.float32)


def remains_of(image: np.ndarray, thing: np.ndarray, cells: float) -> np.ndarray:
    """(H, W) bool: what was left out of a thing.

    Args:
        image: (H, W, 3) uint8 RGB.
        thing: (H, W) bool.
        cells: pixels of these per frame pixel.
    """
    found = np.zeros(thing.shape, bool)
    window = window_of(thing, margin=round((_REACH + _BEYOND[1]) * cells))
    if window is None:
        return found
    own = thing[window]
    lab = cv2.cvtColor(image[window], cv2.COLOR_RGB2LAB).astype(np.float32)
    away, depth = (cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5) / cells for mask in (~own, own))
    beside = (away > _BEYOND[0]) & (away < _BEYOND[1])
    unlike, usual = _apart(lab, beside, _SURROUNDINGS * cells)
    like, its_own = _apart(lab, own & (depth > _INSIDE), _OWN * cells)
    left = (away > 0) & (away <= _REACH) & (unlike > _UNLIKE[0] * usual + _UNLIKE[1])
    left &= (like < _LIKE[0] * its_own + _LIKE[1]) & (like < _CLEARLY * unlike)
    left = (cv2.morphologyEx(left.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)) > 0) & ~own
    _, pieces = cv2.connectedComponents((left | own).astype(np.uint8))
    found[window] = left & np.isin(pieces, np.unique(pieces[own]))
    return found


def _apart(lab: np.ndarray, mask: np.ndarray, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) float32 each: how far colours are from the mean of those of a mask about them, without limit where none
    is near; and how far these are from that themselves."""
    inside = lab * mask[..., None]
    weight = smooth(mask.astype(np.float32), sigma)
    there, safe = weight > 1e-3, np.maximum(weight, 1e-4)[..., None]
    mean, square = smooth(inside, sigma) / safe, smooth(inside * lab, sigma) / safe
    usual = np.sqrt(np.maximum(square - mean * mean, 0) @ _WEIGHTS)
    apart = np.sqrt((lab - mean) ** 2 @ _WEIGHTS)
    return np.where(there, apart, np.float32(np.inf)), np.where(there, usual, np.float32(np.inf))
