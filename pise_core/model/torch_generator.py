"""The network as PyTorch runs it, on a processor or a GPU, in float32 or with layers in bfloat16."""

import torch
from torch import Tensor

from pise_core.model.image_generator import SourceCode
from pise_core.model.network import PISE, Carry
from pise_core.model.tensor_generator import Made, TensorGenerator

#: Types that layers may compute in.
PRECISIONS = ("float32", "bfloat16")


def layers_in(precision: str, device: str) -> torch.autocast:
    """Within the block, layers that need no full precision compute in ``precision``, one of :data:`PRECISIONS`."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bfloat16")


class TorchGenerator(TensorGenerator):
    """A :class:`pise_core.model.generator.Generator`.

    Args:
        model: the network.
        device: "cpu", "cuda" or "cuda:N".
        precision: "float32", or "bfloat16" for convolutions and matrix products in bfloat16; softmax, likenesses and
            statistics stay in float32, and so do all weights.
    """

    def __init__(self, model: PISE, device: str = "cpu", precision: str = "float32") -> None:
        super().__init__(model.config, device)
        self.model = model.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
        self.precision = precision

    @property
    def backend(self) -> str:
        return f"torch {self.device} {self.precision}"

    def on_processor(self) -> "TorchGenerator":
        """The same network with the same weights, on a processor; nothing more is asked of the device it lies on."""
        model = PISE(self.config)
        model.load_state_dict({name: values.cpu() for name, values in self.model.state_dict().items()})
        return TorchGenerator(model, "cpu", self.precision)

    def _encode(self, image: Tensor, parsing: Tensor) -> SourceCode:
        with layers_in(self.precision, self.device):
            return self.model.encode(image, parsing)

    def _parse(self, source: Tensor, own: Tensor, wanted: Tensor, carried: Tensor | None) -> Tensor:
        with layers_in(self.precision, self.device):
            return self.model.generate_parsing(source, own, wanted, carried).float()

    def _paint(
        self, source: tuple[Tensor, Tensor], code: SourceCode, pose: Tensor, wanted: Tensor, carry: Carry | None
    ) -> Made:
        with layers_in(self.precision, self.device):
            # The source's own pose has no say where the map is given.
            made = self.model(*source, pose, pose, wanted, carry=carry, source=code)
        return Made(made.image.float(), made.painted.float(), made.gate.float())
