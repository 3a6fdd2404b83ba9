"""What lies behind somebody, in the large, as a small network expects it.

It was shown street photos with holes in the shape of people. It continues walls, horizons and kerbs, and is vague
where nobody could know: fine texture comes from the photo itself (:mod:`pise_core.inpainting.background`).
"""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.detection import small_networks
from pise_core.detection.blocks import Residual, conv, enlarged
from pise_core.detection.small_networks import at_work, channels_of
from pise_core.model.weights import SHIPPED

FILE_NAME = "background.safetensors"
#: Long side of what the network sees, in cells, and what both sides are multiples of.
SIDE, MULTIPLE = 192, 16


@dataclass(frozen=True)
class BackgroundConfig:
    """Channels at strides 1, 2, 4, 8 and 16, and heads of its attention."""

    channels: tuple[int, ...] = (12, 32, 64, 112, 160)
    heads: int = 4

    def to_dict(self) -> dict:
        """As written into weights."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "BackgroundConfig":
        """
        Raises:
            ValueError: if the values are none of such a network.
        """
        channels, heads = channels_of(values, len(cls.channels)), values.get("heads")
        if type(heads) is not int or not 1 <= heads <= channels[3]:
            raise ValueError("heads are a whole number")
        if channels[3] % heads:
            raise ValueError("the channels at stride 8 are no multiple of the heads")
        return cls(channels, heads)


class Attention(nn.Module):
    """(N, C, H, W) -> the same shape: every place looks at all others, what repeats goes on.

    Args:
        channels: C.
        heads: that C is a multiple of.
    """

    def __init__(self, channels: int, heads: int):
        super().__init__()
        self._heads = heads
        self.norm = nn.LayerNorm(channels)
        self.asked = nn.Linear(channels, 3 * channels)
        self.told = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        places = x.flatten(2).transpose(1, 2)
        many, count, channels = places.shape
        asked = self.asked(self.norm(places)).reshape(many, count, 3, self._heads, channels // self._heads)
        query, key, value = (one.contiguous() for one in asked.permute(2, 0, 3, 1, 4))
        found = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(many, count, channels)
        return x + self.told(found).transpose(1, 2).reshape(x.shape)


class BackgroundNetwork(nn.Module):
    """(N, 4, H, W) -> (N, 3, H, W): colours less 0.5, of :func:`seen` and as expected everywhere."""

    def __init__(self, config: BackgroundConfig | None = None):
        super().__init__()
        self.config = config or BackgroundConfig()
        whole, half, quarter, eighth, deep = self.config.channels
        self.stride_2 = nn.Sequential(conv(4, half, 5, stride=2), conv(half, half))
        self.stride_4 = nn.Sequential(conv(half, quarter, stride=2), Residual(quarter))
        self.stride_8 = nn.Sequential(conv(quarter, eighth, stride=2), Residual(eighth), Residual(eighth, dilation=2))
        self.stride_16 = nn.Sequential(conv(eighth, deep, stride=2), Residual(deep), Residual(deep, dilation=2))
        self.up_8 = nn.Sequential(conv(eighth + deep, eighth), Attention(eighth, self.config.heads))
        self.beside = nn.Sequential(Residual(eighth), Attention(eighth, self.config.heads))
        self.up_4 = nn.Sequential(conv(quarter + eighth, quarter), Residual(quarter))
        self.up_2 = conv(half + quarter, half)
        self.up_1 = conv(4 + half, whole)
        self.out = nn.Conv2d(whole, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        smooth = spread(x)
        x = torch.cat([smooth, x[:, 3:]], 1)
        half = self.stride_2(x)
        quarter = self.stride_4(half)
        eighth = self.stride_8(quarter)
        y = self.stride_16(eighth)
        y = self.beside(self.up_8(torch.cat([eighth, enlarged(y, eighth)], 1)))
        y = self.up_4(torch.cat([quarter, enlarged(y, quarter)], 1))
        y = self.up_2(torch.cat([half, enlarged(y, half)], 1))
        return smooth + self.out(self.up_1(torch.cat([x, enlarged(y, x)], 1)))


def spread(x: Tensor) -> Tensor:
    """(N, 4, H, W) of :func:`seen` -> (N, 3, H, W): colours where they are known, spread smoothly into the rest. Means
    of ever larger squares are laid over what is still open (after Gortler et al. 1996)."""
    colours, known = x[:, :3], x[:, 3:]
    if max(x.shape[2:]) == 1:
        return colours
    sums, share = F.avg_pool2d(colours, 2, ceil_mode=True), F.avg_pool2d(known, 2, ceil_mode=True)
    means = torch.cat([sums / share.clamp(min=1e-6), (share > 0).to(x.dtype)], 1)
    return torch.where(known > 0, colours, enlarged(spread(means), x))


def seen(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """What the network is shown: (4, H, W) float32, colours in [-0.5, 0.5] and 1 where they are known, all 0 elsewhere.

    Args:
        image: (H, W, 3) uint8.
        known: (H, W) bool.
    """
    colours = (image.astype(np.float32) / 255 - 0.5) * known[..., None]
    return np.concatenate([colours, known[..., None].astype(np.float32)], 2).transpose(2, 0, 1)


def continued(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: an image (H, W, 3) uint8 whose colours are spread smoothly from where it is ``known`` (H, W)
    bool into the rest."""
    smooth = spread(torch.from_numpy(seen(image, known)[None]))[0].permute(1, 2, 0).numpy()
    return np.clip(np.rint((smooth + 0.5) * 255), 0, 255).astype(np.uint8)


class HiddenBackground:
    """The network at work, on the processor: it is small.

    Args:
        network: whose norms are folded into its layers.
    """

    def __init__(self, network: BackgroundNetwork):
        self._network = at_work(network)

    @classmethod
    def read(cls, path: Path) -> "HiddenBackground":
        """The weights of a file.

        Raises:
            InputError: if it is missing, damaged or holds another network.
        """
        return cls(small_networks.read(path, BackgroundNetwork, BackgroundConfig))

    @torch.inference_mode()
    def __call__(self, image: np.ndarray, known: np.ndarray) -> np.ndarray:
        """What is expected.

        Args:
            image: (h, w, 3) uint8.
            known: (h, w) bool.

        Returns:
            (h, w, 3) uint8, also where it is known.
        """
        height, width = known.shape
        scale = SIDE / max(height, width)
        size = [max(MULTIPLE, round(side * scale / MULTIPLE) * MULTIPLE) for side in (width, height)]
        share = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        shown = cv2.resize(cv2.copyTo(image, known.view(np.uint8)), size, interpolation=cv2.INTER_AREA)
        shown = np.clip(np.rint(shown / np.maximum(share, 0.02)[..., None]), 0, 255).astype(np.uint8)
        x = torch.from_numpy(seen(shown, share >= 0.5)[None]).to(memory_format=torch.channels_last)
        found = self._network(x)[0].permute(1, 2, 0).numpy()
        colours = np.clip(np.rint((found + 0.5) * 255), 0, 255).astype(np.uint8)
        return cv2.resize(colours, (width, height), interpolation=cv2.INTER_CUBIC)


@cache
def shipped() -> HiddenBackground:
    """The weights that ship, read when they are first asked for."""
    return HiddenBackground.read(SHIPPED / FILE_NAME)
