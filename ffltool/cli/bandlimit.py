"""``ffltool bandlimit``: what filters over frequencies leave of an image."""

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from ffltool.cli import _options as opt
from ffltool.errors import InputError

_FILTER = {"rich_help_panel": "Filters", "show_default": False}
_OTHER = {"rich_help_panel": "Other figures", "show_default": False}
_EVERYWHERE = ("output", "keep", "force")
_FILTERING = ("filter", "cutoff", "shape", "order", "point")


def bandlimit(
    context: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FIG", help="The figure: PNG, SVG, PDF.", show_default=False)
    ],
    image: Annotated[
        Path | None, typer.Argument(metavar="IMAGE", help="The image to filter.", show_default=False)
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Shrink to a longest side of N pixels.", show_default=False),
    ] = None,
    filter: Annotated[
        Literal["point-stop", "low-pass", "high-pass", "band-pass", "band-stop"] | None,
        typer.Option(
            metavar="NAME",
            help="One alone: point-stop, low-pass, high-pass, band-pass or band-stop; default: all but band-pass.",
            **_FILTER,
        ),
    ] = None,
    cutoff: Annotated[
        str | None,
        typer.Option(
            metavar="LOW,HIGH",
            help="Cut-offs such as 0.1 (cycles per pixel), 20% (of Nyquist), 10px (period); one for low-pass and "
            "high-pass alone. Default: 0.1,0.2.",
            **_FILTER,
        ),
    ] = None,
    shape: Annotated[
        Literal["ideal", "gaussian", "butterworth"] | None,
        typer.Option(metavar="NAME", help="ideal (default), gaussian or butterworth.", **_FILTER),
    ] = None,
    order: Annotated[
        int | None, typer.Option(min=1, max=100, metavar="N", help="Order of butterworth; default: 2.", **_FILTER)
    ] = None,
    point: Annotated[
        str | None,
        typer.Option(metavar="U,V", help="Point to stop, in periods over width and height; default: 0,0.", **_FILTER),
    ] = None,
    cube: Annotated[
        bool, typer.Option("--cube", help="The image of more and more frequencies, as slices of a cube.", **_OTHER)
    ] = False,
    waves: Annotated[
        bool, typer.Option("--waves", help="Waves and where they lie in the spectrum; without IMAGE.", **_OTHER)
    ] = False,
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="U,V", help="A wave of U and V periods over width and height; again for more.", **_OTHER),
    ] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write the images of the figure into a folder too.", **opt.OUTPUT)
    ] = None,
    force: opt.Force = False,
) -> None:
    """Image and spectrum under a point-stop, a low-pass, a high-pass and a band-stop filter.

    Example: ffltool bandlimit photo.jpg -o filters.png
    """
    from ffltool import bandlimit as limits
    from ffltool import figures, filtered, pictures
    from ffltool.cli import _render, _tables

    figures.check_suffix(output)
    if waves != (image is None):
        raise InputError("--waves takes no IMAGE" if waves else "an IMAGE is wanted, or --waves")
    if waves:
        opt.only(context, "--waves", *_EVERYWHERE, "waves", "at")
        points = list(dict.fromkeys(map(limits.point, at))) if at else filtered.WAVES
        names = filtered.names_of_waves(points)
    elif cube:
        opt.only(context, "--cube", *_EVERYWHERE, "cube", "image", "size")
        names, draw = filtered.names_of_slices(), filtered.draw_slices
    else:
        opt.only(context, "an IMAGE, only with --waves", *_EVERYWHERE, "image", "size", *_FILTERING)
        chosen = limits.filters(
            filter,
            None if cutoff is None else limits.cutoffs(cutoff),
            shape=shape or "ideal",
            order=order,
            point=(0, 0) if point is None else limits.point(point),
        )
        names, draw = [each.name for each in chosen], partial(filtered.draw_filters, filters=chosen)

    files = [f"{name}.png" for name in names]
    _check(output, keep, files, force=force)
    warnings: list[str] = []
    if image is None:
        drawn = filtered.draw_waves(points)
    else:
        target, warnings = pictures.load(image, size=size)
        drawn = draw(target)
    figures.save(drawn.figure, output)
    if keep is not None:
        pictures.write_images(keep, drawn.images)
    _render.deliver(lambda: _tables.of_figure(output, keep, files), warnings=warnings)


def _check(output: Path, keep: Path | None, files: list[str], *, force: bool) -> None:
    """Find out, before the work, whether the figure and the images can be written."""
    from ffltool import outputs, pictures
    from ffltool.cli import _render

    _render.check_files([(output, outputs.MARK)], force=force)
    if keep is not None:
        pictures.check(keep, files, force=force)
        if os.path.realpath(output) in [os.path.realpath(keep / file) for file in files]:
            raise InputError(f"{output} cannot be both the figure and an image that is kept")
