"""What stands before the page: cookies, hosts, files, and whose word on addresses counts."""

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.guard import Guard, Rules, networks, visitor_of
from app.state.visitors import COOKIE
from pise_core.errors import InputError

HTML = {"accept": "text/html,*/*"}


def client(peer: str = "10.0.0.9", may_read=lambda path, visitor: False, **rules) -> TestClient:
    """Of a page that answers who was seen, and which forwarded headers."""

    async def seen(request):
        forwarded = {name: value for name, value in request.headers.items() if "forwarded" in name}
        return JSONResponse({"visitor": visitor_of(request.headers), "forwarded": forwarded})

    app = Starlette(routes=[Route("/{path:path}", seen, methods=["GET", "POST"])])
    return TestClient(Guard(app, Rules(**rules), may_read), base_url="http://localhost", client=(peer, 1))


def test_a_browser_gets_a_cookie_once_and_is_known_by_it():
    browser = client()
    page = browser.get("/", headers=HTML)
    assert page.json()["visitor"] == ["", ""]
    told = page.headers["set-cookie"]
    assert told.startswith(f"{COOKIE}=") and "HttpOnly" in told and "SameSite=Lax" in told
    again = browser.get("/", headers=HTML)
    assert again.json()["visitor"][0] and "set-cookie" not in again.headers
    assert browser.get("/").json() == again.json()


def test_a_program_gets_no_cookie_and_nobody_names_a_visitor_from_outside():
    program = client()
    headers = {"x-pise-visitor": "somebody", "x-pise-address": "1.2.3.4", "cookie": f"{COOKIE}=somebody.00; =;;a"}
    answer = program.get("/", headers=headers)
    assert answer.json()["visitor"] == ["", ""] and "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    (
        ("10.0.0.9", "7.7.7.7, 8.8.8.8", "8.8.8.8"),
        ("10.0.0.9", "7.7.7.7, 8.8.8.8, 10.0.0.1", "8.8.8.8"),
        ("10.0.0.9", "", ""),
        ("9.9.9.9", "8.8.8.8", ""),
    ),
)
def test_an_address_is_taken_from_proxies_of_the_operator_alone(peer, forwarded, address):
    headers = {"x-forwarded-for": forwarded, "x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    answer = client(peer, proxies=networks("10.0.0.0/8, ::1")).get("/", headers=headers).json()
    assert answer["visitor"] == ["", address]
    assert ("x-forwarded-host" in answer["forwarded"]) == peer.startswith("10.")
    nobody = client(peer).get("/", headers=headers).json()
    assert nobody == {"visitor": ["", ""], "forwarded": {}}


def test_a_host_that_is_not_the_operators_is_refused():
    assert client().get("/", headers={"host": "anything.example"}).status_code == 200
    narrow = client(hosts=("studio.example", "*.studio.example", "::1"))
    for host, status in (
        ("studio.example", 200), ("STUDIO.example:80", 200), ("a.studio.example:7860", 200), ("[::1]:7860", 200),
        ("evil.example", 421), ("studio.example.evil", 421), ("", 421), ("xstudio.example", 421),
    ):  # fmt: skip
        answer = narrow.get("/", headers={"host": host})
        assert answer.status_code == status, host
    assert "PISE_HOSTS" in answer.text


def test_files_are_for_their_visitors_alone():
    asked = []

    def may_read(path, visitor):
        asked.append(path)
        return path == "/served/studio/secret/photo.png"

    page = client(may_read=may_read)
    assert page.get("/gradio_api/file=/served/studio/secret/photo.png").status_code == 200
    for path in (
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=/served/uploads/secret/photo.png",
        "/gradio_api/file/etc/passwd",
        "/below/gradio_api/file=/etc/passwd",
        "/gradio_api/file=/served/studio/secret/../../x",
        "/gradio_api/file%3D/etc/passwd",
        "/gradio_api/file=http://127.0.0.1/",
    ):
        assert page.get(path).status_code == 404, path
    assert len(asked) >= 6


def test_answers_say_how_they_may_be_used():
    told = client().get("/gradio_api/queue").headers
    assert told["cache-control"] == "no-store" and told["x-content-type-options"] == "nosniff"
    assert told["content-security-policy"] == "frame-ancestors 'self'"
    assert "cache-control" not in client().get("/assets/page.js").headers


def test_the_operator_lets_a_host_show_the_page_and_a_space_its_own(monkeypatch):
    monkeypatch.setenv("PISE_FRAME_ANCESTORS", "https://example.org, https://*.example.net")
    page = client(**vars(Rules.from_environment()))
    told = page.get("/", headers=HTML).headers
    assert told["content-security-policy"] == "frame-ancestors 'self' https://example.org https://*.example.net"
    assert "SameSite=None; Secure; Partitioned" in told["set-cookie"]
    monkeypatch.delenv("PISE_FRAME_ANCESTORS")
    monkeypatch.setenv("SPACE_ID", "somebody/studio")
    assert "https://huggingface.co" in Rules.from_environment().frames


def test_what_the_operator_gets_wrong_is_told(monkeypatch):
    with pytest.raises(InputError, match="PISE_PROXIES"):
        networks("10.0.0.0/8, nonsense")
    monkeypatch.setenv("PISE_FRAME_ANCESTORS", "https://a.example; script-src *")
    with pytest.raises(InputError, match="PISE_FRAME_ANCESTORS"):
        Rules.from_environment()


def test_a_server_of_this_machine_alone_answers_to_its_names(monkeypatch):
    monkeypatch.delenv("PISE_HOSTS", raising=False)
    assert not Rules.from_environment("127.0.0.1").allows("evil.example")
    assert Rules.from_environment("127.0.0.1").allows("localhost:7860")
    assert Rules.from_environment("0.0.0.0").allows("studio.example")
    monkeypatch.setenv("PISE_HOSTS", "studio.example")
    assert not Rules.from_environment("0.0.0.0").allows("evil.example")


@pytest.mark.parametrize(
    "path",
    (
        "/gradio_api/deep_link?session_hash=x", "/gradio_api/dev/reload", "/gradio_api/process_recording",
        "/gradio_api/proxy=https://example.org/", "/gradio_api/vibe-edit", "/gradio_api/undo-vibe-edit/",
        "/gradio_api/runs", "/gradio_api/run-history/records", "/monitoring", "/studio/gradio_api/deep_link",
        "/gradio_api/%64eep_link", "/gradio_api/profiling/traces",
    ),
)  # fmt: skip
def test_what_the_page_has_no_use_for_is_not_there(path):
    for ask in (client().get, client().post):
        assert ask(path).status_code == 404


def test_a_request_is_no_larger_than_what_a_page_sends(monkeypatch):
    monkeypatch.setattr("app.guard.BODY_LIMIT", 1000)
    monkeypatch.setattr("app.guard.FILES_LIMIT", 2000)
    told: list[bool] = []

    async def read(request):
        try:
            told.append(len(await request.body()) <= 2000)
        except ClientDisconnect:
            told.append(False)
        return JSONResponse("read")

    page = TestClient(
        Guard(Starlette(routes=[Route("/{path:path}", read, methods=["POST"])]), Rules()), base_url="http://localhost"
    )
    for path, size, status in (
        ("/gradio_api/queue/join", 1000, 200),
        ("/gradio_api/queue/join", 1001, 413),
        ("/gradio_api/upload", 2000, 200),
        ("/gradio_api/upload", 2001, 413),
        ("/gradio_api/upload/../queue/join", 1001, 413),
    ):
        assert page.post(path, content=b"x" * size).status_code == status, (path, size)
    assert page.post("/gradio_api/queue/join", content=b"x", headers={"content-length": "-1"}).status_code == 413
    assert all(told)

    page.post("/gradio_api/queue/join", content=(b"x" * 500 for _ in range(4)))  # says nothing of its length
    assert told[-1] is False
