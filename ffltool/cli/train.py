"""``ffltool train``: a baseline of the paper, with or without the focal frequency loss."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ffltool.cli import _options as opt
from ffltool.cli import _training as tr


def train(
    model: tr.Model,
    data: tr.Data,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="RUN", help="Folder of the run.", show_default=False)
    ],
    test: tr.Test = None,
    direction: tr.Direction = None,
    size: tr.Size = None,
    batch_size: tr.BatchSize = None,
    epochs: tr.Epochs = None,
    steps: tr.Steps = None,
    lr: tr.Lr = None,
    decay: tr.Decay = None,
    beta1: tr.Beta1 = None,
    beta2: tr.Beta2 = 0.999,
    seed: Annotated[
        int, typer.Option(min=0, max=2**63 - 1, metavar="N", help="Of weights, order and noise.", **tr.TRAINING)
    ] = 0,
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
    sample: Annotated[
        int, typer.Option(min=0, metavar="N", help="Write N images of noise in the end (vae).", show_default=False)
    ] = 0,
    samples_every: Annotated[
        int, typer.Option(min=0, metavar="N", help="Epochs from a grid of images to the next; 0: one at the end.")
    ] = 1,
    checkpoint_seconds: Annotated[
        float, typer.Option(min=0, metavar="S", help="Seconds from a checkpoint to the next.")
    ] = 60,
    resume: tr.Resume = False,
    metric: tr.Metrics = tr.METRICS,
    weights: tr.Weights = None,
    download: tr.Download = False,
    device: opt.Device = "auto",
    workers: opt.Workers = None,
    force: tr.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Train a model to make images, with the focal frequency loss or without.

    ae and vae rebuild the images of DATA; pix2pix makes one side of each of the
    other, where two are side by side in one file (--direction).

    RUN gets settings, losses, grids of images and a checkpoint; with --test also
    the rebuilt test images and their metrics. Several GPUs: torchrun
    --nproc-per-node 2 -m ffltool train ...

    Example: ffltool train ae photos/ -o run/ --test others/ --epochs 200 --ffl-weight 10
    """
    asked = dict(locals())
    from ffltool import ranks
    from ffltool.cli import _render
    from ffltool.run_folder import Reuse, RunFolder
    from ffltool.runs import Keeping, carry_out

    reuse = Reuse(resume=resume, force=force)
    RunFolder(output).check(reuse)
    plan, where = tr.plan_of(asked, seed=seed), tr.device_of(device)
    judging = tr.judging_of(
        metric, weights, device=where, download=download, quiet=quiet, workers=workers, tested=test is not None
    )
    read = partial(tr.dataset_of, plan=plan, workers=workers, quiet=quiet)
    images, tested = read(data), None if test is None else read(test)
    finished = carry_out(
        plan,
        images,
        output,
        test=tested,
        device=where,
        reuse=reuse,
        keeping=Keeping(checkpoint_seconds=checkpoint_seconds, samples_every=samples_every),
        judging=judging,
        generate=sample,
        progress=_render.training_progress(quiet=quiet, doing=model),
    )
    warnings = (*images.warnings, *(tested.warnings if tested else ()))
    if ranks.rank() == 0:
        _render.show_training(finished, warnings=warnings)
