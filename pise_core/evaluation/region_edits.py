"""Region edits that somebody could paint, drawn by rule on test photos, and what comes of them in the editor.

**sleeves shorter**: cloth on the forearms becomes skin. **sleeves longer**: skin on the forearms down to the wrist
becomes cloth. **a dress for pants**: what the thighs span becomes dress, the rest of the legs bare. **longer hair**:
hair reaches some pixels further over whatever is around it but the face. Each photo gets one of those that make sense
for it.
"""

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np

from pise_core.evaluation.entries import COPY, Entry, Made, on_given_map, people, timed
from pise_core.evaluation.image_metrics import changed_outside
from pise_core.evaluation.scoring import Example
from pise_core.masks import grow
from pise_core.person import Person
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import JOINT
from pise_core.training.data.prepared_folder import Sample
from pise_core.warping.parts import PARTS

#: An edit of fewer frame pixels is not worth asking for.
_LEAST = 40
#: How much longer hair gets, in frame pixels.
_HAIR = 5
_FOREARMS = {"left_forearm": ("left_elbow", "left_wrist"), "right_forearm": ("right_elbow", "right_wrist")}


def region_edits(samples: Sequence[Sample], entries: Sequence[Entry], seed: int) -> Iterator[Example]:
    """An example per annotated photo that an edit makes sense for; the same edits for the same ``seed``."""
    rng, entries = np.random.default_rng(seed), on_given_map(entries)
    for sample in samples:
        assert sample.parsing is not None, "only annotated photos are edited"
        persons = people(entries, sample.image, sample.pose, sample.parsing)
        person, framing = persons[0], persons[0].framing
        kinds = list(EDITS)
        rng.shuffle(kinds)
        for kind in kinds:
            wanted = EDITS[kind](person)
            edited = wanted != person.parsing
            if edited.sum() * framing.scale**2 >= _LEAST:
                break
        else:
            continue

        made: dict[str, Made] = {}
        for entry, own in zip(entries, persons, strict=True):
            edit, seconds = timed(lambda c=entry, p=own, w=wanted: p.render(parsing=w, detail=c.detail, any_map=True))
            outside = changed_outside(sample.image, edit.photo, edited, framing.scale)
            made[entry.name] = Made(framing.crop(edit.photo, 127), seconds, outside=outside)
        made[COPY] = Made(person.frame.image)
        asked = framing.crop(wanted, labels=True)
        yield Example(
            sample.name, kind, person.frame.pose, asked, made, edited=asked != framing.crop(person.parsing, labels=True)
        )


def _sleeves(person: Person, before: str, after: str, reach: float) -> np.ndarray:
    """``before`` becomes ``after`` on the forearms, up to ``reach`` times their length from the elbow."""
    wanted = person.parsing.copy()
    ys, xs = np.nonzero(person.parsing == REGION[before])
    for part, (elbow, wrist) in _FOREARMS.items():
        near, far = person.pose[JOINT[elbow], :2], person.pose[JOINT[wrist], :2]
        bone = far - near
        if not np.isfinite(bone).all():
            continue
        along = (np.stack([xs, ys], 1) + 0.5 - near) @ bone / max(float(bone @ bone), 1e-6)
        here = (person.full.owner[ys, xs] == PARTS.index(part)) & (along < reach)
        wanted[ys[here], xs[here]] = REGION[after]
    return wanted


def _shorter_sleeves(person: Person) -> np.ndarray:
    return _sleeves(person, "upper_clothes", "upper_skin", np.inf)


def _longer_sleeves(person: Person) -> np.ndarray:
    return _sleeves(person, "upper_skin", "upper_clothes", 0.95)


def _dress_for_pants(person: Person) -> np.ndarray:
    wanted = person.parsing.copy()
    knees = person.pose[[JOINT["left_knee"], JOINT["right_knee"]]]
    pants = person.parsing == REGION["pants"]
    if not visible(knees).all() or not pants.any():
        return wanted
    hem = int(knees[:, 1].mean())
    wanted[pants] = REGION["leg"]
    thighs = pants.copy()
    thighs[max(hem, 0) :] = False
    ys, xs = np.nonzero(thighs)
    if not len(ys):
        return person.parsing
    span = np.zeros(pants.shape, np.uint8)
    cv2.fillConvexPoly(span, cv2.convexHull(np.stack([xs, ys], 1).astype(np.int32)), 1)
    # Hands and the hem of a shirt stay in front.
    below = np.isin(person.parsing, [REGION[r] for r in ("background", "pants", "leg")])
    wanted[(span > 0) & below] = REGION["dress"]
    return wanted


def _longer_hair(person: Person) -> np.ndarray:
    longer = grow(person.parsing == REGION["hair"], _HAIR / person.framing.scale)
    return np.where(longer & (person.parsing != REGION["face"]), REGION["hair"], person.parsing).astype(np.uint8)


#: Kind of edit -> the wanted map (H, W) uint8 at the photo's size; the person's own where the edit makes no sense.
EDITS: dict[str, Callable[[Person], np.ndarray]] = {
    "sleeves shorter": _shorter_sleeves,
    "sleeves longer": _longer_sleeves,
    "a dress for pants": _dress_for_pants,
    "longer hair": _longer_hair,
}
