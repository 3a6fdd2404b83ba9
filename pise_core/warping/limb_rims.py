"""The edge of a limb where the body was beside it: soft, smooth, and in the limb's own colours.

At the silhouette a matte says how much of a pixel is the person's (:mod:`pise_core.matting`). Between two parts of a
person nobody asks for one: a limb would be cut out along the pixels of the map, with a strip of the dress at its edge.
At the shoulder, where both go on into one another, the arm fades out over the body instead.
"""

from typing import NamedTuple

import numpy as np

from pise_core.masks import Nearest, grow, smooth, window_of
from pise_core.regions import REGION, REGION_COUNT
from pise_core.skeleton import BONES
from pise_core.warping.parts import PARTS, among

#: How wide the edge is smoothed, in rims; how steep it is then.
_SMOOTH, _STEEP = 0.8, 2.2
#: Shares below that are nothing.
_TRACE = 0.02
#: In lengths of the bone, from the near joint on: where a limb begins to be seen over what it hangs on, and is seen
#: wholly.
_FADES = {"upper_arm": (-0.15, 0.2), "forearm": (-0.15, 0.1), "shin": (-0.15, 0.1)}
#: (8, 8) bool: regions of what lies below a limb, and its own, that go on into one another. Of an upper arm that is
#: cloth alone: the skin that is made behind a bare one has edges of straps.
_CLOTH = np.zeros((REGION_COUNT, REGION_COUNT), bool)
_CLOTH[np.ix_(*2 * [[REGION["upper_clothes"], REGION["dress"]]])] = True
_SAME = _CLOTH | (np.eye(REGION_COUNT) > 0)
# At a limb's edge it has no region, and is seen no more than beside it.
_CLOTH[:, 0] = _CLOTH.any(1)
_SAME[:, 0] = True


class _Limb(NamedTuple):
    own: list[int]  # parts with which there is no edge
    others: list[int] | None  # parts with which there is one; None: all others


def _limb(side: str, other: str, arm: bool) -> _Limb:
    names = ("upper_arm", "forearm", "held") if arm else ("thigh", "shin")
    own, across = ([PARTS.index(f"{which}_{name}") for name in names] for which in (side, other))
    return _Limb(own, None if arm else across)


_LIMBS = {
    f"{side}_{part}": _limb(side, other, "arm" in part)
    for side, other in (("left", "right"), ("right", "left"))
    for part in ("upper_arm", "forearm", "thigh", "shin")
}


class Rim(NamedTuple):
    """Pixels (N,) at a part's edge: where they are, whose colours they have, and how much of them is the part's."""

    ys: np.ndarray
    xs: np.ndarray
    from_ys: np.ndarray
    from_xs: np.ndarray
    share: np.ndarray  # float32


class Veil(NamedTuple):
    """How a limb goes on into what it hangs on.

    Attributes:
        seen: (H, W) float32 in [0, 1], how much of it is seen where that lies below.
        joined: (8, 8) bool, whether a region below and one of the limb go on into one another.
    """

    seen: np.ndarray
    joined: np.ndarray


def veil_of(index: int, size: tuple[int, int], pose: np.ndarray) -> Veil | None:
    """Of an upper arm, a forearm or a shin; None for other parts.

    ``index``: in ``PARTS``; ``size``: (H, W); ``pose``: (18, 3) in the same pixels.
    """
    name = PARTS[index].split("_", 1)[-1]
    if name not in _FADES:
        return None
    low, high = _FADES[name]
    seen = np.clip((_along(index, size, pose) - low) / (high - low), 0, 1)
    return Veil(seen, _CLOTH if name == "upper_arm" else _SAME)


def _along(index: int, size: tuple[int, int], pose: np.ndarray) -> np.ndarray:
    """(H, W) float32: how far along a part's bone each pixel lies, 0 at its near end and 1 at the far one."""
    near, far = (pose[joint, :2].astype(np.float32) for joint in BONES[PARTS[index]])
    d = (far - near) / max(float((far - near) @ (far - near)), 1e-6)
    x, y = np.arange(size[1], dtype=np.float32) + 0.5 - near[0], np.arange(size[0], dtype=np.float32) + 0.5 - near[1]
    return y[:, None] * d[1] + x * d[0]


def rim_of_limb(index: int, mask: np.ndarray, owner: np.ndarray, rim: int, pose: np.ndarray) -> Rim | None:
    """The edge of a part of an arm beside other parts, or of a leg beside the other one; None where there is none.

    Args:
        index: in ``PARTS``.
        mask: (H, W) uint8, 1 where the part is.
        owner: (H, W) int8, from ``assign_parts``.
        rim: so many pixels beside another part have its colours.
        pose: (18, 3) in the same pixels.
    """
    limb = _LIMBS[PARTS[index]]
    own = among(owner, limb.own) | (mask > 0)
    others = (owner >= 0) & ~own if limb.others is None else among(owner, limb.others) & ~own
    near = grow(others, 3 * rim) & (mask > 0) if others.any() else others
    window = window_of(near, margin=4 * rim + 2)
    if window is None:
        return None
    joint = veil_of(index, mask.shape, pose) if PARTS[index].endswith("upper_arm") else None
    part, own, others = mask[window] > 0, own[window], others[window]
    core = part & ~grow(others, rim)
    if not core.any():
        return None
    share = smooth(own.astype(np.float32), _SMOOTH * rim)
    share /= np.maximum(smooth((own | others).astype(np.float32), _SMOOTH * rim), 1e-4)
    share = np.clip((share - 0.5) * _STEEP + 0.5, 0, 1)
    concerned = (part & ~core) | (others & grow(part, 2 * rim) & (share > _TRACE))
    if joint is not None:
        concerned &= joint.seen[window] > 0.5
    ys, xs = np.nonzero(concerned)
    nearest = Nearest(core)
    from_ys, from_xs = nearest.mirrored(ys, xs)
    beside = ~core[from_ys, from_xs]
    from_ys[beside], from_xs[beside] = nearest.at(ys[beside], xs[beside])
    top, left = window[0].start, window[1].start
    return Rim(ys + top, xs + left, from_ys + top, from_xs + left, share[ys, xs])
