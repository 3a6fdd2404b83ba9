"""Every equation of the paper: a line written straight from the print, on random tensors, against the code in its
printed setting. Where the two part ways in every setting, ``docs/paper.md`` says so; ``test_paper_page`` holds it to.
"""

import argparse
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from pise_core.model.blocks import GATED_SLOPE, GatedConv
from pise_core.model.config import PRINTED, PISEConfig
from pise_core.model.correspondence import carry_by_likeness, centred_unit
from pise_core.model.discriminator import Discriminator
from pise_core.model.network import PISE, PISEOutput
from pise_core.model.normalization import PerRegionNormalization, SpatialAwareNormalization, per_region_pooling
from pise_core.model.vgg import VGGSlice
from pise_core.rendering import pipeline
from pise_core.training.command import add_arguments, resolve
from pise_core.training.generator.losses import (
    DEEP_PERCEPTUAL,
    DEEP_STYLE,
    LossWeights,
    Objective,
    PictureLosses,
    adversarial_term,
    discriminator_terms,
    gram,
    parsing_terms,
)
from pise_core.training.generator.losses import PRINTED as PRINTED_LOSSES
from pise_core.training.loop import total

#: All weights 1: the bare terms.
ONES = LossWeights(1, 1, 1, 1, 1, 1, 0, 0, 0)


def equal(found: torch.Tensor, printed: torch.Tensor) -> bool:
    """To 1e-5."""
    return torch.allclose(found, printed, rtol=1e-5, atol=1e-5)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def one_hot(*size: int) -> torch.Tensor:
    """A random map (1, 8, H, W)."""
    return F.one_hot(torch.randint(0, 8, (1, *size)), 8).permute(0, 3, 1, 2).float()


def test_equation_1_gated_convolution():
    """O_{x,y} = phi(sum_{i,j} u_{kh+i,kw+j} I_{y+i,x+j}) * sigma(sum_{i,j} v_{kh+i,kw+j} I_{y+i,x+j})"""
    layer = GatedConv(2, printed=True)
    picture = torch.randn(2, 6, 5)
    padded = F.pad(picture, (1, 1, 1, 1))
    u, v = (w.detach().permute(2, 3, 0, 1) for w in (layer.feature.weight, layer.gate.weight))
    found = layer(picture[None])[0]
    for y in range(6):
        for x in range(5):
            reach = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)]
            feature, gate = (
                torch.stack([w[1 + i, 1 + j] @ padded[:, 1 + y + i, 1 + x + j] for i, j in reach]).sum(0)
                for w in (u, v)
            )
            phi = torch.where(feature > 0, feature, GATED_SLOPE * feature)
            assert equal(found[:, y, x], phi * (1 / (1 + torch.exp(-gate))))


def test_equation_2_joint_global_and_local_average_pooling():
    """P(S_sj) = avg_{w,h}(F_i * S_sj) where sum S_sj > 0, else avg_{w,h}(F_i)"""
    features, regions = torch.randn(1, 4, 6, 5), one_hot(6, 5)
    regions[:, 3] += regions[:, 6]
    regions[:, 6] = 0
    regions[0, 7] = 0
    regions[0, 7, 2, 2] = 1e-5  # hardly there, and there
    found = per_region_pooling(features, regions, printed=True)
    for j in range(8):
        there = regions[0, j].sum() > 0
        average = ((features[0] * regions[0, j]) if there else features[0]).mean((1, 2))
        assert equal(found[0, j], average)
    assert not regions[0, 6].any()
    assert not equal(found, per_region_pooling(features, regions))


def test_section_3_2_2_two_fully_connected_layers_predict_scale_and_bias():
    layer = PerRegionNormalization(4, 6, two_layers=True).eval()
    feature, codes, regions = torch.randn(1, 4, 6, 5), torch.randn(1, 8, 6), one_hot(6, 5)
    found = layer(feature, codes, regions)
    for y in range(6):
        for x in range(5):
            code = codes[0, regions[0, :, y, x].argmax()]
            scale, bias = (part.weight @ code + part.get_parameter("bias") for part in (layer.gamma, layer.beta))
            assert equal(found[0, :, y, x], layer.norm(feature)[0, :, y, x] * (1 + scale) + bias)


def test_equation_3_correspondence():
    """M(p1, p2) = F_n(p1)^T phi(I_s)(p2) / (|F_n(p1)| |phi(I_s)(p2)|), of channel-wise centralized features; gamma and
    beta are transformed by multiplying them with M"""
    layer = SpatialAwareNormalization(6, 1, "printed")
    feature, code, phi = torch.randn(1, 6, 4, 3), torch.randn(1, 6, 4, 3), torch.randn(1, 6, 4, 3)
    target, source = (x[0] - x[0].mean(0) for x in (feature, phi))
    matrix = torch.empty(12, 12)
    for p1 in range(12):
        for p2 in range(12):
            a, b = target.flatten(1)[:, p1], source.flatten(1)[:, p2]
            matrix[p1, p2] = (a @ b) / (a.norm() * b.norm())
    gamma, beta = ((matrix @ part(code)[0].flatten()).view(4, 3) for part in (layer.gamma, layer.beta))
    found, _ = layer(feature, *layer.source_side(code, phi))
    assert equal(found[0], feature[0] * (1 + gamma) + beta)
    # Strips of the matrix: places of the target apart.
    values = torch.eye(12)[None]
    read = carry_by_likeness(centred_unit(feature), centred_unit(phi), values, "printed", 1.0, strip=36)
    assert equal(read[0].flatten(1).T, matrix)


@pytest.mark.parametrize("kind", ["logits", "bounded"])
def test_equations_4_to_6_parsing_loss(kind):
    """L_parsing = L_cross + lambda L_l1; L_l1 = |S_g - S_t|_1; L_cross = -1/N sum_i S_ti log(Softmax(S_gi))"""
    weights = LossWeights(parsing_l1=0.3)
    logits, target = torch.randn(1, 8, 6, 5), one_hot(6, 5)
    made = logits if kind == "logits" else (torch.tanh(logits) + 1) / 2
    l1 = (made - target).abs().sum()
    cross = -(target * torch.log(torch.exp(made) / torch.exp(made).sum(1))).sum(1) / 8
    objective = Objective(weights, map_values=kind, printed=("parsing_l1", "cross"))
    # The print leaves a loss at every place; how these become one it does not say: their mean.
    assert equal(total(parsing_terms(logits, target, objective)), cross.mean() + 0.3 * l1)


def of_pictures(weights: LossWeights) -> Objective:
    """Eq. 8 to 11 as printed."""
    printed = ("correspondence", "reconstruction", "perceptual", "style")
    return Objective(weights, "picture", perceptual=DEEP_PERCEPTUAL, style=DEEP_STYLE, matching="vgg", printed=printed)


@pytest.fixture(scope="module")
def pictures():
    """Random pictures and features, a small VGG-19 of random weights, and what the code makes of them as printed."""
    torch.manual_seed(0)
    layers = tuple(dict.fromkeys((*DEEP_PERCEPTUAL, *DEEP_STYLE, "conv3_1")))
    teacher = VGGSlice(64, layers=layers).eval().requires_grad_(False)
    image, target = torch.rand(2, 1, 3, 32, 32) * 2 - 1
    feature = torch.randn(1, 256, 8, 8)
    made = PISEOutput(image, one_hot(32, 32), torch.zeros(1, 8, 4), None, image, image[:, :1], feature)
    terms = PictureLosses(teacher, 256, of_pictures(ONES))(made, target, one_hot(32, 32), teacher)
    return teacher, image, target, feature, terms


def test_equation_8_correspondence_loss(pictures):
    """L_cor = |F_n - phi_i(I_t)|_2, of conv3_1"""
    teacher, _, target, feature, terms = pictures
    printed = math.sqrt(((feature - teacher(target)["conv3_1"]) ** 2).sum())
    assert terms["correspondence"].item() == pytest.approx(printed, rel=1e-5)


def test_equation_9_reconstruction_loss(pictures):
    """L_l1 = |I_g - I_t|_1"""
    _, image, target, _, terms = pictures
    assert terms["reconstruction"].item() == pytest.approx((image - target).abs().sum().item(), rel=1e-5)


def test_equation_10_perceptual_loss(pictures):
    """L_per = sum_i |phi_i(I_g) - phi_i(I_t)|_1, of relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 with the same weight"""
    teacher, image, target, _, terms = pictures
    layers = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
    printed = sum(float((teacher(image)[i] - teacher(target)[i]).abs().sum()) for i in layers)
    assert terms["perceptual"].item() == pytest.approx(printed, rel=1e-5)


def test_equation_11_style_loss(pictures):
    """L_style = sum_j |G_j(I_t) - G_j(I_g)|_1, of relu2_2, relu3_4, relu4_4, relu5_2 with the same weight"""
    teacher, image, target, _, terms = pictures
    layers = ("relu2_2", "relu3_4", "relu4_4", "relu5_2")
    printed = sum(float((gram(teacher(target)[j]) - gram(teacher(image)[j])).abs().sum()) for j in layers)
    assert terms["style"].item() == pytest.approx(printed, rel=1e-5)


def test_equation_7_image_loss(pictures):
    """L_image = lambda_c L_cor + lambda_l L_l1 + lambda_p L_per + lambda_s L_style + lambda_a L_adv"""
    teacher, image, target, feature, bare = pictures
    weights = LossWeights(0, 0.2, 0.3, 0.4, 0.5, 0, 0, 0, 0)
    made = PISEOutput(image, one_hot(32, 32), torch.zeros(1, 8, 4), None, image, image[:, :1], feature)
    found = total(PictureLosses(teacher, 256, of_pictures(weights))(made, target, one_hot(32, 32), teacher))
    factors = {"correspondence": 0.2, "reconstruction": 0.3, "perceptual": 0.4, "style": 0.5}
    assert found.item() == pytest.approx(sum(f * bare[name].item() for name, f in factors.items()), rel=1e-5)


def test_equation_12_adversarial_loss():
    """L_adv = E[log(1 - D(I_g))] + E[log D(I_t)]: the discriminator raises it, the generator lowers its first half"""
    judge = Discriminator(4).eval()
    fake, real = torch.rand(2, 2, 3, 32, 32) * 2 - 1
    of_fake, of_real = torch.sigmoid(judge(fake)), torch.sigmoid(judge(real))
    printed = torch.log(1 - of_fake).mean() + torch.log(of_real).mean()
    assert equal(-total(discriminator_terms(judge, real, fake, None)), printed)
    generator = adversarial_term(judge, fake, None, Objective(printed=("adversarial",)))
    assert equal(generator, torch.log(1 - of_fake).mean())


def test_equation_13_interpolation(known, known_other):
    """t = (1 - alpha) P(S_s1j) + alpha P(S_s2j)"""
    j, alpha = 3, 0.3
    mixed = pipeline._mixed_code(known, {j: [(known_other, alpha)]}, known.editor.generator).styles
    printed = (1 - alpha) * known.code.styles[j] + alpha * known_other.code.styles[j]
    assert equal(torch.from_numpy(mixed[j]), torch.from_numpy(printed))
    others = [i for i in range(8) if i != j]
    assert np.array_equal(mixed[others], known.code.styles[others])


def test_f_i_and_f_n_are_what_the_sections_name():
    """F_i is what two transposed convolutions leave, F_n what per-region normalization does."""
    torch.manual_seed(0)
    config = PISEConfig(width=4, printed=("source_code", "feature"))
    model = PISE(config).eval().image_generator
    image, parsing, pose = torch.rand(1, 3, 32, 32), one_hot(32, 32), torch.rand(1, 18, 32, 32)
    source = model.encode(image, parsing)
    body = model.style_encoder.body
    assert [type(part).__name__ for part in body] == ["DownBlock"] * 4 + ["UpBlock"] * 2
    made = model(source, image, parsing, parsing, pose)
    f_p = model.layout_encoder(parsing, parsing, pose, image)
    assert torch.equal(made.matched, model.per_region(f_p, source.styles, parsing))


@pytest.mark.parametrize("place", PRINTED)
def test_every_printed_place_changes_the_network_and_trains(place):
    pose = torch.rand(1, 18, 32, 32)
    given = torch.rand(1, 3, 32, 32), one_hot(32, 32), pose, pose.flip(3)
    pictures = []
    for printed in ((), (place,)):
        torch.manual_seed(0)
        model = PISE(PISEConfig(width=4, printed=printed))
        made = model(*given)
        (made.image.abs().mean() + made.parsing_logits.abs().mean()).backward()
        assert all(p.grad is not None for p in model.image_generator.layout_encoder.parameters())
        pictures.append(made.image.detach())
    assert not equal(*pictures)


def arguments(*words: str):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(["generator", *words])


def test_the_command_line_sets_every_printed_place():
    recipe = resolve(arguments("--recipe", "paper", "--printed", "all"))
    assert recipe.network.printed == PRINTED
    assert recipe.objective.printed == tuple(PRINTED_LOSSES)
    recipe = resolve(arguments("--recipe", "paper", "--printed", "style,pooling"))
    assert (recipe.network.printed, recipe.objective.printed) == (("pooling",), ("style",))
    with pytest.raises(SystemExit):
        arguments("--printed", "pooling,everything")


def test_what_is_printed_is_refused_where_it_cannot_be():
    with pytest.raises(ValueError, match="colours is none of gated_convolution"):
        PISEConfig(printed=("colours",))
    with pytest.raises(ValueError, match="eq. 3"):
        PISEConfig(spatial="release", printed=("matrix",))
    with pytest.raises(ValueError, match="this recipe judges the person"):
        Objective(printed=("style",))
    with pytest.raises(ValueError, match="least squares"):
        Objective(adversarial="lsgan", printed=("adversarial",))
    assert replace(PISEConfig(), printed=["matrix", "pooling"]).printed == ("pooling", "matrix")
