"""Another background behind people: a document goes on with it, and without a hub with the one of before."""

import threading
from typing import Any

import pytest

from app.api.endpoints import Programs
from app.commands.saving import save_document
from app.state.detectors import LAMA
from app.state.fetched import Fetched
from app.state.queueing import Line
from app.state.session import Session
from app.turns import in_turn
from app.view.studio import Studio
from app.view.updates import can_stop
from pise_core.detection.lama import LamaInpainter
from pise_core.document import Document
from pise_core.errors import HubUnreachable, InputError
from pise_core.pose import to_rows
from tests.conftest import moved, run
from tests.test_lama import write_graph


@pytest.fixture
def engine(editor, tmp_path):
    """A studio whose hub has a small network."""
    studio = Studio(lambda: editor)
    file = write_graph(tmp_path / "small.onnx")

    def make(told):
        inpainter = LamaInpainter(file)
        inpainter.load(told)
        return inpainter

    studio.detectors._hub[LAMA] = Fetched(make)
    return studio


def text(update):
    return update["bar"]["status"]["text"]


def test_a_document_goes_on_with_another_background(engine, editor, session, known_other, person, tmp_path):
    session.need_document().add_reference(known_other, "friend")
    run(engine.commit_pose(session, {"seq": 1, "keypoints": to_rows(moved(person))}))
    page = run(engine.choose_background(session, LAMA))
    assert page["background"]["value"] == session.background == LAMA
    document = session.need_document()
    made = document.person.editor
    assert made.background_name.startswith("small.onnx") and made.analyzer is editor.analyzer
    assert document.can_undo and {r.person.editor for r in document.references.values()} == {made}
    run(engine.undo(session, {}))
    run(engine.redo(session, {}))
    saved = save_document(session).file
    page = run(engine.choose_background(session, "Built-in"))
    assert page["background"]["value"] == "Built-in" and session.need_document().person.editor is editor
    page = run(engine.open_file(session, saved, "Built-in", "Built-in"))
    assert f"saved with the background {made.background_name}; with Built-in" in text(run(engine.prepare(session)))
    with pytest.raises(InputError, match="choose one of"):
        run(engine.choose_background(session, "../x"))


def test_whoever_looks_for_the_same_twice_gets_the_same_editor(engine, session):
    assert engine.load(background=LAMA) is engine.load(background=LAMA) is not engine.load()


def test_without_a_hub_the_background_of_before_goes_on(engine, session):
    def unreachable(told):
        raise HubUnreachable("the network is gone")

    engine.detectors._hub[LAMA] = Fetched(unreachable)
    document = session.document
    updates = engine.choose_background(session, LAMA)
    next(updates)
    assert next(updates)["background"]["value"] == session.background == "Built-in"  # the menu is put right
    with pytest.raises(HubUnreachable, match="the network is gone. The background is as before."):
        next(updates)
    with pytest.raises(HubUnreachable, match="as before"):
        Programs(engine).choose_background(session, LAMA)
    assert session.document is document and Programs(engine).state(session)["background"] == "Built-in"


def test_what_can_not_be_run_here_is_told_and_the_menu_is_put_right(engine, session):
    def missing(told):
        raise InputError("the background LaMa needs ONNX Runtime: pip install onnxruntime")

    engine.detectors._hub[LAMA] = Fetched(missing)
    updates = engine.choose_background(session, LAMA)
    assert "Loading the background" in text(next(updates))
    assert next(updates)["background"]["value"] == "Built-in"
    with pytest.raises(InputError, match="onnxruntime"):
        next(updates)


def test_it_can_be_left_while_it_is_fetched(engine, session):
    left = threading.Event()

    def slow(told):
        told(0.5)
        left.wait(20)

    engine.detectors._hub[LAMA] = Fetched(slow)
    document = session.document
    updates: Any = in_turn(
        engine, Line(), session, "choose_background", (LAMA,), engine.choose_background(session, LAMA)
    )
    said = next(updates)
    while "50%" not in text(said):
        said = next(updates)
    assert text(said) == "Downloading LaMa, once: 50% of 208 MB…" and can_stop(said)
    run(engine.stop(session, {}))
    last = list(updates)[-1]
    assert text(last) == "Stopped." and last["background"]["value"] == session.background == "Built-in"
    assert session.document is document
    left.set()


def test_references_without_a_document_follow(engine, editor, known_other):
    session = Session()
    session.references.add("friend", known_other)
    run(engine.choose_background(session, LAMA))
    assert session.references["r1"].person.editor is engine.load(background=LAMA)
    assert Document.of(known_other).contents().background == ""
    session.close()
