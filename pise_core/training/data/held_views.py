"""Views that show what is held: close looks at people, many of whom hold something, some of it another's."""

from dataclasses import replace

import cv2
import numpy as np

from pise_core.framing import FRAME_SIZE
from pise_core.training.data.people_scenes import PeopleScenes
from pise_core.training.data.prepared_folder import Sample, person_box
from pise_core.training.data.views import View, view_about

#: Of the photos, those in which something is held.
WITH_SOMETHING = 0.75
#: Of the photos, those to which another photo's things are added.
LENT = 0.3
#: Of the rendered people, those who are chosen because they hold something, which few do.
HOLDING = 0.7
#: Views so large that they show half of somebody or less are about what is held there, this often.
_ABOUT_THINGS = 0.7


class HeldViews:
    """Draws views; the same numbers give the same ones.

    Args:
        samples: photos, in all of which it is known what is held.
        people: rendered people, if any.
        share: of the views, those that show rendered people.
    """

    def __init__(self, samples: list[Sample], people: PeopleScenes | None, share: float):
        self._samples = samples
        self._some = [sample for sample in samples if holds(sample)]
        self._none = [sample for sample in samples if not holds(sample)]
        self._people, self._share = people, share

    def draw(self, rng: np.random.Generator) -> View:
        """A view of ``FRAME_SIZE``."""
        if self._people is not None and rng.random() < self._share:
            sample = self._people.draw(rng, holding=rng.random() < HOLDING)
        else:
            sample = self._photo(rng)
        other = self._samples[rng.integers(len(self._samples))]
        return _close(sample, other, rng)

    def _photo(self, rng: np.random.Generator) -> Sample:
        some = self._some if rng.random() < WITH_SOMETHING else self._none
        some = some or self._samples
        sample = some[rng.integers(len(some))]
        if self._some and rng.random() < LENT:
            sample = with_things_of(sample, self._some[rng.integers(len(self._some))], rng)
        return sample


def holds(sample: Sample) -> bool:
    return sample.held is not None and bool((sample.held == 1).any())


def _close(sample: Sample, other: Sample, rng: np.random.Generator) -> View:
    """What a close look at somebody shows, or a closer one at a part of them."""
    height, width = FRAME_SIZE
    x0, y0, x1, y1 = person_box(sample)
    fit = min(height / (y1 - y0), width / (x1 - x0))
    centre = (x0 + x1) / 2, (y0 + y1) / 2
    if rng.random() < 0.7:
        return view_about(sample, other, rng, FRAME_SIZE, centre, fit * rng.uniform(0.7, 1.05), 0.06)
    if holds(sample) and rng.random() < _ABOUT_THINGS:
        ys, xs = np.nonzero(sample.held == 1)
        nearest = int(rng.integers(len(ys)))
        centre = (float(xs[nearest]) + centre[0]) / 2, (float(ys[nearest]) + centre[1]) / 2
    return view_about(sample, other, rng, FRAME_SIZE, centre, fit * rng.uniform(1.05, 1.7), 0.15)


def with_things_of(sample: Sample, lender: Sample, rng: np.random.Generator) -> Sample:
    """The sample with the lender's things before it, where they were on the lender's body.

    Args:
        sample: to which they are added.
        lender: a photo in which something is held.
        rng: of their size and place.
    """
    assert sample.held is not None and lender.held is not None
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = person_box(sample), person_box(lender)
    scale = (ay1 - ay0) / (by1 - by0) * rng.uniform(0.75, 1.25)
    mirrored = -1.0 if rng.random() < 0.5 else 1.0
    a = np.diag([scale * mirrored, scale])
    ys, xs = np.nonzero(lender.held == 1)
    things = np.array([xs.mean() + 0.5, ys.mean() + 0.5])
    away = (things - [(bx0 + bx1) / 2, (by0 + by1) / 2]) / (by1 - by0) * [mirrored, 1.0] + rng.normal(size=2) * 0.03
    place = np.array([(ax0 + ax1) / 2, (ay0 + ay1) / 2]) + away * (ay1 - ay0)
    shift = place - a @ things
    matrix = np.c_[a, shift + a @ [0.5, 0.5] - 0.5]
    size = sample.image.shape[1::-1]
    share = cv2.GaussianBlur((lender.held == 1).astype(np.float32), (0, 0), 0.6)
    share = cv2.warpAffine(share, matrix, size)[..., None]
    image = cv2.warpAffine(lender.image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    mixed = np.rint(sample.image * (1 - share) + image * share).astype(np.uint8)
    return replace(sample, image=mixed, held=np.where(share[..., 0] > 0.5, 1, sample.held).astype(np.uint8))
