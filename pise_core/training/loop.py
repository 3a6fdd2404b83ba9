"""What every training run shares: a wall-clock budget, a moving average of the weights, checkpoints that resume."""

import copy
import json
import math
import time
from pathlib import Path
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


class Budget:
    """Minutes of wall clock for a whole run, counted over all its resumptions.

    ``steps`` ends the run after so many, if the minutes last: experiments that are compared need equal steps, not equal
    minutes of a machine that does other work too.
    """

    def __init__(self, minutes: float, spent: float = 0.0, steps: int | None = None):
        self.seconds = minutes * 60
        self.steps = steps
        self._before = spent
        self._start = time.monotonic()

    @property
    def spent(self) -> float:
        return self._before + time.monotonic() - self._start

    def used(self, step: int) -> float:
        """0 at the start, 1 when the time, or the number of steps, is used up."""
        return min(1.0, max(self.spent / self.seconds, step / self.steps if self.steps else 0.0))

    def rate(self, peak: float, step: int, warmup: int = 50) -> float:
        """Learning rate: linear warm-up in steps, then a cosine over the budget down to one hundredth."""
        return peak * min(1.0, (step + 1) / warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * self.used(step))))


class Average(Generic[M]):
    """Exponential moving average of a module's weights and buffers (EMA); the averaged copy is what ships."""

    def __init__(self, module: M, decay: float = 0.998):
        self.module: M = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        decay = min(self.decay, (step + 1) / (step + 20))
        for mean, new in zip(self.module.state_dict().values(), module.state_dict().values(), strict=True):
            if mean.dtype.is_floating_point:
                mean.lerp_(new, 1 - decay)
            else:
                mean.copy_(new)


def save_checkpoint(path: Path, **state) -> None:
    """Write atomically: a run that is killed while saving leaves the older checkpoint whole."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.replace(path)


def load_checkpoint(path: Path) -> dict | None:
    """The state that :func:`save_checkpoint` wrote, or None where there is none."""
    if not path.exists():
        return None
    return torch.load(path, map_location="cpu", weights_only=True)


class Log:
    """One JSON object a line in ``log.jsonl``, and the same on the screen."""

    def __init__(self, folder: Path):
        self.path = folder / "log.jsonl"

    def __call__(self, **values) -> None:
        shown = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()}
        with self.path.open("a") as file:
            file.write(json.dumps(shown) + "\n")
        print("  ".join(f"{k} {v}" for k, v in shown.items()), flush=True)


def check_finite(step: int, terms: dict[str, Tensor]) -> None:
    """Stop the run with all loss terms in the message as soon as one of them is not finite.

    Raises:
        FloatingPointError: naming the step and every term.
    """
    values = {name: float(value.detach()) for name, value in terms.items()}
    if not all(math.isfinite(v) for v in values.values()):
        raise FloatingPointError(f"loss is not finite at step {step}: {values}")


def total(terms: dict[str, Tensor]) -> Tensor:
    """The sum of all loss terms."""
    return torch.stack(list(terms.values())).sum()
