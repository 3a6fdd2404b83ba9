"""Memory that nobody uses any more goes back to the system."""

import ctypes
import sys


def give_back() -> None:
    """Return what was freed: glibc keeps it otherwise, in a pool for every few threads, for requests that may come.

    Where another library looks after memory, nothing is done.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
