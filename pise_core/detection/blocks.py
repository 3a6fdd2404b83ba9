"""Building blocks that the analyzer's network and its layers for held things share."""

import torch.nn.functional as F
from torch import Tensor, nn


def conv(i: int, o: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Convolution of ``i`` channels to ``o`` with batch normalization and ReLU; padded to keep H and W at stride 1."""
    return nn.Sequential(
        nn.Conv2d(i, o, kernel, stride, kernel // 2 * dilation, dilation, bias=False),
        nn.BatchNorm2d(o),
        nn.ReLU(inplace=True),
    )


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
