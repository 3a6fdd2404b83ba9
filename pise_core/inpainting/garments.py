"""Garments that go on: what was painted or borrowed of a garment, beyond what is known of it, in its own texture.

A skirt that was painted longer, a long one that borrows the cloth of a short one: the network knows their colour, and
paints them flat. Pieces of the garment itself (:mod:`pise_core.inpainting.patch_fill`) have its folds and its weave;
large prints and seams are not continued.
"""

import cv2
import numpy as np

from pise_core.inpainting.patch_fill import grid_of, show
from pise_core.inpainting.patch_search import Search, find_offsets
from pise_core.masks import window_of
from pise_core.regions import REGION, TEXTURED

#: Regions that are cloth, or like it. Skin is better painted plain, and a leg's texture may be a shoe's.
CLOTH = tuple(REGION[name] for name in TEXTURED)
#: Long side of the grid that pieces are found on.
_SIDE = 128
#: Cloth is much the same everywhere: pieces as large as can be, from anywhere.
_SEARCH = Search(away=(1.0, 1.0), onward=120.0, chance=30.0)
#: Pixels whose colour is believed less than this are to be filled, what is mirrored at a border included; the others
#: are shown again.
_KNOWN = 0.9
#: A garment of which fewer pixels of the frame are known has no texture.
_LEAST = 150
#: How far pieces are believed.
_BELIEF = 0.95


def continue_cloth(
    colours: np.ndarray, trust: np.ndarray, wanted: np.ndarray, open_to_it: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Fill the unknown part of garments with pieces of their known part.

    Args:
        colours: (H, W, 3) uint8.
        trust: (H, W) float32 in [0, 1], how far they are known.
        wanted: (H, W) uint8, the map; each region is filled from itself.
        open_to_it: (H, W) bool, where it may be filled.
        scale: frame pixels per pixel.

    Returns:
        Colours and trust; copies where anything changed.
    """
    made, belief = colours, trust
    unknown = open_to_it & (trust <= _KNOWN)
    around = window_of(unknown, margin=0)
    for region in CLOTH if around is not None else ():
        if not (unknown[around] & (wanted[around] == region)).any():
            continue
        inside = wanted == region
        gap = inside & unknown
        window = window_of(inside, margin=1)
        if window is None:
            continue
        known = inside[window] & (trust[window] > _KNOWN)
        if known.sum() * scale**2 < _LEAST:
            continue
        # At the rim of what is known the background may shine through.
        known = cv2.erode(known.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0).astype(bool)
        part = colours[window]
        grid = grid_of(part, ~known, _SIDE, wanted=gap[window])
        offsets = find_offsets(grid, _SEARCH)
        if offsets is None:
            continue
        if made is colours:
            made, belief = colours.copy(), trust.copy()
        show(made[window], part, gap[window], grid, offsets)
        belief[gap] = _BELIEF
    return made, belief
