"""Textures: references and what is borrowed from them, one method per action, as in :mod:`app.commands.studio`."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from app.commands import validation
from app.state.models import Engine
from app.state.opened import Garment
from app.state.session import Session
from app.view import updates as view
from app.view.thumbnails import shrink
from app.view.updates import Update, Updates, rendering, status
from pise_core.document.document import STEPS
from pise_core.document.file_format import SavedDocument
from pise_core.document.file_reader import is_document, read
from pise_core.document.textures import garment
from pise_core.errors import InputError, NobodyFound
from pise_core.regions import GARMENTS, REGIONS


class TextureActions(Engine):
    """The actions, over one editor that all sessions share."""

    def commit_styles(self, session: Session, value: Any) -> Updates:
        """A slider was let go of, another reference or a colour chosen; ``value`` is ``{"seq", "styles", "recolour"}``,
        of which one may be missing and stays as it is."""
        sequence, document = validation.sequence(value), session.need_document()
        wanted = {name: validation.field(value, name) for name in ("styles", "recolour")}
        edits = document.edits
        document.set_looks(*(getattr(edits, name) if asked is None else asked for name, asked in wanted.items()))
        session.edited(sequence)
        yield rendering(session)

    def add_references(self, session: Session, paths: Any, detector: str, parser: str) -> Updates:
        """Take files as references: photos of people, documents or saved looks; a photo of a garment is asked about.

        A file that can't be taken holds up none of the others.

        Raises:
            InputError: if none could be taken.
        """
        paths = paths if isinstance(paths, list) else [paths]
        notes: list[str] = []
        refused: list[str] = []
        for number, path in enumerate(paths, 1):
            yield status("busy", f"Analysing reference {number} of {len(paths)}…", session, stop=True)
            try:
                yield from self._add_reference(session, path, detector, parser, notes)
            except InputError as error:
                named = len(paths) == 1 or Path(path).name in str(error)
                refused.append(str(error) if named else f"{Path(path).name}: {error}")
        if refused and len(refused) == len(paths):
            raise InputError(". ".join(dict.fromkeys(refused)))
        yield _ready(session, view.sentences([*notes, *(view.sentence(f"{text}.") for text in refused)]))

    def _add_reference(self, session: Session, path: Any, detector: str, parser: str, notes: list[str]) -> Updates:
        name = view.stem(path)
        with validation.opened(path) as file:
            found = read(file) if is_document(file) else validation.photo(file)
        if isinstance(found, SavedDocument):
            person = found.person.known_to(self.editor_of(session))
        else:
            photo = found
            people, note = self._detectors.find(photo, detector)
            notes.append(note)
            try:
                person, _, note = self._detectors.analyse_first(photo, people, parser)
                notes.append(note)
            except NobodyFound:
                # The networks and the page need no more of it.
                session.await_garment(name, shrink(photo, view.SHOWN_SIDE))
                if len(session.garments) == 1:
                    yield {"textures": {"garment": view.garment(session)}}
                return
        session.references.add(name, self.own(session, person))
        yield {"textures": {"references": view.references(session)}}

    def add_uploads(self, session: Session, paths: Any, detector: str, parser: str) -> Updates:
        """As :meth:`add_references`, and the server keeps no copy of the files."""
        with ExitStack() as uploads:
            for path in paths if isinstance(paths, list) else [paths]:
                uploads.enter_context(validation.upload(path))
            yield from self.add_references(session, paths, detector, parser)

    def use_garment(self, session: Session, value: Any) -> Updates:
        """A garment in a photo that nobody wears it in; ``value`` is ``{"garment": id, "box", "region"}``, the box in
        shares."""
        key, waiting = _waiting(session, value)
        yield status("busy", "Cutting out the garment…", session)
        cut = garment(waiting.photo, validation.share_box(value), validation.choice(value, "region", GARMENTS))
        session.references.add(waiting.name, cut.known_to(self.editor_of(session)))
        session.garments.pop(key, None)
        news = {"references": view.references(session), "garment": view.garment(session)}
        yield {"textures": news} | _ready(session)

    def cancel_garment(self, session: Session, value: Any) -> Updates:
        """The photo of a garment is not wanted after all, and forgotten; ``value`` is ``{"garment": id}``."""
        key, _ = _waiting(session, value)
        session.garments.pop(key, None)
        yield {"textures": {"garment": view.garment(session)}} | _ready(session)

    def remove_reference(self, session: Session, value: Any) -> Updates:
        """Remove a reference and what is borrowed from it; ``value`` is ``{"reference": id}``."""
        key = validation.field(value, "reference")
        sequence = validation.sequence(value)
        if session.document is None:
            session.references.remove(key)
        else:
            session.document.remove_reference(key)
        sequence = session.count(sequence)
        news = {"references": view.references(session), "styles": view.styles(session.document, sequence)}
        yield {"textures": news} | rendering(session)

    def strip(self, session: Session, value: Any) -> Updates:
        """Steps from the own look to a reference's, side by side; ``value`` is ``{"region", "reference"}``."""
        document = session.need_document()
        region = validation.choice(value, "region", REGIONS[1:])
        reference = validation.choice(value, "reference", tuple(document.references))
        edits, pictures = document.edits, []
        yield status("busy", f"Rendering step 1 of {len(STEPS)}…", session, stop=True)
        for picture in document.strip(region, reference, edits):
            pictures.append(view.step(document, picture))
            if len(pictures) < len(STEPS):
                yield status("busy", f"Rendering step {len(pictures) + 1} of {len(STEPS)}…", session, stop=True)
        session.strip = edits, region
        news = {"region": region, "reference": reference, "weights": STEPS, "pictures": pictures}
        yield {"textures": {"strip": news}} | status("ok", "Choose the step that you like.", session)

    def save_look(self, session: Session, value: Any) -> Updates:
        """Take one region's look down as it is now, ``{"region"}``; :meth:`app.commands.studio.Studio.pack` hands it
        out as a small document, to be added as a reference."""
        document = session.need_document()
        region, edits = validation.choice(value, "region", REGIONS[1:]), document.edits
        use = "Add that file as a reference to use the look again."
        session.packing.append((lambda: document.look(region, edits), use))
        yield status("busy", "Saving the look…", session)


def _waiting(session: Session, value: Any) -> tuple[str, Garment]:
    key = validation.field(value, "garment")
    waiting = session.garments.get(key) if isinstance(key, str) else None
    if waiting is None:
        raise InputError("add the photo of the garment again")
    return key, waiting


def _ready(session: Session, note: str = "") -> Update:
    if session.garments:
        count = len(session.garments) - 1
        more = f"Then {count} more." if count else ""
        text = view.sentences(["Nobody found there. Draw a box around the garment.", more, note])
        return status("hint", text, session)
    if note:
        return status("error", note, session)
    if not session.references:
        return status("ok", "No reference was added.", session)
    return status("ok", "Reference ready: choose it for a region, then move the slider.", session)
