"""A person as eleven rigid parts that follow the joints: the geometry that carries real pixels into a new pose.

Every person pixel belongs to the nearest bone among those that its region may follow. A part moves by a similarity
from its bone to the same bone of the wanted pose; the head about the middle of the ears, since the nose wanders when a
head turns; the torso by an affine fit of shoulders and hips; dresses and coats below the hips by an affine fit of hips
and knees, so that they are not torn between the legs. Parts are laid over one another in a fixed depth order: legs,
skirt, torso, head, arms. The same code serves any resolution.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.compositing import grow
from pise_core.pose import visible
from pise_core.regions import REGION

PARTS = (
    "left_thigh", "left_shin", "right_thigh", "right_shin", "skirt", "torso", "head",
    "left_upper_arm", "left_forearm", "right_upper_arm", "right_forearm",
)  # fmt: skip
"""In drawing order: later parts cover earlier ones."""

_BONE = {
    "left_thigh": (11, 12), "left_shin": (12, 13), "right_thigh": (8, 9), "right_shin": (9, 10), "head": (1, 0),
    "left_upper_arm": (5, 6), "left_forearm": (6, 7), "right_upper_arm": (2, 3), "right_forearm": (3, 4),
}  # fmt: skip
#: How far a part reaches beyond the far end of its bone, in bone lengths: hands, feet, the top of the head.
_REACH = {"left_forearm": 0.4, "right_forearm": 0.4, "left_shin": 0.2, "right_shin": 0.2, "head": 0.7}
#: A part is drawn this much (in bone lengths) beyond its near joint, so that a bent elbow or knee has no gap.
_OVERLAP = 0.22
_WITH_OVERLAP = tuple(part for part in _BONE if part != "head")
#: A sleeve is at most this wide on either side of its bone, in lengths of the arm's longer bone. Dresses have narrow
#: ones or none: what hangs beside a hand is the skirt.
_SLEEVE = {REGION["upper_clothes"]: 0.42, REGION["dress"]: 0.2}
#: Half the width of a hand, in the same measure.
_HAND = 0.2
#: A body is about two thirds as deep as it is wide: a torso or a skirt seen from the side is no narrower than this.
_SIDEWAYS = 0.65
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
        if part in _BONE:
            a, b = _BONE[part]
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
    a, b = _BONE[part]
    sleeve = _to_segment(points, pose[a, :2], pose[b, :2])
    length = _arm_length(pose, part)
    for cloth, width in _SLEEVE.items():
        away = np.where(region == cloth, np.where(sleeve < width * length, sleeve, _FAR), away)
    # A hand beside the thigh is easily taken for a piece of leg.
    return np.where((region == REGION["leg"]) & (away > _HAND * length), _FAR, away)


def _arm_length(pose: np.ndarray, part: str) -> float:
    """The longer of the two bones: one of them may point at the camera."""
    side = part.split("_")[0]
    bones = [_BONE[f"{side}_upper_arm"], _BONE[f"{side}_forearm"]]
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


def part_transforms(source: np.ndarray, target: np.ndarray) -> dict[str, np.ndarray]:
    """How each part moves: 2x3 matrices on (x, y) with pixel centres at +0.5.

    A part whose joints are missing on either side is absent from the answer, but follows its neighbour where it has
    one: a forearm without a wrist its upper arm, a head without a nose the torso.
    """
    there = visible(source) & visible(target)
    moves: dict[str, np.ndarray] = {}
    torso = [j for j in (2, 5, 8, 11) if there[j]]
    if len(torso) >= 3:
        moves["torso"] = _affine(source[torso, :2], target[torso, :2])
    elif len(torso) == 2:
        moves["torso"] = _similarity(*source[torso, :2], *target[torso, :2])
    for part, (a, b) in _BONE.items():
        if not (there[a] and there[b]):
            continue
        if part == "head":
            moves[part] = _head(source, target, there)
        else:
            moves[part] = _similarity(source[a, :2], source[b, :2], target[a, :2], target[b, :2])
    legs = [8, 11, 9, 12]
    if there[legs].all():
        moves["skirt"] = _affine(source[legs, :2], target[legs, :2])
    parents = {"left_forearm": "left_upper_arm", "right_forearm": "right_upper_arm", "left_shin": "left_thigh"}
    parents |= {"right_shin": "right_thigh"} | {p: "torso" for p in PARTS if p not in parents and p != "right_shin"}
    for part in ("left_upper_arm", "right_upper_arm", "left_thigh", "right_thigh", *parents):
        parent = parents.get(part, "torso")
        if part not in moves and parent in moves:
            moves[part] = moves[parent]
    return moves


def _similarity(a, b, c, d) -> np.ndarray:
    """Bone a-b onto bone c-d: turned and moved; along the bone scaled by its length, across it left as wide as it was
    unless the whole person changes size (foreshortening makes a limb shorter, not thinner)."""
    u, v = b - a, d - c
    source, target = np.hypot(*u) + 1e-6, np.hypot(*v) + 1e-6
    along = np.clip(target / source, 0.2, 4.0)
    across = np.clip(along, 0.85, 1.15)
    e1, e2 = u / source, v / target
    n1, n2 = np.array([-e1[1], e1[0]]), np.array([-e2[1], e2[0]])
    m = np.outer(e2, e1) * along + np.outer(n2, n1) * across
    return np.c_[m, c - m @ a].astype(np.float64)


def _head(source: np.ndarray, target: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The head turned with the line from the neck to its middle: between the ears, or the eyes, or else the nose.

    A head that turns to the side moves its nose by half its width and its middle hardly at all.
    """
    a, b = next((pair for pair in ((16, 17), (14, 15)) if there[list(pair)].all()), (0, 0))
    middle, wanted = (source[a, :2] + source[b, :2]) / 2, (target[a, :2] + target[b, :2]) / 2
    u, v = (middle - source[1, :2]).astype(np.float64), (wanted - target[1, :2]).astype(np.float64)
    size = np.clip(np.hypot(*v) / (np.hypot(*u) + 1e-6), 0.85, 1.15)
    angle = np.arctan2(v[1], v[0]) - np.arctan2(u[1], u[0])
    c, s = size * np.cos(angle), size * np.sin(angle)
    m = np.array([[c, -s], [s, c]])
    return np.c_[m, wanted - m @ middle]


def _affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares affine map, pulled a little towards a plain shift: four joints in a line must not explode it, nor
    those of somebody who turned to the side make them as thin as paper."""
    centre_s, centre_t = source.mean(0), target.mean(0)
    x, y = (source - centre_s).astype(np.float64), (target - centre_t).astype(np.float64)
    ridge = (0.02 * (x**2).sum() + 1e-6) * np.eye(2)
    m = np.linalg.solve(x.T @ x + ridge, x.T @ y + ridge).T
    u, sizes, v = np.linalg.svd(m)
    least = _SIDEWAYS * min(1.0, sizes[0])  # of a garment that is wanted smaller altogether: that much of its size
    if sizes[1] < least:
        m = u @ np.diag(np.maximum(sizes, least)) @ v
    return np.c_[m, centre_t - m @ centre_s]


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


def still(matrix: np.ndarray, size: tuple[int, int]) -> bool:
    """True when the move shifts no corner of an image of ``size`` (H, W) by more than a twentieth of a pixel."""
    height, width = size
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]], np.float64)
    return bool(np.abs(corners @ matrix.T - corners[:, :2]).max() < 0.05)


def reach_of(owner: np.ndarray, source: np.ndarray, target: np.ndarray) -> tuple[slice, slice] | None:
    """Rows and columns about all pixels that :func:`carry` on the image's own canvas lifts, looks at or lands on;
    None when every part stays."""
    size = (owner.shape[0], owner.shape[1])
    boxes = []
    for part, move in part_transforms(source, target).items():
        if still(move, size):
            continue
        x, y, w, h = cv2.boundingRect((owner == PARTS.index(part)).astype(np.uint8))
        if w == 0:
            continue
        low, high = np.array([x, y], np.float64), np.array([x + w, y + h], np.float64)
        if part in _WITH_OVERLAP:
            centre, radius = _overlap(part, source)
            low, high = np.minimum(low, centre - radius - 1), np.maximum(high, centre + radius + 1)
        corners = np.array([[*low, 1], [high[0], low[1], 1], [low[0], high[1], 1], [*high, 1]]) @ move.T
        boxes.append([np.minimum(low, corners.min(0)), np.maximum(high, corners.max(0))])
    if not boxes:
        return None
    low = np.clip(np.min([b[0] for b in boxes], 0) - 2, 0, size[::-1]).astype(int)
    high = np.clip(np.max([b[1] for b in boxes], 0) + 3, 0, size[::-1]).astype(int)
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
    moves = part_transforms(source, target)
    out, labels = np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)
    trust = np.zeros(size, np.float32)
    lifted, landed = np.zeros(size, bool), np.zeros(size, bool)
    staying = []
    if canvas is None:
        staying = [i for i, part in enumerate(PARTS) if part not in moves or still(moves[part], size)]
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
        matrix = _for_opencv(moves[part], x0, y0)
        shape = (x1 - x0, y1 - y0)
        cover = cv2.warpAffine(mask.astype(np.float32), matrix, shape)
        alpha = cv2.warpAffine((mask & core).astype(np.float32), matrix, shape) if rim else cover
        # Colours are taken from the whole image: the soft edge of the mask must not mix in black.
        colours = cv2.warpAffine(image, matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        regions = cv2.warpAffine(parsing * mask, matrix, shape, flags=cv2.INTER_NEAREST)
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
    """The part's pixels and, around its near joint, those of its neighbour: a disc that covers the bend."""
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
    a, b = _BONE[part]
    radius = _OVERLAP * float(np.hypot(*(pose[b, :2] - pose[a, :2])))
    return np.floor(pose[a, :2]).astype(int), max(1, round(radius))


def _bounds(mask: np.ndarray, move: np.ndarray, size: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Where the moved mask can lie, clipped to the image; None when it leaves it."""
    x, y, w, h = cv2.boundingRect(mask)
    if w == 0:
        return None
    corners = np.array([[x, y, 1], [x + w, y, 1], [x, y + h, 1], [x + w, y + h, 1]], np.float64) @ move.T
    x0, y0 = np.maximum(np.floor(corners.min(0)) - 2, 0).astype(int)
    x1, y1 = np.minimum(np.ceil(corners.max(0)) + 2, size[::-1]).astype(int)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else None


def _for_opencv(move: np.ndarray, x0: int, y0: int) -> np.ndarray:
    """The same move for pixel centres at whole numbers, with the output's origin at (x0, y0)."""
    shift = move[:, :2] @ [0.5, 0.5] - 0.5 - [x0, y0]
    return np.c_[move[:, :2], move[:, 2] + shift]
