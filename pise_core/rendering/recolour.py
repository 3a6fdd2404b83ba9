"""A garment or hair in another colour: its folds, its weave and its pattern stay.

In CIE Lab every pixel of the region is its typical colour and a difference to it, which is texture, folds and shading.
The typical colour is replaced and the difference kept, scaled in lightness where dark cloth becomes bright or bright
cloth dark, for folds show less in the dark. Then hue, saturation and lightness are shifted, if that is asked for.

A garment's border is found in the photo after its colours (:mod:`pise_core.rendering.refine`), where the map takes a
hand for cloth or misses a cuff; a guided filter (He, Sun and Tang, ECCV 2010) turns what is found into a matte.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import ImageColor

from pise_core.errors import InputError
from pise_core.guided_filter import guided_filter
from pise_core.masks import window_of
from pise_core.regions import GARMENTS, REGION, TEXTURED
from pise_core.rendering.refine import refined

#: What can be recoloured; skin can't.
RECOLOURED = TEXTURED
#: The matte's reach about the map's border, as a share of the person's height, and the variance of colour (of values in
#: [0, 1]) below which there is no border to follow.
_REACH, _SMOOTH = 0.004, 5e-4
#: Frame pixels that a person is high, and how far about a garment its surroundings' colours are looked at.
_FRAME, _SURROUNDINGS = 230.0, 18.0
_GARMENTS = tuple(REGION[name] for name in GARMENTS)
_SKIN = [REGION[name] for name in ("face", "upper_skin", "leg")]
#: How much more or less folds may show on another lightness.
_LEAST_CONTRAST, _MOST_CONTRAST = 0.45, 1.6


@dataclass(frozen=True)
class Recolour:
    """What becomes of a region's colours.

    Attributes:
        colour: sRGB, 0..255 each, that the region's typical colour becomes; None where it stays.
        hue: degrees by which hues are turned, -180..180.
        saturation: what colourfulness is multiplied with, 0..2.
        lightness: -1 is black, 1 is white, 0 changes nothing.
    """

    colour: tuple[int, int, int] | None = None
    hue: float = 0.0
    saturation: float = 1.0
    lightness: float = 0.0

    @property
    def none(self) -> bool:
        """Whether nothing changes."""
        return self == Recolour()

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it, the colour as ``#rrggbb``; what changes nothing is left out."""
        told: dict[str, Any] = {} if self.colour is None else {"colour": "#{:02x}{:02x}{:02x}".format(*self.colour)}
        if self.hue:
            told["hue"] = self.hue
        if self.saturation != 1:
            told["saturation"] = self.saturation
        if self.lightness:
            told["lightness"] = self.lightness
        return told


def checked_recolour(value: Any) -> Recolour:
    """A recolouring from itself, a colour (``"#1b3a8c"``, ``"navy"``), or ``{"colour", "hue", "saturation",
    "lightness"}`` with any of them.

    Raises:
        InputError: if it is none of these, or a number is out of its range.
    """
    if isinstance(value, Recolour):
        value = value.to_dict()
    if isinstance(value, str):
        value = {"colour": value}
    if not isinstance(value, Mapping) or not value.keys() <= {"colour", "hue", "saturation", "lightness"}:
        raise InputError("a recolouring is a colour such as #1b3a8c, or has colour, hue, saturation and lightness")
    numbers = {}
    for name, least, most, usual in (("hue", -180, 180, 0.0), ("saturation", 0, 2, 1.0), ("lightness", -1, 1, 0.0)):
        number = value.get(name, usual)
        if isinstance(number, bool) or not isinstance(number, int | float) or not least <= number <= most:
            raise InputError(f"{name} is a number from {least} to {most}")
        numbers[name] = float(number)
    colour = value.get("colour")
    return Recolour(None if colour is None else _colour(colour), **numbers)


def _colour(value: Any) -> tuple[int, int, int]:
    if not isinstance(value, str) or not re.fullmatch(r"#[0-9a-fA-F]{3,6}|[a-zA-Z ]{1,40}", value):
        raise InputError("a colour is written as #1b3a8c, or by a name such as navy")
    try:
        red, green, blue = ImageColor.getrgb(value)[:3]
    except ValueError:
        raise InputError(f"{value!r} is no colour; write it as #1b3a8c") from None
    return red, green, blue


def checked_recolours(value: Any) -> dict[str, Recolour]:
    """``{region: recolouring}``, without those that change nothing; each as :func:`checked_recolour` takes it.

    Raises:
        InputError: on a region that can't be recoloured, or as that does.
    """
    if not isinstance(value, Mapping) or not value.keys() <= set(RECOLOURED):
        raise InputError(f"what can be recoloured is {', '.join(RECOLOURED)}; give {{region: recolouring}}")
    checked = {region: checked_recolour(wanted) for region, wanted in value.items()}
    return {region: wanted for region, wanted in checked.items() if not wanted.none}


def recolour(photo: np.ndarray, parsing: np.ndarray, wanted: Mapping[str, Recolour]) -> np.ndarray:
    """The photo with regions in other colours; everything else keeps its bytes.

    Args:
        photo: (H, W, 3) uint8 sRGB.
        parsing: (H, W) uint8 of indices 0..7.
        wanted: by region name.

    Returns:
        (H, W, 3) uint8, the photo itself where it shows nothing of the regions.
    """
    made = photo
    for region, change in wanted.items():
        inside = parsing == REGION[region]
        reach = max(2, round(_REACH * _height(parsing)))
        scale = _FRAME / max(1, _height(parsing))
        window = None if change.none else window_of(inside, margin=4 * reach + round(_SURROUNDINGS / scale))
        if window is None:
            continue
        if REGION[region] in _GARMENTS:
            inside = inside.copy()
            inside[window] = _as_seen(photo[window], parsing[window], REGION[region], scale)
        lab = _to_lab(photo[window])
        alpha = _matte(photo[window], inside[window], reach)[..., None]
        changed = _to_rgb(_changed(lab, _typical(lab, inside[window], reach), change))
        blended = np.rint(made[window] + alpha * (changed - photo[window])).clip(0, 255).astype(np.uint8)
        made = made.copy() if made is photo else made
        made[window] = np.where(alpha > 0, blended, made[window])
    return made


def _as_seen(photo: np.ndarray, parsing: np.ndarray, region: int, scale: float) -> np.ndarray:
    """(H, W) bool: the garment after its colours; no hand that the map takes for it, and with a cuff that it missed."""
    inside, skin = parsing == region, np.isin(parsing, _SKIN)
    other = (parsing > 0) & ~inside & ~skin
    skin = cv2.erode(skin.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return refined(photo, inside, scale, np.zeros_like(inside), other, np.ones_like(inside), skin)


def _height(parsing: np.ndarray) -> int:
    rows = np.flatnonzero((parsing > 0).any(axis=1))
    return int(rows[-1] - rows[0] + 1) if rows.size else 0


def _typical(lab: np.ndarray, inside: np.ndarray, reach: int) -> np.ndarray:
    """The median colour (3,), away from the border, whose pixels may be the neighbours'."""
    core = cv2.erode(inside.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)).astype(bool)
    return np.median(lab[core if np.count_nonzero(core) >= 20 else inside], axis=0)


def _matte(photo: np.ndarray, inside: np.ndarray, reach: int) -> np.ndarray:
    """How much of each pixel is the region, (H, W) float32: 0 or 1 away from the map's border."""
    mask = inside.astype(np.float32)
    alpha = guided_filter(photo, mask, 2 * reach, _SMOOTH)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (4 * reach + 1, 4 * reach + 1))
    alpha = np.clip((alpha - 0.3) / 0.4, 0, 1)  # guided, it is flatter than the border is
    near = cv2.dilate(inside.astype(np.uint8), kernel) > 0
    deep = cv2.erode(inside.astype(np.uint8), kernel) > 0
    return np.where(deep, 1, np.where(near, alpha, 0)).astype(np.float32)


def _changed(lab: np.ndarray, typical: np.ndarray, change: Recolour) -> np.ndarray:
    lab = lab.copy()
    if change.colour is not None:
        target = _to_lab(np.array([[change.colour]], np.uint8))[0, 0]
        contrast = np.clip((target[0] + 15) / (typical[0] + 15), _LEAST_CONTRAST, _MOST_CONTRAST)
        lab -= typical
        lab[..., 0] *= contrast
        lab += target
    angle = np.deg2rad(change.hue)
    a, b = lab[..., 1].copy(), lab[..., 2].copy()
    lab[..., 1] = change.saturation * (np.cos(angle) * a - np.sin(angle) * b)
    lab[..., 2] = change.saturation * (np.sin(angle) * a + np.cos(angle) * b)
    if change.lightness > 0:
        lab[..., 0] += change.lightness * (100 - lab[..., 0])
    else:
        lab *= 1 + change.lightness  # colours fade with the light
    lab[..., 0] = lab[..., 0].clip(0, 100)
    return lab


def _to_lab(rgb: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def _to_rgb(lab: np.ndarray) -> np.ndarray:
    return 255 * cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB).clip(0, 1)
