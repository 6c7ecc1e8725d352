"""Patches, those that fit and those that are filled up with zeros."""

import numpy as np
import pytest
import torch

from ffltool.errors import ShapeError
from ffltool.loss import focal_frequency_loss
from tests.loss.common import assert_all_near, assert_near, each_kind, graded, images
from tests.loss.slow import slow_patches

pytestmark = pytest.mark.usefixtures("one_thread")


@each_kind
@pytest.mark.parametrize("shape", [(2, 3, 8, 12), (1, 1, 6, 10), (2, 2, 4, 6, 8)])
def test_patches_are_images_of_their_own(shape, kind):
    pred, target = images(*shape)
    parts = zip(slow_patches(pred, 2), slow_patches(target, 2), strict=True)
    expected = torch.stack([focal_frequency_loss(*part, reduction="none", **kind) for part in parts]).mean(0)
    assert_near(focal_frequency_loss(pred, target, patch_factor=2, reduction="none", **kind), expected)


@pytest.mark.parametrize(
    ("shape", "factor", "size"),
    [((1, 1, 8, 10), 4, 10), ((1, 1, 10, 8), 4, 10), ((3, 7, 8), 2, 7), ((1, 1, 4, 4, 6), 4, 6), ((1, 1, 2, 2), 3, 2)],
)
def test_a_side_that_cannot_be_cut_is_an_error_with_both_numbers(shape, factor, size):
    pair = images(*shape)
    with pytest.raises(ShapeError, match=f"^patch_factor {factor} does not divide the side {size}; pad=True appends"):
        focal_frequency_loss(*pair, patch_factor=factor)


@each_kind
@pytest.mark.parametrize(
    ("shape", "padding"),
    [
        ((2, 3, 7, 9), (0, 3, 0, 1)),
        ((3, 7, 9), (0, 3, 0, 1)),
        ((1, 1, 8, 10), (0, 2, 0, 0)),
        ((1, 1, 3, 2), (0, 2, 0, 1)),
        ((1, 2, 3, 5, 8), (0, 0, 0, 3, 0, 1)),
        ((1, 1, 4, 8), (0, 0, 0, 0)),
    ],
)
def test_padding_equals_zeros_appended_by_hand(shape, padding, kind):
    pair, options = images(*shape), {"patch_factor": 4, **kind}

    def by_hand(*pair):
        return focal_frequency_loss(*(torch.nn.functional.pad(batch, padding) for batch in pair), **options)

    actual = graded(focal_frequency_loss, *pair, pad=True, **options)
    assert_all_near(actual, graded(by_hand, *pair), 0)


def test_any_whole_number_cuts_patches():
    pred, target = images(2, 3, 8, 8)
    assert focal_frequency_loss(pred, target, patch_factor=np.int64(2)) == focal_frequency_loss(
        pred, target, patch_factor=2
    )
