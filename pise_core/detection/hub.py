"""Optional weights from the Hugging Face hub: fetched once, on first use, then taken from the local cache."""

import hashlib
import io
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tqdm import tqdm

from pise_core.errors import HubUnreachable, InputError

#: Seconds to wait for the hub's first sign of life.
_PATIENCE = 5.0


class LoadedLater(ABC):
    """A network that is loaded, and fetched if need be, when it is first asked; safe across threads."""

    def __init__(self) -> None:
        self._network: Any = None
        self._lock = threading.Lock()

    def load(self, told: Callable[[float], None] | None = None) -> None:
        """Load the weights now, not only for the first photo.

        Args:
            told: is called while they are fetched, with the share that is there, as :func:`fetch` does.

        Raises:
            HubUnreachable: if the weights have to be fetched and can't be.
            InputError: if the files that were named are none.
        """
        with self._lock:
            if self._network is None:
                self._network = self._load(told)

    @abstractmethod
    def _load(self, told: Callable[[float], None] | None) -> Any:
        """The network; raises as :meth:`load`."""


def fetch(
    repository: str,
    filename: str,
    sha256: str | None = None,
    told: Callable[[float], None] | None = None,
    instead: str = "the shipped analyzer",
) -> Path:
    """The local path of a file of a hub repository; downloaded when it isn't in the cache yet.

    Args:
        repository: owner and name, such as ``lllyasviel/Annotators``.
        filename: of a file in it.
        sha256: what the file must hash to.
        told: is called while the file is downloaded, with the share of it that is there, above 0 and at most 1; by
            default the terminal shows a bar.
        instead: what does without a download, for the message.

    Raises:
        HubUnreachable: within seconds, if the file is not in the cache and the hub can't be reached.
        InputError: if the file is not the one that ``sha256`` names.
    """
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    cached = try_to_load_from_cache(repository, filename)
    if isinstance(cached, str):
        return _checked(Path(cached), sha256)
    try:
        _knock()
        path = hf_hub_download(repository, filename, tqdm_class=None if told is None else _bar(told))
    except Exception as error:  # Each version of the hub's library has its own families of network errors
        raise HubUnreachable(
            f"{filename} of {repository} can't be fetched: the hub is not reachable. Connect to the network for the "
            f"first use, or use {instead}, which needs no download"
        ) from error
    return _checked(Path(path), sha256)


def _bar(told: Callable[[float], None]) -> type[tqdm]:
    """A progress bar for the hub's library that nobody sees."""

    class Bar(tqdm):
        def __init__(self, *args, **options):
            super().__init__(*args, **{**options, "file": io.StringIO()})

        def update(self, n=1):
            super().update(n)
            if self.total:
                told(min(self.n / self.total, 1.0))

    return Bar


def _knock() -> None:
    """One quick request; the hub's own download retries for half a minute before it gives up."""
    from huggingface_hub import constants, get_session

    get_session().head(constants.ENDPOINT, timeout=_PATIENCE)


def _checked(path: Path, sha256: str | None) -> Path:
    if sha256 is not None:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != sha256:
            raise InputError(f"{path} is damaged or has been replaced; delete it, and it will be fetched again")
    return path
