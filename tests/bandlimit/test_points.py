"""One point of the spectrum and its opposite, and the wave that they are."""

import math

import numpy as np
import pytest
import torch

from ffltool.bandlimit import Filter, bins, wave
from ffltool.errors import InputError
from tests.bandlimit.common import each_size, random

pytestmark = pytest.mark.usefixtures("one_thread")


@each_size
def test_a_point_stop_at_the_centre_takes_out_exactly_one_coefficient(size):
    image = random(*size)
    before, after = np.fft.fft2(image.numpy()), np.fft.fft2(Filter("point-stop").apply(image).numpy())
    np.testing.assert_allclose(after[0, 0], 0, atol=1e-12)
    after[0, 0] = before[0, 0]
    np.testing.assert_allclose(after, before, rtol=0, atol=1e-12)
    assert (Filter("point-stop").gain(*size) == 0).sum() == 1


@pytest.mark.parametrize(("u", "v"), [(2, 1), (-2, -1), (3, -3), (0, 4)])
def test_a_point_stop_elsewhere_takes_out_its_opposite_too(u, v):
    image = random(9, 8)
    before = np.fft.fft2(image.numpy())
    after = np.fft.fft2(Filter("point-stop", point=(u, v)).apply(image).numpy())
    changed = np.argwhere(np.abs(after - before) > 1e-12).tolist()
    assert sorted(changed) == sorted([[v % 9, u % 8], [-v % 9, -u % 8]])
    np.testing.assert_allclose(after[v, u], 0, atol=1e-12)


def test_at_the_nyquist_frequency_a_point_is_its_own_opposite():
    assert bins(4, 0, height=9, width=8) == {(0, 4)}
    assert bins(-4, 5, height=10, width=8) == {(5, 4)}
    assert bins(4, 1, height=9, width=8) == {(1, 4), (8, 4)}


@pytest.mark.parametrize("place", [(5, 0), (-5, 0), (0, 5), (9, 9)])
def test_a_point_beyond_the_nyquist_frequency_is_refused(place):
    u, v = place
    expected = rf"of 9x8 \(height x width\) has at most 4 periods over its width and 4 over its height, not {u},{v}"
    with pytest.raises(InputError, match=expected):
        Filter("point-stop", point=place).gain(9, 8)
    with pytest.raises(InputError, match=expected):
        wave(u, v, height=9, width=8)


@pytest.mark.parametrize("size", [(8, 8), (7, 12), (1, 9)], ids=str)
def test_every_wave_has_its_energy_in_two_bins_or_one(size):
    height, width = size
    for u in range(-(width // 2), width // 2 + 1):
        for v in range(-(height // 2), height // 2 + 1):
            amplitude = np.abs(np.fft.fft2(wave(u, v, height=height, width=width).numpy()))
            places = bins(u, v, height=height, width=width)
            assert len(places) == (1 if (2 * u % width, 2 * v % height) == (0, 0) else 2)
            expected = np.zeros(size)
            for place in places:
                expected[place] = height * width / len(places)
            np.testing.assert_allclose(amplitude, expected, atol=1e-12 * height * width)


def test_a_wave_is_a_cosine():
    expected = [[math.cos(2 * math.pi * (3 * x / 8 - 2 * y / 6)) for x in range(8)] for y in range(6)]
    torch.testing.assert_close(wave(3, -2, height=6, width=8), torch.tensor(expected, dtype=torch.float64))
