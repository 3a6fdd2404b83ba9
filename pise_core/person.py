"""A person in a photo: what was found out about them once, and all that can be rendered from it."""

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from pise_core.contact_shadow import ContactShadow, Shadowed, contact_shadows, shadow_layers, shadowed
from pise_core.framing import Box, Framing
from pise_core.held import NOTHING, Held, painted
from pise_core.hidden_body import HiddenBody
from pise_core.inpainting.background import Background
from pise_core.inpainting.inpainted import Inpaint
from pise_core.long_tops import hangs_as_dress
from pise_core.masks import window_of
from pise_core.model.answers import Answers
from pise_core.model.generator import Code
from pise_core.regions import REGION, REGION_COUNT
from pise_core.view import View, edge_margin

#: A joint that is nearer to where it was, in pixels of the photo, was not moved: a pose that went through JSON is
#: rounded, and its bones must not turn.
UNMOVED = 0.05

#: In pixels of the frame: less of a garment is a speckle of the map.
_LEAST_LENT = 60

#: Region name -> other people and how much of their style: the remainder is the person's own.
Styles = Mapping[str, Sequence[tuple["Person", float]]]


@dataclass(frozen=True)
class Edit:
    """The result of an edit.

    Attributes:
        photo: (H, W, 3) uint8 RGB, of the photo's size.
        frame: (256, 176, 3) uint8 RGB, the generator's picture on neutral grey.
        parsing: (H, W) uint8, the map that the picture was made on, of the photo's size.
        changed: (H, W) bool, the pixels that differ from the photo.
        unpainted: (H, W) uint8, the map that the pose alone asks for: what lies below everything painted.
    """

    photo: np.ndarray
    frame: np.ndarray
    parsing: np.ndarray
    changed: np.ndarray
    unpainted: np.ndarray


class Layer(NamedTuple):
    """One layer of a photo.

    Attributes:
        name: ``background``, or the part, one of ``pise_core.warping.parts.PARTS``.
        window: rows and columns of the photo that it covers.
        image: (h, w, 4) uint8 RGBA, straight alpha, of the window's size.
        depth: 0 for the farthest; the nearest has the greatest.
    """

    name: str
    window: tuple[slice, slice]
    image: np.ndarray
    depth: int


@dataclass(frozen=True, eq=False)
class Person:
    """Made by ``Editor.set_person``. Arrays are never changed; treat them as read-only.

    Attributes:
        photo: (H, W, 3) uint8 RGB.
        pose: (18, 3) float32, x, y, score in pixels of the photo; missing joints are nan.
        parsing: (H, W) uint8, of the photo's size.
        framing: where the frame lies in the photo.
        box: x0, y0, x1, y1 in pixels of the photo.
        frame: the person in the frame.
        editor: who made them, and renders them.
        answers: what the networks said of edits of this person lately; shared by all sizes and parts.
        larger: the same person in the larger photo that this one was made from, if it was; it isn't kept alive, so that
            a large photo can be let go.
        held: the things that they hold; None if there are none.
    """

    photo: np.ndarray
    pose: np.ndarray
    parsing: np.ndarray
    framing: Framing
    box: Box
    frame: View
    editor: "PersonEditor"
    answers: Answers = field(default_factory=Answers)
    larger: "weakref.ref[Person] | None" = None
    held: Held | None = None
    _whole: "tuple[Person, tuple[slice, slice]] | None" = None

    @cached_property
    def full(self) -> View:
        """The person at the photo's size."""
        held = None if self.held is None else self.held.parts(self.pose)
        return View(self.photo, self.parsing, self.pose, held, self.hidden, self.frame.feet)

    @property
    def hidden(self) -> Callable[[View], HiddenBody]:
        """Says of a view of this person, in any pose, what arms and head hide there. (It keeps no photo alive.)"""
        return partial(_hidden_body, self.editor, self.answers, self.framing)

    @property
    def code(self) -> Code:
        """What the image generator knows of the source alone; computed where it is asked for, and shared as ``answers``
        are."""
        return self.encoded()

    @property
    def encoded(self) -> Callable[[], Code]:
        """Gives :attr:`code`. (It keeps no photo alive.)"""
        return partial(_code, self.editor, self.answers, self.frame)

    @cached_property
    def _shadowed(self) -> Shadowed | None:
        return shadowed(self.photo, self.full.solid, self.pose, self.framing.scale)

    @cached_property
    def shadows(self) -> list[ContactShadow]:
        """What their feet cast on the ground beside them."""
        if self._whole is not None:
            whole, window = self._whole
            return [one.part(window) for one in whole.shadows]
        where = self._shadowed
        if where is None:
            return []
        clean = self.plate.at(where[0])
        return contact_shadows(self.photo, clean, self.full.solid, self.pose, self.framing.scale, where)

    @cached_property
    def plate(self) -> Background:
        """The photo without the person and the shadow beside their feet, made where it is asked for; in a preview of
        the pieces that the larger photo's is made of, if that is there."""
        larger = None if self.larger is None else self.larger()
        larger_plate = None if larger is None else larger.plate
        hidden, editor = self.full.solid, self.editor
        if self._shadowed is not None:
            window, inside = self._shadowed
            hidden = hidden.copy()
            hidden[window][inside] = REGION_COUNT
        return Background(
            self.photo, hidden, self.framing, larger_plate, editor.behind, editor.inpainter, editor.passers_by
        )

    @property
    def background(self) -> np.ndarray:
        """(H, W, 3) uint8: the photo without the person and the shadow beside their feet, whole. Made again each time:
        it isn't kept."""
        return self.plate.at()

    @property
    def alpha(self) -> np.ndarray:
        """(H, W) float32 in [0, 1]: the share of each pixel that is the person's, or what they hold. Made again each
        time: it isn't kept."""
        share, scale = np.zeros(self.parsing.shape, np.float32), self.framing.scale
        window = window_of(self.full.solid > 0, margin=edge_margin(scale))
        if window is not None:
            share[window] = self.full.edges(window, scale).share
        return share

    @property
    def layers(self) -> list["Layer"]:
        """The background without the person, the shadows beside their feet, and the person's parts with their own
        colours and soft edges, from the farthest to the nearest; each is finished behind what lies before it, as far as
        a moved part can uncover it. Laid over one another they are the photo, but for a narrow rim where parts meet.
        Made again each time: they aren't kept."""
        height, width = self.parsing.shape
        opaque = np.full((height, width, 1), 255, np.uint8)
        found = [Layer("background", (slice(0, height), slice(0, width)), np.dstack([self.background, opaque]), 0)]
        for part in [*shadow_layers(self.shadows), *self.full.cut_outs(self.framing.scale)]:
            h, w = part.image.shape[:2]
            window = slice(part.y, part.y + h), slice(part.x, part.x + w)
            found.append(Layer(part.part, window, part.image, len(found)))
        return found

    @cached_property
    def present(self) -> np.ndarray:
        """(8,) bool: which regions the person has."""
        return cv2.calcHist([self.parsing], [0], None, [REGION_COUNT], [0, REGION_COUNT]).ravel() > 0

    def lends(self, region: int) -> bool:
        """Whether enough of a garment is seen, given the region's index, for somebody else to wear it; a top that hangs
        like a dress is one, too."""
        if np.count_nonzero(self.parsing == region) * self.framing.scale**2 >= _LEAST_LENT:
            return True
        return region == REGION["dress"] and hangs_as_dress(self.parsing, self.pose)

    def make_ready(self) -> None:
        """Find out now what the first picture needs, so that it takes no longer than the next ones."""
        _ = self.frame.owner, self.full.owner, self.plate, self.code

    def rest(self) -> None:
        """Let go of what is quickly made again, and is the same then: nobody edits this person just now."""
        self.answers.forget()
        self.frame.rest()
        if "full" in self.__dict__:
            self.full.rest()

    def part(self, window: tuple[slice, slice]) -> "Person":
        """The same person in a part of the photo, rows and columns, sharing what was computed."""
        rows, columns = window
        (x0, y0, x1, y1), x, y = self.box, columns.start, rows.start
        full = self.full.part(window)
        here = replace(
            self,
            photo=full.image,
            pose=full.pose,
            parsing=full.parsing,
            framing=self.framing.within(window),
            box=(x0 - x, y0 - y, x1 - x, y1 - y),
            held=None if self.held is None else self.held.part(window),
            _whole=(self, window),
        )
        here.__dict__.update(full=full, plate=self.plate.part(window))
        return here

    def scaled(self, long_side: int) -> "Person":
        """The same person in a photo of at most ``long_side`` pixels, sharing what was computed: for quick previews."""
        height, width = self.photo.shape[:2]
        scale = long_side / max(height, width)
        if scale >= 1:
            return self
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pose = self.pose.copy()
        pose[:, :2] *= np.array(size) / (width, height)
        x0, y0, x1, y1 = self.box
        return replace(
            self,
            photo=cv2.resize(self.photo, size, interpolation=cv2.INTER_AREA),
            pose=pose,
            parsing=cv2.resize(self.parsing, size, interpolation=cv2.INTER_NEAREST_EXACT),
            framing=self.framing.resized(size),
            box=(x0 * scale, y0 * scale, x1 * scale, y1 * scale),
            larger=weakref.ref(self),
            held=None if self.held is None else self.held.resized(size),
        )

    def holding(self, carriers: Sequence[str]) -> "Person":
        """The same person, whose held things go with a hand or stay; shares what was computed.

        Args:
            carriers: for each thing of ``held``, in their order: ``left_hand``, ``right_hand`` or ``stays``.

        Raises:
            InputError: if they are not as many as the things, or one is another word.
        """
        held = (self.held or NOTHING).with_carriers(carriers)
        if self.held is None or held.carriers == self.held.carriers:
            return self
        person = replace(self, held=held)
        if "plate" in self.__dict__:
            person.__dict__["plate"] = self.plate
        return person

    def holding_painted(self, marks: np.ndarray) -> "Person":
        """The same person, who holds what was painted; as :func:`pise_core.held.painted`, whose ``marks`` are of the
        photo's size.

        Raises:
            InputError: if these are too many things.
        """
        held, parsing = painted(self.held, marks, self.parsing, self.pose, self.framing.scale)
        none = np.zeros(parsing.shape, np.uint8)
        made = self.editor.set_person(
            self.photo, pose=self.pose, parsing=parsing, framing=self.framing, held=none if held is None else held
        )
        return replace(made, photo=self.photo, box=self.box)

    def in_frame(self, pose: np.ndarray) -> np.ndarray:
        """A pose (18, 3) in pixels of the photo, as the networks see it: in pixels of the frame. Joints that nobody
        moved, but for a rounding error, are exactly where they were."""
        placed = self.framing.to_frame(pose)
        unmoved = np.abs(pose[:, :2] - self.pose[:, :2]).max(1) < UNMOVED
        placed[unmoved, :2] = self.frame.pose[unmoved, :2]
        return placed

    def pose_map(self, pose: np.ndarray, frame_pose: np.ndarray | None = None) -> np.ndarray:
        """The map (H, W) uint8 that a pose alone asks for, which takes no picture; arguments as in :meth:`render`."""
        return self.editor.pose_map(self, pose, frame_pose)

    def wear(self, garments: Mapping[str, "Person"]) -> "Person":
        """The person in garments of others, cut and all, in their own pose: edited further, or taken as ``photo``.

        The lender's sleeves, length and neckline come along. What the person wore there goes; what that uncovers is
        made: arms, legs and neck in their own skin, what their other clothes hid of themselves, the background.

        Args:
            garments: ``upper_clothes``, ``dress`` or ``pants`` -> who lends it. Of several, trousers are put on first
                and tops last.

        Raises:
            InputError: on another region, a lender who shows none, or a pose without shoulders and hips.
        """
        return self.editor.wear(self, garments)

    def render(
        self,
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
        """Edit the photo. Without any edit the result is the photo itself; the same input gives the same bytes.

        Args:
            pose: (18, 3) or (18, 2), the wanted joints in pixels of the photo; nan where a joint is missing.
            parsing: (H, W) integers 0..7, the wanted map, of the photo's size.
            styles: region name -> [(other person, weight)]; weights lie in [0, 1] and sum to at most 1, the
                remainder is the person's own (eq. 13 of the paper for one other person).
            detail: False switches the detail path off: the picture is then the generator's alone.
            cloth: whether painted and borrowed garments go on in their own texture where they reach beyond what is
                known of them; without it, which is quicker, the generator paints them. It needs the detail path.
            paint: (H, W) uint8, instead of ``parsing``: regions laid over the map that the pose asks for, and
                ``regions.UNTOUCHED`` where that map counts.
            frame_pose: (18, 3), ``pose`` in the frame, where it is known more exactly than from a small photo's pixels:
                :meth:`in_frame` of the person in the large one. Both then ask the same of the networks.
            any_map: take a map that :mod:`pise_core.coverage` refuses, as of another photo of the person, against which
                a result is measured.

        Raises:
            InputError: on a pose, map, region name or weight that makes no sense, or a map that undresses the person.
        """
        return self.editor.render(
            self, pose, parsing, styles, detail, cloth, paint=paint, frame_pose=frame_pose, any_map=any_map
        )

    def preview(
        self,
        pose: np.ndarray | None = None,
        styles: Styles | None = None,
        *,
        paint: np.ndarray | None = None,
        frame_pose: np.ndarray | None = None,
    ) -> np.ndarray:
        """The picture (H, W, 3) uint8 alone of an edit without ``cloth`` and with any map, made as a whole where the
        networks run if that is a graphics card; it may differ from :meth:`render`'s by what rounding does. Arguments as
        there."""
        return self.editor.preview(self, pose, styles, paint=paint, frame_pose=frame_pose)


def _code(editor: "PersonEditor", answers: Answers, frame: View) -> Code:
    return answers.of("code", (), lambda: editor.encode(frame))


def _hidden_body(editor: "PersonEditor", answers: Answers, framing: Framing, view: View) -> HiddenBody:
    parsing, owner = framing.crop(view.parsing, labels=True), framing.crop(view.owner, -1, labels=True)
    pose = framing.to_frame(view.pose)
    without = answers.of("hidden", (parsing, owner, pose), lambda: editor.hidden(parsing, owner, pose))
    return HiddenBody(*without, framing)


class PersonEditor(Protocol):
    """Who makes people of photos, and renders them: all of ``Editor`` that a person needs."""

    @property
    def backend(self) -> str:
        """See ``Editor.backend``."""
        ...

    @property
    def background_name(self) -> str:
        """See ``Editor.background_name``."""
        ...

    @property
    def inpainter(self) -> Inpaint | None:
        """See ``Editor.inpainter``."""
        ...

    @property
    def notice(self) -> str:
        """See ``Editor.notice``."""
        ...

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
        """See ``Editor.set_person``."""
        ...

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
        ...

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
        ...

    def encode(self, frame: View) -> Code:
        """See :attr:`Person.code`."""
        ...

    def hidden(self, parsing: np.ndarray, owner: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See ``Editor.hidden``."""
        ...

    def behind(self, picture: np.ndarray, known: np.ndarray) -> np.ndarray:
        """See ``Editor.behind``."""
        ...

    def passers_by(self, picture: np.ndarray, known: np.ndarray) -> np.ndarray:
        """See ``Editor.passers_by``."""
        ...

    def wear(self, person: Person, garments: Mapping[str, Person]) -> Person:
        """See :meth:`Person.wear`."""
        ...

    def pose_map(self, person: Person, pose: np.ndarray, frame_pose: np.ndarray | None = None) -> np.ndarray:
        """See :meth:`Person.pose_map`."""
        ...


class SavedPerson(NamedTuple):
    """A photo and what was found out about the person in it: all that ``Editor.set_person`` needs for them again."""

    photo: np.ndarray  # (H, W, 3) uint8
    pose: np.ndarray  # (18, 3) in pixels of the photo
    parsing: np.ndarray  # (H, W) uint8
    framing: Framing
    held: Held | None = None

    @classmethod
    def of(cls, person: Person) -> "SavedPerson":
        """What has to be kept of a person."""
        return cls(person.photo, person.pose, person.parsing, person.framing, person.held)

    def known_to(self, editor: PersonEditor) -> Person:
        """The person again; nothing is detected again."""
        return editor.set_person(**self._asdict())
