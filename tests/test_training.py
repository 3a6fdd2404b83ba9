"""The training code on a folder of drawn people that looks like Clothing Co-Parsing: prepare, train, resume."""

import argparse
import json
import shutil
import signal

import cv2
import numpy as np
import pytest
import scipy.io
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torchvision.models import squeezenet1_1

from pise_core.detection.analyzer import read_network
from pise_core.detection.network import TRAINED_CONFIG, AnalyzerConfig, AnalyzerNetwork
from pise_core.errors import InputError
from pise_core.model.config import PISEConfig
from pise_core.model.network import PISE
from pise_core.model.vgg import VGGSlice
from pise_core.model.weights import read_model, save_model
from pise_core.pose import to_rows, visible
from pise_core.regions import CCP_TAGS, REGION, REGIONS
from pise_core.training import command as train
from pise_core.training.analyzer import run as analyzer_run
from pise_core.training.analyzer.initial_weights import begin_with, load_backbone
from pise_core.training.analyzer.metrics import KeypointAccuracy, RegionOverlap
from pise_core.training.data import prepare
from pise_core.training.data import scenes as scene_module
from pise_core.training.data.articulation import articulated_pair, frame_sample
from pise_core.training.data.prepared_folder import load_samples
from pise_core.training.data.scenes import Scenes
from pise_core.training.generator.losses import Objective, parsing_terms
from pise_core.training.generator.teacher import load_teacher
from pise_core.training.loop import Average, Budget, check_finite, load_checkpoint, total
from tests.conftest import draw_person
from tests.training_data import curve

TAGS = ["null", "skin", *sorted(tag for tags in CCP_TAGS.values() for tag in tags.split() if tag != "null")]
_TAG_OF = {"background": "null", "hair": "hair", "face": "skin", "upper_clothes": "shirt", "dress": "dress"}
_TAG_OF |= {"pants": "pants", "upper_skin": "skin", "leg": "shoes"}


def _parse(module, arguments: list) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args([str(a) for a in arguments])


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """Six drawn people in the data set's own file formats; the last photo of the training split is not annotated."""
    folder = tmp_path_factory.mktemp("street")
    (folder / "photos").mkdir()
    (folder / "annotations/pixel-level").mkdir(parents=True)
    joints, rng = {}, np.random.default_rng(0)
    names = [f"{i:04d}" for i in range(1, 8)]
    for name in names:
        red, green, blue = (int(v) for v in rng.integers(30, 220, 3))
        drawn = draw_person(220 + int(rng.integers(0, 30)), 330, shirt=(red, green, blue))
        cv2.imwrite(str(folder / "photos" / f"{name}.jpg"), cv2.cvtColor(drawn.photo, cv2.COLOR_RGB2BGR))
        tags = np.array([TAGS.index(_TAG_OF[r]) for r in REGIONS], np.uint8)[drawn.parsing]
        if name != "0005":
            scipy.io.savemat(folder / "annotations/pixel-level" / f"{name}.mat", {"groundtruth": tags})
        joints[name] = to_rows(drawn.pose)
    labels = np.empty((1, len(TAGS)), object)
    labels[0] = TAGS
    scipy.io.savemat(folder / "label_list.mat", {"label_list": labels})
    (folder / "keypoints.json").write_text(json.dumps(joints))
    (folder / "split.json").write_text(json.dumps({"train": names[:5], "test": names[5:]}))
    return folder


@pytest.fixture(scope="module")
def prepared(street, tmp_path_factory):
    out = tmp_path_factory.mktemp("prepared")
    assert prepare.run(_parse(prepare, [street, "--out", out])) == 0
    return out


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """A teacher of random weights: the code does not care what it has seen."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vgg") / "vgg.safetensors"
    save_file(VGGSlice().state_dict(), str(path))
    return path


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """What torchvision's file holds, with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("backbone") / "squeezenet.pth"
    torch.save(squeezenet1_1(weights=None).state_dict(), path)
    return path


def test_a_folder_that_held_deepfashion_holds_street_photos(street, tmp_path):
    """Or else its old pairs would be looked for among them."""
    for name in ("pairs.json", "dataset.json", "samples.json"):
        (tmp_path / name).write_text("{}")
    assert prepare.run(_parse(prepare, [street, "--out", tmp_path, "--limit", 1])) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["held", "images", "parsing", "samples.json"]
    assert [sample.name for sample in load_samples(tmp_path, "validation")] == ["0001"]


def test_prepare_keeps_regions_and_joints(prepared):
    samples = load_samples(prepared, "train")
    assert [s.name for s in samples] == ["0002", "0003", "0004", "0005"]
    assert samples[3].parsing is None
    drawn = draw_person(samples[0].image.shape[1] * 330 // 416, 330)
    truth = cv2.resize(drawn.parsing, samples[0].image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    assert samples[0].parsing is not None
    # Skin is one tag on disk; the joints tell face, arms and legs apart again.
    agree = samples[0].parsing == truth
    assert agree.mean() > 0.97
    face = samples[0].parsing == REGION["face"]
    assert (face & (truth == REGION["face"])).sum() > 0.6 * (truth == REGION["face"]).sum()
    assert visible(samples[0].pose).all()


def test_every_fourth_annotated_photo_is_for_validation(street, tmp_path):
    """Photos without annotation don't count, and the test photos are others."""
    split = json.loads((street / "split.json").read_text())
    everything = tmp_path / "everything"
    shutil.copytree(street, everything)
    names = split["train"] + split["test"]
    (everything / "split.json").write_text(json.dumps({"train": names[::-1], "test": []}))
    assert prepare.run(_parse(prepare, [everything, "--out", tmp_path / "out"])) == 0
    splits = json.loads((tmp_path / "out" / "samples.json").read_text())
    assert list(splits) == ["train", "validation", "test"]
    # Six of the seven are annotated, the fifth is not.
    assert sorted(splits["validation"]) == ["0001", "0006"]
    assert sorted(splits["train"]) == ["0002", "0003", "0004", "0005", "0007"]
    (tmp_path / "out" / "samples.json").write_text(json.dumps({"train": {}, "test": {}}))
    with pytest.raises(InputError, match="no split 'validation'; run prepare again"):
        load_samples(tmp_path / "out", "validation")


def test_prepare_names_what_is_missing(tmp_path):
    with pytest.raises(InputError, match="photos is missing"):
        prepare.run(_parse(prepare, [tmp_path, "--out", tmp_path / "out"]))
    with pytest.raises(InputError, match="prepare SOURCE"):
        load_samples(tmp_path, "train")


def test_a_pair_s_target_is_real_and_its_source_differs(prepared):
    sample = load_samples(prepared, "train", 1)[0]
    rng = np.random.default_rng(2)
    framed = frame_sample(sample)
    pairs = [articulated_pair(framed, rng) for _ in range(8)]
    for pair in pairs:
        assert (pair.target.parsing == framed.parsing).all()
        assert pair.source.parsing.max() < 8
        assert pair.carried.trust.max() > 0.9
    assert sum((p.source.parsing != framed.parsing).mean() > 0.002 for p in pairs) >= 6
    # Carried back, most of what is trusted lies where the target has the same region.
    hits = [(p.carried.parsing == framed.parsing)[(p.carried.trust > 0.5)].mean() for p in pairs]
    assert np.median(hits) > 0.8


def test_the_analyzer_trains_and_resumes(prepared, backbone, tmp_path):
    """From nothing, and the photo that nobody annotated is labelled from half-time on."""
    run = ["analyzer", "--data", prepared, "--out", tmp_path, "--batch", 3, "--device", "cpu"]
    run += ["--backbone", backbone, "--steps", 4]
    assert train.run(_parse(train, [*run, "--until", 1])) == 0
    first = load_checkpoint(tmp_path / "analyzer.pt")
    assert first is not None and first["step"] == 1
    assert not (tmp_path / "pseudo").exists()
    assert train.run(_parse(train, [*run, "--device", "auto"])) == 0
    second = load_checkpoint(tmp_path / "analyzer.pt")
    assert second is not None and second["step"] == 4
    logged = {record["step"]: record for record in curve(tmp_path)}
    assert {1, 4} == logged.keys()
    assert logged[1]["loss"] == pytest.approx(sum(logged[1][term] for term in ("region", "dice", "joint", "held")))
    assert read_network(tmp_path / "analyzer.safetensors").config == TRAINED_CONFIG
    # What it was made of: in the checkpoint and in the weights; on other data it does not go on.
    with safe_open(str(tmp_path / "analyzer.safetensors"), "pt") as file:
        made_of = json.loads(file.metadata()["run"])
    assert {**second["run"], "people": None} == made_of and len(made_of["data"]) == 64
    other = tmp_path / "other"
    shutil.copytree(prepared, other)
    photos = sorted((other / "images").iterdir())
    photos[0].write_bytes(photos[1].read_bytes())
    with pytest.raises(InputError, match="the content of --data is another"):
        train.run(_parse(train, [word if word != prepared else other for word in run]))
    # Pixels that the network was not sure of are marked.
    labels = cv2.imread(str(tmp_path / "pseudo" / "0005.png"), cv2.IMREAD_GRAYSCALE)
    assert labels is not None
    assert set(np.unique(labels)) <= {*range(8), 255}


def test_the_analyzer_s_training_wants_a_length_and_a_share_of_something(prepared, tmp_path):
    run = ["analyzer", "--data", prepared, "--out", tmp_path]
    with pytest.raises(InputError, match="needs --minutes or --steps"):
        train.run(_parse(train, run))
    with pytest.raises(InputError, match="--people-share needs --people"):
        train.run(_parse(train, [*run, "--steps", 1, "--people-share", 0.5]))


def test_an_analyzer_that_is_interrupted_saves_and_goes_on(prepared, backbone, tmp_path, monkeypatch):
    run = ["analyzer", "--data", prepared, "--out", tmp_path, "--batch", 3, "--device", "cpu", "--backbone", backbone]
    update = Average.update

    def interrupted(average, module, step):
        signal.raise_signal(signal.SIGTERM)
        update(average, module, step)

    with monkeypatch.context() as patched:
        patched.setattr(Average, "update", interrupted)
        with pytest.raises(KeyboardInterrupt, match="interrupted at step 1"):
            train.run(_parse(train, [*run, "--minutes", 5]))
    saved = load_checkpoint(tmp_path / "analyzer.pt")
    assert saved is not None and saved["step"] == 1
    # What was logged after the checkpoint, before a power cut, is taken out.
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"step": 100000, "loss": 1}\n')
    assert train.run(_parse(train, [*run, "--minutes", saved["spent"] / 60 + 0.02])) == 0
    assert max(record["step"] for record in curve(tmp_path)) < 100000


def test_a_backbone_begins_with_what_imagenet_taught(backbone, tmp_path):
    network = AnalyzerNetwork()
    load_backbone(network, backbone)
    given = torch.load(backbone, weights_only=True)
    for name, value in network.down.state_dict().items():
        assert torch.equal(value, given[name])
    with pytest.raises(InputError, match="nothing.pth is missing"):
        load_backbone(network, tmp_path / "nothing.pth")
    torch.save({"features.0.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match="squeezenet1_1"):
        load_backbone(network, tmp_path / "other.pth")


def _scenes(prepared):
    """A dozen scenes, each with its map and the sample that it was made of."""
    scenes = Scenes(load_samples(prepared, "train", annotated_only=True))
    rng = np.random.default_rng(0)
    for _ in range(12):
        scene = scenes.draw(rng)
        original = next(s for s in scenes.samples if s.name == scene.name)
        assert scene.parsing is not None
        yield scene, scene.parsing, original


def test_scenes_move_people_and_labels_together(prepared):
    """Re-posed or before another street: joints stay on the person, and what is labelled background is no person."""
    moved = 0
    for scene, parsing, original in _scenes(prepared):
        assert scene.image.shape[:2] == parsing.shape and scene.image.shape[1] == original.image.shape[1]
        assert original.parsing is not None
        moved += not np.array_equal(parsing, original.parsing)
        height, width = parsing.shape
        inside = [(x, y) for x, y, score in scene.pose[[1, 8, 11]] if score > 0 and 0 <= x < width and 0 <= y < height]
        assert all(parsing[int(y), int(x)] > 0 for x, y in inside)
    assert 1 <= moved <= 9


def test_lifted_hands_are_above_the_shoulders_and_in_the_picture(prepared, monkeypatch):
    monkeypatch.setattr(scene_module, "REPOSED", 1.0)
    monkeypatch.setattr(scene_module, "RAISED", 1.0)
    higher = 0
    for scene, parsing, original in _scenes(prepared):
        height = scene.image.shape[0]
        higher += height > original.image.shape[0]
        elbows, shoulders = scene.pose[[3, 6], 1], scene.pose[[2, 5], 1]
        assert (elbows < shoulders + 0.02 * height).any()
        assert scene.pose[[4, 7], 1].min() > 0
        # The arms went along, and the street above is nobody.
        person = cv2.dilate((parsing > 0).astype(np.uint8), np.ones((9, 9)))
        elbow = scene.pose[3 if elbows[0] < elbows[1] else 6, :2]
        assert person[int(elbow[1]), int(np.clip(elbow[0], 0, person.shape[1] - 1))]
        assert not parsing[: max(0, int(scene.pose[:, 1].min() - 0.05 * height))].any()
    assert higher > 0


def test_an_analyzer_begins_with_the_weights_of_another(prepared, tmp_path):
    given = AnalyzerNetwork(TRAINED_CONFIG)
    save_model(tmp_path / "given.safetensors", given)
    run = ["analyzer", "--data", prepared, "--out", tmp_path / "out", "--batch", 3, "--device", "cpu"]
    run += ["--init", tmp_path / "given.safetensors", "--rate", 1e-12, "--steps", 1]
    assert train.run(_parse(train, run)) == 0
    trained = read_network(tmp_path / "out" / "analyzer.safetensors")
    for (name, theirs), ours in zip(given.named_parameters(), trained.parameters(), strict=True):
        assert torch.allclose(theirs, ours, atol=1e-6), name
    save_model(tmp_path / "out" / "analyzer.safetensors", PISE(PISEConfig(width=4)))
    with pytest.raises(InputError, match="holds a network called PISE"):
        begin_with(tmp_path / "out", TRAINED_CONFIG)
    save_model(tmp_path / "thin.safetensors", AnalyzerNetwork(AnalyzerConfig((8, 16, 16, 16, 16), 16)))
    with pytest.raises(InputError, match="an analyzer of other sizes"):
        begin_with(tmp_path / "thin.safetensors", TRAINED_CONFIG)


def test_a_gentle_run_keeps_sizes_the_imagenet_part_and_the_statistics(prepared, tmp_path):
    """What it may change it does change; and it cannot begin from nothing."""
    given = AnalyzerNetwork(AnalyzerConfig((8, 16, 16, 24, 32), 24))
    save_model(tmp_path / "given.safetensors", given)
    run = ["analyzer", "--data", prepared, "--batch", 3, "--device", "cpu", "--no-pseudo", "--steps", 2, "--gentle"]
    with pytest.raises(InputError, match="--gentle .* give them with --init"):
        train.run(_parse(train, [*run, "--out", tmp_path / "nothing"]))
    assert not (tmp_path / "nothing").exists()
    run += ["--init", tmp_path / "given.safetensors", "--out", tmp_path / "out"]
    assert train.run(_parse(train, run)) == 0
    saved = load_checkpoint(tmp_path / "out" / "analyzer.pt")
    assert saved is not None and saved["run"]["gentle"] is True and saved["run"]["rate"] == 2e-4
    trained = read_network(tmp_path / "out" / "analyzer.safetensors")
    assert trained.config == given.config
    before, after = given.state_dict(), trained.state_dict()
    kept = {name for name in before if torch.equal(before[name], after[name])}
    assert kept >= {name for name in before if name.startswith("down.") or "running" in name or "batches" in name}
    assert not kept & {"deep.1.first.0.weight", "up.0.merge.0.weight", "heatmap_head.1.weight", "parsing_head.weight"}


def test_a_run_for_joints_alone_changes_nothing_that_is_said_of_regions(prepared, tmp_path):
    torch.manual_seed(1)
    given = AnalyzerNetwork(AnalyzerConfig((8, 16, 16, 24, 32), 24))
    save_model(tmp_path / "given.safetensors", given)
    run = [
        "analyzer",
        "--data",
        prepared,
        "--batch",
        3,
        "--device",
        "cpu",
        "--no-pseudo",
        "--steps",
        2,
        "--joints-alone",
    ]
    run += ["--init", tmp_path / "given.safetensors", "--out", tmp_path / "out"]
    assert train.run(_parse(train, run)) == 0
    trained = read_network(tmp_path / "out" / "analyzer.safetensors")
    changed = {name for name, value in given.state_dict().items() if not torch.equal(value, trained.state_dict()[name])}
    assert changed and all(name.startswith("heatmap_head.") for name in changed)
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        before, after = given.eval()(image), trained.eval()(image)
    assert torch.equal(before.parsing, after.parsing) and not torch.equal(before.heatmaps, after.heatmaps)


def test_views_of_a_run_that_begins_with_another_have_the_sizes_that_are_looked_at_in_use(
    prepared, tmp_path, monkeypatch
):
    save_model(tmp_path / "given.safetensors", AnalyzerNetwork(AnalyzerConfig((8, 16, 16, 24, 32), 24)))
    seen, views_of = {}, analyzer_run.views_of

    def noted(drawn, rng, frame):
        views = views_of(drawn, rng, frame)
        seen[len(seen)] = frame, tuple(views.images.shape[2:]), tuple(views.heatmaps.shape[2:])
        return views

    monkeypatch.setattr(analyzer_run, "views_of", noted)
    run = ["analyzer", "--data", prepared, "--out", tmp_path / "out", "--batch", 2, "--device", "cpu", "--no-pseudo"]
    assert train.run(_parse(train, [*run, "--init", tmp_path / "given.safetensors", "--gentle", "--steps", 4])) == 0
    assert [size for size, _, _ in seen.values()][:4] == [(256, 176), (192, 132), (256, 176), (192, 256)]
    assert all(size == image and maps == (size[0] // 4, size[1] // 4) for size, image, maps in seen.values())


def test_packed_matrices_come_back_to_within_half_a_step(tmp_path):
    torch.manual_seed(0)
    network = AnalyzerNetwork(AnalyzerConfig((8, 16, 16, 24, 32), 16))
    with torch.no_grad():
        network.context[0].weight[3] = 0  # pyright: ignore
    for name, pack in (("whole", ()), ("packed", ("context.0.weight",))):
        save_model(tmp_path / name, network, torch.float16, pack=pack)
    assert (tmp_path / "packed").stat().st_size < (tmp_path / "whole").stat().st_size
    theirs, ours = network.state_dict(), read_network(tmp_path / "packed").state_dict()
    for name, value in read_network(tmp_path / "whole").state_dict().items():
        if name != "context.0.weight":
            assert torch.equal(ours[name], value), name
    steps = theirs["context.0.weight"].abs().amax(1, keepdim=True) / 127
    assert ((ours["context.0.weight"] - theirs["context.0.weight"]).abs() <= 0.52 * steps + 1e-7).all()
    _, _, tensors = read_model(tmp_path / "packed")
    assert "context.0.weight.scale" not in tensors


def test_what_an_older_analyzer_knows_is_kept(tmp_path):
    """One without an output for what is held, and wider where it matters least, answers the same on joints and
    regions."""
    torch.manual_seed(0)
    older = AnalyzerNetwork(AnalyzerConfig((8, 16, 16, 24, 32), 32)).eval()
    with torch.no_grad():
        for block in (older.deep[1], older.deep[2]):
            block.first[1].weight[[3, 17]] = 0  # pyright: ignore
            block.first[1].bias[[3, 17]] = 0  # pyright: ignore
    save_model(tmp_path / "older.safetensors", older)
    newer = begin_with(tmp_path / "older.safetensors", AnalyzerConfig((8, 16, 16, 24, 32), 30, held=2)).eval()
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        before, after = older(image), newer(image)
    assert before.held is None and after.held is not None and after.held.shape == (1, 1, 32, 32)
    torch.testing.assert_close(after.heatmaps, before.heatmaps)
    torch.testing.assert_close(after.parsing, before.parsing)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--stage", "apart"],
        ["--stage", "joint", "--paper", "--set", "matching=target", "--loss", "adversarial=0.1"],
        ["--stage", "image", "--ablation", "local-enc", "--steps", 2],
    ],
)
def test_the_generator_trains_and_its_weights_load(prepared, vgg, tmp_path, arguments):
    run = ["generator", "--data", prepared, "--out", tmp_path, "--batch", 1, "--width", 4, "--vgg", vgg]
    assert train.run(_parse(train, [*run, *arguments, "--minutes", 0.08, "--device", "cpu"])) == 0
    model = PISE.from_pretrained(tmp_path)
    assert model.config.width == 4
    assert model.config.detail_path == ("--paper" not in arguments)
    assert model.config.encoding == ("local" if "local-enc" in arguments else "joint")
    assert cv2.imread(str(tmp_path / "sheet.png")) is not None


def test_a_few_steps_lower_the_parsing_loss(prepared, vgg, tmp_path):
    from pise_core.training.data.batches import collate

    torch.manual_seed(0)
    sample = load_samples(prepared, "train", 1)[0]
    batch = collate([articulated_pair(frame_sample(sample, size=(128, 96)), np.random.default_rng(0))])
    assert batch.carry is not None
    generator = PISE(PISEConfig(width=8, detail_path=True)).parsing_generator
    assert generator is not None
    optimizer = torch.optim.Adam(generator.parameters(), lr=2e-3)
    history = []
    for _ in range(12):
        logits = generator(batch.source_parsing, batch.source_pose, batch.target_pose, batch.carry.parsing)
        loss = total(parsing_terms(logits, batch.target_parsing, Objective()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(loss.detach()))
    assert history[-1] < 0.7 * history[0]


def test_a_missing_teacher_is_named(tmp_path):
    with pytest.raises(InputError, match="vgg.safetensors is missing"):
        load_teacher(tmp_path / "vgg.safetensors")


def test_a_loss_that_is_not_finite_stops_the_run():
    with pytest.raises(FloatingPointError, match="step 7.*nan"):
        check_finite(7, {"good": torch.tensor(1.0), "bad": torch.tensor(float("nan"))})


def test_the_budget_counts_what_was_spent_before():
    assert Budget(1.0, spent=60).used(0) == 1.0
    assert Budget(1.0, spent=30).used(0) == pytest.approx(0.5, abs=0.01)
    assert Budget(60.0, steps=10).used(5) == 0.5
    assert Budget(1.0, spent=0).rate(1.0, step=10_000) == pytest.approx(1.0, abs=0.01)


def test_metrics_against_values_worked_out_by_hand(person):
    overlap = RegionOverlap()
    overlap.add(np.array([[0, 0, 1, 1]]), np.array([[0, 1, 1, 1]]))
    assert overlap.per_region[:2] == pytest.approx([1 / 2, 2 / 3])
    assert overlap.mean == pytest.approx((1 / 2 + 2 / 3) / 2)
    accuracy = KeypointAccuracy((0.05,))
    height = np.ptp(person.pose[:, 1])
    found = person.pose.copy()
    found[0, 0] += 0.04 * height  # near enough
    found[1, 0] += 0.06 * height  # too far
    found[2] = np.nan, np.nan, 0  # not found
    accuracy.add(person.pose, found)
    assert accuracy.mean["pck@0.05"] == pytest.approx(16 / 18)
    both = KeypointAccuracy()
    both.add(person.pose, found)
    assert both.of((0, 1), 0.05) == pytest.approx(1 / 2)
    assert both.of((0, 1), 0.1) == pytest.approx(1)
    assert both.of((2,), 0.1) == 0
