"""The ``.pise`` file: a document in a zip of JSON and PNG, to be opened again here or read by anybody.

====================== =============================================================================
``document.json``      format, version, name, the person who is edited, with history and position; the others whose
                       edits are kept; everybody who was found; references
``photo.png``          the photo at full size
``parsing.png``        its regions, mode P
``held.png``           what the person holds, mode L: n where the nth thing is, and 16 times the region that the body
                       has there, 0 elsewhere; only where there is any
``references/N.png``   the photo of the Nth reference, and ``references/N-parsing.png`` its regions
``people/N.png``       the regions of the Nth of the others, mode P, and ``people/N-held.png`` what they hold
``paint/N.png``        the Nth layer of all histories, painted or taken away, mode L: a region 0..7, or 255 elsewhere;
                       of held things 1 where one is and 0 where there is none
====================== =============================================================================

Written by :mod:`pise_core.document.file_writer`, opened by :mod:`pise_core.document.file_reader`, which brings older
ones to the newest version first (:mod:`pise_core.document.migrations`).
"""

import struct
from dataclasses import dataclass, replace

from pise_core.document.edits import Edits
from pise_core.document.history import HISTORY_LIMIT
from pise_core.document.paint import WORKING_SIDE
from pise_core.framing import Box
from pise_core.images import MAX_PIXELS
from pise_core.person import SavedPerson

FORMAT = "pise-studio"
#: People of one photo whose edits a document keeps.
PEOPLE_LIMIT = 24
#: Of the file, and of all that is in it.
MAX_DOCUMENT_BYTES = 200_000_000
MAX_JSON_BYTES = 4_000_000
#: Of all its pictures together, photos with their regions and painted layers: enough for eight references in photos of
#: the largest kind, and for far more in photos that their person fills, which are kept smaller.
MAX_DOCUMENT_PIXELS = 2 * 9 * MAX_PIXELS + 2 * (HISTORY_LIMIT + 1) * WORKING_SIDE**2


@dataclass(frozen=True, eq=False)
class SavedEdits:
    """Somebody else in the photo, and all that is asked of them.

    Attributes:
        person: who it is; the photo is that of the document.
        chosen: index of the person among everybody found.
        history: the steps; ``position`` is the index of the current one.
    """

    person: SavedPerson
    chosen: int
    history: list[Edits]
    position: int


@dataclass(frozen=True, eq=False)
class SavedDocument:
    """What a ``.pise`` file holds.

    Attributes:
        name: of the photo, without suffix; files are named after it.
        person: who is edited.
        boxes: everybody found in the photo, in its pixels; ``chosen`` is the index of who is edited.
        references: id -> name and person, in sight or borrowed from by some step.
        history: the steps; ``position`` is the index of the current one.
        others: other people in the photo, with their edits; ``edited`` is the place of ``person`` among all of them.
        backend: what ran the networks when it was saved; another one may make pictures of other bytes. Empty where no
            network has seen the person.
        background: which network continued backgrounds then, as ``Editor.background_name``.
    """

    name: str
    person: SavedPerson
    boxes: list[Box]
    chosen: int
    references: dict[str, tuple[str, SavedPerson]]
    history: list[Edits]
    position: int
    others: tuple[SavedEdits, ...] = ()
    edited: int = 0
    backend: str = ""
    background: str = ""

    @property
    def people(self) -> list[SavedPerson]:
        """The person, those of the references in their order, and the others."""
        references = (person for _, person in self.references.values())
        return [self.person, *references, *(other.person for other in self.others)]

    def without_removed(self) -> "SavedDocument":
        """The same without the references that are out of sight now, which only an undo would bring back."""
        gone = self.history[self.position].removed
        rest = {key: reference for key, reference in self.references.items() if key not in gone}
        others = tuple(replace(o, history=[edits.without(gone) for edits in o.history]) for o in self.others)
        return replace(self, references=rest, history=[edits.without(gone) for edits in self.history], others=others)


def pixels_of(data: bytes) -> int:
    """How many a PNG holds, from its first 24 bytes.

    Raises:
        ValueError: if they are not those of a PNG.
    """
    if len(data) < 24 or data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise ValueError("no PNG")
    width, height = struct.unpack_from(">2I", data, 16)
    return width * height
