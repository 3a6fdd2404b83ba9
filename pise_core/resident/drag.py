"""Who is dragged, on which device, and what is done there; see :mod:`pise_core.resident`."""

import threading
import weakref
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pise_core.model.answers import Answers
from pise_core.model.generator import Parsed
from pise_core.model.tensor_generator import TensorGenerator
from pise_core.person import Person
from pise_core.rendering.pipeline import Pictured, PosedFrame
from pise_core.rendering.wanted import Wanted
from pise_core.resident.frame import FrameHalf
from pise_core.resident.masks import WIDEST
from pise_core.resident.photo import PhotoHalf
from pise_core.warping.warp import Carried


def refusal(generator: object, wanted: Wanted | None = None, scale: float = 1.0) -> str:
    """Why a picture is made of arrays and not of tensors that stay on the device; empty if there is no reason.

    Args:
        generator: what paints.
        wanted: the edit; None for any.
        scale: frame pixels per pixel of the photo.
    """
    if not isinstance(generator, TensorGenerator):
        return "another program runs the networks"
    if not generator.convention.own or not generator.config.detail_path or not generator.config.parsing_generator:
        return "weights with other conventions are told by arrays"
    if wanted is not None and wanted.pose is None:
        return "no joint is moved"
    if wanted is not None and wanted.styles:
        return "borrowed textures are toned and fitted by arrays"
    if 0.6 / scale > WIDEST:
        return "the person is much larger than a preview"
    return ""


class AtWork:
    """What of one person lies on the device, and the stream that their pictures are made in: visitors do not wait for
    one another there."""

    def __init__(self, person: Person, generator: TensorGenerator) -> None:
        self._device = torch.device(generator.device)
        self._stream: Any = None
        if self._device.type == "cuda":
            self._stream = torch.cuda.Stream(self._device)
            # Weights and what was encoded come from the stream that is everybody's.
            self._stream.wait_stream(torch.cuda.default_stream(self._device))
        with self.stream():
            self.frame = FrameHalf(person.frame, person.encoded, generator)
        self._photos: weakref.WeakKeyDictionary[Person, PhotoHalf] = weakref.WeakKeyDictionary()
        self._lock = threading.RLock()

    @contextmanager
    def stream(self) -> Iterator[None]:
        """Everything in the block is done in this person's stream, without gradients."""
        within: AbstractContextManager[Any] = nullcontext() if self._stream is None else torch.cuda.stream(self._stream)
        with torch.no_grad(), within:
            yield

    def picture(self, person: Person, wanted: Wanted) -> Tensor:
        """The picture (H, W, 3) uint8 on the device, of the person at this size."""
        with self._lock:
            photo = self._photos.get(person)
            if photo is None:
                photo = self._photos[person] = PhotoHalf(person, self.frame.device)
            return photo.picture(person, wanted, self.frame)

    def taken(self, values: Tensor) -> np.ndarray:
        """What lies on the device as an array: the only way from there."""
        if self._stream is None:
            return values.cpu().numpy()
        here = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
        here.copy_(values, non_blocking=True)
        self._stream.synchronize()
        return here.numpy()


class Resident:
    """All people whose pictures are made on the generator's device.

    Args:
        generator: one that :func:`refusal` has nothing against.
    """

    def __init__(self, generator: TensorGenerator) -> None:
        self.generator = generator
        self._known: weakref.WeakSet[Answers] = weakref.WeakSet()

    def __reduce__(self) -> tuple[type["Resident"], tuple[TensorGenerator]]:
        """Copies begin with nobody."""
        return Resident, (self.generator,)

    def clear(self) -> None:
        """Let go of everybody, and of all that the networks said of them."""
        for answers in list(self._known):
            answers.forget()

    def _at_work(self, person: Person) -> AtWork:
        self._known.add(person.answers)
        # Among the answers, which are forgotten while a session rests.
        return person.answers.of("resident", (), lambda: AtWork(person, self.generator))

    def preview(self, person: Person, wanted: Wanted) -> np.ndarray:
        """The picture (H, W, 3) uint8 of an edit that :func:`refusal` has nothing against, without ``cloth``."""
        work = self._at_work(person)
        with work.stream():
            return work.taken(work.picture(person, wanted))

    def posed(self, person: Person, pose: np.ndarray) -> PosedFrame:
        """See :class:`pise_core.rendering.pipeline.Frames`."""
        work = self._at_work(person)
        with work.stream():
            made = work.frame.posed(pose)
            laid, take = made.laid, work.taken
            image = np.ascontiguousarray(take(laid.image.permute(1, 2, 0).to(torch.uint8)))
            parsing, trust, lifted, landed, cover = (take(x) for x in laid[1:6])
            carried = Carried(image, parsing, trust, lifted, landed, cover)
            return PosedFrame(carried, take(made.parsing), Parsed(take(made.probabilities)))

    def painted(self, person: Person, pose: np.ndarray) -> Pictured:
        """See :class:`pise_core.rendering.pipeline.Frames`."""
        work = self._at_work(person)
        with work.stream():
            made = work.frame.painted(pose)
            inside = work.frame.posed(pose).parsing > 0
            image = torch.where(inside, made.image.round(), 128.0).to(torch.uint8)
            own, image = (np.ascontiguousarray(work.taken(x.permute(1, 2, 0))) for x in (made.own, image))
            return Pictured(own, work.taken(made.gate), image)
