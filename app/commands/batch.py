"""The same edits on many photos: those of the open document, as far as they belong to no photo alone."""

import logging
import os
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.commands.outcome import Outcome, Progress, Steps, sentences
from app.commands.reading import stem
from app.state.models import Engine
from app.state.session import Session
from pise_core.document.batch import FAILED, REPORT, SHEET, Row, edit_photo, summary, write_report, write_sheet
from pise_core.document.recipe import Recipe, recipe_of
from pise_core.errors import InputError
from pise_core.model.turns import Kind

log = logging.getLogger(__name__)

#: Photos at most, at once.
PHOTO_LIMIT = 100
#: Kinds of pictures that can be made of them.
SUFFIXES = (".jpg", ".png", ".webp")


@dataclass(frozen=True)
class PhotoDone(Progress):
    """One more photo is done, or could not be edited: its row of the report."""

    row: Row | None = None


def edit_photos(engine: Engine, session: Session, paths: Sequence[Any], suffix: str = ".jpg") -> Steps:
    """Edit photos as the open document is edited, and pack the pictures, a report and a contact sheet into a zip.

    Every photo waits for its own turn, and others come in between. One that can't be edited costs none of the others.
    When the user stops it, what is done by then is packed.

    Args:
        paths: of the photos.
        suffix: of the pictures, one of :data:`SUFFIXES`.

    Raises:
        InputError: if the document has no edits for other photos, or there are none or too many photos.
    """
    document = session.need_document()
    if suffix not in SUFFIXES:
        raise InputError(f"pictures of many photos are {', '.join(name[1:] for name in SUFFIXES)}")
    if not 0 < len(paths) <= PHOTO_LIMIT:
        raise InputError(f"choose 1 to {PHOTO_LIMIT} photos at once; more go by the command line: pise batch")
    recipe, editor = recipe_of(document), engine.editor_of(session)
    session.stopped = False
    rows: list[Row] = []
    with session.workplace() as place:
        photos = _named(paths, place / "photos")
        out = place / "pictures"
        out.mkdir()
        for number, photo in enumerate(photos, 1):
            yield Progress(f"Editing photo {number} of {len(photos)}…", True, step=number - 1, steps=len(photos))
            one = _made(editor, recipe, photo, out, suffix)
            made = engine.line.steps(one, session, lambda: session.stopped, Kind.BATCH)
            for step in made:
                if isinstance(step, int):
                    yield Progress(ahead=step, can_stop=True)
                else:
                    rows.append(step)
                    yield PhotoDone(row=_public(step), can_stop=True, step=number, steps=len(photos))
            if session.stopped:
                break
        packed = _packed(out, rows, place / "all.zip")
        file = session.adopt(packed, f"{document.name}-batch", ".zip") if rows else ""
    left = len(photos) - len(rows)
    stopped = f"Stopped: {left} photo{'s were' if left > 1 else ' was'} not begun." if left else ""
    lost = f"{recipe.left_out.capitalize()} belongs to its own photo, and was left out." if recipe.left_out else ""
    return Outcome(sentences([f"{summary(rows).capitalize()}.", stopped, lost]), file=file)


def edit_another(engine: Engine, session: Session, path: Any, suffix: str = ".png") -> Outcome:
    """The picture of one other photo, edited as the open document is.

    Raises:
        InputError: if the document has no edits for other photos, or that photo can't be edited.
    """
    recipe = recipe_of(session.need_document())
    with session.workplace() as place:
        (photo,) = _named([path], place / "photos")
        row = edit_photo(engine.editor_of(session), recipe, photo, place, suffix)
        if row.status == FAILED:
            raise InputError(row.message)
        return Outcome(row.message, file=session.adopt(place / row.picture, photo.stem, suffix))


def _named(paths: Sequence[Any], folder: Path) -> list[Path]:
    """The photos under harmless names of their own in a folder, no two with the same stem."""
    folder.mkdir()
    named: list[Path] = []
    taken: set[str] = set()
    for path in paths:
        wanted = name = stem(path)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{wanted}-{number}"
        taken.add(name.casefold())
        target = folder / f"{name}{Path(str(path)).suffix[:8]}"
        try:
            os.link(path, target)
        except OSError:
            try:
                shutil.copyfile(path, target)
            except OSError:
                target.touch()  # it did not arrive: its row says that it can't be read
        named.append(target)
    return named


def _made(editor: Any, recipe: Recipe, photo: Path, out: Path, suffix: str) -> Iterator[Row]:
    try:
        yield edit_photo(editor, recipe, photo, out, suffix)
    except Exception:
        log.exception("a photo of a batch failed")
        yield Row(str(photo), FAILED, message="something went wrong with this photo", recipe_sha256=recipe.digest)


def _public(row: Row) -> Row:
    """The row with the photo's name alone: where it lay on the server concerns nobody."""
    return replace(row, photo=Path(row.photo).name)


def _packed(out: Path, rows: Sequence[Row], target: Path) -> Path:
    write_sheet(out, rows)
    public = [_public(row) for row in rows]
    photos = [Path(row.photo) for row in public]
    write_report(out, photos, dict(zip(photos, public, strict=True)))
    names = [row.picture for row in rows if row.picture] + [REPORT, SHEET]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            if (out / name).exists():
                with (out / name).open("rb") as file, archive.open(zipfile.ZipInfo(name), "w") as entry:
                    shutil.copyfileobj(file, entry)
    return target
