"""``ffltool lfd``: log frequency distance of paired images."""

from typing import Annotated

import typer

from ffltool.cli import _options as opt


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
    alpha: opt.Alpha = "drop",
    fit: opt.Fit = "none",
    workers: opt.Workers = None,
    json: opt.Json = None,
    csv: opt.Csv = None,
    markdown: opt.Markdown = None,
    junit: opt.Junit = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Log frequency distance (LFD) of paired images.

    Example: ffltool lfd real/ fake/ --json lfd.json
    """
    from ffltool.cli import _render, _tables
    from ffltool.evaluate import evaluate_pairs
    from ffltool.images import Reading
    from ffltool.pairing import pair as find_pairs

    outputs = {"json": json, "csv": csv, "markdown": markdown, "junit": junit}
    _render.check_outputs(outputs, force=force)
    pairing = find_pairs(
        real,
        fake,
        by=pair,
        side_by_side=side_by_side,
        recursive=recursive,
        allow_unpaired=allow_unpaired,
        limit=limit,
    )
    report = evaluate_pairs(
        pairing,
        ["lfd"],
        command="lfd",
        bands=bands,
        reading=Reading(alpha=alpha, fit=fit),
        skip_broken=skip_broken,
        workers=workers,
        progress=_render.progress(quiet=quiet),
    )
    if report:
        _render.show(report, outputs, note=_tables.what_lfd_is(report))
