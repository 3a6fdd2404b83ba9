"""Trousers where the legs part: cloth between two thighs that go apart is stretched, and not cut.

Torso and thighs meet in a point between the legs. Moved each for itself, thighs leave that point standing out below
the belly, with seams beside it. One more piece covers it, of what is seen there of all three: it goes as a skirt does
(:mod:`pise_core.warping.skirt`), which follows both legs at every level, fades out over the hips and towards either
bone, and ends below in an arch.
"""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import Window, window_of
from pise_core.pose import visible
from pise_core.regions import REGION, REGION_COUNT
from pise_core.skeleton import HIPS, KNEES
from pise_core.warping.limb_rims import Veil
from pise_core.warping.part_transforms import Move
from pise_core.warping.parts import PARTS, among
from pise_core.warping.skirt import Legs, SkirtMove

#: The piece's index, beside those of ``PARTS``.
CROTCH = len(PARTS)
_OWN = tuple(PARTS.index(part) for part in ("left_thigh", "right_thigh", "torso"))
_THIGHS = _OWN[:2]
_TROUSERS = REGION["pants"]
#: In half distances of the hips: how far below them trousers part in the middle, how the arch goes down to either side,
#: and how wide it is.
_DEPTH, _ARCH, _WIDE = 1.25, 2.2, 0.65
#: The same: over how much the piece fades out over thighs and torso below the hips and above its lower edge, and
#: from where on towards a bone.
_FADE_IN, _FADE_OUT = 0.6, (0.9, 1.6)
#: The same: so wide it fades out beside other things of the person, as a shirt's hem.
_BESIDE = 0.2
#: How much of the piece trousers must fill; how far down knees are in both poses, in lengths of the thigh, and in
#: distances of the hips, as thighs of those who sit may point at the camera.
_FILLED, _UPRIGHT, _LONG = 0.4, 0.6, 1.2


_GOES_ON = np.zeros((REGION_COUNT, REGION_COUNT), bool)
_GOES_ON[np.ix_(*2 * [[0, _TROUSERS]])] = True


class Between(NamedTuple):
    """What is seen of trousers between both thighs: where; how much of each pixel (h, w) float32 in [0, 1]; and how it
    goes on into trousers that lie below."""

    window: Window
    share: np.ndarray
    veil: Veil


def goes_along(moves: dict[str, Move], source: np.ndarray, target: np.ndarray) -> bool:
    """Whether what is between the thighs follows both on the way from one pose (18, 3) to another: both stand, and in
    neither they cross."""
    thighs = all(f"{side}_thigh" in moves for side in ("left", "right"))
    return thighs and isinstance(moves.get("skirt"), SkirtMove) and _stands(source) and _stands(target)


def _stands(pose: np.ndarray) -> bool:
    hips, knees = pose[list(HIPS), :2], pose[list(KNEES), :2]
    bones, across = knees - hips, hips[1] - hips[0]
    length = np.hypot(*bones.T)
    down = (bones[:, 1] > np.maximum(_UPRIGHT * length, _LONG * np.hypot(*across))).all()
    return bool(down and (knees[1] - knees[0]) @ across > 0)


def between_thighs(owner: np.ndarray, parsing: np.ndarray, pose: np.ndarray) -> Between | None:
    """The piece; None where no trousers are seen between the thighs.

    Args:
        owner: (H, W) int8, from ``assign_parts``.
        parsing: (H, W) uint8.
        pose: (18, 3) in the same pixels.
    """
    if not visible(pose)[[*HIPS, *KNEES]].all() or not _stands(pose):
        return None
    legs = Legs.of(pose, False, False)
    half = float(legs.apart[0])
    corners = pose[list(HIPS), :2].mean(0) + np.array([[-2.0, -1.0], [2.0, _DEPTH + _ARCH + 1.5]]) * half
    low = np.clip(np.floor(corners[0]).astype(int), 0, owner.shape[::-1])
    high = np.clip(np.ceil(corners[1]).astype(int), 0, owner.shape[::-1])
    around = slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
    if half < 2 or not (high > low).all():
        return None
    trousers = (parsing[around] == _TROUSERS) & among(owner[around], _OWN)
    if not trousers.any():
        return None
    ys, xs = np.mgrid[around]
    level, side = legs.from_pixels(np.stack([xs.ravel(), ys.ravel()], 1) + 0.5)
    down = (level * legs.length / half).reshape(xs.shape)
    apart = np.interp(level, legs.levels, legs.apart)
    aside = np.abs((side - np.interp(level, legs.levels, legs.middle)) / apart).reshape(xs.shape)
    above = _DEPTH + _ARCH * np.minimum(aside, _WIDE) ** 2 - down
    seen = _ramp(down, 0, _FADE_IN) * _ramp(aside, _FADE_OUT[1], _FADE_OUT[0]) * _ramp(above, 0, _FADE_IN)
    # An edge is a pixel wide.
    share = np.clip(above * half + 0.5, 0, 1) * ((aside < _FADE_OUT[1]) & (down > 0))
    place = seen > 0.5
    thighs = trousers & among(owner[around], _THIGHS)
    if not place.any() or (trousers & place).sum() < _FILLED * place.sum() or not (thighs & place).any():
        return None
    others = (owner[around] >= 0) & ~trousers
    if others.any():
        away = cv2.distanceTransform((~others).astype(np.uint8), cv2.DIST_L2, 5)
        seen *= np.clip((away - 1) / max(1.0, _BESIDE * half), 0, 1)
    share = np.where(trousers, share, 0).astype(np.float32)
    inner = window_of(share > 0, margin=1)
    if inner is None:
        return None
    window = tuple(
        slice(whole.start + part.start, whole.start + part.stop) for whole, part in zip(around, inner, strict=True)
    )
    return Between((window[0], window[1]), share[inner], Veil(seen[inner].astype(np.float32), _GOES_ON))


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """From 0 at ``low`` to 1 at ``high``, smoothly."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
