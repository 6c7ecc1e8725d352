"""Losses, weights and shares against torch's gradients and slow sums over the whole spectrum."""

from functools import partial

import numpy as np
import pytest
import torch

from ffltool.diagnose import diagnose
from ffltool.loss import focal_frequency_loss
from tests.diagnose.common import (
    BANDS,
    PAIRS,
    gradient,
    mean_over_pairs,
    norm_over_pairs,
    slow_cut,
    slow_parts,
    slow_shares,
    tensors,
)

pytestmark = pytest.mark.usefixtures("one_thread")

EXPONENTS = [0.0, 0.5, 1.0, 2.0, 3.0]
each_alpha = pytest.mark.parametrize("alpha", EXPONENTS)
each_set = pytest.mark.parametrize("pairs", PAIRS.values(), ids=PAIRS)


@each_set
def test_mse_and_l1_are_means_over_pairs(pairing, pairs):
    found = diagnose(pairing(*pairs))
    assert found.mse == pytest.approx(mean_over_pairs(torch.nn.functional.mse_loss, pairs), rel=1e-12)
    assert found.l1 == pytest.approx(mean_over_pairs(torch.nn.functional.l1_loss, pairs), rel=1e-12)


@each_alpha
@each_set
def test_ffl_is_the_mean_of_the_function_over_pairs(pairing, pairs, alpha):
    effect = diagnose(pairing(*pairs), alpha=alpha).effects[0]
    for value, options in ((effect.ffl, {}), (effect.without_dc, {"exclude_dc": True})):
        expected = mean_over_pairs(partial(focal_frequency_loss, alpha=alpha, **options), pairs)
        assert value == pytest.approx(expected, rel=1e-10)


@each_alpha
@each_set
def test_weights_make_the_gradients_equally_long_by_autograd(pairing, pairs, alpha):
    effect = diagnose(pairing(*pairs), alpha=alpha).effects[0]
    focal = norm_over_pairs(partial(focal_frequency_loss, alpha=alpha), pairs)
    for weight, other in ((effect.weight_for_mse, "mse_loss"), (effect.weight_for_l1, "l1_loss")):
        expected = norm_over_pairs(getattr(torch.nn.functional, other), pairs) / focal
        assert weight == pytest.approx(expected, rel=1e-10)


def test_gradients_of_a_set_are_those_of_the_mean_over_a_batch(pairing):
    pairs = PAIRS["set"]
    real, fake = (torch.stack(images) for images in zip(*tensors(pairs), strict=True))
    effect = diagnose(pairing(*pairs)).effects[0]
    mse, l1 = torch.nn.functional.mse_loss, torch.nn.functional.l1_loss
    focal, *others = (gradient(loss, real, fake).norm().item() for loss in (focal_frequency_loss, mse, l1))
    assert [effect.weight_for_mse, effect.weight_for_l1] == pytest.approx([other / focal for other in others])


def test_pixels_that_are_equal_have_no_gradient_of_l1(pairing):
    ((real, fake),) = PAIRS["colour"]
    fake = np.where(np.arange(16)[:, None] % 2, real, fake)
    effect = diagnose(pairing((real, fake))).effects[0]
    expected = norm_over_pairs(torch.nn.functional.l1_loss, [(real, fake)])
    assert effect.weight_for_l1 == pytest.approx(expected / norm_over_pairs(focal_frequency_loss, [(real, fake)]))


@each_alpha
@each_set
def test_shares_are_slow_sums_over_the_full_spectrum(pairing, pairs, alpha):
    found = diagnose(pairing(*pairs), alpha=alpha)
    assert [band.name for band in found.bands] == list(BANDS)
    assert [(band.low, band.high) for band in found.bands] == list(BANDS.values())
    for exponent, shares in (
        (alpha, [band.ffl_share for band in found.bands]),
        (0, [b.mse_share for b in found.bands]),
    ):
        assert shares == pytest.approx(list(slow_shares(pairs, exponent).values()), rel=1e-9, abs=1e-15)
        assert sum(shares) == pytest.approx(1, rel=1e-12)


@each_set
def test_dc_and_high_shares_are_those_of_the_bands(pairing, pairs):
    found = diagnose(pairing(*pairs))
    for effect in found.effects:
        shares = slow_shares(pairs, effect.alpha)
        assert effect.dc_share == pytest.approx(shares["dc"], rel=1e-9)
        high = sum(shares[name] for name in ("0.25-0.375", "0.375-0.5", "corner"))
        assert effect.high_share == pytest.approx(high, rel=1e-9)


@each_set
def test_what_the_zero_frequency_cuts_is_the_rest_without_it_over_the_rest_with_it(pairing, pairs):
    for effect in diagnose(pairing(*pairs), alpha=3.0).effects:
        assert effect.dc_cuts == pytest.approx(slow_cut(pairs, effect.alpha), rel=1e-9)


@each_alpha
def test_the_weight_matrix_is_the_centred_mean_over_pairs_and_channels(pairing, alpha):
    pairs = PAIRS["set"]
    found = diagnose(pairing(*pairs), alpha=alpha, one_size=True)
    every = [weight for real, fake in tensors(pairs) for _, weight, _ in slow_parts(real, fake, alpha=alpha)]
    assert len(every) == 9
    np.testing.assert_allclose(found.weight.numpy(), np.fft.fftshift(np.mean(every, 0)), rtol=1e-10)
    assert found.effects[0].mean_weight == pytest.approx(np.mean(every), rel=1e-10)


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_a_brightness_offset_weighs_the_centre_alone(pairing, size):
    real = np.full(size, 100, np.uint8)
    found = diagnose(pairing((real, real + 3)))
    height, width = size
    expected = torch.zeros(size, dtype=torch.float64)
    expected[height // 2, width // 2] = 1
    torch.testing.assert_close(found.weight, expected, rtol=0, atol=1e-10)
    assert found.effects[0].mean_weight == pytest.approx(1 / height / width)


@each_set
def test_alpha_0_is_the_mean_squared_error_with_weight_1(pairing, pairs):
    found = diagnose(pairing(*pairs), alpha=0.0)
    effect = found.effects[0]
    assert effect.ffl == pytest.approx(found.mse, rel=1e-12)
    assert effect.mean_weight == 1
    assert effect.weight_for_mse == pytest.approx(1, rel=1e-12)
    assert effect.dc_cuts == pytest.approx(1, rel=1e-12)
    assert [band.ffl_share for band in found.bands] == pytest.approx([band.mse_share for band in found.bands])
    if found.weight is not None:
        assert (found.weight == 1).all()
