"""How a human parser's labels become eight regions: tables by name, or in a file of one's own.

A table's order says which eight they are (see ``pise_core.model.adapter``): "studio" is ours, "pgn" and "spl8" are
those that the authors of PISE gave. A network knows one order; ``conventions`` translates for the editor.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pise_core.errors import InputError
from pise_core.label_sets import LABEL_SETS, merge
from pise_core.model.config import LABELS
from pise_core.regions import LAST, REGION_COUNT


@dataclass(frozen=True)
class LabelTable:
    """``regions[label]`` is the region's index in the maps of ``order``."""

    regions: np.ndarray  # (labels,) uint8, 0..7
    order: str

    @property
    def plain(self) -> bool:
        """Whether the maps are of our own regions already: then their colours tell, too."""
        return self.order == "studio" and np.array_equal(self.regions, np.arange(REGION_COUNT))

    def merge(self, labels: np.ndarray) -> np.ndarray:
        """(H, W) labels of the parser -> (H, W) uint8 regions.

        Raises:
            InputError: if a label is beyond the table.
        """
        return merge(labels, self.regions)


def _table(regions: str, order: str) -> LabelTable:
    return LabelTable(np.array([int(word) for word in regions.split()], np.uint8), order)


#: "cihp": 20 labels, as PGN, CE2P and others say them. "atr": 18. "regions": nothing is left to merge.
TABLES = {
    **{f"{name}-studio": LabelTable(regions, "studio") for name, regions in LABEL_SETS.items()},
    "regions-studio": LabelTable(np.arange(REGION_COUNT, dtype=np.uint8), "studio"),
    # The authors' own, from issues 2 and 5 of their repository; that for ATR's labels is made after it.
    "cihp-pgn": _table("0 1 1 0 0 2 3 2 7 3 6 0 3 5 6 6 7 7 4 4 0", "pgn"),
    "atr-pgn": _table("0 1 1 0 2 3 3 3 2 4 4 5 7 7 6 6 0 0", "pgn"),
    "regions-pgn": LabelTable(np.arange(REGION_COUNT, dtype=np.uint8), "pgn"),
    # Their later list (issue 20) names the eight but not what each is merged of; this is our reading of it.
    "cihp-spl8": _table("0 1 2 6 7 3 4 3 6 5 6 3 4 7 6 6 6 6 6 6", "spl8"),
    "atr-spl8": _table("0 1 2 7 3 4 5 4 3 6 6 7 6 6 6 6 0 3", "spl8"),
    "regions-spl8": LabelTable(np.arange(REGION_COUNT, dtype=np.uint8), "spl8"),
}


def load_table(name: str) -> LabelTable:
    """A table of ``TABLES`` ("lip" is "lip-studio"), or of a JSON file.

    The file is ``{"order": "studio", "regions": [0, 1, 1, ...]}``.

    Raises:
        InputError: if there is no such table, or the file holds none.
    """
    if name in LABEL_SETS:
        name += "-studio"
    if name in TABLES:
        return TABLES[name]
    path = Path(name)
    if path.suffix != ".json":
        raise InputError(f"no table is called {name!r}; there are {', '.join(TABLES)}, and JSON files")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        regions, order = np.array(found["regions"]), found["order"]
        fits = regions.ndim == 1 and regions.dtype.kind == "i" and regions.min() >= 0 and regions.max() < REGION_COUNT
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, ValueError, KeyError, TypeError):
        fits = False
    if not fits or order not in LABELS:
        raise InputError(
            f'{path} is no table: {{"order": one of {"/".join(LABELS)}, "regions": [numbers 0 to {LAST}]}}'
        )
    return LabelTable(regions.astype(np.uint8), order)
