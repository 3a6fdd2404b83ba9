"""Learning to look at arms and legs: people of whom it is known where these are, views, losses, and the run."""

import argparse
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from pise_core.cli.main import main
from pise_core.detection.limbs import (
    ARMS_KIND,
    COARSE,
    LEGS_KIND,
    MAPS,
    NETWORKS,
    SIZE,
    UNKNOWN,
    ArmsNetwork,
    LimbConfig,
    Logits,
)
from pise_core.errors import InputError
from pise_core.files import write_json
from pise_core.model.weights import SHIPPED, read_model, save_model
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.synthesis.dataset import LAYERS, People
from pise_core.training import command as train
from pise_core.training.data.prepared_folder import Sample, write_sample
from pise_core.training.limbs.clothes import Dressed, cloth_of
from pise_core.training.limbs.run import Validation, batch_of, held_back, losses
from pise_core.training.limbs.samples import photographed, posed_scenes, rendered, streets_of, with_found_maps
from pise_core.training.limbs.views import Photos, View, Views, view_of
from tests.conftest import draw_person


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four rendered people."""
    folder = tmp_path_factory.mktemp("people")
    assert main(["synthesize", "people", "--count", "4", "--out", str(folder), "--seed", "3"]) == 0
    return folder


def street(name: str = "0001", held: bool = False) -> Sample:
    drawn, bag = draw_person(280, 416), np.zeros((416, 280), np.uint8)
    bag[210:250, 30:70] = held
    return Sample(name, drawn.photo, drawn.pose, drawn.parsing, bag)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("images", "parsing", "held"):
        (folder / name).mkdir()
    rows = {}
    for name, annotated in (("0001", True), ("0002", False)):
        one = street(name)
        rows[name] = write_sample(folder, name, one.image, one.pose, parsing=one.parsing if annotated else None)
    write_json(folder / "samples.json", {"train": rows, "validation": {}, "test": {}})
    return folder


def _run(prepared, folder, out, *more, network: str = "arms") -> int:
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    given = [network, "--data", prepared, "--people", folder, "--batch", 2, "--out", out, *more]
    return train.run(parser.parse_args([str(one) for one in given]))


@pytest.mark.parametrize(("kind", "upper"), [(ARMS_KIND, "upper_arm"), (LEGS_KIND, "thigh")])
def test_of_rendered_people_every_pixel_is_known(folder, kind, upper):
    people, mine = People(folder), 0
    for number in range(8):
        picture = people.picture(number)
        person = rendered(picture, kind)
        assert person.exact and (person.owner != UNKNOWN).all() and not person.owner[picture.regions == 0].any()
        for value, side in ((1, "right"), (3, "left")):
            names = {LAYERS[i] for i in np.unique(picture.layers[person.owner == value])}
            assert all(name.endswith(f"/{side}_{upper}") for name in names)
            mine += int((person.owner == value).sum())
    assert mine > 500


def test_of_photos_what_skin_tells_is_known_and_which_cloth_is_a_sleeve_beside_the_torso_is_not():
    sample = street(held=True)
    person = photographed(sample, ARMS_KIND)
    assert sample.parsing is not None and sample.held is not None
    assert not person.owner[(sample.parsing == 0) & (sample.held == 0)].any()
    assert (person.owner[sample.held > 0] == UNKNOWN).all()
    for value, side in ((2, "right"), (4, "left")):
        x, y = np.floor(sample.pose[[JOINT[f"{side}_elbow"], JOINT[f"{side}_wrist"]], :2].mean(0)).astype(int)
        assert person.owner[y, x] == value
    x, y = np.floor(sample.pose[[JOINT["left_shoulder"], JOINT["left_hip"]], :2].mean(0)).astype(int)
    assert sample.parsing[y, x] == REGION["upper_clothes"] and person.owner[y, x] == UNKNOWN
    x, y = np.floor(sample.pose[[JOINT["right_hip"], JOINT["right_ankle"]], :2].mean(0)).astype(int)
    assert person.owner[y, x] == 0


def test_of_photos_legs_are_known_near_their_own_bones_and_skirts_are_none():
    sample = street()
    person = photographed(sample, LEGS_KIND)
    assert sample.parsing is not None
    for value, side in ((2, "right"), (4, "left")):
        x, y = np.floor(sample.pose[[JOINT[f"{side}_knee"], JOINT[f"{side}_ankle"]], :2].mean(0)).astype(int)
        assert person.owner[y, x] == value and person.owner[y - 20, x] in (value, value - 1)
    assert not person.owner[np.isin(sample.parsing, (REGION["upper_clothes"], REGION["upper_skin"]))].any()
    skirt = np.where(sample.parsing == REGION["pants"], REGION["dress"], sample.parsing).astype(np.uint8)
    dressed = photographed(replace(sample, parsing=skirt), LEGS_KIND)
    assert not dressed.owner[skirt == REGION["dress"]].any() and (dressed.owner == 2).any()


def test_people_in_real_cloth_before_streets_are_where_they_were(folder):
    people, sample = People(folder), street()
    cloth = cloth_of(sample, ARMS_KIND)
    assert cloth is not None and min(cloth.shape[:2]) >= 16
    assert np.abs(cloth.reshape(-1, 3).mean(0) - (190, 60, 50)).max() < 30  # the shirt
    source = Dressed(ARMS_KIND, people.picture, 8, [np.full((20, 20, 3), (0, 200, 0), np.uint8)], [sample.image])
    plain = {people.picture(n).joints.tobytes(): people.picture(n) for n in range(8)}
    changed = 0
    for seed in range(16):
        drawn = source.draw(np.random.default_rng(seed))
        picture = plain[drawn.pose.tobytes()]
        assert np.array_equal(drawn.owner, rendered(picture, ARMS_KIND).owner)
        worn = np.isin(picture.layers, [i for i, name in enumerate(LAYERS) if name.split("/")[0] in ("top", "dress")])
        skin = (picture.regions == REGION["face"]) & (picture.alpha == 255)
        assert np.abs(drawn.image[skin].astype(int) - picture.image[skin]).max(initial=0) < 160
        changed += int((drawn.image[worn] != picture.image[worn]).any())
    assert changed > 4
    trousers = cloth_of(sample, LEGS_KIND)
    assert trousers is not None and np.abs(trousers.reshape(-1, 3).mean(0) - cloth.reshape(-1, 3).mean(0)).max() > 30


def test_limbs_are_turned_once_and_kept(tmp_path):
    samples = [street()]
    first = posed_scenes(ARMS_KIND, samples, tmp_path / "posed", 3, 0)
    again = posed_scenes(ARMS_KIND, [], tmp_path / "posed", 3, 0)  # nothing is made a second time
    assert len(first) == len(again) == 3
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.image, b.image) and np.array_equal(a.pose, b.pose, equal_nan=True)
    assert len(streets_of(tmp_path / "posed")) == 1
    assert any(scene.pose[JOINT["left_wrist"], 1] < scene.pose[JOINT["left_shoulder"], 1] for scene in first)
    # Some are folded: a hand above the elbow, which is below the shoulder.
    more = posed_scenes(ARMS_KIND, samples, tmp_path / "more", 8, 1)
    height = [[JOINT[f"left_{joint}"] for joint in ("shoulder", "elbow", "wrist")] for _ in more]
    assert any(a < b > c for (a, b, c) in (one.pose[own, 1] for one, own in zip(more, height, strict=True)))
    # Those of legs are spread, and more so than arms' scenes.
    spread = posed_scenes(LEGS_KIND, samples, tmp_path / "spread", 3, 0)

    def out(scene: Sample) -> float:
        hip, knee = scene.pose[[JOINT["left_hip"], JOINT["left_knee"]], :2]
        return abs(float(np.arctan2(*(knee - hip))))

    assert max(out(scene) for scene in spread) > 0.5


@pytest.mark.parametrize("kind", [ARMS_KIND, LEGS_KIND])
def test_views_say_where_joints_are_and_the_same_numbers_draw_the_same(folder, kind):
    people = People(folder)
    drawn = Photos([rendered(people.picture(n), kind) for n in range(8)])
    views = Views(kind, [(drawn, 0.5), (Photos([photographed(street(), kind)]), 0.5)])
    for seed in range(12):
        one, same = (views.draw(np.random.default_rng(seed)) for _ in range(2))
        assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
        assert one.colours.shape == (3, *SIZE) and one.maps.shape == (MAPS, 64, 56)
        known = one.joints_weight > 0
        assert np.allclose(one.joints[known].sum(1), 1, atol=1e-5)
        assert np.allclose(one.parts.sum(0)[one.parts_weight > 0], 1, atol=1e-4)


def test_the_regions_that_are_shown_are_those_that_the_analyzer_finds(tmp_path, editor):
    person = photographed(street(), LEGS_KIND)
    network = editor.analyzer.network
    (found,) = with_found_maps([person], network, tmp_path / "found")
    (again,) = with_found_maps([person], network.train(False), tmp_path / "found")  # nothing is looked at twice
    assert found.found is not None and again.found is not None and np.array_equal(found.found, again.found)
    assert (found.found == person.parsing).mean() > 0.8
    # A leg that it doesn't see isn't shown, and is known all the same.
    blind = found._replace(found=np.zeros_like(person.parsing))
    view = view_of(LEGS_KIND, blind, 0, np.random.default_rng(3), plain=True)
    known = view_of(LEGS_KIND, person, 0, np.random.default_rng(3), plain=True)
    assert view is not None and known is not None
    assert view.maps[0].all() and not known.maps[0].all()
    assert np.array_equal(view.joints, known.joints) and np.array_equal(view.parts, known.parts)


def test_a_view_as_it_is_has_the_joints_where_they_are():
    person = photographed(street(), ARMS_KIND)
    view = view_of(ARMS_KIND, person, 1, np.random.default_rng(5), plain=True)
    assert view is not None and (view.joints_weight == 1).all()
    there = view.joints[:, 1:].reshape(2, SIZE[0] // COARSE, SIZE[1] // COARSE)
    elbow, wrist = (np.unravel_index(one.argmax(), one.shape) for one in there)
    assert wrist[0] > elbow[0] or view.joints[1, 0] == 1
    # The map's skin lies at the wrist.
    y, x = wrist[0] * COARSE // 2, wrist[1] * COARSE // 2
    assert view.maps[REGION["upper_skin"], y - 3 : y + 4, x - 3 : x + 4].any()


def _truth(views: list[View]) -> Logits:
    batch = batch_of(views)
    return Logits((batch.joints + 1e-9).log(), (batch.parts + 1e-9).log())


def test_the_loss_is_least_for_the_truth_and_does_not_count_what_nobody_knows():
    views = held_back(ARMS_KIND, [photographed(street(), ARMS_KIND)])
    batch, truth = batch_of(views), _truth(views)
    least = losses(truth, batch)
    assert truth.parts is not None
    wrong = losses(Logits(truth.joints.roll(7, 2), truth.parts.roll(1, 1)), batch)
    assert all(float(wrong[name]) > float(least[name]) + 0.5 for name in least)
    nobody = batch._replace(joints_weight=torch.zeros(len(views), 2), parts_weight=torch.zeros(len(views), 64, 56))
    assert all(float(value) == 0 for value in losses(truth, nobody).values())


def test_validation_counts_joints_and_cells():
    views = held_back(ARMS_KIND, [photographed(street(), ARMS_KIND)])

    class Says(torch.nn.Module):
        def __init__(self, shift: int):
            super().__init__()
            self.shift = shift

        def forward(self, colours, maps):
            truth = _truth(views)
            assert truth.parts is not None
            return Logits(truth.joints.roll(self.shift * 28, 2), truth.parts.roll(self.shift, 1))

    right, wrong = (Validation(views).measure(Says(shift)) for shift in (0, 10))  # pyright: ignore[reportArgumentType]
    assert right["middles"] == right["ends"] == 1 and right["wrong"] < 1e-6
    assert wrong["middles"] == wrong["ends"] == 0 and wrong["wrong"] > 0.5 and wrong["loss"] > right["loss"]


@pytest.mark.parametrize("made", NETWORKS)
def test_a_run_learns_keeps_its_best_and_goes_on_where_it_was_left(prepared, folder, tmp_path, monkeypatch, made):
    monkeypatch.setattr("pise_core.training.limbs.run.POSED", 3)
    limbs, given = made.kind.name, ["--steps", 4, "--validate-every", 2]
    assert _run(prepared, folder, tmp_path / "whole", *given, network=limbs) == 0
    lines = [json.loads(line) for line in (tmp_path / "whole/log.jsonl").read_text().splitlines()]
    assert (lines[0]["photos"], lines[0]["people"]) == (2, 4)
    assert [line["step"] for line in lines if "validation/ends" in line] == [2, 4]
    assert (tmp_path / "whole/people/0002.png").exists()  # where the analyzer saw somebody
    name, _, tensors = read_model(tmp_path / "whole" / made.kind.file_name)
    assert name == made.__name__
    assert _run(prepared, folder, tmp_path / "parts", *given, "--until", 3, network=limbs) == 0
    assert _run(prepared, folder, tmp_path / "parts", *given, "--resume", network=limbs) == 0
    parts = read_model(tmp_path / "parts" / made.kind.file_name)[2]
    assert all(torch.equal(tensors[key], parts[key]) for key in tensors)
    with pytest.raises(InputError, match="other people, data or settings"):
        _run(prepared, folder, tmp_path / "whole", "--steps", 4, "--seed", 1, network=limbs)


@pytest.mark.parametrize("limbs", ["arms", "legs"])
def test_a_run_begins_with_the_weights_of_another(prepared, folder, tmp_path, monkeypatch, limbs):
    monkeypatch.setattr("pise_core.training.limbs.run.POSED", 3)
    shipped = SHIPPED / ARMS_KIND.file_name  # of arms, for legs too
    more = ["--steps", 1, "--validate-every", 0, "--rate", 1e-9, "--init", shipped]
    assert _run(prepared, folder, tmp_path / "more", *more, network=limbs) == 0
    first, second = read_model(shipped)[2], read_model(tmp_path / "more" / f"{limbs}.safetensors")[2]
    layers = [key for key in first if key.endswith("weight") and first[key].dim() == 4]
    assert layers and all(torch.allclose(first[key].float(), second[key].float(), atol=1e-3) for key in layers)
    again = ["--steps", 1, "--validate-every", 0, "--rate", 1e-9]
    with pytest.raises(InputError, match="other people, data or settings"):
        _run(prepared, folder, tmp_path / "more", *again, network=limbs)
    with pytest.raises(InputError, match="holds a network called"):
        other = ["--steps", 1, "--init", SHIPPED / "background.safetensors"]
        _run(prepared, folder, tmp_path / "other", *other, network=limbs)
    save_model(tmp_path / "small.safetensors", made_small())
    with pytest.raises(InputError, match="of another size"):
        _run(
            prepared, folder, tmp_path / "other", "--steps", 1, "--init", tmp_path / "small.safetensors", network=limbs
        )


def made_small() -> ArmsNetwork:
    return ArmsNetwork(LimbConfig((4, 8, 8, 8, 8)))


def test_what_it_can_not_begin_with_is_refused(prepared, folder, tmp_path):
    with pytest.raises(InputError, match="no run to go on with"):
        _run(prepared, folder, tmp_path / "out", "--steps", 1, "--resume")
    with pytest.raises(InputError, match="--minutes or --steps"):
        _run(prepared, folder, tmp_path / "out")
    with pytest.raises(InputError, match="does not take --gentle"):
        _run(prepared, folder, tmp_path / "out", "--steps", 1, "--gentle")
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    with pytest.raises(InputError, match="needs --people"):
        train.run(parser.parse_args(["arms", "--out", str(tmp_path / "out"), "--steps", "1"]))
    write_json(tmp_path / "samples.json", {"train": {}, "validation": {}, "test": {}})
    with pytest.raises(InputError, match="no annotated photo"):
        _run(tmp_path, folder, tmp_path / "out", "--steps", 1)
