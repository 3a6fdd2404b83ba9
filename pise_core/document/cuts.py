"""Other cuts of what is worn, at one go: long and short sleeves, a longer and a shorter skirt.

Each makes a new map of regions, in the pose that the map is in; whoever renders it gives the cloth its texture.
"""

import cv2
import numpy as np

from pise_core.errors import InputError
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import BONES, HIPS, KNEES
from pise_core.warping.parts import PARTS, assign_parts

CUTS = ("long_sleeves", "short_sleeves", "longer_skirt", "shorter_skirt")

_CLOTH, _DRESS, _PANTS, _SKIN, _LEG = (
    REGION[name] for name in ("upper_clothes", "dress", "pants", "upper_skin", "leg")
)
#: Where a short sleeve ends, as a share of the upper arm, and a long one, of the forearm.
_SHORT, _LONG = 0.55, 0.97
#: A skirt changes by this share of its length below the hips; it ends no higher than this share of the way to the knees
#: (see :mod:`pise_core.coverage`), and no lower than this multiple of it.
_STEP, _HIGHEST, _LOWEST = 0.3, 0.82, 2.05
#: Half the width of a leg that was hidden, in lengths of the thigh.
_LEG_WIDTH = 0.17


def cut(parsing: np.ndarray, pose: np.ndarray, change: str) -> np.ndarray:
    """The map with another cut.

    Args:
        parsing: (H, W) uint8 regions.
        pose: (18, 3) float32, in the same pixels.
        change: one of :data:`CUTS`.

    Returns:
        (H, W) uint8.

    Raises:
        InputError: on another change, or if there is nothing of which the cut could be changed.
    """
    if change not in CUTS:
        raise InputError(f"a cut is one of: {', '.join(CUTS)}")
    make = _sleeves if change.endswith("sleeves") else _skirt
    made = make(parsing, pose, change in ("long_sleeves", "longer_skirt"))
    if np.array_equal(made, parsing):
        raise InputError(f"{change.replace('_', ' ')} change nothing here: that is how it is cut already")
    return made


def _sleeves(parsing: np.ndarray, pose: np.ndarray, longer: bool) -> np.ndarray:
    garments = [region for region in (_CLOTH, _DRESS) if (parsing == region).any()]
    if not garments:
        raise InputError("there is no top or dress whose sleeves could be cut")
    owner, made, arms = assign_parts(parsing, pose), parsing.copy(), 0
    torso = owner == PARTS.index("torso")
    garment = max(garments, key=lambda region: np.count_nonzero(torso & (parsing == region)))
    for side in ("left", "right"):
        upper, fore = BONES[f"{side}_upper_arm"], BONES[f"{side}_forearm"]
        if not visible(pose)[[*upper, *fore]].all():
            continue
        arms += 1
        on_upper, on_fore = (owner == PARTS.index(f"{side}_{part}") for part in ("upper_arm", "forearm"))
        if longer:
            sleeve = on_upper | (on_fore & (_along(pose, fore, parsing.shape) <= _LONG))
            made[sleeve & (parsing == _SKIN)] = garment
        else:
            bare = on_fore | (on_upper & (_along(pose, upper, parsing.shape) > _SHORT))
            made[bare & np.isin(parsing, (_CLOTH, _DRESS))] = _SKIN
    if not arms:
        raise InputError("no arm is seen whole; show shoulder, elbow and wrist first, or paint the sleeves")
    return made


def _skirt(parsing: np.ndarray, pose: np.ndarray, longer: bool) -> np.ndarray:
    skirt = parsing == _DRESS
    if not skirt.any():
        raise InputError("there is no dress or skirt that could be cut")
    if not visible(pose)[[*HIPS, *KNEES]].all():
        raise InputError("hips or knees are not seen; show them first, or paint the hem")
    hips, knees = (pose[list(pair), :2].mean(0) for pair in (HIPS, KNEES))
    bone = knees - hips
    height, width = parsing.shape
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    down = ((x - hips[0]) * bone[0] + (y - hips[1]) * bone[1]) / (bone @ bone)
    below = skirt & (down > 0)
    if not below.any():
        raise InputError("what is worn there ends above the hips; paint a skirt first")
    hem = float(np.percentile(down[below], 98))
    wanted = min(hem * (1 + _STEP), max(hem, _LOWEST)) if longer else max(hem / (1 + _STEP), min(hem, _HIGHEST))
    factor = wanted / hem
    # What is below the hips is stretched along the thighs: the flare goes on as it was.
    shift = (np.maximum(down, 0) * (1 / factor - 1)).astype(np.float32)
    source_x, source_y = ((v - 0.5).astype(np.float32) + shift * b for v, b in ((x, bone[0]), (y, bone[1])))
    stretched = cv2.remap(
        skirt.astype(np.uint8), source_x, source_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    ).astype(bool)
    made = parsing.copy()
    # Arms and hands before the skirt stay before it.
    made[stretched & (down > 0) & np.isin(parsing, (0, _LEG, _PANTS, _DRESS))] = _DRESS
    gone = below & ~stretched
    legs = np.zeros(parsing.shape, np.uint8)
    thigh = float(np.hypot(*bone))
    for part in ("left_thigh", "left_shin", "right_thigh", "right_shin"):
        a, b = BONES[part]
        if visible(pose)[[a, b]].all():
            (ax, ay), (bx, by) = (pose[joint, :2].astype(int).tolist() for joint in (a, b))
            cv2.line(legs, (ax, ay), (bx, by), 1, max(1, round(2 * _LEG_WIDTH * thigh)))
    made[gone] = np.where(legs[gone] > 0, np.uint8(_LEG), np.uint8(0))
    return made


def _along(pose: np.ndarray, bone: tuple[int, int], shape: tuple[int, ...]) -> np.ndarray:
    """Of each pixel how far it is along a bone, 0 at its beginning and 1 at its end."""
    start, end = (pose[joint, :2].astype(np.float64) for joint in bone)
    d = end - start
    x, y = np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5
    return ((x[None] - start[0]) * d[0] + (y[:, None] - start[1]) * d[1]) / (d @ d + 1e-6)
