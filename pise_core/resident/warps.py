"""Where pixels come from, and pictures and maps that are looked up there."""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pise_core.warping.part_transforms import Affine, Move
from pise_core.warping.skirt import Legs, SkirtMove

#: As in :mod:`pise_core.label_warps`.
_ON_THE_BORDER = 1e-6


class Places(NamedTuple):
    """The places (x, y) of a picture that pixels of another one come from, (h, w) float64 each, centres at +0.5."""

    x: Tensor
    y: Tensor

    @classmethod
    def affine(cls, back: np.ndarray, x: int, y: int, size: tuple[int, int], device: str) -> "Places":
        """By a matrix (2, 3) that leads back to the picture; of the rectangle of ``size`` (W, H) whose top left corner
        is at (x, y)."""
        xs, ys = _centres(x, y, size, device)
        (a, b, c), (d, e, f) = back.tolist()
        return cls(a * xs + (b * ys + c), d * xs + (e * ys + f))

    @classmethod
    def moved(
        cls, move: Move, x: int, y: int, size: tuple[int, int], origin: tuple[int, int], device: str
    ) -> "Places | None":
        """As ``Move.into`` looks them up; None where all comes to lie on one line."""
        if isinstance(move, Affine):
            try:
                back = np.linalg.inv(np.vstack([move.matrix, [0, 0, 1]]))[:2]
            except np.linalg.LinAlgError:
                return None
            back[:, 2] -= origin
            return cls.affine(back, x, y, size, device)
        if isinstance(move, SkirtMove):
            xs, ys = _centres(x, y, size, device)
            places = _bent_back(move, xs.expand(size[1], size[0]), ys.expand(size[1], size[0]))
            return cls(places[0] - origin[0], places[1] - origin[1])
        raise TypeError(f"no tensors for a {type(move).__name__}")

    def linear(self, image: Tensor, replicate: bool = False) -> Tensor:
        """(C, H, W) float32 there, mixed of four pixels: (C, h, w); beyond the picture 0, or what is at its border."""
        height, width = image.shape[1:]
        grid = torch.stack([2 * self.x / width - 1, 2 * self.y / height - 1], -1)[None].to(image.dtype)
        beyond = "border" if replicate else "zeros"
        return F.grid_sample(image[None], grid, "bilinear", beyond, align_corners=False)[0]

    def labels(self, labels: Tensor) -> Tensor:
        """(H, W) there, as :func:`pise_core.label_warps.warp_labels`: (h, w); beyond the map 0."""
        height, width = labels.shape
        columns, rows = (torch.floor(axis + _ON_THE_BORDER) for axis in (self.x, self.y))
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        place = rows.clamp(0, height - 1).long() * width + columns.clamp(0, width - 1).long()
        return torch.where(inside, labels.flatten()[place], torch.zeros_like(labels[0, 0]))


def _centres(x: int, y: int, size: tuple[int, int], device: str) -> tuple[Tensor, Tensor]:
    """Of the pixels of a rectangle: (1, W) and (H, 1) float64."""
    xs = torch.arange(size[0], dtype=torch.float64, device=device) + (x + 0.5)
    ys = torch.arange(size[1], dtype=torch.float64, device=device) + (y + 0.5)
    return xs[None], ys[:, None]


def _bent_back(move: SkirtMove, xs: Tensor, ys: Tensor) -> tuple[Tensor, Tensor]:
    """``SkirtMove.back`` in tensors."""
    before, after = move.source, move.target
    (a, b), (c, d) = np.linalg.inv(after.basis).tolist()
    dx, dy = xs - float(after.origin[0]), ys - float(after.origin[1])
    level, side = a * dx + b * dy, c * dx + d * dy
    side = side - _between(level, after.levels, after.middle)
    level = _levels(level, after, before)
    cloth, wide = (_between(level, before.levels, values) for values in (move.cloth, move.widths))
    inside = torch.minimum(torch.maximum(side, -cloth * wide), cloth * wide)
    side = inside / wide + (side - inside) / move.size + _between(level, before.levels, before.middle)
    (a, b), (c, d) = before.basis.tolist()
    return float(before.origin[0]) + a * level + b * side, float(before.origin[1]) + c * level + d * side


def _between(values: Tensor, known: np.ndarray, shown: np.ndarray) -> Tensor:
    """``np.interp``."""
    out = torch.full_like(values, float(shown[0]))
    for low, high, first, last in zip(known[:-1], known[1:], shown[:-1], shown[1:], strict=True):
        out = out + ((values - float(low)) / float(high - low)).clamp(0, 1) * float(last - first)
    return out


def _levels(values: Tensor, before: Legs, after: Legs) -> Tensor:
    """Levels of one pose as levels of another, as in :mod:`pise_core.warping.skirt`."""
    old, new = before.levels.tolist(), after.levels.tolist()
    inside = _between(values, before.levels, after.levels)
    low = new[0] + (values - old[0]) * ((new[1] - new[0]) / (old[1] - old[0]))
    high = new[-1] + (values - old[-1]) * ((new[-1] - new[-2]) / (old[-1] - old[-2]))
    return torch.where(values < old[0], low, torch.where(values > old[-1], high, inside))
