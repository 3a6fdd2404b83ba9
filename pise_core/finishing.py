"""What lies behind the parts of a person, finished: the torso behind an arm, the legs behind a hem.

The photo shows no cloth behind an arm. A network that knows bodies says where there is some
(:mod:`pise_core.hidden_body`). Each layer is continued there in its own texture, so that whatever a moved part uncovers
is there already.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.body_sides import smooth_sides
from pise_core.hidden_body import HiddenBody
from pise_core.inpainting.garments import continue_cloth
from pise_core.inpainting.mirror import continue_regions
from pise_core.masks import Nearest, grow, smooth, window_of
from pise_core.pose import visible
from pise_core.skeleton import BONES, HIPS, KNEES, LEGS, SHOULDERS
from pise_core.warping.behind import Behind
from pise_core.warping.parts import PARTS, among

#: Silhouettes are continued on a grid of so many cells per frame pixel; the photo's own pixels, where these are fewer.
_FINER = 2.0
#: In frame pixels: how far any silhouette reaches behind what hides it; the width over which continued silhouettes are
#: smoothed.
_BEHIND, _SMOOTH = 1.5, 1.2
#: So much more than half must the network be sure of the body: a body that is a little narrow is seen less than cloth
#: where none is.
_DOUBT = 0.2
#: In frame pixels: pixels so near to what is in front have its colours at their edge.
RIM = 1.0
#: In frame pixels: how far legs reach up behind a hem.
_UNDER_HEM = 9.0
#: How much of a leg's bones, of what hides them, may lie beside both the leg and that.
_ASIDE = 0.3
#: Shoulders are so wide at least, in lengths of the torso, where a body is seen from the front.
_FRONTAL = 0.4
#: In frame pixels: how far about the hidden part its texture is taken from.
_AROUND = 24.0
#: In frame pixels: narrower hidden strips are mirrored at their border, which is quicker than looking for pieces.
_NARROW = 6.0
#: How far finished cloth is believed.
_BELIEF = 0.95


def _indices(*names: str) -> tuple[int, ...]:
    return tuple(PARTS.index(name) for name in names)


_LEGS = _indices("left_thigh", "left_shin", "right_thigh", "right_shin")
_SKIRT, _TORSO = _indices("skirt"), _indices("torso")
_TRUNK = (*_SKIRT, *_TORSO)
_HEAD = _indices("head")
_ARMS = _indices("left_upper_arm", "left_forearm", "right_upper_arm", "right_forearm")
_HELD = _indices("left_held", "right_held")


class Front(NamedTuple):
    """What hides layers, and what is finished behind it."""

    parts: tuple[int, ...]  # that hide
    hiding: tuple[int, ...]  # all that may hide at the same place
    back: tuple[int, ...]  # of which what is hidden is a piece
    along: bool = False  # what is hidden reaches up along its bone, as cloth does below a joint or a hem


FRONTS = {
    "left_arm": Front((*_ARMS[:2], *_HELD[:1]), (*_ARMS, *_HELD), (*_LEGS, *_TRUNK, *_HEAD)),
    "right_arm": Front((*_ARMS[2:], *_HELD[1:]), (*_ARMS, *_HELD), (*_LEGS, *_TRUNK, *_HEAD)),
    "head": Front(_HEAD, (*_ARMS, *_HELD, *_HEAD), _TRUNK),
    "torso": Front(_TORSO, (*_ARMS, *_HELD, *_TORSO), _SKIRT, along=True),
    "trunk": Front(_TRUNK, (*_ARMS, *_HELD, *_TRUNK), _LEGS, along=True),
}


def fronts_of(parts: Iterable[int], held: bool = False) -> list[str]:
    """Names of ``FRONTS`` behind which something may show when some parts (indices into ``PARTS``) move; ``held``: arms
    with what they hold hide more than a hand does."""
    wanted = set(parts)
    found = []
    for name, front in FRONTS.items():
        before_skirt = wanted & {*_SKIRT, *(_LEGS if held else ())} and name in ("left_arm", "right_arm")
        if wanted & set(front.parts) or (front.along and wanted & set(front.back)) or before_skirt:
            found.append(name)
    return found


def finish_behind(
    name: str,
    image: np.ndarray,
    parsing: np.ndarray,
    owner: np.ndarray,
    pose: np.ndarray,
    scale: float,
    body: HiddenBody,
) -> Behind | None:
    """The layers behind some parts, finished where these hide them; None where nothing is hidden.

    The same input gives the same bytes.

    Args:
        name: of ``FRONTS``.
        image: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        owner: (H, W) int8, from ``assign_parts``.
        pose: (18, 3) in the same pixels.
        scale: frame pixels per pixel.
        body: the person without what hides them.
    """
    front, hiding, back, along = FRONTS[name]
    window = window_of(among(owner, front), margin=round(_AROUND / scale))
    if window is None or not among(owner, back).any():
        return None
    image, parsing, owner = image[window], parsing[window], owner[window]
    pose = pose - np.array([window[1].start, window[0].start, 0], np.float32)
    rim = max(1, round(RIM / scale))
    hides = grow(among(owner, front), rim)
    # What stays of what is held is no piece of a layer, and nobody knows what it hides.
    staying = (owner >= 0) & (parsing == 0) & ~among(owner, front)
    known = among(owner, back) & ~grow(among(owner, hiding), rim) & ~staying
    if not known.any():
        return None
    if along:
        labels, parts = _under_the_hem(parsing, owner, pose, known, hides, back, scale)
    else:
        hiding = among(owner, hiding) | staying
        labels, parts = _continued(parsing, owner, hiding, known, hides, scale, body.within(window), name == "head")
        _join_legs(labels, parts, parsing, owner, pose, known, hides)
        if _faces_us(pose):
            smooth_sides(labels, parts, known, hides, grow(hiding, rim) & ~hides, scale)
    if not labels.any():
        return None
    inner = window_of(grow(labels > 0, rim), margin=1)
    assert inner is not None
    made, parts, belief = _textured(image, np.where(known, parsing, 0), labels, parts, scale, pieces=not along)
    window = tuple(
        slice(whole.start + part.start, whole.start + part.stop) for whole, part in zip(window, inner, strict=True)
    )
    return Behind(front, back, (window[0], window[1]), made[inner], labels[inner], parts[inner], belief[inner])


def _continued(
    parsing, owner, hiding, known, hides, scale: float, body: HiddenBody, head: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Regions (H, W) uint8 and parts (H, W) int8 behind what hides them, as the network says."""
    factor = min(1.0, _FINER * scale)
    size = max(2, round(owner.shape[1] * factor)), max(2, round(owner.shape[0] * factor))
    cells = scale * owner.shape[1] / size[0]  # frame pixels per cell

    def small(array: np.ndarray) -> np.ndarray:
        return cv2.resize(array, size, interpolation=cv2.INTER_NEAREST_EXACT)

    def large(array: np.ndarray) -> np.ndarray:
        return cv2.resize(array, owner.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)

    there, unknown = (small(mask.astype(np.uint8)) > 0 for mask in (known, hides | hiding))
    regions = small(np.where(known, parsing, np.uint8(0)))
    # What is nowhere seen has no colours to go on with.
    present = [region for region in np.unique(regions) if region > 0]
    if not present:
        return np.zeros_like(parsing), np.full_like(owner, -1)
    shares = body.shares((size[1], size[0]), head)
    # What is seen counts more than what the network says of it; near an edge that is seen, so does that.
    inside = np.where(unknown, 1 - shares[0] - _DOUBT, there.astype(np.float32))
    near = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, 5) <= _BEHIND / cells
    inside = np.where(unknown & near, np.float32(1), inside)
    share = cv2.resize(smooth(inside, _SMOOTH / cells), owner.shape[::-1], interpolation=cv2.INTER_LINEAR)
    hidden = hides & ~known & (share > 0.5)
    labels = np.array(present, np.uint8)[shares[present].argmax(0)]
    parts, owners = np.full(there.shape, -1, np.int8), small(owner)
    for region in present:
        ys, xs = np.nonzero(unknown & (labels == region))
        parts[ys, xs] = owners[Nearest(regions == region).at(ys, xs)]
    return np.where(hidden, large(labels), np.uint8(0)), np.where(hidden, large(parts), np.int8(-1))


def _faces_us(pose: np.ndarray) -> bool:
    """Whether a body is seen from the front or the back: from the side its outline is bent."""
    if not visible(pose)[[*SHOULDERS, *HIPS]].all():
        return False
    across = pose[SHOULDERS[0], :2] - pose[SHOULDERS[1], :2]
    down = pose[list(HIPS), :2].mean(0) - pose[list(SHOULDERS), :2].mean(0)
    return float(np.hypot(*across)) > _FRONTAL * float(np.hypot(*down)) and down[1] > 2 * abs(down[0])


def _join_legs(labels, parts, parsing, owner, pose, known, hides) -> None:
    """A leg of which something is seen above and below what hides it goes on between, along its bones: the network has
    seen few bags that hide a whole knee. ``labels`` and ``parts`` are added to."""
    for leg, thigh, shin in zip(LEGS, (_LEGS[2], _LEGS[0]), (_LEGS[3], _LEGS[1]), strict=True):
        joints = pose[list(leg)]
        own = known & ((owner == thigh) | (owner == shin))
        if not visible(joints).all() or not own.any():
            continue
        points = np.concatenate([_walk(a[:2], b[:2]) for a, b in pairwise(joints)])
        rows, columns = np.floor(points[:, 1]).astype(int), np.floor(points[:, 0]).astype(int)
        inside = (rows >= 0) & (rows < own.shape[0]) & (columns >= 0) & (columns < own.shape[1])
        points, rows, columns = points[inside], rows[inside], columns[inside]
        seen, hidden = own[rows, columns], (hides & ~known)[rows, columns]
        on = np.flatnonzero(seen)
        if len(on) < 2:
            continue
        between = hidden & (np.arange(len(points)) > on[0]) & (np.arange(len(points)) < on[-1])
        # Where much of the way is neither seen nor hidden, the leg runs elsewhere.
        if not between.any() or (~(seen | hidden))[on[0] : on[-1]].sum() > _ASIDE * between.sum():
            continue
        band = np.zeros(own.shape, np.uint8)
        for x, y in np.floor(points[between]).astype(int).tolist():
            cv2.circle(band, (x, y), max(1, round(own.sum() / (2 * len(on)))), 1, -1)
        ys, xs = np.nonzero((band > 0) & hides & ~known & (labels == 0))
        if len(ys):
            y, x = Nearest(own).at(ys, xs)
            labels[ys, xs], parts[ys, xs] = parsing[y, x], owner[y, x]


def _walk(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(N, 2) points from one to the other, about a pixel apart."""
    return np.linspace(start, end, max(2, round(float(np.hypot(*(end - start))))))


def _under_the_hem(
    parsing, owner, pose, known, hides, back: tuple[int, ...], scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Regions and parts of what reaches up behind a joint or a hem, along its bone."""
    labels, parts = np.zeros_like(parsing), np.full_like(owner, -1)
    steps = max(1, round(_UNDER_HEM / scale))
    for index in back:
        piece, bone = known & (owner == index), _down(PARTS[index], pose)
        if bone is None or not piece.any():
            continue
        line = np.zeros((2 * steps + 1, 2 * steps + 1), np.uint8)
        end = np.rint(steps + bone * steps).astype(int)
        cv2.line(line, (steps, steps), (int(end[0]), int(end[1])), 1)
        # A pixel is reached when the piece is seen further down the bone.
        reached = cv2.dilate(piece.astype(np.uint8), line, borderValue=0) > 0
        hidden = reached & hides & ~known & (labels == 0)
        ys, xs = np.nonzero(hidden)
        if not len(ys):
            continue
        y, x = Nearest(piece).at(ys, xs)
        labels[ys, xs], parts[ys, xs] = parsing[y, x], index
    return labels, parts


def _down(part: str, pose: np.ndarray) -> np.ndarray | None:
    """(2,) the direction from a part's near joint to its far one; a skirt's from the hips to the knees."""
    near, far = (HIPS, KNEES) if part == "skirt" else ((joint,) for joint in BONES[part])
    if not visible(pose)[[*near, *far]].all():
        return None
    bone = pose[list(far), :2].mean(0) - pose[list(near), :2].mean(0)
    return bone / max(float(np.hypot(*bone)), 1e-3)


def _textured(
    image, known: np.ndarray, labels: np.ndarray, parts: np.ndarray, scale: float, pieces: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The finished picture (H, W, 3) uint8, whose it is (H, W) int8, and how far it is believed (H, W) uint8.

    ``known``: (H, W) uint8, the regions of the layers in plain sight; ``labels``, ``parts``: of what is hidden.
    ``pieces``: whether to look for pieces of texture; otherwise it is mirrored.
    """
    # A little more than the layer: its soft edge has its colours, too.
    rim = max(1.0, RIM / scale)
    window = window_of(labels > 0, margin=round(rim) + 1)
    assert window is not None
    edge = np.zeros(labels.shape, bool)
    edge[window] = grow(labels[window] > 0, rim)
    edge &= (known == 0) & (labels == 0)
    wanted, parts = np.where(labels > 0, labels, known), parts.copy()
    ys, xs = np.nonzero(edge[window])
    y, x = Nearest(labels[window] > 0).at(ys, xs)
    wanted[window][ys, xs], parts[window][ys, xs] = labels[window][y, x], parts[window][y, x]
    gap = (wanted > 0) & (known == 0)
    trust = (known > 0).astype(np.float32)
    depth = float(cv2.distanceTransform(gap.astype(np.uint8), cv2.DIST_L2, 3).max())
    made, belief = image, trust
    if pieces and depth > _NARROW / scale:
        made, belief = continue_cloth(image, trust, wanted, gap, scale)
    made, belief = (array.copy() for array in (made, belief))
    # Mirrored from no farther than the gap is deep; nothing of it is believed much less than the rest.
    near = window_of(gap, margin=round(2 * depth) + 2)
    assert near is not None
    made[near], belief[near] = continue_regions(made[near], belief[near], wanted[near], 10 * depth)
    return made, parts, np.rint(255 * np.clip(np.where(gap, belief, 0), 0, _BELIEF)).astype(np.uint8)
