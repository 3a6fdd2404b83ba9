"""The discriminator of eq. 12: residual, patch-wise, spectrally normalized."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from pise_core.model.blocks import SLOPE


class _Block(nn.Module):
    def __init__(self, i: int, o: int, hidden: int):
        super().__init__()
        self.conv1 = spectral_norm(nn.Conv2d(i, hidden, 3, 1, 1))
        self.conv2 = spectral_norm(nn.Conv2d(hidden, o, 4, 2, 1))
        self.shortcut = spectral_norm(nn.Conv2d(i, o, 1))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x, SLOPE)), SLOPE))
        return y + self.shortcut(F.avg_pool2d(x, 2))


class Discriminator(nn.Module):
    """Image (N, 3, H, W) in [-1, 1] -> logits (N, 1, H/16, W/16), high where it looks real.

    Args:
        width: 32 is the paper's.
        conditions: channels that are judged beside the image: the wanted parsing, so that a picture of something else
            is not real either. None in the paper.
    """

    def __init__(self, width: int = 32, conditions: int = 0):
        super().__init__()
        w = width
        self.body = nn.Sequential(
            _Block(3 + conditions, w, w), _Block(w, 2 * w, w), _Block(2 * w, 4 * w, 2 * w), _Block(4 * w, 4 * w, 4 * w)
        )
        self.out = spectral_norm(nn.Conv2d(4 * w, 1, 1))

    def forward(self, image: Tensor, conditions: Tensor | None = None) -> Tensor:
        """``conditions``: (N, conditions, H, W), where the discriminator was made for some."""
        image = image if conditions is None else torch.cat([image, conditions], 1)
        return self.out(F.leaky_relu(self.body(image), SLOPE))
