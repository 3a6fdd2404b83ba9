"""What stands before the page: who a request comes from, what it may reach, and how answers may be used."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.state.visitors import COOKIE, Signer, Visitor
from pise_core.errors import InputError

#: Headers in which the guard tells what is behind it; from outside they are not let through.
_NAMED, _ADDRESS = b"x-pise-visitor", b"x-pise-address"
#: Headers that only a proxy of the operator's is believed.
_FORWARDED = re.compile(rb"forwarded|x-forwarded-.*|x-real-ip|x-gradio-server")
#: What browsers may keep: Gradio's own files as those say, the page's modules, which change their address, for ever.
_KEPT, _MODULES = re.compile(r"/(?:assets|static)/"), re.compile(r"/web/[0-9a-f]{16}/")
_UPLOAD = re.compile(r"/gradio_api/upload/?$")
_FILE = re.compile(r"/gradio_api/(?:file=|file/)(.*)", re.DOTALL)
#: What Gradio answers that the page has no use for: some of it writes files that nobody removes.
_UNUSED = re.compile(
    r"/gradio_api/(?:deep_link|dev/|process_recording|proxy=|runs|run-history|profiling|(?:undo-)?vibe)|/monitoring"
)
#: Bytes of a request at most: of one that brings files, and of any other, whose largest is work that a browser kept.
FILES_LIMIT, BODY_LIMIT = 400_000_000, 64_000_000
_SPACE_HOSTS = ("https://huggingface.co", "https://*.hf.space")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def visitor_of(headers: Mapping[str, str]) -> Visitor:
    """The visitor whom the guard saw, from the headers of a request behind it."""
    return Visitor(headers.get(_NAMED.decode()) or "", headers.get(_ADDRESS.decode()) or "")


def networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks, as the operator lists them with commas.

    Raises:
        InputError: if one is none.
    """
    try:
        return tuple(ipaddress.ip_network(one, strict=False) for one in _listed(text))
    except ValueError as error:
        raise InputError(f"PISE_PROXIES: {error}; list addresses or networks, such as 10.0.0.0/8") from None


@dataclass(frozen=True)
class Rules:
    """What the operator allows.

    Attributes:
        signer: of cookies.
        proxies: whose word on where a request comes from, and for which host it is, is taken.
        hosts: names under which the page may be asked for, ``*.`` for all below; all names if empty.
        frames: hosts whose pages may show this one in a frame.
        behind_one_door: nothing but a proxy can reach this server, and no address is known: a Space.
    """

    signer: Signer = field(default_factory=Signer)
    proxies: Sequence[Network] = ()
    hosts: Sequence[str] = ()
    frames: Sequence[str] = ()
    behind_one_door: bool = False

    @classmethod
    def from_environment(cls, listening: str = "") -> "Rules":
        """Rules by ``PISE_COOKIE_KEY`` (the same for all replicas), ``PISE_PROXIES``, ``PISE_HOSTS`` and
        ``PISE_FRAME_ANCESTORS``, lists with commas. A server that listens on this machine alone answers to its names
        alone, unless told otherwise; a Space lets its host show it.

        Raises:
            InputError: if one is not understood.
        """
        space = "SPACE_ID" in os.environ
        hosts = _listed(os.environ.get("PISE_HOSTS", ""))
        if not hosts and listening in ("127.0.0.1", "localhost", "::1"):
            hosts = ["127.0.0.1", "localhost", "::1"]
        frames = _listed(os.environ.get("PISE_FRAME_ANCESTORS", ""))
        for one in frames:
            if not re.fullmatch(r"[\w:/.*\[\]-]+", one):
                raise InputError(f"PISE_FRAME_ANCESTORS: {one!r} is no host; list some such as https://example.org")
        return cls(
            Signer(os.environ.get("PISE_COOKIE_KEY")),
            networks(os.environ.get("PISE_PROXIES", "")),
            hosts,
            frames or (_SPACE_HOSTS if space else ()),
            space,
        )

    def allows(self, host: str) -> bool:
        """Whether the page may be asked for under that name, a port included."""
        name = re.sub(r":\d*$", "", host).strip("[]").lower()
        below = (one[1:] for one in self.hosts if one.startswith("*."))
        return not self.hosts or name in self.hosts or any(name.endswith(one) for one in below)

    def trusts(self, address: str) -> bool:
        """Whether that is a proxy of the operator's."""
        try:
            return any(ipaddress.ip_address(address) in network for network in self.proxies)
        except ValueError:
            return False


class Guard:
    """ASGI middleware, the outermost one.

    Args:
        app: what it stands before.
        rules: of the operator.
        may_read: whether a visitor may fetch the file at a path; by default nobody may fetch any.
    """

    def __init__(
        self, app: ASGIApp, rules: Rules, may_read: Callable[[str, Visitor], bool] = lambda path, visitor: False
    ) -> None:
        self._app, self._rules, self._may_read = app, rules, may_read
        same_site = "SameSite=None; Secure; Partitioned" if rules.frames else "SameSite=Lax"
        self._cookie = f"Path=/; HttpOnly; Max-Age=86400; {same_site}"
        self._policy = " ".join(["frame-ancestors", "'self'", *rules.frames])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        visitor, trusted = self._visitor(scope, headers)
        # A page gets the cookie, and what the page then asks for brings it along.
        new = not visitor.cookie and scope["method"] == "GET" and "text/html" in headers.get("accept", "")

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                told["x-content-type-options"] = "nosniff"
                told["referrer-policy"] = "same-origin"
                told["content-security-policy"] = self._policy
                if _MODULES.search(scope["path"]):
                    told["cache-control"] = "public, max-age=31536000, immutable"
                elif not _KEPT.search(scope["path"]):
                    told["cache-control"] = "no-store"  # pictures of people, and where they lie
                if new:
                    told.append("set-cookie", f"{COOKIE}={self._rules.signer.new()}; {self._cookie}")
            await send(message)

        limit = FILES_LIMIT if _UPLOAD.search(scope["path"]) else BODY_LIMIT
        app = self._refusal(scope, headers, visitor) or _too_large(headers, limit) or self._app
        dropped = (_NAMED, _ADDRESS)
        kept = [
            (key, value)
            for key, value in scope["headers"]
            if key not in dropped and (trusted or not _FORWARDED.fullmatch(key))
        ]
        told = [(_NAMED, visitor.cookie.encode()), (_ADDRESS, visitor.address.encode("latin-1"))]
        await app(dict(scope, headers=kept + told), _counted(receive, limit), answer)

    def _refusal(self, scope: Scope, headers: Headers, visitor: Visitor) -> ASGIApp | None:
        host = headers.get("host", "")
        if not self._rules.allows(host):
            name = host[:100].encode("ascii", "replace").decode()
            return PlainTextResponse(f"{name} is not served here; the operator names hosts in PISE_HOSTS\n", 421)
        # The address may be decoded several times on its way to a file: what is decoded once too little is no path.
        if _UNUSED.search(unquote(scope["path"])):
            return PlainTextResponse("there is nothing here\n", 404)
        asked = _FILE.search(unquote(scope["path"]))
        if asked and not self._may_read(asked[1], visitor):
            return PlainTextResponse("there is no such file, or it is not yours\n", 404)
        return None

    def _visitor(self, scope: Scope, headers: Headers) -> tuple[Visitor, bool]:
        """Who asks, and whether a trusted proxy has brought the request."""
        name = self._rules.signer.name(cookie_parser(headers.get("cookie", "")).get(COOKIE, ""))
        peer = scope["client"][0] if scope.get("client") else ""
        if not self._rules.trusts(peer):
            return Visitor(name), self._rules.behind_one_door
        # Whoever asks may have written the first ones; the last one that is no proxy of ours is what ours have seen.
        for one in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            if not self._rules.trusts(one.strip()):
                return Visitor(name, one.strip()), True
        return Visitor(name), True


def _too_large(headers: Headers, limit: int) -> ASGIApp | None:
    """What refuses a request that says itself that it is larger."""
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) <= limit:
        return None
    return PlainTextResponse(f"that is more than {limit / 1e6:g} MB\n", 413)


def _counted(receive: Receive, limit: int) -> Receive:
    """The same as long as no more comes than that: one who says nothing of the length is cut off there."""
    came = 0

    async def take() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        return {"type": "http.disconnect"} if came > limit else message

    return take


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
