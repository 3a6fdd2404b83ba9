"""What ``prepare deepfashion`` meets on the disks of others: maps with palettes, names in capitals, one picture in two
places, zip files that can't be read, runs that broke off."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from pise_core.cli.main import main
from pise_core.errors import InputError
from pise_core.training.data.deepfashion_pairs import DeepFashion
from pise_core.training.data.prepared_folder import load_samples
from tests.test_deepfashion import FLAT, PICTURES, Given, draw_archive

FIRST = FLAT["test"][0]
ORIGINAL = f"{PICTURES['test'][0]}.jpg"


@pytest.fixture
def given(tmp_path) -> Given:
    return draw_archive(tmp_path)


def refused(given: Given, capsys, *more: str, source=None) -> str:
    """The one line that prepare ends with."""
    assert given.prepare(*more, source=source) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return said


def zipped(given: Given):
    path = given.archive.with_name("img.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for picture in sorted(given.archive.rglob("*.jpg")):
            file.write(picture, f"img/{picture.relative_to(given.archive)}")
    return path


def test_maps_with_a_palette_are_their_labels(given):
    """Parsers such as SCHP write the colours of PASCAL's palette beside the labels."""
    assert given.prepare() == 0
    expected = {path.name: path.read_bytes() for path in (given.out / "parsing").iterdir()}
    for number, path in enumerate(given.maps.iterdir()):
        image = Image.fromarray(np.asarray(Image.open(path)))
        image.putpalette(
            [value for label in range(256) for value in (label * 128 % 256, label * 64 % 256, 7 + label % 9)]
        )
        if number % 2:
            image.save(path, bits=8)
        else:
            image.save(path)  # few colours are packed into fewer bits
        assert image.mode == "P" and len(image.getpalette() or ()) > 60
    assert given.prepare() == 0
    assert {path.name: path.read_bytes() for path in (given.out / "parsing").iterdir()} == expected


def test_maps_of_colours_and_damaged_maps_are_refused(given, capsys):
    path = given.maps / f"{FIRST}.png"
    labels = np.asarray(Image.open(path))
    Image.fromarray(np.stack([labels * 9, labels * 7, labels + 70], -1)).save(path)
    assert f"{FIRST}.png in {given.maps} is no map of regions" in refused(given, capsys)
    Image.fromarray(labels).save(path)
    path.write_bytes(path.read_bytes()[:-100])
    assert f"{FIRST}.png in {given.maps} is damaged or cut off" in refused(given, capsys)


def test_names_in_capitals_and_maps_in_a_zip_file(given):
    for folder in (given.archive, given.maps):
        for path in [path for path in folder.rglob("*") if path.is_file()]:
            path.rename(path.with_suffix(path.suffix.upper()))
    with zipfile.ZipFile(given.maps.with_suffix(".zip"), "w") as file:
        for path in given.maps.iterdir():
            file.write(path, f"cihp/{path.name}")
    for maps in (given.maps, given.maps.with_suffix(".zip")):
        assert given._replace(maps=maps).prepare() == 0
        assert sorted(p.name for p in (given.out / "images").iterdir()) == sorted(
            f"{name}.jpg" for names in FLAT.values() for name in names
        )


def test_one_picture_in_two_places(given, capsys):
    """The archive's larger pictures count for nothing; copies may lie there, but no others under the same name."""
    above = given.archive.parent
    for folder in ("img_highres", "img_highres_seg", "img_copy"):
        path = above / folder / ORIGINAL
        path.parent.mkdir(parents=True)
        path.write_bytes((given.archive / ORIGINAL).read_bytes())
    Image.new("RGB", (750, 1101)).save(above / "img_highres" / ORIGINAL)
    assert given.prepare(source=above) == 0
    assert (given.out / "images" / f"{FIRST}.jpg").read_bytes() == (given.archive / ORIGINAL).read_bytes()
    again = above / "train" / f"{FIRST}.jpg"
    again.parent.mkdir()
    Image.open(given.archive / ORIGINAL).save(again, quality=75)
    said = refused(given, capsys, source=above)
    assert f"img/{ORIGINAL}" in said and f"train/{FIRST}.jpg" in said and "are not the same file" in said


def test_one_map_in_two_places(given, capsys):
    (given.maps / "edges").mkdir()
    Image.new("L", (256, 256)).save(given.maps / "edges" / f"{FIRST}.png")
    assert f"edges/{FIRST}.png and {FIRST}.png in {given.maps} are not the same file" in refused(given, capsys)


def test_only_the_larger_pictures_are_no_source(given, capsys):
    above = given.archive.parent / "archive"
    above.mkdir()
    given.archive.rename(above / "img_highres")
    assert "(img_highres does not count)" in refused(given, capsys, source=above)


def test_zip_files_that_cannot_be_read(given, capsys):
    path = zipped(given)
    whole = path.read_bytes()
    # The archive is handed out under a password: the flag stands in the directory at the file's end.
    flag = whole.index(b"PK\x01\x02") + 8
    path.write_bytes(whole[:flag] + b"\x01" + whole[flag + 1 :])
    assert "encrypted, password required for extraction; unpack it, and give the folder" in refused(
        given, capsys, source=path
    )
    for at in (60, 2000):  # inside of the first picture
        path.write_bytes(whole[:at] + bytes(40) + whole[at + 40 :])
        said = refused(given, capsys, source=path)
        assert "img.zip is damaged (" in said and "fetch that file again" in said


def test_pictures_that_are_cut_off_are_found_at_once(given, capsys):
    path = given.archive / ORIGINAL
    path.write_bytes(path.read_bytes()[:-500])
    assert f"{FIRST}.jpg in {given.archive} is not a picture, or damaged" in refused(given, capsys)


def test_lists_with_a_byte_order_mark_are_read_and_others_refused(given, capsys):
    for path in given.lists.iterdir():
        path.write_text(path.read_text(), encoding="utf-8-sig")
    assert given.prepare() == 0
    for path in given.lists.iterdir():
        path.write_text(path.read_text(encoding="utf-8-sig"), encoding="utf-16")
    assert "is no list in UTF-8" in refused(given, capsys)


def test_what_broke_off_is_not_taken_for_whole(given, capsys):
    assert given.prepare() == 0
    path = given.maps / f"{FLAT['test'][2]}.png"
    Image.new("L", (100, 100)).save(path)
    assert "is 100x100, its picture 256x256" in refused(given, capsys, "--table", "cihp-pgn")
    with pytest.raises(InputError, match=r"samples.json is missing; run: python -m pise_core prepare deepfashion"):
        DeepFashion(given.out)
    with pytest.raises(InputError, match=r"samples.json is missing"):
        load_samples(given.out, "test")


def test_missing_files_leave_what_was_there(given):
    assert given.prepare() == 0
    (given.archive / ORIGINAL).unlink()
    assert given.prepare() == 2
    assert DeepFashion(given.out).pairs("test")


def test_the_first_pairs_only(given, capsys):
    assert given.prepare("--limit", "1") == 0
    capsys.readouterr()
    pairs = json.loads((given.out / "pairs.json").read_text())
    assert pairs == {split: [FLAT[split][:2]] for split in FLAT}
    assert len(list((given.out / "images").iterdir())) == 4
    with pytest.raises(SystemExit):
        given.prepare("--limit", "0")
    command = ["prepare", str(given.archive), "--split", "test", "--table", "cihp-pgn", "--out", str(given.out)]
    assert main(command) == 2
    assert "prepare street doesn't take --split, --table" in capsys.readouterr().err
