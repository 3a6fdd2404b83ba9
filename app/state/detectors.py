"""Who finds people, joints and regions: the editor's own networks, or detectors that are fetched from a hub."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from app.state.fetched import Fetched
from app.state.session import Found
from pise_core import pose as poses
from pise_core.errors import HubUnreachable

BUILT_IN = "Built-in"
OPENPOSE = "OpenPose"
SEGFORMER = "SegFormer clothes"
#: Megabytes that are downloaded for each, once.
SIZES = {OPENPOSE: 209, SEGFORMER: 109}


class Detectors:
    """All of them over one editor; ``load`` gives the editor."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        self._hub = {OPENPOSE: Fetched(_openpose), SEGFORMER: Fetched(_segformer)}

    def fetch(self, name: Any) -> Iterator[float]:
        """Get a detector ready that has to be downloaded; meanwhile the share that is there. Nothing for any other
        ``name``, and no error: that comes with the first photo."""
        if isinstance(name, str) and name in self._hub:
            yield from self._hub[name].fetch()

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

    def analyse(self, photo: np.ndarray, found: Found, parser: str) -> tuple[Any, str]:
        """The person, and a note if another parser than the chosen one had to be used."""
        parsing, note = None, ""
        if parser == SEGFORMER:
            try:
                parsing = self._hub[SEGFORMER].get().parse(photo)
            except HubUnreachable as error:
                note = f"{error}. The built-in parser was used."
        return self._load().set_person(photo, box=found.box, pose=found.pose, parsing=parsing), note


# Imported on first use: both are optional and slow to import.
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
