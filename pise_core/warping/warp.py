"""Warping: each part of a person is moved to the wanted pose with its real pixels.

:mod:`pise_core.warping.parts` says what belongs to which part, :mod:`pise_core.warping.part_transforms` where the parts
go. They are laid over one another in a fixed depth order: legs, skirt, torso, head, arms. The same code serves any
resolution.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import grow, overlap, window_of
from pise_core.skeleton import BONES
from pise_core.warping.crossed_legs import shared
from pise_core.warping.hidden_arms import stand_ins
from pise_core.warping.limb_rims import Veil, rim_of_limb, veil_of
from pise_core.warping.part_transforms import Move, bounds, part_moves, still
from pise_core.warping.parts import PARTS, WITH_OVERLAP, among, overlap_disc, part_boxes, with_overlap
from pise_core.warping.sleeves import below_hair, lacking, most_added

Window = tuple[slice, slice]
EVERYWHERE: Window = slice(None), slice(None)
#: x0, y0, x1, y1 in whole pixels.
Box = tuple[int, int, int, int]

#: A share that is 1, but for what interpolation rounds.
WHOLE = 1 - 1e-5
#: Where less is believed there are no colours.
NOTHING = 1e-3
#: For each limb the part that it may move away from.
_BESIDE = {part: "torso" for part in BONES if "arm" in part} | {
    f"{side}_{part}": f"{other}_{part}"
    for side, other in (("left", "right"), ("right", "left"))
    for part in ("thigh", "shin")
}


class Behind(NamedTuple):
    """What lies behind some parts, finished (:mod:`pise_core.finishing`).

    Attributes:
        front: the parts that hide it, indices into ``PARTS``.
        back: the parts that it may be a piece of.
        window: rows and columns that the arrays are about.
        image: (h, w, 3) uint8, the finished layers; meaningful where ``belief`` is above 0.
        parsing: (h, w) uint8, their regions; 0 where the background is next.
        owner: (h, w) int8, which part each pixel belongs to, also a little beyond the layers' edge; -1 elsewhere.
        belief: (h, w) uint8, how far the colours are believed, of 255; also beyond the edge.
    """

    front: tuple[int, ...]
    back: tuple[int, ...]
    window: Window
    image: np.ndarray
    parsing: np.ndarray
    owner: np.ndarray
    belief: np.ndarray

    def part(self, window: Window) -> "Behind | None":
        """The same in pixels of a part of the picture; None where nothing of it lies there."""
        mine, there = [], []
        for own, whole in zip(self.window, window, strict=True):
            low, high = max(own.start, whole.start), min(own.stop, whole.stop)
            if low >= high:
                return None
            mine.append(slice(low - own.start, high - own.start))
            there.append(slice(low - whole.start, high - whole.start))
        arrays = (array[mine[0], mine[1]] for array in self[3:])
        return Behind(self.front, self.back, (there[0], there[1]), *arrays)


class Staying(NamedTuple):
    """The parts that stay, as they lie below those that move."""

    image: np.ndarray  # (h, w, 3) uint8; meaningful where trust > 0
    parsing: np.ndarray  # (h, w) uint8
    trust: np.ndarray  # (h, w) float32


class Carried(NamedTuple):
    """A person moved part by part, on the wanted canvas."""

    image: np.ndarray  # (H, W, 3) uint8; meaningful where trust > 0
    parsing: np.ndarray  # (H, W) uint8; 0 where nothing was carried
    trust: np.ndarray  # (H, W) float32: 1 where a source pixel arrived that can be believed, 0 elsewhere, soft at edges
    lifted: np.ndarray  # (H, W) bool: where a part was that changed its place, and a rim about it
    landed: np.ndarray  # (H, W) bool: where such a part is now
    cover: np.ndarray | None = None  # (h, w) float32 in [0, 1]: the moved parts' share of each pixel; None: not known
    staying: Staying | None = None  # what stays, where the layers behind what moved are known; the same all around
    about: Window = EVERYWHERE  # the rows and columns that cover and what stays are about: moved parts are nowhere else

    def known(self, source: np.ndarray) -> np.ndarray:
        """(H, W) bool: where the carried map can be believed, given the map it was carried from.

        That is where something arrived, and where background was and still is. What the person uncovered is unknown.
        """
        return (self.parsing > 0) | ((source == 0) & ~self.landed)

    @property
    def parsing_below(self) -> np.ndarray:
        """(H, W) uint8, the map of what stays, where that is known."""
        assert self.staying is not None
        below = self.parsing.copy()
        below[self.about] = self.staying.parsing
        return below

    def uncovered(self) -> "Carried":
        """What stays alone, where that is known, in the arrays of this one, which are the caller's own."""
        if self.staying is not None:
            for whole, below in zip(self[:3], self.staying, strict=True):
                whole[self.about] = below
        return self


def reach_of(owner: np.ndarray, source: np.ndarray, target: np.ndarray) -> tuple[slice, slice] | None:
    """Rows and columns about all pixels that :func:`carry` on the image's own canvas lifts, looks at or lands on;
    None when every part stays."""
    boxes, own = [], part_boxes(owner)
    moves = part_moves(source, target)
    drawn = [(PARTS.index(part), move) for part, move in moves.items()]
    for index, move in [*drawn, *stand_ins(owner, source, target, moves).values()]:
        part, box = PARTS[index], own[index]
        if box is None or still(move, box):
            continue
        low, high = _with_overlap_box(part, np.array(box[:2]) - 1, np.array(box[2:]) + 1, source)
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
    share: np.ndarray | None = None,
    behind: Sequence[Behind] | None = None,
    held: np.ndarray | None = None,
) -> Carried:
    """Move every part to the wanted pose; a part that stays keeps its pixels bit for bit.

    Args:
        image: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        owner: (H, W) from ``assign_parts``.
        source: pose (18, 3) in the image's pixels.
        target: pose (18, 3) in the canvas's pixels.
        canvas: (H, W) to draw on; without it the image's own size. Another person's canvas lets nothing stay.
        rim: of so many pixels at the silhouette of a moved part the colours are not believed, neither there (the
            background shines through) nor where it was lifted off (its edge shines through). Their labels are.
        order: indices into ``PARTS`` from the farthest part to the nearest.
        share: (H, W) float32 in [0, 1], the person's share of each pixel, where it is known. ``image`` then holds the
            person's own colours, up to where the share is 0, and ``owner`` says there whose they are.
        behind: the finished layers behind what moves. They show where it was, within ``rim`` about it too, and go
            along with the parts that they are pieces of.
        held: (H, W) bool, what is held: whole where it stays, whatever moves beside it.
    """
    size = canvas or owner.shape
    cast = Cast.of(owner, source, target, canvas is None, order, behind or ())
    cutting = Cutting(image, parsing, owner, source, cast.roles, rim, share, behind or (), held)
    out, labels, trust = np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8), np.zeros(size, np.float32)
    lifted = cutting.lifted if canvas is None else np.zeros(size, bool)
    landed, stayed = np.zeros(size, bool), None
    about = _about(cutting, cast, size)
    (top, left), over = (about[0].start, about[1].start), np.zeros(landed[about].shape, np.float32)
    if behind is not None:
        # Where nothing lands the parts that stay are all there is: drawn once more below, they come out the same.
        everywhere = cutting.stay(Staying(out, labels, trust))
        stayed = Staying(*(layer[about].copy() for layer in everywhere))
        for layer in everywhere:
            layer[about] = 0
    for role in cast.roles:
        if role.stays:
            laid = cutting.leave(Staying(out, labels, trust), role.part, None if stayed is None else about)
            both = None if laid is None else overlap(about, laid[0])
            if laid is not None and both is not None:
                # Only a limb that was drawn earlier can lie here already: this part covers it.
                (window, own), covered = laid, over[both[1]]
                own = own[both[0]]
                if covered.any():
                    covered[own] = 0 if share is None else covered[own] * (1 - share[window][both[0]][own])
            continue
        piece, move = cutting.piece(role), cast.moves[role.part]
        if piece is None:
            continue
        landing = landing_of(piece.box, move, size)
        if landing is None:
            continue
        x0, y0, x1, y1 = landing
        moved = move.into(x0, y0, (x1 - x0, y1 - y0), piece.box[:2])
        cover = moved(piece.cover)
        alpha = moved(piece.believed) if cutting.believed else cover
        window = slice(y0, y1), slice(x0, x1)
        # Colours are taken from the whole image: the soft edge of the mask must not mix in black.
        colours = moved(piece.image, border=cv2.BORDER_REPLICATE)
        regions = moved(piece.parsing * piece.mask, labels=True)
        if piece.veil is not None:
            joined = piece.veil.joined[labels[window], regions]
            seen = np.where(joined, moved(piece.veil.seen, border=cv2.BORDER_REPLICATE), np.float32(1))
            cover, alpha = cover * seen, alpha * seen
        # Most of a part covers all that is below it.
        whole = (cover > WHOLE) & (alpha > WHOLE)
        np.copyto(labels[window], regions, where=(cover > 0.5) & (regions > 0))
        cv2.copyTo(colours, whole.view(np.uint8), out[window])
        ys, xs = np.nonzero((cover > 0) & ~whole)
        share_here, believed_here, under = cover[ys, xs], alpha[ys, xs], trust[window][ys, xs]
        total = believed_here + under * (1 - share_here)
        upper = np.divide(believed_here, total, out=np.zeros_like(total), where=total > NOTHING)[:, None]
        mixed = colours[ys, xs] * upper + out[window][ys, xs] * (1 - upper)
        out[window][ys, xs] = np.rint(mixed).astype(np.uint8)
        trust[window][whole], trust[window][ys, xs] = 1, total
        above = over[y0 - top : y1 - top, x0 - left : x1 - left]
        above[ys, xs] = share_here + above[ys, xs] * (1 - share_here)
        above[whole] = 1
        landed[window] |= cover > 0
    return Carried(out, labels, trust, lifted, landed, over, stayed, about)


def _about(cutting: "Cutting", cast: "Cast", size: tuple[int, int]) -> Window:
    """Rows and columns about all that moved parts can land on."""
    boxes = [(cutting.box(role), cast.moves[role.part]) for role in cast.roles if not role.stays]
    found = [landing_of(box, move, size) for box, move in boxes if box is not None]
    landings = np.array([landing for landing in found if landing is not None])
    if not len(landings):
        return slice(0, 0), slice(0, 0)
    (x0, y0), (x1, y1) = landings[:, :2].min(0).tolist(), landings[:, 2:].max(0).tolist()
    return slice(y0, y1), slice(x0, x1)


def _clipped(one: slice, other: slice) -> slice:
    """Where both are; empty where that is nowhere."""
    start = max(one.start, other.start)
    return slice(start, max(start, min(one.stop, other.stop)))


class Role(NamedTuple):
    """What a part does on the way to a pose; of ``PARTS`` and of the layers behind, all by index.

    Attributes:
        part: whose turn it is.
        stays: whether it keeps its pixels.
        shown: whose pixels are shown: its own, or those of the other side's limb.
        uncovered: the layers that it takes pieces of along.
        whole: whether a limb gets an edge where something was beside it, and an arm what
            :mod:`pise_core.warping.sleeves` says that it lacks.
    """

    part: int
    stays: bool
    shown: int
    uncovered: tuple[int, ...] = ()
    whole: bool = False


class Cast(NamedTuple):
    """The parts in drawing order, and where those go that move. Poses of the same roles differ in the moves alone: what
    is cut out of the picture for them is the same."""

    roles: tuple[Role, ...]
    moves: dict[int, Move]  # by index of the part

    @classmethod
    def of(
        cls,
        owner: np.ndarray,
        source: np.ndarray,
        target: np.ndarray,
        stay: bool,
        order: Sequence[int] = range(len(PARTS)),
        behind: Sequence[Behind] = (),
    ) -> "Cast":
        """From one pose to another, both (18, 3); ``stay``: whether parts may stay, as on the image's own canvas; the
        other arguments as for :func:`carry`."""
        moves, boxes = part_moves(source, target), part_boxes(owner)
        instead = stand_ins(owner, source, target, moves) if stay else {}
        roles, taken = [], {}
        for index in order:
            part, box = PARTS[index], boxes[index]
            if stay and index not in instead and (part not in moves or still(moves[part], box)):
                roles.append(Role(index, True, index))
            elif part in moves:
                shown = tuple(
                    number
                    for number, layers in enumerate(behind)
                    if index in layers.back and not _along_with(moves, index, layers, box)
                )
                # Beside a torso or a leg that it moves away from, a limb is seen whole.
                beside = _BESIDE.get(part)
                apart = stay and beside is not None and not _alike(moves[part], moves.get(beside), box)
                source_part, taken[index] = instead.get(index, (index, moves[part]))
                roles.append(Role(index, False, source_part, shown, apart or index in instead))
        return cls(tuple(roles), taken)


class Cutting:
    """What is cut out of a picture for a cast of roles; arguments as for :func:`carry`.

    Attributes:
        boxes: about the pixels of each part.
        lifted: (H, W) bool, where parts were that move, and a rim about them.
        believed: whether colours are believed in a part's core alone.
    """

    def __init__(
        self,
        image: np.ndarray,
        parsing: np.ndarray,
        owner: np.ndarray,
        source: np.ndarray,
        roles: Sequence[Role],
        rim: int = 0,
        share: np.ndarray | None = None,
        behind: Sequence[Behind] = (),
        held: np.ndarray | None = None,
    ) -> None:
        self._picture, self._source, self._share = (image, parsing, owner), source, share
        self.boxes = part_boxes(owner)
        self._rim, self._staying = rim, [role.part for role in roles if role.stays]
        lifted = among(owner, [i for i in range(len(PARTS)) if i not in self._staying])
        self._hidden = [Hidden.below(one, lifted & among(owner, one.front), rim) for one in behind]
        self.lifted = grow(lifted, rim) if rim else lifted
        if held is not None:
            self.lifted &= ~(held & among(owner, self._staying))
        self.believed = share is None and rim > 0
        self._core = (~grow(parsing == 0, rim) if self.believed else parsing > 0).astype(np.uint8)

    def stay(self, to: Staying) -> Staying:
        """All parts that stay, laid into ``to``."""
        for index in self._staying:
            self.leave(to, index)
        return to

    def leave(self, to: Staying, index: int, within: Window | None = None) -> tuple[Window, np.ndarray] | None:
        """One part that stays, laid into ``to``: about which rows and columns, and (h, w) bool, where in there it is.
        Of its own pixels those ``within`` a window are enough where all of it was laid before."""
        box = self.boxes[index]
        window = None if box is None else (slice(box[1], box[3]), slice(box[0], box[2]))
        if window is not None and within is not None:
            window = _clipped(window[0], within[0]), _clipped(window[1], within[1])
        return _leave(to, index, *self._picture, window, self.lifted, self._hidden)

    def box(self, role: Role) -> Box | None:
        """About what a part that moves takes along; None where that is nothing."""
        layers = [self._hidden[number].layers.window for number in role.uncovered]
        return _box_of_piece(role.shown, self.boxes[role.shown], layers, self._source, self._picture[2].shape)

    def piece(self, role: Role) -> "Piece | None":
        """What a part that moves takes along; None where that is nothing."""
        shown = [self._hidden[number] for number in role.uncovered]
        box, core = self.boxes[role.shown], self._core
        return cut_piece(role.shown, *self._picture, box, core, self._share, self._source, shown, role.whole, self._rim)


def _with_overlap_box(part: str, low: np.ndarray, high: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (x, y) about a part and all that is drawn with it, given those about its pixels."""
    if part not in WITH_OVERLAP:
        return low, high
    centre, radius = overlap_disc(part, pose)
    low, high = np.minimum(low, centre - radius - 1), np.maximum(high, centre + radius + 1)
    if "arm" in part:
        ends, most = pose[list(BONES[part]), :2], most_added(part, pose) + 1
        low = np.minimum(low, np.floor(ends.min(0) - most)).astype(int)
        high = np.maximum(high, np.ceil(ends.max(0) + most)).astype(int)
    return low, high


class Hidden(NamedTuple):
    """What lies behind parts, and where these are taken away."""

    layers: Behind
    about: tuple[Window, np.ndarray] | None  # a window, and where in it these parts and a rim about them were

    @classmethod
    def below(cls, layers: Behind, gone: np.ndarray, rim: int) -> "Hidden":
        """``gone``: (H, W) bool, the parts in front that are taken away; ``rim`` about them nothing is believed."""
        window = window_of(gone, margin=rim + 1)
        if window is None:
            return cls(layers, None)
        return cls(layers, (window, grow(gone[window], rim) if rim else gone[window]))


class Piece(NamedTuple):
    """One part, cut out of the image."""

    box: Box  # x0, y0, x1, y1
    image: np.ndarray
    parsing: np.ndarray
    mask: np.ndarray  # uint8, 0 or 1
    core: np.ndarray
    share: np.ndarray | None
    veil: Veil | None = None  # how it goes on into what it hangs on; None: it is seen wholly

    @property
    def cover(self) -> np.ndarray:
        """(h, w) float32: how much of each pixel is the part's."""
        return self.mask.astype(np.float32) if self.share is None else self.mask * self.share

    @property
    def believed(self) -> np.ndarray:
        """(h, w) float32: where its colours are believed."""
        return (self.mask & self.core).astype(np.float32)


def _leave(
    to: Staying, index: int, image, parsing, owner, window: Window | None, lifted: np.ndarray, hidden: list[Hidden]
) -> tuple[Window, np.ndarray] | None:
    """A part that stays, as far as it lies in a window, and what shows of it where others were lifted off; the window,
    and (h, w) bool, where in there it is."""
    if window is None:
        return None
    own = owner[window] == index
    here = own & ~lifted[window]
    trust = to.trust[window]
    if own.size:
        np.copyto(to.parsing[window], parsing[window], where=own)
        np.copyto(trust, np.float32(0), where=own)
        np.copyto(trust, np.float32(1), where=here)
        cv2.copyTo(image[window], here.view(np.uint8), to.image[window])
    for layers, about in hidden:
        if about is None or index not in layers.back:
            continue
        around, gone = about
        np.copyto(to.parsing[around], np.uint8(0), where=gone & (owner[around] == index))
        ys, xs = np.nonzero(layers.owner == index)
        ys, xs = ys + layers.window[0].start, xs + layers.window[1].start
        seen = _at(about, ys, xs)
        ys, xs = ys[seen], xs[seen]
        y, x = ys - layers.window[0].start, xs - layers.window[1].start
        to.parsing[ys, xs], to.image[ys, xs] = layers.parsing[y, x], layers.image[y, x]
        to.trust[ys, xs] = layers.belief[y, x] / np.float32(255)
    return window, own


def _at(about: tuple[Window, np.ndarray], ys: np.ndarray, xs: np.ndarray) -> np.ndarray:
    """(N,) bool: which of some pixels of the image are set."""
    (rows, columns), mask = about
    inside = (ys >= rows.start) & (ys < rows.stop) & (xs >= columns.start) & (xs < columns.stop)
    found = np.zeros(len(ys), bool)
    found[inside] = mask[ys[inside] - rows.start, xs[inside] - columns.start]
    return found


def _box_of_piece(
    index: int, box: Box | None, uncovered: Sequence[Window], pose: np.ndarray, size: tuple[int, ...]
) -> Box | None:
    """About a part with its overlap, and with layers that it takes along; other arguments as for :func:`cut_piece`."""
    if box is None:
        return None
    low, high = np.array(box[:2]), np.array(box[2:])
    for rows, columns in uncovered:
        low, high = np.minimum(low, [columns.start, rows.start]), np.maximum(high, [columns.stop, rows.stop])
    low, high = _with_overlap_box(PARTS[index], low, high, pose)
    low, high = np.maximum(low - 2, 0), np.minimum(high + 2, size[::-1])
    x0, y0, x1, y1 = (int(v) for v in (*low, *high))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def cut_piece(
    index: int,
    image,
    parsing,
    owner: np.ndarray,
    box: Box | None,
    core,
    share,
    pose: np.ndarray,
    uncovered: Sequence[Hidden] = (),
    whole: bool = False,
    rim: int = 0,
) -> Piece | None:
    """A part with its overlap, and with what is finished of it behind parts that are taken away.

    Args:
        index: of the part in ``PARTS``.
        image, parsing, owner, share, pose: as for :func:`carry`; all of (H, W).
        box: about the part, of ``part_boxes``.
        core: (H, W) uint8, 1 where its colours are believed.
        uncovered: layers behind other parts, that this part belongs to.
        whole: whether a limb gets an edge where something was beside it, and an arm what
            :mod:`pise_core.warping.sleeves` says that it lacks.
        rim: so many pixels at a limb's edge beside other parts have their colours.
    """
    part = PARTS[index]
    around = _box_of_piece(index, box, [layers.window for layers, _ in uncovered], pose, owner.shape)
    if around is None:
        return None
    x0, y0, x1, y1 = around
    here = slice(y0, y1), slice(x0, x1)
    image, parsing, core = image[here], parsing[here], core[here]
    mask = (owner[here] == index).view(np.uint8)
    share = None if share is None else share[here]
    if uncovered:
        image, parsing, core = image.copy(), parsing.copy(), core.copy()
        share = None if share is None else share.copy()
    for layers, about in uncovered:
        if about is not None:
            ys, xs = np.nonzero(about[1])
            ys, xs = ys + about[0][0].start - y0, xs + about[0][1].start - x0
            inside = (ys >= 0) & (ys < y1 - y0) & (xs >= 0) & (xs < x1 - x0)
            mask[ys[inside], xs[inside]] = 0
        ys, xs = np.nonzero(layers.owner == index)
        top, left = layers.window[0].start - y0, layers.window[1].start - x0
        image[ys + top, xs + left] = layers.image[ys, xs]
        inside = layers.parsing[ys, xs] > 0
        ys, xs = ys[inside], xs[inside]
        mask[ys + top, xs + left], core[ys + top, xs + left] = 1, 1
        parsing[ys + top, xs + left] = layers.parsing[ys, xs]
        if share is not None:
            share[ys + top, xs + left] = 1
    if not mask.any():
        return None
    shifted = pose - np.array([x0, y0, 0], np.float32)
    both = shared(mask, part, owner[here], shifted)
    if both is not None:
        mask = np.where(both, np.uint8(1), mask)
    edge = None
    if whole:
        image, parsing, core, mask = image.copy(), parsing.copy(), core.copy(), mask.copy()
        share = None if share is None else share.copy()
        found = [lacking(index, mask, owner[here], parsing, shifted)] if "arm" in part else []
        if part.endswith("upper_arm"):
            found.append(below_hair(index, mask, parsing, shifted))
        for added in (one for one in found if one is not None):
            to, source = (added.ys, added.xs), (added.from_ys, added.from_xs)
            image[to], parsing[to] = image[source], parsing[source]
            mask[to] = core[to] = 1
            if share is not None:
                share[to] = 1
        if share is not None and rim:
            edge = rim_of_limb(index, mask, owner[here], rim, shifted)
        if share is not None and edge is not None:
            to, source = (edge.ys, edge.xs), (edge.from_ys, edge.from_xs)
            image[to], parsing[to] = image[source], parsing[source]
            mask[to] = core[to] = 1
            share[to] = np.minimum(share[to], edge.share)
    mask = with_overlap(mask, index, part, parsing, owner[here], shifted, joined=edge is None)
    veil = veil_of(index, mask.shape, shifted) if whole else None
    return Piece((x0, y0, x1, y1), image, parsing, mask, core, share, veil)


def _along_with(moves: dict[str, Move], index: int, layers: Behind, box: Box | None) -> bool:
    """Whether a part and all that hides some of it move alike, so that nothing is uncovered."""
    return all(_alike(moves[PARTS[index]], moves.get(PARTS[i]), box) for i in layers.front)


def _alike(first: Move, second: Move | None, box: Box | None) -> bool:
    """Whether two moves shift everything in a box alike; None is that of a part that stays."""
    if box is None:
        return True
    points = np.array([[x, y] for x in box[::2] for y in (box[1], (box[1] + box[3]) / 2, box[3])], np.float64)
    return bool(np.abs(first.points(points) - (points if second is None else second.points(points))).max() < 0.05)


def landing_of(box: Box, move: Move, size: tuple[int, int]) -> Box | None:
    """Where the moved box can lie, clipped to the image; None when it leaves it."""
    low, high = bounds(move, box)
    x0, y0 = np.maximum(np.floor(low) - 2, 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high) + 2, size[::-1]).astype(int)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else None
