"""Garments that are made longer than they are: what they would leave bare, or nobody knows, they cover."""

import numpy as np

from pise_core.regions import REGION
from pise_core.rendering.wearing.outfit import Outfit

_DRESS, _LEG = REGION["dress"], REGION["leg"]
#: Of a garment that is made longer, the lower share that hangs as the longer one did.
_FALLS = {"dress": 0.5, "skirt": 1.0}


def covered(new: Outfit, bare: np.ndarray, region: int) -> Outfit:
    """The garment longer, or closed further, where it would leave the wearer ``bare`` (H, W bool)."""
    parsing = np.where(bare, np.uint8(region), new.parsing)
    return new._replace(parsing=parsing, kept=new.kept & ~bare, ahead=new.ahead & ~bare, lost=new.lost | bare)


def longer(new: Outfit, bare: np.ndarray, region: int) -> Outfit:
    """A dress or skirt longer, where it would leave the wearer ``bare`` (H, W bool), and as wide there as it is above.

    ``region``: its index.
    """
    cloth = new.parsing == region
    rows, low = np.flatnonzero(cloth.any(axis=1)), np.flatnonzero(bare.any(axis=1))
    if not len(rows) or not len(low):
        return new
    wide = cloth.sum(axis=1)
    full = np.flatnonzero(wide > 0.9 * np.median(wide[rows[-len(rows) // 3 :]]))
    hem = int(full[full <= low[-1]][-1]) if (full <= low[-1]).any() else int(rows[-1])
    columns = np.flatnonzero(cloth[hem])
    added = np.zeros_like(cloth)
    added[hem : low[-1] + 1, columns[0] : columns[-1] + 1] = True
    return covered(new, added & ~cloth & np.isin(new.parsing, [0, _LEG]) & ~new.front, region)


def to_the_floor(new: Outfit, before: np.ndarray, region: int, kind: str) -> Outfit:
    """A dress or skirt as long as the one it replaces, where that hid the feet: nobody knows these.

    Args:
        new: as :func:`outfit` gives it.
        before: (H, W) uint8, the map with what was worn before.
        region, kind: of the new one, as in ``Garment``.
    """
    rows = np.flatnonzero((new.parsing == region).any(axis=1))
    if not len(rows):
        return new
    low = np.arange(len(before))[:, None] > rows[-1] - _FALLS[kind] * len(rows)
    there = low & (before == _DRESS) & np.isin(new.parsing, [0, _LEG]) & ~new.front
    return covered(new, there, region)
