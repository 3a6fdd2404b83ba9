"""Builds of the project, and processes that measure inside them."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple


class Failed(Exception):
    """A part could not be measured; the message is a line that says why."""


class Build(NamedTuple):
    """A checkout of some commit."""

    name: str
    root: Path


@contextmanager
def checked_out(root: Path, commit: str) -> Iterator[Build]:
    """A commit of the repository at ``root``, in a folder of its own for as long as it is measured."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "build"
        found = subprocess.run(
            ["git", "worktree", "add", "--detach", str(place), commit], cwd=root, capture_output=True, text=True
        )
        if found.returncode:
            raise SystemExit(f"error: {commit} can't be checked out: {found.stderr.strip().splitlines()[-1]}")
        try:
            yield Build(commit, place)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", str(place)], cwd=root, check=True)


def environment() -> dict[str, str]:
    """One thread computes, whatever else the machine does."""
    return os.environ | {"OMP_NUM_THREADS": "1", "GRADIO_ANALYTICS_ENABLED": "False"}


class Worker:
    """A process that measures one part inside a build, round by round."""

    def __init__(self, build: Build, part: str, settings: dict) -> None:
        self._build = build
        command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(build.root), part]
        self._process = subprocess.Popen(
            [*command, json.dumps(settings)], cwd=build.root, env=environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def round(self, number: int) -> dict[str, dict]:
        """The figures of one round by the names of their rows."""
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(f"{number}\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            raise Failed(f"{self._build.name} could not be measured; see above") from None

    def __enter__(self) -> "Worker":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()
