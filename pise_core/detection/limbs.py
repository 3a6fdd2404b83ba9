"""Each limb in its own frame: where its elbow and wrist are, or its knee and ankle.

A small network sees one limb at a time, cut out of the photo with the shoulder or the hip in one place and the upper
arm or the thigh pointing down, left ones mirrored: a raised arm looks like a hanging one. Arms have a network of their
own, and so have legs.
"""

from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from pise_core.detection import small_networks
from pise_core.detection.blocks import Residual, conv, enlarged
from pise_core.detection.small_networks import at_work, channels_of
from pise_core.label_warps import warp_labels
from pise_core.model.weights import SHIPPED
from pise_core.pose import heatmaps, visible
from pise_core.regions import REGION_COUNT
from pise_core.skeleton import ARMS, HIPS, LEGS, MIRROR, NECK, NOSE, SHOULDERS


class Kind(NamedTuple):
    """Arms or legs.

    Attributes:
        name: ``arms`` or ``legs``; the weights are in a file of that name.
        limbs: (shoulder, elbow, wrist) or (hip, knee, ankle), right and left.
        others: what hangs on the other end of the torso, right and left: hips, or shoulders.
        torso: pixels of a limb's frame for a length of the torso (neck to hips).
        root: where in the frame the shoulder or the hip lies, x and y.
        turns: how the frame is turned, in radians, where a limb is looked for of which nothing is known: first along
            the torso. A leg is hardly ever up, but often out.
        surely: elbow and wrist, or knee and ankle, count where the product of their probabilities is above this,
        rather: and so many times that of where they had been found.
        rounds: how often limbs are looked for, at most, as long as one is found elsewhere: where both legs were taken
            for one, that tells where the other is not.
    """

    name: str
    limbs: tuple[tuple[int, int, int], ...]
    others: tuple[int, int]
    torso: float
    root: tuple[float, float]
    turns: tuple[float, float]
    surely: float
    rather: float
    rounds: int

    @property
    def file_name(self) -> str:
        """Of the weights."""
        return f"{self.name}.safetensors"

    @property
    def shown(self) -> tuple[int, ...]:
        """The ten joints that are shown, of a right limb: its own come first."""
        right, left = self.limbs
        return *right, NECK, NOSE, *left, *self.others


ARMS_KIND = Kind("arms", ARMS, HIPS, 66.0, (56.0, 34.0), (0.0, np.pi), 0.2, 2.0, 1)
LEGS_KIND = Kind("legs", LEGS, SHOULDERS, 50.0, (56.0, 28.0), (0.0, -1.2), 0.3, 4.0, 2)
#: (H, W) of a limb's frame; maps are seen, and parts said, at ``STRIDE``, joints at ``COARSE``.
SIZE = (128, 112)
STRIDE, COARSE = 2, 4
#: Of a joint's spot, in pixels of the frame.
_SIGMA = 4.0
#: Regions, joints, distances to both bones.
MAPS = REGION_COUNT + len(ARMS_KIND.shown) + 2
#: What a pixel is: not this limb's, its upper half's, its lower half's with hand or foot.
PARTS = 3
#: What lies beyond the photo, and a region that is not known.
_GREY, UNKNOWN = 127, 255
#: Torso lengths for a width of the shoulders, and for the length of an upper arm and a forearm.
_ACROSS, _UPPER, _LOWER = 1.35, 1.5, 1.8
#: In torsos: joints that are nearer to each other are the same.
_SAME = 0.25


@dataclass(frozen=True)
class LimbConfig:
    """Channels of colours at stride 2, and of the features at strides 2, 4, 8 and 16."""

    channels: tuple[int, ...] = (16, 32, 48, 72, 112)

    def to_dict(self) -> dict:
        """As written into weights."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "LimbConfig":
        """
        Raises:
            ValueError: if the values are none of such a network.
        """
        return cls(channels_of(values, len(cls.channels)))


class Logits(NamedTuple):
    """What the network says.

    Attributes:
        joints: (N, 2, 1 + 32 * 28), elbow and wrist, or knee and ankle: beyond the frame, or in which of its cells.
        parts: (N, 3, 64, 56), see ``PARTS``: a second task, from which the features of both are learned, and nothing
            else; None where nobody asked.
    """

    joints: Tensor
    parts: Tensor | None


class LimbNetwork(nn.Module):
    """(N, 3, 128, 112) colours in [-1, 1] and (N, MAPS, 64, 56) maps -> ``Logits``. Of arms or of legs."""

    kind: ClassVar[Kind]

    def __init__(self, config: LimbConfig | None = None):
        super().__init__()
        self.config = config or LimbConfig()
        colours, fine, quarter, eighth, deep = self.config.channels
        self.colours = conv(3, colours, 5, stride=2)
        self.fine = conv(colours + MAPS, fine)
        self.quarter = nn.Sequential(conv(fine, quarter, stride=2), Residual(quarter))
        self.eighth = nn.Sequential(conv(quarter, eighth, stride=2), Residual(eighth))
        self.deep = nn.Sequential(conv(eighth, deep, stride=2), Residual(deep), Residual(deep, dilation=2))
        self.up_eighth = conv(eighth + deep, eighth)
        self.up_quarter = nn.Sequential(conv(quarter + eighth, quarter), Residual(quarter))
        self.joints = nn.Conv2d(quarter, 2, 1)
        self.beyond = nn.Linear(deep, 2)
        self.up_fine = conv(fine + quarter, fine)
        self.parts = nn.Conv2d(fine, PARTS, 3, padding=1)

    def forward(self, colours: Tensor, maps: Tensor, parts: bool = True) -> Logits:
        fine = self.fine(torch.cat([self.colours(colours), maps], 1))
        quarter = self.quarter(fine)
        eighth = self.eighth(quarter)
        deep = self.deep(eighth)
        x = self.up_eighth(torch.cat([eighth, enlarged(deep, eighth)], 1))
        x = self.up_quarter(torch.cat([quarter, enlarged(x, quarter)], 1))
        joints = torch.cat([self.beyond(deep.mean((2, 3)))[..., None], self.joints(x).flatten(2)], 2)
        if not parts:
            return Logits(joints, None)
        return Logits(joints, self.parts(self.up_fine(torch.cat([fine, enlarged(x, fine)], 1))))


class ArmsNetwork(LimbNetwork):
    """Says where elbow and wrist are."""

    kind = ARMS_KIND


class LegsNetwork(LimbNetwork):
    """Says where knee and ankle are."""

    kind = LEGS_KIND


NETWORKS: tuple[type[LimbNetwork], ...] = (ArmsNetwork, LegsNetwork)


class Place(NamedTuple):
    """Where a limb's frame lies in a picture.

    Attributes:
        kind: of limb.
        side: 0 for the right one, 1 for the left one.
        matrix: (2, 3), which takes (x, y) of the picture to (x, y) of the frame, pixel centres at +0.5 in both.
        scale: pixels of the frame for a pixel of the picture.
    """

    kind: Kind

    side: int
    matrix: np.ndarray
    scale: float

    def pose(self, pose: np.ndarray) -> np.ndarray:
        """A pose (18, 3) of the picture in the frame, mirrored for left limbs so that the limb is the right one."""
        moved = pose.copy()
        moved[:, :2] = pose[:, :2] @ self.matrix[:, :2].T + self.matrix[:, 2]
        return moved[list(MIRROR)] if self.side else moved

    def back(self, points: np.ndarray) -> np.ndarray:
        """(N, 2) places of the frame in the picture."""
        return (points - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T


def place_of(kind: Kind, pose: np.ndarray, side: int, turned: float = 0.0, larger: float = 1.0) -> Place | None:
    """Where a limb's frame lies; None where nothing is known of the shoulder or the hip, or the body's size.

    Args:
        kind: of limb.
        pose: (18, 3) in pixels of the picture.
        side: 0 for the right limb, 1 for the left one.
        turned: in radians, by which the limb appears turned.
        larger: by which it appears larger than usual.
    """
    joint, middle, _ = kind.limbs[side]
    there = visible(pose)
    unit = body_unit(pose)
    if not there[joint] or unit < 1:
        return None
    root = pose[joint, :2].astype(np.float64)
    if there[middle] and np.hypot(*(pose[middle, :2] - root)) > 0.1 * unit:
        down = pose[middle, :2] - root
    else:
        down = along_torso(pose)
    scale = larger * kind.torso / unit
    flip = np.diag([-1.0 if side else 1.0, 1.0])
    x, y = flip @ down
    angle = np.arctan2(x, y) + turned  # turns (x, y) to point down
    c, s = np.cos(angle), np.sin(angle)
    linear = scale * np.array([[c, -s], [s, c]]) @ flip
    return Place(kind, side, np.c_[linear, np.array(kind.root) - linear @ root], scale)


def along_torso(pose: np.ndarray) -> np.ndarray:
    """(2,) from the neck to the middle of the hips, in pixels; straight down where that is not known."""
    there = visible(pose)
    hips = [pose[hip, :2] for hip in HIPS if there[hip]]
    return np.mean(hips, 0) - pose[NECK, :2] if hips and there[NECK] else np.array([0.0, 1.0])


def body_unit(pose: np.ndarray) -> float:
    """What limbs are measured by: from the neck to the hips in pixels, as far as that can be told, also of bodies that
    are seen foreshortened; 0 where nothing is known."""
    there = visible(pose)

    def apart(a: int, b: int) -> float:
        return float(np.hypot(*(pose[a, :2] - pose[b, :2]))) if there[a] and there[b] else 0.0

    sizes = [apart(NECK, hip) for hip in HIPS]
    sizes.append(_ACROSS * apart(*SHOULDERS))
    if max(sizes) == 0:
        sizes += [max(_UPPER * apart(a, b), _LOWER * apart(b, c)) for a, b, c in ARMS]
        sizes.append(1.5 * apart(NECK, NOSE))
    return max(sizes)


def colours_in(image: np.ndarray, place: Place) -> np.ndarray:
    """(128, 112, 3) uint8: a limb's frame of a picture (H, W, 3) uint8, grey beyond it."""
    matrix, shrink = place.matrix.copy(), 1
    if place.scale < 0.75:
        corners = place.back(np.array([[0, 0], [SIZE[1], 0], [0, SIZE[0]], SIZE[::-1]], np.float64))
        reach = 2 / place.scale + 2
        limit = np.array(image.shape[1::-1])
        low = np.clip(np.floor(corners.min(0) - reach), 0, limit - 1).astype(int)
        high = np.clip(np.ceil(corners.max(0) + reach), low + 1, limit).astype(int)
        image = image[low[1] : high[1], low[0] : high[0]]
        matrix[:, 2] += matrix[:, :2] @ low
        # Means over whole pixels, for wide Gaussians are slow; the rest of what must not alias is smoothed away.
        shrink = max(1, int(0.5 / place.scale))
        if shrink > 1:
            size = [max(1, round(side / shrink)) for side in image.shape[1::-1]]
            ratio = np.array(image.shape[1::-1]) / size
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            matrix[:, :2] *= ratio
        scale = place.scale * shrink
        if scale < 0.75:
            image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale, borderType=cv2.BORDER_REPLICATE)
    # Pixel centres lie at +0.5 here and at whole numbers in OpenCV.
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(image, matrix, SIZE[::-1], borderMode=cv2.BORDER_CONSTANT, borderValue=(_GREY,) * 3)


def labels_in(labels: np.ndarray, place: Place, stride: int = 1, border: int = 0) -> np.ndarray:
    """(128 / stride, 112 / stride): a limb's frame of a map (H, W) of labels, ``border`` beyond it."""
    return warp_labels(labels, place.matrix / stride, (SIZE[1] // stride, SIZE[0] // stride), border)


def seen(kind: Kind, colours: np.ndarray, regions: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the network is shown: (3, 128, 112) float32 in [-1, 1] and (MAPS, 64, 56) float32 in [0, 1].

    Args:
        kind: of limb.
        colours: (128, 112, 3) uint8.
        regions: (64, 56) uint8, ``UNKNOWN`` where nobody knows.
        pose: (18, 3) in the frame, of which the right limb is meant.
    """
    one_hot = (regions[None] == np.arange(REGION_COUNT, dtype=np.uint8)[:, None, None]).astype(np.float32)
    spots = heatmaps(pose[list(kind.shown)], SIZE, _SIGMA, STRIDE)
    maps = np.concatenate([one_hot, spots, _far_from_bones(kind, pose)])
    return np.ascontiguousarray(colours.transpose(2, 0, 1), np.float32) / 127.5 - 1, maps


def _far_from_bones(kind: Kind, pose: np.ndarray) -> np.ndarray:
    """(2, 64, 56) float32: how far from the upper and the lower bone, in half torsos, at most 1."""
    height, width = SIZE[0] // STRIDE, SIZE[1] // STRIDE
    out = np.ones((2, height, width), np.float32)
    there = visible(pose)
    x = ((np.arange(width, dtype=np.float32) + 0.5) * STRIDE)[None]
    y = ((np.arange(height, dtype=np.float32) + 0.5) * STRIDE)[:, None]
    root, middle, end = kind.limbs[0]
    for row, (a, b) in enumerate(((root, middle), (middle, end))):
        if there[a] and there[b]:
            (ax, ay), (dx, dy) = pose[a, :2], pose[b, :2] - pose[a, :2]
            along = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy + 1e-6), 0, 1)
            out[row] = np.minimum(np.hypot(x - ax - along * dx, y - ay - along * dy) / (kind.torso / 2), 1)
    return out


class Limb(NamedTuple):
    """What is said of a limb.

    Attributes:
        place: of its frame.
        joints: (2, 3), elbow and wrist, or knee and ankle, in pixels of the picture, with how likely they are
            thereabouts, in [0, 1].
        cells: (2, 32, 28) float32, the probability of each cell of the frame.
    """

    place: Place
    joints: np.ndarray
    cells: np.ndarray


class Limbs:
    """A network at work, on the processor: it is small.

    Args:
        network: whose norms are folded into its layers.

    Attributes:
        kind: of limb that it looks at.
    """

    def __init__(self, network: LimbNetwork):
        self.kind, self._network = network.kind, at_work(network)

    @classmethod
    def read(cls, path: Path, network: type[LimbNetwork]) -> "Limbs":
        """The weights of a file, which holds such a network.

        Raises:
            InputError: if it is missing, damaged or holds another one.
        """
        return cls(small_networks.read(path, network, LimbConfig))

    @torch.inference_mode()
    def look(self, image: np.ndarray, regions: np.ndarray, frames: list[tuple[Place, np.ndarray]]) -> list[Limb]:
        """What is seen in some limbs' frames.

        Args:
            image: (H, W, 3) uint8.
            regions: (H, W) uint8 of the same picture.
            frames: where they lie, each with the joints that are told, a pose (18, 3) in pixels of the picture.
        """
        if not frames:
            return []
        shown = [
            seen(self.kind, colours_in(image, place), labels_in(regions, place, STRIDE), place.pose(pose))
            for place, pose in frames
        ]
        colours, maps = (
            torch.from_numpy(np.stack(arrays)).to(memory_format=torch.channels_last)
            for arrays in zip(*shown, strict=True)
        )
        found = self._network(colours, maps, parts=False).joints.softmax(2)[:, :, 1:]
        cells = found.unflatten(2, (SIZE[0] // COARSE, SIZE[1] // COARSE)).numpy()
        return [
            Limb(place, np.stack([_peak(joint, place) for joint in each]), each)
            for (place, _), each in zip(frames, cells, strict=True)
        ]

    def corrected(self, image: np.ndarray, regions: np.ndarray, pose: np.ndarray) -> np.ndarray:
        """A pose (18, 3) whose limbs are where they are seen, if that is sure and they were elsewhere.

        Each limb is looked for as if nothing of it had been found, first in that of both frames (``Kind.turns``) along
        which its elbow or knee was, and in the other one where it isn't seen there. ``pose``: in pixels of the picture;
        else as of :meth:`look`.
        """
        for _ in range(self.kind.rounds):
            found = self._corrected_once(image, regions, pose)
            if np.array_equal(found, pose, equal_nan=True):
                break
            pose = found
        return pose

    def _corrected_once(self, image: np.ndarray, regions: np.ndarray, pose: np.ndarray) -> np.ndarray:
        out, same = pose.copy(), _SAME * body_unit(pose)
        sides = [_Looked(self.kind, pose, side) for side in (0, 1) if place_of(self.kind, pose, side) is not None]
        for turn in (0, 1):
            asked = [side for side in sides if side.differs > same]
            answers = self.look(image, regions, [(side.places[turn], side.bare) for side in asked])
            for side, limb in zip(asked, answers, strict=True):
                side.add(limb)
        moved = []
        for side in sides:
            best = max(side.limbs, key=lambda limb: limb.joints[:, 2].prod())
            doubt = max(_likely(limb, pose[side.joints]) for limb in side.limbs)
            sure = max(self.kind.surely, self.kind.rather * doubt)
            if best.joints[:, 2].prod() >= sure and side.apart(best) > same:
                # Once more, along the elbow or knee that was found, which is told then.
                side.bare[side.joints[0]] = best.joints[0]
                place = place_of(self.kind, side.bare, side.number)
                assert place is not None
                moved.append((side, (place, side.bare)))
        answers = self.look(image, regions, [frame for _, frame in moved])
        for (side, _), limb in zip(moved, answers, strict=True):
            out[side.joints] = limb.joints
        return out


class _Looked:
    """A limb that is looked for as if nothing of it had been found.

    Args:
        kind: of limb.
        pose: as found, (18, 3).
        number: 0 for the right limb, 1 for the left one.

    Attributes:
        number: as given.
        joints: elbow and wrist, or knee and ankle, indices of ``JOINTS``.
        bare: the pose without these.
        places: of both frames; first that along which elbow or knee were found.
        limbs: what was seen so far.
        differs: how far that is from what was found, in pixels.
    """

    def __init__(self, kind: Kind, pose: np.ndarray, number: int):
        self.number, self.joints = number, list(kind.limbs[number][1:])
        self._found, self.bare = pose[self.joints], pose.copy()
        self.bare[self.joints] = np.nan, np.nan, 0
        both = [place_of(kind, self.bare, number, turned) for turned in kind.turns]
        self.places = [place for place in both if place is not None]
        first, second = (place.pose(pose)[kind.limbs[0][1], 1] for place in self.places)
        if first < second:
            self.places.reverse()
        self.limbs: list[Limb] = []
        self.differs = np.inf

    def add(self, limb: Limb) -> None:
        """One more look."""
        self.limbs.append(limb)
        self.differs = self.apart(limb)

    def apart(self, limb: Limb) -> float:
        """How far its joints are from those that were found, at most; infinitely far from one that is missing."""
        return float(np.nan_to_num(np.hypot(*(limb.joints[:, :2] - self._found[:, :2]).T), nan=np.inf).max())


def _likely(limb: Limb, joints: np.ndarray) -> float:
    """How likely both joints are where they were found: the product of the probabilities thereabouts. ``joints``:
    (2, 3) in pixels of the picture."""
    likely = 1.0
    for cells, point in zip(limb.cells, joints[:, :2].astype(np.float64), strict=True):
        if not np.isfinite(point).all():
            return 0.0
        x, y = np.floor((limb.place.matrix[:, :2] @ point + limb.place.matrix[:, 2]) / COARSE).astype(int)
        likely *= float(cells[max(y - 2, 0) : max(y + 3, 0), max(x - 2, 0) : max(x + 3, 0)].sum())
    return likely


def _peak(cells: np.ndarray, place: Place) -> np.ndarray:
    """x, y in the picture, and the probability of 5x5 cells about the likeliest place."""
    near = cv2.blur(cells, (3, 3), borderType=cv2.BORDER_CONSTANT)
    y, x = divmod(int(near.argmax()), cells.shape[1])
    y0, x0 = max(y - 2, 0), max(x - 2, 0)
    patch = cells[y0 : y + 3, x0 : x + 3].astype(np.float64)
    total = patch.sum()
    ys, xs = np.mgrid[y0 : y0 + patch.shape[0], x0 : x0 + patch.shape[1]] + 0.5
    point = np.array([[(xs * patch).sum(), (ys * patch).sum()]]) / max(total, 1e-12) * COARSE
    return np.array([*place.back(point)[0], total], np.float32)


@cache
def shipped(network: type[LimbNetwork]) -> Limbs:
    """The weights of arms or legs that ship, read when they are first asked for."""
    return Limbs.read(SHIPPED / network.kind.file_name, network)


def read_limbs(folder: Path) -> list[Limbs]:
    """Arms, then legs, each with the weights in a folder, or those that ship where it has none.

    Raises:
        InputError: if a file is damaged or holds another network.
    """
    return [
        Limbs.read(path, network) if (path := folder / network.kind.file_name).exists() else shipped(network)
        for network in NETWORKS
    ]
