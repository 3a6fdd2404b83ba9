"""Learning what lies behind arms: samples of rendered people and street photos, views, and the run."""

import argparse
import json

import numpy as np
import pytest
import torch

from pise_core.cli.main import main
from pise_core.detection.amodal import FILE_NAME, INPUTS, Logits
from pise_core.errors import InputError
from pise_core.files import write_json
from pise_core.model.weights import read_model
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.synthesis.dataset import People
from pise_core.training import command as train
from pise_core.training.amodal.run import Validation, batch_of, losses
from pise_core.training.amodal.samples import UNKNOWN, kept, photographed, rendered, with_arms_of
from pise_core.training.amodal.views import Views, plain_view
from pise_core.training.data.prepared_folder import Sample, write_sample
from pise_core.training.loop import total
from tests.conftest import draw_person


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four rendered people with layers."""
    folder = tmp_path_factory.mktemp("people")
    assert main(["synthesize", "people", "--count", "4", "--out", str(folder), "--seed", "3", "--layers"]) == 0
    return folder


@pytest.fixture(scope="module")
def wholes(folder):
    people = People(folder)
    return [rendered(people, number) for number in range(8)]


def street(bag: bool = False) -> Sample:
    drawn, held = draw_person(280, 416), np.zeros((416, 280), np.uint8)
    held[210:250, 30:70] = bag
    return Sample("0001", drawn.photo, drawn.pose, drawn.parsing, held)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("images", "parsing", "held"):
        (folder / name).mkdir()
    one = street()
    rows = write_sample(folder, "0001", one.image, one.pose, parsing=one.parsing, held=one.held)
    write_json(folder / "samples.json", {"train": {"0001": rows}, "validation": {}, "test": {}})
    return folder


def _run(folder, out, *more) -> int:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    given = ["amodal", "--people", folder, "--people-share", 1, "--batch", 2, "--out", out, *more]
    return train.run(parser.parse_args([str(one) for one in given]))


def test_what_rendered_arms_hide_is_known_and_all_else_is_as_seen(wholes):
    uncovered = 0
    for whole in wholes:
        hidden = (whole.arms > 0) | (whole.held > 0)
        known = whole.without[0] != UNKNOWN
        assert (whole.without[0][known & ~hidden] == whole.parsing[known & ~hidden]).all()
        head = np.isin(whole.without[1], [REGION["hair"], REGION["face"]])
        assert head.sum() < 0.2 * np.isin(whole.parsing, [REGION["hair"], REGION["face"]]).sum() + 5
        assert (whole.parsing[whole.held > 0] == 0).all()
        body = hidden & known & (whole.without[0] > 0)
        uncovered += int(body.sum())
        # Hands are arms, and nothing of them is left where they were before the wall.
        assert (whole.without[0][hidden & known] != REGION["upper_skin"]).mean() > 0.7 or not hidden.any()
    assert uncovered > 500


def test_a_file_keeps_rendered_people_and_is_made_anew_for_others(folder, wholes, tmp_path):
    people, path = People(folder), tmp_path / "people.npz"
    first = kept(path, people, "one")
    before = path.stat().st_mtime_ns
    again = kept(path, people, "one")
    assert path.stat().st_mtime_ns == before
    for made, read, whole in zip(first, again, wholes, strict=True):
        for a, b, c in zip(made[:-1], read[:-1], whole[:-1], strict=True):
            assert np.array_equal(a, b, equal_nan=True) and np.array_equal(a, c, equal_nan=True)
    kept(path, people, "another")
    assert path.stat().st_mtime_ns != before


def test_of_a_street_photo_what_its_own_arms_hide_is_not_known():
    whole = photographed(street(bag=True))
    assert (whole.without[0][(whole.arms > 0) | (whole.held > 0)] == UNKNOWN).all()
    shirt = (whole.parsing == REGION["upper_clothes"]) & (whole.arms == 0)
    assert (whole.without[0][shirt] == REGION["upper_clothes"]).all() and shirt.sum() > 500
    hair = whole.parsing == REGION["hair"]
    assert (whole.without[0][hair] == REGION["hair"]).all() and (whole.without[1][hair] == UNKNOWN).all()


def test_another_ones_arms_lie_before_somebody_whose_body_stays(wholes):
    photo, found = photographed(street()), 0
    for number, other in enumerate(wholes):
        both = with_arms_of(photo, other, np.random.default_rng(number))
        if both is None:
            continue
        found += 1
        assert (both.without == photo.without).all() and both.photo
        new = (both.parsing != photo.parsing) & (both.parsing > 0)
        assert new.any() and (both.arms[new] > 0).all()
        assert not np.allclose(both.pose[JOINT["left_wrist"], :2], photo.pose[JOINT["left_wrist"], :2])
        assert np.allclose(both.pose[JOINT["left_shoulder"], :2], photo.pose[JOINT["left_shoulder"], :2], atol=1e-3)
        # Sleeves are of the cloth that the photo shows.
        assert not (both.parsing[new] == REGION["dress"]).any()
    assert found >= 3
    lost = photo.pose.copy()
    lost[JOINT["left_hip"]] = np.nan, np.nan, 0
    assert with_arms_of(photo._replace(pose=lost), wholes[0], np.random.default_rng(0)) is None


def test_views_are_the_same_for_the_same_numbers_and_weigh_what_is_hidden(wholes):
    views = Views(wholes, [photographed(street())], 0.5)
    first, again = ([views.draw(np.random.default_rng(n)) for n in range(16)] for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
        assert a.seen.shape == (INPUTS, 128, 88) and a.without.shape == (2, 8, 128, 88)
        assert a.weight.shape == (2, 128, 88) and a.arms.shape == (3, 128, 88)
        hidden = a.weight[0] == 1
        assert np.allclose(a.without[0].sum(0)[hidden], 1) and hidden.any()
        assert a.weight.min() >= 0 and a.weight.max() <= 1
    of_photos = [view for view in first if not view.arms_weight.any()]
    assert 2 < len(of_photos) < 14, "of street photos nobody knows where sleeves end"


def test_a_mirrored_person_has_their_left_arm_on_the_other_side(wholes):
    seen_sides = set()
    for seed in range(12):
        view = Views(wholes[:1], [], 1.0).draw(np.random.default_rng(seed))
        wrist = view.seen[11 + JOINT["left_wrist"]]
        if wrist.max() < 0.9:
            continue
        y, x = np.unravel_index(wrist.argmax(), wrist.shape)
        near = view.arms[:, max(0, y - 4) : y + 5, max(0, x - 4) : x + 5].sum((1, 2))
        if near[1:].sum() > 6:
            seen_sides.add(int(near[1:].argmax()))
    assert seen_sides == {0}


def test_the_loss_is_least_for_the_truth(wholes):
    batch = batch_of([plain_view(whole) for whole in wholes[:2]])
    right = Logits(20 * (batch.without * 2 - 1), 20 * (batch.arms * 2 - 1))
    wrong = Logits(-right.without, -right.arms)
    known = Logits(batch.without * 0, batch.arms * 0)
    gaps = [float(total(losses(logits, batch))) for logits in (right, known, wrong)]
    assert gaps[0] < gaps[1] < gaps[2] and gaps[0] < 0.3
    # Where nobody knows, anything may be said.
    unknown = (batch.weight == 0)[:, :, None].expand_as(batch.without)
    other = right.without.clone()
    other[unknown] = 7 * torch.randn(int(unknown.sum()))
    gap = float(total(losses(Logits(other, right.arms), batch)))
    assert gap == pytest.approx(gaps[0], rel=1e-5)


def test_validation_counts_what_is_missed_invented_and_mixed_up(wholes):
    views = [plain_view(whole) for whole in wholes]

    class Says(torch.nn.Module):
        def __init__(self, change):
            super().__init__()
            self.change = change

        def forward(self, seen):
            batch = batch_of(views)
            return Logits(self.change(20 * (2 * batch.without - 1)), 20 * (2 * batch.arms - 1))

    def only(region):
        return lambda logits: torch.eye(8)[region].view(1, 1, 8, 1, 1).expand_as(logits) * 20

    right = Validation(views).measure(Says(lambda logits: logits))  # pyright: ignore[reportArgumentType]
    assert [value for name, value in right.items() if name != "loss"] == [0] * 7
    wall, hair = (Validation(views).measure(Says(only(n))) for n in (0, 1))  # pyright: ignore[reportArgumentType]
    assert wall["missed_arms"] > 0.1 and wall["invented_arms"] == wall["mixed_arms"] == 0
    assert hair["missed_arms"] == 0 and hair["invented_arms"] > 0.1
    assert hair["mixed_arms"] + hair["invented_arms"] > 0.9
    assert wall["missed_arms"] + hair["invented_arms"] == pytest.approx(1)


def test_a_run_learns_keeps_its_best_and_goes_on_where_it_was_left(folder, tmp_path):
    assert _run(folder, tmp_path / "whole", "--steps", 4, "--validate-every", 2) == 0
    lines = [json.loads(line) for line in (tmp_path / "whole/log.jsonl").read_text().splitlines()]
    measured = [line for line in lines if "validation/loss" in line]
    assert [line["step"] for line in measured] == [2, 4]
    assert json.loads((tmp_path / "whole/kept/index.json").read_text())["best"] in (2, 4)
    name, _, tensors = read_model(tmp_path / "whole" / FILE_NAME)
    assert name == "AmodalNetwork"
    assert _run(folder, tmp_path / "parts", "--steps", 4, "--validate-every", 2, "--until", 3) == 0
    assert _run(folder, tmp_path / "parts", "--steps", 4, "--validate-every", 2, "--resume") == 0
    parts = read_model(tmp_path / "parts" / FILE_NAME)[2]
    assert all(torch.equal(tensors[key], parts[key]) for key in tensors)
    with pytest.raises(InputError, match="other people, data or settings"):
        _run(folder, tmp_path / "whole", "--steps", 4, "--seed", 1)


def test_street_photos_are_learned_from_too(folder, prepared, tmp_path):
    given = ["--data", prepared, "--people-share", 0.5, "--steps", 2, "--validate-every", 0]
    assert _run(folder, tmp_path / "out", *given) == 0
    first = json.loads((tmp_path / "out/log.jsonl").read_text().splitlines()[0])
    assert first["people"] == 4 and first["photos"] == 1


def test_what_it_can_not_begin_with_is_refused(folder, tmp_path):
    with pytest.raises(InputError, match="no run to go on with"):
        _run(folder, tmp_path / "out", "--steps", 1, "--resume")
    with pytest.raises(InputError, match="--minutes or --steps"):
        _run(folder, tmp_path / "out")
    with pytest.raises(InputError, match="does not take --gentle, --width"):
        _run(folder, tmp_path / "out", "--steps", 1, "--gentle", "--width", 8)
    with pytest.raises(InputError, match="holds no rendered people"):
        _run(tmp_path, tmp_path / "out", "--steps", 1)
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    with pytest.raises(InputError, match="needs --people"):
        train.run(parser.parse_args(["amodal", "--steps", "1", "--out", str(tmp_path)]))
