import math

import numpy as np
import pytest
import torch

from ffltool.errors import ShapeError
from ffltool.metrics.bands import PARTS, BandSums, band_parts
from ffltool.metrics.lfd import lfd
from ffltool.radial import bands, frequency_radius
from ffltool.report import BandScore

SIZES = [(8, 8), (7, 12), (67, 101), (1, 9), (6, 1), (1, 1)]


def pair(*size, seed=0):
    return 255 * torch.rand(2, 2, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def scores_of(real, fake, count=8):
    sums = BandSums(count)
    sums.update(real, fake)
    return sums.compute()


def slow_parts(real, fake, count):
    """The definition, frequency by frequency on the whole plane, for one image of shape (C, H, W)."""
    height, width = real.shape[-2:]
    radius = frequency_radius(height, width).numpy()
    one, other = np.fft.fft2(real.numpy()), np.fft.fft2(fake.numpy())
    angle = np.angle(one) - np.angle(other)
    rows = []
    for band in bands(count):
        inside = (radius >= band.low) & (radius < band.high) & (radius > 0)
        if band.name == "dc":
            inside = radius == 0
        elif band.name == "corner":
            inside = radius >= 0.5
        rows.append(
            [
                ((abs(one) - abs(other)) ** 2)[:, inside].sum(),
                (2 * abs(one) * abs(other) * (1 - np.cos(angle)))[:, inside].sum(),
                (abs(one) ** 2)[:, inside].sum(),
                (abs(other) ** 2)[:, inside].sum(),
            ]
        )
    return np.array(rows) / (len(real) * height * width)


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("size", SIZES)
def test_equals_the_slow_definition(size, count):
    real, fake = pair(*size)
    expected = [slow_parts(*images, count) for images in zip(real, fake, strict=True)]
    np.testing.assert_allclose(band_parts(real, fake, count=count), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("size", SIZES)
def test_the_energies_of_all_bands_add_up_to_lfd(size):
    real, fake = pair(*size)
    errors = band_parts(real, fake)[..., :2].sum(-1)
    torch.testing.assert_close(errors.sum(1), lfd(real, fake).expm1(), rtol=1e-9, atol=0)


def test_a_cosine_is_all_in_the_band_of_its_frequency():
    row = torch.arange(32, dtype=torch.float64)
    for periods in range(1, 16):
        wave = 10 * torch.cos(2 * math.pi * periods * row / 32).expand(1, 1, 32, 32)
        real = torch.full_like(wave, 100.0)
        scores = scores_of(real, real + wave)
        (found,) = [score for score in scores if score.share > 1e-9]
        assert found.low <= periods / 32 < found.high
        assert found.lfd == pytest.approx(math.log1p(32 * 32 * 50))


def test_a_shift_of_the_image_is_all_phase_and_a_gain_all_amplitude():
    real, _ = pair(32, 32)
    for fake, part in ((real.roll(3, -1), "phase_share"), (0.5 * real, "amplitude_share")):
        for score in scores_of(real, fake):
            if score.share > 1e-9:  # a shift leaves the zero frequency alone
                assert getattr(score, part) == pytest.approx(1, abs=1e-9)
    gains = [score.gain_db for score in scores_of(real, 0.5 * real)]
    assert gains == pytest.approx([-20 * math.log10(2)] * 10)


def test_equal_images_have_no_error_to_share():
    real, _ = pair(8, 8)
    for score in scores_of(real, real, count=2):
        assert (score.lfd, score.share, score.amplitude_share, score.phase_share) == (0, None, None, None)
        assert score.gain_db == pytest.approx(0)


def test_a_band_without_power_has_no_gain():
    real = torch.full((1, 1, 8, 8), 7.0)
    scores = scores_of(real, 2 * real)
    assert scores[0].gain_db == pytest.approx(20 * math.log10(2))
    assert all(score.gain_db is None and score.lfd == 0 for score in scores[1:])
    faint = 1e-3 * pair(8, 8)[0]
    for one, other in ((real, faint[:1, :1]), (faint[:1, :1], real)):
        assert [score.gain_db is None for score in scores_of(one, other)] == [False] + 9 * [True]
    assert all(score.gain_db is not None for score in scores_of(faint, 2 * faint, count=2))


def test_shares_are_of_sums_and_lfd_is_a_mean_over_images():
    real, fake = pair(12, 10)
    parts = band_parts(real, fake, count=3)
    scores = scores_of(real, fake, count=3)
    errors = parts[..., :2].sum(-1)
    assert [score.lfd for score in scores] == pytest.approx(errors.log1p().mean(0).tolist())
    assert [score.share for score in scores] == pytest.approx((errors.sum(0) / errors.sum()).tolist())
    assert sum(score.share for score in scores) == pytest.approx(1)
    assert all(score.amplitude_share + score.phase_share == pytest.approx(1) for score in scores)
    assert isinstance(scores[0], BandScore)
    assert parts.shape[-1] == len(PARTS)


def test_integers_are_taken_and_shapes_that_differ_are_an_error():
    real, fake = pair(8, 8)
    levels = real.byte(), fake.byte()
    torch.testing.assert_close(band_parts(*levels), band_parts(*(level.double() for level in levels)))
    with pytest.raises(ShapeError, match="must have one common shape"):
        band_parts(real, fake[..., :7])


def test_pairs_of_another_size_than_was_said_are_an_error():
    sums = BandSums(4, size=(8, 7))
    for size in ((8, 9), (6, 7)):
        with pytest.raises(ShapeError, match=rf"all pairs must be 8x7, got \(1, 3, {size[0]}, {size[1]}\)"):
            sums.update(torch.zeros(1, 3, *size), torch.zeros(1, 3, *size))


def test_parts_are_named_in_their_order():
    assert PARTS == ("amplitude", "phase", "real", "fake")
