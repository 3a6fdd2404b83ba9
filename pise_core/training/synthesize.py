"""``python -m pise_core synthesize``: people who do not exist, for the examples that ship.

The layout (pose and map) is one annotated photo's, the styles of the regions are mixed from others', and the picture
is the generator's alone: the detail path is silent, so that no pixel of any photo is in it.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import torch

from pise_core.framing import FRAME_SIZE
from pise_core.images import write_image
from pise_core.model.network import PISE
from pise_core.pose import heatmaps, visible
from pise_core.regions import REGION_COUNT, cut_out, one_hot
from pise_core.training.data.articulation import Framed, frame_sample
from pise_core.training.data.prepared_folder import Sample, load_samples

#: The frame is enlarged so many times: a photo of 528x768.
ENLARGE = 3
#: How many people's styles are mixed per region.
_MIX = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("prepared"), help="folder that prepare wrote")
    parser.add_argument("--weights", type=Path, default=None, help="folder of the weights (default: those that ship)")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    model = PISE.from_pretrained(args.weights)
    samples = load_samples(args.data, "train", annotated_only=True)
    args.out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    for index in range(args.count):
        path = args.out / f"person-{index + 1}.png"
        write_image(path, synthesize(model, samples, rng))
        print(path)
    return 0


@torch.no_grad()
def synthesize(model: PISE, samples: list[Sample], rng: np.random.Generator) -> np.ndarray:
    """One person before a plain wall, (768, 528, 3) uint8 RGB."""
    layout = _layout(samples, rng)
    parsing = torch.from_numpy(one_hot(layout.parsing))[None]
    pose = torch.from_numpy(heatmaps(layout.pose, FRAME_SIZE))[None]
    image = torch.from_numpy(cut_out(layout.image, layout.parsing > 0))[None]
    codes = _mixed_codes(model, layout.parsing, samples, rng)
    made = model(image, parsing, pose, pose, target_parsing=parsing, style_codes=codes)
    size = FRAME_SIZE[1] * ENLARGE, FRAME_SIZE[0] * ENLARGE
    picture = (made.painted[0].permute(1, 2, 0).numpy() + 1) * 127.5
    # The map's stairs are one pixel high, and would be three after enlarging.
    picture = cv2.resize(cv2.GaussianBlur(picture, (0, 0), 0.7), size, interpolation=cv2.INTER_CUBIC)
    picture += 0.6 * (picture - cv2.GaussianBlur(picture, (0, 0), 2.5))
    share = cv2.resize((layout.parsing > 0).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    share = np.clip(cv2.GaussianBlur(share, (0, 0), 5.0) * 3.2 - 1.2, 0, 1)[..., None]
    wall = _studio(size, share[..., 0], rng)
    grain = cv2.GaussianBlur(rng.normal(size=(size[1], size[0], 1)).astype(np.float32), (0, 0), 0.7)[..., None] * 5
    return np.clip(picture * share + wall * (1 - share) + grain, 0, 255).astype(np.uint8)


def _layout(samples: list[Sample], rng: np.random.Generator) -> Framed:
    """Somebody seen whole, in one piece and without a bag that cuts a hole into the map."""
    while True:
        layout = frame_sample(samples[rng.integers(len(samples))])
        person = (layout.parsing > 0).astype(np.uint8)
        whole = cv2.morphologyEx(person, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
        pieces, _, stats, _ = cv2.connectedComponentsWithStats(person)
        one_piece = stats[1:, cv2.CC_STAT_AREA].max() > 0.99 * person.sum()
        if visible(layout.pose).all() and one_piece and whole.sum() < 1.035 * person.sum() and pieces <= 3:
            return layout


def _mixed_codes(model: PISE, parsing: np.ndarray, samples: list[Sample], rng: np.random.Generator) -> torch.Tensor:
    """(1, 8, code): each region's style is the mean of several people who have that region."""
    rows: list[torch.Tensor] = []
    for region in range(REGION_COUNT):
        found: list[torch.Tensor] = []
        while len(found) < _MIX:
            other = frame_sample(samples[rng.integers(len(samples))])
            if (other.parsing == region).sum() < 30 and (parsing == region).any():
                continue
            cut = torch.from_numpy(cut_out(other.image, other.parsing > 0))[None]
            found.append(model.encode(cut, torch.from_numpy(one_hot(other.parsing))[None]).styles[:, region])
        rows.append(torch.stack(found).mean(0))
    return torch.stack(rows, 1)


def _studio(size: tuple[int, int], share: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A wall, a floor and a soft shadow, (H, W, 3) float32 in [0, 255]; ``size`` is (W, H)."""
    width, height = size
    tone = rng.uniform(165, 215) + rng.normal(size=3) * 5
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    light = 1.06 - 0.12 * y - 0.08 * x**2
    floor = 1 / (1 + np.exp(-(y - 0.83) * 60))
    picture = tone * (light * (1 - 0.16 * floor))[..., None]
    feet = np.nonzero(share.max(1) > 0.5)[0].max()
    columns = np.nonzero(share[int(feet * 0.9) : feet].max(0) > 0.5)[0]
    shadow = np.zeros((height, width), np.float32)
    centre, reach = (int(columns.mean()), int(np.ptp(columns) * 0.75 + 20)) if len(columns) else (width // 2, 60)
    cv2.ellipse(shadow, (centre, int(feet) - 4), (reach, 14), 0, 0, 360, 1.0, -1)
    return picture * (1 - 0.35 * cv2.GaussianBlur(shadow, (0, 0), 12))[..., None]
