"""The editor's promises, on a drawn person whose joints and regions are known: what changes, and what never does.

They hold for any weights, so the networks here are small and random; ``test_shipped.py`` asks what the trained ones do.
"""

import threading
import tracemalloc
import weakref

import cv2
import numpy as np
import pytest
import torch

from pise_core import PISE, Editor, InputError, PISEConfig
from pise_core.detection.analyzer import Analyzer
from pise_core.detection.network import AnalyzerConfig, AnalyzerNetwork
from pise_core.model.weights import save_model
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from tests.conftest import draw_person


@pytest.fixture(scope="module")
def random_editor() -> Editor:
    torch.manual_seed(3)
    model = PISE(PISEConfig(width=4, modulation=4, colour_path=True, detail_path=True))
    return Editor(model, Analyzer(AnalyzerNetwork(AnalyzerConfig((4, 8, 8, 8, 8)))))


@pytest.fixture(scope="module")
def somebody(random_editor, person):
    return random_editor.set_person(person.photo, pose=person.pose, parsing=person.parsing)


@pytest.fixture(scope="module")
def reference(random_editor, other_person):
    return random_editor.set_person(other_person.photo, pose=other_person.pose, parsing=other_person.parsing)


def raised_wrist(pose: np.ndarray) -> np.ndarray:
    moved = pose.copy()
    moved[JOINT["right_wrist"], :2] = pose[JOINT["right_elbow"], :2] + (-45, -20)
    return moved


def test_what_a_folder_of_weights_lacks_is_taken_from_those_that_ship(tmp_path, editor):
    """A run of ``train`` leaves either a generator or an analyzer."""
    save_model(tmp_path / "pise.safetensors", PISE(PISEConfig(width=4)))
    trained = Editor.from_pretrained(tmp_path, device="cpu")
    assert trained.model.config.width == 4
    assert _same(trained.analyzer.network, editor.analyzer.network)

    (tmp_path / "analyzer").mkdir()
    save_model(tmp_path / "analyzer" / "analyzer.safetensors", AnalyzerNetwork())
    trained = Editor.from_pretrained(tmp_path / "analyzer", device="cpu")
    assert _same(trained.model, editor.model) and not _same(trained.analyzer.network, editor.analyzer.network)

    (tmp_path / "empty").mkdir()
    for nothing in ("empty", "none", "none.safetensors"):
        with pytest.raises(
            InputError, match=rf"{nothing} is neither .* folder of weights \(pise.safetensors or analyzer"
        ):
            Editor.from_pretrained(tmp_path / nothing)


def _same(one: torch.nn.Module, other: torch.nn.Module) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return a.keys() == b.keys() and all(torch.equal(value, b[name]) for name, value in a.items())


def test_no_edit_returns_the_photo(somebody, person):
    for edit in (
        somebody.render(),
        somebody.render(pose=person.pose, parsing=person.parsing, styles={}),
        somebody.render(styles={"pants": [(somebody, 0.0)]}),
    ):
        assert (edit.photo == person.photo).all()
        assert not edit.changed.any()


def test_a_moved_wrist_changes_only_what_it_leaves_and_where_it_lands(somebody, person):
    pose = raised_wrist(person.pose)
    edit = somebody.render(pose=pose)
    assert edit.changed.any()
    arm = np.zeros(person.parsing.shape, np.uint8)
    for there in (person.pose, pose):
        elbow, wrist = there[JOINT["right_elbow"], :2], there[JOINT["right_wrist"], :2]
        hand = wrist + 0.5 * (wrist - elbow)
        cv2.line(arm, tuple(elbow.astype(int).tolist()), tuple(hand.astype(int).tolist()), 1, 46)
    assert (edit.photo[arm == 0] == person.photo[arm == 0]).all()
    assert (edit.changed == (edit.photo != person.photo).any(2)).all()


def test_a_painted_region_changes_only_itself_and_a_narrow_seam(somebody, person):
    painted = person.parsing.copy()
    painted[150:190, 60:100] = REGION["dress"]
    edit = somebody.render(parsing=painted)
    assert (edit.parsing == painted).all()
    assert edit.changed[160:180, 70:90].mean() > 0.9
    asked = (painted != person.parsing).astype(np.uint8)
    near = cv2.dilate(asked, np.ones((13, 13), np.uint8)).astype(bool)
    assert (edit.photo[~near] == person.photo[~near]).all()


def test_a_borrowed_style_changes_its_region_and_a_narrow_seam(somebody, reference, person):
    edit = somebody.render(styles={"pants": [(reference, 1.0)]})
    pants = (person.parsing == REGION["pants"]).astype(np.uint8)
    assert edit.changed[pants > 0].mean() > 0.9
    near = cv2.dilate(pants, np.ones((13, 13), np.uint8)).astype(bool)
    assert (edit.photo[~near] == person.photo[~near]).all()


def test_the_middle_of_two_styles_lies_between_them(somebody, reference, person):
    """Carried pixels: the borrowed garment's own colours at 1, the half-way mean at 0.5."""
    inside = cv2.erode((person.parsing == REGION["upper_clothes"]).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    shots = [somebody.render(styles={"upper_clothes": [(reference, a)]}).photo[inside].mean(0) for a in (0, 0.5, 1)]
    towards = np.array((60, 150, 70)) - np.array((190, 60, 50))
    along = [float((shot - shots[0]) @ towards) for shot in shots]
    assert along[0] == 0 < along[1] < along[2]


def test_the_same_input_gives_the_same_bytes(somebody, reference, person):
    ask = {"pose": raised_wrist(person.pose), "styles": {"upper_clothes": [(reference, 0.5)]}}
    assert (somebody.render(**ask).photo == somebody.render(**ask).photo).all()


def test_without_the_detail_path_the_edit_is_still_whole(somebody, person):
    edit = somebody.render(pose=raised_wrist(person.pose), detail=False)
    assert edit.changed.any()
    assert (edit.photo[-40:] == person.photo[-40:]).all()


def test_a_model_without_a_detail_path_edits_too(person):
    torch.manual_seed(0)
    editor = Editor(PISE(PISEConfig(width=4)), Analyzer(AnalyzerNetwork(AnalyzerConfig((4, 8, 8, 8, 8)))))
    somebody = editor.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    edit = somebody.render(pose=raised_wrist(person.pose))
    assert edit.changed.any()
    assert (edit.photo[-40:] == person.photo[-40:]).all()


def test_a_preview_is_the_same_person_in_a_smaller_photo(somebody, person):
    small = somebody.scaled(160)
    assert max(small.photo.shape[:2]) == 160
    assert small.code is somebody.code
    edit = small.render(pose=raised_wrist(person.pose) * np.array([160 / 330, 160 / 330, 1], np.float32))
    assert edit.photo.shape == small.photo.shape
    assert edit.changed.any()
    behind = cv2.resize(somebody.background, small.photo.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(small.background.astype(int) - behind).mean() < 1
    assert somebody.scaled(4000) is somebody


def test_a_preview_does_not_keep_the_large_photo(editor, person):
    large = editor.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    small, there = large.scaled(160), weakref.ref(large)
    del large
    assert there() is None
    assert small.background.shape == small.photo.shape


@pytest.mark.parametrize("missing", ["right_wrist", "nose", "left_knee"])
def test_joints_may_be_missing_on_either_side(random_editor, person, missing):
    pose = person.pose.copy()
    pose[JOINT[missing]] = np.nan, np.nan, 0
    without = random_editor.set_person(person.photo, pose=pose, parsing=person.parsing)
    assert without.render(pose=raised_wrist(person.pose)).photo.shape == person.photo.shape
    whole = random_editor.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    assert whole.render(pose=pose).photo.shape == person.photo.shape


def test_regions_may_be_absent_in_source_and_target(random_editor, person):
    """A source without trousers is asked for them; a target without a shirt loses it."""
    without = np.where(person.parsing == REGION["pants"], 0, person.parsing)
    somebody = random_editor.set_person(person.photo, pose=person.pose, parsing=without)
    edit = somebody.render(parsing=person.parsing)
    assert edit.changed[person.parsing == REGION["pants"]].mean() > 0.8
    bare = np.where(person.parsing == REGION["upper_clothes"], REGION["upper_skin"], person.parsing)
    assert somebody.render(parsing=np.where(without == 0, 0, bare), any_map=True).changed.any()
    empty = np.zeros_like(person.parsing)
    assert somebody.render(parsing=empty).changed.any()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"pose": np.zeros((17, 3))}, r"\(18, 3\)"),
        ({"pose": np.full((18, 3), np.nan)}, "fewer than two joints"),
        ({"pose": np.full((18, 3), 1e7)}, "far outside"),
        ({"parsing": np.full((330, 220), 8)}, "index 8"),
        ({"parsing": np.zeros((10, 10), np.uint8)}, "same size"),
        ({"parsing": np.zeros((330, 220), np.float32)}, "whole numbers"),
        ({"styles": {"sock": []}}, "upper_clothes"),
    ],
)
def test_bad_edits_are_refused_with_advice(somebody, asked, message):
    with pytest.raises(InputError, match=message):
        somebody.render(**asked)


def test_bad_styles_are_refused_with_advice(somebody, reference):
    with pytest.raises(InputError, match="sum to at most 1"):
        somebody.render(styles={"pants": [(reference, 0.7), (reference, 0.7)]})
    with pytest.raises(InputError, match="shows no dress"):
        somebody.render(styles={"dress": [(reference, 0.5)]})
    with pytest.raises(InputError, match="no style"):
        somebody.render(styles={"background": [(reference, 0.5)]})


def test_a_pose_given_by_hand_needs_no_detector(random_editor, person):
    placed = random_editor.set_person(person.photo, pose=person.pose)
    assert placed.parsing.shape == person.parsing.shape
    assert np.array_equal(placed.pose[:, :2], person.pose[:, :2])


@pytest.mark.parametrize("photo", [np.zeros((1, 1, 3), np.uint8), np.zeros((64, 64), np.uint8), np.zeros((64, 64, 3))])
def test_arrays_that_are_no_photo_are_refused(random_editor, photo):
    with pytest.raises(InputError):
        random_editor.set_person(photo)


def test_the_editor_may_be_shared_by_threads(somebody, person):
    pose = raised_wrist(person.pose)
    expected = somebody.render(pose=pose).photo
    results: list[np.ndarray] = []
    threads = [threading.Thread(target=lambda: results.append(somebody.render(pose=pose).photo)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    assert all((photo == expected).all() for photo in results)


def test_a_borrowed_person_may_stand_beside_the_frame(random_editor, person):
    """Joints beyond the photo's edge are allowed: the arm simply leaves the picture."""
    somebody = random_editor.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    pose = person.pose.copy()
    pose[JOINT["right_wrist"], 0] = -80
    assert somebody.render(pose=pose).photo.shape == person.photo.shape


def test_joints_on_one_spot_do_no_harm(random_editor, person):
    pose = person.pose.copy()
    pose[:, :2] = pose[0, :2]
    heap = random_editor.set_person(person.photo, pose=pose, parsing=person.parsing)
    assert heap.render(pose=person.pose).photo.shape == person.photo.shape
    whole = random_editor.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    assert whole.render(pose=pose).photo.shape == person.photo.shape


def test_borrowing_from_oneself_changes_nothing(somebody, person):
    assert (somebody.render(styles={"pants": [(somebody, 1.0)]}).photo == person.photo).all()


@pytest.mark.parametrize("box", [(5, 5, 5, 5), (float("nan"), 0, 5, 5), (9, 9, 2, 2), "box"])
def test_boxes_that_make_no_sense_are_refused(random_editor, person, box):
    with pytest.raises(InputError, match="box"):
        random_editor.set_person(person.photo, box=box)


def test_a_person_may_leave_the_frame(random_editor):
    """Who is moved up in a tall photo, further than the frame reaches, keeps the head."""
    drawn = draw_person(200, 600, (40, 330, 160, 590))
    person = random_editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)
    pose = drawn.pose.copy()
    pose[:, 1] -= 180
    x, y = pose[JOINT["nose"], :2].astype(int)
    assert person.framing.to_frame(pose[None, JOINT["nose"], :2])[0, 1] < 0
    edit = person.render(pose=pose)
    assert edit.parsing[y, x] == REGION["face"]
    assert np.abs(edit.photo[y, x].astype(int) - drawn.photo[y + 180, x].astype(int)).max() < 12


def test_a_large_photo_is_edited_as_a_small_one(random_editor, person):
    """Windows, strips and area averages are for speed: the edit stays where it was."""
    large = cv2.resize(person.photo, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST)
    parsing = cv2.resize(person.parsing, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST)
    scale = np.array([6, 6, 1], np.float32)
    somebody = random_editor.set_person(large, pose=person.pose * scale, parsing=parsing)
    edit = somebody.render(pose=raised_wrist(person.pose) * scale)
    small = random_editor.set_person(person.photo, pose=person.pose, parsing=person.parsing)
    expected = small.render(pose=raised_wrist(person.pose)).changed
    got = cv2.resize(edit.changed.astype(np.uint8), expected.shape[::-1], interpolation=cv2.INTER_AREA) > 0
    assert (got & expected).sum() > 0.7 * (got | expected).sum()


@pytest.mark.parametrize("factor", [0.5, 2.5])
def test_a_garment_from_a_photo_of_another_size_is_as_wide(editor, known, other_person, factor):
    """What is borrowed covers as much of the person, whatever the size of the photo that it comes from."""

    striped = other_person.photo.copy()
    ys, xs = np.nonzero(other_person.parsing == REGION["pants"])
    striped[ys, xs] = np.where(xs[:, None] // 4 % 2, 220, 40)

    def carried(scale):
        size = tuple(round(scale * side) for side in striped.shape[1::-1])
        photo = cv2.resize(striped, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
        parsing = cv2.resize(other_person.parsing, size, interpolation=cv2.INTER_NEAREST)
        other = editor.set_person(photo, pose=other_person.pose * [scale, scale, 1], parsing=parsing)
        return known.render(styles={"pants": [(other, 1.0)]}, cloth=False).photo

    trousers = cv2.erode((known.parsing == REGION["pants"]).astype(np.uint8), np.ones((5, 5))) > 0
    same, scaled = (carried(scale)[trousers].astype(float) for scale in (1.0, factor))
    assert np.corrcoef(same.mean(1), scaled.mean(1))[0, 1] > 0.8


def test_an_edit_of_a_large_photo_holds_little_more_than_the_picture(random_editor, person):
    """What is carried is let go of before the picture is finished, and the whole photo is copied at the end."""
    photo = cv2.resize(person.photo, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST)
    parsing = cv2.resize(person.parsing, None, fx=6, fy=6, interpolation=cv2.INTER_NEAREST)
    large = random_editor.set_person(photo, pose=person.pose * (6, 6, 1), parsing=parsing)
    wanted = raised_wrist(person.pose) * (6, 6, 1)
    large.render(pose=wanted)
    wanted[JOINT["right_wrist"], 1] -= 30
    tracemalloc.start()
    edit = large.render(pose=wanted)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert edit.changed.any()
    assert peak < 14 * parsing.size
