"""What a session holds in the server: while its visitor is at work, and when nothing was asked for a while."""

import time
from pathlib import Path

from gradio_client import Client, handle_file

from benchmarks.server import Server, served

#: Of the photo, which is opened in every session.
MEGAPIXELS = 0.45
_COUNT = 8
_EDITS = 2
_WRIST = 4
#: Seconds until a build that gives memory back has done so.
_REST = 50


def measure(root: Path, settings: dict) -> dict[str, dict]:
    """Resident memory for each of some sessions beyond the first one, after two edits in each."""
    with served(root) as server:
        clients = [_worked(server, settings["photo"], 0)]
        at_work, resting = server.megabytes(), _rested(server)
        clients += [_worked(server, settings["photo"], number) for number in range(1, _COUNT + 1)]
        at_work, resting = server.megabytes() - at_work, _rested(server) - resting
        for client in clients:
            client.close()
    return {
        "memory of a session at work": {"megabytes": at_work / _COUNT},
        "memory of a session at rest": {"megabytes": resting / _COUNT},
    }


def _worked(server: Server, photo: str, number: int) -> Client:
    client = Client(server.address, verbose=False, httpx_kwargs={"timeout": 600})
    rows = client.predict(handle_file(photo), api_name="/open_file")["keypoints"]
    x, y, score = rows[_WRIST]
    for edit in range(_EDITS):
        rows[_WRIST] = [x - 5 - number, y - 40 - 5 * edit, score]
        client.predict(rows, api_name="/set_pose")
        client.predict(api_name="/result")
    return client


def _rested(server: Server) -> float:
    time.sleep(_REST)
    return server.megabytes()
