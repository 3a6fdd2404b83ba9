"""Textures: references and what is borrowed from them, one method per action, as in :mod:`app.actions`."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from app import checks, page, pise_file
from app.engine import Engine
from app.garments import GARMENTS, garment, likely_box, look
from app.page import Update, Updates, rendering, status
from app.pise_file import SavedDocument
from app.session import Edits, Session
from pise_core.errors import InputError, NobodyFound
from pise_core.images import read_image
from pise_core.regions import REGIONS

#: The steps of an interpolation strip.
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


class TextureActions(Engine):
    """The actions, over one editor that all sessions share."""

    def commit_styles(self, session: Session, value: Any) -> Updates:
        """A slider was let go of, or another reference chosen; ``value`` is ``{"seq", "styles"}``."""
        session.need_person()
        session.saw(checks.sequence(value))
        session.note = ""
        session.commit(styles=checks.styles(session, value))
        yield rendering(session)

    def add_references(self, session: Session, paths: Any, detector: str, parser: str) -> Updates:
        """Take files as references: photos of people, documents or saved looks; a photo of a garment is asked about."""
        paths = paths if isinstance(paths, list) else [paths]
        asked = False
        for number, path in enumerate(paths, 1):
            yield status("busy", f"Analysing reference {number} of {len(paths)}…", session)
            name = page.stem(path)
            if pise_file.is_document(path):
                person = self.load().set_person(**pise_file.read(path).person._asdict())
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
            session.add_reference(name, person)
            yield {"textures": {"references": page.references(session)}}
        if asked:
            yield status("hint", "Nobody found there. Draw a box around the garment.", session)
        else:
            yield _ready(session)

    def add_uploads(self, session: Session, paths: Any, detector: str, parser: str) -> Updates:
        """As :meth:`add_references`, and the server keeps no copy of the files."""
        try:
            yield from self.add_references(session, paths, detector, parser)
        finally:
            for path in paths if isinstance(paths, list) else [paths]:
                Path(path).unlink(missing_ok=True)

    def use_garment(self, session: Session, value: Any) -> Updates:
        """The garment in the photo that nobody wears it in; ``value`` is ``{"box", "region"}``, the box in shares."""
        if session.garment is None:
            raise InputError("add the photo of the garment again")
        name, photo = session.garment
        yield status("busy", "Cutting out the garment…", session)
        cut = garment(photo, checks.share_box(value), checks.choice(value, "region", GARMENTS))
        session.add_reference(name, self.load().set_person(**cut._asdict()))
        session.garment = None
        yield {"textures": {"references": page.references(session), "garment": False}} | _ready(session)

    def remove_reference(self, session: Session, value: Any) -> Updates:
        """Forget a reference and what was borrowed from it; ``value`` is ``{"reference": id}``."""
        session.remove_reference(checks.field(value, "reference"))
        session.next_sequence()
        news = {"references": page.references(session), "styles": page.styles(session)}
        yield {"textures": news} | rendering(session)

    def strip(self, session: Session, value: Any) -> Updates:
        """Steps from the own look to a reference's, side by side; ``value`` is ``{"region", "reference"}``."""
        session.need_person()
        region = checks.choice(value, "region", REGIONS[1:])
        reference = checks.choice(value, "reference", tuple(session.references))
        edits, pictures = session.edits, []
        for number, weight in enumerate(STEPS, 1):
            yield status("busy", f"Rendering step {number} of {len(STEPS)}…", session)
            styles = {**edits.styles, region: {reference: weight}}
            shown = session.render(replace(edits, styles=styles), preview=True).photo
            pictures.append(page.step(session, shown))
        session.strip = edits, region
        news = {"region": region, "reference": reference, "weights": STEPS, "pictures": pictures}
        yield {"textures": {"strip": news}} | status("ok", "Choose the step that you like.", session)

    def save_look(self, session: Session, value: Any) -> Updates:
        """Hand out one region's look as it is now: a small document, to be added as a reference; ``{"region"}``."""
        own = session.need_person()
        region = checks.choice(value, "region", REGIONS[1:])
        yield status("busy", "Saving the look…", session)
        edits = session.edits
        shown = session.render(edits)
        person = look(shown.photo, shown.parsing, own.pose if edits.pose is None else edits.pose, region)
        name = f"{session.name}-{region}"
        saved = SavedDocument(name, person, [], 0, {}, [Edits()], 0)
        yield page.file(session, pise_file.write(saved), name, ".pise")
        yield status("ok", f"Saved as {name}.pise. Add that file as a reference to use the look again.", session)


def _ready(session: Session) -> Update:
    return status("ok", "Reference ready: choose it for a region, then move the slider.", session)
