"""A z-buffer over triangles, compiled by numba: what is nearest at each sample, and where on its triangle."""

from dataclasses import dataclass

import numba
import numpy as np


@dataclass(frozen=True)
class Samples:
    """What a raster of H x W samples sees.

    Attributes:
        face: (H, W) int32, index of the nearest triangle, -1 for none.
        corner: (H, W, 2) float32, perspective-correct weights of the triangle's second and third corner.
        depth: (H, W) float32, distance from the camera's plane, inf for none.
    """

    face: np.ndarray
    corner: np.ndarray
    depth: np.ndarray


def rasterize(
    points: np.ndarray,
    faces: np.ndarray,
    size: tuple[int, int],
    cut: np.ndarray | None = None,
    bias: np.ndarray | None = None,
) -> Samples:
    """The nearest triangle at each sample; sample (row, column) lies at (column + 0.5, row + 0.5).

    Args:
        points: (V, 3) float32: x, y in samples, and the distance from the camera's plane.
        faces: (F, 3) int32; both sides are seen. Triangles that reach behind the camera are left out.
        size: (H, W).
        cut: (V,) float32: where the value, interpolated over a triangle, is negative, there is nothing. It gives hems
            that run smoothly across triangles.
        bias: (F,) float32: metres that a triangle is taken to be nearer than it is when nearest is decided.
    """
    face = np.full(size, -1, np.int32)
    corner = np.zeros((*size, 2), np.float32)
    depth = np.full(size, np.inf, np.float32)
    cut = np.ones(len(points), np.float32) if cut is None else cut
    bias = np.zeros(len(faces), np.float32) if bias is None else bias
    _fill(points.astype(np.float32), faces.astype(np.int32), cut.astype(np.float32), bias.astype(np.float32),
          face, corner, depth)  # fmt: skip
    return Samples(face, corner, depth)


@numba.njit(cache=True, nogil=True)
def _fill(points, faces, cut, bias, face, corner, depth):
    height, width = face.shape
    nearest = np.full((height, width), np.inf, np.float32)
    for index in range(faces.shape[0]):
        i, j, k = faces[index, 0], faces[index, 1], faces[index, 2]
        if cut[i] < 0 and cut[j] < 0 and cut[k] < 0:
            continue
        za, zb, zc = points[i, 2], points[j, 2], points[k, 2]
        if za < 0.05 or zb < 0.05 or zc < 0.05:
            continue
        ax, ay = points[i, 0], points[i, 1]
        bx, by = points[j, 0], points[j, 1]
        cx, cy = points[k, 0], points[k, 1]
        left = max(int(np.ceil(min(ax, bx, cx) - 0.5)), 0)
        right = min(int(np.floor(max(ax, bx, cx) - 0.5)), width - 1)
        top = max(int(np.ceil(min(ay, by, cy) - 0.5)), 0)
        bottom = min(int(np.floor(max(ay, by, cy) - 0.5)), height - 1)
        if left > right or top > bottom:
            continue
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if abs(area) < 1e-12:
            continue
        whole = cut[i] >= 0 and cut[j] >= 0 and cut[k] >= 0
        for row in range(top, bottom + 1):
            y = row + 0.5
            for column in range(left, right + 1):
                x = column + 0.5
                u = ((cx - bx) * (y - by) - (cy - by) * (x - bx)) / area
                v = ((ax - cx) * (y - cy) - (ay - cy) * (x - cx)) / area
                w = 1 - u - v
                if u < 0 or v < 0 or w < 0:
                    continue
                # Attributes are linear in space, not on the picture: weights over depth.
                pa, pb, pc = u / za, v / zb, w / zc
                z = 1 / (pa + pb + pc)
                if z - bias[index] >= nearest[row, column]:
                    continue
                second, third = pb * z, pc * z
                if not whole and cut[i] * (1 - second - third) + cut[j] * second + cut[k] * third < 0:
                    continue
                nearest[row, column] = z - bias[index]
                depth[row, column] = z
                face[row, column] = index
                corner[row, column, 0] = second
                corner[row, column, 1] = third


@numba.njit(cache=True, nogil=True)
def overlaps(points, faces, height, width, cut, bias, labels, count):
    """(count, count) int32: at how many samples a label's nearest triangle lies before another label's.

    Args:
        points, faces, cut, bias: as for ``rasterize``.
        height, width: of the raster.
        labels: (F,) of each triangle, 0 to count - 1; 0 is left out.
        count: of labels.
    """
    deep = 10  # labels that one sample can hold
    held = np.zeros((height, width, deep), np.int32)
    depth = np.full((height, width, deep), np.inf, np.float32)
    for index in range(faces.shape[0]):
        label = labels[index]
        i, j, k = faces[index, 0], faces[index, 1], faces[index, 2]
        if label == 0 or (cut[i] < 0 and cut[j] < 0 and cut[k] < 0):
            continue
        za, zb, zc = points[i, 2], points[j, 2], points[k, 2]
        if za < 0.05 or zb < 0.05 or zc < 0.05:
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
                z = 1 / (u / za + v / zb + w / zc) - bias[index]
                for place in range(deep):
                    if held[row, column, place] == label or held[row, column, place] == 0:
                        held[row, column, place] = label
                        depth[row, column, place] = min(depth[row, column, place], z)
                        break
    before = np.zeros((count, count), np.int32)
    for row in range(height):
        for column in range(width):
            for a in range(deep):
                for b in range(deep):
                    one, other = held[row, column, a], held[row, column, b]
                    if one > 0 and other > 0 and depth[row, column, a] < depth[row, column, b]:
                        before[one, other] += 1
    return before


@numba.njit(cache=True, nogil=True)
def vertex_normals(vertices, faces):
    """(V, 3) float32: unit normals, the faces about each vertex weighted by their area."""
    normals = np.zeros(vertices.shape, np.float32)
    for index in range(faces.shape[0]):
        i, j, k = faces[index, 0], faces[index, 1], faces[index, 2]
        e0, e1, e2 = vertices[j, 0] - vertices[i, 0], vertices[j, 1] - vertices[i, 1], vertices[j, 2] - vertices[i, 2]
        f0, f1, f2 = vertices[k, 0] - vertices[i, 0], vertices[k, 1] - vertices[i, 1], vertices[k, 2] - vertices[i, 2]
        n0, n1, n2 = e1 * f2 - e2 * f1, e2 * f0 - e0 * f2, e0 * f1 - e1 * f0
        for corner in (i, j, k):
            normals[corner, 0] += n0
            normals[corner, 1] += n1
            normals[corner, 2] += n2
    for i in range(vertices.shape[0]):
        length = np.sqrt(normals[i, 0] ** 2 + normals[i, 1] ** 2 + normals[i, 2] ** 2)
        if length > 0:
            normals[i] /= length
    return normals


@numba.njit(cache=True, nogil=True)
def blend(rest, weights, bones, transforms):
    """(N, 3) float32: linear blend skinning of ``rest`` by (N, K) ``weights`` of ``bones`` and (B, 3, 4) transforms."""
    out = np.empty((rest.shape[0], 3), np.float32)
    for n in range(rest.shape[0]):
        for axis in range(3):
            total = 0.0
            for k in range(weights.shape[1]):
                share = weights[n, k]
                if share == 0:
                    continue
                t = transforms[bones[n, k], axis]
                total += share * (t[0] * rest[n, 0] + t[1] * rest[n, 1] + t[2] * rest[n, 2] + t[3])
            out[n, axis] = total
    return out
