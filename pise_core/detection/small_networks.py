"""What the small networks beside the analyzer share: how their configurations are checked and their weights read."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch
from torch import nn

from pise_core.detection.network import LARGEST, fold_norms
from pise_core.errors import InputError
from pise_core.model.weights import fitted, read_model

N = TypeVar("N", bound=nn.Module)
C = TypeVar("C", bound="Config")


class Config(Protocol):
    """An architecture, as weights hold it."""

    @classmethod
    def from_dict(cls: type[C], values: dict) -> C:
        """
        Raises:
            ValueError: if the values are none of such a network.
        """
        ...


def channels_of(values: Mapping[str, Any], count: int) -> tuple[int, ...]:
    """The ``channels`` of a configuration, of which there are so many.

    Raises:
        ValueError: if they are no such numbers.
    """
    channels = values.get("channels")
    if not isinstance(channels, list) or len(channels) != count:
        raise ValueError("it is the configuration of another network")
    if not all(type(number) is int and 1 <= number <= LARGEST for number in channels):
        raise ValueError(f"channels are whole numbers from 1 to {LARGEST}")
    return tuple(channels)


def read(path: Path, network: Callable[[C], N], config: type[C]) -> N:
    """A network with the weights of a file.

    Args:
        path: of the file.
        network: its class, which is made of a configuration.
        config: the configuration's class.

    Raises:
        InputError: if the file is missing, damaged or holds another network.
    """
    name, values, tensors = read_model(path)
    wanted = getattr(network, "__name__", "")
    if name != wanted:
        raise InputError(f"{path} holds a network called {name}, not {wanted}")
    try:
        known = config.from_dict(values)
        return fitted(lambda: network(known), tensors)
    except (RuntimeError, ValueError):
        raise InputError(f"{path} holds a network of another make; fetch the weights of this version") from None


def at_work(network: N) -> N:
    """The network with its norms folded into its layers, as processors compute it fastest."""
    return fold_norms(network).to(memory_format=torch.channels_last)
