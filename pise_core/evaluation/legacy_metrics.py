"""Figures as the tables on DeepFashion print them, with the quirks of the scripts that they come from.

They say how a picture stands in those tables, and nothing else: two unrelated people on white reach a wrapped PSNR of
28 to 31 dB. Each is named after the repository whose script does it so.

- **PSNR, wrapped** (the authors of PISE, ``util/psnr.py``): pixels of 8 bits are subtracted and squared in 8 bits, so
  both wrap around at 256.
- **FID** (GFLA and its followers): torchvision's Inception v3 is fed pictures in [0, 1] that were never normalized by
  ImageNet's statistics, and the real pictures are those of the *training* split. GFLA leaves out what does not fill a
  batch of 64, in an order that depends on the disk; here all pictures count.
- **SSIM, window 51** (GFLA): plain means over 51x51 pixels instead of a Gaussian of sigma 1.5.
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Side of the square that Inception sees.
_INCEPTION_SIDE = 299
#: From pictures normalized by ImageNet's mean and standard deviation to those in [-1, 1]. The script applies it to
#: pictures in [0, 1].
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_WINDOW = 51


def wrapped_psnr(made: np.ndarray, true: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of differences that wrap around.

    A difference of d counts as d * d modulo 256: one of 16 is none at all.

    Args:
        made, true: (H, W, 3) uint8.

    Returns:
        A figure of at least 24.17, infinite if no difference is left.
    """
    difference = np.subtract(made, true, dtype=np.uint8)
    error = np.multiply(difference, difference, dtype=np.uint8).mean(dtype=np.float64)
    return float(10 * np.log10(255**2 / error)) if error > 0 else float("inf")


def window_ssim(made: np.ndarray, true: np.ndarray) -> float:
    """Structural similarity over windows of 51x51 pixels that lie within the picture, mean over RGB; variances are
    those of a sample (divided by one less than the number of pixels).

    Args:
        made, true: (H, W, 3) uint8, at least 51 pixels high and wide.
    """
    x, y = made.astype(np.float64), true.astype(np.float64)
    count, half = _WINDOW**2, _WINDOW // 2

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values, (_WINDOW, _WINDOW))[half:-half, half:-half]

    mx, my = mean(x), mean(y)
    vx, vy, vxy = (
        (mean(product) - means) * count / (count - 1)
        for product, means in ((x * x, mx * mx), (y * y, my * my), (x * y, mx * my))
    )
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float((((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def inception_input(pictures: Tensor) -> Tensor:
    """(N, 3, H, W) uint8 -> (N, 3, 299, 299) float32 as GFLA's script feeds them: white is about 0.43, black -0.03."""
    x = F.interpolate(pictures.float() / 255, size=(_INCEPTION_SIDE,) * 2, mode="bilinear", align_corners=False)
    mean, std = (torch.tensor(values, device=x.device)[:, None, None] for values in (_MEAN, _STD))
    return x * (std / 0.5) + (mean - 0.5) / 0.5


class LegacyInception(nn.Module):
    """(N, 3, H, W) uint8 -> (N, 2048): pooled features of torchvision's Inception v3 (ImageNet)."""

    num_features = 2048

    def __init__(self, network: nn.Module):
        """``network``: torchvision's ``inception_v3``, told to transform no input itself."""
        super().__init__()
        self.network = network.eval().requires_grad_(False)
        self.network.fc = nn.Identity()

    @torch.no_grad()
    def forward(self, pictures: Tensor) -> Tensor:
        return self.network(inception_input(pictures))
