"""Room beside a photo for a pose that leaves it: how much is needed, and people and edits on the larger canvas.

Nothing is looked at again: what is known of a person moves along with their pixels.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from pise_core.document.edits import Edits, Paint
from pise_core.document.paint import UNTOUCHED, PaintLayer, working_size
from pise_core.errors import InputError
from pise_core.held import Carrier, Held
from pise_core.images import MAX_PIXELS, MAX_SIDE
from pise_core.inpainting.margins import Margins, continue_beyond
from pise_core.masks import Nearest
from pise_core.person import Person, SavedPerson
from pise_core.pose import visible
from pise_core.skeleton import ARMS
from pise_core.warping.part_transforms import part_moves
from pise_core.warping.parts import PARTS

#: At most this share of the photo's width or height is added at a side.
MOST = 0.5
#: How far the hand reaches beyond the wrist, in lengths of the forearm.
_HAND = 0.6
#: More than is needed, as a share of the photo's longer side.
_LITTLE = 0.02
#: Of the pixels of a part, the share at each end that says nothing about how far it reaches: specks of the map.
_SPECKS = 0.002

Size = tuple[int, int]


def leaves(person: Person, pose: np.ndarray) -> bool:
    """Whether a wanted pose (18, 3) takes a joint or a hand of the person out of the photo, which was in it before."""
    return bool(_leaving(person, pose).any())


def room_for(person: Person, pose: np.ndarray, size: Size) -> Margins:
    """How much a wanted pose needs at each side, and a little more; none at sides that it doesn't leave.

    Args:
        person: at any size, for example at preview size.
        pose: (18, 3) in pixels of that person's photo.
        size: (H, W) of the photo that grows.

    Raises:
        InputError: if the pose stays in the photo, or the photo is as large as photos may be.
    """
    height, width = person.parsing.shape
    needed = _leaving(person, pose)
    sides = needed > 0
    if not sides.any():
        raise InputError("the pose stays within the photo: there is nothing to make room for")
    needed = np.maximum(needed, _beyond(_moved(person, pose), (height, width)).max(0, initial=0))
    scale = np.array([size[1] / width, size[0] / height] * 2)
    wanted = np.where(sides, needed * scale + _LITTLE * max(size), 0)
    return bounded(np.ceil(wanted), size)


def bounded(wanted: Sequence[float] | np.ndarray, size: Size) -> Margins:
    """Margins (left, top, right, bottom) that a photo of ``size`` (H, W) may have: at most half of it at a side, and
    no more pixels than photos may have.

    Raises:
        InputError: if they are not four whole numbers from 0 on, if they are all 0, or if nothing may be added.
    """
    height, width = size
    try:
        given = np.asarray(wanted)
        sides = given.astype(np.float64) if given.dtype.kind in "iuf" else np.zeros(0)
    except (ValueError, TypeError, OverflowError):
        sides = np.zeros(0)
    if sides.shape != (4,) or not np.isfinite(sides).all() or (sides < 0).any() or (sides != np.floor(sides)).any():
        raise InputError("margins are four whole numbers from 0 on: left, top, right and bottom, in pixels")
    if not sides.any():
        raise InputError("all margins are 0; say how many pixels are to be added")
    across = np.array([width, height] * 2)
    sides = np.minimum(sides, np.floor(MOST * across))
    added = np.maximum(sides[:2] + sides[2:], 1)
    sides *= np.tile(np.clip((MAX_SIDE - across[:2]) / added, 0, 1), 2)
    for share in np.linspace(1, 0, 65):
        margins = Margins(*(int(side * share) for side in sides))
        if any(margins) and math.prod(across[:2] + margins[:2] + np.array(margins[2:])) <= MAX_PIXELS:
            return margins
    raise InputError("the photo is as large as photos may be; make it smaller, then make room")


def grown_photo(people: Sequence[Person], margins: Margins) -> np.ndarray:
    """The photo of these people with margins, (H, W, 3) uint8; its own pixels keep their bits."""
    first = people[0]
    there = np.any([(person.full.solid > 0) | person.plate.passers_by() for person in people], 0)
    scale = max(person.framing.scale for person in people)
    return continue_beyond(first.photo, margins, there, scale, first.editor.inpainter)


def grown_person(person: Person, margins: Margins, photo: np.ndarray) -> SavedPerson:
    """What is known of a person, in the grown ``photo``."""
    (height, width), held = person.parsing.shape, person.held
    rows, columns = (-margins.top, height + margins.bottom), (-margins.left, width + margins.right)
    return SavedPerson(
        photo,
        shifted(person.pose, margins),
        np.pad(person.parsing, margins.padding()),
        person.framing.within((slice(*rows), slice(*columns))),
        None if held is None else held.padded(margins.padding()),
    )


def grown_carriers(before: Held, now: Held, margins: Margins) -> tuple[Carrier, ...]:
    """What the things ``now`` go with on the larger canvas, if those ``before`` went with what they went with; empty
    where they do so by themselves. Painted things may have come to touch one another there, or to part."""
    before = before.padded(margins.padding())
    there, wanted = Nearest(before.labels > 0), []
    for n, of in enumerate(now.origin(before), 1):
        if of < 0:  # a speck that lies beside its old place
            y, x = there.at(*(values[:1] for values in np.nonzero(now.labels == n)))
            of = int(before.labels[y, x][0]) - 1
        wanted.append(before.carriers[of])
    wanted = tuple(wanted)
    return () if wanted == now.carriers else wanted


def grown_edits(edits: Edits, margins: Margins, size: Size) -> Edits:
    """The same edits on the larger canvas, but what held things go with, see :func:`grown_carriers`; ``size`` (H, W)
    is the photo's before."""

    def moved(paint: Paint | None) -> Paint | None:
        if paint is None:
            return None
        pose = None if paint.pose is None else shifted(paint.pose, margins)
        return replace(paint, layer=_grown_layer(paint.layer, margins, size), pose=pose)

    motion = replace(edits.motion, keys=tuple(shifted(key, margins) for key in edits.motion.keys))
    pose = None if edits.pose is None else shifted(edits.pose, margins)
    things = None if edits.things is None else _grown_layer(edits.things, margins, size)
    paint, retouch = moved(edits.paint), moved(edits.retouch)
    return replace(edits, pose=pose, paint=paint, retouch=retouch, motion=motion, things=things, held=())


def shifted(pose: np.ndarray, margins: Margins) -> np.ndarray:
    """A pose (18, 3) in pixels of the grown photo."""
    return (pose + np.array([margins.left, margins.top, 0])).astype(np.float32)


def _grown_layer(layer: PaintLayer, margins: Margins, size: Size) -> PaintLayer:
    """A painted layer at the working size of the grown photo; of each piece at least a pixel is left."""
    height, width = size
    w, h = working_size(width + margins.left + margins.right, height + margins.top + margins.bottom)
    there: list[Any] = []
    for count, before, added, full, known in (
        (h, margins.top, margins.top + margins.bottom, height, layer.size[1]),
        (w, margins.left, margins.left + margins.right, width, layer.size[0]),
    ):
        # The middle of each of its pixels, in pixels of the layer as it was.
        at = np.floor(((np.arange(count) + 0.5) * ((full + added) / count) - before) * (known / full)).astype(int)
        there.append((np.flatnonzero((at >= 0) & (at < known)), at))
    (rows, from_rows), (columns, from_columns) = there
    labels = np.full((h, w), UNTOUCHED, np.uint8)
    known, taken = layer.labels(), np.ix_(from_rows[rows], from_columns[columns])
    labels[np.ix_(rows, columns)] = known[taken]
    # The layer of a large photo grows no larger, and a speck may lie between the places that are looked at.
    for value in np.unique(known[known != UNTOUCHED]).tolist():
        count, pieces = cv2.connectedComponents((known == value).astype(np.uint8))
        for piece in sorted(set(range(1, count)) - set(np.unique(pieces[taken]).tolist())):
            y, x = (int(values[0]) for values in np.nonzero(pieces == piece))
            y, x = (np.abs(np.asarray(at) - value).argmin() for at, value in ((from_rows, y), (from_columns, x)))
            labels[y, x] = value
    grown = PaintLayer.of(labels)
    assert grown is not None, "of each piece a pixel is left at least"
    return grown


def _leaving(person: Person, pose: np.ndarray) -> np.ndarray:
    """(4,): how far joints and hands leave the photo at the left, the top, the right and the bottom. What was outside
    at a side before does not leave it."""
    size = person.parsing.shape
    away = _beyond(_tips(pose), size)
    return np.where(_beyond(_tips(person.pose), size) > 0, 0, away).max(0)


def _tips(pose: np.ndarray) -> np.ndarray:
    """(20, 2): the joints and the ends of the hands; nan where they are missing."""
    points = np.where(visible(pose)[:, None], pose[:, :2], np.nan)
    hands = [points[wrist] + _HAND * (points[wrist] - points[elbow]) for _, elbow, wrist in ARMS]
    return np.concatenate([points, hands])


def _moved(person: Person, pose: np.ndarray) -> np.ndarray:
    """(N, 2): corners of what each part covers in the wanted pose."""
    moves, owner = part_moves(person.pose, pose), person.full.owner
    corners = [np.zeros((0, 2))]
    for index, part in enumerate(PARTS):
        ys, xs = np.nonzero(owner == index)
        if part in moves and len(xs):
            points = moves[part].points(np.stack([xs + 0.5, ys + 0.5], 1))
            corners.append(np.quantile(points, (_SPECKS, 1 - _SPECKS), axis=0))
    return np.concatenate(corners)


def _beyond(points: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """(N, 4): how far points lie outside of a photo of ``size`` (H, W) at the left, the top, the right and the bottom;
    0 for those that don't, or are missing."""
    height, width = size
    x, y = points.T
    return np.nan_to_num(np.maximum(np.stack([-x, -y, x - width, y - height], 1), 0))
