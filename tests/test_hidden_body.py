"""What of a person lies behind arms and head: the network, its weights, and where its answer lies in a photo."""

import json

import numpy as np
import pytest
import torch

from pise_core.detection.amodal import FILE_NAME, INPUTS, Amodal, AmodalConfig, AmodalNetwork, seen
from pise_core.detection.network import AnalyzerConfig, AnalyzerNetwork
from pise_core.editor import Editor
from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE, Framing
from pise_core.hidden_body import HiddenBody
from pise_core.model.weights import SHIPPED, read_model, save_model, write_tensors
from pise_core.regions import REGION
from pise_core.warping.parts import PARTS
from tests.conftest import draw_person
from tests.test_parts import turned

SMALL = AmodalConfig((4, 8, 8, 8, 8))


def test_the_network_sees_shapes_joints_and_what_is_held():
    drawn = draw_person(176, 256)
    arms, held = np.zeros(FRAME_SIZE, np.uint8), np.zeros(FRAME_SIZE, bool)
    arms[100:120, 20:40], arms[100:120, 140:160], held[130:140, 20:30] = 1, 2, True
    shown = seen(drawn.parsing, arms, held, drawn.pose)
    assert shown.shape == (INPUTS, 128, 88) and shown.dtype == np.float32
    assert np.allclose(shown[:8].sum(0), 1)
    assert [float(shown[8 + n].sum()) for n in range(3)] == [100, 100, 25]
    nose = drawn.pose[0, :2] / 2
    y, x = np.unravel_index(shown[11].argmax(), shown[11].shape)
    assert abs(x + 0.5 - nose[0]) <= 0.5 and abs(y + 0.5 - nose[1]) <= 0.5


def test_weights_are_read_as_they_were_written_and_answer_with_probabilities(tmp_path):
    torch.manual_seed(0)
    network = AmodalNetwork(SMALL).eval()
    save_model(tmp_path / FILE_NAME, network)
    drawn = draw_person(176, 256)
    given = drawn.parsing, np.zeros(FRAME_SIZE, np.uint8), np.zeros(FRAME_SIZE, bool), drawn.pose
    answer = Amodal.read(tmp_path / FILE_NAME)(*given)
    assert answer.shape == (2, 8, 128, 88)
    assert np.allclose(answer.sum(1), 1, atol=1e-5)
    with torch.inference_mode():
        whole = network(torch.from_numpy(seen(*given)[None]))
    assert np.allclose(answer, whole.without[0].softmax(1).numpy(), atol=1e-4)
    assert whole.arms.shape == (1, 3, 128, 88)


def test_other_weights_are_refused_in_one_line(tmp_path):
    path = tmp_path / FILE_NAME
    with pytest.raises(InputError, match="missing"):
        Amodal.read(path)
    save_model(path, AnalyzerNetwork(AnalyzerConfig((8, 8, 8, 8, 8), 8)))
    with pytest.raises(InputError, match="AnalyzerNetwork, not AmodalNetwork"):
        Amodal.read(path)
    for channels in ([4, 8], [4, 8, 8, 8, 0], "many", [4, 8, 8, 8, 16]):
        config = {"network": "AmodalNetwork", "config": json.dumps({"channels": channels})}
        write_tensors(path, AmodalNetwork(SMALL).state_dict(), config)
        with pytest.raises(InputError, match="another make"):
            Amodal.read(path)


def test_the_weights_that_ship_say_what_they_were_made_of():
    name, config, _ = read_model(SHIPPED / FILE_NAME)
    assert name == "AmodalNetwork" and AmodalConfig.from_dict(config) == AmodalConfig()


@pytest.mark.parametrize("factor", [1.0, 2.5])
def test_an_answer_lies_over_the_photo_where_the_frame_does(factor):
    """A block of cells in the frame covers the pixels that the frame shows there, at any size."""
    maps = np.zeros((8, 128, 88), np.float32)
    maps[0], maps[0, 40:80, 20:50], maps[REGION["pants"], 40:80, 20:50] = 1, 0, 1
    framing = Framing((300, 400), 0.5, 10.0, 20.0)
    body = HiddenBody(maps, 0 * maps, framing)
    size = round(400 * factor), round(300 * factor)
    shares = body.shares(size, head=False)
    ys, xs = np.nonzero(shares[REGION["pants"]] > 0.5)
    corners = framing.to_photo(np.array([[40, 80], [100, 160]], np.float64)) * factor
    assert np.abs([xs.min() - corners[0, 0], ys.min() - corners[0, 1]]).max() <= 1
    assert np.abs([xs.max() + 1 - corners[1, 0], ys.max() + 1 - corners[1, 1]]).max() <= 1
    assert (shares[0, -1] == 1).all()  # beyond the frame
    window = slice(100, 300), slice(50, 250)
    part = body.within(window).shares((200, 200), head=False)
    if factor == 1:
        assert np.allclose(part, shares[:, window[0], window[1]], atol=1e-5)
    assert not body.shares(size, head=True)[1:].any()


def test_a_person_is_asked_about_once_for_each_map(editor):
    asked = []

    class Counting(Amodal):
        def __call__(self, *given):
            asked.append(given)
            return super().__call__(*given)

    torch.manual_seed(0)
    mine = Editor(editor.generator, editor.analyzer, amodal=Counting(AmodalNetwork(SMALL)))
    drawn = draw_person(220, 330)
    held = np.zeros(drawn.parsing.shape, np.uint8)
    held[150:180, 20:40] = 1
    person = mine.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing, held=held)
    assert not asked  # not when a photo is opened
    wanted = turned(drawn.pose, ["right_elbow", "right_wrist"], "right_shoulder", 60)
    first = person.render(pose=wanted).photo
    assert len(asked) == 1
    person.render(pose=turned(drawn.pose, ["left_elbow", "left_wrist"], "left_shoulder", -60))
    assert (person.render(pose=wanted).photo == first).all()
    assert len(asked) == 1
    parsing, arms, things, pose = asked[0]
    assert parsing.shape == FRAME_SIZE and things.any() and not (arms[things]).any()
    assert set(np.unique(arms)) == {0, 1, 2}
    owner = person.frame.owner
    assert (owner[arms == 1] == PARTS.index("left_upper_arm")).any()
    assert np.allclose(pose, person.frame.pose, atol=1e-3, equal_nan=True)


def test_a_folder_of_weights_may_bring_its_own(tmp_path):
    torch.manual_seed(0)
    save_model(tmp_path / FILE_NAME, AmodalNetwork(SMALL))
    editor = Editor.from_pretrained(tmp_path, device="cpu")
    assert editor.amodal is not None
