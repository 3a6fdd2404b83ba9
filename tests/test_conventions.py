"""What the authors' weights are told, and how their answers are understood."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE, Framing
from pise_core.model.adapter import Convention
from pise_core.model.config import RELEASE_CONFIG, SHIPPED_CONFIG, PISEConfig
from pise_core.pose import empty_pose, heatmaps
from pise_core.regions import REGION, cut_out, one_hot
from pise_core.skeleton import JOINT

SHARED = os.environ.get("PISE_SHARED_DATA")
HEIGHT, WIDTH = FRAME_SIZE


@pytest.fixture
def frame(person):
    """Image, map and pose of the drawn person in the frame."""
    framing = Framing.whole((person.photo.shape[1], person.photo.shape[0]))
    return (
        framing.crop(person.photo, 127),
        framing.crop(person.parsing, labels=True),
        framing.to_frame(person.pose),
    )


def release(labels: str = "pgn", pose_columns: str = "stretched") -> Convention:
    return Convention(replace(RELEASE_CONFIG, labels=labels, pose_columns=pose_columns))


def test_our_own_weights_are_told_the_frame_as_it_is(frame):
    image, labels, pose = frame
    own = Convention(SHIPPED_CONFIG)
    assert np.array_equal(own.image(image, labels > 0)[0], cut_out(image, labels > 0))
    assert np.array_equal(own.parsing(labels)[0], one_hot(labels))
    known = labels != 2
    assert np.array_equal(own.parsing(labels, known)[0], one_hot(labels) * known)
    assert own.parsing(labels, known).is_contiguous(memory_format=torch.channels_last)
    assert own.pose(pose).is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(own.pose(pose)[0], heatmaps(pose, FRAME_SIZE))
    assert [own.style_row(region) for region in range(8)] == list(range(8))
    logits = torch.randn(1, 8, *FRAME_SIZE)
    assert np.allclose(own.probabilities(logits, labels, pose), logits.softmax(1)[0], atol=1e-6)
    assert np.array_equal(own.wanted(labels, logits)[0], one_hot(labels))


def test_the_release_sees_a_white_square(frame):
    image, labels, pose = frame
    theirs = release()
    square, maps = theirs.image(image, labels > 0), theirs.parsing(labels)
    assert square.shape == (1, 3, 256, 256) and maps.shape == (1, 8, 256, 256)
    assert theirs.pose(pose).shape == (1, 18, 256, 256)
    assert (square[..., :40] == 1).all() and (square[..., -40:] == 1).all()
    inside = labels > 0
    assert np.array_equal(theirs.picture(square)[0].numpy()[:, inside], cut_out(image, inside)[:, inside])
    assert (theirs.picture(square)[0].numpy()[:, ~inside] == 1).all()
    assert (maps.sum(1) == 1).all()
    assert (maps[:, 0, :, :40] == 1).all()


@pytest.mark.parametrize(("pose_columns", "column"), [("stretched", 186), ("aligned", 128)])
def test_joints_lie_where_the_weights_learned_them(pose_columns, column):
    """Column 88 of the frame is 128 of the square, and 128 / 176 of a square's 256 columns is 186."""
    pose = empty_pose()
    pose[3] = 88.7, 120.2, 1
    pose[4] = 150.0, 10.0, 1  # 276 when stretched: beyond the square
    maps = release(pose_columns=pose_columns).pose(pose)[0].numpy()
    assert np.unravel_index(maps[3].argmax(), maps[3].shape) == (120, column)
    assert maps[3].max() == 1
    assert (maps[4].max() < 0.01) == (pose_columns == "stretched")
    assert not maps[5].any()


def test_stretched_columns_are_the_same_places_on_a_smaller_frame():
    """(128, 96) has four columns on either side that half of (256, 176) has not."""
    full, half = empty_pose(), empty_pose()
    full[:4] = [(x, 120.5, 1) for x in (8.5, 48.5, 88.5, 128.5)]
    half[:4] = [(x / 2 + 4, y / 2, score) for x, y, score in full[:4]]
    places = [
        [np.unravel_index(values.argmax(), values.shape) for values in told.pose(pose)[0, :4].numpy()]
        for told, pose in ((release(), full), (Convention(RELEASE_CONFIG, frame=(128, 96)), half))
    ]
    assert np.abs(np.array(places[0]) - 2 * np.array(places[1])).max() <= 2


@pytest.mark.skipif(SHARED is None, reason="PISE_SHARED_DATA is not set: no heat maps of the authors' code")
def test_heat_maps_of_the_authors_code():
    stored = np.load(Path(str(SHARED)) / "parity" / "pose_heatmap_256.npz")
    pose = empty_pose()
    there = stored["keypoints_y"] >= 0
    pose[there, 0], pose[there, 1] = stored["keypoints_x"][there], stored["keypoints_y"][there]
    aligned, stretched = (release(pose_columns=c).pose(pose)[0].numpy() for c in ("aligned", "stretched"))
    assert np.abs(aligned - stored["heat_old256x256"]).max() < 1e-6
    assert np.allclose(stretched.sum((1, 2)), stored["heat_old256x176_sum"], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("labels", "indices"),
    [
        ("pgn", {"hair": 1, "upper_clothes": 2, "dress": 3, "pants": 3, "face": 5, "upper_skin": 6, "leg": 7}),
        ("spl8", {"hair": 2, "upper_clothes": 3, "dress": 4, "pants": 5, "upper_skin": 6, "leg": 6, "face": 7}),
    ],
)
def test_regions_in_the_order_of_the_weights(labels, indices):
    theirs = release(labels)
    ours = np.zeros(FRAME_SIZE, np.uint8)
    for row, name in enumerate(indices):
        ours[row] = REGION[name]
    told = theirs.picture(theirs.parsing(ours))[0].argmax(0).numpy()
    for row, (name, index) in enumerate(indices.items()):
        assert (told[row] == index).all()
        assert theirs.style_row(REGION[name]) == index
    assert (told[len(indices) :] == 0).all()


def answer(theirs: Convention, rows: dict[int, int]) -> torch.Tensor:
    """Logits that are sure of the given classes of theirs in some rows, and of background elsewhere."""
    classes = torch.zeros(1, HEIGHT, WIDTH + 80, dtype=torch.long)
    for row, index in rows.items():
        classes[:, row] = index
    return torch.nn.functional.one_hot(classes, 8).permute(0, 3, 1, 2) * 24.0 - 12


@pytest.mark.parametrize(
    ("labels", "worn", "rows"),
    [
        # Row of the frame -> their class, and what it is for us. The hips are in row 100.
        ("pgn", "pants", {10: (1, "hair"), 90: (3, "pants"), 200: (4, "leg"), 210: (7, "leg")}),
        ("pgn", "dress", {30: (5, "face"), 90: (3, "dress"), 150: (6, "upper_skin")}),
        ("spl8", "dress", {5: (1, "hair"), 30: (6, "upper_skin"), 110: (5, "pants"), 220: (6, "leg")}),
    ],
)
def test_answers_are_understood_in_our_regions(labels, worn, rows):
    theirs = release(labels)
    pose = empty_pose()
    pose[[JOINT["left_hip"], JOINT["right_hip"]]] = (80, 100, 1)
    source = np.full(FRAME_SIZE, REGION[worn], np.uint8)
    logits = answer(theirs, {row: index for row, (index, _) in rows.items()})
    found = theirs.probabilities(logits, source, pose)
    assert np.allclose(found.sum(0), 1, atol=1e-5)
    for row, (_, name) in rows.items():
        assert (found[:, row].argmax(0) == REGION[name]).all()
    assert (found[:, 250].argmax(0) == 0).all()


def test_the_generator_s_own_values_stay_where_the_map_agrees():
    theirs = release()
    logits = answer(theirs, {50: 2, 200: 4}) / 12 + torch.linspace(0, 0.1, 8).view(1, 8, 1, 1)
    soft = (torch.tanh(logits) + 1) / 2
    labels = np.zeros(FRAME_SIZE, np.uint8)
    labels[50] = REGION["upper_clothes"]
    labels[60] = REGION["dress"]  # painted
    labels[200] = REGION["leg"]  # shoes, as the generator knows
    told = theirs.wanted(labels, logits)
    painted = torch.zeros(1, 1, HEIGHT, WIDTH + 80, dtype=torch.bool)
    painted[:, :, 60, 40:-40] = True
    assert torch.equal(told, torch.where(painted, theirs.parsing(labels), soft))
    assert torch.equal(theirs.wanted(labels, None), theirs.parsing(labels))


def test_unknown_conventions_are_refused():
    with pytest.raises(ValueError, match="labels is one of"):
        PISEConfig(labels="other")
    with pytest.raises(ValueError, match="canvas"):
        PISEConfig(canvas="round")


def test_maps_in_the_weights_own_order_stay_as_they_are(frame):
    _, labels, pose = frame
    config = replace(RELEASE_CONFIG, labels="pgn")
    theirs = np.array([0, 1, 5, 2, 3, 3, 6, 7], np.uint8)[labels]
    own = Convention(config, order="pgn")
    assert torch.equal(own.parsing(theirs), Convention(config).parsing(labels))
    logits = torch.randn(1, 8, 256, 256)
    found = own.probabilities(logits, theirs, pose)
    expected = (torch.tanh(own.picture(logits))[0] + 1).numpy()
    assert np.allclose(found, expected / expected.sum(0), atol=1e-5)
    assert [own.style_row(region) for region in range(8)] == list(range(8))
    for weights, order in (("studio", "pgn"), ("spl8", "pgn"), ("pgn", "spl8")):
        with pytest.raises(InputError, match=f"maps in the order '{order}' do not tell apart what"):
            Convention(replace(config, labels=weights), order=order)
