"""Places on a wearer's body that garments go by: levels below the hips, pelvis, thighs, hands, what a skirt covers."""

import cv2
import numpy as np

from pise_core.skeleton import HIPS, LEGS, NECK

#: In halves of a wrist's thickness: how far beyond the end of an arm the hand may be seen.
_WRIST = 6.0
#: In halves of an ankle's thickness: how far above the end of a leg a boot may begin, and how far below it a shoe.
_SHAFT, _SHOE = 6.0, 7.0
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


def thighs(pose: np.ndarray, shape: tuple[int, int], size: float, wide: float) -> np.ndarray:
    """(H, W) bool: trousers from the hips to where each leg is ``wide`` pixels on either side of its bone."""
    mask = np.zeros(shape, np.uint8)
    for hip, knee, _ in LEGS:
        a, b, middle = pose[hip, :2], pose[knee, :2], pose[list(HIPS), :2].mean(0)
        if not np.isfinite([*a, *b, *middle]).all():
            continue
        way = (b - a) / max(float(np.hypot(*(b - a))), 1e-3)
        end, across = a + TAPERS * (b - a), np.array([-way[1], way[0]])
        corners = np.array(
            [middle, a + 0.6 * (a - middle) - 0.1 * size * way, end - wide * across, end + wide * across]
        )
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
