import math

import numpy as np
import pytest
import scipy.fft
import torch

from ffltool.spectrum import centred, dct, log_amplitude, spectrum

SIZES = [(8, 8), (7, 9), (6, 11), (1, 5), (4, 1)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("orthonormal", [False, True])
def test_spectrum_equals_numpy(rng, size, orthonormal):
    image = rng.random((2, 3, *size))
    expected = np.fft.fft2(image, norm="ortho" if orthonormal else None)
    torch.testing.assert_close(spectrum(torch.as_tensor(image), orthonormal=orthonormal), torch.as_tensor(expected))


@pytest.mark.parametrize("size", SIZES)
def test_an_orthonormal_spectrum_keeps_the_energy(rng, size):
    image = torch.as_tensor(rng.random((2, 3, *size)))
    energy = spectrum(image, orthonormal=True).abs().square().sum((-2, -1))
    torch.testing.assert_close(energy, image.square().sum((-2, -1)))


@pytest.mark.parametrize(("dtype", "expected"), [(torch.float32, torch.complex64), (torch.float64, torch.complex128)])
def test_spectrum_keeps_the_precision(dtype, expected):
    assert spectrum(torch.ones(1, 2, 3, dtype=dtype)).dtype == expected


@pytest.mark.parametrize("size", SIZES)
def test_centred_puts_the_zero_frequency_at_half_the_size_rounded_down(size):
    height, width = size
    values = torch.arange(height * width).reshape(1, height, width)
    moved = centred(values)
    assert moved[0, height // 2, width // 2] == 0
    torch.testing.assert_close(moved, torch.as_tensor(np.fft.fftshift(values.numpy(), axes=(-2, -1))))


@pytest.mark.parametrize("size", SIZES)
def test_log_amplitude_of_a_constant_is_a_dot_in_the_centre(size):
    height, width = size
    expected = torch.zeros(2, height, width, dtype=torch.float64)
    expected[:, height // 2, width // 2] = math.log1p(0.5 * height * width)
    actual = log_amplitude(torch.full((2, height, width), 0.5, dtype=torch.float64))
    torch.testing.assert_close(actual, expected, rtol=1e-12, atol=1e-12)


def test_log_amplitude_of_a_wave_known_by_hand():
    wave = torch.cos(2 * math.pi * torch.arange(8, dtype=torch.float64) / 8).expand(6, 8)  # once around each row
    expected = torch.zeros(6, 8, dtype=torch.float64)
    expected[3, [3, 5]] = math.log1p(6 * 8 / 2)
    torch.testing.assert_close(log_amplitude(wave), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("shape", [(2, 4, 6, 8), (1, 5, 7, 9), (3, 1, 2, 1)])
def test_dct_equals_scipy(rng, shape, axes):
    values = rng.random(shape)
    expected = torch.as_tensor(scipy.fft.dctn(values, axes=range(-axes, 0), norm="ortho"))
    torch.testing.assert_close(dct(torch.as_tensor(values), axes=axes), expected, rtol=1e-12, atol=1e-12)


def test_dct_is_over_the_last_two_axes_unless_told(rng):
    values = torch.as_tensor(rng.random((2, 3, 4, 5)))
    assert torch.equal(dct(values), dct(values, axes=2))


def test_dct_in_single_precision_stays_close_and_single(rng):
    values = torch.as_tensor(rng.random((3, 63, 64)))
    # 1e-5: sums of 64 products, each rounded to 7 digits
    torch.testing.assert_close(dct(values.float()), dct(values).float(), rtol=1e-5, atol=1e-5)


def test_dct_keeps_its_precision_under_autocast(rng):
    values = torch.as_tensor(rng.random((3, 15, 16))).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        actual = dct(values)
    assert actual.dtype == torch.float32
    assert torch.equal(actual, dct(values))


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_gradient_of_dct_is_right(rng, axes):
    values = torch.as_tensor(rng.random((2, 3, 4))).requires_grad_()
    assert torch.autograd.gradcheck(lambda values: dct(values, axes=axes), values)
    assert torch.autograd.gradgradcheck(lambda values: dct(values, axes=axes), values)


def test_dct_leaves_its_input_as_it_was_in_any_order_in_memory(rng):
    values = torch.as_tensor(rng.random((4, 6)))
    copy = values.clone()
    torch.testing.assert_close(dct(values.T.contiguous().T), dct(values))
    assert torch.equal(values, copy)
