"""Any folder of photos becomes training samples: joints and regions are found, or taken from where they lie already."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pise_core.editor import Editor
from pise_core.errors import InputError, NobodyFound
from pise_core.images import read_image
from pise_core.parsing_files import read_labels, read_parsing
from pise_core.pose import from_rows, visible
from pise_core.pose_files.reader import read_pose
from pise_core.training.data import prepared_folder
from pise_core.training.data.deepfashion_lists import first_few
from pise_core.training.data.label_tables import LabelTable

_log = logging.getLogger(__name__)

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
#: One in so many photos is for the test, by name, where nobody says which.
TEST_EVERY = 10
#: Photos of fewer joints are no samples.
FEWEST_JOINTS = 6


@dataclass(frozen=True)
class Prepared:
    """What became of a folder: samples by split, and the names of photos that are none, with the reason."""

    splits: dict[str, dict[str, list]]
    left_out: dict[str, str]


class Joints:
    """Joints of photos by name, from where a detector of one's own has left them.

    Args:
        path: a folder of ``NAME.json`` in any format that ``pise_core.read_pose`` knows, or one JSON file of name -> 18
            rows ``[x, y, score]`` in pixels of the photo, or null.

    Raises:
        InputError: if it is neither.
    """

    def __init__(self, path: Path):
        self._path = path
        self._rows: dict | None = None
        if path.is_dir():
            return
        try:
            self._rows = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"{path} can't be read as joints: {error}") from None
        if not isinstance(self._rows, dict):
            raise InputError(f"{path} holds no joints: name -> 18 rows [x, y, score]")

    def of(self, name: str, size: tuple[int, int]) -> np.ndarray:
        """(18, 3) in pixels of the photo of ``size`` (W, H).

        Raises:
            NobodyFound: if there are none of that photo.
            InputError: if what is there can't be read.
        """
        file = self._path / f"{name}.json"
        rows = None if self._rows is None else self._rows.get(name)
        if rows is None and not (self._rows is None and file.exists()):
            raise NobodyFound(f"{self._path} has no joints of {name}")
        if self._rows is None:
            return read_pose(file, size)
        try:
            return from_rows(rows)
        except (ValueError, TypeError, IndexError) as error:
            raise InputError(f"{self._path}: {name}: {error}") from None


def prepare(
    source: Path,
    out: Path,
    editor: Editor,
    joints: Callable[[str, np.ndarray], np.ndarray | None],
    maps: Path | None = None,
    table: LabelTable | None = None,
    split: Path | None = None,
    limit: int | None = None,
) -> Prepared:
    """Write the samples of a folder of photos.

    Args:
        source: the folder; names are the photos' stems.
        out: the folder to write.
        editor: finds regions, and joints where none are given.
        joints: name and photo (H, W, 3) uint8 -> (18, 3) in its pixels, or None, where the editor is to find them; it
            raises ``NobodyFound`` where nobody is.
        maps: folder of label maps ``NAME.png``, instead of the editor's regions; a photo without one is a sample
            without regions.
        table: how their labels merge; None: they are maps of the eight regions.
        split: JSON of ``{"train": [names], "test": [names]}``; by default every tenth photo by name is for the test.
        limit: at most so many photos of each split.

    Raises:
        InputError: if there are no photos, a given map or joint can't be read, or two photos have the same name.
    """
    photos = _photos(source)
    names = _split(list(photos), split)
    prepared_folder.begin(out)
    splits: dict[str, dict[str, list]] = {part: {} for part in names}
    left_out: dict[str, str] = {}
    for part, inside in names.items():
        for count, name in enumerate(inside[:limit]):
            if count % 100 == 0:
                _log.info("%s: %d of %d", part, count, len(inside))
            photo = read_image(photos[name])
            try:
                seen = editor.analyze(photo, pose=joints(name, photo))
            except NobodyFound:
                left_out[name] = "nobody found"
                continue
            except InputError as error:
                raise InputError(f"{photos[name]}: {error}") from None
            if visible(seen.pose).sum() < FEWEST_JOINTS:
                left_out[name] = f"fewer than {FEWEST_JOINTS} joints"
                continue
            parsing = seen.parsing
            if maps is not None:
                parsing = _given_map(maps / f"{name}.png", table, (photo.shape[1], photo.shape[0]))
            splits[part][name] = prepared_folder.write_sample(out, name, photo, seen.pose, parsing=parsing)
    splits = prepared_folder.with_validation(splits, out)
    prepared_folder.finish(out, {"samples.json": splits})
    return Prepared(splits, left_out)


def _photos(folder: Path) -> dict[str, Path]:
    """Files by name, in the order of names."""
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    photos: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in SUFFIXES:
            if path.stem in photos:
                raise InputError(f"{photos[path.stem].name} and {path.name} have the same name; samples go by name")
            photos[path.stem] = path
    if not photos:
        raise InputError(f"{folder} holds no photos ({', '.join(SUFFIXES)})")
    return photos


def _split(names: list[str], file: Path | None) -> dict[str, list[str]]:
    if file is None:
        test = names[::TEST_EVERY] if len(names) >= TEST_EVERY else []
        return {"train": [name for name in names if name not in set(test)], "test": test}
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
        found = {part: [str(name) for name in given[part]] for part in ("train", "test")}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f'{file} is no split: {{"train": [names], "test": [names]}}') from None
    if missing := [name for part in found.values() for name in part if name not in set(names)]:
        raise InputError(f"{file} names photos that are not in the folder: {first_few(missing)}")
    return found


def _given_map(file: Path, table: LabelTable | None, size: tuple[int, int]) -> np.ndarray | None:
    """(H, W) regions of a photo of ``size`` (W, H) as somebody made them; None where there is no file."""
    if not file.exists():
        return None
    if table is None:
        return read_parsing(file, size)
    labels = read_labels(file)
    if labels.shape != size[::-1]:
        raise InputError(f"{file} is {labels.shape[1]}x{labels.shape[0]}, its photo {size[0]}x{size[1]}")
    try:
        return table.merge(labels)
    except InputError as error:
        raise InputError(f"{file} {error}") from None
