"""What a browser or a program sent, parsed once: below this the values are trusted.

Every function takes a JSON object, and raises :class:`pise_core.errors.InputError` with a line that says what to do.
"""

import base64
import binascii
from typing import Any

import numpy as np

from app.state.session import EXPIRED, Session
from pise_core.document import Document
from pise_core.document.edits import checked_pose
from pise_core.document.paint import PaintLayer, working_size
from pise_core.errors import InputError


def field(value: Any, name: str) -> Any:
    """One entry of a JSON object, None if it is not there or ``value`` is no object."""
    return value.get(name) if isinstance(value, dict) else None


def pose(value: Any) -> np.ndarray:
    """``{"keypoints": 18 rows}`` -> (18, 3) in pixels of the photo, with at least two joints there."""
    return checked_pose(field(value, "keypoints"))


def stroke(document: Document, value: Any) -> tuple[PaintLayer | None, PaintLayer | None]:
    """``{"before", "labels"}`` -> the painted layer before and after a stroke, packed and of the photo's working size.

    ``before`` is None if nothing was painted. Without it the stroke is taken to be made on the current layer.
    """
    height, width = document.photo.shape[:2]
    size = working_size(width, height)
    after = PaintLayer.from_client(field(value, "labels"), size)
    if "before" not in value:
        return document.painted(), after
    before = field(value, "before")
    return None if before is None else PaintLayer.from_client(before, size), after


def choice(value: Any, name: str, choices: tuple[str, ...]) -> str:
    """``{name: one of the choices}``."""
    chosen = field(value, name)
    if not isinstance(chosen, str) or chosen not in choices:
        raise InputError(f"choose one of: {', '.join(choices)}" if choices else f"there is no {name} to choose yet")
    return chosen


def share_box(value: Any) -> tuple[float, float, float, float]:
    """``{"box": [x0, y0, x1, y1]}`` in shares of a picture's width and height, from 0 to 1."""
    box = field(value, "box")
    if not isinstance(box, list) or len(box) != 4 or not all(type(v) in (int, float) and 0 <= v <= 1 for v in box):
        raise InputError("draw a box around the garment")
    x0, y0, x1, y1 = (float(v) for v in box)
    return min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)


def index(value: Any, count: int, what: str) -> int:
    """``{"index": n}`` with ``n`` below ``count``."""
    number = field(value, "index")
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < count:
        raise InputError(f"there is no such {what}")
    return number


def sequence(value: Any, name: str = "seq") -> int:
    """``{"seq": n}``, the page's order number; 0 if it is none."""
    number = field(value, name)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < 2**52:
        return 0
    return int(number)


def text(value: Any, limit: int = 10_000_000) -> str:
    """``{"text": ...}``, the contents of a file of poses."""
    content = field(value, "text")
    if not isinstance(content, str):
        raise InputError("that file is no pose; choose a JSON file of joints")
    if len(content) > limit:
        raise InputError(f"that file is larger than {limit / 1e6:g} MB; choose one of fewer pictures")
    return content


def person(value: Any) -> int | None:
    """``{"person": n}``, which person of a file of poses is meant, from 0; None if it isn't said."""
    number = field(value, "person")
    if number is not None and type(number) is not int:
        raise InputError("which person of the file is meant is a whole number, from 0")
    return number


def same_document(session: Session, value: Any) -> None:
    """``{"document": number}``: an edit is meant for what the page showed when it was made, 0 for nothing yet."""
    number = sequence(value, "document")
    if 0 < number < session.first:
        raise InputError(EXPIRED)
    if number not in (0, session.number):
        raise InputError("another photo was opened meanwhile; that edit was for the one before, and was not made")


def bytes_of(value: Any, name: str, limit: int) -> bytes:
    """``{name: text in base64}``, at most ``limit`` characters of it."""
    text = field(value, name)
    if not isinstance(text, str) or len(text) > limit:
        raise InputError("the edits did not come along; try again")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the edits are damaged; open the photo again") from None
