"""Clothes: what a person wears, drawn at random, and the surfaces of it on a posed body."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from pise_core.regions import REGION
from pise_core.synthesis.bodies import body
from pise_core.synthesis.dataset import KINDS, SEGMENTS
from pise_core.synthesis.figures import Figure, Paint, Piece, shell
from pise_core.synthesis.hair import _grid
from pise_core.synthesis.patterns import Cloth, random_cloth, waves
from pise_core.synthesis.skin import Legwear

_TORSO = SEGMENTS.index("torso")
_WAIST = 0.31


@dataclass(frozen=True)
class Top:
    """A garment of the upper body; canonical metres.

    Attributes:
        sleeve: where it ends along the arm: 0 shoulder, 1 elbow, 2 wrist.
        hem: height of the lower edge.
        neck: "crew", "v", "scoop", "boat", "high", "collar", "straps".
        depth: of the neckline.
        ease: how far it stands off.
        opening: 0 closed, else half the width of the gap in front.
    """

    cloth: Cloth
    sleeve: float
    hem: float
    neck: str
    depth: float
    ease: float
    opening: float
    seed: int


@dataclass(frozen=True)
class Trousers:
    """``length``: 0 hip, 1 knee, 2 ankle; ``wide``: how far they stand off at the thigh and at the hem."""

    cloth: Cloth
    length: float
    wide: tuple[float, float]
    seed: int


@dataclass(frozen=True)
class Skirt:
    """``length``: 0 hip, 1 knee, 2 ankle; ``flare``: metres that the hem is wider than the body on each side."""

    cloth: Cloth
    length: float
    flare: float
    folds: int
    seed: int


@dataclass(frozen=True)
class Shoes:
    """``height``: metres of the shaft above the ankle; ``sole``: its thickness."""

    cloth: Cloth
    height: float
    sole: float
    sole_colour: np.ndarray


@dataclass(frozen=True)
class Clothes:
    """What is worn; a dress is a top and a skirt of one cloth (``dress``), a coat a top with a skirt that is open."""

    top: Top | None
    dress: bool
    trousers: Trousers | None
    skirt: Skirt | None
    outer: Top | None
    coat: Skirt | None
    legwear: Legwear | None
    shoes: Shoes | None
    tucked: bool = False

    def names(self) -> list[str]:
        """In words."""
        words = []
        if self.outer is not None:
            words.append("coat" if self.coat is not None else "jacket" if self.outer.opening else "jumper over it")
        if self.dress:
            words.append("dress")
        elif self.top is not None:
            words.append(f"{self.top.cloth.pattern} top, {'long' if self.top.sleeve > 1.2 else 'short'} sleeves")
        if self.trousers is not None:
            words.append("trousers" if self.trousers.length > 1.3 else "shorts")
        if self.skirt is not None and not self.dress:
            words.append("skirt")
        if self.legwear is not None:
            words.append("tights" if self.legwear.height < 0.5 else "socks")
        if self.shoes is not None:
            words.append("boots" if self.shoes.height > 0.08 else "shoes")
        return words


_TOPS = ("stripes", "checks", "plaid", "dots", "print", "lettering", "knit", "blocks", "flowers", "melange", "gradient",
         "vertical stripes", "camouflage")  # fmt: skip
_BOTTOMS = ("denim", "denim", "denim", "plaid", "vertical stripes", "camouflage", "melange", "checks")
_DRESSES = (
    "flowers",
    "flowers",
    "dots",
    "stripes",
    "checks",
    "plaid",
    "print",
    "gradient",
    "blocks",
    "vertical stripes",
)


def random_top(rng: np.random.Generator, woman: float) -> Top:
    u = lambda a, b: float(rng.uniform(a, b))  # noqa: E731
    sleeve = float(
        rng.choice([0.03, u(0.45, 0.8), u(0.5, 0.7), u(1.25, 1.6), 1.93, 1.97], p=[0.09, 0.3, 0.16, 0.06, 0.2, 0.19])
    )
    neck = str(rng.choice(["crew", "v", "scoop", "boat", "high", "collar"], p=[0.4, 0.15, 0.12, 0.06, 0.1, 0.17]))
    if sleeve < 0.1 and rng.random() < 0.6:
        neck = "straps"
    if woman < 0.5 and neck in ("boat", "scoop"):
        neck = "crew"
    hem = u(0.10, 0.21) if rng.random() > 0.08 * woman else u(0.30, 0.38)
    depth = {"v": u(0.06, 0.13), "scoop": u(0.05, 0.11)}.get(neck, 0.0)
    ease = u(0.006, 0.012) if rng.random() < 0.35 else u(0.012, 0.034)
    return Top(random_cloth(rng, _TOPS, 0.58), sleeve, hem, neck, depth, ease, 0.0, int(rng.integers(1 << 30)))


def random_clothes(rng: np.random.Generator, woman: float, age: float) -> Clothes:
    u = lambda a, b: float(rng.uniform(a, b))  # noqa: E731
    seed = lambda: int(rng.integers(1 << 30))  # noqa: E731
    top = random_top(rng, woman)
    trousers = skirt = None
    dress = woman > 0.5 and rng.random() < 0.28
    if dress:
        cloth = random_cloth(rng, _DRESSES, 0.6)
        top = Top(
            cloth,
            top.sleeve,
            0.2,
            top.neck if top.neck != "collar" else "crew",
            top.depth,
            u(0.006, 0.016),
            0.0,
            seed(),
        )
        skirt = Skirt(cloth, u(0.45, 1.85), u(0.0, 0.16), int(rng.integers(5, 14)), seed())
    elif woman > 0.5 and rng.random() < 0.32:
        skirt = Skirt(
            random_cloth(rng, _DRESSES + ("denim",), 0.5), u(0.35, 1.85), u(0.0, 0.2), int(rng.integers(5, 14)), seed()
        )
    else:
        short = rng.random() < 0.22
        length = u(0.45, 1.1) if short else float(rng.choice([u(1.45, 1.85), 1.97, 2.02], p=[0.2, 0.4, 0.4]))
        thigh = u(0.004, 0.010) if rng.random() < 0.3 + 0.2 * woman else u(0.012, 0.035)
        hem = thigh if rng.random() < 0.4 else u(0.012, 0.055)
        if short:
            hem = max(hem, 0.018)
        trousers = Trousers(random_cloth(rng, _BOTTOMS, 0.55), length, (thigh, hem), seed())
    outer = coat = None
    if rng.random() < 0.36:
        cloth = random_cloth(rng, ("melange", "plaid", "checks", "knit", "denim", "blocks", "camouflage"), 0.42)
        open_ = u(0.02, 0.09) if rng.random() < 0.75 else 0.0
        neck = "v" if open_ else str(rng.choice(["crew", "v", "high", "collar"]))
        outer = Top(cloth, 1.95 if rng.random() < 0.9 else 0.06, u(0.10, 0.26), neck,
                    u(0.06, 0.16), min(max(top.ease, 0.010), 0.02) + u(0.012, 0.024), open_, seed())  # fmt: skip
        if rng.random() < 0.33:
            coat = Skirt(cloth, u(0.35, 1.55), u(0.02, 0.1), int(rng.integers(4, 9)), seed())
    legwear = None
    bare = skirt is not None or (trousers is not None and trousers.length < 1.3)
    if bare and woman > 0.5 and rng.random() < 0.35:
        legwear = Legwear(random_cloth(rng, ("dots", "vertical stripes", "melange"), 0.15), -0.3, u(0, 0.75))
    elif rng.random() < 0.55:
        legwear = Legwear(random_cloth(rng, ("stripes", "melange"), 0.2), u(1.1, 1.9))
    shoes = None
    if rng.random() > 0.04:
        kind = rng.random()
        height = u(-0.012, 0.015) if kind < 0.62 else u(0.04, 0.10) if kind < 0.8 else u(0.15, 0.38)
        sole = linear_white(rng) if rng.random() < 0.5 else None
        shoes = Shoes(random_cloth(rng, ("blocks", "melange"), 0.2), height, u(0.012, 0.035),
                      np.full(3, 0.02, np.float32) if sole is None else sole)  # fmt: skip
    return Clothes(
        top, dress, trousers, skirt, outer, coat, legwear, shoes, trousers is not None and rng.random() < 0.22
    )


def linear_white(rng: np.random.Generator) -> np.ndarray:
    return np.full(3, rng.uniform(0.5, 0.85), np.float32)


def _painter(cloth: Cloth, region: str, kind: str) -> Paint:
    r, k = REGION[region], KINDS.index(kind)

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        return cloth.paint(points, arm, leg), r, k

    return paint


def add_clothes(figure: Figure, clothes: Clothes, scale: float) -> list[np.ndarray]:
    """Add what is worn. Returns points (N, 6), position and normal, that long hair must stay outside of."""
    if clothes.shoes is not None:
        _add_shoes(figure, clothes.shoes)
    if clothes.skirt is not None:
        kind = "dress" if clothes.dress else "skirt"
        _add_skirt(figure, clothes.skirt, kind, "dress", _WAIST + 0.02, 0.008, scale)
    if clothes.top is not None:
        kind, region = ("dress", "dress") if clothes.dress else ("top", "upper_clothes")
        tucked = clothes.tucked or (clothes.skirt is not None and not clothes.dress)
        over = max(clothes.trousers.wide[0], 0.008) if clothes.trousers is not None else 0.0
        covered = _add_top(figure, clothes.top, kind, region, tucked, 0.002 if tucked else 0.010, over)
    if clothes.trousers is not None:
        under = np.full(len(figure.vertices), -1, np.float32) if clothes.tucked or clothes.top is None else covered
        _add_trousers(figure, clothes.trousers, under)
    if clothes.outer is not None:
        _add_top(figure, clothes.outer, "outerwear", "upper_clothes", False, 0.022)
    if clothes.coat is not None and clothes.outer is not None:
        _add_skirt(figure, clothes.coat, "outerwear", "upper_clothes", 0.24, clothes.outer.ease + 0.012, scale,
                   0.10 + clothes.outer.opening if clothes.outer.opening else 0.0, 0.018)  # fmt: skip
    below = known_below_head()
    solids = [np.concatenate([figure.vertices, figure.normals], 1)[below][::2]]
    outermost = clothes.outer or clothes.top
    thick = outermost.ease if outermost is not None else 0.0
    solids[0] = solids[0].copy()
    solids[0][:, :3] += solids[0][:, 3:] * thick
    return solids


def known_below_head() -> np.ndarray:
    return (body().canonical.vertices[:, 2] < 0.80) & (body().arm_share < 0.4)


def _add_top(
    figure: Figure, top: Top, kind: str, region: str, tucked: bool, bias: float, over: float = 0.0
) -> np.ndarray:
    """``over``: how far what lies below it at the hips stands off. Returns (V,) how far inside its edge a vertex is."""
    known = body()
    c = known.canonical.vertices
    x, y, z = np.abs(c[:, 0]), c[:, 1], c[:, 2]
    on_arm = known.arm_share > 0.5
    hem = max(top.hem, _WAIST - 0.06) if tucked else top.hem
    lower = np.where(on_arm, 1.0, z - hem - 0.012 * waves(c, 9, top.seed, 3) * (not tucked))
    reach = np.where(known.arm_share > 0.05, known.limb_cut("arm", top.sleeve), 1.0)
    reach = np.where(on_arm | (known.arm > -0.9), reach, 1.0)
    front = np.clip(-(y + 0.02) / 0.06, 0, 1)
    line = 0.728 + 0.42 * (y + 0.02)
    if top.neck == "v":
        line = line - front * np.maximum(top.depth * (1 - x / 0.085), 0)
    elif top.neck == "scoop":
        line = line - front * top.depth * np.sqrt(np.maximum(1 - (x / 0.10) ** 2, 0))
    elif top.neck == "boat":
        line = line - 0.004
    elif top.neck == "high":
        line = np.full_like(line, 0.775) + 0.25 * (y + 0.02)
    elif top.neck == "collar":
        line = np.full_like(line, 0.752) + 0.30 * (y + 0.02) - front * np.maximum(0.05 * (1 - x / 0.03), 0)
    wide = {"boat": 0.125, "scoop": 0.105, "straps": 0.10}.get(top.neck, 0.092)
    neck = np.maximum(line - z, (x - wide) * 0.9)
    if top.neck == "straps":
        neck = np.maximum(0.60 - z, np.minimum(x - 0.085, 0.150 - x))
        reach = np.minimum(reach, np.where(on_arm, -1.0, 1.0))
    cut = np.minimum(np.minimum(lower, reach), neck)
    cut = np.where(
        (z > 0.70) & (known.segment == SEGMENTS.index("head")) & (top.neck != "high"), np.minimum(cut, neck), cut
    )
    cut = np.where(known.leg_share * (z < 0.12) > 0.97, np.minimum(cut, z - hem), cut)
    if top.opening:
        gap = top.opening * (0.55 + 0.9 * np.clip((0.62 - z) / 0.5, -0.3, 1))
        cut = np.where((y < 0.0) & ~on_arm, np.minimum(cut, x - gap), cut)
    fold = waves(c, 28, top.seed, 6) * 0.35 + waves(c * [1, 1, 2.2], 18, top.seed + 1, 5) * 0.35
    hang = np.clip((0.55 - z) / 0.3, 0, 1) * (known.arm_share < 0.5)
    ease = top.ease * (0.75 + 0.2 * known.arm_share + 0.55 * hang) + (0.003 + 0.25 * top.ease) * fold
    # A cuff or a hem is a little closer than the cloth above it.
    if tucked:
        ease = np.where((z < 0.40) & ~on_arm, np.minimum(ease, 0.004 + 0.12 * np.maximum(z - _WAIST, 0)), ease)
    else:
        ease = np.maximum(ease, np.clip((0.34 - z) / 0.10, 0, 1) * (over + 0.006) * ~on_arm)
    rounds = 40 if top.ease > 0.02 else 28
    hides = None if top.opening else 0.02 + top.ease
    figure.pieces.append(
        shell(figure, kind, cut.astype(np.float32), np.maximum(ease, 0.004).astype(np.float32),
              _painter(top.cloth, region, kind), rounds, bias, hides, top.cloth.shine)
    )  # fmt: skip
    return cut.astype(np.float32)


def _add_trousers(figure: Figure, trousers: Trousers, covered: np.ndarray) -> None:
    """``covered`` (V,): how far inside of an untucked top; they aren't drawn far below it."""
    known = body()
    c = known.canonical.vertices
    z = c[:, 2]
    on_leg = known.leg_share > 0.3
    down = np.where(on_leg, np.maximum(known.leg, 0), 0)
    cut = np.minimum(_WAIST - 0.02 - z, np.where(on_leg, known.limb_cut("leg", trousers.length), 1.0))
    cut = np.where(known.arm_share > 0.3, -1.0, cut)
    cut = np.minimum(cut, 0.03 - covered)
    thigh, hem = trousers.wide
    wide = np.interp(down, [0, 0.35, 1, max(trousers.length, 1.05)], [0.6 * thigh, thigh, (thigh + hem) / 2, hem])
    inner = np.exp(-((c[:, 0] / 0.05) ** 2)) * (z > -0.05)  # two legs meet there
    fold = waves(c * [1, 1, 2.0], 20, trousers.seed, 6) * 0.25 * (0.6 + 0.5 * np.exp(-(((down - 1) / 0.2) ** 2)))
    fold += 0.5 * np.sin(z * 130 + 3 * waves(c, 9, trousers.seed + 1)) * np.exp(-(((down - 1.85) / 0.14) ** 2))
    ease = wide * (1 - 0.6 * inner) + (0.004 + 0.25 * wide) * fold * (1 - inner) + 0.003
    figure.pieces.append(
        shell(figure, "trousers", cut.astype(np.float32), np.maximum(ease, 0.003).astype(np.float32),
              _painter(trousers.cloth, "pants", "trousers"), 14, 0.004, 0.03 + max(trousers.wide), trousers.cloth.shine)
    )  # fmt: skip


def _add_shoes(figure: Figure, shoes: Shoes) -> None:
    """Shafts are shells about ankle and shin; the shoe itself is drawn along the foot, toes and all under one upper."""
    known = body()
    c = known.canonical.vertices
    ankle = float(known.canonical.heads[known.bones["foot.L"], 2])
    low = c[:, 2] < -0.2
    cut = np.where(low, ankle - 0.005 + shoes.height - c[:, 2], -1)
    shaft = np.minimum(cut, c[:, 2] - (ankle - 0.045))
    ease = np.full(len(c), 0.010) + 0.004 * np.clip(shoes.height, 0, 0.3) / 0.3

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        colour = shoes.cloth.paint(points, arm, leg)
        # ``arm`` is the height above the ground in shares of the shoe's, ``leg`` how far it is to the toes.
        colour[(arm > 0) & (arm < 0.26)] = shoes.sole_colour
        lace = (np.abs(np.sin(leg * 60)) > 0.75) & (arm > 0.62) & (leg > 0.34) & (leg < 0.66) & (shoes.height < 0.12)
        colour[lace] = shoes.sole_colour * 0.8
        return colour, REGION["leg"], KINDS.index("shoes")

    figure.pieces.append(
        shell(figure, "shoes", shaft.astype(np.float32), ease.astype(np.float32),
              lambda p, arm, leg: paint(p, arm * 0, leg * 0), 16, 0.004, None, 0.25)
    )  # fmt: skip
    figure.tight[:] = np.maximum(figure.tight, cut.astype(np.float32) - 0.006)
    for side in "RL":
        figure.pieces.append(_shoe(figure, shoes, side, paint))


def _shoe(figure: Figure, shoes: Shoes, side: str, paint: Paint) -> Piece:
    """One shoe: sections across the foot from heel to toe, as wide as the foot is there, flat below and round above."""
    known = body()
    c = known.canonical.vertices
    segment = SEGMENTS.index("right_foot" if side == "R" else "left_foot")
    ankle = figure.shape.heads[known.bones[f"foot.{side}"]].astype(float)
    toe = figure.shape.heads[known.bones[f"toe3-2.{side}"]].astype(float)
    foot = figure.shape.vertices[(known.segment == segment) & (c[:, 2] < -0.70)].astype(float)
    ahead = (toe - ankle) * [1, 1, 0]
    ahead /= np.linalg.norm(ahead)
    across = np.array([-ahead[1], ahead[0], 0])
    along, beside = (foot - ankle) @ ahead, (foot - ankle) @ across
    heel, tip = along.min() - 0.006, along.max() + 0.012
    ground = foot[:, 2].min() - 0.004
    rows, columns = 22, 28
    t = np.linspace(0, 1, rows)
    where = heel + (tip - heel) * t
    left, right, top = np.empty(rows), np.empty(rows), np.empty(rows)
    for i, place in enumerate(where):
        near = np.abs(along - np.clip(place, along.min() + 0.02, along.max() - 0.02)) < 0.016
        left[i], right[i], top[i] = beside[near].min(), beside[near].max(), foot[near][:, 2].max()
    round_ = np.sqrt(np.clip(1 - (np.abs(t - 0.5) * 2) ** 5, 0, 1))  # it closes at both ends
    left, right = (gaussian_filter1d(a, 1.5, mode="nearest") for a in (left, right))
    middle, half = (left + right) / 2, (right - left) / 2 + 0.007
    rim = ankle[2] + 0.012
    high = np.minimum(gaussian_filter1d(top, 1.5, mode="nearest") + 0.010, rim) - ground
    # The upper falls from the ankle to the toe cap.
    high = np.minimum(high, np.interp(t, [0, 0.30, 0.62, 0.88, 1], [1.0, 1.0, 0.62, 0.44, 0.34]) * (rim - ground))
    a = np.linspace(0, 2 * np.pi, columns, endpoint=False)
    wide = np.sign(np.cos(a)) * np.abs(np.cos(a)) ** 0.75
    tall = np.where(np.sin(a) > 0, np.abs(np.sin(a)) ** 0.85, -(np.abs(np.sin(a)) ** 0.35))
    share = np.where(tall > 0, 0.32 + 0.68 * tall, 0.32 * (1 + tall))  # 0 on the ground, 1 on top
    lengthwise = where[:, None] + 0 * a
    sideways = middle[:, None] + half[:, None] * round_[:, None] * wide[None] * (1 - 0.18 * np.maximum(tall, 0))[None]
    height = (
        ground + high[:, None] * (0.30 + 0.70 * round_[:, None]) * share[None] - shoes.sole * 0.25 * (tall < 0)[None]
    )
    rest = (
        ankle * [1, 1, 0] + lengthwise[..., None] * ahead + sideways[..., None] * across + height[..., None] * [0, 0, 1]
    )
    rest = rest.reshape(-1, 3)
    bone = figure.transforms[known.bones[f"foot.{side}"]]
    n = len(rest)
    return Piece(
        "shoes", (rest @ bone[:, :3].T + bone[:, 3]).astype(np.float32), _grid(rows, columns, True),
        rest.astype(np.float32), np.ones(n, np.float32), np.full(n, segment, np.uint8),
        np.tile(share, rows).astype(np.float32) + 1e-3, np.repeat(t, columns).astype(np.float32), paint, 0.006, 0.25,
    )  # fmt: skip


def _add_skirt(
    figure: Figure, skirt: Skirt, kind: str, region: str, waist: float, ease: float, scale: float, opening: float = 0.0,
    bias: float = 0.008,
) -> None:  # fmt: skip
    """A tube about the legs: it hangs from the waist along the thighs, spans both legs, and falls from the knees."""
    known = body()
    c = known.canonical.vertices
    # Nothing bare is to be seen in a fold at the hips.
    hips_only = np.clip(np.minimum(c[:, 2] - 0.03, waist - c[:, 2]), -1, 1) * (known.arm_share < 0.2) - (
        known.arm_share >= 0.2
    )
    if not opening:
        figure.tight[:] = np.maximum(figure.tight, hips_only - 0.02)
    heads = [
        figure.transforms[known.bones[f"{b}.{s}"]] @ np.append(figure.shape.heads[known.bones[f"{b}.{s}"]], 1)
        for b in ("upperleg01", "lowerleg01", "foot")
        for s in "RL"
    ]
    hips, knees, ankles = ((heads[i] + heads[i + 1]) / 2 for i in (0, 2, 4))
    up = figure.transforms[known.bones["spine05"], :, :3] @ np.array([0.0, 0, 1])
    side = figure.transforms[known.bones["root"], :, :3] @ np.array([1.0, 0, 0])
    top = hips + up * (waist - known.canonical.heads[known.bones["upperleg01.L"], 2]) * scale
    # Below the knees cloth falls, and is held up by the shins only a little.
    shin = np.linalg.norm(ankles - knees)
    fall = ankles - knees
    fall = fall / (np.linalg.norm(fall) + 1e-9) * 0.35 + np.array([0, 0, -1.0]) * 0.65
    fall = knees + fall / np.linalg.norm(fall) * shin
    chain = np.stack([top, hips + (top - hips) * 0.15, knees, fall])
    lengths = np.linalg.norm(np.diff(chain, axis=0), axis=1)
    total = lengths[0] + lengths[1] * min(skirt.length, 1) + lengths[2] * max(skirt.length - 1, 0)
    rows, columns = 40, 72
    t = np.linspace(0, total, rows)
    knots = np.concatenate([[0], np.cumsum(lengths)])
    axis = np.stack([np.interp(t, knots, chain[:, i]) for i in range(3)], 1)
    axis = gaussian_filter1d(axis, 2.0, axis=0, mode="nearest")
    axis[0] = top
    tangent = np.gradient(axis, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    e1 = side - (tangent @ side)[:, None] * tangent
    e1 /= np.linalg.norm(e1, axis=1, keepdims=True)
    e2 = np.cross(tangent, e1)  # to the front
    angle = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    ways = np.cos(angle)[None, :, None] * e1[:, None] + np.sin(angle)[None, :, None] * e2[:, None]
    # How far the body reaches in each direction at each height: cloth spans its hull.
    mine = (known.arm_share < 0.2) & (c[:, 2] < waist + 0.06)
    points = figure.vertices[mine][::3].astype(np.float64)
    points = points[(points - axis[-1]) @ tangent[-1] < 0.015]
    place = np.argmin(((points[:, None] - axis[None]) ** 2).sum(-1), 1)
    reach = np.zeros((rows, columns))
    for row in range(rows):
        near = np.abs(place - row) <= 4
        if near.any():
            reach[row] = ((points[near] - axis[row]) @ ways[row].T).max(0)
    reach = np.maximum(reach, 0.05 * scale)
    for row in range(1, rows):  # a hem does not cling to what is narrower below
        reach[row] = np.maximum(reach[row], reach[row - 1] * (0.965 if skirt.flare < 0.03 else 0.995))
    reach = gaussian_filter1d(gaussian_filter1d(reach, 1.5, axis=0, mode="nearest"), 1.5, axis=1, mode="wrap")
    down = (t / max(total, 1e-6))[:, None]
    rng = np.random.default_rng(skirt.seed)
    below = np.clip((t - lengths[0]) / (lengths[1] + lengths[2]), 0, 1)[:, None]
    folds = np.cos(angle * skirt.folds + rng.uniform(0, 6) + 0.8 * np.sin(angle * 2 + rng.uniform(0, 6)))[None]
    folds = folds + 0.4 * np.cos(angle * (2 * skirt.folds + 1) + rng.uniform(0, 6))[None]
    radius = reach + ease + skirt.flare * below + folds * below * (0.010 + 0.16 * skirt.flare)
    vertices = axis[:, None] + radius[..., None] * ways
    height = waist - t * (1 / max(scale, 0.3))
    r = 0.16
    canonical = np.stack(
        [
            r * np.cos(angle)[None] + 0 * down,
            -0.02 - r * np.sin(angle)[None] + 0 * down,
            height[:, None] + 0 * angle[None],
        ],
        -1,
    )
    hem = (1 - down) * total - 0.004 * (1 + np.sin(angle * 3 + skirt.seed % 7))[None]
    cut = np.minimum(hem, 1.0)
    if opening:
        ahead = np.abs(np.angle(np.exp(1j * (angle - np.pi / 2))))[None]
        cut = np.minimum(cut, ahead * radius - opening * (0.6 + 0.7 * down))
    n = rows * columns
    zeros = np.zeros(n, np.float32)
    figure.pieces.append(
        Piece(kind, vertices.reshape(-1, 3).astype(np.float32), _grid(rows, columns, True),
              canonical.reshape(-1, 3).astype(np.float32), cut.reshape(-1).astype(np.float32),
              np.full(n, _TORSO, np.uint8), zeros, zeros, _painter(skirt.cloth, region, kind), bias, skirt.cloth.shine)
    )  # fmt: skip
