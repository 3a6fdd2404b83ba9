"""The losses of eq. 4 to 12, as printed: means over the whole picture. Those on the person alone, which the shipped
weights were taught by, are in ``person_losses``. Two are not to the letter: cross-entropy is not divided by the N = 8
of eq. 6, and the generator's side of eq. 12 is the non-saturating one.

Weights of the terms are in ``LossWeights``; a term of weight 0 is not computed. What is averaged over a batch is the
same whether one process has all of it or several have a part each: the mean over the processes of what they answer.
"""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.model.discriminator import Discriminator
from pise_core.model.network import PISEOutput
from pise_core.model.vgg import VGGSlice
from pise_core.training.processes import ALONE, Processes

#: Of eq. 10 and 11, as in section 3.3 ("relu_1" there is read as relu5_1).
DEEP_PERCEPTUAL = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
DEEP_STYLE = ("relu2_2", "relu3_4", "relu4_4", "relu5_2")
#: As far as conv3_1: a ninth of the cost, and no network of 80 MB.
SHALLOW_PERCEPTUAL = ("relu1_1", "relu2_1", "conv3_1")
SHALLOW_STYLE = ("relu2_2", "conv3_1")

JUDGED = ("person", "picture")
MAP_VALUES = ("logits", "bounded")
ADVERSARIAL = ("log", "lsgan")


@dataclass(frozen=True)
class LossWeights:
    """lambda of eq. 4 and eq. 7, and of three terms that are not in the paper."""

    parsing_l1: float = 10.0
    correspondence: float = 1.0
    reconstruction: float = 5.0
    perceptual: float = 1.0
    style: float = 30.0
    adversarial: float = 0.0
    painted: float = 2.5  # the picture before carried pixels are blended in must stand on its own
    face: float = 0.5  # and so must its face, a hundredth of the picture and the first thing that is looked at
    distillation: float = 1.0  # the matching encoder learns to see what the teacher sees

    def __post_init__(self):
        for name, weight in vars(self).items():
            if not 0 <= weight < math.inf:
                raise ValueError(f"the loss {name} has a weight from 0, not {weight}")


@dataclass(frozen=True)
class Objective:
    """What is asked of the networks.

    Attributes:
        weights: of the terms.
        judged: "picture": the losses as printed, over all of it. "person": on the person only, see ``person_losses``.
        map_values: what cross-entropy and l1 of the map see. "logits": their softmax. "bounded": (tanh + 1) / 2 of each
            class, to which the release then applies a softmax once more, so that its cross-entropy never falls below
            1.274.
        perceptual, style: layers of eq. 10 and 11.
        statistics: the teacher's pictures are normalized as ImageNet's were.
        adversarial: "log", eq. 12 in its non-saturating form, or "lsgan", least squares.
        conditional: the discriminator sees the wanted map beside the picture.
        matching: the network's own conv3_1. "vgg": the teacher's, frozen, which takes a network of width 64.
            "distilled": learned from the teacher.
    """

    weights: LossWeights = field(default_factory=LossWeights)
    judged: str = "person"
    map_values: str = "logits"
    perceptual: tuple[str, ...] = SHALLOW_PERCEPTUAL
    style: tuple[str, ...] = SHALLOW_STYLE
    statistics: bool = True
    adversarial: str = "log"
    conditional: bool = True
    matching: str = "distilled"

    def __post_init__(self):
        choices = {"judged": JUDGED, "map_values": MAP_VALUES, "adversarial": ADVERSARIAL}
        choices |= {"matching": ("vgg", "distilled")}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        if self.judged == "picture" and (self.weights.painted or self.weights.face):
            raise ValueError(
                "the losses painted and face are of those on the person; this recipe judges whole pictures"
            )

    @property
    def layers(self) -> tuple[str, ...]:
        """Of the teacher, each once; conv3_1 is what the matching encoder learns."""
        return tuple(dict.fromkeys((*self.perceptual, *self.style, "conv3_1")))


def parsing_terms(
    logits: Tensor, target: Tensor, weights: LossWeights, map_values: str = "logits"
) -> dict[str, Tensor]:
    """Eq. 4-6: cross-entropy, and the l1 distance of the map's values. ``target`` is one-hot (N, 8, H, W)."""
    if map_values == "bounded":
        values = scores = (torch.tanh(logits) + 1) / 2
    else:
        values, scores = logits.softmax(1), logits
    return {
        "cross": F.cross_entropy(scores, target.argmax(1)),
        "parsing_l1": weights.parsing_l1 * (values - target).abs().mean(),
    }


class PictureLosses(nn.Module):
    """Eq. 8-11 over the whole picture, against a frozen teacher; eq. 12 is with the discriminator below.

    Args:
        teacher: VGG of width 64 that answers ``objective.layers``.
        matching_channels: of the generator's own matching encoder.
    """

    def __init__(self, teacher: VGGSlice, matching_channels: int, objective: Objective, processes: Processes = ALONE):
        super().__init__()
        self.teacher = teacher
        self.objective = objective
        self.processes = processes
        #: Reads the teacher's conv3_1 off the small encoder's; used in training only.
        self.readout = nn.Conv2d(matching_channels, 256, 1)

    def forward(self, made: PISEOutput, target: Tensor, parsing: Tensor, matching: VGGSlice) -> dict[str, Tensor]:
        """Terms by name, weighted.

        Args:
            made: the generator's answer.
            target: (N, 3, H, W) in [-1, 1].
            parsing: (N, 8, H, W) one-hot, the target's.
            matching: the generator's own matching encoder.
        """
        o, w, image = self.objective, self.objective.weights, made.image.float()
        seen, truth = self.teacher(image), {k: v.detach() for k, v in self.teacher(target).items()}
        terms = {"reconstruction": w.reconstruction * F.l1_loss(image, target)}
        terms["perceptual"] = w.perceptual * torch.stack([F.l1_loss(seen[k], truth[k]) for k in o.perceptual]).sum()
        terms["style"] = w.style * torch.stack([F.l1_loss(gram(seen[k]), gram(truth[k])) for k in o.style]).sum()
        if w.correspondence:
            with torch.no_grad():
                own = matching(target)["conv3_1"]
            terms["correspondence"] = w.correspondence * F.mse_loss(made.matched.float(), own.float())
        if o.matching == "distilled" and w.distillation:
            terms["distillation"] = w.distillation * self.distillation(matching(target)["conv3_1"], truth["conv3_1"])
        return terms

    def distillation(self, own: Tensor, taught: Tensor) -> Tensor:
        """Squared distance of what is read off the small encoder from the teacher's feature, in variances of that."""
        return F.mse_loss(self.readout(own), taught) / self.processes.variance(taught).clamp(min=1e-3)


def gram(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, C), divided by the number of values."""
    flat = x.flatten(2)
    if flat.dtype == torch.float16:  # whose range ends at 65504
        with torch.autocast(x.device.type, enabled=False):
            return flat.float() @ flat.float().transpose(1, 2) / x[0].numel()
    return flat @ flat.transpose(1, 2) / x[0].numel()


def discriminator_terms(
    discriminator: Discriminator, real: Tensor, fake: Tensor, parsing: Tensor | None, kind: str = "log"
) -> dict[str, Tensor]:
    """Eq. 12 from the discriminator's side; ``parsing`` (N, 8, H, W) where it is judged beside the picture."""
    real, fake = discriminator(real, parsing).float(), discriminator(fake.detach(), parsing).float()
    if kind == "lsgan":
        return {"real": 0.5 * ((real - 1) ** 2).mean(), "fake": 0.5 * (fake**2).mean()}
    return {"real": F.softplus(-real).mean(), "fake": F.softplus(fake).mean()}


def adversarial_term(discriminator: Discriminator, fake: Tensor, parsing: Tensor | None, kind: str = "log") -> Tensor:
    """Eq. 12 from the generator's side: in its non-saturating form, or as least squares."""
    judged = discriminator(fake, parsing).float()
    return ((judged - 1) ** 2).mean() if kind == "lsgan" else F.softplus(-judged).mean()
