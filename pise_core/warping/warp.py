"""A person as eleven parts that follow the joints: the geometry that carries real pixels into a new pose.

Every person pixel belongs to the nearest bone among those that its region may follow. Dresses, and coats below the
hips, are a part of their own, so that they are not torn between the legs. :mod:`pise_core.warping.part_transforms` says
where the parts go; they are laid over one another in a fixed depth order: legs, skirt, torso, head, arms. The same code
serves any resolution.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import grow
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.warping.part_transforms import BONES, PARTS, Move, bounds, part_moves, still

#: How far a part reaches beyond the far end of its bone, in bone lengths: hands, feet, the top of the head.
_REACH = {"left_forearm": 0.4, "right_forearm": 0.4, "left_shin": 0.2, "right_shin": 0.2, "head": 0.7}
#: A part is drawn this much (in bone lengths) beyond its near joint, so that a bent elbow or knee has no gap.
_OVERLAP = 0.22
_WITH_OVERLAP = tuple(part for part in BONES if part != "head")
#: A sleeve is at most this wide on either side of its bone, in lengths of the arm's longer bone. Dresses have narrow
#: ones or none: what hangs beside a hand is the skirt.
_SLEEVE = {REGION["upper_clothes"]: 0.42, REGION["dress"]: 0.2}
#: Half the width of a hand, in the same measure.
_HAND = 0.2
_FAR = 1e6


def _allowed() -> np.ndarray:
    """(11, 8) bool: which regions a part may own."""
    regions = {
        "torso": ("upper_clothes", "dress", "pants", "upper_skin"),
        "skirt": ("upper_clothes", "dress"),
        "head": ("hair", "face"),
    }
    table = np.zeros((len(PARTS), len(REGION)), bool)
    for index, part in enumerate(PARTS):
        if "arm" in part:
            owned = ("upper_clothes", "dress", "upper_skin", *(("leg",) if "forearm" in part else ()))
        elif "thigh" in part or "shin" in part:
            owned = ("pants", "leg")
        else:
            owned = regions[part]
        table[index, [REGION[r] for r in owned]] = True
    return table


_ALLOWED = _allowed()


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
    points = np.stack([xs, ys], 1).astype(np.float32) + 0.5
    distance = np.full((len(PARTS), len(points)), _FAR, np.float32)
    there = visible(pose)
    region = parsing[ys, xs]
    for index, part in enumerate(PARTS):
        if part in BONES:
            a, b = BONES[part]
            if there[a] and there[b]:
                near, far = pose[a, :2], pose[b, :2]
                distance[index] = _to_segment(points, near, far + _REACH.get(part, 0.0) * (far - near))
                if "arm" in part:
                    distance[index] = _no_cloth_but_sleeves(distance[index], points, region, pose, part)
        elif part == "torso":
            distance[index] = _to_torso(points, pose, there)
        else:
            distance[index] = _to_skirt(points, pose, there)
    allowed = np.where(_ALLOWED[:, region], distance, _FAR)
    best = allowed.argmin(0)
    # A region that no present bone may carry (legs without knees, say) still goes to the nearest part.
    orphans = allowed.min(0) >= _FAR
    best[orphans] = distance[:, orphans].argmin(0)
    found = distance[best, np.arange(len(best))] < _FAR
    owner[ys[found], xs[found]] = best[found]
    return owner


def _no_cloth_but_sleeves(away, points, region, pose: np.ndarray, part: str) -> np.ndarray:
    """A hand on the hip or before the belly takes no cloth along that is not a sleeve; sleeves end at the wrist."""
    a, b = BONES[part]
    sleeve = _to_segment(points, pose[a, :2], pose[b, :2])
    length = _arm_length(pose, part)
    for cloth, width in _SLEEVE.items():
        away = np.where(region == cloth, np.where(sleeve < width * length, sleeve, _FAR), away)
    # A hand beside the thigh is easily taken for a piece of leg.
    return np.where((region == REGION["leg"]) & (away > _HAND * length), _FAR, away)


def _arm_length(pose: np.ndarray, part: str) -> float:
    """The longer of the two bones: one of them may point at the camera."""
    side = part.split("_")[0]
    bones = [BONES[f"{side}_upper_arm"], BONES[f"{side}_forearm"]]
    return float(np.nanmax([np.hypot(*(pose[b, :2] - pose[a, :2])) for a, b in bones]))


def _to_segment(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    d = b - a
    t = np.clip(((points - a) @ d) / (d @ d + 1e-6), 0, 1)
    return np.hypot(*(points - a - t[:, None] * d).T)


def _to_torso(points: np.ndarray, pose: np.ndarray, there: np.ndarray) -> np.ndarray:
    bones = [(2, 5), (8, 11), (2, 8), (5, 11)]
    segments = [(pose[a, :2], pose[b, :2]) for a, b in bones if there[a] and there[b]]
    if there[[1, 8, 11]].all():
        segments.append((pose[1, :2], (pose[8, :2] + pose[11, :2]) / 2))
    if not segments:
        return np.full(len(points), _FAR, np.float32)
    # A little in favour of the torso: sleeves hang beside it.
    return 0.9 * np.min([_to_segment(points, a, b) for a, b in segments], 0)


def _to_skirt(points: np.ndarray, pose: np.ndarray, there: np.ndarray) -> np.ndarray:
    if not there[[8, 9, 11, 12]].all():
        return np.full(len(points), _FAR, np.float32)
    hips, knees = (pose[8, :2] + pose[11, :2]) / 2, (pose[9, :2] + pose[12, :2]) / 2
    d = knees - hips
    below = (points - hips) @ d / (d @ d + 1e-6) > 0.12
    axis = np.min([_to_segment(points, pose[a, :2], pose[b, :2]) for a, b in ((8, 9), (11, 12), (9, 10), (12, 13))
                   if there[a] and there[b]], 0)  # fmt: skip
    middle = _to_segment(points, hips, hips + 1.9 * d)
    return np.where(below, 0.6 * np.minimum(axis, middle), _FAR)


class Carried(NamedTuple):
    """A person moved part by part, on the wanted canvas."""

    image: np.ndarray  # (H, W, 3) uint8; meaningful where trust > 0
    parsing: np.ndarray  # (H, W) uint8; 0 where nothing was carried
    trust: np.ndarray  # (H, W) float32: 1 where a source pixel arrived that can be believed, 0 elsewhere, soft at edges
    lifted: np.ndarray  # (H, W) bool: where a part was that changed its place, and a rim about it
    landed: np.ndarray  # (H, W) bool: where such a part is now

    def known(self, source: np.ndarray) -> np.ndarray:
        """(H, W) bool: where the carried map can be believed, given the map it was carried from.

        That is where something arrived, and where background was and still is. What the person uncovered is unknown.
        """
        return (self.parsing > 0) | ((source == 0) & ~self.landed)


def reach_of(owner: np.ndarray, source: np.ndarray, target: np.ndarray) -> tuple[slice, slice] | None:
    """Rows and columns about all pixels that :func:`carry` on the image's own canvas lifts, looks at or lands on;
    None when every part stays."""
    boxes = []
    for part, move in part_moves(source, target).items():
        box = _box_of(owner == PARTS.index(part))
        if box is None or still(move, box):
            continue
        low, high = np.array(box[:2]) - 1, np.array(box[2:]) + 1  # parts are drawn a pixel wider
        if part in _WITH_OVERLAP:
            centre, radius = _overlap(part, source)
            low, high = np.minimum(low, centre - radius - 1), np.maximum(high, centre + radius + 1)
        reached = bounds(move, (*low, *high))
        boxes.append([np.minimum(low, reached[0]), np.maximum(high, reached[1])])
    if not boxes:
        return None
    size = owner.shape[::-1]
    low = np.clip(np.min([b[0] for b in boxes], 0) - 2, 0, size).astype(int)
    high = np.clip(np.max([b[1] for b in boxes], 0) + 3, 0, size).astype(int)
    return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))


def carry(
    image: np.ndarray,
    parsing: np.ndarray,
    owner: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    canvas: tuple[int, int] | None = None,
    rim: int = 0,
    order: Sequence[int] = range(len(PARTS)),
) -> Carried:
    """Move every part to the wanted pose; a part that stays keeps its pixels bit for bit.

    Args:
        image: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        owner: (H, W) from :func:`assign_parts`.
        source: pose (18, 3) in the image's pixels.
        target: pose (18, 3) in the canvas's pixels.
        canvas: (H, W) to draw on; without it the image's own size. Another person's canvas lets nothing stay.
        rim: of so many pixels at the silhouette of a moved part the colours are not believed, neither there (the
            background shines through) nor where it was lifted off (its edge shines through). Their labels are.
        order: indices into ``PARTS`` from the farthest part to the nearest.
    """
    size = canvas or owner.shape
    moves = part_moves(source, target)
    out, labels = np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)
    trust = np.zeros(size, np.float32)
    lifted, landed = np.zeros(size, bool), np.zeros(size, bool)
    staying = []
    if canvas is None:
        staying = [i for i, part in enumerate(PARTS) if part not in moves or _stays(owner == i, moves[part])]
        lifted = np.isin(owner, [i for i in range(len(PARTS)) if i not in staying])
        lifted = grow(lifted, rim) if rim else lifted
    core = (~grow(parsing == 0, rim) if rim else parsing > 0).astype(np.uint8)
    for index in order:
        part, mask = PARTS[index], owner == index
        if not mask.any():
            continue
        if index in staying:
            here = mask & ~lifted
            # Only a limb that was drawn earlier can lie here already: this part covers it.
            labels[mask], trust[mask] = parsing[mask], 0.0
            out[here], trust[here] = image[here], 1.0
            continue
        if part not in moves:
            continue
        mask = with_overlap(mask.astype(np.uint8), index, part, parsing, source)
        box = _bounds(mask, moves[part], size)
        if box is None:
            continue
        x0, y0, x1, y1 = box
        moved = moves[part].into(x0, y0, (x1 - x0, y1 - y0))
        cover = moved(mask.astype(np.float32))
        alpha = moved((mask & core).astype(np.float32)) if rim else cover
        # Colours are taken from the whole image: the soft edge of the mask must not mix in black.
        colours = moved(image, flags=cv2.INTER_LINEAR, border=cv2.BORDER_REPLICATE)
        regions = moved(parsing * mask, flags=cv2.INTER_NEAREST)
        window = slice(y0, y1), slice(x0, x1)
        under = trust[window]
        total = alpha + under * (1 - cover)
        share = np.divide(alpha, total, out=np.zeros_like(alpha), where=total > 1e-3)[..., None]
        out[window] = np.rint(colours * share + out[window] * (1 - share)).astype(np.uint8)
        labels[window] = np.where((cover > 0.5) & (regions > 0), regions, labels[window])
        trust[window] = total
        landed[window] |= cover > 0
    return Carried(out, labels, trust, lifted, landed)


def with_overlap(mask, index: int, part: str, parsing: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The part's pixels and, around its near joint, those of its neighbour: a disc that covers the bend.

    Args:
        mask: (H, W) uint8, 1 where :func:`assign_parts` says ``index``.
        index, part: of the part in ``PARTS``, and its name.
        parsing: (H, W) uint8.
        pose: (18, 3) in the same pixels.

    Returns:
        (H, W) uint8 of 0 and 1.
    """
    wider = np.minimum(cv2.dilate(mask, np.ones((3, 3), np.uint8)), parsing > 0).astype(np.uint8)
    if part not in _WITH_OVERLAP:
        return wider
    disc = np.zeros_like(mask)
    centre, radius = _overlap(part, pose)
    cv2.circle(disc, centre.tolist(), radius, 1, -1)
    # Only skin or cloth that this limb may carry: a shoulder takes no piece of hair along.
    disc &= _ALLOWED[index][parsing].astype(np.uint8)
    return np.maximum(wider, disc)


def _overlap(part: str, pose: np.ndarray) -> tuple[np.ndarray, int]:
    """Centre (x, y) and radius of the disc about a limb's near joint."""
    a, b = BONES[part]
    radius = _OVERLAP * float(np.hypot(*(pose[b, :2] - pose[a, :2])))
    return np.floor(pose[a, :2]).astype(int), max(1, round(radius))


def _bounds(mask: np.ndarray, move: Move, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Where the moved mask can lie, clipped to the image; None when it leaves it."""
    box = _box_of(mask)
    if box is None:
        return None
    low, high = bounds(move, box)
    x0, y0 = np.maximum(np.floor(low) - 2, 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high) + 2, size[::-1]).astype(int)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else None


def _box_of(mask: np.ndarray) -> tuple[int, int, int, int] | None:
    """x0, y0, x1, y1 about all that is set."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    return (x, y, x + w, y + h) if w else None


def _stays(mask: np.ndarray, move: Move) -> bool:
    box = _box_of(mask)
    return box is None or still(move, box)
