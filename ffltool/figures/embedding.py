"""Figures as images inside a page, which is light or dark as its reader likes it."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.typing import ColorType
from PIL import Image

from ffltool.figures.canvas import content

PAPERS = ("#ffffff", "#14161a")  # the light and the dark background of the page
_LARGE = 60_000  # bytes of an SVG
_DPI = 120
_COLOURS = 256
_LAYOUTS = 2  # after the first the labels of a map may still be cut off
_GREY = 0.02  # difference between its parts up to which a colour is none


def on_light_and_dark(figure: Figure) -> Iterator[tuple[str, bytes]]:
    """Yield a figure for light and for dark backgrounds, `PAPERS`: the type of the image, and its bytes.

    Lines are SVG, whose letters are those of the reader's machine and whose background is left out; maps, and lines of
    very many points, are PNG of 256 colours, which is smaller. The figure is in dark colours afterwards.
    """
    if (engine := figure.get_layout_engine()) is not None:
        for _ in range(_LAYOUTS):
            engine.execute(figure)
    figure.set_layout_engine("none")  # what was laid out stays where it is
    for axes in figure.axes:
        axes.set_facecolor("none")
    light, dark = PAPERS
    yield _encoded(figure, light)
    _darken(figure)
    yield _encoded(figure, dark)


def _encoded(figure: Figure, paper: str) -> tuple[str, bytes]:
    if not any(axes.images for axes in figure.axes):
        with rc_context({"svg.fonttype": "none"}):
            svg = content(figure, "svg", transparent=True)
        if len(svg) <= _LARGE:
            return "image/svg+xml", svg
    with Image.open(io.BytesIO(content(figure, "png", facecolor=paper, dpi=_DPI))) as image:
        # the map of a spectrum is noise, which in all colours takes three times as many bytes
        few = image.convert("RGB").quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    png = io.BytesIO()
    few.save(png, "PNG")
    return "image/png", png.getvalue()


def _darken(figure: Figure) -> None:
    """Turn what is dark grey into light grey, and the other way round; colours stay."""
    for artist in figure.findobj():
        if isinstance(artist, Patch):
            artist.set_edgecolor(_mirrored(artist.get_edgecolor()))
        elif isinstance(artist, Text | Line2D) and artist.get_color() != "none":
            artist.set_color(_mirrored(artist.get_color()))


def _mirrored(colour: ColorType) -> tuple[float, float, float, float]:
    red, green, blue, alpha = to_rgba(colour)
    if max(red, green, blue) - min(red, green, blue) > _GREY:
        return red, green, blue, alpha
    grey = 0.92 - 0.85 * red
    return grey, grey, grey, alpha


def palette(name: str = "viridis") -> bytes:
    """Return the colours of a map of values 0 to 255, or of a map of classes, as 256 times red, green and blue."""
    colours = colormaps[name]
    steps = np.arange(256) % colours.N if colours.N < 256 else np.arange(256)
    return colours(steps, bytes=True)[:, :3].tobytes()
