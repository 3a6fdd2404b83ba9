"""How a photo is told to a network, and its answer told back.

Everywhere else there is one frame of 256x176, the person on neutral grey, and one order of the eight regions. The
authors' release was trained on squares of 256x256 with white columns left and right, on labels in another order, and
with joints in columns of their own. Which of these weights want is part of their configuration; ``Convention`` is all
that knows about it.
"""

import numpy as np
import torch
from torch import Tensor

from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE
from pise_core.model.config import PISEConfig
from pise_core.pose import heat_lines
from pise_core.regions import PALETTE, REGION, REGION_COUNT, REGIONS, TABLE, cut_out
from pise_core.skeleton import JOINT

#: Our region -> index in the maps that the weights were trained on. The authors gave two orders; neither
#: tells everything apart that ours does.
_ORDERS = {
    "studio": dict(REGION),
    "pgn": {row.name: row.pgn for row in TABLE},
    "spl8": {row.name: row.spl8 for row in TABLE},
}
#: What the network may answer, though we never say it: shoes in the one order, hats in the other.
_ONLY_THEIRS = {"pgn": {4: "leg"}, "spl8": {1: "hair"}}


class Convention:
    """Arrays in the frame -> tensors (1, C, H, W) as the weights want them, and back.

    Tensors are laid out channels last, as the networks' layers pass them on: no layer has to copy its input first.

    Args:
        config: of the weights.
        device: where the tensors go.
        frame: (H, W) of the arrays; training begins on smaller ones.
        order: of the regions in the maps that are given, a name of ``config.LABELS``. Other than our own it must be
            that of the weights, and what is called ours below is then theirs.

    Attributes:
        soft: whether the weights were trained on soft maps: their own values are wanted back when they paint.

    Raises:
        InputError: if maps of that order can't be told to these weights.
    """

    def __init__(
        self,
        config: PISEConfig,
        device: str = "cpu",
        frame: tuple[int, int] = FRAME_SIZE,
        order: str = "studio",
    ):
        if order not in ("studio", config.labels):
            raise InputError(
                f"maps in the order {order!r} do not tell apart what weights of the order {config.labels!r} do; "
                f"prepare the data with a table of that order, such as cihp-{config.labels}"
            )
        self.device = device
        self.frame = frame
        self.soft, self._stretched = config.soft_parsing, config.pose_columns == "stretched"
        same = self._same = order == config.labels
        index = list(range(REGION_COUNT)) if same else [_ORDERS[config.labels][name] for name in REGIONS]
        self._index = np.array(index, np.uint8)
        #: Our region -> its class, one-hot; the last row is of what nobody knows.
        self._one_hot = np.zeros((REGION_COUNT + 1, REGION_COUNT), np.float32)
        self._one_hot[range(REGION_COUNT), index] = 1
        #: (theirs, ours): which of their classes may stand for which of our regions.
        self._stands_for = np.zeros((REGION_COUNT, REGION_COUNT), np.float32)
        self._stands_for[index, range(REGION_COUNT)] = 1
        for only, name in ({} if same else _ONLY_THEIRS.get(config.labels, {})).items():
            self._stands_for[only, REGION[name]] = 1
        square = config.canvas == "square"
        self._margin = (frame[0] - frame[1]) // 2 if square else 0
        self._ground = 1.0 if square else 0.0

    def image(self, image: np.ndarray, inside: np.ndarray) -> Tensor:
        """(H, W, 3) uint8, on the network's ground where ``inside`` (H, W) is False -> (1, 3, H, W) in [-1, 1]."""
        pixels = cut_out(image, inside)
        if not self._margin:
            return self._channels_last(pixels)
        return self._tensor(pixels + self._ground * ~inside, self._ground)

    def parsing(self, labels: np.ndarray, known: np.ndarray | bool = True) -> Tensor:
        """(H, W) indices -> (1, 8, H, W), one-hot where ``known`` and all zero elsewhere."""
        rows = labels if known is True else np.where(known, labels, np.uint8(REGION_COUNT))
        return self._tensor(np.take(self._one_hot, rows, 0).transpose(2, 0, 1), self._one_hot[0, :, None, None])

    def plane(self, values: np.ndarray) -> Tensor:
        """(C, H, W) as it is, 0 beyond the frame: what is carried."""
        return self._tensor(values)

    def pose(self, pose: np.ndarray) -> Tensor:
        """(18, 3) in pixels of the frame -> (1, 18, H, W) heat maps."""
        height, width = self.frame
        sigma = 6 * (height / FRAME_SIZE[0])
        if not self._margin:
            return self._heatmaps(pose, self.frame, sigma)
        # Whole pixels, as in the files that the release was trained on.
        placed = np.floor(pose)
        placed[:, 0] += self._margin
        if self._stretched:
            # The release took columns of the square for columns of the frame, and widened them to a square once more.
            # By as much on smaller frames, which are a little wider for their height.
            placed[:, 0] = np.trunc(placed[:, 0] / FRAME_SIZE[1] * FRAME_SIZE[0])
        placed[:, :2] += 0.5
        return self._heatmaps(placed, (height, width + 2 * self._margin), sigma)

    def wanted(self, labels: np.ndarray, logits: Tensor | None) -> Tensor:
        """The map to generate on, (1, 8, H, W): one-hot of ``labels`` (H, W).

        Where weights were trained on soft maps, the parsing generator's own values (from its ``logits``) stay at all
        places where ``labels`` agrees with it.
        """
        wanted = self.parsing(labels)
        if logits is None or not self.soft:
            return wanted
        theirs = self.picture(logits).argmax(1)[0].cpu().numpy()
        agreed = self._tensor(self._stands_for[theirs, labels][None], 1.0)
        return torch.where(agreed > 0, (torch.tanh(logits) + 1) / 2, wanted)

    def probabilities(self, logits: Tensor, source: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """What the parsing generator says, in our regions.

        Args:
            logits: (1, 8, H, W).
            source: (H, W) indices, the person's own map: tells dresses from trousers where the weights don't.
            pose: (18, 3) wanted, in pixels of the frame: tells arms from legs where the weights don't.

        Returns:
            (8, H, W) float32 in the frame, that sums to 1 at every place.
        """
        values = logits.softmax(1)
        if self.soft:
            values = torch.tanh(logits) + 1
            values = values / values.sum(1, keepdim=True).clamp(min=1e-6)
        ours = self.picture(values)[0].cpu().numpy()
        if not self._same:
            ours = np.einsum("chw,cr->rhw", ours, self._stands_for)
        dress, pants, skin, leg = (REGION[name] for name in ("dress", "pants", "upper_skin", "leg"))
        if self._index[dress] == self._index[pants]:
            ours[pants if (source == dress).sum() > (source == pants).sum() else dress] = 0
        if self._index[skin] == self._index[leg]:
            hips = pose[[JOINT["right_hip"], JOINT["left_hip"]], 1]
            height = self.frame[0]
            level = int(np.clip(np.nanmean(hips), 0, height)) if np.isfinite(hips).any() else height // 2
            ours[skin, level:] = 0
            ours[leg, :level] = 0
        return ours

    @property
    def own(self) -> bool:
        """Whether frames, maps and joints are told as they are everywhere else: no order, margin or softness comes in
        between."""
        return not self._margin and not self.soft and self._index.tolist() == list(range(REGION_COUNT))

    @property
    def palette(self) -> np.ndarray:
        """(8, 3) uint8 RGB: what maps of the network are painted with, each class as the first of our regions that it
        may stand for."""
        return PALETTE[self._stands_for.argmax(1)]

    def style_row(self, region: int) -> int:
        """Which style code a region of ours has."""
        return int(self._index[region])

    def picture(self, tensor: Tensor) -> Tensor:
        """(N, C, H, W) of the network -> the frame's part of it, (N, C, H, W)."""
        return tensor[..., self._margin : tensor.shape[3] - self._margin]

    def _heatmaps(self, pose: np.ndarray, size: tuple[int, int], sigma: float) -> Tensor:
        """:func:`pise_core.pose.heatmaps`, made in the layout that the networks take."""
        down, across = (torch.from_numpy(np.ascontiguousarray(line.T)) for line in heat_lines(pose, size, sigma))
        maps = (down[:, None] * across[None]).float()
        return maps[None].permute(0, 3, 1, 2).to(self.device)

    def _tensor(self, values: np.ndarray, beyond: float | np.ndarray = 0.0) -> Tensor:
        """(C, H, W) of the frame -> (1, C, H, W), with ``beyond`` left and right of it."""
        height, width = self.frame
        if self._margin:
            canvas = np.empty((len(values), height, width + 2 * self._margin), np.float32)
            canvas[:] = beyond
            canvas[..., self._margin : self._margin + width] = values
            values = canvas
        return self._channels_last(values)

    def _channels_last(self, values: np.ndarray) -> Tensor:
        """(C, H, W) -> (1, C, H, W) float32, on the device."""
        pixels = np.ascontiguousarray(values.transpose(1, 2, 0), np.float32)
        return torch.from_numpy(pixels)[None].permute(0, 3, 1, 2).to(self.device)
