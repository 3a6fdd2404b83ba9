"""Is the difference between two rows more than the luck of which photos were drawn?

Rows of a table are compared example by example, and the examples are drawn again and again with replacement (the
paired bootstrap; Efron and Tibshirani, 1993). That says how far other photos would move the figure, not how far
another seed of the training would.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from pise_core.evaluation.scoring import Outcome

RESAMPLES = 10_000


class Difference(NamedTuple):
    """Mean difference, and the interval that holds 95 of 100 resampled ones."""

    mean: float
    low: float
    high: float


def paired_difference(values: ArrayLike, others: ArrayLike) -> Difference:
    """``values`` minus ``others``, one per example; where either is infinite the example is left out."""
    gaps = _gaps(values, others)
    drawn = np.random.default_rng(0).integers(0, len(gaps), (RESAMPLES, len(gaps)))
    low, high = np.quantile(gaps[drawn].mean(1), (0.025, 0.975))
    return Difference(float(gaps.mean()), float(low), float(high))


def differences(outcome: Outcome, against: str) -> dict[str, dict[str, Difference]]:
    """Row -> column -> how it differs from the row ``against``; empty where there are no figures of each example."""
    base = outcome.each.get(against, {})
    found: dict[str, dict[str, Difference]] = {}
    for name, columns in outcome.each.items():
        if name != against:
            # Equal pictures throughout, as in the truth's row, have no finite PSNR to compare.
            shared = [c for c in columns if c in base and len(_gaps(columns[c], base[c]))]
            found[name] = {c: paired_difference(columns[c], base[c]) for c in shared}
    return found


def _gaps(values: ArrayLike, others: ArrayLike) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        gaps = np.subtract(values, others)
    return gaps[np.isfinite(gaps)]
