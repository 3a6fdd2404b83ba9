"""Legs that a coat or a skirt hid down to a hem: they meet what is seen of them below it, in width and place."""

import cv2
import numpy as np

from pise_core.rendering.wearing.places import nearest_places
from pise_core.warping.bare_body import limb

#: A place along a leg is seen if so much of its width is; fewer pixels, as a share of the leg's width squared, tell
#: nothing. How many places tell the width.
_WIDE, _LEAST, _TELLING = 0.45, 1.0, 4
#: How many times as thick as adults' proportions say a leg may be where it is seen.
_THICK = (0.6, 2.0)
#: Places below the hem that tell a leg's colours, and bins across it.
_ALONG, _ACROSS = 7, 11


def down_to_seen(
    pose: np.ndarray, joints: tuple[int, int, int], seen: np.ndarray, root: tuple[float, float]
) -> tuple[np.ndarray, float] | None:
    """A leg's outline, where it is seen as wide as there, and above it narrowing or widening towards its root.

    Args:
        pose: (18, 3) in pixels.
        joints: of ``LEGS``.
        seen: (H, W) bool, what is seen of this leg.
        root: how many times as thick as adults' proportions say it is at the hip, at least and at most.

    Returns:
        (K, 3) float32 as :func:`pise_core.warping.bare_body.limb` gives it, and how far down it is seen first: 0 at the
        hip, 1 at the ankle. None where joints are missing, or too little is seen.
    """
    outline = limb(pose, joints)
    ys, xs = np.nonzero(seen)
    if outline is None or len(ys) < _LEAST * float(outline[:, 2].mean()) ** 2:
        return None
    place = nearest_places(outline, ys, xs)
    across, spacing = _sides(outline)
    count = np.bincount(place, minlength=len(outline))
    half = count / (2 * spacing)
    found = np.flatnonzero(half > _WIDE * outline[:, 2])
    found = found[found < len(outline) - 2]  # beyond the last one lies the foot
    if not len(found):
        return None
    first = int(found[0])
    telling = found[found < first + _TELLING][1:] if len(found) > 1 else found
    offset = ((np.stack([xs, ys], 1) + 0.5 - outline[place, :2]) * across[place]).sum(1)
    moved = np.bincount(place, offset, len(outline)) / np.maximum(count, 1)
    ratio = float(np.clip(np.median(half[telling] / outline[telling, 2]), *_THICK)) if len(telling) else 1.0
    shift = float(np.median(moved[telling])) if len(telling) else 0.0
    share = np.clip(np.arange(len(outline)) / max(first, 1), 0, 1)
    thick = outline[:, 2] * (np.clip(ratio, *root) * (1 - share) + ratio * share)
    centres = outline[:, :2] + (shift * share)[:, None] * across
    return np.c_[centres, thick].astype(np.float32), first / (len(outline) - 1)


def continued(
    photo: np.ndarray, pose: np.ndarray, joints: tuple[int, int, int], seen: np.ndarray, new: np.ndarray
) -> np.ndarray | None:
    """Colours of a leg above where it is seen: across it light falls as it does right below the hem that hid it.

    Args:
        photo: (H, W, 3) uint8.
        pose: (18, 3) in the same pixels.
        joints: of ``LEGS``.
        seen: (H, W) bool, what is seen of this leg, its shoe and the hem's shadow left out.
        new: (H, W) bool, where the leg is new.

    Returns:
        (N, 3) float32 CIE Lab of the new pixels in their order; None where too little is seen.
    """
    met = down_to_seen(pose, joints, seen, (1.0, 1.0))
    if met is None or not new.any():
        return None
    outline, first = met
    ys, xs = np.nonzero(seen)
    place, across = _places(outline, ys, xs)
    start = round(first * (len(outline) - 1))
    told = (place > start) & (place <= start + _ALONG)
    if np.count_nonzero(told) < _ACROSS * 3:
        return None
    lab = cv2.cvtColor(photo[ys[told], xs[told]].reshape(-1, 1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[:, 0]
    bins = np.linspace(-0.85, 0.85, _ACROSS)
    nearest = np.abs(np.clip(across[told], -0.85, 0.85)[:, None] - bins).argmin(1)
    full = [n for n in range(_ACROSS) if np.count_nonzero(nearest == n) > 2]
    tones = np.array([np.median(lab[nearest == n], axis=0) for n in full])
    _, at = _places(outline, *np.nonzero(new))
    return np.stack([np.interp(at, bins[full], tones[:, n]) for n in range(3)], 1).astype(np.float32)


def _places(outline: np.ndarray, ys: np.ndarray, xs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N,) each: the nearest place along a leg, and how far across it pixels lie, -1 and 1 at its edges."""
    place = nearest_places(outline, ys, xs)
    side, _ = _sides(outline)
    away = ((np.stack([xs, ys], 1) + 0.5 - outline[place, :2]) * side[place]).sum(1)
    return place, away / np.maximum(outline[place, 2], 1e-3)


def _sides(outline: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(K, 2) the direction across a leg at each of its places, of length 1, and (K,) how far these are apart."""
    way = np.gradient(outline[:, :2], axis=0)
    spacing = np.maximum(np.hypot(*way.T), 1e-3)
    return np.c_[-way[:, 1], way[:, 0]] / spacing[:, None], spacing
