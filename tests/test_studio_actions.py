"""What a user can do, without a browser: actions called as the page calls them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from app.api import Programs
from app.detectors import BUILT_IN
from app.session import Session
from pise_core.document.contents import SavedDocument, SavedPerson
from pise_core.document.edits import Edits
from pise_core.document.paint import UNTOUCHED, pack
from pise_core.document.writing import write
from pise_core.errors import InputError
from pise_core.images import read_image, write_image
from pise_core.pose import to_json, to_rows
from tests.conftest import moved, run


def painted(person, region=5):
    labels = np.full(person.parsing.shape, UNTOUCHED, np.uint8)
    labels[140:170, 90:110] = region
    return pack(labels)


def test_opening_a_photo_shows_everything(studio, photo_path, person):
    session = Session()
    page = run(studio.open_file(session, str(photo_path), BUILT_IN, BUILT_IN))
    assert page["bar"]["status"]["kind"] == "ok"
    assert page["pose"]["photo"]["width"] == 220 and len(page["pose"]["pose"]["rows"]) == 18
    assert page["regions"]["map"]["width"] == 220
    assert page["result"]["result"]["before"]
    assert np.array_equal(read_image(page["download"]["value"]), person.photo)
    assert page["download"]["value"].endswith("my-photo--1-edited.png")
    session.close()


def test_nobody_in_the_photo_gives_a_skeleton_to_place(studio, person, tmp_path):
    path = tmp_path / "empty.png"
    write_image(path, np.full((240, 320, 3), 200, np.uint8))
    session = Session()
    page = run(studio.open_file(session, path, BUILT_IN, BUILT_IN))
    assert page["bar"]["status"]["kind"] == "error" and "skeleton" in page["bar"]["status"]["text"]
    assert page["pose"]["pose"]["placing"] and page["regions"]["map"] is False
    assert page["download"]["interactive"] is False
    with pytest.raises(InputError, match="open a photo"):
        run(studio.commit_pose(session, {"seq": 1, "keypoints": to_rows(person.pose)}))
    page = run(studio.place_person(session, {"keypoints": page["pose"]["pose"]["rows"]}, BUILT_IN))
    assert page["bar"]["status"]["kind"] == "ok" and page["pose"]["pose"]["placing"] is False
    session.close()


def test_a_bad_photo_leaves_the_document_as_it_was(studio, session, person, tmp_path):
    path = tmp_path / "no.png"
    path.write_bytes(b"this is no picture")
    run(studio.commit_pose(session, {"seq": 1, "keypoints": to_rows(moved(person))}))
    edits, number = session.document.edits, session.number
    with pytest.raises(InputError):
        run(studio.open_file(session, path, BUILT_IN, BUILT_IN))
    assert session.document.edits is edits and session.number == number


def test_drag_commit_render_undo_redo(studio, session, person):
    rows = to_rows(moved(person))
    preview = studio.live(session, {"seq": 3, "keypoints": rows})
    assert preview["ok"] and preview["seq"] == 3 and preview["image"].startswith("data:image/jpeg;base64,")
    assert session.document.edits.none  # a preview is not an edit yet
    run(studio.commit_pose(session, {"seq": 4, "keypoints": rows}))
    page = run(studio.render(session))
    assert page["result"]["result"]["seq"] >= 4 and page["bar"]["history"] == {
        "undo": True,
        "redo": False,
        "save": True,
    }
    assert page["regions"]["map"]["paint"] is None
    edited = read_image(page["download"]["value"])
    assert edited.shape == person.photo.shape and not np.array_equal(edited, person.photo)
    with Image.open(page["download"]["value"]) as file:
        assert file.format == "PNG" and not file.info
    page = run(studio.undo(session, {"seq": 5}))
    assert page["pose"]["pose"]["rows"] == page["pose"]["pose"]["own"]
    page = run(studio.render(session))
    assert np.array_equal(read_image(page["download"]["value"]), person.photo)
    page = run(studio.redo(session, {"seq": 6}))
    assert page["pose"]["pose"]["rows"] == rows and page["bar"]["history"] == {
        "undo": True,
        "redo": False,
        "save": True,
    }


def test_a_pose_dragged_back_is_no_edit(studio, session, person):
    run(studio.commit_pose(session, {"seq": 1, "keypoints": to_rows(person.pose)}))
    assert session.document.edits.none


def test_the_painter_is_told_only_what_it_does_not_know(studio, session, person):
    run(studio.commit_paint(session, {"seq": 1, "labels": painted(person)}))
    page = run(studio.render(session))
    assert "regions" not in page  # it painted this itself
    assert not np.array_equal(read_image(page["download"]["value"]), person.photo)
    run(studio.undo(session, {"seq": 2}))
    assert run(studio.render(session))["regions"]["map"]["paint"] is None
    run(studio.redo(session, {"seq": 3}))
    assert run(studio.render(session))["regions"]["map"]["paint"] is not None
    run(studio.commit_pose(session, {"seq": 4, "keypoints": to_rows(moved(person))}))
    page = run(studio.render(session))
    assert page["regions"]["map"]["paint"] is not None
    assert "went along" in page["bar"]["status"]["text"]


def test_a_stroke_on_an_old_map_leaves_the_carried_paint_where_it_is(studio, session, person):
    before = np.full(person.parsing.shape, UNTOUCHED, np.uint8)
    x, y = ((person.pose[3, :2] + person.pose[4, :2]) / 2).astype(int)
    before[y - 4 : y + 5, x - 4 : x + 5] = 3
    run(studio.commit_paint(session, {"seq": 1, "labels": pack(before), "before": None}))
    run(studio.render(session))
    run(studio.commit_pose(session, {"seq": 2, "keypoints": to_rows(moved(person))}))
    carried = session.document.painted().labels()
    assert carried[y, x] == UNTOUCHED and (carried == 3).any()
    after = before.copy()  # painted before the page was told
    after[:10, :10] = 5
    stroke = {"seq": 3, "labels": pack(after), "before": pack(before)}
    assert studio.live(session, stroke)["ok"]
    run(studio.commit_paint(session, stroke))
    expected = carried.copy()
    expected[:10, :10] = 5
    assert np.array_equal(session.document.painted().labels(), expected)
    shown = run(studio.render(session))["regions"]["map"]["paint"]
    assert shown == session.document.painted().text()


def test_textures_live_commit_and_removal(studio, session, person, known_other):
    key = session.references.add("other", known_other)
    styles = {"upper_clothes": {key: 0.5}}
    assert studio.live(session, {"seq": 1, "styles": styles})["ok"]
    page = run(studio.commit_styles(session, {"seq": 2, "styles": styles}))
    page = run(studio.render(session))
    assert not np.array_equal(read_image(page["download"]["value"]), person.photo)
    page = run(studio.remove_reference(session, {"reference": key}))
    assert page["textures"]["references"] == [] and page["textures"]["styles"]["styles"] == {}


def test_the_strip_goes_when_it_is_no_longer_true(studio, session, person, known_other):
    key = session.references.add("other", known_other)
    run(studio.commit_styles(session, {"seq": 1, "styles": {"hair": {key: 0.5}}}))
    asked = {"region": "hair", "reference": key}
    assert len(run(studio.strip(session, asked))["textures"]["strip"]["pictures"]) == 5
    run(studio.commit_styles(session, {"seq": 2, "styles": {"hair": {key: 1}}}))
    assert "textures" not in run(studio.render(session))  # another step of the same strip
    run(studio.commit_pose(session, {"seq": 3, "keypoints": to_rows(moved(person))}))
    assert run(studio.render(session))["textures"]["strip"] is False
    assert "textures" not in run(studio.render(session))


def test_alpha_zero_is_the_person_as_she_was(studio, session, person, known_other):
    key = session.references.add("other", known_other)
    run(studio.commit_styles(session, {"seq": 1, "styles": {"hair": {key: 0}}}))
    assert np.array_equal(session.document.render().photo, person.photo)


def test_a_pose_file_is_fitted_to_the_person(studio, session, other_person):
    size = other_person.photo.shape[1], other_person.photo.shape[0]
    page = run(studio.load_pose(session, {"text": to_json(other_person.pose, size)}))
    rows = np.array(page["pose"]["pose"]["rows"])
    assert rows.shape == (18, 3) and session.document.can_undo
    hips = rows[[8, 11], :2].mean(0)
    assert np.allclose(hips, session.document.person.pose[[8, 11], :2].mean(0), atol=1)


def test_a_pose_that_was_saved_for_the_same_person_is_taken_as_it_is(studio, session, person):
    shifted = person.pose + np.array([15, -5, 0], np.float32)
    flat = [value for row in to_rows(shifted) if row for value in row]
    text = json.dumps({"people": [{"pose_keypoints_2d": flat}], "own": to_rows(session.document.person.pose)})
    page = run(studio.load_pose(session, {"text": text}))
    assert page["pose"]["pose"]["rows"] == to_rows(shifted)


def test_the_weights_of_several_references_sum_to_one_at_most(studio, session, person, known_other):
    keys = [session.references.add(name, known_other) for name in ("one", "two")]
    run(studio.commit_styles(session, {"seq": 1, "styles": {"upper_clothes": {keys[0]: 0.25, keys[1]: 0.75}}}))
    both = session.document.render().photo
    run(studio.commit_styles(session, {"seq": 2, "styles": {"upper_clothes": {keys[0]: 1}}}))
    assert np.abs(both.astype(int) - session.document.render().photo).max() <= 1  # twice the same shirt, in two parts
    with pytest.raises(InputError, match="at most 1"):
        run(studio.commit_styles(session, {"seq": 3, "styles": {"upper_clothes": {keys[0]: 0.6, keys[1]: 0.6}}}))


def test_a_saved_document_opens_as_it_was(studio, session, person, known_other, tmp_path):
    key = session.references.add("other", known_other)
    run(studio.commit_pose(session, {"seq": 1, "keypoints": to_rows(moved(person))}))
    run(studio.commit_paint(session, {"seq": 2, "labels": painted(person)}))
    run(studio.commit_styles(session, {"seq": 3, "styles": {"upper_clothes": {key: 0.5}}}))
    run(studio.commit_styles(session, {"seq": 4, "styles": {}}))
    run(studio.undo(session, {"seq": 5}))
    news = run(studio.save(session, {"seq": 6}))["bar"]["file"]
    assert news["name"] == "drawn.pise"
    path = tmp_path / "mine.pise"
    path.write_bytes(Path(news["url"].removeprefix("/gradio_api/file=")).read_bytes())

    opened = Session()
    page = run(studio.open_file(opened, path, BUILT_IN, BUILT_IN)) | run(studio.prepare(opened))
    assert page["bar"]["history"] == {"undo": True, "redo": True, "save": True}
    assert opened.name == "drawn" and [r.name for r in opened.references.values()] == ["other"]
    assert np.array_equal(read_image(page["download"]["value"]), session.document.render().photo)
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
        news = run(studio.render(opened))["download"]["value"]
        assert Path(news).is_relative_to(opened._folder)
        run(studio.save(opened, {}))
    assert (folder / "kept.txt").read_text() == "mine" and [p.name for p in folder.iterdir()] == ["kept.txt"]
    opened.close()


def test_a_motion_is_an_edit_and_its_pictures_can_be_stopped(studio, session, person):
    motion = {"keys": [to_rows(person.pose), to_rows(moved(person))], "seconds": 0.25, "loop": False}
    page = run(studio.commit_motion(session, {"motion": motion}))
    assert len(page["motion"]["motion"]["keys"]) == 2 and len(page["motion"]["motion"]["poses"]) == 13
    assert session.document.can_undo and session.document.edits.none
    news = run(studio.save_motion(session, {"format": "gif"}))["bar"]["file"]
    with Image.open(news["url"].removeprefix("/gradio_api/file=")) as gif:
        assert len(list(ImageSequence.Iterator(gif))) == 4 and gif.size == (220, 330)
    updates = studio.save_motion(session, {"format": "mp4"})
    assert next(updates)["motion"]["progress"]["of"] == 4
    run(studio.stop_motion(session, {}))
    assert run(updates)["bar"]["status"]["text"].startswith("Stopped")
    run(studio.undo(session, {}))
    with pytest.raises(InputError, match="two key"):
        run(studio.save_motion(session, {"format": "gif"}))


def test_an_uploaded_file_is_not_kept(studio, photo_path, tmp_path):
    upload = tmp_path / "upload.png"
    upload.write_bytes(photo_path.read_bytes())
    session = Session()
    run(studio.open_upload(session, upload, BUILT_IN, BUILT_IN))
    assert session.document is not None and not upload.exists()
    upload.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(InputError, match="damaged"):
        run(studio.open_upload(session, upload, BUILT_IN, BUILT_IN))
    assert session.document is not None and not upload.exists()
    session.close()


def test_an_upload_that_comes_too_early_is_not_kept(studio, photo_path, tmp_path):
    empty, upload = Session(), tmp_path / "upload.png"
    for action in (
        lambda: run(studio.borrow_pose(empty, upload, BUILT_IN)),
        lambda: Programs(studio).set_regions(empty, str(upload)),
    ):
        upload.write_bytes(photo_path.read_bytes())
        with pytest.raises(InputError, match="open a photo"):
            action()
        assert not upload.exists()
    empty.close()


def test_programs_that_send_nonsense_are_told(studio, session, known_other):
    programs = Programs(studio)
    for send in (programs.open_file, programs.add_reference, programs.set_regions):
        with pytest.raises(InputError, match="send a file"):
            send(session, None)
    key = session.references.add("other", known_other)
    with pytest.raises(InputError, match="has no dress"):
        programs.set_styles(session, {"dress": {key: 0.5}})
    assert session.document.edits.none and programs.set_styles(session, {"hair": {key: 0.5}})["styles"] == {
        "hair": {key: 0.5}
    }


def test_a_page_that_is_loaded_anew_gets_its_document_back(studio, session, person):
    run(studio.commit_paint(session, {"seq": 1, "labels": painted(person)}))
    page = run(studio.start(session))
    assert page["bar"]["session"] == session.token and page["regions"]["map"]["paint"]
    assert page["pose"]["pose"]["rows"] and page["result"]["result"]["before"]
    empty = Session()
    assert run(studio.start(empty)).keys() == {"bar", "pose", "regions", "textures"}
    empty.close()


def test_start_over_can_be_undone(studio, session, person):
    rows = to_rows(moved(person))
    run(studio.commit_pose(session, {"seq": 1, "keypoints": rows}))
    run(studio.start_over(session, {"seq": 2}))
    assert session.document.edits.none
    run(studio.undo(session, {"seq": 3}))
    assert to_rows(session.document.edits.pose) == rows


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("commit_pose", None),
        ("commit_pose", {"keypoints": "18"}),
        ("commit_pose", {"keypoints": [[1, 2, 1]] * 17}),
        ("commit_pose", {"keypoints": [None] * 18}),
        ("commit_pose", {"keypoints": [[5, 5, 1]] + [None] * 17}),
        ("commit_pose", {"keypoints": [[float("nan"), 1, 1]] + [[1, 1, 1]] * 17}),
        ("commit_pose", {"keypoints": [[1e9, 1, 1]] + [[1, 1, 1]] * 17}),
        ("commit_paint", {"labels": "../../etc/passwd"}),
        ("commit_paint", {"labels": ["a"]}),
        ("commit_styles", {"styles": ["hair"]}),
        ("commit_styles", {"styles": {"hat": {"r1": 1}}}),
        ("commit_styles", {"styles": {"background": {"r1": 1}}}),
        ("commit_styles", {"styles": {"hair": ["r1"]}}),
        ("commit_styles", {"styles": {"hair": {"r2": 1}}}),
        ("commit_styles", {"styles": {"hair": {"r1": float("nan")}}}),
        ("commit_styles", {"styles": {"hair": {"r1": 1.5}}}),
        ("commit_motion", {"motion": {"keys": [], "seconds": 90, "loop": True}}),
        ("commit_motion", {"motion": {"keys": [[None] * 18], "seconds": 1, "loop": True}}),
        ("commit_motion", {"motion": {"keys": [[]] * 25, "seconds": 1, "loop": True}}),
        ("load_pose", {"text": "{}"}),
        ("load_pose", {"text": json.dumps({"keypoints": 3})}),
        ("load_pose", {"text": "x" * 2_000_000}),
        ("remove_reference", {"reference": "r9"}),
    ],
)
def test_whatever_the_browser_sends_is_checked(studio, session, action, value):
    session.references.add("self", session.document.person)
    before = session.document.edits
    with pytest.raises(InputError):
        run(getattr(studio, action)(session, value))
    assert session.document.edits is before


def test_presets_are_whole():
    from app.canvas.components import _PRESETS

    assert len(_PRESETS) >= 6 and len({preset["name"] for preset in _PRESETS}) == len(_PRESETS)
    for preset in _PRESETS:
        for limb in ("right_arm", "left_arm", "right_leg", "left_leg"):
            assert len(preset[limb]) == 2 and all(-180 <= angle <= 180 for angle in preset[limb])
