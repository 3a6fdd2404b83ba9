"""Photos and documents in, and whom of a photo to edit; one method per action, as in :mod:`app.commands.studio`."""

from typing import Any

import numpy as np

from app.commands import validation
from app.state.detectors import SIZES
from app.state.models import Engine
from app.state.opened import Found
from app.state.session import EXPIRED, Session
from app.view import updates as view
from app.view.updates import Update, Updates, rendering, status
from pise_core import pose as poses
from pise_core.document import Document
from pise_core.document.file_format import SavedDocument
from pise_core.document.file_reader import is_document, read
from pise_core.document.references import References
from pise_core.errors import InputError, NobodyFound
from pise_core.person import SavedPerson

#: In photos whose longer side has fewer pixels nobody is found who can be edited.
SMALLEST = 64
#: A pose placed by hand is doubted if a smaller share of its joints lies on a person.
LIKELY = 1 / 3
_PLACE_IT = "Drag the joints onto the person, try another photo, or use the pose anyway."
_PAINT_IT = "Paint hair, face and clothes under Regions first."


class OpeningActions(Engine):
    """The actions, over one editor that all sessions share."""

    def start(self, session: Session, value: Any = None) -> Updates:
        """A page was opened: say who it is, for the live path; a page that was loaded anew, and names its session with
        ``{"session"}``, gets its document back."""
        yield self.introduce(session)
        if session.photo is not None:
            session.page_is_new()
            yield from self.come_back(session)
        elif validation.field(value, "session") not in (None, session.token):
            raise InputError(EXPIRED)

    def introduce(self, session: Session) -> Update:
        """Who the page is, for all that asks past the queue, and what pictures can be made with."""
        news = {part: {"session": session.token} for part in ("bar", "pose", "regions", "textures")}
        return news | {"bar": news["bar"] | view.weights(self.weights, session.weights)}

    def come_back(self, session: Session) -> Updates:
        """Show what the session holds to a page that knows nothing of it."""
        if session.document is None:
            yield view.unplaced(session) | _nobody(session)
        else:
            session.painter_is_told(session.document.edits)
            yield view.document(session, session.document) | _welcome_back(session, session.document)

    def open_file(self, session: Session, path: Any, detector: str, parser: str) -> Updates:
        """Open a file that the server put at ``path``: a photo, whose largest person is analysed, or a document."""
        yield status("busy", "Reading the file…", session, stop=True)
        with validation.opened(path) as file:
            found = read(file) if is_document(file) else validation.photo(file)
        if isinstance(found, SavedDocument):
            yield from self._open_document(session, found)
        else:
            yield from self._open(session, found, view.stem(path), detector, parser)

    def open_upload(self, session: Session, path: Any, detector: str, parser: str) -> Updates:
        """As :meth:`open_file`, and the server keeps no copy of the file."""
        with validation.upload(path):
            yield from self.open_file(session, path, detector, parser)

    def _open_document(self, session: Session, saved: SavedDocument) -> Updates:
        people, editor = [], self.editor_of(session)
        for number, known in enumerate(saved.people, 1):
            yield status("busy", f"Opening the document: person {number} of {len(saved.people)}…", session, stop=True)
            people.append(known.known_to(editor))
        document = Document.restored(saved, people)
        session.set_aside()
        session.edit(document)
        session.painter_is_told(document.edits)
        yield view.document(session, document) | _welcome_back(session, document)

    def fetch(self, session: Session, *chosen: Any) -> Updates:
        """Before a photo is looked at: download what is ``chosen`` for that and isn't here yet."""
        for name in chosen:
            for share in self._detectors.fetch(name):
                far = f"Downloading {name}, once: {share:.0%} of {SIZES[name]} MB…"
                yield status("busy", f"Loading {name}…" if share == 1 else far, session, stop=True)

    def stop(self, session: Session, value: Any) -> Updates:
        """The user has had enough of what takes so long."""
        session.stops += 1
        yield from ()

    def choose_weights(self, session: Session, value: Any) -> Updates:
        """Go on with the document, its history and its references included, with other weights; ``{"name"}``."""
        name = validation.choice(value, "name", self.weights)
        yield status("busy", f"Loading the weights {name}…", session, stop=True)
        try:
            editor = self.load(name)
        except InputError:
            yield {"bar": view.weights(self.weights, session.weights)}  # the menu shows what could not be loaded
            raise
        if session.document is not None:
            yield from self._go_on(session, session.document, editor, name)
            return
        references = References()
        for key, reference in session.references.items():
            references.add(reference.name, SavedPerson.of(reference.person).known_to(editor), key)
        session.references, session.weights = references, name
        yield {"bar": view.weights(self.weights, name)}
        yield status("ok", f"The weights are {name}.", session)

    def _go_on(self, session: Session, document: Document, editor: Any, weights: str) -> Updates:
        """The same document with another editor. Edits that are made meanwhile are not lost."""
        yield status("busy", "Looking at the person anew…", session, stop=True)
        person, references = SavedPerson.of(document.person).known_to(editor), {}
        while missing := (saved := document.contents()).references.keys() - references.keys():
            yield status("busy", f"Looking at the references: {len(missing)} more…", session, stop=True)
            key = missing.pop()
            references[key] = saved.references[key][1].known_to(editor)
        others = [other.person.known_to(editor) for other in saved.others]
        document = Document.restored(saved, [person, *(references[key] for key in saved.references), *others])
        session.weights = weights
        session.edit(document, session.people)
        yield {"bar": view.weights(self.weights, weights)}
        session.painter_is_told(document.edits)
        yield view.document(session, document) | _welcome_back(session, document)

    def analyse_again(self, session: Session, detector: str, parser: str) -> Updates:
        """Analyse the open photo anew, with the detectors chosen now."""
        yield from self._open(session, session.need_photo(), session.name, detector, parser)

    def _open(self, session: Session, photo: np.ndarray, name: str, detector: str, parser: str) -> Updates:
        yield status("busy", "Looking for people…", session, stop=True)
        people, note = self._detectors.find(photo, detector)
        try:
            yield status("busy", "Analysing: joints and regions…", session, stop=True)
            person, people, parser_note = self._detectors.analyse_first(photo, people, parser)
            yield status("busy", "Opening the photo…", session, stop=True)
        except NobodyFound:  # a closer look may find that it was nobody after all
            session.open(photo, name, [])
            yield view.unplaced(session) | _nobody(session)
            return
        # Only now is the old document given up: an error above leaves it as it was.
        yield self._edit(session, name, person, people, 0, view.sentences([note, parser_note]))

    def choose_person(self, session: Session, choice: Any, parser: str) -> Updates:
        """Edit another of the people found; ``choice`` is ``{"index": n}``."""
        index = validation.index(choice, len(session.people), "person in the photo")
        yield status("busy", f"Analysing person {index + 1}…", session)
        person, note = self._detectors.analyse(session.need_photo(), session.people[index], parser)
        yield self._edit(session, session.name, person, session.people, index, note)

    def place_person(self, session: Session, placed: Any, parser: str) -> Updates:
        """Analyse the photo with joints that the user placed by hand: of somebody who wasn't found, or of the person
        who is edited, for whom they were found wrong; ``placed`` is ``{"keypoints", "anyway"}``.

        Where hardly any person is under them, the user is asked to place them again, unless they are wanted ``anyway``.
        """
        photo, pose = session.need_photo(), validation.pose(placed)
        yield status("busy", "Analysing with your pose…", session)
        found = Found(poses.bounding_box(pose), pose)
        person, note = self._detectors.analyse(photo, found, parser)
        chosen = 0 if session.document is None else session.document.chosen
        people = [*session.people[:chosen], found, *session.people[chosen + 1 :]]
        on, count = joints_on_person(person)
        doubt = f"Only {on} of {count} joints lie on a person." if on else "There is no person under the skeleton."
        if on and on >= LIKELY * count:
            yield self._edit(session, session.name, person, people, chosen, note)
        elif validation.field(placed, "anyway") is True:
            yield self._edit(session, session.name, person, people, chosen, view.sentences([doubt, _PAINT_IT, note]))
        else:
            known = session.document
            news = view.placing(pose, True) if known is None else view.pose(known) | {"doubtful": True}
            yield {"pose": {"pose": news}} | status("error", view.sentences([doubt, _PLACE_IT, note]), session)

    def _edit(self, session: Session, name: str, person: Any, people: list[Found], chosen: int, note: str) -> Update:
        session.set_aside()
        boxes = [found.box for found in people]
        document = Document.of(self.own(session, person), name, boxes, chosen, session.references)
        session.edit(document, people)
        return view.document(session, document) | _ready(session, note)


def joints_on_person(person: Any) -> tuple[int, int]:
    """How many joints lie on some region of the person, and how many there are within the photo at all."""
    height, width = person.parsing.shape
    x, y = person.pose[poses.visible(person.pose), :2].astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    return int((person.parsing[y[inside], x[inside]] > 0).sum()), int(inside.sum())


def _nobody(session: Session) -> Update:
    height, width = session.need_photo().shape[:2]
    if max(height, width) < SMALLEST:
        return status("error", f"{width} × {height} pixels are too few to find anybody; try a larger photo.", session)
    return status("error", "No person found. Place the skeleton by hand, or try another photo.", session)


def _welcome_back(session: Session, document: Document) -> Update:
    if document.edits.none:
        return status("ok", "Your document is as you left it.", session)
    return rendering(session)


def _ready(session: Session, note: str) -> Update:
    if note:
        return status("error", note, session)
    others = f"{len(session.people)} people found: choose whom to edit." if len(session.people) > 1 else ""
    before = "" if session.before is None else "Undo brings back your work before this."
    return status("ok", view.sentences(["Ready. Drag a joint to change the pose.", others, before]), session)
