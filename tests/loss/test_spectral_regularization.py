"""Spectral regularisation against its definition written the slow way, and its limits."""

import math

import numpy as np
import pytest
import torch

from ffltool.errors import ShapeError
from ffltool.loss import spectral_regularization
from tests.loss.common import assert_all_near, assert_near, graded, images

pytestmark = pytest.mark.usefixtures("one_thread")


def slow_profile(image):
    """The power of one image (C, H, W) at each radius from 0 to Nyquist, frequency by frequency, over that at 0."""
    _, height, width = image.shape
    longest = max(height, width)
    power = (np.abs(np.fft.fft2(image)) ** 2).mean(0)
    rings = [[] for _ in range(longest)]
    for row, v in enumerate(np.fft.fftfreq(height)):
        for column, u in enumerate(np.fft.fftfreq(width)):
            rings[round(math.hypot(u, v) * longest)].append(power[row, column])
    profile = np.array([np.mean(ring) for ring in rings[: longest // 2 + 1]])
    return np.minimum(profile / profile[0], 1)


def slow_regularization(pred, target):
    wanted = np.mean([slow_profile(image) for image in target.numpy()], axis=0)
    entropies = []
    for image in pred.numpy():
        entropies.append(0.0)  # at zero frequency both profiles are 1
        for p, t in zip(slow_profile(image)[1:], wanted[1:], strict=True):
            p = min(max(p, 1.2e-38), 1 - 1e-6)
            entropies.append(-(t * math.log(p) + (1 - t) * math.log1p(-p)))
    return np.mean(entropies)


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (8, 12), (12, 5), (1, 6), (9, 9)])
@pytest.mark.parametrize(("count", "others", "channels"), [(1, 1, 1), (2, 3, 3), (1, 2, 13)])
def test_spectral_regularization_equals_the_slow_definition(count, others, channels, size):
    pred, target = images(count, channels, *size)[0], images(others, channels, *size, seed=2)[0]
    assert spectral_regularization(pred, target).item() == pytest.approx(slow_regularization(pred, target), rel=1e-10)


def test_spectral_regularization_cuts_powers_above_that_of_the_zero_frequency():
    wave = torch.cos(2 * math.pi * torch.arange(8, dtype=torch.float64) / 8)
    pred, target = images(1, 1, 8, 8)
    pred = pred + 4 * wave
    assert slow_profile(pred[0].numpy())[1] == 1
    for one, other in ((pred, target), (target, pred)):
        value, gradient, _ = graded(spectral_regularization, one, other)
        assert value.item() == pytest.approx(slow_regularization(one, other), rel=1e-10)
        assert gradient.isfinite().all()


@pytest.mark.parametrize("size", [(4, 4), (5, 4), (3, 5)])
def test_gradient_of_spectral_regularization_is_right(size):
    pred, target = images(2, 2, *size)[0].requires_grad_(), images(1, 2, *size, seed=2)[0].requires_grad_()
    assert torch.autograd.gradcheck(spectral_regularization, (pred, target))


def test_spectral_regularization_is_smallest_for_equal_profiles():
    target = images(1, 3, 8, 10)[0]
    value, gradient, _ = graded(spectral_regularization, target, target.clone())
    profile = slow_profile(target[0].numpy())[1:]
    entropy = -(profile * np.log(profile) + (1 - profile) * np.log(1 - profile))
    assert value.item() == pytest.approx(entropy.sum() / (len(profile) + 1), rel=1e-10)
    assert gradient.abs().max() < 1e-12
    for seed in range(2, 7):
        other = target + 0.1 * images(1, 3, 8, 10, seed=seed)[0]
        assert spectral_regularization(other, target) > value


def test_spectral_regularization_looks_at_the_profile_alone():
    pred, target = images(2, 3, 8, 10)
    expected = spectral_regularization(pred, target)
    for moved in (pred.roll((3, 5), (-2, -1)), pred.flip(-1), 2 * pred, 1e-4 * pred):
        assert_near(spectral_regularization(moved, target), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32], ids=str)
def test_spectral_regularization_keeps_the_type(dtype):
    pair = images(2, 3, 8, 10, dtype=dtype)
    actual = graded(spectral_regularization, *pair)
    single = graded(spectral_regularization, *(batch.float() for batch in pair))
    assert_all_near(actual, [result.to(dtype) for result in single], 0)


@pytest.mark.parametrize(
    ("pred", "target", "shapes"),
    [
        (torch.zeros(3, 8, 8), torch.zeros(3, 8, 8), r"pred \(3, 8, 8\) and target \(3, 8, 8\)"),
        (torch.zeros(1, 3, 8, 8), torch.zeros(3, 8, 8), r"pred \(1, 3, 8, 8\) and target \(3, 8, 8\)"),
        (torch.zeros(1, 3, 8, 8), torch.zeros(1, 1, 8, 8), r"pred \(1, 3, 8, 8\) and target \(1, 1, 8, 8\)"),
        (torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 9), r"pred \(1, 3, 8, 8\) and target \(1, 3, 8, 9\)"),
        (torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.zeros(1, 1, 2, 2), "must be floating-point batches"),
        (torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2, dtype=torch.complex64), "must be floating-point batches"),
    ],
    ids=["no batch", "one without a batch", "other channels", "other size", "integers", "complex"],
)
def test_spectral_regularization_of_anything_but_two_batches_is_an_error(pred, target, shapes):
    with pytest.raises(ShapeError, match=shapes):
        spectral_regularization(pred, target)


def test_spectral_regularization_of_black_images_has_a_value_and_nan_stays_nan():
    black, image = torch.zeros(1, 1, 8, 8), images(1, 1, 8, 8)[0].float()
    for pred, target in ((black, image), (image, black), (black, black)):
        assert spectral_regularization(pred, target).isfinite()
    assert spectral_regularization(image * torch.nan, image).isnan()
    assert spectral_regularization(image, image * torch.nan).isnan()
    assert spectral_regularization(image.bfloat16(), image.double()).dtype == torch.float64
