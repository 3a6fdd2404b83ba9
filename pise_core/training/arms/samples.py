"""People of whom it is known where their arms are, and which pixels are whose.

Of rendered people all is known. Of street photos the joints are, and of pixels what skin, hair, streets and trousers
tell; which cloth is a sleeve is only known far from any arm.
"""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.detection.arms import UNKNOWN, body_unit
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import ARMS, HIPS, SHOULDERS, TORSO
from pise_core.synthesis.dataset import LAYERS, Picture
from pise_core.training.data.articulation import raise_arms, random_pose
from pise_core.training.data.prepared_folder import Sample, begin, finish, load_samples, write_sample
from pise_core.training.data.scenes import Scenes, before, with_headroom
from pise_core.warping.parts import PARTS, assign_parts

#: Of the rendered people, so many are held back for validation: the last.
HELD_BACK = 0.1
#: How many re-posed photos lift their arms.
_RAISED = 0.75
#: In torsos: what is farther from an arm's bones is not its own, what is nearer to a bare one's is, and how near to
#: one's that is this far from the torso cloth is its sleeve.
_FAR, _NEAR, _SLEEVE, _FREE = 0.3, 0.16, 0.12, 0.15
_CLOTH = (REGION["upper_clothes"], REGION["dress"])
_NEVER = (REGION["background"], REGION["hair"], REGION["face"])


def _owners_of_layers() -> np.ndarray:
    table = np.zeros(len(LAYERS), np.uint8)
    for index, name in enumerate(LAYERS[1:], 1):
        kind, segment = name.split("/")
        side, _, part = segment.partition("_")
        if part in ("upper_arm", "forearm", "hand") and kind != "held":
            table[index] = 1 + 2 * (side == "left") + (part != "upper_arm")
    return table


#: (LAYERS,) uint8, see ``Person.owner``.
OF_LAYER = _owners_of_layers()
_OF_PART = {
    PARTS.index(f"{side}_{part}"): 1 + 2 * (side == "left") + (part == "forearm")
    for side in ("right", "left")
    for part in ("upper_arm", "forearm")
}


class Person(NamedTuple):
    """Somebody in a picture.

    Attributes:
        image: (H, W, 3) uint8.
        parsing: (H, W) uint8, the regions; ``UNKNOWN`` where nobody knows.
        pose: (18, 3) in pixels of the picture.
        owner: (H, W) uint8: 0 no arm, 1 and 2 the right upper arm and what is below its elbow, 3 and 4 the left ones;
            ``UNKNOWN`` where nobody knows.
        exact: whether a joint that is missing is beyond the picture; otherwise nobody knows.
        posed: whether the joints are those of the arms that are seen.
    """

    image: np.ndarray
    parsing: np.ndarray
    pose: np.ndarray
    owner: np.ndarray
    exact: bool = False
    posed: bool = True


def rendered(picture: Picture) -> Person:
    """A rendered person."""
    owner = OF_LAYER[picture.layers]
    owner[picture.regions == 0] = 0
    return Person(np.asarray(picture.image), np.asarray(picture.regions), picture.joints.copy(), owner, exact=True)


def photographed(sample: Sample) -> Person:
    """Somebody in a street photo whose regions are known, if only in part."""
    assert sample.parsing is not None
    parsing, pose = sample.parsing, sample.pose
    owner = np.full(parsing.shape, UNKNOWN, np.uint8)
    owner[np.isin(parsing, _NEVER)] = 0
    unit = body_unit(pose)
    if unit >= 1:
        by_bones = assign_parts(np.where(parsing == UNKNOWN, 0, parsing).astype(np.uint8), pose)
        away = np.stack([_from_arm(parsing.shape, pose, side) / unit for side in (0, 1)])
        body = (parsing > 0) & (parsing != UNKNOWN)
        owner[body & (away.min(0) > _FAR)] = 0
        skin, sleeves = parsing == REGION["upper_skin"], np.isin(parsing, _CLOTH) & _free(parsing.shape, pose, unit)
        for part, value in _OF_PART.items():
            side = (value - 1) // 2
            mine = (by_bones == part) & (away[1 - side] > _NEAR)
            owner[mine & ((skin & (away[side] < _NEAR)) | (sleeves & (away[side] < _SLEEVE)))] = value
        # A throat is no arm's.
        owner[skin & np.isin(by_bones, [PARTS.index("torso"), PARTS.index("head")]) & (away.min(0) > _NEAR)] = 0
    if sample.held is not None:
        owner[sample.held > 0] = UNKNOWN
    return Person(sample.image, parsing, pose, owner)


def _free(shape: tuple[int, ...], pose: np.ndarray, unit: float) -> np.ndarray:
    """(H, W) bool: well beside the torso, and above the hips, below which coats are wide."""
    there, torso = visible(pose), np.ones(shape, np.uint8)
    if not there[list(TORSO)].all():
        return np.zeros(shape, bool)
    corners = np.rint(pose[[*SHOULDERS, *HIPS[::-1]], :2] - 0.5).astype(np.int32)
    cv2.fillConvexPoly(torso, cv2.convexHull(corners), 0)
    above = (np.arange(shape[0]) + 0.5 < pose[list(HIPS), 1].min())[:, None]
    return (cv2.distanceTransform(torso, cv2.DIST_L2, 3) > _FREE * unit) & above


def _from_arm(shape: tuple[int, ...], pose: np.ndarray, side: int) -> np.ndarray:
    """(H, W) float32: how far from an arm's bones and hand, in pixels."""
    there, bones = visible(pose), np.ones(shape, np.uint8)
    shoulder, elbow, wrist = ARMS[side]
    lines = []
    if there[shoulder] and there[elbow]:
        lines.append((pose[shoulder, :2], pose[elbow, :2]))
    if there[elbow] and there[wrist]:
        lines.append((pose[elbow, :2], pose[wrist, :2] + 0.4 * (pose[wrist, :2] - pose[elbow, :2])))
    if not lines:
        return np.zeros(shape, np.float32)
    for ends in lines:
        a, b = (np.rint(end - 0.5).astype(int).tolist() for end in ends)
        cv2.line(bones, a, b, 0)
    return cv2.distanceTransform(bones, cv2.DIST_L2, 3)


def posed_scenes(samples: list[Sample], folder: Path, count: int, seed: int) -> list[Sample]:
    """Photos whose people have their limbs turned, most of them with lifted arms; kept in ``folder``, so that a run
    that goes on learns from the same ones.

    Args:
        samples: annotated photos.
        folder: for them, and the empty streets of the photos.
        count: of the scenes.
        seed: of everything random.
    """
    if not (folder / "samples.json").exists():
        begin(folder)
        scenes, rows = Scenes(samples, folder / "streets"), {}
        for number in range(count):
            rng = np.random.default_rng((seed, number))
            index = int(rng.integers(len(samples)))
            sample, street = samples[index], scenes.street(index)
            pose = random_pose(sample.pose, rng)
            if rng.random() < _RAISED:
                pose = raise_arms(pose, rng)
            scene = before(*with_headroom(sample, street, pose))
            height, width = scene.image.shape[:2]
            with np.errstate(invalid="ignore"):
                inside = ((scene.pose[:, :2] >= 0) & (scene.pose[:, :2] < (width, height))).all(1)
            scene.pose[~inside] = np.nan, np.nan, 0
            name = f"{number:05d}"
            rows[name] = write_sample(folder, name, scene.image, scene.pose, parsing=scene.parsing)
        finish(folder, {"samples.json": {"train": rows}})
    return load_samples(folder, "train")


def streets_of(folder: Path) -> list[np.ndarray]:
    """(H, W, 3) uint8 each: the empty streets that :func:`posed_scenes` made."""
    pictures = (cv2.imread(str(path), cv2.IMREAD_COLOR) for path in sorted((folder / "streets").glob("*.png")))
    return [cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) for picture in pictures if picture is not None]
