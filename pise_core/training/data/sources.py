"""Where training pairs come from: whatever can draw them at random is a source."""

from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from pise_core.errors import InputError
from pise_core.model.config import PISEConfig
from pise_core.training.data.batches import Batch
from pise_core.training.data.deepfashion_pairs import DeepFashionPairs
from pise_core.training.data.people_pairs import MixedPairs
from pise_core.training.data.street_pairs import StreetPairs


class PairSource(Protocol):
    """Pairs of one data set, as networks of one configuration want them (canvas, order of labels, pose columns)."""

    def __len__(self) -> int:
        """How many photos, or pairs, there are to draw from."""
        ...

    def batch(
        self, rng: np.random.Generator, size: int, frame: tuple[int, int], detail: bool, part: slice = slice(None)
    ) -> Batch:
        """Pairs drawn at random, or some of them.

        Several processes draw one batch together: all call with the same ``rng`` and ``size``, each with a ``part`` of
        its own, and what they get, joined, is what one process gets without ``part``. So whatever is drawn must not
        depend on ``part`` (``rng.spawn(size)`` gives every pair a generator of its own). It is called from a thread
        beside the one that trains, by one at a time.

        Args:
            rng: everything random comes from it, nothing from torch.
            size: pairs in the whole batch.
            frame: (H, W), ``FRAME_SIZE`` or a smaller frame to begin with. Where the configuration wants a square
                canvas, tensors are as wide as they are high and the frame lies in the middle.
            detail: False leaves the detail path silent (``Batch.carry`` is None); otherwise the source may, now and
                then, for the whole batch.
            part: which of the ``size`` pairs to make.
        """
        ...

    def validation(self, count: int) -> list[Batch]:
        """Up to ``count`` pairs to choose by, one a batch, always the same: nothing is learned from them, and they are
        none of the test. None where the data has no such split."""
        ...

    def held_back(self, count: int) -> list[Batch]:
        """Up to ``count`` pairs that are not learned from, one a batch, always the same: subjects of the sample
        sheets."""
        ...


class Rendered(NamedTuple):
    """Rendered people that are to be learned from, too."""

    folder: Path
    share: float  # of all pairs
    count: int | None = None  # of those in the folder, the first so many; None for all
    share_alone: float | None = None  # the same where the detail path is silent; None: as elsewhere


def open_source(
    data: Path,
    config: PISEConfig,
    limit: int | None = None,
    surroundings: bool = True,
    rendered: Rendered | None = None,
) -> PairSource:
    """The pairs of a folder that ``prepare`` wrote: true ones of DeepFashion, articulated ones of street photos.

    Args:
        data: the folder.
        config: of the network that is to learn from them.
        limit: draw from so many photos, or pairs, only.
        surroundings: True where only the person is judged. False where whole pictures are: a street, which no network
            can know, then gives way to the network's ground; plain studio walls may stay.
        rendered: people to mix with street photos.

    Raises:
        InputError: if the folder was not prepared, a file of it is missing, or rendered people are to be mixed with
            DeepFashion.
    """
    if (data / "pairs.json").exists():
        if rendered is not None:
            raise InputError("rendered people are mixed with street photos, not with DeepFashion; leave --people out")
        return DeepFashionPairs(data, config, limit, surroundings)
    if rendered is not None:
        folder, share, count, alone = rendered
        shares = (share, share if alone is None else alone)
        return MixedPairs(data, config, limit, surroundings, people=folder, shares=shares, count=count)
    return StreetPairs(data, config, limit, surroundings)
