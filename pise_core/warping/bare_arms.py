"""Bare arms take no cloth along.

A sleeve goes about the arm. Where an arm shows its skin across its width, cloth beside it is the torso's or the
skirt's, whose bones may be farther away.
"""

import numpy as np

from pise_core.masks import Nearest, window_of
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import BONES
from pise_core.warping.cloth_beside import of_cloth_beside
from pise_core.warping.parts import PARTS, among, arm_length

_CLOTH = (REGION["upper_clothes"], REGION["dress"], REGION["pants"])
_TRUNK = (PARTS.index("torso"), PARTS.index("skirt"))
#: Steps along the arm, in lengths of its longer bone; how far beyond the wrist hands reach.
_STEP, _HAND = 0.05, 0.45
#: Of how wide skin is where most of it is seen, so much shows that the arm is bare; in lengths of the arm's longer
#: bone, so wide is a bare arm at least.
_SHARE, _WIDTH = 0.45, 0.1
#: The same share where no skin is seen.
_NO_SKIN = 0.2
#: In the same lengths, how far away the torso or the skirt is whose colours such cloth has.
_BESIDE = 0.12
#: Steps at either end of a bare stretch that may be a sleeve's hem, which is not straight.
_HEM = 1


def without_cloth_beside(owner: np.ndarray, image: np.ndarray, pose: np.ndarray, parsing: np.ndarray) -> np.ndarray:
    """The parts of a person of whom bare arms have no cloth.

    Args:
        owner: (H, W) int8.
        image: (H, W, 3) uint8 RGB.
        pose: (18, 3) in the same pixels.
        parsing: (H, W) uint8.
    """
    out, there = owner, visible(pose)
    trunk = among(owner, _TRUNK)
    if not trunk.any():
        return out
    for side in ("left", "right"):
        bones = [BONES[f"{side}_{bone}"] for bone in ("upper_arm", "forearm")]
        if not there[[*bones[0], *bones[1]]].all():
            continue
        arm = [PARTS.index(f"{side}_{bone}") for bone in ("upper_arm", "forearm")]
        ys, xs = np.nonzero(among(owner, arm))
        if not len(ys):
            continue
        label = parsing[ys, xs]
        cloth = np.isin(label, _CLOTH)
        place, bare = _bare(ys, xs, label == REGION["upper_skin"], cloth, pose, side)
        cloth &= bare[place]
        mask = np.zeros(owner.shape, bool)
        mask[ys[cloth], xs[cloth]] = True
        window = window_of(mask, margin=round(_BESIDE * arm_length(pose, f"{side}_forearm")) + 2)
        if window is None:
            continue
        reach = _BESIDE * arm_length(pose, f"{side}_forearm")
        beside = of_cloth_beside(image[window], mask[window], trunk[window] & ~mask[window], reach)
        if beside.any():
            out = out.copy() if out is owner else out
            cys, cxs = np.nonzero(beside)
            cys, cxs = cys + window[0].start, cxs + window[1].start
            y, x = Nearest(trunk).at(cys, cxs)
            out[cys, cxs] = owner[y, x]
    return out


def _bare(ys, xs, skin: np.ndarray, cloth: np.ndarray, pose: np.ndarray, side: str) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel (N,) of an arm the step along it that it is beside, and for each step whether the arm is bare."""
    shoulder, elbow, wrist = (pose[joint, :2] for joint in (*BONES[f"{side}_upper_arm"], BONES[f"{side}_forearm"][1]))
    length = arm_length(pose, f"{side}_forearm")
    ends = np.array([shoulder, elbow, wrist])
    bone = wrist - elbow
    ends = np.vstack([ends, wrist + _HAND * length * bone / max(float(np.hypot(*bone)), 1e-3)])
    points = np.stack([xs, ys], 1) + 0.5
    best, along = np.full(len(xs), np.inf), np.zeros(len(xs))
    start = 0.0
    for a, b in zip(ends[:-1], ends[1:], strict=True):
        d = b - a
        size = float(np.hypot(*d))
        share = np.clip((points - a) @ d / max(size * size, 1e-6), 0, 1)
        away = np.hypot(*(points - a - share[:, None] * d).T)
        nearer = away < best
        best[nearer], along[nearer] = away[nearer], start + share[nearer] * size
        start += size
    step = max(_STEP * length, 1.0)
    place = np.floor(along / step).astype(int)
    width = np.bincount(place[skin], minlength=int(start / step) + 2) / step
    usual = np.quantile(width[width > 0], 0.8) if (width > 0).any() else 0.0
    bare = (width >= max(_SHARE * usual, _WIDTH * length)).astype(np.uint8)
    clothed = np.bincount(place[cloth], minlength=len(width)) / step >= _WIDTH * length
    last = np.flatnonzero(clothed & (width < _NO_SKIN * usual))
    if len(last):  # a sleeve ends once: above its end the map takes some of it for skin
        bare[: last[-1] + 1] = 0
    for _ in range(_HEM):
        bare = bare & np.r_[bare[:1], bare[:-1]] & np.r_[bare[1:], bare[-1:]]
    return place, bare > 0
