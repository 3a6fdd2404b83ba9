"""Masks: the nearest known pixel, soft and grown borders, and the window about what is set."""

import cv2
import numpy as np

#: Rows and columns.
Window = tuple[slice, slice]


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


def smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    """(H, W) float32, low-passed; a Gaussian, or for a wide one three means, whose cost does not grow with it."""
    if sigma <= 4:
        return cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    side = round(np.sqrt(4 * sigma**2 + 1)) | 1
    for _ in range(3):
        values = cv2.blur(values, (side, side), borderType=cv2.BORDER_REPLICATE)
    return values


def mean_about(values: np.ndarray, weight: np.ndarray, reach: float) -> np.ndarray:
    """Means of values (H, W) or (H, W, C) float32 about each pixel, by their weight (H, W) float32 and a Gaussian of
    ``reach`` pixels; nearly 0 where hardly anything within that counts."""
    weighted = values * (weight if values.ndim == 2 else weight[..., None])
    sums, share = (cv2.GaussianBlur(one, (0, 0), reach) for one in (weighted, weight))
    share = np.maximum(share, 1e-4)
    return sums / (share if values.ndim == 2 else share[..., None])


def grow(mask: np.ndarray, radius: float) -> np.ndarray:
    """(H, W) bool, dilated by a disc of ``radius`` pixels, at least 1."""
    reach = max(1, round(radius))
    grown = np.zeros(mask.shape, bool)
    # Distances within reach don't depend on what lies farther away.
    window = window_of(mask, margin=reach + 1)
    if window is not None:
        # By distance: a structuring element of hundreds of pixels takes minutes on a large photo.
        away = cv2.distanceTransform((~mask[window].astype(bool)).view(np.uint8), cv2.DIST_L2, 5)
        np.less_equal(away, reach, out=grown[window])
    return grown


def window_of(mask: np.ndarray, margin: int) -> Window | None:
    """Rows and columns about all that is set, with ``margin`` pixels around; None for an empty mask."""
    x, y, w, h = cv2.boundingRect(mask.view(np.uint8) if mask.dtype == bool else mask.astype(np.uint8))
    if w == 0:
        return None
    return (
        slice(max(0, y - margin), min(mask.shape[0], y + h + margin)),
        slice(max(0, x - margin), min(mask.shape[1], x + w + margin)),
    )


def overlap(first: Window, second: Window) -> tuple[Window, Window] | None:
    """Where two windows of a picture overlap, in pixels of the second and of the first; None if nowhere."""
    there, here = [], []
    for one, other in zip(first, second, strict=True):
        low, high = max(one.start, other.start), min(one.stop, other.stop)
        if low >= high:
            return None
        there.append(slice(low - other.start, high - other.start))
        here.append(slice(low - one.start, high - one.start))
    return (there[0], there[1]), (here[0], here[1])
