"""Learning what lies behind somebody: views of street photos, losses, and the run."""

import argparse
import json

import numpy as np
import pytest
import torch

from pise_core.detection.hidden_background import FILE_NAME
from pise_core.errors import InputError
from pise_core.files import write_json
from pise_core.model.weights import SHIPPED, read_model
from pise_core.training import command as train
from pise_core.training.background.run import Validation, batch_of, losses
from pise_core.training.background.views import SIZE, Street, Views, held_back, street_of, view
from pise_core.training.data.prepared_folder import Sample, write_sample
from pise_core.training.loop import total
from tests.conftest import draw_person


def photo(shift: int = 0) -> Sample:
    drawn, held = draw_person(280, 416), np.zeros((416, 280), np.uint8)
    held[210:250, 30:70] = 1
    rows, columns = np.mgrid[:416, :280]
    wall = np.stack([rows // 2, columns // 2, (rows + columns + shift) // 4 % 256], 2).astype(np.uint8)
    image = np.where((drawn.parsing > 0)[..., None], drawn.photo, wall)
    return Sample(f"{shift:04d}", image, drawn.pose, drawn.parsing, held)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("images", "parsing", "held"):
        (folder / name).mkdir()
    splits = {"train": {}, "validation": {}, "test": {}}
    for number, split in enumerate(("train", "train", "validation", "validation")):
        one = photo(number)
        labels = None if number == 1 else one.parsing  # nobody annotated the second
        splits[split][one.name] = write_sample(
            folder, one.name, one.image, one.pose, parsing=labels, held=None if labels is None else one.held
        )
    write_json(folder / "samples.json", splits)
    return folder


def _run(data, out, *more) -> int:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    given = ["background", "--data", data, "--batch", 2, "--out", out, *more]
    return train.run(parser.parse_args([str(one) for one in given]))


def test_holes_are_hidden_and_nobody_stands_in_them():
    streets = [street_of(photo(n)) for n in range(3)]
    views, shares = Views(streets), []
    for seed in range(12):
        one = views.draw(np.random.default_rng(seed))
        assert one.hole.shape == one.unknown.shape == SIZE
        assert not (one.hole & one.unknown).any()
        hidden = one.hole | one.unknown
        assert not one.seen[:, hidden].any() and (one.seen[3, ~hidden] == 1).all()
        assert np.allclose(one.seen[:3, ~hidden], one.truth[:, ~hidden], atol=1e-6)
        shares.append(one.hole.mean())
    assert min(shares) >= 0 and 0.03 < np.mean(shares) < 0.5
    again = views.draw(np.random.default_rng(3))
    assert all(np.array_equal(a, b) for a, b in zip(again, views.draw(np.random.default_rng(3)), strict=True))


def test_what_is_held_and_what_no_network_was_sure_of_is_no_street():
    sample = photo()
    assert sample.parsing is not None and sample.held is not None
    person = street_of(sample).person
    assert (person == ((sample.parsing > 0) | (sample.held > 0))).all()


def test_the_same_holes_are_held_back_each_time():
    streets = [street_of(photo(n)) for n in range(2)]
    first, second = held_back(streets), held_back(streets)
    for a, b in zip(first, second, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        assert a.hole.mean() > 0.02


def test_the_loss_is_nothing_for_the_truth_and_does_not_count_what_nobody_knows():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    hole, unknown = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    hole[40:90, 20:60], unknown[60:150, 50:100] = True, True
    batch = batch_of([view(image, hole, unknown)])
    found = batch.truth.clone()
    found[~batch.hole[:, None].expand_as(found)] += 0.3  # beside the hole anything may be said
    assert float(total(losses(found, batch))) == pytest.approx(0, abs=1e-6)
    wrong = float(total(losses(found + 0.1, batch)))
    assert wrong > 0.05
    other = batch._replace(truth=torch.where(batch.unknown[:, None], 0.5 - batch.truth, batch.truth))
    assert float(total(losses(found + 0.1, other))) == pytest.approx(wrong, rel=1e-5)


def test_validation_tells_by_how_many_levels_colours_are_off():
    views = held_back([street_of(photo(n)) for n in range(2)])
    truth = batch_of(views).truth

    class Says(torch.nn.Module):
        def forward(self, seen):
            return truth + 10 / 255

    measured = Validation(views).measure(Says())  # pyright: ignore[reportArgumentType]
    assert measured["levels"] == pytest.approx(10, rel=1e-3) and measured["loss"] > 0


def test_a_run_learns_keeps_its_best_and_goes_on_where_it_was_left(prepared, tmp_path):
    assert _run(prepared, tmp_path / "whole", "--steps", 4, "--validate-every", 2) == 0
    lines = [json.loads(line) for line in (tmp_path / "whole/log.jsonl").read_text().splitlines()]
    assert lines[0]["photos"] == 2
    assert [line["step"] for line in lines if "validation/levels" in line] == [2, 4]
    assert (tmp_path / "whole/people/0001.png").exists()  # where the analyzer saw somebody
    name, _, tensors = read_model(tmp_path / "whole" / FILE_NAME)
    assert name == "BackgroundNetwork"
    assert _run(prepared, tmp_path / "parts", "--steps", 4, "--validate-every", 2, "--until", 3) == 0
    assert _run(prepared, tmp_path / "parts", "--steps", 4, "--validate-every", 2, "--resume") == 0
    parts = read_model(tmp_path / "parts" / FILE_NAME)[2]
    assert all(torch.equal(tensors[key], parts[key]) for key in tensors)
    with pytest.raises(InputError, match="other data or settings"):
        _run(prepared, tmp_path / "whole", "--steps", 4, "--seed", 1)


def test_a_run_begins_with_the_weights_of_another(prepared, tmp_path):
    assert _run(prepared, tmp_path / "first", "--steps", 2, "--validate-every", 0) == 0
    weights = tmp_path / "first" / FILE_NAME
    more = ["--steps", 1, "--validate-every", 0, "--rate", 1e-9, "--init", weights]
    assert _run(prepared, tmp_path / "second", *more) == 0
    first, second = read_model(weights)[2], read_model(tmp_path / "second" / FILE_NAME)[2]
    layers = [key for key in first if key.endswith("weight") and first[key].dim() == 4]
    assert layers and all(torch.allclose(first[key].float(), second[key].float(), atol=1e-3) for key in layers)
    with pytest.raises(InputError, match="other data or settings"):
        _run(prepared, tmp_path / "second", "--steps", 1, "--validate-every", 0, "--rate", 1e-9)
    with pytest.raises(InputError, match="holds a network called"):
        _run(prepared, tmp_path / "third", "--steps", 1, "--init", SHIPPED / "arms.safetensors")


def test_what_it_can_not_begin_with_is_refused(prepared, tmp_path):
    with pytest.raises(InputError, match="no run to go on with"):
        _run(prepared, tmp_path / "out", "--steps", 1, "--resume")
    with pytest.raises(InputError, match="--minutes or --steps"):
        _run(prepared, tmp_path / "out")
    with pytest.raises(InputError, match="does not take --gentle, --people"):
        _run(prepared, tmp_path / "out", "--steps", 1, "--gentle", "--people", tmp_path)
    write_json(tmp_path / "samples.json", {"train": {}, "validation": {}, "test": {}})
    with pytest.raises(InputError, match="no photo to train on"):
        _run(tmp_path, tmp_path / "out", "--steps", 1)


def test_a_street_is_seen_through_a_hole_only_where_it_was_photographed():
    street = Street(np.full((416, 280, 3), 90, np.uint8), np.zeros((416, 280), bool))
    street.person[100:300, 100:180] = True
    street.image[street.person] = 255
    for seed in range(8):
        one = Views([street]).draw(np.random.default_rng(seed))
        colours = one.truth[:, one.hole]
        assert colours.size == 0 or np.ptp(colours, axis=1).max() < 1e-6  # nothing of the person
