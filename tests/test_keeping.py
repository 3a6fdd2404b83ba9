"""Work that the browser keeps: the pictures once, the edits each time, and all of it back."""

import base64
import json
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from app import guard, values
from app.layout import build
from app.state.session import Session
from app.view import updates as view
from app.view.studio import Studio
from pise_core.document.file_reader import join
from pise_core.document.file_writer import write, write_edits
from pise_core.errors import InputError
from pise_core.pose import to_rows
from tests.conftest import moved, run, sent, served, stroke


def edit(studio, session, person):
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    run(studio.commit_paint(session, {"labels": stroke(person)}))


def kept(studio, session, have=""):
    return run(studio.keep(session, {"have": have}))["keeping"]["kept"]


def test_the_work_comes_back_with_its_history(studio, session, person, known_other):
    session.document.add_reference(known_other)
    first = kept(studio, session)
    base = Path(view.path_of(first["base"])).read_bytes()
    edit(studio, session, person)
    run(studio.commit_styles(session, {"styles": {"upper_clothes": {"r1": 0.5}}}))
    run(studio.undo(session, {}))
    second = kept(studio, session, first["key"])
    assert second["key"] == first["key"] and "base" not in second and len(second["edits"]) < len(base) / 3
    picture = session.document.render().photo
    other, upload = Session(), sent(base, "kept.pise")
    run(studio.restore(other, {"file": str(upload), "edits": second["edits"]}))
    document = other.need_document()
    assert not upload.exists() and np.array_equal(document.render().photo, picture)
    assert other.can_redo and list(other.references) == ["r1"]
    run(studio.redo(other, {}))
    assert document.edits.styles == {"upper_clothes": {"r1": 0.5}}
    for _ in range(3):
        run(studio.undo(other, {}))
    assert document.edits.none and not other.can_undo
    other.close()


def test_other_pictures_are_handed_out_anew(studio, session, document, known_other):
    first = kept(studio, session)
    document.add_reference(known_other)
    second = kept(studio, session, first["key"])
    assert second["key"] != first["key"] and second["base"]
    session.edit(document)  # another document
    assert kept(studio, session, second["key"])["base"]
    empty = Session()
    assert list(studio.keep(empty, {})) == []
    empty.close()


@pytest.mark.parametrize("damage", ("edits", "text", "cut", "swapped", "none", "file"))
def test_what_is_damaged_on_the_way_is_told_and_opens_nothing(studio, session, person, damage):
    edit(studio, session, person)
    contents = session.document.contents()
    base, edits = write(contents), base64.b64encode(write_edits(contents)).decode()
    value = {"file": str(sent(base)), "edits": edits}
    if damage == "edits":
        value["edits"] = base64.b64encode(b"PK and no more").decode()
    elif damage == "text":
        value["edits"] = "ünïcode"
    elif damage == "cut":
        value["file"] = str(sent(base[: len(base) // 2]))
    elif damage == "swapped":
        value["file"] = str(sent(base64.b64decode(edits)))
    elif damage == "none":
        del value["edits"]
    else:
        value["file"] = "/etc/passwd"
    before, other = session.document, Session()
    with pytest.raises(InputError, match=r"^[^\n]+$"):
        run(studio.restore(other, value))
    assert other.document is None and session.document is before
    other.close()


def test_edits_of_another_document_do_not_fit(session, known_other):
    from pise_core.document import Document

    other = Document.of(known_other, "other")
    other.add_reference(known_other)
    with pytest.raises(InputError, match="damaged"):
        join(sent(write(session.document.contents())), write_edits(other.contents()))


def test_the_server_says_that_it_answers_and_which_one_it_is():
    def health(address):
        with urllib.request.urlopen(f"{address}/healthz", timeout=30) as answer:
            return json.loads(answer.read())

    names = set()
    for _ in range(2):
        with served(build(Studio(lambda: None))) as address:
            told = [health(address) for _ in range(2)]
            assert told[0] == told[1] and told[0]["status"] == "ok" and told[0]["places"] == 32
            names.add(told[0]["server"])
    assert len(names) == 2


def test_no_more_is_kept_than_can_be_sent_back(studio, session, monkeypatch):
    assert values.KEPT_LIMIT < guard.BODY_LIMIT
    monkeypatch.setattr("app.view.studio.KEPT_LIMIT", 10)
    told = kept(studio, session)
    assert told["key"] == "" and told["error"] == "There are more edits than a browser can keep; save the document"
