"""One user's document: the photo, the person in it, the references, the edits and their history.

A session lives in memory only, and takes its files with it when it goes.
"""

import secrets
import shutil
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from gradio.utils import get_upload_folder

from app.intent import PaintedIntent
from app.paint import PaintLayer, resize_labels
from pise_core.errors import InputError
from pise_core.images import encode_image

#: Long side of what is rendered while the user drags.
PREVIEW_SIDE = 640
#: Long side of the parts that the browser carries before that arrives.
LAYER_SIDE = 896
HISTORY_LIMIT = 100
REFERENCE_LIMIT = 8
KEY_LIMIT = 24

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Motion:
    """A motion through key poses.

    Attributes:
        keys: poses (18, 3) in pixels of the photo.
        seconds: from one to the next.
        loop: whether the last one is followed by the first one.
    """

    keys: tuple[np.ndarray, ...] = ()
    seconds: float = 1.0
    loop: bool = True


@dataclass(frozen=True, eq=False)
class Edits:
    """All that the user asks for; never changed, only replaced, so that the history can share parts.

    Attributes:
        pose: (18, 3) in pixels of the photo, or None for the person's own.
        paint: what was painted over the map, or None.
        styles: region name -> id of a reference -> its weight; what is missing to 1 is the person's own.
        motion: key poses, which are a picture each of another result.
    """

    pose: np.ndarray | None = None
    paint: PaintLayer | None = None
    styles: dict[str, dict[str, float]] = field(default_factory=dict)
    motion: Motion = Motion()

    @property
    def none(self) -> bool:
        """True when nothing is asked for: the result is the photo itself. A motion changes no result."""
        return self.pose is None and self.paint is None and not any(any(mix.values()) for mix in self.styles.values())


@dataclass(frozen=True, eq=False)
class Reference:
    """Another person whose textures may be borrowed: ``person`` at full size, ``preview`` at preview size."""

    name: str
    person: Any
    preview: Any


@dataclass(frozen=True, eq=False)
class Found:
    """Somebody found in the photo: a box in its pixels, and the pose where the detector gave it at once."""

    box: Box
    pose: np.ndarray | None = None


class Rendered(NamedTuple):
    """A picture and its regions: ``photo`` (H, W, 3) uint8, ``parsing`` (H, W) uint8."""

    photo: np.ndarray
    parsing: np.ndarray


class Session:
    """One user's document. Public methods may be called from several threads."""

    def __init__(self) -> None:
        self.token = secrets.token_urlsafe(24)
        self.used = time.monotonic()  # kept by the registry
        self.lock = threading.RLock()
        self.document = 0  # counts photos opened and people chosen, so that the page knows when to start afresh
        self.sequence = 0  # the newest order number seen; a result with a smaller one is out of date
        self.photo: np.ndarray | None = None
        self.name = "photo"
        self.people: list[Found] = []
        self.chosen = 0
        self.person: Any = None
        self.preview: Any = None
        self.layers: Any = None  # the person at the size at which the page carries her parts
        self.behind = ""  # where the picture of what is behind her lies
        self.references: dict[str, Reference] = {}
        self.garment: tuple[str, np.ndarray] | None = None  # name and photo, until the user has marked it
        self.closed = False  # its files are gone, and no new ones are made
        self.stopped = False  # the user has had enough of a long rendering
        self.note = ""  # what the user is told beside "done"
        self._history: list[Edits] = [Edits()]
        self._position = 0
        self.strip: tuple[Edits, str] | None = None  # what the strip on show was made of, and its region
        self._told: tuple[np.ndarray | None, PaintLayer | None] = (None, None)  # what the page's map shows
        self._intent: tuple[Edits, PaintedIntent] | None = None
        self._bases: dict[bool, tuple[np.ndarray, np.ndarray]] = {}  # preview? -> pose, the map made for it
        # The folder's name is as secret as the token, because its files are served to whoever knows their address.
        self._folder = Path(get_upload_folder()) / "studio" / secrets.token_urlsafe(24)
        self._files: list[Path] = []

    # ---- the document

    def open(self, photo: np.ndarray, name: str, people: list[Found]) -> None:
        """Start a new document with a photo whose person is not analysed yet; references are kept."""
        with self.lock:
            self.photo, self.name, self.people, self.chosen = photo, name, people, 0
            self.person = self.preview = self.layers = None
            self.document += 1
            self._forget_edits()

    def set_person(self, person: Any, chosen: int = 0) -> None:
        """The person to edit; edits made to another one are dropped."""
        with self.lock:
            self.document += 1
            self.person, self.preview, self.chosen = person, person.scaled(PREVIEW_SIDE), chosen
            self.layers, self.behind = person.scaled(LAYER_SIDE), ""
            self._forget_edits()

    def restore(self, name: str, person: Any, people: list[Found], chosen: int, history: list[Edits], position: int):
        """Go on with a document that was saved; its references are added one by one afterwards."""
        with self.lock:
            self.open(person.photo, name, people)
            self.set_person(person, chosen)
            self.references.clear()
            self._history, self._position = history, position

    def add_reference(self, name: str, person: Any, key: str | None = None) -> str:
        """Returns the reference's id, which is ``key`` if that is given.

        Raises:
            InputError: if there are too many.
        """
        with self.lock:
            if len(self.references) >= REFERENCE_LIMIT:
                raise InputError(f"there are {REFERENCE_LIMIT} references already; remove one first")
            key = key or f"r{1 + max((int(k[1:]) for k in self.references), default=0)}"
            self.references[key] = Reference(name, person, person.scaled(PREVIEW_SIDE))
            return key

    def remove_reference(self, key: str) -> None:
        """Forget a reference and every style, past ones too, that was borrowed from it.

        Raises:
            InputError: if there is no such reference.
        """
        with self.lock:
            if not isinstance(key, str) or self.references.pop(key, None) is None:
                raise InputError("that reference is gone already")
            for number, edits in enumerate(self._history):
                rest = {r: {k: w for k, w in mix.items() if k != key} for r, mix in edits.styles.items()}
                self._history[number] = replace(edits, styles={r: mix for r, mix in rest.items() if mix})

    def need_photo(self) -> np.ndarray:
        """The open photo, (H, W, 3) uint8.

        Raises:
            InputError: if there is none.
        """
        if self.photo is None:
            raise InputError("open a photo first")
        return self.photo

    def need_person(self) -> Any:
        """The person being edited.

        Raises:
            InputError: if there is none.
        """
        if self.person is None:
            raise InputError("open a photo of a person first")
        return self.person

    # ---- edits and their history

    @property
    def edits(self) -> Edits:
        """The current ones."""
        return self._history[self._position]

    @property
    def can_undo(self) -> bool:
        return self._position > 0

    @property
    def can_redo(self) -> bool:
        return self._position + 1 < len(self._history)

    @property
    def history(self) -> tuple[list[Edits], int]:
        """All steps, and the index of the current one."""
        with self.lock:
            return list(self._history), self._position

    def commit(self, **changes: Any) -> Edits:
        """Replace parts of the edits (``pose``, ``paint``, ``styles``) as one step of the history."""
        with self.lock:
            self._history[self._position + 1 :] = [replace(self.edits, **changes)]
            del self._history[: -HISTORY_LIMIT - 1]
            self._position = len(self._history) - 1
            return self.edits

    def commit_pose(self, pose: np.ndarray | None) -> float:
        """Replace the pose (None: the person's own) as one step; what was painted goes along.

        Returns:
            Which share of what was painted is still in the picture; 1 if nothing was painted.
        """
        with self.lock:
            paint, kept = self.paint_at(pose)
            self.commit(pose=pose, paint=paint)
            return kept

    def paint_at(self, pose: np.ndarray | None, edits: Edits | None = None) -> tuple[PaintLayer | None, float]:
        """What the painted layer of (the current) edits becomes with another pose, and which share of it is kept."""
        edits, own = edits or self.edits, self.need_person().pose
        if edits.paint is None:
            return None, 1.0
        size = edits.paint.size

        height, width = self.need_photo().shape[:2]

        def scaled(joints: np.ndarray) -> np.ndarray:
            return joints * np.array([size[0] / width, size[1] / height, 1], np.float32)

        known = self._intent  # another thread may put its own there meanwhile
        if known is None or known[0] is not edits:
            below = resize_labels(self.base_map(edits), size)
            known = edits, PaintedIntent(edits.paint, below, scaled(own if edits.pose is None else edits.pose))
            self._intent = known
        return known[1].at(scaled(own if pose is None else pose))

    def undo(self) -> bool:
        """One step back; False if there is none."""
        with self.lock:
            moved = self.can_undo
            self._position -= moved
            return moved

    def redo(self) -> bool:
        """One step forward again; False if there is none."""
        with self.lock:
            moved = self.can_redo
            self._position += moved
            return moved

    def _forget_edits(self) -> None:
        self._history, self._position = [Edits()], 0
        self._told = (None, None)
        self._intent = self.strip = None
        self._bases.clear()

    # ---- pictures

    def render(self, edits: Edits, preview: bool = False) -> Rendered:
        """The edited photo, at full size or at preview size."""
        self.need_person()
        person = self.preview if preview else self.person
        if edits.none:
            return Rendered(person.photo, person.parsing)
        pose = None if edits.pose is None else self.scaled_pose(edits.pose, person)
        parsing = None if edits.paint is None else edits.paint.over(self.base_map(edits, preview))
        styles: dict[str, list[tuple[Any, float]]] = {}
        for region, mix in edits.styles.items():
            there = [(self.references[key], weight) for key, weight in mix.items() if key in self.references]
            styles[region] = [(r.preview if preview else r.person, weight) for r, weight in there if weight > 0]
        edit = person.render(pose=pose, parsing=parsing, styles=styles or None)
        return Rendered(edit.photo, edit.parsing)

    def base_map(self, edits: Edits, preview: bool = False) -> np.ndarray:
        """The map below the paint, (H, W) uint8: the detected one, or the one made for the wanted pose."""
        self.need_person()
        person = self.preview if preview else self.person
        if edits.pose is None:
            return person.parsing
        known = self._bases.get(preview)
        if known is None or known[0] is not edits.pose:
            parsing = person.render(pose=self.scaled_pose(edits.pose, person)).parsing
            known = self._bases[preview] = (edits.pose, parsing)
        return known[1]

    def scaled_pose(self, pose: np.ndarray, person: Any) -> np.ndarray:
        """A pose in pixels of the photo, in pixels of ``person``'s photo."""
        if self.photo is None or person.photo.shape == self.photo.shape:
            return pose
        scaled = pose.copy()
        scaled[:, 0] *= person.photo.shape[1] / self.photo.shape[1]
        scaled[:, 1] *= person.photo.shape[0] / self.photo.shape[0]
        return scaled

    # ---- order and files

    def painter_knows(self, paint: PaintLayer | None) -> None:
        """The page painted this itself, and need not be told."""
        self._told = (self._told[0], paint)

    def page_is_new(self) -> None:
        """A page was loaded anew, and knows of no map."""
        self._told = (None, None)

    def painter_is_told(self, edits: Edits) -> bool:
        """Whether the page's map is that of ``edits`` already; from now on it is taken to be."""
        known, self._told = self._told, (edits.pose, edits.paint)
        return known[0] is edits.pose and known[1] is edits.paint

    def strip_is_stale(self, edits: Edits) -> bool:
        """Whether a strip is on show that another pose, layer or look of another region has made untrue."""
        if self.strip is None:
            return False
        known, region = self.strip
        mixes = [{name: mix for name, mix in e.styles.items() if name != region} for e in (known, edits)]
        return known.pose is not edits.pose or known.paint is not edits.paint or mixes[0] != mixes[1]

    def saw(self, sequence: int) -> int:
        """Note an order number that the page sent, and return it."""
        self.sequence = max(self.sequence, sequence)
        return sequence

    def next_sequence(self) -> int:
        """An order number for a result that the page did not ask for by number."""
        self.sequence += 1
        return self.sequence

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
