"""A person at rest and in a pose, and the surfaces that are drawn of them."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse

from pise_core.synthesis.bodies import Body, Shape, body
from pise_core.synthesis.dataset import SEGMENTS
from pise_core.synthesis.rasterizer import vertex_normals

#: Of one sample: linear RGB (N, 3), index into ``regions.REGIONS`` (N,) or one, index into ``KINDS`` (N,) or one.
Paint = Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray | int, np.ndarray | int]]


@dataclass(frozen=True)
class Piece:
    """One surface, posed.

    Attributes:
        kind: one of ``dataset.KINDS``, or "" for what is no part of the person (a seat).
        vertices: (N, 3) float32 world.
        faces: (M, 3) int32.
        canonical: (N, 3) float32, where its paint is looked up.
        cut: (N,) float32; negative where there is nothing.
        segment: (N,) uint8, index into ``SEGMENTS``.
        arm: (N,) float32 and ``leg`` (N,) float32, how far a vertex belongs to a limb.
        paint: from canonical points, arm and leg to colour, region and kind.
        bias: metres by which it is preferred to what lies as near.
        shine: strength of highlights.
        rows: (N,) the body's vertices that these lie over, or None.
    """

    kind: str
    vertices: np.ndarray
    faces: np.ndarray
    canonical: np.ndarray
    cut: np.ndarray
    segment: np.ndarray
    arm: np.ndarray
    leg: np.ndarray
    paint: Paint
    bias: float = 0.0
    shine: float = 0.05
    rows: np.ndarray | None = None


@dataclass
class Figure:
    """A body in a pose.

    Attributes:
        shape: at rest.
        transforms: (B, 3, 4) of the bones.
        vertices: (V, 3) float32 posed.
        normals: (V, 3) float32.
        joints: (18, 3) world.
        pieces: what is drawn.
        tight: (V,) float32, how far inside of a close garment a vertex of the body lies; its skin isn't drawn there.
    """

    shape: Shape
    rest_normals: np.ndarray
    smooth: Callable[[int], np.ndarray]
    transforms: np.ndarray
    vertices: np.ndarray
    normals: np.ndarray
    joints: np.ndarray
    pieces: list[Piece] = field(default_factory=list)
    tight: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))


@functools.lru_cache(maxsize=1)
def smoothing() -> scipy.sparse.csr_matrix:
    """(V, V): each vertex half way to the mean of its neighbours."""
    faces = body().faces
    count = len(body().weights)
    rows = np.concatenate([faces[:, i] for i in (0, 1, 2, 1, 2, 0)])
    columns = np.concatenate([faces[:, i] for i in (1, 2, 0, 0, 1, 2)])
    near = scipy.sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), (count, count))
    near.data[:] = 1
    share = scipy.sparse.diags((1 / np.maximum(np.asarray(near.sum(1)).ravel(), 1)).astype(np.float32))
    return (scipy.sparse.identity(count, "float32") * np.float32(0.5) + share @ near * np.float32(0.5)).tocsr()


#: Rounds of smoothing for all of the body; heads, hands and feet, which are most of the vertices, get no more.
_FINE = 16


@functools.lru_cache(maxsize=1)
def _limbs() -> tuple[np.ndarray, scipy.sparse.csr_matrix]:
    """Vertices of torso, arms and legs, and their rows of ``smoothing``."""
    fine = [i for i, name in enumerate(SEGMENTS) if name == "head" or name.endswith(("hand", "foot"))]
    rows = np.flatnonzero(~np.isin(body().segment, fine))
    return rows, smoothing()[rows]


class Person:
    """A body at rest with what follows from it alone, to be posed more than once."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.normals = vertex_normals(shape.vertices, body().faces)
        self._smooth: dict[int, np.ndarray] = {0: shape.vertices}
        #: Size against the canonical body.
        canonical = body().canonical.vertices
        self.scale = float(np.ptp(shape.vertices[:, 2]) / np.ptp(canonical[:, 2]))

    def smooth(self, rounds: int) -> np.ndarray:
        """The body's vertices at rest after rounds of smoothing: what cloth sees of it."""
        if rounds not in self._smooth:
            start = max(r for r in self._smooth if r <= rounds)
            vertices = self._smooth[start]
            for _ in range(start, min(rounds, _FINE)):
                vertices = smoothing() @ vertices
            rows, some = _limbs()
            for _ in range(max(start, _FINE), rounds):
                vertices = vertices.copy()
                vertices[rows] = some @ vertices
            self._smooth[rounds] = vertices.astype(np.float32)
        return self._smooth[rounds]

    def posed(self, transforms: np.ndarray) -> Figure:
        known: Body = body()
        vertices = known.skin(self.shape.vertices, transforms)
        return Figure(
            self.shape, self.normals, self.smooth, transforms, vertices, vertex_normals(vertices, known.faces),
            known.joints(vertices, transforms, self.shape), [], np.full(len(vertices), -1, np.float32),
        )  # fmt: skip


def levels(shape: Shape, rest: np.ndarray) -> np.ndarray:
    """(N, 3) canonical coordinates in which patterns are drawn on cloth at rest (N, 3): level where the cloth is level,
    knees at knees and the neck at the neck."""
    known = body()
    bones = [known.bones[name] for name in ("foot.L", "lowerleg01.L", "upperleg01.L", "spine02", "neck01", "head")]
    own, theirs = shape.heads[bones, 2], known.canonical.heads[bones, 2]
    scale = (theirs[-1] - theirs[0]) / (own[-1] - own[0])
    z = np.interp(rest[:, 2], own, theirs)
    z += np.where(rest[:, 2] < own[0], rest[:, 2] - own[0], 0) * scale
    z += np.where(rest[:, 2] > own[-1], rest[:, 2] - own[-1], 0) * scale
    return np.stack([rest[:, 0] * scale, rest[:, 1] * scale, z], 1).astype(np.float32)


def shell(
    figure: Figure,
    kind: str,
    cut: np.ndarray,
    ease: np.ndarray,
    paint: Paint,
    rounds: int = 12,
    bias: float = 0.006,
    hides: float | None = 0.015,
    shine: float = 0.05,
) -> Piece:
    """Cloth over the body: the smoothed body, pushed out until it lies ``ease`` (V,) metres above the skin.

    Args:
        cut: (V,) metres inside of the garment's edge; negative: not there.
        rounds: of smoothing.
        hides: the skin isn't drawn where it is further inside than this; None: it is drawn everywhere.
    """
    known = body()
    base = figure.smooth(rounds)
    above = ((base - figure.shape.vertices) * figure.rest_normals).sum(1)
    lift = np.maximum(ease - above, 0.3 * ease)
    rest = base + figure.rest_normals * lift[:, None]
    near = cut > -0.04
    faces = known.faces[near[known.faces].any(1)]
    rows, where = np.unique(faces, return_inverse=True)
    if hides is not None:
        figure.tight[:] = np.maximum(figure.tight, cut - hides)
    return Piece(
        kind, known.skin(rest[rows].astype(np.float32), figure.transforms, rows),
        where.reshape(-1, 3).astype(np.int32), levels(figure.shape, rest[rows]), cut[rows].astype(np.float32),
        known.segment[rows], known.arm_share[rows], known.leg_share[rows], paint, bias, shine, rows,
    )  # fmt: skip
