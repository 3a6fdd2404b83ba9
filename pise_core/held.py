"""What a person holds: bags, bottles and the like. Each is one thing that goes with a hand or stays with the body.

Held things are no region of the eight, but layers of their own.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.framing import Framing
from pise_core.guided_filter import guided_filter
from pise_core.masks import grow, smooth, window_of
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.remains import remains_of
from pise_core.skeleton import BONES, SHOULDERS
from pise_core.warping.part_transforms import part_moves
from pise_core.warping.parts import PARTS, arm_length

#: What a held thing goes with; ``stays``: with the body, wherever the arms are.
Carrier = Literal["left_hand", "right_hand", "stays"]
CARRIERS: tuple[Carrier, ...] = get_args(Carrier)
#: Things of one photo at most; those beyond are the smallest.
MOST = 8

#: How sure the analyzer must be of a thing somewhere, and of each of its pixels.
SURE, _LIKELY = 0.8, 0.4
#: A thing of which it is as sure on average counts even where it looks like the background beside it.
_CERTAIN = 0.75
#: How sure it must be that nothing of the body is there, which the regions call background where a thing is held; or
#: how sure of the thing, where they take it for clothes.
_NO_BODY, _NOT_CLOTHES = 0.4, 0.5
#: In frame pixels: pieces that are nearer to one another are one thing; things with fewer pixels are none.
_APART, _LEAST = 3.0, 40
#: In frame pixels: how far about a thing the background is looked at. Within so many levels (mean of the channels) of
#: so much of it, a pixel is like the background.
_BESIDE, _ALIKE, _COMMON = 8.0, 14, 0.08
#: Pixels of the working grid per frame pixel.
_FINER = 2.0
#: In lengths of the arm's longer bone: how near to the hand or the forearm a thing is held by it, and how near to a
#: shoulder it hangs from there.
_IN_HAND, _FROM_SHOULDER = 0.5, 0.3
#: The same: how near to a hand a thing lies that hangs below it, and how far to a side of it.
_HANGS, _PLUMB = 0.85, 0.15
#: How much of its height is the top of a thing.
_TOP = 0.2
#: The same: no part of a thing that turns with the hand is farther from the wrist; others hang from it.
_TURNS = 0.75
#: In frame pixels: slits between a thing and the body are no wider; how far from a thing's edge the photo's is
#: followed; how far its steps are smoothed before, and the window in which it is followed; the variance of colour (of
#: values in [0, 1]) below which there is none.
_SLIT, _FOLLOWED, _ROUGH, _WINDOW, _EPS = 2.0, 3.0, 0.5, 3.0, 1e-3
_BODY = PARTS.index("torso")
#: What is never taken for a thing's edge.
_OWN = [REGION["hair"], REGION["face"], REGION["upper_skin"]]


class Held(NamedTuple):
    """The things that somebody holds.

    Attributes:
        labels: (H, W) uint8, n + 1 where the nth thing is, 0 elsewhere.
        carriers: what each goes with.
        below: (H, W) uint8, the region of the body that the analyzer sees where a thing is, 0 elsewhere: what is there
            if there is no thing after all. None if that is background everywhere.
    """

    labels: np.ndarray
    carriers: tuple[Carrier, ...]
    below: np.ndarray | None = None

    @property
    def boxes(self) -> list[tuple[int, int, int, int]]:
        """x0, y0, x1, y1 about each thing, in pixels."""
        found = [cv2.boundingRect((self.labels == n).astype(np.uint8)) for n in range(1, len(self.carriers) + 1)]
        return [(x, y, x + w, y + h) for x, y, w, h in found]

    def parts(self, pose: np.ndarray) -> np.ndarray:
        """(H, W) int8: the part that each pixel of a thing moves with, an index into ``PARTS``; -1 elsewhere.

        What hangs from a hand keeps hanging when that turns; what lies in it turns along.

        Args:
            pose: (18, 3) in pixels of the labels.
        """
        table = np.full(256, -1, np.int8)
        for n, carrier in enumerate(self.carriers, 1):
            table[n] = self._part(n, carrier, pose)
        return table[self.labels]

    def moved(self, source: np.ndarray, target: np.ndarray) -> "Held":
        """The same things where they are when their person moves; both poses (18, 3) in pixels of the labels. What lies
        below them there is not known."""
        height, width = self.labels.shape
        moves, labels = part_moves(source, target), np.zeros_like(self.labels)
        for n, carrier in enumerate(self.carriers, 1):
            mask = (self.labels == n).astype(np.uint8)
            move = moves.get(PARTS[self._part(n, carrier, source)])
            labels[(mask if move is None else move.into(0, 0, (width, height))(mask, labels=True)) > 0] = n
        return Held(labels, self.carriers)

    def _part(self, n: int, carrier: Carrier, pose: np.ndarray) -> int:
        side = carrier.removesuffix("_hand")
        if carrier == "stays" or not _has_arm(pose, side):
            return _BODY
        ys, xs = np.nonzero(self.labels == n)
        wrist = pose[BONES[f"{side}_forearm"][1], :2]
        reach = float(np.hypot(xs - wrist[0], ys - wrist[1]).max()) if len(xs) else 0.0
        turns = reach < _TURNS * arm_length(pose, f"{side}_forearm")
        return PARTS.index(f"{side}_forearm" if turns else f"{side}_held")

    def resized(self, size: tuple[int, int]) -> "Held":
        """The same in a photo of another ``size`` (W, H)."""

        def small(labels: np.ndarray) -> np.ndarray:
            return cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT)

        return self._replace(labels=small(self.labels), below=None if self.below is None else small(self.below))

    def part(self, window: tuple[slice, slice]) -> "Held":
        """The same in a part of the photo, rows and columns."""
        return self._replace(labels=self.labels[window], below=None if self.below is None else self.below[window])

    def padded(self, margins: Sequence[tuple[int, int]]) -> "Held":
        """The same in a photo with so many rows and columns more, ((above, below), (left, right))."""
        below = None if self.below is None else np.pad(self.below, margins)
        return self._replace(labels=np.pad(self.labels, margins), below=below)

    def over(self, parsing: np.ndarray) -> "Held":
        """The same, knowing the regions (H, W) of the body below."""
        below = np.where(self.labels > 0, parsing, np.uint8(0))
        return self._replace(below=below if below.any() else None)

    def meeting(self, parsing: np.ndarray, scale: float) -> "Held":
        """The same, without slits of background between a thing and the body (H, W, regions): when that moves, what
        lies behind both would shine through. ``scale``: frame pixels per pixel."""
        radius = max(1, round(_SLIT / 2 / scale))
        window = window_of(self.labels > 0, margin=3 * radius)
        if window is None:
            return self
        labels, body = self.labels[window], parsing[window] > 0
        there = (labels > 0) | body
        kernel = np.ones((2 * radius + 1,) * 2, np.uint8)
        closed = cv2.morphologyEx(there.view(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
        grown = cv2.dilate(labels, kernel)
        ys, xs = np.nonzero(closed & ~there & (grown > 0) & (cv2.dilate(body.view(np.uint8), kernel) > 0))
        if not len(ys):
            return self
        made = self.labels.copy()
        made[window][ys, xs] = grown[ys, xs]
        return self._replace(labels=made)

    def without(self, parsing: np.ndarray) -> np.ndarray:
        """A map (H, W) of regions with background where a thing is."""
        return np.where(self.labels > 0, np.uint8(0), parsing)

    def uncovered(self, parsing: np.ndarray) -> np.ndarray:
        """The map (H, W) of regions as it is if there are no things, of one that has background there."""
        return parsing if self.below is None else np.where(self.labels > 0, self.below, parsing)

    def origin(self, before: "Held") -> list[int]:
        """For each thing which of ``before``, in the same photo, it has the most in common with; -1 for a new one."""
        out = []
        for n in range(1, len(self.carriers) + 1):
            shared = np.zeros(1, int)
            if before.carriers:
                shared = np.bincount(before.labels[self.labels == n], minlength=2)[1:]
            out.append(int(shared.argmax()) if shared.any() else -1)
        return out

    def with_carriers(self, carriers: Sequence[str]) -> "Held":
        """The same things going with something else.

        Raises:
            InputError: if they are not as many as the things, or none of ``CARRIERS``.
        """
        wanted: tuple[Carrier, ...] = tuple(one for word in carriers for one in CARRIERS if one == word)
        if not len(wanted) == len(carriers) == len(self.carriers):
            raise InputError(
                f"{len(self.carriers)} held things go each with one of {', '.join(CARRIERS)}; "
                f"{', '.join(map(str, carriers)) or 'nothing'} was given"
            )
        return self._replace(carriers=wanted)


#: What somebody with free hands holds.
NOTHING = Held(np.zeros((1, 1), np.uint8), ())


def find_held(
    photo: np.ndarray, sureness: np.ndarray, probabilities: np.ndarray, framing: Framing, pose: np.ndarray
) -> Held | None:
    """The things that the analyzer sees; None if there are none.

    Args:
        photo: (H, W, 3) uint8.
        sureness: (256, 176) float32 in [0, 1], how sure it is of a held thing.
        probabilities: (8, 256, 176) float32, of the regions.
        framing: of the frame in the photo.
        pose: (18, 3) in pixels of the photo.
    """
    counts = (probabilities[0] > _NO_BODY) | (sureness > _NOT_CLOTHES)
    likely = np.where(counts, sureness, 0).astype(np.float32)
    if likely.max() < SURE:
        return None
    height, width = likely.shape
    fine = framing.finer(_FINER)
    colours, wall = fine.crop(photo, 127).astype(np.int16), probabilities[0] > _NO_BODY
    wall = cv2.resize(wall.astype(np.uint8), colours.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    likely = cv2.resize(likely, (round(width * _FINER), round(height * _FINER)), interpolation=cv2.INTER_LINEAR)
    there = likely > _LIKELY
    _, pieces = cv2.connectedComponents(grow(there, _APART * _FINER / 2).astype(np.uint8))
    pieces[~there] = 0
    sizes = np.bincount(pieces.ravel())
    sure = np.bincount(pieces.ravel(), likely.ravel() > SURE)
    kept = [n for n in np.argsort(-sizes[1:], kind="stable") + 1 if sure[n] >= 0.3 * _LEAST * _FINER**2]
    kept = [n for n in kept if sizes[n] >= _LEAST * _FINER**2]
    means = np.bincount(pieces.ravel(), likely.ravel()) / np.maximum(sizes, 1)
    kept = [n for n in kept if means[n] > _CERTAIN or not _like_the_wall(colours, pieces == n, wall & ~there)][:MOST]
    if not kept:
        return None
    table = np.zeros(len(sizes), np.uint8)
    table[kept] = np.arange(1, len(kept) + 1)
    found = table[np.asarray(pieces, np.intp)]
    own = cv2.resize(probabilities[_OWN].max(0), found.shape[::-1], interpolation=cv2.INTER_LINEAR) > _NO_BODY
    picture = colours.astype(np.uint8)
    for n in range(1, len(kept) + 1):
        found[remains_of(picture, found == n, _FINER) & (found == 0) & ~own] = n
    labels = _along_edges(found, own, picture, fine)
    left = [n for n in range(1, len(kept) + 1) if (labels == n).any()]
    if not left:
        return None
    order = np.zeros(256, np.uint8)
    order[left] = np.arange(1, len(left) + 1)
    # What lies on the body may be a piece of its clothes: that hangs from no hand.
    beside = [bool(wall[found == n].mean() > 0.5) for n in left]
    return carried_by(order[labels], pose, beside)


def _along_edges(found: np.ndarray, own: np.ndarray, picture: np.ndarray, fine: Framing) -> np.ndarray:
    """Things at the photo's size, (H, W) uint8, along the photo's edges rather than in steps of the working grid's.

    Args:
        found: (h, w) uint8 in the working grid, their numbers.
        own: (h, w) bool, what is never taken for a thing's edge.
        picture: (h, w, 3) uint8.
        fine: the working grid in the photo.
    """
    planes = []
    for n in range(1, int(found.max()) + 1):
        thing = (found == n).astype(np.float32)
        band = grow(found == n, _FOLLOWED * _FINER) & grow(found != n, _FOLLOWED * _FINER)
        rough = smooth(thing, _ROUGH * _FINER)
        followed = np.clip(guided_filter(picture, rough, _WINDOW * _FINER, _EPS, band), 0, 1)
        planes.append(np.where(own & (found != n), np.float32(0), followed))
    nothing = 1 - np.maximum.reduce(planes)
    return fine.paste_most_probable(np.stack([nothing, *planes]).astype(np.float32))


def _like_the_wall(colours: np.ndarray, mask: np.ndarray, wall: np.ndarray) -> bool:
    """Whether a thing looks like the background beside it, so that nothing is there, or nobody sees that it stays.

    Args:
        colours: (h, w, 3) int16, in the working grid.
        mask: (h, w) bool, the thing.
        wall: (h, w) bool, background.
    """
    beside = colours[grow(mask, _BESIDE * _FINER) & wall]
    if len(beside) < _LEAST:
        return False
    beside = beside[:: max(1, len(beside) // 300)]
    own = colours[mask]
    own = own[:: max(1, len(own) // 300)]
    alike = (np.abs(own[:, None] - beside[None]).mean(2) <= _ALIKE).mean(1) >= _COMMON
    return bool(alike.mean() > 0.5)


def checked_held(labels: np.ndarray, size: tuple[int, int], pose: np.ndarray) -> Held | None:
    """The things that a map (H, W) shows: 0 for nothing, a number from 1 on for each thing, in any order.

    Args:
        labels: integers or bool.
        size: (H, W) that it must have.
        pose: (18, 3) in the same pixels.

    Raises:
        InputError: if it is no such map, or shows too many things.
    """
    labels = np.asarray(labels)
    if labels.shape != tuple(size) or labels.dtype.kind not in "iub":
        raise InputError(f"a map of what is held is an array {tuple(size)} of whole numbers, 0 where there is nothing")
    found = np.unique(labels)
    found = found[found != 0]
    if len(found) > MOST or (len(found) and found.min() < 0):
        raise InputError(f"a map of what is held numbers {MOST} things at most, from 1 on")
    if not len(found):
        return None
    return carried_by((np.searchsorted(found, labels) + 1).astype(np.uint8) * (labels != 0), pose)


def carried_by(labels: np.ndarray, pose: np.ndarray, hanging: Sequence[bool] = ()) -> Held:
    """What each thing (H, W uint8, numbered from 1 on) probably goes with: the hand or forearm that it touches, unless
    it hangs from a shoulder, or the hand that it hangs below; ``hanging``: which may do so, by default all."""
    count = int(labels.max())
    may = hanging or [True] * count
    carriers: list[Carrier] = [_carrier(labels == n, pose, may[n - 1]) for n in range(1, count + 1)]
    return Held(labels.astype(np.uint8), tuple(carriers))


def painted(
    held: Held | None, marks: np.ndarray, parsing: np.ndarray, pose: np.ndarray, scale: float
) -> tuple[Held | None, np.ndarray]:
    """What somebody holds by what was painted, and the map of regions that goes with it.

    What touches a thing becomes part of it, all else that is new is a thing of its own for each piece; a thing that
    nothing is left of is none. What a thing goes with stays as it was.

    Args:
        held: what was found.
        marks: (H, W) uint8, 1 where a thing is, 0 where there is none, another value where that stays as found.
        parsing: (H, W) uint8, the person's regions, with background where something is held.
        pose: (18, 3) in the same pixels.
        scale: pixels of the frame per pixel.

    Raises:
        InputError: if these would be too many things.
    """
    bare = parsing if held is None else held.uncovered(parsing)
    labels = np.zeros(marks.shape, np.uint8) if held is None else np.where(marks == 0, np.uint8(0), held.labels)
    new = (marks == 1) & (labels == 0)
    reach = max(1.5, _APART / scale / 2)
    count, pieces = cv2.connectedComponents(grow(new, reach).astype(np.uint8))
    carriers: list[Carrier] = [] if held is None else list(held.carriers)
    old = labels.copy()
    for n in range(1, count):
        piece = pieces == n
        touched = np.bincount(old[grow(piece, reach)], minlength=1)[1:]
        if touched.any():
            labels[piece & new] = touched.argmax() + 1
        else:
            if len(carriers) == MOST:
                raise InputError(f"somebody holds {MOST} things at most; erase one first, or paint on to another")
            carriers.append(_carrier(piece & new, pose))
            labels[piece & new] = len(carriers)
    left = [n for n in range(1, len(carriers) + 1) if (labels == n).any()]
    if not left:
        return None, bare
    order = np.zeros(256, np.uint8)
    order[left] = np.arange(1, len(left) + 1)
    things = Held(order[labels], tuple(carriers[n - 1] for n in left)).over(bare)
    return things, things.without(bare)


def _carrier(mask: np.ndarray, pose: np.ndarray, hanging: bool = True) -> Carrier:
    away = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
    there, near, hangs = visible(pose), {}, {}
    for side in ("left", "right"):
        if not _has_arm(pose, side):
            continue
        length = arm_length(pose, f"{side}_forearm")
        elbow, wrist = (pose[joint, :2] for joint in BONES[f"{side}_forearm"])
        if any(there[joint] and _at(away, pose[joint, :2]) < _FROM_SHOULDER * length for joint in SHOULDERS):
            continue
        # From the middle of the forearm to the fingers.
        points = [elbow + share * (wrist - elbow) for share in np.linspace(0.4, 1.35, 9)]
        near[side] = min(_at(away, point) for point in points) / length
        hangs[side] = hanging and near[side] < _HANGS and _hangs_below(mask, points[-1], _PLUMB * length)
    near = {side: away for side, away in near.items() if away <= _IN_HAND or hangs[side]}
    if not near:
        return "stays"
    return "left_hand" if min(near, key=lambda side: near[side]) == "left" else "right_hand"


def _hangs_below(mask: np.ndarray, hand: np.ndarray, aside: float) -> bool:
    """Whether a thing lies wholly below a hand (x, y), and what is highest of it no farther to a side than ``aside``:
    handles are thin, and found least."""
    ys, xs = np.nonzero(mask)
    if not len(xs) or ys.min() <= hand[1]:
        return False
    top = xs[ys <= ys.min() + _TOP * (ys.max() - ys.min())]
    return bool(top.min() - aside < hand[0] < top.max() + aside)


def _at(values: np.ndarray, point: np.ndarray) -> float:
    """The value at a point (x, y), or at the picture's edge nearest to it."""
    x, y = np.clip(np.floor(point), 0, np.array(values.shape[::-1]) - 1).astype(int)
    return float(values[y, x])


def _has_arm(pose: np.ndarray, side: str) -> bool:
    return bool(visible(pose)[[*BONES[f"{side}_upper_arm"], *BONES[f"{side}_forearm"]]].all())


def moved_held(parts: np.ndarray, source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Where things are when their person moves: (H, W) int8 as ``parts``.

    Args:
        parts: (H, W) int8, from :meth:`Held.parts`.
        source: pose (18, 3) in the same pixels.
        target: the wanted pose.
    """
    height, width = parts.shape
    moves, out = part_moves(source, target), np.full_like(parts, -1)
    for index in np.unique(parts[parts >= 0]).tolist():
        mask = (parts == index).astype(np.uint8)
        move = moves.get(PARTS[index])
        moved = mask if move is None else move.into(0, 0, (width, height))(mask, labels=True)
        out[moved > 0] = index
    return out
