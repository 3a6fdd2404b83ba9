"""What programs can do: one method per endpoint, which takes a session and typed parameters, and returns what they get.

A method is given values that :mod:`app.api.mount` has parsed by the types of its parameters. It calls one of
:mod:`app.commands`, and answers with the state of the document, or with a file. :mod:`app.api.mount` makes endpoints of
the methods, and their parameters and docstrings are its reference.
"""

from typing import Literal, NewType

import numpy as np

from app.api.responses import Download, State, file_of, state_of
from app.commands import batch, edits, motion, opening, references, saving
from app.commands.outcome import finish
from app.commands.reading import mask, stem
from app.state import uploads
from app.state.models import Engine
from app.state.session import Session
from app.values import Carriers, GarmentName, Pose, PoseText, Recolours, RegionName, ShareBox, Styles, Wear, one_of
from app.values import index as numbered
from pise_core.document.edits import checked_motion
from pise_core.document.textures import likely_box
from pise_core.errors import InputError
from pise_core.images import encode_image, read_image
from pise_core.parsing_files import doubted_parsing

#: A file that the program sends: the path of an upload, which is not kept.
Upload = NewType("Upload", str)

Detector = Literal["Built-in", "OpenPose"]
Parser = Literal["Built-in", "SegFormer clothes"]
Background = Literal["Built-in", "LaMa"]
Table = Literal["regions", "atr", "lip", "cihp", "pascal", "fashn"]


class Programs:
    """The endpoints, over the editors that all sessions share."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # ---- photos and documents in

    def open_file(
        self, session: Session, file: Upload, detector: Detector = "Built-in", parser: Parser = "Built-in"
    ) -> State:
        """Open a photo, whose largest person is analysed, or a saved .pise document. The state that comes back names
        the session and everybody found.

        Args:
            file: JPEG, PNG or WebP, or a .pise file.
            detector: who finds people and joints; OpenPose is downloaded once.
            parser: who finds the regions; SegFormer clothes is downloaded once.
        """
        with uploads.read_once(file):
            return state_of(session, opening.open_file(self._engine, session, file, detector, parser))

    def state(self, session: Session) -> State:
        """What is open and asked for: size, people, keypoints, regions, styles, references, motion, undo and redo."""
        return state_of(session)

    def choose_person(self, session: Session, index: int, parser: Parser = "Built-in") -> State:
        """Edit another of the people found. Everybody keeps their edits and history; one picture shows all.

        Args:
            index: in the state's list of people, from 0.
            parser: who finds the regions.
        """
        chosen = numbered(index, len(session.people), "person in the photo")
        return state_of(session, opening.choose_person(self._engine, session, chosen, parser))

    def place_person(self, session: Session, keypoints: Pose, parser: Parser = "Built-in") -> State:
        """Say where the joints of the person are, if nobody or the wrong pose was found; this starts a new history.

        Args:
            keypoints: 18 rows [x, y, score] in pixels of the photo, or null where a joint is missing.
            parser: who finds the regions.
        """
        session.need_photo()
        return state_of(session, opening.place_person(self._engine, session, keypoints, parser, anyway=True))

    def analyse_again(self, session: Session, detector: Detector = "Built-in", parser: Parser = "Built-in") -> State:
        """Analyse the open photo again, which starts a new history.

        Args:
            detector: who finds people and joints.
            parser: who finds the regions.
        """
        return state_of(session, opening.analyse_again(self._engine, session, detector, parser))

    def choose_weights(self, session: Session, name: str) -> State:
        """Go on with the document, its history and its references included, with other weights.

        Args:
            name: of weights that the server was started with; Default for the first ones.
        """
        session.need_photo()
        chosen = one_of(name, self._engine.weights, "weights")
        return state_of(session, opening.choose_weights(self._engine, session, chosen))

    def choose_background(self, session: Session, name: Background) -> State:
        """Go on with the document, its history and its references included, with another background behind people.

        Args:
            name: who continues the photo behind people; LaMa is downloaded once.
        """
        session.need_photo()
        return state_of(session, opening.choose_background(self._engine, session, name))

    # ---- pose and regions

    def set_pose(self, session: Session, keypoints: Pose) -> State:
        """Set the wanted pose; what was painted goes along with the body.

        Args:
            keypoints: 18 rows [x, y, score] in pixels of the photo, or null where a joint is missing.
        """
        session.need_document()
        return state_of(session, edits.set_pose(session, keypoints))

    def set_held(self, session: Session, carriers: Carriers) -> State:
        """Say what the things that the person holds go with; the state lists these with their boxes.

        Args:
            carriers: for each thing of the state's ``held``, in that order: left_hand, right_hand, or stays (with the
                body, wherever the arms are).
        """
        return state_of(session, edits.hold(session, carriers))

    def make_room(self, session: Session) -> State:
        """Let the photo grow where the wanted pose leaves it, by as much as the pose needs: its own pixels stay as they
        are, and its background goes on about them. All edits lie where they lay; undo brings back the smaller photo.
        """
        return state_of(session, opening.make_room(session))

    def paint_held(self, session: Session, file: Upload, erase: bool = False) -> State:
        """Mark something that the person holds in the photo, or say that nothing is held there. What touches a thing
        becomes part of it, all else is a thing of its own; the state's ``held`` lists them, for set_held.

        Args:
            file: a picture of the photo's size or shape, white where it is and black elsewhere, over the photo as it
                was opened.
            erase: whether nothing is held there.
        """
        with uploads.read_once(file):
            height, width = session.need_document().photo.shape[:2]
            marked = mask(file, (width, height))
        return state_of(session, edits.paint_held(session, marked, erase))

    def load_pose(self, session: Session, text: PoseText, person: int = -1) -> State:
        """Fit a pose to the person.

        Args:
            text: of a pose saved here, or of another program's file: OpenPose, ControlNet, ComfyUI, COCO, AlphaPose,
                MMPose, MediaPipe and others.
            person: which of several people in it, from 0; by default the largest and most complete.
        """
        session.need_document()
        return state_of(session, edits.load_pose(session, text, None if person < 0 else person))

    def pose_from_photo(self, session: Session, file: Upload, detector: Detector = "Built-in") -> State:
        """Fit the pose of somebody in another photo to the person.

        Args:
            file: JPEG, PNG or WebP.
            detector: who finds the joints.
        """
        with uploads.read_once(file):
            return state_of(session, edits.borrow_pose(self._engine, session, file, detector))

    def set_regions(self, session: Session, file: Upload, table: Table = "regions") -> State:
        """Set the map of regions that is wanted in the pose of now.

        Args:
            file: a map of the photo's size or shape, in the regions' colours or with indices 0 to 7, as the endpoint
                regions returns it.
            table: whose labels the map has: the regions themselves, or those of a human parser.
        """
        with uploads.read_once(file):
            photo = session.need_document().photo
            size = photo.shape[1], photo.shape[0]
            parsing, doubt = doubted_parsing(file, size, None if table == "regions" else table)
        return state_of(session, edits.set_regions(session, parsing, doubt))

    def retouch(self, session: Session, file: Upload, remove: bool = False) -> State:
        """Take something away where it is marked in the result of now: what an edit has left behind, or a spot.

        Args:
            file: a picture of the photo's size or shape, white where something is to go and black elsewhere.
            remove: whether what is in front goes, and the layer behind it shows; without it the place goes on as what
                it lies on.
        """
        with uploads.read_once(file):
            height, width = session.need_document().photo.shape[:2]
            marked = mask(file, (width, height))
        return state_of(session, edits.retouch(session, marked, remove))

    def cut(
        self, session: Session, change: Literal["long_sleeves", "short_sleeves", "longer_skirt", "shorter_skirt"]
    ) -> State:
        """Another cut of what is worn.

        Args:
            change: long or short sleeves of a top or dress, or a longer or shorter skirt.
        """
        return state_of(session, edits.cut(session, change))

    # ---- references and styles

    def add_reference(
        self, session: Session, file: Upload, detector: Detector = "Built-in", parser: Parser = "Built-in"
    ) -> State:
        """Take somebody, or a saved look, as a reference for styles. Its id is the last one listed in the state.

        Args:
            file: a photo of somebody, or a .pise file.
            detector: who finds people and joints.
            parser: who finds the regions.
        """
        waiting = set(session.garments)
        with uploads.read_once(file):
            added = finish(references.add_references(self._engine, session, [file], detector, parser))
        for key in set(session.garments) - waiting:
            del session.garments[key]
            raise InputError("nobody was found in that reference; for a garment that nobody wears call add_garment")
        return state_of(session, added)

    def add_garment(self, session: Session, file: Upload, region: GarmentName, box: ShareBox | None = None) -> State:
        """Take a garment that nobody wears as a reference. Its id is the last one listed in the state.

        Args:
            file: a photo of the garment, with some plain ground about it.
            region: what it is.
            box: x0, y0, x1, y1 about it, in shares of the photo from 0 to 1; by default it is looked for.
        """
        with uploads.read_once(file):
            photo = read_image(str(file))
        marked = likely_box(photo) if box is None else box
        name = stem(file)
        return state_of(session, references.add_garment(self._engine, session, name, photo, marked, region))

    def remove_reference(self, session: Session, reference: str) -> State:
        """Remove a reference and everything that is borrowed from it; this can be undone.

        Args:
            reference: its id, such as r1.
        """
        return state_of(session, references.remove_reference(session, reference))

    def set_style(self, session: Session, region: RegionName, reference: str, weight: float = 1.0) -> State:
        """Borrow one region from one reference.

        Args:
            region: what to borrow.
            reference: id of the reference, such as r1.
            weight: its share from 0 to 1; the rest is the person's own.
        """
        styles = {**session.need_document().edits.styles, region: {reference: weight}}
        return self.set_styles(session, styles)

    def set_styles(self, session: Session, styles: Styles) -> State:
        """Set all that is borrowed, mixes of several references included.

        Args:
            styles: {region: {id of a reference: weight}}, the weights of a region at most 1 in all.
        """
        return state_of(session, edits.set_looks(session, styles=styles))

    def set_wear(self, session: Session, wear: Wear) -> State:
        """Wear garments of references, cut and all: sleeves, length and neckline are theirs, and what they uncover is
        made. What is not named is the person's own.

        Args:
            wear: {region: id of a reference} for upper_clothes, dress and pants.
        """
        return state_of(session, edits.set_looks(session, wear=wear))

    def set_recolour(self, session: Session, recolour: Recolours) -> State:
        """Give garments and hair other colours; texture and folds stay. What is not named has its own colours.

        Args:
            recolour: {region: recolouring} for hair, upper_clothes, dress and pants; a recolouring is a colour such as
                "#1b3a8c" or "navy", or has any of colour, hue (degrees, -180 to 180), saturation (a factor, 0 to 2)
                and lightness (-1 to 1).
        """
        return state_of(session, edits.set_looks(session, recolour=recolour))

    # ---- motion and the history

    def set_motion(
        self,
        session: Session,
        keys: list[Pose],
        seconds: float = 1.0,
        loop: bool = True,
        times: list[float] | None = None,
        easing: Literal["even", "gentle", "faster", "slower"] = "even",
    ) -> State:
        """Set the key poses of a motion.

        Args:
            keys: at most 24 poses, each 18 rows [x, y, score] in pixels of the photo.
            seconds: from one to the next, 0.1 to 5.
            loop: whether the last one is followed by the first one.
            times: for each key, how many times as long the way to the next one takes, 0.25 to 4; the same if none are
                given.
            easing: how it goes from key to key; gentle slows down at each.
        """
        return state_of(session, motion.set_motion(session, checked_motion(keys, seconds, loop, times, easing)))

    def load_motion(self, session: Session, text: PoseText) -> State:
        """Make the key poses of a motion of a file of poses that shows several pictures, such as a clip's.

        Args:
            text: of a list of OpenPose's, ControlNet's or ComfyUI's pictures, or of AlphaPose's, MMPose's or other
                programs' results for a clip.
        """
        session.need_document()
        return state_of(session, motion.load_motion(session, text))

    def motion_from_video(self, session: Session, file: Upload) -> State:
        """Make the key poses of a motion of the most prominent person in a video, of which the first 20 seconds are
        looked at.

        Args:
            file: MP4, MOV, WebM, MKV, AVI or GIF.
        """
        with uploads.read_once(file):
            return state_of(session, motion.follow_clip(self._engine, session, file))

    def undo(self, session: Session) -> State:
        """One step back, whatever kind of edit it was; before the first one, back to the photo edited before."""
        return state_of(session, edits.undo(session))

    def redo(self, session: Session) -> State:
        """One step forward again; after the last one, to the photo that undo has left."""
        return state_of(session, edits.redo(session))

    def travel(self, session: Session, position: int) -> State:
        """Straight to a step of the history.

        Args:
            position: how many steps of the state's history are made, 0 for the photo as it was opened.
        """
        return state_of(session, edits.travel(session, position))

    def start_over(self, session: Session) -> State:
        """Back to the photo as it was opened; this can be undone."""
        return state_of(session, edits.start_over(session))

    # ---- pictures and files out

    def result(
        self,
        session: Session,
        format: Literal["png", "jpg", "webp", "ora"] = "png",
        quality: int | None = None,
        cut_out: bool = False,
    ) -> Download:
        """The edited photo at full size, a PNG if not asked otherwise.

        Args:
            format: of the file; ora is OpenRaster, in layers for paint programs.
            quality: 1 to 100, of jpg (95) and webp (lossless).
            cut_out: the person alone, transparent around; not as jpg.
        """
        return file_of(finish(saving.save_picture(session, f".{format}", quality, cut_out)))

    def edit_another(self, session: Session, file: Upload, format: Literal["png", "jpg", "webp"] = "png") -> Download:
        """Another photo, edited as the open document is: its pose, what it borrows and wears, its colours. Nothing that
        is open changes.

        Args:
            file: JPEG, PNG or WebP.
            format: of the picture.
        """
        with uploads.read_once(file):
            return file_of(batch.edit_another(self._engine, session, file, f".{format}"))

    def regions(self, session: Session) -> Download:
        """The regions of the result at full size, a PNG of mode P with the indices 0 to 7."""
        return file_of(saving.save_regions(session))

    def steps(self, session: Session, region: RegionName, reference: str) -> Download:
        """Five steps from the own look of a region to a reference's, side by side, a PNG.

        Args:
            region: what to borrow.
            reference: id of the reference, such as r1.
        """
        pictures = list(session.need_document().strip(region, reference))
        data = encode_image(np.concatenate(pictures, axis=1), edited=True)
        return Download(session.save(data, "steps", ".png", keep=2))

    def animate(
        self, session: Session, format: Literal["gif", "mp4"] = "gif", size: Literal["small", "large"] = "small"
    ) -> Download:
        """The motion as a file.

        Args:
            format: of the file.
            size: the pictures' longer side is 640 or 1280 pixels at most.
        """
        side = motion.SIDES[size]
        return file_of(finish(motion.save_motion(self._engine, session, f".{format}", side)))

    def save_look(self, session: Session, region: RegionName) -> Download:
        """The look that a region has now, as a small .pise file that add_reference takes.

        Args:
            region: whose look.
        """
        return file_of(saving.save_look(session, region))

    def save_document(self, session: Session) -> Download:
        """The document as a .pise file: photo, person, references, edits and their history."""
        return file_of(saving.save_document(session))
