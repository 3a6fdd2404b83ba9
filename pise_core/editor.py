"""The editor: look once (``set_person``), edit many times (``Person.render``).

Threads may share an editor: one lock is held while a network works, and no longer, so that
what is cut out, carried and laid over one another for some goes on beside the networks' work for others.
"""

import logging
import os
from collections.abc import Callable, Mapping
from collections.abc import Generator as Steps
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from pise_core.detection import amodal, clip, hidden_background, turning
from pise_core.detection.amodal import Amodal
from pise_core.detection.analyzer import FILE_NAME, Analyzer, Sight
from pise_core.detection.clip import ClipPoses
from pise_core.detection.hidden_background import HiddenBackground
from pise_core.detection.lama import LamaInpainter, inpainter_of
from pise_core.detection.limbs import NETWORKS, read_limbs
from pise_core.detection.map_cleaning import clean_map
from pise_core.detection.turning import framing_of
from pise_core.errors import InputError, NobodyFound
from pise_core.framing import Box, Framing
from pise_core.held import Held, checked_held, find_held
from pise_core.images import check_photo
from pise_core.model import backends, network
from pise_core.model.adapter import Convention
from pise_core.model.answers import Answers
from pise_core.model.generator import Code, Generator
from pise_core.model.network import PISE
from pise_core.model.torch_generator import TorchGenerator
from pise_core.person import Edit, Person, Styles
from pise_core.pose import bounding_box
from pise_core.regions import GARMENTS, REGION, check_parsing
from pise_core.rendering import pipeline
from pise_core.rendering.wanted import checked, checked_pose
from pise_core.rendering.wearing.wear import wear
from pise_core.resident.drag import Resident, refusal
from pise_core.view import View
from pise_core.warping.foot_edges import Feet
from pise_core.warping.parts import PARTS, among

_log = logging.getLogger(__name__)

T = TypeVar("T")

#: What users are told whose pictures the processor makes instead of a graphics card.
NO_MEMORY = (
    "The graphics card has no memory left, so the processor makes the pictures from now on. That takes longer; start "
    "the server again once the card is free."
)
NOBODY = "no person was found in the photo; try one that shows the whole person"
#: In which order garments are put on: the table names those that hang over others first.
_PUT_ON = GARMENTS[::-1]
_LEFT_ARM, _RIGHT_ARM = (
    [PARTS.index(f"{side}_{part}") for part in ("upper_arm", "forearm")] for side in ("left", "right")
)


@dataclass(frozen=True)
class Analysis:
    """What is seen of one person.

    Attributes:
        pose: (18, 3) float32 in pixels of the photo.
        parsing: (H, W) uint8, of the photo's size.
        box: x0, y0, x1, y1 in pixels of the photo.
        framing: the frame about the person.
        held: what the person holds, which is background in ``parsing``; None if nothing is seen of that kind.
    """

    pose: np.ndarray
    parsing: np.ndarray
    box: Box
    framing: Framing
    held: Held | None = None


class Editor:
    """Holds the networks. ``Editor.from_pretrained()`` uses the weights that ship.

    Args:
        generator: what paints; a network is run by PyTorch.
        analyzer: what finds people, joints and regions.
        device: where PyTorch runs a network.
        amodal: what knows bodies behind arms; by default the one that ships, read when it is first asked.
        background: what expects streets behind bodies; by default the one that ships, read when it is first asked.
        inpainter: a large network that continues backgrounds in its place.
        resident: whether previews are made as a whole where the networks run (:mod:`pise_core.resident`); by default
            on a graphics card alone, since a processor is quicker with arrays.

    Attributes:
        generator: as given.
        analyzer: as given.
        device: as given.
        amodal: as given.
        background: as given.
        inpainter: as given.
        resident: who makes previews as a whole; None where arrays do.
        notice: what its users should know of how it works now; empty if there is nothing to say.
    """

    def __init__(
        self,
        generator: Generator | PISE,
        analyzer: Analyzer,
        device: str = "cpu",
        amodal: Amodal | None = None,
        background: HiddenBackground | None = None,
        inpainter: LamaInpainter | None = None,
        resident: bool | None = None,
    ):
        self.device, self.amodal, self.background, self.inpainter = device, amodal, background, inpainter
        self.generator: Generator = TorchGenerator(generator, device) if isinstance(generator, PISE) else generator
        self.analyzer = analyzer
        # Editors of one analyzer share its lock: the analyzer works for one of them at a time.
        self._lock = analyzer.lock
        self.resident: Resident | None = None
        self.notice = ""
        wanted = torch.device(device).type == "cuda" if resident is None else resident
        if wanted and isinstance(self.generator, TorchGenerator) and not refusal(self.generator):
            self.resident = Resident(self.generator)

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock: a copy, in this process or another, has that of its own analyzer."""
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = self.analyzer.lock

    @classmethod
    def from_pretrained(
        cls,
        path: str | Path | None = None,
        device: str = "auto",
        backend: str = "torch",
        background: str | Path | None = None,
    ) -> "Editor":
        """An editor with the weights in a folder (``pise.safetensors``, ``analyzer.safetensors``,
        ``amodal.safetensors``, ``arms.safetensors``, ``legs.safetensors``, ``background.safetensors``, or several; what
        is not there is taken from those that ship), or with those of one generator (any ``.safetensors``, as ``train``
        and ``convert`` write them) and the others that ship.

        Args:
            path: the folder, such as one that ``train`` wrote, or the file; by default the weights that ship.
            device: "auto" (CUDA where there is one), "cpu" or "cuda".
            backend: what runs the networks, one of ``backends.BACKENDS``.
            background: what continues the photo behind people: ``lama`` for a large network that is fetched from the
                hub once (:mod:`pise_core.detection.lama`), or the path of an ONNX graph like it; by default the network
                that ships.

        Raises:
            HubUnreachable: if the background has to be fetched and can't be.
            InputError: if weights are missing or damaged, or the device or the backend is not there.
        """
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            torch.empty(0, device=device)
        except (RuntimeError, AssertionError):
            raise InputError(f"the device {device!r} is not available here; use cpu") from None
        backend = backends.resolved(backend, device)
        generator, analyzer, hidden, behind, limbs = (None,) * 5 if path is None else _given_weights(Path(path))
        _log.debug("loading weights: %s, on %s, run by %s", path or "those that ship", device, backend)
        painting = backends.generator(PISE.from_pretrained(generator), backend, device)
        bodies = None if hidden is None else Amodal.read(hidden / amodal.FILE_NAME)
        streets = None if behind is None else HiddenBackground.read(behind / hidden_background.FILE_NAME)
        analyzing = Analyzer.from_pretrained(analyzer, device, backend)
        if limbs is not None:
            analyzing.limbs = tuple(read_limbs(limbs))
        return cls(painting, analyzing, device, bodies, streets, inpainter_of(background))

    def with_background(self, inpainter: LamaInpainter | None) -> "Editor":
        """The same networks, with another one for backgrounds; None: the one that ships."""
        other = copy(self)
        other.inpainter = inpainter
        return other

    @property
    def backend(self) -> str:
        """What runs the networks, such as ``torch cpu float32``: the same backend makes the same bytes."""
        return self.generator.backend

    @property
    def background_name(self) -> str:
        """Which network continues backgrounds, such as ``LaMa``; empty for the one that ships."""
        return "" if self.inpainter is None else self.inpainter.name

    @property
    def model(self) -> PISE:
        """The network itself.

        Raises:
            InputError: if PyTorch does not run it.
        """
        return self._in_torch.model

    @property
    def convention(self) -> Convention:
        """How arrays become tensors of that network; raises as :attr:`model`."""
        return self._in_torch.convention

    @property
    def _in_torch(self) -> TorchGenerator:
        if not isinstance(self.generator, TorchGenerator):
            raise InputError(f"this needs PyTorch, and the network is run by {self.generator.backend}")
        return self.generator

    def find_people(self, photo: np.ndarray) -> list[Box]:
        """Boxes (x0, y0, x1, y1 in pixels) of the people in ``photo`` (HWC uint8 RGB), most prominent first.

        Raises:
            InputError: if ``photo`` is no such array.
        """
        photo = check_photo(photo)
        return turning.find_people(self.analyzer, photo)

    def analyze(self, photo: np.ndarray, box: Box | None = None, pose: np.ndarray | None = None) -> Analysis:
        """Joints and regions of one person.

        Args:
            photo: HWC uint8 RGB.
            box: about the person, as :meth:`find_people` gives it; by default the most prominent one.
            pose: (18, 3) in pixels of the photo, when the joints are known already.

        Raises:
            NobodyFound: if there is no pose and nobody is found.
            InputError: on a photo, box or pose that makes no sense.
        """
        photo = check_photo(photo)
        sight = self._see(photo, box, pose)
        # Regions at the photo's size: the most probable one, after enlarging the probabilities.
        parsing = sight.framing.paste_most_probable(sight.probabilities)
        parsing = clean_map(photo, parsing, sight.probabilities, sight.framing, sight.pose)
        held = None
        if sight.held is not None:
            held = find_held(photo, sight.held, sight.probabilities, sight.framing, sight.pose)
            if held is not None:
                held = held.meeting(parsing, sight.framing.scale).over(parsing)
                parsing = held.without(parsing)
        return Analysis(sight.pose, parsing, sight.box, framing_of(sight, (photo.shape[1], photo.shape[0])), held)

    def clip_poses(self, source: str | os.PathLike[str] | bytes) -> ClipPoses:
        """The poses of the most prominent person in a clip, smoothed; ``Document.follow`` makes a motion of them.

        Args:
            source: path of a video (MP4, MOV, WebM, MKV, AVI, MPEG-TS or GIF), or its bytes. The first 20 seconds are
                looked at, in at most 96 pictures.

        Raises:
            NobodyFound: if nobody is seen in two pictures.
            InputError: if it is no such video, damaged, too large, or too short.
        """
        following = self.follow_clip(source)
        while True:
            try:
                next(following)
            except StopIteration as end:
                return end.value

    def follow_clip(self, source: str | os.PathLike[str] | bytes) -> Steps[tuple[int, int], None, ClipPoses]:
        """As :meth:`clip_poses`, one picture at a time: a generator that says how many were looked at, and of how many,
        and returns the poses."""
        return clip.follow(self.analyzer, source)

    def _see(self, photo: np.ndarray, box: Box | None, pose: np.ndarray | None) -> Sight:
        """:meth:`analyze` in the frame."""
        size = (photo.shape[1], photo.shape[0])
        if pose is not None:
            pose = checked_pose(pose)
            about = _box_about(pose)
            framing = Framing.around(about, size)
            return self.analyzer.regions(photo, framing, about, pose)
        sight = turning.look(self.analyzer, photo, None if box is None else _checked_box(box, size))
        if sight is None:
            raise NobodyFound(NOBODY)
        return sight

    def set_person(
        self,
        photo: np.ndarray,
        *,
        box: Box | None = None,
        pose: np.ndarray | None = None,
        parsing: np.ndarray | None = None,
        framing: Framing | None = None,
        held: np.ndarray | Held | None = None,
    ) -> Person:
        """Everything that depends on the photo alone, once.

        Args:
            photo: HWC uint8 RGB.
            box: which of several people, as :meth:`find_people` gives it; by default the most prominent.
            pose: (18, 3) in pixels of the photo; by default detected.
            parsing: (H, W) integers 0..7 of the photo's size; by default detected.
            framing: the frame about the person, where pose and parsing are known from before; by default as found.
            held: (H, W) integers of the photo's size, 0 where nothing is held and a number from 1 on for each thing,
                which is background then; or those of another person of the same photo. By default detected, or nothing
                where ``parsing`` is given.

        Raises:
            NobodyFound: if no pose is given and nobody is found.
            InputError: on input that makes no sense.
        """
        photo = check_photo(photo).copy()
        if parsing is None:
            found = self.analyze(photo, box, pose)
        else:
            found = self._annotated(photo, check_parsing(parsing, photo.shape[:2]), box, pose)
        if held is None:
            held = found.held
        elif not isinstance(held, Held):
            held = checked_held(held, photo.shape[:2], found.pose)
            if held is not None:
                held = held.over(found.parsing)
                found = replace(found, parsing=held.without(found.parsing))
        framing = framing or found.framing
        feet = Feet(photo, found.parsing, found.pose, framing.scale)
        frame = View(
            framing.crop(photo, 127), framing.crop(found.parsing, labels=True), framing.to_frame(found.pose), feet=feet
        )
        answers = Answers(self._lock)
        return Person(photo, found.pose, found.parsing, framing, found.box, frame, self, answers, held=held)

    def encode(self, frame: View) -> Code:
        """See :attr:`Person.code`, which asks for it once."""
        return self.generator.encode(frame)

    def _annotated(self, photo: np.ndarray, parsing: np.ndarray, box: Box | None, pose: np.ndarray | None) -> Analysis:
        """An analysis whose regions are given; where the pose is too, nothing is left to be looked for."""
        if pose is None:
            sight = self._see(photo, box, None)
            return Analysis(sight.pose, parsing, sight.box, framing_of(sight, (photo.shape[1], photo.shape[0])))
        pose = checked_pose(pose)
        about = _box_about(pose)
        return Analysis(pose, parsing, about, Framing.around(about, (photo.shape[1], photo.shape[0])))

    def render(
        self,
        person: Person,
        pose: np.ndarray | None = None,
        parsing: np.ndarray | None = None,
        styles: Styles | None = None,
        detail: bool = True,
        cloth: bool = True,
        *,
        paint: np.ndarray | None = None,
        frame_pose: np.ndarray | None = None,
        any_map: bool = False,
    ) -> Edit:
        """See :meth:`Person.render`."""
        wanted = checked(person, pose, parsing, styles, paint, frame_pose)
        return self._with_room(
            lambda: pipeline.render(person, wanted, self.generator, detail, cloth, any_map, self.resident)
        )

    def preview(
        self,
        person: Person,
        pose: np.ndarray | None = None,
        styles: Styles | None = None,
        *,
        paint: np.ndarray | None = None,
        frame_pose: np.ndarray | None = None,
    ) -> np.ndarray:
        """See :meth:`Person.preview`."""
        wanted = checked(person, pose, None, styles, paint, frame_pose)

        def shown() -> np.ndarray:
            resident = self.resident
            if resident is None or refusal(resident.generator, wanted, person.framing.scale):
                return pipeline.render(person, wanted, self.generator, True, False, True, resident).photo
            return resident.preview(person, wanted)

        return self._with_room(shown)

    def _with_room(self, work: Callable[[], T]) -> T:
        """What work leads to; where the graphics card has no memory left for it, on the processor, as everything from
        then on."""
        resident = self.resident
        try:
            return work()
        except torch.OutOfMemoryError:
            if resident is None:
                raise
            self._leave_device()
        return work()

    def _leave_device(self) -> None:
        """Go on without the networks' device, unless another thread has seen to that."""
        with self._lock:
            generator, resident = self.generator, self.resident
            if resident is None or not isinstance(generator, TorchGenerator):
                return
            _log.warning("the device %s has no memory left; the processor paints from now on", generator.device)
            self.generator, self.notice = generator.on_processor(), NO_MEMORY
            self.resident = None  # the last of all: whoever finds none has the processor's generator
        resident.clear()
        if torch.device(generator.device).type == "cuda":
            torch.cuda.empty_cache()

    def hidden(self, parsing: np.ndarray, owner: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What lies behind somebody's arms and what they hold, and behind their head, too.

        Args:
            parsing: (256, 176) uint8, the regions in the frame.
            owner: (256, 176) int8, the part that each pixel belongs to, an index into ``PARTS``.
            pose: (18, 3) in pixels of the frame.

        Returns:
            The probabilities of the regions without these, (8, 128, 88) float32 each.
        """
        arms = among(owner, _LEFT_ARM).astype(np.uint8) + 2 * among(owner, _RIGHT_ARM)
        held = (owner >= 0) & (parsing == 0)
        without = (self.amodal or amodal.shipped())(parsing, np.where(held, np.uint8(0), arms), held, pose)
        return without[0], without[1]

    def behind(self, picture: np.ndarray, known: np.ndarray) -> np.ndarray:
        """What a picture (h, w, 3) uint8, which is ``known`` (h, w) bool here and there, looks like in the large all
        over: (h, w, 3) uint8."""
        return (self.background or hidden_background.shipped())(picture, known)

    def passers_by(self, picture: np.ndarray, known: np.ndarray) -> np.ndarray:
        """Where other people are, (h, w) bool, in a picture as :meth:`behind` takes it, which doesn't know the person:
        whoever is largest hides all others from the analyzer."""
        return self.analyzer.passers_by(hidden_background.continued(picture, known))

    def wear(self, person: Person, garments: Mapping[str, Person]) -> Person:
        """See :meth:`Person.wear`."""
        if not isinstance(garments, Mapping) or not garments.keys() <= set(GARMENTS):
            raise InputError(f"what can be worn is {', '.join(GARMENTS)}, each of a person as set_person returns them")
        dressed = person
        for region in sorted(garments, key=_PUT_ON.index):
            lender = garments[region]
            if not isinstance(lender, Person) or not lender.lends(REGION[region]):
                raise InputError(f"the reference shows no {region.replace('_', ' ')}; choose another one")
            if lender.answers is person.answers:  # their own
                continue
            photo, parsing = wear(dressed, lender, REGION[region], self.generator)
            dressed = self.set_person(
                photo, pose=person.pose, parsing=parsing, framing=person.framing, held=person.held
            )
            # What clothes hide now was photographed, or filled once.
            dressed.__dict__["plate"] = person.plate
        return dressed

    def pose_map(self, person: Person, pose: np.ndarray, frame_pose: np.ndarray | None = None) -> np.ndarray:
        """See :meth:`Person.pose_map`."""
        wanted = checked(person, pose, None, None, None, frame_pose)
        return self._with_room(lambda: pipeline.pose_map(person, wanted, self.generator, self.resident))


def _given_weights(path: Path) -> tuple[Path | None, ...]:
    """Where the weights are to be read of the generator, the analyzer, and what knows bodies, streets and limbs; None:
    from those that ship."""
    if path.is_file() and path.suffix == ".safetensors":
        return path, None, None, None, None
    of_limbs = tuple(one.kind.file_name for one in NETWORKS)
    files = (network.FILE_NAME,), (FILE_NAME,), (amodal.FILE_NAME,), (hidden_background.FILE_NAME,), of_limbs
    folders = tuple(path if any((path / name).exists() for name in names) else None for names in files)
    if not any(folders):
        known = " or ".join(name for names in files for name in names)
        raise InputError(f"{path} is neither a .safetensors file nor a folder of weights ({known})")
    return folders


def _checked_box(box: Box, size: tuple[int, int]) -> Box:
    """The part of a box that lies in a photo of ``size`` (W, H)."""
    try:
        x0, y0, x1, y1 = (float(v) for v in box)
    except (TypeError, ValueError):
        raise InputError("a box is four numbers: x0, y0, x1, y1 in pixels of the photo") from None
    x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, float(size[0])), min(y1, float(size[1]))
    if not (x1 - x0 >= 1 and y1 - y0 >= 1):
        raise InputError("the box lies outside the photo or is empty; it is x0, y0, x1, y1 in pixels of the photo")
    return x0, y0, x1, y1


def _box_about(pose: np.ndarray) -> Box:
    """Joints do not reach to the hair, the hands and the soles."""
    x0, y0, x1, y1 = bounding_box(pose)
    reach = max(y1 - y0, x1 - x0, 8.0)
    return x0 - 0.08 * reach, y0 - 0.1 * reach, x1 + 0.08 * reach, y1 + 0.06 * reach
