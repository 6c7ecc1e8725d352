import math

import numpy as np
import pytest
import torch

from ffltool import mean_spectrum
from ffltool.errors import NothingComparedError
from ffltool.mean_spectrum import MeanSpectrum, Whitening
from ffltool.radial import rings, sectors
from ffltool.recipes import PRESETS, Recipe

SIZES = [(8, 8), (7, 9), (6, 11), (1, 5), (4, 1), (1, 1)]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)
DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]


def mean_of(images, **options):
    mean = MeanSpectrum(Recipe(**options), *images.shape[-2:])
    mean.update(torch.as_tensor(images))
    return mean.compute()


def assert_equal(actual, expected, rtol=1e-5):
    """Compare all that two averages hold; zeros are zero to a millionth of the largest of their kind."""
    assert actual.images == expected.images
    near(actual.map, expected.map, rtol)
    for name in ("radial", "angular"):
        one, other = getattr(actual, name), getattr(expected, name)
        assert torch.equal(one.counts, other.counts)
        near(one.x, other.x, 0)
        for part in ("mean", "std", "spread"):
            near(getattr(one, part), getattr(other, part), rtol)


def within(name):
    """How far apart the same in another order may be: a logarithm of next to nothing is one of rounding errors."""
    return 0.05 if PRESETS[name].average == "log" else 1e-5


def near(actual, expected, rtol):
    largest = float(expected.nan_to_num(posinf=0, neginf=0).abs().max())
    torch.testing.assert_close(actual, expected, rtol=rtol, atol=0.1 * rtol * largest, equal_nan=True)


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


@pytest.mark.parametrize("window", ["none", "hann", "kaiser"])
@each_size
def test_a_constant_is_in_the_zero_frequency_alone_and_leaks_through_no_window(size, window):
    height, width = size
    average = mean_of(np.full((2, 1, *size), 100.0), window=window)
    assert average.map[height // 2, width // 2] == pytest.approx((100 * height * width) ** 2)
    assert average.radial.mean[0] == pytest.approx((100 * height * width) ** 2)
    average.map[height // 2, width // 2] = 0
    assert average.map.max() < 1e-6


def test_a_window_leaks_no_brightness_beyond_the_neighbourhood_of_a_wave():
    wave = 100 + 50 * torch.cos(2 * math.pi * 8 * torch.arange(32.0) / 32)
    power = mean_of(wave.expand(1, 1, 32, 32)).map
    assert power[16, 16] == pytest.approx((100 * 32 * 32) ** 2)
    # Hann reaches one step to all sides; half of the amplitude 50 at the wave, with a mean square of (3/8)^2
    assert power[16, 24] == pytest.approx((25 * 32 * 32 / 4 / (3 / 8)) ** 2, rel=1e-5)
    power[16, 16] = 0
    power[15:18, 7:10] = power[15:18, 23:26] = 0
    # -140 dB: float32
    assert power.max() < 1e-14 * (100 * 32 * 32) ** 2


@each_size
def test_parts_merged_equal_the_whole(images, size):
    given = torch.as_tensor(images(6, 3, *size))
    parts = [MeanSpectrum(Recipe(), *size) for _ in range(2)]
    parts[0].update(given[:2])
    parts[1].update(given[2:])
    parts[0].merge(parts[1])
    assert_equal(parts[0].compute(), mean_of(given))
    assert parts[1].compute().images == 4, "merging leaves the other as it was"


@pytest.mark.parametrize("name", PRESETS)
def test_a_batch_is_the_sum_of_its_images_however_many_are_transformed_at_a_time(images, name, monkeypatch):
    given = torch.as_tensor(images(5, 3, 9, 8))
    one, three, all_ = (MeanSpectrum(PRESETS[name], 9, 8) for _ in range(3))
    values = one.planes * math.prod(one.padded)
    for mean, together in ((one, 1), (three, 3), (all_, 5)):
        monkeypatch.setattr(mean_spectrum, "_BLOCK", values * together)
        mean.update(given)
    assert_equal(one.compute(), all_.compute(), rtol=within(name))
    assert_equal(three.compute(), all_.compute(), rtol=within(name))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32, torch.float64])
def test_images_stay_as_they_were(images, name, dtype):
    given = torch.as_tensor(images(2, 3, 6, 7)).to(dtype)
    copy = given.clone()
    for channels in (3, 1):
        MeanSpectrum(PRESETS[name], 6, 7).update(given[:, :channels])
    assert torch.equal(given, copy)


def test_compute_only_reads(images):
    mean = MeanSpectrum(Recipe(), 6, 9)
    mean.update(torch.as_tensor(images(3, 3, 6, 9)))
    assert_equal(mean.compute(), mean.compute(), rtol=0)
    mean.compute().map.zero_()
    assert mean.compute().map.max() > 0


@pytest.mark.parametrize("average", ["power", "amplitude", "log1p", "log"])
@pytest.mark.parametrize("transform", ["dft", "dct"])
@pytest.mark.parametrize("channels", ["grey", "rgb"])
def test_profiles_are_those_of_the_images_one_by_one(images, average, transform, channels):
    given = images(4, 3, 8, 10)
    options = {"average": average, "transform": transform, "channels": channels}
    together = mean_of(given, **options)
    alone = [mean_of(given[number : number + 1], **options) for number in range(4)]
    for name in ("radial", "angular"):
        profiles = torch.stack([getattr(each, name).mean for each in alone])
        actual = getattr(together, name)
        near(actual.mean, profiles.mean(0), 1e-5)
        # 1e-4: deviations are differences of larger numbers
        near(actual.std, profiles.std(0, correction=0), 1e-4)
        decibels = {"power": 10, "amplitude": 20}.get(average)
        scaled = decibels * profiles.log10() if decibels else profiles
        near(actual.spread, scaled.std(0, correction=0), 1e-4)


@pytest.mark.parametrize("average", ["power", "amplitude", "log1p", "log", "complex"])
@pytest.mark.parametrize("transform", ["dft", "dct"])
def test_a_profile_is_the_mean_of_the_map_over_each_group(images, average, transform):
    result = mean_of(images(3, 1, 9, 10), average=average, transform=transform)
    dct = transform == "dct"
    values = result.map if dct else torch.fft.ifftshift(result.map)
    for profile, groups in ((result.radial, rings), (result.angular, sectors)):
        expected = groups(9, 10, plane="dct" if dct else "whole")
        near(profile.mean, expected.means(values), 1e-6)
        assert torch.equal(profile.counts, expected.counts)
        assert torch.equal(profile.x, expected.centre)


def test_spreads_known_by_hand():
    one = torch.ones(1, 1, 4, 4)
    mean = MeanSpectrum(Recipe(window="none"), 4, 4)
    for level in (1.0, 10.0):
        mean.update(level * one)
    zero, *others = zip(*(getattr(mean.compute().radial, part) for part in ("mean", "std", "spread")), strict=True)
    # powers (16)^2 and (160)^2, 20 dB apart
    assert zero == pytest.approx((256 * 50.5, 256 * 49.5, 10))
    for nothing, deviation, spread in others:
        assert (nothing, deviation) == (0, 0)
        assert spread.isnan(), "no power has no decibels to deviate in"


def test_a_mean_of_complex_spectra_has_no_deviation(images):
    profile = mean_of(images(3, 1, 6, 6), average="complex").radial
    assert profile.std.isnan().all()
    assert profile.spread.isnan().all()


def test_shifted_waves_cancel_in_a_mean_of_complex_spectra_only():
    phases = 2 * math.pi * torch.arange(4)[:, None] / 4
    waves = torch.cos(2 * math.pi * 2 * torch.arange(8.0) / 8 + phases)[:, None, None].expand(4, 1, 8, 8)
    assert mean_of(waves, window="none", average="complex").map.max() < 1e-5
    assert mean_of(waves, window="none", average="amplitude").map[4, 6] == pytest.approx(32)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("size", [(6, 7), (1, 8), (9, 1), (1, 1)])
def test_constant_and_narrow_images_have_finite_values(name, size):
    for pixels in (torch.zeros(2, 1, *size), torch.full((2, 3, *size), 77, dtype=torch.uint8)):
        mean = MeanSpectrum(PRESETS[name], *size)
        mean.update(pixels)
        average = mean.compute()
        assert average.map.isfinite().all()
        assert average.radial.mean[average.radial.counts > 0].isfinite().all()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", PRESETS)
def test_every_device_gives_the_same(images, name, device):
    given = torch.as_tensor(images(3, 3, 12, 16))
    averages = []
    for place in ("cpu", device):
        mean = MeanSpectrum(PRESETS[name], 12, 16, whitening=Whitening(127.0, 70.0), device=place)
        mean.update(given.to(place))
        averages.append(mean.compute())
    assert averages[1].map.device.type == "cpu"
    assert_equal(*averages, rtol=within(name))


def test_nothing_has_no_mean():
    mean = MeanSpectrum(Recipe(), 4, 4)
    mean.update(torch.zeros(0, 3, 4, 4))
    with pytest.raises(NothingComparedError, match="no image"):
        mean.compute()
