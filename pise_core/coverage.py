"""What clothes may give way to: the rule that nobody is undressed.

Whatever makes a new map of a dressed person, painting or another garment, may turn clothes into skin on arms, neck and
lower legs alone. Textures stay with their kind: a garment's look goes to garments, and skin has the person's own or
another person's skin.
"""

import numpy as np

from pise_core.errors import InputError
from pise_core.pose import visible
from pise_core.regions import TABLE
from pise_core.skeleton import BONES, HIPS, KNEES, NECK, SHOULDERS
from pise_core.warping.parts import PARTS, assign_parts

_CLOTH, _SKIN = (np.array([row.kind in kinds for row in TABLE]) for kinds in (("garment",), ("skin", "face")))
#: Shares of the way from neck to hips, which a neckline may reach, and from hips to knees, from which on hems may lie.
_NECKLINE, _HEM = 0.25, 0.75
_ARMS = [PARTS.index(part) for part in PARTS if "arm" in part]
_TRUNK = PARTS.index("torso")
#: Shin -> thigh: trousers whose thigh isn't known all go to the shin.
_SHINS = {PARTS.index(f"{side}_shin"): BONES[f"{side}_thigh"] for side in ("left", "right")}
#: As much of the person, as a share of its pixels, is a seam or a stroke that went a little too far.
_SEAM = 0.01


def uncovered(before: np.ndarray, after: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Where clothes gave way to skin beyond arms, neck and lower legs.

    Args:
        before, after: (H, W) uint8 maps of one person in one pose.
        pose: (18, 3) in their pixels.

    Returns:
        (H, W) bool.
    """
    bare = _CLOTH[before] & _SKIN[after]
    if not bare.any():
        return bare
    owner = assign_parts(np.where(bare, before, 0).astype(np.uint8), pose)
    ys, xs = np.nonzero(bare)
    parts, points = owner[ys, xs], np.stack([xs, ys], 1).astype(np.float32) + 0.5
    # Where joints don't tell how far down a place is, it counts as one that stays covered.
    chest = (parts == _TRUNK) & ~(_along(points, *_trunk(pose)) <= _NECKLINE)
    free = [*_ARMS, *(shin for shin, thigh in _SHINS.items() if visible(pose)[list(thigh)].all())]
    thighs = ~np.isin(parts, [*free, _TRUNK]) & ~(_along(points, *_thighs(pose)) >= _HEM)
    found = np.zeros_like(bare)
    found[ys, xs] = chest | thighs
    return found


def is_too_much(bare: np.ndarray, before: np.ndarray, seams: int = 1) -> bool:
    """Whether what :func:`uncovered` found in a map of before is more than so many seams."""
    return bool(bare.sum() > seams * _SEAM * max(np.count_nonzero(before), 1))


def check_covered(before: np.ndarray, after: np.ndarray, pose: np.ndarray, seams: int = 1) -> None:
    """Refuse a map that undresses; see :func:`uncovered`.

    Args:
        before, after, pose: as there.
        seams: how many may be uncovered: two where the map was made and found good by other weights, or at another
            size, and must not be refused for a pixel.

    Raises:
        InputError: if more of the person would be uncovered.
    """
    if is_too_much(uncovered(before, after, pose), before, seams):
        raise InputError("clothes give way to skin on arms, neck and lower legs alone; choose another garment there")


def _trunk(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Neck, and the way from there to between the hips; no way where joints are missing."""
    there, neck = visible(pose), pose[NECK, :2]
    if there[[NECK, *HIPS]].all():
        return neck, pose[list(HIPS), :2].mean(0) - neck
    if there[[NECK, *SHOULDERS]].all():
        x, y = 1.4 * (pose[SHOULDERS[1], :2] - pose[SHOULDERS[0], :2])
        return neck, np.array([-y, x]) if x > 0 else np.array([y, -x])
    return np.zeros(2), np.zeros(2)


def _thighs(pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The middle of the hips, and the way from there to between the knees; no way where joints are missing."""
    there = visible(pose)
    sides = [(hip, knee) for hip, knee in zip(HIPS, KNEES, strict=True) if there[[hip, knee]].all()]
    if not sides:
        return np.zeros(2), np.zeros(2)
    hips, knees = (pose[list(joints), :2].mean(0) for joints in zip(*sides, strict=True))
    return hips, knees - hips


def _along(points: np.ndarray, start: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Shares of the way, below 0 before its start; NaN, which is neither more nor less than anything, without a way."""
    length = float(way @ way)
    return (points - start) @ way / length if length > 0 else np.full(len(points), np.nan)
