"""Places that are taken away: healed as what they lie on, or removed, so that what lies behind shows."""

import numpy as np
import pytest

from pise_core import Document
from pise_core.document.file_reader import read
from pise_core.errors import InputError
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from tests.conftest import moved

SHIRT = REGION["upper_clothes"]


def circle(shape, centre, radius):
    ys, xs = np.mgrid[: shape[0], : shape[1]]
    return (xs - centre[0]) ** 2 + (ys - centre[1]) ** 2 <= radius**2


@pytest.fixture
def spotted(editor, person):
    """A document of the drawn person with a green spot on the shirt and another one on the wall; and where they are."""
    chest = person.pose[[JOINT["neck"], JOINT["left_hip"], JOINT["right_hip"]], :2].mean(0)
    on_shirt = circle(person.parsing.shape, chest, 6) & (person.parsing == SHIRT)
    wall = circle(person.parsing.shape, (18, 60), 7)
    assert on_shirt.sum() > 60 and not person.parsing[wall].any()
    photo = person.photo.copy()
    photo[on_shirt | wall] = 20, 230, 40
    known = editor.set_person(photo, pose=person.pose, parsing=person.parsing)
    return Document.of(known, "spotted"), on_shirt, wall


def greens(photo, where):
    """How many pixels are green."""
    red, green, blue = (photo[where][:, n].astype(int) for n in range(3))
    return np.count_nonzero((green > red + 60) & (green > blue + 60))


def around(mask, by=3):
    return np.logical_or.reduce([np.roll(mask, (y, x), (0, 1)) for y in range(-by, by + 1) for x in range(-by, by + 1)])


def test_spots_are_healed_and_all_else_keeps_its_bits(spotted):
    document, on_shirt, wall = spotted
    marked = around(on_shirt | wall)
    document.retouch(marked)
    made = document.render()
    assert greens(document.photo, on_shirt) > 60 and greens(made.photo, on_shirt | wall) == 0
    assert np.array_equal(made.photo[~marked], document.photo[~marked])
    assert np.array_equal(made.parsing, document.person.parsing)  # it is the same shirt, and the same wall
    assert document.steps == (["retouch"], 1) and not document.edits.none
    again = Document.of(document.person, "again")
    again.retouch(marked)
    assert np.array_equal(again.render().photo, made.photo)
    assert greens(document.render(preview=True).photo, on_shirt | wall) == 0
    assert document.undo() and np.array_equal(document.render().photo, document.photo)
    assert document.redo() and np.array_equal(document.render().photo, made.photo)
    document.start_over()
    assert document.edits.none


def test_what_was_healed_goes_along_with_the_body_and_stays_on_the_wall(spotted, person):
    document, on_shirt, wall = spotted
    document.retouch(around(on_shirt | wall))
    pose = person.pose + np.array([25, 0, 0], np.float32)
    document.set_pose(pose)
    assert greens(document.render().photo, np.ones(wall.shape, bool)) == 0
    document.undo()
    document.undo()
    document.set_pose(pose)
    assert greens(document.render().photo, np.ones(wall.shape, bool)) > 60


def test_an_arm_that_comes_over_a_healed_place_is_not_taken_away(known, person):
    document = Document.of(known, "arm")
    document.set_pose(moved(person))
    plain = document.render()
    arm = (plain.parsing == REGION["upper_skin"]) & (person.parsing == 0)
    assert arm.sum() > 50
    document.undo()
    document.retouch(around(arm, 5) & (person.parsing == 0))
    document.set_pose(moved(person))
    made = document.render()
    assert np.array_equal(made.photo[arm], plain.photo[arm])


def test_what_is_in_front_is_removed_and_what_lies_behind_shows(known, person):
    document = Document.of(known, "removed")
    hand = circle(person.parsing.shape, person.pose[JOINT["right_wrist"], :2], 9) & (person.parsing > 0)
    wall = hand & ~np.isin(person.parsing, (SHIRT, REGION["pants"]))
    document.retouch(around(hand, 2), remove=True)
    made = document.render()
    assert (made.parsing[wall] == 0).mean() > 0.9
    assert np.array_equal(made.photo[~around(hand, 12)], document.photo[~around(hand, 12)])
    assert document.steps == (["retouch"], 1)
    document.undo()
    assert document.edits.none and document.painted() is None


def test_a_sleeve_over_the_shirt_leaves_shirt_behind(known, person):
    document = Document.of(known, "sleeve")
    pose = person.pose.copy()
    hips = pose[[JOINT["left_hip"], JOINT["right_hip"]], :2].mean(0)
    pose[JOINT["right_wrist"], :2] = 0.5 * (hips + pose[JOINT["neck"], :2])
    pose[JOINT["right_elbow"], :2] = 0.5 * (pose[JOINT["right_shoulder"], :2] + pose[JOINT["right_wrist"], :2]) + (
        -8,
        8,
    )
    document.set_pose(pose)
    before = document.render().parsing
    arm = (before == REGION["upper_skin"]) & (person.parsing == SHIRT)
    assert arm.sum() > 50
    document.retouch(around(arm, 2), remove=True)
    assert (document.render().parsing[arm] == SHIRT).mean() > 0.9


def test_what_makes_no_sense_is_refused(document, person):
    nothing = np.zeros(person.parsing.shape, bool)
    for mask in (nothing, nothing[1:], nothing.astype(np.uint8)):
        with pytest.raises(InputError, match="marked|mask"):
            document.retouch(mask)
    assert document.edits.none and not document.can_undo


def test_it_is_saved_and_opened_again(spotted, editor, tmp_path):
    document, on_shirt, wall = spotted
    document.retouch(around(wall))
    document.set_pose(document.person.pose + np.array([4, 0, 0], np.float32))
    document.retouch(around(on_shirt))
    made = document.render().photo
    document.save(tmp_path / "healed.pise")
    assert all(a.same(b) for a, b in zip(read(tmp_path / "healed.pise").history, document._history.steps, strict=True))
    again = Document.open(tmp_path / "healed.pise", editor)
    assert np.array_equal(again.render().photo, made) and again.steps[0] == ["retouch", "pose", "retouch"]


def test_a_motion_is_healed_too(spotted, person):
    document, on_shirt, wall = spotted
    document.retouch(around(on_shirt | wall))
    document.set_motion([person.pose, moved(person)], 0.2, False)
    frames = [make() for make in document.frames()]
    assert len(frames) > 1 and all(greens(frame, np.ones(frame.shape[:2], bool)) == 0 for frame in frames)
