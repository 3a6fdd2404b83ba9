"""Arms and legs in their own frames: where these lie, what the network is shown and says, and what is made of it."""

import json

import cv2
import numpy as np
import pytest
import torch

from pise_core.detection.analyzer import Analyzer
from pise_core.detection.limbs import (
    ARMS_KIND,
    LEGS_KIND,
    MAPS,
    NETWORKS,
    PARTS,
    SIZE,
    ArmsNetwork,
    Kind,
    LegsNetwork,
    Limb,
    LimbConfig,
    LimbNetwork,
    Limbs,
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
from pise_core.skeleton import ARMS, JOINTS
from tests.conftest import draw_person
from tests.test_parts import turned
from tests.test_shipped import EXAMPLES

SMALL = LimbConfig((4, 8, 8, 8, 8))
KINDS = pytest.mark.parametrize("kind", [ARMS_KIND, LEGS_KIND], ids=lambda kind: kind.name)
OF_BOTH = pytest.mark.parametrize("made", NETWORKS, ids=lambda made: made.kind.name)


def small(made: type[LimbNetwork] = ArmsNetwork) -> LimbNetwork:
    torch.manual_seed(0)
    return made(SMALL).eval()


def _turned(pose: np.ndarray, kind: Kind, side: int, angle: float) -> np.ndarray:
    root, *further = (JOINTS[joint] for joint in kind.limbs[side])
    return turned(pose, further, root, angle)


@pytest.mark.parametrize("angle", [0, 100, 200])
@pytest.mark.parametrize("side", [0, 1])
@KINDS
def test_a_turned_limb_lies_in_its_frame_like_a_hanging_one(kind, side, angle):
    drawn = draw_person(280, 416)
    pose = _turned(drawn.pose, kind, side, angle)
    place = place_of(kind, pose, side)
    assert place is not None
    here = place.pose(pose)
    root, middle, end = (here[joint, :2] for joint in kind.limbs[0])  # a left one is mirrored
    assert np.allclose(root, kind.root, atol=1e-3)
    assert abs(middle[0] - root[0]) < 1e-2 and middle[1] > root[1] + 10
    assert np.hypot(*(middle - root)) == pytest.approx(
        kind.torso * np.hypot(*np.subtract(*pose[list(kind.limbs[side][:2]), :2])) / body_unit(pose), rel=1e-3
    )
    assert np.allclose(place.back(here[kind.limbs[0][1:], :2]), pose[list(kind.limbs[side][1:]), :2], atol=1e-2)
    # The lower half, too, lies as before the limb was turned.
    straight = place_of(kind, drawn.pose, side)
    assert straight is not None
    before = straight.pose(drawn.pose)
    assert np.allclose(end - middle, before[kind.limbs[0][2], :2] - before[kind.limbs[0][1], :2], atol=0.05)


def test_pixels_labels_and_joints_move_alike():
    drawn = draw_person(280, 416)
    pose = turned(drawn.pose, ["left_elbow", "left_wrist"], "left_shoulder", 130)
    for scale in (1, 4):
        image = np.zeros((416 * scale, 280 * scale, 3), np.uint8)
        large = pose * [scale, scale, 1]
        for joint, colour in zip(ARMS[1], ((255, 0, 0), (0, 255, 0), (0, 0, 255)), strict=True):
            cv2.circle(image, np.floor(large[joint, :2]).astype(int).tolist(), 5 * scale, colour, -1)
        place = place_of(ARMS_KIND, large, 1)
        assert place is not None
        colours, labels = colours_in(image, place), labels_in(np.asarray((image > 0).any(2), np.uint8), place)
        for row, joint in enumerate(ARMS[0]):
            if not (0 < place.pose(large)[joint, 1] < SIZE[0]):
                continue
            ys, xs = np.nonzero(colours[..., row] > 127)
            assert np.allclose([xs.mean() + 0.5, ys.mean() + 0.5], place.pose(large)[joint, :2], atol=0.7)
            assert labels[int(ys.mean()), int(xs.mean())] == 1


@KINDS
def test_without_a_root_or_a_size_nothing_is_looked_at(kind):
    pose = draw_person(280, 416).pose.copy()
    pose[kind.limbs[1][0]] = np.nan, np.nan, 0
    assert place_of(kind, pose, 1) is None and place_of(kind, pose, 0) is not None
    alone = empty_pose()
    alone[kind.limbs[1][0]] = 50, 60, 1
    assert place_of(kind, alone, 1) is None
    # Where the middle joint is missing, the limb is looked for along the body.
    pose[kind.limbs[0][1]] = np.nan, np.nan, 0
    place = place_of(kind, pose, 0)
    assert place is not None and abs(place.matrix[0, 1]) < 0.2 * place.scale


@KINDS
def test_the_network_sees_colours_regions_and_joints(kind):
    drawn = draw_person(280, 416)
    place = place_of(kind, drawn.pose, 1)
    assert place is not None
    shown = colours_in(drawn.photo, place), labels_in(drawn.parsing, place, 2), place.pose(drawn.pose)
    colours, maps = seen(kind, *shown)
    assert colours.shape == (3, *SIZE) and maps.shape == (MAPS, SIZE[0] // 2, SIZE[1] // 2)
    assert -1 <= colours.min() < colours.max() <= 1 and maps.min() >= 0 and maps.max() <= 1
    assert np.allclose(maps[:8].sum(0), 1)
    y, x = np.unravel_index(maps[8].argmax(), maps[8].shape)
    assert abs(2 * x + 1 - kind.root[0]) <= 1 and abs(2 * y + 1 - kind.root[1]) <= 1
    # On the upper bone nothing is far from it.
    assert maps[8 + len(kind.shown), y + 4, x] < 0.1 < maps[8 + len(kind.shown), y, 0]


@OF_BOTH
def test_weights_are_read_as_they_were_written_and_answer_with_probabilities(made, tmp_path):
    network, kind = small(made), made.kind
    path = tmp_path / kind.file_name
    save_model(path, network)
    drawn = draw_person(280, 416)
    places = [place for side in (0, 1) if (place := place_of(kind, drawn.pose, side)) is not None]
    frames = [(place, drawn.pose) for place in places]
    answers = Limbs.read(path, made).look(drawn.photo, drawn.parsing, frames)
    for place, limb in zip(places, answers, strict=True):
        shown = colours_in(drawn.photo, place), labels_in(drawn.parsing, place, 2), place.pose(drawn.pose)
        colours, maps = seen(kind, *shown)
        with torch.inference_mode():
            whole = network(torch.from_numpy(colours[None]), torch.from_numpy(maps[None]))
        assert whole.parts.shape == (1, PARTS, 64, 56)
        assert np.allclose(limb.cells.reshape(2, -1), whole.joints[0].softmax(1)[:, 1:].numpy(), atol=1e-4)
        assert limb.joints.shape == (2, 3) and (limb.joints[:, 2] <= 1).all()
    assert Limbs.read(path, made).look(drawn.photo, drawn.parsing, []) == []


@OF_BOTH
def test_other_weights_are_refused_in_one_line(made, tmp_path):
    path = tmp_path / made.kind.file_name
    with pytest.raises(InputError, match="missing"):
        Limbs.read(path, made)
    save_model(path, AnalyzerNetwork(AnalyzerConfig((8, 8, 8, 8, 8), 8)))
    with pytest.raises(InputError, match=f"AnalyzerNetwork, not {made.__name__}"):
        Limbs.read(path, made)
    other = next(one for one in NETWORKS if one is not made)
    save_model(path, small(other))
    with pytest.raises(InputError, match=f"{other.__name__}, not {made.__name__}"):
        Limbs.read(path, made)
    for channels in ([4, 8], [4, 8, 8, 8, 0], "many", [4, 8, 8, 8, 16]):
        config = {"network": made.__name__, "config": json.dumps({"channels": channels})}
        write_tensors(path, dict(small(made).state_dict()), config)
        with pytest.raises(InputError, match="another make"):
            Limbs.read(path, made)


@OF_BOTH
def test_the_weights_that_ship_say_what_they_were_made_of(made):
    name, config, _ = read_model(SHIPPED / made.kind.file_name)
    assert name == made.__name__ and LimbConfig.from_dict(config) == LimbConfig()


class Sees(Limbs):
    """Sees the right limb's joints at some places of the picture, as surely as is said, and the left one's where they
    were found."""

    def __init__(self, made: type[LimbNetwork], joints: np.ndarray, sure: float, found: np.ndarray):
        super().__init__(small(made))
        self.joints, self.sure, self.found, self.asked = joints, sure, found, 0

    def look(self, image, regions, frames):
        self.asked += len(frames)
        answers = []
        for place, _ in frames:
            here = self.joints if place.side == 0 else self.found[list(self.kind.limbs[1][1:]), :2]
            cells = np.zeros((2, 32, 28), np.float32)
            said = np.zeros((2, 3), np.float32)
            for row, point in enumerate(here):
                x, y = np.floor((place.matrix[:, :2] @ point + place.matrix[:, 2]) / 4).astype(int)
                seen_here = 0 <= x < 28 and 0 <= y < 32
                if seen_here:
                    cells[row, y, x] = self.sure
                said[row] = *point, self.sure * seen_here
            answers.append(Limb(place, said, cells))
        return answers


def _elsewhere(pose: np.ndarray, kind: Kind) -> np.ndarray:
    """Elbow and wrist of the right arm, lifted, or knee and ankle of the right leg, spread."""
    angle = 170 if kind is ARMS_KIND else 70
    return _turned(pose, kind, 0, angle)[list(kind.limbs[0][1:]), :2]


@OF_BOTH
def test_a_limb_that_is_surely_seen_elsewhere_is_found_there(made):
    drawn, own = draw_person(220, 330), list(made.kind.limbs[0][1:])
    sees = Sees(made, _elsewhere(drawn.pose, made.kind), 0.9, drawn.pose)
    found = sees.corrected(drawn.photo, drawn.parsing, drawn.pose)
    assert np.allclose(found[own, :2], sees.joints)
    assert np.allclose(found[own, 2], 0.9)
    others = np.ones(18, bool)
    others[own] = False
    assert np.array_equal(found[others], drawn.pose[others], equal_nan=True)
    # One round of looks: both limbs, those that differ once more in the other frame, and along what was found.
    assert sees.asked <= 5 * made.kind.rounds
    # A turned limb that was found stays, too, and is looked for where it is first.
    there = drawn.pose.copy()
    there[own, :2] = sees.joints
    sees.asked = 0
    assert np.array_equal(sees.corrected(drawn.photo, drawn.parsing, there), there)
    assert sees.asked == 2
    # One that was not found at all is.
    missing = drawn.pose.copy()
    missing[own] = np.nan, np.nan, 0
    assert np.allclose(sees.corrected(drawn.photo, drawn.parsing, missing)[own, :2], sees.joints)


@pytest.mark.parametrize("sure", [0.0, 0.3])
@OF_BOTH
def test_a_limb_that_is_not_surely_seen_stays_where_it_was_found(made, sure):
    drawn = draw_person(220, 330)
    sees = Sees(made, _elsewhere(drawn.pose, made.kind), sure, drawn.pose)
    assert np.array_equal(sees.corrected(drawn.photo, drawn.parsing, drawn.pose), drawn.pose, equal_nan=True)


@OF_BOTH
def test_a_limb_without_its_root_stays_as_it_is(made):
    drawn = draw_person(220, 330)
    pose = drawn.pose.copy()
    pose[made.kind.limbs[0][0]] = np.nan, np.nan, 0
    sees = Sees(made, _elsewhere(drawn.pose, made.kind), 0.9, drawn.pose)
    assert np.array_equal(sees.corrected(drawn.photo, drawn.parsing, pose), pose, equal_nan=True)


def test_the_analyzer_takes_limbs_from_who_looks_at_them(editor):
    """In pixels of the photo, with the box about hand and foot; all else is the analyzer's own to the bit."""
    photo = read_image(EXAMPLES[0])
    alone = Analyzer(editor.analyzer.network).look(photo)
    assert alone is not None
    fine = alone.framing.finer(1.5)
    wanted = {kind: _elsewhere(alone.pose, kind) for kind in (ARMS_KIND, LEGS_KIND)}

    class Moved(Limbs):
        def corrected(self, image, regions, pose):
            assert image.shape == (384, 264, 3) and regions.shape == image.shape[:2] and regions.max() > 0
            before = fine.to_photo(pose)[:, :2]
            if self.kind is LEGS_KIND:  # legs are told what was found of arms
                assert np.allclose(before[list(ARMS[0][1:])], wanted[ARMS_KIND], atol=1e-2)
                before[list(ARMS[0][1:])] = alone.pose[list(ARMS[0][1:]), :2]
            assert np.allclose(before, alone.pose[:, :2], atol=1e-2, equal_nan=True)
            out = pose.copy()
            out[list(self.kind.limbs[0][1:])] = np.c_[fine.to_frame(wanted[self.kind]), [0.5, 0.6]]
            return out

    looks = [Moved(small(made)) for made in NETWORKS]
    sight = Analyzer(editor.analyzer.network, limbs=looks).look(photo)
    assert sight is not None
    others = np.ones(18, bool)
    for kind, points in wanted.items():
        own = list(kind.limbs[0][1:])
        assert np.allclose(sight.pose[own], np.c_[points, [0.5, 0.6]], atol=0.02)
        others[own] = False
    assert np.array_equal(sight.pose[others], alone.pose[others], equal_nan=True)
    assert np.array_equal(sight.probabilities, alone.probabilities)
    x0, y0, x1, y1 = sight.box
    points = np.concatenate(list(wanted.values()))
    assert x0 <= points[:, 0].min() + 0.1 and y0 <= points[:, 1].min() + 0.1
    assert x1 == alone.box[2] and y1 == alone.box[3]


@OF_BOTH
def test_a_folder_of_weights_may_bring_its_own(made, tmp_path):
    save_model(tmp_path / made.kind.file_name, small(made))
    own, shipped = Editor.from_pretrained(tmp_path, device="cpu"), Editor.from_pretrained(device="cpu")
    assert [one.kind for one in own.analyzer.limbs] == [ARMS_KIND, LEGS_KIND]
    for one, other in zip(own.analyzer.limbs, shipped.analyzer.limbs, strict=True):
        assert one._network.config == (SMALL if one.kind is made.kind else LimbConfig())
        assert other._network.config == LimbConfig()


def test_both_kinds_are_networks_of_the_same_make():
    assert ArmsNetwork().state_dict().keys() == LegsNetwork().state_dict().keys()
