"""The pictures that follow an edit: at full size on the page, and the parts that it carries during a drag."""

from app.commands.outcome import sentences
from app.state.session import Session
from app.view import updates as view
from app.view.updates import Updates, rendering, status
from pise_core.document import Document, Edits
from pise_core.provenance import with_line

#: What became of the paint when the pose changed.
_TOLD = (
    "What you painted went along with the body.",
    "What you painted went along with the body; {:.0%} of it left the picture.",
)
_BEYOND = "Part of the pose lies beyond the photo: “Make room” lets the photo grow."


def render(session: Session) -> Updates:
    """Render the current edits at full size, and bring map and download up to date."""
    now = session.moment()
    if now is None:
        return
    document, edits = now.document, now.document.edits
    rendered = document.render(edits)
    shown = (
        view.as_opened(session, document) if document.untouched else view.picture(session, with_line(rendered.photo))
    )
    url = shown["url"]
    if session.document is not document:
        return
    # Said with the picture once more: what an older picture said last may have come after what the edit said.
    updates = {"result": view.result(url, now.number, now.edit)} | rendering(session)
    if not session.painter_is_told(edits):
        updates["regions"] = {"map": view.region_map(document, edits, now.number, now.edit)}
    if session.strip_is_stale(edits):
        session.strip, updates["textures"] = None, {"strip": False}
    yield updates

    def newest() -> bool:
        # Otherwise a newer picture is on its way, with parts of its own.
        return session.document is document and document.edits.looks_like(edits)

    if newest():
        layers = view.layers(session, now, edits, rendered, url)
        if newest():
            done = status("ok", _done(session, document, edits), session)
            room = document.leaves_photo
            yield {"pose": {"layers": layers, "room": room}, "download": view.download(rendered.photo)} | done


def prepare(session: Session) -> Updates:
    """After a document was opened: render its edits, or compute what the first preview needs."""
    now = session.moment()
    if now is None:
        return
    document, edits = now.document, now.document.edits
    if not document.untouched:
        yield from render(session)
        return
    rendered = document.render(edits)
    url = view.as_opened(session, document)["url"]
    layers = view.layers(session, now, edits, rendered, url)
    if session.document is not document:
        return
    yield {"pose": {"layers": layers}}
    document.sized(preview=True).make_ready()


def _done(session: Session, document: Document, edits: Edits) -> str:
    if document.untouched:
        return sentences(["This is the photo as it was.", session.note])
    notes = [session.note]
    if session.carried and edits.paint is not None:
        kept = document.paint_kept(edits)
        notes.insert(0, _TOLD[0] if kept > 0.98 else _TOLD[1].format(1 - kept))
    if document.leaves_photo:
        notes.append(_BEYOND)
    notes += [doubt.text for doubt in document.doubts(edits)]
    notes.append(session.once(document.person.editor.notice))
    return sentences(["Done.", *notes] if any(notes) else ["Done. Drag the line to compare."])
