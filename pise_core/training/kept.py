"""Numbered weights of a run and its best, and which of them stay."""

import json
from collections.abc import Callable
from pathlib import Path

from pise_core.files import write_json

#: So many of the newest stay, beside the best.
NEWEST = 3


class Kept:
    """Weights in ``kept/step-NNNNNN.safetensors`` of a run's folder, one for each validation.

    The rule: the newest three stay, and the best, which is the one of the lowest validation loss, the earlier of two
    equal ones. ``kept/index.json`` says which is the best, and the loss of all there ever were.

    Args:
        folder: the run's.
        step: that the run goes on from; what was kept beyond is forgotten.
    """

    def __init__(self, folder: Path, step: int = 0):
        self._folder = folder / "kept"
        self._index = self._folder / "index.json"
        self.losses: dict[int, float] = {}
        if self._index.exists():
            found = json.loads(self._index.read_text(encoding="utf-8"))["losses"]
            self.losses = {int(number): loss for number, loss in found.items() if int(number) <= step}

    @property
    def best(self) -> int | None:
        """The step of the lowest loss."""
        return min(self.losses, key=lambda step: (self.losses[step], step), default=None)

    def path(self, step: int) -> Path:
        return self._folder / f"step-{step:06d}.safetensors"

    def add(self, step: int, loss: float, save: Callable[[Path], None]) -> None:
        """Write the weights of a step, by ``save``, and remove what the rule lets go."""
        self._folder.mkdir(parents=True, exist_ok=True)
        save(self.path(step))
        self.losses[step] = loss
        write_json(self._index, {"best": self.best, "losses": {str(n): self.losses[n] for n in sorted(self.losses)}})
        staying = {*sorted(self.losses)[-NEWEST:], self.best}
        for path in self._folder.glob("step-*.safetensors"):
            if path not in {self.path(number) for number in staying if number is not None}:
                path.unlink()
