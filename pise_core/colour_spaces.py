"""Colour spaces that a picture names without a profile of its own, as the profile (ICC) that says the same.

PNG has chunks for primaries (cHRM), a power (gAMA) and video's numbers (cICP, ITU-T H.273); HEIC has the last, too;
cameras note Adobe RGB in EXIF (DCF 2.0, "R03").
"""

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from pise_core.errors import InputError

_D65 = (0.3127, 0.3290)
_SRGB = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_ADOBE = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
#: H.273's numbers of primaries: Rec. 709, Rec. 2020, Display P3.
_PRIMARIES = {
    1: _SRGB,
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
#: H.273's numbers of curves: those that are near sRGB's, plain powers, and high dynamic range.
_NEAR_SRGB, _POWERS, _HDR = (1, 6, 13, 14, 15), {4: 2.2, 5: 2.8, 8: 1.0}, (16, 18)
#: What gAMA says of sRGB, and how far from it a rounding is.
_GAMMA, _GAMMA_WITHIN = 0.45455, 0.02
#: What no picture's gAMA is beyond.
_LEAST_GAMMA, _MOST_GAMMA = 0.2, 2.5
#: Bradford's matrix, and ICC's white.
_CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_D50 = np.array([0.9642, 1.0, 0.8249])
_STEPS = 1024


def named_profile(image: Image.Image, png: bytes = b"") -> bytes | None:
    """The profile of the colour space that a decoded picture names in another way; None where it names none, or sRGB.

    Args:
        image: with its ``info``.
        png: the file, where it is a PNG.

    Raises:
        InputError: if it is of high dynamic range, which has no white to go by.
    """
    video = _cicp(png) or _nclx(image.info.get("nclx_profile"))
    if video is not None:
        primaries, curve = video
        if curve in _HDR:
            raise InputError("is of high dynamic range, which can't be read here: save it as a usual one")
        if primaries not in _PRIMARIES or not (curve in _NEAR_SRGB or curve in _POWERS):
            return None
        return _profile(_PRIMARIES[primaries], _D65, None if curve in _NEAR_SRGB else _POWERS[curve])
    if image.format == "PNG" and "srgb" not in image.info:
        return _of_chunks(image.info)
    return _profile(_ADOBE, _D65, 2.2) if _notes_adobe(image) else None


def _cicp(png: bytes) -> tuple[int, int] | None:
    """Numbers of primaries and curve in a PNG's cICP, which stands before the pixels."""
    at = 8
    while at + 12 <= len(png) and png[at + 4 : at + 8] != b"IDAT":
        length = int.from_bytes(png[at : at + 4], "big")
        if png[at + 4 : at + 8] == b"cICP" and length == 4:
            return png[at + 8], png[at + 9]
        at += 12 + length
    return None


def _nclx(noted: Any) -> tuple[int, int] | None:
    """The same of HEIC; None where it is not said, or sRGB."""
    if not isinstance(noted, Mapping):
        return None
    numbers = noted.get("color_primaries"), noted.get("transfer_characteristics")
    if not all(isinstance(number, int) for number in numbers):
        return None
    return int(numbers[0] or 0), int(numbers[1] or 0)


def _of_chunks(info: Mapping[Any, Any]) -> bytes | None:
    """The profile that gAMA and cHRM amount to."""
    gamma, colours = info.get("gamma"), info.get("chromaticity")
    if not gamma and not colours or gamma and not _LEAST_GAMMA <= gamma <= _MOST_GAMMA:
        return None
    power = None if not gamma or abs(gamma - _GAMMA) < _GAMMA_WITHIN else 1 / float(gamma)
    white, primaries = _D65, _SRGB
    if isinstance(colours, tuple) and len(colours) == 8 and min(colours) >= 0 and min(colours[1::2]) > 0.01:
        white, *others = zip(colours[::2], colours[1::2], strict=True)
        if np.abs(np.subtract(others, _SRGB)).max() > 0.003 or np.abs(np.subtract(white, _D65)).max() > 0.003:
            primaries = tuple(others)
        else:
            white = _D65
    if power is None and primaries == _SRGB:
        return None
    return _profile(primaries, white, power)


def _notes_adobe(image: Image.Image) -> bool:
    try:
        return image.getexif().get_ifd(0xA005).get(1) == "R03"
    except Exception:  # The EXIF parser raises anything on damaged data
        return False


def _profile(
    primaries: tuple[tuple[float, float], ...], white: tuple[float, float], power: float | None
) -> bytes | None:
    """A profile of these primaries, white (x, y) and curve, sRGB's where no power is given; None of impossible ones."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in primaries]).T
    given = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    if abs(np.linalg.det(columns)) < 1e-3:
        return None
    matrix = columns * np.linalg.solve(columns, given)
    adapted = np.linalg.solve(_CONES, np.diag((_CONES @ _D50) / (_CONES @ given)) @ _CONES) @ matrix
    shares = np.linspace(0, 1, _STEPS)
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    curve = np.round((linear if power is None else shares**power) * 65535).astype(">u2").tobytes()
    shaped = b"curv" + bytes(4) + struct.pack(">I", _STEPS) + curve
    name = b"named\0"
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(name)) + name + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + _fixed(_D50),
        **{f"{letter}XYZ".encode(): b"XYZ " + bytes(4) + _fixed(adapted[:, n]) for n, letter in enumerate("rgb")},
        **{f"{letter}TRC".encode(): shaped for letter in "rgb"},
    }
    return _assembled(tags)


def _assembled(tags: Mapping[bytes, bytes]) -> bytes:
    """Tags by name as the file of a display's profile, ICC.1:2001."""
    start, table, body = 132 + 12 * len(tags), b"", b""
    for key, data in tags.items():
        table += key + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + _fixed(_D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def _fixed(values: np.ndarray) -> bytes:
    """Numbers as ICC's s15Fixed16."""
    return np.round(values * 65536).astype(">i4").tobytes()
