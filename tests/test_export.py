"""The picture as files for others: qualities, cut out, in layers."""

import io
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from pyora import Project

from pise_core.cli import main as cli
from pise_core.document import Document
from pise_core.document.export import check_export, export, exported
from pise_core.errors import InputError
from pise_core.images import read_image
from tests.conftest import moved


def opened(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_jpeg_and_webp_have_a_quality(document, known):
    sizes = [len(exported(document, ".jpg", quality)) for quality in (30, None)]
    assert sizes[0] < sizes[1]
    webp = exported(document, ".webp", 60)
    assert len(webp) < len(exported(document, ".webp", 95)) and opened(webp).format == "WEBP"
    assert np.array_equal(np.asarray(opened(exported(document, ".webp")).convert("RGB")), known.photo)
    difference = np.abs(np.asarray(opened(webp).convert("RGB")).astype(int) - known.photo)
    assert 0 < difference.mean() < 6


@pytest.mark.parametrize(
    ("suffix", "quality", "cut_out", "said"),
    [(".png", 80, False, "keeps every pixel"), (".ora", 80, False, "keeps every pixel"), (".jpg", 0, False, "1 to 100"),
     (".jpg", 101, False, "1 to 100"), (".jpg", None, True, "can't be transparent"),
     (".bmp", None, False, "can't write")],
)  # fmt: skip
def test_what_a_file_cannot_hold_is_refused_in_a_line(document, suffix, quality, cut_out, said):
    for refuse in (
        lambda: check_export(suffix, quality, cut_out),
        lambda: exported(document, suffix, quality, cut_out),
    ):
        with pytest.raises(InputError, match=said) as refused:
            refuse()
        assert "\n" not in str(refused.value)


def test_a_cut_out_is_the_person_alone(document, known):
    cut = np.asarray(opened(exported(document, ".png", cut_out=True)))
    assert cut.shape == (*known.parsing.shape, 4)
    inside = known.parsing == 3
    assert (cut[inside, 3] > 250).mean() > 0.95 and (cut[:20, :20, 3] == 0).all()
    deep = inside & (cut[..., 3] == 255)
    assert np.abs(cut[deep, :3].astype(int) - known.photo[deep]).max() <= 2


def test_a_reader_of_paint_programs_opens_the_layers(document, person, tmp_path):
    pose = person.pose.copy()
    pose[4, :2] += -20, -50
    document.set_pose(pose)
    path = tmp_path / "layers.ora"
    export(document, path)
    project = Project.load(str(path))
    height, width = person.parsing.shape
    assert project.dimensions == (width, height)
    names = [layer.name for layer in project.children]
    assert names[-1] == "background" and "torso" in names and names.index("head") < names.index("torso")
    made = Image.new("RGBA", (width, height))
    for layer in reversed(list(project.children)):
        made.alpha_composite(layer.get_image_data(raw=True).convert("RGBA"), layer.offsets)
    shown = document.render().photo.astype(int)
    difference = np.abs(np.asarray(made)[..., :3] - shown).mean(2)
    assert (difference < 12).mean() > 0.97  # stacked, the layers are the picture
    with zipfile.ZipFile(path) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
        assert archive.read("mimetype") == b"image/openraster"
        merged = np.asarray(opened(archive.read("mergedimage.png")))
    assert np.array_equal(merged, document.render().photo)
    assert exported(document, ".ora") == exported(document, ".ora")
    assert "background" not in [
        layer.name for layer in Project.load(io.BytesIO(exported(document, ".ora", cut_out=True))).children
    ]


def test_the_command_line_renders_files_for_others(document, tmp_path, capsys, editor):
    document.recolour("upper_clothes", "navy")
    document.save(tmp_path / "me.pise")
    command = ["render", str(tmp_path / "me.pise"), "--out"]
    assert cli.main([*command, str(tmp_path / "me.ora")]) == 0
    assert cli.main([*command, str(tmp_path / "me.jpg"), "--quality", "70"]) == 0
    assert cli.main([*command, str(tmp_path / "me.png"), "--cut-out"]) == 0
    assert Image.open(tmp_path / "me.png").mode == "RGBA" and zipfile.is_zipfile(tmp_path / "me.ora")
    same = Document.open(tmp_path / "me.pise", editor).render().photo
    assert np.abs(read_image(tmp_path / "me.jpg").astype(int) - same).mean() < 6
    assert cli.main([*command, str(tmp_path / "me.png"), "--quality", "70"]) == 2
    assert cli.main([*command, str(tmp_path / "me.gif"), "--cut-out"]) == 2
    assert "keeps every pixel" in capsys.readouterr().err


def test_layers_carry_the_operators_line_and_the_packet(document, person, monkeypatch):
    monkeypatch.setenv("PISE_MARK", "on")
    untouched = zipfile.ZipFile(io.BytesIO(exported(document, ".ora")))
    assert b"mark" not in untouched.read("stack.xml") and b"adobe" not in untouched.read("mergedimage.png")
    document.set_pose(moved(person))
    for cut_out in (False, True):
        file = zipfile.ZipFile(io.BytesIO(exported(document, ".ora", cut_out=cut_out)))
        first = ElementTree.fromstring(file.read("stack.xml")).findall("stack/layer")[0]
        assert first.get("name") == "mark"  # over all others
        written = np.asarray(opened(file.read(str(first.get("src")))))
        merged = file.read("mergedimage.png")
        assert b"compositeWithTrainedAlgorithmicMedia" in merged
        x, y = int(first.get("x", 0)), int(first.get("y", 0))
        assert np.array_equal(np.asarray(opened(merged))[y:, x:, :3], written[..., :3]) and written.max() > 240
        assert (y + written.shape[0], x + written.shape[1]) == person.parsing.shape
    monkeypatch.delenv("PISE_MARK")
    assert b"mark" not in zipfile.ZipFile(io.BytesIO(exported(document, ".ora"))).read("stack.xml")
