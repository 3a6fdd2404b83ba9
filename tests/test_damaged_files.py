"""Files of weights that are damaged, or made to do harm: one line, and nothing is written."""

import json
import math

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from pise_core.cli.main import main
from pise_core.detection.analyzer import read_network
from pise_core.errors import InputError
from pise_core.model.network import PISE
from pise_core.model.weights import SHIPPED, read_model, write_tensors


def _with(path, config=None, change=None):
    """The shipped weights with another configuration, or with changed tensors, at ``path``."""
    with safe_open(str(SHIPPED / path.name), "pt") as file:
        metadata = {name: value for name, value in file.metadata().items() if name != "sha256"}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if config is not None:
        metadata["config"] = config if isinstance(config, str) else json.dumps(config)
    if change is not None:
        change(tensors)
    save_file(tensors, str(path), metadata=metadata)
    return path


_CONFIGURATIONS = (
    "[" * 100_000,
    "[1, 2]",
    "null",
    '"' + "x" * 1_000_000 + '"',
    '{"width": 1000000000}',
    '{"width": 1e308}',
    '{"width": 0}',
    '{"width": "16"}',
    '{"width": 16, "modulation": 123456789123456789123456789}',
    '{"width": 1024}',
    '{"encoding": ["joint"]}',
    '{"widths": [1000000000, 1, 1, 1, 1]}',
    '{"widths": [1, 1]}',
    '{"widths": {}}',
    '{"widths": [32, 64, 96, 160, 256], "deep": 1e9}',
    '{"widths": [32, 64, 96, 160, 256], "deep": 4000}',
    '{"widths": [32, 64, 96, 160, 256], "held": [[]]}',
)


@pytest.mark.parametrize("config", _CONFIGURATIONS, ids=lambda config: config[:40])
@pytest.mark.parametrize("name", ("pise.safetensors", "analyzer.safetensors"))
def test_a_deep_or_huge_configuration_is_one_line(tmp_path, name, config):
    path = _with(tmp_path / name, config)
    with pytest.raises(InputError, match=r"^[^\n]{1,400}$"):
        PISE.from_pretrained(path) if name.startswith("pise") else read_network(path)


@pytest.mark.parametrize("value", (math.nan, math.inf))
def test_weights_that_are_no_numbers_write_no_picture(tmp_path, photo_path, capsys, value):
    def spoil(tensors):
        name = next(name for name, tensor in tensors.items() if tensor.is_floating_point() and tensor.ndim == 4)
        tensors[name][0, 0, 0, 0] = value

    for name in ("pise.safetensors", "analyzer.safetensors"):
        folder = tmp_path / f"{name}-{value}"
        folder.mkdir()
        for each in ("pise.safetensors", "analyzer.safetensors"):
            _with(folder / each, change=spoil if each == name else None)
        out = tmp_path / "out.png"
        command = ["edit", str(photo_path), "--pose-from", str(photo_path), "--weights", str(folder), "--out", str(out)]
        assert main(command) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "no numbers" in said and not out.exists()


@pytest.mark.parametrize("place", (0.3, 0.999), ids=("weights", "last ones"))
@pytest.mark.parametrize("name", ("pise.safetensors", "analyzer.safetensors"))
def test_one_bit_that_has_changed_is_noticed(tmp_path, name, place):
    with safe_open(str(SHIPPED / name), "pt") as file:
        notes, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    path = tmp_path / name
    write_tensors(path, tensors, notes)
    read_model(path)
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"damaged: it is not what its checksum says"):
        read_model(path)


def test_a_configuration_that_was_changed_later_is_noticed(tmp_path):
    path = tmp_path / "pise.safetensors"
    write_tensors(path, {"a": torch.zeros(3)}, {"network": "PISE", "config": '{"width": 16}'})
    assert read_model(path)[1] == {"width": 16}
    path.write_bytes(path.read_bytes().replace(b"16", b"17"))
    with pytest.raises(InputError, match="checksum"):
        read_model(path)


def _convert(path, capsys) -> str:
    out = path.with_suffix(".safetensors")
    assert main(["convert", str(path), "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and said.startswith("error: ") and len(said) < 400 and not out.exists()
    return said


_GENERATOR, _DISCRIMINATOR = "Zencoder.get_code.0.weight", "block0.model.1.bias"


@pytest.mark.parametrize(
    "content",
    (
        {1: torch.zeros(3), 2: torch.zeros(3)},
        {_GENERATOR: torch.tensor(1.0)},
        {_DISCRIMINATOR: torch.tensor(1.0)},
        {_GENERATOR: torch.zeros(0, 3)},
        {_DISCRIMINATOR: torch.zeros(0)},
        {_GENERATOR: torch.zeros(2, 3)},
        {_GENERATOR: torch.zeros(1).expand(400_000_000_000)},
        {_DISCRIMINATOR: torch.zeros(1).expand(400_000_000_000)},
        {_GENERATOR: torch.zeros(60_000)},
        {_DISCRIMINATOR: torch.zeros(60_000)},
        {_GENERATOR: torch.zeros(16, 16).to_sparse()},
        {_GENERATOR: torch.full((16, 4), math.nan)},
        {_DISCRIMINATOR: torch.zeros(16, dtype=torch.complex64)},
        {},
        {"a": {"b": torch.zeros(3)}},
    ),
)
def test_a_checkpoint_that_no_release_has_is_one_line(tmp_path, capsys, content):
    path = tmp_path / "latest_net_G.pth"
    torch.save(content, path)
    _convert(path, capsys)


@pytest.mark.parametrize("zipped", (True, False))
def test_a_checkpoint_that_is_damaged_anywhere_is_one_line(tmp_path, capsys, zipped):
    path = tmp_path / "latest_net_G.pth"
    torch.save({_GENERATOR: torch.rand(16, 4), "other": torch.rand(30)}, path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        path.write_bytes(whole[:at])
        _convert(path, capsys)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        _convert(path, capsys)
