"""Sheets of pictures that a training run leaves beside its log: what it learns from, and what it can do."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from pise_core.files import write_file
from pise_core.framing import FRAME_SIZE
from pise_core.model.adapter import Convention
from pise_core.model.config import PISEConfig
from pise_core.model.network import PISE
from pise_core.training.data.batches import Batch
from pise_core.training.data.sources import PairSource


def write_picture(path: Path, picture: np.ndarray) -> None:
    """(H, W, 3) uint8 RGB, as PNG."""
    _, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    write_file(path, data.tobytes())


def pairs_sheet(source: PairSource, rng: np.random.Generator, config: PISEConfig, count: int = 40) -> np.ndarray:
    """Training pairs as they are drawn for a network of this configuration, four in a row, (H, W, 3) uint8: source, its
    map, what is carried, target."""
    rows, palette = [], Convention(config).palette
    for _ in range(0, count, 4):
        b = source.batch(rng, 4, FRAME_SIZE, config.detail_path)
        carried = b.carry.image if b.carry else torch.zeros_like(b.source_image)
        rows.append(
            np.hstack(
                [
                    tile
                    for i in range(len(b.source_image))
                    for tile in (
                        _pixels(b.source_image[i]),
                        palette[b.source_parsing[i].argmax(0).numpy()],
                        _pixels(carried[i]),
                        _pixels(b.target_image[i]),
                    )
                ]
            )[::2, ::2]
        )
    return np.vstack(rows)


@torch.no_grad()
def sheet(model: PISE, subjects: list[Batch], device: str | torch.device = "cpu", whole: bool = False) -> np.ndarray:
    """A row per subject, two rows side by side if their number is even, (H, W, 3) uint8: source, carried, the generated
    map, the picture on it with and on the true one without the detail path, target. Made pictures and the target are
    grey off the person, unless ``whole`` ones are judged."""
    rows, palette = [], Convention(model.config).palette
    for subject in subjects:
        b = subject.to(device)
        inputs = (b.source_image, b.source_parsing, b.source_pose, b.target_pose)
        plain = model(*inputs, b.target_parsing)
        full = model(*inputs, carry=b.carry) if model.parsing_generator is not None else plain
        label = full.parsing.argmax(1)[0].cpu()
        carried = b.carry.image if b.carry else b.source_image
        person, made = (None, None) if whole else (b.person[0].cpu() > 0, label[None] > 0)
        tiles = [
            _pixels(b.source_image[0]),
            _pixels(carried[0]),
            palette[label.numpy()],
            _pixels(full.image[0], made),
            _pixels(plain.image[0], person),
            _pixels(b.target_image[0], person),
        ]
        rows.append(np.hstack(tiles))
    half = (len(rows) + 1) // 2
    return np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])]) if len(rows) % 2 == 0 else np.vstack(rows)


def _pixels(image: Tensor, inside: Tensor | None = None) -> np.ndarray:
    """(3, H, W) in [-1, 1] -> (H, W, 3) uint8, grey where ``inside`` (1, H, W) is False."""
    image = image.detach().float().cpu()
    image = image if inside is None else image * inside
    return ((image.permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).byte().numpy()
