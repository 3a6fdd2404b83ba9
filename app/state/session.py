"""What a page's session is: its secret name, the document on it, what the page knows of that, and the files served.

A session lives in memory only, and takes its files with it when it goes.
"""

import os
import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gradio.utils import get_upload_folder

from app.state.opened import Cut, Found, Garment, Moment, Opened
from app.state.order import Order
from pise_core.document import Document, Edits
from pise_core.document.file_format import SavedDocument
from pise_core.document.paint import PaintLayer
from pise_core.document.references import REFERENCE_LIMIT, References
from pise_core.errors import InputError
from pise_core.images import encode_image

#: Long side of the pictures shown on the page; the download is always full size.
SHOWN_SIDE = 1600
#: Long side of the parts that the browser carries before a preview arrives.
LAYER_SIDE = 896
#: What is said where a session is gone, and with it all that was on the page.
EXPIRED = "what was open here has expired; open the photo again"
#: Where the files of all sessions lie, below Gradio's folder.
FOLDER = "studio"
#: The name of the weights that a session begins with.
DEFAULT_WEIGHTS = "Default"
#: The background that it begins with: the one that ships.
DEFAULT_BACKGROUND = "Built-in"


class Waiting(NamedTuple):
    """An action for which there was no place; what was sent for it lies where it came.

    Attributes:
        run: goes on with it, for a request.
        sent: files that were sent for it.
        stops: how often the user had had enough when it began to wait.
    """

    run: Callable[[Any], Any]
    sent: Sequence[Any]
    stops: int


#: What the map shows of a page that has none.
_NO_MAP = (None, None, {}, None)


class Session:
    """One page's session. Public methods may be called from several threads.

    Attributes:
        number: of the document; a greater one for every photo opened and person chosen.
        sequence: the newest order number, of a request of the page or of something that it did not number.
        made: the order number of the newest edit. Pictures have it, so that older ones are told from newer ones.
        first: what all of them begin with, the time: a page whose session was lost takes what comes from the next one
            for newer, and smaller numbers are those of a session that is gone.
    """

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        self.used = time.monotonic()  # this and the next two are kept by the registry
        self.left: float | None = None  # when its page went, if it has gone
        self.busy = 0  # how many actions are being carried out
        self.visitors: set[str] = set()  # the cookies of those who have acted on it, "" for programs
        self.lock = threading.RLock()
        self.first = self.number = self.sequence = self.made = int(1000 * time.time())
        self.order = Order(self.first)
        self.photo: np.ndarray | None = None
        self.name = "photo"
        self.weights, self.background = DEFAULT_WEIGHTS, DEFAULT_BACKGROUND
        self.people: list[Found] = []
        self.document: Document | None = None  # None while nobody is chosen in the photo
        self.references = References()  # stay when another photo is opened
        self.before: Opened | None = None  # what was worked on before, which undo brings back
        self.after: Opened | None = None  # what was on the page when undo did so, which redo brings back
        self._returned: Edits | None = None  # the edits of what was brought back, as they were then
        self.cut: Cut | None = None  # as long as there is a document
        self.garments: dict[str, Garment] = {}  # photos that wait until the user has marked what is in them
        self.closed = False  # its files are gone, and no new ones are made
        self.resting = True  # whether what is quickly made again was let go of, since it did something last
        self.stopped = False  # the user has had enough of a long rendering
        self.stops = 0  # how often the user has had enough of other work
        self.packing: deque[tuple[Callable[[], SavedDocument], str]] = deque()  # files to be, and what they are for
        self.carried = False  # whether the user is to be told where the paint has gone
        self.waiting: Waiting | None = None  # what is begun once there is a place
        self.note = ""  # what else the user is told beside "done"
        self._heard: set[str] = set()  # what is said once
        self.strip: tuple[Edits, str] | None = None  # what the strip on show was made of, and its region
        #: What the page's map shows.
        self._told: tuple[np.ndarray | None, PaintLayer | None, dict[str, str], PaintLayer | None] = _NO_MAP
        # The folder's name is as secret as the token: programs, which have no cookie, are served by the address alone.
        self._folder = Path(get_upload_folder()) / FOLDER / secrets.token_urlsafe(24)
        self._files: list[Path] = []

    @property
    def empty(self) -> bool:
        """Whether nothing would be lost with it."""
        return self.photo is None and self.before is None and not self.references and not self.garments

    # ---- the document

    def open(self, photo: np.ndarray, name: str, people: list[Found]) -> None:
        """Show a photo in which nobody is chosen yet; references are kept."""
        with self.lock:
            self.set_aside()
            self._show(Opened(photo, name, people, None, self.references, self.weights, self.background))

    def set_aside(self) -> None:
        """Another photo is opened: one that was worked on is kept until the next, so that nothing is lost."""
        with self.lock:
            now = self._opened()
            if now is not None and now.worked_on:
                self.before = now
            self.after = None

    def bring_back(self) -> bool:
        """Go on with what was worked on before, from where :meth:`bring_forth` leads here again; False if there is
        nothing."""
        with self.lock:
            if self.before is None:
                return False
            now, self.before, self.after = self.before, None, self._opened()
            self._show(now)
            self._returned = None if self.document is None else self.document.edits
            return True

    def bring_forth(self) -> bool:
        """Undo :meth:`bring_back`; False if there is nothing to go on with."""
        with self.lock:
            if self.after is None:
                return False
            now, self.before, self.after = self.after, self._opened(), None
            self._show(now)
            return True

    @property
    def returned(self) -> bool:
        """Whether :meth:`bring_forth` is the next step forward: what was brought back is as it was then. What was
        undone in it before it was left comes after."""
        if self.after is None:
            return False
        document = self.document
        return document is None or not document.can_redo or document.edits is self._returned

    @property
    def can_undo(self) -> bool:
        return self.before is not None or (self.document is not None and self.document.can_undo)

    @property
    def can_redo(self) -> bool:
        return self.after is not None or (self.document is not None and self.document.can_redo)

    def edit(self, document: Document, people: list[Found] | None = None) -> None:
        """Go on with a document, whose references are the session's from now on; ``people`` as far as more is known
        of them than the document's boxes."""
        people = [Found(box) for box in document.boxes] if people is None else people
        made_with = self.weights, self.background
        self._show(Opened(document.photo, document.name, people, document, document.references, *made_with))

    def _opened(self) -> Opened | None:
        if self.photo is None:
            return None
        made_with = self.weights, self.background
        return Opened(self.photo, self.name, self.people, self.document, self.references, *made_with)

    def _show(self, opened: Opened) -> None:
        with self.lock:
            self.photo, self.name, self.people, self.document, self.references = opened[:5]
            self.weights, self.background = opened.weights, opened.background
            self.cut = None
            if self.document is not None:
                self.document.take_up()
                self.cut = Cut(self.document.person, LAYER_SIDE)
            self.number += 1
            self.strip = None
            self._told = _NO_MAP

    def moment(self) -> Moment | None:
        """The document and its numbers as they are now; None if there is no document."""
        with self.lock:
            if self.document is None or self.cut is None:
                return None
            return Moment(self.document, self.cut, self.number, self.made)

    def need_photo(self) -> np.ndarray:
        """The open photo, (H, W, 3) uint8.

        Raises:
            InputError: if there is none.
        """
        if self.photo is None:
            raise InputError("open a photo first")
        return self.photo

    def need_document(self) -> Document:
        """The document.

        Raises:
            InputError: if there is none.
        """
        if self.document is None and self.photo is not None:
            raise InputError("say first where the person is: place the skeleton under Pose, then press Use this pose")
        if self.document is None:
            raise InputError("open a photo of a person first")
        return self.document

    def need_room(self) -> None:
        """Make sure that there may be one more reference.

        Raises:
            InputError: if it would be one too many.
        """
        if len(self.references) + len(self.garments) >= REFERENCE_LIMIT:
            raise InputError(f"there are {REFERENCE_LIMIT} references already; remove one first")

    def await_garment(self, name: str, photo: np.ndarray) -> str:
        """Keep a photo of a garment until the user has marked it; returns its id.

        Raises:
            InputError: if it would be one reference too many.
        """
        with self.lock:
            self.need_room()
            key = f"g{secrets.token_hex(4)}"
            self.garments[key] = Garment(name, photo)
            return key

    def need_garment(self, key: Any) -> Garment:
        """The photo of a garment that waits to be marked, by its id.

        Raises:
            InputError: if none of that id waits.
        """
        waiting = self.garments.get(key) if isinstance(key, str) else None
        if waiting is None:
            raise InputError("add the photo of the garment again")
        return waiting

    # ---- what the page knows, and in which order

    def painter_knows(self, paint: PaintLayer | None) -> None:
        """The page painted this itself, and need not be told."""
        self._told = (self._told[0], paint, *self._told[2:])

    def page_is_new(self) -> None:
        """A page was reloaded, and knows of no map."""
        self._told = _NO_MAP

    def painter_is_told(self, edits: Edits) -> bool:
        """Whether the page's map is that of ``edits`` already; from now on it is taken to be."""
        layer = None if edits.paint is None else edits.paint.layer
        known, self._told = self._told, (edits.pose, layer, edits.wear, edits.things)
        return known[0] is edits.pose and known[1:] == (layer, edits.wear, edits.things)

    def strip_is_stale(self, edits: Edits) -> bool:
        """Whether a strip is on show that another pose, layer or look of another region has made untrue."""
        if self.strip is None:
            return False
        known, region = self.strip
        mixes = [{name: mix for name, mix in e.styles.items() if name != region} for e in (known, edits)]
        others = (known.paint, known.wear, mixes[0]) != (edits.paint, edits.wear, mixes[1])
        return known.pose is not edits.pose or others

    def edited(self, sequence: int = 0, carried: bool = False, note: str = "") -> None:
        """The edit with that order number was made just now, and what the user is told when it is rendered."""
        self.carried, self.note = carried, note
        self.count(sequence)

    def saw(self, sequence: int) -> int:
        """Note an order number that the page sent, and return it."""
        with self.lock:
            self.sequence = max(self.sequence, sequence)
            return sequence

    def count(self, sequence: int = 0) -> int:
        """An edit was made, or refused: what is rendered from now on is newer than its previews. Returns its number,
        the next one if the page gave it none."""
        with self.lock:
            number = self.saw(sequence or self.sequence + 1)
            self.made = max(self.made, number)
            return number

    def once(self, notice: str) -> str:
        """A notice for the user, empty where it was said before."""
        with self.lock:
            new = notice not in self._heard
            self._heard.add(notice)
        return notice if new else ""

    # ---- files

    def save(self, image: np.ndarray | bytes, stem: str, suffix: str, keep: int = 6) -> str:
        """Write a picture, or the bytes of a file, where the server may serve it from, and return its path.

        Of one name only the last few are kept.

        Raises:
            ValueError: if the name would lead out of the session's folder.
            InputError: if the session was closed.
        """
        if "/" in stem or "\\" in stem:
            raise ValueError(f"{stem!r} is no name of a file")
        data = image if isinstance(image, bytes) else encode_image(image, suffix)
        path = self._folder / secrets.token_hex(4) / f"{stem}{suffix}"
        with self.lock:
            if self.closed:
                raise InputError(EXPIRED)
            try:
                path.parent.mkdir(parents=True)
                path.write_bytes(data)
            except OSError as error:
                shutil.rmtree(path.parent, ignore_errors=True)
                raise InputError(f"the server can't keep the picture: {error.strerror}; try again later") from None
            self._files.append(path)
            same = [p for p in self._files if p.name == path.name]
            for old in same[:-keep]:
                self._files.remove(old)
                shutil.rmtree(old.parent, ignore_errors=True)
        return str(path)

    @contextmanager
    def workplace(self) -> Iterator[Path]:
        """A folder for files on their way, which goes at the end of the block; the server serves none of it.

        Raises:
            InputError: if the session was closed, or the disk takes no more.
        """
        place = self._folder / f"work-{secrets.token_hex(4)}"
        with self.lock:
            if self.closed:
                raise InputError(EXPIRED)
            try:
                place.mkdir(parents=True)
            except OSError as error:
                raise InputError(f"the server can't keep the files: {error.strerror}; try again later") from None
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def adopt(self, file: Path, stem: str, suffix: str, keep: int = 1) -> str:
        """As :meth:`save`, of a file that lies in a :meth:`workplace` already and is moved."""
        path = Path(self.save(b"", stem, suffix, keep))
        os.replace(file, path)
        return str(path)

    def holds(self, path: str) -> bool:
        """Whether that is a file of this session that may be fetched."""
        with self.lock:
            return not self.closed and Path(path) in self._files

    def rest(self) -> None:
        """Let go of what is quickly made again, while the visitor looks, thinks, or has gone for coffee."""
        with self.lock:
            documents = [self.document, *(kept.document for kept in (self.before, self.after) if kept is not None)]
            if self.cut is not None:
                self.cut.rest()
        for document in documents:
            if document is not None:
                document.rest()

    def close(self) -> None:
        """Remove the session's files; from now on none can be saved."""
        with self.lock:
            self.closed = True
        shutil.rmtree(self._folder, ignore_errors=True)
