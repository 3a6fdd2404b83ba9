"""Two sleeves of a pair: where one is seen much worse than the other, the other one is shown for it, turned over."""

from collections.abc import Mapping

import cv2
import numpy as np

from pise_core.pose import visible
from pise_core.skeleton import ARMS
from pise_core.view import View
from pise_core.warping.bare_body import torso_length
from pise_core.warping.garment_warp import along_bones

#: A sleeve that is seen by less than this share of the other one is not shown. More bare upper arm than this share of
#: the other sleeve tells that it is cut otherwise.
_WORSE, _BARE = 0.8, 0.15
#: Places along each bone that are looked at; narrower ones, as a share of the sleeve's usual width, are a fringe.
_BINS, _FRINGE = 10, 0.55
#: Width of a bin of colours in 8-bit Lab; a colour with a smaller share of the rest of the garment isn't its own.
_BIN, _RARE = 16, 2e-3


def shown_for_the_other(
    view: View, mask: np.ndarray, sleeves: Mapping[str, np.ndarray], bare: Mapping[str, int]
) -> str | None:
    """The arm whose sleeve is seen so badly that the other one is shown for it; None where both are as good.

    Args:
        view: the lender.
        mask: (H, W) bool, the garment.
        sleeves: ``right_arm``, ``left_arm`` -> (H, W) bool, what is seen of the garment there.
        bare: the same -> pixels of bare skin on the upper arm, hands left out.
    """
    size = torso_length(view.pose)
    widths, lengths = {}, {}
    for name, joints in zip(("right_arm", "left_arm"), ARMS, strict=True):
        if not visible(view.pose)[list(joints)].all() or size <= 0:
            return None
        widths[name], lengths[name] = _widths(sleeves[name], view.pose[list(joints), :2].astype(np.float64))
    usual = max(float(np.median(wide[wide > 0])) if (wide > 0).any() else 0 for wide in widths.values())
    if usual <= 0:
        return None
    hem = max(np.flatnonzero(wide > _FRINGE * usual).max(initial=0) for wide in widths.values())
    longest = max(lengths.values())
    seen = {
        name: float(np.minimum(widths[name][: hem + 1], usual).mean() / usual)
        * (lengths[name] / longest)
        * _own_colours(view.image, sleeves[name], mask & ~sleeves[name])
        for name in widths
    }
    worse, better = sorted(seen, key=seen.__getitem__)
    whole = np.count_nonzero(sleeves[better])
    if seen[worse] >= _WORSE * seen[better] or bare[worse] >= _BARE * whole:
        return None
    return worse


def _widths(sleeve: np.ndarray, joints: np.ndarray) -> tuple[np.ndarray, float]:
    """(2 * _BINS,) how wide a sleeve is along the two bones between joints (3, 2), in pixels, and how long both are."""
    lengths = np.hypot(*np.diff(joints, axis=0).T)
    ys, xs = np.nonzero(sleeve)
    if not len(ys):
        return np.zeros(2 * _BINS), float(lengths.sum())
    _, where = along_bones(np.stack([xs, ys], 1) + 0.5, joints)
    counts = np.histogram(where, 2 * _BINS, (0, 2))[0]
    return counts / np.maximum(np.repeat(lengths, _BINS) / _BINS, 1), float(lengths.sum())


def _own_colours(image: np.ndarray, sleeve: np.ndarray, rest: np.ndarray) -> float:
    """The share of a sleeve whose colours the rest of the garment has, too: a strap or a bag before it has others."""
    if not sleeve.any() or not rest.any():
        return 1.0
    bins = tuple(np.moveaxis(cv2.cvtColor(image, cv2.COLOR_RGB2LAB) // _BIN, 2, 0))
    counts = np.zeros((256 // _BIN,) * 3, np.float32)
    np.add.at(counts, tuple(b[rest] for b in bins), 1)
    return float((counts[tuple(b[sleeve] for b in bins)] > _RARE * counts.sum()).mean())
