"""A training run that is stopped and resumed computes to the bit what an unbroken one does; what its log tells."""

import signal

import pytest
import torch

from pise_core.cli.main import main
from pise_core.errors import InputError
from pise_core.model.weights import read_model
from pise_core.training import command as train
from pise_core.training.generator.trainer import Trainer
from pise_core.training.loop import Budget, Curve, Log, Saves, load_checkpoint
from tests.training_data import command, curve, write_samples, write_teacher


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return write_teacher(tmp_path_factory.mktemp("teacher") / "vgg.safetensors")


def _run(data, teacher, out, *more):
    common = ["--data", data, "--vgg", teacher, "--out", out, "--device", "cpu", "--width", 4, "--batch", 1]
    return train.run(command(*common, "--log-every", 1, *more))


def _equal(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_equal(value, b[name]) for name, value in a.items())
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_equal, a, b))
    return a == b


@pytest.mark.parametrize(
    ("settings", "learned"),
    [
        # Half-size frames for the first half, both generators, a moving average, bfloat16.
        (["--stage", "apart", "--small-share", 0.5], "parsing_generator"),
        # End to end, the discriminator first, its spectral norms' vectors, float32.
        (["--stage", "joint", "--recipe", "paper", "--layers", "shallow", "--ema", 0.9], "parsing_generator"),
        (["--stage", "parsing", "--small-share", 1], "parsing_generator"),
        # The discriminator after the generator.
        (["--stage", "image", "--small-share", 1, "--loss", "adversarial=0.1"], "image_generator"),
    ],
    ids=["shipped", "paper", "parsing", "image"],
)
def test_a_resumed_run_computes_what_an_unbroken_one_does(data, teacher, tmp_path, settings, learned):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert _run(data, teacher, whole, "--steps", 3, *settings) == 0
    for until in (1, 3):
        assert _run(data, teacher, parts, "--steps", 3, "--until", until, *settings) == 0
    assert [record["step"] for record in curve(whole)] == [1, 2, 3]
    assert curve(parts) == curve(whole)
    a, b = load_checkpoint(whole / "generator.pt"), load_checkpoint(parts / "generator.pt")
    assert a is not None and b is not None
    assert _equal(a | {"spent": 0}, b | {"spent": 0})
    assert _equal(read_model(whole / "pise.safetensors"), read_model(parts / "pise.safetensors"))
    assert not torch.equal(*(a[name][f"{learned}.out.conv.weight"] for name in ("model", "average")))


def test_a_run_that_is_interrupted_saves_and_goes_on(data, teacher, tmp_path, monkeypatch, capsys):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    settings = ["--stage", "parsing", "--small-share", 0.5, "--steps", 4]
    _run(data, teacher, whole, *settings)
    arguments = ["train", "generator", "--data", data, "--vgg", teacher, "--out", parts, "--device", "cpu"]
    arguments += ["--width", 4, "--batch", 1, "--log-every", 1, *settings]
    step = Trainer.step
    for kind, at in ((signal.SIGTERM, 0), (signal.SIGINT, 2)):

        def interrupted(trainer, number, *rest, kind=kind, at=at):
            if number == at:
                signal.raise_signal(kind)
            return step(trainer, number, *rest)

        before = signal.getsignal(kind)
        with monkeypatch.context() as patched:
            patched.setattr(Trainer, "step", interrupted)
            assert main([str(argument) for argument in arguments]) == 130
        assert signal.getsignal(kind) is before
        # The step was finished first.
        assert f"interrupted at step {at + 1}; the same command goes on" in capsys.readouterr().err
        assert [record["step"] for record in curve(parts)] == list(range(1, at + 2))
    assert main([str(argument) for argument in arguments]) == 0
    assert "goes on from step 3" in capsys.readouterr().err
    assert curve(parts) == curve(whole)
    a, b = load_checkpoint(whole / "generator.pt"), load_checkpoint(parts / "generator.pt")
    assert a is not None and b is not None and _equal(a | {"spent": 0}, b | {"spent": 0})


def test_where_nothing_follows_the_length_any_way_to_stop_computes_the_same(data, teacher, tmp_path, caplog):
    caplog.set_level("INFO", "pise_core")
    settings = ["--stage", "parsing", "--small-share", 1, "--schedule"]
    whole, parts, other = tmp_path / "whole", tmp_path / "parts", tmp_path / "other"
    _run(data, teacher, whole, "--steps", 2, *settings, "constant")
    for length in (["--minutes", 5, "--until", 1], ["--steps", 2]):
        _run(data, teacher, parts, *length, *settings, "constant")
    assert curve(parts) == curve(whole)
    assert "begun for" not in caplog.text
    # Otherwise it differs, and that is said.
    for steps in (1, 2):
        _run(data, teacher, other, "--steps", steps, *settings, "cosine")
    assert curve(other)[1] != curve(whole)[1]
    assert "begun for 1 steps, and now for 2 steps: rates and frames follow the length" in caplog.text


def test_a_damaged_checkpoint_is_named(data, teacher, tmp_path):
    settings = ["--stage", "parsing", "--steps", 1, "--small-share", 1]
    _run(data, teacher, tmp_path, *settings)
    path = tmp_path / "generator.pt"
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no checkpoint", whole[:100] + bytes(200) + whole[300:]):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match="generator.pt can't be read as a checkpoint .* move it away"):
            _run(data, teacher, tmp_path, *settings)
    torch.save([1, 2], path)
    with pytest.raises(InputError, match="generator.pt is no checkpoint"):
        _run(data, teacher, tmp_path, *settings)
    torch.save({"step": 1}, path)
    with pytest.raises(InputError, match="holds a run of another version"):
        _run(data, teacher, tmp_path, *settings)


def test_first_and_last_steps_are_logged_with_the_loss_that_is_learned_from(data, teacher, tmp_path):
    settings = ["--stage", "image", "--small-share", 1, "--loss", "adversarial=0.1", "--steps", 3]
    common = ["--data", data, "--vgg", teacher, "--out", tmp_path, "--device", "cpu", "--width", 4, "--batch", 1]
    train.run(command(*common, *settings))
    records = curve(tmp_path)
    assert [record["step"] for record in records] == [1, 3]
    for record in records:
        terms = {k: v for k, v in record.items() if k not in ("step", "loss", "real", "fake")}
        assert {"reconstruction", "adversarial"} <= terms.keys()
        assert record["loss"] == pytest.approx(sum(terms.values()))


def test_a_last_step_is_logged_once_and_not_where_the_run_goes_on(tmp_path):
    lines = Curve(Log(tmp_path), 2)
    for step in (1, 2, 3):
        lines.add(step, 0.0, {"loss": 1.0})
    assert [record["step"] for record in curve(tmp_path)] == [1, 2]
    lines.end()
    lines.add(4, 0.0, {"loss": 1.0})
    lines.end()
    assert [record["step"] for record in curve(tmp_path)] == [1, 2, 3, 4]


def test_slow_steps_are_saved_every_few_minutes(monkeypatch):
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    saves, saved = Saves(5), []
    for step in range(1, 12):
        now += 1 if step < 6 else Saves.SECONDS / 2
        if saves.due(step):
            saved.append(step)
    assert saved == [5, 7, 9, 10]


def test_a_run_does_not_go_on_with_other_settings(data, teacher, tmp_path):
    settings = ["--stage", "parsing", "--steps", 2]
    _run(data, teacher, tmp_path, *settings, "--until", 1)
    with pytest.raises(InputError, match=r"rate 0.001 -> 0.01\); give those again, or another --out"):
        _run(data, teacher, tmp_path, *settings, "--rate", 0.01)
    with pytest.raises(InputError, match="stage parsing -> image"):
        _run(data, teacher, tmp_path, "--stage", "image", "--steps", 2)
    with pytest.raises(InputError, match="limit None -> 1, samples 4 -> 1"):
        _run(data, teacher, tmp_path, *settings, "--limit", 1)
    larger = write_samples(tmp_path / "larger", 5)
    with pytest.raises(InputError, match="samples 4 -> 5"):
        _run(larger, teacher, tmp_path, *settings)
    assert len(curve(tmp_path)) == 1
    # More steps are no other settings.
    _run(data, teacher, tmp_path, "--stage", "parsing", "--steps", 3)
    assert [record["step"] for record in curve(tmp_path)] == [1, 2, 3]


def test_with_steps_progress_depends_on_the_step_alone():
    assert Budget(None, steps=8).used(2) == 0.25
    assert Budget(1.0, spent=59, steps=8).used(2) == 0.25
    # The minutes end the run all the same.
    assert Budget(1.0, spent=60, steps=8).used(2) == 1.0
    assert Budget(None, steps=8).rate(1.0, 7) < Budget(None, steps=80).rate(1.0, 7)


def test_what_was_logged_after_the_last_checkpoint_is_taken_out(tmp_path):
    log = Log(tmp_path)
    log(samples=3)
    for step in (1, 2, 3):
        log(step=step, loss=1 / 3)
    Log(tmp_path, step=2)
    assert [record["step"] for record in curve(tmp_path)] == [1, 2]
    assert curve(tmp_path)[0]["loss"] == 1 / 3
    # The machine went off while a line was written: all of it but its end, or half of it.
    for cut in ('{"step": 3, "loss": 0.5}', '{"step": 3, "lo'):
        with log.path.open("a") as file:
            file.write(cut)
        Log(tmp_path, step=3)(step=4, loss=0.25)
        assert curve(tmp_path)[-1] == {"step": 4, "loss": 0.25}
    assert [record["step"] for record in curve(tmp_path)] == [1, 2, 3, 4]
