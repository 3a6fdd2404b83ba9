"""What a user can do, one method each: a session goes in, updates of the page come out.

Every action is a generator of :data:`app.view.updates.Update`. Nothing here knows Gradio, so that tests call it
directly.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.commands import validation
from app.commands.keeping import KeepingActions
from app.commands.motion import MotionActions
from app.commands.textures import TextureActions
from app.state.session import Session
from app.view import updates as view
from app.view.thumbnails import data_address
from app.view.updates import Update, Updates, rendering, status
from pise_core import pose as poses
from pise_core.document import Document, Edits
from pise_core.document.file_writer import write
from pise_core.document.references import checked_styles
from pise_core.errors import InputError
from pise_core.images import encode_image
from pise_core.pose_files import PoseFile
from pise_core.rendering.recolour import checked_recolours

#: What became of the paint when the pose changed.
_TOLD = (
    "What you painted went along with the body.",
    "What you painted went along with the body; {:.0%} of it left the picture.",
)
_BEYOND = "Part of the pose lies beyond the photo, and is cut off there."


class Studio(KeepingActions, TextureActions, MotionActions):
    """The actions, over one editor that all sessions share."""

    def save(self, session: Session, value: Any) -> Updates:
        """Take the whole document down as it is now; :meth:`pack` hands it out as a ``.pise`` file."""
        contents = session.need_document().contents()
        session.packing.append((lambda: contents, "Open that file to go on from here."))
        yield status("busy", "Packing the document…", session)

    def pack(self, session: Session) -> Updates:
        """Hand out what was to be saved. It takes a while, and later edits need not wait for it."""
        while True:
            try:
                make, use = session.packing.popleft()
            except IndexError:
                return
            try:
                saved = make()
                yield view.file(session, write(saved), saved.name, ".pise")
            except InputError as error:  # what waits behind it is packed all the same
                yield status("error", view.sentence(str(error)), session)
            else:
                yield status("ok", f"Saved as {saved.name}.pise. {use}", session)

    # ---- edits

    def commit_pose(self, session: Session, value: Any) -> Updates:
        """The user let go of the skeleton; ``value`` is ``{"seq", "keypoints"}``."""
        sequence, document = validation.sequence(value), session.need_document()
        document.set_pose(validation.pose(value))
        session.edited(sequence, carried=True)
        yield rendering(session)

    def commit_paint(self, session: Session, value: Any) -> Updates:
        """A stroke has ended; ``value`` is ``{"seq", "labels", "before"}``, the layer with the stroke and without.

        The page may not know yet where the paint has gone with a new pose: only the stroke itself is taken over.
        """
        sequence, document = validation.sequence(value), session.need_document()
        before, after = validation.stroke(document, value)
        with session.lock:
            document.set_paint(before, after)
            session.edited(sequence)
            session.painter_knows(after)
        yield rendering(session)

    def undo(self, session: Session, value: Any) -> Updates:
        """One step back, whatever kind of edit it was; before the first one, back to the photo before, unless ``value``
        has ``"within": true``."""
        if session.before is None or (session.document is not None and session.document.can_undo):
            yield _travelled(session, value, Document.undo)
        elif validation.field(value, "within") is True:
            yield status("ok", "The Undo button leads back to the photo before.", session)
        else:
            session.bring_back()
            yield from self._arrive(session, value)

    def redo(self, session: Session, value: Any) -> Updates:
        """One step forward again; after the last one, to the photo that undo has left, unless as in :meth:`undo`."""
        if session.after is None or (session.document is not None and session.document.can_redo):
            yield _travelled(session, value, Document.redo)
        elif validation.field(value, "within") is True:
            yield status("ok", "The Redo button leads to the photo after this one.", session)
        else:
            session.bring_forth()
            yield from self._arrive(session, value)

    def start_over(self, session: Session, value: Any) -> Updates:
        """Back to the photo as it was opened; this can be undone."""
        yield _travelled(session, value, Document.start_over)

    def _arrive(self, session: Session, value: Any) -> Updates:
        """Another photo takes the place of the one on the page."""
        session.edited(validation.sequence(value), note=f"Here is {session.name} again.")
        yield {"bar": view.weights(self.weights, session.weights)}
        yield from self.come_back(session)

    def render(self, session: Session) -> Updates:
        """Render the current edits at full size, and bring map and download up to date."""
        now = session.moment()
        if now is None:
            return
        document, edits = now.document, now.document.edits
        rendered = document.render(edits)
        shown = view.as_opened(session, document) if edits.none else view.picture(session, rendered.photo)
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
                yield {"pose": {"layers": layers}, "download": view.download(rendered.photo)} | done

    def download(self, session: Session) -> Updates:
        """Hand out the picture as it is wanted now: a PNG at full size, and noted as edited in it."""
        document = session.need_document()
        yield status("busy", "Packing the picture…", session)
        data = encode_image(document.render().photo, ".png", edited=not document.edits.none)
        yield view.file(session, data, f"{session.name}-edited", ".png")
        yield status("ok", "Downloaded at full size, as a PNG.", session)

    def prepare(self, session: Session) -> Updates:
        """After a document was opened: render its edits, or compute what the first preview needs."""
        now = session.moment()
        if now is None:
            return
        document, edits = now.document, now.document.edits
        if not edits.none:
            yield from self.render(session)
            return
        rendered = document.render(edits)
        url = view.as_opened(session, document)["url"]
        layers = view.layers(session, now, edits, rendered, url)
        if session.document is not document:
            return
        yield {"pose": {"layers": layers}}
        document.sized(preview=True).make_ready()

    def live(self, session: Session, request: Any) -> dict[str, Any]:
        """A preview while the user drags: ``{"ok", "document", "seq", "image"}``, the image a JPEG data address.

        ``request`` holds any of ``keypoints``, ``labels``, ``styles`` and ``recolour``; what it lacks is taken from the
        document. One for another document than that of now is not answered, ``{"ok": False}``.
        """
        number, document = session.number, session.need_document()
        if validation.sequence(request, "document") not in (0, number):
            return {"ok": False}
        sequence, edits = session.saw(validation.sequence(request)), document.edits
        if validation.field(request, "keypoints") is not None:
            edits = replace(edits, pose=document.wanted(validation.pose(request)))
        if validation.field(request, "labels") is not None:
            edits = replace(edits, paint=document.stroked(edits, *validation.stroke(document, request)))
        if validation.field(request, "styles") is not None:
            edits = replace(edits, styles=checked_styles(request["styles"], document.references))
        if validation.field(request, "recolour") is not None:
            edits = replace(edits, recolour=checked_recolours(request["recolour"]))
        image = document.render(edits, preview=True).photo
        return {"ok": True, "document": number, "seq": sequence, "image": data_address(image, 82)}

    # ---- poses from elsewhere

    def load_pose(self, session: Session, value: Any) -> Updates:
        """Take the pose of a file, ours or another program's; ``value`` is ``{"text"}``, or ``{"text", "person"}``."""
        sequence, person = validation.sequence(value), validation.field(value, "person")
        if person is not None and type(person) is not int:
            raise InputError("which person of the file is meant is a whole number, from 0")
        file = session.need_document().load_pose(validation.text(value), person)
        yield _posed(session, sequence, _chosen(file) if person is None else "")

    def borrow_pose(self, session: Session, path: Any, detector: str) -> Updates:
        """Fit the pose of somebody in another photo to the person; the server keeps no copy of the file."""
        with validation.upload(path):
            document = session.need_document()
            yield status("busy", "Looking for the pose in that photo…", session)
            with validation.opened(path) as file:
                photo = validation.photo(file, documents=False)
        people, note = self._detectors.find(photo, detector)
        document.fit_pose(self._detectors.pose_of_first(photo, people))
        yield _posed(session, note=note)


def _chosen(file: PoseFile) -> str:
    """What the user should know of a file of more than one pose; empty for others."""
    notes = []
    count = file.people(file.first())
    if count > 1:
        notes.append(f"The file shows {count} people; the largest was taken.")
    if file.frame_count > 1:
        notes.append(f"It holds {file.frame_count} pictures; load it under Motion to play them.")
    return view.sentences(notes)


def _posed(session: Session, sequence: int = 0, note: str = "") -> Update:
    known = sequence or session.made  # what the page has asked for later is newer
    session.edited(sequence, carried=True, note=note)
    return {"pose": {"pose": view.pose(session.need_document(), known)}} | rendering(session)


def _travelled(session: Session, value: Any, step: Callable[[Document], bool]) -> Update:
    """A step through the history: canvases and panels at once, the picture follows."""
    sequence, document = validation.sequence(value), session.document
    removed = session.references.removed
    moved = document is not None and step(document)
    session.edited(sequence)
    if document is None or not moved:
        return status("ok", "There is nothing more to undo or redo.", session)
    textures: dict[str, Any] = {"styles": view.styles(document, sequence)}
    if session.references.removed != removed:
        textures["references"] = view.references(session)
    return {
        "pose": {"pose": view.pose(document, sequence)},
        "textures": textures,
        "motion": {"motion": view.motion(document, sequence)},
    } | rendering(session)


def _done(session: Session, document: Document, edits: Edits) -> str:
    if edits.none:
        return view.sentences(["This is the photo as it was.", session.note])
    notes = [session.note]
    if session.carried and edits.paint is not None:
        kept = document.paint_kept(edits)
        notes.insert(0, _TOLD[0] if kept > 0.98 else _TOLD[1].format(1 - kept))
    if edits.pose is not None:
        height, width = document.photo.shape[:2]
        seen = edits.pose[poses.visible(edits.pose), :2]
        if ((seen < 0) | (seen > (width, height))).any():
            notes.append(_BEYOND)
    return view.sentences(["Done.", *notes] if any(notes) else ["Done. Drag the line to compare."])
