"""Matching in strips: equal to the whole matrix, forward and backward, and within the memory that is promised."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from pise_core.model.correspondence import carry_by_likeness, centred_unit, patch_correlation

ROOT = Path(__file__).resolve().parent.parent
SIZE = (6, 5)


def tensors(batch: int = 2, sources: int = 2):
    torch.manual_seed(0)
    queries = centred_unit(torch.randn(batch, 7, *SIZE, dtype=torch.float64)).requires_grad_()
    keys = centred_unit(torch.randn(sources, 7, *SIZE, dtype=torch.float64)).requires_grad_()
    values = torch.randn(sources, 3, SIZE[0] * SIZE[1], dtype=torch.float64, requires_grad=True)
    return queries, keys, values


def whole(queries, keys, values, matching: str, patches: bool):
    """The plain way: all of the matrix at once."""
    if patches:
        # Patches laid out, their mean taken off, of unit length.
        a, b = (F.unfold(x, 3, padding=1) for x in (queries, keys))
        a, b = (F.normalize(x - x.mean(1, keepdim=True), dim=1) for x in (a, b))
    else:
        a, b = queries.flatten(2), keys.flatten(2)
    shares = torch.softmax(a.transpose(1, 2) @ b / 0.1, {"source": 2, "target": 1}[matching])
    return (values @ shares.transpose(1, 2)).unflatten(2, SIZE)


@pytest.mark.parametrize("matching", ["source", "target"])
@pytest.mark.parametrize("patches", [False, True])
@pytest.mark.parametrize("rows", [1, 2, 4, 6])
@pytest.mark.parametrize("kept", [0, 10**9])
def test_strips_are_the_whole_matrix_forward_and_backward(matching, patches, rows, kept):
    given = tensors()
    strip = rows * 2 * SIZE[0] * SIZE[1] * SIZE[1]
    made = carry_by_likeness(*given, matching, 0.1, patches, strip=strip, kept=kept)
    wanted = whole(*given, matching, patches)
    assert torch.allclose(made, wanted, atol=1e-10)
    direction = torch.randn_like(wanted)
    found, true = (torch.autograd.grad((x * direction).sum(), given) for x in (made, wanted))
    for one, other in zip(found, true, strict=True):
        assert torch.allclose(one, other, atol=1e-8)


@pytest.mark.parametrize("matching", ["source", "target"])
@pytest.mark.parametrize("patches", [False, True])
def test_one_source_serves_many_targets(matching, patches):
    queries, keys, values = tensors(3, 1)
    made = carry_by_likeness(queries, keys, values, matching, 0.1, patches, strip=200)
    expanded = whole(queries, keys.expand(3, -1, -1, -1), values.expand(3, -1, -1), matching, patches)
    assert torch.allclose(made, expanded, atol=1e-10)


def test_patches_of_grids_of_other_heights_are_correlated():
    torch.manual_seed(0)
    a, b = torch.randn(1, 4, 5, 4, dtype=torch.float64), torch.randn(1, 4, 1, 4, dtype=torch.float64)
    laid_out = [F.unfold(x, 3, padding=1) for x in (a, b)]
    one, other = (F.normalize(x - x.mean(1, keepdim=True), dim=1) for x in laid_out)
    assert torch.allclose(patch_correlation(a, b), one.transpose(1, 2) @ other, atol=1e-10)


_STEP = """
import resource, sys
import torch
from pise_core.model.config import RELEASE_CONFIG, SHIPPED_CONFIG
from pise_core.model.network import PISE, Carry

model = PISE(SHIPPED_CONFIG)
image = torch.rand(1, 3, 512, 352) * 2 - 1
parsing = torch.zeros(1, 8, 512, 352)
parsing[:, 0], pose = 1, torch.rand(1, 18, 512, 352)
carry = Carry(image, image[:, :1].clamp(0, 1), parsing)
optimizer = torch.optim.Adam(model.parameters())
out = model(image, parsing, pose, pose, parsing, carry=carry)
(out.image - image).abs().mean().backward()
optimizer.step()
assert model.image_generator.spatial.gamma.weight.grad.abs().sum() > 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is told in another unit elsewhere")
def test_the_shipped_network_trains_at_512x352_within_two_gigabytes():
    found = subprocess.run([sys.executable, "-c", _STEP], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    assert float(found.stdout) < 2000, found.stdout


def test_fused_attention_answers_as_the_whole_matrix_forward_and_backward(monkeypatch):
    calls = []
    fused = F.scaled_dot_product_attention
    monkeypatch.setattr(F, "scaled_dot_product_attention", lambda *a, **k: (calls.append(a), fused(*a, **k))[1])
    for batch, sources in ((2, 2), (3, 1)):
        queries, keys, values = given = tensors(batch, sources)
        made = carry_by_likeness(*given, "source", 0.1)
        wanted = whole(queries, keys.expand(batch, -1, -1, -1), values.expand(batch, -1, -1), "source", False)
        assert torch.allclose(made, wanted, atol=1e-10)
        direction = torch.randn_like(wanted)
        found, true = (torch.autograd.grad((x * direction).sum(), given) for x in (made, wanted))
        for one, other in zip(found, true, strict=True):
            assert torch.allclose(one, other, atol=1e-8)
    assert len(calls) == 2
    assert all(rows.shape[3] == 7 and rows.stride(3) == 1 for call in calls for rows in call)  # else it isn't fused


def test_values_of_more_channels_than_what_is_compared_are_carried_in_strips(monkeypatch):
    monkeypatch.delattr(F, "scaled_dot_product_attention")
    queries, keys, _ = tensors()
    values = torch.randn(2, 8, SIZE[0] * SIZE[1], dtype=torch.float64)
    made = carry_by_likeness(queries, keys, values, "source", 0.1)
    assert torch.allclose(made, whole(queries, keys, values, "source", False), atol=1e-10)
