"""Places on a wearer's body that garments go by: levels below the hips, pelvis, thighs, hands, what a skirt covers."""

from collections.abc import Sequence

import cv2
import numpy as np

from pise_core.regions import REGION
from pise_core.skeleton import HIPS, LEGS, NECK
from pise_core.warping.bare_body import drawn, limb

#: In halves of a wrist's thickness: how far beyond the end of an arm the hand may be seen.
_WRIST = 6.0
#: In halves of an ankle's thickness: how far above the end of a leg a boot may begin, and how far below it a shoe.
_SHAFT, _SHOE = 6.0, 7.0
#: Legs and the skirt about them are so many times as thick as bare legs; rows in which so much of them is seen, and at
#: most so much covered, are below a skirt. In squares of the torso's length: smaller tails are none.
_ABOUT, _SEEN, _COVERED, _TAIL = 1.5, 0.35, 0.5, 0.03
#: Where, of the way from hips to knees, trousers are no wider for the hips above.
TAPERS = 0.5


def levels(pose: np.ndarray, shape: tuple[int, int], size: float) -> np.ndarray:
    """(H, W) float32: how far below the hips, in lengths of the torso; negative above."""
    hips = pose[list(HIPS), :2].mean(0)
    down = hips - pose[NECK, :2]
    if not np.isfinite(down).all():
        return np.full(shape, -1, np.float32)
    down = down / max(float(np.hypot(*down)), 1e-3)
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32) + 0.5
    return (((xs - hips[0]) * down[0] + (ys - hips[1]) * down[1]) / size).astype(np.float32)


def pelvis(pose: np.ndarray, shape: tuple[int, int], size: float) -> np.ndarray:
    """(H, W) bool: from the hips to the crotch; nothing where joints are missing."""
    mask = np.zeros(shape, np.uint8)
    hips, neck = pose[list(HIPS), :2], pose[NECK, :2]
    if np.isfinite(hips).all() and np.isfinite(neck).all():
        down = hips.mean(0) - neck
        down = down / max(float(np.hypot(*down)), 1e-3) * size
        out = (hips[1] - hips[0]) * 0.3
        corners = [hips[0] - out - 0.2 * down, hips[1] + out - 0.2 * down, hips[1] + 0.1 * down, hips[0] + 0.1 * down]
        cv2.fillConvexPoly(mask, np.rint(np.array(corners)).astype(np.int32), 1)
    return mask.astype(bool)


def thighs(
    pose: np.ndarray,
    shape: tuple[int, int],
    size: float,
    legs: tuple[Sequence[float], Sequence[float]],
    fit: np.ndarray | None = None,
) -> np.ndarray:
    """(H, W) bool: trousers from the hips to half-way down the thighs.

    Args:
        pose: (18, 3) of the wearer, in pixels.
        shape: (H, W).
        size: the length of the torso.
        legs: of the right and the left leg there, half of the width and how far its middle lies beside the bone, in
            pixels, as :func:`pise_core.rendering.wearing.limbs.width_of` counts.
        fit: (H, W) bool, some rows of where they fit at the hips; by default after the joints.
    """
    mask = np.zeros(shape, np.uint8)
    ys, xs = np.nonzero(fit) if fit is not None else (np.zeros(0), np.zeros(0))
    fitting = np.stack([xs, ys], 1) + 0.5
    for (hip, knee, _), (wide, beside) in zip(LEGS, legs, strict=True):
        a, b, middle = pose[hip, :2], pose[knee, :2], pose[list(HIPS), :2].mean(0)
        if not np.isfinite([*a, *b, *middle]).all():
            continue
        way = (b - a) / max(float(np.hypot(*(b - a))), 1e-3)
        across = np.array([-way[1], way[0]])
        end = a + TAPERS * (b - a) + beside * across
        corners = np.array(
            [middle, a + 0.6 * (a - middle) - 0.1 * size * way, end - wide * across, end + wide * across]
        )
        side = (fitting - middle) @ (a - middle) > 0
        if side.any():  # down from the hips they taper, without a step
            corners = np.concatenate([corners, fitting[side]])
        cv2.fillConvexPoly(mask, np.rint(cv2.convexHull(corners.astype(np.float32))).astype(np.int32), 1)
    return mask.astype(bool)


def skirt_shape(skirt: np.ndarray, pose: np.ndarray, shape: tuple[int, int], size: float) -> np.ndarray:
    """(H, W) bool: a skirt of which only the lower part was seen, up to the hips."""
    made = skirt.astype(np.uint8)
    ys, xs = np.nonzero(skirt)
    if not len(ys) or not np.isfinite(pose[list(HIPS), :2]).all():
        return made.astype(bool)
    a, b = pose[list(HIPS), :2]
    out = (b - a) * 0.35
    corners = np.array([a - out, b + out], np.float32)
    upper = ys <= np.percentile(ys, 15)
    top = np.stack([xs, ys], 1)[upper].astype(np.float32)
    hull = cv2.convexHull(np.concatenate([corners, top]))
    cv2.fillConvexPoly(made, np.rint(hull).astype(np.int32), 1)
    return made.astype(bool)


def beside_legs(cloth: np.ndarray, parsing: np.ndarray, pose: np.ndarray, size: float) -> np.ndarray:
    """(H, W) bool: what of cloth below the hips (H, W bool) is the tail of an open coat, and no skirt: it hangs beside
    legs that are seen between; above that, what of it is wider than hips are. Nothing where there is no such tail.

    Args:
        cloth: (H, W) bool.
        parsing: (H, W) uint8.
        pose: (18, 3) in pixels.
        size: the length of the torso.
    """
    none = np.zeros(cloth.shape, bool)
    legs = [drawn(limb(pose, joints, None, _ABOUT), cloth.shape) for joints in LEGS]
    about = legs[0] | legs[1]
    if not cloth.any() or not about.any():
        return none
    about |= np.maximum.accumulate(about, axis=1) & np.maximum.accumulate(about[:, ::-1], axis=1)[:, ::-1]
    seen = (about & np.isin(parsing, [REGION["leg"], REGION["pants"]])).sum(axis=1)
    covered, whole = (about & cloth).sum(axis=1), np.maximum(about.sum(axis=1), 1)
    bare = (seen > _SEEN * whole) & (covered < _COVERED * whole)
    bare &= np.cumsum(cloth.any(axis=1)) > 0
    bare |= np.maximum.accumulate(bare)  # below that there is no skirt any more
    tail = cloth & bare[:, None]
    if tail.sum() < _TAIL * size**2:
        return none
    return tail | (cloth & ~about)


def hull(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool: the convex hull of a mask (H, W bool)."""
    made = mask.astype(np.uint8)
    points = cv2.findNonZero(made)
    if points is not None:
        cv2.fillConvexPoly(made, cv2.convexHull(points), 1)
    return made > 0


def beyond_wrist(outline: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: beyond the wrist."""
    if outline is None:
        return np.zeros(shape, bool)
    (x, y, _), (u, v, r) = outline[-4], outline[-1]
    way = np.array([u - x, v - y]) / max(float(np.hypot(u - x, v - y)), 1e-3)
    ys, xs = np.mgrid[: shape[0], : shape[1]] + 0.5
    return (xs - u) * way[0] + (ys - v) * way[1] > -0.3 * r


def to_hand(outline: np.ndarray, hand: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: from the end of an arm to the hand (H, W bool) that is seen beyond, where the wrist lies there."""
    mask = np.zeros(shape, np.uint8)
    x, y, r = (float(v) for v in outline[-1])
    ys, xs = np.nonzero(hand)
    away = np.hypot(xs + 0.5 - x, ys + 0.5 - y)
    if len(away) and r < away.min() < _WRIST * r:
        near = away < away.min() + r
        end = round(float(xs[near].mean())), round(float(ys[near].mean()))
        cv2.line(mask, (round(x), round(y)), end, 1, max(1, round(2 * r)))
    return mask.astype(bool)


def to_shoe(outline: np.ndarray, shoe: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: from the end of a leg to the upper rim of the shoe (H, W bool) below it."""
    mask = np.zeros(shape, np.uint8)
    way = outline[-1, :2] - outline[-5, :2]
    way = way / max(float(np.hypot(*way)), 1e-3)
    x, y, r = (float(v) for v in outline[-1])
    ys, xs = np.nonzero(shoe)
    points = np.stack([xs, ys], 1) + 0.5
    along, across = (points - (x, y)) @ way, np.abs((points - (x, y)) @ (-way[1], way[0]))
    under = (along > -_SHAFT * r) & (along < _SHOE * r) & (across < 1.5 * r)
    if not under.any():
        return mask > 0
    points, along = points[under], along[under]
    rim = points[along < np.percentile(along, 3) + 1.2 * r]
    side = np.array([-way[1], way[0]]) * r
    start = outline[-5, :2].astype(np.float64)
    hull = cv2.convexHull(np.concatenate([rim, [start - side, start + side]]).astype(np.float32))
    cv2.fillConvexPoly(mask, np.rint((hull - 0.5) * 16).astype(np.int32), 1, cv2.LINE_8, 4)
    return mask > 0


def nearest_places(outline: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """Which place along a limb is nearest to pixels."""
    points = np.stack([xs, ys], 1).astype(np.float32) + 0.5
    best, found = np.full(len(points), np.inf, np.float32), np.zeros(len(points), np.int64)
    for n, (x, y, _) in enumerate(outline):
        away = (points[:, 0] - x) ** 2 + (points[:, 1] - y) ** 2
        nearer = away < best
        best[nearer], found[nearer] = away[nearer], n
    return found
