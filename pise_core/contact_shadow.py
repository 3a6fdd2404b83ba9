"""The shadow that somebody's feet cast on the ground beside them.

It is darker than the ground beyond it in the same rows, of nearly the same hue, and touches a foot. Left where it was,
it tells where the foot stood, and what is continued behind the legs goes on in its colour. So it is a layer of its own:
the ground below it is filled like what the body hides, and its darkness goes where the foot goes.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np

from pise_core.masks import Nearest, grow, overlap, window_of
from pise_core.pose import visible
from pise_core.skeleton import ANKLES
from pise_core.warping.layers import CutOut
from pise_core.warping.part_transforms import Affine, bounds, shadow_move, still

#: In frame pixels: how far from a foot its shadow is looked for, over how much of that it fades out, and how far away
#: the ground begins and ends that it is compared with.
_REACH, _FADE, _GROUND = 24.0, 9.0, (14.0, 70.0)
#: In frame pixels: rows above and below whose ground counts, how far above the ankle shadows are
#: looked for, and how far above it the foot begins.
_ROWS, _ABOVE, _FOOT = 5, 18.0, 1.0
#: Natural logarithm of how much darker than the ground it is at least; by how much of its share one channel is darker
#: than another at most, or it is a thing of another colour.
_DARKER, _HUE = 0.22, 0.3
#: What is smaller, in frame pixels, is no shadow.
_SMALLEST = 30.0
#: In frame pixels: how far the person's rim reaches, where a shadow is not seen as it is.
_RIM = 2.0
#: So much light is missing at most; and what is less is none.
MOST, _LEAST = 0.85, 0.03

#: In frame pixels: over how wide a border the shadows of both feet go over into one another.
_BETWEEN = 4.0
#: What of a shadow goes with no foot: it fades in where the rest fades out.
_STAYS = "ground"
_FEET = dict(zip(("right", "left"), ANKLES, strict=True))

Window = tuple[slice, slice]
#: Rows and columns, and (h, w) bool in there: where shadows are.
Shadowed = tuple[Window, np.ndarray]


class ContactShadow(NamedTuple):
    """The shadow beside one foot.

    Attributes:
        side: ``left`` or ``right``; ``ground`` for what stays, because it reaches farther than is looked for.
        window: rows and columns that ``darkness`` is about.
        darkness: (h, w) uint8, how much of the ground's light is missing, of 255.
    """

    side: str
    window: Window
    darkness: np.ndarray

    def part(self, window: Window) -> "ContactShadow":
        """The same in pixels of a part of the picture, which it may reach beyond."""
        rows, columns = (
            slice(mine.start - part.start, mine.stop - part.start)
            for mine, part in zip(self.window, window, strict=True)
        )
        return self._replace(window=(rows, columns))

    def moved(self, source: np.ndarray, target: np.ndarray) -> "ContactShadow":
        """Where it is once the person has another pose (18, 3); both in pixels of the picture."""
        found = self.landing(source, target)
        if found is None:
            return self
        move, (rows, columns) = found
        size, origin = (columns.stop - columns.start, rows.stop - rows.start), self.origin
        darkness = move.into(columns.start, rows.start, size, origin)(self.darkness)
        return self._replace(window=(rows, columns), darkness=darkness)

    @property
    def origin(self) -> tuple[int, int]:
        """Its top left corner (x, y)."""
        return self.window[1].start, self.window[0].start

    def landing(self, source: np.ndarray, target: np.ndarray) -> tuple[Affine, Window] | None:
        """Its move to another pose, and the rows and columns that it then takes; None where it stays. As for
        :meth:`moved`."""
        move = None if self.side == _STAYS else shadow_move(source, target, self.side)
        rows, columns = self.window
        box = columns.start, rows.start, columns.stop, rows.stop
        if move is None or still(move, box):
            return None
        low, high = bounds(move, box)
        (x, y), (right, bottom) = (math.floor(value) for value in low), (math.ceil(value) for value in high)
        return move, (slice(y, bottom), slice(x, right))

    def within(self, window: Window) -> tuple[Window, np.ndarray] | None:
        """Where in a window of the picture it lies, in pixels of that, and its darkness there; None if nowhere."""
        found = overlap(self.window, window)
        return None if found is None else (found[0], self.darkness[found[1]])


def cast(shadows: Iterable[ContactShadow], ground: np.ndarray, window: Window) -> np.ndarray:
    """Ground (h, w, 3) uint8, a window of the picture, with the shadows on it."""
    missing = np.zeros(ground.shape[:2], np.float32)
    for shadow in shadows:
        found = shadow.within(window)
        if found is not None:
            missing[found[0]] += found[1] / np.float32(255)
    if not missing.any():
        return ground
    return np.rint(ground * (1 - np.minimum(missing, MOST))[..., None]).astype(np.uint8)


def shadow_layers(shadows: Iterable[ContactShadow]) -> list[CutOut]:
    """Shadows as black that is nearly transparent: ``left_shadow``, ``right_shadow``, ``ground_shadow``; they lie below
    all parts."""
    found = []
    for side, (rows, columns), darkness in shadows:
        x, y, w, h = cv2.boundingRect(darkness)
        if w:
            image = np.zeros((h, w, 4), np.uint8)
            image[..., 3] = darkness[y : y + h, x : x + w]
            found.append(CutOut(f"{side}_shadow", columns.start + x, rows.start + y, image))
    return found


def shadowed(photo: np.ndarray, solid: np.ndarray, pose: np.ndarray, scale: float) -> Shadowed | None:
    """Where feet cast a shadow on the ground beside them.

    Args:
        photo: (H, W, 3) uint8.
        solid: (H, W) uint8, 0 where nobody is, nor anything that they hold.
        pose: (18, 3), in pixels of the photo.
        scale: frame pixels per pixel.

    Returns:
        Rows and columns, and (h, w) bool in there; None where no shadow is seen.
    """
    ankles = [pose[joint, :2] for joint in ANKLES if visible(pose)[joint]]
    if not ankles:
        return None
    # Nothing is seen finer than frame pixels: the cost does not depend on the photo's size.
    top, left = (min(one[axis] for one in ankles) for axis in (1, 0))
    bottom, right = (max(one[axis] for one in ankles) for axis in (1, 0))
    away = (_GROUND[1] + _REACH) / scale
    rows = slice(max(0, int(top - _ABOVE / scale)), min(len(solid), int(bottom + 2 * _REACH / scale)))
    columns = slice(max(0, int(left - away)), min(solid.shape[1], int(right + away)))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    size = [max(2, round((one.stop - one.start) * min(1.0, scale))) for one in (columns, rows)]
    image = cv2.resize(photo[rows, columns], size, interpolation=cv2.INTER_AREA).astype(np.float32) + 4
    body = cv2.resize((solid[rows, columns] > 0).astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.05
    cell = max(scale, 1.0)  # frame pixels
    y = np.arange(size[1])[:, None]
    below = (min(one[1] for one in ankles) - _FOOT / scale - rows.start) * size[1] / (rows.stop - rows.start)
    found = _beside(image, body, body & (y >= below), cell)
    if not found.any():
        return None
    whole = cv2.resize(found.astype(np.uint8), (columns.stop - columns.start, rows.stop - rows.start)) > 0
    there = window_of(whole, margin=round(2 * _RIM / scale) + 2)
    if there is None:
        return None
    y, x = there
    window = slice(rows.start + y.start, rows.start + y.stop), slice(columns.start + x.start, columns.start + x.stop)
    return window, whole[there] & (solid[window] == 0)


def _beside(image: np.ndarray, body: np.ndarray, feet: np.ndarray, cell: float) -> np.ndarray:
    """(h, w) bool: the shadow that touches feet, in cells of so many frame pixels.

    Args:
        image: (h, w, 3) float32, colours above 0.
        body: (h, w) bool.
        feet: (h, w) bool, a part of it.
        cell: frame pixels.
    """
    if not feet.any() or body.all():
        return np.zeros(body.shape, bool)
    away = cv2.distanceTransform((~body).astype(np.uint8), cv2.DIST_L2, 5) * cell
    ground = (away > _GROUND[0]) & (away < _GROUND[1])
    reach, usual = round(_ROWS / cell), np.ones_like(image)
    told = np.zeros(len(body), bool)
    for row in range(len(body)):
        near = slice(max(0, row - reach), row + reach + 1)
        seen = image[near][ground[near]]
        if len(seen) > 30:
            usual[row], told[row] = np.median(seen, 0), True
    share = image / usual
    dark = told[:, None] & (np.log(share.mean(2)) < -_DARKER) & (np.ptp(share, axis=2) < _HUE)
    dark = cv2.morphologyEx((dark & ~body).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)) > 0
    count, pieces = cv2.connectedComponents(dark.astype(np.uint8))
    touching = np.unique(pieces[cv2.dilate(feet.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0])
    near = away < _REACH
    inside, whole = (np.bincount(pieces[cells], minlength=count) for cells in (near, np.ones_like(near)))
    # What is mostly farther away is the shadow of something else, or dark ground.
    own = [piece for piece in touching if piece and inside[piece] >= max(_SMALLEST / cell**2, whole[piece] / 2)]
    return near & np.isin(pieces, own)


def contact_shadows(
    photo: np.ndarray, clean: np.ndarray, solid: np.ndarray, pose: np.ndarray, scale: float, where: Shadowed
) -> list[ContactShadow]:
    """The shadows as layers, one for each foot, and one for what stays.

    Args:
        photo: (H, W, 3) uint8.
        clean: (h, w, 3) uint8, the window of ``where`` without person and shadow.
        solid: (H, W) uint8, 0 where nobody is, nor anything that they hold.
        pose: (18, 3), in pixels of the photo.
        scale: frame pixels per pixel.
        where: what :func:`shadowed` found.
    """
    window, inside = where
    before, after = (one.astype(np.float32).mean(2) + 4 for one in (photo[window], clean))
    body = solid[window] > 0
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), max(0.5, 1 / scale))
    darkness = np.clip(1 - before / after, 0, MOST) * np.minimum(1, 2 * soft)
    known = inside & ~grow(body, _RIM / scale)
    if known.any():  # beside the foot, and a little below it, it is as it is next to these
        nearest = Nearest(known)
        ys, xs = np.nonzero(~known & (body | inside))
        near = nearest.distance[ys, xs] <= 2 * _RIM / scale + 1
        darkness[ys, xs] = np.where(near, darkness[nearest.at(ys, xs)], 0)
    else:
        darkness[body] = 0
    away = cv2.distanceTransform((~body).astype(np.uint8), cv2.DIST_L2, 5) * scale
    y, x = (np.arange(one.start, one.stop, dtype=np.float32) for one in window)
    top = min(pose[joint, 1] for joint in _FEET.values() if visible(pose)[joint]) - _ABOVE / scale
    down = np.clip((y - top) * scale / _FADE, 0, 1)[:, None]
    goes = np.clip((_REACH - away) / _FADE, 0, 1) * down
    stays = np.rint(255 * darkness * (1 - goes) * (darkness >= _LEAST)).astype(np.uint8)
    darkness = darkness * goes
    darkness[darkness < _LEAST] = 0
    far = {
        name: np.hypot(x[None] - pose[joint, 0], y[:, None] - pose[joint, 1]) * scale
        for name, joint in _FEET.items()
        if visible(pose)[joint]
    }
    if len(far) == 2:
        left = np.clip(0.5 + (far["right"] - far["left"]) / (2 * _BETWEEN), 0, 1)
        shares = {"left": left, "right": 1 - left}
    else:
        shares = {name: np.float32(1) for name in far}
    made = ((name, np.rint(255 * darkness * share).astype(np.uint8)) for name, share in shares.items())
    found = [ContactShadow(name, window, missing) for name, missing in made if missing.any()]
    return [*found, ContactShadow(_STAYS, window, stays)] if found and stays.any() else found
