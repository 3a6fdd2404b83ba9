"""What goes with clothes that are taken off, beyond what the map knows of them: cuffs, collars, skin in holes, cloth on
a shoulder that is called hair; and what of it is somebody else's."""

import cv2
import numpy as np

from pise_core.masks import Nearest, grow, window_of
from pise_core.regions import REGION
from pise_core.rendering.refine import apart, like_other, refined
from pise_core.rendering.wearing.outline import closing
from pise_core.skeleton import ARMS, LEGS, NECK
from pise_core.view import View
from pise_core.warping.bare_body import drawn, limb

_HAIR, _SKIN, _LEG = (REGION[name] for name in ("hair", "upper_skin", "leg"))
#: Skin of whose border so much is cloth is seen through a hole in it.
_THROUGH = 0.7
#: In frame pixels: pieces of clothes that touch each other less widely than twice this are two.
_TOUCH = 1.5
#: In frame pixels: hair is surely itself so far from clothes that go. Lab: how far apart the two are at least, and how
#: many times as likely of the clothes a colour must be; tips of hair differ less from the rest. Frame pixels that tell
#: colours.
_OWN_HAIR, _NO_HAIR, _LIKELIER, _NO_TIPS, _TOLD = 6.0, 35.0, 1.0, 25.0, 60
#: In frame pixels: what is looked at around what goes.
_NEAR = 18.0


def beyond_its_map(view: View, gone: np.ndarray, stays: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) bool: a cuff or a collar that the map takes for skin or for the wall goes with its garment."""
    window = window_of(gone, margin=round(_NEAR / scale) + 2)
    if window is None:
        return gone
    here = gone[window]
    other = ~np.isin(stays[window], [0, _SKIN, _LEG]) & ~here
    if view.held is not None:
        other |= view.held[window] >= 0
    none = np.zeros(here.shape, bool)
    found = np.zeros(gone.shape, bool)
    found[window] = refined(view.image[window], here, scale, none, other, none, none) & ~other
    return found


def in_hair(view: View, gone: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) bool: what the map calls hair and has the colours of clothes that go, beside them."""
    hair, neck = (view.parsing == _HAIR) & ~gone, view.pose[NECK, 1]
    own = hair & ~grow(gone, _OWN_HAIR / scale)
    own[round(float(neck)) if np.isfinite(neck) else 0 :] = False  # on shoulders clothes are called hair
    if own.sum() * scale**2 < _TOLD or gone.sum() * scale**2 < _TOLD or apart(view.image, own, gone) < _NO_HAIR:
        return np.zeros_like(gone)
    found = like_other(view.image, hair, gone, own, scale, _LIKELIER, _OWN_HAIR)
    radius = 1.0 / scale  # dark bits of a pattern go with it, single strands stay
    if not found.any() or apart(view.image, found, own) < _NO_TIPS:
        return np.zeros_like(gone)
    found = closing(found, 2 * radius) & hair
    return grow(~grow(~found, radius), radius) & hair


def of_the_wearer(clothes: np.ndarray, pose: np.ndarray, body: np.ndarray, scale: float) -> np.ndarray:
    """Clothes (H, W bool) without those of somebody beside the wearer: pieces in which none of the wearer's body is."""
    size = clothes.shape
    for joints in (*ARMS, *LEGS):
        body = body | drawn(limb(pose, joints, None), size)
    core = ~grow(~clothes, _TOUCH / scale)
    count, pieces = cv2.connectedComponents(core.astype(np.uint8))
    strange = np.setdiff1d(np.arange(1, count), pieces[body & core])
    if not len(strange) or len(strange) == count - 1:
        return clothes
    ys, xs = np.nonzero(clothes & ~core)
    y, x = Nearest(core).at(ys, xs)
    pieces[ys, xs] = pieces[y, x]
    return clothes & ~np.isin(pieces, strange)


def seen_through(skin: np.ndarray, cloth: np.ndarray) -> np.ndarray:
    """(H, W) bool: pieces of skin that are seen through holes of clothes."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(skin.astype(np.uint8))
    found = np.zeros_like(skin)
    for n in range(1, count):
        x, y, wide, high = stats[n, :4]
        window = np.s_[max(0, y - 3) : y + high + 3, max(0, x - 3) : x + wide + 3]
        piece = pieces[window] == n
        around = grow(piece, 2) & ~piece
        if cloth[window][around].mean() > _THROUGH:
            found[window] |= piece
    return found
