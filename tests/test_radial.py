import math
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch

from ffltool.errors import InputError
from ffltool.radial import band_of_each, bands, cells, frequency_radius, rings, sectors

SIZES = [(8, 8), (16, 16), (7, 7), (5, 12), (12, 5), (40, 24), (1, 1), (1, 8), (9, 1)]


def frequency(index, size):
    """The whole periods that an index of the DFT stands for, as np.fft.fftfreq counts them."""
    return index if 2 * index < size else index - size


def slow_bands(height, width, count=4):
    """The band of every frequency, in whole numbers: no rounding decides on which side of an edge it lies."""
    band = np.empty((height, width), int)
    for row in range(height):
        for column in range(width):
            across, along = frequency(column, width) * height, frequency(row, height) * width
            # radius >= edge / (2 count), squared and multiplied by (2 count H W)^2
            squared = (2 * count) ** 2 * (across**2 + along**2)
            reached = sum(squared >= (edge * height * width) ** 2 for edge in range(1, count + 1))
            band[row, column] = 0 if row == column == 0 else 1 + reached
    return torch.as_tensor(band)


@pytest.mark.parametrize("size", SIZES)
def test_radius_equals_numpy_frequency_by_frequency(size):
    height, width = size
    expected = [[math.hypot(u, v) for u in np.fft.fftfreq(width)] for v in np.fft.fftfreq(height)]
    actual = frequency_radius(height, width)
    # 1e-15: a unit in the last place of numbers below 1
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-15)


@pytest.mark.parametrize("size", SIZES)
def test_radius_is_symmetric_about_zero_frequency(size):
    radius = frequency_radius(*size)
    assert radius[0, 0] == 0
    torch.testing.assert_close(radius, radius.flip(0, 1).roll((1, 1), (0, 1)))
    torch.testing.assert_close(radius, frequency_radius(*size[::-1]).T)


def test_radius_is_one_half_on_each_axis_and_root_one_half_in_the_corner():
    radius = frequency_radius(6, 8)
    assert radius[3, 0] == radius[0, 4] == radius.T[4, 0] == 0.5
    assert radius[3, 4] == radius.max() == math.sqrt(0.5)


@pytest.mark.parametrize("count", [1, 3, 4, 8])
@pytest.mark.parametrize("size", SIZES)
def test_every_frequency_lies_in_the_band_that_holds_its_radius(size, count):
    assert torch.equal(band_of_each(*size, count=count), slow_bands(*size, count))


@pytest.mark.parametrize("size", [(1, 98), (196, 1), (98, 98), (70, 70), (78, 78)])
def test_rounding_does_not_move_a_frequency_across_an_edge(size):
    assert torch.equal(band_of_each(*size, count=4), slow_bands(*size))


@pytest.mark.parametrize(
    ("index", "name"),
    [
        (0, "dc"),
        (1, "0-0.125"),
        (2, "0.125-0.25"),
        (3, "0.125-0.25"),
        (4, "0.25-0.375"),
        (6, "0.375-0.5"),
        (8, "corner"),
    ],
)
def test_an_edge_belongs_to_the_band_above_it(index, name):
    # of 16 pixels, index k is the radius k / 16: the edges are at 2, 4, 6 and 8
    row, column, square = (band_of_each(*size, count=4) for size in ((1, 16), (16, 1), (16, 16)))
    for band in (row[0, index], column[index, 0], square[0, -index], square[-index, 0]):
        assert bands(4)[band].name == name


@pytest.mark.parametrize("size", SIZES)
def test_zero_frequency_is_alone_in_its_band(size):
    assert (band_of_each(*size) == 0).nonzero().tolist() == [[0, 0]]


@pytest.mark.parametrize("count", [1, 3, 8])
def test_bands_cover_every_radius_once(count):
    lows, highs = zip(*((band.low, band.high) for band in bands(count)), strict=True)
    assert len(lows) == count + 2
    assert lows[1:] == highs[:-1]
    assert highs[-1] == frequency_radius(2, 2).max()
    assert (lows[0], highs[0], highs[-2]) == (0, 0, 0.5)


@pytest.mark.parametrize("size", [(8, 8), (10, 16), (64, 40)])
def test_corner_holds_what_is_at_nyquist_or_beyond(size):
    corner = band_of_each(*size, count=5) == 6
    assert torch.equal(corner, frequency_radius(*size) >= 0.5)
    assert corner[size[0] // 2].all()
    assert corner[:, size[1] // 2].all()


@pytest.mark.parametrize("count", [0, -1, 1.5])
def test_a_number_of_bands_that_is_none_is_an_error(count):
    with pytest.raises(InputError, match="number of bands must be 1 or more"):
        bands(count)


def test_there_are_8_bands_up_to_the_nyquist_frequency_unless_it_is_said():
    assert bands() == bands(8)
    assert torch.equal(band_of_each(20, 30), band_of_each(20, 30, count=8))


def test_bands_and_groups_are_frozen_and_groups_are_equal_to_themselves_alone():
    groups = rings(4, 6)
    for each, name in ((bands()[0], "low"), (groups, "times"), (cells({"rings": groups}), "cell")):
        with pytest.raises(FrozenInstanceError):
            setattr(each, name, None)
    assert groups != replace(groups)
    assert cells({"rings": groups}) != cells({"rings": groups})


def test_bands_of_a_large_image_are_right_where_64_bits_would_be_too_few():
    size = 60_000
    band = band_of_each(1, size, count=size)[0]
    whole_periods = torch.arange(size // 2)
    assert torch.equal(band[1 : size // 2], 1 + 2 * whole_periods[1:])  # radius u / size, bands 1 / (2 size) wide
    assert band[size // 2] == size + 1


@pytest.mark.parametrize("groups", [rings, sectors])
def test_means_of_complex_values_are_an_error_not_those_of_their_real_parts(groups):
    with pytest.raises(InputError, match=r"real values, such as abs\(\) of a spectrum"):
        groups(8, 8).means(torch.fft.fft2(torch.rand(8, 8)))
