"""Training of the analyzer: views of whole photos at any scale and place, two kinds of annotation, one network.

Half of the photos carry no regions. When half of the time is used up, the network itself labels them (``pseudo``), and
from then on learns from those of its labels that it was sure of. A network that was trained before does so at once.

A share of the views may show rendered people (``synthesize people``), whose joints, regions and held things are exact.
"""

import copy
import json
import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pise_core.detection.decoding import decode_joints
from pise_core.detection.network import TRAINED_CONFIG, Analysis, AnalyzerNetwork
from pise_core.errors import InputError
from pise_core.files import write_file
from pise_core.framing import Framing
from pise_core.model.weights import save_model
from pise_core.synthesis.dataset import People
from pise_core.training.analyzer.initial_weights import begin_with, load_backbone
from pise_core.training.analyzer.metrics import KeypointAccuracy, RegionOverlap
from pise_core.training.analyzer.passers_by import with_passers_by
from pise_core.training.course import Course, state_of
from pise_core.training.data.people_scenes import PeopleScenes
from pise_core.training.data.prepared_folder import Sample, load_samples, person_box
from pise_core.training.data.scenes import Scenes
from pise_core.training.data.views import UNLABELLED, Views, to_tensor, views_of
from pise_core.training.prefetch import Ahead
from pise_core.training.processes import fast_in_bfloat16
from pise_core.training.run_record import differences, digest_of_prepared, surroundings

_log = logging.getLogger(__name__)

#: The ImageNet features are changed this much more slowly than what begins at random.
BACKBONE_RATE = 0.2
#: Peak learning rates: from nothing, and where another's weights are to change only a little.
RATE, GENTLE_RATE = 2e-3, 2e-4
#: (H, W) of the views of a run that begins with another's weights, by turns: the frame of the close look, that of the
#: coarse one, and a wide scene as the first look sees it.
_SIZES_IN_USE = ((256, 176), (192, 132), (256, 176), (192, 256))
#: The share of the time after which unlabelled photos are labelled, and how sure a pixel's label must be to count.
PSEUDO_FROM, PSEUDO_SURE = 0.5, 0.8
#: The share of photos that are annotated by hand, where the others have no regions and where they get some.
BY_HAND, BY_HAND_AMONG_LABELLED = 5 / 6, 2 / 3
#: Photos of the validation split that a run is judged by on its way.
VALIDATION_PHOTOS = 48
#: The share of rendered people among the views, where there are any.
PEOPLE_SHARE = 0.4
#: Of a pixel of something held, which few are, in its cross-entropy.
_HELD_WEIGHT = 4.0
_REGION_WEIGHT = torch.tensor([0.7, 1.2, 1.4, 1.0, 1.3, 1.1, 1.5, 1.2])


def losses(found: Analysis, views: Views) -> dict[str, torch.Tensor]:
    """Cross-entropy and soft Dice for the regions, weighted squared error for the heat maps, cross-entropy for what is
    held where that is an output."""
    labels, maps = views.labels, views.heatmaps
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
    terms = {"region": region, "dice": 0.5 * (1 - overlap.mean()), "joint": 25 * joint}
    if found.held is not None:
        known = views.held != UNLABELLED
        gap = F.binary_cross_entropy_with_logits(
            found.held, views.held.clamp(max=1), pos_weight=found.held.new_tensor(_HELD_WEIGHT), reduction="none"
        )
        terms["held"] = (gap * known).sum() / known.sum().clamp(min=1)
    return terms


class _Draws:
    """What is learned from at each step, drawn by (seed, step) alone, so that a resumed run sees what an unbroken one
    would.

    Args:
        samples: the photos, annotated or not.
        scenes: of the annotated ones.
        people: rendered ones, or None.
        batch: views a step.
        share: of these, rendered people.
        by_hand: of the photos, those that are annotated: regions are the harder half of the task.
        seed: of everything random.
    """

    def __init__(
        self,
        samples: list[Sample],
        scenes: Scenes,
        people: PeopleScenes | None,
        batch: int,
        share: float,
        by_hand: float,
        seed: int,
    ):
        self.samples, self.scenes, self.people = samples, scenes, people
        self.rendered = round(batch * share) if people else 0
        self.by_hand = int((batch - self.rendered) * by_hand)
        self.rest = batch - self.rendered - self.by_hand
        self.labelled, self.seed = samples, seed

    def views(self, step: int, frame: tuple[int, int], pseudo: bool) -> Views:
        """Views for a step; ``pseudo``: photos without regions have those that the network found."""
        rng = np.random.default_rng((self.seed, step))
        rest = self.labelled if pseudo else self.samples
        drawn = [self.scenes.draw(rng) for _ in range(self.by_hand)]
        drawn += [rest[i] for i in rng.integers(0, len(rest), self.rest)]
        if self.people:
            drawn += [self.people.draw(rng) for _ in range(self.rendered)]
        others = [self.samples[i] for i in rng.integers(0, len(self.samples), len(drawn))]
        return views_of(list(zip(drawn, others, strict=True)), rng, frame)


def changes_of(out: Path, before: dict, now: dict) -> list[str]:
    """What differs from how a run was begun, a line each; what was not recorded is passed over.

    Raises:
        InputError: if its data had another content.
    """
    if before.get("data", now["data"]) != now["data"]:
        raise InputError(
            f"{out} holds a run on other data (the content of --data is another); give that again, or another --out"
        )
    said = [
        f"{name} was {before[name]} and is {now[name]}"
        for name in now
        if name in before and name not in ("data", "surroundings") and before[name] != now[name]
    ]
    return said + differences(before.get("surroundings", {}), now["surroundings"])


def train(
    data: Path,
    out: Path,
    minutes: float | None,
    backbone: Path | None = None,
    batch: int = 12,
    rate: float | None = None,
    seed: int = 0,
    device: str = "cpu",
    init: Path | None = None,
    people: Path | None = None,
    people_share: float = PEOPLE_SHARE,
    pseudo: bool = True,
    gentle: bool = False,
    joints_alone: bool = False,
    steps: int | None = None,
    until: int | None = None,
    validate_every: int = 250,
    resume: bool = False,
) -> AnalyzerNetwork:
    """Run, or resume from ``out/analyzer.pt``, until the budget is used up; the averaged weights go to ``out``.

    Works on views of half size for the first 20 % of the time, of three quarters until 40 %, then of full size;
    convolutions are computed in bfloat16 where that is faster. Saves every 400 steps, every few minutes, and on Ctrl-C
    or SIGTERM. Given ``steps``, a run on a CPU that was stopped and resumed computes to the bit what an unbroken one
    does. Where the data has a validation split, joints and regions in crops of up to ``VALIDATION_PHOTOS`` of it are
    measured on the way and logged, and the weights of that step kept by the rule of ``kept.Kept``; the loss there is
    what is left to 1 of the mean of mean IoU and PCK@0.1.

    Args:
        data: folder that ``prepare`` wrote.
        out: folder for checkpoints, weights, log, labels and empty streets.
        minutes: wall clock of the whole run; None where ``steps`` says how long it is.
        backbone: torchvision's SqueezeNet 1.1; None for its hub.
        batch: views a step.
        rate: peak learning rate; by default ``RATE``, or ``GENTLE_RATE``.
        seed: of everything random.
        device: "cpu", "cuda".
        init: the folder of another run, or a file of weights. It takes the place of ``backbone``, and views then
            are of the sizes that are looked at in use, by turns.
        people: folder of rendered people that ``synthesize people`` wrote; a run goes on with those it began with.
        people_share: of the views that show them.
        pseudo: let the network label photos that nobody annotated (see the module).
        gentle: of what ``init`` gives, keep the sizes and outputs, the ImageNet part, the statistics of the norms and
            the answers about people whom nobody labelled (``passers_by``), so that little is unlearned.
        joints_alone: gently, and only the layers that are the heat maps' own: regions stay the same to the bit.
        steps: length of the whole run.
        until: leave the run at this step; called again it goes on.
        validate_every: steps from one validation to the next; 0 does without.
        resume: there must be a run in ``out`` to go on with.

    Raises:
        InputError: if data, ``people``, ``backbone`` or ``init`` are missing or do not fit, or ``out`` holds something
            else.
        FloatingPointError: as soon as a loss is not finite; it names every term.
        KeyboardInterrupt: after Ctrl-C or SIGTERM, once all is saved.
    """
    if minutes is None and steps is None:
        raise InputError("give --minutes or --steps")
    gentle = gentle or joints_alone
    if gentle and init is None:
        raise InputError("--gentle and --joints-alone change the weights of another run; give them with --init")
    rate = rate or (GENTLE_RATE if gentle else RATE)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    samples = load_samples(data, "train")
    scenes = Scenes([s for s in samples if s.parsing is not None], out / "streets")
    if not scenes.samples:
        raise InputError(f"{data} holds no annotated photo to train on; prepare a folder that has annotations")
    state = state_of(out / "analyzer.pt", resume)
    validation = load_samples(data, "validation", VALIDATION_PHOTOS) if validate_every else []
    if init is not None:
        network = begin_with(init, None if gentle else TRAINED_CONFIG)
    else:
        network = AnalyzerNetwork(TRAINED_CONFIG)
        if state is None:
            load_backbone(network, backbone)
    made_of = {"seed": seed, "batch": batch, "rate": rate, "people_share": people_share}
    made_of |= {"pseudo": pseudo, "gentle": gentle, "joints_alone": joints_alone}
    made_of |= {"data": digest_of_prepared(data), "surroundings": surroundings(torch.device(device))}
    for note in changes_of(out, (state or {}).get("run", {}), made_of):
        _log.info(note)
    network = network.to(device).to(memory_format=torch.channels_last)
    if gentle:
        network.requires_grad_(not joints_alone)
        network.heatmap_head.requires_grad_(True)
        network.down.requires_grad_(False)
    before = copy.deepcopy(network).requires_grad_(False).eval() if gentle else None
    groups = [
        {"params": list(network.down.parameters()), "share": BACKBONE_RATE},
        {"params": [p for n, p in network.named_parameters() if not n.startswith("down.")], "share": 1.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, weight_decay=0.02)
    shown, rendered = people_scenes(people, (state or {}).get("people"), state is not None, scenes)
    beside = {"people": rendered, "run": made_of}
    course = Course(out / "analyzer.pt", network, optimizer, rate, minutes, steps, state, beside)
    fast = fast_in_bfloat16(device)
    by_hand = BY_HAND_AMONG_LABELLED if pseudo else BY_HAND
    draws = _Draws(samples, scenes, shown, batch, people_share, by_hand, seed)
    size = sum(p.numel() for p in network.parameters())
    course.log(samples=len(samples), annotated=len(scenes.samples), people=rendered, parameters=size)

    def write() -> None:
        notes = json.dumps({**made_of, "people": rendered}, sort_keys=True)
        save_model(out / "analyzer.safetensors", course.average.module, run=notes, step=str(course.step))

    def measure() -> dict[str, float]:
        measured = score_crops(course.average.module, validation, device)
        del measured["iou"]
        loss = 1 - (np.nan_to_num(measured["miou"]) + measured["pck@0.1"]) / 2
        return {"loss": float(loss), **measured}

    def keep(path: Path, found: str) -> None:
        run = json.dumps(made_of, sort_keys=True)
        save_model(path, course.average.module, run=run, step=str(course.step), validation=found)

    def frame_at(step: int, used: float) -> tuple[int, int]:
        if init is not None:
            return _SIZES_IN_USE[step % len(_SIZES_IN_USE)]
        part = 0.5 if used < 0.2 else 0.75 if used < 0.4 else 1.0
        return int(256 * part), int(176 * part) // 4 * 4

    def labels_itself(used: float) -> bool:
        return pseudo and (init is not None or used >= PSEUDO_FROM)

    with Ahead(draws.views) as batches:

        def losses_of_a_step(used: float) -> dict[str, Tensor]:
            step = course.step
            if draws.labelled is samples and labels_itself(used):
                course.checkpoint()  # labels of thousands of photos take minutes, and go with these very weights
                draws.labelled = pseudo_labelled(course.average.module, samples, out / "pseudo", device)
                course.log(pseudo=sum(s.parsing is not None for s in draws.labelled) - len(scenes.samples))
            views = batches.take(step, frame_at(step, used), labels_itself(used)).to(device)
            # With minutes this is a guess, which is wrong when frames become larger.
            soon = course.budget.used(step + 1)
            if soon < 1 and step + 1 != until and labels_itself(soon) == labels_itself(used):
                batches.foresee(step + 1, frame_at(step + 1, soon), labels_itself(soon))
            if before is not None:
                views = with_passers_by(views, before)
            _set_training(network, gentle)
            with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=fast):
                found = network(views.images.to(memory_format=torch.channels_last))
            return losses(found.float(), views)

        course.run(losses_of_a_step, write, until, validate_every, measure if validation else None, keep)
    return course.average.module


def _set_training(network: AnalyzerNetwork, gentle: bool) -> None:
    """Training mode; the norms of a gentle run go on with the statistics that they came with."""
    network.train()
    if gentle:
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()


def people_scenes(
    folder: Path | None, begun_with: int | None, resumed: bool, scenes: Scenes
) -> tuple[PeopleScenes | None, int | None]:
    """Scenes of rendered people, and how many pairs a run draws them from: all that are there when it begins.

    Raises:
        InputError: if a run that is resumed drew from more, or from none, or from some and now from none.
    """
    if resumed and (folder is None) != (begun_with is None):
        raise InputError(
            f"this run was begun with{'out' * (begun_with is None)} --people; go on so, or give another --out"
        )
    if folder is None:
        return None, None
    people = People(folder)
    count = begun_with or len(people)
    if count > len(people):
        raise InputError(f"this run was begun with {count} people of which {folder} holds {len(people)}")

    def street(rng: np.random.Generator) -> np.ndarray:
        return scenes.street(int(rng.integers(len(scenes.samples))))

    return PeopleScenes(people, count, street), count


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
    """Regions, joints and what is held on one centred crop per sample: what the network alone can do, the crop being
    given. ``held_iou``: over the pixels of all samples; nan where the network, or nobody, knows of it."""
    overlap, accuracy, both, either = RegionOverlap(), KeypointAccuracy(), 0, 0
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
        if sample.held is not None and found.held is not None:
            seen = F.interpolate(found.held, scale_factor=2, mode="bilinear", align_corners=False)[0, 0] > 0
            held = framing.crop(sample.held, labels=True) > 0
            both += int((seen.cpu().numpy() & held).sum())
            either += int((seen.cpu().numpy() | held).sum())
    held_iou = both / either if either else float("nan")
    iou = overlap.per_region.round(3).tolist()
    return {"miou": overlap.mean, "iou": iou, "held_iou": held_iou, **accuracy.mean}
