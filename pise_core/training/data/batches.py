"""Pairs become tensors, with the detail path's input made as the editor makes it."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from pise_core.framing import FRAME_SIZE
from pise_core.inpainting.mirror import continue_regions
from pise_core.model.adapter import Convention
from pise_core.model.config import SHIPPED_CONFIG, PISEConfig
from pise_core.model.network import Carry
from pise_core.regions import cut_out
from pise_core.rendering.pipeline import REACH
from pise_core.training.data.articulation import Pair

#: Share of the batches without the detail path, and of the pairs that miss one carried region: the edit must be whole
#: without them.
SILENT, DROPPED = 0.25, 0.35


@dataclass(frozen=True)
class Batch:
    """Tensors of a few pairs; layouts as in ``pise_core.model.network``."""

    source_image: Tensor
    source_parsing: Tensor
    source_pose: Tensor
    target_image: Tensor
    target_parsing: Tensor
    target_pose: Tensor
    carry: Carry | None

    @property
    def carried_parsing(self) -> Tensor | None:
        """(N, 8, H, W), or None where the detail path is silent."""
        return None if self.carry is None else self.carry.parsing

    @property
    def person(self) -> Tensor:
        """(N, 1, H, W), 1 on the target's person."""
        return 1 - self.target_parsing[:, :1]

    def to(self, device: str | torch.device) -> "Batch":
        """The same on a device, channels last."""

        def move(t: Tensor) -> Tensor:
            return t.to(device, memory_format=torch.channels_last)

        tensors = {k: move(v) for k, v in vars(self).items() if isinstance(v, Tensor)}
        carry = Carry(*map(move, self.carry)) if self.carry else None
        return replace(self, carry=carry, **tensors)


def collate(
    pairs: list[Pair],
    drop: np.ndarray | None = None,
    detail: bool = True,
    wanted: list[np.ndarray] | None = None,
    config: PISEConfig = SHIPPED_CONFIG,
    surroundings: bool = True,
    whole: bool = False,
    order: str = "studio",
) -> Batch:
    """Pairs -> tensors, as networks of this configuration want them (see ``conventions``).

    Carried pixels count where their label is the wanted one, and continue a little way into gaps of their region, as
    ``pise_core.rendering.pipeline`` has it: what the network learns from must not be better than what it is given
    later.

    Args:
        pairs: N of them, of one size.
        drop: (N,), a region whose carried pixels are withheld from that pair, or -1.
        detail: False leaves the detail path silent.
        wanted: (H, W) uint8 maps to hold the carried labels against; by default the targets' own.
        config: of the network.
        surroundings: the target image keeps what is about the person; otherwise that is the network's ground.
        whole: the source image keeps it too, as in the authors' release.
        order: of the regions in the pairs' maps, see ``Convention``.
    """
    drop = np.full(len(pairs), -1) if drop is None else drop
    maps = [pair.target.parsing for pair in pairs] if wanted is None else wanted
    stacks: dict[str, list[Tensor]] = {k: [] for k in ("si", "sp", "sh", "ti", "tp", "th", "ci", "ct", "cp")}
    for pair, dropped, asked in zip(pairs, drop, maps, strict=True):
        source, target, carried = pair.source, pair.target, pair.carried
        height, width = source.parsing.shape
        told = Convention(config, frame=(height, width), order=order)
        stacks["si"].append(told.image(source.image, (source.parsing > 0) | whole))
        stacks["sp"].append(told.parsing(source.parsing))
        stacks["sh"].append(told.pose(source.pose))
        stacks["ti"].append(told.image(target.image, (target.parsing > 0) | surroundings))
        stacks["tp"].append(told.parsing(target.parsing))
        stacks["th"].append(told.pose(target.pose))
        if detail:
            fits = (carried.parsing == asked) & (carried.parsing != dropped)
            trust = np.where(fits, carried.trust, 0).astype(np.float32)
            image, trust = continue_regions(
                carried.image, trust, np.where(asked == dropped, 0, asked), REACH * (height / FRAME_SIZE[0])
            )
            stacks["ci"].append(told.plane(cut_out(image, trust > 0)))
            stacks["ct"].append(told.plane(trust[None]))
            stacks["cp"].append(told.parsing(carried.parsing, carried.known(source.parsing)))
    t = {k: torch.cat(v) for k, v in stacks.items() if v}
    carry = Carry(t["ci"], t["ct"], t["cp"]) if detail else None
    return Batch(t["si"], t["sp"], t["sh"], t["ti"], t["tp"], t["th"], carry)
