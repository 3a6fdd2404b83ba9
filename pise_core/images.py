"""The image gate: the only place where files of pictures become arrays, and arrays files.

Whatever comes in is untrusted. A picture leaves as upright sRGB (H, W, 3) uint8, or as an :class:`InputError`.
"""

import io
import os
import warnings
import zlib
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps, PngImagePlugin, features

from pise_core import provenance, regions
from pise_core.colour_spaces import named_profile
from pise_core.errors import InputError
from pise_core.files import read_file, write_file

Source = str | os.PathLike[str] | bytes | BinaryIO

MAX_BYTES = 40_000_000
MAX_PIXELS = 50_000_000
MAX_SIDE = 16_000
MIN_SIDE = 16
#: What a file of a photo is, for the message that one is none.
PHOTO = "JPEG, PNG or WebP picture"
#: What the fifth to eighth byte after "ftyp" say of photos of phones.
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
#: Of 255: as far a profile of sRGB itself may move a colour. colord's and Ghostscript's move some by 1; the one that
#: comes next, Rec. 709's, by 16.
_SRGB_WITHIN = 3
_AVIF_BRANDS = (b"avif", b"avis")

#: What is written for each suffix: the format's name, and the encoder's settings.
_WRITERS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {"compress_level": 3}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"lossless": True}),
}


@cache
def photo_formats() -> tuple[str, ...]:
    """Pillow's names of the formats of photos that can be read here; HEIC needs pillow-heif."""
    formats = ["JPEG", "PNG", "WEBP"]
    if features.check("avif"):
        formats.append("AVIF")
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return tuple(formats)
    register_heif_opener()
    return (*formats, "HEIF")


def read_photo(
    source: Source, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, ground: int = 255, kind: str = PHOTO
) -> np.ndarray:
    """Decode a JPEG, PNG or WebP picture, and HEIC and AVIF where this machine can; what the bytes say counts, not the
    file's suffix.

    EXIF orientation is applied, colours are brought to sRGB, transparency goes onto white, 16 bits become 8, and of an
    animation the first frame is taken. Size limits are checked before anything is decoded.

    Args:
        source: path, the file's bytes, or a file open for reading in binary.
        max_pixels: width x height that may be decoded.
        max_bytes: length of the file.
        ground: the grey, 0 to 255, that transparency goes onto.
        kind: what the file should be, for the message that it is none.

    Returns:
        (H, W, 3) uint8 RGB, contiguous, sides between 16 and 16000.

    Raises:
        InputError: if it can't be read, isn't such a picture, is damaged, too large or too small.
    """
    name, image = open_picture(source, photo_formats(), kind, max_pixels, max_bytes)
    data = image.fp.getvalue() if image.format == "PNG" and isinstance(image.fp, io.BytesIO) else b""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image.load()
            if not image.info.get("icc_profile") and (named := named_profile(image, data)):
                image.info["icc_profile"] = named
            return np.ascontiguousarray(_flatten(_upright(image), ground), np.uint8)
    except InputError as error:
        raise InputError(f"{name} {error}") from None
    except Exception as error:  # Damaged data makes decoders raise anything: SyntaxError, struct.error, ...
        raise InputError(f"{name} is damaged or cut off and can't be decoded") from error


#: The same for pictures that show nobody: garments, textures, results.
read_image = read_photo


def write_image(path: str | os.PathLike[str], image: np.ndarray, edited: bool = False) -> None:
    """Write (H, W, 3) uint8 RGB: ``.png``, ``.webp`` (both lossless) or ``.jpg`` (quality 95). It has no metadata but,
    if it was ``edited``, a note of that; see :mod:`pise_core.provenance`.

    Raises:
        InputError: if the suffix is another, or the file can't be written.
    """
    write_file(path, encode_image(image, Path(path).suffix, edited))


def write_parsing(path: str | os.PathLike[str], parsing: np.ndarray) -> None:
    """Write (H, W) indices 0..7 as a PNG of mode P in the colours of ``regions.PALETTE``.

    Raises:
        InputError: if it is no parsing map, the suffix isn't ``.png``, or the file can't be written.
    """
    if Path(path).suffix.lower() != ".png":
        raise InputError(f"a parsing map is written as .png, not {Path(path).suffix or 'without a suffix'}")
    write_file(path, encode_parsing(parsing))


def check_writable(path: str | os.PathLike[str]) -> None:
    """Find out early, before the work is done, that :func:`write_image` would refuse a path.

    Raises:
        InputError: if the suffix is unknown, or there is no such folder to write to.
    """
    path = Path(path)
    _writer(path.suffix)
    try:
        reason = None
        if not path.parent.is_dir():
            reason = f"there is no folder {os.fspath(path.parent)!r}"
        elif path.is_dir():
            reason = "it is a folder"
        elif path.exists() and not os.access(path, os.W_OK):
            reason = "permission denied"
        elif (path.is_file() or not path.exists()) and not os.access(os.path.realpath(path.parent), os.W_OK):
            reason = "its folder can't be written to"
    except OSError as error:
        reason = error.strerror
    if reason:
        raise InputError(f"can't write {os.fspath(path)!r}: {reason}")


def encode_image(image: np.ndarray, suffix: str = ".png", edited: bool = False, quality: int | None = None) -> bytes:
    """The bytes of the file that :func:`write_image` would write; ``quality``, 1 to 100, is that of a JPEG or WebP.

    Raises:
        InputError: if the suffix is none of .png, .jpg, .jpeg and .webp, or the operator's key can't sign.
    """
    kind, settings = _writer(suffix)
    if quality is not None:
        settings = settings | {"quality": quality, "lossless": False}
    if edited and provenance.wanted():
        settings = settings | _note(kind)
    if edited:
        image = provenance.with_line(image)
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, kind, **settings)
    return provenance.signed(buffer.getvalue(), kind) if edited and provenance.signs() else buffer.getvalue()


def _note(kind: str) -> dict[str, Any]:
    """What makes Pillow write the XMP packet of an edited picture."""
    if kind != "PNG":
        return {"xmp": provenance.packet().encode()}
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", provenance.packet())
    return {"pnginfo": info}


def encode_parsing(parsing: np.ndarray) -> bytes:
    """The bytes of the file that :func:`write_parsing` would write.

    Raises:
        InputError: if it is no parsing map.
    """
    image = Image.fromarray(np.ascontiguousarray(regions.check_parsing(parsing)))
    image.putpalette(regions.PALETTE.tobytes())  # turns mode L into P
    buffer = io.BytesIO()
    # Without bits=8 Pillow would pack 8 colours into 4 bits; readers that look at raw rows expect one byte a pixel.
    image.save(buffer, "PNG", bits=8)
    return buffer.getvalue()


def shrink(image: np.ndarray, side: int) -> np.ndarray:
    """An image (H, W) or (H, W, C) uint8 with its longer side brought down to ``side`` pixels if it is longer, by the
    mean of the pixels that become one."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def harmless(name: str) -> str:
    """A name that a user gave, as part of a file's: letters, digits, hyphens and underscores alone, at most 60."""
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    return kept[:60].strip("-") or "photo"


def check_photo(photo: np.ndarray) -> np.ndarray:
    """A photo given as an array, contiguous, or an error that says what is wrong with it.

    Args:
        photo: (H, W, 3) uint8 RGB with sides between 16 and 16000.

    Raises:
        InputError: on any other shape, type or size.
    """
    photo = np.asarray(photo)
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise InputError(f"a photo is an array (H, W, 3) of uint8 RGB, not {photo.shape} of {photo.dtype}")
    _check_size("the photo", photo.shape[1], photo.shape[0], max_pixels=None)
    return np.ascontiguousarray(photo)


def open_picture(
    source: Source,
    formats: tuple[str, ...],
    kind: str,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
) -> tuple[str, ImageFile.ImageFile]:
    """A name for messages, and the picture with its header read and checked but nothing decoded.

    Args:
        source: path, the file's bytes, or a file open for reading in binary.
        formats: Pillow's names of those that may be read.
        kind: what the file should be, for the message that it is none.
        max_pixels, max_bytes: as :func:`read_photo` takes them.

    Raises:
        InputError: if it can't be read, isn't such a picture, or is too large or too small.
    """
    name, data = _read(source, max_bytes)
    try:
        with warnings.catch_warnings():
            # Pillow only warns about bombs below twice its own limit; the sizes are checked right below instead.
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError:
        raise InputError(f"{name} is too large; at most {max_pixels / 1e6:g} megapixels are taken") from None
    except Exception as error:  # Damaged headers raise more than UnidentifiedImageError
        raise InputError(_no_picture(name, data, kind)) from error
    _check_size(name, image.width, image.height, max_pixels)
    if image.format == "PNG" and not _is_whole_png(data):
        raise InputError(f"{name} is damaged or cut off and can't be decoded")
    return name, image


def _is_whole_png(data: bytes) -> bool:
    """Whether the pixels have the checksums that stand beside them. Pillow doesn't look at these, and decodes what it
    gets: a damaged map would have other labels."""
    view, at = memoryview(data), 8
    while at + 12 <= len(data):
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 8 + length
        if view[at + 4 : at + 8] in (b"IDAT", b"fdAT") and (
            zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big")
        ):
            return False
        at = end + 4
    return True


def _no_picture(name: str, data: bytes, kind: str) -> str:
    """What to say of a file that is no such picture."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS and "HEIF" not in photo_formats():
        return f"{name} is a HEIC photo, which needs pillow-heif (pip install pillow-heif) here; or save it as JPEG"
    if data[4:8] == b"ftyp" and data[8:12] in _AVIF_BRANDS and "AVIF" not in photo_formats():
        return f"{name} is an AVIF photo, which the Pillow here can't read: save it as JPEG"
    return f"{name} is not a {kind}"


def _read(source: Source, max_bytes: int) -> tuple[str, bytes]:
    """The name of the source for messages, and its bytes."""
    if isinstance(source, bytes | bytearray | memoryview):
        name, data = "the picture", bytes(source)
    elif isinstance(source, str | os.PathLike):
        name, data = Path(source).name or str(source), read_file(source, max_bytes)
    else:
        name = Path(str(getattr(source, "name", ""))).name or "the picture"
        try:
            data = source.read(max_bytes + 1)
        except (AttributeError, OSError, ValueError):
            raise InputError("the picture can't be read: give a path, bytes, or a file open in binary") from None
        if not isinstance(data, bytes):
            raise InputError("the picture can't be read: its file must be open in binary")
    if len(data) > max_bytes:
        raise InputError(f"{name} is larger than {max_bytes / 1e6:g} MB; save it smaller")
    if not data:
        raise InputError(f"{name} is empty")
    return name, data


def _check_size(name: str, width: int, height: int, max_pixels: int | None) -> None:
    if min(width, height) < MIN_SIDE:
        raise InputError(f"{name} is {width}x{height}; at least {MIN_SIDE} pixels a side are needed")
    if max(width, height) > MAX_SIDE:
        raise InputError(f"{name} is {width}x{height}; at most {MAX_SIDE} pixels a side are taken")
    if max_pixels is not None and width * height > max_pixels:
        raise InputError(f"{name} is {width}x{height}; at most {max_pixels / 1e6:g} megapixels are taken")


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF says; a damaged EXIF block must not cost the picture."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # The EXIF parser, too, raises anything on damaged data
        return image


def _flatten(image: Image.Image, ground: int) -> Image.Image:
    """Any mode that the three formats hold -> RGB in sRGB, transparency on a grey ``ground``."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip it
        deep = np.asarray(image).astype(np.uint32)
        image = Image.fromarray(((deep * 255 + 32767) // 65535).clip(0, 255).astype(np.uint8))
    alpha = None
    if image.has_transparency_data:
        grey = image.mode in ("L", "LA")  # whose profile is one of greys
        alpha = image.convert("RGBA").getchannel("A")
        image = image.convert("L" if grey else "RGB")
    elif image.mode in ("P", "1"):
        image = image.convert("RGB")
    image = _to_srgb(image, profile)
    if alpha is not None:
        image = Image.composite(image, Image.new("RGB", image.size, (ground,) * 3), alpha)
    return image


def in_srgb(image: Image.Image) -> Image.Image:
    """A decoded picture as RGB, or RGBA where it is transparent somewhere, by way of its own colour profile."""
    transparent = image.has_transparency_data
    coloured = image.convert("RGBA" if transparent else "RGB")
    converted = _to_srgb(coloured.convert("RGB"), image.info.get("icc_profile"))
    if transparent:
        converted.putalpha(coloured.getchannel("A"))
    return converted


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB; by way of the colour profile where there is one that fits the picture."""
    if profile:
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            # A picture that is in sRGB already must keep its exact values. What its profile is called does not tell.
            if not (image.mode == "RGB" and _is_srgb(given)):
                converted = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # Damaged, or a profile for another kind of picture: the plain conversion below is the best guess.
    return image.convert("RGB")


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    """Whether a profile changes no colour by more than the rounding of its own numbers: profiles of sRGB differ."""
    levels = np.array([0, 16, 48, 80, 128, 176, 208, 240, 255], np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(1, -1, 3)
    to_srgb = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), "RGB", "RGB")
    converted = ImageCms.applyTransform(Image.fromarray(colours), to_srgb)
    assert converted is not None  # only in place there is no answer
    return bool(np.abs(np.asarray(converted).astype(int) - colours).max() <= _SRGB_WITHIN)


def _writer(suffix: str) -> tuple[str, dict[str, Any]]:
    try:
        return _WRITERS[suffix.lower()]
    except KeyError:
        raise InputError(f"can't write a picture as {suffix!r}; use .png, .jpg or .webp") from None
