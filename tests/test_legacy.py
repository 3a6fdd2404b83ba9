"""The legacy figures, each against a value worked out by hand."""

import numpy as np
import pytest
import torch
from torchvision.models import inception_v3

from pise_core.evaluation.legacy_metrics import LegacyInception, inception_input, window_ssim, wrapped_psnr


def test_wrapped_psnr_by_hand():
    """100 * 100 is 10000, and 39 * 256 is 9984: 16 is left. Over half of the picture that is a mean of 8. The other
    way round 0 - 100 is 156 in 8 bits, 156 * 156 is 24336, 95 * 256 is 24320: 16 again."""
    a = np.full((4, 6, 3), 20, np.uint8)
    b = a.copy()
    b[:2] = 120
    expected = 10 * np.log10(65025 / 8)  # 39.10 dB, where float arithmetic says 10 log10(65025 / 5000) = 11.14 dB
    assert wrapped_psnr(a, b) == wrapped_psnr(b, a) == pytest.approx(expected)
    b[:] = 20 + 17  # 17 * 17 is 289, which wraps to 33
    assert wrapped_psnr(a, b) == pytest.approx(10 * np.log10(65025 / 33))
    b[:] = 20 + 3  # 9 does not wrap
    assert wrapped_psnr(a, b) == pytest.approx(10 * np.log10(65025 / 9))
    b[:] = 20 + 16  # 16 * 16 is 256, which is 0
    assert wrapped_psnr(a, b) == float("inf")
    assert a.dtype == np.uint8 and a[0, 0, 0] == 20


def test_wrapped_psnr_hardly_tells_anybody_apart():
    """The field's tables lie about 31 dB whoever is compared: noise against noise is at about 28 dB, not 8."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), dtype=np.uint8)
    assert 26 < wrapped_psnr(*noise) < 30


def test_ssim_of_one_window_by_hand():
    """51x51 pixels are one window of n = 2601. One pixel 51 above the others: the sample's variance is 51 * 51 / n = 1.
    Another pixel above in the other picture: the same mean and variance, and a covariance of -51 * 51 / (n (n - 1)) =
    -1 / 2600. With equal means the first factor is 1, the second (2 * -1 / 2600 + c2) / (1 + 1 + c2)."""
    x, y = np.full((2, 51, 51, 3), 100, np.uint8)
    x[3, 4] = y[40, 7] = 151
    c2 = (0.03 * 255) ** 2
    assert window_ssim(x, y) == pytest.approx((-2 / 2600 + c2) / (2 + c2), rel=1e-9)
    assert window_ssim(x, x) == pytest.approx(1)


def test_ssim_of_flat_pictures_by_hand():
    a, b = np.full((60, 70, 3), 100, np.uint8), np.full((60, 70, 3), 110, np.uint8)
    c1 = (0.01 * 255) ** 2
    assert window_ssim(a, b) == pytest.approx((2 * 100 * 110 + c1) / (100**2 + 110**2 + c1))


def test_what_the_legacy_inception_sees_by_hand():
    """White is 1 in [0, 1]: (1 * 0.229 + 0.485 - 0.5) / 0.5 = 0.428 in red, (0.224 + 0.456 - 0.5) / 0.5 = 0.36 in
    green, (0.225 + 0.406 - 0.5) / 0.5 = 0.262 in blue. Black: -0.015 / 0.5, -0.044 / 0.5, -0.094 / 0.5. Halfway between
    a black and a white column both count half."""
    picture = torch.zeros(1, 3, 2, 2, dtype=torch.uint8)
    picture[..., 1] = 255
    seen = inception_input(picture)
    assert seen.shape == (1, 3, 299, 299)
    black, white = torch.tensor([-0.03, -0.088, -0.188]), torch.tensor([0.428, 0.36, 0.262])
    for column, expected in ((0, black), (149, (black + white) / 2), (298, white)):
        torch.testing.assert_close(seen[0, :, 100, column], expected, atol=1e-6, rtol=0)


def test_legacy_features_are_those_of_torchvision_s_network():
    """Its own ``transform_input`` is the same map: fed pictures in [0, 1] it must answer the same."""
    torch.manual_seed(0)
    network = inception_v3(weights=None, init_weights=False, aux_logits=False, transform_input=True).eval()
    network.fc = torch.nn.Identity()  # type: ignore[assignment]
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight)
    picture = torch.randint(0, 256, (1, 3, 299, 299), dtype=torch.uint8)
    with torch.no_grad():
        expected = network(picture / 255)
    network.transform_input = False
    found = LegacyInception(network)(picture)
    assert found.shape == (1, LegacyInception.num_features)
    torch.testing.assert_close(found, expected, atol=1e-4 * float(expected.std()), rtol=1e-3)
    assert expected.std() > 1e-2
