"""Between two garments there is one garment at every step (eq. 13 of the paper, told to pixels).

The mean of two pictures is a double exposure: stripes over checks. So the pixels of one of them count, that of the
greatest weight, and its colours go towards the others': their mean, and how far they spread about it. At either end
that is the garment itself, bit for bit, and the typical colour goes evenly from one to the other.
"""

from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import grow
from pise_core.person import Person
from pise_core.view import View

#: How many times as much or as little colours may spread.
_MOST = 3.0
#: Fewer pixels of the frame tell no colours.
_LEAST = 8


class Tone(NamedTuple):
    """What is typical of a garment's colours: ``mean`` and ``spread`` (3,) each, in CIE Lab."""

    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, view: View, region: int) -> "Tone | None":
        """Of one region of a view, its border left out where it is large enough; None where there is hardly any."""
        inside = view.parsing == region
        core = inside & ~grow(~inside, 1)
        chosen = core if np.count_nonzero(core) >= 4 * _LEAST else inside
        if np.count_nonzero(chosen) < _LEAST:
            return None
        pixels = _to_lab(view.image[chosen])
        return cls(pixels.mean(0), np.maximum(pixels.std(0), 0.5))


class Blend(NamedTuple):
    """How a region is made of several garments.

    Attributes:
        structure: index of the one whose pixels count; 0 is the person's own, 1 the first of the mix.
        own: what is typical of that one, and ``wanted`` of the blend; None where nothing is to change.
        wanted: see there.
    """

    structure: int
    own: Tone | None
    wanted: Tone | None

    @classmethod
    def of(cls, person: Person, region: int, mix: list[tuple[Person, float]]) -> "Blend":
        """Of a person's own region and the same of others, with weights above 0 that sum to 1 at most."""
        weights = [max(0.0, 1 - sum(weight for _, weight in mix)), *(weight for _, weight in mix)]
        tones = [Tone.of(one.frame, region) for one in (person, *(other for other, _ in mix))]
        # Where the person has none of the region, the others share its weight.
        weights = [weight if tone else 0.0 for weight, tone in zip(weights, tones, strict=True)]
        structure = int(np.argmax(weights))
        own = tones[structure]
        total = sum(weights)
        if own is None or weights[structure] > total - 1e-3:
            return cls(structure, None, None)
        known = [(tone, weight / total) for tone, weight in zip(tones, weights, strict=True) if tone]
        mean = np.sum([weight * tone.mean for tone, weight in known], axis=0)
        spread = np.sum([weight * tone.spread for tone, weight in known], axis=0)
        return cls(structure, own, Tone(mean, spread))

    def toned(self, pixels: np.ndarray) -> np.ndarray:
        """Pixels (N, 3) uint8 of the structure, in the colours of the blend."""
        if self.own is None or self.wanted is None or not len(pixels):
            return pixels
        ratio = np.clip(self.wanted.spread / self.own.spread, 1 / _MOST, _MOST)
        lab = (_to_lab(pixels) - self.own.mean) * ratio + self.wanted.mean
        lab[:, 0] = lab[:, 0].clip(0, 100)
        rgb = cv2.cvtColor(lab[None].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
        return np.rint(255 * rgb.clip(0, 1)).astype(np.uint8)


def _to_lab(pixels: np.ndarray) -> np.ndarray:
    """(N, 3) uint8 RGB as CIE Lab, float32."""
    return cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
