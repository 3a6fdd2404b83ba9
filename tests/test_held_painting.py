"""What is held can be painted over the photo, and erased."""

import io
import zipfile

import cv2
import numpy as np
import pytest
from PIL import Image

from app.api.endpoints import Programs, Upload
from app.commands import edits as commands
from app.state.session import Session
from app.view import updates
from pise_core import InputError
from pise_core.document import Document
from pise_core.document.edits import Edits
from pise_core.document.export import exported
from pise_core.document.file_reader import read
from pise_core.document.file_writer import write
from pise_core.document.recipe import recipe_of
from pise_core.held import MOST, Held, painted
from pise_core.images import write_image
from pise_core.pose import default_skeleton
from pise_core.regions import REGION, UNTOUCHED
from pise_core.skeleton import JOINT
from tests.conftest import draw_person
from tests.test_parts import turned

BAG = (250, 210, 20)
POSE = default_skeleton((0, 0, 100, 100))


@pytest.fixture(scope="module")
def with_bag():
    """A person with a yellow bag below the right hand, partly before the thigh, which nobody has found; where it is."""
    drawn = draw_person(440, 660)
    x, y = np.rint(drawn.pose[JOINT["right_wrist"], :2]).astype(int)
    bag = np.zeros(drawn.parsing.shape, np.uint8)
    cv2.rectangle(bag, (x - 40, y + 22), (x + 40, y + 92), 1, -1)
    photo = np.where(bag[..., None] > 0, np.array(BAG, np.uint8), drawn.photo)
    return drawn._replace(photo=photo), bag > 0


@pytest.fixture(scope="module")
def person(editor, with_bag):
    drawn, _ = with_bag
    return editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)


@pytest.fixture(scope="module")
def arm_out(with_bag):
    return turned(with_bag[0].pose, ["right_elbow", "right_wrist"], "right_shoulder", 60)


def test_a_painted_bag_is_one_that_was_given(editor, with_bag, person, arm_out):
    drawn, bag = with_bag
    given = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing, held=bag)
    document = Document.of(person, "bag")
    document.paint_held(bag)
    assert document.held == [{"box": list(given.held.boxes[0]), "carrier": "right_hand"}]
    assert (document.things((440, 660)) == bag).all()
    assert (document.render().photo == person.photo).all()
    assert not document.render().parsing[bag].any()  # nothing of the body
    document.set_pose(arm_out)
    assert (document.render().photo == given.render(pose=arm_out).photo).all()
    other = Document.of(given, "bag")
    other.set_pose(arm_out)
    assert (document.render(preview=True).photo == other.render(preview=True).photo).all()


def test_files_in_layers_and_cut_outs_hold_it_where_the_hand_took_it(with_bag, person, arm_out):
    drawn, bag = with_bag
    document = Document.of(person, "bag")
    document.paint_held(bag)
    for pose in (None, arm_out):
        if pose is not None:
            document.set_pose(pose)
        shown = document.render().photo
        yellow = (np.abs(shown.astype(int) - BAG).max(2) < 12).astype(np.uint8)
        there = cv2.erode(yellow, np.ones((9, 9), np.uint8)) > 0
        assert there.sum() > bag.sum() / 3
        with zipfile.ZipFile(io.BytesIO(exported(document, ".ora"))) as archive:
            assert b"right held" in archive.read("stack.xml")
        cut = np.asarray(Image.open(io.BytesIO(exported(document, ".png", cut_out=True))))
        assert (cut[there, 3] > 250).mean() > 0.97
        assert np.abs(cut[there, :3].astype(int) - shown[there]).max() <= 2


def test_strokes_are_steps_and_what_is_erased_is_the_body_again(with_bag, person):
    _, bag = with_bag
    document = Document.of(person, "bag")
    document.paint_held(bag)
    half = bag & (np.arange(440) > np.nonzero(bag)[1].mean())
    document.paint_held(half, erase=True)
    assert document.steps[0] == ["held", "held"]
    shown = document.render().parsing
    assert (shown[half] == person.parsing[half]).all() and not shown[bag & ~half].any()
    assert len(document.held) == 1
    document.paint_held(bag, erase=True)
    assert document.edits.things is None and not document.held
    assert (document.render().parsing == person.parsing).all()
    assert document.undo() and len(document.held) == 1
    document.start_over()
    assert document.edits.none and document.edits.things is None
    assert document.undo() and len(document.held) == 1


def test_what_was_chosen_for_a_thing_stays_when_others_are_painted(with_bag, person, arm_out):
    _, bag = with_bag
    document = Document.of(person, "bag")
    assert document.paint_held(bag) == "right_hand"
    document.hold(["stays"])
    wrist = np.rint(person.pose[JOINT["left_wrist"], :2]).astype(int)
    phone = np.zeros(bag.shape, bool)
    phone[wrist[1] + 8 : wrist[1] + 26, wrist[0] - 6 : wrist[0] + 6] = True
    assert document.paint_held(phone) == "left_hand"
    assert sorted(thing["carrier"] for thing in document.held) == ["left_hand", "stays"]
    document.set_pose(arm_out)
    assert document.paint_held(bag, erase=True) is None  # over the photo, whatever the pose is
    assert [thing["carrier"] for thing in document.held] == ["left_hand"]
    assert document.undo() and sorted(thing["carrier"] for thing in document.held) == ["left_hand", "stays"]


def test_painting_goes_on_at_a_thing_and_begins_another_elsewhere():
    below = np.full((100, 100), REGION["upper_clothes"], np.uint8)
    labels = np.zeros((100, 100), np.uint8)
    labels[10:20, 10:20] = 1
    found = Held(labels, ("left_hand",)).over(below)
    parsing = found.without(below)
    marks = np.full((100, 100), UNTOUCHED, np.uint8)
    marks[10:20, 20:30] = 1  # at the thing
    marks[60:70, 60:70] = 1  # elsewhere
    held, now = painted(found, marks, parsing, POSE, 1.0)
    assert held is not None and len(held.carriers) == 2 and held.carriers[0] == "left_hand"
    assert (held.labels[10:20, 10:30] == 1).all() and (held.labels[60:70, 60:70] == 2).all()
    assert (held.labels > 0).sum() == 300 and ((now == 0) == (held.labels > 0)).all()
    marks[10:20, 10:30] = 0
    held, now = painted(found, marks, parsing, POSE, 1.0)
    assert held is not None and len(held.carriers) == 1 and (held.labels[60:70, 60:70] == 1).all()
    assert (now[10:20, 10:30] == REGION["upper_clothes"]).all()  # what the analyzer sees there is the body again
    marks[:] = 0
    held, now = painted(found, marks, parsing, POSE, 1.0)
    assert held is None and (now == below).all()


def test_there_are_so_many_things_at_most(person):
    document = Document.of(person, "bag")
    marks = np.zeros(person.parsing.shape, bool)
    for n in range(MOST + 1):
        marks[20:30, 40 * n + 10 : 40 * n + 20] = True
    with pytest.raises(InputError, match=f"{MOST} things at most"):
        document.paint_held(marks)
    assert not document.can_undo
    with pytest.raises(InputError, match="nothing is marked"):
        document.paint_held(np.zeros_like(marks))
    with pytest.raises(InputError, match="as large as the photo"):
        document.paint_held(marks[1:])


def test_files_keep_what_was_painted_and_what_lies_below(editor, with_bag, person, arm_out, tmp_path):
    drawn, bag = with_bag
    document = Document.of(person, "bag")
    document.paint_held(bag)
    document.hold(["stays"])
    document.set_pose(arm_out)
    document.save(tmp_path / "bag.pise")
    again = Document.open(tmp_path / "bag.pise", editor)
    assert again.held == document.held and again.edits.same(document.edits)
    assert (again.render().photo == document.render().photo).all()
    given = editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing, held=bag)
    saved = read(write(Document.of(given, "bag").contents())).person.held
    assert saved is not None and saved.below is not None and given.held is not None and given.held.below is not None
    assert (saved.below == given.held.below).all() and (saved.below[bag] == drawn.parsing[bag]).all()
    recipe = recipe_of(document)
    assert recipe.left_out == "held things"  # they belong to this photo


def test_programs_paint_what_is_held(studio, with_bag, person, tmp_path):
    drawn, bag = with_bag
    Document.of(person, "bag").save(tmp_path / "bag.pise")
    write_image(tmp_path / "mask.png", np.repeat(bag[..., None], 3, 2).astype(np.uint8) * 255)
    programs, session = Programs(studio), Session()
    assert programs.open_file(session, Upload(str(tmp_path / "bag.pise")))["held"] == []

    def mask() -> Upload:
        write_image(tmp_path / "sent.png", np.repeat(bag[..., None], 3, 2).astype(np.uint8) * 255)
        return Upload(str(tmp_path / "sent.png"))

    state = programs.paint_held(session, mask())
    assert [thing["carrier"] for thing in state["held"]] == ["right_hand"] and state["history"] == ["held"]
    assert programs.set_held(session, ["stays"])["held"][0]["carrier"] == "stays"
    assert programs.paint_held(session, mask(), erase=True)["held"] == []
    # White on nothing, as paint programs export a brush on a layer of its own.
    Image.fromarray(np.where(bag[..., None], np.uint8(255), np.uint8(0)).repeat(4, 2), "RGBA").save(
        tmp_path / "sent.png"
    )
    (thing,) = programs.paint_held(session, Upload(str(tmp_path / "sent.png")))["held"]
    ys, xs = np.nonzero(bag)
    assert np.allclose(thing["box"], (xs.min(), ys.min(), xs.max() + 1, ys.max() + 1), atol=2)
    write_image(tmp_path / "sent.png", np.zeros((40, 90, 3), np.uint8))
    size = f"the photo {bag.shape[1]}x{bag.shape[0]}"
    with pytest.raises(InputError, match=f"{size}: they must be of the same size, or shape"):
        programs.paint_held(session, Upload(str(tmp_path / "sent.png")))
    session.close()


def test_the_page_is_told_what_is_held_and_its_preview_moves_it(studio, with_bag, person, tmp_path):
    _, bag = with_bag
    session = Session()
    Document.of(person, "bag").save(tmp_path / "bag.pise")
    Programs(studio).open_file(session, Upload(str(tmp_path / "bag.pise")))
    document = session.need_document()
    assert updates.region_map(document, document.edits, 1, 1)["held"] is None
    outcome = commands.paint_held(session, bag, erase=False)
    assert "right hand" in session.note and outcome.changed
    assert updates.region_map(document, document.edits, 1, 2)["held"]
    now = session.moment()
    assert now is not None
    names = [part[0] for part in updates.layers(session, now, document.edits, document.render(), "url")["parts"]]
    assert "right_held" in names
    document.undo()
    names = [part[0] for part in updates.layers(session, now, Edits(), document.render(), "url")["parts"]]
    assert "right_held" not in names
    session.close()
