"""The people of a document: each has edits and a history of their own, and all edits are seen in one picture."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.document.edits import Edits
from pise_core.document.file_format import SavedEdits
from pise_core.document.history import History
from pise_core.document.references import Reference
from pise_core.document.renderer import Renderer
from pise_core.masks import window_of
from pise_core.person import Person, SavedPerson


class _Change(NamedTuple):
    """What edits of one person change in the photo: rows and columns, and which pixels there become which."""

    window: tuple[slice, slice]
    mask: np.ndarray  # (h, w) bool
    photo: np.ndarray  # (h, w, 3) uint8

    @classmethod
    def between(cls, before: np.ndarray, after: np.ndarray) -> "_Change | None":
        mask = (before != after).any(2)
        window = window_of(mask, margin=0)
        return None if window is None else cls(window, mask[window].copy(), after[window].copy())

    def over(self, picture: np.ndarray, taken: np.ndarray) -> None:
        """Put it into a picture (H, W, 3) where that is not ``taken`` (H, W) bool, and take what it is put into."""
        free = self.mask & ~taken[self.window]
        picture[self.window][free] = self.photo[free]
        taken[self.window] |= free


class EditedPerson:
    """Somebody in the photo, and all that is asked of them.

    Args:
        person: as ``Editor.set_person`` made them.
        references: whose textures may be borrowed, by id, those out of sight included.
        chosen: index of the person among everybody found in the photo.
        history: by default the photo as it is, with the references out of sight that ``removed`` names.
    """

    def __init__(
        self,
        person: Person,
        references: Mapping[str, Reference],
        chosen: int = 0,
        history: History | None = None,
        removed: frozenset[str] = frozenset(),
    ) -> None:
        self.person, self.chosen = person, chosen
        self.history = history or History([Edits(removed=removed)])
        self.renderer = Renderer(person, references)
        #: (H, W) of the picture -> the edits, and what they change there, as it was asked last.
        self._changes: dict[tuple[int, int], tuple[Edits, _Change | None]] = {}

    def change(self, size: tuple[int, int]) -> _Change | None:
        """What the current edits change in the photo at full size, at preview size, or at another (H, W)."""
        edits = self.history.current
        known = self._changes.get(size)
        if known is None or not known[0].looks_like(edits):
            preview = self.renderer.person(True)
            if edits.none:
                made = None
            elif size == preview.photo.shape[:2] and size != self.person.photo.shape[:2]:
                made = _Change.between(preview.photo, self.renderer.preview(edits))
            else:
                pictures = self.person.photo, self.renderer.render(edits).photo
                made = _Change.between(*(_sized(picture, size) for picture in pictures))
            known = self._changes[size] = edits, made
        return known[1]

    def rest(self) -> None:
        """Let go of what is quickly made again: nobody edits just now."""
        self._changes.clear()
        self.renderer.rest()

    def saved(self) -> SavedEdits:
        """All that is kept of the person in a file."""
        return SavedEdits(SavedPerson.of(self.person), self.chosen, self.history.steps, self.history.position)


def together(people: Sequence[EditedPerson], edited: int, picture: np.ndarray) -> np.ndarray:
    """A picture (h, w, 3) uint8 of the edits of one of the people, with the edits of all others.

    Each is rendered in the photo as it is, and what they change lies over one another, the nearest person in front:
    whose feet are lowest. Nobody's edit is seen over somebody nearer.

    Args:
        people: of one photo.
        edited: index of whose edits the picture shows.
        picture: of any size; it is not changed.
    """
    size = picture.shape[0], picture.shape[1]
    before = _sized(people[edited].person.photo, size)
    out, taken = before.copy(), np.zeros(size, bool)
    for index, one in sorted(enumerate(people), key=lambda item: (item[1].person.box[3], item[0]), reverse=True):
        change = _Change.between(before, picture) if index == edited else one.change(size)
        if change is not None:
            change.over(out, taken)
        taken |= _sized(one.person.full.solid, size) > 0
    return out


def _sized(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A picture, or a map of labels, at (H, W)."""
    if picture.shape[:2] == size:
        return picture
    way = cv2.INTER_AREA if picture.ndim == 3 else cv2.INTER_NEAREST_EXACT
    return cv2.resize(picture, size[::-1], interpolation=way)
