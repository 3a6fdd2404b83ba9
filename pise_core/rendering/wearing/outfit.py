"""What a garment changes on its wearer: which clothes go, what they uncover, and what stays before the new one."""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.long_tops import hangs_as_dress
from pise_core.masks import grow
from pise_core.regions import REGION
from pise_core.rendering.refine import apart
from pise_core.rendering.wearing.garment import Garment, edge
from pise_core.rendering.wearing.going import beyond_its_map, in_hair, of_the_wearer, seen_through
from pise_core.rendering.wearing.laid import Laid
from pise_core.rendering.wearing.limbs import ARM_PARTS, LIMBS, PLACES, legs_of_trousers, width_of
from pise_core.rendering.wearing.outline import closing
from pise_core.rendering.wearing.places import (
    TAPERS,
    beside_legs,
    beyond_wrist,
    hull,
    levels,
    nearest_places,
    pelvis,
    skirt_shape,
    thighs,
    to_hand,
    to_shoe,
)
from pise_core.rendering.wearing.seen_legs import down_to_seen
from pise_core.rendering.wearing.trousers import as_wide, below_hem, legs_of
from pise_core.rendering.wearing.whole import smoothed, with_rim
from pise_core.skeleton import ARMS, HIPS, LEGS
from pise_core.view import View
from pise_core.warping.bare_body import as_thick_as_seen, beyond, drawn, limb, torso_length, trunk, with_hand

_HAIR, _FACE, _TOP, _DRESS, _PANTS, _SKIN, _LEG = (
    REGION[name] for name in ("hair", "face", "upper_clothes", "dress", "pants", "upper_skin", "leg")
)
#: In lengths of the torso, from the hips down: where a waist is, and where what hangs below a top begins.
_NATURAL_WAIST, _BELOW = -0.3, 0.0
#: Smaller pieces of the garment, as shares of the largest, are scraps.
_SCRAP = 0.02
#: Of two garments below, one with a smaller share of the other is a speckle of the map.
_SPECK = 0.06
#: Where, of the way from hips to knees, legs of trousers part that are hidden.
_PARTED = 0.22
#: In lengths of the torso, from the hips down: above this level both legs of trousers are one.
_PARTS = 0.25
#: Trousers are so many times as thick as bare legs.
_CLOTHED = 1.35
#: The same where they hide the hip, at least and at most, and of bare legs.
_TROUSERS, _BARE = (1.05, 1.35), (0.75, 1.1)
#: A leg whose trousers begin farther down, of the way from hip to ankle, is hidden above; and how far it is made into
#: what is seen.
_HIDDEN, _MEETS = 0.25, 0.06
#: An arm lies before the garment's trunk from this share of its length on, for straps lie before the shoulder.
_BEFORE = 0.1
#: Of how far a sleeve reaches, the part that is cloth on all sides of the arm. In lengths of the torso: half the width
#: of slits that no garment has.
_SNUG = 0.7
#: The same of a trouser leg. In lengths of the torso, from the hips down: trousers fit above this level.
_SNUG_LEG, _CROTCH = 0.82, 0.08
#: The same: slits between two legs that are closed are no wider than twice this; half the height of the rows at the
#: level above that tell how wide the thighs are below it.
_BETWEEN_LEGS, _FITTED = 0.012, 0.02
_SLIT = {"top": 0.025, "dress": 0.025, "skirt": 0.05, "pants": 0.06}
#: Of trousers in sight, the upper share that tells how wide they are above.
_UPPER = 0.15
#: Trousers whose hem lies below this place, as ``Garment.hems`` counts, go down to the shoe.
_FULL_LENGTH = 1.7
#: In lengths of the torso: legs no farther apart than twice this touch.
_TOUCHING = 0.025
#: From which level on a garment below may be wider than what fitted the wearer, and how fast.
_LOOSE = {"pants": (0.05, 0.6), "skirt": (-0.15, 1.0)}
#: Between these levels a blouse may end in a skirt, if colours (Lab) differ by so much in all.
_WAISTS, _CHANGE = (-0.35, 0.25), 18.0
#: The same: half the width of gaps between a top and a skirt below it.
_WAISTBAND = 0.1
#: In lengths of the torso: above this level are shoulders, and hollows up to twice as wide between neck and arms are
#: skin.
_SHOULDERS, _ROUND = -0.8, 0.15
#: The same: half as wide as new skin beside a neckline is at least.
_SLIVER = 0.05
#: A top covers the hips in a row where it has this share of what lies between them.
_WHOLE = 0.95
#: What is worn below an open top widens at most so fast below its hem.
_FLARES = 0.5
#: In frame pixels: how near trousers are to a coat that hides the rest of them.
_BORDER = 2.0
#: In frame pixels: how far beyond its map what went can be seen; and where colours are never taken for its.
_TINGED, _SURE = 4.0, (_HAIR, _FACE)
#: In frame pixels: how far its shadow lies on skin, and a hem's on legs.
_SHADED, _HEM_SHADE = 2.0, 4.0
#: Of a leg's length, what is surely above its shoe.
_SHIN = 0.85
#: Legs of trousers: as ``Laid.owner`` has them, and what they are called.
_LEGS_LAID = [(n, name) for n, name in enumerate(LIMBS) if name.endswith("leg")]
#: Lab: a top and what hangs beside the legs are one coat if their typical colours differ by less.
_OF_ONE_CLOTH = 14.0


class Outfit(NamedTuple):
    """The map with a new garment.

    Attributes:
        parsing: (H, W) uint8.
        kept: (H, W) bool, where the photo still shows what the map says.
        shown: (H, W) bool, where the garment is seen.
        front: (H, W) bool, what of the wearer lies before it, and is in the photo.
        ahead: (H, W) bool, where it isn't seen though nothing in the photo lies before it: new skin does.
        lost: (H, W) bool, where something of the wearer was taken away.
    """

    parsing: np.ndarray
    kept: np.ndarray
    shown: np.ndarray
    front: np.ndarray
    ahead: np.ndarray
    lost: np.ndarray


def outfit(view: View, garment: Garment, laid: Laid, scale: float, over_trousers: bool = False) -> Outfit:
    """The map of a wearer once the garment is worn.

    Args:
        view: the wearer in their own clothes.
        garment, laid: what is worn, and where it lies on them, in the view's pixels.
        scale: frame pixels per pixel.
        over_trousers: whether the wearer's trousers stay below a dress or skirt.
    """
    parsing, owner, pose = view.parsing, view.owner, view.pose
    size, shape = max(torso_length(pose), 1.0), parsing.shape
    level = levels(pose, shape, size)
    body = trunk(pose, shape)
    arms = np.isin(owner, ARM_PARTS)
    skin_arm = arms & (parsing == _SKIN)
    full = _covers(parsing == _DRESS, body)
    renamed = parsing.copy()
    kind, region = garment.kind, garment.region

    # 1. What goes.
    if kind == "top":
        gone = parsing == _TOP
        if full:
            gone |= (parsing == _DRESS) & (arms | (level < _NATURAL_WAIST))
        tail = beside_legs((parsing == _DRESS) & ~gone & (level > _BELOW), parsing, pose, size)
        if tail.any() and apart(view.image, tail, gone) < _OF_ONE_CLOTH:
            gone |= tail
        lower = np.isin(parsing, [_PANTS, _DRESS]) & ~gone
        if not lower.any() or _hardly(lower, parsing == _TOP):
            # Nothing is worn below: what hangs below the hips is its skirt, and stays.
            stays = gone & ~arms & (level > _BELOW)
            stays &= ~beside_legs(stays, parsing, pose, size)
            if stays.sum() > 0.1 * size**2:
                renamed[stays] = _DRESS
                gone &= ~stays
    elif kind == "dress":
        gone = np.isin(parsing, [_TOP, _DRESS, _PANTS])
    else:
        gone = np.isin(parsing, [_PANTS, _DRESS])
        waist = 0.0
        if hangs_as_dress(parsing, pose):
            full, waist = True, _parts_at(view.image, (parsing == _TOP) & ~arms, level, scale)
            gone |= parsing == _TOP
        if full:  # the upper half of a dress stays as a top
            stays = gone & (parsing != _PANTS) & (arms | (level < waist))
            renamed[stays] = _TOP
            gone &= ~stays
    if over_trousers:
        gone &= parsing != _PANTS
    gone = of_the_wearer(gone, pose, body, scale)
    gone |= seen_through((parsing == _LEG), gone) | beyond_its_map(view, gone, renamed, scale)
    gone |= in_hair(view, gone, scale)
    shown, never = laid.share > 0.5, np.zeros(shape, bool)
    limb_cover = laid.limbs > 0.5

    # 2. What of the wearer lies before it.
    held = np.zeros(shape, bool) if view.held is None else view.held >= 0
    front = np.isin(parsing, [_HAIR, _FACE]) | held
    if kind in ("skirt", "pants"):
        front |= (renamed == _TOP) & ~gone
        front |= skin_arm
    outlines, wrists = {}, np.zeros(shape, bool)
    for name, joints in zip(("right_arm", "left_arm"), ARMS, strict=True):
        mine = np.isin(owner, LIMBS[name])
        covered = mine & (parsing > 0)
        outlines[name] = as_thick_as_seen(limb(pose, joints, covered if covered.any() else None), skin_arm & mine)
        if kind in ("top", "dress") and outlines[name] is not None:
            seen = skin_arm & mine & beyond_wrist(outlines[name], shape)
            if seen.sum() < 2 * outlines[name][-1, 2] ** 2:  # in a pocket that goes, or in a sleeve
                outlines[name] = with_hand(outlines[name])
            else:
                wrists |= to_hand(outlines[name], seen, shape)
    bare = np.zeros(shape, bool)
    sleeves = np.zeros(shape, bool)
    if kind in ("top", "dress"):
        sleeves = _sleeves(garment, laid, outlines, shape)
        limb_cover |= sleeves
        for name, outline in outlines.items():
            mine = np.isin(owner, LIMBS[name]) & (gone | (parsing == _SKIN))
            bare |= (drawn(outline, shape) | (wrists & mine)) & (gone | (parsing == _SKIN))
            front |= drawn(outline, shape, _BEFORE) & mine & ~limb_cover
            front |= skin_arm & np.isin(owner, LIMBS[name]) & ~(limb_cover & ~beyond_wrist(outline, shape))
    if kind in ("skirt", "pants"):
        never = _beside_top((renamed == _TOP) & ~gone, arms, pose)
        if (parsing == _PANTS).any():  # at the hips it is no wider than what fitted there
            start, slope = _LOOSE[kind]
            slope = 0 if laid.wider is not None else slope
            body_there = closing((parsing > 0) & ~arms, _TOUCHING * size)
            never |= _farther(body_there, np.maximum(level - start, 0) * slope * size)
            if kind == "pants":  # legs part where the wearer's own do, unless a leg of the new ones lies there
                never |= (level > _BELOW) & ~(body_there | (parsing > 0)) & ~limb_cover
        shown = shown & ~never
    seen = shown & ~front
    visible_garment = _without_scraps(seen, low=kind in ("skirt", "pants"))

    # 3. What is uncovered.
    made = np.where(gone, 0, renamed).astype(np.uint8)
    open_ = gone & ~visible_garment
    made[open_ & bare] = _SKIN
    legs = [(name, joints) for name, joints in zip(("right_leg", "left_leg"), LEGS, strict=True)]
    leg_parts = {name: np.isin(owner, LIMBS[name]) for name, _ in legs}
    if kind in ("dress", "skirt", "pants"):
        # Beside where the garment begins, and below the wearer's top, is more of it.
        over = (level < 0.2) if kind == "skirt" else np.zeros(shape, bool)
        for name, joints in legs:
            inside = leg_parts[name] & (parsing == _PANTS)
            outline = limb(pose, joints, inside if inside.any() else None)
            if not inside.any():  # a skirt goes: legs meet what is seen below it
                met = down_to_seen(pose, joints, leg_parts[name] & (parsing == _LEG), _BARE)
                outline = outline if met is None else met[0]
            made[open_ & drawn(outline, shape) & (made == 0) & ~over] = _PANTS if over_trousers else _LEG
        full = kind == "pants" and max(garment.hems.values(), default=0) > _FULL_LENGTH
        for name, joints in legs:  # from where joints say that a leg ends to the shoe that is seen
            outline, shoe = limb(pose, joints), leg_parts[name] & (parsing == _LEG)
            if outline is not None and shoe.any():
                made[open_ & to_shoe(outline, shoe, shape) & np.isin(made, [0, _LEG])] = region if full else _LEG
    if kind == "top":
        below = open_ & ~arms & (level > _BELOW - 0.22)
        skirt, trousers = (renamed == _DRESS) & ~gone, (parsing == _PANTS) & ~gone
        if _is_over(skirt, trousers):
            made[below & skirt_shape(skirt, pose, shape, size)] = _DRESS
        elif trousers.any():
            thick = body.copy()
            for _, joints in legs:
                thick |= drawn(limb(pose, joints, None, _CLOTHED), shape)
            own = legs_of_trousers(view, scale)
            if own is not None:  # as wide as what is seen of them
                thick |= legs_of(pose, shape, _SNUG_LEG * own[0], PLACES, own[1], _PARTED)
            met = [down_to_seen(pose, joints, leg_parts[name] & trousers, _TROUSERS) for name, joints in legs]
            hidden = [leg for leg in met if leg is not None and leg[1] > _HIDDEN]
            # Below the hips they hang as what is seen of them does, and where a coat hid a leg that goes on from there.
            upper = trousers & _upper_rows(trousers, grow(gone & ~arms, _BORDER / scale))[:, None]
            as_seen = hull(upper | (thick & (abs(level - _BELOW + 0.05) < 0.05)))
            thick &= (level < _BELOW) | (as_seen if len(hidden) < len(legs) else False)
            if len(hidden) < len(legs):  # down to where they part their sides are straight
                thick |= as_seen & (level > _BELOW) & (level < _PARTS)
            else:
                thick |= legs_of(pose, shape, np.ones(len(PLACES)), PLACES, _PARTED, _PARTED)
            for outline, first in hidden:
                thick |= drawn(outline, shape, 0, min(1.0, first + _MEETS))
            made[below & thick & (made == 0)] = _PANTS
    # The trunk: bare above the neckline, garment (or a bare midriff) below the hem.
    above = np.maximum.accumulate(visible_garment[::-1], axis=0)[::-1]
    rest = open_ & body & (made == 0)
    if kind in ("top", "dress"):
        made[rest & above] = _SKIN
        made[rest & ~above] = _SKIN if garment.crop else region
        # Shoulders are round: between neck and arm the old garment's slope is theirs.
        bare_top = (made == _SKIN) & (level < _SHOULDERS)
        made[closing(bare_top, _ROUND * size) & open_ & (made == 0) & (level < _SHOULDERS)] = _SKIN
        # No sliver of skin looks out along a shoulder: the lender's hair lay there.
        fresh = (made == _SKIN) & open_ & ~arms & ~front
        thick = np.isin(made, [_SKIN, _FACE, _HAIR])
        sliver = fresh & ~grow(~grow(~thick, _SLIVER * size), _SLIVER * size)
        made[sliver & grow(visible_garment, 2 * _SLIVER * size)] = region
    else:
        made[rest] = region
    filled = np.zeros(shape, bool)
    if kind == "pants":  # where legs stand otherwise than the lender's, nothing is seen through the trousers
        whole = pelvis(pose, shape, size)
        if (parsing == _PANTS).any():
            whole |= gone & (parsing != _DRESS) & (level < _CROTCH)  # they fit at the hips
        if "right_leg" in garment.hems:
            wide = as_wide({n: width_of(pose, n, (laid.limbs > 0.5) & (laid.owner == i)) for i, n in _LEGS_LAID})
            hem = garment.hems["right_leg"]
            if wide:
                right, left = ([np.interp(TAPERS, PLACES, of) for of in wide[name].T] for name, _ in legs)
                fit = whole & gone & (abs(level - _CROTCH + _FITTED) < _FITTED)
                whole |= thighs(pose, shape, size, (right, left), fit)
                whole |= legs_of(pose, shape, wide, PLACES, hem, garment.crotch)
            if laid.wider is not None:  # cut alike: it hangs as the wearer's own
                whole |= gone & (parsing != _DRESS) & ~below_hem(pose, shape, hem)
                never |= (level > _BELOW) & ~closing(parsing > 0, _TOUCHING * size)
        filled = whole & (gone | (parsing == _LEG)) & ~front & ~visible_garment
        made[filled] = region
    elif kind == "skirt":  # what the lender's top hid of it goes up to the wearer's
        whole = (skirt_shape(visible_garment, pose, shape, size) | pelvis(pose, shape, size)) & (level > _NATURAL_WAIST)
        filled = whole & (gone | (parsing == _PANTS)) & ~front & ~visible_garment
        made[filled] = region
    # A sleeve that the lender's arm hid or foreshortened goes on, and so do slits in between.
    slits = (
        closing(visible_garment | sleeves | filled, _SLIT[kind] * size)
        & ~front
        & (gone | (renamed == 0) | (renamed == _LEG))
    )
    if kind == "pants":  # two legs stay apart
        slits &= (level < _CROTCH) | closing(visible_garment | filled, _BETWEEN_LEGS * size)
    filled = (filled | (sleeves & ~front) | slits) & ~visible_garment & ~never
    # One garment has one outline: what was laid and what was filled make it together.
    whole = smoothed(visible_garment | filled | (front & shown), scale)
    visible_garment, filled = visible_garment & whole, filled & whole
    made[filled] = region
    # Limbs are no wider than what covers them now.
    arm_parts = {name: np.isin(owner, LIMBS[name]) for name in outlines}
    made = _within(
        made, pose, laid, visible_garment, outlines, legs, leg_parts, arm_parts, parsing == _LEG, kind == "pants"
    )
    made[visible_garment] = region
    # What went left its colours beside it, where the map ended too early: a collar, a cuff.
    tinged = (edge(view.image, gone, scale, _TINGED) > 0.2) & ~gone & ~np.isin(made, _SURE) & ~visible_garment
    tinged &= ((made != renamed) | (made == _SKIN) | (made == 0)) & ~((renamed == _TOP) & arms & ~gone)
    if gone.any():  # and its shadow on the skin right beside it
        tinged |= grow(gone, _SHADED / scale) & (made == _SKIN) & (renamed == _SKIN) & ~arms & ~visible_garment
        if kind != "top":
            hem = grow(gone & (parsing != _PANTS), _HEM_SHADE / scale)  # below trousers are shoes, and below ankles
            hem &= np.logical_or.reduce([drawn(limb(pose, leg, None, 2), shape, 0, _SHIN) for _, leg in legs])
            tinged |= hem & (made == _LEG) & (renamed == _LEG) & ~visible_garment
    lost = ((renamed > 0) & (made != renamed) & ~visible_garment) | tinged | (filled & (made == region))
    lost |= gone & ~visible_garment  # one top in the place of another has the same name
    kept = (made == renamed) & ~gone & ~visible_garment & ~tinged
    made[held] = renamed[held]
    before = front & ((made > 0) | held)
    taken = (seen & ~visible_garment) | (never & (laid.share > 0))
    ahead = (before & gone) | with_rim(taken, visible_garment, scale)
    return Outfit(made, kept, visible_garment, before & ~gone, ahead, lost)


def _sleeves(garment: Garment, laid: Laid, outlines: dict, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) bool: where the garment's sleeves are, by how long and wide they are."""
    found = np.zeros(shape, bool)
    for name, outline in outlines.items():
        side, kind = name.split("_")
        shown = f"{'left' if side == 'right' else 'right'}_{kind}" if name in garment.mirrored else name
        hem = garment.hems.get(shown)
        if outline is None or hem is None:
            continue
        at = np.linspace(0, 2, len(outline))
        wide = _SNUG * laid.size * np.interp(at, PLACES, garment.reach[shown])
        sleeve = drawn(np.c_[outline[:, :2], wide].astype(np.float32), shape, 0, min(hem / 2, 1))
        found |= sleeve & ~beyond(outline, round(min(hem / 2, 1) * (len(outline) - 1)), shape)
    return found


def _without_scraps(shown: np.ndarray, low: bool) -> np.ndarray:
    """A garment without what is cut off from it and small, or (``low``) looks out only in the upper half of it: corners
    behind a bag, beside the top that it is worn under."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(shown.astype(np.uint8))
    if count <= 2:
        return shown
    areas, tops, heights = stats[1:, cv2.CC_STAT_AREA], stats[1:, cv2.CC_STAT_TOP], stats[1:, cv2.CC_STAT_HEIGHT]
    stays = areas >= _SCRAP * areas.max()
    if low:
        bottoms = tops + heights
        stays &= (bottoms > (tops.min() + bottoms.max()) / 2) | (areas == areas.max())
    return np.isin(labels, 1 + np.flatnonzero(stays))


def _beside_top(top: np.ndarray, arms: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(H, W) bool: where what is worn below a top can't be seen: beside one that covers the hips, open or closed, and
    below that what is much wider.

    Args:
        top: (H, W) bool, sleeves included.
        arms: (H, W) bool.
        pose: (18, 3) in pixels.
    """
    found = np.zeros(top.shape, bool)
    xs = pose[list(HIPS), 0]
    if not np.isfinite(xs).all():
        return found
    left, right = np.clip([round(float(xs.min())), round(float(xs.max())) + 1], 0, top.shape[1])
    if right <= left:
        return found
    trunk_of_it = top & ~arms
    rows = trunk_of_it[:, left:right].mean(axis=1) > _WHOLE
    found[rows] = ~trunk_of_it[rows]
    # The two fronts of an open one: between them it is seen.
    hips = trunk_of_it & (np.arange(len(top))[:, None] > float(pose[list(HIPS), 1].mean()))
    both = np.flatnonzero(hips[:, :left].any(axis=1) & hips[:, right:].any(axis=1))
    if not len(both):
        return found
    last = both[-1]
    until, beyond = (np.maximum.accumulate(top[:, ::way], axis=1)[:, ::way] for way in (1, -1))
    found[both] |= ~(until & beyond)[both]
    columns = np.flatnonzero(top[both[len(both) // 2 :]].any(axis=0))
    rows = np.arange(last + 1, len(top))
    wider = _FLARES * (rows - last)[:, None]
    at = np.arange(top.shape[1])
    found[rows] |= (at < columns[0] - wider) | (at > columns[-1] + wider)
    return found


def _farther(there: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """(H, W) bool: farther from what is there than ``reach`` (H, W) says, in pixels."""
    return cv2.distanceTransform((~there).astype(np.uint8), cv2.DIST_L2, 5) > reach


def _upper_rows(trousers: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """(H,) bool: the rows of trousers (H, W bool) down to where their upper share ends, of what is as wide as they are:
    between the fronts of a coat, which goes (H, W bool), a strip of them is seen."""
    area = trousers.sum(axis=1)
    ends = trousers.argmax(axis=1), trousers.shape[1] - 1 - trousers[:, ::-1].argmax(axis=1)
    rows = np.arange(len(trousers))
    whole = area * ~np.logical_or(*(gone[rows, end] for end in ends))
    whole = whole if whole.any() else area
    return np.cumsum(whole) < _UPPER * whole.sum()


def _covers(mask: np.ndarray, body: np.ndarray) -> bool:
    return bool(body.any() and (mask & body).sum() > 0.45 * body.sum())


def _hardly(lower: np.ndarray, top: np.ndarray) -> bool:
    return lower.sum() < 0.08 * top.sum()


def _is_over(skirt: np.ndarray, trousers: np.ndarray) -> bool:
    """Whether a skirt is worn over trousers or tights, or instead of them: it begins higher. A speckle is neither."""
    areas = skirt.sum(), trousers.sum()
    if min(areas) <= _SPECK * max(areas):
        return bool(areas[0] > areas[1])
    tops = [np.percentile(np.nonzero(of)[0], 5) for of in (skirt, trousers)]
    return bool(tops[0] < tops[1])


def _parts_at(photo: np.ndarray, top: np.ndarray, level: np.ndarray, scale: float) -> float:
    """The level at which a blouse and a skirt part that the map takes for one top (H, W bool): where the colour
    changes most; that of the hips where it hardly does."""
    core = top & ~grow(~top, 2.0 / scale)
    lab = cv2.cvtColor(photo[core].reshape(-1, 1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[:, 0]
    at, best = level[core], (_CHANGE, 0.0)
    for waist in np.linspace(*_WAISTS, 15):
        above, below = ((at >= waist + low) & (at < waist + high) for low, high in ((-0.14, -0.02), (0.02, 0.14)))
        if min(above.sum(), below.sum()) * scale**2 >= 30:
            best = max(
                best, (float(np.abs(np.median(lab[above], axis=0) - np.median(lab[below], axis=0)).sum()), waist)
            )
    return best[1]


def _within(
    made, pose, laid: Laid, visible_garment, outlines, legs, leg_parts, arm_parts, was_leg, parted: bool
) -> np.ndarray:
    """The map without what of a limb looks out beside a sleeve or a trouser leg that covers it there."""
    made = made.copy()
    shape = made.shape
    names = list(LIMBS)
    for name, joints in [*zip(("right_arm", "left_arm"), ARMS, strict=True), *legs]:
        arm = name.endswith("arm")
        outline = outlines[name] if arm else limb(pose, joints, None)
        if outline is None:
            continue
        # A skirt covers both legs; a sleeve, or a leg of trousers, its own limb.
        cover = visible_garment & ((laid.owner == names.index(name)) if arm or parted else True)
        skin = made == (_SKIN if arm else _LEG)
        wide = drawn(np.c_[outline[:, :2], outline[:, 2] * 2.2].astype(np.float32), shape)
        mine = skin & wide & ~visible_garment & (arm_parts[name] if arm else leg_parts[name] | ~was_leg)
        ys, xs = np.nonzero(mine)
        # What hangs beside a leg covers nothing of it.
        skirt = not arm and not parted
        cys, cxs = np.nonzero(cover & (drawn(outline, shape) if skirt else wide))
        if not len(ys) or not len(cys):
            continue
        spacing, share = np.hypot(*np.gradient(outline[:, :2], axis=0).T), 1.5 if skirt else 0.9
        covered = (
            np.bincount(nearest_places(outline, cys, cxs), minlength=len(outline)) > share * outline[:, 2] * spacing
        )
        last = np.flatnonzero(covered)
        if not len(last):
            continue
        nearest = nearest_places(outline, ys, xs)
        hem = last.max()
        out = nearest < hem - outline[hem, 2] / max(float(spacing[hem]), 1e-3)  # below the hem skin begins
        gone = np.zeros(shape, bool)
        gone[ys[out], xs[out]] = True
        if skirt:  # beside it rims look out; where it is open a leg is seen
            away = cv2.distanceTransform((~visible_garment).astype(np.uint8), cv2.DIST_L2, 5)
            _, pieces = cv2.connectedComponents(gone.astype(np.uint8))
            gone &= ~np.isin(pieces, np.unique(pieces[gone & (away > float(np.mean(outline[:, 2])))]))
        made[gone] = 0
    return made
