"""Band-resolved log frequency distance: where in the spectrum the squared error lies, and what kind it is.

    E_b   = 1/(HW) sum over (u, v) in band b of |F_real - F_fake|^2        averaged over channels
    LFD_b = ln(E_b + 1)                                                    nat, lower is better

with F the unnormalised DFT on the 0..255 scale, so that the E_b add up to exp(LFD) - 1. Each frequency's error splits
exactly into an amplitude and a phase part,

    |F_real - F_fake|^2 = (|F_real| - |F_fake|)^2 + 2 |F_real| |F_fake| (1 - cos(angle between them))

and the gain of a band is 10 log10 of its power in the fake over that in the real, negative where the fake lacks energy.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ffltool.metrics.mse import floating_pair
from ffltool.radial import band_of_each, bands
from ffltool.report import BandScore

if TYPE_CHECKING:
    from ffltool.metrics import DecodedPair

PARTS = ("amplitude", "phase", "real", "fake")  # what is known of every band


def band_parts(real: Tensor, fake: Tensor, *, count: int = 8) -> Tensor:
    """Return the energies of each image in every band, averaged over channels and divided by the number of pixels.

    Parameters
    ----------
    real, fake : tensors, shape (N, C, H, W), values in 0..255; computed in float64.
    count : bands between the zero frequency and the corner.

    Returns
    -------
    tensor, shape (N, count + 2, 4), float64, in the order of `PARTS`: the amplitude part and the phase part of the
    squared error, the power of the real image and that of the fake one.
    """
    real, fake = floating_pair(real, fake)
    height, width = real.shape[-2:]
    one, other = (torch.fft.rfft2(images.double()) for images in (real, fake))
    amplitudes = one.abs(), other.abs()
    error = (one - other).abs().square()
    amplitude = (amplitudes[0] - amplitudes[1]).square()
    maps = torch.stack([amplitude, (error - amplitude).clamp_min(0), *(a.square() for a in amplitudes)], dim=2)

    band, times = _half_plane(height, width, count)
    maps = maps.mean(1).flatten(2) * (times / (height * width)).to(maps)
    return maps.new_zeros(*maps.shape[:2], count + 2).index_add(2, band.to(maps.device), maps).mT


@lru_cache(maxsize=4)
def _half_plane(height: int, width: int, count: int) -> tuple[Tensor, Tensor]:
    """Return the band of each frequency that a real transform has, and how many of the whole plane it stands for."""
    columns = width // 2 + 1
    times = torch.full((height, columns), 2.0, dtype=torch.float64)
    times[:, 0] = 1
    if width % 2 == 0:
        times[:, -1] = 1
    return band_of_each(height, width, count=count)[:, :columns].flatten(), times.flatten()


def of_pair(pair: DecodedPair, *, count: int) -> list[float]:
    """Return the energies of a decoded pair, band by band."""
    real, fake = (torch.from_numpy(planes.astype("float64"))[None] for planes in pair.planes())
    return band_parts(real, fake, count=count).flatten().tolist()


def band_scores(parts: Tensor, *, count: int) -> tuple[BandScore, ...]:
    """Return what the energies of images, shape (N, count + 2, 4), say of each band."""
    errors = parts[..., :2].sum(-1)
    means = errors.log1p().mean(0).tolist()
    amplitude, phase, real, fake = parts.sum(0).T.tolist()
    total = math.fsum(amplitude) + math.fsum(phase)
    scores = []
    for index, band in enumerate(bands(count)):
        error = amplitude[index] + phase[index]
        power = real[index] > 0 and fake[index] > 0
        scores.append(
            BandScore(
                name=band.name,
                low=band.low,
                high=band.high,
                lfd=means[index],
                share=error / total if total else None,
                amplitude_share=amplitude[index] / error if error else None,
                phase_share=phase[index] / error if error else None,
                gain_db=10 * math.log10(fake[index] / real[index]) if power else None,
            )
        )
    return tuple(scores)
