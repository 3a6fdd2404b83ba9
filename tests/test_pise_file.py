"""The ``.pise`` file: what was saved comes back, and whatever is not such a file is refused."""

import dataclasses
import io
import json
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pise_core.document import Edits, Motion, file_format
from pise_core.document.edits import Paint
from pise_core.document.file_format import SavedDocument, SavedEdits
from pise_core.document.file_reader import read
from pise_core.document.file_writer import write
from pise_core.document.migrations import VERSION
from pise_core.document.paint import UNTOUCHED, PaintLayer
from pise_core.errors import InputError
from pise_core.framing import Framing
from pise_core.images import MAX_PIXELS, encode_image
from pise_core.person import SavedPerson


def saved_person(drawn):
    size = drawn.photo.shape[1], drawn.photo.shape[0]
    return SavedPerson(drawn.photo, drawn.pose, drawn.parsing, Framing(size, 0.7123456789, 12.25, -3.5))


@pytest.fixture
def document(person, other_person):
    labels = np.full(person.parsing.shape, UNTOUCHED, np.uint8)
    labels[10:30, 40:60] = 4
    pose = person.pose + np.float32(1 / 3)
    pose[16] = np.nan, np.nan, 0
    layer = PaintLayer.of(labels)
    assert layer is not None
    paint = Paint(layer, pose)
    return SavedDocument(
        "me",
        saved_person(person),
        [(1.0, 2.0, 30.5, 40.25)],
        0,
        {"r3": ("friend", saved_person(other_person))},
        [
            Edits(),
            Edits(pose),
            Edits(pose, paint),
            Edits(None, paint, {"hair": {"r3": 0.25}}, Motion((pose, person.pose), 0.5, False)),
        ],
        2,
    )


def test_what_was_saved_comes_back(document):
    data = write(document)
    again = read(data)
    for before, after in [(document.person, again.person), (document.references["r3"][1], again.references["r3"][1])]:
        assert np.array_equal(before.photo, after.photo) and np.array_equal(before.parsing, after.parsing)
        assert np.array_equal(before.pose, after.pose) and before.framing == after.framing
    assert (again.name, again.boxes, again.chosen, again.position) == ("me", document.boxes, 0, 2)
    assert again.references["r3"][0] == "friend"
    assert again.history[0].none
    for step, same in zip(document.history[1:3], again.history[1:3], strict=True):
        assert step.pose is not None and same.pose is not None
        assert np.array_equal(step.pose, same.pose, equal_nan=True)
    mine, theirs = document.history[2].paint, again.history[2].paint
    assert mine is not None and theirs is not None and mine.pose is not None and theirs.pose is not None
    assert theirs.layer == mine.layer and np.array_equal(theirs.pose, mine.pose, equal_nan=True)
    assert again.history[3].paint is theirs  # painted in another pose than the step's own
    motion = again.history[3].motion
    assert (motion.seconds, motion.loop) == (0.5, False) and again.history[2].motion.keys == ()
    assert all(
        np.array_equal(a, b, equal_nan=True) for a, b in zip(motion.keys, document.history[3].motion.keys, strict=True)
    )
    assert again.history[3].pose is None and again.history[3].styles == {"hair": {"r3": 0.25}}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert sorted(archive.namelist()) == [
            "document.json", "paint/0.png", "parsing.png", "photo.png",
            "references/0-parsing.png", "references/0.png",
        ]  # fmt: skip


def test_a_file_of_the_first_version_opens(document):
    def first(values):
        values["version"] = 1
        for step in values["history"]:
            del step["painted_at"]

    steps = read(rewritten(write(document), first)).history
    second, third = steps[2].paint, steps[3].paint
    assert second is not None and third is not None and second.layer == document.history[2].paint.layer
    assert second.pose is steps[2].pose and third.pose is None  # where the step itself was


def rewritten(data, change=None, compression=zipfile.ZIP_DEFLATED, **members):
    """The file with its JSON changed, and members added, replaced or (None) left out."""
    source = zipfile.ZipFile(io.BytesIO(data))
    all_members = {info.filename: source.read(info) for info in source.infolist()}
    if change:
        values = json.loads(all_members["document.json"])
        change(values)
        all_members["document.json"] = json.dumps(values).encode()
    all_members |= {name.replace("__", "/").replace("_", "."): data for name, data in members.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in all_members.items():
            if data is not None:
                archive.writestr(name, data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(version=9), "version 9"),
        (lambda d: d.update(version="2"), "version 2"),
        (lambda d: d.update(format="other"), "no .pise document"),
        (lambda d: d.update(position=4), "damaged"),
        (lambda d: d.update(history=[]), "damaged"),
        (lambda d: d.update(history=d["history"] * 100), "damaged"),
        (lambda d: d.pop("people"), "damaged"),
        (lambda d: d["person"].update(pose=[None] * 18), "damaged"),
        (lambda d: d["person"].update(framing=[1e-9, 0, 0]), "damaged"),
        (lambda d: d["person"].update(framing=[1, 1e6, 0]), "damaged"),
        (lambda d: d["history"][2].update(paint="../../x"), "damaged"),
        (lambda d: d["history"][2].update(paint=7), "damaged"),
        (lambda d: d["history"][3].update(styles={"hair": {"r3": 7}}), "damaged"),
        (lambda d: d["history"][3]["motion"].update(seconds=-1), "damaged"),
        (lambda d: d["history"][3]["motion"].update(times=[1.0]), "damaged"),
        (lambda d: d["history"][3]["motion"].update(times=[1.0, 99.0]), "damaged"),
        (lambda d: d["history"][3]["motion"].update(easing="bouncing"), "damaged"),
        (lambda d: d["references"][0].update(id="../r"), "damaged"),
    ],
)
def test_json_that_makes_no_sense_is_refused(document, change, message):
    with pytest.raises(InputError, match=message):
        read(rewritten(write(document), change))


def test_damaged_and_foreign_files_are_refused(document, monkeypatch):
    data = write(document)
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 0xFF
    photo = encode_image(document.person.photo)
    start = data.index(b"PK\x01\x02")  # the directory's first entry, whose name is said to be UTF-8 and is not
    utf8 = bytearray(data)
    utf8[start + 9] |= 0x08
    utf8[start + 46] = 0xFF
    utf8 = bytes(utf8)
    small = encode_image(np.zeros((20, 20, 3), np.uint8))
    cases = [
        data[: len(data) // 2],
        bytes(flipped),
        b"PK\x03\x04",
        rewritten(data, photo_png=None),
        rewritten(data, photo_png=b"no picture"),
        rewritten(data, paint__0_png=small),
        rewritten(data, stranger_png=b"x"),
        rewritten(data, photo_png=encode_image(document.person.photo, ".jpg")),
        rewritten(data, photo_png=photo[:8] + b"\0\0\0\0tEXt\0\0\0\0" + photo[8:]),  # its size is not where it belongs
        rewritten(data, compression=zipfile.ZIP_LZMA),
        utf8,
        rewritten(data, document_json=b"[1]"),
    ]
    for case in cases:
        with pytest.raises(InputError, match="damaged"):
            read(case)
    with pytest.raises(InputError, match="no .pise document"):
        read(rewritten(data, document_json=None))
    with pytest.raises(InputError, match="more than 200 MB"):
        read(rewritten(data, photo_png=bytes(210_000_000)))
    monkeypatch.setattr(file_format, "MAX_DOCUMENT_PIXELS", 10_000)
    with pytest.raises(InputError, match="megapixels"):
        read(data)


def test_a_document_that_could_not_be_opened_again_is_not_written(document, monkeypatch):
    monkeypatch.setattr(file_format, "MAX_DOCUMENT_BYTES", 1000)
    with pytest.raises(InputError, match="remove a reference"):
        write(dataclasses.replace(document, references={}))


def test_where_there_is_no_room_removed_references_are_left_out(document, monkeypatch):
    borrowed = document.history[3]
    removed = dataclasses.replace(borrowed, styles={}, removed=frozenset({"r3"}))
    document = dataclasses.replace(document, history=[borrowed, removed], position=1)
    again = read(write(document))
    assert list(again.references) == ["r3"] and again.history[1].removed == {"r3"}
    assert again.history[0].styles == {"hair": {"r3": 0.25}} and not again.history[0].removed
    monkeypatch.setattr(file_format, "MAX_DOCUMENT_PIXELS", 3 * document.person.parsing.size)
    again = read(write(document))
    assert not again.references and not again.history[0].styles and not again.history[1].removed


def test_what_would_be_refused_is_not_written(document, monkeypatch):
    monkeypatch.setattr(file_format, "MAX_DOCUMENT_PIXELS", 10_000)
    with pytest.raises(InputError, match="remove a reference"):
        write(document)


def test_eight_references_in_the_largest_photos_can_be_opened_again():
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">2I", 5000, MAX_PIXELS // 5000)
    names = ["photo", "parsing", *(f"references/{n}{part}" for n in range(8) for part in ("", "-parsing"))]

    def refused(names):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in {"document.json": b"{}", **{f"{name}.png": header for name in names}}.items():
                archive.writestr(name, data)
        with pytest.raises(InputError) as error:
            read(buffer.getvalue())
        return str(error.value)

    assert "damaged" in refused(names)  # for the pictures have nothing but headers
    assert "megapixels" in refused(names + [f"paint/{n}" for n in range(5)])


#: Written by the last build of version 2 (commit 683fe59), of a bundled example.
VERSION_2 = Path(__file__).parent / "files" / "version-2.pise"


def test_files_of_version_2_open():
    saved = read(VERSION_2)
    assert (saved.name, saved.position, len(saved.history)) == ("example", 3, 5)
    assert saved.person.photo.shape == (224, 154, 3) and saved.references["r1"][0] == "mirrored"
    assert [edits.paint is not None for edits in saved.history] == [False, False, True, True, True]
    paint = saved.history[2].paint
    assert (
        paint is not None and paint.pose is saved.history[2].pose and set(np.unique(paint.layer.labels())) == {4, 255}
    )
    assert saved.history[3].styles == {"upper_clothes": {"r1": 0.5}} and len(saved.history[4].motion.keys) == 2
    assert not saved.others and not any(edits.recolour or edits.removed for edits in saved.history)
    again = read(write(saved))
    assert np.array_equal(again.person.parsing, saved.person.parsing)
    assert all(a.same(b) for a, b in zip(saved.history, again.history, strict=True))


def test_files_of_version_3_open():
    """Written by the last build of version 3: the one above, with a step that recolours."""
    saved = read(VERSION_2.with_name("version-3.pise"))
    assert (saved.name, saved.position, len(saved.history)) == ("example", 5, 6)
    assert list(saved.history[5].recolour) == ["upper_clothes"] and not any(edits.wear for edits in saved.history)
    assert all(a.same(b) for a, b in zip(saved.history, read(write(saved)).history, strict=True))


def test_files_of_version_4_open():
    """Written by the last build of version 4, of the one above."""
    saved = read(VERSION_2.with_name("version-4.pise"))
    assert (saved.name, saved.position, len(saved.history)) == ("example", 5, 6)
    assert saved.person.held is None and not any(edits.held for edits in saved.history)
    assert all(a.same(b) for a, b in zip(saved.history, read(write(saved)).history, strict=True))


def test_files_of_version_5_open():
    """Written by the last build of version 5: the one above, with a held thing that stays."""
    saved = read(VERSION_2.with_name("version-5.pise"))
    assert (saved.name, saved.position, len(saved.history), saved.backend) == ("example", 6, 7, "torch")
    assert saved.person.held is not None and saved.history[6].held == ("stays",)
    assert not any(edits.retouch for edits in saved.history)
    assert all(a.same(b) for a, b in zip(saved.history, read(write(saved)).history, strict=True))


def test_files_of_version_6_open():
    """Written by the last build of version 6: the one above, with a place that is healed."""
    saved = read(VERSION_2.with_name("version-6.pise"))
    assert (saved.name, saved.position, len(saved.history)) == ("example", 7, 8)
    assert saved.history[7].retouch is not None and saved.person.held is not None
    assert saved.person.held.below is None and not any(edits.things for edits in saved.history)
    assert all(a.same(b) for a, b in zip(saved.history, read(write(saved)).history, strict=True))


def test_files_of_version_7_open():
    """Written by the last build of version 7: the one above, with a held thing that was painted."""
    saved = read(VERSION_2.with_name("version-7.pise"))
    assert (saved.name, saved.position, len(saved.history), saved.background) == ("example", 8, 9, "")
    assert saved.history[8].things is not None
    assert all(a.same(b) for a, b in zip(saved.history, read(write(saved)).history, strict=True))
    named = dataclasses.replace(saved, background="LaMa")
    assert read(write(named)).background == "LaMa"


def test_what_a_file_holds_is_tied_to_its_version(document):
    """Whoever changes these raises the version by a step in ``migrations``, and keeps a file of the version before."""
    other = SavedEdits(document.person, 1, document.history, 3)
    data = write(dataclasses.replace(document, others=(other,)))
    entries = json.loads(zipfile.ZipFile(io.BytesIO(data)).read("document.json"))
    known = {"pose", "framing", "held"}
    assert entries["version"] == VERSION == 8
    assert entries.keys() == {
        "format", "version", "name", "regions", "person", "people", "references", "history", "position", "others",
        "edited", "backend", "background",
    }  # fmt: skip
    assert entries["person"].keys() == known and entries["references"][0].keys() == known | {"id", "name"}
    assert entries["others"][0].keys() == known | {"chosen", "position", "history"}
    for step in (*entries["history"], *entries["others"][0]["history"]):
        assert step["motion"].keys() == {"keys", "seconds", "loop", "times", "easing"}
        assert step.keys() == {
            "pose", "paint", "painted_at", "styles", "motion", "recolour", "removed", "wear", "held", "retouch",
            "retouched_at", "things",
        }  # fmt: skip


def test_several_people_come_back_with_their_edits(document, other_person):
    labels = np.full(document.person.parsing.shape, UNTOUCHED, np.uint8)
    labels[5:9, 5:9] = 2
    layer = PaintLayer.of(labels)
    assert layer is not None
    parsing = np.ascontiguousarray(document.person.parsing[:, ::-1])
    person = document.person._replace(pose=document.person.pose + 1, parsing=parsing)
    other = SavedEdits(person, 1, [Edits(), Edits(None, Paint(layer, None), {"hair": {"r3": 1.0}})], 1)
    again = read(write(dataclasses.replace(document, others=(other,), edited=1)))
    (read_again,) = again.others
    assert again.edited == 1 and (read_again.chosen, read_again.position) == (1, 1)
    assert np.array_equal(read_again.person.parsing, parsing) and np.array_equal(read_again.person.pose, person.pose)
    assert read_again.person.photo is again.person.photo
    assert all(a.same(b) for a, b in zip(other.history, read_again.history, strict=True))
    assert all(a.same(b) for a, b in zip(document.history, again.history, strict=True))


@pytest.mark.parametrize("change", [{"edited": 2}, {"edited": -1}, {"others": [{}]}, {"others": None}])
def test_people_that_make_no_sense_are_refused(document, change):
    data = write(dataclasses.replace(document, others=(SavedEdits(document.person, 1, [Edits()], 0),)))
    with pytest.raises(InputError, match="damaged"):
        read(rewritten(data, lambda values: values.update(change)))
