"""OpenPose by way of ``controlnet-aux``: a second pose detector, for those who may use it.

Its weights (body model only, 209 MB) are fetched from the hub on first use.
"""

import pickle
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from pise_core.detection.hub import LoadedLater, fetch
from pise_core.errors import InputError
from pise_core.images import check_photo
from pise_core.pose import empty_pose
from pise_core.skeleton import JOINT_COUNT

#: To be shown wherever the detector is offered.
LICENCE = (
    "OpenPose (CMU): code and weights are licensed for academic or non-profit, non-commercial research use only. "
    "209 MB are fetched on first use."
)

_REPOSITORY = "lllyasviel/Annotators"
_FILENAME = "body_pose_model.pth"
_SHA256 = "25a948c16078b0f08e236bda51a385d855ef4c153598947c28c0d47ed94bb746"

#: The network itself always works at 184 rows; what is larger only makes the search for peaks slow.
_LONG_SIDE = 512
#: Rows are scaled to 184, whatever the width: beyond this ratio of the sides the photo is padded.
_LARGEST_RATIO = 4


class OpenPoseDetector(LoadedLater):
    """Finds any number of people. Nothing is loaded or fetched before the first :meth:`detect`; safe across threads.

    Args:
        checkpoint: a local ``body_pose_model.pth`` instead of the hub's.
        device: "auto", "cpu" or "cuda".
    """

    def __init__(self, checkpoint: str | Path | None = None, device: str = "auto") -> None:
        super().__init__()
        self._checkpoint = checkpoint
        self._device = device

    def detect(self, photo: np.ndarray) -> list[np.ndarray]:
        """Poses (18, 3) in pixels of the photo, with OpenPose's own scores; the surest person first, [] when nobody.

        Args:
            photo: (H, W, 3) uint8 RGB.

        Raises:
            HubUnreachable: if the weights have to be fetched and can't be.
            InputError: if the photo or the checkpoint is none.
        """
        photo = check_photo(photo)
        height, width = photo.shape[:2]
        scale = min(1.0, _LONG_SIDE / max(height, width))
        size = max(round(width * scale), 1), max(round(height * scale), 1)
        small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA) if scale < 1 else photo
        right = max(0, -(-size[1] // _LARGEST_RATIO) - size[0])
        bottom = max(0, -(-size[0] // _LARGEST_RATIO) - size[1])
        small = cv2.copyMakeBorder(small, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=(128, 128, 128))
        self.load()
        with self._lock:
            candidates, people = self._network(np.ascontiguousarray(small[..., ::-1]))
        return _poses(candidates, people, (width / size[0], height / size[1]))

    def _load(self, told: Callable[[float], None] | None) -> Any:
        """controlnet-aux's ``Body`` with the weights in it."""
        body_class, network_class, transfer = _import_controlnet_aux()
        path = Path(self._checkpoint) if self._checkpoint else fetch(_REPOSITORY, _FILENAME, _SHA256, told)
        try:
            weights = torch.load(path, map_location="cpu", weights_only=True)
            network = network_class()
            network.load_state_dict(transfer(network, weights))
        except FileNotFoundError:
            raise InputError(f"there is no file {path}") from None
        except (OSError, RuntimeError, KeyError, AttributeError, TypeError, EOFError, pickle.UnpicklingError) as error:
            raise InputError(f"{path} is not OpenPose's {_FILENAME}") from error
        device = self._device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        # Its own __init__ would read the file with whatever torch's default is.
        body = body_class.__new__(body_class)
        body.model = network.eval().to(device)
        return body


def _import_controlnet_aux() -> tuple[Any, Any, Any]:
    """``Body``, its network, and the function that renames the weights."""
    # Beside mediapipe >= 0.10.30 the import of controlnet_aux crashes. Bodies don't need mediapipe: hide it meanwhile.
    hidden = {name: sys.modules[name] for name in list(sys.modules) if name.split(".")[0] == "mediapipe"}
    for name in hidden:
        del sys.modules[name]
    sys.modules["mediapipe"] = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from controlnet_aux.open_pose.body import Body
            from controlnet_aux.open_pose.model import bodypose_model
            from controlnet_aux.open_pose.util import transfer
    finally:
        del sys.modules["mediapipe"]
        sys.modules.update(hidden)
    return Body, bodypose_model, transfer


def _poses(candidates: np.ndarray, people: np.ndarray, scale: tuple[float, float]) -> list[np.ndarray]:
    """OpenPose's arrays as poses, the highest total score first.

    Args:
        candidates: (N, 4) x, y, score, id of each peak, whole numbers of pixels.
        people: (M, 20) index of the peak per joint or -1, then total score and number of joints.
        scale: (x, y) photo pixels per pixel of the picture that was searched.
    """
    poses = []
    for person in sorted(people, key=lambda row: -row[JOINT_COUNT]):
        pose = empty_pose()
        for joint, index in enumerate(person[:JOINT_COUNT].astype(int)):
            if index >= 0:
                x, y, score = candidates[index][:3]
                pose[joint] = (x + 0.5) * scale[0], (y + 0.5) * scale[1], np.clip(score, 0.01, 1)
        poses.append(pose)
    return poses
