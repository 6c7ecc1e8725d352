"""A matrix of weights that is given: its shapes, its type, and no gradient."""

import re

import pytest
import torch

from ffltool.errors import ShapeError
from ffltool.loss import focal_frequency_loss
from tests.loss.common import assert_near, each_kind, images

pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_matrix_may_have_the_shape_of_the_images():
    pair, (matrix, _) = images(2, 3, 8, 10), images(2, 3, 8, 10, seed=2)
    assert_near(focal_frequency_loss(*pair, matrix), focal_frequency_loss(*pair, matrix[:, None]), 0)
    image, volume = [batch[0] for batch in pair], [batch[:, :, None] for batch in pair]
    assert_near(
        focal_frequency_loss(*image, matrix[0]), focal_frequency_loss(*(batch[:1] for batch in pair), matrix[:1])
    )
    assert_near(focal_frequency_loss(*volume, matrix[:, :, None]), focal_frequency_loss(*pair, matrix))


@each_kind
@pytest.mark.parametrize(
    ("shape", "patch_factor", "wanted"),
    [
        ((8, 9), 1, (2, 3, 8, 10)),
        ((8, 6), 1, (2, 3, 8, 10)),  # half a spectrum
        ((4, 3, 8, 10), 1, (2, 3, 8, 10)),
        ((2, 4, 3, 8, 10), 1, (2, 3, 8, 10)),
        ((1, 2, 1, 3, 8, 10), 1, (2, 3, 8, 10)),
        ((8, 10), 2, (2, 4, 3, 4, 5)),
        ((2, 3, 3, 4, 5), 2, (2, 4, 3, 4, 5)),
    ],
)
def test_a_matrix_that_does_not_broadcast_is_an_error(shape, patch_factor, wanted, kind):
    message = re.escape(f"matrix {shape} does not broadcast to {wanted}")
    with pytest.raises(ShapeError, match=f"^{message}$"):
        focal_frequency_loss(*images(2, 3, 8, 10), torch.ones(shape), patch_factor=patch_factor, **kind)


@pytest.mark.parametrize("dtype", [torch.bool, torch.uint8, torch.float16, torch.float64], ids=str)
def test_a_matrix_may_have_another_type(dtype):
    pair = images(2, 3, 6, 8, dtype=torch.float32)
    matrix = torch.arange(48).reshape(6, 8).remainder(2).to(dtype)
    assert_near(focal_frequency_loss(*pair, matrix), focal_frequency_loss(*pair, matrix.float()), 0)


@each_kind
def test_a_given_matrix_gets_no_gradient(kind):
    pred, target = images(2, 3, 6, 5)
    matrix = images(6, 5, seed=2)[0].requires_grad_()
    focal_frequency_loss(pred.requires_grad_(), target, matrix, **kind).backward()
    assert pred.grad.isfinite().all()
    assert matrix.grad is None
