"""The document: what is opened, edited, saved and opened again. It knows no user interface."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pise_core.document.edited import EditedPerson
from pise_core.document.edits import Edits, checked_styles
from pise_core.document.file_format import Box, SavedDocument, SavedPerson
from pise_core.document.file_reader import is_document, read
from pise_core.document.file_writer import write
from pise_core.document.history import History
from pise_core.document.key_poses import encode_motion, motion_poses
from pise_core.document.looks import look
from pise_core.document.references import PREVIEW_SIDE, References
from pise_core.document.renderer import Renderer
from pise_core.document.textures import garment, likely_box
from pise_core.images import harmless, read_image, write_file
from pise_core.regions import region_index

if TYPE_CHECKING:
    from pise_core.editor import Editor
    from pise_core.person import Person

#: (H, W, 3) uint8 RGB, or the path of a picture.
Picture = np.ndarray | str | os.PathLike[str]

#: The weights of an interpolation strip.
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Document(EditedPerson):
    """A photo, the person in it, references, and all edits with their history.

    Args:
        editor: who knows the networks.
        photo: (H, W, 3) uint8 RGB, or the path of a picture.
        box: x0, y0, x1, y1 in pixels of the photo, about the person to edit; by default the largest one.
        pose: her pose (18, 3) in pixels of the photo, where it is known; by default detected.
        parsing: (H, W) uint8 of indices 0..7; by default detected.

    Attributes:
        name: of the photo, without suffix.
        boxes: of everybody found in the photo, as far as they were looked for; ``chosen`` is the index of the person.

    Raises:
        NobodyFound: if no pose is given and nobody is found.
        InputError: on a photo, pose or map that makes no sense.
    """

    def __init__(
        self,
        editor: "Editor",
        photo: Picture,
        *,
        box: Box | None = None,
        pose: np.ndarray | None = None,
        parsing: np.ndarray | None = None,
    ) -> None:
        name, image = _picture(photo)
        super().__init__(editor.set_person(image, box=box, pose=pose, parsing=parsing))
        self._name(name)

    def _name(self, name: str, boxes: Sequence[Box] = (), chosen: int = 0) -> None:
        self.name, self.boxes, self.chosen = name, list(boxes), chosen

    @classmethod
    def of(
        cls,
        person: "Person",
        name: str = "photo",
        boxes: Sequence[Box] = (),
        chosen: int = 0,
        references: References | None = None,
        history: History | None = None,
    ) -> "Document":
        """A document with a person who is known already; references may be those of another document."""
        document = cls.__new__(cls)
        EditedPerson.__init__(document, person, references, history)
        document._name(name, boxes, chosen)
        return document

    @property
    def photo(self) -> np.ndarray:
        """(H, W, 3) uint8 RGB, as it was opened."""
        return self.person.photo

    # ---- files

    @classmethod
    def open(cls, source: str | os.PathLike[str] | bytes, editor: "Editor") -> "Document":
        """Open a ``.pise`` file, at a path or as its bytes.

        Raises:
            InputError: if it is damaged, of another kind or version, or larger than it may be.
        """
        saved = read(source)
        return cls.restored(saved, [person.known_to(editor) for person in saved.people])

    @classmethod
    def restored(cls, saved: SavedDocument, people: Sequence["Person"]) -> "Document":
        """Go on with what a file held; ``people`` are those of ``saved.people``, known to an editor."""
        references = References()
        references.removed = saved.history[saved.position].removed
        for (key, (name, _)), person in zip(saved.references.items(), people[1:], strict=True):
            references.add(name, person, key)
        history = History(saved.history, saved.position)
        return cls.of(people[0], saved.name, saved.boxes, saved.chosen, references, history)

    def contents(self) -> SavedDocument:
        """All that is kept in a file, as it is now: later edits don't change it."""
        with self._lock:
            wanted = self.references.keys() | self._history.borrowed_from
            references = {k: (r.name, SavedPerson.of(r.person)) for k, r in self.references.kept.items() if k in wanted}
            return SavedDocument(
                self.name, SavedPerson.of(self.person), self.boxes, self.chosen, references,
                self._history.steps, self._history.position,
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

    # ---- references

    def add_reference(self, source: "Person | Picture", name: str | None = None) -> str:
        """Somebody whose textures may be borrowed.

        Args:
            source: a person of the same editor, a photo of somebody, or a ``.pise`` file: a saved look, or a document,
                whose person is taken as she is in its photo.
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

    # ---- pictures

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
        seen in the person's own pose they are plain instead, beyond what is known of them: texture that is found anew
        for each picture would flicker.

        Args:
            edits: by default the current ones.
            side: long side of the pictures in pixels, if the photo is that large.

        Raises:
            InputError: on fewer than two key poses, or more pictures of that size than may be.
        """
        edits = edits or self.edits
        renderer = self._renderer if side == PREVIEW_SIDE else Renderer(self.person, self.references.kept, side)
        poses = motion_poses(edits.motion, renderer.person(preview=True).photo.nbytes)

        @cache
        def dressed() -> "Person | None":
            return renderer.dressed(edits)

        def picture(pose: np.ndarray) -> np.ndarray:
            person = dressed()
            if person is None:
                return renderer.render(replace(edits, pose=pose), preview=True).photo
            return person.render(pose=renderer.scaled(pose, person), cloth=False).photo

        return [partial(picture, pose) for pose in poses]

    def animate(self, path: str | os.PathLike[str], side: int = PREVIEW_SIDE) -> None:
        """Write the motion as ``.gif`` or ``.mp4``; raises as :meth:`frames`, or if the file can't be written."""
        write_file(path, encode_motion([make() for make in self.frames(side=side)], Path(path).suffix))


def _picture(source: Picture) -> tuple[str, np.ndarray]:
    """A name for a picture, and the picture."""
    if isinstance(source, np.ndarray):
        return "photo", source
    return harmless(Path(source).stem), read_image(source)
