"""Training on rendered people beside photos: scenes for the analyzer, and runs that go on as they began."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pise_core.detection import analyzer as analyzer_network
from pise_core.detection.network import Analysis
from pise_core.errors import InputError
from pise_core.model.config import SHIPPED_CONFIG
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.synthesis.dataset import People
from pise_core.training import command as command_module
from pise_core.training.analyzer import run as analyzer
from pise_core.training.data import people_pairs, people_scenes
from pise_core.training.data.people_pairs import rendered_pair
from pise_core.training.data.people_scenes import PeopleScenes, laid_over
from pise_core.training.data.prepared_folder import Sample, load_samples
from pise_core.training.data.sources import Rendered, open_source
from pise_core.training.data.views import UNLABELLED, Views, random_view, views_of
from pise_core.training.loop import load_checkpoint
from tests.conftest import draw_person
from tests.training_data import command, curve, write_people, write_samples, write_teacher


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples"))


def _street(rng):
    return np.full((300, 200, 3), (250, 0, 250), np.uint8)


def test_a_rendered_person_keeps_joints_regions_and_bag_before_a_street(people, monkeypatch):
    monkeypatch.setattr(people_scenes, "ELSEWHERE", 1.0)
    monkeypatch.setattr(people_scenes, "TOGETHER", 0.0)
    scenes, rng = PeopleScenes(People(people), 3, _street), np.random.default_rng(0)
    for _ in range(4):
        sample = scenes.draw(rng)
        assert sample.parsing is not None and sample.held is not None
        nobody = (sample.parsing == 0) & (sample.held == 0)
        assert (sample.image[nobody] == (250, 0, 250)).all()
        assert not (sample.image[~nobody] == (250, 0, 250)).all(1).any()
        assert sample.held.any() and not sample.parsing[sample.held > 0].any()
        x, y = np.mean(sample.pose[[2, 5, 8, 11], :2], 0).astype(int)
        assert sample.parsing[y, x] == REGION["upper_clothes"]


def test_two_people_are_both_labelled(people, monkeypatch):
    """Whoever stands before hides the other; joints beyond the picture are missing."""
    monkeypatch.setattr(people_scenes, "TOGETHER", 1.0)
    monkeypatch.setattr(people_scenes, "ELSEWHERE", 1.0)
    alone = (People(people).picture(0).alpha > 0).sum()
    scenes, rng, seen = PeopleScenes(People(people), 3, _street), np.random.default_rng(0), 0
    for _ in range(8):
        sample = scenes.draw(rng)
        assert sample.parsing is not None and sample.held is not None
        nobody = (sample.parsing == 0) & (sample.held == 0)
        # Where edges are soft, something shines through.
        assert (np.abs(sample.image[nobody].astype(int) - (250, 0, 250)).max(1) < 128).mean() > 0.999
        assert (~nobody).sum() > 1.3 * alone
        assert np.median(sample.pose[:, 0]) == pytest.approx(sample.image.shape[1] / 2, abs=40)
        (other,) = sample.others
        there = other[visible(other)]
        assert ((there[:, :2] >= 0) & (there[:, :2] < sample.image.shape[1::-1])).all()
        seen += len(there) > 4
    assert seen > 3


def test_a_view_moves_everybody_in_it(people):
    """Heat maps of all who are labelled; what nobody knows is said so."""
    drawn = draw_person()
    second = drawn.pose + [30, 0, 0]
    sample = Sample("a", drawn.photo, drawn.pose, drawn.parsing, None, (second,))
    views = views_of([(sample, sample)] * 3, np.random.default_rng(0), (256, 176))
    assert (views.held == UNLABELLED).all()
    rng = np.random.default_rng(0)
    for maps in views.heatmaps:
        poses = random_view(sample, sample, rng).poses
        for pose in poses:
            x, y, _ = pose[1]
            if np.isfinite(x):
                near = maps[1, int(y) // 4, int(x) // 4]
                assert near > 0.8
    held = np.zeros_like(drawn.parsing)
    held[100:150, 100:140] = 1
    known = views_of([(Sample("a", drawn.photo, drawn.pose, drawn.parsing, held), sample)], rng, (256, 176))
    assert set(known.held.unique().tolist()) == {0.0, 1.0}


def test_the_loss_of_what_is_held_counts_where_it_is_known():
    maps, labels = torch.zeros(2, 18, 8, 8), torch.zeros(2, 16, 16, dtype=torch.int64)
    held = torch.full((2, 1, 16, 16), float(UNLABELLED))
    held[0], held[0, :, :4] = 0, 1
    right = torch.where(held == 1, 20.0, -20.0)
    views = Views(torch.zeros(2, 3, 32, 32), maps, labels, held)
    logits = torch.zeros(2, 8, 16, 16)
    assert "held" not in analyzer.losses(Analysis(maps, logits), views)
    assert analyzer.losses(Analysis(maps, logits, right), views)["held"] < 1e-6
    wrong = right.clone()
    wrong[1] = 20  # nobody knows there
    assert analyzer.losses(Analysis(maps, logits, wrong), views)["held"] < 1e-6
    wrong[0] = -20
    assert analyzer.losses(Analysis(maps, logits, wrong), views)["held"] > 5


def test_alpha_lays_a_person_over_a_street():
    image, behind = np.full((1, 3, 3), 200, np.uint8), np.full((1, 3, 3), 100, np.uint8)
    laid = laid_over(image, np.array([[0, 255, 128]], np.uint8), behind)
    assert laid[0, :, 0].tolist() == [100, 200, 150]


def test_an_analyzer_s_resumed_run_computes_what_an_unbroken_one_does(data, people, weights, tmp_path):
    """With rendered people, and those of a folder that grows meanwhile are left for another run."""
    grown = write_people(tmp_path / "people", 2)
    settings = {"batch": 4, "init": weights, "pseudo": False, "steps": 3, "people": grown, "people_share": 0.5}

    def go(name: str, until: int | None = None):
        analyzer.train(data, tmp_path / name, None, until=until, **settings)

    go("whole")
    go("parts", 1)
    write_people(grown, 3, shard=1)
    assert len(People(grown)) == 5
    go("parts")
    assert [record["step"] for record in curve(tmp_path / "whole")] == [1, 3]
    a, b = load_checkpoint(tmp_path / "whole/analyzer.pt"), load_checkpoint(tmp_path / "parts/analyzer.pt")
    assert a is not None and b is not None and a["people"] == b["people"] == 2
    for name, value in a["network"].items():
        assert torch.equal(value, b["network"][name]), name
    for name, value in a["average"].items():
        assert torch.equal(value, b["average"][name]), name
    assert all(record["held"] > 0 for record in curve(tmp_path / "whole"))
    with pytest.raises(InputError, match="begun with --people; go on so"):
        analyzer.train(data, tmp_path / "parts", None, **settings | {"people": None, "steps": 4})
    with pytest.raises(InputError, match="begun with 2 people"):
        fewer = write_people(tmp_path / "fewer", 1)
        analyzer.train(data, tmp_path / "parts", None, **settings | {"people": fewer, "steps": 4})


def test_an_analyzer_is_validated_on_the_way_and_its_best_kept(data, weights, tmp_path):
    settings = {"batch": 2, "init": weights, "pseudo": False, "steps": 2}
    with pytest.raises(InputError, match="no run to go on with"):
        analyzer.train(data, tmp_path / "with", None, resume=True, **settings)
    analyzer.train(data, tmp_path / "with", None, validate_every=1, **settings)
    analyzer.train(data, tmp_path / "without", None, validate_every=0, **settings)
    lines = [json.loads(line) for line in (tmp_path / "with" / "log.jsonl").read_text().splitlines()]
    measured = [line for line in lines if "validation/loss" in line]
    assert [line["step"] for line in measured] == [1, 2]
    for line in measured:
        expected = 1 - (line["validation/miou"] + line["validation/pck@0.1"]) / 2
        assert line["validation/loss"] == pytest.approx(expected)
    best = min(measured, key=lambda line: line["validation/loss"])["step"]
    assert json.loads((tmp_path / "with" / "kept" / "index.json").read_text())["best"] == best
    kept = analyzer_network.read_network(tmp_path / "with" / "kept" / f"step-{best:06d}.safetensors")
    scores = analyzer.score_crops(kept.eval(), load_samples(data, "validation"))
    assert scores["miou"] == pytest.approx(measured[best - 1]["validation/miou"], abs=1e-6)
    a, b = (load_checkpoint(tmp_path / name / "analyzer.pt") for name in ("with", "without"))
    assert a is not None and b is not None and not (tmp_path / "without" / "kept").exists()
    for name, value in a["network"].items():
        assert torch.equal(value, b["network"][name]), name


def _generator(data, people, teacher, out, *more):
    common = ["--data", data, "--vgg", teacher, "--out", out, "--device", "cpu", "--width", 4, "--batch", 2]
    common += ["--people", people, "--people-share", 0.5, "--stage", "apart", "--small-share", 0.5, "--log-every", 1]
    return command_module.run(command(*common, *more))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return write_teacher(tmp_path_factory.mktemp("teacher") / "vgg.safetensors")


def test_a_rendered_pair_is_two_true_pictures_and_the_one_carried_to_the_other(people):
    rendered = People(people)[1]
    pair = rendered_pair(rendered)
    np.testing.assert_array_equal(pair.source.image, rendered.source.image)
    np.testing.assert_array_equal(pair.target.parsing, rendered.target.regions)
    there = (pair.carried.trust > 0.5) & (pair.target.parsing == REGION["upper_clothes"])
    assert there.sum() > 500
    gap = np.abs(pair.carried.image[there].astype(int) - pair.target.image[there]).mean()
    assert gap < 10 < np.abs(pair.source.image[there].astype(int) - pair.target.image[there]).mean()
    small = rendered_pair(rendered, (128, 96))
    assert small.source.image.shape == (128, 96, 3)
    np.testing.assert_allclose(small.target.pose[:, :2], pair.target.pose[:, :2] * [96 / 176, 0.5], rtol=1e-5)


def test_rendered_pairs_come_in_both_directions_and_mirrored(people):
    rendered, rng = People(people)[0], np.random.default_rng(0)
    drawn = [rendered_pair(rendered, rng=rng) for _ in range(16)]
    seen = set()
    for pair in drawn:
        targets = (rendered.target.image, rendered.source.image)
        which = [np.array_equal(pair.target.image, image[:, ::step]) for image in targets for step in (1, -1)]
        assert sum(which) == 1
        seen.add(which.index(True))
        # Facing us, the right shoulder is on the left, in mirrored pictures too.
        assert pair.target.pose[2, 0] < pair.target.pose[5, 0]
        assert pair.target.parsing[tuple(pair.target.pose[8, 1::-1].astype(int))] > 0
    assert seen == {0, 1, 2, 3}


def test_a_share_of_the_pairs_is_rendered(data, people, monkeypatch):
    config = replace(SHIPPED_CONFIG, width=4)
    kinds = []
    monkeypatch.setattr(
        people_pairs, "rendered_pair", lambda *a, **k: kinds.append("rendered") or rendered_pair(*a, **k)
    )
    source = open_source(data, config, rendered=Rendered(write_people(people.parent / "five", 5), 0.5))
    for step in range(6):
        source.batch(np.random.default_rng(step), 4, (128, 96), True)
    assert 6 <= len(kinds) <= 18
    assert len(source.held_back(4)) == 4
    with pytest.raises(InputError, match="holds 3 people; this run wants 4"):
        open_source(data, config, rendered=Rendered(people, 0.5))


def test_where_nothing_is_carried_the_share_may_be_another(data, people, monkeypatch):
    """Street photos carry their map almost exactly, so that only true pairs teach how one is imagined."""
    drawn = []
    monkeypatch.setattr(people_pairs, "rendered_pair", lambda *a, **k: drawn.append(1) or rendered_pair(*a, **k))
    folder = write_people(people.parent / "alone", 5)
    config = replace(SHIPPED_CONFIG, width=4)
    for shares, carried, alone in (((0.0, 1.0), 0, 4), ((1.0, 0.0), 4, 0), ((1.0, None), 4, 4)):
        source = open_source(data, config, rendered=Rendered(folder, shares[0], share_alone=shares[1]))
        kinds = set()
        for step in range(8):
            drawn.clear()
            batch = source.batch(np.random.default_rng(step), 4, (128, 96), True)
            assert len(drawn) == (alone if batch.carry is None else carried)
            kinds.add(batch.carry is None)
        assert kinds == {True, False}


def test_a_generator_s_run_on_both_worlds_goes_on_as_it_began(data, teacher, tmp_path, capsys):
    grown = write_people(tmp_path / "people", 5)
    assert _generator(data, grown, teacher, tmp_path / "whole", "--steps", 3) == 0
    assert _generator(data, grown, teacher, tmp_path / "parts", "--steps", 3, "--until", 1) == 0
    write_people(grown, 3, shard=1)
    assert _generator(data, grown, teacher, tmp_path / "parts", "--steps", 3) == 0
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")
    a, b = (load_checkpoint(tmp_path / name / "generator.pt") for name in ("whole", "parts"))
    assert a is not None and b is not None and a["people"] == b["people"] == 5
    for name, value in a["model"].items():
        assert torch.equal(value, b["model"][name]), name
    with pytest.raises(InputError, match="people_share 0.5 -> None"):
        _run = ["--data", data, "--vgg", teacher, "--out", tmp_path / "parts", "--device", "cpu", "--width", 4]
        command_module.run(command(*_run, "--batch", 2, "--small-share", 0.5, "--steps", 3))
    with pytest.raises(InputError, match="people_share_alone None -> 0.8"):
        _generator(data, grown, teacher, tmp_path / "parts", "--steps", 3, "--people-share-alone", 0.8)
    capsys.readouterr()
    dry = ["--steps", 3, "--dry-run", "--people-share-alone", 0.8]
    assert _generator(data, grown, teacher, tmp_path / "none", *dry) == 0
    said = capsys.readouterr().out
    assert "rendered people: 8" in said and "their share where nothing is carried: 0.8" in said
    with pytest.raises(InputError, match="--people-share-alone needs --people"):
        command_module.run(command("--data", data, "--out", tmp_path / "none", "--steps", 3, "--people-share-alone", 1))
