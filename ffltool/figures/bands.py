"""Where in the spectrum the squared error lies: over all frequencies, and in bands of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from ffltool.figures.canvas import TEXT, colour, colour_bar, frequency_map, new_figure, sides, tidy
from ffltool.report import BandScore

_DECADES = 8  # below the largest error, from which on there is none to see
_ROW = 0.22  # inches of a bar and its name
_TALLEST = 9.0
_MANY = 20  # bands whose edges would hide the map if they were not thinner
_MOST_NAMES = 45  # that stand below one another without touching
_HATCH = "//////"  # of what is of phases


def error_in_bands(error_map: NDArray[np.float64], bands: Sequence[BandScore]) -> Figure:
    """Draw a centred mean squared error over frequencies, shape (H, W), beside each band's share of it and its gain."""
    wide, tall = sides(*error_map.shape, inches=3.4)
    tall = max(tall, min(_ROW * len(bands), _TALLEST))
    figure = new_figure(wide + 6.6, tall + 0.8)
    figure.set_layout_engine("constrained", w_pad=0.1)
    over, shares, gains = figure.subplots(1, 3, width_ratios=[wide + 0.8, 3.2, 1.4])
    drawn = frequency_map(over, _decibels(error_map), inches=(wide, tall))
    colour_bar(figure, drawn, [over], "mean |F_real - F_fake|² / HW (dB)")
    for band in bands[2:]:
        width = 0.5 if len(bands) < _MANY else 0.25
        over.add_patch(Circle((0, 0), band.low, fill=False, edgecolor="white", linewidth=width, alpha=0.6))
    over.set_title("squared error of a frequency", fontsize=TEXT)
    _bars_of_shares(shares, bands)
    _bars_of_gains(gains, bands)
    gains.set_yticklabels([])
    gains.spines["left"].set_visible(False)
    return figure


def shares_in_bands(bands: Sequence[BandScore]) -> Figure:
    """Draw each band's share of the squared error by itself, split into its parts."""
    figure, axes = _alone(bands)
    _bars_of_shares(axes, bands)
    return figure


def gains_in_bands(bands: Sequence[BandScore]) -> Figure:
    """Draw the gain of each band by itself."""
    figure, axes = _alone(bands)
    _bars_of_gains(axes, bands)
    axes.set_ylabel("band (cycles per pixel)", fontsize=TEXT)
    return figure


def _alone(bands: Sequence[BandScore]) -> tuple[Figure, Axes]:
    figure = new_figure(4.4, min(_ROW * len(bands), _TALLEST) + 0.9)
    return figure, figure.subplots()


def _decibels(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 10 log10 of values, with those that are too small to see or 0 at the end of the scale."""
    least = (values.max() or 1.0) * 10.0**-_DECADES
    decibels: NDArray[np.float64] = 10 * np.log10(values.clip(least))
    return decibels


def _bars_of_shares(axes: Axes, bands: Sequence[BandScore]) -> None:
    rows = range(len(bands))
    share = np.array([band.share or 0.0 for band in bands])
    amplitude, phase = (
        share * [getattr(band, name) or 0.0 for band in bands] for name in ("amplitude_share", "phase_share")
    )
    axes.barh(rows, amplitude, label="amplitude", color=colour(0))
    axes.barh(rows, phase, left=amplitude, label="phase", color=colour(4), hatch=_HATCH, edgecolor="white", linewidth=0)
    axes.set_xlim(left=0)
    axes.set_ylabel("band (cycles per pixel)", fontsize=TEXT)
    axes.set_xlabel("share of the squared error", fontsize=TEXT)
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=8)
    _name_rows(axes, [band.name for band in bands])


def _bars_of_gains(axes: Axes, bands: Sequence[BandScore]) -> None:
    """Draw the gain of each band; none for a band without power."""
    gains = [np.nan if band.gain_db is None else band.gain_db for band in bands]
    axes.barh(range(len(bands)), gains, color=colour(7))
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("gain (dB)", fontsize=TEXT)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    _name_rows(axes, [band.name for band in bands])


def _name_rows(axes: Axes, names: Sequence[str]) -> None:
    """Name rows from top to bottom, not all of them where they would touch."""
    step = -(-len(names) // _MOST_NAMES)
    axes.set_yticks(range(0, len(names), step), names[::step])
    axes.set_ylim(len(names) - 0.4, -0.6)
    tidy(axes)
    axes.grid(visible=False, axis="y")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
