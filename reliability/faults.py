"""Faults in the middle of work. Each case says what went wrong, or nothing."""

import argparse
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx

from reliability.studio import ROOT, Studio, Visitor, fetch


def _working(studio: Studio) -> Visitor:
    """A visitor whose next picture is being made."""
    visitor = Visitor(studio.address, 1)
    visitor.open()
    visitor.edit(1)

    def go_on() -> None:
        with suppress(Exception):  # the server goes in the middle of it
            visitor.edit(2)

    threading.Thread(target=go_on, daemon=True).start()
    time.sleep(0.3)
    return visitor


def killed() -> str:
    """kill -9 while a picture is made: the next server serves none of the old ones."""
    first = Studio()
    visitor = _working(first)
    first.stop(signal.SIGKILL)
    left = first.files()
    again = Studio(base=first.base)
    try:
        old = visitor.last.replace(first.address, again.address)
        if not left:
            return "there was nothing to leave"
        if fetch(old, cookie=visitor.cookie)[0] == 200 or any(path.exists() for path in left):
            return "a picture of the killed server is still there"
        return ""
    finally:
        again.clean()
        first.clean()


def stopped() -> str:
    """SIGTERM and SIGINT while a picture is made: the end within five seconds, and nothing stays."""
    for number in (signal.SIGTERM, signal.SIGINT):
        studio = Studio()
        try:
            _working(studio)
            status = studio.stop(number)
            if status != 0:
                return f"{signal.Signals(number).name}: exit status {status}"
            if studio.files():
                return f"{signal.Signals(number).name}: {len(studio.files())} files stay"
        finally:
            studio.clean()
    return ""


def full_disk() -> str:
    """A full disk: whoever opens a photo is told in a line, and the server goes on once there is room."""
    if os.geteuid() != 0:
        return "not tried: mounting a small tmpfs takes root; see small_files"
    base = Path(tempfile.mkdtemp(prefix="reliability-disk-"))
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(base)], capture_output=True)
    if mounted.returncode != 0:
        base.rmdir()
        return "not tried: mounting a small tmpfs is not allowed here; see small_files"
    filler = base / "filler"

    def fill() -> None:
        with suppress(OSError), filler.open("wb") as file:
            file.write(b"0" * 4_000_000)

    studio = None
    try:
        studio = Studio(base=base)
        return _without_room(studio, fill, filler.unlink)
    finally:
        if studio is not None:
            studio.stop(signal.SIGKILL)
        subprocess.run(["umount", "-l", str(base)], check=False)
        shutil.rmtree(base, ignore_errors=True)


def small_files() -> str:
    """The same by a limit on the size of files (RLIMIT_FSIZE) that the running server meets."""
    studio = Studio()
    pid, old = studio.process.pid, resource.prlimit(studio.process.pid, resource.RLIMIT_FSIZE)
    try:
        return _without_room(
            studio,
            lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (50_000, old[1])),
            lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, old),
        )
    finally:
        studio.clean()


def _without_room(studio: Studio, take: Callable[[], object], give: Callable[[], object]) -> str:
    """What goes wrong while the server has no room: before a photo is sent, and between an edit and its picture."""
    first, second = Visitor(studio.address, 1), Visitor(studio.address, 2)
    first.open()
    take()
    for attempt in (second.open, lambda: first.edit(1)):
        try:
            attempt()
        except Exception as error:
            # The client's own text on an answer that is no 200 has several lines; the server's is in the answer.
            said = error.response.text if isinstance(error, httpx.HTTPStatusError) else str(error)
            if "\n" in said.strip() or "again later" not in said:
                return f"told: {said}"
        else:
            return "nobody was told"
    give()
    second.open()
    if not (first.edit(2) and second.edit(1)):
        return "a foreign picture"
    return f"{studio.tracebacks()} tracebacks" if studio.tracebacks() else ""


def damaged_weights() -> str:
    """Weights that are cut off or changed: one line, and no start."""
    folder = Path(tempfile.mkdtemp(prefix="reliability-weights-"))
    try:
        for damage in ("cut", "text", "bit"):
            shutil.copytree(ROOT / "weights", folder / damage)
            path = folder / damage / "pise.safetensors"
            whole = path.read_bytes()
            bit = whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:]
            path.write_bytes({"cut": whole[:100_000], "text": b"no weights", "bit": bit}[damage])
            command = [sys.executable, "app.py", "--port", "0", "--weights", str(folder / damage)]
            ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
            said = ended.stderr.strip().splitlines()
            if ended.returncode == 0 or "Traceback" in ended.stderr or not said or not said[-1].startswith("error: "):
                return f"{damage}: {ended.stderr[-300:]}"
        return ""
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def no_hub() -> str:
    """The hub can't be reached: whoever asks for OpenPose is told, and the built-in detector is used."""
    cache = tempfile.mkdtemp(prefix="reliability-hub-")
    studio = Studio(HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=cache)
    try:
        visitor = Visitor(studio.address, 1)
        visitor.open()
        state = visitor._client.predict("OpenPose", "Built-in", api_name="/analyse_again")
        return "" if "built-in" in state["note"].lower() and visitor.edit(1) else f"told: {state['note']!r}"
    finally:
        studio.clean()
        shutil.rmtree(cache, ignore_errors=True)


def slow_clients() -> str:
    """A hundred connections that send a byte now and then: others are answered all the same."""
    studio = Studio()
    sockets = []
    try:
        port = int(studio.address.rpartition(":")[2])
        for _ in range(100):
            one = socket.create_connection(("127.0.0.1", port), timeout=30)
            one.sendall(b"POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n")
            sockets.append(one)
        visitor = Visitor(studio.address, 1)
        visitor.open()
        for one in sockets:
            with suppress(OSError):
                one.sendall(b"X")
        return "" if visitor.edit(1) else "a foreign picture"
    finally:
        for one in sockets:
            one.close()
        studio.clean()


def two_tabs() -> str:
    """Two tabs of one browser: each has its own photo."""
    studio = Studio()
    try:
        first = Visitor(studio.address, 1)
        second = Visitor(studio.address, 2, cookie=first.cookie)
        for visitor in (first, second):
            visitor.open()
        return "" if all(visitor.edit(step) for step in (1, 2) for visitor in (first, second)) else "a foreign picture"
    finally:
        studio.clean()


CASES: dict[str, Callable[[], str]] = {
    case.__name__: case
    for case in (killed, stopped, full_disk, small_files, damaged_weights, no_hub, slow_clients, two_tabs)
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("--case", choices=sorted(CASES), action="append", help="only this one; may be repeated")


def run(args: argparse.Namespace) -> int:
    """Run the command; returns the exit status, 0 if nothing went wrong."""
    failed = 0
    for name in args.case or CASES:
        wrong = CASES[name]()
        print(f"{name}: {wrong or 'survived'}", flush=True)
        failed += bool(wrong) and not wrong.startswith("not tried")
    return 1 if failed else 0
