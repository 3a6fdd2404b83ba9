"""The picture of a document as files for others: JPEG and WebP of any quality, cut out, in layers."""

import os
from pathlib import Path

import numpy as np

from pise_core import provenance
from pise_core.document.document import Document
from pise_core.document.edits import Edits
from pise_core.errors import InputError
from pise_core.files import write_file
from pise_core.images import encode_image
from pise_core.openraster import RasterLayer, encode_openraster
from pise_core.person import Layer, Person

#: Kinds of files by their suffix, and those that can be transparent.
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".ora")
_TRANSPARENT = (".png", ".webp", ".ora")


def exported(
    document: Document,
    suffix: str,
    quality: int | None = None,
    cut_out: bool = False,
    edits: Edits | None = None,
) -> bytes:
    """The bytes of a file of the edited picture.

    Args:
        document: whose picture it is.
        suffix: ``.png``, ``.jpg``, ``.webp`` or ``.ora``, the last in layers: the background without the person, and
            the person's parts.
        quality: 1 to 100, of ``.jpg`` (95) and ``.webp`` (lossless).
        cut_out: the person alone, transparent around, in all but ``.jpg``.
        edits: by default the current ones.

    Raises:
        InputError: on another suffix, or what that kind of file can't hold.
    """
    suffix = suffix.lower()
    check_export(suffix, quality, cut_out)
    edits = edits or document.edits
    rendered = document.render(edits)
    if suffix != ".ora" and not cut_out:
        return encode_image(rendered.photo, suffix, not edits.none, quality)
    person = shown(document, edits)
    if suffix == ".ora":
        return _layered(person, rendered.photo, cut_out, not edits.none)
    return encode_image(_cut_out(person), suffix, not edits.none, quality)


def check_export(suffix: str, quality: int | None = None, cut_out: bool = False) -> None:
    """What :func:`exported` refuses, known before anything is rendered; raises as that."""
    suffix = suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"can't write a picture as {suffix!r}; use {', '.join(SUFFIXES)}")
    if quality is not None and suffix not in (".jpg", ".jpeg", ".webp"):
        raise InputError(f"{suffix} keeps every pixel and has no quality; use .jpg or .webp")
    if quality is not None and (isinstance(quality, bool) or not 1 <= quality <= 100):
        raise InputError("the quality is a whole number from 1 to 100")
    if cut_out and suffix not in _TRANSPARENT:
        raise InputError(f"{suffix} can't be transparent; use {', '.join(_TRANSPARENT)}")


def export(document: Document, path: str | os.PathLike[str], quality: int | None = None, cut_out: bool = False) -> None:
    """Write :func:`exported`; raises as that, or if the file can't be written."""
    write_file(path, exported(document, Path(path).suffix, quality, cut_out))


def shown(document: Document, edits: Edits) -> Person:
    """The person as if the edited picture were their photo, with what they hold."""
    person = document.holder(edits)
    if edits.none:
        return person
    rendered, pose, held = document.render(edits), document.pose_of(edits), person.held
    if held is not None and edits.pose is not None:
        held = held.moved(person.pose, pose)
    made = person.editor.set_person(
        rendered.photo, pose=pose, parsing=rendered.parsing, framing=person.framing, held=held
    )
    made.__dict__["plate"] = person.plate  # what was seen behind them before counts
    return made


def _of_body(person: Person) -> list[Layer]:
    """The layers of the person alone: neither the background nor the shadow that lies on it."""
    return [layer for layer in person.layers[1:] if not layer.name.endswith("_shadow")]


def _cut_out(person: Person) -> np.ndarray:
    """(H, W, 4) uint8: the person in their own colours, transparent around."""
    height, width = person.parsing.shape
    out = np.zeros((height, width, 4), np.uint8)
    for layer in _of_body(person):
        part, below = layer.image, out[layer.window]
        share, under = part[..., 3:] / 255.0, below[..., 3:] / 255.0
        total = share + under * (1 - share)
        colours = (part[..., :3] * share + below[..., :3] * under * (1 - share)) / np.maximum(total, 1e-6)
        out[layer.window] = np.rint(np.concatenate([colours, 255 * total], axis=2))
    return out


def _layered(person: Person, photo: np.ndarray, cut_out: bool, edited: bool) -> bytes:
    layers = [
        RasterLayer(layer.name.replace("_", " "), layer.window[1].start, layer.window[0].start, layer.image)
        for layer in (_of_body(person) if cut_out else person.layers)
    ]
    merged = _cut_out(person) if cut_out else photo
    stamp = provenance.line_on(merged) if edited else None
    if stamp is not None:  # a layer of its own, over all others
        x, y, written = stamp
        opaque = np.full(written.shape[:2], 255, np.uint8)
        layers.append(RasterLayer("mark", x, y, np.dstack([written[..., :3], opaque])))
    return encode_openraster(layers, merged, encode_image(merged, ".png", edited))
