"""Where a grid lies on a picture."""

from typing import NamedTuple


class Place(NamedTuple):
    """Where a grid lies on a picture, in pixels of the picture; also between them, on a smaller copy of it."""

    top: float
    left: float
    height: float
    width: float
