"""Edited pictures say so, in the words that other programs look for; others say nothing."""

import io
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import pise_core
from pise_core import provenance
from pise_core.cli.main import main
from pise_core.images import encode_image, read_image, write_image
from pise_core.pose import to_rows
from tests.conftest import downloaded, moved, run

NOISE = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)


def told(data: bytes) -> dict[str, str] | None:
    """What another program finds about where a picture comes from."""
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        found = picture.info.get("xmp")
    if found is None:
        return None
    inside = found[found.index(b"<x:xmpmeta") : found.rindex(b"<?xpacket")]
    (description,) = ElementTree.fromstring(inside).iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description")
    return {name.partition("}")[2]: value for name, value in description.attrib.items()}


@pytest.mark.parametrize("suffix", (".png", ".jpg", ".webp"))
def test_an_edited_picture_says_so_in_every_format(suffix):
    marked = encode_image(NOISE, suffix, edited=True)
    note = told(marked)
    assert note and note["CreatorTool"] == f"PISE Studio {pise_core.__version__}"
    assert note["DigitalSourceType"] == provenance.SOURCE_TYPE
    assert told(encode_image(NOISE, suffix)) is None
    assert np.array_equal(read_image(marked), read_image(encode_image(NOISE, suffix)))  # no pixel is touched
    assert marked == encode_image(NOISE, suffix, edited=True)


@pytest.mark.parametrize("value", ("off", "OFF", "0", "no"))
def test_the_operator_switches_it_off(monkeypatch, value):
    monkeypatch.setenv("PISE_PROVENANCE", value)
    assert encode_image(NOISE, edited=True) == encode_image(NOISE)


def test_the_download_is_marked_once_there_is_an_edit(studio, session, person):

    assert told(Path(downloaded(studio, session)).read_bytes()) is None
    run(studio.commit_pose(session, {"keypoints": to_rows(moved(person))}))
    assert told(Path(downloaded(studio, session)).read_bytes())


def test_a_document_marks_what_it_writes_and_the_command_line_an_unedited_photo_not(document, person, tmp_path):
    document.set_pose(moved(person))
    document.render().save(tmp_path / "edited.png")
    assert told((tmp_path / "edited.png").read_bytes())
    write_image(tmp_path / "photo.png", NOISE)
    assert main(["edit", str(tmp_path / "photo.png"), "--out", str(tmp_path / "same.png")]) == 0
    assert told((tmp_path / "same.png").read_bytes()) is None
