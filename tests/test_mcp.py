"""The endpoints as MCP tools: a real client on a real server, and nobody reaches what is not theirs."""

import ast
import asyncio
import base64
import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from urllib.parse import quote

import httpx
import mcp
import numpy as np
import pytest
from mcp.client.streamable_http import streamablehttp_client
from PIL import Image

from app.api import mcp as app_mcp
from app.layout import build
from app.server import application
from app.state.uploads import SEND_IT
from app.view.studio import Studio
from pise_core.errors import InputError
from pise_core.images import encode_image
from pise_core.pose import to_rows
from tests.conftest import moved, served


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    """What the server keeps of files that were sent as text."""
    return app_mcp.McpUploads()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the server keeps files."""
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def address(editor, uploads, folder):
    """Address of a server's tools."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder))
        yield from serve(editor, uploads)


def serve(editor, uploads):
    demo = build(Studio(lambda: editor))
    with ExitStack() as stack:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("app.server.McpUploads", lambda: uploads)
            address = stack.enter_context(served(demo, mcp_server=True))
        yield f"{address}/gradio_api/mcp/"


def talk(address, conversation):
    """Let a client of its own connect, and return what the conversation came to."""

    async def connected():
        async with streamablehttp_client(address) as (read, write, _), mcp.ClientSession(read, write) as client:
            await client.initialize()
            return await conversation(client)

    with ThreadPoolExecutor(1) as pool:  # the browser tests' own event loop may be running in this thread
        return pool.submit(asyncio.run, connected()).result()


def state_of(answer):
    assert not answer.isError, answer.content[0].text
    return ast.literal_eval(answer.content[0].text)


def refusal(answer):
    assert answer.isError
    return answer.content[0].text


def test_a_photo_is_opened_edited_and_seen(address, uploads, folder, person):
    sent = "data:image/png;base64," + base64.b64encode(encode_image(person.photo)).decode("ascii")

    async def conversation(client):
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert len(tools) == 38 and "18 rows" in tools["set_pose"].inputSchema["properties"]["keypoints"]["description"]
        state = state_of(await client.call_tool("open_file", {"file": sent}))
        session = {"session": state["session"]}
        posed = state_of(await client.call_tool("set_pose", {"keypoints": to_rows(moved(person)), **session}))
        assert posed["undo"] and posed["session"] == state["session"]
        result = await client.call_tool("result", session)
        wrong = refusal(await client.call_tool("set_pose", {"keypoints": [], **session}))
        assert "18 keypoints" in wrong
        closed = await client.call_tool("close", session)
        assert not closed.isError
        return result.content, refusal(await client.call_tool("state", session))

    (image, link), gone = talk(address, conversation)
    with Image.open(io.BytesIO(base64.b64decode(image.data))) as picture:
        edited = np.asarray(picture.convert("RGB"))
    assert edited.shape == person.photo.shape and not np.array_equal(edited, person.photo)
    assert "drawn" not in link.text and "no such session" in gone
    assert not [path for path in folder.rglob("*") if path.is_file()]  # nothing was kept
    assert list(uploads.folder.iterdir())  # Gradio wrote it down
    uploads.forget()
    assert list(uploads.folder.iterdir())  # it may be read still
    uploads.forget(age=-1)
    assert not list(uploads.folder.iterdir())


def test_nobody_reaches_the_document_of_another_client(address, person, other_person):
    def sent(drawn):
        return "data:image/png;base64," + base64.b64encode(encode_image(drawn.photo)).decode("ascii")

    async def first(client):
        return state_of(await client.call_tool("open_file", {"file": sent(person)}))["session"]

    async def second(client):
        for tool in ("state", "result", "undo", "save_document"):
            assert "name the session" in refusal(await client.call_tool(tool, {}))
            assert "no such session" in refusal(await client.call_tool(tool, {"session": "guessed"}))
        return state_of(await client.call_tool("open_file", {"file": sent(other_person)}))["session"]

    mine, theirs = talk(address, first), talk(address, second)
    assert mine != theirs

    async def both(client):
        return [state_of(await client.call_tool("state", {"session": s}))["size"] for s in (mine, theirs)]

    assert talk(address, both) == [[220, 330], [300, 400]]


def test_what_is_no_file_is_refused_in_the_same_words(address):
    async def sent(client):
        wrong = ("me.jpg", "", "https://example.org/me.jpg", "http://127.0.0.1:9/file=/etc/passwd", "data:,hello")
        return {refusal(await client.call_tool("open_file", {"file": file})) for file in wrong}

    assert talk(address, sent) == {SEND_IT}


def test_a_file_that_was_uploaded_is_named_by_its_address(address, photo_path):
    server = address.partition("/gradio_api/")[0]
    answer = httpx.post(f"{server}/gradio_api/upload", files={"files": ("me.png", photo_path.read_bytes())})
    place = f"{server}/gradio_api/file={quote(answer.json()[0])}"

    async def opened(client):
        first = state_of(await client.call_tool("open_file", {"file": place}))
        return first["size"], refusal(await client.call_tool("open_file", {"file": place}))

    size, again = talk(address, opened)
    assert size == [220, 330] and again == "me.png did not arrive; choose it again"


def test_tools_are_told_all_that_is_said_of_their_parameters(address):
    async def listed(client):
        return {tool.name: tool.inputSchema["properties"] for tool in (await client.list_tools()).tools}

    told = talk(address, listed)
    assert told["load_pose"]["text"]["description"].endswith("MediaPipe and others.")
    for name, parameters in told.items():
        for parameter, schema in parameters.items():
            assert schema["description"].endswith("."), (name, parameter)
            if "Gradio File Input" in str(schema.get("format")):
                assert "data: address" in schema["description"]


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.setattr("app.api.mcp.importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install"):
        application(build(Studio(lambda: None)), mcp_server=True)
