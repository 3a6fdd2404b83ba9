"""A studio that is started to be measured from outside."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.builds import Failed, environment


class Server(NamedTuple):
    """A running studio: where it is, and its process."""

    address: str
    process: subprocess.Popen

    def processor_seconds(self) -> float:
        """Of the process so far, all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """What the process holds now."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


@contextmanager
def served(root: Path, visitors: int = 1) -> Iterator[Server]:
    """``python app.py`` of a build, once it answers, with room for so many programs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
    options = root / "app" / "main.py"
    if options.exists() and "--places" in options.read_text():  # half of them are for programs
        command += ["--places", str(max(32, 2 * visitors))]
    process = subprocess.Popen(
        command, cwd=root, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(server.address, timeout=5).close()
                break
            except OSError:
                if process.poll() is not None:
                    raise Failed(f"the studio of {root} did not start") from None
                time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        process.wait(30)
