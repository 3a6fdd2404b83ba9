"""The process that serves: where it keeps files, where it listens, and how it ends."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from gradio_client import Client, handle_file

from app.state.scratch import Scratch
from pise_core.errors import InputError
from tests.conftest import ROOT


@contextmanager
def studio_process(weights, base: Path, *options: str, **environment: str):
    """``python app.py`` on a free port: the process, and its address once it answers."""
    log = base.with_name(f"{base.name}-{time.monotonic_ns()}.log")
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", "0", "--weights", str(weights), *options]
    settings = os.environ | {"GRADIO_TEMP_DIR": str(base)} | environment
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=output, stderr=subprocess.STDOUT)
    try:
        for _ in range(1200):
            found = re.search(r"http://\S+", log.read_text())
            if found or process.poll() is not None:
                break
            time.sleep(0.1)
        assert found, log.read_text()
        yield process, found[0]
    finally:
        process.kill()
        process.wait()


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def open_photo(address: str, photo: Path) -> tuple[Client, str]:
    """Open a photo; the client, which keeps the session, and the address of its result."""
    client = Client(address, verbose=False, download_files=False)
    client.predict(handle_file(str(photo)), api_name="/open_file")
    return client, client.predict(api_name="/result")["url"]


@pytest.mark.parametrize("number", (signal.SIGTERM, signal.SIGINT))
def test_a_server_that_is_stopped_leaves_no_picture(weights, photo_path, tmp_path, number):
    with studio_process(weights, tmp_path / "files") as (process, address):
        _, url = open_photo(address, photo_path)
        assert status_of(url) == 200
        process.send_signal(number)
        assert process.wait(5) == 0
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file() and path.name != ".lock"] == []


def test_after_a_server_was_killed_the_next_one_serves_none_of_its_pictures(weights, photo_path, tmp_path):
    base = tmp_path / "files"
    with studio_process(weights, base) as (process, address):
        _, url = open_photo(address, photo_path)
        process.kill()
        process.wait()
        left = [path for path in base.rglob("*") if path.suffix in (".png", ".jpg")]
        assert left
    with studio_process(weights, base) as (_, again):
        assert status_of(url.replace(address, again)) in (403, 404)
        assert not any(path.exists() for path in left)


def test_servers_side_by_side_leave_each_others_files_alone(tmp_path):
    first = Scratch(tmp_path)
    (first.path / "picture").write_bytes(b"1")
    second = Scratch(tmp_path)
    assert first.path != second.path and (first.path / "picture").exists()
    assert stat.S_IMODE(first.path.stat().st_mode) == 0o700
    second.remove()
    first.remove()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_what_a_dead_process_left_is_swept_and_what_is_not_ours_stays(tmp_path):
    (tmp_path / "server-dead").mkdir()
    (tmp_path / "server-dead" / "picture").write_bytes(b"1")
    (tmp_path / "server-dead.lock").touch()
    (tmp_path / "server-other.lock").touch()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "server-link").symlink_to(tmp_path / "theirs")
    scratch = Scratch(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"theirs", "server-link"}
    assert not (tmp_path / "server-dead").exists() and not (tmp_path / "server-other.lock").exists()
    scratch.remove()


def refused(*options: str, **environment: str) -> str:
    """What ``python app.py`` says when it does not start."""
    ended = subprocess.run(
        [sys.executable, "app.py", *options], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True,
        timeout=300,
    )  # fmt: skip
    assert ended.returncode != 0
    return ended.stderr.strip().splitlines()[-1] if "Traceback" not in ended.stderr else ended.stderr


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a pipe with a name")
def test_the_page_is_there_before_the_networks_are(tmp_path):
    """A file of weights that nobody writes is read for ever."""
    (tmp_path / "weights").mkdir()
    os.mkfifo(tmp_path / "weights" / "pise.safetensors")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
    settings = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path / "files")}
    process = subprocess.Popen([*command, "--weights", str(tmp_path / "weights")], cwd=ROOT, env=settings)
    try:
        for _ in range(1200):
            try:
                assert status_of(f"http://127.0.0.1:{port}/") == 200
                break
            except OSError:  # not yet
                assert process.poll() is None
                time.sleep(0.1)
        else:
            pytest.fail("nothing was answered")
    finally:
        process.kill()
        process.wait()


def test_missing_weights_end_the_server_with_one_line(tmp_path):
    said = refused("--weights", str(tmp_path / "none"), "--port", "0", GRADIO_TEMP_DIR=str(tmp_path / "files"))
    assert said.startswith("error: ") and "none" in said


def test_a_port_in_use_is_told_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = refused("--host", "127.0.0.1", "--port", port, GRADIO_TEMP_DIR=str(tmp_path))
    assert said.startswith(f"error: port {port} is in use already")
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_a_temporary_folder_that_can_not_be_used_is_told_in_one_line(tmp_path):
    (tmp_path / "file").touch()
    said = refused(GRADIO_TEMP_DIR=str(tmp_path / "file" / "folder"))
    assert said.startswith("error: temporary files can't be kept in") and "GRADIO_TEMP_DIR" in said


def test_a_folder_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    monkeypatch.delenv("GRADIO_TEMP_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"pise-studio-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError, match="belongs to somebody else"):
        Scratch()
