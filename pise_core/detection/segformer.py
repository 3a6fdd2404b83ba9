"""A larger parser from the hub (SegFormer B2, ATR's 18 labels), merged to the eight regions. 109 MB on first use."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from pise_core.detection.hub import LoadedLater, fetch
from pise_core.errors import InputError
from pise_core.images import check_photo
from pise_core.label_sets import regions_of_names, same_labels

#: To be shown wherever the parser is offered.
LICENCE = (
    "SegFormer B2 clothes (mattmdjaga): its card says MIT, but it is tuned from NVIDIA's SegFormer, whose licence is "
    "non-commercial. 109 MB are fetched on first use."
)

_REPOSITORY = "mattmdjaga/segformer_b2_clothes"
_FILES = ("config.json", "model.safetensors")

#: What the network was trained on: 512x512 whatever the photo's shape, ImageNet's mean and deviation per channel.
_SIZE = (512, 512)
_MEAN = torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1)
_DEVIATION = torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1)


class SegformerParser(LoadedLater):
    """Finds the regions of everybody in a photo. Loads and fetches when first asked; safe across threads.

    Args:
        folder: a local folder with ``config.json`` and ``model.safetensors`` instead of the hub's files.
        device: "auto", "cpu" or "cuda".
    """

    def __init__(self, folder: str | Path | None = None, device: str = "auto") -> None:
        super().__init__()
        self._folder = folder
        self._device = device

    def parse(self, photo: np.ndarray) -> np.ndarray:
        """The regions of a photo: (H, W) uint8 of indices 0..7, by what the network calls its labels. See
        :meth:`labels`."""
        labels = self.labels(photo)
        return regions_of_names(self._names())[labels]

    @property
    def label_set(self) -> str | None:
        """The name of the set whose labels, in its order, :meth:`labels` answers; None if it is an order of its own.

        Raises:
            HubUnreachable: if the weights have to be fetched and can't be.
            InputError: if the folder is none.
        """
        self.load()
        return same_labels(self._names())

    def _names(self) -> list[str]:
        """What the network calls its labels, in order."""
        return _label_names(self._network.config)

    def labels(self, photo: np.ndarray) -> np.ndarray:
        """The network's labels of a photo: (H, W) uint8; ATR's 18 of the hub's network.

        Args:
            photo: (H, W, 3) uint8 RGB.

        Raises:
            HubUnreachable: if the weights have to be fetched and can't be.
            InputError: if the photo or the folder is none.
        """
        photo = check_photo(photo)
        self.load()
        with self._lock:
            device = next(self._network.parameters()).device
            smaller = photo.shape[0] > _SIZE[0] and photo.shape[1] > _SIZE[1]
            small = cv2.resize(photo, _SIZE[::-1], interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
            image = torch.from_numpy(small).permute(2, 0, 1).float()[None]
            with torch.no_grad():
                logits = self._network(((image / 255 - _MEAN) / _DEVIATION).to(device)).logits[0].float().cpu().numpy()
        # Class by class: all 18 maps at once would take gigabytes for a large photo.
        size = photo.shape[1], photo.shape[0]
        best = cv2.resize(logits[0], size, interpolation=cv2.INTER_LINEAR)
        labels = np.zeros(photo.shape[:2], np.uint8)
        for label in range(1, len(logits)):
            score = cv2.resize(logits[label], size, interpolation=cv2.INTER_LINEAR)
            better = score > best
            labels[better] = label
            best[better] = score[better]
        return labels

    def _load(self, told: Callable[[float], None] | None) -> Any:
        if self._folder:
            folder = Path(self._folder)
        else:
            fetch(_REPOSITORY, _FILES[0])
            folder = fetch(_REPOSITORY, _FILES[1], told=told).parent
        if not (folder / _FILES[0]).is_file():
            raise InputError(f"{folder} holds no {_FILES[0]} of a SegFormer")
        from safetensors import SafetensorError
        from transformers import SegformerForSemanticSegmentation

        try:
            network: Any = SegformerForSemanticSegmentation.from_pretrained(
                str(folder), local_files_only=True, use_safetensors=True
            )
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise InputError(f"{folder} holds no readable SegFormer") from error
        try:  # Not how many they are: FASHN's are 18 as ATR's are, and others.
            regions_of_names(_label_names(network.config))
        except InputError as error:
            raise InputError(f"the SegFormer in {folder} {error}") from None
        device = self._device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        return network.eval().to(device)


def _label_names(config: Any) -> list[str]:
    return [str(config.id2label.get(label, label)) for label in range(config.num_labels)]
