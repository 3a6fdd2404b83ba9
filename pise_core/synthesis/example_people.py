"""Who greets a visitor: eight pictures of people, dressed and placed by hand."""

from dataclasses import dataclass, field

import numpy as np

from pise_core.synthesis import wardrobe
from pise_core.synthesis.patterns import Cloth, linear
from pise_core.synthesis.poses import Arm, Leg, Pose

_Rgb = tuple[int, int, int]


def cloth(pattern: str, *colours: _Rgb, scale: float = 0.05, seed: int = 1, shine: float = 0.04) -> Cloth:
    """A material by sRGB colours (ground, figure, accent; the last one given stands for those that are missing)."""
    rows = [*colours, *[colours[-1]] * (3 - len(colours))]
    return Cloth(pattern, np.stack([linear(np.array(c) / 255) for c in rows]), scale, seed, shine)


@dataclass(frozen=True)
class Recipe:
    """One person of the examples; fields as in ``people.Look`` and its parts."""

    woman: float
    age: float
    tone: _Rgb
    hair_colour: _Rgb
    style: str
    pose: Pose
    clothes: wardrobe.Clothes
    build: dict[str, float] = field(default_factory=dict)
    length: float = 0.3
    fringe: float = 0.0
    curl: float = 0.3
    volume: tuple[float, float] = (0.022, 0.016)
    lips: _Rgb | None = None
    beard: float = 0.0
    full_beard: float = 0.0
    held: str = ""
    glasses: str = ""
    hat: str = ""
    seed: int = 1
    aside: float = 0.0


@dataclass(frozen=True)
class Example:
    """A picture: who is in it, where, and in what light (direction of the sun, sun, sky)."""

    people: tuple[Recipe, ...]
    place: str
    light: tuple[tuple[float, float, float], float, float]
    seed: int
    blur: float = 3.0
    eye: float = 1.35


def _top(
    material: Cloth,
    sleeve: float = 1.95,
    neck: str = "crew",
    ease: float = 0.013,
    opening: float = 0.0,
    hem: float = 0.13,
    depth: float = 0.08,
) -> wardrobe.Top:
    return wardrobe.Top(material, sleeve, hem, neck, depth, ease, opening, 5)


def _jeans(colour: _Rgb, wide: tuple[float, float] = (0.010, 0.016), length: float = 1.98) -> wardrobe.Trousers:
    light = (min(colour[0] + 50, 255), min(colour[1] + 52, 255), min(colour[2] + 50, 255))
    return wardrobe.Trousers(cloth("denim", colour, light), length, wide, 3)


def _shoes(colour: _Rgb, height: float = 0.0, white: bool = False) -> wardrobe.Shoes:
    sole = np.full(3, 0.7 if white else 0.02, np.float32)
    return wardrobe.Shoes(cloth("plain", colour, shine=0.2), height, 0.026, sole)


_REST = (Leg(2, 4, 4, 10), Leg(9, 7, 20, 16, 4))
_STAND = (Leg(0, 4, 4, 10), Leg(0, 4, 4, 10))
_HANG, _OUT = Arm(13, 14, 16, turn=15, curl=0.3), Arm(20, 8, 22, turn=20, curl=0.35)
_HIP, _RIGHT_HIP = (
    Arm(reach=((x, -0.02, 0.24), (0.075, -0.02, 0.03)), pole=(1, 0.4, -0.1), wrist=15, curl=0.3) for x in (0.17, -0.17)
)
_SUN, _SOFT, _ROOM = ((-0.6, -0.9, 0.9), 0.9, 0.42), ((-0.4, -0.8, 1.0), 0.45, 0.62), ((0.8, -0.8, 0.7), 0.62, 0.46)

EXAMPLES: tuple[Example, ...] = (
    Example(
        (
            Recipe(
                0.95,
                0.66,
                (226, 184, 154),
                (74, 46, 30),
                "long",
                # Arms well away from the body: what is between them shows.
                Pose(
                    "stand",
                    Arm(20, 8, 20, turn=15, curl=0.3),
                    Arm(33, 10, 24, turn=20, curl=0.35),
                    *_REST,
                    turn=-8,
                    hips=(0, 3),
                    spine=(0, -3, 2),
                    head=(2, 2, 6),
                ),
                wardrobe.Clothes(
                    _top(cloth("stripes", (236, 230, 216), (34, 48, 84), scale=0.052)),
                    False,
                    _jeans((58, 84, 128)),
                    None,
                    None,
                    None,
                    None,
                    _shoes((236, 236, 232), 0.0, True),
                ),
                length=0.30,
                lips=(186, 92, 88),
                seed=4,
            ),
        ),
        "wall",
        _SOFT,
        9,
        1.2,
    ),
    Example(
        (
            Recipe(
                0.05,
                0.70,
                (120, 82, 60),
                (24, 18, 16),
                "crop",
                Pose("stand", _OUT, _HANG, *_STAND, turn=10, head=(0, 0, -6)),
                wardrobe.Clothes(
                    _top(cloth("lettering", (232, 226, 214), (30, 40, 70), seed=9), 0.62, "crew", 0.018),
                    False,
                    wardrobe.Trousers(cloth("plain", (70, 74, 62), (80, 84, 70)), 1.98, (0.018, 0.022), 4),
                    None,
                    None,
                    None,
                    None,
                    _shoes((40, 42, 46), 0.0, True),
                ),
                {"muscle": 0.68, "height": 0.62},
                beard=0.45,
                volume=(0.006, 0.004),
                seed=8,
            ),
        ),
        "street",
        _SUN,
        6,
        2.5,
    ),
    Example(
        (
            Recipe(
                0.93,
                0.72,
                (152, 106, 78),
                (30, 22, 20),
                "bun",
                Pose("stand", _RIGHT_HIP, _OUT, *_REST, turn=-14, hips=(0, 4), spine=(0, -4, 0), head=(0, 3, 8)),
                wardrobe.Clothes(
                    _top(cloth("plain", (44, 92, 96), (52, 100, 104)), 0.3, "scoop", 0.010, hem=0.2),
                    True,
                    None,
                    wardrobe.Skirt(cloth("plain", (44, 92, 96), (52, 100, 104)), 0.95, 0.13, 9, 5),
                    None,
                    None,
                    None,
                    _shoes((150, 104, 70)),
                ),
                {"weight": 0.55},
                lips=(168, 62, 66),
                seed=12,
            ),
        ),
        "park",
        _SUN,
        2,
        3.0,
    ),
    Example(
        (
            Recipe(
                0.06,
                0.92,
                (224, 182, 152),
                (172, 168, 164),
                "short",
                Pose("stand", _HANG, Arm(10, 30, 30, turn=10, curl=0.4), *_STAND, turn=12, head=(2, 0, -8)),
                wardrobe.Clothes(
                    _top(cloth("plain", (214, 220, 228), (206, 212, 222)), 1.95, "collar", 0.012),
                    False,
                    wardrobe.Trousers(cloth("plain", (58, 56, 60), (66, 64, 68)), 1.98, (0.014, 0.016), 4),
                    None,
                    _top(cloth("melange", (92, 84, 66), (108, 98, 78)), 1.93, "v", 0.026, 0.04, 0.12, 0.14),
                    None,
                    None,
                    _shoes((70, 44, 28)),
                ),
                {"weight": 0.6, "muscle": 0.42},
                full_beard=0.008,
                glasses="clear",
                volume=(0.016, 0.008),
                seed=15,
            ),
        ),
        "street",
        _SOFT,
        11,
        2.5,
    ),
    Example(
        (
            Recipe(
                0.94,
                0.62,
                (238, 204, 178),
                (168, 96, 50),
                "ponytail",
                Pose(
                    "sit",
                    Arm(24, 66, 58, 14, turn=35, curl=0.3),
                    Arm(26, 62, 60, 14, turn=35, curl=0.3),
                    Leg(84, 7, 84, 6),
                    Leg(86, 5, 92, 6),
                    turn=22,
                    hips=(-4, 0),
                    spine=(4, 0, -4),
                    head=(0, 0, -14),
                    seat=True,
                ),
                wardrobe.Clothes(
                    _top(cloth("knit", (226, 176, 74), (206, 156, 60)), 1.95, "crew", 0.018),
                    False,
                    _jeans((96, 124, 164), (0.010, 0.020)),
                    None,
                    None,
                    None,
                    None,
                    _shoes((230, 228, 222), 0.02, True),
                ),
                {"weight": 0.42},
                length=0.13,
                fringe=-0.045,
                curl=0.2,
                lips=(200, 104, 98),
                seed=23,
            ),
        ),
        "room",
        _ROOM,
        9,
        1.2,
    ),
    Example(
        (
            Recipe(
                0.96,
                0.70,
                (206, 160, 128),
                (28, 22, 20),
                "very long",
                Pose("stand", _HANG, Arm(9, 12, 10, turn=22, curl=0.95), *_STAND, turn=-6, head=(0, -2, 6)),
                wardrobe.Clothes(
                    _top(cloth("plain", (240, 236, 228), (232, 228, 220)), 1.9, "scoop", 0.010),
                    False,
                    wardrobe.Trousers(cloth("plain", (36, 36, 42), (44, 44, 50)), 1.95, (0.006, 0.010), 4),
                    None,
                    _top(
                        cloth("plaid", (150, 60, 58), (96, 36, 40), (226, 196, 150), scale=0.07),
                        1.95,
                        "v",
                        0.024,
                        0.06,
                        0.12,
                        0.12,
                    ),
                    None,
                    None,
                    _shoes((44, 32, 28), 0.10),
                ),
                {"height": 0.58},
                length=0.40,
                lips=(170, 70, 74),
                held="handbag",
                seed=31,
            ),
        ),
        "street",
        _SUN,
        9,
        2.5,
    ),
    Example(
        (
            Recipe(
                0.05,
                0.46,
                (206, 158, 124),
                (40, 28, 22),
                "curly",
                Pose("stand", _OUT, _HIP, *_REST, turn=-10, hips=(0, 2), head=(-2, 0, 8)),
                wardrobe.Clothes(
                    _top(cloth("blocks", (60, 130, 110), (236, 226, 200), (40, 66, 96)), 1.95, "crew", 0.020),
                    False,
                    wardrobe.Trousers(cloth("plain", (176, 148, 108), (186, 158, 118)), 1.05, (0.024, 0.032), 4),
                    None,
                    None,
                    None,
                    None,
                    _shoes((200, 60, 50), 0.0, True),
                ),
                {"weight": 0.5},
                curl=0.8,
                volume=(0.034, 0.024),
                seed=37,
            ),
        ),
        "park",
        _SOFT,
        12,
        3.0,
    ),
    Example(
        (
            Recipe(
                0.94,
                0.68,
                (92, 62, 48),
                (20, 16, 15),
                "afro",
                Pose("stand", _HANG, _HANG, *_STAND, turn=-12, head=(0, 0, 10)),
                wardrobe.Clothes(
                    _top(cloth("plain", (120, 70, 140), (128, 78, 148)), 0.6, "v", 0.012, depth=0.09),
                    False,
                    None,
                    wardrobe.Skirt(cloth("dots", (236, 228, 214), (40, 46, 70), scale=0.045), 0.9, 0.10, 8, 6),
                    None,
                    None,
                    None,
                    _shoes((236, 232, 226), 0.0, True),
                ),
                {"weight": 0.5},
                volume=(0.055, 0.05),
                curl=0.7,
                lips=(140, 58, 66),
                seed=41,
                aside=-0.36,
            ),
            Recipe(
                0.05,
                0.72,
                (236, 200, 172),
                (112, 78, 48),
                "quiff",
                Pose(
                    "stand",
                    _HANG,
                    Arm(reach=((0.19, -0.03, 0.14), (0.05, -0.03, 0.02)), pole=(0.8, 0.8, 0.1), wrist=5),
                    *_REST,
                    turn=12,
                    head=(0, 0, -8),
                ),
                wardrobe.Clothes(
                    _top(cloth("checks", (60, 84, 120), (220, 224, 228), scale=0.04), 1.93, "collar", 0.016),
                    False,
                    wardrobe.Trousers(cloth("plain", (54, 62, 84), (62, 70, 92)), 1.98, (0.014, 0.016), 4),
                    None,
                    None,
                    None,
                    None,
                    _shoes((92, 58, 36)),
                ),
                {"height": 0.66, "muscle": 0.6},
                beard=0.4,
                volume=(0.034, 0.008),
                seed=43,
                aside=0.36,
            ),
        ),
        "street",
        _SUN,
        10,
        2.5,
    ),
)
