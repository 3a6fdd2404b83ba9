"""The photo grows where the wanted pose leaves it: its pixels and everything that lies on it stay as they are."""

import json
from typing import Any

import numpy as np
import pytest

from app.api.endpoints import Programs
from app.state.session import Found, Session
from pise_core import Document
from pise_core.cli.main import main
from pise_core.document import growing
from pise_core.document.growing import bounded, room_for
from pise_core.document.paint import UNTOUCHED
from pise_core.document.recipe import read_recipe
from pise_core.errors import InputError
from pise_core.images import MAX_SIDE, read_image, write_image
from pise_core.inpainting.margins import Margins, continue_beyond
from pise_core.pose import to_rows
from pise_core.pose_files import write_pose
from pise_core.skeleton import JOINT
from tests.conftest import draw_person, run


@pytest.fixture(scope="module")
def drawn():
    """A person who fills a small photo."""
    return draw_person(180, 260, (40, 12, 140, 252))


@pytest.fixture(scope="module")
def whole(editor, drawn):
    return editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)


def reaching(pose: np.ndarray, angle: float, side: str = "left") -> np.ndarray:
    """The pose with an arm stretched out; 90 degrees is upwards, 0 to the right of the picture."""
    pose = pose.copy()
    shoulder, elbow, wrist = (JOINT[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist"))
    length = np.hypot(*(pose[elbow, :2] - pose[shoulder, :2]))
    way = np.array([np.cos(np.radians(angle)), -np.sin(np.radians(angle))]) * length
    pose[elbow, :2] = pose[shoulder, :2] + way
    pose[wrist, :2] = pose[shoulder, :2] + 2 * way
    return pose


def beyond(grown: np.ndarray, margins: Margins, size: tuple[int, int]) -> np.ndarray:
    mask = np.ones(grown.shape[:2], bool)
    mask[margins.window(*size)] = False
    return mask


# ---- how much


def test_room_is_made_where_the_pose_leaves_the_photo_and_nowhere_else(whole, drawn):
    size = whole.parsing.shape
    up, out = room_for(whole, reaching(drawn.pose, 88), size), room_for(whole, reaching(drawn.pose, 0), size)
    assert up.top > 0 and up.left == up.right == up.bottom == 0
    assert out.right > 0 and out.left == out.top == out.bottom == 0
    wrist = reaching(drawn.pose, 88)[JOINT["left_wrist"], 1]
    assert -wrist < up.top < -wrist + 60  # the hand, and a little
    document = Document.of(whole)
    for pose, leaves in ((drawn.pose, False), (reaching(drawn.pose, 45), True), (reaching(drawn.pose, -60), False)):
        document.set_pose(pose)
        assert document.leaves_photo is leaves
    with pytest.raises(InputError, match="stays within the photo"):
        document.grow()


def test_a_pose_whose_parts_are_outside_from_the_beginning_asks_for_no_room(editor, drawn):
    cut = drawn.photo[:200].copy()  # the feet are below it
    person = editor.set_person(cut, pose=drawn.pose, parsing=drawn.parsing[:200].copy())
    assert not growing.leaves(person, drawn.pose + np.array([2, 1, 0], np.float32))
    assert growing.leaves(person, reaching(drawn.pose, 88))
    assert room_for(person, reaching(drawn.pose, 88), (200, 180)).bottom == 0


def test_margins_are_bounded():
    assert bounded((10, 0, 500, 0), (100, 200)) == Margins(10, 0, 100, 0)
    wide = bounded((0, 0, 8000, 0), (1000, MAX_SIDE - 100))
    assert 0 < wide.right <= 100
    large = bounded((0, 4000, 0, 0), (6000, 8000))
    assert large.top > 0 and 8000 * (6000 + large.top) <= 50_000_000
    wrongs: Any = (((0, 0, 0, 0), "all margins are 0"), ((1, 2, 3), "four whole numbers"),
                           ((-1, 0, 0, 0), "from 0 on"), ((0.5, 0, 0, 0), "whole"), ("abcd", "four"),
                           ((10**400, 0, 0, 0), "four"), ((True, False, False, False), "four"))  # fmt: skip
    for wrong, message in wrongs:
        with pytest.raises(InputError, match=message):
            bounded(wrong, (100, 100))
    with pytest.raises(InputError, match="as large as photos may be"):
        bounded((5, 0, 5, 0), (1000, MAX_SIDE))


# ---- what is shown there


def test_the_background_goes_on_and_nobody_is_shown_again(drawn):
    margins = Margins(40, 70, 60, 0)
    size = drawn.parsing.shape
    grown = continue_beyond(drawn.photo, margins, drawn.parsing > 0, 0.9)
    assert grown.shape == (330, 280, 3) and np.array_equal(grown[margins.window(*size)], drawn.photo)
    new = grown[beyond(grown, margins, size)].astype(int)
    shirt, trousers, skin = (190, 60, 50), (40, 60, 120), (224, 180, 150)
    assert min(np.abs(new - colour).sum(1).min() for colour in (shirt, trousers, skin)) > 60
    assert np.abs(grown[60, 100].astype(int) - drawn.photo[2, 100]).max() < 12  # the wall goes on above it
    assert np.abs(grown[325, 270].astype(int) - (110, 100, 90)).max() < 12  # and the floor beside it
    assert np.array_equal(grown, continue_beyond(drawn.photo, margins, drawn.parsing > 0, 0.9))


def test_a_photo_without_background_grows_all_the_same(drawn):
    everywhere = np.ones(drawn.parsing.shape, bool)
    grown = continue_beyond(drawn.photo, Margins(top=20), everywhere, 0.9)
    assert np.array_equal(grown[20:], drawn.photo) and (grown[:20] == 127).all()
    everywhere[:, :2] = False  # too little for pieces
    assert np.array_equal(continue_beyond(drawn.photo, Margins(top=20), everywhere, 0.9)[20:], drawn.photo)


# ---- what lies on it


def test_edits_lie_where_they_lay(editor, whole, drawn, known_other, tmp_path):
    document = Document.of(whole, "grows", [whole.box])
    key = document.add_reference(known_other, "friend")
    mask = np.zeros(drawn.parsing.shape, bool)
    mask[100:130, 75:100] = True
    document.paint("dress", mask)
    document.set_pose(reaching(drawn.pose, 88))
    document.set_style("pants", key)
    document.set_recolour({"hair": "navy"})
    spot = np.zeros_like(mask)
    spot[30:36, 20:26] = True
    document.retouch(spot)
    document.set_motion([drawn.pose, reaching(drawn.pose, 88)])
    before, steps = document.render(), document.steps
    room, grown = document.room(), document.grow()
    inside, (height, width) = room.window(*drawn.parsing.shape), drawn.parsing.shape
    assert np.array_equal(grown.photo[inside], document.photo) and document.steps == steps
    assert grown.photo.shape == (height + room.top, width + room.left + room.right, 3)
    assert np.array_equal(grown.person.parsing[inside], whole.parsing) and not grown.person.parsing[: room.top].any()
    moved = np.array([room.left, room.top, 0])
    assert grown.edits.pose is not None and document.edits.pose is not None
    for here, there in (
        (grown.person.pose, whole.pose),
        (grown.edits.pose, document.edits.pose),
        *zip(grown.edits.motion.keys, document.edits.motion.keys, strict=True),
    ):
        np.testing.assert_allclose(here, there + moved, atol=1e-3)
    for here, there in ((grown.edits.paint, document.edits.paint), (grown.edits.retouch, document.edits.retouch)):
        assert here is not None and there is not None
        labels = here.layer.labels()
        assert np.array_equal(labels[inside], there.layer.labels()) and (labels[: room.top] == UNTOUCHED).all()
    assert grown.edits.styles == document.edits.styles and grown.edits.recolour == document.edits.recolour
    x0, y0, x1, y1 = whole.box
    assert grown.boxes == [(x0 + room.left, y0 + room.top, x1 + room.left, y1 + room.top)]
    assert grown.name == "grows" and grown.steps == ([], 0) and not grown.can_undo
    after = grown.render()
    # The networks see the wall where there was nothing: nearly the same picture, not the same bits.
    assert np.abs(after.photo[inside].astype(int) - before.photo).mean() < 3
    assert (after.parsing[inside] != before.parsing).mean() < 0.02
    arm = after.parsing[: room.top] > 0
    assert arm.sum() > 200  # and the arm that was cut off is there
    grown.save(tmp_path / "grown.pise")
    again = Document.open(tmp_path / "grown.pise", editor)
    assert np.array_equal(again.render().photo, after.photo)
    assert again.start_over() and np.array_equal(again.render().photo, grown.photo)


def test_everybody_in_the_photo_stays_where_they_are(editor, whole, drawn):
    document = Document.of(whole, "two", [whole.box, whole.box])
    document.add_person(editor.set_person(whole.photo, pose=drawn.pose, parsing=drawn.parsing), 1)
    document.edit_person(1)
    document.paint("hair", drawn.parsing == 1)
    document.set_pose(reaching(drawn.pose, 0))
    grown = document.grow()
    assert (grown.edited, grown.chosen, len(grown.people)) == (1, 1, 2) and grown.edits.pose is not None
    assert all(np.array_equal(one.person.photo, grown.photo) for one in grown.people)
    grown.edit_person(0)
    assert grown.edits.none


def test_held_things_and_paint_of_large_photos_come_along(editor):
    drawn = draw_person(900, 1300)
    held = np.zeros(drawn.parsing.shape, np.uint8)
    held[900:1000, 100:180] = 1
    person = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing, held=held)
    document = Document.of(person)
    mask = np.zeros(held.shape, bool)
    mask[600:700, 400:500] = True
    document.paint("dress", mask)
    painted = np.zeros(held.shape, bool)
    painted[200:300, 650:700] = True
    document.paint_held(painted)
    grown = document.grow((200, 0, 0, 0))
    boxes = sorted(thing["box"] for thing in grown.held)
    assert boxes[0] == [300, 900, 380, 1000]
    np.testing.assert_allclose(boxes[1], [850, 200, 900, 300], atol=3)
    layer = grown.painted()
    assert layer is not None
    ys, xs = np.nonzero(layer.over(grown.base_map()) != grown.base_map())
    place = (xs.min(), xs.max() + 1, ys.min(), ys.max() + 1)
    np.testing.assert_allclose(place, (600, 700, 600, 700), atol=3)  # the layer has fewer pixels than the photo


# ---- by every door


def test_specks_of_held_things_keep_what_they_go_with(editor):
    # The layers of a photo of more than 1024 pixels grow no larger, and what is one pixel there may fall through.
    drawn = draw_person(800, 1200)
    document = Document.of(editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing))
    for rows, columns in ((slice(200, 280), slice(20, 100)), (slice(1100, 1102), slice(60, 62))):
        thing = np.zeros(drawn.parsing.shape, bool)
        thing[rows, columns] = True
        document.paint_held(thing)
    document.hold(["left_hand", "right_hand"])
    for margins in ((400, 0, 0, 0), (0, 600, 0, 600), (397, 401, 113, 599)):
        grown = document.grow(margins)
        assert sorted(thing["carrier"] for thing in grown.held) == ["left_hand", "right_hand"]


def test_the_page_makes_room_and_undo_takes_it_back(studio, whole, drawn):
    session = Session()
    session.edit(Document.of(whole, "grows", [whole.box]), [Found(whole.box, drawn.pose)])
    small, pose = session.document, to_rows(reaching(drawn.pose, 88))
    run(studio.commit_pose(session, {"seq": 1, "keypoints": pose}))
    page = run(studio.render(session))
    assert page["pose"]["room"] is True and "Make room" in page["bar"]["status"]["text"]
    assert not page["bar"]["history"]["begun"]
    page = run(studio.make_room(session, {}))
    assert page["bar"]["history"]["begun"]  # the pose from before is no step that undo takes back within this document
    assert small is not None
    grown, room = session.document, small.room()
    assert page["pose"]["photo"]["height"] == 260 + room.top and page["pose"]["room"] is False
    assert page["regions"]["map"]["height"] == 260 + room.top
    np.testing.assert_allclose(session.people[0].box, np.array(whole.box) + (0, room.top) * 2)
    placed = session.people[0].pose
    assert placed is not None
    np.testing.assert_allclose(placed, drawn.pose + np.array([0, room.top, 0], np.float32))
    page = run(studio.prepare(session))
    assert page["pose"]["room"] is False and "Undo brings back" in page["bar"]["status"]["text"]
    with pytest.raises(InputError, match="stays within"):
        run(studio.make_room(session, {}))
    assert session.document is grown
    run(studio.undo(session, {}))
    assert session.document is small and small.leaves_photo and session.can_redo
    run(studio.redo(session, {}))
    assert session.document is grown
    session.close()


def test_programs_make_room(studio, whole, drawn):
    session, programs = Session(), Programs(studio)
    session.edit(Document.of(whole))
    programs.set_pose(session, reaching(drawn.pose, 0))
    state = programs.make_room(session)
    assert state["size"][0] > 180 and state["size"][1] == 260 and state["undo"]
    assert read_image(str(programs.result(session))).shape[1] == state["size"][0]
    assert programs.undo(session)["size"] == [180, 260]
    session.close()


def test_the_command_line_makes_room(weights, drawn, tmp_path, capsys):
    photo, pose, out = tmp_path / "me.png", tmp_path / "pose.json", tmp_path / "out.png"
    write_image(photo, drawn.photo)
    write_pose(pose, reaching(drawn.pose, 88), (180, 260))
    common = ["edit", str(photo), "--out", str(out), "--weights", str(weights)]
    assert main([*common, "--pose", str(pose), "--grow"]) == 0
    height, width = read_image(out).shape[:2]
    assert height > 260 and width == 180
    assert main([*common, "--grow"]) == 2 and "--pose" in capsys.readouterr().err


def test_a_recipe_makes_room(editor, whole, drawn, tmp_path):
    write_pose(tmp_path / "pose.json", reaching(drawn.pose, 88), (180, 260))
    for grow in (True, False):
        path = tmp_path / f"{grow}.json"
        path.write_text(json.dumps({"pose": "pose.json", "grow": grow}))
        document = Document.of(whole)
        made = read_recipe(path, editor).apply(document)
        assert (made.photo.shape[0] > 260) is grow and (made is document) is not grow
    (tmp_path / "wrong.json").write_text('{"pose": "pose.json", "grow": 3}')
    with pytest.raises(InputError, match="true or false"):
        read_recipe(tmp_path / "wrong.json", editor)
