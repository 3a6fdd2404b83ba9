"""Hair: a shell over the scalp, a fringe, a curtain of long hair that hangs and lies on the shoulders, tail or bun;
and hats, which count as hair."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from pise_core.regions import REGION
from pise_core.synthesis.bodies import body
from pise_core.synthesis.dataset import KINDS, SEGMENTS
from pise_core.synthesis.figures import Figure, Piece, shell
from pise_core.synthesis.patterns import Cloth, linear, random_cloth, waves

_HAIR, _HAT = KINDS.index("hair"), KINDS.index("headwear")
_HEAD = SEGMENTS.index("head")
#: The middle of the skull in canonical coordinates.
_CENTRE = np.array([0.0, -0.05, 0.93], np.float32)
#: sRGB.
_COLOURS = (
    (22, 18, 17), (34, 25, 21), (48, 34, 26), (66, 44, 30), (92, 62, 40), (124, 86, 54), (160, 120, 76),
    (196, 160, 108), (222, 196, 150), (120, 52, 28), (160, 76, 40), (150, 146, 142), (205, 203, 200), (70, 66, 64),
)  # fmt: skip
STYLES = ("bald", "crop", "short", "quiff", "curly", "bob", "long", "very long", "ponytail", "bun", "afro")


@dataclass(frozen=True)
class Hair:
    """A cut: colours in linear RGB, lengths in metres.

    Attributes:
        style: one of ``STYLES``.
        colour: of the strands.
        volume: above the scalp on top, and at the sides.
        line: height of the hairline over the forehead against the usual one; negative for a fringe.
        curl: strength of waves in the surface.
        part: where it is parted, to the left or right.
        length: of what hangs.
        hat: "", "cap", "beanie", "hat" or "headscarf", of ``cloth``.
    """

    style: str
    colour: np.ndarray
    volume: tuple[float, float]
    line: float
    curl: float
    part: float
    length: float
    hat: str
    cloth: Cloth
    seed: int


def random_colour(rng: np.random.Generator, age: float) -> np.ndarray:
    """Linear RGB; grey with age."""
    last = len(_COLOURS) - 3 if age < 0.75 else len(_COLOURS)
    pick = int(rng.integers(last)) if age < 0.9 else int(rng.choice([11, 11, 12, 13, 5, 3]))
    return linear(np.clip(np.array(_COLOURS[pick]) / 255 + rng.normal(0, 0.012, 3), 0.02, 0.95))


def random_hair(rng: np.random.Generator, colour: np.ndarray, woman: float, age: float) -> Hair:
    if woman > 0.5:
        shares = (0.0, 0.02, 0.08, 0.02, 0.08, 0.16, 0.26, 0.12, 0.12, 0.10, 0.04)
    else:
        shares = (0.09, 0.22, 0.30, 0.14, 0.08, 0.04, 0.04, 0.01, 0.02, 0.02, 0.04)
    style = str(rng.choice(STYLES, p=np.array(shares) / sum(shares)))
    u = lambda a, b: float(rng.uniform(a, b))  # noqa: E731
    top, side = {
        "bald": (0.001, 0.001), "crop": (u(0.003, 0.009), u(0.002, 0.006)), "short": (u(0.012, 0.026), u(0.006, 0.014)),
        "quiff": (u(0.025, 0.05), u(0.004, 0.010)), "curly": (u(0.03, 0.05), u(0.02, 0.035)),
        "afro": (u(0.06, 0.11), u(0.05, 0.10)),
    }.get(style, (u(0.012, 0.028), u(0.010, 0.022)))  # fmt: skip
    hangs = {"bob": u(0.10, 0.20), "long": u(0.24, 0.42), "very long": u(0.42, 0.62), "ponytail": u(0.15, 0.4)}
    fringe = style in ("bob", "long", "very long", "short", "bun", "ponytail") and rng.random() < 0.3
    hat = str(rng.choice(["cap", "beanie", "hat", "headscarf"])) if rng.random() < 0.13 else ""
    if hat == "headscarf" and woman < 0.5:
        hat = "cap"
    line = u(-0.062, -0.035) if fringe else u(-0.008, 0.012) + 0.02 * (age > 0.85) * (woman < 0.5)
    return Hair(
        style, colour, (top, side), line,
        u(0.6, 1) if style in ("curly", "afro") else u(0, 0.5), u(-0.05, 0.05),
        hangs.get(style, 0.0) * (0.7 + 0.3 * age), hat,
        random_cloth(rng, ("stripes", "knit", "checks", "melange"), 0.3),
        int(rng.integers(1 << 30)),
    )  # fmt: skip


def _azimuth(points: np.ndarray) -> np.ndarray:
    """Degrees about the skull from the front, 0 to 180, the same to both sides."""
    return np.rad2deg(np.arctan2(np.abs(points[:, 0]), -(points[:, 1] - _CENTRE[1])))


def _inside(points: np.ndarray, line: float, ears: bool) -> np.ndarray:
    """Metres inside of the hairline, canonical; ``ears``: they are covered."""
    edge = np.interp(
        _azimuth(points),
        [0, 20, 34, 47, 60, 72, 84, 96, 112, 140, 180],
        [
            0.984 + line,
            0.982 + line,
            0.973 + line,
            0.953 + line * 0.8,
            0.928 + line * 0.3,
            0.903,
            0.876,
            0.878,
            0.862,
            0.842,
            0.832,
        ],
    )
    inside = points[:, 2] - edge
    if not ears:
        ear = np.abs(points[:, 0]) > 0.0735
        ear &= (points[:, 2] < 0.914) & (points[:, 2] > 0.845) & (points[:, 1] > -0.075) & (points[:, 1] < -0.015)
        inside = np.where(ear, -0.02, inside)
    return inside.astype(np.float32)


def _strands(hair: Hair, round_: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(N, 3) colour: fine strands that run along, darker tufts."""
    rng = np.random.default_rng(hair.seed)
    tone = np.zeros(len(round_), np.float32)
    for frequency, strength in ((9, 0.14), (23, 0.12), (61, 0.12), (140, 0.10)):
        phase = rng.uniform(0, 6.28) + hair.curl * 1.5 * np.sin(along * rng.uniform(40, 90) + round_ * 3)
        tone += strength * np.sin(round_ * frequency + phase + along * rng.uniform(-12, 12))
    return (hair.colour * np.exp(1.1 * tone)[:, None]).astype(np.float32)


def add_hair(figure: Figure, hair: Hair, obstacles: list[np.ndarray]) -> None:
    """Hair and hat. ``obstacles`` are points (N, 6), position and normal, that long hair must lie outside of."""
    known = body()
    c = known.canonical.vertices
    head = known.segment == _HEAD
    covered = hair.length > 0 or hair.style in ("curly", "afro", "bun")
    inside = np.where(
        head & (c[:, 2] > 0.80), _inside(c, hair.line, covered and hair.style not in ("bun", "ponytail")), -1
    )

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        away = points - _CENTRE
        round_ = np.arctan2(away[:, 0] - hair.part * np.clip(away[:, 2] / 0.06, 0, 1), away[:, 1])
        colour = _strands(hair, round_, points[:, 2])
        roots = np.clip(_inside(points, hair.line, True) / 0.02, 0, 1)[:, None]
        return colour * (0.75 + 0.25 * roots), REGION["hair"], _HAIR

    top = np.clip((c[:, 2] - 0.93) / 0.07, 0, 1)
    thick = hair.volume[1] + (hair.volume[0] - hair.volume[1]) * top
    if hair.style == "quiff":
        thick = thick + 0.02 * np.exp(-(((c[:, 1] + 0.12) / 0.04) ** 2)) * top
    bumps = 1 + hair.curl * 0.35 * waves(c, 75, hair.seed) + 0.08 * waves(c, 40, hair.seed + 1)
    taper = np.clip(inside / 0.022, 0, 1)
    if hair.hat:
        thick = np.minimum(thick, 0.012)
    ease = 0.0025 + thick * bumps * taper
    if hair.style != "bald":
        figure.pieces.append(
            shell(figure, "hair", inside, ease.astype(np.float32), paint, 3, 0.0, None, shine=0.18)
        )  # fmt: skip
    skull = figure.transforms[known.bones["head"]]
    size = float(
        np.linalg.norm(figure.shape.vertices[head].max(0) - figure.shape.vertices[head].min(0))
        / np.linalg.norm(c[head].max(0) - c[head].min(0))
    )
    middle = figure.shape.vertices[head & (np.abs(c[:, 2] - 0.93) < 0.02)].mean(0)

    def place(points: np.ndarray) -> np.ndarray:
        """Canonical head coordinates -> world."""
        rest = (points - _CENTRE) * size + middle
        return (rest @ skull[:, :3].T + skull[:, 3]).astype(np.float32)

    if hair.style in ("bob", "long", "very long"):
        figure.pieces.append(_curtain(figure, hair, place, obstacles))
    if hair.style == "bun":
        centre, radius = _CENTRE + np.array([0, 0.105, 0.055]), 0.042
        figure.pieces.append(
            _blob(
                place,
                centre,
                np.full(3, radius),
                lambda p: _strands(hair, np.arctan2(p[:, 0], p[:, 2] - centre[2]) * 2, p[:, 1]),
            )
        )
    if hair.style == "ponytail":
        figure.pieces.append(_tail(figure, hair, place, obstacles))
    if hair.hat:
        _add_hat(figure, hair, place)


def _grid(rows: int, columns: int, closed: bool = False) -> np.ndarray:
    """(M, 3) faces of a grid whose vertices go row by row."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns if closed else columns - 1), indexing="ij")
    a = i * columns + j
    b = i * columns + (j + 1) % columns
    quads = np.stack([a, b, b + columns, a + columns], -1).reshape(-1, 4)
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)


def _piece(kind: str, vertices, faces, canonical, paint, cut=None, segment=_HEAD, bias=0.0, shine=0.15) -> Piece:
    n = len(vertices)
    zeros = np.zeros(n, np.float32)
    return Piece(
        kind, np.asarray(vertices, np.float32), faces, np.asarray(canonical, np.float32),
        zeros + 1 if cut is None else np.asarray(cut, np.float32), np.full(n, segment, np.uint8), zeros, zeros, paint,
        bias, shine,
    )  # fmt: skip


def push_out(points: np.ndarray, obstacles: list[np.ndarray], gap: float) -> np.ndarray:
    """Points (N, 3) moved until they lie ``gap`` outside of the nearest obstacle (position and normal, (M, 6))."""
    if not obstacles:
        return points
    solid = np.concatenate(obstacles)
    tree = KDTree(solid[:, :3])
    for _ in range(2):
        distance, near = (np.asarray(a) for a in tree.query(points, distance_upper_bound=0.10))
        there = np.isfinite(distance)
        at = solid[near[there]]
        above = ((points[there] - at[:, :3]) * at[:, 3:]).sum(1)
        points = points.copy()
        points[there] += at[:, 3:] * np.clip(gap - above, 0, 0.07)[:, None]
    return points


def _curtain(figure: Figure, hair: Hair, place, obstacles: list[np.ndarray]) -> Piece:
    """Long hair: it leaves the head above the ears and hangs, over the back and beside the face."""
    rows, columns = 22, 56
    rng = np.random.default_rng(hair.seed + 3)
    reach = np.deg2rad(rng.uniform(90, 108))
    round_ = np.linspace(-reach, reach, columns)[None]
    down = np.linspace(0, 1, rows)[:, None] * np.ones_like(round_)
    wide = 1 + 0.22 * np.clip(down * hair.length / 0.2 - 0.4, -0.3, 1) * (0.3 + hair.curl)
    edge = np.clip((np.abs(round_) / reach - 0.6) / 0.4, 0, 1)
    close = 1 - edge * (0.10 + 0.16 * np.clip(down * hair.length / 0.15, 0, 1))
    ring = np.array([0.080, 0.104]) + hair.volume[1]
    x = np.sin(round_) * ring[0] * wide * close
    y = np.cos(round_) * ring[1] * wide - 0.008
    z = 0.035 - down * hair.length * (1 - 0.15 * np.abs(round_ / reach) ** 2)
    wave = hair.curl * 0.010 * np.sin(z * 60 + round_ * 5 + rng.uniform(0, 6)) * np.clip(down * 3, 0, 1)
    points = np.stack([x * (1 + 4 * wave), y * (1 + 4 * wave), z], -1).reshape(-1, 3) + _CENTRE
    world = place(points).astype(np.float64)
    # It hangs: what is below the chin falls straight, whichever way the head leans.
    skull = figure.transforms[body().bones["head"], :, :3]
    fall = (points[:, 2] - _CENTRE[2]) * 1.0
    low = np.minimum(fall + 0.10, 0)[:, None]
    lean = skull @ np.array([0, 0, 1.0])
    world += low * (np.array([0, 0, 1.0]) - lean) * 0.85
    # The body turns below the head: strands slide off the shoulders, outwards.
    world = push_out(world, obstacles, 0.012)
    tuft = waves(np.stack([round_.ravel() * 0.3, np.zeros(columns)], 1), 60, hair.seed + 5)
    end = 1 - 0.06 * (1 + np.tile(tuft, rows)) - down.ravel()

    def paint(p: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        return _strands(hair, p[:, 0], p[:, 1]), REGION["hair"], _HAIR

    coordinates = np.stack([(round_ * np.ones_like(down)).ravel(), points[:, 2], down.ravel()], 1)
    return _piece("hair", world, _grid(rows, columns), coordinates, paint, end * hair.length)


def _tail(figure: Figure, hair: Hair, place, obstacles: list[np.ndarray]) -> Piece:
    rows, columns = 16, 14
    t = np.linspace(0, 1, rows)
    start = place(np.array([_CENTRE + [0, 0.095, 0.045]], np.float32))[0]
    skull = figure.transforms[body().bones["head"], :, :3]
    back = skull @ np.array([0, 1.0, 0.1])
    spine = (
        start
        + back * (0.06 * np.minimum(t * 5, 1) + 0.015)[:, None]
        - np.array([0, 0, 1.0]) * (t**1.2 * hair.length)[:, None]
    )
    spine = push_out(spine, obstacles, 0.03)
    thick = 0.030 * (0.45 + np.sin(np.pi * np.clip(t * 0.85 + 0.12, 0, 1)))
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    side = skull @ np.array([1.0, 0, 0])
    other = np.cross(side, np.array([0, 0, 1.0]))
    rings = spine[:, None] + thick[:, None, None] * (np.cos(a)[None, :, None] * side + np.sin(a)[None, :, None] * other)

    def paint(p: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        return _strands(hair, p[:, 0], p[:, 1]), REGION["hair"], _HAIR

    coordinates = np.stack([np.tile(a, rows), np.repeat(t * hair.length, columns), np.repeat(t, columns)], 1)
    return _piece("hair", rings.reshape(-1, 3), _grid(rows, columns, True), coordinates, paint)


def _blob(place, centre: np.ndarray, radii: np.ndarray, colour) -> Piece:
    """An ellipsoid on the head."""
    rows, columns = 12, 20
    t, a = np.linspace(0, np.pi, rows)[:, None], np.linspace(0, 2 * np.pi, columns, endpoint=False)[None]
    unit = np.stack([np.sin(t) * np.cos(a), np.sin(t) * np.sin(a), np.cos(t) + 0 * a], -1).reshape(-1, 3)
    points = centre + unit * radii

    def paint(p: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        return colour(p), REGION["hair"], _HAIR

    return _piece("hair", place(points), _grid(rows, columns, True), points, paint)


def _add_hat(figure: Figure, hair: Hair, place) -> None:
    known = body()
    c = known.canonical.vertices
    head = known.segment == _HEAD

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        return hair.cloth.paint(points, arm, leg), REGION["hair"], _HAT

    level = c[:, 2] + 0.10 * (c[:, 1] - _CENTRE[1]) * (1 if hair.hat == "cap" else -1)
    low = {"cap": 0.955, "beanie": 0.935, "hat": 0.955, "headscarf": 0.0}[hair.hat]
    thick = {"cap": 0.018, "beanie": 0.022, "hat": 0.024, "headscarf": 0.014}[hair.hat] + 0.01 * (
        hair.style not in ("bald", "crop")
    )
    inside = np.where(head, level - low, -1)
    if hair.hat == "headscarf":
        oval = 1 - np.hypot(c[:, 0] / 0.062, (c[:, 2] - 0.89) / 0.085)
        front = c[:, 1] < -0.06
        inside = np.where(front, -oval * 0.06, 0.05)
        inside = np.where((head | (known.segment == 1)) & (c[:, 2] > 0.70), np.minimum(inside, c[:, 2] - 0.71), -1)
    rise = {"hat": 0.045, "beanie": 0.02}.get(hair.hat, 0.0) * np.clip((c[:, 2] - 0.99) / 0.03, 0, 1)
    figure.pieces.append(
        shell(figure, "headwear", inside.astype(np.float32), (thick + rise).astype(np.float32), paint, 10, 0.012, None)
    )
    if hair.hat in ("cap", "hat"):
        rows, columns = 4, 40
        out = np.linspace(0, 1, rows)[:, None]
        if hair.hat == "cap":
            a = np.deg2rad(np.linspace(-62, 62, columns))[None]
            far = 0.075 * np.cos(a * 1.35) ** 0.6
        else:
            a = np.linspace(-np.pi, np.pi, columns)[None]
            far = 0.075 + 0 * a
        ring = np.array([0.082, 0.112]) + 0.012
        x, y = np.sin(a) * (ring[0] + out * far), -np.cos(a) * (ring[1] + out * far)
        z = low - _CENTRE[2] + 0.004 - (0.022 * out**1.5) - (0.10 if hair.hat == "cap" else -0.10) * y
        points = np.stack([x, y, z + 0 * x], -1).reshape(-1, 3) + _CENTRE
        figure.pieces.append(_piece("headwear", place(points), _grid(rows, columns), points, paint, bias=0.012))
