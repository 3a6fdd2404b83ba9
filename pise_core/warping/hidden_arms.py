"""Arms that the photo hides: behind the back, a bag or a wide shirt. The other arm, mirrored, is shown for them.

The joints say where such an arm is, but next to nothing of it is seen, and the nearest bone takes cloth of the torso or
the dress for it.
"""

import numpy as np

from pise_core.masks import Nearest, window_of
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import BONES
from pise_core.warping.cloth_beside import of_cloth_beside
from pise_core.warping.part_transforms import Move, mirrored_limb, still
from pise_core.warping.parts import PARTS, among

#: A limb by its index in ``PARTS``, and its move.
StandIn = tuple[int, Move]

_PAIRS = tuple((PARTS.index(f"left_{bone}"), PARTS.index(f"right_{bone}")) for bone in ("upper_arm", "forearm"))
_TRUNK = (PARTS.index("torso"), PARTS.index("skirt"))
_CLOTH = (REGION["upper_clothes"], REGION["dress"])
#: Of an arm's pixels: so much is skin where it is bare, and so little where nothing of a bare arm is seen.
_BARE, _NO_SKIN = 0.6, 0.4
#: That is looked at from the near joint on up to so much of the bone.
_WITHOUT_HAND = 0.6
#: And so much where there is no sleeve at all.
_SLEEVELESS = 0.95
#: A limb is hidden that has so much of the other one's width on average, if neither bone is much shorter.
_THIN, _SHORTER = 0.4, 0.7
#: How far away the torso or the skirt is whose colours cloth has, in lengths of the longer bone.
_BESIDE = 0.3
#: Fewer pixels than this say nothing.
_LEAST = 30


def without_false_sleeves(owner: np.ndarray, image: np.ndarray, parsing: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The parts of which an arm that shows little skin has no cloth, where the other one is bare: nobody wears one
    sleeve. What does not look like the cloth beside it is an arm that the map takes for cloth: tattooed, or in shade.

    Args:
        owner: (H, W) int8.
        image: (H, W, 3) uint8 RGB.
        parsing: (H, W) uint8.
        pose: (18, 3) in the same pixels.
    """
    out, there = owner, visible(pose)
    for pair in _PAIRS:
        bones = [BONES[PARTS[index]] for index in pair]
        lengths = [float(np.hypot(*(pose[b, :2] - pose[a, :2]))) for a, b in bones]
        # One that points at the camera shows its hand, and its sleeve hardly.
        if not all(there[list(bone)].all() for bone in bones) or min(lengths) < _SHORTER * max(lengths):
            continue
        for index, other in (pair, pair[::-1]):
            mine = owner == index
            bare = _skin(parsing, owner == other, pose, other)
            if not mine.any() or bare < _BARE or (bare < _SLEEVELESS and _skin(parsing, mine, pose, index) > _NO_SKIN):
                continue
            trunk = among(owner, _TRUNK)
            cloth, reach = mine & np.isin(parsing, _CLOTH), _BESIDE * max(lengths)
            window = window_of(cloth, margin=round(reach) + 2)
            if window is None or not trunk.any():
                continue
            cloth[window] = of_cloth_beside(image[window], cloth[window], trunk[window], reach)
            ys, xs = np.nonzero(cloth)
            if len(ys):
                out = out.copy() if out is owner else out
                y, x = Nearest(trunk).at(ys, xs)
                out[ys, xs] = owner[y, x]
    return out


def _skin(parsing: np.ndarray, part: np.ndarray, pose: np.ndarray, index: int) -> float:
    """The share of a limb's upper part that is bare, hands left out; 0 where there is too little of it to say."""
    ys, xs = np.nonzero(part)
    along = _along(ys, xs, pose, index)
    here = (along > 0) & (along < _WITHOUT_HAND)
    count = int(np.count_nonzero(here))
    return np.count_nonzero(parsing[ys[here], xs[here]] == REGION["upper_skin"]) / count if count >= _LEAST else 0.0


def _along(ys, xs, pose: np.ndarray, index: int) -> np.ndarray:
    """Where pixels (N,) lie along a limb's bone: 0 at its near joint, 1 at the far one."""
    near, far = (pose[joint, :2] for joint in BONES[PARTS[index]])
    d = far - near
    return ((xs + 0.5 - near[0]) * d[0] + (ys + 0.5 - near[1]) * d[1]) / (d @ d + 1e-6)


def stand_ins(owner: np.ndarray, source: np.ndarray, target: np.ndarray, moves: dict[str, Move]) -> dict[int, StandIn]:
    """For hidden limbs that move away from the torso which limb is shown for them, and how that one moves.

    Args:
        owner: (H, W) int8.
        source, target: poses (18, 3) in pixels.
        moves: of ``part_moves`` between them.

    Returns:
        An index into ``PARTS`` -> that of the limb of the other side, and its move.
    """
    found: dict[int, StandIn] = {}
    there = visible(source) & visible(target)
    for pair in _PAIRS:
        if not all(there[list(BONES[PARTS[index]])].all() for index in pair):
            continue
        for index, other in (pair, pair[::-1]):
            part = PARTS[index]
            if _stays_with_torso(source, moves, part):
                continue
            lengths = [float(np.hypot(*np.subtract(*source[list(BONES[PARTS[i]]), :2]))) for i in (index, other)]
            if min(lengths) < _SHORTER * max(lengths):
                continue
            sizes = [_sizes(owner == i, source, i) for i in (index, other)]
            if any(
                theirs >= _LEAST and mine / lengths[0] < _THIN * theirs / lengths[1]
                for mine, theirs in zip(*sizes, strict=True)
            ):
                (a, b), (c, d) = BONES[PARTS[other]], BONES[part]
                found[index] = other, mirrored_limb(*source[[a, b], :2], *target[[c, d], :2])
    return found


def _sizes(part: np.ndarray, pose: np.ndarray, index: int) -> tuple[int, int]:
    """Pixels of a limb: all, for its hand may be in a pocket, and those beside its bone, for the hand may be all that
    is seen."""
    window = window_of(part, margin=0)
    if window is None:
        return 0, 0
    ys, xs = np.nonzero(part[window])
    along = _along(ys + window[0].start, xs + window[1].start, pose, index)
    return len(ys), int(np.count_nonzero((along > 0) & (along < 1)))


def _stays_with_torso(source: np.ndarray, moves: dict[str, Move], part: str) -> bool:
    """Whether a limb's bone stays, or moves as the torso does."""
    ends = source[list(BONES[part]), :2].astype(np.float64)
    low, high = np.floor(ends.min(0)), np.ceil(ends.max(0)) + 1
    if part not in moves or still(moves[part], (*low, *high)):
        return True
    torso = moves.get("torso")
    return torso is not None and bool(np.abs(moves[part].points(ends) - torso.points(ends)).max() < 0.05)
