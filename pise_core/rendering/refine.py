"""A garment's mask after its colours: the map is right about where, and off by a few pixels about how far.

Random walks with priors (Grady, CVPR 2005): each pixel is first judged by the map and by its colour, as one of the
garment's or of what is around, then asks its neighbours, those of like colour most.
"""

import cv2
import numpy as np

from pise_core.masks import grow, smooth

#: Cells of the grid per frame pixel, at most.
_FINER = 2.0
#: In frame pixels: how far inside its map a garment is surely itself, beside a hand and elsewhere; how far outside it
#: surely is not; from where to where around it the surroundings' colours are taken.
_DEEP, _OUT, _AROUND = 14.0, 4.0, (1.5, 16.0)
#: From how far inside the garment's own colours are taken, in frame pixels; where it is narrow from nearer.
_CORE = (5.0, 2.0, 0.5)
#: Width of a bin of the histograms in 8-bit Lab, and the share of a bin that says nothing.
_BIN, _NOTHING = 8, 4e-4
#: How much the map counts, and over how many frame pixels about its border it is in doubt; how much colours count.
_MAP, _DOUBT, _COLOUR = 3.0, 3.0, 3.5
#: Standard deviation of colours (8-bit Lab) of neighbours that are one thing, and how much neighbours count.
_ALIKE, _BESIDE = 7.0, 1.5
_ROUNDS = 60
#: How many times as likely of skin as of the garment a colour on an arm must be for the map to be doubted.
_FLESH = 8.0
#: The same right beside skin, and how far that is in frame pixels.
_FLESHY, _CLEAN = 1.5, 6.0
#: Whatever is held has this share of any colour.
_FOREIGN = 4e-3
#: Pieces and holes with fewer frame pixels are neither.
_SPECK = 12.0


def refined(
    photo: np.ndarray,
    mask: np.ndarray,
    scale: float,
    doubted: np.ndarray,
    outer: np.ndarray,
    arms: np.ndarray,
    skin: np.ndarray,
) -> np.ndarray:
    """Where a garment is, after the photo.

    Args:
        photo: (H, W, 3) uint8.
        mask: (H, W) bool, after the map.
        scale: frame pixels per pixel.
        doubted: (H, W) bool, where colours alone decide within the mask: a hand is near, and may hold something.
        outer: (H, W) bool, where the garment surely isn't.
        arms: (H, W) bool, where arms are, in sleeves or bare.
        skin: (H, W) bool, skin that tells its colours.

    Returns:
        (H, W) bool; ``mask`` itself where there is too little of it to know its colours.
    """
    height, width = mask.shape
    shrink = min(1.0, _FINER * scale)
    size = max(2, round(width * shrink)), max(2, round(height * shrink))
    unit = shrink / scale  # cells per frame pixel
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(cv2.GaussianBlur(small, (0, 0), 0.6), cv2.COLOR_RGB2LAB)
    inside, near, never, arm, bare = (
        cv2.resize(m.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
        for m in (mask, doubted, outer, arms, skin)
    )
    depth = _distance(inside) / unit - _distance(~inside) / unit
    own = next((c for d in _CORE if (c := (depth > d) & ~near).sum() >= 60), None)
    around = (depth < -_AROUND[0]) & (depth > -_AROUND[1])
    if own is None or around.sum() < 60:
        return mask
    bins = tuple(np.moveaxis(lab // _BIN, 2, 0))
    mine, theirs = (_histogram(tuple(b[of] for b in bins))[bins] for of in (own, around))
    if bare.sum() >= 30:  # an arm that the map takes for a sleeve
        flesh = _histogram(tuple(b[bare] for b in bins))[bins]
        near |= arm & (flesh > _FLESH * (mine + _NOTHING))
        theirs = np.where(near, np.maximum(theirs, flesh), theirs)
    theirs = np.where(near, np.maximum(theirs, _FOREIGN), theirs)
    said = np.log((mine + _NOTHING) / (theirs + _NOTHING))
    by_map = _MAP * np.tanh(depth / _DOUBT)
    by_map = np.where(near & inside, np.minimum(by_map, 1.0), by_map)
    logit = by_map + np.clip(said, -_COLOUR, _COLOUR)
    logit[(depth > _DEEP) & ~near] = 8
    logit[(depth < -_OUT) | never] = -8
    found = _walk(lab, 1 / (1 + np.exp(-logit))) > 0.5
    found = _without_specks(found, _SPECK * unit**2)
    soft = cv2.resize(found.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return smooth(soft, max(0.6, 0.35 / scale)) > 0.5


def like_skin(photo: np.ndarray, mask: np.ndarray, skin: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) bool: pixels of a garment's mask that are skin by their colour, and hang together with skin.

    Args:
        photo: (H, W, 3) uint8.
        mask: (H, W) bool, the garment.
        skin: (H, W) bool, skin and shoes after the map.
        scale: frame pixels per pixel.
    """
    near = grow(skin, _CLEAN / scale)
    return like_other(photo, mask & near, skin & ~mask, mask & ~near, scale, _FLESHY)


def like_other(
    photo: np.ndarray,
    doubted: np.ndarray,
    other: np.ndarray,
    own: np.ndarray,
    scale: float,
    ratio: float,
    apart: float = 0.0,
    linked: float = 0.0,
) -> np.ndarray:
    """(H, W) bool: doubted pixels of a garment that have the colours of something else, and hang together with it.

    Args:
        photo: (H, W, 3) uint8.
        doubted: (H, W) bool, pixels of the garment's mask.
        other: (H, W) bool, where something else is.
        own: (H, W) bool, where the garment surely is.
        scale: frame pixels per pixel.
        ratio: how many times as likely of the other as of the garment a colour must be.
        apart: how far from the other pixels still hang together with it, in frame pixels.
        linked: over gaps how wide, twice, pixels hang together with each other, in frame pixels.
    """
    found = np.zeros_like(doubted)
    core = other & ~grow(~other, 1.0 / scale)
    if not (doubted.any() and core.any() and own.any()):
        return found
    bins = tuple(np.moveaxis(cv2.cvtColor(photo, cv2.COLOR_RGB2LAB) // _BIN, 2, 0))
    others, cloth = (_histogram(tuple(b[of] for b in bins)) for of in (core, own))
    at = tuple(b[doubted] for b in bins)
    found[doubted] = others[at] > ratio * (cloth[at] + _NOTHING)
    joined = (grow(found, linked / scale) if linked else found) | (grow(other, apart / scale) if apart else other)
    count, labels = cv2.connectedComponents(joined.astype(np.uint8))
    return found & np.isin(labels, np.unique(labels[other])) if count > 1 else found


def apart(photo: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    """How far apart in Lab the typical colours of two masks (H, W bool) are, none of them empty."""
    lab = [cv2.cvtColor(photo[of].reshape(-1, 1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[:, 0] for of in (a, b)]
    return float(np.linalg.norm(np.median(lab[0], axis=0) - np.median(lab[1], axis=0)))


def _distance(mask: np.ndarray) -> np.ndarray:
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return np.minimum(cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1], 1e4)


def _histogram(bins: tuple[np.ndarray, ...]) -> np.ndarray:
    """Shares of colours in bins of 8-bit Lab; ``bins``: three arrays (N,)."""
    from scipy.ndimage import gaussian_filter  # half a second that most never need

    counts = np.zeros((256 // _BIN,) * 3, np.float32)
    np.add.at(counts, bins, 1)
    return gaussian_filter(counts / counts.sum(), 0.8)


def _walk(lab: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(H, W): shares that are near to what is wanted, the nearer the surer that is, and alike where colours are.

    By conjugate gradients.
    """
    firm = 0.03 + np.abs(2 * wanted - 1) ** 2
    links = []
    for axis in (0, 1):
        step = np.diff(lab.astype(np.float32), axis=axis)
        links.append(_BESIDE * (0.01 + np.exp(-(step**2).sum(2) / (2 * _ALIKE**2))))

    def applied(x: np.ndarray) -> np.ndarray:
        out = firm * x
        down, across = links[0] * (x[1:] - x[:-1]), links[1] * (x[:, 1:] - x[:, :-1])
        out[1:] += down
        out[:-1] -= down
        out[:, 1:] += across
        out[:, :-1] -= across
        return out

    share = wanted.copy()
    rest = firm * wanted - applied(share)
    way, size = rest, float((rest * rest).sum())
    for _ in range(_ROUNDS):
        if size < 1e-3:
            break
        against = applied(way)
        length = size / float((way * against).sum())
        share, rest = share + length * way, rest - length * against
        size, before = float((rest * rest).sum()), size
        way = rest + size / before * way
    return share


def _without_specks(mask: np.ndarray, least: float) -> np.ndarray:
    for value in (1, 0):
        count, labels, stats, _ = cv2.connectedComponentsWithStats((mask == value).astype(np.uint8), connectivity=4)
        small = 1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] < least)
        if count > 1 and len(small):
            mask = np.where(np.isin(labels, small), not value, mask)
    return mask.astype(bool)
