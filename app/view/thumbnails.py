"""Small pictures for the page, and how they get there: shrunk, cut out about a person or a region, as addresses."""

import base64

import cv2
import numpy as np

from pise_core.framing import Box
from pise_core.images import shrink

#: Long side of a portrait.
PORTRAIT_SIDE = 320
#: Side of the picture of one region, for screens of two pixels to one.
SWATCH_SIDE = 88


def data_address(image: np.ndarray, quality: int) -> str:
    """A small picture as a JPEG data address."""
    _, data = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def portrait(image: np.ndarray, box: Box, quality: int) -> str:
    """The person in a box (x0, y0, x1, y1 in pixels) of an image, small."""
    height, width = image.shape[:2]
    x0, y0, x1, y1 = box
    pad = 0.06 * (y1 - y0)
    top, bottom = (int(np.clip(v, 0, height)) for v in (y0 - pad, y1 + pad))
    left, right = (int(np.clip(v, 0, width)) for v in (x0 - pad, x1 + pad))
    cut = image[top:bottom, left:right] if bottom - top > 8 and right - left > 8 else image
    return data_address(shrink(cut, PORTRAIT_SIDE), quality)


def swatch(image: np.ndarray, parsing: np.ndarray, region: int) -> str:
    """The square of an image about one region of its parsing map, which must be there."""
    rows, columns = np.nonzero(parsing == region)
    # A few pixels that strayed don't count.
    (top, bottom), (left, right) = (np.percentile(places, (2, 98)) for places in (rows, columns))
    side = int(min(max(1.15 * max(bottom - top, right - left), 16), *parsing.shape))
    y, x = (
        int(np.clip((low + high - side) / 2, 0, length - side))
        for low, high, length in zip((top, left), (bottom, right), parsing.shape, strict=True)
    )
    return data_address(shrink(image[y : y + side, x : x + side], SWATCH_SIDE), 82)
