"""Everything that is done with DeepFashion, end to end through the command line, on drawn people: prepare, train in
stages, convert a checkpoint of the release's form, evaluate them side by side."""

import json

import numpy as np
import pytest
import torch
from release_reference import filled, generator_shapes
from safetensors.torch import save_file

from pise_core.cli.main import main
from pise_core.evaluation.entries import ALONE, COPY, TRUTH, WITH_DETAIL
from pise_core.images import read_image
from pise_core.model.network import PISE
from pise_core.model.vgg import VGGSlice
from tests.test_deepfashion import FLAT, Given, draw_archive

WIDTH = 4


@pytest.fixture(scope="module")
def given(tmp_path_factory) -> Given:
    """Pictures of 256x256, 40 columns of white on either side; lists in the spelling of the authors' own files."""
    return draw_archive(tmp_path_factory.mktemp("deepfashion"), spelling="fasion")


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """A teacher that was taught nothing; the steps below are about plumbing."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vgg") / "vgg.safetensors"
    save_file(VGGSlice(64).state_dict(), str(path))
    return path


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No network and nothing in the hub's cache: the learned measures can't be taken."""

    def unreachable(url: str, *rest, **more):
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)


def run(*command) -> None:
    assert main([str(word) for word in command]) == 0


def train(data, out, vgg, *more) -> None:
    fixed = ("--width", WIDTH, "--batch", 1, "--layers", "shallow", "--vgg", vgg, "--device", "cpu", "--log-every", 1)
    run("train", "generator", "--data", data, "--out", out, *fixed, *more)


def log(out) -> list[dict]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def test_the_release_s_recipe_in_its_stages_beside_a_converted_checkpoint(given, vgg, offline, tmp_path, capsys):
    data = tmp_path / "pgn"
    given._replace(out=data).prepare("--table", "cihp-pgn")
    before = None
    for stage in ("apart", "joint"):
        out = tmp_path / stage
        begin = () if before is None else ("--init", before)
        train(data, out, vgg, "--recipe", "release", "--stage", stage, "--steps", 2, *begin)
        lines = log(out)
        assert lines[0]["samples"] == 2 and lines[-1]["step"] == 2
        terms = {name: value for name, value in lines[-1].items() if name not in ("step", "seconds")}
        assert terms and np.isfinite(list(terms.values())).all()
        assert {"reconstruction", "cross"} <= terms.keys()
        assert (out / "pairs.png").exists() and (out / "sheet.png").exists()
        before = out / "pise.safetensors"
    trained = PISE.from_pretrained(before)
    assert (trained.config.canvas, trained.config.labels) == ("square", "pgn")

    checkpoint, converted = tmp_path / "latest_net_G.pth", tmp_path / "converted.safetensors"
    theirs = filled(generator_shapes(WIDTH))
    torch.save({name: torch.from_numpy(np.array(value)) for name, value in theirs.items()}, checkpoint)
    run("convert", checkpoint, "--out", converted)

    figures, kept = tmp_path / "figures.json", tmp_path / "kept"
    also = ("--also", f"converted={converted}", "--keep", kept, "--json", figures, "--device", "cpu")
    capsys.readouterr()
    run("evaluate", "deepfashion", "--data", data, "--weights", before, *also)
    printed = capsys.readouterr().out
    for word in (f"| {ALONE} ", "| converted ", "| PISE, printed in the paper ", "not taken: LPIPS: AlexNet can't be"):
        assert word in printed
    rows = json.loads(figures.read_text())["rows"]
    assert list(rows) == [ALONE, "converted", COPY, TRUTH]
    assert rows[TRUTH]["ssim"] == pytest.approx(1, abs=1e-4) and rows[TRUTH]["psnr"] is None
    for name in (ALONE, "converted"):
        assert rows[name]["ssim"] < 0.9 and rows[name]["psnr"] < rows[COPY]["psnr"]  # two steps teach little
        assert rows[name]["wrapped_psnr"] > 24
    first, second = FLAT["test"][:2]
    files = [kept / row / f"{first}_2_{second}.png" for row in ("PISE-alone", "converted")]
    pictures = [read_image(file) for file in files]
    assert pictures[0].shape == (256, 176, 3)
    assert (pictures[0] != pictures[1]).any()

    run("evaluate", "deepfashion", "--data", data, "--generated", kept / "converted", "--json", figures)
    again = json.loads(figures.read_text())["rows"]
    assert {k: v for k, v in rows["converted"].items() if k != "seconds"} == pytest.approx(again["converted"])


def test_our_own_recipe_on_true_pairs(given, vgg, offline, tmp_path, capsys):
    data, out = tmp_path / "studio", tmp_path / "run"
    given._replace(out=data).prepare()
    train(data, out, vgg, "--steps", 2, "--small-share", 0.5)
    assert log(out)[-1]["step"] == 2
    assert PISE.from_pretrained(out).config.detail_path
    run("evaluate", "deepfashion", "--data", data, "--weights", out / "pise.safetensors", "--limit", 1)
    printed = capsys.readouterr().out
    assert f"| {WITH_DETAIL} " in printed and f"| {ALONE} " in printed and "| standard (1)" in printed


def test_maps_and_network_must_speak_of_the_same_regions(given, vgg, tmp_path, capsys):
    data = tmp_path / "spl8"
    given._replace(out=data).prepare("--table", "cihp-spl8")
    command = ["train", "generator", "--data", data, "--out", tmp_path / "run", "--recipe", "release", "--steps", 1]
    assert main([str(word) for word in (*command, "--vgg", vgg, "--width", WIDTH)]) == 2
    assert "train with --set labels=spl8" in capsys.readouterr().err
