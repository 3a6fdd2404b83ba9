"""The network as ONNX Runtime runs it on a processor."""

import torch
from torch import Tensor, nn

from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE
from pise_core.model.image_generator import SourceCode
from pise_core.model.network import PISE, Carry
from pise_core.model.onnx_graph import Graph
from pise_core.model.tensor_generator import Made, TensorGenerator
from pise_core.regions import REGION_COUNT
from pise_core.skeleton import JOINT_COUNT


class OnnxGenerator(TensorGenerator):
    """A :class:`pise_core.model.generator.Generator`.

    Args:
        model: the network; its graphs are made of it when they are first needed.

    Raises:
        InputError: if ONNX Runtime is not installed, or the network correlates patches as the authors' release does.
    """

    def __init__(self, model: PISE) -> None:
        super().__init__(model.config)
        if model.config.spatial == "release":  # adds to parts of a tensor in place, which exports wrongly, in silence
            raise InputError("weights of the authors' release are run by torch alone; choose that as the backend")
        model = model.eval().requires_grad_(False).cpu().to(memory_format=torch.contiguous_format)
        height, width = FRAME_SIZE[0], FRAME_SIZE[0] if model.config.canvas == "square" else FRAME_SIZE[1]
        #: What is told where nothing is known, and what graphs are exported with.
        self._blank = {n: torch.zeros(1, n, height, width) for n in (1, 3, REGION_COUNT, JOINT_COUNT)}
        image, maps, joints = self._blank[3], self._blank[REGION_COUNT], self._blank[JOINT_COUNT]
        with torch.no_grad():
            code = model.encode(image, maps)
        carried = self._blank[3], self._blank[1]
        self._encoding = Graph(_Encoding(model), (image, maps))
        self._painting = Graph(_Painting(model), (*carried, image, maps, maps, joints, *_known(code)))
        self._parsing = None
        if model.parsing_generator is not None:
            self._parsing = Graph(model.parsing_generator, (maps, joints, joints, maps))

    @property
    def backend(self) -> str:
        return "onnxruntime cpu float32"

    def _encode(self, image: Tensor, parsing: Tensor) -> SourceCode:
        styles, *rest = self._encoding(image, parsing)
        return SourceCode(styles, *(rest or (None, None)))

    def _parse(self, source: Tensor, own: Tensor, wanted: Tensor, carried: Tensor | None) -> Tensor:
        if self._parsing is None:
            raise InputError("these weights edit regions and styles only; for another pose use others")
        (logits,) = self._parsing(source, own, wanted, self._blank[REGION_COUNT] if carried is None else carried)
        return logits

    def _paint(
        self, source: tuple[Tensor, Tensor], code: SourceCode, pose: Tensor, wanted: Tensor, carry: Carry | None
    ) -> Made:
        carried = (self._blank[3], self._blank[1]) if carry is None else (carry.image, carry.trust)
        return Made(*self._painting(*carried, *source, wanted, pose, *_known(code)))


def _known(code: SourceCode) -> list[Tensor]:
    return [tensor for tensor in code if tensor is not None]


class _Encoding(nn.Module):
    """``PISE.encode`` with tensors alone."""

    def __init__(self, model: PISE) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor, parsing: Tensor) -> tuple[Tensor, ...]:
        return tuple(_known(self.model.encode(image, parsing)))


class _Painting(nn.Module):
    """``ImageGenerator.forward`` with tensors alone."""

    def __init__(self, model: PISE) -> None:
        super().__init__()
        self.generator = model.image_generator

    def forward(
        self,
        colours: Tensor,
        trust: Tensor,
        image: Tensor,
        parsing: Tensor,
        wanted: Tensor,
        pose: Tensor,
        *code: Tensor,
    ) -> tuple[Tensor, ...]:
        styles, *rest = code
        source = SourceCode(styles, *(rest or (None, None)))
        made = self.generator(source, image, parsing, wanted, pose, (colours, trust))
        return made.image, made.painted, made.gate
