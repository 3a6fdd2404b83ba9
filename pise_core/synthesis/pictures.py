"""A picture of a figure and every truth of it: joints, regions, held things, alpha, depth, layers and their order."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.spatial import KDTree

from pise_core.skeleton import JOINTS
from pise_core.synthesis import scene
from pise_core.synthesis.bodies import body
from pise_core.synthesis.dataset import KINDS, LAYER, LAYERS, MAX_LAYERS, SEGMENTS, Picture, Stack
from pise_core.synthesis.figures import Figure, Piece
from pise_core.synthesis.rasterizer import overlaps

_SKIN, _TIGHTS = LAYER["skin/head"], LAYER["tights/head"]
#: (LAYERS,) 1 for what is held.
_HELD = np.array([name.startswith("held/") for name in LAYERS], np.uint8)
#: Segments on which each joint is seen; where another one is nearest, the joint is hidden.
_SEEN_ON = {
    "nose": "head", "neck": "torso head", "eye": "head", "ear": "head",
    "shoulder": "torso upper_arm", "elbow": "upper_arm forearm", "wrist": "forearm hand",
    "hip": "torso thigh", "knee": "thigh shin", "ankle": "shin foot",
}  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A figure before a camera: ``ground`` is the floor's height, ``crop`` says how much of them is to be seen."""

    figure: Figure
    camera: scene.Camera
    light: scene.Light
    ground: float
    crop: str


def compose(
    shot: Shot, background: np.ndarray, floor: np.ndarray, rng: np.random.Generator, layered: bool = False
) -> tuple[Picture, Stack | None]:
    """The picture with its truths, and its layers where these are asked for.

    Args:
        shot: the figure and how they are seen.
        background: (H, W, 3) float32 linear.
        floor: (H, W) bool, where the background is a floor that shadows fall on.
        rng: of exposure, noise and the rest that a camera adds.
        layered: make the layers too.
    """
    camera, light, factor = shot.camera, shot.light, scene.SUPERSAMPLING
    mesh = scene.join(shot.figure.pieces)
    shadow = scene.shadow_map(mesh, light, shot.ground)
    seen = scene.see(mesh, camera, light, shadow)
    background = background * _cast(shot, shadow, floor)[..., None]
    share = scene.down(seen.there.astype(np.float32), factor)
    picture = scene.down(seen.colour, factor) + background * (1 - share[..., None])
    exposure = _exposure(picture, share, rng)
    clean = scene.encode(picture * exposure)
    image = photograph(clean, rng)
    layers, regions = scene.vote(seen.layer, seen.region, factor)
    height, width = camera.size
    depth = np.where(seen.person, seen.depth, np.inf).reshape(height, factor, width, factor).min((1, 3))
    depth = np.where(np.isfinite(depth), np.clip(depth * 1000, 1, 65535), 0).astype(np.uint16)
    alpha = np.round(scene.down(seen.person.astype(np.float32), factor) * 255).astype(np.uint8)
    made = Picture(
        image, _joints(shot, seen), regions, _HELD[layers], alpha, depth, layers, _order(mesh, camera, layers)
    )
    if not layered:
        return made, None
    behind = picture * 0 + background
    if (seen.there & ~seen.person).any():  # what they sit on stays with the background
        rest = [piece for piece in shot.figure.pieces if not piece.kind]
        seat = scene.see(scene.join(rest), camera, light, shadow)
        covered = scene.down(seat.there.astype(np.float32), factor)[..., None]
        behind = scene.down(seat.colour, factor) + background * (1 - covered)
    return made, _stack(shot, shadow, made.order, behind, clean, exposure)


def portrait(shot: Shot, background: np.ndarray, floor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture alone, for people to look at: three samples a pixel each way, hardly any noise. (H, W, 3) uint8."""
    mesh = scene.join(shot.figure.pieces)
    shadow = scene.shadow_map(mesh, shot.light, shot.ground, 1536)
    seen = scene.see(mesh, shot.camera, shot.light, shadow, 3)
    share = scene.down(seen.there.astype(np.float32), 3)[..., None]
    behind = background * _cast(shot, shadow, floor)[..., None]
    picture = scene.down(seen.colour, 3) + behind * (1 - share)
    image = scene.encode(picture * _exposure(picture, share[..., 0], None))
    image = image + 0.35 * (image - cv2.GaussianBlur(image, (0, 0), 1.2))
    grain = cv2.GaussianBlur(rng.normal(0, 1, image.shape[:2]).astype(np.float32), (0, 0), 0.8) * 0.006
    return (np.clip(image + grain[..., None], 0, 1) * 255 + 0.5).astype(np.uint8)


def _stack(
    shot: Shot, shadow: scene.ShadowMap, order: np.ndarray, behind: np.ndarray, clean: np.ndarray, exposure: float
) -> Stack:
    """Each layer seen alone. Where two segments of one surface meet, both go on a little below the other, so that
    no slit opens when one of them is moved."""
    names, colours = [], []
    for index in order[order > 0]:
        kind, segment = divmod(int(index) - 1, len(SEGMENTS))
        mine = {"skin", "tights"} if KINDS[kind] in ("skin", "tights") else {KINDS[kind]}
        parts = [part for p in shot.figure.pieces if p.kind in mine and (part := _part(p, segment)) is not None]
        if not parts:
            continue
        alone = scene.see(scene.join(parts), shot.camera, shot.light, shadow)
        there = alone.there & ((alone.layer.astype(int) - 1) // len(SEGMENTS) == kind)
        share = scene.down(there.astype(np.float32), scene.SUPERSAMPLING)
        colour = scene.down(alone.colour * there[..., None], scene.SUPERSAMPLING) / np.maximum(share, 1e-3)[..., None]
        rgba = np.concatenate([scene.encode(colour * exposure), share[..., None]], -1)
        names.append(LAYERS[index])
        colours.append(np.round(np.clip(rgba, 0, 1) * 255).astype(np.uint8))
    as_bytes = [np.round(np.clip(a, 0, 1) * 255).astype(np.uint8) for a in (scene.encode(behind * exposure), clean)]
    empty = np.zeros((0, *shot.camera.size, 4), np.uint8)
    return Stack(tuple(names), np.stack(colours) if colours else empty, *as_bytes)


def _part(piece: Piece, segment: int) -> Piece | None:
    """The triangles of a piece that belong to a segment, those of its neighbours that it reaches into included."""
    if piece.rows is None:
        keep = piece.segment[piece.faces[:, 0]] == segment
    else:
        shares = body().segment_shares[piece.rows, segment]
        keep = (shares[piece.faces] > 0.12).any(1)
    if not keep.any():
        return None
    return replace(piece, faces=piece.faces[keep], segment=np.full_like(piece.segment, segment))


def _cast(shot: Shot, shadow: scene.ShadowMap, floor: np.ndarray) -> np.ndarray:
    """(H, W) what is left of the light on the floor: the figure's shadow, and the darkness under its feet."""
    camera, light = shot.camera, shot.light
    height, width = camera.size
    out = np.ones((height, width), np.float32)
    rows, columns = np.nonzero(floor)
    if not len(rows):
        return out
    rays = np.stack(
        [
            (columns + 0.5 - camera.centre[0]) / camera.focal,
            (rows + 0.5 - camera.centre[1]) / camera.focal,
            np.ones(len(rows)),
        ],
        1,
    )
    rays = rays @ camera.rows
    t = (shot.ground - camera.position[2]) / np.minimum(rays[:, 2], -1e-4)
    points = (camera.position + rays * t[:, None]).astype(np.float32)
    lit = scene.lit(points, shadow.depth, shadow.origin, shadow.axes, shadow.scale, max(light.soft, 0.012), 0.0)
    share = light.sun.mean() * max(light.way[2], 0.1)
    share = share / (share + light.sky.mean())
    low = shot.figure.vertices[shot.figure.vertices[:, 2] < shot.ground + 0.12][::10]
    dark = np.zeros(len(points), np.float32)
    if len(low):
        distance, _ = KDTree(low[:, :2]).query(points[:, :2], distance_upper_bound=0.5)
        dark = np.exp(-np.where(np.isfinite(distance), distance, 9) / 0.09).astype(np.float32) * 0.55
    out[rows, columns] = (1 - share * (1 - lit) * 0.85) * (1 - dark)
    return out


def _exposure(picture: np.ndarray, share: np.ndarray, rng: np.random.Generator | None) -> float:
    """A camera's: the middle of the picture's light, the person counting more, comes to a middle grey."""
    weight = 0.35 + share
    mean = float((np.log(picture.mean(-1) + 0.01) * weight).sum() / weight.sum())
    wanted = np.log(0.20) + (rng.normal(0, 0.28) if rng is not None else -0.10)
    return float(np.exp(0.85 * (wanted - mean)))


def photograph(clean: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a camera makes of it: exposure, blur or sharpening, noise, JPEG. (H, W, 3) uint8."""
    image = clean * rng.normal(1, 0.06) + rng.normal(0, 0.012)
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.35, 1.0))
    elif rng.random() < 0.4:
        image = image + rng.uniform(0.2, 0.8) * (image - cv2.GaussianBlur(image, (0, 0), 1.0))
    noise = rng.normal(0, 1, image.shape).astype(np.float32) * rng.choice([0.004, 0.01, 0.022], p=[0.5, 0.35, 0.15])
    if rng.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (0, 0), 0.6) * 1.5
    image = (np.clip(image + noise, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.7:
        _, code = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(45, 97))])
        image = np.ascontiguousarray(np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))[..., ::-1])
    return image


def _joints(shot: Shot, seen: scene.View) -> np.ndarray:
    """(18, 3) in pixels; the score says whether the joint is seen."""
    camera = shot.camera
    height, width = camera.size
    points = camera.project(shot.figure.joints)
    out = np.full((len(JOINTS), 3), np.nan, np.float32)
    out[:, 2] = 0
    for index, name in enumerate(JOINTS):
        x, y = points[index, :2]
        if not (0 <= x < width and 0 <= y < height):
            continue
        side, _, joint = name.rpartition("_")
        allowed = {s if s in ("head", "torso") else f"{side}_{s}" for s in _SEEN_ON[joint].split()}
        layer = int(seen.layer[int(y * scene.SUPERSAMPLING), int(x * scene.SUPERSAMPLING)])
        on = layer and SEGMENTS[(layer - 1) % len(SEGMENTS)] in allowed
        # From behind, the skull lies before nose and eyes.
        if on and joint in ("nose", "eye", "ear"):
            nearest = seen.depth[int(y * scene.SUPERSAMPLING), int(x * scene.SUPERSAMPLING)]
            on = points[index, 2] - nearest < 0.05
        out[index] = x, y, 1.0 if on else 0.5
    return out


def _order(mesh: scene.Mesh, camera: scene.Camera, layers: np.ndarray) -> np.ndarray:
    """(MAX_LAYERS,) the layers that are seen, (H, W) in ``layers``, back to front, then zeros.

    Layers can lie before one another in turn (folded arms), so there is no perfect order: the one behind all others is
    taken to be the one that wrongly covers the fewest pixels there, and so on with the rest.
    """
    kinds = np.array([KINDS.index(p.kind) if p.kind else -1 for p in mesh.pieces])[mesh.piece]
    labels = np.where(kinds >= 0, 1 + kinds * len(SEGMENTS) + mesh.segment, 0).astype(np.int32)
    points, cut = camera.project(mesh.vertices), mesh.cut.astype(np.float32)
    before = overlaps(points, mesh.faces, *camera.size, cut, mesh.bias, labels, len(LAYERS))
    left = [int(i) for i in np.unique(layers) if i]
    # Tights are painted on the skin, and lie where it does.
    own = {i: i - (_TIGHTS - _SKIN) if LAYERS[i].startswith("tights/") else i for i in left}
    ordered: list[int] = []
    while left:
        rows = [own[i] for i in left]
        covers = before[np.ix_(rows, rows)].sum(1)
        ordered.append(left.pop(int(covers.argmin())))
    out = np.zeros(MAX_LAYERS, np.uint8)
    out[: len(ordered)] = ordered[-MAX_LAYERS:]
    return out
