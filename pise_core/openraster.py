"""Layered pictures for paint programs: OpenRaster (.ora), which GIMP, Krita and MyPaint open.

A zip whose first member says what it is; ``stack.xml`` names the layers from the nearest to the farthest. See
https://www.openraster.org/baseline/file-layout-spec.html.
"""

import io
import zipfile
from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree

import cv2
import numpy as np
from PIL import Image

_TYPE = "image/openraster"
_THUMBNAIL = 256


class RasterLayer(NamedTuple):
    """A layer of a picture.

    Attributes:
        name: as paint programs show it.
        x, y: where its top left corner lies, in pixels of the picture.
        image: (h, w, 4) uint8 RGBA, straight alpha.
    """

    name: str
    x: int
    y: int
    image: np.ndarray


def encode_openraster(layers: Sequence[RasterLayer], merged: np.ndarray, picture: bytes | None = None) -> bytes:
    """The bytes of a file; the same layers give the same bytes.

    Args:
        layers: from the farthest to the nearest.
        merged: (H, W, 3 or 4) uint8, the picture that they make.
        picture: the same as a PNG file, if that is to say more of itself than its pixels.
    """
    height, width = merged.shape[:2]
    root = ElementTree.Element("image", version="0.0.3", w=str(width), h=str(height))
    stack = ElementTree.SubElement(root, "stack")
    members: dict[str, bytes] = {}
    for number, layer in reversed(list(enumerate(layers))):
        source = f"data/layer{number}.png"
        members[source] = _png(layer.image)
        placed = {"x": str(layer.x), "y": str(layer.y)}
        ElementTree.SubElement(stack, "layer", {"name": layer.name, "src": source} | placed | {"opacity": "1.0"})
    members["mergedimage.png"] = _png(merged) if picture is None else picture
    scale = min(1.0, _THUMBNAIL / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    members["Thumbnails/thumbnail.png"] = _png(cv2.resize(merged, size, interpolation=cv2.INTER_AREA))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        # Readers tell the kind of the file from its first bytes; a fixed time keeps them the same.
        for name, data in {"mimetype": _TYPE.encode(), "stack.xml": ElementTree.tostring(root), **members}.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return buffer.getvalue()


def _png(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "PNG")
    return buffer.getvalue()
