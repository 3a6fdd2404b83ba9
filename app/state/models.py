"""What all actions share: the editors of the server, the line before them, and who looks at photos with them."""

import os
import threading
from collections.abc import Callable, Mapping
from typing import Any

from app.state.detectors import Detectors
from app.state.queueing import Line
from app.state.session import DEFAULT_BACKGROUND, DEFAULT_WEIGHTS, Session
from pise_core.person import SavedPerson


class Engine:
    """Loads each editor on first use.

    Args:
        load_editor: makes the one that sessions begin with, and that finds people.
        others: what makes further ones, by the names under which their weights can be chosen.

    Attributes:
        line: of all that needs the networks.
        detectors: who find people, joints and regions.
    """

    def __init__(self, load_editor: Callable[[], Any], others: Mapping[str, Callable[[], Any]] | None = None) -> None:
        self._loaders = {DEFAULT_WEIGHTS: load_editor, **(others or {})}
        self._editors: dict[tuple[str, str], Any] = {}
        self._loading = threading.Lock()
        self.detectors = Detectors(self.load)
        # The networks work for one at a time; what is carried and put together for another one goes on meanwhile.
        self.line = Line(room=min(4, os.cpu_count() or 1))

    @property
    def weights(self) -> tuple[str, ...]:
        """The names to choose from, the default first."""
        return tuple(self._loaders)

    def load(self, weights: str = DEFAULT_WEIGHTS, background: str = DEFAULT_BACKGROUND) -> Any:
        """The editor with these weights, and with one of ``detectors.BACKGROUNDS``.

        Raises:
            HubUnreachable: if the background has to be fetched and can't be.
            InputError: if weights are missing or damaged, or the background can't be run here.
        """
        inpainter = self.detectors.inpainter(background)
        with self._loading:
            if (weights, DEFAULT_BACKGROUND) not in self._editors:
                self._editors[weights, DEFAULT_BACKGROUND] = self._loaders[weights]()
            if (weights, background) not in self._editors:
                own = self._editors[weights, DEFAULT_BACKGROUND]
                self._editors[weights, background] = own.with_background(inpainter)
            return self._editors[weights, background]

    def editor_of(self, session: Session) -> Any:
        """The editor whose weights and background the session has chosen."""
        return self.load(session.weights, session.background)

    def own(self, session: Session, person: Any) -> Any:
        """A person whom the detectors found, as the session's editor knows them."""
        editor = self.editor_of(session)
        return person if person.editor is editor else SavedPerson.of(person).known_to(editor)
