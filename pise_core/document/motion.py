"""Motion: poses between key poses, and the pictures as GIF or MP4.

Between keys every bone turns about the joint it hangs on, along the shorter way round, and changes its length evenly:
a forearm that swings keeps its length, as it would not if its joints moved along straight lines.
"""

import io
import logging
import tempfile
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from pise_core.document.edits import Motion
from pise_core.errors import InputError
from pise_core.pose import empty_pose, visible
from pise_core.provenance import with_line
from pise_core.skeleton import JOINT_COUNT, PARENTS, PARENTS_FIRST, ROOT
from pise_core.warping.retarget import retarget

_log = logging.getLogger(__name__)

#: Pictures a second of what is saved.
FPS = 12
#: At most so many pictures, for each of them is rendered.
MAX_FRAMES = 240
#: Pictures a second that clips are taken to have: files of poses don't say.
_CLIP_FPS = 24
#: A palette is made of at most so many pictures.
_PALETTE_FRAMES = 8
#: Of all pictures of a motion, before they are packed.
MAX_BYTES = 400_000_000


def fitted_clip(
    own: np.ndarray, poses: Sequence[np.ndarray], seconds: float | None = None
) -> tuple[list[np.ndarray], float | None]:
    """A clip's poses (18, 3) with the bones of a person whose own pose is ``own``, and the seconds from one to the
    next, where these are known: the pace stays although some are left out, for want of the neck or both hips.

    Raises:
        InputError: if fewer than two can be fitted, or, where no pace is known, if one can't.
    """
    fitted, places = [], []
    for place, pose in enumerate(poses):
        try:
            fitted.append(retarget(own, pose))
        except InputError as error:
            if seconds is None:
                raise
            _log.debug("picture %d is left out: %s", place, error)
        else:
            places.append(place)
    if len(fitted) < 2:
        raise InputError("the clip shows too little of the person: neck or hips must be seen in two pictures")
    if seconds is not None:
        seconds *= (places[-1] - places[0]) / (len(places) - 1)
    return fitted, seconds


def smoothed_keys(poses: Sequence[np.ndarray], most: int) -> list[np.ndarray]:
    """At most so many key poses (18, 3) of a clip's poses, evenly from the first to the last, each the mean of those
    that it stands for; the poses as they are where there are no more."""
    if len(poses) <= most:
        return list(poses)
    step = (len(poses) - 1) / (most - 1)
    keys = []
    for place in np.arange(most) * step:
        about = range(max(0, round(place - step / 2)), min(len(poses), round(place + step / 2) + 1))
        near = np.stack([poses[index] for index in about])
        there = visible(poses[round(place)])
        key = empty_pose()
        key[there] = np.nanmean(near[:, there], axis=0)
        keys.append(key)
    return keys


def pace_of(count: int, most: int, seconds: float | None = None) -> float:
    """Seconds from one of a clip's keys to the next.

    Args:
        count: of the clip's poses.
        most: keys at most.
        seconds: from one pose to the next, where that is known; otherwise a clip is taken to have 24 pictures a
            second where it has more than the keys, and half a second passes where every picture is a key.
    """
    if seconds is None:
        seconds = 0.5 if count <= most else 1 / _CLIP_FPS
    return float(np.clip(seconds * (max(1, (count - 1) / (most - 1)) if count > most else 1), 0.1, 5))


def motion_poses(motion: Motion, picture_bytes: int = 0) -> list[np.ndarray]:
    """The pose (18, 3) of every picture, in pixels of the photo.

    Args:
        picture_bytes: of one picture, where pictures are to be made.

    Raises:
        InputError: on fewer than two key poses, or too many pictures, or too many for their size.
    """
    at = places(motion)
    if len(at) > MAX_FRAMES:
        raise InputError(f"that is {len(at)} pictures; choose fewer key poses or a quicker pace")
    if len(at) * picture_bytes > MAX_BYTES:
        raise InputError(f"that is {len(at)} large pictures; choose small ones, or a quicker pace")
    return poses_at(motion.keys, at, motion.loop)


def places(motion: Motion) -> np.ndarray:
    """Where between the keys each picture is, (N,) float64: 0 at the first key, 1 at the second, and so on."""
    count = len(motion.keys) if motion.loop else len(motion.keys) - 1
    times = (motion.times or (1.0,) * len(motion.keys))[: max(0, count)]
    found = [np.zeros(0)]
    for key, time in enumerate(times):
        steps = max(1, round(FPS * motion.seconds * time))
        found.append(key + eased(np.arange(steps) / steps, motion.easing))
    if not motion.loop:
        found.append(np.array([float(max(0, count))]))
    return np.concatenate(found)


def eased(share: np.ndarray, easing: str) -> np.ndarray:
    """How far the way from one key to the next has been gone when a share of its time has passed, both 0 to 1."""
    if easing == "gentle":
        return share**2 * (3 - 2 * share)
    if easing == "faster":
        return share**2
    return share * (2 - share) if easing == "slower" else share


def interpolate(keys: Sequence[np.ndarray], steps: int, loop: bool = False) -> list[np.ndarray]:
    """Poses from the first key to the last one, by the angles of the bones.

    Args:
        keys: two or more poses (18, 3), in pixels of one picture.
        steps: how many poses from one key to the next, the first of the two included.
        loop: from the last key back to the first one, which is not repeated at the end.

    Returns:
        ``steps * (len(keys) - 1) + 1`` poses, or ``steps * len(keys)`` for a loop; each key is among them. A joint
        is there between two keys that both have it.

    Raises:
        InputError: on fewer than two keys or one step, or a key without a neck.
    """
    if steps < 1:
        raise InputError("a motion needs one step at least from a key pose to the next")
    count = max(0, len(keys) if loop else len(keys) - 1)
    return poses_at(keys, np.arange(steps * count + (not loop)) / steps, loop)


def poses_at(keys: Sequence[np.ndarray], times: np.ndarray, loop: bool = False) -> list[np.ndarray]:
    """The poses (18, 3) at places between keys, by the angles of the bones.

    Args:
        keys: as of :func:`interpolate`, and so is ``loop``.
        times: (N,) places, 0 at the first key, 1 at the second.

    Raises:
        InputError: on fewer than two keys, or a key without a neck.
    """
    if len(keys) < 2:
        raise InputError("a motion needs two key poses at least; add another one")
    there = np.array([visible(key) for key in keys])
    if not there[:, ROOT].all():
        raise InputError("every key pose needs the neck, which the body hangs on")
    from scipy.interpolate import PchipInterpolator  # half a second that most never need

    count = len(keys)
    turns = range(-2, count + 2) if loop else range(count)  # a loop goes on beyond both ends
    points = np.array([keys[k % count][:, :2] for k in turns], np.float64)
    length, angle = _bones(points)
    neck = PchipInterpolator(turns, points[:, ROOT])(times)
    poses = []
    before = np.floor(times).astype(int) % count
    after = np.ceil(times).astype(int) % count
    lengths, angles = (PchipInterpolator(turns, values)(times) for values in (length, angle))
    for number in range(len(times)):
        pose = empty_pose()
        pose[ROOT] = *neck[number], 1
        for joint in PARENTS_FIRST[1:]:
            parent = PARENTS[joint]
            if not (there[before[number], joint] and there[after[number], joint]) or not visible(pose)[parent]:
                continue
            along = np.array([np.cos(angles[number, joint]), np.sin(angles[number, joint])])
            pose[joint] = *(pose[parent, :2] + lengths[number, joint] * along), 1
        poses.append(pose)
    return poses


def _bones(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Length and angle of the bone to each joint, (K, 18) each; angles go on beyond a full turn, and what is missing
    is taken from the keys beside."""
    bones = points - points[:, [max(parent, 0) for parent in PARENTS]]
    length, angle = np.hypot(*bones.transpose(2, 0, 1)), np.arctan2(bones[..., 1], bones[..., 0])
    numbers = np.arange(len(points))
    for joint in range(JOINT_COUNT):
        known = np.isfinite(angle[:, joint])
        if not known.any():
            length[:, joint] = angle[:, joint] = 0
            continue
        unwrapped = np.unwrap(angle[known, joint])
        angle[:, joint] = np.interp(numbers, numbers[known], unwrapped)
        length[:, joint] = np.interp(numbers, numbers[known], length[known, joint])
    return length, angle


def encode_motion(frames: Sequence[np.ndarray], suffix: str) -> bytes:
    """The bytes of a file, ``.gif`` or ``.mp4``, of pictures (H, W, 3) uint8, with the line that the operator wants.

    Raises:
        InputError: if the suffix is another.
    """
    writers = {".gif": encode_gif, ".mp4": encode_mp4}
    if suffix.lower() not in writers:
        raise InputError(f"can't write a motion as {suffix!r}; use .gif or .mp4")
    return writers[suffix.lower()]([with_line(frame) for frame in frames], FPS)


def encode_gif(frames: Iterable[np.ndarray], fps: float) -> bytes:
    """An endless GIF of pictures (H, W, 3) uint8, all of one size and in one palette. GIF counts in hundredths of a
    second.

    Raises:
        InputError: if there is no picture.
    """
    frames = list(frames)
    if not frames:
        raise InputError("a motion needs one picture at least")
    # An octree with one round of k-means keeps small areas of saturated colour, which median cuts grey out.
    shown = Image.fromarray(np.concatenate(frames[:: -(-len(frames) // _PALETTE_FRAMES)]))
    colours = shown.quantize(256, Image.Quantize.FASTOCTREE, kmeans=1, dither=Image.Dither.NONE)
    pictures = [
        Image.fromarray(frame).quantize(palette=colours, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames
    ]
    buffer = io.BytesIO()
    duration = max(20, 10 * round(100 / fps))
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0)
    return buffer.getvalue()


def encode_mp4(frames: Sequence[np.ndarray], fps: float) -> bytes:
    """An MP4 of pictures (H, W, 3) uint8, all of one size, in H.264 with 4:2:0 chroma, which every phone, browser and
    cutting program plays. A last odd row or column is left out, because the codec takes even sides only.

    The colours are BT.709's at every size, and tagged so: without tags, browsers take BT.601's for small pictures and
    BT.709's from 720 lines on.

    Raises:
        InputError: if there is no picture, or PyAV is not installed: its wheel carries x264 and x265, which are under
            the GPL, and whoever may not hand that on leaves it out.
    """
    if not len(frames):
        raise InputError("a motion needs one picture at least")
    try:
        import av
        from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
    except ImportError:
        raise InputError("MP4 is not installed here; save the motion as GIF, or pip install av") from None
    height, width = (side - side % 2 for side in frames[0].shape[:2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "motion.mp4"
        # The index comes first, so that a page plays the video while it is still loading.
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            # One thread: the same pictures give the same bytes.
            options = {"crf": "16", "preset": "medium", "threads": "1"}
            stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000), options=options)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            coded = stream.codec_context
            coded.colorspace, coded.color_range = Colorspace.ITU709, ColorRange.MPEG
            coded.color_primaries, coded.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
            for frame in frames:
                picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[:height, :width]), "rgb24")
                picture = picture.reformat(
                    format="yuv420p",
                    src_color_range=ColorRange.JPEG,
                    dst_colorspace=Colorspace.ITU709,
                    dst_color_range=ColorRange.MPEG,
                )
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        return path.read_bytes()
