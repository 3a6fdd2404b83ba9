"""Back to the photo: only what an edit concerns changes; every other pixel keeps its bits."""

import cv2
import numpy as np


class Nearest:
    """The nearest known pixel of every unknown one. ``known``: (H, W) bool, set somewhere.

    Attributes:
        distance: (H, W) float32, how far away it is, in pixels.
    """

    def __init__(self, known: np.ndarray):
        self._width = known.shape[1]
        self._last = np.array(known.shape) - 1
        self.distance, labels = cv2.distanceTransformWithLabels(
            (~known).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        self._labels = np.asarray(labels, np.int32)
        self._place = np.zeros(int(self._labels.max()) + 1, np.int32)
        # What is nearest lies at the border of what is known: the rest of a large photo need not be listed.
        border = known & cv2.dilate((~known).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        self._place[self._labels[border]] = np.flatnonzero(border)

    def at(self, ys: np.ndarray, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns of the pixels nearest to the given ones."""
        place = self._place[self._labels[ys, xs]]
        return place // self._width, place % self._width

    def mirrored(self, ys: np.ndarray, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns as far beyond the nearest known pixel as the given ones lie before it."""
        by, bx = self.at(ys, xs)
        return np.clip(2 * by - ys, 0, self._last[0]), np.clip(2 * bx - xs, 0, self._last[1])


def feather(concerned: np.ndarray, width: float) -> np.ndarray:
    """Weights (H, W) float32 of the new picture: 1 deep inside ``concerned`` (H, W bool), falling to 0 at its border;
    exactly 0 outside."""
    depth = cv2.distanceTransform(concerned.astype(np.uint8), cv2.DIST_L2, 3)
    # A map without any zero has no border to fall to; OpenCV then answers with huge distances.
    return np.clip(depth / max(width, 1.0), 0, 1).astype(np.float32)


def matte(parsing: np.ndarray, scale: float) -> np.ndarray:
    """Share of the person in each pixel, (H, W) float32: the map's silhouette with its stairs smoothed.

    ``scale``: frame pixels per photo pixel; the map's own resolution is that of the frame.
    """
    person = (parsing > 0).astype(np.float32)
    sigma = 0.45 / scale if scale < 1 else 0.6
    return np.clip(smooth(person, sigma) * 1.6 - 0.3, 0, 1)


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


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """(H, W) float32, low-passed; a Gaussian, or for a wide one three means, whose cost does not grow with it."""
    if sigma <= 4:
        return cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    side = round(np.sqrt(4 * sigma**2 + 1)) | 1
    for _ in range(3):
        values = cv2.blur(values, (side, side), borderType=cv2.BORDER_REPLICATE)
    return values


def grow(mask: np.ndarray, radius: float) -> np.ndarray:
    """(H, W) bool, dilated by a disc of ``radius`` pixels, at least 1."""
    if not mask.any():
        return mask.astype(bool)
    # By distance: a structuring element of hundreds of pixels takes minutes on a large photo.
    return cv2.distanceTransform((~mask.astype(bool)).astype(np.uint8), cv2.DIST_L2, 5) <= max(1, round(radius))


def window_of(mask: np.ndarray, margin: int) -> tuple[slice, slice] | None:
    """Rows and columns about all that is set, with ``margin`` pixels around; None for an empty mask."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    if w == 0:
        return None
    return (
        slice(max(0, y - margin), min(mask.shape[0], y + h + margin)),
        slice(max(0, x - margin), min(mask.shape[1], x + w + margin)),
    )
