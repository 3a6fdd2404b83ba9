"""**half_body**: the source ends at the waist, the truth is the whole person.

Pants and legs, which the picture shows, are nowhere in the source: what stands in for their style code decides
(section 4.3 of the paper). Otherwise as ``articulated``.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from pise_core.evaluation.entries import Contestant
from pise_core.evaluation.in_frame import example_of
from pise_core.evaluation.scoring import Example
from pise_core.training.data.articulation import above_the_waist, articulated_pair, frame_sample
from pise_core.training.data.prepared_folder import Sample


def half_body(samples: Sequence[Sample], contestants: Sequence[Contestant], seed: int) -> Iterator[Example]:
    """An example per annotated photo; the same turns for the same ``seed``."""
    rng = np.random.default_rng(seed)
    for sample in samples:
        pair = above_the_waist(articulated_pair(frame_sample(sample), rng, hide=False))
        yield example_of(sample.name, pair, contestants, given=False)
