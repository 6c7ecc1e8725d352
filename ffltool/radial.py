"""Frequencies in polar form: radius in cycles per pixel, and the bands that tables speak of.

    radius = sqrt(u^2 + v^2),  u = column / W,  v = row / H,  both in -1/2 .. 1/2

The Nyquist frequency is 0.5 on each axis; the corners beyond radius 0.5 reach sqrt(1/2).
"""

from __future__ import annotations

import torch
from torch import Tensor

# name -> [low, high) in cycles per pixel: zero frequency alone, quarters of the Nyquist frequency, the corners
BANDS = {
    "dc": (0.0, 0.0),
    "0-1/8": (0.0, 0.125),
    "1/8-1/4": (0.125, 0.25),
    "1/4-3/8": (0.25, 0.375),
    "3/8-1/2": (0.375, 0.5),
    "corner": (0.5, 0.5**0.5),
}


def frequency_radius(height: int, width: int) -> Tensor:
    """Return the radius of each frequency of a DFT in cycles per pixel, shape (H, W), float64, zero at [0, 0].

    >>> frequency_radius(1, 4)
    tensor([[0.0000, 0.2500, 0.5000, 0.2500]], dtype=torch.float64)
    """
    return torch.hypot((_indices(height).double() / height)[:, None], _indices(width).double() / width)


def bands(height: int, width: int) -> Tensor:
    """Return which of `BANDS` each frequency lies in, as its place in the table, shape (H, W), zero at [0, 0].

    In whole numbers, (8 radius H W)^2, so that no rounding moves a frequency across an edge.
    """
    eighths = 64 * ((_indices(height) * width).square()[:, None] + (_indices(width) * height).square())
    edges = torch.tensor([round(8 * low) * height * width for low, _ in list(BANDS.values())[2:]]).square()
    band = 1 + torch.bucketize(eighths, edges, right=True)
    band[0, 0] = 0
    return band


def _indices(size: int) -> Tensor:
    """Return the whole periods of each frequency of an axis: 0, 1, ... and the negative ones."""
    steps = torch.arange(size)
    return torch.where(steps > (size - 1) // 2, steps - size, steps)
