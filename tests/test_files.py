"""Files of a user: the old one stays until the new one is whole, however the writing ends."""

import ast
import os
import resource
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from pise_core import files, images
from pise_core.errors import InputError
from pise_core.model.convert_release import write_tensors
from pise_core.training.data import prepared_folder
from pise_core.training.generator.sheets import write_picture
from pise_core.training.loop import Log, save_checkpoint
from tests.conftest import ROOT

OLD = b"what was there before"
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


@contextmanager
def full_disk(size: int = 40):
    """No file can grow beyond ``size`` bytes: the system refuses, as it does on a full disk."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


WRITERS = {
    "picture.png": lambda path: images.write_image(path, NOISE),
    "picture.jpg": lambda path: images.write_image(path, NOISE),
    "map.png": lambda path: images.write_parsing(path, (NOISE[:, :, 0] % 8).copy()),
    "sheet.png": lambda path: write_picture(path, NOISE),
    "generator.pt": lambda path: save_checkpoint(path, weights=torch.zeros(4000)),
    "weights.safetensors": lambda path: write_tensors(path, nn.Linear(90, 90).state_dict(), {}),
    "samples.json": lambda path: prepared_folder.finish(path.parent, {"samples.json": {"a": list(range(90))}}),
    "notes.json": lambda path: files.write_json(path, list(range(90))),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(OLD)
    with full_disk(), pytest.raises(InputError, match="can't write .*" + name):
        WRITERS[name](path)
    assert path.read_bytes() == OLD and [p.name for p in tmp_path.iterdir()] == [name]
    WRITERS[name](path)
    assert path.read_bytes() != OLD and [p.name for p in tmp_path.iterdir()] == [name]


def test_a_full_disk_leaves_an_old_document_and_an_old_log(tmp_path, document):
    path = tmp_path / "drawn.pise"
    path.write_bytes(OLD)
    with full_disk(), pytest.raises(InputError, match="can't write"):
        document.save(path)
    assert path.read_bytes() == OLD
    log, lines = tmp_path / "log.jsonl", "".join(f'{{"step": {n}}}\n' for n in (1, 2, 3, 4, 9))
    log.write_text(lines)
    with full_disk(), pytest.raises(InputError, match="can't write"):
        Log(log.parent, step=5)  # takes the last line out
    assert log.read_text() == lines


def test_the_command_line_leaves_the_old_picture(tmp_path):
    photo, out = tmp_path / "photo.png", tmp_path / "out.png"
    images.write_image(photo, NOISE)
    out.write_bytes(OLD)
    limited = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400));"
    limited += "from pise_core.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", limited, "edit", str(photo), "--out", str(out)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1 and "can't write" in ended.stderr
    assert out.read_bytes() == OLD and len(list(tmp_path.iterdir())) == 2


def test_an_error_in_the_middle_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(OLD)
    with pytest.raises(KeyboardInterrupt), files.replacing(path) as partial:
        partial.write_bytes(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == OLD and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("umask", (0o022, 0o077, 0o002))
def test_a_new_file_has_the_mode_of_the_umask(tmp_path, name, umask):
    before = os.umask(umask)
    try:
        WRITERS[name](tmp_path / name)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o666 & ~umask


def test_a_replaced_file_keeps_its_mode_and_a_link_stays_one(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "real", tmp_path / "link"
    real.write_bytes(OLD)
    real.chmod(0o640)
    link.symlink_to(real)
    files.write_file(link, b"new")
    assert link.is_symlink() and real.read_bytes() == b"new" and stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_pipe_is_written_as_it_is():
    files.write_file("/dev/null", b"new")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("path", ("nowhere/file", ".", "a\0b", "x" * 300))
def test_what_can_not_be_written_is_said_in_one_line(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="^can't write [^\n]+$"):
        files.write_file(path, b"new")
    assert not list(tmp_path.iterdir())


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(KeyboardInterrupt), files.making(tmp_path / "shard") as partial:
        (partial / "a").write_bytes(OLD)
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
    with files.making(tmp_path / "shard") as partial:
        (partial / "a").write_bytes(OLD)
    assert (tmp_path / "shard" / "a").read_bytes() == OLD
    with pytest.raises(InputError, match="can't make"), files.making(tmp_path / "shard") as partial:
        (partial / "b").write_bytes(OLD)
    assert [path.name for path in tmp_path.iterdir()] == ["shard"]


#: What writes a file in place, by its name; the block of ``replacing`` or ``making`` names its path ``partial``.
_IN_PLACE = {"write_bytes", "write_text", "imwrite", "save_file", "savez", "savez_compressed"}
#: Where that is no user's file: a temporary folder of its own.
_ALLOWED = {"pise_core/files.py", "pise_core/document/motion.py"}


def _writes_in_place(tree: ast.AST) -> list[int]:
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        modes = [a.value for a in [*node.args, *(k.value for k in node.keywords)] if isinstance(a, ast.Constant)]
        opens = name == "open" and any(isinstance(m, str) and m in ("w", "wb", "x", "xb", "w+b") for m in modes)
        beside = "partial" in ast.unparse(node) or (node.args and ast.unparse(node.args[0]) == "file")
        if (name in _IN_PLACE or opens) and not beside:
            found.append(node.lineno)
    return found


def test_nothing_writes_a_users_file_in_place():
    found = {}
    for path in sorted((ROOT / "pise_core").rglob("*.py")):
        name = str(path.relative_to(ROOT))
        lines = [] if name in _ALLOWED else _writes_in_place(ast.parse(path.read_text("utf-8")))
        if lines:
            found[name] = lines
    assert not found
