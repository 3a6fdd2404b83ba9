"""Photos whose colours are not sRGB's, said by a profile or in another way: they come out as what they show."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from pise_core.errors import InputError
from pise_core.images import read_photo
from tests.colour_profiles import grey_profile, in_space, linear, profile

#: Plain colours that lie in every space, with a ramp of greys.
PICTURE = np.zeros((60, 80, 3), np.uint8)
PICTURE[...] = np.linspace(40, 215, 80)[None, :, None]
for place, colour in enumerate([(200, 120, 90), (90, 140, 170), (222, 170, 140), (120, 80, 60)]):
    PICTURE[10 * place : 10 * place + 10, :50] = colour
GREY = PICTURE[..., 1:2].repeat(3, 2)


def encoded(values, kind="PNG", **settings):
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, kind, **settings)
    return buffer.getvalue()


def chunk(name, *numbers, form="I"):
    data = struct.pack(f">{len(numbers)}{form}", *numbers)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def with_chunks(values, *chunks):
    """A PNG with more chunks behind its header."""
    data = encoded(values)
    return data[:33] + b"".join(chunks) + data[33:]


def power(values, gamma):
    return np.round(linear(values / 255) ** (1 / gamma) * 255).astype(np.uint8)


def noted_adobe(values):
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 65535, 0xA005: {1: "R03"}}
    return encoded(in_space(values, "Adobe RGB", 2.2), "JPEG", quality=100, subsampling=0, exif=exif.tobytes())


P3_CHROMATICITIES = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
SRGB_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)


def off(data, truth=PICTURE):
    found = read_photo(data)
    assert found.shape == truth.shape
    return int(np.abs(found.astype(int) - truth).max())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF"])
@pytest.mark.parametrize("space", [("Display P3", 2.2), ("Adobe RGB", 2.2), ("Rec. 2020", 2.4), ("sRGB", 1.8)])
def test_profiles_are_followed_in_every_format(kind, space):
    settings = {"PNG": {}, "WEBP": {"lossless": True}, "JPEG": {"quality": 100, "subsampling": 0}}
    settings["AVIF"] = {"quality": 100, "subsampling": "4:4:4"}
    data = encoded(in_space(PICTURE, *space), kind, icc_profile=profile(*space), **settings[kind])
    assert off(data) <= (4 if kind in ("PNG", "WEBP") else 12)


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_greys_have_profiles_of_their_own(gamma):
    grey = power(GREY[..., 0], gamma)
    clear = np.dstack([grey, np.full(grey.shape, 255, np.uint8)])
    deep = np.round(linear(GREY[..., 0] / 255) ** (1 / gamma) * 65535).astype(np.uint16)
    bound = 10 if gamma == 1 else 3
    assert off(encoded(grey, icc_profile=grey_profile(gamma)), GREY) <= bound
    assert off(encoded(clear, icc_profile=grey_profile(gamma)), GREY) <= bound
    assert off(encoded(deep, icc_profile=grey_profile(gamma)), GREY) <= bound  # 16 bits become 8 first


@pytest.mark.parametrize(
    ("data", "bound"),
    [
        (lambda: with_chunks(power(PICTURE, 1.0), chunk(b"gAMA", 100000)), 8),
        (lambda: with_chunks(power(PICTURE, 1.8), chunk(b"gAMA", 55556)), 4),
        (lambda: with_chunks(in_space(PICTURE, "Display P3", 2.2), chunk(b"cHRM", *P3_CHROMATICITIES)), 6),
        (lambda: with_chunks(in_space(PICTURE, "Display P3", 2.2), chunk(b"cICP", 12, 4, 0, 1, form="B")), 4),
        (lambda: with_chunks(in_space(PICTURE, "Rec. 2020", 1.0), chunk(b"cICP", 9, 8, 0, 1, form="B")), 9),
        (lambda: noted_adobe(PICTURE), 10),
        # Nothing but sRGB, in so many words: the same to the bit.
        (lambda: with_chunks(PICTURE, chunk(b"gAMA", 45455)), 0),
        (lambda: with_chunks(PICTURE, chunk(b"gAMA", 45455), chunk(b"cHRM", *SRGB_CHROMATICITIES)), 0),
        (lambda: with_chunks(PICTURE, chunk(b"sRGB", 0, form="B"), chunk(b"gAMA", 100000)), 0),
        (lambda: with_chunks(PICTURE, chunk(b"cICP", 1, 13, 0, 1, form="B")), 0),
        # Nonsense counts for nothing.
        (lambda: with_chunks(PICTURE, chunk(b"gAMA", 1)), 0),
        (lambda: with_chunks(PICTURE, chunk(b"cHRM", *[30000] * 8)), 0),
        (lambda: with_chunks(PICTURE, chunk(b"cICP", 2, 2, 0, 1, form="B")), 0),
    ],
)
def test_spaces_that_are_named_without_a_profile(data, bound):
    assert off(data()) <= bound


@pytest.mark.parametrize("curve", [16, 18])
def test_high_dynamic_range_is_refused_in_a_line(curve):
    with pytest.raises(InputError, match="the picture is of high dynamic range") as caught:
        read_photo(with_chunks(PICTURE, chunk(b"cICP", 9, curve, 0, 1, form="B")))
    assert "\n" not in str(caught.value)


def test_photos_of_heic_keep_colours_and_turn():
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    for orientation, stored in ((3, PICTURE[::-1, ::-1]), (6, np.rot90(PICTURE, 1)), (8, np.rot90(PICTURE, -1))):
        exif[0x0112] = orientation
        values = in_space(np.ascontiguousarray(stored), "Display P3", 2.2)
        settings = {"quality": 100, "chroma": 444, "exif": exif.tobytes(), "icc_profile": profile("Display P3", 2.2)}
        assert off(encoded(values, "HEIF", **settings)) <= 14


def test_the_first_of_a_phone_s_several_pictures_is_read():
    buffer = io.BytesIO()
    second = Image.fromarray(255 - PICTURE)
    Image.fromarray(PICTURE).save(buffer, "MPO", save_all=True, append_images=[second], quality=100, subsampling=0)
    assert off(buffer.getvalue()) <= 8
