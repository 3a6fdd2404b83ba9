"""The same edits on many photos: what becomes of each one, and the report of all.

A photo that can't be edited never costs the others. The report is written after every photo, so that a run that was
stopped goes on: what is listed there for the same photo, recipe and weights, and still lies in the folder, isn't made
again. Nothing in it tells when or where it was made: the same photos give the same bytes.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from pise_core.document.document import Document
from pise_core.document.recipe import Recipe
from pise_core.doubts import Doubt
from pise_core.errors import InputError
from pise_core.images import encode_image, read_image, write_file

if TYPE_CHECKING:
    from pise_core.editor import Editor

REPORT, SHEET, ARCHIVE = "report.csv", "contact-sheet.jpg", "pictures.zip"
#: What a folder of photos is searched for; what can't be read here is named in the report.
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".heic", ".heif")
EDITED, UNCHANGED, FAILED = "edited", "unchanged", "failed"
#: Of a contact sheet: the side of a cell in pixels, the cells of a row (each photo has two), and photos at most.
_CELL, _COLUMNS, _MOST = 160, 8, 400


@dataclass(frozen=True)
class Row:
    """What became of one photo; a line of the report.

    Attributes:
        photo: its path as it was given.
        status: ``edited``, ``unchanged`` (the recipe asks for nothing that this photo shows) or ``failed``.
        picture: name of the picture in the folder; empty if it failed.
        message: what the user should know; empty if nothing.
        photo_sha256, recipe_sha256, picture_sha256: of the photo's bytes, of the recipe with the weights, and of the
            picture's bytes.
        backend: what ran the networks.
        background: which network continued backgrounds; empty for the one that ships.
    """

    photo: str
    status: str
    picture: str = ""
    message: str = ""
    photo_sha256: str = ""
    recipe_sha256: str = ""
    picture_sha256: str = ""
    backend: str = ""
    background: str = ""


def photos_of(paths: Iterable[Path]) -> list[Path]:
    """The photos to edit, folders searched (not their subfolders), in the order given and by name.

    Raises:
        InputError: if there are none, or if two would be written to the same picture.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            found += sorted(file for file in path.iterdir() if _looks_like_a_photo(file))
        else:
            found.append(path)
    if not found:
        raise InputError("there are no photos to edit in what was given")
    stems: dict[str, Path] = {}
    for path in found:
        twin = stems.setdefault(path.stem.casefold(), path)  # folders of some systems don't tell A from a
        if twin is not path:
            raise InputError(f"{twin} and {path} would both be written as {path.stem}; rename one of them")
    return found


def _looks_like_a_photo(file: Path) -> bool:
    """By its name; what is hidden is no photo of the user's, but what a system keeps beside each."""
    return file.suffix.lower() in PHOTO_SUFFIXES and not file.name.startswith(".") and not file.is_dir()


def edit_photo(editor: "Editor", recipe: Recipe, path: Path, out: Path, suffix: str = ".png") -> Row:
    """Edit one photo and write its picture; whatever is wrong with it stands in the row.

    Args:
        path: the photo.
        out: the folder; the picture gets the photo's stem and ``suffix``.
    """
    known = Row(
        str(path), FAILED, recipe_sha256=recipe.digest, backend=editor.backend, background=editor.background_name
    )
    try:
        photo = read_image(path)
        known = replace(known, photo_sha256=_digest(path.read_bytes()))
        document = recipe.apply(Document(editor, photo))
        made = document.render().photo
        same = bool(np.array_equal(made, photo))
        name, data = f"{path.stem}{suffix}", encode_image(made, suffix, edited=not same)
        write_file(out / name, data)
    except (InputError, OSError, MemoryError, FloatingPointError) as error:
        return Row(**asdict(known) | {"message": " ".join(str(error).split()) or type(error).__name__})
    done = {
        "status": UNCHANGED if same else EDITED,
        "picture": name,
        "message": "the recipe asks for nothing that this photo shows" if same else _told(recipe, document),
        "picture_sha256": _digest(data),
    }
    return Row(**asdict(known) | done)


def doubtful(doubts: Sequence[Doubt]) -> str:
    """What may look wrong, for a line of a report or of a terminal; empty if nothing."""
    return "; ".join(doubt.what[:1].lower() + doubt.what[1:] for doubt in doubts)


def _told(recipe: Recipe, document: Document) -> str:
    return "; ".join(filter(None, (recipe.note, doubtful(document.doubts()))))


def done_before(out: Path, recipe: Recipe, photos: Sequence[Path], suffix: str) -> dict[Path, Row]:
    """The rows of an earlier run that still hold: same photo, same recipe, and the picture lies there unaltered."""
    rows = {row.photo: row for row in _read_report(out / REPORT)}
    kept = {}
    for path in photos:
        row = rows.get(str(path))
        if row is None or row.recipe_sha256 != recipe.digest or row.picture != f"{path.stem}{suffix}":
            continue
        try:
            same = _digest(path.read_bytes()) == row.photo_sha256
            same = same and _digest((out / row.picture).read_bytes()) == row.picture_sha256
        except OSError:
            continue
        if same:
            kept[path] = row
    return kept


def run_batch(
    photos: Sequence[Path],
    recipe: Recipe,
    out: Path,
    edit: Callable[[Sequence[Path]], Iterator[Row]],
    suffix: str = ".png",
    archive: bool = False,
) -> Iterator[Row]:
    """Edit all photos, and keep report, contact sheet and archive; yields each photo's row, those kept first.

    Args:
        photos: from :func:`photos_of`.
        out: an existing folder.
        edit: makes the rows of photos, in any order; writes the pictures.
        suffix: of the pictures.
        archive: whether to pack the pictures into a zip at the end.

    Raises:
        InputError: if the folder can't be written to.
    """
    rows = done_before(out, recipe, photos, suffix)
    yield from rows.values()
    given = {str(path): path for path in photos}
    write_report(out, photos, rows)
    for row in edit([path for path in photos if path not in rows]):
        rows[given[row.photo]] = row
        write_report(out, photos, rows)
        yield row
    write_sheet(out, [rows[path] for path in photos])
    if archive:
        write_archive(out, [rows[path] for path in photos])


def write_report(out: Path, photos: Sequence[Path], rows: dict[Path, Row]) -> None:
    """Write the rows that there are, in the order of the photos, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in fields(Row)])
    writer.writerows(asdict(rows[path]).values() for path in photos if path in rows)
    write_file(out / REPORT, text.getvalue().encode("utf-8"))


def _read_report(path: Path) -> list[Row]:
    names = [column.name for column in fields(Row)]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, ValueError, csv.Error):
        return []
    # A report that another version wrote, or that somebody edited, is no reason to stop: everything is made again.
    if not lines or lines[0] != names:
        return []
    return [Row(*line) for line in lines[1:] if len(line) == len(names)]


def write_sheet(out: Path, rows: Sequence[Row]) -> None:
    """Write the photos beside their pictures, small, as one JPEG: of a large batch the first 400."""
    cells = []
    for row in [row for row in rows if row.picture][:_MOST]:
        for path in (Path(row.photo), out / row.picture):
            cells.append(_cell(read_image(path)))
    if not cells:
        return
    cells += [np.full((_CELL, _CELL, 3), 255, np.uint8)] * (-len(cells) % _COLUMNS)
    lines = [np.hstack(cells[i : i + _COLUMNS]) for i in range(0, len(cells), _COLUMNS)]
    write_file(out / SHEET, encode_image(np.vstack(lines), ".jpg"))


def _cell(image: np.ndarray) -> np.ndarray:
    height, width = image.shape[:2]
    scale = (_CELL - 8) / max(height, width)
    small = cv2.resize(
        image, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA
    )
    cell = np.full((_CELL, _CELL, 3), 255, np.uint8)
    top, left = ((_CELL - side) // 2 for side in small.shape[:2])
    cell[top : top + small.shape[0], left : left + small.shape[1]] = small
    return cell


def write_archive(out: Path, rows: Sequence[Row]) -> None:
    """Pack pictures and report into one zip; its bytes depend on nothing else."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in [row.picture for row in rows if row.picture] + [REPORT]:
            archive.writestr(zipfile.ZipInfo(name), (out / name).read_bytes())
    write_file(out / ARCHIVE, buffer.getvalue())


def summary(rows: Iterable[Row]) -> str:
    """How many became what, in a line."""
    rows = list(rows)
    counts = {status: sum(row.status == status for row in rows) for status in (EDITED, UNCHANGED, FAILED)}
    return f"{len(rows)} photos: " + ", ".join(f"{count} {status}" for status, count in counts.items() if count)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
