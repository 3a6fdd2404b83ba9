"""People of whom it is known where their limbs are, and which pixels are whose.

Of rendered people all is known. Of street photos the joints are, and of pixels what skin, hair, streets and trousers
tell; which cloth is a sleeve is only known far from any arm, and whose leg is in sight only where it is near one alone.
"""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.detection.limbs import ARMS_KIND, UNKNOWN, Kind, body_unit
from pise_core.detection.network import AnalyzerNetwork
from pise_core.files import write_file
from pise_core.framing import Framing
from pise_core.pose import bounding_box, visible
from pise_core.regions import REGION
from pise_core.skeleton import HIPS, SHOULDERS, TORSO
from pise_core.synthesis.dataset import LAYERS, Picture
from pise_core.training.analyzer.run import look
from pise_core.training.data.articulation import fold_arms, raise_arms, random_pose, spread_legs
from pise_core.training.data.prepared_folder import Sample, begin, finish, load_samples, write_sample
from pise_core.training.data.scenes import Scenes, before, with_headroom
from pise_core.warping.parts import PARTS, assign_parts

#: Of the rendered people, so many are held back for validation: the last.
HELD_BACK = 0.1
#: How many re-posed photos lift or fold their arms, or spread their legs, and how many of the arms are folded.
_TURNED, _FOLDED = 0.75, 0.45
#: In torsos: what is farther from a limb's bones is not its own, what is nearer to a bare one's is, and how near to
#: one's that is this far from the torso cloth is its sleeve.
_FAR, _NEAR, _SLEEVE, _FREE = 0.3, 0.16, 0.12, 0.15
_CLOTH = (REGION["upper_clothes"], REGION["dress"])
_NOBODYS = (REGION["background"], REGION["hair"], REGION["face"])


class Owning(NamedTuple):
    """What belongs to a kind of limb.

    Attributes:
        segments: of ``LAYERS``: the upper half, then those of the lower half.
        bare: regions that are its own near its bones.
        cloth: regions that are its own where nothing else is near.
        never: regions that are never its own.
    """

    segments: tuple[str, ...]
    bare: tuple[int, ...]
    cloth: tuple[int, ...]
    never: tuple[int, ...]


OWNING = {
    "arms": Owning(("upper_arm", "forearm", "hand"), (REGION["upper_skin"],), _CLOTH, _NOBODYS),
    "legs": Owning(
        ("thigh", "shin", "foot"), (REGION["pants"], REGION["leg"]), (), (*_NOBODYS, REGION["upper_skin"], *_CLOTH)
    ),
}


def of_layers(kind: Kind) -> np.ndarray:
    """(LAYERS,) uint8, see ``Person.owner``."""
    upper, *lower = OWNING[kind.name].segments
    table = np.zeros(len(LAYERS), np.uint8)
    for index, name in enumerate(LAYERS[1:], 1):
        layer, segment = name.split("/")
        side, _, part = segment.partition("_")
        if part in (upper, *lower) and layer != "held":
            table[index] = 1 + 2 * (side == "left") + (part != upper)
    return table


def _of_parts(kind: Kind) -> dict[int, int]:
    """Of ``PARTS``, by its index, a limb's half, see ``Person.owner``."""
    upper, lower, *_ = OWNING[kind.name].segments
    return {
        PARTS.index(f"{side}_{part}"): 1 + 2 * (side == "left") + (part == lower)
        for side in ("right", "left")
        for part in (upper, lower)
    }


class Person(NamedTuple):
    """Somebody in a picture.

    Attributes:
        image: (H, W, 3) uint8.
        parsing: (H, W) uint8, the regions; ``UNKNOWN`` where nobody knows.
        pose: (18, 3) in pixels of the picture.
        owner: (H, W) uint8: 0 no such limb, 1 and 2 the right upper arm or thigh and what is below elbow or knee, 3 and
            4 the left ones; ``UNKNOWN`` where nobody knows.
        exact: whether a joint that is missing is beyond the picture; otherwise nobody knows.
        posed: whether the joints are those of the limbs that are seen.
        found: (H, W) uint8, the regions as the analyzer sees them, which misses limbs that it doesn't expect; None
            where ``parsing`` is shown.
    """

    image: np.ndarray
    parsing: np.ndarray
    pose: np.ndarray
    owner: np.ndarray
    exact: bool = False
    posed: bool = True
    found: np.ndarray | None = None


def rendered(picture: Picture, kind: Kind) -> Person:
    """A rendered person with limbs of a kind."""
    owner = of_layers(kind)[picture.layers]
    owner[picture.regions == 0] = 0
    return Person(np.asarray(picture.image), np.asarray(picture.regions), picture.joints.copy(), owner, exact=True)


def photographed(sample: Sample, kind: Kind) -> Person:
    """Somebody in a street photo whose regions are known, if only in part."""
    assert sample.parsing is not None
    parsing, pose, owning = sample.parsing, sample.pose, OWNING[kind.name]
    owner = np.full(parsing.shape, UNKNOWN, np.uint8)
    owner[np.isin(parsing, owning.never)] = 0
    unit = body_unit(pose)
    if unit >= 1:
        by_bones = assign_parts(np.where(parsing == UNKNOWN, 0, parsing).astype(np.uint8), pose)
        away = np.stack([_from_limb(parsing.shape, pose, kind, side) / unit for side in (0, 1)])
        body = (parsing > 0) & (parsing != UNKNOWN)
        owner[body & (away.min(0) > _FAR)] = 0
        bare, sleeves = np.isin(parsing, owning.bare), np.zeros(parsing.shape, bool)
        if owning.cloth:
            sleeves = np.isin(parsing, owning.cloth) & _free(parsing.shape, pose, unit)
        for part, value in _of_parts(kind).items():
            side = (value - 1) // 2
            mine = (by_bones == part) & (away[1 - side] > _NEAR)
            owner[mine & ((bare & (away[side] < _NEAR)) | (sleeves & (away[side] < _SLEEVE)))] = value
        if kind is ARMS_KIND:
            # A throat is no arm's.
            owner[bare & np.isin(by_bones, [PARTS.index("torso"), PARTS.index("head")]) & (away.min(0) > _NEAR)] = 0
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


def _from_limb(shape: tuple[int, ...], pose: np.ndarray, kind: Kind, side: int) -> np.ndarray:
    """(H, W) float32: how far from a limb's bones and its hand or foot, in pixels."""
    there, bones = visible(pose), np.ones(shape, np.uint8)
    root, middle, end = kind.limbs[side]
    lines = []
    if there[root] and there[middle]:
        lines.append((pose[root, :2], pose[middle, :2]))
    if there[middle] and there[end]:
        lines.append((pose[middle, :2], pose[end, :2] + 0.4 * (pose[end, :2] - pose[middle, :2])))
    if not lines:
        return np.zeros(shape, np.float32)
    for ends in lines:
        a, b = (np.rint(end - 0.5).astype(int).tolist() for end in ends)
        cv2.line(bones, a, b, 0)
    return cv2.distanceTransform(bones, cv2.DIST_L2, 3)


def posed_scenes(kind: Kind, samples: list[Sample], folder: Path, count: int, seed: int) -> list[Sample]:
    """Photos whose people have their limbs turned, most of them with lifted or folded arms, or legs spread; kept in
    ``folder``, so that a run that goes on learns from the same ones.

    Args:
        kind: of limb that is lifted or spread.
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
            if rng.random() < _TURNED:
                pose = _turned(kind, pose, rng)
            scene = before(*with_headroom(sample, street, pose))
            height, width = scene.image.shape[:2]
            with np.errstate(invalid="ignore"):
                inside = ((scene.pose[:, :2] >= 0) & (scene.pose[:, :2] < (width, height))).all(1)
            scene.pose[~inside] = np.nan, np.nan, 0
            name = f"{number:05d}"
            rows[name] = write_sample(folder, name, scene.image, scene.pose, parsing=scene.parsing)
        finish(folder, {"samples.json": {"train": rows}})
    return load_samples(folder, "train")


def with_found_maps(people: list[Person], network: AnalyzerNetwork, folder: Path) -> list[Person]:
    """The same people with the regions that an analyzer sees; these are kept in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for number, person in enumerate(people):
        path = folder / f"{number:05d}.png"
        found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.exists() else None
        if found is None:
            framing = Framing.around(bounding_box(person.pose), person.image.shape[1::-1])
            found = framing.paste_most_probable(look(network, framing.crop(person.image, 127)))
            write_file(path, cv2.imencode(".png", found)[1].tobytes())
        out.append(person._replace(found=found))
    return out


def _turned(kind: Kind, pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if kind is not ARMS_KIND:
        return spread_legs(pose, rng)
    return fold_arms(pose, rng) if rng.random() < _FOLDED else raise_arms(pose, rng)


def streets_of(folder: Path) -> list[np.ndarray]:
    """(H, W, 3) uint8 each: the empty streets that :func:`posed_scenes` made."""
    pictures = (cv2.imread(str(path), cv2.IMREAD_COLOR) for path in sorted((folder / "streets").glob("*.png")))
    return [cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) for picture in pictures if picture is not None]
