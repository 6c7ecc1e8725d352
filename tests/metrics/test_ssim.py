import json

import numpy as np
import pytest
import torch

from ffltool.errors import ShapeError
from ffltool.images import Reading, read_pair
from ffltool.metrics.ssim import ssim, ssim_of_planes


def slow_ssim(real, fake, peak=255.0):
    """The definition, window by window."""
    offsets = np.arange(11) - 5
    line = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(line, line) / line.sum() ** 2
    c1, c2 = (0.01 * peak) ** 2, (0.03 * peak) ** 2
    values = []
    for r, f in zip(real.astype(np.float64), fake.astype(np.float64), strict=True):
        for top in range(r.shape[0] - 10):
            for left in range(r.shape[1] - 10):
                a, b = (image[top : top + 11, left : left + 11] for image in (r, f))
                mean_a, mean_b = (window * a).sum(), (window * b).sum()
                var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
                cov = (window * (a - mean_a) * (b - mean_b)).sum()
                luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
                values.append(luminance * (2 * cov + c2) / (var_a + var_b + c2))
    return np.mean(values)


def both(real, fake, peak=255.0):
    """The two ways in which SSIM is computed here: without torch, and with it."""
    tensors = (torch.as_tensor(image[None]) for image in (real, fake))
    return ssim_of_planes(real, fake, peak=peak), ssim(*tensors, peak=peak).item()


@pytest.mark.parametrize("shape", [(1, 11, 11), (3, 12, 17), (1, 43, 11), (2, 21, 50)])
def test_equals_the_slow_definition(rng, shape):
    real = rng.integers(0, 256, shape, dtype=np.uint8)
    fake = np.clip(real + rng.normal(0, 20, shape), 0, 255).astype(np.uint8)
    for value in both(real, fake):
        assert value == pytest.approx(slow_ssim(real, fake), abs=1e-12)


# tiles are 16 x 256 positions and blocks 32: one less, as many, one more, and several
@pytest.mark.parametrize("size", [(41, 41), (42, 42), (43, 43), (75, 265), (42, 266), (43, 267), (107, 600)])
def test_equals_scikit_image_across_tiles(rng, size):
    metrics = pytest.importorskip("skimage.metrics")
    real = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    fake = np.clip(real + rng.normal(0, 9, real.shape), 0, 255).astype(np.uint8)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    expected = metrics.structural_similarity(real, fake, channel_axis=-1, **settings)
    for value in both(np.moveaxis(real, -1, 0), np.moveaxis(fake, -1, 0)):
        assert value == pytest.approx(expected, abs=1e-10)


def test_is_one_for_equal_images(rng):
    image = rng.integers(0, 256, (3, 30, 40), dtype=np.uint8)
    assert both(image, image) == (pytest.approx(1, abs=1e-14),) * 2


def test_value_known_by_hand_for_constant_images():
    c1 = 2.55**2
    expected = (2 * 50 * 80 + c1) / (50**2 + 80**2 + c1)
    constant = [np.full((1, 20, 20), level, np.uint8) for level in (50, 80)]
    assert both(*constant) == (pytest.approx(expected, rel=1e-10),) * 2


def test_the_peak_is_255_unless_it_is_said(rng):
    real, fake = rng.integers(0, 256, (2, 1, 20, 20), dtype=np.uint8)
    tensors = torch.as_tensor(real[None]), torch.as_tensor(fake[None])
    assert (ssim_of_planes(real, fake), ssim(*tensors).item()) == both(real, fake, peak=255.0)


def test_does_not_change_with_the_scale_and_is_symmetric(rng):
    real, fake = rng.random((2, 3, 20, 25))
    assert ssim_of_planes(real, fake, peak=1.0) == pytest.approx(ssim_of_planes(255 * real, 255 * fake), abs=1e-12)
    assert ssim_of_planes(real, fake) == pytest.approx(ssim_of_planes(fake, real), abs=1e-14)


def test_single_precision_stays_close_and_single(rng):
    real, fake = (torch.as_tensor(image[None]) for image in 255 * rng.random((2, 3, 64, 64)))
    # 1e-5: float32 keeps 7 digits, of which the difference of mean square and squared mean loses two
    torch.testing.assert_close(ssim(real.float(), fake.float()), ssim(real, fake).float(), atol=1e-5, rtol=0)


def test_gradient_is_right():
    generator = torch.Generator().manual_seed(1)
    real, fake = torch.rand(2, 1, 1, 12, 13, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda image: ssim(real, image, peak=1.0), fake.requires_grad_())


@pytest.mark.parametrize("shape", [(3, 10, 40), (3, 40, 10)])
def test_images_smaller_than_the_window_are_an_error(shape):
    image = np.zeros(shape, np.uint8)
    with pytest.raises(ShapeError, match=f"at least 11x11 pixels, got {shape[1]}x{shape[2]}"):
        ssim_of_planes(image, image)
    with pytest.raises(ShapeError, match="at least 11x11 pixels"):
        ssim(torch.as_tensor(image[None]), torch.as_tensor(image[None]))


def test_equals_the_authors_code_on_the_reference_pairs(shared):
    golden = json.loads((shared / "reference" / "pairs.json").read_text())["pairs"]
    inputs = shared / "reference" / "inputs"
    for name, row in golden.items():
        pictures = read_pair(inputs / "real" / name, inputs / "fake" / name, Reading())
        value = ssim_of_planes(*(picture.planes() for picture in pictures))
        assert value == pytest.approx(row["official_ssim"], abs=1e-12), name
