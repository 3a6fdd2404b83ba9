"""The analyzer's network as ONNX Runtime runs it on a processor."""

import torch
from torch import Tensor, nn

from pise_core.detection.network import Analysis, AnalyzerNetwork
from pise_core.model.onnx_graph import Graph


class OnnxAnalyzer:
    """A :class:`pise_core.detection.analyzer.AnalyzerBackend`.

    Args:
        network: its graph is made of it when it is first needed.

    Raises:
        InputError: if ONNX Runtime is not installed.
    """

    def __init__(self, network: AnalyzerNetwork) -> None:
        network = network.eval().requires_grad_(False).cpu().to(memory_format=torch.contiguous_format)
        self._graph = Graph(_Seen(network), (torch.zeros(1, 3, 64, 64),), varying=(0, 2, 3))

    @property
    def backend(self) -> str:
        return "onnxruntime cpu float32"

    def __call__(self, images: Tensor) -> Analysis:
        return Analysis(*self._graph(images))


class _Seen(nn.Module):
    """The network's answer with tensors alone."""

    def __init__(self, network: AnalyzerNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(part for part in self.network(images) if part is not None)
