"""Values and gradients known by hand."""

import math

import pytest
import torch

from ffltool.loss import focal_frequency_loss
from tests.loss.common import assert_near, graded

pytestmark = pytest.mark.usefixtures("one_thread")


def two_waves():
    """Waves of 1 and 2 periods with amplitudes 1 and 1/2, each of them two coefficients: of 4 and of 2, on 8 x 8."""
    x = torch.arange(8, dtype=torch.float64) / 8
    return torch.cos(2 * math.pi * x).expand(8, 8), (torch.cos(4 * math.pi * x)[:, None] / 2).expand(8, 8)


@pytest.mark.parametrize(
    ("options", "second_weight"),
    [
        ({"alpha": 0}, 1),
        ({}, 1 / 2),
        ({"alpha": 2.0}, 1 / 4),
        ({"log_matrix": True}, math.log(2 + 1) / math.log(4 + 1)),
        ({"log_matrix": True, "alpha": 2.0}, math.log(4 + 1) / math.log(16 + 1)),
    ],
    ids=str,
)
def test_value_and_gradient_known_by_hand_for_two_waves(options, second_weight):
    first, second = two_waves()
    target = torch.full((1, 1, 8, 8), 0.3, dtype=torch.float64)
    pred = target + first + second
    value, gradient, _ = graded(focal_frequency_loss, pred, target, **options)
    assert value.item() == pytest.approx((2 * 4**2 + second_weight * 2 * 2**2) / 64, rel=1e-13)
    assert_near(gradient, (2 / 64 * (first + second_weight * second))[None, None], 1e-13)


def test_value_known_by_hand_where_the_worst_frequency_of_the_batch_has_weight_1():
    first, second = two_waves()
    pred = torch.stack([first, second])[:, None]
    alone, together = (
        focal_frequency_loss(pred, 0 * pred, batch_matrix=batch_matrix, reduction="none").tolist()
        for batch_matrix in (False, True)
    )
    assert alone == pytest.approx([2 * 4**2 / 64, 2 * 2**2 / 64], rel=1e-13)
    assert together == pytest.approx([2 * 4**2 / 64, 2 * 2**2 / 64 / 2], rel=1e-13)


def test_a_shift_has_a_phase_known_by_hand_and_no_amplitude():
    dot = torch.zeros(1, 1, 4, 8, dtype=torch.float64)
    dot[..., 0, 0] = 1
    shifted = dot.roll(4, -1)  # by half the width: the odd columns of the spectrum are turned by pi
    assert focal_frequency_loss(dot, shifted, component="phase").item() == pytest.approx(math.pi**2 / 2, rel=1e-13)
    assert focal_frequency_loss(dot, shifted, component="amplitude") < 1e-30


def test_contrast_has_an_amplitude_known_by_hand_and_no_phase():
    dot = torch.zeros(1, 1, 4, 8, dtype=torch.float64)
    dot[..., 0, 0] = 1  # every amplitude is 1 / sqrt(32)
    assert focal_frequency_loss(3 * dot, dot, component="amplitude").item() == pytest.approx(2**2 / 32, rel=1e-13)
    assert focal_frequency_loss(3 * dot, dot, component="phase") == 0
