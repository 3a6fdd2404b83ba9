"""The studio for programs: the example of the README, on a real server."""

import socket
import urllib.error
import urllib.request

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from app.actions import Studio
from app.studio import build, launch
from pise_core.images import read_image, write_image, write_parsing
from pise_core.regions import REGION


@pytest.fixture(scope="module")
def client(editor):
    demo = build(Studio(lambda: editor))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    launch(demo, "127.0.0.1", port, prevent_thread_lock=True, quiet=True)
    yield Client(f"http://127.0.0.1:{port}", verbose=False)
    demo.close()


def test_a_call_past_the_queue_is_refused(client):
    request = urllib.request.Request(
        f"{client.src}gradio_api/run/undo", b'{"data": []}', {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request, timeout=30)


def test_programs_do_what_the_page_does(client, person, other_person, tmp_path):
    photo, friend, regions = (tmp_path / name for name in ("me.png", "friend.png", "regions.png"))
    write_image(photo, person.photo)
    write_image(friend, other_person.photo)
    with pytest.raises(AppError, match="open a photo"):
        client.predict(api_name="/result")
    state = client.predict(handle_file(photo), api_name="/open_file")
    assert state["size"] == [220, 330] and "upper_clothes" in state["regions"] and not state["undo"]
    assert np.array_equal(read_image(client.predict(api_name="/result")), person.photo)

    keypoints = state["keypoints"]
    keypoints[4] = [keypoints[4][0] - 30, keypoints[4][1] - 60, 1]
    assert client.predict(keypoints, api_name="/set_pose")["undo"]
    assert client.predict(handle_file(friend), api_name="/add_reference")["references"] == {"r1": "friend"}
    client.predict({"upper_clothes": {"r1": 0.5}}, api_name="/set_styles")
    with Image.open(client.predict(api_name="/regions")) as image:
        painted = np.array(image)
    painted[150:180, 90:120] = REGION["dress"]
    write_parsing(regions, painted)
    client.predict(handle_file(regions), api_name="/set_regions")
    edited = read_image(client.predict(api_name="/result"))
    assert edited.shape == person.photo.shape and not np.array_equal(edited, person.photo)
    assert client.predict(api_name="/undo")["redo"]
    motion = {"keys": [state["keypoints"], keypoints], "seconds": 0.2, "loop": False}
    client.predict(motion, api_name="/set_motion")
    with Image.open(client.predict("gif", api_name="/motion")) as gif:
        assert gif.size == (220, 330)
    client.predict(api_name="/undo")
    document = client.predict(api_name="/save_document")
    assert client.predict(api_name="/start_over")["styles"] == {}
    state = client.predict(handle_file(document), api_name="/open_file")
    assert state["styles"] == {"upper_clothes": {"r1": 0.5}} and state["redo"]

    with pytest.raises(AppError, match="18 keypoints"):
        client.predict([1, 2], api_name="/set_pose")
    # Every endpoint is on the page of the API, with a sentence that says what it does.
    described = client.view_api(return_format="dict")["named_endpoints"]
    assert described.keys() == {
        "/open_file", "/add_reference", "/set_pose", "/load_pose", "/set_regions", "/set_styles", "/undo", "/redo",
        "/start_over", "/set_motion", "/motion", "/result", "/regions", "/save_document",
    }  # fmt: skip
    assert all(endpoint["description"] for endpoint in described.values())
