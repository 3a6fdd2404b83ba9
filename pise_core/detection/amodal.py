"""What of a person lies behind their arms, behind what they hold and behind their head (amodal completion).

A small network that was shown rendered people whose layers are known. It sees shapes alone, no colours: the map of
regions, as found or painted, which of it is an arm, what is held, and the joints.
"""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from pise_core.detection import small_networks
from pise_core.detection.blocks import Residual, conv, enlarged
from pise_core.detection.small_networks import at_work, channels_of
from pise_core.framing import FRAME_SIZE
from pise_core.model.weights import SHIPPED
from pise_core.pose import heatmaps
from pise_core.regions import REGION_COUNT, one_hot
from pise_core.skeleton import JOINT_COUNT

FILE_NAME = "amodal.safetensors"
#: Frame pixels per cell of the network's maps.
STRIDE = 2
#: Maps of regions, left and right arm, what is held, joints.
INPUTS = REGION_COUNT + 3 + JOINT_COUNT
#: What is taken away for each of the answers.
WITHOUT = ("arms", "arms_and_head")


@dataclass(frozen=True)
class AmodalConfig:
    """Channels at strides 2, 4, 8, 16 and 32."""

    channels: tuple[int, ...] = (12, 32, 64, 96, 112)

    def to_dict(self) -> dict:
        """As written into weights."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "AmodalConfig":
        """
        Raises:
            ValueError: if the values are none of such a network.
        """
        return cls(channels_of(values, len(cls.channels)))


class Logits(NamedTuple):
    """What the network says.

    Attributes:
        without: (N, 2, 8, 128, 88), the person's regions without what ``WITHOUT`` names.
        arms: (N, 3, 128, 88): no arm, the left arm with its sleeve, or the right one.
    """

    without: Tensor
    arms: Tensor


class AmodalNetwork(nn.Module):
    """(N, INPUTS, 128, 88) -> ``Logits``."""

    def __init__(self, config: AmodalConfig | None = None):
        super().__init__()
        self.config = config or AmodalConfig()
        fine, quarter, eighth, sixteenth, deep = self.config.channels
        self.fine = conv(INPUTS, fine)
        self.quarter = nn.Sequential(conv(fine, quarter, stride=2), conv(quarter, quarter))
        self.eighth = nn.Sequential(conv(quarter, eighth, stride=2), Residual(eighth))
        self.sixteenth = nn.Sequential(conv(eighth, sixteenth, stride=2), Residual(sixteenth))
        self.deep = nn.Sequential(conv(sixteenth, deep, stride=2), Residual(deep), Residual(deep))
        self.up_sixteenth = conv(sixteenth + deep, sixteenth)
        self.up_eighth = conv(eighth + sixteenth, eighth)
        self.up_quarter = conv(quarter + eighth, quarter)
        self.up_fine = conv(fine + quarter, 24)
        self.out = nn.Conv2d(24, len(WITHOUT) * REGION_COUNT + 3, 1)

    def forward(self, x: Tensor) -> Logits:
        fine = self.fine(x)
        quarter = self.quarter(fine)
        eighth = self.eighth(quarter)
        sixteenth = self.sixteenth(eighth)
        x = self.deep(sixteenth)
        x = self.up_sixteenth(torch.cat([sixteenth, enlarged(x, sixteenth)], 1))
        x = self.up_eighth(torch.cat([eighth, enlarged(x, eighth)], 1))
        x = self.up_quarter(torch.cat([quarter, enlarged(x, quarter)], 1))
        x = self.up_fine(torch.cat([fine, enlarged(x, fine)], 1))
        without, arms = self.out(x).split([len(WITHOUT) * REGION_COUNT, 3], 1)
        return Logits(without.unflatten(1, (len(WITHOUT), REGION_COUNT)), arms)


def seen(parsing: np.ndarray, arms: np.ndarray, held: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """What the network is shown: (INPUTS, 128, 88) float32 in [0, 1].

    Args:
        parsing: (256, 176) uint8, the regions in the frame.
        arms: (256, 176) uint8, 1 where the left arm is, 2 where the right one is.
        held: (256, 176) bool, what is held.
        pose: (18, 3) in pixels of the frame.
    """
    height, width = FRAME_SIZE
    maps = [*one_hot(parsing), *((arms == side).astype(np.float32) for side in (1, 2)), held.astype(np.float32)]
    size = width // STRIDE, height // STRIDE
    small = [cv2.resize(one, size, interpolation=cv2.INTER_AREA) for one in maps]
    return np.concatenate([np.stack(small), heatmaps(pose, FRAME_SIZE, stride=STRIDE)])


class Amodal:
    """The network at work, on the processor: it is small.

    Args:
        network: whose norms are folded into its layers.
    """

    def __init__(self, network: AmodalNetwork):
        self._network = at_work(network)

    @classmethod
    def read(cls, path: Path) -> "Amodal":
        """The weights of a file.

        Raises:
            InputError: if it is missing, damaged or holds another network.
        """
        return cls(small_networks.read(path, AmodalNetwork, AmodalConfig))

    @torch.inference_mode()
    def __call__(self, parsing: np.ndarray, arms: np.ndarray, held: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """(2, 8, 128, 88) float32: the probabilities of the regions without what ``WITHOUT`` names; arguments as of
        :func:`seen`."""
        x = torch.from_numpy(seen(parsing, arms, held, pose)[None])
        return self._network(x.to(memory_format=torch.channels_last)).without[0].softmax(1).numpy()


@cache
def shipped() -> Amodal:
    """The weights that ship, read when they are first asked for."""
    return Amodal.read(SHIPPED / FILE_NAME)
