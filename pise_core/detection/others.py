"""Other people in the photo: those who touch the one that is looked at, and those who are elsewhere.

Joints of those who touch, a hand in a hand or a shoulder at a shoulder, are seen in the same heat maps. What is nearer
to their bones is theirs. Passers-by the analyzer takes for background as long as it sees somebody larger; in a picture
without that person it finds them (:func:`passers_by`).
"""

import cv2
import numpy as np

from pise_core.detection.decoding import decode_joints
from pise_core.masks import grow
from pise_core.pose import visible
from pise_core.skeleton import BONES, FACE, HIPS, JOINT_COUNT, NECK, SHOULDERS
from pise_core.warping.bare_body import torso_length

#: How high the peak of another neck is, and how far from one's own it lies at least, in lengths of the torso.
_SURE, _APART = 0.4, 0.6
#: In the same lengths: another's joint that is nearer to one's own is that.
_SAME = 0.15
#: So many joints of their own, the shoulders or the face among them, and so surely seen, make somebody.
_JOINTS, _CLEAR = 8, 0.4
#: At most so many others are told apart.
_MOST = 4
#: Of passers-by: how likely a region of theirs is, how warm the heat maps are about their joints and how hot in the
#: middle of them, and how far from joints they reach, in pixels.
_LIKELY, _WARM, _HOT, _ABOUT_JOINTS = 0.35, 0.25, 0.5, 12
#: So many different joints of one piece make somebody: signs and windows show fewer.
_KINDS = 8
_SEGMENTS = (*BONES.values(), SHOULDERS, *zip(SHOULDERS, HIPS, strict=True), HIPS)


def without_others(probabilities: np.ndarray, maps: np.ndarray, stride: int, pose: np.ndarray) -> np.ndarray:
    """The regions (8, H, W) float32 with background where others are.

    Args:
        probabilities: (8, H, W) float32.
        maps: (18, h, w) heat maps of the same picture.
        stride: pixels per cell of the maps.
        pose: (18, 3), the person's, in pixels.
    """
    person = probabilities.argmax(0) > 0
    own_size = torso_length(pose)
    if not own_size:
        return probabilities
    theirs = np.zeros(person.shape, bool)
    away = None
    for other in _others(maps, stride, pose, person, own_size):
        if away is None:
            away = _away(pose, person.shape) / own_size
        size = torso_length(other) or own_size
        theirs |= _away(other, person.shape) / size < away
    theirs &= person
    if not theirs.any():
        return probabilities
    cleaned = probabilities.copy()
    cleaned[:, theirs] = 0
    cleaned[0, theirs] = 1
    return cleaned


def passers_by(probabilities: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Where people are in a picture, or large parts of them: (H, W) bool.

    Args:
        probabilities: (8, H, W) float32, of the regions.
        maps: (18, h, w) heat maps of the same picture.
    """
    size = probabilities.shape[:0:-1]
    joints = [cv2.resize(one, size, interpolation=cv2.INTER_LINEAR) for one in maps]
    warm = np.max(joints, 0) > _WARM
    there = (warm | (probabilities[0] < 1 - _LIKELY)) & grow(warm, _ABOUT_JOINTS)
    count, pieces = cv2.connectedComponents(there.astype(np.uint8))
    kinds = np.sum([np.bincount(pieces[one > _HOT], minlength=count) > 0 for one in joints], 0)
    return (kinds >= _KINDS)[pieces] & there


def _others(maps: np.ndarray, stride: int, pose: np.ndarray, person: np.ndarray, size: float) -> list[np.ndarray]:
    """Poses (18, 3) of those who are seen in the same silhouette, in pixels."""
    if not visible(pose)[NECK]:
        return []
    neck, found = pose[NECK, :2], []
    ys, xs = np.mgrid[: maps.shape[1], : maps.shape[2]]
    x, y = (xs + 0.5) * stride, (ys + 0.5) * stride
    small = cv2.resize(person.astype(np.uint8), maps.shape[:0:-1], interpolation=cv2.INTER_NEAREST) > 0
    left = np.where(small & (np.hypot(x - neck[0], y - neck[1]) > _APART * size), maps[NECK], 0)
    necks = [neck]
    while len(found) < _MOST and left.max() > _SURE:
        row, column = divmod(int(left.argmax()), left.shape[1])
        there = np.array([x[row, column], y[row, column]])
        left[np.hypot(x - there[0], y - there[1]) < _APART * size] = 0
        # What is nearer to this neck than to all others may be theirs.
        mine = np.hypot(x - there[0], 0.3 * (y - there[1]))
        where = np.min([np.hypot(x - n[0], 0.3 * (y - n[1])) for n in necks], 0) > mine
        other = decode_joints(maps, stride, where=where.astype(np.float32))
        near = np.hypot(*(other[:, None, :2] - pose[None, :, :2]).transpose(2, 0, 1))
        other[(near < _SAME * size).any(1)] = np.nan, np.nan, 0
        seen = visible(other)
        if seen.sum() >= _JOINTS and seen[[*SHOULDERS, *FACE]].any() and np.nanmean(other[seen, 2]) > _CLEAR:
            found.append(other)
            necks.append(there)
    return found


def _away(pose: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """(H, W) float32: how far pixels are from a person's bones and joints."""
    there, drawn = visible(pose), np.full(size, 255, np.uint8)
    points = np.rint(np.nan_to_num(pose[:, :2]) - 0.5).astype(int)
    for a, b in _SEGMENTS:
        if there[a] and there[b]:
            cv2.line(drawn, points[a].tolist(), points[b].tolist(), 0, 1)
    for joint in range(JOINT_COUNT):
        if there[joint]:
            cv2.circle(drawn, points[joint].tolist(), 1, 0, -1)
    return cv2.distanceTransform(drawn, cv2.DIST_L2, 5)
