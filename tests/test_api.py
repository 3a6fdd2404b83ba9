"""The studio for programs: the example of docs/api.md and every endpoint, on a real server."""

import json
import re
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from app.layout import build
from app.view.studio import Studio
from pise_core.document.motion import encode_mp4
from pise_core.images import read_image, write_image, write_parsing
from pise_core.pose import to_rows
from pise_core.pose_files import encode_pose
from pise_core.regions import REGION, colorize
from tests.conftest import ROOT, draw_person, moved, served
from tests.pose_files_of_others import FILES, TRUTH


@pytest.fixture(scope="module")
def studio(editor):
    """The actions behind the server."""
    return Studio(lambda: editor)


@pytest.fixture(scope="module")
def address(studio):
    """Address of a server."""
    with served(build(studio)) as address:
        yield address


def test_a_call_past_the_queue_is_refused(address):
    request = urllib.request.Request(
        f"{address}/gradio_api/run/undo", b'{"data": []}', {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request, timeout=30)


@pytest.fixture
def files(tmp_path, person, other_person, monkeypatch):
    """A folder with photos of both drawn people and of a shirt, which is where the test runs."""
    write_image(tmp_path / "me.jpg", person.photo)
    write_image(tmp_path / "friend.jpg", other_person.photo)
    shirt = np.full((240, 200, 3), (225, 222, 215), np.uint8)
    shirt[40:200, 50:150] = 40, 130, 80
    write_image(tmp_path / "shirt.jpg", shirt)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def client(address):
    """A program, whose session is its own."""
    return Client(address, verbose=False)


def test_the_example_of_the_readme(address, files, person, capsys):
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    code = next(block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "gradio_client" in block)
    names = {}
    exec(compile(code.replace("http://127.0.0.1:7860", address), "api.md", "exec"), names)
    edited = read_image(capsys.readouterr().out.strip().splitlines()[-1])
    assert edited.shape == person.photo.shape and not np.array_equal(edited, read_image("me.jpg"))
    assert names["state"]["references"] == {"r1": "friend"}


def test_what_is_wanted_is_said_without_waiting_for_the_networks(client, files, studio):
    keypoints = client.predict(handle_file("me.jpg"), api_name="/open_file")["keypoints"]
    keypoints[4] = [70.5, 90.25, 1.0]
    with ExitStack() as others:
        for _ in range(studio.line.room):
            others.enter_context(studio.line.turn())
        assert client.predict(keypoints, api_name="/set_pose")["keypoints"][4] == keypoints[4]
        assert client.predict(api_name="/undo")["redo"]


def test_pose_regions_and_the_history(client, files, person):
    with pytest.raises(AppError, match="open a photo"):
        client.predict(api_name="/result")
    state = client.predict(handle_file("me.jpg"), api_name="/open_file")
    assert state["size"] == [220, 330] and "upper_clothes" in state["regions"] and not state["undo"]
    assert len(state["people"]) == 1 and state["chosen"] == 0 and state["note"] == ""
    assert np.array_equal(read_image(client.predict(api_name="/result")), read_image("me.jpg"))
    keypoints = state["keypoints"]
    keypoints[4] = [70.5, 90.25, 1.0]
    assert client.predict(keypoints, api_name="/set_pose")["keypoints"][4] == keypoints[4]
    with Image.open(client.predict(api_name="/regions")) as image:
        painted = np.array(image)
    painted[150:180, 90:120] = REGION["dress"]
    write_parsing("regions.png", painted)
    client.predict(handle_file("regions.png"), api_name="/set_regions")
    wanted = read_image(client.predict(api_name="/regions"))
    Image.fromarray(colorize(painted)).save("rgb.png")
    Image.fromarray(np.array([0, 2, 11, 4, 7, 6, 14, 12], np.uint8)[painted]).save("atr.png")
    for file, table in (("rgb.png", "regions"), ("atr.png", "atr")):
        client.predict(api_name="/undo")
        assert client.predict(handle_file(file), table, api_name="/set_regions")["note"] == ""
        assert np.array_equal(read_image(client.predict(api_name="/regions")), wanted)
    with pytest.raises(AppError, match="index 14"):
        client.predict(handle_file("atr.png"), api_name="/set_regions")
    assert not np.array_equal(read_image(client.predict(api_name="/result")), read_image("me.jpg"))
    assert client.predict(api_name="/undo")["redo"]
    assert not client.predict(api_name="/redo")["redo"]
    document = client.predict(api_name="/save_document")
    assert client.predict(api_name="/start_over")["keypoints"][4] != keypoints[4]
    again = client.predict(handle_file(document), api_name="/open_file")
    assert again["keypoints"][4] == keypoints[4] and again["undo"] and not again["redo"]
    client.predict(handle_file("friend.jpg"), api_name="/pose_from_photo")
    text = encode_pose(moved(person), (220, 330))
    posed = client.predict(text, api_name="/load_pose")
    for name in ("openpose body_25", "comfyui", "alphapose"):
        foreign = client.predict(json.dumps(FILES[name](TRUTH)), api_name="/load_pose")
        assert foreign["undo"] and foreign["keypoints"][4][1] < foreign["keypoints"][3][1]  # the raised right arm
        client.predict(api_name="/undo")
    assert client.predict(api_name="/analyse_again")["keypoints"] != posed["keypoints"]
    assert client.predict(api_name="/undo")["keypoints"] == posed["keypoints"]  # to the photo as it was before
    assert client.predict(api_name="/redo")["keypoints"] != posed["keypoints"]
    with pytest.raises(AppError, match="18 keypoints"):
        client.predict([1, 2], api_name="/set_pose")


def test_whom_to_edit(client, files, person):
    write_image("empty.png", np.full((330, 220, 3), 200, np.uint8))
    state = client.predict(handle_file("empty.png"), api_name="/open_file")
    assert state["people"] == [] and "place_person" in state["note"]
    placed = client.predict(to_rows(person.pose), api_name="/place_person")
    assert placed["keypoints"] == to_rows(person.pose) and "no person under the skeleton" in placed["note"]
    with pytest.raises(AppError, match="no such person"):
        client.predict(3, api_name="/choose_person")
    client.predict(handle_file("me.jpg"), api_name="/open_file")
    assert client.predict(0, api_name="/choose_person")["chosen"] == 0


def test_references_styles_and_looks(client, files):
    client.predict(handle_file("me.jpg"), api_name="/open_file")
    assert client.predict(handle_file("friend.jpg"), api_name="/add_reference")["references"] == {"r1": "friend"}
    with pytest.raises(AppError, match="call add_garment"):
        client.predict(handle_file("shirt.jpg"), api_name="/add_reference")
    state = client.predict(handle_file("shirt.jpg"), "upper_clothes", api_name="/add_garment")
    assert state["references"] == {"r1": "friend", "r2": "shirt"}
    with pytest.raises(AppError, match="region is one of"):
        client.predict(handle_file("shirt.jpg"), "hat", api_name="/add_garment")
    state = client.predict("upper_clothes", "r2", 0.5, api_name="/set_style")
    assert state["styles"] == {"upper_clothes": {"r2": 0.5}}
    with Image.open(client.predict("upper_clothes", "r1", api_name="/steps")) as strip:
        assert strip.size == (5 * 220, 330)
    look = client.predict("upper_clothes", api_name="/save_look")
    state = client.predict(handle_file(look), api_name="/add_reference")
    assert list(state["references"]) == ["r1", "r2", "r3"]
    mix = {"upper_clothes": {"r2": 0.5, "r3": 0.5}, "pants": {"r1": 1}}
    assert client.predict(mix, api_name="/set_styles")["styles"] == mix
    state = client.predict("r2", api_name="/remove_reference")
    assert state["styles"] == {"upper_clothes": {"r3": 0.5}, "pants": {"r1": 1}}
    with pytest.raises(AppError, match="gone"):
        client.predict("r2", api_name="/remove_reference")


def test_other_weights(client, files):
    client.predict(handle_file("me.jpg"), api_name="/open_file")
    assert client.predict("Default", api_name="/choose_weights")["weights"] == "Default"
    with pytest.raises(AppError, match="choose one of: Default"):
        client.predict("/etc/passwd", api_name="/choose_weights")


def test_a_motion(client, files, person):
    state = client.predict(handle_file("me.jpg"), api_name="/open_file")
    keys = [state["keypoints"], to_rows(moved(person))]
    clip = json.dumps([FILES["comfyui"](TRUTH)[0], FILES["openpose body_25"](TRUTH)])
    assert len(client.predict(clip, api_name="/load_motion")["motion"]["keys"]) == 2
    places = [(20 + 12 * k, 20, 150 + 12 * k, 310) for k in range(3)]
    Path("walk.mp4").write_bytes(encode_mp4([draw_person(240, 330, box).photo for box in places], 4))
    state = client.predict(handle_file("walk.mp4"), api_name="/motion_from_video")
    assert len(state["motion"]["keys"]) in (5, 6) and not state["motion"]["loop"]
    with pytest.raises(AppError, match="can't be read as a video"):
        client.predict(handle_file("me.jpg"), api_name="/motion_from_video")
    state = client.predict(keys, 0.2, False, api_name="/set_motion")
    told = {"keys": keys, "seconds": 0.2, "loop": False, "times": [], "easing": "even"}
    assert state["motion"] == told
    timed = client.predict(keys, 0.2, False, [2.0] * len(keys), "gentle", api_name="/set_motion")
    assert timed["motion"] == told | {"times": [2.0] * len(keys), "easing": "gentle"}
    client.predict(api_name="/undo")
    with Image.open(client.predict("gif", api_name="/animate")) as gif:
        assert gif.size == (220, 330)


def test_a_session_is_named_or_ones_own(address, client, files):
    token = client.predict(handle_file("me.jpg"), api_name="/open_file")["session"]
    other = Client(address, verbose=False)
    with pytest.raises(AppError, match="open a photo"):
        other.predict(api_name="/state")
    assert other.predict(token, api_name="/state")["session"] == token
    with pytest.raises(AppError, match="no such session"):
        other.predict(token[:-1] + "?", api_name="/state")
    client.predict(api_name="/close")
    with pytest.raises(AppError, match="no such session"):
        other.predict(token, api_name="/state")


def test_every_action_is_an_endpoint_that_is_described(client):
    described = client.view_api(return_format="dict")["named_endpoints"]
    assert described.keys() == {
        "/open_file", "/state", "/choose_weights", "/choose_background", "/choose_person", "/place_person",
        "/analyse_again",
        "/set_pose", "/make_room", "/set_held", "/paint_held", "/load_pose", "/pose_from_photo", "/set_regions",
        "/retouch", "/cut",
        "/add_reference",
        "/add_garment",
        "/remove_reference", "/set_style", "/set_styles", "/set_wear", "/set_recolour", "/set_motion", "/load_motion",
        "/motion_from_video", "/undo", "/redo",
        "/start_over", "/travel", "/result", "/edit_another", "/regions", "/steps", "/animate", "/save_look",
        "/save_document", "/close",
    }  # fmt: skip
    for endpoint in described.values():
        assert endpoint["description"] and all(parameter["label"] for parameter in endpoint["parameters"])
    region, reference, weight, _ = described["/set_style"]["parameters"]
    assert region["type"]["enum"] and reference["type"] == {"type": "string"} and weight["parameter_default"] == 1
