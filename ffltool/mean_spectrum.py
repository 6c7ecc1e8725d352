"""The mean spectrum of a set as sums over images in float64, of which two merge by addition.

    map     = mean over images of q(F)                    q: power |F|^2, amplitude |F|, or a logarithm of it
    profile = mean over images and over each ring of q(F)

with F the spectrum of what a recipe makes of an image (`ffltool.recipes`). A window is laid over the image without its
mean, which stays at the zero frequency and leaks into no other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad as zero_pad

from ffltool.errors import NothingComparedError
from ffltool.metrics.sums import Sums
from ffltool.radial import Groups, cells, rings, sectors
from ffltool.recipes import Recipe
from ffltool.residuals import residual
from ffltool.spectrum import centred, dct, decibels, whole, window

_REC_601 = (0.299, 0.587, 0.114)
_CHANNELS = {"red": 0, "green": 1, "blue": 2}
_SPANS = {"0..255": (0.0, 1.0), "0..1": (0.0, 255.0), "-1..1": (127.5, 127.5)}  # what is taken off, the divisor
_TINY = 1e-12
_BLOCK = 1 << 18  # values that fit into a core's cache
# what is averaged -> it, of the power of a spectrum
_QUANTITIES: dict[str, Callable[[Tensor], Tensor]] = {
    "power": lambda power: power,
    "amplitude": torch.sqrt,
    "log1p": lambda power: power.sqrt().log1p(),
    "log": lambda power: (power.sqrt() + _TINY).log(),
}
# what is averaged -> the scale on which images spread evenly; a logarithm has it already
_SCALES: dict[str, Callable[[Tensor], Tensor]] = {"power": decibels, "amplitude": lambda values: 2 * decibels(values)}


class Whitening(NamedTuple):
    """What a recipe that whitens by a set takes off pixels and divides them by, 0..255 scale."""

    mean: float = 0.0
    std: float = 1.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Profile:
    """A quantity over the radius or the orientation of frequencies, float64, shape (groups,).

    ``x`` in cycles per pixel or in degrees, ``counts`` how many frequencies there are; ``mean`` and ``std`` are over
    images; ``spread`` is the standard deviation in decibel for power and amplitude, that of the logarithm else. NaN
    where there is no frequency, or no deviation.
    """

    x: Tensor
    counts: Tensor
    mean: Tensor
    std: Tensor
    spread: Tensor


@dataclass(frozen=True, eq=False, kw_only=True)
class Average:
    """The mean spectrum of a set: ``map``, shape (H, W), float64, is centred; that of a DCT starts at the top left."""

    images: int
    map: Tensor
    radial: Profile
    angular: Profile


class MeanSpectrum(Sums):
    """The sums that a mean spectrum is made of.

    Parameters
    ----------
    recipe : the conventions; how the mean is shown has no say here.
    height, width : of the images, all of one size.
    whitening : that of the set, for a recipe that wants it.
    device : where to compute; the sums stay on the CPU.

    Examples
    --------
    >>> mean = MeanSpectrum(Recipe(window="none"), 2, 2)
    >>> mean.update(torch.tensor([[[[1.0, 2.0], [1.0, 2.0]]]]))
    >>> mean.compute().map
    tensor([[ 0.,  0.],
            [ 4., 36.]], dtype=torch.float64)
    """

    def __init__(
        self,
        recipe: Recipe,
        height: int,
        width: int,
        *,
        whitening: Whitening | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.recipe, self.size, self.device = recipe, (height, width), device
        self.whitening = whitening or Whitening()
        self.padded = height * recipe.pad, width * recipe.pad
        plane = "dct" if recipe.transform == "dct" else "half"
        self.groups = {name: make(*self.padded, plane=plane) for name, make in _GROUPINGS.items()}
        self.cells = cells(self.groups).to(device)
        self.window = window(height, width, kind=recipe.window).float().to(device)
        parts = 2 if recipe.average == "complex" and plane == "half" else 1
        shapes = {name: (4, len(groups.counts)) for name, groups in self.groups.items()}
        self.planes = 3 if recipe.channels == "rgb" else 1
        super().__init__(count=(), map=(parts, self.planes, *self.groups["radial"].group.shape), **shapes)

    def update(self, images: Tensor) -> None:
        """Take in images, shape (N, 1 or 3, H, W), values in 0..255."""
        if not len(images):  # of which some versions of torch have no transform
            return
        blocks = (block.to(self.device) for block in torch.split(images, self._block(len(images))))
        if self.recipe.average == "complex":
            for block in blocks:
                self._add_spectra(block)
            return
        joined = torch.cat([self._add_values(block) for block in blocks])
        for name, groups in self.cells.groupings.items():
            means = groups.means(joined).mean(1)
            scaled = _SCALES.get(self.recipe.average, torch.clone)(means)
            self.add(**{name: _total(torch.stack([means, means.square(), scaled, scaled.square()]), axis=1)})

    def _block(self, images: int) -> int:
        """Return how many of so many images are transformed at a time: as many as stay in the caches."""
        if torch.device(self.device).type != "cpu":
            return max(1, images)
        return max(1, _BLOCK * torch.get_num_threads() // math.prod((self.planes, *self.padded)))

    def _add_spectra(self, images: Tensor) -> None:
        """Add images to count and map, as complex spectra."""
        spectra = self._spectra(images)
        parts = torch.view_as_real(spectra).movedim(-1, 0) if spectra.is_complex() else spectra[None]
        self.add(count=len(images), map=_total(parts, axis=1))

    def _add_values(self, images: Tensor) -> Tensor:
        """Add images to count and map; return their sums over cells, what profiles are made of."""
        values = _QUANTITIES[self.recipe.average](_power(self._spectra(images)))
        self.add(count=len(images), map=_total(values, axis=0)[None])
        return self.cells.sums(values)

    def _spectra(self, images: Tensor) -> Tensor:
        """Return the transforms of images, shape (N, C, rows, columns); of a DFT the half that is enough."""
        (height, width), (rows, columns), recipe = self.size, self.padded, self.recipe
        images = _prepared(images, recipe, self.whitening)
        windowed = recipe.window != "none"
        detached = windowed and recipe.whiten == "none"
        plain = not windowed and recipe.pad == 1
        first, zero = images[..., :1, :1], images.mean((-2, -1))
        if detached or plain:
            images = images - first  # what is left is small, and so is its rounding; of a constant nothing is left
        if windowed:
            images *= self.window
        if detached:
            images.addcmul_(self.window, images.mean((-2, -1), keepdim=True) / self.window.mean(), value=-1)
        if recipe.pad > 1:
            images = zero_pad(images, (0, columns - width, 0, rows - height))
        if recipe.transform == "dct":
            values = dct(images) * recipe.pad  # as large as without the zeros
        else:
            values = torch.fft.rfft2(images)
            if recipe.orthonormal:
                values /= math.sqrt(height * width)
        if detached or plain:
            orthonormal = recipe.orthonormal or recipe.transform == "dct"
            values[..., 0, 0] = zero * (height * width) ** (0.5 if orthonormal else 1.0)
        return values

    def compute(self) -> Average:
        """Return the mean spectrum of the images so far.

        Raises
        ------
        NothingComparedError : if there were none.
        """
        count, recipe = self.numbers["count"], self.recipe
        if not count:
            raise NothingComparedError("there is no image to take a spectrum of")
        mean = self.tensors["map"] / count
        mean = (mean.square().sum(0).sqrt() if recipe.average == "complex" else mean[0]).mean(0)
        profiles = {name: self._profile(name, mean) for name in self.groups}
        mean = mean if recipe.transform == "dct" else centred(whole(mean, width=self.padded[1]))
        return Average(images=int(count), map=mean, **profiles)

    def _profile(self, name: str, mean: Tensor) -> Profile:
        groups = self.groups[name]
        where = {"x": groups.centre, "counts": groups.counts}
        if self.recipe.average == "complex":  # there is nothing to deviate before the mean is taken
            none = torch.full(groups.centre.shape, math.nan, dtype=torch.float64)
            return Profile(**where, mean=groups.means(mean), std=none, spread=none)
        means, squares, scaled, scaled_squares = (self.tensors[name] / self.numbers["count"]).unbind()
        pairs = (means, squares), (scaled, scaled_squares)
        std, spread = ((second - first.square()).clamp_min(0).sqrt() for first, second in pairs)
        return Profile(**where, mean=means, std=std, spread=spread)


_GROUPINGS: dict[str, Callable[..., Groups]] = {"radial": rings, "angular": sectors}


def _prepared(images: Tensor, recipe: Recipe, whitening: Whitening) -> Tensor:
    """Return what is to be transformed of images, shape (N, 1 or 3, H, W), 0..255: planes (N, C, H, W), float32."""
    images = channels(images, recipe.channels).float()
    if recipe.whiten == "image":
        images = images - images[:, :1, :1, :1]  # of a constant nothing is left, not even rounding
        mean = images.mean((1, 2, 3), keepdim=True)
        images = (images - mean) / images.std((1, 2, 3), correction=0, keepdim=True).clamp_min(_TINY)
    elif recipe.whiten == "set" or recipe.span != "0..255":
        offset, divisor = whitening if recipe.whiten == "set" else _SPANS[recipe.span]
        images = (images - offset) / divisor
    return residual(images, kind=recipe.residual)


def channels(images: Tensor, kind: str) -> Tensor:
    """Return the channels asked for of images, shape (N, 1 or 3, H, W): (N, 3, H, W) for "rgb", else (N, 1, H, W).

    Grey of three channels is float32, all else is as it was given.
    """
    if images.shape[1] == 1:
        return images.expand(-1, 3, -1, -1) if kind == "rgb" else images
    if kind == "grey":
        planes, (red, *others) = images.unbind(1), _REC_601
        grey = planes[0].float() * red
        for plane, factor in zip(planes[1:], others, strict=True):
            grey.add_(plane, alpha=factor)
        return grey[:, None]
    return images if kind == "rgb" else images[:, _CHANNELS[kind], None]


def _power(spectra: Tensor) -> Tensor:
    """Return the squared amplitude of spectra, which are lost for it."""
    if not spectra.is_complex():
        return spectra.square_()
    squares = torch.view_as_real(spectra).square_()  # in place, in the cache
    return squares[..., 0] + squares[..., 1]


def _total(values: Tensor, *, axis: int) -> Tensor:
    """Return the sum in float64, on the CPU."""
    if values.device.type == "mps":
        return values.sum(axis).cpu().double()
    return values.sum(axis, dtype=torch.float64).cpu()
