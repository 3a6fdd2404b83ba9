"""The shipped analyzer's network: one U-Net that answers with 18 joint heat maps and 8 region logits."""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.pose import JOINT_COUNT
from pise_core.regions import REGION_COUNT


@dataclass(frozen=True)
class AnalyzerConfig:
    """Architecture, stored inside the weights file. ``widths``: channels at strides 2, 4, 8, 16 and 32."""

    widths: tuple[int, ...] = (16, 32, 64, 128, 256)

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "AnalyzerConfig":
        return cls(widths=tuple(values["widths"]))


class Analysis(NamedTuple):
    """What the network says of a batch."""

    heatmaps: Tensor  # (N, 18, H/4, W/4), about 1 at a joint and 0 elsewhere
    parsing: Tensor  # (N, 8, H/2, W/2), logits


def _conv(i: int, o: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(i, o, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True)
    )


class _Residual(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.first = _conv(channels, channels)
        self.second = nn.Sequential(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class _Up(nn.Module):
    """Enlarge the deeper features, join them with the shallower ones of the same stride, refine."""

    def __init__(self, deep: int, shallow: int):
        super().__init__()
        self.merge = _conv(deep + shallow, shallow, kernel=1)
        self.refine = _Residual(shallow)

    def forward(self, deep: Tensor, shallow: Tensor) -> Tensor:
        deep = F.interpolate(deep, size=shallow.shape[2:], mode="bilinear", align_corners=False)
        return self.refine(self.merge(torch.cat([deep, shallow], 1)))


class AnalyzerNetwork(nn.Module):
    """Image (N, 3, H, W) in [-1, 1] -> :class:`Analysis`. H and W are multiples of 32 or nearly so (16 works)."""

    def __init__(self, config: AnalyzerConfig | None = None):
        super().__init__()
        self.config = config or AnalyzerConfig()
        w = self.config.widths
        self.stem = _conv(3, w[0], stride=2)
        self.down = nn.ModuleList(
            nn.Sequential(_conv(w[i], w[i + 1], stride=2), *[_Residual(w[i + 1]) for _ in range(2 if i > 1 else 1)])
            for i in range(4)
        )
        # What the whole picture is about, as one gain per channel: cheap context beyond the receptive field.
        self.context = nn.Sequential(nn.Linear(w[4], w[4]), nn.Sigmoid())
        self.up = nn.ModuleList(_Up(w[i + 1], w[i]) for i in (3, 2, 1))
        self.heatmap_head = nn.Sequential(_conv(w[1], w[1]), nn.Conv2d(w[1], JOINT_COUNT, 1))
        self.parsing_up = nn.Sequential(_conv(w[1] + w[0], 24, kernel=1), _conv(24, 24))
        self.parsing_head = nn.Conv2d(24, REGION_COUNT, 1)

    def forward(self, image: Tensor) -> Analysis:
        levels = [self.stem(image)]
        for block in self.down:
            levels.append(block(levels[-1]))
        x = levels[4]
        x = x * self.context(x.mean((2, 3)))[:, :, None, None]
        for block, shallow in zip(self.up, (levels[3], levels[2], levels[1]), strict=True):
            x = block(x, shallow)
        fine = F.interpolate(x, size=levels[0].shape[2:], mode="bilinear", align_corners=False)
        fine = self.parsing_up(torch.cat([fine, levels[0]], 1))
        return Analysis(self.heatmap_head(x), self.parsing_head(fine))
