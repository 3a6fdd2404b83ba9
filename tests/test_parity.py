"""What the authors' own code answered: full-size networks whose weights are made from the names of their tensors.

Runs where PISE_SHARED_DATA names a folder that holds ``parity``, with every file that lies there: whose answers a file
holds, and to what, follows from its name and from the arrays inside; a file of an unknown kind fails.
"""

import importlib.util
import json
import os
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from release_reference import Arrays, discriminator_shapes, generator_shapes
from torch import Tensor

from pise_core.model.convert_release import Checkpoint, convert_discriminator, convert_generator
from tests.test_release import CODES, FEATURE, IMAGE, PARSING

SHARED = os.environ.get("PISE_SHARED_DATA")
PARITY = Path(SHARED) / "parity" if SHARED else None

#: First word of a case -> the network that answered. 19: not told a pose.
_NETWORKS = {"pose": "netG_pose", "onehot": "netG_pose", "edit": "netG_pose", "out": "netG_pose"}
_NETWORKS |= {"texture": "netG_texture", "texture19": "netG_texture19", "disc": "netD"}
_FILE = re.compile(rf"s(\d+)_(\d+)x(\d+)_({'|'.join(_NETWORKS)})(_sat\d+)?(_swap)?")


class Case(NamedTuple):
    """What the name of a file says."""

    seed: int
    size: tuple[int, int]  # H, W
    word: str
    saturated: bool  # the head of the parsing generator was scaled, and its map is to be fed


def case_of(stem: str) -> Case:
    """Of ``s0_64x48_pose_sat60`` and the like."""
    found = _FILE.fullmatch(stem)
    assert found, f"nobody knows what network {stem} is of"
    seed, height, width, word, saturated, _ = found.groups()
    return Case(int(seed), (int(height), int(width)), word, saturated is not None)


def test_the_network_follows_from_a_file_s_name_and_unknown_ones_do_not_pass():
    assert case_of("s3_64x48_pose_sat20") == Case(3, (64, 48), "pose", True)
    assert case_of("s1_256x128_texture19") == Case(1, (256, 128), "texture19", False)
    assert case_of("s0_64x48_texture_swap") == Case(0, (64, 48), "texture", False)
    for stem in ("s0_64x48_pose19", "s0_64x48_texture20", "s0_64x48_hair", "s0_64_pose"):
        with pytest.raises(AssertionError, match=f"nobody knows what network {stem} is of"):
            case_of(stem)


@cache
def _common() -> Any:
    """The module beside the files, which makes their weights and inputs."""
    assert PARITY is not None
    spec = importlib.util.spec_from_file_location("parity_common", PARITY / "parity_common.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _keys(kind: str) -> dict[str, tuple[list[int], str]]:
    """Name -> shape and type of the tensors of a checkpoint, as listed beside the files."""
    assert PARITY is not None
    listed = PARITY / f"{kind}.keys.json"
    if kind != "netG_texture19" or listed.exists():
        return json.loads(listed.read_text())
    shapes = generator_shapes(64, editing=True, layout_pose=False)
    return {name: (list(s), "int64" if name.endswith("tracked") else "float32") for name, s in shapes.items()}


@lru_cache(maxsize=4)  # those of one seed
def _network(kind: str, seed: int) -> Any:
    # The discriminator was filled under longer names.
    prefix = "netD." if kind == "netD" else ""
    weights = _common().fill(seed, {prefix + name: entry for name, entry in _keys(kind).items()})
    tensors = {name.removeprefix(prefix): torch.from_numpy(np.array(value)) for name, value in weights.items()}
    found = Checkpoint(tensors, kind)
    return convert_discriminator(found) if kind == "netD" else convert_generator(found)[0]


class Given(NamedTuple):
    """Inputs; pictures and maps by their numbers: 1 is the source, 2 the target, of 3 the style is borrowed."""

    images: dict[int, Tensor]
    maps: dict[int, Tensor]
    poses: tuple[Tensor, Tensor]


def _given(case: Case, stored: Arrays) -> Given:
    """As they are in the file, or as its seed makes them."""
    common, (height, width) = _common(), case.size
    count = next(len(values) for values in stored.values() if values.ndim == 4)
    raw = common.inputs_for(case.seed, height, width, count)
    raw |= {name.removeprefix("in_"): values for name, values in stored.items() if name.startswith("in_")}
    images, maps = (
        {i: torch.from_numpy(make(raw[f"{name}{i}"])) for i in (1, 2, 3)}
        for name, make in (("img", common.img_float), ("par", common.onehot))
    )
    first, second = (torch.from_numpy(common.heatmaps(raw[f"pose{i}"], height, width)) for i in (1, 2))
    return Given(images, maps, (first, second))


def _present(parsing: Tensor) -> Tensor:
    """(N, 8, 1) bool: what the release counts as there."""
    return (parsing[:, :, ::4, ::4] > 0).flatten(2).any(2)[..., None]


def _wanted_map(case: Case, given: Given, stored: Arrays) -> Tensor | None:
    """What the network was fed; None where it made its own."""
    if "par_argmax" in stored:
        return torch.from_numpy(_common().onehot(stored["par_argmax"]))
    if case.saturated:
        return torch.from_numpy(stored["par_soft"])
    return None if case.word in ("pose", "out") else given.maps[2]


def _answers(case: Case, given: Given, stored: Arrays) -> dict[str, tuple[Tensor, float]]:
    """Ours by the names of the stored arrays, and how far they may be off."""
    model = _network(_NETWORKS[case.word], case.seed)
    if case.word == "disc":
        return {f"logits_img{i}": (model(image), CODES) for i, image in given.images.items()}
    source = (given.images[1], given.maps[1], *given.poses)
    wanted, codes, answers = _wanted_map(case, given, stored), None, {}
    if "swap_class" in stored:
        own, other = (model.encode(given.images[i], given.maps[i]).styles for i in (1, 3))
        answers["codes_ref"] = other, CODES
        other, mixed = other * _present(given.maps[3]), own.clone()
        for region, share in zip(stored["swap_class"], stored["swap_alpha"], strict=True):
            mixed[:, region] = (1 - float(share)) * own[:, region] + float(share) * other[:, region]
        # The release goes on using the global code of a region that the source does not show.
        codes = torch.where(_present(given.maps[1]), mixed, own)
    out = model(*source, wanted, style_codes=codes)
    answers |= {"codes": (out.style_codes, CODES), "F_n": (out.matched, FEATURE), "out": (out.image, IMAGE)}
    if wanted is None:
        answers |= {"par_soft": (out.parsing, PARSING)}
    for name in stored:
        # Pictures of several networks in one file.
        if name.startswith("out_"):
            word = name.removeprefix("out_")
            told = None if word == "pose" else given.maps[2]
            answers[name] = _network(_NETWORKS[word], case.seed)(*source, told).image, IMAGE
    return answers


def _files(pattern: str) -> list[Path]:
    return sorted(path for path in PARITY.glob("*.npz") if re.fullmatch(pattern, path.stem)) if PARITY else []


@pytest.mark.skipif(
    PARITY is None, reason="PISE_SHARED_DATA is not set: no answers of the authors' code to compare with"
)
@pytest.mark.parametrize("path", _files(r"(?!pose_heatmap).*(?<!_inputs)"), ids=lambda path: path.stem)
def test_parity(path):
    case, stored = case_of(path.stem), dict(np.load(path))
    given = _given(case, stored)
    for codes, exist in (("codes", "exist"), ("codes_ref", "exist_ref")):
        if codes in stored:  # nine rows there, the last for regions that aren't in the picture
            rows = stored[codes]
            stored[codes] = np.where(stored[exist][..., None] > 0, rows[:, :8], rows[:, 8:])
    with torch.no_grad():
        answers = {name: answer for name, answer in _answers(case, given, stored).items() if name in stored}
    assert any(name.startswith(("out", "logits")) for name in answers)
    for name, (ours, tolerance) in answers.items():
        theirs = stored[name].astype(np.float32)
        rounding = 2.0**-11 if stored[name].dtype == np.float16 else 0.0
        assert (np.abs(ours.numpy() - theirs) <= tolerance + rounding * np.abs(theirs)).all(), name


@pytest.mark.skipif(PARITY is None, reason="PISE_SHARED_DATA is not set: no inputs of the authors' code")
def test_inputs_are_made_as_the_authors_code_was_fed():
    for path in _files(r".*_inputs"):
        stored = dict(np.load(path))
        seed, height, width = map(int, re.findall(r"\d+", path.stem))
        made = _common().inputs_for(seed, height, width, len(stored["in_img1"]))
        for name, values in made.items():
            assert np.array_equal(values, stored[f"in_{name}"]), name
        for number in (1, 2):
            maps = _common().heatmaps(made[f"pose{number}"], height, width)
            assert np.abs(maps - stored[f"heat{number}"]).max() < 1e-6


@pytest.mark.skipif(PARITY is None, reason="PISE_SHARED_DATA is not set: no list of the release's tensors")
def test_the_names_that_small_checkpoints_are_made_of_are_the_release_s():
    for kind, shapes in (
        ("netG_pose", generator_shapes(64)),
        ("netG_texture", generator_shapes(64, editing=True)),
        ("netG_texture19", generator_shapes(64, editing=True, layout_pose=False)),
        ("netD", discriminator_shapes(32)),
    ):
        assert {name: tuple(shape) for name, (shape, _) in _keys(kind).items()} == shapes
