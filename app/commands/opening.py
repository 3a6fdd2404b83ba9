"""Photos and documents in, and whom of a photo to edit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.commands.outcome import Changed, Outcome, Progress, Steps, sentences, told
from app.commands.reading import opened, photo_or_document, stem
from app.state.detectors import SIZES
from app.state.models import Engine
from app.state.opened import Found
from app.state.session import DEFAULT_BACKGROUND, Session
from pise_core import pose as poses
from pise_core.document import Document
from pise_core.document.file_format import SavedDocument
from pise_core.document.file_reader import join
from pise_core.document.references import References
from pise_core.doubts import doubt_of_joints
from pise_core.errors import HubUnreachable, NobodyFound
from pise_core.person import SavedPerson

#: In photos whose longer side has fewer pixels nobody is found who can be edited.
SMALLEST = 64
#: A pose placed by hand is doubted if a smaller share of its joints lies on a person.
LIKELY = 1 / 3
_PLACE_IT = "Drag the joints onto the person, try another photo, or use the pose anyway."
_PAINT_IT = "Paint hair, face and clothes under Regions first."


def fetch(engine: Engine, chosen: Sequence[Any]) -> Steps:
    """Before a photo is looked at: download what is ``chosen`` for that and isn't here yet."""
    for name in chosen:
        for share in engine.detectors.fetch(name):
            far = f"Downloading {name}, once: {share:.0%} of {SIZES[name]} MB…"
            yield Progress(f"Loading {name}…" if share == 1 else far, can_stop=True)
    return Outcome()


def stop(session: Session) -> Outcome:
    """The user has had enough of what takes so long: of what waits or looks at a photo, and of a motion."""
    session.stops += 1
    session.stopped = True
    return Outcome()


def open_file(engine: Engine, session: Session, path: Any, detector: str, parser: str) -> Steps:
    """Open a file: a photo, whose largest person is analysed, or a document."""
    yield Progress("Reading the file…", can_stop=True)
    found = photo_or_document(path)
    if isinstance(found, SavedDocument):
        return (yield from _open_document(engine, session, found))
    return (yield from _open_photo(engine, session, found, stem(path), detector, parser))


def open_kept(engine: Engine, session: Session, path: Any, edits: bytes) -> Steps:
    """Open a document whose edits were kept apart from its pictures, which are in a file."""
    yield Progress("Bringing your work back…", can_stop=True)
    with opened(path) as file:
        saved = join(file, edits)
    return (yield from _open_document(engine, session, saved))


def analyse_again(engine: Engine, session: Session, detector: str, parser: str) -> Steps:
    """Analyse the open photo again, with the detectors chosen now."""
    return (yield from _open_photo(engine, session, session.need_photo(), session.name, detector, parser))


def choose_person(engine: Engine, session: Session, index: int, parser: str) -> Steps:
    """Edit another of the people found; ``index`` is one of ``session.people``. Everybody keeps their own edits."""
    document, note = session.document, ""
    known = None if document is None else _known(document, index)
    if document is None or known is None:
        yield Progress(f"Analysing person {index + 1}…")
        person, note = engine.detectors.analyse(session.need_photo(), session.people[index], parser)
        if document is None:
            return _edit(engine, session, session.name, person, session.people, index, note)
        known = document.add_person(engine.own(session, person), index)
    document.edit_person(known)
    session.edit(document, session.people)
    if document.untouched:
        return Outcome(_ready(session), told(note), Changed.DOCUMENT)
    session.edited(note=note)
    return Outcome(warnings=told(note), changed=Changed.DOCUMENT | Changed.EDITS)


def _known(document: Document, chosen: int) -> int | None:
    """The place among a document's people of whom the box of that number is about."""
    return next((place for place, one in enumerate(document.people) if one.chosen == chosen), None)


def place_person(engine: Engine, session: Session, pose: np.ndarray, parser: str, anyway: bool = False) -> Steps:
    """Analyse the photo with joints that the user placed by hand: of somebody who wasn't found, or of the person who is
    edited, for whom they were found wrong.

    Where hardly any person is under them, the user is asked to place them again, unless they are wanted ``anyway``.
    """
    photo = session.need_photo()
    yield Progress("Analysing with your pose…")
    found = Found(poses.bounding_box(pose), pose)
    person, note = engine.detectors.analyse(photo, found, parser)
    before = session.document
    chosen = 0 if before is None else before.chosen
    people = [*session.people[:chosen], found, *session.people[chosen + 1 :]]
    on, count = joints_on_person(person)
    doubt = f"Only {on} of {count} joints lie on a person." if on else "There is no person under the skeleton."
    if on and on >= LIKELY * count:
        return _with_others(session, _edit(engine, session, session.name, person, people, chosen, note), before)
    if anyway:
        outcome = _edit(engine, session, session.name, person, people, chosen, doubt, _PAINT_IT, note)
        return _with_others(session, outcome, before)
    return Outcome(warnings=told(doubt, _PLACE_IT, note), doubted=pose)


def _with_others(session: Session, outcome: Outcome, before: Document | None) -> Outcome:
    """Who is looked at again is new; the others of the photo keep their edits."""
    document = session.document
    if before is None or document is None or document.with_people_of(before).untouched:
        return outcome
    session.edited(note=outcome.note)
    return replace(outcome, changed=outcome.changed | Changed.EDITS)


def make_room(session: Session, sequence: int = 0) -> Steps:
    """Let the photo grow where the wanted pose leaves it; undo brings back the smaller one.

    Raises:
        InputError: if the pose stays within the photo, or the photo can't grow.
    """
    document = session.need_document()
    yield Progress("Making room for the pose…")
    margins = document.room()
    grown = document.grow(margins)
    people = [found.moved(margins.left, margins.top) for found in session.people]
    session.set_aside()
    session.edit(grown, people)
    session.edited(sequence, note="There is room now. Undo brings back the photo as it was.")
    return Outcome(changed=Changed.DOCUMENT | Changed.EDITS)


def choose_weights(engine: Engine, session: Session, name: str) -> Steps:
    """Go on with the document, its history and its references included, with other weights; ``name`` is one of
    ``engine.weights``."""
    yield Progress(f"Loading the weights {name}…", can_stop=True)
    editor = engine.load(name, session.background)
    if session.document is not None:
        return (yield from _go_on(session, session.document, editor, name, session.background))
    _without_document(session, editor, name, session.background)
    return Outcome(f"The weights are {name}.", changed=Changed.WEIGHTS)


def choose_background(engine: Engine, session: Session, name: str) -> Steps:
    """Go on with the document, its history and its references included, with another background behind people; ``name``
    is one of ``detectors.BACKGROUNDS``.

    Raises:
        HubUnreachable: if it can't be fetched.
        InputError: if it can't be run here.
    """
    yield Progress(f"Loading the background {name}…", can_stop=True)
    try:
        editor = engine.load(session.weights, name)
    except HubUnreachable as error:
        raise HubUnreachable(f"{error}. The background is as before.") from None
    if session.document is not None:
        return (yield from _go_on(session, session.document, editor, session.weights, name))
    _without_document(session, editor, session.weights, name)
    return Outcome(f"The background is {name}.", changed=Changed.WEIGHTS)


def reopened(session: Session) -> Outcome:
    """What a session holds, for somebody who knows nothing of it."""
    if session.document is None:
        return _nobody(session)
    if session.document.untouched:
        return Outcome("Your document is as you left it.", changed=Changed.DOCUMENT)
    return Outcome(changed=Changed.DOCUMENT | Changed.EDITS)


def joints_on_person(person: Any) -> tuple[int, int]:
    """How many joints lie on some region of the person, and how many there are within the photo at all."""
    height, width = person.parsing.shape
    x, y = person.pose[poses.visible(person.pose), :2].astype(int).T
    inside = (x >= 0) & (y >= 0) & (x < width) & (y < height)
    return int((person.parsing[y[inside], x[inside]] > 0).sum()), int(inside.sum())


def _open_document(engine: Engine, session: Session, saved: SavedDocument) -> Steps:
    people, editor = [], engine.editor_of(session)
    for number, known in enumerate(saved.people, 1):
        yield Progress(f"Opening the document: person {number} of {len(saved.people)}…", can_stop=True)
        people.append(known.known_to(editor))
    document = Document.restored(saved, people)
    session.set_aside()
    session.edit(document)
    made_with = _made_with(session, saved.background)
    session.edited(note=made_with)  # the page says it with the picture
    return replace(reopened(session), warnings=told(made_with))


def _made_with(session: Session, saved: str) -> str:
    """What to say where a document that has edits was saved with another background than it goes on with."""
    document = session.document
    if document is None or document.edits.none or document.person.editor.background_name == saved:
        return ""
    made = saved or DEFAULT_BACKGROUND
    return f"It was saved with the background {made}; with {session.background} its picture may differ."


def _open_photo(engine: Engine, session: Session, photo: np.ndarray, name: str, detector: str, parser: str) -> Steps:
    yield Progress("Looking for people…", can_stop=True)
    people, note = engine.detectors.find(photo, detector)
    try:
        yield Progress("Analysing: joints and regions…", can_stop=True)
        person, people, parser_note = engine.detectors.analyse_first(photo, people, parser)
        yield Progress("Opening the photo…", can_stop=True)
    except NobodyFound:  # a closer look may find that it was nobody after all
        session.open(photo, name, [])
        return _nobody(session)
    # Only now is the old document given up: an error above leaves it as it was.
    return _edit(engine, session, name, person, people, 0, note, parser_note)


def _without_document(session: Session, editor: Any, weights: str, background: str) -> None:
    """Only references go on with another editor."""
    references = References()
    for key, reference in session.references.items():
        references.add(reference.name, SavedPerson.of(reference.person).known_to(editor), key)
    session.references, session.weights, session.background = references, weights, background


def _go_on(session: Session, document: Document, editor: Any, weights: str, background: str) -> Steps:
    """The same document with another editor. Edits that are made meanwhile are not lost."""
    yield Progress("Looking at the person again…", can_stop=True)
    person, references = SavedPerson.of(document.person).known_to(editor), {}
    while missing := (saved := document.contents()).references.keys() - references.keys():
        yield Progress(f"Looking at the references: {len(missing)} more…", can_stop=True)
        key = missing.pop()
        references[key] = saved.references[key][1].known_to(editor)
    others = [other.person.known_to(editor) for other in saved.others]
    document = Document.restored(saved, [person, *(references[key] for key in saved.references), *others])
    session.weights, session.background = weights, background
    session.edit(document, session.people)
    again = reopened(session)
    return Outcome(again.note, changed=again.changed | Changed.WEIGHTS)


def _edit(
    engine: Engine, session: Session, name: str, person: Any, people: list[Found], chosen: int, *warnings: str
) -> Outcome:
    session.set_aside()
    boxes = [found.box for found in people]
    guessed = doubt_of_joints(person.pose)
    session.edit(Document.of(engine.own(session, person), name, boxes, chosen, session.references), people)
    return Outcome(_ready(session), told(guessed.text if guessed else "", *warnings), Changed.DOCUMENT)


def _ready(session: Session) -> str:
    count = len(session.people)
    others = f"{count} people found: choose whom to edit." if count > 1 else ""
    before = "" if session.before is None else "Undo brings back your work before this."
    return sentences(["Ready. Drag a joint to change the pose.", others, before])


def _nobody(session: Session) -> Outcome:
    height, width = session.need_photo().shape[:2]
    if max(height, width) < SMALLEST:
        why = f"{width} × {height} pixels are too few to find anybody; try a larger photo."
    else:
        why = "No person found. Place the skeleton by hand, or try another photo."
    return Outcome(warnings=(why,), changed=Changed.DOCUMENT)
