"""What lies behind the parts of a person, finished: the torso behind an arm, the legs behind a hem.

The photo shows no cloth behind an arm. Where there is some follows from the silhouettes beside it: what lies between
two pieces of the torso is torso, a bite that a hand takes out of a skirt's edge is skirt, and beyond an edge that
simply goes on is the background. Each layer is continued there in its own texture, so that whatever a moved part
uncovers is there already.
"""

from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.inpainting.garments import continue_cloth
from pise_core.inpainting.mirror import continue_regions
from pise_core.masks import Nearest, grow, smooth, window_of
from pise_core.pose import visible
from pise_core.skeleton import BONES, HIPS, KNEES
from pise_core.warping.parts import PARTS, among
from pise_core.warping.warp import Behind

#: Silhouettes are continued on a grid of so many cells per frame pixel; the photo's own pixels, where these are fewer.
_FINER = 2.0
#: In frame pixels: bites out of a silhouette are closed up to twice this width; how far any silhouette reaches behind
#: what hides it; the width over which continued silhouettes are smoothed.
_BITE, _BEHIND, _SMOOTH = 12.0, 1.5, 1.2
#: In frame pixels: pixels so near to what is in front have its colours at their edge.
RIM = 1.0
#: In frame pixels: how far legs reach up behind a hem.
_UNDER_HEM = 9.0
#: In frame pixels: how far about the hidden part its texture is taken from.
_AROUND = 24.0
#: In frame pixels: narrower hidden strips are mirrored at their border, which is quicker than looking for pieces.
_NARROW = 2.5
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
    name: str, image: np.ndarray, parsing: np.ndarray, owner: np.ndarray, pose: np.ndarray, scale: float
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
        labels, parts = _continued(parsing, owner, among(owner, hiding) | staying, known, hides, scale)
    if not labels.any():
        return None
    inner = window_of(grow(labels > 0, rim), margin=1)
    assert inner is not None
    made, parts, belief = _textured(image, np.where(known, parsing, 0), labels, parts, scale, pieces=not along)
    window = tuple(
        slice(whole.start + part.start, whole.start + part.stop) for whole, part in zip(window, inner, strict=True)
    )
    return Behind(front, back, (window[0], window[1]), made[inner], labels[inner], parts[inner], belief[inner])


def _continued(parsing, owner, hiding, known, hides, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Regions (H, W) uint8 and parts (H, W) int8 behind what hides them, by the silhouettes beside it."""
    factor = min(1.0, _FINER * scale)
    size = max(2, round(owner.shape[1] * factor)), max(2, round(owner.shape[0] * factor))
    cells = scale * owner.shape[1] / size[0]  # frame pixels per cell

    def small(mask: np.ndarray) -> np.ndarray:
        return cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT) > 0

    there, unknown = small(known), small(hides | hiding)
    # A border of background, so that a silhouette that the picture's edge cuts off is closed like any other.
    radius = max(1, round(_BITE / cells))
    padded = np.pad(there, radius + 1)
    closed = ~grow(~grow(padded, radius), radius)[radius + 1 : -radius - 1, radius + 1 : -radius - 1]
    # What is seen between the two sides is no cloth: nobody knows how far that goes on.
    wall = ~there & ~unknown
    between = _between(there, wall, unknown)
    if among(owner, _HELD).any():  # a bag hides more of a leg than its edge
        between |= _between(there.T, wall.T, unknown.T).T & grow(small(among(owner, _HELD)), _BEHIND / cells)
    near = cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, 5) <= _BEHIND / cells
    inside = there | ((closed | between | near) & unknown)
    share = smooth(inside.astype(np.float32), _SMOOTH / cells)
    share = cv2.resize(share, owner.shape[::-1], interpolation=cv2.INTER_LINEAR)
    hidden = hides & ~known & (share > 0.5)
    if not there.any():
        return np.zeros_like(parsing), np.full_like(owner, -1)
    y, x = Nearest(there).at(*np.nonzero(np.ones_like(there)))
    labels, parts = (
        cv2.resize(cv2.resize(full, size, interpolation=cv2.INTER_NEAREST_EXACT)[y, x].reshape(there.shape),
                   owner.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        for full in (parsing, owner)
    )  # fmt: skip
    return np.where(hidden, labels, np.uint8(0)), np.where(hidden, parts, np.int8(-1))


def _between(there: np.ndarray, wall: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """(h, w) bool: the cells between two pieces in the same row, unless the wall is seen beside one of these."""
    between = np.maximum.accumulate(there, 1) & np.maximum.accumulate(there[:, ::-1], 1)[:, ::-1]
    return between & ~_beside(wall, unknown, there)


def _beside(wall: np.ndarray, unknown: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(h, w) bool: the unknown cells whose row shows the wall before it shows the person, on either side."""
    found = np.zeros(wall.shape, bool)
    for flip in (slice(None), slice(None, None, -1)):
        w, t = wall[:, flip], there[:, flip]
        place = np.arange(w.shape[1])
        last_wall = np.maximum.accumulate(np.where(w, place, -1), 1)
        last_person = np.maximum.accumulate(np.where(t, place, -1), 1)
        found[:, flip] |= last_wall > last_person
    return found & unknown


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
