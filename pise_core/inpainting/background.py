"""The photo without the person: what an edit uncovers behind them.

Pieces of the background around continue it (:mod:`pise_core.inpainting.patch_fill`).
"""

import cv2
import numpy as np

from pise_core.framing import Framing
from pise_core.inpainting.patch_fill import grid_of, show
from pise_core.inpainting.patch_search import find_offsets
from pise_core.masks import grow, window_of

#: Long side of the grid that pieces are found on.
_SIDE = 192
#: In frame pixels: how far the person's rim reaches, how far around pieces are looked for, and how wide the gaps of the
#: silhouette are that nothing is taken from: often these are bags, straps or hair that the map doesn't know.
_RIM, _REACH, _GAP = 3.5, 60, 8


def fill_background(photo: np.ndarray, parsing: np.ndarray, framing: Framing) -> np.ndarray:
    """The photo without the person: (H, W, 3) uint8, equal to the photo wherever no person (or a rim about it) is.

    The same input gives the same bytes. The cost of the search doesn't depend on the photo's size.

    Args:
        photo: (H, W, 3) uint8.
        parsing: (H, W) uint8, 0 for background.
        framing: of the person in the photo.
    """
    window = window_of(parsing > 0, margin=round(_REACH / framing.scale))
    if window is None:
        return photo
    out = photo.copy()
    part = photo[window]
    hole = grow(parsing[window] > 0, _RIM / framing.scale)
    if hole.all():  # nothing to continue from: the photo is all person
        out[window] = 127
        return out
    grid = grid_of(part, hole, _SIDE, _GAP / framing.scale)
    offsets = find_offsets(grid)
    if offsets is None:  # hardly any background in sight
        smooth = cv2.resize(grid.continued(), hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
        out[window][hole] = smooth[hole]
    else:
        show(out[window], part, hole, grid, offsets)
    return out
