"""The parametric body (anny on MakeHuman's data): shapes at rest, skinning into a pose, joints, and coordinates on it.

Lengths are metres. x points to the person's left, y to the back, z up; a body at rest stands with arms half raised and
looks along -y. *Canonical* coordinates are those of one fixed adult at rest: what is drawn in them (lips, a hem, a
print) sits at the same place on every body.
"""

import functools
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from pise_core.errors import InputError
from pise_core.skeleton import JOINTS
from pise_core.synthesis.dataset import SEGMENTS

#: The adult whose coordinates are the canonical ones.
_CANONICAL = {"gender": 0.5, "age": 0.667, "muscle": 0.5, "weight": 0.5, "height": 0.5, "proportions": 0.5}

_SEGMENT_BONES = {
    "head": ("neck03", "head", "eye"),
    "torso": ("root", "pelvis", "spine", "clavicle", "shoulder01", "neck01", "neck02"),
    "upper_arm": ("upperarm",),
    "forearm": ("lowerarm",),
    "hand": ("wrist", "finger", "metacarpal"),
    "thigh": ("upperleg",),
    "shin": ("lowerleg",),
    "foot": ("foot", "toe"),
}


def require_anny() -> Any:
    """The module anny.

    Raises:
        InputError: if the optional packages are not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import anny
            import numba  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"rendering people needs the optional package {error.name}; "
            "run: python -m pip install -r requirements-synthetic.txt"
        ) from None
    return anny


@dataclass(frozen=True)
class Shape:
    """A body at rest.

    Attributes:
        vertices: (V, 3) float32.
        heads: (B, 3) float32, where each bone begins.
    """

    vertices: np.ndarray
    heads: np.ndarray


class Body:
    """What all bodies share: topology, skinning weights, and fields over the canonical body.

    Attributes:
        faces: (F, 3) int32.
        bones: bone -> index.
        parents: (B,) int.
        weights: (V, 9) float32 and ``weight_bones`` (V, 9) int32, the skinning weights.
        canonical: ``Shape`` of the canonical adult.
        segment: (V,) uint8, index into ``SEGMENTS``.
        arm: (V,) float32: 0 at the shoulder, 1 at the elbow, 2 at the wrist; negative off the arms.
        leg: (V,) float32: 0 at the hip, 1 at the knee, 2 at the ankle; negative off the legs.
    """

    def __init__(self) -> None:
        anny = require_anny()
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = anny.Anny(local_changes="default", facial_actions="all", skinning_method="lbs").to(
                dtype=torch.float32
            )
            regressor = anny.keypoints.KeypointsRegressor.coco(model)
        self._torch, self._model = torch, model
        self.local_changes = tuple(model.local_change_labels)
        self.bones = {name: i for i, name in enumerate(model.bone_labels)}
        self.parents = [int(p) for p in model.bone_parents]
        self.faces = np.ascontiguousarray(model.faces.numpy(), np.int32)
        self.weights = np.ascontiguousarray(model.vertex_bone_weights.numpy(), np.float32)
        self.weight_bones = np.ascontiguousarray(model.vertex_bone_indices.numpy(), np.int32)
        names = list(regressor.labels) if hasattr(regressor, "labels") else None
        self._regress = {name: row for name, row in zip(names or (), regressor.regression_weights.numpy(), strict=True)}
        self.canonical = self.shape(_CANONICAL)
        self._fields()

    def shape(
        self, phenotype: dict[str, float], changes: dict[str, float] | None = None, face: dict[str, float] | None = None
    ) -> Shape:
        """A body at rest by anny's six numbers, its local changes and its facial actions (0 to 1, changes -1 to 1)."""
        with self._torch.no_grad():
            out = self._model(phenotype_kwargs=phenotype, local_changes_kwargs=changes or {}, facial_actions=face or {})
        return Shape(
            np.ascontiguousarray(out["rest_vertices"][0].numpy(), np.float32),
            np.ascontiguousarray(out["rest_bone_heads"][0].numpy(), np.float32),
        )

    def _fields(self) -> None:
        v, heads = self.canonical.vertices, self.canonical.heads
        bone_segment = np.zeros(len(self.bones), np.int64)
        for name, index in self.bones.items():
            piece = next(k for k, starts in _SEGMENT_BONES.items() if name.startswith(starts))
            side = {"R": "right_", "L": "left_"}.get(name[-1], "") if piece not in ("head", "torso") else ""
            bone_segment[index] = SEGMENTS.index(side + piece)
        shares = np.zeros((len(v), len(SEGMENTS)), np.float32)
        for k in range(self.weights.shape[1]):
            np.add.at(shares, (np.arange(len(v)), bone_segment[self.weight_bones[:, k]]), self.weights[:, k])
        self.segment_shares = shares
        self.segment = shares.argmax(1).astype(np.uint8)
        arms = np.array(["arm" in s or "hand" in s for s in SEGMENTS])
        legs = np.array(["thigh" in s or "shin" in s or "foot" in s for s in SEGMENTS])
        self.arm_share, self.leg_share = shares[:, arms].sum(1), shares[:, legs].sum(1)
        self.arm = np.full(len(v), -1, np.float32)
        self.leg = np.full(len(v), -1, np.float32)
        for side in "LR":
            mine = (v[:, 0] > 0) == (side == "L")
            chain = [heads[self.bones[f"{b}.{side}"]] for b in ("upperarm01", "lowerarm01", "wrist", "finger3-3")]
            on = mine & (self.arm_share > 0.02)
            self.arm[on] = _along(v[on], chain)
            chain = [heads[self.bones[f"{b}.{side}"]] for b in ("upperleg01", "lowerleg01", "foot", "toe3-3")]
            on = mine & (self.leg_share > 0.02)
            self.leg[on] = _along(v[on], chain)

    def limb_cut(self, limb: str, place: float) -> np.ndarray:
        """(V,) metres of canonical vertices above a plane across a limb; "arm" or "leg", ``place`` as in these fields.

        A plane makes a hem straight where the fields themselves bend (at elbow, wrist, knee).
        """
        chain = {"arm": ("upperarm01", "lowerarm01", "wrist", "finger3-3"), "leg": ("upperleg01", "lowerleg01", "foot")}
        v = self.canonical.vertices * np.array([1, 1, 1], np.float32)
        v[:, 0] = np.abs(v[:, 0])
        points = [self.canonical.heads[self.bones[f"{bone}.L"]].astype(float) for bone in chain[limb]]
        piece = int(np.clip(np.floor(place), 0, len(points) - 2))
        at = points[piece] + (points[piece + 1] - points[piece]) * (place - piece)
        # Near a joint the plane stands between the two bones.
        ways = [(b - a) / np.linalg.norm(b - a) for a, b in zip(points[:-1], points[1:], strict=True)]
        other = piece + (1 if place - piece > 0.5 else -1)
        near = max(abs(place - piece - 0.5) - 0.2, 0) / 0.6 if 0 <= other < len(ways) else 0.0
        way = ways[piece] * (1 - near) + (ways[other] * near if near else 0)
        return ((at - v) @ (way / np.linalg.norm(way))).astype(np.float32)

    def joints(self, vertices: np.ndarray, transforms: np.ndarray, shape: Shape) -> np.ndarray:
        """(18, 3) world positions of ``skeleton.JOINTS`` for posed vertices."""
        points = {name: row @ vertices for name, row in self._regress.items()}
        points["neck"] = (points["left_shoulder"] + points["right_shoulder"]) / 2
        return np.stack([points[name] for name in JOINTS]).astype(np.float32)

    def transforms(self, shape: Shape, rotations: dict[str, np.ndarray], root: np.ndarray | None = None) -> np.ndarray:
        """(B, 3, 4) of each bone: rest -> posed.

        Args:
            shape: the body at rest.
            rotations: bone -> (3, 3), about the bone's beginning and the axes of the body at rest, before its parents'.
            root: (3, 3) turn of the whole body about the vertical through the hips.
        """
        out = np.zeros((len(self.bones), 3, 4))
        for name, index in self.bones.items():
            parent = self.parents[index]
            own = rotations.get(name)
            if parent < 0:
                above = np.eye(3) if root is None else root
                base = np.c_[above, np.zeros(3)]
            else:
                base = out[parent]
            if own is None:
                out[index] = base
            else:
                head = shape.heads[index].astype(float)
                out[index, :, :3] = base[:, :3] @ own
                out[index, :, 3] = base[:, :3] @ (head - own @ head) + base[:, 3]
        return out

    def skin(self, rest: np.ndarray, transforms: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Rest positions (N, 3) by linear blend skinning; ``rows`` are the body's vertices whose weights they take."""
        weights, bones = self.weights, self.weight_bones
        if rows is not None:
            weights, bones = weights[rows], bones[rows]
        return _blend(rest.astype(np.float32), weights, bones, transforms.astype(np.float32))


def _along(points: np.ndarray, chain: list[np.ndarray]) -> np.ndarray:
    """How far each point lies along a polyline, in pieces of it: 0 at its beginning, 1 at its second corner, ..."""
    best = np.full(len(points), np.inf)
    place = np.zeros(len(points), np.float32)
    for i, (a, b) in enumerate(zip(chain[:-1], chain[1:], strict=True)):
        d = b - a
        raw = (points - a) @ d / (d @ d)
        low, high = (-10.0 if i == 0 else 0.0), (10.0 if i == len(chain) - 2 else 1.0)
        t = np.clip(raw, low, high)
        distance = np.linalg.norm(points - a - np.clip(raw, 0, 1)[:, None] * d, axis=1)
        nearer = distance < best
        best[nearer], place[nearer] = distance[nearer], i + t[nearer]
    return place


def _blend(rest: np.ndarray, weights: np.ndarray, bones: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    from pise_core.synthesis.rasterizer import blend

    return blend(rest, weights, bones, transforms)


@functools.lru_cache(maxsize=1)
def body() -> Body:
    """The one body; it takes some seconds to load."""
    return Body()
