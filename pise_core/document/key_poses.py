"""The pictures of a motion, and the files that they become."""

from collections.abc import Sequence

import numpy as np

from pise_core.document.edits import Motion
from pise_core.document.motion import encode_gif, encode_mp4, interpolate
from pise_core.errors import InputError

#: Pictures a second of what is saved.
FPS = 12
#: At most so many pictures, for each of them is rendered.
MAX_FRAMES = 240
#: Of all pictures of a motion, before they are packed.
MAX_BYTES = 400_000_000


def motion_poses(motion: Motion, picture_bytes: int = 0) -> list[np.ndarray]:
    """The pose (18, 3) of every picture, in pixels of the photo.

    Args:
        picture_bytes: of one picture, where pictures are to be made.

    Raises:
        InputError: on fewer than two key poses, or too many pictures, or too many for their size.
    """
    poses = interpolate(motion.keys, max(1, round(FPS * motion.seconds)), motion.loop)
    if len(poses) > MAX_FRAMES:
        raise InputError(f"that is {len(poses)} pictures; choose fewer key poses or a quicker pace")
    if len(poses) * picture_bytes > MAX_BYTES:
        raise InputError(f"that is {len(poses)} large pictures; choose small ones, or a quicker pace")
    return poses


def encode_motion(frames: Sequence[np.ndarray], suffix: str) -> bytes:
    """The bytes of a file, ``.gif`` or ``.mp4``, of pictures (H, W, 3) uint8.

    Raises:
        InputError: if the suffix is another.
    """
    writers = {".gif": encode_gif, ".mp4": encode_mp4}
    if suffix.lower() not in writers:
        raise InputError(f"can't write a motion as {suffix!r}; use .gif or .mp4")
    return writers[suffix.lower()](frames, FPS)
