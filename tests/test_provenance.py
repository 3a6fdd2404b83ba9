"""Edited pictures say so, in the words that other programs look for; others say nothing."""

import datetime
import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree

import c2pa
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from PIL import Image

import pise_core
from app.view import updates as view
from pise_core import provenance
from pise_core.cli.main import main
from pise_core.detection.clip import Clip
from pise_core.document.motion import encode_motion
from pise_core.errors import InputError
from pise_core.images import encode_image, read_image, write_image
from pise_core.pose import to_rows
from tests.conftest import downloaded, moved, run

NOISE = np.random.default_rng(0).integers(0, 256, (40, 30, 3), np.uint8)


def read_rgba(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGBA"))


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


def test_a_line_that_everybody_sees_is_the_operators_choice(monkeypatch):
    plain = np.full((400, 600, 3), 200, np.uint8)
    for value in ("", "off"):
        monkeypatch.setenv("PISE_MARK", value)
        assert np.array_equal(read_image(encode_image(plain, edited=True)), plain)
    monkeypatch.setenv("PISE_MARK", "on")
    marked = read_image(encode_image(plain, edited=True))
    changed = np.argwhere((marked != plain).any(-1))
    assert changed[:, 0].min() > 370 and changed[:, 1].min() > 300  # low and on the right, all else as it was
    assert marked.max() > 240 and marked[changed[:, 0].min() :, changed[:, 1].min() :].min() < 80
    assert np.array_equal(read_image(encode_image(plain)), plain)  # what nobody has edited
    monkeypatch.setenv("PISE_MARK", "Made up by Example")
    assert not np.array_equal(read_image(encode_image(plain, edited=True)), marked)
    with Image.open(io.BytesIO(encode_motion([plain, plain], ".gif"))) as motion:
        first = np.asarray(motion.convert("RGB"))
    assert (np.abs(first.astype(int) - plain) > 60).any()
    clear = read_rgba(encode_image(np.zeros((400, 600, 4), np.uint8), edited=True))
    assert clear[-3:, -3:, 3].min() == 255 and clear[..., :3].max() > 240 and not clear[:300].any()
    for tiny in (np.zeros((16, 600, 3), np.uint8), np.zeros((600, 17, 3), np.uint8)):
        assert read_image(encode_image(tiny, edited=True)).shape == tiny.shape


@pytest.mark.parametrize("value", ("x" * 61, "one\ntwo"))
def test_a_line_that_is_none_is_refused_at_the_start(monkeypatch, value):
    monkeypatch.setenv("PISE_MARK", value)
    with pytest.raises(InputError, match="PISE_MARK"):
        provenance.check_settings()


def certified(folder: Path) -> None:
    """A key, its certificate and that of an authority, in two PEM files."""
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Operator"),
                   x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        for name in ("Authority", "Studio")
    ]  # fmt: skip
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    own_usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    made = []
    for number, (name, key) in enumerate(zip(names, keys, strict=True)):
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(names[0]).public_key(key.public_key())
            .serial_number(number + 1).not_valid_before(now - day).not_valid_after(now + 30 * day)
            .add_extension(x509.BasicConstraints(number == 0, None), True)
            .add_extension(own_usage if number else usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(keys[0].public_key()), False)
        )  # fmt: skip
        if number:
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), True)
        made.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (folder / "chain.pem").write_bytes(made[1] + made[0])
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(keys[1].private_bytes(*pem))


@pytest.mark.parametrize(("suffix", "kind"), ((".png", "png"), (".jpg", "jpeg"), (".webp", "webp")))
def test_edited_pictures_are_signed_with_the_operators_key(monkeypatch, tmp_path, suffix, kind):
    certified(tmp_path)
    plain = encode_image(NOISE, suffix, edited=True)
    monkeypatch.setenv("PISE_C2PA_KEY", str(tmp_path / "key.pem"))
    monkeypatch.setenv("PISE_C2PA_CERTIFICATES", str(tmp_path / "chain.pem"))
    provenance.check_settings()
    data = encode_image(NOISE, suffix, edited=True)
    with c2pa.Reader(f"image/{kind}", io.BytesIO(data)) as reader:
        assert reader.get_validation_state() == "Valid"
        told_by_reader = json.loads(reader.json())
    manifest = told_by_reader["manifests"][told_by_reader["active_manifest"]]
    assert manifest["claim_generator_info"][0]["name"] == "PISE Studio"
    assert provenance.SOURCE_TYPE in json.dumps(manifest)
    assert np.array_equal(read_image(data), read_image(plain)) and told(data) == told(plain)
    assert encode_image(NOISE, suffix) == encode_image(NOISE, suffix, edited=False)
    changed = bytearray(data)
    if kind == "jpeg":
        changed[-40] ^= 1  # of the picture
        with c2pa.Reader("image/jpeg", io.BytesIO(bytes(changed))) as reader:
            assert reader.get_validation_state() == "Invalid"


def test_a_signature_that_cannot_be_made_is_one_line_at_the_start(monkeypatch, tmp_path):
    certified(tmp_path)
    monkeypatch.setenv("PISE_C2PA_KEY", str(tmp_path / "key.pem"))
    with pytest.raises(InputError, match="both"):
        provenance.check_settings()
    (tmp_path / "no.pem").write_text("no certificate")
    for key, chain, message in (
        ("missing.pem", "chain.pem", "missing.pem: No such file"),
        ("no.pem", "chain.pem", "no private key"),
        ("key.pem", "no.pem", r"^[^\n]*can't be signed[^\n]*$"),
    ):
        monkeypatch.setenv("PISE_C2PA_KEY", str(tmp_path / key))
        monkeypatch.setenv("PISE_C2PA_CERTIFICATES", str(tmp_path / chain))
        with pytest.raises(InputError, match=message):
            provenance.check_settings()
    monkeypatch.setitem(sys.modules, "c2pa", None)
    with pytest.raises(InputError, match="pip install c2pa-python"):
        provenance.check_settings()


def test_without_pyav_there_is_still_a_gif(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    assert encode_motion([NOISE], ".gif").startswith(b"GIF8")
    with pytest.raises(InputError, match="save the motion as GIF"):
        encode_motion([NOISE], ".mp4")
    with pytest.raises(InputError, match="take a file of poses"):
        list(Clip(b"a video").pictures())


def test_the_page_shows_the_operators_line_too(studio, session, person, monkeypatch):
    def corner(address):
        picture = read_image(view.path_of(address))
        return picture[-5:, -60:].astype(int)

    rows = to_rows(moved(person))
    run(studio.commit_pose(session, {"keypoints": rows}))
    plain = corner(run(studio.render(session))["result"]["result"]["url"])
    live = studio.live(session, {"keypoints": rows})["image"]
    monkeypatch.setenv("PISE_MARK", "on")
    marked = corner(run(studio.render(session))["result"]["result"]["url"])
    assert np.abs(marked - plain).max() > 60
    assert studio.live(session, {"keypoints": rows})["image"] != live
    run(studio.undo(session, {}))
    assert np.abs(corner(run(studio.render(session))["result"]["result"]["url"]) - plain).max() < 20  # no edit, no line
