"""What is seen through the gaps of somebody's silhouette: the background, or a piece of their clothes that the map of
regions doesn't know. Of such pieces the background would be continued in their colours.
"""

import cv2
import numpy as np

#: In cells: how far about a gap colours of the person and of the background are compared, and at each how many-th cell.
_OWN, _AROUND = (6, 2), (20, 4)
#: Levels, mean of the channels: a cell of the person's has a colour of theirs nearby within the first, and none of the
#: background's within the second.
_LIKE, _UNLIKE = 10.0, 40.0


def own_pieces(picture: np.ndarray, person: np.ndarray, gaps: np.ndarray, around: np.ndarray) -> np.ndarray:
    """(h, w) bool: the cells of gaps that look like the person beside them, and unlike the background about them.

    Args:
        picture: (h, w, 3) uint8, the person included.
        person: (h, w) bool.
        gaps: (h, w) bool, apart from the person.
        around: (h, w) bool, the background that is seen beyond the gaps.
    """
    found = np.zeros(gaps.shape, bool)
    ys, xs = np.nonzero(gaps)
    if not len(ys):
        return found
    colours = cv2.blur(picture, (3, 3)).astype(np.int16)
    own = _nearest_colour(colours, person, ys, xs, *_OWN) < _LIKE
    own[own] = _nearest_colour(colours, around, ys[own], xs[own], *_AROUND) > _UNLIKE
    found[ys[own], xs[own]] = True
    return found


def _nearest_colour(
    colours: np.ndarray, mask: np.ndarray, ys: np.ndarray, xs: np.ndarray, reach: int, step: int
) -> np.ndarray:
    """(N,) float32: how far the colours of some cells are from the most similar one of a mask's cells about them;
    without limit where there is none."""
    (h, w), out = mask.shape, np.full(len(ys), np.inf, np.float32)
    here = colours[ys, xs]
    for dy in range(-reach, reach + 1, step):
        for dx in range(-reach, reach + 1, step):
            y, x = np.clip(ys + dy, 0, h - 1), np.clip(xs + dx, 0, w - 1)
            apart = np.abs(colours[y, x] - here).mean(1, dtype=np.float32)
            np.minimum(out, apart, out=out, where=mask[y, x])
    return out
