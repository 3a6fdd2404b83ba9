"""What an action has led to, and how far one is that takes long."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass
from enum import Flag, auto

import numpy as np


class Changed(Flag):
    """What is not as it was before an action."""

    NOTHING = 0
    #: Another photo or document is open, or another person of it is edited: nothing is as it was.
    DOCUMENT = auto()
    #: What is wanted of the picture, which has to be rendered.
    EDITS = auto()
    POSE = auto()
    #: Styles and recolouring.
    LOOKS = auto()
    MOTION = auto()
    REFERENCES = auto()
    #: Photos of garments that wait to be marked.
    GARMENTS = auto()
    #: The weights that were chosen, or who continues backgrounds.
    WEIGHTS = auto()


@dataclass(frozen=True)
class Outcome:
    """What an action has led to.

    Attributes:
        note: what has happened or what comes next, in whole sentences; empty if there is nothing to say.
        warnings: why not all went as it was wanted, in whole sentences.
        changed: what is new.
        question: whether the note asks for something without which it does not go on.
        sequence: the order number of the request that this answers, where it had one.
        file: path of a file that was made, in the session's folder.
        pictures: (H, W, 3) uint8 RGB that were made.
        choice: how many people a file of poses shows, and which of them was taken, where there are several.
        doubted: (18, 3) float32, a pose placed by hand that was not taken, because hardly any person is under it.
    """

    note: str = ""
    warnings: tuple[str, ...] = ()
    changed: Changed = Changed.NOTHING
    question: bool = False
    sequence: int | None = None
    file: str = ""
    pictures: tuple[np.ndarray, ...] = ()
    choice: tuple[int, int] | None = None
    doubted: np.ndarray | None = None


@dataclass(frozen=True)
class Progress:
    """How far an action is.

    Attributes:
        note: what is being done; empty if that is as before.
        can_stop: whether the action can be left here, with nothing half done.
        changed: what is new already.
        step: pictures that are done, of ``steps``, where pictures are counted.
        steps: how many there will be; 0 where nothing is counted.
        ahead: how many requests of others come first.
    """

    note: str = ""
    can_stop: bool = False
    changed: Changed = Changed.NOTHING
    step: int = 0
    steps: int = 0
    ahead: int = 0


#: An action that takes long.
Steps = Generator[Progress, None, Outcome]


def finish(work: Steps) -> Outcome:
    """Carry out an action to its end, whatever it tells on its way."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def sentence(text: str) -> str:
    """A message with a capital in front, unless that is the name of a file."""
    return text[:1].upper() + text[1:] if text.split(" ")[0].isalpha() else text


def sentences(notes: Iterable[str]) -> str:
    """Notes one after the other, each once; those that are empty are left out."""
    return " ".join(dict.fromkeys(note for note in notes if note))


def told(*notes: str) -> tuple[str, ...]:
    """Warnings, without the empty ones."""
    return tuple(note for note in notes if note)
