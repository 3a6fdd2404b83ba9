"""The two normalizations that PISE is about: per-region (3.2.2) and spatial-aware (3.2.3)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.model.correspondence import (
    at_least_float32,
    carry_by_likeness,
    centred_unit,
    full_precision,
    placed_through,
)
from pise_core.regions import REGION_COUNT


def region_masks(parsing: Tensor, size: tuple[int, int], masks: str = "share") -> Tensor:
    """Maps (N, 8, H, W) at a feature map's size (h, w).

    "share": the share of each cell that a region covers. "last": one pixel stands for its cell, and there the last
    region that isn't exactly 0 is the only one; nothing is where all are 0.
    """
    if masks == "share":
        return F.adaptive_avg_pool2d(parsing, size)
    cells = F.interpolate(parsing, size, mode="nearest")
    order = torch.arange(1, REGION_COUNT + 1, device=parsing.device).view(1, -1, 1, 1)
    last = ((cells != 0) * order).amax(1)
    return F.one_hot(last, REGION_COUNT + 1)[..., 1:].permute(0, 3, 1, 2).to(parsing.dtype)


def per_region_pooling(
    features: Tensor, masks: Tensor, whole: Tensor | None = None, encoding: str = "joint", printed: bool = False
) -> Tensor:
    """Joint global and local per-region average pooling (eq. 2), or one of its two halves alone (section 4.3).

    Args:
        features: (N, C, h, w).
        masks: (N, 8, h, w), from :func:`region_masks`.
        whole: (N, C), what an absent region takes; by default the mean of the whole map, as in the paper.
        encoding: "joint"; "global": ``whole`` for every region; "local": zeros for an absent one.
        printed: a region's sum is divided by the size of the whole map, as eq. 2 has it, and a region of any size is
            there. Otherwise by the region's own size, and what covers less than a thousandth of a cell is absent.

    Returns:
        (N, 8, C): the region's mean, or ``whole``, or zeros.
    """
    dtype, features, masks = features.dtype, at_least_float32(features), at_least_float32(masks)
    area = masks.sum((2, 3))[..., None]  # (N, 8, 1)
    size = float(features[0, 0].numel()) if printed else area.clamp(min=1e-6)
    local = torch.einsum("nchw,njhw->njc", features, masks) / size
    whole = features.mean((2, 3)) if whole is None else at_least_float32(whole)
    if encoding == "global":
        return whole[:, None].repeat(1, masks.shape[1], 1).to(dtype)
    if encoding == "local":
        whole = torch.zeros_like(whole)
    return torch.where(area > (0 if printed else 1e-3), local, whole[:, None]).to(dtype)


def on_map(values: Tensor, parsing: Tensor) -> Tensor:
    """One value per region (N, 8, C), painted over a map (N, 8, H, W) -> (N, C, H, W), channels last."""
    painted = parsing.flatten(2).transpose(1, 2) @ values
    return painted.transpose(1, 2).unflatten(2, parsing.shape[2:])


class PerRegionNormalization(nn.Module):
    """Normalizes a feature map and modulates it, region by region, by that region's style code.

    One fully connected layer per region turns its code into a vector, the vectors are painted over the target map,
    and two 3x3 convolutions read scale and bias off the painting. ``masks``: see :func:`region_masks`.

    ``two_layers``: as printed in 3.2.2 instead, two fully connected layers for all regions turn a code into scale and
    bias, which are painted over the map.
    """

    def __init__(self, channels: int, code: int, masks: str = "share", two_layers: bool = False):
        super().__init__()
        self.masks, self.two_layers = masks, two_layers
        self.norm = nn.BatchNorm2d(channels)
        if two_layers:
            self.gamma, self.beta = nn.Linear(code, channels), nn.Linear(code, channels)
            return
        self.weight = nn.Parameter(torch.empty(REGION_COUNT, channels, code))
        self.bias = nn.Parameter(torch.zeros(REGION_COUNT, channels))
        for region in range(REGION_COUNT):
            nn.init.kaiming_uniform_(self.weight[region], a=math.sqrt(5))
        self.gamma = nn.Conv2d(channels, channels, 3, 1, 1)
        self.beta = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor, codes: Tensor, parsing: Tensor) -> Tensor:
        """x (N, C, h, w), codes (N, 8, code), parsing (N, 8, H, W) -> (N, C, h, w)."""
        masks = region_masks(parsing, (int(x.shape[2]), int(x.shape[3])), self.masks)
        if self.two_layers:
            return self.norm(x) * (1 + on_map(self.gamma(codes), masks)) + on_map(self.beta(codes), masks)
        vectors = F.relu(torch.einsum("jok,njk->njo", self.weight, codes) + self.bias)
        painted = on_map(vectors, masks)
        return self.norm(x) * (1 + self.gamma(painted)) + self.beta(painted)


class SpatialAwareNormalization(nn.Module):
    """Carries scale and bias, place by place, from the source to where the target looks alike (eq. 3).

    Args:
        channels: of the generated feature and of the source code alike.
        modulation: how many channels of scale and of bias are carried, each for ``channels / modulation`` features;
            1 is the authors' release.
        matching: the places that the softmax runs over. "source": at every target place the shares of all source
            places sum to 1. "target", the release: every source place hands out shares that sum to 1. "printed": none;
            the matrix of eq. 3 is multiplied as it is.
        patches: as the release compares. Features and their coordinates pass a learned layer, and 3x3 patches of the
            result are correlated; scale and bias are read off the matching feature instead of the source code.
        temperature: of the softmax (the release: 0.01).
    """

    def __init__(
        self, channels: int, modulation: int, matching: str = "source", patches: bool = False, temperature: float = 0.01
    ):
        super().__init__()
        if channels % modulation:
            raise ValueError(f"modulation {modulation} must divide the {channels} channels")
        if matching not in ("source", "target", "printed"):
            raise ValueError(f"matching is source, target or printed, not {matching!r}")
        self.repeat = channels // modulation
        self.matching = matching
        self.patches = patches
        self.temperature = temperature
        self.gamma = nn.Conv2d(channels, modulation, 1, bias=False)
        self.beta = nn.Conv2d(channels, modulation, 1, bias=False)
        if patches:
            self.query = nn.Conv2d(channels + 3, channels, 1)
            self.key = nn.Conv2d(channels + 3, channels, 1)

    def source_side(self, code: Tensor, matching: Tensor) -> tuple[Tensor, Tensor]:
        """All that depends on the source alone: values (N, 2 modulation, hw), and keys (N, C, hw) in at least float32:
        the temperature makes a rounding error of a half-precision number as large as what is compared."""
        seen = matching if self.patches else code
        values = torch.cat([self.gamma(seen), self.beta(seen)], 1).flatten(2)
        matching = at_least_float32(matching)
        keys = placed_through(self.key, matching) if self.patches else centred_unit(matching)
        return values, keys.flatten(2)

    def forward(self, x: Tensor, values: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and bias, and whatever else is to be carried with them.

        Args:
            x: (N, C, h, w), of any floating-point type.
            values: (N or 1, 2 modulation + more, hw), what :meth:`source_side` gave for a source of the same size, and
                behind it anything else that has a value at every source place.
            keys: (N or 1, C, hw), from :meth:`source_side`.

        Returns:
            The modulated feature (N, C, h, w), and the rest of the values, carried: (N, more, h, w); both of the type
            of ``x``.
        """
        size, dtype = (x.shape[2], x.shape[3]), x.dtype
        with full_precision(x):
            x, values, keys = (at_least_float32(given) for given in (x, values, keys))
            values, keys = values.to(x.dtype), keys.to(x.dtype).unflatten(2, size)
            queries = placed_through(self.query, x) if self.patches else centred_unit(x)
            carried = carry_by_likeness(queries, keys, values, self.matching, self.temperature, self.patches)
            modulation, rest = carried[:, : 2 * self.gamma.out_channels], carried[:, 2 * self.gamma.out_channels :]
            gamma, beta = modulation.repeat_interleave(self.repeat, 1).chunk(2, 1)
            return (x * (1 + gamma) + beta).to(dtype), rest.to(dtype)
