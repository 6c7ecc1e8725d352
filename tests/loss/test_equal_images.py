"""Equal images have loss 0 and gradient 0, whatever is asked."""

import pytest
import torch

from ffltool.loss import focal_frequency_loss
from tests.loss.common import each_kind, graded, images
from tests.loss.slow import slow_loss

pytestmark = pytest.mark.usefixtures("one_thread")


@each_kind
@pytest.mark.parametrize("alpha", [0, 0.1, 0.5, 1, 2])
@pytest.mark.parametrize("level", [0, 1])
def test_equal_images_have_loss_0_and_gradient_0(level, alpha, kind):
    image = level * images(2, 3, 6, 7)[0]
    for result in graded(focal_frequency_loss, image, image.clone(), alpha=alpha, **kind):
        assert torch.equal(result, torch.zeros_like(result))


@pytest.mark.parametrize(
    "options",
    [
        {"log_matrix": True},
        {"batch_matrix": True},
        {"ave_spectrum": True},
        {"exclude_dc": True},
        {"patch_factor": 2},
        {"log_matrix": True, "alpha": 0},
    ],
    ids=str,
)
def test_equal_images_have_loss_0_and_gradient_0_with_every_option(options):
    image = images(2, 3, 6, 8, dtype=torch.float32)[0]
    for result in graded(focal_frequency_loss, image, image.clone(), **options):
        assert torch.equal(result, torch.zeros_like(result))


def test_an_equal_image_in_a_batch_does_not_spoil_the_others():
    pred, target = images(2, 1, 6, 8)
    pred[0] = target[0]
    value, gradient, _ = graded(focal_frequency_loss, pred, target, reduction="none")
    assert value[0] == 0
    assert value[1] == pytest.approx(slow_loss(pred[1:], target[1:]).item())
    assert torch.equal(gradient[0], torch.zeros_like(gradient[0]))
    assert gradient[1].isfinite().all()


def test_a_zero_of_either_sign_has_every_phase():
    black, image = torch.zeros(1, 1, 6, 8), images(1, 1, 6, 8)[0].float() - 0.5
    for pred, target in ((black, image), (image, black), (-black, image)):
        assert focal_frequency_loss(pred, target, component="phase") == 0
