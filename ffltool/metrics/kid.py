"""Kernel Inception distance (Binkowski, Sutherland, Arbel, Gretton; ICLR 2018).

    MMD^2 = mean of k(r, r') + mean of k(f, f') - 2 mean of k(r, f)        lower is better

over the Inception features of real and fake images, the first two means without the pairs of an image with itself, and
k(x, y) = (x y / d + 1)^3 for d features. It is unbiased, and may be a little below 0. KID is its mean over random
subsets, as in torch-fidelity.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ffltool.errors import InputError, ShapeError

SUBSETS, SIZE, SEED = 100, 1000, 2020


def kid(
    real: Tensor, fake: Tensor, *, subsets: int = SUBSETS, size: int = SIZE, seed: int = SEED
) -> tuple[float, float]:
    """Return the mean over subsets of the squared MMD, and its population standard deviation.

    Parameters
    ----------
    real, fake : features, shapes (N, d) and (M, d), N and M >= 2; computed in float64.
    subsets : how many are drawn, without drawing an image twice for one of them.
    size : images of each side in a subset; as many as the smaller set has, if those are fewer.

    Raises
    ------
    InputError : for fewer than two images, or features that are not finite.
    ShapeError : for other shapes.
    """
    if real.ndim != 2 or fake.ndim != 2 or real.shape[1] != fake.shape[1]:
        shapes = f"got {tuple(real.shape)} and {tuple(fake.shape)}"
        raise ShapeError(f"features must have shapes (N, d) and (M, d), {shapes}")
    if subsets < 1 or size < 2:
        raise InputError(f"KID wants one subset or more, of two images or more, got {subsets} of {size}")
    size = min(size, len(real), len(fake))
    if size < 2:
        raise InputError(f"KID needs at least two images of each set, got {len(real)} and {len(fake)}")
    if not (real.isfinite().all() and fake.isfinite().all()):
        raise InputError("there are features that are not finite")
    random = np.random.RandomState(seed)  # the generator that others draw from
    if size == len(real) == len(fake):
        subsets = 1  # all would be the same

    values = []
    for _ in range(subsets):
        chosen = (features[random.choice(len(features), size, replace=False)].double() for features in (real, fake))
        values.append(_squared_mmd(*chosen).item())
    return float(np.mean(values)), float(np.std(values))


def _squared_mmd(real: Tensor, fake: Tensor) -> Tensor:
    """Return the unbiased estimate for two sets of one size."""
    size = len(real)
    within = (_kernel(each, each) for each in (real, fake))
    others = sum(kernel.sum() - kernel.trace() for kernel in within) / (size * (size - 1))
    return others - 2 * _kernel(real, fake).mean()


def _kernel(first: Tensor, second: Tensor) -> Tensor:
    return torch.addmm(first.new_ones(()), first, second.T, alpha=1 / first.shape[1]).pow_(3)
