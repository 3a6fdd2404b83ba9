"""A person in a photo: what was found out about them once, and all that can be rendered from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pise_core.compositing import fill_background
from pise_core.framing import Framing
from pise_core.networks.image_generator import SourceCode
from pise_core.parts import assign_parts
from pise_core.regions import REGION_COUNT

if TYPE_CHECKING:
    from pise_core.editor import Editor

#: Parts are assigned at most at this long side and enlarged beyond: their inner borders need no more.
_PARTS_SIDE = 1024

#: Region name -> other people and how much of their style: the remainder is the person's own.
Styles = Mapping[str, Sequence[tuple["Person", float]]]


@dataclass(frozen=True)
class Edit:
    """The result of an edit.

    Attributes:
        photo: (H, W, 3) uint8 RGB, of the photo's size.
        frame: (256, 176, 3) uint8 RGB, the generator's picture on neutral grey.
        parsing: (H, W) uint8, the map that the picture was made on, of the photo's size.
        changed: (H, W) bool, the pixels that differ from the photo.
    """

    photo: np.ndarray
    frame: np.ndarray
    parsing: np.ndarray
    changed: np.ndarray


@dataclass(frozen=True, eq=False)
class View:
    """The person at one resolution: the photo's, or the frame's.

    Attributes:
        image: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        pose: (18, 3), in pixels of the image.
    """

    image: np.ndarray
    parsing: np.ndarray
    pose: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.parsing.shape[0], self.parsing.shape[1]

    @cached_property
    def owner(self) -> np.ndarray:
        """(H, W) int8: the part that each pixel belongs to."""
        scale = _PARTS_SIDE / max(self.size)
        if scale >= 1:
            return assign_parts(self.parsing, self.pose)
        size = max(1, round(self.size[1] * scale)), max(1, round(self.size[0] * scale))
        pose = self.pose.copy()
        pose[:, :2] *= np.array(size) / (self.size[1], self.size[0])
        small = assign_parts(cv2.resize(self.parsing, size, interpolation=cv2.INTER_NEAREST_EXACT), pose)
        large = cv2.resize(small, self.size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        return np.where(self.parsing > 0, large, -1)

    def only(self, region: int) -> "View":
        """The same view with one region left: what is carried when a garment is borrowed."""
        view = View(self.image, np.where(self.parsing == region, self.parsing, 0), self.pose)
        # Which bone a sleeve follows is decided with the whole body in sight.
        view.__dict__["owner"] = np.where(self.parsing == region, self.owner, -1)
        return view


@dataclass(frozen=True, eq=False)
class Person:
    """Made by ``Editor.set_person``. Arrays are never changed; treat them as read-only.

    Attributes:
        photo: (H, W, 3) uint8 RGB.
        pose: (18, 3) float32, x, y, score in pixels of the photo; missing joints are nan.
        parsing: (H, W) uint8, of the photo's size.
        framing: where the frame lies in the photo.
        box: x0, y0, x1, y1 in pixels of the photo.
        frame: the person in the frame.
        code: what the image generator computed of the source, once.
    """

    photo: np.ndarray
    pose: np.ndarray
    parsing: np.ndarray
    framing: Framing
    box: tuple[float, float, float, float]
    frame: View
    code: SourceCode
    editor: "Editor"

    @cached_property
    def full(self) -> View:
        """The person at the photo's size."""
        return View(self.photo, self.parsing, self.pose)

    @cached_property
    def background(self) -> np.ndarray:
        """(H, W, 3) uint8: the photo without the person."""
        return fill_background(self.photo, self.parsing, self.framing)

    @cached_property
    def present(self) -> np.ndarray:
        """(8,) bool: which regions the person has."""
        return np.bincount(self.parsing.ravel(), minlength=REGION_COUNT) > 0

    def scaled(self, long_side: int) -> "Person":
        """The same person in a photo of at most ``long_side`` pixels, sharing what was computed: for quick previews."""
        height, width = self.photo.shape[:2]
        scale = long_side / max(height, width)
        if scale >= 1:
            return self
        size = max(1, round(width * scale)), max(1, round(height * scale))
        pose = self.pose.copy()
        pose[:, :2] *= np.array(size) / (width, height)
        x0, y0, x1, y1 = self.box
        return replace(
            self,
            photo=cv2.resize(self.photo, size, interpolation=cv2.INTER_AREA),
            pose=pose,
            parsing=cv2.resize(self.parsing, size, interpolation=cv2.INTER_NEAREST_EXACT),
            framing=self.framing.resized(size),
            box=(x0 * scale, y0 * scale, x1 * scale, y1 * scale),
        )

    def render(
        self,
        pose: np.ndarray | None = None,
        parsing: np.ndarray | None = None,
        styles: Styles | None = None,
        detail: bool = True,
    ) -> Edit:
        """Edit the photo. Without any edit the result is the photo itself; the same input gives the same bytes.

        Args:
            pose: (18, 3) or (18, 2), the wanted joints in pixels of the photo; nan where a joint is missing.
            parsing: (H, W) integers 0..7, the wanted map, of the photo's size.
            styles: region name -> [(other person, weight)]; weights lie in [0, 1] and sum to at most 1, the
                remainder is the person's own (eq. 13 of the paper for one other person).
            detail: False switches the detail path off: the picture is then the generator's alone.

        Raises:
            InputError: on a pose, map, region name or weight that makes no sense.
        """
        return self.editor.render(self, pose, parsing, styles, detail)
