"""The layers that say what is held, beside an analyzer whose features they read.

Bags are background to the regions, so features that end there know little of them; ImageNet's know bags.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pise_core.detection.blocks import Residual, conv, enlarged


class Features(NamedTuple):
    """What an analyzer knows of images (N, 3, H, W) before its answers.

    Attributes:
        levels: of the way down, at strides 2, 4, 8 and 16.
        deep: at stride 32.
        up: of the way up at stride 4.
    """

    levels: list[Tensor]
    deep: Tensor
    up: Tensor

    def first(self, count: int | None) -> "Features":
        """Of the first so many images; None: of all."""
        return self._part(slice(count))

    def single(self, index: int) -> "Features":
        """Of one image."""
        return self._part(slice(index, index + 1))

    def rest(self, count: int | None) -> "Features":
        """Of the first so many images without the very first."""
        return self._part(slice(1, count))

    def _part(self, part: slice) -> "Features":
        return Features([level[part] for level in self.levels], self.deep[part], self.up[part])


class FirstHeldHead(nn.Module):
    """What is held, as the first weights said it (``AnalyzerConfig.held`` 1): logits (N, 1, H/2, W/2).

    Args:
        down: channels of the way down.
        deep: channels at stride 32.
        up: channels of the way up at stride 4.
    """

    def __init__(self, down: tuple[int, ...], deep: int, up: int):
        super().__init__()
        fine, *deeper = down
        self.deeper = nn.ModuleList(conv(channels, 32, kernel=1) for channels in deeper)
        self.merge = nn.Sequential(conv(up + 32 * len(deeper), 64), conv(64, 48))
        self.fine = conv(fine, 16, kernel=1)
        self.out = nn.Sequential(conv(48 + 16, 32), nn.Conv2d(32, 1, 1))

    def forward(self, features: Features) -> Tensor:
        levels, _, up = features
        found = [layer(level) for layer, level in zip(self.deeper, levels[1:], strict=True)]
        x = self.merge(torch.cat([up, *(enlarged(x, up) for x in found)], 1))
        return self.out(torch.cat([enlarged(x, levels[0]), self.fine(levels[0])], 1))


class HeldHead(nn.Module):
    """What is held (``AnalyzerConfig.held`` 2): a way up of its own over the analyzer's way down, from what the whole
    picture is about to single pixels. Logits (N, 1, H/2, W/2).

    Most of its layers work at stride 16, where they are cheap and see the whole person: a bag is known by where it
    hangs as much as by its looks.

    Args:
        down: channels of the way down.
        deep: channels at stride 32.
        up: channels of the analyzer's way up at stride 4, which knows where limbs are.
    """

    def __init__(self, down: tuple[int, ...], deep: int, up: int):
        super().__init__()
        self.whole = nn.Sequential(conv(down[3] + deep, 112, kernel=1), Residual(112), Residual(112, dilation=2))
        self.eighth = nn.Sequential(conv(down[2] + 112, 80, kernel=1), Residual(80))
        self.quarter = nn.Sequential(conv(down[1] + up + 80, 64, kernel=1), conv(64, 56), conv(56, 24, kernel=1))
        self.fine = conv(down[0], 16, kernel=1)
        self.out = nn.Sequential(conv(24 + 16, 24), conv(24, 24), nn.Conv2d(24, 1, 1))

    def forward(self, features: Features) -> Tensor:
        (half, quarter, eighth, sixteenth), deep, up = features
        x = self.whole(torch.cat([sixteenth, enlarged(deep, sixteenth)], 1))
        x = self.eighth(torch.cat([eighth, enlarged(x, eighth)], 1))
        x = self.quarter(torch.cat([quarter, up, enlarged(x, quarter)], 1))
        return self.out(torch.cat([self.fine(half), enlarged(x, half)], 1))


#: By ``AnalyzerConfig.held``.
HELD_HEADS = {1: FirstHeldHead, 2: HeldHead}
