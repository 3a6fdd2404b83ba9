"""The shipped analyzer's network: one U-Net that answers with 18 joint heat maps, 8 region logits and, where its
weights know them, what is held in hands.

Its way down is SqueezeNet 1.1 (Iandola et al., 2016), so that training can begin with what ImageNet taught: eight
hundred annotated photos alone do not tell a coat from a dress.
"""

from dataclasses import asdict, dataclass
from typing import NamedTuple, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from pise_core.detection.blocks import Pointwise, Residual, conv, joined
from pise_core.detection.held_head import HELD_HEADS, Features
from pise_core.regions import REGION_COUNT
from pise_core.skeleton import JOINT_COUNT

N = TypeVar("N", bound=nn.Module)

#: The most channels of a layer; what asks for more is damaged.
LARGEST = 4096


@dataclass(frozen=True)
class AnalyzerConfig:
    """Architecture, stored inside the weights file; what older files don't say is as it was then.

    Attributes:
        widths: channels of the way up at strides 2, 4, 8, 16, 32.
        deep: channels inside the two residual blocks at stride 32, which hold most of the weights.
        held: which layers say what is held, by ``HELD_HEADS``; 0 without. (Older files say true for 1.)
    """

    widths: tuple[int, ...] = (32, 64, 96, 160, 256)
    deep: int = 256
    held: int = 0

    def to_dict(self) -> dict:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "AnalyzerConfig":
        """
        Raises:
            ValueError: if the values are none of such a network.
        """
        widths, deep, held = values.get("widths"), values.get("deep", cls.deep), values.get("held", cls.held)
        if not isinstance(widths, list) or len(widths) != len(cls.widths) or held not in (0, *HELD_HEADS):
            raise ValueError("it is the configuration of another network")
        for channels in (*widths, deep):
            if type(channels) is not int or not 1 <= channels <= LARGEST:
                raise ValueError(f"channels are whole numbers from 1 to {LARGEST}, not {str(channels)[:40]}")
        return cls(tuple(widths), deep, int(held))


#: What new weights are trained for.
TRAINED_CONFIG = AnalyzerConfig(deep=248, held=2)


class Analysis(NamedTuple):
    """What the network says of a batch."""

    heatmaps: Tensor  # (N, 18, H/4, W/4), about 1 at a joint and 0 elsewhere; (N, 0, H/4, W/4) if not asked for
    parsing: Tensor  # (N, 8, H/2, W/2), logits
    held: Tensor | None = None  # (N, 1, H/2, W/2), logits: a bag, a bottle or another thing that is carried

    def float(self) -> "Analysis":
        """The same in float32."""
        return Analysis(self.heatmaps.float(), self.parsing.float(), None if self.held is None else self.held.float())


class _Fire(nn.Module):
    """Squeeze to few channels, expand to many: half of them by 1x1, half by 3x3. Layers are named as in torchvision."""

    def __init__(self, i: int, squeeze: int, expand: int):
        super().__init__()
        self.squeeze = Pointwise(i, squeeze)
        self.expand1x1 = Pointwise(squeeze, expand)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.squeeze(x), inplace=True)
        return F.relu(torch.cat([self.expand1x1(x), self.expand3x3(x)], 1), inplace=True)


class SqueezeNet(nn.Module):
    """SqueezeNet 1.1 without its classifier; image (N, 3, H, W) in [-1, 1] -> features at strides 2, 4, 8 and 16.

    torchvision's keys (``features.0`` ... ``features.12``) load into it. Its first convolution is padded here, so that
    strides divide the image evenly.
    """

    #: Channels of the features that come out.
    CHANNELS = (64, 128, 256, 512)

    mean: Tensor
    std: Tensor

    def __init__(self):
        super().__init__()
        self.features = nn.ModuleDict(
            {
                "0": nn.Conv2d(3, 64, 3, 2, 1),
                "3": _Fire(64, 16, 64),
                "4": _Fire(128, 16, 64),
                "6": _Fire(128, 32, 128),
                "7": _Fire(256, 32, 128),
                "9": _Fire(256, 48, 192),
                "10": _Fire(384, 48, 192),
                "11": _Fire(384, 64, 256),
                "12": _Fire(512, 64, 256),
            }
        )
        self.register_buffer("mean", torch.tensor((0.485, 0.456, 0.406)).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> list[Tensor]:
        layer = self.features
        levels = [F.relu(layer["0"](((image + 1) / 2 - self.mean) / self.std), inplace=True)]
        for names in (("3", "4"), ("6", "7"), ("9", "10", "11", "12")):
            x = F.max_pool2d(levels[-1], 3, 2, ceil_mode=True)
            for name in names:
                x = layer[name](x)
            levels.append(x)
        return levels


class _Up(nn.Module):
    """Enlarge the deeper features, join them with those of the way down at the same stride, refine."""

    def __init__(self, deep: int, beside: int, o: int):
        super().__init__()
        self.merge = conv(deep + beside, o, kernel=1)
        self.refine = Residual(o)

    def forward(self, deep: Tensor, beside: Tensor) -> Tensor:
        return self.refine(joined(self.merge, deep, beside))


class AnalyzerNetwork(nn.Module):
    """Image (N, 3, H, W) in [-1, 1] -> :class:`Analysis`. H and W are multiples of 32 or nearly so (16 works)."""

    def __init__(self, config: AnalyzerConfig | None = None):
        super().__init__()
        self.config = config or AnalyzerConfig()
        w, down = self.config.widths, SqueezeNet.CHANNELS
        self.down = SqueezeNet()
        inside = self.config.deep
        self.deep = nn.Sequential(conv(down[3], w[4], stride=2), Residual(w[4], inside), Residual(w[4], inside))
        # What the whole picture is about, as one gain per channel: cheap context beyond the receptive field.
        self.context = nn.Sequential(nn.Linear(w[4], w[4]), nn.Sigmoid())
        self.up = nn.ModuleList(_Up(w[i + 1], down[i], w[i]) for i in (3, 2, 1))
        self.heatmap_head = nn.Sequential(conv(w[1], w[1]), Pointwise(w[1], JOINT_COUNT))
        self.parsing_up = nn.Sequential(conv(w[1] + down[0], w[0], kernel=1), conv(w[0], w[0]))
        self.parsing_head = Pointwise(w[0], REGION_COUNT)
        head = HELD_HEADS.get(self.config.held)
        self.held_head = None if head is None else head(down, w[4], w[1])

    def features(self, image: Tensor) -> Features:
        """What every answer is made of."""
        levels = self.down(image)
        x = self.deep(levels[3])
        deep = x = x * self.context(x.mean((2, 3)))[:, :, None, None]
        for block, beside in zip(self.up, levels[:0:-1], strict=True):
            x = block(x, beside)
        return Features(levels, deep, x)

    def forward(
        self, image: Tensor, held: int | None = None, hint: float | None = None, joints: bool = True
    ) -> Analysis:
        """``held``: in how many of the pictures, from the first one on, held things are looked for; by default in
        all. ``hint``: a share in (0, 1); in the others only where something in the first is at least as sure.
        Without ``joints`` the heat maps are those of no joint."""
        features = self.features(image)
        known = None
        if self.held_head is not None and held != 0:
            known = self.held_head(features.first(held if hint is None else 1))
            if hint is not None and held != 1 and float(known.amax().sigmoid()) >= hint:
                known = torch.cat([known, self.held_head(features.rest(held))])
        widened, refined = self.parsing_up
        fine = refined(joined(widened, features.up, features.levels[0]))
        heatmaps = self.heatmap_head(features.up) if joints else features.up[:, :0]
        return Analysis(heatmaps, self.parsing_head(fine), known)


def fold_norms(network: N) -> N:
    """The same network for use alone, a quarter faster: every batch normalization becomes part of the convolution
    before it. In place; such a network can neither be trained nor saved as weights."""
    for block in network.eval().modules():
        if isinstance(block, nn.Sequential) and len(block) > 1:
            convolution, norm = block[0], block[1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                block[0], block[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    return network
