"""OpenPose by controlnet-aux: the real code from photo to poses, on weights that are made here.

The real weights can't be had without a network, so these are written by hand: the network passes the three colour
channels through to its last stage, where each joint's map lights up at its own colour, and every limb's affinity field
is constant along the limb as it is drawn. On a picture of 18 coloured dots it then finds just these.
"""

import sys
import types

import cv2
import numpy as np
import pytest
import torch

from pise_core.detection.openpose import LICENCE, OpenPoseDetector, _import_controlnet_aux
from pise_core.errors import InputError
from pise_core.pose import visible
from pise_core.skeleton import LIMBS

#: Where the dots are drawn, in a picture of 320x400, and their colours: unit vectors at least 14 degrees apart.
POINTS = np.array([(40 + 80 * (i % 4), 40 + 80 * (i // 4)) for i in range(18)], float)
POINTS[16:] += (80, 0)


def unit_colours():
    colours = []
    for latitude, count in ((5, 6), (21, 5), (37, 4), (54, 2), (75, 1)):
        for step in range(count):
            longitude = 90 * (step + 0.5) / count
            a, b = np.radians(latitude), np.radians(longitude)
            colours.append((np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)))
    return np.array(colours)


COLOURS = unit_colours()

#: (from, to, the two channels of the affinity field), as OpenPose's body model has them: bones, then shoulder to ear.
FIELDS = dict(
    zip(
        (*LIMBS, (2, 16), (5, 17)),
        (
            (12, 13), (14, 15), (16, 17), (20, 21), (22, 23), (24, 25), (0, 1), (2, 3), (4, 5), (6, 7), (8, 9),
            (10, 11), (28, 29), (30, 31), (34, 35), (32, 33), (36, 37), (18, 19), (26, 27),
        ),
        strict=True,
    )
)  # fmt: skip


def checkpoint(path):
    """Write the weights described above; zeros are stored once and expanded, so the file is small."""
    weights = {}
    for name, value in _import_controlnet_aux()[1]().state_dict().items():
        weights[name.split(".", 1)[1]] = torch.zeros(1).expand(value.shape)

    def set_kernel(layer, values):
        """``values``: (out, in) for the middle tap, or (out, in, 7, 7)."""
        kernel = weights[f"{layer}.weight"].clone()
        values = torch.as_tensor(np.ascontiguousarray(values), dtype=torch.float32)
        if values.ndim == 2:
            middle = kernel.shape[2] // 2
            kernel[: values.shape[0], : values.shape[1], middle, middle] = values
        else:
            kernel[: values.shape[0], : values.shape[1]] = values
        weights[f"{layer}.weight"] = kernel

    # The colours as they are, shifted back to 0..1, down to an eighth of the size.
    features = ["conv1_1", "conv1_2", "conv2_1", "conv2_2", *(f"conv3_{i}" for i in range(1, 5))]
    for layer in (*features, "conv4_1", "conv4_2", "conv4_3_CPM", "conv4_4_CPM"):
        set_kernel(layer, np.eye(3))
    bias = torch.zeros(64)
    bias[:3] = 0.5
    weights["conv1_1.bias"] = bias
    # Stage 6 sees 38 fields and 19 maps of the stage before, then the features (BGR): each map looks for its colour,
    choose = np.zeros((18, 60))
    choose[:, 57:] = 40 * COLOURS[:, ::-1]
    set_kernel("Mconv1_stage6_L2", choose)
    weights["Mconv1_stage6_L2.bias"] = torch.full((128,), -40 * 0.975)
    # is blurred, so that it has one peak,
    bump = np.exp(-(np.arange(-3, 4) ** 2) / (2 * 1.5**2))
    blur = np.outer(bump, bump) / bump.sum() ** 2
    set_kernel("Mconv2_stage6_L2", np.eye(18)[:, :, None, None] * blur)
    # and goes out as it is.
    for i in range(3, 8):
        set_kernel(f"Mconv{i}_stage6_L2", np.eye(18))
    fields = torch.zeros(38)
    for (a, b), channels in FIELDS.items():
        direction = (POINTS[b] - POINTS[a]) / np.linalg.norm(POINTS[b] - POINTS[a])
        fields[list(channels)] = torch.from_numpy(direction).float()
    weights["Mconv7_stage6_L1.bias"] = fields
    torch.save(weights, path)
    return path


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    return OpenPoseDetector(checkpoint(tmp_path_factory.mktemp("openpose") / "body_pose_model.pth"), device="cpu")


def drawn(scale, joints=tuple(range(18))):
    picture = np.zeros((round(400 * scale), round(320 * scale), 3), np.uint8)
    for joint in joints:
        centre = tuple(int(round(v * scale)) for v in POINTS[joint])
        colour = tuple(int(round(255 * c)) for c in COLOURS[joint])
        cv2.circle(picture, centre, round(26 * scale), colour, -1)
    return picture


@pytest.mark.parametrize("scale", [1, 3])
def test_joints_are_found_where_they_are_drawn(detector, scale):
    poses = detector.detect(drawn(scale))
    assert len(poses) == 1
    pose = poses[0]
    assert pose.dtype == np.float32 and pose.shape == (18, 3) and visible(pose).all()
    # A cell of the network is 17 pixels of the picture at scale 1: this is a quarter of it.
    assert np.abs(pose[:, :2] - POINTS * scale).max() < 4 * scale
    assert (pose[:, 2] > 0.3).all() and (pose[:, 2] <= 1).all()


def test_joints_that_are_not_there_are_missing(detector):
    photo = drawn(1, [j for j in range(18) if j not in (4, 13)])
    pose = detector.detect(photo)[0]
    assert np.flatnonzero(~visible(pose)).tolist() == [4, 13]
    assert pose[4, 2] == 0 and pose[13, 2] == 0
    assert np.array_equal(detector.detect(photo)[0], pose, equal_nan=True)


def test_the_surest_person_comes_first(detector):
    # Two of each joint; the second figure lacks its legs, so its total score is lower.
    legs = (8, 9, 10, 11, 12, 13)
    both = np.hstack([drawn(1, [j for j in range(18) if j not in legs]), np.zeros((400, 200, 3), np.uint8), drawn(1)])
    poses = detector.detect(both)
    assert len(poses) >= 2
    assert visible(poses[0]).sum() >= visible(poses[1]).sum()
    assert np.nanmedian(poses[0][:, 0]) > 400


@pytest.mark.parametrize("size", [(16, 16), (16, 4000), (4000, 16)])
def test_nobody_in_an_empty_picture_of_any_shape(detector, size):
    assert detector.detect(np.zeros((*size, 3), np.uint8)) == []


def test_files_that_are_no_checkpoint_are_refused(tmp_path):
    photo = np.zeros((64, 64, 3), np.uint8)
    (tmp_path / "text.pth").write_text("no checkpoint")
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    for name in ("text.pth", "other.pth", "list.pth", "missing.pth"):
        with pytest.raises(InputError, match=name):
            OpenPoseDetector(tmp_path / name).detect(photo)
    with pytest.raises(InputError, match="uint8"):
        OpenPoseDetector(tmp_path / "text.pth").detect(photo.astype(float))


def test_pickles_with_code_are_refused(tmp_path):
    class Code:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"conv1_1.weight": Code()}, tmp_path / "code.pth")
    with pytest.raises(InputError):
        OpenPoseDetector(tmp_path / "code.pth").detect(np.zeros((64, 64, 3), np.uint8))
    assert not (tmp_path / "ran").exists()


def test_a_newer_mediapipe_does_not_get_in_the_way(detector, monkeypatch):
    # From 0.10.30 on, mediapipe has no "solutions", on which controlnet_aux's import stumbles.
    newer = types.ModuleType("mediapipe")
    monkeypatch.setitem(sys.modules, "mediapipe", newer)
    for name in [name for name in sys.modules if name.split(".")[0] == "controlnet_aux"]:
        monkeypatch.delitem(sys.modules, name)
    fresh = OpenPoseDetector(detector._checkpoint, device="cpu")
    assert len(fresh.detect(drawn(1))) == 1
    assert sys.modules["mediapipe"] is newer


def test_the_licence_says_who_may_use_it():
    assert "CMU" in LICENCE and "non-commercial" in LICENCE
