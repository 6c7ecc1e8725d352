import math

import numpy as np
import pytest
import torch

from ffltool.errors import InputError, NothingComparedError
from ffltool.excess import Excess, background, cap, common_cap, scores

pytestmark = pytest.mark.usefixtures("one_thread")


def evidence(images, **options):
    sums = Excess(*images.shape[-2:], images=len(images), **options)
    sums.update(torch.as_tensor(images)[:, None])
    return sums.compute()


@pytest.fixture
def noise(rng):
    return lambda *shape: 128 + 10 * rng.standard_normal(shape)


def slow_background(power):
    """The largest of three geometric means about each frequency, by its definition."""
    height, width = power.shape
    result = np.empty(power.shape)
    for row, column in np.ndindex(power.shape):
        means = []
        for rows, columns in ((5, 5), (1, 5), (5, 1)):
            logs = [
                math.log(power[(row + i) % height, (column + j) % width])
                for i in range(-rows, rows + 1)
                for j in range(-columns, columns + 1)
                if max(abs(i), abs(j)) > 1
            ]
            means.append(sum(logs) / len(logs))
        result[row, column] = math.exp(max(means) + np.euler_gamma)
    return np.maximum(result, 1 / 12)


@pytest.mark.parametrize("size", [(16, 16), (13, 18)], ids=str)
def test_the_background_is_the_largest_of_three_geometric_means(rng, size):
    power = rng.exponential(size=(2, *size))
    expected = np.stack([slow_background(each) for each in power])
    np.testing.assert_allclose(background(torch.as_tensor(power)), expected, rtol=1e-10)


def test_no_background_is_fainter_than_rounding():
    assert torch.equal(background(torch.zeros(1, 32, 32)), torch.full((1, 32, 32), 1 / 12))


@pytest.mark.parametrize("kind", ["none", "median3", "median5", "gauss"])
@pytest.mark.parametrize("count", [1, 4, 30])
def test_z_of_noise_has_mean_0_and_deviation_1(noise, count, kind):
    z = scores(evidence(noise(count, 128, 96), kind=kind))
    z[60:69, 44:53] = 0  # a denoiser leaves little next to the zero frequency
    assert abs(z.median()) < 0.1
    assert abs(1.4826 * (z - z.median()).abs().median() - 1) < 0.1
    assert z.max() < 5


def test_the_excess_is_1_for_noise_and_that_of_a_wave_for_a_wave(noise):
    images = noise(1, 128, 128)
    wave = 4 * np.cos(2 * np.pi * np.arange(128) / 8)
    found = evidence(images + wave, kind="none")
    # a wave of amplitude a has a^2 / 4 H W times what the window makes of it, 4/9 of the mean square of 1 on each axis
    expected = 4**2 / 4 * 128**2 * (2 / 3) ** 2 / 100
    assert found.excess[64, 64 + 16] == pytest.approx(expected, rel=0.5)
    assert found.excess.median() == pytest.approx(math.log(2), rel=0.5)


def test_parts_merged_equal_the_whole(noise):
    images = torch.as_tensor(noise(5, 1, 48, 32))
    parts = [Excess(48, 32, images=5) for _ in range(2)]
    parts[0].update(images[:2])
    parts[1].update(images[2:])
    parts[0].merge(parts[1])
    whole = Excess(48, 32, images=5)
    whole.update(images)
    for name in ("excess", "compared", "level", "share"):
        torch.testing.assert_close(getattr(parts[0].compute(), name), getattr(whole.compute(), name))


def test_no_image_counts_with_more_than_the_cap(noise):
    images = noise(20, 64, 64)
    images[0] += 100 * np.cos(2 * np.pi * np.arange(64) / 4)
    found = evidence(images)
    assert found.excess.max() <= cap(20)
    assert scores(found)[32, 48] < 5
    assert scores(evidence(images[:1]))[32, 48] > 20


@pytest.mark.parametrize(("one", "other", "as_of"), [(1, 1, 1), (1, 2, 2), (100, 1, 2), (4, 100, 4), (20, 20, 20)])
def test_a_comparison_is_under_the_cap_of_the_smaller_set(one, other, as_of):
    assert common_cap(one, other) == common_cap(other, one) == cap(as_of)


@pytest.mark.parametrize("images", range(2, 40))
def test_one_image_alone_makes_no_peak(images):
    mean = 1 - 1 / (9 * images)
    excess = (cap(images) + images - 1) / images
    assert 3 * math.sqrt(images) * (excess ** (1 / 3) - mean) < 5.05


def test_shares_are_of_the_energy_of_each_image(noise):
    images = noise(2, 64, 64)
    images[1] = 10 * (images[1] - 128) + 128
    one, other = (evidence(images[[number]]).share for number in (0, 1))
    torch.testing.assert_close(evidence(images).share, (one + other) / 2, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("kind", ["none", "median3"])
def test_constant_images_are_blank_and_show_nothing(noise, kind):
    images = np.concatenate([np.full((2, 32, 32), 255.0), noise(1, 32, 32)])
    found = evidence(images, kind=kind)
    assert (found.images, found.blank) == (1, 2)
    alone = evidence(images[:2], kind=kind)
    assert (alone.images, alone.blank) == (0, 2)
    assert torch.equal(scores(alone), torch.zeros(32, 32, dtype=torch.float64))
    assert all(each.isfinite().all() for each in (alone.excess, alone.level, alone.share))


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
def test_clipped_images_give_finite_scores(noise, share):
    images = noise(2, 64, 64)
    images[:, : int(share * 64)] = 255
    assert scores(evidence(images)).isfinite().all()


@pytest.mark.parametrize("size", [(16, 32), (40, 48), (33, 32)], ids=str)
def test_sides_that_have_no_lattice_are_an_error(size):
    with pytest.raises(InputError, match=r"sides must be multiples of 16, at least 32, but are \d+x\d+"):
        Excess(*size, images=1)


def test_no_images_are_an_error():
    with pytest.raises(NothingComparedError, match="there is no image to look for peaks in"):
        Excess(32, 32, images=1).compute()
