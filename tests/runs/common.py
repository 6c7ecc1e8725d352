"""What tests of runs share: short plans, what a folder holds, and how to break off."""

from pathlib import Path

import torch

from ffltool.runs import Judging, Keeping
from ffltool.train import Plan

JUDGING = Judging(metrics=("psnr", "ssim", "lfd", "lsd"))
EVERY = Keeping(checkpoint_seconds=0, samples_every=1)
REAL = Path(__file__).parents[2] / "sample_data" / "real"


def plan(model="ae", **changes):
    return Plan(model=model, **{"size": 16, "batch_size": 6, "epochs": 3, "seed": 4} | changes)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def weights(folder):
    return torch.load(folder / "checkpoint.pt", weights_only=True)["weights"]


def same(one, other):
    return all(torch.equal(weights(one)[name], weights(other)[name]) for name in weights(one))


class StoppedError(Exception):
    """What stops a run in a test."""
