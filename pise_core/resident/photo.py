"""The half of an edit at the size of a preview, on the device: the finished layers, over one another and the photo."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pise_core.contact_shadow import MOST
from pise_core.masks import Window, overlap
from pise_core.model.answers import Answers
from pise_core.person import Person
from pise_core.regions import UNTOUCHED
from pise_core.rendering.laying import SEAM
from pise_core.rendering.pipeline import REACH, window_of_edit
from pise_core.rendering.source import Moved, Source, rim_of
from pise_core.rendering.wanted import Wanted
from pise_core.resident.frame import STACKS, FrameHalf, Painted, Posed, continued, key_of, textures_of
from pise_core.resident.masks import feather, grow, matte, smooth
from pise_core.resident.settling import photo_map
from pise_core.resident.stacking import Laid, Stack, picture, plane
from pise_core.resident.warps import Places
from pise_core.warping.cast import Cast
from pise_core.warping.cutting import Cutting


class _Part(NamedTuple):
    """What is known of a person in a window of the photo."""

    photo: Tensor  # (3, h, w) float32 of whole numbers
    background: Tensor  # the same, without the person
    parsing: Tensor  # (h, w) uint8
    held: Tensor | None  # (h, w) bool, what is held; None for nothing
    in_frame: Places  # where its pixels lie in the frame
    framed: Tensor  # (h, w) float32: how much of each the frame covers

    def part(self, window: Window) -> "_Part":
        """Rows and columns of it."""
        here = ..., *window
        photo, background, parsing, held, places, framed = self
        held = None if held is None else held[here]
        places = Places(places.x[here], places.y[here])
        return _Part(photo[here], background[here], parsing[here], held, places, framed[here])


class PhotoHalf:
    """One person at the photo's size; everything is taken to the device when they are first dragged.

    Args:
        person: of whom the background is made as a whole.
        device: where all of this lies.
    """

    def __init__(self, person: Person, device: str) -> None:
        self._view, self._framing, self._device = person.full, person.framing, device
        self._sources, self._stacks = Answers(kept=STACKS), Answers(kept=STACKS)
        self._textures = textures_of(person.parsing, device)
        held = self._view.held
        framing, size = self._framing, self._framing.size
        scale, shift = framing.scale, (framing.dx, framing.dy)
        there = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        back = np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]]) / scale
        in_frame = Places.affine(there, 0, 0, framing.photo_size, device)
        self._in_photo = Places.affine(back, 0, 0, (size[1], size[0]), device)
        self._all = _Part(
            picture(person.photo, device),
            picture(person.background, device),
            plane(person.parsing, device),
            None if held is None else plane(held >= 0, device),
            Places(*torch.broadcast_tensors(*in_frame)),
            in_frame.linear(torch.ones((1, *size), device=device))[0],
        )
        self._shadows = [(one, plane(one.darkness, device).float()) for one in person.shadows]
        self._shown = self._all.photo.to(torch.uint8).permute(1, 2, 0)

    def picture(self, person: Person, wanted: Wanted, frame: FrameHalf) -> Tensor:
        """What :func:`pise_core.rendering.pipeline.render` makes of a pose and of paint without ``cloth``, (H, W, 3)
        uint8."""
        assert wanted.pose is not None and wanted.frame_pose is not None
        out, window = self._shown.clone(memory_format=torch.contiguous_format), window_of_edit(person, wanted, False)
        if window is None:
            return out
        laid, stays = self._laid(wanted.pose)
        laid, here = laid.part(window), self._all.part(window)
        posed = frame.posed(wanted.frame_pose)
        own = self._map(posed, laid, here, stays)
        if wanted.parsing is None:
            shown, painted = own, frame.painted(wanted.frame_pose)
        else:
            paint = plane(wanted.parsing[window], self._device)
            shown = torch.where(paint == UNTOUCHED, own, paint)
            changed, labels = (self._cropped(x, window) for x in ((shown != own).to(torch.uint8), shown))
            painted = frame.painted(wanted.frame_pose, torch.where(changed > 0, labels, posed.parsing))
        out[window] = self._finished(laid, here, own, shown, painted, self._cast(wanted.pose, window))
        return out

    def _cast(self, pose: np.ndarray, window: Window) -> tuple[Tensor, Tensor]:
        """The shadows beside the feet, of a pose (18, 3), in a window: how much light is missing, (h, w) float32, and
        where they have moved from or to, (h, w) bool."""
        size = window[0].stop - window[0].start, window[1].stop - window[1].start
        missing = torch.zeros(size, device=self._device)
        moved = torch.zeros(size, dtype=torch.bool, device=self._device)
        for shadow, darkness in self._shadows:
            found = shadow.landing(self._view.pose, pose)
            seen = [(shadow.window, darkness)]
            if found is not None:
                move, there = found
                x, y = there[1].start, there[0].start
                places = Places.moved(move, x, y, (there[1].stop - x, there[0].stop - y), shadow.origin, self._device)
                seen += [] if places is None else [(there, places.linear(darkness[None])[0].round())]
            for place, dark in seen:
                both = overlap(place, window)
                if both is not None and found is not None:
                    moved[both[0]] = moved[both[0]] | (dark[both[1]] > 0)
            both = overlap(seen[-1][0], window)
            if both is not None:
                missing[both[0]] = missing[both[0]] + seen[-1][1][both[1]] / 255
        return missing, moved

    def _cropped(self, labels: Tensor, window: Window) -> Tensor:
        """The frame's view of a map (h, w) of a window."""
        x, y = self._in_photo
        return Places(x - window[1].start, y - window[0].start).labels(labels)

    def _laid(self, pose: np.ndarray) -> tuple[Laid, bool]:
        """The person carried to a pose (18, 3) in pixels of the photo, and whether some of them is seen that stays."""
        view, scale = self._view, self._framing.scale
        moved = Moved.by(view, pose)
        source = self._sources.of("source", key_of(moved), lambda: Source.of(view, moved, scale))
        cast = Cast.of(source.owner, view.pose, pose, True, behind=source.behind)

        def cut() -> Stack:
            cutting = Cutting(
                source.image,
                view.parsing,
                source.owner,
                view.pose,
                cast.roles,
                rim_of(scale),
                source.share,
                source.behind,
                source.held,
            )
            return Stack(cutting, cast.roles, source.owner, source.share, True, self._device)

        stack = self._stacks.of("stack", key_of(moved, cast.roles), cut)
        return stack.laid(cast.moves), stack.stays

    def _map(self, posed: Posed, laid: Laid, here: "_Part", stays: bool) -> Tensor:
        """The map (h, w) uint8 that the pose alone asks for."""
        pasted = here.in_frame.linear(posed.probabilities)
        beyond = 1 - here.framed
        nothing = pasted[0] + 0.5 * beyond
        labels = torch.cat([pasted[:1] + beyond, pasted[1:]]).argmax(0).to(torch.uint8)
        return photo_map(labels, nothing, here.parsing, here.held, laid, self._framing.scale, stays)

    def _finished(
        self, laid: Laid, here: "_Part", own: Tensor, shown: Tensor, painted: Painted, cast: tuple[Tensor, Tensor]
    ) -> Tensor:
        """As the pipeline's ``finish``: what did not move, where an edit concerns it, and over it what moved;
        ``cast``: from :meth:`_cast`."""
        assert laid.staying is not None
        scale = self._framing.scale
        pasted = here.in_frame.linear(torch.cat([painted.own, painted.gate[None]]))
        beyond = 1 - here.framed
        made, gate = pasted[:3] + 127.5 * beyond, pasted[3] + beyond
        lower = torch.where(laid.landed & (shown == own), laid.staying.parsing, shown)
        own_lower = torch.where(laid.landed, laid.staying.parsing, own)
        trust = torch.where(laid.staying.parsing == lower, laid.staying.trust, 0.0)
        unpainted = torch.where(lower == own_lower, lower, torch.zeros_like(lower))
        colours, trust = continued(laid.staying.image, trust, unpainted, REACH / scale, self._textures)
        over = self._over(laid, own, shown)
        out = self._below(laid, here, (own_lower, lower), (colours, trust), over[2], (made, gate), cast)
        colours, trust, cover = over
        share = trust * gate
        mixed = ((colours * share + made * (1 - share)) * cover + out * (1 - cover)).round().clamp(0, 255)
        out = torch.where(cover > 0, mixed, out)
        return out.to(torch.uint8).permute(1, 2, 0).contiguous()

    def _below(
        self,
        laid: Laid,
        here: "_Part",
        maps: tuple[Tensor, Tensor],
        carried: tuple[Tensor, Tensor],
        cover: Tensor,
        painted: tuple[Tensor, Tensor],
        cast: tuple[Tensor, Tensor],
    ) -> Tensor:
        """As the pipeline's ``_lay_below``, over the photo: (3, H, W) float32 of whole numbers.

        Args:
            laid: the person, carried.
            here: what is known of them.
            maps: that the pose alone asks for of what stays, and that is wanted.
            carried: its pixels, and how far they count.
            cover: of what will be laid over it.
            painted: the generator's picture and its gate, at this size.
            cast: from :meth:`_cast`.
        """
        scale = self._framing.scale
        seam = SEAM / scale
        (own, wanted), (colours, trust), (made, gate) = maps, carried, painted
        assert laid.staying is not None
        still = (laid.staying.trust == 1) & ~laid.lifted & ~laid.landed & (wanted == here.parsing)
        concerned = (grow(laid.lifted, 2 * seam) & ~still) | (wanted != here.parsing) | (wanted != own) | cast[1]
        weight = feather(grow(concerned, seam), seam)
        if here.held is not None:
            weight = torch.where(here.held & ~laid.lifted & (wanted == own), 0.0, weight)
        silhouette = wanted > 0
        silhouette = silhouette | (grow(silhouette, seam + 1) & (cover > 0.99))
        person = matte(silhouette, scale)
        trust = torch.minimum(trust, (2 * smooth(trust, max(0.6, 0.6 / scale)) - 1).clamp(0, 1))
        share = trust * gate
        body = colours * share + made * (1 - share)
        ground = (here.background * (1 - cast[0].clamp(max=MOST))).round()
        new = body * person + ground * (1 - person)
        mixed = (new * weight + here.photo * (1 - weight)).round().clamp(0, 255)
        return torch.where(weight > 0, mixed, here.photo)

    @staticmethod
    def _over(laid: Laid, own: Tensor, shown: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As the pipeline's ``_over``: the colours of the parts that moved, how far they count, and their cover."""
        trust = torch.where(laid.parsing == shown, laid.trust, 0.0)
        cover = torch.where((shown == 0) & (own > 0), 0.0, laid.cover)
        trust = torch.where((cover > 0) & (laid.parsing == 0), 1.0, trust)
        soft = (cover > 0) & (cover < 1) & (trust > 0)
        trust = torch.where(soft, (trust / cover).clamp(max=1), trust)
        return laid.image, trust, torch.where(laid.landed, cover, 0.0)
