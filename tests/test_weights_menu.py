"""Several weights on one server: a document goes on with others, and everybody in it with them."""

from typing import Any

import numpy as np
import pytest

from app.state.detectors import BUILT_IN
from app.state.queueing import Line
from app.state.session import Session
from app.turns import in_turn
from app.view.studio import Studio
from app.view.updates import can_stop
from pise_core import PISE, Editor, PISEConfig
from pise_core.document import Document
from pise_core.errors import InputError
from pise_core.pose import to_rows
from tests.conftest import moved, run


@pytest.fixture(scope="module")
def several(editor):
    """A studio with other weights, which nobody has trained, and with some that can't be loaded."""

    def missing():
        raise InputError("there is no file other.safetensors")

    other = Editor(PISE(PISEConfig(width=4, colour_path=True, detail_path=True)), editor.analyzer)
    return Studio(lambda: editor, {"Other": lambda: other, "Missing": missing})


def test_a_document_goes_on_with_other_weights(several, editor, known, known_other, person, photo_path):
    session = Session()
    session.edit(Document.of(known, "drawn"))
    session.need_document().add_reference(known_other, "friend")
    run(several.commit_pose(session, {"seq": 1, "keypoints": to_rows(moved(person))}))
    run(several.commit_styles(session, {"seq": 2, "styles": {"upper_clothes": {"r1": 0.5}}}))
    shipped = session.need_document().render().photo
    number = session.number
    page = run(several.choose_weights(session, {"name": "Other"}))
    assert page["bar"]["weights"]["chosen"] == "Other" and session.number > number
    document = session.need_document()
    assert document.edits.styles == {"upper_clothes": {"r1": 0.5}} and document.can_undo
    document.remove_reference("r1")
    run(several.choose_weights(session, {"name": "Other"}))  # a removed one goes along too
    document = session.need_document()
    assert document.undo() and document.references["r1"].person.editor is document.person.editor
    assert not np.array_equal(document.render().photo, shipped)
    # Whoever comes now is known to the same editor, so that they can be mixed.
    run(several.add_references(session, photo_path, BUILT_IN, BUILT_IN))
    assert {r.person.editor for r in document.references.values()} == {document.person.editor} != {editor}
    run(several.analyse_again(session, BUILT_IN, BUILT_IN))
    assert session.need_document().person.editor is document.person.editor
    run(several.choose_weights(session, {"name": "Default"}))
    assert session.need_document().person.editor is editor
    session.close()


def test_undo_brings_back_a_document_with_the_weights_that_it_had(several, session, person, editor, photo_path):
    first = session.document
    run(several.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    run(several.open_file(session, photo_path, BUILT_IN, BUILT_IN))
    run(several.choose_weights(session, {"name": "Other"}))
    second = session.document
    assert second.person.editor is not editor
    page = run(several.undo(session, {}))
    assert session.document is first and page["bar"]["weights"]["chosen"] == session.weights == "Default"
    page = run(several.redo(session, {}))
    assert session.document is second and page["bar"]["weights"]["chosen"] == session.weights == "Other"


def test_references_without_a_document_follow(several, editor, known_other):
    session = Session()
    session.references.add("friend", known_other)
    run(several.choose_weights(session, {"name": "Other"}))
    assert session.references["r1"].person.editor is not editor and session.references["r1"].name == "friend"
    session.close()


def test_other_weights_that_are_being_loaded_can_be_left(several, session, known_other):
    document, number = session.document, session.number
    document.add_reference(known_other, "friend")
    value = {"name": "Other"}
    for steps in (1, 2):
        updates: Any = in_turn(
            several, Line(), session, "choose_weights", (value,), several.choose_weights(session, value)
        )
        for _ in range(steps):
            assert can_stop(next(updates))
        run(several.stop(session, {}))
        last = list(updates)[-1]["bar"]
        assert last["status"]["text"] == "Stopped."
        assert last["weights"]["chosen"] == session.weights == "Default"  # the menu is put right
        assert session.document is document and session.number == number


def test_weights_that_cannot_be_loaded_leave_the_document_as_it_was(several, session):
    document = session.document
    updates = several.choose_weights(session, {"name": "Missing"})
    assert "Loading" in next(updates)["bar"]["status"]["text"]
    assert next(updates)["bar"]["weights"]["chosen"] == "Default"  # the menu is put right
    with pytest.raises(InputError, match="no file"):
        next(updates)
    assert session.document is document and session.weights == "Default"
    with pytest.raises(InputError, match="choose one of"):
        run(several.choose_weights(session, {"name": "../x"}))
