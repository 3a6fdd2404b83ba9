"""Modules as ONNX Runtime runs them: exported in memory when they are first needed, from the weights as they are.

Nothing is written to disk, so that no graph can be older than its weights; an export takes about a second.
"""

import importlib.util
import io
import threading
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Any

import torch
from torch import Tensor, nn

from pise_core.errors import InputError

#: Of ONNX, the first that all operators here are in.
_OPSET = 17
_exporter: Any = torch.onnx  # whose types are narrower than what it takes


def installed() -> bool:
    """Whether what exports and runs graphs is there."""
    return all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def check_installed() -> None:
    """
    Raises:
        InputError: if graphs can't be exported or run here.
    """
    if not installed():
        raise InputError("ONNX Runtime is not installed; install it with: pip install onnx onnxruntime")


class Graph:
    """A module of tensors, run by ONNX Runtime on the processor. Threads may share it; copies begin again.

    Args:
        module: takes and returns float32 tensors, on the CPU.
        examples: what it is exported with; other inputs have the same shapes, but for the axes in ``varying``.
        varying: axes of the first input and of all outputs that may have another length.
    """

    def __init__(self, module: nn.Module, examples: Sequence[Tensor], varying: Sequence[int] = ()) -> None:
        check_installed()
        # The exporter puts a module back into the mode that it was in, and all that is in it.
        self._module, self._examples, self._varying = module.eval(), examples, varying
        self._lock, self._session = threading.Lock(), None

    def __getstate__(self) -> dict[str, Any]:
        return {name: vars(self)[name] for name in ("_module", "_examples", "_varying")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _lock=threading.Lock(), _session=None)

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        """What the module answers, one tensor or several."""
        session = self._ready()
        wanted = {given.name for given in session.get_inputs()}  # but for those that the module leaves unused
        named = {_input(n): tensor.contiguous().numpy() for n, tensor in enumerate(inputs)}
        arrays = {name: array for name, array in named.items() if name in wanted}
        return [torch.from_numpy(array) for array in session.run(None, arrays)]

    def _ready(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = _session(self.exported())
            return self._session

    def exported(self) -> bytes:
        """The graph as the bytes of an ``.onnx`` file."""
        count = len(self._flat())
        inputs = [_input(n) for n in range(len(self._examples))]
        outputs = [f"output{n}" for n in range(count)]
        axes = {axis: f"axis{axis}" for axis in self._varying}
        varying = dict.fromkeys([inputs[0], *outputs], axes) if axes else None
        buffer = io.BytesIO()
        # What can't be exported is printed by the exporter, all of it.
        with warnings.catch_warnings(), torch.no_grad(), redirect_stdout(io.StringIO()):
            # Shapes are constants of a trace, which is meant here; and the newer exporter takes half a minute instead.
            warnings.simplefilter("ignore")
            _teach_exporter()
            try:
                _exporter.export(
                    self._module, tuple(self._examples), buffer, input_names=inputs, output_names=outputs,
                    dynamic_axes=varying, opset_version=_OPSET, dynamo=False,
                )  # fmt: skip
            except torch.onnx.errors.OnnxExporterError as error:
                reason = str(error).splitlines()[0]
                raise InputError(f"these weights can't be run by ONNX Runtime; use torch ({reason})") from None
        return buffer.getvalue()

    def _flat(self) -> tuple[Tensor, ...]:
        with torch.no_grad():
            answer = self._module(*self._examples)
        return (answer,) if isinstance(answer, Tensor) else tuple(answer)


def _input(number: int) -> str:
    return f"input{number}"


def _session(graph: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # As many threads as PyTorch has, which wait without keeping a core busy: the studio needs them for other work.
    options.intra_op_num_threads = torch.get_num_threads()
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _teach_exporter() -> None:
    """What ONNX has and the exporter does not know of."""

    def atanh(graph: Any, x: Any) -> Any:
        return graph.op("Atanh", x)

    _exporter.register_custom_op_symbolic("aten::atanh", atanh, _OPSET)
