"""A large inpainting network from the hub: what lies behind people, as LaMa says it (Suvorov et al., WACV 2022).

The hub has Big-LaMa, the authors' network, as an ONNX graph of 208 MB. ONNX Runtime runs it on the processor, for which
``pip install onnxruntime`` is needed.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pise_core.detection.hub import LoadedLater, fetch
from pise_core.errors import InputError
from pise_core.inpainting.inpainted import SIDE

#: To be shown wherever the network is offered.
LICENCE = "LaMa (Samsung AI, as ONNX by Carve): Apache-2.0. 208 MB are fetched on first use."
#: What the hub's file is called in documents and reports.
NAME = "LaMa"

_REPOSITORY = "Carve/LaMa-ONNX"
_FILENAME = "lama_fp32.onnx"
_SHA256 = "1faef5301d78db7dda502fe59966957ec4b79dd64e16f03ed96913c7a4eb68d6"

#: The graph's inputs: colours in [0, 1], and 1 where they are to be made; its answer is colours in [0, 255].
_INPUTS = {"image": 3, "mask": 1}
_BLOCK = 1 << 20
#: So much of a file's name is told: documents keep 60 characters, those of the digest among them.
_LONGEST = 47


class LamaInpainter(LoadedLater):
    """Continues pictures into holes. Loads and fetches when first asked; safe across threads.

    Args:
        file: a local graph with the same inputs and outputs instead of the hub's.
    """

    def __init__(self, file: str | Path | None = None) -> None:
        super().__init__()
        self._file = None if file is None else Path(file)
        self._name = NAME

    def __reduce__(self) -> tuple[type["LamaInpainter"], tuple[Path | None]]:
        """Copies load the file again."""
        return LamaInpainter, (self._file,)

    @property
    def name(self) -> str:
        """What tells it from other networks: the hub's is ``LaMa``, others have the file's name and a part of its
        digest.

        Raises:
            HubUnreachable: if the hub's file has to be fetched and can't be.
            InputError: if the file is not there, or no such network.
        """
        self.load()
        return self._name

    def __call__(self, picture: np.ndarray, hole: np.ndarray) -> np.ndarray:
        """The picture continued into its hole.

        Args:
            picture: (512, 512, 3) uint8 RGB.
            hole: (512, 512) bool.

        Returns:
            (512, 512, 3) uint8; outside the hole much like the picture.

        Raises:
            HubUnreachable: if the weights have to be fetched and can't be.
            InputError: if the file is not there, or no such network.
        """
        self.load()
        image = picture.astype(np.float32).transpose(2, 0, 1)[None] / 255
        image[:, :, hole] = 0
        try:
            with self._lock:
                (answer,) = self._network.run(None, {"image": image, "mask": hole[None, None].astype(np.float32)})
        except Exception as error:  # a graph may be sound and still ask for what can't be; see _load
            raise InputError(f"{self._name} can't be run on a picture; give another background") from error
        if answer.shape != image.shape or not np.isfinite(answer).all():
            raise InputError(f"{self._name} answers with no picture; give another background")
        return np.clip(np.rint(answer[0].transpose(1, 2, 0)), 0, 255).astype(np.uint8)

    def _load(self, told: Callable[[float], None] | None) -> Any:
        try:
            import onnxruntime
        except ImportError:
            raise InputError("the background LaMa needs ONNX Runtime: pip install onnxruntime") from None
        file = self._file or fetch(_REPOSITORY, _FILENAME, _SHA256, told, instead="the background that ships")
        if not file.is_file():
            raise InputError(f"there is no file {file}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # It is asked once for a photo: what it computed with is given back until then.
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has many families of errors, whose base is Exception
            raise InputError(f"{file} is no ONNX graph that can be run here") from error
        if not _fits(session):
            wanted = ", ".join(f"{name} float32 (1, {channels}, {SIDE}, {SIDE})" for name, channels in _INPUTS.items())
            raise InputError(f"{file} is no inpainting network of {wanted} with one picture as its answer")
        if self._file is not None:
            self._name = f"{self._file.name[:_LONGEST]} {_digest(self._file)[:12]}"
        return session


def inpainter_of(background: str | Path | None) -> LamaInpainter | None:
    """The inpainting network that is meant by ``lama`` or the path of an ONNX graph, loaded; None for None, the
    background that ships.

    Raises:
        HubUnreachable: if it has to be fetched and can't be.
        InputError: if there is no such file or it is no such network.
    """
    if background is None:
        return None
    inpainter = LamaInpainter(None if str(background).lower() == NAME.lower() else background)
    inpainter.load()
    return inpainter


def _fits(session: Any) -> bool:
    """Whether a graph takes what is given to it; a length that it does not fix may be any."""
    shapes = {given.name: given.shape for given in session.get_inputs()}
    kinds = {one.type for one in (*session.get_inputs(), *session.get_outputs())}
    if shapes.keys() != _INPUTS.keys() or len(session.get_outputs()) != 1 or kinds != {"tensor(float)"}:
        return False
    wanted = {name: (1, channels, SIDE, SIDE) for name, channels in _INPUTS.items()}
    return all(
        len(shape) == 4
        and all(not isinstance(side, int) or side == length for side, length in zip(shape, wanted[name], strict=True))
        for name, shape in shapes.items()
    )


def _digest(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
