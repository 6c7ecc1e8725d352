"""Errors come at once, not with the first step."""

import math
import re

import pytest
import torch

from ffltool.errors import InputError, ShapeError
from ffltool.reconstruct import Descent, reconstruct
from tests.reconstruct.common import OBJECTIVES, random

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 7, 20), (3, 20, 7), (8, 8), (1, 3, 8, 8)])
def test_images_that_are_too_small_or_of_another_rank_are_refused(shape):
    expected = f"an image (C, H, W) of at least 8x8 is wanted, got {shape}"
    with pytest.raises(ShapeError, match=re.escape(expected)):
        reconstruct(torch.zeros(shape))


def test_a_start_of_another_shape_is_refused():
    expected = "start (3, 8, 8) and target (1, 8, 8) must have one shape"
    with pytest.raises(ShapeError, match=re.escape(expected)):
        reconstruct(torch.zeros(1, 8, 8), start=torch.zeros(3, 8, 8))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["target", "start"])
def test_values_that_are_not_finite_are_refused(name, bad):
    images = {"target": random(1, 8, 8), "start": random(1, 8, 8)}
    images[name][0, 3, 5] = bad
    with pytest.raises(InputError, match=f"{name} must hold finite values in 0..1 as float32 or float64"):
        reconstruct(images["target"], start=images["start"])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("name", ["target", "start"])
def test_integers_and_half_precision_are_refused(name, dtype):
    images = {"target": random(1, 8, 8), "start": random(1, 8, 8)}
    images[name] = torch.zeros(1, 8, 8, dtype=dtype)
    with pytest.raises(InputError, match=f"{name} must hold finite values in 0..1 as float32 or float64"):
        reconstruct(images["target"], start=images["start"])


@pytest.mark.parametrize("name", ["steps", "seconds", "lr"])
@pytest.mark.parametrize("value", [0, -1, -0.5, math.nan, math.inf])
def test_numbers_of_a_descent_must_be_above_0(name, value):
    with pytest.raises(InputError, match=f"^{name} must be above 0 and finite, got {value}$"):
        Descent(**{name: value})


def test_a_step_beyond_single_precision_is_a_clear_error():
    with pytest.raises(InputError, match=r"^lr must be below 3.4e\+38, got 1e\+300$"):
        Descent(optimizer="sgd", lr=1e300)


def test_an_unknown_optimizer_lists_the_known_ones():
    with pytest.raises(InputError, match="optimizer cannot be 'newton'; known are adam, sgd"):
        Descent(optimizer="newton")


def test_an_unknown_objective_lists_the_known_ones():
    with pytest.raises(InputError, match=f"there is no objective 'mse'; known are {', '.join(OBJECTIVES)}"):
        reconstruct(torch.zeros(1, 8, 8), "mse")


@pytest.mark.parametrize("alpha", [-1.0, math.nan, math.inf])
def test_an_alpha_that_is_no_exponent_is_refused(alpha):
    with pytest.raises(InputError, match=f"alpha must be 0 or more and finite, got {alpha}"):
        Descent(alpha=alpha)


@pytest.mark.parametrize(("objective", "lr"), [("pixel", 1e4), ("ffl", 1e6), ("frequency", 3.4e38)])
def test_a_descent_that_diverges_names_the_step_and_the_way_out(objective, lr):
    seen = []
    descent = Descent(optimizer="sgd", lr=lr)
    with pytest.raises(InputError) as caught:
        seen.extend(step for step, _ in reconstruct(random(1, 8, 8), objective, descent=descent))
    assert re.fullmatch(rf"the loss is (inf|nan) at step {len(seen)}; a smaller --lr may help", str(caught.value))
    assert all(math.isfinite(step.loss) for step in seen)
