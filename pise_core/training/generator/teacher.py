"""The frozen VGG-19 that judges pictures: all of it, or as much as a file holds."""

from pathlib import Path

from torch import Tensor

from pise_core.errors import InputError
from pise_core.model.vgg import NUMBERS, SHALLOW_LAYERS, VGGSlice
from pise_core.training.pretrained import fetched, read_tensors


def load_teacher(path: Path | None, layers: tuple[str, ...] = SHALLOW_LAYERS, statistics: bool = True) -> VGGSlice:
    """VGG-19 with ImageNet weights, frozen: from a file (safetensors, or torchvision's .pth), or torchvision's hub.

    Args:
        path: the file; None for the hub.
        layers: what it is to answer, see ``VGGSlice``.
        statistics: normalize pictures as ImageNet's were.

    Raises:
        InputError: if the file is missing, damaged or does not reach down to the layers; if the hub cannot be reached.
    """
    tensors = _from_hub() if path is None else _from_file(Path(path))
    teacher = VGGSlice(64, statistics, layers)
    wanted = teacher.state_dict()
    missing = [name for name in wanted if name not in tensors]
    if missing:
        deepest = max(layers, key=lambda name: NUMBERS["conv" + name[4:]])
        held = [layer for layer, number in NUMBERS.items() if f"features.{number}.weight" in tensors]
        raise InputError(
            f"{path} holds VGG-19 up to {held[-1]} only, and {deepest} is asked for: give torchvision's whole file "
            "with --vgg, leave --vgg out to fetch it, or train with --layers shallow"
            if held
            else f"{path} does not hold torchvision's VGG-19 (no {missing[0]})"
        )
    try:
        teacher.load_state_dict({name: tensors[name] for name in wanted})
    except RuntimeError:
        raise InputError(f"{path} does not hold torchvision's VGG-19: its layers are of other sizes") from None
    return teacher.eval().requires_grad_(False)


def _from_file(path: Path) -> dict[str, Tensor]:
    if not path.exists():
        raise InputError(f"{path} is missing; leave --vgg out to fetch torchvision's VGG-19")
    return read_tensors(path)


def _from_hub() -> dict[str, Tensor]:
    from torchvision.models import VGG19_Weights, vgg19

    weights = VGG19_Weights.IMAGENET1K_V1
    with fetched("VGG-19", weights.url, ", or give its weights with --vgg FILE"):
        return vgg19(weights=weights).state_dict()
