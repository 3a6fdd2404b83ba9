"""One pose out of a file, in pixels of the picture that it is wanted for."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pise_core.errors import InputError
from pise_core.pose import empty_pose
from pise_core.pose_files.contents import Contents, read_contents
from pise_core.pose_files.points import Someone
from pise_core.pose_files.texts import Source
from pise_core.skeleton import FACE, HIPS

#: Nobody is so few pixels large: smaller numbers are shares of the picture.
_LARGEST_SHARE = 4.0
#: So much of somebody is negative, at least, in shares from -1 to 1 (unless all of them is in the lower right), and at
#: most in shares from 0 to 1, of whom a limb may reach out of the picture.
_CENTRED, _CUT_OFF = 0.45, 0.2
#: Somebody who is so tall in a picture that is so large, both in pixels, may as well be meant in percent.
_TALL_IN_PERCENT, _LARGE_FOR_PERCENT = 30.0, 250
#: (-1, -1) in pixels, which says that a joint is missing, is no further from the corner in shares.
_CORNER = 0.02
#: Two pictures whose shapes differ by less are one at two sizes: ControlNet rounds sides to 64 pixels.
_SAME_SHAPE = 0.07
#: Nobody becomes so many times as large by moving their limbs, unless they are drawn up.
_OTHER_SIZE = 2.5
#: Points of a face lie closer together than this share of a whole body; otherwise they are in another order.
_FACE = 0.35
#: With so many joints a body is whole; with fewer, if its hips are there, large enough to tell.
_WHOLE, _LARGE = 14, 9


@dataclass(frozen=True)
class PoseFile:
    """The poses of a file.

    Attributes:
        name: of the file, for messages.
        layout: the order of joints that it came in, by name.
        own: whose pose it is, where the studio wrote it: 18 rows, or None.
    """

    name: str
    layout: str
    own: Any
    _frames: list[list[Someone]]

    @property
    def frame_count(self) -> int:
        """How many pictures it is about."""
        return len(self._frames)

    def people(self, frame: int) -> int:
        """How many people a picture of the file shows."""
        return len(self._people(frame))

    def first(self) -> int:
        """The first picture that shows somebody."""
        return next(number for number, people in enumerate(self._frames) if people)

    def pose(
        self, size: tuple[int, int], *, frame: int | None = None, person: int | None = None, own: bool = False
    ) -> np.ndarray:
        """The pose of one person; see :func:`read_pose`.

        ``own``: in pixels of the file's own picture, not scaled to ``size``, which then only says what shares are
        shares of where the file doesn't: for poses that are fitted to somebody afterwards.
        """
        people = self._people(self.first() if frame is None else frame)
        if person is None and people:
            person = self.prominent(frame)
        someone = people[person] if person is not None and 0 <= person < len(people) else None
        if someone is None:
            count = "1 person" if len(people) == 1 else f"{len(people)} people"
            shown = f"{count}, counted from 0" if people else "nobody"
            raise InputError(f"{self.name} has no such person to choose: there it shows {shown}")
        try:
            return _placed(someone, size, own)
        except InputError as error:
            raise InputError(f"{self.name} {error}") from None

    def prominent(self, frame: int | None = None) -> int:
        """Who of a picture is the largest and most complete, the first of several equals; it shows somebody."""
        people = self._people(self.first() if frame is None else frame)
        return max(range(len(people)), key=lambda n: _prominence(people[n]))

    def fits(self, size: tuple[int, int], *, frame: int | None = None, beside: np.ndarray | None = None) -> bool:
        """Whether the file's picture has the shape of one of ``size`` (W, H), as far as the file says.

        ``beside``: the pose (18, 3) of the person in that picture. Where the file doesn't say how large its own is, and
        everybody in it is another size by far, it is another picture.
        """
        people = self._people(self.first() if frame is None else frame)
        if not people:
            return True
        if people[0].size is not None:
            return _same_shape(people[0].size, size)
        if beside is None or not np.isfinite(beside[:, 0]).any():
            return True
        sizes = [ratio for someone in people if (ratio := _as_large(someone, beside)) is not None]
        return not sizes or any(1 / _OTHER_SIZE < ratio < _OTHER_SIZE for ratio in sizes)

    def motion(self, size: tuple[int, int]) -> list[np.ndarray]:
        """The pose of the person in each picture that shows somebody, as :meth:`pose` with ``own`` gives them.

        From picture to picture the person is followed: of several, the one nearest to where they were.
        """
        poses: list[np.ndarray] = []
        for people in self._frames:
            if not people:
                continue
            found = [_placed(someone, size, own=True) for someone in people]
            if poses:
                poses.append(min(found, key=lambda pose: _apart(pose, poses[-1])))
            else:
                poses.append(found[max(range(len(people)), key=lambda n: _prominence(people[n]))])
        return poses

    def _people(self, frame: int) -> list[Someone]:
        if not 0 <= frame < len(self._frames):
            raise InputError(f"{self.name} has no picture {frame}; it has {len(self._frames)}, counted from 0")
        return self._frames[frame]


def open_pose_file(source: Source) -> PoseFile:
    """All that a file of poses holds.

    Args:
        source: path, the file's bytes, or JSON that was parsed already.

    Raises:
        InputError: if it can't be read, is no file of poses, or shows nobody; what was found is named.
    """
    name, contents = read_contents(source)
    return _file(name, contents)


def read_pose(
    source: Source, size: tuple[int, int], *, frame: int | None = None, person: int | None = None
) -> np.ndarray:
    """The pose of a person as another program wrote it; ``docs/formats.md`` lists the formats.

    Which format it is follows from what the file holds. Where the file says how large its picture is, the joints are
    scaled to ``size``; where that picture has another shape, height counts, proportions are kept, and the body is
    moved into the picture. Shares of the picture (0 to 1, or -1 to 1) become pixels.

    Args:
        source: path, the file's bytes, or JSON that was parsed already.
        size: (W, H) in pixels of the picture that the pose is wanted for.
        frame: which picture of several, from 0; by default the first that shows somebody.
        person: which of several people, from 0 in the file's order; by default the largest and most complete.

    Returns:
        (18, 3) float32: x, y in pixels with centres at +0.5, score in [0, 1]. A missing joint is nan, nan, 0: null,
        NaN, (0, 0) and (-1, -1) in the file, and scores below 0.1 (0.3 for networks that answer every point).

    Raises:
        InputError: if it can't be read, is no file of poses, shows nobody, has another order of joints than its
            number of points says, or lies mostly outside of its picture.
    """
    return open_pose_file(source).pose(size, frame=frame, person=person)


def _file(name: str, contents: Contents) -> PoseFile:
    for frame in contents.frames:
        for someone in frame:
            if not _plausible(someone.joints):
                raise InputError(
                    f"{name} has {someone.layout.name}'s number of points, but in another order: they make no body"
                )
    return PoseFile(name, contents.layout, contents.own, contents.frames)


def _placed(someone: Someone, size: tuple[int, int], own: bool) -> np.ndarray:
    """(18, 3) float32 in pixels of a picture of ``size`` (W, H), or of the file's own one; see ``PoseFile.pose``."""
    joints, given = someone.joints, someone.size
    there = np.isfinite(joints[:, 0])
    points = joints[there, :2]
    if someone.unit == "percent":
        given = given or size
        points = points / 100 * np.array(given)
    elif _are_shares(someone, points):
        absent = (points < 0).all(1) & (points > -_CORNER).all(1)
        there[there], points = ~absent, points[~absent]
        if not len(points):
            raise InputError("shows nobody: all of its joints lie in a corner, outside of the picture")
        before = (points < -0.05).any(1).mean()
        if before > _CENTRED and np.abs(points).max() <= 1.05:
            points = (points + 1) / 2  # from -1 to 1
        elif before > _CUT_OFF and np.abs(points).max() <= 1.05:
            raise InputError("has shares of which can't be told whether they go from 0 to 1 or from -1 to 1")
        given = given or size
        points = points * np.array(given)
    elif someone.unit is None and _may_be_percent(points, given or size):
        raise InputError(
            "has all of its joints within 100 of the picture's corner: say whether these are percent or pixels, "
            '"unit": "percent" or "unit": "pixels"'
        )
    shown = given if own else size
    if not own and given is not None and tuple(given) != tuple(size):
        points = _to_size(points, given, size)
    if shown is not None and ((points < 0) | (points > np.array(shown))).any(1).mean() > 0.5:
        raise InputError(
            f"has most of its joints outside of a picture of {shown[0]:g}x{shown[1]:g}; if it is for another picture, "
            'say that one\'s size in it: "size": [width, height]'
        )
    pose = empty_pose()
    pose[there, :2], pose[there, 2] = points, joints[there, 2]
    return pose


def _are_shares(someone: Someone, points: np.ndarray) -> bool:
    """Whether coordinates are shares of the picture and not pixels: nobody is so small in pixels."""
    if someone.layout.shares and np.abs(points).max() <= 3 * _LARGEST_SHARE:
        return True
    return bool(np.ptp(points, axis=0).max() < _LARGEST_SHARE and np.abs(points).max() < 2 * _LARGEST_SHARE)


def _may_be_percent(points: np.ndarray, size: tuple[float, float]) -> bool:
    """Whether coordinates that are no shares lie as those of a whole person in percent would, in a picture where they
    could be pixels only of somebody small in its upper left corner."""
    spread = np.ptp(points, axis=0)
    within = points.min() >= -10 and points.max() <= 105
    return bool(within and spread[1] >= _TALL_IN_PERCENT and min(size) >= _LARGE_FOR_PERCENT)


def _same_shape(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(np.log((one[0] / one[1]) / (other[0] / other[1]))) < _SAME_SHAPE


def _to_size(points: np.ndarray, own: tuple[float, float], size: tuple[float, float]) -> np.ndarray:
    """Points (N, 2) of a picture of ``own`` (W, H) in one of ``size``."""
    wanted, given = np.array(size, np.float64), np.array(own, np.float64)
    if _same_shape(own, size):
        return points * (wanted / given)
    low, high = points.min(0), points.max(0)
    spread = np.maximum(high - low, 1e-6)
    # As tall in its picture as it was, unless it then would not fit in across.
    scale = min(wanted[1] / given[1], 0.96 * wanted[0] / spread[0])
    middle = (low + high) / 2
    at = middle / given * wanted
    # A body that lay within its picture lies within this one, too.
    reach = spread * scale / 2
    inside = (low >= 0) & (high <= given)
    at = np.where(inside, at.clip(np.minimum(reach, wanted / 2), np.maximum(wanted - reach, wanted / 2)), at)
    return (points - middle) * scale + at


def _plausible(joints: np.ndarray) -> bool:
    """False where the points of the face lie as far apart as no face does: the order of points is another one."""
    there = np.isfinite(joints[:, 0])
    face = joints[list(FACE), :2]
    face = face[np.isfinite(face[:, 0])]
    large = there.sum() >= _LARGE and there[list(HIPS)].any()
    if not (there.sum() >= _WHOLE or large) or len(face) < 3:
        return True
    whole = np.ptp(joints[there, :2], axis=0).max()
    return bool(np.ptp(face, axis=0).max() <= _FACE * whole)


def _prominence(someone: Someone) -> float:
    """How large and how complete somebody is."""
    there = np.isfinite(someone.joints[:, 0])
    points = someone.joints[there, :2]
    return float(there.mean() * np.hypot(*np.ptp(points, axis=0)))


def _as_large(someone: Someone, beside: np.ndarray) -> float | None:
    """How many times as large as another pose somebody is, by the joints that both have; None where these are few."""
    joints = someone.joints[:, :2]
    there = np.isfinite(joints[:, 0])
    if _are_shares(someone, joints[there]):
        return None
    common = there & np.isfinite(beside[:, 0])
    spread = [
        float(np.hypot(*np.ptp(pose[common, :2], axis=0))) if common.sum() > 3 else 0.0
        for pose in (someone.joints, beside)
    ]
    return spread[0] / spread[1] if min(spread) > 0 else None


def _apart(pose: np.ndarray, before: np.ndarray) -> float:
    """The mean distance of two poses' common joints; a pose without one is far away."""
    away = np.hypot(*(pose[:, :2] - before[:, :2]).T)
    return float(np.nanmean(away)) if np.isfinite(away).any() else float("inf")
