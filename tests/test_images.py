"""The image gate: whatever comes in, an upright sRGB array or an InputError comes out."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from pise_core import images
from pise_core.errors import InputError
from pise_core.images import (
    check_photo,
    encode_image,
    photo_formats,
    read_image,
    read_photo,
    write_image,
    write_parsing,
)


def picture(height=48, width=64):
    """A picture of four plain quarters and a gradient: every corner is of its own colour."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (200, 30, 30)
    image[: height // 2, width // 2 :] = (30, 200, 30)
    image[height // 2 :, : width // 2] = (30, 30, 200)
    image[height // 2 :, width // 2 :] = (200, 200, 30)
    return image


def encoded(image, kind="PNG", **settings):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **settings)
    return buffer.getvalue()


def png_header(width, height, depth=8, colour=2):
    """A PNG that claims a size and holds next to nothing."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "settings"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_keep_every_pixel(kind, settings):
    assert np.array_equal(read_image(encoded(picture(), kind, **settings)), picture())


def test_jpeg_is_close_and_every_kind_of_source_gives_the_same(tmp_path):
    data = encoded(picture(), "JPEG", quality=95)
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    image = read_image(data)
    assert image.dtype == np.uint8 and image.shape == (48, 64, 3) and image.flags["C_CONTIGUOUS"]
    assert np.abs(image[:20, :28].astype(int) - picture()[:20, :28]).max() < 8
    with path.open("rb") as file:
        sources: list[Any] = [path, str(path), file, io.BytesIO(data), bytearray(data)]
        for source in sources:
            assert np.array_equal(read_image(source), image)


def test_the_content_counts_and_not_the_suffix(tmp_path):
    path = tmp_path / "really_a_png.jpg"
    path.write_bytes(encoded(picture()))
    assert np.array_equal(read_image(path), picture())


@pytest.mark.parametrize("orientation", range(0, 10))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_exif_orientation_is_applied(orientation, kind):
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    # What the camera stored is the upright picture turned the other way.
    stored = Image.fromarray(picture())
    if orientation in turns:
        stored = stored.transpose(turns[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings = {"JPEG": {"quality": 95}, "PNG": {}, "WEBP": {"lossless": True}}[kind]
    image = read_image(encoded(stored, kind, exif=exif, **settings))
    assert image.shape == (48, 64, 3)
    for rows, columns in ((5, 5), (5, 58), (42, 5), (42, 58)):
        assert np.abs(image[rows, columns].astype(int) - picture()[rows, columns]).max() < 10


def test_damaged_exif_does_not_cost_the_picture():
    assert read_image(encoded(picture(), "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff")).shape == (48, 64, 3)
    assert read_image(encoded(picture(), "JPEG", exif=b"Exif\0\0" + bytes(range(200)))).shape == (48, 64, 3)


def test_alpha_goes_onto_white():
    rgba = np.dstack([picture(), np.zeros((48, 64), np.uint8)])
    rgba[:24, :, 3] = 255
    rgba[24:, 32:, 3] = 128
    image = read_image(encoded(rgba))
    assert np.array_equal(image[:24], picture()[:24])
    assert (image[24:, :32] == 255).all()
    assert np.abs(image[40, 50].astype(int) - (227, 227, 142)).max() <= 2
    assert np.array_equal(read_image(encoded(rgba, "WEBP", lossless=True, exact=True))[:24], picture()[:24])


def test_grey_with_alpha_palette_and_single_bit():
    grey = picture()[..., 0]
    assert np.array_equal(read_image(encoded(grey)), np.dstack([grey] * 3))
    with_alpha = Image.merge("LA", [Image.fromarray(grey), Image.new("L", (64, 48), 0)])
    assert (read_image(encoded(with_alpha)) == 255).all()
    palette = Image.fromarray(picture()).quantize(8)
    assert np.array_equal(read_image(encoded(palette)), np.asarray(palette.convert("RGB")))
    palette.info["transparency"] = int(np.asarray(palette)[0, 0])
    through = read_image(encoded(palette, transparency=int(np.asarray(palette)[0, 0])))
    assert (through[:24, :32] == 255).all() and (through[30:, 40:] != 255).any()
    bits = Image.fromarray(grey > 100)
    assert set(np.unique(read_image(encoded(bits)))) == {0, 255}
    assert read_image(encoded(bits, transparency=0)).min() == 255
    assert read_image(encoded(Image.fromarray(picture()), transparency=(200, 30, 30)))[0, 0].tolist() == [255] * 3


def test_sixteen_bits_become_eight():
    ramp = np.linspace(0, 65535, 64).round().astype(np.uint16)[None].repeat(20, 0)
    image = read_image(encoded(Image.fromarray(ramp)))
    assert np.array_equal(image[..., 0], (ramp / 257).round().astype(np.uint8))
    assert image[0, 0].tolist() == [0] * 3 and image[0, -1].tolist() == [255] * 3


def test_cmyk_becomes_rgb():
    image = read_image(encoded(Image.fromarray(picture()).convert("CMYK"), "JPEG", quality=95))
    assert np.abs(image[:20, :28].astype(int) - (200, 30, 30)).max() < 10


def test_a_colour_profile_is_followed_and_srgb_changes_nothing():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(read_image(encoded(picture(), icc_profile=srgb)), picture())
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert np.array_equal(read_image(encoded(picture(), icc_profile=lab)), picture())  # fits no RGB picture: ignored
    assert np.array_equal(read_image(encoded(picture(), icc_profile=b"not a profile" * 20)), picture())
    swapped = swapped_profile(srgb)
    image = read_image(encoded(picture(), icc_profile=swapped))
    # In a profile whose red and blue primaries are exchanged, "red" means blue.
    assert image[0, 0].argmax() == 2 and image[-1, 0].argmax() == 0


def named_profile(profile, name):
    """The same colours under a description of the same length."""
    assert len(name) == len("sRGB built-in")
    old, new = ("".join(f"\0{letter}" for letter in text).encode() for text in ("sRGB built-in", name))
    assert old in profile
    return profile.replace(old, new)


def test_a_profile_is_not_believed_by_its_name():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(read_photo(encoded(picture(), icc_profile=named_profile(srgb, "Display P3 xx"))), picture())
    swapped = swapped_profile(srgb).replace(b"S\0W\0A\0P", b"s\0R\0G\0B").replace(b"SWAP built-in", b"sRGB built-in")
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(swapped))).startswith("sRGB")
    plain = read_photo(encoded(picture(), icc_profile=swapped))
    assert np.array_equal(plain, read_photo(encoded(picture(), icc_profile=swapped_profile(srgb))))
    assert np.abs(plain.astype(int) - picture()).max() > 100
    for gamma in (1.0, 1.8, 2.6):
        other = with_gamma(srgb, gamma)
        assert np.abs(read_photo(encoded(picture(), icc_profile=other)).astype(int) - picture()).max() > 3


def with_gamma(profile, gamma):
    """sRGB's primaries with another curve, under sRGB's name."""
    data = bytearray(profile)
    count = int.from_bytes(data[128:132], "big")
    for number in range(count):
        entry = 132 + 12 * number
        if bytes(data[entry : entry + 4]) in (b"rTRC", b"gTRC", b"bTRC"):
            at = len(data)
            data += b"curv" + bytes(4) + (1).to_bytes(4, "big") + round(gamma * 256).to_bytes(2, "big") + bytes(2)
            data[entry + 4 : entry + 12] = at.to_bytes(4, "big") + (14).to_bytes(4, "big")
    data[0:4] = len(data).to_bytes(4, "big")
    return bytes(data)


def test_photos_of_phones():
    photo = np.kron(picture(), np.ones((2, 2, 1), np.uint8))
    for kind in ("HEIF", "AVIF"):
        assert kind in photo_formats()
        away = np.abs(read_photo(encoded(photo, kind, quality=90)).astype(int) - photo)
        assert away.mean() < 6, kind


def test_without_the_extra_a_heic_photo_is_named(monkeypatch):
    data = encoded(np.kron(picture(), np.ones((2, 2, 1), np.uint8)), "HEIF")
    monkeypatch.setattr(images, "photo_formats", lambda: ("JPEG", "PNG", "WEBP"))
    with pytest.raises(InputError, match="HEIC photo, which needs pillow-heif") as caught:
        read_photo(data)
    assert "\n" not in str(caught.value)


def swapped_profile(profile):
    """sRGB with the tags of its red and blue primaries exchanged, under another description."""
    data = bytearray(profile)
    count = struct.unpack(">I", data[128:132])[0]
    tags = [bytes(data[132 + 12 * i : 144 + 12 * i]) for i in range(count)]
    names = {b"rXYZ": b"bXYZ", b"bXYZ": b"rXYZ"}
    table = b"".join(names.get(tag[:4], tag[:4]) + tag[4:] for tag in tags)
    data[132 : 132 + len(table)] = table
    return bytes(data).replace(b"s\0R\0G\0B", b"S\0W\0A\0P").replace(b"sRGB built-in", b"SWAP built-in")


def test_of_an_animation_the_first_frame():
    frames = [Image.fromarray(picture()), Image.new("RGB", (64, 48), (9, 9, 9))]
    for kind, settings in (("PNG", {}), ("WEBP", {"lossless": True})):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=50, **settings)
        assert np.array_equal(read_image(data), picture())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"just a text file, and not a short one either\n" * 9, "not a JPEG, PNG or WebP"),
        (b"\x89PNG\r\n\x1a\n", "not a JPEG, PNG or WebP"),
        (b"\xff\xd8\xff\xe0", "not a JPEG, PNG or WebP"),
        (b"RIFF\0\0\0\0WEBP", "not a JPEG, PNG or WebP"),
        (encoded(picture(), "GIF"), "not a JPEG, PNG or WebP"),
        (encoded(picture(), "BMP"), "not a JPEG, PNG or WebP"),
        (encoded(picture(), "TIFF"), "not a JPEG, PNG or WebP"),
        (encoded(picture(1, 1)), "1x1; at least 16"),
        (encoded(np.zeros((30000, 1, 3), np.uint8)), "1x30000; at least 16"),
        (encoded(picture(16, 16001)), "16001x16; at most 16000"),
        (encoded(Image.new("L", (12000, 9000))), "12000x9000; at most 50 megapixels"),
        (png_header(12000, 9000), "12000x9000; at most 50 megapixels"),
        (png_header(100_000, 100_000), "too large"),
        (png_header(2**31 - 1, 2**31 - 1), "too large"),
        (png_header(0, 0), "."),
        (png_header(7000, 7000), "damaged"),
    ],
)
def test_what_is_no_usable_picture_is_refused(data, message):
    with pytest.raises(InputError, match=message) as caught:
        read_image(data)
    assert "\n" not in str(caught.value)


def test_a_large_picture_within_the_limits_is_read():
    assert read_image(encoded(Image.new("L", (8000, 6000)), compress_level=1)).shape == (6000, 8000, 3)


@pytest.mark.parametrize(
    ("kind", "settings"), [("PNG", {}), ("JPEG", {}), ("JPEG", {"progressive": True}), ("WEBP", {})]
)
def test_cut_off_and_garbled_files_never_crash(kind, settings):
    random = np.random.default_rng(5)
    noise = random.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(noise, kind, exif=exif, icc_profile=profile, **settings)
    for length in range(0, len(data) - 60, max(len(data) // 60, 1)):
        with pytest.raises(InputError):
            read_image(data[:length])
    for _ in range(200):
        garbled = bytearray(data)
        for place in random.integers(0, len(data), 5):
            garbled[place] = random.integers(256)
        try:
            image = read_image(bytes(garbled))
        except InputError as error:
            assert "\n" not in str(error)
        else:
            assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8


def test_text_chunks_that_unpack_to_a_bomb_are_refused_or_ignored():
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "0" * 80_000_000, zip=True)
    data = encoded(Image.fromarray(picture()), pnginfo=info)
    assert len(data) < 200_000
    try:
        image = read_image(data)
    except InputError:
        return
    assert np.array_equal(image, picture())


def test_files_that_cannot_be_read(tmp_path):
    addresses = ("a\0b.jpg", "https://example.com/a.jpg")
    sources: list[Any] = [tmp_path, tmp_path / "none.jpg", *addresses, io.StringIO("text"), 7, None]
    for source in sources:
        with pytest.raises(InputError):
            read_image(source)
    with pytest.raises(InputError, match="larger than 0.001 MB"):
        read_image(bytes(2000), max_bytes=1000)
    with pytest.raises(InputError, match="at most 0.003 megapixels"):
        read_image(encoded(picture()), max_pixels=3000)


def test_written_pictures_come_back_and_carry_no_metadata(tmp_path):
    for suffix in (".png", ".webp", ".PNG"):
        write_image(tmp_path / f"a{suffix}", picture())
        assert np.array_equal(read_image(tmp_path / f"a{suffix}"), picture())
    for suffix in (".jpg", ".jpeg"):
        write_image(tmp_path / f"a{suffix}", picture())
        assert np.abs(read_image(tmp_path / f"a{suffix}").astype(int) - picture()).max() < 40
    for path in tmp_path.iterdir():
        with Image.open(path) as image:
            assert not image.getexif() and "icc_profile" not in image.info
    assert encode_image(picture()) == encode_image(picture())
    for bad in (tmp_path / "a.gif", tmp_path / "a", tmp_path / "no folder" / "a.png"):
        with pytest.raises(InputError):
            write_image(bad, picture())


def test_wrong_parsing_maps_are_not_written(tmp_path):
    with pytest.raises(InputError, match="index 9"):
        write_parsing(tmp_path / "a.png", np.full((30, 40), 9))
    with pytest.raises(InputError, match=".png"):
        write_parsing(tmp_path / "a.jpg", np.zeros((30, 40), np.uint8))


def test_photos_given_as_arrays_are_checked():
    view = picture()[:, ::-1]
    checked = check_photo(view)
    assert np.array_equal(checked, view) and checked.flags["C_CONTIGUOUS"]
    wrong: list[Any] = [
        picture().astype(np.float32),
        picture()[..., 0],
        np.dstack([picture(), picture()[..., :1]]),
        np.zeros((15, 40, 3), np.uint8),
        np.zeros((16, 16001, 3), np.uint8),
        None,
        "photo.jpg",
    ]
    for bad in wrong:
        with pytest.raises(InputError):
            check_photo(bad)
