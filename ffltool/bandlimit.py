"""Filters over frequencies and what they leave of an image (Fig. 2), waves (Fig. 12), a few frequencies (Fig. 13).

A filter multiplies each frequency by a gain that depends on its radius r, in cycles per pixel, and on the cut-offs:

    gain = 1 / sqrt(1 + odds(x)),  x = r / cut-off,  or of a band [low, high)  x = (r^2 - low high) / (r (high - low))

    ideal        odds = 0 where -1 <= x < 1, else infinite
    gaussian     odds = 2^(x^2) - 1
    butterworth  odds = x^(2 order)

The odds are the power that is stopped over the power that is passed; the opposite filter (high-pass, band-stop) has
1 / odds. So the powers of a filter and of its opposite add up to that of the image, and both have -3 dB at a cut-off.
Of ideal ones the images add up too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ffltool.errors import InputError, ShapeError
from ffltool.radial import frequency_radius

# name -> how many cut-offs it takes
FILTERS = {"point-stop": 0, "low-pass": 1, "high-pass": 1, "band-pass": 2, "band-stop": 2}
_OPPOSITES = ("high-pass", "band-stop")
_FIGURE_2 = ("point-stop", "low-pass", "high-pass", "band-stop")
_USUAL = (0.1, 0.2)
_CORNER = math.sqrt(0.5)
_ROUNDING = 1e-9  # lest of frequencies of one radius, such as (3, 4) and (5, 0), some are stopped and others are not

# name -> odds of a ratio to the cut-off and an order
SHAPES: dict[str, Callable[[Tensor, int], Tensor]] = {
    "ideal": lambda x, order: torch.where((x >= -1 - _ROUNDING) & (x < 1 - _ROUNDING), 0.0, math.inf).to(x),
    "gaussian": lambda x, order: (math.log(2) * x.square()).expm1(),
    "butterworth": lambda x, order: x.square() ** order,
}
# what ends a cut-off -> cycles per pixel of the number before it; "" ends everything
_UNITS: dict[str, Callable[[float], float]] = {
    "%": lambda number: number / 200,
    "px": lambda number: 1 / number,
    "": lambda number: number,
}


@dataclass(frozen=True)
class Filter:
    """What is stopped of an image, and how sharply.

    ``name`` is a key of `FILTERS`, ``cutoffs`` are as many as it takes, in cycles per pixel; ``shape`` is a key of
    `SHAPES`, ``order`` the steepness of a butterworth filter. ``point`` is the frequency (u, v) that a point-stop takes
    out, in whole periods over the width and over the height.
    """

    name: str
    cutoffs: tuple[float, ...] = ()
    shape: str = "ideal"
    order: int = 2
    point: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        for what, value, known in (("filter", self.name, FILTERS), ("shape", self.shape, SHAPES)):
            if value not in known:
                raise InputError(f"there is no {what} {value!r}; known are {', '.join(known)}")
        wanted = FILTERS[self.name]
        if len(self.cutoffs) != wanted:
            raise InputError(f"{self.name} takes {('no cut-off', '1 cut-off', '2 cut-offs')[wanted]}, got {self._list}")
        for cutoff in self.cutoffs:
            if not 0 < cutoff <= _CORNER:
                raise InputError(f"a cut-off must be in 0..{_CORNER:.4f} cycles per pixel and not 0, got {cutoff:g}")
        if wanted == 2 and self.cutoffs[0] >= self.cutoffs[1]:
            raise InputError(f"the first cut-off must be below the second, got {self._list}")
        if self.order < 1:
            raise InputError(f"the order must be 1 or more, got {self.order}")
        if self.point != (0, 0) and self.name != "point-stop":
            raise InputError(f"{self.name} takes no point")

    @property
    def _list(self) -> str:
        return ", ".join(f"{cutoff:g}" for cutoff in self.cutoffs) or "none"

    def gain(self, height: int, width: int) -> Tensor:
        """Return the gain of each frequency, 0 to 1, shape (H, W), float64, zero frequency at [0, 0].

        A point-stop takes out its frequency and, since an image is real, the opposite one: (0, 0) is its own opposite.
        """
        if self.name == "point-stop":
            gain = torch.ones(height, width, dtype=torch.float64)
            for row, column in bins(*self.point, height=height, width=width):
                gain[row, column] = 0
            return gain
        x = radius = frequency_radius(height, width)
        if len(self.cutoffs) == 1:
            x = radius / self.cutoffs[0]
        else:
            low, high = self.cutoffs
            x = (radius.square() - low * high) / (radius * (high - low))
        odds = SHAPES[self.shape](x, self.order)
        return (1 + (1 / odds if self.name in _OPPOSITES else odds)).rsqrt()

    def apply(self, image: Tensor) -> Tensor:
        """Return what is left of real images, shape (..., H, W); a filter that stops the zero frequency takes the mean.

        Raises
        ------
        ShapeError : for another shape.
        InputError : for a point beyond the frequencies of images of that size.

        Examples
        --------
        >>> Filter("point-stop").apply(torch.tensor([[1.0, 2.0], [3.0, 6.0]]))
        tensor([[-2., -1.],
                [ 0.,  3.]])
        """
        if image.ndim < 2 or not image.numel():
            raise ShapeError(f"images (..., H, W) are wanted, got {tuple(image.shape)}")
        return _through(image, self.gain(*image.shape[-2:]))


def _through(image: Tensor, gain: Tensor) -> Tensor:
    """Return images whose frequencies are multiplied by a gain, shape (H, W), the same for opposite frequencies."""
    half = torch.fft.rfft2(image)
    left: Tensor = torch.fft.irfft2(half * gain[:, : half.shape[-1]].to(half.real), s=image.shape[-2:])
    return left


def filters(
    name: str | None = None,
    cutoffs: Iterable[float] | None = None,
    *,
    shape: str = "ideal",
    order: int | None = None,
    point: tuple[int, int] = (0, 0),
) -> list[Filter]:
    """Return the filter of this name, or without one the four of Fig. 2.

    Of the four, low-pass and high-pass take the first cut-off, band-stop takes both, and point-stop the point. What is
    None is as usual: cut-offs of 0.1 and 0.2, a butterworth filter of order 2.

    Raises
    ------
    InputError : for a name or shape that is none, an order of another shape than butterworth, a point of another filter
        than point-stop, and cut-offs of another number or range.
    """
    if order is not None and shape != "butterworth":
        raise InputError(f"an order is that of a butterworth filter, this one is {shape}")
    given = _USUAL if cutoffs is None else tuple(cutoffs)
    how = (shape, 2 if order is None else order)
    if name is not None:
        return [Filter(name, given[: FILTERS.get(name, 0)] if cutoffs is None else given, *how, point)]
    if len(given) != 2:
        raise InputError(f"the figure of several filters takes two cut-offs, got {len(given)}")
    points = {"point-stop": point}
    return [Filter(each, given[: FILTERS[each]], *how, points.get(each, (0, 0))) for each in _FIGURE_2]


def cutoffs(text: str) -> tuple[float, ...]:
    """Return cut-offs in cycles per pixel: "0.1" is just that, "20%" of the Nyquist frequency, "10px" a period.

    Raises
    ------
    InputError : for text that is no cut-off.

    Examples
    --------
    >>> cutoffs("0.1,20%,10px")
    (0.1, 0.1, 0.1)
    """
    return tuple(map(_cutoff, text.split(",")))


def _cutoff(text: str) -> float:
    given = text.rstrip()
    unit = next(unit for unit in _UNITS if given.endswith(unit))
    try:
        return _UNITS[unit](float(given.removesuffix(unit)))
    except (ValueError, ZeroDivisionError):
        wanted = "0.1 (cycles per pixel), 20% (of the Nyquist frequency) or 10px (a period) is wanted"
        raise InputError(f"{text!r} is no cut-off; {wanted}") from None


def point(text: str) -> tuple[int, int]:
    """Return a frequency (u, v) in whole periods over the width and over the height.

    Raises
    ------
    InputError : for text that is no point.

    Examples
    --------
    >>> point("3,-2")
    (3, -2)
    """
    try:
        u, v = map(int, text.split(","))
    except ValueError:
        wanted = "two whole numbers are wanted, periods over width and height such as 3,2"
        raise InputError(f"{text!r} is no point; {wanted}") from None
    return u, v


def bins(u: int, v: int, *, height: int, width: int) -> set[tuple[int, int]]:
    """Return row and column of a frequency and of its opposite in a DFT that is not centred: two places, or one.

    Raises
    ------
    InputError : for a frequency beyond those of an image of that size.

    Examples
    --------
    >>> sorted(bins(1, 0, height=4, width=8))
    [(0, 1), (0, 7)]
    """
    if 2 * abs(u) > width or 2 * abs(v) > height:
        raise InputError(
            f"an image of {height}x{width} (height x width) has at most {width // 2} periods over its width and "
            f"{height // 2} over its height, not {u},{v}"
        )
    return {(v % height, u % width), (-v % height, -u % width)}


def wave(u: int, v: int, *, height: int, width: int) -> Tensor:
    """Return cos(2 pi (u x / W + v y / H)), shape (H, W), float64: `u` periods over the width, `v` over the height.

    Raises
    ------
    InputError : as `bins`.
    """
    bins(u, v, height=height, width=width)  # that they exist
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    steps = (u * columns * height + v * rows * width) % (height * width)  # whole numbers: the wave closes exactly
    return (steps.double() * (2 * math.pi / (height * width))).cos()


def accumulated(image: Tensor, limits: Iterable[float]) -> Iterator[Tensor]:
    """Yield images, shape (..., H, W), of their frequencies up to each limit in cycles per pixel, itself included.

    0 gives the mean, sqrt(1/2) all of the image.
    """
    radius = frequency_radius(*image.shape[-2:])
    for limit in limits:
        yield _through(image, radius <= limit + _ROUNDING)
