"""Images to rebuild, and the steps to them."""

import pytest
import torch

from ffltool.reconstruct import Descent, objectives, reconstruct

OBJECTIVES = list(objectives())
each_objective = pytest.mark.parametrize("objective", OBJECTIVES)


def random(*shape, dtype=torch.float32, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def steps_of(target, objective="ffl", *, start=None, **descent):
    return [step for step, _ in reconstruct(target, objective, start=start, descent=Descent(**descent))]
