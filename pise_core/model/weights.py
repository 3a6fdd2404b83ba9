"""Weights on disk: one safetensors file per network, its configuration inside, no code and no pickles.

The note ``sha256`` is the checksum of all that follows the file's first eight bytes, with 64 zeros in its own place.
Safetensors itself notices a file that was cut off, and nothing else.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Protocol, TypeVar, cast

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from pise_core.errors import InputError
from pise_core.files import replacing

_PACKAGE = Path(__file__).resolve().parents[1]
#: Where the shipped weights lie: inside an installed package, beside it in a checkout.
SHIPPED = _PACKAGE / "_weights" if (_PACKAGE / "_weights").is_dir() else _PACKAGE.parent / "weights"
#: After the name of a matrix of bytes: what its rows are to be multiplied by.
_SCALE = ".scale"
_CHECKSUM, _ZEROS = "sha256", "0" * 64

M = TypeVar("M", bound=nn.Module)


class _Configured(Protocol):
    """A frozen configuration that can be written down."""

    def to_dict(self) -> dict: ...


def save_model(
    path: Path,
    module: nn.Module,
    dtype: torch.dtype = torch.float32,
    pack: Collection[str] = (),
    **notes: str,
) -> None:
    """Write ``module`` and its ``config`` (anything with ``to_dict()``); ``notes`` become metadata.

    ``dtype`` float16 halves the file, and matrices that ``pack`` names take a byte a number; weights are float32 again
    once read.
    """
    tensors = {
        name: (value.to(dtype) if value.is_floating_point() else value).contiguous().cpu()
        for name, value in module.state_dict().items()
    }
    for name in pack:
        tensors[name], scale = packed(module.state_dict()[name].float().cpu())
        tensors[name + _SCALE] = scale.half()
    config = cast(_Configured, module.config)
    metadata = {"format": "pt", "network": type(module).__name__, "config": json.dumps(config.to_dict())}
    write_tensors(path, tensors, {**metadata, **notes})


def write_tensors(path: Path, tensors: Mapping[str, torch.Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file.

    Raises:
        InputError: if it can't be written.
    """
    with replacing(path) as partial:
        try:
            save_file(dict(tensors), str(partial), metadata={**metadata, _CHECKSUM: _ZEROS})
            _sort_notes(partial)
            _sign(partial)
        except SafetensorError as error:  # a full disk, too
            raise OSError(str(error)) from None


def _sort_notes(path: Path) -> None:
    """Put a file's metadata in the order of names: safetensors writes it in another order in every process, and the
    same weights are to be the same bytes."""
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        written = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(written) > length:
            raise OSError(f"the header of {path} does not fit into its place")
        file.seek(8)
        file.write(written.ljust(length))


def _sign(path: Path) -> None:
    """Put the checksum in its place."""
    digest = _digest(path, _ZEROS).encode()
    with path.open("r+b") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
        file.seek(8 + header.index(_ZEROS.encode()))
        file.write(digest)


def _digest(path: Path, known: str) -> str:
    """The checksum of a file, in which ``known`` stands now."""
    with path.open("rb") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
        made = hashlib.sha256(header.replace(known.encode(), _ZEROS.encode(), 1))
        while chunk := file.read(1 << 20):
            made.update(chunk)
    return made.hexdigest()


def read_model(path: Path) -> tuple[str, dict, dict[str, torch.Tensor]]:
    """Name of the network, its configuration, and float32 tensors.

    Raises:
        InputError: if the file is missing, damaged, or not one of ours.
    """
    if not Path(path).is_file():
        raise InputError(f"the weights {path} are missing; give the folder that holds them, or reinstall the project")
    try:
        with safe_open(str(path), "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path} is not a readable safetensors file ({reason})") from None
    known = metadata.get(_CHECKSUM)
    if known is not None and _digest(Path(path), known) != known:
        raise InputError(f"{path} is damaged: it is not what its checksum says; fetch it again")
    if "config" not in metadata or "network" not in metadata:
        raise InputError(f"{path} holds no configuration; it was not written by this project")
    try:
        config = json.loads(metadata["config"])
        if not isinstance(config, dict):
            raise ValueError("it is no object")
    except (ValueError, RecursionError):
        raise InputError(f"the configuration inside {path} is damaged; fetch the file again") from None
    check_finite(tensors, str(path))
    tensors = {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    try:
        return metadata["network"], config, _unpacked(tensors)
    except RuntimeError:
        raise InputError(f"{path} is damaged: its packed weights and their scales do not fit; fetch it again") from None


def packed(value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A matrix in a quarter of its bytes: int8 of the same shape, and a scale (rows,) that makes it up again, each
    number to within half a scale."""
    scale = (value.abs().amax(1) / 127).clamp(min=torch.finfo(torch.float16).tiny).half().float()
    return (value / scale[:, None]).round().clamp(-127, 127).to(torch.int8), scale


def _unpacked(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    scales = {name: value for name, value in tensors.items() if name.endswith(_SCALE)}
    out = {name: value for name, value in tensors.items() if name not in scales}
    for name, scale in scales.items():
        whole = name.removesuffix(_SCALE)
        if whole in out:
            out[whole] = out[whole].float() * scale[:, None]
        else:
            out[name] = scale
    return out


def check_finite(tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """Refuse weights that make no picture.

    Raises:
        InputError: if a tensor holds complex numbers, infinities or values that are no numbers.
    """
    for key, value in tensors.items():
        if value.is_complex() or (value.is_floating_point() and not bool(torch.isfinite(value.float()).all())):
            raise InputError(f"{name} is damaged: its weights {key} hold values that are no numbers; fetch it again")


def fitted(make: Callable[[], M], tensors: Mapping[str, torch.Tensor]) -> M:
    """A network with these weights. Nothing is allocated for one that they do not fit, however large it would be.

    Args:
        make: makes the network.
        tensors: all of its weights, by name.

    Raises:
        ValueError: if they do not fit, or ``make`` says so.
    """
    with torch.device("meta"):
        planned = {name: value.shape for name, value in make().state_dict().items()}
    for name in sorted(planned.keys() | tensors.keys()):
        ours, theirs = planned.get(name), tensors[name].shape if name in tensors else None
        if ours != theirs:
            shapes = ["missing" if shape is None else tuple(shape) for shape in (theirs, ours)]
            raise ValueError(f"{name} is {shapes[0]}, and by the configuration {shapes[1]}")
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn aside, for the file's replace them
        network = make()
    network.load_state_dict(tensors)
    return network
