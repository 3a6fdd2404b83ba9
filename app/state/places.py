"""Who may have work open: a bounded number of sessions, and whoever comes first is let in first.

A session takes a place when its visitor begins to open something, and gives it back when it is forgotten, or when it
turns out to hold nothing. Nobody who comes later is given the place of one that works, or that was used not long ago.
"""

import time
from collections.abc import Callable, Iterable

from app.state.session import Session
from app.state.visitors import Visitor
from pise_core.errors import InputError


class Full(InputError):
    """There is no place yet.

    Args:
        why: that all are taken, and how many wait before this one.
        ahead: how many others wait before this one.
        seconds: until there may be a place, a guess.

    Attributes:
        waits: what a page says that asks again by itself, while the error's own text tells a program to do so.
    """

    def __init__(self, why: str, ahead: int, seconds: float) -> None:
        super().__init__(f"{why}. Come again in {_about(seconds)}")
        self.waits = f"{why}. This page goes on by itself, in {_about(seconds)}"
        self.ahead, self.seconds = ahead, seconds


class Places:
    """The places, and the line at the door. Its owner locks.

    Args:
        limit: how many there are; half of them at most go to programs, which have no cookie, and half to one address.
        each: how many one visitor may have, in several tabs.
        recent: seconds for which a place is kept after it was used last.
        away: the same for a session whose page has gone.
        patience: seconds after which one who waits is forgotten if not heard of.
    """

    def __init__(
        self, limit: int = 32, each: int = 4, recent: float = 600, away: float = 60, patience: float = 60
    ) -> None:
        self.limit, self._each, self._recent, self._away, self._patience = limit, each, recent, away, patience
        self._taken: dict[Session, Visitor] = {}
        self._door: dict[Session, float] = {}  # in order: when each one was last heard of

    def __len__(self) -> int:
        return len(self._taken)

    @property
    def waiting(self) -> int:
        """How many are at the door."""
        return len(self._door)

    def __contains__(self, session: Session) -> bool:
        return session in self._taken

    def take(self, session: Session, visitor: Visitor, forget: Callable[[Session], None]) -> None:
        """Give the session a place, if it has none; ``forget`` is called with one that has to go for that.

        Raises:
            Full: if there is none yet; the session waits at the door then, as long as this is called again now and
                then.
            InputError: if the visitor has as many as one may have.
        """
        if session in self._taken:
            return
        self._within(visitor, forget)
        now = time.monotonic()
        self._door = {s: at for s, at in self._door.items() if s is session or at > now - self._patience}
        before = next((n for n, other in enumerate(self._door) if other is session), len(self._door))
        free, idle = self.limit - len(self._taken), self._idle(self._taken)
        if before >= free + len(idle):
            self._door[session] = now
            raise self._full(before)
        if before >= free:
            self._give_back(idle[0], forget)
        self._door.pop(session, None)
        self._taken[session] = visitor

    def drop(self, session: Session) -> None:
        """The session has gone, or holds nothing."""
        self._taken.pop(session, None)
        self._door.pop(session, None)

    def _within(self, visitor: Visitor, forget: Callable[[Session], None]) -> None:
        """Hold the visitor, and where it comes from, to their shares."""
        half = max(1, self.limit // 2)
        programs = [s for s, v in self._taken.items() if not v.cookie and v.address == visitor.address]
        address = [s for s, v in self._taken.items() if v.address and v.address == visitor.address]
        if visitor.cookie:
            own = [s for s, v in self._taken.items() if v.cookie == visitor.cookie]
            text = f"you have {self._each} photos open already, in other tabs; go on there, or close one"
            self._room(own, self._each, text, forget)
        else:
            text = f"programs have {half} documents open here already; call close on one that is done"
            self._room(programs, half, text, forget)
        self._room(address, half, f"{half} photos are open from your address already; close one", forget)

    def _room(self, group: list[Session], limit: int, text: str, forget: Callable[[Session], None]) -> None:
        if len(group) < limit:
            return
        idle = self._idle(group)
        if not idle:
            raise InputError(f"{text}, or come again in {_about(self._until(group, 0))}")
        self._give_back(idle[0], forget)

    def _give_back(self, session: Session, forget: Callable[[Session], None]) -> None:
        self.drop(session)
        forget(session)

    def _idle(self, sessions: Iterable[Session]) -> list[Session]:
        """Those whose place may be given away, the one that was used the longest time ago first."""
        now = time.monotonic()
        return sorted((s for s in sessions if self._kept(s) <= now), key=lambda s: s.used)

    def _kept(self, session: Session) -> float:
        """Until when it keeps its place whoever comes."""
        if session.busy:
            return time.monotonic() + self._recent
        return session.used + self._recent if session.left is None else session.left + self._away

    def _until(self, sessions: Iterable[Session], before: int) -> float:
        """Seconds until that many of the sessions and one more may have to go."""
        kept = sorted(self._kept(s) for s in sessions)
        return max(5.0, kept[min(before, len(kept) - 1)] - time.monotonic()) if kept else 5.0

    def _full(self, before: int) -> Full:
        seconds = self._until(self._taken, before)
        others = f"{before} other{'s wait' if before > 1 else ' waits'} before you" if before else "you are next"
        return Full(f"all {self.limit} places are taken; {others}", before, seconds)


def _about(seconds: float) -> str:
    if seconds < 90:
        return f"about {max(10, round(seconds, -1)):.0f} seconds"
    return f"about {round(seconds / 60)} minutes"
