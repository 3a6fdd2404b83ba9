"""Mattes: how much of each pixel is the person, and the person's own colours there."""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.guided_filter import guided_filter, sampled
from pise_core.masks import Nearest, grow, smooth

#: In frame pixels: how far from the map's silhouette the true one can be, and the window in which edges are followed.
BAND, _WINDOW = 2.5, 3.0
#: In frame pixels: how far inside the map's silhouette the edge may be soft.
INSIDE = 1.2
#: Variance of colour (of values in [0, 1]) below which there is no edge to follow.
_EPS = 1e-4
#: Smaller shares are none, and those as near to 1 are 1.
_TRACE = 0.06
#: In frame pixels: from how far colours of the person and of what is behind them are taken.
_AROUND = 1.5
#: The same in pixels of the picture that means are taken of.
_FINE = 3.0


class Edges(NamedTuple):
    """A person's soft edge.

    Attributes:
        share: (H, W) float32 in [0, 1], of the person in each pixel.
        colours: (H, W, 3) uint8, the person's own, wherever the share is above 0; the photo's elsewhere.
        owner: (H, W) int8, the part that each pixel with a share belongs to.
    """

    share: np.ndarray
    colours: np.ndarray
    owner: np.ndarray


def soft_edges(photo: np.ndarray, parsing: np.ndarray, owner: np.ndarray, scale: float) -> Edges:
    """The person's edge as the photo shows it, within a band about the map's silhouette.

    Args:
        photo: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        owner: (H, W) int8, from ``assign_parts``.
        scale: frame pixels per photo pixel.
    """
    person = parsing > 0
    if not person.any() or person.all():
        return Edges(person.astype(np.float32), photo, owner)
    outside = grow(person, BAND / scale)
    # Deeper inside, a wall of the person's own colour would make holes.
    band = outside & grow(~person, INSIDE / scale)
    share = guided_filter(photo, matte(parsing, scale), _WINDOW / scale, _EPS, band)
    # A trace of the person in the wall is noise, and so is a trace of the wall deep in the person.
    share = np.where(band, np.clip((share - _TRACE) / (1 - 2 * _TRACE), 0, 1), person).astype(np.float32)
    rim = outside & ~person & (share > 0)
    owner = owner.copy()
    ys, xs = np.nonzero(rim)
    y, x = Nearest(owner >= 0).at(ys, xs) if (owner >= 0).any() else (ys, xs)
    owner[ys, xs] = owner[y, x]
    return Edges(share, own_colours(photo, share, _AROUND / scale), owner)


def own_colours(photo: np.ndarray, share: np.ndarray, reach: float) -> np.ndarray:
    """The person's own colours where the background shines through (Forte, Approximate Fast Foreground Colour
    Estimation, ICIP 2021).

    Args:
        photo: (H, W, 3) uint8.
        share: (H, W) float32 in [0, 1].
        reach: from how far colours are taken, in pixels.

    Returns:
        (H, W, 3) uint8; the photo's own where the share is 1 or 0.
    """
    made = photo.copy()
    edge = (share > 0) & (share < 1)
    if not edge.any():
        return made
    # Means are smooth: of a large photo a smaller picture gives them.
    height, width = share.shape
    shrink = min(1.0, _FINE / max(reach, 1e-6))
    size = max(2, round(width * shrink)), max(2, round(height * shrink))
    picture = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    part = cv2.resize(share, size, interpolation=cv2.INTER_AREA)
    ys, xs = np.nonzero(edge)

    def mean(weight: np.ndarray) -> np.ndarray:
        """Of the colours, (N, 3), at the edge."""
        planes = [smooth(picture[..., c] * weight, reach * shrink) for c in range(3)]
        planes = np.dstack([*planes, smooth(weight, reach * shrink)])
        found = sampled(planes, ys, xs, share.shape)
        return found[:, :3] / np.maximum(found[:, 3:], 1e-4)

    # Pixels that are nearly all of one kind say most about it.
    person, wall, a = mean(part**4), mean((1 - part) ** 4), share[ys, xs, None]
    person += a * (photo[ys, xs] - a * person - (1 - a) * wall)
    made[ys, xs] = np.clip(np.rint(person), 0, 255).astype(np.uint8)
    return made


def matte(parsing: np.ndarray, scale: float) -> np.ndarray:
    """Share of the person in each pixel, (H, W) float32: the map's silhouette with its stairs smoothed.

    ``scale``: frame pixels per photo pixel; the map's own resolution is that of the frame.
    """
    person = (parsing > 0).astype(np.float32)
    sigma = 0.45 / scale if scale < 1 else 0.6
    return np.clip(smooth(person, sigma) * 1.6 - 0.3, 0, 1)
