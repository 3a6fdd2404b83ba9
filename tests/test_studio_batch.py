"""Many photos edited like the open one, without a browser."""

import csv
import io
import zipfile

import numpy as np
import pytest

from app.commands import batch
from app.state.detectors import BUILT_IN
from app.view.updates import path_of
from pise_core.errors import InputError
from pise_core.images import encode_image, read_image, read_photo
from pise_core.pose import to_rows
from tests.conftest import draw_person, moved, run, sent


def photos():
    """Three people, two of one name, and a file that is no photo."""
    drawn = [draw_person(shirt=shirt).photo for shirt in ((190, 60, 50), (60, 90, 170), (70, 140, 80))]
    files = [
        sent(encode_image(photo, ".png"), name) for photo, name in zip(drawn, ("a.png", "b.png", "a.png"), strict=True)
    ]
    return drawn, [files[0], sent(b"no picture", "broken.png"), *files[1:]]


def test_one_bad_photo_costs_none_of_the_others_and_all_is_packed(studio, session, person):
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    drawn, paths = photos()
    page = run(studio.edit_photos(session, [str(path) for path in paths]))["batch"]["batch"]
    assert [(row["name"], row["status"]) for row in page["rows"]] == [
        ("a.png", "edited"), ("broken.png", "failed"), ("b.png", "edited"), ("a-2.png", "edited"),
    ]  # fmt: skip
    assert page["rows"][1]["message"] and not page["running"] and "3 edited, 1 failed" in page["note"]
    assert not any(path.exists() for path in paths)
    zipped = path_of(page["file"]["url"])
    assert session.holds(zipped)
    with zipfile.ZipFile(zipped) as archive:
        assert sorted(archive.namelist()) == ["a-2.jpg", "a.jpg", "b.jpg", "contact-sheet.jpg", "report.csv"]
        report = list(csv.DictReader(io.StringIO(archive.read("report.csv").decode())))
        assert [row["photo"] for row in report] == ["a.png", "broken.png", "b.png", "a-2.png"]
        made = read_image(io.BytesIO(archive.read("b.jpg")))
    assert made.shape == drawn[1].shape and np.abs(made.astype(int) - drawn[1]).max() > 60
    # Nothing that is open has changed, and nothing lies about.
    assert session.document.can_undo and not list(session._folder.glob("work-*"))


def test_a_text_that_is_called_a_photo_is_refused_alike_by_every_door(studio, session, person, tmp_path):
    """The page's own field, many photos at once, and the command line."""
    path = tmp_path / "text.jpg"
    path.write_text("Thursday: fitting at ten.")
    said = "text.jpg is not a JPEG, PNG or WebP picture"
    with pytest.raises(InputError, match=f"^{said}$"):
        read_photo(path)
    with pytest.raises(InputError, match=f"^{said} or .pise document$"):
        run(studio.open_file(session, path, BUILT_IN, BUILT_IN))
    run(studio.commit_pose(session, {"seq": 1, "keypoints": to_rows(moved(person))}))
    page = run(studio.edit_photos(session, [str(sent(path.read_bytes(), path.name))]))["batch"]["batch"]
    assert [row["message"] for row in page["rows"]] == [said]


def test_what_is_done_by_then_is_packed_when_it_is_stopped(studio, session, person):
    run(studio.commit_styles(session, {"recolour": {"upper_clothes": {"colour": "#1b3a8c"}}}))
    _, paths = photos()
    page = {}
    for update in studio.edit_photos(session, [str(path) for path in paths]):
        page.update(update.get("batch", {}))
        if page and len(page["batch"]["rows"]) == 2:
            run(studio.stop(session, {}))
    assert len(page["batch"]["rows"]) == 2 and "2 photos were not begun" in page["batch"]["note"]
    with zipfile.ZipFile(path_of(page["batch"]["file"]["url"])) as archive:
        assert "a.jpg" in archive.namelist() and "b.jpg" not in archive.namelist()


def test_an_accident_with_one_photo_is_named_and_the_others_go_on(studio, session, person, monkeypatch):
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    _, paths = photos()
    edit = batch.edit_photo

    def torn(editor, recipe, path, out, suffix):
        if path.stem == "b":
            raise RuntimeError("torn")
        return edit(editor, recipe, path, out, suffix)

    monkeypatch.setattr(batch, "edit_photo", torn)
    page = run(studio.edit_photos(session, [str(path) for path in paths[2:]]))["batch"]["batch"]
    assert [row["status"] for row in page["rows"]] == ["failed", "edited"]


def test_what_fits_no_other_photo_is_said_at_once(studio, session):
    _, paths = photos()
    with pytest.raises(InputError, match="nothing is edited yet"):
        run(studio.edit_photos(session, [str(path) for path in paths]))
    assert not any(path.exists() for path in paths)
    with pytest.raises(InputError, match="1 to 100 photos"):
        run(studio.edit_photos(session, []))
