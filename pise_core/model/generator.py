"""The seam between pictures and networks: all that the pipeline asks of whatever runs a network.

Everything is an array in the frame, (256, 176) rows and columns. Another backend is another class of these three
methods; :class:`pise_core.model.torch_generator.TorchGenerator` is the one that ships.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np


class Framed(Protocol):
    """A person in the frame."""

    @property
    def image(self) -> np.ndarray:
        """(256, 176, 3) uint8 RGB."""
        ...

    @property
    def parsing(self) -> np.ndarray:
        """(256, 176) uint8, indices 0..7."""
        ...

    @property
    def pose(self) -> np.ndarray:
        """(18, 3) float32: x, y, score in pixels of the frame, nan where a joint is missing."""
        ...


@dataclass(frozen=True, eq=False)
class Code:
    """What depends on the source alone, computed once per person.

    Attributes:
        styles: (8, n) float32, a style code for each row of the network's own order of regions (eq. 2 of the paper).
        kept: whatever else the backend wants back; nobody else looks at it.
    """

    styles: np.ndarray
    kept: Any = None


class Parsed(NamedTuple):
    """A map for another pose."""

    probabilities: np.ndarray  # (8, 256, 176) float32 that sum to 1 at every place
    kept: Any = None  # whatever else the backend wants back when it paints on that map


class Painted(NamedTuple):
    """What the image generator answers."""

    image: np.ndarray  # (256, 176, 3) float32 in [0, 255], carried pixels blended in
    own: np.ndarray  # (256, 176, 3) float32 in [0, 255], before that blend
    gate: np.ndarray  # (256, 176) float32 in [0, 1]: share of carried pixels, where these are fully trusted


class Carrying(NamedTuple):
    """The source's pixels moved to the wanted pose: the input of the detail path."""

    colours: np.ndarray  # (256, 176, 3) uint8
    trust: np.ndarray  # (256, 176) float32 in [0, 1]; 0 where nothing arrived


class Generator(Protocol):
    """A network with its weights, run by some backend."""

    @property
    def backend(self) -> str:
        """What runs it, such as ``torch cpu float32``: the same backend makes the same bytes."""
        ...

    def encode(self, source: Framed) -> Code:
        """What depends on the source alone."""
        ...

    def style_row(self, region: int) -> int:
        """Which row of :attr:`Code.styles` a region (0..7) has."""
        ...

    def parse(self, source: Framed, pose: np.ndarray, carried: tuple[np.ndarray, np.ndarray] | None) -> Parsed:
        """The map that another pose asks for.

        Args:
            source: the person.
            pose: (18, 3), wanted.
            carried: the source's map moved there, (256, 176) uint8, and where it is known, bool; None without the
                detail path.

        Raises:
            InputError: if these weights make no maps.
        """
        ...

    def paint(
        self,
        source: Framed,
        code: Code,
        wanted: np.ndarray,
        pose: np.ndarray | None,
        parsed: Parsed | None,
        carried: Carrying | None,
    ) -> Painted:
        """The picture on a map.

        Args:
            source: the person.
            code: of the person; its styles may have been exchanged or mixed (eq. 13).
            wanted: (256, 176) uint8, the map.
            pose: (18, 3), wanted; None for the source's own.
            parsed: what :meth:`parse` said, where the pose is another.
            carried: None without the detail path.
        """
        ...
