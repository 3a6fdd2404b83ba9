"""Poses: rotations of the bones from directions of limbs and from places that hands reach for; and random ones.

Directions are in the frame of the torso (arms) or of the hips (legs): x to the person's left, y to the back, z up.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial import KDTree

from pise_core.synthesis.bodies import Body, Shape, body
from pise_core.synthesis.dataset import SEGMENTS

_SIGN = {"L": 1.0, "R": -1.0}


@dataclass(frozen=True)
class Arm:
    """An arm, by angles in degrees or by where the wrist goes.

    Attributes:
        raised: of the upper arm: 0 hangs, 90 level, 180 up.
        forward: which way it is raised: 0 to the side, 90 to the front, -90 to the back, above 90 across the body.
        bend: of the elbow, 0 straight.
        roll: which way the forearm bends: 0 to the front, positive inwards.
        reach: (point, offset): the wrist goes to this canonical point of the body, moved by this many metres in the
            frame of the torso; then the angles above count for nothing.
        pole: where the elbow points then, in the torso's frame, x outwards.
        turn: of the hand about the forearm, positive turns the palm inwards.
        wrist: bends the hand to the palm.
        curl: of the fingers, 0 to 1.
    """

    raised: float = 8
    forward: float = 10
    bend: float = 15
    roll: float = 0
    reach: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None
    pole: tuple[float, float, float] = (1, 0.3, -0.4)
    turn: float = 0
    wrist: float = 0
    curl: float = 0.25


@dataclass(frozen=True)
class Leg:
    """A leg in degrees: thigh to the front, thigh to the side, knee, turn of the toes outwards, heel off the ground."""

    forward: float = 0
    side: float = 3
    bend: float = 4
    toes: float = 8
    heel: float = 0


@dataclass(frozen=True)
class Pose:
    """A body's posture; angles in degrees.

    Attributes:
        name: of the kind of pose.
        turn: of the whole body about the vertical; 0 faces the camera, 90 looks to the picture's left.
        hips: pitch (forwards) and roll of the hips.
        spine: pitch, roll and twist between hips and chest.
        head: pitch (down), roll and yaw against the chest.
        seat: True where something is needed to sit on.
    """

    name: str
    right: Arm = field(default_factory=Arm)
    left: Arm = field(default_factory=Arm)
    right_leg: Leg = field(default_factory=Leg)
    left_leg: Leg = field(default_factory=Leg)
    turn: float = 0
    hips: tuple[float, float] = (0, 0)
    spine: tuple[float, float, float] = (0, 0, 0)
    head: tuple[float, float, float] = (0, 0, 0)
    seat: bool = False


def rotation(axis: tuple[float, float, float] | np.ndarray, degrees: float | np.floating | np.ndarray) -> np.ndarray:
    """(3, 3) about an axis, right-handed."""
    x, y, z = (float(v) for v in axis)
    length = (x * x + y * y + z * z) ** 0.5
    x, y, z = x / length, y / length, z / length
    t = float(np.deg2rad(degrees))
    s, c = math.sin(t), math.cos(t)
    d = 1 - c
    return np.array(
        [
            [c + x * x * d, x * y * d - z * s, x * z * d + y * s],
            [y * x * d + z * s, c + y * y * d, y * z * d - x * s],
            [z * x * d - y * s, z * y * d + x * s, c + z * z * d],
        ]
    )


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


def assemble(known: Body, shape: Shape, pose: Pose) -> np.ndarray:
    """(B, 3, 4): the bones' transforms, rest -> posed; the hips stay where they are at rest."""
    rotations: dict[str, np.ndarray] = {}
    turn = rotation((0, 0, 1), -pose.turn)
    rotations["root"] = rotation((1, 0, 0), pose.hips[0]) @ rotation((0, 1, 0), pose.hips[1])
    pitch, roll, twist = pose.spine
    for i in range(1, 6):
        rotations[f"spine0{i}"] = _euler(pitch / 5, roll / 5, twist / 5)
    for name, share in (("neck01", 0.2), ("neck02", 0.2), ("neck03", 0.2), ("head", 0.4)):
        rotations[name] = _euler(*(a * share for a in pose.head))
    for side, leg in (("R", pose.right_leg), ("L", pose.left_leg)):
        _legs(known, shape, rotations, turn, side, leg)
    for side, arm in (("R", pose.right), ("L", pose.left)):
        _arms(known, shape, rotations, turn, side, arm)
    return known.transforms(shape, rotations, turn)


def _euler(pitch: float, roll: float, yaw: float) -> np.ndarray:
    return rotation((0, 0, 1), yaw) @ rotation((0, 1, 0), roll) @ rotation((1, 0, 0), pitch)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / (math.sqrt(v @ v) + 1e-12)


def _frame(along: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    """Columns: the bone's direction, the axis of its hinge made square to it, and the third."""
    along = _unit(along)
    hinge = _unit(hinge - (hinge @ along) * along)
    return np.stack([along, hinge, _cross(along, hinge)], 1)


def _swing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The least rotation that takes direction a to direction b."""
    a, b = _unit(a), _unit(b)
    axis = _cross(a, b)
    if np.linalg.norm(axis) < 1e-9:
        return np.eye(3) if a @ b > 0 else rotation(_unit(_cross(a, np.array([0.3, 0.5, 0.8]))), 180)
    return rotation(axis, np.rad2deg(np.arctan2(np.linalg.norm(axis), a @ b)))


def _limb(rotations: dict[str, np.ndarray], above: np.ndarray, bones: tuple[str, str], rest: tuple, wanted: tuple):
    """Rotations of a limb's upper part; its twist is shared by the two bones along it.

    ``rest`` and ``wanted`` are (direction, hinge), the first at rest, the second in the world. Returns the part's own
    rotation, rest -> world.
    """
    whole = _frame(*wanted) @ _frame(*rest).T
    local = above.T @ whole
    swing = _swing(rest[0], local @ _unit(rest[0]))
    twist = swing.T @ local
    axis = np.array([twist[2, 1] - twist[1, 2], twist[0, 2] - twist[2, 0], twist[1, 0] - twist[0, 1]]) / 2
    angle = np.rad2deg(np.arctan2(axis @ _unit(rest[0]), (np.trace(twist) - 1) / 2))
    half = rotation(rest[0], angle / 2)
    rotations[bones[0]] = swing @ half
    rotations[bones[1]] = half
    return whole


def _legs(known: Body, shape: Shape, rotations: dict, turn: np.ndarray, side: str, leg: Leg) -> None:
    s = _SIGN[side]
    hip, knee, ankle = (shape.heads[known.bones[f"{b}.{side}"]] for b in ("upperleg01", "lowerleg01", "foot"))
    above = turn @ rotations["root"]
    # The thigh swings in the hips' frame, but where it is to go is said upright.
    out = rotation((0, 1, 0), -s * leg.side) @ rotation((1, 0, 0), -leg.forward)
    down = turn @ out @ np.array([0.0, 0, -1])
    hinge = turn @ rotation((0, 0, 1), s * leg.toes * 0.6) @ out @ np.array([1.0, 0, 0])
    x = np.array([1.0, 0, 0])
    thigh = _limb(
        rotations, above, (f"upperleg01.{side}", f"upperleg02.{side}"), (knee - hip, x), (down, hinge)
    )  # fmt: skip
    hinge = _frame(down, hinge)[:, 1]
    shin_way = rotation(hinge, leg.bend) @ down
    shin = _frame(shin_way, hinge) @ _frame(ankle - knee, x).T
    rotations[f"lowerleg01.{side}"] = thigh.T @ shin
    toes = np.rad2deg(np.arctan2(hinge[1], hinge[0]))  # they point where the knee does
    foot = rotation((0, 0, 1), toes) @ rotation((1, 0, 0), leg.heel)
    rotations[f"foot.{side}"] = shin.T @ foot


def _arms(known: Body, shape: Shape, rotations: dict, turn: np.ndarray, side: str, arm: Arm) -> None:
    s = _SIGN[side]
    shoulder, elbow, wrist = (shape.heads[known.bones[f"{b}.{side}"]] for b in ("upperarm01", "lowerarm01", "wrist"))
    rest_hinge = _cross(elbow - shoulder, wrist - elbow)
    transforms = known.transforms(shape, rotations, turn)
    chest = transforms[known.bones["spine01"], :, :3]
    lengths = float(np.linalg.norm(elbow - shoulder)), float(np.linalg.norm(wrist - elbow))
    if arm.reach is None:
        e, a = np.deg2rad(arm.raised), np.deg2rad(arm.forward)
        upper = np.array([s * np.sin(e) * np.cos(a), -np.sin(e) * np.sin(a), -np.cos(e)])
        ahead = np.array([0.0, -1, 0]) if abs(upper[1]) < 0.8 else np.array([0.0, 0, 1.0])
        ahead = _unit(ahead - (ahead @ upper) * upper)
        ahead = rotation(upper, s * arm.roll) @ ahead
        hinge = _cross(upper, ahead)
        fore = rotation(hinge, arm.bend) @ upper
        upper, fore, hinge = chest @ upper, chest @ fore, chest @ hinge
    else:
        upper, fore, hinge = _reach(known, shape, transforms, side, arm, chest, shoulder, lengths)
    # The collar bone goes along with an arm that is lifted.
    lift = np.rad2deg(np.arccos(np.clip(-(chest.T @ upper)[2], -1, 1)))
    collar = rotation((0, 1, 0), -s * 0.22 * max(lift - 60, 0))
    rotations[f"clavicle.{side}"] = collar
    above = chest @ collar
    if arm.reach is not None:  # the shoulder has moved: reach again
        moved = known.transforms(shape, rotations, turn)
        upper, fore, hinge = _reach(known, shape, moved, side, arm, chest, shoulder, lengths)
    whole = _limb(
        rotations, above, (f"upperarm01.{side}", f"upperarm02.{side}"), (elbow - shoulder, rest_hinge), (upper, hinge)
    )
    forearm = _frame(fore, hinge) @ _frame(wrist - elbow, rest_hinge).T
    along = wrist - elbow
    half = rotation(along, -s * arm.turn / 2)
    rotations[f"lowerarm01.{side}"] = whole.T @ forearm
    rotations[f"lowerarm02.{side}"] = half
    hand = shape.heads[known.bones[f"finger3-1.{side}"]] - wrist
    knuckles = shape.heads[known.bones[f"finger2-1.{side}"]] - shape.heads[known.bones[f"finger5-1.{side}"]]
    across = _unit(knuckles - (knuckles @ hand) * hand / (hand @ hand))
    rotations[f"wrist.{side}"] = half @ rotation(across, s * arm.wrist)
    for finger in range(2, 6):
        for phalanx, share in ((1, 0.8), (2, 1.0), (3, 0.7)):
            rotations[f"finger{finger}-{phalanx}.{side}"] = rotation(across, s * 85 * arm.curl * share)
    rotations[f"finger1-2.{side}"] = rotation(across, s * 30 * arm.curl)


def _reach(
    known: Body,
    shape: Shape,
    transforms: np.ndarray,
    side: str,
    arm: Arm,
    chest: np.ndarray,
    shoulder: np.ndarray,
    lengths: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions of upper arm and forearm, and the elbow's axis, for an arm that reaches for a place."""
    assert arm.reach is not None
    point, offset = arm.reach
    out = np.array([_SIGN[side], 1, 1])
    target = _on_body(known, shape, transforms, point) + chest @ (np.array(offset) * out)
    base = transforms[known.bones["clavicle." + side]]
    start = base[:, :3] @ shoulder + base[:, 3]
    pole = chest @ (np.array(arm.pole) * out)
    upper, fore = _two_bones(target - start, pole, *lengths)
    hinge = _cross(upper, fore)
    return upper, fore, hinge if np.linalg.norm(hinge) > 0.05 else _cross(upper, -pole)


def _two_bones(way: np.ndarray, pole: np.ndarray, a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit directions of two bones of lengths a and b that span ``way``, the joint between them towards ``pole``."""
    d = np.clip(np.linalg.norm(way), abs(a - b) * 1.05 + 0.02, (a + b) * 0.995)
    ahead = _unit(way)
    side = _unit(pole - (pole @ ahead) * ahead)
    x = (a * a - b * b + d * d) / (2 * d)
    joint = ahead * x + side * np.sqrt(max(a * a - x * x, 0))
    return _unit(joint), _unit(ahead * d - joint)


def _on_body(known: Body, shape: Shape, transforms: np.ndarray, point: tuple[float, float, float]) -> np.ndarray:
    """Where the vertex nearest to a canonical point is now."""
    row = int(((known.canonical.vertices - np.array(point, np.float32)) ** 2).sum(1).argmin())
    return known.skin(shape.vertices[row : row + 1], transforms, np.array([row]))[0].astype(float)


def collides(known: Body, vertices: np.ndarray, normals: np.ndarray, depth: float = 0.012, share: float = 0.04) -> bool:
    """True where limbs go through the body: more than a share of an arm's points lies deeper than ``depth`` in it."""
    groups = [  # (points of these, inside those)
        ({"right_forearm", "right_hand"}, {"head", "torso", "right_thigh", "left_thigh", "left_forearm", "left_hand"}),
        ({"left_forearm", "left_hand"}, {"head", "torso", "right_thigh", "left_thigh"}),
        ({"right_upper_arm", "left_upper_arm"}, {"head"}),
        ({"right_shin", "right_foot"}, {"left_thigh", "left_shin", "left_foot"}),
    ]
    sure = known.segment_shares.max(1) > 0.85
    for points, solids in groups:
        probe = np.isin(known.segment, [SEGMENTS.index(n) for n in points]) & sure
        solid = np.isin(known.segment, [SEGMENTS.index(n) for n in solids]) & sure
        probe_rows = np.nonzero(probe)[0][::6]
        tree = KDTree(vertices[solid][::2])
        distance, near = (np.asarray(a) for a in tree.query(vertices[probe_rows], distance_upper_bound=0.12))
        there = np.isfinite(distance)
        if not there.any():
            continue
        at = np.flatnonzero(solid)[::2][near[there]]
        inside = ((vertices[probe_rows[there]] - vertices[at]) * normals[at]).sum(1) < -depth
        if inside.sum() > share * len(probe_rows):
            return True
    return False


# ---- random poses ----

_HIP, _CHEST, _BELLY = (0.17, -0.02, 0.24), (0.0, -0.16, 0.52), (0.0, -0.13, 0.30)
_HEAD_TOP, _CHIN, _EAR, _BACK_HEAD = (0, -0.03, 1.02), (0, -0.16, 0.83), (0.075, -0.03, 0.90), (0, 0.05, 0.95)


def _mirrored(point: tuple[float, float, float], side: str) -> tuple[float, float, float]:
    return (point[0] * _SIGN[side], point[1], point[2])


def random_arm(rng: np.random.Generator, side: str, kind: str) -> Arm:
    """An arm of a kind: hang, swing, hip, up, head, ear, chin, level, point, bent, back, pocket, carry, lap."""
    n, u = (lambda sd: float(rng.normal(0, sd))), (lambda a, b: float(rng.uniform(a, b)))

    def reach(point, offset, **more):
        moved = tuple(o + n(0.012) for o in offset)
        return Arm(reach=(_mirrored(point, side), moved), turn=n(12), curl=u(0.1, 0.5), **more)

    match kind:
        case "hang":
            return Arm(u(4, 16), u(-20, 50), u(4, 32), n(15), turn=u(-20, 50), curl=u(0.1, 0.45), wrist=n(8))
        case "swing":
            return Arm(u(12, 38), u(60, 100) * rng.choice([-1, 1]), u(10, 60), n(10), turn=u(0, 50), curl=u(0.2, 0.6))
        case "hip":
            return reach(_HIP, (0.075, -0.02, 0.03), pole=(1, u(0.0, 0.8), -0.1), wrist=u(0, 30))
        case "up":
            return Arm(u(120, 175), u(0, 70), u(0, 60), u(-40, 60), turn=n(30), curl=u(0, 0.5))
        case "head":
            return reach(_HEAD_TOP, (u(0.06, 0.12), u(-0.06, 0.06), u(0.03, 0.08)), pole=(1, u(-0.5, 0.3), u(0, 0.6)))
        case "nape":
            return reach(_BACK_HEAD, (u(0.05, 0.09), 0.07, u(-0.03, 0.05)), pole=(1, u(-0.3, 0.2), u(0, 0.6)))
        case "ear":
            return reach(_EAR, (0.075, -0.01, -0.09), pole=(0.8, -0.3, -0.6), wrist=u(-10, 10))
        case "chin":
            return reach(_CHIN, (0.05, -0.05, -0.16), pole=(0.5, -0.3, -0.9), wrist=u(0, 15))
        case "level":
            return Arm(u(75, 105), u(-10, 90), u(0, 40), u(-40, 60), turn=n(40), curl=u(0, 0.5))
        case "bent":
            return Arm(u(5, 30), u(0, 70), u(70, 120), u(-25, 50), turn=u(-40, 40), curl=u(0.1, 0.7))
        case "back":
            return reach((0, 0.10, 0.24), (u(0.02, 0.10), 0.08, u(-0.04, 0.1)), pole=(1, 0.6, 0))
        case "pocket":
            return reach((0.19, -0.03, 0.14), (0.05, -0.03, 0.02), pole=(0.8, 0.8, 0.1), wrist=5)
        case "carry":
            return Arm(u(3, 12), u(-10, 50), u(5, 20), n(8), turn=u(10, 40), curl=0.95)
        case "belly":
            return reach(_BELLY, (u(-0.03, 0.08), -0.07, u(-0.05, 0.08)), pole=(1, 0.2, -0.5), wrist=u(0, 15))
        case "chest":
            return reach(_CHEST, (u(0.0, 0.1), -0.08, u(-0.05, 0.06)), pole=(0.8, 0.0, -0.8), wrist=u(0, 15))
        case "lap":
            return Arm(u(15, 35), u(55, 85), u(45, 80), u(0, 35), turn=u(20, 60), curl=u(0.1, 0.5))
        case "out":
            return Arm(u(25, 75), u(-25, 50), u(0, 50), u(-30, 40), turn=n(30), curl=u(0, 0.5))
    raise ValueError(kind)


_ARMS = (
    ("hang", 0.30), ("swing", 0.07), ("hip", 0.09), ("up", 0.10), ("head", 0.05), ("nape", 0.03), ("ear", 0.04),
    ("chin", 0.04), ("level", 0.06), ("bent", 0.09), ("back", 0.03), ("pocket", 0.07), ("belly", 0.04),
    ("chest", 0.03), ("out", 0.09),
)  # fmt: skip
_LEGS = (
    ("stand", 0.33),
    ("rest", 0.2),
    ("walk", 0.22),
    ("apart", 0.08),
    ("crossed", 0.05),
    ("step", 0.04),
    ("sit", 0.12),
)


def random_pose(rng: np.random.Generator, turn: float | None = None) -> Pose:
    """A posture as people have them; half of them face the camera, the others look anywhere."""
    n, u = (lambda sd: float(rng.normal(0, sd))), (lambda a, b: float(rng.uniform(a, b)))
    legs = _choice(rng, _LEGS)
    both = rng.random()
    if both < 0.08:
        arms = "crossed"
        right, left = _crossed(rng)
    elif both < 0.16:
        arms = "both up"
        kind = rng.choice(["up", "up", "head", "nape"])
        right, left = (random_arm(rng, s, kind) for s in "RL")
    elif both < 0.21:
        arms = "both hips"
        right, left = (random_arm(rng, s, "hip") for s in "RL")
    else:
        kinds = _choice(rng, _ARMS), _choice(rng, _ARMS)
        if legs == "sit":
            kinds = tuple("lap" if k in ("hang", "swing", "pocket", "back", "hip") else k for k in kinds)
        right, left = (random_arm(rng, s, k) for s, k in zip("RL", kinds, strict=True))
        arms = " ".join(kinds)
    right_leg, left_leg, hips, spine = _random_legs(rng, legs)
    if turn is None:
        turn = n(25) if rng.random() < 0.5 else u(-180, 180)
    head = (n(8), n(6), float(np.clip(n(22), -60, 60)))
    spine = (spine[0] + n(4), spine[1] + n(4), spine[2] + n(4))
    return Pose(f"{legs}, {arms}", right, left, right_leg, left_leg, turn, hips, spine, head, legs == "sit")


def _choice(rng: np.random.Generator, table: tuple[tuple[str, float], ...]) -> str:
    shares = np.array([share for _, share in table])
    return table[int(rng.choice(len(table), p=shares / shares.sum()))][0]


def _crossed(rng: np.random.Generator) -> tuple[Arm, Arm]:
    """Folded arms: each wrist near the other elbow, one forearm before the other."""
    low, deep = float(rng.uniform(-0.02, 0.03)), float(rng.uniform(0, 0.02))
    first = Arm(reach=((0, -0.15, 0.44), (-0.10, -0.085 - deep, low)), pole=(1, 0.0, -0.5), turn=20, curl=0.3)
    second = Arm(reach=((0, -0.15, 0.44), (-0.06, -0.155 - deep, low + 0.03)), pole=(1, -0.1, -0.5), turn=-10, curl=0.4)
    return (first, second) if rng.random() < 0.5 else (second, first)


def _random_legs(
    rng: np.random.Generator, kind: str
) -> tuple[Leg, Leg, tuple[float, float], tuple[float, float, float]]:
    n, u = (lambda sd: float(rng.normal(0, sd))), (lambda a, b: float(rng.uniform(a, b)))
    toes = u(2, 18)
    right, left = Leg(n(2), u(1, 6), u(1, 8), toes), Leg(n(2), u(1, 6), u(1, 8), toes)
    hips, spine = (n(3), n(2)), (n(3), n(2), n(6))
    swap = rng.random() < 0.5
    match kind:
        case "rest":  # the weight on one leg
            right = Leg(u(5, 18), u(4, 12), u(15, 38), toes + 10, u(0, 15))
            hips, spine = (n(3), u(2, 7)), (n(3), -u(2, 7), n(6))
        case "walk":
            stride = u(12, 32)
            right = Leg(stride, u(0, 4), u(2, 18), 5, -u(0, 18))
            left = Leg(-stride * u(0.6, 1), u(0, 4), u(5, 45), 5, u(15, 40))
            spine = (u(0, 6), n(2), n(8))
        case "apart":
            right, left = Leg(n(3), u(9, 20), u(0, 8), 15), Leg(n(3), u(9, 20), u(0, 8), 15)
        case "crossed":
            right, left = Leg(u(5, 10), -u(5, 9), u(3, 10), toes), Leg(-u(2, 6), u(0, 2), u(0, 4), toes)
        case "step":
            lift = u(35, 85)
            right = Leg(lift, u(0, 10), lift * u(0.8, 1.25), toes, u(0, 20))
        case "sit":
            lift = u(72, 96)
            right = Leg(lift + n(3), u(2, 14), lift + n(8), toes, u(0, 8))
            left = Leg(lift + n(3), u(2, 14), lift + n(12), toes, u(0, 8))
            hips, spine = (u(-12, 4), 0), (u(-2, 14), n(2), n(6))
    if swap:
        right, left, hips, spine = left, right, (hips[0], -hips[1]), (spine[0], -spine[1], spine[2])
    return right, left, hips, spine


def difference(one: np.ndarray, other: np.ndarray) -> int:
    """How many limbs (upper and lower arms and legs) point at least 30 degrees another way: see ``ways``."""
    return int((np.rad2deg(np.arccos(np.clip((one * other).sum(1), -1, 1))) >= 30).sum())


def ways(shape: Shape, transforms: np.ndarray) -> np.ndarray:
    """(8, 3) unit directions of upper and lower arms and legs, in the frame of the hips."""
    known = body()
    back = transforms[known.bones["root"], :, :3].T
    out = []
    for side in "RL":
        for chain in (("upperarm01", "lowerarm01", "wrist"), ("upperleg01", "lowerleg01", "foot")):
            rows = [known.bones[f"{bone}.{side}"] for bone in chain]
            points = [transforms[row, :, :3] @ shape.heads[row] + transforms[row, :, 3] for row in rows]
            out += [back @ _unit(points[1] - points[0]), back @ _unit(points[2] - points[1])]
    return np.stack(out)
