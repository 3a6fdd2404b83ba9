"""Learning what is held, beside an analyzer that stays as it is."""

import argparse
from dataclasses import replace

import numpy as np
import pytest
import torch

from pise_core.detection.analyzer import read_network
from pise_core.detection.held_layers import FILE_NAME, with_held
from pise_core.detection.network import AnalyzerConfig, AnalyzerNetwork
from pise_core.errors import InputError
from pise_core.files import write_json
from pise_core.model.weights import save_model
from pise_core.training import command as train
from pise_core.training.analyzer import held_run
from pise_core.training.analyzer.held_run import Validation, losses
from pise_core.training.data.held_views import HeldViews, holds, with_things_of
from pise_core.training.data.prepared_folder import Sample, load_samples, person_box, write_sample
from pise_core.training.loop import total
from tests.conftest import draw_person

SMALL = AnalyzerConfig((8, 16, 16, 24, 32), 24)
BAG = (250, 10, 200)


def _drawn(bag: bool) -> Sample:
    drawn = draw_person(280, 416)
    photo, held = drawn.photo.copy(), np.zeros(drawn.parsing.shape, np.uint8)
    if bag:
        held[210:250, 30:70] = 1
        photo[held == 1] = BAG
    return Sample("0001", photo, drawn.pose, drawn.parsing, held)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Four photos to learn from, of two of which nobody knows what is held, and two for validation."""
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("images", "parsing", "held"):
        (folder / name).mkdir()
    splits = {"train": {}, "validation": {}, "test": {}}
    for number, (split, bag) in enumerate(
        [("train", True), ("train", False), ("train", None)] + [("validation", True)] * 2
    ):
        sample = _drawn(bool(bag))
        held = None if bag is None else sample.held
        name = f"{number:04d}"
        rows = write_sample(folder, name, sample.image, sample.pose, parsing=sample.parsing, held=held)
        splits[split][name] = rows
    write_json(folder / "samples.json", splits)
    return folder


def _run(prepared, tmp_path, out, *more) -> int:
    if not (tmp_path / "given.safetensors").exists():
        torch.manual_seed(1)
        save_model(tmp_path / "given.safetensors", AnalyzerNetwork(SMALL))
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    given = ["analyzer", "--held-alone", "--data", prepared, "--batch", 2, "--device", "cpu", "--out", tmp_path / out]
    given += ["--init", tmp_path / "given.safetensors", *more]
    return train.run(parser.parse_args([str(one) for one in given]))


@pytest.fixture
def short_rounds(monkeypatch):
    monkeypatch.setattr(held_run, "BATCHES", 2)
    monkeypatch.setattr(held_run, "PASSES", 2)


def test_a_run_adds_layers_and_changes_nothing_else(prepared, tmp_path, short_rounds):
    assert _run(prepared, tmp_path, "out", "--steps", 5, "--validate-every", 5) == 0
    given, trained = (
        read_network(tmp_path / n / "analyzer.safetensors" if n == "out" else tmp_path / n)
        for n in ("given.safetensors", "out")
    )
    assert trained.config == replace(given.config, held=2)
    before, after = given.state_dict(), trained.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert all(name.startswith("held_head.") for name in after.keys() - before.keys())
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    added = with_held(given, tmp_path / "out" / FILE_NAME)
    with torch.no_grad():
        old, new, beside = given.eval()(image), trained.eval()(image), added.eval()(image)
    assert torch.equal(old.parsing, new.parsing) and torch.equal(old.heatmaps, new.heatmaps) and old.held is None
    assert new.held is not None and new.held.shape == (1, 1, 32, 32) and beside.held is not None
    torch.testing.assert_close(beside.held, new.held, atol=0.02, rtol=0.02)  # float16
    best = tmp_path / "out/kept/step-000005.safetensors"
    assert with_held(given, best).config.held == 2


def test_a_run_that_was_left_within_a_round_computes_what_an_unbroken_one_does(prepared, tmp_path, short_rounds):
    assert _run(prepared, tmp_path, "whole", "--steps", 6, "--validate-every", 0) == 0
    assert _run(prepared, tmp_path, "parts", "--steps", 6, "--validate-every", 0, "--until", 3) == 0
    assert _run(prepared, tmp_path, "parts", "--steps", 6, "--validate-every", 0, "--resume") == 0
    whole, parts = (read_network(tmp_path / name / "analyzer.safetensors").state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_it_learns_where_a_bag_is(prepared, tmp_path, short_rounds):
    assert _run(prepared, tmp_path, "out", "--steps", 32, "--validate-every", 0, "--rate", "5e-3") == 0
    network = read_network(tmp_path / "out/analyzer.safetensors")
    validation = Validation(network, load_samples(prepared, "validation"), "cpu")
    assert network.held_head is not None
    measured = validation.measure(network.held_head)
    print(measured)
    assert len(validation) == 2 and measured["held_iou"] > 0.3, measured


def test_what_it_can_not_begin_with_is_refused(prepared, tmp_path):
    with pytest.raises(InputError, match="leave --gentle, --joints-alone out"):
        _run(prepared, tmp_path, "out", "--steps", 1, "--gentle", "--joints-alone")
    with pytest.raises(InputError, match="no run to go on with"):
        _run(prepared, tmp_path, "out", "--steps", 1, "--resume")
    bare = tmp_path / "bare"
    for name in ("images", "parsing", "held"):
        (bare / name).mkdir(parents=True)
    sample = _drawn(False)
    rows = write_sample(bare, "0001", sample.image, sample.pose, parsing=sample.parsing, held=sample.held)
    write_json(bare / "samples.json", {"train": {"0001": rows}, "validation": {}, "test": {}})
    with pytest.raises(InputError, match="no photo in which something is held"):
        _run(bare, tmp_path, "out", "--steps", 1)


def test_views_are_the_same_for_the_same_numbers_and_mostly_show_something():
    views = HeldViews([_drawn(True), _drawn(False)], None, 0.0)
    first, again = ([views.draw(np.random.default_rng(n)) for n in range(24)] for _ in range(2))
    assert all(
        np.array_equal(a.image, b.image) and np.array_equal(a.held, b.held) for a, b in zip(first, again, strict=True)
    )
    assert all(view.image.shape == (256, 176, 3) and view.held.shape == (256, 176) for view in first)
    shown = np.mean([(view.held == 1).any() for view in first])
    assert 0.5 < shown < 1


def test_things_are_lent_where_they_were_on_their_bearer():
    bearer, other = _drawn(True), _drawn(False)
    for seed in range(6):
        lent = with_things_of(other, bearer, np.random.default_rng(seed))
        assert not holds(other) and holds(lent) and lent.held is not None
        there = lent.held == 1
        # A mirrored one is lent to the other side of the body.
        x0, y0, x1, y1 = person_box(bearer)
        ys, xs = np.nonzero(there)
        away = abs(xs.mean() - (x0 + x1) / 2) - abs(50 - (x0 + x1) / 2), ys.mean() - 230
        assert np.hypot(*away) < 0.15 * (y1 - y0)
        assert 0.5 < there.sum() / 1600 < 1.7
        inside = np.abs(lent.image[there].astype(int) - BAG).max(1) < 90
        assert inside.mean() > 0.9
        changed = (lent.image != other.image).any(2)
        assert not changed[np.abs(np.arange(416) - ys.mean()) > 60].any()


def test_the_loss_is_least_for_the_truth():
    held = torch.zeros(1, 1, 16, 16)
    held[..., 4:8, 4:8] = 1
    right, wrong, empty = (20 * (2 * x - 1) for x in (held, 1 - held, torch.zeros_like(held)))
    gaps = {name: float(total(losses(x, held))) for name, x in (("right", right), ("wrong", wrong), ("empty", empty))}
    assert gaps["right"] < 1e-3 < gaps["empty"] < gaps["wrong"]


def test_validation_counts_pixels_and_things():
    sample = _drawn(True)
    validation = Validation(AnalyzerNetwork(SMALL), [sample, replace(sample, held=None)], "cpu")

    class Says(torch.nn.Module):
        def __init__(self, share: float):
            super().__init__()
            self.share = share

        def forward(self, features):
            _, held = validation._known[0]
            x = torch.from_numpy(held[::2, ::2].astype(np.float32))[None, None]
            rows = x.nonzero()[:, 2]
            cut = rows.min() + self.share * (rows.max() + 1 - rows.min())
            x[:, :, int(cut) :] = 0
            return 20 * (2 * x - 1)

    assert len(validation) == 1
    whole, part = validation.measure(Says(1.0)), validation.measure(Says(0.25))
    assert whole["held_iou"] > 0.75 and whole["found"] == 1 and whole["wrong"] == 0
    assert part["held_iou"] < 0.4 and part["found"] == 0
