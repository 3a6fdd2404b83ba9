"""What an edit made, laid over the photo at its own size, only where the edit concerns it."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pise_core.contact_shadow import ContactShadow, cast
from pise_core.framing import Framing
from pise_core.masks import feather, grow, smooth, window_of
from pise_core.matting import matte
from pise_core.person import Person
from pise_core.rendering.compositing import composite
from pise_core.rendering.wanted import Wanted
from pise_core.warping.warp import Carried

#: Width of the seam about what changes, in frame pixels.
SEAM = 1.3
#: Rows that are finished together: float pictures of a whole large photo would take gigabytes.
STRIP = 128


class Canvas(NamedTuple):
    """One resolution at work."""

    colours: np.ndarray  # (H, W, 3) uint8: carried pixels, borrowed garments among them
    trust: np.ndarray  # (H, W) float32 in [0, 1]: how far they count
    wanted: np.ndarray  # (H, W) uint8: the map


class Places(NamedTuple):
    """Where parts moved at the photo's size, (H, W) bool each."""

    lifted: np.ndarray  # where they were, and a rim about them
    landed: np.ndarray  # where they are
    still: np.ndarray  # where the person stays, and is believed altogether

    @classmethod
    def of(cls, carried: Carried) -> "Places":
        """Of what was carried, or of what of it stays."""
        return cls(carried.lifted, carried.landed, (carried.trust == 1) & ~carried.lifted & ~carried.landed)


class Over(NamedTuple):
    """The parts that moved, in the window where they are now."""

    window: tuple[slice, slice]
    colours: np.ndarray  # (h, w, 3) uint8
    trust: np.ndarray  # (h, w) float32 in [0, 1]: how far they count
    cover: np.ndarray  # (h, w) float32 in [0, 1]: their share of each pixel


def finish(
    out: np.ndarray,
    person: Person,
    below: Canvas,
    places: Places,
    over: Over | None,
    own_map,
    wanted: Wanted,
    painted,
    gate,
) -> None:
    """The photo at its own size, made in a copy of it: what did not move, with what moved parts uncovered, and over it
    those parts.

    Args:
        out: (H, W, 3) uint8, a copy of the photo, which is written to.
        person: at this size.
        below: what stays.
        places: where parts moved.
        over: the moved parts; None where nothing moved, or the detail path is off.
        own_map: (H, W) uint8, what the pose alone asks for of ``below``.
        wanted: the edit.
        painted: (256, 176, 3) float32 in [0, 255], the generator's picture.
        gate: (256, 176) float32 in [0, 1], how far carried pixels count.
    """
    framing, (lifted, landed, still) = person.framing, places
    seam = SEAM / framing.scale
    changed = below.wanted != person.parsing
    concerned = np.zeros_like(lifted)
    if lifted.any():
        concerned = grow(lifted if over else lifted | landed, 2 * seam)
        concerned &= ~still | changed
    # What the pose alone turned into something else is concerned as well, and so is what was painted.
    concerned |= changed
    if own_map is not below.wanted:
        concerned |= below.wanted != own_map
    for region in wanted.styles:
        concerned |= below.wanted == region
    shadows = person.shadows
    if wanted.pose is not None:
        pairs = _shadows(person, wanted.pose)
        whole = slice(0, concerned.shape[0]), slice(0, concerned.shape[1])
        for shadow in (shadow for was, now in pairs if now is not was for shadow in (was, now)):
            found = shadow.within(whole)
            if found is not None:
                concerned[found[0]] |= found[1] > 0
        shadows = [now for _, now in pairs]
    window = window_of(concerned, margin=round(3 * seam) + 4)
    if window is not None:
        _lay_below(out, person, below, lifted, over, concerned, window, painted, gate, own_map, shadows)
    if over is not None:
        _lay_over(out, over, framing, painted, gate)


def _strips(wanted: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Rows and columns about all that is wanted, (H, W) bool, a few rows at a time."""
    for start in range(0, len(wanted), STRIP):
        window = window_of(wanted[start : start + STRIP], margin=0)
        if window is not None:
            rows, columns = window
            yield slice(start + rows.start, start + rows.stop), columns


def _lay_below(
    out: np.ndarray,
    person: Person,
    below: Canvas,
    lifted,
    over: Over | None,
    concerned,
    window,
    painted,
    gate,
    own_map,
    shadows: list[ContactShadow],
) -> None:
    """The finished layers that did not move, over the photo where an edit concerns it; ``window`` is about that, and
    ``over`` are the moved parts that will be laid over them, if there are any."""
    framing = person.framing
    seam = SEAM / framing.scale
    weight = feather(grow(concerned[window], seam), seam)
    if person.full.held is not None:  # what stays of it, and nothing was painted over
        kept = (person.full.held[window] >= 0) & ~lifted[window]
        weight[kept & (below.wanted[window] == own_map[window])] = 0
    silhouette = below.wanted[window] > 0
    if over is not None and silhouette.any():  # beside what covers it no background shines through the layer's edge
        covered = np.zeros(person.parsing.shape, bool)
        covered[over.window] = over.cover > 0.99
        silhouette |= grow(silhouette, SEAM / framing.scale + 1) & covered[window]
    silhouette = matte(silhouette, framing.scale)
    trust = _soft(below.trust[window], framing)
    photo, colours = person.photo[window], below.colours[window]
    background = cast(shadows, person.plate.at(window, wanted=(weight > 0) & (silhouette < 1)), window)
    framing = framing.within(window)
    for here in _strips(weight > 0):
        inside = framing.within(here)
        share = (trust[here] * inside.paste(gate, 1.0))[..., None]
        made = colours[here] * share + inside.paste(painted, 127.5) * (1 - share)
        out[window][here] = composite(photo[here], made, silhouette[here], background[here], weight[here])


def _lay_over(out: np.ndarray, over: Over, framing: Framing, painted, gate) -> None:
    """The parts that moved, over what is there."""
    window, colours, trust, cover = over
    framing, below = framing.within(window), out[window]
    for here in _strips(cover > 0):
        inside = framing.within(here)
        share = (trust[here] * inside.paste(gate, 1.0))[..., None]
        made = colours[here] * share + inside.paste(painted, 127.5) * (1 - share)
        ys, xs = np.nonzero(cover[here])
        part = cover[here][ys, xs, None]
        below[here][ys, xs] = np.rint(made[ys, xs] * part + below[here][ys, xs] * (1 - part)).clip(0, 255)


def _shadows(person: Person, pose: np.ndarray) -> list[tuple[ContactShadow, ContactShadow]]:
    """The shadows beside feet, where they were, and where they are in a pose (18, 3); the same one if it stays."""
    return [(shadow, shadow.moved(person.pose, pose)) for shadow in person.shadows]


def _soft(trust: np.ndarray, framing: Framing) -> np.ndarray:
    """The same trust, fading out before its border: no hard edge between carried and painted pixels."""
    sigma = max(0.6, 0.6 / framing.scale)
    return np.minimum(trust, np.clip(2 * smooth(trust, sigma) - 1, 0, 1))
