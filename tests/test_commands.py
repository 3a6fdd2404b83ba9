"""Headless commands: what an action returns to whoever calls it, without a page."""

from pathlib import Path

import numpy as np
import pytest

from app.api.endpoints import Programs, Upload
from app.commands import edits, motion, opening, references, saving
from app.commands.outcome import Changed, Outcome, Progress, finish
from app.state.detectors import BUILT_IN
from app.state.models import Engine
from app.state.opened import Found
from app.state.session import Session
from pise_core.document import Motion
from pise_core.errors import HubUnreachable, InputError
from pise_core.images import read_image, write_image
from pise_core.rendering.recolour import Recolour
from tests.conftest import layer, moved, sent


@pytest.fixture
def engine(editor):
    return Engine(lambda: editor)


def test_an_edit_says_that_the_picture_is_to_be_rendered(session, person, known_other):
    key = session.references.add("other", known_other)
    made = [
        edits.set_pose(session, moved(person)),
        edits.paint(session, (None, layer(person))),
        edits.set_looks(session, styles={"upper_clothes": {key: 0.5}}),
        edits.set_looks(session, recolour={"pants": Recolour((0, 0, 128))}),
    ]
    assert [outcome.changed for outcome in made] == [Changed.EDITS] * 4
    wanted = session.document.edits
    assert wanted.pose is not None and wanted.paint is not None and wanted.styles and wanted.recolour
    whole = Changed.EDITS | Changed.POSE | Changed.LOOKS | Changed.MOTION
    assert edits.undo(session).changed == edits.redo(session).changed == whole
    assert references.remove_reference(session, key).changed == Changed.EDITS | Changed.LOOKS | Changed.REFERENCES
    assert edits.undo(session).changed == whole | Changed.REFERENCES


def test_what_changes_nothing_says_so(session):
    outcome = edits.undo(session)
    assert outcome == Outcome("There is nothing more to undo or redo.") and not outcome.changed


def test_what_takes_long_tells_its_progress_and_returns_an_outcome(engine, photo_path):
    session = Session()
    work = opening.open_file(engine, session, photo_path, BUILT_IN, BUILT_IN)
    told: list[Progress] = []
    while True:
        try:
            told.append(next(work))
        except StopIteration as end:
            outcome = end.value
            break
    assert [progress.note for progress in told] == [
        "Reading the file…", "Looking for people…", "Analysing: joints and regions…", "Opening the photo…",
    ]  # fmt: skip
    assert all(progress.can_stop for progress in told)
    assert outcome.changed == Changed.DOCUMENT and outcome.note.startswith("Ready.") and not outcome.warnings
    session.close()


def test_warnings_are_apart_from_what_is_new(engine, session, person):
    beside = person.pose + np.array((60, 0, 0), np.float32)
    outcome = finish(opening.place_person(engine, session, beside, BUILT_IN))
    assert outcome.doubted is beside and not outcome.changed and "joints lie on a person" in outcome.warnings[0]
    outcome = finish(opening.place_person(engine, session, beside, BUILT_IN, anyway=True))
    assert outcome.changed == Changed.DOCUMENT and outcome.warnings[1].startswith("Paint hair")


def test_files_are_paths_in_the_session_s_folder(session, person):
    edits.set_pose(session, moved(person))
    outcome = finish(saving.save_picture(session))
    assert Path(outcome.file).name == "drawn-edited.png" and session.holds(outcome.file)
    assert np.array_equal(read_image(outcome.file), session.document.render().photo)
    assert saving.pack(session) is None
    finish(saving.take_down_document(session))
    packed = saving.pack(session)
    assert packed is not None and Path(packed.file).name == "drawn.pise" and packed.note.startswith("Saved as drawn")


def test_a_motion_that_is_stopped_has_no_file(engine, session, person):
    motion.set_motion(session, Motion((person.pose, moved(person)), 0.1))
    work = motion.save_motion(engine, session, ".gif", 200)
    assert (first := next(work)).steps > 1 and first.step == 0
    next(motion.stop_motion(session))
    assert finish(work) == Outcome("Stopped. Nothing was saved.")


def test_programs_read_warnings_and_no_status_line(engine, session, person, photo_path, monkeypatch):
    """The built-in detector in place of the one asked for is told by every endpoint that looks at a photo."""

    def unreachable():
        raise HubUnreachable("the network is gone")

    def upload():
        return Upload(str(sent(photo_path.read_bytes())))

    monkeypatch.setattr(engine.detectors._hub["OpenPose"], "get", unreachable)
    programs = Programs(engine)
    said = "the network is gone. The built-in detector was used."
    assert programs.pose_from_photo(session, upload(), "OpenPose")["note"] == said
    monkeypatch.setattr(engine.detectors, "analyse", lambda *_: (session.document.person, ""))
    assert programs.open_file(session, upload(), "OpenPose")["note"] == said
    session.people = [Found((44, 26, 176, 310), person.pose)]
    assert programs.choose_person(session, 0)["note"] == ""
    with pytest.raises(InputError, match="there is no such person in the photo"):
        programs.choose_person(session, 1)


def test_a_garment_for_programs_waits_for_nobody(engine, session, laid_out, tmp_path):
    photo = laid_out[0]
    write_image(tmp_path / "shirt.png", photo)
    upload = sent((tmp_path / "shirt.png").read_bytes())
    state = Programs(engine).add_garment(session, Upload(str(upload)), "upper_clothes")
    assert list(state["references"]) == ["r1"] and not session.garments and not upload.exists()
