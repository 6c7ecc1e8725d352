"""How the values of a metric lie over images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil, sqrt

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ffltool.figures.canvas import TEXT, colour, new_figure, tidy

_MOST_BARS = 40


def histogram(values: Sequence[float], label: str, *, marks: Mapping[str, float], of: str) -> Figure:
    """Draw how many of the things called `of` have which value; `marks` are named values, drawn as lines."""
    figure = new_figure(4.4, 2.5)
    axes = figure.subplots()
    bars = min(_MOST_BARS, max(5, ceil(2 * sqrt(len(values)))))
    counts, edges = np.histogram(values, bins=bars)
    axes.stairs(counts, edges, fill=True, color=colour(0), alpha=0.55, linewidth=0)
    axes.stairs(counts, edges, color=colour(0), linewidth=1)
    for number, (name, value) in enumerate(marks.items()):
        axes.axvline(value, label=name, color="0.15", linewidth=1.2, linestyle=("-", ":")[number % 2])
    axes.set_xlabel(label, fontsize=TEXT)
    axes.set_ylabel(of, fontsize=TEXT)
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_ylim(0, 1.05 * counts.max())
    tidy(axes)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper right", ncols=len(marks), frameon=False, fontsize=8)
    return figure
