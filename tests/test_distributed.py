"""Two processes, launched by accelerate, compute what one does with a batch of twice the size."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pise_core.errors import InputError
from pise_core.training import command as train
from pise_core.training.loop import load_checkpoint
from pise_core.training.processes import Processes, SynchronizedBatchNorm2d, join
from tests.conftest import ROOT
from tests.training_data import command, curve, write_samples, write_teacher

#: Everything that is averaged over a batch: batch normalization, areas, faces, variances, the discriminator. Not end to
#: end: there a rounding error may turn a pixel of the one-hot map, and all that follows with it, in one process too.
SETTINGS = ["--stage", "apart", "--width", 4, "--precision", "fp32", "--loss", "adversarial=0.1", "--device", "cpu"]


def _start_two(out: Path, *settings: object) -> subprocess.Popen:
    """A run in two processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    launch += ["--main_process_port", str(port), "-m", "pise_core", "train", "generator", "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_CONFIG_FILE": str(out / "none")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*launch, *map(str, settings)], cwd=ROOT, env=environment, **pipes)


def _launch_two(out: Path, *settings: object) -> str:
    """What a run in two processes says of its progress, on stderr."""
    with _start_two(out, *settings) as run:
        _, said = run.communicate()
    assert run.returncode == 0, said[-2000:]
    return said


def _interrupt_two(out: Path, step: int, *settings: object) -> int:
    """SIGTERM for the launcher of two processes once ``step`` is logged; the step that they stop at."""
    log = out / "log.jsonl"
    with _start_two(out, *settings) as run:
        while run.poll() is None and not (log.exists() and f'{{"step": {step},' in log.read_text()):
            time.sleep(0.02)
        run.send_signal(signal.SIGTERM)
        _, errors = run.communicate()
    said = re.findall(r"interrupted at step (\d+); the same command goes on", errors)
    # Both processes leave the loop, at the same step.
    assert len(said) == 2 and said[0] == said[1], errors[-2000:]
    return int(said[0])


def test_two_processes_compute_what_one_does_with_twice_the_batch(tmp_path):
    data, teacher = write_samples(tmp_path / "data"), write_teacher(tmp_path / "vgg.safetensors")
    common = ["--data", data, "--vgg", teacher, "--steps", 3, "--log-every", 1, "--small-share", 0, *SETTINGS]
    said = _launch_two(tmp_path / "two", *common, "--batch", 1)
    # The main process alone talks.
    assert said.count("step 1 ") == 1
    assert train.run(command("--out", tmp_path / "one", *common, "--batch", 2)) == 0

    one, two = curve(tmp_path / "one"), curve(tmp_path / "two")
    assert len(one) == 3 and {"face", "adversarial", "correspondence", "distillation"} <= one[0].keys()
    for a, b in zip(one, two, strict=True):
        assert a.keys() == b.keys()
        assert b == pytest.approx(a, rel=1e-4)
    # What was learned is the same too, and so are the running statistics of batch normalization.
    states = [load_checkpoint(tmp_path / name / "generator.pt") for name in ("one", "two")]
    assert states[0] is not None and states[1] is not None
    norm = "image_generator.per_region.norm.running_var"
    torch.testing.assert_close(states[0]["model"][norm], states[1]["model"][norm], rtol=1e-4, atol=1e-6)


def test_two_processes_learn_and_go_on_together_when_they_were_interrupted(tmp_path):
    data = write_samples(tmp_path / "data", 1)
    settings = ["--data", data, "--stage", "parsing", "--width", 4, "--batch", 1, "--rate", 0.05, "--seed", 1]
    settings += ["--small-share", 1, "--steps", 5000, "--log-every", 1, "--device", "cpu"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    # The run is far from over then, however fast the machine is.
    stopped = _interrupt_two(parts, 3, *settings)
    assert 3 <= stopped < 5000
    until = max(16, stopped + 5)
    assert f"goes on from step {stopped}" in _launch_two(parts, *settings, "--until", until)
    _launch_two(whole, *settings, "--until", until)
    assert curve(parts) == curve(whole)
    history = [record["cross"] + record["parsing_l1"] for record in curve(whole)]
    assert len(history) == until
    assert np.mean(history[-4:]) < 0.8 * np.mean(history[:4]), history
    states = [load_checkpoint(out / "generator.pt") for out in (whole, parts)]
    assert states[0] is not None and states[1] is not None
    for part in ("model", "average"):
        for name, value in states[0][part].items():
            assert torch.equal(value, states[1][part][name]), f"{part} {name}"


def test_each_process_has_its_share_of_a_batch():
    parts = [Processes(index=i, count=3).part(12) for i in range(3)]
    assert [list(range(12))[part] for part in parts] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert Processes().main and not Processes(index=1, count=2).main


def test_a_synchronized_norm_keeps_weights_and_places():
    norm = nn.BatchNorm2d(4)
    nn.init.normal_(norm.weight)
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(norm))
    before = network.state_dict()
    Processes(count=2).synchronize_norms(network)
    assert sum(isinstance(part, SynchronizedBatchNorm2d) for part in network.modules()) == 1
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_a_launcher_that_starts_fewer_processes_than_it_was_asked_for_is_found_out(monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.setenv("MASTER_PORT", "29500")
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with pytest.raises(InputError, match="--multi_gpu --num_processes N"):
        join("cpu")
