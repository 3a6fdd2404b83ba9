"""Training of the layers that say what is held, beside an analyzer that stays as it is to the bit.

The analyzer's features are most of the work of a step, and never change: they are computed once for some hundred views,
a round, which are then gone through several times in another order each time.
"""

import copy
import json
import logging
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pise_core.detection import held_layers
from pise_core.detection.held_head import Features
from pise_core.detection.held_layers import write_held
from pise_core.detection.network import AnalyzerNetwork, fold_norms
from pise_core.errors import InputError
from pise_core.framing import Framing
from pise_core.model.weights import save_model
from pise_core.training.analyzer.initial_weights import begin_with
from pise_core.training.analyzer.run import changes_of, people_scenes
from pise_core.training.course import Course, state_of
from pise_core.training.data.held_views import HeldViews, holds
from pise_core.training.data.prepared_folder import Sample, load_samples, person_box
from pise_core.training.data.scenes import Scenes
from pise_core.training.data.views import to_tensor
from pise_core.training.prefetch import Ahead
from pise_core.training.run_record import digest_of_prepared, surroundings

_log = logging.getLogger(__name__)

#: Peak learning rate, and the share of rendered people among the views, where there are any.
RATE, PEOPLE_SHARE = 2e-3, 0.15
#: Batches of a round, and how often each is gone through.
BATCHES, PASSES = 8, 3
#: Of a pixel of something held, which few are, in its cross-entropy.
_WEIGHT = 2.0
#: Things with fewer pixels of the frame are not counted, and pixels below this are none of what was found.
_LEAST, _SURE = 40, 0.5


class Views(NamedTuple):
    """Views as tensors: images (N, 3, H, W) in [-1, 1], held (N, 1, H/2, W/2), the share of each that is held."""

    images: Tensor
    held: Tensor


def losses(logits: Tensor, held: Tensor) -> dict[str, Tensor]:
    """Cross-entropy, and Dice over the batch: a pixel of something held counts more the fewer there are.

    Args:
        logits: (N, 1, h, w).
        held: of the same shape, in [0, 1].
    """
    gap = F.binary_cross_entropy_with_logits(logits, held, pos_weight=logits.new_tensor(_WEIGHT))
    guess = logits.sigmoid()
    overlap = (2 * (guess * held).sum() + 20) / (guess.sum() + held.sum() + 20)
    return {"held": 4 * gap, "dice": 1 - overlap}


class Rounds:
    """Views and their features by step.

    Args:
        network: whose features they are.
        views: that are drawn from.
        batch: views a step.
        seed: of everything random.
        device: where the features are computed and kept, in float16.
    """

    def __init__(self, network: AnalyzerNetwork, views: HeldViews, batch: int, seed: int, device: str):
        self._network = fold_norms(copy.deepcopy(network)).requires_grad_(False)
        self._views, self._batch, self._seed, self._device = views, batch, seed, device
        self._round, self._features, self._held = -1, [], torch.zeros(0)

    @property
    def length(self) -> int:
        """Steps of a round."""
        return BATCHES * PASSES

    def draw(self, number: int) -> Views:
        """The views of a round."""
        rng = np.random.default_rng((self._seed, number))
        drawn = [self._views.draw(rng) for _ in range(BATCHES * self._batch)]
        held = torch.from_numpy(np.stack([view.held for view in drawn])[:, None].astype(np.float32))
        return Views(to_tensor(np.stack([view.image for view in drawn])), F.avg_pool2d(held, 2))

    def begin(self, number: int, views: Views) -> None:
        """Compute the features of a round."""
        self._features = [half_of(self._network, images.to(self._device)) for images in views.images.split(self._batch)]
        self._round, self._held = number, views.held.to(self._device)

    def batch(self, step: int) -> tuple[Features, Tensor]:
        """Features and truth for a step of the round that was begun."""
        number, within = divmod(step, self.length)
        assert number == self._round
        turn, nth = divmod(within, BATCHES)
        order = np.random.default_rng((self._seed, number, turn)).permutation(BATCHES * self._batch)
        chosen = order[nth * self._batch : (nth + 1) * self._batch].tolist()
        parts = [self._features[i // self._batch].single(i % self._batch) for i in chosen]
        return joined(parts), self._held[chosen]


@torch.no_grad()
def half_of(network: AnalyzerNetwork, images: Tensor) -> Features:
    """Features in float16."""
    levels, deep, up = network.features(images.to(memory_format=torch.channels_last))
    return Features([level.half() for level in levels], deep.half(), up.half())


def joined(parts: list[Features]) -> Features:
    """Features of several images as those of one batch, in float32."""

    def cat(tensors: tuple[Tensor, ...]) -> Tensor:
        return torch.cat(tensors).float().contiguous(memory_format=torch.channels_last)

    levels = [cat(level) for level in zip(*(part.levels for part in parts), strict=True)]
    return Features(levels, cat(tuple(part.deep for part in parts)), cat(tuple(part.up for part in parts)))


class Validation:
    """Photos of the validation split, one centred crop each, whose features are computed once.

    Args:
        network: whose features they are.
        samples: the photos; those of which nobody knows what is held are left out.
        device: where they are computed and kept, in float16.
    """

    def __init__(self, network: AnalyzerNetwork, samples: list[Sample], device: str):
        network, self._known = fold_norms(copy.deepcopy(network)), []
        for sample in samples:
            if sample.held is not None:
                framing = Framing.around(person_box(sample), sample.image.shape[1::-1])
                image = to_tensor(framing.crop(sample.image, 127)[None]).to(device)
                self._known.append((half_of(network, image), framing.crop(sample.held, labels=True) == 1))

    def __len__(self) -> int:
        return len(self._known)

    @torch.no_grad()
    def measure(self, head: torch.nn.Module) -> dict[str, float]:
        """``held_iou`` over the pixels of all photos, the share of things ``found`` by half or more, and of what is
        seen the share that is ``wrong``: less than 0.4 of it is a held thing."""
        both = either = things = found = seen_things = wrong = 0
        for features, held in self._known:
            logits = head.eval()(joined([features]))
            seen = F.interpolate(logits, size=held.shape, mode="bilinear", align_corners=False)[0, 0]
            seen = seen.sigmoid().cpu().numpy() > _SURE
            both, either = both + int((seen & held).sum()), either + int((seen | held).sum())
            for mask in _pieces(held):
                things, found = things + 1, found + int(seen[mask].mean() >= 0.5)
            for mask in _pieces(seen):
                seen_things, wrong = seen_things + 1, wrong + int(held[mask].mean() < 0.4)
        return {
            "held_iou": both / either if either else 0.0,
            "found": found / max(things, 1),
            "wrong": wrong / max(seen_things, 1),
        }


def _pieces(mask: np.ndarray) -> list[np.ndarray]:
    """Connected pieces that are large enough, (H, W) bool each."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return [labels == n for n in range(1, len(stats)) if stats[n, cv2.CC_STAT_AREA] >= _LEAST]


def train(
    data: Path,
    out: Path,
    minutes: float | None,
    init: Path | None,
    batch: int = 12,
    rate: float = RATE,
    seed: int = 0,
    device: str = "cpu",
    people: Path | None = None,
    people_share: float = PEOPLE_SHARE,
    steps: int | None = None,
    until: int | None = None,
    validate_every: int = 250,
    resume: bool = False,
) -> AnalyzerNetwork:
    """Run, or resume from ``out/analyzer.pt``, until the budget is used up; as ``run.train``, but only the layers that
    say what is held are learned, which are added where ``init`` lacks those of today: joints and regions stay the same
    to the bit. On validation, the loss is what is left to 1 of the overlap with what is held.

    Args:
        data: folder that ``prepare`` wrote, of whose photos some say what is held.
        out: folder for checkpoints, weights, log and empty streets.
        minutes: wall clock of the whole run; None where ``steps`` says how long it is.
        init: the folder of the analyzer's run, or its file of weights.
        batch: views a step.
        rate: peak learning rate.
        seed: of everything random.
        device: "cpu", "cuda".
        people: folder of rendered people; a run goes on with those it began with.
        people_share: of the views that show them.
        steps: length of the whole run.
        until: leave the run at this step; called again it goes on.
        validate_every: steps from one validation to the next; 0 does without.
        resume: there must be a run in ``out`` to go on with.

    Returns:
        The network with the averaged layers.

    Raises:
        InputError: if data, ``people`` or ``init`` are missing or do not fit, or ``out`` holds something else.
        FloatingPointError: as soon as a loss is not finite.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once all is saved.
    """
    if minutes is None and steps is None:
        raise InputError("give --minutes or --steps")
    if init is None:
        raise InputError("--held-alone adds layers to the weights of another run; give these with --init")
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    samples = [sample for sample in load_samples(data, "train") if sample.held is not None]
    if not any(map(holds, samples)):
        raise InputError(f"{data} holds no photo in which something is held; prepare one whose annotations know of it")
    # A street is what the regions call background, bags among it: only of who holds nothing is it empty.
    empty = [sample for sample in samples if not holds(sample) and sample.parsing is not None]
    state = state_of(out / "analyzer.pt", resume)
    validation = load_samples(data, "validation") if validate_every else []
    network = begin_with(init, None, held=True).to(device).to(memory_format=torch.channels_last)
    made_of = {"seed": seed, "batch": batch, "rate": rate, "people_share": people_share, "held_alone": True}
    made_of |= {"data": digest_of_prepared(data), "surroundings": surroundings(torch.device(device))}
    for note in changes_of(out, (state or {}).get("run", {}), made_of):
        _log.info(note)
    begun_with = (state or {}).get("people")
    scenes = Scenes(empty or samples, out / "streets")
    shown, rendered = people_scenes(people, begun_with, state is not None, scenes)
    views = HeldViews(samples, shown, people_share)
    head = network.held_head
    assert head is not None
    network.requires_grad_(False).eval()
    head.requires_grad_(True)
    optimizer = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.02)
    beside = {"people": rendered, "run": made_of}
    course = Course(out / "analyzer.pt", head, optimizer, rate, minutes, steps, state, beside)
    whole = copy.deepcopy(network)
    whole.held_head = course.average.module
    rounds, known = Rounds(network, views, batch, seed, device), None
    course.log(samples=len(samples), people=rendered, parameters=sum(p.numel() for p in head.parameters()))

    def write() -> None:
        notes = json.dumps({**made_of, "people": rendered}, sort_keys=True)
        save_model(out / "analyzer.safetensors", whole, run=notes, step=str(course.step))
        write_held(out / held_layers.FILE_NAME, whole, run=notes, step=str(course.step))

    def measure() -> dict[str, float]:
        nonlocal known
        known = known or Validation(network, validation, device)
        measured = known.measure(course.average.module)
        return {"loss": 1 - measured["held_iou"], **measured}

    def keep(path: Path, found: str) -> None:
        write_held(path, whole, step=str(course.step), run=json.dumps(made_of, sort_keys=True), validation=found)

    with Ahead(rounds.draw) as drawn:
        begun = -1

        def losses_of_a_step(used: float) -> dict[str, Tensor]:
            nonlocal begun
            if course.step // rounds.length != begun:
                begun = course.step // rounds.length
                rounds.begin(begun, drawn.take(begun))
                drawn.foresee(begun + 1)
            features, held = rounds.batch(course.step)
            return losses(head.train()(features), held)

        course.run(losses_of_a_step, write, until, validate_every, measure if validation else None, keep)
    return whole
