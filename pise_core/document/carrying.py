"""What was painted goes along with the body when the pose changes afterwards.

Every painted pixel belongs to the part of the body that it lies on, and moves as that part does. What was painted on
the bare background stays where it is.
"""

import cv2
import numpy as np

from pise_core.document.paint import UNTOUCHED, PaintLayer
from pise_core.warping.part_transforms import part_moves, still
from pise_core.warping.parts import PARTS, assign_parts


class CarriedPaint:
    """A painted layer, and the parts of the body that it lies on.

    Args:
        paint: the layer.
        below: (h, w) uint8, the map below the paint, of the layer's size.
        pose: (18, 3) that both belong to, in pixels of the layer.
    """

    def __init__(self, paint: PaintLayer, below: np.ndarray, pose: np.ndarray) -> None:
        self._pose = pose
        self._labels = paint.labels()
        painted = self._labels != UNTOUCHED
        body = np.where(painted & (self._labels > 0), self._labels, below)
        self._owner = np.where(painted, assign_parts(body, pose), -2)
        self._count = int(painted.sum())

    def at(self, pose: np.ndarray) -> tuple[PaintLayer | None, float]:
        """The layer for another pose, in the same pixels, and which share of what was painted stays in the picture."""
        height, width = self._labels.shape
        moves = part_moves(self._pose, pose)
        out = np.where(self._owner == -1, self._labels, UNTOUCHED)
        lost = 0
        for index, part in enumerate(PARTS):
            mask = self._owner == index
            if not mask.any():
                continue
            if part not in moves or still(moves[part], (0, 0, width, height)):
                out = np.where(mask, self._labels, out)
                continue
            # 0 means nothing here, so that regions are counted from 1.
            source = np.where(mask, self._labels + 1, 0).astype(np.uint8)
            moved = moves[part].into(0, 0, (width, height))(source, flags=cv2.INTER_NEAREST)
            out = np.where(moved > 0, moved - 1, out)
            ys, xs = np.nonzero(mask)
            x, y = moves[part].points(np.stack([xs + 0.5, ys + 0.5], 1)).T
            lost += int(((x < 0) | (x > width) | (y < 0) | (y > height)).sum())
        return PaintLayer.of(out.astype(np.uint8)), 1 - lost / max(1, self._count)
