"""Where an arm ends and what lies behind it begins.

The nearest bone says so roughly. Near that border colours decide: what looks like the arm's inner part belongs to the
arm, what looks like the layers beside it to these, and where both look alike the border follows the picture's edges
(costs filtered along them, after Hosni et al., Fast Cost-Volume Filtering, CVPR 2011).
"""

import cv2
import numpy as np

from pise_core.guided_filter import guided_filter
from pise_core.masks import Nearest, grow, smooth, window_of
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.warping.hidden_arms import without_false_sleeves
from pise_core.warping.parts import BONES, PARTS, among, arm_length

#: In lengths of the arm's longer bone: how far from the rough border colours decide, how near the bone they don't, and
#: how far around samples are taken.
_BAND, _CORE, _AROUND = 0.16, 0.05, 0.35
#: How much colours count, and at most; how much the rough border does at the edge of the band.
_COLOUR, _MOST, _PLACE = 1.0, 3.0, 2.0
#: Bins of a histogram along each axis of Lab.
_BINS = 12
#: Window of the filter in lengths of the arm's longer bone, and its eps.
_WINDOW, _EPS = 0.06, 1e-3
_LEAST = 30
#: What lies over a sleeve is so many times likelier in what is beside it (a logarithm), in the mean over such a width
#: in lengths of the arm's longer bone; of the arm so much must be nearer to the background.
_CLEARLY, _SEEN, _OUTER = 1.2, 0.02, 0.2
#: What lies over a sleeve covers less of the arm's bones than this share.
_SCARF = 0.38
#: In the a and b of Lab: so far its hue is from that of the arm's outer side at least, and at most from that of what is
#: beside it, within such a width.
_OTHER_HUE, _SAME_HUE, _BESIDE = 20.0, 12.0, 0.15
#: In the same measure: teeth of a border that are narrower than about twice this go, for they come from folds and
#: patterns, and hang from the sleeve as fringes.
_FRINGE = 0.06
#: Of the largest piece of torso and skirt: what is larger is no end of a sleeve.
_ISLAND = 0.25
_TRUNK = (PARTS.index("torso"), PARTS.index("skirt"))
_ARMS = [[PARTS.index(f"{side}_{bone}") for bone in ("upper_arm", "forearm")] for side in ("left", "right")]


def refine_arms(owner: np.ndarray, image: np.ndarray, pose: np.ndarray, parsing: np.ndarray) -> np.ndarray:
    """The parts (H, W) int8 of ``assign_parts`` with arms that end where the picture shows it.

    Args:
        owner: (H, W) int8.
        image: (H, W, 3) uint8 RGB.
        pose: (18, 3) in the same pixels.
        parsing: (H, W) uint8; bare skin that was the arm's stays so, even where a bag or a cuff cuts it off.
    """
    skin = parsing == REGION["upper_skin"]
    refined = without_false_sleeves(owner, image, parsing, pose).copy()
    there = visible(pose)
    for side in ("left", "right"):
        upper, lower = f"{side}_upper_arm", f"{side}_forearm"
        if there[[*BONES[upper], *BONES[lower]]].all():
            _refine(refined, image, pose, skin, PARTS.index(upper), PARTS.index(lower))
    _take_islands(refined)
    return refined


def _refine(owner: np.ndarray, image: np.ndarray, pose: np.ndarray, skin, upper: int, lower: int) -> None:
    length = arm_length(pose, PARTS[upper])
    whole = (owner == upper) | (owner == lower)
    window = window_of(whole, margin=round((_BAND + _AROUND) * length) + 2)
    if window is None or length < 8:
        return
    parts, picture = owner[window], image[window]
    arm = (parts == upper) | (parts == lower)
    other = (parts >= 0) & ~arm
    # Signed distance to the border between the arm and other parts: positive inside.
    inside, outside = _distance(~other), _distance(~arm)
    near = (arm & (inside <= _BAND * length)) | (other & (outside <= _BAND * length))
    if not (near & arm).any() or not (near & other).any():
        return
    place = np.where(arm, inside, -outside) / (_BAND * length)
    bones = np.zeros(parts.shape, np.uint8)
    shift = [window[1].start, window[0].start]
    for part in (upper, lower):
        ends = [np.rint(pose[joint, :2] - shift).astype(int).tolist() for joint in BONES[PARTS[part]]]
        cv2.line(bones, ends[0], ends[1], 1, max(1, round(2 * _CORE * length)))
    core = arm & ((bones > 0) | skin[window])
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    laid = _laid_over(lab, arm, other, parts < 0, inside, outside, skin[window], length)
    along = arm & (bones > 0)
    if (laid & along).sum() > _SCARF * along.sum():  # that is the sleeve, and its outer side the arm's shadow
        laid[:] = False
    core &= ~laid
    near |= laid
    cost = _COLOUR * _evidence(lab, arm, other, inside, outside, length) + _PLACE * np.clip(place, -1, 1)
    cost[~near & arm], cost[~near & ~arm] = _PLACE, -_PLACE
    cost[core], cost[laid] = _MOST + _PLACE, -_MOST - _PLACE
    filtered = guided_filter(picture, cost.astype(np.float32), max(1.0, _WINDOW * length), _EPS)
    wins = near & (filtered > 0) | core | (arm & ~near)
    wins = near & _without_fringes(wins, parts >= 0, _FRINGE * length) | core
    wins = _largest_with(wins & (parts >= 0), core | (arm & ~near))
    lost = arm & near & ~wins
    gained = other & near & wins
    if lost.any():
        parts[lost] = _nearest(parts, other & ~gained, lost)
    if gained.any():
        parts[gained] = _nearest(parts, arm & ~lost, gained)


def _laid_over(lab, arm, other, nothing, inside: np.ndarray, outside: np.ndarray, skin, length: float) -> np.ndarray:
    """(h, w) bool: pieces of an arm that look like what lies beside it and unlike its outer side, even across its bone:
    a scarf or a lapel that lies over a sleeve. ``lab``: (h, w, 3) uint8."""
    outer = arm & ~skin & (_distance(~nothing) < inside)
    found = np.zeros(arm.shape, bool)
    if outer.sum() < _LEAST or outer.sum() < _OUTER * arm.sum():
        return found
    beside = other & (outside < (_BAND + _AROUND) * length)
    unlike = _ratio(lab, outer, beside)
    if unlike is None:
        return found
    likely = arm & ~skin & (smooth(unlike, _SEEN * length) < -_CLEARLY)
    # In another hue than the arm's outer side: folds and shadows are darker, or lighter, and of the same.
    colours = lab.astype(np.float32)
    usual = np.median(colours[outer], 0)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(likely.view(np.uint8), connectivity=4)
    for piece in range(1, count):
        if stats[piece, cv2.CC_STAT_AREA] < _LEAST:
            continue
        own = pieces == piece
        near = beside & grow(own, _BESIDE * length)
        if near.sum() < _LEAST:
            continue
        hue = np.median(colours[own], 0)
        if np.hypot(*(hue - usual)[1:]) > _OTHER_HUE and np.hypot(*(hue - np.median(colours[near], 0))[1:]) < _SAME_HUE:
            found |= own
    return found


def _take_islands(owner: np.ndarray) -> None:
    """Pieces of the torso or the skirt that hang together with it through an arm alone, as ends of wide sleeves do, are
    that arm's: they would stay in the air where it goes."""
    trunk = among(owner, _TRUNK)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(trunk.view(np.uint8), connectivity=4)
    if count < 3:  # what is beside it, and one piece
        return
    areas = stats[:, cv2.CC_STAT_AREA]
    largest = 1 + int(areas[1:].argmax())
    for piece in range(1, count):
        if piece == largest or areas[piece] > _ISLAND * areas[largest]:
            continue
        x, y, w, h = (int(v) for v in stats[piece, :4])
        window = slice(max(0, y - 1), y + h + 1), slice(max(0, x - 1), x + w + 1)
        here, parts = pieces[window] == piece, owner[window]
        beside = parts[(cv2.dilate(here.view(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~here]
        beside = beside[beside >= 0]
        if len(beside) and any(np.isin(beside, arm).all() for arm in _ARMS):
            parts[here] = np.bincount(beside).argmax()


def _without_fringes(arm: np.ndarray, person: np.ndarray, sigma: float) -> np.ndarray:
    """(H, W) bool: the arm with a smooth border to the rest of the person; at the silhouette it stays."""
    share = smooth(arm.astype(np.float32), sigma)
    return person & (share > 0.5 * smooth(person.astype(np.float32), sigma))


def _distance(mask: np.ndarray) -> np.ndarray:
    return cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)


def _evidence(lab, arm, other, inside: np.ndarray, outside: np.ndarray, length: float) -> np.ndarray:
    """(H, W) float32: the logarithm of how much more likely a colour is in the arm than beside it."""
    margin = 0.05 * length
    beside = other & (outside > margin) & (outside < (_BAND + _AROUND) * length)
    found = _ratio(lab, arm & (inside > margin), beside)
    return np.zeros(arm.shape, np.float32) if found is None else found


def _ratio(lab: np.ndarray, one: np.ndarray, another: np.ndarray) -> np.ndarray | None:
    """(h, w) float32: the logarithm of how much more likely a colour is in one mask than in another; None where too
    little of either is seen."""
    logs = []
    for mask in (one, another):
        if mask.sum() < _LEAST:
            return None
        histogram = cv2.calcHist([lab], [0, 1, 2], mask.astype(np.uint8), [_BINS] * 3, [0, 256] * 3)
        for axis in range(3):  # a colour next to one that was seen is nearly as likely
            histogram = _blurred(histogram, axis)
        share = histogram / histogram.sum()
        bins = (lab.astype(np.int32) * _BINS) >> 8
        logs.append(np.log(share[bins[..., 0], bins[..., 1], bins[..., 2]] + 2e-4))
    return np.clip(logs[0] - logs[1], -_MOST, _MOST).astype(np.float32)


def _blurred(histogram: np.ndarray, axis: int) -> np.ndarray:
    padded = np.pad(histogram, [(1, 1) if i == axis else (0, 0) for i in range(3)])
    before, after = (np.take(padded, range(k, k + histogram.shape[axis]), axis) for k in (0, 2))
    return 0.25 * before + 0.5 * histogram + 0.25 * after


def _largest_with(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """The connected pieces of a mask that hold a seed."""
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return np.isin(pieces, np.unique(pieces[seeds & mask])) & mask


def _nearest(parts: np.ndarray, known: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The parts of the known pixels that are nearest to the wanted ones."""
    ys, xs = np.nonzero(wanted)
    y, x = Nearest(known).at(ys, xs)
    return parts[y, x]
