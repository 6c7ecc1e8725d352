"""Every drawing: arrays in, matplotlib figures out, and figures into files."""

from matplotlib.figure import Figure

from ffltool.figures.bands import error_in_bands, gains_in_bands, shares_in_bands
from ffltool.figures.canvas import check_suffix, save
from ffltool.figures.embedding import on_light_and_dark, palette
from ffltool.figures.experiments import image_rows, spatial_losses, strip
from ffltool.figures.filters import slices_of_cube
from ffltool.figures.peaks import Mark, Marked, peak_maps
from ffltool.figures.rebuilt import Curve, Panel, convergence, images_over_spectra
from ffltool.figures.scores import histogram
from ffltool.figures.spectra import (
    Curves,
    Line,
    Scale,
    Spectrum,
    plot_of_lines,
    spectrum_batches,
    spectrum_figure,
    spectrum_map,
    spectrum_pairs,
)
from ffltool.figures.weights import weight_matrix

__all__ = [
    "Curve",
    "Curves",
    "Figure",
    "Line",
    "Mark",
    "Marked",
    "Panel",
    "Scale",
    "Spectrum",
    "check_suffix",
    "convergence",
    "error_in_bands",
    "gains_in_bands",
    "histogram",
    "image_rows",
    "images_over_spectra",
    "on_light_and_dark",
    "palette",
    "peak_maps",
    "plot_of_lines",
    "save",
    "shares_in_bands",
    "slices_of_cube",
    "spatial_losses",
    "spectrum_batches",
    "spectrum_figure",
    "spectrum_map",
    "spectrum_pairs",
    "strip",
    "weight_matrix",
]
