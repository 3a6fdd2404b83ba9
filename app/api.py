"""The studio for programs: documented endpoints over the same sessions.

They cover opening and saving a document, references, pose, regions, styles, motion and the history. Choosing or placing
a person, borrowing a pose from a photo, garments on their own, saving a look, strips, the removal of a reference and
other detectors are the page's alone.

A client of ``gradio_client`` has a document of its own, which goes when the client does. What the endpoints do is what
:mod:`app.actions` does; they answer with the state of the document instead of updates of the page.
"""

import functools
import logging
from collections.abc import Callable
from typing import Any

import gradio as gr

from app import checks, detectors, page
from app.actions import Studio
from app.registry import Sessions
from app.session import Session
from pise_core import pose as poses
from pise_core.errors import InputError
from pise_core.images import encode_parsing, read_parsing

log = logging.getLogger(__name__)


class Programs:
    """The endpoints; each takes the session and what the program sent, and returns what it gets."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def open_file(self, session: Session, file: Any) -> dict[str, Any]:
        """Open a photo, whose largest person is analysed, or a saved .pise document."""
        _run(self._studio.open_upload(session, _sent(file), detectors.BUILT_IN, detectors.BUILT_IN))
        return _state(session)

    def add_reference(self, session: Session, file: Any) -> dict[str, Any]:
        """Take a photo of somebody, or a saved look, as a reference for styles. Its id is the last one listed."""
        before = set(session.references)
        _run(self._studio.add_uploads(session, [_sent(file)], detectors.BUILT_IN, detectors.BUILT_IN))
        if set(session.references) == before:
            raise InputError("nobody was found in that reference; choose a photo of somebody who wears the garment")
        return _state(session)

    def set_pose(self, session: Session, keypoints: Any) -> dict[str, Any]:
        """Set the pose: 18 rows [x, y, score] in pixels of the photo, or null where a joint is missing."""
        _run(self._studio.commit_pose(session, {"keypoints": keypoints}))
        return _state(session)

    def load_pose(self, session: Session, text: str) -> dict[str, Any]:
        """Fit a pose, given as the text of an OpenPose JSON file, to the person."""
        _run(self._studio.load_pose(session, {"text": text}))
        return _state(session)

    def set_regions(self, session: Session, file: Any) -> dict[str, Any]:
        """Set the map of regions: a PNG of mode P or L and of the photo's size, indices 0 to 7."""
        with checks.upload(_sent(file)):
            document = session.need_document()
            document.set_regions(read_parsing(file, document.photo.shape[:2]))
        return _state(session)

    def set_styles(self, session: Session, styles: Any) -> dict[str, Any]:
        """Set what is borrowed: {region: {id of a reference: weight}}, the weights of a region at most 1 in all."""
        _run(self._studio.commit_styles(session, {"styles": styles}))
        return _state(session)

    def set_motion(self, session: Session, motion: Any) -> dict[str, Any]:
        """Set the key poses: {"keys": [18 rows each, ...], "seconds": from one to the next, "loop": true or false}."""
        _run(self._studio.commit_motion(session, {"motion": motion}))
        return _state(session)

    def motion(self, session: Session, text: str) -> str:
        """The motion as a file, small; the text is gif or mp4."""
        news = _run(self._studio.save_motion(session, {"format": text}))["bar"]["file"]
        return news["url"].removeprefix("/gradio_api/file=")

    def undo(self, session: Session) -> dict[str, Any]:
        """One step back."""
        _run(self._studio.undo(session, {}))
        return _state(session)

    def redo(self, session: Session) -> dict[str, Any]:
        """One step forward again."""
        _run(self._studio.redo(session, {}))
        return _state(session)

    def start_over(self, session: Session) -> dict[str, Any]:
        """Back to the photo as it was opened; this can be undone."""
        _run(self._studio.start_over(session, {}))
        return _state(session)

    def result(self, session: Session) -> str:
        """The edited photo at full size, a PNG."""
        return page.download(session, session.need_document().render().photo)["value"]

    def regions(self, session: Session) -> str:
        """The regions of the result at full size, a PNG of mode P."""
        return session.save(encode_parsing(session.need_document().render().parsing), "regions", ".png", keep=2)

    def save_document(self, session: Session) -> str:
        """The document as a .pise file."""
        news = _run(self._studio.save(session, {}))["bar"]["file"]
        return news["url"].removeprefix("/gradio_api/file=")


def _sent(file: Any) -> str:
    if not isinstance(file, str):
        raise InputError("send a file; with gradio_client as handle_file(path)")
    return file


def _run(updates: page.Updates) -> dict[str, dict[str, Any]]:
    """Carry an action out; all of its updates in one."""
    whole: dict[str, dict[str, Any]] = {}
    for update in updates:
        for part, properties in update.items():
            whole.setdefault(part, {}).update(properties)
    return whole


def _state(session: Session) -> dict[str, Any]:
    document = session.document
    if document is None:
        raise InputError("no person was found in the photo; set one up on the page, or try another photo")
    edits, photo = document.edits, document.photo
    return {
        "size": [photo.shape[1], photo.shape[0]],
        "keypoints": poses.to_rows(document.pose_of(edits)),
        "regions": page.present(document.person.parsing),
        "styles": edits.styles,
        "references": {key: reference.name for key, reference in session.references.items()},
        "undo": document.can_undo,
        "redo": document.can_redo,
    }


def add_endpoints(studio: Studio, sessions: Sessions) -> None:
    """Add the endpoints to the blocks that are being built."""
    programs = Programs(studio)
    with gr.Column(visible=False):
        file = gr.File(label="file", type="filepath")
        given, text = gr.JSON(label="json"), gr.Textbox(label="text")
        state, out = gr.JSON(label="state"), gr.File(label="file")
        button = gr.Button()

    def endpoint(function: Callable[..., Any], inputs: list[Any], output: Any, line: str = "gpu") -> None:
        @functools.wraps(function)
        def answer(request: gr.Request, *sent: Any) -> Any:
            try:
                return function(sessions.of(request.session_hash or ""), *sent)
            except InputError as error:
                raise gr.Error(str(error), print_exception=False) from None
            except Exception:
                log.exception("%s failed", function.__name__)
                raise gr.Error("something went wrong on the server", print_exception=False) from None

        # Gradio looks at the signature for the request, and must not see the wrapped one's.
        del answer.__wrapped__
        answer.__annotations__ = {"request": gr.Request}
        button.click(
            answer, inputs, output, api_name=function.__name__, api_description=function.__doc__,
            concurrency_id=line, show_progress="hidden",
        )  # fmt: skip

    for function in (programs.open_file, programs.add_reference, programs.set_regions):
        endpoint(function, [file], state)
    for function in (programs.set_pose, programs.set_styles, programs.set_motion):
        endpoint(function, [given], state)
    endpoint(programs.load_pose, [text], state)
    endpoint(programs.motion, [text], out, line="motion")  # takes long, and nobody else waits for it
    for function in (programs.undo, programs.redo, programs.start_over):
        endpoint(function, [], state)
    for function in (programs.result, programs.regions, programs.save_document):
        endpoint(function, [], out)
