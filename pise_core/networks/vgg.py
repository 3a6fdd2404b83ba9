"""VGG-19 from the image up to conv3_1, at any width.

At width 64 this is torchvision's VGG-19 (its own keys load into it), the teacher of the losses. Narrower, it is the
matching encoder that ships: the same layers, learned beside the generator to stand in for the teacher.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class VGGSlice(nn.Module):
    """Layers are named as in torchvision (``features.0`` ... ``features.10``).

    ``statistics``: the image is first normalized as ImageNet's were; the authors' release does without.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, width: int = 64, statistics: bool = True):
        super().__init__()
        self.statistics = statistics
        w = width
        self.features = nn.ModuleDict(
            {
                "0": nn.Conv2d(3, w, 3, 1, 1),
                "2": nn.Conv2d(w, w, 3, 1, 1),
                "5": nn.Conv2d(w, 2 * w, 3, 1, 1),
                "7": nn.Conv2d(2 * w, 2 * w, 3, 1, 1),
                "10": nn.Conv2d(2 * w, 4 * w, 3, 1, 1),
            }
        )
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Image (N, 3, H, W) in [-1, 1] -> relu1_1, relu2_1, relu2_2 and conv3_1 (N, 4 width, H/4, W/4)."""
        layer = self.features
        x = ((image + 1) / 2 - self.mean) / self.std if self.statistics else image
        relu1_1 = F.relu(layer["0"](x))
        x = F.max_pool2d(F.relu(layer["2"](relu1_1)), 2)
        relu2_1 = F.relu(layer["5"](x))
        relu2_2 = F.relu(layer["7"](relu2_1))
        conv3_1 = layer["10"](F.max_pool2d(relu2_2, 2))
        return {"relu1_1": relu1_1, "relu2_1": relu2_1, "relu2_2": relu2_2, "conv3_1": conv3_1}
