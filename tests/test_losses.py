"""The losses against values worked out by hand, and the teacher that they look through."""

from dataclasses import replace
from http.client import IncompleteRead
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.vgg import cfgs, make_layers

from pise_core.errors import HubUnreachable, InputError
from pise_core.model.network import PISEOutput
from pise_core.model.vgg import VGGSlice
from pise_core.regions import one_hot
from pise_core.training.generator.losses import (
    DEEP_PERCEPTUAL,
    DEEP_STYLE,
    LossWeights,
    Objective,
    PictureLosses,
    adversarial_term,
    discriminator_terms,
    gram,
    parsing_terms,
)
from pise_core.training.generator.teacher import load_teacher
from tests.training_data import write_teacher

DEEP = (*DEEP_PERCEPTUAL, *DEEP_STYLE)


def test_every_layer_of_the_teacher_is_torchvision_s():
    torch.manual_seed(0)
    theirs = make_layers(cfgs["E"])
    ours = VGGSlice(statistics=False, layers=(*DEEP, "conv3_1"))
    tensors = {f"features.{name}": value for name, value in theirs.state_dict().items()}
    ours.load_state_dict({name: tensors[name] for name in ours.state_dict()})
    x, image, wanted = torch.rand(1, 3, 32, 32), None, {}
    numbers = {"relu1_1": 1, "relu2_1": 6, "relu2_2": 8, "conv3_1": 10, "relu3_1": 11, "relu3_4": 17, "relu4_1": 20}
    numbers |= {"relu4_4": 26, "relu5_1": 29, "relu5_2": 31}
    with torch.no_grad():
        image = x
        for number, layer in enumerate(theirs):
            x = torch.relu(x) if isinstance(layer, nn.ReLU) else layer(x)
            wanted[number] = x
        seen = ours(image)
    assert seen.keys() == numbers.keys()
    for name, number in numbers.items():
        torch.testing.assert_close(seen[name], wanted[number])


def test_a_teacher_is_read_from_either_kind_of_file(tmp_path):
    whole = load_teacher(write_teacher(tmp_path / "vgg19.pth", DEEP), (*DEEP, "conv3_1"))
    assert not any(p.requires_grad for p in whole.parameters())
    shallow = load_teacher(tmp_path / "vgg19.pth")
    image = torch.rand(1, 3, 32, 32)
    assert torch.equal(shallow(image)["conv3_1"], whole(image)["conv3_1"])
    write_teacher(tmp_path / "shallow.safetensors")
    assert torch.equal(load_teacher(tmp_path / "shallow.safetensors")(image)["conv3_1"], whole(image)["conv3_1"])
    with pytest.raises(InputError, match=r"up to conv3_1 only, and relu5_2 is asked for: .* --layers shallow"):
        load_teacher(tmp_path / "shallow.safetensors", DEEP)


def test_a_teacher_that_is_none_is_named(tmp_path):
    (tmp_path / "broken.pth").write_bytes(b"nothing")
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")
    torch.save({"weight": torch.zeros(1)}, tmp_path / "other.pth")
    torch.save(torch.zeros(1), tmp_path / "tensor.pth")
    torch.save(VGGSlice(8).state_dict(), tmp_path / "narrow.pth")
    for name, message in (
        ("broken.pth", "not a readable file"),
        ("broken.safetensors", "not a readable file"),
        ("other.pth", "no features.0.weight"),
        ("tensor.pth", "something else than named tensors"),
        ("narrow.pth", "layers are of other sizes"),
    ):
        with pytest.raises(InputError, match=f"{name}.*{message}"):
            load_teacher(tmp_path / name)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (OSError("no route to host"), "no route to host"),
        (RuntimeError('invalid hash value (expected "dcbb9e9d", got "0")'), "invalid hash value"),
        (IncompleteRead(b"", 9), "IncompleteRead"),
        (None, ""),
    ],
    ids=["offline", "hash", "cut off", "damaged"],
)
def test_a_teacher_that_cannot_be_fetched_is_named(failure, reason, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def fetch(url: str, path: str, *rest, **more):
        if failure is not None:
            raise failure
        Path(path).write_bytes(b"half a file")

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    with pytest.raises(HubUnreachable) as caught:
        load_teacher(None)
    said = str(caught.value)
    assert "VGG-19 can't be fetched" in said and reason in said and "--vgg FILE" in said and "\n" not in said


def test_map_losses():
    target = torch.tensor(one_hot(np.array([[3]], np.uint8)))[None]
    sure = (target * 2 - 1) * 50
    # Logits: a sure answer costs nothing. Bounded: 1 for the right class and 0 for seven others, so that the softmax
    # gives the right one e / (e + 7).
    assert float(sum(parsing_terms(sure, target, Objective()).values())) == pytest.approx(0, abs=1e-6)
    bounded = parsing_terms(sure, target, Objective(map_values="bounded"))
    assert float(bounded["cross"]) == pytest.approx(np.log((np.e + 7) / np.e)) == pytest.approx(1.274, abs=5e-4)
    assert float(bounded["parsing_l1"]) == pytest.approx(0, abs=1e-6)
    # Nothing known: softmax 1/8 each, so l1 (7/8 + 7 * 1/8) / 8; bounded 1/2 each.
    nothing = torch.zeros_like(target)
    heavy = Objective(LossWeights(parsing_l1=100))
    assert float(parsing_terms(nothing, target, heavy)["parsing_l1"]) == pytest.approx(21.875)
    assert float(parsing_terms(nothing, target, replace(heavy, map_values="bounded"))["parsing_l1"]) == 50


class _Constant(nn.Module):
    """A discriminator of the picture's mean."""

    def forward(self, image, conditions=None):
        return image.mean((1, 2, 3), keepdim=True)


def test_adversarial_losses():
    real, fake = torch.full((1, 3, 4, 4), 0.75), torch.full((1, 3, 4, 4), -0.5, requires_grad=True)
    judge = _Constant()
    squares = discriminator_terms(judge, real, fake, None, "lsgan")  # pyright: ignore[reportArgumentType]
    assert float(squares["real"]) == pytest.approx(0.5 * 0.25**2)
    assert float(squares["fake"]) == pytest.approx(0.5 * 0.5**2)
    assert not squares["fake"].requires_grad
    assert adversarial_term(judge, fake, None, Objective(adversarial="lsgan")).item() == pytest.approx(1.5**2)  # pyright: ignore[reportArgumentType]
    # -log D(real), -log(1 - D(fake)) and -log D(fake), D being the sigmoid of what is answered.
    logs = discriminator_terms(judge, real, fake, None, "log")  # pyright: ignore[reportArgumentType]
    assert float(logs["real"]) == pytest.approx(np.log(1 + np.exp(-0.75)))
    assert float(logs["fake"]) == pytest.approx(np.log(1 + np.exp(-0.5)))
    assert adversarial_term(judge, fake, None, Objective()).item() == pytest.approx(np.log(1 + np.exp(0.5)))  # pyright: ignore[reportArgumentType]


class _Echo(nn.Module):
    """A teacher, or a matching encoder, that answers multiples of the picture."""

    def forward(self, image):
        return {"relu1_1": image, "relu2_2": 2 * image, "conv3_1": 3 * image}


def test_picture_losses():
    objective = Objective(
        LossWeights(correspondence=30, reconstruction=5, perceptual=0.5, style=200, painted=0, face=0),
        judged="picture",
        perceptual=("relu1_1", "conv3_1"),
        style=("relu2_2",),
        matching="vgg",
    )
    losses = PictureLosses(_Echo(), 3, objective)  # pyright: ignore[reportArgumentType]
    image, target = torch.full((2, 3, 8, 8), 0.5), torch.full((2, 3, 8, 8), -0.25)
    matched, parsing = torch.zeros(2, 3, 8, 8), torch.zeros(2, 8, 8, 8)
    made = PISEOutput(image, parsing, torch.zeros(2, 8, 1), None, image, image[:, :1], matched)
    terms = {name: float(value) for name, value in losses(made, target, parsing, _Echo()).items()}  # pyright: ignore[reportArgumentType]
    assert terms["reconstruction"] == pytest.approx(5 * 0.75)
    assert terms["perceptual"] == pytest.approx(0.5 * (0.75 + 3 * 0.75))
    # Gram matrices of constants c, (c^2 h w) / (3 h w) everywhere: c is 1, and -0.5 in the target.
    assert terms["style"] == pytest.approx(200 * (1 - 0.25) / 3)
    assert terms["correspondence"] == pytest.approx(30 * 0.75**2)
    assert terms.keys() == {"reconstruction", "perceptual", "style", "correspondence"}


def test_gram_matrices_do_not_overflow_in_half_precision():
    x = torch.full((1, 2, 64, 64), 60.0)
    assert torch.isfinite(gram(x.half())).all()
    torch.testing.assert_close(gram(x.half()).float(), gram(x))
