"""What an arm leaves behind where it was: old hands on people's photos, and wall that is not the wall.

Both arms are turned out about the shoulders, by 70 to 110 degrees each.

**hands**: the people of the photos, as the analyzer sees them. A pixel that showed a bare hand or forearm (by the
hand-made map) counts as left when it is within ``LEVELS`` of what it showed, or when the 7x7 pixels about it correlate
above ``ALIKE`` with those before. It doesn't count where the new arm lies, nor where the layer below truly looks so:
where at least a tenth of what is around the arm, within a quarter of its length, has that colour too (bare thighs
behind a hand), or, for the correlation, where the old patch is flat and any other one would do.

**wall**: people cut out by their hand-made maps, the edge softened by a pixel, set before drawn walls. Of what an arm
vacated and nothing else covers, its soft edge included, the share that differs from the wall by more than ``OFF``.
Within the convex hull of what is seen of the rest of the person nobody knows what is behind an arm: left out.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pise_core.editor import Editor
from pise_core.errors import NobodyFound
from pise_core.evaluation.scoring import Outcome
from pise_core.masks import grow
from pise_core.person import Person
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.training.data.prepared_folder import VALIDATION_EVERY
from pise_core.training.data.street_photos import StreetPhotos
from pise_core.warping.parts import PARTS, assign_parts
from pise_core.warping.warp import carry

#: A pixel within so many levels (of 255; the mean of the three channels) shows what it showed.
LEVELS = 12
#: Correlation of 7x7 patches above which they show the same.
ALIKE = 0.8
#: A patch of less contrast (standard deviation in levels) is flat.
_FLAT = 6.0
#: Share of the surroundings that must have a colour for the layer below to look so.
_COMMON = 0.1
#: Mean difference of the three channels above which the wall is not the wall.
OFF = 14
#: Fewer pixels of hands, or of vacated wall, tell nothing.
_LEAST = 300
#: Degrees by which each arm is turned out.
_TURN = (70.0, 110.0)
ARMS = {side: tuple(JOINT[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")) for side in ("left", "right")}
_HELD_PARTS = [i for i, part in enumerate(PARTS) if part.endswith("_held")]
_ARM_PARTS = [index for index, part in enumerate(PARTS) if "arm" in part]


@dataclass(frozen=True)
class Scene:
    """One person whose arms were turned out.

    Attributes:
        name: of the photo.
        left: share of the pixels that count that are left of the arm.
        shown: ``before`` and ``after`` (H, W, 3) uint8, and ``left`` (the after, what counts as left in red).
    """

    name: str
    left: float
    shown: dict[str, np.ndarray]


def names(photos: StreetPhotos, split: str) -> list[str]:
    """Names of annotated photos with joints, sorted: of the test photos, or for choices a quarter of the training
    photos (``validation``)."""
    annotated = sorted(
        name
        for name in photos.split["train" if split == "validation" else split]
        if (photos.folder / "annotations" / "pixel-level" / f"{name}.mat").exists()
    )
    return annotated[::VALIDATION_EVERY] if split == "validation" else annotated


def arms_out(pose: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """The pose (18, 3) with both arms turned out; None where a joint of an arm or the other shoulder is missing."""
    joints = [joint for arm in ARMS.values() for joint in arm]
    if not visible(pose)[joints].all():
        return None
    turned = pose.copy()
    across = pose[ARMS["left"][0], :2] - pose[ARMS["right"][0], :2]
    for side, (shoulder, elbow, wrist) in ARMS.items():
        degrees = rng.uniform(*_TURN)
        # A hanging arm goes up on its own side.
        out = across[0] if side == "left" else -across[0]
        angle = np.radians(-degrees if out > 0 else degrees)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        moved = [elbow, wrist]
        turned[moved, :2] = (pose[moved, :2] - pose[shoulder, :2]) @ turn + pose[shoulder, :2]
    return turned


def old_hands(photos: StreetPhotos, editor: Editor, split: str, limit: int | None, seed: int) -> Iterator[Scene]:
    """The first ``limit`` eligible photos by name: annotated, both arms in sight, with enough bare hand or forearm."""
    count = 0
    for name in names(photos, split):
        pose = photos.pose(name)
        if pose is None or (limit is not None and count >= limit):
            continue
        parsing, photo = photos.parsing(name, pose), photos.photo(name)
        assert parsing is not None
        bare = bare_arms(parsing, pose)
        if bare.sum() < _LEAST:
            continue
        try:
            person = editor.set_person(photo)
        except NobodyFound:
            continue
        wanted = arms_out(person.pose, np.random.default_rng((seed, _number(name))))
        if wanted is None or not _same_person(person.pose, pose):
            continue
        count += 1
        after = person.render(pose=wanted).photo
        concerned = bare & ~_new_arms(person, wanted)
        left = still_there(photo, after, concerned, _ring(person, parsing, bare))
        yield Scene(name, left.sum() / max(1, concerned.sum()), _pictures(photo, after, left))


def _number(name: str) -> int:
    """The same for the same name, whatever that is."""
    return zlib.crc32(name.encode())


def _same_person(found: np.ndarray, annotated: np.ndarray) -> bool:
    """Whether the joints found are those that were annotated: the wrists are within a forearm of each other."""
    for _, elbow, wrist in ARMS.values():
        if not visible(annotated)[[elbow, wrist]].all():
            return False
        length = np.hypot(*(annotated[wrist, :2] - annotated[elbow, :2]))
        if np.hypot(*(found[wrist, :2] - annotated[wrist, :2])) > max(length, 20):
            return False
    return True


def bare_arms(parsing: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(H, W) bool: skin of hands and forearms in a hand-made map (H, W)."""
    near = np.zeros(parsing.shape, np.uint8)
    for shoulder, elbow, wrist in ARMS.values():
        if not visible(pose)[[shoulder, elbow, wrist]].all():
            continue
        a, b = pose[elbow, :2], pose[wrist, :2]
        length = max(np.hypot(*(b - a)), np.hypot(*(a - pose[shoulder, :2])))
        tip = b + 0.6 * (b - a) / max(float(np.hypot(*(b - a))), 1e-3) * length
        ends = [tuple(np.rint(p).astype(int).tolist()) for p in (a + 0.2 * (b - a), tip)]
        cv2.line(near, ends[0], ends[1], 1, max(1, round(0.6 * length)))
    return (near > 0) & (parsing == REGION["upper_skin"])


def _new_arms(person: Person, wanted: np.ndarray) -> np.ndarray:
    """(H, W) bool: where the arms lie after the move, with what is added to them, and a rim about them."""
    view = person.full
    owner = np.where(np.isin(view.owner, _HELD_PARTS), -1, view.owner)
    moved = carry(view.image, view.parsing, owner, view.pose, wanted)
    return grow(moved.landed, 3)


def _ring(person: Person, parsing: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """(H, W) bool: what no arm covers, by the hand-made map and by the person's own parts."""
    arms = np.isin(person.full.owner, _ARM_PARTS) | bare
    arms |= np.isin(assign_parts(parsing, person.pose), _ARM_PARTS)
    return ~grow(arms, 3)


def still_there(before: np.ndarray, after: np.ndarray, concerned: np.ndarray, below: np.ndarray) -> np.ndarray:
    """(H, W) bool: the pixels of ``concerned`` that show what they showed; the rule of the module.

    Args:
        before, after: (H, W, 3) uint8.
        concerned: (H, W) bool.
        below: (H, W) bool, pixels of the layers below in plain sight.
    """
    difference = np.abs(before.astype(np.int16) - after).mean(2)
    same = concerned & (difference <= LEVELS)
    grey = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) for picture in (before, after)]
    mean = [cv2.blur(g, (7, 7)) for g in grey]
    covariance = cv2.blur(grey[0] * grey[1], (7, 7)) - mean[0] * mean[1]
    spread = [np.sqrt(np.maximum(cv2.blur(g * g, (7, 7)) - m * m, 0)) for g, m in zip(grey, mean, strict=True)]
    alike = concerned & (covariance > ALIKE * spread[0] * np.maximum(spread[1], 1)) & (spread[0] > _FLAT)
    candidates = same | alike
    if not candidates.any():
        return candidates
    ys, xs = np.nonzero(concerned)
    reach = 0.25 * float(np.hypot(np.ptp(ys), np.ptp(xs)))
    excused = _excused(before, same, below, max(12, reach))
    return alike | (same & ~excused)


def _excused(picture: np.ndarray, pixels: np.ndarray, below: np.ndarray, reach: float) -> np.ndarray:
    """(H, W) bool: those of ``pixels`` whose colour a tenth of the surroundings has, too."""
    found = np.zeros(pixels.shape, bool)
    ys, xs = np.nonzero(pixels)
    step = int(np.ceil(reach / 2))
    colours = picture.astype(np.int16)
    for top in range(0, pixels.shape[0], step):
        for left in range(0, pixels.shape[1], step):
            here = (ys >= top) & (ys < top + step) & (xs >= left) & (xs < left + step)
            if not here.any():
                continue
            rows = slice(max(0, top - step), top + 2 * step)
            columns = slice(max(0, left - step), left + 2 * step)
            around = colours[rows, columns][below[rows, columns]]
            if not len(around):
                continue
            around = around[:: max(1, len(around) // 400)]
            y, x = ys[here], xs[here]
            apart = np.abs(colours[y, x][:, None] - around[None]).mean(2)
            found[y, x] = (apart <= LEVELS).mean(1) >= _COMMON
    return found


def vacated_wall(photos: StreetPhotos, editor: Editor, split: str, limit: int | None, seed: int) -> Iterator[Scene]:
    """The first ``limit`` photos by name whose arms vacate enough wall; the same walls for the same ``seed``."""
    count = 0
    for name in names(photos, split):
        pose = photos.pose(name)
        if pose is None or (limit is not None and count >= limit):
            continue
        rng = np.random.default_rng((seed, _number(name)))
        wanted = arms_out(pose, rng)
        parsing = photos.parsing(name, pose)
        assert parsing is not None
        if wanted is None:
            continue
        wall = draw_wall(parsing.shape, rng)
        alpha = cv2.GaussianBlur((parsing > 0).astype(np.float32), (0, 0), 1.0)[..., None]
        picture = np.rint(photos.photo(name) * alpha + wall * (1 - alpha)).astype(np.uint8)
        owner = assign_parts(parsing, pose)
        person = editor.set_person(picture, pose=pose, parsing=parsing)
        arms = np.isin(owner, _ARM_PARTS) & np.isin(person.full.owner, _ARM_PARTS)
        rest = (parsing > 0) & ~arms  # what is an arm by its bones alone may be the torso beside it
        vacated = grow(arms, 3) & ~grow(rest, 3) & ~_hull(rest) & ~_new_arms(person, wanted)
        if vacated.sum() < _LEAST:
            continue
        count += 1
        after = person.render(pose=wanted).photo
        wrong = vacated & (np.abs(after.astype(np.int16) - wall).mean(2) > OFF)
        yield Scene(name, wrong.sum() / vacated.sum(), _pictures(picture, after, wrong))


def _hull(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool: the convex hull of a mask."""
    out = np.zeros(mask.shape, np.uint8)
    if mask.any():
        points = cv2.findNonZero(mask.astype(np.uint8))
        cv2.fillConvexPoly(out, cv2.convexHull(points), 1)
    return out > 0


def draw_wall(size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8: plaster, planks, bricks or panels, with light that falls off and some grain.

    A joint of theirs that was continued a little beside its place differs by no more than ``OFF``.
    """
    height, width = size
    y, x = np.indices(size, np.float32)
    base = rng.uniform(70, 210, 3).astype(np.float32)
    kind = int(rng.integers(4))
    pattern = np.zeros(size, np.float32)
    if kind == 0:  # plaster: soft patches
        pattern = cv2.resize(
            rng.normal(0, 1, (12, 9)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        pattern *= 6
    elif kind == 1:  # planks
        side = rng.uniform(20, 60)
        pattern = np.where(x % side < 3, -14, rng.normal(0, 3, width // 10 + 2)[(x // side).astype(int)])
    elif kind == 2:  # bricks
        high, wide = rng.uniform(16, 30), rng.uniform(36, 70)
        row = y // high
        pattern = np.where((y % high < 3) | ((x + wide / 2 * (row % 2)) % wide < 3), 14, 0)
    else:  # panels
        side = rng.uniform(80, 160)
        pattern = np.where((x % side < 2) | (y % side < 2), -14, 0)
    light = 30 * (rng.uniform(-1, 1) * (x / width - 0.5) + rng.uniform(-1, 1) * (y / height - 0.5))
    grain = cv2.GaussianBlur(rng.normal(0, 4, size).astype(np.float32), (0, 0), 0.8)
    wall = base + (pattern + light + grain)[..., None]
    return np.clip(np.rint(cv2.GaussianBlur(wall, (0, 0), 0.7)), 0, 255).astype(np.uint8)


def _pictures(before: np.ndarray, after: np.ndarray, left: np.ndarray) -> dict[str, np.ndarray]:
    marked = after.copy()
    marked[left] = (255, 0, 0)
    return {"before": before, "after": after, "left": marked}


def outcome(task: str, scenes: Sequence[Scene]) -> Outcome:
    """Mean, median and worst share, and each photo's."""
    shares = [scene.left for scene in scenes]
    row = {"left": float(np.mean(shares)), "left_median": float(np.median(shares)), "left_most": float(np.max(shares))}
    return Outcome(task, len(scenes), {"both arms out": row}, each={"both arms out": {"left": shares}})
