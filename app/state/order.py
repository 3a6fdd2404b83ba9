"""Edits in the order in which they were made: requests may overtake each other on their way to the server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Seconds that an edit waits for the one before it, which may be lost.
PATIENCE = 5.0


class Order:
    """What one page asks for. Each edit has a number and names that of the edit before it.

    Args:
        done: no edit waits for one of that number or a smaller one.
    """

    def __init__(self, done: int = 0) -> None:
        self._done = done
        self._changed = threading.Condition()
        self._doing = threading.Lock()

    @contextmanager
    def turn(self, number: int, after: int) -> Iterator[None]:
        """Wait until the edit before is done, or must be taken for lost; the block is this edit, and no other one of
        the page is made meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: self._done >= after, PATIENCE)
        try:
            with self._doing:
                yield
        finally:
            with self._changed:
                self._done = max(self._done, number)
                self._changed.notify_all()
