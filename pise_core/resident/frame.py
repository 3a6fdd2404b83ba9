"""The half of an edit that happens in the frame, on the device: the map of a pose, and the networks' picture of it.

Preview and exact picture take both from here: the networks are asked once for a pose, whichever comes first.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pise_core.framing import FRAME_SIZE
from pise_core.inpainting.mirror import BELIEF
from pise_core.model.answers import Answers
from pise_core.model.generator import Code
from pise_core.model.network import Carry
from pise_core.model.tensor_generator import TensorGenerator
from pise_core.pose import heat_lines
from pise_core.regions import REGION, REGION_COUNT, cut_out
from pise_core.rendering.pipeline import REACH
from pise_core.resident.masks import nearest
from pise_core.resident.settling import frame_map
from pise_core.resident.stacking import Laid, Stack, plane
from pise_core.view import View
from pise_core.warping.cast import Cast
from pise_core.warping.cutting import Cutting

#: So many stacks are kept: one for each set of parts that was dragged lately.
STACKS = 3


class Posed(NamedTuple):
    """What a pose alone asks for."""

    laid: Laid
    probabilities: Tensor  # (8, 256, 176) float32
    parsing: Tensor  # (256, 176) uint8, the map
    heat: Tensor  # (1, 18, 256, 176) float32, the joints


class Painted(NamedTuple):
    """What the image generator answers, in [0, 255]; its own picture and its gate go on beyond the silhouette."""

    own: Tensor  # (3, 256, 176) float32
    gate: Tensor  # (256, 176) float32
    image: Tensor  # (3, 256, 176) float32, carried pixels blended in


class FrameHalf:
    """One person in the frame.

    Args:
        view: of the person there.
        code: gives what the generator has encoded of them.
        generator: whose networks are asked, and on whose device all of this lies.
    """

    def __init__(self, view: View, code: Callable[[], Code], generator: TensorGenerator) -> None:
        self._view, self._code, self._generator = view, code, generator
        self._known, self._stacks = Answers(kept=2), Answers(kept=STACKS)
        self.device = generator.device
        self._parsing = plane(view.parsing, self.device)
        self.textures = textures_of(view.parsing, self.device)
        inside = cut_out(view.image, view.parsing > 0)
        self._source = _last(plane(inside, self.device)[None]), _one_hot(self._parsing)
        self._own_pose = self._heat(view.pose)

    def posed(self, pose: np.ndarray) -> Posed:
        """The map of a pose (18, 3) in pixels of the frame, nan where a joint is missing."""
        return self._known.of("map", (pose[:, :2],), lambda: self._posed(pose))

    def _posed(self, pose: np.ndarray) -> Posed:
        view = self._view
        cast = Cast.of(view.owner, view.pose, pose, True)

        def cut() -> Stack:
            cutting = Cutting(view.image, view.parsing, view.owner, view.pose, cast.roles, rim=1)
            return Stack(cutting, cast.roles, view.owner, None, False, self.device)

        stack = self._stacks.of("stack", key_of(cast.roles), cut)
        laid = stack.laid(cast.moves)
        carried = _one_hot(laid.parsing) * laid.known(self._parsing)
        heat = self._heat(pose)
        logits = self._generator.logits(self._source[1], self._own_pose, heat, _last(carried))
        probabilities = logits.softmax(1)[0]
        return Posed(laid, probabilities, frame_map(probabilities, self._parsing, laid, stack.stays), heat)

    def painted(self, pose: np.ndarray, wanted: Tensor | None = None) -> Painted:
        """The picture of a pose, on its own map or on one (256, 176) uint8 that was painted over it."""
        if wanted is not None:
            return self._painted(pose, wanted)
        return self._known.of("picture", (pose[:, :2],), lambda: self._painted(pose, self.posed(pose).parsing))

    def _painted(self, pose: np.ndarray, wanted: Tensor) -> Painted:
        posed = self.posed(pose)
        trust = torch.where(posed.laid.parsing == wanted, posed.laid.trust, 0.0)
        unpainted = torch.where(wanted == posed.parsing, wanted, torch.zeros_like(wanted))
        colours, trust = continued(posed.laid.image, trust, unpainted, REACH, self.textures)
        held = (colours / 127.5 - 1) * (trust > 0)
        wanted_map = _one_hot(wanted)
        carry = Carry(_last(held[None]), trust[None, None], wanted_map)
        made = self._generator.made(self._source, self._code(), posed.heat, wanted_map, carry)
        own, image = (x[0].clamp(-1, 1) * 127.5 + 127.5 for x in (made.painted, made.image))
        return Painted(*beyond_silhouette(own, made.gate[0, 0], wanted > 0), image)

    def _heat(self, pose: np.ndarray) -> Tensor:
        """Heat maps (1, 18, 256, 176) of a pose."""
        down, across = (plane(line, self.device) for line in heat_lines(pose, FRAME_SIZE))
        return _last((down[:, :, None] * across[:, None, :]).float()[None])


def key_of(*question: object) -> tuple[np.ndarray]:
    """What a question of plain numbers and names is known by among :class:`pise_core.model.answers.Answers`."""
    return (np.frombuffer(repr(question).encode(), np.uint8),)


def textures_of(parsing: np.ndarray, device: str) -> Tensor:
    """The regions (N, 1, 1) uint8 of a map that go on where they are not seen."""
    there = [index for index in np.unique(parsing).tolist() if index and index != REGION["face"]]
    return torch.tensor(there, dtype=torch.uint8, device=device)[:, None, None]


def continued(image: Tensor, trust: Tensor, parsing: Tensor, reach: float, textures: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`pise_core.inpainting.mirror.continue_regions`, of (3, H, W), (H, W) and (H, W); ``textures`` as
    :func:`textures_of` says of whoever is carried."""
    height, width = parsing.shape
    inside = parsing[None] == textures
    known, gap = inside & (trust > 0.5), inside & (trust <= 0.5)
    away, (y, x) = nearest(known, int(reach) + 1)
    filled = gap & (away < reach)
    ys, xs = torch.arange(height, device=y.device)[:, None], torch.arange(width, device=y.device)
    mirrored = (2 * y - ys).clamp(0, height - 1) * width + (2 * x - xs).clamp(0, width - 1)
    kept = known.flatten(1).gather(1, mirrored.flatten(1)).view_as(known)
    taken = torch.where(filled, torch.where(kept, mirrored, y * width + x), 0).sum(0)  # regions do not overlap
    fade = torch.where(filled, BELIEF * (1 - away / reach).clamp(0, 1), 0.0).sum(0)
    some = filled.any(0)
    colours = torch.where(some, image.flatten(1)[:, taken.flatten()].view_as(image), image)
    return colours, torch.where(some, torch.maximum(trust, fade), trust)


def beyond_silhouette(painted: Tensor, gate: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """As :func:`pise_core.rendering.compositing.beyond_silhouette`, of (3, h, w), (h, w) and (h, w)."""
    away, (y, x) = nearest(inside[None], max(inside.shape))
    some, taken = away[0] < math.inf, (y * inside.shape[1] + x).flatten()
    painted = torch.where(some, painted.flatten(1)[:, taken].view_as(painted), painted)
    return painted, torch.where(some, gate.flatten()[taken].view_as(gate), gate)


def _one_hot(labels: Tensor) -> Tensor:
    """(H, W) uint8 -> (1, 8, H, W) float32, channels last."""
    regions = torch.arange(REGION_COUNT, dtype=labels.dtype, device=labels.device)
    return _last((labels[None] == regions[:, None, None]).float()[None])


def _last(values: Tensor) -> Tensor:
    return values.contiguous(memory_format=torch.channels_last)
