"""The command line: what it refuses and how, and what it writes."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pise_core import cli, images
from pise_core.pose import to_json

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments, **environment):
    """The real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "pise_core", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def refused(capsys, *arguments) -> str:
    """The one line on stderr with which a command line is refused."""
    try:
        status = cli.main([str(argument) for argument in arguments])
    except SystemExit as leaving:  # argparse's way
        status = leaving.code
    output = capsys.readouterr()
    assert status == 2
    assert output.err.count("\n") == 1 and output.err.endswith("\n"), output.err
    assert output.out == ""
    return output.err


@pytest.fixture
def photo(tmp_path, person):
    path = tmp_path / "photo.png"
    images.write_image(path, person.photo)
    return path


def test_help_answers_at_once_and_imports_nothing_heavy():
    code = "import sys, pise_core.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print([m for m in ('torch', 'cv2', 'transformers', 'gradio') if m in sys.modules])"
    start = time.time()
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert result.stdout.strip().endswith("[]"), result.stdout + result.stderr
    assert time.time() - start < 10
    for command in ("analyze", "edit", "prepare", "train"):
        assert command in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["paint"], "paint"),
        (["analyze"], "PHOTO"),
        (["analyze", "a.jpg"], "--out"),
        (["edit", "a.jpg"], "--out"),
        (["edit", "a.jpg", "--out", "b.png", "--pose", "p.json", "--pose-from", "c.jpg"], "not allowed"),
        (["edit", "a.jpg", "--out", "b.png", "--nonsense"], "nonsense"),
        (["edit", "a.jpg", "--out", "b.png", "--detector", "guess"], "guess"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair"], "REGION=REFERENCE"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "=b.jpg"], "REGION=REFERENCE"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair="], "REGION=REFERENCE"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair=b.jpg:1.5"], "from 0 to 1"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair=b.jpg:-0.1"], "from 0 to 1"),
        (["edit", "a.jpg", "--out", "b.png", "--style", "hair=b.jpg:nan"], "from 0 to 1"),
        (["train", "--nonsense"], ""),
        (["prepare"], "source"),
    ],
)
def test_wrong_command_lines_are_refused_in_one_line(capsys, arguments, message):
    assert message in refused(capsys, *arguments)


def test_a_refusal_is_one_line_and_status_2_for_the_shell_too():
    result = run("edit", "no\nsuch.jpg", "--out", "b.png")
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr == "error: there is no file no such.jpg\n"


@pytest.mark.parametrize(
    ("text", "region", "path", "alpha"),
    [
        ("hair=b.jpg", "hair", "b.jpg", 1.0),
        ("hair=b.jpg:0.25", "hair", "b.jpg", 0.25),
        ("hair=b.jpg:1", "hair", "b.jpg", 1.0),
        ("hair=b.jpg:.5", "hair", "b.jpg", 0.5),
        ("hair=C:\\photos\\b.jpg", "hair", "C:\\photos\\b.jpg", 1.0),
        ("hair=C:\\photos\\b.jpg:0.5", "hair", "C:\\photos\\b.jpg", 0.5),
        ("hair=12:30 at the sea.jpg", "hair", "12:30 at the sea.jpg", 1.0),
        ("hair=12:30 at the sea.jpg:0.5", "hair", "12:30 at the sea.jpg", 0.5),
        ("hair=a=b.jpg:0", "hair", "a=b.jpg", 0.0),
    ],
)
def test_styles_are_read_from_the_last_colon(text, region, path, alpha):
    assert cli._style(text) == (region, Path(path), alpha)


def test_bad_inputs_of_edit_are_refused_before_any_network_is_loaded(capsys, tmp_path, photo, person):
    out = tmp_path / "out.png"
    text = tmp_path / "text.jpg"
    text.write_text("no picture")
    small = tmp_path / "small.png"
    images.write_parsing(small, person.parsing[:100, :100])
    high = tmp_path / "high.png"
    images.write_image(high, person.photo)
    pose = tmp_path / "pose.json"
    pose.write_text(to_json(person.pose, (220, 330)))
    empty = tmp_path / "empty.json"
    empty.write_text(json.dumps({"keypoints": [None] * 18}))
    binary = tmp_path / "binary.json"
    binary.write_bytes(bytes(range(256)))
    # Weights that aren't there prove that none of these gets so far.
    tail = ("--weights", tmp_path / "none")
    for arguments, message in (
        ((tmp_path / "none.jpg", "--out", out), "there is no file"),
        ((text, "--out", out), "text.jpg is not a JPEG, PNG or WebP"),
        ((tmp_path, "--out", out), "can't be read"),
        ((photo, "--out", tmp_path / "out.gif"), ".gif"),
        ((photo, "--out", tmp_path / "out"), "can't write a picture as ''"),
        ((photo, "--out", tmp_path / "no folder" / "out.png"), "there is no folder"),
        ((photo, "--out", photo / "out.png"), "can't write"),
        ((photo, "--out", out, "--pose", tmp_path / "none.json"), "there is no file"),
        ((photo, "--out", out, "--pose", tmp_path), "can't be read"),
        ((photo, "--out", out, "--pose", text), "text.jpg: the pose is not valid JSON"),
        ((photo, "--out", out, "--pose", binary), "binary.json"),
        ((photo, "--out", out, "--pose", empty), "empty.json: the pose has no visible joint"),
        ((photo, "--out", out, "--pose-from", text), "text.jpg is not"),
        ((photo, "--out", out, "--parsing", small), "100x100, the photo 220x330"),
        ((photo, "--out", out, "--parsing", high), "mode P or L"),
        ((photo, "--out", out, "--parsing", tmp_path / "none.png"), "there is no file"),
        ((photo, "--out", out, "--style", f"hat={photo}"), "no region is called 'hat'"),
        ((photo, "--out", out, "--style", f"hair={tmp_path / 'none.jpg'}"), "there is no file"),
        ((photo, "--out", out, "--style", f"hair={photo}:0.7", "--style", f"hair={photo}:0.4"), "add up to 1.1"),
    ):
        assert message in refused(capsys, "edit", *arguments, *tail), message
    assert not out.exists()


def test_bad_inputs_of_analyze_are_refused(capsys, tmp_path, photo):
    twin = tmp_path / "elsewhere"
    twin.mkdir()
    images.write_image(twin / "photo.jpg", np.zeros((32, 32, 3), np.uint8))
    file = tmp_path / "file"
    file.write_text("in the way")
    for arguments, message in (
        ((tmp_path / "none.jpg", "--out", tmp_path / "out"), "there is no file"),
        ((photo, twin / "photo.jpg", "--out", tmp_path / "out"), "rename one of them"),
        ((photo, photo, "--out", tmp_path / "out"), "twice"),
        ((photo, "--out", file), "file"),
        ((photo, "--out", file / "below"), "file"),
    ):
        assert message in refused(capsys, "analyze", *arguments, "--weights", tmp_path / "none"), message
    assert not (tmp_path / "out").exists()


def test_without_an_edit_the_output_equals_the_input(capsys, tmp_path, photo, person):
    for name in ("same.png", "same.webp"):
        assert cli.main(["edit", str(photo), "--out", str(tmp_path / name)]) == 0
        assert capsys.readouterr().out.strip() == str(tmp_path / name)
        assert np.array_equal(images.read_image(tmp_path / name), person.photo)


def test_missing_weights_are_told(capsys, tmp_path, photo):
    out = tmp_path / "out.png"
    tail = ("--style", f"hair={photo}", "--weights", tmp_path / "none")
    assert "weights" in refused(capsys, "edit", photo, "--out", out, *tail)
    assert "weights" in refused(capsys, "analyze", photo, "--out", tmp_path / "out", "--weights", tmp_path / "none")
