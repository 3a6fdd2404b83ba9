"""Where a top ends and what is worn below it begins, when the map takes some of that for the top."""

import cv2
import numpy as np

from pise_core.masks import grow
from pise_core.regions import REGION
from pise_core.rendering.refine import apart, like_other
from pise_core.rendering.wearing.outline import closing
from pise_core.rendering.wearing.places import levels
from pise_core.skeleton import ARMS
from pise_core.warping.bare_body import drawn, limb, torso_length

_TOP, _DRESS, _PANTS = (REGION[name] for name in ("upper_clothes", "dress", "pants"))
#: In lengths of the torso, from the hips down: above the first level a top is surely itself; what has the colours of a
#: garment below it begins below the second.
_SURE, _LOWEST = -0.45, -0.4
#: How many times as likely of the garment below a colour must be.
_ALIKE = 2.0
#: Lab: garments whose typical colours differ by less are not told apart.
_OTHERS = 14.0
#: In frame pixels: thinner bits are none of it, and gaps up to twice as wide are closed.
_THIN, _GAP = 2.0, 3.0
#: Share of the top's width that the garment below takes, for it is worn around the body, and least size in torsos².
_ROUND, _LEAST = 0.65, 0.015
#: Frame pixels that tell a garment's colours.
_TOLD = 60


def parted(photo: np.ndarray, parsing: np.ndarray, pose: np.ndarray, arms: np.ndarray, scale: float) -> np.ndarray:
    """The map with tops that end where the colours of what is worn below them begin.

    Args:
        photo: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        pose: (18, 3) in the same pixels.
        arms: (H, W) bool, the parts of arms.
        scale: frame pixels per pixel.

    Returns:
        (H, W) uint8.
    """
    size = torso_length(pose)
    top = (parsing == _TOP) & ~arms
    if size <= 0 or not top.any():
        return parsing
    level = levels(pose, parsing.shape, size)
    own = top & (level < _SURE)
    if own.sum() * scale**2 < _TOLD:
        return parsing
    made, inner = parsing.copy(), np.zeros_like(arms)
    for joints in ARMS:  # beside a forearm hangs what is worn below, which moves with the arm for the map
        inner |= drawn(limb(pose, joints), parsing.shape)
    all_of_it = (parsing == _TOP) & ~(arms & inner)
    for region in (_DRESS, _PANTS):
        other = parsing == region
        if other.sum() * scale**2 < _TOLD or apart(photo, own, other) < _OTHERS:
            continue
        found = like_other(photo, all_of_it & (level > _LOWEST), other, own, scale, _ALIKE)
        found = closing(found | other, _GAP / scale) & all_of_it & (level > _LOWEST)
        radius = _THIN / scale
        found = grow(~grow(~(found | other), radius), radius) & found
        found = _around_the_body(found, top, other)
        if found.sum() > _LEAST * size**2:
            made[found] = region
    return made


def _around_the_body(found: np.ndarray, top: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(H, W) bool: pieces that touch the garment below, and are most of the top in their rows."""
    count, pieces = cv2.connectedComponents(found.astype(np.uint8))
    touching = np.unique(pieces[found & grow(other, 2)]) if count > 1 else []
    kept = np.zeros_like(found)
    for n in touching:
        piece = pieces == n
        rows = piece.any(axis=1)
        if np.count_nonzero(piece) > _ROUND * np.count_nonzero(top[rows]):
            kept |= piece
    return kept
