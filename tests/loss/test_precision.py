"""Types of numbers: half, single, double and mixed precision, autocast, large exponents."""

import pytest
import torch

from ffltool.loss import focal_frequency_loss
from tests.loss.common import assert_all_near, each_kind, graded, images, kinds

pytestmark = pytest.mark.usefixtures("one_thread")


@each_kind
@pytest.mark.parametrize("options", [{}, {"patch_factor": 2}, {"ave_spectrum": True}, {"reduction": "sum"}], ids=str)
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision_is_computed_in_single_precision(dtype, options, kind):
    pair = images(2, 3, 6, 8, dtype=dtype)
    actual = graded(focal_frequency_loss, *pair, **options, **kind)
    single = graded(focal_frequency_loss, *(batch.float() for batch in pair), **options, **kind)
    assert_all_near(actual, [result.to(dtype) for result in single], 0)


@kinds("dft", "dct")
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32], ids=str)
def test_autocast_changes_nothing(dtype, kind):
    pair, (matrix, _) = images(2, 3, 6, 8, dtype=dtype), images(6, 8, seed=2)

    def with_autocast(*pair, **options):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return focal_frequency_loss(*pair, **options)

    for options in ({}, {"matrix": matrix}, {"patch_factor": 2}):
        options = {**options, **kind}
        assert_all_near(graded(with_autocast, *pair, **options), graded(focal_frequency_loss, *pair, **options), 0)


@each_kind
@pytest.mark.parametrize(
    ("dtypes", "promoted"),
    [
        ((torch.bfloat16, torch.float32), torch.float32),
        ((torch.float32, torch.float16), torch.float32),
        ((torch.float16, torch.bfloat16), torch.float32),
        ((torch.float32, torch.float64), torch.float64),
        ((torch.bfloat16, torch.float64), torch.float64),
    ],
    ids=str,
)
def test_mixed_types_give_the_larger_one_and_gradients_of_their_own(dtypes, promoted, kind):
    pair = [batch.to(dtype) for batch, dtype in zip(images(2, 3, 6, 8), dtypes, strict=True)]
    actual = graded(focal_frequency_loss, *pair, **kind)
    same = graded(focal_frequency_loss, *(batch.to(promoted) for batch in pair), **kind)
    expected = [result.to(dtype) for result, dtype in zip(same, (promoted, *dtypes), strict=True)]
    assert_all_near(actual, expected, 0)


def test_large_exponents_neither_underflow_nor_overflow():
    for scale, alpha in ((1e-4, 10.0), (255.0, 20.0)):
        pred, target = images(2, 3, 16, 16)
        expected = focal_frequency_loss(pred * scale, target * scale, alpha=alpha)
        found = focal_frequency_loss((pred * scale).float(), (target * scale).float(), alpha=alpha)
        assert found.item() == pytest.approx(expected.item(), rel=1e-4)  # alpha times float32's resolution, and a bit
