"""The image generator (section 3.2): textures of the source, region by region, on the wanted map."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.model.blocks import DownBlock, GatedConv, OutputBlock, ResidualBlock, UpBlock
from pise_core.model.config import PISEConfig
from pise_core.model.correspondence import at_least_float32
from pise_core.model.detail import DetailPath
from pise_core.model.normalization import (
    PerRegionNormalization,
    SpatialAwareNormalization,
    on_map,
    per_region_pooling,
    region_masks,
)
from pise_core.model.vgg import VGGSlice
from pise_core.regions import REGION_COUNT
from pise_core.skeleton import JOINT_COUNT


class SourceCode(NamedTuple):
    """Everything that depends on the source photo alone; computed once per person."""

    styles: Tensor  # (N, 8, code): one style code per region
    values: Tensor | None  # (N, 2 modulation (+ 3), hw): scale and bias (and shades) to be carried; None: no such block
    keys: Tensor | None  # (N, C, hw): what they are matched by

    def expand(self, count: int) -> "SourceCode":
        """A source for each of ``count`` edits, without a copy where all share one."""

        def one(tensor: Tensor) -> Tensor:
            return tensor.expand(count, -1, -1) if len(tensor) == 1 else tensor

        values, keys = (None if tensor is None else one(tensor) for tensor in (self.values, self.keys))
        return SourceCode(one(self.styles), values, keys)


class Generated(NamedTuple):
    """What the image generator answers."""

    image: Tensor  # (N, 3, H, W) in [-1, 1], carried pixels blended in where the detail path is on
    painted: Tensor  # (N, 3, H, W) in [-1, 1], before that blend
    gate: Tensor  # (N, 1, H, W) in [0, 1]: share of carried pixels, where these are fully trusted
    matched: Tensor  # (N, C, H/4, W/4): F_n, which the correspondence loss (eq. 8) holds against the target


class StyleEncoder(nn.Module):
    """Source image -> F_i: four blocks down, two up (section 3.2.1); then 1x1 and tanh, where not as printed."""

    def __init__(self, config: PISEConfig):
        super().__init__()
        width, c = config.width, 4 * config.width
        self.body = nn.Sequential(
            DownBlock(3, 2 * width, raw=not config.normalized_inputs),
            DownBlock(2 * width, c),
            DownBlock(c, c),
            DownBlock(c, c),
            UpBlock(c, c, smooth=config.smooth),
            UpBlock(c, c, smooth=config.smooth),
            *(() if "source_code" in config.printed else (nn.Conv2d(c, c, 1), nn.Tanh())),
        )

    def forward(self, image: Tensor) -> Tensor:
        """(N, 3, H, W) in [-1, 1] -> (N, 4 width, H/4, W/4)."""
        return self.body(image)


class LayoutEncoder(nn.Module):
    """Source parsing, target parsing, target pose and source image -> F_p (section 3.2)."""

    def __init__(self, config: PISEConfig):
        super().__init__()
        width, c = config.width, 4 * config.width
        self.pose = config.layout_pose
        inputs = 2 * REGION_COUNT + (JOINT_COUNT if self.pose else 0) + 3
        self.body = nn.Sequential(
            DownBlock(inputs, 2 * width, raw=not config.normalized_inputs),
            DownBlock(2 * width, c),
            DownBlock(c, c),
            DownBlock(c, c),
            GatedConv(c, "gated_convolution" in config.printed),
            GatedConv(c, "gated_convolution" in config.printed),
            UpBlock(c, c, smooth=config.smooth),
            UpBlock(c, c, smooth=config.smooth),
        )

    def forward(self, source_parsing: Tensor, target_parsing: Tensor, target_pose: Tensor, image: Tensor) -> Tensor:
        pose = [target_pose] if self.pose else []
        return self.body(torch.cat([source_parsing, target_parsing, *pose, image], 1))


class ImageGenerator(nn.Module):
    """``encode`` once per source, ``forward`` once per edit.

    The colour path: each region's mean colour is part of its style code, and painted over the wanted map it is what the
    decoder's answer is added to. Instance normalization, in the style encoder and before the last layer, keeps colour
    only relative to the rest of the picture; this restores it.

    Carried shades: what a source pixel's colour differs by from the mean of its region goes where spatial-aware
    normalization carries scale and bias, and is added to the mean there. A borrowed style changes the mean only.
    """

    def __init__(self, config: PISEConfig):
        super().__init__()
        width, c = config.width, 4 * config.width
        self.colour, self.masks, self.encoding = config.colour_path, config.masks, config.encoding
        self.printed_pooling = "pooling" in config.printed
        self.style_encoder = StyleEncoder(config)
        release, spatial = config.spatial == "release", config.spatial != "off"
        self.matching = VGGSlice(width, statistics=not release)
        self.layout_encoder = LayoutEncoder(config)
        code, two_layers = c + (3 if self.colour else 0), "two_layers" in config.printed
        self.per_region = PerRegionNormalization(c, code, config.masks, two_layers)
        self.before = nn.Identity() if "feature" in config.printed else ResidualBlock(c)
        matching = "printed" if "matrix" in config.printed else config.matching
        self.spatial = SpatialAwareNormalization(c, config.modulation, matching, release) if spatial else None
        self.after = ResidualBlock(c) if spatial else nn.Identity()
        self.shade = nn.Conv2d(c, 1, 1) if config.carried_shades else None
        self.up1, self.refine1 = UpBlock(c, 2 * width, hidden=c, smooth=config.smooth), ResidualBlock(2 * width)
        self.up2, self.refine2 = UpBlock(2 * width, width, 2 * width, smooth=config.smooth), ResidualBlock(width)
        self.out = OutputBlock(width, 3)
        self.detail = DetailPath(width) if config.detail_path else None

    def encode(self, image: Tensor, parsing: Tensor) -> SourceCode:
        """Source image (N, 3, H, W) in [-1, 1] and one-hot parsing (N, 8, H, W)."""
        code = self.style_encoder(image)
        size = (int(code.shape[2]), int(code.shape[3]))  # plain numbers, which every exporter takes
        masks = region_masks(parsing, size, self.masks)
        styles = per_region_pooling(code, masks, encoding=self.encoding, printed=self.printed_pooling)
        if self.colour:
            # An absent region is as the person is: the neutral ground around them has no say in its colour.
            person = 1 - parsing[:, :1]
            area = at_least_float32(person).sum((2, 3)).clamp(min=1)
            whole = at_least_float32(image * person).sum((2, 3)) / area
            styles = torch.cat([styles, per_region_pooling(image, parsing, whole, self.encoding)], 2)
        if self.spatial is None:
            return SourceCode(styles, None, None)
        seen = self.matching(image)["conv3_1"]
        values, keys = self.spatial.source_side(code, F.relu(seen) if self.spatial.patches else seen)
        if self.shade is not None:
            shades = (image - on_map(styles[..., -3:], parsing)) * (1 - parsing[:, :1])
            values = torch.cat([values, F.adaptive_avg_pool2d(shades, size).flatten(2)], 1)
        return SourceCode(styles, values, keys)

    def _ground(self, styles: Tensor, target_parsing: Tensor, shades: Tensor | None) -> Tensor | float:
        """What the decoder's answer is added to before tanh: mean colours on the wanted map, (N, 3, H, W)."""
        if not self.colour:
            return 0.0
        colours = on_map(styles[..., -3:], target_parsing)
        if shades is not None:
            colours = colours + F.interpolate(shades, colours.shape[2:], mode="bilinear", align_corners=False)
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
            target_parsing: (N, 8, H, W) one-hot, or soft.
            target_pose: (N, 18, H, W) heat maps.
            carried: the source moved part by part (N, 3, H, W) and where it can be trusted (N, 1, H, W); without it
                the detail path adds nothing but what the wanted map says.
        """
        x = self.layout_encoder(source_parsing, target_parsing, target_pose, image)
        matched = self.before(self.per_region(x, source.styles, target_parsing))
        x, shades = matched, None
        if self.spatial is not None and source.values is not None and source.keys is not None:
            x, carried_colours = self.spatial(x, source.values, source.keys)
            if self.shade is not None:
                shades = torch.sigmoid(self.shade(x)) * carried_colours
        ground = self._ground(source.styles, target_parsing, shades)
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
