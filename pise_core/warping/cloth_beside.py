"""Cloth that the nearest bone took for a sleeve, and that looks like the torso or the skirt beside it."""

import math

import cv2
import numpy as np

from pise_core.masks import grow

#: How far colours of one cloth differ at most (Lab; the sun shines on one of them).
_ALIKE = np.array([70.0, 14.0, 14.0])


def of_cloth_beside(image: np.ndarray, mask: np.ndarray, trunk: np.ndarray, reach: float) -> np.ndarray:
    """(h, w) bool: the connected pieces of a mask that have the colours of the trunk within some reach.

    Args:
        image: (h, w, 3) uint8 RGB.
        mask: (h, w) bool.
        trunk: (h, w) bool, torso and skirt beside the mask.
        reach: in pixels.
    """
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
    found = np.zeros(mask.shape, bool)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    margin = math.ceil(reach) + 1
    for piece in range(1, count):
        x, y, w, h = (int(value) for value in stats[piece, :4])
        here = slice(max(0, y - margin), y + h + margin), slice(max(0, x - margin), x + w + margin)
        own = pieces[here] == piece
        near = grow(own, reach) & trunk[here]
        if not near.any():
            continue
        apart = np.median(lab[here][own], 0) - np.median(lab[here][near], 0)
        found[here] |= own & bool((np.abs(apart) < _ALIKE).all())
    return found
