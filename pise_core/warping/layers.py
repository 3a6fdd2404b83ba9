"""A person cut out part by part, for whoever lays the parts over the background: an instant preview.

The parts and their order are those of :mod:`pise_core.warping.parts`; how each one moves is said in
:mod:`pise_core.warping.part_transforms`.
"""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import grow
from pise_core.warping.parts import PARTS, assign_parts, with_overlap


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
    """
    owner = assign_parts(parsing, pose) if owner is None else owner
    if share is None:
        core, opaque = (~grow(parsing == 0, rim)).astype(np.uint8), np.full(parsing.shape, 255, np.uint8)
    else:
        opaque = np.rint(255 * share).astype(np.uint8)
        core = (opaque > 0).astype(np.uint8)
    found = []
    for index, part in enumerate(PARTS):
        mask = (owner == index).astype(np.uint8)
        if not mask.any():
            continue
        mask = with_overlap(mask, index, part, parsing, pose) & core
        x, y, w, h = cv2.boundingRect(mask)
        if w:
            here = slice(y, y + h), slice(x, x + w)
            found.append(CutOut(part, x, y, np.dstack([image[here], opaque[here] * mask[here]])))
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
