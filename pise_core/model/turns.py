"""Whose turn it is at the networks: a lock that is held for one pass, and given to what is most urgent."""

import heapq
import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from types import TracebackType

#: Seconds that work of one kind is let in front of the next kind; who has waited longer comes first, so that nobody
#: waits for ever.
HEAD_START = 10.0


class Kind(IntEnum):
    """What a pass is for, the most urgent first."""

    DRAG = 0  # a preview: somebody's hand is on it
    EXACT = 1  # a picture at full size
    OPENING = 2  # a photo is looked at
    BATCH = 3  # one of many pictures


_kind: ContextVar[Kind] = ContextVar("kind", default=Kind.EXACT)


@contextmanager
def working_for(kind: Kind) -> Iterator[None]:
    """Passes in the block are of that kind; elsewhere they are :attr:`Kind.EXACT`."""
    before = _kind.set(kind)
    try:
        yield
    finally:
        _kind.reset(before)


def urgency(kind: Kind) -> float:
    """When work of a kind that comes now is to be done: what has the smallest one is done first."""
    return time.monotonic() + HEAD_START * kind


class Turns:
    """A reentrant lock whose waiting threads get it by :func:`urgency`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int]] = []  # a heap
        self._numbers = itertools.count()
        self._owner: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._changed:
            if self._owner != me:
                place = urgency(_kind.get()), next(self._numbers)
                heapq.heappush(self._waiting, place)
                try:
                    self._changed.wait_for(lambda: self._owner is None and self._waiting[0] == place)
                finally:
                    self._waiting.remove(place)
                    heapq.heapify(self._waiting)
                self._owner = me
            self._depth += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._depth -= 1
            if not self._depth:
                self._owner = None
                self._changed.notify_all()
