"""The poses of the person in a clip, smoothed.

The person is looked for once and then followed: in each picture the networks look about where they were in the one
before. Between pictures joints don't jump: what leaves for one picture and comes back is left out, each follows a
straight line through its neighbours in time (local linear regression, after Cleveland, JASA 1979), and short gaps are
closed.
"""

import io
import os
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pise_core.detection import turning
from pise_core.detection.analyzer import Analyzer, Sight
from pise_core.errors import InputError, NobodyFound
from pise_core.framing import Box
from pise_core.pose import empty_pose, visible
from pise_core.skeleton import JOINT_COUNT

#: Pictures a second that are looked at, and at most so many of a clip.
RATE, MOST_PICTURES = 8.0, 96
#: Seconds of a clip; what comes after is left out.
MOST_SECONDS = 20.0
#: Pictures that are decoded at most, twice as many as the fastest cameras take in that time.
_MOST_DECODED = 10_000
#: FFmpeg counts a container's seconds in these.
_MICROSECONDS = 1_000_000
#: Bytes of a file that is read.
MAX_BYTES = 200_000_000
#: Long side of what is looked at, and of a clip at most, in pixels.
_SIDE, _MOST_SIDE = 960, 4320
#: Containers by FFmpeg's names. Play lists are none: they would have the reader open other files and addresses.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,gif"
#: A joint that is further off the way between its neighbours in time than this share of the body, and than these are
#: apart, was seen elsewhere by mistake.
_JUMP = 0.15
#: Seconds: the standard deviation of the weights of neighbours, and how long a gap is closed.
_REACH, _GAP = 0.16, 0.6
#: A sight that is less clear than this share of the clearest is not trusted: the person is looked for again.
_LOST = 0.6
#: How far about where they were the person is looked for, as a share of the body.
_ABOUT = 0.08


@dataclass(frozen=True)
class ClipPoses:
    """The poses of one person in a clip.

    Attributes:
        poses: (18, 3) float32 each, in pixels of the clip's pictures; a joint that wasn't seen is nan, nan, 0.
        size: (W, H) of these pictures.
        seconds: from one pose to the next.
        cut: whether the clip goes on after what was looked at.
    """

    poses: list[np.ndarray]
    size: tuple[int, int]
    seconds: float
    cut: bool


def follow(analyzer: Analyzer, source: str | os.PathLike[str] | bytes) -> Generator[tuple[int, int], None, ClipPoses]:
    """The poses of the most prominent person in a clip, as the answer of a generator: after each picture it says how
    many were looked at, and of how many at most.

    Args:
        analyzer: who finds people and joints.
        source: path of a video (MP4, MOV, WebM, MKV, AVI, MPEG-TS or GIF), or its bytes.

    Raises:
        NobodyFound: if nobody is seen in two pictures.
        InputError: if it is no such video, damaged, too large, or too short.
    """
    clip = Clip(source)
    times, found, sizes = [], [], []
    sight: Sight | None = None
    least = 0.0
    for time, picture in clip.pictures():
        sight = _seen(analyzer, picture, sight, least)
        if sight is not None:
            least = max(least, _LOST * turning.certainty(sight))
        times.append(time)
        sizes.append(picture.shape[1::-1])
        found.append(empty_pose() if sight is None else sight.pose)
        yield len(found), max(clip.expected, len(found))
    if len(found) < 2:
        raise InputError(f"{clip.name} has one picture only; a motion needs a clip of some")
    if sum(visible(pose).any() for pose in found) < 2:
        raise NobodyFound(f"nobody was found in {clip.name}; take a clip that shows one person from head to toe")
    scale = np.array([*np.divide(clip.size, sizes[0]), 1], np.float32)
    seconds = (times[-1] - times[0]) / (len(times) - 1)
    poses = smoothed(found, seconds)
    # Before the person comes and after they went there is nothing to take over.
    there = [number for number, pose in enumerate(poses) if visible(pose).any()]
    return ClipPoses([pose * scale for pose in poses[there[0] : there[-1] + 1]], clip.size, seconds, clip.cut)


def smoothed(poses: list[np.ndarray], seconds: float) -> list[np.ndarray]:
    """Poses (18, 3), evenly in time, ``seconds`` apart, without jitter, jumps and short gaps."""
    values = np.stack(poses).astype(np.float64)
    count = len(values)
    numbers = np.arange(count)
    weights = np.where(np.isfinite(values[..., 0]), np.maximum(values[..., 2], 1e-3), 0.0)
    points = np.nan_to_num(values[..., :2])
    body = np.median(
        [np.ptp(pose[visible(pose), :2], axis=0).max() for pose in poses if visible(pose).sum() > 1] or [1.0]
    )
    for joint in range(JOINT_COUNT):
        known = numbers[weights[:, joint] > 0]
        for before, number, after in zip(known, known[1:], known[2:], strict=False):
            (ax, ay), here, (bx, by) = points[[before, number, after], joint]
            share = (number - before) / (after - before)
            off = np.hypot(*(here - [ax + share * (bx - ax), ay + share * (by - ay)]))
            if off > max(_JUMP * body, np.hypot(bx - ax, by - ay)):
                weights[number, joint] = 0
    reach = max(_REACH / seconds, 0.5)
    out = np.stack([empty_pose()] * count)
    for joint in range(JOINT_COUNT):
        known = numbers[weights[:, joint] > 0]
        for number in known:
            away = known - number
            nearness = weights[known, joint] * np.exp(-0.5 * (away / reach) ** 2) * (np.abs(away) <= 3 * reach)
            out[number, joint, :2] = _at(away, points[known, joint], nearness)
            out[number, joint, 2] = values[number, joint, 2]
        ends = [(a, b) for a, b in zip(known, known[1:], strict=False) if 1 < b - a <= _GAP / seconds + 1e-9]
        gaps = np.array([number for a, b in ends for number in range(a + 1, b)], int)
        if len(gaps):
            from scipy.interpolate import PchipInterpolator  # half a second that most never need

            out[gaps, joint, :2] = PchipInterpolator(known, out[known, joint, :2])(gaps)
            out[gaps, joint, 2] = np.interp(gaps, known, out[known, joint, 2])
    return list(out)


def _at(times: np.ndarray, points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Where the line through weighted points (N, 2) is at time 0."""
    total = weights.sum()
    middle = weights @ times / total
    spread = weights @ (times - middle) ** 2
    mean = weights @ points / total
    if spread < 1e-9 * total:
        return mean
    return mean - middle * ((weights * (times - middle)) @ (points - mean)) / spread


def _seen(analyzer: Analyzer, picture: np.ndarray, before: Sight | None, least: float) -> Sight | None:
    """The person in a picture, near where they were."""
    if before is not None:
        again = analyzer.look_at(picture, _about(before.box, picture.shape))
        if again is not None and turning.certainty(again) >= least:
            return again
    return turning.look(analyzer, picture)


def _about(box: Box, shape: tuple[int, ...]) -> Box:
    x0, y0, x1, y1 = box
    more = _ABOUT * max(x1 - x0, y1 - y0, 8)
    return max(x0 - more, 0.0), max(y0 - more, 0.0), min(x1 + more, float(shape[1])), min(y1 + more, float(shape[0]))


class Clip:
    """A video file.

    Attributes:
        name: for messages.
        size: (W, H) as it is shown; known with the first picture.
        cut: whether it goes on after the last picture that was asked for.
        expected: about how many pictures there will be, known with the first one.
    """

    def __init__(self, source: str | os.PathLike[str] | bytes) -> None:
        if isinstance(source, bytes):
            self.name, self._file, length = "the clip", source, len(source)
        else:
            path = Path(source)
            self.name = path.name
            try:
                length = path.stat().st_size
                self._file = path.read_bytes() if length <= MAX_BYTES else b""
            except OSError as error:
                raise InputError(f"can't read {path}: {error.strerror}") from None
        if length > MAX_BYTES:
            raise InputError(f"{self.name} has {length / 1e6:.0f} MB; cut the clip to {MAX_BYTES / 1e6:.0f} MB at most")
        self.size, self.cut, self.expected, self._aspect = (0, 0), False, 0, 0.0

    def pictures(self) -> Iterator[tuple[float, np.ndarray]]:
        """Seconds and (h, w, 3) uint8 RGB of pictures that are evenly apart, small enough to be looked at."""
        try:
            import av
            from av.error import FFmpegError
        except ImportError:
            raise InputError("videos can't be read here; take a file of poses, or pip install av") from None
        try:
            with av.open(io.BytesIO(self._file), options={"format_whitelist": _CONTAINERS}) as container:
                if not container.streams.video:
                    raise InputError(f"{self.name} holds no pictures")
                yield from self._sampled(container)
        except InputError:
            raise
        except (FFmpegError, ValueError, MemoryError) as error:
            text = getattr(error, "strerror", None) or "it is damaged"
            raise InputError(f"{self.name} can't be read as a video ({text}); use MP4, MOV, WebM or GIF") from None

    def _sampled(self, container: Any) -> Iterator[tuple[float, np.ndarray]]:
        stream = container.streams.video[0]
        if stream.codec_context is None:
            raise InputError(f"{self.name} is in a format that can't be decoded; use MP4, MOV, WebM or GIF")
        stream.thread_type = "AUTO"
        if max(stream.width, stream.height) > _MOST_SIDE:
            raise InputError(f"{self.name} is too large: {stream.width}x{stream.height}; {_MOST_SIDE} pixels at most")
        self._aspect = float(stream.sample_aspect_ratio or 0)
        length = container.duration / _MICROSECONDS if container.duration else MOST_SECONDS
        step = max(1 / RATE, min(length, MOST_SECONDS) / MOST_PICTURES)
        self.expected = min(MOST_PICTURES, int(min(length, MOST_SECONDS) / step) + 1)
        rate = float(stream.average_rate or 0) or 24.0
        first, shown, given, last = None, None, 0, 0.0
        for number, frame in enumerate(container.decode(stream)):
            if number == _MOST_DECODED:  # whose times don't pass
                self.cut = True
                break
            time = number / rate if frame.time is None else float(frame.time)
            first = time if first is None else first
            time -= first
            # Until this one comes, the one before is shown.
            due = [] if shown is None else self._due(given, step, min(time, MOST_SECONDS))
            if due:
                picture = self._shown(shown)
                yield from ((moment, picture) for moment in due)
                given += len(due)
            if time > MOST_SECONDS or given == MOST_PICTURES:
                self.cut = True
                return
            shown, last = frame, time
        if shown is not None:
            picture = self._shown(shown)
            yield from ((moment, picture) for moment in self._due(given, step, last + 1e-6))

    @staticmethod
    def _due(given: int, step: float, until: float) -> list[float]:
        """The moments before ``until`` at which a picture is to be looked at, those of the first ones left out."""
        moments = np.arange(given, MOST_PICTURES) * step
        return moments[moments < until - 1e-9].tolist()

    def _shown(self, frame: Any) -> np.ndarray:
        """A picture as players show it: square pixels, upright, its long side ``_SIDE`` at most."""
        width, height = frame.width, frame.height
        if self._aspect:
            width = max(1, round(width * self._aspect))
        turns = round(frame.rotation / 90) % 4
        scale = min(1.0, _SIDE / max(width, height))
        self.size = (width, height) if turns % 2 == 0 else (height, width)
        small = frame.to_ndarray(
            format="rgb24", width=max(1, round(width * scale)), height=max(1, round(height * scale))
        )
        return np.ascontiguousarray(np.rot90(small, turns))
