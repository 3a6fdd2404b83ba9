"""References, and what is borrowed from them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.commands.opening import LIKELY, joints_on_person
from app.commands.outcome import Changed, Outcome, Progress, Steps, sentence, sentences, told
from app.commands.reading import photo_or_document, stem
from app.state.models import Engine
from app.state.opened import Found
from app.state.session import SHOWN_SIDE, Session
from pise_core.document.document import STEPS
from pise_core.document.file_format import SavedDocument
from pise_core.document.references import Reference
from pise_core.document.textures import garment
from pise_core.errors import InputError, NobodyFound
from pise_core.images import shrink
from pise_core.pose import default_skeleton
from pise_core.regions import present

#: A box in shares of a picture's width and height: x0, y0, x1, y1 from 0 to 1.
ShareBox = tuple[float, float, float, float]


def add_references(engine: Engine, session: Session, paths: list[Any], detector: str, parser: str) -> Steps:
    """Take files as references: photos of people, documents or saved looks; a photo of a garment waits to be marked.

    A file that can't be taken holds up none of the others.

    Raises:
        InputError: if none could be taken.
    """
    notes: list[str] = []
    refused: list[str] = []
    waiting = set(session.garments)
    for number, path in enumerate(paths, 1):
        yield Progress(f"Analysing reference {number} of {len(paths)}…", can_stop=True)
        try:
            yield Progress(changed=_add(engine, session, path, detector, parser, notes))
        except InputError as error:
            named = len(paths) == 1 or Path(path).name in str(error)
            refused.append(str(error) if named else f"{Path(path).name}: {error}")
    if refused and len(refused) == len(paths):
        raise InputError(". ".join(dict.fromkeys(refused)))
    told_of = *notes, *(sentence(f"{text}.") for text in refused)
    # A garment that waits from before has been asked about: what is new now is the reference.
    return _ready(session, *told_of, asks=not waiting.issuperset(session.garments))


def use_garment(engine: Engine, session: Session, key: str, box: ShareBox, region: str) -> Steps:
    """Take a garment that waits as a reference: what is in a box of its photo, for a region.

    Raises:
        InputError: if none of that id waits, or nothing is in the box.
    """
    waiting = session.need_garment(key)
    yield Progress("Cutting out the garment…")
    _take_garment(engine, session, waiting.name, waiting.photo, box, region)
    session.garments.pop(key, None)
    return _ready(session, changed=Changed.REFERENCES | Changed.GARMENTS)


def add_garment(engine: Engine, session: Session, name: str, photo: np.ndarray, box: ShareBox, region: str) -> Outcome:
    """Take a garment that nobody wears as a reference at once: what is in a box of a photo (H, W, 3), for a region.

    Raises:
        InputError: if nothing is in the box, or there are too many references.
    """
    session.need_room()
    _take_garment(engine, session, name, photo, box, region)
    return Outcome(changed=Changed.REFERENCES)


def cancel_garment(session: Session, key: str) -> Outcome:
    """The photo of a garment is not wanted after all, and forgotten.

    Raises:
        InputError: if none of that id waits.
    """
    session.need_garment(key)
    session.garments.pop(key, None)
    return _ready(session, changed=Changed.GARMENTS)


def is_garment(reference: Reference) -> bool:
    """Whether it is a garment alone, or a saved look, with nothing else of anybody."""
    return len([name for name in present(reference.person.parsing) if name != "background"]) == 1


def to_garment(session: Session, key: Any, sequence: int = 0) -> Outcome:
    """A reference that was taken for a person is a garment: it goes, and its photo waits to be marked.

    Raises:
        InputError: if there is none of that id.
    """
    reference = _reference(session, key)
    removed = remove_reference(session, key, sequence)
    session.await_garment(reference.name, shrink(reference.person.photo, SHOWN_SIDE))
    return replace(removed, changed=removed.changed | Changed.GARMENTS)


def to_person(engine: Engine, session: Session, key: Any, parser: str, sequence: int = 0) -> Steps:
    """A reference that was taken for a garment shows a person: it is analysed, and takes the place of the old one.

    Raises:
        InputError: if there is none of that id, or nobody is where the garment was.
    """
    reference = _reference(session, key)
    yield Progress("Analysing the reference…")
    height, width = reference.person.photo.shape[:2]
    x0, y0, x1, y1 = reference.person.box
    box = x0 / width, y0 / height, x1 / width, y1 / height
    person, note = _person_in(engine, reference.person.photo, box, parser)
    removed = remove_reference(session, key, sequence)
    session.references.add(reference.name, engine.own(session, person))
    return replace(removed, warnings=told(note))


def somebody_wears_it(engine: Engine, session: Session, key: Any, box: ShareBox, parser: str) -> Steps:
    """A photo that waits as a garment's shows a person, in a box of it.

    Raises:
        InputError: if none of that id waits, or nobody is in the box.
    """
    waiting = session.need_garment(key)
    yield Progress("Analysing the reference…")
    person, note = _person_in(engine, waiting.photo, box, parser)
    session.references.add(waiting.name, engine.own(session, person))
    session.garments.pop(key, None)
    return _ready(session, note, changed=Changed.REFERENCES | Changed.GARMENTS)


def _reference(session: Session, key: Any) -> Reference:
    if not isinstance(key, str) or key not in session.references:
        raise InputError("that reference is gone already")
    return session.references[key]


def _person_in(engine: Engine, photo: np.ndarray, box: ShareBox, parser: str) -> tuple[Any, str]:
    """Whoever is in a box of a photo, found there or taken to stand in it, and a note as the detectors have it."""
    height, width = photo.shape[:2]
    pixels = box[0] * width, box[1] * height, box[2] * width, box[3] * height
    if pixels[2] - pixels[0] < 12 or pixels[3] - pixels[1] < 12:
        raise InputError("draw a larger box around the person")
    try:
        return engine.detectors.analyse(photo, Found(pixels), parser)
    except NobodyFound:
        person, note = engine.detectors.analyse(photo, Found(pixels, default_skeleton(pixels)), parser)
    on, count = joints_on_person(person)
    if on < LIKELY * count:
        raise InputError("nobody is in that box; draw it around the person, from head to feet")
    return person, note


def remove_reference(session: Session, key: Any, sequence: int = 0) -> Outcome:
    """Remove a reference and what is borrowed from it; this can be undone.

    Raises:
        InputError: if there is none of that id.
    """
    if session.document is None:
        session.references.remove(key)
    else:
        session.document.remove_reference(key)
    changed = Changed.EDITS | Changed.REFERENCES | Changed.LOOKS
    return Outcome(changed=changed, sequence=session.count(sequence))


def steps_of_mix(session: Session, region: str, reference: str) -> Steps:
    """Pictures from the own look of a region to a reference's, at preview size, one for each of ``STEPS``."""
    document = session.need_document()
    edits, pictures = document.edits, []
    yield Progress(f"Rendering step 1 of {len(STEPS)}…", can_stop=True)
    for picture in document.strip(region, reference, edits):
        pictures.append(picture)
        if len(pictures) < len(STEPS):
            yield Progress(f"Rendering step {len(pictures) + 1} of {len(STEPS)}…", can_stop=True)
    session.strip = edits, region
    return Outcome("Choose the step that you like.", pictures=tuple(pictures))


def _add(engine: Engine, session: Session, path: Any, detector: str, parser: str, notes: list[str]) -> Changed:
    name = stem(path)
    found = photo_or_document(path)
    if isinstance(found, SavedDocument):
        person = found.person.known_to(engine.editor_of(session))
    else:
        people, note = engine.detectors.find(found, detector)
        notes.append(note)
        try:
            person, _, note = engine.detectors.analyse_first(found, people, parser)
            notes.append(note)
        except NobodyFound:
            # The networks and the page need no more of it.
            session.await_garment(name, shrink(found, SHOWN_SIDE))
            return Changed.GARMENTS if len(session.garments) == 1 else Changed.NOTHING
    session.references.add(name, engine.own(session, person))
    return Changed.REFERENCES


def _take_garment(engine: Engine, session: Session, name: str, photo: np.ndarray, box: ShareBox, region: str) -> None:
    session.references.add(name, garment(photo, box, region).known_to(engine.editor_of(session)))


def _ready(session: Session, *warnings: str, changed: Changed = Changed.NOTHING, asks: bool = True) -> Outcome:
    """What is said after references: unless not ``asks``, the question about the garment that waits comes first."""
    if session.garments and asks:
        count = len(session.garments) - 1
        more = f"Then {count} more." if count else ""
        text = sentences(["Nobody found there. Draw a box around the garment.", more, *warnings])
        return Outcome(text, changed=changed, question=True)
    note = "Reference ready: choose it for a region, then move the slider." if session.references else ""
    return Outcome(note or "No reference was added.", told(*warnings), changed)
