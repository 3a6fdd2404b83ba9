"""PISE's networks: shapes, eq. 1 to 3, what is absent, and that nothing is looped over samples."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pise_core.detection.network import AnalyzerConfig, AnalyzerNetwork, fold_norms
from pise_core.errors import InputError
from pise_core.model.blocks import GatedConv, UpBlock, activated, instance_norm
from pise_core.model.config import ABLATIONS, RELEASE_CONFIG
from pise_core.model.discriminator import Discriminator
from pise_core.model.network import PISE, Carry, PISEConfig
from pise_core.model.normalization import (
    PerRegionNormalization,
    SpatialAwareNormalization,
    per_region_pooling,
    region_masks,
)
from pise_core.model.vgg import VGGSlice
from pise_core.model.weights import save_model

TINY = PISEConfig(width=4, modulation=4, colour_path=True, detail_path=True)
SIZE = (64, 48)


def random_inputs(batch: int, seed: int = 0):
    generator = torch.Generator().manual_seed(seed)
    image = torch.rand(batch, 3, *SIZE, generator=generator) * 2 - 1
    blocks = torch.randint(0, 8, (batch, SIZE[0] // 8, SIZE[1] // 8), generator=generator)
    labels = blocks.repeat_interleave(8, 1).repeat_interleave(8, 2)
    parsing = F.one_hot(labels, 8).permute(0, 3, 1, 2).float()
    poses = torch.rand(2, batch, 18, *SIZE, generator=generator)
    return image, parsing, poses[0], poses[1]


@pytest.fixture(scope="module")
def model() -> PISE:
    torch.manual_seed(0)
    return PISE(TINY).eval()


def test_pose_transfer_gives_image_map_and_codes(model):
    with torch.no_grad():
        out = model(*random_inputs(2))
    assert out.image.shape == (2, 3, *SIZE)
    assert out.image.abs().max() <= 1
    assert torch.equal(out.parsing.sum(1), torch.ones(2, *SIZE))
    assert set(out.parsing.unique().tolist()) <= {0.0, 1.0}
    assert out.style_codes.shape == (2, 8, 4 * 4 + 3)


def test_a_given_map_is_used_as_it_is(model):
    image, parsing, source, target = random_inputs(1)
    wanted = parsing.flip(3)
    with torch.no_grad():
        out = model(image, parsing, source, target, target_parsing=wanted)
    assert torch.equal(out.parsing, wanted)
    assert out.parsing_logits is None


def test_samples_of_a_batch_do_not_mix(model):
    inputs = random_inputs(3)
    with torch.no_grad():
        together = model(*inputs).image
        alone = model(*(x[1:2] for x in inputs)).image
    assert torch.allclose(together[1:2], alone, atol=1e-5)


def test_style_codes_change_their_region_most(model):
    image, parsing, source, target = random_inputs(1)
    with torch.no_grad():
        own = model(image, parsing, source, target, target_parsing=parsing)
        codes = own.style_codes.clone()
        codes[:, 3] += 3.0
        other = model(image, parsing, source, target, target_parsing=parsing, style_codes=codes)
    change = (own.matched - other.matched).abs().mean(1)[0]
    inside = F.avg_pool2d(parsing[:, 3], 4)[0] > 0.99
    away = F.max_pool2d(parsing[:, 3:4], 4)[0, 0] == 0
    away &= F.max_pool2d(F.max_pool2d(parsing[:, 3:4], 4), 5, 1, 2)[0, 0] == 0
    assert change[inside].mean() > 0
    assert inside.any()
    # Residual blocks look at neighbours and normalize over the picture, so the rest moves, but less.
    assert change[inside].mean() > 2 * change[away].mean()


def test_cached_source_gives_the_same_picture(model):
    image, parsing, source, target = random_inputs(1)
    with torch.no_grad():
        code = model.encode(image, parsing)
        assert torch.equal(
            model(image, parsing, source, target).image, model(image, parsing, source, target, source=code).image
        )


def test_the_detail_path_shows_carried_pixels_only_where_they_are_trusted(model):
    image, parsing, source, target = random_inputs(1)
    carried = torch.rand_like(image) * 2 - 1
    trust = torch.zeros_like(image[:, :1])
    trust[..., : SIZE[1] // 2] = 1
    with torch.no_grad():
        out = model(image, parsing, source, target, parsing, carry=Carry(carried, trust, parsing))
    right = (..., slice(SIZE[1] // 2, None))
    assert torch.equal(out.image[right], out.painted[right])
    assert not torch.allclose(out.image, out.painted)


def test_wrong_shapes_are_refused(model):
    image, parsing, source, target = random_inputs(1)
    with pytest.raises(InputError, match="multiples of 16"):
        model(image[..., :-1], parsing[..., :-1], source[..., :-1], target[..., :-1])
    with pytest.raises(InputError, match=r"\(1, 18, 64, 48\)"):
        model(image, parsing, source[:, :17], target)


def test_pooling_takes_the_region_mean_and_the_global_mean_for_an_absent_region():
    features = torch.arange(2 * 3 * 4 * 4, dtype=torch.float32).reshape(2, 3, 4, 4)
    labels = torch.zeros(2, 4, 4, dtype=torch.long)
    labels[0, :2] = 5
    masks = region_masks(F.one_hot(labels, 8).permute(0, 3, 1, 2).float(), (4, 4))
    codes = per_region_pooling(features, masks)
    assert torch.allclose(codes[0, 5], features[0, :, :2].mean((1, 2)))
    assert torch.allclose(codes[0, 0], features[0, :, 2:].mean((1, 2)))
    assert torch.allclose(codes[0, 3], features[0].mean((1, 2)))  # absent in the first sample
    assert torch.allclose(codes[1, 5], features[1].mean((1, 2)))  # absent in the second


@pytest.mark.parametrize(("encoding", "others"), [("joint", "absent"), ("global", "all"), ("local", "none")])
def test_a_pixel_of_one_region_reaches_other_codes_as_the_encoding_says(encoding, others):
    """Regions 1 to 3 are there, 4 to 7 are not; one pixel of region 1 moves."""
    torch.manual_seed(0)
    labels = torch.arange(4).repeat_interleave(2).expand(1, 8, 8)
    masks = F.one_hot(labels, 8).permute(0, 3, 1, 2).float()
    features = torch.randn(1, 5, 8, 8)
    moved = features.clone()
    moved[..., 4, 2] += 1.0
    before, after = (per_region_pooling(f, masks, encoding=encoding) for f in (features, moved))
    changed = (before != after).any(2)[0].nonzero().flatten().tolist()
    assert changed == {"absent": [1, 4, 5, 6, 7], "all": list(range(8)), "none": [1]}[others]
    assert (before[:, 4:] == 0).all() == (encoding == "local")
    if encoding == "global":
        assert torch.equal(before, features.mean((2, 3))[:, None].expand(1, 8, 5))


@pytest.mark.parametrize("name", ABLATIONS)
@pytest.mark.parametrize("colours", [False, True])
def test_the_ablations_encode_as_section_4_3_has_it(name, colours):
    torch.manual_seed(0)
    model = PISE(PISEConfig(width=4, colour_path=colours, **ABLATIONS[name])).eval()
    image, _, source, target = random_inputs(2)
    parsing = torch.zeros(2, 8, *SIZE)
    parsing[:, 0, :32], parsing[:, 3, 32:] = 1, 1
    with torch.no_grad():
        out = model(image, parsing, source, target, parsing.flip(3))
    codes = out.style_codes
    assert out.image.shape == (2, 3, *SIZE)
    assert codes.shape == (2, 8, 16 + 3 * colours)
    alike = {region for region in range(8) if torch.equal(codes[:, region], codes[:, 7])}
    assert alike == (set(range(8)) if name == "global-enc" else set(range(8)) - {0, 3})
    assert (codes[:, 7] == 0).all() == (name == "local-enc")


def test_the_ablations_differ_in_nothing_but_what_they_are_named_after():
    sizes = {}
    for name, changes in ABLATIONS.items():
        with torch.device("meta"):
            model = PISE(PISEConfig(**changes)).image_generator
        sizes[name] = {k: tuple(v.shape) for k, v in model.state_dict().items()}
    assert sizes["global-enc"] == sizes["local-enc"] == sizes["full"]
    gone = sizes["full"].keys() - sizes["without-sn"].keys()
    assert {k.split(".")[0] for k in gone} == {"spatial", "after"}
    assert sizes["without-sn"].items() < sizes["full"].items()


def test_networks_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="encoding is one of joint, global, local"):
        PISEConfig(encoding="regional")
    for size in (0, -4):
        with pytest.raises(ValueError, match=f"width is a whole number from 1 to 1024, not {size}"):
            PISEConfig(width=size)
        with pytest.raises(ValueError, match=f"modulation is a whole number from 1 to 1024, not {size}"):
            PISEConfig(modulation=size)
    with pytest.raises(ValueError, match="modulation 16 must divide 4 times the width, 24 channels"):
        PISEConfig(width=6, modulation=16)
    PISE(PISEConfig(width=1, modulation=3, spatial="off"))


def test_per_region_normalization_is_constant_inside_a_region():
    torch.manual_seed(0)
    layer = PerRegionNormalization(6, 5).eval()
    codes = torch.randn(1, 8, 5)
    labels = torch.zeros(1, 16, 16, dtype=torch.long)
    labels[:, :, 8:] = 2
    parsing = F.one_hot(labels, 8).permute(0, 3, 1, 2).float()
    out = layer(torch.ones(1, 6, 16, 16), codes, parsing)
    assert torch.allclose(out[..., 8, 3], out[..., 9, 4], atol=1e-6)
    assert torch.allclose(out[..., 8, 12], out[..., 9, 13], atol=1e-6)
    assert not torch.allclose(out[..., 8, 3], out[..., 8, 12])


def test_spatial_normalization_carries_modulation_to_where_features_match():
    """Two source places, two target places that look like them, exchanged: scale and bias must change places."""
    layer = SpatialAwareNormalization(4, 1)
    with torch.no_grad():
        layer.gamma.weight.fill_(0.0)
        layer.beta.weight.copy_(torch.tensor([1.0, 0, 0, 0]).view(1, 4, 1, 1))
    looks = torch.tensor([[1.0, -1, 0, 0], [0, 0, 1, -1]]).T.reshape(1, 4, 1, 2)
    code = torch.zeros(1, 4, 1, 2)
    code[0, 0, 0] = torch.tensor([10.0, 20.0])
    values, keys = layer.source_side(code, looks)
    out, rest = layer(looks.flip(3), torch.cat([values, torch.tensor([[[1.0, 2.0]]])], 1), keys)
    assert torch.allclose(out - looks.flip(3), torch.tensor([20.0, 10.0]).expand(1, 4, 1, 2), atol=1e-4)
    assert rest.flatten().tolist() == pytest.approx([2.0, 1.0], abs=1e-4)


@pytest.mark.parametrize(
    ("matching", "expected"), [("source", [15.0, 15.0]), ("target", [30 / (1 + math.e), 30 * math.e / (1 + math.e)])]
)
def test_the_softmax_runs_over_source_or_over_target_places(matching, expected):
    """Two source places that look alike, with 10 and 20; similarity 0 to the first target place, 1 to the second. Over
    source places each target place takes the mean; over target places each source place is shared out, 1 to e."""
    layer = SpatialAwareNormalization(4, 1, matching, temperature=1.0)
    with torch.no_grad():
        layer.gamma.weight.fill_(0.0)
        layer.beta.weight.copy_(torch.tensor([1.0, 0, 0, 0]).view(1, 4, 1, 1))
    alike = torch.tensor([1.0, -1, 0, 0])
    source = torch.stack([alike, alike], 1).reshape(1, 4, 1, 2)
    code = torch.zeros(1, 4, 1, 2)
    code[0, 0, 0] = torch.tensor([10.0, 20.0])
    values, keys = layer.source_side(code, source)
    target = torch.stack([torch.tensor([0.0, 0, 1, -1]), alike], 1).reshape(1, 4, 1, 2)
    carried = (layer(target, values, keys)[0] - target)[0, 0, 0]
    assert torch.allclose(carried, torch.tensor(expected), atol=1e-4)


@pytest.mark.parametrize("modulation", [1, 6])
def test_the_matching_equals_the_printed_matrix_of_all_places(modulation):
    """Eq. 3, with fewer channels to carry than are matched, and with more."""
    torch.manual_seed(0)
    block = SpatialAwareNormalization(6, modulation)
    x, code, seen = torch.randn(3, 2, 6, 7, 5).unbind()
    values, keys = block.source_side(code, seen)
    values = torch.cat([values, torch.randn(2, 3, 35)], 1)
    unit = F.normalize(x - x.mean(1, keepdim=True), dim=1).flatten(2)
    shares = (unit.transpose(1, 2) @ keys / 0.01).softmax(2)
    carried = torch.einsum("ncs,nts->nct", values, shares).unflatten(2, (7, 5))
    gamma, beta = carried[:, : 2 * modulation].repeat_interleave(6 // modulation, 1).chunk(2, 1)
    y, rest = block(x, values, keys)
    torch.testing.assert_close(y, x * (1 + gamma) + beta, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(rest, carried[:, 2 * modulation :], rtol=1e-4, atol=1e-4)


def test_impossible_spatial_normalization_is_refused():
    with pytest.raises(ValueError, match="divide"):
        SpatialAwareNormalization(6, 4)
    with pytest.raises(ValueError, match="matching"):
        PISEConfig(matching="sideways")


def test_a_closed_gate_lets_nothing_pass():
    """Eq. 1: the product with a gate of zero is zero, whatever the features are."""
    layer = GatedConv(3)
    with torch.no_grad():
        layer.gate.weight.zero_()
        torch.nn.init.constant_(layer.gate.bias, -100.0)  # type: ignore[arg-type]
    assert torch.allclose(layer(torch.randn(1, 3, 8, 8)), torch.zeros(1, 3, 8, 8), atol=1e-6)


def test_discriminator_judges_patches():
    assert Discriminator(4)(torch.randn(2, 3, 64, 48)).shape == (2, 1, 4, 3)


def test_the_slice_of_full_width_takes_torchvision_s_weights():
    from torchvision.models import vgg19

    torch.manual_seed(0)
    theirs = vgg19(weights=None).eval()
    ours = VGGSlice(64).eval()
    state = theirs.state_dict()
    ours.load_state_dict({name: state[name] for name in ours.state_dict()})
    image = torch.rand(1, 3, 32, 32) * 2 - 1
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    expected = ((image + 1) / 2 - mean) / std
    for layer in list(theirs.features.children())[:11]:  # conv3_1 is layer 10
        # torchvision's ReLU works in place; a copy keeps the comparison honest.
        expected = layer(expected.clone())
    assert torch.allclose(ours(image)["conv3_1"], expected, atol=1e-4)


@pytest.mark.parametrize("config", [TINY, PISEConfig(width=4), PISEConfig(width=4, colour_path=True)])
def test_a_checkpoint_rebuilds_its_own_network(tmp_path, config):
    torch.manual_seed(1)
    model = PISE(config).eval()
    save_model(tmp_path / "pise.safetensors", model)
    loaded = PISE.from_pretrained(tmp_path)
    assert loaded.config == config
    with torch.no_grad():
        assert torch.equal(model(*random_inputs(1)).image, loaded(*random_inputs(1)).image)


def test_the_paper_s_size_is_the_default():
    with torch.device("meta"):
        model = PISE()
    parts = {name: sum(p.numel() for p in part.parameters()) for name, part in model.named_children()}
    # The release's parsing network (19.25 M) has an unused mask head; its image networks sum to about 24.7 M.
    assert parts["parsing_generator"] == pytest.approx(19.2e6, rel=0.02)
    assert parts["image_generator"] == pytest.approx(25e6, rel=0.05)


@pytest.mark.parametrize("damage", ["missing", "text", "cut", "foreign"])
def test_damaged_weights_are_reported(tmp_path, damage):
    path = tmp_path / "pise.safetensors"
    if damage != "missing":
        save_model(path, PISE(TINY))
    if damage == "text":
        path.write_text("not weights")
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif damage == "foreign":
        from safetensors.numpy import save_file

        save_file({"x": np.zeros(3, np.float32)}, str(path))
    with pytest.raises(InputError, match="pise.safetensors"):
        PISE.from_pretrained(tmp_path)


def test_weights_that_do_not_fit_their_configuration_are_reported(tmp_path):
    model = PISE(TINY)
    model.config = PISEConfig(width=8)
    save_model(tmp_path / "pise.safetensors", model)
    with pytest.raises(InputError, match="do not fit"):
        PISE.from_pretrained(tmp_path)


def test_codes_and_maps_of_a_wrong_shape_are_refused(model):
    image, parsing, source, target = random_inputs(1)
    with pytest.raises(InputError, match="style codes"):
        model(image, parsing, source, target, style_codes=torch.zeros(1, 7, 19))
    with pytest.raises(InputError, match="expected a tensor"):
        model(image, parsing, source, target, target_parsing=parsing[:, :7])
    with pytest.raises(InputError, match="source image"):
        model(image[0], parsing, source, target)


def test_a_smooth_block_leaves_no_grid():
    """Plain features, enlarged: without smoothing even and odd cells differ, with it they do not."""
    torch.manual_seed(0)
    plain = torch.rand(1, 4, 1, 1).expand(1, 4, 8, 8)
    for smooth, least, most in ((False, 0.05, math.inf), (True, 0.0, 1e-5)):
        block = UpBlock(4, 4, smooth=smooth)
        with torch.no_grad():
            inner = block(plain)[..., 4:-4, 4:-4]
        grid = (inner[..., ::2, :] - inner[..., 1::2, :]).abs().max()
        assert least <= float(grid) <= most


def test_shades_are_carried_and_a_borrowed_colour_stays():
    """Where source and target are the same, a bright spot of a garment is found again as brighter than its mean,
    whatever colour the style code asks for."""
    torch.manual_seed(0)
    model = PISE(PISEConfig(width=4, modulation=4, colour_path=True, carried_shades=True)).eval()
    generator = model.image_generator
    image, parsing, _, _ = random_inputs(1)
    source = generator.encode(image, parsing)
    assert source.values is not None
    assert source.values.shape[1] == 2 * 4 + 3
    shades = source.values[:, -3:].unflatten(2, (SIZE[0] // 4, SIZE[1] // 4))
    colours = F.avg_pool2d(image, 4)
    mean = torch.einsum("njc,njhw->nchw", source.styles[..., -3:], region_masks(parsing, (16, 12)))
    person = parsing[:, :1, ::4, ::4] == 0
    assert torch.allclose(torch.where(person, colours - mean, 0), torch.where(person, shades, 0), atol=1e-5)
    with pytest.raises(ValueError, match="colour_path"):
        PISEConfig(carried_shades=True)


def test_a_discriminator_may_see_the_wanted_map():
    torch.manual_seed(0)
    image, parsing, _, _ = random_inputs(2)
    judge = Discriminator(4, 8).eval()
    with torch.no_grad():
        assert judge(image, parsing).shape == (2, 1, SIZE[0] // 16, SIZE[1] // 16)
        assert not torch.equal(judge(image, parsing), judge(image, parsing.flip(3)))


def test_folded_norms_change_no_answer():
    torch.manual_seed(0)
    network = AnalyzerNetwork(AnalyzerConfig((4, 8, 8, 8, 8)))
    network(torch.rand(2, 3, 64, 64))  # in training: the statistics move away from 0 and 1
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        before, after = network.eval()(image), fold_norms(network)(image)
    assert torch.allclose(before.heatmaps, after.heatmaps, atol=1e-5)
    assert torch.allclose(before.parsing, after.parsing, atol=1e-5)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gradients_of_a_batch_of_one_are_right(layout):
    """torch's own instance normalization gives wrong ones on CPUs, where they come channels last."""
    torch.manual_seed(0)
    x, gradient = torch.randn(1, 4, 6, 5), torch.randn(1, 4, 6, 5)
    exact = x.clone().requires_grad_()
    centred = exact - exact.mean((2, 3), keepdim=True)
    (centred / ((centred**2).mean((2, 3), keepdim=True) + 1e-5).sqrt()).backward(gradient)
    ours = x.to(memory_format=layout).requires_grad_()
    instance_norm(4, affine=False)(ours).backward(gradient.to(memory_format=layout))
    torch.testing.assert_close(ours.grad, exact.grad)


@pytest.mark.parametrize("affine", [False, True])
def test_gradients_of_norms_are_those_of_differences(affine):
    """And activations may be made in the place of what they are given, as ``activated`` does."""
    torch.manual_seed(1)
    norm = instance_norm(3, affine).double()
    if affine:
        torch.nn.init.normal_(norm.weight)
        torch.nn.init.normal_(norm.bias)
    x = (torch.randn(2, 3, 5, 4, dtype=torch.float64) + 2).to(memory_format=torch.channels_last).requires_grad_()
    given = [x, *norm.parameters()]

    def made(x, *_):
        return activated(norm(x), 0.1)

    assert torch.autograd.gradcheck(made, given)
    with torch.no_grad():
        alone = norm(x)
    assert torch.equal(norm(x), alone)
    with torch.autocast("cpu", torch.bfloat16):
        assert norm.float()(x.detach().bfloat16().requires_grad_()).dtype == torch.float32


@pytest.mark.parametrize("config", [TINY, PISEConfig(width=4), replace(RELEASE_CONFIG, width=4)])
def test_no_network_holds_torch_s_instance_norm(config):
    """See above: no training can meet it."""
    kinds = {
        type(part) for network in (PISE(config), Discriminator(4), AnalyzerNetwork()) for part in network.modules()
    }
    assert any(issubclass(kind, torch.nn.GroupNorm) for kind in kinds)
    assert not any(issubclass(kind, torch.nn.modules.instancenorm._InstanceNorm) for kind in kinds)


def test_maps_stay_channels_last_through_all_layers():
    network = PISE(TINY).eval().to(memory_format=torch.channels_last)
    copied = []

    def look(name):
        def hook(layer, given, out):
            copied.extend((name, x.shape, x.stride()) for x in (*given, out) if not _channels_last(x))

        return hook

    for name, part in network.named_modules():
        if isinstance(part, torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.GroupNorm | torch.nn.BatchNorm2d):
            part.register_forward_hook(look(name))
    image, parsing, source, target = (x.to(memory_format=torch.channels_last) for x in random_inputs(2))
    with torch.no_grad():
        network(image, parsing, source, target, carry=Carry(image, parsing[:, :1], parsing))
    assert not copied


def _channels_last(x: torch.Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last)
