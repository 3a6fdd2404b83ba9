"""The ``.pise`` file: a document in a zip of JSON and PNG, to be opened again here or read by anybody.

====================== =============================================================================
``document.json``      format, version, name, the person, people found, references, history, position
``photo.png``          the photo at full size
``parsing.png``        its regions, mode P
``references/N.png``   the photo of the Nth reference, and ``references/N-parsing.png`` its regions
``paint/N.png``        the Nth painted layer of the history, mode L: a region 0..7, or 255 where nothing is painted
====================== =============================================================================

Whatever is opened is untrusted: names come from the list above, sizes are checked before anything is unpacked.
"""

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from app.names import harmless
from app.paint import WORKING_SIDE, PaintLayer, working_size
from app.session import HISTORY_LIMIT, KEY_LIMIT, REFERENCE_LIMIT, Box, Edits, Motion
from pise_core import pose as poses
from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE, Framing
from pise_core.images import MAX_PIXELS, encode_image, encode_parsing, read_image, read_parsing
from pise_core.regions import REGIONS

FORMAT, VERSION = "pise-studio", 1
#: Of the file, and of all that is in it.
MAX_DOCUMENT_BYTES = 200_000_000
_MAX_JSON_BYTES = 4_000_000
#: Of all its pictures together: as many as a session can hold, photos with their regions and painted layers.
_MAX_DOCUMENT_PIXELS = 2 * (1 + REFERENCE_LIMIT) * MAX_PIXELS + (HISTORY_LIMIT + 1) * WORKING_SIDE**2
_MEMBER = re.compile(r"document\.json|(photo|parsing|references/\d{1,2}(-parsing)?|paint/\d{1,3})\.png")
_DAMAGED = "that .pise file is damaged; save it again where it still opens"


class SavedPerson(NamedTuple):
    """A photo and what was found out about the person in it: all that ``Editor.set_person`` needs to know her again."""

    photo: np.ndarray  # (H, W, 3) uint8
    pose: np.ndarray  # (18, 3) in pixels of the photo
    parsing: np.ndarray  # (H, W) uint8
    framing: Framing


@dataclass(frozen=True, eq=False)
class SavedDocument:
    """What a ``.pise`` file holds.

    Attributes:
        name: of the photo, without suffix; files are named after it.
        person: who is edited.
        boxes: everybody found in the photo, in its pixels; ``chosen`` is the index of who is edited.
        references: id -> name and person.
        history: the steps; ``position`` is the index of the current one.
    """

    name: str
    person: SavedPerson
    boxes: list[Box]
    chosen: int
    references: dict[str, tuple[str, SavedPerson]]
    history: list[Edits]
    position: int


def write(document: SavedDocument) -> bytes:
    """The bytes of the file.

    Raises:
        InputError: if they would be more than can be opened again.
    """
    members: dict[str, bytes] = {}

    def put(person: SavedPerson, photo: str, parsing: str) -> dict[str, Any]:
        members[photo], members[parsing] = encode_image(person.photo), encode_parsing(person.parsing)
        framing = person.framing
        return {"pose": _rows(person.pose), "framing": [framing.scale, framing.dx, framing.dy]}

    paints: list[PaintLayer] = []
    steps = []
    for edits in document.history:
        number = None
        if edits.paint is not None:
            if edits.paint not in paints:
                members[f"paint/{len(paints)}.png"] = _encode_paint(edits.paint)
                paints.append(edits.paint)
            number = paints.index(edits.paint)
        pose = None if edits.pose is None else _rows(edits.pose)
        motion = {"keys": [_rows(key) for key in edits.motion.keys], "seconds": edits.motion.seconds}
        motion["loop"] = edits.motion.loop
        steps.append({"pose": pose, "paint": number, "styles": edits.styles, "motion": motion})
    references = [
        {"id": key, "name": name} | put(person, f"references/{n}.png", f"references/{n}-parsing.png")
        for n, (key, (name, person)) in enumerate(document.references.items())
    ]
    contents = {
        "format": FORMAT,
        "version": VERSION,
        "name": document.name,
        "regions": REGIONS,
        "person": put(document.person, "photo.png", "parsing.png"),
        "people": {"boxes": document.boxes, "chosen": document.chosen},
        "references": references,
        "history": steps,
        "position": document.position,
    }
    text = json.dumps(contents).encode()
    if len(text) > _MAX_JSON_BYTES or sum(_pixels(data) for data in members.values()) > _MAX_DOCUMENT_PIXELS:
        raise InputError("the document holds more than can be opened again; remove a reference first")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("document.json", text, zipfile.ZIP_DEFLATED)
        for name, data in members.items():  # PNG is compressed already
            archive.writestr(name, data)
    if max(buffer.tell(), len(text) + sum(map(len, members.values()))) > MAX_DOCUMENT_BYTES:
        raise InputError(f"the document is larger than {MAX_DOCUMENT_BYTES / 1e6:g} MB; remove a reference first")
    return buffer.getvalue()


def is_document(path: str | Path) -> bool:
    """Whether the bytes at ``path`` begin like a zip."""
    with open(path, "rb") as file:
        return file.read(4) == b"PK\x03\x04"


def read(source: str | Path | bytes) -> SavedDocument:
    """Open a ``.pise`` file.

    Raises:
        InputError: if it is damaged, of another kind or version, or larger than it may be.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            return _read(_Members(archive))
    except InputError:
        raise
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
        raise InputError(_DAMAGED) from None


def _pixels(data: bytes) -> int:
    """How many a PNG holds, from its first 24 bytes.

    Raises:
        ValueError: if they are not those of a PNG.
    """
    if len(data) < 24 or data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        raise ValueError("no PNG")
    width, height = struct.unpack_from(">2I", data, 16)
    return width * height


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
        if sum(self._sizes.values()) > MAX_DOCUMENT_BYTES or self._sizes["document.json"] > _MAX_JSON_BYTES:
            raise InputError(f"that .pise file unpacks to more than {MAX_DOCUMENT_BYTES / 1e6:g} MB and is not opened")
        # A small PNG may hold a huge picture: all headers are looked at before the first is decoded.
        pixels = 0
        for name in self._sizes.keys() - {"document.json"}:
            with archive.open(name) as member:
                pixels += _pixels(member.read(24))
        if pixels > _MAX_DOCUMENT_PIXELS:
            raise InputError(
                f"that .pise file holds more than {_MAX_DOCUMENT_PIXELS / 1e6:g} megapixels and is not opened"
            )

    def __getitem__(self, name: str) -> bytes:
        if name not in self._sizes:
            raise InputError(_DAMAGED)
        with self._archive.open(name) as member:
            return member.read(self._sizes[name])

    def person(self, entry: Any, photo: str, parsing: str) -> SavedPerson:
        pose = poses.from_rows(entry["pose"])
        poses.bounding_box(pose)
        image = read_image(self[photo], max_bytes=MAX_DOCUMENT_BYTES)
        framing = _framing(entry["framing"], (image.shape[1], image.shape[0]))
        return SavedPerson(image, pose, read_parsing(self[parsing], image.shape[:2]), framing)


def _read(members: _Members) -> SavedDocument:
    try:
        contents = json.loads(members["document.json"])
        form, version = contents["format"], contents["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(_DAMAGED) from None
    if form != FORMAT:
        raise InputError("that file is no .pise document; open a photo, or a file that was saved here")
    if version != VERSION:
        raise InputError(f"that .pise file is of version {str(version)[:20]}, and this studio reads version {VERSION}")
    try:
        return _document(contents, members)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError):
        raise InputError(_DAMAGED) from None


def _document(contents: dict[str, Any], members: _Members) -> SavedDocument:
    person = members.person(contents["person"], "photo.png", "parsing.png")
    height, width = person.parsing.shape
    boxes: list[Box] = []
    for box in contents["people"]["boxes"][:100]:
        x0, y0, x1, y1 = (float(v) for v in box)
        boxes.append((x0, y0, x1, y1))
    if not np.isfinite(boxes).all():
        raise ValueError
    references: dict[str, tuple[str, SavedPerson]] = {}
    for n, entry in enumerate(_listed(contents["references"], REFERENCE_LIMIT)):
        key = entry["id"]
        if not re.fullmatch(r"r\d{1,6}", key) or key in references:
            raise ValueError
        reference = members.person(entry, f"references/{n}.png", f"references/{n}-parsing.png")
        references[key] = str(entry["name"])[:60], reference
    steps = _listed(contents["history"], HISTORY_LIMIT + 1)
    size = working_size(width, height)
    numbers = {step["paint"] for step in steps if step["paint"] is not None}
    paints = {number: _decode_paint(members[f"paint/{int(number)}.png"], size) for number in numbers}
    history = [
        Edits(
            None if step["pose"] is None else poses.from_rows(step["pose"]),
            None if step["paint"] is None else paints[step["paint"]],
            _styles(step["styles"], references),
            _motion(step["motion"]),
        )
        for step in steps
    ]
    position = contents["position"]
    chosen = contents["people"]["chosen"]
    if type(position) is not int or not 0 <= position < len(history) or type(chosen) is not int or chosen < 0:
        raise ValueError
    return SavedDocument(harmless(str(contents["name"])), person, boxes, chosen, references, history, position)


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


def _motion(value: Any) -> Motion:
    seconds = float(value["seconds"])
    if not 0.1 <= seconds <= 5:
        raise ValueError
    return Motion(
        tuple(poses.from_rows(key) for key in _listed(value["keys"], KEY_LIMIT)), seconds, value["loop"] is True
    )


def _framing(value: Any, size: tuple[int, int]) -> Framing:
    """The frame over a photo of ``size`` (W, H); it must see some of the photo, at a scale that makes sense."""
    scale, dx, dy = (float(v) for v in value)
    if not np.isfinite([scale, dx, dy]).all() or not 32 / max(size) < scale < 64:
        raise ValueError
    height, width = FRAME_SIZE
    if not (-size[0] * scale < dx < width and -size[1] * scale < dy < height):
        raise ValueError
    return Framing(size, scale, dx, dy)


def _rows(pose: np.ndarray) -> list[list[float] | None]:
    """All digits, so that the picture is the same when the document is opened again."""
    return [[float(v) for v in row] if ok else None for row, ok in zip(pose, poses.visible(pose), strict=True)]


def _encode_paint(paint: PaintLayer) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(paint.labels()).save(buffer, "PNG")
    return buffer.getvalue()


def _decode_paint(data: bytes, size: tuple[int, int]) -> PaintLayer | None:
    try:
        image = Image.open(io.BytesIO(data), formats=("PNG",))
        if image.size == size and image.mode == "L":
            return PaintLayer.of(np.array(image))
    except Exception as error:  # Damaged data makes the decoder raise anything
        raise ValueError from error
    raise ValueError
