"""Maps of how far spectra stand above their background, with the peaks that were found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, hypot

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ffltool.figures.canvas import TEXT, colour_bar, frequency_map, new_figure, sides

_SIDE = 3.2  # inches of a map
_COLUMNS = 3
_LOW, _LEAST, _MOST = -3.0, 6.0, 12.0  # dB: the lower end of the colours, and what the upper one is between
_APART = 0.15  # cycles per pixel from one text to the next
# kind of a peak -> its mark: shape, colour, and name in the legend
_LOOKS = {
    "artefact": ("o", "#FF4F00", "artefact"),
    "jpeg-grid": ("s", "#56B4E9", "JPEG's grid"),
    "as-reference": ("D", "#FFFFFF", "as in the reference"),
    "off-lattice": ("^", "#CC79A7", "off the lattice"),
}


@dataclass(frozen=True)
class Mark:
    """A peak at (u, v) cycles per pixel and its opposite, of a kind, with a text beside it, or none."""

    u: float
    v: float
    kind: str
    text: str


@dataclass(frozen=True, eq=False)
class Marked:
    """A centred map in dB above the background, shape (H, W), with marks, strongest first, and a title."""

    title: str
    level: np.ndarray
    marks: Sequence[Mark]


def peak_maps(maps: Sequence[Marked]) -> Figure:
    """Draw maps on one scale, up to three in a row, with peaks circled."""
    columns = min(len(maps), _COLUMNS)
    rows = ceil(len(maps) / columns)
    inches = [sides(*each.level.shape, inches=_SIDE) for each in maps]
    wide, tall = (max(each[axis] for each in inches) for axis in (0, 1))
    figure = new_figure(columns * (wide + 0.45) + 0.9, rows * (tall + 0.6) + 0.4)
    grid = figure.subplots(rows, columns, squeeze=False)
    high = min(max(_LEAST, *(each.level.max().item() for each in maps)), _MOST)
    for axes, each, size in zip(grid.flat, maps, inches, strict=False):
        drawn = frequency_map(
            axes,
            each.level.clip(_LOW, high),
            inches=size,
            norm=Normalize(_LOW, high),
            interpolation="nearest",
        )
        axes.set_title(each.title, fontsize=TEXT)
        _mark(axes, each)
    for axes in grid.flat[len(maps) :]:
        axes.set_axis_off()
    colour_bar(figure, drawn, grid.ravel().tolist(), "dB above the background")
    _legend(figure, {mark.kind for each in maps for mark in each.marks})
    return figure


def _mark(axes: Axes, marked: Marked) -> None:
    """Draw the marks, the strongest on top, and texts where there is room."""
    taken: list[tuple[float, float]] = []
    for order, mark in enumerate(marked.marks):
        shape, colour, _ = _LOOKS[mark.kind]
        ends = sorted({(_shown(u), _shown(v)) for u, v in ((mark.u, mark.v), (-mark.u, -mark.v))})
        axes.plot(
            *zip(*ends, strict=True),
            shape,
            markersize=8,
            markerfacecolor="none",
            markeredgecolor=colour,
            markeredgewidth=1.2,
            clip_on=False,
            zorder=3 + 1 / (1 + order),
        )
        if mark.text and all(hypot(ends[-1][0] - u, ends[-1][1] - v) > _APART for u, v in taken):
            taken.append(ends[-1])
            _write(axes, mark.text, *ends[-1])


def _write(axes: Axes, text: str, u: float, v: float) -> None:
    """Write beside a mark, towards the middle of the map."""
    axes.annotate(
        text,
        (u, v),
        xytext=(-7 if u > 0 else 7, -11 if v < -0.4 else 6),
        textcoords="offset points",
        ha="right" if u > 0 else "left",
        fontsize=7,
        color="white",
        bbox={"facecolor": "black", "alpha": 0.55, "linewidth": 0, "pad": 1},
    )


def _shown(frequency: float) -> float:
    """Return where a frequency is drawn: the Nyquist frequency stands at the left and the upper edge."""
    return -0.5 if frequency == 0.5 else frequency


def _legend(figure: Figure, kinds: set[str]) -> None:
    handles = [
        Line2D(
            [],
            [],
            linestyle="none",
            marker=shape,
            markersize=6,
            markerfacecolor="none",
            markeredgecolor=_print(colour),
            markeredgewidth=1.2,
            label=name,
        )
        for kind, (shape, colour, name) in _LOOKS.items()
        if kind in kinds
    ]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8)


def _print(colour: str) -> str:
    """Return a colour that can be seen on paper."""
    return "#777777" if colour == "#FFFFFF" else colour
