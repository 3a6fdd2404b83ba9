"""Layers against the truth: rendered people whose layers are known (``synthesize people --layers``).

**uncovered**: joints, regions and what is held are given. An arm is turned out, or a leg to its side where neither a
skirt nor a coat hangs from the hips. What is right where the limb was is the person's picture without it, made of the
layers that the renderer kept. Mean difference in levels over what the limb hid and hides no longer; the worst tenth of
the moves apart; and the share of it that shows the person where the background is right, or the other way round. Near
the limb's root the renderer's layers reach below one another, so that it is left out there. Rows: the moved person,
and the photo as it was.

**edge**: how far the person's alpha is from the true one near the silhouette, where that is a half: within 3 pixels on
either side, and within 6. Rows: joints and regions as they are found, and as they are given. Of street photos the
hand-made silhouette counts for the truth, softened by one pixel.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pise_core.editor import Editor
from pise_core.errors import NobodyFound
from pise_core.evaluation.leftovers import ARMS, names
from pise_core.evaluation.scoring import Outcome
from pise_core.masks import grow
from pise_core.person import Person
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.synthesis.dataset import People, Picture, Stack
from pise_core.training.data.street_photos import StreetPhotos
from pise_core.warping.parts import PARTS
from pise_core.warping.warp import carry

LEGS = {side: tuple(JOINT[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")) for side in ("left", "right")}
#: What of the body moves with a limb, as the renderer calls it.
_SEGMENTS = {"arm": ("upper_arm", "forearm", "hand"), "leg": ("thigh", "shin", "foot")}
_PARTS = {"arm": ("held", "upper_arm", "forearm"), "leg": ("thigh", "shin")}
#: Degrees by which a limb is turned, drawn for each move.
_TURN = {"arm": (45.0, 110.0), "leg": (20.0, 40.0)}
#: Layers that hang over the legs and go along with them, so that nobody knows what is right behind a leg.
_HANGING = ("skirt", "dress", "outerwear")
#: In pixels: a limb's soft edge; and fewer of these that are uncovered tell nothing.
_EDGE, _LEAST = 3, 200
#: In lengths of the limb's first bone: so near to its root the renderer's layers reach below one another.
_ROOT = 0.6
#: In pixels from the silhouette: where an edge is looked at.
BANDS = (3, 6)


@dataclass(frozen=True)
class Move:
    """One limb of one rendered person.

    Attributes:
        name: of the picture's number and the limb.
        error: mean difference in levels over what was uncovered, by row.
        wrong: share of that where the moved person's picture shows the background for the person, or the reverse.
        shown: (H, W, 3) uint8 by name.
    """

    name: str
    error: dict[str, float]
    wrong: float
    shown: dict[str, np.ndarray]


@dataclass(frozen=True)
class Edge:
    """The silhouette of one person: mean difference of alpha by row and band, and pictures (H, W, 3) uint8."""

    name: str
    error: dict[str, dict[int, float]]
    shown: dict[str, np.ndarray]


def moves(people: People, editor: Editor, limit: int | None, seed: int) -> Iterator[Move]:
    """A move for each picture of the first ``limit`` in which a limb can be moved; the same ones for a ``seed``.

    Raises:
        InputError: if the folder was written without layers.
    """
    count = 0
    for number in range(2 * len(people)):
        if limit is not None and count >= limit:
            return
        picture, stack = people.picture(number), people.stack(number)
        rng = np.random.default_rng((seed, people.about(number // 2)["index"], number % 2))
        limbs = [which for which in _limbs(picture, stack) if without_limb(stack, *which)[0].sum() >= _LEAST]
        if not limbs:
            continue
        limb, side = limbs[int(rng.integers(len(limbs)))]
        wanted = turned_out(picture.joints, limb, side, rng.uniform(*_TURN[limb]))
        person = editor.set_person(stack.clean, pose=picture.joints, parsing=picture.regions, held=picture.held)
        hid, truth, rest = without_limb(stack, limb, side)
        uncovered = hid & ~_near_root(hid.shape, picture.joints, limb, side)
        uncovered &= ~_new_place(person, wanted, limb, side)
        if uncovered.sum() < _LEAST:
            continue
        count += 1
        edit = person.render(pose=wanted)
        after = edit.photo
        wrong = ((edit.parsing > 0) != (rest > 0.5))[uncovered].mean()
        error = {"moved": _apart(after, truth, uncovered), "as it was": _apart(stack.clean, truth, uncovered)}
        marked = after.copy()
        marked[uncovered] = truth[uncovered]
        shown = {"before": stack.clean, "after": after, "truth there": marked}
        yield Move(f"{number} {side} {limb}", error, float(wrong), shown)


def turned_out(pose: np.ndarray, limb: str, side: str, degrees: float) -> np.ndarray:
    """The pose (18, 3) with an arm or leg turned away from the body about its first joint."""
    root, *rest = (ARMS if limb == "arm" else LEGS)[side]
    other = (ARMS if limb == "arm" else LEGS)["right" if side == "left" else "left"][0]
    # A hanging limb turns towards its own side of the picture.
    out = pose[root, 0] - pose[other, 0]
    angle = np.radians(-degrees if out > 0 else degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = pose.copy()
    turned[rest, :2] = (pose[rest, :2] - pose[root, :2]) @ turn + pose[root, :2]
    return turned


def without_limb(stack: Stack, limb: str, side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(H, W) bool: where the limb, what it wears and what its hand holds is seen; (H, W, 3) uint8: the picture without
    all that; (H, W) float32: the share of each pixel that is the person's then."""
    moving = {f"{side}_{segment}" for segment in _SEGMENTS[limb]}
    picture = stack.background.astype(np.float32)
    seen = np.zeros(picture.shape[:2], np.float32)
    rest = np.zeros(picture.shape[:2], np.float32)
    for name, layer in zip(stack.names, stack.colours, strict=True):
        share = layer[..., 3].astype(np.float32) / 255
        seen *= 1 - share
        if name.split("/")[1] in moving:
            seen += share
        else:
            picture += share[..., None] * (layer[..., :3] - picture)
            if not name.startswith("held/"):  # no region of the eight: in maps it is background
                rest += share * (1 - rest)
    return seen > 0.5, np.rint(picture).astype(np.uint8), rest


def edges(people: People, editor: Editor, limit: int | None) -> Iterator[Edge]:
    """The silhouettes of the first ``limit`` sources in which somebody is found."""
    count = 0
    for number in range(0, 2 * len(people), 2):
        if limit is not None and count >= limit:
            return
        picture = people.picture(number)
        try:
            found = editor.set_person(picture.image)
        except NobodyFound:
            continue
        count += 1
        given = editor.set_person(picture.image, pose=picture.joints, parsing=picture.regions, held=picture.held)
        rows = {"found": found.alpha, "given": given.alpha}
        yield _edge(str(number), picture.image, rows, picture.alpha.astype(np.float32) / 255)


def street_edges(photos: StreetPhotos, editor: Editor, split: str, limit: int | None) -> Iterator[Edge]:
    """The silhouettes of the first ``limit`` annotated photos by name in which somebody is found."""
    count = 0
    for name in names(photos, split):
        pose = photos.pose(name)
        if pose is None or (limit is not None and count >= limit):
            continue
        parsing, held, photo = photos.parsing(name, pose), photos.held(name), photos.photo(name)
        assert parsing is not None
        try:
            found = editor.set_person(photo)
        except NobodyFound:
            continue
        count += 1
        person = parsing > 0 if held is None else (parsing > 0) | (held > 0)
        truth = cv2.GaussianBlur(person.astype(np.float32), (0, 0), 1.0)
        given = editor.set_person(photo, pose=pose, parsing=parsing, held=held)
        yield _edge(name, photo, {"found": found.alpha, "given": given.alpha}, truth)


def uncovered_outcome(found: Sequence[Move]) -> Outcome:
    """Mean, median and worst tenth of the moves, and each one's."""
    rows = {}
    for row in found[0].error:
        errors = np.sort([move.error[row] for move in found])
        worst = errors[-max(1, len(errors) // 10) :]
        rows[row] = {
            "uncovered": float(errors.mean()),
            "uncovered_median": float(np.median(errors)),
            "uncovered_worst": float(worst.mean()),
        }
    rows["moved"]["wrong_layer"] = float(np.mean([move.wrong for move in found]))
    each = {row: {"uncovered": [move.error[row] for move in found]} for row in rows}
    return Outcome("uncovered", len(found), rows, each=each)


def edge_outcome(task: str, found: Sequence[Edge]) -> Outcome:
    """Means over the people, by row and band, and each one's."""
    rows, each = {}, {}
    for row in found[0].error:
        each[row] = {f"alpha_{band}": [edge.error[row][band] for edge in found] for band in BANDS}
        rows[row] = {column: float(np.mean(values)) for column, values in each[row].items()}
    return Outcome(task, len(found), rows, each=each)


def _limbs(picture: Picture, stack: Stack) -> list[tuple[str, str]]:
    """Arms and legs that can be moved: their joints are in the picture, and so is the joint on the other side."""
    kinds = {name.split("/")[0] for name in stack.names}
    found = []
    for limb, joints in (("arm", ARMS), ("leg", LEGS)):
        if limb == "leg" and (kinds & set(_HANGING) or (picture.regions == REGION["dress"]).any()):
            continue
        roots = [joints[side][0] for side in joints]
        found += [(limb, side) for side in joints if visible(picture.joints)[[*joints[side], *roots]].all()]
    return found


def _near_root(size: tuple[int, ...], pose: np.ndarray, limb: str, side: str) -> np.ndarray:
    root, middle = (pose[joint, :2] for joint in (ARMS if limb == "arm" else LEGS)[side][:2])
    y, x = np.indices(size)
    return np.hypot(x - root[0], y - root[1]) < _ROOT * float(np.hypot(*(middle - root)))


def _new_place(person: Person, wanted: np.ndarray, limb: str, side: str) -> np.ndarray:
    """(H, W) bool: where the limb and what goes with it lies after the move, its soft edge included."""
    mine = [PARTS.index(f"{side}_{piece}") for piece in _PARTS[limb]]
    view = person.full
    owner = np.where(np.isin(view.owner, mine), view.owner, -1)
    return grow(carry(view.image, view.parsing, owner, view.pose, wanted).landed, _EDGE)


def _apart(made: np.ndarray, truth: np.ndarray, where: np.ndarray) -> float:
    return float(np.abs(made[where].astype(np.float32) - truth[where]).mean())


def _edge(name: str, photo: np.ndarray, alphas: dict[str, np.ndarray], truth: np.ndarray) -> Edge:
    inside = truth > 0.5
    bands = {band: grow(inside, band) & grow(~inside, band) for band in BANDS}
    gaps = {row: np.abs(alpha - truth) for row, alpha in alphas.items()}
    error = {row: {band: float(gap[where].mean()) for band, where in bands.items()} for row, gap in gaps.items()}
    shown = {"photo": photo, **{row: _grey(alpha) for row, alpha in alphas.items()}, "truth": _grey(truth)}
    return Edge(name, error, shown)


def _grey(alpha: np.ndarray) -> np.ndarray:
    return np.repeat(np.rint(alpha * 255).astype(np.uint8)[..., None], 3, axis=2)
