"""How a skirt hangs about two legs: what is cloth between them follows both, and is not torn.

A person's lower half is described by an axis, from the middle of the hips to the middle of the knees, and by what the
legs do on either side of it at every level: how far their middle lies from the axis, and how far they are apart. Level
0 is the hips, 1 the knees; the ankles are wherever they are seen. Levels lie across the torso and not across the axis:
the waist stays with the torso when the legs swing to the side. A skirt that moves keeps its levels; at each of them it
follows the middle, and becomes wider by as much as the legs go apart: the hem of a long one as far as the ankles, and
the waist not at all. The cloth between and about the legs is stretched, what flares beyond them is not.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from pise_core.label_warps import labels_at
from pise_core.pose import visible
from pise_core.skeleton import ANKLES, HIPS, KNEES, NECK

#: Half the width of cloth that lies about closed legs, in lengths of the torso. What flares beyond goes with the leg.
_CLOTH = 0.16
#: At least, and at most, so many times as wide as it was.
_NARROWEST, _WIDEST = 0.65, 5.0
#: Knees are at least so far below the hips, in lengths of the torso: who sits has an axis that points at the camera.
_SHORTEST = 0.25
#: How long a torso is whose neck is out of sight, in distances of the hips.
_TORSO = 3.5
#: Ankles nearer to the knees than this are folded away, or wrong; where others go they are taken to be here.
_LEAST_SHIN = 0.3
#: Levels lean towards the torso's by no more than this angle: whoever bows has the torso across the legs.
_MOST_LEANING = np.radians(35)
#: Rows that are bent together: what is worked out on the way, of all pixels of a large picture, fills gigabytes.
_STRIP = 128


@dataclass(frozen=True, eq=False)
class Legs:
    """The axis of one pose, and the legs beside it.

    Attributes:
        origin: the middle of the hips, (x, y) in pixels.
        torso: how long that is, in pixels.
        basis: (2, 2), its columns are the axis, in pixels, and the unit vector along a level.
        levels: (K,) where the legs are measured, in lengths of the axis from the hips down, rising.
        middle: (K,) how far to the side the middle of the legs lies there, in pixels.
        apart: (K,) half the distance between them there, in pixels.
    """

    origin: np.ndarray
    torso: float
    basis: np.ndarray
    levels: np.ndarray
    middle: np.ndarray
    apart: np.ndarray

    @property
    def length(self) -> float:
        """Of the axis, in pixels."""
        return float(np.hypot(*self.basis[:, 0]))

    @classmethod
    def of(cls, pose: np.ndarray, neck: bool, ankles: bool) -> "Legs":
        """The legs of a pose (18, 3) that has hips and knees; ``neck``, ``ankles``: whether to look at these too."""
        pairs = np.array([pose[list(pair), :2] for pair in (HIPS, KNEES, ANKLES)[: 2 + ankles]], np.float64)
        origin = pairs[0].mean(0)
        down = origin - pose[NECK, :2] if neck else np.array([0, _TORSO * np.hypot(*(pairs[0, 1] - pairs[0, 0]))])
        torso = max(float(np.hypot(*down)), 1e-3)
        down = down / torso if np.hypot(*down) > 1e-3 else np.array([0.0, 1.0])
        bend = pairs[1].mean(0) - origin
        bend = bend + max(0.0, _SHORTEST * torso - bend @ down) * down
        axis, turned = np.arctan2(bend[1], bend[0]), np.arctan2(bend @ (-down[1], down[0]), bend @ down)
        level = axis - np.clip(turned, -_MOST_LEANING, _MOST_LEANING) + np.pi / 2
        basis = np.stack([bend, [np.cos(level), np.sin(level)]], 1)
        places = (pairs - origin) @ np.linalg.inv(basis).T  # (K, 2, 2): pair, leg, level and side
        levels, middle = places.mean(1).T
        levels[1] = 1.0
        levels[2:] = np.maximum(levels[2:], 1 + _LEAST_SHIN)
        return cls(origin, torso, basis, levels, middle, np.abs(places[:, 1, 1] - places[:, 0, 1]) / 2)

    def from_pixels(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Level, and distance to the side in pixels, of points (N, 2)."""
        level, side = np.linalg.inv(self.basis) @ (points - self.origin).T
        return level, side

    def to_pixels(self, level: np.ndarray, side: np.ndarray) -> np.ndarray:
        """The inverse of :meth:`from_pixels`."""
        return self.origin + np.stack([level, side], 1) @ self.basis.T


@dataclass(frozen=True, eq=False)
class SkirtMove:
    """From the legs of one pose to those of another; a :class:`pise_core.warping.part_transforms.Move`."""

    source: Legs
    target: Legs
    size: float  # how many times as large the whole person is
    cloth: np.ndarray  # (K,) half the width of what is stretched at each level, in pixels of the source
    widths: np.ndarray  # (K,) how many times as wide as it was that becomes

    @classmethod
    def between(cls, source: np.ndarray, target: np.ndarray) -> "SkirtMove":
        """Both poses (18, 3) have hips and knees."""
        there = visible(source) & visible(target)
        seen = bool(there[NECK]), bool(there[list(ANKLES)].all())
        before = Legs.of(source, *seen)
        after = Legs.of(target, *seen)
        # Who bows has a shorter torso and the same hips, who turns to the side narrower hips and the same torso.
        axis, hips = after.length / before.length, after.apart[0] / max(before.apart[0], 1e-3)
        torso = after.torso / before.torso if seen[0] else axis
        size = max(torso, min(hips, 1.15 * max(torso, axis)))
        cloth = np.maximum(before.apart, _CLOTH * before.torso)
        widths = size + (after.apart - size * before.apart) / cloth
        return cls(before, after, size, cloth, np.clip(widths, _NARROWEST * size, _WIDEST * size))

    def points(self, points: np.ndarray) -> np.ndarray:
        """See :class:`pise_core.warping.part_transforms.Move`."""
        level, side = self.source.from_pixels(points)
        side = side - np.interp(level, self.source.levels, self.source.middle)
        cloth, wide = (np.interp(level, self.source.levels, values) for values in (self.cloth, self.widths))
        inside = np.clip(side, -cloth, cloth)
        side = inside * wide + (side - inside) * self.size
        level = _piecewise(level, self.source.levels, self.target.levels)
        return self.target.to_pixels(level, side + np.interp(level, self.target.levels, self.target.middle))

    def back(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) after the move -> (N, 2) before it."""
        level, side = self.target.from_pixels(points)
        side = side - np.interp(level, self.target.levels, self.target.middle)
        level = _piecewise(level, self.target.levels, self.source.levels)
        cloth, wide = (np.interp(level, self.source.levels, values) for values in (self.cloth, self.widths))
        inside = np.clip(side, -cloth * wide, cloth * wide)
        side = inside / wide + (side - inside) / self.size
        return self.source.to_pixels(level, side + np.interp(level, self.source.levels, self.source.middle))

    def into(
        self, x: int, y: int, size: tuple[int, int], origin: tuple[int, int] = (0, 0)
    ) -> Callable[..., np.ndarray]:
        """See :class:`pise_core.warping.part_transforms.Move`. Where every pixel comes from is
        worked out here, once for all images."""
        width, height = size
        columns, lines = np.empty((2, height, width), np.float32)
        for top in range(0, height, _STRIP):
            rows = min(_STRIP, height - top)
            xs, ys = np.meshgrid(np.arange(width) + x + 0.5, np.arange(top, top + rows) + y + 0.5)
            places = self.back(np.stack([xs.ravel(), ys.ravel()], 1)) - 0.5  # OpenCV has pixel centres at whole numbers
            places -= origin
            columns[top : top + rows], lines[top : top + rows] = places.T.reshape(2, rows, width)

        def moved(image: np.ndarray, labels: bool = False, border: int = cv2.BORDER_CONSTANT) -> np.ndarray:
            if labels:
                return labels_at(image, columns + 0.5, lines + 0.5)
            return cv2.remap(image, columns, lines, cv2.INTER_LINEAR, borderMode=border)

        return moved


def _piecewise(values: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Levels of one pose as levels of another; above the hips and below the last pair of joints as next to it."""
    inside = np.interp(values, before, after)
    slope = (after[-1] - after[-2]) / (before[-1] - before[-2])
    low = after[0] + (values - before[0]) * (after[1] - after[0]) / (before[1] - before[0])
    high = after[-1] + (values - before[-1]) * slope
    return np.where(values < before[0], low, np.where(values > before[-1], high, inside))
