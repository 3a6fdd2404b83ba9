"""Where one leg ends and the other begins: along the gap between them, and from its top to the hips.

The nearest bone alone cuts through trousers that stand close: strips of one leg would go along with the other, and hang
from it where both are moved apart.
"""

import cv2
import numpy as np

from pise_core.masks import Nearest, grow, window_of
from pise_core.pose import visible
from pise_core.skeleton import LEGS
from pise_core.warping.parts import PARTS, among

_SKIRT = PARTS.index("skirt")
_LEFT, _RIGHT = ((PARTS.index(f"{side}_thigh"), PARTS.index(f"{side}_shin")) for side in ("left", "right"))
#: A gap of fewer rows, as a share of the way from the hips to the ankles, is a hole in the map; where there is a gap,
#: others may be shorter.
_LEAST_GAP, _LEAST_MORE = 0.1, 0.03
#: How far below the ankles feet reach, in the same measure.
_FOOT = 0.35
#: The border keeps so far from either leg's bones, as a share of what lies between these.
_ASIDE = 0.2
#: Points of a hem that are narrower than twice this, in lengths of the thigh, are none.
_POINT = 0.05


def separate_legs(owner: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The owners with both legs apart at the gap between them; the same where there is none, or where legs cross.

    Args:
        owner: (H, W) int8, from ``assign_parts``.
        pose: (18, 3) in the same pixels.
    """
    right, left = (pose[list(leg), :2] for leg in LEGS)
    if not visible(pose)[[joint for leg in LEGS for joint in leg]].all():
        return owner
    top, length = max(0, int(min(right[0, 1], left[0, 1]))), max(right[2, 1], left[2, 1]) - min(right[0, 1], left[0, 1])
    bottom = min(len(owner), int(max(right[2, 1], left[2, 1]) + _FOOT * length))
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
    between = np.maximum.accumulate(legs, axis=1) & np.maximum.accumulate(legs[:, ::-1], axis=1)[:, ::-1]
    gap = (owner[top:bottom] < 0) & between & (x > low) & (x < high)
    gap = _high_pieces(gap, _LEAST_GAP * length, _LEAST_MORE * length)
    count = gap.sum(1)
    open_rows = np.flatnonzero(count)
    if not len(open_rows):
        return owner
    # Between the hips, at the gap, and from its lower end on, it is so far from the middle of the bones.
    middle = bones.mean(0)
    aside = (gap * x).sum(1)[open_rows] / count[open_rows] - middle[open_rows]
    border = middle + np.interp(np.arange(len(rows)), np.r_[-1, open_rows], np.r_[0, aside])
    width = (high - low)[:, 0]
    border = np.clip(border, low[:, 0] + _ASIDE * width, high[:, 0] - _ASIDE * width)
    out = owner.copy()
    before, here, beyond = owner[top:bottom], out[top:bottom], x > border[:, None]
    for mine, others, wrong in ((first, second, beyond), (second, first, ~beyond)):
        for own, other in zip(mine, others, strict=True):
            here[(before == own) & wrong] = other
    return out


def smooth_hem(owner: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The owners without thin points of a skirt that hang down between or beside the legs, and without pieces of one
    about the ankles that hang together with no other: shadows, and hems of trousers, are easily taken for a skirt, and
    would stay or be torn when the legs go. They go with the leg beside them.

    Args:
        owner: (H, W) int8, from ``assign_parts``.
        pose: (18, 3) in the same pixels.
    """
    skirt, legs = owner == _SKIRT, among(owner, (*_LEFT, *_RIGHT))
    if not (skirt.any() and legs.any() and visible(pose)[[joint for leg in LEGS for joint in leg[:2]]].all()):
        return owner
    bones = [np.hypot(*(pose[leg[1], :2] - pose[leg[0], :2])) for leg in LEGS]
    radius = max(1.0, _POINT * float(np.mean(bones)))
    window = window_of(skirt, margin=round(3 * radius) + 2)
    assert window is not None
    cloth, legs, here = skirt[window], legs[window], owner[window]
    knees = float(np.mean([pose[leg[1], 1] for leg in LEGS])) - window[0].start
    points = cloth & ~grow(~grow(~cloth, radius), radius)
    wrong = _pieces_at(points, legs) | _pieces_at(_low_pieces(cloth, knees), legs)
    ys, xs = np.nonzero(wrong)
    if not len(ys):
        return owner
    out = owner.copy()
    y, x = Nearest(legs).at(ys, xs)
    out[window][ys, xs] = here[y, x]
    return out


def _pieces_at(mask: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(H, W) bool: the connected pieces of a mask that touch ``others``."""
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    return mask & np.isin(pieces, np.unique(pieces[mask & grow(others, 1.5)]))


def _low_pieces(mask: np.ndarray, top: float) -> np.ndarray:
    """(H, W) bool: the connected pieces of a mask all of which lies below a row."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    low = stats[:, cv2.CC_STAT_TOP] > top
    low[0] = False
    return low[np.asarray(pieces, np.int32)]


def _high_pieces(mask: np.ndarray, least: float, more: float) -> np.ndarray:
    """(H, W) bool: the connected pieces of a mask of at least ``more`` rows, if one has ``least``."""
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    rows = stats[:, cv2.CC_STAT_HEIGHT].copy()
    rows[0] = 0
    kept = (rows >= more) & (rows.max() >= least)
    return kept[np.asarray(pieces, np.int32)]
