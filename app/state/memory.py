"""Memory that nobody uses any more goes back to the system, when there is time for it."""

import ctypes
import sys

#: Of glibc's ``malloc.h``.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
#: Pools of memory for all threads together.
_POOLS = 2
#: Bytes at the end of a pool that are kept for what comes next, and from which on a request gets pages of its own; the
#: largest that glibc takes.
_KEPT, _LARGE = 128 << 20, 32 << 20


def few_pools() -> None:
    """Let all threads share few pools. Of other pools than the first one glibc gives nothing back from the end, tens of
    megabytes each, and there would be up to eight for every core.

    Where another library looks after memory, nothing is done.
    """
    _set(_M_ARENA_MAX, _POOLS)


def keep_freed() -> None:
    """Let what is freed stay with the process until :func:`give_back`: every picture and every pass of a network asks
    for the same again, and the system clears each page that it gives, which takes up to a seventh of an edit's time.

    Where another library looks after memory, nothing is done.
    """
    _set(_M_TRIM_THRESHOLD, _KEPT)
    _set(_M_MMAP_THRESHOLD, _LARGE)


def _set(option: int, value: int) -> None:
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(option, value)


def give_back() -> None:
    """Return what was freed: glibc keeps it otherwise, in a pool for every few threads, for requests that may come.

    Where another library looks after memory, nothing is done.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
