"""The losses of eq. 4 to 12, on the person: what surrounds it is nobody's to judge.

The teacher is VGG-19 up to conv3_1, so the sums of eq. 10 and 11 run over its layers only. Weights of the terms are in
``LossWeights``; a term of weight 0 is not computed.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from pise_core.errors import InputError
from pise_core.framing import FRAME_SIZE
from pise_core.networks.discriminator import Discriminator
from pise_core.networks.vgg import VGGSlice
from pise_core.pise import PISEOutput
from pise_core.regions import REGION

PERCEPTUAL_LAYERS = ("relu1_1", "relu2_1", "conv3_1")
STYLE_LAYERS = ("relu2_2", "conv3_1")


@dataclass(frozen=True)
class LossWeights:
    """lambda of eq. 4 and eq. 7, and of two terms that the shipped configuration adds."""

    parsing_l1: float = 10.0
    correspondence: float = 1.0
    reconstruction: float = 5.0
    perceptual: float = 1.0
    style: float = 30.0
    adversarial: float = 0.0
    painted: float = 2.5  # the picture before carried pixels are blended in must stand on its own
    face: float = 0.5  # and so must its face, a hundredth of the picture and the first thing that is looked at
    distillation: float = 1.0  # the matching encoder learns to see what the teacher sees


def load_teacher(path: Path | None) -> VGGSlice:
    """VGG-19 up to conv3_1 with ImageNet weights: from a safetensors file, or from torchvision's hub.

    Raises:
        InputError: if there is no file and the hub cannot be reached.
    """
    if path is not None:
        if not Path(path).exists():
            raise InputError(f"{path} is missing; leave --vgg out to fetch torchvision's VGG-19")
        tensors = load_file(str(path))
    else:
        from torchvision.models import VGG19_Weights, vgg19

        try:
            tensors = vgg19(weights=VGG19_Weights.IMAGENET1K_V1).state_dict()
        except OSError as error:
            raise InputError(f"VGG-19 could not be fetched ({error}); give its weights with --vgg FILE") from None
    teacher = VGGSlice()
    wanted = teacher.state_dict()
    teacher.load_state_dict({name: tensors[name] for name in wanted})
    return teacher.eval().requires_grad_(False)


def parsing_terms(logits: Tensor, target: Tensor, weights: LossWeights) -> dict[str, Tensor]:
    """Eq. 4-6: cross-entropy, and the l1 distance of the probabilities. ``target`` is one-hot (N, 8, H, W)."""
    return {
        "cross": F.cross_entropy(logits, target.argmax(1)),
        "parsing_l1": weights.parsing_l1 * (logits.softmax(1) - target).abs().mean(),
    }


class ImageLosses(nn.Module):
    """Eq. 7-11 against a frozen teacher; eq. 12 is with the discriminator below.

    Args:
        teacher: VGG slice of width 64.
        matching_channels: of the generator's own matching encoder.
    """

    def __init__(self, teacher: VGGSlice, matching_channels: int, weights: LossWeights):
        super().__init__()
        self.teacher = teacher
        self.weights = weights
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
        w, person = self.weights, 1 - parsing[:, :1]
        whole = person
        image, real = made.image.float() * person, target * person
        area = person.sum().clamp(min=1) * 3
        terms = {"reconstruction": w.reconstruction * (image - real).abs().sum() / area}
        if w.painted:
            terms["painted"] = w.painted * (made.painted.float() * person - real).abs().sum() / area
        if w.face and (faces := _faces(parsing)):
            size = 96 * person.shape[2] // FRAME_SIZE[0]
            near = [torch.cat([_close(x, place, size) for place in faces]) for x in (made.painted.float(), target)]
            seen, truth = self.teacher(near[0]), self.teacher(near[1])
            gaps = ((seen[k] - truth[k].detach()).abs().mean() for k in PERCEPTUAL_LAYERS)
            terms["face"] = w.face * sum(gaps, start=(near[0] - near[1]).abs().mean())
        image, real, person = _quarter(image, real, person)
        seen, truth = self.teacher(image), {k: v.detach() for k, v in self.teacher(real).items()}
        # Features are about zero off the person: scale by the share that is not.
        share = person.mean().clamp(min=0.05)
        terms["perceptual"] = (
            w.perceptual
            * sum(((seen[k] - truth[k]).abs().mean() for k in PERCEPTUAL_LAYERS), start=image.new_zeros(()))
            / (3 * share)
        )
        terms["style"] = w.style * sum(
            ((_gram(seen[k]) - _gram(truth[k])).abs().mean() for k in STYLE_LAYERS), start=image.new_zeros(())
        )
        if w.distillation:
            own = matching(real)["conv3_1"]
            spread = truth["conv3_1"].var().clamp(min=1e-3)
            terms["distillation"] = w.distillation * F.mse_loss(self.readout(own), truth["conv3_1"]) / spread
        if w.correspondence:
            with torch.no_grad():
                own = matching(target * whole)["conv3_1"]
            inside = F.adaptive_avg_pool2d(whole, (own.shape[2], own.shape[3]))
            # The small encoder's features have no scale of their own, unlike the teacher's: measure in theirs.
            gap = (made.matched.float() - own.float()) ** 2 / own.float().var().clamp(min=1e-3) * inside
            terms["correspondence"] = w.correspondence * gap.sum() / (inside.sum().clamp(min=1) * own.shape[1])
        return terms


def _faces(parsing: Tensor) -> list[tuple[int, int, int]]:
    """Sample, row and column of the middle of every face that is seen."""
    places = []
    for index, face in enumerate(parsing[:, REGION["face"]]):
        cells = face.nonzero()
        if len(cells) >= 20:
            y, x = cells.float().mean(0).round().int().tolist()
            places.append((index, y, x))
    return places


def _close(image: Tensor, place: tuple[int, int, int], size: int) -> Tensor:
    """A square of ``size`` / 2 about a place in (N, 3, H, W), within the picture, enlarged to twice that: the teacher
    knows faces of more pixels than these have. (1, 3, size, size)."""
    index, y, x = place
    half = size // 4
    y, x = min(max(y, half), image.shape[2] - half), min(max(x, half), image.shape[3] - half)
    part = image[index : index + 1, :, y - half : y + half, x - half : x + half]
    return F.interpolate(part, scale_factor=2, mode="bilinear", align_corners=False)


def _quarter(*maps: Tensor) -> tuple[Tensor, ...]:
    """The same quarter of each map, a random crop or all of it at half size, by turns: the teacher is most of a step's
    cost, and sees texture in the one and shape in the other."""
    height, width = maps[0].shape[2:]
    if torch.rand(()) < 0.5:
        return tuple(F.avg_pool2d(m, 2) for m in maps)
    h, w = height // 2, width // 8 * 4
    top, left = int(torch.randint(height - h + 1, ())), int(torch.randint(width - w + 1, ()))
    return tuple(m[:, :, top : top + h, left : left + w] for m in maps)


def _gram(x: Tensor) -> Tensor:
    """(N, C, H, W) -> (N, C, C), divided by the number of values."""
    flat = x.flatten(2)
    return flat @ flat.transpose(1, 2) / x[0].numel()


def discriminator_terms(discriminator: Discriminator, real: Tensor, fake: Tensor, parsing: Tensor) -> dict[str, Tensor]:
    """Eq. 12 from the discriminator's side, on the wanted map (N, 8, H, W)."""
    return {
        "real": F.softplus(-discriminator(real, parsing)).mean(),
        "fake": F.softplus(discriminator(fake.detach(), parsing)).mean(),
    }


def adversarial_term(discriminator: Discriminator, fake: Tensor, parsing: Tensor) -> Tensor:
    """Eq. 12 from the generator's side, in its non-saturating form."""
    return F.softplus(-discriminator(fake, parsing)).mean()
