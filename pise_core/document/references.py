"""Other people, garments and saved looks, whose textures may be borrowed."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from pise_core.errors import InputError
from pise_core.person import Person, SavedPerson
from pise_core.regions import GARMENTS, REGION, REGIONS

K = TypeVar("K")
#: In sight, and with those that were removed and may come back.
REFERENCE_LIMIT, KEPT_LIMIT = 32, 64
#: A reference's photo that is far finer than the network's frame, in which its textures are seen, is kept only so fine.
FINER, FAR_FINER = 3, 4
#: Long side of what is rendered while the user drags.
PREVIEW_SIDE = 640


@dataclass(frozen=True, eq=False)
class Reference:
    """Whose textures may be borrowed: ``person`` as large as textures need, ``preview`` at preview size."""

    name: str
    person: Person
    preview: Person


class References(Mapping[str, Reference]):
    """The references in sight by their ids, ``r1``, ``r2`` and so on, in the order in which they came.

    No id is given twice. A reference that was removed is out of sight but kept, for that can be undone, and other
    documents may borrow from it; only when there are too many of those the oldest ones are forgotten.

    Attributes:
        kept: all of them, those out of sight included.
        removed: ids of those out of sight; of every document they are others (:attr:`Edits.removed`).
    """

    def __init__(self) -> None:
        self.kept: dict[str, Reference] = {}
        self.removed: frozenset[str] = frozenset()
        self._newest = 0

    def __getitem__(self, key: str) -> Reference:
        if key in self.removed:
            raise KeyError(key)
        return self.kept[key]

    def __iter__(self) -> Iterator[str]:
        removed = self.removed
        return iter([key for key in list(self.kept) if key not in removed])  # another thread may add one meanwhile

    def __len__(self) -> int:
        return len(list(iter(self)))

    def add(self, name: str, person: Person, key: str | None = None) -> str:
        """Returns the reference's id, which is ``key`` for one that was there before, in a file or with other weights.

        Raises:
            InputError: if there are too many.
        """
        if key is None:
            if len(self) >= REFERENCE_LIMIT:
                raise InputError(f"there are {REFERENCE_LIMIT} references already; remove one first")
            for old in [k for k in list(self.kept) if k in self.removed][: max(0, len(self.kept) + 1 - KEPT_LIMIT)]:
                del self.kept[old]
            self._newest += 1
            key = f"r{self._newest}"
        if person.framing.scale < 1 / FAR_FINER:
            side = math.ceil(FINER * person.framing.scale * max(person.photo.shape[:2]))
            # Looked at again, they are the same as after the document was saved and opened again.
            person = SavedPerson.of(person.scaled(side)).known_to(person.editor)
        self.kept[key] = Reference(name, person, person.scaled(PREVIEW_SIDE))
        self._newest = max(self._newest, int(key[1:]))
        return key

    def rest(self) -> None:
        """Let go of what is quickly made again of all that are kept."""
        for reference in list(self.kept.values()):
            reference.person.rest()
            reference.preview.rest()

    def remove(self, key: Any) -> None:
        """Put a reference out of sight.

        Raises:
            InputError: if there is no such reference in sight.
        """
        if not isinstance(key, str) or key not in self:
            raise InputError("that reference is gone already")
        self.removed |= {key}


def wearable(
    parsing: np.ndarray, styles: Mapping[str, Mapping[K, float]]
) -> tuple[dict[str, dict[K, float]], dict[str, K]]:
    """Styles in two: those that have something to lie on in a map (H, W), and garments that there are none of, which
    are to be worn: region -> whose share is the greatest."""
    there = set(np.unique(parsing).tolist())
    worn, rest = {}, {}
    for region, mix in styles.items():
        if region in GARMENTS and REGION[region] not in there and any(mix.values()):
            worn[region] = max(mix, key=lambda key: mix[key])
        else:
            rest[region] = dict(mix)
    return rest, worn


def checked_wear(wear: Any, references: Mapping[str, Reference]) -> dict[str, str]:
    """What is worn as ``Edits`` keeps it: ``{region: id of a reference}``.

    Raises:
        InputError: on a region that is no garment, an unknown reference, or one that lacks the region.
    """
    if not isinstance(wear, Mapping) or not wear.keys() <= set(GARMENTS):
        raise InputError(f"what can be worn is {', '.join(GARMENTS)}; give {{region: id of a reference}}")
    for region, key in wear.items():
        if not isinstance(key, str) or key not in references:
            raise InputError("that reference is gone; choose another one")
        if not references[key].person.lends(REGION[region]):
            raise InputError(f"reference {key} shows no {region.replace('_', ' ')} to wear; choose another one")
    return dict(wear)


def checked_styles(styles: Any, references: Mapping[str, Reference]) -> dict[str, dict[str, float]]:
    """Styles as ``Edits`` keeps them: ``{region: {id of a reference: weight}}``.

    Raises:
        InputError: on an unknown region or reference, a reference that lacks the region, or weights that are not from
            0 to 1 and at most 1 in all.
    """
    if not isinstance(styles, Mapping):
        raise InputError("styles are given as {region: {id of a reference: weight}}")
    checked = {}
    for region, mix in styles.items():
        if region not in REGIONS[1:]:
            raise InputError(f"textures can be borrowed for: {', '.join(REGIONS[1:])}")
        if not isinstance(mix, Mapping) or not mix.keys() <= references.keys():
            raise InputError("that reference is gone; choose another one")
        for key, weight in mix.items():
            if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
                raise InputError("a texture is mixed with a weight from 0 to 1")
            if weight > 0 and not references[key].person.present[REGION[region]]:
                raise InputError(f"reference {key} has no {region.replace('_', ' ')}; choose another one")
        if sum(mix.values()) > 1 + 1e-6:
            raise InputError("the weights of a region's textures sum to at most 1")
        checked[region] = {key: float(weight) for key, weight in mix.items()}
    return checked
