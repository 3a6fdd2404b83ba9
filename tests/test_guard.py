"""What stands before the page: cookies, and whose word on addresses counts."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app.guard import Guard, networks, visitor_of
from app.state.visitors import COOKIE, Signer
from pise_core.errors import InputError


def client(peer: str = "10.0.0.9", **settings: Any) -> TestClient:
    """Of a page that answers who was seen."""

    async def seen(request):
        return JSONResponse(visitor_of(request.headers))

    app = Starlette(routes=[Route("/", seen)])
    return TestClient(Guard(app, Signer(), **settings), client=(peer, 1))


def test_a_browser_gets_a_cookie_once_and_is_known_by_it():
    browser = client()
    page = browser.get("/", headers={"accept": "text/html,*/*"})
    assert page.json() == ["", ""]
    told = page.headers["set-cookie"]
    assert told.startswith(f"{COOKIE}=") and "HttpOnly" in told and "SameSite=Lax" in told
    again = browser.get("/", headers={"accept": "text/html"})
    assert again.json()[0] and "set-cookie" not in again.headers
    assert browser.get("/").json() == again.json()


def test_a_program_gets_no_cookie_and_nobody_names_a_visitor_from_outside():
    program = client()
    headers = {"x-pise-visitor": "somebody", "x-pise-address": "1.2.3.4", "cookie": f"{COOKIE}=somebody.00; =;;a"}
    answer = program.get("/", headers=headers)
    assert answer.json() == ["", ""] and "set-cookie" not in answer.headers


def test_a_page_in_a_frame_of_another_host_keeps_its_cookie():
    told = client(embedded=True).get("/", headers={"accept": "text/html"}).headers["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in told


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
    answer = client(peer, proxies=networks("10.0.0.0/8, ::1")).get("/", headers={"x-forwarded-for": forwarded})
    assert answer.json() == ["", address]
    assert client(peer).get("/", headers={"x-forwarded-for": forwarded}).json() == ["", ""]


def test_a_proxy_that_is_none_is_told():
    with pytest.raises(InputError, match="PISE_PROXIES"):
        networks("10.0.0.0/8, nonsense")
