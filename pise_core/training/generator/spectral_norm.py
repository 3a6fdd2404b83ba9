"""Spectral normalization of the image generator while it learns, as in the release."""

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from pise_core.model.blocks import GatedConv
from pise_core.model.network import PISE


def normalize_spectra(model: PISE) -> None:
    """Divide the weights of both encoders' blocks and of the decoder by their largest singular value, from now on.

    Neither gated convolutions nor the 1x1 convolution behind the style encoder's blocks are, nor what lies between
    encoders and decoder.
    """
    g = model.image_generator
    encoders = [part for encoder in (g.style_encoder, g.layout_encoder) for part in encoder.body]
    for part in (*encoders, g.up1, g.refine1, g.up2, g.refine2, g.out):
        if not isinstance(part, GatedConv | nn.Conv2d):
            for layer in _convolutions(part):
                spectral_norm(layer)


@torch.no_grad()
def folded(model: PISE) -> PISE:
    """The network as it is used: another one with the division done, or the network itself where there is none."""
    normalized = {name: part for name, part in model.named_modules() if parametrize.is_parametrized(part)}
    if not normalized:
        return model
    tensors = {name: value for name, value in model.state_dict().items() if ".parametrizations." not in name}
    tensors |= {f"{name}.weight": part.weight for name, part in normalized.items()}
    plain = PISE(model.config).to(next(model.parameters()).device)
    plain.load_state_dict(tensors)
    return plain.eval().requires_grad_(False)


def _convolutions(part: nn.Module) -> Iterator[nn.Module]:
    return (layer for layer in list(part.modules()) if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d))
