"""The body that clothes hide: arms, legs and trunk as outlines about the bones.

How thick limbs are is told in lengths of their bones, after the proportions of adults; what was worn bounds them, for
an arm is no wider than its sleeve and lies in the middle of it.
"""

import cv2
import numpy as np

from pise_core.pose import visible
from pise_core.skeleton import ARMS, HIPS, NECK, NOSE, SHOULDERS

#: Half the thickness at the root, the middle of the first bone, the joint, the fullest part of the second bone and its
#: end, in lengths of the limb's longer bone.
_ARM = (0.175, 0.15, 0.12, 0.125, 0.085)
_LEG = (0.2, 0.175, 0.12, 0.127, 0.08, 0.08)
#: The same places along the limb: 0 at the root, 1 at the joint, 2 at the end. A leg is thinnest above its ankle.
_AT_ARM = (0.0, 0.5, 1.0, 1.3, 2.0)
_AT_LEG = (0.0, 0.5, 1.0, 1.35, 1.85, 2.0)
#: A bone that points at the camera is short: the longer one is at least so long, in lengths of the torso.
_LEAST_ARM, _LEAST_LEG = 0.5, 0.7
#: A hand beyond the wrist: how far, and half how wide, in halves of the wrist's thickness.
_HAND = ((0.8, 1.05), (1.6, 1.2), (2.4, 1.15), (3.2, 0.95), (4.0, 0.7))
_STEPS = 24
#: Of the sleeve, or the trouser leg, at most.
_WITHIN = 0.96
#: How many times as thick as adults' proportions say a limb may be after what is seen of it.
_SEEN = (0.7, 1.1)


def limb(
    pose: np.ndarray, joints: tuple[int, int, int], inside: np.ndarray | None = None, wider: float = 1.0
) -> np.ndarray | None:
    """Outline of an arm or a leg.

    Args:
        pose: (18, 3) in pixels.
        joints: of ``ARMS`` or ``LEGS``.
        inside: (H, W) bool, what covers the limb in the picture; the outline's size, too.
        wider: how many times as thick as a bare one.

    Returns:
        (K, 3) float32: x, y and half the thickness along the limb; None where its joints are missing.
    """
    there = visible(pose)[list(joints)]
    if not there[:2].all():
        return None
    count = 3 if there[2] else 2
    points = pose[list(joints[:count]), :2].astype(np.float64)
    bones = np.hypot(*np.diff(points, axis=0).T)
    arm = joints in ARMS
    length = max(float(bones.max()), (_LEAST_ARM if arm else _LEAST_LEG) * torso_length(pose))
    at = np.linspace(0, count - 1, _STEPS * (count - 1) + 1)
    first = np.minimum(at.astype(int), count - 2)
    centres = points[first] + (at - first)[:, None] * (points[first + 1] - points[first])
    radii = np.interp(at, _AT_ARM if arm else _AT_LEG, np.array(_ARM if arm else _LEG) * length * wider)
    if inside is not None:
        centres, radii = _within(centres, radii, inside)
    return np.c_[centres, radii].astype(np.float32)


def with_hand(arm: np.ndarray) -> np.ndarray:
    """The outline (K, 3) of an arm with a relaxed hand that hangs on."""
    (x, y, r), (u, v, _) = arm[-1], arm[-6]
    way = np.array([x - u, y - v]) / max(float(np.hypot(x - u, y - v)), 1e-3)
    hand = [(x + way[0] * far * r, y + way[1] * far * r, wide * r) for far, wide in _HAND]
    return np.concatenate([arm, np.array(hand, np.float32)])


def as_thick_as_seen(outline: np.ndarray | None, bare: np.ndarray) -> np.ndarray | None:
    """An outline of :func:`limb` with the thickness that the bare part of the limb tells of the rest.

    Args:
        outline: (K, 3), or None, which stays None.
        bare: (H, W) bool, what is seen bare of this limb.
    """
    ys, xs = np.nonzero(bare)
    if outline is None or len(ys) < 20:
        return outline
    points = np.stack([xs, ys], 1) + 0.5
    away = np.hypot(*(points[:, None] - outline[None, :, :2]).transpose(2, 0, 1))
    counts = np.bincount(away.argmin(1), minlength=len(outline))
    spacing = np.hypot(*np.gradient(outline[:, :2], axis=0).T)
    half = counts / np.maximum(2 * spacing, 1e-3)
    # The last places have the hand beyond them as well, and those at a sleeve's edge only a part.
    at = np.flatnonzero(half > 0.4 * outline[:, 2])
    at = at[(at < len(outline) - 2) & (at > 0)]
    at = at[1:-1] if len(at) > 4 else at
    if len(at) < 2:
        return outline
    ratio = np.clip(np.median(half[at] / outline[at, 2]), *_SEEN)
    return np.c_[outline[:, :2], outline[:, 2] * ratio].astype(np.float32)


def _within(centres: np.ndarray, radii: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Moved to the middle of what covers the limb, and made no wider than that."""
    way = np.gradient(centres, axis=0)
    way /= np.maximum(np.hypot(*way.T), 1e-3)[:, None]
    across = np.c_[-way[:, 1], way[:, 0]]
    height, width = inside.shape
    shift, half = np.zeros(len(radii)), radii.copy()
    for n, (centre, normal, radius) in enumerate(zip(centres, across, radii, strict=True)):
        reach = np.arange(-int(2.2 * radius) - 1, int(2.2 * radius) + 2)
        xs, ys = (centre + reach[:, None] * normal).astype(int).T
        seen = (xs >= 0) & (xs < width) & (ys >= 0) & (ys < height)
        hit = seen & inside[np.clip(ys, 0, height - 1), np.clip(xs, 0, width - 1)]
        near = np.flatnonzero(hit)
        if not len(near):
            continue
        middle = near[np.abs(reach[near]).argmin()]
        if abs(reach[middle]) > 0.7 * radius:
            continue
        low = high = middle
        while low > 0 and hit[low - 1]:
            low -= 1
        while high + 1 < len(hit) and hit[high + 1]:
            high += 1
        half[n] = min(radius, max(_WITHIN * (high - low) / 2, 0.55 * radius))
        slack = max((high - low) / 2 - half[n], 0)
        wanted = (reach[low] + reach[high]) / 2
        # No further than needed: the bone is where the joints say, unless the limb would look out of its sleeve.
        shift[n] = np.clip(wanted, -0.7 * radius, 0.7 * radius) if slack < 0.3 * radius else np.clip(
            np.clip(0, wanted - slack, wanted + slack), -0.7 * radius, 0.7 * radius
        )  # fmt: skip
    kernel = np.ones(7) / 7
    shift, half = (np.convolve(np.pad(_median(v), 3, mode="edge"), kernel, "valid") for v in (shift, half))
    return centres + shift[:, None] * across, half


def _median(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, 3, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 7), axis=1)


def drawn(outline: np.ndarray | None, size: tuple[int, int], start: float = 0.0, stop: float = 1.0) -> np.ndarray:
    """(H, W) bool: an outline of :func:`limb` filled, from ``start`` to ``stop`` of its length; nothing for None."""
    mask = np.zeros(size, np.uint8)
    if outline is None:
        return mask.astype(bool)
    first, last = round(start * (len(outline) - 1)), round(stop * (len(outline) - 1))
    piece = outline[first : last + 1]
    fine = 16
    for (x, y, r), (u, v, s) in zip(piece[:-1], piece[1:], strict=True):
        d = np.array([u - x, v - y])
        n = np.array([-d[1], d[0]]) / max(float(np.hypot(*d)), 1e-3)
        corners = [(x, y) + n * r, (u, v) + n * s, (u, v) - n * s, (x, y) - n * r]
        cv2.fillConvexPoly(mask, np.rint((np.array(corners) - 0.5) * fine).astype(np.int32), 1, cv2.LINE_8, 4)
    for x, y, r in piece:
        centre = np.rint((np.array([x, y]) - 0.5) * fine).astype(int)
        cv2.circle(mask, centre.tolist(), max(1, round(float(r) * fine)), 1, -1, cv2.LINE_8, 4)
    return mask.astype(bool)


def beyond(outline: np.ndarray, at: int, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: about place ``at`` of an outline, the side away from its root: hems are straight."""
    (x, y, _), (u, v, r) = outline[max(0, at - 4)], outline[at]
    way = np.array([u - x, v - y]) / max(float(np.hypot(u - x, v - y)), 1e-3)
    ys, xs = np.mgrid[: shape[0], : shape[1]] + 0.5
    along = (xs - u) * way[0] + (ys - v) * way[1]
    return (along > 0) & (np.hypot(xs - u, ys - v) < 4 * r)


def trunk(pose: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: the bare trunk from the neck to the hips, shoulders included; nothing where joints are missing."""
    mask = np.zeros(size, np.uint8)
    there = visible(pose)
    if not there[[NECK, *SHOULDERS]].all():
        return mask.astype(bool)
    neck, right, left = (pose[j, :2].astype(np.float64) for j in (NECK, *SHOULDERS))
    wide = left - right
    breadth = max(float(np.hypot(*wide)), 0.45 * torso_length(pose))
    side = wide / max(float(np.hypot(*wide)), 1e-3)
    if there[list(HIPS)].all():
        hips = pose[list(HIPS), :2].astype(np.float64)
        down = hips.mean(0) - neck
    else:
        down = np.array([-side[1], side[0]]) * 1.4 * breadth
        down = down if down[1] > 0 else -down
        hips = np.array([right, left]) + down
    down = down / max(float(np.hypot(*down)), 1e-3)
    slim = 0.17 * breadth  # half a neck
    top = neck - 0.3 * breadth * down
    if there[NOSE]:
        lean = pose[NOSE, :2] - neck
        top = neck + 0.55 * lean
    corners = [
        top - slim * side, neck - 1.15 * slim * side - 0.19 * breadth * down,
        neck + 0.45 * (right - neck) - 0.13 * breadth * down, right - 0.08 * breadth * down,
        right - 0.1 * breadth * side + 0.05 * breadth * down, right + 0.55 * breadth * down,
        hips[0] - 0.16 * breadth * side, hips[1] + 0.16 * breadth * side,
        left + 0.55 * breadth * down, left + 0.1 * breadth * side + 0.05 * breadth * down,
        left - 0.08 * breadth * down, neck + 0.45 * (left - neck) - 0.13 * breadth * down,
        neck + 1.15 * slim * side - 0.19 * breadth * down, top + slim * side,
    ]  # fmt: skip
    cv2.fillPoly(mask, [np.rint((np.array(corners) - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return mask.astype(bool)


def torso_length(pose: np.ndarray) -> float:
    """From the neck to the hips, in pixels, or what other joints say of it; 0 where they say nothing."""
    there = visible(pose)
    if there[[NECK, *HIPS]].all():
        return float(np.hypot(*(pose[list(HIPS), :2].mean(0) - pose[NECK, :2])))
    if there[list(SHOULDERS)].all():
        return 1.4 * float(np.hypot(*(pose[SHOULDERS[1], :2] - pose[SHOULDERS[0], :2])))
    return 0.0
