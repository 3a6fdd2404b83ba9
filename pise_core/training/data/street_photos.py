"""Clothing Co-Parsing on disk (Yang, Luo and Lin, CVPR 2014): photos, 59 tags per pixel, joints, and the split.

Expected in one folder, as its repository has it: ``photos/NNNN.jpg``, ``annotations/pixel-level/NNNN.mat`` (key
``groundtruth``) and ``label_list.mat``. About half of the photos have no annotation. Joints and split come with this
package (``clothing_co_parsing``); ``keypoints.json`` (name -> 18 rows ``[x, y, score]`` or null) and ``split.json``
(``{"train": [names], "test": [names]}``) in the folder go before them.
"""

import json
import lzma
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import scipy.io

from pise_core.errors import InputError
from pise_core.pose import empty_pose, visible
from pise_core.regions import REGION, TABLE
from pise_core.skeleton import FACE, LEGS, LIMBS, NECK, NOSE

#: What is carried, and no part of the eight regions.
HELD_TAGS = ("bag", "purse", "wallet")
_LEGS = tuple((a, b) for leg in LEGS for a, b in pairwise(leg))
_ARMS_AND_TORSO = tuple(bone for bone in LIMBS if bone not in _LEGS and not set(bone) & set(FACE))
#: Where joints and split of the data set lie, and how they were made.
SHIPPED_LISTS = Path(__file__).resolve().parent / "clothing_co_parsing"


class StreetPhotos:
    """Reads the folder described above; names are the photos' stems."""

    def __init__(self, folder: Path):
        self.folder = Path(folder)
        for needed in ("photos", "annotations/pixel-level", "label_list.mat"):
            if not (self.folder / needed).exists():
                raise InputError(
                    f"{self.folder / needed} is missing; Clothing Co-Parsing belongs in that folder (a clone of "
                    "github.com/bearpaw/clothing-co-parsing). For other photos: prepare photos"
                )
        #: Of the photos that the joints were found in; empty where the joints are the folder's own.
        self._sizes: dict[str, tuple[int, int]] = {}
        own = self.folder / "keypoints.json"
        if own.exists():
            self._joints: dict[str, list | None] = json.loads(own.read_text())
        else:
            found = json.loads(lzma.decompress((SHIPPED_LISTS / "joints.json.xz").read_bytes()))
            self._joints = {name: one["joints"] for name, one in found.items()}
            self._sizes = {name: (one["size"][0], one["size"][1]) for name, one in found.items()}
        split = self.folder / "split.json"
        split = split if split.exists() else SHIPPED_LISTS / "split.json"
        self.split: dict[str, list[str]] = json.loads(split.read_text())
        tags = scipy.io.loadmat(self.folder / "label_list.mat")["label_list"].ravel()
        names = [str(np.asarray(tag).ravel()[0]) for tag in tags]
        region_of = {tag: index for index, row in enumerate(TABLE) for tag in row.tags.split()}
        self._skin = names.index("skin")
        self._held = np.array([name in HELD_TAGS for name in names])
        self._merge = np.array([region_of.get(name, 0) for name in names], np.uint8)

    def photo(self, name: str) -> np.ndarray:
        """(H, W, 3) uint8 RGB.

        Raises:
            InputError: if the file cannot be read, or is of another size than that which its joints were found in.
        """
        path = self.folder / "photos" / f"{name}.jpg"
        image = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if image is None:
            raise InputError(f"{path} is missing or not a picture")
        width, height = self._sizes.get(name, (image.shape[1], image.shape[0]))
        if image.shape[:2] != (height, width):
            raise InputError(
                f"{path} is {image.shape[1]}x{image.shape[0]}, and its joints were found in {width}x{height}; take the "
                "photos as the data set has them, or put keypoints.json of your own into the folder"
            )
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def pose(self, name: str) -> np.ndarray | None:
        """(18, 3), in pixels of the photo; None where nobody was found. Joints of score below 0.3 count as missing."""
        rows = self._joints.get(name)
        if rows is None:
            return None
        pose = empty_pose()
        for index, row in enumerate(rows):
            if row is not None and row[2] >= 0.3:
                pose[index] = row
        return pose

    def parsing(self, name: str, pose: np.ndarray) -> np.ndarray | None:
        """(H, W) uint8 of regions, or None where the photo is not annotated.

        The data has one tag for skin: the head's skin above the chin is face, the rest goes to the nearest bone.
        """
        tags = self._tags(name)
        if tags is None:
            return None
        parsing = self._merge[tags]
        ys, xs = np.nonzero(tags == self._skin)
        if len(ys):
            parsing[ys, xs] = _split_skin(np.stack([xs, ys], 1) + 0.5, pose)
        return parsing

    def held(self, name: str) -> np.ndarray | None:
        """(H, W) uint8, 1 where a bag, purse or wallet is; None where the photo is not annotated."""
        tags = self._tags(name)
        return None if tags is None else self._held[tags].astype(np.uint8)

    def _tags(self, name: str) -> np.ndarray | None:
        path = self.folder / "annotations" / "pixel-level" / f"{name}.mat"
        return scipy.io.loadmat(path)["groundtruth"] if path.exists() else None


def _split_skin(points: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Region index per skin pixel (N, 2)."""
    there = visible(pose)

    def nearest(bones) -> np.ndarray:
        lengths = [_distance_to_segment(points, pose[a, :2], pose[b, :2]) for a, b in bones if there[a] and there[b]]
        return np.min(lengths, 0) if lengths else np.full(len(points), 1e9)

    leg = nearest(_LEGS)
    # Below the ankle there is no bone: a foot is still nearer to the shin than to a hanging hand.
    region = np.where(leg < nearest(_ARMS_AND_TORSO), REGION["leg"], REGION["upper_skin"]).astype(np.uint8)
    nose, neck = pose[NOSE, :2], pose[NECK, :2]
    if there[NOSE] and there[NECK]:
        axis = nose - neck
        length = np.hypot(*axis) + 1e-6
        along = (points - neck) @ axis / length**2
        away = np.hypot(*(points - nose).T) / length
        # The neck joint lies between the shoulders; the chin is about half-way from there to the nose.
        region[(along > 0.5) & (away < 1.1)] = REGION["face"]
    return region


def _distance_to_segment(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    d = b - a
    t = np.clip(((points - a) @ d) / (d @ d + 1e-6), 0, 1)
    return np.hypot(*(points - a - t[:, None] * d).T)
