"""Mean spectra of sets side by side: maps with differences, curves over radius and orientation, grids of maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from ffltool.figures.canvas import (
    TEXT,
    colour,
    colour_bar,
    dashes,
    frequency_map,
    new_figure,
    sides,
    tidy,
)
from ffltool.texts import shortened

_SIDE = 1.75  # inches of a map
_SMALL = 1.15  # inches of one in a grid
_WIDTH = 8.6  # inches of curves
_ALONE = 2.6  # inches of the longer side of a map by itself
_PLOT = (4.4, 2.9)  # inches of a plot by itself
_LETTERS = 24  # of the name of a row


@dataclass(frozen=True, eq=False)
class Scale:
    """What the colours of maps mean: a label with its unit, both ends, and whether it is logarithmic."""

    label: str
    low: float
    high: float
    logarithmic: bool = False
    dct: bool = False

    def drawn(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a map, shape (H, W), with what is beyond the ends, or infinite, at the ends."""
        return np.nan_to_num(values, nan=self.low, posinf=self.high, neginf=self.low).clip(self.low, self.high)

    @property
    def norm(self) -> Normalize:
        """Matplotlib's form of it."""
        return (LogNorm if self.logarithmic else Normalize)(self.low, self.high)


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A set: its label, an example image in 0..1, its map, and the difference from the reference in dB or None."""

    label: str
    example: NDArray[np.float64]
    map: NDArray[np.float64]
    difference: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Line:
    """A named curve, NaN where there is nothing, and how far the images of its set spread about it."""

    label: str
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    spread: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class Curves:
    """A plot of lines over frequency, or over ``orientation``; ``baseline`` is a level that is marked."""

    title: str
    ylabel: str
    lines: Sequence[Line]
    xlim: tuple[float, float]
    orientation: bool = False
    logarithmic: bool = False
    baseline: float | None = None


def spectrum_figure(
    spectra: Sequence[Spectrum], scale: Scale, difference: Scale, curves: Sequence[Curves], *, layout: str = "full"
) -> Figure:
    """Draw a row of maps for each set, curves of all sets below; `layout` "maps" or "profiles" leaves the other out."""
    wide, tall = sides(*spectra[0].map.shape, inches=_SIDE)
    columns = _columns(spectra)
    maps = (columns * max(wide, 1.6) + 2.0, len(spectra) * (tall + 0.25) + 0.75)
    plots = (_WIDTH, 2.5 * ((len(curves) + 1) // 2) + 0.35)
    if layout == "maps":
        figure = new_figure(*maps)
        _draw_maps(figure, spectra, scale, difference, inches=(wide, tall))
    elif layout == "profiles":
        figure = new_figure(*plots)
        _draw_curves(figure, curves)
    else:
        figure = new_figure(max(maps[0], plots[0]), maps[1] + plots[1])
        (above,), (below,) = figure.subfigures(2, 1, squeeze=False, height_ratios=(maps[1], plots[1]))
        _draw_maps(above, spectra, scale, difference, inches=(wide, tall))
        _draw_curves(below, curves)
    return figure


def _columns(spectra: Sequence[Spectrum]) -> int:
    """Return how many columns sets have: an example, the map, and the difference where there is one."""
    return 3 if any(each.difference is not None for each in spectra) else 2


def _draw_maps(
    figure: Figure | SubFigure,
    spectra: Sequence[Spectrum],
    scale: Scale,
    difference: Scale,
    *,
    inches: tuple[float, float],
) -> None:
    columns = _columns(spectra)
    rows = figure.subplots(len(spectra), columns, squeeze=False)
    for number, (each, row) in enumerate(zip(spectra, rows, strict=True), start=1):
        row[0].imshow(each.example, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        row[0].set(xticks=[], yticks=[])
        row[0].set_ylabel(shortened(each.label, _LETTERS), fontsize=TEXT)
        drawn = _draw_map(row[1], each.map, scale, inches=inches)
        if each.difference is not None:
            changed = _draw_map(row[2], each.difference, difference, inches=inches, cmap="RdBu_r")
        elif columns == 3:
            row[2].set_axis_off()
        for axes in row[1:] if number < len(spectra) else ():
            axes.set(xlabel="", xticklabels=[])
        for axes in row[2:]:
            axes.set(ylabel="", yticklabels=[])
    for axes, title in zip(rows[0], ("example", "mean spectrum"), strict=False):
        axes.set_title(title, fontsize=TEXT)
    colour_bar(figure, drawn, rows[:, 1].tolist(), scale.label)
    if columns == 3:
        colour_bar(figure, changed, rows[:, 2].tolist(), difference.label)


def _draw_map(
    axes: Axes, values: NDArray[np.float64], scale: Scale, *, inches: tuple[float, float], cmap: str = "viridis"
) -> AxesImage:
    return frequency_map(axes, scale.drawn(values), inches=inches, cmap=cmap, dct=scale.dct, norm=scale.norm)


def spectrum_map(values: NDArray[np.float64], scale: Scale, *, cmap: str = "viridis") -> Figure:
    """Draw a map by itself, shape (H, W), with its scale."""
    wide, tall = sides(*values.shape, inches=1.0)
    wide, tall = (_ALONE * side / max(wide, tall) for side in (wide, tall))
    figure = new_figure(wide + 1.1, tall + 0.45)
    axes = figure.subplots()
    drawn = _draw_map(axes, values, scale, inches=(wide, tall), cmap=cmap)
    colour_bar(figure, drawn, [axes], scale.label)
    return figure


def plot_of_lines(curves: Curves) -> Figure:
    """Draw a plot by itself, with the names of its lines where there are several."""
    figure = new_figure(*_PLOT)
    axes = figure.subplots()
    _draw_lines(axes, curves)
    if len(curves.lines) > 1:
        axes.legend(frameon=False, fontsize=8)
    return figure


def _draw_curves(figure: Figure | SubFigure, curves: Sequence[Curves]) -> None:
    plots = figure.subplots((len(curves) + 1) // 2, 2, squeeze=False)
    for axes, each in zip(plots.flat, curves, strict=False):
        _draw_lines(axes, each)
    for axes in plots.flat[len(curves) :]:
        axes.set_axis_off()
    handles = plots[0, 0].get_legend_handles_labels()
    if len(handles[1]) > 1:
        figure.legend(*handles, loc="outside lower center", ncols=min(len(handles[1]), 4), frameon=False, fontsize=8)


def _draw_lines(axes: Axes, curves: Curves) -> None:
    first = 0 if curves.baseline is None else 1  # where the reference is the baseline, the others keep their colours
    for number, line in enumerate(curves.lines, start=first):
        axes.plot(line.x, line.y, label=line.label, linewidth=1.3, color=colour(number), linestyle=dashes(number))
        if line.spread is not None:
            ends = line.y - line.spread, line.y + line.spread
            axes.fill_between(line.x, *ends, color=colour(number), alpha=0.15, linewidth=0)
    if curves.baseline is not None:
        axes.axhline(curves.baseline, color="0.45", linewidth=0.8, zorder=0)
    axes.set_title(curves.title, fontsize=TEXT)
    axes.set_ylabel(curves.ylabel, fontsize=8)
    if curves.logarithmic and any((line.y > 0).any() for line in curves.lines):
        axes.set_yscale("log")
    tidy(axes)
    if curves.orientation:
        axes.set_xlabel("orientation (degrees)", fontsize=8)
        axes.set_xticks([0, 45, 90, 135, 180])
    axes.set_xlim(curves.xlim)
    if not curves.orientation:
        axes.set_xlabel("frequency (cycles per pixel)", fontsize=8)
        _mark_nyquist(axes)
    _fit_height(axes, curves)


def _mark_nyquist(axes: Axes) -> None:
    axes.axvline(0.5, color="0.45", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
    left, right = axes.get_xlim()
    inner = left < 0.5 < right
    axes.text(
        0.5,
        0.985,
        "Nyquist " if not inner else " Nyquist",
        transform=axes.get_xaxis_transform(),
        fontsize=7,
        color="0.35",
        va="top",
        ha="left" if inner else "right",
    )


def _fit_height(axes: Axes, curves: Curves) -> None:
    """Let the vertical axis show what lies within the horizontal one."""
    (low, high), ends = curves.xlim, []
    for line in curves.lines:
        spread = 0 if line.spread is None else np.nan_to_num(line.spread)
        seen = (line.x >= low) & (line.x <= high) & np.isfinite(line.y)
        ends += [*(line.y - spread)[seen], *(line.y + spread)[seen]]
    if ends and not curves.logarithmic:
        margin = 0.06 * ((max(ends) - min(ends)) or 1.0)
        axes.set_ylim(min(ends) - margin, max(ends) + margin)


def spectrum_pairs(spectra: Sequence[Spectrum], scale: Scale) -> Figure:
    """Draw images over their maps, real and fake side by side, pair after pair."""
    pairs = len(spectra) // 2
    wide, tall = sides(*spectra[0].map.shape, inches=_SMALL)
    figure = new_figure(len(spectra) * max(wide, 0.9) + 0.2 * pairs + 1.1, 2 * tall + 0.75)
    grid = figure.add_gridspec(2, 3 * pairs - 1, width_ratios=[*([1, 1, 0.12] * pairs)[:-1]])
    lower = []
    for number, each in enumerate(spectra):
        column = number + number // 2
        over, under = (figure.add_subplot(grid[row, column]) for row in (0, 1))
        over.imshow(each.example, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        over.set(xticks=[], yticks=[])
        over.set_title(each.label, fontsize=8)
        drawn = _draw_map(under, each.map, scale, inches=(wide, tall))
        if number:
            under.set(xticks=[], yticks=[], xlabel="", ylabel="")
        lower += [over, under]
    colour_bar(figure, drawn, lower, scale.label)
    return figure


def spectrum_batches(rows: Sequence[tuple[str, Sequence[Spectrum]]], scale: Scale) -> Figure:
    """Draw the maps of mini-batches, a row of them for each set."""
    columns = max(len(spectra) for _, spectra in rows)
    wide, tall = sides(*rows[0][1][0].map.shape, inches=_SIDE)
    figure = new_figure(columns * max(wide, 1.2) + 1.4, len(rows) * (tall + 0.25) + 0.5)
    plots = figure.subplots(len(rows), columns, squeeze=False)
    for (label, spectra), row in zip(rows, plots, strict=True):
        for axes in row[len(spectra) :]:
            axes.set_axis_off()
        for axes, each in zip(row, spectra, strict=False):
            drawn = _draw_map(axes, each.map, scale, inches=(wide, tall))
            axes.set_title(f"{label}: {each.label}", fontsize=8)
            if axes is not plots[-1][0]:
                axes.set(xticks=[], yticks=[], xlabel="", ylabel="")
    colour_bar(figure, drawn, plots.ravel().tolist(), scale.label)
    return figure
