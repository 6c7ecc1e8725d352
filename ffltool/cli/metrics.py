"""``ffltool metrics``: any metrics of pairs, of whole sets or of label maps."""

from functools import partial
from typing import Annotated

import typer

from ffltool.cli import _networks as nets
from ffltool.cli import _options as opt
from ffltool.errors import InputError
from ffltool.looking import SEED
from ffltool.metrics import METRICS

_NAMES = {
    of: ", ".join(name for name, metric in METRICS.items() if metric.of == of) for of in ("pairs", "sets", "labels")
}


def metrics(
    real: opt.Real,
    fake: opt.Fake = None,
    metric: Annotated[
        list[str],
        typer.Option(
            "--metric",
            "-m",
            metavar="NAMES",
            help=f"With commas. Of pairs: {_NAMES['pairs']}; of sets: {_NAMES['sets']}; of labels: {_NAMES['labels']}.",
        ),
    ] = ["psnr,ssim,lfd"],  # noqa: B006 (Typer reads the list, nothing changes it)
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
    seed: nets.Seed = SEED,
    device: nets.Device = "auto",
    half: nets.Half = False,
    batch_size: nets.BatchSize = None,
    weights: nets.Weights = None,
    download: nets.Download = False,
    skip_missing: nets.SkipMissing = False,
    save_stats: nets.SaveStats = None,
    cache: nets.Cache = True,
    workers: opt.Workers = None,
    json: opt.Json = None,
    csv: opt.Csv = None,
    markdown: opt.Markdown = None,
    junit: opt.Junit = None,
    html: opt.Html = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Several metrics of pairs, of whole sets or of label maps, decoding each file once.

    Sets need no pairs, and may differ in their number of images, unless a metric of pairs is asked for too.

    For fid REAL may be a file of statistics that --save-stats wrote.

    Label maps have metrics of their own: miou and pixel_accuracy, with --labels.

    Example: ffltool metrics real/ fake/ -m psnr,ssim,lfd --csv pairs.csv
    """
    asked = dict(locals())
    from ffltool.cli import _labels, _render
    from ffltool.evaluate import evaluate_pairs
    from ffltool.formats import networks
    from ffltool.metrics import need_pairs

    names = ",".join(metric).split(",")
    if csv is not None and not need_pairs(names):
        raise InputError("--csv has a row per pair, and none of these metrics is of pairs; --json holds their scores")
    reading = opt.reading(asked)
    outputs = {"json": json, "csv": csv, "markdown": markdown, "junit": junit}
    _render.check_outputs(outputs, page=html, others=nets.statistics(save_stats), force=force)
    looking = nets.looking(names, asked, seed=seed)
    paired = nets.need_pairs(names, looking)
    pairing = opt.pairing(real, fake, asked, paired=paired)
    report = evaluate_pairs(
        pairing,
        names,
        command="metrics",
        reading=reading,
        looking=looking,
        skip_broken=skip_broken,
        save_statistics=save_stats,
        workers=workers,
        progress=_render.progress(quiet=quiet, each="pairs" if paired else "images"),
    )
    if report:
        page = partial(_render.page_of, report, pairing, reading, workers=workers)
        note = _labels.what_counts(report) or "\n".join(networks(report))
        _render.show(report, outputs, note=note, others={html: page})
