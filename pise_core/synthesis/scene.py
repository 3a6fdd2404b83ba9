"""Camera and light, and the picture with its truths from the surfaces of a figure."""

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from pise_core.synthesis.dataset import SEGMENTS
from pise_core.synthesis.figures import Piece
from pise_core.synthesis.rasterizer import Samples, rasterize, vertex_normals

#: Samples a pixel in each direction.
SUPERSAMPLING = 2


@dataclass(frozen=True)
class Camera:
    """A pinhole.

    Attributes:
        position: (3,) world.
        rows: (3, 3), the camera's axes in the world: right, down, ahead.
        focal: in pixels.
        centre: (x, y) of the axis in pixels.
        size: (H, W).
    """

    position: np.ndarray
    rows: np.ndarray
    focal: float
    centre: tuple[float, float]
    size: tuple[int, int]

    def project(self, points: np.ndarray) -> np.ndarray:
        """World (N, 3) -> (N, 3): x, y in pixels and the distance from the camera's plane."""
        local = (points - self.position) @ self.rows.T
        z = np.where(np.abs(local[:, 2]) < 1e-6, 1e-6, local[:, 2])
        x = local[:, 0] / z * self.focal + self.centre[0]
        y = local[:, 1] / z * self.focal + self.centre[1]
        return np.stack([x, y, local[:, 2]], 1).astype(np.float32)


@dataclass(frozen=True)
class Light:
    """Sun (or lamp) and sky, linear.

    Attributes:
        way: (3,) unit, towards the sun.
        sun, sky, ground: RGB of the sun, of the light from above and of that from below.
        soft: width of the shadow's edge, in shares of the shadow map.
    """

    way: np.ndarray
    sun: np.ndarray
    sky: np.ndarray
    ground: np.ndarray
    soft: float


@dataclass(frozen=True)
class Mesh:
    """All pieces of a picture as one list of triangles."""

    vertices: np.ndarray
    faces: np.ndarray
    cut: np.ndarray
    bias: np.ndarray
    attributes: np.ndarray
    piece: np.ndarray
    segment: np.ndarray
    pieces: tuple[Piece, ...]


def join(pieces: list[Piece]) -> Mesh:
    """Pieces -> one mesh; attributes are normal, canonical position, arm, leg."""
    faces, start = [], 0
    attributes, piece, bias, segment = [], [], [], []
    for index, p in enumerate(pieces):
        faces.append(p.faces + start)
        start += len(p.vertices)
        attributes.append(
            np.concatenate([vertex_normals(p.vertices, p.faces), p.canonical, p.arm[:, None], p.leg[:, None]], 1)
        )
        piece.append(np.full(len(p.faces), index, np.int32))
        bias.append(np.full(len(p.faces), p.bias, np.float32))
        segment.append(p.segment[p.faces[:, 0]])
    return Mesh(
        np.concatenate([p.vertices for p in pieces]).astype(np.float32), np.concatenate(faces).astype(np.int32),
        np.concatenate([p.cut for p in pieces]), np.concatenate(bias), np.concatenate(attributes).astype(np.float32),
        np.concatenate(piece), np.concatenate(segment), tuple(pieces),
    )  # fmt: skip


@dataclass(frozen=True)
class ShadowMap:
    """What the sun sees."""

    depth: np.ndarray
    origin: np.ndarray
    axes: np.ndarray
    scale: float


def shadow_map(mesh: Mesh, light: Light, ground: float, size: int = 384) -> ShadowMap:
    """Depth from the sun over all that is near the figure."""
    ahead = -light.way
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right = right / (np.linalg.norm(right) + 1e-9) if np.linalg.norm(right) > 1e-3 else np.array([1.0, 0, 0])
    axes = np.stack([right, np.cross(ahead, right), ahead])
    local = mesh.vertices @ axes.T.astype(np.float32)
    low, high = local.min(0), local.max(0)
    scale = size / (max(high[0] - low[0], high[1] - low[1]) * 1.1)
    origin = np.array(
        [(low[0] + high[0]) / 2 - size / 2 / scale, (low[1] + high[1]) / 2 - size / 2 / scale, low[2] - 1.0]
    )
    points = (local - origin.astype(np.float32)) * np.array([scale, scale, 1], np.float32)
    # Far away as the sun is, its rays are parallel: depth goes in as a constant plane plus a hint.
    seen = _orthographic(points, mesh, size)
    return ShadowMap(seen, origin, axes, scale)


def _orthographic(points: np.ndarray, mesh: Mesh, size: int) -> np.ndarray:
    depth = np.full((size, size), np.inf, np.float32)
    _fill_depth(points.astype(np.float32), mesh.faces, mesh.cut.astype(np.float32), depth)
    return depth


@numba.njit(cache=True, nogil=True)
def _fill_depth(points, faces, cut, depth):
    height, width = depth.shape
    for index in range(faces.shape[0]):
        i, j, k = faces[index, 0], faces[index, 1], faces[index, 2]
        if cut[i] < 0 and cut[j] < 0 and cut[k] < 0:
            continue
        ax, ay, bx, by, cx, cy = points[i, 0], points[i, 1], points[j, 0], points[j, 1], points[k, 0], points[k, 1]
        left = max(int(np.ceil(min(ax, bx, cx) - 0.5)), 0)
        right = min(int(np.floor(max(ax, bx, cx) - 0.5)), width - 1)
        top = max(int(np.ceil(min(ay, by, cy) - 0.5)), 0)
        bottom = min(int(np.floor(max(ay, by, cy) - 0.5)), height - 1)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if left > right or top > bottom or abs(area) < 1e-12:
            continue
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                x, y = column + 0.5, row + 0.5
                u = ((cx - bx) * (y - by) - (cy - by) * (x - bx)) / area
                v = ((ax - cx) * (y - cy) - (ay - cy) * (x - cx)) / area
                w = 1 - u - v
                if u < 0 or v < 0 or w < 0 or cut[i] * u + cut[j] * v + cut[k] * w < 0:
                    continue
                z = u * points[i, 2] + v * points[j, 2] + w * points[k, 2]
                if z < depth[row, column]:
                    depth[row, column] = z


#: Where ``lit`` looks about a point: a spiral of unit radius.
_LOOKS = np.array([[np.sqrt((k + 0.5) / 9) * f(k * 2.399963) for f in (np.cos, np.sin)] for k in range(9)], np.float32)


@numba.njit(cache=True, nogil=True, fastmath=False)
def lit(points, depth, origin, axes, scale, soft, slack):
    """(N,) share of the sun that reaches each point: nine looks about it into the map."""
    size = depth.shape[0]
    out = np.ones(points.shape[0], np.float32)
    spread = soft * size
    for n in range(points.shape[0]):
        x = points[n, 0] * axes[0, 0] + points[n, 1] * axes[0, 1] + points[n, 2] * axes[0, 2]
        y = points[n, 0] * axes[1, 0] + points[n, 1] * axes[1, 1] + points[n, 2] * axes[1, 2]
        z = points[n, 0] * axes[2, 0] + points[n, 1] * axes[2, 1] + points[n, 2] * axes[2, 2]
        x, y, z = (x - origin[0]) * scale, (y - origin[1]) * scale, z - origin[2] - slack
        dark = 0
        for k in range(_LOOKS.shape[0]):
            column, row = int(x + spread * _LOOKS[k, 0]), int(y + spread * _LOOKS[k, 1])
            if 0 <= row < size and 0 <= column < size and depth[row, column] < z:
                dark += 1
        out[n] = 1 - dark / 9
    return out


@numba.njit(cache=True, nogil=True)
def _light(albedo, normal, to_eye, reached, dim, shine, way, sun, sky, ground):
    """(N, 3) linear: sun and sky on a matt surface, a highlight, a rim."""
    out = np.empty(albedo.shape, np.float32)
    for n in range(albedo.shape[0]):
        facing = abs(normal[n, 0] * to_eye[n, 0] + normal[n, 1] * to_eye[n, 1] + normal[n, 2] * to_eye[n, 2])
        falling = max(normal[n, 0] * way[0] + normal[n, 1] * way[1] + normal[n, 2] * way[2], 0.0) * reached[n]
        a, b, c = way[0] + to_eye[n, 0], way[1] + to_eye[n, 1], way[2] + to_eye[n, 2]
        length = np.sqrt(a * a + b * b + c * c) + 1e-9
        half = max((normal[n, 0] * a + normal[n, 1] * b + normal[n, 2] * c) / length, 0.0)
        gloss = shine[n] * half**24 * reached[n] * 0.5
        rim = (1 - facing) ** 4 * 0.05
        up = 0.5 + 0.5 * normal[n, 2]
        for k in range(3):
            around = sky[k] * up + ground[k] * (1 - up)
            out[n, k] = albedo[n, k] * (falling * sun[k] + around * dim[n]) + gloss * sun[k] + rim * sky[k]
    return out


@numba.njit(cache=True, nogil=True)
def _interpolate(face, corner, faces, attributes):
    """(N, K) attributes at samples."""
    out = np.empty((face.shape[0], attributes.shape[1]), np.float32)
    for n in range(face.shape[0]):
        i, j, k = faces[face[n], 0], faces[face[n], 1], faces[face[n], 2]
        v, w = corner[n, 0], corner[n, 1]
        u = 1 - v - w
        for a in range(attributes.shape[1]):
            out[n, a] = attributes[i, a] * u + attributes[j, a] * v + attributes[k, a] * w
    return out


@dataclass(frozen=True)
class View:
    """What the camera sees of the figure, before the background; at ``SUPERSAMPLING`` times the picture's size.

    Attributes:
        colour: (H, W, 3) float32 linear, zero where nothing is.
        there: (H, W) bool.
        depth: (H, W) float32, inf where nothing is.
        region: (H, W) uint8.
        layer: (H, W) uint8, index into ``LAYERS``; 0 for nothing and for what is not the person's.
        person: (H, W) bool.
    """

    colour: np.ndarray
    there: np.ndarray
    depth: np.ndarray
    region: np.ndarray
    layer: np.ndarray
    person: np.ndarray


def scaled(camera: Camera, factor: int) -> Camera:
    """The same view with ``factor`` times as many pixels in each direction."""
    return Camera(camera.position, camera.rows, camera.focal * factor,
                  (camera.centre[0] * factor, camera.centre[1] * factor),
                  (camera.size[0] * factor, camera.size[1] * factor))  # fmt: skip


def see(mesh: Mesh, camera: Camera, light: Light, shadow: ShadowMap, factor: int = SUPERSAMPLING) -> View:
    """Render the figure."""
    big = scaled(camera, factor)
    samples = rasterize(big.project(mesh.vertices), mesh.faces, big.size, mesh.cut, mesh.bias)
    return shade(mesh, big, samples, light, shadow)


def shade(mesh: Mesh, camera: Camera, samples: Samples, light: Light, shadow: ShadowMap) -> View:
    rows, columns = np.nonzero(samples.face >= 0)
    face = samples.face[rows, columns]
    got = _interpolate(face, samples.corner[rows, columns], mesh.faces, mesh.attributes)
    z = samples.depth[rows, columns]
    rays = np.stack([(columns + 0.5 - camera.centre[0]) / camera.focal, (rows + 0.5 - camera.centre[1]) / camera.focal,
                     np.ones(len(rows))], 1).astype(np.float32)  # fmt: skip
    rays_world = rays @ camera.rows.astype(np.float32)
    points = camera.position.astype(np.float32) + rays_world * z[:, None]
    to_eye = -rays_world / np.sqrt((rays_world**2).sum(1, keepdims=True))
    normal = got[:, :3] / (np.sqrt((got[:, :3] ** 2).sum(1, keepdims=True)) + np.float32(1e-9))
    facing = (normal * to_eye).sum(1)
    behind = facing < 0
    normal[behind] *= -1
    albedo = np.zeros((len(face), 3), np.float32)
    region = np.zeros(len(face), np.uint8)
    kind = np.zeros(len(face), np.uint8)
    shine = np.zeros(len(face), np.float32)
    mine = np.ones(len(face), bool)
    piece = mesh.piece[face]
    for index in np.unique(piece):
        here = np.nonzero(piece == index)[0]
        p = mesh.pieces[index]
        albedo[here], region[here], kind[here] = p.paint(got[here, 3:6], got[here, 6], got[here, 7])
        shine[here] = p.shine
        mine[here] = p.kind != ""
    albedo[behind] *= 0.45  # the inside of a sleeve
    reached = lit(points + normal * 0.006, shadow.depth, shadow.origin, shadow.axes, shadow.scale, light.soft, 0.012)
    dim = _crevices(samples.depth, rows, columns, camera)
    colour = _light(albedo, normal, to_eye, reached, dim, shine, light.way, light.sun, light.sky, light.ground)
    size = samples.face.shape
    view = View(
        np.zeros((*size, 3), np.float32), samples.face >= 0, samples.depth, np.zeros(size, np.uint8),
        np.zeros(size, np.uint8), np.zeros(size, bool),
    )  # fmt: skip
    view.colour[rows, columns] = colour
    view.region[rows, columns] = np.where(mine, region, 0)
    segment = mesh.segment[face]
    view.layer[rows, columns] = np.where(mine, 1 + kind.astype(int) * len(SEGMENTS) + segment, 0)
    view.person[rows, columns] = mine
    return view


def _crevices(depth: np.ndarray, rows: np.ndarray, columns: np.ndarray, camera: Camera) -> np.ndarray:
    """(N,) how much of the sky reaches a sample: less where what is around it lies before it. At half the size."""
    small = depth[::2, ::2]
    there = np.isfinite(small)
    if not there.any():
        return np.ones(len(rows), np.float32)
    middle = float(small[there].mean())
    near = max(camera.focal / 2 / middle * 0.05, 1.0)  # five centimetres, in samples
    z = np.where(there, np.minimum(small, middle + 1.5), middle + 1.5)
    dim = np.ones(len(rows), np.float32)
    here = np.where(np.isfinite(depth), depth, middle)[rows, columns]
    for spread, weight in ((near * 0.5, 0.35), (near * 1.6, 0.35)):
        around = cv2.GaussianBlur(z, (0, 0), spread)
        before = np.clip((here - around[rows // 2, columns // 2]) / (spread * middle / camera.focal * 2), 0, 1)
        dim -= np.float32(weight) * before.astype(np.float32)
    return dim


def encode(linear: np.ndarray) -> np.ndarray:
    """Linear -> sRGB 0..1, bright light rolled off softly."""
    x = np.maximum(linear, 0)
    x = np.where(x > 0.7, 0.7 + 0.3 * np.tanh((x - 0.7) / 0.3), x)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.power(np.maximum(x, 1e-8), 1 / 2.4) - 0.055).astype(
        np.float32
    )


def down(array: np.ndarray, factor: int) -> np.ndarray:
    """Mean over blocks of factor x factor samples."""
    total = np.zeros((array.shape[0] // factor, array.shape[1] // factor, *array.shape[2:]), np.float32)
    for row in range(factor):
        for column in range(factor):
            total += array[row::factor, column::factor]
    return total / np.float32(factor * factor)


@numba.njit(cache=True, nogil=True)
def vote(labels, values, factor):
    """The label that most samples of a pixel have (of equals the first that is not 0), and the value of one of these.

    Args:
        labels, values: (H, W) uint8 samples.
        factor: samples a pixel in each direction.

    Returns:
        Two arrays (H / factor, W / factor) uint8.
    """
    height, width = labels.shape[0] // factor, labels.shape[1] // factor
    winners = np.zeros((height, width), np.uint8)
    theirs = np.zeros((height, width), np.uint8)
    for row in range(height):
        for column in range(width):
            best = -1
            for a in range(factor * factor):
                y, x = row * factor + a // factor, column * factor + a % factor
                count = 1 if labels[y, x] > 0 else 0
                for b in range(factor * factor):
                    if labels[row * factor + b // factor, column * factor + b % factor] == labels[y, x]:
                        count += 2
                if count > best:
                    best = count
                    winners[row, column] = labels[y, x]
                    theirs[row, column] = values[y, x]
    return winners, theirs
