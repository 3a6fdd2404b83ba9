"""What the photo gate and the reader of documents give is what went in, or they refuse in one line; never another."""

import io
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from pise_core.document.edits import Edits, Motion, Paint
from pise_core.document.file_format import SavedDocument, SavedEdits
from pise_core.document.file_reader import read
from pise_core.document.file_writer import write
from pise_core.document.paint import UNTOUCHED, PaintLayer
from pise_core.errors import InputError
from pise_core.framing import Box, Framing
from pise_core.images import read_photo
from pise_core.person import SavedPerson
from pise_core.pose import visible
from pise_core.rendering.recolour import checked_recolours

_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

# ---- photos

#: EXIF's orientation -> how the picture was turned before it was stored.
_STORED = {
    1: lambda shown: shown,
    2: lambda shown: shown[:, ::-1],
    3: lambda shown: shown[::-1, ::-1],
    4: lambda shown: shown[::-1],
    5: lambda shown: shown.swapaxes(0, 1),
    6: lambda shown: np.rot90(shown, 1),
    7: lambda shown: shown[::-1, ::-1].swapaxes(0, 1),
    8: lambda shown: np.rot90(shown, -1),
}


def _stored(array: np.ndarray, kind: str, orientation: int) -> bytes:
    image = Image.fromarray(np.ascontiguousarray(_STORED[orientation](array)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings = {"PNG": {}, "WEBP": {"lossless": True, "exact": True}, "JPEG": {"quality": 98, "subsampling": 0}}[kind]
    buffer = io.BytesIO()
    image.save(buffer, kind, exif=exif, **settings)
    return buffer.getvalue()


def _smooth(random: np.random.Generator, size: tuple[int, int], channels: int) -> np.ndarray:
    """Waves, which JPEG keeps well: (H, W, channels) uint8."""
    ys, xs = np.mgrid[: size[0], : size[1]][..., None] / 10
    across, down, shift = random.uniform(-1, 1, (3, channels))
    return (127.5 + 127.4 * np.sin(across * xs + down * ys + 6 * shift)).astype(np.uint8)


@_SETTINGS
@given(
    number=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(16, 70), st.integers(16, 70)),
    holds=st.sampled_from(("RGB", "L", "LA", "RGBA", "P", "1", "I;16")),
    kind=st.sampled_from(("PNG", "WEBP", "JPEG")),
    orientation=st.integers(1, 8),
)
def test_a_photo_is_what_it_shows(number, size, holds, kind, orientation):
    random = np.random.default_rng(number)
    if holds not in {"JPEG": ("RGB", "L"), "WEBP": ("RGB", "RGBA")}.get(kind, (holds,)):
        kind = "PNG"
    channels = {"RGB": 3, "RGBA": 4, "LA": 2}.get(holds, 1)
    stored = _smooth(random, size, channels)
    shown = stored[..., :3] if channels > 2 else stored[..., :1].repeat(3, 2)
    tolerance = 12 if kind == "JPEG" else 0
    if channels in (2, 4):
        alpha = stored[..., -1:] / 255
        shown, tolerance = shown * alpha + 255 * (1 - alpha), 1
    if holds == "I;16":
        deep = (stored[..., 0].astype(np.uint16) << 8) + random.integers(0, 256, size, dtype=np.uint16)
        stored, shown, tolerance = deep[..., None], (deep / 257)[..., None].repeat(3, 2), 1
    if holds == "1":
        stored = stored > 127
        shown = stored.repeat(3, 2) * 255
    array = stored if channels > 1 else stored[..., 0]
    if holds == "P":
        palette = Image.fromarray(np.ascontiguousarray(_STORED[orientation](array)))
        colours = random.permutation(256).astype(np.uint8)
        palette.putpalette(np.stack([colours, 255 - colours, colours // 2], 1).tobytes())
        exif, buffer = Image.Exif(), io.BytesIO()
        exif[0x0112] = orientation
        palette.save(buffer, "PNG", exif=exif)
        data, shown = buffer.getvalue(), np.stack([colours, 255 - colours, colours // 2], 1)[array]
    else:
        data = _stored(array, kind, orientation)
    found = read_photo(data)
    assert found.shape == (*size, 3)
    assert np.abs(found - shown.astype(float)).max() <= tolerance


@_SETTINGS
@given(
    kind=st.sampled_from(("PNG", "WEBP", "JPEG")),
    orientation=st.integers(1, 8),
    kept=st.floats(0, 1),
    flipped=st.integers(0, 10**6),
)
def test_a_photo_that_lost_its_end_or_a_bit_is_whole_or_refused(kind, orientation, kept, flipped):
    """JPEG and WebP have no checksums, so that only what is cut off is asked of them."""
    shown = _smooth(np.random.default_rng(5), (40, 56), 3)
    data = _stored(shown, kind, orientation)
    damaged = bytearray(data[: int(kept * len(data))] if kind != "PNG" or flipped % 2 else data)
    if kind == "PNG" and damaged:
        damaged[flipped % len(damaged)] ^= 1 << flipped % 7
    try:
        found = read_photo(bytes(damaged))
    except InputError as error:
        assert "\n" not in str(error)
    else:
        # What says how it is turned may be what was damaged: then it lies as it is stored.
        lying = [shown, _STORED[orientation](shown)]
        tolerance = 12 if kind == "JPEG" else 0
        assert any(
            found.shape == other.shape and np.abs(found.astype(int) - other).max() <= tolerance for other in lying
        )


# ---- documents

_SIZE = (64, 48)  # rows, columns


def _pose(random: np.random.Generator) -> np.ndarray:
    pose = np.concatenate([random.uniform(-5, 60, (18, 2)), random.uniform(0.1, 1, (18, 1))], 1).astype(np.float32)
    pose[2:][random.random(16) < 0.3] = np.nan, np.nan, 0
    return pose


def _person(random: np.random.Generator) -> SavedPerson:
    photo = random.integers(0, 256, (*_SIZE, 3), dtype=np.uint8)
    parsing = random.integers(0, 8, _SIZE, dtype=np.uint8)
    return SavedPerson(
        photo, _pose(random), parsing, Framing((_SIZE[1], _SIZE[0]), 3.7, float(random.uniform(0, 20)), -4.5)
    )


def _history(random: np.random.Generator, references: list[str]) -> list[Edits]:
    history = [Edits()]
    for _ in range(random.integers(0, 5)):
        last = history[-1]
        choice = random.integers(5)
        if choice == 0:
            history.append(replace(last, pose=_pose(random)))
        elif choice == 1:
            labels = np.full(_SIZE, UNTOUCHED, np.uint8)
            labels[10:20, 5:9] = random.integers(0, 8)
            layer = PaintLayer.of(labels)
            assert layer is not None
            history.append(replace(last, paint=Paint(layer, last.pose)))
        elif choice == 2 and references:
            mix = {key: float(random.uniform(0, 0.5)) for key in references[:2]}
            history.append(replace(last, styles={"upper_clothes": mix}))
        elif choice == 3:
            change = {"pants": {"hue": float(random.uniform(-180, 180)), "lightness": 0.25}}
            history.append(replace(last, recolour=checked_recolours(change)))
        else:
            keys = tuple(_pose(random) for _ in range(random.integers(2, 5)))
            history.append(replace(last, motion=Motion(keys, float(random.uniform(0.1, 5)), bool(random.integers(2)))))
    return history


def _document(number: int) -> SavedDocument:
    random = np.random.default_rng(number)
    person = _person(random)
    references = {f"r{n + 1}": (f"name {n}", _person(random)) for n in range(random.integers(0, 3))}
    history = _history(random, list(references))
    others = []
    for n in range(random.integers(0, 3)):
        other = _person(random)._replace(photo=person.photo)
        steps = _history(random, [])
        others.append(SavedEdits(other, n + 1, steps, len(steps) - 1))
    boxes: list[Box] = [
        tuple(map(float, random.uniform(0, 48, 4)))  # type: ignore[misc]
        for _ in range(len(others) + 1)
    ]
    position = int(random.integers(len(history)))
    return SavedDocument("me", person, boxes, 0, references, history, position, tuple(others), len(others))


def _same_person(a: SavedPerson, b: SavedPerson) -> bool:
    arrays = ((a.photo, b.photo), (a.parsing, b.parsing), (visible(a.pose), visible(b.pose)))
    return (
        all(np.array_equal(x, y) for x, y in arrays)
        and np.array_equal(a.pose[visible(a.pose)], b.pose[visible(b.pose)])
        and a.framing == b.framing
    )


def _same_steps(a: list[Edits], b: list[Edits]) -> bool:
    return len(a) == len(b) and all(x.same(y) for x, y in zip(a, b, strict=True))


def _same(a: SavedDocument, b: SavedDocument) -> bool:
    plain = [(d.name, d.boxes, d.chosen, d.position, d.edited, list(d.references), len(d.others)) for d in (a, b)]
    return (
        plain[0] == plain[1]
        and all(_same_person(x, y) for x, y in zip(a.people, b.people, strict=True))
        and [name for name, _ in a.references.values()] == [name for name, _ in b.references.values()]
        and _same_steps(a.history, b.history)
        and all(
            (x.chosen, x.position) == (y.chosen, y.position) and _same_steps(x.history, y.history)
            for x, y in zip(a.others, b.others, strict=True)
        )
    )


@settings(_SETTINGS, max_examples=60)
@given(number=st.integers(0, 2**32 - 1))
def test_a_document_is_what_was_saved(number):
    document = _document(number)
    data = write(document)
    assert _same(read(data), document)
    assert write(read(data)) == data
    another = replace(
        document, position=0, history=[replace(document.history[0], pose=_pose(np.random.default_rng(1)))]
    )
    assert not _same(read(write(another)), document)


@settings(_SETTINGS, max_examples=150)
@given(number=st.integers(0, 3), place=st.integers(0, 10**7), bit=st.integers(0, 7), kept=st.floats(0.5, 1.0))
def test_a_document_that_lost_its_end_or_a_bit_is_whole_or_refused(number, place, bit, kept):
    document = _document(number)
    data = bytearray(write(document))
    if place % 3 == 0:
        del data[int(kept * len(data)) :]
    if data:
        data[place % len(data)] ^= 1 << bit
    try:
        found = read(bytes(data))
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert _same(found, document)
