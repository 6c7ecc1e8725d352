"""Frequencies in polar form: radius in cycles per pixel, rings, orientations, and the bands that tables speak of.

    radius = sqrt(u^2 + v^2),  u = column / W,  v = row / H,  both in -1/2 .. 1/2

The Nyquist frequency is 0.5 on each axis; the corners beyond radius 0.5 reach sqrt(1/2). Rings are as wide as one
period per image of the longer side, 1 / max(H, W), and centred on the multiples of that: ring k of a square image holds
the frequencies of k periods along either axis, ring 0 the zero frequency alone. A profile is the mean over each ring.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from ffltool.errors import InputError

Plane = Literal["whole", "half", "dct"]  # of a DFT, of a real one (W // 2 + 1 columns), of a DCT
SECTORS = 36  # orientations of 5 degrees, the first about that of the u axis
_INNER = 0.1  # cycles per pixel; below, an orientation has few frequencies


@dataclass(frozen=True)
class Band:
    """A range of radius [low, high) in cycles per pixel; "dc" is the zero frequency alone."""

    name: str
    low: float
    high: float


def bands(count: int = 8) -> tuple[Band, ...]:
    """Return the zero frequency, `count` bands of equal width up to the Nyquist frequency, and the corner.

    Raises
    ------
    InputError : for another number than 1 or more.

    Examples
    --------
    >>> [band.name for band in bands(2)]
    ['dc', '0-0.25', '0.25-0.5', 'corner']
    """
    if not isinstance(count, int) or count < 1:
        raise InputError(f"the number of bands must be 1 or more, got {count}")
    edges = [index / (2 * count) for index in range(count + 1)]
    inner = (Band(f"{low:.4g}-{high:.4g}", low, high) for low, high in pairwise(edges))
    return (Band("dc", 0.0, 0.0), *inner, Band("corner", 0.5, 0.5**0.5))


@dataclass(frozen=True, eq=False)
class Groups:
    """The frequencies of a plane in groups: rings of equal radius, or sectors of equal orientation.

    ``group`` is that of each frequency, shape (H, columns), or the number of groups for one that is in none; ``times``
    is how many frequencies of the whole plane it stands for, same shape. ``centre`` is the radius in cycles per pixel
    or the angle in degrees of each group, ``counts`` the number of its frequencies, both shape (groups,).
    """

    group: Tensor
    times: Tensor
    centre: Tensor
    counts: Tensor

    def means(self, values: Tensor) -> Tensor:
        """Return the mean of values over each group, shape (..., H, columns) to (..., groups); NaN for an empty one.

        InputError for complex values.

        >>> rings(1, 4).means(torch.tensor([[9.0, 1.0, 4.0, 1.0]]))
        tensor([9., 1., 4.], dtype=torch.float64)
        """
        if values.is_complex():
            raise InputError("means are of real values, such as abs() of a spectrum, not of complex ones")
        values = values.flatten(-2)
        values = values.float() if values.device.type == "mps" else values.double()  # which mps does not have
        sums = _sums(values * self.times.flatten().to(values), self.group.to(values.device), len(self.counts) + 1)
        return sums[..., :-1] / self.counts.to(sums)

    def to(self, device: torch.device | str) -> Groups:
        """Return the same on a device."""
        return replace(self, group=self.group.to(device), times=self.times.float().to(device))


@dataclass(frozen=True, eq=False)
class Cells:
    """The frequencies of a plane in cells, each of which lies in one group of every grouping, for fast means over all.

    ``cell`` is that of each frequency, shape (H, columns); ``groupings`` are the groups of a plane of 1 x cells.
    """

    cell: Tensor
    groupings: dict[str, Groups]

    def sums(self, values: Tensor) -> Tensor:
        """Return the sums of values over each cell, a few each, shape (..., H, columns) to (..., 1, cells)."""
        groups = next(iter(self.groupings.values()))
        return _sums(values.flatten(-2), self.cell, groups.group.numel())[..., None, :]

    def to(self, device: torch.device | str) -> Cells:
        """Return the same on a device."""
        groupings = {name: groups.to(device) for name, groups in self.groupings.items()}
        return Cells(self.cell.to(device), groupings)


def cells(groupings: dict[str, Groups]) -> Cells:
    """Return the cells that groupings of one plane part it into: means of many values look each of them up once."""
    first, *others = groupings.values()
    key = first.group * 2 + (first.times > 1)
    for groups in others:
        key = key * (len(groups.counts) + 1) + groups.group
    known, cell = torch.unique(key, return_inverse=True)
    one = torch.empty_like(known).scatter_(0, cell.flatten(), torch.arange(cell.numel()))  # a frequency of each cell
    parts = {
        name: replace(groups, group=groups.group.flatten()[one][None], times=groups.times.flatten()[one][None])
        for name, groups in groupings.items()
    }
    return Cells(cell, parts)


def _sums(values: Tensor, group: Tensor, count: int) -> Tensor:
    """Return the sums of values, shape (..., K), over each of `count` groups, given that of each of the K."""
    rows = values.reshape(-1, values.shape[-1])
    return rows.new_zeros(len(rows), count).index_add_(1, group.flatten(), rows).reshape(*values.shape[:-1], count)


@lru_cache(maxsize=8)
def rings(height: int, width: int, *, plane: Plane = "whole") -> Groups:
    """Return the rings of a plane of H x W frequencies, of radius k / max(H, W) each."""
    longest = max(height, width)
    v, u, times, unit = _axes(height, width, plane)
    distance = (v.square() + u.square()).sqrt()
    # whole numbers up to here: half way between two rings is the outer one, and no rounding decides
    group = (distance * longest / unit + 0.5).floor().long()
    count = int(group.max()) + 1
    return _groups(group, times, torch.arange(count, dtype=torch.float64) / longest)


@lru_cache(maxsize=8)
def sectors(height: int, width: int, *, plane: Plane = "whole") -> Groups:
    """Return the orientations of frequencies beyond radius 0.1, in sectors of 5 degrees from the u axis towards v.

    Stripes from top to bottom, whose brightness changes from left to right, have orientation 0. At the Nyquist
    frequency of an axis both signs are one frequency, whose orientation is the one between 0 and 90 degrees.
    """
    v, u, times, unit = _axes(height, width, plane)
    folded = (2 * v.abs() == unit) | (2 * u.abs() == unit)
    degrees = torch.where(folded, torch.atan2(v.abs(), u.abs()), torch.atan2(v, u)).rad2deg()
    group = (degrees * (SECTORS / 180) + 0.5).floor().long() % SECTORS
    group = torch.where((v.square() + u.square()).sqrt() / unit > _INNER, group, SECTORS)
    return _groups(group, times, torch.arange(SECTORS, dtype=torch.float64) * (180 / SECTORS))


def _groups(group: Tensor, times: Tensor, centre: Tensor) -> Groups:
    counts = torch.bincount(group.flatten(), times.flatten(), minlength=len(centre))[: len(centre)]
    return Groups(group=group, times=times, centre=centre, counts=counts.long())


def _axes(height: int, width: int, plane: Plane) -> tuple[Tensor, Tensor, Tensor, int]:
    """Return v, shape (H, 1), u, shape (1, columns), how many frequencies each place stands for, and the unit.

    v and u are whole numbers, v / unit and u / unit in cycles per pixel.
    """
    steps = torch.arange if plane == "dct" else _indices
    v, u = steps(height).double() * width, steps(width).double() * height
    times = torch.ones(height, width, dtype=torch.float64)
    if plane == "half":
        u, times = u[: width // 2 + 1], times[:, : width // 2 + 1]
        times[:, 1 : (width + 1) // 2] = 2
    return v[:, None], u[None], times, height * width * (2 if plane == "dct" else 1)  # a DCT has half periods


def frequency_radius(height: int, width: int) -> Tensor:
    """Return the radius of each frequency of a DFT in cycles per pixel, shape (H, W), float64, zero at [0, 0].

    >>> frequency_radius(1, 4)
    tensor([[0.0000, 0.2500, 0.5000, 0.2500]], dtype=torch.float64)
    """
    return torch.hypot((_indices(height).double() / height)[:, None], _indices(width).double() / width)


def band_of_each(height: int, width: int, *, count: int = 8) -> Tensor:
    """Return which of `bands(count)` each frequency lies in, as its place among them, shape (H, W), zero at [0, 0].

    In whole numbers, (radius H W)^2, so that no rounding moves a frequency across an edge.
    """
    scaled = (_indices(height) * width).square()[:, None] + (_indices(width) * height).square()
    # the first whole number at or beyond each edge, by Python's integers: 64 bits are too few for large images
    edges = [-(-((edge * height * width) ** 2) // (2 * count) ** 2) for edge in range(1, count + 1)]
    band = 1 + torch.bucketize(scaled, torch.tensor(edges), right=True)
    band[0, 0] = 0
    return band


def _indices(size: int) -> Tensor:
    """Return the whole periods of each frequency of an axis: 0, 1, ... and the negative ones."""
    steps = torch.arange(size)
    return torch.where(steps > (size - 1) // 2, steps - size, steps)
