"""What of a person is carried at the photo's size: pixels with the soft edges of what moves, and the layers behind."""

from typing import NamedTuple

import numpy as np

from pise_core.finishing import RIM, fronts_of
from pise_core.masks import window_of
from pise_core.view import View
from pise_core.warping.behind import Behind
from pise_core.warping.hidden_arms import stand_ins
from pise_core.warping.part_transforms import part_moves, still
from pise_core.warping.parts import PARTS, among, part_boxes

#: In frame pixels: how far about a moved part its soft edge is looked for.
_EDGE_WINDOW = 12.0


class Moved(NamedTuple):
    """Parts by their index in ``PARTS``: those that a pose moves, and those that are shown for hidden ones."""

    parts: tuple[int, ...]
    shown: tuple[int, ...]

    @classmethod
    def by(cls, view: View, pose: np.ndarray) -> "Moved":
        """By a wanted pose (18, 3) in pixels of the view."""
        moves = part_moves(view.pose, pose)
        boxes = part_boxes(view.owner)
        parts = [i for i, part in enumerate(PARTS) if part in moves and not still(moves[part], boxes[i])]
        shown = [other for other, _ in stand_ins(view.owner, view.pose, pose, moves).values()]
        return cls(tuple(parts), tuple(shown))


class Source(NamedTuple):
    """What :func:`pise_core.warping.warp.carry` is given of a view; it is the same for all poses that move the same
    parts.

    Attributes:
        image, owner, share, behind, held: see there.
    """

    image: np.ndarray
    owner: np.ndarray
    share: np.ndarray | None
    behind: list[Behind]
    held: np.ndarray | None

    @classmethod
    def of(cls, view: View, moved: Moved, scale: float) -> "Source":
        """Of a view of ``scale`` frame pixels per pixel."""
        window = window_of(among(view.owner, [*moved.parts, *moved.shown]), margin=round(_EDGE_WINDOW / scale) + 2)
        if window is None:
            return cls(view.image, view.owner, None, [], None)
        edges = view.edges(window, scale)
        image, owner, share = view.image.copy(), view.owner.copy(), (view.solid > 0).astype(np.float32)
        image[window], owner[window], share[window] = edges.colours, edges.owner, edges.share
        found = [view.behind(name, scale) for name in fronts_of(moved.parts, view.held is not None)]
        held = None if view.held is None else view.held >= 0
        return cls(image, owner, share, [one for one in found if one is not None], held)


def rim_of(scale: float) -> int:
    """How many pixels about a moved part are not believed, at ``scale`` frame pixels per pixel."""
    return max(1, round(RIM / scale))
