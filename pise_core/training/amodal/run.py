"""Training of the network that knows what of a person lies behind arms and head."""

import json
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from pise_core.detection import amodal
from pise_core.detection.amodal import WITHOUT, AmodalNetwork, Logits
from pise_core.errors import InputError
from pise_core.synthesis.dataset import People
from pise_core.training.amodal.samples import HELD_BACK, kept, photographed
from pise_core.training.amodal.views import View, Views, plain_view
from pise_core.training.course import Course, learn_from_views, state_of
from pise_core.training.data.prepared_folder import load_samples
from pise_core.training.loop import total
from pise_core.training.run_record import digest_of_people, digest_of_prepared, surroundings

_log = logging.getLogger(__name__)

RATE, BATCH = 3e-3, 16
#: Of the views, those of rendered people; the others are of street photos with rendered arms.
PEOPLE_SHARE = 0.6
#: In cells: a weight of this counts as hidden when it is measured.
_HIDDEN = 0.5


class Batch(NamedTuple):
    """Views as tensors, of the shapes of :class:`View`'s arrays, each with the number of views before it."""

    seen: Tensor
    without: Tensor
    weight: Tensor
    arms: Tensor
    arms_weight: Tensor


def losses(logits: Logits, batch: Batch) -> dict[str, Tensor]:
    """Cross-entropy with the shares of each cell, over cells by their weight: of what is hidden, and of arms."""

    def entropy(logits: Tensor, shares: Tensor, weight: Tensor, axis: int) -> Tensor:
        gap = -(logits.log_softmax(axis) * shares).sum(axis)
        return (gap * weight).sum() / weight.sum().clamp(min=1)

    return {
        "without": entropy(logits.without, batch.without, batch.weight, 2),
        "arms": 0.5 * entropy(logits.arms, batch.arms, batch.arms_weight, 1),
    }


def batch_of(views: list[View]) -> Batch:
    """Views as tensors."""
    seen, *rest = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*views, strict=True))
    return Batch(seen.to(memory_format=torch.channels_last), *rest)


class Validation:
    """People who are held back, as they are.

    Args:
        views: of them.
    """

    def __init__(self, views: list[View]):
        self._views = views

    @torch.no_grad()
    def measure(self, network: AmodalNetwork) -> dict[str, float]:
        """The loss, and by what is taken away: of the hidden cells those where the body is taken for background
        (``missed``), the reverse (``invented``), and the body's that are given another region (``mixed``); and of the
        cells about arms those that are given to the wrong one, or to none (``wrong_arms``)."""
        found, counts, arms = [], np.zeros((len(WITHOUT), 4)), np.zeros(2)
        for start in range(0, len(self._views), 32):
            batch = batch_of(self._views[start : start + 32])
            logits = network.eval()(batch.seen)
            found.append(float(total(losses(logits, batch))) * len(batch.seen))
            guess, truth = logits.without.argmax(2), batch.without.argmax(2)
            hidden = batch.weight > _HIDDEN
            wrong = (logits.arms.argmax(1) != batch.arms.argmax(1))[batch.arms_weight > _HIDDEN]
            arms += np.array([len(wrong), int(wrong.sum())])
            cases = hidden, (truth > 0) & (guess == 0), (truth == 0) & (guess > 0), (truth > 0) & (guess > 0)
            cases = *cases[:3], cases[3] & (truth != guess)
            counts += torch.stack([(case & hidden).sum((0, 2, 3)) for case in cases], 1).numpy()
        shares = counts[:, 1:] / np.maximum(counts[:, :1], 1)
        measured = {"loss": sum(found) / max(len(self._views), 1), "wrong_arms": float(arms[1] / max(arms[0], 1))}
        for name, row in zip(WITHOUT, shares, strict=True):
            measured |= {
                f"{kind}_{name}": float(v) for kind, v in zip(("missed", "invented", "mixed"), row, strict=True)
            }
        return measured


def train(
    people: Path,
    out: Path,
    minutes: float | None,
    data: Path,
    batch: int = BATCH,
    rate: float = RATE,
    seed: int = 0,
    people_share: float = PEOPLE_SHARE,
    steps: int | None = None,
    until: int | None = None,
    validate_every: int = 250,
    resume: bool = False,
) -> AmodalNetwork:
    """Run, or resume from ``out/amodal.pt``, until the budget is used up. The best by validation stays in
    ``out/kept``.

    Args:
        people: folder of rendered people with layers; the last tenth is for validation.
        out: folder for checkpoints, weights, log, and what was read of the layers.
        minutes: wall clock of the whole run; None where ``steps`` says how long it is.
        data: folder that ``prepare`` wrote, whose annotated photos bring the outlines of real clothes.
        batch: views a step.
        rate: peak learning rate.
        seed: of everything random.
        people_share: of the views, those of rendered people; with 1 ``data`` is not needed.
        steps: length of the whole run.
        until: leave the run at this step; called again it goes on.
        validate_every: steps from one validation to the next; 0 does without.
        resume: there must be a run in ``out`` to go on with.

    Returns:
        The network with the averaged weights.

    Raises:
        InputError: if ``people`` or ``data`` are missing or do not fit, or ``out`` holds something else.
        FloatingPointError: as soon as a loss is not finite.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once all is saved.
    """
    if minutes is None and steps is None:
        raise InputError("give --minutes or --steps")
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    rendered = People(people)
    made_of = {"seed": seed, "batch": batch, "rate": rate, "people": digest_of_people(people, len(rendered))}
    photos = []
    if people_share < 1:
        photos = [photographed(one) for one in load_samples(data, "train", annotated_only=True)]
        made_of |= {"data": digest_of_prepared(data), "people_share": people_share}
    state = state_of(out / "amodal.pt", resume)
    if state is not None and state.get("run") != made_of:
        raise InputError(f"{out} holds a run of other people, data or settings; give another --out")
    wholes = kept(out / "people.npz", rendered, made_of["people"])
    last = 2 * int(np.ceil(HELD_BACK * len(rendered))) if validate_every else 0
    views = Views(wholes[: len(wholes) - last] or wholes, photos, people_share)
    validation = Validation([plain_view(one) for one in wholes[len(wholes) - last :]]) if last else None
    network = AmodalNetwork().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02)
    course = Course(out / "amodal.pt", network, optimizer, rate, minutes, steps, state, {"run": made_of})
    notes = {"run": json.dumps(made_of | {"surroundings": surroundings(torch.device("cpu"))}, sort_keys=True)}
    course.log(people=len(rendered), photos=len(photos), parameters=sum(p.numel() for p in network.parameters()))

    def losses_of(drawn: list[View]) -> dict[str, Tensor]:
        now = batch_of(drawn)
        return losses(network.train()(now.seen), now)

    measure = None if validation is None else validation.measure
    file = out / amodal.FILE_NAME
    return learn_from_views(course, file, notes, views.draw, seed, batch, losses_of, until, validate_every, measure)
