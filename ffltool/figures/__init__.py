"""Every drawing: arrays in, matplotlib figures out, and figures into files."""

from ffltool.figures.canvas import check_suffix, save
from ffltool.figures.filters import slices_of_cube
from ffltool.figures.rebuilt import Curve, Panel, convergence, images_over_spectra
from ffltool.figures.spectra import (
    Curves,
    Line,
    Scale,
    Spectrum,
    spectrum_batches,
    spectrum_figure,
    spectrum_pairs,
)
from ffltool.figures.weights import weight_matrix

__all__ = [
    "Curve",
    "Curves",
    "Line",
    "Panel",
    "Scale",
    "Spectrum",
    "check_suffix",
    "convergence",
    "images_over_spectra",
    "save",
    "slices_of_cube",
    "spectrum_batches",
    "spectrum_figure",
    "spectrum_pairs",
    "weight_matrix",
]
