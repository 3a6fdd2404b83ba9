"""What a map calls the clothes of somebody who changes them, read as people would."""

import cv2
import numpy as np

from pise_core.long_tops import hangs_as_dress
from pise_core.masks import grow, window_of
from pise_core.person import Person
from pise_core.regions import REGION
from pise_core.rendering.refine import apart, like_other
from pise_core.rendering.wearing.places import levels
from pise_core.warping.bare_body import torso_length, trunk
from pise_core.warping.parts import PARTS

_LEG, _PANTS, _TOP = (REGION[name] for name in ("leg", "pants", "upper_clothes"))
_ARM_PARTS = [PARTS.index(part) for part in PARTS if "arm" in part]
_CLOTHES = tuple(REGION[name] for name in ("upper_clothes", "dress", "pants"))
#: A piece of one garment that has less than this share of another, and so much of its border with it, is the other's.
_PATCH, _WITHIN = 0.08, 0.5
#: In frame pixels: farther from trousers a leg's colours are surely its own; and what is thinner is no cloth.
_OWN, _THIN = 8.0, 1.0
#: How many times as likely of trousers a colour below them must be.
_LIKELIER = 2.0
#: Lab: trousers and shoes whose typical colours differ by less are not told apart.
_TOLD_APART = 12.0
#: Lab: cloth whose typical colours differ by less is the same.
_ALIKE = (12.0, 6.0, 6.0)
#: Share of the trunk that a dress covers and a skirt doesn't.
_FULL = 0.4
#: In lengths of the torso, from the hips down: where a dress that is lent as a top ends, and what sides of a dress
#: reach. In squares of it: how large they are below that at least.
_HIPS, _SIDES, _LEAST_SIDES = 0.04, 0.12, 0.03
#: As large, in shares of a skirt of a top's cloth, are trousers below it that make both a coat.
_OVER = 0.3


def tidied(parsing: np.ndarray) -> np.ndarray:
    """The map without patches of one garment in another.

    Args:
        parsing: (H, W) uint8.

    Returns:
        (H, W) uint8.
    """
    made, sizes = parsing.copy(), {region: np.count_nonzero(parsing == region) for region in _CLOTHES}
    most = _PATCH * max(sizes.values())
    for region in _CLOTHES:
        count, pieces, stats, _ = cv2.connectedComponentsWithStats((parsing == region).astype(np.uint8), connectivity=4)
        for n in range(1, count):
            if stats[n, cv2.CC_STAT_AREA] > most:
                continue
            window = window_of(pieces == n, margin=4)
            assert window is not None
            here = pieces[window] == n
            around = parsing[window][grow(here, 2.5) & ~here]
            shares = {r: np.count_nonzero(around == r) / max(len(around), 1) for r in _CLOTHES if r != region}
            other = max(shares, key=shares.__getitem__)
            if shares[other] > _WITHIN and stats[n, cv2.CC_STAT_AREA] < _PATCH * sizes[other]:
                made[window][here] = other
    return made


def trousers_whole(photo: np.ndarray, parsing: np.ndarray, scale: float) -> np.ndarray:
    """The map with trousers down to where their colours end: their hems are often taken for legs.

    Args:
        photo: (H, W, 3) uint8.
        parsing: (H, W) uint8.
        scale: frame pixels per pixel.

    Returns:
        (H, W) uint8.
    """
    trousers, leg = parsing == _PANTS, parsing == _LEG
    window = window_of(trousers | leg, margin=2)
    if window is None or not (trousers.any() and leg.any()):
        return parsing
    part, cloth, leg = photo[window], trousers[window], leg[window]
    own = leg & ~grow(cloth, _OWN / scale)
    if own.any() and apart(part, cloth, own) < _TOLD_APART:
        return parsing  # shoes of the trousers' colour
    found = like_other(part, leg, cloth, own, scale, _LIKELIER)
    radius = _THIN / scale
    found = grow(~grow(~found, radius), radius) & leg if found.any() else found
    made = parsing.copy()
    made[window][found] = _PANTS
    return made


def with_bodice(parsing: np.ndarray, person: Person) -> np.ndarray:
    """A map (H, W uint8) of who lends a top, in which what covers the trunk is one though the map calls a part a dress:
    down to the hips that is a top, too."""
    level = levels(person.pose, parsing.shape, max(torso_length(person.pose), 1.0))
    dress = parsing == REGION["dress"]
    if not _covers_trunk(dress, person):
        return parsing
    return np.where(dress & ((level < _HIPS) | np.isin(person.full.owner, _ARM_PARTS)), np.uint8(_TOP), parsing)


def with_sides(parsing: np.ndarray, person: Person) -> np.ndarray:
    """A map (H, W uint8) of who lends a dress, in which sides that the map calls a top are the dress's: those that
    reach below the hips."""
    size = max(torso_length(person.pose), 1.0)
    top = parsing == _TOP
    low = top & ~np.isin(person.full.owner, _ARM_PARTS) & (levels(person.pose, parsing.shape, size) > _SIDES)
    if low.sum() < _LEAST_SIDES * size**2 or not _covers_trunk(parsing == REGION["dress"], person):
        return parsing
    return np.where(top, np.uint8(REGION["dress"]), parsing)


def _covers_trunk(mask: np.ndarray, person: Person) -> bool:
    body = trunk(person.pose, mask.shape)
    return bool(body.any() and (mask & body).sum() > _FULL * body.sum())


def one_piece(person: Person, below: str | None = None) -> np.ndarray:
    """The map, with the upper half of a dress as dress: it is often taken for a top, but of the same cloth.

    ``below``: the kind of what is to be worn instead of a part of it. Over trousers that is rather a coat, and its
    lower half is the top's, for whoever changes trousers or the top.
    """
    parsing, top, region = person.parsing, REGION["upper_clothes"], REGION["dress"]
    if below is None and hangs_as_dress(parsing, person.pose):
        return np.where(parsing == top, np.uint8(region), parsing)
    if not (person.present[top] and person.present[region]):
        return parsing
    scale = person.framing.scale
    core = [~grow(parsing != r, 2 / scale) for r in (top, region)]
    if min(c.sum() for c in core) * scale**2 < 60:
        return parsing
    lab = cv2.cvtColor(person.photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    pairs = [lab[c] for c in core]
    (a, b), spread = (np.median(p, axis=0) for p in pairs), np.mean([np.std(p, axis=0) for p in pairs], axis=0)
    alike = np.abs(a - b) < np.array(_ALIKE) + 0.5 * spread
    spreads = np.array([np.linalg.norm(p.std(axis=0)) for p in pairs])
    if not alike.all() or spreads.max() > 2 * spreads.min() + 6:
        return parsing
    trousers = np.count_nonzero(parsing == REGION["pants"])
    if below in ("pants", "top") and trousers > _OVER * np.count_nonzero(parsing == region):
        return np.where(parsing == region, np.uint8(top), parsing)
    if below == "top":
        return parsing
    return np.where(parsing == top, np.uint8(region), parsing)
