"""Training of PISE on articulated self-pairs, in the paper's stages."""

from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from pise_core.framing import FRAME_SIZE
from pise_core.networks.discriminator import Discriminator
from pise_core.pise import PISE, Carry, PISEConfig, PISEOutput
from pise_core.pose import heatmaps
from pise_core.regions import PALETTE, cut_out, one_hot
from pise_core.training.articulation import Pair, articulated_pair, frame_sample
from pise_core.training.loop import Average, Budget, Log, check_finite, load_checkpoint, save_checkpoint, total
from pise_core.training.losses import (
    ImageLosses,
    LossWeights,
    adversarial_term,
    discriminator_terms,
    load_teacher,
    parsing_terms,
)
from pise_core.training.samples import Sample, load_samples
from pise_core.weights import save_model

#: parsing: the parsing generator alone. image: the image generator alone, on true maps. apart: both of these in one
#: run. joint: end to end, the image made on the generated map.
STAGES = ("parsing", "image", "apart", "joint")


@dataclass(frozen=True)
class Batch:
    """Tensors of a few pairs; layouts as in ``pise_core.pise``."""

    source_image: Tensor
    source_parsing: Tensor
    source_pose: Tensor
    target_image: Tensor
    target_parsing: Tensor
    target_pose: Tensor
    carry: Carry | None

    @property
    def carried_parsing(self) -> Tensor | None:
        """(N, 8, H, W), or None where the detail path is silent."""
        return None if self.carry is None else self.carry.parsing

    @property
    def person(self) -> Tensor:
        """(N, 1, H, W), 1 on the target's person."""
        return 1 - self.target_parsing[:, :1]


def collate(pairs: list[Pair], drop: np.ndarray | None = None, detail: bool = True) -> Batch:
    """Pairs -> tensors. ``drop`` (N,): a region whose carried pixels are withheld from that pair, or -1."""
    drop = np.full(len(pairs), -1) if drop is None else drop
    stacks: dict[str, list[np.ndarray]] = {k: [] for k in ("si", "sp", "sh", "ti", "tp", "th", "ci", "ct", "cp")}
    for pair, dropped in zip(pairs, drop, strict=True):
        source, target, carried = pair.source, pair.target, pair.carried
        size = source.parsing.shape
        sigma = 6 * size[0] / FRAME_SIZE[0]
        trust = np.where(carried.parsing == dropped, 0, carried.trust) if dropped >= 0 else carried.trust
        stacks["si"].append(cut_out(source.image, source.parsing > 0))
        stacks["sp"].append(one_hot(source.parsing))
        stacks["sh"].append(heatmaps(source.pose, size, sigma))
        stacks["ti"].append(cut_out(target.image, np.ones(size)))
        stacks["tp"].append(one_hot(target.parsing))
        stacks["th"].append(heatmaps(target.pose, size, sigma))
        stacks["ci"].append(cut_out(carried.image, trust > 0))
        stacks["ct"].append(trust[None].astype(np.float32))
        stacks["cp"].append(one_hot(carried.parsing) * carried.known(source.parsing))
    t = {k: torch.from_numpy(np.stack(v)) for k, v in stacks.items()}
    carry = Carry(t["ci"], t["ct"], t["cp"]) if detail else None
    return Batch(t["si"], t["sp"], t["sh"], t["ti"], t["tp"], t["th"], carry)


def random_batch(samples: list[Sample], rng: np.random.Generator, size: int, frame, detail: bool) -> Batch:
    """Fresh pairs. The detail path is silent for a third of the batches: the edit must be whole without it."""
    pairs = [articulated_pair(frame_sample(samples[i], rng, frame), rng) for i in rng.integers(0, len(samples), size)]
    drop = np.where(rng.random(size) < 0.35, rng.integers(1, 8, size), -1)
    return collate(pairs, drop, detail and rng.random() > 0.35)


def forward(model: PISE, batch: Batch, stage: str) -> PISEOutput:
    """The part of the network that a stage trains."""
    b = batch
    given = b.target_parsing if stage != "joint" else None
    made = model(b.source_image, b.source_parsing, b.source_pose, b.target_pose, given, carry=b.carry)
    if stage == "apart":
        logits = model.generate_parsing(b.source_parsing, b.source_pose, b.target_pose, b.carried_parsing)
        made = made._replace(parsing_logits=logits)
    return made


def terms_of(model: PISE, batch: Batch, stage: str, image_losses: ImageLosses, weights: LossWeights):
    """Loss terms by name, and the picture (None in the parsing stage)."""
    b = batch
    if stage == "parsing":
        logits = model.generate_parsing(b.source_parsing, b.source_pose, b.target_pose, b.carried_parsing)
        return parsing_terms(logits, b.target_parsing, weights), None
    made = forward(model, batch, stage)
    terms = image_losses(made, b.target_image, b.person, model.image_generator.matching)
    if made.parsing_logits is not None:
        terms |= parsing_terms(made.parsing_logits, b.target_parsing, weights)
    return terms, made


def train(
    data: Path,
    out: Path,
    minutes: float,
    config: PISEConfig,
    stage: str = "apart",
    vgg: Path | None = None,
    batch: int = 4,
    rate: float = 1e-3,
    weights: LossWeights | None = None,
    limit: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    small_share: float = 0.45,
) -> PISE:
    """Run, or resume from ``out/generator.pt``, until the budget is used up; the averaged weights go to ``out``.

    Frames are of half size for the first ``small_share`` of the time, with twice the batch.
    Every 100 steps a sample sheet is drawn (``sheet.png``) from test photos.
    """
    out.mkdir(parents=True, exist_ok=True)
    weights = weights or LossWeights()
    torch.manual_seed(seed)
    samples = load_samples(data, "train", limit, annotated_only=True)
    shown = _fixed_pairs(load_samples(data, "test", 6, annotated_only=True))
    model = PISE(config).to(device).to(memory_format=torch.channels_last)
    image_losses = ImageLosses(load_teacher(vgg), 4 * config.width, weights).to(device)
    discriminator = Discriminator(max(config.width // 2, 4)).to(device) if weights.adversarial else None
    average = Average(model)
    parameters = [*model.parameters(), *image_losses.readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=rate, betas=(0.5, 0.99))
    critic = torch.optim.Adam(discriminator.parameters(), lr=rate / 2, betas=(0.5, 0.99)) if discriminator else None
    log, step, budget = Log(out), 0, Budget(minutes)
    if state := load_checkpoint(out / "generator.pt"):
        model.load_state_dict(state["model"])
        average.module.load_state_dict(state["average"])
        image_losses.readout.load_state_dict(state["readout"])
        optimizer.load_state_dict(state["optimizer"])
        if discriminator and critic and "discriminator" in state:
            discriminator.load_state_dict(state["discriminator"])
            critic.load_state_dict(state["critic"])
        step, budget = state["step"], Budget(minutes, state["spent"])
    log(samples=len(samples), parameters=sum(p.numel() for p in model.parameters()), stage=stage)

    def checkpoint() -> None:
        more = {}
        if discriminator and critic:
            more = {"discriminator": discriminator.state_dict(), "critic": critic.state_dict()}
        save_checkpoint(
            out / "generator.pt",
            model=model.state_dict(),
            average=average.module.state_dict(),
            readout=image_losses.readout.state_dict(),
            optimizer=optimizer.state_dict(),
            step=step,
            spent=budget.spent,
            **more,
        )
        save_model(out / "pise.safetensors", average.module)
        cv2.imwrite(str(out / "sheet.png"), cv2.cvtColor(sheet(average.module, shown, device), cv2.COLOR_RGB2BGR))

    while budget.fraction < 1:
        # A resumed run sees what an unbroken one would.
        rng = np.random.default_rng((seed, step))
        torch.manual_seed(seed * 1_000_003 + step)
        small = budget.fraction < small_share
        frame = (FRAME_SIZE[0] // 2, FRAME_SIZE[1] // 2 // 16 * 16 + 16) if small else FRAME_SIZE
        b = random_batch(samples, rng, batch * 2 if small else batch, frame, config.detail_path)
        b = _to(b, device)
        for group in optimizer.param_groups:
            group["lr"] = budget.rate(rate, step)
        model.train()
        terms, made = terms_of(model, b, stage, image_losses, weights)
        if discriminator and made is not None:
            fake, real = made.image * b.person, b.target_image * b.person
            terms["adversarial"] = weights.adversarial * adversarial_term(discriminator, fake)
        check_finite(step, terms)
        optimizer.zero_grad(set_to_none=True)
        total(terms).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        if discriminator and critic and made is not None:
            judged = discriminator_terms(discriminator, real, fake)
            check_finite(step, judged)
            critic.zero_grad(set_to_none=True)
            total(judged).backward()
            critic.step()
            terms |= judged
        average.update(model, step)
        step += 1
        if step % 25 == 0:
            log(step=step, seconds=budget.spent, **{k: float(v.detach()) for k, v in terms.items()})
        if step % 100 == 0:
            checkpoint()
    checkpoint()
    return average.module


def _to(batch: Batch, device: str) -> Batch:
    def move(t: Tensor) -> Tensor:
        return t.to(device, memory_format=torch.channels_last)

    tensors = {k: move(v) for k, v in vars(batch).items() if isinstance(v, Tensor)}
    carry = Carry(*map(move, batch.carry)) if batch.carry else None
    return replace(batch, carry=carry, **tensors)


def _fixed_pairs(samples: list[Sample]) -> list[Pair]:
    rng = np.random.default_rng(7)
    return [articulated_pair(frame_sample(s), rng, hide=False) for s in samples]


@torch.no_grad()
def sheet(model: PISE, pairs: list[Pair], device: str = "cpu") -> np.ndarray:
    """A row per pair, (H, W, 3) uint8: source, carried, generated map, generated on it with and without the detail
    path, target."""
    rows = []
    for pair in pairs:
        b = _to(collate([pair]), device)
        inputs = (b.source_image, b.source_parsing, b.source_pose, b.target_pose)
        full, plain = model(*inputs, carry=b.carry), model(*inputs, b.target_parsing)
        label = full.parsing.argmax(1)[0].cpu().numpy()
        inside = torch.from_numpy(label > 0)[None]

        def show(x: Tensor, inside=inside) -> np.ndarray:
            x = x[0].cpu() * inside
            return ((x.permute(1, 2, 0).clamp(-1, 1) + 1) * 127.5).byte().numpy()

        carried = b.carry.image if b.carry else b.source_image
        everywhere = torch.ones_like(inside)
        true = b.person[0].cpu() > 0
        rows.append(
            np.hstack(
                [
                    show(b.source_image, everywhere),
                    show(carried, everywhere),
                    PALETTE[label],
                    show(full.image),
                    show(plain.image, true),
                    show(b.target_image, true),
                ]
            )  # fmt: skip
        )
    half = (len(rows) + 1) // 2
    return np.hstack([np.vstack(rows[:half]), np.vstack(rows[half:])]) if len(rows) % 2 == 0 else np.vstack(rows)
