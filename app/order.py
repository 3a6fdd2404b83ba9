"""Edits in the order in which they were made: requests may overtake each other on their way to the server."""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

#: Seconds that an edit waits for the one before it, which may be lost.
PATIENCE = 5.0


class _Waiting(NamedTuple):
    after: int
    since: float
    edit: Callable[[], Any]


class Order:
    """What one page asks for. Each edit has a number and names that of the edit before it."""

    def __init__(self) -> None:
        self._done = 0
        self._waiting: dict[int, _Waiting] = {}
        self._lock = threading.Lock()

    def arrive(self, number: int, after: int, edit: Callable[[], Any]) -> list[Callable[[], Any]]:
        """An edit came. Returns what is to be carried out now, in order: nothing if the edit before it is still on its
        way, else this one and those that waited for it."""
        with self._lock:
            now, due = time.monotonic(), []
            self._waiting[number] = _Waiting(after, now, edit)
            while self._waiting:
                first = min(self._waiting)
                waiting = self._waiting[first]
                if waiting.after > self._done and now - waiting.since < PATIENCE:
                    break
                due.append(self._waiting.pop(first).edit)
                self._done = max(self._done, first)
            return due
