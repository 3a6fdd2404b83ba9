"""Textures to borrow that come without a person: a garment that nobody wears, and the saved look of a region.

A garment is cut out of its photo and given a skeleton as if somebody wore it. A look is one region of a picture, small,
with nothing else in sight.
"""

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.framing import Framing
from pise_core.masks import window_of
from pise_core.person import SavedPerson
from pise_core.pose import empty_pose
from pise_core.regions import GARMENTS, REGION
from pise_core.skeleton import JOINT

#: Long side of a saved look.
LOOK_SIDE = 512
#: Long side at which a garment is cut out.
_CUT_SIDE = 384
_NOTHING = "nothing stands out in that box; draw it around the garment, with some ground beside"
#: Where the joints lie in the box of a garment that is laid out flat, as shares of its width and height.
_LAID_OUT = {
    "upper_clothes": {
        "nose": (0.5, -0.2), "neck": (0.5, 0.03),
        "right_shoulder": (0.27, 0.08), "right_elbow": (0.13, 0.42), "right_wrist": (0.06, 0.78),
        "left_shoulder": (0.73, 0.08), "left_elbow": (0.87, 0.42), "left_wrist": (0.94, 0.78),
        "right_hip": (0.35, 0.95), "left_hip": (0.65, 0.95),
    },
    "dress": {
        "nose": (0.5, -0.12), "neck": (0.5, 0.02),
        "right_shoulder": (0.27, 0.05), "right_elbow": (0.13, 0.25), "right_wrist": (0.06, 0.45),
        "left_shoulder": (0.73, 0.05), "left_elbow": (0.87, 0.25), "left_wrist": (0.94, 0.45),
        "right_hip": (0.38, 0.5), "right_knee": (0.36, 0.95), "left_hip": (0.62, 0.5), "left_knee": (0.64, 0.95),
    },
    "pants": {
        "neck": (0.5, -0.5), "right_shoulder": (0.2, -0.48), "left_shoulder": (0.8, -0.48),
        "right_hip": (0.33, 0.06), "right_knee": (0.28, 0.52), "right_ankle": (0.24, 0.98),
        "left_hip": (0.67, 0.06), "left_knee": (0.72, 0.52), "left_ankle": (0.76, 0.98),
    },
}  # fmt: skip


def likely_box(photo: np.ndarray) -> tuple[float, float, float, float]:
    """Where a garment on a plain ground probably lies: x0, y0, x1, y1 as shares of the photo's width and height."""
    small = _shrunk(photo, 160)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB).astype(np.float32)
    border = np.concatenate([lab[:3].reshape(-1, 3), lab[-3:].reshape(-1, 3), lab[:, :3].reshape(-1, 3)])
    away = np.linalg.norm(lab - np.median(border, 0), axis=2)
    found = cv2.morphologyEx((away > 25).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    x, y, w, h = cv2.boundingRect(found)
    height, width = found.shape
    if w * h < 0.02 * width * height:
        return 0.1, 0.1, 0.9, 0.9
    return max(0, x - 1) / width, max(0, y - 1) / height, min(width, x + w + 1) / width, min(height, y + h + 1) / height


def _shrunk(photo: np.ndarray, side: int) -> np.ndarray:
    """The photo with its longer side brought down to ``side``; of a very long one the other is one pixel at least."""
    scale = side / max(photo.shape[:2])
    if scale >= 1:
        return photo
    height, width = (max(1, round(length * scale)) for length in photo.shape[:2])
    return cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)


def garment(photo: np.ndarray, box: tuple[float, float, float, float], region: str) -> SavedPerson:
    """A garment cut out of ``box``, with a skeleton in it as if somebody wore it.

    Args:
        photo: (H, W, 3) uint8.
        box: x0, y0, x1, y1 as shares of the photo's width and height, about the garment.
        region: one of ``GARMENTS``.

    Raises:
        InputError: if the region is no garment, the box is not within the photo or too small, or nothing in it stands
            out from what is around.
    """
    if region not in GARMENTS:
        raise InputError(f"a garment that nobody wears is one of: {', '.join(GARMENTS)}; not {region}")
    shares = np.array(box, np.float64)
    if shares.shape != (4,) or not ((shares >= 0) & (shares <= 1)).all():
        raise InputError("the box about a garment is x0, y0, x1, y1 as shares from 0 to 1 of the photo's sides")
    height, width = photo.shape[:2]
    x0, y0, x1, y1 = (int(round(v)) for v in shares * (width, height, width, height))
    if x1 - x0 < 12 or y1 - y0 < 12:
        raise InputError("draw a larger box around the garment")
    small = _shrunk(photo, _CUT_SIDE)
    # Inside the box it is probably the garment, its middle surely; around the box it surely is not.
    trimap = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    down, across = small.shape[0] / height, small.shape[1] / width
    sx0, sy0, sx1, sy1 = int(x0 * across), int(y0 * down), int(x1 * across), int(y1 * down)
    trimap[sy0:sy1, sx0:sx1] = cv2.GC_PR_FGD
    dx, dy = (sx1 - sx0) * 2 // 5, (sy1 - sy0) * 2 // 5
    trimap[sy0 + dy : sy1 - dy, sx0 + dx : sx1 - dx] = cv2.GC_FGD
    trimap[[0, -1]] = trimap[:, [0, -1]] = cv2.GC_BGD
    models = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.setRNGSeed(1)
        cv2.grabCut(small, trimap, (0, 0, 1, 1), *models, 4, cv2.GC_INIT_WITH_MASK)
    except cv2.error:
        raise InputError(_NOTHING) from None
    mask = np.isin(trimap, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    large = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    x, y, w, h = cv2.boundingRect(large)
    if large.sum() < 0.1 * (x1 - x0) * (y1 - y0) or min(w, h) < 8:
        raise InputError(_NOTHING)
    pose = empty_pose()
    for name, (px, py) in _LAID_OUT[region].items():
        pose[JOINT[name]] = x + px * w, y + py * h, 1
    parsing = large * np.uint8(REGION[region])
    return SavedPerson(photo, pose, parsing, Framing.around((x, y, x + w, y + h), (width, height)))


def look(photo: np.ndarray, parsing: np.ndarray, pose: np.ndarray, region: str) -> SavedPerson:
    """One region of a picture, small, with nothing else in sight.

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
