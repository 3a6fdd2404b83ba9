"""The detail path: the source's own pixels, carried part by part, feed the decoder and finish its picture.

This goes beyond the paper. Spatial-aware normalization carries scale and bias at a quarter of the resolution; what
it cannot carry (a print, an eye) is moved as pixels, and the network decides where to keep them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.model.blocks import SLOPE, instance_norm
from pise_core.regions import REGION_COUNT


class DetailPath(nn.Module):
    """Inputs are carried pixels (3), their trust (1) and the wanted map (8)."""

    def __init__(self, width: int):
        super().__init__()
        inputs = 3 + 1 + REGION_COUNT
        self.to_half = nn.Conv2d(inputs, 2 * width, 4, 2, 1)
        self.half_norm = instance_norm(2 * width, affine=True)
        self.to_quarter = nn.Conv2d(2 * width, 4 * width, 4, 2, 1)
        answer = nn.Conv2d(width, 4, 3, 1, 1)
        # At first the carried pixels are believed where they are trusted, and nothing is corrected.
        nn.init.zeros_(answer.weight)
        answer.bias = nn.Parameter(torch.tensor([0.0, 0.0, 0.0, 2.0]))
        self.finisher = nn.Sequential(
            nn.Conv2d(width + inputs, width, 3, 1, 1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, width, 3, 1, 1),
            nn.LeakyReLU(SLOPE),
            answer,
        )

    def encode(self, image: Tensor, trust: Tensor, parsing: Tensor) -> tuple[Tensor, Tensor]:
        """What is added to the decoder at H/4 (4 width channels) and at H/2 (2 width)."""
        half = F.leaky_relu(self.half_norm(self.to_half(torch.cat([image, trust, parsing], 1))), SLOPE)
        return self.to_quarter(half), half

    def finish(
        self, features: Tensor, colours: Tensor, image: Tensor, trust: Tensor, parsing: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The decoder's picture (N, 3, H, W) in [-1, 1], corrected with the carried pixels in view, and a gate
        (N, 1, H, W) in [0, 1]: the share of those pixels in the result, where they are fully trusted."""
        answer = self.finisher(torch.cat([F.leaky_relu(features, SLOPE), image, trust, parsing], 1))
        return torch.tanh(colours + answer[:, :3]), torch.sigmoid(answer[:, 3:])
