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
from pise_core.skeleton import JOINT
from pise_core.synthesis.dataset import LAYER, MAX_LAYERS, Pair, Picture, write_format, write_shard
from pise_core.training import command as train
from tests.conftest import draw_person


def write_samples(folder: Path, count: int = 4) -> Path:
    """``count`` people to train on, and two held back, who are both for validation and for tests."""
    rng = np.random.default_rng(0)
    samples: dict[str, dict] = {"train": {}, "validation": {}, "test": {}}
    for kind in ("images", "parsing"):
        (folder / kind).mkdir(parents=True)
    for i in range(count + 2):
        shirt, trousers = rng.integers(30, 220, (2, 3)).tolist()
        drawn = draw_person(200 + 7 * i, 320, shirt=tuple(shirt), trousers=tuple(trousers))
        cv2.imwrite(str(folder / "images" / f"{i:04d}.jpg"), cv2.cvtColor(drawn.photo, cv2.COLOR_RGB2BGR))
        cv2.imwrite(str(folder / "parsing" / f"{i:04d}.png"), drawn.parsing)
        for split in ("train",) if i < count else ("validation", "test"):
            samples[split][f"{i:04d}"] = to_rows(drawn.pose)
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


def write_people(folder: Path, count: int = 3, size: tuple[int, int] = (256, 176), shard: int = 0) -> Path:
    """Drawn people as ``synthesize people`` leaves rendered ones: each twice, a bag in the right hand."""
    rng = np.random.default_rng(1)
    height, width = size
    write_format(folder, size, {"seed": 1})
    pairs = []
    for index in range(count):
        shirt, trousers = rng.integers(30, 220, (2, 3)).tolist()
        pictures = []
        for _ in range(2):
            left = float(rng.uniform(0.1, 0.3)) * width
            box = left, 0.08 * height, left + 0.6 * width, 0.94 * height
            drawn = draw_person(width, height, box, tuple(shirt), tuple(trousers))
            image, parsing, held = drawn.photo.copy(), drawn.parsing.copy(), np.zeros(size, np.uint8)
            x, y = drawn.pose[JOINT["right_wrist"], :2].astype(int)
            cv2.rectangle(held, (x - 9, y), (x + 9, y + 16), 1, -1)
            image[held > 0], parsing[held > 0] = (20, 90, 40), 0
            person = (parsing > 0) | (held > 0)
            layers = np.where(held > 0, LAYER["held/right_hand"], np.where(person, LAYER["top/torso"], 0)).astype(
                np.uint8
            )
            order = np.zeros(MAX_LAYERS, np.uint8)
            order[:2] = LAYER["top/torso"], LAYER["held/right_hand"]
            alpha, depth = person.astype(np.uint8) * 255, person.astype(np.uint16) * 3000
            pictures.append(Picture(image, drawn.pose, parsing, held, alpha, depth, layers, order))
        pairs.append(Pair(pictures[0], pictures[1], {"index": index, "turns": [0.0, 90.0 * (index % 2)]}))
    write_shard(folder, shard, pairs)
    return folder
