import math

import pytest
import torch

from ffltool.metrics.psnr import psnr, psnr_from_mse


def test_value_known_by_hand():
    # an error of a tenth of the peak everywhere is 20 dB
    torch.testing.assert_close(psnr(torch.zeros(1, 3, 4, 5), torch.full((1, 3, 4, 5), 25.5)), torch.tensor([20.0]))
    assert psnr_from_mse(255**2 / 100) == pytest.approx(20, abs=1e-12)


def test_is_infinite_for_equal_images_without_a_hidden_epsilon():
    image = torch.rand(2, 3, 4, 4)
    assert psnr(image, image).tolist() == [math.inf, math.inf]
    assert psnr_from_mse(0.0) == math.inf


def test_does_not_change_with_the_scale():
    real, fake = torch.rand(2, 3, 3, 7, 5, dtype=torch.float64)
    torch.testing.assert_close(psnr(real, fake, peak=1.0), psnr(255 * real, 255 * fake))


@pytest.mark.parametrize("size", [(1, 1), (7, 12), (16, 16)])
def test_equals_scikit_image(size):
    metrics = pytest.importorskip("skimage.metrics")
    real, fake = 255 * torch.rand(2, 1, 3, *size, dtype=torch.float64)
    expected = metrics.peak_signal_noise_ratio(real.numpy(), fake.numpy(), data_range=255)
    assert psnr(real, fake).item() == pytest.approx(expected, rel=1e-12)


def test_gradient_points_away_from_the_real_image():
    real = torch.full((1, 1, 2, 2), 100.0)
    fake = torch.full((1, 1, 2, 2), 110.0, requires_grad=True)
    psnr(real, fake).sum().backward()
    assert (fake.grad < 0).all()
