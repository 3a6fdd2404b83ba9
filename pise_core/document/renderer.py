"""From edits to pictures: what is asked for, rendered at full size or small."""

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np

from pise_core.coverage import check_covered
from pise_core.document.edits import Edits, Paint, same_pose
from pise_core.document.motion import motion_poses
from pise_core.document.paint import CarriedPaint, PaintLayer, resize_labels
from pise_core.document.references import PREVIEW_SIDE, Reference
from pise_core.finishing import FRONTS
from pise_core.held import Carrier
from pise_core.images import write_image
from pise_core.inpainting.background import Background
from pise_core.masks import window_of
from pise_core.person import Edit, Person
from pise_core.rendering.recolour import recolour
from pise_core.rendering.retouch import continued_background, retouch
from pise_core.warping.part_transforms import part_moves, still
from pise_core.warping.parts import PARTS, among, part_boxes

#: Which share of the paint must be seen in the person's own pose for :meth:`Renderer.dressed`.
_SEEN = 0.98
#: So many people in what they wore last are kept, at both sizes together.
_WARDROBE = 4


class Rendered(NamedTuple):
    """A picture and its regions: ``photo`` (H, W, 3) uint8 RGB, ``parsing`` (H, W) uint8 of indices 0..7."""

    photo: np.ndarray
    parsing: np.ndarray

    def save(self, path: str | os.PathLike[str], edited: bool = True) -> None:
        """Write the picture: ``.png``, ``.webp`` (both lossless) or ``.jpg``; ``edited``: with a note of that.

        Raises:
            InputError: if the suffix is another, or the file can't be written.
        """
        write_image(path, self.photo, edited)


class _Changed(NamedTuple):
    """The part of a picture that an edit changed: all that has to be kept to have the picture again."""

    window: tuple[slice, slice] | None  # rows and columns
    photo: np.ndarray
    parsing: np.ndarray

    @classmethod
    def of(cls, edit: Edit | Rendered, person: Person) -> "_Changed":
        changed = edit.changed if isinstance(edit, Edit) else (edit.photo != person.photo).any(2)
        window = window_of(changed | (edit.parsing != person.parsing), margin=0)
        here = window or (slice(0), slice(0))
        return cls(window, edit.photo[here].copy(), edit.parsing[here].copy())

    def over(self, person: Person) -> Rendered:
        """The picture."""
        photo, parsing = person.photo.copy(), person.parsing.copy()
        if self.window is not None:
            photo[self.window], parsing[self.window] = self.photo, self.parsing
        return Rendered(photo, parsing)


class Renderer:
    """Renders edits of one person; several threads may share it.

    Args:
        person: who is edited.
        references: whom textures may be borrowed from, by the ids that the edits name.
        side: long side of previews, in pixels, at most.
    """

    def __init__(self, person: Person, references: Mapping[str, Reference], side: int = PREVIEW_SIDE) -> None:
        self._full, self._side, self._references = person, side, references
        self._small: Person | None = None  # the person at preview size, while previews are made
        #: Whether it is what was taken away -> paint, what is worn and held under it, and its way with the body.
        self._carried: dict[bool, tuple[Paint, tuple[dict[str, str], PaintLayer | None], CarriedPaint]] = {}
        self._newest: tuple[Edits, _Changed] | None = None  # at full size
        self._retouched: tuple[Edits, _Changed] | None = None  # the same, where places are taken away
        #: Preview? -> whose background is continued where, and how it looks there.
        self._continued: dict[bool, tuple[Person, bytes, Any]] = {}
        self._covering: Paint | None = None  # the newest of a file that was found to keep to the rule
        self._dressing = threading.RLock()
        #: Preview, what held things go with, garments, and who wears them; the newest last.
        self._worn: list[tuple[tuple[bool, Any, tuple[Carrier, ...], tuple[tuple[str, Person], ...]], Person]] = []
        #: Preview? -> what was painted of held things, and who holds that, as it was asked last.
        self._bearers: dict[bool, tuple[PaintLayer, Person]] = {}
        #: Preview? -> who holds things, and the same in another way, as it was asked last.
        self._holders: dict[bool, tuple[Person, Person]] = {}
        #: Preview? -> pose, whose, the map that it asks for.
        self._bases: dict[bool, tuple[np.ndarray, Person, np.ndarray]] = {}

    def person(self, preview: bool = False, edits: Edits | None = None) -> Person:
        """The person at full size or at preview size, in what ``edits`` let them wear, holding things as they say."""
        person = self.holder(preview, edits)
        there = (
            {} if edits is None else {r: self._references[k] for r, k in edits.wear.items() if k in self._references}
        )
        worn = {region: other.preview if preview else other.person for region, other in there.items()}
        if not worn:
            return person
        things, carriers = (edits.things, edits.held) if edits else (None, ())
        asked = preview, things, carriers, tuple(worn.items())
        with self._dressing:
            for known, dressed in self._worn:
                if known == asked:
                    return dressed
            dressed = person.wear(worn)
            self._worn = [*self._worn[-_WARDROBE + 1 :], (asked, dressed)]
            return dressed

    @property
    def _previewed(self) -> Person:
        small = self._small or self._full.scaled(self._side)  # another thread may let go of it meanwhile
        self._small = small
        return small

    def holder(self, preview: bool = False, edits: Edits | None = None) -> Person:
        """As :meth:`person`, in their own clothes."""
        things, carriers = (edits.things, edits.held) if edits else (None, ())
        person = self._bearing(preview, things)
        if not carriers or person.held is None or carriers == person.held.carriers:
            return person
        with self._dressing:
            of, known = self._holders.get(preview, (None, person))
            if of is not person or known.held is None or known.held.carriers != carriers:
                known = person.holding(carriers)
                self._holders[preview] = person, known
            return known

    def _bearing(self, preview: bool, things: PaintLayer | None) -> Person:
        """Who holds what was found, with what was painted of that."""
        if things is None:
            return self._previewed if preview else self._full
        with self._dressing:
            known = self._bearers.get(preview)
            if known is None or known[0] != things:
                if preview:
                    made = self._bearing(False, things).scaled(self._side)
                else:
                    made = self._full.holding_painted(resize_labels(things.labels(), self._full.photo.shape[1::-1]))
                known = self._bearers[preview] = things, made
            return known[1]

    def rest(self) -> None:
        """Let go of what is quickly made again, and is the same then, but not of the newest picture: nobody edits this
        person just now."""
        with self._dressing:
            self._small = None
            self._worn = [(asked, dressed) for asked, dressed in self._worn if not asked[0]]
            self._bearers.pop(True, None)
            bearing = [person for _, person in self._bearers.values()]
            resting = [self._full, *bearing, *(dressed for _, dressed in self._worn)]
        for kept in self._bases, self._continued, self._holders, self._carried:
            kept.clear()
        for person in resting:
            person.rest()

    def render(self, edits: Edits, preview: bool = False, cloth: bool | None = None) -> Rendered:
        """The edited photo, at full size or at preview size; ``cloth`` as in ``Person.render``: previews, which must be
        quick, are without, unless it is asked for.

        Raises:
            InputError: if paint that came in a file undresses the person.
        """
        person = self.person(preview, edits)
        if edits.recolour:
            made = self.render(replace(edits, recolour={}), preview, cloth)
            return Rendered(recolour(made.photo, made.parsing, edits.recolour), made.parsing)
        if replace(edits, wear={}).none:
            return Rendered(person.photo, person.parsing)
        if edits.retouch is not None:
            return self._retouch(edits, preview, cloth, person)
        newest = self._newest
        if newest and not preview and cloth is None and newest[0].looks_like(edits):
            return newest[1].over(person)
        textured = not preview if cloth is None else cloth
        edit = person.render(**self._asked(edits, person, preview), cloth=textured, any_map=True)
        if edits.pose is not None:
            self._bases[preview] = edits.pose, person, edit.unpainted
        if not preview and cloth is None:
            self._newest = edits, _Changed.of(edit, person)
        return Rendered(edit.photo, edit.parsing)

    def preview(self, edits: Edits) -> np.ndarray:
        """The picture of :meth:`render` at preview size, (h, w, 3) uint8; raises as that. A graphics card may make it
        as a whole, and then nothing is known of its regions."""
        person = self.person(True, edits)
        if edits.recolour or edits.retouch is not None or replace(edits, wear={}).none:
            return self.render(edits, preview=True).photo
        return person.preview(**self._asked(edits, person, True))

    def _asked(self, edits: Edits, person: Person, preview: bool) -> dict[str, Any]:
        """What edits ask of a person at one size, as ``Person.render`` takes it."""
        pose, frame_pose = (None, None) if edits.pose is None else self._poses(edits.pose, person)
        self._check_covered(edits)
        layer, _ = self.paint(edits)
        paint = None if layer is None else resize_labels(layer.labels(), person.photo.shape[1::-1])
        styles: dict[str, list[tuple[Person, float]]] = {}
        for region, mix in edits.styles.items():
            there = [(self._references[key], weight) for key, weight in mix.items() if key in self._references]
            styles[region] = [(r.preview if preview else r.person, weight) for r, weight in there if weight > 0]
        return {"pose": pose, "styles": styles or None, "paint": paint, "frame_pose": frame_pose}

    def _retouch(self, edits: Edits, preview: bool, cloth: bool | None, person: Person) -> Rendered:
        known, exact = self._retouched, not preview and cloth is None
        if known and exact and known[0].looks_like(edits):
            return known[1].over(person)
        made = self.render(replace(edits, retouch=None), preview, cloth)
        layer, _ = self.marks(edits)
        if layer is None:
            return made
        scale, size = person.framing.scale, person.photo.shape[1::-1]
        marks = resize_labels(layer.labels(), size)
        behind = self._background(person, marks == 0, preview)
        touched = Rendered(retouch(made.photo, made.parsing, marks, scale, behind, not preview), made.parsing)
        if exact:
            self._retouched = edits, _Changed.of(touched, person)
        return touched

    def _background(self, person: Person, marked: np.ndarray, preview: bool) -> Any:
        """As ``continued_background``, kept: it is the same in every pose."""
        places, known = np.packbits(marked).tobytes(), self._continued.get(preview)
        if known is None or known[0] is not person or known[1] != places:
            people = (person.full.solid > 0) | person.plate.passers_by()
            inpaint = None if preview else person.editor.inpainter  # which takes seconds
            made = continued_background(person.background, people, marked, person.framing.scale, inpaint)
            known = self._continued[preview] = person, places, made
        return known[2]

    def behind(self, edits: Edits) -> np.ndarray:
        """The region that shows where what is in front is taken away, (H, W) uint8: of the finished layer behind it, or
        the background."""
        person = self.person(edits=edits)
        view, now = person.full, self.base_map(edits)
        below = np.zeros_like(now)
        for name in FRONTS:
            layers = view.behind(name, person.framing.scale)
            if layers is not None:
                here = below[layers.window]
                seen = among(view.owner[layers.window], layers.front) & (layers.parsing > 0)
                here[seen] = layers.parsing[seen]
        if edits.pose is None:
            return below
        # Where a part has come since, what it came before is behind it.
        moves, boxes = part_moves(view.pose, edits.pose), part_boxes(view.owner)
        stayed = [i for i, name in enumerate(PARTS) if name not in moves or still(moves[name], boxes[i])]
        unmoved = among(view.owner, stayed)
        return np.where(now == view.parsing, below, np.where(unmoved, view.parsing, np.uint8(0)))

    def _check_covered(self, edits: Edits) -> None:
        """Hold paint that came in a file to the rule that strokes are held to.

        Raises:
            InputError: if it undresses the person.
        """
        paint = edits.paint
        if paint is None or paint.covers or self._covering is paint:
            return
        below = resize_labels(self.base_map(replace(edits, pose=paint.pose)), paint.layer.size)
        pose = self._full.pose if paint.pose is None else paint.pose
        scale = np.array([*np.divide(paint.layer.size, self._full.parsing.shape[::-1]), 1], np.float32)
        check_covered(below, paint.layer.over(below), pose * scale, seams=2)
        self._covering = paint

    def base_map(self, edits: Edits, preview: bool = False) -> np.ndarray:
        """The map below the paint, (H, W) uint8: the detected one, or the one made for the wanted pose."""
        person = self.person(preview, edits)
        if edits.pose is None:
            return person.parsing
        known = self._bases.get(preview)
        if known is None or known[0] is not edits.pose or known[1] is not person:
            made = person.pose_map(*self._poses(edits.pose, person))
            known = self._bases[preview] = edits.pose, person, made
        return known[2]

    def _poses(self, pose: np.ndarray, person: Person) -> tuple[np.ndarray, np.ndarray]:
        """A wanted pose in pixels of a person's photo, and in the frame: the latter from the full photo's pixels, so
        that previews ask the networks what the exact picture asks."""
        return self.scaled(pose, person), self._full.in_frame(pose)

    def paint(self, edits: Edits) -> tuple[PaintLayer | None, float]:
        """The painted layer where the body has taken it, and which share of it is still in the picture."""
        return self._at(edits, edits.paint, False)

    def marks(self, edits: Edits) -> tuple[PaintLayer | None, float]:
        """As :meth:`paint`, of the places that are taken away."""
        return self._at(edits, edits.retouch, True)

    def _at(self, edits: Edits, paint: Paint | None, marks: bool) -> tuple[PaintLayer | None, float]:
        if paint is None:
            return None, 1.0
        if same_pose(paint.pose, edits.pose):
            return paint.layer, 1.0
        own, size = self._full.pose, paint.layer.size
        height, width = self._full.photo.shape[:2]
        scale = np.array([size[0] / width, size[1] / height, 1], np.float32)
        known = self._carried.get(marks)  # another thread may put its own there meanwhile
        under = edits.wear, edits.things
        if known is None or known[0] is not paint or known[1] != under:
            below = resize_labels(self.base_map(replace(edits, pose=paint.pose)), size)
            pose = (own if paint.pose is None else paint.pose) * scale
            known = self._carried[marks] = paint, under, CarriedPaint(paint.layer, below, pose)
        return known[2].at((own if edits.pose is None else edits.pose) * scale)

    def dressed(self, edits: Edits) -> Person | None:
        """The person, at preview size, as if their photo, in their own pose, showed what was painted and borrowed.

        In other poses they take its texture along, which would be found again for each of them otherwise. None if they
        can't be dressed so: some of the paint isn't seen in their own pose.
        """
        person, own = self.person(preview=True, edits=edits), replace(edits, pose=None)
        if replace(own, wear={}).none:
            return person
        if self.paint(own)[1] < _SEEN:
            return None
        photo, parsing = self.render(own, preview=True, cloth=True)
        dressed = person.editor.set_person(
            photo, pose=person.pose, parsing=parsing, framing=person.framing, held=person.held
        )
        plate, (marks, _) = person.plate, self.marks(own)  # what their clothes hide now was photographed
        if marks is not None:
            marked = resize_labels(marks.labels(), photo.shape[1::-1]) == 0
            continued = self._background(person, marked, True)
            if continued is not None:
                background, (window, made) = person.background, continued
                background[window][marked[window]] = made[marked[window]]
                plate = Background(background, np.zeros_like(parsing), person.framing)
        dressed.__dict__["plate"] = plate
        return dressed

    def frames(self, edits: Edits) -> Sequence[Callable[[], np.ndarray]]:
        """What makes the pictures of the motion at preview size, (h, w, 3) uint8, one call each.

        Raises:
            InputError: on fewer than two key poses, or more pictures of that size than may be.
        """

        @cache
        def dressed() -> Person | None:
            return self.dressed(edits)

        def picture(pose: np.ndarray) -> np.ndarray:
            person = dressed()
            if person is None:
                return self.render(replace(edits, pose=pose), preview=True).photo
            return person.render(pose=self.scaled(pose, person), cloth=False).photo

        return [partial(picture, pose) for pose in motion_poses(edits.motion, self.person(preview=True).photo.nbytes)]

    def scaled(self, pose: np.ndarray, person: Person) -> np.ndarray:
        """A pose (18, 3) in pixels of the photo, in pixels of the photo of ``person``, the same one at another size."""
        photo = self._full.photo
        if person.photo.shape == photo.shape:
            return pose
        scaled = pose.copy()
        scaled[:, 0] *= person.photo.shape[1] / photo.shape[1]
        scaled[:, 1] *= person.photo.shape[0] / photo.shape[0]
        return scaled
