"""The parsing generator (section 3.1): the source's map, deformed to the wanted pose."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.model.blocks import GATED_SLOPE, DownBlock, GatedConv, OutputBlock, UpBlock
from pise_core.model.config import PISEConfig
from pise_core.regions import REGION_COUNT
from pise_core.skeleton import JOINT_COUNT


class ParsingGenerator(nn.Module):
    """Four down-sampling blocks, two gated convolutions that deform, a residual decoder of four.

    The narrowest layer has half the channels of ``config.width`` (the paper: 32). With the detail path the map carried
    part by part enters beside the paper's inputs and is joined with the decoder's answer at full resolution.
    """

    def __init__(self, config: PISEConfig):
        super().__init__()
        w, detail = max(config.width // 2, 1), config.detail_path
        kind = {"slope": GATED_SLOPE, "affine": False}
        inputs = REGION_COUNT + 2 * JOINT_COUNT + (REGION_COUNT if detail else 0)
        self.detail = detail
        self.down = nn.Sequential(
            DownBlock(inputs, 2 * w, hidden=w, raw=not config.normalized_inputs, **kind),
            DownBlock(2 * w, 4 * w, **kind),
            DownBlock(4 * w, 8 * w, **kind),
            DownBlock(8 * w, 16 * w, **kind),
        )
        gated = "gated_convolution" in config.printed
        self.deform = nn.Sequential(GatedConv(16 * w, gated), GatedConv(16 * w, gated))
        self.up = nn.Sequential(
            UpBlock(16 * w, 8 * w, **kind),
            UpBlock(8 * w, 4 * w, **kind),
            UpBlock(4 * w, 2 * w, **kind),
            UpBlock(2 * w, w, **kind),
        )
        self.out = OutputBlock(w, REGION_COUNT, **kind)
        if detail:
            self.join = nn.Sequential(
                nn.Conv2d(w + 2 * REGION_COUNT, 2 * w, 3, 1, 1),
                nn.LeakyReLU(GATED_SLOPE),
                nn.Conv2d(2 * w, 2 * w, 3, 1, 2, dilation=2),
                nn.LeakyReLU(GATED_SLOPE),
                nn.Conv2d(2 * w, REGION_COUNT, 3, 1, 1),
            )

    def forward(
        self, source_parsing: Tensor, source_pose: Tensor, target_pose: Tensor, carried: Tensor | None = None
    ) -> Tensor:
        """Logits (N, 8, H, W).

        Args:
            source_parsing: (N, 8, H, W) one-hot; H and W are multiples of 16.
            source_pose, target_pose: (N, 18, H, W) heat maps.
            carried: (N, 8, H, W), one-hot where the carried map is known and all zero where it is not.
        """
        if carried is None:
            carried = torch.zeros_like(source_parsing)
        told = [source_parsing, source_pose, target_pose, *([carried] if self.detail else [])]
        features = self.up(self.deform(self.down(torch.cat(told, 1))))
        logits = self.out(features)
        if self.detail:
            features = F.leaky_relu(features, GATED_SLOPE)
            logits = logits + self.join(torch.cat([features, logits, carried], 1))
        return logits
