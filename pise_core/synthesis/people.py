"""One person that does not exist, twice: from (seed, index) to a pair of pictures with every truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.spatial import KDTree

from pise_core.skeleton import HIPS, JOINTS
from pise_core.synthesis import backgrounds, hair, poses, scene, skin, wardrobe
from pise_core.synthesis.bodies import body
from pise_core.synthesis.dataset import KINDS, LAYERS, MAX_LAYERS, SEGMENTS, Pair, Picture
from pise_core.synthesis.figures import Figure, Person, Piece
from pise_core.synthesis.patterns import linear

SIZE = (256, 176)
#: Segments on which each joint is seen; where another one is nearest, the joint is hidden.
_SEEN_ON = {
    "nose": "head", "neck": "torso head", "eye": "head", "ear": "head",
    "shoulder": "torso upper_arm", "elbow": "upper_arm forearm", "wrist": "forearm hand",
    "hip": "torso thigh", "knee": "thigh shin", "ankle": "shin foot",
}  # fmt: skip


@dataclass(frozen=True)
class Look:
    """Everything about a person but her pose."""

    woman: float
    age: float
    person: Person
    skin: skin.Skin
    hair: hair.Hair
    clothes: wardrobe.Clothes


@dataclass(frozen=True)
class View:
    """How a picture is taken."""

    camera: scene.Camera
    light: scene.Light
    ground: float
    crop: str


def random_look(rng: np.random.Generator) -> Look:
    woman = float(np.clip(rng.choice([rng.normal(0.06, 0.05), rng.normal(0.94, 0.05)]), 0, 1))
    age = float(
        rng.choice([rng.uniform(0.38, 0.6), rng.uniform(0.6, 0.78), rng.uniform(0.78, 1.0)], p=[0.14, 0.62, 0.24])
    )
    phenotype = {
        "gender": woman,
        "age": age,
        "muscle": float(np.clip(rng.normal(0.5, 0.16), 0.1, 0.95)),
        "weight": float(np.clip(rng.normal(0.48, 0.18), 0.08, 0.98)),
        "height": float(np.clip(rng.normal(0.5, 0.2), 0.05, 0.98)),
        "proportions": float(rng.uniform(0.4, 0.95)),
    }
    changes = {}
    for name in body().local_changes:
        if name.startswith(("nose", "chin", "mouth", "forehead", "head-", "eyebrows")) and "incr" in name:
            changes[name] = float(rng.normal(0, 0.22))
        elif name.startswith(("hip-scale", "torso-scale", "measure-shoulder", "measure-waist", "stomach-tone")):
            changes[name] = float(rng.normal(0, 0.2))
    pair = {}
    for name in ("cheek-volume-incr", "cheek-bones-incr", "eye-scale-incr", "ear-scale-incr", "eye-height2-incr"):
        pair[name] = float(rng.normal(0, 0.25))
    for name, value in pair.items():
        for side in "lr":
            if f"{side}-{name}" in body().local_changes:
                changes[f"{side}-{name}"] = value
    smile = float(max(rng.normal(0.1, 0.3), 0))
    face = {"mouthSmileLeft": min(smile, 0.8), "mouthSmileRight": min(smile, 0.8)}
    colour = hair.random_colour(rng, age)
    return Look(
        woman, age, Person(body().shape(phenotype, changes, face)), skin.random_skin(rng, colour, woman, age),
        hair.random_hair(rng, colour, woman, age), wardrobe.random_clothes(rng, woman, age),
    )  # fmt: skip


def figure_of(look: Look, pose: poses.Pose) -> Figure:
    """The person in a pose, dressed."""
    figure = look.person.posed(poses.assemble(body(), look.person.shape, pose))
    solids = wardrobe.add_clothes(figure, look.clothes, look.person.scale)
    skin.add_skin(figure, look.skin, look.clothes.legwear)
    hair.add_hair(figure, look.hair, solids)
    return figure


def _pose(rng: np.random.Generator, look: Look, unlike: poses.Pose | None, turned: bool) -> poses.Pose:
    """A pose without limbs through the body, that differs enough from another one."""
    for _ in range(60):
        pose = poses.random_pose(rng)
        if unlike is not None:
            between = abs((pose.turn - unlike.turn + 180) % 360 - 180)
            if poses.difference(look.person.shape, unlike, pose) < 2 or (turned and between <= 45):
                continue
        figure = look.person.posed(poses.assemble(body(), look.person.shape, pose))
        if not poses.collides(body(), figure.vertices, figure.normals):
            return pose
    # Hardly ever: a body that every pose goes through. These two do not, and they differ.
    arms = poses.Arm(60, 20, 20)
    return (
        poses.Pose("stand, level", arms, arms) if unlike is None else poses.Pose("stand, hang", turn=unlike.turn + 90)
    )


def _light(rng: np.random.Generator, camera: scene.Camera) -> scene.Light:
    kind = rng.choice(["sun", "overcast", "indoor", "flash"], p=[0.4, 0.3, 0.22, 0.08])
    turn, lift = rng.uniform(-np.pi, np.pi), rng.uniform(0.35, 1.2)
    way = np.array([np.cos(turn) * np.cos(lift), np.sin(turn) * np.cos(lift), np.sin(lift)])
    if way @ camera.rows[2] > 0 and rng.random() < 0.6:  # more often from the front
        way[:2] *= -1
    warm = rng.normal(0, 0.08)
    tint = np.array([1 + warm, 1, 1 - warm])
    cool = np.array([1 - warm * 0.5, 1, 1 + warm * 0.5])
    if kind == "sun":
        sun, sky, soft = rng.uniform(0.7, 1.5), rng.uniform(0.25, 0.5), 0.006
    elif kind == "overcast":
        sun, sky, soft = rng.uniform(0.1, 0.4), rng.uniform(0.55, 1.0), 0.06
    elif kind == "indoor":
        sun, sky, soft = rng.uniform(0.3, 0.8), rng.uniform(0.25, 0.6), 0.03
        cool = tint
    else:
        sun, sky, soft = rng.uniform(0.7, 1.2), rng.uniform(0.1, 0.25), 0.008
        way = -camera.rows[2] + np.array([0, 0, 0.12])
    return scene.Light(way / np.linalg.norm(way), sun * tint, sky * cool, sky * rng.uniform(0.35, 0.8) * tint, soft)


def _view(rng: np.random.Generator, figure: Figure, size: tuple[int, int]) -> View:
    """A camera that has the person whole or half in its picture."""
    points = np.concatenate([p.vertices for p in figure.pieces])
    ground = float(points[:, 2].min())
    crop = str(rng.choice(["whole", "knees", "half", "loose"], p=[0.6, 0.1, 0.18, 0.12]))
    height = float(points[:, 2].max() - ground)
    low = {"whole": 0.0, "knees": rng.uniform(0.2, 0.32), "half": rng.uniform(0.36, 0.52), "loose": 0.0}[crop]
    bottom, top = ground + low * height, float(points[:, 2].max())
    fov = np.deg2rad(rng.uniform(18, 55))  # 24 to 85 mm upright
    middle = np.array([*points[:, :2].mean(0), (bottom + top) / 2])
    wide = float(np.abs(points[:, 0] - middle[0]).max()) * 2
    span = max(
        (top - bottom) * rng.uniform(1.04, 1.16), wide * 1.06 * size[0] / size[1] if crop in ("whole", "loose") else 0
    )
    if crop == "loose":
        span *= rng.uniform(1.15, 1.7)
    far = span / 2 / np.tan(fov / 2)
    eye = ground + rng.uniform(0.8, 1.75) * (0.6 if height < 1.2 else 1)
    position = middle + np.array([0, -far, 0])
    position[2] = np.clip(eye, middle[2] - 0.35 * far, middle[2] + 0.35 * far)
    ahead = middle - position
    ahead /= np.linalg.norm(ahead)
    roll = np.deg2rad(rng.normal(0, 1.5))
    right = np.cross(ahead, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(ahead, right)
    rows = np.stack([right * np.cos(roll) + down * np.sin(roll), down * np.cos(roll) - right * np.sin(roll), ahead])
    focal = size[0] / 2 / np.tan(fov / 2)
    slack = np.array([0.10, 0.03]) * (2.5 if crop == "loose" else 1)
    centre = (
        size[1] / 2 + rng.normal(0, slack[0] * 0.4) * size[1],
        size[0] / 2 + rng.normal(0, slack[1] * 0.5) * size[0],
    )
    camera = scene.Camera(position, rows, float(focal), (float(centre[0]), float(centre[1])), size)
    return View(camera, _light(rng, camera), ground, crop)


def _seat(figure: Figure, rng: np.random.Generator) -> Piece:
    """A box to sit on, under the hips."""
    known = body()
    hips = figure.joints[list(HIPS)].mean(0)
    c = known.canonical.vertices
    under = (np.abs(c[:, 2] - 0.1) < 0.1) & (c[:, 1] > 0)
    top = float(figure.vertices[under][:, 2].min()) + 0.015
    ground = float(figure.vertices[:, 2].min())
    ahead = figure.transforms[known.bones["root"], :, :3] @ np.array([0.0, -1, 0])
    ahead[2] = 0
    ahead /= np.linalg.norm(ahead)
    side = np.array([-ahead[1], ahead[0], 0])
    wide, deep = rng.uniform(0.2, 0.6), rng.uniform(0.18, 0.24)
    middle = hips - ahead * 0.06
    corners = [
        np.array([*(middle + side * wide * a + ahead * deep * b)[:2], z])
        for z in (ground, top)
        for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]  # fmt: skip
    quads = [(4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7)]
    vertices = np.array([corners[i] for q in quads for i in q], np.float32)
    faces = np.array([[4 * q + i for i in t] for q in range(5) for t in ((0, 1, 2), (0, 2, 3))], np.int32)
    n = len(vertices)
    colour = np.array(rng.uniform(0.03, 0.6) * (1 + rng.normal(0, 0.15, 3)), np.float32)
    zeros = np.zeros(n, np.float32)

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        return np.broadcast_to(np.clip(colour, 0.01, 0.9), points.shape), 0, 0

    return Piece("", vertices, faces, vertices.copy(), zeros + 1, np.zeros(n, np.uint8), zeros, zeros, paint)


@dataclass(frozen=True)
class Shot:
    """One picture in the making: a figure before a camera."""

    figure: Figure
    view: View


def compose(
    shot: Shot, background: np.ndarray, floor: np.ndarray, rng: np.random.Generator, cast: bool = True
) -> tuple[Picture, np.ndarray]:
    """The picture with its truths, and the same before blur, noise and JPEG, (H, W, 3) float32 sRGB 0..1."""
    camera, light = shot.view.camera, shot.view.light
    size, factor = camera.size, scene.SUPERSAMPLING
    mesh = scene.join(shot.figure.pieces)
    shadow = scene.shadow_map(mesh, light, shot.view.ground)
    seen = scene.see(mesh, camera, light, shadow)
    if cast:
        background = background * _cast(camera, light, shadow, shot, floor)[..., None]
    share = scene.down(seen.there.astype(np.float32), factor)
    picture = scene.down(seen.colour, factor) + background * (1 - share[..., None])
    clean = scene.encode(picture * _exposure(picture, share, rng))
    image = photograph(clean, rng)
    layers = scene.vote(seen.layer, factor)
    regions = scene.vote(seen.region, factor)
    regions[layers == 0] = 0
    held = (layers >= 1 + KINDS.index("held") * len(SEGMENTS)) & (
        layers < 1 + (KINDS.index("held") + 1) * len(SEGMENTS)
    )
    depth = np.where(seen.person, seen.depth, np.inf).reshape(size[0], factor, size[1], factor).min((1, 3))
    depth = np.where(np.isfinite(depth), np.clip(depth * 1000, 1, 65535), 0).astype(np.uint16)
    alpha = np.round(scene.down(seen.person.astype(np.float32), factor) * 255).astype(np.uint8)
    return Picture(
        image, _joints(shot.figure, camera, seen), regions.astype(np.uint8), held.astype(np.uint8), alpha, depth,
        layers.astype(np.uint8), _order(seen),
    ), clean  # fmt: skip


def _cast(
    camera: scene.Camera, light: scene.Light, shadow: scene.ShadowMap, shot: Shot, floor: np.ndarray
) -> np.ndarray:
    """(H, W) what is left of the light on the floor: the figure's shadow, and the darkness under its feet."""
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
    t = (shot.view.ground - camera.position[2]) / np.minimum(rays[:, 2], -1e-4)
    points = (camera.position + rays * t[:, None]).astype(np.float32)
    lit = scene.lit(points, shadow.depth, shadow.origin, shadow.axes, shadow.scale, max(light.soft, 0.012), 0.0)
    share = light.sun.mean() * max(light.way[2], 0.1)
    share = share / (share + light.sky.mean())
    low = shot.figure.vertices[shot.figure.vertices[:, 2] < shot.view.ground + 0.12][::10]
    dark = np.zeros(len(points), np.float32)
    if len(low):
        distance, _ = KDTree(low[:, :2]).query(points[:, :2], distance_upper_bound=0.5)
        dark = np.exp(-np.where(np.isfinite(distance), distance, 9) / 0.09).astype(np.float32) * 0.55
    out[rows, columns] = (1 - share * (1 - lit) * 0.85) * (1 - dark)
    return out


def _exposure(picture: np.ndarray, share: np.ndarray, rng: np.random.Generator) -> float:
    """A camera's: the middle of the picture's light, the person counting more, comes to a middle grey."""
    weight = 0.35 + share
    mean = float((np.log(picture.mean(-1) + 0.01) * weight).sum() / weight.sum())
    wanted = np.log(0.20) + rng.normal(0, 0.28)
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


def _joints(figure: Figure, camera: scene.Camera, seen: scene.View) -> np.ndarray:
    """(18, 3) in pixels; the score says whether the joint is seen."""
    height, width = camera.size
    points = camera.project(figure.joints)
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


def _order(seen: scene.View) -> np.ndarray:
    """(MAX_LAYERS,) layers of the picture, back to front by the middle of their depths, then zeros."""
    rows, columns = np.nonzero(seen.layer)
    labels, depth = seen.layer[rows, columns], seen.depth[rows, columns]
    total = np.bincount(labels, depth, len(LAYERS))
    count = np.bincount(labels, minlength=len(LAYERS))
    present = np.nonzero(count)[0]
    mean = total[present] / count[present]
    ordered = present[np.argsort(-mean, kind="stable")][-MAX_LAYERS:]
    out = np.zeros(MAX_LAYERS, np.uint8)
    out[: len(ordered)] = ordered
    return out


def make_pair(
    seed: int,
    index: int,
    size: tuple[int, int] = SIZE,
    photos: backgrounds.Photos | None = None,
    turned: bool = False,
    stacks: Path | None = None,
) -> Pair:
    """The person of (seed, index), in two poses before two cameras.

    Args:
        seed, index: everything random comes from them.
        size: (H, W) of the pictures.
        photos: some backgrounds are cut from them.
        turned: the two pictures differ by a turn of more than 45 degrees.
        stacks: folder of a data set, which gets the layers of both pictures.
    """
    rng = np.random.default_rng([seed, index])
    look = random_look(rng)
    about: dict[str, Any] = {"index": index, "garments": look.clothes.names(), "poses": [], "views": [], "turns": []}
    made: list[Picture] = []
    pose: poses.Pose | None = None
    for own in rng.spawn(2):
        pose = _pose(own, look, pose, turned)
        picture, view = _take(own, look, pose, size, photos)
        made.append(picture)
        about["poses"].append(pose.name)
        about["turns"].append(round(float(pose.turn), 1))
        about["views"].append(view.crop)
    return Pair(made[0], made[1], about)


def _take(
    rng: np.random.Generator, look: Look, pose: poses.Pose, size: tuple[int, int], photos: backgrounds.Photos | None
) -> tuple[Picture, View]:
    figure = figure_of(look, pose)
    if pose.seat:
        figure.pieces.append(_seat(figure, rng))
    view = _view(rng, figure, size)
    if photos is not None and rng.random() < 0.6:
        background = linear(photos.crop(rng, size) / 255)
        floor = np.zeros(size, bool)
    else:
        background, floor = backgrounds.draw(rng, view.camera, view.ground)
        tone = view.light.sun.mean() * 0.6 + view.light.sky.mean()
        background = background * np.clip(tone, 0.5, 1.3)
    picture, _ = compose(Shot(figure, view), background, floor, rng)
    return picture, view
