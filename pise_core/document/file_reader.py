"""Opening a ``.pise`` file, which is untrusted; what is in it is told in :mod:`pise_core.document.file_format`.

Names come from the list there, and sizes are checked before anything is unpacked.
"""

import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pise_core import pose as poses
from pise_core.document import file_format
from pise_core.document.edits import EASINGS, KEY_LIMIT, LEAST_PACE, MOST_PACE, Edits, Motion, Paint, same_pose
from pise_core.document.file_format import PEOPLE_LIMIT, SavedDocument, SavedEdits
from pise_core.document.history import HISTORY_LIMIT
from pise_core.document.migrations import OLDEST, VERSION, migrate
from pise_core.document.paint import PaintLayer, resize_labels, working_size
from pise_core.document.references import KEPT_LIMIT
from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE, Box, Framing
from pise_core.held import MOST, Held, painted
from pise_core.images import harmless, read_image
from pise_core.parsing_files import read_parsing
from pise_core.person import SavedPerson
from pise_core.regions import GARMENTS, LAST, REGIONS, check_parsing
from pise_core.rendering.recolour import checked_recolours

_MEMBER = re.compile(
    r"document\.json|(photo|parsing|held|references/\d{1,2}(-parsing)?|people/\d{1,2}(-held)?|paint/\d{1,4})\.png"
)
_EDITS = re.compile(r"document\.json|paint/\d{1,4}\.png")
_PICTURES = re.compile(r"(photo|parsing|held|references/\d{1,2}(-parsing)?|people/\d{1,2}(-held)?)\.png")
#: What the readers of damaged archives raise.
_UNREADABLE = (ValueError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError)
_DAMAGED = "that .pise file is damaged; save it again where it still opens"
_OTHER = "that file is no .pise document; give one that the studio has saved"


def is_document(source: str | os.PathLike[str] | BufferedReader) -> bool:
    """Whether there is a file at a path, or open, that is named ``.pise``, or whose bytes begin like a zip."""
    try:
        if not isinstance(source, BufferedReader):
            with open(source, "rb") as file:
                return is_document(file)
        start = source.peek(4)[:4]
        return start == b"PK\x03\x04" or Path(source.name).suffix.lower() == ".pise"
    except OSError:
        return False


def read(source: str | os.PathLike[str] | bytes | BufferedReader) -> SavedDocument:
    """Open a ``.pise`` file, at a path, as its bytes, or open for reading.

    Raises:
        InputError: if it is not there, damaged, of another kind or version, or larger than it may be.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            return _read(_Members(archive))
    except InputError:
        raise
    except FileNotFoundError:
        raise InputError(f"there is no file {source}") from None
    except _UNREADABLE:
        other = isinstance(source, str | os.PathLike) and not is_document(source)
        raise InputError(_OTHER if other else _DAMAGED) from None


def join(pictures: str | os.PathLike[str] | BufferedReader, edits: bytes) -> SavedDocument:
    """A document as :func:`pise_core.document.file_writer.write_edits` took it down, with the pictures of a file of the
    same document that was written before.

    Raises:
        InputError: if either is damaged, or they do not belong together.
    """
    whole = io.BytesIO()
    try:
        with zipfile.ZipFile(whole, "w") as archive:
            # Each is looked at as strictly as a file on its own before a byte of it is unpacked.
            for source, wanted in ((pictures, _PICTURES), (io.BytesIO(edits), _EDITS)):
                with zipfile.ZipFile(source) as part:
                    members = _Members(part)
                    for name in members.names(wanted):
                        archive.writestr(name, members[name])
    except InputError:
        raise
    except _UNREADABLE:
        raise InputError(_DAMAGED) from None
    return read(whole.getvalue())


class _Members:
    """The members of a zip, refused before anything is unpacked if they are not those of a document."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        infos = archive.infolist()
        self._sizes = {info.filename: info.file_size for info in infos}
        if "document.json" not in self._sizes:
            raise InputError("that file is no .pise document; open a photo, or a file that was saved here")
        if len(self._sizes) != len(infos) or not all(_MEMBER.fullmatch(name) for name in self._sizes):
            raise InputError(_DAMAGED)
        if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
            raise InputError(_DAMAGED)
        unpacked, limit = sum(self._sizes.values()), file_format.MAX_DOCUMENT_BYTES
        if unpacked > limit or self._sizes["document.json"] > file_format.MAX_JSON_BYTES:
            raise InputError(f"that .pise file unpacks to more than {limit / 1e6:g} MB and is not opened")
        # A small PNG may hold a huge picture: all headers are looked at before the first is decoded.
        pixels = 0
        for name in self._sizes.keys() - {"document.json"}:
            with archive.open(name) as member:
                pixels += file_format.pixels_of(member.read(24))
        if pixels > file_format.MAX_DOCUMENT_PIXELS:
            limit = file_format.MAX_DOCUMENT_PIXELS / 1e6
            raise InputError(f"that .pise file holds more than {limit:g} megapixels and is not opened")

    def names(self, wanted: re.Pattern[str]) -> list[str]:
        """The names that match."""
        return [name for name in self._sizes if wanted.fullmatch(name)]

    def __getitem__(self, name: str) -> bytes:
        if name not in self._sizes:
            raise InputError(_DAMAGED)
        with self._archive.open(name) as member:
            return member.read(self._sizes[name])

    def person(self, entry: Any, photo: str, parsing: str) -> SavedPerson:
        pose = poses.from_rows(entry["pose"])
        poses.bounding_box(pose)
        image = read_image(self[photo], max_bytes=file_format.MAX_DOCUMENT_BYTES)
        framing = _framing(entry["framing"], (image.shape[1], image.shape[0]))
        return SavedPerson(image, pose, check_parsing(read_parsing(self[parsing]), image.shape[:2]), framing)

    def held(self, entry: Any, name: str, size: tuple[int, int]) -> Held | None:
        """What somebody holds in a photo of ``size`` (H, W)."""
        carriers = entry["held"]
        if carriers is None:
            return None
        height, width = size
        picture = _decode_grey(self[name], (width, height))
        labels, below = picture & 15, picture >> 4
        if labels.max() > len(carriers) or below.max() > LAST or (below[labels == 0]).any():
            raise ValueError
        held = Held(labels, ("stays",) * len(_listed(carriers, MOST)), below if below.any() else None)
        return held.with_carriers(carriers)


def _read(members: _Members) -> SavedDocument:
    try:
        entries = json.loads(members["document.json"])
        form, version = entries["format"], entries["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(_DAMAGED) from None
    if form != file_format.FORMAT:
        raise InputError("that file is no .pise document; open a photo, or a file that was saved here")
    if type(version) is not int or not OLDEST <= version <= VERSION:
        known = f"this studio reads versions {OLDEST} to {VERSION}"
        raise InputError(f"that .pise file is of version {str(version)[:20]}, and {known}")
    try:
        migrate(entries)
        return _document(entries, members)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError):
        raise InputError(_DAMAGED) from None


def _document(entries: dict[str, Any], members: _Members) -> SavedDocument:
    person = members.person(entries["person"], "photo.png", "parsing.png")
    height, width = person.parsing.shape
    person = person._replace(held=members.held(entries["person"], "held.png", (height, width)))
    boxes: list[Box] = []
    for box in entries["people"]["boxes"][:100]:
        x0, y0, x1, y1 = (float(v) for v in box)
        boxes.append((x0, y0, x1, y1))
    if not np.isfinite(boxes).all():
        raise ValueError
    references: dict[str, tuple[str, SavedPerson]] = {}
    for n, entry in enumerate(_listed(entries["references"], KEPT_LIMIT)):
        key = entry["id"]
        if not re.fullmatch(r"r\d{1,6}", key) or key in references:
            raise ValueError
        reference = members.person(entry, f"references/{n}.png", f"references/{n}-parsing.png")
        references[key] = str(entry["name"])[:60], reference
    layers: dict[Any, PaintLayer | None] = {}
    size = working_size(width, height)

    def layer_of(number: Any) -> PaintLayer | None:
        if number is not None and number not in layers:
            layers[number] = _decode_paint(members[f"paint/{int(number)}.png"], size)
        return None if number is None else layers[number]

    def history_of(entry: Any, known: SavedPerson) -> tuple[list[Edits], int]:
        history: list[Edits] = []
        for step in _listed(entry["history"], HISTORY_LIMIT + 1):
            pose, before = _pose(step["pose"]), history[-1] if history else Edits()
            paint = _paint(layer_of(step["paint"]), step["painted_at"], pose, before.paint)
            retouch = _paint(layer_of(step["retouch"]), step["retouched_at"], pose, before.retouch)
            removed = frozenset(_listed(step["removed"], KEPT_LIMIT)) & references.keys()
            styles, recolour = _styles(step["styles"], references), checked_recolours(step["recolour"])
            worn = _worn(step["wear"], references)
            things, carriers = layer_of(step["things"]), _listed(step["held"], MOST)
            held = _held_by(known, things) if carriers else None
            carriers = () if held is None else held.with_carriers(carriers).carriers
            moved = _motion(step["motion"])
            history.append(Edits(pose, paint, styles, moved, removed, recolour, worn, carriers, retouch, things))
        position = entry["position"]
        if type(position) is not int or not 0 <= position < len(history):
            raise ValueError
        return history, position

    history, position = history_of(entries, person)
    chosen = _index(entries["people"]["chosen"])
    others = []
    for n, entry in enumerate(_listed(entries["others"], PEOPLE_LIMIT - 1)):
        parsing = check_parsing(read_parsing(members[f"people/{n}.png"]), (height, width))
        pose = poses.from_rows(entry["pose"])
        poses.bounding_box(pose)
        held = members.held(entry, f"people/{n}-held.png", (height, width))
        known = SavedPerson(person.photo, pose, parsing, _framing(entry["framing"], (width, height)), held)
        others.append(SavedEdits(known, _index(entry["chosen"]), *history_of(entry, known)))
    edited = _index(entries["edited"])
    if edited > len(others):
        raise ValueError
    name = harmless(str(entries["name"]))
    backend, background = (str(entries[key])[:60] for key in ("backend", "background"))
    return SavedDocument(
        name, person, boxes, chosen, references, history, position, tuple(others), edited, backend, background
    )


def _held_by(person: SavedPerson, things: PaintLayer | None) -> Held | None:
    """What somebody holds by what was painted in a step."""
    if things is None:
        return person.held
    marks = resize_labels(things.labels(), (person.photo.shape[1], person.photo.shape[0]))
    return painted(person.held, marks, person.parsing, person.pose, person.framing.scale)[0]


def _index(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _pose(value: Any) -> np.ndarray | None:
    return None if value is None else poses.from_rows(value)


def _paint(layer: PaintLayer | None, painted_at: Any, pose: np.ndarray | None, before: Paint | None) -> Paint | None:
    """The paint of a step; that of the step before if it is the same, so that it is carried by the same parts."""
    if layer is None:
        return None
    at = _pose(painted_at)
    if same_pose(at, pose):
        at = pose
    if before is not None and before.layer is layer and same_pose(before.pose, at):
        return before
    return Paint(layer, at)


def _listed(value: Any, limit: int) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > limit:
        raise ValueError
    return value


def _styles(value: Any, references: dict[str, Any]) -> dict[str, dict[str, float]]:
    styles = {
        region: {key: float(weight) for key, weight in mix.items() if key in references}
        for region, mix in value.items()
        if region in REGIONS[1:]
    }
    for mix in styles.values():
        if not all(0 <= weight <= 1 for weight in mix.values()) or sum(mix.values()) > 1 + 1e-6:
            raise ValueError
    return styles


def _worn(value: Any, references: dict[str, Any]) -> dict[str, str]:
    if not value.keys() <= set(GARMENTS):
        raise ValueError
    return {region: key for region, key in value.items() if key in references}


def _motion(value: Any) -> Motion:
    seconds = float(value["seconds"])
    if not 0.1 <= seconds <= 5:
        raise ValueError
    keys = tuple(poses.from_rows(key) for key in _listed(value["keys"], KEY_LIMIT))
    times, easing = tuple(float(time) for time in _listed(value["times"], KEY_LIMIT)), value["easing"]
    if easing not in EASINGS or len(times) not in (0, len(keys)):
        raise ValueError
    if not all(LEAST_PACE <= time <= MOST_PACE for time in times):
        raise ValueError
    return Motion(keys, seconds, value["loop"] is True, times, easing)


def _framing(value: Any, size: tuple[int, int]) -> Framing:
    """The frame over a photo of ``size`` (W, H); it must see some of the photo, at a scale that makes sense."""
    scale, dx, dy = (float(v) for v in value)
    if not np.isfinite([scale, dx, dy]).all() or not 32 / max(size) < scale < 64:
        raise ValueError
    height, width = FRAME_SIZE
    if not (-size[0] * scale < dx < width and -size[1] * scale < dy < height):
        raise ValueError
    return Framing(size, scale, dx, dy)


def _decode_paint(data: bytes, size: tuple[int, int]) -> PaintLayer | None:
    return PaintLayer.of(_decode_grey(data, size))


def _decode_grey(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """(H, W) uint8 of a PNG of ``size`` (W, H) and mode L."""
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG",))
        if image.size == size and image.mode == "L":
            return np.array(image)
    except Exception as error:  # Damaged data makes the decoder raise anything
        raise ValueError from error
    raise ValueError
