"""Metrics of sets on mean spectra: how far the spectrum of generated images is from that of real ones.

    S = mean power per ring, over the images of a set       Hann window, grey; without the zero frequency, with corners

    LSD = sqrt(mean over rings of (10 log10(S_fake / S_real))^2)        decibel, lower is better
    SDE = mean over rings of |S_fake / S_real - 1|                      lower is better
    gain = 10 log10(power of the fake / power of the real)              decibel in each of five bands, 0 is best

None of them pairs images. Where both sets have no power the ratio is 1, where the real one alone has none it is
infinite, and so are the scores. No power is less than white noise of a thousandth of a grey level has: spectra are
computed in float32, and a set of constant images would show its rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from ffltool.errors import ShapeError
from ffltool.mean_spectrum import Average, MeanSpectrum
from ffltool.radial import band_of_each
from ffltool.recipes import Recipe
from ffltool.spectrum import centred, decibels

BANDS = 4  # up to the Nyquist frequency
SMALLEST = 9  # pixels of a side from which on every band holds a frequency
_LEAST = 1e-6  # squared grey levels


def lsd(real: Tensor, fake: Tensor) -> Tensor:
    """Return the log-spectral distance of two batches of images in decibel, shape ().

    Parameters
    ----------
    real, fake : tensors, shapes (N, C, H, W) and (M, C, H, W), C 1 or 3, H and W >= 9, values in 0..255.

    Raises
    ------
    ShapeError : for other shapes, or smaller images.

    Examples
    --------
    A dot has all frequencies; twice as bright it has four times their power.

    >>> real = torch.zeros(1, 1, 16, 16)
    >>> real[..., 8, 8] = 100
    >>> lsd(real, 2 * real)
    tensor(6.0206, dtype=torch.float64)
    """
    return _lsd(*_averages(real, fake))


def sde(real: Tensor, fake: Tensor) -> Tensor:
    """Return the spectral density error of two batches of images, as `lsd` takes them, shape ()."""
    return _sde(*_averages(real, fake))


def gain(real: Tensor, fake: Tensor) -> Tensor:
    """Return the gain in decibel of two batches of images, as `lsd` takes them: in each band, shape (5,).

    Four of equal width up to the Nyquist frequency, as `ffltool.radial.bands` has them, and the corner.
    """
    return _gain(*_averages(real, fake))


def state(height: int, width: int) -> MeanSpectrum:
    """Return the sums over a set of images of one size that these metrics are made of.

    Raises
    ------
    ShapeError : for images so small that a band would hold no frequency.
    """
    if min(height, width) < SMALLEST:
        raise ShapeError(f"spectra of sets need images of at least {SMALLEST}x{SMALLEST} pixels, got {height}x{width}")
    return MeanSpectrum(Recipe(), height, width)


def of_sets(name: str, real: Average, fake: Average) -> list[float]:
    """Return the scores of the metric of that name."""
    return _METRICS[name](real, fake).flatten().tolist()


def _averages(real: Tensor, fake: Tensor) -> Iterator[Average]:
    for images in (real, fake):
        if images.ndim != 4 or images.shape[1] not in (1, 3) or images.shape[-2:] != real.shape[-2:]:
            shapes = f"got {tuple(real.shape)} and {tuple(fake.shape)}"
            raise ShapeError(f"both sets must have shape (N, 1 or 3, H, W), with one H and W; {shapes}")
        sums = state(*images.shape[-2:])
        sums.update(images)
        yield sums.compute()


def _lsd(real: Average, fake: Average) -> Tensor:
    return decibels(_ratio_of_rings(real, fake)).square().mean().sqrt()


def _sde(real: Average, fake: Average) -> Tensor:
    return (_ratio_of_rings(real, fake) - 1).abs().mean()


def _gain(real: Average, fake: Average) -> Tensor:
    """Return 10 log10 of the ratio of the powers summed over each band, infinite as a ratio is."""
    height, width = real.map.shape
    band = centred(band_of_each(height, width, count=BANDS)).flatten()
    powers = (torch.bincount(band, each.map.flatten()) / band.bincount() for each in (real, fake))
    return decibels(_ratio(*(power[1:] for power in powers), pixels=height * width))


_METRICS: dict[str, Callable[[Average, Average], Tensor]] = {"lsd": _lsd, "sde": _sde, "gain": _gain}


def _ratio_of_rings(real: Average, fake: Average) -> Tensor:
    """Return the power of the fake set over that of the real one in each ring, none of which is empty."""
    return _ratio(*(each.radial.mean[1:] for each in (real, fake)), pixels=real.map.numel())


def _ratio(real: Tensor, fake: Tensor, *, pixels: int) -> Tensor:
    real, fake = (torch.where(power < _LEAST * pixels, 0.0, power) for power in (real, fake))
    return torch.where((real == 0) & (fake == 0), 1.0, fake / real)
