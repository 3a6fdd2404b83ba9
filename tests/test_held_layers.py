"""The layers for held things have a file of their own, beside the analyzer's."""

import pytest
import torch

from pise_core import InputError
from pise_core.detection.analyzer import read_network
from pise_core.detection.held_head import HELD_HEADS
from pise_core.detection.held_layers import FILE_NAME, with_held, write_held
from pise_core.detection.network import AnalyzerConfig, AnalyzerNetwork
from pise_core.model.weights import save_model, write_tensors

SMALL = AnalyzerConfig((8, 16, 16, 24, 32), 24)


def small(held: int = 2) -> AnalyzerNetwork:
    torch.manual_seed(3)
    return AnalyzerNetwork(AnalyzerConfig(SMALL.widths, SMALL.deep, held)).eval()


@pytest.mark.parametrize("make", HELD_HEADS)
def test_layers_are_added_and_change_nothing_else(tmp_path, make):
    whole = small(make)
    write_held(tmp_path / FILE_NAME, whole, step="3")
    alone = small(0)
    alone.load_state_dict({k: v for k, v in whole.state_dict().items() if not k.startswith("held_head.")})
    save_model(tmp_path / "analyzer.safetensors", alone)
    added = with_held(read_network(tmp_path / "analyzer.safetensors"), tmp_path / FILE_NAME).eval()
    image = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        expected, found, before = whole(image), added(image), alone(image)
        first, none = added(image, held=1), added(image, held=0)
    assert torch.equal(found.parsing, before.parsing) and torch.equal(found.heatmaps, before.heatmaps)
    assert expected.held is not None and found.held is not None and first.held is not None
    assert torch.allclose(found.held, expected.held, atol=1e-2)  # float16
    assert torch.allclose(first.held, found.held[:1], atol=1e-5) and none.held is None
    assert with_held(added, tmp_path / FILE_NAME) is added
    assert with_held(alone, tmp_path / "missing") is alone


def test_layers_of_another_network_are_refused(tmp_path):
    write_held(tmp_path / FILE_NAME, small())
    with pytest.raises(InputError, match="another analyzer"):
        with_held(AnalyzerNetwork(AnalyzerConfig((8, 32, 16, 24, 32), 24)), tmp_path / FILE_NAME)
    save_model(tmp_path / FILE_NAME, small())
    with pytest.raises(InputError, match="not the layers"):
        with_held(small(0), tmp_path / FILE_NAME)


def test_the_first_files_did_not_say_which_layers_they_hold(tmp_path):
    whole = small(1)
    tensors = {k.removeprefix("held_head."): v for k, v in whole.state_dict().items() if k.startswith("held_head.")}
    write_tensors(tmp_path / FILE_NAME, tensors, {"format": "pt", "network": "HeldLayers", "config": "{}"})
    found = with_held(small(0), tmp_path / FILE_NAME)
    assert found.config.held == 1
    assert all(torch.equal(found.state_dict()[f"held_head.{name}"], value) for name, value in tensors.items())
    assert AnalyzerConfig.from_dict({"widths": list(SMALL.widths), "held": True}).held == 1


def test_layers_that_are_not_known_yet_are_refused(tmp_path):
    write_tensors(tmp_path / FILE_NAME, {}, {"format": "pt", "network": "HeldLayers", "config": '{"held": 9}'})
    with pytest.raises(InputError, match="another version"):
        with_held(small(0), tmp_path / FILE_NAME)
    with pytest.raises(ValueError, match="another network"):
        AnalyzerConfig.from_dict({"widths": list(SMALL.widths), "held": 9})


def test_joints_that_are_not_asked_for_are_left_out_and_change_nothing_else():
    network = AnalyzerNetwork().eval()
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        all_of_it, regions = network(image), network(image, joints=False)
    assert regions.heatmaps.shape == (1, 0, 16, 16) and all_of_it.heatmaps.shape == (1, 18, 16, 16)
    assert torch.equal(regions.parsing, all_of_it.parsing)
