"""Street photos as a source of pairs: each photo with itself, articulated."""

from pathlib import Path

import numpy as np

from pise_core.errors import InputError
from pise_core.model.config import PISEConfig
from pise_core.regions import REGION_COUNT
from pise_core.training.data.articulation import Pair, articulated_pair, frame_sample
from pise_core.training.data.batches import DROPPED, SILENT, Batch, collate
from pise_core.training.data.prepared_folder import load_samples


class StreetPairs:
    """The annotated photos of a folder that ``prepare`` wrote; arguments as in ``sources.open_source``.

    Raises:
        InputError: if the folder was not prepared, or holds no photo with regions to train on.
    """

    def __init__(self, data: Path, config: PISEConfig, limit: int | None = None, surroundings: bool = True):
        self._data, self._config, self._surroundings = data, config, surroundings
        self._samples = load_samples(data, "train", limit, annotated_only=True)
        if not self._samples:
            raise InputError(f"{data} holds no annotated photo to train on; prepare a folder that has annotations")

    def __len__(self) -> int:
        return len(self._samples)

    def batch(
        self, rng: np.random.Generator, size: int, frame: tuple[int, int], detail: bool, part: slice = slice(None)
    ) -> Batch:
        """Fresh pairs. The detail path is silent for a quarter of the batches: the edit must be whole without it."""
        chosen = rng.integers(0, len(self._samples), size)
        drop = np.where(rng.random(size) < DROPPED, rng.integers(1, REGION_COUNT, size), -1)
        detail = detail and rng.random() > SILENT
        pairs = []
        for index, own in list(zip(chosen, rng.spawn(size), strict=True))[part]:
            pairs.append(self._pair(index, own, frame, detail))
        return collate(pairs, drop[part], detail, config=self._config, surroundings=self._surroundings)

    def _pair(self, index: int, rng: np.random.Generator, frame: tuple[int, int], detail: bool) -> Pair:
        """One pair, for a batch where something is carried or, without ``detail``, nothing is."""
        return articulated_pair(frame_sample(self._samples[index], rng, frame), rng)

    def _collated(self, pairs: list[Pair]) -> Batch:
        detail, config = self._config.detail_path, self._config
        return collate(pairs, detail=detail, config=config, surroundings=self._surroundings)

    def validation(self, count: int) -> list[Batch]:
        return self.held_back(count)

    def held_back(self, count: int) -> list[Batch]:
        """Photos for validation in the middle of the frame, each with one articulation of it."""
        rng = np.random.default_rng(7)
        samples = load_samples(self._data, "validation", count, annotated_only=True)
        return [self._collated([articulated_pair(frame_sample(s), rng, hide=False)]) for s in samples]
