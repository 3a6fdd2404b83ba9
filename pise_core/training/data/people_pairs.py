"""Rendered people as a source of true pairs, mixed with the articulated pairs of street photos.

Both pictures of such a pair are real renderings: what the source hides, the target shows, bodies turn round, and maps
and joints are exact. What is carried is made as for any pair, by the part-wise warp from source to target, so that the
detail path learns where a warp is not to be believed.
"""

from pathlib import Path

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE
from pise_core.model.config import PISEConfig
from pise_core.pose import mirror, visible
from pise_core.synthesis.dataset import Pair as RenderedPair
from pise_core.synthesis.dataset import People, Picture
from pise_core.training.data.articulation import Framed, Pair, jittered
from pise_core.training.data.batches import Batch
from pise_core.training.data.street_pairs import StreetPairs
from pise_core.warping.parts import assign_parts
from pise_core.warping.warp import carry

#: So many pairs, the last ones, are not learned from: the sample sheets show them.
HELD_BACK = 3
#: A source or a target with fewer joints is too little of a person.
FEWEST_JOINTS = 6


class MixedPairs(StreetPairs):
    """Street pairs and rendered ones; arguments as in ``sources.open_source``.

    Args:
        people: folder of rendered people.
        count: of its pairs, the first so many; None for all.
        shares: of the pairs that are drawn, how many are rendered: where something is carried, and in batches where
            the detail path is silent. An articulated street photo has a carried map that is all but right, so that only
            true pairs teach how a map is imagined; what is carried is to be believed where little moved, as streets
            teach it.

    Raises:
        InputError: as ``StreetPairs``; and if there are too few rendered people.
    """

    def __init__(
        self,
        data: Path,
        config: PISEConfig,
        limit: int | None = None,
        surroundings: bool = True,
        *,
        people: Path,
        count: int | None = None,
        shares: tuple[float, float],
    ):
        super().__init__(data, config, limit, surroundings)
        self._people, self._shares = People(people), shares
        #: How many rendered pairs there are to draw from, those for sheets included.
        self.count = count or len(self._people)
        if not HELD_BACK < self.count <= len(self._people):
            raise InputError(
                f"{people} holds {len(self._people)} people; this run wants {max(self.count, HELD_BACK + 1)}"
            )

    def _pair(self, index: int, rng: np.random.Generator, frame: tuple[int, int], detail: bool) -> Pair:
        if rng.random() >= self._shares[0 if detail else 1]:
            return super()._pair(index, rng, frame, detail)
        while True:
            pair = self._people[int(rng.integers(self.count - HELD_BACK))]
            if _enough(pair):
                return rendered_pair(pair, frame, rng)

    def held_back(self, count: int) -> list[Batch]:
        """As many of the one kind as of the other."""
        rendered = min(count // 2, HELD_BACK)
        pairs = [rendered_pair(self._people[self.count - 1 - i]) for i in range(rendered)]
        batches = [self._collated([pair]) for pair in pairs]
        return super().held_back(count - rendered) + batches


def _enough(pair: RenderedPair) -> bool:
    return all(visible(picture.joints).sum() >= FEWEST_JOINTS for picture in (pair.source, pair.target))


def rendered_pair(
    pair: RenderedPair, frame: tuple[int, int] = FRAME_SIZE, rng: np.random.Generator | None = None
) -> Pair:
    """A true pair in the frame.

    Args:
        pair: as it was rendered.
        frame: (H, W) wanted.
        rng: exchanges source and target, mirrors both, and has joints found less exactly, each now and then.
    """
    source, target = (_framed(picture, frame) for picture in (pair.source, pair.target))
    pose = source.pose
    if rng is not None:
        exchanged, flipped, off = rng.random(3) < 0.5
        if exchanged:
            source, target = target, source
        if flipped:
            source, target = _flipped(source), _flipped(target)
        pose = jittered(source.pose, frame[0], rng) if off else source.pose
        source = source._replace(pose=pose)
    owner = assign_parts(source.parsing, pose)
    return Pair(source, target, carry(source.image, source.parsing, owner, pose, target.pose, rim=1))


def _framed(picture: Picture, frame: tuple[int, int]) -> Framed:
    height, width = picture.regions.shape
    scale = np.array([frame[1] / width, frame[0] / height, 1], np.float32)
    image = cv2.resize(picture.image, frame[::-1], interpolation=cv2.INTER_AREA)
    parsing = cv2.resize(picture.regions, frame[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return Framed(image, parsing, picture.joints * scale)


def _flipped(framed: Framed) -> Framed:
    image, parsing = (array[:, ::-1].copy() for array in (framed.image, framed.parsing))
    return Framed(image, parsing, mirror(framed.pose, parsing.shape[1]))


def turn_between(about: dict) -> float:
    """By how much a rendered person turned about the vertical from source to target, 0 to 180 degrees."""
    source, target = about["turns"]
    return abs((target - source + 180) % 360 - 180)
