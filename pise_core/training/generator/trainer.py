"""The state of a generator's training, and what one step does to it."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from pise_core.errors import InputError
from pise_core.model.adapter import Convention
from pise_core.model.discriminator import Discriminator
from pise_core.model.network import PISE, PISEOutput
from pise_core.model.normalization import PerRegionNormalization
from pise_core.model.vgg import VGGSlice
from pise_core.regions import REGION, REGION_COUNT
from pise_core.training.analyzer.metrics import RegionOverlap
from pise_core.training.data.batches import Batch
from pise_core.training.generator.initial_weights import begin_discriminator, begin_with
from pise_core.training.generator.losses import PictureLosses, adversarial_term, discriminator_terms, parsing_terms
from pise_core.training.generator.person_losses import PersonLosses
from pise_core.training.generator.recipes import Recipe
from pise_core.training.generator.spectral_norm import folded, normalize_spectra
from pise_core.training.generator.teacher import load_teacher
from pise_core.training.loop import Average, check_finite, rate_at, total
from pise_core.training.processes import Processes
from pise_core.training.run_record import digest_of_tensors

#: parsing: the parsing generator alone. image: the image generator alone, on true maps. apart: both of these in one
#: run. joint: end to end, the image made on the generated map.
STAGES = ("parsing", "image", "apart", "joint")
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Trainer:
    """Networks, optimizers and averages of one run.

    Args:
        recipe: as :meth:`Recipe.resolved` has it.
        stage: one of ``STAGES``.
        processes: that train together.
        vgg: the teacher's file; None fetches it. Not asked for where nothing is learned from it, see
            :func:`needs_teacher`.
        init, init_discriminator: weights to begin with, see ``beginnings``.

    Attributes:
        notes: what is to be known of these, a line each.

    Raises:
        InputError: if weights to begin with do not fit, the teacher is missing, or the stage is not for this network.
    """

    def __init__(
        self,
        recipe: Recipe,
        stage: str,
        processes: Processes,
        vgg: Path | None,
        init: Path | None = None,
        init_discriminator: Path | None = None,
    ):
        self.recipe, self.stage, self.processes = recipe, stage, processes
        objective, settings = recipe.objective, recipe.optimization
        device = processes.device
        self.model = new_model(recipe, stage)
        needed = needs_teacher(recipe, stage)
        teacher = load_teacher(vgg, objective.layers, objective.statistics) if needed else None
        #: Of the teacher's weights; None where nothing is learned from it.
        self.teacher_digest = None if teacher is None else digest_of_tensors(teacher.state_dict())
        if teacher is not None and objective.matching == "vgg":
            _take_over(self.model, teacher)
        notes = [] if init is None else [begin_with(self.model, init)]
        if settings.spectral_norm:
            normalize_spectra(self.model)
        processes.synchronize_norms(self.model)
        self.model = self.model.to(device).to(memory_format=torch.channels_last)
        #: Of the picture; None where there is none.
        self.losses = None
        if teacher is not None and stage != "parsing":
            self.losses = _picture_losses(recipe, teacher, processes).to(device)
        judged = objective.weights.adversarial and stage != "parsing"
        self.discriminator = new_discriminator(recipe).to(device) if judged else None
        notes.append(begin_discriminator(self.discriminator, init_discriminator, init))
        self.notes = [note for note in notes if note is not None]
        self.average = Average(self.model, settings.average)
        learning = [p for p in self.model.parameters() if p.requires_grad]
        readout = [] if self.losses is None else list(self.losses.readout.parameters())
        self.parameters = [*learning, *readout]
        self.optimizer = torch.optim.Adam(self.parameters, lr=settings.rate, betas=settings.betas)
        critic = [] if self.discriminator is None else list(self.discriminator.parameters())
        rate = settings.rate * settings.critic_rate
        self.critic = torch.optim.Adam(critic, lr=rate, betas=settings.betas) if critic else None
        half = settings.precision == "fp16"
        self.scalers = [torch.amp.GradScaler(device.type, enabled=half) for _ in range(2)]

    @property
    def outcome(self) -> PISE:
        """The averaged networks, as they are used."""
        return folded(self.average.module)

    def step(self, number: int, progress: float, batch: Batch) -> dict[str, float]:
        """Learn from one batch; losses by name, of the batches of all processes: "loss", the sum that the generators
        learn from, its terms, and the discriminator's.

        Args:
            number: of the step, from 0.
            progress: 0 at the start of the run, 1 at its end.
            batch: this process's part.

        Raises:
            FloatingPointError: if a loss is not finite; it names every term.
        """
        settings, weights = self.recipe.optimization, self.recipe.objective.weights
        rate = settings.rate if settings.schedule == "constant" else rate_at(settings.rate, number, progress)
        for optimizer, share in ((self.optimizer, 1.0), (self.critic, settings.critic_rate)):
            for group in optimizer.param_groups if optimizer else ():
                group["lr"] = rate * share
        self.model.train()
        with self._autocast():
            terms, made = self._terms(batch, self.model)
        pictures = None if made is None or self.discriminator is None else self._judged(batch, made)
        critic_terms: dict[str, float] = {}
        if pictures and settings.critic_first:
            critic_terms = self._step_critic(number, *pictures)
        if pictures and self.discriminator is not None:
            real, fake, parsing = pictures
            with self._autocast():
                judged = adversarial_term(self.discriminator, fake, parsing, self.recipe.objective)
            terms["adversarial"] = weights.adversarial * judged
        values = self._shared(number, terms)
        self._descend(total(terms), self.optimizer, self.parameters, self.scalers[0], settings.clip)
        if pictures and not settings.critic_first:
            critic_terms = self._step_critic(number, *pictures)
        self.average.update(self.model, number)
        return {"loss": sum(values.values()), **values, **critic_terms}

    @torch.no_grad()
    def validate(self, batches: Sequence[Batch]) -> dict[str, float]:
        """What the averaged networks come to on pairs that nothing is learned from.

        Args:
            batches: of one pair each.

        Returns:
            Means over the pairs of the stage's loss terms but the adversarial one, "loss", their sum, and "map_miou",
            mean IoU of the generated map, where one is generated.
        """
        model, overlap = self.outcome, RegionOverlap()
        found: dict[str, list[float]] = {}
        for number, batch in enumerate(batches):
            batch = batch.to(self.processes.device)
            torch.manual_seed(number)  # which quarter the teacher sees: the same each time
            with self._autocast():
                terms, _ = self._terms(batch, model)
                if self.stage != "image":
                    inputs = (batch.source_parsing, batch.source_pose, batch.target_pose, batch.carried_parsing)
                    labels = model.generate_parsing(*inputs).argmax(1)
                    overlap.add(batch.target_parsing.argmax(1)[0].cpu().numpy(), labels[0].cpu().numpy())
            for name, value in terms.items():
                found.setdefault(name, []).append(float(value))
        means = {name: sum(values) / len(values) for name, values in found.items()}
        of_map = {"map_miou": overlap.mean} if self.stage != "image" else {}
        return {"loss": sum(means.values()), **means, **of_map}

    def _terms(self, b: Batch, model: PISE) -> tuple[dict[str, Tensor], PISEOutput | None]:
        """Loss terms by name but the adversarial one, and the picture (None in the parsing stage)."""
        objective = self.recipe.objective

        def of_map(logits: Tensor) -> dict[str, Tensor]:
            return parsing_terms(logits, b.target_parsing, objective)

        def map_alone() -> Tensor:
            return model.generate_parsing(b.source_parsing, b.source_pose, b.target_pose, b.carried_parsing)

        if self.losses is None:
            return of_map(map_alone()), None
        given = None if self.stage == "joint" else b.target_parsing
        made = model(b.source_image, b.source_parsing, b.source_pose, b.target_pose, given, carry=b.carry)
        logits = map_alone() if self.stage == "apart" else made.parsing_logits
        terms = self.losses(made, b.target_image, b.target_parsing, model.image_generator.matching)
        return terms if logits is None else terms | of_map(logits), made

    def _judged(self, b: Batch, made: PISEOutput) -> tuple[Tensor, Tensor, Tensor | None]:
        """What the discriminator tells apart, real and fake, and the map beside them."""
        objective = self.recipe.objective
        seen = b.person if objective.judged == "person" else 1.0
        parsing = b.target_parsing if objective.conditional else None
        return b.target_image * seen, made.image.float() * seen, parsing

    def _step_critic(self, number: int, real: Tensor, fake: Tensor, parsing: Tensor | None) -> dict[str, float]:
        assert self.discriminator is not None and self.critic is not None
        with self._autocast():
            terms = discriminator_terms(self.discriminator, real, fake, parsing, self.recipe.objective.adversarial)
        values = self._shared(number, terms)
        self._descend(total(terms), self.critic, list(self.discriminator.parameters()), self.scalers[1])
        return values

    def _shared(self, number: int, terms: dict[str, Tensor]) -> dict[str, float]:
        """Values over all processes, held to be finite."""
        mean = self.processes.mean(torch.stack([term.detach().float() for term in terms.values()]))
        values: dict[str, float] = dict(zip(terms, mean.tolist(), strict=True))
        check_finite(number, values)
        return values

    def _descend(
        self,
        loss: Tensor,
        optimizer: torch.optim.Optimizer,
        parameters: list[nn.Parameter],
        scaler: torch.amp.GradScaler,
        clip: float = 0.0,
    ) -> None:
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        self.processes.average_gradients(parameters)
        if clip:
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(parameters, clip)
        scaler.step(optimizer)
        scaler.update()

    def _autocast(self) -> torch.autocast:
        precision = PRECISIONS[self.recipe.optimization.precision]
        return torch.autocast(self.processes.device.type, precision, enabled=precision != torch.float32)

    def state_dict(self) -> dict:
        """All that a resumed run needs."""
        state = {
            "model": self.model.state_dict(),
            "average": self.average.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scalers": [scaler.state_dict() for scaler in self.scalers],
        }
        if self.losses is not None:
            state["readout"] = self.losses.readout.state_dict()
        if self.discriminator is not None and self.critic is not None:
            state |= {"discriminator": self.discriminator.state_dict(), "critic": self.critic.state_dict()}
        return state

    def load_state_dict(self, state: dict) -> None:
        """Go on from what :meth:`state_dict` gave."""
        self.model.load_state_dict(state["model"])
        self.average.module.load_state_dict(state["average"])
        if self.losses is not None:
            self.losses.readout.load_state_dict(state["readout"])
        self.optimizer.load_state_dict(state["optimizer"])
        for scaler, saved in zip(self.scalers, state.get("scalers", ()), strict=False):
            scaler.load_state_dict(saved)
        if self.discriminator is not None and self.critic is not None and "discriminator" in state:
            self.discriminator.load_state_dict(state["discriminator"])
            self.critic.load_state_dict(state["critic"])


def needs_teacher(recipe: Recipe, stage: str) -> bool:
    """Whether VGG-19 judges pictures in this stage, or its weights are part of the network."""
    return stage != "parsing" or recipe.objective.matching == "vgg"


def _picture_losses(recipe: Recipe, teacher: VGGSlice, processes: Processes) -> PictureLosses:
    channels, objective = 4 * recipe.network.width, recipe.objective
    if objective.judged == "picture":
        return PictureLosses(teacher, channels, objective, processes)
    face = Convention(recipe.network).style_row(REGION["face"])
    return PersonLosses(teacher, channels, objective, face, processes)


def new_model(recipe: Recipe, stage: str) -> PISE:
    """The networks as they begin.

    Raises:
        InputError: if there is no parsing generator, and the stage is to train one.
    """
    if not recipe.network.parsing_generator and stage != "image":
        raise InputError(f"this network has no parsing generator for --stage {stage}; use --stage image")
    model = PISE(recipe.network)
    if recipe.optimization.initial == "orthogonal":
        model.apply(_orthogonal)
    return model


def new_discriminator(recipe: Recipe) -> Discriminator:
    """Of half the generator's width, as in the paper."""
    conditions = REGION_COUNT if recipe.objective.conditional else 0
    discriminator = Discriminator(max(recipe.network.width // 2, 4), conditions)
    if recipe.optimization.initial == "orthogonal":
        discriminator.apply(_orthogonal)
    return discriminator


@torch.no_grad()
def _orthogonal(layer: nn.Module) -> None:
    """Weights as the release begins with: orthogonal rows of length 0.02, no bias."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        # Under a spectral norm, the weight that is learned goes by another name.
        names = ("weight", "parametrizations.weight.original")
        weight = next(value for name, value in layer.named_parameters() if name in names)
        nn.init.orthogonal_(weight, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, PerRegionNormalization) and not layer.two_layers:
        for weight in layer.weight:
            nn.init.orthogonal_(weight, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)


def _take_over(model: PISE, teacher: nn.Module) -> None:
    """The matching encoder gets the teacher's weights, and keeps them."""
    matching = model.image_generator.matching
    tensors = teacher.state_dict()
    matching.load_state_dict({name: tensors[name] for name in matching.state_dict()})
    matching.requires_grad_(False)
