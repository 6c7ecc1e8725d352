"""Short trainings of pairs, and what they come to."""

import torch

from ffltool.objective import Objective
from ffltool.train import Plan

CODE = "import torch; torch.set_num_threads(1); from ffltool.models import pix2pix; pix2pix.WIDTH = 2\n"


def plan(**changes):
    weights = {"ffl_weight": changes.pop("ffl_weight", 1.0), "gan_weight": changes.pop("gan_weight", 1.0)}
    objective = Objective(loss="l1", pixel_weight=100, **weights)
    own = {"size": 256, "batch_size": 2, "steps": 3, "lr": 2e-3, "beta1": 0.5, "direction": "AtoB", "seed": 4}
    return Plan(model="pix2pix", objective=objective, **own | changes)


def equal(one, other):
    """Tell whether two states are, to the bit."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other
