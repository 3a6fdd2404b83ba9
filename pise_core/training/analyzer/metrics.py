"""Scores of an analysis against annotations."""

import numpy as np

from pise_core.pose import visible
from pise_core.regions import REGION_COUNT


class RegionOverlap:
    """Intersection over union per region, pooled over the pixels of all maps that were added."""

    def __init__(self):
        self.confusion = np.zeros((REGION_COUNT, REGION_COUNT), np.int64)

    def add(self, truth: np.ndarray, found: np.ndarray) -> None:
        """Both (H, W) integer maps of the same shape."""
        pairs = truth.astype(np.int64).ravel() * REGION_COUNT + found.ravel()
        self.confusion += np.bincount(pairs, minlength=REGION_COUNT**2).reshape(REGION_COUNT, REGION_COUNT)

    @property
    def per_region(self) -> np.ndarray:
        """(8,); nan for a region that neither side holds."""
        hit = np.diag(self.confusion)
        union = self.confusion.sum(0) + self.confusion.sum(1) - hit
        return np.where(union > 0, hit / np.maximum(union, 1), np.nan)

    @property
    def mean(self) -> float:
        return float(np.nanmean(self.per_region))


class KeypointAccuracy:
    """PCK: the share of joints found within ``threshold`` times the person's height (extent of the true joints).

    A joint that is annotated and not found counts as wrong; one that is not annotated does not count.
    """

    def __init__(self, thresholds: tuple[float, ...] = (0.05, 0.1)):
        self.thresholds = thresholds
        self._hits = np.zeros((len(thresholds), 18))
        self._count = np.zeros(18)

    def add(self, truth: np.ndarray, found: np.ndarray) -> None:
        """Both (18, 3), in the same pixels."""
        there = visible(truth)
        height = np.ptp(truth[there, 1])
        error = np.hypot(*(truth[:, :2] - found[:, :2]).T)
        for row, threshold in enumerate(self.thresholds):
            self._hits[row] += there & (np.nan_to_num(error, nan=np.inf) <= threshold * height)
        self._count += there

    @property
    def mean(self) -> dict[str, float]:
        """Over all joints, per threshold: ``{"pck@0.05": ...}``."""
        total = max(self._count.sum(), 1)
        return {f"pck@{t}": float(h.sum() / total) for t, h in zip(self.thresholds, self._hits, strict=True)}

    def of(self, joints: tuple[int, ...], threshold: float) -> float:
        """Over some joints only, at one of the thresholds."""
        hits = self._hits[self.thresholds.index(threshold), list(joints)]
        return float(hits.sum() / max(self._count[list(joints)].sum(), 1))
