"""Maps of regions in files of other programs: paint programs, optimisers of pictures, human parsers.

A file may hold indices, or colours. Paint programs and optimisers renumber a palette, so that an index means nothing
where the palette's colours are ours: then colours count. Where they are others, indices do.
"""

import logging

import cv2
import numpy as np
from PIL import Image

from pise_core import regions
from pise_core.errors import InputError
from pise_core.images import Source, open_picture
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

#: Colour -> label, in the palette that most parsers write.
_VOC = {tuple(colour): label for label, colour in enumerate(_voc_palette().tolist())}
#: Formats that keep labels apart. JPEG mixes those of neighbours.
_FORMATS = ("PNG", "GIF", "BMP", "TIFF", "WEBP")
#: A colour of the palette that went through colour management is still meant if no channel is further off.
_SAME = 10
#: A map may have mixed colours at so many of its pixels, between regions that are close by.
_SOFT = 0.25
#: Shapes that differ by less are one picture at two sizes.
_SAME_SHAPE = 0.07


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
    name, image = _opened(source)
    doubt = ""
    if table is not None:
        wanted = label_set(table)
        labels = _labels(name, image)
        try:
            parsing = merge(labels, wanted)
        except InputError as error:
            raise InputError(f"{name} {error}; is it a map of {table.upper()}?") from None
    else:
        parsing, soft = _by_colour(image)
        if parsing is None:
            parsing = _indices(name, _labels(name, image))
        elif soft:
            doubt = f"{name} has soft edges: {soft:.1%} of its pixels count for the nearest region"
    return parsing if size is None else _resized(name, parsing, size), doubt


def read_labels(source: Source) -> np.ndarray:
    """A parser's map as it is: (H, W) whole numbers, whatever they mean.

    Stored indices of a picture with a palette, grey values of 8 or 16 bits, or colours of the palette that PASCAL VOC
    began and parsers write.

    Raises:
        InputError: if it can't be read, or is no map of labels.
    """
    return _labels(*_opened(source))


def _opened(source: Source) -> tuple[str, Image.Image]:
    name, image = open_picture(source, _FORMATS, "map of regions: use PNG (JPEG mixes neighbouring labels)")
    try:
        image.load()
    except Exception as error:  # Damaged data makes decoders raise anything
        raise InputError(f"{name} is damaged or cut off and can't be decoded") from error
    return name, image


def _labels(name: str, image: Image.Image) -> np.ndarray:
    """(H, W) whole numbers that a picture holds."""
    if image.mode == "L":
        return np.asarray(image)
    if image.mode == "P":
        return _palette_labels(image)
    if image.mode.startswith("I"):
        deep = np.asarray(image)
        # Eight bits that a program stretched to sixteen.
        return deep // 257 if deep.size and not (deep % 257).any() else deep
    if image.mode in ("LA", "PA"):
        grey, alpha = (np.asarray(band) for band in image.split())
        return np.where(alpha == 0, 0, grey)
    if image.mode in ("RGB", "RGBA"):
        seen, pixels = _seen(image), np.asarray(image)[..., :3]
        if pixels.max() < 64 and not np.ptp(pixels, axis=2).any():
            return np.where(seen, pixels[..., 0], 0)  # indices in all three channels
        packed = _packed(pixels)
        found, inverse = np.unique(packed, return_inverse=True)
        labels = [_VOC.get(_unpacked(value)) for value in found]
        if None not in labels:
            return np.where(seen, np.array(labels)[inverse.reshape(packed.shape)], 0)
        raise InputError(f"{name} is no map of regions: {_commonest(image)}")
    if image.mode == "1":
        raise InputError(f"{name} is a mask of black and white, no map of regions")
    raise InputError(f"{name} is no map of regions: it is a picture of mode {image.mode}")


def _palette_labels(image: Image.Image) -> np.ndarray:
    """Stored indices, unless the palette says that an optimiser has renumbered them."""
    stored = np.asarray(image)
    used = np.unique(stored)
    palette = np.zeros((256, 3), np.uint8)
    given = np.array(image.getpalette() or [], np.uint8).reshape(-1, 3)
    palette[: len(given)] = given
    colours = palette[used]
    table = np.arange(256)
    if len(used) and colours.max() < 64 and not np.ptp(colours, axis=1).any():
        table[used] = colours[:, 0]  # grey values of labels, one channel made a palette
    elif len(used) >= 3 and all(tuple(colour) in _VOC for colour in colours.tolist()):
        table[used] = [_VOC[tuple(colour)] for colour in colours.tolist()]
    return table[stored]


def _indices(name: str, labels: np.ndarray) -> np.ndarray:
    """Stored indices as regions."""
    if labels.size and labels.max() >= regions.REGION_COUNT:
        tables = ", ".join(LABEL_SETS)
        raise InputError(
            f"{name} holds the index {labels.max()}; regions go from 0 to {LAST}. If it is a human parser's map, say "
            f"whose with the table: {tables}"
        )
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
    """Where an RGB or RGBA picture is not transparent, (H, W) bool."""
    return np.asarray(image.getchannel("A")) >= 128 if image.mode == "RGBA" else np.ones(image.size[::-1], bool)


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
