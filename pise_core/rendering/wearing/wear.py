"""The picture of a person who wears somebody else's garment."""

import math
from dataclasses import replace

import numpy as np

from pise_core.coverage import check_covered, is_too_much, uncovered
from pise_core.errors import InputError
from pise_core.guided_filter import guided_filter
from pise_core.inpainting.garments import CLOTH, continue_cloth
from pise_core.masks import Nearest, feather, grow, smooth, window_of
from pise_core.matting import own_colours
from pise_core.model.generator import Carrying, Code, Generator
from pise_core.person import Person
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.rendering.compositing import composite
from pise_core.rendering.wearing.garment import Garment, cut
from pise_core.rendering.wearing.laid import Laid, lay
from pise_core.rendering.wearing.lengths import covered, longer, to_the_floor
from pise_core.rendering.wearing.limbs import ARM_PARTS, legs_known, legs_of_trousers, tights
from pise_core.rendering.wearing.names import one_piece, tidied, trousers_whole
from pise_core.rendering.wearing.outfit import Outfit, outfit
from pise_core.rendering.wearing.plain import calmed
from pise_core.rendering.wearing.skin import bare_legs, paint_skin
from pise_core.rendering.wearing.upward import mirrored_down, mirrored_up
from pise_core.rendering.wearing.waist import parted
from pise_core.skeleton import LEGS
from pise_core.view import View
from pise_core.warping.bare_body import torso_length

#: In frame pixels.
_SEAM, _UNDER, _AROUND, _OLD_EDGE = 1.3, 3.0, 24, 2.2
#: A dress or skirt that is too short by less than this share of it is made longer.
_SLIGHTLY = 0.12
#: In lengths of the torso: so much of trousers or a skirt goes on up to the waist. Where a pixel is all the garment's.
_MIRRORED, _WHOLE = 0.3, 0.97
#: In squares of the torso's length: two shoes have so much at least; and less of trousers is a speckle of the map.
_SHOES, _SPECKLE = 0.03, 0.01
#: In frame pixels: so far from its edge cloth is surely itself.
_RIM = 1.0
#: In frame pixels: so far filled cloth goes on into the garment.
_OVERLAP = 1.5
#: From which trust on the photo, or the garment, shows a pixel.
_KNOWN = 0.9
#: In pixels of the frame: as much skin tells its style.
_LEAST_SKIN = 40


def wear(person: Person, lender: Person, region: int, generator: Generator) -> tuple[np.ndarray, np.ndarray]:
    """The photo and the map of a person who wears what ``lender`` has in a region.

    Returns:
        (H, W, 3) uint8 and (H, W) uint8, of the person's photo.

    Raises:
        InputError: where joints are missing, or the garment would uncover more than arms, neck and lower legs.
    """
    garment = cut(lender, region)
    scale = person.framing.scale
    window = _window(person, garment)
    here = person.part(window)
    everywhere = slice(0, here.photo.shape[0]), slice(0, here.photo.shape[1])
    view = legs_known(here.full, region)
    own = legs_of_trousers(view, scale) if garment.kind == "pants" else None
    laid = lay(garment, view.pose, everywhere, own)
    if laid is None or not (laid.share > 0.5).any():
        raise InputError("shoulders and hips must be in sight of both to wear a garment; place them under Pose")
    known = view.parsing
    if garment.kind != "dress":  # a dress must come apart at the waist, wherever the map parts it
        known = one_piece(person, below=garment.kind)[window]
        known = parted(here.photo, known, here.pose, np.isin(view.owner, ARM_PARTS), scale)
    if garment.kind != "top":
        known = trousers_whole(here.photo, known, scale)
    view = View.owned(View(view.image, tidied(known), view.pose, view.held), view.owner)
    new = _decent(here, view, garment, laid)
    named = new.kept & (view.parsing != here.parsing) & (new.parsing == view.parsing)
    new = new._replace(parsing=np.where(named, here.parsing, new.parsing))
    check_covered(here.parsing, new.parsing, here.pose)
    new = _seamless(new, region, scale)
    colours = np.where(new.shown[..., None], laid.colours, here.photo)
    trust = (new.kept | new.shown).astype(np.float32)
    # Beside what went the photo still shows a trace of it.
    shy = grow(new.lost | ((here.parsing > 0) & ~new.kept & ~new.shown), 1.0 / scale) & ~new.shown
    sure = [REGION[name] for name in ("face", "hair", "leg")]  # beside legs a hem's shadow has gone already
    trust[shy & ~np.isin(new.parsing, sure)] = 0
    neck = shy & (new.parsing == REGION["upper_skin"]) & ~np.isin(view.owner, ARM_PARTS)
    new = new._replace(
        kept=new.kept & ~neck, lost=new.lost | neck
    )  # skin that is painted, and no line of the network's
    whole = new.shown & (laid.share > _WHOLE)
    open_ = (new.parsing == region) & ~whole & ~new.kept
    most = _MIRRORED * torso_length(here.pose)
    if garment.kind in ("skirt", "pants"):
        colours, known = mirrored_up(colours, whole, open_, most, scale)
        laid = replace(laid, colours=np.where((known & new.shown)[..., None], colours, laid.colours))
    else:
        colours, known = mirrored_down(colours, whole, open_ & ~new.shown, most, scale)
    if garment.kind != "pants":
        for name in ("pants", "dress"):  # and what old clothes hid of what the wearer has below
            below = (new.parsing == REGION[name]) & (REGION[name] != region)
            mine = below & new.kept & (trust > 0)
            mine &= ~grow(~below, _RIM / scale)
            few = np.count_nonzero(below & ~mine, axis=0) <= most  # more of it would be seen to come again
            colours, up = mirrored_up(colours, mine, below & ~mine & few, most, scale)
            known |= up & ~new.kept
    trust[known] = 1
    known, open_ = trust > _KNOWN, trust < 0.5
    colours, trust = continue_cloth(colours, trust, new.parsing, open_, scale)
    for cloth in CLOTH:
        there = new.parsing == cloth
        colours = calmed(colours, there & known, there & open_ & (trust > 0.5), scale)
    painted, gate = _generate(here, lender, garment, new, colours, trust, generator)
    photo, parsing = person.photo.copy(), person.parsing.copy()
    photo[window] = _finish(here, new, laid, colours, trust, painted, gate)
    parsing[window] = new.parsing
    return photo, parsing


def _decent(person: Person, view: View, garment: Garment, laid: Laid) -> Outfit:
    """What the garment changes, with trousers below it where it is short, and longer itself where there are none."""
    scale = person.framing.scale
    pants = np.count_nonzero(view.parsing == REGION["pants"])
    trousers = garment.kind in ("dress", "skirt") and bool(pants > _SPECKLE * torso_length(view.pose) ** 2)
    if trousers and not _shoes_seen(view):  # nobody knows what legs would end in
        new = outfit(view, garment, laid, scale, over_trousers=True)
        # Trousers that have to be made up about the thighs are as unsure as bare ones.
        made = (new.parsing == REGION["pants"]) & (view.parsing != REGION["pants"])
        check_covered(person.parsing, np.where(made, REGION["leg"], new.parsing).astype(np.uint8), person.pose)
        return new
    stay = trousers and tights(view, scale)
    new = outfit(view, garment, laid, scale, over_trousers=stay)
    if garment.kind in ("dress", "skirt") and not _shoes_seen(view):  # down to the floor, as what it replaces was
        new = to_the_floor(new, view.parsing, garment.region, garment.kind)
    bare = uncovered(person.parsing, new.parsing, person.pose)
    if not is_too_much(bare, person.parsing):
        return new
    hardly = bare.sum() < _SLIGHTLY * (new.parsing == garment.region).sum()
    if (hardly or not trousers) and garment.kind in ("dress", "skirt"):
        made = longer(new, bare, garment.region)
        if not is_too_much(uncovered(person.parsing, made.parsing, person.pose), person.parsing):
            return made
    if trousers and not stay:
        new = outfit(view, garment, laid, scale, over_trousers=True)
        bare = uncovered(person.parsing, new.parsing, person.pose)
    return covered(new, bare, garment.region) if is_too_much(bare, person.parsing) else new


def _seamless(new: Outfit, region: int, scale: float) -> Outfit:
    """The garment without the edge that it has where it was filled beyond: cloth goes on there."""
    filled = (new.parsing == region) & ~new.shown & ~new.kept
    seam = grow(filled, _OVERLAP / scale) & new.shown if filled.any() else filled
    return new._replace(shown=new.shown & ~seam, ahead=new.ahead | seam | filled, lost=new.lost | seam)


def _shoes_seen(view: View) -> bool:
    """Whether enough is seen below the wearer's trousers to be shoes, or the photo ends above them."""
    ankles = visible(view.pose)[[leg[2] for leg in LEGS]]
    shoes = np.count_nonzero(view.parsing == REGION["leg"])
    return bool(not ankles.any() or shoes > _SHOES * torso_length(view.pose) ** 2)


def _window(person: Person, garment: Garment) -> tuple[slice, slice]:
    margin = math.ceil(_AROUND / person.framing.scale)
    window = window_of(person.parsing > 0, margin=margin)
    height, width = person.parsing.shape
    return window or (slice(0, height), slice(0, width))


def _code(person: Person, lender: Person, region: int, generator: Generator) -> Code:
    """The person's own styles, the garment's of the lender, and for skin that isn't seen that of other skin.

    What is seen of a leg below trousers is a shoe.
    """
    code, parsing = person.code, person.frame.parsing
    styles = code.styles.copy()
    arms, face, leg = (REGION[name] for name in ("upper_skin", "face", "leg"))
    skin = arms if np.count_nonzero(parsing == arms) >= _LEAST_SKIN or not person.present[face] else face
    for there, known in ((arms, skin), (leg, leg if bare_legs(person) else skin)):
        styles[generator.style_row(there)] = code.styles[generator.style_row(known)]
    row = generator.style_row(region)
    styles[row] = lender.code.styles[row]
    return replace(code, styles=styles)


def _generate(person: Person, lender: Person, garment: Garment, new: Outfit, colours, trust, generator: Generator):
    """The generator's picture (256, 176, 3) float32 in [0, 255] on the new map, and its gate."""
    framing = person.framing
    small_map = framing.crop(new.parsing, labels=True)
    small_trust = framing.crop(trust.astype(np.float32), 0)
    small_trust = np.where(small_trust > 0.95, 1, 0).astype(np.float32)
    image = framing.crop(colours, 127)
    code = _code(person, lender, garment.region, generator)

    def compute() -> tuple[np.ndarray, np.ndarray]:
        made = generator.paint(person.frame, code, small_map, None, None, Carrying(image, small_trust))
        return made.own, made.gate

    return person.answers.of("worn", (image, small_trust, small_map, code.styles), compute)


def _finish(person: Person, new: Outfit, laid: Laid, colours, trust, painted, gate) -> np.ndarray:
    framing = person.framing
    scale = framing.scale
    seam = _SEAM / scale
    core = (new.parsing != person.parsing) | new.lost | (new.shown)
    # A soft edge of what went, beyond its map, is a thin line before the wall.
    bared = (person.parsing > 0) & (new.parsing == 0)
    if bared.any():
        core |= grow(bared, _OLD_EDGE / scale) & (new.parsing == 0)
    weight = feather(grow(core, 2 * seam), 2 * seam)
    fresh = np.isin(new.parsing, [REGION["upper_skin"], REGION["leg"]]) & ~new.kept & ~new.shown
    # New skin is painted: cloth beside it need not go over into the network's picture.
    known = np.where(fresh, np.float32(1), trust)
    soft = np.minimum(trust, np.clip(2 * smooth(known, max(0.6, 0.6 / scale)) - 1, 0, 1))
    share = (soft * framing.paste(gate, 1.0))[..., None]
    share = np.where(new.kept[..., None], soft[..., None], share)
    made = colours * share + framing.paste(painted, 127.5) * (1 - share)
    made = paint_skin(person, new.parsing, fresh, new.shown, made)
    # Below the garment's edge lies what is beside it, and not the wall.
    beside = (new.parsing > 0) & ~new.shown
    under = grow(beside, _UNDER / scale) & new.shown if beside.any() else beside
    ys, xs = np.nonzero(under)
    if len(ys):
        y, x = Nearest(beside).at(ys, xs)
        made[ys, xs] = made[y, x]
    below = beside | under
    silhouette = np.clip(smooth(below.astype(np.float32), max(0.6, 0.45 / scale)) * 1.6 - 0.3, 0, 1)
    out = composite(person.photo, made, silhouette, person.background, weight).astype(np.float32)
    # The garment, with its own edge, and before it hair, face and hands with theirs.
    ahead = smooth(new.ahead.astype(np.float32), max(0.6, 0.35 / scale)) if new.ahead.any() else new.ahead
    alpha = (laid.share * (1 - ahead))[..., None]
    held = np.zeros(new.front.shape, bool) if person.full.held is None else person.full.held >= 0
    front = new.front & (held | grow(laid.share > 0, _UNDER / scale))
    before = _front(person.photo, front, scale)
    over = out * (1 - alpha) + laid.colours * alpha
    own = own_colours(person.photo, before, 1.5 / scale)
    mixed = over * (1 - before[..., None]) + own * before[..., None]
    # Where nothing of the garment lies, the front is what it was; what is held is no part of the map, and so not in it.
    within = laid.share > 0
    if held.any():
        within |= grow(held, 1.5 / scale) & (weight > 0)
    mixed = np.where(within[..., None], mixed, out)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _front(photo: np.ndarray, front: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) float32: the share of what lies before the garment, as the photo shows its edge."""
    if not front.any():
        return front.astype(np.float32)
    near = grow(front, 1.5 / scale) & grow(~front, 1.5 / scale)
    share = guided_filter(photo, front.astype(np.float32), 2.0 / scale, 1e-3, near)
    return np.where(near, np.clip((share - 0.15) / 0.7, 0, 1), front).astype(np.float32)
