"""``ffltool peaks``: periodic artefacts of generators."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ffltool.cli import _options as opt

if TYPE_CHECKING:
    from ffltool.figures import Figure, Marked
    from ffltool.grids import Finding, Search


def peaks(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT...", help="Images and folders, each a set of its own.", show_default=False),
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="REAL", help="Only what exceeds these real images counts.", show_default=False),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            min=0, metavar="Z", help="Peaks are above it. At 5, 4 of 100 photographs have one, sets of 5 none."
        ),
    ] = 5.0,
    residual: Annotated[
        Literal["none", "median3", "median5", "gauss"],
        typer.Option(metavar="KIND", help="What is looked at: none, median3, median5, gauss."),
    ] = "median3",
    fail_on_peak: Annotated[bool, typer.Option("--fail-on-peak", help="Status 1 if an artefact is found.")] = False,
    recursive: opt.Recursive = True,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Only N images of each folder.", show_default=False, **opt.IMAGES),
    ] = None,
    skip_broken: opt.SkipBroken = False,
    alpha: opt.Alpha = "drop",
    workers: opt.Workers = None,
    device: opt.Device = "auto",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FIG", help="Draw maps with the peaks: PNG, SVG, PDF.", **opt.OUTPUT),
    ] = None,
    json: opt.Json = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Periodic artefacts: grids of 2, 4, 8 or 16 pixels that generators leave.

    Example: ffltool peaks fake/ --reference real/ --fail-on-peak
    """
    from ffltool import grids, ranks
    from ffltool.cli import _render, _tables
    from ffltool.loading import Loading
    from ffltool.sources import Selection

    _render.check_files([(json, grids.MARK)], figure=output, force=force)
    progress = _render.progress(quiet=quiet, doing="looking")
    search = grids.search(
        inputs or [],
        Selection(recursive=recursive, limit=limit),
        grids.Seeking(residual=residual, threshold=threshold, device=opt.torch_device(device)),
        Loading(alpha=alpha, skip_broken=skip_broken, workers=workers, progress=progress),
        reference=reference,
    )
    if ranks.rank() > 0:
        return
    files: _render.Files = {output: partial(_drawn, search), json: partial(grids.as_json, search)}
    _render.deliver(partial(_tables.of_search, search), files, warnings=search.warnings)
    if fail_on_peak and search.found:
        raise typer.Exit(1)


def _drawn(search: "Search") -> "Figure":
    from ffltool import figures

    return figures.peak_maps([_marked(finding) for finding in search.findings])


def _marked(finding: "Finding") -> "Marked":
    from ffltool.figures import Mark, Marked

    texts = ["" if peak.lattice is None else f"{peak.lattice} px" for peak in finding.peaks]
    marks = [Mark(peak.u, peak.v, peak.kind, text) for peak, text in zip(finding.peaks, texts, strict=True)]
    return Marked(finding.input, finding.level.numpy(), marks)
