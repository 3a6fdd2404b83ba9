"""Rendered people in real cloth, before real streets: their limbs are known, and look more like photos."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.detection.limbs import Kind, body_unit
from pise_core.masks import window_of
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import BONES
from pise_core.synthesis.dataset import LAYERS, Picture
from pise_core.training.data.people_scenes import laid_over, part_of
from pise_core.training.data.prepared_folder import Sample
from pise_core.training.limbs.samples import Person, rendered

#: How many wear real cloth, of these how many wear one cloth all over, and how many stand before a street.
_DRESSED, _ONE_CLOTH, _ELSEWHERE = 0.6, 0.85, 0.5
#: Pixels of a torso in pictures of people in the frame: of this size is the cloth.
_TORSO = 58.0
#: How far the shadow beside a limb reaches in pixels, and how dark it is at most.
_SHADOW, _DARK = (0.7, 2.5), 0.45


class Worn(NamedTuple):
    """The clothes of a kind of limb.

    Attributes:
        regions: in photos, of which pieces are taken.
        garments: of ``LAYERS``, that get another cloth.
        segments: that they cover, each a piece; those of the limbs lie before the first.
        least: pixels along a side of a piece of cloth; trouser legs are narrow.
    """

    regions: tuple[int, ...]
    garments: tuple[str, ...]
    segments: tuple[str, ...]
    least: int

    def pieces(self) -> dict[str, list[int]]:
        """By segment, indices into ``LAYERS``."""
        return {
            segment: [i for i, name in enumerate(LAYERS) if name in {f"{one}/{segment}" for one in self.garments}]
            for segment in self.segments
        }


WORN = {
    "arms": Worn(
        (REGION["upper_clothes"], REGION["dress"]),
        ("top", "dress", "outerwear"),
        ("torso", "right_upper_arm", "right_forearm", "left_upper_arm", "left_forearm"),
        16,
    ),
    "legs": Worn(
        (REGION["pants"],), ("trousers",), ("torso", "right_thigh", "right_shin", "left_thigh", "left_shin"), 8
    ),
}


def cloth_of(sample: Sample, kind: Kind) -> np.ndarray | None:
    """(h, w, 3) uint8: a piece of what somebody in an annotated photo wears about such limbs; None where none is large
    enough."""
    assert sample.parsing is not None
    worn, unit = WORN[kind.name], body_unit(sample.pose)
    if unit < 1:
        return None
    cloth = np.isin(sample.parsing, worn.regions).astype(np.uint8)
    inside = cv2.distanceTransform(cloth, cv2.DIST_L2, 5)
    y, x = divmod(int(inside.argmax()), cloth.shape[1])
    half = int(0.68 * inside[y, x])
    piece = sample.image[max(y - half, 0) : y + half, max(x - half, 0) : x + half]
    size = round(piece.shape[1] * _TORSO / unit), round(piece.shape[0] * _TORSO / unit)
    if min(*size, *piece.shape[:2]) < worn.least:
        return None
    return cv2.resize(piece, size, interpolation=cv2.INTER_AREA)


class Dressed:
    """Draws rendered people.

    Args:
        kind: of limb.
        pictures: says the picture of a number.
        count: of pictures, from 0 on.
        cloths: pieces of cloth, (h, w, 3) uint8 each.
        streets: without anybody, (H, W, 3) uint8 each.
    """

    def __init__(
        self,
        kind: Kind,
        pictures: Callable[[int], Picture],
        count: int,
        cloths: Sequence[np.ndarray],
        streets: Sequence[np.ndarray],
    ):
        self._kind, self._pieces = kind, WORN[kind.name].pieces()
        self._pictures, self._count, self._cloths, self._streets = pictures, count, cloths, streets

    def draw(self, rng: np.random.Generator) -> Person:
        picture = self._pictures(int(rng.integers(self._count)))
        person = rendered(picture, self._kind)
        image = person.image
        if self._cloths and rng.random() < _DRESSED:
            image = self._clothed(image, picture, rng)
        if self._streets and rng.random() < _ELSEWHERE:
            street = self._streets[int(rng.integers(len(self._streets)))]
            image = laid_over(image, picture.alpha, part_of(street, image.shape[:2], rng))
        return person._replace(image=image)

    def _clothed(self, image: np.ndarray, picture: Picture, rng: np.random.Generator) -> np.ndarray:
        """The picture with another cloth on torso and limbs, lit and folded as before."""
        out = image.astype(np.float32)
        light = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) + 8
        cloth = self._cloths[int(rng.integers(len(self._cloths)))]
        how_much = rng.uniform(0.4, 1.0)
        limbs = np.zeros(image.shape[:2], np.uint8)
        for segment, layers in self._pieces.items():
            there = np.isin(picture.layers, layers)
            if not there.any():
                continue
            if rng.random() > _ONE_CLOTH:
                cloth = self._cloths[int(rng.integers(len(self._cloths)))]
            shade = (light / light[there].mean()) ** how_much
            window = window_of(there, margin=0)
            assert window is not None
            laid = _laid(cloth, segment, picture.joints, window, rng)
            here = there[window]
            out[window][here] = laid[here] * shade[window][here, None]
            limbs |= (there & (segment != "torso")).astype(np.uint8)
        # Limbs lie before the torso and shade it.
        shadow = cv2.GaussianBlur(limbs.astype(np.float32), (0, 0), rng.uniform(*_SHADOW))
        out *= np.where(limbs > 0, 1, 1 - rng.uniform(0, _DARK) * 2 * np.minimum(shadow, 0.5))[..., None]
        return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def _laid(cloth: np.ndarray, segment: str, pose: np.ndarray, window: tuple[slice, slice], rng) -> np.ndarray:
    """(h, w, 3) uint8: a piece of cloth in a window, mirrored again and again, turned as the bone that it follows."""
    angle = rng.normal() * 0.1
    if segment in BONES:
        a, b = BONES[segment]
        if visible(pose)[[a, b]].all():
            x, y = pose[b, :2] - pose[a, :2]
            angle += np.arctan2(-x, y)
    scale = np.exp(rng.normal() * 0.15)
    c, s = np.cos(angle) / scale, np.sin(angle) / scale
    shift = rng.uniform(0, 200, 2)
    rows, columns = (np.arange(along.start, along.stop, dtype=np.float32) for along in window)
    xs, ys = np.meshgrid(columns, rows)
    places = c * xs + s * ys + shift[0], c * ys - s * xs + shift[1]
    folded = []
    for place, length in zip(places, cloth.shape[1::-1], strict=True):
        place = np.mod(place, 2 * length - 2)
        folded.append(np.minimum(place, 2 * length - 2 - place).astype(np.float32))
    return cv2.remap(cloth, folded[0], folded[1], cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT)
