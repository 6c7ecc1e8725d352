"""Periodic artefacts: peaks in the spectra of residuals, at frequencies where upsampling leaves them.

What upsamples by 2 up to four times, or works in patches of up to 16 pixels, repeats itself every 2, 4, 8 or 16 pixels:
its peaks lie on the lattice of the multiples of 1/16 cycle per pixel, as narrow as the window makes them. Photographs
have peaks too, of bricks and cloth, but seldom exactly there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d, pad

from ffltool.excess import Evidence, scores

THRESHOLD = 5.0
_PERIODS = (2, 4, 8, 16)  # pixels
_JPEG = 8  # pixels of a block
_MORE = 3.0  # z of the difference from a reference that tells a peak from its: asked only where there is one
_APART = 4  # bins from one frequency of a lattice to the next, at least, lest its peaks hide one another
_LOBE = 2  # bins about a peak in which nothing is another one
_NOISE = 3.85  # three standard deviations, of pi / sqrt(6) each, of the logarithm of noise
_UNEVEN = 5  # bins about the zero frequency, where backgrounds are steep
_EXCESS = 1.5  # the smallest mean excess of an artefact, which all images share: a tenth of them at the cap make less
_TOLD = 5  # peaks off the lattice, at most

Kind = Literal["artefact", "jpeg-grid", "as-reference", "off-lattice"]


@dataclass(frozen=True, kw_only=True)
class Peak:
    """A peak at ``u`` (along rows) and ``v`` (along columns) cycles per pixel, and at its opposite.

    ``period_px`` is that of the wave, across its crests; ``lattice`` the pixels, 2, 4, 8 or 16, after which the wave
    repeats itself along rows and along columns, None where it does not. ``level_db`` is above the background,
    ``energy_share`` the part of the residual's energy that is, ``over_reference`` z of the difference from a reference.
    Of each ``kind`` only an artefact is held against the images.
    """

    u: float
    v: float
    period_px: float
    z: float
    level_db: float
    energy_share: float
    lattice: int | None
    over_reference: float | None
    kind: Kind


def find_peaks(
    evidence: Evidence,
    *,
    threshold: float = THRESHOLD,
    jpeg: bool = False,
    reference: Evidence | None = None,
    jpeg_reference: bool = False,
) -> tuple[Peak, ...]:
    """Return the peaks whose z is above the threshold: those on the lattice, then the five strongest others.

    Parameters
    ----------
    jpeg : many of the images are JPEG files, whose own grid repeats every 8 pixels: it does not count, unless many of
        those of the reference are too, to tell how much of it is the codec's.
    reference : of images of the same size, each of the two made to be held against the other; what counts is beyond it
        by a z of 3, and none the less above the threshold by itself.
    """
    z = scores(evidence)
    over = None if reference is None else _over(evidence, reference)
    shared = 3 * math.sqrt(evidence.images) * (_EXCESS ** (1 / 3) - 1)
    high = (z > threshold) & _level(*z.shape)
    exact = high & (z > shared) & _lattice(*z.shape) & _narrow(evidence)
    other = high & (z == _largest_about(z)) & (_largest_about(exact.double()) == 0)

    def peak(row: int, column: int) -> Peak:
        """Return what is known of the peak at that place."""
        v, u = (_steps(size)[place].item() / size for place, size in zip((row, column), z.shape, strict=True))
        lattice = next(n for n in _PERIODS if n * u % 1 == n * v % 1 == 0) if exact[row, column] else None
        more = None if over is None else over[row, column].item()
        kind: Kind
        if lattice is None:
            kind = "off-lattice"
        elif more is not None and more <= _MORE:
            kind = "as-reference"
        else:
            kind = "jpeg-grid" if jpeg and not jpeg_reference and lattice <= _JPEG else "artefact"
        return Peak(
            u=u,
            v=v,
            period_px=1 / math.hypot(u, v),
            z=z[row, column].item(),
            level_db=evidence.level[row, column].item(),
            energy_share=_energy_share(evidence.share, row, column),
            lattice=lattice,
            over_reference=more,
            kind=kind,
        )

    return tuple(peak(*place) for place in (*_strongest(exact, z), *_strongest(other, z)[:_TOLD]))


def _over(evidence: Evidence, reference: Evidence) -> Tensor:
    """Return z of the difference of means over so many images each: sqrt(n) z is a sum with a deviation of sqrt(n)."""
    one, other = evidence.images, reference.images
    z, z_of_reference = (scores(replace(each, excess=each.compared)) for each in (evidence, reference))
    weighted = math.sqrt(other) * z - math.sqrt(one) * z_of_reference
    return weighted / math.sqrt(max(1, one + other))


def _lattice(height: int, width: int) -> Tensor:
    """Tell which frequencies lie on the lattice; on a coarser one where bins are few."""
    longest = max(period for period in _PERIODS if period * _APART <= min(height, width))
    v, u = (_steps(size) * longest % size == 0 for size in (height, width))
    return v[:, None] & u


def _level(height: int, width: int) -> Tensor:
    """Tell which frequencies are not next to the zero frequency."""
    v, u = (_steps(size).abs() > _UNEVEN for size in (height, width))
    return v[:, None] | u


def _narrow(evidence: Evidence) -> Tensor:
    """Tell which frequencies stand out from their neighbours as a wave of exactly that frequency does.

    In a Hann window it has a quarter of its power one bin away. Half of it is allowed, which a wave has that lies a
    quarter of a bin off, and what noise adds.
    """
    height = 10 ** (evidence.level / 10) - 1
    highest = torch.stack([height.roll(step, axis) for step in (-1, 1) for axis in (0, 1)]).amax(0)
    return highest < height / 2 + _NOISE / math.sqrt(max(1, evidence.images))


def _largest_about(values: Tensor) -> Tensor:
    """Return the largest value within two bins of each."""
    framed = pad(values[None, None], [_LOBE] * 4, mode="circular")
    return max_pool2d(framed, 2 * _LOBE + 1, stride=1)[0, 0]


def _strongest(mask: Tensor, z: Tensor) -> list[tuple[int, int]]:
    """Return row and column of the places in a mask, by falling z; one of each two that are opposite."""
    v, u = _steps(z.shape[0])[:, None], _steps(z.shape[1])
    own_opposite = (u == 0) | (2 * u == z.shape[1])
    places = (mask & torch.where(own_opposite, v >= 0, u > 0)).nonzero().tolist()
    return sorted(((row, column) for row, column in places), key=lambda place: -z[place].item())


def _steps(size: int) -> Tensor:
    """Return the periods of each place of a centred axis of even size; the first is the Nyquist frequency, positive."""
    steps = torch.arange(size) - size // 2
    steps[0] = size // 2
    return steps


def _energy_share(share: Tensor, row: int, column: int) -> float:
    """Return the sum over what the window makes of a peak, twice where its opposite is another one."""
    at = [torch.arange(place - 1, place + 2) % size for place, size in zip((row, column), share.shape, strict=True)]
    has_opposite = any(2 * place % size for place, size in zip((row, column), share.shape, strict=True))
    return max(0.0, share[at[0]][:, at[1]].sum().item()) * (1 + has_opposite)
