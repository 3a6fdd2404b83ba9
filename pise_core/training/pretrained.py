"""Networks that others have trained: fetched by torch's hub, or in a file that was given."""

import pickle
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from pise_core.errors import HubUnreachable, InputError

#: What reading a file of weights ends in where it is damaged, or is something else.
#: What the readers of damaged files raise; RecursionError is a RuntimeError.
_DAMAGED = (
    SafetensorError, RuntimeError, OSError, LookupError, ValueError, EOFError, TypeError, AttributeError,
    AssertionError, ImportError, MemoryError, ArithmeticError, struct.error, pickle.UnpicklingError,
)  # fmt: skip


@contextmanager
def fetched(name: str, url: str, otherwise: str = "") -> Iterator[None]:
    """Around whatever lets torch's hub fetch a network: says what is missing, and where it belongs.

    Args:
        name: of the network.
        url: of its file.
        otherwise: what else can be done, to end the message with.

    Raises:
        HubUnreachable: if the hub can't be reached, or its file is damaged.
    """
    try:
        yield
    except (*_DAMAGED, HTTPException) as error:
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise HubUnreachable(
            f"{name} can't be fetched ({_reason(error)}); put {url} into {folder}, or set TORCH_HOME to a folder that "
            f"holds hub/checkpoints/{url.rpartition('/')[2]}{otherwise}"
        ) from None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors by name, from a safetensors file or a .pth of them.

    Raises:
        InputError: if the file is damaged, or holds something else.
    """
    try:
        if path.suffix == ".safetensors":
            return load_file(str(path))
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGED as error:
        raise InputError(f"{path} is not a readable file of weights ({_reason(error)})") from None
    if not isinstance(tensors, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in tensors.items()
    ):
        raise InputError(f"{path} is not a file of weights: it holds something else than named tensors")
    return tensors


def _reason(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
