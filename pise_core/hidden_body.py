"""What of a person lies behind their arms and head, as a network says it of their shape (amodal completion)."""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.framing import Framing
from pise_core.regions import REGION_COUNT


class HiddenBody(NamedTuple):
    """A person without what hides them.

    Attributes:
        without_arms: (8, h, w) float32, the probabilities of the regions without arms and what is held, over the frame.
        without_head: likewise, without the head either.
        framing: of the frame in the picture.
    """

    without_arms: np.ndarray
    without_head: np.ndarray
    framing: Framing

    def within(self, window: tuple[slice, slice]) -> "HiddenBody":
        """The same in a part of the picture, rows and columns."""
        return self._replace(framing=self.framing.within(window))

    def shares(self, size: tuple[int, int], head: bool) -> np.ndarray:
        """(8, H, W) float32: the probabilities over the whole picture in ``size`` (H, W) cells; background beyond the
        frame. ``head``: whether the head is taken away, too."""
        maps = self.without_head if head else self.without_arms
        framing = self.framing.resized((size[1], size[0]))
        scale, dx, dy = (value * maps.shape[2] / framing.size[1] for value in (framing.scale, framing.dx, framing.dy))
        # Cells and pixels have their centres at +0.5; OpenCV puts these at whole numbers.
        matrix = np.array([[scale, 0, dx + 0.5 * scale - 0.5], [0, scale, dy + 0.5 * scale - 0.5]])
        out = np.empty((REGION_COUNT, *size), np.float32)
        for region in range(REGION_COUNT):
            cv2.warpAffine(
                np.ascontiguousarray(maps[region]),
                matrix,
                (size[1], size[0]),
                dst=out[region],
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=float(region == 0),
            )
        return out
