"""``python -m pise_core synthesize examples``: render the people that greet a visitor, at the size of a portrait."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from pise_core.images import write_image
from pise_core.synthesis import backgrounds, hair, pictures, props, scene, skin
from pise_core.synthesis.bodies import body
from pise_core.synthesis.example_people import EXAMPLES, Example, Recipe, cloth
from pise_core.synthesis.figures import Person, Piece
from pise_core.synthesis.patterns import linear, waves
from pise_core.synthesis.people import Look, figure_of, seat_under
from pise_core.synthesis.rasterizer import vertex_normals

#: (H, W) of a picture.
SIZE = (1152, 768)


def look_of(recipe: Recipe) -> Look:
    rng = np.random.default_rng(recipe.seed)
    phenotype = {
        "gender": recipe.woman, "age": recipe.age, "muscle": 0.5, "weight": 0.45,
        "height": 0.5, "proportions": 0.8, **recipe.build,
    }  # fmt: skip
    changes = {
        name: float(rng.normal(0, 0.14))
        for name in body().local_changes
        if name.startswith(("nose", "chin", "mouth", "forehead", "head-")) and "incr" in name
    }
    person = Person(body().shape(phenotype, changes, {"mouthSmileLeft": 0.35, "mouthSmileRight": 0.35}))
    tone, colour = linear(np.array(recipe.tone) / 255), linear(np.array(recipe.hair_colour) / 255)
    lips = tone * np.array([0.88, 0.58, 0.55]) if recipe.lips is None else linear(np.array(recipe.lips) / 255)
    face = skin.Skin(
        tone.astype(np.float32), lips.astype(np.float32), np.minimum(colour * 0.8, tone * 0.6),
        linear((0.28, 0.19, 0.12)),
        0.3 * recipe.woman, 1.2 - 0.25 * recipe.woman, recipe.beard, 0.8, recipe.seed,
    )  # fmt: skip
    hairdo = hair.Hair(
        recipe.style, colour, recipe.volume, recipe.fringe, recipe.curl, 0.02, recipe.length, recipe.hat,
        cloth("knit", (52, 60, 84), (70, 80, 108)), recipe.seed,
    )  # fmt: skip
    things = props.Things(
        recipe.held, "L", 1.0, cloth("plain", (112, 66, 38), (92, 52, 30), shine=0.25), recipe.glasses,
        linear((0.08, 0.06, 0.05)), None, recipe.full_beard,
    )  # fmt: skip
    return Look(recipe.woman, recipe.age, person, face, hairdo, recipe.clothes, things)


def render(example: Example, size: tuple[int, int] = SIZE) -> np.ndarray:
    """(H, W, 3) uint8 RGB."""
    rng = np.random.default_rng(example.seed)
    pieces: list[Piece] = []
    joints = []
    figure = None
    for recipe in example.people:
        figure = figure_of(look_of(recipe), recipe.pose)
        if recipe.pose.seat:
            figure.pieces.append(seat_under(figure, (0.30, 0.21), (0.74, 0.70, 0.64)))
        low = min(float(p.vertices[:, 2].min()) for p in figure.pieces if p.kind)
        shift = np.array([recipe.aside, 0, -low], np.float32)
        pieces += [replace(p, vertices=p.vertices + shift) for p in figure.pieces]
        joints.append(figure.joints + shift)
    assert figure is not None
    figure = replace(
        figure,
        pieces=[finer(p) for p in pieces],
        joints=joints[0],
        vertices=np.concatenate([p.vertices for p in pieces]),
    )
    points = np.concatenate([p.vertices for p in pieces if p.kind])
    top = float(points[:, 2].max())
    fov = np.deg2rad(24)
    wide = np.ptp(points[:, 0]) * 1.15 * size[0] / size[1]
    seated = any(recipe.pose.seat for recipe in example.people)
    span = max(top * (1.42 if seated else 1.14), wide)
    far = span / 2 / np.tan(fov / 2)
    middle = np.array(
        [(points[:, 0].min() + points[:, 0].max()) / 2, 0.0, span / 2 - top * (0.16 if seated else 0.055)]
    )
    position = middle + np.array([0, -far, 0])
    position[2] = example.eye
    ahead = (middle - position) / np.linalg.norm(middle - position)
    right = np.cross(ahead, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    rows = np.stack([right, np.cross(ahead, right), ahead])
    camera = scene.Camera(position, rows, size[0] / 2 / np.tan(fov / 2), (size[1] / 2, size[0] / 2), size)
    way, sun, sky = example.light
    warm = np.array([1.06, 1.0, 0.92])
    light = scene.Light(
        np.array(way) / np.linalg.norm(way), sun * warm, sky * np.array([0.95, 1, 1.06]), sky * 0.55 * warm, 0.012
    )
    background, floor = backgrounds.draw(rng, camera, 0.0, example.place, example.blur)
    shot = pictures.Shot(figure, camera, light, 0.0, "whole")
    return pictures.portrait(shot, background, floor, rng)


def finer(piece: Piece) -> Piece:
    """A piece with four triangles for each, its outline rounded; cloth gets small folds."""
    faces = piece.faces
    edges = np.sort(faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    unique, where = np.unique(edges, axis=0, return_inverse=True)
    where = where.reshape(-1, 3) + len(piece.vertices)
    a, b = unique[:, 0], unique[:, 1]
    n = vertex_normals(piece.vertices, faces)
    v = piece.vertices
    half = (v[a] + v[b]) / 2
    # Towards the planes that touch the surface at both ends of an edge (Boubekeur and Alexa 2008, Phong tessellation).
    on_a = half - ((half - v[a]) * n[a]).sum(1, keepdims=True) * n[a]
    on_b = half - ((half - v[b]) * n[b]).sum(1, keepdims=True) * n[b]
    if len(piece.vertices) > 100:
        half = half * 0.3 + (on_a + on_b) / 2 * 0.7
    vertices = np.concatenate([v, half]).astype(np.float32)
    both = lambda x: np.concatenate([x, (x[a] + x[b]) / 2]).astype(np.float32)  # noqa: E731
    new = np.concatenate(
        [
            np.stack([faces[:, 0], where[:, 0], where[:, 2]], 1),
            np.stack([faces[:, 1], where[:, 1], where[:, 0]], 1),
            np.stack([faces[:, 2], where[:, 2], where[:, 1]], 1),
            where,
        ]
    ).astype(np.int32)
    canonical = both(piece.canonical)
    if piece.kind in ("top", "outerwear", "trousers", "skirt", "dress"):
        folds = (
            waves(canonical * [1, 1, 1.6], 70, 11, 6) * 0.0011 + waves(canonical * [1.6, 1.6, 0.8], 36, 12, 5) * 0.0028
        )
        vertices = vertices + vertex_normals(vertices, new) * folds[:, None]
    return replace(
        piece, vertices=vertices.astype(np.float32), faces=new, canonical=canonical, cut=both(piece.cut),
        arm=both(piece.arm), leg=both(piece.leg), segment=np.concatenate([piece.segment, piece.segment[a]]), rows=None,
    )  # fmt: skip


def write_examples(folder: Path, only: int | None = None) -> list[Path]:
    """Render the examples (or the one of that number, from 1) as ``person-1.png``, ... Returns what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, example in enumerate(EXAMPLES, 1):
        if only in (None, number):
            paths.append(folder / f"person-{number}.png")
            write_image(paths[-1], render(example))
    return paths
