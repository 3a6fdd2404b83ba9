"""The losses of eq. 4 to 12, over the whole picture. Those on the person alone, which the shipped weights were taught
by, are in ``person_losses``.

The paper prints norms and the authors' release computes means, and so does this; ``Objective.printed`` names the
equations that are to be followed to the letter.

Weights of the terms are in ``LossWeights``; a term of weight 0 is not computed. What is averaged over a batch is the
same whether one process has all of it or several have a part each: the mean over the processes of what they answer.
"""

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pise_core.model.config import in_order
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
#: Losses that can follow the paper's print to the letter, see ``Objective.printed``, and their equations.
PRINTED = {
    "parsing_l1": 5,
    "cross": 6,
    "correspondence": 8,
    "reconstruction": 9,
    "perceptual": 10,
    "style": 11,
    "adversarial": 12,
}


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
        printed: terms that follow their equation to the letter. "parsing_l1": eq. 5, the sum of the absolute
            differences from S_g, which is what eq. 6 takes the softmax of. "cross": eq. 6 with its 1/N.
            "correspondence": eq. 8, the 2-norm and not the mean of squares. "reconstruction", "perceptual", "style":
            sums instead of means in eq. 9 to 11. "adversarial": the generator lowers log(1 - D) of eq. 12 instead of
            raising log D. Norms are each sample's; over a batch their mean is taken. The weights of the terms, which
            the paper does not print, are those of means: norms need others.
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
    printed: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "printed", in_order(self.printed, tuple(PRINTED)))
        choices = {"judged": JUDGED, "map_values": MAP_VALUES, "adversarial": ADVERSARIAL}
        choices |= {"matching": ("vgg", "distilled")}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}, not {getattr(self, name)!r}")
        if self.judged == "picture" and (self.weights.painted or self.weights.face):
            raise ValueError(
                "the losses painted and face are of those on the person; this recipe judges whole pictures"
            )
        of_pictures = set(self.printed) & {"correspondence", "reconstruction", "perceptual", "style"}
        if of_pictures and self.judged == "person":
            raise ValueError(
                f"printed: {', '.join(sorted(of_pictures))} is of the losses on whole pictures; this recipe judges the "
                "person (--recipe paper judges pictures)"
            )
        if "adversarial" in self.printed and self.adversarial != "log":
            raise ValueError("printed: eq. 12 is a log loss; this recipe takes least squares (--adversarial log)")

    @property
    def layers(self) -> tuple[str, ...]:
        """Of the teacher, each once; conv3_1 is what the matching encoder learns."""
        return tuple(dict.fromkeys((*self.perceptual, *self.style, "conv3_1")))


def parsing_terms(logits: Tensor, target: Tensor, objective: Objective) -> dict[str, Tensor]:
    """Eq. 4-6: cross-entropy, and the l1 distance of the map's values. ``target`` is one-hot (N, 8, H, W)."""
    weights, printed = objective.weights, objective.printed
    if objective.map_values == "bounded":
        values = scores = (torch.tanh(logits) + 1) / 2
    else:
        values, scores = logits.softmax(1), logits
    if "parsing_l1" in printed:
        distance = norm(scores - target, 1)
    else:
        distance = (values - target).abs().mean()
    cross = F.cross_entropy(scores, target.argmax(1))
    return {
        "cross": cross / target.shape[1] if "cross" in printed else cross,
        "parsing_l1": weights.parsing_l1 * distance,
    }


def norm(x: Tensor, order: int) -> Tensor:
    """Mean over the batch of each sample's 1-norm or 2-norm, as ||.|| of eq. 5 and 8 to 11."""
    return torch.linalg.vector_norm(x.flatten(1), order, dim=1).mean()


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

        def l1(name: str, a: Tensor, b: Tensor) -> Tensor:
            return norm(a - b, 1) if name in o.printed else F.l1_loss(a, b)

        terms = {"reconstruction": w.reconstruction * l1("reconstruction", image, target)}
        features = [l1("perceptual", seen[k], truth[k]) for k in o.perceptual]
        terms["perceptual"] = w.perceptual * torch.stack(features).sum()
        statistics = [l1("style", gram(seen[k]), gram(truth[k])) for k in o.style]
        terms["style"] = w.style * torch.stack(statistics).sum()
        if w.correspondence:
            with torch.no_grad():
                own = matching(target)["conv3_1"]
            gap = made.matched.float() - own.float()
            distance = norm(gap, 2) if "correspondence" in o.printed else (gap**2).mean()
            terms["correspondence"] = w.correspondence * distance
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


def adversarial_term(
    discriminator: Discriminator, fake: Tensor, parsing: Tensor | None, objective: Objective
) -> Tensor:
    """Eq. 12 from the generator's side: in its non-saturating form, as printed, or as least squares."""
    judged = discriminator(fake, parsing).float()
    if objective.adversarial == "lsgan":
        return ((judged - 1) ** 2).mean()
    # log(1 - D) where D is the sigmoid of what is judged; its gradient fades where the discriminator is sure.
    return -F.softplus(judged).mean() if "adversarial" in objective.printed else F.softplus(-judged).mean()
