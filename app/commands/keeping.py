"""Work that the visitor's browser keeps, if the visitor wants that: what it is given, and how it comes back."""

import base64
import binascii
from typing import Any

from app.commands import validation
from app.commands.opening import OpeningActions
from app.state import uploads
from app.state.session import Session
from app.view import updates as view
from app.view.updates import Updates, status
from pise_core.document.file_format import MAX_DOCUMENT_BYTES
from pise_core.document.file_reader import join
from pise_core.document.file_writer import write, write_edits
from pise_core.errors import InputError


class KeepingActions(OpeningActions):
    """The actions, over one editor that all sessions share."""

    def keep(self, session: Session, value: Any) -> Updates:
        """Hand out the edits as they are now, and the pictures that they are made on unless the browser has them
        already, ``{"have": key}``."""
        document = session.document
        if document is None:
            return
        contents = document.contents()
        key = f"{session.number}-{'-'.join(contents.references)}"
        try:
            news = {"key": key, "name": contents.name, "edits": base64.b64encode(write_edits(contents)).decode()}
            if validation.field(value, "have") != key:
                news["base"] = view.address(session.save(write(contents), "kept", ".pise", keep=2))
        except InputError as error:
            news = {"key": "", "error": view.sentence(str(error))}
        yield {"keeping": {"kept": view.numbered(news)}}

    def restore(self, session: Session, value: Any) -> Updates:
        """Open what a browser has kept: ``{"file", "edits"}``, an upload with the pictures, and the edits as text."""
        path = uploads.received(validation.field(value, "file"))
        with validation.upload(path):
            yield status("busy", "Bringing your work back…", session, stop=True)
            with validation.opened(path) as file:
                saved = join(file, _decoded(validation.field(value, "edits")))
        yield from self._open_document(session, saved)


def _decoded(text: Any) -> bytes:
    if not isinstance(text, str) or len(text) > MAX_DOCUMENT_BYTES:
        raise InputError("the edits did not come along; try again")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InputError("the edits are damaged; open the photo again") from None
