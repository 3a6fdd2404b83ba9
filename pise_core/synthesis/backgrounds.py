"""What is behind a figure: streets, walls, parks and rooms drawn by rule, or photos of a folder."""

from pathlib import Path

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.synthesis.patterns import linear
from pise_core.synthesis.scene import Camera

KINDS = ("studio", "wall", "street", "street", "park", "room", "blur")


class Photos:
    """Photos of a folder, cut at random; nobody should be in them."""

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(
            p for p in Path(folder).iterdir() if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
        )
        if not self._paths:
            raise InputError(f"{folder} holds no photos (.jpg, .png, .webp) to take as backgrounds")

    def __len__(self) -> int:
        return len(self._paths)

    def crop(self, rng: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        """(H, W, 3) uint8, somewhere from a photo, mirrored at random."""
        path = self._paths[int(rng.integers(len(self._paths)))]
        image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if image is None:
            raise InputError(f"{path} can't be read as a photo")
        height, width = image.shape[:2]
        share = rng.uniform(0.55, 1.0)
        tall = min(height, width * size[0] / size[1]) * share
        wide = tall * size[1] / size[0]
        y, x = rng.uniform(0, height - tall), rng.uniform(0, width - wide)
        cut = image[int(y) : int(y + tall), int(x) : int(x + wide)]
        cut = cv2.resize(cut, size[::-1], interpolation=cv2.INTER_AREA)
        return cut[:, ::-1].copy() if rng.random() < 0.5 else cut


def _noise(rng: np.random.Generator, size: tuple[int, int], grain: float) -> np.ndarray:
    """(H, W) about 0, sd 1, smooth at ``grain`` pixels."""
    small = rng.normal(size=(max(int(size[0] / grain), 2) + 2, max(int(size[1] / grain), 2) + 2)).astype(np.float32)
    return cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)


def _noises(rng: np.random.Generator, size: tuple[int, int], parts: tuple[tuple[float, float], ...]) -> np.ndarray:
    """(H, W), a sum of noises: (grain, strength)."""
    return np.sum([_noise(rng, size, grain) * strength for grain, strength in parts], 0)


def _colour(rng: np.random.Generator, low: float, high: float, strength: float = 0.05) -> np.ndarray:
    return linear(np.clip(rng.uniform(low, high) + rng.normal(0, strength, 3), 0.02, 0.98))


def draw(
    rng: np.random.Generator, camera: Camera, ground: float, kind: str | None = None, blur: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A place of a kind (of ``KINDS``), out of focus by ``blur`` (pixels of a picture of 256 lines); both at random.

    Returns (H, W, 3) float32 linear and (H, W) bool, where the floor is. ``ground`` is the height of the floor in the
    world; the horizon follows from the camera.
    """
    drawn = KINDS[int(rng.integers(len(KINDS)))]
    grain = rng.spawn(1)[0]  # noise takes more numbers the larger the picture; what is drawn must not depend on it
    kind = kind or drawn
    height, width = camera.size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) + 0.5
    rays = np.stack([(x - camera.centre[0]) / camera.focal, (y - camera.centre[1]) / camera.focal, np.ones_like(x)], -1)
    rays = rays @ camera.rows.astype(np.float32)
    depth_to_floor = (ground - camera.position[2]) / np.minimum(rays[..., 2], -1e-4)
    far = rng.uniform(1.0, 3.0) if kind in ("studio", "wall", "room") else rng.uniform(6, 25)
    # The wall stands square to the view, ``far`` behind the figure (which is at the origin).
    ahead = np.array([camera.rows[2][0], camera.rows[2][1], 0.0])
    ahead /= np.linalg.norm(ahead)
    turn = rng.normal(0, 0.25) if kind != "studio" else 0.0
    ahead = np.array(
        [ahead[0] * np.cos(turn) - ahead[1] * np.sin(turn), ahead[0] * np.sin(turn) + ahead[1] * np.cos(turn), 0]
    )
    base = np.array([camera.rows[2][0], camera.rows[2][1], 0.0])
    distance = far - camera.position @ base / np.linalg.norm(base)
    to_wall = np.maximum(distance, 0.5) / np.maximum(rays @ ahead.astype(np.float32), 1e-3)
    floor = (rays[..., 2] < -1e-4) & (depth_to_floor < to_wall)
    t = np.where(floor, depth_to_floor, to_wall)
    points = camera.position.astype(np.float32) + rays * t[..., None]
    side = np.array([-ahead[1], ahead[0], 0.0], np.float32)
    u, v = points @ side, points[..., 2] - ground
    w = points @ ahead.astype(np.float32)
    size = camera.size
    texture = _noises(grain, size, ((2, 0.02), (9, 0.025), (40, 0.03)))
    picture = np.zeros((*size, 3), np.float32)
    if kind == "studio":
        tone = _colour(rng, 0.35, 0.98, 0.06)
        fade = 1 - rng.uniform(0, 0.3) * ((x - width / 2) / width) ** 2 * 4 - rng.uniform(-0.1, 0.25) * (y / height)
        picture[:] = tone * fade[..., None]
        if rng.random() < 0.5:
            picture[floor] *= rng.uniform(0.75, 1.05)
        picture = cv2.GaussianBlur(picture, (0, 0), max(height / 60, 0.5)) * (1 + 0.2 * texture)[..., None]
        return np.maximum(picture, 0), floor
    wall = _wall(rng, grain, kind, u, v, size)
    picture[:] = wall
    picture[floor] = _floor(rng, grain, kind, u, w)[floor]
    if kind in ("street", "park"):
        _things(rng, picture, camera, ground, floor, kind)
    picture *= (1 + texture)[..., None]
    edge = np.exp(-np.abs(v) / rng.uniform(0.05, 0.3)) * (~floor)
    picture *= (1 - 0.35 * edge)[..., None]
    if blur is None and (kind == "blur" or rng.random() < 0.45):
        blur = rng.uniform(0.6, 4 if kind != "blur" else 9)
    if blur:
        picture = cv2.GaussianBlur(picture, (0, 0), blur * height / 256)
    return np.maximum(picture, 0).astype(np.float32), floor


def _lines(t: np.ndarray, period: float, wide: float) -> np.ndarray:
    return (np.abs((t / period) % 1 - 0.5) > 0.5 - wide / period / 2).astype(np.float32)


def _wall(
    rng: np.random.Generator, grain: np.random.Generator, kind: str, u: np.ndarray, v: np.ndarray, size: tuple[int, int]
) -> np.ndarray:
    u = u + rng.uniform(-5, 5)
    base = _colour(rng, 0.25, 0.9, 0.07)
    out = np.broadcast_to(base, (*size, 3)).copy()
    if kind == "park":
        leaves = _noises(grain, size, ((3, 0.25), (8, 0.3), (25, 0.35)))
        green = linear(np.array([0.28, 0.40, 0.18]) + rng.normal(0, 0.04, 3))
        out = green * np.exp(0.8 * leaves)[..., None]
        sky = np.clip((v - rng.uniform(3, 12) + _noise(grain, size, 20) * 0.8) * 2, 0, 1)[..., None]
        return out * (1 - sky) + _colour(rng, 0.75, 0.95, 0.03) * sky
    style = (
        rng.choice(["plain", "brick", "panels", "windows"], p=[0.25, 0.25, 0.15, 0.35]) if kind != "room" else "plain"
    )
    if kind in ("street", "blur"):
        style = rng.choice(["windows", "brick", "panels"], p=[0.65, 0.2, 0.15])
    if style == "brick":
        row = np.floor(v / 0.075)
        shift = u + 0.11 * (row % 2)
        joint = np.maximum(_lines(v, 0.075, 0.011), _lines(shift, 0.22, 0.011))
        cell = np.sin(row * 12.9898 + np.floor(shift / 0.22 + 0.5) * 78.233) * 43758.5453
        tint = 0.8 + 0.4 * (cell - np.floor(cell))
        brick = linear(np.clip(np.array([0.55, 0.32, 0.26]) + rng.normal(0, 0.08, 3), 0.05, 0.95))
        out = brick * tint[..., None] * (1 - joint[..., None]) + _colour(rng, 0.5, 0.75, 0.02) * joint[..., None]
    elif style == "panels":
        wide = rng.uniform(0.1, 1.4)
        out *= (1 - 0.5 * _lines(u, wide, 0.012))[..., None]
        if rng.random() < 0.5:
            out *= (1 - 0.5 * _lines(v, wide * rng.uniform(0.5, 2), 0.012))[..., None]
    elif style == "windows":
        wide, tall = rng.uniform(1.4, 3.2), rng.uniform(2.4, 3.6)
        a, b = (u / wide) % 1, ((v - rng.uniform(0, 1.2)) / tall) % 1
        inner = (np.abs(a - 0.5) < rng.uniform(0.22, 0.40)) & (np.abs(b - 0.5) < rng.uniform(0.25, 0.40))
        frame = (np.abs(a - 0.5) < 0.42) & (np.abs(b - 0.5) < 0.43) & ~inner
        glass = _colour(rng, 0.08, 0.45, 0.05)
        shine = np.clip(0.6 + 0.5 * _noise(grain, size, 30), 0.2, 1.6)[..., None]
        out[frame] = _colour(rng, 0.2, 0.95, 0.03)
        out = np.where(inner[..., None], glass * shine, out)
        if rng.random() < 0.5:
            out = np.where((v < rng.uniform(0.3, 0.9))[..., None], _colour(rng, 0.2, 0.6, 0.04), out)
    elif kind == "room":
        board = v < 0.12
        out[board] = _colour(rng, 0.3, 0.95, 0.02)
        if rng.random() < 0.6:  # a picture or a shelf on the wall
            cx, cz = rng.uniform(-1.2, 1.2), rng.uniform(1.1, 1.9)
            frame = (np.abs(u - cx) < rng.uniform(0.2, 0.7)) & (np.abs(v - cz) < rng.uniform(0.15, 0.5))
            out[frame] = (_colour(rng, 0.1, 0.9, 0.15) * np.exp(0.4 * _noise(grain, size, 8))[..., None])[frame]
    return out


def _floor(rng: np.random.Generator, grain: np.random.Generator, kind: str, u: np.ndarray, w: np.ndarray) -> np.ndarray:
    base = _colour(rng, 0.25, 0.7, 0.03)
    out = np.broadcast_to(base, (*u.shape, 3)).copy()
    if kind == "park":
        if rng.random() < 0.6:
            out[:] = linear(np.array([0.35, 0.45, 0.2]) + rng.normal(0, 0.04, 3))
        return out * np.exp(0.25 * _noise(grain, u.shape, 2.5))[..., None]
    style = rng.choice(["plain", "slabs", "planks", "cobbles"])
    if style == "slabs":
        size = rng.uniform(0.3, 1.0)
        out *= (1 - 0.35 * np.maximum(_lines(u, size, 0.015), _lines(w, size, 0.015)))[..., None]
    elif style == "planks":
        wood = linear(np.clip(np.array([0.55, 0.40, 0.27]) + rng.normal(0, 0.08, 3), 0.05, 0.95))
        cell = np.sin(np.floor(u / 0.12) * 12.9898) * 43758.5453
        out = wood * (0.8 + 0.4 * (cell - np.floor(cell)))[..., None] * (1 - 0.5 * _lines(u, 0.12, 0.006))[..., None]
    elif style == "cobbles":
        shift = u + 0.06 * (np.floor(w / 0.12) % 2)
        out *= (1 - 0.4 * np.maximum(_lines(shift, 0.12, 0.02), _lines(w, 0.12, 0.02)))[..., None]
    elif kind == "street" and rng.random() < 0.5:  # a kerb and a road
        at = rng.uniform(0.6, 4)
        out[w > at] *= rng.uniform(0.4, 0.7)
        out[(w > at - 0.12) & (w < at)] = _colour(rng, 0.5, 0.8, 0.02)
    return out


def _things(rng, picture: np.ndarray, camera: Camera, ground: float, floor: np.ndarray, kind: str) -> None:
    """Posts, trunks, cars and bins, as flat shapes that stand on the floor behind the figure."""
    height, width = camera.size
    for _ in range(int(rng.integers(0, 5))):
        away = rng.uniform(1.5, 9)
        ahead = camera.rows[2] * np.array([1, 1, 0])
        ahead /= np.linalg.norm(ahead)
        foot = ahead * away + np.array([-ahead[1], ahead[0], 0]) * rng.uniform(-3, 3)
        foot[2] = ground
        what = (
            rng.choice(["post", "trunk", "car", "bin"]) if kind == "street" else rng.choice(["trunk", "trunk", "bin"])
        )
        tall, wide = {"post": (4, 0.08), "trunk": (5, 0.3), "car": (1.4, 3.8), "bin": (1.0, 0.5)}[str(what)]
        corner = camera.project(np.array([foot, foot + [0, 0, tall]]))
        if corner[:, 2].min() < 0.5:
            continue
        x, y0, y1 = corner[0, 0], corner[1, 1], corner[0, 1]
        half = wide * camera.focal / corner[0, 2] / 2
        colour = (_colour(rng, 0.1, 0.7, 0.12)).tolist()
        if what == "car":
            y0m = y1 - (y1 - y0) * 0.55
            cv2.rectangle(picture, (int(x - half), int(y0m)), (int(x + half), int(y1 - (y1 - y0) * 0.12)), colour, -1)
            roof = np.array([[x - half * 0.6, y0m], [x - half * 0.4, y0], [x + half * 0.45, y0], [x + half * 0.7, y0m]])
            cv2.fillPoly(picture, [roof.astype(np.int32)], [c * 0.3 for c in colour])
            for s in (-0.6, 0.6):
                centre = (int(x + s * half), int(y1 - (y1 - y0) * 0.15))
                cv2.circle(picture, centre, max(int((y1 - y0) * 0.2), 1), (0.01, 0.01, 0.01), -1)
        else:
            cv2.rectangle(picture, (int(x - half), int(y0)), (int(x + half), int(y1)), colour, -1)
