"""How trousers hang: where their legs end and how wide they are, told by two legs of one pair.

Legs of trousers are alike. So what a bag hides of one is known of the other, and what the photo's edge cuts off goes on
to the ankle. Trousers fit at the hips, and those that are cut like the wearer's own hang as these do.
"""

from collections.abc import Mapping

import cv2
import numpy as np

from pise_core.pose import visible
from pise_core.skeleton import HIPS, LEGS, NECK
from pise_core.warping.bare_body import beyond, drawn, limb
from pise_core.warping.garment_warp import along_bones

#: In lengths of the torso: how long thigh and shin are where they are not seen.
_BONES = (0.8, 0.8)
#: Of the way from hips to knees: legs part no higher than the first and no lower than the second.
_CROTCH = (0.16, 0.34)
#: A hem at or below this place is one at the ankle.
_ANKLE = 1.85
#: Between these places along a leg widths are compared; cut alike are trousers whose widths have a ratio between these.
_COMPARED, _ALIKE = (0.25, 1.75), (0.82, 1.2)
#: How much shorter, in places along a leg, the wearer's may be to tell how the others hang.
_SHORTER = 0.3


def with_legs(pose: np.ndarray) -> np.ndarray:
    """A pose (18, 3) whose knees and ankles that the photo cuts off hang below the hips; the rest is as it was."""
    there, made = visible(pose), pose.copy()
    if not there[[NECK, *HIPS]].all():
        return pose
    down = pose[list(HIPS), :2].mean(0) - pose[NECK, :2]
    size = float(np.hypot(*down))
    down = down / max(size, 1e-3)
    for hip, knee, ankle in LEGS:
        if not there[knee]:
            made[knee] = *(pose[hip, :2] + _BONES[0] * size * down), 1
        if not there[ankle] or not there[knee]:
            thigh = made[knee, :2] - pose[hip, :2]
            way = thigh / max(float(np.hypot(*thigh)), 1e-3)
            made[ankle] = *(made[knee, :2] + _BONES[1] * size * way), 1
    return made


def alike(
    hems: Mapping[str, float], reach: Mapping[str, np.ndarray], cut_off: bool
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """Hems and reaches (see ``Garment``) of two legs of one pair: those of the longer, and of the wider.

    Args:
        hems, reach: name of a leg -> as in ``Garment``.
        cut_off: whether the photo ends before the trousers do: they go on to the ankle.

    Returns:
        The same two, for both legs.
    """
    names = ("right_leg", "left_leg")
    seen = [hems[name] for name in names if name in hems]
    wide = [reach[name] for name in names if name in reach]
    if not seen or not wide:
        return dict(hems), dict(reach)
    hem = 2.0 if cut_off else max(seen)
    return dict.fromkeys(names, hem), dict.fromkeys(names, np.max(wide, axis=0))


def as_wide(legs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Widths of two legs of one pair, as ``width_of`` gives them: each as wide as the wider one; one that isn't seen is
    the other one, turned over."""
    made = {name: leg for name, leg in legs.items() if leg[:, 0].any()}
    for name, other in (("right_leg", "left_leg"), ("left_leg", "right_leg")):
        if name in made and other not in made:
            made[other] = made[name] * (1, -1)
    wide = np.max([leg[:, 0] for leg in made.values()], axis=0) if made else 0
    return {name: np.stack([wide, leg[:, 1]], 1) for name, leg in made.items()}


def legs_of(
    pose: np.ndarray,
    shape: tuple[int, int],
    wide: np.ndarray | Mapping[str, np.ndarray],
    places: np.ndarray,
    hem: float,
    crotch: float,
) -> np.ndarray:
    """(H, W) bool: trousers about two legs, by their widths.

    Args:
        pose: (18, 3) of the wearer.
        shape: (H, W).
        wide: (K,) half the width of a leg, in pixels, at ``places`` along it (0 hip, 1 knee, 2 ankle); or for
            each leg that and how far its middle lies beside the bone, as :func:`as_wide` gives them.
        places: (K,).
        hem: where along a leg they end.
        crotch: where, of the way from hips to knees, the legs part.
    """
    found, inner = np.zeros(shape, bool), []
    for name, joints in zip(("right_leg", "left_leg"), LEGS, strict=True):
        outline = limb(pose, joints)
        if outline is None:
            continue
        leg = np.stack([wide, np.zeros_like(wide)], 1) if isinstance(wide, np.ndarray) else wide[name]
        at = np.linspace(0, 2 if len(outline) > 30 else 1, len(outline))
        half, beside = (np.interp(at, places, column) for column in leg.T)
        way = np.gradient(outline[:, :2], axis=0)
        across = np.c_[-way[:, 1], way[:, 0]] / np.maximum(np.hypot(*way.T), 1e-3)[:, None]
        outline = np.c_[outline[:, :2] + beside[:, None] * across, half].astype(np.float32)
        end = min(int(np.searchsorted(at, hem)), len(at) - 1)
        found |= drawn(outline[: end + 1], shape) & ~beyond(outline, end, shape)
        inner.append(outline[: max(2, int(np.searchsorted(at, crotch)) + 1), :2])
    if len(inner) == 2:
        between = np.zeros(shape, np.uint8)
        corners = np.concatenate([inner[0], inner[1][::-1]])
        cv2.fillPoly(between, [np.rint((corners - 0.5) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
        found |= between > 0
    return found


def below_hem(pose: np.ndarray, shape: tuple[int, int], hem: float) -> np.ndarray:
    """(H, W) bool: nearer to what of the legs lies below a hem (0 hip, 1 knee, 2 ankle) than to what lies above."""
    found, near = np.zeros(shape, bool), np.full(shape, np.inf)
    if hem > _ANKLE:  # all of it is trousers
        return found
    ys, xs = np.mgrid[: shape[0], : shape[1]] + 0.5
    points = np.stack([xs.ravel(), ys.ravel()], 1)
    for joints in LEGS:
        if not visible(pose)[list(joints)].all():
            continue
        away, where = along_bones(points, pose[list(joints), :2].astype(np.float64))
        away, where = away.reshape(shape), where.reshape(shape)
        found, near = np.where(away < near, where > hem, found), np.minimum(near, away)
    return found


def crotch_of(mask: np.ndarray, pose: np.ndarray) -> float:
    """Where, of the way from hips to knees, the legs of trousers (H, W bool) part."""
    if not visible(pose)[[j for leg in LEGS for j in leg[:2]]].all():
        return _CROTCH[0]
    ends = [pose[[leg[n] for leg in LEGS], :2].mean(0) for n in (0, 1)]
    at = np.linspace(*_CROTCH, 24)
    points = (ends[0] + at[:, None] * (ends[1] - ends[0])).astype(int)
    height, width = mask.shape
    within = (points[:, 0] >= 0) & (points[:, 0] < width) & (points[:, 1] >= 0) & (points[:, 1] < height)
    on = within & mask[np.clip(points[:, 1], 0, height - 1), np.clip(points[:, 0], 0, width - 1)]
    return float(at[-1] if on.all() else at[on.argmin()])


def same_cut(
    lender: np.ndarray, hem: float, wearer: tuple[np.ndarray, float] | None, places: np.ndarray, size: float
) -> float | None:
    """How many times as wide as the lender's the wearer's own trousers are, where both are cut alike; None where not.

    Args:
        lender: (K,) how wide their legs are at ``places``, in pixels of their photo.
        hem: where along a leg they end.
        wearer: the same two of the wearer; None without trousers.
        places: (K,).
        size: how many times as large as the lender the wearer is.
    """
    there = (places >= _COMPARED[0]) & (places <= min(hem, _COMPARED[1]))
    if wearer is None or not there.any() or wearer[1] < min(hem, _COMPARED[1]) - _SHORTER:
        return None
    ratio = float(np.median(wearer[0][there] / np.maximum(lender[there] * size, 1e-3)))
    return ratio if _ALIKE[0] <= ratio <= _ALIKE[1] else None
