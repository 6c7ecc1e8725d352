"""One value for all, a sum, one for each image, and one for the mean of a batch."""

import pytest
import torch

from ffltool.loss import focal_frequency_loss
from tests.loss.common import assert_near, each_kind, images
from tests.loss.slow import slow_loss

pytestmark = pytest.mark.usefixtures("one_thread")


@each_kind
@pytest.mark.parametrize("patch_factor", [1, 2])
@pytest.mark.parametrize("shape", [(4, 3, 6, 8), (2, 1, 2, 4, 6)])
def test_reductions_agree(shape, patch_factor, kind):
    pair, options = images(*shape), {"patch_factor": patch_factor, **kind}
    mean, total, each = (
        focal_frequency_loss(*pair, reduction=reduction, **options) for reduction in ("mean", "sum", "none")
    )
    assert each.shape == shape[:1]
    alone = [focal_frequency_loss(*(batch[[n]] for batch in pair), **options) for n in range(len(each))]
    assert_near(each, torch.stack(alone))
    assert_near(mean, each.mean())
    assert_near(total, mean * pair[0].numel())


@pytest.mark.parametrize(("reduction", "factor"), [("mean", 1), ("sum", 3 * 6 * 8), ("none", 1)])
def test_one_image_without_a_batch_has_a_loss_without_dimensions(reduction, factor):
    pair = images(3, 6, 8)
    expected = factor * slow_loss(*(image[None] for image in pair)).squeeze()
    assert_near(focal_frequency_loss(*pair, reduction=reduction), expected)


def test_the_mean_of_a_batch_is_one_image():
    pair = images(4, 3, 6, 8)
    means = [batch.mean(0, keepdim=True) for batch in pair]
    for reduction in ("mean", "sum", "none"):
        actual = focal_frequency_loss(*pair, ave_spectrum=True, reduction=reduction)
        assert_near(actual, focal_frequency_loss(*means, reduction=reduction))
