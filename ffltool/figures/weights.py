"""The weight that the loss gives to each frequency."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from ffltool.figures.canvas import TEXT, colour_bar, frequency_map, new_figure, sides

_LEAST_WEIGHT = 1e-4


def weight_matrix(weight: np.ndarray, *, alpha: float) -> Figure:
    """Draw a centred mean weight matrix, shape (H, W), on a logarithmic scale that ends at 1e-4."""
    wide, tall = sides(*weight.shape, inches=3.4)
    figure = new_figure(wide + 1.4, tall + 0.7)
    axes = figure.subplots()
    lowest = float(np.clip(weight.min(), _LEAST_WEIGHT, 0.1))
    drawn = frequency_map(axes, weight.clip(lowest), inches=(wide, tall), norm=LogNorm(lowest, 1.0))
    axes.set_title(f"mean weight, alpha = {alpha:g}", fontsize=TEXT)
    colour_bar(figure, drawn, [axes], "weight of a frequency")
    return figure
