"""The lists in a folder that ``prepare`` writes. They go first and come last: a folder that was left half made, or
belongs to two calls, is never taken for whole."""

import json
from pathlib import Path
from typing import Any

#: In the order of writing. All folders have the first to be removed, ``samples.json``; the others are DeepFashion's.
_LISTS = ("dataset.json", "pairs.json", "samples.json")


def begin(folder: Path) -> None:
    """Make the folder, and forget what an earlier call listed there."""
    for name in ("images", "parsing"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for name in reversed(_LISTS):
        (folder / name).unlink(missing_ok=True)


def finish(folder: Path, lists: dict[str, Any]) -> None:
    """Write the lists, by file name; pictures and maps are all there."""
    for name in _LISTS:
        if name in lists:
            (folder / name).write_text(json.dumps(lists[name]))
