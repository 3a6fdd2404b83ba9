"""The parts of a person, and which pixel belongs to which.

Every pixel of the person belongs to the nearest bone among those that its region may follow. Dresses, and coats below
the hips, are a part of their own, so that they are not torn between the legs. What hangs from a hand is a part of its
own as well (:mod:`pise_core.held`).
:mod:`pise_core.warping.part_transforms` says how the parts move.
"""

from collections.abc import Iterable
from itertools import pairwise

import cv2
import numpy as np

from pise_core.pose import visible
from pise_core.regions import REGION, TABLE
from pise_core.skeleton import BONES, HIPS, KNEES, LEGS, NECK, SHOULDERS

PARTS = (
    "left_thigh", "left_shin", "right_thigh", "right_shin", "skirt", "torso", "head",
    "left_held", "right_held", "left_upper_arm", "left_forearm", "right_upper_arm", "right_forearm",
)  # fmt: skip
"""In drawing order: later parts cover earlier ones."""

#: How far a part reaches beyond the far end of its bone, in bone lengths: hands, feet, the top of the head.
_REACH = {"left_forearm": 0.4, "right_forearm": 0.4, "left_shin": 0.2, "right_shin": 0.2, "head": 0.7}
#: A part is drawn this much (in bone lengths) beyond its near joint, so that a bent elbow or knee has no gap.
_OVERLAP = 0.3
#: How wide a limb is near its joint is measured between these, in bone lengths from it.
_FROM, _TO = 0.1, 0.35
WITH_OVERLAP = tuple(part for part in BONES if part != "head")
#: A sleeve is at most this wide on either side of its bone, in lengths of the arm's longer bone. Dresses have narrow
#: ones or none: what hangs beside a hand is the skirt.
_SLEEVE = {REGION["upper_clothes"]: 0.42, REGION["dress"]: 0.2}
#: Half the width of a hand, in the same measure; how far the fingers reach beyond the wrist, and how far from there
#: and from the forearm's bone skin is that arm's.
_HAND, _FINGERS, _BARE = 0.2, 0.4, 0.4
_FAR = 1e6
#: Rows that are looked at together.
_ROWS = 256
_LEG_BONES = [(a, b) for leg in LEGS for a, b in pairwise(leg)]


def _kind(part: str) -> str:
    """Left and right are of one kind."""
    return part.removeprefix("left_").removeprefix("right_")


#: (parts, 8) bool: which regions a part may own.
ALLOWED = np.array([[_kind(part) in region.parts.split() for region in TABLE] for part in PARTS])

#: For each shin the parts of the leg beside it.
_BESIDE = {
    f"{side}_shin": [PARTS.index(f"{other}_{bone}") for bone in ("thigh", "shin")]
    for side, other in (("left", "right"), ("right", "left"))
}

#: For each forearm the parts of its arm.
_OF_ARM = {
    f"{side}_forearm": [PARTS.index(f"{side}_{bone}") for bone in ("upper_arm", "forearm")]
    for side in ("left", "right")
}


def among(owner: np.ndarray, parts: Iterable[int]) -> np.ndarray:
    """(H, W) bool: which pixels of ``owner`` (H, W) int8 belong to one of some parts, indices into ``PARTS``."""
    table = np.zeros(256, np.uint8)
    table[list(parts)] = 1
    return cv2.LUT(np.ascontiguousarray(owner).view(np.uint8), table).view(bool)


def part_boxes(owner: np.ndarray) -> list[tuple[int, int, int, int] | None]:
    """x0, y0, x1, y1 about the pixels of each of ``PARTS``; None for a part without any. ``owner``: (H, W) int8."""
    bits = np.zeros(256, np.uint16)
    bits[: len(PARTS)] = 1 << np.arange(len(PARTS))
    rows, columns = np.zeros(owner.shape[0], np.uint16), np.zeros(owner.shape[1], np.uint16)
    for start in range(0, len(owner), _ROWS):
        strip = cv2.LUT(np.ascontiguousarray(owner[start : start + _ROWS]).view(np.uint8), bits)
        rows[start : start + _ROWS] = np.bitwise_or.reduce(strip, 1)
        columns |= np.bitwise_or.reduce(strip, 0)
    found = []
    for bit in bits[: len(PARTS)]:
        ys, xs = np.flatnonzero(rows & bit), np.flatnonzero(columns & bit)
        found.append((int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1) if len(ys) else None)
    return found


def assign_parts(parsing: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Which part each pixel belongs to.

    Args:
        parsing: (H, W) uint8 regions.
        pose: (18, 3) in the same pixels; parts whose joints are missing own nothing.

    Returns:
        (H, W) int8 index into ``PARTS``, -1 for background and for pixels that no present part may own.
    """
    owner = np.full(parsing.shape, -1, np.int8)
    ys, xs = np.nonzero(parsing)
    if not len(ys):
        return owner
    points = np.stack([xs, ys]).astype(np.float32) + 0.5
    distance = np.full((len(PARTS), len(xs)), _FAR, np.float32)
    there = visible(pose)
    region = parsing[ys, xs]
    for index, part in enumerate(PARTS):
        if part in BONES:
            a, b = BONES[part]
            if there[a] and there[b]:
                near, far = pose[a, :2], pose[b, :2]
                distance[index] = to_segment(points, near, far + _REACH.get(part, 0.0) * (far - near))
                if "arm" in part:
                    distance[index] = _no_cloth_but_sleeves(distance[index], points, region, pose, part)
        elif part == "torso":
            distance[index] = _to_torso(points, pose, there)
        elif part == "skirt":
            distance[index] = _to_skirt(points, pose, there)
    allowed = np.where(ALLOWED[:, region], distance, _FAR)
    best = allowed.argmin(0)
    # A region that no present bone may carry (legs without knees, say) still goes to the nearest part.
    orphans = allowed.min(0) >= _FAR
    best[orphans] = distance[:, orphans].argmin(0)
    found = distance[best, np.arange(len(best))] < _FAR
    owner[ys[found], xs[found]] = best[found]
    _keep_shoes_whole(owner, pose, there)
    return owner


def _keep_shoes_whole(owner: np.ndarray, pose: np.ndarray, there: np.ndarray) -> None:
    """Pieces of a leg that hang together with the other one alone, and through which no bone of their own runs, belong
    to that one: feet that stand side by side are as near to either bone."""
    for side, other in (("left", "right"), ("right", "left")):
        mine = [PARTS.index(f"{side}_{bone}") for bone in ("thigh", "shin")]
        others = [PARTS.index(f"{other}_{bone}") for bone in ("thigh", "shin")]
        own, across = among(owner, mine), among(owner, others)
        if not own.any() or not across.any():
            continue
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(own.view(np.uint8), connectivity=4)
        if count < 3:  # the background, and one piece
            continue
        bones = np.zeros(owner.shape, np.uint8)
        for part in (PARTS[index] for index in mine):
            a, b = BONES[part]
            if there[a] and there[b]:
                near, far = pose[a, :2], pose[b, :2]
                ends = np.rint([near - 0.5, far + _REACH.get(part, 0.0) * (far - near) - 0.5]).astype(int)
                cv2.line(bones, ends[0].tolist(), ends[1].tolist(), 1)
        with_bone = set(np.unique(pieces[bones > 0]).tolist())
        for piece in range(1, count):
            if piece in with_bone:
                continue
            x, y, w, h = (int(v) for v in stats[piece, :4])
            window = slice(max(0, y - 1), y + h + 1), slice(max(0, x - 1), x + w + 1)
            here = pieces[window] == piece
            beside = owner[window][(cv2.dilate(here.view(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~here]
            beside = beside[beside >= 0]
            if len(beside) and np.isin(beside, others).all():
                owner[window][here] = np.bincount(beside).argmax()


def _no_cloth_but_sleeves(away, points, region, pose: np.ndarray, part: str) -> np.ndarray:
    """A hand on the hip or before the belly takes no cloth along that is not a sleeve; sleeves end at the wrist."""
    a, b = BONES[part]
    sleeve = to_segment(points, pose[a, :2], pose[b, :2])
    length = arm_length(pose, part)
    for cloth, width in _SLEEVE.items():
        away = np.where(region == cloth, np.where(sleeve < width * length, sleeve, _FAR), away)
    # Bare skin where a hand can be is a hand, even before the belly or the hips, whose bones may be nearer. Both bones
    # of the arm gain alike, so that these two still meet at the elbow.
    elbow, wrist = (pose[joint, :2] for joint in BONES[f"{part.split('_')[0]}_forearm"])
    bone = wrist - elbow
    tip = wrist + _FINGERS * length * bone / max(float(np.hypot(*bone)), 1e-3)
    skin = region == REGION["upper_skin"]
    away = np.where(skin & (to_segment(points, elbow, tip) < _BARE * length), 0.3 * away - 0.1 * length, away)
    # A hand beside the thigh is easily taken for a piece of leg.
    return np.where((region == REGION["leg"]) & (away > _HAND * length), _FAR, away)


def legs_cross(pose: np.ndarray) -> bool:
    """Whether knees or ankles lie in another order than the hips do; also where that can't be said."""
    if not visible(pose)[[joint for leg in LEGS for joint in leg]].all():
        return True
    hips, *lower = (pose[list(pair), :2] for pair in zip(*LEGS, strict=True))
    across = hips[1] - hips[0]
    return any(float((pair[1] - pair[0]) @ across) <= 0 for pair in lower)


def arm_length(pose: np.ndarray, part: str) -> float:
    """The longer of the two bones of the arm that ``part`` belongs to: one of them may point at the camera."""
    side = part.split("_")[0]
    bones = [BONES[f"{side}_upper_arm"], BONES[f"{side}_forearm"]]
    return float(np.nanmax([np.hypot(*(pose[b, :2] - pose[a, :2])) for a, b in bones]))


def to_segment(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) float32: how far points (2, N) float32 lie from a line between two of them."""
    d = b - a
    x, y = points[0] - a[0], points[1] - a[1]
    along = np.clip((x * d[0] + y * d[1]) / (d @ d + 1e-6), 0, 1)
    x -= along * d[0]
    y -= along * d[1]
    return np.sqrt(x * x + y * y)


def _to_torso(points: np.ndarray, pose: np.ndarray, there: np.ndarray) -> np.ndarray:
    bones = [SHOULDERS, HIPS, *zip(SHOULDERS, HIPS, strict=True)]
    segments = [(pose[a, :2], pose[b, :2]) for a, b in bones if there[a] and there[b]]
    if there[[NECK, *HIPS]].all():
        segments.append((pose[NECK, :2], pose[list(HIPS), :2].mean(0)))
    if not segments:
        return np.full(points.shape[1], _FAR, np.float32)
    # A little in favour of the torso: sleeves hang beside it.
    return 0.9 * np.min([to_segment(points, a, b) for a, b in segments], 0)


def _to_skirt(points: np.ndarray, pose: np.ndarray, there: np.ndarray) -> np.ndarray:
    if not there[[*HIPS, *KNEES]].all():
        return np.full(points.shape[1], _FAR, np.float32)
    hips, knees = pose[list(HIPS), :2].mean(0), pose[list(KNEES), :2].mean(0)
    d = knees - hips
    below = ((points[0] - hips[0]) * d[0] + (points[1] - hips[1]) * d[1]) / (d @ d + 1e-6) > 0.12
    axis = np.min([to_segment(points, pose[a, :2], pose[b, :2]) for a, b in _LEG_BONES
                   if there[a] and there[b]], 0)  # fmt: skip
    middle = to_segment(points, hips, hips + 1.9 * d)
    return np.where(below, 0.6 * np.minimum(axis, middle), _FAR)


def with_overlap(
    mask, index: int, part: str, parsing: np.ndarray, owner: np.ndarray, pose: np.ndarray, joined: bool = True
) -> np.ndarray:
    """The part's pixels and, around its near joint, those of its neighbour: a disc that covers the bend. A knee takes
    nothing of the leg beside it along, unless they cross.

    Args:
        mask: (H, W) uint8, 1 where :func:`assign_parts` says ``index``.
        index, part: of the part in ``PARTS``, and its name.
        parsing: (H, W) uint8.
        owner: (H, W) int8, from :func:`assign_parts`.
        pose: (18, 3) in the same pixels.
        joined: whether a pixel of the parts beside it goes along: no gap opens between parts that move alike.

    Returns:
        (H, W) uint8 of 0 and 1.
    """
    wider = mask
    if joined:
        wider = cv2.dilate(mask, np.ones((3, 3), np.uint8))
        wider = np.maximum(mask, wider * (parsing > 0)).astype(np.uint8)  # a soft edge reaches beyond the map
    if part not in WITH_OVERLAP:
        return wider
    disc = np.zeros_like(mask)
    centre, radius = overlap_disc(part, pose)
    if "arm" in part or "shin" in part:
        radius = min(radius, _half_width(mask, part, pose))
    cv2.circle(disc, centre.tolist(), radius, 1, -1)
    # Only skin or cloth that this limb may carry: a shoulder takes no piece of hair along.
    disc &= ALLOWED[index][parsing].astype(np.uint8)
    if part in _OF_ARM:  # a bare elbow takes no piece of the dress beside it along
        disc[~among(owner, _OF_ARM[part])] = 0
    if part in _BESIDE and not legs_cross(pose):
        disc[among(owner, _BESIDE[part])] = 0
    return np.maximum(wider, disc)


def _half_width(mask: np.ndarray, part: str, pose: np.ndarray) -> int:
    """Half of how wide a limb is near its near joint, in pixels, at least 1. Turned about the joint, a disc of that
    radius fills the bend and stands out nowhere."""
    near, far = (pose[joint, :2] for joint in BONES[part])
    length = max(float(np.hypot(*(far - near))), 1e-3)
    bone = (far - near) / length
    ys, xs = np.nonzero(mask)
    x, y = xs + 0.5 - near[0], ys + 0.5 - near[1]
    along = x * bone[0] + y * bone[1]
    here = (along > _FROM * length) & (along < _TO * length)
    return max(1, round(float(here.sum()) / (2 * (_TO - _FROM) * length)))


def overlap_disc(part: str, pose: np.ndarray) -> tuple[np.ndarray, int]:
    """Centre (x, y) and radius of the largest disc about a limb's near joint."""
    a, b = BONES[part]
    radius = _OVERLAP * float(np.hypot(*(pose[b, :2] - pose[a, :2])))
    return np.floor(pose[a, :2]).astype(int), max(1, round(radius))
