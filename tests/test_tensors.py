"""The network as tensors: types and devices follow the input, one source serves many poses, and it can be exported."""

import copy
from dataclasses import replace

import pytest
import torch

from pise_core.errors import InputError
from pise_core.model.config import (
    ABLATIONS,
    PAPER_CONFIG,
    PRINTED,
    RELEASE_CONFIG,
    RELEASE_EDITING_CONFIG,
    SHIPPED_CONFIG,
)
from pise_core.model.network import PISE, Carry, PISEConfig
from pise_core.model.normalization import SpatialAwareNormalization

SIZE = (32, 48)
#: Every configuration that has a name, narrow.
CONFIGS = {
    "shipped": replace(SHIPPED_CONFIG, width=4, modulation=4),
    "paper": replace(PAPER_CONFIG, width=4),
    "paper as printed": replace(PAPER_CONFIG, width=4, printed=PRINTED),
    **{name: replace(PAPER_CONFIG, width=4, **changes) for name, changes in ABLATIONS.items()},
    "release": replace(RELEASE_CONFIG, width=4),
    "release for editing": replace(RELEASE_EDITING_CONFIG, width=4),
    "carried shades": replace(SHIPPED_CONFIG, width=4, modulation=4, carried_shades=True),
}


def made(config: PISEConfig) -> PISE:
    torch.manual_seed(0)
    return PISE(config).eval().requires_grad_(False)


def inputs(poses: int = 1) -> dict:
    torch.manual_seed(1)
    labels = torch.randint(0, 8, (1, SIZE[0] // 8, SIZE[1] // 8)).repeat_interleave(8, 1).repeat_interleave(8, 2)
    parsing = torch.nn.functional.one_hot(labels, 8).permute(0, 3, 1, 2).float()
    image = torch.rand(1, 3, *SIZE) * 2 - 1
    carry = Carry(image.flip(3), torch.ones(1, 1, *SIZE), parsing.flip(3))
    return {
        "source_image": image,
        "source_parsing": parsing,
        "source_pose": torch.rand(1, 18, *SIZE),
        "target_pose": torch.rand(poses, 18, *SIZE),
        "target_parsing": parsing.flip(2),
        "carry": carry,
    }


def for_network(given: dict, config: PISEConfig) -> dict:
    """Without a map where the network makes it, and without carried pixels where it takes none."""
    left_out = ("target_parsing",) * config.parsing_generator + ("carry",) * (not config.detail_path)
    return {name: value for name, value in given.items() if name not in left_out}


def converted(given: dict, *to) -> dict:
    return {
        name: Carry(*(x.to(*to) for x in value)) if isinstance(value, Carry) else value.to(*to)
        for name, value in given.items()
    }


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_type_of_the_input_is_that_of_the_answer(name, dtype):
    config = CONFIGS[name]
    # On a given map: parsing logits that are nearly equal may round to other regions.
    given = inputs() if not config.detail_path else inputs() | {"carry": inputs()["carry"]}
    given = {k: v for k, v in given.items() if k != "carry" or config.detail_path}
    full = made(config)(**given)
    model = made(config).to(dtype)
    answer = model(**converted(given, dtype))
    for tensor in (answer.image, answer.style_codes, answer.painted, answer.matched):
        assert tensor.dtype == dtype
    # The softmax's temperature enlarges what bfloat16's 8 bits leave of the features.
    bound = {torch.float64: 1e-4, torch.float16: 0.03, torch.bfloat16: 0.2}[dtype]
    assert (answer.image.double() - full.image.double()).abs().mean() < bound
    if config.parsing_generator:
        logits = model.generate_parsing(*(given[k].to(dtype) for k in ("source_parsing", "source_pose", "target_pose")))
        assert logits.dtype == dtype


@pytest.mark.parametrize("name", CONFIGS)
def test_the_meta_device_tells_shapes(name):
    config = CONFIGS[name]
    answer = made(config).to("meta")(**converted(for_network(inputs(3), config), "meta"))
    assert answer.image.device.type == "meta"
    assert answer.image.shape == (3, 3, *SIZE)
    assert answer.matched.shape == (3, 4 * config.width, SIZE[0] // 4, SIZE[1] // 4)


def test_a_normalization_answers_in_the_type_that_comes_in():
    torch.manual_seed(0)
    for patches in (False, True):
        for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
            layer = SpatialAwareNormalization(8, 2, patches=patches).to(dtype)
            code, seen, x = (torch.randn(1, 8, 4, 3, dtype=dtype) for _ in range(3))
            out, rest = layer(x, *layer.source_side(code, seen))
            assert (out.dtype, rest.dtype) == (dtype, dtype)


@pytest.mark.parametrize("name", CONFIGS)
def test_one_encoded_source_serves_a_batch_of_poses(name):
    config = CONFIGS[name]
    model, given = made(config), for_network(inputs(3), config)
    source = model.encode(given["source_image"], given["source_parsing"])
    together = model(**given, source=source)
    assert together.image.shape == (3, 3, *SIZE)
    for index in range(3):
        alone = model(**given | {"target_pose": given["target_pose"][index : index + 1]}, source=source)
        assert torch.allclose(alone.parsing, together.parsing[index : index + 1], atol=1e-5)
        assert torch.allclose(alone.image, together.image[index : index + 1], atol=1e-3)


def test_batches_that_do_not_fit_are_refused():
    model, given = made(CONFIGS["shipped"]), inputs(3)
    with pytest.raises(InputError, match=r"\(3, 18, 32, 48\)"):
        model(**given | {"source_pose": given["source_pose"].expand(2, -1, -1, -1)})
    source = model.encode(given["source_image"].expand(2, -1, -1, -1), given["source_parsing"].expand(2, -1, -1, -1))
    with pytest.raises(InputError, match="encoded source is of a batch of 2"):
        model(**given, source=source)


@pytest.mark.parametrize("name", CONFIGS)
def test_a_copy_computes_the_same_and_shares_nothing(name):
    config = CONFIGS[name]
    model, given = made(config), for_network(inputs(), config)
    twin = copy.deepcopy(model)
    before = twin(**given).image
    assert torch.equal(model(**given).image, before)
    for parameter in model.parameters():
        parameter.zero_()
    assert torch.equal(twin(**given).image, before)


@pytest.mark.parametrize("name", CONFIGS)
def test_torch_exports_it(name):
    config = CONFIGS[name]
    model, given = made(config), for_network(inputs(), config)
    program = torch.export.export(model, (), given)
    other = converted(given, torch.float32) | {"source_image": given["source_image"].flip(2)}
    assert torch.allclose(program.module()(**other).image, model(**other).image, atol=1e-4)
