"""Colour profiles (ICC) and pictures in their colours, by the definitions and without a colour management's help."""

import struct

import numpy as np

#: x, y of red, green and blue; all with the white of D65.
_PRIMARIES = {
    "sRGB": ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    "Display P3": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    "Adobe RGB": ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)),
    "Rec. 2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
}
_D65, _D50 = np.array([0.9505, 1.0, 1.0890]), np.array([0.9642, 1.0, 0.8249])
#: Bradford's adaptation.
_CONES = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def to_xyz(space: str) -> np.ndarray:
    """(3, 3): linear RGB of the space to XYZ under D65."""
    columns = np.array([(x / y, 1, (1 - x - y) / y) for x, y in _PRIMARIES[space]]).T
    return columns * np.linalg.solve(columns, _D65)


def linear(values: np.ndarray) -> np.ndarray:
    """sRGB's curve, 0..1 to 0..1."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def in_space(picture: np.ndarray, space: str, gamma: float) -> np.ndarray:
    """(H, W, 3) uint8 sRGB as the numbers that a space with that power has for the same colours."""
    matrix = np.linalg.solve(to_xyz(space), to_xyz("sRGB"))
    values = (linear(picture / 255.0) @ matrix.T).clip(0, 1) ** (1 / gamma)
    return np.round(values * 255).astype(np.uint8)


def _tag(kind: bytes, data: bytes) -> bytes:
    return kind + bytes(4) + data


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _assembled(colours: bytes, tags: dict[bytes, bytes]) -> bytes:
    name = b"Some profile\0"
    described = _tag(b"desc", struct.pack(">I", len(name)) + name + bytes(78))
    tags = {b"desc": described, b"cprt": _tag(b"text", b"none\0"), b"wtpt": _tag(b"XYZ ", _fixed(*_D50)), **tags}
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for key, data in tags.items():
        table += key + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", at + len(body), bytes(4), 0x02400000, b"mntr", colours, b"XYZ ")
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(24) + _fixed(*_D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def profile(space: str, gamma: float) -> bytes:
    """A profile of an RGB space with a plain power for its curve."""
    adapted = np.linalg.solve(_CONES, np.diag((_CONES @ _D50) / (_CONES @ _D65)) @ _CONES) @ to_xyz(space)
    curve = _tag(b"curv", struct.pack(">IH", 1, round(gamma * 256)))
    tags = {f"{c}XYZ".encode(): _tag(b"XYZ ", _fixed(*adapted[:, n])) for n, c in enumerate("rgb")}
    return _assembled(b"RGB ", tags | {f"{c}TRC".encode(): curve for c in "rgb"})


def grey_profile(gamma: float) -> bytes:
    """A profile of greys with a plain power for its curve."""
    return _assembled(b"GRAY", {b"kTRC": _tag(b"curv", struct.pack(">IH", 1, round(gamma * 256)))})


def display_p3() -> bytes:
    """Display P3's primaries with a power that is near its curve."""
    return profile("Display P3", 2.2)
