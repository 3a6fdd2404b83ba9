"""From heat maps to joints."""

from typing import NamedTuple

import numpy as np

from pise_core.pose import empty_pose
from pise_core.skeleton import JOINT, JOINT_COUNT


class Limb(NamedTuple):
    """Three joints, and how long the two bones between them are at most, in lengths of the torso (neck to hips)."""

    root: int
    middle: int
    end: int
    upper: float
    lower: float


#: One and a half times as long as a grown-up's, for torsos are foreshortened, too.
LIMBS = (
    *(Limb(JOINT[f"{s}_shoulder"], JOINT[f"{s}_elbow"], JOINT[f"{s}_wrist"], 0.93, 0.75) for s in ("right", "left")),
    *(Limb(JOINT[f"{s}_hip"], JOINT[f"{s}_knee"], JOINT[f"{s}_ankle"], 1.23, 1.23) for s in ("right", "left")),
)
#: So many peaks of a map are weighed against each other, and so many cells about a peak belong to it.
_PEAKS, _OWN = 4, 3
#: What a bone that is twice as long as it can be takes from the heights of its peaks.
_STRETCHED = 0.3
#: In lengths of the torso: ankles that are nearer to each other are in one foot, and those of two are so far apart at
#: least. Of how sure they are there, so much they are of another foot; and what a difference of the shins takes.
_ONE_FOOT, _TWO_FEET, _NEARLY, _UNLIKE = 0.12, 0.2, 0.75, 0.3

_Peak = tuple[int, int, float]  # row, column, height


def decode_joints(
    maps: np.ndarray, stride: int, threshold: float = 0.15, where: np.ndarray | None = None
) -> np.ndarray:
    """The highest peak of each map, refined to a fraction of a cell.

    The middle and the end of a limb are chosen together, so that they are as far from each other as bones are long:
    another's hand, or one in a mirror, may be the higher peak.

    Args:
        maps: (18, h, w) heat maps, about 1 at a joint.
        stride: pixels per cell of the image that the maps belong to.
        threshold: a lower peak counts as a missing joint.
        where: optional (h, w) weights in [0, 1]; peaks are sought where they are high.

    Returns:
        Pose (18, 3) in pixels of that image; the score is the peak's height, at most 1.
    """
    weighted = maps if where is None else maps * where[None]
    chosen = [_highest(map_, threshold) for map_ in weighted]
    torso = _torso(chosen)
    if torso:
        for limb in LIMBS:
            root, middles, ends = chosen[limb.root], *(_peaks(weighted[j], threshold) for j in (limb.middle, limb.end))
            if root is not None and middles and ends:
                chosen[limb.middle], chosen[limb.end] = _both(
                    root, middles, ends, torso * limb.upper, torso * limb.lower
                )
        _part_feet(chosen, weighted, threshold, torso)
    pose = empty_pose()
    for joint in range(JOINT_COUNT):
        peak = chosen[joint]
        if peak is not None:
            pose[joint] = *_refined(maps[joint], peak, stride), min(peak[2], 1.0)
    return pose


def _highest(map_: np.ndarray, threshold: float) -> _Peak | None:
    y, x = divmod(int(map_.argmax()), map_.shape[1])
    height = float(map_[y, x])
    return (y, x, height) if height >= threshold else None


def _peaks(map_: np.ndarray, threshold: float) -> list[_Peak]:
    """The highest peaks, at most ``_PEAKS`` of them."""
    left, found = map_.copy(), []
    while len(found) < _PEAKS and (peak := _highest(left, threshold)) is not None:
        found.append(peak)
        y, x, _ = peak
        left[max(y - _OWN, 0) : y + _OWN + 1, max(x - _OWN, 0) : x + _OWN + 1] = 0
    return found


def _torso(chosen: list[_Peak | None]) -> float:
    """From the neck to the middle of the hips, in cells; 0 where these are not seen."""
    neck, hips = chosen[JOINT["neck"]], [chosen[JOINT[f"{side}_hip"]] for side in ("right", "left")]
    seen = [hip for hip in hips if hip is not None]
    if neck is None or not seen:
        return 0.0
    y, x = (sum(hip[axis] for hip in seen) / len(seen) for axis in (0, 1))
    return float(np.hypot(y - neck[0], x - neck[1]))


def _both(root: _Peak, middles: list[_Peak], ends: list[_Peak], upper: float, lower: float) -> tuple[_Peak, _Peak]:
    """The middle and the end of a limb that are high, and near enough to the root and to each other."""

    def too_far(a: _Peak, b: _Peak, most: float) -> float:
        return max(0.0, float(np.hypot(a[0] - b[0], a[1] - b[1])) / most - 1)

    def worth(limb: tuple[_Peak, _Peak]) -> float:
        middle, end = limb
        return middle[2] + end[2] - _STRETCHED * (too_far(root, middle, upper) + too_far(middle, end, lower))

    return max(((middle, end) for middle in middles for end in ends), key=worth)


def _part_feet(chosen: list[_Peak | None], maps: np.ndarray, threshold: float, torso: float) -> None:
    """Both ankles that were found in one foot, where another foot is nearly as sure of either, come apart. Ankles are
    what is found in the wrong leg most; hands may lie in one another."""
    legs = LIMBS[-2:]
    knees = [peak for limb in legs if (peak := chosen[limb.middle]) is not None]
    feet = [peak for limb in legs if (peak := chosen[limb.end]) is not None]
    if len(knees) < 2 or len(feet) < 2 or _distance(*feet) > _ONE_FOOT * torso:
        return
    best, most = None, -np.inf
    for first in _peaks(maps[legs[0].end], threshold):
        for second in _peaks(maps[legs[1].end], threshold):
            sure = first[2] >= _NEARLY * feet[0][2] and second[2] >= _NEARLY * feet[1][2]
            if not sure or _distance(first, second) < _TWO_FEET * torso:
                continue
            lengths = [_distance(knee, foot) for knee, foot in zip(knees, (first, second), strict=True)]
            far = sum(max(0.0, length / (torso * limb.lower) - 1) for length, limb in zip(lengths, legs, strict=True))
            worth = first[2] + second[2] - _STRETCHED * far - _UNLIKE * abs(lengths[0] - lengths[1]) / torso
            if worth > most:
                best, most = (first, second), worth
    if best is not None:
        chosen[legs[0].end], chosen[legs[1].end] = best


def _distance(a: _Peak, b: _Peak) -> float:
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))


def _refined(map_: np.ndarray, peak: _Peak, stride: int) -> tuple[float, float]:
    """x and y: centre of mass of the 5x5 cells around the peak, for Gaussian peaks are wider than a cell."""
    y, x, _ = peak
    y0, x0 = max(y - 2, 0), max(x - 2, 0)
    patch = np.clip(map_[y0 : y + 3, x0 : x + 3], 0, None) ** 2
    ys, xs = np.mgrid[y0 : y0 + patch.shape[0], x0 : x0 + patch.shape[1]] + 0.5
    total = patch.sum() + 1e-9
    return float((xs * patch).sum() / total * stride), float((ys * patch).sum() / total * stride)
