"""Texture that continues: what was carried of a region reaches a little further into that region.

A borrowed shirt rarely fits to the pixel, a lifted arm leaves a gap in the coat behind it, a painted sleeve is longer
than the one in the photo. Near carried pixels the best guess is more of the same; further away the generator's is.
"""

from collections.abc import Iterator

import numpy as np

from pise_core.masks import Nearest, window_of
from pise_core.regions import REGION, REGION_COUNT

#: Believed so far right beside what was carried, falling to nothing at the reach.
BELIEF = 0.9


def continue_regions(
    image: np.ndarray, trust: np.ndarray, parsing: np.ndarray, reach: float, own: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Mirror trusted pixels of a region at their border into the rest of it.

    Args:
        image: (H, W, 3) uint8, carried pixels.
        trust: (H, W) float32 in [0, 1].
        parsing: (H, W) uint8, the wanted map; a region continues only into itself. Faces are not continued.
        reach: how far, in pixels.
        own: whether image and trust are the caller's own, and may be filled themselves.

    Returns:
        Image and trust with the gaps filled as far as the reach; copies where anything changed, unless they are own.
    """
    # Only what lies within twice the reach of a gap is looked at.
    around = window_of((parsing > 0) & (trust <= 0.5), margin=int(2 * reach) + 2) if reach > 0 else None
    if around is None:
        return image, trust
    found = list(_continued(image[around], trust[around], parsing[around], reach))
    if not found:
        return image, trust
    if not own:
        image, trust = image.copy(), trust.copy()
    for (ys, xs), colours, belief in found:
        image[around][ys, xs], trust[around][ys, xs] = colours, belief
    return image, trust


def _continued(
    image: np.ndarray, trust: np.ndarray, parsing: np.ndarray, reach: float
) -> Iterator[tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]]:
    """As :func:`continue_regions`, region by region: rows and columns of what is filled, its colours and its trust."""
    for region in range(1, REGION_COUNT):
        inside = parsing == region
        gap = inside & (trust <= 0.5)
        window = window_of(gap, margin=int(2 * reach) + 2)
        if region == REGION["face"] or window is None:
            continue
        known = (inside & (trust > 0.5))[window]
        if not known.any():
            continue
        nearest = Nearest(known)
        ys, xs = np.nonzero(gap[window] & (nearest.distance < reach))
        if not len(ys):
            continue
        (y, x), (by, bx) = nearest.mirrored(ys, xs), nearest.at(ys, xs)
        lost = ~known[y, x]  # mirrored out of the region again: the border pixel itself must do
        y, x = np.where(lost, by, y), np.where(lost, bx, x)
        fade = BELIEF * np.clip(1 - nearest.distance[ys, xs] / reach, 0, 1)
        there = ys + window[0].start, xs + window[1].start
        yield there, image[window][y, x], np.maximum(trust[window][ys, xs], fade)
