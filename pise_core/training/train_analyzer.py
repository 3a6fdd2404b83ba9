"""Training of the analyzer: views of whole photos at any scale and place, two kinds of annotation, one network.

Half of the photos carry no regions. When half of the time is used up, the network itself labels them (``pseudo``), and
from then on learns from those of its labels that it was sure of.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from pise_core.detection.decoding import decode_joints
from pise_core.detection.network import Analysis, AnalyzerConfig, AnalyzerNetwork
from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE, Framing
from pise_core.pose import MIRROR, heatmaps
from pise_core.training.loop import Average, Budget, Log, check_finite, load_checkpoint, save_checkpoint, total
from pise_core.training.metrics import KeypointAccuracy, RegionOverlap
from pise_core.training.samples import Sample, load_samples, person_box
from pise_core.training.scenes import Scenes
from pise_core.weights import save_model

#: The label of a pixel that nobody annotated.
UNLABELLED = 255
#: The ImageNet features are changed this much more slowly than what begins at random.
BACKBONE_RATE = 0.2
#: The share of the time after which unlabelled photos are labelled, and how sure a pixel's label must be to count.
PSEUDO_FROM, PSEUDO_SURE = 0.5, 0.8
_REGION_WEIGHT = torch.tensor([0.7, 1.2, 1.4, 1.0, 1.3, 1.1, 1.5, 1.2])


def _backdrop(other: Sample, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A picture without a person, (H, W, 3) uint8: the street beside somebody, enlarged, or one colour."""
    height, width = size
    x0, _, x1, _ = person_box(other)
    left, right = int(x0), int(other.image.shape[1] - x1)
    if rng.random() < 0.3 or max(left, right) < 24:
        return np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    strip = other.image[:, :left] if left > right else other.image[:, -right:]
    tall = min(strip.shape[0], round(strip.shape[1] * height / width))
    top = int(rng.integers(0, strip.shape[0] - tall + 1))
    return cv2.resize(strip[top : top + tall], (width, height), interpolation=cv2.INTER_LINEAR)


def random_view(sample: Sample, other: Sample, rng: np.random.Generator, size: tuple[int, int] = FRAME_SIZE):
    """One augmented view: image (H, W, 3) uint8, pose (18, 3), labels (H, W) uint8 (255 where not annotated).

    ``other`` lends its street where the view reaches beyond the photo.
    """
    height, width = size
    x0, y0, x1, y1 = person_box(sample)
    kind = rng.random()
    if kind < 0.18:  # half a body: head and torso, or less
        y1 = y0 + (y1 - y0) * rng.uniform(0.3, 0.65)
    fit = min(height / (y1 - y0), width / (x1 - x0))
    if kind < 0.68:  # the crop that the second pass sees
        scale = fit * np.exp(rng.uniform(np.log(0.6), np.log(1.05)))
        jitter = 0.06
    else:  # the whole scene that the first pass sees, the person small and anywhere
        scale = fit * np.exp(rng.uniform(np.log(0.2), np.log(0.8)))
        jitter = 0.5 * (1 - scale / fit)
    angle = np.deg2rad(np.clip(rng.normal() * 7, -25, 25))
    mirrored = rng.random() < 0.5
    a = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * scale
    if mirrored:
        a = a @ np.array([[-1.0, 0], [0, 1]])
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    place = np.array([width, height]) * (0.5 + rng.uniform(-jitter, jitter, 2))
    shift = place - a @ centre
    # Pixel centres lie at +0.5 here and at whole numbers in OpenCV.
    matrix = np.c_[a, shift + a @ [0.5, 0.5] - 0.5]
    image = sample.image
    if scale < 0.7:
        image = cv2.GaussianBlur(image, (0, 0), 0.4 / scale)
    backdrop = _backdrop(other, size, rng)
    image = cv2.warpAffine(image, matrix, (width, height), backdrop, borderMode=cv2.BORDER_TRANSPARENT)
    if sample.parsing is None:
        labels = np.full(size, UNLABELLED, np.uint8)
    else:
        # Beyond the photo lies the other's street. Of a photo that the network labelled nothing is known there.
        beyond = UNLABELLED if (sample.parsing == UNLABELLED).any() else 0
        labels = cv2.warpAffine(sample.parsing, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=beyond)
    pose = sample.pose.copy()
    pose[:, :2] = pose[:, :2] @ a.T + shift
    if mirrored:
        pose = pose[list(MIRROR)]
    with np.errstate(invalid="ignore"):
        inside = ((pose[:, :2] >= 0) & (pose[:, :2] < [width, height])).all(1)
    pose[~inside] = np.nan, np.nan, 0
    return _recolour(image, rng), pose, labels


def _recolour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    x = image.astype(np.float32)
    mean = x.mean()
    x = (x - mean) * rng.uniform(0.7, 1.3) + mean * rng.uniform(0.7, 1.3)
    x *= rng.uniform(0.88, 1.12, 3).astype(np.float32)
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * rng.uniform(0.2, 1.5)
    if rng.random() < 0.2:
        x += rng.normal(size=x.shape).astype(np.float32) * rng.uniform(2, 10)
    if rng.random() < 0.15:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.5, 1.5))
    return np.clip(x, 0, 255).astype(np.uint8)


def to_tensor(images: np.ndarray) -> torch.Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1


def _batch(drawn: list[tuple[Sample, Sample]], rng: np.random.Generator, frame: tuple[int, int]):
    """Views of the first of each two as tensors: images, heat maps, labels; the second lends its street."""
    views = [random_view(sample, other, rng, frame) for sample, other in drawn]
    images = to_tensor(np.stack([v[0] for v in views]))
    # sigma 6 at the full frame; smaller frames keep it in proportion.
    sigma = 6 * frame[0] / FRAME_SIZE[0]
    maps = torch.from_numpy(np.stack([heatmaps(v[1], frame, sigma, stride=4) for v in views]))
    labels = torch.from_numpy(np.stack([v[2] for v in views])[:, ::2, ::2].astype(np.int64))
    return images, maps, labels


def load_backbone(network: AnalyzerNetwork, path: Path | None) -> None:
    """ImageNet weights for the way down: SqueezeNet 1.1 from torchvision's file at ``path``, or from its hub.

    Raises:
        InputError: if there is no such file, it holds something else, or the hub cannot be reached.
    """
    if path is None:
        from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

        try:
            tensors = squeezenet1_1(weights=SqueezeNet1_1_Weights.IMAGENET1K_V1).state_dict()
        except OSError as error:
            raise InputError(
                f"SqueezeNet could not be fetched ({error}); give its weights with --backbone FILE"
            ) from None
    elif Path(path).exists():
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    else:
        raise InputError(f"{path} is missing; leave --backbone out to fetch torchvision's SqueezeNet 1.1")
    try:
        network.down.load_state_dict({name: tensors[name] for name in network.down.state_dict()})
    except (KeyError, RuntimeError):
        raise InputError(f"{path} does not hold torchvision's squeezenet1_1") from None


def losses(found: Analysis, maps: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
    """Cross-entropy and soft Dice for the regions, weighted squared error for the heat maps."""
    region = F.cross_entropy(
        found.parsing, labels, weight=_REGION_WEIGHT.to(labels.device), ignore_index=UNLABELLED, reduction="sum"
    )
    known = (labels != UNLABELLED)[:, None]
    region = region / known.sum().clamp(min=1)
    truth = F.one_hot(labels.clamp(max=7), 8).permute(0, 3, 1, 2) * known
    guess = found.parsing.softmax(1) * known
    overlap = (2 * (guess * truth).sum((0, 2, 3)) + 50) / (guess.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 50)
    # A joint covers few cells: without the weight the empty map is a good answer for a long time.
    joint = ((found.heatmaps - maps) ** 2 * (1 + 30 * maps)).mean()
    return {"region": region, "dice": 0.5 * (1 - overlap.mean()), "joint": 25 * joint}


def train(
    data: Path,
    out: Path,
    minutes: float,
    backbone: Path | None = None,
    batch: int = 12,
    rate: float = 2e-3,
    seed: int = 0,
    device: str = "cpu",
) -> AnalyzerNetwork:
    """Run, or resume from ``out/analyzer.pt``, until the budget is used up; the averaged weights go to ``out``.

    Works on views of half size for the first 20 % of the time, of three quarters until 40 %, then of full size;
    convolutions are computed in bfloat16.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    samples = load_samples(data, "train")
    scenes = Scenes([s for s in samples if s.parsing is not None])
    network = AnalyzerNetwork(AnalyzerConfig())
    state = load_checkpoint(out / "analyzer.pt")
    if state is None:
        load_backbone(network, backbone)
    network = network.to(device).to(memory_format=torch.channels_last)
    average = Average(network)
    groups = [
        {"params": list(network.down.parameters()), "share": BACKBONE_RATE},
        {"params": [p for n, p in network.named_parameters() if not n.startswith("down.")], "share": 1.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=0.02)
    log, step, budget = Log(out), 0, Budget(minutes)
    if state is not None:
        network.load_state_dict(state["network"])
        average.module.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, budget = state["step"], Budget(minutes, state["spent"])
    size = sum(p.numel() for p in network.parameters())
    log(samples=len(samples), annotated=len(scenes.samples), parameters=size)

    def checkpoint() -> None:
        save_checkpoint(
            out / "analyzer.pt",
            network=network.state_dict(),
            average=average.module.state_dict(),
            optimizer=optimizer.state_dict(),
            step=step,
            spent=budget.spent,
        )
        save_model(out / "analyzer.safetensors", average.module)

    labelled = samples
    while budget.used(step) < 1:
        if labelled is samples and budget.used(step) >= PSEUDO_FROM:
            labelled = pseudo_labelled(average.module, samples, out / "pseudo", device)
            log(pseudo=sum(s.parsing is not None for s in labelled) - len(scenes.samples))
        part = 0.5 if budget.used(step) < 0.2 else 0.75 if budget.used(step) < 0.4 else 1.0
        frame = (int(256 * part), int(176 * part) // 4 * 4)
        rng = np.random.default_rng((seed, step))  # a resumed run sees what an unbroken one would
        # Two thirds of each batch are annotated by hand: regions are the harder half of the task.
        by_hand = batch * 2 // 3
        drawn = [scenes.draw(rng) for _ in range(by_hand)]
        drawn += [labelled[i] for i in rng.integers(0, len(labelled), batch - by_hand)]
        others = [samples[i] for i in rng.integers(0, len(samples), batch)]
        images, maps, labels = (t.to(device) for t in _batch(list(zip(drawn, others, strict=True)), rng, frame))
        for group in optimizer.param_groups:
            group["lr"] = budget.rate(rate, step) * group["share"]
        network.train()
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            found = network(images.to(memory_format=torch.channels_last))
        terms = losses(Analysis(found.heatmaps.float(), found.parsing.float()), maps, labels)
        check_finite(step, terms)
        optimizer.zero_grad()
        total(terms).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        average.update(network, step)
        step += 1
        if step % 50 == 0:
            log(step=step, seconds=budget.spent, **{k: float(v) for k, v in terms.items()})
        if step % 400 == 0:
            checkpoint()
    checkpoint()
    return average.module


def pseudo_labelled(network: AnalyzerNetwork, samples: list[Sample], folder: Path, device: str) -> list[Sample]:
    """The same samples; those without regions get the network's, ``UNLABELLED`` where it was not sure.

    Labels are kept in ``folder``, so that a resumed run goes on with the same ones.
    """
    folder.mkdir(exist_ok=True)
    out = []
    for sample in samples:
        if sample.parsing is None:
            path = folder / f"{sample.name}.png"
            labels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) if path.exists() else None
            if labels is None:
                framing = Framing.around(person_box(sample), sample.image.shape[1::-1])
                found = look(network, framing.crop(sample.image, 127), device)
                probabilities = np.stack([framing.paste(p, -1.0) for p in found])
                labels = probabilities.argmax(0).astype(np.uint8)
                labels[probabilities.max(0) < PSEUDO_SURE] = UNLABELLED
                cv2.imwrite(str(path), labels)
            sample = replace(sample, parsing=labels)
        out.append(sample)
    return out


@torch.no_grad()
def look(network: AnalyzerNetwork, image: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Probabilities (8, H, W) of an (H, W, 3) uint8 picture, averaged with those of its mirror image."""
    x = to_tensor(image[None]).to(device)
    logits = network(torch.cat([x, x.flip(3)])).parsing
    logits = F.interpolate(logits, size=x.shape[2:], mode="bilinear", align_corners=False)
    probabilities = logits.softmax(1)
    return ((probabilities[0] + probabilities[1].flip(2)) / 2).cpu().numpy()


@torch.no_grad()
def score_crops(network: AnalyzerNetwork, samples: list[Sample], device="cpu") -> dict:
    """Regions and joints on one centred crop per sample: what the network alone can do, the crop being given."""
    overlap, accuracy = RegionOverlap(), KeypointAccuracy()
    for sample in samples:
        size = sample.image.shape[1::-1]
        framing = Framing.around(person_box(sample), size)
        image = to_tensor(framing.crop(sample.image, 127)[None]).to(device)
        found = network(image)
        accuracy.add(framing.to_frame(sample.pose), decode_joints(found.heatmaps[0].cpu().numpy(), 4))
        if sample.parsing is not None:
            logits = F.interpolate(found.parsing, scale_factor=2, mode="bilinear", align_corners=False)
            truth = framing.crop(sample.parsing, labels=True)
            overlap.add(truth, logits[0].argmax(0).cpu().numpy())
    return {"miou": overlap.mean, "iou": overlap.per_region.round(3).tolist(), **accuracy.mean}
