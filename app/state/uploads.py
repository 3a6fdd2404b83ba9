"""Files that visitors send. Each lies in a folder of its own with a secret name, is read once, and goes.

Gradio would name the folder by the contents: whoever sends the same file at the same time would share it with the
first one, who takes it away, and whoever knows a file would know its address.
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from gradio.utils import get_upload_folder

from pise_core.errors import InputError

#: What programs are told that name a file and don't send it.
SEND_IT = (
    "send the file itself: with gradio_client as handle_file(path), as an MCP tool as a data: address; nothing is "
    "fetched from elsewhere"
)
#: Seconds after which a file goes that was sent for nothing.
FORGOTTEN = 1800
#: Bytes of files together that may wait to be read: the folder often lies in memory.
WAITING = 4_000_000_000


def folder() -> Path:
    """Where uploads lie; none of them can be fetched from there."""
    return Path(os.path.realpath(get_upload_folder())) / "uploads"


def received(path: Any) -> Path:
    """The file of an upload, checked: no other file of the server can be named in its place.

    Raises:
        InputError: if it is none, or was read already.
    """
    real = _real(path)
    if real is not None and real.is_file():
        return real
    name = Path(path).name if isinstance(path, str | Path) else "the file"
    raise InputError(f"{name} did not arrive; choose it again")


def forget(path: Any) -> None:
    """Remove an upload with its folder; what is no upload stays."""
    real = _real(path)
    if real is not None:
        shutil.rmtree(folder() / real.relative_to(folder()).parts[0], ignore_errors=True)


def keep(path: Any) -> None:
    """An upload is still wanted: it counts as having come now."""
    real = _real(path)
    if real is not None:
        with suppress(FileNotFoundError):
            os.utime(folder() / real.relative_to(folder()).parts[0])


def _real(path: Any) -> Path | None:
    """Where a path within the folder leads, None for any other."""
    if not isinstance(path, str | Path) or "\0" in str(path):
        return None
    real = Path(os.path.realpath(path))
    return real if real.is_relative_to(folder()) and real != folder() else None


def named(address: Any) -> str | None:
    """The path of an upload that is named by its path, or by the address that an upload to this server answers, as
    Gradio's tool for MCP clients makes one of it; None for any other. Neither is fetched: the path has a secret in it.
    """
    path = unquote(address.partition("/file=")[2]) if _is_address(address) else address
    return None if _real(path) is None else str(path)


def _is_address(text: Any) -> bool:
    return isinstance(text, str) and text.startswith(("http://", "https://"))


def make_folder() -> Path:
    """A new folder for one request."""
    place = folder() / secrets.token_urlsafe(24)
    place.mkdir(mode=0o700, parents=True)
    return place


def room() -> bool:
    """Whether more files may come."""
    waiting = 0
    for place, _, names in os.walk(folder()):
        for name in names:
            with suppress(FileNotFoundError):
                waiting += os.stat(os.path.join(place, name)).st_size
    return waiting < WAITING


def sweep(age: float = FORGOTTEN) -> None:
    """Remove what came more than ``age`` seconds ago and was never read."""
    latest = time.time() - age
    for path in folder().glob("*"):
        try:
            if path.stat().st_mtime <= latest:
                shutil.rmtree(path, ignore_errors=True)
        except FileNotFoundError:
            continue


@contextmanager
def read_once(*paths: Any) -> Iterator[None]:
    """Uploads while they are read; afterwards the server keeps no copy, whatever came of it. Whoever takes the paths
    from outside has checked them with :func:`received`."""
    try:
        yield
    finally:
        for path in paths:
            forget(path)
