"""What an operator sees of the work: lines on standard error, and figures for Prometheus.

Neither names a photo, a file or a visitor.

The text of an error that nobody expected may hold a file's name, or what is in it. It is left out; which error it was,
and where, is said.
"""

import json
import logging
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from app.state.places import Full
from pise_core.errors import InputError

log = logging.getLogger("pise_studio")

#: Seconds by which actions are counted.
_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_metrics: "_Metrics | None" = None


class Formatter(logging.Formatter):
    """One line a record, as text or as JSON."""

    def __init__(self, as_json: bool) -> None:
        super().__init__()
        self._json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        told = {"time": at, "level": record.levelname, "logger": record.name, "event": record.getMessage()}
        told |= {name: vars(record)[name] for name in ("action", "outcome", "seconds") if name in vars(record)}
        if record.exc_info and record.exc_info[1] is not None:
            told |= {"error": type(record.exc_info[1]).__name__, "at": _places(record.exc_info[1])}
        if self._json:
            return json.dumps(told, ensure_ascii=False)
        where = f": {told['error']}, Traceback: {' > '.join(told['at'])}" if "error" in told else ""
        return f"{at} {record.levelname} {told['event']}{where}"


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return [f"{'/'.join(Path(frame.filename).parts[-2:])}:{frame.lineno} {frame.name}" for frame in frames]


def write_log(stream: TextIO | None = None) -> None:
    """From now on the log goes to the stream, standard error by default: warnings as text or, with ``PISE_LOG=json``,
    every action as JSON.

    Raises:
        InputError: on another value of the variable.
    """
    wanted = os.environ.get("PISE_LOG", "text")
    if wanted not in ("text", "json"):
        raise InputError(f"PISE_LOG: {wanted!r} is none; write text or json")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Formatter(wanted == "json"))
    root = logging.getLogger()
    for other in [known for known in root.handlers if isinstance(known.formatter, Formatter)]:
        root.removeHandler(other)
    root.addHandler(handler)
    log.setLevel(logging.INFO if wanted == "json" else logging.WARNING)


@contextmanager
def observed(action: str) -> Iterator[None]:
    """The block carries out an action of that name."""
    began, outcome = time.monotonic(), "done"
    try:
        yield
    except Full:
        outcome = "no place"
        raise
    except InputError:
        outcome = "refused"
        raise
    except GeneratorExit:
        outcome = "left"
        raise
    except BaseException:
        outcome = "failed"
        raise
    finally:
        seconds = time.monotonic() - began
        told = {"action": action, "outcome": outcome, "seconds": round(seconds, 3)}
        log.info("%s: %s", action, outcome, extra=told)
        if _metrics is not None:
            _metrics.count(action, outcome, seconds)


class _Metrics:
    """Figures, at an address of their own: whoever sees the page does not see them."""

    def __init__(self, gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
        import prometheus_client as prometheus

        self.registry = prometheus.CollectorRegistry()
        prometheus.ProcessCollector(registry=self.registry)
        self._actions = prometheus.Counter(
            "pise_actions", "Actions carried out", ["action", "outcome"], registry=self.registry
        )
        self._seconds = prometheus.Histogram(
            "pise_action_seconds", "Seconds an action took", ["action"], buckets=_BUCKETS, registry=self.registry
        )
        for name, (text, value) in gauges.items():
            prometheus.Gauge(f"pise_{name}", text, registry=self.registry).set_function(value)

    def count(self, action: str, outcome: str, seconds: float) -> None:
        self._actions.labels(action, outcome).inc()
        self._seconds.labels(action).observe(seconds)


def serve_metrics(gauges: Mapping[str, tuple[str, Callable[[], float]]]) -> None:
    """Serve figures for Prometheus at ``PISE_METRICS`` (``HOST:PORT``); nothing is counted if it is not set.

    Args:
        gauges: name -> what it is, and what tells its value.

    Raises:
        InputError: if that is no address, it can't be listened at, or ``prometheus-client`` is not installed.
    """
    global _metrics
    wanted = os.environ.get("PISE_METRICS", "")
    if not wanted:
        return
    host, _, port = wanted.rpartition(":")
    if not (host and port.isdecimal() and 0 <= int(port) < 65536):
        raise InputError(f"PISE_METRICS: {wanted!r} is no HOST:PORT, such as 127.0.0.1:9464")
    try:
        from prometheus_client import start_http_server
    except ImportError:
        raise InputError("PISE_METRICS needs a package: pip install prometheus-client") from None
    made = _Metrics(gauges)
    try:
        start_http_server(int(port), host.strip("[]"), made.registry)
    except OSError as error:
        raise InputError(f"PISE_METRICS: can't listen at {wanted}: {error.strerror or error}") from None
    _metrics = made
