"""The first step, the last, and what is said of each."""

import math
from itertools import islice

import numpy as np
import pytest
import torch

from ffltool.metrics.lfd import lfd
from ffltool.metrics.psnr import psnr
from ffltool.reconstruct import Descent, noise, reconstruct
from tests.reconstruct.common import each_objective, random, steps_of

pytestmark = pytest.mark.usefixtures("one_thread")


def test_step_0_is_the_start_before_anything_was_done():
    target, start = random(3, 8, 9), random(3, 8, 9, seed=2)
    step, image = next(reconstruct(target, "pixel", start=start))
    assert torch.equal(image, start)
    assert step.number == 0
    assert step.loss == pytest.approx((start - target).square().mean().item())


def test_the_start_is_noise_of_seed_0_unless_told():
    target = random(3, 8, 9)
    _, image = next(reconstruct(target))
    assert torch.equal(image, noise(target, seed=0))


def test_the_objective_is_the_focal_frequency_loss_unless_told():
    target = random(1, 8, 8)
    assert next(reconstruct(target))[0][2:] == next(reconstruct(target, "ffl"))[0][2:]


@pytest.mark.parametrize("steps", [1, 7])
def test_steps_are_numbered_from_0_to_the_number_asked_for(steps):
    assert [step.number for step in steps_of(random(1, 8, 8), steps=steps)] == list(range(steps + 1))


def test_there_are_300_steps_unless_told():
    assert Descent().steps == 300


@pytest.mark.usefixtures("a_second_each_time")
def test_the_clock_starts_with_the_run_and_stops_it():
    steps = steps_of(random(1, 8, 8), "pixel", steps=100, seconds=3)
    assert [step.seconds for step in steps] == [1, 2, 3]


def test_steps_stop_before_many_seconds_do():
    assert len(steps_of(random(1, 8, 8), "pixel", steps=3, seconds=3600)) == 4


def test_images_are_not_cut_to_0_to_1_and_psnr_and_lfd_are_those_of_pixels_that_are():
    target, start = random(3, 8, 9), 3 * random(3, 8, 9, seed=2) - 1
    step, image = next(reconstruct(target, "pixel", start=start))
    assert torch.equal(image, start)
    error = np.square(start.numpy().clip(0, 1) - target.numpy(), dtype=np.float64).mean()
    assert step.psnr == pytest.approx(-10 * math.log10(error), rel=1e-5)
    assert step.lfd == pytest.approx(math.log1p(8 * 9 * 255**2 * error), rel=1e-5)


def test_psnr_and_lfd_of_every_step_are_those_of_the_metrics():
    target = random(3, 8, 9)
    for step, image in reconstruct(target, descent=Descent(steps=3)):
        pair = 255 * target[None].double(), 255 * image[None].double().clamp(0, 1)
        assert step.psnr == pytest.approx(psnr(*pair).item(), rel=1e-5)
        assert step.lfd == pytest.approx(lfd(*pair).item(), rel=1e-5)


@pytest.mark.parametrize("signs", [(-1, -1, -1), (1, -1, 1)])
@each_objective
def test_where_an_objective_does_not_know_a_channel_from_its_negative_the_brighter_is_taken(objective, signs):
    target = random(3, 8, 9)
    start = target * torch.tensor(signs)[:, None, None]
    step, image = next(reconstruct(target, objective, start=start))
    if objective in ("amplitude", "ffl-amplitude", "phase-eq6"):
        assert torch.equal(image, target)
        assert (step.loss, step.psnr) == (pytest.approx(0, abs=1e-10), math.inf)
    else:
        assert torch.equal(image, start)
        assert step.loss > 0.1


def test_a_run_does_not_mind_that_gradients_are_switched_off():
    target = random(1, 8, 8)
    expected = [step._replace(seconds=0) for step in steps_of(target, steps=3)]
    with torch.no_grad():
        assert [step._replace(seconds=0) for step in steps_of(target, steps=3)] == expected


def test_images_stay_what_they_were_while_the_run_goes_on():
    (_, first), (_, second) = islice(reconstruct(random(1, 8, 8), descent=Descent(steps=1)), 2)
    assert torch.equal(first, noise(first, seed=0))
    assert not torch.equal(first, second)


def test_target_and_start_are_left_alone():
    target, start = random(1, 8, 8), random(1, 8, 8, seed=2)
    copies = target.clone(), start.clone()
    list(reconstruct(target, start=start, descent=Descent(steps=3)))
    assert torch.equal(target, copies[0])
    assert torch.equal(start, copies[1])
    assert not target.requires_grad
    assert not start.requires_grad


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_precision_is_the_targets(dtype):
    target = random(1, 8, 8, dtype=dtype)
    _, image = next(reconstruct(target, start=random(1, 8, 8)))
    assert image.dtype == dtype
