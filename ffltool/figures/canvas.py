"""What every drawing shares: sizes, colours, frequency axes, and figures into files."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from ffltool import outputs
from ffltool.errors import InputError

_DPI = 150
_SUFFIXES = (".png", ".svg", ".pdf")
TEXT = 9  # points
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


def colour(number: int) -> str:
    """Return the colour of the line of that number."""
    return _COLOURS[number % len(_COLOURS)]


def dashes(number: int) -> str:
    """Return the dashes of the line of that number, which tell it apart in grey."""
    return _DASHES[number % len(_DASHES)]


def sides(height: int, width: int, *, inches: float) -> tuple[float, float]:
    """Return width and height in inches of an image whose shorter side is that long, up to a ratio of 2.5."""
    ratio = min(max(height / width, 0.4), 2.5)
    return (inches, inches * ratio) if ratio >= 1 else (inches / ratio, inches)


def frequency_map(
    axes: Axes,
    values: np.ndarray,
    *,
    inches: tuple[float, float],
    norm: Normalize | None = None,
    cmap: str = "viridis",
    interpolation: str | None = None,
    dct: bool = False,
) -> AxesImage:
    """Show a centred map over frequencies, shape (H, W), with its axes in cycles per pixel.

    `inches` are the width and height it will have: small ones get fewer ticks. `norm`, `cmap` and `interpolation` are
    those of matplotlib. A map of a DCT begins with the zero frequency and has steps of half a period.
    """
    (rows, columns), (wide, tall) = values.shape, inches
    inches = min(wide, tall * columns / rows), min(tall, wide * rows / columns)  # pixels are square
    if dct:
        (top, bottom), (left, right) = ((-0.25 / n, 0.5 - 0.25 / n) for n in values.shape)
    else:
        (top, bottom), (left, right) = (((-(n // 2) - 0.5) / n, (n - n // 2 - 0.5) / n) for n in values.shape)
    drawn = axes.imshow(
        values,
        norm=norm,
        cmap=cmap,
        interpolation=interpolation,
        extent=(left, right, bottom, top),
        aspect=rows / columns,
    )
    several = [0, 0.25] if dct else [-0.25, 0, 0.25]
    xticks, yticks = (several if side > 1.2 else [0] for side in inches)
    axes.set(xticks=xticks, yticks=yticks, xlim=(left, right), ylim=(bottom, top))
    axes.tick_params(labelsize=7, length=2)
    axes.set_xlabel("u (cycles per pixel)" if inches[0] > 1.2 else "u (c/px)", fontsize=7)
    axes.set_ylabel("v (cycles per pixel)" if inches[1] > 1.2 else "v (c/px)", fontsize=7)
    return drawn


def colour_bar(figure: Figure | SubFigure, drawn: AxesImage, beside: list[Axes], label: str) -> None:
    """Add the scale of a map, shorter than what it stands beside where that is more than one."""
    bar = figure.colorbar(drawn, ax=beside, fraction=0.05, pad=0.02, aspect=15, shrink=0.6 if len(beside) > 1 else 1)
    bar.set_label(label, fontsize=8)
    bar.ax.tick_params(labelsize=7)


def tidy(axes: Axes) -> None:
    """Give a plot of lines a faint grid, small numbers and no box."""
    axes.grid(alpha=0.3, linewidth=0.5)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of that many inches."""
    figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def check_suffix(path: Path) -> None:
    """Raise InputError for a path whose suffix is not that of a kind of figure."""
    if path.suffix.lower() not in _SUFFIXES:
        raise InputError(f"{path} has no suffix of a figure; known are {', '.join(_SUFFIXES)}")


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the path's suffix, whole or not at all."""
    outputs.write(path, content(figure, path.suffix.lower()[1:], bbox_inches="tight", pad_inches=0.05))


def content(figure: Figure, kind: str, *, transparent: bool = False, **settings: object) -> bytes:
    """Return a figure as a file of that kind, "png", "svg" or "pdf"; the rest is as for matplotlib's savefig."""
    file = io.BytesIO()
    with rc_context({"svg.hashsalt": outputs.MARK}):  # names inside an SVG are random without it
        figure.savefig(file, format=kind, metadata=_metadata(kind), transparent=transparent, **settings)
    return file.getvalue()


def _metadata(kind: str) -> dict[str, str | None]:
    """Return what a file says of its origin, without the time: the same data give the same file."""
    if kind == "png":
        return {"Software": outputs.MARK}
    return {"Creator": outputs.MARK, "Date" if kind == "svg" else "CreationDate": None}
