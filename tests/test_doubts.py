"""What may look wrong of an edit is said: limbs that the photo hardly shows, and much of a busy background."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from app.api.endpoints import Programs
from app.commands import edits
from app.state.session import Session
from app.view.studio import Studio
from pise_core.cli import main as cli
from pise_core.document import Document
from pise_core.document.batch import doubtful
from pise_core.doubts import doubt_of_joints, doubts_of, doubts_of_worn
from pise_core.images import write_image
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from tests.conftest import ROOT, draw_person, run
from tests.test_parts import turned

ARM = ["left_elbow", "left_wrist"]


@pytest.fixture(scope="module")
def drawn():
    return draw_person()


def person_of(editor, drawn, parsing=None, pose=None):
    parsing = drawn.parsing if parsing is None else parsing
    return editor.set_person(drawn.photo, pose=drawn.pose if pose is None else pose, parsing=parsing)


def lifted(pose: np.ndarray, degrees: float = -70) -> np.ndarray:
    return turned(pose, ARM, "left_shoulder", degrees)


def without_forearm(drawn) -> np.ndarray:
    """The map, in which a bag hides the left forearm."""
    parsing = drawn.parsing.copy()
    (x0, y0), (x1, y1) = (drawn.pose[JOINT[name], :2] for name in ARM)
    parsing[int(y0) : int(y1) + 20, int(min(x0, x1)) - 12 : int(max(x0, x1)) + 12] = 0
    return parsing


def parts(person, pose) -> list[tuple[str, ...]]:
    return [doubt.parts for doubt in doubts_of(person, pose)]


def test_nothing_is_said_of_limbs_that_are_seen(editor, drawn):
    person = person_of(editor, drawn)
    assert not doubts_of(person, lifted(drawn.pose)) and not doubts_of(person, drawn.pose)
    apart = turned(drawn.pose, ["left_knee", "left_ankle"], "left_hip", -20)
    assert not doubts_of(person, apart)


def test_an_arm_that_the_photo_hides_is_doubtful_where_it_moves(editor, drawn):
    person = person_of(editor, drawn, without_forearm(drawn))
    (doubt,) = doubts_of(person, lifted(drawn.pose))
    assert doubt.parts == ("left arm",)
    assert doubt.what == "The photo shows too little of the left arm" and "Regions" in doubt.text
    assert doubt.text.startswith(doubt.what) and doubtful([doubt]) == "the photo shows too little of the left arm"
    assert not doubts_of(person, turned(drawn.pose, ["right_wrist"], "right_elbow", 60))
    assert not doubts_of(person, lifted(drawn.pose, -3))


def test_the_whole_person_moved_takes_a_hidden_arm_along(editor, drawn):
    person = person_of(editor, drawn, without_forearm(drawn))
    for pose in (drawn.pose + [8, 5, 0], turned(drawn.pose, list(JOINT), "neck", 20)):
        assert not doubts_of(person, pose.astype(np.float32))


def test_joints_that_nobody_is_sure_of_are_doubtful(editor, drawn):
    pose = drawn.pose.copy()
    pose[JOINT["left_wrist"], 2] = 0.4
    assert parts(person_of(editor, drawn, pose=pose), lifted(pose)) == [("left arm",)]


def test_an_arm_that_points_at_the_camera_is_doubtful(editor, drawn):
    pose = drawn.pose.copy()
    pose[JOINT["left_wrist"], :2] = pose[JOINT["left_elbow"], :2] + [2, 4]
    assert parts(person_of(editor, drawn, pose=pose), lifted(pose)) == [("left arm",)]


def test_legs_that_cross_or_that_a_coat_hides_on_one_side_are_doubtful(editor, drawn):
    pose = drawn.pose.copy()
    ankles = [JOINT["left_ankle"], JOINT["right_ankle"]]
    pose[ankles] = pose[ankles[::-1]]
    wanted = turned(pose, ["left_ankle"], "left_knee", -40)
    assert parts(person_of(editor, drawn, pose=pose), wanted)[0][0] == "left leg"
    coat = drawn.parsing.copy()
    hip, knee = (drawn.pose[JOINT[f"left_{joint}"], :2] for joint in ("hip", "knee"))
    side = np.s_[int(hip[1]) : int(knee[1]) + 2, int(min(hip[0], knee[0])) - 14 : int(max(hip[0], knee[0])) + 20]
    coat[side][coat[side] > 0] = REGION["dress"]
    wanted = turned(drawn.pose, ["left_knee", "left_ankle"], "left_hip", -25)
    assert parts(person_of(editor, drawn, coat), wanted) == [("left leg",)]


@pytest.mark.parametrize(("vagueness", "said"), [(0.2, []), (0.5, [("background",)])])
def test_much_of_a_busy_background_is_doubtful(editor, drawn, monkeypatch, vagueness, said):
    person = person_of(editor, drawn)
    monkeypatch.setattr(type(person.plate), "vagueness", vagueness)
    neck = drawn.pose[JOINT["neck"], :2]
    smaller = drawn.pose.copy()
    smaller[:, :2] = neck + 0.4 * (smaller[:, :2] - neck)
    assert parts(person, smaller) == said
    assert parts(person, (drawn.pose + [150, 0, 0]).astype(np.float32)) == said
    assert not doubts_of(person, lifted(drawn.pose))


def test_a_plain_wall_is_not_vague_and_a_street_without_pieces_that_meet_is(editor, drawn):
    assert person_of(editor, drawn).plate.vagueness < 0.2
    noise = np.random.default_rng(0).integers(0, 255, (11, 8, 3)).astype(np.uint8)
    street = np.kron(noise, np.ones((30, 28, 1), np.uint8))[:330, :220]
    photo = np.where(drawn.parsing[..., None] > 0, drawn.photo, street)
    person = editor.set_person(photo, pose=drawn.pose, parsing=drawn.parsing)
    assert person.plate.vagueness > 0.3


def lender_of(editor, made, parsing=None, pose=None, held=None):
    parsing = made.parsing if parsing is None else parsing
    return editor.set_person(made.photo, pose=made.pose if pose is None else pose, parsing=parsing, held=held)


def said_of(person, region, lender) -> list[str]:
    return [doubt.what for doubt in doubts_of_worn(person, {region: lender})]


def test_a_garment_that_hair_or_a_bag_hides_in_its_own_photo_is_doubtful(editor, drawn):
    person, made = person_of(editor, drawn), draw_person(400, 500, (110, 40, 300, 460))
    plain = lender_of(editor, made)
    assert not doubts_of_worn(person, {"upper_clothes": plain, "pants": plain})
    assert not doubts_of_worn(person, {"upper_clothes": person})  # their own
    top = made.parsing == REGION["upper_clothes"]
    ys, xs = np.nonzero(top)
    before = top & (np.arange(len(top))[:, None] > np.percentile(ys, 40)) & (np.arange(top.shape[1]) < np.median(xs))
    before &= np.arange(top.shape[1]) > np.percentile(xs, 30)
    for region in ("hair", "bag"):
        parsing, held = made.parsing.copy(), np.zeros(top.shape, np.uint8)
        parsing[before] = REGION["hair"] if region == "hair" else 0
        held[before] = region == "bag"
        hidden = lender_of(editor, made, parsing, held=held)
        assert said_of(person, "upper_clothes", hidden) == ["Much of the top is hidden in its own photo"]
        (doubt,) = doubts_of_worn(person, {"upper_clothes": hidden, "pants": hidden})
        assert doubt.parts == ("top",)


def test_trousers_that_are_seen_below_the_knees_alone_are_doubtful(editor, drawn):
    person, made = person_of(editor, drawn), draw_person(400, 500, (110, 40, 300, 460))
    hips, knees = (int(made.pose[JOINT[f"left_{name}"], 1]) for name in ("hip", "knee"))
    for share, told in ((0.4, False), (0.9, True)):
        parsing = made.parsing.copy()
        coat = (parsing == REGION["pants"]) & (np.arange(len(parsing))[:, None] < hips + share * (knees - hips))
        parsing[coat] = REGION["upper_clothes"]
        said = said_of(person, "pants", lender_of(editor, made, parsing))
        assert said == (["Much of the trousers is hidden in its own photo"] if told else [])


def test_a_dress_of_which_little_is_seen_is_doubtful(editor, drawn):
    person, made = person_of(editor, drawn), draw_person(400, 500, (110, 40, 300, 460))
    hips, knees = (int(made.pose[JOINT[f"left_{name}"], 1]) for name in ("hip", "knee"))
    for first, last, told in ((0.0, 1.0, False), (0.5, 0.7, True)):
        parsing = made.parsing.copy()
        rows = slice(int(hips + first * (knees - hips)), int(hips + last * (knees - hips)))
        parsing[rows, 150:260] = REGION["dress"]
        said = said_of(person, "dress", lender_of(editor, made, parsing))
        assert said == (["Much of the dress is hidden in its own photo"] if told else [])


def test_who_stands_sideways_and_who_faces_the_camera_wear_each_others_clothes_doubtfully(editor, drawn):
    person, made = person_of(editor, drawn), draw_person(400, 500, (110, 40, 300, 460))
    pose = made.pose.copy()
    for side in ("left", "right"):
        pose[JOINT[f"{side}_shoulder"], 0] = pose[JOINT["neck"], 0] + (6 if side == "left" else -6)
    aside = lender_of(editor, made, pose=pose)
    said = ["The top was photographed from another side than the person"]
    assert said_of(person, "upper_clothes", aside) == said
    assert said_of(aside, "upper_clothes", person) == said and not said_of(aside, "upper_clothes", aside)


def test_what_a_coat_hid_below_a_shorter_top_is_doubtful(editor, drawn):
    hips, knees = (int(drawn.pose[JOINT[f"left_{name}"], 1]) for name in ("hip", "knee"))
    parsing = drawn.parsing.copy()
    coat = (parsing == REGION["pants"]) & (np.arange(len(parsing))[:, None] < hips + 0.9 * (knees - hips))
    parsing[coat] = REGION["upper_clothes"]
    coated, plain = person_of(editor, drawn, parsing), lender_of(editor, draw_person(400, 500, (110, 40, 300, 460)))
    assert said_of(coated, "upper_clothes", plain) == ["What a coat hid below the top is made up"]
    assert not said_of(plain, "upper_clothes", coated)
    document = Document.of(coated)
    document.set_wear({"upper_clothes": document.references.add("other", plain)})
    (doubt,) = document.doubts()
    assert doubt.parts == ("top",) and doubt.text.endswith("paint what is wrong under Regions.")


def test_page_and_programs_say_it_with_the_picture_and_not_once_it_was_painted(editor, drawn, session):
    studio = Studio(lambda: editor)
    document = Document.of(person_of(editor, drawn, without_forearm(drawn)))
    session.edit(document)
    said = "The photo shows too little of the left arm: paint what is wrong under Regions, or take it away with Remove."
    state = Programs(studio).set_pose(session, lifted(drawn.pose))
    assert state["note"] == said and Programs(studio).state(session)["note"] == ""
    page: Any = run(studio.render(session))
    assert page["bar"]["status"]["text"].startswith("Done. ") and page["bar"]["status"]["text"].endswith(said)
    assert Programs(studio).undo(session)["note"] == "" and Programs(studio).redo(session)["note"] == said
    wanted = document.base_map().copy()
    wanted[200:220, 90:120] = REGION["dress"]
    document.set_regions(wanted)
    assert document.doubts() == [] and edits.set_pose(session, lifted(drawn.pose)).changed


def test_the_command_line_says_it_too(drawn, tmp_path, editor):
    document = Document.of(person_of(editor, drawn, without_forearm(drawn)))
    document.set_pose(lifted(drawn.pose))
    document.save(tmp_path / "me.pise")
    command = [sys.executable, "-m", "pise_core", "render", tmp_path / "me.pise", "--out", tmp_path / "out.png"]
    done = subprocess.run(
        [*map(str, command), "--device", "cpu"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0
    assert done.stderr.strip() == "me.pise: the photo shows too little of the left arm; it may look wrong"


def test_joints_that_are_guessed_are_said_when_a_photo_is_opened_and_by_the_command_line(
    editor, studio, drawn, tmp_path, capsys, monkeypatch
):
    guessed = drawn.pose.copy()
    guessed[:, 2] = 0.5
    assert doubt_of_joints(drawn.pose) is None and "guessed" in str(doubt_of_joints(guessed))
    guessed[3:, :2], guessed[3:, 2] = np.nan, 0
    assert doubt_of_joints(guessed) is not None  # of few, those that there are count
    guessed[:3, 2] = 0.9
    assert doubt_of_joints(guessed) is None

    path = tmp_path / "head.png"
    write_image(path, drawn.photo)
    found = editor.analyze(drawn.photo, pose=drawn.pose)
    found.pose[:, 2] = 0.5
    monkeypatch.setattr(type(editor), "analyze", lambda *_, **__: found)
    monkeypatch.setattr(type(editor), "find_people", lambda *_: [found.box])
    session = Session()
    page = run(studio.open_file(session, path, "Built-in", "Built-in"))
    assert "Correct the joints" in page["bar"]["status"]["text"]
    session.close()
    monkeypatch.setattr("pise_core.cli.networks.editor_of", lambda *_: editor)
    assert cli.main(["analyze", str(path), "--out", str(tmp_path / "out"), "--device", "cpu"]) == 0
    assert "head.png: the joints are hardly more than guessed\n" in capsys.readouterr().err
