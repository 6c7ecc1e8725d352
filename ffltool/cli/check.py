"""``ffltool check``: the metrics against limits and a baseline, for CI."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffltool.cli import _networks as nets
from ffltool.cli import _options as opt
from ffltool.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ffltool.cli import _render
    from ffltool.plans import SetPlan
    from ffltool.verdicts import Judged

LIMITS = {"rich_help_panel": "Limits", "show_default": False}
BASELINE = {"rich_help_panel": "Baseline", "show_default": False}


def check(
    real: Annotated[
        Path | None,
        typer.Argument(metavar="REAL", help="Folder of real images, or one image; else as the limits say."),
    ] = None,
    fake: opt.Fake = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", metavar="LIMITS", help="TOML file; default pyproject.toml, if it has limits.", **LIMITS
        ),
    ] = None,
    min_: Annotated[
        list[str], typer.Option("--min", metavar="NAME=X", help="A mean must not be below, as psnr=30.", **LIMITS)
    ] = [],  # noqa: B006 (Typer reads the list, nothing changes it)
    max_: Annotated[
        list[str], typer.Option("--max", metavar="NAME=X", help="A mean must not be above, as lfd=14.5.", **LIMITS)
    ] = [],  # noqa: B006
    set_: Annotated[
        list[str], typer.Option("--set", metavar="NAME", help="Only this set of the file; may be repeated.", **LIMITS)
    ] = [],  # noqa: B006
    baseline: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What max_increase and max_drop are held against.", **BASELINE)
    ] = None,
    update_baseline: Annotated[
        bool, typer.Option("--update-baseline", help="Write FILE if every limit passes.", **BASELINE)
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Changes that are not significant fail too.", **BASELINE)
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Of the bootstrap's draws.", rich_help_panel="Baseline")
    ] = 0,
    pair: opt.Pair = "stem",
    side_by_side: opt.SideBySide = False,
    recursive: opt.Recursive = True,
    limit: opt.Limit = None,
    allow_unpaired: opt.AllowUnpaired = False,
    skip_broken: opt.SkipBroken = False,
    alpha: opt.Alpha = "drop",
    fit: opt.Fit = "none",
    labels: opt.Labels = False,
    classes: opt.Classes = None,
    ignore_index: opt.IgnoreIndex = 255,
    absent: opt.Absent = "nan",
    accuracy_over: opt.AccuracyOver = "valid",
    lpips: nets.Backbone = "alex",
    preset: nets.Preset = "pytorch-fid",
    layer: nets.Layer = "2048",
    device: nets.Device = "auto",
    weights: nets.Weights = None,
    download: nets.Download = False,
    cache: nets.Cache = True,
    workers: opt.Workers = None,
    json: opt.Json = None,
    json_flat: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Write scores alone as JSON, for DVC.", **opt.OUTPUT)
    ] = None,
    markdown: opt.Markdown = None,
    junit: opt.Junit = None,
    html: opt.Html = None,
    band_map: Annotated[
        Path | None,
        typer.Option(metavar="FIG", help="Draw the error over frequencies; Markdown links it.", **opt.OUTPUT),
    ] = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Hold metrics to limits and to a baseline; status 1 if one fails.

    Example: ffltool check real/ fake/ -c limits.toml --junit report.xml
    """
    asked = dict(locals())
    from ffltool import check as checking
    from ffltool.cli import _render, note
    from ffltool.plans import load

    given = None if real is None else (real, fake)
    plans = load(config, minima=min_, maxima=max_, only=set_, given=given, resolved=band_map is not None)
    outputs = {"json": json, "json-flat": json_flat, "markdown": markdown, "junit": junit}
    shown = {"--band-map": band_map, "--html": html}
    _check_files(outputs, plans, shown, baseline=baseline, update=update_baseline, force=force)
    before = checking.earlier(baseline, renew=update_baseline)
    measuring = checking.Measuring(
        reading=opt.reading(asked),
        looking=nets.looking([name for plan in plans for name in plan.metrics], asked),
        skip_broken=skip_broken,
        error_map=band_map is not None,
        workers=workers,
        progress=_render.progress(quiet=quiet),
    )
    pairings = [opt.pairing(plan.real, plan.fake, asked, paired=plan.paired) for plan in plans]
    reports = list(filter(None, map(partial(checking.measure, measuring=measuring), plans, pairings)))
    if not reports:  # another process has them
        return
    judged = checking.judge_sets(plans, reports, before, renewing=update_baseline, strict=strict, seed=seed)
    others: _render.Files = {
        band_map: partial(_render.map_of, judged[0].report),
        html: partial(_render.page_of, judged[0].report, pairings[0], measuring.reading, workers=workers),
    }
    _show(judged, outputs, others, band_map=band_map)
    if update_baseline and baseline is not None:
        note(checking.renewed(baseline, judged, before))
    if any(each.state == "fail" for each in judged):
        raise typer.Exit(1)


def _check_files(
    outputs: dict[str, Path | None],
    plans: "Sequence[SetPlan]",
    shown: dict[str, Path | None],
    *,
    baseline: Path | None,
    update: bool,
    force: bool,
) -> None:
    """Find out, before the work, whether everything can be written; `shown` is what shows one set, by its option."""
    from ffltool.baseline import MARK
    from ffltool.cli import _render
    from ffltool.judged import FORMATS

    wanted = [(path, FORMATS[name][1]) for name, path in outputs.items()]
    if update:
        if baseline is None:
            raise InputError("--update-baseline wants --baseline FILE, which it writes")
        if baseline.exists() and not baseline.is_file():
            raise InputError(f"{baseline} is no file, and a baseline is kept in one")
        wanted.append((baseline, MARK))
    for option, path in shown.items():
        if path is not None and len(plans) > 1:
            raise InputError(f"{option} shows one set, but there are {len(plans)}; --set chooses one")
    _render.check_files(wanted, figure=shown["--band-map"], page=shown["--html"], force=force)


def _show(
    judged: "Sequence[Judged]",
    outputs: dict[str, Path | None],
    others: "_render.Files",
    *,
    band_map: Path | None,
) -> None:
    """Print tables and warnings, write the files, and tell GitHub."""
    from ffltool.cli import _render, _verdicts
    from ffltool.judged import FORMATS, as_markdown, title

    texts = {path: partial(FORMATS[name][0], judged) for name, path in outputs.items()}
    if band_map is not None and (markdown := outputs["markdown"]):
        texts[markdown] = partial(as_markdown, judged, files=[os.path.relpath(band_map, markdown.parent)])
    warnings = [f"{title(each)}{warning}" for each in judged for warning in each.report.warnings]
    _render.tell_github(judged)
    _render.deliver(partial(_verdicts.of_judged, judged), {**texts, **others}, warnings=warnings)
