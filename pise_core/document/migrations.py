"""Older ``.pise`` files: each step makes the next version's ``document.json`` of one version's.

Whoever changes what a file holds raises :data:`VERSION` by adding a step, and keeps a file of the version before in the
tests.
"""

from collections.abc import Callable
from typing import Any

Entries = dict[str, Any]


def _paint_has_a_pose(entries: Entries) -> None:
    """1 to 2: the pose in which the paint of a step was painted; before, it was the step's own."""
    for step in entries["history"]:
        step["painted_at"] = step["pose"]


def _several_people(entries: Entries) -> None:
    """2 to 3: the edits of other people in the photo; and steps say what they recolour and which references are out of
    sight, as late files of version 2 do already."""
    entries["others"], entries["edited"] = [], 0
    for step in entries["history"]:
        step.setdefault("recolour", {})
        step.setdefault("removed", [])


def _worn(entries: Entries) -> None:
    """3 to 4: steps say whose garments are worn."""
    for step in entries["history"] + [step for other in entries["others"] for step in other["history"]]:
        step["wear"] = {}


def _held(entries: Entries) -> None:
    """4 to 5: what people hold, and what that goes with; and what ran the networks, which nobody took down before."""
    entries["backend"] = ""
    for one in (entries["person"], *entries["others"], *entries["references"]):
        one["held"] = None
    for step in entries["history"] + [step for other in entries["others"] for step in other["history"]]:
        step["held"] = []


def _retouched(entries: Entries) -> None:
    """5 to 6: steps say which places are taken away, and motions how they go from key to key."""
    for step in entries["history"] + [step for other in entries["others"] for step in other["history"]]:
        step["retouch"] = step["retouched_at"] = None
        step["motion"] |= {"times": [], "easing": "even"}


def _painted_things(entries: Entries) -> None:
    """6 to 7: steps say where something is held by what was painted; and pictures of what is held, which region of the
    body is seen there, which was background before."""
    for step in entries["history"] + [step for other in entries["others"] for step in other["history"]]:
        step["things"] = None


def _background(entries: Entries) -> None:
    """7 to 8: which network continued backgrounds; before, that was always the one that ships."""
    entries["background"] = ""


#: Version -> the step from it to the next one.
STEPS: dict[int, Callable[[Entries], None]] = {
    1: _paint_has_a_pose,
    2: _several_people,
    3: _worn,
    4: _held,
    5: _retouched,
    6: _painted_things,
    7: _background,
}
OLDEST, VERSION = min(STEPS), max(STEPS) + 1


def migrate(entries: Entries) -> None:
    """Bring the entries of a version from ``OLDEST`` on to ``VERSION``, in place.

    Raises:
        KeyError, TypeError: if they are not those of their version.
    """
    for version in range(entries["version"], VERSION):
        STEPS[version](entries)
    entries["version"] = VERSION
