"""How far the power of images' residuals stands above its surroundings, frequency by frequency, over sets of images.

    excess = P / B                   power of an image's residual over the background about the frequency
    z      = 3 sqrt(n) (cbrt(mean of min(excess, cap)) - 1 + 1 / (9 n))        over n images (Wilson, Hilferty 1931)

Noise has an excess of mean 1 and a z of mean 0 and deviation 1, whatever n is. Each image is held against its own
background and counts no more than the cap: a mean of powers is that of the few images with the strongest textures, in
which a faint grid of all of them drowns, and whose own periods pass for one: two striped photographs of a hundred make
a peak of z 12 at ±1/4 there, and a grid of half a grey level in all of them is lost. The residual is seen through a
Hann window, the background is the largest geometric mean of a square, a row and a column of 11 frequencies, and the cap
is 6 (more in sets of fewer than 6 images).

What `python tests/peaks_calibration.py PHOTOGRAPHS` prints for 100 textures without a grid is why the threshold is 5: 4
of 100 single images have a peak above it, 5 % of sets of two (10 % at 64x64), and none of the sets of 3 to 100, whose
largest z is 4.4. In sets of more than 130 images an artefact must also have a mean excess of 1.5, more than a tenth of
the images can make. In sets of 20 a grid of 8 pixels and half a level is found in 95 %, a checkerboard of 16 pixels and
1 level in 85 %, a grid of 16 pixels and 1 level and a checkerboard of 2 pixels and 0.3 levels in all; in a single image
the last in 65 %, the others seldom.

What has no wave that all its blocks share leaves no lines and is not found: blocks of 8x8 pixels that are shifted by
random levels of mean zero have the nulls of their spectrum exactly on the lattice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from ffltool.errors import InputError, NothingComparedError
from ffltool.mean_spectrum import channels
from ffltool.metrics.sums import Sums
from ffltool.residuals import residual
from ffltool.spectrum import centred, power_of, whole, window

STEP, SMALLEST = 16, 32  # pixels: sides are multiples of the one, at least the other
_REACH, _HOLE = 5, 1  # bins to the farthest frequency of a background, and to the farthest that belongs to the peak
_GAMMA = 0.5772156649015329  # noise of mean power 1 has a mean logarithm of -gamma
_ROUNDING = 1 / 12  # levels squared, the variance of rounding to 8 bits: no background is taken to be fainter
_LEAST = 1e-2  # the smallest excess in a mean of logarithms, which noise is below at one frequency in a hundred
_MAPS = ("excess", "compared", "level", "share")
_BLANK = 1e-3  # levels squared, the variance of a residual in which there is nothing to see


@dataclass(frozen=True, eq=False, kw_only=True)
class Evidence:
    """What a set of images shows; maps are centred, shape (H, W), float64.

    ``images`` is how many there were, beside ``blank`` ones whose residual is nothing. ``excess`` is the mean of the
    capped excess, ``compared`` that under the cap of a comparison with another set; ``level`` that of its logarithm
    without a cap, in dB above the median over all frequencies; ``share`` that of the part of the residual's energy that
    is above the background.
    """

    images: int
    blank: int
    excess: Tensor
    compared: Tensor
    level: Tensor
    share: Tensor


def cap(images: int) -> float:
    """Return the excess that each of so many images counts with at most: one of them alone makes no peak of z 5."""
    return math.inf if images < 2 else max(6.0, 36 / images)


def common_cap(one: int, other: int) -> float:
    """Return the cap under which sets of so many images are compared: that of the smaller one.

    There is none for two images. An image held against several counts as one of two does, lest the few with the
    strongest textures among these make the difference.
    """
    return cap(max(min(one, other), min(2, max(one, other))))


class Excess(Sums):
    """The sums over images that evidence is made of.

    Parameters
    ----------
    height, width : of the images, multiples of 16, at least 32: what repeats every 2, 4, 8 or 16 pixels then lies on
        frequencies of the DFT.
    images : how many there will be, for the cap.
    against : how many there are in the set that these are compared with, if there is one.
    kind : of the residual, see `ffltool.residuals`.
    device : where to compute; the sums stay on the CPU.
    """

    def __init__(
        self,
        height: int,
        width: int,
        *,
        images: int,
        against: int | None = None,
        kind: str = "median3",
        device: torch.device | str = "cpu",
    ) -> None:
        if height % STEP or width % STEP or min(height, width) < SMALLEST:
            raise InputError(f"sides must be multiples of {STEP}, at least {SMALLEST}, but are {height}x{width}")
        self.cap, self.common_cap = cap(images), common_cap(images, images if against is None else against)
        self.kind, self.device = kind, device
        self.window = window(height, width).float().to(device)
        super().__init__(count=(), blank=(), **dict.fromkeys(_MAPS, (height, width)))

    def update(self, images: Tensor) -> None:
        """Take in images, shape (N, 1 or 3, H, W), values in 0..255."""
        planes = residual(channels(images.to(self.device).float(), "grey")[:, 0], kind=self.kind)
        planes = planes - (planes * self.window).mean((-2, -1), keepdim=True) / self.window.mean()
        half = torch.fft.rfft2(planes * self.window, norm="ortho")
        power = centred(whole(power_of(half), width=images.shape[-1]))
        seen = power.mean((-2, -1)) > _BLANK
        self.add(count=int(seen.sum()), blank=int((~seen).sum()))
        power = power[seen]
        behind = background(power)
        excess = power / behind
        maps = {
            "excess": excess.clamp_max(self.cap),
            "compared": excess.clamp_max(self.common_cap),
            "level": 10 * excess.clamp_min(_LEAST).log10(),
            "share": (power - behind) / power.sum((-2, -1), keepdim=True),
        }
        self.add(**{name: values.cpu().double().sum(0) for name, values in maps.items()})

    def compute(self) -> Evidence:
        """Return what the images so far show.

        Raises
        ------
        NothingComparedError : if there were none.
        """
        count, blank = int(self.numbers["count"]), int(self.numbers["blank"])
        if not count + blank:
            raise NothingComparedError("there is no image to look for peaks in")
        maps = {name: self.tensors[name] / max(1, count) for name in _MAPS}
        maps["level"] = maps["level"] - maps["level"].median()
        return Evidence(images=count, blank=blank, **maps)


def background(power: Tensor) -> Tensor:
    """Return the power about each frequency of centred maps, shape (N, H, W), without that of a peak there.

    The largest of three geometric means, over 11x11 bins and over three rows and three columns of them: what edges and
    stripes have lies along a line, no point of which is to pass for a peak.
    """
    logs = power.clamp_min(torch.finfo(power.dtype).tiny).log()
    framed = pad(logs[:, None], [_REACH] * 4, mode="circular")
    size, hole = 2 * _REACH + 1, 2 * _HOLE + 1
    inner = _sums(framed, hole, hole)
    means = [
        (_sums(framed, rows, columns) - inner) / (rows * columns - hole * hole)
        for rows, columns in ((size, size), (hole, size), (size, hole))
    ]
    return (torch.stack(means).amax(0)[:, 0] + _GAMMA).exp().clamp_min(_ROUNDING)


def _sums(framed: Tensor, rows: int, columns: int) -> Tensor:
    """Return the sums over rows x columns about each place inside the frame."""
    top, left = _REACH - rows // 2, _REACH - columns // 2
    inside = framed[..., top : framed.shape[-2] - top, left : framed.shape[-1] - left]
    return avg_pool2d(inside, (rows, columns), stride=1, divisor_override=1)


def scores(evidence: Evidence) -> Tensor:
    """Return z of each frequency, shape (H, W), centred; 0 where there is nothing to see."""
    if not evidence.images:
        return torch.zeros_like(evidence.excess)
    mean, roots = 1 - 1 / (9 * evidence.images), evidence.excess.pow(1 / 3)
    # the largest of three backgrounds is too large in noise, by as much as the median of the excess is too small
    roots = roots * (mean / roots.median().clamp_min(0.8 * mean))
    z = 3 * math.sqrt(evidence.images) * (roots - mean)
    # never divided by a spread of nothing: that of noise is 1
    return z / (1.4826 * (z - z.median()).abs().median()).clamp_min(1)
