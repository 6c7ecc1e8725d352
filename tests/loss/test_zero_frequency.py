"""What `exclude_dc` leaves out."""

import pytest
import torch

from ffltool.loss import focal_frequency_loss
from tests.loss.common import assert_all_near, assert_near, graded, images, kinds
from tests.loss.slow import slow_loss

pytestmark = pytest.mark.usefixtures("one_thread")

each_spectrum = kinds("dft", "dct", "amplitude", "phase")


@each_spectrum
@pytest.mark.parametrize("options", [{}, {"patch_factor": 2}, {"batch_matrix": True}, {"log_matrix": True}], ids=str)
def test_without_dc_a_constant_changes_nothing(options, kind):
    pred, target = images(2, 3, 6, 8)
    options = {"exclude_dc": True, **options, **kind}
    actual = graded(focal_frequency_loss, pred + 100, target, **options)
    # 1e-9: to add 100 costs two of sixteen digits, and a small amplitude's phase feels it most
    assert_all_near(actual, graded(focal_frequency_loss, pred, target, **options), 1e-9)
    assert actual[0] > 0


@kinds("dft", "dct")
@pytest.mark.parametrize("alpha", [0, 1])
def test_without_dc_the_loss_is_that_of_the_difference_without_its_mean(alpha, kind):
    pred, target = images(2, 3, 6, 7)
    free = pred - target
    free = free - free.mean((-2, -1), keepdim=True)
    actual = focal_frequency_loss(pred + 100, target, alpha=alpha, exclude_dc=True, **kind)
    assert_near(actual, focal_frequency_loss(free, torch.zeros_like(free), alpha=alpha, **kind))


@each_spectrum
@pytest.mark.parametrize("shape", [(2, 3, 6, 7), (1, 2, 4, 5, 6)])
def test_without_dc_equals_the_slow_definition(shape, kind):
    pred, target = images(*shape)
    actual = focal_frequency_loss(pred + 1, target, exclude_dc=True, reduction="none", **kind)
    assert_near(actual, slow_loss(pred + 1, target, exclude_dc=True, **kind))


@each_spectrum
def test_without_dc_a_given_matrix_loses_its_zero_frequency(kind):
    pair, (matrix, _) = images(2, 3, 6, 7), images(6, 7, seed=2)
    actual = focal_frequency_loss(*pair, matrix, exclude_dc=True, **kind)
    matrix[0, 0] = 0
    assert_near(actual, focal_frequency_loss(*pair, matrix, **kind))
