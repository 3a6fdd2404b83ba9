"""Other people, garments and saved looks, whose textures may be borrowed."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pise_core.errors import InputError

if TYPE_CHECKING:
    from pise_core.person import Person

REFERENCE_LIMIT = 32
#: A reference's photo is kept at most so much finer than the network's frame, in which its textures are seen.
FINER = 3
#: Long side of what is rendered while the user drags.
PREVIEW_SIDE = 640


@dataclass(frozen=True, eq=False)
class Reference:
    """Whose textures may be borrowed: ``person`` as large as textures need, ``preview`` at preview size."""

    name: str
    person: "Person"
    preview: "Person"


class References(Mapping[str, Reference]):
    """The references by their ids, ``r1``, ``r2`` and so on, in the order in which they came."""

    def __init__(self) -> None:
        self._all: dict[str, Reference] = {}

    def __getitem__(self, key: str) -> Reference:
        return self._all[key]

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._all))  # another thread may add one meanwhile

    def __len__(self) -> int:
        return len(self._all)

    def add(self, name: str, person: "Person", key: str | None = None) -> str:
        """Returns the reference's id, which is ``key`` if that is given.

        Raises:
            InputError: if there are too many.
        """
        if len(self._all) >= REFERENCE_LIMIT:
            raise InputError(f"there are {REFERENCE_LIMIT} references already; remove one first")
        key = key or f"r{1 + max((int(k[1:]) for k in self._all), default=0)}"
        person = person.scaled(math.ceil(FINER * person.framing.scale * max(person.photo.shape[:2])))
        self._all[key] = Reference(name, person, person.scaled(PREVIEW_SIDE))
        return key

    def remove(self, key: Any) -> None:
        """Forget a reference.

        Raises:
            InputError: if there is no such reference.
        """
        if not isinstance(key, str) or self._all.pop(key, None) is None:
            raise InputError("that reference is gone already")
