"""The losses that the shipped weights were taught by: on the person, for what surrounds it is nobody's to judge.

Eq. 8 to 11 with averages over the person's area, and beside them the picture without carried pixels, and its face.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from pise_core.framing import FRAME_SIZE
from pise_core.model.network import PISEOutput
from pise_core.model.vgg import VGGSlice
from pise_core.training.generator.losses import Objective, PictureLosses, gram
from pise_core.training.processes import ALONE, Processes


class PersonLosses(PictureLosses):
    """As ``PictureLosses``; ``face``: the index of that region in the maps."""

    def __init__(
        self,
        teacher: VGGSlice,
        matching_channels: int,
        objective: Objective,
        face: int,
        processes: Processes = ALONE,
    ):
        super().__init__(teacher, matching_channels, objective, processes)
        self.face = face

    def forward(self, made: PISEOutput, target: Tensor, parsing: Tensor, matching: VGGSlice) -> dict[str, Tensor]:
        """Terms by name, weighted; arguments as in ``PictureLosses``."""
        o, w, everywhere, person = self.objective, self.objective.weights, self.processes, 1 - parsing[:, :1]
        whole = person
        image, real = made.image.float() * person, target * person
        area = everywhere.mean(person.sum()).clamp(min=1) * 3
        terms = {"reconstruction": w.reconstruction * (image - real).abs().sum() / area}
        if w.painted:
            terms["painted"] = w.painted * (made.painted.float() * person - real).abs().sum() / area
        if w.face:
            faces = _faces(parsing, self.face)
            seen_anywhere = everywhere.mean(target.new_tensor(float(len(faces))))
            if seen_anywhere:
                terms["face"] = w.face * self._of_faces(faces, made.painted.float(), target, seen_anywhere)
        image, real, person = _quarter(image, real, person)
        seen, truth = self.teacher(image), {k: v.detach() for k, v in self.teacher(real).items()}
        # Features are about zero off the person: scale by the share that is not.
        share = everywhere.mean(person.mean()).clamp(min=0.05)
        terms["perceptual"] = (
            w.perceptual
            * sum(((seen[k] - truth[k]).abs().mean() for k in o.perceptual), start=image.new_zeros(()))
            / (len(o.perceptual) * share)
        )
        terms["style"] = w.style * sum(
            ((gram(seen[k]) - gram(truth[k])).abs().mean() for k in o.style), start=image.new_zeros(())
        )
        if o.matching == "distilled" and w.distillation:
            terms["distillation"] = w.distillation * self.distillation(matching(real)["conv3_1"], truth["conv3_1"])
        if w.correspondence:
            with torch.no_grad():
                own = matching(target * whole)["conv3_1"]
            inside = F.adaptive_avg_pool2d(whole, (own.shape[2], own.shape[3]))
            # The small encoder's features have no scale of their own, unlike the teacher's: measure in theirs.
            gap = (made.matched.float() - own.float()) ** 2 / everywhere.variance(own.float()).clamp(min=1e-3) * inside
            cells = everywhere.mean(inside.sum()).clamp(min=1)
            terms["correspondence"] = w.correspondence * gap.sum() / (cells * own.shape[1])
        return terms

    def _of_faces(self, faces: list[tuple[int, int, int]], painted: Tensor, target: Tensor, count: Tensor) -> Tensor:
        """Mean over the faces; ``count``: how many a process has on average."""
        if not faces:
            return painted.new_zeros(())
        size = 96 * target.shape[2] // FRAME_SIZE[0]
        near = [torch.cat([_close(x, place, size) for place in faces]) for x in (painted, target)]
        seen, truth = self.teacher(near[0]), self.teacher(near[1])
        gaps = ((seen[k] - truth[k].detach()).abs().mean() for k in self.objective.perceptual)
        return sum(gaps, start=(near[0] - near[1]).abs().mean()) * (len(faces) / count)


def _faces(parsing: Tensor, region: int) -> list[tuple[int, int, int]]:
    """Sample, row and column of the middle of every face that is seen."""
    places = []
    for index, face in enumerate(parsing[:, region]):
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
