"""What other human parsers call what they find, and the region of ours that each of their labels belongs to.

A set is a list of ``name:region``; a label is its place in the list. Sources: ATR (Liang et al., 2015; 18 labels),
LIP (Gong et al., 2017; 20), CIHP (Gong et al., 2018; 20), PASCAL-Person-Part (Chen et al., 2014; 7) and FASHN's human
parser (18).
"""

import re
from collections.abc import Sequence

import numpy as np

from pise_core.errors import InputError
from pise_core.regions import REGION

_SETS = {
    "atr": (
        "background:background hat:hair hair:hair sunglasses:face upper-clothes:upper_clothes skirt:dress pants:pants "
        "dress:dress belt:upper_clothes left-shoe:leg right-shoe:leg face:face left-leg:leg right-leg:leg "
        "left-arm:upper_skin right-arm:upper_skin bag:background scarf:upper_clothes"
    ),
    "lip": (
        "background:background hat:hair hair:hair glove:upper_skin sunglasses:face upper-clothes:upper_clothes "
        "dress:dress coat:upper_clothes socks:leg pants:pants jumpsuits:dress scarf:upper_clothes skirt:dress "
        "face:face left-arm:upper_skin right-arm:upper_skin left-leg:leg right-leg:leg left-shoe:leg right-shoe:leg"
    ),
    "cihp": (
        "background:background hat:hair hair:hair glove:upper_skin sunglasses:face upper-clothes:upper_clothes "
        "dress:dress coat:upper_clothes socks:leg pants:pants torso-skin:upper_skin scarf:upper_clothes skirt:dress "
        "face:face left-arm:upper_skin right-arm:upper_skin left-leg:leg right-leg:leg left-shoe:leg right-shoe:leg"
    ),
    # Parts of the body, clothed or not: what people wear on them most is what they count for.
    "pascal": (
        "background:background head:face torso:upper_clothes upper-arms:upper_skin lower-arms:upper_skin "
        "upper-legs:pants lower-legs:leg"
    ),
    "fashn": (
        "background:background face:face hair:hair top:upper_clothes dress:dress skirt:dress pants:pants "
        "belt:upper_clothes bag:background hat:hair scarf:upper_clothes glasses:face arms:upper_skin hands:upper_skin "
        "legs:leg feet:leg torso:upper_skin jewelry:upper_skin"
    ),
}

#: Name of a set -> names of its labels, in order.
LABEL_NAMES = {name: tuple(entry.partition(":")[0] for entry in entries.split()) for name, entries in _SETS.items()}
#: Name of a set -> (labels,) uint8, the region of each label.
LABEL_SETS = {
    name: np.array([REGION[entry.partition(":")[2]] for entry in entries.split()], np.uint8)
    for name, entries in _SETS.items()
}


def label_set(name: str) -> np.ndarray:
    """The region of each label of a set, (labels,) uint8.

    Raises:
        InputError: if there is no such set.
    """
    if name not in LABEL_SETS:
        raise InputError(f"no table is called {name!r}; there are {', '.join(LABEL_SETS)}")
    return LABEL_SETS[name]


def regions_of_names(names: Sequence[str]) -> np.ndarray:
    """The region of each of a parser's labels, (labels,) uint8, by what it calls them: order does not count.

    Raises:
        InputError: if no set knows all of the names.
    """
    words = [_words(name) for name in names]
    best: list[str] = list(names)
    for known, regions in ((LABEL_NAMES[name], LABEL_SETS[name]) for name in LABEL_SETS):
        table = {_words(label): region for label, region in zip(known, regions, strict=True)}
        strange = [name for name, word in zip(names, words, strict=True) if word not in table]
        if not strange:
            return np.array([table[word] for word in words], np.uint8)
        best = min(best, strange, key=len)
    shown = ", ".join(str(name) for name in best[:4]) + (", …" if len(best) > 4 else "")
    raise InputError(f"has labels that are not known here: {shown}; known are those of {', '.join(LABEL_SETS)}")


def same_labels(names: Sequence[str]) -> str | None:
    """The set that has these labels in this order; None if there is none."""
    words = [_words(name) for name in names]
    return next((name for name, known in LABEL_NAMES.items() if [_words(label) for label in known] == words), None)


def merge(labels: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """(H, W) labels of a parser -> (H, W) uint8 regions.

    Args:
        labels: whole numbers.
        regions: the region of each label.

    Raises:
        InputError: if a label is beyond the table.
    """
    if labels.size and labels.min() < 0:
        raise InputError(f"holds the label {labels.min()}; labels begin at 0")
    if labels.size and labels.max() >= len(regions):
        raise InputError(f"holds the label {labels.max()}, the table goes to {len(regions) - 1}")
    return regions[labels.astype(np.intp)]


def _words(name: object) -> tuple[str, ...]:
    """ "Left-arm", "left_arm" and "arm left" are the same."""
    return tuple(sorted(re.findall(r"[a-z]+", str(name).lower())))
