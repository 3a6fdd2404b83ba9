"""Files that were sent, as an action reads them."""

from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from pise_core.document.file_format import SavedDocument
from pise_core.document.file_reader import is_document, read
from pise_core.errors import InputError
from pise_core.images import harmless, read_image


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
        return read(file) if is_document(file) else _photo(file, " or a .pise document")


def photo(path: Any) -> np.ndarray:
    """The photo in an uploaded file, (H, W, 3) uint8 RGB.

    Raises:
        InputError: if it holds none.
    """
    with opened(path) as file:
        return _photo(file)


def _photo(file: BufferedReader, also: str = "") -> np.ndarray:
    start = file.peek(12)[:12]
    known = start.startswith((b"\xff\xd8", b"\x89PNG")) or (start[:4], start[8:]) == (b"RIFF", b"WEBP")
    if not known and start[4:8] != b"ftyp":  # as HEIC and AVIF begin, of which the reader knows whether it can
        raise InputError(f"{Path(file.name).name} can't be opened here; choose a photo (JPG, PNG or WebP){also}")
    return read_image(file)


def stem(path: Any) -> str:
    """A harmless file name without its suffix."""
    return harmless(Path(str(path)).stem)
