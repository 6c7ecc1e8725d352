import math

import numpy as np
import pytest
import torch

from ffltool.errors import NothingComparedError
from ffltool.mean_spectrum import MeanSpectrum
from ffltool.recipes import Recipe

SIZES = [(8, 8), (7, 9), (6, 11), (1, 5), (4, 1)]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)


def mean_of(images, **options):
    mean = MeanSpectrum(Recipe(**options), *images.shape[-2:])
    mean.update(torch.as_tensor(images))
    return mean.compute()


@pytest.fixture
def images(rng):
    return lambda *shape: np.rint(255 * rng.random(shape))


@each_size
def test_the_mean_power_is_that_of_numpy(images, size):
    given = images(5, 1, *size)
    expected = np.fft.fftshift((np.abs(np.fft.fft2(given)) ** 2).mean((0, 1)))
    actual = mean_of(given, window="none").map.numpy()
    # transforms in float32: 1e-6 of the largest
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6 * expected.max() / math.prod(size))


@each_size
def test_parts_merged_equal_the_whole(images, size):
    given = torch.as_tensor(images(6, 3, *size))
    parts = [MeanSpectrum(Recipe(), *size) for _ in range(2)]
    parts[0].update(given[:2])
    parts[1].update(given[2:])
    parts[0].merge(parts[1])
    torch.testing.assert_close(parts[0].compute().map, mean_of(given).map)


def test_a_window_leaves_the_mean_at_the_zero_frequency():
    power = mean_of(np.full((1, 1, 16, 12), 100.0)).map
    assert power[8, 6] == pytest.approx((100 * 16 * 12) ** 2)
    power[8, 6] = 0
    assert power.max() < 1e-6


def test_nothing_has_no_mean():
    with pytest.raises(NothingComparedError):
        MeanSpectrum(Recipe(), 4, 4).compute()
