"""Figures of what filters leave of an image, of an image's first frequencies, and of waves; and the images in them.

What has lost its mean has values on both sides of 0, and is shown about mid-grey: half of white is added to it. Spectra
are of what is left, without that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor

from ffltool import figures
from ffltool.bandlimit import Filter, accumulated, wave
from ffltool.pictures import as_shown
from ffltool.spectrum import centred, log_amplitude, spectrum

WAVES = ((1, 0), (0, 1), (3, 2), (8, -4), (16, 16))
_SIDE = 64  # pixels of the image of a wave
_GREY = 0.5
# name of a slice, the shortest period in it -> up to which frequency it goes, in cycles per pixel
_SLICES = {"mean": 0.0, **{f"{2**octave}px": 0.5**octave for octave in range(6, 0, -1)}, "all": math.sqrt(0.5)}


class Drawn(NamedTuple):
    """A figure, and the images in it by name, shape (C, H, W), around 0..1."""

    figure: figures.Figure
    images: dict[str, Tensor]


def draw_filters(image: Tensor, filters: Sequence[Filter]) -> Drawn:
    """Draw an image, shape (C, H, W) in 0..1, and what each filter leaves of it."""
    height, width = image.shape[1:]
    amplitude = spectrum(255 * image).abs()
    images, panels = {}, [figures.Panel("original", as_shown(image), _log(amplitude))]
    for each in filters:
        gain, left = each.gain(height, width), each.apply(image)
        images[each.name] = left if gain[0, 0] else left + _GREY
        rings = _opposites(each.point, height, width) if each.name == "point-stop" else ()
        # of the product: a transform of what is left has rounding where there is nothing
        drawn = _log(amplitude * gain.to(amplitude))
        panels.append(figures.Panel(_title(each), as_shown(images[each.name]), drawn, rings))
    return Drawn(figures.images_over_spectra(panels, lowest=0.0), images)


def _log(amplitude: Tensor) -> np.ndarray:
    """Return the mean over channels of ln(1 + amplitude), shape (C, H, W), centred."""
    return centred(amplitude.log1p().mean(0)).numpy()


def _opposites(point: tuple[int, int], height: int, width: int) -> list[tuple[float, float]]:
    """Return a frequency, given in whole periods, and its opposite in cycles per pixel."""
    u, v = point[0] / width, point[1] / height
    return [(u, v), (-u, -v)]


def _title(given: Filter) -> str:
    if given.name == "point-stop":
        return f"point-stop\nat ({given.point[0]}, {given.point[1]})"
    low, high = f"{given.cutoffs[0]:.3g}", f"{given.cutoffs[-1]:.3g}"
    where = {"low-pass": f"below {low} c/px", "high-pass": f"from {low} c/px on"}
    how = {"ideal": "", "gaussian": "\ngaussian", "butterworth": f"\nbutterworth, order {given.order}"}
    return f"{given.name}\n{where.get(given.name, f'{low} to {high} c/px')}{how[given.shape]}"


def names_of_slices() -> list[str]:
    """Return what `draw_slices` calls its images: by the shortest period in them."""
    return list(_SLICES)


def draw_slices(image: Tensor) -> Drawn:
    """Draw the cube of an image, shape (C, H, W) in 0..1, whose slices are of its frequencies up to each octave."""
    images = dict(zip(_SLICES, accumulated(image, _SLICES.values()), strict=True))
    octaves = [f"1/{name.removesuffix('px')}" for name in _SLICES if name.endswith("px")]
    return Drawn(figures.slices_of_cube(list(map(as_shown, images.values())), ["0 (mean)", *octaves, "all"]), images)


def names_of_waves(points: Sequence[tuple[int, int]]) -> list[str]:
    """Return what `draw_waves` calls its images."""
    return [f"wave_{u}_{v}" for u, v in points]


def draw_waves(points: Sequence[tuple[int, int]]) -> Drawn:
    """Draw waves of (u, v) periods over width and height of a square of 64x64."""
    images, panels = {}, []
    for name, (u, v) in zip(names_of_waves(points), points, strict=True):
        pixels = wave(u, v, height=_SIDE, width=_SIDE)[None] / 2
        images[name] = pixels + _GREY
        period = f"period {_SIDE / math.hypot(u, v):.3g} px" if u or v else "constant"
        spectrum_of_it = log_amplitude(255 * pixels)[0].numpy()
        panels.append(figures.Panel(f"({u}, {v})\n{period}", as_shown(images[name]), spectrum_of_it))
    return Drawn(figures.images_over_spectra(panels, lowest=0.0), images)
