"""Building blocks that the analyzer's network and its layers for held things share."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Pointwise(nn.Conv2d):
    """A convolution of 1x1, by keys and answers. A map that lies channels last is the matrix that it multiplies;
    PyTorch on one thread lays it out again instead."""

    def __init__(self, i: int, o: int, bias: bool = True):
        super().__init__(i, o, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.part(x, slice(None), self.bias)

    def part(self, x: Tensor, inputs: slice, bias: Tensor | None = None) -> Tensor:
        """What some of the inputs alone, ``x``, add to the answer; the ``bias`` is to be added once."""
        if torch.onnx.is_in_onnx_export():  # other runtimes have layouts of their own
            return F.conv2d(x, self.weight[:, inputs], bias)
        return F.linear(x.permute(0, 2, 3, 1), self.weight[:, inputs].flatten(1), bias).permute(0, 3, 1, 2)


def conv(i: int, o: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolution of ``i`` channels to ``o`` with batch normalization and ReLU; padded to keep H and W at stride 1."""
    if kernel == 1:
        layer: nn.Conv2d = Pointwise(i, o, bias=False)
    else:
        layer = nn.Conv2d(i, o, kernel, stride, kernel // 2 * dilation, dilation, bias=False)
    return nn.Sequential(layer, nn.BatchNorm2d(o), nn.ReLU(inplace=True))


class Residual(nn.Module):
    """(N, channels, H, W) -> the same shape; ``inside`` channels between its two convolutions."""

    def __init__(self, channels: int, inside: int | None = None, dilation: int = 1):
        super().__init__()
        inside = inside or channels
        self.first = conv(channels, inside, dilation=dilation)
        self.second = nn.Sequential(nn.Conv2d(inside, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(self.first(x)).add_(x), inplace=True)


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    """(N, C, h, w) -> (N, C, H, W) of ``like``, bilinear."""
    return F.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)


def joined(layers: nn.Module, deep: Tensor, beside: Tensor) -> Tensor:
    """``layers``, of which the first is pointwise, of deeper features, enlarged, joined with those beside. Enlarging
    and a pointwise layer can change places: so there is less to enlarge, and nothing is laid side by side."""
    first, *rest = layers.children()
    assert isinstance(first, Pointwise)
    there = enlarged(first.part(deep, slice(deep.shape[1])), beside)
    x = first.part(beside, slice(deep.shape[1], None), first.bias) + there
    for layer in rest:
        x = layer(x)
    return x
