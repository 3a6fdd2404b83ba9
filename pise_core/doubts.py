"""What of an edit may look wrong, because the photo shows too little of what it moves or uncovers.

The rules know joints, the map and the background, not the picture that was made: they are quick, and the same edit
gives the same answer. Their limits were chosen on photos for validation: they speak at pictures that are broken.
"""

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.person import Person
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import BONES, HIPS, KNEES, NECK, SHOULDERS
from pise_core.warping.bare_body import torso_length
from pise_core.warping.parts import PARTS, among

#: In lengths of the torso: a limb whose joints have moved less about its root is as it was.
_MOVED = 0.14
#: Of a bone, from here to there: joints themselves lie at borders.
_ALONG = np.linspace(0.1, 0.95, 12)[:, None]
#: Less of a bone lies on its own limb where that is hidden; so much of it lies beside the body where map and joints
#: disagree.
_HIDDEN, _BESIDE = 0.5, 0.2
#: A forearm that is shorter, in lengths of the torso, points at the camera.
_SHORT = 0.25
#: The analyzer's least score of an arm's joints that it is sure of.
_SURE = 0.57
#: A forearm whose border with cloth of its own kind is so many times as long as its bone lies in that on both sides.
_WITHIN = 2.0
#: So much more of one thigh is seen than of the other where a coat hides one leg; and so much of a leg is the other one
#: where they cross.
_UNEVEN, _CROSSED = 0.4, 0.05
#: Shares of the person's area that leave background uncovered, and of that background that is mere expectation.
_MUCH, _VAGUE = 0.4, 0.3

#: Much of a garment is covered if so much of its own outline is; hands, about which cloth is seen on all sides, count
#: half.
_COVERED, _HANDS = 0.11, 0.5
#: In lengths of the torso: half the width of what may lie before a garment; and in frame pixels how few of it are none.
_GAP, _FEW = 0.25, 60
#: Of the way from hips to knees: trousers that are first seen below this level are hidden for the most part; a top that
#: reaches farther down, and so much farther than the new one, is a coat that hid what is below.
_FAR_DOWN, _COAT, _LONGER = 0.6, 0.6, 0.35
#: In squares of the torso's length: less of a dress is little.
_LITTLE = 0.3
#: Shoulders that are narrower than this share of the torso are seen from the side, unless the other's are hardly wider.
_ASIDE, _WIDER = 0.42, 1.3
#: The mean score of all joints that were found: 0.65 to 0.93 in 90 photos of whole people, 0.58 to 0.82 where they end
#: at the hips, 0.37 where a head fills the photo, 0.63 where legs stand in it alone.
_GUESSED = 0.64

_SIDES = ("left", "right")
_TRUNK = tuple(PARTS.index(name) for name in ("torso", "skirt"))
_ARMS = {"left": "left arm", "right": "right arm"}
_LEGS = {"left": "left leg", "right": "right leg"}
_ARM_PARTS = tuple(n for n, name in enumerate(PARTS) if "arm" in name)
_WORN = {"upper_clothes": "top", "dress": "dress", "pants": "trousers"}
_LIMBS = {"arm": ("upper_arm", "forearm"), "leg": ("thigh", "shin")}


class Doubt(NamedTuple):
    """What may look wrong.

    Attributes:
        parts: ``left arm``, ``right arm``, ``left leg``, ``right leg``, ``background`` or ``joints``; of what is worn,
            ``top``, ``dress`` or ``trousers``.
        text: that, and after a colon what may be done about it on the page: a sentence.
    """

    parts: tuple[str, ...]
    text: str

    @property
    def what(self) -> str:
        """What may look wrong, without what may be done about it."""
        return self.text.partition(":")[0]


def doubts_of(person: Person, pose: np.ndarray) -> list[Doubt]:
    """What may look wrong of a person in another pose: at most one doubt of limbs, and then one of the background.

    Args:
        person: as ``Editor.set_person`` made them.
        pose: (18, 3), the wanted joints in pixels of the photo; nan where a joint is missing.
    """
    limbs = _Limbs(person, pose)
    found = [name for side, name in _ARMS.items() if limbs.arm(side)]
    found += [name for side, name in _LEGS.items() if limbs.leg(side)]
    doubts = [Doubt(tuple(found), _of_limbs(found))] if found else []
    if limbs.uncovered() > _MUCH and person.plate.vagueness > _VAGUE:
        text = "Much of a busy background is made up: take smears away with Heal, or choose another background."
        doubts.append(Doubt(("background",), text))
    return doubts


def doubt_of_joints(pose: np.ndarray) -> Doubt | None:
    """What to say of joints (18, 3) that are hardly more than guessed, as in a photo of a head alone."""
    seen = visible(pose)
    if not seen.any() or pose[seen, 2].mean() >= _GUESSED:
        return None
    text = "The joints are hardly more than guessed: set them right with “Correct the joints”, or use another photo."
    return Doubt(("joints",), text)


def doubts_of_worn(person: Person, worn: Mapping[str, Person]) -> list[Doubt]:
    """What may look wrong of garments of others on a person: at most one doubt of each.

    Args:
        person: the wearer, in their own clothes.
        worn: ``upper_clothes``, ``dress`` or ``pants`` -> who lends it, as :meth:`Person.wear` takes them.
    """
    doubts = []
    for region, lender in sorted(worn.items()):
        if lender.answers is person.answers:  # their own
            continue
        name = _WORN[region]
        if _covered(lender, region) > _COVERED or _hardly_seen(lender, region):
            text = f"Much of the {name} is hidden in its own photo: choose one in which nothing lies before it."
        elif _aside(person, lender) or _aside(lender, person):
            text = f"The {name} was photographed from another side than the person: choose a photo from the same side."
        elif region == "upper_clothes" and _hem_of_top(person) > max(_COAT, _hem_of_top(lender) + _LONGER):
            text = f"What a coat hid below the {name} is made up: paint what is wrong under Regions."
        else:
            continue
        doubts.append(Doubt((name,), text))
    return doubts


def _covered(lender: Person, region: str) -> float:
    """Which share of a garment's outline lies behind the lender's hair, hands and what they hold."""
    parsing, pose = lender.frame.parsing, lender.frame.pose
    cloth = parsing == REGION[region]
    if np.count_nonzero(cloth) < _FEW and region == "dress":  # a top that hangs like one
        cloth = parsing == REGION["upper_clothes"]
    if np.count_nonzero(cloth) < _FEW:
        return 0.0
    radius = max(1, round(_GAP * torso_length(pose)))
    around = np.pad(cloth.astype(np.uint8), radius)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    closed = cv2.morphologyEx(around, cv2.MORPH_CLOSE, disc)[radius:-radius, radius:-radius] > 0
    before = (parsing == REGION["hair"]).astype(np.float32)
    held = lender.full.held
    if held is not None:
        before[lender.framing.crop((held >= 0).astype(np.uint8), labels=True) > 0] = 1
    before[(parsing == REGION["upper_skin"]) & among(lender.frame.owner, _ARM_PARTS)] = _HANDS
    return float(before[closed].sum()) / np.count_nonzero(closed)


def _hardly_seen(lender: Person, region: str) -> bool:
    """Whether trousers are first seen far down, or of a dress or skirt little."""
    if region == "pants":
        return _down(lender, lender.frame.parsing == REGION["pants"], 3) > _FAR_DOWN
    seen = np.count_nonzero(lender.frame.parsing == REGION[region])
    return region == "dress" and bool(0 < seen < _LITTLE * torso_length(lender.frame.pose) ** 2)


def _hem_of_top(person: Person) -> float:
    """Where a top ends, of the way from hips to knees; sleeves left out."""
    parsing = person.frame.parsing
    return _down(person, (parsing == REGION["upper_clothes"]) & ~among(person.frame.owner, _ARM_PARTS), 95)


def _down(person: Person, of: np.ndarray, percentile: float) -> float:
    """How far down a percentile of a mask's rows lies, of the way from hips to knees; 0 where these are missing."""
    pose, ys = person.frame.pose, np.nonzero(of)[0]
    hips, knees = pose[list(HIPS), 1].mean(), pose[list(KNEES), 1].mean()
    if not len(ys) or not np.isfinite([hips, knees]).all() or knees <= hips:
        return 0.0
    return float((np.percentile(ys, percentile) - hips) / (knees - hips))


def _aside(one: Person, other: Person) -> bool:
    """Whether the first of two stands sideways, and the second doesn't."""
    wide = []
    for pose in (one.frame.pose, other.frame.pose):
        size = torso_length(pose)
        if not visible(pose)[list(SHOULDERS)].all() or size <= 0:
            return False
        wide.append(float(abs(pose[SHOULDERS[0], 0] - pose[SHOULDERS[1], 0])) / size)
    return wide[0] < _ASIDE and wide[1] > _WIDER * wide[0]


def _of_limbs(found: list[str]) -> str:
    arms, legs = ([name for name in names.values() if name in found] for names in (_ARMS, _LEGS))
    part = found[0] if len(found) == 1 else "arms and legs" if arms and legs else "arms" if arms else "legs"
    return f"The photo shows too little of the {part}: paint what is wrong under Regions, or take it away with Remove."


class _Limbs:
    """A person's arms and legs in the frame, and where they are wanted."""

    def __init__(self, person: Person, pose: np.ndarray) -> None:
        self._owner, self._parsing, self._scores = person.frame.owner, person.frame.parsing, person.pose[:, 2]
        self._own, self._wanted = person.frame.pose, person.in_frame(pose)
        self._seen = visible(self._own) & visible(self._wanted)
        height, width = person.parsing.shape
        framing = person.framing
        self._photo = framing.dx, framing.dy, framing.dx + width * framing.scale, framing.dy + height * framing.scale
        self._torso = self._trunk(self._own)

    def arm(self, side: str) -> bool:
        """Whether an arm moves of which too little is seen."""
        bones = self._bones(side, "arm")
        if bones is None:
            return False
        upper, fore = bones
        joints = list({*BONES[upper], *BONES[fore]})
        near, far = self._own[list(BONES[fore]), :2]
        return bool(
            np.hypot(*(far - near)) < _SHORT * abs(self._torso)
            or self._scores[joints].min() < _SURE
            or min(self._on(upper, "arm", side), self._on(fore, "arm", side)) < _HIDDEN
            or self._beside(fore) > _BESIDE
            or self._within(fore) > _WITHIN
        )

    def leg(self, side: str) -> bool:
        """Whether a leg moves of which too little is seen."""
        bones = self._bones(side, "leg")
        if bones is None:
            return False
        thigh, shin = bones
        other = _SIDES[side == _SIDES[0]]
        seen = [self._on(name, "leg", at) for name, at in ((thigh, side), (f"{other}_thigh", other))]
        crossed = max(self._on(bone, "leg", other) for bone in bones)
        return self._beside(shin) > _BESIDE or seen[1] - seen[0] > _UNEVEN or crossed > _CROSSED

    def uncovered(self) -> float:
        """Which share of the person's area they leave when the torso moves, all else moved along."""
        own, wanted = self._torso, self._trunk(self._wanted)
        if not (abs(own) and abs(wanted)):
            return 0.0
        turn = wanted / own
        (x, y), (u, v) = self._own[NECK, :2], self._wanted[NECK, :2]
        a, b = turn.real, turn.imag
        matrix = np.array([[a, -b, u - a * x + b * y], [b, a, v - b * x - a * y]])
        here = (self._parsing > 0).astype(np.uint8)
        there = cv2.warpAffine(here, matrix, here.shape[::-1], flags=cv2.INTER_NEAREST)
        return np.count_nonzero((here > 0) & (there == 0)) / max(1, np.count_nonzero(here))

    def _bones(self, side: str, kind: str) -> tuple[str, str] | None:
        """The two bones of a limb that moves against the torso; None if it does not, or joints are missing."""
        upper, lower = (f"{side}_{bone}" for bone in _LIMBS[kind])
        root, middle, end = *BONES[upper], BONES[lower][1]
        wanted = self._trunk(self._wanted)
        if not (self._seen[[root, middle, end]].all() and abs(self._torso) and abs(wanted)):
            return None
        before, after = (
            [complex(*(pose[joint, :2] - pose[root, :2])) / torso for joint in (middle, end)]
            for pose, torso in ((self._own, self._torso), (self._wanted, wanted))
        )
        return (upper, lower) if max(map(abs, np.subtract(after, before))) > _MOVED else None

    @staticmethod
    def _trunk(pose: np.ndarray) -> complex:
        """From the neck to between the hips, as a complex number; by the shoulders where hips are missing."""
        there = visible(pose)
        if there[[NECK, *HIPS]].all():
            return complex(*(pose[list(HIPS), :2].mean(0) - pose[NECK, :2]))
        if there[list(SHOULDERS)].all():
            return abs(complex(*(pose[SHOULDERS[1], :2] - pose[SHOULDERS[0], :2]))) * 1.4j
        return 0j

    def _along(self, bone: str) -> np.ndarray:
        """The parts (N,) along a bone, as far as that lies in the photo."""
        near, far = self._own[list(BONES[bone]), :2]
        x, y = (near + (far - near) * _ALONG).T
        left, top, right, bottom = self._photo
        inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
        height, width = self._owner.shape
        inside &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return self._owner[y[inside].astype(int), x[inside].astype(int)]

    def _on(self, bone: str, kind: str, side: str) -> float:
        """Which share of a bone lies on a limb."""
        along = self._along(bone)
        limb = [PARTS.index(f"{side}_{one}") for one in _LIMBS[kind]]
        return float(np.isin(along, limb).mean()) if len(along) else 1.0

    def _beside(self, bone: str) -> float:
        """Which share of a bone lies beside the body."""
        along = self._along(bone)
        return float((along < 0).mean()) if len(along) else 0.0

    def _within(self, bone: str) -> float:
        """How long a limb's border is with a torso of the same cloth, in lengths of its bone."""
        mine, torso = self._owner == PARTS.index(bone), among(self._owner, _TRUNK)
        border = 0
        for axis in (0, 1):
            first = [slice(None), slice(None)]
            second = [slice(None), slice(None)]
            first[axis], second[axis] = slice(None, -1), slice(1, None)
            a, b = tuple(first), tuple(second)
            meets = (mine[a] & torso[b]) | (torso[a] & mine[b])
            border += np.count_nonzero(meets & (self._parsing[a] == self._parsing[b]))
        near, far = self._own[list(BONES[bone]), :2]
        return border / max(4.0, float(np.hypot(*(far - near))))
