"""What all actions share: the one editor of the server, and who looks at photos with it."""

import threading
from collections.abc import Callable
from typing import Any

from app.detectors import Detectors


class Engine:
    """Loads the editor on first use. ``load_editor`` makes it."""

    def __init__(self, load_editor: Callable[[], Any]) -> None:
        self._load_editor = load_editor
        self._editor: Any = None
        self._loading = threading.Lock()
        self._detectors = Detectors(self.load)

    def load(self) -> Any:
        """The editor."""
        with self._loading:
            if self._editor is None:
                self._editor = self._load_editor()
            return self._editor
