"""The configuration of the authors' release computes what their networks compute.

Twice: against a reference in numpy on small networks, and, where PISE_SHARED_DATA names a folder that holds ``parity``,
against what their own code answered for full-size networks whose weights are made from names.
"""

import importlib.util
import json
import os
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from release_reference import Arrays, Reference, discriminator_shapes, filled, generator_shapes

from pise_core.conversion import Checkpoint, convert_discriminator, convert_generator
from pise_core.networks.normalization import patch_correlation, region_masks
from pise_core.pise import PISE

SHARED = os.environ.get("PISE_SHARED_DATA")
PARITY = Path(SHARED) / "parity" if SHARED else None
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
    """Narrow networks of the release, "pose" and "editing", and the reference with the same weights."""
    made = {}
    for name in ("pose", "editing"):
        tensors = filled(generator_shapes(WIDTH, editing=name == "editing"))
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


def test_editing_goes_without_the_spatial_block_and_takes_other_codes(small):
    model, reference = small["editing"]
    i = drawn_inputs(3)
    codes, exist = reference.codes(i.image, i.source_map)
    other, _ = reference.codes(-i.image[:, ::-1], i.source_map)
    codes[3] = 0.5 * codes[3] + 0.5 * other[3]
    matched, image = reference.image(i.image, i.source_map, i.target_map, i.target_pose, codes, exist, spatial=False)
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


# What the authors' code itself answered. ----------------------------------------------------------------------------

_CASES = ("pose", "onehot", "pose_sat60", "edit", "texture", "texture_swap", "disc", "out")


def _parity_files() -> list[Path]:
    """Of every seed and size that is there."""
    found = sorted(PARITY.glob("s*_*x*_*.npz")) if PARITY else []
    return [path for path in found if path.stem.split("_", 2)[2] in _CASES]


@cache
def _common() -> Any:
    """The module beside the files, which makes their weights and inputs."""
    assert PARITY is not None
    spec = importlib.util.spec_from_file_location("parity_common", PARITY / "parity_common.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@lru_cache(maxsize=3)  # those of one seed
def _network(kind: str, seed: int) -> Any:
    assert PARITY is not None
    keys = json.loads((PARITY / f"{kind}.keys.json").read_text())
    # The discriminator was filled under longer names.
    prefix = "netD." if kind == "netD" else ""
    weights = _common().fill(seed, {prefix + name: entry for name, entry in keys.items()})
    found = checkpoint({name.removeprefix(prefix): value for name, value in weights.items()})
    return convert_discriminator(found) if kind == "netD" else convert_generator(found)[0]


class Given(NamedTuple):
    image: torch.Tensor
    reference: torch.Tensor  # whose style is borrowed
    source_map: torch.Tensor
    target_map: torch.Tensor
    reference_map: torch.Tensor
    poses: list[torch.Tensor]


def _given(seed: int, size: str, count: int) -> Given:
    common, (height, width) = _common(), map(int, size.split("x"))
    raw = common.inputs_for(seed, height, width, count)
    images, maps = (
        {i: torch.from_numpy(make(raw[f"{name}{i}"])) for i in (1, 2, 3)}
        for name, make in (("img", common.img_float), ("par", common.onehot))
    )
    poses = [torch.from_numpy(common.heatmaps(raw[f"pose{i}"], height, width)) for i in (1, 2)]
    return Given(images[1], images[3], maps[1], maps[2], maps[3], poses)


def _present(parsing: torch.Tensor) -> torch.Tensor:
    """(N, 8, 1) bool: what the release counts as there."""
    return (parsing[:, :, ::4, ::4] > 0).flatten(2).any(2)[..., None]


def _answers(case: str, given: Given, seed: int, stored: Arrays) -> dict[str, tuple[torch.Tensor, float]]:
    """Ours by the names of the stored arrays, and how far they may be off."""
    pose, editing = "netG_pose", "netG_texture"
    inputs = (given.image, given.source_map, *given.poses)
    fed = {"onehot": "par_argmax", "pose_sat60": "par_soft"}.get(case)
    if case == "disc":
        return {"logits_img1": (_network("netD", seed)(given.image), CODES)}
    if case == "texture_swap":
        model = _network(editing, seed)
        own = model.encode(given.image, given.source_map).styles
        other = model.encode(given.reference, given.reference_map).styles * _present(given.reference_map)
        mixed = own.clone()
        for region, share in zip(stored["swap_class"], stored["swap_alpha"], strict=True):
            mixed[:, region] = (1 - float(share)) * own[:, region] + float(share) * other[:, region]
        # The release goes on using the global code of a region that the source does not show.
        out = model(*inputs, given.target_map, style_codes=torch.where(_present(given.source_map), mixed, own))
    elif case == "texture":
        out = _network(editing, seed)(*inputs, given.target_map)
    elif fed:
        values = stored[fed] if stored[fed].ndim == 4 else _common().onehot(stored[fed])
        out = _network(pose, seed)(*inputs, torch.from_numpy(values))
    else:
        out = _network(pose, seed)(*inputs, given.target_map if case == "edit" else None)
    answers = {"codes": (out.style_codes, CODES), "F_n": (out.matched, FEATURE), "out": (out.image, IMAGE)}
    if case in ("pose", "out"):
        answers |= {"par_soft": (out.parsing, PARSING), "out_pose": (out.image, IMAGE)}
    if "out_edit" in stored:
        answers["out_edit"] = _network(pose, seed)(*inputs, given.target_map).image, IMAGE
    if "out_texture" in stored:
        answers["out_texture"] = _network(editing, seed)(*inputs, given.target_map).image, IMAGE
    return {name: answer for name, answer in answers.items() if name in stored}


@pytest.mark.skipif(
    PARITY is None, reason="PISE_SHARED_DATA is not set: no answers of the authors' code to compare with"
)
@pytest.mark.parametrize("path", _parity_files(), ids=lambda path: path.stem)
def test_parity(path):
    seed, size, case = path.stem.split("_", 2)
    seed, stored = int(seed[1:]), dict(np.load(path))
    given = _given(seed, size, len(next(v for n, v in stored.items() if v.ndim == 4)))
    if "codes" in stored:  # nine rows there, the last for regions that aren't in the picture
        stored["codes"] = np.where(stored["exist"][..., None] > 0, stored["codes"][:, :8], stored["codes"][:, 8:])
    with torch.no_grad():
        answers = _answers(case, given, seed, stored)
    assert answers
    for name, (ours, tolerance) in answers.items():
        theirs = stored[name].astype(np.float32)
        rounding = 2.0**-11 if stored[name].dtype == np.float16 else 0.0
        assert (np.abs(ours.numpy() - theirs) <= tolerance + rounding * np.abs(theirs)).all(), name


@pytest.mark.skipif(PARITY is None, reason="PISE_SHARED_DATA is not set: no list of the release's tensors")
def test_the_names_that_small_checkpoints_are_made_of_are_the_release_s():
    assert PARITY is not None
    for kind, shapes in (
        ("netG_pose", generator_shapes(64)),
        ("netG_texture", generator_shapes(64, editing=True)),
        ("netD", discriminator_shapes(32)),
    ):
        listed = json.loads((PARITY / f"{kind}.keys.json").read_text())
        assert {name: tuple(shape) for name, (shape, _) in listed.items()} == shapes
