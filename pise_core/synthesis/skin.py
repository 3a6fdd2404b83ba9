"""The bare body: skin with lips, brows and beard, eyes, and what is drawn right on the skin (socks, tights)."""

from dataclasses import dataclass

import numpy as np

from pise_core.regions import REGION
from pise_core.synthesis.bodies import body
from pise_core.synthesis.dataset import KINDS
from pise_core.synthesis.figures import Figure, Piece
from pise_core.synthesis.patterns import Cloth, linear, waves

_SKIN, _TIGHTS = KINDS.index("skin"), KINDS.index("tights")
#: sRGB of skins from fair to dark.
_TONES = (
    (246, 220, 200), (238, 205, 180), (230, 190, 160), (220, 175, 142), (205, 158, 124), (186, 138, 104),
    (160, 114, 82), (134, 92, 66), (108, 72, 52), (82, 54, 40), (62, 42, 34),
)  # fmt: skip
_IRISES = ((74, 48, 30), (92, 62, 38), (50, 34, 24), (98, 110, 70), (88, 118, 140), (110, 140, 165), (60, 40, 28))


@dataclass(frozen=True)
class Skin:
    """Colours of a body (linear RGB) and of its face.

    Attributes:
        tone: the skin.
        lips, brows, iris: the face's.
        lips_made, lids_made: make-up, 0 to 1.
        brow: thickness of the brows, 0.6 to 1.6.
        beard: 0 none, up to 1 dark stubble.
        rough: strength of spots and redness.
        seed: of what is irregular.
    """

    tone: np.ndarray
    lips: np.ndarray
    brows: np.ndarray
    iris: np.ndarray
    lids_made: float
    brow: float
    beard: float
    rough: float
    seed: int


def random_skin(rng: np.random.Generator, hair: np.ndarray, woman: float, age: float) -> Skin:
    """Skin that fits hair (linear RGB), sex (0 man, 1 woman) and age (0 child, 0.67 adult, 1 old)."""
    place = rng.uniform(0, len(_TONES) - 1)
    low = int(place)
    tone = np.array(_TONES[low]) * (1 - place + low) + np.array(_TONES[min(low + 1, len(_TONES) - 1)]) * (place - low)
    tone = linear(np.clip(tone / 255 + rng.normal(0, 0.012, 3), 0.1, 1))
    lips = tone * np.array([0.86, 0.55, 0.52])
    if woman > 0.6 and age > 0.5 and rng.random() < 0.5:
        made = linear(
            np.array([(190, 40, 55), (200, 90, 95), (150, 40, 70), (215, 110, 110)][int(rng.integers(4))]) / 255
        )
        lips = lips * 0.35 + made * 0.65 * rng.uniform(0.5, 1)
    dark = place > 5
    iris = _IRISES[int(rng.integers(3 if dark else len(_IRISES)))]
    return Skin(
        tone, lips, np.minimum(hair * 0.8, tone * 0.75), linear(np.array(iris) / 255),
        float(woman > 0.6 and age > 0.5) * float(rng.uniform(0, 0.6)),
        float(rng.uniform(0.7, 1.5) * (1.2 - 0.4 * woman)),
        float(woman < 0.4 and age > 0.5) * float(max(rng.uniform(-0.5, 0.9), 0)), float(rng.uniform(0.4, 1.2)),
        int(rng.integers(1 << 30)),
    )  # fmt: skip


@dataclass(frozen=True)
class Legwear:
    """Socks or tights: drawn on the skin up to ``height`` (2 ankle, 1 knee, 0 hip, in lengths along the leg)."""

    cloth: Cloth
    height: float
    sheer: float = 0.0


def is_face(points: np.ndarray) -> np.ndarray:
    """(N,) bool of canonical points on the head: above the jaw, and not the neck."""
    y, z = points[:, 1], points[:, 2]
    return z > 0.785 + np.clip((y + 0.10) * 1.25, 0, 0.075)


def add_skin(figure: Figure, skin: Skin, legwear: Legwear | None) -> None:
    """The body's own surface and the eyes."""
    known = body()
    heads = known.canonical.heads
    ankle = float(heads[known.bones["foot.L"], 2])
    hip = float(heads[known.bones["upperleg01.L"], 2])
    knee = float(heads[known.bones["lowerleg01.L"], 2])

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        colour = _skin_colour(points, skin, arm)
        on_leg = (leg > 0.5) | ((points[:, 2] < hip - 0.02) & (arm < 0.5))
        region = np.where(on_leg, REGION["leg"], REGION["upper_skin"])
        head = (points[:, 2] > 0.76) & (arm < 0.5)
        region[head & is_face(points)] = REGION["face"]
        kind = np.full(len(points), _SKIN)
        if legwear is not None:
            z = points[:, 2]
            place = np.where(z > knee, (hip - z) / (hip - knee), 1 + (knee - z) / (knee - ankle))
            worn = on_leg & (place > legwear.height)
            cloth = legwear.cloth.paint(points, arm, leg)
            colour[worn] = cloth[worn] * (1 - legwear.sheer) + colour[worn] * cloth[worn] * legwear.sheer
            kind[worn] = _TIGHTS
        return colour, region, kind

    eye = known.weights[:, 0] * 0
    for k in range(known.weights.shape[1]):
        eye += known.weights[:, k] * np.isin(known.weight_bones[:, k], [known.bones["eye.L"], known.bones["eye.R"]])
    eyes = (eye[known.faces] > 0.5).all(1)
    rows, where = np.unique(known.faces[eyes], return_inverse=True)

    def paint_eyes(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        centre = heads[known.bones["eye.L"]]
        x, z = np.abs(points[:, 0]) - centre[0] - 0.0015, points[:, 2] - centre[2] + 0.001
        front = points[:, 1] < centre[1]
        away = np.where(front, np.hypot(x, z), 1.0)
        colour = np.full((len(points), 3), 0.62, np.float32) * np.array([1, 0.95, 0.92], np.float32)
        ring = (away < 0.0062)[:, None]
        colour = np.where(ring, skin.iris * (0.55 + 0.75 * np.clip(away / 0.0062, 0, 1))[:, None], colour)
        colour = np.where((away < 0.0026)[:, None], 0.004, colour)
        shade = np.clip(1 - (z - 0.002) / 0.008, 0.45, 1)  # of the upper lid
        return (colour * shade[:, None]).astype(np.float32), REGION["face"], _SKIN

    none = np.zeros(len(rows), np.float32)
    figure.pieces.append(
        Piece("skin", figure.vertices[rows], where.reshape(-1, 3).astype(np.int32), known.canonical.vertices[rows],
              none + 1, known.segment[rows], none, none, paint_eyes, 0.0, 0.5, rows)
    )  # fmt: skip
    figure.pieces.append(
        Piece("skin", figure.vertices, known.faces[~eyes], known.canonical.vertices, -figure.tight, known.segment,
              known.arm_share, known.leg_share, paint, 0.0, 0.10,
              np.arange(len(known.segment)))
    )  # fmt: skip


def _skin_colour(p: np.ndarray, skin: Skin, arm: np.ndarray) -> np.ndarray:
    x, y, z = np.abs(p[:, 0]), p[:, 1], p[:, 2]
    colour = skin.tone * (1 + 0.035 * skin.rough * waves(p, 22, skin.seed))[:, None]
    colour = colour.astype(np.float32)
    head = np.nonzero((z > 0.74) & (y < -0.03) & (arm < 0.5))[0]
    if not len(head):
        return colour
    q, x, y, z = p[head], x[head], y[head], z[head]
    face = colour[head]

    def blend(share: np.ndarray, to: np.ndarray) -> None:
        nonlocal face
        face = face * (1 - share[:, None]) + np.asarray(to, np.float32) * share[:, None]

    red = np.exp(-(((x - 0.042) / 0.02) ** 2 + ((z - 0.865) / 0.02) ** 2)) + 0.8 * np.exp(
        -((x / 0.015) ** 2 + ((z - 0.868) / 0.012) ** 2)
    )
    blend(0.25 * skin.rough * np.clip(red, 0, 1), skin.tone * [1.0, 0.70, 0.66])
    if skin.beard:
        jaw = 1 / (1 + np.exp((z - 0.868 + 0.25 * np.maximum(0.03 - x, 0)) / 0.006)) * (z > 0.765) * (y < -0.055)
        bare = np.exp(-((x / 0.02) ** 2 + ((z - 0.8305) / 0.006) ** 2))
        grain = 0.8 + 0.3 * waves(q, 1500, skin.seed + 2)
        blend(np.clip(skin.beard * jaw * (1 - bare) * grain, 0, 0.95), skin.brows)
    # Lips: two bows about the line of the mouth.
    t = np.clip(x / 0.0255, 0, 1)
    upper = 0.8315 + 0.0075 * (1 - t**1.6) - 0.0025 * np.exp(-((x / 0.004) ** 2))
    lower = 0.8315 - 0.0105 * (1 - t**2.2)
    inside = np.minimum(upper - z, z - lower)
    lips = np.clip(inside / 0.0012 + 0.3, 0, 1) * (x < 0.0255) * (y < -0.10)
    blend(lips * 0.9, skin.lips)
    blend(0.75 * np.exp(-(((z - 0.8312) / 0.0011) ** 2)) * (x < 0.026) * (y < -0.10), skin.lips * 0.25)
    # Brows: an arc above each eye, thick inside and thin outside.
    s = np.clip((x - 0.013) / 0.042, 0, 1)
    arc = 0.9165 + 0.0055 * np.sin(np.pi * np.clip(s * 0.9 + 0.05, 0, 1)) - 0.004 * s
    half = 0.0034 * skin.brow * (1.05 - 0.75 * s)
    hairs = 0.85 + 0.15 * np.sin(x * 4000 + z * 2500)
    brow = np.clip((half - np.abs(z - arc)) / 0.0012 + 0.5, 0, 1) * (x > 0.012) * (x < 0.056) * (y < -0.09)
    blend(brow * 0.88 * hairs, skin.brows)
    # Lashes and lids: dark along the upper rim of the eye, made up above it.
    ex, ez = (x - 0.0335) / 0.0160, (z - 0.9035) / 0.0058
    ring = np.hypot(ex, ez)
    lash = np.exp(-(((ring - 1.02) / 0.16) ** 2)) * np.clip(0.55 + ez, 0.15, 1) * (y < -0.09)
    blend(np.clip(lash * 0.8, 0, 0.85), skin.tone * 0.06)
    lid = np.exp(-(((ring - 1.45) / 0.35) ** 2)) * (ez > 0) * (y < -0.09)
    blend(lid * (0.18 + 0.5 * skin.lids_made), skin.tone * [0.55, 0.42, 0.42])
    nostril = np.exp(-(((x - 0.0085) / 0.0035) ** 2 + ((z - 0.8605) / 0.0022) ** 2)) * (y < -0.145)
    blend(nostril * 0.7, skin.tone * 0.15)
    colour[head] = face
    return colour
