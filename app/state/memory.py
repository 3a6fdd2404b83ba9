"""Memory that nobody uses any more goes back to the system."""

import ctypes
import sys

#: Of glibc's ``malloc.h``.
_M_ARENA_MAX = -8
#: Pools of memory for all threads together.
_POOLS = 2


def few_pools() -> None:
    """Let all threads share few pools. Of other pools than the first one glibc gives nothing back from the end, tens of
    megabytes each, and there would be up to eight for every core.

    Where another library looks after memory, nothing is done.
    """
    if sys.platform == "linux":
        option = getattr(ctypes.CDLL(None), "mallopt", None)
        if option is not None:
            option(_M_ARENA_MAX, _POOLS)


def give_back() -> None:
    """Return what was freed: glibc keeps it otherwise, in a pool for every few threads, for requests that may come.

    Where another library looks after memory, nothing is done.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
