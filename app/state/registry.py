"""All sessions of a server, bounded in count and in time."""

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from app.state.memory import give_back
from app.state.places import Places
from app.state.session import EXPIRED, Session
from app.state.visitors import Visitor
from pise_core.errors import InputError

#: How many sessions there may be in which nothing is open: pages that were only looked at, and invented names.
EMPTY = 512
#: Seconds after which the memory of a session that was forgotten goes back to the system.
_FREED = 5.0
#: Seconds without an action after which a session lets go of what is quickly made again.
_REST = 20.0


class Sessions:
    """The sessions of a server, by their tokens.

    A page owns one session. A page that is reloaded is another page with the same session: it brings the token. Work
    takes a place, of which :class:`app.state.places.Places` has so many; a session in which nothing is open needs none.

    Args:
        places: for work.
        idle_seconds: one that was not used for so long goes.
        grace_seconds: one whose page has gone waits so long for the page to be reloaded.
        rest_seconds: one that was not used for so long lets go of what is quickly made again.
    """

    def __init__(
        self,
        places: Places | None = None,
        idle_seconds: float = 3600,
        grace_seconds: float = 600,
        rest_seconds: float = _REST,
    ) -> None:
        self.places = Places() if places is None else places
        self._idle, self._grace = idle_seconds, grace_seconds
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._owners: dict[str, str] = {}  # page -> token
        self._seen: dict[str, float] = {}  # page -> when it was last heard of
        self._lock = threading.RLock()
        self._sweeper: threading.Timer | None = None
        self._rest = rest_seconds
        self._resting: threading.Timer | None = None  # who lets sessions rest

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
        """The session with that token for a page that was reloaded; the page's own, or a new one, if it is gone."""
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

    @contextmanager
    def at_work(self, session: Session, visitor: Visitor, opens: bool = True) -> Iterator[None]:
        """The block is an action on the session, which is not forgotten meanwhile and has a place, as long as it holds
        anything; ``opens`` says whether the action is one that may begin something in an empty one.

        Raises:
            InputError: if there is no place for it now; see :meth:`app.state.places.Places.take`.
        """
        with self._lock:
            if opens:
                if session.token not in self._sessions:
                    raise InputError(EXPIRED)
                self.places.take(session, visitor, lambda other: self._forget(other.token))
            session.busy += 1
            session.resting = False
            session.visitors.add(visitor.cookie)
        try:
            yield
        finally:
            with self._lock:
                session.busy -= 1
                session.used = time.monotonic()
                if not session.busy and session.empty:
                    self.places.drop(session)
                self._rest_later()

    def may_read(self, path: str, visitor: Visitor) -> bool:
        """Whether a visitor may fetch the file at a path: it belongs to a session on which the visitor has acted, or a
        program, which has nothing but the secret address."""
        with self._lock:
            return any(s.holds(path) and s.visitors & {"", visitor.cookie} for s in self._sessions.values())

    def forget(self, session: Session) -> None:
        """Forget a session at once."""
        with self._lock:
            if session.token in self._sessions:
                self._forget(session.token)

    def leave(self, owner: str) -> None:
        """The page has gone, or a phone has only been locked: forget its session, unless the page is heard of again in
        time, is reloaded, or another one has it too."""
        with self._lock:
            session = self._sessions.get(self._owners.get(owner, ""))
            if session is not None and sum(token == session.token for token in self._owners.values()) == 1:
                session.left = time.monotonic()
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
            if self._resting is not None:
                self._resting.cancel()
                self._resting = None
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
        empty = [s for s in self._sessions.values() if s not in self.places and not s.busy and s is not session]
        for other in empty[: max(0, len(empty) - EMPTY + 1)]:
            self._forget(other.token)

    def _forget_idle(self) -> None:
        oldest_allowed = time.monotonic() - self._idle
        for session in list(self._sessions.values()):
            if session.used < oldest_allowed and not session.busy:
                self._forget(session.token)
        if self._sessions and self._sweeper is None:
            # A program that is cut off says no goodbye.
            self._sweeper = threading.Timer(max(1.0, self._idle / 4), self._sweep)
            self._sweeper.daemon = True
            self._sweeper.start()

    def _sweep(self) -> None:
        with self._lock:
            self._sweeper = None
            self._forget_idle()

    def _rest_later(self) -> None:
        if self._resting is None:
            self._resting = threading.Timer(self._rest, self._let_rest)
            self._resting.daemon = True
            self._resting.start()

    def _let_rest(self) -> None:
        with self._lock:
            self._resting = None
            tired = [s for s in self._sessions.values() if not s.resting and not s.empty]
            idle = [s for s in tired if not s.busy and s.used <= time.monotonic() - self._rest]
            for session in idle:
                session.resting = True
            if len(idle) < len(tired):
                self._rest_later()
        for session in idle:
            session.rest()
        if idle:
            give_back()

    def _use(self, session: Session) -> None:
        self._sessions.move_to_end(session.token)
        session.used, session.left = time.monotonic(), None

    def _forget_left(self, owner: str, left: float) -> None:
        with self._lock:
            if self._seen.get(owner, 0.0) > left:
                return
            self._seen.pop(owner, None)
            token = self._owners.pop(owner, None)
            if token in self._sessions and token not in self._owners.values() and not self._sessions[token].busy:
                self._forget(token)

    def _forget(self, token: str) -> None:
        session = self._sessions.pop(token)
        self.places.drop(session)
        held = not session.empty
        session.close()
        if held:  # what it still computes is let go by then
            timer = threading.Timer(_FREED, give_back)
            timer.daemon = True
            timer.start()
        self._owners = {owner: t for owner, t in self._owners.items() if t != token}
        self._seen = {owner: at for owner, at in self._seen.items() if owner in self._owners}
