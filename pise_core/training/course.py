"""One network that learns by gradient descent: what the runs of the analyzer, of its layers for held things, and of the
amodal network share."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from pise_core.errors import InputError
from pise_core.model.weights import save_model
from pise_core.training.interruption import Interruption
from pise_core.training.kept import Kept
from pise_core.training.loop import (
    Average,
    Budget,
    Curve,
    Log,
    Saves,
    check_finite,
    load_checkpoint,
    rate_at,
    save_checkpoint,
    total,
)
from pise_core.training.prefetch import Ahead

M = TypeVar("M", bound=nn.Module)
V = TypeVar("V")
#: Gradients are scaled down to this norm.
_MOST = 5.0


def state_of(path: Path, resume: bool) -> dict[str, Any] | None:
    """What a checkpoint holds; None where there is none.

    Raises:
        InputError: if it is damaged, or there is none and the run was to be resumed.
    """
    state = load_checkpoint(path)
    if resume and state is None:
        raise InputError(f"{path.parent} holds no run to go on with; leave --resume out to begin one")
    return state


class Course(Generic[M]):
    """A module on its way, with the moving average of its weights, its optimizer, log, checkpoints and kept weights.

    Args:
        path: of the checkpoint, in the run's folder.
        module: that learns.
        optimizer: of its parameters; a group's ``share``, where it has one, scales its rate.
        rate: peak learning rate.
        minutes: wall clock of the whole run; None where ``steps`` says how long it is.
        steps: length of the whole run.
        state: of :func:`state_of`, to go on with.
        beside: what else checkpoints hold.

    Attributes:
        average: of the module, what ships.
        step: the next one's number, from 0 on.
        log: of the run.

    Raises:
        InputError: if the checkpoint is of another version.
    """

    def __init__(
        self,
        path: Path,
        module: M,
        optimizer: torch.optim.Optimizer,
        rate: float,
        minutes: float | None,
        steps: int | None,
        state: Mapping[str, Any] | None,
        beside: Mapping[str, Any],
    ) -> None:
        self._path, self._module, self._optimizer = path, module, optimizer
        self._rate, self._beside = rate, dict(beside)
        self.average: Average[M] = Average(module)
        self.step = 0
        self.budget = Budget(minutes, (state or {}).get("spent", 0.0), steps)
        if state is not None:
            try:
                module.load_state_dict(state["network"])
                self.average.module.load_state_dict(state["average"])
                optimizer.load_state_dict(state["optimizer"])
                self.step = state["step"]
            except (ValueError, RuntimeError, KeyError):
                raise InputError(f"{path.parent} holds a run of another version; give another --out") from None
        self.log = Log(path.parent, self.step)
        self._curve, self._saves, self._kept = Curve(self.log, 50), Saves(400), Kept(path.parent, self.step)
        self._write: Callable[[], None] = lambda: None

    def run(
        self,
        losses: Callable[[float], dict[str, Tensor]],
        write: Callable[[], None],
        until: int | None,
        validate_every: int = 0,
        measure: Callable[[], dict[str, float]] | None = None,
        keep: Callable[[Path, str], None] | None = None,
    ) -> None:
        """Steps until the budget is used up. Saves every 400 steps, every few minutes, at the end, and on Ctrl-C or
        SIGTERM.

        Args:
            losses: the loss terms of a step, given the share of the budget that is used.
            write: writes the averaged weights beside the checkpoint.
            until: leave the run at this step; called again it goes on.
            validate_every: steps from one validation to the next; 0 does without.
            measure: what a validation finds, ``loss`` among it; None does without.
            keep: writes the averaged weights to a path, with what validation found, in JSON.

        Raises:
            FloatingPointError: as soon as a loss is not finite.
            KeyboardInterrupt: after Ctrl-C or SIGTERM, once all is saved.
        """
        self._write = write
        with Interruption() as interruption:
            while (
                (used := self.budget.used(self.step)) < 1
                and not interruption.asked
                and (until is None or self.step < until)
            ):
                for group in self._optimizer.param_groups:
                    group["lr"] = rate_at(self._rate, self.step, used) * group.get("share", 1.0)
                self._learn(losses(used))
                if measure is not None and keep is not None and validate_every and self.step % validate_every == 0:
                    self._validate(measure(), keep)
                if self._saves.due(self.step):
                    self.checkpoint()
            over = self.budget.used(self.step) == 1
            if over:
                self._curve.end()
            self.checkpoint()
        if not over and self.step != until:
            raise KeyboardInterrupt(f"interrupted at step {self.step}; the same command goes on from there")

    def checkpoint(self) -> None:
        """Save all that the run goes on from, and the averaged weights."""
        save_checkpoint(
            self._path,
            network=self._module.state_dict(),
            average=self.average.module.state_dict(),
            optimizer=self._optimizer.state_dict(),
            step=self.step,
            spent=self.budget.spent,
            **self._beside,
        )
        self._write()

    def _learn(self, terms: dict[str, Tensor]) -> None:
        values = {name: float(term.detach()) for name, term in terms.items()}
        check_finite(self.step, values)
        self._optimizer.zero_grad()
        total(terms).backward()
        torch.nn.utils.clip_grad_norm_(self._module.parameters(), _MOST)
        self._optimizer.step()
        self.average.update(self._module, self.step)
        self.step += 1
        self._curve.add(self.step, self.budget.spent, {"loss": sum(values.values()), **values})

    def _validate(self, measured: dict[str, float], keep: Callable[[Path, str], None]) -> None:
        self.log(step=self.step, **{f"validation/{name}": value for name, value in measured.items()})
        self._kept.add(self.step, measured["loss"], lambda path: keep(path, json.dumps(measured)))


def learn_from_views(
    course: Course[M],
    file: Path,
    notes: Mapping[str, str],
    draw: Callable[[np.random.Generator], V],
    seed: int,
    batch: int,
    losses: Callable[[list[V]], dict[str, Tensor]],
    until: int | None,
    validate_every: int,
    measure: Callable[[M], dict[str, float]] | None,
) -> M:
    """Run a course on views that are drawn ahead, beside the step before.

    Args:
        course: that is run.
        file: where the averaged weights go, in float16.
        notes: what is written into them.
        draw: makes a view; what a step sees depends on ``seed`` and its number alone.
        seed: of the views.
        batch: views a step.
        losses: the loss terms of a step's views.
        until: as of :meth:`Course.run`.
        validate_every: as of :meth:`Course.run`.
        measure: what a validation finds of a module, ``loss`` among it; None does without.

    Returns:
        The module with the averaged weights.

    Raises:
        FloatingPointError: as soon as a loss is not finite.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once all is saved.
    """

    def write(path: Path, **more: str) -> None:
        save_model(path, course.average.module, torch.float16, step=str(course.step), **notes, **more)

    def views_of(number: int) -> list[V]:
        rng = np.random.default_rng((seed, number))
        return [draw(rng) for _ in range(batch)]

    with Ahead(views_of) as drawn:

        def losses_of_a_step(used: float) -> dict[str, Tensor]:
            views = drawn.take(course.step)
            drawn.foresee(course.step + 1)
            return losses(views)

        course.run(
            losses_of_a_step,
            lambda: write(file),
            until,
            validate_every,
            None if measure is None else lambda: measure(course.average.module),
            lambda path, found: write(path, validation=found),
        )
    return course.average.module
