"""Several visitors at once, as programs see the studio: each opens the photo, moves an arm, and takes the picture."""

import tempfile
import threading
import time
from pathlib import Path
from statistics import quantiles
from typing import Any

import cv2
from gradio_client import Client, handle_file

from benchmarks.builds import Failed
from benchmarks.server import served

_EDITS = 2
_WRIST = 4


def measure(root: Path, settings: dict) -> dict[str, dict]:
    """Wall times as visitors see them, edits a second, and what the server needs for it."""
    count, waits, lock = settings["visitors"], {"open": [], "set_pose": [], "result": []}, threading.Lock()
    with served(root, count) as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clients = [Client(server.address, verbose=False, httpx_kwargs={"timeout": 600}) for _ in range(count)]
        failures: list[BaseException] = []

        def ask(client: Client, name: str, *inputs: Any) -> Any:
            start = time.monotonic()
            answer = client.predict(*inputs, api_name="/open_file" if name == "open" else f"/{name}")
            with lock:
                waits[name].append(time.monotonic() - start)
            return answer

        def visit(client: Client, number: int) -> None:
            try:
                state = ask(client, "open", handle_file(str(_own_copy(folder, settings["photo"], number))))
                gate.wait()
                for edit in range(_EDITS):
                    rows = list(state["keypoints"])
                    x, y, score = rows[_WRIST]
                    rows[_WRIST] = [x - 5 - number, y - 40 - 5 * edit, score]
                    ask(client, "set_pose", rows)
                    ask(client, "result")
            except BaseException as error:
                failures.append(error)
                gate.abort()

        began: list[float] = []
        gate = threading.Barrier(count, action=lambda: began.append(time.monotonic()))
        before = server.processor_seconds()
        threads = [threading.Thread(target=visit, args=(c, n)) for n, c in enumerate(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = time.monotonic()
        if failures:
            raise Failed(f"a visitor was refused: {failures[0]}")
        seconds, memory = server.processor_seconds() - before, server.megabytes()
    named = f"{count} visitors"
    return {
        f"{named}: open, 95 of 100": {"wall": _p95(waits["open"])},
        f"{named}: set_pose, 95 of 100": {"wall": _p95(waits["set_pose"])},
        f"{named}: result, 95 of 100": {"wall": _p95(waits["result"])},
        f"{named}: edits": {"rate": count * _EDITS / (ended - began[0])},
        f"{named}: the server": {"seconds": seconds},
        f"{named}: memory": {"megabytes": memory},
    }


def _own_copy(folder: Path, photo: str, number: int) -> Path:
    """The photo with one pixel of another colour: builds that name uploads by their bytes mix equal ones up."""
    image, path = cv2.imread(photo), folder / f"{number}.png"
    assert image is not None, photo
    image[0, 0] = number
    cv2.imwrite(str(path), image)
    return path


def _p95(values: list[float]) -> float:
    return quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
