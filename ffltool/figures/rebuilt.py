"""A reconstruction: images over their spectra, and how the objectives converge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ffltool.figures.canvas import TEXT, colour, colour_bar, dashes, frequency_map, new_figure, sides, tidy

_SIDE = 1.55  # inches of a small image
_NARROWEST, _LOWEST = 1.4, 0.6  # inches that a title and the label of an axis need


@dataclass(frozen=True, eq=False)
class Panel:
    """An image, shape (H, W) or (H, W, 3) in 0..1, with its centred log amplitude, shape (H, W), and a title.

    ``rings`` are frequencies (u, v) in cycles per pixel that are ringed in the spectrum, where they are hard to see.
    """

    title: str
    image: np.ndarray
    spectrum: np.ndarray
    rings: Sequence[tuple[float, float]] = ()


@dataclass(frozen=True, eq=False)
class Curve:
    """A named line through points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def images_over_spectra(panels: Sequence[Panel], *, lowest: float | None = None) -> Figure:
    """Draw a row of images over the row of their spectra, these on one scale: that of the first, or from `lowest`."""
    height, width = panels[0].image.shape[:2]
    wide, tall = sides(height, width, inches=_SIDE)
    wide, tall = min(wide, tall * width / height), min(tall, wide * height / width)  # of one longer than that ratio
    figure = new_figure(max(wide, _NARROWEST) * len(panels) + 1.1, 2 * max(tall, _LOWEST) + 0.95)
    rows = figure.subplots(2, len(panels), squeeze=False)
    low, high = panels[0].spectrum.min() if lowest is None else lowest, panels[0].spectrum.max()
    norm = Normalize(low, high if high > low else low + 1)
    for panel, over, under in zip(panels, *rows, strict=True):
        over.imshow(panel.image, cmap="gray", vmin=0, vmax=1, interpolation="antialiased")
        over.set_title(panel.title, fontsize=TEXT)
        over.set(xticks=[], yticks=[])
        drawn = frequency_map(under, panel.spectrum, inches=(wide, tall), norm=norm)
        for u, v in panel.rings:
            under.plot(u, v, "o", markersize=6, markerfacecolor="none", markeredgecolor="white", markeredgewidth=0.8)
        if under is not rows[1][0]:
            under.set(xticks=[], yticks=[], xlabel="", ylabel="")
    # beside both rows, lest the lower one gets narrower than the upper
    colour_bar(figure, drawn, rows.ravel().tolist(), "ln(1 + |F|)")
    return figure


def convergence(losses: Sequence[Curve], decibels: Sequence[Curve]) -> Figure:
    """Draw the loss, as a share of that at the start, and the PSNR of each objective over the steps."""
    figure = new_figure(8.6, 3.0)
    left, right = figure.subplots(1, 2)
    for axes, curves in ((left, losses), (right, decibels)):
        for number, curve in enumerate(curves):
            axes.plot(curve.x, curve.y, label=curve.name, linewidth=1.4, color=colour(number), linestyle=dashes(number))
        axes.set_xlabel("step", fontsize=TEXT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        tidy(axes)
    if any(value > 0 for curve in losses for value in curve.y):
        left.set_yscale("log")
    left.set_ylabel("loss / loss of the start", fontsize=TEXT)
    right.set_ylabel("PSNR (dB)", fontsize=TEXT)
    figure.legend(*right.get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    return figure
