"""Warping: each part of a person is moved to the wanted pose with its real pixels.

:mod:`pise_core.warping.parts` says what belongs to which part, :mod:`pise_core.warping.part_transforms` where the parts
go. They are laid over one another in a fixed depth order: legs, skirt, torso, head, arms. The same code serves any
resolution.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import grow
from pise_core.warping.part_transforms import Move, bounds, part_moves, still
from pise_core.warping.parts import PARTS, WITH_OVERLAP, overlap_disc, with_overlap


class Carried(NamedTuple):
    """A person moved part by part, on the wanted canvas."""

    image: np.ndarray  # (H, W, 3) uint8; meaningful where trust > 0
    parsing: np.ndarray  # (H, W) uint8; 0 where nothing was carried
    trust: np.ndarray  # (H, W) float32: 1 where a source pixel arrived that can be believed, 0 elsewhere, soft at edges
    lifted: np.ndarray  # (H, W) bool: where a part was that changed its place, and a rim about it
    landed: np.ndarray  # (H, W) bool: where such a part is now
    cover: np.ndarray | None = None  # (H, W) float32 in [0, 1]: the moved parts' share of each pixel; None: not known

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
        if part in WITH_OVERLAP:
            centre, radius = overlap_disc(part, source)
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
    share: np.ndarray | None = None,
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
    """
    size = canvas or owner.shape
    moves = part_moves(source, target)
    out, labels = np.zeros((*size, 3), np.uint8), np.zeros(size, np.uint8)
    trust = np.zeros(size, np.float32)
    lifted, landed = np.zeros(size, bool), np.zeros(size, bool)
    staying = []
    if canvas is None:
        staying = [i for i, part in enumerate(PARTS) if part not in moves or stays(owner == i, moves[part])]
        lifted = np.isin(owner, [i for i in range(len(PARTS)) if i not in staying])
        lifted = grow(lifted, rim) if rim else lifted
    believed = share is None and rim > 0
    core = (~grow(parsing == 0, rim) if believed else parsing > 0).astype(np.uint8)
    over = np.zeros(size, np.float32)
    for index in order:
        part, mask = PARTS[index], owner == index
        if not mask.any():
            continue
        if index in staying:
            here = mask & ~lifted
            # Only a limb that was drawn earlier can lie here already: this part covers it.
            labels[mask], trust[mask] = parsing[mask], 0.0
            over[mask] = 0 if share is None else over[mask] * (1 - share[mask])
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
        cover = moved(mask.astype(np.float32) if share is None else mask * share)
        alpha = moved((mask & core).astype(np.float32)) if believed else cover
        # Colours are taken from the whole image: the soft edge of the mask must not mix in black.
        colours = moved(image, flags=cv2.INTER_LINEAR, border=cv2.BORDER_REPLICATE)
        regions = moved(parsing * mask, flags=cv2.INTER_NEAREST)
        window = slice(y0, y1), slice(x0, x1)
        under = trust[window]
        total = alpha + under * (1 - cover)
        upper = np.divide(alpha, total, out=np.zeros_like(alpha), where=total > 1e-3)[..., None]
        out[window] = np.rint(colours * upper + out[window] * (1 - upper)).astype(np.uint8)
        labels[window] = np.where((cover > 0.5) & (regions > 0), regions, labels[window])
        trust[window] = total
        over[window] = cover + over[window] * (1 - cover)
        landed[window] |= cover > 0
    return Carried(out, labels, trust, lifted, landed, over)


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


def stays(mask: np.ndarray, move: Move) -> bool:
    """Whether a move shifts nothing of a part (H, W bool)."""
    box = _box_of(mask)
    return box is None or still(move, box)
