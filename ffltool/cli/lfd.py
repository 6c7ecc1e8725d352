"""``ffltool lfd``: log frequency distance of paired images."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ffltool.cli import _options as opt

_BANDS = 8  # of a map for which no number is given


def lfd(
    real: opt.Real,
    fake: opt.Fake = None,
    pair: opt.Pair = "stem",
    side_by_side: opt.SideBySide = False,
    recursive: opt.Recursive = True,
    limit: opt.Limit = None,
    allow_unpaired: opt.AllowUnpaired = False,
    skip_broken: opt.SkipBroken = False,
    bands: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Resolve it in N bands of frequencies.", show_default=False),
    ] = None,
    band_map: Annotated[
        Path | None,
        typer.Option(metavar="FIG", help="Draw the error over frequencies and in 8 (or N) bands.", **opt.OUTPUT),
    ] = None,
    alpha: opt.Alpha = "drop",
    fit: opt.Fit = "none",
    workers: opt.Workers = None,
    json: opt.Json = None,
    csv: opt.Csv = None,
    markdown: opt.Markdown = None,
    junit: opt.Junit = None,
    html: opt.Html = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Log frequency distance (LFD) of paired images.

    Example: ffltool lfd real/ fake/ --json lfd.json
    """
    asked = dict(locals())
    from ffltool.cli import _render, _tables
    from ffltool.evaluate import evaluate_pairs
    from ffltool.images import Reading

    outputs = {"json": json, "csv": csv, "markdown": markdown, "junit": junit}
    if band_map is not None:
        bands = bands or _BANDS
    _render.check_outputs(outputs, figure=band_map, page=html, force=force)
    reading = Reading(alpha=alpha, fit=fit)
    pairing = opt.pairing(real, fake, asked)
    report = evaluate_pairs(
        pairing,
        ["lfd"],
        command="lfd",
        bands=bands,
        error_map=band_map is not None,
        reading=reading,
        skip_broken=skip_broken,
        workers=workers,
        progress=_render.progress(quiet=quiet),
    )
    if report:
        others: _render.Files = {
            band_map: partial(_render.map_of, report),
            html: partial(_render.page_of, report, pairing, reading, workers=workers),
        }
        _render.show(report, outputs, note=_tables.what_lfd_is(report), others=others)
