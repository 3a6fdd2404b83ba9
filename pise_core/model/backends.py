"""What can run the networks, by name. Which one does is never decided by timing: the same name, the same bytes."""

import torch

from pise_core.errors import InputError
from pise_core.model import onnx_graph
from pise_core.model.network import PISE
from pise_core.model.onnx_generator import OnnxGenerator
from pise_core.model.tensor_generator import TensorGenerator
from pise_core.model.torch_generator import TorchGenerator

#: "torch": PyTorch in float32. "bfloat16": PyTorch with layers in bfloat16. "onnxruntime": ONNX Runtime in float32, on
#: a processor. "auto": what is installed and what the device has decide, see :func:`resolved`.
BACKENDS = ("torch", "bfloat16", "onnxruntime", "auto")
#: Units for bfloat16, as processors call them.
_UNITS = ("avx512_bf16", "amx_bf16", "bf16")


def resolved(name: str, device: str) -> str:
    """The backend that a name stands for on a device: a name of :data:`BACKENDS` other than "auto".

    "auto" is "bfloat16" where the device has units for that, else "onnxruntime" on processors where it is installed,
    else "torch".

    Raises:
        InputError: if there is no such backend, or it is not there.
    """
    if name not in BACKENDS:
        raise InputError(f"there is no backend {name!r}; choose one of {', '.join(BACKENDS)}")
    on_processor = torch.device(device).type == "cpu"
    if name == "auto":
        if has_bfloat16(device):
            return "bfloat16"
        return "onnxruntime" if on_processor and onnx_graph.installed() else "torch"
    if name == "onnxruntime":
        if not on_processor:
            raise InputError(f"onnxruntime runs the networks on a processor here, not on {device!r}; use device cpu")
        onnx_graph.check_installed()
    return name


def has_bfloat16(device: str) -> bool:
    """Whether a device has units for bfloat16; others compute in it as well, but slowly."""
    if torch.device(device).type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    if torch.device(device).type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):
        return False
    known = torch.cpu.get_capabilities()
    return any(known.get(unit) for unit in _UNITS)


def generator(model: PISE, backend: str, device: str) -> TensorGenerator:
    """The network, run by a backend that :func:`resolved` has named."""
    if backend == "onnxruntime":
        return OnnxGenerator(model)
    return TorchGenerator(model, device, "bfloat16" if backend == "bfloat16" else "float32")
