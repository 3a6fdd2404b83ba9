"""All sessions of a server, bounded in count and in time."""

import secrets
import threading
import time
from collections import OrderedDict
from typing import Any

from app.state.session import EXPIRED, Session
from pise_core.errors import InputError


class Sessions:
    """The sessions of a server, by their tokens; those without a photo go first, then the least recently used.

    A page owns one session. A page that is loaded anew is another page with the same session: it brings the token.

    Args:
        limit: how many there may be.
        idle_seconds: one that was not used for so long goes.
        grace_seconds: one whose page has gone waits so long for the page to be loaded anew.
    """

    def __init__(self, limit: int = 32, idle_seconds: float = 3600, grace_seconds: float = 600) -> None:
        self._limit, self._idle, self._grace = limit, idle_seconds, grace_seconds
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._owners: dict[str, str] = {}  # page -> token
        self._seen: dict[str, float] = {}  # page -> when it was last heard of
        self._lock = threading.Lock()
        self._sweeper: threading.Timer | None = None

    def of(self, owner: str) -> Session:
        """The page's session, a new one if it has none (any more).

        Raises:
            InputError: if ``owner`` is empty.
        """
        if not owner:
            raise InputError("this request belongs to no session; use gradio_client, or send a session_hash")
        with self._lock:
            session = self._sessions.get(self._owners.get(owner, "")) or Session()
            self._give(owner, session)
            return session

    def knows(self, owner: str) -> bool:
        """Whether the page has a session."""
        with self._lock:
            return self._owners.get(owner) in self._sessions

    def new(self) -> Session:
        """A session that no page owns: whoever knows its token has it, until it was idle for too long."""
        with self._lock:
            session = Session()
            self._keep(session)
            return session

    def adopt(self, owner: str, token: Any) -> Session:
        """The session with that token for a page that was loaded anew; the page's own, or a new one, if it is gone."""
        with self._lock:
            session = self._find(token)
            if session is not None and owner:
                self._give(owner, session)
                return session
        return self.of(owner)

    def by_token(self, token: Any) -> Session:
        """The session with that token.

        Raises:
            InputError: if there is none (any more).
        """
        with self._lock:
            session = self._find(token)
            if session is None:
                raise InputError(EXPIRED)
            self._use(session)
            return session

    def forget(self, session: Session) -> None:
        """Forget a session at once."""
        with self._lock:
            if session.token in self._sessions:
                self._forget(session.token)

    def leave(self, owner: str) -> None:
        """The page has gone, or a phone has only been locked: forget its session, unless the page is heard of again in
        time, is loaded anew, or another one has it too."""
        if owner in self._owners:
            timer = threading.Timer(self._grace, self._forget_left, [owner, time.monotonic()])
            timer.daemon = True
            timer.start()

    def close(self) -> None:
        """Forget all of them."""
        with self._lock:
            if self._sweeper is not None:
                self._sweeper.cancel()
                self._sweeper = None
            for token in list(self._sessions):
                self._forget(token)

    def __len__(self) -> int:
        return len(self._sessions)

    def _find(self, token: Any) -> Session | None:
        sent = token.encode() if isinstance(token, str) else b""
        return next((s for t, s in self._sessions.items() if secrets.compare_digest(t.encode(), sent)), None)

    def _give(self, owner: str, session: Session) -> None:
        self._owners[owner] = session.token
        self._seen[owner] = time.monotonic()
        self._keep(session)

    def _keep(self, session: Session) -> None:
        self._sessions.setdefault(session.token, session)
        self._use(session)
        self._forget_idle()
        others = [(token, other) for token, other in self._sessions.items() if other is not session]
        others.sort(key=lambda item: item[1].photo is not None)  # stable: the oldest first among its like
        for token, _ in others[: max(0, len(self._sessions) - self._limit)]:
            self._forget(token)

    def _forget_idle(self) -> None:
        oldest_allowed = time.monotonic() - self._idle
        for token in [token for token, session in self._sessions.items() if session.used < oldest_allowed]:
            self._forget(token)
        if self._sessions and self._sweeper is None:
            # A program that is cut off says no goodbye.
            self._sweeper = threading.Timer(max(1.0, self._idle / 4), self._sweep)
            self._sweeper.daemon = True
            self._sweeper.start()

    def _sweep(self) -> None:
        with self._lock:
            self._sweeper = None
            self._forget_idle()

    def _use(self, session: Session) -> None:
        self._sessions.move_to_end(session.token)
        session.used = time.monotonic()

    def _forget_left(self, owner: str, left: float) -> None:
        with self._lock:
            if self._seen.get(owner, 0.0) > left:
                return
            self._seen.pop(owner, None)
            token = self._owners.pop(owner, None)
            if token in self._sessions and token not in self._owners.values():
                self._forget(token)

    def _forget(self, token: str) -> None:
        self._sessions.pop(token).close()
        self._owners = {owner: t for owner, t in self._owners.items() if t != token}
        self._seen = {owner: at for owner, at in self._seen.items() if owner in self._owners}
