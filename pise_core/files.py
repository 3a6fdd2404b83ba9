"""Files that are a user's: read in bounds, and written so that a new one takes the old one's place when it is whole, or
the old one stays."""

import contextlib
import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pise_core.errors import InputError


def read_file(path: str | os.PathLike[str], limit: int) -> bytes:
    """The bytes of a file, ``limit`` + 1 of them at most: whoever gets that many knows that there are too many.

    Raises:
        InputError: if it is not there, or can't be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {os.fspath(path)}") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{os.fspath(path)!r} can't be read: {reason}") from None


def write_file(path: str | os.PathLike[str], data: bytes | str) -> None:
    """Write the bytes of a file, or its text as UTF-8; see :func:`replacing`.

    Raises:
        InputError: if it can't be written.
    """
    with replacing(path) as partial:
        partial.write_bytes(data.encode() if isinstance(data, str) else data)


def write_json(path: str | os.PathLike[str], content: Any, indent: int | None = None) -> None:
    """Write JSON and a line break; see :func:`replacing`.

    Raises:
        InputError: if it can't be written.
    """
    write_file(path, json.dumps(content, indent=indent) + "\n")


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A path beside ``path`` at which the block writes a file; at its end, that file takes the place of ``path``.

    The new file is in the same folder and on the disk before it is renamed, so that a full disk, a limit, an error or
    a power cut leaves the old file as it was. It has the mode of the old file, or the one that the umask gives. A link
    stays one: what it leads to is replaced. What is no regular file, such as a pipe, is written as it is.

    Raises:
        InputError: if it can't be written: whatever ``OSError`` the block or the renaming raises.
    """
    named = os.fspath(path)
    try:
        target = Path(os.path.realpath(named))
        if target.exists() and not target.is_file() and not target.is_dir():
            yield target
            return
        partial = _beside(target)
        try:
            mode = stat.S_IMODE(partial.stat().st_mode)
            yield partial
            os.chmod(partial, mode)  # a writer that makes a file of its own there may have chosen another
            _to_disk(partial)
            os.replace(partial, target)
        except BaseException:
            with contextlib.suppress(OSError):
                partial.unlink()
            raise
        if os.name == "posix":  # elsewhere folders can't be opened
            _to_disk(target.parent)
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"can't write {named!r}: {reason}") from None


@contextmanager
def making(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """A folder beside ``folder``, which is not there yet; at the end of the block it gets that name, with all that the
    block has put into it, or is removed.

    Raises:
        InputError: if it can't be made: whatever ``OSError`` the block or the renaming raises.
    """
    target = Path(os.path.realpath(folder))
    partial = target.with_name(f".{secrets.token_hex(6)}.partial")
    try:
        partial.mkdir(parents=True)
        try:
            yield partial
            for path in partial.rglob("*"):
                if path.is_file():
                    _to_disk(path)
            os.rename(partial, target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        if os.name == "posix":
            _to_disk(target.parent)
    except OSError as error:
        raise InputError(f"can't make {os.fspath(folder)!r}: {error.strerror or error}") from None


def _beside(target: Path) -> Path:
    """A new empty file in the folder of ``target``, with the mode that this one is to have."""
    mode = None
    if target.exists():
        if target.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        if not os.access(target, os.W_OK):  # renaming would not ask
            raise PermissionError(13, "permission denied")
        mode = stat.S_IMODE(target.stat().st_mode)
    partial = target.with_name(f".{secrets.token_hex(6)}.partial")
    try:
        # 0o666 less the umask, as open() does; tempfile would give 0o600.
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileNotFoundError:
        raise FileNotFoundError(2, f"there is no folder {os.fspath(target.parent)!r}") from None
    os.close(descriptor)
    if mode is not None:
        os.chmod(partial, mode)
    return partial


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
