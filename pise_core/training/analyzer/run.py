"""Training of the analyzer: views of whole photos at any scale and place, two kinds of annotation, one network.

Half of the photos carry no regions. When half of the time is used up, the network itself labels them (``pseudo``), and
from then on learns from those of its labels that it was sure of. A network that was trained before does so at once.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from pise_core.detection.analyzer import FILE_NAME, read_network
from pise_core.detection.decoding import decode_joints
from pise_core.detection.network import Analysis, AnalyzerConfig, AnalyzerNetwork
from pise_core.errors import InputError
from pise_core.files import write_file
from pise_core.framing import Framing
from pise_core.model.weights import save_model
from pise_core.training.analyzer.metrics import KeypointAccuracy, RegionOverlap
from pise_core.training.data.prepared_folder import Sample, load_samples, person_box
from pise_core.training.data.scenes import Scenes
from pise_core.training.data.views import UNLABELLED, to_tensor, views_of
from pise_core.training.interruption import Interruption
from pise_core.training.loop import (
    Average,
    Budget,
    Curve,
    Log,
    Saves,
    check_finite,
    load_checkpoint,
    save_checkpoint,
    total,
)
from pise_core.training.pretrained import fetched, read_tensors

#: The ImageNet features are changed this much more slowly than what begins at random.
BACKBONE_RATE = 0.2
#: The share of the time after which unlabelled photos are labelled, and how sure a pixel's label must be to count.
PSEUDO_FROM, PSEUDO_SURE = 0.5, 0.8
_REGION_WEIGHT = torch.tensor([0.7, 1.2, 1.4, 1.0, 1.3, 1.1, 1.5, 1.2])


def load_backbone(network: AnalyzerNetwork, path: Path | None) -> None:
    """ImageNet weights for the way down: SqueezeNet 1.1 from torchvision's file at ``path``, or from its hub.

    Raises:
        InputError: if there is no such file, it holds something else, or the hub cannot be reached.
    """
    if path is None:
        from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

        weights = SqueezeNet1_1_Weights.IMAGENET1K_V1
        with fetched("SqueezeNet", weights.url, ", or give its weights with --backbone FILE"):
            tensors = squeezenet1_1(weights=weights).state_dict()
    elif Path(path).exists():
        tensors = read_tensors(Path(path))
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
    init: Path | None = None,
) -> AnalyzerNetwork:
    """Run, or resume from ``out/analyzer.pt``, until the budget is used up; the averaged weights go to ``out``.

    Works on views of half size for the first 20 % of the time, of three quarters until 40 %, then of full size;
    convolutions are computed in bfloat16. Saves every 400 steps, every few minutes, and on Ctrl-C or SIGTERM.

    ``init`` is the folder of another run, or a file of weights. It takes the place of ``backbone``, and all views then
    are of full size.

    Raises:
        InputError: if data, ``backbone`` or ``init`` are missing or do not fit, or ``out`` holds something else.
        FloatingPointError: as soon as a loss is not finite; it names every term.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once all is saved.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    samples = load_samples(data, "train")
    scenes = Scenes([s for s in samples if s.parsing is not None])
    network = AnalyzerNetwork(AnalyzerConfig())
    state = load_checkpoint(out / "analyzer.pt")
    if init is not None:
        network = read_network(init / FILE_NAME if init.is_dir() else init)
    elif state is None:
        load_backbone(network, backbone)
    network = network.to(device).to(memory_format=torch.channels_last)
    average = Average(network)
    groups = [
        {"params": list(network.down.parameters()), "share": BACKBONE_RATE},
        {"params": [p for n, p in network.named_parameters() if not n.startswith("down.")], "share": 1.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=0.02)
    step, budget = 0, Budget(minutes)
    if state is not None:
        try:
            network.load_state_dict(state["network"])
            average.module.load_state_dict(state["average"])
            optimizer.load_state_dict(state["optimizer"])
            step, budget = state["step"], Budget(minutes, state["spent"])
        except (ValueError, RuntimeError, KeyError):
            raise InputError(f"{out} holds a run of another version; give another --out") from None
    log = Log(out, step)
    curve, saves = Curve(log, 50), Saves(400)
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
    with Interruption() as interruption:
        while budget.used(step) < 1 and not interruption.asked:
            if labelled is samples and (init is not None or budget.used(step) >= PSEUDO_FROM):
                checkpoint()  # labels of thousands of photos take minutes, and go with these very weights
                labelled = pseudo_labelled(average.module, samples, out / "pseudo", device)
                log(pseudo=sum(s.parsing is not None for s in labelled) - len(scenes.samples))
            part = 1.0
            if init is None:
                part = 0.5 if budget.used(step) < 0.2 else 0.75 if budget.used(step) < 0.4 else 1.0
            frame = (int(256 * part), int(176 * part) // 4 * 4)
            rng = np.random.default_rng((seed, step))  # a resumed run sees what an unbroken one would
            # Two thirds of each batch are annotated by hand: regions are the harder half of the task.
            by_hand = batch * 2 // 3
            drawn = [scenes.draw(rng) for _ in range(by_hand)]
            drawn += [labelled[i] for i in rng.integers(0, len(labelled), batch - by_hand)]
            others = [samples[i] for i in rng.integers(0, len(samples), batch)]
            images, maps, labels = (t.to(device) for t in views_of(list(zip(drawn, others, strict=True)), rng, frame))
            for group in optimizer.param_groups:
                group["lr"] = budget.rate(rate, step) * group["share"]
            network.train()
            with torch.autocast(torch.device(device).type, torch.bfloat16):
                found = network(images.to(memory_format=torch.channels_last))
            terms = losses(Analysis(found.heatmaps.float(), found.parsing.float()), maps, labels)
            values = {name: float(term.detach()) for name, term in terms.items()}
            check_finite(step, values)
            optimizer.zero_grad()
            total(terms).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
            average.update(network, step)
            step += 1
            curve.add(step, budget.spent, {"loss": sum(values.values()), **values})
            if saves.due(step):
                checkpoint()
        over = budget.used(step) == 1
        if over:
            curve.end()
        checkpoint()
    if not over:
        raise KeyboardInterrupt(f"interrupted at step {step}; the same command goes on from there")
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
                write_file(path, cv2.imencode(".png", labels)[1].tobytes())
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
