"""What filters leave of images, and images of few frequencies."""

import math

import numpy as np
import pytest
import torch

from ffltool.bandlimit import FILTERS, Filter, accumulated, wave
from ffltool.errors import ShapeError
from ffltool.radial import frequency_radius
from tests.bandlimit.common import each_filter, each_size, random

pytestmark = pytest.mark.usefixtures("one_thread")


def slow(image, gain):
    """Multiply the spectrum by a gain as the definition says."""
    return torch.as_tensor(np.fft.ifft2(np.fft.fft2(image.numpy()) * gain.numpy()))


@each_size
@each_filter
def test_what_is_left_equals_the_definition(chosen, size):
    image = random(2, 3, *size)
    left, expected = chosen.apply(image), slow(image, chosen.gain(*size))
    torch.testing.assert_close(expected.imag, torch.zeros_like(image), rtol=0, atol=1e-12)
    torch.testing.assert_close(left, expected.real, rtol=0, atol=1e-12)


@each_size
@pytest.mark.parametrize(("name", "opposite"), [("low-pass", "high-pass"), ("band-pass", "band-stop")])
def test_ideal_filters_and_their_opposites_add_up_to_the_image(name, opposite, size):
    image, edges = random(3, *size), (0.1, 0.3)[: FILTERS[name]]
    torch.testing.assert_close(Filter(name, edges).apply(image) + Filter(opposite, edges).apply(image), image)


@pytest.mark.parametrize(("edge", "kept"), [(0.1, False), (0.25, False), (0.26, True), (0.5, True)])
def test_a_cosine_from_the_cut_off_on_leaves_its_mean(edge, kept):
    image = 0.5 + 0.25 * wave(0, 5, height=20, width=8)
    expected = image if kept else torch.full_like(image, 0.5)
    torch.testing.assert_close(Filter("low-pass", (edge,)).apply(image), expected)


@each_filter
def test_a_constant_image_stays_or_goes(chosen):
    image = torch.full((3, 8, 9), 0.3)
    torch.testing.assert_close(chosen.apply(image), image * chosen.gain(8, 9)[0, 0])


@each_filter
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_stays(chosen, dtype):
    assert chosen.apply(random(8, 9).to(dtype)).dtype == dtype


def test_the_gradient_is_that_of_a_filter_which_is_its_own_transpose():
    image, other = random(7, 8).requires_grad_(), random(7, 8, seed=2)
    chosen = Filter("low-pass", (0.2,), "gaussian")
    (chosen.apply(image) * other).sum().backward()
    torch.testing.assert_close(image.grad, chosen.apply(other))


@pytest.mark.parametrize("shape", [(5,), (0, 5), (3, 0, 0)])
def test_what_is_no_image_is_refused(shape):
    with pytest.raises(ShapeError, match=r"images \(\.\.\., H, W\) are wanted"):
        Filter("point-stop").apply(torch.zeros(shape))


@each_size
def test_images_of_few_frequencies_go_from_the_mean_to_the_image(size):
    image = random(3, *size)
    first, last = accumulated(image, [0, math.sqrt(0.5)])
    torch.testing.assert_close(first, image.mean((-2, -1), keepdim=True).expand_as(image))
    torch.testing.assert_close(last, image)


def test_images_of_few_frequencies_hold_those_up_to_the_limit():
    image, limits = random(20, 20), (0.05, 0.1, 0.5)
    for limit, found in zip(limits, accumulated(image, limits), strict=True):
        gain = (frequency_radius(20, 20) <= limit + 1e-12).double()
        torch.testing.assert_close(found, slow(image, gain).real, rtol=0, atol=1e-12)
