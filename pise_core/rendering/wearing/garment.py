"""A garment as a layer of its own: cut out with a soft edge, and finished where something lies before it."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from pise_core.guided_filter import guided_filter
from pise_core.inpainting.garments import continue_cloth
from pise_core.masks import Nearest, grow, smooth, window_of
from pise_core.person import Person
from pise_core.regions import REGION
from pise_core.rendering.refine import like_other, like_skin, refined
from pise_core.rendering.wearing.limbs import (
    ARM_PARTS,
    LIMBS,
    beside_held,
    hem_of,
    hidden_limbs,
    joints_of,
    legs_known,
    near_wrists,
    reach_of,
)
from pise_core.rendering.wearing.names import one_piece, with_bodice, with_sides
from pise_core.rendering.wearing.outline import behind, between, bites, closing, lower
from pise_core.rendering.wearing.plain import calmed
from pise_core.rendering.wearing.straps import strap
from pise_core.rendering.wearing.trousers import alike, crotch_of
from pise_core.rendering.wearing.waist import parted
from pise_core.rendering.wearing.whole import (
    as_on_the_other_side,
    bitten,
    ears,
    even_hem,
    no_wider_than_the_other,
    sleeves_whole,
    smoothed,
)
from pise_core.skeleton import NECK, SHOULDERS
from pise_core.view import View
from pise_core.warping.bare_body import torso_length, trunk
from pise_core.warping.parts import PARTS

#: In frame pixels: how far from the map's border the true one can be, and from how far colours beside it are taken.
_BAND, _AROUND = 2.5, 5.0
#: In frame pixels: window of the filter that makes the edge follow the picture, and its variance of colour.
_WINDOW, _EPS = 1.5, 1e-3
#: Pieces of the map with fewer pixels of the frame are speckles, and so are they below this share of the largest.
_LEAST, _SPECKLE = 12, 0.01
#: In frame pixels: farther from the largest piece lies a bag or the like, if it has less than this share of its size.
_APART, _STRAY = 6.0, 0.15
#: In frame pixels: how far inside others the map is never wrong.
_INSIDE_OTHERS = 6.0
#: In lengths of the torso: gaps up to twice this wide are taken for what lies before the garment, and how far the trunk
#: reaches below a sleeve.
_GAP, _OVERLAP = 0.2, 0.06
#: In lengths of the torso: notches up to twice as wide may be what lies before it.
_NOTCH = 0.3
#: Share of the trunk that a dress covers and a skirt doesn't.
_FULL = 0.45
#: In lengths of the torso: how far from what is held a strap or more of it may be.
_STRAP = 0.3
#: Of a piece of background beside a hand, the share that the map took for the garment if it is a bag.
_OF_IT = 0.25
#: In frame pixels: what is held is known so exactly.
_RIM_HELD = 4.0
#: How many times as likely of these a colour must be. In frame pixels: bits of cloth up to twice as wide within it.
_STRANGE, _BITS = 3.0, 1.5
#: In frame pixels: so near the photo's edge trousers are cut off by it.
_AT_EDGE = 2.0
#: In frame pixels: how far from hair an outline is not the garment's own; and how many times as smooth it is there.
_BESIDE_HAIR, _SMOOTHER = 4.0, 3.0
#: In lengths of the torso: a garment that lies about a shoulder goes on to the neck behind hair; and half of the neck's
#: width, as a share of the way to the shoulder.
_ON_SHOULDER, _NECK = 0.09, 0.42
#: In frame pixels: so far from skin a garment's colours are not its own alone.
_RIM = 1.0


@dataclass(frozen=True, eq=False)
class Garment:
    """A garment in pixels of its photo.

    Attributes:
        region: its index.
        kind: ``top``, ``dress``, ``skirt`` or ``pants``.
        pose: (18, 3) of whoever wears it, in pixels of ``colours``.
        colours: (h, w, 3) uint8, its own, everywhere one of the pieces has a share.
        pieces: ``trunk`` and names of limbs -> (h, w) float32 in [0, 1], its share of each pixel.
        reach: name of a limb -> (K,) how far from its bones its piece goes, in pixels, at ``PLACES`` along them.
        hems: name of a limb -> where along its bones its piece ends, as ``PLACES`` count; limbs that it hardly covers
            are absent.
        mirrored: limbs whose piece is hidden in the photo: it is that of the other side, turned over.
        crop: whether bare skin was seen between it and what is worn below.
        crotch: where, of the way from hips to knees, trouser legs part.
    """

    region: int
    kind: str
    pose: np.ndarray
    colours: np.ndarray
    pieces: dict[str, np.ndarray]
    reach: dict[str, np.ndarray]
    hems: dict[str, float]
    mirrored: tuple[str, ...]
    crop: bool
    crotch: float = 0.0


def cut(person: Person, region: int) -> Garment:
    """What a person wears in a region, as a layer.

    Raises:
        InputError: if too little of it is seen.
    """
    size = torso_length(person.pose)
    scale = person.framing.scale
    parsing = person.parsing
    if region == REGION["dress"]:
        parsing = with_sides(one_piece(person), person)
    elif region == REGION["upper_clothes"]:
        parsing = parted(person.photo, parsing, person.pose, np.isin(person.full.owner, ARM_PARTS), scale)
        parsing = with_bodice(parsing, person)
    window = window_of(parsing == region, margin=round(8 / scale) + 2)
    assert window is not None, "whoever lends a garment has one"
    here = legs_known(person.full, region).part(window)
    held = np.zeros(here.size, bool) if here.held is None else here.held >= 0
    here = View.owned(View(here.image, parsing[window], here.pose), here.owner)
    inner = here.parsing == region
    mask = _without_speckles(inner, scale)
    doubted, outer = near_wrists(here.pose, mask.shape, size), _surely_other(here, region, scale) | held
    arms = np.isin(here.owner, ARM_PARTS)
    mask = _without_speckles(refined(here.image, mask, scale, doubted, outer, arms, _skin(here, scale)), scale)
    strange = _of_held(here.image, mask, held, size, scale) | strap(here.image, mask, held, here.pose, scale)
    if strange.any():
        doubted |= strange
        mask = _without_speckles(mask & ~strange, scale)
    beside = np.isin(here.parsing, [REGION["face"], REGION["upper_skin"], REGION["leg"]])
    mask = _without_speckles(mask & ~like_skin(here.image, mask, beside, scale), scale)
    hair = here.parsing == REGION["hair"]
    beside &= ~mask
    here = View.owned(View(here.image, here.parsing, here.pose), _owner_of(here.owner, inner, mask))
    if region != REGION["pants"]:
        owner = sleeves_whole(here.owner, mask, np.isin(here.owner, ARM_PARTS), here.pose)
        here = View.owned(View(here.image, here.parsing, here.pose), owner)
    lost = inner & ~mask
    limbs = {name: np.isin(here.owner, parts) for name, parts in LIMBS.items()}
    used = {name: of for name, of in limbs.items() if (of & mask).any() and name.endswith(_limbs_of(region))}
    limb = np.logical_or.reduce([np.zeros(mask.shape, bool), *used.values()])
    trunk_mask = mask & ~limb
    if region == REGION["dress"] and (ear := ears(trunk_mask, here.pose, size)).any():
        mask, trunk_mask = mask & ~ear, trunk_mask & ~ear
        here = View.owned(View(here.image, np.where(ear, np.uint8(0), here.parsing), here.pose), here.owner)
    at_held = grow(held, _RIM_HELD / scale) & (here.parsing == 0) if held.any() else held
    at_hand = _at_hand(here.parsing, lost & doubted, trunk_mask, size) | at_held
    hidden = _hidden(here, mask, trunk_mask, limb & mask, at_hand, size, region, scale)
    hidden |= bitten(trunk_mask | hidden, _open(here, held, trunk_mask | hidden, limb, size), here.pose)
    if region != REGION["pants"]:
        even = even_hem((mask | hidden) & ~limb, size)
        hidden |= even & ~mask & ~limb & ~beside
        mask, hidden = mask & (limb | even), hidden & (limb | even)
        trunk_mask &= mask
    whole = smoothed(mask | hidden, scale)
    if hair.any():  # strands make no neckline
        whole = np.where(grow(hair, _BESIDE_HAIR / scale), smoothed(mask | hidden, scale / _SMOOTHER), whole)
    mask, hidden = mask & whole, whole & ~(mask & whole)
    trunk_mask &= whole
    alpha = edge(here.image, mask, scale)
    colours = _own(here.image, alpha, beside, scale)
    # Skin is never taken along: what is filled is taken from well inside, and the rim beside it is filled as well.
    wanted = np.where(whole, region, 0).astype(np.uint8)
    trust = (mask & (alpha > 0.95)).astype(np.float32)
    trust[lost] = 0
    beside = whole & grow(hidden, 2.0 / scale) if hidden.any() else hidden
    if region != REGION["pants"]:
        known = trunk_mask & (trust > 0)
        colours, filled = as_on_the_other_side(colours, known, beside & (trust == 0), here.pose, scale)
        trust[filled] = 1
    colours, _ = continue_cloth(colours, trust, wanted, beside & (trust == 0), scale)
    colours = calmed(colours, whole & (trust > 0), beside & (trust == 0), scale)
    soft = np.clip(1.6 * smooth(whole.astype(np.float32), max(0.6, 0.6 / scale)) - 0.3, 0, 1)
    alpha = np.where(beside, np.maximum(alpha * mask, soft), alpha).astype(np.float32)
    pieces = {}
    reach = max(2.0, _OVERLAP * size)
    below = _without_speckles(trunk_mask | hidden, scale)
    pieces["trunk"] = alpha * (grow(below, reach) if below.any() else below)
    for name, of in used.items():
        root = here.pose[joints_of(name)[0], :2]
        near = np.zeros(mask.shape, np.uint8)
        cv2.circle(near, np.floor(root).astype(int).tolist(), max(2, round(0.16 * size)), 1, -1)
        pieces[name] = alpha * ((grow(of & mask, 3) & ~(trunk_mask & ~near.astype(bool))) | (near > 0) & mask)
    kind = {REGION["upper_clothes"]: "top", REGION["pants"]: "pants"}.get(region) or (
        "dress" if _is_full(person.pose, parsing == region) else "skirt"
    )
    reach = {name: reach_of(here.pose, name, of & mask) for name, of in used.items()}
    midriff = kind == "top" and _shows_midriff(here, mask, size)
    mirrored = hidden_limbs(here, used, mask)
    hems = {name: hem for name, of in used.items() if (hem := hem_of(here.pose, name, of & mask, scale)) is not None}
    made = Garment(region, kind, here.pose, colours, pieces, reach, hems, mirrored, midriff)
    if kind != "pants":
        return replace(made, hems=beside_held(hems, here.pose, held), reach=no_wider_than_the_other(reach))
    last = len(person.parsing) - max(1, round(_AT_EDGE / scale))
    hems, reach = alike(hems, reach, bool(mask[max(0, last - window[0].start) :].any()))
    return replace(made, hems=hems, reach=reach, crotch=crotch_of(mask, here.pose))


def _owner_of(owner: np.ndarray, inner: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W) int8: the parts, those of the garment's nearest pixel where the map didn't know it."""
    owner, known = owner.copy(), inner & (owner >= 0)
    ys, xs = np.nonzero(mask & ~known)
    if known.any() and len(ys):
        owner[ys, xs] = owner[Nearest(known).at(ys, xs)]
    return owner


def _open(view: View, held: np.ndarray, trunk_mask: np.ndarray, limb: np.ndarray, size: float) -> np.ndarray:
    """(H, W) bool: where something may lie before a garment's trunk: hair, arms, what is held, and in notches of its
    outline what the map takes for the wall; never the neckline, what is worn below, or a sleeve."""
    parsing, owner = view.parsing, view.owner
    neck = (parsing == REGION["upper_skin"]) & ~np.isin(owner, ARM_PARTS)
    before = (np.isin(parsing, [REGION["hair"], REGION["upper_skin"], REGION["upper_clothes"]]) & ~neck) | held
    return (before | ((parsing == 0) & closing(trunk_mask, _NOTCH * size))) & ~limb


def _of_held(photo: np.ndarray, mask: np.ndarray, held: np.ndarray, size: float, scale: float) -> np.ndarray:
    """(H, W) bool: pixels of a garment's mask that are a strap or more of what is held, by their colours."""
    if not held.any():
        return np.zeros_like(mask)
    near = mask & grow(held, _STRAP * size)
    own = mask & ~near & grow(held, 3 * _STRAP * size)
    found = like_other(photo, near, held, own, scale, _STRANGE, _RIM_HELD)
    return mask & closing(found, _BITS / scale)


def _at_hand(parsing: np.ndarray, lost: np.ndarray, trunk_mask: np.ndarray, size: float) -> np.ndarray:
    """(H, W) bool: a bag at a hand that the map takes for background, where it hangs together with what of it was taken
    for the garment (``lost``), within the trunk's outline."""
    if not lost.any() or not trunk_mask.any():
        return lost
    within = closing(trunk_mask, _GAP * size) & (lost | (parsing == 0)) & ~trunk_mask
    count, labels = cv2.connectedComponents(within.astype(np.uint8))
    share = np.bincount(labels.ravel(), lost.ravel(), count) / np.bincount(labels.ravel(), minlength=count)
    return lost | (within & (share > _OF_IT)[labels])


def _skin(view: View, scale: float) -> np.ndarray:
    """(H, W) bool: skin in sight, its edges left out."""
    skin = np.isin(view.parsing, [REGION["face"], REGION["upper_skin"]])
    return skin & ~grow(~skin, 1.0 / scale) if skin.any() else skin


def _surely_other(view: View, region: int, scale: float) -> np.ndarray:
    """(H, W) bool: well inside the face, and inside other clothes."""
    others = [r for r in range(1, len(REGION)) if r not in (region, REGION["upper_skin"], REGION["leg"])]
    found = np.zeros(view.size, bool)
    for other in others:
        there = view.parsing == other
        if there.any():
            found |= there & ~grow(~there, _INSIDE_OTHERS / scale)
    return found


def _limbs_of(region: int) -> tuple[str, ...]:
    return ("leg",) if region == REGION["pants"] else ("arm",)


def _without_speckles(mask: np.ndarray, scale: float) -> np.ndarray:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count <= 2:
        return mask
    least = max(_LEAST / scale**2, _SPECKLE * areas.max())
    largest = 1 + int(areas.argmax())
    away = cv2.distanceTransform((labels != largest).astype(np.uint8), cv2.DIST_L2, 5)
    near = np.zeros(count, bool)
    near[np.unique(labels[away <= _APART / scale]).astype(np.intp)] = True
    kept = (areas >= least) & (near[1:] | (areas >= _STRAY * areas.max()))
    return np.isin(labels, 1 + np.flatnonzero(kept))


def _is_full(pose: np.ndarray, mask: np.ndarray) -> bool:
    body = trunk(pose, mask.shape)
    return not body.any() or (mask & body).sum() > _FULL * body.sum()


def _shows_midriff(view, mask: np.ndarray, size: float) -> bool:
    """Whether skin is seen right below a top, within the trunk."""
    skin = (view.parsing == REGION["upper_skin"]) & (view.owner == PARTS.index("torso")) & trunk(view.pose, mask.shape)
    below = np.maximum.accumulate(mask, axis=0) & ~np.maximum.accumulate(mask[::-1], axis=0)[::-1]
    return bool((skin & below).sum() > 0.02 * size**2)


def _hidden(view: View, mask, trunk_mask, limb_mask, lost, size: float, region: int, scale: float) -> np.ndarray:
    """(H, W) bool: where arms, hair or what is held lie before the garment."""
    parsing, owner, pose = view.parsing, view.owner, view.pose
    chest = np.isfinite(pose[list(SHOULDERS), 1]).any() and np.nanmax(pose[list(SHOULDERS), 1]) + 0.35 * size
    high = np.arange(len(mask))[:, None] < (chest or 0)
    neck = (parsing == REGION["face"]) | ((parsing == REGION["upper_skin"]) & ~np.isin(owner, ARM_PARTS) & high)
    before = ((parsing > 0) | lost) & ~trunk_mask & ~neck
    if region != REGION["pants"]:
        before &= (parsing != REGION["leg"]) & (parsing != REGION["pants"])
        if region == REGION["upper_clothes"]:
            before &= parsing != REGION["dress"]
    body = trunk(pose, mask.shape)
    hair = parsing == REGION["hair"]
    found = closing(trunk_mask, _GAP * size) & before & (~hair | body) if trunk_mask.any() else before & False
    skin = (parsing == REGION["upper_skin"]) & ~neck
    at_side = skin | hair | lost | limb_mask
    goes_on, beyond = behind(trunk_mask, at_side & ~trunk_mask, pose, scale, flares=region == REGION["dress"])
    if region != REGION["pants"]:  # forearms and hands that lie before the trunk
        rows = np.flatnonzero(trunk_mask.any(axis=1))
        within = np.zeros(mask.shape, bool)
        if len(rows):
            within[rows[0] : rows[-1] + 1] = True
        found |= skin & _narrow(body, 0.1 * size) & within
        found |= hair & _narrow(body, 0.04 * size) & within
        found |= hair & body & _beside_neck(mask, pose, size)
    found |= lower(trunk_mask | found, skin, pose)
    found |= bites(trunk_mask, pose, size)
    found |= between(trunk_mask | found, grow(lost | (skin & ~limb_mask), _RIM_HELD / 2 / scale))
    found = (found & ~beyond) | goes_on
    # Whatever is wholly within it lies before it: a bag, a hand, a speck of the map.
    filled = mask.astype(np.uint8)
    contours, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(filled, contours, -1, 1, -1)
    holes = (filled > 0) & ~mask
    if holes.any():
        count, labels, stats, _ = cv2.connectedComponentsWithStats(holes.astype(np.uint8))
        face = np.unique(labels[holes & (parsing == REGION["face"])])
        large = 1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] > 0.12 * size**2)
        # Through a large one, between an arm and the body, the wall is seen.
        wall = [n for n in large if (parsing[labels == n] == 0).mean() > 0.5]
        found |= holes & ~np.isin(labels, [*face, *wall])
    return found


def _beside_neck(mask: np.ndarray, pose: np.ndarray, size: float) -> np.ndarray:
    """(H, W) bool: between the neck and the shoulders that a garment covers: it goes on there up to the neck."""
    found = np.zeros(mask.shape, bool)
    neck = float(pose[NECK, 0])
    xs = np.arange(mask.shape[1]) + 0.5
    for shoulder in SHOULDERS:
        x, y = pose[shoulder, :2]
        if not np.isfinite([neck, x, y]).all():
            continue
        about = np.zeros(mask.shape, np.uint8)
        cv2.circle(about, (int(x), int(y)), max(1, round(_ON_SHOULDER * size)), 1, -1)
        if np.count_nonzero(mask & (about > 0)) > 0.5 * max(np.count_nonzero(about), 1):
            way = np.sign(x - neck)
            found |= ((xs - neck) * way > _NECK * abs(x - neck)) & ((xs - x) * way < 0)
    return found


def _own(photo: np.ndarray, alpha: np.ndarray, skin: np.ndarray, scale: float) -> np.ndarray:
    """The garment's own colours: at its edge, and beside skin (H, W bool), those right inside."""
    sure = alpha > 0.97
    inner = ~grow(~sure, 1.0) & ~(grow(skin, 1 + _RIM / scale) if skin.any() else skin)
    sure = inner if inner.any() else sure
    if not sure.any():
        return photo
    colours = photo.copy()
    ys, xs = np.nonzero((alpha > 0) & ~sure)
    y, x = Nearest(sure).at(ys, xs)
    colours[ys, xs] = photo[y, x]
    rim = grow(alpha > 0, 4) & (alpha <= 0)  # what interpolation may touch
    ys, xs = np.nonzero(rim)
    y, x = Nearest(sure).at(ys, xs)
    colours[ys, xs] = photo[y, x]
    return colours


def _narrow(body: np.ndarray, margin: float) -> np.ndarray:
    return ~grow(~body, margin) if body.any() and not body.all() else body


def edge(photo: np.ndarray, mask: np.ndarray, scale: float, band: float = _BAND) -> np.ndarray:
    """(H, W) float32: the garment's share of each pixel, after the colours on either side of the map's border.

    Each pixel of a band about it is placed between the mean colours of the garment and of what is beside it, nearby;
    where these are alike the map counts.
    """
    band = band / scale
    inner, outer = ~grow(~mask, band), ~grow(mask, band)
    reach = _AROUND / scale
    near = grow(mask, band) & grow(~mask, band)
    if not near.any():
        return mask.astype(np.float32)
    shrink = min(1.0, 4.0 / max(reach, 1e-6))
    height, width = mask.shape
    size = max(2, round(width * shrink)), max(2, round(height * shrink))
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA).astype(np.float32)

    def mean(where: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        weight = cv2.resize(where.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        total = smooth(weight, reach * shrink)
        planes = np.dstack([smooth(small[..., c] * weight, reach * shrink) for c in range(3)])
        mean = planes / np.maximum(total, 1e-4)[..., None]
        square = np.dstack([smooth(small[..., c] ** 2 * weight, reach * shrink) for c in range(3)])
        spread = np.maximum(square / np.maximum(total, 1e-4)[..., None] - mean**2, 0).sum(2)
        up = lambda x: cv2.resize(x, (width, height), interpolation=cv2.INTER_LINEAR)  # noqa: E731
        return up(mean), up(spread), up(total)

    own, own_spread, own_total = mean(inner)
    other, other_spread, other_total = mean(outer)
    d = own - other
    far = (d * d).sum(2)
    told = ((photo - other) * d).sum(2) / np.maximum(far, 1e-3)
    sure = far / (far + 4 * (own_spread + other_spread) + 600)
    sure[(own_total < 0.02) | (other_total < 0.02)] = 0
    soft = smooth(mask.astype(np.float32), max(0.5, 0.35 / scale))
    share = sure * np.clip(told * 1.3 - 0.15, 0, 1) + (1 - sure) * soft
    share = np.where(near, share, mask).astype(np.float32)
    filtered = guided_filter(photo, share, _WINDOW / scale, _EPS, near)
    # Half of what is beside it in a pixel is too much: the lender's skin must not come along.
    return np.where(near, np.clip((filtered - 0.35) / 0.5, 0, 1), share).astype(np.float32)
