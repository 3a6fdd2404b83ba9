"""Textures: references and what is borrowed from them, one method per action, as in :mod:`app.actions`."""

from contextlib import ExitStack
from typing import Any

from app import checks, page
from app.engine import Engine
from app.page import Update, Updates, rendering, status
from app.session import Session
from pise_core.document.document import STEPS
from pise_core.document.garments import GARMENTS, garment, likely_box
from pise_core.document.reading import is_document, read
from pise_core.document.writing import write
from pise_core.errors import InputError, NobodyFound
from pise_core.images import read_image
from pise_core.regions import REGIONS


class TextureActions(Engine):
    """The actions, over one editor that all sessions share."""

    def commit_styles(self, session: Session, value: Any) -> Updates:
        """A slider was let go of, or another reference chosen; ``value`` is ``{"seq", "styles"}``."""
        document = session.need_document()
        session.saw(checks.sequence(value))
        session.carried = False
        document.set_styles(checks.field(value, "styles"))
        yield rendering(session)

    def add_references(self, session: Session, paths: Any, detector: str, parser: str) -> Updates:
        """Take files as references: photos of people, documents or saved looks; a photo of a garment is asked about."""
        paths = paths if isinstance(paths, list) else [paths]
        asked = False
        for number, path in enumerate(paths, 1):
            yield status("busy", f"Analysing reference {number} of {len(paths)}…", session)
            name = page.stem(path)
            if is_document(path):
                person = read(path).person.known_to(self.load())
            else:
                photo = read_image(str(path))
                try:
                    people, _ = self._detectors.find(photo, detector)
                    if not people:
                        raise NobodyFound("nobody in sight")
                    person, _ = self._detectors.analyse(photo, people[0], parser)
                except NobodyFound:
                    session.garment, asked = (name, photo), True
                    yield {"textures": {"garment": page.garment(session, photo, likely_box(photo))}}
                    continue
            session.references.add(name, person)
            yield {"textures": {"references": page.references(session)}}
        if asked:
            yield status("hint", "Nobody found there. Draw a box around the garment.", session)
        else:
            yield _ready(session)

    def add_uploads(self, session: Session, paths: Any, detector: str, parser: str) -> Updates:
        """As :meth:`add_references`, and the server keeps no copy of the files."""
        with ExitStack() as uploads:
            for path in paths if isinstance(paths, list) else [paths]:
                uploads.enter_context(checks.upload(path))
            yield from self.add_references(session, paths, detector, parser)

    def use_garment(self, session: Session, value: Any) -> Updates:
        """The garment in the photo that nobody wears it in; ``value`` is ``{"box", "region"}``, the box in shares."""
        if session.garment is None:
            raise InputError("add the photo of the garment again")
        name, photo = session.garment
        yield status("busy", "Cutting out the garment…", session)
        cut = garment(photo, checks.share_box(value), checks.choice(value, "region", GARMENTS))
        session.references.add(name, cut.known_to(self.load()))
        session.garment = None
        yield {"textures": {"references": page.references(session), "garment": False}} | _ready(session)

    def remove_reference(self, session: Session, value: Any) -> Updates:
        """Forget a reference and what was borrowed from it; ``value`` is ``{"reference": id}``."""
        key = checks.field(value, "reference")
        if session.document is None:
            session.references.remove(key)
        else:
            session.document.remove_reference(key)
        session.next_sequence()
        news = {"references": page.references(session), "styles": page.styles(session.document)}
        yield {"textures": news} | rendering(session)

    def strip(self, session: Session, value: Any) -> Updates:
        """Steps from the own look to a reference's, side by side; ``value`` is ``{"region", "reference"}``."""
        document = session.need_document()
        region = checks.choice(value, "region", REGIONS[1:])
        reference = checks.choice(value, "reference", tuple(document.references))
        edits, pictures = document.edits, []
        yield status("busy", f"Rendering step 1 of {len(STEPS)}…", session)
        for picture in document.strip(region, reference, edits):
            pictures.append(page.step(document, picture))
            if len(pictures) < len(STEPS):
                yield status("busy", f"Rendering step {len(pictures) + 1} of {len(STEPS)}…", session)
        session.strip = edits, region
        news = {"region": region, "reference": reference, "weights": STEPS, "pictures": pictures}
        yield {"textures": {"strip": news}} | status("ok", "Choose the step that you like.", session)

    def save_look(self, session: Session, value: Any) -> Updates:
        """Hand out one region's look as it is now: a small document, to be added as a reference; ``{"region"}``."""
        document = session.need_document()
        region = checks.choice(value, "region", REGIONS[1:])
        yield status("busy", "Saving the look…", session)
        saved = document.look(region)
        yield page.file(session, write(saved), saved.name, ".pise")
        yield status("ok", f"Saved as {saved.name}.pise. Add that file as a reference to use the look again.", session)


def _ready(session: Session) -> Update:
    return status("ok", "Reference ready: choose it for a region, then move the slider.", session)
