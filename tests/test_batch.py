"""The same edits on many photos: what is written, what a bad photo costs, and that a stopped run goes on."""

import csv
import dataclasses
import json
import zipfile

import numpy as np
import pytest

from pise_core import Document
from pise_core.cli import main as cli
from pise_core.document import batch
from pise_core.document.file_writer import write
from pise_core.document.recipe import read_recipe
from pise_core.errors import InputError
from pise_core.images import read_image, write_image
from pise_core.pose_files import write_pose
from tests.conftest import draw_person, moved

SHIRTS = {"a": (190, 60, 50), "b": (60, 90, 170), "c": (70, 140, 80)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, editor, other_person):
    """Three photos, two files that are none, a lender, and recipes."""
    path = tmp_path_factory.mktemp("batch")
    photos = path / "photos"
    photos.mkdir()
    for name, shirt in SHIRTS.items():
        write_image(photos / f"{name}.png", draw_person(shirt=shirt).photo)
    (photos / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    write_image(photos / "nobody.png", np.full((200, 150, 3), 128, np.uint8))
    write_image(path / "lender.png", other_person.photo)
    write_pose(path / "lifted.json", lifted(other_person.pose), (300, 400))
    (path / "recipe.json").write_text(json.dumps({"pose": "lifted.json", "styles": {"upper_clothes": "lender.png"}}))
    return path


def lifted(pose):
    pose = pose.copy()
    pose[4, :2] = pose[2, :2] + (-30, -60)
    pose[3, :2] = pose[2, :2] + (-40, -5)
    return pose


def run(folder, out, *more, recipe="recipe.json"):
    arguments = ["batch", folder / "photos", "--recipe", folder / recipe, "--out", out, "--device", "cpu", *more]
    return cli.main([str(argument) for argument in arguments])


def report(out):
    with (out / batch.REPORT).open(newline="") as file:
        return {row["photo"].rsplit("/", 1)[-1]: row for row in csv.DictReader(file)}


def files(out):
    return {path.name: path.read_bytes() for path in out.iterdir()}


@pytest.fixture(scope="module")
def done(folder, tmp_path_factory):
    """A batch that ran at once, with an archive."""
    out = tmp_path_factory.mktemp("out")
    assert run(folder, out, "--zip") == 1  # two of the five could not be edited
    return out


def test_bad_photos_cost_the_others_nothing_and_are_named(done, folder):
    rows = report(done)
    assert [row["status"] for row in rows.values()] == ["edited", "edited", "failed", "edited", "failed"]
    assert "broken.png" in rows["broken.png"]["message"] and rows["nobody.png"]["message"]
    for name in SHIRTS:
        edited, photo = read_image(done / f"{name}.png"), read_image(folder / "photos" / f"{name}.png")
        assert edited.shape == photo.shape and (edited != photo).any()
    assert read_image(done / batch.SHEET).shape[1] == 8 * 160
    with zipfile.ZipFile(done / batch.ARCHIVE) as archive:
        assert archive.namelist() == ["a.png", "b.png", "c.png", batch.REPORT]
        assert archive.read("a.png") == (done / "a.png").read_bytes()


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes(done, folder, tmp_path, monkeypatch, capsys):
    made = []
    edit_photo = batch.edit_photo

    def stopped(editor, recipe, path, out, suffix):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(path.name)
        return edit_photo(editor, recipe, path, out, suffix)

    monkeypatch.setattr("pise_core.cli.batch.edit_photo", stopped)
    assert run(folder, tmp_path, "--zip") == 130
    assert list(report(tmp_path)) == made == ["a.png", "b.png"]
    made.clear()
    monkeypatch.setattr("pise_core.cli.batch.edit_photo", lambda *args: made.append(args[2].name) or edit_photo(*args))
    assert run(folder, tmp_path, "--zip") == 1
    assert made == ["broken.png", "c.png", "nobody.png"]
    assert files(tmp_path) == files(done)


def test_a_picture_that_was_altered_and_another_recipe_are_made_anew(done, folder, tmp_path, editor):
    recipe = read_recipe(folder / "recipe.json", editor)
    photos = batch.photos_of([folder / "photos"])
    rows = list(batch.run_batch(photos[:1], recipe, tmp_path, editing(editor, recipe, tmp_path)))
    assert list(batch.done_before(tmp_path, recipe, photos, ".png").values()) == rows
    assert not batch.done_before(tmp_path, recipe, photos, ".jpg")
    (folder / "other.json").write_text(json.dumps({"pose": "lifted.json"}))
    assert not batch.done_before(tmp_path, read_recipe(folder / "other.json", editor), photos, ".png")
    (tmp_path / "a.png").write_bytes(b"altered")
    assert not batch.done_before(tmp_path, recipe, photos, ".png")


def editing(editor, recipe, out):
    return lambda photos: (batch.edit_photo(editor, recipe, path, out) for path in photos)


def test_what_was_edited_in_the_studio_is_a_recipe(folder, tmp_path, editor, known, known_other, person):
    document = Document.of(known)
    key = document.add_reference(known_other, "lender")
    document.set_style("upper_clothes", key)
    document.set_pose(lifted(person.pose))
    document.paint("dress", np.indices(person.parsing.shape)[0] > 250)
    document.save(tmp_path / "mine.pise")
    recipe = read_recipe(tmp_path / "mine.pise", editor)
    assert recipe.left_out == "paint" and recipe.pose is not None
    assert [(region, mix[0][0], mix[0][2]) for region, mix in recipe.styles.items()] == [("upper_clothes", "lender", 1)]
    document.save_look("upper_clothes", tmp_path / "look.pise")
    assert list(read_recipe(tmp_path / "look.pise", editor).styles) == ["upper_clothes"]
    row = batch.edit_photo(editor, recipe, folder / "photos" / "b.png", tmp_path)
    assert row.status == batch.EDITED


def test_a_recipe_of_another_background_says_so_with_each_picture(folder, tmp_path, editor, known, person):
    document = Document.of(known)
    document.set_pose(moved(person))
    saved = dataclasses.replace(document.contents(), background="LaMa")
    (tmp_path / "mine.pise").write_bytes(write(saved))
    document.save(tmp_path / "own.pise")
    said = {}
    for name in ("mine", "own"):
        recipe = read_recipe(tmp_path / f"{name}.pise", editor)
        said[name] = batch.edit_photo(editor, recipe, folder / "photos" / "b.png", tmp_path).message
    assert said["mine"].startswith("the recipe was saved with the background LaMa; with Built-in pictures may differ")
    assert "background LaMa" not in said["own"]


def test_a_recipe_that_asks_for_nothing_that_is_there_says_so(folder, tmp_path, editor):
    (folder / "none.json").write_text(json.dumps({"replace": {"dress": "pants"}}))
    row = batch.edit_photo(editor, read_recipe(folder / "none.json", editor), folder / "photos" / "a.png", tmp_path)
    if row.status == batch.UNCHANGED:
        assert row.message and np.array_equal(read_image(tmp_path / "a.png"), read_image(folder / "photos" / "a.png"))
    else:  # the analyzer took some of the drawn clothes for a dress
        assert row.status == batch.EDITED


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ([], "no recipe"),
        ({"poses": "lifted.json"}, "one or several and not 'poses'"),
        ({"pose": "lifted.json", "pose_from": "lender.png"}, "only one"),
        ({"pose": "gone.json"}, "no file"),
        ({"pose": 3}, "must name a file"),
        ({"replace": {"hat": "hair"}}, "names of regions"),
        ({"styles": {"upper_clothes": {"lender.png": 1.5}}}, "at most 1"),
        ({"styles": {"upper_clothes": {"lender.png": 0.7, "photos/a.png": 0.7}}}, "at most 1"),
        ({"styles": {"upper_clothes": "photos/broken.png"}}, "broken.png"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_in_a_line(recipe, said, folder, tmp_path, capsys):
    (folder / "bad.json").write_text(json.dumps(recipe))
    assert run(folder, tmp_path / "out", recipe="bad.json") == 2
    error = capsys.readouterr().err.strip()
    assert said in error and "\n" not in error


def test_photos_that_would_overwrite_each_other_and_no_photos_are_refused(folder, tmp_path):
    write_image(tmp_path / "A.png", np.zeros((20, 20, 3), np.uint8))
    with pytest.raises(InputError, match="rename one"):
        batch.photos_of([folder / "photos", tmp_path / "A.png"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no photos"):
        batch.photos_of([tmp_path / "empty"])


def test_a_folder_is_searched_for_photos_and_not_for_what_is_hidden_or_a_folder(tmp_path):
    for name in ("b.HEIC", "a.jpg", "._a.jpg", "notes.txt", "c.avif"):
        (tmp_path / name).touch()
    (tmp_path / "trip.jpg").mkdir()
    assert [path.name for path in batch.photos_of([tmp_path])] == ["a.jpg", "b.HEIC", "c.avif"]


def test_what_failed_is_named_once(folder, tmp_path, capsys):
    assert run(folder, tmp_path) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if "broken.png" in line]
    assert len(told) == 1 and told[0].count("broken.png") == 1


def test_two_workers_of_a_ray_cluster_make_the_same_bytes(done, folder, tmp_path):
    assert run(folder, tmp_path, "--zip", "--ray", "local", "--workers", 2) == 1
    assert files(tmp_path) == files(done)
