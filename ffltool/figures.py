"""Every drawing: arrays in, matplotlib figures out, and figures into files."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from ffltool import outputs
from ffltool.errors import InputError

_DPI = 150
_SUFFIXES = (".png", ".svg", ".pdf")
_SIDE = 1.55  # inches of a small image
_LEAST_WEIGHT = 1e-4
_TEXT = {"fontsize": 9}
# Okabe and Ito's colours, which the colour-blind can tell apart, with darker ones for their yellow and beyond them;
# and a line style for print in grey
_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#000000",
    "#999999",
    "#8C6D00",
    "#661100",
)
_DASHES = ("-", "--", "-.", ":")


@dataclass(frozen=True, eq=False)
class Panel:
    """An image, shape (H, W) or (H, W, 3) in 0..1, with its centred log amplitude, shape (H, W), and a title."""

    title: str
    image: np.ndarray
    spectrum: np.ndarray


@dataclass(frozen=True, eq=False)
class Curve:
    """A named line through points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


def images_over_spectra(panels: Sequence[Panel]) -> Figure:
    """Draw a row of images over the row of their spectra, these on one scale: that of the first."""
    height, width = panels[0].image.shape[:2]
    wide, tall = _sides(height, width, _SIDE)
    figure = _figure(max(wide, 1.0) * len(panels) + 1.1, 2 * tall + 0.95)
    rows = figure.subplots(2, len(panels), squeeze=False)
    low, high = panels[0].spectrum.min(), panels[0].spectrum.max()
    scale = {"vmin": low, "vmax": high if high > low else low + 1}
    for panel, over, under in zip(panels, *rows, strict=True):
        over.imshow(panel.image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        over.set_title(panel.title, **_TEXT)
        over.set(xticks=[], yticks=[])
        drawn = _frequency_map(under, panel.spectrum, inches=(wide, tall), **scale)
        if under is not rows[1][0]:
            under.set(xticks=[], yticks=[], xlabel="", ylabel="")
    # beside both rows, lest the lower one gets narrower than the upper
    _colour_bar(figure, drawn, rows.ravel().tolist(), "ln(1 + |F|)")
    return figure


def _sides(height: int, width: int, inches: float) -> tuple[float, float]:
    """Return width and height in inches of an image whose shorter side is that long, up to a ratio of 2.5."""
    ratio = min(max(height / width, 0.4), 2.5)
    return (inches, inches * ratio) if ratio >= 1 else (inches / ratio, inches)


def _frequency_map(axes: Axes, values: np.ndarray, *, inches: tuple[float, float], **scale: object) -> AxesImage:
    """Show a centred map over frequencies, shape (H, W), with its axes in cycles per pixel."""
    (top, bottom), (left, right) = (((-(n // 2) - 0.5) / n, (n - n // 2 - 0.5) / n) for n in values.shape)
    drawn = axes.imshow(
        values, cmap="viridis", extent=(left, right, bottom, top), aspect=values.shape[0] / values.shape[1], **scale
    )
    xticks, yticks = ([-0.25, 0, 0.25] if side > 1.2 else [0] for side in inches)
    axes.set(xticks=xticks, yticks=yticks, xlim=(left, right), ylim=(bottom, top))
    axes.tick_params(labelsize=7, length=2)
    axes.set_xlabel("u (cycles per pixel)" if inches[0] > 1.2 else "u (c/px)", fontsize=7)
    axes.set_ylabel("v (cycles per pixel)" if inches[1] > 1.2 else "v (c/px)", fontsize=7)
    return drawn


def _colour_bar(figure: Figure, drawn: AxesImage, beside: list[Axes], label: str) -> None:
    bar = figure.colorbar(drawn, ax=beside, fraction=0.05, pad=0.01, aspect=15, shrink=0.5 if len(beside) > 1 else 1)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def convergence(losses: Sequence[Curve], decibels: Sequence[Curve]) -> Figure:
    """Draw the loss, as a share of that at the start, and the PSNR of each objective over the steps."""
    figure = _figure(8.6, 3.0)
    left, right = figure.subplots(1, 2)
    for axes, curves in ((left, losses), (right, decibels)):
        for number, curve in enumerate(curves):
            style = {"color": _COLOURS[number % len(_COLOURS)], "linestyle": _DASHES[number % len(_DASHES)]}
            axes.plot(curve.x, curve.y, label=curve.name, linewidth=1.4, **style)
        axes.set_xlabel("step", **_TEXT)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _tidy(axes)
    if any(value > 0 for curve in losses for value in curve.y):
        left.set_yscale("log")
    left.set_ylabel("loss / loss of the start", **_TEXT)
    right.set_ylabel("PSNR (dB)", **_TEXT)
    figure.legend(*right.get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=8)
    return figure


def weight_matrix(weight: np.ndarray, *, alpha: float) -> Figure:
    """Draw a centred mean weight matrix, shape (H, W), on a logarithmic scale that ends at 1e-4."""
    wide, tall = _sides(*weight.shape, 3.4)
    figure = _figure(wide + 1.4, tall + 0.7)
    axes = figure.subplots()
    lowest = float(np.clip(weight.min(), _LEAST_WEIGHT, 0.1))
    drawn = _frequency_map(axes, weight.clip(lowest), inches=(wide, tall), norm=LogNorm(lowest, 1.0))
    axes.set_title(f"mean weight, alpha = {alpha:g}", **_TEXT)
    _colour_bar(figure, drawn, [axes], "weight of a frequency")
    return figure


def _tidy(axes: Axes) -> None:
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _figure(width: float, height: float) -> Figure:
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def check_suffix(path: Path) -> None:
    """Raise InputError for a path whose suffix is not that of a kind of figure."""
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"{path} has no suffix of a figure; known are {', '.join(_SUFFIXES)}")


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the path's suffix, whole or not at all."""
    content = io.BytesIO()
    with rc_context({"svg.hashsalt": outputs.MARK}):  # names inside an SVG are random without it
        kind = path.suffix.lower()
        figure.savefig(content, format=kind[1:], metadata=_metadata(kind), bbox_inches="tight", pad_inches=0.05)
    outputs.write(path, content.getvalue())


def _metadata(suffix: str) -> dict[str, str | None]:
    """Return what a file says of its origin, without the time: the same data give the same file."""
    if suffix == ".png":
        return {"Software": outputs.MARK}
    return (
        {"Creator": outputs.MARK, "Date": None} if suffix == ".svg" else {"Creator": outputs.MARK, "CreationDate": None}
    )
