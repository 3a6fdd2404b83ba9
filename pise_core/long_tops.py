"""Tops that hang like a dress: maps often call a dress, or a blouse and a skirt, one top."""

import numpy as np

from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import HIPS, NECK

#: In lengths of the torso, below the hips: between these levels a dress covers what lies between the hips.
_LEVELS = (0.08, 0.25)
#: So much of that it covers, and trousers and skirts have a smaller share of the top's pixels.
_WHOLE, _BARELY = 0.6, 0.08


def hangs_as_dress(parsing: np.ndarray, pose: np.ndarray) -> bool:
    """Whether what a map (H, W) calls a top reaches down to the thighs, and nothing else is worn there.

    Args:
        parsing: uint8.
        pose: (18, 3) in the same pixels.
    """
    top = parsing == REGION["upper_clothes"]
    lower = np.isin(parsing, [REGION["dress"], REGION["pants"]])
    if not visible(pose)[[NECK, *HIPS]].all() or not top.any() or lower.sum() > _BARELY * top.sum():
        return False
    (x0, y0), (x1, y1) = pose[list(HIPS), :2]
    size = float((y0 + y1) / 2 - pose[NECK, 1])
    if size <= 0:
        return False
    height, width = parsing.shape
    rows = [round((y0 + y1) / 2 + level * size) for level in _LEVELS]
    left, right = np.clip([round(min(x0, x1)), round(max(x0, x1)) + 1], 0, width)
    between = top[max(0, rows[0]) : min(height, rows[1]), left:right]
    return bool(between.size and rows[1] <= height and between.mean() > _WHOLE)
