"""What a training run begins with: other runs' weights, and converted ones."""

import argparse
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from release_reference import discriminator_shapes, filled

from pise_core.errors import InputError
from pise_core.model.convert_release import add_arguments
from pise_core.model.convert_release import run as convert
from pise_core.model.discriminator import Discriminator
from pise_core.model.network import PISE, PISEConfig
from pise_core.model.weights import save_model
from pise_core.training import command as train
from pise_core.training.generator.initial_weights import begin_discriminator, begin_with
from pise_core.training.generator.trainer import Trainer
from pise_core.training.loop import save_checkpoint
from pise_core.training.processes import ALONE
from tests.training_data import command, write_samples, write_teacher

CONFIG = PISEConfig(width=4)


@pytest.fixture
def trained(tmp_path):
    """Weights of an untrained network of this configuration, in a folder."""

    def write(**settings):
        save_model(tmp_path / "pise.safetensors", PISE(replace(CONFIG, **settings)))
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("setting", "value"), [("labels", "spl8"), ("labels", "pgn"), ("canvas", "square"), ("pose_columns", "stretched")]
)
def test_weights_of_another_meaning_are_refused_though_they_fit(trained, setting, value):
    model, path = PISE(CONFIG), trained(**{setting: value})
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(
        InputError, match=rf"{setting} {value} \(here {getattr(CONFIG, setting)}\); give --set {setting}"
    ):
        begin_with(model, path)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_what_else_is_different_is_said(trained):
    model = PISE(CONFIG)
    said = begin_with(model, trained(encoding="local", matching="target"))
    assert said is not None and said.endswith(
        "was trained with encoding local (here joint), matching target (here source)"
    )
    assert begin_with(model, trained()) is None


def test_weights_that_do_not_fit_are_told_by_what_is_different(trained):
    with pytest.raises(
        InputError, match=r"does not fit this configuration.*width 8 \(here 4\); give --set width=8, or"
    ):
        begin_with(PISE(CONFIG), trained(width=8))


@pytest.mark.parametrize(
    ("vgg", "frozen", "kept"), [("none", True, True), ("none", False, True), ("random", True, True),
                                ("random", False, False), ("trained", True, False)]
)  # fmt: skip
def test_what_a_file_does_not_know_of_vgg_stays_as_it_is(tmp_path, vgg, frozen, kept):
    given, model = PISE(CONFIG), PISE(CONFIG)
    for layer in given.image_generator.matching.features.values():
        if vgg == "none":
            torch.nn.init.zeros_(layer.get_parameter("weight"))
        if vgg == "random":
            torch.nn.init.orthogonal_(layer.get_parameter("weight"), 0.02)
    save_model(tmp_path / "pise.safetensors", given)
    model.image_generator.matching.requires_grad_(not frozen)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    said = begin_with(model, tmp_path / "pise.safetensors")
    for name, value in model.state_dict().items():
        own = kept and ".matching." in name
        assert torch.equal(value, before[name] if own else given.state_dict()[name]), name
    held = {"none": "no VGG", "random": "a VGG that was never trained"}
    assert said == (f"{tmp_path / 'pise.safetensors'} holds {held[vgg]}: the matching encoder begins as it does "
                    "without --init" if kept else None)  # fmt: skip


def _discriminator(seed: int, *sizes: int) -> Discriminator:
    torch.manual_seed(seed)
    return Discriminator(*sizes)


def _same(one: Discriminator, other: Discriminator) -> bool:
    a, b = one.state_dict(), other.state_dict()
    return all(torch.equal(value, b[name]) for name, value in a.items())


def test_a_discriminator_goes_on_with_its_run(tmp_path):
    theirs, ours = _discriminator(0, 4), _discriminator(1, 4)
    assert begin_discriminator(ours, None, tmp_path) == f"begins with a new discriminator: {tmp_path} has none"
    save_checkpoint(tmp_path / "generator.pt", discriminator=theirs.state_dict(), step=3)
    assert begin_discriminator(ours, None, tmp_path) == f"begins with the discriminator of {tmp_path / 'generator.pt'}"
    assert _same(ours, theirs)
    # Not that of a run whose generator alone was asked for, nor one that sees other things.
    ours = _discriminator(1, 4)
    assert begin_discriminator(ours, None, tmp_path / "pise.safetensors") is None
    conditional = _discriminator(1, 4, 8)
    said = begin_discriminator(conditional, None, tmp_path)
    assert said is not None and "other sizes (4 wide, 3 channels to look at; here 4 wide, 11 channels" in said
    assert _same(conditional, _discriminator(1, 4, 8))
    with pytest.raises(InputError, match="other sizes .* with the same recipe and width"):
        begin_discriminator(conditional, tmp_path / "generator.pt", None)


def test_a_discriminator_of_the_authors_goes_on(tmp_path):
    checkpoint, out = tmp_path / "latest_net_D.pth", tmp_path / "d.safetensors"
    torch.save({name: torch.as_tensor(value) for name, value in filled(discriminator_shapes(4)).items()}, checkpoint)
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    assert convert(parser.parse_args([str(checkpoint), "--out", str(out)])) == 0
    weight = torch.load(checkpoint)["conv.weight_orig"]
    vgg = write_teacher(tmp_path / "vgg.safetensors")
    recipe = train.resolve(command("--recipe", "paper", "--width", 8, "--layers", "shallow"))

    def begun(**beginnings: Path) -> Trainer:
        trainer = Trainer(recipe, "joint", ALONE, vgg, **beginnings)
        assert trainer.discriminator is not None
        assert torch.equal(trainer.discriminator.state_dict()["out.parametrizations.weight.original"], weight)
        return trainer

    first = begun(init_discriminator=out)
    assert first.notes == [f"begins with the discriminator of {out}"]
    # The next stage goes on with it.
    save_checkpoint(tmp_path / "generator.pt", **first.state_dict())
    save_model(tmp_path / "pise.safetensors", first.outcome)
    assert begun(init=tmp_path).notes == [f"begins with the discriminator of {tmp_path / 'generator.pt'}"]
    with pytest.raises(InputError, match="pise.safetensors holds no discriminator"):
        begun(init_discriminator=tmp_path / "pise.safetensors")


def test_a_run_without_discriminator_takes_none(tmp_path):
    run = ["--data", write_samples(tmp_path / "data", 1), "--out", tmp_path / "run", "--steps", 1, "--device", "cpu"]
    with pytest.raises(InputError, match="no discriminator: leave --init-discriminator out"):
        train.run(command(*run, "--width", 4, "--stage", "parsing", "--init-discriminator", tmp_path / "d.safetensors"))
