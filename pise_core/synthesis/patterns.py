"""Colours of cloth: patterns drawn in coordinates on the body, in linear RGB."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from pise_core.synthesis.bodies import body

PATTERNS = (
    "plain", "melange", "stripes", "vertical stripes", "checks", "plaid", "dots", "print", "lettering", "denim",
    "knit", "blocks", "flowers", "gradient", "camouflage",
)  # fmt: skip


def linear(rgb: tuple[float, float, float] | np.ndarray) -> np.ndarray:
    """sRGB 0..1 -> linear."""
    c = np.asarray(rgb, np.float32)
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4).astype(np.float32)


def waves(points: np.ndarray, frequency: float, seed: int, count: int = 5) -> np.ndarray:
    """Smooth noise of about -1 to 1 over points (N, D): sines in random directions, ``frequency`` radians a metre."""
    rng = np.random.default_rng(seed)
    total = np.zeros(len(points), np.float32)
    for _ in range(count):
        way = rng.normal(0, frequency, points.shape[1]).astype(np.float32)
        total += np.sin(points @ way + np.float32(rng.uniform(0, 6.28)))
    return total / np.float32(count**0.5)


@dataclass(frozen=True)
class Cloth:
    """A material.

    Attributes:
        pattern: one of ``PATTERNS``.
        colours: (3, 3) linear RGB: ground, figure, accent.
        scale: of the figure in metres.
        seed: of what is irregular.
        shine: strength of highlights, 0 to 1.
    """

    pattern: str
    colours: np.ndarray
    scale: float = 0.05
    seed: int = 0
    shine: float = 0.05

    def paint(self, points: np.ndarray, arm: np.ndarray, leg: np.ndarray) -> np.ndarray:
        """(N, 3) linear RGB at canonical points; ``arm`` and ``leg`` (N,) say how far a point belongs to a limb."""
        u, v = unrolled(points, arm, leg)
        ground, figure, accent = (c.astype(np.float32) for c in self.colours)
        mixed = _FIGURES[self.pattern](self, u, v, points, arm)
        if mixed.ndim == 1:
            colour = ground + (figure - ground) * mixed[:, None]
        else:
            colour = ground + (figure - ground) * mixed[:, :1] + (accent - ground) * mixed[:, 1:2]
        return np.clip(colour, 0.003, 0.95)


def unrolled(points: np.ndarray, arm: np.ndarray, leg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Metres round the body and along it, at canonical points: round and along an arm on the arms."""
    heads, bones = body().canonical.heads, body().bones
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    u = np.arctan2(points[:, 0], -(points[:, 1] + 0.02)) * 0.16
    v = z.copy()
    on = leg > 0.6
    if on.any():
        a, b = heads[bones["upperleg01.L"]], heads[bones["foot.L"]]
        t = (a[2] - z[on]) / (a[2] - b[2])
        u[on] = np.arctan2(x[on] - (a[0] + (b[0] - a[0]) * t), -(y[on] + 0.02)) * 0.08
    on = arm > 0.5
    if on.any():
        a, b = heads[bones["upperarm01.L"]], heads[bones["lowerarm01.L"]]
        d = (b - a) / np.linalg.norm(b - a)
        p = np.stack([x[on], y[on], z[on]], 1) - a
        along = p @ d
        v[on] = 0.62 - along
        across = p - along[:, None] * d
        e = np.cross(d, [0, 1, 0])
        u[on] = np.arctan2(across @ (e / np.linalg.norm(e)), -across[:, 1]) * 0.05
    return u.astype(np.float32), v.astype(np.float32)


def _edge(t: np.ndarray, sharp: float = 6) -> np.ndarray:
    return np.clip(t * sharp + 0.5, 0, 1)


def _wave(t: np.ndarray, scale: float) -> np.ndarray:
    return np.sin(t * np.float32(2 * np.pi / scale))


def _plain(c: Cloth, u, v, p, arm):
    return 0.12 * (waves(p, 25, c.seed) + 1)


def _melange(c: Cloth, u, v, p, arm):
    return np.clip(0.35 + 0.3 * waves(p, 400, c.seed), 0, 1)


def _stripes(c: Cloth, u, v, p, arm):
    wide = np.random.default_rng(c.seed).uniform(-0.6, 0.6)
    return _edge(_wave(v, c.scale) - wide)


def _vertical(c: Cloth, u, v, p, arm):
    return _edge(_wave(u, c.scale) - np.random.default_rng(c.seed).uniform(-0.2, 0.8))


def _checks(c: Cloth, u, v, p, arm):
    return (_edge(_wave(u, c.scale)) + _edge(_wave(v, c.scale))) / 2


def _plaid(c: Cloth, u, v, p, arm):
    broad = (_edge(_wave(u, c.scale * 2)) + _edge(_wave(v, c.scale * 2))) / 2
    thin = np.maximum(_edge(_wave(u + 0.01, c.scale * 2) - 0.93, 20), _edge(_wave(v + 0.01, c.scale * 2) - 0.93, 20))
    return np.stack([broad * (1 - thin), thin * 0.8], 1)


def _dots(c: Cloth, u, v, p, arm):
    return _edge(_wave(u, c.scale) * _wave(v, c.scale) - 0.45)


def _print(c: Cloth, u, v, p, arm):
    rng = np.random.default_rng(c.seed)
    r = rng.uniform(0.06, 0.12)
    d = np.hypot(u / rng.uniform(0.8, 1.3), v - 0.46) / r
    shape = [d, np.maximum(np.abs(u), np.abs(v - 0.46)) / r, d + 0.25 * np.sin(np.arctan2(v - 0.46, u) * 5)]
    d = shape[int(rng.integers(3))]
    on = _edge(1 - d, 20) * (arm < 0.5)
    inner = _edge(waves(np.stack([u, v], 1), 60, c.seed + 1), 4)
    return np.stack([on * inner, on * (1 - inner)], 1)


def _sample(image: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """An image (H, W) between its pixels; 0 outside. OpenCV's remap takes no more than 32,767 places in a row."""
    x, y = np.floor(columns).astype(int), np.floor(rows).astype(int)
    a, b = columns - x, rows - y
    inside = (x >= 0) & (y >= 0) & (x < image.shape[1] - 1) & (y < image.shape[0] - 1)
    x, y = np.where(inside, x, 0), np.where(inside, y, 0)
    mixed = (image[y, x] * (1 - a) + image[y, x + 1] * a) * (1 - b) + (
        image[y + 1, x] * (1 - a) + image[y + 1, x + 1] * a
    ) * b
    return np.where(inside, mixed, 0)


def _lettering(c: Cloth, u, v, p, arm):
    rng = np.random.default_rng(c.seed)
    words = "".join(rng.choice(list("ABCDEFGHIKLMNOPRSTUVWYZ"), int(rng.integers(3, 8))))
    image = np.zeros((64, 256), np.uint8)
    font = int(rng.choice([cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_COMPLEX]))
    (width, height), _ = cv2.getTextSize(words, font, 1.6, 4)
    size = min(1.6, 1.6 * 236 / width)
    left = int((256 - width * size / 1.6) / 2)
    cv2.putText(image, words, (left, 32 + int(height * size / 3.2)), font, size, 255, 4, cv2.LINE_AA)
    wide = 0.15
    columns = (u + wide) / (2 * wide) * 256
    rows = 32 - (v - 0.48) / (2 * wide) * 256
    seen = _sample(image, columns, rows)
    band = _edge(_wave(v, 0.5) - 0.9) if rng.random() < 0.3 else np.zeros_like(u)
    return np.stack([seen / 255 * (arm < 0.5), band], 1)


def _denim(c: Cloth, u, v, p, arm):
    worn = np.exp(-(((np.abs(p[:, 0]) - 0.13) / 0.05) ** 2)) * (p[:, 1] < 0) * 0.35
    grain = 0.12 * waves(np.stack([u, v], 1), 700, c.seed)
    seam = _edge(0.004 - np.abs(np.abs(u) - 0.125), 200) * 0.5
    return np.stack([np.clip(0.25 + worn + grain + 0.1 * waves(p, 20, c.seed), 0, 1), seam * 0], 1)


def _knit(c: Cloth, u, v, p, arm):
    ribs = 0.5 + 0.5 * _wave(u, 0.012) * (0.6 + 0.4 * _wave(v, 0.009))
    return 0.5 * ribs


def _blocks(c: Cloth, u, v, p, arm):
    at = np.random.default_rng(c.seed).uniform(0.35, 0.55)
    return np.stack([_edge(v - at, 80) * (arm < 0.5), (arm > 0.5) * 1.0], 1)


def _flowers(c: Cloth, u, v, p, arm):
    q = np.stack([u, v], 1)
    blobs = waves(q, 2.6 / c.scale, c.seed, 6)
    leaves = waves(q, 3.5 / c.scale, c.seed + 1, 6)
    return np.stack([_edge(blobs - 0.75, 5), _edge(leaves - 0.95, 5) * (blobs < 0.6)], 1)


def _gradient(c: Cloth, u, v, p, arm):
    return np.clip((v - 0.15) / 0.5, 0, 1)


def _camouflage(c: Cloth, u, v, p, arm):
    a, b = waves(p, 2.2 / c.scale, c.seed), waves(p, 2.2 / c.scale, c.seed + 7)
    return np.stack([_edge(a - 0.3), _edge(b - 0.5) * (a < 0.3)], 1)


_FIGURES: dict[str, Callable[..., np.ndarray]] = {
    "plain": _plain, "melange": _melange, "stripes": _stripes, "vertical stripes": _vertical, "checks": _checks,
    "plaid": _plaid, "dots": _dots, "print": _print, "lettering": _lettering, "denim": _denim, "knit": _knit,
    "blocks": _blocks, "flowers": _flowers, "gradient": _gradient, "camouflage": _camouflage,
}  # fmt: skip

#: sRGB of dyes that clothes are sold in.
_DYES = (
    (20, 20, 22), (36, 36, 40), (70, 70, 74), (120, 120, 122), (175, 172, 168), (225, 222, 215), (242, 240, 235),
    (25, 34, 62), (36, 58, 104), (58, 92, 150), (110, 150, 200), (160, 24, 32), (120, 20, 40), (205, 60, 50),
    (230, 120, 60), (228, 178, 60), (240, 215, 120), (40, 70, 48), (70, 110, 70), (110, 116, 66), (30, 110, 110),
    (90, 170, 160), (90, 60, 40), (150, 108, 70), (196, 164, 122), (222, 203, 170), (225, 150, 165), (200, 90, 130),
    (120, 70, 130), (170, 150, 200), (240, 205, 205), (88, 24, 58),
)  # fmt: skip
_JEANS = ((40, 52, 82), (62, 82, 118), (96, 118, 152), (140, 160, 186), (24, 28, 38), (70, 74, 82))


def random_cloth(rng: np.random.Generator, kinds: tuple[str, ...], patterned: float = 0.5) -> Cloth:
    """A material whose pattern is one of ``kinds`` with this probability, and plain or nearly so otherwise."""
    dyes = [
        np.clip(np.array(_DYES[int(i)]) / 255 + rng.normal(0, 0.02, 3), 0.01, 1)
        for i in rng.integers(len(_DYES), size=3)
    ]
    # A figure that cannot be told from its ground is no pattern.
    while abs(dyes[0].mean() - dyes[1].mean()) < 0.12 and np.abs(dyes[0] - dyes[1]).max() < 0.25:
        dyes[1] = np.array(_DYES[int(rng.integers(len(_DYES)))]) / 255
    kind = (
        str(rng.choice(kinds)) if rng.random() < patterned else str(rng.choice(["plain", "plain", "melange", "knit"]))
    )
    colours = np.stack([linear(d) for d in dyes])
    if kind == "denim":
        base = np.array(_JEANS[int(rng.integers(len(_JEANS)))]) / 255
        colours = np.stack([linear(base), linear(np.clip(base * 1.25 + 0.1, 0, 1)), linear((0.75, 0.55, 0.3))])
    elif kind in ("plain", "melange", "knit"):
        colours[1] = colours[0] * rng.uniform(0.5, 1.6)
    scale = float(np.exp(rng.uniform(np.log(0.02), np.log(0.11))))
    return Cloth(kind, np.clip(colours, 0.004, 0.9), scale, int(rng.integers(1 << 30)), float(rng.uniform(0, 0.12)))
