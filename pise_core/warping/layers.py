"""A person cut out part by part, for whoever lays the parts over the background: an instant preview.

The parts and their order are those of :mod:`pise_core.warping.parts`; how each one moves is said in
:mod:`pise_core.warping.part_transforms`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import grow
from pise_core.warping.behind import Behind
from pise_core.warping.cutting import Hidden, cut_piece
from pise_core.warping.parts import PARTS, among, assign_parts, part_boxes


class CutOut(NamedTuple):
    """One part.

    Attributes:
        part: its name, one of ``PARTS``.
        x, y: where its top left corner lies, in pixels of the image.
        image: (h, w, 4) uint8 RGBA, straight alpha.
    """

    part: str
    x: int
    y: int
    image: np.ndarray


def cut_outs(
    image: np.ndarray,
    parsing: np.ndarray,
    pose: np.ndarray,
    owner: np.ndarray | None = None,
    rim: int = 1,
    share: np.ndarray | None = None,
    behind: Sequence[Behind] = (),
) -> list[CutOut]:
    """The parts of a person, in drawing order; parts without a pixel are left out.

    Args:
        image: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        pose: (18, 3) in pixels of the image.
        owner: (H, W) from ``assign_parts``, where it is known already.
        rim: so many pixels at the silhouette are left out, for the background shines through them.
        share: (H, W) float32 in [0, 1], the person's share of each pixel, where that is known: then no rim is left out,
            ``image`` holds the person's own colours, and ``owner`` says whose they are wherever there is a share.
        behind: the finished layers behind parts, which go with the parts that they are pieces of; ``rim`` pixels about
            what is in front of them its edge shines through.
    """
    owner = assign_parts(parsing, pose) if owner is None else owner
    core = (~grow(parsing == 0, rim) if share is None else share > 0).astype(np.uint8)
    hidden = [Hidden.below(one, among(owner, one.front), rim) for one in behind]
    found, boxes = [], part_boxes(owner)
    for index, part in enumerate(PARTS):
        uncovered = [one for one in hidden if index in one.layers.back]
        piece = cut_piece(index, image, parsing, owner, boxes[index], core, share, pose, uncovered)
        if piece is None:
            continue
        mask = piece.mask & piece.core
        opaque = np.full(mask.shape, 255, np.uint8) if piece.share is None else np.rint(255 * piece.share)
        alpha = (opaque * mask).astype(np.uint8)
        x, y, w, h = cv2.boundingRect(alpha)
        if w:
            here = slice(y, y + h), slice(x, x + w)
            left, top = piece.box[:2]
            found.append(CutOut(part, left + x, top + y, np.dstack([piece.image[here], alpha[here]])))
    return found


def pack_cut_outs(parts: list[CutOut], width: int) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """All cut-outs in one picture, in rows from left to right.

    Args:
        parts: from :func:`cut_outs`.
        width: of the picture, at least that of the widest part; one empty pixel is left around each part.

    Returns:
        (H, W, 4) uint8, and the top left corner (x, y) of each part in it.
    """
    width = max([width, *(part.image.shape[1] + 2 for part in parts)])
    places, x, y, row = [], 0, 0, 0
    for part in parts:
        h, w = part.image.shape[:2]
        if x + w + 2 > width:
            x, y, row = 0, y + row, 0
        places.append((x + 1, y + 1))
        x, row = x + w + 2, max(row, h + 2)
    sheet = np.zeros((max(1, y + row), width, 4), np.uint8)  # a picture even when nothing was found
    for part, (px, py) in zip(parts, places, strict=True):
        sheet[py : py + part.image.shape[0], px : px + part.image.shape[1]] = part.image
    return sheet, places
