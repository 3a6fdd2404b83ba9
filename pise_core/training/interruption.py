"""Ctrl-C and SIGTERM, put off until a training step is done."""

import os
import signal
import threading
import time

#: Seconds within which the same wish comes more than once: launchers pass on what the terminal has sent already.
_ECHO = 2.0


class Interruption:
    """To be used in a ``with`` statement. Inside, Ctrl-C and SIGTERM only set ``asked``, for half a step must not be
    saved; who asks again ends the program at once.

    Signals reach the main thread alone; in any other this does nothing.
    """

    def __init__(self):
        self.asked = False
        self._since = 0.0
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Interruption":
        if threading.current_thread() is threading.main_thread():
            self._before = {kind: signal.signal(kind, self._ask) for kind in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *error: object) -> None:
        for kind, handler in self._before.items():
            signal.signal(kind, handler)  # pyright: ignore[reportArgumentType]

    def _ask(self, *_: object) -> None:
        if not self.asked:
            self.asked, self._since = True, time.monotonic()
            # print() must not be called where a signal may have cut in on another print().
            os.write(2, b"stopping when this step is done and saved; once more stops at once\n")
        elif time.monotonic() - self._since > _ECHO:
            raise KeyboardInterrupt
