"""Optional weights from the Hugging Face hub: fetched once, on first use, then taken from the local cache."""

import hashlib
from pathlib import Path

from pise_core.errors import HubUnreachable, InputError

#: Seconds to wait for the hub's first sign of life.
_PATIENCE = 5.0


def fetch(repository: str, filename: str, sha256: str | None = None) -> Path:
    """The local path of a file of a hub repository; downloaded when it isn't in the cache yet.

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
        path = hf_hub_download(repository, filename)
    except Exception as error:  # Each version of the hub's library has its own families of network errors
        raise HubUnreachable(
            f"{filename} of {repository} can't be fetched: the hub is not reachable. Connect to the network for the "
            "first use, or use the shipped analyzer, which needs no download"
        ) from error
    return _checked(Path(path), sha256)


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
