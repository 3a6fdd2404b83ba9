"""A studio process to be tried, and visitors who know their own photo by a mark in it."""

import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from gradio_client import Client, handle_file
from PIL import Image

from pise_core.images import encode_image, read_image

ROOT = Path(__file__).resolve().parent.parent
PEOPLE = ROOT / "app" / "examples" / "people"
_MARK = 24  # pixels at the photo's corner, far from anybody


class Studio:
    """``python app.py`` on a free port of this machine, with a temporary folder that outlives it.

    Args:
        base: where its temporary files lie; a new folder if None.
        options: further ones of ``app.py``.
        environment: further variables.
    """

    def __init__(self, *options: str, base: Path | None = None, **environment: str) -> None:
        self.base = base or Path(tempfile.mkdtemp(prefix="reliability-"))
        self.log = Path(tempfile.mkdtemp(prefix="reliability-log-")) / "log.txt"
        command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", "0", *options]
        settings = os.environ | {"GRADIO_TEMP_DIR": str(self.base), "OMP_NUM_THREADS": "1"} | environment
        with self.log.open("w") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=settings, stdout=output, stderr=subprocess.STDOUT)
        for _ in range(3000):
            found = re.search(r"http://\S+", self.log.read_text())
            if found or self.process.poll() is not None:
                break
            time.sleep(0.1)
        if not found:
            said = self.log.read_text()
            self.clean()
            raise RuntimeError(f"the studio did not start: {said}")
        self.address = found[0]

    def stop(self, number: int = signal.SIGTERM, seconds: float = 5) -> int | None:
        """Send a signal; the exit status, None if the process did not end in time."""
        self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def clean(self) -> None:
        """End it and remove what is left."""
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.rmtree(self.log.parent, ignore_errors=True)

    def tracebacks(self) -> int:
        """How many the log has."""
        return self.log.read_text().count("Traceback")

    def files(self) -> list[Path]:
        """What lies in its temporary folder, locks left out."""
        # os.walk passes over folders that the server removes meanwhile.
        found = (Path(folder) / name for folder, _, names in os.walk(self.base) for name in names)
        return [path for path in found if path.is_file() and not path.name.endswith(".lock")]

    def holds(self) -> dict[str, float]:
        """Megabytes of memory, descriptors, threads and files."""
        place = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
        return {
            "memory": int(status["VmRSS"].split()[0]) / 1024,
            "descriptors": len(list((place / "fd").iterdir())),
            "threads": int(status["Threads"]),
            "files": len(self.files()),
        }


def fetch(url: str, **headers: str) -> tuple[int, Any, bytes]:
    """Status, headers and body of an answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=names), timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


class Visitor:
    """A browser, as the server tells them apart, with a photo that has a mark of its own.

    Args:
        address: of the studio.
        number: of the visitor, from which the mark follows.
        cookie: of the browser; a new one if empty.
    """

    def __init__(self, address: str, number: int, cookie: str = "") -> None:
        self.cookie = cookie or fetch(address, accept="text/html")[1]["set-cookie"].split(";")[0]
        self._client = Client(
            address, verbose=False, download_files=False, headers={"cookie": self.cookie}, httpx_kwargs={"timeout": 300}
        )
        examples = sorted(PEOPLE.iterdir())
        photo = read_image(examples[number % len(examples)]).copy()
        self.mark = np.random.default_rng(number).integers(0, 256, (_MARK, _MARK, 3), np.uint8)
        photo[:_MARK, :_MARK] = self.mark
        self._photo = encode_image(photo)
        self.last = ""  # address of the newest picture

    def open(self) -> dict[str, Any]:
        """Open the photo."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "photo.png"
            path.write_bytes(self._photo)
            self.state = self._client.predict(handle_file(str(path)), api_name="/open_file")
        return self.state

    def edit(self, step: int) -> bool:
        """Move an arm and take the picture; whether the mark in it is this visitor's."""
        rows = list(self.state["keypoints"])
        if rows[4] is not None:
            rows[4] = [rows[4][0] - 5 * (step % 9), rows[4][1] - 8 * (step % 7), 1.0]
        self._client.predict(rows, api_name="/set_pose")
        self.last = self._client.predict(api_name="/result")["url"]
        status, _, body = fetch(self.last, cookie=self.cookie)
        if status != 200:
            raise RuntimeError(f"the picture answered {status}")
        with Image.open(io.BytesIO(body)) as picture:
            return bool(np.array_equal(np.asarray(picture.convert("RGB"))[:_MARK, :_MARK], self.mark))

    def leave(self) -> None:
        """Close the document."""
        self._client.predict(api_name="/close")
        self._client.close()
