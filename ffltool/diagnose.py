"""What the focal frequency loss does on given images: how large it is, where it comes from, which weight it wants.

Everything follows from the spectra D of the differences of pairs, in 0..1, and the weights w of Eq. 9. With M values in
an image, by Parseval's theorem and without backward passes,

    FFL = 1/M sum w |D|^2        |grad FFL| = 2/M sqrt(sum w^2 |D|^2)        |grad MSE| = 2/M sqrt(sum |D|^2)
    |grad L1| = 1/M sqrt(number of values that differ)

The gradient of a batch's mean consists of those of its images, so the squares of their norms add up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial

import torch
from torch import Tensor

from ffltool.distances import Focus, weights
from ffltool.errors import InputError, NothingComparedError, printable
from ffltool.formats import json_text
from ffltool.images import Reading, alpha_dropped, read_pair
from ffltool.pairing import Pair, Pairing
from ffltool.radial import band_of_each, bands
from ffltool.spectrum import centred, power_of, spectrum
from ffltool.stream import Progress, stream, watched

SCHEMA = "ffltool.diagnose/1"
MARK = f'"schema": "{SCHEMA}"'  # stands near the start of every such file
ALPHAS = (0.0, 0.5, 1.0, 2.0)
_BANDS = bands(4)
_HIGH = 3  # from this band on, 0.25 cycles per pixel, frequencies are called high
_ROUNDING = 1e-24  # the share of a loss that is rounding: the square of some thousand units in the last place
_SMALLEST = 2  # pixels of the longer side: one pixel has no frequency but zero


@dataclass(frozen=True, kw_only=True)
class Effect:
    """FFL with one exponent; shares are of its sum over all frequencies, None where that is 0.

    ``weight_for_mse`` and ``weight_for_l1`` are the loss weights that make its gradient as long as theirs;
    ``without_dc`` is the FFL with the zero frequency excluded, and ``dc_cuts`` how many times larger what is not of
    the zero frequency then becomes.
    """

    alpha: float
    ffl: float
    mean_weight: float
    dc_share: float | None
    high_share: float | None
    weight_for_mse: float | None
    weight_for_l1: float | None
    without_dc: float
    dc_cuts: float | None


@dataclass(frozen=True, kw_only=True)
class BandShares:
    """A band of frequencies in cycles per pixel, with its shares of the squared error and of FFL."""

    name: str
    low: float
    high: float
    mse_share: float | None
    ffl_share: float | None


@dataclass(frozen=True, kw_only=True, eq=False)
class Diagnosis:
    """What was found over all pairs.

    ``effects`` begins with the exponent asked for, which ``bands`` and ``weight`` are of: the mean weight matrix, shape
    (H, W), centred, or None for images of several sizes. ``sizes`` are (height, width).
    """

    real: str
    fake: str
    pairs: int
    sizes: tuple[tuple[int, int], ...]
    mse: float
    l1: float
    effects: tuple[Effect, ...]
    bands: tuple[BandShares, ...]
    warnings: tuple[str, ...]
    weight: Tensor | None


def diagnose(
    pairing: Pairing,
    *,
    alpha: float = 1.0,
    reading: Reading | None = None,
    one_size: bool = False,
    workers: int | None = None,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> Diagnosis:
    """Measure what FFL does on pairs of images, in float64.

    Parameters
    ----------
    alpha : exponent of the focal weight; `ALPHAS` are compared with it.
    one_size : insist on images of one size, so that there is a mean weight matrix.
    progress : wraps the stream of pairs, given it and their number.

    Raises
    ------
    InputError : for an image that cannot be read, has one pixel, or another size where one is wanted.
    NothingComparedError : if there is no pair.
    """
    if not pairing.pairs:
        raise NothingComparedError("nothing was compared")
    read = partial(_read, pairing=pairing, reading=reading or Reading())
    pictures = watched(stream(pairing.pairs, read, workers=workers), len(pairing.pairs), progress)
    sums, per_alpha, sizes, alphas = _Sums(), [_AlphaSums(a) for a in dict.fromkeys((alpha, *ALPHAS))], set(), 0
    for pair, (real, fake, dropped) in zip(pairing.pairs, pictures, strict=True):
        size = real.shape[1], real.shape[2]
        if max(size) < _SMALLEST:
            raise InputError(f"{pairing.files(pair)[0]} is {size[0]}x{size[1]}; at least two pixels are wanted")
        sizes.add(size)
        if one_size and len(sizes) > 1:
            first, other = ("x".join(map(str, each)) for each in sorted(sizes, key=size.__eq__))
            raise InputError(
                f"{pairing.files(pair)[0]} is {other}, others are {first}; one size is wanted for a figure"
            )
        band = _band_map(*size, str(device))
        alphas += dropped
        difference = fake.to(device) - real.to(device)
        squared = power_of(spectrum(difference, orthonormal=True))
        sums.add(difference, squared, band)
        for each in per_alpha:
            each.add(squared, band)
    return _diagnosis(pairing, sums, per_alpha, tuple(sorted(sizes)), alphas)


@lru_cache(maxsize=4)
def _band_map(height: int, width: int, device: str) -> Tensor:
    return band_of_each(height, width, count=len(_BANDS) - 2).to(device)


def _read(pair: Pair, *, pairing: Pairing, reading: Reading) -> tuple[Tensor, Tensor, int]:
    """Return both images, shape (C, H, W), float64 in 0..1, and how many lost an alpha channel; runs in a worker."""
    real, fake = read_pair(*pairing.both(pair), reading)
    planes = (torch.from_numpy(picture.planes() / 255.0) for picture in (real, fake))
    return next(planes), next(planes), real.alpha_dropped + fake.alpha_dropped


class _Sums:
    """Sums over pairs of what does not depend on the exponent."""

    def __init__(self) -> None:
        self.count, self.mse, self.l1, self.mse_gradient, self.l1_gradient = 0, 0.0, 0.0, 0.0, 0.0
        self.bands = torch.zeros(len(_BANDS), dtype=torch.float64)

    def add(self, difference: Tensor, squared: Tensor, band: Tensor) -> None:
        """Take in a pair: its difference and the squared spectrum of that, shape (C, H, W)."""
        values = difference.numel()
        self.count += 1
        self.mse += squared.mean().item()
        self.l1 += difference.abs().mean().item()
        self.mse_gradient += 4 * squared.sum().item() / values**2
        self.l1_gradient += difference.count_nonzero().item() / values**2
        self.bands += _per_band(squared / values, band)


class _AlphaSums:
    """Sums over pairs of what depends on the exponent."""

    def __init__(self, alpha: float) -> None:
        self.focus, self.without_dc = Focus(alpha), Focus(alpha, exclude_dc=True)
        self.mean_weight = self.gradient = self.ffl_without_dc = 0.0
        self.bands = torch.zeros(len(_BANDS), dtype=torch.float64)
        self.weight: Tensor | None = None

    def add(self, squared: Tensor, band: Tensor) -> None:
        """Take in the squared spectrum of a difference, shape (C, H, W)."""
        weight = weights(squared, self.focus)
        self.mean_weight += weight.mean().item()
        self.gradient += 4 * (weight.square() * squared).sum().item() / squared.numel() ** 2
        self.ffl_without_dc += (weights(squared, self.without_dc) * squared).mean().item()
        self.bands += _per_band(weight * squared / squared.numel(), band)
        mean = weight.mean(0).cpu()
        # for images of several sizes there is no mean matrix
        self.weight = mean if self.weight is None or self.weight.shape != mean.shape else self.weight + mean


def _per_band(values: Tensor, band: Tensor) -> Tensor:
    return torch.bincount(band.flatten(), values.sum(0).flatten(), minlength=len(_BANDS)).cpu()


def _diagnosis(
    pairing: Pairing,
    sums: _Sums,
    per_alpha: list[_AlphaSums],
    sizes: tuple[tuple[int, int], ...],
    alphas: int,
) -> Diagnosis:
    asked, effects = per_alpha[0], tuple(_effect(each, sums) for each in per_alpha)
    shares = [tuple(_ratio(part, total.sum()) for part in total) for total in (sums.bands, asked.bands)]
    return Diagnosis(
        real=printable(str(pairing.real)),
        fake=printable(str(pairing.fake)),
        pairs=sums.count,
        sizes=sizes,
        mse=sums.mse / sums.count,
        l1=sums.l1 / sums.count,
        effects=effects,
        bands=tuple(
            BandShares(name=band.name, low=band.low, high=band.high, mse_share=mse, ffl_share=ffl)
            for band, mse, ffl in zip(_BANDS, *shares, strict=True)
        ),
        warnings=(*pairing.warnings, *_warnings(effects[0], sizes, alphas)),
        weight=None if asked.weight is None or len(sizes) > 1 else centred(asked.weight / sums.count),
    )


def _effect(each: _AlphaSums, sums: _Sums) -> Effect:
    total, rest = each.bands.sum(), each.bands[1:].sum()
    return Effect(
        alpha=each.focus.alpha,
        ffl=total.item() / sums.count,
        mean_weight=each.mean_weight / sums.count,
        dc_share=_ratio(each.bands[0], total),
        high_share=_ratio(each.bands[_HIGH:].sum(), total),
        weight_for_mse=_ratio(math.sqrt(sums.mse_gradient), math.sqrt(each.gradient)),
        weight_for_l1=_ratio(math.sqrt(sums.l1_gradient), math.sqrt(each.gradient)),
        without_dc=each.ffl_without_dc / sums.count,
        dc_cuts=_ratio(each.ffl_without_dc, rest) if rest > _ROUNDING * total else None,
    )


def _ratio(part: Tensor | float, whole: Tensor | float) -> float | None:
    return float(part / whole) if whole else None


def _warnings(effect: Effect, sizes: tuple[tuple[int, int], ...], alphas: int) -> Iterable[str]:
    if alphas:
        yield alpha_dropped(alphas)
    if effect.dc_share is None:
        yield "the images are equal: there is no loss, and no weight for it"
    elif effect.dc_share > 0.5:
        cuts = f", and cuts the rest {effect.dc_cuts:.3g} times" if effect.dc_cuts and effect.dc_cuts > 1.005 else ""
        yield (
            f"{effect.dc_share:.0%} of the loss is the zero frequency, the difference in brightness{cuts}; "
            "exclude_dc=True leaves it out"
        )
    if len(sizes) > 1:
        yield f"the images have {len(sizes)} sizes; weights of a loss depend on the size"


def as_json(diagnosis: Diagnosis) -> str:
    """Return the diagnosis, but for the weight matrix, as JSON of the schema `ffltool.diagnose/1`."""
    content = asdict(replace(diagnosis, weight=None))
    del content["weight"]
    return json_text(SCHEMA, "diagnose", content | {"environment": {"torch": torch.__version__}})
