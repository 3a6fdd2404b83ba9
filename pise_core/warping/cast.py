"""Which parts of a person stay on the way to a pose, which move, and what these take along."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pise_core.skeleton import BONES
from pise_core.warping.behind import Behind, Box
from pise_core.warping.crotch import CROTCH, goes_along
from pise_core.warping.hidden_arms import stand_ins
from pise_core.warping.part_transforms import Move, part_moves, still
from pise_core.warping.parts import PARTS, part_boxes

#: For each limb the part that it may move away from.
_BESIDE = {part: "torso" for part in BONES if "arm" in part} | {
    f"{side}_{part}": f"{other}_{part}"
    for side, other in (("left", "right"), ("right", "left"))
    for part in ("thigh", "shin")
}


_THIGHS = PARTS.index("left_thigh"), PARTS.index("right_thigh")


class Role(NamedTuple):
    """What a part does on the way to a pose; of ``PARTS`` and of the layers behind, all by index.

    Attributes:
        part: whose turn it is; ``crotch.CROTCH``: the cloth between the thighs.
        stays: whether it keeps its pixels.
        shown: whose pixels are shown: its own, or those of the other side's limb.
        uncovered: the layers that it takes pieces of along.
        whole: whether a limb gets an edge where something was beside it, and an arm what
            :mod:`pise_core.warping.sleeves` says that it lacks.
    """

    part: int
    stays: bool
    shown: int
    uncovered: tuple[int, ...] = ()
    whole: bool = False


class Cast(NamedTuple):
    """The parts in drawing order, and where those go that move. Poses of the same roles differ in the moves alone: what
    is cut out of the picture for them is the same."""

    roles: tuple[Role, ...]
    moves: dict[int, Move]  # by index of the part

    @classmethod
    def of(
        cls,
        owner: np.ndarray,
        source: np.ndarray,
        target: np.ndarray,
        stay: bool,
        order: Sequence[int] = range(len(PARTS)),
        behind: Sequence[Behind] = (),
    ) -> "Cast":
        """From one pose to another, both (18, 3); ``stay``: whether parts may stay, as on the image's own canvas; the
        other arguments as for :func:`carry`."""
        moves, boxes = part_moves(source, target), part_boxes(owner)
        instead = stand_ins(owner, source, target, moves) if stay else {}
        roles, taken = [], {}
        for index in order:
            part, box = PARTS[index], boxes[index]
            if stay and index not in instead and (part not in moves or still(moves[part], box)):
                roles.append(Role(index, True, index))
            elif part in moves:
                shown = tuple(
                    number
                    for number, layers in enumerate(behind)
                    if index in layers.back and not _along_with(moves, index, layers, box)
                )
                # Beside a torso or a leg that it moves away from, a limb is seen whole.
                beside = _BESIDE.get(part)
                apart = stay and beside is not None and not _alike(moves[part], moves.get(beside), box)
                source_part, taken[index] = instead.get(index, (index, moves[part]))
                roles.append(Role(index, False, source_part, shown, apart or index in instead))
            if stay and part == "torso" and _thighs_go(moves, boxes) and goes_along(moves, source, target):
                roles.append(Role(CROTCH, False, CROTCH))
                taken[CROTCH] = moves["skirt"]
        return cls(tuple(roles), taken)


def _thighs_go(moves: dict[str, Move], boxes: Sequence[Box | None]) -> bool:
    """Whether one of the thighs moves otherwise than the torso does."""
    thighs = [(moves.get(PARTS[index]), boxes[index]) for index in _THIGHS]
    return any(move is not None and not _alike(move, moves.get("torso"), box) for move, box in thighs)


def _along_with(moves: dict[str, Move], index: int, layers: Behind, box: Box | None) -> bool:
    """Whether a part and all that hides some of it move alike, so that nothing is uncovered."""
    return all(_alike(moves[PARTS[index]], moves.get(PARTS[i]), box) for i in layers.front)


def _alike(first: Move, second: Move | None, box: Box | None) -> bool:
    """Whether two moves shift everything in a box alike; None is that of a part that stays."""
    if box is None:
        return True
    points = np.array([[x, y] for x in box[::2] for y in (box[1], (box[1] + box[3]) / 2, box[3])], np.float64)
    return bool(np.abs(first.points(points) - (points if second is None else second.points(points))).max() < 0.05)
