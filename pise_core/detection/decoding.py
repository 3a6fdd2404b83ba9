"""From heat maps to joints."""

import numpy as np

from pise_core.pose import JOINT_COUNT, empty_pose


def decode_joints(
    maps: np.ndarray, stride: int, threshold: float = 0.15, where: np.ndarray | None = None
) -> np.ndarray:
    """The highest peak of each map, refined to a fraction of a cell.

    Args:
        maps: (18, h, w) heat maps, about 1 at a joint.
        stride: pixels per cell of the image that the maps belong to.
        threshold: a lower peak counts as a missing joint.
        where: optional (h, w) weights in [0, 1]; peaks are sought where they are high.

    Returns:
        Pose (18, 3) in pixels of that image; the score is the peak's height, at most 1.
    """
    pose = empty_pose()
    weighted = maps if where is None else maps * where[None]
    for joint in range(JOINT_COUNT):
        y, x = np.unravel_index(int(weighted[joint].argmax()), maps.shape[1:])
        score = float(weighted[joint, y, x])
        if score < threshold:
            continue
        # Centre of mass of the 5x5 cells around the peak: Gaussian peaks are wider than a cell.
        y0, x0 = max(y - 2, 0), max(x - 2, 0)
        patch = np.clip(maps[joint, y0 : y + 3, x0 : x + 3], 0, None) ** 2
        ys, xs = np.mgrid[y0 : y0 + patch.shape[0], x0 : x0 + patch.shape[1]] + 0.5
        total = patch.sum() + 1e-9
        pose[joint] = (xs * patch).sum() / total * stride, (ys * patch).sum() / total * stride, min(score, 1.0)
    return pose
