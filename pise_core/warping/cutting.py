"""Parts of a person, cut out of the picture: what a part that moves takes along, and what those that stay leave."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import Window, grow, window_of
from pise_core.skeleton import BONES
from pise_core.warping.behind import Behind, Box
from pise_core.warping.cast import Role
from pise_core.warping.crossed_legs import shared
from pise_core.warping.crotch import CROTCH, Between, between_thighs
from pise_core.warping.limb_rims import Veil, rim_of_limb, veil_of
from pise_core.warping.parts import PARTS, WITH_OVERLAP, among, overlap_disc, part_boxes, with_overlap
from pise_core.warping.sleeves import below_hair, lacking, most_added

#: What lies before all else: arms, and what they hold.
_FRONT = tuple(i for i, part in enumerate(PARTS) if part.endswith(("arm", "held")))


class Staying(NamedTuple):
    """The parts that stay, as they lie below those that move."""

    image: np.ndarray  # (h, w, 3) uint8; meaningful where trust > 0
    parsing: np.ndarray  # (h, w) uint8
    trust: np.ndarray  # (h, w) float32


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
        self.lifted = self._with_rim(lifted, owner, rim) if rim else lifted
        if held is not None:
            self.lifted &= ~(held & among(owner, self._staying))
        self.believed = share is None and rim > 0
        self._between: Between | None = None
        if any(role.part == CROTCH for role in roles):
            self._between = between_thighs(owner, parsing, source)
        self._core = (~grow(parsing == 0, rim) if self.believed else parsing > 0).astype(np.uint8)

    def _with_rim(self, lifted: np.ndarray, owner: np.ndarray, rim: int) -> np.ndarray:
        """(H, W) bool: where parts were that move, and a rim about them; a hand that stays before a leg keeps its own
        edge."""
        staying = among(owner, [part for part in self._staying if part in _FRONT])
        if not staying.any():
            return grow(lifted, rim)
        moving = [part for part in _FRONT if part not in self._staying]
        return (grow(lifted, rim) & ~staying) | grow(lifted & among(owner, moving), rim)

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
        if role.part == CROTCH:
            return None if self._between is None else _corners(self._between.window)
        layers = [self._hidden[number].layers.window for number in role.uncovered]
        return _box_of_piece(role.shown, self.boxes[role.shown], layers, self._source, self._picture[2].shape)

    def piece(self, role: Role) -> "Piece | None":
        """What a part that moves takes along; None where that is nothing."""
        if role.part == CROTCH:
            return None if self._between is None else self._cloth(self._between)
        shown = [self._hidden[number] for number in role.uncovered]
        box, core = self.boxes[role.shown], self._core
        return cut_piece(role.shown, *self._picture, box, core, self._share, self._source, shown, role.whole, self._rim)

    def _cloth(self, between: Between) -> "Piece":
        """What is seen between the thighs."""
        window, share, veil = between
        image, parsing, _ = (layer[window] for layer in self._picture)
        mask = (share > 0).view(np.uint8)
        if self._share is not None:
            share = share * self._share[window]
        return Piece(_corners(window), image, parsing, mask, self._core[window], share, veil)


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


def with_overlap_box(part: str, low: np.ndarray, high: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


def _box_of_piece(
    index: int, box: Box | None, uncovered: Sequence[Window], pose: np.ndarray, size: tuple[int, ...]
) -> Box | None:
    """About a part with its overlap, and with layers that it takes along; other arguments as for :func:`cut_piece`."""
    if box is None:
        return None
    low, high = np.array(box[:2]), np.array(box[2:])
    for rows, columns in uncovered:
        low, high = np.minimum(low, [columns.start, rows.start]), np.maximum(high, [columns.stop, rows.stop])
    low, high = with_overlap_box(PARTS[index], low, high, pose)
    low, high = np.maximum(low - 2, 0), np.minimum(high + 2, size[::-1])
    x0, y0, x1, y1 = (int(v) for v in (*low, *high))
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


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


def _corners(window: Window) -> Box:
    """x0, y0, x1, y1."""
    return window[1].start, window[0].start, window[1].stop, window[0].stop


def _clipped(one: slice, other: slice) -> slice:
    """Where both are; empty where that is nowhere."""
    start = max(one.start, other.start)
    return slice(start, max(start, min(one.stop, other.stop)))
