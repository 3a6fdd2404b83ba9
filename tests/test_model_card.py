"""The model card's commands run from a public clone to the end; at night, twice, with the same bytes.

By day in a few steps. ``make nightly`` trains for about ten minutes each time. Drawn people of the real photos' sizes,
or the photos themselves where the variable PISE_SHARED_DATA names a folder that holds them.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pise_core.cli.main import main
from pise_core.detection.analyzer import read_network
from pise_core.detection.network import AnalyzerNetwork
from pise_core.model.network import PISE
from pise_core.training.data.street_photos import SHIPPED_LISTS
from tests.conftest import ROOT
from tests.test_prepare_photos import write_clone
from tests.training_data import write_people, write_teacher

SHARED = os.environ.get("PISE_SHARED_DATA")
CARD = (ROOT / "weights/README.md").read_text(encoding="utf-8")


def commands() -> list[list[str]]:
    """What stands in the card's blocks of commands, in their order, without the interpreter."""
    blocks = re.findall(r"```sh\n(.*?)```", CARD, re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    start = "python -m pise_core "
    return [shlex.split(line.removeprefix(start), comments=True) for line in lines if line.startswith(start)]


def shortened(words: list[str], clone: Path, photos: int, steps: int, people: int, files: dict[str, Path]) -> list[str]:
    """The same command with less of everything, and nothing fetched."""
    words = [str(clone) if word == "CLOTHING_CO_PARSING" else word for word in words]
    for option, name, value in (("--minutes", "--steps", steps), ("--count", "--count", people)):
        if option in words:
            place = words.index(option)
            words[place : place + 2] = [name, str(value)]
    if "--steps" in words:
        words[words.index("--steps") + 1] = str(steps)
    if words[0] == "prepare":
        words += ["--limit", str(photos)]
    if words[0] == "train":
        words += ["--device", "cpu", "--threads", "1"]
        if "--init" not in words or words[1] == "generator":
            option = {"analyzer": "--backbone", "generator": "--vgg"}[words[1]]
            words += [option, str(files[words[1]])]
        if words[1] == "generator":
            words += ["--validate-every", str(max(1, steps // 2)), "--batch", "1"]
    return words


def backbone(path: Path) -> Path:
    """torchvision's SqueezeNet 1.1, untrained."""
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    torch.save(squeezenet1_1(weights=None).state_dict(), path)
    return path


def public_clone(folder: Path, photos: int) -> Path:
    split = json.loads((SHIPPED_LISTS / "split.json").read_text())
    return write_clone(folder, [name for names in split.values() for name in names[:photos]])


def test_the_card_prepares_and_trains_both_networks():
    words = commands()
    assert words[0][0] == "prepare"
    assert {tuple(w[:2]) for w in words if w[0] == "train"} == {("train", "analyzer"), ("train", "generator")}


def test_the_card_s_commands_run_from_a_public_clone_to_the_end(tmp_path, monkeypatch):
    files = {
        "analyzer": backbone(tmp_path / "squeezenet.pth"),
        "generator": write_teacher(tmp_path / "vgg.safetensors"),
    }
    clone = public_clone(tmp_path / "clone", 3)
    monkeypatch.chdir(tmp_path)
    outs = []
    for words in commands():
        if words[0] == "synthesize":  # what renders is an optional part: its folder, drawn
            write_people(Path(words[words.index("--out") + 1]), 3)
            continue
        if words[0] not in ("prepare", "train"):
            continue
        assert main(shortened(words, clone, 3, 2, 3, files)) == 0, words
        outs.append(Path(words[words.index("--out") + 1]))
    weights = [path for out in outs for path in out.glob("*.safetensors")]
    names = {path.name for path in weights}
    assert names == {"analyzer.safetensors", "pise.safetensors"}
    for path in weights:
        network = PISE.from_pretrained(path) if path.name == "pise.safetensors" else read_network(path)
        assert isinstance(network, PISE | AnalyzerNetwork)
        assert all(torch.isfinite(value).all() for value in network.state_dict().values())


#: Steps of each training, of which the variable PISE_NIGHT_STEPS says another number, and photos of each split.
NIGHT_STEPS, NIGHT_PHOTOS = int(os.environ.get("PISE_NIGHT_STEPS", "90")), 48


@pytest.mark.nightly
def test_the_card_repeated_twice_has_the_same_bytes(tmp_path):
    if SHARED is None:
        files = {
            "analyzer": backbone(tmp_path / "squeezenet.pth"),
            "generator": write_teacher(tmp_path / "vgg.safetensors"),
        }
    else:
        perceptual = Path(SHARED) / "perceptual"
        (squeezenet,) = perceptual.rglob("squeezenet1_1-*.pth")
        files = {"analyzer": squeezenet, "generator": next(iter(sorted(perceptual.glob("vgg*"))))}
    clone = public_clone(tmp_path / "clone", NIGHT_PHOTOS)
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    made: list[dict[str, bytes]] = []
    for repetition in ("first", "second"):
        folder = tmp_path / repetition
        folder.mkdir()
        for words in commands():
            if words[0] == "synthesize":
                write_people(folder / words[words.index("--out") + 1], 8)
                continue
            if words[0] not in ("prepare", "train"):
                continue
            asked = shortened(words, clone, NIGHT_PHOTOS, NIGHT_STEPS, 8, files)
            run = [sys.executable, "-m", "pise_core", *asked]
            done = subprocess.run(run, cwd=folder, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, f"{asked}: {done.stderr}"
        kept = sorted((folder / "runs").rglob("*.safetensors"))
        made.append({path.relative_to(folder).as_posix(): path.read_bytes() for path in kept})
    first, second = made
    assert first.keys() == second.keys() and len(first) >= 3
    assert [name for name in first if first[name] != second[name]] == []
