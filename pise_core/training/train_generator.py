"""Training of PISE on articulated self-pairs, in the paper's stages."""

from pathlib import Path

import numpy as np
import torch

from pise_core.config import PISEConfig
from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE
from pise_core.networks.discriminator import Discriminator
from pise_core.pise import PISE, PISEOutput
from pise_core.regions import REGION_COUNT
from pise_core.training.batches import Batch
from pise_core.training.loop import Average, Budget, Log, check_finite, load_checkpoint, save_checkpoint, total
from pise_core.training.losses import (
    ImageLosses,
    LossWeights,
    adversarial_term,
    discriminator_terms,
    load_teacher,
    parsing_terms,
)
from pise_core.training.sheets import pairs_sheet, sheet, write_picture
from pise_core.training.sources import open_source
from pise_core.weights import save_model

#: parsing: the parsing generator alone. image: the image generator alone, on true maps. apart: both of these in one
#: run. joint: end to end, the image made on the generated map.
STAGES = ("parsing", "image", "apart", "joint")


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
    terms = image_losses(made, b.target_image, b.target_parsing, model.image_generator.matching)
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
    init: Path | None = None,
    batch: int = 4,
    rate: float = 1e-3,
    weights: LossWeights | None = None,
    limit: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    device: str = "cpu",
    small_share: float = 0.45,
) -> PISE:
    """Run, or resume from ``out/generator.pt``, until the budget is used up; the averaged weights go to ``out``.

    Frames are of half size for the first ``small_share`` of the time, with four times the batch; convolutions are
    computed in bfloat16. ``init`` gives weights to begin with. Forty pairs are drawn to ``pairs.png`` at the start, and
    what the network makes of a few test photos to ``sheet.png`` every 100 steps.

    Raises:
        InputError: if the weights of ``init`` do not fit ``config``.
        FloatingPointError: as soon as a loss is not finite; it names every term.
    """
    out.mkdir(parents=True, exist_ok=True)
    weights = weights or LossWeights()
    torch.manual_seed(seed)
    source = open_source(data, config, limit)
    shown = source.held_back(6)
    model = PISE(config)
    if init is not None:
        try:
            model.load_state_dict(PISE.from_pretrained(init).state_dict())
        except RuntimeError as error:
            raise InputError(f"{init} does not fit this configuration ({str(error).splitlines()[0]})") from None
    model = model.to(device).to(memory_format=torch.channels_last)
    image_losses = ImageLosses(load_teacher(vgg), 4 * config.width, weights).to(device)
    discriminator = Discriminator(max(config.width // 2, 4), REGION_COUNT).to(device) if weights.adversarial else None
    average = Average(model)
    parameters = [*model.parameters(), *image_losses.readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=rate, betas=(0.5, 0.99))
    critic = torch.optim.Adam(discriminator.parameters(), lr=rate / 2, betas=(0.5, 0.99)) if discriminator else None
    log, step, budget = Log(out), 0, Budget(minutes, steps=steps)
    if state := load_checkpoint(out / "generator.pt"):
        model.load_state_dict(state["model"])
        average.module.load_state_dict(state["average"])
        image_losses.readout.load_state_dict(state["readout"])
        optimizer.load_state_dict(state["optimizer"])
        if discriminator and critic and "discriminator" in state:
            discriminator.load_state_dict(state["discriminator"])
            critic.load_state_dict(state["critic"])
        step, budget = state["step"], Budget(minutes, state["spent"], steps)
    else:
        write_picture(out / "pairs.png", pairs_sheet(source, np.random.default_rng(seed), config.detail_path))
    log(samples=len(source), parameters=sum(p.numel() for p in model.parameters()), stage=stage)

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
        write_picture(out / "sheet.png", sheet(average.module, shown, device))

    while budget.used(step) < 1:
        # A resumed run sees what an unbroken one would.
        rng = np.random.default_rng((seed, step))
        torch.manual_seed(seed * 1_000_003 + step)
        small = budget.used(step) < small_share
        frame = (FRAME_SIZE[0] // 2, FRAME_SIZE[1] // 2 // 16 * 16 + 16) if small else FRAME_SIZE
        b = source.batch(rng, batch * 4 if small else batch, frame, config.detail_path).to(device)
        for group in optimizer.param_groups:
            group["lr"] = budget.rate(rate, step)
        model.train()
        with torch.autocast(torch.device(device).type, torch.bfloat16):
            terms, made = terms_of(model, b, stage, image_losses, weights)
            if discriminator and made is not None:
                fake, real = made.image.float() * b.person, b.target_image * b.person
                judged = adversarial_term(discriminator, fake, b.target_parsing)
                terms["adversarial"] = weights.adversarial * judged
        check_finite(step, terms)
        optimizer.zero_grad(set_to_none=True)
        total(terms).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5.0)
        optimizer.step()
        if discriminator and critic and made is not None:
            with torch.autocast(torch.device(device).type, torch.bfloat16):
                judged = discriminator_terms(discriminator, real, fake, b.target_parsing)
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
