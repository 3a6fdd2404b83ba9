"""The border between an arm and the body beside it, as a smooth line along the arm's bones.

Nearest bones and colours find that border pixel by pixel, and folds and patterns pull it to and fro: an arm that is
lifted then hangs full of teeth. A sleeve's outline is nearly straight. How far an arm reaches from its bone is measured
at stations along that, and continued smoothly where other parts of the body lie beside it (Whittaker smoothing,
reweighted). Where the background is next the outline is the photo's own.
"""

from typing import NamedTuple

import numpy as np

from pise_core.masks import Nearest, window_of
from pise_core.pose import visible
from pise_core.regions import REGION
from pise_core.skeleton import BONES
from pise_core.warping.parts import ALLOWED, PARTS, among, arm_length

#: In lengths of the arm's longer bone: from station to station, and how far from the bone its outline is looked for.
_STEP, _LOOKED = 0.02, 0.5
#: A bone that is shorter, in the same lengths, points at the camera.
_SHORT = 0.3
#: What bends cost; from what distance of the line on, in the same lengths, a station counts half; how often weights are
#: set.
_STIFF, _DOUBTED, _ROUNDS = 3e3, 0.1, 5
#: At fewer stations beside the body nothing is known.
_LEAST = 5
#: What an arm's border may give to it, and take.
_BODY = tuple(PARTS.index(name) for name in PARTS if "arm" not in name and "held" not in name and name != "head")


class _Sides(NamedTuple):
    """How far a limb reaches from its bone on one side, at each station: (S,) each."""

    width: np.ndarray  # float, pixels
    body: np.ndarray  # bool: another part of the body is next
    known: np.ndarray  # bool: that, or the background, is


def smooth_lines(owner: np.ndarray, parsing: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """The parts of a person, of whom arms have smooth borders to the body.

    Args:
        owner: (H, W) int8.
        parsing: (H, W) uint8.
        pose: (18, 3) in the same pixels.
    """
    out, there = owner, visible(pose)
    for side in ("left", "right"):
        names = f"{side}_upper_arm", f"{side}_forearm"
        if not there[[*BONES[names[0]], *BONES[names[1]]]].all():
            continue
        length = arm_length(pose, names[0])
        window = window_of(among(owner, [PARTS.index(name) for name in names]), margin=round(_LOOKED * length) + 2)
        if window is None or length < 8:
            continue
        out = out.copy() if out is owner else out
        shift = np.array([window[1].start, window[0].start])
        bones = [_Bone.of(name, pose[list(BONES[name]), :2].astype(np.float64) - shift, length) for name in names]
        _smooth(out[window], parsing[window], [bone for bone in bones if bone is not None], length)
    return out


class _Bone(NamedTuple):
    """One of an arm's two.

    Attributes:
        part: in ``PARTS``.
        near, along, size: its near joint (x, y), its direction, of length 1, and its length in pixels.
        shares: (S,) where along it stations are, 0 at the near joint and 1 at the far one.
    """

    part: int
    near: np.ndarray
    along: np.ndarray
    size: float
    shares: np.ndarray

    @classmethod
    def of(cls, name: str, ends: np.ndarray, length: float) -> "_Bone | None":
        """``ends``: (2, 2); ``length``: of the arm's longer bone. None where it points at the camera."""
        size = float(np.hypot(*(ends[1] - ends[0])))
        if size < _SHORT * length:
            return None
        count = max(4, round(size / max(1.0, _STEP * length)))
        return cls(PARTS.index(name), ends[0], (ends[1] - ends[0]) / size, size, (np.arange(count) + 0.5) / count)


def _smooth(owner: np.ndarray, parsing: np.ndarray, bones: list[_Bone], length: float) -> None:
    beside = [_beside(owner, parsing, bone, length) for bone in bones]
    bare = np.concatenate([one.bare for one in beside]) if beside else np.zeros(0, bool)
    for sign in (1, -1):
        sides = [_measured(owner, bone, sign, length) for bone in bones]
        if not sides:
            return
        width, body, known = (np.concatenate(values) for values in zip(*sides, strict=True))
        line = np.full(len(width), np.nan)
        for start, stop in _runs(bare):  # a sleeve's hem is a step
            run = slice(start, stop)
            if body[run].sum() >= _LEAST:
                line[run] = _line(width[run], known[run], _DOUBTED * length)
        parts = np.cumsum([len(bone.shares) for bone in bones])[:-1]
        for bone, here, own_line, own_body in zip(
            bones, beside, np.split(line, parts), np.split(body, parts), strict=True
        ):
            _draw(owner, bone, here, sign, own_line, own_body)


class _Beside(NamedTuple):
    """Pixels (N,) beside a bone that are its part's or the body's, and what is there at each station, (S,)."""

    ys: np.ndarray
    xs: np.ndarray
    on: np.ndarray  # pixels along the bone
    off: np.ndarray  # pixels beside it, of either sign
    station: np.ndarray
    may: np.ndarray  # bool: whether the part may have it
    bare: np.ndarray  # (S,) bool: most of the part is skin


def _beside(owner: np.ndarray, parsing: np.ndarray, bone: _Bone, length: float) -> _Beside:
    ys, xs = np.nonzero((owner == bone.part) | among(owner, _BODY))
    points = np.stack([xs, ys], 1) + 0.5 - bone.near
    on, off = points @ bone.along, points @ np.array([-bone.along[1], bone.along[0]])
    inside = (on >= 0) & (on < bone.size) & (np.abs(off) < _LOOKED * length)
    ys, xs, on, off = ys[inside], xs[inside], on[inside], off[inside]
    count = len(bone.shares)
    station = np.minimum((on / bone.size * count).astype(int), count - 1)
    own = owner[ys, xs] == bone.part
    skin = own & (parsing[ys, xs] == REGION["upper_skin"])
    bare = np.bincount(station[skin], minlength=count) > 0.5 * np.bincount(station[own], minlength=count)
    return _Beside(ys, xs, on, off, station, ALLOWED[bone.part][parsing[ys, xs]], bare)


def _draw(owner: np.ndarray, bone: _Bone, here: _Beside, sign: int, line: np.ndarray, body: np.ndarray) -> None:
    """The part as far as a line, (S,) pixels from the bone or nan, where the body is next, (S,) bool, and between."""
    concerned = (np.isfinite(line) & _between(body))[here.station] & (sign * here.off >= 0)
    within = sign * here.off < np.interp(here.on, bone.shares * bone.size, np.nan_to_num(line))
    own = owner[here.ys, here.xs] == bone.part
    gained = concerned & ~own & within & here.may & among(owner, _BODY)[here.ys, here.xs]
    # Of the photo's own outline nothing is lost.
    lost = concerned & own & ~within & body[here.station]
    rest = among(owner, _BODY)
    if lost.any() and rest.any():
        y, x = Nearest(rest).at(here.ys[lost], here.xs[lost])
        owner[here.ys[lost], here.xs[lost]] = owner[y, x]
    owner[here.ys[gained], here.xs[gained]] = bone.part


def _measured(owner: np.ndarray, bone: _Bone, sign: int, length: float) -> _Sides:
    """On one side of a bone."""
    at = bone.near + bone.size * bone.shares[:, None] * bone.along
    direction = sign * np.array([-bone.along[1], bone.along[0]])
    steps = np.arange(0, max(3, round(_LOOKED * length)))
    points = np.floor(at[:, None] + steps[None, :, None] * direction).astype(int)
    x, y = points[..., 0], points[..., 1]
    height, width = owner.shape
    within = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    parts = np.where(within, owner[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)], np.int8(-2))
    own = parts == bone.part
    # One pixel of something else is no border.
    ends = ~own & np.concatenate([~own[:, 1:], np.ones((len(own), 1), bool)], 1)
    first = np.where(ends.any(1), ends.argmax(1), len(steps))
    next_to = parts[np.arange(len(at)), np.minimum(first, len(steps) - 1)]
    seen = (first > 0) & (first < len(steps))
    body = seen & np.isin(next_to, _BODY)
    return _Sides(first.astype(float), body, body | (seen & (next_to == -1)))


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Starts and stops of the stretches of one value."""
    edges = np.flatnonzero(np.diff(mask.astype(np.int8))) + 1
    bounds = [0, *edges.tolist(), len(mask)]
    return list(zip(bounds[:-1], bounds[1:], strict=True))


def _between(mask: np.ndarray) -> np.ndarray:
    """(S,) bool: from the first that is set to the last."""
    places = np.flatnonzero(mask)
    out = np.zeros(len(mask), bool)
    if len(places):
        out[places[0] : places[-1] + 1] = True
    return out


def _line(widths: np.ndarray, known: np.ndarray, doubted: float) -> np.ndarray:
    count = len(widths)
    bends = np.diff(np.eye(count), 2, axis=0) if count > 2 else np.zeros((0, count))
    cost, base = _STIFF * bends.T @ bends + 1e-9 * np.eye(count), known.astype(float)
    weights, line = base, widths
    for _ in range(_ROUNDS):
        line = np.linalg.solve(cost + np.diag(weights), weights * widths)
        weights = base / (1 + ((line - widths) / doubted) ** 2)
    return line
