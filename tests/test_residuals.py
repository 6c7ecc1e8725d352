import numpy as np
import pytest
import scipy.ndimage
import torch

from ffltool.errors import InputError
from ffltool.residuals import RESIDUALS, gauss, median, residual

SIZES = [(8, 8), (7, 12), (1, 5), (4, 1), (1, 1)]
each_size = pytest.mark.parametrize("size", SIZES, ids=str)


@each_size
@pytest.mark.parametrize("window", [1, 3, 5, 7])
def test_median_is_that_of_scipy_to_the_bit(rng, size, window):
    images = rng.random((2, 3, *size))
    expected = [[scipy.ndimage.median_filter(plane, window, mode="nearest") for plane in image] for image in images]
    np.testing.assert_array_equal(median(torch.as_tensor(images), size=window), expected)


@pytest.mark.parametrize("window", [3, 5])
def test_median_of_values_that_repeat_is_that_of_scipy(rng, window):
    image = rng.integers(0, 3, (16, 16)).astype(float)
    expected = scipy.ndimage.median_filter(image, window, mode="nearest")
    np.testing.assert_array_equal(median(torch.as_tensor(image), size=window), expected)


@each_size
@pytest.mark.parametrize("sigma", [0.5, 1.0, 1.7])
def test_gauss_is_that_of_scipy(rng, size, sigma):
    image = rng.random((3, *size))
    expected = [scipy.ndimage.gaussian_filter(plane, sigma, mode="nearest") for plane in image]
    # 1e-14: the sums of some ten weights round differently
    np.testing.assert_allclose(gauss(torch.as_tensor(image), sigma=sigma), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", RESIDUALS)
def test_a_residual_is_the_image_without_what_its_denoiser_keeps(rng, kind):
    image = torch.as_tensor(rng.random((2, 9, 8)))
    denoised = RESIDUALS[kind]
    expected = image if denoised is None else image - denoised(image)
    torch.testing.assert_close(residual(image, kind=kind), expected, rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["median3", "median5", "gauss"])
def test_a_constant_image_leaves_nothing(kind):
    # 1e-15: the weights of the Gaussian add up to 1 but for rounding
    torch.testing.assert_close(
        residual(torch.ones(6, 7).double(), kind=kind), torch.zeros(6, 7).double(), atol=1e-15, rtol=0
    )


def test_a_thin_line_stays_whole_in_the_residual_of_a_median_and_an_edge_vanishes():
    columns = torch.arange(16).expand(16, 16)
    grid = (columns % 8 == 3).float()
    assert torch.equal(residual(grid), grid)
    assert residual((columns >= 8).float()).abs().max() == 0


def test_a_median_keeps_a_bare_checkerboard_so_that_its_residual_is_nothing():
    # five of the nine pixels about each have its own value; in noise the checkerboard does show
    rows, columns = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
    board = (rows + columns) % 2 * 2.0 - 1
    assert residual(board)[1:-1, 1:-1].abs().max() == 0
    assert residual(board, kind="gauss")[4:-4, 4:-4].abs().min() > 0.9


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", RESIDUALS)
def test_the_precision_and_the_shape_are_kept(kind, dtype):
    result = residual(torch.ones(2, 3, 4, 5, dtype=dtype), kind=kind)
    assert (result.dtype, result.shape) == (dtype, (2, 3, 4, 5))


def test_an_unknown_residual_is_an_error_that_lists_the_choices():
    with pytest.raises(InputError, match=r"no residual 'mean'; known are none, median3, median5, gauss"):
        residual(torch.ones(4, 4), kind="mean")
