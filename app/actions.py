"""What a user can do, one method each: a session goes in, updates of the page come out.

Every action is a generator of :data:`app.page.Update`. Nothing here knows Gradio, so that tests call it directly.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from app import checks, page, pise_file
from app.motion_actions import MotionActions
from app.page import Update, Updates, rendering, status
from app.paint import PaintLayer
from app.pise_file import SavedDocument, SavedPerson
from app.session import Edits, Found, Session
from app.texture_actions import TextureActions
from pise_core import pose as poses
from pise_core.errors import NobodyFound
from pise_core.images import read_image
from pise_core.retarget import retarget

#: What became of the paint when the pose changed.
_TOLD = (
    "What you painted went along with the body.",
    "What you painted went along with the body; {:.0%} of it left the picture.",
)


class Studio(TextureActions, MotionActions):
    """The actions, over one editor that all sessions share."""

    # ---- photo in

    def start(self, session: Session) -> Updates:
        """A page was opened: say who it is, for the live path; a page that was loaded anew gets its document back."""
        token = {"session": session.token}
        yield {"bar": token, "pose": token, "regions": token, "textures": token}
        if session.photo is None:
            return
        session.page_is_new()
        if session.person is None:
            yield page.unplaced(session) | _nobody(session)
        else:
            session.painter_is_told(session.edits)
            yield page.document(session) | _welcome_back(session)

    def open_file(self, session: Session, path: Any, detector: str, parser: str) -> Updates:
        """Open a file that the server put at ``path``: a photo, whose largest person is analysed, or a document."""
        yield status("busy", "Reading the file…", session)
        if pise_file.is_document(path):
            yield from self._open_document(session, pise_file.read(path))
        else:
            yield from self._open(session, read_image(str(path)), page.stem(path), detector, parser)

    def open_upload(self, session: Session, path: Any, detector: str, parser: str) -> Updates:
        """As :meth:`open_file`, and the server keeps no copy of the file."""
        try:
            yield from self.open_file(session, path, detector, parser)
        finally:
            Path(path).unlink(missing_ok=True)

    def _open_document(self, session: Session, saved: SavedDocument) -> Updates:
        count = 1 + len(saved.references)
        people = []
        for number, known in enumerate([saved.person, *(person for _, person in saved.references.values())], 1):
            yield status("busy", f"Opening the document: person {number} of {count}…", session)
            people.append(self.load().set_person(**known._asdict()))
        found = [Found(box) for box in saved.boxes]
        session.restore(saved.name, people[0], found, saved.chosen, saved.history, saved.position)
        for (key, (name, _)), person in zip(saved.references.items(), people[1:], strict=True):
            session.add_reference(name, person, key)
        session.painter_is_told(session.edits)
        yield page.document(session) | _welcome_back(session)

    def save(self, session: Session, value: Any) -> Updates:
        """Hand the whole document out as a ``.pise`` file: photo, person, references, edits and their history."""
        yield status("busy", "Packing the document…", session)
        history, position = session.history
        references = {key: (r.name, _saved(r.person)) for key, r in session.references.items()}
        boxes = [found.box for found in session.people]
        person = _saved(session.need_person())
        document = SavedDocument(session.name, person, boxes, session.chosen, references, history, position)
        yield page.file(session, pise_file.write(document), session.name, ".pise")
        yield status("ok", f"Saved as {session.name}.pise. Open that file to go on from here.", session)

    def analyse_again(self, session: Session, detector: str, parser: str) -> Updates:
        """Analyse the open photo anew, with the detectors chosen now."""
        yield from self._open(session, session.need_photo(), session.name, detector, parser)

    def _open(self, session: Session, photo: np.ndarray, name: str, detector: str, parser: str) -> Updates:
        yield status("busy", "Looking for people…", session)
        people, note = self._detectors.find(photo, detector)
        try:
            if not people:
                raise NobodyFound("nobody in sight")
            yield status("busy", "Analysing: joints and regions…", session)
            person, parser_note = self._detectors.analyse(photo, people[0], parser)
        except NobodyFound:  # a closer look may find that it was nobody after all
            session.open(photo, name, [])
            yield page.unplaced(session) | _nobody(session)
            return
        # Only now is the old document given up: an error above leaves it as it was.
        session.open(photo, name, people)
        session.set_person(person)
        yield page.document(session) | _ready(session, note or parser_note)

    def choose_person(self, session: Session, choice: Any, parser: str) -> Updates:
        """Edit another of the people found; ``choice`` is ``{"index": n}``."""
        index = checks.index(choice, len(session.people), "person in the photo")
        yield status("busy", f"Analysing person {index + 1}…", session)
        person, note = self._detectors.analyse(session.need_photo(), session.people[index], parser)
        session.set_person(person, index)
        yield page.document(session) | _ready(session, note)

    def place_person(self, session: Session, placed: Any, parser: str) -> Updates:
        """Analyse the photo with the pose that the user placed by hand."""
        photo, pose = session.need_photo(), checks.pose(placed)
        yield status("busy", "Analysing with your pose…", session)
        person, note = self._detectors.analyse(photo, Found(poses.bounding_box(pose), pose), parser)
        session.set_person(person)
        yield page.document(session) | _ready(session, note)

    # ---- edits

    def commit_pose(self, session: Session, value: Any) -> Updates:
        """The user let go of the skeleton; ``value`` is ``{"seq", "keypoints"}``."""
        session.saw(checks.sequence(value))
        self._take_pose(session, checks.edited_pose(session, value))
        yield rendering(session)

    def commit_paint(self, session: Session, value: Any) -> Updates:
        """A stroke has ended; ``value`` is ``{"seq", "labels", "before"}``, the layer with the stroke and without.

        The page may not know yet where the paint has gone with a new pose: only the stroke itself is taken over.
        """
        session.need_person()
        session.saw(checks.sequence(value))
        before, after = checks.stroke(session, value)
        with session.lock:
            session.note = ""
            session.commit(paint=PaintLayer.stroked(session.edits.paint, before, after))
            session.painter_knows(after)
        yield rendering(session)

    def undo(self, session: Session, value: Any) -> Updates:
        """One step back, whatever kind of edit it was."""
        session.saw(checks.sequence(value))
        yield _travelled(session, session.undo())

    def redo(self, session: Session, value: Any) -> Updates:
        """One step forward again."""
        session.saw(checks.sequence(value))
        yield _travelled(session, session.redo())

    def start_over(self, session: Session, value: Any) -> Updates:
        """Back to the photo as it was opened; this can be undone."""
        session.saw(checks.sequence(value))
        edited = not session.edits.none
        if edited:
            session.commit(pose=None, paint=None, styles={})
        yield _travelled(session, edited)

    def render(self, session: Session) -> Updates:
        """Render the current edits at full size, and bring map and download up to date."""
        if session.person is None:
            return
        edits, sequence = session.edits, session.sequence
        rendered = session.render(edits)
        url = page.picture(session, rendered.photo)["url"]
        updates: Update = {"result": page.result(session, url, sequence=sequence)}
        if not session.painter_is_told(edits):
            updates["regions"] = {"map": page.region_map(session, edits)}
        if session.strip_is_stale(edits):
            session.strip, updates["textures"] = None, {"strip": False}
        yield updates
        if session.edits is edits:  # else a newer render is on its way and prepares its own
            layers = page.layers(session, edits, rendered, url)
            yield {"pose": {"layers": layers}} | status("busy", "Preparing the download…", session)
            download = page.download(session, rendered.photo)
            yield {"download": download} | status("ok", _done(session), session)

    def prepare(self, session: Session) -> Updates:
        """After a document was opened: render its edits, or compute what the first preview needs."""
        if not session.edits.none:
            yield from self.render(session)
        elif session.person is not None:
            rendered = session.render(session.edits)
            url = page.picture(session, rendered.photo)["url"]
            yield {"pose": {"layers": page.layers(session, session.edits, rendered, url)}}
            nudged = session.person.pose.copy()
            nudged[poses.visible(nudged), 0] += 1
            session.render(Edits(nudged), preview=True)

    def live(self, session: Session, request: Any) -> dict[str, Any]:
        """A preview while the user drags: ``{"ok", "document", "seq", "image"}``, the image a JPEG data address.

        ``request`` holds any of ``keypoints``, ``labels`` and ``styles``; what it lacks is taken from the document.
        """
        session.need_person()
        document, sequence, edits = session.document, session.saw(checks.sequence(request)), session.edits
        pose, paint, styles = edits.pose, edits.paint, edits.styles
        if checks.field(request, "keypoints") is not None:
            pose = checks.edited_pose(session, request)
            paint, _ = session.paint_at(pose)
        if checks.field(request, "labels") is not None:
            paint = PaintLayer.stroked(paint, *checks.stroke(session, request))
        if checks.field(request, "styles") is not None:
            styles = checks.styles(session, request)
        image = session.render(Edits(pose, paint, styles), preview=True).photo
        return {"ok": True, "document": document, "seq": sequence, "image": page.data_address(image, 82)}

    # ---- poses from elsewhere

    def load_pose(self, session: Session, value: Any) -> Updates:
        """Take the pose of a file, in our JSON or OpenPose's; ``value`` is ``{"text"}``.

        A pose that was saved here for the same person is taken as it is, any other one is fitted to the person.
        """
        own, text = session.need_person().pose, checks.text(value)
        pose, _ = poses.from_json(text)
        made_here = json.loads(text).get("own") == poses.to_rows(own)
        self._take_pose(session, pose if made_here else retarget(own, pose))
        yield _posed(session)

    def borrow_pose(self, session: Session, path: Any, detector: str) -> Updates:
        """Fit the pose of somebody in another photo to the person."""
        try:
            session.need_person()
            yield status("busy", "Looking for the pose in that photo…", session)
            photo = read_image(str(path))
        finally:
            Path(path).unlink(missing_ok=True)  # an upload, of which the server keeps no copy
        people, _ = self._detectors.find(photo, detector)
        if not people:
            raise NobodyFound("nobody was found in that photo; try one that shows the whole person")
        pose = people[0].pose
        if pose is None:
            pose = self.load().analyze(photo, box=people[0].box).pose
        self._take_pose(session, retarget(session.need_person().pose, pose))
        yield _posed(session)

    @staticmethod
    def _take_pose(session: Session, pose: np.ndarray | None) -> None:
        painted = session.edits.paint is not None
        kept = session.commit_pose(pose)
        session.note = "" if not painted else _TOLD[0] if kept > 0.98 else _TOLD[1].format(1 - kept)


def _saved(person: Any) -> SavedPerson:
    return SavedPerson(person.photo, person.pose, person.parsing, person.framing)


def _nobody(session: Session) -> Update:
    return status("error", "No person found. Place the skeleton by hand, or try another photo.", session)


def _posed(session: Session) -> Update:
    session.next_sequence()
    return {"pose": {"pose": page.pose(session)}} | rendering(session)


def _welcome_back(session: Session) -> Update:
    if session.edits.none:
        return status("ok", "Your document is as you left it.", session)
    return rendering(session)


def _travelled(session: Session, moved: bool) -> Update:
    """After a step through the history: canvases and panels at once, the picture follows."""
    session.note = ""
    if not moved or session.person is None:
        return status("ok", "There is nothing more to undo or redo.", session)
    return {
        "pose": {"pose": page.pose(session)},
        "textures": {"styles": page.styles(session)},
        "motion": {"motion": page.motion(session)},
    } | rendering(session)


def _done(session: Session) -> str:
    if session.edits.none:
        return "This is the photo as it was."
    if session.note:
        return f"Done. {session.note}"
    return "Done. Drag the line over the result to compare."


def _ready(session: Session, note: str) -> Update:
    if note:
        return status("error", note, session)
    others = f" {len(session.people)} people found: choose whom to edit." if len(session.people) > 1 else ""
    return status("ok", f"Ready. Drag a joint to change the pose.{others}", session)
