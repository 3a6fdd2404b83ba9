"""Rendered people as scenes for the analyzer: before their own background or a true street, alone or with somebody.

Their joints, regions and held things are exact, and they sit, cross their arms and turn away as people in street
photos hardly do. Synthetic skin is not skin: these are to be mixed with photos.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.label_warps import warp_labels
from pise_core.pose import visible
from pise_core.synthesis.dataset import People, Picture
from pise_core.training.data.prepared_folder import Sample

#: How many stand before a true street, and how many have somebody beside them.
ELSEWHERE, TOGETHER = 0.6, 0.2
#: Fewer joints than these in the picture are nobody to look for.
FEWEST_JOINTS = 6
#: People who are drawn again where somebody is wanted who holds something.
TRIES = 12


class PeopleScenes:
    """Draws samples of rendered people.

    Args:
        people: a folder of them.
        count: of its pairs, the first so many.
        street: draws a street without anybody, (H, W, 3) uint8 of any size.
    """

    def __init__(self, people: People, count: int, street: Callable[[np.random.Generator], np.ndarray]):
        self._people, self._count, self._street = people, count, street

    def draw(self, rng: np.random.Generator, holding: bool = False) -> Sample:
        """One or two people, all of whom are labelled; two are in a picture that is twice as wide. ``holding``: the
        first of them holds something, if somebody is soon found who does."""
        number, picture = self._picture(rng)
        for _ in range(TRIES if holding else 0):
            if picture.held.any():
                break
            number, picture = self._picture(rng)
        height, width = picture.alpha.shape
        if rng.random() < TOGETHER:
            return self._together(number, picture, rng)
        image = np.array(picture.image)
        if rng.random() < ELSEWHERE:
            image = laid_over(image, picture.alpha, part_of(self._street(rng), (height, width), rng))
        return Sample(f"rendered-{number}", image, picture.joints.copy(), picture.regions, picture.held)

    def _together(self, number: int, picture: Picture, rng: np.random.Generator) -> Sample:
        """Before a street, with somebody beside, one of them before the other where they meet."""
        height, width = picture.alpha.shape
        size = height, 2 * width
        scale = rng.uniform(0.75, 1.1)
        across = width / 2 + rng.choice((-1, 1)) * rng.uniform(0.3, 0.6) * width + width * (1 - scale) / 2
        down = rng.uniform(-0.05, 0.15) * height + height * (1 - scale)
        _, other = self._picture(rng)
        first = _moved(picture, np.array([[1.0, 0, width // 2], [0, 1, 0]]), size)
        second = _moved(other, np.array([[scale, 0, across], [0, scale, down]]), size)
        image = part_of(self._street(rng), size, rng)
        parsing, held = np.zeros(size, np.uint8), np.zeros(size, np.uint8)
        for one in (first, second) if rng.random() < 0.5 else (second, first):
            image = laid_over(one.image, one.alpha, image)
            there = one.alpha > 127
            parsing[there], held[there] = one.parsing[there], one.held[there]
        return Sample(f"rendered-{number}", image, first.pose, parsing, held, (second.pose,))

    def _picture(self, rng: np.random.Generator) -> tuple[int, Picture]:
        while True:
            number = int(rng.integers(2 * self._count))
            picture = self._people.picture(number)
            there = visible(picture.joints)
            if there.sum() >= FEWEST_JOINTS and np.ptp(picture.joints[there, 1]) > 0.1 * len(picture.image):
                return number, picture


class _Moved(NamedTuple):
    image: np.ndarray
    alpha: np.ndarray
    parsing: np.ndarray
    held: np.ndarray
    pose: np.ndarray


def _moved(picture: Picture, matrix: np.ndarray, size: tuple[int, int]) -> _Moved:
    """The picture moved by a (2, 3) matrix into one of ``size`` (H, W), with nothing where it does not reach."""
    height, width = size
    for_opencv = matrix + np.c_[np.zeros((2, 2)), matrix[:, :2] @ [0.5, 0.5] - 0.5]

    def warp(array: np.ndarray) -> np.ndarray:
        return cv2.warpAffine(np.ascontiguousarray(array), for_opencv, (width, height), flags=cv2.INTER_LINEAR)

    pose = picture.joints.copy()
    pose[:, :2] = pose[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    with np.errstate(invalid="ignore"):
        inside = ((pose[:, :2] >= 0) & (pose[:, :2] < [width, height])).all(1)
    pose[~inside] = np.nan, np.nan, 0
    return _Moved(
        warp(picture.image),
        warp(picture.alpha),
        warp_labels(picture.regions, matrix, (width, height)),
        warp_labels(picture.held, matrix, (width, height)),
        pose,
    )


def laid_over(image: np.ndarray, alpha: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """A person (H, W, 3) uint8 before something else of that size; ``alpha`` (H, W), 0 to 255."""
    share = alpha[..., None].astype(np.float32) / 255
    return np.rint(image * share + behind * (1 - share)).astype(np.uint8)


def part_of(street: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A part of a street in the shape of ``size`` (H, W), and of that size."""
    height, width = size
    tall, wide = street.shape[:2]
    part = min(tall / height, wide / width) * rng.uniform(0.6, 1.0)
    h, w = max(1, int(height * part)), max(1, int(width * part))
    top, left = int(rng.integers(0, tall - h + 1)), int(rng.integers(0, wide - w + 1))
    return cv2.resize(street[top : top + h, left : left + w], (width, height), interpolation=cv2.INTER_AREA)
