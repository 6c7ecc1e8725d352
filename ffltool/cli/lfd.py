"""``ffltool lfd``: log frequency distance of paired images."""

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
    from ffltool.outputs import MARK

    outputs = {"json": json, "csv": csv, "markdown": markdown, "junit": junit}
    if band_map is not None:
        from ffltool import figures

        figures.check_suffix(band_map)
        bands = bands or _BANDS
    _render.check_outputs(outputs, page=html, others=[(band_map, MARK)], force=force)
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
    if report is None:
        return
    try:
        if band_map is not None and report.error_map is not None:
            figures.save(figures.error_in_bands(report.error_map.numpy(), report.bands), band_map)
    finally:  # a figure that cannot be written does not cost the numbers
        page = _render.page_at(html, report, pairing, reading, workers=workers)
        _render.show(report, outputs, note=_tables.what_lfd_is(report), page=page)
