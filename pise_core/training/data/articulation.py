"""Training pairs without pairs: the articulated photo is the source, the real photo the target.

The target is always real; texture must be carried across a true misalignment, and what is hidden in the source must
be imagined. Pose, parsing and pixels move by the same maps (``pise_core.warping.warp``).
"""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.framing import FRAME_SIZE, Framing
from pise_core.masks import Nearest
from pise_core.pose import mirror, visible
from pise_core.regions import REGION, TABLE
from pise_core.skeleton import ARMS, EYES, FACE, HIPS, LEGS, NECK, NOSE
from pise_core.training.data.prepared_folder import Sample, person_box
from pise_core.warping.parts import PARTS, assign_parts
from pise_core.warping.warp import Carried, carry

#: One of both orders in which the parts of a source are laid over one another: arms before the body, or behind it.
_ARMS_BEHIND = sorted(range(len(PARTS)), key=lambda index: "arm" not in PARTS[index])
#: By how much joints are off that were found less exactly, in heights of the frame.
_JITTER = 0.006


class Framed(NamedTuple):
    """A person in the frame."""

    image: np.ndarray  # (H, W, 3) uint8
    parsing: np.ndarray  # (H, W) uint8
    pose: np.ndarray  # (18, 3) in frame pixels


class Pair(NamedTuple):
    """One training example. Photos keep their surroundings; ``parsing > 0`` cuts the person out."""

    source: Framed
    target: Framed
    carried: Carried  # the source, carried back to the target's pose


def frame_sample(sample: Sample, rng: np.random.Generator | None = None, size=FRAME_SIZE) -> Framed:
    """The person in the frame; with ``rng`` at a random size and place, perhaps mirrored."""
    height, width = sample.image.shape[:2]
    fill, shift, flip = 0.8, (0.0, 0.0), False
    if rng is not None:
        fill = rng.uniform(0.68, 0.9)
        shift, flip = rng.normal(size=2) * [0.03 * size[1], 0.02 * size[0]], rng.random() < 0.5
    framing = Framing.around(person_box(sample), (width, height), size, fill)
    framing = Framing(framing.photo_size, framing.scale, framing.dx + shift[0], framing.dy + shift[1], size)
    assert sample.parsing is not None, "only annotated samples can be framed"
    image, parsing = framing.crop(sample.image, 127), framing.crop(sample.parsing, labels=True)
    pose = framing.to_frame(sample.pose)
    if flip:
        image, parsing, pose = image[:, ::-1].copy(), parsing[:, ::-1].copy(), mirror(pose, size[1])
    return Framed(image, parsing, pose)


def random_pose(pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Limbs turned about their joints within natural ranges; the body turned to the side a little, sheared and scaled;
    all of it shifted."""
    out = pose.copy()
    if rng.random() < 0.4:
        _turn_sideways(out, rng.uniform(0.6, 1.0), rng.normal() * 0.1)

    def turn(joints: list[int], centre: int, angle: float, stretch: float = 1.0) -> None:
        c, s = np.cos(angle) * stretch, np.sin(angle) * stretch
        out[joints, :2] = (out[joints, :2] - out[centre, :2]) @ np.array([[c, s], [-s, c]]) + out[centre, :2]

    def shorter() -> float:
        return rng.uniform(0.6, 1.0) if rng.random() < 0.2 else 1.0

    # In the picture, lifting the right arm outwards turns it clockwise, the left one counter-clockwise.
    for (shoulder, elbow, wrist), side in zip(ARMS, (1, -1), strict=True):
        if rng.random() < 0.7:
            # Mostly up to the horizontal and a little more, sometimes all the way above the head.
            most = 1.8 if rng.random() < 0.8 else 2.9
            turn([elbow, wrist], shoulder, side * rng.uniform(-0.4, most), shorter())
        if rng.random() < 0.7:
            turn([wrist], elbow, side * rng.uniform(-0.5, 1.6), shorter())
    for hip, knee, ankle in LEGS:
        turn([knee, ankle], hip, rng.normal() * 0.18, shorter())
        turn([ankle], knee, rng.normal() * 0.18)
    turn(list(FACE), NECK, rng.normal() * 0.12)
    a = np.eye(2) + rng.normal(size=(2, 2)) * [[0.10, 0.05], [0.05, 0.04]]
    centre = np.nanmean(out[:, :2], 0)
    extent = np.ptp(pose[visible(pose), 1])
    out[:, :2] = (out[:, :2] - centre) @ a.T + centre + rng.normal(size=2) * [0.04 * extent, 0.02 * extent]
    return out


def raise_arms(pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One arm or both lifted above the shoulders: stretched, spread out, or bent so that the hand is at the head."""
    out = pose.copy()
    sides = tuple(zip(ARMS, (-1, 1), strict=True))
    if rng.random() < 0.3:
        sides = (sides[int(rng.integers(2))],)
    for (shoulder, elbow, wrist), outwards in sides:
        # From straight up, outwards; a forearm that bends does so inwards, over the head or down behind it.
        angle = rng.uniform(-0.3, 1.5)
        bend = rng.uniform(-0.3, 0.6) if rng.random() < 0.5 else rng.uniform(0.6, 2.5)
        for joint, root, direction in ((elbow, shoulder, angle), (wrist, elbow, angle - bend)):
            length = np.hypot(*(pose[joint, :2] - pose[root, :2])) * rng.uniform(0.75, 1.05)
            out[joint, :2] = out[root, :2] + length * np.array([outwards * np.sin(direction), -np.cos(direction)])
    return out


def fold_arms(pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One arm or both bent before the body or beside it: a hand at the face, on the chest, on the other arm, or up
    beside the shoulder."""
    out = pose.copy()
    sides = tuple(zip(ARMS, (-1, 1), strict=True))
    if rng.random() < 0.4:
        sides = (sides[int(rng.integers(2))],)
    for (shoulder, elbow, wrist), outwards in sides:
        # From straight down, outwards, past straight up, inwards.
        for joint, root, angle in (
            (elbow, shoulder, rng.uniform(-0.3, 1.4)),
            (wrist, elbow, rng.uniform(1.7, 5.2)),
        ):
            length = np.hypot(*(pose[joint, :2] - pose[root, :2])) * rng.uniform(0.7, 1.05)
            out[joint, :2] = out[root, :2] + length * np.array([outwards * np.sin(angle), np.cos(angle)])
    return out


def spread_legs(pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One leg or both turned: spread, with a bent knee, lifted to the side, or crossed before the other."""
    out = pose.copy()
    sides = tuple(zip(LEGS, (-1, 1), strict=True))
    if rng.random() < 0.4:
        sides = (sides[int(rng.integers(2))],)
    for (hip, knee, ankle), outwards in sides:
        # From straight down, outwards; a shin that bends does so inwards, and now and then outwards.
        angle = rng.uniform(0.2, 1.4) if rng.random() < 0.75 else rng.uniform(-0.6, 0.2)
        bend = rng.uniform(-0.2, 0.5) if rng.random() < 0.5 else rng.uniform(0.5, 2.0)
        for joint, root, direction in ((knee, hip, angle), (ankle, knee, angle - bend)):
            length = np.hypot(*(pose[joint, :2] - pose[root, :2])) * rng.uniform(0.7, 1.05)
            out[joint, :2] = out[root, :2] + length * np.array([outwards * np.sin(direction), np.cos(direction)])
    return out


def _turn_sideways(pose: np.ndarray, narrow: float, look: float) -> None:
    """The body turned about its own axis, in place: shoulders and hips come closer together and take their limbs along;
    the nose and the eyes move by ``look`` times the length of the neck."""
    for right, left in (ARMS, LEGS):
        middle = (pose[right[0], 0] + pose[left[0], 0]) / 2
        for joints in (right, left) if np.isfinite(middle) else ():
            pose[list(joints), 0] -= (1 - narrow) * (pose[joints[0], 0] - middle)
    pose[[NOSE, *EYES], 0] += look * np.hypot(*(pose[NOSE, :2] - pose[NECK, :2]))


def articulated_pair(framed: Framed, rng: np.random.Generator, hide: bool = True) -> Pair:
    """A pair from one photo; ``hide`` also takes parts away from some sources, and has some joints found less exactly,
    as a detector does."""
    framed = Framed(_recolour(framed, rng) if rng.random() < 0.5 else framed.image, framed.parsing, framed.pose)
    pose = random_pose(framed.pose, rng) if rng.random() < 0.92 else framed.pose.copy()
    owner = assign_parts(framed.parsing, framed.pose)
    order = _ARMS_BEHIND if rng.random() < 0.2 else range(len(PARTS))
    moved = carry(framed.image, framed.parsing, owner, framed.pose, pose, order=order)
    image, parsing = fill_holes(moved, framed.parsing)
    if hide:
        parsing, pose = _hide(parsing, pose, rng)
        if rng.random() < 0.5:
            pose = jittered(pose, parsing.shape[0], rng)
    source = Framed(image, parsing, pose)
    carried = carry(image, parsing, assign_parts(parsing, pose), pose, framed.pose, rim=1)
    return Pair(source, framed, carried)


def jittered(pose: np.ndarray, height: int, rng: np.random.Generator) -> np.ndarray:
    """The joints as they are found less exactly in a frame of that height."""
    pose = pose.copy()
    pose[:, :2] += rng.normal(size=(len(pose), 2)) * _JITTER * height
    return pose


def fill_holes(moved: Carried, parsing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Image and map with closed what an arm left open when it was moved off the body: no real photo has such holes.

    ``parsing`` is the map before the move.
    """
    there = (moved.trust > 0.5).astype(np.uint8)
    reach = max(3, parsing.shape[0] // 12) | 1
    closed = cv2.morphologyEx(there, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    inside = (closed > 0) & (there == 0) & (parsing > 0)
    if not inside.any() or not there.any():
        return moved.image, moved.parsing
    # Each hole pixel takes the region and, smoothed, the colour of the nearest pixel that was carried.
    nearest = Nearest(there > 0).at(*np.nonzero(inside))
    image, labels = moved.image.copy(), (moved.parsing * there).astype(np.uint8)
    image[inside], labels[inside] = moved.image[nearest], moved.parsing[nearest]
    image[inside] = cv2.blur(image, (5, 5))[inside]
    return image, labels


def _hide(parsing: np.ndarray, pose: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Take something away from the source: a disc about a joint, or everything below a line (half a body)."""
    kind, there = rng.random(), np.nonzero(visible(pose))[0]
    if kind < 0.3:
        parsing = parsing.copy()
        x, y = pose[rng.choice(there), :2]
        radius = int(rng.uniform(0.03, 0.1) * parsing.shape[0])
        cv2.circle(parsing, (int(x), int(y)), max(radius, 2), 0, -1)
    elif kind < 0.38:
        parsing, pose = parsing.copy(), pose.copy()
        line = np.nanmean(pose[list(HIPS), 1]) + rng.uniform(0.0, 0.25) * parsing.shape[0]
        if np.isfinite(line):
            parsing[max(int(line), 0) :] = 0
            pose[pose[:, 1] > line] = np.nan, np.nan, 0
    return parsing, pose


def above_the_waist(pair: Pair) -> Pair:
    """The same pair with a source that ends at the waist: no joint, no pants, no leg and no pixel below it."""
    image, parsing, pose = pair.source
    hips, neck = np.nanmean(pose[list(HIPS), 1]), pose[NECK, 1]
    waist = hips - 0.15 * (hips - neck)
    parsing, pose = parsing.copy(), pose.copy()
    if np.isfinite(waist):
        parsing[max(int(waist), 0) :] = 0
        pose[pose[:, 1] > waist] = np.nan, np.nan, 0
    parsing[np.isin(parsing, (REGION["pants"], REGION["leg"]))] = 0
    pose[[joint for leg in LEGS for joint in leg]] = np.nan, np.nan, 0
    carried = carry(image, parsing, assign_parts(parsing, pose), pose, pair.target.pose, rim=1)
    return Pair(Framed(image, parsing, pose), pair.target, carried)


def _recolour(framed: Framed, rng: np.random.Generator) -> np.ndarray:
    """Every region in colours of its own, so that styles cannot be guessed from the layout."""
    image = framed.image.astype(np.float32)
    for region in range(1, len(REGION)):
        mask = framed.parsing == region
        if not mask.any():
            continue
        cloth = TABLE[region].kind == "garment"
        spread = 1.0 if cloth else 0.25
        pixels = image[mask]
        mean = pixels.mean(0)
        gain = np.exp(rng.normal() * 0.3 * spread)
        moved = np.clip(mean + rng.normal(size=3) * 60 * spread, 15, 240)
        image[mask] = (pixels - mean) * gain + moved
    return np.clip(image, 0, 255).astype(np.uint8)
