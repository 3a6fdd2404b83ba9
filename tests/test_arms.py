"""Each arm in its own frame: where that lies, what the network is shown and says, and what is made of it."""

import json

import cv2
import numpy as np
import pytest
import torch

from pise_core.detection.analyzer import Analyzer
from pise_core.detection.arms import (
    FILE_NAME,
    MAPS,
    PARTS,
    SHOULDER,
    SHOWN,
    SIZE,
    TORSO,
    Arm,
    Arms,
    ArmsConfig,
    ArmsNetwork,
    body_unit,
    colours_in,
    labels_in,
    place_of,
    seen,
)
from pise_core.detection.network import AnalyzerConfig, AnalyzerNetwork
from pise_core.editor import Editor
from pise_core.errors import InputError
from pise_core.images import read_image
from pise_core.model.weights import SHIPPED, read_model, save_model, write_tensors
from pise_core.pose import empty_pose
from pise_core.skeleton import ARMS, JOINT
from tests.conftest import draw_person
from tests.test_parts import turned
from tests.test_shipped import EXAMPLES

SMALL = ArmsConfig((4, 8, 8, 8, 8))


def small() -> ArmsNetwork:
    torch.manual_seed(0)
    return ArmsNetwork(SMALL).eval()


@pytest.mark.parametrize("angle", [0, 100, 200])
@pytest.mark.parametrize("side", [0, 1])
def test_a_raised_arm_lies_in_its_frame_like_a_hanging_one(side, angle):
    name, drawn = ("right", "left")[side], draw_person(280, 416)
    pose = turned(drawn.pose, [f"{name}_elbow", f"{name}_wrist"], f"{name}_shoulder", angle)
    place = place_of(pose, side)
    assert place is not None
    here = place.pose(pose)
    shoulder, elbow, wrist = (here[joint, :2] for joint in ARMS[0])  # a left one is mirrored
    assert np.allclose(shoulder, SHOULDER, atol=1e-3)
    assert abs(elbow[0] - shoulder[0]) < 1e-2 and elbow[1] > shoulder[1] + 10
    assert np.hypot(*(elbow - shoulder)) == pytest.approx(
        TORSO * np.hypot(*np.subtract(*pose[list(ARMS[side][:2]), :2])) / body_unit(pose), rel=1e-3
    )
    assert np.allclose(place.back(here[ARMS[0][1:], :2]), pose[list(ARMS[side][1:]), :2], atol=1e-2)
    # The forearm, too, lies as before the arm was turned.
    straight = place_of(drawn.pose, side)
    assert straight is not None
    before = straight.pose(drawn.pose)
    assert np.allclose(wrist - elbow, before[ARMS[0][2], :2] - before[ARMS[0][1], :2], atol=0.05)


def test_pixels_labels_and_joints_move_alike():
    drawn = draw_person(280, 416)
    pose = turned(drawn.pose, ["left_elbow", "left_wrist"], "left_shoulder", 130)
    for scale in (1, 4):
        image = np.zeros((416 * scale, 280 * scale, 3), np.uint8)
        large = pose * [scale, scale, 1]
        for joint, colour in zip(ARMS[1], ((255, 0, 0), (0, 255, 0), (0, 0, 255)), strict=True):
            cv2.circle(image, np.floor(large[joint, :2]).astype(int).tolist(), 5 * scale, colour, -1)
        place = place_of(large, 1)
        assert place is not None
        colours, labels = colours_in(image, place), labels_in(np.asarray((image > 0).any(2), np.uint8), place)
        for row, joint in enumerate(ARMS[0]):
            if not (0 < place.pose(large)[joint, 1] < SIZE[0]):
                continue
            ys, xs = np.nonzero(colours[..., row] > 127)
            assert np.allclose([xs.mean() + 0.5, ys.mean() + 0.5], place.pose(large)[joint, :2], atol=0.7)
            assert labels[int(ys.mean()), int(xs.mean())] == 1


def test_without_a_shoulder_or_a_size_nothing_is_looked_at():
    pose = draw_person(280, 416).pose.copy()
    pose[JOINT["left_shoulder"]] = np.nan, np.nan, 0
    assert place_of(pose, 1) is None and place_of(pose, 0) is not None
    alone = empty_pose()
    alone[JOINT["left_shoulder"]] = 50, 60, 1
    assert place_of(alone, 1) is None
    # Where the elbow is missing, the arm is looked for along the body.
    pose[JOINT["right_elbow"]] = np.nan, np.nan, 0
    place = place_of(pose, 0)
    assert place is not None and abs(place.matrix[0, 1]) < 0.2 * place.scale


def test_the_network_sees_colours_regions_and_joints():
    drawn = draw_person(280, 416)
    place = place_of(drawn.pose, 1)
    assert place is not None
    colours, maps = seen(colours_in(drawn.photo, place), labels_in(drawn.parsing, place, 2), place.pose(drawn.pose))
    assert colours.shape == (3, *SIZE) and maps.shape == (MAPS, SIZE[0] // 2, SIZE[1] // 2)
    assert -1 <= colours.min() < colours.max() <= 1 and maps.min() >= 0 and maps.max() <= 1
    assert np.allclose(maps[:8].sum(0), 1)
    y, x = np.unravel_index(maps[8].argmax(), maps[8].shape)
    assert abs(2 * x + 1 - SHOULDER[0]) <= 1 and abs(2 * y + 1 - SHOULDER[1]) <= 1
    # On the bone of the upper arm nothing is far from it.
    assert maps[8 + len(SHOWN), y + 4, x] < 0.1 < maps[8 + len(SHOWN), y, 0]


def test_weights_are_read_as_they_were_written_and_answer_with_probabilities(tmp_path):
    network = small()
    save_model(tmp_path / FILE_NAME, network)
    drawn = draw_person(280, 416)
    places = [place for side in (0, 1) if (place := place_of(drawn.pose, side)) is not None]
    frames = [(place, drawn.pose) for place in places]
    answers = Arms.read(tmp_path / FILE_NAME).look(drawn.photo, drawn.parsing, frames)
    for place, arm in zip(places, answers, strict=True):
        colours, maps = seen(colours_in(drawn.photo, place), labels_in(drawn.parsing, place, 2), place.pose(drawn.pose))
        with torch.inference_mode():
            whole = network(torch.from_numpy(colours[None]), torch.from_numpy(maps[None]))
        assert whole.parts.shape == (1, PARTS, 64, 56)
        assert np.allclose(arm.cells.reshape(2, -1), whole.joints[0].softmax(1)[:, 1:].numpy(), atol=1e-4)
        assert arm.joints.shape == (2, 3) and (arm.joints[:, 2] <= 1).all()
    assert Arms.read(tmp_path / FILE_NAME).look(drawn.photo, drawn.parsing, []) == []


def test_other_weights_are_refused_in_one_line(tmp_path):
    path = tmp_path / FILE_NAME
    with pytest.raises(InputError, match="missing"):
        Arms.read(path)
    save_model(path, AnalyzerNetwork(AnalyzerConfig((8, 8, 8, 8, 8), 8)))
    with pytest.raises(InputError, match="AnalyzerNetwork, not ArmsNetwork"):
        Arms.read(path)
    for channels in ([4, 8], [4, 8, 8, 8, 0], "many", [4, 8, 8, 8, 16]):
        config = {"network": "ArmsNetwork", "config": json.dumps({"channels": channels})}
        write_tensors(path, dict(small().state_dict()), config)
        with pytest.raises(InputError, match="another make"):
            Arms.read(path)


def test_the_weights_that_ship_say_what_they_were_made_of():
    name, config, _ = read_model(SHIPPED / FILE_NAME)
    assert name == "ArmsNetwork" and ArmsConfig.from_dict(config) == ArmsConfig()


class Sees(Arms):
    """Sees the right arm's elbow and wrist at some places of the picture, as surely as is said, and the left one's
    where they were found."""

    def __init__(self, joints: np.ndarray, sure: float, found: np.ndarray):
        super().__init__(small())
        self.joints, self.sure, self.found, self.asked = joints, sure, found, 0

    def look(self, image, regions, frames):
        self.asked += len(frames)
        answers = []
        for place, _ in frames:
            here = self.joints if place.side == 0 else self.found[list(ARMS[1][1:]), :2]
            cells = np.zeros((2, 32, 28), np.float32)
            said = np.zeros((2, 3), np.float32)
            for row, point in enumerate(here):
                x, y = np.floor((place.matrix[:, :2] @ point + place.matrix[:, 2]) / 4).astype(int)
                seen_here = 0 <= x < 28 and 0 <= y < 32
                if seen_here:
                    cells[row, y, x] = self.sure
                said[row] = *point, self.sure * seen_here
            answers.append(Arm(place, said, cells))
        return answers


def _lifted(pose: np.ndarray) -> np.ndarray:
    """Elbow and wrist of the right arm, lifted."""
    return turned(pose, ["right_elbow", "right_wrist"], "right_shoulder", 170)[list(ARMS[0][1:]), :2]


def test_an_arm_that_is_surely_seen_elsewhere_is_found_there():
    drawn = draw_person(220, 330)
    sees = Sees(_lifted(drawn.pose), 0.9, drawn.pose)
    found = sees.corrected(drawn.photo, drawn.parsing, drawn.pose)
    assert np.allclose(found[list(ARMS[0][1:]), :2], sees.joints)
    assert np.allclose(found[list(ARMS[0][1:]), 2], 0.9)
    others = np.ones(18, bool)
    others[list(ARMS[0][1:])] = False
    assert np.array_equal(found[others], drawn.pose[others], equal_nan=True)
    # A lifted arm that was found stays, too, and is looked for where it is first.
    lifted = drawn.pose.copy()
    lifted[list(ARMS[0][1:]), :2] = sees.joints
    sees.asked = 0
    assert np.array_equal(sees.corrected(drawn.photo, drawn.parsing, lifted), lifted)
    assert sees.asked == 2
    # One that was not found at all is.
    missing = drawn.pose.copy()
    missing[list(ARMS[0][1:])] = np.nan, np.nan, 0
    assert np.allclose(sees.corrected(drawn.photo, drawn.parsing, missing)[list(ARMS[0][1:]), :2], sees.joints)


@pytest.mark.parametrize("sure", [0.0, 0.3])
def test_an_arm_that_is_not_surely_seen_stays_where_it_was_found(sure):
    drawn = draw_person(220, 330)
    sees = Sees(_lifted(drawn.pose), sure, drawn.pose)
    assert np.array_equal(sees.corrected(drawn.photo, drawn.parsing, drawn.pose), drawn.pose, equal_nan=True)


def test_an_arm_without_a_shoulder_stays_as_it_is():
    drawn = draw_person(220, 330)
    pose = drawn.pose.copy()
    pose[ARMS[0][0]] = np.nan, np.nan, 0
    sees = Sees(_lifted(drawn.pose), 0.9, drawn.pose)
    assert np.array_equal(sees.corrected(drawn.photo, drawn.parsing, pose), pose, equal_nan=True)


def test_the_analyzer_takes_arms_from_who_looks_at_them(editor):
    """In pixels of the photo, with the box about the hand; all else is the analyzer's own to the bit."""
    photo = read_image(EXAMPLES[0])
    alone = Analyzer(editor.analyzer.network, arms=None).look(photo)
    assert alone is not None
    wanted = _lifted(alone.pose)
    fine = alone.framing.finer(1.5)

    class Moved(Arms):
        def corrected(self, image, regions, pose):
            assert image.shape == (384, 264, 3) and regions.shape == image.shape[:2] and regions.max() > 0
            assert np.allclose(fine.to_photo(pose)[:, :2], alone.pose[:, :2], atol=1e-2, equal_nan=True)
            out = pose.copy()
            out[list(ARMS[0][1:])] = np.c_[fine.to_frame(wanted), [0.5, 0.6]]
            return out

    sight = Analyzer(editor.analyzer.network, arms=Moved(small())).look(photo)
    assert sight is not None
    assert np.allclose(sight.pose[list(ARMS[0][1:])], np.c_[wanted, [0.5, 0.6]], atol=0.02)
    others = np.ones(18, bool)
    others[list(ARMS[0][1:])] = False
    assert np.array_equal(sight.pose[others], alone.pose[others], equal_nan=True)
    assert np.array_equal(sight.probabilities, alone.probabilities)
    x0, y0, x1, y1 = sight.box
    assert x0 <= wanted[:, 0].min() + 0.1 and y0 <= wanted[:, 1].min() + 0.1
    assert x1 == alone.box[2] and y1 == alone.box[3]


def test_a_folder_of_weights_may_bring_its_own(tmp_path):
    save_model(tmp_path / FILE_NAME, small())
    editor = Editor.from_pretrained(tmp_path, device="cpu")
    shipped = Editor.from_pretrained(device="cpu")
    assert editor.analyzer.arms is not None and shipped.analyzer.arms is not None
    assert editor.analyzer.arms._network.config == SMALL
    assert shipped.analyzer.arms._network.config == ArmsConfig()
