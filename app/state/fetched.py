"""A detector that is fetched from a hub: once for everybody, and beside all other work."""

import threading
from collections.abc import Callable, Generator
from typing import Any

#: Seconds between two looks at how far it is.
_PAUSE = 0.5


class Fetched:
    """One such detector. Safe across threads.

    Args:
        make: fetches and loads it, and calls what it is given with the share that is there.
    """

    def __init__(self, make: Callable[[Callable[[float], None]], Any]) -> None:
        self._make = make
        self._made: Any = None
        self._error: Exception | None = None
        self._share = 1.0
        self._work: threading.Thread | None = None
        self._lock = threading.Lock()

    def fetch(self) -> Generator[float, None, None]:
        """Fetch and load it, if that isn't done; meanwhile now and then the share that is there: 1 before and after the
        download.

        Whoever doesn't go on with this does not stop it: others may wait for it too, and it is there the next time.
        """
        with self._lock:
            if self._made is None and self._work is None:
                self._share = 1.0
                self._work = threading.Thread(target=self._run, daemon=True)
                self._work.start()
            work = self._work
        while work is not None and work.is_alive():
            yield self._share
            work.join(_PAUSE)

    def get(self) -> Any:
        """The detector.

        Raises:
            Exception: what came of fetching it the last time.
        """
        while self._made is None:
            if self._error is not None:
                raise self._error
            for _ in self.fetch():
                pass
        return self._made

    def _run(self) -> None:
        try:
            self._made = self._make(self._tell)
        except Exception as error:
            self._error = error
        finally:
            self._work = None

    def _tell(self, share: float) -> None:
        self._share = share
