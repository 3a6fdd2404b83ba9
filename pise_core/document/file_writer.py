"""Writing a ``.pise`` file; what is in it is told in :mod:`pise_core.document.file_format`."""

import io
import json
import zipfile
from typing import Any

import numpy as np
from PIL import Image

from pise_core import pose as poses
from pise_core.document import file_format
from pise_core.document.edits import Edits, Paint
from pise_core.document.file_format import SavedDocument
from pise_core.document.migrations import VERSION
from pise_core.document.paint import PaintLayer
from pise_core.errors import InputError
from pise_core.images import encode_image, encode_parsing
from pise_core.person import SavedPerson
from pise_core.regions import REGIONS


def write(document: SavedDocument) -> bytes:
    """The bytes of the file; references that were removed are in it, for an undo, unless it would be too large then.

    Raises:
        InputError: if they would be more than can be opened again.
    """
    try:
        return _write(document)
    except InputError:
        smaller = document.without_removed()
        if len(smaller.references) == len(document.references):
            raise
        return _write(smaller)


def write_edits(document: SavedDocument) -> bytes:
    """The bytes of the same file without its pictures, small and quick to make; together with a file that has them,
    :func:`pise_core.document.file_reader.join` opens it.

    Raises:
        InputError: if it would be more than can be opened again.
    """
    return _write(document, pictures=False)


def _write(document: SavedDocument, pictures: bool = True) -> bytes:
    members: dict[str, bytes] = {}

    def put(person: SavedPerson, photo: str, parsing: str) -> dict[str, Any]:
        if pictures:
            members[photo], members[parsing] = encode_image(person.photo), encode_parsing(person.parsing)
        return _seen(person)

    def put_held(person: SavedPerson, name: str) -> dict[str, Any]:
        if person.held is not None and pictures:
            labels, below = person.held.labels, person.held.below
            members[name] = _encode_grey(labels if below is None else labels | below << 4)
        return {"held": None if person.held is None else list(person.held.carriers)}

    paints: list[PaintLayer] = []

    def put_layer(layer: PaintLayer) -> int:
        if layer not in paints:
            members[f"paint/{len(paints)}.png"] = _encode_paint(layer)
            paints.append(layer)
        return paints.index(layer)

    def put_paint(paint: Paint | None) -> tuple[int | None, Any]:
        if paint is None:
            return None, None
        return put_layer(paint.layer), None if paint.pose is None else _rows(paint.pose)

    def step_of(edits: Edits) -> dict[str, Any]:
        number, painted_at = put_paint(edits.paint)
        pose = None if edits.pose is None else _rows(edits.pose)
        motion = {"keys": [_rows(key) for key in edits.motion.keys], "seconds": edits.motion.seconds}
        motion |= {"loop": edits.motion.loop, "times": list(edits.motion.times), "easing": edits.motion.easing}
        step = {"pose": pose, "paint": number, "painted_at": painted_at, "styles": edits.styles, "motion": motion}
        step["wear"], step["held"] = edits.wear, list(edits.held)
        step["retouch"], step["retouched_at"] = put_paint(edits.retouch)
        step["things"] = None if edits.things is None else put_layer(edits.things)
        step["recolour"] = {region: change.to_dict() for region, change in edits.recolour.items()}
        return step | {"removed": sorted(edits.removed & document.references.keys())}

    steps = [step_of(edits) for edits in document.history]
    others = []
    for n, other in enumerate(document.others):
        if pictures:
            members[f"people/{n}.png"] = encode_parsing(other.person.parsing)
        entry = {"chosen": other.chosen, "position": other.position} | _seen(other.person)
        entry |= put_held(other.person, f"people/{n}-held.png")
        others.append(entry | {"history": [step_of(edits) for edits in other.history]})
    references = [
        {"id": key, "name": name, "held": None} | put(person, f"references/{n}.png", f"references/{n}-parsing.png")
        for n, (key, (name, person)) in enumerate(document.references.items())
    ]
    entries = {
        "format": file_format.FORMAT,
        "version": VERSION,
        "name": document.name,
        "regions": REGIONS,
        "person": put(document.person, "photo.png", "parsing.png") | put_held(document.person, "held.png"),
        "people": {"boxes": document.boxes, "chosen": document.chosen},
        "references": references,
        "history": steps,
        "position": document.position,
        "others": others,
        "edited": document.edited,
        "backend": document.backend,
        "background": document.background,
    }
    text = json.dumps(entries).encode()
    pixels = sum(file_format.pixels_of(data) for data in members.values())
    if len(text) > file_format.MAX_JSON_BYTES or pixels > file_format.MAX_DOCUMENT_PIXELS:
        raise InputError("the document holds more than can be opened again; remove a reference first")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_member("document.json"), text, zipfile.ZIP_DEFLATED)
        for name, data in members.items():  # PNG is compressed already
            archive.writestr(_member(name), data)
    limit = file_format.MAX_DOCUMENT_BYTES
    if max(buffer.tell(), len(text) + sum(map(len, members.values()))) > limit:
        raise InputError(f"the document is larger than {limit / 1e6:g} MB; remove a reference first")
    return buffer.getvalue()


def _member(name: str) -> zipfile.ZipInfo:
    """Of the first day that zip knows: the same document is the same bytes whenever it is saved."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o600 << 16
    return info


def _seen(person: SavedPerson) -> dict[str, Any]:
    """What is known of somebody, beside pictures."""
    framing = person.framing
    return {"pose": _rows(person.pose), "framing": [framing.scale, framing.dx, framing.dy]}


def _rows(pose: np.ndarray) -> list[list[float] | None]:
    """All digits, so that the picture is the same when the document is opened again."""
    return [[float(v) for v in row] if ok else None for row, ok in zip(pose, poses.visible(pose), strict=True)]


def _encode_paint(paint: PaintLayer) -> bytes:
    return _encode_grey(paint.labels())


def _encode_grey(labels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(labels).save(buffer, "PNG")
    return buffer.getvalue()
