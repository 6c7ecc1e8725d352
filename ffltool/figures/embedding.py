"""Figures as images inside a page, which is light or dark as its reader likes it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

from ffltool.figures.canvas import content

_LARGE = 40_000  # bytes of an SVG from which on a PNG may be smaller
_LAYOUTS = 2  # after the first the labels of a map may still be cut off
_GREY = 0.02  # difference between its parts up to which a colour is none


def on_light_and_dark(figure: Figure) -> Iterator[tuple[str, bytes]]:
    """Yield a figure for light and for dark backgrounds: the type of the image, and its bytes.

    The background is left out. SVG, whose letters are those of the reader's machine, or PNG where that is smaller.
    The figure is in dark colours afterwards.
    """
    for _ in range(_LAYOUTS):
        figure.get_layout_engine().execute(figure)
    figure.set_layout_engine("none")  # what was laid out stays where it is
    yield _smaller(figure)
    _darken(figure)
    yield _smaller(figure)


def _smaller(figure: Figure) -> tuple[str, bytes]:
    with rc_context({"svg.fonttype": "none"}):
        svg = content(figure, "svg", transparent=True)
    if len(svg) < _LARGE:
        return "image/svg+xml", svg
    png = content(figure, "png", transparent=True)
    return ("image/png", png) if len(png) < len(svg) else ("image/svg+xml", svg)


def _darken(figure: Figure) -> None:
    """Turn what is dark grey into light grey, and the other way round; colours stay."""
    for artist in figure.findobj(lambda artist: isinstance(artist, Text | Line2D | Patch)):
        if isinstance(artist, Patch):
            artist.set_edgecolor(_mirrored(artist.get_edgecolor()))
        elif artist.get_color() != "none":
            artist.set_color(_mirrored(artist.get_color()))


def _mirrored(colour: object) -> tuple[float, ...]:
    *parts, alpha = to_rgba(colour)
    if max(parts) - min(parts) > _GREY:
        return (*parts, alpha)
    return (*[0.92 - 0.85 * parts[0]] * 3, alpha)


def palette(name: str = "viridis") -> bytes:
    """Return the colours of a map of values 0 to 255, or of a map of classes, as 256 times red, green and blue."""
    colours = colormaps[name]
    steps = np.arange(256) % colours.N if colours.N < 256 else np.arange(256)
    return colours(steps, bytes=True)[:, :3].tobytes()
