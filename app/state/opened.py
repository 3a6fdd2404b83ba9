"""What is open on a page: a photo, whom it shows, and what goes with them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pise_core.document import Document, Edits
from pise_core.document.paint import PaintLayer
from pise_core.document.references import References
from pise_core.framing import Box
from pise_core.person import Person


@dataclass(frozen=True, eq=False)
class Found:
    """Somebody found in the photo: a box in its pixels, and the pose where the detector gave it at once."""

    box: Box
    pose: np.ndarray | None = None

    def moved(self, x: float, y: float) -> "Found":
        """The same one, in a photo to which so many pixels were added at the left and at the top."""
        x0, y0, x1, y1 = self.box
        pose = None if self.pose is None else self.pose + np.array([x, y, 0], np.float32)
        return Found((x0 + x, y0 + y, x1 + x, y1 + y), pose)


class Garment(NamedTuple):
    """A photo (H, W, 3) uint8 of a garment that nobody wears, which the user has not marked yet."""

    name: str
    photo: np.ndarray


class Opened(NamedTuple):
    """A photo that was opened, and all that belongs to it."""

    photo: np.ndarray  # (H, W, 3) uint8
    name: str
    people: list[Found]
    document: Document | None  # None while nobody is chosen in the photo
    references: References
    weights: str
    background: str  # one of ``detectors.BACKGROUNDS``

    @property
    def worked_on(self) -> bool:
        """Whether there is anything that would be lost with it."""
        document = self.document
        if document is None:
            return False
        return document.can_undo or document.can_redo or not document.edits.same(Edits(removed=document.edits.removed))


@dataclass(eq=False)
class Cut:
    """Of whom the page carries the parts, and where pictures of the document lie that are written once.

    Attributes:
        whole: the person at full size.
        side: long side of the parts.
        photo: path of the photo as it was opened.
        behind: path of the picture behind the person.
    """

    whole: Person
    side: int
    photo: str = ""
    behind: str = ""
    #: What was painted of held things, which are part of the person: in the picture behind, and in that of the parts.
    behind_things: PaintLayer | None = None
    _sized: Person | None = None
    _bearing: tuple[PaintLayer, Person] | None = None

    @property
    def person(self) -> Person:
        """At the size for that; kept while the visitor is at work."""
        sized = self._sized or self.whole.scaled(self.side)
        self._sized = sized
        return sized

    def bearing(self, document: Document, edits: Edits) -> Person:
        """The same, holding things as the edits say."""
        if edits.things is None:
            return self.person.holding(edits.held) if edits.held else self.person
        known = self._bearing
        if known is None or known[0] != edits.things:
            known = self._bearing = edits.things, document.holder(edits).scaled(self.side)
        return known[1].holding(edits.held) if edits.held else known[1]

    def rest(self) -> None:
        """Let go of what is quickly made again."""
        self._sized = self._bearing = None


class Moment(NamedTuple):
    """What a session holds at one moment."""

    document: Document
    cut: Cut
    number: int  # of the document
    edit: int  # of the newest edit, which is made by then
