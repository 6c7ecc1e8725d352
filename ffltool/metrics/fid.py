"""Frechet Inception distance (Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter; NeurIPS 2017).

    FID = |m_real - m_fake|^2 + tr C_real + tr C_fake - 2 tr (C_real C_fake)^(1/2)        lower is better

with mean m and covariance C (over n - 1) of Inception features, 2048 of an image, in float64.

With factors F' F = C the last trace is the sum of the singular values of F_real F_fake'. For n images of at most as
many features the centred features themselves are a factor, of n rows: nothing is lost. The root of the product of two
such covariances has hundreds of eigenvalues that should be 0, and what rounding makes of them lowers the distance by a
few parts in 1e5.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor

from ffltool.errors import InputError, ShapeError
from ffltool.metrics.sums import Rows, Sums


def fid(real: Tensor, fake: Tensor) -> float:
    """Return the Frechet distance of two sets of features.

    Parameters
    ----------
    real, fake : tensors, shapes (N, width) and (M, width), N and M >= 2.

    Raises
    ------
    InputError : for fewer than two images, or features that are not finite.
    ShapeError : for other shapes.

    Examples
    --------
    Of one feature it is the squared difference of means and that of deviations:

    >>> fid(torch.tensor([[0.0], [2.0]]), torch.tensor([[5.0], [9.0]]))
    38.0
    """
    sets = []
    for features in (real, fake):
        moments = Moments(real.shape[-1])
        moments.update(features)
        sets.append(moments.compute())
    return frechet_distance(*sets)


@dataclass(frozen=True, eq=False, kw_only=True)
class Gaussian:
    """What a set is by its features: their count, mean, shape (d,), and covariance, shape (d, d), float64.

    ``factor`` is a matrix F, shape (at most d, d), with F' F the covariance, where one is at hand.
    """

    count: int
    mean: Tensor
    covariance: Tensor
    factor: Tensor | None = None


class Moments(Sums):
    """Mean and covariance of features, as sums once there are more images than features.

    Parameters
    ----------
    width : number of features; up to as many rows are kept, in 4 width^2 bytes beside the 8 width^2 of the sums.
    """

    def __init__(self, width: int) -> None:
        super().__init__(count=(), total=(width,), outer=(width, width))
        self.rows = Rows(width)

    def update(self, features: Tensor) -> None:
        """Take in features, shape (N, width)."""
        self.rows.update(features)
        self._sum_up()

    def merge(self, other: Sums) -> None:
        """Add the sums and rows of `other`, which stays as it is.

        Raises
        ------
        ValueError : for other sums.
        """
        if not isinstance(other, Moments):
            raise ValueError("only moments can be merged")
        super().merge(other)
        self.rows.merge(other.rows)
        self._sum_up()

    def all_reduce(self) -> None:
        """Replace sums and rows by those of all processes."""
        super().all_reduce()
        self.rows.all_reduce()
        self._sum_up()

    def _sum_up(self) -> None:
        """Make sums of the rows once there are more than features: a product of many is quicker than many of few."""
        width = self.rows.width
        if self.rows.numbers["count"] > width:
            rows = self.rows.compute().double()
            self.add(count=len(rows), total=rows.sum(0), outer=rows.T @ rows)
            self.rows = Rows(width)

    def arrays(self) -> dict[str, ndarray]:
        """Return what `restore` makes the same moments of."""
        summed = {name: np.asarray(each) for name, each in self.state.items()} if self.numbers["count"] else {}
        return {"rows": self.rows.compute().numpy()} | summed

    def restore(self, arrays: Mapping[str, ndarray]) -> None:
        """Take in what `arrays` returned, in place of what is here."""
        Moments.__init__(self, self.rows.width)
        self.rows.update(torch.from_numpy(arrays["rows"]))
        if "count" in arrays:
            self.numbers["count"] = float(arrays["count"])
            self.tensors = {name: torch.from_numpy(arrays[name]) for name in self.tensors}

    def compute(self) -> Gaussian:
        """Return mean and covariance of the features so far.

        Raises
        ------
        InputError : for fewer than two images, or features that are not finite.
        """
        rows = self.rows.compute().double()
        count = int(self.numbers["count"]) + len(rows)
        if count < 2:
            raise InputError(f"a covariance of features needs at least two images, got {count}")
        mean = (self.tensors["total"] + rows.sum(0)) / count
        if self.numbers["count"]:
            factor, outer = None, self.tensors["outer"] + rows.T @ rows
            covariance = (outer - count * torch.outer(mean, mean)) / (count - 1)
        else:
            factor = (rows - mean) / math.sqrt(count - 1)
            covariance = factor.T @ factor
        if not covariance.isfinite().all():
            raise InputError("there are features that are not finite")
        return Gaussian(count=count, mean=mean, covariance=covariance, factor=factor)


def frechet_distance(real: Gaussian, fake: Gaussian) -> float:
    """Return the Frechet distance of two Gaussians, >= 0.

    Raises
    ------
    ShapeError : if they are not of one number of features.
    """
    if real.mean.shape != fake.mean.shape:
        raise ShapeError(f"one set has {len(real.mean)} features, the other {len(fake.mean)}")
    product = _factor(real) @ _factor(fake).T
    if min(product.shape) < len(real.mean):
        root = torch.linalg.svdvals(product)
    else:  # several times as quick, and no singular value is near 0
        root = torch.linalg.eigvalsh(product @ product.T).clamp_min(0).sqrt()
    traces = real.covariance.trace() + fake.covariance.trace()
    distance = (real.mean - fake.mean).square().sum() + traces - 2 * root.sum()
    return max(0.0, float(distance))  # less can only be rounding


def _factor(gaussian: Gaussian) -> Tensor:
    """Return a matrix F with F' F the covariance, of no more rows than its rank."""
    if gaussian.factor is not None:
        return gaussian.factor
    width = len(gaussian.mean)
    if gaussian.count > width:
        lower: Tensor
        lower, failed = torch.linalg.cholesky_ex(gaussian.covariance)
        if not failed:
            return lower.T
    values, vectors = torch.linalg.eigh(gaussian.covariance)
    noise = values[-1] * width * torch.finfo(values.dtype).eps
    kept = (values > noise).nonzero().flatten()[-min(width, gaussian.count - 1) :]
    factor: Tensor = (vectors[:, kept] * values[kept].sqrt()).T
    return factor
