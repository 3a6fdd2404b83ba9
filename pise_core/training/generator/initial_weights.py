"""What a run begins with instead of random numbers: the weights of another."""

from pathlib import Path

from torch import Tensor

from pise_core.errors import InputError
from pise_core.model.convert_release import vgg_of
from pise_core.model.discriminator import Discriminator
from pise_core.model.network import PISE
from pise_core.model.weights import read_model
from pise_core.training.loop import load_checkpoint

#: What inputs and outputs mean. Weights of another meaning fit, and all that they know is wrong.
_MEANING = ("labels", "canvas", "pose_columns")
_MATCHING = "image_generator.matching."


def begin_with(model: PISE, path: Path) -> str | None:
    """Give the generators the weights of others.

    A file that ``convert`` wrote may hold no VGG, or one that never learned: then a matching encoder that has
    ImageNet's weights keeps them, and one that is to learn is not begun with zeros, from which nothing is learned.

    Args:
        model: whose weights are to be replaced; its matching encoder is frozen where it has ImageNet's.
        path: a folder that holds ``pise.safetensors``, or such a file.

    Returns:
        What is different here, in a line; None if nothing is.

    Raises:
        InputError: if the file is missing or damaged, or its weights have other sizes or mean something else.
    """
    given = PISE.from_pretrained(path)
    theirs, ours = given.config.to_dict(), model.config.to_dict()
    other = [name for name in ours if theirs[name] != ours[name]]
    said = f"{path} was trained with {', '.join(f'{name} {theirs[name]} (here {ours[name]})' for name in other)}"
    meaning = [f"--set {name}={theirs[name]}" for name in other if name in _MEANING]
    if meaning:
        raise InputError(
            f"{said}; give {' '.join(meaning)} (and, for other labels, data prepared for them), or leave --init out"
        )
    tensors, vgg = given.state_dict(), vgg_of(given)
    frozen = not any(weight.requires_grad for weight in model.image_generator.matching.parameters())
    keeps = vgg == "none" or (vgg == "random" and frozen)
    if keeps:
        tensors |= {name: value for name, value in model.state_dict().items() if name.startswith(_MATCHING)}
    try:
        model.load_state_dict(tensors)
    except RuntimeError:
        advice = " ".join(f"--set {name}={theirs[name]}" for name in other)
        raise InputError(
            f"{path} does not fit this configuration: {said}; give {advice}, or leave --init out"
        ) from None
    notes = [said] if other else []
    if keeps:
        held = "no VGG" if vgg == "none" else "a VGG that was never trained"
        notes.append(f"{path} holds {held}: the matching encoder begins as it does without --init")
    return "; ".join(notes) or None


def begin_discriminator(discriminator: Discriminator | None, given: Path | None, run: Path | None) -> str | None:
    """Let the discriminator go on where another ended.

    Args:
        discriminator: whose weights are to be replaced; None where a run has none.
        given: what ``convert`` made of ``latest_net_D.pth``, or a run's ``generator.pt``.
        run: where nothing is given, what the generators begin with. If that is a folder, its discriminator goes on; it
            may be missing, or of other sizes.

    Returns:
        What was done, in a line; None if nothing was, nor could have been.

    Raises:
        InputError: if the given file is missing or damaged, holds no discriminator, or one of other sizes, or if there
            is none that could begin with it.
    """
    path = given
    if discriminator is None:
        if given is not None:
            raise InputError(
                "this run has no discriminator: leave --init-discriminator out, or give --loss adversarial=WEIGHT and "
                "another --stage than parsing"
            )
        return None
    if path is None:
        if run is None or not run.is_dir():
            return None
        path = run / "generator.pt"
        if not path.exists():
            return f"begins with a new discriminator: {run} has none"
    tensors, own = _discriminator_in(path), discriminator.state_dict()
    if tensors is None:
        fault = f"{path} holds no discriminator"
    elif _shapes(tensors) != _shapes(own):
        fault = f"{path} holds a discriminator of other sizes ({_size(tensors)}; here {_size(own)})"
    else:
        discriminator.load_state_dict(tensors)
        return f"begins with the discriminator of {path}"
    if given is not None:
        raise InputError(f"{fault}; give a file of convert's or a run's generator.pt, with the same recipe and width")
    return f"begins with a new discriminator: {fault}"


def _discriminator_in(path: Path) -> dict[str, Tensor] | None:
    if path.suffix == ".safetensors":
        name, _, tensors = read_model(path)
        return tensors if name == Discriminator.__name__ else None
    state = load_checkpoint(path)
    if state is None:
        raise InputError(f"there is no file {path}")
    return state.get("discriminator")


def _shapes(tensors: dict[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in tensors.items()}


def _size(tensors: dict[str, Tensor]) -> str:
    """In the words of ``Discriminator``, as its first convolution tells."""
    out, channels = next((value.shape[:2] for value in tensors.values() if value.ndim == 4), (0, 0))
    return f"{out} wide, {channels} channels to look at"
