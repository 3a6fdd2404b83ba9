"""A fair simple rival: the person's parts moved to the wanted pose, and nothing else.

Nothing is learned but the map that says which pixel belongs to what. There is no network to heal seams, to close holes
or to settle a silhouette: the person is wherever parts landed.
"""

import numpy as np

from pise_core.person import Edit, Person
from pise_core.rendering.compositing import composite
from pise_core.warping.warp import Carried, carry


def warp(person: Person, pose: np.ndarray) -> Edit:
    """The person part by part in another pose, at the photo's size, over the photo without the person.

    Args:
        person: from ``Editor.set_person``.
        pose: (18, 3) the wanted joints in pixels of the photo.

    Returns:
        An edit whose ``frame`` is the view of the person's own frame, surroundings included.
    """
    view = person.full
    moved = carry(view.image, view.parsing, view.owner, view.pose, pose)
    everywhere = np.ones(view.size, np.float32)
    photo = composite(person.photo, moved.image, moved.trust, person.background, everywhere)
    changed = (photo != person.photo).any(2)
    return Edit(photo, person.framing.crop(photo, 127), moved.parsing, changed, moved.parsing)


def on_grey(moved: Carried) -> np.ndarray:
    """The carried parts alone, (H, W, 3) uint8, on neutral grey."""
    return np.where(moved.trust[..., None] > 0.5, moved.image, np.uint8(128))
