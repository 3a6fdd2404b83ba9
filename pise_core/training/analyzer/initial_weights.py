"""What an analyzer's training begins with: ImageNet's features, or the weights of another analyzer."""

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from pise_core.detection.analyzer import FILE_NAME, read_network
from pise_core.detection.network import TRAINED_CONFIG, AnalyzerConfig, AnalyzerNetwork
from pise_core.errors import InputError
from pise_core.training.pretrained import fetched, read_tensors


def load_backbone(network: AnalyzerNetwork, path: Path | None) -> None:
    """ImageNet weights for the way down: SqueezeNet 1.1 from torchvision's file at ``path``, or from its hub.

    Raises:
        InputError: if there is no such file, it holds something else, or the hub cannot be reached.
    """
    if path is None:
        from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

        weights = SqueezeNet1_1_Weights.IMAGENET1K_V1
        with fetched("SqueezeNet", weights.url, ", or give its weights with --backbone FILE"):
            tensors = squeezenet1_1(weights=weights).state_dict()
    elif Path(path).exists():
        tensors = read_tensors(Path(path))
    else:
        raise InputError(f"{path} is missing; leave --backbone out to fetch torchvision's SqueezeNet 1.1")
    try:
        network.down.load_state_dict({name: tensors[name] for name in network.down.state_dict()})
    except (KeyError, RuntimeError):
        raise InputError(f"{path} does not hold torchvision's squeezenet1_1") from None


def begin_with(path: Path, config: AnalyzerConfig | None, held: bool = False) -> AnalyzerNetwork:
    """A network of ``config`` with the weights of another; None: the same as the other, with layers for what is held
    where ``held`` asks for them.

    An output that the other lacks begins as new ones do. Where the other is wider inside its deep blocks, the channels
    that matter least are left out.

    Args:
        path: a run's folder, or a file of weights.
        config: of the network that is to be trained.

    Raises:
        InputError: if the file is missing, damaged, or holds a network that cannot become one of ``config``.
    """
    given = read_network(path / FILE_NAME if path.is_dir() else path)
    if config is None and held:
        config = replace(given.config, held=TRAINED_CONFIG.held)
    if config is None:
        return given
    network = AnalyzerNetwork(config)
    tensors = _narrowed(given.state_dict(), given.config.deep, config.deep)
    if given.config.held != config.held:
        tensors = {name: value for name, value in tensors.items() if not name.startswith("held_head.")}
    own = network.state_dict()
    new = {name for name in own if name.startswith("held_head.")} - tensors.keys()
    wanted = {name: own[name] if name in new else tensors.get(name) for name in own}
    fits = all(value is not None and value.shape == own[name].shape for name, value in wanted.items())
    if not fits:
        raise InputError(f"{path} holds an analyzer of other sizes ({given.config}; here {config}); leave --init out")
    network.load_state_dict(wanted)
    return network


def _narrowed(tensors: dict[str, Tensor], width: int, wanted: int) -> dict[str, Tensor]:
    """The same with fewer channels inside the deep blocks: those are kept that give the most to the block's output."""
    if wanted >= width:
        return tensors
    out = dict(tensors)
    for block in ("deep.1", "deep.2"):
        gain, shift = (tensors[f"{block}.first.1.{name}"] for name in ("weight", "bias"))
        # A channel is about normal with this mean and spread before its ReLU; what is left after it is what counts.
        activity = (gain.square() + shift.clamp(min=0).square()).sqrt()
        weight = tensors[f"{block}.second.0.weight"].flatten(2).norm(dim=(0, 2)) * activity
        kept = weight.topk(wanted).indices.sort().values
        for name in ("0.weight", "1.weight", "1.bias", "1.running_mean", "1.running_var"):
            out[f"{block}.first.{name}"] = tensors[f"{block}.first.{name}"][kept]
        out[f"{block}.second.0.weight"] = tensors[f"{block}.second.0.weight"][:, kept].contiguous()
    return out
