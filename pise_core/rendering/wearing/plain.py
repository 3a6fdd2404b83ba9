"""Plain cloth that goes on: light goes over smoothly from what is seen around, and the weave is the cloth's own.

Pieces of a garment, laid side by side, show where they meet; on prints that hardly shows, on plain cloth it looks torn.
"""

import cv2
import numpy as np

from pise_core.masks import grow, smooth, window_of

#: Cells of the grid on which light goes over, per frame pixel. In frame pixels: finer than that is weave; how far the
#: known cloth about what is filled tells whether it is plain; how far from its edge cloth is surely itself.
_FINER, _WEAVE, _AROUND, _EDGE = 2.0, 2.0, 30.0, 1.0
#: Plain is cloth of which four fifths have a chroma (Lab a, b) and a weave (Lab L) no farther from the median, and from
#: what is around, than this; and hardly anything has a chroma that differs by so much from what is around.
_CHROMA, _STRONG, _PRINT = 8.0, 8.0, 9.0
#: Of the weave, the share that is kept as strong as it is: stronger are edges of pieces.
_KEPT = 65
#: Fewer cells of known cloth tell nothing.
_LEAST = 60


def calmed(colours: np.ndarray, known: np.ndarray, filled: np.ndarray, scale: float) -> np.ndarray:
    """What was filled of one garment with pieces of it, without the pieces' edges where its cloth is plain.

    Args:
        colours: (H, W, 3) uint8.
        known: (H, W) bool, where the garment is seen.
        filled: (H, W) bool, where pieces of it were laid.
        scale: frame pixels per pixel.

    Returns:
        (H, W, 3) uint8; ``colours`` itself where there is nothing to do.
    """
    window = window_of(filled, margin=round(_AROUND / scale))
    if window is None:
        return colours
    photo, gap = colours[window], filled[window]
    cloth = known[window] & ~gap
    cloth &= ~grow(~cloth, _EDGE / scale)
    if np.count_nonzero(cloth) * (_FINER * scale) ** 2 < _LEAST:
        return colours
    lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    wide = max(0.6, _WEAVE / scale)
    weave = lab - _low(lab, cloth, wide)
    middle = np.median(lab[cloth], axis=0)
    limit = np.percentile(np.abs(weave[cloth]), _KEPT, axis=0)
    spread = np.percentile(np.abs(lab[cloth][:, 1:] - middle[1:]), 80, axis=0)
    strong = np.percentile(np.abs(weave[cloth][:, 0]), 80)
    if spread.max() > _CHROMA or strong > _STRONG or np.percentile(np.abs(weave[cloth][:, 1:]), 94) > _PRINT:
        return colours
    shrink = min(1.0, _FINER * scale)
    size = max(2, round(gap.shape[1] * shrink)), max(2, round(gap.shape[0] * shrink))
    weight = cv2.resize(cloth.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(lab * cloth[..., None], size, interpolation=cv2.INTER_AREA)
    sigma = max(0.6, wide * shrink)
    total = smooth(weight, sigma)
    light = np.dstack([smooth(np.ascontiguousarray(small[..., n]), sigma) for n in range(3)])
    light /= np.maximum(total, 1e-4)[..., None]
    light = _spread(light, (weight > 0.5).astype(np.float32))
    light = cv2.resize(light, gap.shape[::-1], interpolation=cv2.INTER_LINEAR)
    detail = np.clip(lab - _low(lab, gap, wide), -limit, limit)
    made = colours.copy()
    rgb = 255 * cv2.cvtColor((light + detail).astype(np.float32), cv2.COLOR_LAB2RGB).clip(0, 1)
    made[window][gap] = np.rint(rgb[gap]).astype(np.uint8)
    return made


def _low(lab: np.ndarray, within: np.ndarray, sigma: float) -> np.ndarray:
    """(H, W, 3) low-passed colours of a mask, which nothing beside it changes."""
    weight = within.astype(np.float32)
    total = np.maximum(smooth(weight, sigma), 1e-4)
    return np.dstack([smooth(np.ascontiguousarray(lab[..., n]) * weight, sigma) / total for n in range(3)])


def _spread(values: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Values (H, W, 3) where their weight (H, W) is 0, smoothly from around: means over ever larger cells."""
    height, width = weight.shape
    if min(height, width) < 3 or weight.min() >= 1:
        mean = (values * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-4)
        return np.where(weight[..., None] > 0, values, mean.astype(np.float32))
    half = max(1, (width + 1) // 2), max(1, (height + 1) // 2)
    coarse_weight = cv2.resize(weight, half, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(values * weight[..., None], half, interpolation=cv2.INTER_AREA)
    coarse = coarse / np.maximum(coarse_weight, 1e-4)[..., None]
    around = cv2.resize(
        _spread(coarse, np.minimum(coarse_weight * 4, 1)), (width, height), interpolation=cv2.INTER_LINEAR
    )
    made = values * weight[..., None] + around * (1 - weight[..., None])
    # Steps between cells of the coarser grid are no folds.
    blurred = cv2.GaussianBlur(made, (0, 0), 1.0)
    return np.where(weight[..., None] > 0, made, blurred)
