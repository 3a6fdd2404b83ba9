"""How the parts of a person follow the joints: from one pose to another, one move per part.

A limb moves by a similarity from its bone to the same bone of the wanted pose, a leg slanted so that its foot stays on
the ground; the head about the middle of the ears,
since the nose wanders when a head turns; the torso by an affine fit of shoulders and hips; what hangs about the legs
as :mod:`pise_core.warping.skirt` says; what hangs from a hand goes where the hand goes, and leans as the torso does.
``app/web/preview/part_transforms.js`` says the same to a browser.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from pise_core.label_warps import warp_labels
from pise_core.pose import visible
from pise_core.skeleton import ANKLES, BONES, EARS, EYES, FOLLOWS, HIPS, KNEES, NECK, NOSE, SHOULDERS, TORSO
from pise_core.warping.skirt import SkirtMove

#: A body is about two thirds as deep as it is wide: a torso seen from the side is no narrower than this.
_SIDEWAYS = 0.65
#: How far beyond the wrist a hand holds what hangs from it, in lengths of the forearm.
_GRIP = 0.25
#: A foot stays on the ground while its leg leans by no more than this; legs that are less upright than the first (share
#: of their length that is height) have no foot on it, those that are more than the second have.
_LEVEL, _STANDS = np.radians(25), (0.7, 0.9)


class Move(Protocol):
    """Where a part goes. Coordinates are (x, y) in pixels, pixel centres at +0.5."""

    def points(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) before the move -> (N, 2) after it."""
        ...

    def into(
        self, x: int, y: int, size: tuple[int, int], origin: tuple[int, int] = (0, 0)
    ) -> Callable[..., np.ndarray]:
        """What makes of an image (H, W) or (H, W, C) the moved one, as far as that lies in the rectangle of ``size``
        (W, H) whose top left corner is (x, y), of the same dtype. The image's own top left corner is at ``origin``.

        It is called with the image, and may be with ``labels``, for maps of indices, which are never mixed, and with
        ``border``, what OpenCV takes to lie beyond an image (zeros, if not given).
        """
        ...


@dataclass(frozen=True, eq=False)
class Affine:
    """A move of which ``matrix`` (2, 3) is all."""

    matrix: np.ndarray

    def points(self, points: np.ndarray) -> np.ndarray:
        """See :class:`Move`."""
        return points @ self.matrix[:, :2].T + self.matrix[:, 2]

    def into(
        self, x: int, y: int, size: tuple[int, int], origin: tuple[int, int] = (0, 0)
    ) -> Callable[..., np.ndarray]:
        """See :class:`Move`."""
        linear = self.matrix[:, :2]
        placed = np.c_[linear, self.matrix[:, 2] + linear @ origin - [x, y]]
        # OpenCV puts pixel centres at whole numbers.
        matrix = placed + np.c_[np.zeros((2, 2)), linear @ [0.5, 0.5] - 0.5]

        def moved(image: np.ndarray, labels: bool = False, border: int = cv2.BORDER_CONSTANT) -> np.ndarray:
            if labels:
                return warp_labels(image, placed, size)
            return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=border)

        return moved


def part_moves(source: np.ndarray, target: np.ndarray) -> dict[str, Move]:
    """How each part moves from one pose (18, 3) to another, by its name of ``parts.PARTS``.

    A part whose joints are missing on either side is absent from the answer, but follows its neighbour where it has
    one: a forearm without a wrist its upper arm, a head without a nose the torso.
    """
    there = visible(source) & visible(target)
    moves: dict[str, Move] = {}
    torso = [joint for joint in TORSO if there[joint]]
    if len(torso) >= 3:
        moves["torso"] = Affine(_affine(source[torso, :2], target[torso, :2]))
    elif len(torso) == 2:
        moves["torso"] = Affine(_similarity(*source[torso, :2], *target[torso, :2]))
    whole = bool(there[list(TORSO)].all())
    size, leaning = _torso_size(source, target) if whole else (1.0, 0.0)
    for part, (a, b) in BONES.items():
        if not (there[a] and there[b]):
            continue
        if part == "head":
            moves[part] = Affine(_head(source, target, there))
            continue
        matrix = _similarity(source[a, :2], source[b, :2], target[a, :2], target[b, :2])
        if part.endswith(("_thigh", "_shin")):
            matrix = _standing(matrix, source[[a, b], :2], target[[a, b], :2], leaning)
        moves[part] = Affine(matrix)
    if there[[*HIPS, *KNEES]].all():
        moves["skirt"] = SkirtMove.between(source, target)
    for part in ("left_upper_arm", "right_upper_arm", "left_thigh", "right_thigh", *FOLLOWS, "skirt", "head"):
        parent = FOLLOWS.get(part, "torso")
        if part not in moves and parent in moves:
            moves[part] = moves[parent]
    for side in ("left", "right"):
        arm = moves.get(f"{side}_forearm", moves.get("torso"))
        if arm is not None:
            bone = BONES[f"{side}_forearm"]
            hangs = whole and there[list(bone)].all()
            moves[f"{side}_held"] = _hanging(source, size, leaning, arm, bone) if hangs else arm
    return moves


def shadow_move(source: np.ndarray, target: np.ndarray, side: str) -> Affine | None:
    """Where the shadow beside a foot goes: across with the foot, and down with the one that went lower, for a foot that
    is lifted leaves its shadow on the ground; as large as the torso is. None where the ankle is missing in a pose."""
    there = visible(source) & visible(target)
    ankles = [joint for joint in ANKLES if there[joint]]
    own = BONES[f"{side}_shin"][1]
    if own not in ankles:
        return None
    size = _torso_size(source, target)[0] if there[list(TORSO)].all() else 1.0
    x = float(target[own, 0]) - size * float(source[own, 0])
    y = max(float(target[joint, 1]) - size * float(source[joint, 1]) for joint in ankles)
    return Affine(np.array([[size, 0, x], [0, size, y]]))


def bounds(move: Move, box: tuple[int, int, int, int]) -> np.ndarray:
    """Corners (x, y) of the smallest rectangle about all of a moved ``box`` x0, y0, x1, y1: (2, 2)."""
    points = move.points(_probes(move, box))
    return np.array([points.min(0), points.max(0)])


def still(move: Move, box: tuple[int, int, int, int] | None) -> bool:
    """True when the move shifts nothing in ``box`` by more than a twentieth of a pixel; None for a box of nothing."""
    if box is None:
        return True
    points = _probes(move, box)
    return bool(np.abs(move.points(points) - points).max() < 0.05)


def _probes(move: Move, box: tuple[int, int, int, int]) -> np.ndarray:
    """(N, 2), points of a box, some of which a move takes as far as any: corners, or, since a skirt bends at some level
    between these, a grid."""
    x0, y0, x1, y1 = box
    if isinstance(move, Affine):
        return np.array([[x0, y0], [x1, y0], [x0, y1], [x1, y1]], np.float64)
    xs, ys = np.meshgrid(np.linspace(x0, x1, 9), np.linspace(y0, y1, 65))
    return np.stack([xs.ravel(), ys.ravel()], 1)


def mirrored_limb(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> Affine:
    """A limb with the bone from ``a`` to ``b``, (2,) each, onto that from ``c`` to ``d``, as in a mirror: a right arm
    becomes a left one."""
    return Affine(_similarity(a, b, c, d, mirror=True))


def _similarity(a, b, c, d, mirror: bool = False) -> np.ndarray:
    """Bone a-b onto bone c-d: turned and moved; along the bone scaled by its length, across it left nearly as wide as
    it was (foreshortening makes a limb shorter, not thinner)."""
    u, v = b - a, d - c
    source, target = np.hypot(*u) + 1e-6, np.hypot(*v) + 1e-6
    along = np.clip(target / source, 0.2, 4.0)
    across = np.clip(along, 0.85, 1.15)
    e1, e2 = u / source, v / target
    n1, n2 = np.array([-e1[1], e1[0]]), np.array([-e2[1], e2[0]])
    m = np.outer(e2, e1) * along + np.outer(n2, n1) * (-across if mirror else across)
    return np.c_[m, c - m @ a].astype(np.float64)


def _standing(matrix: np.ndarray, source: np.ndarray, target: np.ndarray, leaning: float) -> np.ndarray:
    """The similarity of a thigh or a shin from one bone (2, 2) to another, slanted so that a foot stands on the ground
    and the hips stay as they are: whoever puts a leg to the side tips neither.

    ``leaning``: by which angle the torso turns; with whoever is turned as a whole the ground is.
    """
    u, v = (source[1] - source[0]).astype(np.float64), (target[1] - target[0]).astype(np.float64)
    turned = _half_turn(np.arctan2(v[1], v[0]) - np.arctan2(u[1], u[0]))
    leaning = np.clip(_half_turn(leaning), min(turned, 0), max(turned, 0))
    upright = abs(u[1]) / (float(np.hypot(*u)) + 1e-6)
    level = _LEVEL * np.clip((upright - _STANDS[0]) / (_STANDS[1] - _STANDS[0]), 0, 1)
    back = -np.clip(turned - leaning, -level, level)
    if not back:
        return matrix
    # The bone goes where it did, and what is level is turned back.
    slope = u[0] / u[1]
    slant = [[np.cos(back), slope * (1 - np.cos(back))], [np.sin(back), 1 - slope * np.sin(back)]]
    m = matrix[:, :2] @ slant
    return np.c_[m, target[0] - m @ source[0]].astype(np.float64)


def _half_turn(angle: float) -> float:
    """The same angle between half a turn to the left and half a turn to the right."""
    return float((angle + np.pi) % (2 * np.pi) - np.pi)


def _hanging(source: np.ndarray, size: float, angle: float, arm: Move, bone: tuple[int, int]) -> Affine:
    """What hangs from a hand: as large, and as upright, as the torso is (:func:`_torso_size`); where the hand is that
    ``arm`` moves."""
    elbow, wrist = (source[joint, :2].astype(np.float64) for joint in bone)
    hand = wrist + _GRIP * (wrist - elbow)
    c, s = size * np.cos(angle), size * np.sin(angle)
    m = np.array([[c, -s], [s, c]])
    return Affine(np.c_[m, arm.points(hand[None])[0] - m @ hand])


def _torso_size(source: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """How many times as long the torso is, and by which angle it leans."""
    u, v = (pose[list(HIPS), :2].mean(0) - pose[list(SHOULDERS), :2].mean(0) for pose in (source, target))
    u, v = u.astype(np.float64), v.astype(np.float64)
    size = np.clip(np.hypot(*v) / (np.hypot(*u) + 1e-6), 0.2, 4.0)
    return float(size), float(np.arctan2(v[1], v[0]) - np.arctan2(u[1], u[0]))


def _head(source: np.ndarray, target: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The head turned with the line from the neck to its middle: between the ears, or the eyes, or else the nose.

    A head that turns to the side moves its nose by half its width and its middle hardly at all.
    """
    a, b = next((pair for pair in (EARS, EYES) if there[list(pair)].all()), (NOSE, NOSE))
    middle, wanted = (source[a, :2] + source[b, :2]) / 2, (target[a, :2] + target[b, :2]) / 2
    u, v = (middle - source[NECK, :2]).astype(np.float64), (wanted - target[NECK, :2]).astype(np.float64)
    size = np.clip(np.hypot(*v) / (np.hypot(*u) + 1e-6), 0.85, 1.15)
    angle = np.arctan2(v[1], v[0]) - np.arctan2(u[1], u[0])
    c, s = size * np.cos(angle), size * np.sin(angle)
    m = np.array([[c, -s], [s, c]])
    return np.c_[m, wanted - m @ middle]


def _affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Least-squares affine map, pulled a little towards a plain shift: four joints in a line must not explode it, nor
    those of somebody who turned to the side make them as thin as paper."""
    centre_s, centre_t = source.mean(0), target.mean(0)
    x, y = (source - centre_s).astype(np.float64), (target - centre_t).astype(np.float64)
    ridge = (0.02 * (x**2).sum() + 1e-6) * np.eye(2)
    m = np.linalg.solve(x.T @ x + ridge, x.T @ y + ridge).T
    u, sizes, v = np.linalg.svd(m)
    least = _SIDEWAYS * min(1.0, sizes[0])  # of a torso that is wanted smaller altogether: that much of its size
    if sizes[1] < least:
        m = u @ np.diag(np.maximum(sizes, least)) @ v
    return np.c_[m, centre_t - m @ centre_s]
