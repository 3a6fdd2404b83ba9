"""What :mod:`pise_core.masks` and :mod:`pise_core.matting` do to masks, in tensors: no answer depends on how much is
set, so that nobody waits for a device to say so."""

import math
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pise_core import masks

#: Steps of OpenCV's distances: to the pixel beside, across the corner, and a knight's move; those of the mask of three
#: by three pixels, and of five by five.
_BESIDE3, _CORNER3 = 0.955, 1.3693
_BESIDE5, _CORNER5, _KNIGHT5 = 1.0, 1.4, 2.1969
#: Where no pixel was found, and the eight neighbours.
_FAR = 16384
_AROUND = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1) if down or right]
#: How often a piece is followed along rows and columns.
_SWEEPS = 16


@lru_cache(maxsize=32)
def _disc(reach: int, device: str) -> Tensor:
    """What :func:`pise_core.masks.grow` makes of one pixel, (1, 1, n, n) float32."""
    point = np.zeros((2 * reach + 3, 2 * reach + 3), bool)
    point[reach + 1, reach + 1] = True
    grown = masks.grow(point, reach)[1:-1, 1:-1]
    return torch.from_numpy(grown.astype(np.float32))[None, None].to(device)


def grow(mask: Tensor, radius: float) -> Tensor:
    """As :func:`pise_core.masks.grow`, to the bit; (H, W) bool."""
    reach = max(1, round(radius))
    return F.conv2d(mask.float()[None, None], _disc(reach, str(mask.device)), padding=reach)[0, 0] > 0.5


def feather(concerned: Tensor, width: float) -> Tensor:
    """As :func:`pise_core.masks.feather`; (H, W) float32."""
    width = max(width, 1.0)
    depth = torch.where(concerned, math.inf, 0.0)[None]
    for _ in range(math.ceil(width / _BESIDE3)):
        beside = torch.maximum(F.max_pool2d(-depth, (1, 3), 1, (0, 1)), F.max_pool2d(-depth, (3, 1), 1, (1, 0)))
        corner = F.max_pool2d(-depth, 3, 1, 1)
        depth = torch.minimum(depth, torch.minimum(_BESIDE3 - beside, _CORNER3 - corner))
    return (depth[0] / width).clamp(0, 1)


@lru_cache(maxsize=32)
def _bell(sigma: float, device: str) -> Tensor:
    """The Gaussian that OpenCV takes for float32, (n,) float64."""
    length = round(8 * sigma + 1) | 1
    return torch.from_numpy(cv2.getGaussianKernel(length, sigma, cv2.CV_32F)[:, 0].astype(np.float64)).to(device)


#: Wider Gaussians are three means in :func:`pise_core.masks.smooth`, and not made here.
WIDEST = 4.0


def smooth(values: Tensor, sigma: float) -> Tensor:
    """As :func:`pise_core.masks.smooth` for ``sigma`` up to :data:`WIDEST`; (H, W) float32."""
    bell = _bell(sigma, str(values.device))
    half = len(bell) // 2
    # Cards round the factors of float32 convolutions to ten bits.
    exact = values.double()[None, None]
    across = F.conv2d(F.pad(exact, (half, half, 0, 0), mode="replicate"), bell[None, None, None])
    return F.conv2d(F.pad(across, (0, 0, half, half), mode="replicate"), bell[None, None, :, None])[0, 0].float()


def matte(person: Tensor, scale: float) -> Tensor:
    """As :func:`pise_core.matting.matte`, of (H, W) bool."""
    return (smooth(person.float(), 0.45 / scale if scale < 1 else 0.6) * 1.6 - 0.3).clamp(0, 1)


def nearest(known: Tensor, reach: int) -> tuple[Tensor, Tensor]:
    """The nearest known pixel, as far as ``reach``, found by flooding in jumps (Rong and Tan, Jump Flooding in GPU, I3D
    2006). Of several that are as near it is another one than OpenCV's at times, and always the same.

    Args:
        known: (N, H, W) bool, of fewer than 16384 rows and columns.
        reach: in pixels; farther ones may be missed.

    Returns:
        (N, H, W) float32, how far away it is in the distances of :class:`pise_core.masks.Nearest`, and (2, N, H, W)
        int64, its row and column. Where none was found the distance is beyond everything, and rows and columns are 0.
    """
    height, width = known.shape[1:]
    ys = torch.arange(height, dtype=torch.float32, device=known.device)[:, None]
    xs = torch.arange(width, dtype=torch.float32, device=known.device)
    y, x = torch.where(known, ys, -float(_FAR)), torch.where(known, xs, -float(_FAR))
    away = _square(y - ys, x - xs)
    jump = 1 << max(0, int(reach).bit_length() - 1)
    steps = [1]
    while jump:
        steps.append(jump)
        jump //= 2
    for step in steps:
        rows, columns = (F.pad(axis, (step,) * 4, value=-_FAR) for axis in (y, x))
        for down, right in _AROUND:
            there = ..., slice((down + 1) * step, (down + 1) * step + height), slice((right + 1) * step, None)
            cy, cx = (axis[there][..., :width] for axis in (rows, columns))
            distance = _square(cy - ys, cx - xs)
            nearer = distance < away
            y, x = torch.where(nearer, cy, y), torch.where(nearer, cx, x)
            away = torch.minimum(distance, away)
    found = y >= 0
    distance = torch.where(found, _chamfer(y - ys, x - xs), math.inf)
    return distance, torch.stack([torch.where(found, y, 0), torch.where(found, x, 0)]).long()


def _square(dy: Tensor, dx: Tensor) -> Tensor:
    return torch.addcmul(dy * dy, dx, dx)


def _chamfer(dy: Tensor, dx: Tensor) -> Tensor:
    """How far OpenCV takes two pixels to be apart with a mask of five by five."""
    dy, dx = dy.abs(), dx.abs()
    far, near = torch.maximum(dy, dx), torch.minimum(dy, dx)
    straight = (far - 2 * near) * _BESIDE5 + near * _KNIGHT5
    steep = (far - near) * _KNIGHT5 + (2 * near - far) * _CORNER5
    return torch.where(far >= 2 * near, straight, steep)


def touched(pieces: Tensor, seeds: Tensor) -> Tensor:
    """The pieces (H, W) bool, as they hang together by sides and corners, in which a seed (H, W) bool lies; of one that
    winds through the picture the near part alone."""
    found = seeds & pieces
    for _ in range(_SWEEPS):
        found = (F.max_pool2d(found.float()[None], 3, 1, 1)[0] > 0) & pieces
        found = _along(pieces, found)
        found = _along(pieces.T, found.T).T
    return found


def _along(pieces: Tensor, found: Tensor) -> Tensor:
    """All of each run of ``pieces`` along a row in which something is ``found``."""
    gaps = torch.cumsum(~pieces, 1)  # the same number all along a run
    runs = gaps + torch.arange(len(pieces), device=pieces.device)[:, None] * (pieces.shape[1] + 1)
    counts = torch.zeros((pieces.shape[1] + 1) * len(pieces), dtype=torch.int64, device=pieces.device)
    counts.scatter_add_(0, runs.flatten(), (found & pieces).flatten().long())
    return pieces & (counts[runs] > 0)
