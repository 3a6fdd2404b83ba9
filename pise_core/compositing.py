"""Back to the photo: only what an edit concerns changes; every other pixel keeps its bits."""

import cv2
import numpy as np

from pise_core.framing import Framing

#: Long side that the background behind the person is filled at; it shows only where the person was moved away.
_FILL_SIDE = 448


def fill_background(photo: np.ndarray, parsing: np.ndarray, framing: Framing) -> np.ndarray:
    """The photo without the person: (H, W, 3) uint8, equal to the photo wherever no person (or a rim about it) is.

    The hole is filled at low resolution, which is fast and free of ornaments; most of it stays covered.
    """
    person = (parsing > 0).astype(np.uint8)
    if not person.any():
        return photo
    rim = max(2, round(3 / framing.scale))
    hole = cv2.dilate(person, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * rim + 1, 2 * rim + 1)))
    x0, y0, x1, y1 = _window(hole, margin=0.12)
    part, mask = photo[y0:y1, x0:x1], hole[y0:y1, x0:x1]
    scale = min(1.0, _FILL_SIDE / max(part.shape[:2]))
    size = max(2, round(part.shape[1] * scale)), max(2, round(part.shape[0] * scale))
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
    small_mask = (cv2.resize(mask * 255, size, interpolation=cv2.INTER_LINEAR) > 0).astype(np.uint8)
    if small_mask.all():  # nothing to continue from: the photo is all person
        filled = np.full_like(small, 127)
    else:
        filled = cv2.inpaint(small, small_mask, 4, cv2.INPAINT_TELEA)
    filled = cv2.resize(filled, part.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    out = photo.copy()
    out[y0:y1, x0:x1] = np.where(mask[..., None] > 0, filled, part)
    return out


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
    return np.clip(cv2.GaussianBlur(person, (0, 0), sigma) * 1.6 - 0.3, 0, 1)


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


def grow(mask: np.ndarray, radius: float) -> np.ndarray:
    """(H, W) bool, dilated by ``radius`` pixels."""
    side = 2 * max(1, round(radius)) + 1
    ball = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return cv2.dilate(mask.astype(np.uint8), ball).astype(bool)


def window_of(mask: np.ndarray, margin: int) -> tuple[slice, slice] | None:
    """Rows and columns about all that is set, with ``margin`` pixels around; None for an empty mask."""
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    if w == 0:
        return None
    return (
        slice(max(0, y - margin), min(mask.shape[0], y + h + margin)),
        slice(max(0, x - margin), min(mask.shape[1], x + w + margin)),
    )


def _window(mask: np.ndarray, margin: float) -> tuple[int, int, int, int]:
    x, y, w, h = cv2.boundingRect(mask)
    mx, my = round(w * margin) + 8, round(h * margin) + 8
    return max(0, x - mx), max(0, y - my), min(mask.shape[1], x + w + mx), min(mask.shape[0], y + h + my)
