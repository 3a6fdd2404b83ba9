"""The metrics against other people's code, on the same pairs: drawn ones here, 50 rendered ones at night.

Networks are filled with random numbers where their trained weights are not at hand; both sides read the same file.
"""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import lpips
import numpy as np
import piq
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torchvision.models import alexnet, squeezenet1_1

from pise_core.cli.main import main
from pise_core.errors import InputError
from pise_core.evaluation.deepfashion_metrics import Loaders, Metrics
from pise_core.evaluation.image_metrics import Frechet, SqueezeFeatures, load_lpips, psnr, ssim
from pise_core.evaluation.legacy_metrics import window_ssim, wrapped_psnr
from pise_core.synthesis.dataset import People
from tests.training_data import write_people

_FILES = {"alex": "alexnet-owt-7be5be79.pth", "squeeze": "squeezenet1_1-b8a52dc0.pth"}


class Pictures(NamedTuple):
    made: np.ndarray  # (H, W, 3) uint8
    true: np.ndarray
    person: np.ndarray  # (H, W) bool, of the true one


@pytest.fixture(scope="module", params=["drawn", pytest.param("rendered", marks=pytest.mark.nightly)])
def pairs(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    if request.param == "drawn":
        write_people(folder, 3)
    else:
        assert main(["synthesize", "people", "--count", "50", "--out", str(folder), "--seed", "20"]) == 0
    people = People(folder)
    found = [people[index] for index in range(len(people))]
    return [Pictures(p.source.image.copy(), p.target.image.copy(), p.target.regions > 0) for p in found]


@pytest.fixture(scope="module")
def metrics():
    def none(device):
        raise InputError("not needed here")

    return Metrics(Loaders(lpips_alex=none, lpips_squeeze=none, fid=none, legacy_fid=none), "cpu")


@pytest.fixture(scope="module", params=["random", "trained"])
def hub(request, tmp_path_factory):
    """A folder of torch's hub with both networks, or with SqueezeNet as it was trained, where that is at hand."""
    folder = tmp_path_factory.mktemp("hub")
    checkpoints = folder / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    if request.param == "trained":
        kept = Path(torch.hub.get_dir()) / "checkpoints" / _FILES["squeeze"]
        if not kept.exists():
            pytest.skip("SqueezeNet's trained weights are not on this machine")
        shutil.copy(kept, checkpoints)
        return folder, ("squeeze",)
    torch.manual_seed(3)
    torch.save(alexnet(weights=None).state_dict(), checkpoints / _FILES["alex"])
    torch.save(squeezenet1_1(weights=None).state_dict(), checkpoints / _FILES["squeeze"])
    return folder, ("alex", "squeeze")


def tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1)[None].float()


def of_skimage(a: np.ndarray, b: np.ndarray) -> float:
    settings: dict[str, Any] = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    found: Any = structural_similarity(a, b, channel_axis=2, data_range=255, **settings)
    return float(found)


def of_piq(x: torch.Tensor, y: torch.Tensor) -> Any:
    return piq.ssim(x, y, data_range=255.0, downsample=False)


def test_ssim_and_psnr_of_whole_pictures(pairs, metrics):
    for made, true, _ in pairs:
        x, y = tensor(made), tensor(true)
        found = metrics.ssim(x, y).item()
        assert found == pytest.approx(of_skimage(made, true), abs=3e-4)
        assert found == pytest.approx(float(of_piq(x, y)), abs=3e-4)
        found = metrics._psnr(x, y, data_range=255.0, reduction="none", dim=(1, 2, 3)).item()
        assert found == pytest.approx(peak_signal_noise_ratio(true, made, data_range=255), abs=1e-4)
        assert found == pytest.approx(piq.psnr(x, y, data_range=255.0).item(), abs=1e-4)


def test_ssim_and_psnr_of_the_person(pairs, metrics):
    for made, true, person in pairs:
        rows, columns = np.flatnonzero(person.any(1)), np.flatnonzero(person.any(0))
        window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        a, b = (np.where(person[..., None], image, 127.5)[window] for image in (made, true))
        assert ssim(made, true, person) == pytest.approx(of_skimage(a, b), abs=1e-9)
        with_rim = metrics._ssim(tensor(a), tensor(b), sigma=1.5, data_range=255.0).item()
        assert ssim(made, true, person, rim=True) == pytest.approx(with_rim, abs=3e-4)
        assert psnr(made, true, person) == pytest.approx(peak_signal_noise_ratio(b, a, data_range=255), abs=1e-9)


def test_the_fields_older_figures(pairs):
    """GFLA's SSIM is scikit-image's with a window of 51; the paper's authors subtract and square in 8 bits."""
    for made, true, _ in pairs:
        expected: Any = structural_similarity(made, true, win_size=51, channel_axis=2, data_range=255)
        assert window_ssim(made, true) == pytest.approx(float(expected), abs=1e-9)
        with np.errstate(over="ignore"):
            error = np.mean((made - true) ** 2)
        assert wrapped_psnr(made, true) == pytest.approx(10 * np.log10(255.0**2 / error), abs=1e-9)


def test_lpips(pairs, hub, monkeypatch):
    folder, networks = hub
    monkeypatch.setenv("TORCH_HOME", str(folder))
    for network in networks:
        ours, theirs = load_lpips(network), lpips.LPIPS(net=network, verbose=False)
        for made, true, _ in pairs:
            x, y = (tensor(image) / 127.5 - 1 for image in (made, true))
            with torch.no_grad():
                expected = theirs(x, y).item()
            assert ours(x, y).item() == pytest.approx(expected, rel=1e-4, abs=1e-7)


def by_definition(a: np.ndarray, b: np.ndarray) -> float:
    """Heusel et al., 2017, eq. 6, by eigenvalues of symmetric matrices."""
    (va, ea), vb = np.linalg.eigh(np.cov(a, rowvar=False)), np.cov(b, rowvar=False)
    root = ea * np.sqrt(np.maximum(va, 0)) @ ea.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ vb @ root), 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + va.sum() + np.trace(vb) - 2 * cross)


def test_frechet_distance(pairs, hub, monkeypatch):
    """Of SqueezeNet's features, in 32 combinations of theirs, of which 50 pictures tell something."""
    folder, networks = hub
    trained = "alex" not in networks
    monkeypatch.setenv("TORCH_HOME", str(folder))
    network = SqueezeFeatures()
    mix = torch.randn(512, 32, generator=torch.Generator().manual_seed(0), dtype=torch.float64) / 512**0.5
    sides = [torch.cat([tensor(pair[side]) / 127.5 - 1 for pair in pairs]) for side in (0, 1)]
    made, true = (network(side).double() @ mix for side in sides)
    distance = Frechet(32)
    distance.add(made, true)
    assert distance.value() == pytest.approx(by_definition(made.numpy(), true.numpy()), rel=2e-3, abs=1e-4)
    if trained:  # what an untrained network sees varies in few directions, where piq adds something to invert it
        assert distance.value() == pytest.approx(piq.FID().compute_metric(made, true).item(), rel=2e-3)
