"""Where one leg ends and the other begins: along the gap between them, and from its top to the hips.

The nearest bone alone cuts through trousers that stand close: strips of one leg would go along with the other, and hang
from it where both are moved apart.
"""

import cv2
import numpy as np

from pise_core.pose import visible
from pise_core.skeleton import LEGS
from pise_core.warping.parts import PARTS, among

_LEFT, _RIGHT = ((PARTS.index(f"{side}_thigh"), PARTS.index(f"{side}_shin")) for side in ("left", "right"))
#: A gap of fewer rows, as a share of the way from the hips to the ankles, is a hole in the map.
_LEAST_GAP = 0.1
#: The border keeps so far from either leg's bones, as a share of what lies between these.
_ASIDE = 0.2


def separate_legs(owner: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The owners with both legs apart at the gap between them; the same where there is none, or where legs cross.

    Args:
        owner: (H, W) int8, from ``assign_parts``.
        pose: (18, 3) in the same pixels.
    """
    right, left = (pose[list(leg), :2] for leg in LEGS)
    if not visible(pose)[[joint for leg in LEGS for joint in leg]].all():
        return owner
    top, bottom = int(np.ceil(min(right[0, 1], left[0, 1]))), int(max(right[2, 1], left[2, 1])) + 1
    top, bottom = max(top, 0), min(bottom, len(owner))
    if bottom - top < 8 or (np.diff(right[:, 1]) <= 0).any() or (np.diff(left[:, 1]) <= 0).any():  # sits, or kneels
        return owner
    rows = np.arange(top, bottom)
    bones = np.stack([np.interp(rows + 0.5, leg[:, 1], leg[:, 0]) for leg in (right, left)])
    side = np.sign(bones[1] - bones[0])
    if not (side == side[0]).all() or side[0] == 0:  # legs cross
        return owner
    first, second = (_RIGHT, _LEFT) if side[0] > 0 else (_LEFT, _RIGHT)  # as the picture has them
    low, high = bones.min(0)[:, None], bones.max(0)[:, None]
    legs = among(owner[top:bottom], (*_LEFT, *_RIGHT))
    x = np.arange(owner.shape[1])[None] + 0.5
    before = np.maximum.accumulate(legs, axis=1)
    after = np.maximum.accumulate(legs[:, ::-1], axis=1)[:, ::-1]
    gap = (owner[top:bottom] < 0) & before & after & (x > low) & (x < high)
    gap = _largest_piece(gap)
    count = gap.sum(1)
    open_rows = np.flatnonzero(count)
    if len(open_rows) < _LEAST_GAP * (bottom - top):
        return owner
    places = (gap * x).sum(1)[open_rows] / count[open_rows]
    border = np.interp(np.arange(len(rows)), np.r_[-1, open_rows], np.r_[bones[:, 0].mean(), places])
    width = (high - low)[:, 0]
    border = np.clip(border, low[:, 0] + _ASIDE * width, high[:, 0] - _ASIDE * width)
    last = open_rows[-1] + 1
    out = owner.copy()
    here, beyond = out[top : top + last], (x > border[:last, None])
    for mine, others, wrong in ((first, second, beyond), (second, first, ~beyond)):
        for own, other in zip(mine, others, strict=True):
            here[(owner[top : top + last] == own) & wrong] = other
    return out


def _largest_piece(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool: of the connected pieces of a mask the one of the most pixels."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2:
        return mask
    return pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
