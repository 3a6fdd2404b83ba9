"""An edit as it is asked for, checked."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pise_core.errors import InputError
from pise_core.person import Person, Styles
from pise_core.pose import empty_pose, visible
from pise_core.regions import REGIONS, UNTOUCHED, check_parsing, region_index
from pise_core.skeleton import JOINT_COUNT

_STYLES = "styles are given as {region: [(person, weight), ...]}, people as set_person returns them"

Mix = list[tuple[Person, float]]


class Wanted(NamedTuple):
    """An edit, checked: everything in pixels of the photo."""

    pose: np.ndarray | None  # (18, 3); None: as it is
    frame_pose: np.ndarray | None  # the same in pixels of the frame
    parsing: np.ndarray | None  # (H, W) uint8; UNTOUCHED where, and None if everywhere, the pose decides
    styles: dict[int, Mix]  # region index -> other people and their weights, all above 0

    def part(self, window: tuple[slice, slice]) -> "Wanted":
        """The same in pixels of a part of the photo."""
        rows, columns = window
        pose = None if self.pose is None else self.pose - np.array([columns.start, rows.start, 0], np.float32)
        parsing = None if self.parsing is None else self.parsing[window]
        return self._replace(pose=pose, parsing=parsing)


def checked(
    person: Person,
    pose: np.ndarray | None,
    parsing: np.ndarray | None,
    styles: Styles | None,
    paint: np.ndarray | None,
    frame_pose: np.ndarray | None,
) -> Wanted:
    """The edit with everything checked, and what asks for nothing left out; arguments as for ``Person.render``.

    Raises:
        InputError: on what makes no sense.
    """
    if pose is not None:
        pose = checked_pose(pose)
        frame_pose = person.in_frame(pose) if frame_pose is None else frame_pose.copy()
        frame_pose[~visible(pose), :2] = np.nan
        unmoved = (frame_pose[:, :2] == person.frame.pose[:, :2]).all(1)
        pose[unmoved, :2] = person.pose[unmoved, :2]
        if np.array_equal(frame_pose[:, :2], person.frame.pose[:, :2], equal_nan=True):
            pose = None
    if paint is not None:
        if parsing is not None:
            raise InputError("give the whole map as parsing, or what is painted over it as paint, not both")
        untouched = np.asarray(paint) == UNTOUCHED
        parsing = check_parsing(np.where(untouched, person.parsing, paint), person.parsing.shape)
        if pose is not None:
            parsing[untouched] = UNTOUCHED
    elif parsing is not None:
        parsing = check_parsing(parsing, person.parsing.shape)
    if parsing is not None and pose is None and np.array_equal(parsing, person.parsing):
        parsing = None
    mixes: dict[int, Mix] = {}
    if styles is not None and not isinstance(styles, Mapping):
        raise InputError(_STYLES)
    for name, mix in (styles or {}).items():
        region = region_index(name)
        if region == 0:
            raise InputError(f"the background has no style to exchange; choose one of: {', '.join(REGIONS[1:])}")
        try:
            mix = [(other, float(weight)) for other, weight in mix]
        except (TypeError, ValueError):
            raise InputError(_STYLES) from None
        if not all(isinstance(other, Person) for other, _ in mix):
            raise InputError(_STYLES)
        if not all(0 <= weight <= 1 for _, weight in mix) or sum(weight for _, weight in mix) > 1 + 1e-6:
            raise InputError(f"style weights of {name} must lie between 0 and 1 and sum to at most 1")
        for other, weight in mix:
            if weight > 0 and not other.present[region]:
                raise InputError(f"the reference shows no {name}; choose another reference or another region")
        # The person's own style is what the remainder keeps anyway.
        mix = [(other, weight) for other, weight in mix if weight > 0 and other.answers is not person.answers]
        if mix:
            mixes[region] = mix
    return Wanted(pose, None if pose is None else frame_pose, parsing, mixes)


def checked_pose(pose: np.ndarray) -> np.ndarray:
    """A pose (18, 3) or (18, 2) as (18, 3) float32, whatever is missing as nan.

    Raises:
        InputError: if it is no such array, or has fewer than two joints, or some far away.
    """
    try:
        pose = np.asarray(pose, np.float32)
    except (TypeError, ValueError):
        raise InputError("a pose is an array of numbers of shape (18, 3): x, y, score") from None
    if pose.shape not in ((JOINT_COUNT, 2), (JOINT_COUNT, 3)):
        raise InputError(f"a pose is an array of shape (18, 3): x, y, score; not {pose.shape}")
    checked = empty_pose()
    there = visible(pose) & (pose[:, 2] > 0 if pose.shape[1] == 3 else True)
    checked[there, 2] = 1
    checked[there, : pose.shape[1]] = pose[there]
    if there.sum() < 2:
        raise InputError("the pose has fewer than two joints; place at least the neck, shoulders and hips")
    if np.abs(checked[there, :2]).max() > 1e5:
        raise InputError("the pose has joints far outside the photo")
    return checked
