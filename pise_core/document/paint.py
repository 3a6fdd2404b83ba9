"""What the user painted: a sparse layer of regions over whatever map lies below, small enough to send and to keep.

It goes along with the body when the pose changes afterwards: every painted pixel belongs to the part of the body that
it lies on, and moves as that part does. What was painted on the bare background stays where it is.

A layer is a uint8 array (h, w) at *working size*: 0..7 where the user painted that region, ``UNTOUCHED`` elsewhere.
Between browser and server it travels as base64 of its deflated bytes, which is exact and small.
"""

import base64
import binascii
import zlib
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.regions import LAST, REGION_COUNT, UNTOUCHED
from pise_core.warping.part_transforms import part_moves, still
from pise_core.warping.parts import PARTS, assign_parts

#: The longer side of the map that the browser paints on.
WORKING_SIDE = 1024


def working_size(width: int, height: int) -> tuple[int, int]:
    """(w, h) of the map that the browser paints on, for a photo of ``width`` x ``height``."""
    scale = min(1.0, WORKING_SIDE / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resize_labels(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) uint8 labels at another ``size`` (w, h), nearest neighbour."""
    if labels.shape == (size[1], size[0]):
        return labels
    return cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT)


def pack(labels: np.ndarray) -> str:
    """(h, w) uint8 -> base64 text of the deflated rows."""
    return base64.b64encode(zlib.compress(np.ascontiguousarray(labels, np.uint8).tobytes(), 6)).decode("ascii")


@dataclass(frozen=True)
class PaintLayer:
    """One state of the painted layer.

    Attributes:
        size: working size (w, h).
        data: deflated rows, each byte a region 0..7 or ``UNTOUCHED``.
    """

    size: tuple[int, int]
    data: bytes

    @classmethod
    def from_client(cls, text: Any, size: tuple[int, int]) -> "PaintLayer | None":
        """Check what a browser sent; None if nothing is painted.

        Raises:
            InputError: not base64, not deflated, of another size than ``size`` (w, h), or with a region above 7.
        """
        count = size[0] * size[1]
        # Deflate never grows its input by more than a few bytes in a thousand; base64 adds a third.
        if not isinstance(text, str) or len(text) > 2 * count + 1024:
            raise InputError("the painted map did not arrive whole; paint the stroke again")
        try:
            data = base64.b64decode(text, validate=True)
            unpacker = zlib.decompressobj()
            raw = unpacker.decompress(data, count + 1)
        except (binascii.Error, ValueError, zlib.error):
            raise InputError("the painted map did not arrive whole; paint the stroke again") from None
        labels = np.frombuffer(raw, np.uint8)
        if len(labels) != count:
            raise InputError("the painted map has another size than the photo; open the photo again")
        return cls.of(labels.reshape(size[1], size[0]))

    @classmethod
    def of(cls, labels: np.ndarray) -> "PaintLayer | None":
        """The layer with these (h, w) uint8 labels; None if nothing is painted.

        Raises:
            InputError: on a region above 7.
        """
        painted = labels[labels != UNTOUCHED]
        if not len(painted):
            return None
        if painted.max() >= REGION_COUNT:
            raise InputError(f"the painted map holds the index {int(painted.max())}; regions go from 0 to {LAST}")
        return cls((labels.shape[1], labels.shape[0]), zlib.compress(np.ascontiguousarray(labels).tobytes(), 6))

    def labels(self) -> np.ndarray:
        """(h, w) uint8, ``UNTOUCHED`` where nothing was painted."""
        return np.frombuffer(zlib.decompress(self.data), np.uint8).reshape(self.size[1], self.size[0])

    def text(self) -> str:
        """As the browser reads it."""
        return base64.b64encode(self.data).decode("ascii")

    @staticmethod
    def stroked(
        current: "PaintLayer | None", before: "PaintLayer | None", after: "PaintLayer | None"
    ) -> "PaintLayer | None":
        """The current layer with what was changed between two others, all of one size: a stroke that was made
        on a layer which is out of date by now."""
        if current == before:
            return after
        given = current or before or after
        if given is None:
            return None
        blank = np.full((given.size[1], given.size[0]), UNTOUCHED, np.uint8)
        now, old, new = (blank if layer is None else layer.labels() for layer in (current, before, after))
        return PaintLayer.of(np.where(new != old, new, now))

    def over(self, parsing: np.ndarray) -> np.ndarray:
        """The painted regions laid over a map (H, W) of any size; what was not painted stays exactly as it was."""
        layer = resize_labels(self.labels(), (parsing.shape[1], parsing.shape[0]))
        return np.where(layer == UNTOUCHED, parsing, layer)


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
            moved = moves[part].into(0, 0, (width, height))(source, labels=True)
            out = np.where(moved > 0, moved - 1, out)
            ys, xs = np.nonzero(mask)
            x, y = moves[part].points(np.stack([xs + 0.5, ys + 0.5], 1)).T
            lost += int(((x < 0) | (x > width) | (y < 0) | (y > height)).sum())
        return PaintLayer.of(out.astype(np.uint8)), 1 - lost / max(1, self._count)
