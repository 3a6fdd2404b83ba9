"""Files out: the picture, its regions, the document, a look."""

from app.commands.outcome import Outcome, Progress, Steps
from app.state.session import Session
from pise_core.document.export import check_export, exported
from pise_core.document.file_format import SavedDocument
from pise_core.document.file_writer import write
from pise_core.images import encode_parsing

#: What a saved document and a saved look are for.
_DOCUMENT = "Open that file to go on from here."
_LOOK = "Add that file as a reference to use the look again."


def save_picture(session: Session, suffix: str = ".png", quality: int | None = None, cut_out: bool = False) -> Steps:
    """The picture as it is wanted now, at full size, and noted as edited in it; arguments as those of
    :func:`pise_core.document.export.exported`."""
    document = session.need_document()
    check_export(suffix, quality, cut_out)
    yield Progress("Packing the picture…")
    path = session.save(exported(document, suffix, quality, cut_out), f"{session.name}-edited", suffix, keep=2)
    return Outcome(f"Downloaded at full size, as a {suffix[1:].upper()} file.", file=path)


def save_regions(session: Session) -> Outcome:
    """The regions of the result at full size, a PNG of mode P with the indices 0 to 7."""
    parsing = session.need_document().render().parsing
    return Outcome(file=session.save(encode_parsing(parsing), "regions", ".png", keep=2))


def save_document(session: Session) -> Outcome:
    """The document as a ``.pise`` file: photo, person, references, edits and their history."""
    return _saved(session, session.need_document().contents(), _DOCUMENT)


def save_look(session: Session, region: str) -> Outcome:
    """The look that a region has now, as a small ``.pise`` file that can be added as a reference."""
    return _saved(session, session.need_document().look(region), _LOOK)


def take_down_document(session: Session) -> Steps:
    """Take the whole document down as it is now; :func:`pack` makes the file, for which later edits need not wait."""
    contents = session.need_document().contents()
    session.packing.append((lambda: contents, _DOCUMENT))
    yield Progress("Packing the document…")
    return Outcome()


def take_down_look(session: Session, region: str) -> Steps:
    """Take one region's look down as it is now; :func:`pack` makes the file."""
    document = session.need_document()
    edits = document.edits
    session.packing.append((lambda: document.look(region, edits), _LOOK))
    yield Progress("Saving the look…")
    return Outcome()


def pack(session: Session) -> Outcome | None:
    """A file of what was taken down first; None if nothing is left.

    Raises:
        InputError: if it can't be made; what was taken down behind it is not lost.
    """
    try:
        make, use = session.packing.popleft()
    except IndexError:
        return None
    return _saved(session, make(), use)


def _saved(session: Session, saved: SavedDocument, use: str) -> Outcome:
    path = session.save(write(saved), saved.name, ".pise", keep=2)
    return Outcome(f"Saved as {saved.name}.pise. {use}", file=path)
