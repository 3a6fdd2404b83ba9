"""What every training run shares: a wall-clock budget, a moving average of the weights, checkpoints that resume."""

import copy
import json
import logging
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import torch
from torch import Tensor, nn

from pise_core.errors import InputError
from pise_core.files import replacing, write_file

_log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

M = TypeVar("M", bound=nn.Module)


class Budget:
    """Minutes of wall clock for a whole run, counted over all its resumptions.

    With ``steps`` the run is as long as that, and all that depends on progress depends on the step: it computes the
    same on a machine that does other work too, or when it is interrupted. The minutes, if any, then only end it early.
    """

    def __init__(self, minutes: float | None, spent: float = 0.0, steps: int | None = None):
        self.seconds = math.inf if minutes is None else minutes * 60
        self.steps = steps
        self._before = spent
        self._start = time.monotonic()

    @property
    def spent(self) -> float:
        return self._before + time.monotonic() - self._start

    def used(self, step: int) -> float:
        """0 at the start, 1 when the time, or the number of steps, is used up."""
        spent = min(1.0, self.spent / self.seconds)
        if self.steps is None or spent == 1.0:
            return spent
        return min(1.0, step / self.steps)

    def rate(self, peak: float, step: int) -> float:
        """Learning rate, see :func:`rate_at`."""
        return rate_at(peak, step, self.used(step))


def rate_at(peak: float, step: int, progress: float, warmup: int = 50) -> float:
    """Linear warm-up in steps, then a cosine over the run (``progress`` 0 to 1) down to one hundredth."""
    return peak * min(1.0, (step + 1) / warmup) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


class Average(Generic[M]):
    """Exponential moving average of a module's weights and buffers (EMA); the averaged copy is what ships. A decay of 0
    copies the last ones."""

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


class Saves:
    """When a run is to be saved: every so many steps, and every few minutes where steps are slow."""

    SECONDS = 180

    def __init__(self, every: int):
        self._every = every
        self._last = time.monotonic()

    def due(self, step: int) -> bool:
        """After that step; True begins to count again."""
        due = step % self._every == 0 or time.monotonic() - self._last >= self.SECONDS
        if due:
            self._last = time.monotonic()
        return due


def save_checkpoint(path: Path, **state) -> None:
    """A run that is killed while saving leaves the older checkpoint whole.

    Raises:
        InputError: if it can't be written.
    """
    with replacing(path) as partial:
        try:
            torch.save(state, partial)
        except RuntimeError as error:  # torch's own writer says so of a full disk
            raise OSError(str(error).splitlines()[0]) from None


def load_checkpoint(path: Path) -> dict | None:
    """The state that :func:`save_checkpoint` wrote, or None where there is none.

    Raises:
        InputError: if the file is damaged, or something else.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # A damaged file fails in as many ways as it can be damaged
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{path} can't be read as a checkpoint ({reason}); move it away to do without it") from None
    if not isinstance(state, dict):
        raise InputError(f"{path} is no checkpoint of this project; move it away to do without it")
    return state


class Log:
    """One JSON object a line in ``log.jsonl``; on the screen, its plain values.

    Args:
        folder: where it lies.
        step: that the run goes on from; lines beyond it, of a run that was killed after its checkpoint, are taken out,
            and so is one that was cut off as it was written.
        board: see :func:`open_board`; numbers beside a ``step`` become curves in TensorBoard, too.
    """

    def __init__(self, folder: Path, step: int | None = None, board: "SummaryWriter | None" = None):
        self.path = folder / "log.jsonl"
        self.board = board
        if step is not None and self.path.exists():
            lines = self.path.read_text(errors="replace").splitlines()
            write_file(self.path, "".join(line + "\n" for line in lines if _logged_at(line) <= step))

    def __call__(self, **values) -> None:
        with self.path.open("a") as file:
            file.write(json.dumps(values) + "\n")
        plain = {k: round(v, 4) if isinstance(v, float) else v for k, v in values.items() if not isinstance(v, dict)}
        _log.info("  ".join(f"{k} {v}" for k, v in plain.items()))
        if self.board is not None and "step" in values:
            for name, value in values.items():
                if isinstance(value, float):
                    self.board.add_scalar(name, value, values["step"])


class Curve:
    """Which steps of a run are logged: the first, every so many, and the last.

    Args:
        log: where to.
        every: steps from one line to the next.
    """

    def __init__(self, log: Log, every: int):
        self._log, self._every = log, every
        self._last: dict | None = None

    def add(self, step: int, seconds: float, terms: Mapping[str, float]) -> None:
        """A step that was done, counted from 1, with the seconds since the start and its losses."""
        record = {"step": step, "seconds": seconds, **terms}
        due = step == 1 or step % self._every == 0
        if due:
            self._log(**record)
        self._last = None if due else record

    def end(self) -> None:
        """The run is over: log its last step, unless it was already."""
        if self._last is not None:
            self._log(**self._last)


def _logged_at(line: str) -> float:
    """The step of a line of the log: 0 where it has none, infinity where it is not whole."""
    try:
        return json.loads(line).get("step", 0)
    except ValueError:
        return math.inf


def open_board(folder: Path, step: int) -> "SummaryWriter":
    """TensorBoard's files in ``folder/tensorboard``; what they hold beyond ``step`` is not shown any more.

    Raises:
        InputError: if TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise InputError("TensorBoard is not installed: pip install tensorboard, or leave --tensorboard out") from None
    return SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)


def check_finite(step: int, terms: Mapping[str, Tensor | float]) -> None:
    """Stop the run with all loss terms in the message as soon as one of them is not finite.

    Raises:
        FloatingPointError: naming the step and every term.
    """
    values = {k: float(v.detach()) if isinstance(v, Tensor) else v for k, v in terms.items()}
    if not all(math.isfinite(v) for v in values.values()):
        raise FloatingPointError(f"loss is not finite at step {step}: {values}; try a lower --rate")


def total(terms: dict[str, Tensor]) -> Tensor:
    """The sum of all loss terms."""
    return torch.stack(list(terms.values())).sum()
