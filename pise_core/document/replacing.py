"""Regions that become others: trousers a dress, a coat a pair of trousers."""

from collections.abc import Mapping

import numpy as np

from pise_core.regions import REGION

_PANTS, _DRESS, _LEG, _BACKGROUND = (REGION[name] for name in ("pants", "dress", "leg", "background"))


def replaced(parsing: np.ndarray, become: Mapping[int, int]) -> np.ndarray:
    """The map (H, W) uint8 with each region of ``become`` as another one, all at once.

    Trousers that become a dress hang as one: what is seen between their legs is closed.
    """
    table = np.arange(256, dtype=np.uint8)
    for region, other in become.items():
        table[region] = other
    made = table[parsing]
    if become.get(_PANTS) == _DRESS:
        trousers = parsing == _PANTS
        left = np.maximum.accumulate(trousers, axis=1)
        right = np.maximum.accumulate(trousers[:, ::-1], axis=1)[:, ::-1]
        made[left & right & np.isin(parsing, [_BACKGROUND, _LEG])] = _DRESS
    return made
