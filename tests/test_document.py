"""The document without any interface: edits and their history, references, pictures and files."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageSequence

from pise_core import Document, NobodyFound
from pise_core.cli.main import main
from pise_core.document.edits import Edits, Paint
from pise_core.document.motion import motion_poses
from pise_core.document.paint import UNTOUCHED, PaintLayer
from pise_core.document.references import REFERENCE_LIMIT
from pise_core.document.renderer import Renderer
from pise_core.errors import InputError
from pise_core.images import read_image, write_image
from pise_core.pose import to_rows
from pise_core.pose_files import encode_pose
from pise_core.regions import REGION
from tests.conftest import ROOT, layer, moved
from tests.test_pise_file import VERSION_2


def test_nothing_asked_for_is_the_photo_itself(document, person):
    assert document.edits.none
    assert np.array_equal(document.render().photo, person.photo)


def test_a_pose_edit_changes_the_picture_at_both_sizes(document, person):
    document.set_pose(moved(person))
    assert not np.array_equal(document.render().photo, person.photo)
    preview = document.render(preview=True).photo
    small = document.sized(preview=True).photo
    assert preview.shape == small.shape and not np.array_equal(preview, small)


def test_the_own_pose_is_no_edit(document, person):
    document.set_pose(to_rows(person.pose))
    assert document.edits.none


def test_a_mask_is_painted_and_a_map_is_set(document, person):
    mask = np.zeros(person.parsing.shape, bool)
    mask[140:170, 90:110] = True
    document.paint("dress", mask)
    shown = document.render().parsing
    assert (shown[mask] == REGION["dress"]).mean() > 0.9
    assert (document.painted().labels() == REGION["dress"])[mask].all()
    document.set_regions(person.parsing)  # as it was
    assert document.edits.none
    with pytest.raises(InputError, match="of bool"):
        document.paint("dress", mask[:10])
    with pytest.raises(InputError, match="region"):
        document.paint("hat", mask)


def test_references_are_bounded(document, known):
    for _ in range(REFERENCE_LIMIT):
        document.add_reference(known)
    with pytest.raises(InputError, match="remove one"):
        document.add_reference(known)


def test_styles_that_make_no_sense_are_refused(document, known_other):
    document.add_reference(known_other)
    for styles, message in [
        ({"hat": {"r1": 1}}, "borrowed for"),
        ({"hair": {"r2": 1}}, "gone"),
        ({"hair": {"r1": 1.5}}, "from 0 to 1"),
        ({"dress": {"r1": 1}}, "has no dress"),
        (["hair"], "styles are given"),
    ]:
        with pytest.raises(InputError, match=message):
            document.set_styles(styles)
    assert not document.can_undo


def painted_forearm(person):
    """A small square on the right forearm, and where its middle is."""
    x, y = ((person.pose[3, :2] + person.pose[4, :2]) / 2).astype(int)
    return layer(person, rows=slice(y - 3, y + 4), columns=slice(x - 3, x + 4)), x, y


def test_what_was_painted_goes_along_with_the_body(document, person):
    paint, x, y = painted_forearm(person)
    document.set_paint(None, paint)
    pose = moved(person, by=(-30.0, -45.0))
    document.set_pose(pose)
    assert document.paint_kept() > 0.9
    labels = document.painted().labels()
    middle = (person.pose[3, :2] + pose[4, :2]) / 2
    assert labels[int(middle[1]), int(middle[0])] == 3 and labels[y, x] == UNTOUCHED
    document.set_pose(moved(person, joint=7))  # another arm: a part that does not move keeps its paint to the pixel
    assert np.array_equal(document.painted().labels(), paint.labels())
    document.set_pose(moved(person, by=(-3000.0, 0.0)))
    assert document.paint_kept() < 0.7  # out of the picture


def test_paint_is_the_very_same_when_the_pose_comes_back(document, editor, person, tmp_path):
    paint, _, _ = painted_forearm(person)
    start = moved(person, by=(-12.3, -20.7))
    document.set_pose(start)
    document.set_paint(None, paint)
    picture = document.render().photo
    for by in ((-40.0, -80.0), (25.0, 10.0), (-3000.0, 0.0), (-7.7, 3.3)):
        document.set_pose(moved(person, by=by))
        assert document.painted() != paint
    document.set_pose(start.copy())
    assert document.painted() == paint and np.array_equal(document.render().photo, picture)
    # A saved document knows it as well, opened while the arm is elsewhere.
    document.undo()
    document.save(tmp_path / "away.pise")
    opened = Document.open(tmp_path / "away.pise", editor)
    assert opened.painted() == document.painted() != paint
    opened.set_pose(start.copy())
    assert opened.painted() == paint


def test_a_stroke_in_another_pose_belongs_to_that_pose(document, person):
    paint, _, _ = painted_forearm(person)
    document.set_paint(None, paint)
    there = moved(person, by=(-30.0, -45.0))
    document.set_pose(there)
    carried = document.painted()
    labels = carried.labels().copy()
    labels[:9, :9] = 5
    document.set_paint(carried, PaintLayer.of(labels))
    both = document.painted()
    assert np.array_equal(both.labels(), labels) and document.edits.paint.pose is document.edits.pose
    document.set_pose(person.pose)
    document.set_pose(there.copy())
    assert document.painted() == both


def test_what_another_thread_paints_meanwhile_does_not_get_in(known, person):
    class Raced(dict):
        """Between each two lines, another thread has asked for another layer."""

        def __setitem__(self, key, value):
            super().setdefault(key, value)

    renderer, pose = Renderer(known, {}), moved(person)
    renderer._carried = Raced()
    renderer.paint(Edits(pose, Paint(layer(person, region=3), None)))
    paint, _ = renderer.paint(Edits(pose, Paint(layer(person, region=5), None)))
    assert paint is not None and set(np.unique(paint.labels())) == {5, UNTOUCHED}


def test_a_pose_file_is_fitted_unless_it_was_saved_for_this_person(document, person, other_person):
    size = other_person.photo.shape[1], other_person.photo.shape[0]
    document.load_pose(encode_pose(moved(other_person), size))
    assert np.allclose(document.edits.pose[[8, 11], :2].mean(0), person.pose[[8, 11], :2].mean(0), atol=1)
    shifted = to_rows(person.pose + np.array([15, -5, 0], np.float32))
    document.load_pose(json.dumps({"keypoints": shifted, "own": to_rows(person.pose)}))
    assert to_rows(document.edits.pose) == shifted


def test_a_strip_goes_from_the_own_look_to_the_borrowed_one(document, known_other):
    key = document.add_reference(known_other)
    pictures = list(document.strip("upper_clothes", key))
    assert len(pictures) == 5 and document.edits.none
    assert np.array_equal(pictures[0], document.sized(preview=True).photo)
    document.set_style("upper_clothes", key)
    assert np.array_equal(pictures[4], document.render(preview=True).photo)


def test_a_motion_becomes_a_file(document, person, tmp_path):
    with pytest.raises(InputError, match="two key"):
        document.animate(tmp_path / "none.gif")
    document.set_motion([person.pose, moved(person)], 0.25, loop=False)
    document.animate(tmp_path / "wave.gif")
    with Image.open(tmp_path / "wave.gif") as gif:
        assert len(list(ImageSequence.Iterator(gif))) == 4 and gif.size == (220, 330)
    with pytest.raises(InputError, match="gif or .mp4"):
        document.animate(tmp_path / "wave.avi")


def test_a_document_is_saved_and_opened_with_its_history(document, editor, person, known_other, tmp_path):
    key = document.add_reference(known_other, "friend")
    document.set_pose(moved(person))
    document.set_style("upper_clothes", key, 0.5)
    document.undo()
    document.save(tmp_path / "mine.pise")
    opened = Document.open(tmp_path / "mine.pise", editor)
    assert opened.name == "drawn" and [r.name for r in opened.references.values()] == ["friend"]
    assert np.array_equal(opened.render().photo, document.render().photo)
    assert opened.redo() and opened.edits.styles == {"upper_clothes": {key: 0.5}}
    with pytest.raises(InputError, match="no file"):
        Document.open(tmp_path / "other.pise", editor)


def test_a_saved_document_is_rendered_on_the_command_line(document, person, weights, tmp_path, capsys):
    document.set_pose(moved(person))
    document.set_motion([person.pose, moved(person)], 0.25, loop=False)
    path, picture, motion = (tmp_path / name for name in ("mine.pise", "edited.png", "wave.gif"))
    document.save(path)
    for out in (picture, motion):
        assert main(["render", str(path), "--out", str(out), "--weights", str(weights), "--device", "cpu"]) == 0
    assert np.array_equal(read_image(picture), document.render().photo)
    with Image.open(motion) as gif:
        assert len(list(ImageSequence.Iterator(gif))) == 4
    document.undo()
    document.save(path)
    for source, out, message in [
        (tmp_path / "none.pise", picture, "no file"),
        (picture, picture, "that file is no .pise document"),
        (path, motion, "two key poses"),
        (path, tmp_path / "x.bmp", "use .png"),
    ]:
        capsys.readouterr()
        assert main(["render", str(source), "--out", str(out)]) == 2
        assert message in capsys.readouterr().err


def test_nobody_in_the_photo_is_said(editor, person):
    plain = np.full((240, 320, 3), 200, np.uint8)
    with pytest.raises(NobodyFound):
        Document(editor, plain)
    assert Document(editor, plain, pose=person.pose).edits.none


def test_the_document_needs_no_gradio():
    code = "import sys, pise_core.document; print(sorted({'gradio', 'app'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True).stdout == "[]\n"


def test_the_example_of_the_readme(editor, person, other_person, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("me.jpg", person.photo)
    write_image("friend.jpg", other_person.photo)
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "Document(" in block)
    names = {}
    exec(compile(code, "api.md", "exec"), names)
    document = names["document"]
    assert not np.array_equal(read_image("edited.png"), person.photo)
    assert Path("wave.gif").stat().st_size > 10_000
    opened = Document.open("mine.pise", editor)
    assert opened.edits.styles == document.edits.styles and np.array_equal(
        opened.render().photo, document.render().photo
    )


def test_a_reference_is_kept_no_finer_than_textures_need(document, editor, other_person):
    large = np.repeat(np.repeat(other_person.photo, 5, axis=0), 5, axis=1)
    pose = other_person.pose.copy()
    pose[:, :2] *= 5
    parsing = np.repeat(np.repeat(other_person.parsing, 5, axis=0), 5, axis=1)
    friend = editor.set_person(large, pose=pose, parsing=parsing)
    document.add_reference(friend)
    kept = document.references["r1"].person
    assert kept.photo.shape[0] < large.shape[0] and kept.framing.scale == pytest.approx(1 / 3, rel=0.02)
    document.set_style("upper_clothes", "r1")
    borrowed = document.render().photo.astype(int)
    whole = document.person.render(styles={"upper_clothes": [(friend, 1.0)]}).photo
    assert np.abs(borrowed - whole).mean() < 0.5


def test_a_motion_in_another_size_shows_the_same(document):
    raised = document.person.pose.copy()
    raised[4, :2] += 20, -60
    document.set_motion([document.person.pose, raised], seconds=0.2, loop=False)
    small, whole = document.frames(side=160), document.frames()
    assert len(small) == len(whole) == 3
    last, expected = small[-1](), whole[-1]()
    assert max(last.shape) == 160
    shrunk = cv2.resize(expected, last.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - last).mean() < 3
    with pytest.raises(InputError, match="small ones"):
        motion_poses(document.edits.motion, picture_bytes=150_000_000)


def test_each_person_of_a_photo_has_edits_of_their_own(editor, person, known, other_person, tmp_path):
    document = Document.of(known, "two", [known.box, known.box], 0)
    document.set_pose(person.pose + np.float32(4))
    second = editor.set_person(known.photo, pose=person.pose + np.float32(2), parsing=known.parsing)
    assert document.add_person(second, 1) == 1 and document.edited == 0
    document.edit_person(1)
    assert document.person is second and document.chosen == 1 and document.edits.none and not document.can_undo
    document.paint("hair", np.ones(known.parsing.shape, bool))
    document.save(tmp_path / "two.pise")
    for opened in (document, Document.open(tmp_path / "two.pise", editor)):
        assert (opened.edited, len(opened.people), opened.chosen) == (1, 2, 1)
        assert opened.edits.paint is not None and opened.edits.pose is None
        opened.edit_person(0)
        assert opened.edits.pose is not None and opened.edits.paint is None and opened.undo() and opened.edits.none
        opened.edit_person(1)
        assert opened.edits.paint is not None
    with pytest.raises(InputError, match="2 people"):
        document.edit_person(2)
    with pytest.raises(InputError, match="one photo"):
        document.add_person(editor.set_person(other_person.photo, pose=other_person.pose, parsing=other_person.parsing))


def test_a_document_of_version_2_renders(editor):
    document = Document.open(VERSION_2, editor)
    shown = document.render()
    assert document.can_redo and shown.photo.shape == document.photo.shape
    assert not np.array_equal(shown.photo, document.photo)
    while document.undo():
        pass
    assert np.array_equal(document.render().photo, document.photo)


def test_the_edits_of_all_people_are_in_one_picture(editor, person, known):
    body = np.where(np.isin(known.parsing, [REGION["hair"], REGION["face"]]), 0, known.parsing)
    second = editor.set_person(known.photo, pose=person.pose, parsing=body)  # the nearer one, whose head is not seen
    own = Document.of(second, "other")
    own.recolour("upper_clothes", {"lightness": -0.3})
    mine = own.render().photo
    document = Document.of(known, "two", [known.box, known.box], 0)
    document.recolour("hair", {"lightness": -0.3})
    before = document.render().photo
    document.add_person(second, 1)
    first, behind = document.render().photo, body > 0
    assert np.array_equal(first[~behind], before[~behind]) and (first != document.photo).any()
    assert np.array_equal(first[behind], document.photo[behind])  # nobody's edit is seen over somebody nearer
    document.edit_person(1)
    assert document.edits.none and not document.untouched and np.array_equal(document.render().photo, first)
    assert (document.preview() != document.sized(preview=True).photo).any()
    document.recolour("upper_clothes", {"lightness": -0.3})
    both, theirs = document.render().photo, (mine != document.photo).any(2)
    assert theirs.any()
    assert np.array_equal(both[theirs], mine[theirs]) and np.array_equal(both[~theirs], first[~theirs])
    document.edit_person(0)
    assert np.array_equal(document.render().photo, both)
    assert document.undo() and np.array_equal(document.render().photo, mine)
    document.rest()
    assert np.array_equal(document.render().photo, mine)
    document.edit_person(1)
    assert document.undo() and document.untouched and np.array_equal(document.render().photo, document.photo)
