"""Photos and documents come in, and go out as files, without a browser: actions called as the page calls them."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.commands.opening import joints_on_person
from app.state.detectors import BUILT_IN
from app.state.session import Found, Session
from app.view import updates as view
from pise_core.document import Document
from pise_core.document.edits import Edits
from pise_core.document.file_format import SavedDocument
from pise_core.document.file_writer import write
from pise_core.errors import InputError
from pise_core.images import read_image, write_image
from pise_core.person import SavedPerson
from pise_core.pose import to_rows
from tests.conftest import can_do, downloaded, moved, run, sent, stroke


def test_opening_a_photo_shows_everything(studio, photo_path, person):
    session = Session()
    page = run(studio.open_file(session, str(photo_path), BUILT_IN, BUILT_IN))
    assert page["bar"]["status"]["kind"] == "ok"
    assert page["pose"]["photo"]["width"] == 220 and len(page["pose"]["pose"]["rows"]) == 18
    assert page["regions"]["map"]["width"] == 220
    assert page["result"]["result"]["before"]
    assert page["download"] == {"value": "Download PNG · 220 × 330", "interactive": True}
    assert np.array_equal(read_image(downloaded(studio, session)), person.photo)
    assert downloaded(studio, session).endswith("my-photo--1-edited.png")
    session.close()


def test_nobody_in_the_photo_gives_a_skeleton_to_place(studio, person, tmp_path):
    path = tmp_path / "empty.png"
    write_image(path, np.full((240, 320, 3), 200, np.uint8))
    session = Session()
    page = run(studio.open_file(session, path, BUILT_IN, BUILT_IN))
    assert page["bar"]["status"]["kind"] == "error" and "skeleton" in page["bar"]["status"]["text"]
    assert page["pose"]["pose"]["placing"] and page["regions"]["map"] is False
    assert page["download"]["interactive"] is False
    with pytest.raises(InputError, match="place the skeleton"):
        run(studio.commit_pose(session, {"seq": 1, "keypoints": to_rows(person.pose)}))
    # The wall is no person wherever the skeleton is put, unless the user knows better.
    placed = {"keypoints": page["pose"]["pose"]["rows"]}
    page = run(studio.place_person(session, placed, BUILT_IN))
    assert page["bar"]["status"]["text"].startswith("There is no person") and session.document is None
    news = page["pose"]["pose"]
    assert news["placing"] and news["doubtful"] and news["rows"] == placed["keypoints"]
    page = run(studio.place_person(session, placed | {"anyway": True}, BUILT_IN))
    assert page["bar"]["status"]["text"].startswith("There is no person") and "Regions" in page["bar"]["status"]["text"]
    assert session.document is not None and page["pose"]["pose"]["placing"] is False
    session.close()


def test_corrected_joints_are_those_of_the_person_who_is_edited(studio, session, person):
    boxes = [(150.0, 20.0, 210.0, 320.0), (44.0, 26.0, 176.0, 310.0)]
    session.edit(Document.of(session.document.person, "two", boxes, 1))
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    edited, placed = session.document, moved(person, 7, (20.0, -15.0))
    beside = person.pose + np.array((60, 0, 0), np.float32)
    doubted = run(studio.place_person(session, {"keypoints": to_rows(beside)}, BUILT_IN))["pose"]["pose"]
    assert doubted["doubtful"] and doubted["own"] == to_rows(person.pose) and session.document is edited
    page = run(studio.place_person(session, {"keypoints": to_rows(placed)}, BUILT_IN))
    assert page["pose"]["pose"]["own"] == page["pose"]["pose"]["rows"] == to_rows(placed)
    assert page["pose"]["people"]["chosen"] == 1 and session.document.boxes[0] == boxes[0]
    assert session.document.edits.none and "Undo brings back" in page["bar"]["status"]["text"]
    run(studio.choose_person(session, {"index": 1}, BUILT_IN))
    assert to_rows(session.document.person.pose) == to_rows(placed)  # they stay where the user has put them
    run(studio.undo(session, {}))
    assert session.document is edited and [found.box for found in session.people] == boxes
    assert "Here is two again." in run(studio.render(session))["bar"]["status"]["text"]


def test_the_others_keep_their_edits_when_one_is_placed_anew(studio, session, person):
    boxes = [(44.0, 26.0, 176.0, 310.0), (150.0, 20.0, 210.0, 320.0)]
    document = Document.of(session.document.person, "two", boxes, 0)
    session.edit(document)
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    known = document.person
    document.add_person(known.editor.set_person(known.photo, pose=person.pose, parsing=known.parsing), 1)
    run(studio.choose_person(session, {"index": 1}, BUILT_IN))
    assert session.document is document and document.edits.none and document.chosen == 1
    run(studio.place_person(session, {"keypoints": to_rows(moved(person, 7, (20.0, -15.0)))}, BUILT_IN))
    assert session.document is not document and session.document.chosen == 1
    run(studio.choose_person(session, {"index": 0}, BUILT_IN))
    assert to_rows(session.document.edits.pose) == to_rows(moved(person))


def test_a_skeleton_placed_on_a_person_is_not_doubted(studio, session, person):
    session.open(person.photo, "drawn", [])
    page = run(studio.place_person(session, {"keypoints": to_rows(person.pose)}, BUILT_IN))
    assert page["bar"]["status"]["text"].startswith("Ready.") and page["pose"]["pose"]["placing"] is False
    beside = person.pose.copy()
    beside[:, 0] += 60
    page = run(studio.place_person(session, {"keypoints": to_rows(beside)}, BUILT_IN))
    assert re.match(r"Only \d of 18 joints lie on a person\.", page["bar"]["status"]["text"])


def test_joints_beyond_the_photo_say_nothing_about_the_person(known):
    pose = known.pose.copy()
    on, count = joints_on_person(known)
    assert count == 18 and on > 15
    pose[:, 0] += 10_000
    assert joints_on_person(replace(known, pose=pose)) == (0, 0)
    pose[:9] = known.pose[:9]
    assert joints_on_person(replace(known, pose=pose))[1] == 9


def test_a_bad_photo_leaves_the_document_as_it_was(studio, session, person, tmp_path):
    path = tmp_path / "no.png"
    path.write_bytes(b"this is no picture")
    run(studio.commit_pose(session, {"seq": 1, "keypoints": to_rows(moved(person))}))
    edits, number = session.document.edits, session.number
    with pytest.raises(InputError, match="no.png is not a JPEG, PNG or WebP picture or .pise document"):
        run(studio.open_file(session, path, BUILT_IN, BUILT_IN))
    assert session.document.edits is edits and session.number == number


def test_an_uploaded_file_is_not_kept(studio, photo_path):
    upload = sent(photo_path.read_bytes())
    session = Session()
    run(studio.open_upload(session, upload, BUILT_IN, BUILT_IN))
    assert session.document is not None and not upload.exists()
    with pytest.raises(InputError, match=r"^upload.png did not arrive; choose it again$"):
        run(studio.open_upload(session, upload, BUILT_IN, BUILT_IN))
    upload = sent(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match="damaged"):
        run(studio.open_upload(session, upload, BUILT_IN, BUILT_IN))
    assert session.document is not None and not upload.exists()
    session.close()


def test_a_page_that_is_loaded_anew_gets_its_document_back(studio, session, person):
    run(studio.commit_paint(session, {"seq": 1, "labels": stroke(person)}))
    page = run(studio.start(session))
    assert page["bar"]["session"] == session.token and page["regions"]["map"]["paint"]
    assert page["pose"]["pose"]["rows"] and page["result"]["result"]["before"]
    empty = Session()
    for known in ({"session": None}, {"session": empty.token}):
        assert run(studio.start(empty, known)).keys() == {"bar", "background"}
    with pytest.raises(InputError, match="expired; open the photo again"):
        run(studio.start(empty, {"session": session.token}))
    empty.close()


def test_a_saved_document_opens_as_it_was(studio, session, person, known_other, tmp_path):
    key = session.references.add("other", known_other)
    run(studio.commit_pose(session, {"seq": 1, "keypoints": to_rows(moved(person))}))
    run(studio.commit_paint(session, {"seq": 2, "labels": stroke(person)}))
    run(studio.commit_styles(session, {"seq": 3, "styles": {"upper_clothes": {key: 0.5}}}))
    run(studio.commit_styles(session, {"seq": 4, "styles": {}}))
    run(studio.undo(session, {"seq": 5}))
    run(studio.save(session, {"seq": 6}))
    run(studio.commit_styles(session, {"seq": 7, "styles": {}}))  # what is edited meanwhile is not in the file
    news = run(studio.pack(session))["bar"]["file"]
    run(studio.undo(session, {"seq": 8}))
    assert news["name"] == "drawn.pise"
    path = tmp_path / "mine.pise"
    path.write_bytes(Path(news["url"].removeprefix("/gradio_api/file=")).read_bytes())

    opened = Session()
    page = run(studio.open_file(opened, path, BUILT_IN, BUILT_IN)) | run(studio.prepare(opened))
    assert can_do(page) == {"undo": True, "redo": True, "start_over": True, "save": True}
    assert opened.name == "drawn" and [r.name for r in opened.references.values()] == ["other"]
    assert np.array_equal(read_image(downloaded(studio, opened)), session.document.render().photo)
    for _ in range(3):
        run(studio.undo(opened, {"seq": 7}))
    assert opened.document is not None
    assert opened.document.edits.none and np.array_equal(opened.document.render().photo, person.photo)
    opened.close()


@pytest.mark.parametrize("name", ["{folder}/photo", "../../../photo", "..", "a/../../photo"])
def test_the_name_in_a_document_leads_nowhere_else(studio, session, tmp_path, name):
    folder = tmp_path / "somebody's"
    folder.mkdir()
    (folder / "kept.txt").write_text("mine")
    person = SavedPerson.of(session.document.person)
    data = write(SavedDocument(name.format(folder=folder), person, [], 0, {}, [Edits()], 0))
    path = tmp_path / "hostile.pise"
    path.write_bytes(data)
    opened = Session()
    run(studio.open_file(opened, path, BUILT_IN, BUILT_IN))
    for _ in range(3):
        run(studio.render(opened))
        news = downloaded(studio, opened)
        assert Path(news).is_relative_to(opened._folder)
        run(studio.save(opened, {}))
        run(studio.pack(opened))
    assert (folder / "kept.txt").read_text() == "mine" and [p.name for p in folder.iterdir()] == ["kept.txt"]
    opened.close()


def test_all_notes_are_told(studio, session, person, photo_path, monkeypatch):
    def find(photo, detector):
        return [Found((44, 26, 176, 310), person.pose)], "First. The built-in detector was used."

    def analyse(photo, found, parser):
        return session.document.person, "Second. The built-in parser was used."

    monkeypatch.setattr(studio.detectors, "find", find)
    monkeypatch.setattr(studio.detectors, "analyse", analyse)
    both = "First. The built-in detector was used. Second. The built-in parser was used."
    other = Session()
    assert run(studio.open_file(other, photo_path, BUILT_IN, BUILT_IN))["bar"]["status"]["text"] == both
    other.close()
    assert run(studio.add_references(session, photo_path, BUILT_IN, BUILT_IN))["bar"]["status"]["text"] == both
    copy = sent(photo_path.read_bytes())
    run(studio.borrow_pose(session, copy, BUILT_IN))
    session.document.set_pose(moved(person))
    assert "First." in run(studio.render(session))["bar"]["status"]["text"]


def test_undo_brings_back_the_document_before_another_photo_was_opened(studio, session, person, tmp_path):
    pose = moved(person)
    run(studio.commit_pose(session, {"keypoints": to_rows(pose)}))
    before = session.document
    write_image(tmp_path / "wall.png", np.full((200, 160, 3), 180, np.uint8))
    news = run(studio.open_file(session, tmp_path / "wall.png", BUILT_IN, BUILT_IN))
    assert session.document is None and news["bar"]["history"]["undo"]
    # A key that is held down, or that is pressed while joints are placed, does not lead away from the photo.
    news = run(studio.undo(session, {"within": True}))
    assert session.document is None and "Undo button" in news["bar"]["status"]["text"]
    news = run(studio.undo(session, {"seq": session.sequence + 1}))
    assert session.document is before and news["pose"]["pose"]["rows"] == to_rows(pose)
    # The pose can be undone too.
    assert can_do(news) == {"undo": True, "redo": True, "start_over": True, "save": True}
    news = run(studio.redo(session, {}))
    assert session.photo.shape == (200, 160, 3) and news["pose"]["pose"]["placing"]
    assert can_do(news) == {"undo": True, "redo": False, "start_over": False, "save": False}
    run(studio.undo(session, {}))
    run(studio.undo(session, {"seq": session.sequence + 1}))
    assert before.edits.none


def test_redo_leads_to_the_photo_that_undo_has_left_and_to_all_of_its_steps(studio, session, person, photo_path):
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    first = session.document
    run(studio.open_file(session, photo_path, BUILT_IN, BUILT_IN))
    second = session.document
    history = view.status("ok", "", session)["bar"]["history"]
    assert history["undo"] and not history["start_over"]  # undo leads to the photo before, and this one is as it was
    run(studio.commit_paint(session, {"labels": stroke(person)}))
    run(studio.undo(session, {}))
    news = run(studio.undo(session, {"within": True}))
    assert session.document is second and news["bar"]["history"]["undo"]
    run(studio.undo(session, {}))
    assert session.document is first and "Done" in run(studio.render(session))["bar"]["status"]["text"]
    news = run(studio.redo(session, {"within": True}))
    assert session.document is first and "Redo button" in news["bar"]["status"]["text"]
    run(studio.redo(session, {}))
    assert session.document is second and second.edits.none
    run(studio.redo(session, {}))
    assert second.edits.paint is not None and not session.can_redo


@pytest.mark.parametrize("left", ["motion", "undone"])
def test_whatever_was_worked_on_is_brought_back(studio, session, person, photo_path, left):
    first = session.document
    if left == "motion":
        motion = {"keys": [to_rows(person.pose)], "seconds": 0.5, "loop": True}
        run(studio.commit_motion(session, {"motion": motion}))
    else:
        run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
        run(studio.undo(session, {}))
    for _ in range(2):  # the second photo is left as it was opened
        run(studio.open_file(session, photo_path, BUILT_IN, BUILT_IN))
    run(studio.undo(session, {}))
    assert session.document is first and first.can_undo == (left == "motion") and first.can_redo == (left == "undone")


def test_tiny_photos_are_told_from_empty_ones(studio, session, tmp_path):
    for size, message in ((20, "20 × 20 pixels are too few"), (200, "Place the skeleton")):
        write_image(tmp_path / "wall.png", np.full((size, size, 3), 180, np.uint8))
        news = run(studio.open_file(session, tmp_path / "wall.png", BUILT_IN, BUILT_IN))
        assert message in news["bar"]["status"]["text"]


def test_redo_right_after_undo_leads_back_to_the_photo_that_was_opened_last(studio, session, person, photo_path):
    first = session.document
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    run(studio.undo(session, {}))
    run(studio.open_file(session, photo_path, BUILT_IN, BUILT_IN))
    second = session.document
    run(studio.undo(session, {}))
    assert session.document is first and first.can_redo
    run(studio.redo(session, {}))
    assert session.document is second  # and not the step that was undone before it was opened


def test_a_step_of_the_history_is_gone_to(studio, session, person):
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    run(studio.commit_styles(session, {"recolour": {"hair": {"hue": 40}}}))
    news = run(studio.travel(session, {"position": 0}))
    assert session.document.edits.none and news["bar"]["history"]["position"] == 0
    assert news["bar"]["history"]["steps"] == ["pose", "recolour"]
    run(studio.travel(session, {"position": 2}))
    assert session.document.edits.recolour and not session.document.can_redo
    for wrong in (3, -1, "1", None, True):
        with pytest.raises(InputError, match="no such step"):
            run(studio.travel(session, {"position": wrong}))
