"""Sleeves of which the torso beside them has too much, made as wide as they are.

Beside a torso of the same cloth nobody sees where a sleeve ends, and the nearest bone leaves it thin as a rope. How far
it reaches from its bone is seen on the outer side, against the background. A sleeve that is narrower than that, and
than sleeves are, is filled up on its inner side with its own cloth, mirrored at the bone.
"""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import BONES, HIPS, SHOULDERS
from pise_core.warping.parts import PARTS, arm_length

_CLOTH = (REGION["upper_clothes"], REGION["dress"])
_SKIN = REGION["upper_skin"]
#: Stations along a bone at which widths are measured.
_STATIONS = 32
#: In lengths of the arm's longer bone: how wide a sleeve is made at most, at the shoulder and at the wrist.
_WIDEST = (0.42, 0.33)
#: How wide the inner side is made, as a share of the outer one.
_INNER = 0.8
#: In lengths of the arm's longer bone: how far from it a sleeve's end is looked for.
_LOOKED = 0.5
#: A station is bare where so much of what is near its bone is skin, within so many lengths of the longer bone.
_BARE, _NEAR = 0.4, 0.12
#: In lengths of the arm's longer bone: how far the background shines through a sleeve's outer edge.
_EDGE = 0.06
#: An upper arm comes out of the hair where it has so much of its width.
_COMES_OUT = 0.6
#: Widths are smoothed over so many stations; where fewer of them are seen, nobody knows.
_SMOOTH, _FEWEST = 3.0, 6


class Added(NamedTuple):
    """Pixels that a sleeve lacks: where they are, and which of the sleeve's they look like; (N,) int each."""

    ys: np.ndarray
    xs: np.ndarray
    from_ys: np.ndarray
    from_xs: np.ndarray


def most_added(part: str, pose: np.ndarray) -> float:
    """How far from a part's bone pixels may be added, in pixels."""
    return _WIDEST[0] * _INNER / (1 + _INNER) * arm_length(pose, part)


def lacking(index: int, mask: np.ndarray, owner: np.ndarray, parsing: np.ndarray, pose: np.ndarray) -> Added | None:
    """What a sleeve lacks on its inner side; None where it lacks nothing, or nobody knows.

    Args:
        index: of an upper arm or a forearm in ``PARTS``.
        mask: (H, W) uint8, 1 where the part is.
        owner: (H, W) int8, from ``assign_parts``.
        parsing: (H, W) uint8.
        pose: (18, 3) in the same pixels.
    """
    part, there = PARTS[index], visible(pose)
    bone, torso = BONES[part], [joint for joint in (*SHOULDERS, *HIPS) if there[joint]]
    if not there[list(bone)].all() or len(torso) < 2:
        return None
    length = arm_length(pose, part)
    near, far = (pose[joint, :2].astype(np.float64) for joint in bone)
    along = far - near
    size = float(np.hypot(*along))
    if length < 8 or size < 0.4 * length:  # it points at the camera
        return None
    along /= size
    inner = np.array([-along[1], along[0]])
    middle = pose[torso, :2].mean(0)
    if inner @ (middle - (near + far) / 2) < 0:
        inner = -inner
    shares = (np.arange(_STATIONS) + 0.5) / _STATIONS
    at = near + shares[:, None] * (far - near)
    steps = np.arange(0, max(3, round(_LOOKED * length)))
    outside, outer_labels = _along(at, -inner, steps, mask, parsing)
    inside, inner_labels = _along(at, inner, steps, mask, parsing)
    reach = max(1, round(_NEAR * length))
    close = np.concatenate([inner_labels[:, :reach], outer_labels[:, :reach]], 1)
    cloth = np.isin(close, _CLOTH).sum(1)
    sleeve = (cloth > 0) & ((close == _SKIN).sum(1) < _BARE * cloth)
    outer = _first(~outside)
    # Seen: the sleeve goes on from the bone to the background.
    last = np.minimum(outer, len(steps) - 1)
    seen = sleeve & (outer > 1) & (outer < len(steps)) & (outer_labels[np.arange(_STATIONS), last] == 0)
    if seen.sum() < _FEWEST:
        return None
    widths = _smoothed(outer, seen)
    arm = 0 if part.endswith("upper_arm") else 1
    middle_width = sum(_WIDEST) / 2
    ends = (_WIDEST[0], middle_width) if arm == 0 else (middle_width, _WIDEST[1])
    widest = np.interp(shares, (0, 1), ends) * length
    wanted = np.minimum(_INNER * widths, widest - widths)
    wanted = np.where(sleeve & (wanted > 1), wanted, 0)
    # Where the inner side ends at the background, it is seen, too.
    first = _first(~inside)
    last = np.minimum(first, len(steps) - 1)
    free = (first < len(steps)) & (inner_labels[np.arange(_STATIONS), last] == 0)
    wanted[free] = 0
    if not (wanted > first).any():
        return None
    return _mirrored(near, along, inner, length, size, wanted, np.minimum(widths, outer), mask, owner, parsing)


def below_hair(index: int, mask: np.ndarray, parsing: np.ndarray, pose: np.ndarray) -> Added | None:
    """What hair hides of an upper arm at the shoulder, mirrored at where it comes out; None where it hides nothing, or
    most of the arm. Arguments as of :func:`lacking`."""
    near, far = (pose[joint, :2].astype(np.float64) for joint in BONES[PARTS[index]])
    size = float(np.hypot(*(far - near)))
    hair = parsing == REGION["hair"]
    if not np.isfinite(size) or size < 8 or not hair.any():
        return None
    along = (far - near) / size
    across = np.array([-along[1], along[0]])
    ys, xs = np.nonzero(mask)
    points = np.stack([xs, ys], 1) + 0.5 - near
    on, off = points @ along, points @ across
    station = np.floor(on / size * _STATIONS).astype(int)
    inside = (station >= 0) & (station < _STATIONS)
    counts = np.bincount(station[inside], minlength=_STATIONS)
    whole = np.flatnonzero(counts > _COMES_OUT * np.median(counts[_STATIONS // 2 :]))
    if not len(whole) or not 2 <= whole[0] <= _STATIONS // 2:
        return None
    start = int(whole[0])
    edge = start * size / _STATIONS
    there = (station >= start) & (station < start + 4)
    low, high = np.quantile(off[there], (0.02, 0.98))
    ys, xs = np.nonzero(hair & (mask == 0))
    points = np.stack([xs, ys], 1) + 0.5 - near
    on, off = points @ along, points @ across
    half, middle = (high - low) / 2, (high + low) / 2
    wanted = (np.abs(off - middle) <= half) & (on < edge + 0.5 * half) & (on > 0)
    wanted |= (on <= 0) & (on**2 + (off - middle) ** 2 <= half**2)
    ys, xs, on, off = ys[wanted], xs[wanted], on[wanted], off[wanted]
    height, width = mask.shape
    taken: list[np.ndarray] = []
    left = np.arange(len(ys))
    # Where the mirror image lies beside the arm, from nearer.
    for share in (1.0, 0.5, 0.1):
        at = edge + share * np.abs(edge - on[left]) + 2
        source = near + at[:, None] * along + off[left, None] * across
        x, y = np.floor(source).astype(int).T
        good = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        good[good] = mask[y[good], x[good]] > 0
        taken.append(np.stack([ys[left], xs[left], np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)])[:, good])
        left = left[~good]
    found = np.concatenate(taken, 1)
    return Added(*found) if found.shape[1] else None


def _along(at, direction, steps, mask, parsing) -> tuple[np.ndarray, np.ndarray]:
    """Along rays from points (S, 2): (S, K) bool, whether the part is there; and (S, K) int, the regions, 255 beyond
    the picture."""
    points = np.floor(at[:, None] + steps[None, :, None] * direction).astype(int)
    x, y = points[..., 0], points[..., 1]
    height, width = mask.shape
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    return within & (mask[y, x] > 0), np.where(within, parsing[y, x], 255)


def _first(ends: np.ndarray) -> np.ndarray:
    """(S,) int: the first place along each ray that is set; its length where none is."""
    return np.where(ends.any(1), ends.argmax(1), ends.shape[1])


def _smoothed(widths: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(S,) float: widths where they are seen, between and beyond as at the nearest such places; smoothed."""
    known = np.flatnonzero(seen)
    filled = np.interp(np.arange(len(widths)), known, widths[known])
    padded = np.pad(filled, 2, mode="edge")
    middle = np.median([padded[k : k + len(filled)] for k in range(5)], 0).astype(np.float32)
    return cv2.GaussianBlur(middle[None], (0, 0), _SMOOTH, borderType=cv2.BORDER_REPLICATE)[0]


def _mirrored(near, along, inner, length: float, size: float, wanted, widths, mask, owner, parsing) -> Added | None:
    edge_width = _EDGE * length
    edge = (np.arange(len(wanted)) + 0.5) / len(wanted) * size
    bone = np.stack([near, near + size * along])
    line = near + edge[:, None] * along + wanted[:, None] * inner
    shape = np.zeros(mask.shape, np.uint8)
    outline = np.rint(np.concatenate([bone[:1], line, bone[1:]]) * 8 - 4).astype(np.int32)
    cv2.fillPoly(shape, [outline], 1, shift=3)
    ys, xs = np.nonzero((shape > 0) & (mask == 0) & np.isin(parsing, _CLOTH) & (owner >= 0))
    if not len(ys):
        return None
    points = np.stack([xs, ys], 1) + 0.5 - near
    on, off = points @ along, points @ inner
    station = np.clip((on / size * len(wanted)).astype(int), 0, len(wanted) - 1)
    # Not from the outer edge, through which the background shines.
    stretched = off * np.maximum(widths[station] - edge_width, 0) / np.maximum(wanted[station], 1)
    source = near + on[:, None] * along - stretched[:, None] * inner
    from_xs, from_ys = np.floor(source).astype(int).T
    height, width = mask.shape
    good = (from_xs >= 0) & (from_xs < width) & (from_ys >= 0) & (from_ys < height)
    good[good] = mask[from_ys[good], from_xs[good]] > 0
    return Added(*(values[good] for values in (ys, xs, from_ys, from_xs))) if good.any() else None
