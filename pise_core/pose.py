"""Poses: the array that holds the joints of :mod:`pise_core.skeleton`, heat maps, and rows in JSON.

A pose is a float32 array of shape (18, 3): ``x, y, score`` per joint in OpenPose order, in pixels of the image it
belongs to, with pixel centres at +0.5. A missing joint is a row of ``nan, nan, 0``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pise_core.errors import InputError
from pise_core.skeleton import JOINT_COUNT, JOINTS, MIRROR, TABLE


def empty_pose() -> np.ndarray:
    """A pose with every joint missing, (18, 3) float32."""
    pose = np.full((JOINT_COUNT, 3), np.nan, np.float32)
    pose[:, 2] = 0
    return pose


def visible(pose: np.ndarray) -> np.ndarray:
    """Which joints are there: (18,) bool."""
    return np.isfinite(pose[:, 0]) & np.isfinite(pose[:, 1])


def default_skeleton(box: tuple[float, float, float, float]) -> np.ndarray:
    """A standing figure that fills ``box`` (x0, y0, x1, y1 in pixels) from top to bottom; (18, 3) float32."""
    x0, y0, x1, y1 = box
    height = y1 - y0
    points = np.array([joint.standing for joint in TABLE], np.float32)
    pose = np.ones((JOINT_COUNT, 3), np.float32)
    # The unit figure is as wide as it is tall only on paper: people are about 0.45 as wide.
    pose[:, 0] = (x0 + x1) / 2 + (points[:, 0] - 0.5) * height * 0.6
    pose[:, 1] = y0 + points[:, 1] * height
    return pose


def mirror(pose: np.ndarray, width: float) -> np.ndarray:
    """The pose of the image flipped left to right; ``width`` is the image's, in pixels."""
    flipped = pose[list(MIRROR)].copy()
    flipped[:, 0] = width - flipped[:, 0]
    return flipped


def bounding_box(pose: np.ndarray) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of the visible joints, in the pose's own pixels.

    Raises:
        InputError: if no joint is visible.
    """
    there = pose[visible(pose), :2]
    if not len(there):
        raise InputError("the pose has no visible joint; place at least the neck, shoulders and hips")
    (x0, y0), (x1, y1) = there.min(0), there.max(0)
    return float(x0), float(y0), float(x1), float(y1)


#: Less of a Gaussian is taken for 0. It changes no answer of a network, whose numbers have seven digits; numbers below
#: 1e-38, to which Gaussians fall off, take processors many times as long as others.
_NOTHING = 1e-12


def heatmaps(pose: np.ndarray, size: tuple[int, int], sigma: float = 6.0, stride: int = 1) -> np.ndarray:
    """One Gaussian per joint, peak 1 at the joint; a missing joint's map is all zero.

    Args:
        pose: (18, 3), in pixels of the image of ``size``.
        size: (H, W) of that image.
        sigma: in pixels of that image (6 at 256x176, as in the authors' release).
        stride: one value per ``stride`` pixels, sampled at the centre of each cell.

    Returns:
        (18, H // stride, W // stride) float32 in [0, 1].
    """
    down, across = heat_lines(pose, size, sigma, stride)
    return (down[:, :, None] * across[:, None, :]).astype(np.float32)


def heat_lines(
    pose: np.ndarray, size: tuple[int, int], sigma: float = 6.0, stride: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """What :func:`heatmaps` are outer products of: (18, H // stride) down the image, and (18, W // stride) across."""
    height, width = size[0] // stride, size[1] // stride
    x = (np.arange(width, dtype=np.float32) + 0.5) * stride
    y = (np.arange(height, dtype=np.float32) + 0.5) * stride
    # A Gaussian in two dimensions is the product of two in one, so one outer product a joint does.
    across = np.exp(-((x[None] - pose[:, :1]) ** 2) / (2 * sigma**2))
    down = np.exp(-((y[None] - pose[:, 1:2]) ** 2) / (2 * sigma**2))
    for line in across, down:
        line[~(line > _NOTHING)] = 0  # a missing joint's, nan, among them
    return down, across


def to_rows(pose: np.ndarray) -> list[list[float] | None]:
    """18 rows ``[x, y, score]``, or None where the joint is missing: what goes into JSON."""
    return [
        [round(float(x), 2), round(float(y), 2), round(float(score), 4)] if ok else None
        for (x, y, score), ok in zip(pose, visible(pose), strict=True)
    ]


def from_rows(rows: Any) -> np.ndarray:
    """The inverse of :func:`to_rows`; a row may also be ``[x, y]`` (score 1), or have score 0 or below (missing).

    Raises:
        InputError: if there are not 18 rows, or a number is not finite or absurdly large.
    """
    if not isinstance(rows, Sequence) or isinstance(rows, str) or len(rows) != JOINT_COUNT:
        raise InputError(f"a pose has {JOINT_COUNT} keypoints, each [x, y, score] or null")
    pose = empty_pose()
    for index, row in enumerate(rows):
        if row is None:
            continue
        try:
            values = [float(v) for v in row]
        except (TypeError, ValueError, OverflowError):
            raise InputError(f"keypoint {index} ({JOINTS[index]}) must be [x, y, score] or null") from None
        if len(values) not in (2, 3) or not np.isfinite(values).all() or max(map(abs, values)) > 1e5:
            raise InputError(f"keypoint {index} ({JOINTS[index]}) must be [x, y, score] with finite numbers, or null")
        score = values[2] if len(values) == 3 else 1.0
        if score > 0:
            pose[index] = values[0], values[1], score
    return pose
