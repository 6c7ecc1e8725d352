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
    rows, columns = (torch.fft.fftfreq(size, dtype=torch.float64) for size in (height, width))
    return torch.hypot(rows[:, None], columns)


def bands(height: int, width: int) -> Tensor:
    """Return which of `BANDS` each frequency lies in, as its place in the table, shape (H, W), zero at [0, 0]."""
    edges = torch.tensor([low for low, _ in list(BANDS.values())[2:]], dtype=torch.float64)
    band = 1 + torch.bucketize(frequency_radius(height, width), edges, right=True)
    band[0, 0] = 0
    return band
