"""What the tests of training share: drawn people as ``prepare`` leaves them, and a teacher that has seen nothing."""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file

from pise_core.model.vgg import SHALLOW_LAYERS, VGGSlice
from pise_core.pose import to_rows
from pise_core.training import command as train
from tests.conftest import draw_person


def write_samples(folder: Path, count: int = 4) -> Path:
    """``count`` people to train on, and two held back."""
    rng = np.random.default_rng(0)
    samples: dict[str, dict] = {"train": {}, "validation": {}, "test": {}}
    for kind in ("images", "parsing"):
        (folder / kind).mkdir(parents=True)
    for i in range(count + 2):
        shirt, trousers = rng.integers(30, 220, (2, 3)).tolist()
        drawn = draw_person(200 + 7 * i, 320, shirt=tuple(shirt), trousers=tuple(trousers))
        cv2.imwrite(str(folder / "images" / f"{i:04d}.jpg"), cv2.cvtColor(drawn.photo, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(folder / "parsing" / f"{i:04d}.png"), drawn.parsing)
        samples["train" if i < count else "test"][f"{i:04d}"] = to_rows(drawn.pose)
    (folder / "samples.json").write_text(json.dumps(samples))
    return folder


def write_teacher(path: Path, layers: tuple[str, ...] = SHALLOW_LAYERS) -> Path:
    """VGG-19 of random weights down to the deepest of ``layers``, as safetensors or as torchvision's .pth."""
    torch.manual_seed(0)
    tensors = VGGSlice(layers=layers).state_dict()
    if path.suffix == ".pth":
        torch.save(tensors, path)
    else:
        save_file(tensors, str(path))
    return path


def command(*arguments: object) -> argparse.Namespace:
    """What ``train generator`` makes of its arguments."""
    parser = argparse.ArgumentParser()
    train.add_arguments(parser)
    return parser.parse_args(["generator", *map(str, arguments)])


def curve(out: Path) -> list[dict]:
    """The loss terms of each step in the log of a run."""
    records = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in record.items() if k != "seconds"} for record in records if "step" in record]
