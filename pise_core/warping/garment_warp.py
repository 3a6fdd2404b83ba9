"""A garment carried from one body to another in one piece: a smooth map for the trunk, one for each sleeve or leg.

Parts that move each by a map of their own (:mod:`pise_core.warping.warp`) suit a person who bends an elbow. Between two
bodies every map differs from its neighbour's everywhere, and a garment would become a jigsaw. Here each pixel asks the
maps of the bones near it, and between two bones a mean of both, with weights that change smoothly along the limb.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from pise_core.pose import visible
from pise_core.skeleton import ARMS, HIPS, KNEES, LEGS, MIRROR, NECK, SHOULDERS
from pise_core.warping.part_transforms import Affine, Move, part_moves

#: (N, 2) pixels of the wearer -> (N, 2) pixels of the lender.
Back = Callable[[np.ndarray], np.ndarray]
#: Along the near bone, in its lengths: where trunk and limb are mixed, and how far about a joint two bones are.
_SHOULDER, _HIP, _BEND = (-0.15, 0.3), (-0.1, 0.45), 0.3
#: Of the axis from hips to knees: where the torso's map goes over into the skirt's.
_WAIST = (-0.25, 0.2)
#: Bones that count for how large a person is, beside the torso.
_LENGTHS = (*((a, b) for a, b, _ in (*ARMS, *LEGS)), *((b, c) for _, b, c in (*ARMS, *LEGS)))
_STRIP = 128


@dataclass(frozen=True, eq=False)
class LimbMap:
    """Back along an arm or a leg: the trunk's map at its root, then one bone's after the other.

    Attributes:
        joints: (2 or 3, 2) of the wearer, from the root.
        trunk: the map of what the limb hangs on.
        bones: those of its bones.
        root: where, along the first bone and in its lengths, the trunk's map goes over into the bone's.
    """

    joints: np.ndarray
    trunk: Back
    bones: Sequence[Back]
    root: tuple[float, float]

    def __call__(self, points: np.ndarray) -> np.ndarray:
        along = _along(points, self.joints[0], self.joints[1])
        weight = _step(along, *self.root)[:, None]
        found = self.trunk(points) * (1 - weight) + self.bones[0](points) * weight
        if len(self.bones) > 1:
            # By which bone is nearer: that holds for a folded arm as well.
            a, b, c = self.joints
            length = max((np.hypot(*(b - a)) + np.hypot(*(c - b))) / 2, 1e-3)
            nearer = (to_segment(points, a, b) - to_segment(points, b, c)) / length
            weight = _step(nearer, -_BEND, _BEND)[:, None]
            found = found * (1 - weight) + self.bones[1](points) * weight
        return found

    def away(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See :func:`along_bones`; points of the wearer."""
        return along_bones(points, self.joints)


@dataclass(frozen=True, eq=False)
class GarmentWarp:
    """Maps back from a wearer's pixels to a lender's.

    Attributes:
        trunk: that of torso, hips and skirt.
        mirrored: as ``limbs``, but to the limb on the lender's other side, turned over.
        limbs: name of the limb (``left_arm`` and so on) -> its map; limbs that either body lacks are absent.
        size: how many times as large as the lender the wearer is, in their pixels.
    """

    trunk: Back
    limbs: dict[str, LimbMap]
    mirrored: dict[str, LimbMap]
    size: float

    @classmethod
    def between(cls, source: np.ndarray, target: np.ndarray) -> "GarmentWarp | None":
        """From a lender's pose (18, 3) to a wearer's; None where they have no torso in common."""
        size = relative_size(source, target)
        scaled = source.copy()
        scaled[:, :2] *= size
        moves = part_moves(scaled, target)
        if "torso" not in moves:
            return None
        there = visible(source) & visible(target)
        trunk = _trunk(moves, target, there, size)
        limbs: dict[str, LimbMap] = {}
        mirrored: dict[str, LimbMap] = {}
        for side, arm, leg in zip(("right", "left"), ARMS, LEGS, strict=True):
            for name, joints, bones, root in (
                (f"{side}_arm", arm, (f"{side}_upper_arm", f"{side}_forearm"), _SHOULDER),
                (f"{side}_leg", leg, (f"{side}_thigh", f"{side}_shin"), _HIP),
            ):
                if not there[list(joints[:2])].all():
                    continue
                count = 2 if there[joints[2]] else 1
                maps = [_inverse(moves[bone], size) for bone in bones[:count]]
                limbs[name] = LimbMap(target[list(joints[: count + 1]), :2].astype(np.float64), trunk, maps, root)
        for name, joints in zip(("right_arm", "left_arm", "right_leg", "left_leg"), (*ARMS, *LEGS), strict=True):
            other = [MIRROR[joint] for joint in joints]
            seen = visible(target)[list(joints)] & visible(source)[other]
            if seen[:2].all():
                count = 2 if seen[2] else 1
                ends = target[list(joints), :2].astype(np.float64), source[other, :2].astype(np.float64)
                maps = [_turned_over(ends[0][n : n + 2], ends[1][n : n + 2], size) for n in range(count)]
                mirrored[name] = LimbMap(ends[0][: count + 1], maps[0], maps, (-2.0, -1.0))
        return cls(trunk, limbs, mirrored, size)

    def wider(self, pose: np.ndarray, ratio: float) -> "GarmentWarp":
        """The same, with trunk and legs so many times as wide about the wearer's axis and bones; ``pose``: (18, 3)."""
        neck, hips = pose[NECK, :2].astype(np.float64), pose[list(HIPS), :2].mean(0).astype(np.float64)
        trunk = _across(self.trunk, neck, hips, ratio) if np.isfinite([neck, hips]).all() else self.trunk

        def legs(limbs: dict[str, LimbMap]) -> dict[str, LimbMap]:
            return {name: _leg(limb) if name.endswith("leg") else limb for name, limb in limbs.items()}

        def _leg(limb: LimbMap) -> LimbMap:
            bones = [_across(bone, a, b, ratio) for bone, (a, b) in zip(limb.bones, pairwise(limb.joints), strict=True)]
            return replace(limb, trunk=trunk if limb.trunk is self.trunk else bones[0], bones=bones)

        return GarmentWarp(trunk, legs(self.limbs), legs(self.mirrored), self.size)


def relative_size(source: np.ndarray, target: np.ndarray) -> float:
    """How many times as large the second person is: the median of the ratios of what both show."""
    there = visible(source) & visible(target)
    pairs = [(SHOULDERS[0], SHOULDERS[1])] if there[list(SHOULDERS)].all() else []
    pairs += [pair for pair in _LENGTHS if there[list(pair)].all()]
    ratios = [_length(target, *pair) / max(_length(source, *pair), 1e-3) for pair in pairs]
    if there[[NECK, *HIPS]].all():
        trunk = [np.hypot(*(pose[list(HIPS), :2].mean(0) - pose[NECK, :2])) for pose in (source, target)]
        ratios += [trunk[1] / max(trunk[0], 1e-3)] * 4
    return float(np.clip(np.median(ratios), 1e-2, 1e2)) if ratios else 1.0


def _trunk(moves: dict[str, Move], target: np.ndarray, there: np.ndarray, size: float) -> Back:
    torso = _inverse(moves["torso"], size)
    skirt = moves.get("skirt")
    if skirt is None or isinstance(skirt, Affine):
        return torso
    hips, knees = target[list(HIPS), :2].mean(0), target[list(KNEES), :2].mean(0)
    below = _inverse(skirt, size)

    def back(points: np.ndarray) -> np.ndarray:
        weight = _step(_along(points, hips, knees), *_WAIST)[:, None]
        return torso(points) * (1 - weight) + below(points) * weight

    return back


def _inverse(move: Move, size: float) -> Back:
    """Back through a move, to pixels of the lender as they are."""
    if isinstance(move, Affine):
        linear = np.linalg.pinv(move.matrix[:, :2])
        shift = move.matrix[:, 2]
        return lambda points: (points - shift) @ linear.T / size
    return lambda points: move.back(points) / size  # type: ignore[attr-defined]


def _across(back: Back, a: np.ndarray, b: np.ndarray, ratio: float) -> Back:
    """A map back for what is so many times as wide about the line through a and b."""
    way = (b - a) / max(float(np.hypot(*(b - a))), 1e-3)

    def wide(points: np.ndarray) -> np.ndarray:
        on_it = a + ((points - a) @ way)[:, None] * way
        return back(on_it + (points - on_it) / ratio)

    return wide


def _turned_over(bone: np.ndarray, other: np.ndarray, size: float) -> Back:
    """Back from a bone (2, 2) of the wearer to the lender's bone on the other side: along as long as it is, across
    mirrored."""
    (a, b), (c, d) = bone, other
    u, v = b - a, d - c
    wearer, lender = max(float(np.hypot(*u)), 1e-3), max(float(np.hypot(*v)), 1e-3)
    along = np.clip(wearer / (lender * size), 0.2, 4.0)
    across = np.clip(along, 0.85, 1.15)
    e1, e2 = u / wearer, v / lender
    n1, n2 = np.array([-e1[1], e1[0]]), -np.array([-e2[1], e2[0]])
    matrix = np.outer(e2, e1) / (along * size) + np.outer(n2, n1) / (across * size)
    return lambda points: (points - a) @ matrix.T + c


def places(back: Back, window: tuple[slice, slice]) -> tuple[np.ndarray, np.ndarray]:
    """Columns and rows (H, W) float32, as ``cv2.remap`` takes them, of what each pixel of a window shows."""
    height, width = (s.stop - s.start for s in window)
    columns, rows = np.empty((2, height, width), np.float32)
    for top in range(0, height, _STRIP):
        count = min(_STRIP, height - top)
        xs, ys = np.meshgrid(
            np.arange(window[1].start, window[1].stop) + 0.5, np.arange(count) + top + window[0].start + 0.5
        )
        found = back(np.stack([xs.ravel(), ys.ravel()], 1)) - 0.5  # OpenCV has pixel centres at whole numbers
        columns[top : top + count], rows[top : top + count] = found.T.reshape(2, count, width)
    return columns, rows


def along_bones(points: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far points (N, 2) are from the bones between joints (K, 2), in pixels, and where along them the nearest place
    is: 0 at the first joint, 1 at the second."""
    bones = list(pairwise(joints))
    away = np.array([to_segment(points, a, b) for a, b in bones])
    where = np.array([n + np.clip(_along(points, a, b), 0, 1) for n, (a, b) in enumerate(bones)])
    nearest = away.argmin(0), np.arange(len(points))
    return away[nearest], where[nearest]


def to_segment(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N,) distances of points (N, 2) from the segment a-b."""
    d = b - a
    t = np.clip(_along(points, a, b), 0, 1)
    return np.hypot(*(points - a - t[:, None] * d).T)


def _length(pose: np.ndarray, a: int, b: int) -> float:
    return float(np.hypot(*(pose[b, :2] - pose[a, :2])))


def _along(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where points lie along the way from a to b: 0 at a, 1 at b."""
    d = b - a
    return (points - a) @ d / max(float(d @ d), 1e-6)


def _step(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 up to ``low``, 1 from ``high`` on, smooth between."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
