"""Views of people whose hidden parts are known: moved, bent and mirrored, with joints and maps a little wrong, as the
analyzer's are."""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.detection.amodal import STRIDE, seen
from pise_core.framing import FRAME_SIZE
from pise_core.masks import grow
from pise_core.pose import visible
from pise_core.regions import REGION, REGION_COUNT
from pise_core.skeleton import MIRROR, WRISTS
from pise_core.training.amodal.samples import UNKNOWN, Whole, arms_of, with_arms_of

#: Weight of what is in plain sight, where the answer is no secret; what is hidden weighs 1.
IN_SIGHT = 0.05
#: In frame pixels: where about an arm its border is learned.
_NEAR_ARMS = 6.0
_HEIGHT, _WIDTH = FRAME_SIZE


class View(NamedTuple):
    """What the network is shown, and what it should say, at its resolution.

    Attributes:
        seen: (INPUTS, h, w) float32.
        without: (2, 8, h, w) float32, the share of each cell that is a region's.
        weight: (2, h, w) float32, of each cell; 0 where nobody knows.
        arms: (3, h, w) float32, the share of each cell that is no arm, the left arm and the right one.
        arms_weight: (h, w) float32, likewise.
    """

    seen: np.ndarray
    without: np.ndarray
    weight: np.ndarray
    arms: np.ndarray
    arms_weight: np.ndarray


def plain_view(whole: Whole) -> View:
    """Somebody as they are."""
    return _view(whole, arms_of(whole.parsing, whole.pose))


class Views:
    """Draws views; the same numbers give the same ones.

    Args:
        people: rendered.
        photos: of streets, whose arms are replaced by rendered people's.
        share: of the views, those of rendered people as they are.
    """

    def __init__(self, people: list[Whole], photos: list[Whole], share: float):
        self._people, self._photos, self._share = people, photos, share

    def draw(self, rng: np.random.Generator) -> View:
        """A view."""
        person = self._people[rng.integers(len(self._people))]
        if self._photos and rng.random() >= self._share:
            photo = self._photos[rng.integers(len(self._photos))]
            both = with_arms_of(photo, person, rng)
            if both is not None:
                moved = _moved(both, rng)
                found = moved._replace(parsing=_misread(moved, rng))
                return _view(moved, moved.arms, found)
        moved = _moved(person, rng)
        pose = moved.pose.copy()
        pose[:, :2] += rng.normal(size=(len(pose), 2)) * rng.uniform(0, 2)
        # The legs, head and torso hide nothing, so that they may be missing.
        pose[rng.random(len(pose)) < 0.03] = np.nan, np.nan, 0
        found = moved._replace(parsing=_misread(moved, rng), pose=pose)
        return _view(moved, arms_of(found.parsing, pose), found)


def _view(truth: Whole, arms: np.ndarray, found: Whole | None = None) -> View:
    found = found or truth
    size = _WIDTH // STRIDE, _HEIGHT // STRIDE

    def small(mask: np.ndarray) -> np.ndarray:
        return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)

    hidden = (arms > 0) | (truth.arms > 0) | (found.held > 0)
    shares, weights = [], []
    for labels in truth.without:
        shares.append(np.stack([small(labels == region) for region in range(REGION_COUNT)]))
        weight = np.where(hidden | (labels != truth.parsing), 1.0, IN_SIGHT)
        weights.append(small(np.where(labels == UNKNOWN, 0, weight)))
    arms = np.where(found.held > 0, np.uint8(0), arms)
    shares_of_arms = np.stack([small(truth.arms == side) for side in range(3)])
    near = grow((arms > 0) | (truth.arms > 0), _NEAR_ARMS) & (truth.parsing > 0)
    arms_weight = small(np.where(near, 1.0, IN_SIGHT)) * (not truth.photo)
    known = seen(found.parsing, arms, found.held > 0, found.pose)
    return View(known, np.stack(shares), np.stack(weights), shares_of_arms, arms_weight.astype(np.float32))


def _moved(whole: Whole, rng: np.random.Generator) -> Whole:
    """Somebody turned, mirrored, of another size and place, and bent a little."""
    angle, scale = np.deg2rad(np.clip(rng.normal() * 6, -20, 20)), np.exp(rng.uniform(np.log(0.8), np.log(1.15)))
    mirrored = rng.random() < 0.5
    a = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    a = a @ np.diag([1.0, rng.uniform(0.92, 1.08)]) @ np.diag([-1.0 if mirrored else 1.0, 1.0])
    middle = np.array([_WIDTH, _HEIGHT]) / 2
    shift = middle + rng.uniform(-0.06, 0.06, 2) * (_WIDTH, _HEIGHT) - a @ middle
    back = np.linalg.inv(a)
    ys, xs = np.mgrid[:_HEIGHT, :_WIDTH].astype(np.float32) + 0.5
    bend = cv2.resize(rng.normal(size=(8, 6, 2)).astype(np.float32), (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    bend *= rng.uniform(0, 3)
    x, y = xs + bend[..., 0] - shift[0], ys + bend[..., 1] - shift[1]
    from_x, from_y = ((row[0] * x + row[1] * y - 0.5).astype(np.float32) for row in back)

    def moved(labels: np.ndarray, border: int = 0) -> np.ndarray:
        return cv2.remap(labels, from_x, from_y, cv2.INTER_NEAREST, None, cv2.BORDER_CONSTANT, border)

    pose = whole.pose.copy()
    there = visible(pose)
    pose[there, :2] = pose[there, :2] @ a.T + shift
    at = np.clip(np.floor(pose[there, :2]), 0, (_WIDTH - 1, _HEIGHT - 1)).astype(int)
    pose[there, :2] -= bend[at[:, 1], at[:, 0]]
    arms = moved(whole.arms)
    if mirrored:
        pose = pose[list(MIRROR)]
        arms = np.where(arms > 0, 3 - arms, 0).astype(np.uint8)
    without = np.stack([moved(one, UNKNOWN) for one in whole.without])
    return Whole(moved(whole.parsing), arms, moved(whole.held), without, pose, whole.photo)


def _misread(whole: Whole, rng: np.random.Generator) -> np.ndarray:
    """(256, 176) uint8: the regions with the analyzer's faults: round corners, silhouettes off by a pixel or two, a
    hand that was not seen."""
    parsing = whole.parsing
    if rng.random() < 0.15:
        for joint in WRISTS:
            if rng.random() < 0.6 and visible(whole.pose)[joint]:
                disc = np.zeros_like(parsing)
                centre = np.floor(whole.pose[joint, :2] + rng.normal(size=2) * 3).astype(int)
                cv2.circle(disc, centre.tolist(), int(rng.integers(4, 10)), 1, -1)
                below = whole.without[0]
                skin = (disc > 0) & (parsing == REGION["upper_skin"]) & (below != UNKNOWN)
                parsing = np.where(skin, below, parsing)
    if rng.random() < 0.5:
        sigma = rng.uniform(0.7, 2.2)
        shares = [cv2.GaussianBlur((parsing == region).astype(np.float32), (0, 0), sigma) for region in range(8)]
        shares[0] += rng.uniform(-0.2, 0.2)
        parsing = np.argmax(shares, 0).astype(np.uint8)
    return np.where(whole.held > 0, np.uint8(0), parsing)
