"""Where one foot ends and the other begins, if they touch.

The nearest bone alone cuts straight down between the ankles, through toes of feet that point the same way: each would
take a slice of the other along. So the border is the cut that costs least (Boykov and Jolly, ICCV 2001): it is short,
follows the picture's edges, and leaves what is much nearer to one bone with that leg.
"""

from functools import cached_property

import cv2
import numpy as np

from pise_core.masks import Nearest, window_of
from pise_core.pose import visible
from pise_core.skeleton import LEGS
from pise_core.warping.leg_edges import separate_legs
from pise_core.warping.parts import PARTS, among, assign_parts, legs_cross, to_segment

_RIGHT, _LEFT = (PARTS.index(f"{side}_shin") for side in ("right", "left"))
_JOINTS = [joint for leg in LEGS for joint in leg]
#: Knees and ankles.
_SHINS = [joint for leg in LEGS for joint in leg[1:]]
#: The feet are looked at in so many pixels for one of the frame; enough to see their border.
_FINE = 3.0
#: In lengths of the shin: how far around the ankles they are looked at, to the sides and down.
_ASIDE, _DOWN = 0.9, 0.8
#: In the same lengths: where above the ankles feet begin, how far below them a bone is thought to go on, how much of it
#: is its own leg's for certain, and how thick; and how far feet must touch.
_ABOVE, _BELOW, _SURE, _THICK, _TOUCH = 0.15, 0.35, 0.2, 0.06, 0.06
#: What a cut costs at least for each pixel of its length, where it runs along an edge (beside about one elsewhere), and
#: a pixel that is given to the leg whose bone is farther, if it lies on the other one's.
_EDGE, _NEARER = 0.1, 0.08
#: Costs are whole numbers, so many of them for a one.
_UNIT, _NEVER = 1000, 10**7
#: A foot keeps at least this share of what the nearest bone gives it; else the picture shows no border.
_KEEPS = 0.55
#: How much is smoothed, in pixels, before colours are compared.
_SMOOTH = 0.6


class Feet:
    """The feet of somebody, as fine as their border is looked for: once for all sizes of a photo, in which it would run
    differently.

    Args:
        photo: (H, W, 3) uint8 RGB; only what is about the feet is kept.
        parsing: (H, W) uint8.
        pose: (18, 3) in the same pixels.
        scale: frame pixels per pixel.
    """

    def __init__(self, photo: np.ndarray, parsing: np.ndarray, pose: np.ndarray, scale: float) -> None:
        self._here: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        if not visible(pose)[_JOINTS].all() or legs_cross(pose):
            return
        joints, length = pose[_SHINS, :2], _shin(pose)
        height, width = parsing.shape
        low = np.floor(joints.min(0) - _ASIDE * length).clip(0, (width, height)).astype(int)
        high = np.ceil(joints.max(0) + (_ASIDE * length, _DOWN * length)).clip(0, (width, height)).astype(int)
        if length * scale < 8 or (high - low < 2).any():
            return
        window = slice(low[1], high[1]), slice(low[0], high[0])
        ratio = _FINE * scale
        size = [max(1, round(ratio * side)) for side in (high - low).tolist()]
        ratios = np.array(size) / (high - low)
        moved = pose.copy()
        moved[:, :2] = (pose[:, :2] - low) * ratios
        self._here = (
            cv2.resize(photo[window], size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR),
            cv2.resize(parsing[window], size, interpolation=cv2.INTER_NEAREST_EXACT),
            moved,
        )

    @cached_property
    def _border(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Knees and ankles (4, 2), and (h, w) float32: 1 where the right foot is nearer, 0 where the left one is; None
        where the feet don't touch, or no border is seen."""
        if self._here is None:
            return None
        image, parsing, pose = self._here
        owner = separate_legs(assign_parts(parsing, pose), pose)
        feet = _feet(owner, pose)
        mine = feet & (owner == _RIGHT)
        if _touching(mine, feet & ~mine) < _TOUCH * _shin(pose):
            return None
        found = _cut(image, feet, [pose[list(leg[1:]), :2].astype(np.float64) for leg in LEGS])
        if found is None:
            return None
        for one, before in ((found, mine), (feet & ~found, feet & ~mine)):
            if np.count_nonzero(one & before) < _KEEPS * np.count_nonzero(before):
                return None
        ys, xs = np.nonzero(~feet)
        y, x = Nearest(feet).at(ys, xs)
        found[ys, xs] = found[y, x]
        return pose[_SHINS, :2].astype(np.float64), found.astype(np.float32)

    def separated(self, owner: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """The owners with both feet apart where the photo shows it; the same where it doesn't.

        Args:
            owner: (H, W) int8, from ``assign_parts``, of the photo at any size, or a part of it.
            pose: (18, 3) in the same pixels, the photo's own.
        """
        if self._border is None:
            return owner
        there, share = self._border
        here = pose[_SHINS, :2].astype(np.float64)
        feet = _feet(owner, pose)
        window = window_of(feet, margin=0)
        if window is None or not np.isfinite(here).all():
            return owner
        centre = here.mean(0), there.mean(0)
        ratio = np.sqrt(np.square(there - centre[1]).sum() / max(np.square(here - centre[0]).sum(), 1e-6))
        rows, columns = (np.arange(part.start, part.stop, dtype=np.float32) + 0.5 for part in window)
        x = (columns - centre[0][0]) * ratio + centre[1][0] - 0.5
        y = (rows - centre[0][1]) * ratio + centre[1][1] - 0.5
        x, y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
        right = cv2.remap(share, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) > 0.5
        out = owner.copy()
        out[window][feet[window]] = np.where(right, _RIGHT, _LEFT)[feet[window]]
        return out


def _shin(pose: np.ndarray) -> float:
    """Mean length of both shins in pixels."""
    return float(np.mean([np.hypot(*(pose[leg[2], :2] - pose[leg[1], :2])) for leg in LEGS]))


def _feet(owner: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(H, W) bool: both feet, from a little above the ankles on."""
    feet = among(owner, (_RIGHT, _LEFT))
    feet[: max(0, int(min(pose[leg[2], 1] for leg in LEGS) - _ABOVE * _shin(pose)))] = False
    return feet


def _touching(mine: np.ndarray, others: np.ndarray) -> int:
    """How many pairs of pixels beside each other belong to both."""
    beside = [(mine[:, :-1], others[:, 1:]), (others[:, :-1], mine[:, 1:])]
    return sum(int(np.count_nonzero(a & b)) for a, b in beside)


def _cut(image: np.ndarray, feet: np.ndarray, bones: list[np.ndarray]) -> np.ndarray | None:
    """(h, w) bool: what is the right foot's; None where an ankle lies beside the feet.

    Args:
        image: (h, w, 3) uint8 RGB.
        feet: (h, w) bool, both.
        bones: knee and ankle (2, 2) in x and y, of the right and the left leg.
    """
    from scipy.sparse import csr_array  # these take long to import, and most never need them
    from scipy.sparse.csgraph import breadth_first_order, maximum_flow

    ys, xs = np.nonzero(feet)
    count = len(ys)
    node = np.full(feet.shape, -1, np.int32)
    node[ys, xs] = np.arange(count)
    starts, ends, costs = _edges(image, feet, node)
    # Both ends of the graph are feet for certain.
    points = np.stack([xs, ys]) + 0.5
    away = [to_segment(points, ankle + _BELOW * (ankle - knee), knee) for knee, ankle in bones]
    thick = max(0.75, 0.5 * _THICK * float(np.mean([np.hypot(*(knee - ankle)) for knee, ankle in bones])))
    sure = [to_segment(points, ankle, ankle + _SURE * (knee - ankle)) <= thick
            for knee, ankle in bones]  # fmt: skip
    sure[1] &= ~sure[0]
    if not (sure[0].any() and sure[1].any()):
        return None
    rather = _UNIT * _NEARER * (away[1] - away[0]) / (away[0] + away[1] + 1e-6)
    rather = np.where(sure[0], _NEVER, np.where(sure[1], -_NEVER, rather)).astype(np.int64)
    to_right, to_left = np.maximum(rather, 0), np.maximum(-rather, 0)
    every = np.arange(count)
    rows = np.concatenate([starts, ends, np.full(count, count), every])
    columns = np.concatenate([ends, starts, every, np.full(count, count + 1)])
    capacity = np.concatenate([costs, costs, to_right, to_left])
    some = capacity > 0
    shape = (count + 2, count + 2)
    graph = csr_array((capacity[some].astype(np.int32), (rows[some], columns[some])), shape)
    left = graph - maximum_flow(graph, count, count + 1).flow
    left.data[left.data < 0] = 0
    left.eliminate_zeros()
    reached = breadth_first_order(left, count, return_predecessors=False)
    out = np.zeros(feet.shape, bool)
    reached = reached[reached < count]
    out[ys[reached], xs[reached]] = True
    return out


def _edges(image: np.ndarray, feet: np.ndarray, node: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of pixels beside each other, eight for each, and what it costs to cut between them."""
    lab = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32), (0, 0), _SMOOTH)
    height, width = feet.shape
    starts, ends, apart, far = [], [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = slice(0, height - down), slice(max(0, -right), width - max(0, right))
        b = slice(down, height), slice(max(0, right), width - max(0, -right))
        both = feet[a] & feet[b]
        size = float(np.hypot(down, right))
        starts.append(node[a][both])
        ends.append(node[b][both])
        apart.append(np.square(lab[a] - lab[b]).sum(2)[both] / size**2)
        far.append(np.full(len(apart[-1]), size))
    difference = np.concatenate(apart)
    usual = float(np.median(difference)) + 1e-3
    costs = _UNIT * (_EDGE + np.exp(-difference / usual)) / np.concatenate(far)
    return np.concatenate(starts), np.concatenate(ends), np.maximum(costs, 1).astype(np.int64)
