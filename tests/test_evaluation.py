"""Evaluation: figures against values worked out by hand, the rival, and whole small runs on drawn people."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pise_core import Editor
from pise_core.cli import main as cli
from pise_core.cli.main import main
from pise_core.errors import InputError
from pise_core.evaluation import analyzer, command, in_frame, report, styles
from pise_core.evaluation.entries import (
    ALONE,
    COPY,
    ON_TRUE_MAP,
    TRUTH,
    WARP,
    WITH_DETAIL,
    Entry,
    Made,
    load_entries,
    on_given_map,
)
from pise_core.evaluation.image_metrics import (
    Frechet,
    Measures,
    changed_outside,
    load_measures,
    mean_colour,
    psnr,
    ssim,
)
from pise_core.evaluation.region_edits import EDITS
from pise_core.evaluation.scoring import Example, Reader, Scorer
from pise_core.evaluation.videos import load_pairs
from pise_core.evaluation.warp_baseline import warp
from pise_core.images import read_image, write_image
from pise_core.model.adapter import Convention
from pise_core.model.config import RELEASE_CONFIG, RELEASE_EDITING_CONFIG
from pise_core.model.network import PISE, PISEConfig
from pise_core.model.weights import save_model
from pise_core.pose import to_rows
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.training.data.people_pairs import turn_between
from pise_core.training.data.prepared_folder import Sample
from tests.conftest import ROOT, Drawn, draw_person
from tests.training_data import write_people

FRAME = (256, 176)


class PooledColours(nn.Module):
    """(N, 12): mean colours of four quarters; enough for a distance that tells pictures apart."""

    num_features = 12

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)


def mean_difference(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).abs().mean((1, 2, 3))


MEASURES = Measures(mean_difference, PooledColours())


def evaluate(*arguments) -> int:
    """The command with measures that need no hub."""
    import argparse

    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(a) for a in arguments]), lambda device: MEASURES)


@pytest.fixture(scope="module")
def trial_weights(weights, tmp_path_factory):
    """The analyzer under test, and a small generator of random weights: the code does not care what it has learned."""
    folder = tmp_path_factory.mktemp("weights")
    shutil.copy(weights / "analyzer.safetensors", folder)
    torch.manual_seed(0)
    save_model(folder / "pise.safetensors", PISE(PISEConfig(width=4, colour_path=True, detail_path=True)))
    save_model(folder / "paper.safetensors", PISE(PISEConfig(width=4)))
    return folder


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Three drawn people in other clothes, as ``prepare`` writes test photos."""
    folder = tmp_path_factory.mktemp("prepared")
    for name in ("images", "parsing"):
        (folder / name).mkdir()
    joints = {}
    for name, shirt in (("0001", (190, 60, 50)), ("0002", (60, 150, 70)), ("0003", (40, 60, 190))):
        drawn = draw_person(shirt=shirt)
        write_image(folder / "images" / f"{name}.jpg", drawn.photo)
        cv2.imwrite(str(folder / "parsing" / f"{name}.png"), drawn.parsing)
        joints[name] = to_rows(drawn.pose)
    splits = {"train": {}, "validation": {"0002": joints["0002"]}, "test": joints}
    (folder / "samples.json").write_text(json.dumps(splits))
    return folder


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """One clip of three frames in which a drawn person walks to the right."""
    folder = tmp_path_factory.mktemp("clips")
    (folder / "walk").mkdir()
    joints: dict[str, list | None] = {}
    for index, x in enumerate((40.0, 70.0, 100.0)):
        drawn = draw_person(300, 330, (x, 26, x + 130, 310))
        write_image(folder / "walk" / f"{index:05d}.jpg", drawn.photo)
        joints[f"{index:05d}.jpg"] = to_rows(drawn.pose)
    joints["00009.jpg"] = None  # a frame in which the detector saw nobody
    (folder / "walk" / "keypoints.json").write_text(json.dumps(joints))
    return folder


def set_person(editor, drawn: Drawn):
    return editor.set_person(drawn.photo, pose=drawn.pose, parsing=drawn.parsing)


def test_similarity_of_pictures_by_hand():
    person = np.zeros((40, 40), bool)
    person[10:30, 5:25] = True
    a = np.full((40, 40, 3), 100, np.uint8)
    b = a + np.uint8(10)
    b[~person] = 0  # nothing outside the person counts
    assert ssim(a, a, person) == pytest.approx(1)
    assert psnr(a, a, person) == float("inf")
    assert psnr(a, b, person) == pytest.approx(10 * np.log10(255**2 / 100))
    c1 = (0.01 * 255) ** 2
    assert ssim(a, b, person) == pytest.approx((2 * 100 * 110 + c1) / (100**2 + 110**2 + c1))
    person[:, 15:] = False  # no window of 11 pixels lies within 10 columns
    assert np.isnan(ssim(a, b, person)) and ssim(a, b, person, rim=True) < 1
    with pytest.raises(InputError, match="without a person"):
        psnr(a, b, np.zeros((40, 40), bool))


def test_pixels_changed_outside_by_hand():
    before = np.zeros((50, 50, 3), np.uint8)
    after, concerned = before.copy(), np.zeros((50, 50), bool)
    concerned[20:30, 20:30] = True
    after[20:30, 20:36] = 9  # six pixels beyond the edit
    assert changed_outside(before, after, concerned, scale=0.5) == 0  # 3 frame pixels are 6 of the photo's
    assert changed_outside(before, after, concerned, scale=1.0) == pytest.approx(3 * 10 / 2500)


def test_mean_colour_of_white_and_black():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0] = 255
    np.testing.assert_allclose(mean_colour(image, np.ones((2, 2), bool)), [50, 0, 0], atol=0.1)


def test_frechet_distance_of_shifted_features():
    rng = torch.Generator().manual_seed(0)
    features = torch.randn(500, 3, generator=rng)
    same, shifted = Frechet(3), Frechet(3)
    same.add(features, features)
    shifted.add(features + torch.tensor([3.0, 0.0, 0.0]), features)
    assert same.value() == pytest.approx(0, abs=1e-6)
    assert shifted.value() == pytest.approx(9, rel=1e-3)
    assert np.isnan(Frechet(3).value())


def test_the_judge_divides_by_the_person_and_ignores_the_rest(editor, person):
    framed = set_person(editor, person).frame
    inside = framed.parsing > 0
    truth = np.full((*FRAME, 3), 100, np.uint8)
    off = np.where(inside[..., None], truth + np.uint8(51), np.uint8(7))  # 51 levels: 0.4 in [-1, 1]
    scorer = Scorer(MEASURES, Reader(editor.analyzer))
    made = {COPY: Made(off, parsing=framed.parsing), WARP: Made(np.where(inside[..., None], truth, 0), seconds=2.0)}
    scorer.add(Example("one", "clip", framed.pose, framed.parsing, made, truth))
    rows = scorer.outcome("trial").rows
    assert rows[COPY]["lpips"] == pytest.approx(0.4, rel=1e-4)
    assert rows[COPY]["lpips_undivided"] == pytest.approx(0.4 * inside.mean(), rel=1e-4)
    assert rows[COPY]["against_copy"] == pytest.approx(1)
    assert rows[COPY]["map_miou"] == 1
    assert rows[WARP]["lpips"] == rows[TRUTH]["lpips"] == 0
    assert rows[WARP]["psnr"] == float("inf")
    assert rows[WARP]["seconds"] == 2
    assert report.to_json(scorer.outcome("trial"))["rows"][WARP]["psnr"] is None


def test_groups_count_alike_however_many_examples_they_hold(editor, person):
    framed = set_person(editor, person).frame
    inside = (framed.parsing > 0)[..., None]
    truth = np.full((*FRAME, 3), 100, np.uint8)
    scorer = Scorer(MEASURES, Reader(editor.analyzer))
    for group, levels in (("a", 51), ("b", 0), ("b", 0), ("b", 0)):
        made = {COPY: Made(np.where(inside, truth + np.uint8(levels), np.uint8(0)))}
        scorer.add(Example("x", group, framed.pose, framed.parsing, made, truth))
    outcome = scorer.outcome("trial")
    assert outcome.count == 4
    assert outcome.groups["a"][COPY]["lpips"] == pytest.approx(0.4, rel=1e-4)
    assert outcome.rows[COPY]["lpips"] == pytest.approx(0.2, rel=1e-4)
    # Of equal pictures the PSNR is infinite: such pairs must not drown the others.
    assert outcome.groups["b"][COPY]["psnr"] == float("inf")
    assert outcome.rows[COPY]["psnr"] == outcome.groups["a"][COPY]["psnr"] < 30


def test_what_was_asked_is_read_off_the_picture(editor, person):
    framed = set_person(editor, person).frame
    scorer = Scorer(MEASURES, Reader(editor.analyzer))
    blank = np.full((*FRAME, 3), 128, np.uint8)
    edited = framed.parsing == REGION["pants"]
    made = {ALONE: Made(framed.image), COPY: Made(blank)}
    scorer.add(Example("x", "", framed.pose, framed.parsing, made, edited=edited))
    rows = scorer.outcome("trial").rows
    assert rows[ALONE]["pck@0.05"] > 0.8 > 0.2 > rows[COPY]["pck@0.05"]
    assert rows[ALONE]["parsing_miou"] > 0.6 > 0.2 > rows[COPY]["parsing_miou"]
    assert rows[ALONE]["edit_seen"] > 0.8 > 0.2 > rows[COPY]["edit_seen"]
    assert "lpips" not in rows[ALONE]


def test_the_rival_moves_parts_and_heals_nothing(editor, person):
    known = set_person(editor, person)
    assert (warp(known, person.pose).photo == person.photo)[person.parsing > 0].all()
    raised = person.pose.copy()
    elbow, wrist = JOINT["left_elbow"], JOINT["left_wrist"]
    old = raised[wrist, :2].copy()
    raised[wrist, :2] = 2 * raised[elbow, :2] - old  # the forearm points up
    moved = warp(known, raised)
    skin = np.array((224, 180, 150))

    def colour(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
        return picture[int(at[1]), int(at[0])].astype(int)

    middle = (raised[elbow, :2] + raised[wrist, :2]) / 2
    assert np.abs(colour(moved.photo, middle) - skin).max() < 12
    assert moved.parsing[int(middle[1]), int(middle[0])] == REGION["upper_skin"]
    gone = (raised[elbow, :2] + old) / 2
    assert np.abs(colour(person.photo, gone) - skin).max() < 12 < np.abs(colour(moved.photo, gone) - skin).max()
    assert moved.changed.any()


def test_region_edits_paint_what_their_name_says(editor, person):
    known = set_person(editor, person)
    longer = EDITS["sleeves longer"](known)
    assert set(np.unique(person.parsing[longer != person.parsing])) == {REGION["upper_skin"]}
    assert set(np.unique(longer[longer != person.parsing])) == {REGION["upper_clothes"]}
    assert not (EDITS["sleeves shorter"](known) == longer).all()
    dress = EDITS["a dress for pants"](known)
    assert REGION["pants"] not in dress
    assert (dress == REGION["dress"]).sum() > 500
    hair = EDITS["longer hair"](known)
    assert (hair == REGION["hair"]).sum() > 1.2 * (person.parsing == REGION["hair"]).sum()
    assert ((hair == REGION["face"]) == (person.parsing == REGION["face"])).all()


def test_style_pairs_are_ordered_different_and_repeatable(person, other_person):
    samples = [Sample("a", person.photo, person.pose, person.parsing)]
    samples.append(Sample("b", other_person.photo, other_person.pose, other_person.parsing))
    samples.append(Sample("c", person.photo, person.pose, person.parsing))  # in the same shirt as a
    names = {(a.name, b.name) for a, b in styles.draw_pairs(samples, 10, seed=0)}
    assert names == {("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}
    again = [styles.draw_pairs(samples, 2, seed=3)[0][0].name for _ in range(2)]
    assert again[0] == again[1]


def test_a_whole_run_on_drawn_test_photos(prepared, trial_weights, tmp_path, capsys):
    figures, sheet = tmp_path / "figures.json", tmp_path / "sheet.jpg"
    arguments = ["--data", prepared, "--weights", trial_weights, "--limit", 1, "--json", figures, "--sheet", sheet]
    also = f"paper={trial_weights / 'paper.safetensors'}"
    assert evaluate("street", *arguments, "--also", also, "--against", ALONE, "--device", "cpu") == 0
    tasks = json.loads(figures.read_text())["tasks"]
    assert list(tasks) == list(command.STREET_TASKS)
    rows = tasks["articulated"]["rows"]
    of_paper = ["paper", f"paper{ON_TRUE_MAP}"]
    assert list(rows) == [WITH_DETAIL, ALONE, ALONE + ON_TRUE_MAP, *of_paper, COPY, WARP, TRUTH]
    # A picture's own mean IoU has an interval, beside that which is pooled over all.
    assert len(tasks["articulated"]["each"][ALONE]["parsing_miou"]) == 1
    # Each network's own map, and the true one beside it; where the map is given there is one row for both.
    for task in ("articulated", "half_body"):
        maps = {name: row["map_miou"] for name, row in tasks[task]["rows"].items() if name not in (WARP, COPY, TRUTH)}
        assert {name for name, miou in maps.items() if miou == 1} == {ALONE + ON_TRUE_MAP, f"paper{ON_TRUE_MAP}"}
    for task in ("identity", "regions", "styles"):
        assert not any(name.endswith(ON_TRUE_MAP) for name in tasks[task]["rows"])
    assert rows[TRUTH]["lpips"] == 0 < rows[WARP]["lpips"] < rows[COPY]["lpips"]
    assert rows[COPY]["against_copy"] == 1
    assert tasks["identity"]["rows"][COPY] == pytest.approx(tasks["identity"]["rows"][WARP])
    for row in (*tasks["regions"]["rows"].values(), *tasks["styles"]["rows"].values()):
        assert row.get("outside", 0) == 0
    for row in tasks["styles"]["rows"].values():
        assert row["none_is_photo"] == row["all_is_swap"] == 1
    printed = capsys.readouterr().out
    for text in ("| articulated (1)", f"| half_body: against {ALONE}", f"| styles: against {ALONE}", "FID-squeeze: "):
        assert text in printed
    assert read_image(sheet).shape[1] == 8 * FRAME[1]


def test_rendered_pairs_are_scored_with_those_who_turned_apart(trial_weights, tmp_path, capsys):
    figures, sheet = tmp_path / "figures.json", tmp_path / "sheet.jpg"
    people = write_people(tmp_path / "people", 3)
    arguments = ["--data", people, "--weights", trial_weights, "--json", figures, "--sheet", sheet, "--against", WARP]
    assert evaluate("people", *arguments, "--device", "cpu") == 0
    tasks = json.loads(figures.read_text())["tasks"]
    assert {title: task["count"] for title, task in tasks.items()} == {
        "people": 3,
        "people, turned": 1,
        "people, not turned": 2,
    }
    for task in tasks.values():
        rows = task["rows"]
        assert rows[TRUTH]["lpips"] == 0 < rows[WARP]["lpips"] < rows[COPY]["lpips"]
        assert len(task["each"][WITH_DETAIL]["lpips"]) == task["count"]
    each = [tasks[f"people, {kind}"]["each"][WARP]["lpips"] for kind in ("turned", "not turned")]
    assert tasks["people"]["each"][WARP]["lpips"] == each[0] + each[1]
    assert "| people, turned: against part-wise warp" in capsys.readouterr().out
    assert read_image(sheet).shape[1] == 6 * FRAME[1]


@pytest.mark.parametrize(("turns", "degrees"), [((0, 50), 50), ((-170, 170), 20), ((350, 10), 20), ((0, 180), 180)])
def test_the_turn_of_a_body_is_the_short_way_round(turns, degrees):
    assert turn_between({"turns": turns}) == pytest.approx(degrees)


def test_converted_weights_are_told_their_own_convention(editor, person):
    """The release sees a white square and its own order of regions, and is judged on the frame in the middle."""
    torch.manual_seed(0)
    model = PISE(replace(RELEASE_CONFIG, width=4))
    sample, seen = Sample("drawn", person.photo, person.pose, person.parsing), []
    model.register_forward_hook(lambda module, inputs, output: seen.append((inputs, output.image)))
    for task in (in_frame.identity, in_frame.articulated):
        (example,) = task([sample], [Entry("release", Editor(model, editor.analyzer), False, True)], 0)
        (image, source_map, source_pose, _, wanted), answer = seen.pop()
        assert image.shape == (1, 3, 256, 256) and (image[..., :40] == 1).all()
        hair, clothes = 1, 2  # in the order "pgn"
        assert source_map[0, clothes].sum() > 1000 and source_map[0, hair].sum() > 100
        expected = Convention(model.config).parsing(example.parsing)
        assert torch.equal(wanted, expected)
        parsing = example.made["release"].parsing
        assert parsing is not None and np.array_equal(parsing, example.parsing)
        inside = example.parsing > 0
        middle = np.rint((answer[0, :, :, 40:216].permute(1, 2, 0).numpy() + 1) * 127.5)
        assert np.array_equal(example.made["release"].picture[inside], middle[inside])
        assert (example.made["release"].picture[~inside] == 128).all()


def test_a_whole_run_on_a_drawn_clip(clips, trial_weights, tmp_path, capsys):
    figures = tmp_path / "figures.json"
    arguments = ["--data", clips, "--weights", trial_weights, "--pairs", 2, "--json", figures, "--device", "cpu"]
    assert evaluate("videos", *arguments) == 0
    task = json.loads(figures.read_text())["tasks"]["videos"]
    assert task["count"] == 2
    assert task["rows"][WARP]["lpips"] < 0.5 * task["rows"][COPY]["lpips"]
    assert task["rows"][WARP]["outside"] == task["rows"][WITH_DETAIL]["outside"] == 0
    assert task["groups"]["walk"][WARP]["lpips"] == pytest.approx(task["rows"][WARP]["lpips"])
    assert task["rows"][ALONE + ON_TRUE_MAP]["map_miou"] > 0.98 > task["rows"][ALONE]["map_miou"]
    assert "| walk" in capsys.readouterr().out


def test_pairs_of_frames_are_repeatable_and_never_of_one_frame(clips):
    pairs = load_pairs(clips, 100, seed=1)
    assert len({(p.source, p.target) for p in pairs}) == len(pairs) == 6
    assert all(p.source != p.target for p in pairs)
    first = [(p.source, p.target) for p in load_pairs(clips, 2, seed=1)]
    assert first == [(p.source, p.target) for p in pairs[:2]]


def test_clips_that_cannot_be_used_are_named(tmp_path):
    with pytest.raises(InputError, match="holds no clips"):
        load_pairs(tmp_path, 4, 0)
    (tmp_path / "one").mkdir()
    path = tmp_path / "one" / "keypoints.json"
    for text in ("{", "[]", '{"00000.jpg": 3}'):
        path.write_text(text)
        with pytest.raises(InputError, match="damaged"):
            load_pairs(tmp_path, 4, 0)
    path.write_text('{"00000.jpg": null}')
    with pytest.raises(InputError, match="fewer than two frames"):
        load_pairs(tmp_path, 4, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["street", "--tasks", "identity,poetry"], "no task 'poetry'"),
        (["street", "--also", "better"], "is not NAME=PATH"),
        (["street", "--limit", "0"], "whole number from 1"),
        (["street", "--data", "nowhere"], "run: python -m pise_core prepare"),
        (["videos", "--data", "nowhere"], "holds no clips"),
        (["deepfashion", "--data", "nowhere"], "run: python -m pise_core prepare deepfashion"),
        (["deepfashion", "--data", "nowhere", "--generated", "A="], "neither FOLDER nor NAME=FOLDER"),
        (["videos"], "--data"),
        (["street", "--sheet", "nowhere/sheet.jpg"], "there is no folder"),
        (["street", "--json", "nowhere/figures.json"], "there is no folder"),
        ([], "DATA"),
    ],
)
def test_mistakes_get_one_line(arguments, message, capsys):
    try:
        status = cli.main(["evaluate", *arguments])
    except SystemExit as left:
        status = left.code
    assert status == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_rows_need_names_of_their_own(prepared, trial_weights):
    common = ["street", "--data", prepared, "--weights", trial_weights]
    with pytest.raises(InputError, match=f"two rows would be called '{COPY}'"):
        evaluate(*common, "--also", f"{COPY}={trial_weights}")
    with pytest.raises(InputError, match=f"no row 'nobody'; rows are: {WITH_DETAIL}, {ALONE}"):
        evaluate(*common, "--against", "nobody")


def test_a_network_without_a_parsing_generator_has_the_row_on_the_true_map_only(trial_weights, tmp_path):
    save_model(tmp_path / "edits.safetensors", PISE(replace(RELEASE_EDITING_CONFIG, width=4)))
    entries = load_entries(trial_weights, [("edits", tmp_path / "edits.safetensors")], "cpu")
    names = [WITH_DETAIL, ALONE, ALONE + ON_TRUE_MAP, f"edits{ON_TRUE_MAP}"]
    assert [entry.name for entry in entries] == names
    assert [entry.name for entry in on_given_map(entries)] == [WITH_DETAIL, ALONE, f"edits{ON_TRUE_MAP}"]


def test_missing_torchmetrics_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics.image.lpip", None)
    with pytest.raises(InputError, match="pip install torchmetrics"):
        load_measures()


def test_lpips_itself(monkeypatch, person):
    shared = Path(os.environ.get("PISE_SHARED_DATA", "nowhere")) / "perceptual" / "torch_home"
    home = shared if shared.exists() else Path(os.environ.get("TORCH_HOME", "nowhere"))
    if not (home / "hub/checkpoints/squeezenet1_1-b8a52dc0.pth").exists():
        pytest.skip("SqueezeNet's weights are not on this machine")
    monkeypatch.setenv("TORCH_HOME", str(home))
    measures = load_measures()
    a = torch.from_numpy(person.photo.transpose(2, 0, 1).copy())[None].float() / 127.5 - 1
    b = a.flip(2)
    both = measures.distance(torch.cat([a, b]), torch.cat([a, a]))
    assert both[0] == pytest.approx(0, abs=1e-6)
    assert both[1] > 0.02
    assert measures.distance(b, a)[0] == pytest.approx(float(both[1]), rel=1e-4)
    assert measures.features(a).shape == (1, 512)


def test_nothing_that_serves_is_imported():
    code = "import sys, pise_core.evaluation.command; print(sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not any(f"'{name}'" in loaded for name in ("gradio", "mediapipe", "controlnet_aux", "torchmetrics"))


def test_views_for_the_analyzer_are_framed_as_they_say():
    """Corner: small, and in a corner. Half body: no joint below the hips. Landscape: wider than high. Joints and map
    move with the person."""
    drawn = [draw_person(shirt=shirt) for shirt in ((190, 60, 50), (60, 150, 70))]
    samples = [Sample(str(i), d.photo, d.pose, d.parsing) for i, d in enumerate(drawn)]
    for view in analyzer.views(samples, "corner", 0):
        assert 0.1 < np.ptp(view.pose[:, 1]) / view.image.shape[0] < 0.4
        assert abs(np.nanmean(view.pose[:, 0]) / view.image.shape[1] - 0.5) > 0.2
    for view in analyzer.views(samples, "half body", 0):
        assert np.isnan(view.pose[[JOINT["right_knee"], JOINT["left_ankle"]], 0]).all()
        assert not (view.parsing == REGION["leg"]).any()
    for view in analyzer.views(samples, "landscape", 0):
        assert view.image.shape[1] > view.image.shape[0]
        x, y = np.nanmean(view.pose[[2, 5, 8, 11], :2], 0).astype(int)
        assert view.parsing[y, x] == REGION["upper_clothes"]
        assert min(np.abs(view.image[y, x].astype(int) - c).max() for c in ((190, 60, 50), (60, 150, 70))) < 12

    for framing, limb in (("legs out", ("knee", "ankle")), ("arms bent", ("elbow", "wrist"))):
        own = [JOINT[f"{side}_{joint}"] for side in ("right", "left") for joint in limb]
        rest = [joint for joint in range(18) if joint not in own]
        for view, sample in zip(analyzer.views(samples, framing, 0), samples, strict=True):
            assert np.allclose(view.pose[rest], sample.pose[rest], equal_nan=True)
            assert (np.abs(view.pose[own, :2] - sample.pose[own, :2]) > 8).any()


def test_choices_are_made_on_the_validation_split(prepared, tmp_path, capsys):
    """Asked for, it alone is looked at, in the framings that are asked for."""
    run = ["evaluate", "analyzer", "--data", str(prepared), "--split", "validation", "--json", str(tmp_path / "f.json")]
    assert main([*run, "--framings", "as it is,arms up,legs out", "--device", "cpu"]) == 0
    task = json.loads((tmp_path / "f.json").read_text())["tasks"]["analyzer"]
    assert task["count"] == 1
    assert list(task["rows"]) == ["as it is", "arms up", "legs out"]
    assert {"wrists@0.05", "wrists@0.1"} <= task["rows"]["arms up"].keys()
    # The same legs elsewhere, which are looked for, too.
    assert task["rows"]["legs out"]["legs@0.05"] <= task["rows"]["as it is"]["legs@0.05"]
    with pytest.raises(SystemExit):
        main([*run, "--framings", "upside down"])
    assert "there is no framing 'upside down'" in capsys.readouterr().err


def test_the_analyzer_s_figures_are_those_of_its_answers(editor):
    view = analyzer.View(*draw_person())
    figures = analyzer.score(editor.analyzer, [view])
    assert figures["missed"] in (0.0, 1.0)
    if figures["missed"]:
        assert figures["pck@0.1"] == 0.0
    nobody = analyzer.View(np.full((200, 150, 3), 127, np.uint8), view.pose, np.zeros((200, 150), np.uint8))
    assert analyzer.score(editor.analyzer, [nobody])["missed"] == 1.0
