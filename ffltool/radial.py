"""Frequencies in polar form: radius in cycles per pixel, rings, profiles, and the bands that tables speak of.

    radius = sqrt(u^2 + v^2),  u = column / W,  v = row / H,  both in -1/2 .. 1/2

The Nyquist frequency is 0.5 on each axis; the corners beyond radius 0.5 reach sqrt(1/2).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ffltool.errors import InputError


@dataclass(frozen=True)
class Band:
    """A range of radius [low, high) in cycles per pixel; "dc" is the zero frequency alone."""

    name: str
    low: float
    high: float


def bands(count: int = 8) -> tuple[Band, ...]:
    """Return the zero frequency, `count` bands of equal width up to the Nyquist frequency, and the corner.

    >>> [band.name for band in bands(2)]
    ['dc', '0-0.25', '0.25-0.5', 'corner']
    """
    if not isinstance(count, int) or count < 1:
        raise InputError(f"the number of bands must be 1 or more, got {count}")
    edges = [index / (2 * count) for index in range(count + 1)]
    inner = (Band(f"{low:.4g}-{high:.4g}", low, high) for low, high in pairwise(edges))
    return (Band("dc", 0.0, 0.0), *inner, Band("corner", 0.5, 0.5**0.5))


def frequency_radius(height: int, width: int) -> Tensor:
    """Return the radius of each frequency of a DFT in cycles per pixel, shape (H, W), float64, zero at [0, 0].

    >>> frequency_radius(1, 4)
    tensor([[0.0000, 0.2500, 0.5000, 0.2500]], dtype=torch.float64)
    """
    return torch.hypot((_indices(height).double() / height)[:, None], _indices(width).double() / width)


def band_of_each(height: int, width: int, *, count: int = 8) -> Tensor:
    """Return which of `bands(count)` each frequency lies in, as its place among them, shape (H, W), zero at [0, 0].

    In whole numbers, (2 count radius H W)^2, so that no rounding moves a frequency across an edge.
    """
    scaled = (_indices(height) * width).square()[:, None] + (_indices(width) * height).square()
    edges = (torch.arange(1, count + 1) * height * width).square()
    band = 1 + torch.bucketize(scaled * (2 * count) ** 2, edges, right=True)
    band[0, 0] = 0
    return band


def _indices(size: int) -> Tensor:
    """Return the whole periods of each frequency of an axis: 0, 1, ... and the negative ones."""
    steps = torch.arange(size)
    return torch.where(steps > (size - 1) // 2, steps - size, steps)
