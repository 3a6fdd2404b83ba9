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
#: Behind the name of a row whose pictures are made on the true map instead of the network's own.
ON_TRUE_MAP = ", true map"
COPY, WARP, TRUTH = "copy of the source", "part-wise warp", "ground truth"


@dataclass(frozen=True)
class Entry:
    """A network and the way it is used.

    Attributes:
        name: of its row.
        editor: holds the generator; the analyzer is the same for all.
        detail: whether the detail path is on.
        true_map: the picture is made on the true map of the wanted pose, so that the image generator alone is judged.
            Otherwise on the map that the parsing generator makes, which is what somebody gets who drags a joint.
    """

    name: str
    editor: Editor
    detail: bool
    true_map: bool = False


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


def load_entries(
    weights: Path | None, also: Sequence[tuple[str, Path]], device: str, true_maps: bool = True
) -> list[Entry]:
    """The rows of ``weights`` (a folder; None: those that ship) and of each further generator.

    For ``weights`` one with the detail path, where there is one, and one without; for the others one each, the detail
    path on where there is one. All of these are on the network's own map. Beside each row without a detail path stands
    one on the true map, unless ``true_maps`` is off; a network without a parsing generator has that row only.

    Raises:
        InputError: if weights are missing or damaged, or two rows have the same name.
    """
    editor = Editor.from_pretrained(weights, device=device)
    rows = [Entry(WITH_DETAIL, editor, True)] if editor.model.config.detail_path else []
    rows += _without_detail(ALONE, editor, true_maps)
    for name, path in also:
        if name in {row.name for row in rows} | {COPY, WARP, TRUTH}:
            raise InputError(f"two rows would be called {name!r}; give --also another name")
        model = PISE.from_pretrained(path)
        of = Editor(model, editor.analyzer, editor.device)
        rows += [Entry(name, of, True)] if model.config.detail_path else _without_detail(name, of, true_maps)
    return rows


def _without_detail(name: str, editor: Editor, true_maps: bool) -> list[Entry]:
    """A network's rows without a detail path: on its own map, and on the true one."""
    on_true_map = [Entry(name + ON_TRUE_MAP, editor, False, True)]
    if editor.model.parsing_generator is None and true_maps:
        return on_true_map
    return [Entry(name, editor, False), *(on_true_map if true_maps else [])]


def on_given_map(entries: Sequence[Entry]) -> list[Entry]:
    """The rows of a task whose map is given: there a network's row on the true map would be its other row again."""
    found: dict[tuple[int, bool], Entry] = {}
    for entry in entries:
        found.setdefault((id(entry.editor), entry.detail), entry)
    return list(found.values())


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
