"""What the endpoints for programs answer: the state of the document, or a file."""

from typing import Any, NewType

from app.state.session import Session
from app.view import updates as view
from pise_core import pose as poses
from pise_core.errors import InputError

#: A file that the program gets: its path on the server.
Download = NewType("Download", str)
State = dict[str, Any]


def received(file: Any) -> str:
    """The path of an upload.

    Raises:
        InputError: if there is none.
    """
    if not isinstance(file, str):
        raise InputError("send a file; with gradio_client as handle_file(path)")
    return file


def carry_out(updates: view.Updates) -> view.Update:
    """Carry an action out; all of its updates in one."""
    whole: view.Update = {}
    for update in updates:
        for part, properties in update.items():
            whole.setdefault(part, {}).update(properties)
    return whole


def file_of(news: view.Update) -> Download:
    """The file that an action handed out.

    Raises:
        InputError: if there is none, because the user of the page has stopped it.
    """
    if "file" not in news.get("bar", {}):
        raise InputError("it was stopped, and nothing was saved")
    return Download(view.path_of(news["bar"]["file"]["url"]))


def state_of(session: Session, news: view.Update | None = None) -> State:
    """What an endpoint answers, with the note of an action that could not do all of what was wanted."""
    photo, document = session.need_photo(), session.document
    said = (news or {}).get("bar", {}).get("status", {})
    note = said.get("text", "") if said.get("kind") == "error" else ""
    state: State = {
        "session": session.token,
        "weights": session.weights,
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
    return state | {
        "chosen": document.chosen,
        "keypoints": poses.to_rows(document.pose_of(edits)),
        "regions": view.present(document.person.parsing),
        "styles": edits.styles,
        "recolour": {region: change.to_dict() for region, change in edits.recolour.items()},
        "motion": {"keys": [poses.to_rows(k) for k in motion.keys], "seconds": motion.seconds, "loop": motion.loop},
    }
