"""Laying layers over one another: the person over the background, and both over the photo."""

import numpy as np

from pise_core.masks import Nearest


def composite(photo: np.ndarray, person: np.ndarray, share: np.ndarray, background: np.ndarray, weight: np.ndarray):
    """Person over background, and both over the photo where ``weight`` asks for it.

    Args:
        photo, person, background: (H, W, 3) uint8 or float32 in [0, 255].
        share: (H, W) in [0, 1], of the person over the background.
        weight: (H, W) in [0, 1]; where it is 0 the photo's own bits come out.

    Returns:
        (H, W, 3) uint8.
    """
    new = person * share[..., None] + background * (1 - share[..., None])
    mixed = new * weight[..., None] + photo * (1 - weight[..., None])
    return np.where(weight[..., None] > 0, np.clip(np.rint(mixed), 0, 255), photo).astype(np.uint8)


def beyond_silhouette(painted: np.ndarray, gate: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The generator's picture and its gate, continued beyond the silhouette that it was made for by what is nearest: it
    is plain grey there, and at the photo's size finished layers may reach farther.

    Args:
        painted: (h, w, 3) float32 in [0, 255].
        gate: (h, w) float32 in [0, 1], how far carried pixels count.
        inside: (h, w) bool, the silhouette.
    """
    if not inside.any():
        return painted, gate
    ys, xs = np.nonzero(~inside)
    y, x = Nearest(inside).at(ys, xs)
    painted, gate = painted.copy(), gate.copy()
    painted[ys, xs], gate[ys, xs] = painted[y, x], gate[y, x]
    return painted, gate
