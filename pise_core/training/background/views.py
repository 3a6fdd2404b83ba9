"""Street photos with holes in the shape of people beside their own."""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.detection.hidden_background import seen
from pise_core.masks import grow
from pise_core.training.data.prepared_folder import Sample

#: (H, W) of views: the shape of most photos of people.
SIZE = (192, 128)
#: Width over height of what is cut out of a photo, its share of the photo's height, and how much larger or smaller
#: somebody else's hole is.
_ASPECT, _CUT, _HOLE = (0.6, 0.95), (0.62, 1.0), (0.55, 1.15)
#: In cells: how far the rim of somebody reaches.
_RIM = 2.5
#: How often the holes of two people are cut.
_TWO = 0.3
#: Beyond which gain of a channel, in either direction, and which change of light colours are not varied.
_GAIN, _LIGHT = 0.08, 0.25


class Street(NamedTuple):
    """A photo, and where nobody knows what the street looks like.

    Attributes:
        image: (H, W, 3) uint8.
        person: (H, W) bool.
    """

    image: np.ndarray
    person: np.ndarray


class View(NamedTuple):
    """What the network is shown, and should have said.

    Attributes:
        seen: (4, 192, 128) float32, of :func:`pise_core.detection.hidden_background.seen`.
        truth: (3, 192, 128) float32, colours less 0.5.
        hole: (192, 128) bool, hidden from the network, and known.
        unknown: (192, 128) bool, hidden, and nobody knows.
    """

    seen: np.ndarray
    truth: np.ndarray
    hole: np.ndarray
    unknown: np.ndarray


def street_of(sample: Sample) -> Street:
    """A sample whose regions are known, with what is held."""
    assert sample.parsing is not None
    person = sample.parsing > 0  # what a network wasn't sure of, too
    return Street(sample.image, person if sample.held is None else person | (sample.held > 0))


class Views:
    """Draws views at random.

    Args:
        streets: of which each lends its hole to the others.
    """

    def __init__(self, streets: list[Street]):
        self._streets = streets

    def draw(self, rng: np.random.Generator) -> View:
        """One view, of a part of a photo, mirrored or not, with its colours changed a little."""
        street = self._streets[int(rng.integers(len(self._streets)))]
        height, width = street.person.shape
        cut_height = height * rng.uniform(*_CUT)
        cut_width = min(width, cut_height * rng.uniform(*_ASPECT))
        top, left = rng.uniform(0, height - cut_height), rng.uniform(0, width - cut_width)
        window = (
            slice(round(top), max(round(top) + 2, round(top + cut_height))),
            slice(round(left), max(round(left) + 2, round(left + cut_width))),
        )
        image, person = (
            cv2.resize(one, SIZE[::-1], interpolation=cv2.INTER_AREA)
            for one in (street.image[window], street.person[window].astype(np.float32))
        )
        if rng.random() < 0.5:
            image, person = image[:, ::-1], person[:, ::-1]
        unknown = grow(person > 0.1, _RIM)
        hole = np.zeros(SIZE, bool)
        for _ in range(1 + (rng.random() < _TWO)):
            hole |= self._hole(rng)
        gain = (1 + rng.uniform(-_GAIN, _GAIN, 3)) * 2 ** rng.uniform(-_LIGHT, _LIGHT)
        return view(np.clip(np.rint(image * gain), 0, 255).astype(np.uint8), hole, unknown)

    def _hole(self, rng: np.random.Generator) -> np.ndarray:
        """(192, 128) bool, in the shape of somebody, anywhere."""
        person = self._streets[int(rng.integers(len(self._streets)))].person
        scale = rng.uniform(*_HOLE) * SIZE[0] / len(person)
        flip = -1 if rng.random() < 0.5 else 1
        moved = np.array([
            [flip * scale, 0, SIZE[1] / 2 - flip * scale * person.shape[1] / 2 + rng.uniform(-0.55, 0.55) * SIZE[1]],
            [0, scale, SIZE[0] / 2 - scale * person.shape[0] / 2 + rng.uniform(-0.2, 0.2) * SIZE[0]],
        ])  # fmt: skip
        there = cv2.warpAffine(person.astype(np.uint8), moved, SIZE[::-1], flags=cv2.INTER_LINEAR)
        return grow(there > 0, _RIM)


def view(image: np.ndarray, hole: np.ndarray, unknown: np.ndarray) -> View:
    """A view of an image (192, 128, 3) uint8, whose ``hole`` (192, 128) bool is hidden beside what is ``unknown``."""
    shown = seen(image, ~(hole | unknown))
    truth = np.ascontiguousarray(image.transpose(2, 0, 1), np.float32) / 255 - 0.5
    return View(shown, truth, hole & ~unknown, unknown)


def held_back(streets: list[Street]) -> list[View]:
    """A view of each photo as it is, always the same: with the next one's hole, beside its own person."""
    views = []
    for number, street in enumerate(streets):
        image = cv2.resize(street.image, SIZE[::-1], interpolation=cv2.INTER_AREA)
        own, other = (
            grow(cv2.resize(one.person.astype(np.float32), SIZE[::-1], interpolation=cv2.INTER_AREA) > 0.1, _RIM)
            for one in (street, streets[(number + 1) % len(streets)])
        )
        away = round(SIZE[1] * (0.3 if number % 2 else -0.3))
        moved = np.array([[1, 0, away], [0, 1, 0]], np.float32)
        hole = cv2.warpAffine(other.astype(np.uint8), moved, SIZE[::-1]) > 0
        views.append(view(image, hole, own))
    return views
