"""What a page's session is: its secret name, the document on it, what the page knows of that, and the files served.

A session lives in memory only, and takes its files with it when it goes.
"""

import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gradio.utils import get_upload_folder

from app.order import Order
from pise_core.document import Document, Edits
from pise_core.document.contents import Box, SavedDocument
from pise_core.document.paint import PaintLayer
from pise_core.document.references import REFERENCE_LIMIT, References
from pise_core.errors import InputError
from pise_core.images import encode_image

#: Long side of the parts that the browser carries before a preview arrives.
LAYER_SIDE = 896
#: The name of the weights that a session begins with.
DEFAULT_WEIGHTS = "Default"


@dataclass(frozen=True, eq=False)
class Found:
    """Somebody found in the photo: a box in its pixels, and the pose where the detector gave it at once."""

    box: Box
    pose: np.ndarray | None = None


class Garment(NamedTuple):
    """A photo (H, W, 3) uint8 of a garment that nobody wears, which the user has not marked yet."""

    name: str
    photo: np.ndarray


class Session:
    """One page's session. Public methods may be called from several threads."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        self.used = time.monotonic()  # kept by the registry
        self.lock = threading.RLock()
        self.number = 0  # counts photos opened and people chosen, so that the page knows when to start afresh
        self.order = Order()
        self.sequence = 0  # the newest order number seen; a result with a smaller one is out of date
        self.photo: np.ndarray | None = None
        self.name = "photo"
        self.weights = DEFAULT_WEIGHTS
        self.people: list[Found] = []
        self.document: Document | None = None  # None while nobody is chosen in the photo
        self.references = References()  # stay when another photo is opened
        self.aside: tuple[Document, list[Found]] | None = None  # the edited document before, which undo brings back
        self.layers: Any = None  # the person at the size at which the page carries her parts
        self.behind = ""  # where the picture of what is behind her lies
        self.garments: dict[str, Garment] = {}  # photos that wait until the user has marked what is in them
        self.closed = False  # its files are gone, and no new ones are made
        self.stopped = False  # the user has had enough of a long rendering
        self.stops = 0  # how often the user has had enough of other work
        self.packing: deque[tuple[Callable[[], SavedDocument], str]] = deque()  # files to be, and what they are for
        self.carried = False  # whether the user is to be told where the paint has gone
        self.note = ""  # what else the user is told beside "done"
        self.strip: tuple[Edits, str] | None = None  # what the strip on show was made of, and its region
        self._told: tuple[np.ndarray | None, PaintLayer | None] = (None, None)  # what the page's map shows
        # The folder's name is as secret as the token, because its files are served to whoever knows their address.
        self._folder = Path(get_upload_folder()) / "studio" / secrets.token_urlsafe(24)
        self._files: list[Path] = []

    # ---- the document

    def open(self, photo: np.ndarray, name: str, people: list[Found]) -> None:
        """Show a photo in which nobody is chosen yet; references are kept."""
        with self.lock:
            self.set_aside()
            self.photo, self.name, self.people = photo, name, people
            self.document = self.layers = None
            self._start_afresh()

    def set_aside(self) -> None:
        """Another photo or document is opened: an edited one is kept until the next, so that nothing is lost."""
        with self.lock:
            if self.document is not None and not self.document.edits.none:
                self.aside = self.document, self.people

    def bring_back(self) -> bool:
        """Go on with the document that was set aside; False if there is none."""
        with self.lock:
            if self.aside is None:
                return False
            (document, people), self.aside = self.aside, None
            self.edit(document, people)
            return True

    @property
    def can_undo(self) -> bool:
        return self.aside is not None or (self.document is not None and self.document.can_undo)

    def edit(self, document: Document, people: list[Found] | None = None) -> None:
        """Go on with a document, whose references are the session's from now on; ``people`` as far as more is known
        of them than the document's boxes."""
        with self.lock:
            self.photo, self.name = document.photo, document.name
            self.people = [Found(box) for box in document.boxes] if people is None else people
            self.document, self.references = document, document.references
            self.layers, self.behind = document.person.scaled(LAYER_SIDE), ""
            self._start_afresh()

    def _start_afresh(self) -> None:
        self.number += 1
        self.strip = None
        self._told = (None, None)

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

    def await_garment(self, name: str, photo: np.ndarray) -> str:
        """Keep a photo of a garment until the user has marked it; returns its id.

        Raises:
            InputError: if it would be one reference too many.
        """
        with self.lock:
            if len(self.references) + len(self.garments) >= REFERENCE_LIMIT:
                raise InputError(f"there are {REFERENCE_LIMIT} references already; remove one first")
            key = f"g{secrets.token_hex(4)}"
            self.garments[key] = Garment(name, photo)
            return key

    # ---- what the page knows, and in which order

    def painter_knows(self, paint: PaintLayer | None) -> None:
        """The page painted this itself, and need not be told."""
        self._told = (self._told[0], paint)

    def page_is_new(self) -> None:
        """A page was loaded anew, and knows of no map."""
        self._told = (None, None)

    def painter_is_told(self, edits: Edits) -> bool:
        """Whether the page's map is that of ``edits`` already; from now on it is taken to be."""
        layer = None if edits.paint is None else edits.paint.layer
        known, self._told = self._told, (edits.pose, layer)
        return known[0] is edits.pose and known[1] is layer

    def strip_is_stale(self, edits: Edits) -> bool:
        """Whether a strip is on show that another pose, layer or look of another region has made untrue."""
        if self.strip is None:
            return False
        known, region = self.strip
        mixes = [{name: mix for name, mix in e.styles.items() if name != region} for e in (known, edits)]
        return known.pose is not edits.pose or known.paint is not edits.paint or mixes[0] != mixes[1]

    def edited(self, sequence: int = 0, carried: bool = False, note: str = "") -> None:
        """The edit with that order number was made just now, and what the user is told when it is rendered."""
        self.carried, self.note = carried, note
        self.saw(sequence)

    def saw(self, sequence: int) -> int:
        """Note an order number that the page sent, and return it."""
        self.sequence = max(self.sequence, sequence)
        return sequence

    def next_sequence(self) -> int:
        """An order number for a result that the page did not ask for by number."""
        self.sequence += 1
        return self.sequence

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
                raise InputError("this page has been idle for too long; reload it and open the photo again")
            path.parent.mkdir(parents=True)
            path.write_bytes(data)
            self._files.append(path)
            same = [p for p in self._files if p.name == path.name]
            for old in same[:-keep]:
                self._files.remove(old)
                shutil.rmtree(old.parent, ignore_errors=True)
        return str(path)

    def close(self) -> None:
        """Remove the session's files; from now on none can be saved."""
        with self.lock:
            self.closed = True
        shutil.rmtree(self._folder, ignore_errors=True)
