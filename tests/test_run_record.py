"""What a run is made of is recorded and checked; validation on the way, and which weights are kept."""

import json
import logging
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from pise_core.errors import InputError
from pise_core.model.network import PISE
from pise_core.training import command as train
from pise_core.training import run_record
from pise_core.training.kept import Kept
from tests.training_data import command, write_people, write_samples, write_teacher


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("data") / "prepared")


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return write_teacher(tmp_path_factory.mktemp("teacher") / "vgg.safetensors")


def run(data, teacher, out, *more) -> int:
    settings = ["--data", data, "--out", out, "--width", 4, "--set", "modulation=4", "--batch", 1, "--small-share", 1]
    return train.run(command(*settings, "--vgg", teacher, "--device", "cpu", "--precision", "fp32", *more))


def metadata(path) -> dict:
    with safe_open(str(path), "pt") as file:
        return file.metadata()


def test_checkpoint_and_weights_hold_what_the_run_was_made_of(data, teacher, tmp_path):
    run(data, teacher, tmp_path, "--stage", "image", "--steps", 1)
    made_of = json.loads(metadata(tmp_path / "pise.safetensors")["run"])
    state = torch.load(tmp_path / "generator.pt", weights_only=True)
    for name in ("recipe", "stage", "seed", "data", "vgg", "surroundings", "length"):
        assert made_of[name] == json.loads(json.dumps(state[name])), name
    assert made_of["data"] == run_record.digest_of_prepared(data)
    assert made_of["surroundings"]["torch"] == torch.__version__
    assert made_of["surroundings"]["threads"] == torch.get_num_threads()
    assert str(tmp_path) not in json.dumps(made_of) and str(data) not in json.dumps(made_of)
    assert PISE.from_pretrained(tmp_path).config.width == 4


def test_the_digest_is_of_the_content_wherever_it_lies(data, tmp_path):
    twin = tmp_path / "twin"
    shutil.copytree(data, twin)
    assert run_record.digest_of_prepared(twin) == run_record.digest_of_prepared(data)
    photo = next((twin / "images").iterdir())
    photo.write_bytes(photo.read_bytes() + b"x")
    assert run_record.digest_of_prepared(twin) != run_record.digest_of_prepared(data)
    people = write_people(tmp_path / "people", 3)
    assert run_record.digest_of_people(people, 3) != run_record.digest_of_people(people, 2)
    assert run_record.digest_of_people(people, 2) == run_record.digest_of_people(people, 2)


def test_a_run_goes_on_with_the_same_content_only(data, teacher, tmp_path):
    """As many photos and another content: that is another run."""
    out, settings = tmp_path / "out", ["--stage", "image", "--steps", 2]
    run(data, teacher, out, *settings, "--until", 1)
    other = tmp_path / "other"
    shutil.copytree(data, other)
    photos = sorted((other / "images").iterdir())
    photos[0].write_bytes(photos[1].read_bytes())
    with pytest.raises(InputError, match="the content of --data is another"):
        run(other, teacher, out, *settings)
    tensors = {name: value + 1 for name, value in _tensors(teacher).items()}
    torch.save(tensors, tmp_path / "vgg.pth")
    with pytest.raises(InputError, match="the weights of --vgg are others"):
        run(data, tmp_path / "vgg.pth", out, *settings)
    # Elsewhere, and in another kind of file: the same.
    torch.save(_tensors(teacher), tmp_path / "vgg.pth")
    shutil.copytree(data, tmp_path / "moved")
    assert run(tmp_path / "moved", tmp_path / "vgg.pth", out, *settings) == 0


def _tensors(path) -> dict[str, torch.Tensor]:
    with safe_open(str(path), "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def test_what_differs_in_rounding_is_said_and_goes_on(data, teacher, tmp_path, monkeypatch, caplog):
    settings = ["--stage", "parsing", "--steps", 3]
    run(data, teacher, tmp_path, *settings, "--until", 1)
    threads = torch.get_num_threads()
    monkeypatch.setattr(run_record, "commit", lambda: "0" * 40)
    with caplog.at_level(logging.INFO):
        torch.set_num_threads(threads + 1)
        try:
            run(data, teacher, tmp_path, *settings, "--resume", "--until", 2)
        finally:
            torch.set_num_threads(threads)
    said = "\n".join(caplog.messages)
    assert f"threads was {threads} and is {threads + 1}: what is computed is no longer equal" in said
    assert f"and is {'0' * 40}" in said
    assert "torch was" not in said


def test_resume_wants_a_run(data, teacher, tmp_path):
    with pytest.raises(InputError, match="holds no run to go on with; leave --resume out"):
        run(data, teacher, tmp_path, "--stage", "parsing", "--steps", 1, "--resume")


@pytest.mark.parametrize("stage", ["parsing", "apart"])
def test_validation_on_the_way_is_logged_and_changes_nothing(data, teacher, tmp_path, stage):
    settings = ["--stage", stage, "--steps", 3]
    run(data, teacher, tmp_path / "with", *settings, "--validate-every", 1)
    run(data, teacher, tmp_path / "without", *settings, "--validate-every", 0)
    lines = [json.loads(line) for line in (tmp_path / "with" / "log.jsonl").read_text().splitlines()]
    measured = [line for line in lines if "validation/loss" in line]
    assert [line["step"] for line in measured] == [1, 2, 3]
    terms = {name.removeprefix("validation/") for name in measured[0]} - {"step"}
    assert {"loss", "cross", "parsing_l1", "map_miou"} <= terms
    assert ("perceptual" in terms) == (stage == "apart")
    one, other = (_tensors(tmp_path / name / "pise.safetensors") for name in ("with", "without"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert not (tmp_path / "without" / "kept").exists()
    index = json.loads((tmp_path / "with" / "kept" / "index.json").read_text())
    best = min(measured, key=lambda line: line["validation/loss"])
    assert index["best"] == best["step"]
    kept = metadata(tmp_path / "with" / "kept" / f"step-{best['step']:06d}.safetensors")
    assert json.loads(kept["validation"])["loss"] == best["validation/loss"]
    assert json.loads(kept["run"])["stage"] == stage


def test_the_newest_three_and_the_best_are_kept(tmp_path):
    def written(path: Path) -> None:
        path.write_text("weights")

    kept = Kept(tmp_path)
    for step, loss in ((10, 3.0), (20, 1.0), (30, 2.0), (40, 1.0), (50, 4.0), (60, 5.0)):
        kept.add(step, loss, written)
    names = sorted(path.name for path in (tmp_path / "kept").glob("*.safetensors"))
    assert names == [f"step-{step:06d}.safetensors" for step in (20, 40, 50, 60)]
    # A run that goes on from step 50 knows nothing of 60.
    again = Kept(tmp_path, 50)
    assert list(again.losses) == [10, 20, 30, 40, 50] and again.best == 20
    again.add(60, 0.5, written)
    names = sorted(path.name for path in (tmp_path / "kept").glob("*.safetensors"))
    assert names == [f"step-{step:06d}.safetensors" for step in (40, 50, 60)]
    assert json.loads((tmp_path / "kept" / "index.json").read_text())["best"] == 60


def test_deepfashion_has_no_split_to_choose_by():
    from pise_core.training.data.deepfashion_pairs import DeepFashionPairs

    assert DeepFashionPairs.validation(DeepFashionPairs.__new__(DeepFashionPairs), 3) == []
