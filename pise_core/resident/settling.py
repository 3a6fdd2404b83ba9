"""The maps of :mod:`pise_core.rendering.settling` in tensors, by the same names."""

import torch
from torch import Tensor

from pise_core.rendering.settling import BESIDE, CONCERNED, OVERRULE, SLIT, THIN
from pise_core.resident.masks import grow, touched
from pise_core.resident.stacking import Laid


def frame_map(probabilities: Tensor, source: Tensor, carried: Laid, stays: bool) -> Tensor:
    """The map in the frame, (256, 176) uint8, with the detail path; ``stays``: whether some of the person is seen that
    does not move."""
    labels = probabilities.argmax(0).to(torch.uint8)
    return _without_remains(_settle(labels, probabilities[0], source, carried, 1.0), carried, 1.0, stays)


def photo_map(
    labels: Tensor, nothing: Tensor, source: Tensor, held: Tensor | None, carried: Laid, scale: float, stays: bool
) -> Tensor:
    """The map at the photo's size, (H, W) uint8, with the detail path.

    Args:
        labels: (H, W) uint8, what is most probable there.
        nothing: (H, W) float32, how probable background is; 0.5 beyond the frame.
        source: (H, W) uint8, the person's own map.
        held: (H, W) bool, what is held; None for nothing.
        carried: the person, carried to the pose at this size.
        scale: frame pixels per pixel.
        stays: as for :func:`frame_map`.
    """
    wanted = _settle(labels, nothing, source, carried, scale)
    wanted = _finished(wanted, carried, scale)
    wanted = _without_remains(wanted, carried, scale, stays)
    wanted = _without_rims(wanted, source, carried, scale)
    if held is not None:
        wanted = _blank(wanted, held & (source == 0) & ~carried.lifted & ~carried.landed)
    return wanted


def _blank(labels: Tensor, where: Tensor) -> Tensor:
    return torch.where(where, torch.zeros_like(labels), labels)


def _settle(labels: Tensor, nothing: Tensor, source: Tensor, carried: Laid, scale: float) -> Tensor:
    concerned = grow(carried.lifted | carried.landed, CONCERNED / scale)
    arrived = carried.parsing > 0
    labels = torch.where(arrived & (nothing < OVERRULE), carried.parsing, labels)
    labels = _blank(labels, (source == 0) & ~arrived & ~carried.lifted & (nothing > 1 - OVERRULE))
    labels = torch.where(arrived & ~carried.landed & ~carried.lifted, source, labels)
    return torch.where(concerned, labels, source)


def _finished(wanted: Tensor, carried: Laid, scale: float) -> Tensor:
    if carried.staying is None:
        return wanted
    below = carried.staying.parsing
    open_to_it = carried.lifted & (~carried.landed | (carried.parsing == 0)) & (wanted != below)
    guessed = open_to_it & (below == 0) & (carried.parsing == 0)
    arrived = carried.parsing > 0
    slits = ~grow(~grow(arrived, SLIT / scale), SLIT / scale)
    wanted = torch.where(open_to_it & (below > 0), below, wanted)
    return _blank(wanted, guessed & ~slits)


def _without_remains(wanted: Tensor, carried: Laid, scale: float, stays: bool) -> Tensor:
    arrived = carried.parsing > 0
    left = (wanted > 0) & carried.lifted & ~arrived
    near = grow(arrived, BESIDE / scale)
    if not stays:
        near = touched(left, near)
    return _blank(wanted, left & ~near)


def _without_rims(wanted: Tensor, source: Tensor, carried: Laid, scale: float) -> Tensor:
    new = (wanted > 0) & (source == 0) & ~carried.lifted & (carried.parsing == 0)
    thick = grow(~grow(~new, THIN / scale), THIN / scale)
    return _blank(wanted, new & ~thick)
