"""A person, all that is asked of her, and what comes of it. Every edit is a step of one history."""

import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from pise_core import pose as poses
from pise_core.document.edits import Edits, Paint, checked_motion, checked_pose, checked_styles
from pise_core.document.history import History
from pise_core.document.paint import UNTOUCHED, PaintLayer, resize_labels, working_size
from pise_core.document.references import References
from pise_core.document.renderer import Rendered, Renderer
from pise_core.errors import InputError
from pise_core.regions import check_parsing, region_index
from pise_core.warping.retarget import retarget

if TYPE_CHECKING:
    from pise_core.person import Person


class EditedPerson:
    """Pose, paint, styles and motion of one person. Public methods may be called from several threads.

    Poses are (18, 3) float32: x, y, score in pixels of the photo, in OpenPose order, nan where a joint is missing.

    Args:
        person: as ``Editor.set_person`` made her.
        references: whom textures may be borrowed from; none yet by default.
        history: by default the photo as it is.

    Attributes:
        person, references: as given.
    """

    def __init__(self, person: "Person", references: References | None = None, history: History | None = None) -> None:
        self.person = person
        self.references = References() if references is None else references
        self._history = history or History([Edits(removed=self.references.removed)])
        self._renderer = Renderer(person, self.references.kept)
        self._lock = threading.RLock()
        self.take_up()

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

    def take_up(self) -> None:
        """Go on from the current state, after another document has used the references too: in sight are those that
        this one has not removed, and what was borrowed from those that are no more is gone."""
        with self._lock:
            if gone := self._history.borrowed_from - self.references.kept.keys():
                self._history.forget_references(gone)
            self.references.removed = self.edits.removed

    def start_over(self) -> bool:
        """Back to the photo as it was opened, as one step; False if nothing was asked for."""
        with self._lock:
            edited = not self.edits.none
            if edited:
                self._history.commit(pose=None, paint=None, styles={})
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

    def load_pose(self, text: str) -> None:
        """As :meth:`set_pose`, with the text of a file of joints, ours or OpenPose's.

        A pose that was saved for this very person is taken as it is, any other one is fitted to her.

        Raises:
            InputError: if the text holds no pose, or one that can't be fitted.
        """
        pose, _ = poses.from_json(text)
        made_here = json.loads(text).get("own") == poses.to_rows(self.person.pose)
        if made_here:
            self.set_pose(pose)
        else:
            self.fit_pose(pose)

    # ---- regions

    def paint(self, region: str, mask: np.ndarray) -> None:
        """Paint a region over the map, as one step.

        Args:
            region: its name.
            mask: (H, W) bool of the photo's size, true where it is painted.

        Raises:
            InputError: on an unknown region, or a mask of another shape.
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
            InputError: if it is no such map.
        """
        height, width = self.person.parsing.shape
        parsing, size = check_parsing(parsing, (height, width)), working_size(width, height)
        with self._lock:
            below, wanted = (resize_labels(m, size) for m in (self._renderer.base_map(self.edits), parsing))
            layer = PaintLayer.of(np.where(wanted == below, np.uint8(UNTOUCHED), wanted))
            self._history.commit(paint=None if layer is None else Paint(layer, self.edits.pose))

    def set_paint(self, before: PaintLayer | None, after: PaintLayer | None) -> None:
        """Take over what a stroke changed between two layers, as one step; see :meth:`stroked`."""
        with self._lock:
            self._history.commit(paint=self.stroked(self.edits, before, after))

    def stroked(self, edits: Edits, before: PaintLayer | None, after: PaintLayer | None) -> Paint | None:
        """The paint of edits with a stroke that made the layer ``after`` of the layer ``before``, which the body may
        have carried elsewhere meanwhile. All of it counts as painted in the pose of the stroke, if that changed any."""
        if before == after:
            return edits.paint
        layer = PaintLayer.stroked(self.painted(edits), before, after)
        return None if layer is None else Paint(layer, edits.pose)

    def painted(self, edits: Edits | None = None) -> PaintLayer | None:
        """The painted layer of (the current) edits where the body has taken it; None if nothing is painted."""
        return self._renderer.paint(edits or self.edits)[0]

    def paint_kept(self, edits: Edits | None = None) -> float:
        """Which share of what was painted is still in the picture; 1 if nothing was painted."""
        return self._renderer.paint(edits or self.edits)[1]

    # ---- styles and motion

    def set_styles(self, styles: Any) -> None:
        """All that is borrowed, ``{region: {id of a reference: weight}}``, as one step; the rest is the person's own.

        Raises:
            InputError: on an unknown region or reference, a reference that lacks the region, or weights that are not
                from 0 to 1 and at most 1 in all.
        """
        with self._lock:
            self._history.commit(styles=checked_styles(styles, self.references))

    def set_style(self, region: str, reference: str, weight: float = 1.0) -> None:
        """Borrow one region from one reference, by a share of 0 to 1, as one step; raises as :meth:`set_styles`."""
        with self._lock:
            self.set_styles({**self.edits.styles, region: {reference: weight}})

    def remove_reference(self, key: Any) -> None:
        """Remove a reference and what is borrowed from it, as one step.

        Raises:
            InputError: if there is no such reference.
        """
        with self._lock:
            self.references.remove(key)
            self._history.commit(styles=self.edits.without({key}).styles, removed=self.references.removed)

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

    # ---- pictures

    def render(self, edits: Edits | None = None, preview: bool = False) -> Rendered:
        """The edited photo (by default as it is wanted now), at full size or at preview size."""
        return self._renderer.render(edits or self.edits, preview)

    def base_map(self, edits: Edits | None = None, preview: bool = False) -> np.ndarray:
        """The map below the paint, (H, W) uint8: the detected one, or the one made for the wanted pose."""
        return self._renderer.base_map(edits or self.edits, preview)

    def sized(self, preview: bool = False) -> "Person":
        """The person at full size or at preview size."""
        return self._renderer.person(preview)

    def scaled(self, pose: np.ndarray, person: "Person") -> np.ndarray:
        """A pose in pixels of the photo, in pixels of the photo of ``person``, the same one at another size."""
        return self._renderer.scaled(pose, person)
