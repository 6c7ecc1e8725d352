"""``ffltool diagnose``: what the focal frequency loss does on these images."""

from pathlib import Path
from typing import Annotated

import typer

from ffltool.cli import _options as opt


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
    from ffltool import outputs
    from ffltool.cli import _render, _tables
    from ffltool.diagnose import MARK, as_json
    from ffltool.diagnose import diagnose as measure
    from ffltool.images import Reading

    if output is not None:
        from ffltool import figures

        figures.check_suffix(output)
    wanted = [(output, outputs.MARK), (json, MARK)]
    _render.check_files(wanted, force=force)
    diagnosis = measure(
        opt.pairing(real, fake, asked),
        alpha=alpha,
        reading=Reading(fit=fit),
        one_size=output is not None,
        workers=workers,
        device=opt.torch_device(device, double=True),
        progress=_render.progress(quiet=quiet),
    )
    try:
        if output is not None and diagnosis.weight is not None:
            figures.save(figures.weight_matrix(diagnosis.weight.numpy(), alpha=alpha), output)
    finally:  # a figure that cannot be written does not cost the numbers
        texts = {json: lambda: as_json(diagnosis)} if json is not None else {}
        _render.deliver(lambda: _tables.of_diagnosis(diagnosis), texts, warnings=diagnosis.warnings)
