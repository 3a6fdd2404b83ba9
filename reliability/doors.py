"""The doors at which strangers' bytes come in, and whole files that the project makes for each."""

import io
import json
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save

from pise_core.detection.analyzer import read_network
from pise_core.detection.clip import Clip
from pise_core.detection.network import AnalyzerConfig, AnalyzerNetwork
from pise_core.document.edits import Edits
from pise_core.document.file_format import SavedDocument
from pise_core.document.file_reader import read
from pise_core.document.file_writer import write
from pise_core.document.motion import encode_gif, encode_mp4
from pise_core.framing import Framing
from pise_core.images import encode_image, encode_parsing, read_image
from pise_core.model.convert_release import Checkpoint, convert_discriminator, convert_generator
from pise_core.model.weights import read_model
from pise_core.parsing_files import read_parsing
from pise_core.person import SavedPerson
from pise_core.pose import default_skeleton, to_rows
from pise_core.pose_files import read_pose

SIZE = (64, 96)


class Door(NamedTuple):
    """One door: what takes the bytes, and whole files to begin with."""

    take: Callable[[bytes], object]
    corpus: Callable[[], list[bytes]]


def _in_file(take: Callable[[Path], object], suffix: str) -> Callable[[bytes], object]:
    """A reader of paths as one of bytes."""

    def door(data: bytes) -> object:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"file{suffix}"
            path.write_bytes(data)
            return take(path)

    return door


def _weights(path: Path) -> object:
    name, _, _ = read_model(path)
    return read_network(path) if name == AnalyzerNetwork.__name__ else name


def _checkpoint(path: Path) -> object:
    checkpoint = Checkpoint.read(path)
    judging = "block0.model.1.bias" in checkpoint.tensors
    return convert_discriminator(checkpoint) if judging else convert_generator(checkpoint)


def _picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)


def _map() -> np.ndarray:
    return np.repeat(np.arange(8, dtype=np.uint8), SIZE[1] // 8)[:, None].repeat(SIZE[0], 1)


def _pillow(kind: str, mode: str = "RGB", **settings: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(_picture()).convert(mode).save(buffer, kind, **settings)
    return buffer.getvalue()


@lru_cache
def pictures() -> list[bytes]:
    """Small pictures in all formats and modes that are read."""
    exif = Image.Exif()
    exif[0x0112] = 6
    made = [encode_image(_picture(), suffix) for suffix in (".png", ".jpg", ".webp")]
    made += [_pillow("PNG", mode) for mode in ("L", "P", "1", "LA", "RGBA")]
    made += [_pillow("JPEG", "CMYK"), _pillow("JPEG", exif=exif.tobytes(), progressive=True), _pillow("WEBP", "RGBA")]
    sixteen = cv2.imencode(".png", _picture().astype(np.uint16) * 257)[1].tobytes()
    return [*made, sixteen]


@lru_cache
def maps() -> list[bytes]:
    """Maps of regions, by index and by colour."""
    return [encode_parsing(_map()), _pillow("PNG", "L"), cv2.imencode(".png", _map())[1].tobytes(), *pictures()[:3]]


@lru_cache
def poses() -> list[bytes]:
    """Files of joints, as the studio and others write them."""
    rows = to_rows(default_skeleton((10, 5, 54, 90)))
    flat = [value for row in rows for value in (row or [0, 0, 0])]
    people = {"people": [{"pose_keypoints_2d": flat}], "canvas_width": SIZE[0], "canvas_height": SIZE[1]}
    files = [{"keypoints": rows, "size": list(SIZE)}, people, [people], [{"image_id": 1, "keypoints": flat[:51]}]]
    return [json.dumps(file).encode() for file in files]


@lru_cache
def documents() -> list[bytes]:
    """A document with two steps of history and a reference."""
    person = SavedPerson(_picture(), default_skeleton((10, 5, 54, 90)), _map(), Framing.around((10, 5, 54, 90), SIZE))
    moved = default_skeleton((12, 5, 50, 90))
    history = [Edits(), Edits(moved), Edits(moved, styles={"pants": {"r1": 0.5}})]
    saved = SavedDocument("photo", person, [(10.0, 5.0, 54.0, 90.0)], 0, {"r1": ("other", person)}, history, 2)
    return [write(saved)]


@lru_cache
def weights() -> list[bytes]:
    """Weights of a very small analyzer, and of nothing known."""
    torch.manual_seed(0)
    network = AnalyzerNetwork(AnalyzerConfig(widths=(1, 1, 1, 1, 1), deep=1))
    config = {"network": "AnalyzerNetwork", "config": json.dumps(network.config.to_dict())}
    other = {"network": "PISE", "config": json.dumps({"width": 1})}
    tensors = {name: value.contiguous() for name, value in network.state_dict().items()}
    return [save(tensors, config), save({"a": torch.zeros(3)}, other)]


@lru_cache
def checkpoints() -> list[bytes]:
    """Checkpoints of PyTorch, new and old, that begin like the release's."""
    tensors = {"Zencoder.get_code.0.weight": torch.rand(16, 16, 1, 1)}
    tensors["parenc.block0.model.2.weight_orig"] = torch.rand(8, 37, 4, 4)
    made = []
    for zipped in (True, False):
        for content in (tensors, {"block0.model.1.bias": torch.rand(4)}):
            buffer = io.BytesIO()
            torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
            made.append(buffer.getvalue())
    return made


@lru_cache
def clips() -> list[bytes]:
    """Short videos."""
    pictures = [np.roll(_picture(), shift, 1) for shift in range(4)]
    return [encode_mp4(pictures, 12), encode_gif(pictures, 12)]


DOORS: dict[str, Door] = {
    "clips": Door(lambda data: [picture.shape for _, picture in Clip(data).pictures()], clips),
    "images": Door(read_image, pictures),
    "maps": Door(read_parsing, maps),
    "poses": Door(lambda data: read_pose(data, SIZE), poses),
    "documents": Door(read, documents),
    "weights": Door(_in_file(_weights, ".safetensors"), weights),
    "checkpoints": Door(_in_file(_checkpoint, ".pth"), checkpoints),
}
