"""Views of limbs in their own frames, with joints and maps a little wrong, or a good deal, as the analyzer's are."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from pise_core.detection.limbs import (
    COARSE,
    PARTS,
    SIZE,
    STRIDE,
    UNKNOWN,
    Kind,
    Place,
    along_torso,
    body_unit,
    colours_in,
    labels_in,
    place_of,
    seen,
)  # fmt: skip
from pise_core.pose import visible
from pise_core.regions import REGION, REGION_COUNT
from pise_core.skeleton import HIPS
from pise_core.training.data.views import compressed, recoloured
from pise_core.training.limbs.samples import Person

_CELLS = SIZE[0] // COARSE, SIZE[1] // COARSE
#: Of a joint's spot in the truth, in cells.
_SPOT = 1.0
#: In torsos: where about a limb its border weighs fully, and what the rest weighs.
_ABOUT, _REST = 0.3, 0.1
#: In torsos: by how much joints that are found are off.
_OFF, _OFF_LIMB = 0.02, 0.04
#: How often a limb is looked for as if nothing of it had been found.
_ANEW = 0.25
#: How often a hanging limb's joints are found elsewhere, or not at all, and a lifted or spread one's.
_WRONG, _WRONG_UP = 0.2, 0.6
#: Of these: how often the end alone is wrong, both are missing, and both are anywhere. For the others a lifted limb is
#: taken for a hanging one, by the sleeve or the shadow beside the torso; a hanging one is found anywhere.
_END, _NEITHER, _ANYWHERE = (0.45, 0.2), (0.2, 0.25), (0.35, 0.15)


class Mistaken(NamedTuple):
    """How limbs of a kind are mistaken.

    Attributes:
        up: limbs whose direction from root to end has a cosine with straight down below this are lifted or spread; so
            are those that end above their middle.
        lengths: of both bones, in torsos.
        near: joints of the same side, and of the other limb its end and its middle, near which the end is found
            wrongly: how often each.
        taken: what a limb that the map misses is taken for.
        renamed: cloth that is taken for another one, and that one.
    """

    up: float
    lengths: tuple[float, float]
    near: tuple[float, float, float]
    taken: tuple[int, ...]
    renamed: tuple[int, int]


MISTAKEN = {
    "arms": Mistaken(
        0.0,
        (0.6, 0.5),
        (0.3, 0.15, 0.05),
        (0, 0, REGION["leg"], REGION["upper_clothes"], REGION["hair"]),
        (REGION["upper_clothes"], REGION["dress"]),
    ),
    "legs": Mistaken(
        0.87,
        (0.8, 0.75),
        (0.0, 0.4, 0.1),
        (0, 0, REGION["pants"], REGION["leg"], REGION["upper_clothes"]),
        (REGION["pants"], REGION["leg"]),
    ),
}


class View(NamedTuple):
    """What the network is shown, and what it should say.

    Attributes:
        colours: (3, 128, 112) float32.
        maps: (MAPS, 64, 56) float32.
        joints: (2, 1 + 32 * 28) float32, the probability of each place, beyond the frame first.
        joints_weight: (2,) float32; 0 where nobody knows.
        parts: (3, 64, 56) float32, the share of each cell that is a part's.
        parts_weight: (64, 56) float32.
    """

    colours: np.ndarray
    maps: np.ndarray
    joints: np.ndarray
    joints_weight: np.ndarray
    parts: np.ndarray
    parts_weight: np.ndarray


class Source(Protocol):
    """Whatever draws people."""

    def draw(self, rng: np.random.Generator) -> Person: ...


class Photos:
    """Draws from a list of people.

    Args:
        people: that are drawn.
    """

    def __init__(self, people: Sequence[Person]):
        self._people = people

    def draw(self, rng: np.random.Generator) -> Person:
        return self._people[int(rng.integers(len(self._people)))]


class Views:
    """Draws views; the same numbers give the same ones.

    Args:
        kind: of limb.
        sources: of people, each with the share of the views that are theirs.
    """

    def __init__(self, kind: Kind, sources: list[tuple[Source, float]]):
        self._kind = kind
        self._sources = [people for people, _ in sources]
        shares = np.array([share for _, share in sources])
        self._shares = shares / shares.sum()

    def draw(self, rng: np.random.Generator) -> View:
        """A view."""
        while True:
            person = self._sources[rng.choice(len(self._sources), p=self._shares)].draw(rng)
            view = view_of(self._kind, person, int(rng.integers(2)), rng)
            if view is not None:
                return view


def view_of(kind: Kind, person: Person, side: int, rng: np.random.Generator, plain: bool = False) -> View | None:
    """A view of somebody's limb, or None where it is not known.

    Args:
        kind: of limb.
        person: whose.
        side: 0 for the right limb, 1 for the left one.
        rng: of everything random.
        plain: with its true colours and the true map; what is found of the joints is a little wrong anyway.
    """
    found = _found(kind, person.pose, side, rng)
    turned = rng.normal() * 0.1
    if not plain and rng.random() < _ANEW:
        # As a limb is looked for anew.
        found[list(kind.limbs[side][1:])] = np.nan, np.nan, 0
        turned = 2 * turned + kind.turns[rng.integers(2)] if rng.random() < 0.7 else rng.uniform(-np.pi, np.pi)
    elif not plain and rng.random() < 0.1:
        turned = rng.uniform(-np.pi, np.pi)
    place = place_of(kind, found, side, turned, float(np.exp(rng.normal() * 0.1)))
    if place is None or not 0.1 < place.scale < 8:
        return None
    colours = colours_in(person.image, place)
    regions = labels_in(person.parsing if person.found is None else person.found, place, STRIDE)
    if not plain:
        colours = recoloured(compressed(_coarser(colours, rng), rng), rng)
        regions = _misread(kind, regions, place.pose(person.pose), rng)
    shown = seen(kind, colours, regions, place.pose(found))
    joints, weights = _joints(kind, place.pose(person.pose), person)
    return View(*shown, joints, weights, *_parts(person, side, place))


def _joints(kind: Kind, pose: np.ndarray, person: Person) -> tuple[np.ndarray, np.ndarray]:
    truth = np.zeros((2, 1 + _CELLS[0] * _CELLS[1]), np.float32)
    weights = np.zeros(2, np.float32)
    there = visible(pose)
    ys, xs = np.mgrid[: _CELLS[0], : _CELLS[1]] + 0.5
    for row, joint in enumerate(kind.limbs[0][1:]):
        if not person.posed or not (there[joint] or person.exact):
            continue
        weights[row] = 1
        x, y = pose[joint, :2] / COARSE
        if not there[joint] or not (0 <= x < _CELLS[1] and 0 <= y < _CELLS[0]):
            truth[row, 0] = 1
            continue
        spot = np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * _SPOT**2))
        truth[row, 1:] = (spot / spot.sum()).ravel()
    return truth, weights


def _parts(person: Person, side: int, place: Place) -> tuple[np.ndarray, np.ndarray]:
    owner = labels_in(person.owner, place, 1)
    size = SIZE[1] // STRIDE, SIZE[0] // STRIDE

    def small(mask: np.ndarray) -> np.ndarray:
        return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)

    mine = [1 + 2 * side, 2 + 2 * side]
    shares = np.stack([small((owner != UNKNOWN) & ~np.isin(owner, mine)), *(small(owner == value) for value in mine)])
    known = shares.sum(0)
    limbs = np.isin(owner, (1, 2, 3, 4))
    pose = place.pose(person.pose)
    lines = np.ones(SIZE, np.uint8)
    there = visible(pose)
    joints = place.kind.limbs[0]
    for a, b in zip(joints, joints[1:], strict=False):
        if there[a] and there[b]:
            ends = [np.clip(np.rint(pose[j, :2] - 0.5), -500, 500).astype(int).tolist() for j in (a, b)]
            cv2.line(lines, ends[0], ends[1], 0)
    lines[limbs] = 0
    unit = body_unit(pose)
    near = cv2.distanceTransform(lines, cv2.DIST_L2, 3) < _ABOUT * unit if (lines == 0).any() else lines > 0
    weight = small(np.where(near, 1.0, _REST)) * known
    assert len(shares) == PARTS
    return shares / np.maximum(known, 1e-6), weight.astype(np.float32)


def _found(kind: Kind, pose: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """The joints as they may be found."""
    out, unit, mistaken = pose.copy(), body_unit(pose), MISTAKEN[kind.name]
    out[:, :2] += rng.normal(size=(len(pose), 2)) * _OFF * unit
    joint, middle, end = kind.limbs[side]
    there = visible(pose)
    out[[middle, end], :2] += rng.normal(size=(2, 2)) * _OFF_LIMB * unit * rng.uniform(0, 2)
    x, y = pose[end, :2] - pose[joint, :2]
    lifted = there[end] and there[joint] and y < mistaken.up * np.hypot(x, y)
    lifted |= there[end] and there[middle] and pose[end, 1] < pose[middle, 1]
    if rng.random() < (_WRONG_UP if lifted else _WRONG) and there[joint]:
        how = rng.random()
        shares = np.cumsum([way[int(lifted)] for way in (_END, _NEITHER, _ANYWHERE)])
        root, (upper, lower) = out[joint, :2], mistaken.lengths
        if how < shares[0]:
            near = out[middle, :2] if there[middle] else root
            missing = rng.random() < 0.3
            out[end] = (np.nan, np.nan, 0) if missing else _elsewhere(kind, out, near, side, 1.2 * lower, unit, rng)
        elif how < shares[1]:
            out[[middle, end]] = np.nan, np.nan, 0
        elif how < shares[2]:
            out[middle] = *_about(root, 1.1 * upper * unit, rng), 1
            out[end] = _elsewhere(kind, out, out[middle, :2], side, 1.2 * lower, unit, rng)
        else:
            out[middle] = *(root + _hanging(out, upper, unit, rng)), 1
            out[end] = *(out[middle, :2] + _hanging(out, lower, unit, rng)), 1
    for other in (*kind.limbs[1 - side][1:], *kind.others):
        if rng.random() < 0.06:
            out[other] = np.nan, np.nan, 0
    return out


def _hanging(pose: np.ndarray, length: float, unit: float, rng: np.random.Generator) -> np.ndarray:
    """A bone along the torso."""
    down = along_torso(pose)
    angle = np.arctan2(down[1], down[0]) + rng.normal() * 0.25
    return rng.uniform(0.8, 1.1) * length * unit * np.array([np.cos(angle), np.sin(angle)])


def _about(root: np.ndarray, most: float, rng: np.random.Generator) -> np.ndarray:
    angle = rng.uniform(-np.pi, np.pi)
    return root + rng.uniform(0.3, 1.0) * most * np.array([np.cos(angle), np.sin(angle)])


def _elsewhere(
    kind: Kind, pose: np.ndarray, root: np.ndarray, side: int, most: float, unit: float, rng: np.random.Generator
) -> tuple[float, float, float]:
    """A wrist that was found at a hip, or a limb's end on the other limb, or anywhere."""
    _, middle, end = kind.limbs[1 - side]
    number = int(np.searchsorted(np.cumsum(MISTAKEN[kind.name].near), rng.random(), side="right"))
    near = (HIPS[side], end, middle, None)[number]
    if near is not None and visible(pose)[near]:
        x, y = pose[near, :2] + rng.normal(size=2) * 0.1 * unit
    else:
        x, y = _about(root, most * unit, rng)
    return float(x), float(y), 1.0


def _coarser(colours: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sometimes with fewer details, as of somebody who is small in the photo."""
    if rng.random() < 0.3:
        factor = rng.uniform(0.35, 0.9)
        size = round(SIZE[1] * factor), round(SIZE[0] * factor)
        small = cv2.resize(colours, size, interpolation=cv2.INTER_AREA)
        return cv2.resize(small, SIZE[::-1], interpolation=cv2.INTER_LINEAR)
    return colours


def _misread(kind: Kind, regions: np.ndarray, pose: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The regions (64, 56) with the analyzer's faults."""
    how, mistaken = rng.random(), MISTAKEN[kind.name]
    if how < 0.08:
        return np.full_like(regions, UNKNOWN)
    regions = regions.copy()
    if how < 0.3:  # a piece of a limb that was not seen, or was taken for something else
        there = visible(pose)
        joints = [joint for joint in kind.limbs[0][1:] if there[joint]]
        if joints:
            disc = np.zeros_like(regions)
            centre = np.clip(pose[joints[rng.integers(len(joints))], :2] / STRIDE + rng.normal(size=2) * 2, -99, 199)
            cv2.circle(disc, np.floor(centre).astype(int).tolist(), int(rng.integers(3, 10)), 1, -1)
            regions[(disc > 0) & (regions > 0)] = mistaken.taken[rng.integers(len(mistaken.taken))]
    elif how < 0.36:  # cloth of another name
        one, other = mistaken.renamed
        regions[regions == one] = other
    if rng.random() < 0.5:
        sigma = rng.uniform(0.5, 1.6)
        shares = [cv2.GaussianBlur((regions == r).astype(np.float32), (0, 0), sigma) for r in range(REGION_COUNT)]
        shares[0] += rng.uniform(-0.2, 0.2)
        regions = np.argmax(shares, 0).astype(np.uint8)
    return regions
