"""One history for every kind of edit."""

from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import pairwise
from typing import Any

from pise_core.document.edits import Edits
from pise_core.errors import InputError

#: Steps that can be undone.
HISTORY_LIMIT = 100


class History:
    """The states of the edits, and which of them is the current one.

    Args:
        steps: one state at least, the oldest first.
        position: index of the current one.
    """

    def __init__(self, steps: Sequence[Edits] = (Edits(),), position: int = 0) -> None:
        self._steps, self._position = list(steps), position

    @property
    def steps(self) -> list[Edits]:
        """All states, a copy of the list."""
        return list(self._steps)

    @property
    def position(self) -> int:
        """Index of the current state."""
        return self._position

    @property
    def current(self) -> Edits:
        return self._steps[self._position]

    @property
    def can_undo(self) -> bool:
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        return self._position + 1 < len(self._steps)

    def commit(self, **changes: Any) -> Edits:
        """Replace fields of the current state as one step; what could have been redone is gone. What changes nothing is
        no step."""
        wanted = replace(self.current, **changes)
        if wanted.same(self.current):
            return self.current
        self._steps[self._position + 1 :] = [wanted]
        del self._steps[: -HISTORY_LIMIT - 1]
        self._position = len(self._steps) - 1
        return self.current

    def undo(self) -> bool:
        """One step back; False if there is none."""
        moved = self.can_undo
        self._position -= moved
        return moved

    def redo(self) -> bool:
        """One step forward again; False if there is none."""
        moved = self.can_redo
        self._position += moved
        return moved

    def go(self, position: int) -> bool:
        """Straight to the state at an index; False if it is the current one.

        Raises:
            InputError: if there is no such state.
        """
        if not 0 <= position < len(self._steps):
            raise InputError(f"the history has steps 0 to {len(self._steps) - 1}")
        moved = position != self._position
        self._position = position
        return moved

    @property
    def changes(self) -> list[str]:
        """What each step but the first state has changed, one of :data:`pise_core.document.edits.CHANGES`."""
        return [after.change_from(before) for before, after in pairwise(self._steps)]

    @property
    def borrowed_from(self) -> set[str]:
        """Ids of the references that any state borrows from."""
        mixed = {key for edits in self._steps for mix in edits.styles.values() for key in mix}
        return mixed.union(*(edits.wear.values() for edits in self._steps))

    def forget_references(self, keys: Set[str]) -> None:
        """Take references that are no more out of all states."""
        for number, edits in enumerate(self._steps):
            self._steps[number] = edits.without(keys)
