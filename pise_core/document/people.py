"""The people of a document: each has edits and a history of their own."""

from collections.abc import Mapping

from pise_core.document.edits import Edits
from pise_core.document.file_format import SavedEdits
from pise_core.document.history import History
from pise_core.document.references import Reference
from pise_core.document.renderer import Renderer
from pise_core.person import Person, SavedPerson


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

    def saved(self) -> SavedEdits:
        """All that is kept of the person in a file."""
        return SavedEdits(SavedPerson.of(self.person), self.chosen, self.history.steps, self.history.position)
