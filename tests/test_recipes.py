"""Every recipe against a slow implementation of the same conventions, in float64 with NumPy and SciPy alone."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import scipy.signal
import torch

from ffltool.errors import InputError
from ffltool.mean_spectrum import MeanSpectrum, Whitening
from ffltool.recipes import CHOICES, PRESETS, Recipe, preset

SIZE = (12, 15)


@pytest.fixture
def images(rng):
    """Noise whose amplitude falls with the frequency, as that of photographs does: shape (5, 3, H, W), 0..255."""
    noise = scipy.ndimage.gaussian_filter(rng.standard_normal((5, 3, *SIZE)), (0, 0.5, 1, 1))
    return np.rint(125 + 90 * noise / np.abs(noise).max())


def grey(images):
    return (images * np.array([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdims=True)


def median_residual(images, size):
    return images - scipy.ndimage.median_filter(images, (1, 1, size, size), mode="nearest")


def windowed(images, of):
    window = np.outer(*map(of, images.shape[-2:]))
    return images * window / np.sqrt((window**2).mean())


def power(images, **settings):
    return np.abs(np.fft.fft2(images, **settings)) ** 2


def slow_ffltool(images):
    images = grey(images)
    mean = images.mean((-2, -1), keepdims=True)
    window = windowed(np.ones(SIZE), lambda size: scipy.signal.windows.hann(size, sym=False))
    weighted = (images * window).sum((-2, -1), keepdims=True) / window.sum()
    values = power((images - weighted) * window)
    values[..., 0, 0] = (mean[..., 0, 0] * images[0, 0].size) ** 2
    return values.mean((0, 1))


def slow_ffl(images):
    return np.log1p(np.abs(np.fft.fft2(grey(images)))).mean((0, 1))


def slow_wang2020(images):
    return np.abs(np.fft.fft2(median_residual(grey(images), 5)).mean(0)).mean(0)


def slow_ricker2022(images):
    return np.abs(np.fft.fft2(median_residual(grey(images) / 127.5 - 1, 3), norm="ortho").mean(0)).mean(0)


def slow_corvi2023(images):
    return power(median_residual(images / 255, 3), norm="ortho").mean((0, 1))


def slow_karras2021(images):
    values = windowed((images - images.mean()) / images.std(), lambda size: scipy.signal.windows.kaiser(size, 8))
    return power(values, s=(4 * SIZE[0], 4 * SIZE[1])).mean((0, 1)) / (SIZE[0] * SIZE[1])


def slow_frank2020(images):
    return np.log(np.abs(scipy.fft.dctn(grey(images), axes=(-2, -1), norm="ortho")) + 1e-12).mean((0, 1))


def slow_durall2020(images):
    return np.log(np.abs(np.fft.fft2(grey(images))) + 1e-12).mean((0, 1))


SLOW = {
    "ffltool": slow_ffltool,
    "ffl": slow_ffl,
    "wang2020": slow_wang2020,
    "ricker2022": slow_ricker2022,
    "corvi2023": slow_corvi2023,
    "karras2021": slow_karras2021,
    "frank2020": slow_frank2020,
    "durall2020": slow_durall2020,
}


DRAWN = ("show", "curves")  # what has no say before a figure


def map_of(images, recipe):
    whitening = Whitening(float(images.mean()), float(images.std()))
    mean = MeanSpectrum(recipe, *images.shape[-2:], whitening=whitening)
    mean.update(torch.as_tensor(images))
    return mean.compute().map.numpy()


def test_every_preset_has_a_slow_implementation():
    assert SLOW.keys() == PRESETS.keys()


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("channels", [1, 3])
def test_a_preset_is_what_its_slow_implementation_computes(images, name, channels):
    given = images[:, :channels]
    three = np.broadcast_to(given, images.shape)
    expected = SLOW[name](three)
    if PRESETS[name].transform == "dft":
        expected = np.fft.fftshift(expected)
    actual = map_of(given, PRESETS[name])
    if PRESETS[name].average in ("log", "log1p"):
        # a thousandth of a neper: the float32 transform of a mean of 125 leaves 1e-7 of it at every frequency
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-3)
    else:
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-7 * expected.max())


def test_a_mean_of_set_whitened_images_is_that_of_pixels_of_deviation_one(images):
    recipe = replace(PRESETS["karras2021"], pad=1, window="none")
    # Parseval: mean over frequencies of |F|^2 / (H W) is the mean square of the pixels
    assert map_of(images, recipe).mean() == pytest.approx(1, rel=1e-5)


@pytest.mark.parametrize("window", ["none", "hann", "kaiser"])
def test_zeros_around_an_image_only_add_frequencies_between_its_own(images, window):
    once, thrice = (np.fft.ifftshift(map_of(images, Recipe(window=window, pad=pad))) for pad in (1, 3))
    np.testing.assert_allclose(thrice[::3, ::3], once, rtol=1e-3, atol=1e-7 * once.max())


@pytest.mark.parametrize("transform", ["dft", "dct"])
@pytest.mark.parametrize("pad", [1, 2, 3])
def test_the_mean_power_over_all_frequencies_is_that_of_the_pixels(images, transform, pad):
    recipe = Recipe(channels="rgb", window="none", transform=transform, orthonormal=True, pad=pad)
    assert map_of(images, recipe).mean() == pytest.approx((images**2).mean(), rel=1e-5)


@pytest.mark.parametrize(("option", "choice"), [(o, c) for o in CHOICES if o not in DRAWN for c in CHOICES[o]])
def test_every_choice_does_something(images, option, choice):
    base = Recipe(average="amplitude", orthonormal=True)
    changed = [map_of(images, replace(base, **{option: other})) for other in CHOICES[option] if other != choice]
    mine = map_of(images, replace(base, **{option: choice}))
    for other in changed:
        assert not np.allclose(mine, other, rtol=1e-3, atol=0)


def test_padding_and_scale_do_something(images):
    once, twice = (map_of(images, Recipe(pad=pad)) for pad in (1, 2))
    assert twice.shape == (2 * once.shape[0], 2 * once.shape[1])
    np.testing.assert_allclose(map_of(images, Recipe(orthonormal=True)), once / (SIZE[0] * SIZE[1]), rtol=1e-5)


@pytest.mark.parametrize("option", CHOICES)
def test_an_unknown_choice_is_an_error_that_lists_the_choices(option):
    with pytest.raises(InputError) as caught:
        Recipe(**{option: "x"})
    assert str(caught.value) == f"{option} cannot be 'x'; known are {', '.join(CHOICES[option])}"


@pytest.mark.parametrize("pad", [0, -1, 17, 1.5])
def test_padding_that_cannot_be_is_an_error(pad):
    with pytest.raises(InputError, match=f"pad must be 1 to 16 times the sides of the image, got {pad}"):
        Recipe(pad=pad)


def test_an_unknown_preset_is_an_error_that_lists_the_choices():
    with pytest.raises(InputError, match=r"no preset 'wang'; known are ffltool, ffl, wang2020, .*durall2020"):
        preset("wang")


def test_presets_are_found_by_name_and_the_first_is_the_default():
    assert preset("ffltool") == Recipe()
    assert [preset(name) for name in PRESETS] == list(PRESETS.values())
    assert len(set(PRESETS.values())) == len(PRESETS)


@pytest.mark.parametrize(
    ("channels", "level"),
    [("red", 200), ("green", 100), ("blue", 50), ("grey", 0.299 * 200 + 0.587 * 100 + 0.114 * 50)],
)
def test_channels_known_by_hand(channels, level):
    colour = np.array([200.0, 100.0, 50.0])[None, :, None, None] * np.ones((1, 1, 2, 4))
    assert map_of(colour, Recipe(channels=channels))[1, 2] == pytest.approx((8 * level) ** 2, rel=1e-6)


def test_all_three_channels_are_the_mean_of_each(images):
    each = [map_of(images, Recipe(channels=channel)) for channel in ("red", "green", "blue")]
    np.testing.assert_allclose(map_of(images, Recipe(channels="rgb")), np.mean(each, 0), rtol=1e-5)


@pytest.mark.parametrize("channels", CHOICES["channels"])
def test_a_grey_image_is_the_same_in_every_channel(images, channels):
    one = images[:, :1]
    np.testing.assert_allclose(map_of(one, Recipe(channels=channels)), map_of(one, Recipe()), rtol=1e-5)


@pytest.mark.parametrize(("span", "black", "white"), [("0..255", 0, 255), ("0..1", 0, 1), ("-1..1", -1, 1)])
def test_spans_known_by_hand(span, black, white):
    recipe = Recipe(span=span, average="complex", transform="dct", window="none")
    for level, expected in ((0.0, black), (255.0, white)):
        # the orthonormal DCT of a constant is it times the root of the number of pixels
        assert map_of(np.full((1, 1, 3, 3), level), recipe)[0, 0] == pytest.approx(3 * abs(expected), abs=1e-6)


def test_images_whitened_one_by_one_have_no_mean_and_deviation_one(images):
    power = map_of(images, Recipe(whiten="image", window="none", orthonormal=True))
    assert power[SIZE[0] // 2, SIZE[1] // 2] == pytest.approx(0, abs=1e-8)
    assert power.mean() == pytest.approx(1, rel=1e-5)
