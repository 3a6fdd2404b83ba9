"""Borrowed styles: does the region take on the reference's colour, do the others keep theirs, is the slider smooth?

For ordered pairs of test photos the upper clothes' style is swapped in steps of a quarter. Colours are mean CIE
L*a*b* over a region of the photo's own map, at the photo's size.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pise_core.evaluation.entries import Entry, on_given_map, people, timed
from pise_core.evaluation.image_metrics import changed_outside, mean_colour
from pise_core.evaluation.scoring import Outcome
from pise_core.model.answers import Answers
from pise_core.person import Person
from pise_core.regions import REGION, REGION_COUNT, REGIONS
from pise_core.training.data.prepared_folder import Sample

NAME = "upper_clothes"
SHARES = (0.25, 0.5, 0.75, 1.0)
#: Figures that are kept for each pair.
EACH = ("distance_left", "others_changed")
#: Regions of fewer frame pixels have no colour worth measuring.
_LEAST = 150
#: Garments whose colours are no further apart can't be told from each other: no pair.
_APART = 5.0
#: Means of rounded pixels may go back by so much and still count as monotone.
_ROUNDING = 0.02


@dataclass(frozen=True)
class StyleSwap:
    """One ordered pair.

    Attributes:
        name: photo and reference.
        pictures: column of a sheet -> (256, 176, 3) uint8.
        rows: row -> column -> figure; true-or-false figures are 1 or 0.
    """

    name: str
    pictures: dict[str, np.ndarray]
    rows: dict[str, dict[str, float]]


def draw_pairs(samples: Sequence[Sample], count: int, seed: int) -> list[tuple[Sample, Sample]]:
    """``count`` different ordered pairs of annotated photos that both show upper clothes, of different colours."""
    region = REGION[NAME]
    colours = {}
    for sample in samples:
        assert sample.parsing is not None, "only annotated photos are paired"
        inside = sample.parsing == region
        # Before a frame is known: its height is about 1.25 persons, and so is the photo's.
        if inside.sum() * (256 / sample.image.shape[0]) ** 2 >= _LEAST:
            colours[sample.name] = mean_colour(sample.image, inside)
    able = [s for s in samples if s.name in colours]
    ordered = [
        (a, b) for a in able for b in able if a is not b and np.linalg.norm(colours[a.name] - colours[b.name]) >= _APART
    ]
    order = np.random.default_rng(seed).permutation(len(ordered))[:count]
    return [ordered[i] for i in order]


def swaps(pairs: Sequence[tuple[Sample, Sample]], entries: Sequence[Entry]) -> Iterator[StyleSwap]:
    """Every entry on every pair."""
    entries = on_given_map(entries)
    for photo, reference in pairs:
        assert photo.parsing is not None and reference.parsing is not None
        persons = people(entries, photo.image, photo.pose, photo.parsing)
        others = people(entries, reference.image, reference.pose, reference.parsing)
        pictures = {"photo": persons[0].frame.image, "reference": others[0].frame.image}
        rows = {}
        for entry, person, other in zip(entries, persons, others, strict=True):
            rows[entry.name], full = _swap(entry, person, other)
            pictures[entry.name] = person.framing.crop(full, 127)
        yield StyleSwap(f"{photo.name} in {reference.name}", pictures, rows)


def _swap(entry: Entry, person: Person, other: Person) -> tuple[dict[str, float], np.ndarray]:
    """The figures of one pair, and the photo after the full swap."""
    region = REGION[NAME]
    inside = person.parsing == region

    def render(share: float, of: Person = person) -> np.ndarray:
        return of.render(styles={NAME: [(other, share)]}, detail=entry.detail).photo

    photos, seconds = timed(lambda: [render(share) for share in SHARES])
    full = photos[-1]
    own, wanted = mean_colour(person.photo, inside), mean_colour(other.photo, other.parsing == region)
    colours = [own, *(mean_colour(photo, inside) for photo in photos)]
    way = colours[-1] - own
    progress = np.array([colour @ way for colour in colours]) / max(float(np.linalg.norm(way)), 1e-6)
    figures = {
        "towards": float(np.linalg.norm(colours[-1] - wanted) < np.linalg.norm(own - wanted)),
        "distance_left": float(np.linalg.norm(colours[-1] - wanted) / np.linalg.norm(own - wanted)),
        "others_changed": _others_changed(person, full),
        "none_is_photo": float(np.array_equal(render(0.0), person.photo)),
        "all_is_swap": float(np.array_equal(render(1.0, _with_code(person, other)), full)),
        "monotone": float((np.diff(progress) >= -_ROUNDING).all()),
        "outside": changed_outside(person.photo, full, inside, person.framing.scale),
        "seconds": seconds / len(SHARES),
    }
    return figures, full


def _with_code(person: Person, other: Person) -> Person:
    """The person whose own style code of the region is the other's already: at share 1 nothing may be left of it."""
    region = REGION[NAME]
    code = person.code
    styles = code.styles.copy()
    styles[region] = other.code.styles[region]
    assert not np.array_equal(styles, code.styles), "the two garments have the same code"
    answers = Answers()
    answers.of("code", (), lambda: replace(code, styles=styles))
    return replace(person, answers=answers)


def _others_changed(person: Person, after: np.ndarray) -> float:
    """The greatest change of the mean colour of any other region of the person."""
    least = _LEAST / person.framing.scale**2
    moved = [0.0]
    for region in range(1, REGION_COUNT):
        inside = person.parsing == region
        if REGIONS[region] != NAME and inside.sum() >= least:
            moved.append(float(np.linalg.norm(mean_colour(after, inside) - mean_colour(person.photo, inside))))
    return max(moved)


def outcome(found: Sequence[StyleSwap]) -> Outcome:
    """Means over the pairs; of what must be left alone also the worst."""
    rows: dict[str, dict[str, float]] = {}
    each = {}
    for name in found[0].rows if found else ():
        columns = {c: np.array([swap.rows[name][c] for swap in found]) for c in found[0].rows[name]}
        rows[name] = {c: float(values.mean()) for c, values in columns.items()}
        rows[name]["others_changed_most"] = float(columns["others_changed"].max())
        each[name] = {c: columns[c].tolist() for c in EACH}
    return Outcome("styles", len(found), rows, each=each)
