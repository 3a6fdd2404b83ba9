"""The folder in which one server process keeps what visitors send and get. It goes with the process.

Every process has a new folder with a secret name, so that no address of an earlier one leads anywhere. The process
holds a lock beside it for as long as it lives; a process that was killed holds none, and the next one to start removes
what it left.
"""

import os
import secrets
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

from pise_core.errors import InputError

_LOCK = ".lock"


class Scratch:
    """A folder of this process.

    Args:
        base: where such folders lie; by default ``GRADIO_TEMP_DIR``, else a folder of this user's among the temporary
            ones.

    Attributes:
        path: the folder; nobody else may look into it.

    Raises:
        InputError: if it can't be made.
    """

    def __init__(self, base: Path | None = None) -> None:
        base = base or _base()
        try:
            base.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path = base / f"server-{secrets.token_urlsafe(16)}"
            self._lock = FileLock(self.path.with_suffix(_LOCK), mode=0o600)
            # While folders are made or removed nobody else does so, else a new one might be taken for one left behind.
            with FileLock(base / _LOCK, mode=0o600, timeout=30):
                _sweep(base)
                self._lock.acquire(timeout=0)
                self.path.mkdir(mode=0o700)
        except (OSError, Timeout) as error:
            reason = getattr(error, "strerror", None) or "another process holds it"
            raise InputError(
                f"temporary files can't be kept in {base}: {reason}; name another folder with GRADIO_TEMP_DIR"
            ) from None

    def use(self) -> None:
        """Let Gradio, and all that makes temporary files in this process, use the folder."""
        for name in ("served", "work"):
            (self.path / name).mkdir(mode=0o700, exist_ok=True)
        os.environ["GRADIO_TEMP_DIR"] = str(self.path / "served")
        for name in ("gradio.routes", "gradio.route_utils", "gradio.mcp"):  # they read the variable when imported
            if name in sys.modules:
                vars(sys.modules[name])["DEFAULT_TEMP_DIR"] = os.environ["GRADIO_TEMP_DIR"]
        tempfile.tempdir = str(self.path / "work")  # half-made videos, uploads on their way: never served

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)


def _base() -> Path:
    named = os.environ.get("GRADIO_TEMP_DIR")
    if named:
        return Path(named)
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    base = Path(tempfile.gettempdir()) / f"pise-studio-{user}"
    if base.is_symlink() or (base.exists() and hasattr(os, "getuid") and base.stat().st_uid != os.getuid()):
        raise InputError(f"{base} belongs to somebody else; name another folder with GRADIO_TEMP_DIR")
    return base


def _sweep(base: Path) -> None:
    """Remove the folders of processes that are gone."""
    for folder in base.glob("server-*"):
        if folder.suffix == _LOCK or folder.is_symlink() or not stat.S_ISDIR(folder.stat().st_mode):
            continue
        lock = FileLock(folder.with_suffix(_LOCK), mode=0o600)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)
    for path in base.glob(f"server-*{_LOCK}"):  # of one that was killed before it had a folder
        if not path.with_suffix("").exists():
            path.unlink(missing_ok=True)
