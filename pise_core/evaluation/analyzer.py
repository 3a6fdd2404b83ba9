"""The analyzer on test photos: as they are, and framed as the training photos hardly are.

**corner**: the person small in a corner of a wide street scene. **half body**: the photo ends below the hips.
**landscape**: a wide scene as high as the person. **arms up**: both arms turned above the head, where most photos cut
the hands off; **hands up**: the same with more street above. **arms bent**: hands at the face, on the chest or up
beside the shoulder. **legs out**: one leg or both spread, bent or crossed. For the wide scenes people are cut out along
their annotation and put before somebody else's street.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from pise_core.detection.analyzer import Analyzer
from pise_core.evaluation.entries import timed
from pise_core.label_warps import warp_labels
from pise_core.matting import matte
from pise_core.pose import empty_pose, visible
from pise_core.regions import REGIONS
from pise_core.skeleton import ANKLES, ARMS, HIPS, KNEES, WRISTS
from pise_core.training.analyzer.metrics import KeypointAccuracy, RegionOverlap
from pise_core.training.data.articulation import fold_arms, spread_legs
from pise_core.training.data.prepared_folder import Sample, person_box
from pise_core.training.data.scenes import Scenes, before, with_headroom

#: (H, W) of the wide scenes.
_WIDE = (400, 600)
FRAMINGS = ("as it is", "corner", "half body", "landscape", "arms up", "hands up", "arms bent", "legs out")


@dataclass(frozen=True)
class View:
    """A photo to be analyzed, and the truth about it; layouts as in ``Sample``."""

    image: np.ndarray
    pose: np.ndarray
    parsing: np.ndarray


def views(samples: Sequence[Sample], framing: str, seed: int) -> Iterator[View]:
    """One view of every annotated sample, the same ones for the same ``seed``."""
    rng, scenes = np.random.default_rng(seed), Scenes(list(samples))
    for index, sample in enumerate(samples):
        assert sample.parsing is not None, "only annotated photos have a truth"
        whole = View(sample.image, sample.pose, sample.parsing)
        if framing == "as it is":
            yield whole
        elif framing == "half body":
            yield _half(whole)
        elif framing in _TURNED:
            scene = sample, scenes.street(index), _TURNED[framing](sample.pose, rng)
            posed = before(*(with_headroom(*scene) if framing == "hands up" else scene))
            assert posed.parsing is not None
            yield View(posed.image, _within(posed.pose, posed.image), posed.parsing)
        else:
            street = scenes.street((index + 1) % len(samples))
            size = rng.uniform(0.25, 0.35) if framing == "corner" else rng.uniform(0.8, 0.9)
            place = (rng.choice([0.04, 0.96]), rng.choice([0.05, 0.95])) if framing == "corner" else (rng.random(), 0.6)
            yield _before(whole, person_box(sample), street, size, place)


def _arms_up(pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Upper arms up and a little outwards, forearms up."""
    out = pose.copy()
    for (shoulder, elbow, wrist), outwards in zip(ARMS, (-1, 1), strict=True):
        upper, lower = np.hypot(*(pose[elbow, :2] - pose[shoulder, :2])), np.hypot(*(pose[wrist, :2] - pose[elbow, :2]))
        for joint, root, length, most in ((elbow, shoulder, upper, 0.9), (wrist, elbow, lower, 0.4)):
            angle = rng.uniform(0.1, most)
            out[joint, :2] = out[root, :2] + length * np.array([outwards * np.sin(angle), -np.cos(angle)])
    return out


_TURNED = {"arms up": _arms_up, "hands up": _arms_up, "arms bent": fold_arms, "legs out": spread_legs}


def _within(pose: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Joints beyond the picture are missing."""
    height, width = image.shape[:2]
    with np.errstate(invalid="ignore"):
        inside = (pose[:, 0] >= 0) & (pose[:, 0] < width) & (pose[:, 1] >= 0) & (pose[:, 1] < height)
    return np.where(inside[:, None], pose, np.array([np.nan, np.nan, 0], pose.dtype))


def _half(view: View) -> View:
    """Nothing below the hips; where these are not seen, below the middle of the person."""
    hips = view.pose[list(HIPS), 1]
    y = np.nanmean(hips) if np.isfinite(hips).any() else np.nanmean(view.pose[:, 1])
    rows = int(y + 0.06 * np.ptp(view.pose[visible(view.pose), 1]))
    pose = view.pose.copy()
    pose[~(pose[:, 1] < rows)] = np.nan, np.nan, 0
    return View(view.image[:rows], pose, view.parsing[:rows])


def _before(view: View, box, street: np.ndarray, size: float, place: tuple[float, float]) -> View:
    """The person, ``size`` of the scene high, before the middle of a street; ``place`` is a share of the room that is
    left across and down."""
    height, width = _WIDE
    tall = min(street.shape[0], round(street.shape[1] * height / width))
    top = (street.shape[0] - tall) // 2
    scene = cv2.resize(street[top : top + tall], (width, height), interpolation=cv2.INTER_AREA)
    x0, y0, x1, y1 = box
    scale = size * height / (y1 - y0)
    left, down = (width - scale * (x1 - x0)) * place[0], (height - scale * (y1 - y0)) * place[1]
    matrix = np.array([[scale, 0, left - scale * x0], [0, scale, down - scale * y0]], np.float64)
    for_opencv = matrix + [[0, 0, 0.5 * (scale - 1)], [0, 0, 0.5 * (scale - 1)]]
    image = cv2.GaussianBlur(view.image, (0, 0), 0.4 / scale) if scale < 0.7 else view.image
    image = cv2.warpAffine(image, for_opencv, (width, height))
    share = cv2.warpAffine(matte(view.parsing, 1.0), for_opencv, (width, height))[..., None]
    parsing = warp_labels(view.parsing, matrix, (width, height))
    pose = view.pose.copy()
    pose[:, :2] = pose[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    return View(np.rint(image * share + scene * (1 - share)).astype(np.uint8), pose, parsing)


def score(analyzer: Analyzer, seen: Iterable[View]) -> dict[str, float]:
    """Figures over all views: IoU by region and their mean, PCK, photos in which nobody was found, seconds."""
    overlap, accuracy = RegionOverlap(), KeypointAccuracy()
    missed, seconds, count = 0, 0.0, 0
    for view in seen:
        sight, spent = timed(lambda v=view: analyzer.look(v.image))
        seconds, count = seconds + spent, count + 1
        missed += sight is None
        accuracy.add(view.pose, empty_pose() if sight is None else sight.pose)
        found = np.zeros_like(view.parsing) if sight is None else sight.framing.paste_most_probable(sight.probabilities)
        overlap.add(view.parsing, found)
    regions = dict(zip(REGIONS, map(float, overlap.per_region), strict=True))
    return {
        "miou": overlap.mean,
        **accuracy.mean,
        **{
            f"{name}@{threshold}": accuracy.of(joints, threshold)
            for name, joints in (("wrists", WRISTS), ("legs", (*KNEES, *ANKLES)))
            for threshold in accuracy.thresholds
        },
        "missed": float(missed),
        "seconds": seconds / count,
        **regions,
    }
