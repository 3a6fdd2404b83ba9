"""What the page asks for, one method for each of its events: what it sent is parsed, a command is carried out, and the
outcome is shown.

Every action is a generator of :data:`app.view.updates.Update`. Nothing here knows Gradio, so that tests call it
directly.
"""

import base64
from typing import Any

from app.commands import batch, edits, motion, opening, references, saving
from app.commands.outcome import Outcome, Steps, sentence
from app.state import uploads
from app.state.detectors import BACKGROUNDS
from app.state.models import Engine
from app.state.session import EXPIRED, Session
from app.values import KEPT_LIMIT, field, index, one_of
from app.view import events, many_photos, pictures
from app.view import updates as view
from app.view.outcomes import progress_of, shown
from app.view.thumbnails import data_address
from app.view.updates import Update, Updates, status
from pise_core.document.document import STEPS
from pise_core.document.file_writer import write, write_edits
from pise_core.errors import InputError
from pise_core.model.turns import Kind, working_for
from pise_core.provenance import with_line


class Studio(Engine):
    """The page's actions, over the editors that all sessions share.

    ``value`` is what the browser sent. An edit has ``seq``, its order number, beside what is named here.
    """

    def _shown(self, session: Session, work: Outcome | Steps) -> Updates:
        return shown(session, work, self.weights)

    # ---- a page comes, and what it waits for

    def start(self, session: Session, value: Any = None) -> Updates:
        """A page was opened: say who it is, for the live path; a page that was reloaded, and names its session with
        ``{"session"}``, gets its document back."""
        yield self.introduce(session)
        if session.photo is not None:
            session.page_is_new()
            yield from self._shown(session, opening.reopened(session))
        elif field(value, "session") not in (None, session.token):
            raise InputError(EXPIRED)

    def introduce(self, session: Session) -> Update:
        """Who the page is, and what pictures can be made with."""
        chosen = view.chosen(self.weights, session)
        return chosen | {"bar": {"session": session.token} | chosen["bar"]}

    def fetch(self, session: Session, *chosen: Any) -> Updates:
        """Before a photo is looked at: download what is ``chosen`` for that and isn't here yet."""
        yield from self._shown(session, opening.fetch(self, chosen))

    def stop(self, session: Session, value: Any) -> Updates:
        """The user has had enough of what takes so long."""
        yield from self._shown(session, opening.stop(session))

    # ---- photos and documents

    def open_file(self, session: Session, path: Any, detector: str, parser: str) -> Updates:
        """Open a file that the server put at ``path``: a photo, whose largest person is analysed, or a document."""
        yield from self._shown(session, opening.open_file(self, session, path, detector, parser))

    def open_upload(self, session: Session, path: Any, detector: str, parser: str) -> Updates:
        """As :meth:`open_file`, and the server keeps no copy of the file."""
        with uploads.read_once(path):
            yield from self.open_file(session, path, detector, parser)

    def choose_weights(self, session: Session, value: Any) -> Updates:
        """Go on with other weights; ``{"name"}``."""
        name = one_of(events.Weights.of(value).name, self.weights, "weights")
        try:
            yield from self._shown(session, opening.choose_weights(self, session, name))
        except InputError:
            yield view.chosen(self.weights, session)  # the menu shows what could not be loaded
            raise

    def choose_background(self, session: Session, value: Any) -> Updates:
        """Go on with another background behind people, by its name."""
        name = one_of(value, BACKGROUNDS, "background")
        try:
            yield from self._shown(session, opening.choose_background(self, session, name))
        except InputError:
            yield view.chosen(self.weights, session)
            raise

    def analyse_again(self, session: Session, detector: str, parser: str) -> Updates:
        """Analyse the open photo again, with the detectors chosen now."""
        yield from self._shown(session, opening.analyse_again(self, session, detector, parser))

    def choose_person(self, session: Session, value: Any, parser: str) -> Updates:
        """Edit another of the people found; ``{"index"}``."""
        chosen = index(events.Chosen.of(value).index, len(session.people), "person in the photo")
        yield from self._shown(session, opening.choose_person(self, session, chosen, parser))

    def place_person(self, session: Session, value: Any, parser: str) -> Updates:
        """Analyse the photo with joints that the user placed by hand; ``{"keypoints", "anyway"}``."""
        session.need_photo()
        sent = events.Placed.of(value)
        yield from self._shown(session, opening.place_person(self, session, sent.keypoints, parser, sent.anyway))

    # ---- edits

    def commit_pose(self, session: Session, value: Any) -> Updates:
        """The user let go of the skeleton; ``{"keypoints"}``."""
        session.need_document()
        sent = events.Posed.of(value)
        yield from self._shown(session, edits.set_pose(session, sent.keypoints, sent.seq))

    def hold(self, session: Session, value: Any) -> Updates:
        """What held things go with was chosen; ``{"held": a carrier for each}``."""
        session.need_document()
        sent = events.Holding.of(value)
        yield from self._shown(session, edits.hold(session, sent.held, sent.seq))

    def make_room(self, session: Session, value: Any) -> Updates:
        """Let the photo grow where the wanted pose leaves it."""
        yield from self._shown(session, opening.make_room(session, events.Sent.of(value).seq))

    def load_pose(self, session: Session, value: Any) -> Updates:
        """Take the pose of a file; ``{"text"}``, or ``{"text", "person"}``."""
        session.need_document()
        sent = events.PoseFile.of(value)
        yield from self._shown(session, edits.load_pose(session, sent.text, sent.person, sent.seq))

    def borrow_pose(self, session: Session, path: Any, detector: str) -> Updates:
        """Fit the pose of somebody in another photo to the person; the server keeps no copy of the file."""
        with uploads.read_once(path):
            yield from self._shown(session, edits.borrow_pose(self, session, path, detector))

    def commit_paint(self, session: Session, value: Any) -> Updates:
        """A stroke has ended; ``{"labels", "before"}``, the layer with the stroke and without."""
        document = session.need_document()
        sent = events.Painted.of(value)
        stroke = sent.stroke(document)
        try:
            yield from self._shown(session, edits.paint(session, stroke, sent.seq))
        except InputError:  # the stroke is on the page's map already
            yield {"regions": {"map": view.region_map(document, document.edits, session.number, sent.seq)}}
            raise

    def retouch(self, session: Session, value: Any) -> Updates:
        """Places were marked, ``{"labels", "remove"}``: they are healed, or what is in front there is removed."""
        document = session.need_document()
        sent = events.Retouched.of(value)
        yield from self._shown(session, edits.retouch(session, sent.marked(document), sent.remove, sent.seq))

    def paint_held(self, session: Session, value: Any) -> Updates:
        """Something held was marked over the photo, ``{"labels", "erase"}``."""
        document = session.need_document()
        sent = events.PaintedHeld.of(value)
        try:
            yield from self._shown(session, edits.paint_held(session, sent.marked(document), sent.erase, sent.seq))
        except InputError:  # the stroke is on the page's photo already
            yield {"regions": {"map": view.region_map(document, document.edits, session.number, sent.seq)}}
            raise

    def load_map(self, session: Session, value: Any) -> Updates:
        """Take the map of a file; ``{"name", "table", "data"}``, the last its bytes as base64."""
        session.need_document()
        sent = events.MapFile.of(value)
        yield from self._shown(session, edits.load_map(session, sent.name, sent.data, sent.table, sent.seq))

    def cut(self, session: Session, value: Any) -> Updates:
        """Long or short sleeves, a longer or a shorter skirt; ``{"change"}``."""
        session.need_document()
        sent = events.Cut.of(value)
        yield from self._shown(session, edits.cut(session, sent.change, sent.seq))

    def commit_styles(self, session: Session, value: Any) -> Updates:
        """A slider was let go of, another reference or a colour chosen; ``{"styles", "recolour", "wear"}``, of which
        any may be missing and stays as it is."""
        sent = events.Looks.of(value)
        yield from self._shown(session, edits.set_looks(session, sent.styles, sent.recolour, sent.wear, sent.seq))

    def undo(self, session: Session, value: Any) -> Updates:
        """One step back; to the photo before only without ``{"within": true}``."""
        sent = events.History.of(value)
        yield from self._shown(session, edits.undo(session, sent.seq, sent.within))

    def redo(self, session: Session, value: Any) -> Updates:
        """One step forward again; ``value`` as for :meth:`undo`."""
        sent = events.History.of(value)
        yield from self._shown(session, edits.redo(session, sent.seq, sent.within))

    def travel(self, session: Session, value: Any) -> Updates:
        """Straight to a step of the history; ``{"position"}``, 0 for the photo as it was opened."""
        steps, _ = session.need_document().steps
        sent = events.Travel.of(value)
        position = index(sent.position, len(steps) + 1, "step")
        yield from self._shown(session, edits.travel(session, position, sent.seq))

    def start_over(self, session: Session, value: Any) -> Updates:
        """Back to the photo as it was opened; this can be undone."""
        yield from self._shown(session, edits.start_over(session, events.Sent.of(value).seq))

    # ---- pictures

    def render(self, session: Session) -> Updates:
        """Render the current edits at full size, and bring map and download up to date."""
        return pictures.render(session)

    def prepare(self, session: Session) -> Updates:
        """After a document was opened: render its edits, or compute what the first preview needs."""
        return pictures.prepare(session)

    def live(self, session: Session, request: Any) -> dict[str, Any]:
        """A preview while the user drags: ``{"ok", "document", "seq", "image"}``, the image a JPEG data address.

        ``request`` holds any of ``keypoints``, ``labels``, ``styles``, ``recolour``, ``wear``; what it lacks is taken
        from the document. One for another document than that of now is not answered, ``{"ok": False}``.
        """
        number, document, sent = session.number, session.need_document(), events.Wanted.of(request)
        if sent.document not in (0, number):
            return {"ok": False}
        sequence = session.saw(sent.seq)
        stroke = None if sent.labels is None else sent.stroke(document)
        with working_for(Kind.DRAG):
            image = edits.preview(session, sent.keypoints, stroke, sent.styles, sent.recolour, sent.wear)
        return {"ok": True, "document": number, "seq": sequence, "image": data_address(with_line(image), 82)}

    # ---- references

    def add_references(self, session: Session, paths: Any, detector: str, parser: str) -> Updates:
        """Take files as references: photos of people, documents or saved looks; a photo of a garment is asked about."""
        paths = paths if isinstance(paths, list) else [paths]
        yield from self._shown(session, references.add_references(self, session, paths, detector, parser))

    def add_uploads(self, session: Session, paths: Any, detector: str, parser: str) -> Updates:
        """As :meth:`add_references`, and the server keeps no copy of the files."""
        with uploads.read_once(*(paths if isinstance(paths, list) else [paths])):
            yield from self.add_references(session, paths, detector, parser)

    def use_garment(self, session: Session, value: Any) -> Updates:
        """A garment in a photo that nobody wears it in; ``{"garment": id, "box", "region"}``, the box in shares."""
        sent = events.MarkedGarment.of(value)
        yield from self._shown(session, references.use_garment(self, session, sent.garment, sent.box, sent.region))

    def somebody_wears_it(self, session: Session, value: Any, parser: str) -> Updates:
        """A photo that waits as a garment's shows a person; ``{"garment": id, "box"}``, the box in shares."""
        sent = events.WornGarment.of(value)
        yield from self._shown(session, references.somebody_wears_it(self, session, sent.garment, sent.box, parser))

    def redeclare(self, session: Session, value: Any, parser: str) -> Updates:
        """A reference was taken for a person and is a garment, or the other way round; ``{"reference": id}``."""
        sent = events.Reference.of(value)
        key, sequence = sent.reference, sent.seq
        reference = session.references.get(key)
        if reference is not None and references.is_garment(reference):
            yield from self._shown(session, references.to_person(self, session, key, parser, sequence))
        else:
            yield from self._shown(session, references.to_garment(session, key, sequence))

    def cancel_garment(self, session: Session, value: Any) -> Updates:
        """The photo of a garment is not wanted after all, and forgotten; ``{"garment": id}``."""
        yield from self._shown(session, references.cancel_garment(session, events.WaitingGarment.of(value).garment))

    def remove_reference(self, session: Session, value: Any) -> Updates:
        """Remove a reference and what is borrowed from it; ``{"reference": id}``."""
        sent = events.Reference.of(value)
        yield from self._shown(session, references.remove_reference(session, sent.reference, sent.seq))

    def strip(self, session: Session, value: Any) -> Updates:
        """Steps from the own look to a reference's, side by side; ``{"region", "reference"}``."""
        document = session.need_document()
        sent = events.Mix.of(value)
        region, reference = sent.region, one_of(sent.reference, tuple(document.references), "reference")
        outcome = yield from progress_of(session, references.steps_of_mix(session, region, reference))
        strip = [view.step(document, picture) for picture in outcome.pictures]
        news = {"region": region, "reference": reference, "weights": STEPS, "pictures": strip}
        yield {"textures": {"strip": news}} | status("ok", outcome.note, session)

    # ---- motion

    def commit_motion(self, session: Session, value: Any) -> Updates:
        """Key poses were added, moved or taken away, or the pace was changed; ``{"motion"}``, or ``{"text"}`` with the
        contents of a file of poses, such as a clip's."""
        document, sequence = session.need_document(), events.Sent.of(value).seq
        if field(value, "text") is not None:
            text = events.MotionFile.of(value).text
            yield from self._shown(session, motion.load_motion(session, text, sequence))
            return
        try:
            outcome = motion.set_motion(session, events.Moved.of(value).motion, sequence)
        except InputError:
            # The page shows what was refused.
            yield {"motion": {"motion": view.motion(document, sequence or session.made)}}
            raise
        yield from self._shown(session, outcome)

    def follow_clip(self, session: Session, path: Any) -> Updates:
        """Make key poses of the person in a video; the server keeps no copy of the file."""
        with uploads.read_once(path):
            try:
                yield from self._shown(session, motion.follow_clip(self, session, path))
            except Exception:
                yield {"motion": {"progress": False}}
                raise
            yield {"motion": {"progress": False}}

    def save_motion(self, session: Session, value: Any) -> Updates:
        """Render the motion, and hand it out; ``{"format", "size"}``, gif or mp4 and small or large."""
        sent = events.MotionPictures.of(value)
        suffix, side = f".{sent.format}", motion.SIDES[sent.size]
        session.need_document()
        try:
            yield from self._shown(session, motion.save_motion(self, session, suffix, side))
        except Exception:
            yield {"motion": {"progress": False}}
            raise
        yield {"motion": {"progress": False}}

    def stop_motion(self, session: Session, value: Any) -> Updates:
        """Give up rendering the motion."""
        yield from self._shown(session, motion.stop_motion(session))

    # ---- many photos

    def edit_photos(self, session: Session, paths: Any) -> Updates:
        """Edit other photos as this one is edited; the server keeps no copy of the files."""
        paths = paths if isinstance(paths, list) else [paths]
        with uploads.read_once(*paths):
            yield from many_photos.shown(session, batch.edit_photos(self, session, paths))

    # ---- files

    def download(self, session: Session) -> Updates:
        """Hand out the picture as it is wanted now: a PNG at full size, and noted as edited in it."""
        yield from self._shown(session, saving.save_picture(session))

    def save_as(self, session: Session, value: Any) -> Updates:
        """Make a file of the picture as it is wanted now; ``{"format", "quality", "cut_out", "use"}``, of which the
        last is for the page to know what it wanted the file for."""
        sent = events.PictureFile.of(value)
        making = saving.save_picture(session, f".{sent.format}", sent.quality, sent.cut_out)
        outcome = yield from progress_of(session, making)
        news = view.file(outcome.file)["file"] | {"use": sent.use}
        yield {"result": {"file": news}} | status("ok", outcome.note, session)

    def save(self, session: Session, value: Any) -> Updates:
        """Take the whole document down as it is now; :meth:`pack` hands it out as a ``.pise`` file."""
        yield from self._shown(session, saving.take_down_document(session))

    def save_look(self, session: Session, value: Any) -> Updates:
        """Take one region's look down as it is now, ``{"region"}``; :meth:`pack` hands it out as a small document, to
        be added as a reference."""
        session.need_document()
        region = events.Region.of(value).region
        yield from self._shown(session, saving.take_down_look(session, region))

    def pack(self, session: Session) -> Updates:
        """Hand out what was to be saved. It takes a while, and later edits need not wait for it."""
        while True:
            try:
                packed = saving.pack(session)
            except InputError as error:  # what waits behind it is packed all the same
                yield status("error", sentence(str(error)), session)
            else:
                if packed is None:
                    return
                yield from self._shown(session, packed)

    # ---- work that the visitor's browser keeps, if the visitor wants that

    def keep(self, session: Session, value: Any) -> Updates:
        """Hand out the edits as they are now, and the pictures that they are made on unless the browser has them
        already, ``{"have": key}``."""
        if session.document is None:
            return
        contents = session.document.contents()
        key = f"{session.number}-{'-'.join(contents.references)}"
        have = events.Keep.of(value).have
        try:
            news = {"key": key, "name": contents.name, "edits": base64.b64encode(write_edits(contents)).decode()}
            if len(news["edits"]) > KEPT_LIMIT:
                raise InputError("there are more edits than a browser can keep; save the document")
            if have != key:
                news["base"] = view.address(session.save(write(contents), "kept", ".pise", keep=2))
        except InputError as error:
            news = {"key": "", "error": sentence(str(error))}
        yield {"keeping": {"kept": view.numbered(news)}}

    def restore(self, session: Session, value: Any) -> Updates:
        """Open what a browser has kept: ``{"file", "edits"}``, an upload with the pictures, and the edits as text."""
        path = uploads.received(field(value, "file"))
        with uploads.read_once(path):
            yield from self._shown(session, opening.open_kept(self, session, path, events.Kept.of(value).edits))
