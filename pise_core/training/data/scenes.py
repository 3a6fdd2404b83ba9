"""More street scenes from few: annotated people with their limbs turned, or before somebody else's street.

The photos hardly hold a raised arm, and each street is seen behind one person only. Joints, labels and pixels move by
the same maps as everywhere (``pise_core.warping.warp``).
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from pise_core.files import write_file
from pise_core.framing import Framing
from pise_core.inpainting.background import fill_background
from pise_core.matting import matte
from pise_core.pose import visible
from pise_core.training.data.articulation import fill_holes, raise_arms, random_pose
from pise_core.training.data.prepared_folder import Sample, person_box
from pise_core.warping.parts import assign_parts
from pise_core.warping.warp import carry

#: How many of the annotated samples are re-posed, how many of those lift their arms, and how many (of all) stand before
#: another street.
REPOSED, RAISED, ELSEWHERE = 0.5, 0.75, 0.25


class Scenes:
    """Draws varied scenes of annotated samples; the empty street of each is made once, when it is first needed."""

    def __init__(self, samples: list[Sample], folder: Path | None = None):
        """``folder`` keeps the empty streets, so that a run that goes on need not make them again."""
        self.samples, self._folder = samples, folder
        self._streets: dict[int, np.ndarray] = {}

    def draw(self, rng: np.random.Generator) -> Sample:
        """A sample as wide as the one it was made from; it is higher where hands are lifted beyond the upper edge."""
        index, reposed, elsewhere = int(rng.integers(len(self.samples))), rng.random(), rng.random()
        sample = self.samples[index]
        if reposed >= REPOSED and elsewhere >= ELSEWHERE:
            return sample
        assert sample.parsing is not None, "only annotated samples can be cut out"
        height, width = sample.parsing.shape
        other = int(rng.integers(len(self.samples))) if elsewhere < ELSEWHERE else index
        street = self.street(other)
        if other != index:
            street = cv2.resize(street, (width, height), interpolation=cv2.INTER_AREA)
        pose = random_pose(sample.pose, rng) if reposed < REPOSED else None
        if pose is not None and rng.random() < RAISED:
            pose = raise_arms(pose, rng)
            sample, street, pose = with_headroom(sample, street, pose)
        return before(sample, street, pose)

    def street(self, index: int) -> np.ndarray:
        """The photo of a sample without its person, (H, W, 3) uint8."""
        if index not in self._streets:
            sample = self.samples[index]
            assert sample.parsing is not None
            path = None if self._folder is None else self._folder / f"{sample.name}.png"
            street = cv2.imread(str(path), cv2.IMREAD_COLOR) if path is not None and path.exists() else None
            if street is not None and street.shape == sample.image.shape:
                street = cv2.cvtColor(street, cv2.COLOR_BGR2RGB)
            else:
                framing = Framing.around(person_box(sample), (sample.image.shape[1], sample.image.shape[0]))
                street = fill_background(sample.image, sample.parsing, framing)
                if path is not None:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_file(path, cv2.imencode(".png", cv2.cvtColor(street, cv2.COLOR_RGB2BGR))[1].tobytes())
            self._streets[index] = street
        return self._streets[index]


def with_headroom(sample: Sample, street: np.ndarray, pose: np.ndarray) -> tuple[Sample, np.ndarray, np.ndarray]:
    """Sample, street and pose for :func:`before`; where hands would be cut off, the street is continued upwards,
    mirrored."""
    assert sample.parsing is not None
    there = pose[visible(pose), 1]
    room = int(max(0.0, 0.06 * np.ptp(there) - there.min()))
    room = min(room, len(street) - 1)
    if room == 0:
        return sample, street, pose
    image, parsing, street = (
        cv2.copyMakeBorder(picture, room, 0, 0, 0, cv2.BORDER_REFLECT_101)
        for picture in (sample.image, sample.parsing, street)
    )
    parsing[:room] = 0
    lowered = [0, room, 0]
    return replace(sample, image=image, parsing=parsing, pose=sample.pose + lowered), street, pose + lowered


def before(sample: Sample, street: np.ndarray, pose: np.ndarray | None = None) -> Sample:
    """An annotated sample's person before a street (H, W, 3) of the photo's size, in another pose if one is given."""
    assert sample.parsing is not None, "only annotated samples can be cut out"
    image, parsing = sample.image, sample.parsing
    if pose is not None:
        moved = carry(image, parsing, assign_parts(parsing, sample.pose), sample.pose, pose)
        image, parsing = fill_holes(moved, parsing)
    share = matte(parsing, 1.0)[..., None]
    image = np.rint(image * share + street * (1 - share)).astype(np.uint8)
    # A bag stays behind in its own street, and is missing in another: what the scene shows of it nobody knows.
    return replace(sample, image=image, parsing=parsing, pose=sample.pose if pose is None else pose, held=None)
