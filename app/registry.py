"""All sessions of a server, bounded in count and in time."""

import secrets
import threading
import time
from collections import OrderedDict
from typing import Any

from app.session import Session
from pise_core.errors import InputError


class Sessions:
    """All sessions of a server, by the page that owns them; the least recently used go first."""

    def __init__(self, limit: int = 32, idle_seconds: float = 3600) -> None:
        self._limit, self._idle = limit, idle_seconds
        self._by_owner: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, owner: str) -> Session:
        """The page's session, a new one if it has none (any more)."""
        with self._lock:
            session = self._by_owner.pop(owner, None) or Session()
            self._by_owner[owner] = session
            session.used = time.monotonic()
            self._sweep()
            return session

    def by_token(self, token: Any) -> Session:
        """The session with that token.

        Raises:
            InputError: if there is none (any more).
        """
        with self._lock:
            for owner, session in self._by_owner.items():
                if isinstance(token, str) and secrets.compare_digest(session.token.encode(), token.encode()):
                    self._by_owner.move_to_end(owner)
                    session.used = time.monotonic()
                    return session
        raise InputError("this page has been idle for too long; reload it and open the photo again")

    def close(self, owner: str | None = None) -> None:
        """Forget one page's session, or all of them."""
        with self._lock:
            owners = list(self._by_owner) if owner is None else [owner] if owner in self._by_owner else []
            for name in owners:
                self._by_owner.pop(name).close()

    def __len__(self) -> int:
        return len(self._by_owner)

    def _sweep(self) -> None:
        oldest_allowed = time.monotonic() - self._idle
        while self._by_owner:
            owner, session = next(iter(self._by_owner.items()))
            if len(self._by_owner) <= self._limit and session.used >= oldest_allowed:
                return
            self._by_owner.pop(owner).close()
