"""What is carried (bags, a bottle, a cup, a telephone, a book) and worn besides clothes (glasses, scarf, beard)."""

from dataclasses import dataclass, replace

import numpy as np

from pise_core.regions import REGION
from pise_core.synthesis.bodies import body
from pise_core.synthesis.dataset import KINDS, SEGMENTS
from pise_core.synthesis.figures import Figure, Paint, Piece, shell
from pise_core.synthesis.hair import _grid, push_out
from pise_core.synthesis.patterns import Cloth, linear, random_cloth, waves
from pise_core.synthesis.poses import Arm, Pose, rotation

_HEAD, _TORSO = SEGMENTS.index("head"), SEGMENTS.index("torso")
IN_HAND = ("handbag", "shopping bag", "bottle", "cup", "telephone", "book", "suitcase")
ON_BODY = ("shoulder bag", "backpack")


@dataclass(frozen=True)
class Things:
    """What a person has with them.

    Attributes:
        held: one of ``IN_HAND`` or ``ON_BODY``, or "".
        side: "R" or "L".
        size: against the usual one.
        cloth: the thing's surface.
        glasses: "", "clear" or "dark"; ``frame`` is their colour, linear.
        scarf: its cloth, or None.
        beard: thickness in metres of a full beard, 0 for none.
    """

    held: str
    side: str
    size: float
    cloth: Cloth
    glasses: str
    frame: np.ndarray
    scarf: Cloth | None
    beard: float


def random_things(rng: np.random.Generator, woman: float, age: float) -> Things:
    held = ""
    if rng.random() < 0.34:
        held = str(rng.choice(IN_HAND + ON_BODY, p=[0.2, 0.1, 0.1, 0.1, 0.12, 0.06, 0.04, 0.18, 0.1]))
    glasses = str(rng.choice(["clear", "dark"], p=[0.6, 0.4])) if rng.random() < 0.2 else ""
    frame = linear(np.clip(rng.choice([0.05, 0.1, 0.3, 0.6]) + rng.normal(0, 0.08, 3), 0.02, 0.9))
    scarf = random_cloth(rng, ("plaid", "stripes", "checks", "dots", "knit"), 0.5) if rng.random() < 0.09 else None
    beard = float(rng.uniform(0.004, 0.022)) if woman < 0.4 and age > 0.6 and rng.random() < 0.22 else 0.0
    cloth = random_cloth(rng, ("blocks", "checks", "stripes", "melange"), 0.25)
    return Things(held, str(rng.choice(["R", "L"])), float(rng.uniform(0.75, 1.3)), replace(cloth, shine=0.2), glasses,
                  frame, scarf, beard)  # fmt: skip


def holding(pose: Pose, things: Things, rng: np.random.Generator) -> Pose:
    """The pose with the arm that carries something as it has to be."""
    u = lambda a, b: float(rng.uniform(a, b))  # noqa: E731
    if things.held in ("handbag", "shopping bag", "suitcase"):
        arm = Arm(u(5, 14), u(-10, 40), u(4, 18), 0, turn=u(10, 35), curl=0.95)
        if things.held == "handbag" and rng.random() < 0.3:  # on the forearm
            arm = Arm(u(6, 16), u(20, 50), u(85, 105), u(5, 25), turn=0, curl=0.6)
    elif things.held in ("bottle", "cup", "telephone", "book"):
        arm = Arm(u(6, 25), u(20, 60), u(70, 115), u(0, 30), turn=u(-10, 20), curl=0.62)
        if rng.random() < 0.3:
            arm = Arm(u(4, 12), u(0, 30), u(8, 30), 0, turn=u(0, 30), curl=0.75)
    else:
        return pose
    return replace(pose, right=arm) if things.side == "R" else replace(pose, left=arm)


def add_things(figure: Figure, things: Things, scale: float) -> None:
    """Add them to a dressed figure."""
    if things.beard:
        _add_beard(figure, things.beard)
    if things.scarf is not None:
        _add_scarf(figure, things.scarf)
    if things.glasses:
        _add_glasses(figure, things)
    if things.held in IN_HAND:
        _add_in_hand(figure, things, scale)
    elif things.held:
        _add_bag(figure, things, scale)


def _held(vertices: np.ndarray, faces: np.ndarray, canonical: np.ndarray, paint: Paint, segment: int) -> Piece:
    n = len(vertices)
    zeros = np.zeros(n, np.float32)
    return Piece("held", vertices.astype(np.float32), faces, canonical.astype(np.float32), zeros + 1,
                 np.full(n, segment, np.uint8), zeros, zeros, paint, 0.0, 0.25)  # fmt: skip


def _rounded_box(size: tuple[float, float, float], sharp: float = 5.0) -> tuple[np.ndarray, np.ndarray]:
    """A box with round edges about the origin: vertices (N, 3) and faces."""
    rows, columns = 18, 36
    t = np.linspace(1e-3, np.pi - 1e-3, rows)[:, None]
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    unit = np.stack([np.sin(t) * np.cos(a), np.sin(t) * np.sin(a), np.cos(t) + 0 * a], -1).reshape(-1, 3)
    length = (np.abs(unit) ** sharp).sum(1, keepdims=True) ** (1 / sharp)
    return unit / length * np.array(size) / 2, _grid(rows, columns, True)


def _tube(points: np.ndarray, radius: float, columns: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """A tube along a polyline (N, 3)."""
    tangent = np.gradient(points, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-9
    side = np.cross(tangent, np.array([0.31, 0.17, 0.93]))
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    other = np.cross(tangent, side)
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    rings = points[:, None] + radius * (
        np.cos(a)[None, :, None] * side[:, None] + np.sin(a)[None, :, None] * other[:, None]
    )
    return rings.reshape(-1, 3), _grid(len(points), columns, True)


def _hand(figure: Figure, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A posed hand: middle of the grip, and unit directions along the fingers, across them, and out of the palm."""
    known = body()
    at = {
        name: figure.shape.heads[known.bones[f"{name}.{side}"]]
        for name in ("wrist", "finger2-1", "finger3-1", "finger5-1")
    }
    along = at["finger3-1"] - at["wrist"]
    along /= np.linalg.norm(along)
    across = at["finger2-1"] - at["finger5-1"]
    across -= (across @ along) * along
    across /= np.linalg.norm(across)
    palm = rotation(across, 90 if side == "L" else -90) @ along
    grip = at["finger3-1"] * 0.75 + at["wrist"] * 0.25 + palm * 0.030 + along * 0.012
    t = figure.transforms[known.bones[f"wrist.{side}"]]
    return t[:, :3] @ grip + t[:, 3], t[:, :3] @ along, t[:, :3] @ across, t[:, :3] @ palm


def _paint(things: Things, plain: bool = False) -> Paint:
    held = KINDS.index("held")

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        if plain:
            colour = np.broadcast_to(things.cloth.colours[0].astype(np.float32) * 0.7, points.shape)
        else:
            colour = things.cloth.paint(points, arm, leg)
        return colour, REGION["background"], held

    return paint


def _add_in_hand(figure: Figure, things: Things, scale: float) -> None:
    grip, along, across, palm = _hand(figure, things.side)
    s = things.size * max(scale, 0.75)
    segment = SEGMENTS.index("right_hand" if things.side == "R" else "left_hand")
    ahead = figure.transforms[body().bones["root"], :, :3] @ np.array([0.0, -1, 0])
    ahead[2] = 0
    ahead /= np.linalg.norm(ahead)
    out = np.cross([0.0, 0, 1], ahead) * (1 if things.side == "R" else -1)  # away from the body
    out = -out
    upright = np.array([0.0, 0, 1])
    pieces: list[tuple[np.ndarray, np.ndarray, bool]] = []
    if things.held in ("handbag", "shopping bag", "suitcase"):
        size, drop = {
            "handbag": ((0.30, 0.11, 0.21), 0.10), "shopping bag": ((0.32, 0.14, 0.36), 0.13),
            "suitcase": ((0.42, 0.13, 0.32), 0.03),
        }[things.held]  # fmt: skip
        size = (size[0] * s, size[1] * s, size[2] * s)
        middle = grip - upright * (drop * s + size[2] / 2) + out * (0.03 + size[1] / 2 - 0.02)
        frame = np.stack([ahead, out, upright], 1)
        box, faces = _rounded_box(size, 7 if things.held == "suitcase" else 5)
        if things.held != "suitcase":  # narrower above
            box[:, 1] *= 1 - 0.45 * (box[:, 2] / size[2] + 0.5)
        pieces.append((box @ frame.T + middle, faces, False))
        t = np.linspace(0, np.pi, 14)
        for shift in (-0.018, 0.018) if things.held != "suitcase" else (0.0,):
            strap = middle + ahead * (np.cos(t) * size[0] * 0.26)[:, None] + out * shift
            strap = strap + upright * (size[2] / 2 - 0.01 + np.sin(t) ** 0.7 * (drop * s + 0.012))[:, None]
            pull = np.sin(t)[:, None] ** 2
            strap = strap * (1 - pull) + (grip + (strap - grip) * np.array([0.6, 0.6, 1.0])) * pull
            pieces.append((*_tube(strap, 0.006), True))
    elif things.held in ("bottle", "cup"):
        tall, wide = (0.23 * s, 0.034) if things.held == "bottle" else (0.12, 0.037)
        profile = [
            (0, 0),
            (wide, 0),
            (wide, 0.62 * tall),
            (wide * 0.9, 0.72 * tall),
            (0.4 * wide, 0.86 * tall),
            (0.4 * wide, tall),
            (0, tall),
        ]
        if things.held == "cup":
            profile = [
                (0, 0),
                (wide * 0.8, 0),
                (wide, 0.85 * tall),
                (wide * 1.05, 0.87 * tall),
                (wide, tall),
                (0, tall),
            ]
        ring = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        axis = across * (1 if across[2] > 0 else -1)
        e1 = palm - (palm @ axis) * axis
        e1 /= np.linalg.norm(e1)
        e2 = np.cross(axis, e1)
        shape = [
            grip + axis * (h - 0.4 * tall) + r * (np.cos(a) * e1 + np.sin(a) * e2) for r, h in profile for a in ring
        ]
        pieces.append((np.array(shape), _grid(len(profile), 20, True), False))
    else:
        size = (0.155, 0.075, 0.009) if things.held == "telephone" else (0.24 * s, 0.17 * s, 0.025)
        box, faces = _rounded_box(size, 12)
        frame = np.stack([along, across, palm], 1)
        pieces.append((box @ frame.T + grip + along * 0.03 - palm * 0.008, faces, False))
    for vertices, faces, plain in pieces:
        local = (vertices - grip) @ np.stack([ahead, out, upright], 1)
        figure.pieces.append(
            _held(vertices, faces, local * [1, 1, 1] + [0, -0.3, 0.46], _paint(things, plain), segment)
        )


def _add_bag(figure: Figure, things: Things, scale: float) -> None:
    """A bag whose strap runs over a shoulder, or a backpack."""
    known = body()
    s = things.size * max(scale, 0.7)
    sign = 1.0 if things.side == "L" else -1.0
    chest = figure.transforms[known.bones["spine02"]]
    root = figure.transforms[known.bones["root"]]
    solid = known.arm_share < 0.3
    shell_ = np.concatenate([figure.vertices[solid] + figure.normals[solid] * 0.03, figure.normals[solid]], 1)[::2]
    rest = figure.shape.vertices
    c = known.canonical.vertices

    def at(point: tuple[float, float, float], bone: np.ndarray) -> np.ndarray:
        row = int(((c - np.array(point, np.float32)) ** 2).sum(1).argmin())
        return bone[:, :3] @ rest[row] + bone[:, 3]

    if things.held == "backpack":
        middle = at((0, 0.10, 0.50), chest) + chest[:, :3] @ np.array([0, 0.10 * s + 0.03, 0])
        box, faces = _rounded_box((0.29 * s, 0.17 * s, 0.42 * s), 4)
        vertices = box @ chest[:, :3].T + middle
        figure.pieces.append(_held(vertices, faces, box + [0, -0.3, 0.46], _paint(things), _TORSO))
        for x in (-0.105, 0.105):
            path = [
                (x, 0.06, 0.62),
                (x, 0.02, 0.73),
                (x, -0.04, 0.71),
                (x, -0.11, 0.60),
                (x, -0.12, 0.48),
                (x * 1.3, -0.06, 0.36),
                (x * 1.1, 0.06, 0.34),
            ]
            points = _smooth_path(np.stack([at(p, chest) for p in path]))
            figure.pieces.append(_strap(push_out(points, [shell_], 0.012), things, 0.018))
        return
    across = things.size > 1.0
    hip = at((sign * 0.19, -0.02, 0.16), root) + root[:, :3] @ np.array([sign * (0.05 + 0.05 * s), 0, -0.02])
    box, faces = _rounded_box((0.11 * s, 0.30 * s, 0.22 * s), 5)
    figure.pieces.append(
        _held(box @ root[:, :3].T + hip, faces, box[:, [1, 0, 2]] + [0, -0.3, 0.46], _paint(things), _TORSO)
    )
    far = -sign if across else sign
    front = [
        (sign * 0.15, -0.10, 0.26),
        (sign * 0.04 if across else sign * 0.13, -0.14, 0.46),
        (far * 0.10, -0.07, 0.70),
        (far * 0.115, 0.0, 0.735),
    ]
    behind = [(far * 0.10, 0.06, 0.68), (0.0 if across else sign * 0.13, 0.09, 0.48), (sign * 0.15, 0.07, 0.26)]
    points = np.stack(
        [hip + root[:, :3] @ np.array([0, -0.13 * s, 0.07])]
        + [at(p, chest if p[2] > 0.3 else root) for p in front + behind]
        + [hip + root[:, :3] @ np.array([0, 0.13 * s, 0.07])]
    )
    points = push_out(_smooth_path(points), [shell_], 0.012)
    figure.pieces.append(_strap(points, things, 0.011))


def _smooth_path(points: np.ndarray, count: int = 40) -> np.ndarray:
    from scipy.interpolate import make_interp_spline

    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    return make_interp_spline(length, points, k=2)(np.linspace(0, length[-1], count))


def _strap(points: np.ndarray, things: Things, radius: float) -> Piece:
    vertices, faces = _tube(points, radius)
    piece = _held(vertices, faces, vertices, _paint(things, plain=True), _TORSO)
    return replace(piece, bias=0.012)


def _add_glasses(figure: Figure, things: Things) -> None:
    known = body()
    skull = figure.transforms[known.bones["head"]]
    rest = figure.shape.vertices
    c = known.canonical.vertices
    eyes = {}
    for side in "LR":
        eyes[side] = figure.shape.heads[known.bones[f"eye.{side}"]].astype(float)
    between = np.linalg.norm(eyes["L"] - eyes["R"])
    face = (c[:, 1] < -0.10) & (np.abs(c[:, 2] - 0.905) < 0.012)
    front = float(rest[face][:, 1].min()) - 0.004
    ears = {
        s: rest[int(((c - np.array([0.076 * (1 if s == "L" else -1), -0.035, 0.908])) ** 2).sum(1).argmin())]
        for s in "LR"
    }
    rows: list[tuple[np.ndarray, np.ndarray, bool]] = []
    a = np.linspace(0, 2 * np.pi, 26)
    radius = between * (0.40 if things.glasses == "clear" else 0.44)
    for side in "LR":
        s = 1 if side == "L" else -1
        centre = np.array([eyes[side][0] * 1.04, front, eyes[side][2] - 0.004])
        square = (np.abs(np.cos(a)) ** 3 + np.abs(np.sin(a)) ** 3) ** (-1 / 3)
        rim = centre + np.stack(
            [
                np.cos(a) * square * radius * 0.95,
                0.010 * (s * np.cos(a) > 0) * np.abs(np.cos(a)),
                np.sin(a) * square * radius * 0.74,
            ],
            1,
        )
        rows.append((*_tube(rim, 0.0021, 6), False))
        if things.glasses == "dark":
            lens = np.concatenate([[rim.mean(0)], rim])
            rows.append((lens, np.array([[0, i, i + 1] for i in range(1, len(rim))], np.int32), True))
        outer = centre + [s * radius * 0.98, 0.008, 0.008]
        rows.append((*_tube(np.linspace(outer, ears[side] + [s * 0.006, 0.0, 0.004], 6), 0.0022, 6), False))
    bridge = np.stack(
        [
            [x, front - 0.001 - 0.004 * (1 - (x / (between / 2 - radius * 0.9)) ** 2), eyes["L"][2]]
            for x in np.linspace(-1, 1, 7) * (between / 2 - radius * 0.9)
        ]
    )
    rows.append((*_tube(bridge, 0.0021, 6), False))
    kind = KINDS.index("glasses")
    for vertices, faces, dark in rows:
        posed = (vertices @ skull[:, :3].T + skull[:, 3]).astype(np.float32)
        colour = np.full(3, 0.012, np.float32) if dark else things.frame.astype(np.float32)

        def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray, colour=colour):
            return np.broadcast_to(colour, points.shape), REGION["face"], kind

        zeros = np.zeros(len(posed), np.float32)
        figure.pieces.append(Piece("glasses", posed, faces, vertices.astype(np.float32), zeros + 1,
                                   np.full(len(posed), _HEAD, np.uint8), zeros, zeros, paint, 0.004, 0.5))  # fmt: skip


def _add_scarf(figure: Figure, cloth: Cloth) -> None:
    known = body()
    c = known.canonical.vertices
    line = c[:, 2] - 0.25 * (c[:, 1] + 0.02)
    cut = np.minimum(line - 0.705, 0.795 - line)
    cut = np.where(known.arm_share > 0.5, -1, np.where(np.abs(c[:, 0]) > 0.13, -0.02, cut))
    folds = waves(c * [1, 1, 4], 30, cloth.seed, 5)
    ease = 0.024 + 0.007 * folds + 0.012 * np.clip(cut / 0.03, 0, 1)

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        return cloth.paint(points, arm, leg), REGION["upper_clothes"], KINDS.index("outerwear")

    figure.pieces.append(
        shell(figure, "outerwear", cut.astype(np.float32), ease.astype(np.float32), paint, 12, 0.02, None)
    )


def _add_beard(figure: Figure, thick: float) -> None:
    known = body()
    c = known.canonical.vertices
    x, y, z = np.abs(c[:, 0]), c[:, 1], c[:, 2]
    top = 0.842 + 0.040 * np.clip((x - 0.030) / 0.03, 0, 1)
    mouth = np.hypot(x / 0.028, (z - 0.8305) / 0.0085) - 1
    cut = np.minimum(np.minimum(top - z, z - 0.772), np.minimum(-0.058 - y, mouth * 0.012))
    cut = np.where(known.segment == _HEAD, cut, -1)
    ease = 0.002 + thick * np.clip(cut / 0.02, 0, 1) * (1 + 0.25 * waves(c, 90, 5))
    hair = next((p for p in figure.pieces if p.kind == "hair"), None)

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        base = hair.paint(points, arm, leg)[0] if hair is not None else np.full(points.shape, 0.03, np.float32)
        return base * 0.9, REGION["face"], KINDS.index("skin")

    figure.pieces.append(shell(figure, "skin", cut.astype(np.float32), ease.astype(np.float32), paint, 2, 0.002, None))
