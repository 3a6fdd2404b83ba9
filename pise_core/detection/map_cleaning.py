"""A map with sense: hands belong to the arms, a garment has one label, and there are no speckles.

What the analyzer sees in a small frame is set against the photo's own colours, at about twice the frame's resolution:

1. Skin about a wrist is a hand, whatever it was taken for: pockets, bags, hems and bare legs lie beside it. Skin is
   what has the colours of the person's own face and arms, and was held possible by the analyzer.
2. Speckles take the label that most of their surroundings have.
3. Pieces of two garments that meet along a line on which the photo shows no edge are one garment; the larger wins.
   Trousers of the colour of what is worn above them stay trousers: a suit has two pieces.
"""

import cv2
import numpy as np

from pise_core.framing import Framing
from pise_core.masks import grow, window_of
from pise_core.pose import visible
from pise_core.regions import REGION, REGION_COUNT
from pise_core.skeleton import JOINT

#: Pixels of the working grid per frame pixel.
_FINER = 2.0
#: Squared distance (Mahalanobis, in Lab) up to which a colour is skin.
_SKIN = 9.0
#: Variance in L, a and b that skin has at least: light falls on a hand as it may.
_SPREAD = np.array([60.0, 6.0, 6.0], np.float32)
#: A person of whom fewer pixels of sure skin are seen has no known skin.
_LEAST_SKIN = 80
#: How much of a patch of skin must lie about the wrist for a hand: walls and coats of that colour go on elsewhere.
_ABOUT_WRIST = 0.7
#: How probable skin is at least, in the mean over a piece: sleeves, furs and straps of that colour are far below.
_PERHAPS_SKIN = 0.1
#: In frame pixels: pieces smaller than this are speckles.
_SPECKLE = 14
#: In Lab: mean difference across a border between two garments, above which it is one.
_EDGE = 9.0
#: In frame pixels: shorter borders between garments say nothing.
_SHORTEST_BORDER = 6
#: In pixels of the working grid: how far colours are blurred before they are compared.
_BLURRED = 4
#: A piece of trousers larger than this share of the top that it meets, or the other way round, is a garment of its own.
_SCRAP = 0.15
_ARMS = tuple(tuple(JOINT[f"{side}_{joint}"] for joint in ("shoulder", "elbow", "wrist")) for side in ("left", "right"))
_GARMENTS = tuple(REGION[name] for name in ("upper_clothes", "dress", "pants"))
_SUIT = {REGION["upper_clothes"], REGION["pants"]}


def clean_map(
    photo: np.ndarray, parsing: np.ndarray, probabilities: np.ndarray, framing: Framing, pose: np.ndarray
) -> np.ndarray:
    """The map (H, W) uint8 cleaned.

    Args:
        photo: (H, W, 3) uint8.
        parsing: (H, W) uint8, the most probable regions.
        probabilities: (8, h, w) float32 in the frame.
        framing: of the frame in the photo.
        pose: (18, 3) in pixels of the photo.
    """
    finer = framing.finer(max(1.0, min(_FINER, 1 / framing.scale)))
    factor = finer.scale / framing.scale
    labels = finer.crop(parsing, labels=True)
    if not labels.any():
        return parsing
    lab = cv2.cvtColor(finer.crop(photo, 127), cv2.COLOR_RGB2LAB).astype(np.float32)
    cleaned = labels.copy()
    _take_hands(cleaned, lab, probabilities, finer.to_frame(pose))
    _remove_speckles(cleaned, round(_SPECKLE * factor**2))
    _join_garments(cleaned, lab, factor)
    changed = cleaned != labels
    if not changed.any():
        return parsing
    return _put_back(parsing, cleaned, changed, finer)


def _put_back(parsing: np.ndarray, cleaned: np.ndarray, changed: np.ndarray, finer: Framing) -> np.ndarray:
    """The photo's map with the changes made in the finer frame."""
    y0, y1, x0, x1 = _bounds(changed)
    corners = finer.to_photo(np.array([[x0, y0], [x1, y1]], np.float64))
    low = np.clip(np.floor(corners[0]).astype(int) - 1, 0, finer.photo_size)
    high = np.clip(np.ceil(corners[1]).astype(int) + 1, 0, finer.photo_size)
    window = slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
    here = finer.within(window)
    out = parsing.copy()
    out[window] = np.where(
        here.paste(changed.astype(np.uint8), labels=True) > 0, here.paste(cleaned, labels=True), out[window]
    )
    return out


def _bounds(mask: np.ndarray) -> tuple[int, int, int, int]:
    window = window_of(mask, margin=0)
    assert window is not None
    return window[0].start, window[0].stop, window[1].start, window[1].stop


def _take_hands(labels: np.ndarray, lab: np.ndarray, probabilities: np.ndarray, pose: np.ndarray) -> None:
    known_skin = _skin(labels, lab, probabilities)
    if known_skin is None:
        return
    there, everything = visible(pose), labels
    skin_names = ("face", "upper_skin", "leg")
    likely = probabilities[[REGION[name] for name in skin_names]].sum(0)
    likely = cv2.resize(likely, labels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    for shoulder, elbow, wrist in _ARMS:
        if not there[[shoulder, elbow, wrist]].all():
            continue
        joints = pose[[shoulder, elbow, wrist], :2]
        length = _length(*joints)
        near = _about_wrist(everything.shape, *joints)
        window = window_of(near, margin=round(0.5 * length) + 2)
        if window is None:
            continue
        near, labels = near[window], everything[window]
        skin = _away(lab[window], *known_skin) < _SKIN
        hand = np.zeros(labels.shape, bool)
        known = (labels == REGION["upper_skin"]) & near
        for region in range(REGION_COUNT):
            if region in (REGION["upper_skin"], REGION["face"], REGION["hair"]):
                continue
            here = (labels == region) & skin
            hand |= _pieces_inside(here, near)
            if region:  # a hand that was taken for something small: all of it
                hand |= _pieces_inside((labels == region), near, 0.98) & grow(skin & near, 2)
        # Only what hangs together with the arm's skin, or lies where the hand begins.
        start = np.zeros(labels.shape, np.uint8)
        centre = np.rint(joints[2] - [window[1].start, window[0].start]).astype(int).tolist()
        cv2.circle(start, centre, max(2, round(0.2 * length)), 1, -1)
        _, pieces = cv2.connectedComponents(cv2.dilate((hand | known).astype(np.uint8), np.ones((3, 3), np.uint8)))
        found = np.isin(pieces, np.unique(pieces[((start > 0) & hand) | known])) & (pieces > 0)
        labels[_probable(hand & found, likely[window])] = REGION["upper_skin"]


def _length(shoulder: np.ndarray, elbow: np.ndarray, wrist: np.ndarray) -> float:
    """Of the longer bone of an arm: one of them may point at the camera."""
    return float(max(np.hypot(*(elbow - shoulder)), np.hypot(*(wrist - elbow))))


def _about_wrist(size: tuple[int, int], shoulder: np.ndarray, elbow: np.ndarray, wrist: np.ndarray) -> np.ndarray:
    """(H, W) bool: where the hand can be."""
    length = _length(shoulder, elbow, wrist)
    bone = wrist - elbow
    along = bone / max(float(np.hypot(*bone)), 1e-3)
    near = np.zeros(size, np.uint8)
    ends = [np.rint(p).astype(int).tolist() for p in (wrist - 0.15 * length * along, wrist + 0.4 * length * along)]
    cv2.line(near, ends[0], ends[1], 1, max(1, round(0.6 * length)))
    return near > 0


def _skin(labels: np.ndarray, lab: np.ndarray, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The mean colour of the person's face and arms, and the inverse of its covariance; None where too little of these
    is seen."""
    height, width = labels.shape
    sure = np.zeros(labels.shape, bool)
    for name in ("face", "upper_skin"):
        likely = cv2.resize(probabilities[REGION[name]], (width, height), interpolation=cv2.INTER_LINEAR) > 0.8
        sure |= (labels == REGION[name]) & likely
    sure = cv2.erode(sure.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    colours = lab[sure]
    if len(colours) < _LEAST_SKIN:
        return None
    keep = np.ones(len(colours), bool)
    mean, inverse = colours.mean(0), np.eye(3, dtype=np.float32)
    for _ in range(4):  # glasses, lips, beards and sleeves that were taken for skin don't count
        mean = np.median(colours[keep], 0)
        spread = (colours[keep] - mean).T @ (colours[keep] - mean) / keep.sum() + np.diag(_SPREAD)
        inverse = np.linalg.inv(spread).astype(np.float32)
        away = _away(colours, mean, inverse)
        keep = away < max(4.0, float(np.quantile(away, 0.5)))
    return mean.astype(np.float32), inverse


def _away(colours: np.ndarray, mean: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Squared Mahalanobis distances of colours (..., 3)."""
    difference = colours - mean
    return ((difference @ inverse) * difference).sum(-1)


def _pieces_inside(mask: np.ndarray, near: np.ndarray, share: float = _ABOUT_WRIST) -> np.ndarray:
    """(H, W) bool: within ``near``, the connected pieces of ``mask`` most of which lie there."""
    found = np.zeros(mask.shape, bool)
    window = window_of(mask, margin=0)
    if window is None or not (mask & near).any():
        return found
    near = near[window]
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask[window].astype(np.uint8), connectivity=4)
    inside = np.bincount(pieces[near], minlength=count)
    good = inside >= share * stats[:, cv2.CC_STAT_AREA]
    good[0] = False
    found[window] = good[np.asarray(pieces, np.int32)] & near
    return found


def _probable(mask: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """(H, W) bool: the connected pieces of ``mask`` in which skin is probable enough; ``likely``: (H, W) float32."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    total = np.bincount(pieces.ravel(), weights=likely.ravel(), minlength=count)
    good = total >= _PERHAPS_SKIN * stats[:, cv2.CC_STAT_AREA]
    good[0] = False
    return good[np.asarray(pieces, np.int32)]


def _remove_speckles(labels: np.ndarray, least: int) -> None:
    """Pieces of fewer than ``least`` pixels take the label that most of the pixels around them have."""
    for region in range(REGION_COUNT):
        mask = labels == region
        window = window_of(mask, margin=1)
        if window is None:
            continue
        here = labels[window]
        count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask[window].astype(np.uint8), connectivity=8)
        for piece in np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < least):
            if piece == 0:
                continue
            x, y, w, h = (int(v) for v in stats[piece, :4])
            about = slice(max(0, y - 1), y + h + 1), slice(max(0, x - 1), x + w + 1)
            own = pieces[about] == piece
            around = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~own
            here[about][own] = np.bincount(here[about][around], minlength=REGION_COUNT).argmax()


def _join_garments(labels: np.ndarray, lab: np.ndarray, factor: float) -> None:
    """Pieces of garments that meet where the photo shows no edge get the label of the largest."""
    worn = [region for region in _GARMENTS if (labels == region).any()]
    window = window_of(np.isin(labels, worn), margin=_BLURRED)
    if len(worn) < 2 or window is None:
        return
    labels, lab = labels[window], lab[window]
    soft = cv2.GaussianBlur(lab, (2 * _BLURRED + 1, 2 * _BLURRED + 1), 1.0)
    pieces = np.zeros(labels.shape, np.int32)
    regions, areas = [0], [0]
    for region in worn:
        count, found, stats, _ = cv2.connectedComponentsWithStats((labels == region).astype(np.uint8), connectivity=4)
        pieces += np.where(np.asarray(found) > 0, np.asarray(found) + len(regions) - 1, 0).astype(np.int32)
        regions += [region] * (count - 1)
        areas += stats[1:, cv2.CC_STAT_AREA].tolist()
    step = max(2, round(1.5 * factor))  # compared a little to either side of the border
    borders: dict[tuple[int, int], list[np.ndarray]] = {}
    for dy, dx in ((step, 0), (0, step)):
        first, second = pieces[: len(pieces) - dy, : len(pieces[0]) - dx], pieces[dy:, dx:]
        ys, xs = np.nonzero((first != second) & (first > 0) & (second > 0))
        difference = np.abs(soft[ys, xs] - soft[ys + dy, xs + dx]).mean(1)
        pairs = np.sort(np.stack([first[ys, xs], second[ys, xs]], 1), axis=1)
        for a, b in np.unique(pairs, axis=0):
            borders.setdefault((int(a), int(b)), []).append(difference[(pairs == (a, b)).all(1)])
    parent = list(range(len(regions)))

    def root(piece: int) -> int:
        while parent[piece] != piece:
            piece = parent[piece]
        return piece

    total = areas.copy()
    for (a, b), differences in sorted(borders.items()):
        across = np.concatenate(differences)
        if regions[a] == regions[b] or len(across) < _SHORTEST_BORDER * step * factor:
            continue
        of_a_suit = {regions[a], regions[b]} == _SUIT and min(areas[a], areas[b]) > _SCRAP * max(areas[a], areas[b])
        if of_a_suit or np.mean(across) > _EDGE or not _same_cloth(lab, pieces == a, pieces == b):
            continue
        a, b = root(a), root(b)
        if a != b:
            large, small = (a, b) if total[a] >= total[b] else (b, a)
            parent[small] = large
            total[large] += total[small]
    for piece in range(1, len(regions)):
        if root(piece) != piece:
            labels[pieces == piece] = regions[root(piece)]


def _same_cloth(lab: np.ndarray, first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two pieces have the same colours altogether."""
    means = [np.median(lab[piece], 0) for piece in (first, second)]
    spread = max(
        8.0,
        float(np.mean([np.abs(lab[piece] - mean).mean() for piece, mean in zip((first, second), means, strict=True)])),
    )
    return float(np.abs(means[0] - means[1]).max()) < 2 * spread
