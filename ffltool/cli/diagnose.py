"""``ffltool diagnose``: what the focal frequency loss does on these images."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ffltool.cli import _options as opt

if TYPE_CHECKING:
    from ffltool.diagnose import Diagnosis
    from ffltool.figures import Figure


def diagnose(
    real: opt.Real,
    fake: opt.Fake = None,
    pair: opt.Pair = "stem",
    side_by_side: opt.SideBySide = False,
    recursive: opt.Recursive = True,
    limit: opt.Limit = None,
    allow_unpaired: opt.AllowUnpaired = False,
    fit: opt.Fit = "none",
    alpha: opt.FocalAlpha = 1.0,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FIG", help="Draw the mean weight matrix: PNG, SVG, PDF.", **opt.OUTPUT),
    ] = None,
    workers: opt.Workers = None,
    device: opt.Device = "auto",
    json: opt.Json = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Focal frequency loss on paired images: its size, where it comes from, which weight it wants.

    Example: ffltool diagnose real/ fake/ -o weights.png
    """
    asked = dict(locals())
    from ffltool.cli import _render, _tables
    from ffltool.diagnose import MARK, as_json
    from ffltool.diagnose import diagnose as measure
    from ffltool.images import Reading

    _render.check_files([(json, MARK)], figure=output, force=force)
    diagnosis = measure(
        opt.pairing(real, fake, asked),
        alpha=alpha,
        reading=Reading(fit=fit),
        one_size=output is not None,
        workers=workers,
        device=opt.torch_device(device, double=True),
        progress=_render.progress(quiet=quiet),
    )
    files: _render.Files = {output: partial(_drawn, diagnosis), json: partial(as_json, diagnosis)}
    _render.deliver(partial(_tables.of_diagnosis, diagnosis), files, warnings=diagnosis.warnings)


def _drawn(diagnosis: "Diagnosis") -> "Figure":
    from ffltool import figures

    assert diagnosis.weight is not None, "a figure is of images of one size"
    return figures.weight_matrix(diagnosis.weight.numpy(), alpha=diagnosis.effects[0].alpha)
