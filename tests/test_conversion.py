"""``convert``: the release's checkpoints by their names, and what is said of those that don't fit."""

import argparse
import json

import numpy as np
import pytest
import torch
from release_reference import Arrays, discriminator_shapes, filled, generator_shapes
from safetensors import safe_open
from safetensors.torch import save_file

from pise_core import PISE, Editor, InputError
from pise_core.cli.main import main
from pise_core.model.config import RELEASE_CONFIG, RELEASE_EDITING_CONFIG
from pise_core.model.discriminator import Discriminator
from pise_core.model.weights import read_model

WIDTH = 4


@pytest.fixture
def checkpoint(tmp_path):
    """Writes a file as the release does."""

    def write(tensors: Arrays, name: str = "latest_net_G.pth"):
        path = tmp_path / name
        # torch 1.2, which the authors used, wrote no zip files yet.
        saved = {key: torch.from_numpy(np.array(value)) for key, value in tensors.items()}
        torch.save(saved, path, _use_new_zipfile_serialization=False)
        return path

    return write


def convert(path, *more: str):
    out = path.with_suffix(".safetensors")
    return main(["convert", str(path), "--out", str(out), *more]), out


def metadata(path) -> dict[str, str]:
    with safe_open(str(path), "pt") as file:
        return file.metadata()


def inputs(batch: int = 1):
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(batch, 3, 48, 32, generator=generator) * 2 - 1
    maps = torch.nn.functional.one_hot(torch.arange(8).repeat(batch, 48, 4), 8).permute(0, 3, 1, 2).float()
    return image, maps, *torch.rand(2, batch, 18, 48, 32, generator=generator)


def test_pose_transfer_and_editing_are_told_apart_and_load(checkpoint, capsys):
    status, out = convert(checkpoint(filled(generator_shapes(WIDTH))))
    assert status == 0
    assert "pose transfer, labels pgn, pose columns stretched" in capsys.readouterr().out
    model = PISE.from_pretrained(out)
    assert {**model.config.to_dict(), "width": 64} == RELEASE_CONFIG.to_dict()
    with torch.no_grad():
        made = model(*inputs())
    assert made.image.shape == (1, 3, 48, 32)
    assert made.parsing_logits is not None

    status, out = convert(
        checkpoint(filled(generator_shapes(WIDTH, editing=True)), "editing.pth"),
        "--labels",
        "spl8",
        "--pose-columns",
        "aligned",
    )
    assert status == 0
    model = PISE.from_pretrained(out)
    expected = {**RELEASE_EDITING_CONFIG.to_dict(), "labels": "spl8", "pose_columns": "aligned"}
    assert {**model.config.to_dict(), "width": 64} == expected
    assert json.loads(metadata(out)["config"])["labels"] == "spl8"
    assert metadata(out)["source"] == "authors' release, editing"
    with pytest.raises(InputError, match="for another pose"):
        model(*inputs())


def test_the_older_network_without_a_pose_converts_too(checkpoint):
    tensors = filled(generator_shapes(WIDTH, editing=True, layout_pose=False))
    assert tensors["parenc.block0.model.2.weight_orig"].shape[1] == 19
    status, out = convert(checkpoint(tensors))
    assert status == 0
    model = PISE.from_pretrained(out)
    image, maps, pose, other_pose = inputs()
    with torch.no_grad():
        one, another = (model(image, maps, pose, p, target_parsing=maps.flip(3)).image for p in (pose, other_pose))
    assert torch.equal(one, another)
    tensors["parenc.block0.model.2.weight_orig"] = tensors["parenc.block0.model.2.weight_orig"][:, :18]
    assert convert(checkpoint(tensors))[0] == 2


def test_an_editing_network_needs_no_vgg(checkpoint, capsys):
    tensors = filled(generator_shapes(WIDTH, editing=True))
    whole = PISE.from_pretrained(convert(checkpoint(tensors))[1])
    lean = {name: value for name, value in tensors.items() if not name.startswith("imgenc.")}
    status, out = convert(checkpoint(lean, "lean.pth"))
    assert status == 0 and metadata(out)["vgg"] == "none"
    assert "it holds no VGG, and editing needs none" in capsys.readouterr().out
    image, maps, pose, other_pose = inputs()
    with torch.no_grad():
        one, another = (
            model(image, maps, pose, other_pose, target_parsing=maps.flip(3)).image
            for model in (whole, PISE.from_pretrained(out))
        )
    assert torch.equal(one, another)
    del tensors["imgenc.vgg.5.bias"]
    assert convert(checkpoint(tensors))[0] == 2
    assert "lacks imgenc.vgg.5.bias" in capsys.readouterr().err


def test_names_of_parallel_training_and_files_without_twins_or_unused_tensors(checkpoint):
    tensors = filled(generator_shapes(WIDTH))
    expected = read_model(convert(checkpoint(tensors))[1])[2]
    dispensable = ("parnet.parout.model.3.", "dec.out.model.3.", "parnet.makout.", "efb.blending_", "imgenc.vgg.34.")
    lean = {f"module.{name}": value for name, value in tensors.items() if not name.startswith(dispensable)}
    assert len(lean) < len(tensors)
    status, out = convert(checkpoint(lean, "lean.pth"))
    assert status == 0
    found = read_model(out)[2]
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_spectral_normalization_is_folded_as_torch_does_it(checkpoint):
    """Transposed convolutions too, whose outputs are in the second dimension."""
    tensors = filled(generator_shapes(WIDTH))
    layers = {
        "dec.block0.model.2": torch.nn.Conv2d(16, 16, 3),
        "dec.block0.model.5": torch.nn.ConvTranspose2d(16, 8, 3),
        "dec.block0.shortcut.0": torch.nn.ConvTranspose2d(16, 8, 3),
    }
    converted = read_model(convert(checkpoint(tensors))[1])[2]
    for theirs, ours in zip(layers, ("conv1", "conv2", "shortcut"), strict=True):
        layer = torch.nn.utils.spectral_norm(layers[theirs]).eval()
        layer.load_state_dict({n: torch.from_numpy(tensors[f"{theirs}.{n}"]) for n in layer.state_dict()})
        layer(torch.zeros(1, 16, 4, 4))
        assert torch.allclose(converted[f"image_generator.up1.{ours}.weight"], layer.weight, atol=1e-6)


def test_a_vgg_that_was_never_trained_is_reported(checkpoint, capsys):
    tensors = filled(generator_shapes(WIDTH))
    status, out = convert(checkpoint(tensors))
    assert status == 0 and metadata(out)["vgg"] == "trained"
    assert "VGG" not in capsys.readouterr().out
    first = torch.from_numpy(tensors["imgenc.vgg.0.weight"])
    torch.manual_seed(0)
    torch.nn.init.orthogonal_(first, gain=0.02)
    tensors["imgenc.vgg.0.bias"] *= 0
    status, out = convert(checkpoint(tensors))
    assert status == 0 and metadata(out)["vgg"] == "random"
    assert "its VGG was never trained" in capsys.readouterr().out


def test_the_discriminator_goes_on_where_it_was(checkpoint):
    tensors = filled(discriminator_shapes(WIDTH))
    status, out = convert(checkpoint(tensors, "latest_net_D.pth"))
    assert status == 0
    name, config, found = read_model(out)
    assert (name, config) == ("Discriminator", {"width": WIDTH})
    model = Discriminator(**config)
    model.load_state_dict(found)
    model.train()(torch.rand(1, 3, 32, 32)).sum().backward()
    with pytest.raises(InputError, match="not PISE"):
        PISE.from_pretrained(out)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("efb.fc_mu3.bias"), "lacks efb.fc_mu3.bias"),
        (lambda t: t.pop("dec.block1.model.2.weight_v"), "lacks dec.block1.model.2.weight_v"),
        (lambda t: t.update({"efb.fc_mu8.bias": np.zeros(3)}), "also has efb.fc_mu8.bias"),
        (lambda t: t.update({"res.model.2.bias": np.zeros(3, np.float32)}), "res.model.2.bias is (3,), expected (16,)"),
        (lambda t: t.update({"dec.out.model.3.bias": np.ones(3, np.float32)}), "two different tensors for dec.out"),
        (lambda t: [t.pop(n) for n in list(t) if n.startswith("Zen")], "is no network of the release"),
    ],
)
def test_what_does_not_fit_is_named(checkpoint, capsys, change, message):
    tensors = filled(generator_shapes(WIDTH))
    change(tensors)
    status, out = convert(checkpoint(tensors))
    said = capsys.readouterr().err
    assert status == 2 and said.count("\n") == 1
    assert message in said
    assert not out.exists()


def wrapped(tensors, how):
    """As training programs save a network: (what torch.save gets)."""
    plain = {key: torch.from_numpy(np.array(value)) for key, value in tensors.items()}
    optimizer = {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}

    def under(prefix):
        return {prefix + key: value for key, value in plain.items()}

    return {
        "state_dict": lambda: {"state_dict": plain, "epoch": 3, "optimizer": optimizer},
        "net_G": lambda: {"net_D": {"conv.weight": torch.zeros(1)}, "net_G": plain, "optimizer_G": optimizer},
        "module": lambda: under("module."),
        "module twice": lambda: under("module.module."),
        "prefixed": lambda: {"state_dict": under("net_G.module.")},
        "compiled": lambda: {"model": under("_orig_mod.")},
        "nested": lambda: {"checkpoint_version": 2, "model": {"state_dict": under("module.")}},
        "averaged": lambda: {"params": {"a": torch.zeros(2)}, "params_ema": plain},
        "said to be a state": lambda: {"net_D_state_dict": {"a": torch.zeros(2)}, "net_G_state_dict": under("module.")},
        "beside others": lambda: {
            "state_dict": under("net_G.") | {"net_D.conv.weight": torch.zeros(1), "vgg.features.0.bias": torch.ones(2)}
        },
        "among numbers": lambda: {"epoch": 3, **plain, "lr": 1e-4},
    }[how]()


@pytest.mark.parametrize(
    "how",
    [
        *("state_dict", "net_G", "module", "module twice", "prefixed", "compiled", "nested", "averaged"),
        *("said to be a state", "beside others", "among numbers"),
    ],
)
def test_wrapped_networks_are_those_within(checkpoint, tmp_path, how):
    tensors = filled(generator_shapes(WIDTH))
    _, bare = convert(checkpoint(tensors))
    torch.save(wrapped(tensors, how), tmp_path / "wrapped.pth")
    status, out = convert(tmp_path / "wrapped.pth")
    assert status == 0
    assert all(
        torch.equal(a, b) for a, b in zip(read_model(bare)[2].values(), read_model(out)[2].values(), strict=True)
    )


def test_the_release_s_tensors_in_safetensors_are_the_same(checkpoint, tmp_path):
    tensors = filled(generator_shapes(WIDTH))
    _, bare = convert(checkpoint(tensors))
    save_file(wrapped(tensors, "module"), str(tmp_path / "theirs.safetensors"))
    out = tmp_path / "ours.safetensors"
    assert main(["convert", str(tmp_path / "theirs.safetensors"), "--out", str(out)]) == 0
    assert all(
        torch.equal(a, b) for a, b in zip(read_model(bare)[2].values(), read_model(out)[2].values(), strict=True)
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state": {}, "param_groups": []}, "the state of an optimizer"),
        ({"epoch": 3, "lr": 1e-3}, "but epoch, lr"),
        ({}, "but nothing"),
        ([1, 2], "but list"),
        ({"state_dict": {"conv1.weight": torch.zeros(3)}}, "is no network of the release"),
        ({"opt": argparse.Namespace(a=1), "state_dict": {}}, "a Python object (argparse.Namespace)"),
    ],
)
def test_other_checkpoints_are_said_to_be_what_they_are(tmp_path, capsys, content, message):
    torch.save(content, tmp_path / "other.pth")
    status, _ = convert(tmp_path / "other.pth")
    said = capsys.readouterr().err
    assert status == 2 and said.count("\n") == 1 and message in said, said


def test_files_of_another_kind_are_refused(tmp_path, capsys):
    class Surprise:
        def __reduce__(self):
            return (print, ("executed",))

    torch.save({"Zencoder": Surprise()}, tmp_path / "code.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    (tmp_path / "text.pth").write_text("no weights")
    for name in ("code.pth", "list.pth", "text.pth", "missing.pth"):
        status, _ = convert(tmp_path / name)
        said = capsys.readouterr()
        assert status == 2 and name in said.err
        assert "executed" not in said.out
    assert main(["convert", str(tmp_path / "list.pth"), "--out", str(tmp_path / "x.pth")]) == 2
    assert ".safetensors" in capsys.readouterr().err


@pytest.mark.parametrize("editing", [False, True])
def test_converted_weights_edit_photos(checkpoint, person, other_person, editing, capsys):
    status, out = convert(checkpoint(filled(generator_shapes(WIDTH, editing=editing))))
    assert status == 0
    editor = Editor.from_pretrained(out, device="cpu")
    me, other = (editor.set_person(p.photo, pose=p.pose, parsing=p.parsing) for p in (person, other_person))
    painted = person.parsing.copy()
    painted[150:200, 80:140] = 4
    for edit in (me.render(parsing=painted), me.render(styles={"upper_clothes": [(other, 0.5)]})):
        assert edit.photo.shape == person.photo.shape
        assert edit.changed.any() and not edit.changed[:8].any()
    pose = person.pose.copy()
    pose[4, :2] += (-20, -60)
    if editing:
        with pytest.raises(InputError, match="for another pose"):
            me.render(pose=pose)
        return
    edit = me.render(pose=pose)
    assert edit.changed.any()
    assert (edit.photo == me.render(pose=pose).photo).all()
