import math

import numpy as np
import pytest
import scipy.fft
import scipy.signal
import torch

from ffltool.errors import InputError
from ffltool.spectrum import (
    WINDOWS,
    amplitude_only,
    centred,
    dct,
    decibels,
    log_amplitude,
    phase_only,
    spectrum,
    swapped,
    whole,
    window,
)

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


PLANES = [(8, 8), (7, 9), (6, 11), (1, 5)]  # sides even and odd, and one frequency along an axis
each_plane = pytest.mark.parametrize("size", PLANES)


def slow_spectrum(image):
    """The DFT of each plane by its definition."""
    height, width = image.shape[-2:]
    rows, columns = (np.exp(-2j * np.pi * np.outer(range(n), range(n)) / n) for n in (height, width))
    return rows @ image @ columns


def slow_image(spectrum):
    """The image that has this spectrum."""
    image = np.conj(slow_spectrum(np.conj(spectrum))) / spectrum[0, 0].size
    np.testing.assert_allclose(image.imag, 0, atol=1e-12)
    return image.real


@each_plane
def test_swapped_has_the_amplitude_of_one_and_the_phase_of_the_other(rng, size):
    one, other = rng.random((2, 2, 3, *size))
    amplitude, phase = np.abs(slow_spectrum(one)), np.angle(slow_spectrum(other))
    expected = torch.as_tensor(slow_image(amplitude * np.exp(1j * phase)))
    actual = swapped(torch.as_tensor(one), torch.as_tensor(other))
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-12)


@each_plane
def test_swapped_with_itself_an_image_stays_what_it_is(rng, size):
    image = torch.as_tensor(rng.random((2, 3, *size)))
    torch.testing.assert_close(swapped(image, image), image, rtol=1e-12, atol=1e-12)


def test_swapped_back_an_image_is_what_it_was(rng):
    one, other = torch.as_tensor(rng.random((2, 3, 7, 10)))
    mixed = swapped(one, other)
    torch.testing.assert_close(swapped(other, mixed), other, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(swapped(mixed, one), one, rtol=1e-10, atol=1e-10)


@each_plane
def test_phase_only_keeps_mean_deviation_and_every_phase(rng, size):
    image = rng.random((2, 3, *size))
    actual = phase_only(torch.as_tensor(image)).numpy()
    np.testing.assert_allclose(actual.mean((-2, -1)), image.mean((-2, -1)), rtol=1e-10)
    np.testing.assert_allclose(actual.std((-2, -1)), image.std((-2, -1)), rtol=1e-10)
    # -pi and pi are one phase, so directions are compared
    directions = [np.exp(1j * np.angle(slow_spectrum(planes))) for planes in (actual, image)]
    np.testing.assert_allclose(*directions, atol=1e-9)


@each_plane
def test_phase_only_has_one_amplitude_but_for_the_zero_frequency(rng, size):
    image = rng.random((2, 3, *size))
    amplitude = np.abs(slow_spectrum(phase_only(torch.as_tensor(image)).numpy())).reshape(2, 3, -1)
    others = amplitude[..., 1:]
    np.testing.assert_allclose(others, np.broadcast_to(others.mean(-1, keepdims=True), others.shape), rtol=1e-9)
    np.testing.assert_allclose(amplitude[..., 0], image.sum((-2, -1)), rtol=1e-10)


@pytest.mark.parametrize("size", [(1, 1), (4, 4)])
def test_phase_only_leaves_a_constant_as_it_is(size):
    image = torch.full((1, *size), 0.25, dtype=torch.float64)
    torch.testing.assert_close(phase_only(image), image)


@each_plane
def test_amplitude_only_keeps_the_amplitude_and_has_no_phase_about_its_middle(rng, size):
    image = rng.random((2, 3, *size))
    actual = amplitude_only(torch.as_tensor(image)).numpy()
    found = slow_spectrum(np.fft.ifftshift(actual, axes=(-2, -1)))
    np.testing.assert_allclose(found, np.abs(slow_spectrum(image)), atol=1e-10)


@each_plane
def test_amplitude_only_is_brightest_in_the_middle(rng, size):
    height, width = size
    for plane in amplitude_only(torch.as_tensor(rng.random((3, *size)))):
        assert plane.argmax() == height // 2 * width + width // 2


def test_images_of_a_spectrum_keep_single_precision_and_their_input(rng):
    image = torch.as_tensor(rng.random((3, 6, 7))).float()
    copy = image.clone()
    for made in (swapped(image, image), phase_only(image), amplitude_only(image)):
        assert (made.dtype, made.shape) == (torch.float32, image.shape)
    assert torch.equal(image, copy)


@pytest.mark.parametrize("height", [1, 2, 5, 8])
@pytest.mark.parametrize("width", range(1, 10))
def test_the_whole_of_a_real_transform_is_the_complex_one(rng, height, width):
    image = torch.as_tensor(rng.random((2, 3, height, width)))
    half = torch.fft.rfft2(image).abs()
    torch.testing.assert_close(whole(half, width=width), torch.fft.fft2(image).abs(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize("size", [(8, 8), (7, 12), (1, 5), (4, 1), (256, 3)])
def test_the_mean_square_of_a_window_is_one(kind, size):
    values = window(*size, kind=kind)
    assert (values.dtype, values.shape) == (torch.float64, size)
    assert float(values.square().mean()) == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize(
    ("kind", "one_axis"),
    [
        ("none", np.ones),
        ("hann", lambda size: scipy.signal.windows.hann(size, sym=False)),
        ("kaiser", lambda size: scipy.signal.windows.kaiser(size, 8, sym=True)),
    ],
)
@pytest.mark.parametrize("size", [(8, 8), (7, 12), (1, 5), (64, 33)])
def test_windows_have_the_shape_of_those_of_scipy(kind, one_axis, size):
    expected = np.outer(*map(one_axis, size))
    # 1e-9: the Bessel functions of the two agree to that
    np.testing.assert_allclose(window(*size, kind=kind), expected / np.sqrt((expected**2).mean()), rtol=1e-9)


def test_an_unknown_window_is_an_error_that_lists_the_choices():
    with pytest.raises(InputError, match=r"no window 'hamming'; known are none, hann, kaiser"):
        window(4, 4, kind="hamming")


def test_decibels_known_by_hand():
    assert decibels(torch.tensor([1e-3, 1.0, 10.0, 1e6, 0.0])).tolist() == [-30, 0, 10, 60, -math.inf]
