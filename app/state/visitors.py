"""Who a request comes from, as far as places are counted: a browser by a cookie that this server signed.

The cookie says nothing about the person and is no key to anything: sessions have secrets of their own. It only tells
one browser from another, so that nobody takes all places.
"""

import hashlib
import hmac
import secrets
from typing import NamedTuple

#: The name of the cookie.
COOKIE = "pise_visitor"


class Visitor(NamedTuple):
    """A browser, or a program.

    Attributes:
        cookie: what is in its cookie, "" for programs and browsers that keep none.
        address: where it comes from, "" unless a proxy that the operator trusts says so.
    """

    cookie: str = ""
    address: str = ""


class Signer:
    """Makes and knows cookies.

    Args:
        key: the same for all servers behind one address; a new one if None.
    """

    def __init__(self, key: str | None = None) -> None:
        self._key = (key or secrets.token_urlsafe(32)).encode()

    def new(self) -> str:
        """The value of a new cookie."""
        name = secrets.token_urlsafe(12)
        return f"{name}.{self._signature(name)}"

    def name(self, value: str) -> str:
        """The visitor's name in the value of a cookie, "" if this server has not signed it."""
        name, _, signature = value.partition(".")
        return name if hmac.compare_digest(self._signature(name).encode(), signature.encode()) else ""

    def _signature(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:32]
