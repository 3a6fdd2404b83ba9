"""Building blocks of PISE's networks. Feature maps are (N, C, H, W) float tensors throughout.

The order inside a block is normalization, activation, convolution, as in the authors' release, so that its
checkpoints can be mapped onto these layers.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

#: Slope of the leaky ReLU in the image generator; the parsing generator and gated convolutions use 0.2.
SLOPE = 0.1
GATED_SLOPE = 0.2


def instance_norm(channels: int, affine: bool) -> nn.GroupNorm:
    """Instance normalization, as a group normalization with one channel a group: the same function, the same keys.

    ``nn.InstanceNorm2d`` is not used, for two reasons. It copies every channels-last map into another layout and back;
    and on CPUs its gradient is wrong where a batch of one has its gradient channels last (torch 2.13 and 2.14.1).
    """
    return _InstanceNorm(channels, channels, affine=affine)


class _InstanceNorm(nn.GroupNorm):
    """One channel a group. On processors its gradient is found by sums along the map: torch's own takes ten times as
    long as the way forth."""

    def forward(self, input: Tensor) -> Tensor:
        half = input.dtype in (torch.bfloat16, torch.float16)
        mixed = half and torch.is_autocast_enabled("cpu")
        if input.device.type != "cpu" or not torch.is_grad_enabled() or (half and not mixed):
            return super().forward(input)
        # Where layers compute in half precision torch's own takes statistics in float32, too.
        return _Normalized.apply(input.float() if mixed else input, self.weight, self.bias, self.eps)


class _Normalized(torch.autograd.Function):
    """What a group norm of one channel a group makes of a map (N, C, H, W), with weight and bias (C,) or None."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
        n, c, h, w = x.shape
        made, mean, scale = torch.native_group_norm(x, weight, bias, n, c, h * w, c, eps)
        ctx.save_for_backward(x, weight, mean, scale)  # the answer isn't kept: activations are made in its place
        return made

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (g,) = gradients
        x, weight, mean, scale = ctx.saved_tensors
        mean, scale = mean[..., None, None], scale[..., None, None]
        centred, size = x - mean, x.shape[2] * x.shape[3]
        total, along = g.sum((2, 3), keepdim=True), (g * centred).sum((2, 3), keepdim=True) * scale
        factor = scale if weight is None else scale * weight[:, None, None]
        back = torch.addcmul(-factor * total / size, centred, -factor * scale * along / size).addcmul_(g, factor)
        if weight is None:
            return back, None, None, None
        return back, along.sum((0, 2, 3)), total.sum((0, 2, 3)), None


def activated(fresh: Tensor, slope: float) -> Tensor:
    """Leaky ReLU in place, of what a norm or a convolution has just made: neither needs its output for a gradient, and
    new memory costs more than the arithmetic."""
    return F.leaky_relu(fresh, slope, inplace=True)


class DownBlock(nn.Module):
    """Halves height and width: norm, act, 4x4 stride 2, norm, act, 3x3.

    ``raw`` leaves out the first norm and activation: instance normalization of an image or of a one-hot map would
    wipe out absolute colour and the sizes of regions.
    """

    def __init__(self, i: int, o: int, hidden: int | None = None, slope=SLOPE, affine=True, raw=False):
        super().__init__()
        hidden = hidden or o
        self.norm1 = nn.Identity() if raw else instance_norm(i, affine)
        self.conv1 = nn.Conv2d(i, hidden, 4, 2, 1)
        self.norm2 = instance_norm(hidden, affine)
        self.conv2 = nn.Conv2d(hidden, o, 3, 1, 1)
        self.slope = slope
        self.raw = raw

    def forward(self, x: Tensor) -> Tensor:
        if not self.raw:
            x = activated(self.norm1(x), self.slope)
        return self.conv2(activated(self.norm2(self.conv1(x)), self.slope))


class UpBlock(nn.Module):
    """Doubles height and width: norm, act, 3x3, norm, act, transposed 3x3; plus a transposed 3x3 of the input.

    ``smooth`` takes off what alternates from cell to cell: a transposed convolution reaches even and odd cells with
    different weights, which shows as a grid in plain cloth.
    """

    def __init__(self, i: int, o: int, hidden: int | None = None, slope=SLOPE, affine=True, smooth=False):
        super().__init__()
        hidden = hidden or o
        self.norm1 = instance_norm(i, affine)
        self.conv1 = nn.Conv2d(i, hidden, 3, 1, 1)
        self.norm2 = instance_norm(hidden, affine)
        self.conv2 = nn.ConvTranspose2d(hidden, o, 3, 2, 1, output_padding=1)
        self.shortcut = nn.ConvTranspose2d(i, o, 3, 2, 1, output_padding=1)
        self.slope = slope
        self.smooth = smooth

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(activated(self.norm1(x), self.slope))
        y = self.conv2(activated(self.norm2(y), self.slope)).add_(self.shortcut(x))
        return _without_grid(y) if self.smooth else y


def _without_grid(x: Tensor) -> Tensor:
    """(N, C, H, W) weighted 1, 2, 1 down and across: zero at the one frequency that alternates from cell to cell."""
    line = torch.tensor((0.25, 0.5, 0.25), dtype=x.dtype, device=x.device)
    kernel = torch.outer(line, line).repeat(int(x.shape[1]), 1, 1, 1)
    return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), kernel, groups=x.shape[1])


class ResidualBlock(nn.Module):
    """norm, act, 3x3, norm, act, 3x3, added to the input."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm1, self.norm2 = instance_norm(channels, True), instance_norm(channels, True)
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(activated(self.norm1(x), SLOPE))
        return self.conv2(activated(self.norm2(y), SLOPE)).add_(x)


class GatedConv(nn.Module):
    """Gated convolution (eq. 1): what passes is decided per pixel and channel; then instance normalization.

    ``printed``: eq. 1 and nothing else, no bias and no normalization.
    """

    def __init__(self, channels: int, printed: bool = False):
        super().__init__()
        self.feature = nn.Conv2d(channels, channels, 3, 1, 1, bias=not printed)
        self.gate = nn.Conv2d(channels, channels, 3, 1, 1, bias=not printed)
        self.norm = nn.Identity() if printed else instance_norm(channels, False)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(activated(self.feature(x), GATED_SLOPE) * self.gate(x).sigmoid_())


class OutputBlock(nn.Module):
    """norm, act, 3x3 with reflected border. No final activation: the caller knows what the values mean."""

    def __init__(self, i: int, o: int, slope=SLOPE, affine=True):
        super().__init__()
        self.norm = instance_norm(i, affine)
        self.conv = nn.Conv2d(i, o, 3, 1, 1, padding_mode="reflect")
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(activated(self.norm(x), self.slope))
