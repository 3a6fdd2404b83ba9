"""What the networks answered last about one person, so that no question is computed twice.

A preview and the picture that follows it ask the same of the networks: both work in the same frame, for the same pose.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class Answers:
    """The newest answers by their questions. Threads that ask the same at once share one computation.

    Args:
        networks: held while an answer is computed: one pass at a time is quickest where all cores work at it.
        kept: how many answers of each kind are kept; the picture of one frame takes about a megabyte.
    """

    def __init__(self, networks: AbstractContextManager[Any] | None = None, kept: int = 2) -> None:
        self._networks, self._kept = networks or nullcontext(), kept
        self._known: dict[str, OrderedDict[bytes, Any]] = {}
        self._lock = threading.RLock()

    def of(self, kind: str, question: Iterable[np.ndarray | int], compute: Callable[[], T]) -> T:
        """The answer to a question, computed unless it is known.

        Args:
            kind: which network is asked.
            question: everything that its answer depends on, but for what never changes about a person.
            compute: gives the answer, which nobody may change afterwards.
        """
        digest = hashlib.blake2b(digest_size=16)
        for part in question:
            array = np.ascontiguousarray(part)
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(array.data)
        key = digest.digest()
        with self._lock:
            known = self._known.setdefault(kind, OrderedDict())
            if key not in known:
                with self._networks:
                    known[key] = compute()
                while len(known) > self._kept:
                    known.popitem(last=False)
            known.move_to_end(key)
            return known[key]

    def forget(self) -> None:
        """Let go of all answers; what is asked again is computed again, and is the same."""
        with self._lock:
            self._known.clear()

    def __reduce__(self) -> tuple[type["Answers"], tuple[None, int]]:
        """Copies begin with no answers."""
        return Answers, (None, self._kept)
