"""The recipes: what overrides them, what each stage learns by them, precision, sources, what a dry run says."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pise_core.cli.main import main
from pise_core.errors import InputError
from pise_core.model.config import ABLATIONS, RELEASE_CONFIG, SHIPPED_CONFIG, PISEConfig
from pise_core.model.network import PISE
from pise_core.model.weights import save_model
from pise_core.regions import REGION
from pise_core.training import command as train
from pise_core.training.data.sources import open_source
from pise_core.training.generator import trainer
from pise_core.training.generator.recipes import RECIPES
from pise_core.training.generator.teacher import load_teacher
from pise_core.training.generator.trainer import Trainer
from pise_core.training.processes import ALONE
from tests.conftest import ROOT
from tests.training_data import command, write_samples, write_teacher

#: Small enough for a step to take a moment.
FRAME = (64, 48)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return write_teacher(tmp_path_factory.mktemp("teacher") / "vgg.safetensors")


def _tiny(name: str, **settings):
    """A recipe for a narrow network and a shallow teacher."""
    recipe = train.resolve(command("--out", "unused", "--recipe", name, "--width", 4, "--layers", "shallow"))
    return replace(recipe, optimization=replace(recipe.optimization, **{"rate": 2e-3, **settings}))


def _trainer(name: str, stage: str, teacher: Path, **settings) -> Trainer:
    torch.manual_seed(0)
    return Trainer(_tiny(name, **settings), stage, ALONE, teacher)


def _batch(data, recipe, size=2):
    source = open_source(data, recipe.network, surroundings=recipe.objective.judged == "person")
    return source.batch(np.random.default_rng(0), size, FRAME, recipe.network.detail_path)


# Recipes


def test_options_override_a_recipe():
    recipe = train.resolve(
        command(
            *["--out", "o", "--recipe", "paper", "--width", 8, "--set", "modulation=8", "--loss", "style=1"],
            *["--adversarial", "lsgan", "--layers", "shallow", "--precision", "bf16", "--batch", 3, "--ema", 0.5],
        )
    )
    assert recipe.network == PISEConfig(width=8, modulation=8, canvas="square")
    assert recipe.objective.weights.style == 1 and recipe.objective.weights.perceptual == 0.5
    assert recipe.objective.adversarial == "lsgan" and "relu4_1" not in recipe.objective.layers
    assert (recipe.optimization.precision, recipe.optimization.batch, recipe.optimization.average) == ("bf16", 3, 0.5)
    assert recipe.optimization.rate == 1e-4
    # Only at VGG's own width can the network have VGG's weights; there it needs not learn them.
    assert recipe.objective.matching == "distilled" and recipe.objective.weights.distillation == 1
    whole = RECIPES["paper"].resolved().objective
    assert whole.matching == "vgg" and whole.weights.distillation == 0
    assert train.resolve(command("--out", "o", "--paper")).network == PISEConfig(width=16, canvas="square")


def test_settings_that_contradict_each_other_are_named():
    with pytest.raises(InputError, match="painted and face are of those on the person"):
        train.resolve(command("--out", "o", "--recipe", "paper", "--loss", "face=1"))
    with pytest.raises(InputError, match="matching is one of source, target"):
        train.resolve(command("--out", "o", "--set", "matching=both"))
    with pytest.raises(InputError, match="--minutes or --steps"):
        train.run(command("--out", "o"))
    with pytest.raises(InputError, match="encoding is given as local and as global; leave one of them out"):
        train.resolve(command("--ablation", "local-enc", "--set", "encoding=global"))
    with pytest.raises(InputError, match="width is given as 8 and as 4"):
        train.resolve(command("--width", 8, "--set", "width=4"))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (("--width", 6), "modulation 16 must divide 4 times the width, 24 channels"),
        (("--set", "modulation=3"), "modulation 3 must divide"),
        (("--set", "modulation=0"), "modulation is a whole number from 1"),
        (("--set", "width=-4"), "width is a whole number from 1"),
        (("--loss", "style=nan"), "style has a weight from 0, not nan"),
        (("--loss", "style=-1"), "style has a weight from 0, not -1"),
    ],
)
def test_sizes_and_weights_that_make_no_network_are_refused(setting, message):
    with pytest.raises(InputError, match=message):
        train.resolve(command(*setting))


@pytest.mark.parametrize("recipe", [*RECIPES, "--paper"])
def test_an_ablation_changes_what_it_is_named_after_and_nothing_else(recipe):
    whole = ["--paper"] if recipe == "--paper" else ["--recipe", recipe]
    network = train.resolve(command(*whole)).network
    for name, changes in ABLATIONS.items():
        assert train.resolve(command(*whole, "--ablation", name)).network == replace(network, **changes)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[(option, "0") for option in ("--steps", "--minutes", "--log-every", "--batch", "--rate", "--width")],
        *[("--minutes", "nan"), ("--rate", "inf"), ("--limit", "-3"), ("--small-share", "1.5"), ("--seed", "-1")],
    ],
)
def test_numbers_that_make_no_sense_are_refused(option, value, capsys):
    with pytest.raises(SystemExit):
        command("--out", "o", f"{option}={value}")
    assert f"argument {option}: '{value}' is not a" in capsys.readouterr().err


def test_devices_and_options_that_are_not_there_are_named(data, tmp_path):
    settings = ["--data", data, "--out", tmp_path / "out", "--steps", 1]
    for more in ([], ["--dry-run"]):
        with pytest.raises(InputError, match="--device gpu can't be used here"):
            train.run(command(*settings, *more, "--device", "gpu"))
    with pytest.raises(InputError, match="train generator does not take --backbone"):
        train.run(command(*settings, "--backbone", "b.pth"))
    analyzer = command("--data", data, "--out", tmp_path / "out", "--minutes", 1, "--dry-run", "--set", "smooth=true")
    analyzer.network = "analyzer"
    with pytest.raises(InputError, match="train analyzer does not take --dry-run, --set;"):
        train.run(analyzer)
    assert not (tmp_path / "out").exists()


def test_the_network_of_full_width_has_vgg_s_own_features(teacher):
    generator = PISE(PISEConfig(parsing_generator=False))
    given = load_teacher(teacher)
    trainer._take_over(generator, given)
    matching, image = generator.image_generator.matching, torch.rand(1, 3, 32, 32)
    assert torch.equal(matching(image)["conv3_1"], given(image)["conv3_1"])
    assert not any(p.requires_grad for p in matching.parameters())


def test_a_dry_run_tells_everything_and_writes_nothing(data, teacher, tmp_path, capsys):
    out = tmp_path / "out"
    settings = ["--data", data, "--out", out, "--recipe", "release", "--layers", "shallow", "--vgg", teacher]
    assert train.run(command(*settings, "--steps", 7, "--device", "cpu", "--dry-run")) == 0
    said = capsys.readouterr().out.splitlines()
    assert not out.exists()
    for line in (
        "recipe release, stage joint",
        "  learns: parsing generator and image generator",
        "  picture made on: the generated map",
        "  losses: cross parsing_l1 reconstruction perceptual style adversarial",
        "  to draw from: 4",
        "  held back for sheets: 2",
        "  canvas: square",
        "  adversarial: lsgan",
        "  style: 200.0",
        "  betas: 0.9 0.999",
        "  rate: 0.0001",
        "  steps: 7",
        "  pairs a step: 8",
        # As many as in the authors' checkpoints, less what theirs carry unused.
        "  style_encoder: 8,157,702",
        "  discriminator: 664,577",
    ):
        assert line in said, line
    assert train.run(command(*settings, "--steps", 7, "--small-share", 0.5, "--device", "auto", "--dry-run")) == 0
    said = capsys.readouterr().out.splitlines()
    assert "  pairs a step: 32 on half-size frames, then 8" in said
    assert f"  device: {'cuda' if torch.cuda.is_available() else 'cpu'}" in said


def test_a_dry_run_says_what_each_stage_does(capsys):
    said = {}
    for stage in ("parsing", "image", "apart", "joint"):
        assert train.run(command("--recipe", "paper", "--stage", stage, "--device", "cpu", "--dry-run")) == 0
        said[stage] = capsys.readouterr().out
    assert len({text.split("data")[0] for text in said.values()}) == 4
    assert (
        "  learns: parsing generator\n  picture made on: no picture is made\n  losses: cross parsing_l1\n"
        in said["parsing"]
    )
    assert "  learns: image generator\n  picture made on: the true map\n" in said["image"]
    assert "cross" not in said["image"].split("losses:")[1].splitlines()[0]
    assert "  picture made on: the generated map\n" in said["joint"]


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("width=abc", "width takes a whole number, not 'abc'"),
        ("smooth=maybe", "smooth takes true or false, not 'maybe'"),
        ("width", "'width' is not FIELD=VALUE; the fields are: width, "),
        ("wide=3", "'wide=3' is not FIELD=VALUE"),
    ],
)
def test_fields_that_cannot_be_are_named(field, message, capsys):
    with pytest.raises(SystemExit):
        command("--set", field)
    assert message in capsys.readouterr().err


def test_a_dry_run_needs_neither_folder_nor_data_nor_teacher(teacher, tmp_path, capsys):
    """It says what is missing, and everything else all the same."""
    settings = ["--data", tmp_path / "nothing", "--recipe", "paper", "--vgg", teacher, "--dry-run"]
    assert train.run(command(*settings)) == 0
    said = capsys.readouterr().out
    assert "  missing: " in said and "prepare" in said
    assert "  teacher: missing: " in said and "relu5_2 is asked for" in said
    assert "  canvas: square\n" in said and "  generator: " in said and "  discriminator: 664,577" in said
    for network in ("generator", "analyzer"):
        asked = command("--data", tmp_path / "nothing", "--minutes", 1)
        asked.network = network
        with pytest.raises(InputError, match="training needs --out, a folder"):
            train.run(asked)


# Steps


@pytest.mark.parametrize("stage", ["parsing", "image", "joint"])
@pytest.mark.parametrize("name", list(RECIPES))
def test_every_stage_learns_by_every_recipe(data, teacher, name, stage):
    taught = _trainer(name, stage, teacher, precision="fp32")
    batch = _batch(data, taught.recipe)
    before = {k: v.clone() for k, v in taught.model.state_dict().items()}
    history = []
    for number in range(8):
        torch.manual_seed(1)  # the same crop each time
        terms = taught.step(40 + number, 0.1, batch)
        history.append(
            sum(value for term, value in terms.items() if term not in ("loss", "adversarial", "real", "fake"))
        )
    assert history[-1] < 0.97 * history[0]
    after = taught.model.state_dict()
    moved = {k.split(".")[0] for k in before if not torch.equal(before[k], after[k])}
    parts = {"parsing": {"parsing_generator"}, "image": {"image_generator"}}
    assert moved == parts.get(stage, {"parsing_generator", "image_generator"})
    # The release judges by a discriminator, its correspondence loss is not in the sum; ours is the other way round.
    assert ("adversarial" in terms) == (name != "shipped" and stage != "parsing")
    assert ("correspondence" in terms) == (name != "release" and stage != "parsing")


def test_a_stage_begins_with_what_another_has_learned(data, teacher, tmp_path):
    first = _trainer("shipped", "parsing", teacher, average=0.0)
    first.step(49, 0.0, _batch(data, first.recipe))
    save_model(tmp_path / "pise.safetensors", first.outcome)
    torch.manual_seed(1)
    second = Trainer(first.recipe, "image", ALONE, teacher, init=tmp_path)
    for name, value in first.model.state_dict().items():
        assert torch.equal(second.model.state_dict()[name], value), name
    wider = replace(first.recipe, network=replace(first.recipe.network, width=8, modulation=4))
    with pytest.raises(InputError, match="does not fit this configuration"):
        Trainer(wider, "image", ALONE, teacher, init=tmp_path)


def test_both_rates_follow_the_schedule(data, teacher):
    weights = {"adversarial": 0.1}
    recipe = _tiny("shipped", critic_rate=0.25)
    recipe = replace(recipe, objective=replace(recipe.objective, weights=replace(recipe.objective.weights, **weights)))
    taught = Trainer(recipe, "image", ALONE, teacher)
    batch = _batch(data, recipe, 1)
    seen = []
    for number, progress in ((0, 0.0), (100, 0.0), (200, 1.0)):
        taught.step(number, progress, batch)
        assert taught.critic is not None
        seen.append([optimizer.param_groups[0]["lr"] for optimizer in (taught.optimizer, taught.critic)])
    assert [rate for rate, _ in seen] == pytest.approx([2e-3 / 50, 2e-3, 2e-5])
    assert [critic for _, critic in seen] == pytest.approx([0.25 * rate for rate, _ in seen])


def test_half_precision_scales_its_losses(data, teacher):
    taught = _trainer("shipped", "image", teacher, precision="fp16")
    before = taught.model.image_generator.out.conv.weight.detach().clone()
    batch = _batch(data, taught.recipe)
    scales = []
    # A scale at which gradients overflow is halved, and the step left out, until one fits.
    while len(scales) < 20 and torch.equal(taught.model.image_generator.out.conv.weight, before):
        assert all(np.isfinite(list(taught.step(len(scales), 0.0, batch).values())))
        scales.append(taught.state_dict()["scalers"][0]["scale"])
    assert len(scales) < 20 and scales[0] >= scales[-1] >= 1
    assert torch.isfinite(taught.average.module.image_generator.out.conv.weight).all()


def test_the_release_s_spectral_norm_is_folded_into_what_is_written(data, teacher):
    taught = _trainer("release", "image", teacher, rate=1e-6)
    batch = _batch(data, taught.recipe, 1)
    for number in range(2):
        taught.step(number, 0.0, batch)
    outcome, average = taught.outcome, taught.average.module
    plain = PISE(outcome.config)
    plain.load_state_dict(outcome.state_dict())
    inputs = (batch.source_image, batch.source_parsing, batch.source_pose, batch.target_pose, batch.target_parsing)
    with torch.no_grad():
        torch.testing.assert_close(plain.eval()(*inputs).image, average(*inputs).image, rtol=0, atol=1e-4)
    normalized = {name for name, part in average.named_modules() if hasattr(part, "parametrizations")}
    # Two convolutions in each of four blocks down, three in each of two up; the gated ones and the 1x1 are not.
    encoders = [name for name in normalized if "encoder" in name]
    assert len(encoders) == 2 * (4 * 2 + 2 * 3)
    assert len(normalized) - len(encoders) == 2 * 3 + 2 * 2 + 1
    for name, layer in plain.named_modules():
        if name in normalized:
            assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
            matrix = layer.weight if isinstance(layer, nn.Conv2d) else layer.weight.transpose(0, 1)
            assert torch.linalg.matrix_norm(matrix.detach().flatten(1), 2) == pytest.approx(1, abs=0.1), name


def test_the_parsing_stage_needs_no_teacher_that_it_does_not_ask(data, tmp_path, capsys):
    missing = tmp_path / "missing.safetensors"
    taught = _trainer("paper", "parsing", missing)
    assert (
        taught.losses is None and np.isfinite(list(taught.step(0, 0.0, _batch(data, taught.recipe, 1)).values())).all()
    )
    settings = ["--data", data, "--out", tmp_path, "--width", 4, "--vgg", missing, "--steps", 1, "--device", "cpu"]
    assert train.run(command(*settings, "--stage", "parsing", "--dry-run")) == 0
    assert "  teacher: none in this stage" in capsys.readouterr().out.splitlines()
    with pytest.raises(InputError, match="missing.safetensors is missing"):
        _trainer("paper", "image", missing)
    # A network as wide as VGG carries its weights whatever it learns.
    assert trainer.needs_teacher(RECIPES["paper"].resolved(), "parsing")


def test_a_network_without_parsing_generator_has_no_parsing_stage(teacher):
    recipe = _tiny("release")
    recipe = replace(recipe, network=replace(recipe.network, parsing_generator=False))
    with pytest.raises(InputError, match="no parsing generator for --stage joint; use --stage image"):
        Trainer(recipe, "joint", ALONE, teacher)


# Sources


def test_parts_of_a_batch_join_to_the_whole(data):
    source = open_source(data, SHIPPED_CONFIG)
    for seed in range(2):
        whole = source.batch(np.random.default_rng(seed), 3, FRAME, True)
        parts = [source.batch(np.random.default_rng(seed), 3, FRAME, True, slice(i, i + 1)) for i in range(3)]
        for name, value in vars(whole).items():
            if isinstance(value, torch.Tensor):
                assert torch.equal(torch.cat([getattr(part, name) for part in parts]), value)
        assert [part.carry is None for part in parts] == [whole.carry is None] * 3


def test_batches_are_as_the_configuration_wants_them(data):
    ours = open_source(data, SHIPPED_CONFIG).batch(np.random.default_rng(0), 2, (256, 176), False)
    source = open_source(data, RELEASE_CONFIG, surroundings=False)
    theirs = source.batch(np.random.default_rng(0), 2, (256, 176), False)
    assert ours.source_image.shape == (2, 3, 256, 176) and theirs.source_image.shape == (2, 3, 256, 256)
    inner, person = theirs.target_image[..., 40:216], ours.target_parsing[:, :1] == 0
    assert torch.equal((theirs.person[..., 40:216] > 0), person)
    assert (theirs.target_image[..., :40] == 1).all() and (inner[~person.expand_as(inner)] == 1).all()
    assert torch.equal(inner * person, ours.target_image * person)
    # "pgn": the face is region 5, and dresses are not told from trousers.
    face, pants = REGION["face"], REGION["pants"]
    assert torch.equal(theirs.source_parsing[:, 5, :, 40:216], ours.source_parsing[:, face])
    assert torch.equal(theirs.source_parsing[:, 3, :, 40:216], ours.source_parsing[:, [REGION["dress"], pants]].sum(1))


# The command


def test_tensorboard_gets_curves_and_sheets(data, teacher, tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    settings = ["--data", data, "--vgg", teacher, "--out", tmp_path, "--width", 4, "--batch", 1, "--device", "cpu"]
    settings += ["--stage", "parsing", "--small-share", 1, "--log-every", 1, "--tensorboard"]
    assert train.run(command(*settings, "--steps", 2)) == 0
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("cross")] == [1, 2]
    assert [event.step for event in events.Images("sheet")] == [2]
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(InputError, match="pip install tensorboard"):
        train.run(command(*settings, "--steps", 3))


def test_a_run_that_leaves_all_numbers_ends_in_a_line(data, teacher, tmp_path, capsys):
    run = ["train", "generator", "--data", data, "--vgg", teacher, "--out", tmp_path, "--width", 4, "--batch", 1]
    run += ["--stage", "parsing", "--small-share", 1, "--device", "cpu", "--steps", 50, "--rate", 1e30]
    assert main([*map(str, run)]) == 2
    *progress, said = capsys.readouterr().err.splitlines()
    assert said.startswith("error: loss is not finite at step ") and "cross" in said and "lower --rate" in said
    assert not any(line.startswith(("error", "Traceback")) for line in progress), progress


def test_training_needs_nothing_that_a_gpu_machine_lacks():
    code = "import sys, pise_core.training.command; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in ("mediapipe", "gradio", "controlnet_aux", "accelerate", "tensorboard", "transformers"):
        assert f"'{name}'" not in done.stdout
