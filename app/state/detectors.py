"""Who finds people, joints and regions, and who continues backgrounds: the editor's own networks, or others that are
fetched from a hub."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from app.state.fetched import Fetched
from app.state.session import DEFAULT_BACKGROUND, Found
from pise_core import pose as poses
from pise_core.errors import HubUnreachable, NobodyFound

NOBODY = "nobody was found in that photo; try one that shows the whole person"
BUILT_IN = "Built-in"
OPENPOSE = "OpenPose"
SEGFORMER = "SegFormer clothes"
LAMA = "LaMa"
#: Megabytes that are downloaded for each, once.
SIZES = {OPENPOSE: 209, SEGFORMER: 109, LAMA: 208}
#: Who continues the photo behind people.
BACKGROUNDS = (DEFAULT_BACKGROUND, LAMA)


class Detectors:
    """All of them over one editor; ``load`` gives the editor."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        self._hub = {OPENPOSE: Fetched(_openpose), SEGFORMER: Fetched(_segformer), LAMA: Fetched(_lama)}

    def fetch(self, name: Any) -> Iterator[float]:
        """Get a detector ready that has to be downloaded; meanwhile the share that is there. Nothing for any other
        ``name``, and no error: that comes with the first photo."""
        if isinstance(name, str) and name in self._hub:
            yield from self._hub[name].fetch()

    def inpainter(self, name: str) -> Any:
        """What continues backgrounds, one of ``BACKGROUNDS``; None for the editor's own.

        Raises:
            HubUnreachable: if it has to be fetched and can't be.
            InputError: if it can't be run here.
        """
        return self._hub[name].get() if name == LAMA else None

    def find(self, photo: np.ndarray, detector: str) -> tuple[list[Found], str]:
        """People, the one to edit first; and a note if another detector than the chosen one had to be used."""
        note = ""
        if detector == OPENPOSE:
            try:
                found = self._hub[OPENPOSE].get().detect(photo)
                return [Found(poses.bounding_box(pose), pose) for pose in found], ""
            except HubUnreachable as error:
                note = f"{error}. The built-in detector was used."
        return [Found(box) for box in self._load().find_people(photo)], note

    def analyse_first(self, photo: np.ndarray, people: list[Found], parser: str) -> tuple[Any, list[Found], str]:
        """The first person who stands a close look, that one and those behind, and a note as :meth:`analyse` has it.

        Raises:
            NobodyFound: if nobody does.
        """
        for index, found in enumerate(people):
            try:
                person, note = self.analyse(photo, found, parser)
                return person, people[index:], note
            except NobodyFound:  # a closer look may find that it was nobody after all
                continue
        raise NobodyFound(NOBODY)

    def pose_of_first(self, photo: np.ndarray, people: list[Found]) -> np.ndarray:
        """The joints (18, 3) alone of whom :meth:`analyse_first` gives; raises as that."""
        for found in people:
            try:
                return self._load().analyze(photo, box=found.box).pose if found.pose is None else found.pose
            except NobodyFound:
                continue
        raise NobodyFound(NOBODY)

    def analyse(self, photo: np.ndarray, found: Found, parser: str) -> tuple[Any, str]:
        """The person, and a note if another parser than the chosen one had to be used."""
        parsing, note = None, ""
        if parser == SEGFORMER:
            try:
                parsing = self._hub[SEGFORMER].get().parse(photo)
            except HubUnreachable as error:
                note = f"{error}. The built-in parser was used."
        return self._load().set_person(photo, box=found.box, pose=found.pose, parsing=parsing), note


# Imported on first use: all are optional and slow to import.
def _openpose(told: Callable[[float], None]) -> Any:
    from pise_core.detection.openpose import OpenPoseDetector

    detector = OpenPoseDetector()
    detector.load(told)
    return detector


def _segformer(told: Callable[[float], None]) -> Any:
    from pise_core.detection.segformer import SegformerParser

    parser = SegformerParser()
    parser.load(told)
    return parser


def _lama(told: Callable[[float], None]) -> Any:
    from pise_core.detection.lama import LamaInpainter

    inpainter = LamaInpainter()
    inpainter.load(told)
    return inpainter
