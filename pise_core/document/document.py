"""The document: what is opened, edited, saved and opened again.

It knows no user interface. What can be asked of a person in it is in :mod:`pise_core.document.steps`.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pise_core.document.edits import Edits
from pise_core.document.file_format import PEOPLE_LIMIT, SavedDocument
from pise_core.document.file_reader import is_document, read
from pise_core.document.file_writer import write
from pise_core.document.growing import (
    bounded,
    grown_carriers,
    grown_edits,
    grown_person,
    grown_photo,
    leaves,
    room_for,
)
from pise_core.document.history import History
from pise_core.document.motion import encode_motion
from pise_core.document.people import EditedPerson, together
from pise_core.document.references import PREVIEW_SIDE, References, checked_styles
from pise_core.document.renderer import Rendered, Renderer
from pise_core.document.steps import Steps
from pise_core.document.textures import garment, likely_box, look
from pise_core.doubts import Doubt, doubts_of, doubts_of_worn
from pise_core.errors import InputError
from pise_core.files import write_file
from pise_core.framing import Box
from pise_core.images import harmless, read_image
from pise_core.inpainting.margins import Margins
from pise_core.person import Person, PersonEditor, SavedPerson
from pise_core.regions import region_index

#: (H, W, 3) uint8 RGB, or the path of a picture.
Picture = np.ndarray | str | os.PathLike[str]

#: The weights of an interpolation strip.
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Document(Steps):
    """A photo, the people in it, references, and all edits with their histories.

    One of the people is edited at a time; edits, history and pictures are that person's.

    Poses are (18, 3) float32: x, y, score in pixels of the photo, in OpenPose order, nan where a joint is missing.
    Public methods may be called from several threads.

    Args:
        editor: the one whose networks make the pictures.
        photo: (H, W, 3) uint8 RGB, or the path of a picture.
        box: x0, y0, x1, y1 in pixels of the photo, about the person to edit; by default the largest one.
        pose: the person's pose (18, 3) in pixels of the photo, where it is known; by default detected.
        parsing: (H, W) uint8 of indices 0..7; by default detected.

    Attributes:
        name: of the photo, without suffix.
        people: those whose edits are kept, in the order in which they were added.
        boxes: of everybody found in the photo, as far as they were looked for.
        references: whose textures may be borrowed; none at first.

    Raises:
        NobodyFound: if no pose is given and nobody is found.
        InputError: on a photo, pose or map that makes no sense.
    """

    def __init__(
        self,
        editor: PersonEditor,
        photo: Picture,
        *,
        box: Box | None = None,
        pose: np.ndarray | None = None,
        parsing: np.ndarray | None = None,
    ) -> None:
        name, image = _picture(photo)
        self._begin(editor.set_person(image, box=box, pose=pose, parsing=parsing), name)

    @classmethod
    def of(
        cls,
        person: Person,
        name: str = "photo",
        boxes: Sequence[Box] = (),
        chosen: int = 0,
        references: References | None = None,
        history: History | None = None,
    ) -> "Document":
        """A document with a person who is known already; references may be those of another document."""
        document = cls.__new__(cls)
        document._begin(person, name, boxes, chosen, references, history)
        return document

    def _begin(
        self,
        person: Person,
        name: str,
        boxes: Sequence[Box] = (),
        chosen: int = 0,
        references: References | None = None,
        history: History | None = None,
    ) -> None:
        self.name, self.boxes = name, list(boxes)
        self.references = References() if references is None else references
        self.people = [EditedPerson(person, self.references.kept, chosen, history, self.references.removed)]
        self._edited = 0
        self._lock = threading.RLock()
        self.take_up()

    @property
    def _current(self) -> EditedPerson:
        return self.people[self._edited]

    @property
    def _others(self) -> list[EditedPerson]:
        return [one for index, one in enumerate(self.people) if index != self._edited]

    # ---- people

    @property
    def edited(self) -> int:
        """Index into ``people`` of who is edited."""
        return self._edited

    @property
    def chosen(self) -> int:
        """Index into ``boxes`` of who is edited."""
        return self._current.chosen

    def add_person(self, person: Person, chosen: int = 0) -> int:
        """Somebody else in the same photo, who can be edited then; returns the index into ``people``.

        Args:
            person: as ``Editor.set_person`` made them of this photo.
            chosen: their index into ``boxes``.

        Raises:
            InputError: if it is another photo, or there are too many people.
        """
        if not np.array_equal(person.photo, self.photo):
            raise InputError("the people of a document are in one photo; open the other photo as a document of its own")
        with self._lock:
            if len(self.people) >= PEOPLE_LIMIT:
                raise InputError(f"a document keeps the edits of {PEOPLE_LIMIT} people at most")
            self.people.append(EditedPerson(person, self.references.kept, chosen, None, self.references.removed))
            return len(self.people) - 1

    def with_people_of(self, other: "Document") -> "Document":
        """This document, with those people of another one of the same photo who are not its own, and their edits."""
        self.people += [one for one in other.people if one.chosen != self.chosen]
        return self

    @property
    def untouched(self) -> bool:
        """Whether nothing is asked for of anybody: the picture is the photo itself."""
        return all(one.history.current.none for one in self.people)

    def edit_person(self, index: int) -> None:
        """Go on with another of ``people``; each has a history of their own.

        Raises:
            InputError: if there is no such person.
        """
        with self._lock:
            if not 0 <= index < len(self.people):
                count = "1 person" if len(self.people) == 1 else f"{len(self.people)} people"
                raise InputError(f"the document has {count}, counted from 0")
            self._edited = index
            self.take_up()

    @property
    def photo(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB, as it was opened."""
        return self.person.photo

    @property
    def leaves_photo(self) -> bool:
        """Whether the wanted pose takes joints or hands out of the photo, for which :meth:`grow` makes room."""
        return self.edits.pose is not None and leaves(self.sized(preview=True), self._small_pose())

    def room(self) -> Margins:
        """The margins that the wanted pose needs, and a few pixels more.

        Raises:
            InputError: if the pose stays within the photo, or the photo can't grow.
        """
        height, width = self.photo.shape[:2]
        return room_for(self.sized(preview=True), self._small_pose(), (height, width))

    def grow(self, margins: Sequence[int] | None = None) -> "Document":
        """The same work with room beside the photo: its pixels keep their bits, and its background goes on about them.

        Nobody is looked at again, and all edits of now lie where they lay. The history begins there; this document
        stays as it is.

        Args:
            margins: pixels that are added at the left, the top, the right and the bottom, at most half of the photo at
                a side and no more in all than photos may have; by default those of :meth:`room`.

        Raises:
            InputError: if the pose stays within the photo, the photo can't grow, or margins make no sense.
        """
        with self._lock:
            height, width = self.photo.shape[:2]
            room = self.room() if margins is None else bounded(margins, (height, width))
            photo = grown_photo([one.renderer.holder(edits=one.history.current) for one in self.people], room)
            people = [self._grown(one, room, photo) for one in self.people]
            x, y = room.left, room.top
            boxes = [(x0 + x, y0 + y, x1 + x, y1 + y) for x0, y0, x1, y1 in self.boxes]
            own = people[self._edited]
            grown = Document.of(own.person, self.name, boxes, own.chosen, self.references, own.history)
            grown.people[:] = [*people[: self._edited], *grown.people, *people[self._edited + 1 :]]
            grown._edited = self._edited
            return grown

    def _grown(self, one: EditedPerson, room: Margins, photo: np.ndarray) -> EditedPerson:
        height, width = self.photo.shape[:2]
        edits = grown_edits(one.history.current, room, (height, width))
        person = grown_person(one.person, room, photo).known_to(one.person.editor)
        grown = EditedPerson(person, self.references.kept, one.chosen, History([edits]))
        if one.history.current.held:
            before, now = one.renderer.holder(edits=one.history.current).held, grown.renderer.holder(edits=edits).held
            if before is not None and now is not None:
                grown.history = History([replace(edits, held=grown_carriers(before, now, room))])
        return grown

    def _small_pose(self) -> np.ndarray:
        return self.scaled(self.pose_of(self.edits), self.sized(preview=True))

    # ---- files

    @classmethod
    def open(cls, source: str | os.PathLike[str] | bytes, editor: PersonEditor) -> "Document":
        """Open a ``.pise`` file, at a path or as its bytes.

        Raises:
            InputError: if it is damaged, of another kind or version, or larger than it may be.
        """
        saved = read(source)
        return cls.restored(saved, [person.known_to(editor) for person in saved.people])

    @classmethod
    def restored(cls, saved: SavedDocument, people: Sequence[Person]) -> "Document":
        """Go on with what a file held; ``people`` are those of ``saved.people``, known to an editor."""
        references = References()
        references.removed = saved.history[saved.position].removed
        count = 1 + len(saved.references)
        for (key, (name, _)), person in zip(saved.references.items(), people[1:count], strict=True):
            references.add(name, person, key)
        history = History(saved.history, saved.position)
        document = cls.of(people[0], saved.name, saved.boxes, saved.chosen, references, history)
        others = [
            EditedPerson(person, references.kept, other.chosen, History(other.history, other.position))
            for other, person in zip(saved.others, people[count:], strict=True)
        ]
        document.people = [*others[: saved.edited], *document.people, *others[saved.edited :]]
        document._edited = saved.edited
        return document

    def contents(self) -> SavedDocument:
        """All that is kept in a file, as it is now: later edits don't change it."""
        with self._lock:
            wanted = self.references.keys() | {key for one in self.people for key in one.history.borrowed_from}
            references = {k: (r.name, SavedPerson.of(r.person)) for k, r in self.references.kept.items() if k in wanted}
            own, *others = (one.saved() for one in (self._current, *self._others))
            return SavedDocument(
                self.name, own.person, self.boxes, own.chosen, references, own.history, own.position,
                tuple(others), self._edited, self.person.editor.backend,
                self.person.editor.background_name,
            )  # fmt: skip

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a ``.pise`` file: photo, person, references, edits and their history.

        Raises:
            InputError: if it would be more than can be opened again, or the file can't be written.
        """
        write_file(path, write(self.contents()))

    def look(self, region: str, edits: Edits | None = None) -> SavedDocument:
        """The look of a region as it is with (the current) edits, small.

        Raises:
            InputError: if there is no such region, or the picture shows nothing of it.
        """
        region_index(region)
        edits = edits or self.edits
        shown = self.render(edits)
        person = look(shown.photo, shown.parsing, self.pose_of(edits), region)
        return SavedDocument(f"{self.name}-{region}", person, [], 0, {}, [Edits()], 0)

    def save_look(self, region: str, path: str | os.PathLike[str]) -> None:
        """Write :meth:`look` as a ``.pise`` file, which :meth:`add_reference` takes; raises as that, or if the
        file can't be written."""
        write_file(path, write(self.look(region)))

    def rest(self) -> None:
        """Let go of what is quickly made again: nobody edits just now. Whatever is asked for next is the same."""
        for one in list(self.people):
            one.rest()
        self.references.rest()

    # ---- the history

    @property
    def can_undo(self) -> bool:
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        return self._history.can_redo

    def undo(self) -> bool:
        """One step back, whatever kind of edit it was; False if there is none."""
        with self._lock:
            moved = self._history.undo()
            self.take_up()
            return moved

    def redo(self) -> bool:
        """One step forward again; False if there is none."""
        with self._lock:
            moved = self._history.redo()
            self.take_up()
            return moved

    def travel(self, position: int) -> bool:
        """Straight to a state of the history, by its index; False if it is the current one.

        Raises:
            InputError: if there is no such state.
        """
        with self._lock:
            moved = self._history.go(position)
            self.take_up()
            return moved

    @property
    def steps(self) -> tuple[list[str], int]:
        """What each step of the history has changed, the oldest first, and how many of them are made now."""
        with self._lock:
            return self._history.changes, self._history.position

    @property
    def begun(self) -> bool:
        """Whether the oldest state that undo leads to has edits already: from before room was made, or more than
        ``HISTORY_LIMIT`` steps ago."""
        with self._lock:
            return not self._history.steps[0].none

    def take_up(self) -> None:
        """Go on from the current state, after another document has used the references too: in sight are those that
        this one has not removed, and what was borrowed from those that are no more is gone."""
        with self._lock:
            for history in (one.history for one in self.people):
                if gone := history.borrowed_from - self.references.kept.keys():
                    history.forget_references(gone)
            self.references.removed = self.edits.removed

    def start_over(self) -> bool:
        """Back to the photo as it was opened, as one step; False if nothing was asked for."""
        with self._lock:
            edits = self.edits
            edited = not edits.none or edits.things is not None or edits.held != ()
            if edited:
                self._history.commit(
                    pose=None, paint=None, styles={}, recolour={}, wear={}, held=(), retouch=None, things=None
                )
            return edited

    # ---- references

    def add_reference(self, source: Person | Picture, name: str | None = None) -> str:
        """Somebody whose textures may be borrowed.

        Args:
            source: a person of the same editor, a photo of somebody, or a ``.pise`` file: a saved look, or a document,
                whose person is taken as they are in its photo.
            name: what the reference is called; by default after the file.

        Returns:
            The id, ``r1`` for the first one.

        Raises:
            NobodyFound: if the photo shows nobody; see :meth:`add_garment`.
            InputError: if there are too many, or the file can't be read.
        """
        if not isinstance(source, np.ndarray | str | os.PathLike):
            return self.references.add(name or "reference", source)
        if not isinstance(source, np.ndarray) and is_document(source):
            saved = read(source)
            return self.references.add(name or saved.name, saved.person.known_to(self.person.editor))
        found, photo = _picture(source)
        return self.references.add(name or found, self.person.editor.set_person(photo))

    def add_garment(
        self, photo: Picture, region: str, box: tuple[float, float, float, float] | None = None, name: str | None = None
    ) -> str:
        """A garment that nobody wears, as a reference.

        Args:
            photo: (H, W, 3) uint8 RGB, or the path of a picture.
            region: what it is: ``upper_clothes``, ``dress`` or ``pants``.
            box: x0, y0, x1, y1 about it, as shares of the photo's width and height; by default where something stands
                out from a plain ground.
            name: what the reference is called; by default after the file.

        Returns:
            The id of the reference.

        Raises:
            InputError: if the region is no garment, the box is none or too small, or nothing stands out in it; if there
                are too many references.
        """
        found, image = _picture(photo)
        cut = garment(image, box or likely_box(image), region)
        return self.references.add(name or found, cut.known_to(self.person.editor))

    def remove_reference(self, key: Any) -> None:
        """Remove a reference and what is borrowed from it, as one step.

        Raises:
            InputError: if there is no such reference.
        """
        with self._lock:
            self.references.remove(key)
            rest = self.edits.without({key})
            self._history.commit(styles=rest.styles, wear=rest.wear, removed=self.references.removed)

    # ---- pictures

    def doubts(self, edits: Edits | None = None) -> list[Doubt]:
        """What may look wrong: of the wanted pose, because the photo shows too little of it, and of garments that are
        worn. Once something was painted, nothing but of the background."""
        edits = edits or self.edits
        found = [] if edits.pose is None else doubts_of(self.person, edits.pose)
        kept = self.references.kept
        worn = {region: kept[key].person for region, key in edits.wear.items() if key in kept}
        found += doubts_of_worn(self.person, worn)
        return [doubt for doubt in found if edits.paint is None or "background" in doubt.parts]

    def render(self, edits: Edits | None = None, preview: bool = False) -> Rendered:
        """The edited photo (by default as it is wanted now), at full size or at preview size, with the edits of all
        people in it; its regions are those of who is edited."""
        made = self._renderer.render(edits or self.edits, preview)
        return Rendered(self._together(made.photo), made.parsing)

    def preview(self, edits: Edits | None = None) -> np.ndarray:
        """The picture (h, w, 3) uint8 of :meth:`render` at preview size, alone: what is shown while somebody drags."""
        return self._together(self._renderer.preview(edits or self.edits))

    def _together(self, picture: np.ndarray) -> np.ndarray:
        return picture if len(self.people) == 1 else together(self.people, self._edited, picture)

    def base_map(self, edits: Edits | None = None, preview: bool = False) -> np.ndarray:
        """The map below the paint, (H, W) uint8: the detected one, or the one made for the wanted pose."""
        return self._renderer.base_map(edits or self.edits, preview)

    def sized(self, preview: bool = False) -> Person:
        """The person at full size or at preview size."""
        return self._renderer.person(preview)

    def holder(self, edits: Edits) -> Person:
        """The person at full size, holding what was found and painted, each thing with what it goes with."""
        return self._renderer.holder(edits=edits)

    def scaled(self, pose: np.ndarray, person: Person) -> np.ndarray:
        """A pose in pixels of the photo, in pixels of the photo of ``person``, the same one at another size."""
        return self._renderer.scaled(pose, person)

    def strip(self, region: str, reference: str, edits: Edits | None = None) -> Iterator[np.ndarray]:
        """Steps from the own look of a region to a reference's: a picture (h, w, 3) at preview size per weight of
        ``STEPS``, one by one; raises as :meth:`set_styles`."""
        edits = edits or self.edits
        for weight in STEPS:
            styles = checked_styles({**edits.styles, region: {reference: weight}}, self.references)
            yield self.render(replace(edits, styles=styles), preview=True).photo

    def frames(self, edits: Edits | None = None, side: int = PREVIEW_SIDE) -> Sequence[Callable[[], np.ndarray]]:
        """What makes the pictures of the motion, (h, w, 3) uint8, one call each.

        Painted and borrowed garments keep one texture through all pictures (``Renderer.dressed``). Where paint isn't
        seen in the person's own pose they are plain instead, beyond what is known of them: texture that is found again
        for each picture would flicker.

        Args:
            edits: by default the current ones.
            side: long side of the pictures in pixels, if the photo is that large.

        Raises:
            InputError: on fewer than two key poses, or more pictures of that size than may be.
        """
        renderer = self._renderer if side == PREVIEW_SIDE else Renderer(self.person, self.references.kept, side)
        frames = renderer.frames(edits or self.edits)
        if len(self.people) == 1:
            return frames
        return [lambda make=make: self._together(make()) for make in frames]

    def animate(self, path: str | os.PathLike[str], side: int = PREVIEW_SIDE) -> None:
        """Write the motion as ``.gif`` or ``.mp4``; raises as :meth:`frames`, or if the file can't be written."""
        write_file(path, encode_motion([make() for make in self.frames(side=side)], Path(path).suffix))


def _picture(source: Picture) -> tuple[str, np.ndarray]:
    """A name for a picture, and the picture."""
    if isinstance(source, np.ndarray):
        return "photo", source
    return harmless(Path(source).stem), read_image(source)
