"""One person that does not exist, twice: from (seed, index) to a pair of pictures with every truth."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pise_core.skeleton import HIPS
from pise_core.synthesis import backgrounds, hair, pictures, poses, props, scene, skin, wardrobe
from pise_core.synthesis.bodies import body
from pise_core.synthesis.dataset import Pair, Picture, write_stack
from pise_core.synthesis.figures import Figure, Person, Piece
from pise_core.synthesis.patterns import linear

SIZE = (256, 176)


@dataclass(frozen=True)
class Look:
    """Everything about a person but the pose."""

    woman: float
    age: float
    person: Person
    skin: skin.Skin
    hair: hair.Hair
    clothes: wardrobe.Clothes
    things: props.Things


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
        props.random_things(rng, woman, age),
    )  # fmt: skip


def figure_of(look: Look, pose: poses.Pose) -> Figure:
    """The person in a pose, dressed."""
    figure = look.person.posed(poses.assemble(body(), look.person.shape, pose))
    solids = wardrobe.add_clothes(figure, look.clothes, look.person.scale)
    skin.add_skin(figure, look.skin, look.clothes.legwear)
    hair.add_hair(figure, look.hair, solids)
    props.add_things(figure, look.things, look.person.scale)
    return figure


def random_pose_of(rng: np.random.Generator, look: Look, unlike: poses.Pose | None, turned: bool) -> poses.Pose:
    """A pose without limbs through the body, that differs enough from another one."""
    shape = look.person.shape
    before = None if unlike is None else poses.ways(shape, poses.assemble(body(), shape, unlike))
    for _ in range(60):
        pose = props.holding(poses.random_pose(rng), look.things, rng)
        if unlike is not None and turned and abs((pose.turn - unlike.turn + 180) % 360 - 180) <= 45:
            continue
        transforms = poses.assemble(body(), shape, pose)
        if before is not None and poses.difference(before, poses.ways(shape, transforms)) < 2:
            continue
        figure = look.person.posed(transforms)
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


def look_at(rng: np.random.Generator, figure: Figure, size: tuple[int, int], crop: str | None = None) -> pictures.Shot:
    """A camera that has the person in its picture: "whole", to the "knees", "half", "loose", or any of them."""
    points = np.concatenate([p.vertices for p in figure.pieces])
    ground = float(points[:, 2].min())
    drawn = str(rng.choice(["whole", "knees", "half", "loose"], p=[0.6, 0.1, 0.18, 0.12]))
    crop = crop or drawn
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
    return pictures.Shot(figure, camera, _light(rng, camera), ground, crop)


def seat_under(figure: Figure, size: tuple[float, float], colour: tuple[float, float, float]) -> Piece:
    """A box to sit on, under the hips: half its width and depth in metres, and its linear colour."""
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
    wide, deep = size
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
    zeros = np.zeros(n, np.float32)

    def paint(points: np.ndarray, arm: np.ndarray, leg: np.ndarray):
        return np.broadcast_to(np.array(colour, np.float32), points.shape), 0, 0

    return Piece("", vertices, faces, vertices.copy(), zeros + 1, np.zeros(n, np.uint8), zeros, zeros, paint)


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
        pose = random_pose_of(own, look, pose, turned)
        shot, background, floor = take(own, look, pose, size, photos)
        picture, stack = pictures.compose(shot, background, floor, own, stacks is not None)
        if stacks is not None and stack is not None:
            write_stack(stacks, index, len(made), stack)
        made.append(picture)
        about["poses"].append(pose.name)
        about["turns"].append(round(float(pose.turn), 1))
        about["views"].append(shot.crop)
    return Pair(made[0], made[1], about)


def take(
    rng: np.random.Generator, look: Look, pose: poses.Pose, size: tuple[int, int], photos: backgrounds.Photos | None
) -> tuple[pictures.Shot, np.ndarray, np.ndarray]:
    """The person before a camera, and what is behind them: (H, W, 3) linear and (H, W) bool, where the floor is."""
    figure = figure_of(look, pose)
    if pose.seat:
        seat = float(rng.uniform(0.2, 0.6)), float(rng.uniform(0.18, 0.24))
        colour = rng.uniform(0.03, 0.6) * (1 + rng.normal(0, 0.15, 3))
        figure.pieces.append(seat_under(figure, seat, tuple(np.clip(colour, 0.01, 0.9))))
    shot = look_at(rng, figure, size)
    if photos is not None and rng.random() < 0.6:
        return shot, linear(photos.crop(rng, size) / 255), np.zeros(size, bool)
    background, floor = backgrounds.draw(rng, shot.camera, shot.ground)
    tone = shot.light.sun.mean() * 0.6 + shot.light.sky.mean()
    return shot, background * np.clip(tone, 0.5, 1.3), floor
