"""Who wears whose garment, with the right answer: renderings of two people who do not exist.

The *wearer* in their own clothes, the *lender* in others and in another pose, and the *truth*: the wearer again, same
body, pose, camera, light and wall, in the lender's garment. The lender's skin is green, as nobody's is, and magenta in
a fourth picture that is otherwise the same: what of a result is green in one case and magenta in the other is skin of
the lender's, and neither grass nor a green dress.
"""

import copy
from dataclasses import dataclass, replace

import numpy as np

from pise_core.synthesis import pictures, wardrobe
from pise_core.synthesis.dataset import Picture
from pise_core.synthesis.people import Look, figure_of, random_look, random_pose_of, take

#: What is exchanged, in turn.
REGIONS = ("upper_clothes", "pants", "dress")
#: Linear RGB of the lender's skin.
GREEN = (0.02, 0.75, 0.05)
#: The same in the fourth picture.
MAGENTA = (0.75, 0.02, 0.6)
SIZE = (512, 352)
_GAMMA = 2.2


@dataclass(frozen=True)
class Exchange:
    """One question and its answer.

    Attributes:
        region: what is lent.
        wearer, lender, truth: pictures with joints and regions; wearer and truth have the same joints.
        other: the lender with skin of the other colour.
    """

    region: str
    wearer: Picture
    lender: Picture
    truth: Picture
    other: Picture


def make_exchange(seed: int, index: int, size: tuple[int, int] = SIZE) -> Exchange:
    """The exchange of (seed, index); the same for the same two numbers.

    Args:
        seed, index: everything random comes from them; the region from ``index``.
        size: (H, W) of the pictures.
    """
    rng = np.random.default_rng([seed, index, 14])
    region = REGIONS[index % len(REGIONS)]
    wearer, lender = (_dressed(rng, region, lends) for lends in (False, True))
    lender = replace(lender, skin=replace(lender.skin, tone=np.array(GREEN), rough=0.0))
    first, second, camera = rng.spawn(3)
    pose = _standing(first, wearer)
    shot, background, floor = take(first, wearer, pose, size, None)
    noise = camera.spawn(1)[0]
    made = []
    for look in (wearer, replace(wearer, clothes=_lent(wearer.clothes, lender.clothes, region))):
        state = np.random.default_rng(noise.bit_generator.seed_seq)  # type: ignore[attr-defined]
        again = replace(shot, figure=figure_of(look, pose))
        made.append(pictures.compose(again, background, floor, state)[0])
    pose = _standing(second, lender)
    shot, background, floor = take(second, lender, pose, size, None)
    again = copy.deepcopy(second)  # the same noise
    lent = pictures.compose(shot, background, floor, second)[0]
    magenta = replace(lender, skin=replace(lender.skin, tone=np.array(MAGENTA)))
    other = pictures.compose(replace(shot, figure=figure_of(magenta, pose)), background, floor, again)[0]
    other = replace(other, image=as_exposed(other, lent), joints=lent.joints, regions=lent.regions)
    return Exchange(region, made[0], lent, replace(made[1], image=as_exposed(made[1], made[0])), other)


def as_exposed(picture: Picture, other: Picture) -> np.ndarray:
    """(H, W, 3) uint8: a picture with the other's exposure, told by the wall that both show: a camera chooses it after
    the clothes as well."""
    wall = (picture.regions == 0) & (other.regions == 0)
    before, wanted = (np.median(one.image[wall], axis=0).astype(float) + 1 for one in (picture, other))
    linear = ((picture.image.astype(np.float32) + 1) / 256) ** _GAMMA * (wanted / before) ** _GAMMA
    return np.clip(np.rint(256 * linear ** (1 / _GAMMA) - 1), 0, 255).astype(np.uint8)


def _dressed(rng: np.random.Generator, region: str, lends: bool) -> Look:
    """Somebody with nothing in their hands who has what is wanted: the lender that garment, the wearer a top and
    trousers."""
    while True:
        look = random_look(rng)
        clothes = look.clothes
        if lends and region == "dress":
            fits = clothes.dress and clothes.outer is None
        else:
            fits = clothes.top is not None and clothes.trousers is not None and not clothes.dress
        if fits:
            return replace(
                look,
                clothes=replace(clothes, outer=None, coat=None),
                things=replace(look.things, held="", scarf=None, glasses="", beard=0.0),
            )


def _standing(rng: np.random.Generator, look: Look):
    """A pose of somebody who faces the camera, more or less, and does not sit."""
    while True:
        pose = random_pose_of(rng, look, None, False)
        if not pose.seat and abs((pose.turn + 180) % 360 - 180) < 35:
            return pose


def _lent(own: wardrobe.Clothes, other: wardrobe.Clothes, region: str) -> wardrobe.Clothes:
    if region == "upper_clothes":
        return replace(own, top=other.top, tucked=other.tucked)
    if region == "pants":
        return replace(own, trousers=other.trousers)
    return replace(own, top=other.top, dress=True, skirt=other.skirt, trousers=None, legwear=None)
