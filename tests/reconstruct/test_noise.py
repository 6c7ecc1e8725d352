"""The noise that a run begins with."""

import pytest
import torch

from ffltool.reconstruct import Descent, noise, reconstruct
from tests.reconstruct.common import random

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_same_seed_gives_the_same_and_another_seed_another():
    target = random(3, 8, 9)
    ends = []
    for seed in (5, 5, 6):
        *_, (_, image) = reconstruct(target, start=noise(target, seed=seed), descent=Descent(steps=5))
        ends.append(image)
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_noise_is_uniform_in_0_to_1_and_like_the_target(dtype):
    target = torch.zeros(3, 64, 80, dtype=dtype)
    values = noise(target, seed=3)
    assert (values.shape, values.dtype) == (target.shape, dtype)
    assert 0 <= values.min() < 0.01
    assert 0.99 < values.max() <= 1
    assert values.mean().item() == pytest.approx(0.5, abs=0.01)
    assert values.var().item() == pytest.approx(1 / 12, abs=0.005)


def test_noise_leaves_the_global_generator_alone():
    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    noise(torch.zeros(1, 8, 8), seed=7)
    assert torch.equal(torch.rand(1), expected)
