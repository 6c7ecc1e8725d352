"""A survey of mean spectra as figures: what is drawn of its values, in which unit and on which scale."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ffltool import figures
from ffltool.errors import InputError
from ffltool.figures import Curves, Line, Scale, Spectrum
from ffltool.metrics.spectral import BANDS
from ffltool.radial import band_of_each
from ffltool.recipes import Recipe
from ffltool.spectrum import centred
from ffltool.survey import Survey

_NAMES = {"power": "|F|²", "amplitude": "|F|", "log1p": "ln(1 + |F|)", "log": "ln |F|", "complex": "|mean F|"}
_LOGARITHMS = ("log1p", "log")
_DECIBEL = 20 / math.log(10)  # of a factor e of amplitude
_EPSILON = 1e-6
_FIXED = {"log": (1e-5, 1e-1), "relative": (0.0, 1.0)}  # ends of the scales that papers fix
_PERCENTILES = (0.5, 99.9)  # ends of the others: the zero frequency is beyond them, with what else stands alone
_CORNER = math.sqrt(0.5)
_LAST_TENTH = (0.45, 0.5)


def label(recipe: Recipe) -> str:
    """Return what is drawn, with its unit.

    >>> label(Recipe())
    'mean |F|² (dB)'
    """
    name = _NAMES[recipe.average]
    mean = name if recipe.average == "complex" else f"mean {name}"
    return {
        "db": f"{mean} (dB)",
        "ln": mean if recipe.average in _LOGARITHMS else f"ln({mean} + 1e-6)",
        "linear": mean,
        "log": mean,
        "relative": f"{mean} / 4 times its mean",
        "dc": f"{mean} / that at 0",
    }[recipe.show]


def shown(values: NDArray[np.float64], recipe: Recipe, *, centre: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values of any shape as they are drawn; `centre`, shape (H, W), is the map that they belong to."""
    if recipe.show == "db":
        return _in_decibels(values, recipe)
    if recipe.show == "ln" and recipe.average not in _LOGARITHMS:
        return np.log(values + _EPSILON)
    if recipe.show == "relative":
        return (values / (4 * centre.mean() or 1)).clip(max=1)
    if recipe.show == "dc":
        return values / (_at_zero(centre, recipe) or 1)
    return values


def gain(values: NDArray[np.float64], reference: NDArray[np.float64], recipe: Recipe) -> NDArray[np.float64]:
    """Return values over those of the reference, of one shape, in dB; NaN where both are 0, infinite where one is."""
    with np.errstate(invalid="ignore"):
        return _in_decibels(values, recipe) - _in_decibels(reference, recipe)


def _in_decibels(values: NDArray[np.float64], recipe: Recipe) -> NDArray[np.float64]:
    if recipe.average in _LOGARITHMS:
        return _DECIBEL * values
    with np.errstate(divide="ignore", invalid="ignore"):
        return (10 if recipe.average == "power" else 20) * np.log10(values)


def _at_zero(values: NDArray[np.float64], recipe: Recipe) -> float:
    height, width = values.shape
    return float(values[0, 0] if recipe.transform == "dct" else values[height // 2, width // 2])


def band_gains(survey: Survey) -> list[list[float]]:
    """Return the level of the first set in each band of the gain, in dB, and the gains of the others against it.

    Of pairs, the level of each real image and the gain of its fake one. NaN for a band without a frequency. The zero
    frequency is left out.
    """
    band = _bands_of_map(survey).ravel()
    sizes = np.bincount(band, minlength=BANDS + 2)[1:]
    sums = [np.bincount(band, values.ravel(), minlength=BANDS + 2)[1:] for values in survey.maps]
    with np.errstate(invalid="ignore"):
        means = [each / sizes for each in sums]
    levels = _in_decibels(np.array(means), survey.recipe)
    with np.errstate(invalid="ignore"):
        return [
            (level - levels[first] if first != number else level).tolist()
            for number, (level, first) in enumerate(zip(levels, references(survey), strict=True))
        ]


def _bands_of_map(survey: Survey) -> NDArray[np.int64]:
    """Return which of `bands` each place of the maps lies in, shape (H, W)."""
    height, width = survey.maps.shape[1:]
    if survey.recipe.transform == "dct":  # of the DFT of twice the size, the frequencies that are not negative
        return band_of_each(2 * height, 2 * width, count=BANDS)[:height, :width].numpy()
    return centred(band_of_each(height, width, count=BANDS)).numpy()


def references(survey: Survey) -> list[int]:
    """Return for each set which one it is compared with: the first; of pairs, the real image."""
    pairs = survey.layout == "pairs"
    return [number - number % 2 if pairs else 0 for number in range(len(survey.labels))]


def draw(survey: Survey, *, layout: str) -> figures.Figure:
    """Return the figure of a survey.

    Parameters
    ----------
    layout : "maps", a row for each set; "profiles", curves over frequency and orientation; "full", both; "pairs", for
        a survey of images, real and fake in turn, and "batch", for one of mini-batches: these were measured as such.

    Raises
    ------
    InputError : for a layout that the survey was not measured for.
    """
    check_layout(survey, layout)
    return LAYOUTS[layout](survey)


def check_layout(survey: Survey, layout: str) -> None:
    """Raise InputError for a layout that there is not, or that the survey was not measured for."""
    measured = survey.layout
    if layout not in LAYOUTS:
        raise InputError(f"there is no layout {layout!r}; known are {', '.join(LAYOUTS)}")
    if measured != layout and not {measured, layout} <= _OF_SETS:
        raise InputError(f"these spectra were measured for the layout {measured}, which {layout} cannot show")


def plots(survey: Survey) -> Iterator[tuple[str, figures.Figure]]:
    """Yield what the layout "full" has as figures of one plot each, with the titles of these."""
    spectra, scale = _spectra(survey), _scale(survey)
    difference = _scale_of_gains(survey, spectra)
    for each in spectra:
        yield f"mean spectrum of {each.label}", figures.spectrum_map(each.map, scale)
    for each in spectra:
        if each.difference is not None:
            yield f"gain of {each.label}", figures.spectrum_map(each.difference, difference, cmap="RdBu_r")
    for curves in _curves(survey):
        yield curves.title, figures.plot_of_lines(replace(curves, title=""))


def _draw_sets(survey: Survey, *, layout: str) -> figures.Figure:
    spectra, scale = _spectra(survey), _scale(survey)
    difference = _scale_of_gains(survey, spectra)
    return figures.spectrum_figure(spectra, scale, difference, list(_curves(survey)), layout=layout)


def _scale_of_gains(survey: Survey, spectra: list[Spectrum]) -> Scale:
    """Return the one scale of all maps of gains, with its middle at 0."""
    differences = [each.difference[np.isfinite(each.difference)] for each in spectra if each.difference is not None]
    ends = np.percentile(np.abs(np.concatenate(differences)), 99.5) if any(map(len, differences)) else 1.0
    reach = max(1.0, float(ends))
    return Scale(f"gain against {survey.labels[0]} (dB)", -reach, reach, dct=survey.recipe.transform == "dct")


def _draw_batches(survey: Survey) -> figures.Figure:
    rows: dict[str, list[Spectrum]] = {}
    for each, about in zip(_spectra(survey), survey.sets, strict=True):
        rows.setdefault(about.input, []).append(each)
    return figures.spectrum_batches(list(rows.items()), _scale(survey))


_OF_SETS = {"maps", "profiles", "full"}
LAYOUTS: dict[str, Callable[[Survey], figures.Figure]] = {
    "full": lambda survey: _draw_sets(survey, layout="full"),
    "maps": lambda survey: _draw_sets(survey, layout="maps"),
    "profiles": lambda survey: _draw_sets(survey, layout="profiles"),
    "pairs": lambda survey: figures.spectrum_pairs(_spectra(survey), _scale(survey)),
    "batch": _draw_batches,
}


def _spectra(survey: Survey) -> list[Spectrum]:
    recipe, first = survey.recipe, survey.maps[0]
    return [
        Spectrum(
            label=name,
            example=example.squeeze(-1) / 255 if example.shape[-1] == 1 else example / 255,
            map=shown(values, recipe, centre=values),
            difference=_without_nan(gain(values, first, recipe)) if number else None,
        )
        for number, (name, example, values) in enumerate(zip(survey.labels, survey.examples, survey.maps, strict=True))
    ]


def _without_nan(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return gains with 0 dB where there is no power on either side."""
    return np.where(np.isnan(gains), 0.0, gains)


def _scale(survey: Survey) -> Scale:
    """Return the one scale of all maps."""
    recipe = survey.recipe
    values = np.stack([shown(values, recipe, centre=values) for values in survey.maps])
    finite = values[np.isfinite(values)]
    low, high = _FIXED.get(recipe.show) or (np.percentile(finite, _PERCENTILES) if finite.size else (0.0, 1.0))
    high = float(high) if high > low else float(low) + 1
    return Scale(label(recipe), float(low), high, logarithmic=recipe.show == "log", dct=recipe.transform == "dct")


def _curves(survey: Survey) -> Iterator[Curves]:
    recipe, unit = survey.recipe, label(survey.recipe)
    first = 0 if recipe.show == "dc" else 1  # else the brightness, far above all others, would flatten them
    logarithmic = recipe.show == "log"
    if recipe.curves == "slices":
        for angle, end in ((0, 0.5), (45, _CORNER)):
            lines = [
                Line(name, x[first:], shown(y, recipe, centre=values)[first:])
                for name, values in zip(survey.labels, survey.maps, strict=True)
                for x, y in [_slice(values, angle)]
            ]
            yield Curves(f"along {angle} degrees", unit, lines, (0, end), logarithmic=logarithmic)
    else:
        lines = _lines(survey, survey.radius, "profile", first=first)
        yield Curves("mean over rings", unit, lines, (0, _CORNER), logarithmic=logarithmic)
        yield Curves("the last tenth", unit, lines, _LAST_TENTH, logarithmic=logarithmic)
    if len(survey.labels) > 1:
        gains = [gain(profile, survey.profile[0], recipe) for profile in survey.profile[1:]]
        lines = [Line(name, survey.radius[1:], y[1:]) for name, y in zip(survey.labels[1:], gains, strict=True)]
        yield Curves("gain", f"against {survey.labels[0]} (dB)", lines, (0, _CORNER), baseline=0.0)
    lines = [_round_again(line) for line in _lines(survey, survey.angle, "angular")]
    yield Curves("mean over orientations", unit, lines, (0, 90 if recipe.transform == "dct" else 180), orientation=True)


def _lines(survey: Survey, x: NDArray[np.float64], name: str, *, first: int = 0) -> list[Line]:
    recipe, lines = survey.recipe, []
    parts = (getattr(survey, f"{name}{part}") for part in ("", "_std", "_spread"))
    for label, values, mean, std, spread in zip(survey.labels, survey.maps, *parts, strict=True):
        y = shown(mean, recipe, centre=values)
        if recipe.show == "db":
            wide = spread * (_DECIBEL if recipe.average in _LOGARITHMS else 1)
        else:
            wide = std if recipe.show == "linear" else np.zeros_like(std)
        lines.append(Line(label, x[first:], y[first:], wide[first:] if np.nan_to_num(wide).any() else None))
    return lines


def _round_again(line: Line) -> Line:
    """Return a line over orientations up to 180 degrees, which is 0 again."""
    spread = None if line.spread is None else np.append(line.spread, line.spread[0])
    return Line(line.label, np.append(line.x, 180.0), np.append(line.y, line.y[0]), spread)


def _slice(values: NDArray[np.float64], angle: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return radii, and the values of a map along 0 or 45 degrees from its zero frequency."""
    height, width = values.shape
    steps = np.arange(max(height, width) // 2 + 1) / max(height, width)  # along u, in cycles per pixel
    rows = np.rint(steps * height).astype(int) if angle else np.zeros(len(steps), int)
    columns = np.rint(steps * width).astype(int)
    slice_of = values[(height // 2 + rows) % height, (width // 2 + columns) % width]
    return steps * (math.sqrt(2) if angle else 1), slice_of
