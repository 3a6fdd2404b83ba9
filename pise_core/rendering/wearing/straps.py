"""The strap of a bag that lies over a garment, from the bag up to a shoulder."""

import cv2
import numpy as np

from pise_core.masks import grow
from pise_core.pose import visible
from pise_core.rendering.refine import like_other
from pise_core.rendering.wearing.outline import closing
from pise_core.skeleton import NECK, SHOULDERS
from pise_core.warping.bare_body import torso_length

#: In lengths of the torso: from how far from a bag on a garment's colours are its own, and gaps between them.
_NEAR, _GAP = 0.3, 0.2
#: How many times as likely of the bag as of the garment a strap's colours are.
_LIKELIER = 3.0
#: In frame pixels: gaps of a strap, such as a buckle's, up to twice as wide; how exactly the bag is known; and how far
#: beside it its edge is seen.
_LINKED, _RIM, _EDGE = 2.0, 4.0, 1.0
#: In lengths of the torso: a strap's width at most and its length at least, and how near to a shoulder it ends.
_WIDE, _LONG, _SHOULDER = 0.1, 0.4, 0.3


def strap(photo: np.ndarray, mask: np.ndarray, held: np.ndarray, pose: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) bool: pixels of a garment's mask that are a strap.

    Args:
        photo: (H, W, 3) uint8.
        mask: (H, W) bool, the garment.
        held: (H, W) bool, the bag without its strap.
        pose: (18, 3) of whoever wears it, in the same pixels.
        scale: frame pixels per pixel.
    """
    found, size = np.zeros_like(mask), torso_length(pose)
    if not held.any() or size <= 0 or not visible(pose)[[NECK, *SHOULDERS]].all():
        return found
    far = ~grow(held, _NEAR * size)
    doubted = closing(mask, _GAP * size) & ~held
    alike = like_other(photo, doubted, held, mask & far, scale, _LIKELIER, _RIM, _LINKED)
    count, pieces = cv2.connectedComponents(grow(alike & far, _LINKED / scale).astype(np.uint8))
    for n in range(1, count):
        piece = (pieces == n) & alike & far
        ys, xs = np.nonzero(piece)
        if len(ys) < 5:
            continue
        points = np.stack([xs, ys], 1).astype(np.float32)
        middle, way, _ = cv2.PCACompute2(points, np.empty(0))
        along, across = ((points - middle) @ way.T).T
        length = float(np.ptp(along))
        wide = 2 * float(np.percentile(np.abs(across), 85))
        top = points[ys.argmin()]
        away = [float(np.hypot(*(top - pose[joint, :2]))) for joint in (NECK, *SHOULDERS)]
        if length < _LONG * size or wide > _WIDE * size or min(away[1:]) > min(away[0], _SHOULDER * size):
            continue
        line = piece.copy()
        line[ys, xs] = np.abs(across) < _WIDE * size
        found |= line
    return mask & grow(found, _EDGE / scale) if found.any() else found
