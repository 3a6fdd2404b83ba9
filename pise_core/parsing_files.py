"""Maps of regions in files of other programs: paint programs, optimisers of pictures, human parsers.

A file may hold indices, or colours. Paint programs and optimisers renumber a palette, so that an index means nothing
where the palette's colours are ours: then colours count. Where they are others, indices do.
"""

import io
import logging
from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps

from pise_core import regions
from pise_core.errors import InputError
from pise_core.images import Source, in_srgb, open_picture
from pise_core.label_sets import LABEL_SETS, label_set, merge
from pise_core.regions import LAST


def _voc_palette() -> np.ndarray:
    """(256, 3) uint8: the bits of an index, dealt out to red, green and blue from the top (PASCAL VOC's devkit)."""
    index, palette = np.arange(256), np.zeros((256, 3), np.uint8)
    for level in range(8):
        for channel in range(3):
            palette[:, channel] |= ((index >> (3 * level + channel) & 1) << (7 - level)).astype(np.uint8)
    return palette


_log = logging.getLogger(__name__)


class _Opened(NamedTuple):
    """A picture, decoded and turned as its EXIF says."""

    name: str  # for messages
    image: Image.Image
    renumbered: bool  # by those who write such files, whatever the palette was


#: Colour -> label, in the palettes that parsers write: PASCAL VOC's, and that of the LIP and CIHP baselines (CIHP_PGN).
_VOC = {tuple(colour): label for label, colour in enumerate(_voc_palette().tolist())}
_LIP = {
    tuple(colour): label
    for label, colour in enumerate(
        bytes.fromhex(
            "000000 800000 ff0000 005500 aa0033 ff5500 000055 0077dd 555500 005555 "
            "553300 345680 008000 0000ff 33aadd 00ffff 55ffaa aaff55 ffff00 ffaa00"
        )[at : at + 3]
        for at in range(0, 60, 3)
    )
}
#: Formats that keep labels apart. JPEG mixes those of neighbours.
_FORMATS = ("PNG", "GIF", "BMP", "TIFF", "WEBP")
#: A colour of the palette that went through colour management is still meant if no channel is further off.
_SAME = 10
#: A map may have mixed colours at so many of its pixels, between regions that are close by.
_SOFT = 0.25
#: Shapes that differ by less are one picture at two sizes.
_SAME_SHAPE = 0.07
#: Where so many of the places at which an index changes lie on a slope of three, indices were mixed like brightnesses.
_SLOPES = 0.2


def read_parsing(source: Source, size: tuple[int, int] | None = None, table: str | None = None) -> np.ndarray:
    """A map of regions, from PNG, GIF, BMP, TIFF or WebP.

    Without a table the file is a map of the eight regions: in the colours of ``regions.PALETTE`` (whatever their order
    in the file's palette; RGB and RGBA too, transparent is background), or as indices 0 to 7 where it has no colours
    or another program's. Mixed colours at soft edges become the nearest region close by, which is logged as a warning.

    Args:
        source: path, the file's bytes, or a file open for reading in binary.
        size: (W, H) of the photo that it is for; a map of the same shape and another size is scaled (nearest pixel).
        table: the map has labels of a human parser: "atr", "lip", "cihp", "pascal" or "fashn".

    Returns:
        (H, W) uint8 of indices 0..7.

    Raises:
        InputError: if it can't be read, is no such map, has another shape than the photo, or holds an index beyond.
    """
    parsing, doubt = doubted_parsing(source, size, table)
    if doubt:
        _log.warning("%s", doubt)
    return parsing


def doubted_parsing(
    source: Source, size: tuple[int, int] | None = None, table: str | None = None
) -> tuple[np.ndarray, str]:
    """As :func:`read_parsing`, with what should be said of it in a line, empty where the map is exact."""
    opened = _opened(source)
    name, image, _ = opened
    doubt = ""
    if table is not None:
        wanted = label_set(table)
        labels = _labels(opened)
        try:
            parsing = merge(labels, wanted)
        except InputError as error:
            raise InputError(f"{name} {error}; is it a map of {table.upper()}?") from None
    else:
        parsing, soft = _by_colour(image)
        if parsing is None and image.info.get("icc_profile"):
            parsing, soft = _by_colour(in_srgb(image))
        if parsing is None:
            parsing = _indices(opened)
        elif soft:
            doubt = f"{name} has soft edges: {soft:.1%} of its pixels count for the nearest region"
        elif hidden := _hidden(image):
            doubt = f"{name} is transparent over {hidden:.1%} of its pixels that have a region's colour: background"
    return parsing if size is None else _resized(name, parsing, size), doubt


def read_labels(source: Source) -> np.ndarray:
    """A parser's map as it is: (H, W) whole numbers, whatever they mean.

    Stored indices of a picture with a palette, grey values of 8 or 16 bits, or colours of the palette that PASCAL VOC
    began and parsers write.

    Raises:
        InputError: if it can't be read, or is no map of labels.
    """
    return _labels(_opened(source))


def _opened(source: Source) -> _Opened:
    file, image = open_picture(source, _FORMATS, "map of regions: use PNG (JPEG mixes neighbouring labels)")
    kind, raw = image.format, str(image.tile[0].args) if image.format == "PNG" and image.tile else ""
    data = image.fp.getvalue() if isinstance(image.fp, io.BytesIO) and raw.endswith(";16B") else b""
    try:
        image.load()
        return _Opened(file, ImageOps.exif_transpose(_as_stored(image, raw, data)), kind == "GIF")
    except Exception as error:  # Damaged data makes decoders raise anything
        raise InputError(f"{file} is damaged or cut off and can't be decoded") from error


def _as_stored(image: Image.Image, raw: str, data: bytes) -> Image.Image:
    """A PNG with the numbers that it holds: Pillow spreads grey of two or four bits over eight, and keeps the upper
    half of sixteen."""
    values = None
    if raw in ("L;2", "L;4"):
        values = np.asarray(image) // (85 if raw == "L;2" else 17)
    elif raw in ("LA;16B", "RGB;16B", "RGBA;16B"):
        deep = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        if deep is not None and deep.dtype == np.uint16 and 0 < deep[..., :3].max() < 256:
            values = deep[..., [2, 1, 0, *range(3, deep.shape[2])]]
            values[..., 3:] //= 257 if values[..., 3:].max(initial=0) > 255 else 1
    if values is None:
        return image
    stored = Image.fromarray(values.astype(np.uint8))
    stored.info = dict(image.info)
    return stored


def _labels(opened: _Opened) -> np.ndarray:
    """(H, W) whole numbers that a picture holds."""
    name, image, _ = opened
    if image.mode == "P":
        return _palette_labels(opened)
    if image.mode == "L":
        return _unmixed(name, np.asarray(image))
    if image.mode.startswith("I"):
        deep = np.asarray(image)
        for step in (257, 256):  # eight bits that a program spread over sixteen, or moved up
            if deep.size and deep.max() > 255 and not (deep % step).any():
                deep = deep // step
        return _unmixed(name, deep)
    if image.mode in ("LA", "PA"):
        return _unmixed(name, np.where(_seen(image), np.asarray(image.getchannel(0)), 0))
    if image.mode in ("RGB", "RGBA"):
        seen, pixels = _seen(image), np.asarray(image)[..., :3]
        if pixels.max() < 64 and not np.ptp(pixels, axis=2).any():
            return _unmixed(name, np.where(seen, pixels[..., 0], 0))  # indices in all three channels
        packed = _packed(pixels)
        found, inverse = np.unique(packed, return_inverse=True)
        labels = _of_colours(name, [_unpacked(value) for value in found])
        if labels is not None:
            return np.where(seen, np.array(labels)[inverse.reshape(packed.shape)], 0)
        raise InputError(f"{name} is no map of regions: {_commonest(image)}")
    if image.mode == "1":
        raise InputError(f"{name} is a mask of black and white, no map of regions")
    raise InputError(f"{name} is no map of regions: it is a picture of mode {image.mode}")


def _palette_labels(opened: _Opened) -> np.ndarray:
    """Stored indices, unless the palette says that an optimiser has renumbered them."""
    name, image, renumbered = opened
    stored = np.asarray(image)
    used = np.unique(stored)
    palette = np.zeros((256, 3), np.uint8)
    given = np.array(image.getpalette() or [], np.uint8).reshape(-1, 3)
    palette[: len(given)] = given
    colours = palette[used]
    table = np.arange(256)
    if len(used) and colours.max() < 64 and not np.ptp(colours, axis=1).any():
        table[used] = colours[:, 0]  # grey values of labels, one channel made a palette
    elif any(_lies_in(known, used, colours) for known in (_VOC, _LIP)):
        pass
    elif len(used) >= 3 and (labels := _of_colours(name, [tuple(colour) for colour in colours.tolist()])) is not None:
        table[used] = labels
    elif renumbered:
        raise InputError(f"{name} is a GIF in colours that are not known here, whose order programs change: use PNG")
    return table[stored]


def _lies_in(known: Mapping[tuple[int, ...], int], used: np.ndarray, colours: np.ndarray) -> bool:
    """Whether each colour stands where the palette has it."""
    return all(known.get(tuple(colour)) == index for index, colour in zip(used, colours.tolist(), strict=True))


def _of_colours(name: str, colours: list[tuple[int, int, int]]) -> list[int] | None:
    """The label of each colour in the palette that has them all; None if none has.

    Raises:
        InputError: if two have, and mean other labels by them.
    """
    found = [[known[colour] for colour in colours] for known in (_VOC, _LIP) if all(c in known for c in colours)]
    if len(found) > 1 and found[0] != found[1]:
        raise InputError(f"{name} has colours that PASCAL VOC and LIP give to other labels; save the labels as grey")
    return found[0] if found else None


def _unmixed(name: str, labels: np.ndarray) -> np.ndarray:
    """The labels, unless the picture was scaled or smoothed as if they were brightnesses.

    Raises:
        InputError: if it was: between labels 2 and 6 it then has a line of 4.
    """
    slopes = changes = 0
    for view in (labels.astype(np.int32), labels.astype(np.int32).T):
        before, after = np.sign(view[:, 1:-1] - view[:, :-2]), np.sign(view[:, 2:] - view[:, 1:-1])
        slopes += int((before * after > 0).sum())
        changes += int((before != 0).sum())
    if slopes > _SLOPES * changes:
        raise InputError(f"{name} was scaled or smoothed, which mixes labels; scale maps to the nearest pixel")
    return labels


def _indices(opened: _Opened) -> np.ndarray:
    """Stored indices as regions."""
    name, image, _ = opened
    labels, tables = _labels(opened), ", ".join(LABEL_SETS)
    if labels.size and not 0 <= labels.min() <= labels.max() < regions.REGION_COUNT:
        strange = labels.max() if labels.max() >= regions.REGION_COUNT else labels.min()
        raise InputError(
            f"{name} holds the index {strange}; regions go from 0 to {LAST}. If it is a human parser's map, say "
            f"whose with the table: {tables}"
        )
    if image.mode in ("P", "RGB", "RGBA"):
        colours = [colour for _, colour in image.convert("RGB").getcolors(1 << 24) or []]
        if len(colours) >= 3 and all(c in _LIP for c in colours) and not all(c in _VOC for c in colours):
            raise InputError(f"{name} has the colours of LIP's and CIHP's labels: say whose with the table: {tables}")
    return labels.astype(np.uint8)


def _by_colour(image: Image.Image) -> tuple[np.ndarray | None, float]:
    """The map of a picture in our palette's colours, and the share of its pixels that are mixed; None if its colours
    are others, or it has none."""
    if image.mode not in ("P", "PA", "RGB", "RGBA"):
        return None, 0
    converted = image.convert("RGBA" if image.has_transparency_data else "RGB")
    seen = _seen(converted)
    packed = _packed(np.asarray(converted)[..., :3])
    found, inverse = np.unique(packed, return_inverse=True)
    inverse = inverse.reshape(packed.shape)
    apart = np.abs(np.array([_unpacked(value) for value in found])[:, None] - regions.PALETTE.astype(int)[None])
    nearest = (apart**2).sum(2).argmin(1)
    same = apart.max(2).min(1) <= _SAME
    parsing = np.where(seen, nearest[inverse], 0).astype(np.uint8)
    exact = same[inverse] | ~seen
    soft = 1 - float(exact.mean())
    if soft == 0:
        return parsing, soft
    if soft > _SOFT or not _are_edges(exact):
        return None, soft
    return _hardened(parsing, exact, np.asarray(converted)[..., :3]), soft


def _are_edges(exact: np.ndarray) -> bool:
    """Whether the other pixels lie along borders, not in areas of their own."""
    reach = max(3, max(exact.shape) // 150)
    near = cv2.dilate(exact.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    return bool(near[~exact].mean() > 0.98)


def _hardened(parsing: np.ndarray, exact: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Mixed colours as the nearest of the regions close by: a mixture of two may be the colour of a third."""
    ys, xs = np.nonzero(~exact)
    colour = rgb[ys, xs].astype(np.int64)
    least, best = np.full(len(ys), np.iinfo(np.int64).max), parsing[ys, xs].copy()
    reach = max(5, max(exact.shape) // 75 | 1)
    for region in range(regions.REGION_COUNT):
        near = cv2.dilate(((parsing == region) & exact).astype(np.uint8), np.ones((reach, reach), np.uint8))[ys, xs] > 0
        away = ((colour - regions.PALETTE[region].astype(np.int64)) ** 2).sum(1)
        better = near & (away < least)
        best[better], least[better] = region, away[better]
    hard = parsing.copy()
    hard[ys, xs] = best
    return hard


def _resized(name: str, parsing: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = parsing.shape
    if (width, height) == tuple(size):
        return parsing
    if abs(np.log(width / height * size[1] / size[0])) > _SAME_SHAPE:
        raise InputError(
            f"{name} is {width}x{height}, the photo {size[0]}x{size[1]}: they must be of the same size, or shape"
        )
    # The pixel under the middle of each new one.
    columns = ((np.arange(size[0]) + 0.5) * width / size[0]).astype(int)
    rows = ((np.arange(size[1]) + 0.5) * height / size[1]).astype(int)
    return parsing[rows[:, None], columns[None]]


def _seen(image: Image.Image) -> np.ndarray:
    """Where a picture is not transparent, (H, W) bool: at least half as opaque as where it is most. One that is
    transparent all over has no alpha that means anything."""
    if image.mode not in ("RGBA", "LA", "PA"):
        return np.ones(image.size[::-1], bool)
    alpha = np.asarray(image.getchannel("A"))
    return alpha >= (int(alpha.max()) + 1) // 2 if alpha.size else alpha > 0


def _hidden(image: Image.Image) -> float:
    """The share of the pixels that are transparent and yet have the colour of a region, 0 where hardly any is."""
    if not image.has_transparency_data:
        return 0.0
    converted = image.convert("RGBA")
    apart = np.abs(np.asarray(converted)[..., None, :3].astype(int) - regions.PALETTE[1:].astype(int)).max(-1).min(-1)
    share = float((~_seen(converted) & (apart <= _SAME)).mean())
    return share if share > 0.001 else 0.0


def _packed(rgb: np.ndarray) -> np.ndarray:
    return (rgb[..., 0].astype(np.uint32) << 16) | (rgb[..., 1].astype(np.uint32) << 8) | rgb[..., 2]


def _unpacked(value: int) -> tuple[int, int, int]:
    return int(value) >> 16, int(value) >> 8 & 255, int(value) & 255


def _commonest(image: Image.Image) -> str:
    found, counts = np.unique(_packed(np.asarray(image)[..., :3]), return_counts=True)
    colour = _unpacked(found[counts.argmax()])
    if len(found) > 64:
        return f"it has {len(found)} colours, most of them none of the eight regions' colours"
    return f"its commonest colour {colour} is none of the eight regions' colours"
