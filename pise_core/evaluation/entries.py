"""Who makes the pictures: networks by their rows of the table, and the rivals that need none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from pise_core.editor import Editor
from pise_core.errors import InputError
from pise_core.model.network import PISE
from pise_core.person import Person

WITH_DETAIL, ALONE = "PISE with the detail path", "PISE alone"
COPY, WARP, TRUTH = "copy of the source", "part-wise warp", "ground truth"


@dataclass(frozen=True)
class Entry:
    """A network and the way it is used.

    Attributes:
        name: of its row.
        editor: holds the generator; the analyzer is the same for all.
        detail: whether the detail path is on.
    """

    name: str
    editor: Editor
    detail: bool


@dataclass(frozen=True)
class Made:
    """One picture of one row.

    Attributes:
        picture: (256, 176, 3) uint8, in the frame that is scored.
        seconds: what making it took, or None where nothing was computed.
        parsing: (256, 176) uint8, the map that it was made on, where there is one.
        outside: share of the photo's pixels changed outside the edit, where an edit of a photo is scored.
    """

    picture: np.ndarray
    seconds: float | None = None
    parsing: np.ndarray | None = None
    outside: float | None = None


def load_entries(weights: Path | None, also: Sequence[tuple[str, Path]], device: str) -> list[Entry]:
    """A row with the detail path and one without for ``weights`` (a folder; None: those that ship), and one for each
    further generator, its detail path on where it has one.

    Raises:
        InputError: if weights are missing or damaged, or two rows have the same name.
    """
    editor = Editor.from_pretrained(weights, device=device)
    rows = [Entry(WITH_DETAIL, editor, True)] if editor.model.config.detail_path else []
    rows.append(Entry(ALONE, editor, False))
    for name, path in also:
        if name in {row.name for row in rows} | {COPY, WARP, TRUTH}:
            raise InputError(f"two rows would be called {name!r}; give --also another name")
        model = PISE.from_pretrained(path)
        rows.append(Entry(name, Editor(model, editor.analyzer, editor.device), model.config.detail_path))
    return rows


def people(entries: Sequence[Entry], photo: np.ndarray, pose: np.ndarray, parsing: np.ndarray) -> list[Person]:
    """The same person as each entry's editor knows it, in the entries' order; each editor looks once."""
    known: dict[int, Person] = {}
    for c in entries:
        if id(c.editor) not in known:
            known[id(c.editor)] = c.editor.set_person(photo, pose=pose, parsing=parsing)
    return [known[id(c.editor)] for c in entries]


def timed(make: Callable):
    """What ``make()`` returns, and the seconds that it took."""
    start = perf_counter()
    result = make()
    return result, perf_counter() - start
