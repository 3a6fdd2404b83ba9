"""Back to the photo: only what an edit concerns changes; every other pixel keeps its bits."""

import cv2
import numpy as np

from pise_core.framing import Framing

#: Long side at which the colours behind the person are continued; finer grain comes from the background around.
_FILL_SIDE = 192


def fill_background(photo: np.ndarray, parsing: np.ndarray, framing: Framing) -> np.ndarray:
    """The photo without the person: (H, W, 3) uint8, equal to the photo wherever no person (or a rim about it) is.

    Colours are continued into the hole at low resolution, which invents no ornaments; grain and fine texture are
    those of the background, mirrored at the hole's border.
    """
    person = (parsing > 0).astype(np.uint8)
    if not person.any():
        return photo
    hole = grow(person > 0, 3.5 / framing.scale).astype(np.uint8)
    window = window_of(hole > 0, margin=round(24 / framing.scale))
    assert window is not None
    part, mask = photo[window], hole[window]
    if mask.all():  # nothing to continue from: the photo is all person
        out = photo.copy()
        out[window] = 127
        return out
    scale = min(1.0, _FILL_SIDE / max(part.shape[:2]))
    size = max(2, round(part.shape[1] * scale)), max(2, round(part.shape[0] * scale))
    weight = cv2.resize((1 - mask).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    known = cv2.resize(part * (1 - mask)[..., None], size, interpolation=cv2.INTER_AREA).astype(np.float32)
    # Cells that are partly hole count their visible pixels only: the person must not bleed into the fill.
    small = np.clip(known / np.maximum(weight, 0.05)[..., None], 0, 255).astype(np.uint8)
    small = cv2.inpaint(small, (weight < 0.3).astype(np.uint8), 5, cv2.INPAINT_TELEA)
    small = np.where((weight < 0.3)[..., None], cv2.GaussianBlur(small, (0, 0), 1.5), small)
    coarse = cv2.resize(small, part.shape[1::-1], interpolation=cv2.INTER_CUBIC).astype(np.float32)
    fine = _mirrored(part - coarse, mask)
    out = photo.copy()
    out[window] = np.where(mask[..., None] > 0, np.clip(coarse + fine, 0, 255).astype(np.uint8), part)
    return out


def _mirrored(detail: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """``detail`` (H, W, 3) where there is no hole; inside, the value as far beyond the nearest border as the pixel
    lies within it, or 0 where that is hole again."""
    ys, xs = np.nonzero(hole)
    _, labels = cv2.distanceTransformWithLabels(hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    by, bx = np.nonzero(hole == 0)
    nearest = np.zeros(int(labels.max()) + 1, np.int64)
    nearest[labels[by, bx].astype(np.int64)] = np.arange(len(by))
    pick = nearest[labels[ys, xs].astype(np.int64)]
    y = np.clip(2 * by[pick] - ys, 0, hole.shape[0] - 1)
    x = np.clip(2 * bx[pick] - xs, 0, hole.shape[1] - 1)
    out = detail.copy()
    out[ys, xs] = detail[y, x] * (hole[y, x] == 0)[:, None]
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
