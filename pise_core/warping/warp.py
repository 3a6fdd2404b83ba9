"""Warping: each part of a person is moved to the wanted pose with its real pixels.

:mod:`pise_core.warping.parts` says what belongs to which part, :mod:`pise_core.warping.part_transforms` where the parts
go, :mod:`pise_core.warping.cast` which of them stay, and :mod:`pise_core.warping.cutting` cuts them out. They are laid
over one another in a fixed depth order: legs, skirt, torso, head, arms. The same code serves any resolution.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import Window, overlap
from pise_core.warping.behind import Behind, Box
from pise_core.warping.cast import Cast
from pise_core.warping.cutting import Cutting, Staying, with_overlap_box
from pise_core.warping.hidden_arms import stand_ins
from pise_core.warping.part_transforms import Move, bounds, part_moves, still
from pise_core.warping.parts import PARTS, part_boxes

EVERYWHERE: Window = slice(None), slice(None)
#: A share that is 1, but for what interpolation rounds.
WHOLE = 1 - 1e-5
#: Where less is believed there are no colours.
NOTHING = 1e-3


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
        low, high = with_overlap_box(part, np.array(box[:2]) - 1, np.array(box[2:]) + 1, source)
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
        rest = 1 - cover
        if piece.veil is not None:
            joined = piece.veil.joined[labels[window], regions]
            seen = np.where(joined, moved(piece.veil.seen, border=cv2.BORDER_REPLICATE), np.float32(1))
            # What of it is not seen is what lies below: where that ends, nothing behind both shines through.
            rest, seen = 1 - cover * seen, 1 - (1 - seen) * trust[window]
            cover, alpha = cover * seen, alpha * seen
        # Most of a part covers all that is below it.
        whole = (cover > WHOLE) & (alpha > WHOLE)
        np.copyto(labels[window], regions, where=(cover > 0.5) & (regions > 0))
        cv2.copyTo(colours, whole.view(np.uint8), out[window])
        ys, xs = np.nonzero((cover > 0) & ~whole)
        share_here, believed_here, rest = cover[ys, xs], alpha[ys, xs], rest[ys, xs]
        total = believed_here + trust[window][ys, xs] * rest
        upper = np.divide(believed_here, total, out=np.zeros_like(total), where=total > NOTHING)[:, None]
        mixed = colours[ys, xs] * upper + out[window][ys, xs] * (1 - upper)
        out[window][ys, xs] = np.rint(mixed).astype(np.uint8)
        trust[window][whole], trust[window][ys, xs] = 1, total
        above = over[y0 - top : y1 - top, x0 - left : x1 - left]
        above[ys, xs] = share_here + above[ys, xs] * rest
        above[whole] = 1
        landed[window] |= cover > 0
    return Carried(out, labels, trust, lifted, landed, over, stayed, about)


def _about(cutting: Cutting, cast: Cast, size: tuple[int, int]) -> Window:
    """Rows and columns about all that moved parts can land on."""
    boxes = [(cutting.box(role), cast.moves[role.part]) for role in cast.roles if not role.stays]
    found = [landing_of(box, move, size) for box, move in boxes if box is not None]
    landings = np.array([landing for landing in found if landing is not None])
    if not len(landings):
        return slice(0, 0), slice(0, 0)
    (x0, y0), (x1, y1) = landings[:, :2].min(0).tolist(), landings[:, 2:].max(0).tolist()
    return slice(y0, y1), slice(x0, x1)


def landing_of(box: Box, move: Move, size: tuple[int, int]) -> Box | None:
    """Where the moved box can lie, clipped to the image; None when it leaves it."""
    low, high = bounds(move, box)
    x0, y0 = np.maximum(np.floor(low) - 2, 0).astype(int)
    x1, y1 = np.minimum(np.ceil(high) + 2, size[::-1]).astype(int)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else None
