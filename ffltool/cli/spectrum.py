"""``ffltool spectrum``: mean spectra of images and folders, side by side."""

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ffltool.cli import _options as opt
from ffltool.errors import InputError

if TYPE_CHECKING:
    from ffltool.survey import Survey

_RECIPE = {"rich_help_panel": "Recipe (in place of what the preset says)", "show_default": False}


def spectrum(
    context: typer.Context,
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="INPUT...", help="Images and folders, the reference first.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FIG", help="Figure: PNG, SVG or PDF.", **opt.OUTPUT),
    ] = None,
    layout: Annotated[
        Literal["full", "maps", "profiles", "pairs", "batch"] | None,
        typer.Option(metavar="HOW", help="full (default), maps, profiles, pairs, batch.", show_default=False),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="ffltool (default), ffl (for pairs and batch), wang2020, ricker2022, corvi2023, karras2021, "
            "frank2020 or durall2020.",
            show_default=False,
        ),
    ] = None,
    channels: Annotated[
        str | None, typer.Option(metavar="WHAT", help="grey, rgb, red, green, blue.", **_RECIPE)
    ] = None,
    span: Annotated[str | None, typer.Option(metavar="RANGE", help="0..255, 0..1, -1..1.", **_RECIPE)] = None,
    whiten: Annotated[str | None, typer.Option(metavar="BY", help="none, image, set.", **_RECIPE)] = None,
    residual: Annotated[
        str | None, typer.Option(metavar="KIND", help="none, median3, median5, gauss.", **_RECIPE)
    ] = None,
    window: Annotated[str | None, typer.Option(metavar="KIND", help="none, hann, kaiser.", **_RECIPE)] = None,
    pad: Annotated[int | None, typer.Option(metavar="N", help="Zeros up to N times the sides.", **_RECIPE)] = None,
    transform: Annotated[str | None, typer.Option(metavar="KIND", help="dft, dct.", **_RECIPE)] = None,
    orthonormal: Annotated[
        bool | None, typer.Option("--orthonormal/--unnormalised", help="Scale of the transform.", **_RECIPE)
    ] = None,
    average: Annotated[
        str | None, typer.Option(metavar="WHAT", help="power, amplitude, log1p, log, complex.", **_RECIPE)
    ] = None,
    show: Annotated[
        str | None, typer.Option(metavar="HOW", help="db, ln, linear, log, relative, dc.", **_RECIPE)
    ] = None,
    curves: Annotated[str | None, typer.Option(metavar="KIND", help="radial, slices.", **_RECIPE)] = None,
    size: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Cut to NxN; default: what all have in common.", **opt.IMAGES),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Only N images of each folder; pairs: 4.", **opt.IMAGES),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Draw those of --limit at random.", **opt.IMAGES)
    ] = None,
    pair: opt.Pair = "stem",
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Images of a mini-batch.")] = 8,
    recursive: opt.Recursive = True,
    skip_broken: opt.SkipBroken = False,
    alpha: opt.Alpha = "drop",
    workers: opt.Workers = None,
    device: opt.Device = "auto",
    data: Annotated[Path | None, typer.Option(metavar="NPZ", help="Write what was drawn.", **opt.OUTPUT)] = None,
    from_: Annotated[
        Path | None,
        typer.Option("--from", metavar="NPZ", help="Draw data again, without the images.", **opt.OUTPUT),
    ] = None,
    force: opt.Force = False,
    quiet: opt.Quiet = False,
) -> None:
    """Mean spectra of images and folders: maps, profiles, gain against the first.

    Example: ffltool spectrum real/ fake/ -o spectra.png
    """
    asked = dict(locals())
    from ffltool import archives, figures, outputs, ranks
    from ffltool import survey as surveys
    from ffltool.cli import _render
    from ffltool.loading import Loading
    from ffltool.recipes import Recipe
    from ffltool.recipes import preset as recipe
    from ffltool.sources import Selection

    if output is not None:
        figures.check_suffix(output)
    if data == Path("-"):
        raise InputError("--data is an archive, which does not go to standard output")
    wanted = [(output, outputs.MARK), (data, archives.MARK)]
    _render.check_files(wanted, force=force)
    changes = {field.name: asked[field.name] for field in fields(Recipe) if asked[field.name] is not None}
    if from_ is not None:
        recipe_options = [field.name for field in fields(Recipe)]
        opt.only(context, "--from", "from_", "output", "layout", "data", "force", "quiet", *recipe_options)
        found = surveys.shown_otherwise(surveys.from_npz(from_), changes)
    else:
        selection = Selection(
            layout=layout or "full", by=pair, recursive=recursive, limit=limit, seed=seed, batch_size=batch_size
        )
        found = surveys.survey(
            inputs or [],
            selection,
            recipe(preset or ("ffl" if layout in ("pairs", "batch") else "ffltool"), changes),
            Loading(
                alpha=alpha,
                skip_broken=skip_broken,
                workers=workers,
                progress=_render.progress(quiet=quiet, doing="averaging"),
            ),
            size=size,
            device=opt.torch_device(device),
        )
    if ranks.rank() == 0:
        _deliver(found, output=output, data=data, layout=layout or found.layout)


def _deliver(found: "Survey", *, output: Path | None, data: Path | None, layout: str) -> None:
    from ffltool import figures, outputs, survey, views
    from ffltool.cli import _render, _tables

    views.check_layout(found, layout)
    try:
        if data is not None:
            outputs.write(data, survey.as_npz(found))
        if output is not None:
            figures.save(views.draw(found, layout=layout), output)
    finally:  # a file that cannot be written does not cost the numbers
        _render.deliver(lambda: _tables.of_survey(found), warnings=found.warnings)
