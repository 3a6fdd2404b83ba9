"""How far two pictures are apart, on the person alone.

All of it happens in the 256x176 frame about the person. Both pictures are neutral grey outside the TRUE person's map,
so that no background is judged.

- **LPIPS-squeeze** (Zhang et al., CVPR 2018) of the whole frame, divided by the person's share of the frame: where
  both are grey the distance is 0, and a frame that is half grey would otherwise halve the figure.
- **SSIM** (Wang et al., 2004; Gaussian of sigma 1.5) and **PSNR** (float, peak 255) over the true person's bounding
  rectangle, the grey that is left in it included. Windows lie within the rectangle, as the field's code has it; "SSIM,
  rim" also counts those that reach beyond, completed by reflection.
- **FID-squeeze** (Heusel et al., NeurIPS 2017) of the whole frame, over the globally average-pooled 512 features of
  torchvision's SqueezeNet 1.1. A few hundred pictures make it coarse: compare rows of one table only.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from pise_core.errors import InputError
from pise_core.masks import grow, window_of
from pise_core.regions import cut_out
from pise_core.training.pretrained import fetched

#: Beyond so many frame pixels from anything that an edit concerns no pixel may differ; the seam is 1.3 wide.
MARGIN = 3.0
#: The same about a person who moved: the background is filled 3.5 pixels about where they stood, and has a seam too.
MOVED_MARGIN = 5.0
#: Half a window of SSIM: a Gaussian of sigma 1.5, cut at 3.5 of them.
SSIM_RIM = 5


@dataclass(frozen=True)
class Measures:
    """The learned measures, replaceable.

    Attributes:
        distance: two batches (N, 3, H, W) in [-1, 1] -> (N,) distances; 0 for equal pictures.
        features: one batch of the same layout -> (N, D) features; has ``num_features`` (D).
    """

    distance: Callable[[Tensor, Tensor], Tensor]
    features: nn.Module


def load_measures(device: str = "cpu") -> Measures:
    """LPIPS-squeeze and the features for FID-squeeze; both use the same SqueezeNet, fetched once by torch's hub.

    Raises:
        InputError: if torchmetrics is not installed.
        HubUnreachable: if the network's weights are neither on this machine nor to be fetched.
    """
    from torchvision.models import SqueezeNet1_1_Weights

    distance = load_lpips("squeeze", device)
    with fetched("SqueezeNet", SqueezeNet1_1_Weights.IMAGENET1K_V1.url):
        return Measures(distance, SqueezeFeatures().to(device))


def load_lpips(net: Literal["alex", "squeeze"], device: str = "cpu") -> Callable[[Tensor, Tensor], Tensor]:
    """LPIPS (Zhang et al., CVPR 2018): two batches (N, 3, H, W) in [-1, 1] -> (N,) distances.

    Raises:
        InputError, HubUnreachable: as :func:`load_measures`.
    """
    from torchvision.models import AlexNet_Weights, SqueezeNet1_1_Weights

    lpips_of_torchmetrics = torchmetrics_module("image.lpip").LearnedPerceptualImagePatchSimilarity
    weights = {"alex": AlexNet_Weights.IMAGENET1K_V1, "squeeze": SqueezeNet1_1_Weights.IMAGENET1K_V1}[net]
    with fetched({"alex": "AlexNet", "squeeze": "SqueezeNet"}[net], weights.url):
        metric = lpips_of_torchmetrics(net_type=net, reduction="none").to(device)

    @torch.no_grad()
    def distance(a: Tensor, b: Tensor) -> Tensor:
        found = metric(a.to(device), b.to(device)).reshape(-1).cpu()
        metric.reset()
        return found

    return distance


def torchmetrics_module(name: str) -> Any:
    """``torchmetrics.NAME``; it is installed by those who evaluate only.

    Raises:
        InputError: if it is not.
    """
    try:
        return importlib.import_module(f"torchmetrics.{name}")
    except ModuleNotFoundError:
        raise InputError("evaluating needs torchmetrics; run: pip install torchmetrics") from None


class SqueezeFeatures(nn.Module):
    """(N, 3, H, W) in [-1, 1] -> (N, 512): SqueezeNet 1.1 of torchvision (ImageNet), averaged over the picture."""

    num_features = 512

    def __init__(self):
        super().__init__()
        from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

        self.network = squeezenet1_1(weights=SqueezeNet1_1_Weights.IMAGENET1K_V1).features.eval().requires_grad_(False)
        # ImageNet's mean and standard deviation.
        self.mean = nn.Buffer(torch.tensor([0.485, 0.456, 0.406])[:, None, None])
        self.std = nn.Buffer(torch.tensor([0.229, 0.224, 0.225])[:, None, None])

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        x = (x.to(self.mean.device) + 1) / 2
        return self.network((x - self.mean) / self.std).mean((2, 3))


class _AsTheyAre(nn.Module):
    """Features that were computed already, once for all rows that are compared."""

    def __init__(self, num_features: int):
        super().__init__()
        self.num_features = num_features

    def forward(self, features: Tensor) -> Tensor:
        return features


class Frechet:
    """Frechet distance between the features of made and of true pictures, added batch by batch."""

    def __init__(self, num_features: int):
        fid = torchmetrics_module("image.fid").FrechetInceptionDistance
        self._metric = fid(feature=_AsTheyAre(num_features))

    def add(self, made: Tensor, true: Tensor) -> None:
        """Both (N, D)."""
        self._metric.update(made.cpu().double(), real=False)
        self._metric.update(true.cpu().double(), real=True)

    def value(self) -> float:
        """nan for fewer than two pictures."""
        if self._metric.real_features_num_samples < 2:
            return float("nan")
        return max(float(self._metric.compute()), 0.0)


def person_only(image: np.ndarray, person: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 and (H, W) bool -> (3, H, W) float32 in [-1, 1], 0 outside the person."""
    return torch.from_numpy(cut_out(image, person))


def ssim(a: np.ndarray, b: np.ndarray, person: np.ndarray, rim: bool = False) -> float:
    """Structural similarity over the person's bounding rectangle, mean over RGB; 1 for equal pictures.

    Args:
        a, b: (H, W, 3) uint8.
        person: (H, W) bool, set somewhere.
        rim: count windows that reach beyond the rectangle, too, completed by reflection.

    Returns:
        nan where no window of 11x11 pixels lies within the rectangle.
    """
    x, y = _in_rectangle(a, person), _in_rectangle(b, person)

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(values, (11, 11), 1.5, borderType=cv2.BORDER_REFLECT_101)

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    whole = ((2 * mx * my + c1) * (2 * vxy + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    counted = whole if rim else whole[SSIM_RIM:-SSIM_RIM, SSIM_RIM:-SSIM_RIM]
    return float(counted.mean()) if counted.size else float("nan")


def psnr(a: np.ndarray, b: np.ndarray, person: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB over the person's bounding rectangle; infinite for equal pictures."""
    error = ((_in_rectangle(a, person) - _in_rectangle(b, person)) ** 2).mean()
    return float(10 * np.log10(255**2 / error)) if error > 0 else float("inf")


def _in_rectangle(image: np.ndarray, person: np.ndarray) -> np.ndarray:
    window = window_of(person, margin=0)
    if window is None:
        raise InputError("a picture without a person can't be scored")
    return np.where(person[window][..., None], image[window].astype(np.float64), 127.5)


def changed_outside(
    before: np.ndarray, after: np.ndarray, concerned: np.ndarray, scale: float, margin: float = MARGIN
) -> float:
    """Share of a photo's pixels that differ although they lie further than ``margin`` from what the edit concerns.

    Args:
        before, after: (H, W, 3) uint8, the photo and the edited photo.
        concerned: (H, W) bool. Of a painted map: the pixels whose region was painted over. Of a style: the region. Of
            a pose: the person as it was and as it is now.
        scale: frame pixels per photo pixel.
        margin: in frame pixels.
    """
    elsewhere = ~grow(concerned, margin / scale)
    return float(((before != after).any(2) & elsewhere).mean())


def mean_colour(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Mean CIE L*a*b* (L from 0 to 100) of the pixels of ``inside`` (H, W bool); (3,) float64."""
    pixels = image[inside].astype(np.float32)[None] / 255
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)[0].astype(np.float64).mean(0)
