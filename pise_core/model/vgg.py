"""VGG-19 from the image up to the deepest layer that is asked for, at any width.

At width 64 this is torchvision's VGG-19 (its own keys load into it), the teacher of the losses. Narrower and up to
conv3_1, it is the matching encoder that ships: the same layers, learned beside the generator to stand in for the
teacher.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
#: Convolutions of each block, and their channels in widths. A pooling layer follows each block.
_BLOCKS = ((2, 1), (2, 2), (4, 4), (4, 8), (4, 8))
#: "conv3_1" -> 10: the number of every convolution among torchvision's ``features``; its ReLU has the next number.
NUMBERS = {
    f"conv{block + 1}_{place + 1}": sum(2 * depth + 1 for depth, _ in _BLOCKS[:block]) + 2 * place
    for block, (depth, _) in enumerate(_BLOCKS)
    for place in range(depth)
}
SHALLOW_LAYERS = ("relu1_1", "relu2_1", "relu2_2", "conv3_1")


class VGGSlice(nn.Module):
    """Layers are numbered as in torchvision (``features.0`` ... ``features.10`` up to conv3_1).

    Args:
        width: channels of the first layer.
        statistics: the image is first normalized as ImageNet's were; the authors' release does without.
        layers: what to answer, such as "relu2_2" or "conv3_1"; those beyond the deepest are left out.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, width: int = 64, statistics: bool = True, layers: tuple[str, ...] = SHALLOW_LAYERS):
        super().__init__()
        self.statistics = statistics
        self.layers = layers
        self.features = nn.ModuleDict()
        #: The name behind "conv" and "relu" of each layer, down to the deepest.
        self._order: list[str] = []
        deepest, channels = max(NUMBERS["conv" + name[4:]] for name in layers), 3
        for name, number in NUMBERS.items():
            if number > deepest:
                break
            out = width * _BLOCKS[int(name[4]) - 1][1]
            self.features[str(number)] = nn.Conv2d(channels, out, 3, 1, 1)
            self._order.append(name[4:])
            channels = out
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Image (N, 3, H, W) in [-1, 1] -> the wanted layers by name; conv3_1 is (N, 4 width, H/4, W/4)."""
        x = ((image + 1) / 2 - self.mean) / self.std if self.statistics else image
        seen = {}
        for name, layer in zip(self._order, self.features.values(), strict=True):
            if name.endswith("_1") and name != "1_1":
                x = F.max_pool2d(x, 2)
            x = layer(x)
            if f"conv{name}" in self.layers:
                seen[f"conv{name}"] = x
            if name == self._order[-1] and f"relu{name}" not in self.layers:
                break
            x = F.relu(x)
            if f"relu{name}" in self.layers:
                seen[f"relu{name}"] = x
        return seen
