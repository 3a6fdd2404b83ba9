"""Sleeves and trouser legs along the limbs that they cover: how long and wide they are, and which are hidden."""

import cv2
import numpy as np

from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.rendering.wearing.sleeve_pair import shown_for_the_other
from pise_core.rendering.wearing.trousers import with_legs
from pise_core.skeleton import ARMS, LEGS, WRISTS
from pise_core.view import View
from pise_core.warping.bare_body import drawn, limb, torso_length
from pise_core.warping.garment_warp import along_bones
from pise_core.warping.parts import PARTS

#: Name of a limb -> indices of its parts.
LIMBS = {
    f"{side}_{limb}": tuple(PARTS.index(f"{side}_{part}") for part in parts)
    for side in ("right", "left")
    for limb, parts in (("arm", ("upper_arm", "forearm")), ("leg", ("thigh", "shin")))
}
ARM_PARTS = [part for name, parts in LIMBS.items() if name.endswith("arm") for part in parts]
#: Places along a limb: 0 at its root, 1 at elbow or knee, 2 at its end.
PLACES = np.linspace(0, 2, 9)
#: A leg that is narrower at a place than this share of its usual width is hidden there.
_SEEN = 0.6
#: Of the way from hips to knees, what lies above is hidden where something hangs over trousers. Tights are at most so
#: many times as wide as bare legs.
_OVER_THIGHS, _TIGHT = 0.3, 1.15
#: In squares of the torso's length: fewer pixels of tights are a speckle of the map.
_SOME = 0.1
#: Fewer pixels of the frame are no sleeve.
_SLEEVE = 60
#: Places along a bone that are looked at for a hem.
_BINS = 10
#: In lengths of the torso: how far from a wrist what is held can reach.
_GRASP = 0.42
#: Of that, how far a hand reaches.
_HAND = 0.6


def legs_known(view: View, region: int) -> View:
    """A view in which trousers, if that is the region, have legs though the photo cuts the wearer's off."""
    pose = with_legs(view.pose) if region == REGION["pants"] else view.pose
    return view if np.array_equal(pose, view.pose, equal_nan=True) else View(view.image, view.parsing, pose, view.held)


def legs_of_trousers(view: View, scale: float) -> tuple[np.ndarray, float] | None:
    """(K,) how wide the legs of somebody's trousers are at ``PLACES``, as in ``Garment.reach``, and where they end, as
    in ``Garment.hems``; None without trousers."""
    found = []
    for name in ("right_leg", "left_leg"):
        mask = np.isin(view.owner, LIMBS[name]) & (view.parsing == REGION["pants"])
        hem = hem_of(view.pose, name, mask, scale)
        if hem is not None:
            found.append((reach_of(view.pose, name, mask), hem))
    return (np.max([wide for wide, _ in found], axis=0), max(hem for _, hem in found)) if found else None


def tights(view: View, scale: float) -> bool:
    """Whether what somebody wears on their legs are tights, or as tight, and something hangs over them to the thighs:
    they stay below another dress."""
    pants = view.parsing == REGION["pants"]
    ys = np.nonzero(pants)[0]
    hips, knees = (view.pose[[leg[n] for leg in LEGS], 1] for n in (0, 1))
    if len(ys) < _SOME * torso_length(view.pose) ** 2 or not np.isfinite([*hips, *knees]).all():
        return False
    if np.percentile(ys, 5) < hips.mean() + _OVER_THIGHS * (knees - hips).mean():
        return False
    ratios = []
    for name in ("right_leg", "left_leg"):
        wide = width_of(view.pose, name, pants & np.isin(view.owner, LIMBS[name]))[:, 0]
        outline = limb(view.pose, joints_of(name))
        hem = hem_of(view.pose, name, pants & np.isin(view.owner, LIMBS[name]), scale)
        if outline is not None and hem is not None and wide.any():
            bare = np.interp(PLACES, np.linspace(0, 2 if len(outline) > 30 else 1, len(outline)), outline[:, 2])
            ratios += list((wide / bare)[(PLACES > 0.6) & (min(hem, 1.7) > PLACES)])
    return bool(ratios) and float(np.median(ratios)) < _TIGHT


def hidden_limbs(view: View, used: dict[str, np.ndarray], mask: np.ndarray) -> tuple[str, ...]:
    """Limbs of the garment that are hardly seen though the other side's are, and whose skin isn't seen either."""
    found, hands = [], near_wrists(view.pose, mask.shape, _HAND * torso_length(view.pose))
    skin = {}
    for name in LIMBS:
        side, kind = name.split("_")
        other = f"{'left' if side == 'right' else 'right'}_{kind}"
        if other not in used:
            continue
        whole = np.count_nonzero(used[other] & mask)
        part = np.count_nonzero(used[name] & mask) if name in used else 0
        upper = LIMBS[name][0]
        bare = ~hands & (view.owner == upper) & np.isin(view.parsing, [REGION["upper_skin"], REGION["leg"]])
        skin[name] = np.count_nonzero(bare)
        if part < 0.3 * whole and skin[name] < 0.15 * whole:
            found.append(name)
    arms = {name: used[name] & mask for name in ("right_arm", "left_arm") if name in used}
    if len(arms) == 2 and not found and (worse := shown_for_the_other(view, mask, arms, skin)) is not None:
        found.append(worse)
    return tuple(found)


def reach_of(pose: np.ndarray, name: str, mask: np.ndarray) -> np.ndarray:
    """How far from the bones of a limb its piece of the garment goes, along them; stray pixels left out."""
    joints = joints_of(name)
    there = visible(pose)[list(joints)]
    count = 3 if there.all() else 2
    ys, xs = np.nonzero(mask)
    if not there[:2].all() or not len(ys):
        return np.zeros(len(PLACES))
    points = np.stack([xs, ys], 1) + 0.5
    away, where = along_bones(points, pose[list(joints[:count]), :2].astype(np.float64))
    whole = min(np.percentile(away, 98), 1.9 * np.percentile(away, 50) + 2)
    reach = np.full(len(PLACES), whole)
    for n, place in enumerate(PLACES):
        here = away[np.abs(where - place) < 0.15]
        if len(here) >= 20:
            reach[n] = min(whole, 1.9 * np.percentile(here, 50) + 2)
    padded = np.pad(reach, 1, mode="edge")
    return 1.15 * np.median([padded[:-2], padded[1:-1], padded[2:]], axis=0)


def width_of(pose: np.ndarray, name: str, mask: np.ndarray) -> np.ndarray:
    """(K, 2) float64: half of the width of a leg of trousers, and how far its middle lies beside the bone, in pixels at
    ``PLACES``, positive on the side to which the bone's direction turns clockwise in the picture. Where it is hardly
    seen it is as at the nearest place where it is; all 0 where it is seen nowhere."""
    joints = list(joints_of(name))
    there = visible(pose)[joints]
    ys, xs = np.nonzero(mask)
    found = np.zeros((len(PLACES), 2))
    if not there[:2].all() or not len(ys):
        return found
    bones = pose[joints[: 3 if there.all() else 2], :2].astype(np.float64)
    points = np.stack([xs, ys], 1) + 0.5
    _, where = along_bones(points, bones)
    way = np.diff(bones, axis=0)
    lengths = np.maximum(np.hypot(*way.T), 1e-3)
    first = np.minimum(where.astype(int), len(way) - 1)
    across = np.c_[-way[:, 1], way[:, 0]] / lengths[:, None]
    beside = ((points - bones[first]) * across[first]).sum(1)
    step = PLACES[1] / 2
    for n, place in enumerate(PLACES):
        low, high = max(place - step, 0), min(place + step, len(way))
        if high <= low:
            continue
        here = (where > low) & (where < high)  # what lies beyond the bones counts at their very ends
        if here.any():
            ends = np.clip([low, high], 0, len(way))
            long = np.interp(ends, np.arange(len(way) + 1), np.r_[0, np.cumsum(lengths)])
            found[n] = np.count_nonzero(here) / (2 * (long[1] - long[0])), np.median(beside[here])
    seen = found[:, 0] > _SEEN * np.median(found[found[:, 0] > 0, 0]) if found.any() else found[:, 0] > 0
    if not seen.any():
        return np.zeros((len(PLACES), 2))
    for n in range(2):
        found[:, n] = np.interp(PLACES, PLACES[seen], found[seen, n])
    return found


def hem_of(pose: np.ndarray, name: str, mask: np.ndarray, scale: float) -> float | None:
    """Where along the bones of a limb a garment ends; None where it covers hardly any of it."""
    joints = list(joints_of(name))
    there = visible(pose)[joints]
    ys, xs = np.nonzero(mask)
    if not there[:2].all() or len(ys) * scale**2 < _SLEEVE:
        return None
    bones = pose[joints[: 3 if there.all() else 2], :2].astype(np.float64)
    _, where = along_bones(np.stack([xs, ys], 1) + 0.5, bones)
    lengths = np.repeat(np.hypot(*np.diff(bones, axis=0).T), _BINS)
    wide = np.histogram(where, len(lengths), (0, len(bones) - 1))[0] / np.maximum(lengths, 1)
    if name.endswith("leg"):  # a coat may hide where they begin
        return (np.flatnonzero(wide > 0.45 * np.median(wide[wide > 0]))[-1] + 1) / _BINS
    covered = wide > 0.45 * np.median(wide[: _BINS // 2])
    # Cloth that hangs beside a bare forearm is no sleeve: it begins at the shoulder, and goes on.
    ends = np.flatnonzero(~(covered | np.r_[covered[1:], False] | np.r_[False, covered[:-1]]))
    last = np.flatnonzero(covered[: ends[0] if len(ends) else None])
    return (last[-1] + 1) / _BINS if len(last) else None


def beside_held(hems: dict[str, float], pose: np.ndarray, held: np.ndarray) -> dict[str, float]:
    """Hems of sleeves; one that ends where what is held begins goes on to where the other sleeve ends."""
    found = dict(hems)
    for name, other in (("right_arm", "left_arm"), ("left_arm", "right_arm")):
        outline = limb(pose, joints_of(name)) if held.any() else None
        if name not in hems or other not in hems or hems[other] <= hems[name] or outline is None:
            continue
        beyond = drawn(outline, held.shape, min(hems[name] / 2, 1), min(hems[other] / 2, 1))
        if (beyond & held).sum() > 0.3 * beyond.sum():
            found[name] = hems[other]
    return found


def joints_of(name: str) -> tuple[int, int, int]:
    return dict(zip(LIMBS, (ARMS[0], LEGS[0], ARMS[1], LEGS[1]), strict=True))[name]


def near_wrists(pose: np.ndarray, shape: tuple[int, int], size: float) -> np.ndarray:
    """(H, W) bool: where a hand may hold something before the garment."""
    there, near = visible(pose), np.zeros(shape, np.uint8)
    for wrist in WRISTS:
        if there[wrist]:
            cv2.circle(near, np.floor(pose[wrist, :2]).astype(int).tolist(), max(1, round(_GRASP * size)), 1, -1)
    return near > 0
