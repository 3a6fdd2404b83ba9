"""The two normalizations that PISE is about: per-region (3.2.2) and spatial-aware (3.2.3)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.regions import REGION_COUNT

#: What the softmax of spatial-aware normalization runs over, in the order of the correlation's axes.
MATCHING = ("target", "source")


def region_masks(parsing: Tensor, size: tuple[int, int]) -> Tensor:
    """One-hot maps (N, 8, H, W) at a feature map's size: the share of each cell that a region covers."""
    return F.adaptive_avg_pool2d(parsing, size)


def per_region_pooling(features: Tensor, masks: Tensor, whole: Tensor | None = None) -> Tensor:
    """Joint global and local per-region average pooling (eq. 2).

    Args:
        features: (N, C, h, w).
        masks: (N, 8, h, w), the share of each cell that a region covers.
        whole: (N, C), what an absent region takes; by default the mean of the whole map, as in the paper.

    Returns:
        (N, 8, C): the region's mean, or ``whole``.
    """
    area = masks.sum((2, 3))[..., None]  # (N, 8, 1)
    local = torch.einsum("nchw,njhw->njc", features, masks) / area.clamp(min=1e-6)
    whole = features.mean((2, 3)) if whole is None else whole
    return torch.where(area > 1e-3, local, whole[:, None])


class PerRegionNormalization(nn.Module):
    """Normalizes a feature map and modulates it, region by region, by that region's style code.

    One fully connected layer per region turns its code into a vector, the vectors are painted over the target map,
    and two 3x3 convolutions read scale and bias off the painting.
    """

    def __init__(self, channels: int, code: int):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.weight = nn.Parameter(torch.empty(REGION_COUNT, channels, code))
        self.bias = nn.Parameter(torch.zeros(REGION_COUNT, channels))
        for region in range(REGION_COUNT):
            nn.init.kaiming_uniform_(self.weight[region], a=math.sqrt(5))
        self.gamma = nn.Conv2d(channels, channels, 3, 1, 1)
        self.beta = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor, codes: Tensor, parsing: Tensor) -> Tensor:
        """x (N, C, h, w), codes (N, 8, code), parsing (N, 8, H, W) one-hot -> (N, C, h, w)."""
        vectors = F.relu(torch.einsum("jok,njk->njo", self.weight, codes) + self.bias)
        painted = torch.einsum("njo,njhw->nohw", vectors, region_masks(parsing, (x.shape[2], x.shape[3])))
        return self.norm(x) * (1 + self.gamma(painted)) + self.beta(painted)


class SpatialAwareNormalization(nn.Module):
    """Carries scale and bias, place by place, from the source to where the target looks alike (eq. 3).

    Args:
        channels: of the generated feature and of the source code alike.
        modulation: how many channels of scale and of bias are carried, each for ``channels / modulation`` features;
            1 is the authors' release.
        matching: the places that the softmax runs over. "source": at every target place the shares of all source
            places sum to 1. "target", the release: every source place hands out shares that sum to 1.
        temperature: of the softmax (the release: 0.01).
    """

    def __init__(self, channels: int, modulation: int, matching: str = "source", temperature: float = 0.01):
        super().__init__()
        if channels % modulation:
            raise ValueError(f"modulation {modulation} must divide the {channels} channels")
        if matching not in MATCHING:
            raise ValueError(f"matching is one of {', '.join(MATCHING)}, not {matching!r}")
        self.axis = 1 + MATCHING.index(matching)
        self.repeat = channels // modulation
        self.temperature = temperature
        self.gamma = nn.Conv2d(channels, modulation, 1, bias=False)
        self.beta = nn.Conv2d(channels, modulation, 1, bias=False)

    def source_side(self, code: Tensor, matching: Tensor) -> tuple[Tensor, Tensor]:
        """All that depends on the source alone: values (N, 2 modulation, hw) and unit keys (N, C, hw)."""
        values = torch.cat([self.gamma(code), self.beta(code)], 1).flatten(2)
        return values, _centred_unit(matching).flatten(2)

    def forward(self, x: Tensor, values: Tensor, keys: Tensor) -> Tensor:
        """x (N, C, h, w) and what :meth:`source_side` gave -> (N, C, h, w)."""
        queries = _centred_unit(x).flatten(2)
        # (N, target places, source places)
        attention = torch.softmax(queries.transpose(1, 2) @ keys / self.temperature, self.axis)
        carried = (values @ attention.transpose(1, 2)).unflatten(2, x.shape[2:])
        gamma, beta = carried.repeat_interleave(self.repeat, 1).chunk(2, 1)
        return x * (1 + gamma) + beta


def _centred_unit(x: Tensor) -> Tensor:
    """Channel-wise centred, then of unit length over the channels: what eq. 3 compares."""
    x = x - x.mean(1, keepdim=True)
    return F.normalize(x, dim=1, eps=1e-4)
