"""Values and gradients against the definition written the slow way, of images and volumes."""

import pytest
import torch

from ffltool.loss import focal_frequency_loss
from tests.loss.common import assert_all_near, assert_near, each_kind, graded, images, kinds
from tests.loss.slow import slow_loss, slow_patches

pytestmark = pytest.mark.usefixtures("one_thread")


def mean_slow_loss(pred, target, **kind):
    return slow_loss(pred, target, **kind).mean()


@each_kind
@pytest.mark.parametrize("alpha", [0, 0.5, 1, 2])
@pytest.mark.parametrize("shape", [(2, 3, 8, 6), (1, 1, 7, 9), (2, 1, 5, 8), (1, 2, 1, 6)])
def test_equals_the_slow_definition(shape, alpha, kind):
    pred, target = images(*shape)
    actual = focal_frequency_loss(pred, target, alpha=alpha, reduction="none", **kind)
    assert_near(actual, slow_loss(pred, target, alpha=alpha, **kind))


@kinds("dft", "pixels", "amplitude", "phase")  # scipy's DCT has no gradient
@pytest.mark.parametrize("shape", [(2, 3, 8, 6), (1, 1, 7, 9), (2, 1, 5, 8)])
def test_has_the_gradients_of_the_slow_definition(shape, kind):
    pair = images(*shape)
    actual = graded(focal_frequency_loss, *pair, **kind)
    assert_all_near(actual, graded(mean_slow_loss, *pair, **kind))


@kinds("dft", "dct", "pixels")
@pytest.mark.parametrize("patch_factor", [1, 2])
def test_alpha_0_is_the_mean_squared_error(patch_factor, kind):
    pair = images(2, 3, 6, 10)
    actual = graded(focal_frequency_loss, *pair, alpha=0, patch_factor=patch_factor, **kind)
    assert_all_near(actual, graded(torch.nn.functional.mse_loss, *pair))


@each_kind
@pytest.mark.parametrize("patch_factor", [1, 2])
@pytest.mark.parametrize("shape", [(2, 3, 4, 6, 8), (1, 1, 2, 6, 10)])
def test_volumes_equal_the_slow_definition(shape, patch_factor, kind):
    pred, target = images(*shape)
    parts = zip(slow_patches(pred, patch_factor), slow_patches(target, patch_factor), strict=True)
    expected = torch.stack([slow_loss(*part, **kind) for part in parts]).mean(0)
    assert_near(focal_frequency_loss(pred, target, patch_factor=patch_factor, reduction="none", **kind), expected)


@kinds("dft", "pixels", "amplitude", "phase")
@pytest.mark.parametrize("shape", [(2, 1, 3, 5, 7), (1, 2, 4, 3, 6)])
def test_volumes_have_the_gradients_of_the_slow_definition(shape, kind):
    pair = images(*shape)
    actual = graded(focal_frequency_loss, *pair, **kind)
    assert_all_near(actual, graded(mean_slow_loss, *pair, **kind))


@each_kind
@pytest.mark.parametrize("patch_factor", [1, 2])
def test_one_image_without_a_batch_is_a_batch_of_one(patch_factor, kind):
    pair, options = images(3, 8, 6), {"patch_factor": patch_factor, **kind}
    actual = graded(focal_frequency_loss, *pair, **options)
    value, *gradients = graded(focal_frequency_loss, *(image[None] for image in pair), **options)
    assert_all_near(actual, (value, *(gradient[0] for gradient in gradients)), 0)
