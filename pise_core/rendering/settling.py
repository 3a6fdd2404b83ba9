"""The map that a pose asks for, settled between what was carried there and what the parsing generator says."""

from collections.abc import Callable

import cv2
import numpy as np

from pise_core.framing import Framing
from pise_core.masks import Window, grow, window_of
from pise_core.view import View
from pise_core.warping.warp import Carried

#: What the parsing generator says of a window: regions, and the probability of background.
_Said = Callable[[Window], tuple[np.ndarray, np.ndarray]]
#: How sure the parsing generator must be to overrule a carried label, or background that was seen.
OVERRULE = 0.85
#: What is new of the person lies so near to what was carried, in frame pixels.
BESIDE = 2.5
#: Slits between carried parts are up to twice as wide, in frame pixels.
SLIT = 2.0
#: Narrower rims of new cloth about what moved, in frame pixels, are none.
THIN = 1.6
#: How far about what moved the generator's map counts, in frame pixels.
CONCERNED = 3


def frame_map(probabilities: np.ndarray, source: np.ndarray, carried: Carried, detail: bool) -> np.ndarray:
    """The map in the frame, (256, 176) uint8.

    Args:
        probabilities: (8, 256, 176) float32 of the regions, as the parsing generator gives them.
        source: (256, 176) uint8, the person's own map.
        carried: the person, carried to the pose in the frame.
        detail: whether carried labels count.
    """

    def said(window: Window) -> tuple[np.ndarray, np.ndarray]:
        here = probabilities[:, window[0], window[1]]
        return here.argmax(0).astype(np.uint8), here[0]

    return _without_remains(_settle(said, source, carried, 1.0, detail), carried, 1.0)


def photo_map(probabilities: np.ndarray, framing: Framing, view: View, carried: Carried, detail: bool) -> np.ndarray:
    """The map at the photo's size, (H, W) uint8, where the finished layers and what is held count, too.

    Args:
        probabilities: as for :func:`frame_map`.
        framing: of the frame in the photo.
        view: of the person, at this size.
        carried: the person, carried to the pose at this size.
        detail: whether carried labels count.
    """
    scale = framing.scale

    def said(window: Window) -> tuple[np.ndarray, np.ndarray]:
        # Beyond the frame, where a limb may be dragged to, the generator says nothing: what was carried counts there.
        return framing.paste_most_probable(probabilities, window), framing.paste(probabilities[0], 0.5)[window]

    wanted = _settle(said, view.parsing, carried, scale, detail)
    if detail:
        wanted = _finished(wanted, carried, scale)
    wanted = _without_remains(wanted, carried, scale)
    if detail:
        wanted = _without_rims(wanted, view.parsing, carried, scale)
        wanted[_held_still(view, carried)] = 0
    return wanted


def _settle(said: _Said, source: np.ndarray, carried: Carried, scale: float, detail: bool) -> np.ndarray:
    """The generator's map where parts moved, the source's own elsewhere.

    ``said``: the map in a window, and the probability of background. With the detail path, carried labels and
    background in plain sight yield only to a generator that is sure.
    """
    settled = source.copy()
    moved = carried.lifted | carried.landed
    window = window_of(moved, margin=round(CONCERNED / scale) + 1)
    if window is None:
        return settled
    concerned, (labels, nothing), source = grow(moved[window], CONCERNED / scale), said(window), source[window]
    if detail:
        known, lifted = carried.parsing[window], carried.lifted[window]
        arrived = known > 0
        labels = np.where(arrived & (nothing < OVERRULE), known, labels)
        seen = (source == 0) & ~arrived & ~lifted
        labels = np.where(seen & (nothing > 1 - OVERRULE), 0, labels)
        still = arrived & ~carried.landed[window] & ~lifted
        labels = np.where(still, source, labels)
    np.copyto(settled[window], labels, where=concerned)
    return settled


def _finished(wanted: np.ndarray, carried: Carried, scale: float) -> np.ndarray:
    """The map with the finished layers where parts were that moved: what the generator sees there beyond these counts
    only in slits between what was carried."""
    if carried.staying is None:
        return wanted
    here = window_of(carried.lifted, margin=0)
    if here is None:
        return wanted
    below, known = carried.parsing_below[here], carried.parsing[here]
    # Of a moved part's soft edge less than half is its own: there, too, what lies below counts.
    open_to_it = carried.lifted[here] & (~carried.landed[here] | (known == 0)) & (wanted[here] != below)
    wanted = wanted.copy()
    np.copyto(wanted[here], below, where=open_to_it & (below > 0))
    guessed = np.zeros(wanted.shape, bool)
    np.logical_and(open_to_it, (below == 0) & (known == 0), out=guessed[here])
    radius = SLIT / scale
    window = window_of(guessed, margin=round(2 * radius) + 2)
    if window is not None:
        arrived = carried.parsing[window] > 0
        slits = ~grow(~grow(arrived, radius), radius) if arrived.any() else arrived
        wanted[window][guessed[window] & ~slits] = 0
    return wanted


def _without_remains(wanted: np.ndarray, carried: Carried, scale: float) -> np.ndarray:
    """The map without cloth that the generator sees where parts were, and that nothing of the person touches any more.

    Where all of the person moved, what is new lies close about where they are now.
    """
    arrived = carried.parsing > 0
    left = (wanted > 0) & carried.lifted & ~arrived
    window = window_of(left, margin=round(2 * BESIDE / scale) + 2)
    if window is None:
        return wanted
    left, here = left[window], arrived[window]
    elsewhere = not (arrived & ~carried.landed & ~carried.lifted).any()
    near = grow(here, BESIDE / scale) if here.any() else here
    if not elsewhere:
        _, pieces = cv2.connectedComponents(left.astype(np.uint8))
        near = np.isin(pieces, np.unique(pieces[left & near]))
    gone = left & ~near
    if not gone.any():
        return wanted
    wanted = wanted.copy()
    wanted[window][gone] = 0
    return wanted


def _without_rims(wanted: np.ndarray, source: np.ndarray, carried: Carried, scale: float) -> np.ndarray:
    """The map without narrow rims of new cloth about what moved: its own edge is known better than the generator's."""
    new = (wanted > 0) & (source == 0) & ~carried.lifted & (carried.parsing == 0)
    radius = THIN / scale
    window = window_of(new, margin=round(2 * radius) + 2)
    if window is None:
        return wanted
    thick = grow(~grow(~new[window], radius), radius)
    wanted = wanted.copy()
    wanted[window][new[window] & ~thick] = 0
    return wanted


def _held_still(view: View, carried: Carried) -> np.ndarray:
    """(H, W) bool: what is held and stays where it is, in plain sight."""
    if view.held is None:
        return np.zeros(view.size, bool)
    return (view.held >= 0) & (view.parsing == 0) & ~carried.lifted & ~carried.landed
