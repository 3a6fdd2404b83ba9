"""Mattes: how much of each pixel is the person."""

import numpy as np

from pise_core.masks import smooth


def matte(parsing: np.ndarray, scale: float) -> np.ndarray:
    """Share of the person in each pixel, (H, W) float32: the map's silhouette with its stairs smoothed.

    ``scale``: frame pixels per photo pixel; the map's own resolution is that of the frame.
    """
    person = (parsing > 0).astype(np.float32)
    sigma = 0.45 / scale if scale < 1 else 0.6
    return np.clip(smooth(person, sigma) * 1.6 - 0.3, 0, 1)
