"""Training of the network that expects what lies behind somebody, on street photos.

What is behind the people of the photos nobody knows. So holes in the shape of others are cut beside them.
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pise_core.detection import hidden_background, small_networks
from pise_core.detection.analyzer import FILE_NAME as ANALYZER
from pise_core.detection.analyzer import read_network
from pise_core.detection.hidden_background import BackgroundConfig, BackgroundNetwork
from pise_core.errors import InputError
from pise_core.model.weights import SHIPPED
from pise_core.training.analyzer.run import pseudo_labelled
from pise_core.training.background.views import View, Views, held_back, street_of
from pise_core.training.course import Course, learn_from_views, state_of
from pise_core.training.data.prepared_folder import load_samples
from pise_core.training.loop import total
from pise_core.training.run_record import digest_of_prepared, digest_of_tensors, surroundings

RATE, BATCH = 2e-3, 12
#: Weight of differences from cell to cell, beside colours.
_CHANGE = 1.0
#: Times that colours are halved in size and compared again.
_SCALES = 3


class Batch(NamedTuple):
    """Views as tensors, of the shapes of :class:`View`'s arrays, each with the number of views before it."""

    seen: Tensor
    truth: Tensor
    hole: Tensor
    unknown: Tensor


def batch_of(views: list[View]) -> Batch:
    """Views as tensors."""
    seen, *rest = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*views, strict=True))
    return Batch(seen.to(memory_format=torch.channels_last), *rest)


def losses(found: Tensor, batch: Batch) -> dict[str, Tensor]:
    """Mean absolute differences over the holes: of colours, and of how they change from cell to cell, into the holes,
    too; at several sizes."""
    hole, known = batch.hole[:, None].float(), ~batch.unknown[:, None]
    # Beside the hole the photo itself is shown.
    shown = torch.where(batch.hole[:, None], found, batch.truth)
    apart, weight, free = shown - batch.truth, hole, known.float()
    colour, change = apart.new_zeros(()), apart.new_zeros(())
    for _ in range(_SCALES):
        many = weight.sum().clamp(min=1)
        colour = colour + (apart.abs().mean(1, keepdim=True) * weight).sum() / many
        for axis in (2, 3):
            size = apart.shape[axis] - 1
            step = apart.narrow(axis, 1, size) - apart.narrow(axis, 0, size)
            both = free.narrow(axis, 1, size) * free.narrow(axis, 0, size)
            near = torch.maximum(weight.narrow(axis, 1, size), weight.narrow(axis, 0, size)) * both
            change = change + (step.abs().mean(1, keepdim=True) * near).sum() / near.sum().clamp(min=1)
        apart, weight = F.avg_pool2d(apart * free, 2), F.avg_pool2d(weight, 2)
        free = (F.avg_pool2d(free, 2) > 0.99).float()
        weight = weight * free
    return {"colour": colour / _SCALES, "change": _CHANGE * change / _SCALES}


class Validation:
    """Photos that are held back.

    Args:
        views: of them.
    """

    def __init__(self, views: list[View]):
        self._views = views

    @torch.no_grad()
    def measure(self, network: BackgroundNetwork) -> dict[str, float]:
        """The loss, and the mean absolute difference of colours in the holes, in levels of 255 (``levels``)."""
        found, levels = [], []
        for start in range(0, len(self._views), 16):
            batch = batch_of(self._views[start : start + 16])
            colours = network.eval()(batch.seen)
            found.append(float(total(losses(colours, batch))) * len(batch.seen))
            apart = 255 * (colours - batch.truth).abs().mean(1) * batch.hole
            levels.append(float((apart.sum((1, 2)) / batch.hole.sum((1, 2)).clamp(min=1)).sum()))
        many = max(len(self._views), 1)
        return {"loss": sum(found) / many, "levels": sum(levels) / many}


def train(
    data: Path,
    out: Path,
    minutes: float | None,
    batch: int = BATCH,
    rate: float = RATE,
    seed: int = 0,
    steps: int | None = None,
    until: int | None = None,
    validate_every: int = 250,
    resume: bool = False,
    init: Path | None = None,
) -> BackgroundNetwork:
    """Run, or resume from ``out/background.pt``, until the budget is used up. The best by validation stays in
    ``out/kept``.

    Args:
        data: folder that ``prepare`` wrote. Where people are in photos that nobody annotated, the analyzer that ships
            says, once; it is kept in ``out``.
        out: folder for checkpoints, weights and log.
        minutes: wall clock of the whole run; None where ``steps`` says how long it is.
        batch: views a step.
        rate: peak learning rate.
        seed: of everything random.
        steps: length of the whole run.
        until: leave the run at this step; called again it goes on.
        validate_every: steps from one validation to the next; 0 does without.
        resume: there must be a run in ``out`` to go on with.
        init: file of weights to begin with; None begins with random ones.

    Returns:
        The network with the averaged weights.

    Raises:
        InputError: if ``data`` is missing or holds no photo to train on, ``out`` holds something else, or ``init`` is
            no such network.
        FloatingPointError: as soon as a loss is not finite.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once all is saved.
    """
    if minutes is None and steps is None:
        raise InputError("give --minutes or --steps")
    samples = load_samples(data, "train")
    if not samples:
        raise InputError(f"{data} holds no photo to train on; prepare a folder that has some")
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    network = BackgroundNetwork() if init is None else small_networks.read(init, BackgroundNetwork, BackgroundConfig)
    network = network.to(memory_format=torch.channels_last)
    made_of = {"seed": seed, "batch": batch, "rate": rate, "data": digest_of_prepared(data)}
    if init is not None:
        made_of["init"] = digest_of_tensors(network.state_dict())
    state = state_of(out / "background.pt", resume)
    if state is not None and state.get("run") != made_of:
        raise InputError(f"{out} holds a run of other data or settings; give another --out")
    people = read_network(SHIPPED / ANALYZER).eval()
    views = Views([street_of(one) for one in pseudo_labelled(people, samples, out / "people", "cpu")])
    known = load_samples(data, "validation", annotated_only=True) if validate_every else []
    validation = Validation(held_back([street_of(one) for one in known])) if known else None
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.01)
    course = Course(out / "background.pt", network, optimizer, rate, minutes, steps, state, {"run": made_of})
    notes = {"run": json.dumps(made_of | {"surroundings": surroundings(torch.device("cpu"))}, sort_keys=True)}
    course.log(photos=len(samples), parameters=sum(p.numel() for p in network.parameters()))

    def losses_of(drawn: list[View]) -> dict[str, Tensor]:
        now = batch_of(drawn)
        return losses(network.train()(now.seen), now)

    measure = None if validation is None else validation.measure
    file = out / hidden_background.FILE_NAME
    return learn_from_views(course, file, notes, views.draw, seed, batch, losses_of, until, validate_every, measure)
