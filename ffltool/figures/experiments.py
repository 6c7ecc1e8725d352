"""What models trained under several objectives make of images: rows of images, a strip with spectra, losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from ffltool.figures.canvas import TEXT, colour, dashes, new_figure, tidy
from ffltool.figures.rebuilt import Curve, Panel

_SIDE = 0.95  # inches of an image
_SMALL = 7.5  # points
_BESIDE = 0.05  # inches between a row and its name
_POINT = 1 / 72  # inch


def image_rows(rows: Sequence[tuple[str, Sequence[np.ndarray]]]) -> Figure:
    """Draw named rows of images of one size, shape (S, S, 3) in 0..1, one above the other (Figs. 5 and 6)."""
    columns = max(len(images) for _, images in rows)
    widest = max(TextPath((0, 0), name, size=TEXT).get_extents().width for name, _ in rows)
    figure = new_figure(widest * _POINT + _BESIDE + columns * _SIDE, len(rows) * _SIDE)
    _close_up(figure)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for (name, images), row in zip(rows, grid, strict=True):
        for axes, image in zip(row, images, strict=True):
            _show(axes, image)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=TEXT)
    return figure


def strip(panels: Sequence[Panel], *, columns: int = 7) -> Figure:
    """Draw an image under every objective over its spectrum, all spectra on one scale, in rows of so many (Fig. 11)."""
    columns = min(columns, len(panels))
    lines = -(-len(panels) // columns)
    figure = new_figure(columns * 1.2 * _SIDE, lines * (2 * _SIDE + 0.42))
    _close_up(figure)
    grid = figure.subplots(2 * lines, columns, squeeze=False)
    low, high = panels[0].spectrum.min(), panels[0].spectrum.max()
    for number in range(lines * columns):
        over, under = (grid[2 * (number // columns) + part][number % columns] for part in (0, 1))
        if number >= len(panels):
            over.set_axis_off()
            under.set_axis_off()
            continue
        _show(over, panels[number].image)
        _show(under, panels[number].spectrum, cmap="viridis", low=low, high=high if high > low else low + 1)
        over.set_title(panels[number].title, fontsize=_SMALL)
    return figure


def spatial_losses(curves: Sequence[Curve], *, label: str) -> Figure:
    """Draw the pixel loss of each objective, on a logarithmic scale, over epochs (Fig. 14)."""
    figure = new_figure(6.2, 3.4)
    axes = figure.subplots()
    for number, curve in enumerate(curves):
        alone = "o" if len(curve.x) == 1 else None  # a line of one point is none
        axes.plot(
            curve.x,
            curve.y,
            label=curve.name,
            linewidth=1.3,
            marker=alone,
            color=colour(number),
            linestyle=dashes(number),
        )
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))  # no two labels on one another
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("epoch", fontsize=TEXT)
    axes.set_ylabel(label, fontsize=TEXT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    tidy(axes)
    axes.tick_params(which="both", labelsize=8)
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    return figure


def _close_up(figure: Figure) -> None:
    figure.set_layout_engine("constrained", w_pad=0.015, h_pad=0.015, wspace=0, hspace=0)


def _show(axes: Axes, image: np.ndarray, *, cmap: str = "gray", low: float = 0.0, high: float = 1.0) -> None:
    axes.imshow(image, interpolation="nearest", cmap=cmap, vmin=low, vmax=high)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
