"""The shipped analyzer at work: find people in a whole photo, then look closely at one of them.

There is one way of looking, whoever asks: the whole scene shows candidates, a coarse look at each says where the person
ends, and the close look at that box gives joints and regions. A close look at a box that was found earlier is the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from pise_core.detection import held_layers
from pise_core.detection.colour_votes import agree_with_colours
from pise_core.detection.decoding import decode_joints
from pise_core.detection.held_layers import with_held
from pise_core.detection.limbs import Limbs, read_limbs
from pise_core.detection.network import Analysis, AnalyzerConfig, AnalyzerNetwork, fold_norms
from pise_core.detection.onnx_analyzer import OnnxAnalyzer
from pise_core.detection.others import passers_by, without_others
from pise_core.errors import InputError
from pise_core.framing import Box, Framing
from pise_core.held import SURE
from pise_core.model.one_thread import in_one_thread
from pise_core.model.torch_generator import layers_in
from pise_core.model.turns import Turns
from pise_core.model.weights import SHIPPED, fitted, read_model
from pise_core.pose import visible
from pise_core.skeleton import JOINT, MIRROR

FILE_NAME = "analyzer.safetensors"
#: Long sides that a whole photo is looked at in; the second only when the first finds nobody.
SCENE_SIDES = (256, 480)
#: A group in a row, a panorama, is so many times as long as it is high: its short side is looked at in no fewer pixels
#: than this share of that, unless the long side would have more than so many.
_PANORAMA, _LEAST_SHORT, _MOST_LONG = 2.0, 0.6, 4096
#: So many candidates, the largest, are looked at.
MOST_PEOPLE = 24
#: Grey beyond the photo's edge.
_BORDER = 127
#: Regions are looked at once more with so many times the pixels (a third of the vote): hair, hands and straps are thin.
_FINER = 1.5
#: The first look at somebody only says where they are.
_COARSER = 0.75
#: Joints of this mean score are seen clearly. (Bags that pass for people come to 0.5, whole people to 0.8.)
_CLEAR = 0.65


@dataclass(frozen=True)
class Sight:
    """What a close look at one person found.

    Attributes:
        pose: (18, 3) in pixels of the photo.
        probabilities: (8, 256, 176) float32, regions in the frame.
        framing: of that frame.
        box: x0, y0, x1, y1 in pixels of the photo, about all that was seen of the person.
        held: (256, 176) float32 in [0, 1], how sure it is that a bag or another thing that is carried is there; None
            where the weights don't know such things.
    """

    pose: np.ndarray
    probabilities: np.ndarray
    framing: Framing
    box: Box
    held: np.ndarray | None = None


def read_network(path: Path) -> AnalyzerNetwork:
    """The network of a file, as it was trained.

    Raises:
        InputError: if the file is missing, damaged or holds another network.
    """
    name, config, tensors = read_model(path)
    if name != AnalyzerNetwork.__name__:
        raise InputError(f"{path} holds a network called {name}, not {AnalyzerNetwork.__name__}")
    try:
        known = AnalyzerConfig.from_dict(config)
        network = fitted(lambda: AnalyzerNetwork(known), tensors)
    except (RuntimeError, KeyError, TypeError, ValueError, OverflowError):
        raise InputError(f"{path} holds an analyzer of another make; fetch the weights of this version") from None
    return network


class AnalyzerBackend(Protocol):
    """Whatever runs an analyzer's network."""

    @property
    def backend(self) -> str:
        """What runs it, such as ``torch cpu float32``: the same backend says the same."""
        ...

    def __call__(self, images: torch.Tensor) -> Analysis:
        """What is seen in images (N, 3, H, W) float32 in [-1, 1]; H and W are multiples of 16."""
        ...


class Analyzer:
    """Finds people, their joints and their regions; several threads may share it.

    Args:
        network: which PyTorch runs on a device, or another backend.
        device: where PyTorch runs it.
        precision: of PyTorch's layers, "float32" or "bfloat16".
        limbs: look at each arm, or each leg, once more, one after the other.

    Attributes:
        limbs: as given.
        lock: held while the network works, and nothing else; those who wait get it by what they wait for.
    """

    def __init__(
        self,
        network: AnalyzerNetwork | AnalyzerBackend,
        device: str = "cpu",
        precision: str = "float32",
        limbs: Sequence[Limbs] = (),
    ):
        if isinstance(network, torch.nn.Module):
            network = network.eval().to(device).to(memory_format=torch.channels_last)
        self.network: Any = network
        self.device, self.precision, self.limbs = device, precision, tuple(limbs)
        self.lock = Turns()

    @property
    def backend(self) -> str:
        """What runs the network."""
        in_torch = isinstance(self.network, torch.nn.Module)
        return f"torch {self.device} {self.precision}" if in_torch else self.network.backend

    def __getstate__(self) -> dict[str, Any]:
        """All but the lock: a copy, in this process or another, has one of its own."""
        return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.lock = Turns()

    @classmethod
    def from_pretrained(cls, folder: Path | None = None, device: str = "cpu", backend: str = "torch") -> "Analyzer":
        """Weights from ``analyzer.safetensors`` in ``folder`` (default: those that ship), and from ``held.safetensors``
        where it lies beside it; ``arms.safetensors`` and ``legs.safetensors`` from there, or the ones that ship.

        Args:
            folder: of the weights.
            device: where PyTorch runs them.
            backend: what runs them, as ``backends.resolved`` has named it.

        Raises:
            InputError: if the file is missing, damaged or holds another network.
        """
        folder = Path(folder or SHIPPED)
        network = fold_norms(with_held(read_network(folder / FILE_NAME), folder / held_layers.FILE_NAME))
        looks = read_limbs(folder)
        if backend == "onnxruntime":
            return cls(OnnxAnalyzer(network), limbs=looks)
        return cls(network, device, "bfloat16" if backend == "bfloat16" else "float32", looks)

    def find_people(self, photo: np.ndarray) -> Iterator[Box]:
        """Boxes in pixels of the photo, most prominent first, each looked for when it is asked for; ``photo``: HWC
        uint8 RGB.

        Each of them has stood a coarse look. Whoever is largest comes first if they are seen clearly; a bag in the
        middle or legs at the edge, which are not, give way to somebody smaller who is.
        """
        return (sight.box for sight in self.coarse_sights(photo))

    def coarse_sights(self, photo: np.ndarray) -> Iterator[Sight]:
        """What a coarse look saw of each of :meth:`find_people`; boxes lie within the photo."""
        width, height = photo.shape[1], photo.shape[0]
        unclear: list[Sight] = []
        for candidate in self._candidates(photo)[:MOST_PEOPLE]:
            framing = Framing.around(candidate, (width, height)).finer(_COARSER)
            # It may find limbs that the whole scene was too small to show.
            seen = _body(self._look(framing.crop(photo, _BORDER)), framing, candidate, reach=0.22)
            if seen is None:
                continue
            if unclear or _clarity(seen) < _CLEAR:
                unclear.append(seen)
            else:
                yield replace(seen, box=_within(seen.box, width, height))
        for seen in sorted(unclear, key=lambda sight: -_prominence(sight)):
            yield replace(seen, box=_within(seen.box, width, height))

    def look_at(self, photo: np.ndarray, box: Box) -> Sight | None:
        """Joints and regions of the person in ``box``, as :meth:`find_people` gives it; None if the close look finds no
        person there."""
        framing = Framing.around(box, (photo.shape[1], photo.shape[0]))
        look, fine = self._closely(photo, framing)
        sight = _body(look, framing, box, reach=0.12)
        return sight if sight is None else self._with_limbs(sight, fine)

    def _with_limbs(self, sight: Sight, fine: np.ndarray) -> Sight:
        """The same sight with limbs that were looked at once more, in the finer picture of the frame."""
        finer = sight.framing.finer(_FINER)
        regions = sight.probabilities.argmax(0).astype(np.uint8)
        regions = cv2.resize(regions, fine.shape[1::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        before = finer.to_frame(sight.pose)
        found = before
        for limbs in self.limbs:
            found = limbs.corrected(fine, regions, found)
        changed = ~(found == before).all(1) & visible(found)
        if not changed.any():
            return sight
        pose = sight.pose.copy()
        pose[changed] = finer.to_photo(found[changed])
        (x0, y0), (x1, y1) = pose[changed, :2].min(0), pose[changed, :2].max(0)
        left, top, right, bottom = sight.box
        box = min(left, float(x0)), min(top, float(y0)), max(right, float(x1)), max(bottom, float(y1))
        return replace(sight, pose=pose, box=box)

    def look(self, photo: np.ndarray) -> Sight | None:
        """The most prominent person who stands a close look."""
        return next((sight for box in self.find_people(photo) if (sight := self.look_at(photo, box))), None)

    def passers_by(self, picture: np.ndarray) -> np.ndarray:
        """Where people are in a picture (h, w, 3) uint8 that nobody fills: (h, w) bool."""
        small, size = _scene(picture, SCENE_SIDES[0])
        look = self._look(small)
        there = passers_by(look.probabilities, look.maps)[: size[0], : size[1]]
        return cv2.resize(there.astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0

    def _candidates(self, photo: np.ndarray) -> list[Box]:
        """What looks like people from afar, largest first: boxes in pixels of the photo."""
        for side in SCENE_SIDES:
            small, size = _scene(photo, side)
            maps, probabilities, _ = self._look(small)
            boxes = _people(maps, 1 - probabilities[0], min_area=0.0008 * size[0] * size[1])
            if boxes:
                # Not by ``scale``: a very long photo was not let shrink as much across.
                limit = np.array([photo.shape[1], photo.shape[0]] * 2, np.float64)
                scaled = [np.clip(np.array(b) * limit / (size[::-1] * 2), 0, limit) for b in boxes]
                return [(float(b[0]), float(b[1]), float(b[2]), float(b[3])) for b in scaled]
        return []

    def regions(self, photo: np.ndarray, framing: Framing, box: Box, pose: np.ndarray) -> Sight:
        """What is seen in a given frame of a person whose pose (18, 3) is known already."""
        (maps, probabilities, held), _ = self._closely(photo, framing)
        inside = _inside(framing, box, (probabilities.shape[1], probabilities.shape[2]), 0.12)
        held = None if held is None else held * inside
        probabilities = without_others(_only_this_person(probabilities, inside), maps, 4, framing.to_frame(pose))
        return Sight(pose, probabilities, framing, box, held)

    def _closely(self, photo: np.ndarray, framing: Framing) -> tuple["_Look", np.ndarray]:
        """As :meth:`_look`, averaged with the mirror image and, for regions, with a finer look; these agree with the
        photo's colours. And the picture of the finer look."""
        frame, finer = framing.crop(photo, _BORDER), framing.finer(_FINER).crop(photo, _BORDER)
        look = self._look(frame, flip=True)
        fine = self._look(finer, joints=False).probabilities
        size = look.probabilities.shape[:0:-1]
        fine = np.stack([cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in fine])
        return look._replace(probabilities=agree_with_colours((2 * look.probabilities + fine) / 3, frame)), finer

    @in_one_thread
    def _pass(self, images: torch.Tensor, asked: dict[str, Any]) -> Analysis:
        with layers_in(self.precision, self.device):
            return self.network(images, **asked).float()

    @torch.no_grad()
    def _look(self, image: np.ndarray, flip: bool = False, joints: bool = True) -> "_Look":
        """What the network sees in an HWC uint8 picture; ``flip`` averages with the mirror; no heat maps without
        ``joints`` if the network can leave them out."""
        x = torch.from_numpy(image).permute(2, 0, 1)[None].to(self.device).float() / 127.5 - 1
        # Where people are looked for from afar, what they hold is of no interest.
        # The mean of two shares reaches what is asked for only if either is as near to it as this.
        told = isinstance(self.network, AnalyzerNetwork)
        asked = {"held": 2 * flip, "hint": 2 * SURE - 1, "joints": joints} if told else {}
        with self.lock:
            found = self._pass(torch.cat([x, x.flip(3)]) if flip else x, asked)
        maps = found.heatmaps
        logits = F.interpolate(found.parsing, size=x.shape[2:], mode="bilinear", align_corners=False)
        probabilities = logits.softmax(1)
        held = None
        if found.held is not None:
            held = F.interpolate(found.held, size=x.shape[2:], mode="bilinear", align_corners=False).sigmoid()
            held = (held[:1] + held[1:].flip(3)) / 2 if len(held) > 1 else held
        if flip:
            maps = (maps[:1] + maps[1:, list(MIRROR)].flip(3)) / 2
            probabilities = (probabilities[:1] + probabilities[1:].flip(3)) / 2
        return _Look(
            maps[0].cpu().numpy(), probabilities[0].cpu().numpy(), None if held is None else held[0, 0].cpu().numpy()
        )


class _Look(NamedTuple):
    maps: np.ndarray  # (18, H/4, W/4) heat maps; (0, H/4, W/4) if they were not asked for
    probabilities: np.ndarray  # (8, H, W), regions
    held: np.ndarray | None  # (H, W) in [0, 1]


def _scene(photo: np.ndarray, side: int) -> tuple[np.ndarray, tuple[int, int]]:
    """A photo with a long side of so many pixels, or more where it is very long, bordered to multiples of 32, and its
    own (H, W) in there."""
    short, long = sorted(photo.shape[:2])
    scale = side / long
    if long > _PANORAMA * short:
        scale = max(scale, min(_LEAST_SHORT * side / short, _MOST_LONG / long))
    size = max(32, round(photo.shape[0] * scale)), max(32, round(photo.shape[1] * scale))
    small = cv2.resize(photo, size[::-1], interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    down = -size[0] % 32, -size[1] % 32
    small = cv2.copyMakeBorder(small, 0, down[0], 0, down[1], cv2.BORDER_CONSTANT, value=(_BORDER,) * 3)
    return small, size


def _clarity(sight: Sight) -> float:
    """Mean score of all joints, those that are missing at 0."""
    return float(sight.pose[:, 2].mean())


def _prominence(sight: Sight) -> float:
    """Size and clarity in one figure: half a body that is large may be meant, a small bag never is."""
    x0, y0, x1, y1 = sight.box
    return _clarity(sight) ** 2 * ((x1 - x0) * (y1 - y0)) ** 0.5


def _within(box: Box, width: int, height: int) -> Box:
    x0, y0, x1, y1 = box
    return max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))


def _body(look: _Look, framing: Framing, box: Box, reach: float) -> Sight | None:
    """What a look shows of the person in a box; None if that is nobody.

    Args:
        look: at the frame.
        framing: of the frame.
        box: in pixels of the photo.
        reach: how far beyond the box the person may reach, as a share of its height.
    """
    maps, probabilities, held = look
    inside = _inside(framing, box, (probabilities.shape[1], probabilities.shape[2]), reach)
    probabilities = _only_this_person(probabilities, inside)
    where = cv2.resize(inside, maps.shape[:0:-1], interpolation=cv2.INTER_AREA)
    pose = decode_joints(maps, 4, where=where)
    probabilities = without_others(probabilities, maps, 4, pose)
    person = (probabilities.argmax(0) > 0).astype(np.uint8)
    # Walls have arms, but not the six joints of one body: those are seen clearly or it is nobody.
    if person.sum() < 60 or np.sort(pose[:, 2])[-6:].mean() < 0.5:
        return None
    x, y, w, h = cv2.boundingRect(person)
    joints = pose[visible(pose), :2]
    low = np.minimum(joints.min(0), (x, y))
    high = np.maximum(joints.max(0), (x + w, y + h))
    (x0, y0), (x1, y1) = framing.to_photo(np.stack([low, high]).astype(np.float64))
    pose[:, :2] = framing.to_photo(pose[:, :2])
    held = None if held is None else held * inside
    return Sight(pose, probabilities, framing, (float(x0), float(y0), float(x1), float(y1)), held)


def _people(maps: np.ndarray, person: np.ndarray, min_area: float) -> list[Box]:
    """Boxes in pixels of ``person`` (H, W, share of person in [0, 1]), largest first.

    A connected silhouette is somebody if it has joints; two necks side by side in one silhouette are two people.
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats((person > 0.5).astype(np.uint8))
    body = cv2.resize(maps.max(0), person.shape[::-1])
    necks = cv2.resize(maps[JOINT["neck"]], person.shape[::-1])
    found = []
    for index in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[index])
        mask = labels == index
        if area < min_area or body[mask].max() < 0.3:
            continue
        columns = _split_by_necks(np.where(mask, necks, 0), x, w, h)
        for left, right in columns:
            part = mask[:, left:right]
            if part.sum() < min_area:
                continue
            px, py, pw, ph = cv2.boundingRect(part.astype(np.uint8))
            found.append((int(part.sum()), (left + px, py, left + px + pw, py + ph)))
    found.sort(key=lambda item: -item[0])
    return [box for _, box in found]


def _split_by_necks(necks: np.ndarray, x: int, w: int, h: int) -> list[tuple[int, int]]:
    """Column ranges of a silhouette that starts at x, one per neck that stands well apart from the others."""
    apart = max(4, int(0.22 * h))
    peaks: list[int] = []
    row = necks.max(0).copy()
    while row.max() > 0.4 and len(peaks) < MOST_PEOPLE:
        peak = int(row.argmax())
        peaks.append(peak)
        row[max(0, peak - apart) : peak + apart + 1] = 0
    peaks.sort()
    cuts = [x, *[(a + b) // 2 for a, b in zip(peaks, peaks[1:], strict=False)], x + w]
    return list(zip(cuts, cuts[1:], strict=False))


def _inside(framing: Framing, box: Box, size: tuple[int, int], reach: float) -> np.ndarray:
    """(H, W) float32: 1 in the box, falling to 0 outside within ``reach`` of its height."""
    corners = framing.to_frame(np.array([[box[0], box[1]], [box[2], box[3]]], np.float64))
    (x0, y0), (x1, y1) = corners
    reach = max(6.0, reach * (y1 - y0))
    x, y = np.arange(size[1]) + 0.5, np.arange(size[0]) + 0.5
    across = np.clip(1 + np.minimum(x - x0, x1 - x) / reach, 0, 1)
    down = np.clip(1 + np.minimum(y - y0, y1 - y) / reach, 0, 1)
    return (down[:, None] * across[None]).astype(np.float32)


def _only_this_person(probabilities: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Silhouettes that lie mostly outside the box, and crumbs, become background."""
    person = (probabilities.argmax(0) > 0).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(person)
    weight = np.bincount(labels.ravel(), weights=inside.ravel(), minlength=count)
    keep = weight > 0.5 * stats[:, cv2.CC_STAT_AREA]
    if count > 1:
        keep &= stats[:, cv2.CC_STAT_AREA] > 0.01 * stats[1:, cv2.CC_STAT_AREA].max()
    keep[0] = True
    drop = ~keep[labels]
    cleaned = probabilities.copy()
    cleaned[:, drop] = 0
    cleaned[0, drop] = 1
    return cleaned
