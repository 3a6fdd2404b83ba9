"""Building blocks of PISE's networks. Feature maps are (N, C, H, W) float tensors throughout.

The order inside a block is normalization, activation, convolution, as in the authors' release, so that its
checkpoints can be mapped onto these layers.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

#: Slope of the leaky ReLU in the image generator; the parsing generator and gated convolutions use 0.2.
SLOPE = 0.1
GATED_SLOPE = 0.2


def _norm(channels: int, affine: bool) -> nn.Module:
    return nn.InstanceNorm2d(channels, affine=affine)


class DownBlock(nn.Module):
    """Halves height and width: norm, act, 4x4 stride 2, norm, act, 3x3.

    ``raw`` leaves out the first norm and activation: instance normalization of an image or of a one-hot map would
    wipe out absolute colour and the sizes of regions.
    """

    def __init__(self, i: int, o: int, hidden: int | None = None, slope=SLOPE, affine=True, raw=False):
        super().__init__()
        hidden = hidden or o
        self.norm1 = nn.Identity() if raw else _norm(i, affine)
        self.conv1 = nn.Conv2d(i, hidden, 4, 2, 1)
        self.norm2 = _norm(hidden, affine)
        self.conv2 = nn.Conv2d(hidden, o, 3, 1, 1)
        self.slope = slope
        self.raw = raw

    def forward(self, x: Tensor) -> Tensor:
        if not self.raw:
            x = F.leaky_relu(self.norm1(x), self.slope)
        return self.conv2(F.leaky_relu(self.norm2(self.conv1(x)), self.slope))


class UpBlock(nn.Module):
    """Doubles height and width: norm, act, 3x3, norm, act, transposed 3x3; plus a transposed 3x3 of the input.

    ``smooth`` takes off what alternates from cell to cell: a transposed convolution reaches even and odd cells with
    different weights, which shows as a grid in plain cloth.
    """

    def __init__(self, i: int, o: int, hidden: int | None = None, slope=SLOPE, affine=True, smooth=False):
        super().__init__()
        hidden = hidden or o
        self.norm1 = _norm(i, affine)
        self.conv1 = nn.Conv2d(i, hidden, 3, 1, 1)
        self.norm2 = _norm(hidden, affine)
        self.conv2 = nn.ConvTranspose2d(hidden, o, 3, 2, 1, output_padding=1)
        self.shortcut = nn.ConvTranspose2d(i, o, 3, 2, 1, output_padding=1)
        self.slope = slope
        self.smooth = smooth

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.leaky_relu(self.norm1(x), self.slope))
        y = self.conv2(F.leaky_relu(self.norm2(y), self.slope)) + self.shortcut(x)
        return _without_grid(y) if self.smooth else y


def _without_grid(x: Tensor) -> Tensor:
    """(N, C, H, W) weighted 1, 2, 1 down and across: zero at the one frequency that alternates from cell to cell."""
    x = F.pad(x, (1, 1, 1, 1), mode="replicate")
    x = (x[:, :, :-2] + 2 * x[:, :, 1:-1] + x[:, :, 2:]) / 4
    return (x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]) / 4


class ResidualBlock(nn.Module):
    """norm, act, 3x3, norm, act, 3x3, added to the input."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1, self.norm2 = _norm(channels, True), _norm(channels, True)
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(F.leaky_relu(self.norm1(x), SLOPE))
        return x + self.conv2(F.leaky_relu(self.norm2(y), SLOPE))


class GatedConv(nn.Module):
    """Gated convolution (eq. 1): what passes is decided per pixel and channel; then instance normalization."""

    def __init__(self, channels: int):
        super().__init__()
        self.feature = nn.Conv2d(channels, channels, 3, 1, 1)
        self.gate = nn.Conv2d(channels, channels, 3, 1, 1)
        self.norm = _norm(channels, False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(F.leaky_relu(self.feature(x), GATED_SLOPE) * torch.sigmoid(self.gate(x)))


class OutputBlock(nn.Module):
    """norm, act, 3x3 with reflected border. No final activation: the caller knows what the values mean."""

    def __init__(self, i: int, o: int, slope=SLOPE, affine=True):
        super().__init__()
        self.norm = _norm(i, affine)
        self.conv = nn.Conv2d(i, o, 3, 1, 1, padding_mode="reflect")
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.leaky_relu(self.norm(x), self.slope))
