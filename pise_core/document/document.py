"""The document: what is opened, edited, saved and opened again. Every edit is a step of one history.

It knows no user interface.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pise_core import pose as poses
from pise_core.coverage import check_covered
from pise_core.document.cuts import cut
from pise_core.document.edits import KEY_LIMIT, Edits, Paint, checked_motion, checked_pose
from pise_core.document.file_format import PEOPLE_LIMIT, SavedDocument
from pise_core.document.file_reader import is_document, read
from pise_core.document.file_writer import write
from pise_core.document.history import History
from pise_core.document.motion import encode_motion, fitted_clip, pace_of, smoothed_keys
from pise_core.document.paint import UNTOUCHED, PaintLayer, resize_labels, working_size
from pise_core.document.people import EditedPerson
from pise_core.document.references import PREVIEW_SIDE, References, checked_styles, checked_wear
from pise_core.document.renderer import Rendered, Renderer
from pise_core.document.textures import garment, likely_box, look
from pise_core.errors import InputError
from pise_core.files import write_file
from pise_core.framing import Box
from pise_core.held import Carrier, Held
from pise_core.images import harmless, read_image
from pise_core.person import Person, PersonEditor, SavedPerson
from pise_core.pose_files import PoseFile, open_pose_file
from pise_core.regions import check_parsing, region_index
from pise_core.rendering.recolour import checked_recolours
from pise_core.warping.retarget import retarget

#: (H, W, 3) uint8 RGB, or the path of a picture.
Picture = np.ndarray | str | os.PathLike[str]

#: The weights of an interpolation strip.
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


class Document:
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
    def _history(self) -> History:
        return self.people[self._edited].history

    @property
    def _renderer(self) -> Renderer:
        return self.people[self._edited].renderer

    @property
    def _others(self) -> list[EditedPerson]:
        return [one for index, one in enumerate(self.people) if index != self._edited]

    # ---- people

    @property
    def edited(self) -> int:
        """Index into ``people`` of who is edited."""
        return self._edited

    @property
    def person(self) -> Person:
        """Who is edited, as ``Editor.set_person`` made them."""
        return self.people[self._edited].person

    @property
    def chosen(self) -> int:
        """Index into ``boxes`` of who is edited."""
        return self.people[self._edited].chosen

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
            own, *others = (one.saved() for one in (self.people[self._edited], *self._others))
            return SavedDocument(
                self.name, own.person, self.boxes, own.chosen, references, own.history, own.position,
                tuple(others), self._edited, self.person.editor.backend,
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

    # ---- the history

    @property
    def edits(self) -> Edits:
        """What is asked for now."""
        return self._history.current

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
            edited = not self.edits.none
            if edited:
                self._history.commit(pose=None, paint=None, styles={}, recolour={}, wear={}, held=())
            return edited

    # ---- pose

    def pose_of(self, edits: Edits) -> np.ndarray:
        """The wanted pose (18, 3), or the person's own."""
        return self.person.pose if edits.pose is None else edits.pose

    def wanted(self, pose: Any) -> np.ndarray | None:
        """A pose as :class:`Edits` keeps it: checked, and None if it is the person's own, for no edit is no edit.

        Raises:
            InputError: on a pose that makes no sense.
        """
        if pose is not None:
            pose = checked_pose(pose)
        own = pose is None or poses.to_rows(pose) == poses.to_rows(self.person.pose)
        return None if own else pose

    def set_pose(self, pose: Any) -> None:
        """The wanted pose, (18, 3) or 18 rows, None for the person's own, as one step; paint goes along with the body.

        Raises:
            InputError: on a pose that makes no sense.
        """
        pose = self.wanted(pose)
        with self._lock:
            self._history.commit(pose=pose)

    def fit_pose(self, pose: np.ndarray) -> None:
        """As :meth:`set_pose`, with somebody else's pose (18, 3): the bones keep this person's lengths.

        Raises:
            InputError: if the two poses have neither the hips nor the neck in common.
        """
        self.set_pose(retarget(self.person.pose, pose))

    def load_pose(self, text: str | bytes, person: int | None = None) -> PoseFile:
        """As :meth:`set_pose`, with the contents of a file of joints, ours or another program's.

        A pose that was saved for this very person is taken as it is, any other one is fitted to theirs.

        Args:
            text: of the file; see :func:`pise_core.read_pose`.
            person: which of several people in it, from 0; by default the largest and most complete.

        Returns:
            All that the file holds.

        Raises:
            InputError: if the text holds no pose, or one that can't be fitted.
        """
        file = open_pose_file(text.encode() if isinstance(text, str) else text)
        height, width = self.person.parsing.shape
        if file.own == poses.to_rows(self.person.pose):
            self.set_pose(file.pose((width, height), person=person))
        else:
            self.fit_pose(file.pose((width, height), person=person, own=True))
        return file

    # ---- regions

    def paint(self, region: str, mask: np.ndarray) -> None:
        """Paint a region over the map, as one step.

        Args:
            region: its name.
            mask: (H, W) bool of the photo's size, true where it is painted.

        Raises:
            InputError: on an unknown region, a mask of another shape, or one that undresses the person.
        """
        mask, index = np.asarray(mask), region_index(region)
        if mask.shape != self.person.parsing.shape or mask.dtype != bool:
            raise InputError(f"a mask is an array {self.person.parsing.shape} of bool, as large as the photo")
        with self._lock:
            layer, _ = self._renderer.paint(self.edits)
            shown = self._renderer.base_map(self.edits)
            shown = shown if layer is None else layer.over(shown)
            self.set_regions(np.where(mask, np.uint8(index), shown))

    def set_regions(self, parsing: np.ndarray) -> None:
        """The whole map as it is wanted in the pose of now, (H, W) integers 0..7 of the photo's size, as one step.

        Raises:
            InputError: if it is no such map, or undresses the person.
        """
        height, width = self.person.parsing.shape
        parsing, size = check_parsing(parsing, (height, width)), working_size(width, height)
        with self._lock:
            check_covered(self._renderer.base_map(self.edits), parsing, self.pose_of(self.edits))
            below, wanted = (resize_labels(m, size) for m in (self._renderer.base_map(self.edits), parsing))
            layer = PaintLayer.of(np.where(wanted == below, np.uint8(UNTOUCHED), wanted))
            self._history.commit(paint=None if layer is None else Paint(layer, self.edits.pose, True))

    def cut(self, change: str) -> None:
        """Another cut of what is worn, as one step: ``change`` is one of :data:`pise_core.document.cuts.CUTS`.

        Raises:
            InputError: if there is nothing to be cut so.
        """
        with self._lock:
            pose, base = self.pose_of(self.edits), self._renderer.base_map(self.edits)
            painted = self.painted(self.edits)
            now = (
                base
                if painted is None
                else resize_labels(painted.over(resize_labels(base, painted.size)), base.shape[::-1])
            )
            self.set_regions(cut(now, pose, change))

    def set_paint(self, before: PaintLayer | None, after: PaintLayer | None) -> None:
        """Take over what a stroke changed between two layers, as one step; raises as :meth:`stroked`."""
        with self._lock:
            self._history.commit(paint=self.stroked(self.edits, before, after))

    def stroked(self, edits: Edits, before: PaintLayer | None, after: PaintLayer | None) -> Paint | None:
        """The paint of edits with a stroke that made the layer ``after`` of the layer ``before``, which the body may
        have carried elsewhere meanwhile. All of it counts as painted in the pose of the stroke, if that changed any.

        Raises:
            InputError: if the stroke undresses the person.
        """
        if before == after:
            return edits.paint
        layer = PaintLayer.stroked(self.painted(edits), before, after)
        if layer is not None:
            below = resize_labels(self._renderer.base_map(edits), layer.size)
            scale = np.array([*np.divide(layer.size, self.person.parsing.shape[::-1]), 1], np.float32)
            check_covered(below, layer.over(below), self.pose_of(edits) * scale)
        return None if layer is None else Paint(layer, edits.pose, True)

    def painted(self, edits: Edits | None = None) -> PaintLayer | None:
        """The painted layer of (the current) edits where the body has taken it; None if nothing is painted."""
        return self._renderer.paint(edits or self.edits)[0]

    def paint_kept(self, edits: Edits | None = None) -> float:
        """Which share of what was painted is still in the picture; 1 if nothing was painted."""
        return self._renderer.paint(edits or self.edits)[1]

    # ---- what is held

    @property
    def held(self) -> list[dict[str, Any]]:
        """The things that the person holds: for each its ``box`` (x0, y0, x1, y1 in pixels of the photo), and the
        ``carrier`` that it goes with now."""
        held = self.person.held
        if held is None:
            return []
        carriers = self.edits.held or held.carriers
        return [{"box": list(box), "carrier": carrier} for box, carrier in zip(held.boxes, carriers, strict=True)]

    def hold(self, carriers: Sequence[str]) -> None:
        """What each of the things that the person holds goes with: ``left_hand``, ``right_hand``, or ``stays``, in the
        order of ``person.held``; as one step.

        Raises:
            InputError: if they are not as many as the things, or one is another word.
        """
        with self._lock:
            self._history.commit(held=checked_carriers(self.person, carriers))

    # ---- styles and motion

    def set_styles(self, styles: Any) -> None:
        """All that is borrowed, ``{region: {id of a reference: weight}}``, as one step; the rest is the person's own.

        Raises:
            InputError: on an unknown region or reference, a reference that lacks the region, or weights that are not
                from 0 to 1 and at most 1 in all.
        """
        with self._lock:
            self._history.commit(styles=checked_styles(styles, self.references))

    def set_looks(self, styles: Any = None, recolour: Any = None, wear: Any = None) -> None:
        """What is borrowed, recoloured and worn, as one step; None: as it is. As :meth:`set_styles`,
        :meth:`set_recolour` and :meth:`set_wear` take them, and raises as they do."""
        with self._lock:
            changes: dict[str, Any] = {}
            if styles is not None:
                changes["styles"] = checked_styles(styles, self.references)
            if recolour is not None:
                changes["recolour"] = checked_recolours(recolour)
            if wear is not None:
                changes["wear"] = checked_wear(wear, self.references)
            self._history.commit(**changes)

    def set_recolour(self, recolour: Any) -> None:
        """All that is recoloured, ``{region: recolouring}``, as one step; the rest keeps its colours.

        A recolouring is a colour (``"#1b3a8c"``, ``"navy"``) or has any of ``colour``, ``hue`` (degrees, -180..180),
        ``saturation`` (a factor, 0..2) and ``lightness`` (-1..1).

        Raises:
            InputError: on a region that can't be recoloured (skin and background), no colour, or a number out of range.
        """
        recolours = checked_recolours(recolour)
        with self._lock:
            self._history.commit(recolour=recolours)

    def recolour(self, region: str, recolour: Any) -> None:
        """Recolour one region (None: give it its colours back), as one step; raises as :meth:`set_recolour`."""
        with self._lock:
            self.set_recolour({**self.edits.recolour, region: {} if recolour is None else recolour})

    def set_wear(self, wear: Any) -> None:
        """All that is worn of others, ``{region: id of a reference}``, as one step; the rest is the person's own.

        Each of ``upper_clothes``, ``dress`` and ``pants`` comes with its own cut: sleeves, length and neckline are the
        lender's, and what they uncover is made.

        Raises:
            InputError: on another region, or a reference that is gone or lacks it.
        """
        with self._lock:
            self._history.commit(wear=checked_wear(wear, self.references))

    def wear(self, region: str, reference: str | None) -> None:
        """Wear one garment of a reference (None: the person's own again), as one step; raises as :meth:`set_wear`."""
        with self._lock:
            rest = {name: key for name, key in self.edits.wear.items() if name != region}
            self.set_wear(rest if reference is None else {**rest, region: reference})

    def set_style(self, region: str, reference: str, weight: float = 1.0) -> None:
        """Borrow one region from one reference, by a share of 0 to 1, as one step; raises as :meth:`set_styles`."""
        with self._lock:
            self.set_styles({**self.edits.styles, region: {reference: weight}})

    def set_motion(self, keys: Any, seconds: float = 1.0, loop: bool = True) -> None:
        """A motion through key poses, each (18, 3) or 18 rows, as one step.

        Args:
            keys: at most 24.
            seconds: from one to the next, 0.1 to 5.
            loop: whether the last one is followed by the first one.

        Raises:
            InputError: on poses or a pace that make no sense.
        """
        motion = checked_motion(keys, seconds, loop)
        with self._lock:
            self._history.commit(motion=motion)

    def load_motion(self, text: str | bytes) -> int:
        """As :meth:`set_motion`, with the pictures of a file of poses, such as a clip's, each fitted to the person.

        Of more than 24 pictures as many are taken, evenly, each the mean of those about it, at a clip's 24 pictures a
        second; fewer follow each other every half second.

        Args:
            text: of the file; see :func:`pise_core.read_pose`.

        Returns:
            How many pictures of the file show somebody.

        Raises:
            InputError: if the text holds no poses of two pictures, or some that can't be fitted.
        """
        height, width = self.person.parsing.shape
        poses = open_pose_file(text.encode() if isinstance(text, str) else text).motion((width, height))
        if len(poses) < 2:
            raise InputError("that file shows somebody in one picture only; load it under Pose")
        return self.follow(poses)

    def follow(self, poses: Sequence[np.ndarray], seconds: float | None = None) -> int:
        """As :meth:`set_motion`, with the poses of a clip, each fitted to the person.

        Of more than 24 as many are taken, evenly, each the mean of those about it.

        Args:
            poses: two or more (18, 3) in pixels of the clip's pictures, such as ``Editor.clip_poses`` finds.
            seconds: from one to the next, where it is known.

        Returns:
            How many of them have the neck or both hips, which a pose is fitted by; the others are left out.

        Raises:
            InputError: if these are fewer than two.
        """
        fitted, seconds = fitted_clip(self.person.pose, poses, seconds)
        self.set_motion(smoothed_keys(fitted, KEY_LIMIT), pace_of(len(fitted), KEY_LIMIT, seconds), loop=False)
        return len(fitted)

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

    def render(self, edits: Edits | None = None, preview: bool = False) -> Rendered:
        """The edited photo (by default as it is wanted now), at full size or at preview size."""
        return self._renderer.render(edits or self.edits, preview)

    def base_map(self, edits: Edits | None = None, preview: bool = False) -> np.ndarray:
        """The map below the paint, (H, W) uint8: the detected one, or the one made for the wanted pose."""
        return self._renderer.base_map(edits or self.edits, preview)

    def sized(self, preview: bool = False) -> Person:
        """The person at full size or at preview size."""
        return self._renderer.person(preview)

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
        seen in the person's own pose they are plain instead, beyond what is known of them: texture that is found anew
        for each picture would flicker.

        Args:
            edits: by default the current ones.
            side: long side of the pictures in pixels, if the photo is that large.

        Raises:
            InputError: on fewer than two key poses, or more pictures of that size than may be.
        """
        renderer = self._renderer if side == PREVIEW_SIDE else Renderer(self.person, self.references.kept, side)
        return renderer.frames(edits or self.edits)

    def animate(self, path: str | os.PathLike[str], side: int = PREVIEW_SIDE) -> None:
        """Write the motion as ``.gif`` or ``.mp4``; raises as :meth:`frames`, or if the file can't be written."""
        write_file(path, encode_motion([make() for make in self.frames(side=side)], Path(path).suffix))


def checked_carriers(person: Person, carriers: Sequence[str]) -> tuple[Carrier, ...]:
    """What held things go with as :class:`Edits` keeps it: nothing if that is what they go with by themselves.

    Raises:
        InputError: as :meth:`Document.hold`.
    """
    held = Held(np.zeros((1, 1), np.uint8), ()) if person.held is None else person.held
    wanted = held.with_carriers(carriers).carriers
    return () if wanted == held.carriers else wanted


def _picture(source: Picture) -> tuple[str, np.ndarray]:
    """A name for a picture, and the picture."""
    if isinstance(source, np.ndarray):
        return "photo", source
    return harmless(Path(source).stem), read_image(source)
