"""Maps of labels moved and turned: each pixel takes the label of the pixel that it comes from.

OpenCV's nearest neighbour isn't used for it. Where a pixel comes from the border between two others, OpenCV 5 rounds to
the even one, so that a map that moves by half a pixel loses every second column; OpenCV 4 takes the right one, of
places that it rounds to 1/1024 of a pixel. Here it is the right, or lower, one (left, or upper, on the way
back), under every version.
"""

import numpy as np

#: A place this near to the border between two pixels lies on it: inverse matrices are off by a few bits.
_ON_THE_BORDER = 1e-6
#: Rows that are looked up together: what is worked out on the way, of all pixels of a large picture, fills gigabytes.
_STRIP = 128


def warp_labels(
    labels: np.ndarray, matrix: np.ndarray, size: tuple[int, int], border: int = 0, back: bool = False
) -> np.ndarray:
    """A map moved by an affine map of its plane.

    Args:
        labels: (H, W), of any dtype.
        matrix: (2, 3), which takes (x, y) of the map to (x, y) of the answer; pixel centres lie at +0.5 in both.
        size: (W, H) of the answer.
        border: the label of what lies beyond the map.
        back: of two pixels that are equally near take the left, or upper, one. What a move by half a pixel brought to
            its place comes back to where it was.

    Returns:
        (H, W) of ``size``, of the same dtype.
    """
    width, height = size
    try:
        inverse = np.linalg.inv(np.vstack([np.asarray(matrix, np.float64), [0, 0, 1]]))[:2]
    except np.linalg.LinAlgError:  # all of it comes to lie on one line: nothing of it is seen
        return np.full((height, width), border, labels.dtype)
    xs, ys = np.arange(width) + 0.5, np.arange(height) + 0.5
    if inverse[0, 1] == 0 == inverse[1, 0]:  # neither turned nor sheared: whole rows and columns stay together
        columns, here = _cells(inverse[0, 0] * xs + inverse[0, 2], labels.shape[1], back)
        rows, there = _cells(inverse[1, 1] * ys + inverse[1, 2], labels.shape[0], back)
        out = np.full((height, width), border, labels.dtype)
        if here.any() and there.any():
            out[np.ix_(there, here)] = labels[np.ix_(rows[there], columns[here])]
        return out
    out = np.empty((height, width), labels.dtype)
    for top in range(0, height, _STRIP):
        y = ys[top : top + _STRIP, None]
        places = [a * xs + (b * y + shift) for a, b, shift in inverse]
        out[top : top + _STRIP] = _looked_up(labels, places[0], places[1], border, back)
    return out


def labels_at(labels: np.ndarray, x: np.ndarray, y: np.ndarray, border: int = 0) -> np.ndarray:
    """The labels (H, W) at places (x, y), both (h, w) with pixel centres at +0.5: (h, w); ``border`` beyond the map."""
    out = np.empty(x.shape, labels.dtype)
    for top in range(0, len(x), _STRIP):
        rows = slice(top, top + _STRIP)
        out[rows] = _looked_up(labels, x[rows], y[rows], border, False)
    return out


def _looked_up(labels: np.ndarray, x: np.ndarray, y: np.ndarray, border: int, back: bool) -> np.ndarray:
    columns, here = _cells(x, labels.shape[1], back)
    rows, there = _cells(y, labels.shape[0], back)
    found = labels[np.where(there, rows, 0), np.where(here, columns, 0)]
    found[~(here & there)] = border
    return found


def _cells(places: np.ndarray, length: int, back: bool) -> tuple[np.ndarray, np.ndarray]:
    """In which pixel of an axis places lie, and whether that is on the map."""
    places = np.clip(places, -1, length + 1)
    cells = (np.ceil(places - _ON_THE_BORDER) - 1 if back else np.floor(places + _ON_THE_BORDER)).astype(np.int32)
    return cells, (cells >= 0) & (cells < length)
