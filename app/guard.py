"""What stands before the page: which browser a request comes from."""

import ipaddress
import os
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.state.visitors import COOKIE, Signer, Visitor
from pise_core.errors import InputError

#: Headers in which the guard tells what is behind it; from outside they are not let through.
_NAMED, _ADDRESS = b"x-pise-visitor", b"x-pise-address"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def visitor_of(headers: Headers | dict[str, str]) -> Visitor:
    """The visitor whom the guard saw, from the headers of a request behind it."""
    return Visitor(headers.get(_NAMED.decode()) or "", headers.get(_ADDRESS.decode()) or "")


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, as the operator lists them with commas.

    Raises:
        InputError: if one is none.
    """
    try:
        return tuple(ipaddress.ip_network(one.strip(), strict=False) for one in text.split(",") if one.strip())
    except ValueError as error:
        raise InputError(f"PISE_PROXIES: {error}; list addresses or networks, such as 10.0.0.0/8") from None


class Guard:
    """ASGI middleware, the outermost one.

    Args:
        app: what it stands before.
        signer: of cookies.
        proxies: whose word on where a request comes from is taken.
        embedded: whether pages of other hosts show this one in a frame, so that the cookie must be sent from there.
    """

    def __init__(self, app: ASGIApp, signer: Signer, proxies: Sequence[Network] = (), embedded: bool = False) -> None:
        self._app, self._signer, self._proxies = app, signer, proxies
        self._attributes = "; SameSite=None; Secure; Partitioned" if embedded else "; SameSite=Lax"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        name = self._signer.name(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))
        told = [(_NAMED, name.encode()), (_ADDRESS, self._address(scope, headers).encode())]
        kept = [(key, value) for key, value in scope["headers"] if key not in (_NAMED, _ADDRESS)]
        scope = dict(scope, headers=kept + told)
        # A page gets the cookie, and what the page then asks for brings it along.
        new = not name and scope["method"] == "GET" and "text/html" in headers.get("accept", "")

        async def answer(message: Message) -> None:
            if new and message["type"] == "http.response.start":
                value = f"{COOKIE}={self._signer.new()}; Path=/; HttpOnly; Max-Age=86400{self._attributes}"
                MutableHeaders(scope=message).append("set-cookie", value)
            await send(message)

        await self._app(scope, receive, answer)

    def _address(self, scope: Scope, headers: Headers) -> str:
        """Where a request comes from, by the word of a proxy of the operator's; "" if none of them brought it."""
        peer = scope["client"][0] if scope.get("client") else ""
        if not self._trusted(peer):
            return ""
        # Whoever asks may have written the first ones; the last one that is no proxy of ours is what ours have seen.
        for one in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            if not self._trusted(one.strip()):
                return one.strip()
        return ""

    def _trusted(self, address: str) -> bool:
        try:
            return any(ipaddress.ip_address(address) in network for network in self._proxies)
        except ValueError:
            return False


def from_environment() -> dict:
    """The settings of :class:`Guard` that the operator makes: ``PISE_COOKIE_KEY``, the same for all replicas, and
    ``PISE_PROXIES``, addresses and networks of reverse proxies.

    Raises:
        InputError: if one is not understood.
    """
    return {
        "signer": Signer(os.environ.get("PISE_COOKIE_KEY")),
        "proxies": networks(os.environ.get("PISE_PROXIES", "")),
        "embedded": "SPACE_ID" in os.environ,
    }
