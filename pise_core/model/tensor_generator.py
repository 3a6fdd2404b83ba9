"""What all backends share that take tensors: arrays in the frame are told to the network, and its answers told back."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from pise_core.model.adapter import Convention
from pise_core.model.config import PISEConfig
from pise_core.model.generator import Carrying, Code, Framed, Painted, Parsed
from pise_core.model.image_generator import SourceCode
from pise_core.model.network import Carry
from pise_core.model.one_thread import in_one_thread

T = TypeVar("T")


class Made(NamedTuple):
    """A picture as the network makes it, float32."""

    image: Tensor  # (1, 3, H, W) in [-1, 1], carried pixels blended in
    painted: Tensor  # (1, 3, H, W) in [-1, 1], before that blend
    gate: Tensor  # (1, 1, H, W) in [0, 1]


class TensorGenerator(ABC):
    """A :class:`pise_core.model.generator.Generator` but for the three passes, which a backend adds.

    Args:
        config: of the network.
        device: where its tensors lie.
    """

    def __init__(self, config: PISEConfig, device: str = "cpu") -> None:
        self.config, self.device = config, device
        self.convention = Convention(config, device)

    @property
    @abstractmethod
    def backend(self) -> str:
        """See :class:`pise_core.model.generator.Generator`."""

    @abstractmethod
    def _encode(self, image: Tensor, parsing: Tensor) -> SourceCode:
        """``PISE.encode``."""

    @abstractmethod
    def _parse(self, source: Tensor, own: Tensor, wanted: Tensor, carried: Tensor | None) -> Tensor:
        """``PISE.generate_parsing``."""

    @abstractmethod
    def _paint(
        self, source: tuple[Tensor, Tensor], code: SourceCode, pose: Tensor, wanted: Tensor, carry: Carry | None
    ) -> Made:
        """``PISE.forward`` on a given map.

        Args:
            source: image and one-hot map.
            code: from :meth:`_encode`, with the wanted styles.
            pose: heat maps, wanted.
            wanted: the map.
            carry: input of the detail path.
        """

    def logits(self, source: Tensor, own: Tensor, wanted: Tensor, carried: Tensor | None) -> Tensor:
        """:meth:`parse` in tensors of the device, which stay there: (1, 8, H, W), without gradients."""
        return self._passed(lambda: self._parse(source, own, wanted, carried))

    def made(
        self, source: tuple[Tensor, Tensor], code: Code, pose: Tensor, wanted: Tensor, carry: Carry | None
    ) -> Made:
        """:meth:`paint` in tensors of the device, which stay there, with the styles of ``code`` as they were encoded;
        without gradients. Arguments as for :meth:`_paint`."""
        return self._passed(lambda: self._paint(source, self._here(code.kept), pose, wanted, carry))

    def _passed(self, work: Callable[[], T]) -> T:
        """On a processor passes are made in one thread; elsewhere each in the stream that its caller works in."""
        if torch.device(self.device).type == "cpu":
            return in_one_thread(work)()
        with torch.no_grad():
            return work()

    def _here(self, code: SourceCode) -> SourceCode:
        """What was encoded, on this device: it may come from one that had no memory left for more."""
        values, keys = (None if tensor is None else tensor.to(self.device) for tensor in (code.values, code.keys))
        return SourceCode(code.styles.to(self.device), values, keys)

    @in_one_thread
    def encode(self, source: Framed) -> Code:
        image = self.convention.image(source.image, source.parsing > 0)
        code = self._encode(image, self.convention.parsing(source.parsing))
        return Code(code.styles[0].float().cpu().numpy(), code)

    def style_row(self, region: int) -> int:
        return self.convention.style_row(region)

    @in_one_thread
    def parse(self, source: Framed, pose: np.ndarray, carried: tuple[np.ndarray, np.ndarray] | None) -> Parsed:
        told = self.convention
        logits = self._parse(
            told.parsing(source.parsing),
            told.pose(source.pose),
            told.pose(pose),
            None if carried is None else told.parsing(*carried),
        )
        return Parsed(told.probabilities(logits, source.parsing, pose), logits if told.soft else None)

    @in_one_thread
    def paint(
        self,
        source: Framed,
        code: Code,
        wanted: np.ndarray,
        pose: np.ndarray | None,
        parsed: Parsed | None,
        carried: Carrying | None,
    ) -> Painted:
        told, path = self.convention, None
        if carried is not None:
            held = ((carried.colours / 127.5 - 1) * (carried.trust > 0)[..., None]).transpose(2, 0, 1)
            path = Carry(told.plane(held), told.plane(carried.trust[None]), told.parsing(wanted))
        known = self._here(code.kept)
        styles = torch.from_numpy(code.styles)[None].to(self.device, known.styles.dtype)
        logits = None if parsed is None or parsed.kept is None else parsed.kept.to(self.device)
        made = self._paint(
            (told.image(source.image, source.parsing > 0), told.parsing(source.parsing)),
            known._replace(styles=styles),
            told.pose(source.pose if pose is None else pose),
            told.wanted(wanted, logits),
            path,
        )
        gate = told.picture(made.gate)[0, 0].cpu().numpy()
        return Painted(self._pixels(made.image), self._pixels(made.painted), gate)

    def _pixels(self, image: Tensor) -> np.ndarray:
        """(1, 3, H, W) in [-1, 1] -> (256, 176, 3) float32 in [0, 255]."""
        inside = self.convention.picture(image)[0]
        return (inside.permute(1, 2, 0).clamp(-1, 1).cpu().numpy() + 1) * 127.5
