"""The server as strangers meet it: uploads, results, addresses and headers, over HTTP."""

import json
import os
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from gradio.utils import get_upload_folder
from gradio_client import Client, handle_file

from app.guard import Rules
from app.layout import build
from app.state import uploads
from app.state.places import Places
from app.state.session import Session
from app.view import updates as view
from app.view.studio import Studio
from pise_core.errors import InputError
from tests.conftest import run, sent, served


@pytest.fixture(scope="module")
def address(editor, tmp_path_factory):
    """Address of a server with a folder of its own."""
    before = os.environ.get("GRADIO_TEMP_DIR")
    os.environ["GRADIO_TEMP_DIR"] = str(tmp_path_factory.mktemp("served"))
    try:
        page = build(Studio(lambda: editor), Places(limit=32))
        with served(page, rules=Rules(hosts=("127.0.0.1",))) as address:
            yield address
    finally:
        del os.environ["GRADIO_TEMP_DIR"]
        if before is not None:
            os.environ["GRADIO_TEMP_DIR"] = before


def fetch(url: str, data: bytes | None = None, **headers: str):
    """Status, headers and body of an answer."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, names), timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def refusal(address: str, file: dict) -> str:
    """What is answered to a program that names a file which it did not send."""
    forged = json.dumps({"data": [file | {"meta": {"_type": "gradio.FileData"}}, "Built-in", "Built-in", ""]}).encode()
    _, _, body = fetch(f"{address}/gradio_api/call/open_file", forged, Content_Type="application/json")
    _, _, body = fetch(f"{address}/gradio_api/call/open_file/{json.loads(body)['event_id']}")
    text = body.decode()
    assert text.startswith("event: error"), text
    return text


def program(address: str) -> Client:
    return Client(address, verbose=False, download_files=False)


def files() -> list[Path]:
    return [path for path in Path(get_upload_folder()).rglob("*") if "vibe_edit_history" not in path.parts]


def test_the_same_file_is_opened_by_many_at_once(address, photo_path):
    def one(number):
        client = program(address)
        state = client.predict(handle_file(str(photo_path)), api_name="/open_file")
        client.predict(api_name="/close")
        return state["size"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(one, range(8))) == [[220, 330]] * 8


def test_nothing_stays_of_uploads(address, photo_path):
    client = program(address)
    client.predict(handle_file(str(photo_path)), api_name="/open_file")
    client.predict(api_name="/close")
    assert [path for path in files() if path.is_file()] == []
    assert list((Path(get_upload_folder()) / "uploads").iterdir()) == []


def test_the_path_of_a_result_is_no_upload(address, photo_path):
    client = program(address)
    client.predict(handle_file(str(photo_path)), api_name="/open_file")
    result = client.predict(api_name="/result")
    said = refusal(address, {"path": result["path"], "orig_name": "photo.png"})
    assert "send the file itself" in said
    assert Path(result["path"]).exists()
    client.predict(api_name="/close")


def test_nothing_is_fetched_from_elsewhere(address):
    for place in ("http://127.0.0.1:9/photo.png", "https://example.org/photo.png", get_upload_folder()):
        assert "send the file itself" in refusal(address, {"path": place, "url": place})
    for place in ("/etc/hostname", "app.py"):
        assert refusal(address, {"path": place, "url": place})


@pytest.mark.parametrize("sent", ("/etc/hostname", 5, [], {"path": "me.jpg"}))
def test_a_path_in_place_of_a_file_is_told_how_to_send_it(address, sent):
    forged = json.dumps({"data": [sent, "Built-in", "Built-in", ""]}).encode()
    _, _, body = fetch(f"{address}/gradio_api/call/open_file", forged, Content_Type="application/json")
    _, _, body = fetch(f"{address}/gradio_api/call/open_file/{json.loads(body)['event_id']}")
    assert uploads.SEND_IT in body.decode()


def test_files_are_answered_to_their_owner_and_not_kept_on_the_way(address, photo_path):
    client = program(address)
    client.predict(handle_file(str(photo_path)), api_name="/open_file")
    url = client.predict(api_name="/result")["url"]
    status, headers, body = fetch(url)
    assert status == 200 and body.startswith(b"\x89PNG")
    assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "frame-ancestors 'self'"
    client.predict(api_name="/close")
    assert fetch(url)[0] == 404
    for path in ("/etc/passwd", str(Path(__file__)), "app.py", get_upload_folder()):
        assert fetch(f"{address}/gradio_api/file={path}")[0] == 404


def test_a_browsers_pictures_are_for_that_browser_alone(address, photo_path):
    _, headers, _ = fetch(f"{address}/", accept="text/html")
    cookie = headers["set-cookie"].split(";")[0]
    mine = Client(address, verbose=False, download_files=False, headers={"cookie": cookie})
    mine.predict(handle_file(str(photo_path)), api_name="/open_file")
    url = mine.predict(api_name="/result")["url"]
    _, headers, _ = fetch(f"{address}/", accept="text/html")
    theirs = headers["set-cookie"].split(";")[0]
    assert fetch(url, cookie=cookie)[0] == 200
    assert fetch(url)[0] == 404 and fetch(url, cookie=theirs)[0] == 404
    mine.predict(api_name="/close")


def test_no_other_page_of_the_web_may_read_answers(address):
    for origin in ("https://evil.example", "null", address.replace("127.0.0.1", "localhost")):
        _, headers, _ = fetch(f"{address}/config", origin=origin)
        assert not any(name.lower().startswith("access-control") for name in headers), origin
    assert fetch(f"{address}/config", host="evil.example")[0] == 421


def test_a_forwarded_host_is_not_believed(address):
    _, _, body = fetch(f"{address}/config", x_forwarded_host="evil.example", x_forwarded_proto="https")
    assert json.loads(body)["root"] == address


@pytest.mark.parametrize(("root", "prefix"), (("/studio", "/studio"), ("https://example.org/a/b/", "/a/b"), ("", "")))
def test_below_a_path_of_a_proxy_all_pictures_have_it(monkeypatch, studio, session, root, prefix):
    monkeypatch.setenv("GRADIO_ROOT_PATH", root)
    page = run(studio.start(session, None))
    page |= run(studio.prepare(session))

    def addresses(value):
        if isinstance(value, dict):
            value = list(value.values())
        if isinstance(value, list | tuple):
            for each in value:
                yield from addresses(each)
        elif isinstance(value, str) and "gradio_api" in value:
            yield value

    found = list(addresses(page))
    assert found and all(each.startswith(f"{prefix}/gradio_api/file=/") for each in found)
    assert view.path_of(found[0]) == found[0].partition("file=")[2]


def test_what_was_sent_for_nothing_goes(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    old, new = sent(b"1"), sent(b"2")
    os.utime(old.parent, (0, 0))
    uploads.sweep()
    assert not old.exists() and new.exists()
    uploads.forget(new)
    assert list(uploads.folder().iterdir()) == []


def test_no_more_files_wait_than_there_is_room_for(address, monkeypatch):
    form = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\nten bytes!\r\n--b--\r\n'

    def send():
        return fetch(f"{address}/gradio_api/upload", form, Content_Type="multipart/form-data; boundary=b")

    status, _, body = send()
    assert status == 200
    monkeypatch.setattr(uploads, "WAITING", 10)
    status, _, refused = send()
    assert status == 507 and b"try again in some minutes" in refused
    uploads.forget(json.loads(body)[0])
    status, _, body = send()
    assert status == 200
    uploads.forget(json.loads(body)[0])


@pytest.mark.parametrize("path", ("/etc/passwd", "uploads/../x", "", None, 3, "uploads", "\0"))
def test_no_other_file_is_taken_for_an_upload(tmp_path, monkeypatch, path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "x").write_bytes(b"mine")
    uploads.folder().mkdir()
    if isinstance(path, str) and path.startswith("uploads"):
        path = str(tmp_path / path)
    with pytest.raises(InputError, match="did not arrive"):
        uploads.received(path)
    uploads.forget(path)
    assert (tmp_path / "x").exists() and uploads.folder().is_dir()


def test_a_file_of_a_session_is_read_by_its_visitors(person):
    session = Session()
    path = session.save(person.photo, "shown", ".jpg")
    assert session.holds(path) and not session.holds(str(Path(path).parent)) and not session.holds(path + "x")
    session.close()
    assert not session.holds(path)
