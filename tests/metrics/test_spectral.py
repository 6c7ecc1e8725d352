import math
import re
from itertools import pairwise

import numpy as np
import pytest
import torch

from ffltool.errors import ShapeError
from ffltool.metrics.spectral import gain, lsd, of_sets, sde, state

SIZES = [(16, 16), (9, 12), (17, 10), (24, 41)]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)
REC_601 = np.array([0.299, 0.587, 0.114])


@pytest.fixture
def images(rng):
    return lambda *shape: torch.as_tensor(np.rint(100 * rng.random(shape)))


def slow_powers(images):
    """The definition for a set: mean power of each frequency, image by image, and the radius of each."""
    height, width = images.shape[-2:]
    grey = images[:, 0] if images.shape[1] == 1 else np.tensordot(REC_601, images, axes=([0], [1]))
    window = np.outer(*(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n) for n in (height, width)))
    window /= np.sqrt((window**2).mean())
    total = 0
    for image in grey:
        # what is left of the mean under the window would leak into the lowest frequencies
        total = total + np.abs(np.fft.fft2((image - (image * window).mean() / window.mean()) * window)) ** 2
    v, u = np.meshgrid(np.fft.fftfreq(height), np.fft.fftfreq(width), indexing="ij")
    return total / len(images), np.hypot(v, u)


def slow_scores(real, fake):
    (one, radius), (other, _) = (slow_powers(each.numpy()) for each in (real, fake))
    ring = np.floor(radius * max(real.shape[-2:]) + 0.5)
    ring[(ring == 0) & (radius > 0)] = 1
    ratios = np.array([other[ring == k].mean() / one[ring == k].mean() for k in range(1, int(ring.max()) + 1)])
    edges = [0, 0.125, 0.25, 0.375, 0.5, 1]
    gains = []
    for low, high in pairwise(edges):
        inside = (radius >= low) & (radius < high) & (radius > 0)
        gains.append(10 * np.log10(other[inside].sum() / one[inside].sum()))
    decibels = 10 * np.log10(ratios)
    return np.sqrt((decibels**2).mean()), np.abs(ratios - 1).mean(), gains


@pytest.mark.parametrize("channels", [1, 3])
@each_size
def test_equals_the_slow_definition(images, size, channels):
    real, fake = images(3, channels, *size), 0.7 * images(5, channels, *size)
    expected = slow_scores(real, fake)
    for metric, value in zip((lsd, sde, gain), expected, strict=True):
        # transforms in float32
        np.testing.assert_allclose(metric(real, fake), value, rtol=1e-4, atol=1e-4)


@each_size
def test_identical_sets_are_0(images, size):
    real = images(3, 3, *size)
    for metric in (lsd, sde, gain):
        assert metric(real, real.flip(0)).abs().max() < 1e-6


@each_size
def test_twice_the_pixels_are_6_decibels(images, size):
    real = images(3, 3, *size)
    assert lsd(real, 2 * real).item() == pytest.approx(20 * math.log10(2))
    assert sde(real, 2 * real).item() == pytest.approx(3)
    assert gain(real, 2 * real).tolist() == pytest.approx([20 * math.log10(2)] * 5)
    assert gain(2 * real, real).tolist() == pytest.approx([-20 * math.log10(2)] * 5)


def test_brightness_and_place_do_not_count(images):
    real = images(4, 1, 16, 16)
    assert lsd(real, real + 100).item() == pytest.approx(0, abs=1e-4)
    mirrored = real.flip((-2, -1)).roll((1, 1), (-2, -1))  # about the middle of the window
    assert lsd(real, mirrored).item() == pytest.approx(0, abs=1e-4)


def test_sets_of_constant_images_have_no_power(images):
    real, flat = images(2, 3, 16, 16), torch.full((2, 3, 16, 16), 77.0)
    assert [metric(flat, real).item() for metric in (lsd, sde)] == [math.inf, math.inf]
    assert gain(flat, real).tolist() == [math.inf] * 5
    assert (lsd(real, flat).item(), sde(real, flat).item()) == (math.inf, 1.0)
    assert gain(real, flat).tolist() == [-math.inf] * 5
    for metric in (lsd, sde, gain):
        assert metric(flat, flat + 100).abs().max() == 0


def test_a_faint_picture_of_16_bits_has_power(images):
    real = 128 + images(2, 1, 16, 16).round() / 257
    assert lsd(real, 128 + 2 * (real - 128)).item() == pytest.approx(20 * math.log10(2), rel=1e-3)


@each_size
def test_white_noise_of_a_thousandth_of_a_grey_level_is_where_power_begins(rng, size):
    noise = torch.as_tensor(rng.standard_normal((200, 1, *size)))
    for level, decibels in ((3e-4, 0), (3e-3, 20 * math.log10(2))):
        assert lsd(level * noise, 2 * level * noise).item() == pytest.approx(decibels, abs=1e-3)
        assert gain(level * noise, 2 * level * noise).tolist() == pytest.approx([decibels] * 5, abs=1e-3)


@pytest.mark.parametrize("size", [(9, 9), (9, 12), (400, 9), (10, 1001)], ids=str)
def test_no_ring_is_empty(size):
    sums = state(*size)
    sums.update(torch.zeros(1, 1, *size))
    assert sums.compute().radial.counts.min() >= 1


def test_parts_merged_equal_the_whole(images):
    real = images(6, 3, 12, 12)
    whole, first, second = (state(12, 12) for _ in range(3))
    whole.update(real)
    first.update(real[:1])
    second.update(real[1:])
    first.merge(second)
    for name in ("lsd", "sde", "gain"):
        for value in of_sets(name, whole.compute(), first.compute()):
            assert value == pytest.approx(0, abs=1e-5)


def test_a_wave_raises_the_gain_of_its_own_band_most(images):
    # a wave of 3 periods on 16 pixels, 0.1875 cycles per pixel, is power of the second band, the window aside
    row = torch.arange(16.0)
    wave = 20 * torch.cos(2 * math.pi * 3 * row / 16).expand(1, 1, 16, 16)
    real = images(4, 1, 16, 16)
    assert int(gain(real, real + wave).argmax()) == 1


@pytest.mark.parametrize("size", [(8, 30), (30, 8), (1, 1)])
def test_images_too_small_for_bands_are_an_error(images, size):
    with pytest.raises(ShapeError, match=f"at least 9x9 pixels, got {size[0]}x{size[1]}"):
        lsd(images(2, 1, *size), images(2, 1, *size))


@pytest.mark.parametrize("shape", [(2, 1, 13, 12), (2, 1, 12, 13), (2, 2, 12, 12), (1, 12, 12)])
def test_shapes_that_do_not_fit_are_an_error(images, shape):
    expected = f"shape (N, 1 or 3, H, W), with one H and W; got (2, 1, 12, 12) and {shape}"
    for metric in (lsd, sde, gain):
        with pytest.raises(ShapeError, match=re.escape(expected)):
            metric(images(2, 1, 12, 12), images(*shape))
