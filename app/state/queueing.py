"""One after the other: work that would only slow itself down side by side, with a place in line that users are told."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pise_core.model.turns import Kind, urgency, working_for

#: How many requests Gradio hands over at once. Edits find their order themselves; what needs the networks waits in a
#: line of our own, which tells users their place; files are packed beside, and whoever comes is let in. There is room
#: for one of every visitor and for those at the door, who must be told at once that they have to wait: whoever is heard
#: of too late loses the place at the door. A thread that waits costs next to nothing.
AT_ONCE = {"edit": 32, "gpu": 128, "motion": 16, "files": 8, "start": 8}
#: Threads of Gradio: one for each of these, and some that read and write what comes and goes.
THREADS = sum(AT_ONCE.values()) + 24
#: Requests that may wait until Gradio hands them over.
WAITING = 1024

T = TypeVar("T")
_COMPUTING = float("inf")


class Ticket:
    """A place in line: whose it is, when it is due, and whether its work has begun."""

    def __init__(self, owner: object, kind: Kind) -> None:
        self.owner, self.due, self.begun = owner, urgency(kind), False


def _of_one_owner(a: Ticket, b: Ticket) -> bool:
    return a.owner is not None and a.owner is b.owner


class Line:
    """What is most urgent is served first, of one kind who comes first, and the next one when there is room.

    Args:
        room: how many are served at once; of one owner only one.
        patience: seconds after which a place is given up whose owner neither works nor asks any more: the browser that
            it was for has gone, and nobody says goodbye then.
    """

    def __init__(self, patience: float = 10.0, room: int = 1) -> None:
        self._patience, self.room = patience, room
        self._seen: dict[Ticket, float] = {}  # by ticket, in order: when its owner was seen last
        self._changed = threading.Condition()

    def __len__(self) -> int:
        """How many are in line, the one whose turn it is included."""
        return len(self._seen)

    def ahead(self, ticket: Ticket) -> list[Ticket]:
        """Who comes first, but for those beside whom there is room for it. To ask keeps the place."""
        with self._changed:
            if ticket in self._seen:
                self._seen[ticket] = time.monotonic()
            for other, seen in list(self._seen.items()):
                if other is not ticket and seen < time.monotonic() - self._patience:
                    del self._seen[other]
            places = sorted(self._seen, key=lambda place: (not place.begun, place.due))
            before = places[: places.index(ticket)] if ticket in self._seen else []
            if len(before) < self.room and not any(_of_one_owner(other, ticket) for other in before):
                return []
            return before[min(self.room - 1, len(before) - 1) :]

    def steps(
        self,
        work: Iterator[T],
        owner: object = None,
        stopped: Callable[[], bool] = lambda: False,
        kind: Kind = Kind.EXACT,
    ) -> Generator[T | int, None, None]:
        """What ``work`` yields, as soon as it is its turn; before that, how many of others come first, whenever that
        changes. What belongs to the same ``owner`` comes first too, but is not counted. Work that is ``stopped`` while
        it waits is not begun."""
        ticket = self._enter(owner, kind)
        try:
            told = 0
            while before := self.ahead(ticket):
                others = sum(other.owner is None or other.owner is not owner for other in before)
                if others not in (0, told):
                    told = others
                    yield others
                if stopped():
                    return
                self._pause()
            while True:
                self._see(ticket, _COMPUTING)
                try:
                    with working_for(kind):
                        made = next(work)
                except StopIteration:
                    return
                self._see(ticket, time.monotonic())
                yield made
        finally:
            self._leave(ticket)

    @contextmanager
    def turn(self, kind: Kind = Kind.EXACT) -> Iterator[None]:
        """Wait for the turn, and leave at the end of the block."""
        ticket = self._enter(None, kind)
        try:
            while self.ahead(ticket):
                self._pause()
            self._see(ticket, _COMPUTING)
            with working_for(kind):
                yield
        finally:
            self._leave(ticket)

    def _enter(self, owner: object, kind: Kind) -> Ticket:
        ticket = Ticket(owner, kind)
        with self._changed:
            self._seen[ticket] = time.monotonic()
        return ticket

    def _see(self, ticket: Ticket, at: float) -> None:
        with self._changed:
            if ticket in self._seen:
                self._seen[ticket], ticket.begun = at, True

    def _pause(self) -> None:
        with self._changed:
            self._changed.wait(min(0.5, self._patience / 4))

    def _leave(self, ticket: Ticket) -> None:
        with self._changed:
            self._seen.pop(ticket, None)
            self._changed.notify_all()
