"""The thread that all passes of networks are made in.

What oneDNN has prepared for a layer it keeps for every thread that asked for it: more than 20 MB for the networks that
ship. A server has dozens of threads, of which any may answer a visitor.
"""

import contextvars
import functools
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
T = TypeVar("T")


class _There:
    """One thread, which begins with the first call."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "networks")
        self._known = threading.local()

    def __call__(self, work: Callable[[], T]) -> T:
        if getattr(self._known, "there", False):
            return work()
        return self._pool.submit(self._work, torch.get_num_threads(), contextvars.copy_context(), work).result()

    def _work(self, threads: int, context: contextvars.Context, work: Callable[[], T]) -> T:
        self._known.there = True
        if torch.get_num_threads() != threads:  # a setting of its own in every thread
            torch.set_num_threads(threads)
        return context.run(work)


_there = _There()


def _begin_again() -> None:
    """A process that was forked off has none of the threads."""
    global _there
    _there = _There()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_again)


def in_one_thread(function: Callable[P, T]) -> Callable[P, T]:
    """The function, carried out in that thread; the caller waits. Gradients are off there, and so is autocasting,
    unless the function turns them on. It must wait for nothing that its caller may hold."""

    @functools.wraps(function)
    def called(*arguments: P.args, **named: P.kwargs) -> T:
        def work() -> T:
            with torch.no_grad():
                return function(*arguments, **named)

        return _there(work)

    return called
