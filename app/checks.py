"""What a browser or a program sent, checked: nothing from outside gets past here as it came.

Every function raises :class:`pise_core.errors.InputError` with a line that says what to do.
"""

from typing import Any

import numpy as np

from app.paint import PaintLayer, working_size
from app.session import KEY_LIMIT, Motion, Session
from pise_core import pose as poses
from pise_core.errors import InputError
from pise_core.regions import REGIONS


def field(value: Any, name: str) -> Any:
    """One entry of a JSON object, None if it is not there or ``value`` is no object."""
    return value.get(name) if isinstance(value, dict) else None


def pose(value: Any) -> np.ndarray:
    """``{"keypoints": 18 rows}`` -> (18, 3) in pixels of the photo, with at least two joints there."""
    wanted = poses.from_rows(field(value, "keypoints"))
    if np.count_nonzero(poses.visible(wanted)) < 2:
        raise InputError("a pose has two joints at least; show another one")
    return wanted


def edited_pose(session: Session, value: Any) -> np.ndarray | None:
    """As :func:`pose`, but None when it is the person's own pose, so that no edit is no edit."""
    wanted = pose(value)
    return None if poses.to_rows(wanted) == poses.to_rows(session.need_person().pose) else wanted


def stroke(session: Session, value: Any) -> tuple[PaintLayer | None, PaintLayer | None]:
    """``{"before", "labels"}`` -> the painted layer before and after a stroke, packed and of the photo's working size.

    ``before`` is None if nothing was painted. Without it the stroke is taken to be made on the current layer.
    """
    height, width = session.need_photo().shape[:2]
    size = working_size(width, height)
    after = PaintLayer.from_client(field(value, "labels"), size)
    if "before" not in value:
        return session.edits.paint, after
    before = field(value, "before")
    return None if before is None else PaintLayer.from_client(before, size), after


def styles(session: Session, value: Any) -> dict[str, dict[str, float]]:
    """``{"styles": {region: {id of a reference: weight}}}``, the weights of a region summing to at most 1."""
    wanted = field(value, "styles")
    if not isinstance(wanted, dict):
        raise InputError("the textures did not arrive whole; move the slider again")
    checked = {}
    for region, mix in wanted.items():
        if region not in REGIONS[1:]:
            raise InputError(f"textures can be borrowed for: {', '.join(REGIONS[1:])}")
        if not isinstance(mix, dict) or not mix.keys() <= session.references.keys():
            raise InputError("that reference is gone; choose another one")
        for weight in mix.values():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
                raise InputError("a texture is mixed with a weight from 0 to 1")
        if sum(mix.values()) > 1 + 1e-6:
            raise InputError("the weights of a region's textures sum to at most 1")
        checked[region] = {key: float(weight) for key, weight in mix.items()}
    return checked


def motion(session: Session, value: Any) -> Motion:
    """``{"motion": {"keys": list of 18 rows each, "seconds", "loop"}}``."""
    wanted = field(value, "motion")
    keys, seconds, loop = (field(wanted, name) for name in ("keys", "seconds", "loop"))
    if not isinstance(keys, list) or len(keys) > KEY_LIMIT:
        raise InputError(f"a motion has {KEY_LIMIT} key poses at most")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0.1 <= seconds <= 5:
        raise InputError("from one key pose to the next it takes 0.1 to 5 seconds")
    return Motion(tuple(pose({"keypoints": key}) for key in keys), float(seconds), loop is True)


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


def sequence(value: Any) -> int:
    """``{"seq": n}``, the page's order number; 0 if it is none."""
    number = field(value, "seq")
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number < 2**52:
        return 0
    return int(number)


def text(value: Any, limit: int = 1_000_000) -> str:
    """``{"text": ...}``, the contents of a small file."""
    content = field(value, "text")
    if not isinstance(content, str) or len(content) > limit:
        raise InputError("that file is no pose; choose an OpenPose JSON file")
    return content
