"""Who finds people, joints and regions: the editor's own networks, or detectors that are fetched from a hub."""

from collections.abc import Callable
from typing import Any

import numpy as np

from app.session import Found
from pise_core import pose as poses
from pise_core.errors import HubUnreachable

BUILT_IN = "Built-in"
OPENPOSE = "OpenPose"
SEGFORMER = "SegFormer clothes"


class Detectors:
    """All of them over one editor; ``load`` gives the editor."""

    def __init__(self, load: Callable[[], Any]) -> None:
        self._load = load
        self._hub: dict[str, Any] = {}

    def find(self, photo: np.ndarray, detector: str) -> tuple[list[Found], str]:
        """People, the one to edit first; and a note if another detector than the chosen one had to be used."""
        note = ""
        if detector == OPENPOSE:
            try:
                found = self._hub_part(OPENPOSE).detect(photo)
                return [Found(poses.bounding_box(pose), pose) for pose in found], ""
            except HubUnreachable as error:
                note = f"{error}. The built-in detector was used."
        return [Found(box) for box in self._load().find_people(photo)], note

    def analyse(self, photo: np.ndarray, found: Found, parser: str) -> tuple[Any, str]:
        """The person, and a note if another parser than the chosen one had to be used."""
        parsing, note = None, ""
        if parser == SEGFORMER:
            try:
                parsing = self._hub_part(SEGFORMER).parse(photo)
            except HubUnreachable as error:
                note = f"{error}. The built-in parser was used."
        return self._load().set_person(photo, box=found.box, pose=found.pose, parsing=parsing), note

    def _hub_part(self, name: str) -> Any:
        if name not in self._hub:
            # Imported on first use: both are optional and slow to import.
            if name == OPENPOSE:
                from pise_core.detection.openpose import OpenPoseDetector

                self._hub[name] = OpenPoseDetector()
            else:
                from pise_core.detection.hub_parser import SegformerParser

                self._hub[name] = SegformerParser()
        return self._hub[name]
