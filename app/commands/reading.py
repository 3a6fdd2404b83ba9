"""Files that were sent, as an action reads them."""

from io import BufferedReader
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from pise_core.document.file_format import SavedDocument
from pise_core.document.file_reader import is_document, read
from pise_core.document.paint import working_size
from pise_core.errors import InputError
from pise_core.images import harmless, read_photo

#: Shapes that differ by less are one picture at two sizes.
_SAME_SHAPE = 0.02


def opened(path: Any) -> BufferedReader:
    """An uploaded file, open for reading.

    Raises:
        InputError: if it is not there.
    """
    try:
        return open(path, "rb")  # noqa: SIM115 - the caller closes it
    except OSError:  # uploads of the same file at the same time are one file, which the first reader has taken away
        raise InputError(f"{Path(path).name} did not arrive; choose it again") from None


def photo_or_document(path: Any) -> np.ndarray | SavedDocument:
    """The photo in an uploaded file, (H, W, 3) uint8 RGB, or the document.

    Raises:
        InputError: if it holds neither.
    """
    with opened(path) as file:
        return read(file) if is_document(file) else read_photo(file, kind="JPEG, PNG or WebP picture or .pise document")


def photo(path: Any) -> np.ndarray:
    """The photo in an uploaded file, (H, W, 3) uint8 RGB.

    Raises:
        InputError: if it holds none.
    """
    with opened(path) as file:
        return read_photo(file)


def mask(path: Any, size: tuple[int, int]) -> np.ndarray:
    """What is white in an uploaded picture, (h, w) bool of the size that a page paints at; what is transparent is not.

    Args:
        path: of the upload.
        size: (W, H) of the photo, whose shape it must have.

    Raises:
        InputError: if it is no picture, or has another shape.
    """
    with opened(path) as file:
        marks = read_photo(file, ground=0)
        name = Path(file.name).name
    height, width = marks.shape[:2]
    if abs(width * size[1] / (height * size[0]) - 1) > _SAME_SHAPE:
        raise InputError(
            f"{name} is {width}x{height}, the photo {size[0]}x{size[1]}: they must be of the same size, or shape"
        )
    return cv2.resize(marks.max(2), working_size(*size), interpolation=cv2.INTER_NEAREST_EXACT) > 127


def stem(path: Any) -> str:
    """A harmless file name without its suffix."""
    return harmless(Path(str(path)).stem)
