"""Legs that cross: what lies where one hides the other is a piece of both.

The nearest bone parts them along a line, so that each would lack a corner where they are moved apart.
"""

import numpy as np

from pise_core.masks import smooth
from pise_core.pose import visible
from pise_core.skeleton import BONES, LEGS
from pise_core.warping.parts import PARTS, among

#: Places along a bone whose widths are compared; whole is a leg that has so much of its usual width.
_PLACES, _WHOLE = 16, 0.8
#: The widest quarter of the places tells the usual width.
_USUAL = 0.75
#: Corners that are rounded, in halves of a leg's width.
_ROUND = 0.15
_LEG = {
    f"{side}_{bone}": [PARTS.index(f"{other}_{part}") for part in ("thigh", "shin")]
    for side, other in (("left", "right"), ("right", "left"))
    for bone in ("thigh", "shin")
}
_SAME = {part: PARTS.index(f"{'right' if part.startswith('left') else 'left'}_{part.split('_')[1]}") for part in _LEG}


def cross(pose: np.ndarray) -> bool:
    """Whether knees or ankles of a pose (18, 3) are seen in another order than the hips."""
    if not visible(pose)[[joint for leg in LEGS for joint in leg]].all():
        return False
    hips, *lower = (pose[list(pair), :2] for pair in zip(*LEGS, strict=True))
    across = hips[1] - hips[0]
    return any(float((pair[1] - pair[0]) @ across) < 0 for pair in lower)


def shared(mask: np.ndarray, part: str, owner: np.ndarray, pose: np.ndarray) -> np.ndarray | None:
    """(H, W) bool: what of the other leg is also a piece of this one, as wide as it is elsewhere; None if nothing is.

    Args:
        mask: (H, W) uint8, 1 where the part is.
        part: of ``PARTS``.
        owner: (H, W) int8.
        pose: (18, 3) in the same pixels.
    """
    if part not in _LEG or not cross(pose):
        return None
    near, far = (pose[joint, :2] for joint in BONES[part])
    length = float(np.hypot(*(far - near)))
    ys, xs = np.nonzero(mask)
    others = np.nonzero(among(owner, _LEG[part]))
    if length < _PLACES or not len(ys) or not len(others[0]):
        return None
    bone = (far - near) / length

    def about(ys: np.ndarray, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How far along the bone, in places, and beside it pixels lie, and whether they lie beside it at all."""
        x, y = xs + 0.5 - near[0], ys + 0.5 - near[1]
        along = (x * bone[0] + y * bone[1]) / length
        return along * _PLACES, np.abs(x * bone[1] - y * bone[0]), (along >= 0) & (along < 1)

    def widths(ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
        along, _, beside = about(ys, xs)
        return np.bincount(along[beside].astype(int), minlength=_PLACES) / (2 * length / _PLACES)

    half, theirs = widths(ys, xs), widths(*np.nonzero(owner == _SAME[part]))
    # Both legs of a pair are as wide, and the hidden one may be whole nowhere.
    usual = max(float(np.quantile(half, _USUAL)), float(np.quantile(theirs, _USUAL)))
    whole = np.flatnonzero(half >= _WHOLE * usual)
    along, away, beside = about(*others)
    reach = np.interp(along, whole + 0.5, half[whole]) if len(whole) > _PLACES // 4 else usual
    beside &= away <= reach
    if not beside.any():
        return None
    found = mask > 0
    found[others[0][beside], others[1][beside]] = True
    # Where the legs were parted the border has corners.
    found = smooth(found.astype(np.float32), max(0.6, _ROUND * usual)) > 0.5
    return found & among(owner, _LEG[part])
