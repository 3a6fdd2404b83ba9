"""Photos and documents in, and whom of a photo to edit; one method per action, as in :mod:`app.actions`."""

from typing import Any

import numpy as np

from app import checks, page
from app.engine import Engine
from app.page import Update, Updates, rendering, status
from app.session import Found, Session
from pise_core import pose as poses
from pise_core.document import Document
from pise_core.document.reading import is_document, read
from pise_core.errors import NobodyFound
from pise_core.images import read_image


class OpeningActions(Engine):
    """The actions, over one editor that all sessions share."""

    def start(self, session: Session) -> Updates:
        """A page was opened: say who it is, for the live path; a page that was loaded anew gets its document back."""
        token = {"session": session.token}
        yield {"bar": token, "pose": token, "regions": token, "textures": token}
        if session.photo is None:
            return
        session.page_is_new()
        if session.document is None:
            yield page.unplaced(session) | _nobody(session)
        else:
            session.painter_is_told(session.document.edits)
            yield page.document(session, session.document) | _welcome_back(session, session.document)

    def open_file(self, session: Session, path: Any, detector: str, parser: str) -> Updates:
        """Open a file that the server put at ``path``: a photo, whose largest person is analysed, or a document."""
        yield status("busy", "Reading the file…", session)
        if is_document(path):
            yield from self._open_document(session, path)
        else:
            yield from self._open(session, read_image(str(path)), page.stem(path), detector, parser)

    def open_upload(self, session: Session, path: Any, detector: str, parser: str) -> Updates:
        """As :meth:`open_file`, and the server keeps no copy of the file."""
        with checks.upload(path):
            yield from self.open_file(session, path, detector, parser)

    def _open_document(self, session: Session, path: Any) -> Updates:
        saved, people = read(path), []
        for number, known in enumerate(saved.people, 1):
            yield status("busy", f"Opening the document: person {number} of {len(saved.people)}…", session)
            people.append(known.known_to(self.load()))
        document = Document.restored(saved, people)
        session.edit(document)
        session.painter_is_told(document.edits)
        yield page.document(session, document) | _welcome_back(session, document)

    def analyse_again(self, session: Session, detector: str, parser: str) -> Updates:
        """Analyse the open photo anew, with the detectors chosen now."""
        yield from self._open(session, session.need_photo(), session.name, detector, parser)

    def _open(self, session: Session, photo: np.ndarray, name: str, detector: str, parser: str) -> Updates:
        yield status("busy", "Looking for people…", session)
        people, note = self._detectors.find(photo, detector)
        try:
            if not people:
                raise NobodyFound("nobody in sight")
            yield status("busy", "Analysing: joints and regions…", session)
            person, parser_note = self._detectors.analyse(photo, people[0], parser)
        except NobodyFound:  # a closer look may find that it was nobody after all
            session.open(photo, name, [])
            yield page.unplaced(session) | _nobody(session)
            return
        # Only now is the old document given up: an error above leaves it as it was.
        session.open(photo, name, people)
        yield self._edit(session, person, 0, note or parser_note)

    def choose_person(self, session: Session, choice: Any, parser: str) -> Updates:
        """Edit another of the people found; ``choice`` is ``{"index": n}``."""
        index = checks.index(choice, len(session.people), "person in the photo")
        yield status("busy", f"Analysing person {index + 1}…", session)
        person, note = self._detectors.analyse(session.need_photo(), session.people[index], parser)
        yield self._edit(session, person, index, note)

    def place_person(self, session: Session, placed: Any, parser: str) -> Updates:
        """Analyse the photo with the pose that the user placed by hand."""
        photo, pose = session.need_photo(), checks.pose(placed)
        yield status("busy", "Analysing with your pose…", session)
        person, note = self._detectors.analyse(photo, Found(poses.bounding_box(pose), pose), parser)
        yield self._edit(session, person, 0, note)

    @staticmethod
    def _edit(session: Session, person: Any, chosen: int, note: str) -> Update:
        boxes = [found.box for found in session.people]
        document = Document.of(person, session.name, boxes, chosen, session.references)
        session.edit(document, session.people)
        return page.document(session, document) | _ready(session, note)


def _nobody(session: Session) -> Update:
    return status("error", "No person found. Place the skeleton by hand, or try another photo.", session)


def _welcome_back(session: Session, document: Document) -> Update:
    if document.edits.none:
        return status("ok", "Your document is as you left it.", session)
    return rendering(session)


def _ready(session: Session, note: str) -> Update:
    if note:
        return status("error", note, session)
    others = f" {len(session.people)} people found: choose whom to edit." if len(session.people) > 1 else ""
    return status("ok", f"Ready. Drag a joint to change the pose.{others}", session)
