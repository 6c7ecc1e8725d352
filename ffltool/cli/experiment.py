"""``ffltool experiment``: one model with and without the focal frequency loss, in one table."""

from pathlib import Path
from typing import Annotated

import typer

from ffltool.cli import _options as opt
from ffltool.cli import _training as tr
from ffltool.errors import InputError

_DESIGN = {"rich_help_panel": "Design"}
_EVERY = 5  # images are there for each that is tested with


def experiment(
    model: tr.Model,
    data: tr.Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of all files.", show_default=False)
    ],
    test: tr.Test = None,
    variants: Annotated[
        list[str],
        typer.Option(metavar="NAMES", help="What is compared, with commas; joined by + where both hold.", **_DESIGN),
    ] = ["w/o FFL,FFL"],  # noqa: B006 (Typer reads the list, nothing changes it)
    seeds: Annotated[str, typer.Option(metavar="N,N", help="Of each variant.", **_DESIGN)] = "0",
    once: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Variants with the first seed alone.", show_default=False, **_DESIGN),
    ] = None,
    direction: tr.Direction = None,
    size: tr.Size = None,
    batch_size: tr.BatchSize = None,
    epochs: tr.Epochs = None,
    steps: tr.Steps = None,
    lr: tr.Lr = None,
    decay: tr.Decay = None,
    beta1: tr.Beta1 = None,
    beta2: tr.Beta2 = 0.999,
    amp: tr.Amp = False,
    loss: tr.Loss = None,
    pixel_weight: tr.PixelWeight = None,
    ffl_weight: tr.FflWeight = 1.0,
    kl_weight: tr.KlWeight = 0.01,
    spreg_weight: tr.SpregWeight = 0.0,
    gan_weight: tr.GanWeight = 1.0,
    alpha: tr.FocalAlpha = 1.0,
    patch_factor: tr.PatchFactor = 1,
    ave_spectrum: tr.AveSpectrum = False,
    log_matrix: tr.LogMatrix = False,
    batch_matrix: tr.BatchMatrix = False,
    transform: tr.Transform = "dft",
    component: tr.Component = "complex",
    exclude_dc: tr.ExcludeDc = False,
    resume: tr.Resume = False,
    metric: tr.Metrics = tr.METRICS,
    weights: tr.Weights = None,
    download: tr.Download = False,
    device: opt.Device = "auto",
    workers: opt.Workers = None,
    force: tr.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Train a model without the focal frequency loss and with it, and compare them.

    Variants: FFL, "w/o FFL", weight=10, alpha=0.5, patch=2, kl=0.1, dct,
    "w/o phase", "w/o amplitude", "w/o frequency", "w/o focal", ave-spectrum,
    log-matrix, batch-matrix, exclude-dc, l1, spreg, spreg=10. The options of the
    loss are what they differ from. Without --test every fifth image is for it.

    Example: ffltool experiment ae photos/ -o compared/ --epochs 200 --variants "w/o FFL,weight=1,weight=10"
    """
    asked = dict(locals())
    from ffltool import experiment_tables, experiment_views
    from ffltool.cli import _render
    from ffltool.experiment import Design
    from ffltool.run_folder import Reuse
    from ffltool.trials import RESULTS, check, run

    reuse = Reuse(resume=resume, force=force)
    check(output, reuse)
    design = Design(variants=_names(variants), seeds=_numbers(seeds), once=_names(once or []))
    plan, where = tr.plan_of(asked, seed=design.seeds[0]), tr.device_of(device)
    judging = tr.judging_of(metric, weights, device=where, download=download, quiet=quiet, workers=workers)
    images = tr.dataset_of(data, plan, workers=workers, quiet=quiet)
    if test is None:
        images, tested = images.held_out(_EVERY)
    else:
        tested = tr.dataset_of(test, plan, workers=workers, quiet=quiet)
    found = run(
        plan,
        design,
        images,
        tested,
        output,
        device=where,
        reuse=reuse,
        judging=judging,
        progress=lambda trial: _render.training_progress(quiet=quiet, doing=trial),
    )
    if found:
        experiment_tables.write(found, output)
        experiment_views.write(found, output)
        _render.deliver(lambda: tr.of_experiment(found, output, RESULTS), warnings=found.warnings)


def _names(texts: list[str]) -> tuple[str, ...]:
    return tuple(name.strip() for text in texts for name in text.split(",") if name.strip())


def _numbers(text: str) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise InputError(f"--seeds are whole numbers with commas between them, not {text!r}")
    return tuple(map(int, parts))
