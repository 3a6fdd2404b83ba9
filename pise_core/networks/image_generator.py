"""The image generator (section 3.2): textures of the source, region by region, on the wanted map."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from pise_core.networks.blocks import DownBlock, GatedConv, OutputBlock, ResidualBlock, UpBlock
from pise_core.networks.detail import DetailPath
from pise_core.networks.normalization import (
    PerRegionNormalization,
    SpatialAwareNormalization,
    per_region_pooling,
    region_masks,
)
from pise_core.networks.vgg import VGGSlice
from pise_core.pose import JOINT_COUNT
from pise_core.regions import REGION_COUNT


class SourceCode(NamedTuple):
    """Everything that depends on the source photo alone; computed once per person."""

    styles: Tensor  # (N, 8, code): one style code per region
    values: Tensor  # (N, 2 modulation, hw): scale and bias to be carried
    keys: Tensor  # (N, C, hw): what they are matched by


class Generated(NamedTuple):
    """What the image generator answers."""

    image: Tensor  # (N, 3, H, W) in [-1, 1], carried pixels blended in where the detail path is on
    painted: Tensor  # (N, 3, H, W) in [-1, 1], before that blend
    gate: Tensor  # (N, 1, H, W) in [0, 1]: share of carried pixels, where these are fully trusted
    matched: Tensor  # (N, C, H/4, W/4): F_n, which the correspondence loss (eq. 8) holds against the target


class StyleEncoder(nn.Module):
    """Source image -> F_i: four blocks down, two up, 1x1, tanh (section 3.2.1)."""

    def __init__(self, width: int):
        super().__init__()
        c = 4 * width
        self.body = nn.Sequential(
            DownBlock(3, 2 * width, raw=True),
            DownBlock(2 * width, c),
            DownBlock(c, c),
            DownBlock(c, c),
            UpBlock(c, c),
            UpBlock(c, c),
            nn.Conv2d(c, c, 1),
            nn.Tanh(),
        )

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1] -> (N, 4 width, H/4, W/4)."""
        return self.body(image)


class LayoutEncoder(nn.Module):
    """Source parsing, target parsing, target pose and source image -> F_p (section 3.2)."""

    def __init__(self, width: int):
        super().__init__()
        c = 4 * width
        self.body = nn.Sequential(
            DownBlock(2 * REGION_COUNT + JOINT_COUNT + 3, 2 * width, raw=True),
            DownBlock(2 * width, c),
            DownBlock(c, c),
            DownBlock(c, c),
            GatedConv(c),
            GatedConv(c),
            UpBlock(c, c),
            UpBlock(c, c),
        )

    def forward(self, source_parsing: Tensor, target_parsing: Tensor, target_pose: Tensor, image: Tensor) -> Tensor:
        return self.body(torch.cat([source_parsing, target_parsing, target_pose, image], 1))


class ImageGenerator(nn.Module):
    """``encode`` once per source, ``forward`` once per edit.

    Args:
        width: 64 is the paper's.
        modulation: channels of scale and bias that spatial-aware normalization carries.
        colour: adds the colour path: each region's mean colour is part of its style code, and painted over the wanted
            map it is what the decoder's answer is added to. Instance normalization, in the style encoder and before
            the last layer, keeps colour only relative to the rest of the picture; this restores it.
        detail: adds the detail path.
        matching: see ``SpatialAwareNormalization``.
    """

    def __init__(
        self,
        width: int = 64,
        modulation: int = 1,
        colour: bool = False,
        detail: bool = False,
        matching: str = "source",
    ):
        super().__init__()
        c = 4 * width
        self.colour = colour
        self.style_encoder = StyleEncoder(width)
        self.matching = VGGSlice(width)
        self.layout_encoder = LayoutEncoder(width)
        self.per_region = PerRegionNormalization(c, c + (3 if colour else 0))
        self.before = ResidualBlock(c)
        self.spatial = SpatialAwareNormalization(c, modulation, matching)
        self.after = ResidualBlock(c)
        self.up1, self.refine1 = UpBlock(c, 2 * width, hidden=c), ResidualBlock(2 * width)
        self.up2, self.refine2 = UpBlock(2 * width, width, hidden=2 * width), ResidualBlock(width)
        self.out = OutputBlock(width, 3)
        self.detail = DetailPath(width) if detail else None

    def encode(self, image: Tensor, parsing: Tensor) -> SourceCode:
        """Source image (N, 3, H, W) in [-1, 1] and one-hot parsing (N, 8, H, W)."""
        code = self.style_encoder(image)
        size = (code.shape[2], code.shape[3])
        styles = per_region_pooling(code, region_masks(parsing, size))
        if self.colour:
            # An absent region is as the person is: the neutral ground around them has no say in its colour.
            person = 1 - parsing[:, :1]
            whole = (image * person).sum((2, 3)) / person.sum((2, 3)).clamp(min=1)
            styles = torch.cat([styles, per_region_pooling(image, parsing, whole)], 2)
        values, keys = self.spatial.source_side(code, self.matching(image)["conv3_1"])
        return SourceCode(styles, values, keys)

    def _ground(self, styles: Tensor, target_parsing: Tensor) -> Tensor | float:
        """What the decoder's answer is added to before tanh: mean colours on the wanted map, (N, 3, H, W)."""
        if not self.colour:
            return 0.0
        colours = torch.einsum("njc,njhw->nchw", styles[..., -3:], target_parsing)
        return torch.atanh(colours.clamp(-0.97, 0.97))

    def forward(
        self,
        source: SourceCode,
        image: Tensor,
        source_parsing: Tensor,
        target_parsing: Tensor,
        target_pose: Tensor,
        carried: tuple[Tensor, Tensor] | None = None,
    ) -> Generated:
        """The picture on the wanted map.

        Args:
            source: from :meth:`encode`; its styles may have been exchanged or mixed (eq. 13).
            image, source_parsing: the source again, (N, 3, H, W) and (N, 8, H, W).
            target_parsing: (N, 8, H, W) one-hot.
            target_pose: (N, 18, H, W) heat maps.
            carried: the source moved part by part (N, 3, H, W) and where it can be trusted (N, 1, H, W); without it
                the detail path adds nothing but what the wanted map says.
        """
        x = self.layout_encoder(source_parsing, target_parsing, target_pose, image)
        matched = self.before(self.per_region(x, source.styles, target_parsing))
        x = self.spatial(matched, source.values, source.keys)
        ground = self._ground(source.styles, target_parsing)
        if self.detail is None:
            x = self.refine1(self.up1(self.after(x)))
            painted = torch.tanh(self.out(self.refine2(self.up2(x))) + ground)
            return Generated(painted, painted, torch.zeros_like(painted[:, :1]), matched)
        if carried is None:
            carried = torch.zeros_like(image), torch.zeros_like(image[:, :1])
        quarter, half = self.detail.encode(*carried, target_parsing)
        x = self.refine1(self.up1(self.after(x + quarter)) + half)
        x = self.refine2(self.up2(x))
        painted, gate = self.detail.finish(x, self.out(x) + ground, *carried, target_parsing)
        share = gate * carried[1]
        return Generated(share * carried[0] + (1 - share) * painted, painted, gate, matched)
