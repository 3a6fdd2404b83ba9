"""What the endpoints for programs answer: the state of the document, or a file."""

from typing import Any, NewType

from app.commands.outcome import Changed, Outcome, Steps, finish, sentences
from app.state.session import Session
from app.state.uploads import SEND_IT
from pise_core import pose as poses
from pise_core.errors import InputError
from pise_core.regions import present

#: A file that the program gets: its path on the server.
Download = NewType("Download", str)
State = dict[str, Any]


def received(file: Any) -> str:
    """The path of an upload.

    Raises:
        InputError: if there is none.
    """
    if not isinstance(file, str):
        raise InputError(SEND_IT)
    return file


def file_of(outcome: Outcome) -> Download:
    """The file that an action made.

    Raises:
        InputError: if there is none, because the user of the page has stopped it.
    """
    if not outcome.file:
        raise InputError("it was stopped, and nothing was saved")
    return Download(outcome.file)


def _doubts(session: Session, outcome: Outcome) -> list[str]:
    """What may look wrong of an edit that was made."""
    document = session.document
    if document is None or Changed.EDITS not in outcome.changed:
        return []
    return [doubt.text for doubt in document.doubts()]


def state_of(session: Session, outcome: Outcome | Steps | None = None) -> State:
    """What an endpoint answers: the state after an action, and why not all went as it was wanted."""
    if outcome is not None and not isinstance(outcome, Outcome):
        outcome = finish(outcome)
    photo, document = session.need_photo(), session.document
    note = "" if outcome is None else sentences((*outcome.warnings, *_doubts(session, outcome)))
    state: State = {
        "session": session.token,
        "weights": session.weights,
        "background": session.background,
        "size": [photo.shape[1], photo.shape[0]],
        "people": [[round(float(v), 1) for v in found.box] for found in session.people],
        "references": {key: reference.name for key, reference in session.references.items()},
        "undo": session.can_undo,
        "redo": session.can_redo,
        "note": note if document else "No person was found in the photo: call place_person, or try another photo.",
    }
    if document is None:
        return state
    edits, motion = document.edits, document.edits.motion
    steps, position = document.steps
    return state | {
        "history": steps,
        "position": position,
        "chosen": document.chosen,
        "keypoints": poses.to_rows(document.pose_of(edits)),
        "held": document.held,
        "regions": present(document.person.parsing),
        "styles": edits.styles,
        "wear": edits.wear,
        "recolour": {region: change.to_dict() for region, change in edits.recolour.items()},
        "motion": {
            "keys": [poses.to_rows(k) for k in motion.keys],
            "seconds": motion.seconds,
            "loop": motion.loop,
            "times": motion.times,
            "easing": motion.easing,
        },
    }
