"""The two normalizations that PISE is about: per-region (3.2.2) and spatial-aware (3.2.3)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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


def per_region_pooling(features: Tensor, masks: Tensor, whole: Tensor | None = None, encoding: str = "joint") -> Tensor:
    """Joint global and local per-region average pooling (eq. 2), or one of its two halves alone (section 4.3).

    Args:
        features: (N, C, h, w).
        masks: (N, 8, h, w), from :func:`region_masks`.
        whole: (N, C), what an absent region takes; by default the mean of the whole map, as in the paper.
        encoding: "joint"; "global": ``whole`` for every region; "local": zeros for an absent one.

    Returns:
        (N, 8, C): the region's mean, or ``whole``, or zeros.
    """
    area = masks.sum((2, 3))[..., None]  # (N, 8, 1)
    local = torch.einsum("nchw,njhw->njc", features, masks) / area.clamp(min=1e-6)
    whole = features.mean((2, 3)) if whole is None else whole
    if encoding == "global":
        return whole[:, None].repeat(1, masks.shape[1], 1)
    if encoding == "local":
        whole = torch.zeros_like(whole)
    return torch.where(area > 1e-3, local, whole[:, None])


def on_map(values: Tensor, parsing: Tensor) -> Tensor:
    """One value per region (N, 8, C), painted over a map (N, 8, H, W) -> (N, C, H, W), channels last."""
    painted = parsing.flatten(2).transpose(1, 2) @ values
    return painted.transpose(1, 2).unflatten(2, parsing.shape[2:])


class PerRegionNormalization(nn.Module):
    """Normalizes a feature map and modulates it, region by region, by that region's style code.

    One fully connected layer per region turns its code into a vector, the vectors are painted over the target map,
    and two 3x3 convolutions read scale and bias off the painting. ``masks``: see :func:`region_masks`.
    """

    def __init__(self, channels: int, code: int, masks: str = "share"):
        super().__init__()
        self.masks = masks
        self.norm = nn.BatchNorm2d(channels)
        self.weight = nn.Parameter(torch.empty(REGION_COUNT, channels, code))
        self.bias = nn.Parameter(torch.zeros(REGION_COUNT, channels))
        for region in range(REGION_COUNT):
            nn.init.kaiming_uniform_(self.weight[region], a=math.sqrt(5))
        self.gamma = nn.Conv2d(channels, channels, 3, 1, 1)
        self.beta = nn.Conv2d(channels, channels, 3, 1, 1)

    def forward(self, x: Tensor, codes: Tensor, parsing: Tensor) -> Tensor:
        """x (N, C, h, w), codes (N, 8, code), parsing (N, 8, H, W) -> (N, C, h, w)."""
        vectors = F.relu(torch.einsum("jok,njk->njo", self.weight, codes) + self.bias)
        masks = region_masks(parsing, (x.shape[2], x.shape[3]), self.masks)
        painted = on_map(vectors, masks)
        return self.norm(x) * (1 + self.gamma(painted)) + self.beta(painted)


class SpatialAwareNormalization(nn.Module):
    """Carries scale and bias, place by place, from the source to where the target looks alike (eq. 3).

    Args:
        channels: of the generated feature and of the source code alike.
        modulation: how many channels of scale and of bias are carried, each for ``channels / modulation`` features;
            1 is the authors' release.
        matching: the places that the softmax runs over. "source": at every target place the shares of all source
            places sum to 1. "target", the release: every source place hands out shares that sum to 1.
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
        self.repeat = channels // modulation
        self.axis = {"target": 1, "source": 2}[matching]
        self.patches = patches
        self.temperature = temperature
        self.gamma = nn.Conv2d(channels, modulation, 1, bias=False)
        self.beta = nn.Conv2d(channels, modulation, 1, bias=False)
        if patches:
            self.query = nn.Conv2d(channels + 3, channels, 1)
            self.key = nn.Conv2d(channels + 3, channels, 1)

    def source_side(self, code: Tensor, matching: Tensor) -> tuple[Tensor, Tensor]:
        """All that depends on the source alone: values (N, 2 modulation, hw) and keys (N, C, hw)."""
        seen = matching if self.patches else code
        values = torch.cat([self.gamma(seen), self.beta(seen)], 1).flatten(2)
        keys = _placed_through(self.key, matching) if self.patches else _centred_unit(matching)
        return values, keys.flatten(2)

    def forward(self, x: Tensor, values: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Scale and bias, and whatever else is to be carried with them.

        Args:
            x: (N, C, h, w).
            values: (N, 2 modulation + more, hw), what :meth:`source_side` gave for a source of the same size, and
                behind it anything else that has a value at every source place.
            keys: (N, C, hw), from :meth:`source_side`.

        Returns:
            The modulated feature (N, C, h, w), and the rest of the values, carried: (N, more, h, w).
        """
        size = (x.shape[2], x.shape[3])
        # A temperature of 0.01 makes a rounding error of bfloat16 as large as what is compared.
        with torch.autocast(x.device.type, enabled=False):
            x, values, keys = x.float(), values.float(), keys.float()
            if self.axis == 2 and not self.patches:
                carried = _attend(_centred_unit(x).flatten(2), keys, values, 1 / self.temperature)
            else:
                if self.patches:
                    similarity = patch_correlation(_placed_through(self.query, x), keys.unflatten(2, size))
                else:
                    similarity = _centred_unit(x).flatten(2).transpose(1, 2) @ keys
                # (N, target places, source places)
                attention = torch.softmax(similarity / self.temperature, self.axis)
                carried = values @ attention.transpose(1, 2)
            carried = carried.unflatten(2, size)
        modulation, rest = carried[:, : 2 * self.gamma.out_channels], carried[:, 2 * self.gamma.out_channels :]
        gamma, beta = modulation.repeat_interleave(self.repeat, 1).chunk(2, 1)
        return x * (1 + gamma) + beta, rest


def _attend(queries: Tensor, keys: Tensor, values: Tensor, scale: float) -> Tensor:
    """Softmax attention without its matrix in memory: (N, C, p), (N, C, q) and (N, V, q) -> (N, V, p).

    The fused kernel on CPUs takes only keys and values of one length, so that the shorter of the two is filled with
    zeros: these change no product, and what they carry is cut off.
    """
    length = values.shape[1]
    queries, keys, values = (x.transpose(1, 2)[:, None] for x in (queries, keys, values))
    missing = keys.shape[3] - length
    if missing > 0:
        values = F.pad(values, (0, missing))
    elif missing < 0:
        queries, keys = F.pad(queries, (0, -missing)), F.pad(keys, (0, -missing))
    carried = F.scaled_dot_product_attention(queries, keys, values, scale=scale)
    return carried[:, 0, :, :length].transpose(1, 2)


def _centred_unit(x: Tensor) -> Tensor:
    """Channel-wise centred, then of unit length over the channels: what eq. 3 compares."""
    x = x - x.mean(1, keepdim=True)
    return F.normalize(x, dim=1, eps=1e-4)


def _placed_through(layer: nn.Module, x: Tensor) -> Tensor:
    """What a layer makes of (N, C, h, w) of unit length over the channels, and three more: x and y from -1 to 1, and
    the distance from the centre. In full precision: the temperature enlarges errors a hundredfold."""
    y = torch.linspace(-1, 1, x.shape[2], device=x.device, dtype=x.dtype)[:, None].expand(x.shape[2:])
    across = torch.linspace(-1, 1, x.shape[3], device=x.device, dtype=x.dtype)[None].expand(x.shape[2:])
    places = torch.stack([across, y, torch.hypot(across, y)]).expand(len(x), -1, -1, -1)
    with torch.autocast(x.device.type, enabled=False):
        return layer(torch.cat([F.normalize(x.float(), dim=1, eps=1e-15), places.float()], 1))


def patch_correlation(a: Tensor, b: Tensor) -> Tensor:
    """Correlation coefficients of all 3x3 patches of ``a`` with all those of ``b``, zeros beyond the border.

    Patches are never laid out: where one place is correlated with another, their neighbours are in the same row and
    column of the matrix's diagonals.

    Args:
        a, b: (N, C, h, w).

    Returns:
        (N, hw, hw) in [-1, 1], a patch of ``a`` per row.
    """
    size, values = a.shape[2:], 9 * a.shape[1]
    with torch.autocast(a.device.type, enabled=False):
        products = (a.flatten(2).transpose(1, 2) @ b.flatten(2)).unflatten(2, size).unflatten(1, size)
        for axes in ((1, 3), (2, 4)):
            products = _with_neighbours(products, *axes)
        (sum_a, norm_a), (sum_b, norm_b) = _patch_statistics(a), _patch_statistics(b)
        products = products.flatten(3).flatten(1, 2)
        covariance = torch.baddbmm(products, sum_a[:, :, None], sum_b[:, None], alpha=-1 / values)
        return covariance * (1 / norm_a)[:, :, None] * (1 / norm_b)[:, None]


def _with_neighbours(products: Tensor, i: int, j: int) -> Tensor:
    """Every entry, with those one before and one after it along the axes ``i`` and ``j`` at once added."""
    n = products.shape[i] - 1
    total = products.clone()
    total.narrow(i, 1, n).narrow(j, 1, n).add_(products.narrow(i, 0, n).narrow(j, 0, n))
    total.narrow(i, 0, n).narrow(j, 0, n).add_(products.narrow(i, 1, n).narrow(j, 1, n))
    return total


def _patch_statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Of every 3x3 patch: the sum of its values, and the length of the patch once its mean is taken off; (N, hw)."""
    sums = 9 * F.avg_pool2d(torch.cat([x.sum(1, keepdim=True), (x * x).sum(1, keepdim=True)], 1), 3, 1, 1).flatten(2)
    total, squares = sums.unbind(1)
    return total, (squares - total * total / (9 * x.shape[1])).clamp(min=1e-12).sqrt()
