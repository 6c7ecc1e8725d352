"""Rings and sectors of `ffltool.radial`, against answers known by hand and the definition written the slow way."""

import math

import numpy as np
import pytest
import torch

from ffltool.radial import cells, frequency_radius, rings, sectors
from ffltool.spectrum import spectrum, window

SIZES = [
    (8, 8),
    (16, 16),
    (7, 7),
    (5, 12),
    (12, 5),
    (40, 24),
    (1, 1),
    (1, 8),
    (9, 1),
    (3, 6),
    (4, 18),
    (2, 3),
    (33, 32),
]
PLANES = ["whole", "half", "dct"]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)
each_plane = pytest.mark.parametrize("plane", PLANES)


def radial_profile(values):
    return rings(*values.shape[-2:]).means(values)


def angular_profile(values):
    return sectors(*values.shape[-2:]).means(values)


def frequency(index, size):
    """The whole periods that an index of the DFT stands for, as np.fft.fftfreq counts them."""
    return index if 2 * index < size else index - size


def periods(height, width, plane):
    """Whole periods of each place of a plane along both axes, in halves for a DCT, in the order of its rows."""
    columns = width // 2 + 1 if plane == "half" else width
    for row in range(height):
        for column in range(columns):
            yield (row, column) if plane == "dct" else (frequency(row, height), frequency(column, width))


def ring_of(periods, height, width, plane):
    """The ring nearest to a radius, in whole numbers: half way goes to the outer one."""
    squared = (periods[0] * width) ** 2 + (periods[1] * height) ** 2
    unit = height * width * (2 if plane == "dct" else 1)
    return (math.isqrt(4 * max(height, width) ** 2 * squared) // unit + 1) // 2


def slow_means(values, group_of, plane):
    """The mean over each group by its definition, over all frequencies: half a plane is completed first."""
    height, width = values.shape[0], group_of.shape[1]
    if plane == "half":
        full = np.empty((height, width))
        for row in range(height):
            for column in range(width):
                mirrored = column > width // 2
                full[row, column] = values[-row, width - column] if mirrored else values[row, column]
        values = full
    counts = np.bincount(group_of[group_of >= 0].ravel())
    sums = np.zeros(len(counts))
    for group, value in zip(group_of.ravel(), values.ravel(), strict=True):
        if group >= 0:
            sums[group] += value
    with np.errstate(invalid="ignore"):
        return sums / counts, counts


def slow_rings(height, width, plane):
    whole = "dct" if plane == "dct" else "whole"
    found = [ring_of(each, height, width, whole) for each in periods(height, width, whole)]
    return np.array(found).reshape(height, width)


def random_plane(rng, height, width, plane):
    """Values that are the same at a frequency and its opposite, as far as a plane goes."""
    if plane == "dct":
        return rng.random((height, width))
    power = np.abs(np.fft.fft2(rng.random((height, width)))) ** 2
    return power[:, : width // 2 + 1] if plane == "half" else power


@each_size
@each_plane
def test_means_over_rings_equal_the_slow_definition(rng, size, plane):
    values = random_plane(rng, *size, plane)
    expected, counts = slow_means(values, slow_rings(*size, plane), plane)
    groups = rings(*size, plane=plane)
    assert groups.counts.tolist() == counts.tolist()
    np.testing.assert_allclose(groups.means(torch.as_tensor(values)), expected, rtol=1e-12)
    np.testing.assert_allclose(groups.centre, np.arange(len(counts)) / max(size), rtol=1e-15)


@pytest.mark.parametrize("size", [(4, 18), (4, 30), (8, 18), (18, 4), (6, 45)])
def test_half_way_between_two_rings_goes_to_the_outer_one_whatever_the_rounding(size):
    # of 4 x 18 the frequency (1/4, 6/18) has radius 7.5 / 18
    assert torch.equal(rings(*size).group, torch.as_tensor(slow_rings(*size, "whole")))


@each_size
@each_plane
def test_every_frequency_counts_once(size, plane):
    assert rings(*size, plane=plane).counts.sum() == size[0] * size[1]
    assert rings(*size, plane=plane).times.sum() == size[0] * size[1]


@each_size
@each_plane
def test_the_zero_frequency_is_alone_in_its_ring(size, plane):
    groups = rings(*size, plane=plane)
    assert (groups.group == 0).nonzero().tolist() == [[0, 0]]
    assert groups.counts[0] == 1


def test_a_group_without_a_frequency_is_nan_and_counts_none():
    groups = sectors(4, 4)
    empty = groups.counts == 0
    # 0, 45, 90, 135 degrees, and those of (1, 2) and (2, 1) at the Nyquist frequency, 26.6 and 63.4
    assert empty.tolist() == [index not in (0, 5, 9, 13, 18, 27) for index in range(36)]
    assert torch.equal(groups.means(torch.ones(4, 4)).isnan(), empty)


@pytest.mark.parametrize("size", [(16, 16), (9, 9), (12, 20), (20, 12), (7, 15), (1, 10), (10, 1)])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_cosine_of_k_cycles_lands_in_the_ring_of_its_radius(size, axis):
    for cycles in range(1, size[axis] // 2 + 1):
        steps = torch.arange(size[axis], dtype=torch.float64)
        wave = torch.cos(2 * math.pi * cycles * steps / size[axis])
        image = (wave[:, None] if axis == 0 else wave).expand(size)
        profile = radial_profile(spectrum(image).abs().square())
        ring = math.floor(cycles * max(size) / size[axis] + 0.5)  # k itself, along the longer side
        assert profile.nan_to_num().argmax() == ring
        # all of H W sum f^2, which is (H W)^2 / 2, or at the Nyquist frequency (H W)^2
        energy = math.prod(size) ** 2 / (1 if 2 * cycles == size[axis] else 2)
        assert profile[ring] * rings(*size).counts[ring] == pytest.approx(energy)
        assert abs(float(rings(*size).centre[ring]) - cycles / size[axis]) <= 0.5 / max(size)


@pytest.mark.parametrize("size", [(16, 16), (9, 9), (12, 20), (7, 15), (1, 10)])
def test_transposing_changes_no_ring_and_turns_a_sector_to_90_degrees_minus_it(rng, size):
    power = torch.as_tensor(random_plane(rng, *size, "whole"))
    torch.testing.assert_close(radial_profile(power.T), radial_profile(power), equal_nan=True)
    turned = (18 - torch.arange(36)) % 36
    assert torch.equal(sectors(*size).centre[turned], (90 - sectors(*size).centre) % 180)
    torch.testing.assert_close(angular_profile(power.T), angular_profile(power)[turned], equal_nan=True)


def test_white_noise_is_flat(rng):
    power = torch.as_tensor(np.abs(np.fft.fft2(rng.standard_normal((8, 128, 128)))) ** 2).mean(0) / 128**2
    for groups in (rings(128, 128), sectors(128, 128)):
        # exponential values of mean 1 have deviation 1: five of that of a mean over 8 images, half of it independent
        allowed = 5 * math.sqrt(2) / (8 * groups.counts.double()).sqrt()
        assert ((groups.means(power) - 1).abs() < allowed).all()


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (6, 11), (1, 5), (4, 1), (12, 7)])
@pytest.mark.parametrize("plane", ["whole", "half"])
def test_rings_hold_all_of_the_energy(rng, size, plane):
    image = torch.as_tensor(rng.random(size))
    transform = torch.fft.fft2 if plane == "whole" else torch.fft.rfft2
    groups = rings(*size, plane=plane)
    energy = (groups.means(transform(image).abs().square()).nan_to_num() * groups.counts).sum()
    torch.testing.assert_close(energy, math.prod(size) * image.square().sum())


def test_a_checkerboard_of_single_pixels_is_in_the_corner_ring_at_45_degrees():
    rows, columns = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    power = spectrum((rows + columns) % 2 * 2.0 - 1).abs().square()
    profile = radial_profile(power)
    ring = int(profile.argmax())
    assert float(rings(16, 16).centre[ring]) == pytest.approx(math.sqrt(0.5), abs=0.5 / 16)
    assert (ring, len(profile)) == (11, 12)
    assert profile[ring] * rings(16, 16).counts[ring] == (16 * 16) ** 2
    assert profile.count_nonzero() == 1
    # both of its frequencies are 1/2 and -1/2 at once: 45 and 135 degrees are one, called 45
    assert sectors(16, 16).centre[angular_profile(power).nan_to_num().argmax()] == 45


@pytest.mark.parametrize(("rows", "columns", "degrees"), [(0, 6, 0), (6, 0, 90), (5, 5, 45), (-5, 5, 135), (6, 3, 65)])
def test_a_wave_lies_in_the_sector_of_its_orientation(rows, columns, degrees):
    y, x = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    power = spectrum(torch.cos(2 * math.pi * (rows * y + columns * x) / 32)).abs().square()
    assert sectors(32, 32).centre[angular_profile(power).nan_to_num().argmax()] == degrees


@each_size
@each_plane
def test_means_over_sectors_equal_the_slow_definition(rng, size, plane):
    whole = "dct" if plane == "dct" else "whole"
    group = np.full(size, -1)
    for place, (row, column) in enumerate(periods(*size, whole)):
        v, u = (each / side / (2 if plane == "dct" else 1) for each, side in zip((row, column), size, strict=True))
        if 0.5 in (abs(v), abs(u)):  # where both signs are one frequency
            v, u = abs(v), abs(u)
        if v * v + u * u > 0.01 * (1 + 1e-12):
            group.flat[place] = math.floor(math.degrees(math.atan2(v, u)) / 5 + 0.5) % 36
    values = random_plane(rng, *size, plane)
    means, counts = slow_means(values, group, plane)
    groups = sectors(*size, plane=plane)
    assert groups.counts.tolist() == [*counts, *[0] * (36 - len(counts))]
    np.testing.assert_allclose(groups.means(torch.as_tensor(values)), [*means, *[math.nan] * (36 - len(means))])


def test_low_frequencies_have_no_orientation():
    # 3, 4 and 5 of 50 are radius 0.06, 0.08 and 0.1: on the edge, whatever its rounding, is in none
    assert sectors(50, 50).group[[3, 4, 5, 0], [4, 3, 0, 5]].tolist() == [36] * 4
    assert sectors(50, 50).group[0, 6] == 0


@each_plane
@each_size
def test_cells_have_the_means_of_their_groupings(rng, size, plane):
    groupings = {"radial": rings(*size, plane=plane), "angular": sectors(*size, plane=plane)}
    parts = cells(groupings)
    values = torch.as_tensor(rng.random((3, 2, *groupings["radial"].group.shape)))
    sums = parts.sums(values)
    for name, groups in groupings.items():
        torch.testing.assert_close(parts.groupings[name].means(sums), groups.means(values), equal_nan=True)
        assert groups.means(values).shape == (3, 2, len(groups.counts))
        assert torch.equal(groups.to("cpu").means(values).nan_to_num(), groups.means(values).nan_to_num())
        there = parts.to("cpu")
        torch.testing.assert_close(
            there.groupings[name].means(there.sums(values)), groups.means(values), equal_nan=True
        )


@pytest.mark.parametrize("exponent", [-2, -3])
def test_a_power_law_comes_back_with_its_exponent(rng, exponent):
    size = 256
    radius = frequency_radius(size, size).numpy()
    radius[0, 0] = math.inf
    noise = np.fft.fft2(rng.standard_normal((8, size, size)))
    images = torch.as_tensor(np.fft.ifft2(noise * radius ** (exponent / 2)).real)
    power = spectrum(images * window(size, size)).abs().square().mean(0)
    profile, centre = radial_profile(power), rings(size, size).centre
    inner = (centre > 8 / size) & (centre < 0.45)  # beyond what the window blurs and the corners cut
    slope = np.polyfit(centre[inner].log(), profile[inner].log(), 1)[0]
    assert slope == pytest.approx(exponent, abs=0.05)
