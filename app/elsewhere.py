"""Networks that work in another process, as on ZeroGPU, which lends a GPU to a process of its own for one call.

Everything that lasts stays here: sessions, documents, references, and what is known of a person (a few hundred
kilobytes of style codes and keys). Only the four passes go, each with all that it needs, and bring back plain arrays;
the other process keeps nothing, and another one may answer the next call.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pise_core.editor import Editor

#: Calls a function in the other process: ``run(function, *arguments)``.
Run = Callable[..., Any]

_PASSES = ("analyzer.network.forward", "model.encode", "model.generate_parsing", "model.forward")


def send_away(editor: Editor, run: Run, weights: str | None = None, device: str = "cuda") -> None:
    """From now on the editor's passes are carried out by ``run``.

    Args:
        editor: on the CPU.
        run: on ZeroGPU ``lambda function, *arguments: lent(function, *arguments)`` with ``lent`` decorated by
            ``spaces.GPU``; a process pool's ``submit(...).result()`` elsewhere.
        weights: those of the editor, as ``Editor.from_pretrained`` takes them, for the other process to load.
        device: the other process's.
    """
    for path in _PASSES:
        owner, _, method = path.rpartition(".")
        module = _of(editor, owner)
        setattr(module, method, functools.partial(_call, run, path, weights, device))


def _call(run: Run, path: str, weights: str | None, device: str, *arguments: Any, **named: Any) -> Any:
    return _unpacked(run(carried_out, path, weights, device, _packed(arguments), _packed(named)), "cpu")


def carried_out(path: str, weights: str | None, device: str, arguments: Any, named: Any) -> Any:
    """In the other process: one pass, with arrays in place of tensors."""
    method = _of(_editor(weights, device), path)
    with torch.no_grad():
        return _packed(method(*_unpacked(arguments, device), **_unpacked(named, device)))


def _of(editor: Editor, path: str) -> Any:
    return functools.reduce(getattr, path.split("."), editor)


@functools.lru_cache(maxsize=2)
def _editor(weights: str | None, device: str) -> Editor:
    return Editor.from_pretrained(weights, device)


def _packed(value: Any) -> Any:
    """Tensors become arrays, in tuples, named tuples, lists and dictionaries: these can be sent as they are."""
    if isinstance(value, Tensor):
        return value.detach().cpu().numpy()
    return _each(value, _packed)


def _unpacked(value: Any, device: str) -> Any:
    if isinstance(value, np.ndarray):
        tensor = torch.from_numpy(value).to(device)
        return tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor
    return _each(value, functools.partial(_unpacked, device=device))


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, nn.Module):
        raise TypeError("a network stays where it is")
    if isinstance(value, dict):
        return {name: change(one) for name, one in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(change(one) for one in value))
    if isinstance(value, list | tuple):
        return type(value)(change(one) for one in value)
    return value
