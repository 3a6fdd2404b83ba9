"""A garment's closed outline: what a bag, a hand or hair took out of it is put back, and its edge is smooth.

The two sides of a garment are alike. So a bite in the outline of one side that the other doesn't have is no cut but
something that lies before it, whether the map knows what that is or takes it for the wall.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from pise_core.masks import Nearest, grow, smooth
from pise_core.pose import visible
from pise_core.skeleton import HIPS, KNEES, NECK, SHOULDERS
from pise_core.warping.bare_body import torso_length, trunk
from pise_core.warping.parts import PARTS

#: In lengths of the torso: what the two sides of a body that stands still differ by.
_SWAY = 0.045
#: Share that a garment has in common with its mirror image; of those seen from the side less.
_FRONTAL = 0.72
#: In frame pixels: how far inside a garment it is surely known, and from how far its light is taken; and how many of
#: them are needed for that.
_INSIDE, _AROUND, _LEAST_RING = 1.5, 16.0, 40
#: In frame pixels: how wide letters are. How many times as strong, and by how many levels stronger, details are if they
#: are a print.
_LETTER, _STRONGER, _FAINT = 3.0, 1.4, 5.0
#: In lengths of the torso: narrower strips of a garment along a sleeve are the sleeve's.
_RIM = 0.07
#: One sleeve may be so many times as wide as the other: nearer to the camera, or bent.
_WIDER = 1.35
#: In lengths of the torso: half the width of teeth and notches in a hem, and how deep they are at most.
_TOOTH, _DEEP = 0.07, 0.08
#: In lengths of the torso: shorter and wider bumps of an outline are ears, if that on the other side has less than this
#: share of it.
_EAR_LONG, _EAR_WIDE, _ALONE = 0.6, 0.07, 0.5
#: A skirt is so many times as tall at least.
_TALLER = 1.25
#: In lengths of the torso above the hips: from there down. Of the height from there on, below this a bump is the hem's.
_WAIST, _SWINGS = 0.2, 0.75
#: In frame pixels: thinner fringes are none of the garment's, and how smooth its outline is.
_FRINGE, _SMOOTH = 1.2, 1.2
#: In frame pixels: how far beyond a garment's mask its soft edge can be seen.
_SOFT = 3.0


def bitten(cloth: np.ndarray, open_to_it: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(H, W) bool: what is missing of a garment on one side only.

    Args:
        cloth: (H, W) bool, the garment without sleeves and trouser legs.
        open_to_it: (H, W) bool, where something may lie before it.
        pose: (18, 3) of whoever wears it, in the same pixels.
    """
    nothing = np.zeros(cloth.shape, bool)
    other = mirrored(cloth, pose)
    if other is None or not cloth.any():
        return nothing
    common = np.count_nonzero(cloth & other) / max(np.count_nonzero(cloth | other), 1)
    if common < _FRONTAL:
        return nothing
    away = _SWAY * torso_length(pose)
    found = ~grow(~other, away) & ~cloth & open_to_it
    # Up to the garment: what the erosion left between is no gap.
    return grow(found, away) & other & ~cloth & open_to_it if found.any() else found


def mirrored(mask: np.ndarray, pose: np.ndarray) -> np.ndarray | None:
    """(H, W) bool: a mask as it is on the other side of the body; None where joints are missing.

    Shoulders change places, and below them hips; the middle stays.
    """
    there = _other_side(mask.shape, pose)
    if there is None:
        return None
    found = cv2.remap(mask.astype(np.uint8), *there, cv2.INTER_NEAREST, borderValue=0)
    return found.astype(bool)


def as_on_the_other_side(
    colours: np.ndarray, known: np.ndarray, hidden: np.ndarray, pose: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """A garment's hidden parts as they are on the other side, as light as what is seen around them: stripes and folds
    meet there.

    Args:
        colours: (H, W, 3) uint8.
        known: (H, W) bool, where the garment without its sleeves is seen.
        hidden: (H, W) bool, what is to be filled.
        pose: (18, 3) of whoever wears it, in the same pixels.
        scale: frame pixels per pixel.

    Returns:
        (H, W, 3) uint8, ``colours`` with them, and (H, W) bool, where that is.
    """
    nothing = np.zeros(hidden.shape, bool)
    there, other = _other_side(hidden.shape, pose), mirrored(known | hidden, pose)
    if there is None or other is None or not hidden.any():
        return colours, nothing
    whole = known | hidden
    if np.count_nonzero(whole & other) < _FRONTAL * np.count_nonzero(whole | other):
        return colours, nothing
    sure = ~grow(~known, _INSIDE / scale)
    seen = cv2.remap(sure.astype(np.float32), *there, cv2.INTER_LINEAR, borderValue=0) > 0.99
    found = hidden & seen
    if not found.any():
        return colours, nothing
    turned = cv2.remap(colours, *there, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    # How much lighter this side is, from what is known of both, nearby.
    ring = sure & seen & grow(found, _AROUND / scale)
    if np.count_nonzero(ring) * scale**2 < _LEAST_RING:
        return colours, nothing
    weight, wide = ring.astype(np.float32), _AROUND / scale / 2
    differ = (colours.astype(np.float32) - turned) * weight[..., None]
    total = smooth(weight, wide)
    mean = differ.sum((0, 1)) / weight.sum()
    lighter = (np.dstack([smooth(np.ascontiguousarray(differ[..., n]), wide) for n in range(3)]) + 0.02 * mean) / (
        total[..., None] + 0.02
    )
    found &= ~_printed(turned, colours, found, ring, scale)
    made = colours.copy()
    made[found] = np.clip(np.rint(turned + lighter), 0, 255).astype(np.uint8)[found]
    return made, found


def _printed(turned: np.ndarray, colours: np.ndarray, found: np.ndarray, ring: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) bool: pieces in which the other side has a print that this side hasn't around them: letters would come
    twice, turned over."""

    def detail(image: np.ndarray) -> np.ndarray:
        grey = image.astype(np.float32).mean(2)
        return np.abs(grey - smooth(grey, _LETTER / scale))

    other, own = detail(turned), detail(colours)
    count, pieces = cv2.connectedComponents(found.astype(np.uint8))
    printed = np.zeros_like(found)
    for n in range(1, count):
        piece = pieces == n
        near = ring & grow(piece, _AROUND / scale)
        if not near.any() or np.percentile(other[piece], 97) > _STRONGER * np.percentile(own[near], 97) + _FAINT:
            printed |= piece
    return printed


def _other_side(shape: tuple[int, ...], pose: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(H, W) float32 each: columns and rows of the place on the other side, as ``cv2.remap`` takes them."""
    there = visible(pose)
    if not there[[*SHOULDERS, *HIPS]].all():
        return None
    shoulders, hips = pose[list(SHOULDERS), :2].astype(np.float64), pose[list(HIPS), :2].astype(np.float64)
    knees = pose[list(KNEES), :2].astype(np.float64) if there[list(KNEES)].all() else None
    waist = hips.mean(0)
    upper = _swap(shoulders[0], shoulders[1], waist)
    lower = upper if knees is None else _swap(hips[0], hips[1], knees.mean(0))
    if upper is None or lower is None:
        return None
    height, width = shape
    ys, xs = np.mgrid[:height, :width].astype(np.float32) + 0.5
    down = shoulders.mean(0) - waist
    level = ((xs - waist[0]) * down[0] + (ys - waist[1]) * down[1]) / max(float(down @ down), 1e-3)
    share = np.clip(level / 0.3, 0, 1)
    columns, rows = (
        (u[0] * xs + u[1] * ys + u[2]) * share + (v[0] * xs + v[1] * ys + v[2]) * (1 - share) - 0.5
        for u, v in zip(upper, lower, strict=True)
    )  # OpenCV has pixel centres at whole numbers
    return columns.astype(np.float32), rows.astype(np.float32)


def _swap(a: np.ndarray, b: np.ndarray, stays: np.ndarray) -> np.ndarray | None:
    """(2, 3) the affine map that a and b change places in; None where the three lie on a line."""
    source = np.array([a, b, stays], np.float32)
    d, e = b - a, stays - a
    if abs(d[0] * e[1] - d[1] * e[0]) < 0.05 * float(np.hypot(*e)) ** 2:
        return None
    return cv2.getAffineTransform(source, np.array([b, a, stays], np.float32))


def sleeves_whole(owner: np.ndarray, mask: np.ndarray, arms: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The parts with sleeves as wide as they are: rims of a wide one, and what lies beyond the arm, count to the torso
    otherwise, and would be carried with it.

    Args:
        owner: (H, W) int8, index of the part that moves a pixel.
        mask: (H, W) bool, the garment.
        arms: (H, W) bool, the parts of arms.
        pose: (18, 3).

    Returns:
        (H, W) int8.
    """
    sleeves, rest = mask & arms, mask & ~arms
    body = trunk(pose, mask.shape)
    if not sleeves.any() or not (rest & body).any():
        return owner
    radius = _RIM * torso_length(pose)
    core = grow(~grow(~rest, radius), radius) & rest
    count, pieces = cv2.connectedComponents(core.astype(np.uint8), connectivity=4)
    core = np.isin(pieces, np.setdiff1d(np.unique(pieces[core & body]), [0])) if count > 1 else core & body
    ys, xs = np.nonzero(rest & ~core & ~body & (owner == PARTS.index("torso")))
    if not len(ys):
        return owner
    # What is nearer to the trunk than to the sleeve stays with it.
    own = Nearest(sleeves).distance[ys, xs] <= Nearest(core | (rest & body)).distance[ys, xs]
    ys, xs = ys[own], xs[own]
    made = owner.copy()
    made[ys, xs] = owner[Nearest(sleeves).at(ys, xs)]
    return made


def no_wider_than_the_other(reach: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """How far sleeves go from their bones, as in ``Garment.reach``: two of a pair are alike, and what is much wider has
    something of the wall."""
    both = [name for name in ("right_arm", "left_arm") if name in reach]
    if len(both) < 2:
        return dict(reach)
    right, left = (reach[name] for name in both)
    return {**reach, both[0]: np.minimum(right, _WIDER * left), both[1]: np.minimum(left, _WIDER * right)}


def ears(trunk: np.ndarray, pose: np.ndarray, size: float) -> np.ndarray:
    """(H, W) bool: what sticks out of a skirt on one side of the body alone: a bag behind it that nobody knows of.

    Args:
        trunk: (H, W) bool, a skirt, or a dress without sleeves.
        pose: (18, 3) of whoever wears it.
        size: the length of the torso in pixels.
    """
    from scipy.ndimage import grey_opening  # half a second that most never need

    found, rows = np.zeros_like(trunk), np.flatnonzero(trunk.any(axis=1))
    neck, hips = pose[NECK, :2], pose[list(HIPS), :2].mean(0)
    if len(rows) < 3 or size <= 0 or not np.isfinite([*neck, *hips]).all():
        return found
    rows = np.arange(max(rows[0], int(hips[1] - _WAIST * size)), rows[-1] + 1)  # above are arms
    if len(rows) < 3 or not trunk[rows].any():
        return found
    lean = (hips[0] - neck[0]) / max(float(hips[1] - neck[1]), 1.0)
    axis = hips[0] + np.where(rows < hips[1], lean * (rows - hips[1]), 0)
    here, width = trunk[rows], trunk.shape[1]
    some = here.any(axis=1)
    far = [axis - here.argmax(axis=1), width - 1 - here[:, ::-1].argmax(axis=1) - axis]
    long = 2 * round(_EAR_LONG * size / 2) + 1
    if len(rows) < _TALLER * long:  # too little of it is seen to tell a bump from the rest
        return found
    bumps = []
    for side in far:
        known = np.interp(rows, rows[some], side[some])
        usual = grey_opening(np.pad(known, long, mode="edge"), long)[long:-long]
        bumps.append((known - usual, usual))
    xs = np.arange(width) + 0.5
    for n, sign in ((0, -1), (1, 1)):
        bump, usual = bumps[n]
        ear = (bump > _EAR_WIDE * size) & (bumps[1 - n][0] < _ALONE * bump)
        edges = np.flatnonzero(np.diff(np.r_[False, ear, False].astype(int)))
        for first, last in zip(edges[::2], edges[1::2], strict=True):  # a hem may swing
            ear[first:last] &= last < _SWINGS * len(rows)
        ear = np.convolve(ear, np.ones(max(3, long // 8)), "same") > 0
        beyond = sign * (xs - axis[:, None]) > usual[:, None] + 1
        found[rows] |= here & beyond & ear[:, None]
    return found


def even_hem(trunk: np.ndarray, size: float) -> np.ndarray:
    """(H, W) bool: a garment without small teeth and notches in its hem; steps and slopes stay.

    Args:
        trunk: (H, W) bool, without sleeves.
        size: the length of the torso in pixels.
    """
    from scipy.ndimage import gaussian_filter1d, median_filter  # half a second that most never need

    columns = np.flatnonzero(trunk.any(axis=0))
    wide = 2 * round(_TOOTH * size) + 1
    if len(columns) < 2 * wide:
        return trunk
    height = len(trunk)
    bottom = height - 1 - trunk[::-1, columns].argmax(axis=0)
    even = gaussian_filter1d(
        median_filter(bottom.astype(float), 2 * wide + 1, mode="nearest"), wide / 6, mode="nearest"
    )
    changed = np.abs(even - bottom) < _DEEP * size
    changed &= (np.arange(len(columns)) > wide) & (np.arange(len(columns)) < len(columns) - 1 - wide)  # corners stay
    hem = np.where(changed, np.rint(even), bottom).astype(int)
    rows = np.arange(height)[:, None]
    made = trunk.copy()
    made[:, columns] &= rows <= hem
    made[:, columns] |= (rows > bottom) & (rows <= hem)
    return made


def smoothed(mask: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) bool: a garment's mask without fringes, and with a smooth outline."""
    if not mask.any():
        return mask
    radius = max(1.0, _FRINGE / scale)
    core = grow(~grow(~mask, radius), radius) & mask
    return smooth(core.astype(np.float32), max(0.6, _SMOOTH / scale)) > 0.5


def with_rim(taken: np.ndarray, stays: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) bool: what is taken away of a garment, with its soft edge, which would stay as a thin line.

    Args:
        taken: (H, W) bool.
        stays: (H, W) bool, the rest of the garment.
        scale: frame pixels per pixel.
    """
    return taken | (grow(taken, _SOFT / scale) & ~stays) if taken.any() else taken
