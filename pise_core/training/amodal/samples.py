"""People whose hidden parts are known: rendered ones, and street photos with rendered people's arms before them.

Street photos bring the outlines of real clothes. There, what their own arms hide remains unknown.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.detection.amodal import WITHOUT
from pise_core.files import replacing
from pise_core.framing import Framing
from pise_core.masks import Nearest
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import ELBOWS, SHOULDERS, TORSO, WRISTS
from pise_core.synthesis.dataset import LAYERS, People, Picture, Stack
from pise_core.training.data.prepared_folder import Sample, person_box
from pise_core.warping.parts import PARTS, assign_parts

#: What nobody knows.
UNKNOWN = 255
#: Of the rendered people, so many are held back for validation: the last.
HELD_BACK = 0.1

_ARM = ("upper_arm", "forearm", "hand")
_ON_HEAD = ("hair", "glasses", "headwear")
_LEG = ("thigh", "shin", "foot")
_REGION_OF = {
    "hair": "hair", "glasses": "face", "headwear": "hair", "tights": "leg", "shoes": "leg", "trousers": "pants",
    "skirt": "dress", "top": "upper_clothes", "dress": "dress", "outerwear": "upper_clothes",
}  # fmt: skip
#: Indices of ``LAYERS`` that are the head's.
_HEAD_LAYERS = [i for i, name in enumerate(LAYERS) if name.endswith("/head") or name.split("/")[0] in _ON_HEAD]
#: (LAYERS,) 1 for those of the left arm, 2 for the right one's.
_ARM_LAYERS = np.zeros(len(LAYERS), np.uint8)
for _index, _name in enumerate(LAYERS[1:], 1):
    _side, _, _segment = _name.split("/")[1].partition("_")
    if _segment in _ARM:
        _ARM_LAYERS[_index] = 1 + (_side == "right")
_ARMS = {side: [PARTS.index(f"{side}_{part}") for part in ("upper_arm", "forearm")] for side in ("left", "right")}


class Whole(NamedTuple):
    """Somebody in the frame, and what they hide.

    Attributes:
        parsing: (256, 176) uint8, the regions that are seen.
        arms: (256, 176) uint8: 0; the left arm 1, the right one 2.
        held: (256, 176) uint8, 1 where something is held.
        without: (2, 256, 176) uint8, the regions without what ``WITHOUT`` names; ``UNKNOWN`` where nobody knows.
        pose: (18, 3) in pixels of the frame.
        photo: whether it is a street photo, of which nobody knows exactly where sleeves end.
    """

    parsing: np.ndarray
    arms: np.ndarray
    held: np.ndarray
    without: np.ndarray
    pose: np.ndarray
    photo: bool = False


#: What is kept of rendered people.
_KEPT = Whole._fields[:-1]


def rendered(people: People, number: int) -> Whole:
    """A rendered person, by the picture's number.

    Raises:
        InputError: if the folder was written without layers.
    """
    picture, stack = people.picture(number), people.stack(number)
    arms = _ARM_LAYERS[picture.layers]
    arms[(picture.regions == 0) | (picture.held > 0)] = 0
    without = np.stack([_without(picture, stack, arms, head) for head in (False, True)])
    assert len(without) == len(WITHOUT)
    box = _box(picture.joints)
    framing = Framing.around(box, (people.size[1], people.size[0]))
    seen, arms, held = (framing.crop(one, labels=True) for one in (picture.regions, arms, picture.held))
    hidden = [framing.crop(one, UNKNOWN, labels=True) for one in without]
    return Whole(seen, arms, held, np.stack(hidden), framing.to_frame(picture.joints))


def _without(picture: Picture, stack: Stack, arms: np.ndarray, head: bool) -> np.ndarray:
    """(H, W) uint8: the regions without arms and what is held, and without the head if ``head``. Laid over one another
    the layers are the picture but for seams and open coats: what is seen is known better."""
    out = np.zeros(picture.regions.shape, np.uint8)
    skin = picture.regions * np.isin(picture.regions, [REGION["face"], REGION["upper_skin"]])
    for name, layer in zip(stack.names, stack.colours, strict=True):
        kind, segment = name.split("/")
        if kind == "held" or segment.split("_", 1)[-1] in _ARM or (head and (segment == "head" or kind in _ON_HEAD)):
            continue
        there = layer[..., 3] > 127
        if kind in _REGION_OF:
            out[there] = REGION[_REGION_OF[kind]]
        elif segment == "head":
            out[there] = _nearest(skin, there)
        else:
            out[there] = REGION["leg" if segment.split("_")[-1] in _LEG else "upper_skin"]
    hidden = (arms > 0) | (picture.held > 0)
    if head:
        hidden |= np.isin(picture.layers, _HEAD_LAYERS)
    return np.where(hidden, out, picture.regions)


def _nearest(labels: np.ndarray, there: np.ndarray) -> np.ndarray:
    """(N,) the labels of pixels ``there`` (H, W), or the nearest ones; a face where there are none."""
    known = there & (labels > 0)
    if not known.any():
        return np.full(int(there.sum()), REGION["face"], np.uint8)
    out, missing = labels.copy(), there & ~known
    out[missing] = labels[Nearest(known).at(*np.nonzero(missing))]
    return out[there]


def _box(pose: np.ndarray) -> tuple[float, float, float, float]:
    points = pose[visible(pose), :2]
    (x0, y0), (x1, y1) = points.min(0), points.max(0)
    reach = max(y1 - y0, x1 - x0, 8.0)
    return x0 - 0.08 * reach, y0 - 0.1 * reach, x1 + 0.08 * reach, y1 + 0.06 * reach


def photographed(sample: Sample) -> Whole:
    """Somebody in a street photo: what is hidden there is not known."""
    assert sample.parsing is not None
    framing = Framing.around(person_box(sample), sample.image.shape[1::-1])
    pose, parsing = framing.to_frame(sample.pose), framing.crop(sample.parsing, labels=True)
    held = np.zeros_like(parsing)
    if sample.held is not None:
        held = (framing.crop(sample.held, labels=True) == 1).astype(np.uint8)
    parsing[held > 0] = 0
    arms = arms_of(parsing, pose)
    known = np.where((arms > 0) | (held > 0), np.uint8(UNKNOWN), parsing)
    known[framing.crop(np.zeros(sample.parsing.shape, np.uint8), 1, labels=True) > 0] = UNKNOWN
    head = np.where(np.isin(parsing, [REGION["hair"], REGION["face"]]), np.uint8(UNKNOWN), known)
    return Whole(parsing, arms, held, np.stack([known, head]), pose, photo=True)


def arms_of(parsing: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """(H, W) uint8: 1 on the left arm, 2 on the right one, as the nearest bones have it."""
    table = np.zeros(256, np.uint8)
    for value, side in enumerate(("left", "right"), 1):
        table[_ARMS[side]] = value
    return table[assign_parts(parsing, pose).view(np.uint8)]


def with_arms_of(body: Whole, other: Whole, rng: np.random.Generator) -> Whole | None:
    """Somebody with another's arms before them, or None where the two can't be compared.

    Args:
        body: whose arms are forgotten, and what these hid with them.
        other: whose arms are seen.
        rng: of their size and place.
    """
    torso = [joint for joint in TORSO if visible(body.pose)[joint] and visible(other.pose)[joint]]
    arms = [[pair[side] for pair in (SHOULDERS, ELBOWS, WRISTS)] for side in (0, 1)]
    if len(torso) < 4 or not (visible(body.pose)[list(SHOULDERS)].all() and visible(other.pose)[sum(arms, [])].all()):
        return None
    scale = _size(body.pose, torso) / max(_size(other.pose, torso), 1e-3) * rng.uniform(0.9, 1.1)
    parsing, seen_arms = body.parsing.copy(), np.zeros_like(body.arms)
    pose, without = body.pose.copy(), body.without.copy()
    cloth = _most_common(body.parsing, (REGION["upper_clothes"], REGION["dress"]))
    sides = [0, 1] if rng.random() < 0.5 else [1, 0]
    held = body.held.copy()
    own = body.arms > 0
    for side in sides:
        a, b = other.pose[arms[side][0], :2], body.pose[arms[side][0], :2]
        matrix = np.array([[scale, 0, b[0] - scale * a[0]], [0, scale, b[1] - scale * a[1]]], np.float64)
        value = 2 - side  # right first in the skeleton's pairs
        mask = _moved((other.arms == value).astype(np.uint8), matrix) > 0
        labels = _moved(other.parsing, matrix)
        labels[np.isin(labels, [REGION["upper_clothes"], REGION["dress"]])] = cloth
        mask &= labels > 0
        parsing[mask], seen_arms[mask], held[mask] = labels[mask], value, 0
        own |= mask
        pose[arms[side], :2] = other.pose[arms[side], :2] @ matrix[:, :2].T + matrix[:, 2]
        pose[arms[side], 2] = 1
    # Their own arms stay arms in the map, behind which nobody knows anything.
    left = own & (seen_arms == 0)
    seen_arms[left] = body.arms[left]
    return Whole(parsing, seen_arms, held, without, pose, photo=True)


def _size(pose: np.ndarray, joints: Sequence[int]) -> float:
    points = pose[list(joints), :2]
    return float(np.hypot(*(points - points.mean(0)).T).mean())


def _most_common(parsing: np.ndarray, among: tuple[int, ...]) -> int:
    counts = np.bincount(parsing.ravel(), minlength=256)
    return max(among, key=lambda label: (counts[label], -label))


def _moved(labels: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    shift = matrix[:, :2] @ [0.5, 0.5] - 0.5
    return cv2.warpAffine(
        labels, np.c_[matrix[:, :2], matrix[:, 2] + shift], labels.shape[::-1], flags=cv2.INTER_NEAREST
    )


def kept(path: Path, people: People, digest: str) -> list[Whole]:
    """All rendered people, from the file ``path`` if it was made of these, which is written otherwise: taking layers
    apart takes longer than a training step."""
    known = hashlib.sha256(digest.encode()).hexdigest()
    if path.exists():
        with np.load(path) as arrays:
            if str(arrays["digest"]) == known:
                return list(_apart(arrays))
    wholes = [rendered(people, number) for number in range(2 * len(people))]
    with replacing(path) as partial, partial.open("wb") as file:
        stacked = {name: np.stack([getattr(one, name) for one in wholes]) for name in _KEPT}
        np.savez_compressed(file, allow_pickle=False, digest=np.array(known), **stacked)
    return wholes


def _apart(arrays) -> Iterator[Whole]:
    for row in zip(*(arrays[name] for name in _KEPT), strict=True):
        yield Whole(*row)
