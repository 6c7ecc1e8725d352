"""What comes back under each objective, and that the numbers on the way are good ones."""

import math

import pytest
import torch

from ffltool.reconstruct import OPTIMIZERS, Descent, reconstruct
from tests.reconstruct.common import each_objective, random, steps_of

pytestmark = pytest.mark.usefixtures("one_thread")


def smooth(height=32, width=48):
    """A smooth picture in colour, values in 0.1..0.9."""
    y, x = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)
    return torch.stack([0.5 + 0.4 * torch.sin(3 * x + 2 * y), 0.2 + 0.6 * x * y, 0.5 + 0.3 * torch.cos(5 * y - x)])


def stripes(height=12, width=16):
    """Vertical stripes: all frequencies but a few of one row are exactly 0."""
    return (0.25 + 0.5 * (torch.arange(width) // 4 % 2)).expand(1, height, width).clone()


@pytest.mark.parametrize("objective", ["pixel", "frequency"])
def test_plain_descent_with_step_1_rebuilds_the_image_at_once(objective):
    step = steps_of(smooth(), objective, optimizer="sgd", steps=1)[-1]
    assert step.psnr > 100


def test_plain_descent_with_step_1_rebuilds_the_image_in_ten_steps_under_ffl():
    assert OPTIMIZERS["sgd"][1] == 1.0
    assert steps_of(smooth(), "ffl", optimizer="sgd", steps=10)[-1].psnr > 35


def test_lr_is_the_length_of_a_step():
    target = smooth()
    halves = steps_of(target, "pixel", optimizer="sgd", lr=0.5, steps=2)
    assert [step.loss for step in halves] == pytest.approx([halves[0].loss / 4**number for number in range(3)])


@pytest.mark.parametrize("objective", ["ffl", "frequency"])
def test_amplitude_and_phase_together_bring_the_image_back(objective):
    assert steps_of(smooth(), objective, steps=100)[-1].psnr > 35


def test_amplitude_alone_does_not_bring_the_image_back():
    first, *_, last = steps_of(smooth(), "amplitude", steps=100)
    assert last.loss < first.loss / 1000
    assert last.psnr < 20


@pytest.mark.parametrize("objective", ["phase", "phase-eq6"])
def test_phase_alone_does_not_bring_the_image_back(objective):
    first, *_, last = steps_of(smooth(), objective, steps=100)
    assert last.loss < first.loss / 5
    assert last.psnr < 20


IMAGES = {
    "grey 8x8": random(1, 8, 8),
    "colour 8x9": random(3, 8, 9),
    "constant": torch.full((1, 8, 8), 0.3),
    "black": torch.zeros(3, 9, 8),
    "stripes": stripes(),
}


@each_objective
@pytest.mark.parametrize("target", IMAGES.values(), ids=IMAGES)
def test_every_objective_runs_from_noise_and_stays_finite(target, objective):
    for step, image in reconstruct(target, objective, descent=Descent(steps=20)):
        assert all(map(math.isfinite, step))
        assert image.isfinite().all()


@each_objective
@pytest.mark.parametrize("target", IMAGES.values(), ids=IMAGES)
def test_every_objective_is_0_at_the_image_itself_and_stays_there(target, objective):
    for step, image in reconstruct(target, objective, start=target, descent=Descent(steps=3)):
        assert (step.loss, step.psnr, step.lfd) == (0, math.inf, 0)
        assert torch.equal(image, target)


@each_objective
def test_every_objective_runs_from_grey_and_stays_finite(objective):
    target = random(1, 8, 8)
    for step in steps_of(target, objective, start=torch.full_like(target, 0.5), steps=20):
        assert all(map(math.isfinite, step))


@pytest.mark.parametrize("objective", ["phase", "amplitude", "ffl", "ffl-phase"])
def test_the_loss_falls_where_the_spectrum_has_exact_zeros(objective):
    target = stripes()
    assert (torch.fft.fft2(target) == 0).sum() > target.numel() / 2
    first, *_, last = steps_of(target, objective, steps=20)
    assert last.loss < first.loss / 5


def test_squared_gradients_are_no_denormal_numbers(monkeypatch):
    squares, over = [], Descent.over

    def watched(descent, pixels):
        optimizer = over(descent, pixels)
        optimizer.register_step_pre_hook(lambda *_: squares.append(pixels.grad.square()))
        return optimizer

    monkeypatch.setattr(Descent, "over", watched)
    # at 32x48 the gradients are small enough for it to happen, without the factor, from 600 steps on
    steps_of(smooth(), "ffl", steps=1000)
    squares = torch.stack(squares)
    assert len(squares) >= 1000
    denormal = (squares > 0) & (squares < torch.finfo(squares.dtype).tiny)
    for steps in (300, 1000):
        assert denormal[:steps].double().mean() < 0.001
