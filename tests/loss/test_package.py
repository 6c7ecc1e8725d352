"""Values and gradients against those of the package focal-frequency-loss 0.3.0."""

from itertools import product

import pytest
import torch
from focal_frequency_loss import FocalFrequencyLoss as Package

from ffltool.loss import FocalFrequencyLoss, focal_frequency_loss
from tests.loss.common import assert_all_near, graded, images

pytestmark = pytest.mark.usefixtures("one_thread")

# rounding of float32 and float64, relative to the value or to the norm of the gradient
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
each_precision = pytest.mark.parametrize("dtype", TOLERANCE, ids=str)


@each_precision
@pytest.mark.parametrize("flags", list(product([False, True], repeat=3)), ids=str)
@pytest.mark.parametrize("patch_factor", [1, 2, 4])
@pytest.mark.parametrize("alpha", [0, 0.1, 0.5, 1, 2])
def test_equals_the_package_in_value_and_gradients(alpha, patch_factor, flags, dtype):
    pair = images(2, 3, 12, 20, dtype=dtype)
    ours, package = (Loss(1.0, alpha, patch_factor, *flags) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair), graded(package, *pair), TOLERANCE[dtype])


@each_precision
@pytest.mark.parametrize("ave_spectrum", [False, True])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1, 1), (1, 1, 1, 6), (2, 1, 7, 1), (1, 1, 7, 5), (1, 3, 9, 16), (3, 2, 16, 9), (4, 1, 2, 2)]
)
def test_equals_the_package_for_odd_and_non_square_sizes(shape, ave_spectrum, dtype):
    pair = images(*shape, dtype=dtype)
    ours, package = (Loss(ave_spectrum=ave_spectrum) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair), graded(package, *pair), TOLERANCE[dtype])


@each_precision
@pytest.mark.parametrize("batch_matrix", [False, True])
def test_equals_the_package_for_images_of_a_usual_size(batch_matrix, dtype):
    pair = images(2, 3, 256, 240, dtype=dtype)
    ours, package = (Loss(batch_matrix=batch_matrix) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair), graded(package, *pair), TOLERANCE[dtype])


@each_precision
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((8, 10), {}),
        ((3, 8, 10), {}),
        ((2, 1, 3, 8, 10), {}),
        ((1, 1, 3, 8, 10), {}),
        ((2, 1, 1, 1, 1), {}),
        ((8, 10), {"alpha": 2.0, "log_matrix": True, "batch_matrix": True}),
        ((3, 8, 10), {"ave_spectrum": True}),
        ((4, 5), {"patch_factor": 2}),
        ((3, 4, 5), {"patch_factor": 2}),
        ((2, 1, 3, 4, 5), {"patch_factor": 2}),
        ((2, 4, 3, 4, 5), {"patch_factor": 2}),
        ((1, 4, 3, 4, 5), {"patch_factor": 2, "ave_spectrum": True}),
    ],
    ids=str,
)
def test_equals_the_package_with_a_given_matrix(shape, options, dtype):
    pair, (matrix, _) = images(2, 3, 8, 10, dtype=dtype), images(*shape, dtype=dtype, seed=2)
    ours, package = (Loss(**options) for Loss in (FocalFrequencyLoss, Package))
    assert_all_near(graded(ours, *pair, matrix=matrix), graded(package, *pair, matrix=matrix), TOLERANCE[dtype])


@each_precision
def test_equals_the_package_with_a_loss_weight(dtype):
    pair = images(2, 3, 8, 10, dtype=dtype)
    assert_all_near(graded(FocalFrequencyLoss(2.5), *pair), graded(Package(2.5), *pair), TOLERANCE[dtype])


@each_precision
@pytest.mark.parametrize("scale", [255, 1e-4])
@pytest.mark.parametrize("log_matrix", [False, True])
def test_equals_the_package_in_any_range_of_values(log_matrix, scale, dtype):
    pair = [scale * batch for batch in images(2, 3, 8, 10, dtype=dtype)]
    ours, package = (Loss(log_matrix=log_matrix) for Loss in (FocalFrequencyLoss, Package))
    # the package in double precision: in single precision its ln(x + 1) of a small x keeps three digits
    expected = graded(package, *(batch.double() for batch in pair))
    assert_all_near(graded(ours, *pair), [result.to(dtype) for result in expected], TOLERANCE[dtype])


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"alpha": 0.5},
        {"alpha": 2.0},
        {"log_matrix": True},
        {"batch_matrix": True},
        {"ave_spectrum": True},
        {"patch_factor": 2},
    ],
    ids=str,
)
def test_a_gradient_penalty_has_the_gradient_of_the_package(options):
    def penalty(loss):
        def penalty(*pair):
            gradients = torch.autograd.grad(loss(*pair), pair, create_graph=True)
            return gradients[0].square().sum() + gradients[1].pow(3).sum()

        return graded(penalty, *images(2, 3, 8, 10))

    assert_all_near(penalty(FocalFrequencyLoss(**options)), penalty(Package(**options)))


def test_weights_per_image_are_averaged_where_spectra_are():
    pred, target = images(2, 3, 8, 8)
    matrix = torch.rand(2, 1, 3, 8, 8, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    expected = Package(ave_spectrum=True)(pred, target, matrix)
    torch.testing.assert_close(focal_frequency_loss(pred, target, matrix, ave_spectrum=True), expected)
