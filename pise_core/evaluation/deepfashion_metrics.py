"""Pictures of DeepFashion measured whole, as its tables have it: 256x176, background included, every pair alike.

**Standard**: FID (Heusel et al., NeurIPS 2017; Inception of 2015, against the true pictures of the same pairs), LPIPS
of AlexNet and of SqueezeNet, SSIM (Gaussian of sigma 1.5, no rim) and PSNR in float, all by torchmetrics. **Legacy**:
see ``legacy_metrics``.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pise_core.errors import InputError
from pise_core.evaluation.image_metrics import SSIM_RIM, load_lpips, torchmetrics_module
from pise_core.evaluation.legacy_metrics import LegacyInception, window_ssim, wrapped_psnr
from pise_core.evaluation.scoring import finite_mean
from pise_core.training.pretrained import fetched

#: So many pictures go through a network at once.
_TOGETHER = 16


def _inception(device: str) -> nn.Module:
    metrics = torchmetrics_module("image.fid")
    try:
        url = importlib.import_module("torch_fidelity.feature_extractor_inceptionv3").URL_INCEPTION_V3
    except ModuleNotFoundError:
        raise InputError("FID needs torch-fidelity; run: pip install torch-fidelity") from None
    with fetched("Inception of 2015", url):
        network = metrics.FrechetInceptionDistance(feature=2048).inception.to(device)
    network.num_features = 2048
    return network


def _legacy_inception(device: str) -> nn.Module:
    from torchvision.models import Inception_V3_Weights, inception_v3

    weights = Inception_V3_Weights.IMAGENET1K_V1
    with fetched("torchvision's Inception v3", weights.url):
        network = inception_v3(weights=weights)
    network.transform_input = False  # LegacyInception has done it
    return LegacyInception(network).to(device)


@dataclass(frozen=True)
class Loaders:
    """Who makes the learned measures, each for a device; replaceable.

    A loader raises InputError where its network can't be had; the other measures are taken all the same.

    Attributes:
        lpips_alex, lpips_squeeze: two batches (N, 3, H, W) in [-1, 1] -> (N,) distances.
        fid, legacy_fid: a batch (N, 3, H, W) uint8 -> (N, D) features; has ``num_features`` (D).
    """

    lpips_alex: Callable[[str], Callable[[Tensor, Tensor], Tensor]] = lambda device: load_lpips("alex", device)
    lpips_squeeze: Callable[[str], Callable[[Tensor, Tensor], Tensor]] = lambda device: load_lpips("squeeze", device)
    fid: Callable[[str], nn.Module] = _inception
    legacy_fid: Callable[[str], nn.Module] = _legacy_inception


class Metrics:
    """All measures that can be had.

    Attributes:
        missing: measure -> why it can't be taken.
    """

    def __init__(self, loaders: Loaders, device: str):
        functional = torchmetrics_module("functional.image")
        self._ssim = functional.structural_similarity_index_measure
        self._psnr = functional.peak_signal_noise_ratio
        self._device = device
        self._distances: dict[str, Callable[[Tensor, Tensor], Tensor]] = {}
        self._frechets: dict[str, Any] = {}
        self.missing: dict[str, str] = {}
        for name in ("lpips_alex", "lpips_squeeze"):
            try:
                self._distances[name] = getattr(loaders, name)(device)
            except InputError as error:
                self.missing[name] = str(error)
        distance_of = torchmetrics_module("image.fid").FrechetInceptionDistance
        for name in ("fid", "legacy_fid"):
            try:
                features = getattr(loaders, name)(device)
            except InputError as error:
                self.missing[name] = str(error)
            else:
                self._frechets[name] = distance_of(feature=features, reset_real_features=False).to(device)

    def ssim(self, made: Tensor, true: Tensor) -> Tensor:
        """SSIM of two batches (N, 3, H, W) in 0..255 -> (N,).

        The mean leaves out the rim where windows reach beyond the picture, as the field's code does. torchmetrics' own
        mean counts it, reflected, and is higher for people before plain ground.
        """
        _, whole = self._ssim(made, true, sigma=1.5, data_range=255.0, reduction="none", return_full_image=True)
        return whole[..., SSIM_RIM:-SSIM_RIM, SSIM_RIM:-SSIM_RIM].mean((1, 2, 3))

    def wants(self, name: str) -> bool:
        """Whether real pictures are of any use to a distance, "fid" or "legacy_fid"."""
        return name in self._frechets

    @torch.no_grad()
    def see_real(self, name: str, pictures: Iterable[np.ndarray]) -> None:
        """Show the real pictures, (H, W, 3) uint8, that "fid" or "legacy_fid" is a distance to."""
        for some in _groups(pictures):
            self._frechets[name].update(_tensor(some, self._device), real=True)

    @torch.no_grad()
    def measure(self, pictures: Iterable[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
        """Made and true pictures, (H, W, 3) uint8 -> figures by name; means over all pictures.

        Equal pictures, whose PSNR is infinite, are left out of its mean unless all are. FID is left out where fewer
        than two pictures were made, or are real.
        """
        values: dict[str, list[float]] = {}
        for metric in self._frechets.values():
            metric.reset()
        for some in _groups(pictures):
            made, true = (_tensor([pair[side] for pair in some], self._device) for side in (0, 1))
            for metric in self._frechets.values():
                metric.update(made, real=False)
            # In single precision SSIM is off by up to 0.0003 on flat ground; in double it would take ten times as long.
            x, y = made.float(), true.float()
            unit = [z / 127.5 - 1 for z in (x, y)]
            found = {name: distance(*unit) for name, distance in self._distances.items()}
            found["ssim"] = self.ssim(x, y)
            found["psnr"] = self._psnr(x, y, data_range=255.0, reduction="none", dim=(1, 2, 3))
            for name, score in (("wrapped_psnr", wrapped_psnr), ("window_ssim", window_ssim)):
                found[name] = torch.tensor([score(*pair) for pair in some])
            for name, tensor in found.items():
                values.setdefault(name, []).extend(tensor.reshape(-1).tolist())
        figures = {name: finite_mean(found) for name, found in values.items()}
        for name, metric in self._frechets.items():
            if min(metric.real_features_num_samples, metric.fake_features_num_samples) >= 2:
                figures[name] = max(float(metric.compute()), 0.0)
        return figures


def _groups(items: Iterable) -> Iterator[list]:
    group = []
    for item in items:
        group.append(item)
        if len(group) == _TOGETHER:
            yield group
            group = []
    if group:
        yield group


def _tensor(pictures: list[np.ndarray], device: str) -> Tensor:
    """(N, 3, H, W) uint8."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous().to(device)
