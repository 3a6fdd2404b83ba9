"""Logs and metrics: what happened, without photos, names of files or visitors."""

import io
import json
import logging
import socket
import urllib.request

import pytest

from app.state import observing
from app.state.places import Full
from pise_core.errors import InputError


@pytest.fixture
def lines(monkeypatch):
    """The log as JSON; the fixture is a function that reads what came."""
    monkeypatch.setenv("PISE_LOG", "json")
    written = io.StringIO()
    observing.write_log(written)

    def read():
        text = written.getvalue()
        written.seek(0)
        written.truncate()
        return [json.loads(line) for line in text.splitlines()]

    yield read
    observing.log.setLevel(logging.NOTSET)
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one.formatter, observing.Formatter)]:
        root.removeHandler(handler)


def test_every_action_is_a_line_with_its_outcome(lines):
    for outcome, error in (
        ("done", None),
        ("refused", InputError("holiday.jpg is damaged")),
        ("no place", Full("all are taken", 1, 5)),
        ("failed", KeyError("holiday.jpg")),
    ):
        try:
            with observing.observed("open_upload"):
                if error is not None:
                    raise error
        except Exception as raised:
            assert raised is error
        (line,) = lines()
        assert (line["action"], line["outcome"], line["logger"]) == ("open_upload", outcome, "pise_studio")
        assert line["seconds"] >= 0 and "holiday" not in json.dumps(line)


def test_of_an_unexpected_error_its_kind_and_place_are_told_and_not_its_text(lines):
    try:
        raise FileNotFoundError("/home/anna/holiday.jpg")
    except FileNotFoundError:
        logging.getLogger("app.handlers").exception("%s failed", "open_upload")
    (line,) = lines()
    assert line["error"] == "FileNotFoundError" and line["at"][-1].startswith("tests/test_observing.py:")
    assert "anna" not in json.dumps(line) and line["event"] == "open_upload failed"
    record = logging.LogRecord(
        "app", logging.ERROR, __file__, 1, "it failed", None, (ValueError, ValueError("anna"), None)
    )
    text = observing.Formatter(False).format(record)
    assert "it failed: ValueError, Traceback: " in text and "anna" not in text and "\n" not in text


def test_without_the_switch_actions_are_no_lines(monkeypatch, lines):
    monkeypatch.setenv("PISE_LOG", "text")
    written = io.StringIO()
    observing.write_log(written)
    with observing.observed("undo"):
        pass
    logging.getLogger("app").warning("full")
    assert written.getvalue().count("\n") == 1 and written.getvalue().endswith("WARNING full\n") and lines() == []
    monkeypatch.setenv("PISE_LOG", "loud")
    with pytest.raises(InputError, match="text or json"):
        observing.write_log()


def test_metrics_count_actions_at_an_address_of_their_own(monkeypatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setattr(observing, "_metrics", None)
    taken = [3]
    gauges = {"places_taken": ("Visitors who have work open", lambda: taken[0])}
    observing.serve_metrics(gauges)  # not asked for
    with observing.observed("undo"):
        assert observing._metrics is None
    monkeypatch.setenv("PISE_METRICS", f"127.0.0.1:{port}")
    observing.serve_metrics(gauges)
    with observing.observed("undo"):
        pass
    with pytest.raises(InputError), observing.observed("open_upload"):
        raise InputError("holiday.jpg is damaged")
    taken[0] = 4
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        told = answer.read().decode()
    assert 'pise_actions_total{action="undo",outcome="done"} 1.0' in told
    assert 'pise_actions_total{action="open_upload",outcome="refused"} 1.0' in told
    assert "pise_places_taken 4.0" in told and "process_resident_memory_bytes" in told and "holiday" not in told
    with pytest.raises(InputError, match="can't listen"):
        observing.serve_metrics(gauges)


@pytest.mark.parametrize("address", ("9464", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:http"))
def test_an_address_that_is_none_is_one_line(monkeypatch, address):
    monkeypatch.setenv("PISE_METRICS", address)
    with pytest.raises(InputError, match="HOST:PORT"):
        observing.serve_metrics({})
