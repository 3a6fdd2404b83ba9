"""Batches that are made while the step before them is computed."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

import torch

T = TypeVar("T")


class Ahead(Generic[T]):
    """One thread that draws what will be asked for next; to be used in a ``with`` statement.

    What is drawn depends on its description alone, so that it is the same whether it was foreseen or not.

    Args:
        draw: makes what is described by its arguments; it must not use torch's random numbers, which the step that is
            computed meanwhile draws from.
    """

    def __init__(self, draw: Callable[..., T]):
        self._draw = draw
        # The number of threads of a computation is each thread's own.
        self._worker = ThreadPoolExecutor(1, "ahead", torch.set_num_threads, (torch.get_num_threads(),))
        self._foreseen: tuple[tuple, Future[T]] | None = None

    def __enter__(self) -> "Ahead[T]":
        return self

    def __exit__(self, *error: object) -> None:
        self._worker.shutdown(cancel_futures=True)

    def foresee(self, *described: object) -> None:
        """Begin to draw this."""
        self._foreseen = described, self._worker.submit(self._draw, *described)

    def take(self, *described: object) -> T:
        """What is described, or the error that drawing it ended in; something else that was foreseen is dropped."""
        foreseen, self._foreseen = self._foreseen, None
        if foreseen is None or foreseen[0] != described:
            if foreseen is not None:
                foreseen[1].cancel()
            return self._worker.submit(self._draw, *described).result()
        return foreseen[1].result()
