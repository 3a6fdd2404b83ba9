"""Long work: downloads hold nobody up, what waits or renders many can be stopped, and no upload is left behind."""

import threading
from typing import Any

import pytest

from app.state.detectors import BUILT_IN, OPENPOSE, Detectors
from app.state.fetched import Fetched
from app.state.queueing import Line
from app.turns import in_turn
from app.view.updates import can_stop, status
from pise_core.errors import HubUnreachable
from tests.conftest import run, sent


def text(update):
    return update["bar"]["status"]["text"]


def work(session):
    for number in range(3):
        yield status("busy", f"kept {number}", session)
        yield status("busy", f"may stop {number}", session, stop=True)


def test_work_is_left_only_where_it_can_be(studio, session):
    line = Line()
    updates = in_turn(studio, line, session, "strip", (), work(session))
    assert [text(next(updates)) for _ in range(2)] == ["kept 0", "may stop 0"]
    assert text(next(updates)) == "kept 1"
    run(studio.stop(session, {}))
    assert [text(update) for update in updates] == ["may stop 1", "Stopped."]
    assert len(line) == 0
    # Another stop is needed for other work.
    assert len(list(in_turn(studio, line, session, "strip", (), work(session)))) == 6


def test_whoever_waits_can_stop_but_not_the_picture_of_an_edit(studio, session):
    line, other = Line(), object()
    first = line.steps(iter("ab"), other)
    next(first)
    upload = sent(b"not read yet")
    updates: Any = in_turn(studio, line, session, "open_upload", (str(upload),), work(session))
    waiting = next(updates)
    assert "1 other" in text(waiting) and can_stop(waiting)
    rendering = in_turn(studio, line, session, "render", (), work(session))
    assert next(rendering) == 1
    run(studio.stop(session, {}))
    assert [text(update) for update in updates] == ["Stopped."]
    assert not upload.exists()
    list(first)
    assert len(list(rendering)) == 6  # it is carried out whole


def test_steps_of_a_mix_can_be_stopped(studio, session, known_other):
    key = session.references.add("other", known_other)
    value = {"region": "upper_clothes", "reference": key}
    updates = in_turn(studio, Line(), session, "strip", (value,), studio.strip(session, value))
    assert "step 1 of 5" in text(next(updates))
    run(studio.stop(session, {}))
    assert [text(update) for update in updates] == ["Stopped."]
    assert session.strip is None


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5])
def test_a_photo_that_is_being_opened_can_be_left(studio, session, photo_path, steps):
    """At every step until the document before is given up, and then no more."""
    upload, before = sent(photo_path.read_bytes()), session.document
    inputs = (str(upload), BUILT_IN, BUILT_IN)
    updates: Any = in_turn(studio, Line(), session, "open_upload", inputs, studio.open_upload(session, *inputs))
    said = [next(updates) for _ in range(steps)]
    assert [can_stop(update) for update in said] == [True, True, True, True, False][:steps]
    run(studio.stop(session, {}))
    assert [text(update) for update in updates] == (["Stopped."] if steps < 5 else [])
    assert (session.document is before) == (steps < 5)
    assert not upload.exists()


def test_a_download_holds_nobody_else_up_and_what_can_not_be_had_is_done_without(
    studio, session, photo_path, monkeypatch
):
    begun, failed = threading.Event(), threading.Event()

    def make(told):
        told(0.25)
        begun.set()
        assert failed.wait(10)
        raise HubUnreachable("the network is gone")

    detectors = Detectors(studio.load)
    detectors._hub[OPENPOSE] = Fetched(make)
    monkeypatch.setattr(studio, "detectors", detectors)
    line, inputs = Line(), (str(photo_path), OPENPOSE, BUILT_IN)
    updates: Any = in_turn(studio, line, session, "open_file", inputs, studio.open_file(session, *inputs))
    said = next(updates)
    assert begun.wait(10) and can_stop(said)
    while "25%" not in text(said):
        said = next(updates)
    assert text(said) == "Downloading OpenPose, once: 25% of 209 MB…"
    assert list(line.steps(iter("ab"))) == ["a", "b"]  # nobody stands in line
    failed.set()
    last = run(updates)
    assert "the network is gone. The built-in detector was used." in text(last) and last["pose"]["photo"]
