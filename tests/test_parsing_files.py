"""Maps of regions in files of other programs: the same regions, or one line that says why not."""

import io
import logging
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageFilter

import pise_core
from pise_core import regions
from pise_core.errors import InputError
from pise_core.images import encode_parsing, write_parsing
from pise_core.label_sets import LABEL_SETS
from pise_core.parsing_files import _voc_palette, read_labels, read_parsing
from pise_core.regions import PALETTE, REGION
from tests.colour_profiles import display_p3

#: Of PASCAL VOC, which many parsers write.
VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128), (0, 128, 128), (128, 128, 128)]
#: Of the LIP and CIHP baselines.
LIP = [(0, 0, 0), (128, 0, 0), (255, 0, 0), (0, 85, 0), (170, 0, 51), (255, 85, 0), (0, 0, 85), (0, 119, 221)]


def drawn(width=88, height=128):
    """Somebody in blocks: all eight regions, in areas that are several pixels wide."""
    parsing = np.zeros((height, width), np.uint8)
    for region, (y0, y1, x0, x1) in {
        1: (4, 14, 34, 54), 2: (14, 28, 36, 52), 3: (28, 60, 28, 60), 6: (30, 62, 12, 26), 4: (60, 78, 26, 62),
        5: (78, 100, 28, 60), 7: (100, 124, 30, 42),
    }.items():  # fmt: skip
        parsing[y0:y1, x0:x1] = region
    return parsing


MAP = drawn()
SIZE = (88, 128)


def encoded(image, kind="PNG", **settings):
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, kind, **settings)
    return buffer.getvalue()


def with_palette(parsing, colours, order=None):
    """A picture of mode P; ``order``: what index each region is stored as."""
    order = np.arange(8) if order is None else np.asarray(order)
    palette = np.zeros((256, 3), np.uint8)
    palette[order] = colours
    image = Image.fromarray(order.astype(np.uint8)[parsing])
    image.putpalette(palette.tobytes())
    return image


def coloured(parsing=MAP):
    return Image.fromarray(PALETTE[parsing])


def sixteen_bits(values):
    return encoded(Image.fromarray(values.astype(np.uint16)))


def png(values, depth, colour):
    """A PNG of so many bits a channel and a kind of colour, as Pillow does not write them: 0 grey, 2 RGB, 4 grey with
    alpha, 6 RGBA."""
    height, width = values.shape[:2]
    if depth == 16:
        rows = values.reshape(height, -1).astype(">u2").view(np.uint8)
    else:
        bits = np.unpackbits(values.astype(np.uint8)[..., None], axis=2)[..., 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=1)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def turned(orientation):
    """EXIF that says how the stored picture is to be turned, and the map as it is stored then."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif, np.ascontiguousarray({3: MAP[::-1, ::-1], 6: np.rot90(MAP, 1), 8: np.rot90(MAP, -1)}[orientation])


def with_turn(orientation, kind, coloured):
    exif, stored = turned(orientation)
    settings = {"exif": exif} if kind != "TIFF" else {"tiffinfo": {0x0112: orientation}}
    settings |= {"lossless": True} if kind == "WEBP" else {}
    return encoded(PALETTE[stored] if coloured else stored, kind, **settings)


def layer_of(alpha_of_ground, alpha):
    return np.dstack([PALETTE[MAP], np.where(MAP > 0, alpha, alpha_of_ground).astype(np.uint8)])


def in_display_p3(picture):
    """The picture with Display P3's numbers, and its profile, as a Mac saves it."""
    given, wanted = ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(display_p3()))
    converted = ImageCms.profileToProfile(picture, given, wanted)
    assert converted is not None
    return encoded(converted, icc_profile=wanted.tobytes())


def transparent_ground():
    rgba = np.dstack([PALETTE[MAP], np.where(MAP > 0, 255, 0).astype(np.uint8)])
    rgba[MAP == 0, :3] = (255, 255, 255)
    return rgba


#: Files whose map is exactly ``MAP``.
EXACT = {
    "ours": lambda: encode_parsing(MAP),
    "ours in four bits": lambda: encoded(with_palette(MAP, PALETTE), bits=4),
    "grey": lambda: encoded(MAP),
    "palette in another order": lambda: encoded(with_palette(MAP, PALETTE, [7, 3, 5, 0, 1, 6, 2, 4])),
    "palette beyond eight": lambda: encoded(with_palette(MAP, PALETTE, [200, 30, 50, 0, 11, 69, 255, 4])),
    "palette of Pillow's own": lambda: encoded(coloured().quantize(8)),
    "another's palette": lambda: encoded(with_palette(MAP, VOC)),
    "another's palette, renumbered by an optimiser": lambda: encoded(with_palette(MAP, VOC, [7, 3, 5, 0, 1, 6, 2, 4])),
    "a palette of no colours that are known": lambda: encoded(with_palette(MAP, [(n, 250 - n, 9) for n in range(8)])),
    "grey made a palette by an optimiser": lambda: encoded(
        with_palette(MAP, [(n, n, n) for n in range(8)], [7, 3, 5, 0, 1, 6, 2, 4])
    ),
    "rgb": lambda: encoded(coloured()),
    "rgba": lambda: encoded(coloured().convert("RGBA")),
    "rgba, nothing on the ground": lambda: encoded(transparent_ground()),
    "palette with nothing on the ground": lambda: encoded(with_palette(MAP, PALETTE), transparency=0),
    "colour management": lambda: encoded(np.clip(PALETTE[MAP].astype(int) + (2, -3, 4), 0, 255).astype(np.uint8)),
    "indices in rgb": lambda: encoded(np.dstack([MAP] * 3)),
    "another's palette in rgb": lambda: encoded(np.array(VOC, np.uint8)[MAP]),
    "grey with alpha": lambda: encoded(Image.merge("LA", [Image.fromarray(MAP), Image.new("L", SIZE, 255)])),
    "16 bits": lambda: sixteen_bits(MAP),
    "16 bits, stretched": lambda: sixteen_bits(MAP.astype(int) * 257),
    "16 bits, moved up": lambda: sixteen_bits(MAP.astype(int) << 8),
    "16 bits of colour": lambda: png(PALETTE[MAP].astype(np.uint16) * 257, 16, 2),
    "indices in 16 bits of colour": lambda: png(np.dstack([MAP] * 3), 16, 2),
    "indices in 16 bits, opaque": lambda: png(np.dstack([MAP] * 3 + [np.full(MAP.shape, 65535)]), 16, 6),
    "16 bits of grey with alpha": lambda: png(np.dstack([MAP, np.full(MAP.shape, 65535)]), 16, 4),
    "16 bits of grey with alpha, stretched": lambda: png(
        np.dstack([MAP.astype(int) * 257, np.full(MAP.shape, 65535)]), 16, 4
    ),
    "grey of four bits": lambda: png(MAP, 4, 0),
    "grey with nothing on the ground": lambda: png(np.dstack([np.where(MAP, MAP, 7), (MAP > 0) * 255]), 8, 4),
    "a layer half seen through": lambda: encoded(layer_of(100, 100)),
    "a layer half seen through, without its ground": lambda: encoded(layer_of(0, 90)),
    "alpha that means nothing": lambda: encoded(layer_of(0, 0)),
    "palette half seen through": lambda: encoded(with_palette(MAP, PALETTE), transparency=bytes([0] + [90] * 7)),
    "on its head": lambda: with_turn(3, "PNG", True),
    "on its head, grey": lambda: with_turn(3, "PNG", False),
    "on its side": lambda: with_turn(6, "WEBP", True),
    "on its other side": lambda: with_turn(8, "TIFF", False),
    "display p3": lambda: in_display_p3(coloured()),
    "deflated tiff of 16 bits": lambda: encoded(
        Image.fromarray(MAP.astype(np.uint16)), "TIFF", compression="tiff_deflate"
    ),
    "gif of grey": lambda: encoded(MAP, "GIF"),
    "lip's colours, renumbered, of few labels": lambda: encoded(with_palette(MAP, VOC, [0, 1, 2, 3, 4, 5, 7, 6])),
    "gif": lambda: encoded(with_palette(MAP, PALETTE, [3, 2, 1, 0, 7, 6, 5, 4]), "GIF"),
    "bmp": lambda: encoded(coloured(), "BMP"),
    "tiff": lambda: encoded(coloured(), "TIFF"),
    "webp": lambda: encoded(coloured(), "WEBP", lossless=True),
}


@pytest.mark.parametrize("name", EXACT)
def test_every_kind_of_file_gives_the_same_map(name, caplog):
    with caplog.at_level(logging.WARNING):
        parsing = read_parsing(EXACT[name](), SIZE)
    assert parsing.dtype == np.uint8 and np.array_equal(parsing, MAP) and not caplog.records
    once_more = pise_core.read_parsing(EXACT[name]())
    assert np.array_equal(once_more, MAP)


def test_some_of_the_regions_are_enough():
    some = np.where(np.isin(MAP, (0, 3, 5)), MAP, 0)
    for image in (
        with_palette(some, PALETTE, [2, 1, 7, 0, 4, 1, 6, 5]),
        coloured(some),
        with_palette(some, [(n, n, n) for n in range(8)], [2, 4, 7, 0, 5, 1, 6, 3]),
    ):
        assert np.array_equal(read_parsing(encoded(image), SIZE), some)
    assert not read_parsing(encoded(coloured(np.zeros_like(MAP)))).any()


def test_maps_go_out_and_come_back(tmp_path):
    write_parsing(tmp_path / "map.png", MAP)
    assert np.array_equal(read_parsing(tmp_path / "map.png", SIZE), MAP)
    with open(tmp_path / "map.png", "rb") as file:
        assert np.array_equal(read_parsing(file), MAP)


@pytest.mark.parametrize("how", ["shrunk", "enlarged", "blurred", "turned"])
def test_soft_edges_become_the_nearest_region_and_that_is_said(how, caplog):
    large = Image.fromarray(PALETTE[np.kron(MAP, np.ones((6, 6), np.uint8))])
    picture = {
        "shrunk": lambda: large.resize((264, 384), Image.Resampling.LANCZOS),
        "enlarged": lambda: coloured().resize((528, 768), Image.Resampling.BICUBIC),
        "blurred": lambda: large.filter(ImageFilter.GaussianBlur(1)),
        "turned": lambda: large.rotate(0.2, Image.Resampling.BICUBIC, fillcolor=tuple(PALETTE[0].tolist())),
    }[how]()
    with caplog.at_level(logging.WARNING):
        parsing = read_parsing(encoded(picture), (528, 768))
    assert (parsing != np.kron(MAP, np.ones((6, 6), np.uint8))).mean() < 0.02
    assert "soft edges" in caplog.text and "\n" not in caplog.records[0].getMessage()


def test_other_sizes_of_the_same_shape_are_scaled():
    twice = np.kron(MAP, np.ones((2, 2), np.uint8))
    assert np.array_equal(read_parsing(encode_parsing(twice), SIZE), MAP)
    assert np.array_equal(read_parsing(encode_parsing(MAP), (176, 256)), twice)
    with pytest.raises(InputError, match="88x128, the photo 128x88"):
        read_parsing(encode_parsing(MAP), (128, 88))


def labels_of(table):
    """A map of a parser's labels, all of them."""
    count = len(LABEL_SETS[table])
    labels = np.zeros((64, 16 * count), np.uint8)
    labels[8:56] = np.repeat(np.arange(count), 16)[None]
    return labels


@pytest.mark.parametrize("table", LABEL_SETS)
def test_maps_of_other_parsers_are_read_by_their_table(table):
    labels = labels_of(table)
    wanted = LABEL_SETS[table][labels]
    voc = _voc_palette()
    assert [tuple(colour) for colour in voc[:8].tolist()] == VOC
    image = Image.fromarray(labels)
    image.putpalette(voc.tobytes())
    for data in (encoded(labels), encoded(image), encoded(voc[labels]), sixteen_bits(labels)):
        assert np.array_equal(read_parsing(data, table=table), wanted)
        assert np.array_equal(read_labels(data), labels)
        if table != "pascal":  # whose labels end at 6, as regions do
            with pytest.raises(InputError, match="say whose|colours"):
                read_parsing(data)


@pytest.mark.parametrize("table", ["lip", "cihp"])
def test_maps_in_the_colours_of_lip_are_read_whatever_their_order(table):
    wanted = LABEL_SETS[table][MAP]
    image = with_palette(MAP, LIP, [7, 3, 5, 0, 1, 6, 2, 4])
    for data in (encoded(with_palette(MAP, LIP)), encoded(image), encoded(np.array(LIP, np.uint8)[MAP])):
        assert np.array_equal(read_parsing(data, table=table), wanted)


def test_a_transparent_region_is_background_and_that_is_said(caplog):
    holes = bytes([255, 255, 255, 0, 255, 255, 255, 255])
    with caplog.at_level(logging.WARNING):
        parsing = read_parsing(encoded(with_palette(MAP, PALETTE), transparency=holes))
    assert np.array_equal(parsing, np.where(MAP == 3, 0, MAP)) and "transparent" in caplog.text


def test_a_jumpsuit_is_no_bare_skin():
    suit = np.full((32, 32), 10, np.uint8)
    assert (read_parsing(encoded(suit), table="lip") == REGION["dress"]).all()
    assert (read_parsing(encoded(suit), table="cihp") == REGION["upper_skin"]).all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda: encoded(np.full((30, 40), 8, np.uint8)), "index 8"),
        (lambda: encoded(Image.fromarray(MAP.astype(np.int32) - 1), "TIFF"), "index -1"),
        (lambda: encoded(with_palette(MAP, [(n, 250 - n, 9) for n in range(8)]), "GIF"), "is a GIF in colours"),
        (lambda: encoded(Image.fromarray(MAP).resize((528, 768), Image.Resampling.BILINEAR)), "scaled or smoothed"),
        (lambda: encoded(Image.fromarray(MAP).resize((100, 145), Image.Resampling.BICUBIC)), "scaled or smoothed"),
        (lambda: encoded(with_palette(MAP, LIP)), "colours of LIP's and CIHP's"),
        (lambda: encoded(np.array([VOC[0], VOC[1], VOC[2]], np.uint8)[MAP % 3]), "PASCAL VOC and LIP"),
        (lambda: encoded(np.full((30, 40), 255, np.uint8)), "index 255"),
        (lambda: encoded(np.random.default_rng(1).integers(0, 256, (30, 40, 3), np.uint8)), "none of the eight"),
        (lambda: encoded(np.full((30, 40, 3), (10, 200, 30), np.uint8)), r"\(10, 200, 30\)"),
        (lambda: encoded(np.zeros((30, 40), bool)), "mask of black and white"),
        (lambda: encoded(coloured(), "JPEG"), "JPEG"),
        (lambda: encoded(np.zeros((8, 40), np.uint8)), "at least 16 pixels"),
        (lambda: b"", "empty"),
        (lambda: b"text", "not a map of regions"),
        (lambda: encode_parsing(MAP)[:-60], "damaged"),
    ],
)
def test_what_is_no_map_is_refused(data, message):
    with pytest.raises(InputError, match=message) as caught:
        read_parsing(data())
    assert "\n" not in str(caught.value)


def test_a_photo_of_somebody_before_a_colour_of_the_palette_is_no_map():
    photo = PALETTE[np.zeros((128, 88), int)].copy()
    photo[40:80, 30:50] = np.random.default_rng(2).integers(100, 256, (40, 20, 3))
    with pytest.raises(InputError, match="none of the eight"):
        read_parsing(encoded(photo))


def test_tables_that_are_not_there_are_named():
    with pytest.raises(InputError, match="atr, lip, cihp, pascal, fashn"):
        read_parsing(encode_parsing(MAP), table="schp")


@settings(max_examples=120, deadline=None)
@given(
    st.permutations(range(8)),
    st.sets(st.integers(0, 7), min_size=1),
    st.sampled_from(["palette", "rgb", "rgba", "grey", "grey palette", "voc"]),
    st.integers(1, 3),
)
def test_any_map_is_read_as_it_is_or_refused(order, kept, kind, factor):
    parsing = np.where(np.isin(MAP, sorted(kept)), MAP, min(kept)).astype(np.uint8)
    shown = np.kron(parsing, np.ones((factor, factor), np.uint8))
    data = {
        "palette": lambda: encoded(with_palette(shown, PALETTE, order)),
        "rgb": lambda: encoded(coloured(shown)),
        "rgba": lambda: encoded(coloured(shown).convert("RGBA")),
        "grey": lambda: encoded(shown),
        "grey palette": lambda: encoded(with_palette(shown, [(n, n, n) for n in range(8)], order)),
        "voc": lambda: encoded(with_palette(shown, VOC)),
    }[kind]()
    assert np.array_equal(read_parsing(data, SIZE), parsing)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(EXACT)), st.data())
def test_a_damaged_map_is_refused_or_whole(name, data):
    whole = bytearray(EXACT[name]())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        parsing = read_parsing(bytes(whole))
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert parsing.dtype == np.uint8 and parsing.max() < regions.REGION_COUNT
