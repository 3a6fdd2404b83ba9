"""Bare skin that clothes hid, in the wearer's own colour.

The network knows roughly how light falls, from whole pictures; of skin that it never saw it doesn't know the colour. So
the colour of a limb is the median of the wearer's own skin, and that of neck and chest is the face's; where new skin
meets skin in sight it goes over into that. Limbs are shaded like cylinders, the chin's shadow falls on the neck, and
the network's lights and darks are laid over all, weakly. Grain is that of the skin in sight.
"""

import cv2
import numpy as np

from pise_core.masks import Nearest, grow, smooth, window_of
from pise_core.person import Person
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.rendering.wearing.seen_legs import continued
from pise_core.skeleton import ARMS, LEGS
from pise_core.warping.bare_body import limb
from pise_core.warping.parts import PARTS

_SKIN, _FACE, _LEG, _PANTS = (REGION[name] for name in ("upper_skin", "face", "leg", "pants"))
#: In pixels of the frame: as much skin tells its colour, and how far below the knee a leg is no shoe.
_LEAST, _CALF = 30, 10
#: In frame pixels: how far from new skin what is seen tells its colours.
_TELLS = 30.0
#: Without trousers, of the way from knee to ankle.
_SHIN = 0.7
_ARM_PARTS = tuple([PARTS.index(f"{side}_{part}") for part in ("upper_arm", "forearm")] for side in ("right", "left"))
_LEG_PARTS = tuple([PARTS.index(f"{side}_{part}") for part in ("thigh", "shin")] for side in ("right", "left"))
#: Mean of how much darker a cylinder is across its width, of ``_ROUND``.
_FLAT = 0.2857
_SHINS = [PARTS.index(f"{side}_shin") for side in ("left", "right")]
#: How much darker a limb is at its rim, and how far the network's own lights count, in L and at most.
_ROUND, _LIGHTS, _MOST = 0.26, 0.35, 6.0
#: Of the skin in sight, the darker share that lies in shadow or in doubt. Grain is no stronger, in levels.
_DARK, _MOST_GRAIN = 20, 1.5
#: In pixels of the frame: less skin than this is a hand, or a part of one.
_HAND = 200
#: In frame pixels: over which colours of skin go over into one another; how far beside skin in sight new skin has its
#: colour; Lab: beyond this difference it is none that goes on, and beyond the next if it is lighter
#: and has a and b above the last in all.
_SOFT, _JOINT, _STRANGE, _SUNLIT, _GREY = 3.0, 4.0, 45.0, 90.0, 8.0
#: In frame pixels: how far below the face skin has its colour rather than that of bare arms.
_NECK = 10.0
#: In L: a chest is hardly darker than the face, whatever light falls on the hands.
_SHADIER = 8.0
#: How far the chin's shadow falls in frame pixels, and how dark it is.
_CHIN, _UNDER_CHIN = 4.0, 0.16
#: In L: legs in the sun, which would glow in a picture whose light the network doesn't know.
_LIGHTEST = 80.0
#: Lights and shadows of a knee: strength, place along the leg from the joint on, height and width, in halves of the
#: knee's thickness: the cap, its shadow, and that above it.
_KNEE = ((0.07, 0.0, 0.7, 0.55), (-0.1, 1.05, 0.35, 0.75), (-0.05, -1.1, 0.4, 0.8))
#: A hem's shadow: how dark, and how far it falls in frame pixels.
_SHADOW, _FALL = 0.3, 2.0


def known_skin(person: Person) -> np.ndarray:
    """(H, W) bool: the wearer's own skin in sight, shoes and edges left out; all False where nothing is bare."""
    scale, parsing = person.framing.scale, person.parsing
    for found in (parsing == _SKIN, parsing == _FACE, _above_shoes(person)):
        core = found & ~grow(~found, 1.5 / scale)
        if core.sum() * scale**2 >= _LEAST:
            return core
    return parsing == _FACE


def _above_shoes(person: Person) -> np.ndarray:
    """(H, W) bool: legs in sight, bare or in stockings, shoes left out: below trousers all but what is near the knee is
    taken for shoes."""
    knees, ankles = (person.pose[[leg[n] for leg in LEGS], 1] for n in (1, 2))
    if not np.isfinite(knees).any():
        return person.parsing == _LEG
    calf = np.nanmax(knees) + _CALF / person.framing.scale
    if np.isfinite(ankles).any() and not person.present[_PANTS]:
        calf = max(calf, np.nanmax(knees) + _SHIN * (np.nanmax(ankles) - np.nanmax(knees)))
    shins = np.isin(person.full.owner, _SHINS)
    return (person.parsing == _LEG) & (~shins | (np.arange(len(person.parsing))[:, None] < calf))


def bare_legs(person: Person) -> bool:
    """Whether legs are in sight above their shoes: then their own colour, stockings or skin, is known."""
    return bool(np.count_nonzero(_above_shoes(person)) * person.framing.scale**2 >= _LEAST)


def paint_skin(person: Person, wanted: np.ndarray, new: np.ndarray, shown: np.ndarray, made: np.ndarray) -> np.ndarray:
    """New skin, painted.

    Args:
        person: the wearer as they are.
        wanted: (H, W) uint8, the new map.
        new: (H, W) bool, where skin is new.
        shown: (H, W) bool, where the garment is.
        made: (H, W, 3) float32 in [0, 255], the network's picture.

    Returns:
        (H, W, 3) float32; ``made`` where nothing is new.
    """
    core = known_skin(person)
    window = window_of(new, margin=round(_TELLS / person.framing.scale) + 2)
    if window is None or not core.any():
        return made
    scale = person.framing.scale
    face = person.parsing == _FACE
    face &= ~grow(~face, 1.5 / scale)
    face_tone = _tone(person.photo, face) if face.sum() * scale**2 >= _LEAST else None
    tone = _tone(person.photo, core)
    if face_tone is not None and core.sum() * scale**2 < _HAND:  # a hand alone may lie in the sun, or in a glove
        tone = (tone + face_tone) / 2
    legs = None
    if bare_legs(person):  # their own colour, or that of stockings
        own_legs = _above_shoes(person)
        own_legs &= ~grow(~own_legs, 1.5 / scale)
        legs = _tone(person.photo, own_legs) if own_legs.sum() * scale**2 >= _LEAST else None
    here, labels, out = new[window], wanted[window], made.copy()
    light = cv2.cvtColor(np.clip(made[window], 0, 255).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0]
    height, width = here.shape
    colour = np.broadcast_to(tone, (height, width, 3)).astype(np.float32).copy()
    pose = person.pose - np.array([window[1].start, window[0].start, 0], np.float32)
    shade, nearest = np.ones(here.shape, np.float32), np.full(here.shape, np.inf, np.float32)
    own_light = np.zeros(here.shape, bool)
    for region, limbs, sides in ((_SKIN, ARMS, _ARM_PARTS), (_LEG, LEGS, ())):
        mine = here & (labels == region)
        if not mine.any():
            continue
        if region == _LEG:
            colour[mine] = np.minimum(tone, (_LIGHTEST, 100, 100)) if legs is None else legs
        for number, joints in enumerate(limbs):
            outline = limb(pose, joints)
            if outline is None:
                continue
            across = _across(outline, mine)
            near = mine & (across <= (1.15 if region == _SKIN else 8)) & (across < nearest)
            if region == _LEG and legs is not None:  # as light falls on what is seen of it
                here_seen = (
                    _above_shoes(person)[window] & np.isin(person.full.owner[window], _LEG_PARTS[number]) & ~here
                )
                tones = continued(person.photo[window], pose, joints, here_seen & ~shown[window], near)
                if tones is not None:
                    colour[near], nearest = tones, np.minimum(nearest, across)
                    shade[near], own_light[near] = 1, True
                    continue
            shade = np.where(near, 1 + _ROUND * (_FLAT - np.clip(across, 0, 1) ** 2.5), shade)
            nearest = np.minimum(nearest, across)
            if region == _LEG and visible(pose)[joints[1]]:
                shade *= np.where(near, _knee(outline, pose[joints[1], :2], here.shape), 1)
            if sides:  # a forearm in sight tells the light on this arm
                own = core & np.isin(person.full.owner, sides[number]) & (person.parsing == _SKIN)
                if own.sum() * scale**2 >= _HAND:
                    colour[near] = _tone(person.photo, own)
    skin, neck = here & (labels == _SKIN), here & (labels == _SKIN) & (nearest > 1.15)
    if face_tone is not None and neck.any():
        share = np.ones(here.shape, np.float32)
        bare = (person.parsing[window] == _SKIN) & ~here & ~np.isin(person.full.owner[window], np.ravel(_ARM_PARTS))
        bare &= ~grow(~bare, 1.5 / scale)
        if bare.sum() * scale**2 >= _LEAST:  # what is seen of the neck tells the rest
            tone, share = _tone(person.photo[window], bare), np.zeros(here.shape, np.float32)
        elif core.sum() * scale**2 >= _HAND and face[window].any():  # a chest is as light as the arms, not as the face
            share = np.exp(-Nearest(face[window]).distance * scale / _NECK)
            tone = np.array([max(tone[0], face_tone[0] - _SHADIER), *tone[1:]], np.float32)
        else:
            tone = np.array([max(tone[0], face_tone[0] - _SHADIER), *tone[1:]], np.float32)
        colour[neck] = (tone + share[..., None] * (face_tone - tone))[neck]
        colour = _blurred(colour, skin, _SOFT / scale)
        chin = np.zeros(here.shape, np.float32)
        step = max(1, round(_CHIN / scale))
        chin[step:] = face[window][:-step]
        dark = np.clip(smooth(chin, max(0.6, _CHIN / 2 / scale)), 0, 1)
        shade = np.where(skin, shade * (1 - _UNDER_CHIN * dark), shade)
    seen = np.isin(labels, [_SKIN, _FACE]) & (person.parsing[window] == labels) & ~here & ~shown[window]
    colour = _joined(colour, person.photo[window], seen, skin, scale)
    leg = here & (labels == _LEG)
    if legs is not None and leg.any():
        seen = _above_shoes(person)[window] & ~here & ~shown[window]
        colour = _joined(colour, person.photo[window], seen, leg, scale)
    lights = smooth(light, max(0.6, 1.0 / scale))
    for region in (_SKIN, _LEG):
        mine = here & (labels == region)
        if mine.any():
            delta = _LIGHTS * (lights - np.median(lights[mine]))
            mine &= ~own_light
            colour[..., 0][mine] += np.clip(delta, -_MOST, _MOST)[mine]
    # Above a hem lies the garment, and its shadow below.
    fall = _FALL / scale
    moved = np.zeros(here.shape, np.float32)
    step = max(1, round(fall))
    moved[step:] = shown[window][:-step]
    shade = shade * (1 - _SHADOW * np.clip(smooth(moved, max(0.6, fall / 2)), 0, 1))
    rgb = 255 * cv2.cvtColor(colour, cv2.COLOR_LAB2RGB).clip(0, 1)
    rgb *= shade[..., None]
    rgb += _grain(person, core, here.shape)[..., None]
    rgb = np.where(here[..., None], rgb, made[window])
    # Soft edges towards the background have its colour, too.
    rim = grow(here, 2.0 / scale) & (labels == 0)
    ys, xs = np.nonzero(rim)
    if len(ys):
        rgb[ys, xs] = rgb[Nearest(here).at(ys, xs)]
    out[window] = rgb
    return out


def _knee(outline: np.ndarray, knee: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(H, W) float32: how light the skin about a knee (2,) is: the cap stands out, and below it lies its shadow."""
    nearest = int(np.hypot(*(outline[:, :2] - knee).T).argmin())
    (x, y, _), (u, v, _) = outline[max(0, nearest - 3)], outline[min(len(outline) - 1, nearest + 3)]
    half = float(outline[nearest, 2])
    way = np.array([u - x, v - y]) / max(float(np.hypot(u - x, v - y)), 1e-3)
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32) + 0.5
    along = ((xs - knee[0]) * way[0] + (ys - knee[1]) * way[1]) / max(half, 1e-3)
    across = ((ys - knee[1]) * way[0] - (xs - knee[0]) * way[1]) / max(half, 1e-3)
    light = np.zeros(shape, np.float32)
    for strength, at, long, wide in _KNEE:
        light += strength * np.exp(-(((along - at) / long) ** 2) - (across / wide) ** 2)
    return 1 + light


def _blurred(colour: np.ndarray, within: np.ndarray, sigma: float) -> np.ndarray:
    """Colours (H, W, 3) float32, low-passed within a mask (H, W bool), which nothing beside it changes."""
    weight = within.astype(np.float32)
    total = np.maximum(smooth(weight, max(0.6, sigma)), 1e-4)
    planes = [smooth(np.ascontiguousarray(colour[..., n]) * weight, max(0.6, sigma)) / total for n in range(3)]
    return np.where(within[..., None], np.dstack(planes), colour).astype(np.float32)


def _joined(colour: np.ndarray, photo: np.ndarray, seen: np.ndarray, new: np.ndarray, scale: float) -> np.ndarray:
    """Colours (H, W, 3) CIE Lab of new skin (H, W bool) that go over into those of skin in sight (H, W bool)."""
    core = seen & ~grow(~seen, 1.0 / scale)
    if not (core.any() and new.any()):
        return colour
    lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    known, nearest = _blurred(lab, core, _SOFT / scale), Nearest(core)
    ys, xs = np.nonzero(new)
    far = nearest.distance[ys, xs] * scale
    share = (np.exp(-np.maximum(far - 1, 0) / _JOINT) * (far < 4 * _JOINT))[:, None]
    beside = known[nearest.at(ys, xs)]
    differ = np.abs(beside - colour[ys, xs]).sum(1, keepdims=True)
    # No lips, no glasses; what is lighter may lie in the sun, unless it is as grey as a collar.
    sunlit = (beside[:, :1] > colour[ys, xs, :1]) & (beside[:, 1:].sum(1, keepdims=True) > _GREY)
    share = share * (differ < np.where(sunlit, _SUNLIT, _STRANGE))
    made = colour.copy()
    made[ys, xs] += share * (beside - colour[ys, xs])
    return _blurred(made, new, 1.0 / scale)


def _tone(photo: np.ndarray, of: np.ndarray) -> np.ndarray:
    """(3,) CIE Lab: the typical colour of skin, what lies in shadow left out."""
    lab = cv2.cvtColor(photo[of].reshape(-1, 1, 3).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[:, 0]
    return np.median(lab[lab[:, 0] >= np.percentile(lab[:, 0], _DARK)], axis=0)


def _across(outline: np.ndarray, where: np.ndarray) -> np.ndarray:
    """(H, W) float32: how far from the middle of a limb pixels lie, 1 at its edges; 9 where ``where`` is False."""
    out = np.full(where.shape, 9, np.float32)
    ys, xs = np.nonzero(where)
    if not len(ys):
        return out
    points = np.stack([xs, ys], 1).astype(np.float32) + 0.5
    best, found = np.full(len(points), np.inf, np.float32), np.full(len(points), 9, np.float32)
    for x, y, r in outline:
        away = np.hypot(points[:, 0] - x, points[:, 1] - y)
        nearer = away < best
        best[nearer], found[nearer] = away[nearer], away[nearer] / max(float(r), 1e-3)
    out[ys, xs] = found
    return out


def _grain(person: Person, core: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """(H, W) float32: noise as strong as that of the skin in sight; the same for the same photo."""
    window = window_of(core, margin=2)
    if window is None:
        return np.zeros(size, np.float32)
    grey = cv2.cvtColor(person.photo[window], cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
    strength = float(np.clip(0.7 * np.median(np.abs(fine[core[window]])), 0, _MOST_GRAIN))
    noise = np.random.default_rng(size[0] * 65537 + size[1]).standard_normal(size, np.float32)
    return strength * cv2.GaussianBlur(noise, (0, 0), 0.6) * 1.8
