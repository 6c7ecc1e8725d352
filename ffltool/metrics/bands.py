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

import torch
from torch import Tensor

from ffltool.errors import ShapeError
from ffltool.metrics.mse import floating_pair
from ffltool.metrics.sums import Sums
from ffltool.radial import band_of_each, bands
from ffltool.report import BandScore
from ffltool.spectrum import centred, power_of, whole

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

    Raises
    ------
    ShapeError : if the shapes differ or are not 4-D.
    """
    return _in_bands(_parts(real, fake), width=real.shape[-1], count=count)


def _parts(real: Tensor, fake: Tensor) -> Tensor:
    """Return the energies at the frequencies of a real transform, shape (N, 4, H, W // 2 + 1), else as above."""
    real, fake = floating_pair(real, fake)
    one, other = (torch.fft.rfft2(images.double()) for images in (real, fake))
    powers = power_of(one), power_of(other)
    amplitude = (powers[0].sqrt() - powers[1].sqrt()).square()
    phase = (power_of(one - other) - amplitude).clamp_min(0)
    maps = torch.stack([part.mean(1) for part in (amplitude, phase, *powers)], dim=1)
    return maps.div_(real.shape[-2] * real.shape[-1])


def _in_bands(maps: Tensor, *, width: int, count: int) -> Tensor:
    """Return the sums over each band of maps, shape (N, 4, H, W // 2 + 1), as (N, count + 2, 4)."""
    band, times = _half_plane(maps.shape[-2], width, count)
    maps = maps.flatten(2) * times.to(maps)
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


class BandSums(Sums):
    """What bands are judged by, as sums over pairs.

    Parameters
    ----------
    count : bands between the zero frequency and the corner.
    size : height and width of all images, to sum the squared error of each frequency too; None takes any sizes.
    """

    def __init__(self, count: int, *, size: tuple[int, int] | None = None) -> None:
        self.inner, self.size = count, size
        shapes = {} if size is None else {"error": (size[0], size[1] // 2 + 1)}
        super().__init__(count=(), lfd=(count + 2,), parts=(count + 2, len(PARTS)), **shapes)

    def update(self, real: Tensor, fake: Tensor) -> None:
        """Take in pairs, as `band_parts` does.

        Raises
        ------
        ShapeError : as `band_parts`; and for pairs of another size than the one of all.
        """
        if self.size is not None and self.size != real.shape[-2:]:
            raise ShapeError(f"all pairs must be {self.size[0]}x{self.size[1]}, got {tuple(real.shape)}")
        maps = _parts(real, fake).cpu()
        parts = _in_bands(maps, width=real.shape[-1], count=self.inner)
        self.add(count=len(parts), lfd=parts[..., :2].sum(-1).log1p().sum(0), parts=parts.sum(0))
        if self.size is not None:
            self.add(error=maps[:, :2].sum((0, 1)))

    def compute(self) -> tuple[BandScore, ...]:
        """Return what is known of each band."""
        means = (self.tensors["lfd"] / self.numbers["count"]).tolist()
        amplitude, phase, real, fake = self.tensors["parts"].T.tolist()
        total = math.fsum(amplitude) + math.fsum(phase)
        scores = []
        for index, band in enumerate(bands(self.inner)):
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

    def error_map(self) -> Tensor | None:
        """Return the mean over pairs of |F_real - F_fake|^2 / (H W), shape (H, W), centred; None of any sizes.

        Its mean is the MSE.
        """
        if self.size is None:
            return None
        return centred(whole(self.tensors["error"] / self.numbers["count"], width=self.size[1]))
