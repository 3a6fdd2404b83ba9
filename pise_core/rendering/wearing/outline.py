"""The outline of a garment where something lies before it: an arm at its side, a hand at its hem, hair on its collar.

Where cloth meets the wall its outline is seen. Elsewhere it goes on from what is seen above and below, in distances
from the middle of the body, or is that of the other side. It never goes beyond what lies before it: cloth beside that
would be seen.
"""

import cv2
import numpy as np

from pise_core.masks import grow
from pise_core.pose import visible
from pise_core.skeleton import HIPS, KNEES, NECK, SHOULDERS
from pise_core.warping.bare_body import torso_length

#: In frame pixels: how far beside the outline something must lie to be before it.
_BESIDE = 3.0
#: In lengths of the torso: how far below the shoulders a sleeve's hole ends, and over how much outlines are smoothed.
_ARMPIT, _SMOOTH = 0.12, 0.06
#: Share of the rows whose outline must be seen on one side; of fewer the other side counts.
_SEEN = 0.15
#: Share of the rows that must be seen for an outline to be an end.
_SURE = 0.4
#: In lengths of the torso: so far a garment may reach below what is seen of it, behind a hand.
_LONGER = 0.3


def behind(
    trunk: np.ndarray, before: np.ndarray, pose: np.ndarray, scale: float, flares: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Where the trunk of a garment goes on behind what lies before it, and where it can't be.

    Args:
        trunk: (H, W) bool, what is seen of it, without sleeves and trouser legs.
        before: (H, W) bool, what lies before it.
        pose: (18, 3) of whoever wears it.
        scale: frame pixels per pixel.
        flares: whether below the hips one side tells of the other, as of a skirt.

    Returns:
        (H, W) bool each.
    """
    nothing = np.zeros(trunk.shape, bool), np.zeros(trunk.shape, bool)
    rows = np.flatnonzero(trunk.any(axis=1))
    size = torso_length(pose)
    middle = _middle(pose, trunk.shape[0])
    if middle is None or not len(rows) or size <= 0:
        return nothing
    there = visible(pose)
    shoulders = [pose[j, 1] for j in SHOULDERS if there[j]]
    top = max(int(rows[0]), int(max(shoulders) + _ARMPIT * size) if shoulders else 0)
    levels = np.arange(top, rows[-1] + 1)
    if len(levels) < 3:
        return nothing
    part = _filled(trunk)[levels]
    reach = max(2, round(_BESIDE / scale))
    left, right = _edges(part)
    width = trunk.shape[1]
    has = right >= left
    halves, seen = [], []
    for side, edge in ((-1, left), (1, right)):
        # What lies right outside the outline tells whether it is the garment's own.
        covered = np.zeros(len(levels), bool)
        for step in range(1, reach + 1):
            at = edge + side * step
            inside = has & (at >= 0) & (at < width)
            covered[inside] |= before[levels[inside], at[inside]]
        halves.append(side * (edge - middle[levels]))
        seen.append(has & ~covered & (edge > 0) & (edge < width - 1))
    wanted = [_completed(halves[n], seen[n], halves[1 - n], seen[1 - n], has, _SMOOTH * size) for n in (0, 1)]
    if flares and visible(pose)[list(HIPS)].all():
        low = levels > pose[list(HIPS), 1].mean()
        for n, half in enumerate(wanted):
            if half is not None:
                alike = low & has & ~seen[n] & seen[1 - n]
                half[alike] = np.maximum(half, halves[1 - n])[alike]
    found, beyond = nothing
    xs = np.arange(width)
    for side, half, sure in zip((-1, 1), wanted, seen, strict=True):
        if half is None:
            continue
        away = side * (xs[None] - middle[levels][:, None])
        found[levels] |= (away <= half[:, None]) & (away >= 0)
        if sure.mean() > _SURE:
            beyond[levels] |= away > half[:, None]
    found &= ~trunk
    # Row by row from the middle: only as far as something lies before it without a gap.
    open_to_it = trunk | before
    return found & before & _reached(open_to_it, middle), beyond


def lower(trunk: np.ndarray, before: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(H, W) bool: what a hand or a bag at the hem hides of it, between columns whose hem is seen."""
    size = torso_length(pose)
    columns = np.flatnonzero(trunk.any(axis=0))
    found = np.zeros(trunk.shape, bool)
    if len(columns) < 5 or size <= 0:
        return found
    height = trunk.shape[0]
    part = trunk[:, columns]
    bottom = height - 1 - np.argmax(part[::-1], axis=0)
    under = np.minimum(bottom + 2, height - 1)
    covered = before[under, columns] | before[np.minimum(bottom + 4, height - 1), columns]
    if covered.all() or not covered.any():
        return found
    hem = np.interp(columns, columns[~covered], bottom[~covered])
    hem = np.maximum(bottom, np.minimum(hem, bottom + _LONGER * size))
    ys = np.arange(height)[:, None]
    found[:, columns] = (ys > bottom) & (ys <= hem) & covered & before[:, columns]
    return found


def between(cloth: np.ndarray, before: np.ndarray) -> np.ndarray:
    """(H, W) bool: what lies before a garment and has it on both sides, above and below or left and right.

    Args:
        cloth: (H, W) bool, what is seen of it.
        before: (H, W) bool, what lies before it.
    """
    covered = before & ~cloth
    found = np.zeros(cloth.shape, bool)
    for turned in (False, True):
        mask, hidden = (cloth.T, covered.T) if turned else (cloth, covered)
        sides = []
        for step in (1, -1):  # whether the nearest pixel above (and below) that nothing lies before is cloth
            at = np.where(hidden[::step], -1, np.arange(len(hidden))[:, None])
            last = np.maximum.accumulate(at, axis=0)
            ends = np.take_along_axis(mask[::step], np.maximum(last, 0), axis=0) & (last >= 0)
            sides.append(ends[::step])
        both = sides[0] & sides[1] & hidden
        found |= both.T if turned else both
    return found


def _middle(pose: np.ndarray, height: int) -> np.ndarray | None:
    """(H,) float: the middle of the body in each row; None where joints are missing."""
    there = visible(pose)
    if not there[list(HIPS)].all() or not (there[NECK] or there[list(SHOULDERS)].all()):
        return None
    neck = pose[NECK, :2] if there[NECK] else pose[list(SHOULDERS), :2].mean(0)
    points = [neck, pose[list(HIPS), :2].mean(0)]
    if there[list(KNEES)].all():
        points.append(pose[list(KNEES), :2].mean(0))
    if not (np.diff([y for _, y in points]) > 1).all():
        return None  # lies, or bows: rows say nothing
    xs, ys = np.array(points).T
    return np.interp(np.arange(height) + 0.5, ys, xs)


def _filled(mask: np.ndarray) -> np.ndarray:
    """The largest piece, for outlines."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count <= 2:
        return mask
    areas = stats[1:, cv2.CC_STAT_AREA]
    return np.isin(labels, 1 + np.flatnonzero(areas > 0.1 * areas.max()))


def _edges(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) each: first and last column that is set in each row; last below first where none is."""
    some = mask.any(axis=1)
    first, last = mask.argmax(axis=1), mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1)
    return np.where(some, first, 1), np.where(some, last, 0)


def _completed(half, seen, other, other_seen, has, width: float) -> np.ndarray | None:
    """(N,) how far the outline is from the middle, where it isn't seen as it is elsewhere; None where nothing tells."""
    from scipy.ndimage import median_filter  # half a second that most never need

    at = np.arange(len(half))
    least = max(3, _SEEN * len(half))
    half, other = half.astype(float), other.astype(float)
    for values, known in ((half, seen), (other, other_seen)):  # a speck beside it is no outline
        values[known] = median_filter(values[known], 2 * max(2, round(width)) + 1, mode="nearest")
    if seen.sum() >= least:
        wanted = np.interp(at, at[seen], half[seen])
        if other_seen.sum() >= least:  # beyond the rows where it is seen it goes on as the other side does
            mirrored = np.interp(at, at[other_seen], other[other_seen])
            first, last = at[seen][0], at[seen][-1]
            for beyond, end in ((at < first, first), (at > last, last)):
                wanted[beyond] = half[end] + mirrored[beyond] - mirrored[end]
    elif other_seen.sum() >= least:
        wanted = np.interp(at, at[other_seen], other[other_seen])
    else:
        return None
    count = max(1, round(width))
    kernel = np.ones(2 * count + 1) / (2 * count + 1)
    smooth = np.convolve(np.pad(wanted, count, mode="edge"), kernel, "valid")
    return np.where(has & seen, half, np.where(has, np.maximum(half, smooth), smooth))


def _reached(open_to_it: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """(H, W) bool: what is connected with the middle of its row."""
    height, width = open_to_it.shape
    blocked, rows = ~open_to_it, np.arange(height)
    centre = np.clip(np.rint(middle), 0, width - 1).astype(int)
    count = np.cumsum(blocked, axis=1)
    at = count[rows, centre][:, None]
    right = np.arange(width)[None] >= centre[:, None]
    # Blocked pixels between the middle, left out, and here.
    return np.where(right, count - at, at - count + blocked - blocked[rows, centre][:, None]) == 0


def bites(trunk: np.ndarray, pose: np.ndarray, size: float) -> np.ndarray:
    """(H, W) bool: below the hips, what lies between garment above and garment below: a bag cut it out."""
    hips = pose[list(HIPS), 1]
    top = max(0, int(np.nanmax(hips))) if np.isfinite(hips).any() else trunk.shape[0]
    part = trunk[top:].astype(np.uint8)
    if not part.any():
        return np.zeros(trunk.shape, bool)
    length = max(3, round(0.5 * size)) | 1
    padded = cv2.copyMakeBorder(part, length, length, 0, 0, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((length, 1), np.uint8))[length:-length]
    found = np.zeros(trunk.shape, bool)
    found[top:] = (closed > 0) & (part == 0)
    return found


def closing(mask: np.ndarray, radius: float) -> np.ndarray:
    """(H, W) bool: gaps up to twice the radius wide closed."""
    if not mask.any():
        return mask
    reach = round(radius) + 2  # beyond the picture there is nothing
    padded = np.pad(mask, reach)
    return ~grow(~grow(padded, radius), radius)[reach:-reach, reach:-reach]
