"""A region's look, saved as a small file: a document of its own that shows nothing else."""

import cv2
import numpy as np

from pise_core.document.file_format import SavedPerson
from pise_core.errors import InputError
from pise_core.framing import Framing
from pise_core.masks import window_of
from pise_core.regions import REGION

#: Long side of a saved look.
LOOK_SIDE = 512


def look(photo: np.ndarray, parsing: np.ndarray, pose: np.ndarray, region: str) -> SavedPerson:
    """One region of a picture, small, with nothing else in sight: what is saved as a style.

    Args:
        photo: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        pose: (18, 3) in pixels of the photo.
        region: its name.

    Raises:
        InputError: if the picture shows nothing of that region.
    """
    inside = parsing == REGION[region]
    window = window_of(inside, margin=4)
    if window is None:
        raise InputError(f"there is no {region.replace('_', ' ')} in the picture to be saved")
    rows, columns = window
    cut = np.where(inside[window][..., None], photo[window], np.uint8(127))
    height, width = cut.shape[:2]
    scale = min(1.0, LOOK_SIDE / max(height, width))
    size = max(16, round(width * scale)), max(16, round(height * scale))
    cut = cv2.resize(cut, size, interpolation=cv2.INTER_AREA)
    labels = cv2.resize(
        np.where(inside[window], REGION[region], 0).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST_EXACT
    )
    moved = pose - np.array([columns.start, rows.start, 0], np.float32)
    moved *= np.array([size[0] / width, size[1] / height, 1], np.float32)
    return SavedPerson(cut, moved, labels, Framing.whole(size))
