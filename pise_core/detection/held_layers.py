"""The layers that say what is held, in a file of their own: they were learned after the others, which know nothing of
them, and both files stay small enough for hubs that refuse large ones."""

import json
from dataclasses import replace
from pathlib import Path

import torch

from pise_core.detection.held_head import HELD_HEADS
from pise_core.detection.network import AnalyzerNetwork
from pise_core.errors import InputError
from pise_core.model.weights import fitted, read_model, write_tensors

#: Beside the analyzer's weights.
FILE_NAME = "held.safetensors"
_PREFIX = "held_head."
_NAME = "HeldLayers"


def write_held(path: Path, network: AnalyzerNetwork, **notes: str) -> None:
    """Write the layers of a network that has them, in float16; ``notes`` become metadata."""
    tensors = {
        name.removeprefix(_PREFIX): (value.half() if value.is_floating_point() else value).contiguous().cpu()
        for name, value in network.state_dict().items()
        if name.startswith(_PREFIX)
    }
    write_tensors(
        path, tensors, {"format": "pt", "network": _NAME, "config": json.dumps({"held": network.config.held}), **notes}
    )


def with_held(network: AnalyzerNetwork, path: Path) -> AnalyzerNetwork:
    """The network with these layers added; itself if it has some, or there is no such file.

    Raises:
        InputError: if the file is damaged, or holds layers of another network.
    """
    if network.held_head is not None or not path.is_file():
        return network
    name, known, tensors = read_model(path)
    if name != _NAME:
        raise InputError(f"{path} holds a network called {name}, not the layers for held things")
    # The first such files did not say which layers they hold.
    config = replace(network.config, held=known.get("held", 1))
    whole: dict[str, torch.Tensor] = network.state_dict() | {_PREFIX + key: value for key, value in tensors.items()}
    if config.held not in HELD_HEADS:
        raise InputError(f"{path} holds layers of another version; fetch the one of this version")
    try:
        return fitted(lambda: AnalyzerNetwork(config), whole)
    except (RuntimeError, ValueError):
        raise InputError(f"{path} holds layers of another analyzer; fetch the one that belongs to it") from None
