"""Edits of the document: pose, paint, what is borrowed and recoloured, and the way through their history.

``sequence`` is the order number that a page gave the request, 0 if it has none.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from app.commands.opening import reopened
from app.commands.outcome import Changed, Outcome, Progress, Steps, sentences, told
from app.commands.reading import photo
from app.state.models import Engine
from app.state.session import Session
from pise_core.document import Document
from pise_core.document.paint import PaintLayer
from pise_core.document.references import checked_styles, checked_wear
from pise_core.parsing_files import doubted_parsing
from pise_core.pose_files import PoseFile
from pise_core.rendering.recolour import Recolour, checked_recolours

#: What is said of a thing that was painted, by what it goes with.
_GOES_WITH = {
    "left_hand": "It goes with the left hand; choose otherwise under Pose.",
    "right_hand": "It goes with the right hand; choose otherwise under Pose.",
    "stays": "It stays where it is when the arms move; choose otherwise under Pose.",
}
#: A painted layer without a stroke and with it.
Stroke = tuple[PaintLayer | None, PaintLayer | None]
#: By region: the ids of references with their weights, how its colours change, and the id of whose garment is worn.
Styles = Mapping[str, Mapping[str, float]]
Recolours = Mapping[str, Recolour]
Wear = Mapping[str, str]


def set_pose(session: Session, pose: np.ndarray, sequence: int = 0) -> Outcome:
    """Set the wanted pose; what was painted goes along with the body."""
    session.need_document().set_pose(pose)
    session.edited(sequence, carried=True)
    return Outcome(changed=Changed.EDITS)


def hold(session: Session, carriers: Sequence[str], sequence: int = 0) -> Outcome:
    """Set what each held thing goes with."""
    session.need_document().hold(carriers)
    return _posed(session, sequence)


def paint_held(session: Session, marked: np.ndarray, erase: bool, sequence: int = 0) -> Outcome:
    """Paint something held over the photo where it is ``marked``, (h, w) bool of the working size, or erase there what
    is.

    Raises:
        InputError: if nothing is marked, or there are too many things.
    """
    goes_with = session.need_document().paint_held_at(marked, erase)
    return _posed(session, sequence, _GOES_WITH[goes_with] if goes_with else "")


def load_pose(session: Session, text: str, person: int | None = None, sequence: int = 0) -> Outcome:
    """Fit the pose in a file, ours or another program's, to the person; ``person`` says which one of it, the largest
    by default."""
    file = session.need_document().load_pose(text, person)
    posed = _posed(session, sequence, _chosen(file) if person is None else "")
    count = file.people(file.first())
    taken = file.prominent() if person is None else person
    return replace(posed, choice=(count, taken) if count > 1 else None)


def borrow_pose(engine: Engine, session: Session, path: Any, detector: str) -> Steps:
    """Fit the pose of somebody in another photo to the person."""
    document = session.need_document()
    yield Progress("Looking for the pose in that photo…")
    other = photo(path)
    people, note = engine.detectors.find(other, detector)
    document.fit_pose(engine.detectors.pose_of_first(other, people))
    return replace(_posed(session, note=note), warnings=told(note))


def paint(session: Session, stroke: Stroke, sequence: int = 0) -> Outcome:
    """Add a stroke of paint. Whoever painted may not know yet where the paint has gone with a new pose: only the stroke
    itself is taken over."""
    with session.lock:
        session.need_document().set_paint(*stroke)
        session.edited(sequence)
        session.painter_knows(stroke[1])
    return Outcome(changed=Changed.EDITS)


def set_regions(session: Session, parsing: np.ndarray, doubt: str = "") -> Outcome:
    """Set the map (H, W) of regions that is wanted in the pose of now; ``doubt`` is what its reader doubts of it."""
    session.need_document().set_regions(parsing)
    session.edited()
    return Outcome(warnings=told(doubt), changed=Changed.EDITS)


def retouch(session: Session, marked: np.ndarray, remove: bool, sequence: int = 0) -> Outcome:
    """Take away what is ``marked``, (h, w) bool of the working size: ``remove`` what is in front there, or heal the
    place.

    Raises:
        InputError: if nothing is marked, or somebody would be undressed.
    """
    session.need_document().retouch_at(marked, remove)
    session.edited(sequence)
    return Outcome(changed=Changed.EDITS)


def load_map(session: Session, name: str, data: bytes, table: str, sequence: int = 0) -> Outcome:
    """Set the map of regions that a file holds, as in :func:`set_regions`.

    Args:
        name: of the file, for messages.
        data: its bytes.
        table: whose labels it has, "regions" or a human parser's.

    Raises:
        InputError: if it is no map, or does not fit the photo.
    """
    height, width = session.need_document().photo.shape[:2]
    file = io.BytesIO(data)
    file.name = name[:200]
    parsing, doubt = doubted_parsing(file, (width, height), None if table == "regions" else table)
    session.need_document().set_regions(parsing)
    session.edited(sequence, note=f"{doubt}." if doubt else "")
    return Outcome(changed=Changed.EDITS)


def cut(session: Session, change: str, sequence: int = 0) -> Outcome:
    """Another cut of what is worn, one of :data:`pise_core.document.cuts.CUTS`.

    Raises:
        InputError: if there is nothing to be cut so.
    """
    session.need_document().cut(change)
    session.edited(sequence)
    return Outcome(changed=Changed.EDITS)


def set_looks(
    session: Session,
    styles: Styles | None = None,
    recolour: Recolours | None = None,
    wear: Wear | None = None,
    sequence: int = 0,
) -> Outcome:
    """Set all that is borrowed, has other colours or is worn of others; what is None stays as it is."""
    session.need_document().set_looks(styles, recolour, wear)
    session.edited(sequence)
    return Outcome(changed=Changed.EDITS)


def preview(
    session: Session,
    pose: np.ndarray | None = None,
    stroke: Stroke | None = None,
    styles: Styles | None = None,
    recolour: Recolours | None = None,
    wear: Wear | None = None,
) -> np.ndarray:
    """The picture (h, w, 3) uint8 at preview size with other edits than those of now; what is None is as it is."""
    document = session.need_document()
    edits = document.edits
    if pose is not None:
        edits = replace(edits, pose=document.wanted(pose))
    if stroke is not None:
        edits = replace(edits, paint=document.stroked(edits, *stroke))
    if styles is not None:
        edits = replace(edits, styles=checked_styles(styles, document.references))
    if recolour is not None:
        edits = replace(edits, recolour=checked_recolours(recolour))
    if wear is not None:
        edits = replace(edits, wear=checked_wear(wear, document.references))
    return document.preview(edits)


# ---- the history


def undo(session: Session, sequence: int = 0, within: bool = False) -> Outcome:
    """One step back, whatever kind of edit it was; before the first one, back to the photo before, unless it is to stay
    ``within`` this one."""
    if session.before is None or (session.document is not None and session.document.can_undo):
        return _travelled(session, Document.undo, sequence)
    if within:
        return Outcome("The Undo button leads back to the photo before.")
    session.bring_back()
    return _arrived(session, sequence)


def redo(session: Session, sequence: int = 0, within: bool = False) -> Outcome:
    """One step forward again; after the last one, to the photo that undo has left, unless as in :func:`undo`."""
    if not session.returned:
        return _travelled(session, Document.redo, sequence)
    if within:
        return Outcome("The Redo button leads to the photo after this one.")
    session.bring_forth()
    return _arrived(session, sequence)


def travel(session: Session, position: int, sequence: int = 0) -> Outcome:
    """Straight to a state of the document's history, by its index from 0, the photo as it was opened.

    Raises:
        InputError: if there is no such state.
    """
    session.need_document()
    return _travelled(session, lambda document: document.travel(position), sequence)


def start_over(session: Session, sequence: int = 0) -> Outcome:
    """Back to the photo as it was opened; this can be undone."""
    return _travelled(session, Document.start_over, sequence)


def _travelled(session: Session, step: Callable[[Document], bool], sequence: int) -> Outcome:
    document, removed = session.document, session.references.removed
    moved = document is not None and step(document)
    session.edited(sequence)
    if not moved:
        return Outcome("There is nothing more to undo or redo.")
    changed = Changed.EDITS | Changed.POSE | Changed.LOOKS | Changed.MOTION
    if session.references.removed != removed:
        changed |= Changed.REFERENCES
    return Outcome(changed=changed, sequence=sequence)


def _arrived(session: Session, sequence: int) -> Outcome:
    """Another photo takes the place of the one that was edited."""
    session.edited(sequence, note=f"Here is {session.name} again.")
    here = reopened(session)
    return replace(here, changed=here.changed | Changed.WEIGHTS)


def _posed(session: Session, sequence: int = 0, note: str = "") -> Outcome:
    known = sequence or session.made  # what the page has asked for later is newer
    session.edited(sequence, carried=True, note=note)
    return Outcome(changed=Changed.EDITS | Changed.POSE, sequence=known)


def _chosen(file: PoseFile) -> str:
    """What the user should know of a file of more than one pose; empty for others."""
    notes = []
    count = file.people(file.first())
    if count > 1:
        notes.append(f"The file shows {count} people; the largest was taken.")
    if file.frame_count > 1:
        notes.append(f"It holds {file.frame_count} pictures; load it under Motion to play them.")
    return sentences(notes)
