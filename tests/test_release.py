"""The configuration of the authors' release computes what their networks compute: small networks against a reference in
numpy. What their own code answered is in ``test_parity``."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from release_reference import Arrays, Reference, discriminator_shapes, filled, generator_shapes

from pise_core.model.convert_release import Checkpoint, convert_discriminator, convert_generator
from pise_core.model.correspondence import patch_correlation
from pise_core.model.network import PISE
from pise_core.model.normalization import region_masks

SIZE = (48, 32)
WIDTH = 4

#: How far float32 may be from the release's own answer.
CODES, PARSING, FEATURE, IMAGE = 1e-5, 1e-4, 5e-4, 1e-3


class Inputs(NamedTuple):
    image: np.ndarray  # (3, H, W) in [-1, 1]
    source_map: np.ndarray  # (8, H, W)
    target_map: np.ndarray  # (8, H, W)
    source_pose: np.ndarray  # (18, H, W)
    target_pose: np.ndarray  # (18, H, W)


def drawn_inputs(seed: int) -> Inputs:
    """Blocks of regions, smooth noise, a blob per joint. Region 1 is a stripe of the source that lies between the
    pixels which stand for their cells, regions 4 and 5 aren't in it at all."""
    rng = np.random.default_rng(seed)
    height, width = SIZE
    y, x = np.mgrid[:height, :width]

    def blocks(regions: list[int]) -> np.ndarray:
        cells = rng.choice(regions, (height // 8, width // 8))
        return cells.repeat(8, 0).repeat(8, 1)

    def one_hot(labels: np.ndarray) -> np.ndarray:
        return (labels == np.arange(8)[:, None, None]).astype(np.float32)

    def poses() -> np.ndarray:
        joints = rng.uniform(0, SIZE, (18, 2))[:, :, None, None]
        return np.exp(-((y - joints[:, 0]) ** 2 + (x - joints[:, 1]) ** 2) / 72).astype(np.float32)

    waves = rng.uniform(0.05, 0.5, (3, 2))[:, :, None, None]
    image = np.sin(waves[:, 0] * y + waves[:, 1] * x + rng.uniform(0, 6, (3, 1, 1))).astype(np.float32)
    source = blocks([0, 2, 3, 6, 7])
    source[9:12] = 1
    return Inputs(image, one_hot(source), one_hot(blocks([0, 1, 2, 3, 5, 6])), poses(), poses())


def checkpoint(tensors: Arrays) -> Checkpoint:
    return Checkpoint({name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}, "net.pth")


def batch(*arrays: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(np.ascontiguousarray(a, np.float32))[None] for a in arrays]


class Small(NamedTuple):
    model: PISE
    reference: Reference


@pytest.fixture(scope="module")
def small() -> dict[str, Small]:
    """Narrow networks of the release, "older" being the editing network that is not told a pose, and the reference with
    the same weights."""
    made = {}
    for name in ("pose", "editing", "older"):
        tensors = filled(generator_shapes(WIDTH, editing=name != "pose", layout_pose=name != "older"))
        made[name] = Small(convert_generator(checkpoint(tensors))[0].to("cpu"), Reference(tensors))
    return made


def test_pose_transfer_is_the_reference_s(small):
    model, reference = small["pose"]
    for seed in (0, 1):
        i = drawn_inputs(seed)
        with torch.no_grad():
            out = model(*batch(i.image, i.source_map, i.source_pose, i.target_pose))
        soft = reference.parsing(i.source_map, i.source_pose, i.target_pose)
        codes, exist = reference.codes(i.image, i.source_map)
        assert list(exist) == [True, False, True, True, False, False, True, True]
        matched, image = reference.image(i.image, i.source_map, soft, i.target_pose, codes, exist, spatial=True)
        assert np.abs(out.style_codes[0].numpy() - np.where(exist[:, None], codes[:8], codes[8])).max() < CODES
        assert np.abs(out.parsing[0].numpy() - soft).max() < PARSING
        assert np.abs(out.matched[0].numpy() - matched).max() < FEATURE
        assert np.abs(out.image[0].numpy() - image).max() < IMAGE
        assert image.std() > 0.1


def test_a_saturated_map_leaves_room_for_other_regions(small):
    """Exact zeros, and pixels where nothing is left: the last region that isn't 0 wins."""
    model, reference = small["pose"]
    i = drawn_inputs(2)
    soft = np.where(np.random.default_rng(5).random((8, *SIZE)) < 0.7, 0, 0.4).astype(np.float32)
    assert (soft[:, ::4, ::4] == 0).all(0).any()
    codes, exist = reference.codes(i.image, i.source_map)
    matched, image = reference.image(i.image, i.source_map, soft, i.target_pose, codes, exist, spatial=True)
    with torch.no_grad():
        out = model(*batch(i.image, i.source_map, i.source_pose, i.target_pose, soft))
    assert np.abs(out.matched[0].numpy() - matched).max() < FEATURE
    assert np.abs(out.image[0].numpy() - image).max() < IMAGE


@pytest.mark.parametrize("name", ["editing", "older"])
def test_editing_goes_without_the_spatial_block_and_takes_other_codes(small, name):
    model, reference = small[name]
    i = drawn_inputs(3)
    pose = None if name == "older" else i.target_pose
    codes, exist = reference.codes(i.image, i.source_map)
    other, _ = reference.codes(-i.image[:, ::-1], i.source_map)
    codes[3] = 0.5 * codes[3] + 0.5 * other[3]
    matched, image = reference.image(i.image, i.source_map, i.target_map, pose, codes, exist, spatial=False)
    rows = batch(np.where(exist[:, None], codes[:8], codes[8]))[0]
    with torch.no_grad():
        inputs = batch(i.image, i.source_map, i.source_pose, i.target_pose, i.target_map)
        out, own = model(*inputs, style_codes=rows), model(*inputs)
    assert np.abs(out.matched[0].numpy() - matched).max() < FEATURE
    assert np.abs(out.image[0].numpy() - image).max() < IMAGE
    assert (out.image - own.image).abs().max() > 10 * IMAGE


def test_the_discriminator_is_the_reference_s():
    tensors = filled(discriminator_shapes(WIDTH))
    model = convert_discriminator(checkpoint(tensors))
    image = drawn_inputs(4).image
    with torch.no_grad():
        logits = model(*batch(image))[0].numpy()
    assert np.abs(logits - Reference(tensors).judge(image.astype(np.float64))).max() < 1e-5


def test_patches_are_correlated_as_if_they_were_laid_out():
    generator = torch.Generator().manual_seed(0)
    a, b = (torch.rand(2, 5, 6, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    expected = []
    for x in (a, b):
        rows = F.unfold(x, 3, padding=1).transpose(1, 2)
        rows = rows - rows.mean(2, keepdim=True)
        expected.append(F.normalize(rows, dim=2))
    assert torch.allclose(patch_correlation(a, b), expected[0] @ expected[1].transpose(1, 2), atol=1e-12)


def test_the_last_region_that_is_not_zero_stands_for_its_cell():
    soft = torch.zeros(1, 8, 4, 8)
    soft[0, 2, 0, 0], soft[0, 5, 0, 0] = 0.9, 1e-30  # however small, the later one
    soft[0, 7, 1, 1] = 1  # between the pixels that stand for cells
    masks = region_masks(soft, (1, 2), "last")
    assert masks[0, :, 0, 0].tolist() == [0, 0, 0, 0, 0, 1, 0, 0]
    assert masks[0, :, 0, 1].tolist() == [0] * 8
