"""A person at one size: the pixels, what each belongs to, what lies behind, and how soft the edges are."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np

from pise_core.finishing import FRONTS, RIM, finish_behind
from pise_core.hidden_body import HiddenBody
from pise_core.masks import window_of
from pise_core.matting import Edges, soft_edges
from pise_core.regions import REGION_COUNT
from pise_core.warping.arm_edges import refine_arms
from pise_core.warping.arm_lines import smooth_lines
from pise_core.warping.bare_arms import without_cloth_beside
from pise_core.warping.behind import Behind
from pise_core.warping.foot_edges import Feet
from pise_core.warping.layers import CutOut, cut_outs
from pise_core.warping.leg_edges import separate_legs, smooth_hem
from pise_core.warping.parts import assign_parts

#: Parts are assigned at most at this long side and enlarged beyond: their inner borders need no more.
_PARTS_SIDE = 1024
#: Soft edges of more pixels are not kept, even until the session rests: each takes eight bytes.
_KEPT_EDGES = 1 << 24


def edge_margin(scale: float) -> int:
    """How many pixels around a person soft edges need; ``scale``: frame pixels per pixel."""
    return round(12 / scale) + 2


def _owners(image: np.ndarray, parsing: np.ndarray, pose: np.ndarray, feet: Feet | None = None) -> np.ndarray:
    """(H, W) int8: the part that each pixel of the body belongs to."""
    owner = smooth_hem(separate_legs(assign_parts(parsing, pose), pose), pose)
    owner = owner if feet is None else feet.separated(owner, pose)
    owner = without_cloth_beside(refine_arms(owner, image, pose, parsing), image, pose, parsing)
    return smooth_lines(owner, parsing, pose)


@dataclass(frozen=True, eq=False)
class View:
    """The person at one resolution: the photo's, or the frame's.

    Attributes:
        image: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        pose: (18, 3), in pixels of the image.
        held: (H, W) int8, the part that what is held moves with, and -1 elsewhere; None where nothing is held.
        hidden: says of a view what arms and head hide there; None where nobody asks what lies behind.
        feet: tell where both feet meet; None where nobody asks.
    """

    image: np.ndarray
    parsing: np.ndarray
    pose: np.ndarray
    held: np.ndarray | None = None
    hidden: "Callable[[View], HiddenBody] | None" = None
    feet: Feet | None = None
    _whole: "tuple[View, tuple[slice, slice]] | None" = None
    _finished: dict[str, Behind | None] = field(default_factory=dict)
    _edges: dict[tuple[int, ...], Edges] = field(default_factory=dict)

    @property
    def size(self) -> tuple[int, int]:
        """(H, W)."""
        return self.parsing.shape[0], self.parsing.shape[1]

    @cached_property
    def solid(self) -> np.ndarray:
        """(H, W) uint8: 0 where nobody is, nor anything that they hold."""
        if self.held is None:
            return self.parsing
        return np.where((self.held >= 0) & (self.parsing == 0), np.uint8(REGION_COUNT), self.parsing)

    @cached_property
    def owner(self) -> np.ndarray:
        """(H, W) int8: the part that each pixel belongs to."""
        packed = self.__dict__.get("_packed")
        if packed is not None:
            return np.frombuffer(zlib.decompress(packed), np.int8).reshape(self.size)
        owner = self._of_body
        return owner if self.held is None else np.where(self.held >= 0, self.held, owner)

    @property
    def _of_body(self) -> np.ndarray:
        """:attr:`owner` without what is held."""
        scale = _PARTS_SIDE / max(self.size)
        if scale >= 1:
            return _owners(self.image, self.parsing, self.pose, self.feet)
        size = max(1, round(self.size[1] * scale)), max(1, round(self.size[0] * scale))
        pose = self.pose.copy()
        pose[:, :2] *= np.array(size) / (self.size[1], self.size[0])
        parsing = cv2.resize(self.parsing, size, interpolation=cv2.INTER_NEAREST_EXACT)
        image = cv2.resize(self.image, size, interpolation=cv2.INTER_AREA)
        small = _owners(image, parsing, pose, self.feet)
        # Pixels at the silhouette may fall into cells whose centre is background: these take a neighbour's part.
        beside = cv2.dilate((small + 1).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.int8) - 1
        small = np.where(small < 0, beside, small)
        large = cv2.resize(small, self.size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        return np.where(self.parsing > 0, large, -1)

    def behind(self, name: str, scale: float) -> Behind | None:
        """What lies behind some parts, finished; found once, in the view that this one is a part of.

        Args:
            name: of ``finishing.FRONTS``.
            scale: frame pixels per pixel.
        """
        if self._whole is not None:
            view, window = self._whole
            whole = view.behind(name, scale)
            return None if whole is None else whole.part(window)
        finished = self._finished  # another thread may let go of one meanwhile
        if name in (known := dict(finished)):
            return known[name]
        assert self.hidden is not None
        body = self.hidden(self)
        made = finished[name] = finish_behind(name, self.image, self.parsing, self.owner, self.pose, scale, body)
        return made

    def edges(self, window: tuple[slice, slice], scale: float) -> Edges:
        """The soft edge in a window, rows and columns with starts and stops. The one that was found last is kept, by
        the view that this one is a part of: a part that is dragged has the same edge in every pose."""
        rows, columns = window
        if self._whole is not None:
            view, (down, right) = self._whole
            down, right = down.start, right.start
            there = slice(rows.start + down, rows.stop + down), slice(columns.start + right, columns.stop + right)
            return view.edges(there, scale)
        place = rows.start, rows.stop, columns.start, columns.stop
        known = self._edges.get(place)
        if known is None:
            known = soft_edges(self.image[window], self.solid[window], self.owner[window], scale)
            self._edges.clear()
            if known.share.size <= _KEPT_EDGES:
                self._edges[place] = known
        return known

    def rest(self) -> None:
        """Let go of what is quickly made again, and is the same then; the owners of pixels, which take long to find, go
        into the small."""
        self._finished.clear()
        self._edges.clear()
        if self._whole is None and "owner" in self.__dict__:
            if "_packed" not in self.__dict__:
                self.__dict__["_packed"] = zlib.compress(np.ascontiguousarray(self.owner).tobytes(), 1)
            self.__dict__.pop("owner", None)
        self.__dict__.pop("solid", None)

    def cut_outs(self, scale: float) -> list[CutOut]:
        """The parts in drawing order, with soft edges and the person's own colours, each finished behind the parts
        before it; ``scale``: frame pixels per pixel."""
        window = window_of(self.solid > 0, margin=edge_margin(scale))
        if window is None:
            return []
        here, edges = self.part(window), self.edges(window, scale)
        behind = [layers for name in FRONTS if (layers := here.behind(name, scale)) is not None]
        rim = max(1, round(RIM / scale))
        parts = cut_outs(edges.colours, here.parsing, here.pose, edges.owner, rim, edges.share, behind)
        y, x = window[0].start, window[1].start
        return [part._replace(x=part.x + x, y=part.y + y) for part in parts]

    def part(self, window: tuple[slice, slice]) -> "View":
        """Rows and columns of this view; arrays are shared."""
        rows, columns = window
        pose = self.pose - np.array([columns.start, rows.start, 0], np.float32)
        held = None if self.held is None else self.held[window]
        part = View(self.image[window], self.parsing[window], pose, held, _whole=(self, window))
        return self.owned(part, self.owner[window])

    def only(self, region: int) -> "View":
        """The part of the view about one region, and that region alone: what is carried when a garment is borrowed."""
        window = window_of(self.parsing == region, margin=2)
        here = self if window is None else self.part(window)
        inside = here.parsing == region
        view = View(here.image, np.where(inside, here.parsing, 0), here.pose)
        return self.owned(view, np.where(inside, here.owner, -1))

    def resized(self, scale: float) -> "View":
        """The same view with fewer pixels, or with more; itself where ``scale`` is about 1."""
        if 0.75 < scale < 1.1:
            return self
        height, width = self.size
        size = max(1, round(width * scale)), max(1, round(height * scale))
        view = View(
            cv2.resize(self.image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR),
            cv2.resize(self.parsing, size, interpolation=cv2.INTER_NEAREST_EXACT),
            self.pose * np.array([size[0] / width, size[1] / height, 1], np.float32),
            None if self.held is None else cv2.resize(self.held, size, interpolation=cv2.INTER_NEAREST_EXACT),
        )
        return self.owned(view, cv2.resize(self.owner, size, interpolation=cv2.INTER_NEAREST_EXACT))

    @staticmethod
    def owned(view: "View", owner: np.ndarray) -> "View":
        """A view whose owners are known: which bone a sleeve follows is decided once, with the whole body in sight."""
        view.__dict__["owner"] = owner
        return view
