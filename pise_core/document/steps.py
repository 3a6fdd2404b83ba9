"""What can be asked of a person: pose, regions, what they hold, looks and motion, each a step of their history."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from pise_core import pose as poses
from pise_core.coverage import check_covered
from pise_core.document.cuts import cut
from pise_core.document.edits import KEY_LIMIT, Edits, Paint, checked_motion, checked_pose
from pise_core.document.history import History
from pise_core.document.motion import fitted_clip, pace_of, smoothed_keys
from pise_core.document.paint import UNTOUCHED, PaintLayer, resize_labels, working_size
from pise_core.document.people import EditedPerson
from pise_core.document.references import References, checked_styles, checked_wear
from pise_core.document.renderer import Renderer
from pise_core.errors import InputError
from pise_core.held import NOTHING, Carrier
from pise_core.person import Person
from pise_core.pose_files import PoseFile, open_pose_file
from pise_core.regions import check_parsing, region_index
from pise_core.rendering.recolour import checked_recolours
from pise_core.warping.retarget import retarget


class Steps(ABC):
    """The edits of whoever is edited now. What is kept, and who that is, is the document's affair.

    Attributes:
        references: whose textures and garments may be borrowed.
    """

    references: References
    _lock: threading.RLock

    @property
    @abstractmethod
    def _current(self) -> EditedPerson:
        """Who is edited."""

    @property
    def person(self) -> Person:
        """Who is edited, as ``Editor.set_person`` made them."""
        return self._current.person

    @property
    def edits(self) -> Edits:
        """What is asked for now."""
        return self._history.current

    @property
    def _history(self) -> History:
        return self._current.history

    @property
    def _renderer(self) -> Renderer:
        return self._current.renderer

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
            self.set_regions(np.where(mask, np.uint8(index), self._painted_map()))

    def set_regions(self, parsing: np.ndarray) -> None:
        """The whole map as it is wanted in the pose of now, (H, W) integers 0..7 of the photo's size, as one step.

        Raises:
            InputError: if it is no such map, or undresses the person.
        """
        height, width = self.person.parsing.shape
        parsing, size = check_parsing(parsing, (height, width)), working_size(width, height)
        with self._lock:
            base = self._renderer.base_map(self.edits)
            check_covered(base, parsing, self.pose_of(self.edits))
            below, wanted = (resize_labels(m, size) for m in (base, parsing))
            layer = PaintLayer.of(np.where(wanted == below, np.uint8(UNTOUCHED), wanted))
            self._history.commit(paint=None if layer is None else Paint(layer, self.edits.pose, True))

    def cut(self, change: str) -> None:
        """Another cut of what is worn, as one step: ``change`` is one of :data:`pise_core.document.cuts.CUTS`.

        Raises:
            InputError: if there is nothing to be cut so.
        """
        with self._lock:
            self.set_regions(cut(self._painted_map(), self.pose_of(self.edits), change))

    def _painted_map(self) -> np.ndarray:
        """(H, W) uint8 of the photo's size: the map of now with all paint."""
        layer, base = self.painted(), self._renderer.base_map(self.edits)
        return base if layer is None else layer.over(base)

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

    # ---- what is taken away

    def retouch(self, mask: np.ndarray, remove: bool = False) -> None:
        """Take something away where it is marked in the picture of now, as one step; what is not marked keeps its bits.

        Healed, a place goes on as the region that it lies on: a spot on a shirt, or what an old pose has left on a
        wall. Removed, what is in front there goes, and the layer behind it shows: what an arm hid, or the background.

        Args:
            mask: (H, W) bool of the photo's size.
            remove: whether what is in front goes; without it places are healed.

        Raises:
            InputError: on a mask of another shape, one that marks nothing, or one that undresses the person.
        """
        mask = np.asarray(mask)
        if mask.shape != self.person.parsing.shape or mask.dtype != bool:
            raise InputError(f"a mask is an array {self.person.parsing.shape} of bool, as large as the photo")
        height, width = mask.shape
        self.retouch_at(resize_labels(mask.astype(np.uint8), working_size(width, height)) > 0, remove)

    def retouch_at(self, marked: np.ndarray, remove: bool = False) -> None:
        """As :meth:`retouch`, with a mask (h, w) of the size that the page paints at."""
        if not marked.any():
            raise InputError("nothing is marked there; paint over what is to go")
        size = marked.shape[1], marked.shape[0]
        with self._lock:
            edits, changes = self.edits, {}
            regions = resize_labels(self._painted_map(), size)
            if remove:
                behind = resize_labels(self._renderer.behind(edits), size)
                taken = marked & (regions != behind)
                before, labels = self.painted(), self._labels_of(self.painted(), size)
                below = resize_labels(self._renderer.base_map(edits), size)
                labels[taken] = np.where(behind == below, np.uint8(UNTOUCHED), behind)[taken]
                changes["paint"] = self.stroked(edits, before, PaintLayer.of(labels))
                regions = np.where(marked, behind, regions)
            marks = self._labels_of(self._renderer.marks(edits)[0], size)
            marks[marked] = regions[marked]
            layer = PaintLayer.of(marks)
            assert layer is not None
            self._history.commit(retouch=Paint(layer, edits.pose, True), **changes)

    @staticmethod
    def _labels_of(layer: PaintLayer | None, size: tuple[int, int]) -> np.ndarray:
        return np.full(size[::-1], UNTOUCHED, np.uint8) if layer is None else layer.labels().copy()

    # ---- what is held

    @property
    def held(self) -> list[dict[str, Any]]:
        """The things that the person holds, found or painted: for each its ``box`` (x0, y0, x1, y1 in pixels of the
        photo), and the ``carrier`` that it goes with now."""
        held = self._renderer.holder(edits=self.edits).held or NOTHING
        return [{"box": list(box), "carrier": carrier} for box, carrier in zip(held.boxes, held.carriers, strict=True)]

    def things(self, size: tuple[int, int], edits: Edits | None = None) -> np.ndarray:
        """Where something is held in the photo, found or painted: (h, w) uint8 of a ``size`` (w, h), n + 1 where the
        nth of :attr:`held` is, 0 elsewhere."""
        held = self._renderer.holder(edits=edits or self.edits).held
        return np.zeros(size[::-1], np.uint8) if held is None else resize_labels(held.labels, size)

    def hold(self, carriers: Sequence[str]) -> None:
        """What each of the things that the person holds goes with: ``left_hand``, ``right_hand``, or ``stays``, in the
        order of :attr:`held`; as one step.

        Raises:
            InputError: if they are not as many as the things, or one is another word.
        """
        with self._lock:
            held = self._renderer.holder(edits=Edits(things=self.edits.things)).held or NOTHING
            wanted = held.with_carriers(carriers).carriers
            self._history.commit(held=() if wanted == held.carriers else wanted)

    def paint_held(self, mask: np.ndarray, erase: bool = False) -> Carrier | None:
        """Paint something that the person holds over their photo, or erase of it, as one step.

        What touches a thing becomes part of it; each other piece is a thing of its own, which goes with the hand that
        it touches, or stays. What is erased is what it was without the thing: the body, or background.

        Args:
            mask: (H, W) bool, in the photo as it was opened.
            erase: whether nothing is held there.

        Returns:
            What a new thing goes with; None if there is none.

        Raises:
            InputError: on a mask of another shape, one that marks nothing, or more things than somebody may hold.
        """
        mask = np.asarray(mask)
        if mask.shape != self.person.parsing.shape or mask.dtype != bool:
            raise InputError(f"a mask is an array {self.person.parsing.shape} of bool, as large as the photo")
        height, width = mask.shape
        return self.paint_held_at(resize_labels(mask.astype(np.uint8), working_size(width, height)) > 0, erase)

    def paint_held_at(self, marked: np.ndarray, erase: bool = False) -> Carrier | None:
        """As :meth:`paint_held`, with a mask (h, w) of the size that the page paints at."""
        if not marked.any():
            raise InputError("nothing is marked there; paint over what is held")
        size = marked.shape[1], marked.shape[0]
        with self._lock:
            edits = self.edits
            before = self._renderer.holder(edits=edits).held or NOTHING
            labels = self._labels_of(edits.things, size)
            labels[marked] = not erase
            found = self.person.held
            as_found = np.zeros(marked.shape, bool) if found is None else resize_labels(found.labels, size) > 0
            labels[labels == as_found] = UNTOUCHED
            things = PaintLayer.of(labels)
            now = self._renderer.holder(edits=Edits(things=things)).held or NOTHING
            origin = now.origin(before)
            wanted = tuple(now.carriers[n] if of < 0 else before.carriers[of] for n, of in enumerate(origin))
            self._history.commit(things=things, held=() if wanted == now.carriers else wanted)
            return next((now.carriers[n] for n, of in enumerate(origin) if of < 0), None)

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

    def set_motion(
        self, keys: Any, seconds: float = 1.0, loop: bool = True, times: Any = None, easing: str = "even"
    ) -> None:
        """A motion through key poses, each (18, 3) or 18 rows, as one step.

        Args:
            keys: at most 24.
            seconds: from one to the next, 0.1 to 5.
            loop: whether the last one is followed by the first one.
            times: for each key, how many times as long the way to the next one takes, 0.25 to 4; by default all the
                same.
            easing: how it goes there: ``even``, ``gentle`` (slowing down at each key), ``faster`` or ``slower``.

        Raises:
            InputError: on poses, a pace, times or an easing that make no sense.
        """
        motion = checked_motion(keys, seconds, loop, times, easing)
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
