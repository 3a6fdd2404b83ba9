"""A person's parts on the device, laid over one another in any pose: :func:`pise_core.warping.warp.carry` in tensors.

What is cut out of the picture depends on which parts move, and not on where to: it is cut by the same code, taken to
the device once, and laid down there for every pose.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pise_core.resident.warps import Places
from pise_core.warping.cast import Role
from pise_core.warping.cutting import Cutting, Staying
from pise_core.warping.part_transforms import Move
from pise_core.warping.parts import among
from pise_core.warping.warp import NOTHING, WHOLE, landing_of

#: What stands for "nothing was laid here" while layers are gathered: there is no such region.
_NO_LABEL = 255


class Laid(NamedTuple):
    """A person moved part by part; as :class:`pise_core.warping.warp.Carried`, pictures (3, H, W) float32 of whole
    numbers and maps (H, W) uint8."""

    image: Tensor
    parsing: Tensor
    trust: Tensor
    lifted: Tensor
    landed: Tensor
    cover: Tensor
    staying: "Still | None"

    def known(self, source: Tensor) -> Tensor:
        """As :meth:`pise_core.warping.warp.Carried.known`."""
        return (self.parsing > 0) | ((source == 0) & ~self.landed)

    def part(self, window: tuple[slice, slice]) -> "Laid":
        """Rows and columns of it."""
        here = ..., *window
        staying = None if self.staying is None else Still(*(values[here] for values in self.staying))
        image, parsing, trust, lifted, landed, cover = (values[here] for values in self[:6])
        return Laid(image, parsing, trust, lifted, landed, cover, staying)


class Still(NamedTuple):
    """As :class:`pise_core.warping.cutting.Staying`."""

    image: Tensor  # (3, H, W) float32
    parsing: Tensor  # (H, W) uint8
    trust: Tensor  # (H, W) float32


class _Stays(NamedTuple):
    """Parts that stay and follow one another in drawing order, as one layer."""

    layer: Still  # what they write, where
    labelled: Tensor  # (H, W) bool
    trusted: Tensor  # (H, W) bool
    left: Tensor  # (H, W) float32: the share of what was drawn before that is still seen


class _Moves(NamedTuple):
    """A part that moves, cut out."""

    part: int
    box: tuple[int, int, int, int]
    image: Tensor  # (3, h, w) float32
    shares: Tensor  # (1 or 2, h, w) float32: its cover, and where its colours are believed, if that is another thing
    parsing: Tensor  # (h, w) uint8
    veil: tuple[Tensor, Tensor] | None  # as its piece's: (1, h, w) float32, and (8, 8) bool


def picture(image: np.ndarray, device: str) -> Tensor:
    """(H, W, 3) uint8 -> (3, H, W) float32 on the device."""
    return plane(image, device).permute(2, 0, 1).float()


def plane(values: np.ndarray, device: str) -> Tensor:
    """An array as it is, on the device; nobody waits until it is there, but what is done there in the same stream."""
    told = torch.from_numpy(np.ascontiguousarray(values))
    if torch.device(device).type != "cuda":
        return told.to(device)
    return told.pin_memory().to(device, non_blocking=True)


class Stack:
    """All that is cut out for a cast of roles.

    Attributes:
        stays: whether some of the person is seen that stays, before anything is laid over it.

    Args:
        cutting: of them.
        roles: in drawing order.
        owner: (H, W) int8, that the pieces were cut by.
        share: (H, W) float32 as for ``carry``, or None.
        layered: whether it is asked what stays below what moves.
        device: where all of it goes.
    """

    def __init__(
        self,
        cutting: Cutting,
        roles: tuple[Role, ...],
        owner: np.ndarray,
        share: np.ndarray | None,
        layered: bool,
        device: str,
    ) -> None:
        self._size, self._device = owner.shape, device
        self._believed = cutting.believed
        staying = [role.part for role in roles if role.stays]
        self.stays = bool((among(owner, staying) & ~cutting.lifted).any())
        self._lifted = plane(cutting.lifted, device)
        self._steps: list[_Stays | _Moves] = []
        waiting: list[int] = []
        for role in roles:
            if role.stays:
                waiting.append(role.part)
                continue
            piece = cutting.piece(role)
            if piece is None:
                continue
            self._gather(cutting, waiting, owner, share)
            shares = [piece.cover, piece.believed] if self._believed else [piece.cover]
            image, labels = picture(piece.image, device), plane(piece.parsing * piece.mask, device)
            veil = (
                None if piece.veil is None else (plane(piece.veil.seen[None], device), plane(piece.veil.joined, device))
            )
            self._steps.append(_Moves(role.part, piece.box, image, plane(np.stack(shares), device), labels, veil))
        self._gather(cutting, waiting, owner, share)
        self._staying = None
        if layered:
            empty = Staying(
                np.zeros((*self._size, 3), np.uint8), np.zeros(self._size, np.uint8), np.zeros(self._size, np.float32)
            )
            self._staying = self._still(cutting.stay(empty))

    def _still(self, layer: Staying) -> Still:
        image = picture(layer.image, self._device)
        return Still(image, plane(layer.parsing, self._device), plane(layer.trust, self._device))

    def _gather(self, cutting: Cutting, parts: list[int], owner: np.ndarray, share: np.ndarray | None) -> None:
        """The parts that wait become one layer."""
        if not parts:
            return
        layer = Staying(
            np.zeros((*self._size, 3), np.uint8),
            np.full(self._size, _NO_LABEL, np.uint8),
            np.full(self._size, -1, np.float32),
        )
        for index in parts:
            cutting.leave(layer, index)
        left = np.float32(1) - among(owner, parts) * (np.float32(1) if share is None else share)
        masks = plane(layer.parsing != _NO_LABEL, self._device), plane(layer.trust >= 0, self._device)
        self._steps.append(_Stays(self._still(layer), *masks, plane(left.astype(np.float32), self._device)))
        parts.clear()

    def laid(self, moves: dict[int, Move]) -> Laid:
        """The parts where their moves, by index, take them."""
        size, device = self._size, self._device
        image = torch.zeros((3, *size), device=device)
        labels = torch.zeros(size, dtype=torch.uint8, device=device)
        trust, over = torch.zeros((2, *size), device=device)
        landed = torch.zeros(size, dtype=torch.bool, device=device)
        for step in self._steps:
            if isinstance(step, _Stays):
                image = torch.where(step.layer.trust > 0, step.layer.image, image)
                labels = torch.where(step.labelled, step.layer.parsing, labels)
                trust = torch.where(step.trusted, step.layer.trust, trust)
                over = over * step.left
                continue
            landing = landing_of(step.box, moves[step.part], (size[0], size[1]))
            if landing is None:
                continue
            x0, y0, x1, y1 = landing
            places = Places.moved(moves[step.part], x0, y0, (x1 - x0, y1 - y0), step.box[:2], device)
            if places is None:
                continue
            here = ..., slice(y0, y1), slice(x0, x1)
            shares = places.linear(step.shares)
            cover, alpha = shares[0], shares[-1]
            colours, regions = places.linear(step.image, replicate=True).round(), places.labels(step.parsing)
            under, rest = trust[here], 1 - cover
            if step.veil is not None:
                veil, joined = step.veil
                joined = joined[labels[here].long(), regions.long()]
                seen = torch.where(joined, places.linear(veil, replicate=True)[0], 1.0)
                rest, seen = 1 - cover * seen, 1 - (1 - seen) * under
                cover, alpha = cover * seen, alpha * seen
            whole, some = (cover > WHOLE) & (alpha > WHOLE), cover > 0
            total = alpha + under * rest
            upper = torch.where(total > NOTHING, alpha / total, 0.0)
            mixed = (colours * upper + image[here] * (1 - upper)).round()
            image[here] = torch.where(whole, colours, torch.where(some, mixed, image[here]))
            labels[here] = torch.where((cover > 0.5) & (regions > 0), regions, labels[here])
            trust[here] = torch.where(whole, 1.0, torch.where(some, total, under))
            shown = cover + over[here] * rest
            over[here] = torch.where(whole, 1.0, torch.where(some, shown, over[here]))
            landed[here] = landed[here] | some
        return Laid(image, labels, trust, self._lifted, landed, over, self._staying)
