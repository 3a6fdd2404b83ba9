"""The network as PyTorch runs it, on a processor or a GPU: arrays in the frame become tensors here."""

import numpy as np
import torch
from torch import Tensor

from pise_core.model.adapter import Convention
from pise_core.model.generator import Carrying, Code, Framed, Painted, Parsed
from pise_core.model.image_generator import SourceCode
from pise_core.model.network import PISE, Carry


class TorchGenerator:
    """A :class:`pise_core.model.generator.Generator`.

    Args:
        model: the network.
        device: "cpu", "cuda" or "cuda:N".
    """

    def __init__(self, model: PISE, device: str = "cpu") -> None:
        self.model = model.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)
        self.device = device
        self.convention = Convention(model.config, device)

    @property
    def backend(self) -> str:
        return f"torch {self.device} float32"

    @torch.no_grad()
    def encode(self, source: Framed) -> Code:
        image = self.convention.image(source.image, source.parsing > 0)
        code = self.model.encode(image, self.convention.parsing(source.parsing))
        return Code(code.styles[0].cpu().numpy(), code)

    def style_row(self, region: int) -> int:
        return self.convention.style_row(region)

    @torch.no_grad()
    def parse(self, source: Framed, pose: np.ndarray, carried: tuple[np.ndarray, np.ndarray] | None) -> Parsed:
        told = self.convention
        logits = self.model.generate_parsing(
            told.parsing(source.parsing),
            told.pose(source.pose),
            told.pose(pose),
            None if carried is None else told.parsing(*carried),
        )
        return Parsed(told.probabilities(logits, source.parsing, pose), logits if told.soft else None)

    @torch.no_grad()
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
        known: SourceCode = code.kept
        own = told.pose(source.pose)
        made = self.model(
            told.image(source.image, source.parsing > 0),
            told.parsing(source.parsing),
            own,
            own if pose is None else told.pose(pose),
            told.wanted(wanted, None if parsed is None else parsed.kept),
            style_codes=torch.from_numpy(code.styles)[None].to(self.device),
            carry=path,
            source=known,
        )
        gate = told.picture(made.gate)[0, 0].cpu().numpy()
        return Painted(self._pixels(made.image), self._pixels(made.painted), gate)

    def _pixels(self, image: Tensor) -> np.ndarray:
        """(1, 3, H, W) in [-1, 1] -> (256, 176, 3) float32 in [0, 255]."""
        inside = self.convention.picture(image)[0]
        return (inside.permute(1, 2, 0).clamp(-1, 1).cpu().numpy() + 1) * 127.5
