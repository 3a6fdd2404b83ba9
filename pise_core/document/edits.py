"""What a user asks for: pose, paint, styles and motion. A state is never changed, only replaced by the next one."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from pise_core import pose as poses
from pise_core.document.paint import PaintLayer
from pise_core.errors import InputError
from pise_core.held import Carrier
from pise_core.rendering.recolour import Recolour
from pise_core.skeleton import JOINT_COUNT

#: What a step of the history may have changed; "all" is a start over.
CHANGES = ("pose", "retouch", "regions", "textures", "wear", "recolour", "held", "motion", "references", "all")
#: Key poses of a motion at most.
KEY_LIMIT = 24
#: How a motion goes from one key to the next: evenly, slowing down at each key, ever faster, or ever slower.
EASINGS = ("even", "gentle", "faster", "slower")
#: The way from one key to the next takes so many times as long as usual, at least and at most.
LEAST_PACE, MOST_PACE = 0.25, 4.0


@dataclass(frozen=True, eq=False)
class Motion:
    """A motion through key poses.

    Attributes:
        keys: poses (18, 3) in pixels of the photo.
        seconds: from one to the next.
        loop: whether the last one is followed by the first one.
        times: for each key, how many times as long the way to the next one takes; empty where all take the same.
        easing: one of :data:`EASINGS`.
    """

    keys: tuple[np.ndarray, ...] = ()
    seconds: float = 1.0
    loop: bool = True
    times: tuple[float, ...] = ()
    easing: str = "even"

    def same(self, other: "Motion") -> bool:
        """Whether both are the same motion."""
        mine, theirs = ((len(one.keys), one.seconds, one.loop, one.times, one.easing) for one in (self, other))
        if mine != theirs:
            return False
        return all(same_pose(a, b) for a, b in zip(self.keys, other.keys, strict=True))


@dataclass(frozen=True, eq=False)
class Paint:
    """What was painted, as it was painted: wherever the body goes, it is carried from here, and so loses nothing.

    Attributes:
        layer: of the working size of the photo.
        pose: (18, 3) in pixels of the photo, that it was painted in, or None for the person's own.
        covers: whether it is known to keep to :mod:`pise_core.coverage`; of paint in a file it is not.
    """

    layer: PaintLayer
    pose: np.ndarray | None
    covers: bool = False

    def same(self, other: "Paint | None") -> bool:
        """Whether both are the same paint, painted in the same pose."""
        return self is other or (other is not None and self.layer == other.layer and same_pose(self.pose, other.pose))


@dataclass(frozen=True, eq=False)
class Edits:
    """One state of all that is asked for; the history shares parts between states.

    Attributes:
        pose: (18, 3) in pixels of the photo, or None for the person's own.
        paint: what was painted over the map, in this pose or in another one, or None.
        styles: region name -> id of a reference -> its weight; what is missing to 1 is the person's own.
        wear: region name -> id of the reference whose garment there is worn, cut and all; all else is edited on whoever
            wears it.
        recolour: region name -> what becomes of the colours that it has by then.
        motion: key poses, which are a picture each of another result.
        removed: ids of the references that are out of sight.
        held: for each held thing what it goes with; empty for what they go with by themselves.
        things: where in the photo something is held, by what was painted: 1 where a thing is, 0 where there is none,
            untouched where that is as it was found.
        retouch: places that are taken away, each marked with the region that goes on there; they go along with the body
            as paint does.
    """

    pose: np.ndarray | None = None
    paint: Paint | None = None
    styles: dict[str, dict[str, float]] = field(default_factory=dict)
    motion: Motion = Motion()
    removed: frozenset[str] = frozenset()
    recolour: dict[str, Recolour] = field(default_factory=dict)
    wear: dict[str, str] = field(default_factory=dict)
    held: tuple[Carrier, ...] = ()
    retouch: Paint | None = None
    things: PaintLayer | None = None

    @property
    def none(self) -> bool:
        """True when nothing is asked for: the result is the photo itself. A motion changes no result."""
        if not (self.pose is None and self.paint is None and self.retouch is None):
            return False
        return not (_borrowed(self.styles) or self.recolour or self.wear)

    def same(self, other: "Edits") -> bool:
        """Whether both ask for the same in everything, so that one after the other would be no step."""
        asked = self.styles, self.removed
        return asked == (other.styles, other.removed) and self.motion.same(other.motion) and self.looks_like(other)

    def change_from(self, before: "Edits") -> str:
        """What is different from the state ``before``, one of :data:`CHANGES`; the most telling where it is several."""
        if self.none and not before.none:
            looks = (before.styles, before.wear, before.recolour)
            if sum(one is not None for one in (before.pose, before.paint, before.retouch)) + sum(map(bool, looks)) > 1:
                return "all"
        if self.removed != before.removed:
            return "references"
        if not same_pose(self.pose, before.pose):
            return "pose"
        if not _same_paint(self.retouch, before.retouch):
            return "retouch"
        if self.wear != before.wear:
            return "wear"
        if self.styles != before.styles:
            return "textures"
        if self.recolour != before.recolour:
            return "recolour"
        if (self.held, self.things) != (before.held, before.things):
            return "held"
        if not self.motion.same(before.motion):
            return "motion"
        return "regions"

    def without(self, keys: Set[str]) -> "Edits":
        """The same, with nothing borrowed from these references."""
        mixes = {region: {k: w for k, w in mix.items() if k not in keys} for region, mix in self.styles.items()}
        worn = {region: key for region, key in self.wear.items() if key not in keys}
        return replace(self, styles={region: mix for region, mix in mixes.items() if mix}, wear=worn)

    def looks_like(self, other: "Edits") -> bool:
        """Whether both give the same picture: a motion changes none, nor does a texture of weight 0."""
        if not same_pose(self.pose, other.pose) or _borrowed(self.styles) != _borrowed(other.styles):
            return False
        mine, theirs = ((one.recolour, one.wear, one.held, one.things) for one in (self, other))
        if mine != theirs:
            return False
        return _same_paint(self.paint, other.paint) and _same_paint(self.retouch, other.retouch)


def _borrowed(styles: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    mixes = {region: {key: weight for key, weight in mix.items() if weight} for region, mix in styles.items()}
    return {region: mix for region, mix in mixes.items() if mix}


def _same_paint(a: Paint | None, b: Paint | None) -> bool:
    return b is None if a is None else a.same(b)


def same_pose(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    """Whether two poses, None for the person's own, have their joints in the same places."""
    if a is None or b is None:
        return a is b
    return a is b or np.array_equal(a[:, :2], b[:, :2], equal_nan=True)


def checked_pose(pose: Any) -> np.ndarray:
    """A pose (18, 3) float32 in pixels of the photo, from such an array or from 18 rows ``[x, y, score]`` or None.

    Raises:
        InputError: if it is neither, or has fewer than two joints.
    """
    if isinstance(pose, np.ndarray):
        if pose.shape != (JOINT_COUNT, 3):
            raise InputError(f"a pose is an array of numbers of shape (18, 3): x, y, score; not {pose.shape}")
        pose = [row.tolist() if there else None for row, there in zip(pose, poses.visible(pose), strict=True)]
    wanted = poses.from_rows(pose)
    if np.count_nonzero(poses.visible(wanted)) < 2:
        raise InputError("a pose has two joints at least; show another one")
    return wanted


def checked_motion(keys: Any, seconds: Any, loop: bool, times: Any = None, easing: Any = "even") -> Motion:
    """A motion through poses, each as :func:`checked_pose` takes it; no ``times`` are all the same.

    Raises:
        InputError: on too many poses, one that makes no sense, a pace out of bounds, or times that are not one for each
            key.
    """
    if not isinstance(keys, Sequence) or len(keys) > KEY_LIMIT:
        raise InputError(f"a motion has {KEY_LIMIT} key poses at most")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0.1 <= seconds <= 5:
        raise InputError("from one key pose to the next it takes 0.1 to 5 seconds")
    if easing not in EASINGS:
        raise InputError(f"a motion goes from key to key in one of these ways: {', '.join(EASINGS)}")
    times = () if times is None else times
    numbers = isinstance(times, Sequence) and not isinstance(times, str) and len(times) in (0, len(keys))
    if not numbers or not all(
        isinstance(t, int | float) and not isinstance(t, bool) and LEAST_PACE <= t <= MOST_PACE for t in times
    ):
        raise InputError(f"each key pose has a time of {LEAST_PACE:g} to {MOST_PACE:g} times the pace, or none has")
    times = () if all(t == 1 for t in times) else tuple(map(float, times))
    return Motion(tuple(checked_pose(key) for key in keys), float(seconds), loop, times, easing)
